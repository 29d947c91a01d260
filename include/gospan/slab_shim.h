/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _GOSPAN_SLAB_SHIM_H
#define _GOSPAN_SLAB_SHIM_H

/**
 * DOC: other people's modules on gospan
 *
 * Forced into each file of a module that knows nothing of gospan, this header
 * turns its calls of <linux/slab.h>, and those of <linux/string.h> and
 * <linux/sprintf.h> that return what kfree() is for, into gospan's::
 *
 *	ccflags-y += -I<gospan>/include -include gospan/slab_shim.h
 *
 * What is freed may be of either: gospan_owns() tells, and the kernel gets back
 * what is the kernel's, be it from a core function that allocates for its
 * caller, from a file of the module that is built without this header, or from
 * one of the caches of the kernel itself, such as names_cachep. A cache that the
 * module creates is one of gospan's; its address then has bit 0 set, which is
 * how the two kinds are told apart.
 *
 * With the kernel stay
 *
 * - memory from a zone (%GFP_DMA, %GFP_DMA32, %__GFP_HIGHMEM), and caches of such
 *   memory, for gospan has none; and caches beyond %GOSPAN_MAX_CACHES;
 * - vmalloc(), alloc_percpu() and pages, which are not of slab.h;
 * - what core functions allocate: memdup_user(), kstrdup_const(), devm_kmalloc(),
 *   mempool_kmalloc(), seq_open_private(), ...
 * - the memory of a file that is built without this header, which is the way out
 *   for what follows.
 *
 * What the core frees by itself must not be gospan's: the kernel's kfree() does not
 * know gospan. Where it frees through a function that the module names, it is the
 * shim's that is named: kfree() as a callback, kfree_link(), kfree_const(),
 * mempool_alloc_slab() and mempool_free_slab(). What it frees without being told so
 * cannot be seen from here: the source of a file system's context and the s_subtype
 * of its super block, the platform_data of a platform device, the buffer of an urb
 * with URB_FREE_BUFFER, the head given to build_skb() with size 0. The same holds
 * for a cache that the core allocates from, as that of a network protocol.
 *
 * Not everything of a cache is obeyed: the part of an object that user space may
 * read (kmem_cache_create_usercopy()) and the list_lru of kmem_cache_alloc_lru()
 * are about the kernel's slabs and memory cgroups. A module that uses sheaves of the
 * kernel's caches, kfree_rcu_nolock(), or for kfree_rcu() less than a whole
 * rcu_head (7.x), does not build.
 *
 * This header is read before the first line of the file. A definition of pr_fmt()
 * there comes after that of <linux/printk.h>, and the compiler says so, unless
 * %GOSPAN_SHIM_OWN_PR_FMT is defined for the file; one of DEBUG is too late for
 * pr_debug(), and belongs on the command line.
 */

#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>

/*
 * Up to the list at the end the kernel's names mean the kernel's functions.
 * What is inline is so for the sake of constant sizes and flags.
 */

/* Of these gospan has no memory. */
#define GOSPAN_SHIM_ZONES	(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)

static __always_inline __alloc_size(1) void *gospan_shim_kmalloc(size_t size, gfp_t gfp)
{
	if (unlikely(gfp & GOSPAN_SHIM_ZONES))
		return kmalloc(size, gfp);
	return gospan_alloc(size, gfp);
}

static __always_inline __alloc_size(1)
void *gospan_shim_kmalloc_node(size_t size, gfp_t gfp, int node)
{
	if (unlikely(gfp & GOSPAN_SHIM_ZONES))
		return kmalloc_node(size, gfp, node);
	return gospan_alloc_node(size, gfp, node);
}

static __always_inline __alloc_size(1) void *gospan_shim_kzalloc(size_t size, gfp_t gfp)
{
	return gospan_shim_kmalloc(size, gfp | __GFP_ZERO);
}

static __always_inline __alloc_size(1)
void *gospan_shim_kzalloc_node(size_t size, gfp_t gfp, int node)
{
	return gospan_shim_kmalloc_node(size, gfp | __GFP_ZERO, node);
}

static __always_inline __alloc_size(1, 2)
void *gospan_shim_kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return gospan_shim_kmalloc(bytes, gfp);
}

static __always_inline __alloc_size(1, 2)
void *gospan_shim_kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return gospan_shim_kmalloc_array(n, size, gfp | __GFP_ZERO);
}

static __always_inline __alloc_size(1, 2)
void *gospan_shim_kmalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return gospan_shim_kmalloc_node(bytes, gfp, node);
}

static __always_inline __alloc_size(1, 2)
void *gospan_shim_kcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return gospan_shim_kmalloc_array_node(n, size, gfp | __GFP_ZERO, node);
}

/* Is @p for the kernel to change the size of? */
static inline bool gospan_shim_is_foreign(const void *p)
{
	return !ZERO_OR_NULL_PTR(p) && !gospan_owns(p);
}

static inline __realloc_size(2) __must_check
void *gospan_shim_krealloc(const void *p, size_t size, gfp_t gfp)
{
	if (unlikely(gfp & GOSPAN_SHIM_ZONES) && ZERO_OR_NULL_PTR(p))
		return krealloc(p, size, gfp);
	if (unlikely(gospan_shim_is_foreign(p)))
		return krealloc(p, size, gfp);
	return gospan_realloc(p, size, gfp);
}

/* The alignment is at most what kmalloc() has; the node a wish, which is not heard. */
static inline __realloc_size(2) __must_check
void *gospan_shim_krealloc_node_align(const void *p, size_t size, unsigned long align, gfp_t gfp,
				      int node)
{
	return gospan_shim_krealloc(p, size, gfp);
}

static inline __realloc_size(2, 3) __must_check
void *gospan_shim_krealloc_array(const void *p, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return gospan_shim_krealloc(p, bytes, gfp);
}

static inline void gospan_shim_kfree(const void *p)
{
	if (likely(gospan_owns(p)))
		gospan_free(p);
	else
		kfree(p);
}

static inline void gospan_shim_kfree_sensitive(const void *p)
{
	if (gospan_owns(p))
		gospan_free_sensitive(p);
	else
		kfree_sensitive(p);
}

static inline void gospan_shim_kfree_const(const void *p)
{
	if (gospan_owns(p))
		gospan_free(p);
	else
		kfree_const(p);
}

/* What set_delayed_call() is given by file systems. */
static inline void gospan_shim_kfree_link(void *p)
{
	gospan_shim_kfree(p);
}

static inline size_t gospan_shim_ksize(const void *p)
{
	return gospan_owns(p) ? gospan_size(p) : ksize(p);
}

/* --- memory that need not be contiguous --- */

static __always_inline __alloc_size(1)
void *gospan_shim_kvmalloc_node(size_t size, gfp_t gfp, int node)
{
	if (unlikely(gfp & GOSPAN_SHIM_ZONES))
		return kvmalloc_node(size, gfp, node);
	return gospan_kvalloc_node(size, gfp, node);
}

static __always_inline __alloc_size(1) void *gospan_shim_kvmalloc(size_t size, gfp_t gfp)
{
	return gospan_shim_kvmalloc_node(size, gfp, NUMA_NO_NODE);
}

static __always_inline __alloc_size(1) void *gospan_shim_kvzalloc(size_t size, gfp_t gfp)
{
	return gospan_shim_kvmalloc(size, gfp | __GFP_ZERO);
}

static __always_inline __alloc_size(1)
void *gospan_shim_kvzalloc_node(size_t size, gfp_t gfp, int node)
{
	return gospan_shim_kvmalloc_node(size, gfp | __GFP_ZERO, node);
}

static __always_inline __alloc_size(1, 2)
void *gospan_shim_kvmalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return gospan_shim_kvmalloc_node(bytes, gfp, node);
}

static __always_inline __alloc_size(1, 2)
void *gospan_shim_kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return gospan_shim_kvmalloc_array_node(n, size, gfp, NUMA_NO_NODE);
}

static __always_inline __alloc_size(1, 2)
void *gospan_shim_kvcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return gospan_shim_kvmalloc_array_node(n, size, gfp | __GFP_ZERO, node);
}

static __always_inline __alloc_size(1, 2)
void *gospan_shim_kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return gospan_shim_kvcalloc_node(n, size, gfp, NUMA_NO_NODE);
}

static inline void gospan_shim_kvfree(const void *p)
{
	if (gospan_owns(p))
		gospan_free(p);
	else
		kvfree(p);
}

static inline void gospan_shim_kvfree_sensitive(const void *p, size_t len)
{
	if (gospan_owns(p))
		gospan_free_sensitive(p);
	else
		kvfree_sensitive(p, len);
}

/* 6.12 left out the old size, after kvrealloc() had become a macro. */
#ifdef kvrealloc

static inline __realloc_size(2) __must_check
void *gospan_shim_kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	if (ZERO_OR_NULL_PTR(p))
		return gospan_shim_kvmalloc(size, gfp);
	if (!gospan_owns(p))
		return kvrealloc(p, size, gfp);
	return gospan_kvrealloc(p, 0, size, gfp);
}

static inline __realloc_size(2) __must_check
void *gospan_shim_kvrealloc_node_align(const void *p, size_t size, unsigned long align, gfp_t gfp,
				       int node)
{
	return gospan_shim_kvrealloc(p, size, gfp);
}

#else

static inline __realloc_size(3) __must_check
void *gospan_shim_kvrealloc(const void *p, size_t old_size, size_t size, gfp_t gfp)
{
	if (ZERO_OR_NULL_PTR(p))
		return gospan_shim_kvmalloc(size, gfp);
	if (!gospan_owns(p))
		return kvrealloc(p, old_size, size, gfp);
	return gospan_kvrealloc(p, 0, size, gfp);
}

#endif

/* --- many at once, and later --- */

static inline void gospan_shim_kfree_bulk(size_t n, void **p)
{
	size_t nr_owned = 0, i;

	/* Ours first; the order means nothing to anybody. */
	for (i = 0; i < n; i++) {
		if (!gospan_owns(p[i]))
			continue;
		swap(p[i], p[nr_owned]);
		nr_owned++;
	}
	gospan_free_bulk(nr_owned, p);
	for (i = nr_owned; i < n; i++)
		kfree(p[i]);
}

#define gospan_shim_free_rcu_2(ptr, ...)			\
do {								\
	typeof(ptr) __obj = (ptr);				\
								\
	if (gospan_owns(__obj))					\
		gospan_free_rcu(__obj, __VA_ARGS__);		\
	else							\
		kvfree_rcu_arg_2(__obj, __VA_ARGS__);		\
} while (0)

#define gospan_shim_free_rcu_1(ptr)				\
do {								\
	typeof(ptr) __obj = (ptr);				\
								\
	if (gospan_owns(__obj))					\
		gospan_free_rcu_mightsleep(__obj);		\
	else							\
		kvfree_rcu_arg_1(__obj);			\
} while (0)

/* Up to 6.2 the form with one argument has the same name. */
#define gospan_shim_free_rcu(...) \
	CONCATENATE(gospan_shim_free_rcu_, COUNT_ARGS(__VA_ARGS__))(__VA_ARGS__)

/* --- caches --- */

/* A cache of gospan, under the type that the module knows. */
#define GOSPAN_SHIM_CACHE	1UL

static __always_inline bool gospan_shim_cache_is_foreign(const struct kmem_cache *s)
{
	return !((unsigned long)s & GOSPAN_SHIM_CACHE);
}

static __always_inline struct gospan_cache *gospan_shim_cache(const struct kmem_cache *s)
{
	return (struct gospan_cache *)((unsigned long)s - GOSPAN_SHIM_CACHE);
}

static inline struct kmem_cache *
gospan_shim_cache_create(const char *name, unsigned int size, unsigned int align,
			 slab_flags_t flags, void (*ctor)(void *obj))
{
	struct gospan_cache *c;

	c = gospan_cache_create(name, size, align, flags & ~SLAB_PANIC, ctor);
	if (likely(c))
		return (struct kmem_cache *)((unsigned long)c | GOSPAN_SHIM_CACHE);
	/* Of a zone, or gospan has no place for one more. */
	return kmem_cache_create(name, size, align, flags, ctor);
}

static inline struct kmem_cache *
gospan_shim_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
				  slab_flags_t flags, unsigned int useroffset,
				  unsigned int usersize, void (*ctor)(void *obj))
{
	return gospan_shim_cache_create(name, size, align, flags, ctor);
}

/* Since 6.12 what can be asked of a cache is in a structure. */
#ifdef kmem_cache_create

static inline struct kmem_cache *
gospan_shim_cache_create_args(const char *name, unsigned int size,
			      struct kmem_cache_args *args, slab_flags_t flags)
{
	if (!args)
		return gospan_shim_cache_create(name, size, 0, flags, NULL);
	return gospan_shim_cache_create(name, size, args->align, flags, args->ctor);
}

#endif

static inline void gospan_shim_cache_destroy(struct kmem_cache *s)
{
	if (gospan_shim_cache_is_foreign(s))
		kmem_cache_destroy(s);
	else
		gospan_cache_destroy(gospan_shim_cache(s));
}

static inline int gospan_shim_cache_shrink(struct kmem_cache *s)
{
	if (gospan_shim_cache_is_foreign(s))
		return kmem_cache_shrink(s);
	return gospan_cache_shrink(gospan_shim_cache(s));
}

static inline unsigned int gospan_shim_cache_size(struct kmem_cache *s)
{
	if (gospan_shim_cache_is_foreign(s))
		return kmem_cache_size(s);
	return gospan_cache_size(gospan_shim_cache(s));
}

static __always_inline void *gospan_shim_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	if (unlikely(gospan_shim_cache_is_foreign(s)))
		return kmem_cache_alloc(s, gfp);
	return gospan_cache_alloc(gospan_shim_cache(s), gfp);
}

static __always_inline void *gospan_shim_cache_zalloc(struct kmem_cache *s, gfp_t gfp)
{
	return gospan_shim_cache_alloc(s, gfp | __GFP_ZERO);
}

static __always_inline
void *gospan_shim_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t gfp)
{
	if (unlikely(gospan_shim_cache_is_foreign(s)))
		return kmem_cache_alloc_lru(s, lru, gfp);
	return gospan_cache_alloc(gospan_shim_cache(s), gfp);
}

static inline void *gospan_shim_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node)
{
	if (unlikely(gospan_shim_cache_is_foreign(s)))
		return kmem_cache_alloc_node(s, gfp, node);
	return gospan_cache_alloc_node(gospan_shim_cache(s), gfp, node);
}

static inline
int gospan_shim_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t n, void **p)
{
	if (unlikely(gospan_shim_cache_is_foreign(s)))
		return kmem_cache_alloc_bulk(s, gfp, n, p);
	return gospan_cache_alloc_bulk(gospan_shim_cache(s), gfp, n, p);
}

static __always_inline void gospan_shim_cache_free(struct kmem_cache *s, void *p)
{
	if (unlikely(gospan_shim_cache_is_foreign(s)))
		kmem_cache_free(s, p);
	else
		gospan_cache_free(gospan_shim_cache(s), p);
}

/* Without a cache it is kfree_bulk() by its older name. */
static inline void gospan_shim_cache_free_bulk(struct kmem_cache *s, size_t n, void **p)
{
	if (!s)
		gospan_shim_kfree_bulk(n, p);
	else if (gospan_shim_cache_is_foreign(s))
		kmem_cache_free_bulk(s, n, p);
	else
		gospan_cache_free_bulk(gospan_shim_cache(s), n, p);
}

/* The two that a mempool of objects of a cache calls, from the core. */
static inline void *gospan_shim_mempool_alloc_slab(gfp_t gfp, void *cache)
{
	return gospan_shim_cache_alloc(cache, gfp);
}

static inline void gospan_shim_mempool_free_slab(void *p, void *cache)
{
	gospan_shim_cache_free(cache, p);
}

/* --- at the end of a scope --- */

#ifdef DEFINE_FREE

DEFINE_FREE(gospan_shim_kfree, void *, IS_ERR_OR_NULL(_T) ? (void)0 : gospan_shim_kfree(_T))

DEFINE_FREE(gospan_shim_kfree_sensitive, void *, gospan_shim_kfree_sensitive(_T))

DEFINE_FREE(gospan_shim_kvfree, void *, IS_ERR_OR_NULL(_T) ? (void)0 : gospan_shim_kvfree(_T))

#define __free_kfree		__free_gospan_shim_kfree
#define __free_kfree_sensitive	__free_gospan_shim_kfree_sensitive
#define __free_kvfree		__free_gospan_shim_kvfree

#endif

/* --- copies --- */

static inline __realloc_size(2) void *gospan_shim_kvmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = gospan_shim_kvmalloc(len, gfp);

	return p ? memcpy(p, src, len) : NULL;
}

static inline __realloc_size(2, 3)
void *gospan_shim_kmemdup_array(const void *src, size_t n, size_t size, gfp_t gfp)
{
	return gospan_memdup(src, size_mul(n, size), gfp);
}

/* --- what came in 6.18 --- */

#ifdef kmalloc_nolock

static inline void *gospan_shim_kmalloc_nolock(size_t size, gfp_t gfp, int node)
{
	return gospan_alloc_nolock(size, gfp & __GFP_ZERO);
}

static inline void gospan_shim_kfree_nolock(const void *p)
{
	if (gospan_owns(p))
		gospan_free_nolock(p);
	else
		kfree_nolock(p);
}

#undef kmalloc_nolock
#define kmalloc_nolock			gospan_shim_kmalloc_nolock
#undef kfree_nolock
#define kfree_nolock			gospan_shim_kfree_nolock

#endif

/*
 * From here on the names are ours. Most without arguments: a callback has none,
 * and neither have the macros that slab.h itself passes them to.
 */

#undef kmalloc
#define kmalloc				gospan_shim_kmalloc
#undef kmalloc_noprof
#define kmalloc_noprof			gospan_shim_kmalloc
#undef kmalloc_node
#define kmalloc_node			gospan_shim_kmalloc_node
#undef kmalloc_node_noprof
#define kmalloc_node_noprof		gospan_shim_kmalloc_node
#undef kzalloc
#define kzalloc				gospan_shim_kzalloc
#undef kzalloc_noprof
#define kzalloc_noprof			gospan_shim_kzalloc
#undef kmalloc_array
#define kmalloc_array			gospan_shim_kmalloc_array
#undef kmalloc_array_noprof
#define kmalloc_array_noprof		gospan_shim_kmalloc_array
#undef kmalloc_array_node
#define kmalloc_array_node		gospan_shim_kmalloc_array_node
#undef kmalloc_array_node_noprof
#define kmalloc_array_node_noprof	gospan_shim_kmalloc_array_node
#undef kzalloc_node
#define kzalloc_node			gospan_shim_kzalloc_node
#undef kcalloc
#define kcalloc				gospan_shim_kcalloc
#undef kcalloc_node
#define kcalloc_node			gospan_shim_kcalloc_node
#undef __kmalloc
#define __kmalloc			gospan_shim_kmalloc
#undef kmalloc_track_caller
#define kmalloc_track_caller		gospan_shim_kmalloc
#undef kmalloc_node_track_caller
#define kmalloc_node_track_caller	gospan_shim_kmalloc_node

#undef krealloc
#define krealloc			gospan_shim_krealloc
#undef krealloc_noprof
#define krealloc_noprof			gospan_shim_krealloc
#undef krealloc_array
#define krealloc_array			gospan_shim_krealloc_array
#undef krealloc_array_noprof
#define krealloc_array_noprof		gospan_shim_krealloc_array
#undef kfree
#define kfree				gospan_shim_kfree
#undef kfree_sensitive
#define kfree_sensitive			gospan_shim_kfree_sensitive
#undef kfree_const
#define kfree_const			gospan_shim_kfree_const
#undef kfree_link
#define kfree_link			gospan_shim_kfree_link
#undef ksize
#define ksize				gospan_shim_ksize
#undef kmalloc_size_roundup
#define kmalloc_size_roundup		gospan_size_roundup

#undef kvmalloc
#define kvmalloc			gospan_shim_kvmalloc
#undef kvmalloc_noprof
#define kvmalloc_noprof			gospan_shim_kvmalloc
#undef kvmalloc_node
#define kvmalloc_node			gospan_shim_kvmalloc_node
#undef kvmalloc_node_noprof
#define kvmalloc_node_noprof		gospan_shim_kvmalloc_node
#undef kvmalloc_array
#define kvmalloc_array			gospan_shim_kvmalloc_array
#undef kvmalloc_array_noprof
#define kvmalloc_array_noprof		gospan_shim_kvmalloc_array
#undef kvmalloc_array_node
#define kvmalloc_array_node		gospan_shim_kvmalloc_array_node
#undef kvmalloc_array_node_noprof
#define kvmalloc_array_node_noprof	gospan_shim_kvmalloc_array_node
#undef kvcalloc
#define kvcalloc			gospan_shim_kvcalloc
#undef kvcalloc_noprof
#define kvcalloc_noprof			gospan_shim_kvcalloc
#undef kvcalloc_node
#define kvcalloc_node			gospan_shim_kvcalloc_node
#undef kvcalloc_node_noprof
#define kvcalloc_node_noprof		gospan_shim_kvcalloc_node
#undef kvrealloc
#define kvrealloc			gospan_shim_kvrealloc
#undef kvrealloc_noprof
#define kvrealloc_noprof		gospan_shim_kvrealloc
#undef kvzalloc
#define kvzalloc			gospan_shim_kvzalloc
#undef kvzalloc_node
#define kvzalloc_node			gospan_shim_kvzalloc_node
#undef kvfree
#define kvfree				gospan_shim_kvfree
#undef kvfree_sensitive
#define kvfree_sensitive		gospan_shim_kvfree_sensitive

#undef kfree_bulk
#define kfree_bulk			gospan_shim_kfree_bulk
#undef kfree_rcu
#define kfree_rcu			gospan_shim_free_rcu
#undef kvfree_rcu
#define kvfree_rcu			gospan_shim_free_rcu
#undef kfree_rcu_mightsleep
#define kfree_rcu_mightsleep		gospan_shim_free_rcu_1
#undef kvfree_rcu_mightsleep
#define kvfree_rcu_mightsleep		gospan_shim_free_rcu_1

#ifdef kmem_cache_create

#undef __kmem_cache_create_args
#define __kmem_cache_create_args	gospan_shim_cache_create_args
#undef __kmem_cache_default_args
#define __kmem_cache_default_args	gospan_shim_cache_create_args
#undef __kmem_cache_create
#define __kmem_cache_create		gospan_shim_cache_create

#else

#undef kmem_cache_create
#define kmem_cache_create		gospan_shim_cache_create

#endif

#undef kmem_cache_create_usercopy
#define kmem_cache_create_usercopy	gospan_shim_cache_create_usercopy
#undef kmem_cache_destroy
#define kmem_cache_destroy		gospan_shim_cache_destroy
#undef kmem_cache_shrink
#define kmem_cache_shrink		gospan_shim_cache_shrink
#undef kmem_cache_size
#define kmem_cache_size			gospan_shim_cache_size
#undef kmem_cache_alloc
#define kmem_cache_alloc		gospan_shim_cache_alloc
#undef kmem_cache_alloc_noprof
#define kmem_cache_alloc_noprof		gospan_shim_cache_alloc
#undef kmem_cache_alloc_lru
#define kmem_cache_alloc_lru		gospan_shim_cache_alloc_lru
#undef kmem_cache_alloc_lru_noprof
#define kmem_cache_alloc_lru_noprof	gospan_shim_cache_alloc_lru
#undef kmem_cache_alloc_node
#define kmem_cache_alloc_node		gospan_shim_cache_alloc_node
#undef kmem_cache_alloc_node_noprof
#define kmem_cache_alloc_node_noprof	gospan_shim_cache_alloc_node
#undef kmem_cache_alloc_bulk
#define kmem_cache_alloc_bulk		gospan_shim_cache_alloc_bulk
#undef kmem_cache_alloc_bulk_noprof
#define kmem_cache_alloc_bulk_noprof	gospan_shim_cache_alloc_bulk
#undef kmem_cache_zalloc
#define kmem_cache_zalloc		gospan_shim_cache_zalloc
#undef kmem_cache_free
#define kmem_cache_free			gospan_shim_cache_free
#undef kmem_cache_free_bulk
#define kmem_cache_free_bulk		gospan_shim_cache_free_bulk
#undef mempool_alloc_slab
#define mempool_alloc_slab		gospan_shim_mempool_alloc_slab
#undef mempool_free_slab
#define mempool_free_slab		gospan_shim_mempool_free_slab

#undef kmemdup
#define kmemdup				gospan_memdup
#undef kmemdup_noprof
#define kmemdup_noprof			gospan_memdup
#undef kmemdup_nul
#define kmemdup_nul			gospan_memdup_nul
#undef kmemdup_array
#define kmemdup_array			gospan_shim_kmemdup_array
#undef kvmemdup
#define kvmemdup			gospan_shim_kvmemdup
#undef kstrdup
#define kstrdup				gospan_strdup
#undef kstrndup
#define kstrndup			gospan_strndup
#undef kasprintf
#define kasprintf			gospan_asprintf
#undef kvasprintf
#define kvasprintf			gospan_vasprintf

#undef krealloc_node_align
#define krealloc_node_align		gospan_shim_krealloc_node_align
#undef kvrealloc_node_align
#define kvrealloc_node_align		gospan_shim_kvrealloc_node_align

/* Not every kernel has these: with arguments, the name inside is the kernel's. */

#define kvfree_atomic(p)					\
({								\
	const void *__obj = (p);				\
								\
	gospan_owns(__obj) ? gospan_free(__obj) :		\
			     kvfree_atomic(__obj);		\
})

#define kmem_cache_charge(p, gfp)				\
({								\
	void *__obj = (p);					\
								\
	gospan_owns(__obj) || kmem_cache_charge(__obj, gfp);	\
})

#define kvfree_rcu_barrier()					\
do {								\
	gospan_rcu_barrier();					\
	kvfree_rcu_barrier();					\
} while (0)

#define kvfree_rcu_barrier_on_cache(s)				\
do {								\
	struct kmem_cache *__s = (s);				\
								\
	gospan_rcu_barrier();					\
	if (gospan_shim_cache_is_foreign(__s))			\
		kvfree_rcu_barrier_on_cache(__s);		\
} while (0)

#undef kmem_buckets_alloc
#define kmem_buckets_alloc(b, size, gfp)		((void)(b), gospan_shim_kmalloc(size, gfp))
#undef kmem_buckets_alloc_track_caller
#define kmem_buckets_alloc_track_caller(b, size, gfp)	((void)(b), gospan_shim_kmalloc(size, gfp))
#undef kmem_buckets_valloc
#define kmem_buckets_valloc(b, size, gfp)		((void)(b), gospan_shim_kvmalloc(size, gfp))

/* What gospan has no counterpart of. */

#undef kfree_rcu_nolock
#define kfree_rcu_nolock(...)	BUILD_BUG_ON_MSG(1, "gospan has no kfree_rcu_nolock()")

#define kmem_cache_prefill_sheaf(...)					\
({									\
	BUILD_BUG_ON_MSG(1, "gospan's caches have no sheaves");		\
	(struct slab_sheaf *)NULL;					\
})

#ifdef GOSPAN_SHIM_OWN_PR_FMT
#undef pr_fmt
#endif

#endif /* _GOSPAN_SLAB_SHIM_H */
