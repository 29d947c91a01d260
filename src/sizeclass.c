// SPDX-License-Identifier: GPL-2.0-only
/*
 * Size classes: the generated tables, and what follows from a row.
 *
 * The lookup itself is in the header, because every allocation does it.
 */
#include <linux/build_bug.h>
#include "sizeclass.h"
#include "sizeclass_table.h"

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
	struct gospan_layout l = {
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
