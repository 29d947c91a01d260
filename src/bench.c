// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmarks inside the kernel: the same work for gospan and for the kernel's
 * own allocators, on chosen CPUs, in one boot.
 *
 * One kthread per CPU, bound to it, sets up its own tables and then runs the
 * rounds; a barrier starts every phase on all CPUs at once. A phase is cut
 * into windows of a few thousand operations (bench_loop.c), whose durations
 * are added up; in between the thread reschedules and looks whether it is to
 * stop. Shuffling and cleaning up happen between phases and are not timed.
 *
 * Any thread may end the run: the last to arrive at a barrier decides for all
 * whether there is a next round, so that no thread waits for one that left. A
 * phase that stops early leaves what it allocated to the following phase,
 * which frees it as ever.
 *
 * CPU hotplug is not held off. A thread that finds itself on another CPU than
 * its own, which was taken offline, ends the run.
 */

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/smp.h>
#include <linux/sort.h>
#include <linux/topology.h>
#include <linux/wait.h>
#include "bench.h"
#include "bench_extent.h"
#include "bench_held.h"
#include "bench_loop.h"
#include "bench_mix.h"
#include "compat.h"
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

/* An allocation that cannot be had is a figure, not a reason to kill someone. */
#define BENCH_GFP	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/* (c) constant while threads run  (a) atomic  (w) written by that CPU's thread only */
struct bench_worker {
	struct bench_run *run;		/* (c) */
	struct task_struct *task;	/* (c) held until it has exited */
	struct bench_worker *source;	/* (c) whose objects this one frees, or NULL */
	struct gospan_bench_cpu *result; /* (w) */
	u32 cpu;			/* (c) */
	bool allocates;			/* (c) has a phase 0 */
	struct gospan_bench_job job;	/* (w) @objects: by barriers also the partner's */
	struct rnd_state rnd;		/* (w) for GOSPAN_ORDER_SHUFFLED */
	struct gospan_mix mix;		/* (w) */
	struct gospan_mix_usage usage;	/* (w) */
	/* (w) durations by phase and round */
	u64 *ticks[GOSPAN_BENCH_NR_PHASES];
	u64 *ns[GOSPAN_BENCH_NR_PHASES];
};

struct bench_run {
	const struct gospan_bench *b;	/* (c) what to do; checked */
	const struct gospan_bench_loops *loops;	/* (c) of the allocator */
	struct kmem_cache *kmem_cache;	/* (c) for KMEM_CACHE */
	struct gospan_cache *cache;	/* (c) for CACHE */
	struct gospan_extent *extents; /* MIX: (w) MAX_LIVE per worker */
	struct gospan_bench_held *held;	/* what is kept in use meanwhile, or NULL */
	struct completion done;		/* the last thread is through */
	atomic_t nr_running;		/* (a) threads that are not */
	int error;			/* (a) the first reason to stop, or 0 */
	bool stop;			/* (a) set once; ends the run early */

	/* The barrier. */
	wait_queue_head_t wait;
	atomic_t nr_arrived;		/* (a) */
	unsigned int gate;		/* (a) barriers passed so far */
	u64 start_ns;			/* when to go on; published by @gate */
	bool go_on;			/* the verdict; published by @gate */

	unsigned int nr_workers;	/* (c) */
	struct bench_worker worker[];
};

/* Reverse or shuffle @objects, to be freed from the first to the last. */
void gospan_bench_reorder(void **objects, u32 n, enum gospan_bench_order order,
			  struct rnd_state *rnd)
{
	u32 i;

	if (order == GOSPAN_ORDER_LIFO) {
		for (i = 0; i < n / 2; i++)
			swap(objects[i], objects[n - 1 - i]);
	} else if (order == GOSPAN_ORDER_SHUFFLED) {
		for (i = n; i > 1; i--) {
			u32 other = reciprocal_scale(prandom_u32_state(rnd), i);

			swap(objects[i - 1], objects[other]);
			if (!(i % WINDOW_OPS))
				cond_resched();
		}
	}
}

static int address_cmp(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* Sort @objects, and find @k of the @n that lie closest together: the first of them. */
u32 gospan_bench_closest(void **objects, u32 n, u32 k)
{
	u32 i, best = 0;

	sort(objects, n, sizeof(*objects), address_cmp, NULL);
	for (i = 1; i + k <= n; i++)
		if (objects[i + k - 1] - objects[i] < objects[best + k - 1] - objects[best])
			best = i;
	return best;
}

static int sample_cmp(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* The least and the median (of an even number the lower) of @n samples; sorts them. */
void gospan_bench_summarize(u64 *samples, u32 n, u64 *min, u64 *median)
{
	sort(samples, n, sizeof(*samples), sample_cmp, NULL);
	*min = samples[0];
	*median = samples[(n - 1) / 2];
}

static bool run_stopped(const struct bench_run *run)
{
	return READ_ONCE(run->stop);
}

static void run_abort(struct bench_run *run, int error)
{
	cmpxchg(&run->error, 0, error);
	WRITE_ONCE(run->stop, true);
}

/*
 * Wait for all threads; return in all of them at the same moment and with the
 * same answer: whether the run goes on.
 */
static bool run_barrier(struct bench_run *run)
{
	/* Cannot change before this thread has arrived. */
	unsigned int gate = READ_ONCE(run->gate);

	/* Full barriers: the last to arrive sees what all others wrote before. */
	if (atomic_inc_return(&run->nr_arrived) == run->nr_workers) {
		atomic_set(&run->nr_arrived, 0);
		run->go_on = !run_stopped(run);
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

static void worker_check_cpu(struct bench_worker *w)
{
	if (raw_smp_processor_id() != w->cpu)
		run_abort(w->run, -ENODEV);
}

/* How many of @left operations make the next window. */
static u32 window_ops(const struct bench_worker *w, u32 left)
{
	u32 fit = WINDOW_BYTES / max_t(u32, w->job.size, 1);

	return min3(left, (u32)WINDOW_OPS, max(fit, 1U));
}

static void phase_start(struct bench_worker *w)
{
	w->job.ticks = 0;
	w->job.ns = 0;
}

static void phase_end(struct bench_worker *w, unsigned int phase, u32 round)
{
	w->ticks[phase][round] = w->job.ticks;
	w->ns[phase][round] = w->job.ns;
	worker_check_cpu(w);
}

static void pair_phase(struct bench_worker *w)
{
	u32 total = w->run->b->nr_objects;
	u32 done, n;

	for (done = 0; done < total && !run_stopped(w->run); done += n) {
		n = window_ops(w, total - done);
		w->run->loops->pair(&w->job, n);
		cond_resched();
	}
}

static u32 bulk_nr_calls(const struct gospan_bench *b)
{
	return max_t(u32, DIV_ROUND_UP(GOSPAN_BENCH_BULK_OBJECTS, b->nr_objects),
		     GOSPAN_BENCH_BULK_CALLS);
}

static void bulk_phase(struct bench_worker *w)
{
	u32 nr_call = w->job.nr_call, total = bulk_nr_calls(w->run->b);
	u32 done, n;

	for (done = 0; done < total && !run_stopped(w->run); done += n) {
		n = clamp(window_ops(w, U32_MAX) / nr_call, 1U, total - done);
		w->run->loops->bulk(&w->job, n);
		cond_resched();
	}
}

static void write_phase(struct bench_worker *w)
{
	u32 total = w->run->b->nr_objects;
	u32 done, n;

	for (done = 0; done < total && !run_stopped(w->run); done += n) {
		n = min(total - done, (u32)WINDOW_OPS);
		w->run->loops->write(&w->job, n);
		cond_resched();
	}
}

static void alloc_phase(struct bench_worker *w)
{
	u32 total = w->run->b->nr_objects;
	u32 done, n;

	w->job.nr_live = 0;
	for (done = 0; done < total && !run_stopped(w->run); done += n) {
		n = window_ops(w, total - done);
		w->run->loops->alloc(&w->job, n);
		cond_resched();
	}
}

/* Frees everything, even in a run that stops. */
static void free_phase(struct bench_worker *w)
{
	const struct gospan_bench_job *source = &w->source->job;
	u32 done, n;

	for (done = 0; done < source->nr_live; done += n) {
		n = window_ops(w, source->nr_live - done);
		w->run->loops->free(&w->job, source->objects + done, n);
		cond_resched();
	}
}

/* Run the stream up to @limit; returns how far it came. */
static u32 mix_phase(struct bench_worker *w, u32 limit)
{
	u32 done, n;

	for (done = 0; done < limit && !run_stopped(w->run); done += n) {
		n = window_ops(w, limit - done);
		w->run->loops->mix(&w->job, done, n);
		cond_resched();
	}
	return done;
}

/* Free what lives after @done steps of the stream. */
static void mix_drain(struct bench_worker *w, u32 done)
{
	void **objects = w->job.objects;
	u32 i;

	gospan_mix_replay(&w->mix, done);
	for (i = 0; i < GOSPAN_MIX_MAX_LIVE; i++) {
		if (!objects[i])
			continue;
		w->job.order = get_order(w->mix.slot_bytes[i]);
		w->run->loops->free(&w->job, &objects[i], 1);
		objects[i] = NULL;
	}
}

static void pair_round(struct bench_worker *w, u32 round)
{
	phase_start(w);
	pair_phase(w);
	phase_end(w, 0, round);
}

static void bulk_round(struct bench_worker *w, u32 round)
{
	phase_start(w);
	bulk_phase(w);
	phase_end(w, 0, round);
}

/* Allocate, and give each CPU one of the objects that lie closest together. */
static void place_neighbours(struct bench_run *run, struct gospan_bench_job *job)
{
	u32 i, first;

	job->nr_live = 0;
	run->loops->alloc(job, run->nr_workers * GOSPAN_BENCH_CANDIDATES);
	if (job->nr_live < run->nr_workers) {
		run_abort(run, -ENOMEM);
		return;
	}
	first = gospan_bench_closest(job->objects, job->nr_live, run->nr_workers);
	for (i = 0; i < run->nr_workers; i++)
		run->worker[i].job.own = job->objects[first + i];
}

static void write_round(struct bench_worker *w, u32 round)
{
	struct bench_run *run = w->run;
	bool places = w == run->worker;

	if (places)
		place_neighbours(run, &w->job);
	run_barrier(run);
	phase_start(w);
	write_phase(w);
	phase_end(w, 0, round);
	/* Nobody writes any more. */
	run_barrier(run);
	if (places)
		run->loops->free(&w->job, w->job.objects, w->job.nr_live);
}

static void mix_round(struct bench_worker *w, u32 round)
{
	u32 done;

	phase_start(w);
	done = mix_phase(w, w->mix.nr_ops);
	phase_end(w, 0, round);
	mix_drain(w, done);
}

/* BATCH and REMOTE differ in who frees. */
static void batch_round(struct bench_worker *w, u32 round)
{
	struct bench_run *run = w->run;

	if (w->allocates) {
		phase_start(w);
		alloc_phase(w);
		phase_end(w, 0, round);
	}
	/* All is allocated, and nobody but this thread looks at its source. */
	run_barrier(run);
	if (w->source)
		gospan_bench_reorder(w->source->job.objects, w->source->job.nr_live,
				     run->b->order, &w->rnd);
	run_barrier(run);
	if (w->source) {
		phase_start(w);
		free_phase(w);
		phase_end(w, 1, round);
	}
}

static void worker_round(struct bench_worker *w, u32 round)
{
	switch (w->run->b->workload) {
	case GOSPAN_WORKLOAD_PAIR:
		pair_round(w, round);
		break;
	case GOSPAN_WORKLOAD_MIX:
		mix_round(w, round);
		break;
	case GOSPAN_WORKLOAD_BULK:
		bulk_round(w, round);
		break;
	case GOSPAN_WORKLOAD_WRITE:
		write_round(w, round);
		break;
	default:
		batch_round(w, round);
	}
}

/* Run the stream once more, up to its peak, and see what its objects occupy. */
static void mix_weigh(struct bench_worker *w)
{
	struct bench_run *run = w->run;
	u32 done = mix_phase(w, w->mix.nr_at_peak);

	gospan_mix_replay(&w->mix, done);
	gospan_mix_measure(&w->mix, run->b->allocator, w->job.objects,
			   run->extents + (w - run->worker) * GOSPAN_MIX_MAX_LIVE,
			   &w->usage);
	/* Nothing is freed, to be found at the same place by another, before. */
	run_barrier(run);
	mix_drain(w, done);
}

static void *worker_table(const struct bench_worker *w, size_t n, size_t size)
{
	return kvzalloc_node(n * size, BENCH_GFP, cpu_to_node(w->cpu));
}

/* Objects that the worker has at once. */
static size_t worker_nr_objects(const struct bench_worker *w)
{
	const struct bench_run *run = w->run;

	switch (run->b->workload) {
	case GOSPAN_WORKLOAD_PAIR:
		return 0;
	case GOSPAN_WORKLOAD_MIX:
		return GOSPAN_MIX_MAX_LIVE;
	case GOSPAN_WORKLOAD_WRITE:
		return w == run->worker ? run->nr_workers * GOSPAN_BENCH_CANDIDATES : 0;
	default:
		return w->allocates ? run->b->nr_objects : 0;
	}
}

static int worker_init(struct bench_worker *w)
{
	const struct gospan_bench *b = w->run->b;
	size_t nr_objects = worker_nr_objects(w);
	u64 seed = b->seed + w->cpu;
	unsigned int i;

	prandom_seed_state(&w->rnd, seed);
	w->job.size = b->size;
	w->job.gfp = BENCH_GFP | (b->flags & GOSPAN_BENCH_ZERO ? __GFP_ZERO : 0);
	w->job.order = get_order(b->size);
	w->job.npages = gospan_bytes_to_npages(b->size);
	w->job.kmem_cache = w->run->kmem_cache;
	w->job.cache = w->run->cache;
	w->job.nr_call = b->nr_objects;
	for (i = 0; i < GOSPAN_BENCH_NR_PHASES; i++) {
		w->ticks[i] = worker_table(w, b->rounds, sizeof(u64));
		w->ns[i] = worker_table(w, b->rounds, sizeof(u64));
		if (!w->ticks[i] || !w->ns[i])
			return -ENOMEM;
	}
	if (!nr_objects)
		return 0;
	if (b->workload == GOSPAN_WORKLOAD_MIX) {
		int err = gospan_mix_init(&w->mix, b->nr_objects, seed, BENCH_GFP,
					  cpu_to_node(w->cpu));

		if (err)
			return err;
		w->job.ops = w->mix.ops;
	}
	w->job.objects = worker_table(w, nr_objects, sizeof(void *));
	return w->job.objects ? 0 : -ENOMEM;
}

static void worker_destroy(struct bench_worker *w)
{
	unsigned int i;

	gospan_mix_destroy(&w->mix);
	kvfree(w->job.objects);
	for (i = 0; i < GOSPAN_BENCH_NR_PHASES; i++) {
		kvfree(w->ticks[i]);
		kvfree(w->ns[i]);
	}
}

static void worker_report(struct bench_worker *w)
{
	const struct gospan_bench *b = w->run->b;
	struct gospan_bench_cpu *result = w->result;
	bool has_phase[GOSPAN_BENCH_NR_PHASES] = { w->allocates, w->source };
	unsigned int i;

	*result = (struct gospan_bench_cpu){
		.cpu = w->cpu,
		.failures = w->job.failures,
	};
	for (i = 0; i < GOSPAN_BENCH_NR_PHASES; i++) {
		struct gospan_bench_phase *phase = &result->phase[i];

		if (!has_phase[i])
			continue;
		gospan_bench_summarize(w->ticks[i], b->rounds, &phase->ticks_min,
				       &phase->ticks_median);
		gospan_bench_summarize(w->ns[i], b->rounds, &phase->ns_min,
				       &phase->ns_median);
		phase->ops = b->nr_objects;
		if (b->workload == GOSPAN_WORKLOAD_BULK)
			phase->ops *= bulk_nr_calls(b);
	}
}

static int worker_thread(void *data)
{
	struct bench_worker *w = data;
	struct bench_run *run = w->run;
	int err = worker_init(w);
	u32 round;

	if (err)
		run_abort(run, err);
	for (round = 0; round < run->b->rounds && run_barrier(run); round++)
		worker_round(w, round);
	/* Also the moment from which nobody frees another's objects. */
	if (run_barrier(run)) {
		if (run->b->workload == GOSPAN_WORKLOAD_MIX)
			mix_weigh(w);
		worker_report(w);
	}
	worker_destroy(w);
	if (atomic_dec_and_test(&run->nr_running))
		complete(&run->done);
	return 0;
}

/* Who allocates, who frees: all for themselves, or by pairs for REMOTE. */
static void run_assign(struct bench_run *run, struct gospan_bench_cpu *results)
{
	bool remote = run->b->workload == GOSPAN_WORKLOAD_REMOTE;
	bool batch = run->b->workload == GOSPAN_WORKLOAD_BATCH;
	unsigned int cpu = 0;
	unsigned int i;

	for (i = 0; i < run->nr_workers; i++, cpu++) {
		struct bench_worker *w = &run->worker[i];

		while (!gospan_bench_has_cpu(run->b, cpu))
			cpu++;
		w->run = run;
		w->cpu = cpu;
		w->result = &results[i];
		w->allocates = !remote || i % 2 == 0;
		if (batch)
			w->source = w;
		else if (remote && i % 2)
			w->source = w - 1;
	}
}

static void run_end_threads(struct bench_run *run)
{
	unsigned int i;

	/* Returns when the thread has left the module's text. */
	for (i = 0; i < run->nr_workers && run->worker[i].task; i++) {
		kthread_stop(run->worker[i].task);
		put_task_struct(run->worker[i].task);
	}
}

/* All or none, so that no thread waits at a barrier for one that never was. */
static int run_create_threads(struct bench_run *run)
{
	unsigned int i;

	for (i = 0; i < run->nr_workers; i++) {
		struct bench_worker *w = &run->worker[i];
		struct task_struct *task;

		task = kthread_create_on_cpu(worker_thread, w, w->cpu, "gospan_bench/%u");
		if (IS_ERR(task)) {
			run_end_threads(run);
			return PTR_ERR(task);
		}
		w->task = get_task_struct(task);
	}
	return 0;
}

static int run_threads(struct bench_run *run)
{
	unsigned int i;
	int err;

	err = run_create_threads(run);
	if (err)
		return err;
	for (i = 0; i < run->nr_workers; i++)
		wake_up_process(run->worker[i].task);
	if (wait_for_completion_interruptible(&run->done)) {
		run_abort(run, -EINTR);
		wait_for_completion(&run->done);
	}
	run_end_threads(run);
	return run->error;
}

/* Returns -ENOMEM, or -EINTR after a signal. */
static struct bench_run *run_create(const struct gospan_bench *b, unsigned int nr_workers)
{
	struct bench_run *run;
	int err = -ENOMEM;

	run = kvzalloc(struct_size(run, worker, nr_workers), BENCH_GFP);
	if (!run)
		return ERR_PTR(err);
	run->b = b;
	run->loops = &gospan_bench_loops[b->allocator];
	run->nr_workers = nr_workers;
	init_completion(&run->done);
	init_waitqueue_head(&run->wait);
	atomic_set(&run->nr_running, nr_workers);
	if (b->workload == GOSPAN_WORKLOAD_MIX) {
		run->extents = kvcalloc(nr_workers * GOSPAN_MIX_MAX_LIVE,
					sizeof(*run->extents), BENCH_GFP);
		if (!run->extents)
			goto err_free_run;
	}
	if (b->held_pages) {
		run->held = gospan_bench_hold(b, BENCH_GFP);
		if (IS_ERR(run->held)) {
			err = PTR_ERR(run->held);
			goto err_free_extents;
		}
	}
	if (b->allocator == GOSPAN_ALLOCATOR_KMEM_CACHE) {
		run->kmem_cache = kmem_cache_create("gospan_bench", b->size, 0, SLAB_NO_MERGE,
						    NULL);
		if (!run->kmem_cache)
			goto err_unhold;
	}
	if (b->allocator == GOSPAN_ALLOCATOR_CACHE) {
		run->cache = gospan_cache_create("gospan_bench", b->size, 0, 0, NULL);
		if (!run->cache)
			goto err_unhold;
	}
	return run;

err_unhold:
	gospan_bench_unhold(run->held);
err_free_extents:
	kvfree(run->extents);
err_free_run:
	kvfree(run);
	return ERR_PTR(err);
}

static void run_destroy(struct bench_run *run)
{
	kmem_cache_destroy(run->kmem_cache);
	gospan_cache_destroy(run->cache);
	gospan_bench_unhold(run->held);
	kvfree(run->extents);
	kvfree(run);
}

static void run_report_usage(struct bench_run *run, struct gospan_bench *b)
{
	unsigned int i;

	for (i = 0; i < run->nr_workers; i++) {
		b->bytes_asked += run->worker[i].usage.asked;
		b->bytes_rounded += run->worker[i].usage.rounded;
	}
	if (run->extents)
		b->bytes_held = gospan_extent_add_up(run->extents, run->nr_workers *
						     GOSPAN_MIX_MAX_LIVE).bytes;
}

/**
 * gospan_bench_run() - run a benchmark
 * @b: what to do; its bytes_* are filled in
 * @results: as many as there are CPUs in @b; filled in if it succeeds
 *
 * Context: Task. Sleeps until all rounds are done or a signal is pending.
 * Return: 0, what gospan_bench_check() finds wrong, -ENODEV when a CPU went
 * offline meanwhile, -ENOMEM (too large for this machine, too), or -EINTR
 * after a signal. Nothing that was allocated is left in any case.
 */
int gospan_bench_run(struct gospan_bench *b, struct gospan_bench_cpu *results)
{
	int nr_cpus = gospan_bench_check(b);
	struct bench_run *run;
	int err;

	if (nr_cpus < 0)
		return nr_cpus;
	if (!gospan_bench_fits(b, nr_cpus))
		return -ENOMEM;
	run = run_create(b, nr_cpus);
	if (IS_ERR(run))
		return PTR_ERR(run);
	run_assign(run, results);
	err = run_threads(run);
	b->bytes_asked = 0;
	b->bytes_rounded = 0;
	b->bytes_held = 0;
	if (!err)
		run_report_usage(run, b);
	run_destroy(run);
	return err;
}
