// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of replays: what a stream comes to, beside an oracle that keeps sizes
 * only; and which streams are refused, with nothing left allocated.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/gospan.h>
#include "../src/internal.h"
#include "../src/replay.h"
#include "../src/sizeclass.h"
#include "helper.h"

#define ALLOC(id_, size_)	{ .id = (id_), .size = (size_), .kind = GOSPAN_OP_ALLOC }
#define REALLOC(id_, size_)	{ .id = (id_), .size = (size_), .kind = GOSPAN_OP_REALLOC }
#define FREE(id_)		{ .id = (id_), .kind = GOSPAN_OP_FREE }

#define NR_IDS		100
#define NR_STEPS	20000

/* Feed @n steps @piece at a time; returns the first error, the figures in @arg. */
static int replay_pieces(struct gospan_replay *arg, const struct gospan_replay_op *ops, u32 piece)
{
	struct gospan_replay_plan plan = { .replay = arg };
	struct gospan_replay_run *run = gospan_replay_begin(&plan);
	u64 done;
	int err = 0;

	if (IS_ERR(run))
		return PTR_ERR(run);
	for (done = 0; done < arg->nr_ops && !err; done += piece)
		err = gospan_replay_feed(run, ops + done, min_t(u64, piece, arg->nr_ops - done));
	gospan_replay_end(run, &arg->result);
	return err;
}

static int replay_all(struct gospan_replay *arg, const struct gospan_replay_op *ops)
{
	return replay_pieces(arg, ops, arg->nr_ops);
}

static struct gospan_replay make_replay(u32 allocator, u64 nr_ops, u64 weigh_at)
{
	return (struct gospan_replay){
		.allocator = allocator,
		.nr_ops = nr_ops,
		.nr_ids = NR_IDS,
		.weigh_at = weigh_at,
		/* What is not written shows. */
		.result = { .nr_done = U64_MAX, .slots = U64_MAX, .bytes_held = U64_MAX },
	};
}

static void begin_fields(struct kunit *test)
{
	static const struct gospan_replay_op op = ALLOC(0, 8);
	static const struct {
		const char *what;
		int err;
		struct gospan_replay arg;
	} rows[] = {
		{ "good", 0, { .nr_ops = 1, .nr_ids = 1 } },
		{ "weighed at the end", 0, { .nr_ops = 1, .nr_ids = 1, .weigh_at = 1 } },
		{ "most ids", 0, { .nr_ops = 1, .nr_ids = GOSPAN_REPLAY_MAX_IDS } },
		{ "last allocator", 0,
		  { .nr_ops = 1, .nr_ids = 1, .allocator = GOSPAN_NR_REPLAYERS - 1 } },
		{ "allocator", -EINVAL,
		  { .nr_ops = 1, .nr_ids = 1, .allocator = GOSPAN_NR_REPLAYERS } },
		{ "flags", -EINVAL, { .nr_ops = 1, .nr_ids = 1, .flags = 1 } },
		{ "reserved", -EINVAL, { .nr_ops = 1, .nr_ids = 1, .reserved = 1 } },
		{ "no steps", -EINVAL, { .nr_ids = 1 } },
		{ "no ids", -EINVAL, { .nr_ops = 1 } },
		{ "too many ids", -EINVAL,
		  { .nr_ops = 1, .nr_ids = GOSPAN_REPLAY_MAX_IDS + 1 } },
		{ "weighed past the end", -EINVAL,
		  { .nr_ops = 1, .nr_ids = 1, .weigh_at = 2 } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gospan_replay arg = rows[i].arg;

		KUNIT_EXPECT_EQ_MSG(test, replay_all(&arg, &op), rows[i].err, "%s",
				    rows[i].what);
	}
}

/* Two objects live, then a step that cannot be. */
static void feed_refuses_step(struct kunit *test)
{
	static const struct {
		const char *what;
		struct gospan_replay_op op;
	} rows[] = {
		{ "alloc of what is live", ALLOC(0, 8) },
		{ "realloc of what never was", REALLOC(2, 8) },
		{ "free of what never was", FREE(2) },
		{ "second free", FREE(3) },
		{ "realloc of what was freed", REALLOC(3, 8) },
		{ "id", ALLOC(NR_IDS, 8) },
		{ "largest id", FREE(U32_MAX) },
		{ "size", ALLOC(2, KMALLOC_MAX_SIZE + 1) },
		{ "realloc's size", REALLOC(0, KMALLOC_MAX_SIZE + 1) },
		{ "size of a free", { .id = 0, .size = 1, .kind = GOSPAN_OP_FREE } },
		{ "kind", { .id = 0, .kind = GOSPAN_NR_OPS } },
		{ "flag", { .id = 2, .kind = GOSPAN_OP_ALLOC, .flags = 4 } },
		{ "flag of a realloc",
		  { .id = 0, .kind = GOSPAN_OP_REALLOC, .flags = GOSPAN_OP_ZERO } },
		{ "flag of a free",
		  { .id = 0, .kind = GOSPAN_OP_FREE, .flags = GOSPAN_OP_NOSCAN } },
	};
	struct gospan_replay_op ops[] = {
		ALLOC(0, 100), ALLOC(3, 7), ALLOC(1, 40000), FREE(3), {}, ALLOC(5, 8),
	};
	unsigned int i;
	u32 who;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ops[4] = rows[i].op;
		for (who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
			struct gospan_replay arg = make_replay(who, ARRAY_SIZE(ops), 0);

			KUNIT_EXPECT_EQ_MSG(test, replay_all(&arg, ops), -EINVAL,
					    "%s, allocator %u", rows[i].what, who);
			KUNIT_EXPECT_EQ_MSG(test, arg.result.nr_done, 4, "%s", rows[i].what);
			KUNIT_EXPECT_EQ(test, arg.result.allocs, 3);
			KUNIT_EXPECT_EQ(test, arg.result.frees, 1);
			gospan_kunit_flush();
			KUNIT_EXPECT_EQ(test, gospan_kunit_live(), (u64)(unsigned long)test->priv);
		}
	}
}

/* What the objects may ask for ends somewhere; EMPTY takes no memory to get there. */
static void feed_limit(struct kunit *test)
{
	const u32 nr_ids = 1 << 15;
	struct gospan_replay arg = make_replay(GOSPAN_REPLAY_EMPTY, 2 * nr_ids, 0);
	struct gospan_replay_op *ops = kunit_kcalloc(test, 2 * nr_ids, sizeof(*ops), GFP_KERNEL);
	u64 bytes = 0;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, ops);
	for (i = 0; i < nr_ids; i++) {
		ops[2 * i] = (struct gospan_replay_op)ALLOC(i, 64);
		ops[2 * i + 1] = (struct gospan_replay_op)REALLOC(i, KMALLOC_MAX_SIZE);
	}
	arg.nr_ids = nr_ids;
	KUNIT_EXPECT_EQ(test, replay_all(&arg, ops), -ENOMEM);
	bytes = arg.result.reallocs * KMALLOC_MAX_SIZE;
	KUNIT_EXPECT_LE(test, bytes, (u64)totalram_pages() * PAGE_SIZE / 2);
	KUNIT_EXPECT_GE(test, bytes, 4 * KMALLOC_MAX_SIZE);
}

struct oracle {
	u32 size[NR_IDS];
	u32 slot_bytes[NR_IDS];	/* of the object's slot in gospan; 0: none */
	bool live[NR_IDS];
	struct gospan_replay_result want;
};

static void oracle_step(struct oracle *o, const struct gospan_replay_op *op)
{
	u32 id = op->id;

	switch (op->kind) {
	case GOSPAN_OP_ALLOC:
		o->want.allocs++;
		o->live[id] = true;
		o->slot_bytes[id] = 0;
		break;
	case GOSPAN_OP_REALLOC:
		o->want.reallocs++;
		break;
	default:
		o->want.frees++;
		o->live[id] = false;
	}
	o->size[id] = op->size;
	if (!op->size) {
		o->slot_bytes[id] = 0;
	} else if (op->size > o->slot_bytes[id]) {
		o->slot_bytes[id] = gospan_size_roundup(op->size);
		o->want.slots++;
	}
	o->want.nr_done++;
}

static void oracle_weigh(struct oracle *o)
{
	u32 id;

	for (id = 0; id < NR_IDS; id++) {
		o->want.live += o->live[id];
		o->want.bytes_asked += o->size[id];
		o->want.live_slots += o->slot_bytes[id] > 0;
		o->want.bytes_rounded += o->slot_bytes[id];
	}
}

/* Any step that can be; small sizes, which never grow in place beyond their slot. */
static struct gospan_replay_op random_step(const struct oracle *o, struct rnd_state *rnd)
{
	struct gospan_replay_op op = { .id = gospan_kunit_below(rnd, NR_IDS) };
	u32 limit = gospan_kunit_below(rnd, 4) ? 40 : GOSPAN_MAX_SMALL_BYTES + 1;
	u32 dice = gospan_kunit_below(rnd, 3);

	if (!o->live[op.id]) {
		op.kind = GOSPAN_OP_ALLOC;
		op.flags = gospan_kunit_below(rnd, 4);
	} else {
		op.kind = dice ? GOSPAN_OP_FREE : GOSPAN_OP_REALLOC;
	}
	if (op.kind != GOSPAN_OP_FREE)
		op.size = gospan_kunit_below(rnd, limit);
	return op;
}

static void check_result(struct kunit *test, u32 who, const struct gospan_replay_result *got,
			 const struct gospan_replay_result *want)
{
	KUNIT_EXPECT_EQ(test, got->nr_done, want->nr_done);
	KUNIT_EXPECT_EQ(test, got->allocs, want->allocs);
	KUNIT_EXPECT_EQ(test, got->reallocs, want->reallocs);
	KUNIT_EXPECT_EQ(test, got->frees, want->frees);
	KUNIT_EXPECT_EQ(test, got->live, want->live);
	KUNIT_EXPECT_EQ(test, got->bytes_asked, want->bytes_asked);
	if (who == GOSPAN_REPLAY_EMPTY) {
		KUNIT_EXPECT_EQ(test, got->slots, 0);
		KUNIT_EXPECT_EQ(test, got->bytes_held, 0);
		return;
	}
	KUNIT_EXPECT_GE(test, got->bytes_rounded, want->bytes_asked);
	KUNIT_EXPECT_GE(test, got->bytes_held, got->bytes_rounded);
	KUNIT_EXPECT_GT(test, got->ticks, 0);
	KUNIT_EXPECT_GT(test, got->ns, 0);
	if (who == GOSPAN_REPLAY_NOSCAN) {
		/* Tiny objects share slots. */
		KUNIT_EXPECT_LE(test, got->slots, want->slots + want->reallocs);
		KUNIT_EXPECT_LE(test, got->live_slots, want->live_slots);
		return;
	}
	KUNIT_EXPECT_EQ(test, got->live_slots, want->live_slots);
	if (who == GOSPAN_REPLAY_GOSPAN) {
		KUNIT_EXPECT_EQ(test, got->slots, want->slots);
		KUNIT_EXPECT_EQ(test, got->bytes_rounded, want->bytes_rounded);
		KUNIT_EXPECT_EQ(test, got->bytes_held % GOSPAN_PAGE_SIZE, 0);
	} else {
		KUNIT_EXPECT_LE(test, got->slots, want->allocs + want->reallocs);
	}
}

static void feed_random(struct kunit *test)
{
	static const u32 pieces[] = { 1, 7, NR_STEPS / 2, NR_STEPS / 2 + 1, NR_STEPS };
	struct gospan_replay_op *ops = kunit_kcalloc(test, NR_STEPS, sizeof(*ops), GFP_KERNEL);
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int p;
	u32 i, who;

	KUNIT_ASSERT_TRUE(test, ops && o);
	gospan_kunit_seed(test, &rnd);
	for (i = 0; i < NR_STEPS; i++) {
		ops[i] = random_step(o, &rnd);
		oracle_step(o, &ops[i]);
		if (i + 1 == NR_STEPS / 2)
			oracle_weigh(o);
	}
	for (who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		for (p = 0; p < ARRAY_SIZE(pieces); p++) {
			struct gospan_replay arg = make_replay(who, NR_STEPS, NR_STEPS / 2);

			KUNIT_ASSERT_EQ(test, replay_pieces(&arg, ops, pieces[p]), 0);
			check_result(test, who, &arg.result, &o->want);
		}
	}
}

/* A small and a large object: each has its span, exactly. */
static void weigh_one_object_a_span(struct kunit *test)
{
	static const u32 sizes[] = { 1, 8, 100, 1024, 6000, 32768, 32769, 100000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct gospan_replay_op op = ALLOC(1, sizes[i]);
		struct gospan_replay arg = make_replay(GOSPAN_REPLAY_GOSPAN, 1, 1);
		u64 rounded = gospan_size_roundup(sizes[i]), held = rounded;

		if (sizes[i] <= GOSPAN_MAX_SMALL_BYTES)
			held = gospan_class_npages(gospan_size_to_class(sizes[i])) *
			       GOSPAN_PAGE_SIZE;
		KUNIT_ASSERT_EQ(test, replay_all(&arg, &op), 0);
		KUNIT_EXPECT_EQ(test, arg.result.live, 1);
		KUNIT_EXPECT_EQ(test, arg.result.live_slots, 1);
		KUNIT_EXPECT_EQ(test, arg.result.bytes_asked, sizes[i]);
		KUNIT_EXPECT_EQ(test, arg.result.bytes_rounded, rounded);
		KUNIT_EXPECT_EQ(test, arg.result.bytes_held, held);
	}
}

/* Objects of a byte without pointers: as many in a slot as fit. */
static void weigh_tiny_objects(struct kunit *test)
{
	struct gospan_replay_op ops[NR_IDS];
	struct gospan_replay arg;
	u32 i, who;

	for (i = 0; i < NR_IDS; i++)
		ops[i] = (struct gospan_replay_op){
			.id = i, .size = 1, .kind = GOSPAN_OP_ALLOC, .flags = GOSPAN_OP_NOSCAN,
		};
	for (who = GOSPAN_REPLAY_GOSPAN; who <= GOSPAN_REPLAY_NOSCAN; who++) {
		bool shared = who == GOSPAN_REPLAY_NOSCAN;
		u32 slots = shared ? DIV_ROUND_UP(NR_IDS, GOSPAN_TINY_BYTES) : NR_IDS;

		gospan_kunit_flush();
		arg = make_replay(who, NR_IDS, NR_IDS);
		KUNIT_ASSERT_EQ(test, replay_all(&arg, ops), 0);
		KUNIT_EXPECT_EQ(test, arg.result.live, NR_IDS);
		KUNIT_EXPECT_EQ(test, arg.result.bytes_asked, NR_IDS);
		KUNIT_EXPECT_EQ(test, arg.result.slots, slots);
		KUNIT_EXPECT_EQ(test, arg.result.live_slots, slots);
		KUNIT_EXPECT_EQ(test, arg.result.bytes_rounded,
				slots * (shared ? GOSPAN_TINY_BYTES : 8));
		KUNIT_EXPECT_EQ(test, arg.result.bytes_held, GOSPAN_PAGE_SIZE);
	}
}

/* Weighed before the first step, after the last, and where nothing is live. */
static void weigh_nothing(struct kunit *test)
{
	static const struct gospan_replay_op ops[] = { ALLOC(0, 100), FREE(0), ALLOC(0, 0) };
	u64 at;
	u32 who;

	for (who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		for (at = 0; at <= ARRAY_SIZE(ops); at++) {
			struct gospan_replay arg = make_replay(who, ARRAY_SIZE(ops), at);

			KUNIT_ASSERT_EQ(test, replay_all(&arg, ops), 0);
			KUNIT_EXPECT_EQ(test, arg.result.live, at == 1 || at == 3);
			KUNIT_EXPECT_EQ(test, arg.result.bytes_asked, at == 1 ? 100 : 0);
			KUNIT_EXPECT_EQ(test, arg.result.bytes_held > 0,
					at == 1 && who != GOSPAN_REPLAY_EMPTY);
			KUNIT_EXPECT_EQ(test, arg.result.live_slots > 0,
					at == 1 && who != GOSPAN_REPLAY_EMPTY);
		}
	}
}

/* Steps that zero more than a window takes; every one is done once. */
static void feed_many_bytes(struct kunit *test)
{
	struct gospan_replay_op ops[40];
	u32 i, who;

	for (i = 0; i < ARRAY_SIZE(ops); i += 2) {
		ops[i] = (struct gospan_replay_op){
			.id = i, .size = SZ_1M, .kind = GOSPAN_OP_ALLOC, .flags = GOSPAN_OP_ZERO,
		};
		ops[i + 1] = (struct gospan_replay_op)FREE(i);
	}
	for (who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		struct gospan_replay arg = make_replay(who, ARRAY_SIZE(ops), 1);

		KUNIT_ASSERT_EQ(test, replay_all(&arg, ops), 0);
		KUNIT_EXPECT_EQ(test, arg.result.nr_done, ARRAY_SIZE(ops));
		KUNIT_EXPECT_EQ(test, arg.result.allocs, ARRAY_SIZE(ops) / 2);
		KUNIT_EXPECT_EQ(test, arg.result.frees, ARRAY_SIZE(ops) / 2);
		KUNIT_EXPECT_EQ(test, arg.result.bytes_asked, SZ_1M);
	}
}

static struct kunit_case replay_cases[] = {
	KUNIT_CASE(begin_fields),
	KUNIT_CASE(feed_refuses_step),
	KUNIT_CASE(feed_limit),
	KUNIT_CASE(feed_random),
	KUNIT_CASE(feed_many_bytes),
	KUNIT_CASE(weigh_one_object_a_span),
	KUNIT_CASE(weigh_tiny_objects),
	KUNIT_CASE(weigh_nothing),
	{}
};

static struct kunit_suite replay_suite = {
	.name = "gospan_replay",
	.init = gospan_kunit_init,
	.test_cases = replay_cases,
};

kunit_test_suite(replay_suite);
