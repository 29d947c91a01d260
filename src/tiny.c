// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tiny: several small objects without pointers share a block of 16 bytes.
 *
 * Each CPU has one block open and cuts objects from it in order. A block is
 * free again when it is closed and its last object has been freed, wherever
 * that happens.
 *
 * The first page of a span of blocks begins with 16 live bits for each block:
 * bit i says that an object that starts at byte i lives. While a block is open
 * they are all ones, but for what was freed, and its CPU notes in private which
 * of them are objects; closing leaves just those. So an allocation costs no
 * atomic, a free costs one; and a pointer freed twice, or into the middle of an
 * object, is found at once (in an open block: behind its last object, later).
 *
 * An open block never has all bits zero, since one that is used up is closed
 * before its last object is handed out. Who clears the last bit has the block.
 *
 * Any context but NMI.
 *
 * Go's tiny allocator has a collector that finds out when a block is free, and
 * gives a block's objects up only together. What is the same: the size of a
 * block, how objects are aligned, and which of two blocks is kept open.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include "mcache.h"
#include "tiny.h"

#define ALL_BITS	GENMASK(GOSPAN_TINY_BYTES - 1, 0)

static unsigned long addr_block(unsigned long addr)
{
	return addr & ~(unsigned long)(GOSPAN_TINY_BYTES - 1);
}

/* The word with the live bits of the block that @addr is in; they begin at @shift. */
static atomic_t *block_word(unsigned long addr, unsigned int *shift)
{
	unsigned long page = addr & ~(GOSPAN_PAGE_SIZE - 1);
	unsigned int slot = (addr - page) / GOSPAN_TINY_BYTES;

	*shift = slot % 2 * GOSPAN_TINY_BYTES;
	return (atomic_t *)page + slot / 2;
}

/* Begin to cut the block, which is the caller's, from its start. */
void gospan_tiny_open(struct gospan_tiny *t, unsigned long block)
{
	unsigned int shift;
	atomic_t *word = block_word(block, &shift);

	atomic_or(ALL_BITS << shift, word);
	*t = (struct gospan_tiny){ .block = block, .room = GOSPAN_TINY_BYTES };
}

/* Returns true if all its objects have been freed; then the block is the caller's. */
bool gospan_tiny_close(struct gospan_tiny *t)
{
	unsigned int shift, live;
	atomic_t *word = block_word(t->block, &shift);

	live = atomic_fetch_andnot((ALL_BITS & ~t->starts) << shift, word) >> shift & t->starts;
	/* After the bits: who sees the block closed sees them. */
	smp_store_release(&t->block, 0);
	WRITE_ONCE(t->starts, 0);
	WRITE_ONCE(t->room, 0);
	return !live;
}

/**
 * gospan_tiny_free() - free an object in a block
 * @p: in a page of a span of blocks
 * @block: set to the block that is now the caller's, or %NULL
 *
 * Context: Any but NMI. Takes no lock.
 * Return: what @p was. Other than %GOSPAN_FREE_OK, nothing has changed.
 */
enum gospan_verdict gospan_tiny_free(const void *p, void **block)
{
	unsigned long addr = (unsigned long)p;
	unsigned int shift, bit, old;
	atomic_t *word = block_word(addr, &shift);

	bit = 1U << (addr % GOSPAN_TINY_BYTES);
	/* Ordered after what was done to the object, and before what is done to the block. */
	old = (u32)atomic_fetch_andnot(bit << shift, word) >> shift & ALL_BITS;
	*block = old == bit ? (void *)addr_block(addr) : NULL;
	if (old & bit)
		return GOSPAN_FREE_OK;
	return addr == addr_block(addr) || !old ? GOSPAN_FREE_DOUBLE : GOSPAN_FREE_INTERIOR;
}

/* What CPU @cpu has open, if it is the block that @addr is in. */
static bool cpu_has_open(unsigned int cpu, unsigned long addr, struct gospan_tiny *open)
{
	const struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);

	/* Pairs with gospan_tiny_close(). */
	if (!c || smp_load_acquire(&c->tiny.block) != addr_block(addr))
		return false;
	open->room = READ_ONCE(c->tiny.room);
	open->starts = READ_ONCE(c->tiny.starts);
	/* They are of this block, if it is still that. */
	smp_rmb();
	return READ_ONCE(c->tiny.block) == addr_block(addr);
}

/**
 * gospan_tiny_bytes() - bytes of an object in a block that may be used
 * @p: in a page of a span of blocks
 *
 * They reach to the next object that lives, or to what is free in the block.
 *
 * Context: Any but NMI. Takes no lock; looks at each CPU.
 * Return: its bytes, at least what was asked for; 0 if no live object starts at @p.
 */
size_t gospan_tiny_bytes(const void *p)
{
	unsigned long addr = (unsigned long)p;
	unsigned int i = addr % GOSPAN_TINY_BYTES, limit = GOSPAN_TINY_BYTES, shift, cpu, starts;
	struct gospan_tiny open;
	atomic_t *word = block_word(addr, &shift);

	for_each_possible_cpu(cpu)
		if (cpu_has_open(cpu, addr, &open))
			break;
	/* A block with an object in it is opened before, and closed once. */
	starts = (u32)atomic_read(word) >> shift & ALL_BITS;
	if (cpu < nr_cpu_ids) {
		starts &= open.starts;
		limit = GOSPAN_TINY_BYTES - open.room;
	}
	if (!(starts & BIT(i)))
		return 0;
	starts &= ~GENMASK(i, 0);
	return (starts ? min_t(unsigned int, __ffs(starts), limit) : limit) - i;
}
