// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's threads: what every workload does in a round.
 *
 * A barrier starts every phase on all CPUs at once. A phase is cut into windows
 * of a few thousand operations (bench_loop.c), whose durations are added up; in
 * between the thread reschedules and looks whether it is to stop.
 *
 * Any thread may end the run: the last to arrive at a barrier decides for all
 * whether there is a next round, so that no thread waits for one that left. A
 * phase that stops early leaves what it allocated to the following phase,
 * which frees it as ever.
 */

#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/topology.h>
#include "bench_extent.h"
#include "bench_histogram.h"
#include "bench_order.h"
#include "bench_worker.h"
#include "internal.h"

/*
 * Operations in a window, and bytes that they may touch: short enough to
 * reschedule within milliseconds even where every object is zeroed, long
 * enough that two clock readings do not show.
 */
#define WINDOW_BYTES	SZ_4M
#define WINDOW_OPS	4096

/*
 * Between the last arrival at a barrier and the start: the others wake up in
 * this time and then spin, so that they start within nanoseconds.
 */
#define START_DELAY_NS	(100 * NSEC_PER_USEC)

/* The first reason to stop is the run's. */
void gospan_bench_abort(struct gospan_bench_run *run, int error)
{
	cmpxchg(&run->error, 0, error);
	WRITE_ONCE(run->stop, true);
}

/*
 * Wait for all threads; return in all of them at the same moment and with the
 * same answer: whether the run goes on.
 */
bool gospan_bench_barrier(struct gospan_bench_run *run)
{
	/* Cannot change before this thread has arrived. */
	unsigned int gate = READ_ONCE(run->gate);

	/* Full barriers: the last to arrive sees what all others wrote before. */
	if (atomic_inc_return(&run->nr_arrived) == run->nr_workers) {
		atomic_set(&run->nr_arrived, 0);
		run->go_on = !gospan_bench_stopped(run);
		run->start_ns = run->nr_workers > 1 ? ktime_get_ns() + START_DELAY_NS : 0;
		/* Pairs with the acquire below. */
		smp_store_release(&run->gate, gate + 1);
		wake_up_all(&run->wait);
	} else {
		/* Pairs with the release above: publishes the verdict and the start. */
		wait_event_idle(run->wait, smp_load_acquire(&run->gate) != gate);
	}
	while (run->start_ns && ktime_get_ns() < run->start_ns)
		cpu_relax();
	return run->go_on;
}

/* How many of @left operations make the next window. */
u32 gospan_bench_window_ops(const struct gospan_bench_worker *w, u32 left)
{
	u32 fit = WINDOW_BYTES / max_t(u32, w->job.size, 1);

	return min3(left, (u32)WINDOW_OPS, max(fit, 1U));
}

void gospan_bench_phase_start(struct gospan_bench_worker *w, unsigned int phase)
{
	w->job.ticks = 0;
	w->job.ns = 0;
	w->job.latency = w->latency[phase];
}

/* CPU hotplug is not held off: a thread that was moved to another CPU ends the run. */
void gospan_bench_phase_end(struct gospan_bench_worker *w, unsigned int phase, u32 round)
{
	w->ticks[phase][round] = w->job.ticks;
	w->ns[phase][round] = w->job.ns;
	if (raw_smp_processor_id() != w->cpu)
		gospan_bench_abort(w->run, -ENODEV);
}

/* Allocate @n objects into the worker's table, fewer in a run that stops. */
void gospan_bench_alloc_all(struct gospan_bench_worker *w, u32 n)
{
	u32 done, window;

	w->job.nr_live = 0;
	for (done = 0; done < n && !gospan_bench_stopped(w->run); done += window) {
		window = gospan_bench_window_ops(w, n - done);
		w->run->loops->alloc(&w->job, window);
		cond_resched();
	}
}

/* Frees everything, even in a run that stops. */
void gospan_bench_free_all(struct gospan_bench_worker *w, void *const *objects, u32 n)
{
	u32 done, window;

	for (done = 0; done < n; done += window) {
		window = gospan_bench_window_ops(w, n - done);
		w->run->loops->free(&w->job, objects + done, window);
		cond_resched();
	}
}

static void usage_add(struct gospan_bench_worker *w, u32 i, u32 size)
{
	enum gospan_bench_allocator who = w->run->b->allocator;
	const void *p = w->job.objects[i];

	w->usage.asked += size;
	w->usage.rounded += gospan_extent_of_slot(who, p, size).bytes;
	w->extents[i] = gospan_extent_of_span(who, p, size);
}

static void run_add_up(struct gospan_bench_run *run)
{
	unsigned int i;

	run->peak = (struct gospan_bench_usage){};
	for (i = 0; i < run->nr_workers; i++) {
		run->peak.asked += run->worker[i].usage.asked;
		run->peak.rounded += run->worker[i].usage.rounded;
	}
	run->peak.held = gospan_extent_add_up(run->extents, run->nr_extents).bytes;
}

/*
 * In the round for it, see what the objects at the peak occupy: the first @n of the
 * worker's table, NULL is none, of @sizes bytes or the job's. All threads call this, and
 * meet: nothing is freed, to be found at the same place by another, before.
 */
void gospan_bench_weigh(struct gospan_bench_worker *w, const u32 *sizes, u32 n)
{
	bool is_real = w->run->b->allocator != GOSPAN_ALLOCATOR_EMPTY &&
		       w->run->b->allocator != GOSPAN_ALLOCATOR_LIMIT;
	u32 i;

	if (!w->weighing)
		return;
	w->usage = (struct gospan_bench_usage){};
	memset(w->extents, 0, w->nr_table * sizeof(*w->extents));
	for (i = 0; i < n && is_real; i++) {
		if (w->job.objects[i])
			usage_add(w, i, sizes ? sizes[i] : w->job.size);
	}
	gospan_bench_barrier(w->run);
	if (!w->idx)
		run_add_up(w->run);
	gospan_bench_barrier(w->run);
}

/* A table for the worker's thread, zeroed; NULL when memory ran out. */
void *gospan_bench_table(const struct gospan_bench_worker *w, size_t n, size_t size)
{
	return kvzalloc_node(n * size, GOSPAN_BENCH_GFP, cpu_to_node(w->cpu));
}

static int phase_init(struct gospan_bench_worker *w, unsigned int phase)
{
	/* And one for the round in which they are weighed. */
	u32 nr_rounds = w->run->b->rounds + 1;

	w->ticks[phase] = gospan_bench_table(w, nr_rounds, sizeof(u64));
	w->ns[phase] = gospan_bench_table(w, nr_rounds, sizeof(u64));
	if (!w->ticks[phase] || !w->ns[phase])
		return -ENOMEM;
	if (!(w->run->b->flags & GOSPAN_BENCH_LATENCY))
		return 0;
	w->latency[phase] = gospan_bench_table(w, 1, sizeof(*w->latency[phase]));
	return w->latency[phase] ? 0 : -ENOMEM;
}

static void job_init(struct gospan_bench_worker *w)
{
	const struct gospan_bench *b = w->run->b;
	struct gospan_bench_job *job = &w->job;

	job->calls = &gospan_bench_calls[b->allocator];
	job->size = b->size;
	job->gfp = GOSPAN_BENCH_GFP | (b->flags & GOSPAN_BENCH_ZERO ? __GFP_ZERO : 0);
	job->order = get_order(b->size);
	job->npages = gospan_bytes_to_npages(b->size);
	job->kmem_cache = w->run->kmem_cache;
	job->cache = w->run->cache;
}

/* On the worker's thread; what it got goes with gospan_bench_worker_destroy(), also on failure. */
int gospan_bench_worker_init(struct gospan_bench_worker *w)
{
	const struct gospan_bench *b = w->run->b;
	unsigned int i;
	int err;

	prandom_seed_state(&w->rnd, b->seed + w->cpu);
	job_init(w);
	for (i = 0; i < GOSPAN_BENCH_NR_PHASES; i++) {
		err = phase_init(w, i);
		if (err)
			return err;
	}
	if (w->nr_table) {
		w->table = gospan_bench_table(w, w->nr_table, sizeof(void *));
		if (!w->table)
			return -ENOMEM;
		w->job.objects = w->table;
	}
	return w->run->shape->init(w);
}

void gospan_bench_worker_destroy(struct gospan_bench_worker *w)
{
	unsigned int i;

	if (w->run->shape->destroy)
		w->run->shape->destroy(w);
	kvfree(w->table);
	for (i = 0; i < GOSPAN_BENCH_NR_PHASES; i++) {
		kvfree(w->ticks[i]);
		kvfree(w->ns[i]);
		kvfree(w->latency[i]);
	}
}

static void report_latency(const struct gospan_histogram *h, struct gospan_bench_phase *phase)
{
	phase->ticks_p50 = gospan_histogram_quantile(h, 500);
	phase->ticks_p99 = gospan_histogram_quantile(h, 990);
	phase->ticks_p999 = gospan_histogram_quantile(h, 999);
	phase->ticks_max = h->max;
}

/* After the last round. */
void gospan_bench_worker_report(struct gospan_bench_worker *w)
{
	u32 rounds = w->run->b->rounds;
	unsigned int i;

	*w->result = (struct gospan_bench_cpu){
		.cpu = w->cpu,
		.failures = w->job.failures,
	};
	for (i = 0; i < GOSPAN_BENCH_NR_PHASES; i++) {
		struct gospan_bench_phase *phase = &w->result->phase[i];

		if (!w->ops[i])
			continue;
		phase->ops = w->ops[i];
		gospan_bench_summarize(w->ticks[i], rounds, &phase->ticks_min,
				       &phase->ticks_median);
		gospan_bench_summarize(w->ns[i], rounds, &phase->ns_min, &phase->ns_median);
		if (w->latency[i])
			report_latency(w->latency[i], phase);
	}
}
