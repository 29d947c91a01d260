// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmarks that write to their objects: what it costs where two CPUs' lie in one
 * cache line.
 */

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include "bench_order.h"
#include "bench_worker.h"

/* Objects that are allocated for each CPU, to have neighbours among them. */
#define CANDIDATES	32U
/* Writes until others may run. */
#define WINDOW_WRITES	4096U

/* The first CPU allocates for all. */
static u32 write_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return idx ? 0 : nr_cpus * CANDIDATES;
}

static int write_init(struct gospan_bench_worker *w)
{
	w->ops[0] = w->run->b->nr_objects;
	return 0;
}

/* Allocate, and give each CPU one of the objects that lie closest together. */
static void place_neighbours(struct gospan_bench_worker *w)
{
	struct gospan_bench_run *run = w->run;
	u32 i, first;

	w->job.nr_live = 0;
	run->loops->alloc(&w->job, w->nr_table);
	if (w->job.nr_live < run->nr_workers) {
		gospan_bench_abort(run, -ENOMEM);
		return;
	}
	first = gospan_bench_closest(w->job.objects, w->job.nr_live, run->nr_workers);
	for (i = 0; i < run->nr_workers; i++)
		run->worker[i].job.own = w->job.objects[first + i];
}

static void write_own(struct gospan_bench_worker *w, u32 total)
{
	u32 done, n;

	for (done = 0; done < total && !gospan_bench_stopped(w->run); done += n) {
		n = min(total - done, WINDOW_WRITES);
		w->run->loops->write(&w->job, n);
		cond_resched();
	}
}

static void write_round(struct gospan_bench_worker *w, u32 round)
{
	struct gospan_bench_run *run = w->run;

	if (w->nr_table)
		place_neighbours(w);
	gospan_bench_barrier(run);
	gospan_bench_phase_start(w, 0);
	write_own(w, run->b->nr_objects);
	gospan_bench_phase_end(w, 0, round);
	/* Nobody writes any more. */
	gospan_bench_barrier(run);
	if (w->nr_table)
		run->loops->free(&w->job, w->job.objects, w->job.nr_live);
}

const struct gospan_bench_shape gospan_bench_write = {
	.allocators = GOSPAN_CAN_WRITE,
	.fields = GOSPAN_TAKES_SIZE,
	.cpus_multiple = 1,
	.nr_live = write_nr_live,
	.init = write_init,
	.round = write_round,
};
