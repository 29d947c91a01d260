/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every file of the allocator shares: the lock order, the glossary, the
 * page size, and what to do when the heap is found inconsistent.
 */
#ifndef _GOSPAN_INTERNAL_H
#define _GOSPAN_INTERNAL_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <asm/page.h>

/**
 * DOC: lock order
 *
 * Outermost first. All are taken in any context but NMI, so the spinlocks are
 * raw (PREEMPT_RT must not sleep in them) and switch interrupts off, but for the first
 * of 7. An NMI takes the first of all only.
 *
 * 1. mcache claim: preemption off and this CPU's mcache taken out of its slot.
 *    An interrupt that finds the slot without it uses the central lists, an NMI
 *    the CPU's reserve.
 * 2. &gospan_mcentral.lock: the span lists and the spans' bits of one spanclass,
 *    and that its spans are in the arena map. No two of them at once. Slots of the
 *    transit are owned with or without it, by atomics; nobody waits for one.
 * 3. page cache claim: preemption off and this CPU's page cache marked busy. An
 *    interrupt that finds it so uses the page allocator.
 * 4. &gospan_node_heap.lock: a node's pages and chunks. No two of them at once.
 * 5. &gospan_arenas.lock: the arena map. A leaf.
 * 6. &gospan_reservation.lock: what a caller has reserved. A leaf, and none of the
 *    above is held.
 * 7. &rcu_queue.lock: a CPU's batch of objects that wait for RCU. Interrupts stay on, it is
 *    only tried; tasks that hold none of the above try until they have it.
 *    &rcu_queue.sent_lock: the batches that were sent. Under the first come only the
 *    second, which is a leaf, and the locks of call_rcu() and queue_work().
 * 8. Locks of the quarantine in debug.c, and of what is ready in guard.c. Leaves, and
 *    none of the above is held.
 *
 * The kernel's page and slab allocators are called to allocate with none of
 * them held. Outside of all are mutexes: cache_lock, which named caches there are,
 * and in it gospan_mcache_parking, held while mcaches of idle CPUs are emptied and
 * central lists age, or all are trimmed; and one_waits, around a wait for interrupts.
 */

/**
 * DOC: glossary
 *
 * - page: 8 KiB, or the kernel's page where that is larger.
 * - kernel page: PAGE_SIZE bytes.
 * - sizeclass: 1..67, a row of Go's table; 0 means "large".
 * - spanclass: sizeclass << 1 | noscan; or that of a named cache.
 * - named cache: objects of one kind, in a spanclass of their own, see cache.c.
 * - slot: what a span has for an object; of some caches, with a word behind it.
 * - tiny: an object of less than 16 bytes without pointers, in a block with others.
 * - span: a run of pages cut into equal objects.
 * - magazine: a CPU's bounded stack of free objects of one spanclass.
 * - transit: a central list's slots for batches of free objects between CPUs.
 * - chunk: 512 pages, aligned.
 * - heap arena: 16 chunks, aligned.
 * - reserve: a CPU's free objects for who may not wait for a lock, see nolock.c.
 * - reservation: a caller's objects for a section that must not fail, see reserve.c.
 * - batch: free objects that move at once. In rcu.c it, and chain: objects that wait for RCU.
 * - page cache: a CPU's free pages, up to 64 in one window.
 * - summary: what is free in eight regions of the level below, see pagealloc.c.
 * - home: the node heap that a chunk belongs to; of an object, that of its chunk.
 * - remote: of an object, with another home than the CPU's.
 * - key: what a free reads of a page: its spanclass and, above, the mark of a CPU.
 * - foreign: of an object whose page has another CPU's mark.
 */

#define GOSPAN_PAGE_SHIFT	(PAGE_SHIFT > 13 ? PAGE_SHIFT : 13)
#define GOSPAN_PAGE_SIZE	BIT(GOSPAN_PAGE_SHIFT)
/* A page is a block of this order for alloc_pages(). */
#define GOSPAN_PAGE_ORDER	(GOSPAN_PAGE_SHIFT - PAGE_SHIFT)

/* Pages that hold @bytes. */
static inline unsigned int gospan_bytes_to_npages(size_t bytes)
{
	return (bytes + GOSPAN_PAGE_SIZE - 1) >> GOSPAN_PAGE_SHIFT;
}

#endif /* _GOSPAN_INTERNAL_H */
