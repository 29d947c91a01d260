// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the page allocator, against tables and against an array of bools.
 *
 * The chunks here have no memory: nothing looks at what is in a page. After
 * each step all summaries are compared with the bits, without a cap.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include "../src/pagealloc.h"
#include "helper.h"

#define PAGE(chunk_idx, page_idx)	((chunk_idx) * GOSPAN_CHUNK_NPAGES + (page_idx))
/* The highest chunk that an address has, and one past it. */
#define LAST_CHUNK	(NR_CHUNKS - 1)
#define NR_CHUNKS	(1UL << (GOSPAN_SUMMARY_MAX_LEVELS * GOSPAN_SUMMARY_LEVEL_BITS))

/* --- what is right -------------------------------------------------------- */

/* Free runs of a region, never capped. */
struct runs {
	unsigned long npages, start, max, end;
};

/* What a walk of the tree finds. */
struct walk {
	unsigned long nr_summaries, nr_chunks, free_pages;
	unsigned long lowest;	/* free page */
	bool right;
};

/* The region that @a and then @b make. */
static struct runs runs_join(struct runs a, struct runs b)
{
	return (struct runs){
		.npages = a.npages + b.npages,
		.start = a.start == a.npages ? a.npages + b.start : a.start,
		.max = max3(a.max, b.max, a.end + b.start),
		.end = b.end == b.npages ? a.end + b.npages : b.end,
	};
}

static struct runs chunk_runs(const struct gospan_pallocbits *b, unsigned long page,
			      struct walk *walk)
{
	struct runs runs = { .npages = GOSPAN_CHUNK_NPAGES };
	unsigned int run = 0, i;

	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++) {
		bool taken = gospan_pallocbits_is_taken(b, i);

		run = taken ? 0 : run + 1;
		if (run == i + 1)
			runs.start = run;
		if (run > runs.max)
			runs.max = run;
		if (!taken && !walk->free_pages++)
			walk->lowest = page + i;
	}
	runs.end = run;
	walk->nr_chunks++;
	return runs;
}

static bool sum_is_right(struct gospan_pallocsum sum, struct runs runs)
{
	return sum.start == min_t(unsigned long, runs.start, GOSPAN_SUM_MAX) &&
	       sum.max == min_t(unsigned long, runs.max, GOSPAN_SUM_MAX) &&
	       sum.end == min_t(unsigned long, runs.end, GOSPAN_SUM_MAX);
}

static struct runs summary_runs(const struct gospan_summary *summary, unsigned int level,
				unsigned long page, struct walk *walk)
{
	unsigned long region = (unsigned long)GOSPAN_CHUNK_NPAGES <<
			       (level * GOSPAN_SUMMARY_LEVEL_BITS);
	struct runs all = {};
	unsigned int i;

	for (i = 0; i < GOSPAN_SUMMARY_FANOUT; i++, page += region) {
		struct runs runs = { .npages = region };

		if (summary->below[i])
			runs = level ? summary_runs(summary->below[i], level - 1, page, walk) :
			       chunk_runs(summary->chunk[i], page, walk);
		walk->right &= sum_is_right(summary->sum[i], runs);
		all = runs_join(all, runs);
	}
	walk->nr_summaries++;
	return all;
}

static bool pagealloc_is_right(const struct gospan_pagealloc *p)
{
	struct walk walk = { .lowest = GOSPAN_NO_PAGE, .right = true };

	if (p->root)
		summary_runs(p->root, p->nr_levels - 1, 0, &walk);
	return walk.right && p->nr_summaries == walk.nr_summaries &&
	       p->nr_chunks == walk.nr_chunks && p->free_pages == walk.free_pages &&
	       p->search_page <= walk.lowest;
}

/* --- making one ----------------------------------------------------------- */

static void pagealloc_free_all(void *data)
{
	gospan_pagealloc_destroy(data, kfree);
}

static struct gospan_pagealloc *pagealloc_make(struct kunit *test)
{
	struct gospan_pagealloc *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pagealloc_free_all, p), 0);
	return p;
}

/* @nr summaries, each with the next as below[0]. */
static struct gospan_summary *spare_make(struct kunit *test, unsigned int nr)
{
	struct gospan_summary *spare = NULL, *summary;

	while (nr--) {
		summary = kzalloc(sizeof(*summary), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, summary);
		summary->below[0] = spare;
		spare = summary;
	}
	return spare;
}

static struct gospan_pallocbits *chunk_insert(struct kunit *test, struct gospan_pagealloc *p,
					      unsigned long chunk_idx)
{
	unsigned int nr = gospan_pagealloc_nr_missing(p, chunk_idx);
	struct gospan_summary *spare = spare_make(test, nr);
	struct gospan_pallocbits *b = kunit_kmalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	memset(b, 0xff, sizeof(*b));
	gospan_pagealloc_insert(p, chunk_idx, b, &spare);
	KUNIT_ASSERT_NULL(test, spare);
	KUNIT_ASSERT_EQ(test, gospan_pagealloc_nr_missing(p, chunk_idx), 0);
	return b;
}

/* --- steps ---------------------------------------------------------------- */

struct page_run {
	unsigned long page;
	unsigned int npages;
};

struct pa_step {
	enum { END, INSERT, REMOVE, FREE, TAKE, FIND, ALL_FREE, TAKE_WORD, FREE_WORD, LAST } op;
	unsigned long page;	/* first one; FIND: the answer; INSERT, REMOVE, LAST: of chunk */
	unsigned int npages;
	union {
		unsigned int align_npages;	/* FIND */
		bool want;			/* ALL_FREE */
		u64 pages;			/* of a WORD */
		unsigned long limit;		/* LAST: chunks below */
	};
};

struct pa_table {
	const char *name;
	unsigned long chunk_idx[6];	/* before; 0 ends the list, but as the first one */
	struct page_run before[4];	/* free */
	struct pa_step step[14];
	struct page_run after[4];	/* free */
	unsigned long search_page;	/* afterwards */
	unsigned int nr_levels;
};

#define STEP_INSERT(chunk_idx)		{ INSERT, PAGE(chunk_idx, 0) }
#define STEP_REMOVE(chunk_idx)		{ REMOVE, PAGE(chunk_idx, 0) }
#define STEP_FIND(npages, page)		{ FIND, page, npages, { 1 } }
#define STEP_FIND_NONE(npages)		{ FIND, GOSPAN_NO_PAGE, npages, { 1 } }
#define STEP_ALIGNED(npages, align, page)	{ FIND, page, npages, { align } }
#define STEP_TAKE_WORD(npages, page, ones)	{ TAKE_WORD, page, npages, { .pages = ones } }
#define STEP_FREE_WORD(base, ones)	{ FREE_WORD, base, 0, { .pages = ones } }
#define STEP_IS_FREE(page, npages)	{ ALL_FREE, page, npages, { .want = true } }
#define STEP_NOT_FREE(page, npages)	{ ALL_FREE, page, npages, { .want = false } }
#define STEP_LAST(npages, below, chunk)	{ LAST, PAGE(chunk, 0), npages, { .limit = below } }
#define STEP_LAST_NONE(npages, below)	{ LAST, GOSPAN_NO_PAGE, npages, { .limit = below } }

static const struct pa_table pa_tables[] = {
	{ "lowest_first", { 0, 1 }, { { 3, 4 }, { 10, 9 }, { PAGE(1, 0), 512 } },
	  { STEP_FIND(1, 3), STEP_FIND(4, 3), STEP_FIND(5, 10), STEP_FIND(10, PAGE(1, 0)),
	    STEP_FIND(512, PAGE(1, 0)), STEP_FIND_NONE(513), STEP_FIND_NONE(65535) },
	  { { 3, 4 }, { 10, 9 }, { PAGE(1, 0), 512 } }, 3, 1 },
	{ "taken_from_below", { 0 }, { { 0, 512 } },
	  { { TAKE, 0, 1 }, STEP_FIND(1, 1), { TAKE, 1, 63 }, STEP_FIND(1, 64),
	    { TAKE, 64, 448 }, STEP_FIND_NONE(1) }, { }, 512, 1 },
	{ "freed_below_the_hint", { 0, 1 }, { { 0, 1024 } },
	  { { TAKE, 0, 600 }, { FREE, 100, 1 }, STEP_FIND(1, 100), STEP_FIND(2, 600),
	    { TAKE, 100, 1 }, STEP_FIND(1, 600) }, { { 600, 424 } }, 600, 1 },
	{ "taken_above_the_hint", { 0 }, { { 0, 100 } }, { { TAKE, 50, 10 }, STEP_FIND(50, 0) },
	  { { 0, 50 }, { 60, 40 } }, 0, 1 },
	{ "run_over_three_chunks", { 0, 1, 2 }, { { 511, 514 } },
	  { STEP_FIND(514, 511), STEP_FIND_NONE(515), { TAKE, 600, 1 }, STEP_FIND(424, 601),
	    STEP_FIND(89, 511), STEP_FIND_NONE(425) }, { { 511, 89 }, { 601, 424 } }, 0, 1 },
	{ "hole_of_a_chunk", { 0, 2 }, { { 0, 512 }, { PAGE(2, 0), 512 } },
	  { STEP_FIND(512, 0), STEP_FIND_NONE(513), STEP_NOT_FREE(511, 2),
	    STEP_IS_FREE(PAGE(2, 0), 512) }, { { 0, 512 }, { PAGE(2, 0), 512 } }, 0, 1 },
	{ "hole_is_filled", { 0, 2 }, { { 0, 512 }, { PAGE(2, 0), 512 } },
	  { STEP_INSERT(1UL), STEP_FIND_NONE(513), { FREE, PAGE(1, 0), 511 }, STEP_FIND(1023, 0),
	    { FREE, 1023, 1 }, STEP_FIND(1536, 0) }, { { 0, 1536 } }, 0, 1 },
	{ "raised_by_a_neighbour", { 7 }, { { PAGE(7, 510), 2 } },
	  { STEP_INSERT(8UL), { FREE, PAGE(8, 0), 2 }, STEP_FIND(4, PAGE(7, 510)),
	    STEP_INSERT(6UL), { FREE, PAGE(6, 9), 1 }, STEP_FIND(1, PAGE(6, 9)) },
	  { { PAGE(6, 9), 1 }, { PAGE(7, 510), 4 } }, 3081, 2 },
	{ "raised_by_many_levels", { 0 }, { { 0, 512 } },
	  { STEP_INSERT(LAST_CHUNK), STEP_FIND_NONE(513), { FREE, PAGE(LAST_CHUNK, 500), 12 },
	    { TAKE, 0, 512 }, STEP_FIND(12, PAGE(LAST_CHUNK, 500)), STEP_FIND_NONE(13) },
	  { { PAGE(LAST_CHUNK, 500), 12 } }, 512, 14 },
	{ "starts_high", { LAST_CHUNK }, { { PAGE(LAST_CHUNK, 511), 1 } },
	  { STEP_FIND(1, PAGE(LAST_CHUNK, 511)), STEP_INSERT(0UL), STEP_INSERT(1UL << 20),
	    { FREE, PAGE(1UL << 20, 0), 1 }, STEP_FIND(1, PAGE(1UL << 20, 0)), { FREE, 9, 1 },
	    STEP_FIND(1, 9) },
	  { { 9, 1 }, { PAGE(1UL << 20, 0), 1 }, { PAGE(LAST_CHUNK, 511), 1 } }, 9, 14 },
	{ "aligned_to_a_chunk", { 0, 1, 2 }, { { 1, 1535 } },
	  { STEP_ALIGNED(512, 512, 512), STEP_ALIGNED(1024, 512, 512),
	    STEP_ALIGNED(512, 1024, 1024), STEP_ALIGNED(513, 1024, GOSPAN_NO_PAGE) },
	  { { 1, 1535 } }, 0, 1 },
	{ "aligned_within_a_crossing_run", { 0, 1 }, { { 509, 7 } },
	  { STEP_ALIGNED(4, 4, 512), STEP_ALIGNED(2, 2, 510), STEP_ALIGNED(4, 512, 512),
	    STEP_ALIGNED(5, 4, GOSPAN_NO_PAGE) }, { { 509, 7 } }, 0, 1 },
	{ "aligned_across_a_level_border", { 7, 8 }, { { PAGE(7, 500), 100 } },
	  { STEP_ALIGNED(64, 4, PAGE(7, 500)), STEP_ALIGNED(64, 8, PAGE(7, 504)),
	    STEP_ALIGNED(64, 4096, PAGE(8, 0)) }, { { PAGE(7, 500), 100 } }, 0, 2 },
	{ "word_of_the_lowest", { 0 }, { { 70, 3 }, { 80, 100 } },
	  { STEP_TAKE_WORD(1, 70, 0xffffffffffff01c0), STEP_FIND(1, 128),
	    STEP_TAKE_WORD(1, 128, 0xfffffffffffff) }, { }, 192, 1 },
	{ "word_around_a_run", { 0 }, { { 60, 10 }, { 75, 5 }, { 128, 1 } },
	  { STEP_TAKE_WORD(5, 60, 0), STEP_TAKE_WORD(5, 65, 0xf83e) }, { { 128, 1 } }, 0, 1 },
	{ "word_comes_back", { 0, 1 }, { { PAGE(1, 448), 64 } },
	  { STEP_TAKE_WORD(1, PAGE(1, 448), ~0ULL), STEP_FREE_WORD(PAGE(1, 448), 1ULL << 63),
	    STEP_FIND(1, PAGE(1, 511)), STEP_FREE_WORD(PAGE(1, 448), 6),
	    STEP_FIND(2, PAGE(1, 449)), STEP_FREE_WORD(0, 0), STEP_FIND_NONE(3) },
	  { { PAGE(1, 449), 2 }, { PAGE(1, 511), 1 } }, PAGE(1, 449), 1 },
	{ "word_is_freed_below_the_hint", { 0 }, { { 200, 1 } },
	  { { TAKE, 200, 1 }, STEP_FREE_WORD(64, 0x30), STEP_FIND(2, 68) }, { { 68, 2 } }, 0, 1 },
	{ "removed_and_inserted_again", { 0, 1, 2 }, { { 511, 514 } },
	  { { TAKE, 512, 512 }, STEP_REMOVE(1UL), STEP_NOT_FREE(512, 1), STEP_FIND_NONE(2),
	    STEP_INSERT(1UL), STEP_NOT_FREE(512, 1), { FREE, 512, 512 }, STEP_FIND(514, 511) },
	  { { 511, 514 } }, 0, 1 },
	{ "all_removed", { 0, LAST_CHUNK }, { },
	  { STEP_REMOVE(0UL), STEP_REMOVE(LAST_CHUNK), STEP_FIND_NONE(1), STEP_LAST_NONE(1, -1UL),
	    STEP_NOT_FREE(0, 1), STEP_INSERT(LAST_CHUNK), { FREE, PAGE(LAST_CHUNK, 0), 512 },
	    STEP_FIND(512, PAGE(LAST_CHUNK, 0)) }, { { PAGE(LAST_CHUNK, 0), 512 } }, 0, 14 },
	{ "free_of_any_number", { 0, 1, 8 }, { { 0, 1024 }, { PAGE(8, 0), 512 } },
	  { STEP_IS_FREE(0, 1024), STEP_NOT_FREE(0, 1025), STEP_NOT_FREE(1024, 1),
	    STEP_NOT_FREE(PAGE(7, 511), 2), STEP_NOT_FREE(PAGE(8, 511), 2),
	    STEP_NOT_FREE(PAGE(64UL, 0), 1), STEP_NOT_FREE(PAGE(LAST_CHUNK, 511), 1),
	    STEP_NOT_FREE(GOSPAN_NO_PAGE, 2), STEP_IS_FREE(PAGE(64UL, 0), 0) },
	  { { 0, 1024 }, { PAGE(8, 0), 512 } }, 0, 2 },
	/* The chunk behind the last address used to be taken for the first one. */
	{ "free_past_all_addresses", { 0, LAST_CHUNK },
	  { { 0, 512 }, { PAGE(LAST_CHUNK, 0), 512 } },
	  { STEP_IS_FREE(PAGE(LAST_CHUNK, 511), 1), STEP_NOT_FREE(PAGE(LAST_CHUNK, 511), 2),
	    STEP_NOT_FREE(PAGE(NR_CHUNKS, 0), 1), STEP_NOT_FREE(GOSPAN_NO_PAGE, 1) },
	  { { 0, 512 }, { PAGE(LAST_CHUNK, 0), 512 } }, 0, 14 },
	{ "last_of_each_length_below", { 0, 1, 7, 8, 64 },
	  { { 0, 512 }, { PAGE(1, 5), 100 }, { PAGE(8, 0), 30 }, { PAGE(64, 511), 1 } },
	  { STEP_LAST(1, -1UL, 64UL), STEP_LAST(2, -1UL, 8UL), STEP_LAST(31, -1UL, 1UL),
	    STEP_LAST(101, -1UL, 0UL), STEP_LAST(512, -1UL, 0UL), STEP_LAST(1, 65, 64UL),
	    STEP_LAST(1, 64, 8UL), STEP_LAST(1, 9, 8UL), STEP_LAST(1, 8, 1UL),
	    STEP_LAST(101, 8, 0UL), STEP_LAST_NONE(1, 0) },
	  { { 0, 512 }, { PAGE(1, 5), 100 }, { PAGE(8, 0), 30 }, { PAGE(64, 511), 1 } }, 0, 3 },
	/* What is long only across chunks is in none of them. */
	{ "last_not_across_chunks", { 1, 7, 8, 15, 16 },
	  { { PAGE(1, 0), 200 }, { PAGE(7, 400), 200 }, { PAGE(15, 400), 200 } },
	  { STEP_LAST(113, -1UL, 1UL), STEP_LAST(112, -1UL, 15UL), STEP_LAST(112, 15, 7UL),
	    STEP_LAST(88, -1UL, 16UL), STEP_LAST_NONE(201, -1UL), STEP_LAST_NONE(113, 1) },
	  { { PAGE(1, 0), 200 }, { PAGE(7, 400), 200 }, { PAGE(15, 400), 200 } }, 0, 2 },
};

KUNIT_ARRAY_PARAM_DESC(pa, pa_tables, name);

static void step_last(struct kunit *test, const struct gospan_pagealloc *p,
		      const struct pa_step *step)
{
	unsigned long chunk_idx = 0;
	bool found = gospan_pagealloc_last_chunk(p, step->npages, step->limit, &chunk_idx);

	KUNIT_ASSERT_EQ(test, found, step->page != GOSPAN_NO_PAGE);
	if (found)
		KUNIT_EXPECT_EQ(test, PAGE(chunk_idx, 0), step->page);
}

static void step_take_word(struct kunit *test, struct gospan_pagealloc *p,
			   const struct pa_step *step)
{
	unsigned long page;

	KUNIT_EXPECT_EQ(test, gospan_pagealloc_take_word(p, step->npages, 1, &page), step->pages);
	KUNIT_EXPECT_EQ(test, page, step->page);
}

static void step_run(struct kunit *test, struct gospan_pagealloc *p, const struct pa_step *step)
{
	switch (step->op) {
	case INSERT:
		chunk_insert(test, p, step->page / GOSPAN_CHUNK_NPAGES);
		break;
	case REMOVE:
		gospan_pagealloc_remove(p, step->page / GOSPAN_CHUNK_NPAGES);
		break;
	case FREE:
		gospan_pagealloc_free(p, step->page, step->npages);
		break;
	case TAKE:
		gospan_pagealloc_take(p, step->page, step->npages);
		break;
	case FIND:
		KUNIT_EXPECT_EQ(test, gospan_pagealloc_find(p, step->npages, step->align_npages),
				step->page);
		break;
	case ALL_FREE:
		KUNIT_EXPECT_EQ(test, gospan_pagealloc_all_free(p, step->page, step->npages),
				step->want);
		break;
	case TAKE_WORD:
		step_take_word(test, p, step);
		break;
	case FREE_WORD:
		gospan_pagealloc_free_word(p, step->page, step->pages);
		break;
	default:
		step_last(test, p, step);
	}
}

/* The free runs are these and no other. */
static void expect_free(struct kunit *test, const struct gospan_pagealloc *p,
			const struct page_run *run, unsigned int max_runs)
{
	unsigned long free_pages = 0;

	for (; max_runs-- && run->npages; run++) {
		KUNIT_EXPECT_TRUE(test, gospan_pagealloc_all_free(p, run->page, run->npages));
		free_pages += run->npages;
	}
	KUNIT_EXPECT_EQ(test, p->free_pages, free_pages);
}

static void pagealloc_steps(struct kunit *test)
{
	const struct pa_table *table = test->param_value;
	struct gospan_pagealloc *p = pagealloc_make(test);
	const struct pa_step *step;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table->chunk_idx) && (!i || table->chunk_idx[i]); i++)
		chunk_insert(test, p, table->chunk_idx[i]);
	for (i = 0; i < ARRAY_SIZE(table->before) && table->before[i].npages; i++)
		gospan_pagealloc_free(p, table->before[i].page, table->before[i].npages);
	KUNIT_ASSERT_TRUE(test, pagealloc_is_right(p));
	for (step = table->step; step->op != END; step++) {
		step_run(test, p, step);
		if (!pagealloc_is_right(p)) {
			KUNIT_FAIL(test, "after step %ld", step - table->step);
			return;
		}
	}
	expect_free(test, p, table->after, ARRAY_SIZE(table->after));
	KUNIT_EXPECT_EQ(test, p->search_page, table->search_page);
	KUNIT_EXPECT_EQ(test, p->nr_levels, table->nr_levels);
}

/* --- borders -------------------------------------------------------------- */

struct border {
	const char *name;
	unsigned long page;	/* the first one behind it */
};

static const struct border borders[] = {
	{ "word", PAGE(2UL, 64) },
	{ "chunk", PAGE(2UL, 0) },
	{ "8_chunks", PAGE(8UL, 0) },
	{ "64_chunks", PAGE(64UL, 0) },
	{ "512_chunks", PAGE(512UL, 0) },
	{ "4096_chunks", PAGE(4096UL, 0) },
	{ "first_eighth", PAGE(NR_CHUNKS / 8, 0) },
	{ "last_eighth", PAGE(NR_CHUNKS / 8 * 7, 0) },
};

KUNIT_ARRAY_PARAM_DESC(border, borders, name);

/* Found as a whole and in part, taken from both ends. */
static bool run_is_right(struct gospan_pagealloc *p, unsigned long page, unsigned int npages)
{
	unsigned int half = npages / 2;
	bool right;

	gospan_pagealloc_free(p, page, npages);
	right = pagealloc_is_right(p) && gospan_pagealloc_find(p, npages, 1) == page &&
		gospan_pagealloc_find(p, npages + 1, 1) == GOSPAN_NO_PAGE &&
		gospan_pagealloc_all_free(p, page, npages) &&
		!gospan_pagealloc_all_free(p, page - 1, npages) &&
		!gospan_pagealloc_all_free(p, page, npages + 1);
	gospan_pagealloc_take(p, page + half, npages - half);
	right &= pagealloc_is_right(p) &&
		 gospan_pagealloc_find(p, 1, 1) == (half ? page : GOSPAN_NO_PAGE) &&
		 gospan_pagealloc_find(p, half + 1, 1) == GOSPAN_NO_PAGE;
	gospan_pagealloc_take(p, page, half);
	return right && pagealloc_is_right(p) && !p->free_pages;
}

/* Runs that end at the border, start at it, or cross it by a little, by half or by much. */
static void find_run_at_border(struct kunit *test)
{
	static const unsigned int lengths[] = { 1, 2, 3, 64, 65, 512, 513 };
	const struct border *border = test->param_value;
	struct gospan_pagealloc *p = pagealloc_make(test);
	unsigned int i, before;

	for (i = 0; i < 4; i++)
		chunk_insert(test, p, border->page / GOSPAN_CHUNK_NPAGES - 2 + i);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		for (before = 0; before <= lengths[i]; before++) {
			unsigned int behind = lengths[i] - before;

			if (before > 2 && behind > 2 && before != behind)
				continue;
			if (!run_is_right(p, border->page - before, lengths[i])) {
				KUNIT_FAIL(test, "%u pages before, %u behind", before, behind);
				return;
			}
		}
}

/* --- more than a summary can say ------------------------------------------ */

struct cap_table {
	const char *name;
	unsigned long first;	/* chunk */
	unsigned int nr_chunks;	/* more than two caps hold */
};

static const struct cap_table cap_tables[] = {
	{ "whole_subtree_and_more", 0, 600 },
	{ "two_parts_of_subtrees", 300, 400 },
	{ "end_and_start_over_many_levels", NR_CHUNKS / 8 - 140, 280 },
};

KUNIT_ARRAY_PARAM_DESC(cap, cap_tables, name);

static void find_in_capped_runs(struct kunit *test)
{
	const struct cap_table *table = test->param_value;
	struct gospan_pagealloc *p = pagealloc_make(test);
	unsigned long base = PAGE(table->first, 0);
	unsigned int npages = PAGE(table->nr_chunks, 0), i;

	for (i = 0; i < table->nr_chunks; i++)
		chunk_insert(test, p, table->first + i);
	gospan_pagealloc_free(p, base, npages);
	KUNIT_ASSERT_TRUE(test, pagealloc_is_right(p));
	KUNIT_EXPECT_EQ(test, gospan_pagealloc_find(p, GOSPAN_SUM_MAX, 1), base);
	KUNIT_EXPECT_EQ(test, gospan_pagealloc_find(p, 0x7fff, 0x8000), roundup(base, 0x8000));
	/* One page less than the cap, few, and more than the cap again. */
	gospan_pagealloc_take(p, base + GOSPAN_SUM_MAX - 1, 1);
	gospan_pagealloc_take(p, base + 70000, 1);
	KUNIT_ASSERT_TRUE(test, pagealloc_is_right(p));
	KUNIT_EXPECT_EQ(test, gospan_pagealloc_find(p, GOSPAN_SUM_MAX - 1, 1), base);
	KUNIT_EXPECT_EQ(test, gospan_pagealloc_find(p, GOSPAN_SUM_MAX, 1), base + 70001);
	/* Capped from below. */
	gospan_pagealloc_take(p, base, GOSPAN_SUM_MAX - 1);
	gospan_pagealloc_free(p, base + 70000, 1);
	KUNIT_ASSERT_TRUE(test, pagealloc_is_right(p));
	KUNIT_EXPECT_EQ(test, gospan_pagealloc_find(p, GOSPAN_SUM_MAX, 1), base + GOSPAN_SUM_MAX);
	gospan_pagealloc_take(p, base + GOSPAN_SUM_MAX, npages - GOSPAN_SUM_MAX);
	KUNIT_ASSERT_TRUE(test, pagealloc_is_right(p));
	KUNIT_EXPECT_EQ(test, p->free_pages, 0);
}

/* --- aligned runs that hide ----------------------------------------------- */

struct misled_table {
	const char *name;
	unsigned int nr_bad;		/* first chunks, with a run that lies badly */
	unsigned int nr_crossing;	/* then pairs, with one that crosses their border */
	bool generous;			/* last chunk, with one in which any alignment fits */
	enum { EXACT, GENEROUS, NOWHERE } want;
};

/*
 * The exact fit lies in the chunk behind those that mislead. A group of eight
 * is a try of its own: there used to be no end to them when it was the ninth.
 */
static const struct misled_table misled_tables[] = {
	{ "by_none", 0, 0, true, EXACT },
	{ "by_seven", 7, 0, true, EXACT },
	{ "by_eight", 8, 0, true, GENEROUS },
	{ "by_many", 30, 0, true, GENEROUS },
	{ "by_many_none_generous", 30, 0, false, NOWHERE },
	{ "by_crossing_ones", 0, 30, true, EXACT },
	{ "by_too_many_crossing_ones", 0, 40, true, GENEROUS },
	{ "by_both", 5, 8, true, EXACT },
	{ "by_too_many_of_both", 6, 8, true, GENEROUS },
};

KUNIT_ARRAY_PARAM_DESC(misled, misled_tables, name);

static void find_aligned_misled(struct kunit *test)
{
	const struct misled_table *table = test->param_value;
	struct gospan_pagealloc *p = pagealloc_make(test);
	unsigned int nr_misleading = table->nr_bad + 2 * table->nr_crossing, i;
	unsigned long exact = PAGE(nr_misleading, 8), generous = PAGE(nr_misleading + 5, 16);
	unsigned long want = GOSPAN_NO_PAGE;

	for (i = 0; i < nr_misleading + 6; i++)
		chunk_insert(test, p, i);
	for (i = 0; i < table->nr_bad; i++)
		gospan_pagealloc_free(p, PAGE(i, 1), 7);
	for (; i < nr_misleading; i += 2)
		gospan_pagealloc_free(p, PAGE(i, 509), 6);
	gospan_pagealloc_free(p, exact, 4);
	if (table->generous)
		gospan_pagealloc_free(p, generous - 7, 11);
	if (table->want == EXACT)
		want = exact;
	else if (table->want == GENEROUS)
		want = generous;
	KUNIT_EXPECT_EQ(test, gospan_pagealloc_find(p, 4, 8), want);
}

/* --- summaries ------------------------------------------------------------ */

struct missing_table {
	const char *name;
	unsigned long first;	/* chunk that is there; NR_CHUNKS: none is */
	unsigned long chunk_idx;
	unsigned int want;
};

static const struct missing_table missing_tables[] = {
	{ "first_lowest", NR_CHUNKS, 0, 1 },
	{ "first_of_8", NR_CHUNKS, 7, 1 },
	{ "first_on_two_levels", NR_CHUNKS, 8, 3 },
	{ "first_highest", NR_CHUNKS, LAST_CHUNK, 27 },
	{ "there_already", 9, 9, 0 },
	{ "next_to_it", 9, 10, 0 },
	{ "other_8", 0, 8, 2 },
	{ "other_8_of_high_root", 512, 8, 1 },
	{ "lowest_of_high_root", LAST_CHUNK, 0, 0 },
	{ "middle_of_high_root", LAST_CHUNK, 1UL << 20, 6 },
	{ "highest_after_lowest", 0, LAST_CHUNK, 26 },
};

KUNIT_ARRAY_PARAM_DESC(missing, missing_tables, name);

/* chunk_insert() sees to it that this is what is used. */
static void nr_missing_is_what_is_used(struct kunit *test)
{
	const struct missing_table *table = test->param_value;
	struct gospan_pagealloc *p = pagealloc_make(test);

	if (table->first != NR_CHUNKS)
		chunk_insert(test, p, table->first);
	KUNIT_EXPECT_EQ(test, gospan_pagealloc_nr_missing(p, table->chunk_idx), table->want);
	if (table->chunk_idx != table->first)
		chunk_insert(test, p, table->chunk_idx);
	KUNIT_EXPECT_TRUE(test, pagealloc_is_right(p));
}

/* Two chunks that are being made for an empty tree: the second to come used to lack some. */
static void nr_missing_other_comes_first(struct kunit *test)
{
	static const unsigned long chunk_idx[] = { 0, 7, 8, 64, 100, 1UL << 20, LAST_CHUNK };
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(chunk_idx); i++)
		for (k = 0; k < ARRAY_SIZE(chunk_idx); k++) {
			struct gospan_pagealloc *p = pagealloc_make(test);
			unsigned int nr = gospan_pagealloc_nr_missing(p, chunk_idx[i]);

			chunk_insert(test, p, chunk_idx[k]);
			KUNIT_EXPECT_LE(test, gospan_pagealloc_nr_missing(p, chunk_idx[i]), nr);
		}
}

static unsigned int nr_destroyed;

static void summary_count(const void *summary)
{
	nr_destroyed++;
	kfree(summary);
}

static void destroy_frees_all_summaries(struct kunit *test)
{
	static const unsigned long chunk_idx[] = { 0, 9, 1UL << 20, LAST_CHUNK };
	struct gospan_pagealloc *p = pagealloc_make(test);
	unsigned long nr_summaries;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(chunk_idx); i++)
		chunk_insert(test, p, chunk_idx[i]);
	nr_summaries = p->nr_summaries;
	nr_destroyed = 0;
	gospan_pagealloc_destroy(p, summary_count);
	KUNIT_EXPECT_EQ(test, nr_destroyed, nr_summaries);
	KUNIT_EXPECT_NULL(test, p->root);
	/* As good as new. */
	chunk_insert(test, p, 0);
	KUNIT_EXPECT_EQ(test, p->nr_levels, 1);
	KUNIT_EXPECT_TRUE(test, pagealloc_is_right(p));
}

/* --- at random ------------------------------------------------------------ */

static const unsigned long random_chunks[] = {
	0, 1, 7, 8, 9, 63, 64, 511, 512, 1UL << 20, LAST_CHUNK - 1, LAST_CHUNK,
};

#define NR_RANDOM_PAGES	PAGE(ARRAY_SIZE(random_chunks), 0)

struct oracle {
	struct rnd_state rnd;
	bool taken[NR_RANDOM_PAGES];
	/* The number of each page; neighbours here need not be neighbours there. */
	unsigned long page[NR_RANDOM_PAGES];
};

/* Pages from @i on that are neighbours and free, or taken; up to @max. */
static unsigned int oracle_run(const struct oracle *o, unsigned int i, unsigned int max,
			       bool taken)
{
	unsigned int n;

	for (n = 0; n < max && i + n < NR_RANDOM_PAGES; n++)
		if (o->taken[i + n] != taken || o->page[i + n] != o->page[i] + n)
			break;
	return n;
}

/* Where the lowest aligned run starts, or NR_RANDOM_PAGES. */
static unsigned int oracle_find(const struct oracle *o, unsigned int npages,
				unsigned int align_npages)
{
	unsigned int i;

	for (i = 0; i < NR_RANDOM_PAGES; i++)
		if (!(o->page[i] & (align_npages - 1)) &&
		    oracle_run(o, i, npages, false) == npages)
			break;
	return i;
}

static bool random_find(struct gospan_pagealloc *p, struct oracle *o)
{
	unsigned int npages = gospan_kunit_below(&o->rnd, 8) ? 1 : 300, i;
	unsigned int align_npages = 1U << gospan_kunit_below(&o->rnd, 10);
	unsigned long page;

	npages += gospan_kunit_below(&o->rnd, npages * 8);
	if (gospan_kunit_below(&o->rnd, 2))
		align_npages = 1;
	page = gospan_pagealloc_find(p, npages, align_npages);
	if (page == GOSPAN_NO_PAGE)
		return oracle_find(o, npages + align_npages - 1, 1) == NR_RANDOM_PAGES;
	i = oracle_find(o, npages, align_npages);
	/* An aligned search may come to another one. */
	while (align_npages > 1 && i < NR_RANDOM_PAGES && o->page[i] < page)
		i++;
	if (i == NR_RANDOM_PAGES || o->page[i] != page || page & (align_npages - 1) ||
	    oracle_run(o, i, npages, false) != npages)
		return false;
	memset(o->taken + i, true, npages);
	gospan_pagealloc_take(p, page, npages);
	return true;
}

static bool random_take_word(struct gospan_pagealloc *p, struct oracle *o)
{
	unsigned int i = round_down(oracle_find(o, 1, 1), 64), k;
	unsigned long page;
	u64 pages = gospan_pagealloc_take_word(p, 1, 1, &page);

	if (i == NR_RANDOM_PAGES)
		return !pages;
	for (k = 0; k < 64; k++) {
		if (o->taken[i + k] == (pages >> k & 1))
			return false;
		o->taken[i + k] = true;
	}
	return page - page % 64 == o->page[i];
}

static void random_free_word(struct gospan_pagealloc *p, struct oracle *o)
{
	unsigned int i = round_down(gospan_kunit_below(&o->rnd, NR_RANDOM_PAGES), 64), k;
	u64 pages = 0;

	for (k = 0; k < 64; k++)
		if (o->taken[i + k] && gospan_kunit_below(&o->rnd, 2)) {
			pages |= 1ULL << k;
			o->taken[i + k] = false;
		}
	gospan_pagealloc_free_word(p, o->page[i], pages);
}

static void random_free(struct gospan_pagealloc *p, struct oracle *o)
{
	unsigned int i = gospan_kunit_below(&o->rnd, NR_RANDOM_PAGES);
	unsigned int max = gospan_kunit_below(&o->rnd, 4) ? 20 : 1500;
	unsigned int n = oracle_run(o, i, gospan_kunit_below(&o->rnd, max), true);

	memset(o->taken + i, false, n);
	gospan_pagealloc_free(p, o->page[i], n);
}

static bool random_all_free(const struct gospan_pagealloc *p, struct oracle *o)
{
	unsigned int i = gospan_kunit_below(&o->rnd, NR_RANDOM_PAGES);
	unsigned int npages = gospan_kunit_below(&o->rnd, 600);

	return gospan_pagealloc_all_free(p, o->page[i], npages) ==
	       (oracle_run(o, i, npages, false) == npages);
}

/* The bits, in order, are the oracle's. */
static bool bits_are_right(const struct oracle *o, struct gospan_pallocbits **chunk)
{
	unsigned int i;

	for (i = 0; i < NR_RANDOM_PAGES; i++)
		if (gospan_pallocbits_is_taken(chunk[i / GOSPAN_CHUNK_NPAGES],
					       i % GOSPAN_CHUNK_NPAGES) != o->taken[i])
			return false;
	return true;
}

static bool random_step(struct gospan_pagealloc *p, struct oracle *o)
{
	unsigned int op = gospan_kunit_below(&o->rnd, 8);

	if (op < 3)
		return random_find(p, o);
	if (op == 3)
		return random_take_word(p, o);
	if (op == 4)
		return random_all_free(p, o);
	if (op == 5)
		random_free_word(p, o);
	else
		random_free(p, o);
	return true;
}

static void pagealloc_random_against_oracle(struct kunit *test)
{
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	struct gospan_pallocbits *chunk[ARRAY_SIZE(random_chunks)];
	struct gospan_pagealloc *p = pagealloc_make(test);
	unsigned int i, step;

	KUNIT_ASSERT_NOT_NULL(test, o);
	gospan_kunit_seed(test, &o->rnd);
	for (i = 0; i < ARRAY_SIZE(chunk); i++)
		chunk[i] = chunk_insert(test, p, random_chunks[i]);
	for (i = 0; i < NR_RANDOM_PAGES; i++) {
		o->taken[i] = true;
		o->page[i] = PAGE(random_chunks[i / GOSPAN_CHUNK_NPAGES], i % GOSPAN_CHUNK_NPAGES);
	}
	for (step = 0; step < 1000; step++)
		if (!random_step(p, o) || !bits_are_right(o, chunk) || !pagealloc_is_right(p)) {
			KUNIT_FAIL(test, "step %u", step);
			return;
		}
}

static struct kunit_case pagealloc_cases[] = {
	KUNIT_CASE_PARAM(pagealloc_steps, pa_gen_params),
	KUNIT_CASE_PARAM(find_run_at_border, border_gen_params),
	KUNIT_CASE_PARAM(find_in_capped_runs, cap_gen_params),
	KUNIT_CASE_PARAM(find_aligned_misled, misled_gen_params),
	KUNIT_CASE_PARAM(nr_missing_is_what_is_used, missing_gen_params),
	KUNIT_CASE(nr_missing_other_comes_first),
	KUNIT_CASE(destroy_frees_all_summaries),
	KUNIT_CASE(pagealloc_random_against_oracle),
	{}
};

static struct kunit_suite pagealloc_suite = {
	.name = "gospan_pagealloc",
	.test_cases = pagealloc_cases,
};

kunit_test_suite(pagealloc_suite);
