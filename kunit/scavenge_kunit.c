// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the scavenger, stepped with a clock of their own on a heap of their
 * own: hours pass in milliseconds, and nobody waits.
 */
#include <kunit/test.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/time64.h>
#include "../src/scavenge.h"
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"
#include "source.h"

#define SEC	((u64)NSEC_PER_SEC)
#define MAX_SPANS	256U
/* Enough for every test. */
#define NR_CHUNKS	45U

/* What the scavenger under test is told, and what it does. */
static struct {
	u64 ns;				/* the time */
	u64 tick_ns;			/* passes with each look at the clock */
	u64 first_ns;			/* first look of a step; 0: not yet */
	unsigned int nr_looks;
	unsigned int nr_drains;
	struct gospan_span *cached;	/* freed by a drain, if there is one */
	struct gospan_mheap *h;		/* that this one is of */
} world;

static u64 world_now(void)
{
	world.ns += world.tick_ns;
	world.nr_looks++;
	if (!world.first_ns)
		world.first_ns = world.ns;
	return world.ns;
}

static void world_drain(void)
{
	world.nr_drains++;
	if (world.cached)
		gospan_kunit_give(world.h, world.cached);
	world.cached = NULL;
}

/* A heap, its scavenger, and spans of it. */
struct scavenge_test {
	struct gospan_scavenger sc;
	struct gospan_mheap *h;
	struct gospan_span *s[MAX_SPANS];	/* NULL: freed */
	struct rnd_state rnd;
};

static struct scavenge_test *scavenge_make(struct kunit *test, bool cached)
{
	struct scavenge_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	/* Nobody writes to these pages. */
	gospan_kunit_source_borrow(test, NR_CHUNKS);
	KUNIT_ASSERT_GE(test, gospan_kunit_source.nr_chunks, NR_CHUNKS);
	gospan_kunit_source.pick = gospan_kunit_pick_lowest;
	t->h = gospan_kunit_heap_make(test, cached);
	memset(&world, 0, sizeof(world));
	world.ns = 1000 * SEC;
	world.h = t->h;
	gospan_scavenger_init(&t->sc, t->h, world_now, world_drain);
	return t;
}

/* Take @nr spans of @npages each. */
static void take(struct kunit *test, struct scavenge_test *t, unsigned int nr, unsigned int npages)
{
	unsigned int i;

	for (i = 0; i < MAX_SPANS && nr; i++) {
		if (t->s[i])
			continue;
		t->s[i] = gospan_kunit_take(t->h, npages, 1);
		KUNIT_ASSERT_NOT_NULL(test, t->s[i]);
		nr--;
	}
	KUNIT_ASSERT_EQ(test, nr, 0);
}

/* Free @nr spans, every @stride-th. */
static void give(struct scavenge_test *t, unsigned int nr, unsigned int stride)
{
	unsigned int i;

	for (i = 0; i < MAX_SPANS && nr; i += stride) {
		if (!t->s[i])
			continue;
		gospan_kunit_give(t->h, t->s[i]);
		t->s[i] = NULL;
		nr--;
	}
}

static void finish(struct kunit *test, struct scavenge_test *t)
{
	give(t, MAX_SPANS, 1);
	gospan_kunit_heap_finish(test, t->h);
}

/* A step, @after_ns later. */
static u64 step(struct scavenge_test *t, u64 after_ns)
{
	world.ns += after_ns;
	world.first_ns = 0;
	world.nr_looks = 0;
	return gospan_scavenger_step(&t->sc);
}

static unsigned long held(struct scavenge_test *t)
{
	return gospan_supply_held_pages(t->h);
}

static void step_of_nothing(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);

	KUNIT_EXPECT_EQ(test, step(t, 0), 0);
	KUNIT_EXPECT_EQ(test, step(t, 3600 * SEC), 0);
	take(test, t, 1, 100);
	KUNIT_EXPECT_GT(test, step(t, SEC), 0);
	give(t, 1, 1);
	/* The goal falls to 0, and everything goes. */
	KUNIT_EXPECT_GT(test, step(t, 3600 * SEC), 0);
	KUNIT_EXPECT_EQ(test, held(t), 0);
	KUNIT_EXPECT_EQ(test, step(t, SEC), 0);
	KUNIT_EXPECT_EQ(test, world.nr_drains, 0);
	finish(test, t);
}

/* A rise at once; a fall by an eighth of the way each second. */
static void step_goal_follows_use(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);
	unsigned long goal = 2000, sec;

	take(test, t, 20, 100);
	step(t, 0);
	KUNIT_EXPECT_EQ(test, t->sc.goal_pages, 2000);
	give(t, 10, 1);
	step(t, SEC - 1);
	KUNIT_EXPECT_EQ(test, t->sc.goal_pages, 2000);
	step(t, 1);
	KUNIT_EXPECT_EQ(test, t->sc.goal_pages, 1875);
	for (sec = 1, goal = 1875; sec < 60; sec++) {
		/* Often looked at is not sooner. */
		step(t, SEC / 4);
		step(t, SEC / 2);
		KUNIT_EXPECT_EQ(test, t->sc.goal_pages, goal);
		goal -= (goal - 1000 + 7) / 8;
		step(t, SEC / 4);
		KUNIT_EXPECT_EQ(test, t->sc.goal_pages, goal);
	}
	KUNIT_EXPECT_EQ(test, goal, 1000);
	take(test, t, 5, 100);
	step(t, 1);
	KUNIT_EXPECT_EQ(test, t->sc.goal_pages, 1500);
	finish(test, t);
}

/* Seconds that nobody looked at count, too, however many. */
static void step_goal_after_long(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);

	take(test, t, 20, 100);
	step(t, 0);
	give(t, 10, 1);
	step(t, 3 * SEC + SEC / 2);
	/* 2000, 1875, 1765, 1669 */
	KUNIT_EXPECT_EQ(test, t->sc.goal_pages, 1669);
	step(t, SEC / 2);
	KUNIT_EXPECT_EQ(test, t->sc.goal_pages, 1585);
	step(t, 30ULL * 365 * 24 * 3600 * SEC);
	KUNIT_EXPECT_EQ(test, t->sc.goal_pages, 1000);
	/* The time that it stood there does not count for the next fall. */
	give(t, 5, 1);
	step(t, SEC - 1);
	KUNIT_EXPECT_EQ(test, t->sc.goal_pages, 1000);
	finish(test, t);
}

/* What may be held, by goal and limit; 0: none. */
static const struct {
	unsigned long goal, limit, retain;
} retains[] = {
	{ 0, 0, 0 }, { 9, 0, 9 }, { 10, 0, 11 }, { 1000, 0, 1100 },
	{ 1000, 2000, 1100 }, { 1000, 1158, 1100 }, { 1000, 1100, 1045 }, { 1000, 1000, 950 },
	{ 1000, 20, 19 }, { 1000, 19, 19 }, { 1000, 1, 1 }, { 0, 1, 0 },
	{ 1000, ULONG_MAX, 1100 },
	{ ULONG_MAX / 2, ULONG_MAX, ULONG_MAX / 2 + ULONG_MAX / 20 },
};

static void retain_of_goal_and_limit(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(retains); i++) {
		t->sc.goal_pages = retains[i].goal;
		t->h->limit_pages = retains[i].limit;
		KUNIT_EXPECT_EQ_MSG(test, gospan_scavenger_retain(&t->sc), retains[i].retain,
				    "goal %lu, limit %lu", retains[i].goal, retains[i].limit);
	}
	finish(test, t);
}

/*
 * Chunks of which a half is in use: 2048 pages of 4096. So what is free goes in
 * pieces, not as a whole.
 */
static void take_halves(struct kunit *test, struct scavenge_test *t)
{
	take(test, t, 16, 256);
	give(t, 8, 2);
	KUNIT_ASSERT_EQ(test, held(t), 8 * 512);
}

/* However long it takes to give a little back: a step is bounded, and then it rests. */
static void step_takes_its_share(struct kunit *test)
{
	static const u64 ticks[] = { 1, 1000, 50 * NSEC_PER_USEC, 300 * NSEC_PER_USEC,
				     NSEC_PER_MSEC - 1, NSEC_PER_MSEC, 7 * NSEC_PER_MSEC };
	struct scavenge_test *t = scavenge_make(test, false);
	unsigned int i;
	u64 worked, rest;

	for (i = 0; i < ARRAY_SIZE(ticks); i++) {
		take_halves(test, t);
		world.tick_ns = ticks[i];
		rest = step(t, 0);
		worked = world.ns - world.first_ns;
		KUNIT_EXPECT_GE(test, rest, 99 * worked);
		KUNIT_EXPECT_LT(test, worked, GOSPAN_SCAVENGE_WORK_NS + 2 * ticks[i]);
		/* Even so something was done. */
		KUNIT_EXPECT_LT(test, held(t), 8 * 512);
		/* Everything goes. */
		give(t, MAX_SPANS, 1);
		world.tick_ns = 0;
		step(t, 3600 * SEC);
	}
	finish(test, t);
}

/* A step that ends for lack of time is followed by others until nothing is too much. */
static void step_goes_on_after_rest(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);
	unsigned long before, retain = 2048 + 204;
	unsigned int nr = 0;
	u64 rest;

	take_halves(test, t);
	world.tick_ns = GOSPAN_SCAVENGE_WORK_NS;
	while (held(t) > retain) {
		before = held(t);
		rest = step(t, SEC);
		KUNIT_ASSERT_LT_MSG(test, held(t), before, "a step did nothing");
		KUNIT_EXPECT_GE(test, rest, 99 * GOSPAN_SCAVENGE_WORK_NS);
		if (held(t) > retain)
			KUNIT_EXPECT_LT(test, rest, GOSPAN_SCAVENGE_POLL_NS);
		nr++;
	}
	KUNIT_EXPECT_EQ(test, held(t), retain);
	KUNIT_EXPECT_LE(test, nr, 8 * 512 / 64);
	finish(test, t);
}

static void step_polls(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, true);
	struct gospan_supply_usage usage;

	/* Nothing is too much. */
	take(test, t, 1, 500);
	KUNIT_EXPECT_EQ(test, step(t, 0), GOSPAN_SCAVENGE_POLL_NS);
	KUNIT_EXPECT_EQ(test, held(t), 512);
	KUNIT_EXPECT_EQ(test, step(t, SEC), GOSPAN_SCAVENGE_POLL_NS);
	/* What is in page caches is too much, but cannot be had. */
	take(test, t, 1, 1);
	usage = gospan_supply_usage(t->h, NUMA_NO_NODE);
	KUNIT_ASSERT_GT(test, usage.cached_pages, 0);
	give(t, 1, 1);
	while (gospan_supply_usage(t->h, NUMA_NO_NODE).free_pages)
		step(t, 3600 * SEC);
	KUNIT_EXPECT_GT(test, held(t), 1);
	KUNIT_EXPECT_EQ(test, step(t, SEC), GOSPAN_SCAVENGE_POLL_NS);
	KUNIT_EXPECT_EQ(test, step(t, SEC), GOSPAN_SCAVENGE_POLL_NS);
	KUNIT_EXPECT_EQ(test, world.nr_drains, 0);
	finish(test, t);
}

/* Only then, and at most once a second. */
static void step_drains_over_limit(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);
	unsigned int i;

	take(test, t, 4, 512);
	for (i = 0; i < 50; i++)
		step(t, SEC / 10);
	KUNIT_EXPECT_EQ_MSG(test, world.nr_drains, 0, "without a limit");
	t->h->limit_pages = 4 * 512;
	for (i = 0; i < 50; i++)
		step(t, SEC / 10);
	KUNIT_EXPECT_EQ_MSG(test, world.nr_drains, 0, "all that may be held, is");
	t->h->limit_pages = 4 * 512 - 1;
	for (i = 0; i < 50; i++)
		KUNIT_EXPECT_EQ(test, step(t, SEC / 10), GOSPAN_SCAVENGE_POLL_NS);
	KUNIT_EXPECT_EQ(test, world.nr_drains, 5);
	/* What that frees goes in the same step. */
	world.cached = t->s[3];
	t->s[3] = NULL;
	step(t, SEC);
	KUNIT_EXPECT_EQ(test, world.nr_drains, 6);
	KUNIT_EXPECT_EQ(test, held(t), 3 * 512);
	for (i = 0; i < 50; i++)
		step(t, SEC / 10);
	KUNIT_EXPECT_EQ_MSG(test, world.nr_drains, 6, "it is below the limit again");
	finish(test, t);
}

/* Free pages within the goal go, too, where the limit is in the way; live ones do not. */
static void step_below_limit(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);

	take(test, t, 20, 100);
	step(t, 0);
	give(t, 10, 2);
	step(t, 1);
	KUNIT_EXPECT_EQ(test, held(t), 4 * 512);
	t->h->limit_pages = 1500;
	step(t, 1);
	KUNIT_EXPECT_EQ(test, held(t), 1500 - 75);
	t->h->limit_pages = 1;
	step(t, 1);
	KUNIT_EXPECT_EQ(test, held(t), 1000);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(t->h));
	finish(test, t);
}

static void step_whole_chunks_first(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);

	take(test, t, 4, 512);
	give(t, 4, 1);
	/* Pages 0, 512 and 1536 stay. */
	take(test, t, 3, 512);
	take(test, t, 1, 1);
	gospan_kunit_give(t->h, t->s[0]);
	gospan_kunit_give(t->h, t->s[1]);
	t->s[0] = gospan_kunit_take(t->h, 1, 1);
	t->s[1] = gospan_kunit_take(t->h, 511, 1);
	gospan_kunit_give(t->h, t->s[2]);
	t->s[2] = gospan_kunit_take(t->h, 1, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(t->s[0]), 0);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(t->s[1]), 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(t->s[2]), 512);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(t->s[3]), 1536);
	/* Time for one at a time. */
	world.tick_ns = GOSPAN_SCAVENGE_WORK_NS;
	step(t, 0);
	KUNIT_EXPECT_EQ(test, held(t), 3 * 512);
	KUNIT_EXPECT_PTR_EQ(test, gospan_arena_chunk_of(&t->h->arenas,
							gospan_kunit_source_addr(1024)),
			    &gospan_chunk_none);
	step(t, 0);
	KUNIT_EXPECT_EQ(test, held(t), 3 * 512 - 64);
	finish(test, t);
}

/* After a burst, as often as it asks to be called; until what is held is near the use. */
static void step_converges_after_burst(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);
	unsigned int i, steps = 0;
	unsigned long use;
	u64 start;

	gospan_kunit_seed(test, &t->rnd);
	world.tick_ns = 100 * NSEC_PER_USEC;
	for (i = 0; i < MAX_SPANS; i++) {
		t->s[i] = gospan_kunit_take(t->h, 1 + gospan_kunit_below(&t->rnd, 80), 1);
		KUNIT_ASSERT_NOT_NULL(test, t->s[i]);
	}
	step(t, 0);
	for (i = 0; i < MAX_SPANS; i++) {
		if (!gospan_kunit_below(&t->rnd, 10))
			continue;
		gospan_kunit_give(t->h, t->s[i]);
		t->s[i] = NULL;
	}
	use = gospan_kunit_inuse_pages(t->h);
	start = world.ns;
	while (held(t) > use + use / 10 && steps < 1000) {
		world.ns += step(t, 0);
		steps++;
	}
	kunit_info(test, "%lu pages held for %lu after %llu ms, %u steps", held(t), use,
		   div_u64(world.ns - start, NSEC_PER_MSEC), steps);
	KUNIT_EXPECT_LE(test, held(t), use + use / 10);
	KUNIT_EXPECT_LE(test, world.ns - start, 90 * SEC);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(t->h));
	finish(test, t);
}

/* The same, told in another way: what the goal is, and what has been worked. */
struct oracle {
	unsigned long goal;
	u64 goal_ns;			/* when it was as high as it is */
	u64 worked_ns;
	unsigned long nr_steps;
};

static void oracle_goal(struct oracle *o, unsigned long use)
{
	if (use >= o->goal) {
		o->goal = use;
		o->goal_ns = world.first_ns;
	}
	while (world.first_ns - o->goal_ns >= SEC && o->goal > use) {
		o->goal -= (o->goal - use + 7) / 8;
		o->goal_ns += SEC;
	}
	if (o->goal == use && world.first_ns - o->goal_ns >= SEC)
		o->goal_ns = world.first_ns;
}

/* A step, and whether it did what it may and must. Returns when the next is due. */
static u64 oracle_step(struct kunit *test, struct scavenge_test *t, struct oracle *o)
{
	struct gospan_supply_usage before = gospan_supply_usage(t->h, NUMA_NO_NODE), after;
	unsigned long held_before = before.obtained_pages - before.released_pages, held_after;
	unsigned long retain;
	u64 rest = step(t, 0), worked = world.ns - world.first_ns;

	oracle_goal(o, held_before - before.free_pages);
	o->worked_ns += worked;
	o->nr_steps++;
	after = gospan_supply_usage(t->h, NUMA_NO_NODE);
	held_after = after.obtained_pages - after.released_pages;
	retain = o->goal + o->goal / 10;
	KUNIT_ASSERT_EQ(test, t->sc.goal_pages, o->goal);
	/* Nothing that may stay goes, but with a whole chunk. */
	if (held_after < held_before)
		KUNIT_ASSERT_GT(test, held_after + 512, retain);
	if (held_before <= retain)
		KUNIT_ASSERT_EQ(test, held_after, held_before);
	/* It rests only for lack of time, or when nothing is to be done. */
	if (held_after > retain && after.free_pages)
		KUNIT_ASSERT_GE(test, worked, GOSPAN_SCAVENGE_WORK_NS);
	KUNIT_ASSERT_GE(test, rest, 99 * worked);
	if (!held_before)
		KUNIT_ASSERT_EQ(test, rest, 0);
	else
		KUNIT_ASSERT_GT(test, rest, 0);
	return rest ? world.ns + rest : U64_MAX;
}

/* Move the load towards @target pages by a few spans. */
static void load_change(struct scavenge_test *t, unsigned long target)
{
	unsigned int n = 1 + gospan_kunit_below(&t->rnd, 16);
	bool more = gospan_kunit_inuse_pages(t->h) < target;

	while (n--) {
		struct gospan_span **s = &t->s[gospan_kunit_below(&t->rnd, MAX_SPANS)];

		if (*s && (!more || !gospan_kunit_below(&t->rnd, 4))) {
			gospan_kunit_give(t->h, *s);
			*s = NULL;
		} else if (!*s && more) {
			*s = gospan_kunit_take(t->h, 1 + gospan_kunit_below(&t->rnd, 40), 1);
		}
	}
}

#define MAX_TARGET	1500U

/* Hours of a load that rises and falls, and is still at the end. */
static void step_hours_of_load(struct kunit *test)
{
	struct scavenge_test *t = scavenge_make(test, false);
	u64 end, still, load_due, step_due, start;
	struct oracle o = {};
	unsigned long target = 0, use;
	unsigned int changes = 0;

	gospan_kunit_seed(test, &t->rnd);
	o.goal_ns = t->sc.goal_ns;
	start = world.ns;
	still = start + 2 * 3600 * SEC;
	end = still + 180 * SEC;
	load_due = world.ns;
	step_due = U64_MAX;
	while (min(load_due, step_due) < end) {
		world.ns = max(world.ns, min(load_due, step_due));
		if (step_due <= load_due) {
			world.tick_ns = gospan_kunit_below(&t->rnd, 400 * NSEC_PER_USEC);
			step_due = oracle_step(test, t, &o);
			continue;
		}
		if (!gospan_kunit_below(&t->rnd, 30))
			target = gospan_kunit_below(&t->rnd, 2) *
				 gospan_kunit_below(&t->rnd, MAX_TARGET);
		load_change(t, target);
		/* The heap grew: it is called. */
		if (step_due == U64_MAX && held(t))
			step_due = world.ns + SEC;
		if (!(++changes % 256))
			KUNIT_ASSERT_TRUE(test, gospan_heap_validate(t->h));
		load_due = world.ns + (u64)gospan_kunit_below(&t->rnd, 8000) * NSEC_PER_MSEC;
		if (load_due >= still)
			load_due = U64_MAX;
	}
	use = gospan_kunit_inuse_pages(t->h);
	kunit_info(test, "%u changes, %lu steps, %lu pages given back, %llu ms worked", changes,
		   o.nr_steps, t->sc.released_pages, div_u64(o.worked_ns, NSEC_PER_MSEC));
	KUNIT_EXPECT_LE(test, held(t), use + use / 10);
	KUNIT_EXPECT_EQ(test, t->sc.released_pages,
			gospan_supply_usage(t->h, NUMA_NO_NODE).released_pages);
	KUNIT_EXPECT_LE(test, o.worked_ns * 99, world.ns - start);
	KUNIT_EXPECT_EQ(test, world.nr_drains, 0);
	finish(test, t);
}

static struct kunit_case scavenge_cases[] = {
	KUNIT_CASE(step_of_nothing),
	KUNIT_CASE(step_goal_follows_use),
	KUNIT_CASE(step_goal_after_long),
	KUNIT_CASE(retain_of_goal_and_limit),
	KUNIT_CASE(step_takes_its_share),
	KUNIT_CASE(step_goes_on_after_rest),
	KUNIT_CASE(step_polls),
	KUNIT_CASE(step_drains_over_limit),
	KUNIT_CASE(step_below_limit),
	KUNIT_CASE(step_whole_chunks_first),
	KUNIT_CASE(step_converges_after_burst),
	KUNIT_CASE(step_hours_of_load),
	{}
};

static struct kunit_suite scavenge_suite = {
	.name = "gospan_scavenge",
	.init = gospan_kunit_init,
	.test_cases = scavenge_cases,
};

kunit_test_suite(scavenge_suite);
