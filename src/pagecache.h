/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page cache: up to 64 free pages of one CPU, in one word.
 *
 * They lie in one aligned window of 64 pages, and are taken as far as the page
 * allocator knows. Spans of up to 16 pages come from here and, where they lie
 * in the window, go back here, without a lock.
 *
 * A claim keeps interrupts out: preemption is off, and one that comes between
 * finds the cache busy and uses the page allocator.
 *
 * Go's pageCache (runtime/mpagecache.go) is only allocated from; what is freed
 * goes to the heap.
 */
#ifndef _GOSPAN_PAGECACHE_H
#define _GOSPAN_PAGECACHE_H

#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include "pallocbits.h"

/* Longer runs would seldom fit. */
#define GOSPAN_PAGECACHE_MAX_NPAGES	16U

/* All by the owner CPU only, under the claim. */
struct gospan_pagecache {
	unsigned long base;	/* number of the window's first page, a multiple of 64 */
	u64 pages;		/* the free ones of them */
	unsigned long missed;	/* base of the window that was last freed into in vain */
	bool starved;		/* the last run asked for was not there */
	bool busy;		/* claimed */
};

/*
 * This CPU's cache, claimed; or NULL if it is claimed already. Fast path: one
 * load, one branch. An interrupt between the two accesses ends before we go
 * on, and leaves the mark as it was.
 */
static __always_inline struct gospan_pagecache *
gospan_pagecache_claim(struct gospan_pagecache __percpu *caches)
{
	struct gospan_pagecache *pc;

	preempt_disable();
	pc = this_cpu_ptr(caches);
	if (unlikely(READ_ONCE(pc->busy))) {
		preempt_enable();
		return NULL;
	}
	WRITE_ONCE(pc->busy, true);
	barrier();
	return pc;
}

static __always_inline void gospan_pagecache_release(struct gospan_pagecache *pc)
{
	barrier();
	WRITE_ONCE(pc->busy, false);
	preempt_enable();
}

/* The lowest aligned run in the window, taken; or GOSPAN_NO_PAGE, see @starved. */
static inline unsigned long gospan_pagecache_alloc(struct gospan_pagecache *pc,
						   unsigned int npages, unsigned int align_npages)
{
	u64 runs = pc->pages;
	unsigned int first;

	if (npages > 1)
		runs = gospan_word_runs(runs, npages);
	if (align_npages > 1)
		runs &= gospan_word_aligned(0, align_npages);
	pc->starved = !runs;
	if (!runs)
		return GOSPAN_NO_PAGE;
	first = __ffs64(runs);
	pc->pages &= ~gospan_word_mask(first, npages);
	return pc->base + first;
}

/* Put a run back; false if it lies outside of the window. */
static inline bool gospan_pagecache_free(struct gospan_pagecache *pc, unsigned long page,
					 unsigned int npages)
{
	unsigned int first = page % 64;

	if (unlikely(page - first != pc->base || first + npages > 64))
		return false;
	pc->pages |= gospan_word_mask(first, npages);
	return true;
}

/* Is any of the pages [page, page + npages) in it? */
static inline bool gospan_pagecache_has(const struct gospan_pagecache *pc, unsigned long page,
					unsigned int npages)
{
	unsigned long first = max(page, pc->base), limit = min(page + npages, pc->base + 64);

	return first < limit && pc->pages & gospan_word_mask(first - pc->base, limit - first);
}

/*
 * After that: is the window to move to where the run lies? An empty one moves at
 * once, another the second time in a row: then more will be freed there. Its
 * pages first go where they came from.
 */
static inline bool gospan_pagecache_follows(struct gospan_pagecache *pc, unsigned long page,
					    unsigned int npages)
{
	unsigned long base = page & ~63UL;
	bool follows = (!pc->pages || pc->missed == base) && page % 64 + npages <= 64;

	pc->missed = base;
	return follows;
}

#endif /* _GOSPAN_PAGECACHE_H */
