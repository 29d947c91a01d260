// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "mstress": phases of work, and objects that outlive them.
 *
 * After the mstress of mimalloc-bench, as it is described there: servers' work, in
 * phases; objects of powers of two, some of which live on through phases and are freed
 * by other threads than those that allocated them; not all threads have the same to do.
 * There threads end with a phase and new ones begin. Here survivors go to the next CPU,
 * and it is CPUs that may end: objects of one that goes offline are freed by the others.
 */

#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/prandom.h>
#include "bench_stream.h"

#define MIN_BYTES	8
#define MAX_LOG2	9	/* MIN_BYTES << that is the largest: 4096 */
#define NR_SURVIVORS	128
/* Allocated in a phase and freed in it; a power of two. */
#define NR_LOCAL	512
/* With so many of them one survivor is replaced. */
#define LOCAL_PER_SURVIVOR	4

/* Each power of two half as often as the one below. */
static u32 random_bytes(struct gospan_bench_worker *w)
{
	return MIN_BYTES << __ffs(prandom_u32_state(&w->rnd) | BIT(MAX_LOG2));
}

/* One of them at random: some live for a phase, some for many. */
static void replace_survivor(struct gospan_bench_worker *w)
{
	u32 slot = reciprocal_scale(prandom_u32_state(&w->rnd), NR_SURVIVORS);

	gospan_stream_free(w->own, slot);
	gospan_stream_alloc(w->own, slot, random_bytes(w));
}

/* Up to @height objects and down again, freed in another order. */
static void draw_wave(struct gospan_bench_worker *w, u32 height)
{
	u32 dice = prandom_u32_state(&w->rnd);
	u32 i;

	for (i = 0; i < height; i++) {
		gospan_stream_alloc(w->own, NR_SURVIVORS + i, random_bytes(w));
		if (i % LOCAL_PER_SURVIVOR == 0)
			replace_survivor(w);
	}
	/* An odd factor makes each come once. */
	for (i = 0; i < height; i++)
		gospan_stream_free(w->own, NR_SURVIVORS + (i * (dice | 1)) % height);
}

/* A phase. The CPUs have waves of different height, and as many objects in all. */
static void mstress_draw(struct gospan_bench_worker *w)
{
	u32 nr_waves = BIT(w->idx % 3);
	u32 i;

	for (i = 0; i < nr_waves; i++)
		draw_wave(w, NR_LOCAL / nr_waves);
}

static const struct gospan_stream_kind mstress = {
	.nr_slots = NR_SURVIVORS + NR_LOCAL,
	.nr_filled = NR_SURVIVORS,
	.nr_crossing = NR_SURVIVORS,
	.steps_per_op = 2,
	.ops_per_draw = NR_LOCAL + NR_LOCAL / LOCAL_PER_SURVIVOR,
	.fill = random_bytes,
	.draw = mstress_draw,
};

const struct gospan_bench_shape gospan_bench_mstress = GOSPAN_STREAM_SHAPE(mstress);
