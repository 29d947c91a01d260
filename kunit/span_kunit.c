// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of a span's bits, against tables and against an array of bools.
 *
 * The spans here have no memory: nothing looks at what is in an object.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include "../src/span.h"
#include "../src/validate.h"
#include "helper.h"

#define BASE	(64UL * GOSPAN_PAGE_SIZE)

static struct gospan_span *span_make(struct kunit *test, unsigned int sizeclass)
{
	unsigned int spanclass = gospan_make_spanclass(sizeclass, false);
	const struct gospan_layout l = gospan_spanclass_layout(spanclass);
	struct gospan_span *s = kunit_kmalloc(test, gospan_span_bytes(l.nelems), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	/* Whatever init leaves out shows. */
	memset(s, 0xa5, gospan_span_bytes(l.nelems));
	gospan_span_init(s, spanclass, BASE, &l);
	return s;
}

static void *slot_addr(const struct gospan_span *s, unsigned int slot)
{
	return (void *)(s->base + (unsigned long)slot * gospan_spanclass_bytes(s->spanclass));
}

static unsigned int addr_slot(const struct gospan_span *s, const void *p)
{
	return ((unsigned long)p - s->base) / gospan_spanclass_bytes(s->spanclass);
}

struct span_step {
	enum { END, TAKE, TAKE_RUN, FREE } op;
	unsigned int n;		/* TAKE: slots wanted; FREE: slot */
	int want;		/* TAKE: slots had; FREE: verdict */
	int first, last;	/* slots of the first and the last one had; all between in a RUN */
};

struct span_table {
	const char *name;
	unsigned int bytes;	/* of an object */
	struct span_step step[12];
	unsigned int alloc_count, freeindex;	/* afterwards */
};

#define TAKE_NONE(n)		{ TAKE, n, 0, -1, -1 }
#define TAKE_SLOTS(first, last)	{ TAKE_RUN, 0, 0, first, last }
#define FREE_SLOT(slot)		{ FREE, slot, GOSPAN_FREE_OK, 0, 0 }
#define FREE_AGAIN(slot)	{ FREE, slot, GOSPAN_FREE_DOUBLE, 0, 0 }

/* 64 B: 128 slots, two words; 80 B: 102, the last word has 38; 1024 B: 8; 8 KiB: one. */
static const struct span_table span_tables[] = {
	{ "lowest_first", 64, { TAKE_SLOTS(0, 2), TAKE_SLOTS(3, 3), TAKE_SLOTS(4, 9) }, 10, 0 },
	{ "across_words", 64, { TAKE_SLOTS(0, 59), TAKE_SLOTS(60, 69) }, 70, 64 },
	{ "word_exactly", 64, { TAKE_SLOTS(0, 63), TAKE_SLOTS(64, 64) }, 65, 64 },
	{ "more_than_there_is", 64, { TAKE_SLOTS(0, 119), { TAKE, 20, 8, 120, 127 },
	  TAKE_NONE(1) }, 128, 64 },
	{ "partial_last_word", 80, { TAKE_SLOTS(0, 99), { TAKE, 64, 2, 100, 101 },
	  TAKE_NONE(64) }, 102, 64 },
	{ "free_in_current_word", 64, { TAKE_SLOTS(0, 9), FREE_SLOT(3), FREE_SLOT(7),
	  { TAKE, 3, 3, 3, 10 } }, 11, 0 },
	{ "free_below_current_word", 64, { TAKE_SLOTS(0, 79), FREE_SLOT(5), FREE_SLOT(4),
	  { TAKE, 3, 3, 4, 80 } }, 81, 64 },
	{ "free_above_current_word", 64, { TAKE_SLOTS(0, 127), FREE_SLOT(1), FREE_SLOT(100),
	  FREE_SLOT(2), { TAKE, 2, 2, 1, 2 }, TAKE_SLOTS(100, 100) }, 128, 64 },
	{ "free_last_slot_of_full", 80, { TAKE_SLOTS(0, 101), FREE_SLOT(101),
	  TAKE_SLOTS(101, 101), TAKE_NONE(1) }, 102, 64 },
	{ "free_first_slot_of_full", 80, { TAKE_SLOTS(0, 101), FREE_SLOT(0),
	  TAKE_SLOTS(0, 0), TAKE_NONE(1) }, 102, 64 },
	{ "double_free", 64, { TAKE_SLOTS(0, 1), FREE_SLOT(1), FREE_AGAIN(1), FREE_SLOT(0),
	  FREE_AGAIN(0) }, 0, 0 },
	{ "free_never_taken", 64, { FREE_AGAIN(0), FREE_AGAIN(127), TAKE_SLOTS(0, 0) }, 1, 0 },
	{ "free_past_the_end", 80, { TAKE_SLOTS(0, 101), { FREE, 102, GOSPAN_FREE_INTERIOR } },
	  102, 64 },
	{ "few_slots", 1024, { TAKE_SLOTS(0, 7), TAKE_NONE(1), FREE_SLOT(7), FREE_SLOT(0),
	  { TAKE, 2, 2, 0, 7 } }, 8, 0 },
	{ "one_slot", 8192, { TAKE_SLOTS(0, 0), TAKE_NONE(1), FREE_SLOT(0), TAKE_SLOTS(0, 0) },
	  1, 0 },
	{ "take_nothing", 64, { TAKE_NONE(0) }, 0, 0 },
};

static void span_table_name(const struct span_table *table, char *name)
{
	strscpy(name, table->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(span, span_tables, span_table_name);

static enum gospan_verdict free_one(struct gospan_span *s, const void *p)
{
	void *const obj = (void *)p;

	return gospan_span_free(s, &obj, 1) ? GOSPAN_FREE_OK : gospan_span_verdict(s, p);
}

static void table_take(struct kunit *test, struct gospan_span *s, const struct span_step *step)
{
	unsigned int run = step->last - step->first + 1;
	unsigned int n = step->op == TAKE_RUN ? run : step->n;
	unsigned int want = step->op == TAKE_RUN ? run : step->want;
	void *objs[128];

	KUNIT_ASSERT_LE(test, n, ARRAY_SIZE(objs));
	KUNIT_ASSERT_EQ(test, gospan_span_alloc(s, objs, n), want);
	if (!want)
		return;
	KUNIT_EXPECT_PTR_EQ(test, objs[0], slot_addr(s, step->first));
	KUNIT_EXPECT_PTR_EQ(test, objs[want - 1], slot_addr(s, step->last));
}

static void span_steps(struct kunit *test)
{
	const struct span_table *table = test->param_value;
	struct gospan_span *s = span_make(test, gospan_size_to_class(table->bytes));
	const struct span_step *step;

	if (GOSPAN_PAGE_SIZE != 8192)
		kunit_skip(test, "the tables are for pages of 8 KiB");
	for (step = table->step; step->op != END; step++) {
		if (step->op == FREE)
			KUNIT_EXPECT_EQ(test, (int)free_one(s, slot_addr(s, step->n)),
					step->want);
		else
			table_take(test, s, step);
		KUNIT_ASSERT_TRUE(test, gospan_span_validate(s));
	}
	KUNIT_EXPECT_EQ(test, s->alloc_count, table->alloc_count);
	KUNIT_EXPECT_EQ(test, s->freeindex, table->freeindex);
}

static void span_init_every_class(struct kunit *test)
{
	unsigned int sizeclass;

	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		struct gospan_span *s = span_make(test, sizeclass);

		KUNIT_ASSERT_TRUE(test, gospan_span_validate(s));
		KUNIT_EXPECT_EQ(test, s->alloc_count, 0);
		KUNIT_EXPECT_EQ(test, s->freeindex, 0);
		KUNIT_EXPECT_FALSE(test, s->owned);
		KUNIT_EXPECT_TRUE(test, list_empty(&s->list));
		KUNIT_EXPECT_EQ(test, gospan_span_is_full(s), false);
		kunit_kfree(test, s);
	}
}

/* Every byte of the span: only the starts of the slots are objects. */
static void span_free_interior(struct kunit *test)
{
	static const unsigned int sizes[] = { 8, 24, 80, 1408, 6784, 32768 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct gospan_span *s = span_make(test, gospan_size_to_class(sizes[i]));
		unsigned long offset;

		for (offset = 0; offset < s->npages * GOSPAN_PAGE_SIZE; offset++) {
			const void *p = (void *)(s->base + offset);
			bool starts = !(offset % sizes[i]) && offset / sizes[i] < s->nelems;

			if (gospan_span_object_bytes(s, p) != (starts ? sizes[i] : 0) ||
			    free_one(s, p) !=
			    (starts ? GOSPAN_FREE_DOUBLE : GOSPAN_FREE_INTERIOR)) {
				KUNIT_FAIL(test, "%u B: offset %lu", sizes[i], offset);
				return;
			}
		}
		KUNIT_EXPECT_TRUE(test, gospan_span_validate(s));
		kunit_kfree(test, s);
	}
}

static void span_object_bytes_large(struct kunit *test)
{
	const struct gospan_layout l = { .npages = 5, .align_npages = 1, .nelems = 1 };
	struct gospan_span *s = kunit_kzalloc(test, gospan_span_bytes(1), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	gospan_span_init(s, GOSPAN_SPANCLASS_LARGE, BASE, &l);
	KUNIT_EXPECT_EQ(test, gospan_span_object_bytes(s, (void *)BASE), 5 * GOSPAN_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, gospan_span_object_bytes(s, (void *)(BASE + 1)), 0);
	KUNIT_EXPECT_EQ(test, gospan_span_object_bytes(s, (void *)(BASE + GOSPAN_PAGE_SIZE)), 0);
}

/* Take up to @n slots; the oracle knows which. */
static bool random_take(struct gospan_span *s, bool *taken, void **objs, unsigned int n)
{
	unsigned int got = gospan_span_alloc(s, objs, n);
	unsigned int slot = 0, i;

	for (i = 0; i < n; i++) {
		while (slot < s->nelems && taken[slot])
			slot++;
		if (slot == s->nelems)
			break;
		if (i >= got || objs[i] != slot_addr(s, slot))
			return false;
		taken[slot] = true;
	}
	return i == got;
}

static bool random_free(struct gospan_span *s, bool *taken, unsigned int slot)
{
	enum gospan_verdict verdict = free_one(s, slot_addr(s, slot));
	bool was_taken = taken[slot];

	taken[slot] = false;
	return verdict == (was_taken ? GOSPAN_FREE_OK : GOSPAN_FREE_DOUBLE);
}

static void random_class(struct kunit *test, struct rnd_state *rnd, unsigned int sizeclass,
			 bool *taken, void **objs)
{
	struct gospan_span *s = span_make(test, sizeclass);
	unsigned int step, slot, count;

	memset(taken, 0, s->nelems * sizeof(*taken));
	for (step = 0; step < 200; step++) {
		bool ok = true;

		if (gospan_kunit_below(rnd, 3) == 0)
			ok = random_take(s, taken, objs, gospan_kunit_below(rnd, 100));
		else
			for (count = gospan_kunit_below(rnd, 40); ok && count; count--)
				ok = random_free(s, taken, gospan_kunit_below(rnd, s->nelems));
		for (slot = count = 0; slot < s->nelems; slot++)
			count += taken[slot];
		if (!ok || count != s->alloc_count || !gospan_span_validate(s)) {
			KUNIT_FAIL(test, "class %u, step %u", sizeclass, step);
			return;
		}
	}
	kunit_kfree(test, s);
}

static void span_random_against_oracle(struct kunit *test)
{
	bool *taken = kunit_kcalloc(test, GOSPAN_PAGE_SIZE / 8, sizeof(*taken), GFP_KERNEL);
	void **objs = kunit_kcalloc(test, 100, sizeof(*objs), GFP_KERNEL);
	unsigned int sizeclass;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, taken);
	KUNIT_ASSERT_NOT_NULL(test, objs);
	gospan_kunit_seed(test, &rnd);
	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++)
		random_class(test, &rnd, sizeclass, taken, objs);
}

/* The last word's missing slots are never handed out. */
static void span_alloc_tail_every_class(struct kunit *test)
{
	void **objs = kunit_kcalloc(test, GOSPAN_PAGE_SIZE / 8 + 1, sizeof(*objs), GFP_KERNEL);
	unsigned int sizeclass;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		struct gospan_span *s = span_make(test, sizeclass);
		unsigned int got = gospan_span_alloc(s, objs, s->nelems + 1);

		KUNIT_ASSERT_EQ(test, got, s->nelems);
		KUNIT_EXPECT_TRUE(test, gospan_span_is_full(s));
		KUNIT_EXPECT_EQ(test, addr_slot(s, objs[got - 1]), s->nelems - 1U);
		KUNIT_EXPECT_TRUE(test, gospan_span_validate(s));
		kunit_kfree(test, s);
	}
}

/* A run ends before the first that is not an object taken, or another span's. */
static void span_free_run(struct kunit *test)
{
	struct gospan_span *s = span_make(test, gospan_size_to_class(64));
	void *objs[128];

	KUNIT_ASSERT_EQ(test, gospan_span_alloc(s, objs, 128), 128);
	objs[100] = (void *)(s->base + s->npages * GOSPAN_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, gospan_span_free(s, objs + 70, 58), 30);
	KUNIT_EXPECT_EQ(test, gospan_span_free(s, objs + 100, 28), 0);
	KUNIT_EXPECT_EQ(test, s->alloc_count, 98);
	KUNIT_EXPECT_EQ(test, s->freeindex, 64);
	KUNIT_ASSERT_TRUE(test, gospan_span_validate(s));
	/* The last three: taken, free, taken. */
	KUNIT_EXPECT_EQ(test, gospan_span_free(s, objs + 69, 3), 1);
	KUNIT_EXPECT_EQ(test, (int)gospan_span_verdict(s, objs[70]), GOSPAN_FREE_DOUBLE);
	KUNIT_EXPECT_EQ(test, s->alloc_count, 97);
	objs[3]++;
	KUNIT_EXPECT_EQ(test, gospan_span_free(s, objs, 64), 3);
	KUNIT_EXPECT_EQ(test, (int)gospan_span_verdict(s, objs[3]), GOSPAN_FREE_INTERIOR);
	KUNIT_EXPECT_EQ(test, (int)gospan_span_verdict(s, objs[4]), GOSPAN_FREE_OK);
	KUNIT_EXPECT_EQ(test, s->alloc_count, 94);
	KUNIT_EXPECT_EQ(test, s->freeindex, 0);
	KUNIT_ASSERT_TRUE(test, gospan_span_validate(s));
}

/* Each slot once, and mostly not the one behind the last. */
static void expect_no_order(struct kunit *test, struct gospan_span *s, unsigned int nr_free)
{
	unsigned int got, n, i, last = 0, nr = 0, in_order = 0;
	u8 *taken = kunit_kzalloc(test, s->nelems, GFP_KERNEL);
	void *objs[7];

	KUNIT_ASSERT_NOT_NULL(test, taken);
	while ((got = gospan_span_alloc(s, objs, ARRAY_SIZE(objs)))) {
		for (i = 0; i < got; i++, nr++) {
			n = addr_slot(s, objs[i]);
			KUNIT_ASSERT_LT(test, n, s->nelems);
			KUNIT_EXPECT_EQ(test, taken[n]++, 0);
			in_order += nr && n == last + 1;
			last = n;
		}
		KUNIT_EXPECT_EQ(test, s->alloc_cache, ~s->alloc_bits[s->freeindex / 64]);
	}
	KUNIT_EXPECT_EQ(test, nr, nr_free);
	KUNIT_EXPECT_TRUE(test, gospan_span_is_full(s));
	if (nr >= 32)
		KUNIT_EXPECT_LT(test, in_order, nr / 4);
	kunit_kfree(test, taken);
}

static void span_alloc_randomized(struct kunit *test)
{
	struct gospan_span *s;
	unsigned int sizeclass, i;

	static_branch_enable(&gospan_span_randomizes);
	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		s = span_make(test, sizeclass);
		expect_no_order(test, s, s->nelems);
		for (i = 0; i < s->nelems; i += 2) {
			void *p = slot_addr(s, i);

			KUNIT_EXPECT_EQ(test, gospan_span_free(s, &p, 1), 1);
		}
		expect_no_order(test, s, (s->nelems + 1) / 2);
		kunit_kfree(test, s);
	}
	static_branch_disable(&gospan_span_randomizes);
}

static struct kunit_case span_cases[] = {
	KUNIT_CASE_PARAM(span_steps, span_gen_params),
	KUNIT_CASE(span_init_every_class),
	KUNIT_CASE(span_alloc_tail_every_class),
	KUNIT_CASE(span_alloc_randomized),
	KUNIT_CASE(span_free_interior),
	KUNIT_CASE(span_free_run),
	KUNIT_CASE(span_object_bytes_large),
	KUNIT_CASE(span_random_against_oracle),
	{}
};

static struct kunit_suite span_suite = {
	.name = "gospan_span",
	.test_cases = span_cases,
};

kunit_test_suite(span_suite);
