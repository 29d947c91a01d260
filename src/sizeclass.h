/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Size classes: which of Go's 67 object sizes a request takes, and how a span
 * of each is cut. Pure: only the generated tables and arithmetic.
 */
#ifndef _GOSPAN_SIZECLASS_H
#define _GOSPAN_SIZECLASS_H

#include <uapi/linux/gospan.h>
#include "internal.h"

#define GOSPAN_MAX_SMALL_BYTES	32768U	/* above: large, a span of its own */
#define GOSPAN_SMALL_MAX_BYTES	1024U	/* up to here one class lookup per 8 bytes */
#define GOSPAN_MAX_BATCH	64U	/* objects; bounds a CPU's 8-byte objects by count */
#define GOSPAN_BATCH_BYTES	SZ_4K	/* and the larger ones by their bytes */
#define GOSPAN_NR_SPANCLASSES	(2 * GOSPAN_NR_SIZECLASSES)

/*
 * The spanclass byte of a page: 0 is "no span here", so large spans, whose
 * sizeclass is 0, all carry the noscan bit.
 */
#define GOSPAN_SPANCLASS_NONE	0
#define GOSPAN_SPANCLASS_LARGE	1

extern const u16 gospan_class_to_bytes[GOSPAN_NR_SIZECLASSES];
extern const u8 gospan_class_to_npages8k[GOSPAN_NR_SIZECLASSES];
extern const u32 gospan_class_to_divmagic[GOSPAN_NR_SIZECLASSES];
extern const u8 gospan_size_to_class8[GOSPAN_SMALL_MAX_BYTES / 8 + 1];
extern const u8 gospan_size_to_class128[(GOSPAN_MAX_SMALL_BYTES -
					 GOSPAN_SMALL_MAX_BYTES) / 128 + 1];

/* The class of @size <= GOSPAN_MAX_SMALL_BYTES; 0 for size 0. */
static __always_inline unsigned int gospan_size_to_class(size_t size)
{
	if (likely(size <= GOSPAN_SMALL_MAX_BYTES))
		return gospan_size_to_class8[(size + 7) >> 3];
	return gospan_size_to_class128[(size - GOSPAN_SMALL_MAX_BYTES + 127) >> 7];
}

static inline unsigned int gospan_make_spanclass(unsigned int sizeclass, bool noscan)
{
	return sizeclass << 1 | noscan;
}

static inline unsigned int gospan_spanclass_sizeclass(unsigned int spanclass)
{
	return spanclass >> 1;
}

/* Bytes of an object; 0 for large. */
static inline unsigned int gospan_spanclass_bytes(unsigned int spanclass)
{
	return gospan_class_to_bytes[gospan_spanclass_sizeclass(spanclass)];
}

/* Go's span size, rounded up where a page is larger than Go's. */
static inline unsigned int gospan_class_npages(unsigned int sizeclass)
{
	return gospan_bytes_to_npages((size_t)gospan_class_to_npages8k[sizeclass] << 13);
}

/* Objects of @sizeclass, 1..67, that move at once between a CPU and the central list. */
static inline unsigned int gospan_class_batch(unsigned int sizeclass)
{
	return clamp(GOSPAN_BATCH_BYTES / gospan_class_to_bytes[sizeclass], 1U, GOSPAN_MAX_BATCH);
}

unsigned int gospan_class_nelems(unsigned int sizeclass);
unsigned int gospan_class_align_npages(unsigned int sizeclass);

#endif /* _GOSPAN_SIZECLASS_H */
