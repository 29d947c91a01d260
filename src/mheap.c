// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page heap: runs of pages for spans, out of blocks from the kernel.
 *
 * Pages live in chunks of 512, kept in a list by address; a run is searched
 * first fit, lowest address first, within a chunk. Each chunk knows an upper
 * bound of its longest free run, so that full chunks cost one comparison.
 * Freed pages merge by being neighbours in the bit map. When no run fits, the
 * heap grows by the largest block that alloc_pages() has, at most a chunk; the
 * block is split into single kernel pages, so that a span takes exactly its
 * pages and each page can go back alone.
 *
 * Any context but NMI. The kernel's allocators are called without the lock,
 * so two CPUs may grow at once, and one may lose its block to the other: it
 * then grows again.
 *
 * Go's heap reserves address space and never gives up an arena; this one gets
 * memory wherever the kernel has it, so a chunk may be owned in part.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "mheap.h"

/* What says how badly memory is wanted. */
#define GFP_PRESSING	(__GFP_RECLAIM | __GFP_NOFAIL | __GFP_HIGH | __GFP_MEMALLOC)
/* What is about one object, while pages serve many: whose, how mobile, how cleared. */
#define GFP_OF_OBJECT	(__GFP_ACCOUNT | __GFP_RECLAIMABLE | __GFP_MOVABLE | \
			 __GFP_ZERO | __GFP_COMP)

struct gospan_mheap gospan_heap;

static struct page *kernel_pages_alloc(gfp_t gfp, unsigned int order)
{
	return alloc_pages(gfp, order);
}

static void kernel_pages_free(struct page *page)
{
	__free_page(page);
}

const struct gospan_page_source gospan_kernel_pages = {
	.alloc = kernel_pages_alloc,
	.free = kernel_pages_free,
};

void gospan_mheap_init(struct gospan_mheap *h, const struct gospan_page_source *source)
{
	*h = (struct gospan_mheap){
		.source = source,
		.arenas = &gospan_arena_map_none,
		.chunks = LIST_HEAD_INIT(h->chunks),
	};
	raw_spin_lock_init(&h->lock);
}

/* Insert by address; the list is short and grows seldom. */
static void heap_list_chunk(struct gospan_mheap *h, struct gospan_chunk *chunk)
{
	struct gospan_chunk *above;

	lockdep_assert_held(&h->lock);
	list_for_each_entry(above, &h->chunks, list)
		if (above->base > chunk->base)
			break;
	list_add_tail(&chunk->list, &above->list);
	h->nr_chunks++;
}

/* Add a block of free pages that the kernel gave us. */
static void heap_add_block(struct gospan_mheap *h, struct page *page, unsigned int order,
			   struct gospan_arena_spare *spare)
{
	unsigned long addr = (unsigned long)page_address(page);
	unsigned int npages = 1U << (order - GOSPAN_PAGE_ORDER);
	unsigned int first = gospan_addr_page_idx(addr);
	struct gospan_chunk *chunk;

	lockdep_assert_held(&h->lock);
	chunk = gospan_arena_add(&h->arenas, addr, spare);
	if (list_empty(&chunk->list))
		heap_list_chunk(h, chunk);
	/* The kernel gave us a page that is ours. */
	GOSPAN_WARN_ON(h, test_bit(first, chunk->owned));
	bitmap_set(chunk->owned, first, npages);
	gospan_pallocbits_free(&chunk->pages, first, npages);
	chunk->nr_free += npages;
	chunk->max_run = GOSPAN_CHUNK_NPAGES;
	h->obtained_pages += npages;
	h->nr_grows++;
}

/*
 * The largest block to be had, at least of @min_order. Only the smallest is
 * worth reclaim: larger ones save work, but must not cost the system any.
 */
static struct page *heap_get_block(struct gospan_mheap *h, unsigned int min_order, gfp_t gfp,
				   unsigned int *order)
{
	gfp_t try_gfp = (gfp & ~GFP_PRESSING) | __GFP_NOWARN | __GFP_NOMEMALLOC;
	unsigned int refused = 0;
	struct page *page = NULL;
	unsigned long flags;

	for (*order = min_t(unsigned int, MAX_PAGE_ORDER, GOSPAN_CHUNK_SHIFT - PAGE_SHIFT);
	     *order > min_order; --*order) {
		page = h->source->alloc(try_gfp, *order);
		if (page)
			break;
		refused++;
	}
	if (!page) {
		page = h->source->alloc(gfp & ~__GFP_NOFAIL, *order);
		refused += !page;
	}
	raw_spin_lock_irqsave(&h->lock, flags);
	h->nr_grow_fallbacks += refused;
	raw_spin_unlock_irqrestore(&h->lock, flags);
	return page;
}

static void heap_put_block(struct gospan_mheap *h, struct page *page, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < 1U << order; i++)
		h->source->free(page + i);
}

/* Blocks are aligned in physical memory, chunks in the direct map: nearly always the same. */
static bool block_in_chunk(struct page *page, unsigned int order)
{
	unsigned int first = gospan_addr_page_idx((unsigned long)page_address(page));

	return first + (1U << (order - GOSPAN_PAGE_ORDER)) <= GOSPAN_CHUNK_NPAGES;
}

/* On PREEMPT_RT the kernel's allocators may sleep in their locks. */
static bool heap_may_grow(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible();
}

/* Get a block that holds @npages aligned pages. Returns 0 or -ENOMEM. */
static int heap_grow(struct gospan_mheap *h, unsigned int npages, gfp_t gfp)
{
	struct gospan_arena_spare spare;
	unsigned int order;
	struct page *page;
	unsigned long flags;

	order = GOSPAN_PAGE_ORDER + order_base_2(npages);
	if (order > MAX_PAGE_ORDER)
		return -ENOMEM;
	page = heap_get_block(h, order, gfp, &order);
	if (!page)
		return -ENOMEM;
	if (order)
		split_page(page, order);
	if (!block_in_chunk(page, order) ||
	    gospan_arena_prepare(&h->arenas, (unsigned long)page_address(page),
				 gfp & ~__GFP_NOFAIL, &spare)) {
		heap_put_block(h, page, order);
		return -ENOMEM;
	}
	raw_spin_lock_irqsave(&h->lock, flags);
	heap_add_block(h, page, order, &spare);
	raw_spin_unlock_irqrestore(&h->lock, flags);
	gospan_arena_discard(&spare);
	return 0;
}

/* A free run in @chunk, taken: the index of its first page, or GOSPAN_CHUNK_NPAGES. */
static unsigned int chunk_take_run(struct gospan_chunk *chunk, unsigned int npages,
				   unsigned int align_npages)
{
	unsigned int page_idx;

	if (npages > min(chunk->nr_free, chunk->max_run))
		return GOSPAN_CHUNK_NPAGES;
	page_idx = gospan_pallocbits_find(&chunk->pages, npages, align_npages);
	if (page_idx == GOSPAN_CHUNK_NPAGES) {
		/* An aligned search may have passed over longer runs. */
		if (align_npages == 1)
			chunk->max_run = npages - 1;
		return page_idx;
	}
	gospan_pallocbits_take(&chunk->pages, page_idx, npages);
	chunk->nr_free -= npages;
	return page_idx;
}

/* Give @s a run of free pages and publish it. False when there is none. */
static bool heap_place_span(struct gospan_mheap *h, struct gospan_span *s,
			    unsigned int align_npages)
{
	unsigned int page_idx = GOSPAN_CHUNK_NPAGES;
	struct gospan_chunk *chunk;

	lockdep_assert_held(&h->lock);
	if (unlikely(h->broken))
		return false;
	list_for_each_entry(chunk, &h->chunks, list) {
		page_idx = chunk_take_run(chunk, s->npages, align_npages);
		if (page_idx < GOSPAN_CHUNK_NPAGES)
			break;
	}
	if (page_idx == GOSPAN_CHUNK_NPAGES)
		return false;
	s->base = gospan_chunk_page_addr(chunk, page_idx);
	h->inuse_pages += s->npages;
	h->span_bytes += gospan_span_bytes(s->nelems);
	if (s->spanclass == GOSPAN_SPANCLASS_LARGE) {
		h->large_mallocs++;
		h->large_alloc_pages += s->npages;
	}
	gospan_arena_publish_span(chunk, s);
	return true;
}

static bool heap_try_alloc(struct gospan_mheap *h, struct gospan_span *s,
			   unsigned int align_npages, gfp_t gfp)
{
	unsigned long flags;
	bool placed;

	for (;;) {
		raw_spin_lock_irqsave(&h->lock, flags);
		placed = heap_place_span(h, s, align_npages);
		raw_spin_unlock_irqrestore(&h->lock, flags);
		if (placed || READ_ONCE(h->broken))
			return placed;
		if (heap_grow(h, max(s->npages, align_npages), gfp))
			return false;
	}
}

static struct gospan_span *span_create(unsigned int spanclass, unsigned int npages, gfp_t gfp)
{
	unsigned int nelems = spanclass == GOSPAN_SPANCLASS_LARGE ? 1 :
			      gospan_class_nelems(gospan_spanclass_sizeclass(spanclass));
	struct gospan_span *s = kmalloc(gospan_span_bytes(nelems), gfp);

	if (s)
		gospan_span_init(s, spanclass, npages, nelems);
	return s;
}

/**
 * gospan_mheap_alloc() - allocate a span
 * @h: heap
 * @spanclass: what its objects are; %GOSPAN_SPANCLASS_LARGE for one object
 * @npages: its length in pages, at most a chunk
 * @align_npages: its alignment in pages, a power of two
 * @gfp: how the heap may grow
 *
 * Context: Any but NMI; sleeps if @gfp allows it. Takes the heap's lock. On
 * PREEMPT_RT a caller that cannot be preempted gets nothing: there the
 * kernel's allocators may not be called.
 * Return: the span, all slots free, on no list; or %NULL when memory ran out.
 */
struct gospan_span *gospan_mheap_alloc(struct gospan_mheap *h, unsigned int spanclass,
				       unsigned int npages, unsigned int align_npages, gfp_t gfp)
{
	struct gospan_span *s;

	if (!heap_may_grow())
		return NULL;
	gfp &= ~GFP_OF_OBJECT;
	for (;;) {
		s = span_create(spanclass, npages, gfp & ~__GFP_NOFAIL);
		if (s && heap_try_alloc(h, s, align_npages, gfp))
			return s;
		kfree(s);
		if (likely(!(gfp & __GFP_NOFAIL)) || !gfpflags_allow_blocking(gfp) ||
		    READ_ONCE(h->broken))
			return NULL;
		memalloc_retry_wait(gfp);
	}
}

static void heap_remove_span(struct gospan_mheap *h, struct gospan_span *s)
{
	struct gospan_chunk *chunk = gospan_arena_chunk_of(&h->arenas, s->base);

	lockdep_assert_held(&h->lock);
	/* Freed twice, or overwritten. */
	if (GOSPAN_WARN_ON(h, chunk->span[gospan_addr_page_idx(s->base)] != s))
		return;
	/* First: a racing lookup must not find a span whose pages are free. */
	gospan_arena_retract_span(chunk, s);
	gospan_pallocbits_free(&chunk->pages, gospan_addr_page_idx(s->base), s->npages);
	chunk->nr_free += s->npages;
	chunk->max_run = GOSPAN_CHUNK_NPAGES;
	h->inuse_pages -= s->npages;
	h->span_bytes -= gospan_span_bytes(s->nelems);
}

/**
 * gospan_mheap_free() - free a span and its pages
 * @h: heap that it came from
 * @s: span that nobody uses any more
 *
 * Context: Any but NMI. Takes the heap's lock.
 */
void gospan_mheap_free(struct gospan_mheap *h, struct gospan_span *s)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	heap_remove_span(h, s);
	raw_spin_unlock_irqrestore(&h->lock, flags);
	/* A lockless lookup by a wild pointer may still read it; also, fine on RT anywhere. */
	kfree_rcu(s, rcu);
}

/* Free all spans of a list. */
void gospan_mheap_free_list(struct gospan_mheap *h, struct list_head *spans)
{
	struct gospan_span *s, *next;

	list_for_each_entry_safe(s, next, spans, list)
		gospan_mheap_free(h, s);
	INIT_LIST_HEAD(spans);
}

/**
 * gospan_mheap_free_large() - free a large object
 * @h: heap
 * @p: what the caller claims to be one
 *
 * Context: Any but NMI. Takes the heap's lock.
 * Return: a verdict; of two racing frees of the same object one is FOREIGN.
 */
enum gospan_verdict gospan_mheap_free_large(struct gospan_mheap *h, const void *p)
{
	enum gospan_verdict verdict = GOSPAN_FREE_OK;
	struct gospan_span *s;
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	s = gospan_mheap_span_of(h, p);
	if (!s || s->spanclass != GOSPAN_SPANCLASS_LARGE) {
		verdict = GOSPAN_FREE_FOREIGN;
	} else if (s->base != (unsigned long)p) {
		verdict = GOSPAN_FREE_INTERIOR;
	} else {
		heap_remove_span(h, s);
		h->large_frees++;
		h->large_free_pages += s->npages;
	}
	raw_spin_unlock_irqrestore(&h->lock, flags);
	if (verdict == GOSPAN_FREE_OK)
		kfree_rcu(s, rcu);
	return verdict;
}

/* Return the free pages of @chunk to the kernel. */
static void chunk_release(struct gospan_mheap *h, struct gospan_chunk *chunk)
{
	unsigned int page_idx, i;

	for_each_clear_bit(page_idx, chunk->pages.taken, GOSPAN_CHUNK_NPAGES) {
		struct page *page = virt_to_page((void *)gospan_chunk_page_addr(chunk, page_idx));

		for (i = 0; i < 1U << GOSPAN_PAGE_ORDER; i++)
			h->source->free(page + i);
		h->released_pages++;
	}
}

/* Free the descriptors of spans that still hold live objects. */
static void chunk_drop_spans(struct gospan_chunk *chunk)
{
	struct gospan_span *s = NULL;
	unsigned int i;

	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++) {
		if (chunk->span[i] == s)
			continue;
		s = chunk->span[i];
		kfree(s);
	}
}

/**
 * gospan_mheap_destroy() - give everything back
 * @h: heap that nobody uses any more
 *
 * Pages of spans that still hold objects are leaked: their users may not know
 * that the heap has gone.
 *
 * Context: Task.
 */
void gospan_mheap_destroy(struct gospan_mheap *h)
{
	struct gospan_chunk *chunk;

	list_for_each_entry(chunk, &h->chunks, list) {
		chunk_release(h, chunk);
		chunk_drop_spans(chunk);
		cond_resched();
	}
	INIT_LIST_HEAD(&h->chunks);
	gospan_arena_destroy(&h->arenas);
}
