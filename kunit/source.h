/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests: a page source that has what a test says, and heaps that live on it.
 */
#ifndef _GOSPAN_KUNIT_SOURCE_H
#define _GOSPAN_KUNIT_SOURCE_H

#include "../src/mheap.h"

#define GOSPAN_KUNIT_CHUNK_ORDER	(GOSPAN_CHUNK_SHIFT - PAGE_SHIFT)
#define GOSPAN_KUNIT_MAX_CHUNKS		64U

struct kunit;

/* 2^@log2 pages at @page, counted through the pool. */
struct gospan_kunit_block {
	unsigned int page;
	unsigned int log2;
};

/* One at a time: sources have no argument of their own. */
struct gospan_kunit_source {
	unsigned int nr_chunks;		/* of the pool */
	unsigned long chunk[GOSPAN_KUNIT_MAX_CHUNKS];	/* addresses, rising */
	bool borrowed;			/* the pool is others' memory, not to be touched */
	const struct gospan_kunit_block *block;	/* to be given one after the other ... */
	unsigned int nr_blocks;
	unsigned int nr_given;
	/* ... or, if set, this says which page has a block of 2^@log2; GOSPAN_NO_PAGE: none. */
	unsigned long (*pick)(unsigned int log2);
	bool zeroes;			/* its pages are zeros, and it says so */
	unsigned int nr_asked;		/* calls of alloc() */
	unsigned int nr_faults;		/* what a heap must not do */
	unsigned long *out;		/* kernel pages that the heap has, a bit each */
};

extern struct gospan_kunit_source gospan_kunit_source;
extern const struct gospan_page_source gospan_kunit_pages;

void gospan_kunit_source_make(struct kunit *test, unsigned int nr_chunks);
void gospan_kunit_source_borrow(struct kunit *test, unsigned int nr_chunks);
void gospan_kunit_source_give(const struct gospan_kunit_block *blocks, unsigned int nr_blocks);
unsigned long gospan_kunit_pick_lowest(unsigned int log2);
unsigned int gospan_kunit_source_nr_out(void);
unsigned long gospan_kunit_source_addr(unsigned int page);
int gospan_kunit_source_page(unsigned long addr);

struct gospan_mheap *gospan_kunit_heap_make(struct kunit *test, bool cached);
void gospan_kunit_heap_destroy(struct kunit *test, struct gospan_mheap *h);
void gospan_kunit_heap_finish(struct kunit *test, struct gospan_mheap *h);

/* A large object's span, or NULL. */
static inline struct gospan_span *gospan_kunit_take_gfp(struct gospan_mheap *h,
							unsigned int npages, gfp_t gfp)
{
	return gospan_mheap_alloc_large(h, npages, 1, gfp);
}

static inline struct gospan_span *gospan_kunit_take(struct gospan_mheap *h, unsigned int npages,
						    unsigned int align_npages)
{
	return gospan_mheap_alloc_large(h, npages, align_npages, GFP_KERNEL);
}

static inline struct gospan_span *gospan_kunit_take_small(struct gospan_mheap *h,
							  unsigned int spanclass, gfp_t gfp)
{
	const struct gospan_layout l = gospan_spanclass_layout(spanclass);

	return gospan_mheap_alloc(h, spanclass, &l, gfp);
}

/* It is freed; that it could not be is a fault. */
static inline void gospan_kunit_give(struct gospan_mheap *h, struct gospan_span *s)
{
	if (gospan_mheap_free_large(h, (void *)s->base) != GOSPAN_FREE_OK)
		gospan_kunit_source.nr_faults++;
}

/* A span's first page, counted through the pool; -1 if there is no span. */
static inline int gospan_kunit_page_of(const struct gospan_span *s)
{
	return s ? gospan_kunit_source_page(s->base) : -1;
}

static inline void *gospan_kunit_start(const struct gospan_span *s)
{
	return (void *)gospan_span_addr(s);
}

static inline size_t gospan_kunit_bytes(const struct gospan_span *s)
{
	return (size_t)s->npages << GOSPAN_PAGE_SHIFT;
}

#endif /* _GOSPAN_KUNIT_SOURCE_H */
