// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of replays on several CPUs, with caches, samples and classes. What one
 * task makes of a stream (replay_kunit.c) is the oracle for what a crew does.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/gospan.h>
#include "../src/internal.h"
#include "../src/replay.h"
#include "../src/sizeclass.h"
#include "helper.h"

#define ALLOC(id_, size_, cpu_) \
	{ .id = (id_), .size = (size_), .cpu = (cpu_), .kind = GOSPAN_OP_ALLOC }
#define CACHE(id_, nr_) \
	{ .id = (id_), .size = (nr_), .kind = GOSPAN_OP_ALLOC, .flags = GOSPAN_OP_CACHE }
#define FREE(id_, cpu_) { .id = (id_), .cpu = (cpu_), .kind = GOSPAN_OP_FREE }

#define NR_IDS		200
#define NR_STEPS	4000
#define NR_SAMPLES	16
#define NR_CLASSES	80

static const struct gospan_replay_cache caches[] = { { 40, 40 }, { 184, 192 }, { 8392, 8448 } };

/* A plan and all that it points to. */
struct setting {
	struct gospan_replay arg;
	struct gospan_replay_plan plan;
	struct gospan_replay_sample samples[NR_SAMPLES];
	struct gospan_replay_class classes[NR_CLASSES];
	u64 cpus[GOSPAN_BENCH_CPU_WORDS];
};

/* All online CPUs, caches, no sample, weighed at the end. */
static void setting_init(struct setting *s, u32 allocator, u64 nr_ops)
{
	unsigned int cpu;

	memset(s, 0, sizeof(*s));
	for_each_online_cpu(cpu)
		s->cpus[cpu / 64] |= BIT_ULL(cpu % 64);
	s->arg.allocator = allocator;
	s->arg.nr_ops = nr_ops;
	s->arg.nr_ids = NR_IDS;
	s->arg.weigh_at = nr_ops;
	s->plan.replay = &s->arg;
	s->plan.cpus = s->cpus;
	s->plan.caches = caches;
	s->plan.nr_caches = ARRAY_SIZE(caches);
	s->plan.samples = s->samples;
	s->plan.classes = s->classes;
	s->plan.max_classes = NR_CLASSES;
}

static int setting_replay(struct setting *s, const struct gospan_replay_op *ops)
{
	struct gospan_replay_run *run = gospan_replay_begin(&s->plan);
	int err;

	if (IS_ERR(run))
		return PTR_ERR(run);
	err = gospan_replay_feed(run, ops, s->arg.nr_ops);
	gospan_replay_end(run, &s->arg.result);
	return err;
}

static struct setting *setting_new(struct kunit *test)
{
	struct setting *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	return s;
}

static void begin_fields(struct kunit *test)
{
	static const struct gospan_replay_op op = ALLOC(0, 8, 0);
	static const struct gospan_replay_cache none = { 0, 8 }, shrinks = { 9, 8 },
		large = { 8, GOSPAN_REPLAY_MAX_CACHE_BYTES + 1 };
	struct setting *s = setting_new(test);

#define EXPECT_BEGIN(want, ...) do {						\
	setting_init(s, GOSPAN_REPLAY_GOSPAN, 1);				\
	__VA_ARGS__;								\
	KUNIT_EXPECT_EQ_MSG(test, setting_replay(s, &op), want, "%s", #__VA_ARGS__);	\
} while (0)

	EXPECT_BEGIN(0, s->plan.nr_classes = 7);
	EXPECT_BEGIN(0, s->plan.nr_caches = 0);
	EXPECT_BEGIN(0, s->plan.nr_samples = 1; s->samples[0].at = 1);
	EXPECT_BEGIN(-EINVAL, memset(s->cpus, 0, sizeof(s->cpus)));
	EXPECT_BEGIN(-ENODEV, s->cpus[GOSPAN_BENCH_CPU_WORDS - 1] = BIT_ULL(63));
	EXPECT_BEGIN(-EINVAL, s->plan.nr_caches = GOSPAN_REPLAY_MAX_CACHES + 1);
	EXPECT_BEGIN(-EINVAL, s->plan.caches = &none; s->plan.nr_caches = 1);
	EXPECT_BEGIN(-EINVAL, s->plan.caches = &shrinks; s->plan.nr_caches = 1);
	EXPECT_BEGIN(-EINVAL, s->plan.caches = &large; s->plan.nr_caches = 1);
	EXPECT_BEGIN(-EINVAL, s->plan.nr_samples = GOSPAN_REPLAY_MAX_SAMPLES + 1);
	EXPECT_BEGIN(-EINVAL, s->plan.nr_samples = 1);
	EXPECT_BEGIN(-EINVAL, s->plan.nr_samples = 1; s->samples[0].at = 2);
	EXPECT_BEGIN(-EINVAL, s->plan.nr_samples = 2; s->samples[0].at = 1; s->samples[1].at = 1);
	EXPECT_BEGIN(-EINVAL, s->plan.nr_samples = 1; s->samples[0].at = 1;
		     s->samples[0].reserved = 1);
	EXPECT_BEGIN(-EINVAL, s->plan.max_classes = GOSPAN_REPLAY_MAX_CLASSES + 1);
#undef EXPECT_BEGIN
}

/* Two objects of caches live, then a step that cannot be. Destroying caches takes long. */
static void feed_refuses_step(struct kunit *test)
{
	static const struct {
		const char *what;
		struct gospan_replay_op op;
	} rows[] = {
		{ "cache past the last", CACHE(3, ARRAY_SIZE(caches)) },
		{ "largest cache", CACHE(3, U32_MAX) },
		{ "realloc of a cache's object",
		  { .id = 1, .size = 8, .kind = GOSPAN_OP_REALLOC } },
		{ "flag of a free",
		  { .id = 1, .kind = GOSPAN_OP_FREE, .flags = GOSPAN_OP_CACHE } },
		{ "id", ALLOC(NR_IDS, 8, 1) },
		{ "second free", FREE(0, 1) },
	};
	struct gospan_replay_op ops[] = {
		CACHE(0, 0), CACHE(1, 2), CACHE(2, 1), FREE(0, 1), {}, ALLOC(5, 8, 0),
	};
	struct setting *s = setting_new(test);
	unsigned int i;
	u32 who;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ops[4] = rows[i].op;
		for (who = 0; who < GOSPAN_REPLAY_KMEM_CACHE; who++) {
			setting_init(s, who, ARRAY_SIZE(ops));
			KUNIT_EXPECT_EQ_MSG(test, setting_replay(s, ops), -EINVAL,
					    "%s, allocator %u", rows[i].what, who);
			KUNIT_EXPECT_EQ_MSG(test, s->arg.result.nr_done, 4, "%s", rows[i].what);
			KUNIT_EXPECT_EQ(test, s->arg.result.allocs, 3);
			gospan_kunit_flush();
			KUNIT_EXPECT_EQ(test, gospan_kunit_live(), (u64)(unsigned long)test->priv);
		}
	}
}

/* Objects come and go; some steps in a row on a CPU, which may be none of ours. */
static void make_steps(struct gospan_replay_op *ops, bool *live, struct rnd_state *rnd)
{
	u32 i;
	u16 cpu = 0;

	for (i = 0; i < NR_STEPS; i++) {
		u32 id = gospan_kunit_below(rnd, NR_IDS);

		if (!gospan_kunit_below(rnd, 100))
			cpu = gospan_kunit_below(rnd, 8) ? gospan_kunit_below(rnd, 3) : U16_MAX;
		ops[i] = (struct gospan_replay_op){ .id = id, .cpu = cpu };
		if (live[id]) {
			ops[i].kind = GOSPAN_OP_FREE;
		} else if (gospan_kunit_below(rnd, 2)) {
			ops[i].size = gospan_kunit_below(rnd, ARRAY_SIZE(caches));
			ops[i].flags = GOSPAN_OP_CACHE;
		} else {
			ops[i].size = gospan_kunit_below(rnd, 3000);
		}
		live[id] = !live[id];
	}
}

static void expect_same_result(struct kunit *test, const struct gospan_replay_result *got,
			       const struct gospan_replay_result *want)
{
	KUNIT_EXPECT_EQ(test, got->nr_done, want->nr_done);
	KUNIT_EXPECT_EQ(test, got->allocs, want->allocs);
	KUNIT_EXPECT_EQ(test, got->frees, want->frees);
	KUNIT_EXPECT_EQ(test, got->slots, want->slots);
	KUNIT_EXPECT_EQ(test, got->live, want->live);
	KUNIT_EXPECT_EQ(test, got->bytes_asked, want->bytes_asked);
	KUNIT_EXPECT_EQ(test, got->live_slots, want->live_slots);
	KUNIT_EXPECT_EQ(test, got->bytes_rounded, want->bytes_rounded);
}

/* The rows ascend, fill what they hold, and add up to what was weighed. */
static void check_classes(struct kunit *test, const struct setting *s)
{
	u64 live = 0, asked = 0, slots = 0, rounded = 0, held = 0;
	u32 i;

	KUNIT_ASSERT_LE(test, s->plan.nr_classes, NR_CLASSES);
	for (i = 0; i < s->plan.nr_classes; i++) {
		const struct gospan_replay_class *row = &s->classes[i];

		if (i)
			KUNIT_EXPECT_GT(test, row->slot_bytes, row[-1].slot_bytes);
		KUNIT_EXPECT_EQ(test, row->bytes_rounded % row->slot_bytes, 0);
		KUNIT_EXPECT_LE(test, row->bytes_asked, row->bytes_rounded);
		KUNIT_EXPECT_LE(test, row->bytes_rounded, row->bytes_held);
		KUNIT_EXPECT_EQ(test, row->bytes_held % row->nr_held, 0);
		live += row->live;
		asked += row->bytes_asked;
		slots += div_u64(row->bytes_rounded, row->slot_bytes);
		rounded += row->bytes_rounded;
		held += row->bytes_held;
	}
	KUNIT_EXPECT_EQ(test, live, s->arg.result.live_slots);
	KUNIT_EXPECT_EQ(test, slots, s->arg.result.live_slots);
	KUNIT_EXPECT_EQ(test, rounded, s->arg.result.bytes_rounded);
	KUNIT_EXPECT_EQ(test, held, s->arg.result.bytes_held);
	if (live)
		KUNIT_EXPECT_EQ(test, asked, s->arg.result.bytes_asked);
}

static void feed_random(struct kunit *test)
{
	struct gospan_replay_op *ops = kunit_kcalloc(test, NR_STEPS, sizeof(*ops), GFP_KERNEL);
	bool *live = kunit_kcalloc(test, NR_IDS, sizeof(*live), GFP_KERNEL);
	struct setting *alone = setting_new(test), *crew = setting_new(test);
	struct rnd_state rnd;
	u32 who, i;

	KUNIT_ASSERT_TRUE(test, ops && live);
	gospan_kunit_seed(test, &rnd);
	make_steps(ops, live, &rnd);
	for (who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		setting_init(alone, who, NR_STEPS);
		alone->plan.cpus = NULL;
		KUNIT_ASSERT_EQ(test, setting_replay(alone, ops), 0);
		setting_init(crew, who, NR_STEPS);
		crew->plan.nr_samples = NR_SAMPLES;
		for (i = 0; i < NR_SAMPLES; i++)
			crew->samples[i].at = (i + 1) * NR_STEPS / NR_SAMPLES;
		KUNIT_ASSERT_EQ(test, setting_replay(crew, ops), 0);
		expect_same_result(test, &crew->arg.result, &alone->arg.result);
		check_classes(test, alone);
		check_classes(test, crew);
	}
}

/* Each sample is what a replay that ends there weighs. */
static void feed_samples(struct kunit *test)
{
	static const struct gospan_replay_op ops[] = {
		ALLOC(0, 100, 0), ALLOC(1, 3000, 1), CACHE(2, 1), FREE(1, 0), ALLOC(3, 0, 1),
		FREE(0, 1), FREE(2, 0),
	};
	struct setting *whole = setting_new(test), *part = setting_new(test);
	u32 who, i;

	for (who = 0; who < GOSPAN_REPLAY_KMEM_CACHE; who++) {
		bool ours = who != GOSPAN_REPLAY_EMPTY && who != GOSPAN_REPLAY_KMALLOC;

		setting_init(whole, who, ARRAY_SIZE(ops));
		whole->plan.nr_samples = ARRAY_SIZE(ops);
		for (i = 0; i < ARRAY_SIZE(ops); i++)
			whole->samples[i].at = i + 1;
		KUNIT_ASSERT_EQ(test, setting_replay(whole, ops), 0);
		for (i = 0; i < ARRAY_SIZE(ops); i++) {
			const struct gospan_replay_sample *sample = &whole->samples[i];
			const struct gospan_replay_result *want = &part->arg.result;

			setting_init(part, who, i + 1);
			KUNIT_ASSERT_EQ(test, setting_replay(part, ops), 0);
			KUNIT_EXPECT_EQ(test, sample->at, i + 1);
			KUNIT_EXPECT_EQ(test, sample->live, want->live);
			KUNIT_EXPECT_EQ(test, sample->bytes_asked, want->bytes_asked);
			KUNIT_EXPECT_EQ(test, sample->live_slots, want->live_slots);
			KUNIT_EXPECT_EQ(test, sample->bytes_rounded, want->bytes_rounded);
			KUNIT_EXPECT_EQ(test, sample->bytes_held > 0, want->bytes_held > 0);
			KUNIT_EXPECT_EQ(test, sample->bytes_inuse >= sample->bytes_held,
					ours || !sample->bytes_held);
		}
	}
}

/* A row for each size; what does not fit is counted. */
static void weigh_classes(struct kunit *test)
{
	static const struct gospan_replay_op ops[] = {
		ALLOC(0, 100, 0), ALLOC(1, 9, 0), ALLOC(2, 112, 0), ALLOC(3, 40000, 0),
		ALLOC(4, 0, 0), ALLOC(5, 16, 0),
	};
	static const struct gospan_replay_class want[] = {
		{ .slot_bytes = 16, .live = 2, .bytes_asked = 25, .bytes_rounded = 32 },
		{ .slot_bytes = 112, .live = 2, .bytes_asked = 212, .bytes_rounded = 224 },
		{ .slot_bytes = ALIGN(40000, GOSPAN_PAGE_SIZE), .live = 1, .bytes_asked = 40000,
		  .bytes_rounded = ALIGN(40000, GOSPAN_PAGE_SIZE) },
	};
	struct setting *s = setting_new(test);
	u32 room, i;

	for (room = 0; room <= ARRAY_SIZE(want) + 1; room++) {
		setting_init(s, GOSPAN_REPLAY_GOSPAN, ARRAY_SIZE(ops));
		s->plan.max_classes = room;
		KUNIT_ASSERT_EQ(test, setting_replay(s, ops), 0);
		KUNIT_EXPECT_EQ(test, s->plan.nr_classes, ARRAY_SIZE(want));
		for (i = 0; i < ARRAY_SIZE(want); i++) {
			bool there = i < room;

			KUNIT_EXPECT_EQ(test, s->classes[i].slot_bytes,
					there ? want[i].slot_bytes : 0);
			KUNIT_EXPECT_EQ(test, s->classes[i].live, there ? want[i].live : 0);
			KUNIT_EXPECT_EQ(test, s->classes[i].bytes_asked,
					there ? want[i].bytes_asked : 0);
			KUNIT_EXPECT_EQ(test, s->classes[i].bytes_rounded,
					there ? want[i].bytes_rounded : 0);
			KUNIT_EXPECT_EQ(test, s->classes[i].nr_held, there);
		}
	}
}

/* Objects of caches have slots as in the recorded kernel, with caches of their own. */
static void weigh_caches(struct kunit *test)
{
	static const struct gospan_replay_op ops[] = {
		CACHE(0, 0), CACHE(1, 1), CACHE(2, 2), CACHE(3, 1),
	};
	struct setting *s = setting_new(test);
	u32 who;

	for (who = GOSPAN_REPLAY_KMEM_CACHE; who <= GOSPAN_REPLAY_GOSPAN_CACHE; who++) {
		setting_init(s, who, ARRAY_SIZE(ops));
		KUNIT_ASSERT_EQ(test, setting_replay(s, ops), 0);
		KUNIT_EXPECT_EQ(test, s->arg.result.bytes_asked, 40 + 2 * 184 + 8392);
		KUNIT_EXPECT_EQ(test, s->arg.result.slots, ARRAY_SIZE(ops));
		KUNIT_EXPECT_EQ(test, s->arg.result.live_slots, ARRAY_SIZE(ops));
		KUNIT_ASSERT_EQ(test, s->plan.nr_classes, ARRAY_SIZE(caches));
		/* Debugging adds to some of them. */
		KUNIT_EXPECT_GE(test, s->classes[0].slot_bytes, 40);
		KUNIT_EXPECT_GE(test, s->classes[1].slot_bytes, 192);
		KUNIT_EXPECT_EQ(test, s->classes[1].live, 2);
		KUNIT_EXPECT_GE(test, s->classes[2].slot_bytes, 8448);
		if (who == GOSPAN_REPLAY_GOSPAN_CACHE)
			KUNIT_EXPECT_EQ(test, s->arg.result.bytes_rounded, 40 + 2 * 192 + 8448);
	}
}

/* More caches than gospan can have: none is left. */
static void begin_without_room(struct kunit *test)
{
	static const struct gospan_replay_op op = ALLOC(0, 8, 0);
	struct gospan_replay_cache *many =
		kunit_kcalloc(test, GOSPAN_MAX_CACHES + 1, sizeof(*many), GFP_KERNEL);
	struct setting *s = setting_new(test);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, many);
	for (i = 0; i <= GOSPAN_MAX_CACHES; i++)
		many[i] = (struct gospan_replay_cache){ 8, 8 };
	setting_init(s, GOSPAN_REPLAY_GOSPAN_CACHE, 1);
	s->plan.caches = many;
	s->plan.nr_caches = GOSPAN_MAX_CACHES + 1;
	KUNIT_EXPECT_EQ(test, setting_replay(s, &op), -ENOMEM);
	setting_init(s, GOSPAN_REPLAY_GOSPAN_CACHE, 1);
	KUNIT_EXPECT_EQ(test, setting_replay(s, &op), 0);
}

/* Two CPUs that allocate have a span each; where one of them does it for both, it is one. */
static void feed_steps_on_their_cpus(struct kunit *test)
{
	static const struct gospan_replay_op ops[] = { ALLOC(0, 64, 0), ALLOC(1, 64, 1) };
	struct setting *s = setting_new(test);
	u64 span = gospan_class_npages(gospan_size_to_class(64)) * GOSPAN_PAGE_SIZE;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU");
	gospan_kunit_flush();
	setting_init(s, GOSPAN_REPLAY_GOSPAN, ARRAY_SIZE(ops));
	KUNIT_ASSERT_EQ(test, setting_replay(s, ops), 0);
	KUNIT_EXPECT_EQ(test, s->arg.result.bytes_held, 2 * span);
	gospan_kunit_flush();
	setting_init(s, GOSPAN_REPLAY_GOSPAN, ARRAY_SIZE(ops));
	memset(s->cpus, 0, sizeof(s->cpus));
	s->cpus[cpumask_first(cpu_online_mask) / 64] |=
		BIT_ULL(cpumask_first(cpu_online_mask) % 64);
	KUNIT_ASSERT_EQ(test, setting_replay(s, ops), 0);
	KUNIT_EXPECT_EQ(test, s->arg.result.bytes_held, span);
}

static struct kunit_case replay_cpus_cases[] = {
	KUNIT_CASE(begin_fields),
	KUNIT_CASE(begin_without_room),
	KUNIT_CASE(feed_refuses_step),
	KUNIT_CASE(feed_random),
	KUNIT_CASE(feed_samples),
	KUNIT_CASE(feed_steps_on_their_cpus),
	KUNIT_CASE(weigh_classes),
	KUNIT_CASE(weigh_caches),
	{}
};

static struct kunit_suite replay_cpus_suite = {
	.name = "gospan_replay_cpus",
	.init = gospan_kunit_init,
	.test_cases = replay_cpus_cases,
};

kunit_test_suite(replay_cpus_suite);
