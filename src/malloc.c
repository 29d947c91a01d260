// SPDX-License-Identifier: GPL-2.0-only
/*
 * malloc: the API's hot paths, and where they turn when they run dry.
 *
 * An allocation looks up its class, claims this CPU's mcache and pops a
 * magazine. A free looks up the spanclass byte of the page and pushes. Neither
 * takes a lock, uses an atomic, switches interrupts, or touches a span or
 * struct page; a free does not touch the object either.
 *
 * Everything unusual has a spanclass whose magazine never has capacity - size
 * 0, a foreign pointer, a large object, an interrupt that finds the mcache
 * claimed - and so ends up in the slow path without a test of its own.
 *
 * Go's mallocgc() does the same up to the magazine; frees are explicit here,
 * and GC, write barriers and stack growth have no counterpart.
 */
#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/gospan.h>
#include "malloc.h"
#include "report.h"

static bool tiny __read_mostly = true;
module_param(tiny, bool, 0444);
MODULE_PARM_DESC(tiny, "objects below 16 bytes without pointers share blocks (default Y); N: to measure what it brings");

/* That of a large object: the largest power of two that divides its size, as kmalloc's; a page. */
static unsigned int large_align_npages(size_t size)
{
	return max(BIT(__ffs(size)) >> GOSPAN_PAGE_SHIFT, 1UL);
}

static void *alloc_large(size_t size, gfp_t gfp)
{
	unsigned int npages = gospan_bytes_to_npages(size);
	struct gospan_span *s;

	if (size > GOSPAN_MAX_BYTES)
		return NULL;
	s = gospan_mheap_alloc_large(&gospan_heap, npages, large_align_npages(size), gfp);
	return s ? (void *)s->base : NULL;
}

/*
 * There are no pages for a span: those that just one object needs may still be
 * there. It is then a large object, though a small one would have done; but not
 * one of a named cache's.
 */
static void *alloc_emergency(const struct gospan_mcentral *mc, gfp_t gfp)
{
	if (gospan_bytes_to_npages(mc->layout.elem_bytes) == mc->layout.npages ||
	    gospan_spanclass_is_cache(mc->spanclass))
		return NULL;
	return alloc_large(mc->layout.elem_bytes, gfp);
}

/* The magazine was empty. With __GFP_ZERO the caller clears the bytes of the class. */
noinline void *gospan_malloc_slow(unsigned int spanclass, gfp_t gfp)
{
	struct gospan_mcentral *mc = gospan_mcentral_local(spanclass);
	struct gospan_mcache **slot, *c;
	void *p;

	if (spanclass < GOSPAN_SPANCLASS_FIRST)
		return ZERO_SIZE_PTR;
	do {
		if (unlikely(READ_ONCE(gospan_heap.broken)))
			return NULL;
		slot = gospan_mcache_claim(&c);
		if (likely(c != &gospan_mcache_none))
			p = gospan_mcache_alloc(c, spanclass);
		else
			p = gospan_mcentral_alloc(mc);
		gospan_mcache_release(slot, c);
	} while (!p && gospan_mcentral_grow(mc, gfp & ~__GFP_ZERO));
	return p ?: alloc_emergency(mc, gfp);
}

/*
 * A new block for the object. It or the open one, which has less room, is
 * closed; in an interrupt that finds the mcache claimed, it.
 */
static noinline void *alloc_tiny_slow(size_t size, gfp_t gfp)
{
	void *block = gospan_malloc_spanclass(GOSPAN_SPANCLASS_TINY, gfp), *p;
	struct gospan_mcache **slot, *c;
	struct gospan_tiny t;

	if (!block)
		return NULL;
	gospan_tiny_open(&t, (unsigned long)block);
	p = gospan_tiny_alloc(&t, size);
	slot = gospan_mcache_claim(&c);
	if (c != &gospan_mcache_none && t.room > c->tiny.room) {
		/* In its place: others tell by that whether it is still open. */
		gospan_mcache_close_tiny(c, &c->tiny);
		gospan_tiny_keep(&c->tiny, &t);
	} else {
		gospan_mcache_close_tiny(c, &t);
	}
	gospan_mcache_release(slot, c);
	return p;
}

/* Fast path: cut an object from this CPU's open block. */
static __always_inline void *alloc_tiny(size_t size, gfp_t gfp)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	void *p = gospan_tiny_alloc(&c->tiny, size);

	if (unlikely(!p)) {
		gospan_mcache_release(slot, c);
		return alloc_tiny_slow(size, gfp);
	}
	c->nr_tiny_mallocs++;
	if (gospan_tiny_is_full(&c->tiny))
		/* The object lives: so does the block. */
		gospan_tiny_close(&c->tiny);
	gospan_mcache_release(slot, c);
	return p;
}

static __always_inline bool is_tiny(size_t size, bool noscan)
{
	return noscan && size < GOSPAN_TINY_BYTES && size && tiny;
}

static __always_inline void *alloc_small(size_t size, gfp_t gfp, bool noscan)
{
	if (is_tiny(size, noscan))
		return alloc_tiny(size, gfp);
	return gospan_malloc_spanclass(gospan_make_spanclass(gospan_size_to_class(size), noscan),
				       gfp);
}

/* Size 0, large, zeroed, or from a zone. */
static noinline void *alloc_special(size_t size, gfp_t gfp, bool noscan)
{
	bool zero = want_init_on_alloc(gfp);
	void *p;

	if (!size)
		return ZERO_SIZE_PTR;
	if (gfp & GOSPAN_GFP_ZONES)
		return NULL;
	if (zero)
		gfp |= __GFP_ZERO;
	/* The heap knows which pages are zeros already. */
	if (size > GOSPAN_MAX_SMALL_BYTES)
		return alloc_large(size, gfp);
	p = alloc_small(size, gfp, noscan);
	if (zero && p)
		memset(p, 0, is_tiny(size, noscan) ? size : gospan_size_roundup(size));
	return p;
}

static __always_inline void *alloc(size_t size, gfp_t gfp, bool noscan)
{
	gospan_malloc_see_context(gfp);
	if (unlikely(size > GOSPAN_MAX_SMALL_BYTES || gfp & (__GFP_ZERO | GOSPAN_GFP_ZONES)))
		return alloc_special(size, gfp, noscan);
	if (want_init_on_alloc(0))
		return alloc_special(size, gfp, noscan);
	return alloc_small(size, gfp, noscan);
}

void *__gospan_alloc(size_t size, gfp_t gfp)
{
	return alloc(size, gfp, false);
}
EXPORT_SYMBOL_GPL(__gospan_alloc);

void *gospan_alloc_noscan(size_t size, gfp_t gfp)
{
	return alloc(size, gfp, true);
}
EXPORT_SYMBOL_GPL(gospan_alloc_noscan);

void *__gospan_alloc_class(unsigned int sizeclass, gfp_t gfp, size_t size)
{
	gospan_malloc_see_context(gfp);
	if (unlikely(gfp & (__GFP_ZERO | GOSPAN_GFP_ZONES)) || want_init_on_alloc(0))
		return alloc_special(size, gfp, false);
	return gospan_malloc_spanclass(gospan_make_spanclass(sizeclass, false), gfp);
}
EXPORT_SYMBOL_GPL(__gospan_alloc_class);

/* A large object, or nothing of ours. */
static void free_large(const void *p)
{
	enum gospan_verdict verdict;

	verdict = gospan_mheap_free_large(&gospan_heap, p);
	if (verdict != GOSPAN_FREE_OK)
		gospan_report_misuse(verdict, p);
}

/* To this CPU's magazine, or past it. False for an object pushed last, too. */
static bool push_claimed(struct gospan_mcache *c, unsigned int spanclass, void *obj)
{
	if (likely(c != &gospan_mcache_none))
		return gospan_mcache_free(c, spanclass, obj);
	gospan_mcentral_flush(gospan_mcentral_local(spanclass), &obj, 1);
	return true;
}

/* A block of tiny objects that is free. Ends the claim. */
static noinline void free_block(void *block, struct gospan_mcache *c)
{
	push_claimed(c, GOSPAN_SPANCLASS_TINY, block);
	gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
}

/* A tiny object; with the last of its block the block is free. Ends the claim. */
static noinline void free_tiny(const void *p, struct gospan_mcache *c)
{
	struct gospan_magazine *m = &c->magazine[GOSPAN_SPANCLASS_TINY];
	enum gospan_verdict verdict;
	void *block;

	verdict = gospan_tiny_free(p, &block);
	if (unlikely(verdict != GOSPAN_FREE_OK)) {
		gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
		return gospan_report_misuse(verdict, p);
	}
	if (block) {
		if (unlikely(m->top == m->limit))
			return free_block(block, c);
		*m->top++ = block;
	}
	gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
}

/* The magazine was full, or there is something about @p. */
static noinline void free_slow(const void *p)
{
	struct gospan_mcache **slot, *c;
	unsigned int spanclass;
	void *obj = (void *)p;
	bool ok = true;

	if (ZERO_OR_NULL_PTR(p))
		return;
	gospan_arena_see_newest();
	slot = gospan_mcache_claim(&c);
	spanclass = gospan_arena_spanclass_of(&gospan_heap.arenas, p);
	if (spanclass <= GOSPAN_SPANCLASS_LARGE) {
		gospan_mcache_release(slot, c);
		return free_large(p);
	}
	if (spanclass == GOSPAN_SPANCLASS_IN_TINY)
		return free_tiny(p, c);
	ok = push_claimed(c, spanclass, obj);
	gospan_mcache_release(slot, c);
	if (!ok)
		gospan_report_misuse(GOSPAN_FREE_DOUBLE, p);
}

/*
 * Fast path: push on this CPU's magazine. Read are 4 words to the page's
 * spanclass byte, the mcache's slot and the magazine; 3 branches, all to the
 * slow path.
 */
static __always_inline void free_small(const void *p)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	/* Under the claim: where it is not ours, the chunk may be on its way out. */
	struct gospan_magazine *m = &c->magazine[gospan_arena_spanclass_of(&gospan_heap.arenas, p)];

	if (unlikely(m->top == m->limit || m->top[-1] == p)) {
		if (m == &c->magazine[GOSPAN_SPANCLASS_IN_TINY])
			return free_tiny(p, c);
		gospan_mcache_release(slot, c);
		return free_slow(p);
	}
	*m->top++ = (void *)p;
	gospan_mcache_release(slot, c);
}

/* Bytes of the object that starts at @p; 0, reported, if none does. */
static size_t object_bytes(const void *p)
{
	enum gospan_verdict verdict = GOSPAN_FREE_FOREIGN;
	struct gospan_span *s;
	size_t bytes = 0;

	gospan_arena_see_newest();
	/* A span looked up with a pointer that is not ours may go at any time. */
	rcu_read_lock();
	s = gospan_arena_span_of(&gospan_heap.arenas, p);
	if (s) {
		bytes = s->spanclass == GOSPAN_SPANCLASS_TINY ? gospan_tiny_bytes(p) :
								 gospan_span_object_bytes(s, p);
		verdict = GOSPAN_FREE_INTERIOR;
	}
	rcu_read_unlock();
	if (!bytes)
		gospan_report_misuse(verdict, p);
	return bytes;
}

/* init_on_free: nothing that was written survives, and nothing else is wiped. */
static noinline void free_wiped(const void *p)
{
	size_t bytes;

	if (ZERO_OR_NULL_PTR(p))
		return;
	bytes = object_bytes(p);
	if (!bytes)
		return;
	if (!gospan_spanclass_keeps(gospan_arena_spanclass_of(&gospan_heap.arenas, p)))
		memset((void *)p, 0, bytes);
	free_small(p);
}

void gospan_free(const void *p)
{
	if (want_init_on_free())
		return free_wiped(p);
	free_small(p);
}
EXPORT_SYMBOL_GPL(gospan_free);

size_t gospan_size(const void *p)
{
	return ZERO_OR_NULL_PTR(p) ? 0 : object_bytes(p);
}
EXPORT_SYMBOL_GPL(gospan_size);

size_t gospan_size_roundup(size_t size)
{
	if (size <= GOSPAN_MAX_SMALL_BYTES)
		return gospan_class_to_bytes[gospan_size_to_class(size)];
	if (size <= GOSPAN_MAX_BYTES)
		return (size_t)gospan_bytes_to_npages(size) << GOSPAN_PAGE_SHIFT;
	return size;
}
EXPORT_SYMBOL_GPL(gospan_size_roundup);

/* The bytes that are not asked for any more are zero when they are asked for again. */
static void *realloc_within(const void *p, size_t old_size, size_t new_size, gfp_t gfp)
{
	if (want_init_on_alloc(gfp))
		memset((void *)p + new_size, 0, old_size - new_size);
	return (void *)p;
}

/* Make a large object longer where it is, if it may stay there. */
static bool extend_large(const void *p, size_t old_size, size_t new_size, gfp_t gfp)
{
	/* One of a named cache may be as large. */
	if (old_size <= GOSPAN_MAX_SMALL_BYTES || new_size > GOSPAN_MAX_BYTES ||
	    gfp & GOSPAN_GFP_ZONES ||
	    gospan_arena_spanclass_of(&gospan_heap.arenas, p) != GOSPAN_SPANCLASS_LARGE)
		return false;
	if (gospan_addr_page((unsigned long)p) % large_align_npages(new_size))
		return false;
	return gospan_mheap_extend_large(&gospan_heap,
					 gospan_arena_span_of(&gospan_heap.arenas, p),
					 gospan_bytes_to_npages(new_size),
					 want_init_on_alloc(gfp));
}

void *gospan_realloc(const void *p, size_t new_size, gfp_t gfp)
{
	unsigned int spanclass;
	size_t old_size;
	bool noscan;
	void *new;

	if (!new_size) {
		gospan_free(p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return gospan_alloc(new_size, gfp);
	old_size = gospan_size(p);
	if (!old_size)
		return NULL;
	if (new_size <= old_size)
		return realloc_within(p, old_size, new_size, gfp);
	if (extend_large(p, old_size, new_size, gfp))
		return (void *)p;
	spanclass = gospan_arena_spanclass_of(&gospan_heap.arenas, p);
	noscan = spanclass & 1 && !gospan_spanclass_is_cache(spanclass);
	new = noscan ? gospan_alloc_noscan(new_size, gfp) : gospan_alloc(new_size, gfp);
	if (!new)
		return NULL;
	memcpy(new, p, old_size);
	gospan_free(p);
	return new;
}
EXPORT_SYMBOL_GPL(gospan_realloc);

void *gospan_kvalloc(size_t size, gfp_t gfp)
{
	gfp_t try_gfp = gfp;
	void *p;

	/* Pages that need not be in a row are not worth pressing for. */
	if (size > PAGE_SIZE)
		try_gfp = (gfp & ~__GFP_NOFAIL) | __GFP_NOWARN |
			  (gfp & __GFP_RETRY_MAYFAIL ? 0 : __GFP_NORETRY);
	p = gospan_alloc(size, try_gfp);
	/* The product of an array that overflows: vmalloc() would complain. */
	if (size == SIZE_MAX)
		return NULL;
	if (p || size <= PAGE_SIZE || !gfpflags_allow_blocking(gfp) || gfp & GOSPAN_GFP_ZONES)
		return p;
	return __vmalloc(size, gfp);
}
EXPORT_SYMBOL_GPL(gospan_kvalloc);

void gospan_kvfree(const void *p)
{
	if (is_vmalloc_addr(p))
		vfree(p);
	else
		gospan_free(p);
}
EXPORT_SYMBOL_GPL(gospan_kvfree);

bool gospan_owns(const void *p)
{
	bool owns;

	gospan_arena_see_newest();
	rcu_read_lock();
	owns = gospan_arena_spanclass_of(&gospan_heap.arenas, p) != GOSPAN_SPANCLASS_NONE;
	rcu_read_unlock();
	return owns;
}
EXPORT_SYMBOL_GPL(gospan_owns);

void gospan_malloc_class_info(struct gospan_class *row)
{
	unsigned int sizeclass = row->sizeclass;

	*row = (struct gospan_class){
		.sizeclass = sizeclass,
		.elem_bytes = gospan_class_to_bytes[sizeclass],
		.npages = gospan_class_npages(sizeclass),
		.nelems = gospan_class_nelems(sizeclass),
		.divmagic = gospan_class_to_divmagic[sizeclass],
		.magazine = 2 * gospan_class_batch(sizeclass),
		.batch = gospan_class_batch(sizeclass),
		.transit = gospan_mcentral_max_transit(gospan_class_to_bytes[sizeclass]),
	};
}
