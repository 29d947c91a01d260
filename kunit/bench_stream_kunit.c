// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the benchmark's streams: what they draw can be done, on the own table and,
 * where slots change CPUs, on another's.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/bench.h"
#include "../src/bench_stream.h"
#include "helper.h"

#define NR_OBJECTS	3000U
#define NR_WORKERS	4U	/* some streams differ from CPU to CPU */

static const u32 streams[] = {
	GOSPAN_WORKLOAD_LARSON, GOSPAN_WORKLOAD_ALLOC_TEST, GOSPAN_WORKLOAD_SHBENCH,
	GOSPAN_WORKLOAD_RPTEST, GOSPAN_WORKLOAD_MSTRESS,
};

/* A worker's stream, and what its slots have after the steps done so far. */
struct table {
	struct gospan_bench b;
	struct gospan_bench_run run;
	struct gospan_bench_worker w;
	u32 *bytes;		/* by slot; 0: free */
	u32 *nr_frees;		/* by slot: since the last draw */
};

static void table_destroy(void *data)
{
	struct table *t = data;

	gospan_stream_destroy(&t->w);
}

static struct table *table_create(struct kunit *test, u32 workload, u32 idx)
{
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	const struct gospan_stream *s;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->b.workload = workload;
	t->b.nr_objects = NR_OBJECTS;
	t->run.b = &t->b;
	t->run.shape = gospan_bench_shape(workload);
	t->w.run = &t->run;
	t->w.idx = idx;
	prandom_seed_state(&t->w.rnd, idx);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, table_destroy, t), 0);
	KUNIT_ASSERT_EQ(test, gospan_stream_init(&t->w), 0);
	s = t->w.own;
	t->bytes = kunit_kcalloc(test, s->kind->nr_slots, sizeof(u32), GFP_KERNEL);
	t->nr_frees = kunit_kcalloc(test, s->kind->nr_slots, sizeof(u32), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, t->bytes && t->nr_frees);
	memcpy(t->bytes, s->filled_bytes, s->kind->nr_filled * sizeof(u32));
	return t;
}

/* What is freed is there, with the size that the step says; what is allocated is not. */
static void do_step(struct kunit *test, struct table *t, const struct gospan_mix_op *op)
{
	const struct gospan_stream *s = t->w.own;
	u32 bytes = op->size & ~GOSPAN_MIX_FREE;

	KUNIT_ASSERT_LT(test, op->slot, s->kind->nr_slots);
	KUNIT_ASSERT_GT(test, bytes, 0);
	if (op->size & GOSPAN_MIX_FREE) {
		KUNIT_ASSERT_EQ(test, t->bytes[op->slot], bytes);
		t->bytes[op->slot] = 0;
		t->nr_frees[op->slot]++;
	} else {
		KUNIT_ASSERT_EQ(test, t->bytes[op->slot], 0);
		t->bytes[op->slot] = bytes;
	}
}

/* Do the steps of one draw. */
static void do_draw(struct kunit *test, struct table *t, u32 draw)
{
	const struct gospan_stream *s = t->w.own;
	u32 nr = s->kind->ops_per_draw * s->kind->steps_per_op;
	u32 i;

	memset(t->nr_frees, 0, s->kind->nr_slots * sizeof(u32));
	for (i = 0; i < nr; i++)
		do_step(test, t, &s->ops[draw * nr + i]);
}

static u32 nr_draws(const struct table *t)
{
	const struct gospan_stream *s = t->w.own;

	return s->nr_ops / s->kind->ops_per_draw / s->kind->steps_per_op;
}

/* Slots [@from, @end) that have an object. */
static u32 nr_full(const struct table *t, u32 from, u32 end)
{
	u32 i, nr = 0;

	for (i = from; i < end; i++)
		nr += t->bytes[i] > 0;
	return nr;
}

/* Slots that change CPUs are full whenever they may; the steps fill what there is room for. */
static void draw_can_be_done(struct kunit *test)
{
	u32 i, idx, draw;

	for (i = 0; i < ARRAY_SIZE(streams); i++) {
		for (idx = 0; idx < NR_WORKERS; idx++) {
			struct table *t = table_create(test, streams[i], idx);
			const struct gospan_stream_kind *kind =
				((struct gospan_stream *)t->w.own)->kind;
			u32 nr_moving = kind->nr_turns > 1 ? kind->nr_slots : kind->nr_crossing;

			KUNIT_EXPECT_EQ(test, t->w.ops[0], nr_draws(t) * kind->ops_per_draw);
			KUNIT_EXPECT_GE(test, t->w.ops[0], NR_OBJECTS);
			for (draw = 0; draw < nr_draws(t); draw++) {
				do_draw(test, t, draw);
				KUNIT_ASSERT_EQ(test, nr_full(t, 0, nr_moving), nr_moving);
			}
		}
	}
}

/* Steps before the last turn. */
static u32 last_turn_begins(const struct table *t)
{
	const struct gospan_stream *s = t->w.own;
	u32 nr_turns = s->kind->nr_crossing ? nr_draws(t) : s->kind->nr_turns;

	return nr_draws(t) * (nr_turns - 1) / nr_turns *
	       s->kind->ops_per_draw * s->kind->steps_per_op;
}

/* The peak is where most bytes are asked for in the last turn. */
static void draw_finds_peak(struct kunit *test)
{
	u32 i, n, slot;

	for (i = 0; i < ARRAY_SIZE(streams); i++) {
		struct table *t = table_create(test, streams[i], 0);
		const struct gospan_stream *s = t->w.own;
		u32 begin = last_turn_begins(t);
		u64 bytes = 0, most = 0;
		u32 most_at = 0;

		for (slot = 0; slot < s->kind->nr_filled; slot++)
			bytes += t->bytes[slot];
		for (n = 0; n <= s->nr_ops; n++) {
			if (n >= begin && bytes > most) {
				most = bytes;
				most_at = n;
			}
			if (n < s->nr_ops)
				bytes += s->ops[n].size & GOSPAN_MIX_FREE ?
					 -(u64)(s->ops[n].size & ~GOSPAN_MIX_FREE) :
					 s->ops[n].size;
		}
		KUNIT_EXPECT_EQ(test, s->peak_bytes, most);
		KUNIT_EXPECT_EQ(test, s->nr_at_peak, most_at);
	}
}

/* An eighth of the frees is of what came from another CPU: each of these once. */
static void rptest_frees_what_crossed(struct kunit *test)
{
	struct table *t = table_create(test, GOSPAN_WORKLOAD_RPTEST, 0);
	const struct gospan_stream *s = t->w.own;
	u32 draw, slot;

	KUNIT_EXPECT_EQ(test, s->kind->ops_per_draw, 8 * s->kind->nr_crossing);
	for (draw = 0; draw < nr_draws(t); draw++) {
		do_draw(test, t, draw);
		for (slot = 0; slot < s->kind->nr_crossing; slot++)
			KUNIT_ASSERT_EQ(test, t->nr_frees[slot], 1);
	}
}

/* Take the sizes in the slots that cross from the next table, the last one from the first. */
static void cross(struct table **tables, u32 nr)
{
	u32 nr_crossing = ((struct gospan_stream *)tables[0]->w.own)->kind->nr_crossing;
	u32 i, slot;

	for (slot = 0; slot < nr_crossing; slot++) {
		u32 first = tables[0]->bytes[slot];

		for (i = 0; i + 1 < nr; i++)
			tables[i]->bytes[slot] = tables[i + 1]->bytes[slot];
		tables[nr - 1]->bytes[slot] = first;
	}
}

/* The bytes in all slots after steps up to each one's peak, crossing before each draw. */
static u64 asked_at_peak(struct table **tables, u32 nr)
{
	const struct gospan_stream *s = tables[0]->w.own;
	u32 per_draw = s->kind->ops_per_draw * s->kind->steps_per_op;
	u32 i, n, slot, draw;
	u64 asked = 0;

	for (draw = 0; draw < nr_draws(tables[0]); draw++) {
		cross(tables, nr);
		for (i = 0; i < nr; i++) {
			u32 end;

			s = tables[i]->w.own;
			end = min((draw + 1) * per_draw, s->nr_at_peak);
			for (n = draw * per_draw; n < end; n++)
				tables[i]->bytes[s->ops[n].slot] =
					s->ops[n].size & GOSPAN_MIX_FREE ? 0 : s->ops[n].size;
		}
	}
	for (i = 0; i < nr; i++) {
		for (slot = 0; slot < s->kind->nr_slots; slot++)
			asked += tables[i]->bytes[slot];
	}
	return asked;
}

/* Objects cross to other CPUs in the round that weighs, too; they used to stay at home. */
static void weigh_crosses(struct kunit *test)
{
	static const u32 crossing[] = { GOSPAN_WORKLOAD_RPTEST, GOSPAN_WORKLOAD_MSTRESS };
	u32 nr = min(num_online_cpus(), NR_WORKERS);
	u32 i, idx;

	for (i = 0; i < ARRAY_SIZE(crossing); i++) {
		struct gospan_bench_cpu results[NR_WORKERS];
		struct table *tables[NR_WORKERS];
		struct gospan_bench b = {
			.workload = crossing[i],
			.allocator = GOSPAN_ALLOCATOR_GOSPAN,
			.flags = GOSPAN_BENCH_WEIGH,
			.nr_objects = NR_OBJECTS,
			.rounds = 1,
			.nr_results = nr,
			.cpus = { GENMASK(nr - 1, 0) },
		};

		for (idx = 0; idx < nr; idx++)
			tables[idx] = table_create(test, crossing[i], idx);
		KUNIT_ASSERT_EQ(test, gospan_bench_run(&b, results), 0);
		KUNIT_EXPECT_EQ(test, b.bytes_asked, asked_at_peak(tables, nr));
	}
}

/* What is not to survive a phase does not; of what is, some does, and some does not. */
static void mstress_survivors(struct kunit *test)
{
	u32 idx, draw, slot;

	for (idx = 0; idx < NR_WORKERS; idx++) {
		struct table *t = table_create(test, GOSPAN_WORKLOAD_MSTRESS, idx);
		const struct gospan_stream_kind *kind = ((struct gospan_stream *)t->w.own)->kind;
		u32 nr_kept = 0;

		for (draw = 0; draw < nr_draws(t); draw++) {
			do_draw(test, t, draw);
			KUNIT_EXPECT_EQ(test, nr_full(t, kind->nr_crossing, kind->nr_slots), 0);
			for (slot = 0; slot < kind->nr_crossing; slot++)
				nr_kept += !t->nr_frees[slot];
		}
		KUNIT_EXPECT_GT(test, nr_kept, nr_draws(t) * kind->nr_crossing / 5);
		KUNIT_EXPECT_LT(test, nr_kept, nr_draws(t) * kind->nr_crossing / 2);
	}
}

static struct kunit_case bench_stream_cases[] = {
	KUNIT_CASE(draw_can_be_done),
	KUNIT_CASE(draw_finds_peak),
	KUNIT_CASE(rptest_frees_what_crossed),
	KUNIT_CASE(weigh_crosses),
	KUNIT_CASE(mstress_survivors),
	{}
};

static struct kunit_suite bench_stream_suite = {
	.name = "gospan_bench_stream",
	.init = gospan_kunit_init,
	.test_cases = bench_stream_cases,
};

kunit_test_suite(bench_stream_suite);
