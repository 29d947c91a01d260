// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "shbench": groups of equal objects, freed forwards and backwards.
 *
 * After MicroQuill's SmartHeap benchmarks sh6bench and sh8bench, as they are described
 * beside mimalloc-bench: blocks of many sizes are freed partly last in, first out, partly
 * the other way round; in sh8bench by other threads than those that allocated them. Here
 * an operation frees an object of an older group and allocates one for the group that
 * takes its place; tables change CPUs in the second half of a round.
 */

#include <linux/kernel.h>
#include <linux/prandom.h>
#include "bench_stream.h"

#define GROUP		16	/* objects of one size */
#define NR_GROUPS	64
#define MAX_BYTES	1000

static u32 random_bytes(struct gospan_bench_worker *w)
{
	return 1 + reciprocal_scale(prandom_u32_state(&w->rnd), MAX_BYTES);
}

/* A group at random goes, from its first object or from its last, and another comes. */
static void shbench_draw(struct gospan_bench_worker *w)
{
	u32 dice = prandom_u32_state(&w->rnd);
	u32 first = reciprocal_scale(dice, NR_GROUPS) * GROUP;
	u32 backwards = dice & 1 ? GROUP - 1 : 0;
	u32 bytes = random_bytes(w);
	u32 i;

	for (i = 0; i < GROUP; i++)
		gospan_stream_free(w->own, first + (i ^ backwards));
	for (i = 0; i < GROUP; i++)
		gospan_stream_alloc(w->own, first + i, bytes);
}

static const struct gospan_stream_kind shbench = {
	.nr_slots = NR_GROUPS * GROUP,
	.nr_filled = NR_GROUPS * GROUP,
	.steps_per_op = 2,
	.ops_per_draw = GROUP,
	.nr_turns = 2,
	.fill = random_bytes,
	.draw = shbench_draw,
};

const struct gospan_bench_shape gospan_bench_shbench = GOSPAN_STREAM_SHAPE(shbench);
