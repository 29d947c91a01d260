// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "cycle": n objects are allocated, then all freed, again and again.
 *
 * With few objects this is the pattern of a queue that fills and empties: n decides
 * whether caches per CPU hold what goes back and forth. With many, on all CPUs, it is
 * threadtest of E. Berger et al., "Hoard: A Scalable Memory Allocator for Multithreaded
 * Applications" (2000).
 */

#include <linux/kernel.h>
#include <linux/minmax.h>
#include "bench_worker.h"

/* Cycles of a round: as many as make so many objects, at least so many. */
#define OBJECTS	16384U
#define CYCLES	2U

static u32 nr_cycles(const struct gospan_bench *b)
{
	return max(DIV_ROUND_UP(OBJECTS, b->nr_objects), CYCLES);
}

static u32 cycle_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return b->nr_objects;
}

static int cycle_init(struct gospan_bench_worker *w)
{
	w->ops[0] = (u64)w->run->b->nr_objects * nr_cycles(w->run->b);
	return 0;
}

/* Weighed when the first cycle is full. */
static void cycle_round(struct gospan_bench_worker *w, u32 round)
{
	u32 left = nr_cycles(w->run->b);

	gospan_bench_phase_start(w, 0);
	gospan_bench_alloc_all(w, w->nr_table);
	gospan_bench_weigh(w, NULL, w->job.nr_live);
	gospan_bench_free_all(w, w->table, w->job.nr_live);
	while (--left && !gospan_bench_stopped(w->run)) {
		gospan_bench_alloc_all(w, w->nr_table);
		gospan_bench_free_all(w, w->table, w->job.nr_live);
	}
	gospan_bench_phase_end(w, 0, round);
}

const struct gospan_bench_shape gospan_bench_cycle = {
	.allocators = GOSPAN_CAN_ALL,
	.fields = GOSPAN_TAKES_SIZE | GOSPAN_TAKES_LATENCY,
	.cpus_multiple = 1,
	.nr_live = cycle_nr_live,
	.init = cycle_init,
	.round = cycle_round,
};
