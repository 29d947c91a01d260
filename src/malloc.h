/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * malloc: what the API shares with the rest of the module.
 */
#ifndef _GOSPAN_MALLOC_H
#define _GOSPAN_MALLOC_H

#include "mcache.h"

/* Largest object: what kmalloc() gives, and fits in a chunk. */
#define GOSPAN_MAX_BYTES	min_t(size_t, KMALLOC_MAX_SIZE, GOSPAN_CHUNK_BYTES)

/* Fill in the row of row->sizeclass, 1..67. */
void gospan_malloc_class_info(struct gospan_class *row);

#endif /* _GOSPAN_MALLOC_H */
