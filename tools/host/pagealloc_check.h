/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Validator of a page allocator: everything in it, against the pages.
 */
#ifndef _HOST_PAGEALLOC_CHECK_H
#define _HOST_PAGEALLOC_CHECK_H

#include "../../src/pagealloc.h"
#include "pagemap.h"

/* Pages that one of eight summaries on @level stands for. */
static inline unsigned long level_npages(unsigned int level)
{
	return (unsigned long)GOSPAN_CHUNK_NPAGES << (GOSPAN_SUMMARY_LEVEL_BITS * level);
}

void pagealloc_check(const struct gospan_pagealloc *p, const struct pagemap *m);

#endif /* _HOST_PAGEALLOC_CHECK_H */
