// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "hardirq": what a pair costs an interrupt, on a CPU that is busy
 * allocating.
 *
 * A timer's interrupt allocates an object and frees it, again and again, while the task
 * that it interrupts does the same with many. Where the interrupt meets the allocator in
 * the middle of something, it must find another way; how long that takes at most is the
 * question. Only what the interrupt does is timed.
 *
 * On PREEMPT_RT no allocator may be called in hardirq context: there it is the softirq of
 * the timers.
 */

#include <linux/errno.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "bench_histogram.h"
#include "bench_worker.h"
#include "compat.h"

/* Between two interrupts: User-Mode Linux takes some 10 us for one. */
#define PERIOD_NS	50000U
/* Added to it, from none to one less than this: no loop may keep in step with them. */
#define JITTER_NS	61U
/* What the task has at once. */
#define NR_CHURNED	64U

#define TIMER_MODE	(IS_ENABLED(CONFIG_PREEMPT_RT) ? HRTIMER_MODE_REL_PINNED_SOFT : \
							 HRTIMER_MODE_REL_PINNED_HARD)

/* (t) the timer's while it runs */
struct bench_interrupt {
	struct hrtimer timer;
	struct gospan_bench_job job;	/* (t) its clock and histogram; the task has another */
	u32 left;			/* (t) times that it is to come; released last */
};

static u64 next_ns(u32 left)
{
	return PERIOD_NS + left % JITTER_NS;
}

static enum hrtimer_restart interrupt_pair(struct hrtimer *timer)
{
	struct bench_interrupt *in = container_of(timer, struct bench_interrupt, timer);
	struct gospan_bench_job *job = &in->job;
	u32 left = in->left - 1;
	u64 before = job->ticks;
	struct gospan_bench_window start = gospan_bench_window_open();
	void *p = job->calls->alloc(job, job->size);

	if (likely(p))
		job->calls->free(job, p, job->size);
	gospan_bench_window_close(job, start);
	job->failures += !p;
	if (job->latency)
		gospan_histogram_add(job->latency, job->ticks - before);
	hrtimer_forward_now(timer, ns_to_ktime(next_ns(left)));
	/* Pairs with the acquire in churn(). */
	smp_store_release(&in->left, left);
	return left ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static u32 hardirq_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return NR_CHURNED;
}

static u64 hardirq_own_bytes(const struct gospan_bench *b)
{
	return sizeof(struct bench_interrupt);
}

static int hardirq_init(struct gospan_bench_worker *w)
{
	struct bench_interrupt *in = gospan_bench_table(w, 1, sizeof(*in));

	w->own = in;
	if (!in)
		return -ENOMEM;
	hrtimer_setup(&in->timer, interrupt_pair, CLOCK_MONOTONIC, TIMER_MODE);
	in->job = w->job;
	in->job.gfp = GFP_ATOMIC | __GFP_NOWARN | (w->job.gfp & __GFP_ZERO);
	w->ops[0] = w->run->b->nr_objects;
	return 0;
}

static void hardirq_destroy(struct gospan_bench_worker *w)
{
	kvfree(w->own);
}

/* Until all interrupts have come. The loops without a clock: the histogram is not for these. */
static void churn(struct gospan_bench_worker *w)
{
	const struct gospan_bench_loops *loops = &gospan_bench_loops[w->run->b->allocator];
	struct bench_interrupt *in = w->own;

	/* Pairs with the release in interrupt_pair(). */
	while (smp_load_acquire(&in->left) && !gospan_bench_stopped(w->run)) {
		w->job.nr_live = 0;
		loops->alloc(&w->job, NR_CHURNED);
		loops->free(&w->job, w->table, w->job.nr_live);
		cond_resched();
	}
}

static void hardirq_round(struct gospan_bench_worker *w, u32 round)
{
	struct bench_interrupt *in = w->own;

	in->job.ticks = 0;
	in->job.ns = 0;
	in->job.latency = w->latency[0];
	in->left = w->run->b->nr_objects;
	hrtimer_start(&in->timer, ns_to_ktime(next_ns(in->left)), TIMER_MODE);
	churn(w);
	hrtimer_cancel(&in->timer);
	gospan_bench_phase_start(w, 0);
	w->job.ticks = in->job.ticks;
	w->job.ns = in->job.ns;
	gospan_bench_phase_end(w, 0, round);
	w->job.failures += in->job.failures;
	in->job.failures = 0;
}

const struct gospan_bench_shape gospan_bench_hardirq = {
	.allocators = GOSPAN_CAN_HARDIRQ,
	.fields = GOSPAN_TAKES_SIZE | GOSPAN_TAKES_LATENCY,
	.cpus_multiple = 1,
	.nr_live = hardirq_nr_live,
	.own_bytes = hardirq_own_bytes,
	.init = hardirq_init,
	.destroy = hardirq_destroy,
	.round = hardirq_round,
};
