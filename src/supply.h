/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Supply: pages from the kernel to the page heap, and back.
 */
#ifndef _GOSPAN_SUPPLY_H
#define _GOSPAN_SUPPLY_H

#include <linux/preempt.h>
#include "mheap.h"

/* What a heap, or one node of it, holds; sums of what each counts at some moment. */
struct gospan_supply_usage {
	unsigned long obtained_pages;	/* since init */
	unsigned long released_pages;	/* since init */
	unsigned long free_pages;	/* in no span and no page cache */
	unsigned long cached_pages;	/* in page caches */
	unsigned long nr_chunks;
	unsigned long nr_grows;
	unsigned long nr_refused;	/* blocks that the kernel had not */
	unsigned long nr_held;		/* grows that did not ask for a larger block */
	size_t sys_bytes;		/* what it takes to manage them; descriptors apart */
};

/* On PREEMPT_RT the kernel's allocators may sleep in their locks. */
static inline bool gospan_supply_may_allocate(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible();
}

struct gospan_node_heap *gospan_supply_node(struct gospan_mheap *h, int node, gfp_t gfp);
struct gospan_node_heap *gospan_supply_grow(struct gospan_mheap *h, int node, unsigned int npages,
					    unsigned int align_npages, gfp_t gfp,
					    unsigned long *block);
unsigned int gospan_supply_release(struct gospan_mheap *h, int node, unsigned int max_npages);
struct gospan_supply_usage gospan_supply_usage(struct gospan_mheap *h, int node);
unsigned long gospan_supply_held_pages(const struct gospan_mheap *h);

#endif /* _GOSPAN_SUPPLY_H */
