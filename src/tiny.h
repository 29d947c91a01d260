/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tiny: several small objects without pointers share a block of 16 bytes.
 */
#ifndef _GOSPAN_TINY_H
#define _GOSPAN_TINY_H

#include "span.h"

/* A CPU's open block; (o) owner CPU only, under the claim. Others look: gospan_tiny_bytes(). */
struct gospan_tiny {
	unsigned long block;	/* (o) its address; 0: none */
	u16 starts;		/* (o) a bit for each byte that an object starts at */
	u8 room;		/* (o) bytes at its end that were not handed out */
};

/* Where an object may start at or behind @offset: by size, as Go aligns them. */
static __always_inline unsigned int gospan_tiny_align(unsigned int offset, size_t size)
{
	if (!(size & 7))
		return ALIGN(offset, 8);
	if (!(size & 3))
		return ALIGN(offset, 4);
	return size & 1 ? offset : ALIGN(offset, 2);
}

/*
 * Fast path: an object of @size below GOSPAN_TINY_BYTES out of the open block.
 * NULL if it does not fit. A block that is used up has to be closed before the
 * claim ends.
 */
static __always_inline void *gospan_tiny_alloc(struct gospan_tiny *t, size_t size)
{
	unsigned int offset = gospan_tiny_align(GOSPAN_TINY_BYTES - t->room, size);

	if (unlikely(offset + size > GOSPAN_TINY_BYTES))
		return NULL;
	WRITE_ONCE(t->room, GOSPAN_TINY_BYTES - (offset + size));
	WRITE_ONCE(t->starts, t->starts | BIT(offset));
	return (void *)(t->block + offset);
}

static __always_inline bool gospan_tiny_is_full(const struct gospan_tiny *t)
{
	return !t->room;
}

void gospan_tiny_open(struct gospan_tiny *t, unsigned long block);
bool gospan_tiny_close(struct gospan_tiny *t);
enum gospan_verdict gospan_tiny_free(const void *p, void **block);
size_t gospan_tiny_bytes(const void *p);

#endif /* _GOSPAN_TINY_H */
