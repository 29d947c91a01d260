/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tiny: several small objects without pointers share a block of 16 bytes.
 */
#ifndef _GOSPAN_TINY_H
#define _GOSPAN_TINY_H

#include <linux/atomic.h>
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
	WRITE_ONCE(t->starts, t->starts | BIT(offset));
	/* Pairs with cpu_has_open(): who sees its bytes taken sees where it starts. */
	smp_store_release(&t->room, GOSPAN_TINY_BYTES - (offset + size));
	return (void *)(t->block + offset);
}

static __always_inline bool gospan_tiny_is_full(const struct gospan_tiny *t)
{
	return !t->room;
}

static __always_inline unsigned long gospan_tiny_block(unsigned long addr)
{
	return addr & ~(unsigned long)(GOSPAN_TINY_BYTES - 1);
}

/* The live bits of the block that @addr is in, and of the one beside it. */
static __always_inline atomic_t *gospan_tiny_word(unsigned long addr)
{
	unsigned long offset = addr % GOSPAN_PAGE_SIZE;

	return (atomic_t *)(addr - offset) + offset / (2 * GOSPAN_TINY_BYTES);
}

/* Where in their word a block's bits begin. */
static __always_inline unsigned int gospan_tiny_shift(unsigned long addr)
{
	return addr & GOSPAN_TINY_BYTES;
}

static __always_inline u32 gospan_tiny_mask(unsigned long addr)
{
	return GENMASK(GOSPAN_TINY_BYTES - 1, 0) << gospan_tiny_shift(addr);
}

/*
 * Fast path: an object's bit is cleared; one atomic. With the last bit @block,
 * else %NULL, becomes the caller's block. Other than %GOSPAN_FREE_OK, nothing has
 * changed.
 */
static __always_inline enum gospan_verdict gospan_tiny_free(const void *p, void **block)
{
	unsigned long addr = (unsigned long)p;
	atomic_t *word = gospan_tiny_word(addr);
	/* The second block's bits follow the first's, as its bytes do. */
	u32 bit = 1U << (addr % (2 * GOSPAN_TINY_BYTES));
	int old = atomic_read(word);

	/*
	 * Only where the bit is set, whoever else frees it at the same time. Ordered
	 * after what was done to the object, and before what is done to the block.
	 */
	do {
		if (unlikely(!(old & bit)))
			return addr == gospan_tiny_block(addr) || !(old & gospan_tiny_mask(addr)) ?
			       GOSPAN_FREE_DOUBLE : GOSPAN_FREE_INTERIOR;
	} while (unlikely(!atomic_try_cmpxchg(word, &old, old & ~bit)));
	*block = (old ^ bit) & gospan_tiny_mask(addr) ? NULL : (void *)gospan_tiny_block(addr);
	return GOSPAN_FREE_OK;
}

void gospan_tiny_open(struct gospan_tiny *open, const struct gospan_tiny *t);
void gospan_tiny_seal(const struct gospan_tiny *t);
bool gospan_tiny_close(struct gospan_tiny *t);
size_t gospan_tiny_bytes(const void *p);

#endif /* _GOSPAN_TINY_H */
