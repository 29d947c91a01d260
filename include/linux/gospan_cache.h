/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gospan's named caches: kmem_cache_create() and what goes with it, with gospan_
 * for kmem_. Included by <linux/gospan.h>. SLAB_* flags are those of <linux/slab.h>.
 */
#ifndef _LINUX_GOSPAN_CACHE_H
#define _LINUX_GOSPAN_CACHE_H

#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/types.h>

struct gospan_cache;

/* Caches that there can be at once, those too that were destroyed with live objects. */
#define GOSPAN_MAX_CACHES	118

/**
 * gospan_cache_create() - make a cache for objects of one kind
 * @name: for statistics and reports; copied, need not be unique; %NULL gives %NULL
 * @size: bytes of an object, at least 1. With 8 more for a constructor,
 *	%SLAB_TYPESAFE_BY_RCU or %SLAB_STORE_USER, and rounded up to the alignment, at most
 *	KMALLOC_MAX_SIZE
 * @align: 0, or a power of two up to KMALLOC_MAX_SIZE; objects are aligned to 8 bytes at least
 * @flags: SLAB_* bits, see below
 * @ctor: called once for each slot before its first use, with no lock held, in the
 *	context of whoever allocated; or %NULL
 *
 * What a constructor made, and what the last user left, stays in an object until it
 * is allocated again: nothing is zeroed, neither by %__GFP_ZERO (which is reported)
 * nor by init_on_alloc or init_on_free.
 *
 * %SLAB_HWCACHE_ALIGN: objects do not share cache lines, unless several fit into one.
 * %SLAB_TYPESAFE_BY_RCU: within an RCU read-side section the memory of an object stays
 * one of this cache's, freed or not, though it may be another; it is not zeroed when
 * freed, and when allocated only for %__GFP_ZERO. %SLAB_PANIC: panics instead of
 * returning %NULL. %SLAB_STORE_USER: each object remembers where it was allocated, for
 * gospan_cache_destroy() to tell (the module parameter cache_user does that for all
 * caches). %SLAB_CONSISTENCY_CHECKS, %SLAB_RED_ZONE, %SLAB_POISON: the objects are under
 * debug, see Documentation/debugging.rst. %SLAB_CACHE_DMA and %SLAB_CACHE_DMA32 give
 * %NULL. The others have no effect.
 *
 * Objects are like all of gospan: gospan_free(), gospan_free_bulk(), gospan_size(), which
 * is @size, and the rest work on them.
 *
 * Context: Task; sleeps.
 * Return: the cache; %NULL when an argument is none of these, when memory ran out, or
 * when there are %GOSPAN_MAX_CACHES already.
 */
struct gospan_cache *gospan_cache_create(const char *name, unsigned int size, unsigned int align,
					 slab_flags_t flags, void (*ctor)(void *obj)) __must_check;

/**
 * GOSPAN_CACHE() - make a cache for a structure, named and aligned like it
 * @__struct: name of the structure
 * @__flags: as for gospan_cache_create()
 *
 * Context: As gospan_cache_create().
 * Return: As gospan_cache_create().
 */
#define GOSPAN_CACHE(__struct, __flags)	__GOSPAN_CACHE(#__struct, struct __struct, __flags)

#define __GOSPAN_CACHE(__name, __type, __flags) \
	gospan_cache_create(__name, sizeof(__type), __alignof__(__type), __flags, NULL)

/**
 * gospan_cache_destroy() - end a cache
 * @cache: nobody allocates from it or frees to it any more; or %NULL
 *
 * Waits for what gospan_free_nolock() and gospan_free_rcu() have put off, and for pages
 * that wait for a grace period. Objects that are still live are reported, by address, up to 16 of
 * them, and where they were allocated, if that is known. The cache then stays, as
 * "destroyed" in the statistics, and its objects may be used and freed as before.
 * When all are freed, destroying it once more ends it.
 *
 * Context: Task; sleeps, with interrupts on.
 */
void gospan_cache_destroy(struct gospan_cache *cache);

/**
 * gospan_cache_alloc() - allocate an object
 * @cache: cache
 * @gfp: as for gospan_alloc(), but see gospan_cache_create() for %__GFP_ZERO
 *
 * Context: As gospan_alloc().
 * Return: object, aligned as its cache says; %NULL when memory ran out, or when @gfp
 * asks for a zone.
 */
void *gospan_cache_alloc(struct gospan_cache *cache, gfp_t gfp)
	__assume_aligned(8) __malloc __must_check;

/**
 * gospan_cache_zalloc() - allocate an object filled with zeroes
 * @cache: cache without constructor
 * @gfp: as for gospan_cache_alloc()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_cache_alloc(); all gospan_cache_size() bytes are zero.
 */
static __always_inline __malloc __must_check
void *gospan_cache_zalloc(struct gospan_cache *cache, gfp_t gfp)
{
	return gospan_cache_alloc(cache, gfp | __GFP_ZERO);
}

/**
 * gospan_cache_alloc_node() - allocate an object of a NUMA node
 * @cache: cache
 * @gfp: as for gospan_cache_alloc(); with %__GFP_THISNODE of that node or none
 * @node: as for gospan_alloc_node()
 *
 * Context: As gospan_alloc().
 * Return: As gospan_cache_alloc().
 */
void *gospan_cache_alloc_node(struct gospan_cache *cache, gfp_t gfp, int node)
	__assume_aligned(8) __malloc __must_check;

/**
 * gospan_cache_free() - free an object to its cache
 * @cache: cache that @p is from
 * @p: object, or %NULL
 *
 * An object that is not of @cache is reported once and not freed: it leaks. Otherwise
 * as gospan_free().
 *
 * Context: As gospan_free().
 */
void gospan_cache_free(struct gospan_cache *cache, void *p);

/**
 * gospan_cache_alloc_bulk() - allocate many objects
 * @cache: cache
 * @gfp: as for gospan_cache_alloc()
 * @n: how many
 * @p: where to put them; without meaning if there is not memory for all
 *
 * Context: As gospan_alloc_bulk().
 * Return: @n, or 0 when gospan_cache_alloc() would return %NULL for one of them; then
 * nothing is allocated.
 */
size_t gospan_cache_alloc_bulk(struct gospan_cache *cache, gfp_t gfp, size_t n, void **p)
	__must_check;

/**
 * gospan_cache_free_bulk() - free many objects to their cache
 * @cache: cache that they are from; %NULL: any, as for gospan_free_bulk()
 * @n: how many
 * @p: objects, each of which may be %NULL; reordered, without meaning afterwards
 *
 * Those that are not of @cache leak, as for gospan_cache_free().
 *
 * Context: As gospan_free_bulk().
 */
void gospan_cache_free_bulk(struct gospan_cache *cache, size_t n, void **p);

/**
 * gospan_cache_shrink() - give a cache's free memory back to the heap
 * @cache: cache
 *
 * What a CPU is just allocating or freeing may stay.
 *
 * Context: Task; sleeps, with interrupts on.
 * Return: 0 if nothing is left of it, otherwise 1.
 */
int gospan_cache_shrink(struct gospan_cache *cache);

/**
 * gospan_cache_size() - bytes of a cache's objects
 * @cache: cache
 *
 * Context: Any.
 * Return: the size that it was created with.
 */
unsigned int gospan_cache_size(const struct gospan_cache *cache);

#endif /* _LINUX_GOSPAN_CACHE_H */
