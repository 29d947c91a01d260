// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of a chunk's bits, against tables and against an array of bools.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/prandom.h>
#include "../src/pallocbits.h"
#include "helper.h"

#define NPAGES	GOSPAN_CHUNK_NPAGES
/* Of the chunk; a multiple of every alignment here. */
#define BASE	BIT(40)

struct page_run {
	unsigned int page_idx, npages;
};

/* Free the runs of a chunk that is all taken; one of no pages ends the list. */
static void bits_make(struct gospan_pallocbits *b, const struct page_run *free,
		      unsigned int max_runs)
{
	memset(b, 0xff, sizeof(*b));
	for (; max_runs-- && free->npages; free++)
		gospan_pallocbits_free(b, free->page_idx, free->npages);
}

/* --- finding -------------------------------------------------------------- */

#define NONE	0xffffU

struct find_table {
	const char *name;
	struct page_run free[8];
	unsigned int npages, align_npages;
	unsigned int want;
};

static const struct find_table find_tables[] = {
	{ "none_free", { }, 1, 1, NONE },
	{ "all_free", { { 0, 512 } }, 512, 1, 0 },
	{ "all_free_aligned", { { 0, 512 } }, 512, 512, 0 },
	{ "more_than_a_chunk", { { 0, 512 } }, 513, 1, NONE },
	{ "one_page_first", { { 0, 1 } }, 1, 1, 0 },
	{ "one_page_last", { { 511, 1 } }, 1, 1, 511 },
	{ "one_page_before_word_border", { { 63, 1 } }, 1, 1, 63 },
	{ "one_page_after_word_border", { { 64, 1 } }, 1, 1, 64 },
	{ "ends_at_word_border", { { 60, 4 } }, 4, 1, 60 },
	{ "starts_at_word_border", { { 64, 4 } }, 4, 1, 64 },
	{ "crosses_word_border", { { 62, 4 } }, 4, 1, 62 },
	{ "crosses_word_border_too_short", { { 62, 4 } }, 5, 1, NONE },
	{ "one_short_either_side_of_taken", { { 60, 3 }, { 64, 3 } }, 4, 1, NONE },
	{ "a_word", { { 64, 64 } }, 64, 1, 64 },
	{ "a_word_off_by_one", { { 63, 64 } }, 64, 1, 63 },
	{ "a_word_and_a_page", { { 64, 65 } }, 65, 1, 64 },
	{ "two_words_in_three", { { 1, 128 } }, 128, 1, 1 },
	{ "over_whole_words", { { 63, 130 } }, 130, 1, 63 },
	{ "to_the_end", { { 383, 129 } }, 129, 1, 383 },
	{ "lowest_of_equals", { { 9, 3 }, { 70, 3 }, { 200, 3 } }, 3, 1, 9 },
	{ "first_that_fits", { { 0, 2 }, { 5, 2 }, { 62, 3 }, { 80, 9 } }, 3, 1, 62 },
	{ "not_the_best_fit", { { 0, 9 }, { 20, 3 } }, 3, 1, 0 },
	{ "second_in_a_word", { { 1, 2 }, { 4, 3 } }, 3, 1, 4 },
	{ "crossing_before_inner", { { 62, 4 }, { 70, 5 } }, 4, 1, 62 },
	{ "inner_before_crossing", { { 40, 4 }, { 62, 4 } }, 4, 1, 40 },
	{ "aligned_in_word", { { 1, 10 } }, 4, 4, 4 },
	{ "aligned_exactly", { { 8, 4 } }, 4, 4, 8 },
	{ "aligned_lies_badly", { { 1, 6 } }, 4, 4, NONE },
	{ "aligned_skips_one_that_lies_badly", { { 1, 6 }, { 16, 4 } }, 4, 4, 16 },
	{ "aligned_crossing", { { 60, 8 } }, 8, 4, 60 },
	{ "aligned_crossing_lies_badly", { { 61, 8 } }, 8, 4, NONE },
	{ "aligned_fits_behind_border", { { 61, 8 } }, 4, 4, 64 },
	{ "aligned_one_page", { { 1, 511 } }, 1, 512, NONE },
	{ "aligned_one_page_half", { { 1, 511 } }, 1, 256, 256 },
	{ "aligned_to_word", { { 63, 66 } }, 64, 64, 64 },
	{ "aligned_to_word_lies_badly", { { 65, 126 } }, 64, 64, NONE },
	{ "aligned_to_two_words", { { 64, 192 } }, 70, 128, 128 },
	{ "aligned_longer_than_alignment", { { 30, 100 } }, 65, 32, 32 },
	{ "aligned_more_than_a_chunk", { { 0, 512 } }, 1, 1024, 0 },
};

KUNIT_ARRAY_PARAM_DESC(find, find_tables, name);

static void find_lowest_fit(struct kunit *test)
{
	const struct find_table *table = test->param_value;
	unsigned long want = table->want == NONE ? GOSPAN_NO_PAGE : BASE + table->want;
	struct gospan_pallocbits b;

	bits_make(&b, table->free, ARRAY_SIZE(table->free));
	KUNIT_EXPECT_EQ(test, gospan_pallocbits_find(&b, BASE, table->npages,
						     table->align_npages), want);
}

/* A chunk at an odd multiple of 512 pages has nothing that is aligned to 1024. */
static void find_aligned_by_number_not_index(struct kunit *test)
{
	static const struct page_run all[] = { { 0, NPAGES } };
	unsigned long odd = BASE + NPAGES;
	struct gospan_pallocbits b;

	bits_make(&b, all, ARRAY_SIZE(all));
	KUNIT_EXPECT_EQ(test, gospan_pallocbits_find(&b, odd, 1, 2 * NPAGES), GOSPAN_NO_PAGE);
	KUNIT_EXPECT_EQ(test, gospan_pallocbits_find(&b, odd, NPAGES, NPAGES), odd);
}

/* --- summaries ------------------------------------------------------------ */

struct sum_table {
	const char *name;
	struct page_run free[8];
	struct gospan_pallocsum want;
};

static const struct sum_table sum_tables[] = {
	{ "none_free", { }, { 0, 0, 0 } },
	{ "all_free", { { 0, 512 } }, { 512, 512, 512 } },
	{ "but_the_first", { { 1, 511 } }, { 0, 511, 511 } },
	{ "but_the_last", { { 0, 511 } }, { 511, 511, 0 } },
	{ "but_one_in_the_middle", { { 0, 256 }, { 257, 255 } }, { 256, 256, 255 } },
	{ "first", { { 0, 1 } }, { 1, 1, 0 } },
	{ "last", { { 511, 1 } }, { 0, 1, 1 } },
	{ "ends_only", { { 0, 3 }, { 508, 4 } }, { 3, 4, 4 } },
	{ "first_word", { { 0, 64 } }, { 64, 64, 0 } },
	{ "last_word", { { 448, 64 } }, { 0, 64, 64 } },
	{ "start_crosses_word_border", { { 0, 65 } }, { 65, 65, 0 } },
	{ "end_crosses_word_border", { { 447, 65 } }, { 0, 65, 65 } },
	{ "inner_word", { { 128, 64 } }, { 0, 64, 0 } },
	{ "inner_63_of_a_word", { { 65, 63 } }, { 0, 63, 0 } },
	{ "inner_62_within_a_word", { { 65, 62 } }, { 0, 62, 0 } },
	{ "inner_crosses_word_border", { { 60, 9 } }, { 0, 9, 0 } },
	{ "longest_within_a_word", { { 0, 3 }, { 70, 9 }, { 510, 2 } }, { 3, 9, 2 } },
	{ "longest_comes_first", { { 10, 20 }, { 100, 19 }, { 300, 18 } }, { 0, 20, 0 } },
	{ "longest_comes_last", { { 10, 18 }, { 100, 19 }, { 300, 20 } }, { 0, 20, 0 } },
	{ "longest_over_whole_words", { { 5, 20 }, { 60, 200 }, { 300, 64 } }, { 0, 200, 0 } },
	{ "ends_meet_in_no_run", { { 62, 1 }, { 64, 1 } }, { 0, 1, 0 } },
};

KUNIT_ARRAY_PARAM_DESC(sum, sum_tables, name);

static void summarize_runs(struct kunit *test)
{
	const struct sum_table *table = test->param_value;
	struct gospan_pallocsum sum;
	struct gospan_pallocbits b;

	bits_make(&b, table->free, ARRAY_SIZE(table->free));
	sum = gospan_pallocbits_summarize(&b);
	KUNIT_EXPECT_EQ(test, sum.start, table->want.start);
	KUNIT_EXPECT_EQ(test, sum.max, table->want.max);
	KUNIT_EXPECT_EQ(test, sum.end, table->want.end);
}

/* --- taking and freeing --------------------------------------------------- */

struct mark_step {
	enum { END, TAKE, FREE, ALL_FREE, NOT_ALL_FREE } op;
	unsigned int page_idx, npages;
};

struct mark_table {
	const char *name;
	struct page_run before[4];	/* free */
	struct mark_step step[8];
	struct page_run after[4];	/* free */
};

static const struct mark_table mark_tables[] = {
	{ "take_all", { { 0, 512 } }, { { ALL_FREE, 0, 512 }, { TAKE, 0, 512 },
	  { NOT_ALL_FREE, 0, 1 }, { NOT_ALL_FREE, 511, 1 } }, { } },
	{ "take_first_and_last", { { 0, 512 } }, { { TAKE, 0, 1 }, { TAKE, 511, 1 },
	  { ALL_FREE, 1, 510 }, { NOT_ALL_FREE, 0, 2 }, { NOT_ALL_FREE, 510, 2 } },
	  { { 1, 510 } } },
	{ "take_a_word", { { 0, 512 } }, { { TAKE, 64, 64 }, { ALL_FREE, 0, 64 },
	  { ALL_FREE, 128, 64 }, { NOT_ALL_FREE, 127, 2 } }, { { 0, 64 }, { 128, 384 } } },
	{ "take_across_a_border", { { 0, 512 } }, { { TAKE, 62, 4 }, { ALL_FREE, 60, 2 },
	  { NOT_ALL_FREE, 60, 3 }, { NOT_ALL_FREE, 65, 1 }, { ALL_FREE, 66, 1 } },
	  { { 0, 62 }, { 66, 446 } } },
	{ "take_over_words", { { 0, 512 } }, { { TAKE, 63, 130 } }, { { 0, 63 }, { 193, 319 } } },
	{ "take_in_pieces", { { 10, 300 } }, { { TAKE, 10, 54 }, { TAKE, 64, 64 },
	  { TAKE, 128, 182 } }, { } },
	{ "free_joins", { { 10, 5 }, { 16, 5 } }, { { NOT_ALL_FREE, 10, 11 }, { FREE, 15, 1 },
	  { ALL_FREE, 10, 11 } }, { { 10, 11 } } },
	{ "free_joins_words", { { 60, 4 } }, { { FREE, 64, 4 }, { ALL_FREE, 60, 8 } },
	  { { 60, 8 } } },
	{ "none_of_no_pages", { { 3, 1 } }, { { TAKE, 3, 0 }, { FREE, 64, 0 },
	  { ALL_FREE, 511, 0 } }, { { 3, 1 } } },
};

KUNIT_ARRAY_PARAM_DESC(mark, mark_tables, name);

static void take_free_steps(struct kunit *test)
{
	const struct mark_table *table = test->param_value;
	const struct mark_step *step;
	struct gospan_pallocbits b, after;

	bits_make(&b, table->before, ARRAY_SIZE(table->before));
	for (step = table->step; step->op != END; step++) {
		if (step->op == TAKE)
			gospan_pallocbits_take(&b, step->page_idx, step->npages);
		else if (step->op == FREE)
			gospan_pallocbits_free(&b, step->page_idx, step->npages);
		else
			KUNIT_EXPECT_EQ(test, gospan_pallocbits_all_free(&b, step->page_idx,
									 step->npages),
					step->op == ALL_FREE);
	}
	bits_make(&after, table->after, ARRAY_SIZE(table->after));
	KUNIT_EXPECT_EQ(test, memcmp(&b, &after, sizeof(b)), 0);
}

/* --- every place ---------------------------------------------------------- */

/* All that can be said of a chunk with one free run. */
static bool one_run_is_right(unsigned int page_idx, unsigned int npages)
{
	struct page_run run = { page_idx, npages };
	unsigned int limit = page_idx + npages;
	struct gospan_pallocsum sum;
	struct gospan_pallocbits b;

	bits_make(&b, &run, 1);
	sum = gospan_pallocbits_summarize(&b);
	return sum.start == (page_idx ? 0 : npages) && sum.max == npages &&
	       sum.end == (limit == NPAGES ? npages : 0) &&
	       gospan_pallocbits_find(&b, BASE, npages, 1) == BASE + page_idx &&
	       gospan_pallocbits_find(&b, BASE, npages + 1, 1) == GOSPAN_NO_PAGE &&
	       gospan_pallocbits_all_free(&b, page_idx, npages) &&
	       (!page_idx || !gospan_pallocbits_all_free(&b, page_idx - 1, npages)) &&
	       (limit == NPAGES || !gospan_pallocbits_all_free(&b, limit, 1));
}

static void one_run_everywhere(struct kunit *test)
{
	unsigned int page_idx, npages;

	for (page_idx = 0; page_idx < NPAGES; page_idx++)
		for (npages = 1; npages <= NPAGES - page_idx; npages++)
			if (!one_run_is_right(page_idx, npages)) {
				KUNIT_FAIL(test, "page %u, %u pages", page_idx, npages);
				return;
			}
}

/* One run of ones everywhere in a word, zeros around it. */
static void word_runs_everywhere(struct kunit *test)
{
	unsigned int first, n, want;

	for (n = 1; n <= 64; n++)
		for (first = 0; first <= 64 - n; first++)
			for (want = 1; want <= 64; want++) {
				u64 runs = gospan_word_runs(gospan_word_mask(first, n), want);
				u64 starts = want > n ? 0 : gospan_word_mask(first, n - want + 1);

				if (runs != starts) {
					KUNIT_FAIL(test, "%u ones at %u: %llx for %u", n, first,
						   runs, want);
					return;
				}
			}
}

/* --- at random ------------------------------------------------------------ */

static bool oracle_all_free(const bool *taken, unsigned int page_idx, unsigned int npages)
{
	while (npages--)
		if (taken[page_idx++])
			return false;
	return true;
}

static unsigned long oracle_find(const bool *taken, unsigned int npages,
				 unsigned int align_npages)
{
	unsigned int page_idx;

	for (page_idx = 0; page_idx + npages <= NPAGES; page_idx += align_npages)
		if (oracle_all_free(taken, page_idx, npages))
			return BASE + page_idx;
	return GOSPAN_NO_PAGE;
}

static bool random_step(struct gospan_pallocbits *b, bool *taken, struct rnd_state *rnd)
{
	unsigned int page_idx = gospan_kunit_below(rnd, NPAGES);
	unsigned int npages = gospan_kunit_below(rnd, NPAGES - page_idx) + 1;
	unsigned int align_npages = 1U << gospan_kunit_below(rnd, 10);

	/* Short runs leave more to find. */
	if (gospan_kunit_below(rnd, 4))
		npages = npages % 20 + 1;
	npages = min(npages, NPAGES - page_idx);
	if (gospan_kunit_below(rnd, 2)) {
		gospan_pallocbits_take(b, page_idx, npages);
		memset(taken + page_idx, true, npages);
	} else {
		gospan_pallocbits_free(b, page_idx, npages);
		memset(taken + page_idx, false, npages);
	}
	npages = gospan_kunit_below(rnd, 80) + 1;
	page_idx = gospan_kunit_below(rnd, NPAGES - npages);
	return gospan_pallocbits_find(b, BASE, npages, align_npages) ==
		oracle_find(taken, npages, align_npages) &&
	       gospan_pallocbits_all_free(b, page_idx, npages) ==
		oracle_all_free(taken, page_idx, npages) &&
	       gospan_pallocbits_is_taken(b, page_idx) == taken[page_idx];
}

static bool random_sum_is_right(const struct gospan_pallocbits *b, const bool *taken)
{
	struct gospan_pallocsum sum = gospan_pallocbits_summarize(b);
	unsigned int start = 0, longest = 0, run = 0, i;

	for (i = 0; i < NPAGES; i++) {
		run = taken[i] ? 0 : run + 1;
		if (run == i + 1)
			start = run;
		longest = max(longest, run);
	}
	return sum.start == start && sum.max == longest && sum.end == run;
}

static void bits_random_against_oracle(struct kunit *test)
{
	bool *taken = kunit_kmalloc(test, NPAGES * sizeof(*taken), GFP_KERNEL);
	struct gospan_pallocbits b;
	struct rnd_state rnd;
	unsigned int step;

	KUNIT_ASSERT_NOT_NULL(test, taken);
	gospan_kunit_seed(test, &rnd);
	bits_make(&b, NULL, 0);
	memset(taken, true, NPAGES * sizeof(*taken));
	for (step = 0; step < 5000; step++)
		if (!random_step(&b, taken, &rnd) || !random_sum_is_right(&b, taken)) {
			KUNIT_FAIL(test, "step %u", step);
			return;
		}
}

static struct kunit_case pallocbits_cases[] = {
	KUNIT_CASE_PARAM(find_lowest_fit, find_gen_params),
	KUNIT_CASE(find_aligned_by_number_not_index),
	KUNIT_CASE_PARAM(summarize_runs, sum_gen_params),
	KUNIT_CASE_PARAM(take_free_steps, mark_gen_params),
	KUNIT_CASE(one_run_everywhere),
	KUNIT_CASE(word_runs_everywhere),
	KUNIT_CASE(bits_random_against_oracle),
	{}
};

static struct kunit_suite pallocbits_suite = {
	.name = "gospan_pallocbits",
	.test_cases = pallocbits_cases,
};

kunit_test_suite(pallocbits_suite);
