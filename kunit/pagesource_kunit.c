// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the page source: which blocks it asks the kernel for, how, and what it
 * remembers of the answers.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/string.h>
#include "../src/pagesource.h"

#define MAX_ORDER_ASKED	GOSPAN_BLOCK_MAX_ORDER
#define MAX_ASKED	16U

/* A source that has blocks up to some order, and notes how it was asked. */
static struct {
	int max_order;			/* largest that it has; -1: none */
	unsigned int nr_asked;
	struct {
		int node;
		gfp_t gfp;
		unsigned int order;
	} asked[MAX_ASKED];
	struct page page;		/* what it gives; never looked at */
} source;

static struct page *source_alloc(int node, gfp_t gfp, unsigned int order)
{
	if (source.nr_asked < MAX_ASKED) {
		source.asked[source.nr_asked].node = node;
		source.asked[source.nr_asked].gfp = gfp;
		source.asked[source.nr_asked].order = order;
	}
	source.nr_asked++;
	return (int)order <= source.max_order ? &source.page : NULL;
}

static void source_free(struct page *page)
{
}

static bool source_zeroes(gfp_t gfp)
{
	return false;
}

static const struct gospan_page_source noting_source = {
	.alloc = source_alloc,
	.free = source_free,
	.zeroes = source_zeroes,
};

/* As a heap that grows does it. Orders are counted down from the largest. */
static struct page *grow(struct gospan_backoff *b, unsigned int min_down, int max_down)
{
	unsigned int min_order = MAX_ORDER_ASKED - min_down;
	unsigned int asked = gospan_backoff_begin(b, min_order), order = asked;
	struct page *page;

	source.max_order = max_down < 0 ? -1 : (int)MAX_ORDER_ASKED - max_down;
	source.nr_asked = 0;
	page = gospan_pagesource_get(&noting_source, NUMA_NO_NODE, GFP_KERNEL, min_order, &order);
	gospan_backoff_end(b, asked, order, page);
	return page;
}

/*
 * Grows one after the other. Orders are digits, counted down from the largest:
 * that needed, the largest there is (n: none), and those that must be asked.
 */
struct backoff_step {
	char min, has;
	const char *asked;
	unsigned int nr_refused, nr_held;	/* since the start, afterwards */
};

struct backoff_table {
	const char *name;
	struct backoff_step steps[20];
};

static const struct backoff_table backoff_tables[] = {
	{ "all_there", {
		{ '7', '0', "0", 0, 0 },
		{ '0', '0', "0", 0, 0 },
		{ '5', '0', "0", 0, 0 },
	} },
	/* Held for 1, 2, 4, ... grows; then one order more is tried. */
	{ "fragmented", {
		{ '7', '4', "01234", 4, 0 },
		{ '7', '4', "4", 4, 1 },
		{ '7', '4', "34", 5, 1 },
		{ '7', '4', "4", 5, 2 },
		{ '7', '4', "4", 5, 3 },
		{ '7', '4', "34", 6, 3 },
		{ '7', '4', "4", 6, 4 },
		{ '7', '4', "4", 6, 5 },
		{ '7', '4', "4", 6, 6 },
		{ '7', '4', "4", 6, 7 },
		{ '7', '4', "34", 7, 7 },
		{ '7', '4', "4", 7, 8 },
	} },
	/* More each time, once there is more. */
	{ "recovers", {
		{ '7', '4', "01234", 4, 0 },
		{ '7', '0', "4", 4, 1 },
		{ '7', '0', "3", 4, 1 },
		{ '7', '0', "2", 4, 1 },
		{ '7', '0', "1", 4, 1 },
		{ '7', '0', "0", 4, 1 },
		{ '7', '0', "0", 4, 1 },
		{ '7', '2', "012", 6, 1 },
		/* The hold is short again. */
		{ '7', '2', "2", 6, 2 },
		{ '7', '2', "12", 7, 2 },
	} },
	{ "worsens", {
		{ '7', '2', "012", 2, 0 },
		{ '7', '4', "234", 4, 1 },
		{ '7', '4', "4", 4, 2 },
		{ '7', '4', "4", 4, 3 },
		{ '7', '6', "3456", 7, 3 },
	} },
	/* What a span needs is asked for, held or not. */
	{ "needs_more_than_held", {
		{ '7', '5', "012345", 5, 0 },
		{ '2', '2', "2", 5, 1 },
		{ '7', '5', "12345", 9, 1 },
	} },
	/* A large block that is refused says nothing about those below it. */
	{ "needs_more_and_is_refused", {
		{ '7', '5', "012345", 5, 0 },
		{ '2', '5', "2", 6, 1 },
		{ '7', '5', "5", 6, 2 },
		{ '7', '5', "5", 6, 3 },
		{ '7', '5', "45", 7, 3 },
	} },
	{ "nothing_there", {
		{ '2', 'n', "012", 3, 0 },
		{ '7', 'n', "34567", 8, 1 },
		{ '7', 'n', "7", 9, 2 },
		{ '7', 'n', "7", 10, 3 },
		{ '7', 'n', "7", 11, 4 },
	} },
	/* All the way down: there is no order below 0. */
	{ "least_order_refused", {
		{ 'a', 'n', "0123456789a", 11, 0 },
		{ 'a', 'n', "a", 12, 1 },
		{ 'a', 'a', "a", 12, 2 },
		{ 'a', 'a', "a", 12, 3 },
		{ 'a', 'a', "9a", 13, 3 },
	} },
};

static void backoff_name(const struct backoff_table *table, char *name)
{
	strscpy(name, table->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(backoff, backoff_tables, backoff_name);

static int digit(char c)
{
	return c == 'n' ? -1 : c >= 'a' ? c - 'a' + 10 : c - '0';
}

static void backoff_asks(struct kunit *test)
{
	const struct backoff_table *table = test->param_value;
	const struct backoff_step *step;
	struct gospan_backoff b;
	unsigned int i;

	if (MAX_ORDER_ASKED != 10)
		kunit_skip(test, "the tables are for blocks of order 10");
	gospan_backoff_init(&b);
	for (step = table->steps; step->asked; step++) {
		int n = step - table->steps;
		struct page *page = grow(&b, digit(step->min), digit(step->has));

		KUNIT_EXPECT_EQ_MSG(test, !!page, step->has != 'n' &&
				    digit(step->has) <= digit(step->min), "step %d", n);
		KUNIT_ASSERT_EQ_MSG(test, source.nr_asked, strlen(step->asked), "step %d", n);
		for (i = 0; i < source.nr_asked; i++)
			KUNIT_EXPECT_EQ_MSG(test, MAX_ORDER_ASKED - source.asked[i].order,
					    digit(step->asked[i]), "step %d", n);
		KUNIT_EXPECT_EQ_MSG(test, b.nr_refused, step->nr_refused, "step %d", n);
		KUNIT_EXPECT_EQ_MSG(test, b.nr_held, step->nr_held, "step %d", n);
	}
}

/* Grows until a larger block is tried again, which is refused, too. */
static unsigned int grows_until_retry(struct gospan_backoff *b)
{
	unsigned int nr = 0;

	do {
		grow(b, 7, 5);
		nr++;
	} while (source.nr_asked == 1 && nr < 1000);
	return nr;
}

static void backoff_hold_doubles_up_to_a_bound(struct kunit *test)
{
	struct gospan_backoff b;
	unsigned int hold, round;

	gospan_backoff_init(&b);
	grow(&b, 7, 5);
	for (hold = 1; hold < GOSPAN_BACKOFF_MAX_HOLD; hold *= 2)
		KUNIT_EXPECT_EQ(test, grows_until_retry(&b), hold + 1);
	for (round = 0; round < 3; round++)
		KUNIT_EXPECT_EQ(test, grows_until_retry(&b), GOSPAN_BACKOFF_MAX_HOLD + 1);
	KUNIT_EXPECT_EQ(test, b.nr_held, 2 * GOSPAN_BACKOFF_MAX_HOLD - 1 +
			2 * GOSPAN_BACKOFF_MAX_HOLD);
}

/* However large the block that a span needs, a chunk is the most that is asked for unasked. */
static void backoff_needs_more_than_a_chunk(struct kunit *test)
{
	struct gospan_backoff b;
	unsigned int asked;

	gospan_backoff_init(&b);
	asked = gospan_backoff_begin(&b, MAX_ORDER_ASKED + 1);
	KUNIT_EXPECT_EQ(test, asked, MAX_ORDER_ASKED + 1);
	gospan_backoff_end(&b, asked, asked, true);
	KUNIT_EXPECT_EQ(test, gospan_backoff_begin(&b, 0), MAX_ORDER_ASKED);
	gospan_backoff_end(&b, MAX_ORDER_ASKED + 1, MAX_ORDER_ASKED + 1, false);
	KUNIT_EXPECT_EQ(test, gospan_backoff_begin(&b, 0), MAX_ORDER_ASKED);
}

static const gfp_t callers_gfp[] = {
	GFP_KERNEL,
	GFP_KERNEL | __GFP_NOFAIL,
	GFP_KERNEL | __GFP_RETRY_MAYFAIL,
	GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN,
	GFP_NOIO,
	GFP_NOWAIT,
	GFP_ATOMIC,
	GFP_ATOMIC | __GFP_MEMALLOC,
	0,
};

/* More than is needed is taken only where it is free, on the node, without a word. */
static void pagesource_get_gfp(struct kunit *test)
{
	unsigned int order, i, j;
	struct page *page;

	for (i = 0; i < ARRAY_SIZE(callers_gfp); i++) {
		gfp_t gfp = callers_gfp[i];

		source.nr_asked = 0;
		source.max_order = 2;
		order = 5;
		page = gospan_pagesource_get(&noting_source, 7, gfp, 2, &order);
		KUNIT_EXPECT_PTR_EQ(test, page, &source.page);
		KUNIT_EXPECT_EQ(test, order, 2);
		KUNIT_ASSERT_EQ(test, source.nr_asked, 4);
		for (j = 0; j < 3; j++) {
			gfp_t asked = source.asked[j].gfp;

			KUNIT_EXPECT_EQ(test, source.asked[j].order, 5 - j);
			KUNIT_EXPECT_EQ(test, source.asked[j].node, 7);
			KUNIT_EXPECT_EQ(test, asked & (__GFP_RECLAIM | __GFP_NOFAIL | __GFP_HIGH |
						       __GFP_MEMALLOC), 0);
			KUNIT_EXPECT_EQ(test, ~asked & (__GFP_NOWARN | __GFP_THISNODE |
							__GFP_NOMEMALLOC), 0);
		}
		KUNIT_EXPECT_EQ(test, source.asked[3].order, 2);
		KUNIT_EXPECT_EQ(test, source.asked[3].node, 7);
		KUNIT_EXPECT_EQ(test, source.asked[3].gfp, gfp & ~__GFP_NOFAIL);
	}
}

static void pagesource_get_refused(struct kunit *test)
{
	unsigned int order = 3;

	source.nr_asked = 0;
	source.max_order = 1;
	KUNIT_EXPECT_NULL(test, gospan_pagesource_get(&noting_source, 0, GFP_NOWAIT, 2, &order));
	KUNIT_EXPECT_EQ(test, order, 2);
	KUNIT_EXPECT_EQ(test, source.nr_asked, 2);
	/* Only what is needed. */
	source.nr_asked = 0;
	source.max_order = 3;
	KUNIT_EXPECT_NOT_NULL(test, gospan_pagesource_get(&noting_source, 0, GFP_NOWAIT, 2,
							  &order));
	KUNIT_EXPECT_EQ(test, source.nr_asked, 1);
	KUNIT_EXPECT_EQ(test, source.asked[0].gfp, GFP_NOWAIT);
}

/* The kernel's pages: single ones, each of which goes back alone. */
static void kernel_pages_are_split(struct kunit *test)
{
	unsigned int order = 3, i;
	struct page *page;

	page = gospan_pagesource_get(&gospan_kernel_pages, NUMA_NO_NODE, GFP_KERNEL, 3, &order);
	KUNIT_ASSERT_NOT_NULL(test, page);
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, page_count(page + i), 1);
		KUNIT_EXPECT_FALSE(test, PageCompound(page + i));
	}
	gospan_pagesource_put(&gospan_kernel_pages, page + 3, 1);
	gospan_pagesource_put(&gospan_kernel_pages, page, 3);
	gospan_pagesource_put(&gospan_kernel_pages, page + 4, 4);
	KUNIT_EXPECT_EQ(test, gospan_kernel_pages.zeroes(GFP_KERNEL),
			want_init_on_alloc(GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, gospan_kernel_pages.zeroes(GFP_KERNEL | __GFP_ZERO));
}

static struct kunit_case pagesource_cases[] = {
	KUNIT_CASE_PARAM(backoff_asks, backoff_gen_params),
	KUNIT_CASE(backoff_hold_doubles_up_to_a_bound),
	KUNIT_CASE(backoff_needs_more_than_a_chunk),
	KUNIT_CASE(pagesource_get_gfp),
	KUNIT_CASE(pagesource_get_refused),
	KUNIT_CASE(kernel_pages_are_split),
	{}
};

static struct kunit_suite pagesource_suite = {
	.name = "gospan_pagesource",
	.test_cases = pagesource_cases,
};

kunit_test_suite(pagesource_suite);
