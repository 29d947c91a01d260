// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page allocator, against one byte a page: everything after every step.
 *
 * Chunks come next to each other, at the borders of the tree's levels and at
 * the highest numbers that there are; one input in 32 has hundreds in a row,
 * so that summaries reach their cap. Pages come next to the borders of words
 * and chunks as often as anywhere.
 *
 * Linked with --wrap=gospan_pallocbits_find, to count the chunks that a search
 * looks into.
 */
#include <linux/minmax.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "input.h"
#include "pagealloc_check.h"

/* Of an address of 64 bits: 42, in pages of 8 KiB. */
#define CHUNK_IDX_BITS	42

/*
 * An aligned search looks into this many chunks: eight that mislead, and one
 * that the search for a longer run ends in.
 */
#define MAX_LOOKS	9
/* Regions that mislead and still leave a search at the lowest aligned run. */
#define MAX_MISLEADING	7

static struct pagemap map;
static struct gospan_pagealloc pa;
static unsigned int nr_looks;
static unsigned long nr_freed_summaries;

/* What the input says of the whole run. */
static struct {
	unsigned int max_chunks;
	unsigned int chunk_idx_bits;
	unsigned int steps;
} limits;

unsigned long __real_gospan_pallocbits_find(const struct gospan_pallocbits *b, unsigned long base,
					    unsigned int npages, unsigned int align_npages);
unsigned long __wrap_gospan_pallocbits_find(const struct gospan_pallocbits *b, unsigned long base,
					    unsigned int npages, unsigned int align_npages);
unsigned long __wrap_gospan_pallocbits_find(const struct gospan_pallocbits *b, unsigned long base,
					    unsigned int npages, unsigned int align_npages)
{
	nr_looks++;
	return __real_gospan_pallocbits_find(b, base, npages, align_npages);
}

/* --- what to do it to ----------------------------------------------------- */

static struct pagemap_chunk *pick_chunk(struct input *in)
{
	return map.chunk[input_below(in, map.nr_chunks)];
}

/* A number for a new chunk, or of one that is there. */
static unsigned long pick_chunk_idx(struct input *in)
{
	unsigned int kind = input_byte(in), near = input_byte(in);
	unsigned long idx;

	if (kind & 1 && map.nr_chunks)
		idx = pick_chunk(in)->idx + (kind & 2 ? 1 : -1UL);
	else if (kind & 4)
		/* About the first, second, ... eighth of a level. */
		idx = ((near & 7UL) + 1) << (3 * (near >> 3) % CHUNK_IDX_BITS);
	else
		idx = 1UL << near % (CHUNK_IDX_BITS + 1);
	if (!(kind & 1))
		idx += (kind >> 3) % 5 - 3UL;
	return idx & ((1UL << limits.chunk_idx_bits) - 1);
}

/* Where in a chunk; every other time near the border of a word, or of the chunk. */
static unsigned int pick_page_idx(struct input *in)
{
	unsigned int near = input_byte(in);

	if (near & 1)
		return input_below(in, GOSPAN_CHUNK_NPAGES);
	return (64 * (near >> 5) + (near >> 1 & 7) + GOSPAN_CHUNK_NPAGES - 4) %
	       GOSPAN_CHUNK_NPAGES;
}

static unsigned int pick_npages(struct input *in)
{
	unsigned int kind = input_byte(in), near = kind >> 3;

	switch (kind & 7) {
	case 0:
	case 1:
	case 2:
		return near % 8 + 1;
	case 3:
		return near % 9 + 60;
	case 4:
		return near % 9 + GOSPAN_CHUNK_NPAGES - 4;
	case 5:
		return (near % 9 + 1) * GOSPAN_CHUNK_NPAGES;
	case 6:
		return 1U << near % 16;
	default:
		return input_below(in, GOSPAN_SUM_MAX) + 1;
	}
}

/* --- steps ---------------------------------------------------------------- */

static struct gospan_summary *spare_list(unsigned int nr)
{
	struct gospan_summary *spare = NULL, *summary;

	while (nr--) {
		summary = calloc(1, sizeof(*summary));
		check(summary);
		summary->below[0] = spare;
		spare = summary;
	}
	return spare;
}

static void insert(unsigned long idx, struct gospan_summary **spare)
{
	struct gospan_pallocbits *b = malloc(sizeof(*b));

	check(b);
	memset(b, 0xff, sizeof(*b));
	gospan_pagealloc_insert(&pa, idx, b, spare);
	pagemap_insert(&map, idx, b);
}

static bool may_insert(unsigned long idx)
{
	return map.nr_chunks < limits.max_chunks && !pagemap_chunk(&map, idx);
}

/* With as many summaries as it takes, and no more. */
static void step_insert(unsigned long idx)
{
	struct gospan_summary *spare;

	if (!may_insert(idx))
		return;
	spare = spare_list(gospan_pagealloc_nr_missing(&pa, idx));
	insert(idx, &spare);
	check(!spare);
	check_equal(gospan_pagealloc_nr_missing(&pa, idx), 0);
}

/* While one chunk's summaries are made, others come in. */
static void step_insert_race(struct input *in)
{
	unsigned long idx = pick_chunk_idx(in), other;
	unsigned int nr = gospan_pagealloc_nr_missing(&pa, idx), i;
	struct gospan_summary *spare = spare_list(nr), *next;

	for (i = input_below(in, 3) + 1; i; i--) {
		other = pick_chunk_idx(in);
		if (other != idx)
			step_insert(other);
	}
	check(gospan_pagealloc_nr_missing(&pa, idx) <= nr);
	if (may_insert(idx))
		insert(idx, &spare);
	for (; spare; spare = next) {
		next = spare->below[0];
		free(spare);
	}
}

static void free_run(unsigned long page, unsigned int npages)
{
	pagemap_set(&map, page, npages, false);
	gospan_pagealloc_free(&pa, page, npages);
}

static void take_run(unsigned long page, unsigned int npages)
{
	pagemap_set(&map, page, npages, true);
	gospan_pagealloc_take(&pa, page, npages);
}

/* Chunks in a row, most of them free as a whole, some but for their start. */
static void step_insert_row(struct input *in)
{
	unsigned long idx = pick_chunk_idx(in), base;
	unsigned int nr = input_below(in, limits.max_chunks) + 1;
	unsigned int hole = input_byte(in), i;

	for (i = 0; i < nr && may_insert(idx + i) && idx + i < 1UL << CHUNK_IDX_BITS; i++) {
		step_insert(idx + i);
		base = (idx + i) * GOSPAN_CHUNK_NPAGES;
		if (!hole || i % hole)
			free_run(base, GOSPAN_CHUNK_NPAGES);
		else
			free_run(base + hole, GOSPAN_CHUNK_NPAGES - hole);
	}
}

static void step_free(struct input *in)
{
	unsigned long page = pick_chunk(in)->idx * GOSPAN_CHUNK_NPAGES + pick_page_idx(in);
	unsigned int max_npages = pick_npages(in), npages = 0;

	while (npages < max_npages && pagemap_is(&map, page + npages, true))
		npages++;
	if (npages)
		free_run(page, npages);
}

/* Some of a free run, wherever it is. */
static void step_take(struct input *in)
{
	unsigned int skip = input_byte(in), npages = pick_npages(in);
	struct pagemap_run run;

	if (!map.nr_runs)
		return;
	run = map.run[input_below(in, min(map.nr_runs, 65536U))];
	if (skip & 1 && run.base + skip / 2 < run.limit)
		run.base += skip / 2;
	take_run(run.base, min_t(unsigned long, npages, run.limit - run.base));
}

/* Regions, on all levels, that a search for [run_base, run_limit) may look into in vain. */
static unsigned int misleading(const struct gospan_summary *summary, unsigned int level,
			       unsigned long base, unsigned long run_base,
			       unsigned long run_limit)
{
	unsigned int count = 0, i;

	for (i = 0; i < GOSPAN_SUMMARY_FANOUT && base < run_limit; i++) {
		unsigned long limit = base + level_npages(level);

		if (summary->below[i]) {
			if (pagemap_sum(&map, base, limit).max >= run_limit - run_base)
				count += base > run_base || limit < run_limit;
			if (level)
				count += misleading(summary->below[i], level - 1, base, run_base,
						    run_limit);
		}
		base = limit;
	}
	return count;
}

static void check_aligned(unsigned long page, unsigned int npages, unsigned int align_npages)
{
	unsigned long lowest = pagemap_find(&map, npages, align_npages);
	unsigned int i;

	check(nr_looks <= MAX_LOOKS);
	if (page == GOSPAN_NO_PAGE)
		check_equal(pagemap_find(&map, npages + align_npages - 1, 1), GOSPAN_NO_PAGE);
	else
		check_equal(page % align_npages, 0);
	for (i = 0; page != GOSPAN_NO_PAGE && i < npages; i++)
		check(pagemap_is(&map, page + i, false));
	if (page != lowest)
		check(misleading(pa.root, pa.nr_levels - 1, 0, lowest, lowest + npages) >
		      MAX_MISLEADING);
}

/* An aligned run may be anywhere in the longest ones, too. */
static void step_find(struct input *in, bool take)
{
	unsigned int npages = pick_npages(in), order = input_byte(in), align_npages = 1;
	unsigned long page;

	if (order & 1)
		align_npages = 1U << (order >> 1) % 16;
	npages = min(npages, GOSPAN_SUM_MAX - align_npages);
	nr_looks = 0;
	page = gospan_pagealloc_find(&pa, npages, align_npages);
	if (align_npages > 1) {
		check_aligned(page, npages, align_npages);
	} else {
		check(nr_looks <= 1);
		check_equal(page, pagemap_find(&map, npages, 1));
	}
	if (take && page != GOSPAN_NO_PAGE)
		take_run(page, npages);
}

static void step_take_word(struct input *in)
{
	unsigned int npages = 1 + input_byte(in) % 64 * (input_byte(in) & 1), i;
	unsigned long lowest = pagemap_find(&map, npages, 1), base = lowest / 64 * 64, page;
	u64 pages = gospan_pagealloc_take_word(&pa, npages, 1, &page), want = 0;

	check_equal(page, lowest);
	if (lowest == GOSPAN_NO_PAGE || lowest % 64 + npages > 64) {
		check_equal(pages, 0);
		if (lowest != GOSPAN_NO_PAGE)
			pagemap_set(&map, lowest, npages, true);
		return;
	}
	for (i = 0; i < 64; i++)
		if (pagemap_is(&map, base + i, false)) {
			want |= 1ULL << i;
			pagemap_set(&map, base + i, 1, true);
		}
	check_equal(pages, want);
}

/* Some of the taken ones of a word; none is a step, too. */
static void step_free_word(struct input *in)
{
	unsigned int page_idx = pick_page_idx(in) / 64 * 64, i;
	unsigned long base = pick_chunk(in)->idx * GOSPAN_CHUNK_NPAGES + page_idx;
	unsigned int kind = input_byte(in);
	u64 pages = kind & 1 ? ~0ULL : kind & 2 ? 1ULL << (kind >> 2) : input_word(in, 8);

	for (i = 0; i < 64; i++) {
		if (!pagemap_is(&map, base + i, true))
			pages &= ~(1ULL << i);
		else if (pages >> i & 1)
			pagemap_set(&map, base + i, 1, false);
	}
	gospan_pagealloc_free_word(&pa, base, pages);
}

/* The highest ones that are free in a chunk. */
static void step_take_free(struct input *in)
{
	struct pagemap_chunk *chunk = pick_chunk(in);
	unsigned int max_npages = pick_npages(in), npages = 0, i = GOSPAN_CHUNK_NPAGES;
	u64 want[GOSPAN_CHUNK_NWORDS] = {}, pages[GOSPAN_CHUNK_NWORDS];

	while (i-- && npages < max_npages)
		if (!chunk->taken[i]) {
			chunk->taken[i] = 1;
			want[i / 64] |= 1ULL << i % 64;
			npages++;
		}
	check_equal(gospan_pagealloc_take_free(&pa, chunk->idx, max_npages, pages), npages);
	check(!memcmp(pages, want, sizeof(pages)));
}

/* Pages of any number. */
static void step_all_free(struct input *in)
{
	unsigned int npages = pick_npages(in), kind = input_byte(in), i;
	struct pagemap_run *run;
	bool want = true;
	unsigned long page;

	if (kind & 1) {
		page = input_word(in, 8) << (kind >> 2);
	} else if (kind & 2 && map.nr_runs) {
		run = &map.run[input_below(in, min(map.nr_runs, 65536U))];
		page = run->base + (kind >> 2) % 3 - 1;
	} else {
		page = pick_chunk_idx(in) * GOSPAN_CHUNK_NPAGES + pick_page_idx(in);
	}
	/* More than any address has. */
	if (kind >= 128)
		page += (unsigned long)GOSPAN_CHUNK_NPAGES << CHUNK_IDX_BITS;
	for (i = 0; want && i < npages; i++)
		want = pagemap_is(&map, page + i, false);
	check_equal(gospan_pagealloc_all_free(&pa, page, npages), want);
}

/* Once all of it is taken. */
static void step_remove(struct input *in)
{
	struct pagemap_chunk *chunk = pick_chunk(in);
	unsigned long idx = chunk->idx, base = idx * GOSPAN_CHUNK_NPAGES;
	struct gospan_pallocbits *b = chunk->bits;
	unsigned int i;

	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++)
		if (!chunk->taken[i])
			take_run(base + i, 1);
	gospan_pagealloc_remove(&pa, idx);
	pagemap_remove(&map, idx);
	free(b);
	check_equal(gospan_pagealloc_nr_missing(&pa, idx), 0);
}

/* All chunks with such a run, highest first. */
static void step_last_chunk(struct input *in)
{
	unsigned int npages = (pick_npages(in) - 1) % GOSPAN_CHUNK_NPAGES + 1, i;
	unsigned long limit = input_byte(in) & 1 ? pick_chunk_idx(in) : GOSPAN_NO_PAGE;
	const struct gospan_pallocbits *b;

	for (i = map.nr_chunks; i--;) {
		unsigned long idx = map.chunk[i]->idx, base = idx * GOSPAN_CHUNK_NPAGES;

		if (idx >= limit ||
		    pagemap_sum(&map, base, base + GOSPAN_CHUNK_NPAGES).max < npages)
			continue;
		b = gospan_pagealloc_last_chunk(&pa, npages, limit, &limit);
		check(b == map.chunk[i]->bits);
		check_equal(limit, idx);
	}
	check(!gospan_pagealloc_last_chunk(&pa, npages, limit, &limit));
}

static void free_summary(const void *summary)
{
	free((void *)summary);
	nr_freed_summaries++;
}

static void step_destroy(void)
{
	unsigned long nr_summaries = pa.nr_summaries;

	nr_freed_summaries = 0;
	gospan_pagealloc_destroy(&pa, free_summary);
	check_equal(nr_freed_summaries, nr_summaries);
	while (map.nr_chunks) {
		free(map.chunk[0]->bits);
		pagemap_remove(&map, map.chunk[0]->idx);
	}
}

static void step(struct input *in)
{
	unsigned int op = input_byte(in);

	if (op == 255)
		step_destroy();
	op %= 16;
	/* The others can do without a chunk. */
	if (!map.nr_chunks && op >= 2 && op <= 9)
		op = 1;
	if (op == 0)
		step_insert_race(in);
	else if (op == 1)
		step_insert(pick_chunk_idx(in));
	else if (op == 2)
		step_insert_row(in);
	else if (op == 3)
		step_remove(in);
	else if (op <= 6)
		step_free(in);
	else if (op == 7)
		step_take_free(in);
	else if (op == 8)
		step_take(in);
	else if (op == 9)
		step_free_word(in);
	else if (op == 10)
		step_find(in, false);
	else if (op <= 12)
		step_find(in, true);
	else if (op == 13)
		step_take_word(in);
	else if (op == 14)
		step_all_free(in);
	else
		step_last_chunk(in);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u8 chunk_idx_bits[] = { 4, 7, 10, 13, 16, 31, CHUNK_IDX_BITS };
	struct input in = { data, data + size };
	unsigned int kind = input_byte(&in);

	limits.max_chunks = kind % 32 ? 24 : PAGEMAP_MAX_CHUNKS;
	limits.steps = kind % 32 ? 400 : 24;
	limits.chunk_idx_bits = chunk_idx_bits[input_below(&in, sizeof(chunk_idx_bits))];
	while (in.next < in.limit && limits.steps--) {
		step(&in);
		pagemap_scan(&map);
		pagealloc_check(&pa, &map);
	}
	step_destroy();
	pagemap_scan(&map);
	pagealloc_check(&pa, &map);
	return 0;
}
