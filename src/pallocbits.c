// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page bits: which of a chunk's 512 pages may be handed out.
 *
 * Eight words. A search goes over them once, with the free run that reaches up
 * to the word in hand; a run within a word is found for all places at once, by
 * shifts. Both cost some ten instructions a word, however fragmented.
 *
 * Pure: also compiled for user space, see tools/host.
 *
 * Go's runtime/mpallocbits.go does the same, without alignment.
 */
#include <linux/bitops.h>
#include <linux/minmax.h>
#include "pallocbits.h"

/* How many pages a word's free run at its start has. */
static unsigned int word_start(u64 free)
{
	return free == ~0ULL ? 64 : __ffs64(~free);
}

static unsigned int word_end(u64 free)
{
	return 64 - fls64(~free);
}

/* Where in @free a run of @n ones, 1..64, starts: a one for each place. */
u64 gospan_word_runs(u64 free, unsigned int n)
{
	unsigned int done, step;

	/* What has a run of @done at each one, has one of done + step where both are. */
	for (done = 1; done < n; done += step) {
		step = min(done, n - done);
		free &= free >> step;
	}
	return free;
}

/* The longest run of ones in @free, but not less than @floor, which is below 64. */
static unsigned int word_max(u64 free, unsigned int floor)
{
	free = gospan_word_runs(free, floor + 1);
	while (free) {
		floor++;
		free &= free >> 1;
	}
	return floor;
}

/**
 * gospan_pallocbits_find() - find a free run
 * @b: a chunk's bits
 * @base: number of its first page
 * @npages: length of the run, at least 1
 * @align_npages: its alignment, a power of two
 *
 * Return: the number of the lowest page at which such a run starts, or
 * %GOSPAN_NO_PAGE.
 */
unsigned long gospan_pallocbits_find(const struct gospan_pallocbits *b, unsigned long base,
				     unsigned int npages, unsigned int align_npages)
{
	unsigned long run_base = base, page;
	unsigned int word;

	for (word = 0; word < GOSPAN_CHUNK_NWORDS; word++, base += 64) {
		u64 free = ~b->taken[word];

		if (!free && run_base == base) {
			run_base += 64;
			continue;
		}
		page = gospan_run_fit(run_base, base + word_start(free), npages, align_npages);
		if (page != GOSPAN_NO_PAGE)
			return page;
		if (free == ~0ULL)
			continue;
		run_base = base + 64 - word_end(free);
		if (npages > 64)
			continue;
		free = gospan_word_runs(free, npages);
		if (align_npages > 1)
			free &= gospan_word_aligned(base, align_npages);
		if (free)
			return base + __ffs64(free);
	}
	return GOSPAN_NO_PAGE;
}

/* The free runs of a whole chunk. */
struct gospan_pallocsum gospan_pallocbits_summarize(const struct gospan_pallocbits *b)
{
	unsigned int start = GOSPAN_CHUNK_NPAGES, max = 0, run = 0, word;

	for (word = 0; word < GOSPAN_CHUNK_NWORDS; word++) {
		u64 free = ~b->taken[word];

		run += word_start(free);
		if (free == ~0ULL)
			continue;
		if (start == GOSPAN_CHUNK_NPAGES)
			start = run;
		max = max(max, run);
		/* A run that touches neither end has at most 62 pages. */
		if (free && max < 62)
			max = word_max(free, max);
		run = word_end(free);
	}
	return (struct gospan_pallocsum){ .start = start, .max = max(max, run), .end = run };
}

/* First page of the free run that reaches up to @page_idx; that itself if none does. */
static unsigned int run_base(const struct gospan_pallocbits *b, unsigned int page_idx)
{
	unsigned int word = page_idx / 64;
	u64 taken = page_idx % 64 ? b->taken[word] & gospan_word_mask(0, page_idx % 64) : 0;

	while (!taken) {
		if (!word)
			return 0;
		taken = b->taken[--word];
	}
	return word * 64 + fls64(taken);
}

/* Where the free run ends that begins at @page_idx. */
static unsigned int run_limit(const struct gospan_pallocbits *b, unsigned int page_idx)
{
	unsigned int word = page_idx / 64;
	u64 taken = 0;

	if (page_idx % 64)
		taken = b->taken[word++] & ~gospan_word_mask(0, page_idx % 64);
	while (!taken) {
		if (word == GOSPAN_CHUNK_NWORDS)
			return GOSPAN_CHUNK_NPAGES;
		taken = b->taken[word++];
	}
	return (word - 1) * 64 + __ffs64(taken);
}

static unsigned int nr_free(const struct gospan_pallocbits *b)
{
	unsigned int nr = 0, word;

	for (word = 0; word < GOSPAN_CHUNK_NWORDS; word++)
		nr += hweight64(~b->taken[word]);
	return nr;
}

/* What a chunk's summary, which was @sum, is after the pages [page_idx, page_idx + npages) went. */
struct gospan_pallocsum gospan_pallocbits_sum_taken(const struct gospan_pallocbits *b,
						    struct gospan_pallocsum sum,
						    unsigned int page_idx, unsigned int npages)
{
	unsigned int base = run_base(b, page_idx), limit = GOSPAN_CHUNK_NPAGES;

	unsigned int left, right;

	/* In the run at the end, as most are in a new chunk? */
	if (page_idx < GOSPAN_CHUNK_NPAGES - sum.end)
		limit = run_limit(b, page_idx + npages);
	left = page_idx - base;
	right = limit - page_idx - npages;
	if (limit - base == sum.max) {
		/* They were in a longest run. There may be others, unless little else is free. */
		sum.max = max(left, right);
		if (nr_free(b) > left + right + sum.max)
			return gospan_pallocbits_summarize(b);
	}
	if (!base)
		sum.start = left;
	if (limit == GOSPAN_CHUNK_NPAGES)
		sum.end = right;
	return sum;
}

/* What it is after they came back. */
struct gospan_pallocsum gospan_pallocbits_sum_freed(const struct gospan_pallocbits *b,
						    struct gospan_pallocsum sum,
						    unsigned int page_idx, unsigned int npages)
{
	unsigned int base = run_base(b, page_idx), limit = GOSPAN_CHUNK_NPAGES;

	if (page_idx + npages != GOSPAN_CHUNK_NPAGES - sum.end)
		limit = run_limit(b, page_idx + npages);
	if (!base)
		sum.start = limit;
	if (limit == GOSPAN_CHUNK_NPAGES)
		sum.end = limit - base;
	sum.max = max_t(unsigned int, sum.max, limit - base);
	return sum;
}

/* Mark the pages [page_idx, page_idx + npages) as not free. */
void gospan_pallocbits_take(struct gospan_pallocbits *b, unsigned int page_idx,
			    unsigned int npages)
{
	while (npages) {
		unsigned int n = min(npages, 64 - page_idx % 64);

		b->taken[page_idx / 64] |= gospan_word_mask(page_idx % 64, n);
		page_idx += n;
		npages -= n;
	}
}

/* Mark the pages [page_idx, page_idx + npages) as free. */
void gospan_pallocbits_free(struct gospan_pallocbits *b, unsigned int page_idx,
			    unsigned int npages)
{
	while (npages) {
		unsigned int n = min(npages, 64 - page_idx % 64);

		b->taken[page_idx / 64] &= ~gospan_word_mask(page_idx % 64, n);
		page_idx += n;
		npages -= n;
	}
}

/* Are all of the pages [page_idx, page_idx + npages) free? */
bool gospan_pallocbits_all_free(const struct gospan_pallocbits *b, unsigned int page_idx,
				unsigned int npages)
{
	while (npages) {
		unsigned int n = min(npages, 64 - page_idx % 64);

		if (b->taken[page_idx / 64] & gospan_word_mask(page_idx % 64, n))
			return false;
		page_idx += n;
		npages -= n;
	}
	return true;
}
