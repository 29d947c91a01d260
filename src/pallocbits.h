/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page bits: which of a chunk's 512 pages may be handed out.
 */
#ifndef _GOSPAN_PALLOCBITS_H
#define _GOSPAN_PALLOCBITS_H

#include <linux/bitmap.h>

#define GOSPAN_CHUNK_NPAGES	512U

/* One = not free: taken, or not ours at all (Go's pallocBits). */
struct gospan_pallocbits {
	DECLARE_BITMAP(taken, GOSPAN_CHUNK_NPAGES);
};

/* First page of the lowest free run, or GOSPAN_CHUNK_NPAGES. @align is a power of two. */
static inline unsigned int gospan_pallocbits_find(const struct gospan_pallocbits *b,
						  unsigned int npages, unsigned int align)
{
	unsigned long page_idx = bitmap_find_next_zero_area((unsigned long *)b->taken,
							    GOSPAN_CHUNK_NPAGES, 0,
							    npages, align - 1);

	return min_t(unsigned long, page_idx, GOSPAN_CHUNK_NPAGES);
}

static inline void gospan_pallocbits_take(struct gospan_pallocbits *b,
					  unsigned int page_idx, unsigned int npages)
{
	bitmap_set(b->taken, page_idx, npages);
}

static inline void gospan_pallocbits_free(struct gospan_pallocbits *b,
					  unsigned int page_idx, unsigned int npages)
{
	bitmap_clear(b->taken, page_idx, npages);
}

#endif /* _GOSPAN_PALLOCBITS_H */
