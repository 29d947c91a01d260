// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmarks inside the kernel: the same work for gospan and for the kernel's
 * own allocators, on chosen CPUs, in one boot.
 *
 * One kthread per CPU, bound to it, sets up its own tables and then runs the
 * rounds of the workload (struct gospan_bench_shape), in step with the others
 * (bench_worker.c); and when memory is to be weighed one more, of which no
 * duration counts.
 */

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "bench.h"
#include "bench_extent.h"
#include "bench_held.h"
#include "bench_limit.h"
#include "bench_worker.h"
#include "compat.h"

static void worker_rounds(struct gospan_bench_worker *w)
{
	struct gospan_bench_run *run = w->run;
	u32 round;

	for (round = 0; round < run->b->rounds && gospan_bench_barrier(run); round++)
		run->shape->round(w, round);
	if (run->extents && gospan_bench_barrier(run)) {
		w->weighing = true;
		run->shape->round(w, round);
	}
}

static int worker_thread(void *data)
{
	struct gospan_bench_worker *w = data;
	struct gospan_bench_run *run = w->run;
	int err = gospan_bench_worker_init(w);

	if (err)
		gospan_bench_abort(run, err);
	worker_rounds(w);
	/* Also the moment from which nobody frees another's objects. */
	if (gospan_bench_barrier(run))
		gospan_bench_worker_report(w);
	gospan_bench_worker_destroy(w);
	if (atomic_dec_and_test(&run->nr_running))
		complete(&run->done);
	return 0;
}

/* Give each worker its CPU, its part of the results and of the extents. */
static void run_assign(struct gospan_bench_run *run, struct gospan_bench_cpu *results)
{
	u64 nr_extents = 0;
	unsigned int cpu = 0;
	unsigned int i;

	for (i = 0; i < run->nr_workers; i++, cpu++) {
		struct gospan_bench_worker *w = &run->worker[i];

		while (!gospan_bench_has_cpu(run->b, cpu))
			cpu++;
		w->run = run;
		w->cpu = cpu;
		w->idx = i;
		w->result = &results[i];
		w->nr_table = run->shape->nr_live(run->b, run->nr_workers, i);
		if (run->extents)
			w->extents = run->extents + nr_extents;
		nr_extents += w->nr_table;
	}
}

static void run_end_threads(struct gospan_bench_run *run)
{
	unsigned int i;

	/* Returns when the thread has left the module's text. */
	for (i = 0; i < run->nr_workers && run->worker[i].task; i++) {
		kthread_stop(run->worker[i].task);
		put_task_struct(run->worker[i].task);
	}
}

/* All or none, so that no thread waits at a barrier for one that never was. */
static int run_create_threads(struct gospan_bench_run *run)
{
	unsigned int i;

	for (i = 0; i < run->nr_workers; i++) {
		struct gospan_bench_worker *w = &run->worker[i];
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

static int run_threads(struct gospan_bench_run *run)
{
	unsigned int i;
	int err;

	err = run_create_threads(run);
	if (err)
		return err;
	for (i = 0; i < run->nr_workers; i++)
		wake_up_process(run->worker[i].task);
	if (wait_for_completion_interruptible(&run->done)) {
		gospan_bench_abort(run, -EINTR);
		wait_for_completion(&run->done);
	}
	run_end_threads(run);
	return run->error;
}

/* A place for each object that is live at once; none unless they are to be weighed. */
static int run_make_extents(struct gospan_bench_run *run)
{
	unsigned int i;

	if (!(run->b->flags & GOSPAN_BENCH_WEIGH))
		return 0;
	for (i = 0; i < run->nr_workers; i++)
		run->nr_extents += run->shape->nr_live(run->b, run->nr_workers, i);
	run->extents = kvcalloc(run->nr_extents, sizeof(*run->extents), GOSPAN_BENCH_GFP);
	return run->extents ? 0 : -ENOMEM;
}

/* What each CPU's array must hold so that it need not start again from its end. */
static int run_make_limits(struct gospan_bench_run *run)
{
	u32 nr = 1;
	unsigned int i, cpu;
	int err = 0;

	if (run->b->allocator != GOSPAN_ALLOCATOR_LIMIT)
		return 0;
	for (i = 0; i < run->nr_workers; i++)
		nr = max(nr, run->shape->nr_live(run->b, run->nr_workers, i));
	/* A thread that was moved to another CPU allocates there. */
	for_each_possible_cpu(cpu) {
		bool is_chosen = gospan_bench_has_cpu(run->b, cpu);

		if (!err)
			err = gospan_bench_limit_init(cpu, is_chosen ? nr : 1, GOSPAN_BENCH_GFP);
	}
	return err;
}

static int run_make_cache(struct gospan_bench_run *run)
{
	const struct gospan_bench *b = run->b;

	if (b->allocator == GOSPAN_ALLOCATOR_KMEM_CACHE) {
		run->kmem_cache = kmem_cache_create("gospan_bench", b->size, 0, SLAB_NO_MERGE,
						    NULL);
		return run->kmem_cache ? 0 : -ENOMEM;
	}
	if (b->allocator == GOSPAN_ALLOCATOR_CACHE) {
		run->cache = gospan_cache_create("gospan_bench", b->size, 0, 0, NULL);
		return run->cache ? 0 : -ENOMEM;
	}
	return 0;
}

/* 0, -ENOMEM, or -EINTR after a signal; run_destroy() undoes it in any case. */
static int run_prepare(struct gospan_bench_run *run)
{
	int err;

	err = run_make_extents(run);
	if (err)
		return err;
	err = run_make_limits(run);
	if (err)
		return err;
	if (run->b->held_pages) {
		struct gospan_bench_held *held = gospan_bench_hold(run->b, GOSPAN_BENCH_GFP);

		if (IS_ERR(held))
			return PTR_ERR(held);
		run->held = held;
	}
	return run_make_cache(run);
}

static struct gospan_bench_run *run_create(const struct gospan_bench *b, unsigned int nr_workers)
{
	struct gospan_bench_run *run;

	run = kvzalloc(struct_size(run, worker, nr_workers), GOSPAN_BENCH_GFP);
	if (!run)
		return NULL;
	run->b = b;
	run->shape = gospan_bench_shape(b->workload);
	run->loops = b->flags & GOSPAN_BENCH_LATENCY ? &gospan_bench_timed_loops :
						       &gospan_bench_loops[b->allocator];
	run->nr_workers = nr_workers;
	init_completion(&run->done);
	init_waitqueue_head(&run->wait);
	atomic_set(&run->nr_running, nr_workers);
	return run;
}

static void run_destroy(struct gospan_bench_run *run)
{
	unsigned int cpu;

	kmem_cache_destroy(run->kmem_cache);
	gospan_cache_destroy(run->cache);
	gospan_bench_unhold(run->held);
	for_each_possible_cpu(cpu)
		gospan_bench_limit_destroy(cpu);
	kvfree(run->extents);
	kvfree(run);
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
	struct gospan_bench_run *run;
	int err;

	if (nr_cpus < 0)
		return nr_cpus;
	if (!gospan_bench_fits(b, nr_cpus))
		return -ENOMEM;
	run = run_create(b, nr_cpus);
	if (!run)
		return -ENOMEM;
	err = run_prepare(run);
	if (!err) {
		run_assign(run, results);
		err = run_threads(run);
	}
	b->bytes_asked = run->peak.asked;
	b->bytes_rounded = run->peak.rounded;
	b->bytes_held = run->peak.held;
	run_destroy(run);
	return err;
}
