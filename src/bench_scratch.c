// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workloads "cache-thrash" and "cache-scratch": does an allocator make CPUs share
 * cache lines?
 *
 * After the two benchmarks of E. Berger et al., "Hoard: A Scalable Memory Allocator for
 * Multithreaded Applications" (2000). Each CPU allocates an object, writes to it many
 * times, frees it, and so on. Cache-thrash: an allocator shares actively when it gives
 * parts of one line to two CPUs. Cache-scratch: before, each CPU frees one of several
 * neighbours that the first CPU allocated; an allocator shares passively when it gives
 * it back to the CPU that freed it.
 *
 * Only the writes are timed.
 */

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "bench_order.h"
#include "bench_worker.h"

/* Writes to an object until it is freed. */
#define WRITES_PER_OBJECT	1000U

static int scratch_init(struct gospan_bench_worker *w)
{
	w->ops[0] = w->run->b->nr_objects;
	return 0;
}

static void write_to_own(struct gospan_bench_worker *w, u32 n)
{
	w->job.own = w->job.calls->alloc(&w->job, w->job.size);
	if (!w->job.own) {
		w->job.failures++;
		return;
	}
	w->run->loops->write(&w->job, n);
	w->job.calls->free(&w->job, w->job.own, w->job.size);
}

static void thrash_round(struct gospan_bench_worker *w, u32 round)
{
	u32 total = w->run->b->nr_objects;
	u32 done, n;

	gospan_bench_barrier(w->run);
	gospan_bench_phase_start(w, 0);
	for (done = 0; done < total && !gospan_bench_stopped(w->run); done += n) {
		n = min(total - done, WRITES_PER_OBJECT);
		write_to_own(w, n);
		cond_resched();
	}
	gospan_bench_phase_end(w, 0, round);
}

static u32 thrash_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return 1;
}

const struct gospan_bench_shape gospan_bench_thrash = {
	.allocators = GOSPAN_CAN_WRITE,
	.fields = GOSPAN_TAKES_SIZE,
	.cpus_multiple = 1,
	.nr_live = thrash_nr_live,
	.init = scratch_init,
	.round = thrash_round,
};

/* Allocated for each CPU, to have neighbours among them whatever was cached. */
#define CANDIDATES	32U

/* One for each CPU, those that lie closest together; the others are freed. */
static void allocate_for_all(struct gospan_bench_worker *w)
{
	u32 nr_cpus = w->run->nr_workers, nr = 0, first, i;

	for (i = 0; i < w->nr_table; i++) {
		void *p = w->job.calls->alloc(&w->job, w->job.size);

		if (p)
			w->table[nr++] = p;
		else
			w->job.failures++;
	}
	if (nr < nr_cpus) {
		gospan_bench_abort(w->run, -ENOMEM);
		memset(w->table + nr, 0, (w->nr_table - nr) * sizeof(void *));
		return;
	}
	first = gospan_bench_closest(w->table, nr, nr_cpus);
	for (i = 0; i < nr_cpus; i++)
		swap(w->table[i], w->table[first + i]);
	for (i = nr_cpus; i < nr; i++)
		w->job.calls->free(&w->job, w->table[i], w->job.size);
}

static void scratch_round(struct gospan_bench_worker *w, u32 round)
{
	void **given = w->run->worker->table + w->idx;

	if (!w->idx)
		allocate_for_all(w);
	gospan_bench_barrier(w->run);
	if (*given)
		w->job.calls->free(&w->job, *given, w->job.size);
	thrash_round(w, round);
}

static u32 scratch_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return idx ? 1 : nr_cpus * CANDIDATES;
}

const struct gospan_bench_shape gospan_bench_scratch = {
	.allocators = GOSPAN_CAN_WRITE,
	.fields = GOSPAN_TAKES_SIZE,
	.cpus_multiple = 1,
	.nr_live = scratch_nr_live,
	.init = scratch_init,
	.round = scratch_round,
};
