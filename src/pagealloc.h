/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page allocator: address-ordered first fit over 8 KiB pages.
 */
#ifndef _GOSPAN_PAGEALLOC_H
#define _GOSPAN_PAGEALLOC_H

#include <linux/build_bug.h>
#include "pallocbits.h"

/* Each summary stands for eight of the level below, as in Go. */
#define GOSPAN_SUMMARY_LEVEL_BITS	3
#define GOSPAN_SUMMARY_FANOUT		8U
static_assert(GOSPAN_SUMMARY_FANOUT >> GOSPAN_SUMMARY_LEVEL_BITS == 1);
/* Enough for every chunk number that an address has. */
#define GOSPAN_SUMMARY_MAX_LEVELS	14U

/* Eight neighbours on one level, and what is below each; NULL: no memory there. */
struct gospan_summary {
	struct gospan_pallocsum sum[GOSPAN_SUMMARY_FANOUT];
	union {
		struct gospan_summary *below[GOSPAN_SUMMARY_FANOUT];
		struct gospan_pallocbits *chunk[GOSPAN_SUMMARY_FANOUT];	/* on level 0 */
	};
	struct gospan_summary *above;	/* NULL: the root */
};

/* All under the lock of the heap that it belongs to. Pages and chunks go by number. */
struct gospan_pagealloc {
	struct gospan_summary *root;	/* NULL: no chunk was ever there */
	unsigned int nr_levels;		/* the root is on the last; it rises as memory needs it */
	unsigned long nr_summaries;	/* of eight */
	unsigned long nr_chunks;
	unsigned long free_pages;	/* in all chunks */
	unsigned long search_page;	/* no page below it is free (Go's searchAddr) */
	struct gospan_pallocbits *search_chunk;	/* of the chunk that it lies in; NULL: not known */
};

struct gospan_pallocsum gospan_summary_merge(const struct gospan_summary *summary,
					     unsigned int level);
unsigned int gospan_pagealloc_nr_missing(const struct gospan_pagealloc *p,
					 unsigned long chunk_idx);
void gospan_pagealloc_insert(struct gospan_pagealloc *p, unsigned long chunk_idx,
			     struct gospan_pallocbits *b, struct gospan_summary **spare);
void gospan_pagealloc_remove(struct gospan_pagealloc *p, unsigned long chunk_idx);
void gospan_pagealloc_destroy(struct gospan_pagealloc *p,
			      void (*free_summary)(const void *summary));

unsigned long gospan_pagealloc_find(struct gospan_pagealloc *p, unsigned int npages,
				    unsigned int align_npages);
bool gospan_pagealloc_all_free(const struct gospan_pagealloc *p, unsigned long page,
			       unsigned int npages);
void gospan_pagealloc_take(struct gospan_pagealloc *p, unsigned long page, unsigned int npages);
void gospan_pagealloc_free(struct gospan_pagealloc *p, unsigned long page, unsigned int npages);
u64 gospan_pagealloc_take_word(struct gospan_pagealloc *p, unsigned int npages,
			       unsigned int align_npages, unsigned long *page);
void gospan_pagealloc_free_word(struct gospan_pagealloc *p, unsigned long base, u64 pages);
unsigned int gospan_pagealloc_take_free(struct gospan_pagealloc *p, unsigned long chunk_idx,
					unsigned int max_npages, u64 *pages);
struct gospan_pallocbits *gospan_pagealloc_last_chunk(const struct gospan_pagealloc *p,
						      unsigned int npages,
						      unsigned long limit,
						      unsigned long *chunk_idx);

#endif /* _GOSPAN_PAGEALLOC_H */
