/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page bits: which of a chunk's 512 pages may be handed out.
 */
#ifndef _GOSPAN_PALLOCBITS_H
#define _GOSPAN_PALLOCBITS_H

#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define GOSPAN_CHUNK_NPAGES	512U
#define GOSPAN_CHUNK_NWORDS	(GOSPAN_CHUNK_NPAGES / 64)

/* No page number: more than any. */
#define GOSPAN_NO_PAGE		(~0UL)

/* Pages of the run [page, page + npages) that are in the chunk of its first. */
static inline unsigned int gospan_npages_in_chunk(unsigned long page, unsigned int npages)
{
	return min_t(unsigned int, npages, GOSPAN_CHUNK_NPAGES - page % GOSPAN_CHUNK_NPAGES);
}

/* One = not free: taken, or not ours at all (Go's pallocBits). */
struct gospan_pallocbits {
	u64 taken[GOSPAN_CHUNK_NWORDS];
};

/*
 * Free pages of a region, in pages (Go's pallocSum). A value that would be
 * more stands at GOSPAN_SUM_MAX, which is more than any request.
 */
struct gospan_pallocsum {
	u16 start;	/* free run that the region starts with */
	u16 max;	/* longest free run in it */
	u16 end;	/* free run that it ends with */
};

#define GOSPAN_SUM_MAX		0xffffU

/* Bits [first, first + n) of a word; n is 1..64. */
static inline u64 gospan_word_mask(unsigned int first, unsigned int n)
{
	return ~0ULL >> (64 - n) << first;
}

/* Which of the 64 pages from @base on are aligned. */
static inline u64 gospan_word_aligned(unsigned long base, unsigned int align_npages)
{
	u64 places = !(base & (align_npages - 1));

	for (; align_npages < 64; align_npages *= 2)
		places |= places << align_npages;
	return places;
}

/* First page of the aligned run of @npages in the free pages [base, limit), if there is one. */
static inline unsigned long gospan_run_fit(unsigned long base, unsigned long limit,
					   unsigned int npages, unsigned int align_npages)
{
	unsigned long page = (base + align_npages - 1) & ~((unsigned long)align_npages - 1);

	return page + npages <= limit ? page : GOSPAN_NO_PAGE;
}

u64 gospan_word_runs(u64 free, unsigned int n);
unsigned long gospan_pallocbits_find(const struct gospan_pallocbits *b, unsigned long base,
				     unsigned int npages, unsigned int align_npages);
struct gospan_pallocsum gospan_pallocbits_summarize(const struct gospan_pallocbits *b);
struct gospan_pallocsum gospan_pallocbits_sum_taken(const struct gospan_pallocbits *b,
						    struct gospan_pallocsum sum,
						    unsigned int page_idx, unsigned int npages);
struct gospan_pallocsum gospan_pallocbits_sum_freed(const struct gospan_pallocbits *b,
						    struct gospan_pallocsum sum,
						    unsigned int page_idx, unsigned int npages);
void gospan_pallocbits_take(struct gospan_pallocbits *b, unsigned int page_idx,
			    unsigned int npages);
void gospan_pallocbits_free(struct gospan_pallocbits *b, unsigned int page_idx,
			    unsigned int npages);
/* Is the page taken, or not ours? */
static inline bool gospan_pallocbits_is_taken(const struct gospan_pallocbits *b,
					      unsigned int page_idx)
{
	return b->taken[page_idx / 64] >> (page_idx % 64) & 1;
}

bool gospan_pallocbits_all_free(const struct gospan_pallocbits *b, unsigned int page_idx,
				unsigned int npages);

#endif /* _GOSPAN_PALLOCBITS_H */
