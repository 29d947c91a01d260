// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page allocator: address-ordered first fit over 8 KiB pages.
 *
 * One bit per page, in chunks of 512; above them levels of summaries, each of
 * which stands for eight below it: the free run at the start, the longest, the
 * one at the end. A search looks at eight summaries a level on its way down to
 * the lowest run that is long enough; a change walks one path up, until a
 * summary stays what it was. Runs go across the borders of chunks.
 *
 * The tree is as high as the highest chunk's number needs, and has branches
 * only where there are chunks: a hole in the physical memory costs nothing.
 *
 * An aligned run may hide behind runs that are long enough but lie badly. A
 * search looks into a few of them (ALIGNED_TRIES), then takes the lowest run
 * that holds an aligned one wherever it lies. So it stays O(levels), at the
 * price that it may miss a run that would just have fitted.
 *
 * Callers hold the heap's lock. Nothing here allocates: gospan_pagealloc_insert()
 * is given what it may need. Pure: also compiled for user space, see tools/host.
 *
 * Go's runtime/mpagealloc.go does the same, except that it reserves address
 * space for five full levels, and knows no alignment.
 */
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "pagealloc.h"

/* Runs that are long enough, but lie badly, before an aligned search asks for more. */
#define ALIGNED_TRIES	8

/* log2 of the pages that a summary on @level stands for. */
static unsigned int level_shift(unsigned int level)
{
	return ilog2(GOSPAN_CHUNK_NPAGES) + level * GOSPAN_SUMMARY_LEVEL_BITS;
}

/* Which of the eight on @level is above the chunk. */
static unsigned int level_idx(unsigned long chunk_idx, unsigned int level)
{
	return chunk_idx >> (level * GOSPAN_SUMMARY_LEVEL_BITS) & (GOSPAN_SUMMARY_FANOUT - 1);
}

static unsigned int levels_for(unsigned long chunk_idx)
{
	unsigned int levels = 1;

	while (chunk_idx >> (levels * GOSPAN_SUMMARY_LEVEL_BITS))
		levels++;
	return levels;
}

static bool sum_equal(struct gospan_pallocsum a, struct gospan_pallocsum b)
{
	return a.start == b.start && a.max == b.max && a.end == b.end;
}

/* One summary of eight on @level. */
struct gospan_pallocsum gospan_summary_merge(const struct gospan_summary *summary,
					     unsigned int level)
{
	unsigned long region = 1UL << level_shift(level);
	unsigned long start = 0, max = 0, run = 0;
	bool all_free = true;
	unsigned int i;

	for (i = 0; i < GOSPAN_SUMMARY_FANOUT; i++) {
		const struct gospan_pallocsum *sum = &summary->sum[i];

		/* Most are full, or not there. */
		if (!sum->max && !run && !all_free)
			continue;
		run += sum->start;
		/* Where a region is larger than GOSPAN_SUM_MAX, that is what run comes to. */
		if (sum->start == region)
			continue;
		if (all_free)
			start = run;
		all_free = false;
		max = max3(max, run, (unsigned long)sum->max);
		run = sum->end;
	}
	if (all_free)
		start = run;
	return (struct gospan_pallocsum){
		.start = min_t(unsigned long, start, GOSPAN_SUM_MAX),
		.max = min_t(unsigned long, max(max, run), GOSPAN_SUM_MAX),
		.end = min_t(unsigned long, run, GOSPAN_SUM_MAX),
	};
}

/* The summary on level 0 of a chunk that is there. */
static struct gospan_summary *chunk_summary(const struct gospan_pagealloc *p,
					    unsigned long chunk_idx)
{
	struct gospan_summary *summary = p->root;
	unsigned int level;

	for (level = p->nr_levels - 1; level; level--)
		summary = summary->below[level_idx(chunk_idx, level)];
	return summary;
}

/* Pass on what a chunk under @summary has become, up to where it makes no difference. */
static void summary_update(struct gospan_summary *summary, unsigned long chunk_idx,
			   struct gospan_pallocsum sum)
{
	struct gospan_pallocsum *entry = &summary->sum[level_idx(chunk_idx, 0)], *next, old;
	unsigned int level;

	for (level = 0; !sum_equal(*entry, sum); level++) {
		old = *entry;
		*entry = sum;
		if (!summary->above)
			return;
		next = &summary->above->sum[level_idx(chunk_idx, level + 1)];
		if (old.start != sum.start || old.end != sum.end ||
		    (sum.max < old.max && old.max == next->max)) {
			sum = gospan_summary_merge(summary, level);
		} else {
			/* It shows above only as the longest run of all. */
			sum = (struct gospan_pallocsum){
				.start = next->start,
				.max = max(sum.max, next->max),
				.end = next->end,
			};
		}
		summary = summary->above;
		entry = next;
	}
}

/* The chunk's bits, or NULL. */
static struct gospan_pallocbits *chunk_lookup(const struct gospan_pagealloc *p,
					      unsigned long chunk_idx)
{
	const struct gospan_summary *summary = p->root;
	unsigned int level = p->nr_levels;

	if (!summary || levels_for(chunk_idx) > level)
		return NULL;
	while (--level) {
		summary = summary->below[level_idx(chunk_idx, level)];
		if (!summary)
			return NULL;
	}
	return summary->chunk[level_idx(chunk_idx, 0)];
}

/**
 * gospan_pagealloc_nr_missing() - summaries that inserting a chunk takes
 * @p: page allocator
 * @chunk_idx: number of the chunk
 *
 * Return: how many at most; chunks that are inserted meanwhile never make it more.
 */
unsigned int gospan_pagealloc_nr_missing(const struct gospan_pagealloc *p,
					 unsigned long chunk_idx)
{
	const struct gospan_summary *summary = p->root;
	unsigned int levels = levels_for(chunk_idx), level;

	/* The old root, if any, is on the way to chunk 0, the new chunk is on another. */
	if (levels > p->nr_levels)
		return levels - p->nr_levels + levels - 1;
	for (level = p->nr_levels - 1; level; level--) {
		summary = summary->below[level_idx(chunk_idx, level)];
		if (!summary)
			return level;
	}
	return 0;
}

static struct gospan_summary *summary_create(struct gospan_pagealloc *p,
					     struct gospan_summary **spare)
{
	struct gospan_summary *summary = *spare;

	*spare = summary->below[0];
	memset(summary, 0, sizeof(*summary));
	p->nr_summaries++;
	return summary;
}

/* Put a level above the root. */
static void pagealloc_raise(struct gospan_pagealloc *p, struct gospan_summary **spare)
{
	struct gospan_summary *root = summary_create(p, spare);

	if (p->root) {
		root->below[0] = p->root;
		p->root->above = root;
		root->sum[0] = gospan_summary_merge(p->root, p->nr_levels - 1);
	}
	p->root = root;
	p->nr_levels++;
}

/**
 * gospan_pagealloc_insert() - add a chunk
 * @p: page allocator
 * @chunk_idx: its number, that of no chunk there
 * @b: its bits, all taken
 * @spare: as many summaries as gospan_pagealloc_nr_missing() said, zeroed, each
 *	with the next one as below[0]; what is used is taken off
 */
void gospan_pagealloc_insert(struct gospan_pagealloc *p, unsigned long chunk_idx,
			     struct gospan_pallocbits *b, struct gospan_summary **spare)
{
	unsigned int levels = levels_for(chunk_idx), level;
	struct gospan_summary *summary, **below;

	/*
	 * The first root starts at the bottom, too: had it no way to chunk 0, a
	 * lower chunk would now miss more than gospan_pagealloc_nr_missing() said.
	 */
	while (p->nr_levels < levels)
		pagealloc_raise(p, spare);
	summary = p->root;
	for (level = p->nr_levels - 1; level; level--) {
		below = &summary->below[level_idx(chunk_idx, level)];
		if (!*below) {
			*below = summary_create(p, spare);
			(*below)->above = summary;
		}
		summary = *below;
	}
	summary->chunk[level_idx(chunk_idx, 0)] = b;
	p->nr_chunks++;
}

/* Take out a chunk, none of whose pages is free any more. The summaries stay. */
void gospan_pagealloc_remove(struct gospan_pagealloc *p, unsigned long chunk_idx)
{
	chunk_summary(p, chunk_idx)->chunk[level_idx(chunk_idx, 0)] = NULL;
	if (p->search_page / GOSPAN_CHUNK_NPAGES == chunk_idx)
		p->search_chunk = NULL;
	p->nr_chunks--;
}

static void summary_destroy(struct gospan_summary *summary, unsigned int level,
			    void (*free_summary)(const void *summary))
{
	unsigned int i;

	for (i = 0; level && i < GOSPAN_SUMMARY_FANOUT; i++)
		if (summary->below[i])
			summary_destroy(summary->below[i], level - 1, free_summary);
	free_summary(summary);
}

/* Free all summaries; the chunks are the caller's. */
void gospan_pagealloc_destroy(struct gospan_pagealloc *p,
			      void (*free_summary)(const void *summary))
{
	if (p->root)
		summary_destroy(p->root, p->nr_levels - 1, free_summary);
	*p = (struct gospan_pagealloc){};
}

/* What is searched for. */
struct query {
	unsigned int npages;
	unsigned int align_npages;
	unsigned int tries;		/* left; see ALIGNED_TRIES */
	unsigned long search_page;	/* nothing below it is free */
};

/*
 * The lowest run that fits in eight regions on @level, whose first page is
 * @base, as far as summaries and @q->tries tell.
 */
static unsigned long summary_find(const struct gospan_summary *summary, unsigned int level,
				  unsigned long base, struct query *q)
{
	unsigned int shift = level_shift(level);
	unsigned long region = 1UL << shift;
	unsigned long run_base, page;
	unsigned int i = 0;

	if (q->search_page > base)
		i = min_t(unsigned long, (q->search_page - base) >> shift, GOSPAN_SUMMARY_FANOUT);
	base += (unsigned long)i << shift;
	/* The free pages from here to the region in hand. */
	run_base = base;
	for (; i < GOSPAN_SUMMARY_FANOUT; i++, base += region) {
		const struct gospan_pallocsum *sum = &summary->sum[i];

		/* Most are full, or not there. */
		if (!sum->max && run_base == base) {
			run_base += region;
			continue;
		}
		if (base - run_base + sum->start >= q->npages) {
			page = gospan_run_fit(run_base, base + sum->start, q->npages,
					      q->align_npages);
			if (page != GOSPAN_NO_PAGE)
				return page;
		}
		if (sum->start == region)
			continue;
		if (sum->max >= q->npages && q->tries) {
			page = level ? summary_find(summary->below[i], level - 1, base, q) :
			       gospan_pallocbits_find(summary->chunk[i], base, q->npages,
						      q->align_npages);
			if (page != GOSPAN_NO_PAGE)
				return page;
			/* What lies below may have used up all of them. */
			if (q->tries)
				q->tries--;
		}
		run_base = base + region - sum->end;
	}
	return GOSPAN_NO_PAGE;
}

/* No page below @page is free; @b are its chunk's bits, if they are known. */
static void search_set(struct gospan_pagealloc *p, unsigned long page,
		       struct gospan_pallocbits *b)
{
	p->search_page = page;
	p->search_chunk = b;
}

/* The run that starts at the lowest free page, if that is near the hint; or GOSPAN_NO_PAGE. */
static unsigned long pagealloc_search_here(const struct gospan_pagealloc *p, unsigned int npages)
{
	unsigned int page_idx = p->search_page % GOSPAN_CHUNK_NPAGES, first;
	u64 free;

	if (!p->search_chunk)
		return GOSPAN_NO_PAGE;
	free = ~p->search_chunk->taken[page_idx / 64] >> (page_idx % 64);
	if (!free)
		return GOSPAN_NO_PAGE;
	first = page_idx + __ffs64(free);
	if (npages > GOSPAN_CHUNK_NPAGES - first ||
	    !gospan_pallocbits_all_free(p->search_chunk, first, npages))
		return GOSPAN_NO_PAGE;
	return p->search_page - page_idx + first;
}

static unsigned long pagealloc_search(const struct gospan_pagealloc *p, unsigned int npages,
				      unsigned int align_npages)
{
	struct query q = {
		.npages = npages,
		.align_npages = align_npages,
		.tries = ALIGNED_TRIES,
		.search_page = p->search_page,
	};

	return summary_find(p->root, p->nr_levels - 1, 0, &q);
}

/**
 * gospan_pagealloc_find() - find a free run
 * @p: page allocator
 * @npages: length of the run, at least 1
 * @align_npages: its alignment, a power of two; together at most %GOSPAN_SUM_MAX
 *
 * Return: the first page of the lowest such run, or %GOSPAN_NO_PAGE. With an
 * alignment it need not be the lowest, and a run of less than @npages +
 * @align_npages - 1 pages may be missed.
 */
unsigned long gospan_pagealloc_find(struct gospan_pagealloc *p, unsigned int npages,
				    unsigned int align_npages)
{
	unsigned long page;

	if (npages > p->free_pages)
		return GOSPAN_NO_PAGE;
	if (align_npages == 1) {
		page = pagealloc_search_here(p, npages);
		if (page != GOSPAN_NO_PAGE)
			return page;
	}
	page = pagealloc_search(p, npages, align_npages);
	if (align_npages == 1) {
		/* Now it is known which page is the lowest. */
		if (npages == 1)
			search_set(p, page, NULL);
		return page;
	}
	if (page != GOSPAN_NO_PAGE)
		return page;
	page = pagealloc_search(p, npages + align_npages - 1, 1);
	if (page == GOSPAN_NO_PAGE)
		return page;
	return gospan_run_fit(page, page + npages + align_npages - 1, npages, align_npages);
}

/* Are the pages [page, page + npages), of any number, all there and free? */
bool gospan_pagealloc_all_free(const struct gospan_pagealloc *p, unsigned long page,
			       unsigned int npages)
{
	unsigned int n;

	for (; npages; page += n, npages -= n) {
		const struct gospan_pallocbits *b = chunk_lookup(p, page / GOSPAN_CHUNK_NPAGES);

		n = gospan_npages_in_chunk(page, npages);
		if (!b || !gospan_pallocbits_all_free(b, page % GOSPAN_CHUNK_NPAGES, n))
			return false;
	}
	return true;
}

/* Take the pages [page, page + npages), which are free. */
void gospan_pagealloc_take(struct gospan_pagealloc *p, unsigned long page, unsigned int npages)
{
	struct gospan_summary *summary;
	struct gospan_pallocbits *b;
	struct gospan_pallocsum sum;
	unsigned int n;
	bool lowest;

	lowest = page <= p->search_page || pagealloc_search_here(p, 1) == page;
	p->free_pages -= npages;
	for (; npages; page += n, npages -= n) {
		n = gospan_npages_in_chunk(page, npages);
		summary = chunk_summary(p, page / GOSPAN_CHUNK_NPAGES);
		b = summary->chunk[level_idx(page / GOSPAN_CHUNK_NPAGES, 0)];
		sum = summary->sum[level_idx(page / GOSPAN_CHUNK_NPAGES, 0)];
		gospan_pallocbits_take(b, page % GOSPAN_CHUNK_NPAGES, n);
		sum = gospan_pallocbits_sum_taken(b, sum, page % GOSPAN_CHUNK_NPAGES, n);
		summary_update(summary, page / GOSPAN_CHUNK_NPAGES, sum);
		/* Behind the chunk's last page there is another. */
		if (lowest)
			search_set(p, page + n, (page + n) % GOSPAN_CHUNK_NPAGES ? b : NULL);
	}
}

/* Free the pages [page, page + npages), whose chunks are there. */
void gospan_pagealloc_free(struct gospan_pagealloc *p, unsigned long page, unsigned int npages)
{
	struct gospan_summary *summary;
	struct gospan_pallocbits *b;
	struct gospan_pallocsum sum;
	unsigned int n;

	p->free_pages += npages;
	for (; npages; page += n, npages -= n) {
		n = gospan_npages_in_chunk(page, npages);
		summary = chunk_summary(p, page / GOSPAN_CHUNK_NPAGES);
		b = summary->chunk[level_idx(page / GOSPAN_CHUNK_NPAGES, 0)];
		sum = summary->sum[level_idx(page / GOSPAN_CHUNK_NPAGES, 0)];
		gospan_pallocbits_free(b, page % GOSPAN_CHUNK_NPAGES, n);
		sum = gospan_pallocbits_sum_freed(b, sum, page % GOSPAN_CHUNK_NPAGES, n);
		summary_update(summary, page / GOSPAN_CHUNK_NPAGES, sum);
		if (page < p->search_page)
			search_set(p, page, b);
	}
}

/**
 * gospan_pagealloc_take_word() - take all free pages next to the lowest run
 * @p: page allocator
 * @npages: length of the run, 1..64
 * @align_npages: its alignment, a power of two
 * @page: set to the first page of the run, or %GOSPAN_NO_PAGE
 *
 * Return: which of the aligned 64 pages that the run is among were free and are
 * taken now, a one each; 0 if there is no such run, or it goes beyond the 64: then
 * it alone is taken.
 */
u64 gospan_pagealloc_take_word(struct gospan_pagealloc *p, unsigned int npages,
			       unsigned int align_npages, unsigned long *page)
{
	struct gospan_summary *summary;
	struct gospan_pallocbits *b;
	unsigned long base;
	u64 *taken, pages;

	*page = gospan_pagealloc_find(p, npages, align_npages);
	if (*page == GOSPAN_NO_PAGE)
		return 0;
	if (*page % 64 + npages > 64) {
		gospan_pagealloc_take(p, *page, npages);
		return 0;
	}
	base = *page & ~63UL;
	summary = chunk_summary(p, base / GOSPAN_CHUNK_NPAGES);
	b = summary->chunk[level_idx(base / GOSPAN_CHUNK_NPAGES, 0)];
	taken = &b->taken[base % GOSPAN_CHUNK_NPAGES / 64];
	pages = ~*taken;
	*taken = ~0ULL;
	p->free_pages -= hweight64(pages);
	if (base <= p->search_page && p->search_page < base + 64)
		search_set(p, base + 64, (base + 64) % GOSPAN_CHUNK_NPAGES ? b : NULL);
	summary_update(summary, base / GOSPAN_CHUNK_NPAGES, gospan_pallocbits_summarize(b));
	return pages;
}

/* Free those of the 64 pages from @base, a multiple of 64, that are ones in @pages. */
void gospan_pagealloc_free_word(struct gospan_pagealloc *p, unsigned long base, u64 pages)
{
	struct gospan_summary *summary;
	struct gospan_pallocbits *b;

	if (!pages)
		return;
	summary = chunk_summary(p, base / GOSPAN_CHUNK_NPAGES);
	b = summary->chunk[level_idx(base / GOSPAN_CHUNK_NPAGES, 0)];
	b->taken[base % GOSPAN_CHUNK_NPAGES / 64] &= ~pages;
	p->free_pages += hweight64(pages);
	if (base + __ffs64(pages) < p->search_page)
		search_set(p, base + __ffs64(pages), b);
	summary_update(summary, base / GOSPAN_CHUNK_NPAGES, gospan_pallocbits_summarize(b));
}

/* The highest @n ones of @word. */
static u64 word_highest(u64 word, unsigned int n)
{
	while (hweight64(word) > n)
		word &= word - 1;
	return word;
}

/**
 * gospan_pagealloc_take_free() - take what is free in a chunk
 * @p: page allocator
 * @chunk_idx: number of the chunk, which is there
 * @max_npages: how many pages to take at most; the highest
 * @pages: set to a one for each page taken, %GOSPAN_CHUNK_NWORDS words
 *
 * Return: how many.
 */
unsigned int gospan_pagealloc_take_free(struct gospan_pagealloc *p, unsigned long chunk_idx,
					unsigned int max_npages, u64 *pages)
{
	struct gospan_summary *summary = chunk_summary(p, chunk_idx);
	struct gospan_pallocbits *b = summary->chunk[level_idx(chunk_idx, 0)];
	unsigned int word = GOSPAN_CHUNK_NWORDS, npages = 0;

	while (word--) {
		pages[word] = word_highest(~b->taken[word], max_npages - npages);
		b->taken[word] |= pages[word];
		npages += hweight64(pages[word]);
	}
	p->free_pages -= npages;
	summary_update(summary, chunk_idx, gospan_pallocbits_summarize(b));
	return npages;
}

/* The highest chunk below number @limit, under @summary, with a free run in it. */
static struct gospan_pallocbits *summary_last(const struct gospan_summary *summary,
					      unsigned int level, unsigned long first,
					      unsigned int npages, unsigned long limit,
					      unsigned long *chunk_idx)
{
	unsigned int shift = level * GOSPAN_SUMMARY_LEVEL_BITS, i = GOSPAN_SUMMARY_FANOUT;

	while (i--) {
		unsigned long idx = first + ((unsigned long)i << shift);
		struct gospan_pallocbits *b;

		if (idx >= limit || summary->sum[i].max < npages)
			continue;
		*chunk_idx = idx;
		b = level ? summary_last(summary->below[i], level - 1, idx, npages, limit,
					 chunk_idx) : summary->chunk[i];
		if (b)
			return b;
	}
	return NULL;
}

/**
 * gospan_pagealloc_last_chunk() - find the highest chunk with a free run in it
 * @p: page allocator
 * @npages: length of the run, 1..%GOSPAN_CHUNK_NPAGES; the latter is a chunk that is all free
 * @limit: look only at chunks with lower numbers
 * @chunk_idx: set to the chunk's number
 *
 * What lies in more than one chunk costs a look at each: for the background.
 *
 * Return: its bits, or NULL.
 */
struct gospan_pallocbits *gospan_pagealloc_last_chunk(const struct gospan_pagealloc *p,
						      unsigned int npages, unsigned long limit,
						      unsigned long *chunk_idx)
{
	if (!p->root)
		return NULL;
	return summary_last(p->root, p->nr_levels - 1, 0, npages, limit, chunk_idx);
}
