// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "rptest": objects of very different sizes, some of which are freed on
 * another CPU.
 *
 * After M. Jansson's rpmalloc-benchmark, as its documentation describes it: threads
 * allocate and free blocks of random sizes in random order, hand a part of them to
 * other threads, and the memory used counts beside the speed. Small sizes are more
 * frequent than large ones (its "linear falloff"), over the range that mimalloc-bench
 * runs it with.
 */

#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include "bench_stream.h"

#define NR_SLOTS	1024
#define MIN_BYTES	8
#define MAX_BYTES	16000
/* One free in so many is of an object that another CPU allocated. */
#define CROSSING_OF	8
#define NR_CROSSING	64
#define OPS_PER_DRAW	(NR_CROSSING * CROSSING_OF)

/* The lesser of two: the probability of a size falls to nothing at MAX_BYTES. */
static u32 random_bytes(struct gospan_bench_worker *w)
{
	u32 dice = min(prandom_u32_state(&w->rnd), prandom_u32_state(&w->rnd));

	return MIN_BYTES + reciprocal_scale(dice, MAX_BYTES - MIN_BYTES + 1);
}

/* Each object that came from another CPU is freed once, the others are at random. */
static void rptest_draw(struct gospan_bench_worker *w)
{
	u32 i, slot;

	for (i = 0; i < OPS_PER_DRAW; i++) {
		if (i % CROSSING_OF)
			slot = NR_CROSSING + reciprocal_scale(prandom_u32_state(&w->rnd),
							      NR_SLOTS - NR_CROSSING);
		else
			slot = i / CROSSING_OF;
		gospan_stream_free(w->own, slot);
		gospan_stream_alloc(w->own, slot, random_bytes(w));
	}
}

static const struct gospan_stream_kind rptest = {
	.nr_slots = NR_SLOTS,
	.nr_filled = NR_SLOTS,
	.nr_crossing = NR_CROSSING,
	.steps_per_op = 2,
	.ops_per_draw = OPS_PER_DRAW,
	.fill = random_bytes,
	.draw = rptest_draw,
};

const struct gospan_bench_shape gospan_bench_rptest = GOSPAN_STREAM_SHAPE(rptest);
