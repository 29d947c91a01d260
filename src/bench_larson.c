// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "larson": a server whose requests begin on one CPU and end on another.
 *
 * After P. Larson and M. Krishnan, "Memory Allocation for Long-Running Server
 * Applications" (1998): each thread owns a table of objects, frees one at random and
 * allocates another of a random size in its place; when it ends it leaves its table
 * to the next thread. Here a table goes to the next CPU.
 */

#include <linux/kernel.h>
#include <linux/prandom.h>
#include "bench_stream.h"

#define NR_SLOTS	1000
#define MIN_BYTES	8
#define MAX_BYTES	1000
#define NR_TURNS	4

static u32 larson_bytes(struct gospan_bench_worker *w)
{
	return MIN_BYTES + reciprocal_scale(prandom_u32_state(&w->rnd), MAX_BYTES - MIN_BYTES + 1);
}

static void larson_draw(struct gospan_bench_worker *w)
{
	u32 slot = reciprocal_scale(prandom_u32_state(&w->rnd), NR_SLOTS);

	gospan_stream_free(w->own, slot);
	gospan_stream_alloc(w->own, slot, larson_bytes(w));
}

static const struct gospan_stream_kind larson = {
	.nr_slots = NR_SLOTS,
	.nr_filled = NR_SLOTS,
	.steps_per_op = 2,
	.ops_per_draw = 1,
	.nr_turns = NR_TURNS,
	.fill = larson_bytes,
	.draw = larson_draw,
};

const struct gospan_bench_shape gospan_bench_larson = GOSPAN_STREAM_SHAPE(larson);
