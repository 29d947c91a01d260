/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Size classes: which of Go's 67 object sizes a request takes, and how spans
 * are cut. Pure: only the generated tables and arithmetic.
 */
#ifndef _GOSPAN_SIZECLASS_H
#define _GOSPAN_SIZECLASS_H

#include <linux/gospan_sizeclass.h>
#include <uapi/linux/gospan.h>
#include "internal.h"

#define GOSPAN_SMALL_MAX_BYTES	1024U	/* up to here one class lookup per 8 bytes */
#define GOSPAN_MAX_BATCH	64U	/* objects; bounds a CPU's 8-byte objects by count */
/* And the larger ones by their bytes; tools/sweep tries others. */
#ifndef GOSPAN_BATCH_BYTES
#define GOSPAN_BATCH_BYTES	SZ_32K
#endif
/* Bytes in a magazine that only fills, or only empties, and is traded whole. */
#ifndef GOSPAN_WHOLE_BYTES
#define GOSPAN_WHOLE_BYTES	(3 * SZ_64K)
#endif
/* The same for the batches that a magazine begins with. */
#define GOSPAN_FIRST_BATCH	16U
#define GOSPAN_FIRST_BATCH_BYTES SZ_4K

/*
 * The spanclass of a page, a byte of its key: 0 is "no span here", so large spans, whose
 * sizeclass is 0, all carry the noscan bit.
 */
#define GOSPAN_SPANCLASS_NONE	0
#define GOSPAN_SPANCLASS_LARGE	1
/* Blocks that tiny objects share; see tiny.c. */
#define GOSPAN_SPANCLASS_TINY	(2 * GOSPAN_NR_SIZECLASSES)
/* The first of those that named caches are given; see cache.c. */
#define GOSPAN_SPANCLASS_CACHE	(GOSPAN_SPANCLASS_TINY + 1)
/* In the byte alone: what is freed there is a part of a block of tiny objects. */
#define GOSPAN_SPANCLASS_IN_TINY	255
#define GOSPAN_NR_SPANCLASSES	(GOSPAN_SPANCLASS_IN_TINY + 1)
#define GOSPAN_NR_CACHES	(GOSPAN_SPANCLASS_IN_TINY - GOSPAN_SPANCLASS_CACHE)
/* Those whose objects are cut from spans: with "for (i = FIRST; i < LIMIT; i++)". */
#define GOSPAN_SPANCLASS_FIRST	2
#define GOSPAN_SPANCLASS_LIMIT	GOSPAN_SPANCLASS_IN_TINY

/* Bytes and sizeclass of a block of tiny objects: Go's maxTinySize. */
#define GOSPAN_TINY_BYTES	16U
#define GOSPAN_TINY_SIZECLASS	2

/* How a span is cut. */
struct gospan_layout {
	u32 elem_bytes;		/* from one object to the next; 0: just one */
	u32 divmagic;		/* offset * divmagic >> 32 is the slot that starts at offset */
	u32 header_bytes;	/* before the first object */
	u32 npages;
	u32 align_npages;	/* of the span */
	u32 nelems;
};

/*
 * What the objects of a named cache are; all zero if the spanclass is no cache's.
 * Written when nothing is in the spanclass.
 */
struct gospan_cache_layout {
	struct gospan_layout span;
	u32 object_bytes;	/* the caller's part of a slot; what follows is ours */
	u32 word_offset;	/* in a slot: 8 bytes that are ours while the object is free */
	bool keep;		/* all else is not: it is constructed, or read under RCU */
	bool recorded;		/* at word_offset is a record, see record.h; no CPU keeps any */
	u8 letters;		/* what is done with new objects, GOSPAN_DEBUG_*; may change */
};

/* By number, from GOSPAN_SPANCLASS_CACHE on. */
extern struct gospan_cache_layout gospan_cache_layouts[GOSPAN_NR_CACHES];

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

static inline bool gospan_spanclass_is_cache(unsigned int spanclass)
{
	return spanclass - GOSPAN_SPANCLASS_CACHE < GOSPAN_NR_CACHES;
}

static inline struct gospan_cache_layout *gospan_spanclass_cache(unsigned int spanclass)
{
	return &gospan_cache_layouts[spanclass - GOSPAN_SPANCLASS_CACHE];
}

/* Not of caches. */
static inline unsigned int gospan_spanclass_sizeclass(unsigned int spanclass)
{
	return spanclass < GOSPAN_SPANCLASS_TINY ? spanclass >> 1 : GOSPAN_TINY_SIZECLASS;
}

/* What the pages of its spans say. */
static inline unsigned int gospan_spanclass_of_page(unsigned int spanclass)
{
	return spanclass == GOSPAN_SPANCLASS_TINY ? GOSPAN_SPANCLASS_IN_TINY : spanclass;
}

/* Is it one whose objects are cut from spans? */
static __always_inline bool gospan_spanclass_is_cut(unsigned int spanclass)
{
	return spanclass - GOSPAN_SPANCLASS_FIRST < GOSPAN_SPANCLASS_LIMIT - GOSPAN_SPANCLASS_FIRST;
}

/* From one object to the next; 0 for large. */
static inline unsigned int gospan_spanclass_bytes(unsigned int spanclass)
{
	if (gospan_spanclass_is_cache(spanclass))
		return gospan_spanclass_cache(spanclass)->span.elem_bytes;
	return gospan_class_to_bytes[gospan_spanclass_sizeclass(spanclass)];
}

/* Bytes of a slot that are the object's. Not of large ones. */
static inline unsigned int gospan_spanclass_object_bytes(unsigned int spanclass)
{
	if (gospan_spanclass_is_cache(spanclass))
		return gospan_spanclass_cache(spanclass)->object_bytes;
	return gospan_spanclass_bytes(spanclass);
}

/* Where in a free object of the spanclass 8 bytes may be written. */
static inline unsigned int gospan_spanclass_word_offset(unsigned int spanclass)
{
	return gospan_spanclass_is_cache(spanclass) ?
	       gospan_spanclass_cache(spanclass)->word_offset : 0;
}

/* Has each object a record? Not of large ones. */
static inline bool gospan_spanclass_is_recorded(unsigned int spanclass)
{
	return gospan_spanclass_is_cache(spanclass) && gospan_spanclass_cache(spanclass)->recorded;
}

/*
 * Does kmemleak look for pointers in its spans? Of objects with records it knows each, and
 * in others there are to be none.
 */
static inline bool gospan_spanclass_is_scanned(unsigned int spanclass)
{
	return !gospan_spanclass_is_recorded(spanclass) &&
	       spanclass != GOSPAN_SPANCLASS_TINY &&
	       (gospan_spanclass_is_cache(spanclass) || !(spanclass & 1));
}

/* Has a free object to stay as it is? */
static inline bool gospan_spanclass_keeps(unsigned int spanclass)
{
	return gospan_spanclass_is_cache(spanclass) && gospan_spanclass_cache(spanclass)->keep;
}

/*
 * Objects that move at once, at most, between a CPU and the central list. 0: they do
 * so one by one, since they are too large for a CPU to keep.
 */
static inline unsigned int gospan_bytes_batch(unsigned int elem_bytes)
{
	if (!elem_bytes || elem_bytes > GOSPAN_MAX_SMALL_BYTES)
		return 0;
	return clamp(GOSPAN_BATCH_BYTES / elem_bytes, 2U, GOSPAN_MAX_BATCH);
}

/* The same by spanclass: of those with records, each is looked at. */
static inline unsigned int gospan_spanclass_batch(unsigned int spanclass)
{
	return gospan_spanclass_is_recorded(spanclass) ?
	       0 : gospan_bytes_batch(gospan_spanclass_bytes(spanclass));
}

/* Objects in a magazine that is traded whole, at most: whole batches, two or more. */
static inline unsigned int gospan_spanclass_whole(unsigned int spanclass)
{
	unsigned int batch = gospan_spanclass_batch(spanclass);

	if (!batch)
		return 0;
	return batch * clamp(GOSPAN_WHOLE_BYTES / (batch * gospan_spanclass_bytes(spanclass)),
			     2U, 2 * GOSPAN_MAX_BATCH / batch);
}

/* As long as the CPU does not want for more; not if they move one by one. */
static inline unsigned int gospan_bytes_first_batch(unsigned int elem_bytes)
{
	return clamp(GOSPAN_FIRST_BATCH_BYTES / elem_bytes, 1U, GOSPAN_FIRST_BATCH);
}

/* That of @sizeclass, 1..67. */
static inline unsigned int gospan_class_batch(unsigned int sizeclass)
{
	return gospan_bytes_batch(gospan_class_to_bytes[sizeclass]);
}

unsigned int gospan_class_npages(unsigned int sizeclass);
unsigned int gospan_class_nelems(unsigned int sizeclass);
unsigned int gospan_class_align_npages(unsigned int sizeclass);
struct gospan_layout gospan_spanclass_layout(unsigned int spanclass);
struct gospan_layout gospan_layout_cut(u32 elem_bytes, u32 align);

#endif /* _GOSPAN_SIZECLASS_H */
