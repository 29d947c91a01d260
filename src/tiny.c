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
 * before its last object is handed out. Who clears the last bit has the block. So
 * as long as a CPU is seen to have it open, no other may have it: the bit of the last
 * byte, where no object starts in a block that is not used up, goes after that.
 *
 * Any context but NMI; but gospan_tiny_free() and gospan_tiny_bytes() in NMI, too.
 *
 * Go's tiny allocator has a collector that finds out when a block is free, and
 * gives a block's objects up only together. What is the same: the size of a
 * block, how objects are aligned, and which of two blocks is kept open.
 */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include "mcache.h"
#include "tiny.h"

#define ALL_BITS	GENMASK(GOSPAN_TINY_BYTES - 1, 0)
#define LAST_BIT	BIT(GOSPAN_TINY_BYTES - 1)

/* Have @t open in place of one that is closed. No object of it was handed out: nobody asks yet. */
void gospan_tiny_open(struct gospan_tiny *open, const struct gospan_tiny *t)
{
	atomic_or(gospan_tiny_mask(t->block), gospan_tiny_word(t->block));
	WRITE_ONCE(open->starts, t->starts);
	WRITE_ONCE(open->room, t->room);
	WRITE_ONCE(open->block, t->block);
}

/* Close one that never was open. No object of it was handed out. */
void gospan_tiny_seal(const struct gospan_tiny *t)
{
	atomic_or((u32)t->starts << gospan_tiny_shift(t->block), gospan_tiny_word(t->block));
}

/*
 * Returns true if all its objects have been freed; then the block is the caller's.
 * One that is used up is not, as its last object was not handed out yet.
 */
bool gospan_tiny_close(struct gospan_tiny *t)
{
	unsigned int shift = gospan_tiny_shift(t->block), starts = t->starts;
	unsigned int guard = t->room ? LAST_BIT : 0, left;
	atomic_t *word = gospan_tiny_word(t->block);

	atomic_andnot((ALL_BITS & ~starts & ~guard) << shift, word);
	/* After the bits: who sees the block closed sees them. */
	smp_store_release(&t->block, 0);
	/* Pairs with cpu_has_open(): who sees what follows sees that. */
	smp_wmb();
	WRITE_ONCE(t->starts, 0);
	WRITE_ONCE(t->room, 0);
	if (!guard)
		return false;
	/* After all that: whose the block is then may have it open. */
	left = atomic_fetch_andnot(guard << shift, word) >> shift;
	/* Without the guard, which a wrong free took, another may have it. */
	return (left & (starts | guard)) == guard;
}

/* What CPU @cpu has open, if it is the block that @addr is in. */
static bool cpu_has_open(unsigned int cpu, unsigned long addr, struct gospan_tiny *open)
{
	const struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);

	/* Pairs with gospan_tiny_close(). */
	if (!c || smp_load_acquire(&c->tiny.block) != gospan_tiny_block(addr))
		return false;
	/* Pairs with gospan_tiny_alloc(). */
	open->room = smp_load_acquire(&c->tiny.room);
	open->starts = READ_ONCE(c->tiny.starts);
	/* They are of this block, if it is still that. */
	smp_rmb();
	/* If not, its bits are as they were left. */
	return smp_load_acquire(&c->tiny.block) == gospan_tiny_block(addr);
}

/**
 * gospan_tiny_bytes() - bytes of an object in a block that may be used
 * @p: in a page of a span of blocks
 *
 * They reach to the next object that lives, or to what is free in the block.
 *
 * Context: Any. Takes no lock; looks at each CPU.
 * Return: its bytes, at least what was asked for; 0 if no live object starts at @p.
 */
size_t gospan_tiny_bytes(const void *p)
{
	unsigned long addr = (unsigned long)p;
	unsigned int i = addr % GOSPAN_TINY_BYTES, limit = GOSPAN_TINY_BYTES, cpu, starts;
	struct gospan_tiny open;

	for_each_possible_cpu(cpu)
		if (cpu_has_open(cpu, addr, &open))
			break;
	/* A block with an object in it is opened before, and closed once. */
	starts = (u32)atomic_read(gospan_tiny_word(addr)) >> gospan_tiny_shift(addr) & ALL_BITS;
	if (cpu < nr_cpu_ids) {
		starts &= open.starts;
		limit = GOSPAN_TINY_BYTES - open.room;
	}
	if (!(starts & BIT(i)))
		return 0;
	starts &= ~GENMASK(i, 0);
	return (starts ? min_t(unsigned int, __ffs(starts), limit) : limit) - i;
}
