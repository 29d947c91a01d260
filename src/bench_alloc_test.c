// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "alloc-test": few sizes and slots are popular, most are not.
 *
 * After S. Ignatchenko's alloc-test (2018): sizes and places follow a Pareto
 * distribution, so that most objects are small and short-lived, and the few large and
 * old ones matter. A step looks at one slot: what is there is freed, else something is
 * allocated.
 */

#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include "bench_stream.h"

#define NR_SLOTS	4096
#define MIN_BYTES	8
#define MAX_BYTES	8192

/*
 * Pareto of shape 1: half of all values are below 2 * @min, a quarter below 4 * @min
 * again, and so on; @max takes the tail.
 */
static u32 pareto(struct gospan_bench_worker *w, u32 min, u32 max)
{
	u32 uniform = max(prandom_u32_state(&w->rnd) >> 16, 1U);

	return min(min * (u32)BIT(16) / uniform, max);
}

/* Where popular slots lie must not matter: an odd factor scatters them. */
static u32 popular_slot(struct gospan_bench_worker *w)
{
	u32 rank = pareto(w, 16, NR_SLOTS + 15) - 16;

	return rank * 1103 % NR_SLOTS;
}

static void alloc_test_draw(struct gospan_bench_worker *w)
{
	struct gospan_stream *s = w->own;
	u32 slot = popular_slot(w);

	if (s->slot_bytes[slot])
		gospan_stream_free(s, slot);
	else
		gospan_stream_alloc(s, slot, pareto(w, MIN_BYTES, MAX_BYTES));
}

static const struct gospan_stream_kind alloc_test = {
	.nr_slots = NR_SLOTS,
	.steps_per_op = 1,
	.ops_per_draw = 1,
	.nr_turns = 1,
	.draw = alloc_test_draw,
};

const struct gospan_bench_shape gospan_bench_alloc_test = GOSPAN_STREAM_SHAPE(alloc_test);
