/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: gospan for kernel modules
 *
 * The names are those of <linux/slab.h> with ``gospan_`` in front, and mean the
 * same. Memory comes from the kernel's direct map: it is physically
 * contiguous and virt_to_page() works on it. gospan is not told apart by
 * memory cgroups: __GFP_ACCOUNT is ignored. GFP_DMA, GFP_DMA32 and
 * __GFP_HIGHMEM memory is not to be had.
 */
#ifndef _LINUX_GOSPAN_H
#define _LINUX_GOSPAN_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/gospan_cache.h>
#include <linux/gospan_sizeclass.h>
#include <linux/kernel.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/spinlock_types.h>
#include <linux/stdarg.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <uapi/linux/gospan.h>

/* Alignment of every object; that of %ZERO_SIZE_PTR, too. */
#define GOSPAN_MIN_ALIGN	8

/* gospan_alloc() where the compiler does not know the size, and where it does. */
void *__gospan_alloc(size_t size, gfp_t gfp)
	__assume_aligned(GOSPAN_MIN_ALIGN) __alloc_size(1) __must_check;
void *__gospan_alloc_class(unsigned int sizeclass, gfp_t gfp, size_t size)
	__assume_aligned(GOSPAN_MIN_ALIGN) __alloc_size(3) __must_check;

/**
 * gospan_alloc() - allocate an object
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: may sleep to grow the heap only with %__GFP_DIRECT_RECLAIM;
 *	%__GFP_ZERO, %__GFP_THISNODE, %__GFP_NOWARN and %__GFP_NOFAIL mean what they
 *	mean to kmalloc()
 *
 * Contents are undefined unless %__GFP_ZERO or init_on_alloc asks for zeroes.
 * The class of a constant @size is found by the compiler.
 *
 * Context: Task, softirq or hardirq; not NMI, not under a raw spinlock. Takes
 * and releases central and heap locks. On PREEMPT_RT a caller that cannot be
 * preempted is served only from memory that the heap has already cut.
 * Return: object of at least @size bytes, aligned to 8 bytes and, where @size
 * is a power of two, to @size; over 32 KiB to the largest power of two that divides
 * @size. %NULL when memory ran out, when @size is over KMALLOC_MAX_SIZE, or when
 * @gfp asks for a zone.
 */
static __always_inline __alloc_size(1) __must_check void *gospan_alloc(size_t size, gfp_t gfp)
{
	if (__builtin_constant_p(size) && gospan_sizeclass_of(size))
		return __gospan_alloc_class(gospan_sizeclass_of(size), gfp, size);
	return __gospan_alloc(size, gfp);
}

/**
 * gospan_zalloc() - allocate an object filled with zeroes
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_alloc(); all gospan_size() bytes are zero.
 */
static __always_inline __alloc_size(1) __must_check void *gospan_zalloc(size_t size, gfp_t gfp)
{
	return gospan_alloc(size, gfp | __GFP_ZERO);
}

/**
 * gospan_alloc_noscan() - allocate an object that will hold no pointers
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc()
 *
 * Lives apart from objects with pointers. One of less than 16 bytes shares a
 * block of 16 bytes with others, so that CPUs may write to the same cache line
 * without knowing. So they may with any object that is smaller than a line, here
 * and from kmalloc(): where two CPUs write often, ask for %SMP_CACHE_BYTES.
 *
 * Context: As gospan_alloc().
 * Return: As gospan_alloc(), but an object of less than 16 bytes is aligned to
 * no more than the largest of 8, 4, 2 and 1 that divides @size.
 */
void *gospan_alloc_noscan(size_t size, gfp_t gfp) __must_check __alloc_size(1);

/**
 * gospan_alloc_array() - allocate an array
 * @n: elements
 * @size: bytes of one
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_alloc(); %NULL, too, when @n * @size overflows.
 */
static __always_inline __alloc_size(1, 2) __must_check
void *gospan_alloc_array(size_t n, size_t size, gfp_t gfp)
{
	/* More than there is instead of an overflow. */
	return gospan_alloc(size_mul(n, size), gfp);
}

/**
 * gospan_calloc() - allocate an array filled with zeroes
 * @n: elements
 * @size: bytes of one
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_alloc_array(); all gospan_size() bytes are zero.
 */
static __always_inline __alloc_size(1, 2) __must_check
void *gospan_calloc(size_t n, size_t size, gfp_t gfp)
{
	return gospan_alloc_array(n, size, gfp | __GFP_ZERO);
}

/**
 * gospan_alloc_node() - allocate an object of a NUMA node
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc(); with %__GFP_THISNODE of that node or none
 * @node: the node, or %NUMA_NO_NODE for that of the CPU; for one that has no memory,
 *	or is none, the nearest that has or the first
 *
 * When the node has no memory that is free, the object is of another, unless
 * %__GFP_THISNODE forbids it. For the CPU's own node that is gospan_alloc(); each
 * object of another node takes a lock. gospan_free() of an object of another
 * node than the CPU's keeps it until there are some, which then go home.
 *
 * Context: As gospan_alloc().
 * Return: As gospan_alloc().
 */
void *gospan_alloc_node(size_t size, gfp_t gfp, int node)
	__assume_aligned(GOSPAN_MIN_ALIGN) __alloc_size(1) __must_check;

/**
 * gospan_zalloc_node() - allocate an object of a NUMA node, filled with zeroes
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc_node()
 * @node: as for gospan_alloc_node()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_alloc(); all gospan_size() bytes are zero.
 */
static __always_inline __alloc_size(1) __must_check
void *gospan_zalloc_node(size_t size, gfp_t gfp, int node)
{
	return gospan_alloc_node(size, gfp | __GFP_ZERO, node);
}

/**
 * gospan_alloc_array_node() - allocate an array of a NUMA node
 * @n: elements
 * @size: bytes of one
 * @gfp: as for gospan_alloc_node()
 * @node: as for gospan_alloc_node()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_alloc_array().
 */
static __always_inline __alloc_size(1, 2) __must_check
void *gospan_alloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return gospan_alloc_node(size_mul(n, size), gfp, node);
}

/**
 * gospan_calloc_node() - allocate an array of a NUMA node, filled with zeroes
 * @n: elements
 * @size: bytes of one
 * @gfp: as for gospan_alloc_node()
 * @node: as for gospan_alloc_node()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_calloc().
 */
static __always_inline __alloc_size(1, 2) __must_check
void *gospan_calloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return gospan_alloc_array_node(n, size, gfp | __GFP_ZERO, node);
}

/**
 * gospan_realloc() - change the size of an object
 * @p: object, %NULL or %ZERO_SIZE_PTR
 * @new_size: bytes wanted; 0 frees @p and returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc(); with %__GFP_ZERO, if all calls for the object had
 *	it, what comes after the bytes that both sizes have is zero
 *
 * The first bytes, as many as both sizes have, keep their values. The object
 * stays where it is when @new_size is at most gospan_size(), and a large one when
 * the pages behind it are free.
 *
 * Context: As gospan_alloc().
 * Return: the object, perhaps moved; %NULL when memory ran out or @p is not an
 * object of gospan (reported), @p is then as it was.
 */
void *gospan_realloc(const void *p, size_t new_size, gfp_t gfp)
	__assume_aligned(GOSPAN_MIN_ALIGN) __realloc_size(2) __must_check;

/**
 * gospan_realloc_array() - change the size of an array
 * @p: object, %NULL or %ZERO_SIZE_PTR
 * @new_n: elements
 * @new_size: bytes of one
 * @gfp: as for gospan_realloc()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_realloc(); %NULL, too, when @new_n * @new_size overflows, @p
 * is then as it was.
 */
static __always_inline __realloc_size(2, 3) __must_check
void *gospan_realloc_array(const void *p, size_t new_n, size_t new_size, gfp_t gfp)
{
	return gospan_realloc(p, size_mul(new_n, new_size), gfp);
}

/**
 * gospan_kvalloc_node() - allocate memory of a NUMA node that need not be contiguous
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc_node()
 * @node: as for gospan_alloc_node(). vmalloc memory is of the node only if @gfp is
 *	%GFP_KERNEL, or that and %__GFP_ZERO; with %__GFP_THISNODE there is none.
 *
 * Context: As gospan_alloc().
 * Return: As gospan_kvalloc().
 */
void *gospan_kvalloc_node(size_t size, gfp_t gfp, int node)
	__assume_aligned(GOSPAN_MIN_ALIGN) __alloc_size(1) __must_check;

/**
 * gospan_kvalloc() - allocate memory that need not be physically contiguous
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc()
 *
 * An object of gospan if there is one without effort, otherwise, where @gfp
 * allows to sleep and @size is over a page of the kernel, vmalloc memory.
 *
 * Context: As gospan_alloc().
 * Return: at least @size bytes, for gospan_kvfree(); %NULL when memory ran out.
 * Whether virt_to_page() works on it, is_vmalloc_addr() tells.
 */
static __always_inline __alloc_size(1) __must_check void *gospan_kvalloc(size_t size, gfp_t gfp)
{
	return gospan_kvalloc_node(size, gfp, NUMA_NO_NODE);
}

/**
 * gospan_kvzalloc() - allocate zeroes that need not be physically contiguous
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_kvalloc(); @size bytes are zero.
 */
static __always_inline __alloc_size(1) __must_check
void *gospan_kvzalloc(size_t size, gfp_t gfp)
{
	return gospan_kvalloc(size, gfp | __GFP_ZERO);
}

/**
 * gospan_kvalloc_array_node() - allocate an array of a NUMA node that need not be contiguous
 * @n: elements
 * @size: bytes of one
 * @gfp: as for gospan_alloc_node()
 * @node: as for gospan_kvalloc_node()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_kvalloc_array().
 */
static __always_inline __alloc_size(1, 2) __must_check
void *gospan_kvalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return gospan_kvalloc_node(size_mul(n, size), gfp, node);
}

/**
 * gospan_kvalloc_array() - allocate an array that need not be physically contiguous
 * @n: elements
 * @size: bytes of one
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_kvalloc(); %NULL, too, when @n * @size overflows.
 */
static __always_inline __alloc_size(1, 2) __must_check
void *gospan_kvalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return gospan_kvalloc_array_node(n, size, gfp, NUMA_NO_NODE);
}

/**
 * gospan_kvcalloc() - allocate an array of zeroes that need not be physically contiguous
 * @n: elements
 * @size: bytes of one
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_kvalloc_array(); @n * @size bytes are zero.
 */
static __always_inline __alloc_size(1, 2) __must_check
void *gospan_kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return gospan_kvalloc_array(n, size, gfp | __GFP_ZERO);
}

/**
 * gospan_kvzalloc_node() - allocate zeroes of a NUMA node that need not be contiguous
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc_node()
 * @node: as for gospan_kvalloc_node()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_kvalloc(); @size bytes are zero.
 */
static __always_inline __alloc_size(1) __must_check
void *gospan_kvzalloc_node(size_t size, gfp_t gfp, int node)
{
	return gospan_kvalloc_node(size, gfp | __GFP_ZERO, node);
}

/**
 * gospan_kvcalloc_node() - allocate an array of zeroes of a NUMA node that need not be contiguous
 * @n: elements
 * @size: bytes of one
 * @gfp: as for gospan_alloc_node()
 * @node: as for gospan_kvalloc_node()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_kvcalloc().
 */
static __always_inline __alloc_size(1, 2) __must_check
void *gospan_kvcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return gospan_kvalloc_array_node(n, size, gfp | __GFP_ZERO, node);
}

/**
 * gospan_kvfree() - free what gospan_kvalloc() or gospan_alloc() gave
 * @p: it, %NULL or %ZERO_SIZE_PTR
 *
 * Context: As gospan_free(); where @p may be vmalloc memory, not NMI, and if
 * from an interrupt, freed later.
 */
void gospan_kvfree(const void *p);

/**
 * gospan_kvrealloc() - change the size of memory that need not be contiguous
 * @p: what gospan_kvalloc() or gospan_alloc() gave, %NULL or %ZERO_SIZE_PTR
 * @old_size: bytes that it was asked with; it counts for vmalloc memory alone
 * @new_size: bytes wanted; 0 frees @p and returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_kvalloc(); with %__GFP_ZERO, at each call, what comes after
 *	the first bytes is zero
 *
 * The first bytes, as many as both sizes have, keep their values. What gets no
 * larger stays where it is, and a large object grows there if it can.
 *
 * Context: As gospan_alloc(); where @p may be vmalloc memory, not NMI.
 * Return: the memory, perhaps moved, for gospan_kvfree(); %NULL as for
 * gospan_kvalloc(), and when @p is not an object (reported); @p is then as it was.
 */
void *gospan_kvrealloc(const void *p, size_t old_size, size_t new_size, gfp_t gfp)
	__assume_aligned(GOSPAN_MIN_ALIGN) __realloc_size(3) __must_check;

/**
 * gospan_kvfree_sensitive() - wipe what gospan_kvalloc() gave, and free it
 * @p: it, %NULL or %ZERO_SIZE_PTR
 * @len: bytes to wipe of vmalloc memory; of an object all gospan_size() are
 *
 * Context: As gospan_kvfree().
 */
void gospan_kvfree_sensitive(const void *p, size_t len);

/**
 * gospan_free() - free an object
 * @p: object, %NULL or %ZERO_SIZE_PTR
 *
 * A pointer that is not a live object is reported once and otherwise ignored:
 * one that lies in no span at once; one freed twice at once when nothing else
 * was freed or allocated in between, or its span is gone. Otherwise one freed
 * twice, or one into the middle of an object of up to 32 KiB, is noticed when
 * it reaches its span, which is too late if it was handed out before. (With
 * init_on_free the latter is noticed at once. Of classes under debug all is, and
 * what was written around an object, too: Documentation/debugging.rst.)
 *
 * Context: Task, softirq or hardirq; not NMI, not under a raw spinlock. Never
 * sleeps. May take and release central and heap locks.
 */
void gospan_free(const void *p);

/* Largest object of gospan_alloc_nolock(). */
#define GOSPAN_NOLOCK_MAX_BYTES	2048

/**
 * gospan_alloc_nolock() - try to allocate an object, from any context
 * @size: bytes wanted, up to %GOSPAN_NOLOCK_MAX_BYTES; 0 returns %ZERO_SIZE_PTR
 * @gfp: %__GFP_ZERO and %__GFP_NOWARN, or 0; with anything else there is no object
 *
 * Served by what the CPU has at hand: its cache, and where that is in use by whom
 * we interrupted, or empty, its reserve. Of each power of two from 16 bytes up that
 * has as many objects as the module parameter nolock_depth says; a request takes
 * one of the least that holds it. So many in a row succeed at least; each asks
 * for the reserve to be filled again, which is done as soon as the CPU can take an
 * interrupt, or by a worker if the heap has to grow and cannot there. With a depth
 * of 0 there is only the cache.
 *
 * The object is like any other: gospan_free() frees it as well, where it may be
 * called, and gospan_size() may be up to twice gospan_size_roundup().
 *
 * Context: Any, NMI too, under any lock. Takes no lock, never waits, does not call
 * the kernel's allocators; reads at most nolock_depth words of the reserve.
 * Return: object of at least @size bytes, aligned as that of gospan_alloc(); %NULL
 * if the CPU has none at hand or never gives such a one. The module parameter
 * nolock_stats tells how often.
 */
void *gospan_alloc_nolock(size_t size, gfp_t gfp) __must_check;

/**
 * gospan_free_nolock() - free an object, from any context
 * @p: any object of gospan, large ones too; %NULL or %ZERO_SIZE_PTR
 *
 * Where the CPU's cache has no room, or init_on_free is set, the object is freed
 * as soon as the CPU can take an interrupt; until then its first 8 bytes are ours.
 * A pointer that is not an object is reported as by gospan_free(), and never
 * written to. One that is freed twice while it waits is reported too, but others
 * that wait may then leak.
 *
 * Context: Any, NMI too, under any lock. Takes no lock and never waits; but a report
 * of misuse is printed at once, with the stack.
 */
void gospan_free_nolock(const void *p);

/**
 * struct gospan_reservation - objects set aside for a section that must not fail
 * @lock: covers @items
 * @items: what is reserved
 *
 * To be made with gospan_reservation_init(); the fields are not for callers.
 */
struct gospan_reservation {
	raw_spinlock_t lock;
	struct list_head items;
};

/**
 * struct gospan_reserve_item - a part of what is to be reserved
 * @size: bytes of an object, as for gospan_alloc()
 * @count: objects
 */
struct gospan_reserve_item {
	size_t size;
	unsigned int count;
};

/**
 * gospan_reservation_init() - make an empty reservation
 * @r: what is in it is lost
 *
 * Context: Any.
 */
void gospan_reservation_init(struct gospan_reservation *r);

/**
 * gospan_reserve() - set objects aside
 * @r: reservation; what it has already, stays
 * @items: sizes and counts, in any order; a size may be there more than once
 * @n: number of @items
 * @gfp: as for gospan_alloc(), %__GFP_ZERO without effect. Nobody is killed for
 *	memory that a reservation lacks.
 *
 * Counts of a size class add up, also with what is reserved already. Reserved
 * objects are live: the statistics count them, and memory is held for them
 * until they are drawn and freed, or gospan_unreserve() is called. What is more
 * than the machine has is refused at once; else objects are allocated until memory
 * runs out.
 *
 * Context: As gospan_alloc(). Takes and releases the reservation's lock.
 * Return: 0; -EINVAL if a size is 0 or too large or @gfp asks for a zone;
 * -ENOMEM when memory ran out. After an error @r is as it was.
 */
int gospan_reserve(struct gospan_reservation *r, const struct gospan_reserve_item *items,
		   unsigned int n, gfp_t gfp) __must_check;

/**
 * gospan_reserve_list() - set objects aside, with the items in the call
 * @r: as for gospan_reserve()
 * @gfp: as for gospan_reserve()
 * @...: items: { size, count }, ...
 *
 * Context: As gospan_reserve().
 * Return: As gospan_reserve().
 */
#define gospan_reserve_list(r, gfp, ...)				\
({									\
	const struct gospan_reserve_item __items[] = { __VA_ARGS__ };	\
									\
	gospan_reserve(r, __items, ARRAY_SIZE(__items), gfp);		\
})

/**
 * gospan_alloc_reserved() - draw an object from a reservation
 * @r: reservation
 * @size: bytes wanted; 0 returns %ZERO_SIZE_PTR
 * @gfp: %__GFP_ZERO is obeyed, the rest without effect
 *
 * A request is charged to the smallest size class reserved that holds it, and
 * never to a larger one, even when that is used up: what is reserved for others
 * is not taken. So of items { 100, 2 } and { 1000, 1 } two requests of up to 112
 * bytes (the class of 100) and one of 113 to 1024 succeed, in any order.
 *
 * The object is like any other: gospan_free() frees it, and does not put it back.
 *
 * Context: Any but NMI, on any number of CPUs at once. Takes and releases the
 * reservation's lock, which is raw; zeroes outside of it.
 * Return: object, aligned to 8 bytes and, where the size that it was reserved
 * with is a power of two, to that; %NULL when as many as were reserved are drawn.
 */
void *gospan_alloc_reserved(struct gospan_reservation *r, size_t size, gfp_t gfp) __must_check;

/**
 * gospan_nr_reserved() - requests that a reservation still serves
 * @r: reservation
 * @size: bytes of each
 *
 * Context: Any but NMI. Takes and releases the reservation's lock.
 * Return: how often gospan_alloc_reserved() of @size succeeds if nothing else is drawn.
 */
unsigned int gospan_nr_reserved(struct gospan_reservation *r, size_t size);

/**
 * gospan_unreserve() - give back what was not drawn
 * @r: reservation; empty then, and good for another gospan_reserve()
 *
 * Context: As gospan_free(). Takes and releases the reservation's lock.
 */
void gospan_unreserve(struct gospan_reservation *r);

/**
 * gospan_alloc_bulk() - allocate many objects of one size
 * @size: bytes of each; 0 gives %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc()
 * @n: how many
 * @p: where to put them; without meaning if there is not memory for all
 *
 * Context: As gospan_alloc(). Preemption is off, and locks are held, for 256
 * objects at a time.
 * Return: @n, or 0 when gospan_alloc() would return %NULL for one of them; then
 * nothing is allocated.
 */
size_t gospan_alloc_bulk(size_t size, gfp_t gfp, size_t n, void **p) __must_check;

/**
 * gospan_free_bulk() - free many objects
 * @n: how many
 * @p: objects of whatever size, each of which may be %NULL or %ZERO_SIZE_PTR;
 *	reordered, without meaning afterwards
 *
 * Misuse is reported as for gospan_free(), except that one that is freed twice
 * in a row is mostly noticed only when it reaches its span.
 *
 * Context: As gospan_free().
 */
void gospan_free_bulk(size_t n, void **p);

/* The rcu_head begins in so many first bytes of the object. */
#define GOSPAN_RCU_MAX_OFFSET	4096

/* gospan_free_rcu(), which see. */
void __gospan_free_rcu(struct rcu_head *head, const void *p);

/**
 * gospan_free_rcu() - free an object when a grace period of RCU has passed
 * @p: object, of any kind, or %NULL; what gospan_kvalloc() gave, too
 * @field: name of a struct rcu_head in *@p, that begins in its first 4 KiB
 *
 * Objects are collected, on each CPU up to 500 of up to 256 KiB for up to 100 ms,
 * and freed together. @field is not written as long as there is memory for that.
 * Always succeeds, however much waits already; see the module parameter rcu_bytes.
 *
 * A pointer that lies in no span is reported at once. Whatever else is wrong is
 * noticed when @p is freed, as by gospan_free_bulk(). One that is freed twice
 * where there is no memory is reported too, but others that wait may then leak.
 *
 * Context: As gospan_free().
 */
#define gospan_free_rcu(p, field)						\
do {										\
	typeof(p) ___p = (p);							\
	/* By way of what no other type has. */					\
	const size_t ___offset = offsetof(typeof(*___p), field.func) -		\
				 offsetof(struct rcu_head, func);		\
										\
	BUILD_BUG_ON(___offset >= GOSPAN_RCU_MAX_OFFSET);			\
	if (___p)								\
		__gospan_free_rcu((void *)___p + ___offset, ___p);		\
} while (0)

/**
 * gospan_free_rcu_mightsleep() - free an object without an rcu_head when a grace period has passed
 * @p: object of any kind and size, %NULL or %ZERO_SIZE_PTR; what gospan_kvalloc() gave, too
 *
 * As gospan_free_rcu(), except that it waits for a grace period, and frees @p,
 * when more than the module parameter rcu_bytes waits, or memory ran out.
 *
 * Context: Task; may sleep. Not in an RCU read-side section.
 */
void gospan_free_rcu_mightsleep(const void *p);

/**
 * gospan_kvfree_rcu() - gospan_free_rcu(), by the name that goes with gospan_kvalloc()
 * @p: as for gospan_free_rcu()
 * @field: the same
 *
 * Context: As gospan_free_rcu().
 */
#define gospan_kvfree_rcu(p, field)	gospan_free_rcu(p, field)

/**
 * gospan_kvfree_rcu_mightsleep() - gospan_free_rcu_mightsleep(), by another name
 * @p: as for gospan_free_rcu_mightsleep()
 *
 * Context: As gospan_free_rcu_mightsleep().
 */
#define gospan_kvfree_rcu_mightsleep(p)	gospan_free_rcu_mightsleep(p)

/**
 * gospan_rcu_barrier() - wait until what was to be freed is free
 *
 * All that was given to gospan_free_rcu() and its like by calls that have returned.
 * A module needs it before it looks for objects of its own that are left, not
 * before it is unloaded.
 *
 * Context: Task; sleeps for a grace period or two. Not in an RCU read-side section.
 */
void gospan_rcu_barrier(void);

/**
 * gospan_free_sensitive() - wipe an object and free it
 * @p: object, %NULL or %ZERO_SIZE_PTR
 *
 * All gospan_size() bytes, whatever the compiler thinks of writing to memory
 * that nobody reads again. A pointer at which no object starts is reported and
 * otherwise ignored.
 *
 * Context: As gospan_free().
 */
void gospan_free_sensitive(const void *p);

/**
 * gospan_memdup() - allocate a copy of some bytes
 * @src: bytes
 * @len: how many; 0 returns %ZERO_SIZE_PTR
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: object with the same @len bytes; %NULL as for gospan_alloc().
 */
void *gospan_memdup(const void *src, size_t len, gfp_t gfp)
	__assume_aligned(GOSPAN_MIN_ALIGN) __realloc_size(2) __must_check;

/**
 * gospan_memdup_nul() - allocate a string of some bytes
 * @s: bytes, among which a NUL means nothing
 * @len: how many
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: object with the same @len bytes and a NUL behind them; %NULL as for
 * gospan_alloc().
 */
char *gospan_memdup_nul(const char *s, size_t len, gfp_t gfp) __must_check;

/**
 * gospan_strdup() - allocate a copy of a string
 * @s: string, or %NULL
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: the copy; %NULL for %NULL, and as for gospan_alloc().
 */
char *gospan_strdup(const char *s, gfp_t gfp) __malloc __must_check;

/**
 * gospan_strndup() - allocate a copy of the start of a string
 * @s: string, or @max bytes without a NUL, or %NULL
 * @max: characters to copy at most; those behind are not read
 * @gfp: as for gospan_alloc()
 *
 * Context: As gospan_alloc().
 * Return: the copy, a NUL at its end; %NULL for %NULL, and as for gospan_alloc().
 */
char *gospan_strndup(const char *s, size_t max, gfp_t gfp) __malloc __must_check;

/**
 * gospan_vasprintf() - allocate a formatted string
 * @gfp: as for gospan_alloc()
 * @fmt: format of printk()
 * @args: its arguments
 *
 * Context: As gospan_alloc().
 * Return: the string; %NULL as for gospan_alloc().
 */
__printf(2, 0) __malloc __must_check
char *gospan_vasprintf(gfp_t gfp, const char *fmt, va_list args);

/**
 * gospan_asprintf() - allocate a formatted string
 * @gfp: as for gospan_alloc()
 * @fmt: format of printk(), and its arguments
 *
 * Context: As gospan_alloc().
 * Return: the string; %NULL as for gospan_alloc().
 */
__printf(2, 3) __malloc __must_check
char *gospan_asprintf(gfp_t gfp, const char *fmt, ...);

/**
 * gospan_size() - bytes of an object
 * @p: object, %NULL or %ZERO_SIZE_PTR
 *
 * The compiler goes by the bytes that were asked for, and FORTIFY_SOURCE with
 * it: to use all, ask for gospan_size_roundup() of them.
 *
 * Context: Any but NMI. Takes no lock.
 * Return: its bytes, at least what was asked for; 0 for %NULL, %ZERO_SIZE_PTR
 * and a pointer at which no object of gospan starts (reported).
 */
size_t gospan_size(const void *p);

/**
 * gospan_size_roundup() - bytes that an object would have
 * @size: bytes wanted
 *
 * Context: Any. Takes no lock.
 * Return: gospan_size() of an object allocated with @size, which is more only
 * where memory ran out for all but its own pages, and no more than @size where the
 * object is under debug or between guard pages; 0 for 0; @size itself if it is
 * more than gospan_alloc() can give.
 */
size_t gospan_size_roundup(size_t size);

/**
 * gospan_owns() - does an address lie in a span of gospan?
 * @p: any address at all: vmalloc, stack, user, %NULL
 *
 * True for the inside of an object and for a free slot, too.
 *
 * Context: Any. Takes no lock.
 * Return: true if so.
 */
bool gospan_owns(const void *p);

/**
 * gospan_trim() - give all free memory back to the kernel
 *
 * What CPUs cache is drained first, by an interrupt on each that caches
 * anything; an object that one of them is just allocating or freeing may stay.
 * So do the reserves of gospan_alloc_nolock().
 *
 * Context: Task; sleeps, with interrupts on. Takes and releases central and
 * heap locks.
 * Return: bytes given back.
 */
size_t gospan_trim(void);

/**
 * gospan_read_stats() - read the statistics
 * @st: where to put them
 *
 * Context: Any but NMI. Takes central and heap locks, one after the other.
 */
void gospan_read_stats(struct gospan_memstats *st);

/*
 * __free(gospan) and __free(gospan_kv), as __free(kfree) and __free(kvfree):
 * where <linux/preempt.h> brings <linux/cleanup.h>, since 6.5 and in late 6.1.
 */
#ifdef DEFINE_FREE

DEFINE_FREE(gospan, void *, IS_ERR_OR_NULL(_T) ? (void)0 : gospan_free(_T))

DEFINE_FREE(gospan_kv, void *, IS_ERR_OR_NULL(_T) ? (void)0 : gospan_kvfree(_T))

#endif

#endif /* _LINUX_GOSPAN_H */
