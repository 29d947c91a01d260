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
