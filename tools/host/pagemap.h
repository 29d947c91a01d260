/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is true of the pages: one byte each, nothing clever.
 */
#ifndef _HOST_PAGEMAP_H
#define _HOST_PAGEMAP_H

#include "../../src/pallocbits.h"

#define PAGEMAP_MAX_CHUNKS	640

struct pagemap_chunk {
	unsigned long idx;
	struct gospan_pallocbits *bits;		/* what the page allocator has for it */
	u8 taken[GOSPAN_CHUNK_NPAGES];		/* 0 or 1 */
};

/* Pages [base, limit). */
struct pagemap_run {
	unsigned long base, limit;
};

struct pagemap {
	unsigned int nr_chunks;
	unsigned int nr_runs;
	unsigned long free_pages;				/* in all runs */
	struct pagemap_chunk *chunk[PAGEMAP_MAX_CHUNKS];	/* lowest first */
	/* The free ones as of pagemap_scan(), lowest first; a taken page between any two. */
	struct pagemap_run run[PAGEMAP_MAX_CHUNKS * GOSPAN_CHUNK_NPAGES / 2];
};

struct pagemap_chunk *pagemap_chunk(const struct pagemap *m, unsigned long idx);
void pagemap_insert(struct pagemap *m, unsigned long idx, struct gospan_pallocbits *bits);
void pagemap_remove(struct pagemap *m, unsigned long idx);

bool pagemap_is(const struct pagemap *m, unsigned long page, bool taken);
void pagemap_set(struct pagemap *m, unsigned long page, unsigned int npages, bool taken);

void pagemap_scan(struct pagemap *m);
unsigned long pagemap_find(const struct pagemap *m, unsigned int npages,
			   unsigned int align_npages);
struct gospan_pallocsum pagemap_sum(const struct pagemap *m, unsigned long base,
				    unsigned long limit);

#endif /* _HOST_PAGEMAP_H */
