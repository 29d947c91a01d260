/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page source: blocks of pages from the kernel, as large as it has them.
 */
#ifndef _GOSPAN_PAGESOURCE_H
#define _GOSPAN_PAGESOURCE_H

#include <linux/gfp.h>
#include "arena.h"
#include "compat.h"

/* Nothing larger is asked for, unless a span needs it: a chunk. */
#define GOSPAN_BLOCK_MAX_ORDER	min_t(unsigned int, MAX_PAGE_ORDER, GOSPAN_CHUNK_SHIFT - PAGE_SHIFT)

/* Where a heap's pages come from; tests have sources of their own. */
struct gospan_page_source {
	/* 2^order kernel pages in a row, split into single ones; NULL: there are none. */
	struct page *(*alloc)(int node, gfp_t gfp, unsigned int order);
	/* One kernel page. Any context but NMI. */
	void (*free)(struct page *page);
	/* Do pages allocated with @gfp hold nothing but zeros? */
	bool (*zeroes)(gfp_t gfp);
};

extern const struct gospan_page_source gospan_kernel_pages;

/*
 * How large a block is worth asking for; all under the node's lock. What was
 * refused is left alone for a number of grows that doubles each time.
 */
struct gospan_backoff {
	unsigned int order;		/* largest that was to be had, of late */
	unsigned int hold;		/* grows until one order more is tried again */
	unsigned int next_hold;		/* what @hold will be if that is refused */
	unsigned long nr_refused;	/* requests refused, since init */
	unsigned long nr_held;		/* grows that did not ask for more, since init */
};

/* The longest hold: a machine may have been defragmented meanwhile. */
#define GOSPAN_BACKOFF_MAX_HOLD	64U

void gospan_backoff_init(struct gospan_backoff *b);
unsigned int gospan_backoff_begin(struct gospan_backoff *b, unsigned int min_order);
void gospan_backoff_end(struct gospan_backoff *b, unsigned int asked, unsigned int order,
			bool got);

gfp_t gospan_pagesource_gfp_free_here(gfp_t gfp);
struct page *gospan_pagesource_get(const struct gospan_page_source *source, int node, gfp_t gfp,
				   unsigned int min_order, unsigned int *order);
void gospan_pagesource_put(const struct gospan_page_source *source, struct page *page,
			   unsigned long nr_kernel_pages);

#endif /* _GOSPAN_PAGESOURCE_H */
