// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page heap: runs of pages for spans, out of blocks from the kernel.
 *
 * A span of up to 16 pages comes from this CPU's page cache, which is filled
 * by up to 64 pages at a time; a longer one, one that does not fit there, or
 * one of another NUMA node than this CPU's, from the page allocator of the node;
 * and when that has none, the node grows by a block from the kernel. Memory
 * belongs to the node that it is on, whoever asked for it.
 *
 * Taking pages makes them the caller's: from then until they are freed nobody
 * else touches their entries in the chunk, so spans are made, published and
 * retracted without the lock. A descriptor stays in the entry of its span's
 * first page when that is freed, and serves the next span there: spans that
 * come and go cost no allocation.
 *
 * Any context but NMI. The kernel's allocators are called without a lock, so
 * two CPUs may grow at once, and one may lose its block to the other: it then
 * grows again.
 *
 * Go's heap reserves address space and never gives up an arena; this one gets
 * memory wherever the kernel has it, so a chunk may be owned in part.
 */
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "mheap.h"
#include "supply.h"

/* What is about one object, while pages serve many: whose, how mobile, how cleared. */
#define GFP_OF_OBJECT	(__GFP_ACCOUNT | __GFP_RECLAIMABLE | __GFP_MOVABLE | \
			 __GFP_ZERO | __GFP_COMP)

struct gospan_mheap gospan_heap;

/**
 * gospan_mheap_init() - make an empty heap
 * @h: heap
 * @source: where its pages come from
 * @limit: offset in the direct map below which they may lie, as far as is known
 * @cached: with a page cache for each CPU
 *
 * Context: Task; may sleep.
 * Return: 0, or -ENOMEM with nothing left allocated.
 */
int gospan_mheap_init(struct gospan_mheap *h, const struct gospan_page_source *source,
		      unsigned long limit, bool cached)
{
	*h = (struct gospan_mheap){ .source = source };
	if (gospan_arenas_init(&h->arenas, limit))
		return -ENOMEM;
	h->node = kcalloc(nr_node_ids, sizeof(*h->node), GFP_KERNEL);
	h->large = alloc_percpu(struct gospan_large_counters);
	if (cached)
		h->pagecaches = alloc_percpu(struct gospan_pagecache);
	if (h->node && h->large && (h->pagecaches || !cached))
		return 0;
	gospan_mheap_destroy(h);
	return -ENOMEM;
}

/* That of this CPU, as far as there is one. */
static struct gospan_node_heap *heap_local(const struct gospan_mheap *h)
{
	return READ_ONCE(h->node[gospan_node_local()]);
}

static unsigned long node_take(struct gospan_node_heap *nh, unsigned int npages,
			       unsigned int align_npages)
{
	unsigned long page, flags;

	raw_spin_lock_irqsave(&nh->lock, flags);
	page = gospan_pagealloc_find(&nh->pages, npages, align_npages);
	if (page != GOSPAN_NO_PAGE)
		gospan_pagealloc_take(&nh->pages, page, npages);
	raw_spin_unlock_irqrestore(&nh->lock, flags);
	return page;
}

/* As node_take(), but the run at @page; false if it is not free. */
static bool node_take_at(struct gospan_node_heap *nh, unsigned long page, unsigned int npages)
{
	unsigned long flags;
	bool ok;

	raw_spin_lock_irqsave(&nh->lock, flags);
	ok = gospan_pagealloc_all_free(&nh->pages, page, npages);
	if (ok)
		gospan_pagealloc_take(&nh->pages, page, npages);
	raw_spin_unlock_irqrestore(&nh->lock, flags);
	return ok;
}

static void node_put(struct gospan_node_heap *nh, unsigned long page, unsigned int npages)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&nh->lock, flags);
	gospan_pagealloc_free(&nh->pages, page, npages);
	raw_spin_unlock_irqrestore(&nh->lock, flags);
}

static bool cache_serves(const struct gospan_mheap *h, unsigned int npages)
{
	return npages <= GOSPAN_PAGECACHE_MAX_NPAGES && h->pagecaches;
}

/*
 * Move the window of an empty cache to where a run is, and take that. Where the
 * run goes beyond a window it comes from the page allocator, and the cache stays
 * empty: to search for it once more would double the cost.
 */
static unsigned long cache_fill(struct gospan_mheap *h, struct gospan_pagecache *pc,
				unsigned int npages, unsigned int align_npages)
{
	struct gospan_node_heap *nh = heap_local(h);
	unsigned long page, flags;

	if (!nh)
		return GOSPAN_NO_PAGE;
	raw_spin_lock_irqsave(&nh->lock, flags);
	pc->pages = gospan_pagealloc_take_word(&nh->pages, npages, align_npages, &page);
	raw_spin_unlock_irqrestore(&nh->lock, flags);
	if (!pc->pages)
		return page;
	pc->base = page & ~63UL;
	return gospan_pagecache_alloc(pc, npages, align_npages);
}

/* All back to the page allocator. */
static void cache_drain(struct gospan_mheap *h, struct gospan_pagecache *pc)
{
	struct gospan_node_heap *home;
	unsigned long flags;

	if (!pc->pages)
		return;
	home = gospan_mheap_chunk(h, pc->base)->home;
	raw_spin_lock_irqsave(&home->lock, flags);
	gospan_pagealloc_free_word(&home->pages, pc->base, pc->pages);
	raw_spin_unlock_irqrestore(&home->lock, flags);
	pc->pages = 0;
}

/* If this CPU's cache has pages of a run, all that it has goes back; false if it has none. */
static bool cache_give_up(struct gospan_mheap *h, unsigned long page, unsigned int npages)
{
	struct gospan_pagecache *pc;
	bool has;

	if (!h->pagecaches)
		return false;
	pc = gospan_pagecache_claim(h->pagecaches);
	if (unlikely(!pc))
		return false;
	has = gospan_pagecache_has(pc, page, npages);
	if (has)
		cache_drain(h, pc);
	gospan_pagecache_release(pc);
	return has;
}

/* Pages of @node from this CPU's cache, or GOSPAN_NO_PAGE. */
static unsigned long cache_take(struct gospan_mheap *h, int node, unsigned int npages,
				unsigned int align_npages)
{
	struct gospan_pagecache *pc = gospan_pagecache_claim(h->pagecaches);
	unsigned long page;
	bool starved;

	if (unlikely(!pc))
		return GOSPAN_NO_PAGE;
	if (gospan_node_are_many() && unlikely(node != gospan_node_local())) {
		gospan_pagecache_release(pc);
		return GOSPAN_NO_PAGE;
	}
	starved = pc->starved;
	page = gospan_pagecache_alloc(pc, npages, align_npages);
	/* The second time in a row: what is left is no use for what is wanted now. */
	if (unlikely(page == GOSPAN_NO_PAGE && (!pc->pages || starved))) {
		cache_drain(h, pc);
		page = cache_fill(h, pc, npages, align_npages);
	}
	gospan_pagecache_release(pc);
	return page;
}

/* Pages to this CPU's cache, claimed, if they are few, of its node and near. */
static __always_inline bool cache_put(struct gospan_mheap *h, struct gospan_pagecache *pc,
				      const struct gospan_node_heap *home, unsigned long page,
				      unsigned int npages)
{
	if (npages > GOSPAN_PAGECACHE_MAX_NPAGES)
		return false;
	if (likely(gospan_pagecache_free(pc, page, npages)))
		return true;
	if (home != heap_local(h) || !gospan_pagecache_follows(pc, page, npages))
		return false;
	cache_drain(h, pc);
	pc->base = page & ~63UL;
	return gospan_pagecache_free(pc, page, npages);
}

static void run_put(struct gospan_mheap *h, struct gospan_node_heap *home, unsigned long page,
		    unsigned int npages)
{
	struct gospan_pagecache *pc = h->pagecaches ? gospan_pagecache_claim(h->pagecaches) : NULL;
	bool done = false;

	if (likely(pc)) {
		done = cache_put(h, pc, home, page, npages);
		gospan_pagecache_release(pc);
	}
	if (!done)
		node_put(home, page, npages);
}

/* A run of any node that @gfp allows, when this one has neither one nor free memory. */
static noinline unsigned long run_take_anywhere(struct gospan_mheap *h, int node,
						unsigned int npages, unsigned int align_npages,
						gfp_t gfp)
{
	unsigned long page = GOSPAN_NO_PAGE;
	int other;

	for (other = 0; other < nr_node_ids && page == GOSPAN_NO_PAGE; other++) {
		struct gospan_node_heap *nh = READ_ONCE(h->node[other]);

		if (nh && (other == node || !(gfp & __GFP_THISNODE)))
			page = node_take(nh, npages, align_npages);
	}
	return page;
}

/*
 * Grow the node by memory that is free; if it has none, take a run of another
 * node, and only then have the kernel look for more, anywhere. With __GFP_THISNODE
 * all of it is to be of the node. Returns the node that grew, with the block in
 * @block; or NULL, with the run, or GOSPAN_NO_PAGE, in @block.
 */
static struct gospan_node_heap *run_grow(struct gospan_mheap *h, int node, unsigned int npages,
					 unsigned int align_npages, gfp_t gfp,
					 unsigned long *block)
{
	bool may_grow = gospan_supply_may_allocate();
	struct gospan_node_heap *nh = NULL;

	if (may_grow && num_online_nodes() > 1 && !(gfp & __GFP_THISNODE))
		nh = gospan_supply_grow(h, node, npages, align_npages,
					gospan_pagesource_gfp_free_here(gfp), block);
	if (nh)
		return nh;
	if (!may_grow || num_online_nodes() > 1) {
		*block = run_take_anywhere(h, node, npages, align_npages, gfp);
		if (!may_grow || *block != GOSPAN_NO_PAGE)
			return NULL;
	}
	nh = gospan_supply_grow(h, node, npages, align_npages, gfp, block);
	/* Also what another CPU freed meanwhile. */
	if (!nh)
		*block = run_take_anywhere(h, node, npages, align_npages, gfp);
	return nh;
}

/* A run of the pages of spans that are empty, or GOSPAN_NO_PAGE. */
static unsigned long run_reclaim(struct gospan_mheap *h, int node, unsigned int npages,
				 unsigned int align_npages)
{
	bool (*reclaim)(int node, unsigned int npages) = READ_ONCE(h->reclaim);
	struct gospan_node_heap *nh = READ_ONCE(h->node[node]);
	unsigned long page = GOSPAN_NO_PAGE;

	if (!nh || !reclaim || !reclaim(node, npages))
		return page;
	/* Some of it is in this CPU's cache now. */
	if (cache_serves(h, npages))
		page = cache_take(h, node, npages, align_npages);
	return page != GOSPAN_NO_PAGE ? page : node_take(nh, npages, align_npages);
}

/* The caches and free pages did not have it. */
static noinline unsigned long run_take_slow(struct gospan_mheap *h, int node, unsigned int npages,
					    unsigned int align_npages, gfp_t gfp)
{
	struct gospan_node_heap *nh = READ_ONCE(h->node[node]);
	unsigned long page = GOSPAN_NO_PAGE, block;

	if (nh && !READ_ONCE(h->broken))
		page = node_take(nh, npages, align_npages);
	if (page == GOSPAN_NO_PAGE && !READ_ONCE(h->broken))
		page = run_reclaim(h, node, npages, align_npages);
	while (page == GOSPAN_NO_PAGE && !READ_ONCE(h->broken)) {
		nh = run_grow(h, node, npages, align_npages, gfp, &block);
		if (!nh)
			return block;
		/* Fills the cache, too. */
		if (cache_serves(h, npages))
			page = cache_take(h, node, npages, align_npages);
		if (page == GOSPAN_NO_PAGE)
			page = node_take(nh, npages, align_npages);
		/* An aligned search may miss the block that was obtained for it. */
		if (page == GOSPAN_NO_PAGE && IS_ALIGNED(block, align_npages) &&
		    node_take_at(nh, block, npages))
			page = block;
	}
	return page;
}

static unsigned long run_take(struct gospan_mheap *h, int node, unsigned int npages,
			      unsigned int align_npages, gfp_t gfp)
{
	unsigned long page;

	if (cache_serves(h, npages) && likely(!READ_ONCE(h->broken))) {
		page = cache_take(h, node, npages, align_npages);
		if (likely(page != GOSPAN_NO_PAGE))
			return page;
	}
	return run_take_slow(h, node, npages, align_npages, gfp);
}

/* Pages are about to be written; with @zero they become zeros, where they are not. */
static void run_make_dirty(struct gospan_mheap *h, unsigned long page, unsigned int npages,
			   bool zero)
{
	for (; npages; npages--, page++) {
		struct gospan_chunk *chunk = gospan_mheap_chunk(h, page);
		unsigned int i = page % GOSPAN_CHUNK_NPAGES;

		/* Others' pages share the word. */
		if (test_bit(i, chunk->zeroed))
			clear_bit(i, chunk->zeroed);
		else if (zero)
			memset((void *)gospan_page_addr(page), 0, GOSPAN_PAGE_SIZE);
	}
}

/* Make a span found by pages that are its own; what was left with them goes. */
static __always_inline void run_publish(struct gospan_mheap *h, struct gospan_span *s,
					unsigned long page, unsigned int npages)
{
	struct gospan_span *old, *next;
	LIST_HEAD(left);

	gospan_arena_publish(&h->arenas, s, page, npages, &left);
	list_for_each_entry_safe(old, next, &left, list)
		gospan_mheap_drop_descriptor(h, old);
}

/* The descriptor that was left with a page, if it has room for @nelems; or a new one. */
static __always_inline struct gospan_span *page_descriptor(struct gospan_mheap *h,
							   unsigned long page,
							   unsigned int nelems, gfp_t gfp)
{
	struct gospan_span *s = *gospan_chunk_span(gospan_mheap_chunk(h, page),
						   page % GOSPAN_CHUNK_NPAGES);

	if (likely(s && s->max_words >= gospan_span_nr_words(nelems)))
		return s;
	if (!gospan_supply_may_allocate())
		return NULL;
	s = gospan_span_create(nelems, gfp & ~__GFP_NOFAIL);
	if (!s)
		return NULL;
	/* That it knows where its first object is makes that no less leaked. */
	kmemleak_no_scan(s);
	s->node = gospan_mheap_chunk(h, page)->home->node;
	atomic_long_add(gospan_span_sys_bytes(s), &h->span_bytes);
	return s;
}

/* Make a span of pages that were taken; without memory for the descriptor put them back. */
static struct gospan_span *run_make_span(struct gospan_mheap *h, unsigned int spanclass,
					 const struct gospan_layout *l, unsigned long page,
					 gfp_t gfp, bool zero)
{
	struct gospan_span *s = page_descriptor(h, page, l->nelems, gfp);
	unsigned int npages = l->npages;

	if (unlikely(!s)) {
		run_put(h, gospan_mheap_chunk(h, page)->home, page, npages);
		return NULL;
	}
	if (unlikely(zero || READ_ONCE(h->has_zeroed)))
		run_make_dirty(h, page, npages, zero);
	gospan_span_init(s, spanclass, gospan_page_addr(page), l);
	return s;
}

/**
 * gospan_mheap_make_span() - allocate a span that is not found by its pages yet
 * @h: heap
 * @spanclass: what its objects are; %GOSPAN_SPANCLASS_LARGE for one object
 * @l: how it is cut; length and alignment are together at most %GOSPAN_SUM_MAX
 * @gfp: how the heap may grow; %__GFP_ZERO: the pages are to be zeros
 * @node: that it should be of, or with %__GFP_THISNODE has to be
 *
 * Context: Any but NMI; sleeps if @gfp allows it. Takes node heaps' locks. On
 * PREEMPT_RT a caller that cannot be preempted gets only what the heap has:
 * there the kernel's allocators may not be called.
 * Return: the span, all slots free, on no list, for gospan_mheap_publish(); or
 * %NULL when memory ran out.
 */
struct gospan_span *gospan_mheap_make_span(struct gospan_mheap *h, unsigned int spanclass,
					   const struct gospan_layout *l, gfp_t gfp, int node)
{
	bool zero = gfp & __GFP_ZERO;
	struct gospan_span *s = NULL;
	unsigned long page;

	gfp &= ~GFP_OF_OBJECT;
	for (;;) {
		page = run_take(h, node, l->npages, l->align_npages, gfp);
		if (likely(page != GOSPAN_NO_PAGE))
			s = run_make_span(h, spanclass, l, page, gfp, zero);
		if (likely(s))
			break;
		if (likely(!(gfp & __GFP_NOFAIL)) || !gfpflags_allow_blocking(gfp) ||
		    READ_ONCE(h->broken))
			return NULL;
		memalloc_retry_wait(gfp);
	}
	return s;
}

/* From now on @s is found by its pages, and its objects may be freed. */
void gospan_mheap_publish(struct gospan_mheap *h, struct gospan_span *s)
{
	run_publish(h, s, gospan_addr_page(s->base), s->npages);
}

/* Make and publish a span. As gospan_mheap_make_span(). */
struct gospan_span *gospan_mheap_alloc_node(struct gospan_mheap *h, unsigned int spanclass,
					    const struct gospan_layout *l, gfp_t gfp, int node)
{
	struct gospan_span *s = gospan_mheap_make_span(h, spanclass, l, gfp, node);
	struct gospan_large_counters *large;

	if (!s)
		return NULL;
	run_publish(h, s, gospan_addr_page(s->base), l->npages);
	if (spanclass == GOSPAN_SPANCLASS_LARGE) {
		large = raw_cpu_ptr(h->large);
		atomic_long_inc(&large->mallocs);
		atomic_long_add(l->npages, &large->alloc_pages);
	}
	return s;
}

static void count_large_free(struct gospan_mheap *h, unsigned int npages)
{
	struct gospan_large_counters *large = raw_cpu_ptr(h->large);

	atomic_long_inc(&large->frees);
	atomic_long_add(npages, &large->free_pages);
}

/* The home of a span that is freed, which is counted; NULL if it cannot be. */
static __always_inline struct gospan_node_heap *span_home(struct gospan_mheap *h,
							  const struct gospan_span *s)
{
	struct gospan_chunk *chunk = gospan_arena_chunk_of(&h->arenas, s->base);

	/* Freed twice, or overwritten. */
	if (GOSPAN_WARN_ON(h, *gospan_chunk_span(chunk, gospan_addr_page_idx(s->base)) != s))
		return NULL;
	if (s->spanclass == GOSPAN_SPANCLASS_LARGE)
		count_large_free(h, s->npages);
	return chunk->home;
}

/**
 * gospan_mheap_free() - free the pages of a span
 * @h: heap that it came from
 * @s: span that nobody uses any more, retracted; the descriptor stays with the heap
 *
 * Context: Any but NMI. Takes the lock of the pages' home.
 */
void gospan_mheap_free(struct gospan_mheap *h, struct gospan_span *s)
{
	struct gospan_node_heap *home = span_home(h, s);

	if (home)
		run_put(h, home, gospan_addr_page(s->base), s->npages);
}

/* The spans of a list that lie in chunks of @home. */
static void node_put_spans(struct gospan_mheap *h, struct gospan_node_heap *home,
			   struct list_head *spans)
{
	struct gospan_span *s, *next;
	unsigned long flags;

	raw_spin_lock_irqsave(&home->lock, flags);
	list_for_each_entry_safe(s, next, spans, list) {
		if (gospan_arena_chunk_of(&h->arenas, s->base)->home != home)
			continue;
		/* With its pages the descriptor is another's. */
		list_del_init(&s->list);
		gospan_pagealloc_free(&home->pages, gospan_addr_page(s->base), s->npages);
	}
	raw_spin_unlock_irqrestore(&home->lock, flags);
}

/* What of a list can go to this CPU's page cache. What is left is not freed yet, but counted. */
static void cache_put_spans(struct gospan_mheap *h, struct list_head *spans)
{
	struct gospan_pagecache *pc = h->pagecaches ? gospan_pagecache_claim(h->pagecaches) : NULL;
	struct gospan_node_heap *home;
	struct gospan_span *s, *next;

	list_for_each_entry_safe(s, next, spans, list) {
		home = span_home(h, s);
		/* While it is claimed, nobody takes the pages out of it. */
		if (!home || (pc && cache_put(h, pc, home, gospan_addr_page(s->base), s->npages)))
			list_del_init(&s->list);
	}
	if (pc)
		gospan_pagecache_release(pc);
}

/* Free all spans of a list; what does not go to the page cache meets each lock once. */
void gospan_mheap_free_list(struct gospan_mheap *h, struct list_head *spans)
{
	struct gospan_span *s;

	if (list_empty(spans))
		return;
	cache_put_spans(h, spans);
	while (!list_empty(spans)) {
		s = list_first_entry(spans, struct gospan_span, list);
		node_put_spans(h, gospan_arena_chunk_of(&h->arenas, s->base)->home, spans);
	}
}

/* A large object is retracted, and so freed once only, under its home's lock. */
static enum gospan_verdict node_retract_large(struct gospan_mheap *h,
					      struct gospan_node_heap *home, const void *p,
					      struct gospan_span **span)
{
	struct gospan_span *s;

	lockdep_assert_held(&home->lock);
	s = gospan_arena_span_of(&h->arenas, p);
	if (!s || s->spanclass != GOSPAN_SPANCLASS_LARGE)
		return GOSPAN_FREE_FOREIGN;
	if (s->base != (unsigned long)p)
		return GOSPAN_FREE_INTERIOR;
	gospan_arena_retract(&h->arenas, s);
	*span = s;
	return GOSPAN_FREE_OK;
}

/**
 * gospan_mheap_free_large() - free a large object
 * @h: heap
 * @p: what the caller claims to be one
 *
 * Context: Any but NMI. Takes the lock of the pages' home.
 * Return: a verdict; of two racing frees of the same object one is FOREIGN.
 */
enum gospan_verdict gospan_mheap_free_large(struct gospan_mheap *h, const void *p)
{
	enum gospan_verdict verdict = GOSPAN_FREE_FOREIGN;
	struct gospan_node_heap *home;
	struct gospan_span *s;
	unsigned long flags;

	rcu_read_lock();
	home = gospan_arena_chunk_of(&h->arenas, (unsigned long)p)->home;
	rcu_read_unlock();
	if (!home)
		return verdict;
	raw_spin_lock_irqsave(&home->lock, flags);
	verdict = node_retract_large(h, home, p, &s);
	raw_spin_unlock_irqrestore(&home->lock, flags);
	if (verdict == GOSPAN_FREE_OK) {
		kmemleak_free(p);
		gospan_mheap_free(h, s);
	}
	return verdict;
}

/**
 * gospan_mheap_extend_large() - make a large object longer where it is
 * @h: heap
 * @s: its span, which is the caller's
 * @npages: its new length, more than the old
 * @zero: clear what is new
 *
 * Context: Any but NMI. Takes the lock of the pages' home.
 * Return: false if the pages behind it are not free; those that another CPU
 * caches are not.
 */
bool gospan_mheap_extend_large(struct gospan_mheap *h, struct gospan_span *s,
			       unsigned int npages, bool zero)
{
	struct gospan_node_heap *home = gospan_arena_chunk_of(&h->arenas, s->base)->home;
	unsigned long page = gospan_addr_page(s->base) + s->npages;
	unsigned int more = npages - s->npages;

	if (READ_ONCE(h->broken))
		return false;
	/* An object of few pages is itself from the cache, and so are its neighbours. */
	if (!node_take_at(home, page, more) &&
	    !(cache_give_up(h, page, more) && node_take_at(home, page, more)))
		return false;
	run_make_dirty(h, page, more, zero);
	run_publish(h, s, page, more);
	WRITE_ONCE(s->npages, npages);
	atomic_long_add(more, &raw_cpu_ptr(h->large)->alloc_pages);
	return true;
}

/* Pages in the page cache of a CPU, at some moment. */
unsigned int gospan_mheap_cpu_pages(const struct gospan_mheap *h, unsigned int cpu)
{
	/* Its owner goes on meanwhile. */
	return h->pagecaches ? hweight64(data_race(per_cpu_ptr(h->pagecaches, cpu)->pages)) : 0;
}

/* Empty the page cache of a CPU that is down, or of this one with interrupts off. */
void gospan_mheap_flush_cpu(struct gospan_mheap *h, unsigned int cpu)
{
	struct gospan_pagecache *pc;

	if (!h->pagecaches)
		return;
	pc = per_cpu_ptr(h->pagecaches, cpu);
	/* What was interrupted uses it. */
	if (!READ_ONCE(pc->busy))
		cache_drain(h, pc);
}

/* Large objects since init; exact when nothing allocates. */
struct gospan_large_count gospan_mheap_large(const struct gospan_mheap *h)
{
	struct gospan_large_count sum = {};
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		const struct gospan_large_counters *large = per_cpu_ptr(h->large, cpu);

		sum.mallocs += atomic_long_read(&large->mallocs);
		sum.frees += atomic_long_read(&large->frees);
		sum.alloc_pages += atomic_long_read(&large->alloc_pages);
		sum.free_pages += atomic_long_read(&large->free_pages);
	}
	return sum;
}

/* Free the descriptors left in @chunk; spans that hold live objects go over chunks' borders. */
static void chunk_drop_spans(struct gospan_chunk *chunk, void *data)
{
	struct gospan_span **last = data, *s;
	unsigned int i;

	for_each_set_bit(i, chunk->owned, GOSPAN_CHUNK_NPAGES) {
		s = *gospan_chunk_span(chunk, i);
		if (!s || s == *last)
			continue;
		kfree(*last);
		*last = s;
	}
}

/**
 * gospan_mheap_destroy() - give everything back
 * @h: heap that nobody uses any more
 *
 * Pages of spans that still hold objects are leaked: their users may not know
 * that the heap has gone.
 *
 * Context: Task; may sleep.
 */
void gospan_mheap_destroy(struct gospan_mheap *h)
{
	struct gospan_span *last = NULL;
	unsigned int cpu, node;

	for_each_possible_cpu(cpu)
		gospan_mheap_flush_cpu(h, cpu);
	for (node = 0; h->node && node < nr_node_ids; node++)
		while (gospan_supply_release(h, node, GOSPAN_CHUNK_NPAGES))
			cond_resched();
	gospan_arenas_destroy(&h->arenas, chunk_drop_spans, &last);
	kfree(last);
	for (node = 0; h->node && node < nr_node_ids; node++) {
		if (h->node[node])
			gospan_pagealloc_destroy(&h->node[node]->pages, kfree);
		kfree(h->node[node]);
	}
	kfree(h->node);
	h->node = NULL;
	free_percpu(h->pagecaches);
	free_percpu(h->large);
}
