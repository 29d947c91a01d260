/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * malloc: what the API shares with the rest of the module.
 */
#ifndef _GOSPAN_MALLOC_H
#define _GOSPAN_MALLOC_H

#include "mcache.h"

/* Largest object: what kmalloc() gives. */
#define GOSPAN_MAX_BYTES	((size_t)KMALLOC_MAX_SIZE)

/* Zones that an object cannot be asked from. */
#define GOSPAN_GFP_ZONES	(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)

/* An aligned run of as many pages can be searched for. */
static_assert(2 * KMALLOC_MAX_SIZE / GOSPAN_PAGE_SIZE <= GOSPAN_SUM_MAX);

/* Fill in the row of row->sizeclass, 1..67. */
void gospan_malloc_class_info(struct gospan_class *row);

#endif /* _GOSPAN_MALLOC_H */
