// SPDX-License-Identifier: GPL-2.0-only
/*
 * Size classes: the generated tables, and what follows from a row.
 *
 * The lookup itself is in the header, because every allocation does it.
 */
#include <linux/build_bug.h>
#include <linux/limits.h>
#include "sizeclass.h"
#include "sizeclass_table.h"

struct gospan_cache_layout gospan_cache_layouts[GOSPAN_NR_CACHES];

/* A span's length: Go's or, where a page is larger than Go's, by Go's rule; @sizeclass is 1..67. */
unsigned int gospan_class_npages(unsigned int sizeclass)
{
	if (GOSPAN_PAGE_SHIFT == 13)
		return gospan_class_to_npages8k[sizeclass];
	return gospan_layout_cut(gospan_class_to_bytes[sizeclass], 1).npages;
}

/* Objects in a span of @sizeclass, 1..67. */
unsigned int gospan_class_nelems(unsigned int sizeclass)
{
	return (gospan_class_npages(sizeclass) << GOSPAN_PAGE_SHIFT) /
	       gospan_class_to_bytes[sizeclass];
}

/*
 * Alignment in pages of a span of @sizeclass. kmalloc() promises that a power
 * of two is aligned to itself; Go aligns its 16 and 32 KiB classes to 8 KiB.
 */
unsigned int gospan_class_align_npages(unsigned int sizeclass)
{
	unsigned int bytes = gospan_class_to_bytes[sizeclass];

	return is_power_of_2(bytes) ? gospan_bytes_to_npages(bytes) : 1;
}

/* How the spans of @spanclass are cut, which is neither none nor large. */
struct gospan_layout gospan_spanclass_layout(unsigned int spanclass)
{
	unsigned int sizeclass = gospan_spanclass_sizeclass(spanclass);
	struct gospan_layout l;

	if (gospan_spanclass_is_cache(spanclass))
		return gospan_spanclass_cache(spanclass)->span;
	l = (struct gospan_layout){
		.elem_bytes = gospan_class_to_bytes[sizeclass],
		.divmagic = gospan_class_to_divmagic[sizeclass],
		.npages = gospan_class_npages(sizeclass),
		.align_npages = gospan_class_align_npages(sizeclass),
	};

	/* Two bytes for each block, rounded up to blocks. */
	if (spanclass == GOSPAN_SPANCLASS_TINY)
		l.header_bytes = GOSPAN_PAGE_SIZE / GOSPAN_TINY_BYTES * sizeof(u16);
	l.nelems = ((l.npages << GOSPAN_PAGE_SHIFT) - l.header_bytes) / l.elem_bytes;
	return l;
}

/*
 * A span for objects of @elem_bytes, a multiple of @align, which is a power of
 * two. By Go's rule it is as short as it can be without wasting more than an
 * eighth.
 */
struct gospan_layout gospan_layout_cut(u32 elem_bytes, u32 align)
{
	u32 npages = gospan_bytes_to_npages(elem_bytes);

	while ((npages << GOSPAN_PAGE_SHIFT) % elem_bytes > (npages << GOSPAN_PAGE_SHIFT) / 8)
		npages++;
	return (struct gospan_layout){
		.elem_bytes = elem_bytes,
		/* 2^32 / elem_bytes, rounded up. */
		.divmagic = U32_MAX / elem_bytes + 1,
		.npages = npages,
		.align_npages = gospan_bytes_to_npages(align),
		.nelems = (npages << GOSPAN_PAGE_SHIFT) / elem_bytes,
	};
}
