/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Size classes: which of Go's 67 object sizes a request takes, and how a span
 * of each is cut. Pure: only the generated tables and arithmetic.
 */
#ifndef _GOSPAN_SIZECLASS_H
#define _GOSPAN_SIZECLASS_H

#include <linux/gospan_sizeclass.h>
#include <uapi/linux/gospan.h>
#include "internal.h"

#define GOSPAN_SMALL_MAX_BYTES	1024U	/* up to here one class lookup per 8 bytes */
#define GOSPAN_MAX_BATCH	64U	/* objects; bounds a CPU's 8-byte objects by count */
#define GOSPAN_BATCH_BYTES	SZ_4K	/* and the larger ones by their bytes */

/*
 * The spanclass byte of a page: 0 is "no span here", so large spans, whose
 * sizeclass is 0, all carry the noscan bit.
 */
#define GOSPAN_SPANCLASS_NONE	0
#define GOSPAN_SPANCLASS_LARGE	1
/* Blocks that tiny objects share; see tiny.c. */
#define GOSPAN_SPANCLASS_TINY	(2 * GOSPAN_NR_SIZECLASSES)
/* In the byte alone: what is freed there is a part of such a block. */
#define GOSPAN_SPANCLASS_IN_TINY	(GOSPAN_SPANCLASS_TINY + 1)
#define GOSPAN_NR_SPANCLASSES	(GOSPAN_SPANCLASS_IN_TINY + 1)
/* Those whose objects are cut from spans: with "for (i = FIRST; i < LIMIT; i++)". */
#define GOSPAN_SPANCLASS_FIRST	2
#define GOSPAN_SPANCLASS_LIMIT	GOSPAN_SPANCLASS_IN_TINY

/* Bytes and sizeclass of a block of tiny objects: Go's maxTinySize. */
#define GOSPAN_TINY_BYTES	16U
#define GOSPAN_TINY_SIZECLASS	2

/* How a span is cut. */
struct gospan_layout {
	u32 elem_bytes;		/* from one object to the next; 0: just one */
	u32 divmagic;		/* offset * divmagic >> 32 is offset / elem_bytes in a span */
	u32 header_bytes;	/* before the first object */
	u32 npages;
	u32 align_npages;	/* of the span */
	u32 nelems;
};

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
	return spanclass < GOSPAN_SPANCLASS_TINY ? spanclass >> 1 : GOSPAN_TINY_SIZECLASS;
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
struct gospan_layout gospan_spanclass_layout(unsigned int spanclass);

#endif /* _GOSPAN_SIZECLASS_H */
