// SPDX-License-Identifier: GPL-2.0-only
/*
 * malloc: the API's hot paths, and where they turn when they run dry.
 *
 * An allocation looks up its class, claims this CPU's mcache and pops a
 * magazine. A free looks up the page's key and pushes. Neither
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
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/gospan.h>
#include "debug.h"
#include "guard.h"
#include "malloc.h"
#include "report.h"
#include "supply.h"

static bool tiny __read_mostly = true;
module_param(tiny, bool, 0444);
MODULE_PARM_DESC(tiny, "objects below 16 bytes without pointers share blocks (default Y); N: to measure what it brings");

DEFINE_STATIC_KEY_FALSE(gospan_malloc_alloc_special);
DEFINE_STATIC_KEY_FALSE(gospan_malloc_free_special);

/* That of a large object: the largest power of two that divides its size, as kmalloc's; a page. */
static unsigned int large_align_npages(size_t size)
{
	return max(BIT(__ffs(size)) >> GOSPAN_PAGE_SHIFT, 1UL);
}

/* A large object of @size, aligned as that is, that takes @bytes; NULL: none, or too large. */
struct gospan_span *gospan_malloc_large(size_t size, size_t bytes, gfp_t gfp, int node)
{
	if (bytes > GOSPAN_MAX_BYTES)
		return NULL;
	return gospan_mheap_alloc_large_node(&gospan_heap, gospan_bytes_to_npages(bytes),
					     large_align_npages(size), gfp, node);
}

/*
 * Where the kernel has kmemleak: an object that leaked if nothing points to it. To know of
 * it takes memory, which PREEMPT_RT does not give everywhere.
 */
static void large_watch(void *p, size_t size, gfp_t gfp, bool noscan)
{
	if (!IS_ENABLED(CONFIG_DEBUG_KMEMLEAK) || !gospan_supply_may_allocate())
		return;
	kmemleak_alloc(p, size, 1, gfp);
	if (noscan)
		kmemleak_no_scan(p);
}

static void *alloc_large(size_t size, gfp_t gfp, bool noscan, int node)
{
	struct gospan_span *s = gospan_malloc_large(size, size, gfp, node);

	if (!s)
		return NULL;
	large_watch((void *)s->base, size, gfp, noscan);
	return (void *)s->base;
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
	return alloc_large(mc->layout.elem_bytes, gfp, !gospan_spanclass_is_scanned(mc->spanclass),
			   mc->node);
}

/* The same: what this CPU freed in pages that others cut it keeps from them, but may still use. */
static void *alloc_foreign(unsigned int spanclass)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	struct gospan_magazine *m = &c->magazine[GOSPAN_FOREIGN + spanclass];
	void *p = NULL;

	if (m->top != m->base) {
		p = *--m->top;
		c->magazine[spanclass].nr_mallocs++;
	}
	gospan_mcache_release(slot, c);
	return p;
}

/* From the magazine, which is filled from @other if need be and not NULL. */
static void *alloc_cached(unsigned int spanclass, struct gospan_mcentral *other)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	void *p;

	c = gospan_mcache_wake(c);
	if (likely(!gospan_mcache_is_none(c)))
		p = gospan_mcache_alloc(c, spanclass, other);
	else
		p = gospan_mcentral_alloc(other ?: gospan_mcentral_local(spanclass));
	gospan_mcache_release(slot, c);
	return p;
}

/*
 * An object of @mc, unless it was @tried in vain, or, if its node is short of memory, of
 * another; by way of the magazine where it is @cached. With __GFP_ZERO the caller clears the
 * bytes of the class.
 */
static __always_inline void *alloc_growing(struct gospan_mcentral *mc, gfp_t gfp, bool cached,
					   bool tried)
{
	struct gospan_mcentral *from = cached ? NULL : mc;
	void *p = NULL;

	do {
		if (unlikely(READ_ONCE(gospan_heap.broken)))
			return NULL;
		if (!tried && cached)
			p = alloc_cached(mc->spanclass, from);
		else if (!tried)
			p = gospan_mcentral_alloc(from);
		if (p)
			return p;
		tried = false;
		from = gospan_mcentral_grow(mc, cached ? gospan_mcache_batch(mc->spanclass) : 1,
					    gfp & ~__GFP_ZERO);
	} while (from);
	if (cached)
		p = alloc_foreign(mc->spanclass);
	return p ?: alloc_emergency(mc, gfp);
}

/* Apart: who need not grow saves fewer registers. */
static noinline void *malloc_growing(unsigned int spanclass, gfp_t gfp, bool tried)
{
	if (spanclass < GOSPAN_SPANCLASS_FIRST)
		return ZERO_SIZE_PTR;
	return alloc_growing(gospan_mcentral_local(spanclass), gfp, true, tried);
}

/* The magazine, of @c, is empty. Ends the claim. Apart: who trades all at once saves none. */
static noinline void *malloc_refill(struct gospan_magazine *m, struct gospan_mcache *c, gfp_t gfp)
{
	unsigned int spanclass = m - c->magazine;
	bool holds = m->limit != m->base && !READ_ONCE(gospan_heap.broken);
	void *p = likely(holds) ? gospan_mcache_alloc(c, spanclass, NULL) : NULL;

	gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
	return likely(p) ? p : malloc_growing(spanclass, gfp, holds);
}

/* The same, but first what is likely where all goes one way. */
noinline void *gospan_malloc_empty(struct gospan_magazine *m, struct gospan_mcache *c, gfp_t gfp)
{
	void *p;

	if (unlikely(READ_ONCE(gospan_heap.broken)) || !gospan_mcache_refill_whole(c, m))
		return malloc_refill(m, c, gfp);
	p = *--m->top;
	m->nr_mallocs++;
	gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
	return p;
}

/* Of a certain node, so not from the magazine. */
static void *alloc_central(unsigned int spanclass, gfp_t gfp, int node)
{
	return alloc_growing(gospan_mcentral_of(spanclass, node), gfp, false, false);
}

/*
 * A new block for the object. It or the open one, which has less room, is
 * closed; in an interrupt that finds the mcache claimed, it.
 */
static noinline void *alloc_tiny_slow(size_t size, gfp_t gfp)
{
	void *block = gospan_malloc_spanclass(GOSPAN_SPANCLASS_TINY, gfp), *p;
	struct gospan_tiny t = { .block = (unsigned long)block, .room = GOSPAN_TINY_BYTES };
	struct gospan_mcache **slot, *c;

	if (!block)
		return NULL;
	p = gospan_tiny_alloc(&t, size);
	slot = gospan_mcache_claim(&c);
	if (!gospan_mcache_is_none(c) && t.room > c->tiny.room && gospan_mcache_is_home(c, block)) {
		/* In its place: others tell by that whether it is still open. */
		gospan_mcache_close_tiny(c);
		gospan_tiny_open(&c->tiny, &t);
	} else {
		gospan_tiny_seal(&t);
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

/*
 * Size 0, large, zeroed, guarded, under debug, of a zone or, unless @node is NUMA_NO_NODE, of a
 * node that has memory.
 */
static noinline void *alloc_special(size_t size, gfp_t gfp, bool noscan, int node)
{
	bool zero = want_init_on_alloc(gfp), by_node;
	void *p;

	if (!size)
		return ZERO_SIZE_PTR;
	if (gfp & GOSPAN_GFP_ZONES)
		return NULL;
	if (zero)
		gfp |= __GFP_ZERO;
	by_node = node != NUMA_NO_NODE || gfp & __GFP_THISNODE;
	p = by_node ? NULL : gospan_guard_alloc(size, gfp);
	if (p || gospan_debug_alloc(size, gfp, noscan, node, &p))
		return p;
	if (node == NUMA_NO_NODE)
		node = gospan_node_local();
	/* The heap knows which pages are zeros already. */
	if (size > GOSPAN_MAX_SMALL_BYTES)
		return alloc_large(size, gfp, noscan, node);
	if (by_node)
		p = alloc_central(gospan_make_spanclass(gospan_size_to_class(size), noscan), gfp,
				  node);
	else
		p = alloc_small(size, gfp, noscan);
	if (zero && p)
		memset(p, 0, is_tiny(size, noscan) && !by_node ? size : gospan_size_roundup(size));
	return p;
}

static __always_inline void *alloc(size_t size, gfp_t gfp, bool noscan)
{
	gospan_malloc_see_context(gfp);
	if (unlikely(size > GOSPAN_MAX_SMALL_BYTES || gfp & GOSPAN_GFP_SPECIAL))
		return alloc_special(size, gfp, noscan, NUMA_NO_NODE);
	if (static_branch_unlikely(&gospan_malloc_alloc_special))
		return alloc_special(size, gfp, noscan, NUMA_NO_NODE);
	return alloc_small(size, gfp, noscan);
}

GOSPAN_FETCHED_TOGETHER void *__gospan_alloc(size_t size, gfp_t gfp)
{
	return alloc(size, gfp, false);
}
EXPORT_SYMBOL_GPL(__gospan_alloc);

GOSPAN_FETCHED_TOGETHER void *gospan_alloc_noscan(size_t size, gfp_t gfp)
{
	return alloc(size, gfp, true);
}
EXPORT_SYMBOL_GPL(gospan_alloc_noscan);

GOSPAN_FETCHED_TOGETHER void *__gospan_alloc_class(unsigned int sizeclass, gfp_t gfp, size_t size)
{
	gospan_malloc_see_context(gfp);
	if (unlikely(gfp & GOSPAN_GFP_SPECIAL) ||
	    static_branch_unlikely(&gospan_malloc_alloc_special))
		return alloc_special(size, gfp, false, NUMA_NO_NODE);
	return gospan_malloc_spanclass(gospan_make_spanclass(sizeclass, false), gfp);
}
EXPORT_SYMBOL_GPL(__gospan_alloc_class);

/*
 * The node that serves who asks for @node; NUMA_NO_NODE if this CPU's cache does.
 * False if it has to be that node, which has no memory.
 */
static __always_inline bool node_resolve(int *node, gfp_t gfp)
{
	if (*node == gospan_node_local() && !(gfp & __GFP_THISNODE))
		*node = NUMA_NO_NODE;
	if (*node == NUMA_NO_NODE)
		return true;
	if (*node >= 0 && *node < nr_node_ids && node_state(*node, N_MEMORY))
		return true;
	*node = gospan_node_nearest(*node);
	return !(gfp & __GFP_THISNODE);
}

void *gospan_alloc_node(size_t size, gfp_t gfp, int node)
{
	if (!node_resolve(&node, gfp))
		return size ? NULL : ZERO_SIZE_PTR;
	if (node == NUMA_NO_NODE)
		return alloc(size, gfp, false);
	gospan_malloc_see_context(gfp);
	return alloc_special(size, gfp, false, node);
}
EXPORT_SYMBOL_GPL(gospan_alloc_node);

/*
 * As gospan_malloc_spanclass(), but of @node as far as gospan_alloc_node() says so;
 * a spanclass that is cut.
 */
void *gospan_malloc_node(unsigned int spanclass, gfp_t gfp, int node)
{
	if (!node_resolve(&node, gfp))
		return NULL;
	if (node == NUMA_NO_NODE)
		return gospan_malloc_spanclass(spanclass, gfp);
	return alloc_central(spanclass, gfp, node);
}

/* A large object, a guarded one, or nothing of ours. */
static void free_large(const void *p)
{
	enum gospan_verdict verdict;

	if (gospan_guard_free(p, true) || !gospan_debug_free(p))
		return;
	verdict = gospan_mheap_free_large(&gospan_heap, p);
	if (verdict != GOSPAN_FREE_OK)
		gospan_report_misuse(verdict, p);
}

/* An object with a record, or something in a span of such. */
static void free_recorded(const void *p)
{
	void *object = (void *)p;

	if (gospan_debug_free(p))
		gospan_mcentral_flush_home(&object, 1);
}

/* A block of tiny objects that is free, where it is not just pushed. Ends the claim. */
static noinline void free_block(void *block, struct gospan_magazine *m, struct gospan_mcache *c)
{
	gospan_mcache_put(c, m - c->magazine, block);
	gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
}

/* A tiny object; with the last of its block the block is free. Ends the claim. */
static noinline void free_tiny(const void *p, struct gospan_magazine *m, struct gospan_mcache *c)
{
	enum gospan_verdict verdict;
	void *block;

	verdict = gospan_tiny_free(p, &block);
	if (unlikely(verdict != GOSPAN_FREE_OK)) {
		gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
		return gospan_report_misuse(verdict, p);
	}
	if (block) {
		m = gospan_mcache_blocks(m);
		/* It may be remote. */
		if (unlikely(m->top == m->limit) || gospan_node_are_many())
			return free_block(block, m, c);
		*m->top++ = block;
	}
	gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
}

/* There is something about @p. */
static noinline void free_slow(const void *p)
{
	struct gospan_mcache **slot, *c;
	unsigned int key, spanclass;
	struct gospan_magazine *m;
	bool ok;

	if (ZERO_OR_NULL_PTR(p))
		return;
	gospan_arena_see_newest();
	slot = gospan_mcache_claim(&c);
	c = gospan_mcache_wake(c);
	key = gospan_arena_key_of(&gospan_heap.arenas, p);
	spanclass = gospan_key_spanclass(key);
	if (spanclass <= GOSPAN_SPANCLASS_LARGE) {
		gospan_mcache_release(slot, c);
		return free_large(p);
	}
	if (gospan_spanclass_is_recorded(spanclass)) {
		gospan_mcache_release(slot, c);
		return free_recorded(p);
	}
	m = gospan_mcache_is_none(c) ? &c->magazine[spanclass] : gospan_mcache_magazine(c, key);
	if (spanclass == GOSPAN_SPANCLASS_IN_TINY)
		return free_tiny(p, m, c);
	ok = gospan_mcache_put(c, m - c->magazine, (void *)p);
	gospan_mcache_release(slot, c);
	if (!ok)
		gospan_report_misuse(GOSPAN_FREE_DOUBLE, p);
}

/* The magazine is full, or can hold nothing, or @p was pushed last. Ends the claim. */
static noinline void free_full(const void *p, struct gospan_magazine *m, struct gospan_mcache *c)
{
	if (gospan_mcache_flush_whole(c, m, p)) {
		*m->top++ = (void *)p;
		gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
		return;
	}
	if (likely(m->limit != m->base))
		return gospan_mcache_free_full(p, m, c);
	gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
	free_slow(p);
}

/* An object of another node, or the mcache is claimed. Ends the claim. */
static noinline void free_remote(const void *p, unsigned int spanclass, struct gospan_mcache *c)
{
	bool ok = gospan_spanclass_is_cut(spanclass) && gospan_mcache_push_remote(c, spanclass, p);

	gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
	if (unlikely(!ok))
		free_slow(p);
}

/*
 * Fast path: push on one of this CPU's magazines. Read are 4 words to the page's key, the
 * mcache's slot, by the key where in the mcache the magazine is, and that; 3 branches, all
 * to the slow path. Where that is @special, with many nodes also the home of the chunk and
 * that of the mcache, and a branch to free_remote().
 */
static __always_inline void free_small(const void *p, bool special)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	/* Under the claim: where it is not ours, the chunk may be on its way out. */
	struct gospan_chunk *chunk = gospan_arena_chunk_of(&gospan_heap.arenas, (unsigned long)p);
	unsigned int key = gospan_chunk_key_of(chunk, p);
	struct gospan_magazine *m = gospan_mcache_magazine(c, key);

	if (special && unlikely(!gospan_mcache_is_home_chunk(c, chunk)))
		return free_remote(p, gospan_key_spanclass(key), c);
	if (unlikely(m->top == m->limit || m->top[-1] == p)) {
		if (m == &c->magazine[GOSPAN_SPANCLASS_IN_TINY] ||
		    m == &c->magazine[GOSPAN_FOREIGN + GOSPAN_SPANCLASS_IN_TINY])
			return free_tiny(p, m, c);
		return free_full(p, m, c);
	}
	*m->top++ = (void *)p;
	gospan_mcache_release(slot, c);
}

/* Bytes of the object that starts at @p; 0 if none does, and why; reported: GOSPAN_FREE_OK. */
static size_t object_find(const void *p, enum gospan_verdict *verdict)
{
	struct gospan_span *s;
	size_t bytes = 0;

	*verdict = GOSPAN_FREE_OK;
	if (unlikely(gospan_guard_pages_have(p)))
		return gospan_guard_bytes(p);
	gospan_arena_see_newest();
	*verdict = GOSPAN_FREE_FOREIGN;
	/* A span looked up with a pointer that is not ours may go at any time. */
	rcu_read_lock();
	s = gospan_arena_span_of(&gospan_heap.arenas, p);
	if (s) {
		bytes = s->spanclass == GOSPAN_SPANCLASS_TINY ? gospan_tiny_bytes(p) :
								 gospan_span_object_bytes(s, p);
		*verdict = bytes ? GOSPAN_FREE_DOUBLE : GOSPAN_FREE_INTERIOR;
		bytes = bytes ? gospan_debug_bytes(s, p, bytes) : 0;
	}
	rcu_read_unlock();
	return bytes;
}

/* The same, and what is wrong is reported. */
static size_t object_bytes(const void *p)
{
	enum gospan_verdict verdict;
	size_t bytes = object_find(p, &verdict);

	if (!bytes && verdict != GOSPAN_FREE_OK)
		gospan_report_misuse(verdict, p);
	return bytes;
}

/* init_on_free: nothing that was written survives, and nothing else is wiped. */
static noinline void free_wiped(const void *p)
{
	enum gospan_verdict verdict;
	size_t bytes;

	if (ZERO_OR_NULL_PTR(p))
		return;
	bytes = object_find(p, &verdict);
	/* What is wrong with one that has a record is told where that is looked at. */
	if (!bytes && !gospan_debug_has_record(p)) {
		if (verdict != GOSPAN_FREE_OK)
			gospan_report_misuse(verdict, p);
		return;
	}
	if (!gospan_spanclass_keeps(gospan_arena_spanclass_of(&gospan_heap.arenas, p)))
		memset((void *)p, 0, bytes);
	free_small(p, true);
}

/* To be wiped, or where nodes are many. */
static noinline void free_special(const void *p)
{
	if (want_init_on_free())
		return free_wiped(p);
	free_small(p, true);
}

GOSPAN_FETCHED_TOGETHER void gospan_free(const void *p)
{
	if (static_branch_unlikely(&gospan_malloc_free_special))
		return free_special(p);
	free_small(p, false);
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
	/* What is constructed stays so: it is not painted; nor is what is guarded. */
	if (!gospan_guard_pages_have(p) &&
	    !gospan_spanclass_keeps(gospan_arena_spanclass_of(&gospan_heap.arenas, p)))
		gospan_debug_resize(p, new_size);
	return (void *)p;
}

/* Make a large object longer where it is, if it may stay there. */
static bool extend_large(const void *p, size_t old_size, size_t new_size, gfp_t gfp)
{
	struct gospan_span *s;

	/* One of a named cache may be as large. */
	if (old_size <= GOSPAN_MAX_SMALL_BYTES || new_size > GOSPAN_MAX_BYTES ||
	    gfp & GOSPAN_GFP_ZONES ||
	    gospan_arena_spanclass_of(&gospan_heap.arenas, p) != GOSPAN_SPANCLASS_LARGE)
		return false;
	if (gospan_addr_page((unsigned long)p) % large_align_npages(new_size))
		return false;
	s = gospan_arena_span_of(&gospan_heap.arenas, p);
	/* Behind it is its record. */
	if (gospan_record_of(s, p))
		return false;
	if (!gospan_mheap_extend_large(&gospan_heap, s, gospan_bytes_to_npages(new_size),
				       want_init_on_alloc(gfp)))
		return false;
	/* Whether there are pointers in it, nobody knows any more. */
	kmemleak_free(p);
	large_watch((void *)p, new_size, gfp, false);
	return true;
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
	/* Of large ones that have no record nothing is known. */
	noscan = (spanclass & 1 && spanclass != GOSPAN_SPANCLASS_LARGE &&
		  !gospan_spanclass_is_cache(spanclass)) || gospan_debug_is_noscan(p);
	new = noscan ? gospan_alloc_noscan(new_size, gfp) : gospan_alloc(new_size, gfp);
	if (!new)
		return NULL;
	memcpy(new, p, old_size);
	gospan_free(p);
	return new;
}
EXPORT_SYMBOL_GPL(gospan_realloc);

bool gospan_owns(const void *p)
{
	bool owns;

	gospan_arena_see_newest();
	rcu_read_lock();
	owns = gospan_arena_spanclass_of(&gospan_heap.arenas, p) != GOSPAN_SPANCLASS_NONE ||
	       gospan_guard_pages_have(p);
	rcu_read_unlock();
	return owns;
}
EXPORT_SYMBOL_GPL(gospan_owns);

/* Before anything is allocated, after gospan_node_init(). */
void gospan_malloc_init(void)
{
	if (want_init_on_alloc(0))
		static_branch_inc(&gospan_malloc_alloc_special);
	if (want_init_on_free() || num_possible_nodes() > 1)
		static_branch_enable(&gospan_malloc_free_special);
}

void gospan_malloc_class_info(struct gospan_class *row)
{
	unsigned int sizeclass = row->sizeclass;

	*row = (struct gospan_class){
		.sizeclass = sizeclass,
		.elem_bytes = gospan_class_to_bytes[sizeclass],
		.npages = gospan_class_npages(sizeclass),
		.nelems = gospan_class_nelems(sizeclass),
		.divmagic = gospan_class_to_divmagic[sizeclass],
		.magazine = gospan_mcache_capacity(gospan_make_spanclass(sizeclass, false)),
		.batch = gospan_class_batch(sizeclass),
		.transit = gospan_mcentral_max_transit(gospan_make_spanclass(sizeclass, false)),
	};
}
