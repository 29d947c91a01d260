// SPDX-License-Identifier: GPL-2.0-only
/*
 * Supply: pages from the kernel to the page heap, and back.
 *
 * A node grows by a block from the page source; the chunks that it lies in, and
 * all that manages them, come about with it. Free pages go back chunk by chunk:
 * whole ones first, then single pages of those in use. A chunk whose last page
 * has gone goes, too.
 *
 * Any context but NMI. The kernel's allocators are called without a lock, to
 * allocate and to free. What is needed under a lock is allocated before it is
 * taken; if it turns out not to fit, because another CPU was faster, all is
 * done again.
 *
 * Go's heap maps what it reserved, and forgets only how much of it is backed by
 * memory; here there is nothing to come back to.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "supply.h"

/* Pages that a grow gives back at most, to stay within the limit: whole chunks count as one. */
#define ROOM_NPAGES	(2UL * GOSPAN_CHUNK_NPAGES)

/* The heap of a node, made at its first use. NULL: no memory. */
struct gospan_node_heap *gospan_supply_node(struct gospan_mheap *h, int node, gfp_t gfp)
{
	struct gospan_node_heap *nh = READ_ONCE(h->node[node]), *other;

	if (nh)
		return nh;
	nh = kzalloc_node(sizeof(*nh), gfp, node);
	if (!nh)
		return NULL;
	raw_spin_lock_init(&nh->lock);
	nh->node = node;
	gospan_backoff_init(&nh->backoff);
	/* A full barrier: who finds it finds it whole. */
	other = cmpxchg(&h->node[node], NULL, nh);
	if (!other)
		return nh;
	kfree(nh);
	return other;
}

/* What adding a block may need; made ready without a lock. */
struct block_spare {
	struct gospan_arena_spare arena;
	struct gospan_summary *summaries;	/* by below[0] */
};

static void spare_discard(struct block_spare *spare)
{
	struct gospan_summary *summary;

	gospan_arena_discard(&spare->arena);
	while (spare->summaries) {
		summary = spare->summaries;
		spare->summaries = summary->below[0];
		kfree(summary);
	}
}

static int spare_prepare(struct gospan_mheap *h, struct gospan_node_heap *home,
			 unsigned long addr, unsigned int npages, gfp_t gfp,
			 struct block_spare *spare)
{
	unsigned long flags;
	unsigned int nr;

	spare->summaries = NULL;
	if (gospan_arena_prepare(&h->arenas, addr, npages, gfp, &spare->arena))
		return -ENOMEM;
	raw_spin_lock_irqsave(&home->lock, flags);
	nr = gospan_pagealloc_nr_missing(&home->pages,
					 gospan_addr_page(addr) / GOSPAN_CHUNK_NPAGES);
	raw_spin_unlock_irqrestore(&home->lock, flags);
	for (; nr; nr--) {
		struct gospan_summary *summary = kzalloc(sizeof(*summary), gfp);

		if (!summary) {
			spare_discard(spare);
			return -ENOMEM;
		}
		summary->below[0] = spare->summaries;
		spare->summaries = summary;
	}
	return 0;
}

/* Make a block in one chunk part of @home; false if that is not its home, or things changed. */
static bool node_add(struct gospan_mheap *h, struct gospan_node_heap *home, unsigned long addr,
		     unsigned int npages, bool zeroed, struct block_spare *spare)
{
	unsigned long page = gospan_addr_page(addr);
	struct gospan_chunk *chunk;
	unsigned int i;

	lockdep_assert_held(&home->lock);
	chunk = gospan_arena_add(&h->arenas, addr, npages, home, &spare->arena);
	if (!chunk)
		return false;
	if (chunk->nr_owned == npages)
		gospan_pagealloc_insert(&home->pages, page / GOSPAN_CHUNK_NPAGES, &chunk->pages,
					&spare->summaries);
	for (i = 0; zeroed && i < npages; i++)
		set_bit(page % GOSPAN_CHUNK_NPAGES + i, chunk->zeroed);
	if (zeroed)
		WRITE_ONCE(h->has_zeroed, true);
	gospan_pagealloc_free(&home->pages, page, npages);
	home->obtained_pages += npages;
	return true;
}

/* Add a block in one chunk to the heap. Returns where it is now; NULL: no memory. */
static struct gospan_node_heap *heap_add(struct gospan_mheap *h, unsigned long addr,
					 unsigned int npages, bool zeroed, gfp_t gfp)
{
	struct gospan_node_heap *home;
	struct gospan_chunk *chunk;
	struct block_spare spare;
	unsigned long flags;
	bool added;

	do {
		rcu_read_lock();
		chunk = gospan_arena_chunk_of(&h->arenas, addr);
		home = chunk->home;
		rcu_read_unlock();
		if (!home)
			home = gospan_supply_node(h, page_to_nid(virt_to_page((void *)addr)), gfp);
		if (!home || spare_prepare(h, home, addr, npages, gfp, &spare))
			return NULL;
		raw_spin_lock_irqsave(&home->lock, flags);
		added = node_add(h, home, addr, npages, zeroed, &spare);
		raw_spin_unlock_irqrestore(&home->lock, flags);
		spare_discard(&spare);
	} while (!added);
	return home;
}

/*
 * Add a block from the kernel, chunk by chunk: blocks are aligned in physical
 * memory, chunks in the direct map, which is nearly always the same. Where
 * memory for what manages it runs out, the rest goes back.
 */
static struct gospan_node_heap *heap_add_block(struct gospan_mheap *h, struct page *page,
					       unsigned int order, gfp_t gfp)
{
	unsigned long addr = (unsigned long)page_address(page);
	unsigned int npages = 1U << (order - GOSPAN_PAGE_ORDER), n;
	struct gospan_node_heap *home = NULL, *added;
	bool zeroed = h->source->zeroes(gfp);

	for (; npages; npages -= n, addr += (unsigned long)n << GOSPAN_PAGE_SHIFT) {
		n = gospan_npages_in_chunk(gospan_addr_page(addr), npages);
		added = heap_add(h, addr, n, zeroed, gfp);
		if (!added) {
			gospan_pagesource_put(h->source, virt_to_page((void *)addr),
					      (unsigned long)npages << GOSPAN_PAGE_ORDER);
			break;
		}
		home = added;
	}
	return home;
}

/*
 * Give back free pages, of the node first, so that a block of 2^@order kernel
 * pages stays within the limit; not more at a time than ROOM_NPAGES or so, since
 * the caller may be an interrupt. The rest is the scavenger's.
 */
static void heap_make_room(struct gospan_mheap *h, int node, unsigned int order,
			   unsigned long limit)
{
	unsigned long held = gospan_supply_held_pages(h) + BIT(order - GOSPAN_PAGE_ORDER);
	unsigned long excess = held - min(held, limit), left = min(excess, ROOM_NPAGES);
	unsigned int npages, nodes = 0;

	while (left && nodes < nr_node_ids) {
		npages = gospan_supply_release(h, (node + nodes) % nr_node_ids,
					       min_t(unsigned long, left, GOSPAN_CHUNK_NPAGES));
		left -= min_t(unsigned long, left, npages);
		nodes += !npages;
	}
}

/* The largest order, not below @min_order, that stays within the limit. */
static unsigned int heap_limit_order(const struct gospan_mheap *h, unsigned int order,
				     unsigned int min_order, unsigned long limit)
{
	unsigned long held = gospan_supply_held_pages(h);

	while (order > min_order && held + BIT(order - GOSPAN_PAGE_ORDER) > limit)
		order--;
	return order;
}

/*
 * Get a block that holds an aligned run. Returns the node that has it now,
 * which need not be @node, or NULL; @block is set to the block's first page.
 */
struct gospan_node_heap *gospan_supply_grow(struct gospan_mheap *h, int node, unsigned int npages,
					    unsigned int align_npages, gfp_t gfp,
					    unsigned long *block)
{
	unsigned int min_order = GOSPAN_PAGE_ORDER + order_base_2(max(npages, align_npages));
	struct gospan_node_heap *nh;
	unsigned int asked, order;
	void (*grown)(void);
	struct page *page;
	unsigned long limit, flags;

	if (min_order > MAX_PAGE_ORDER)
		return NULL;
	gfp &= ~__GFP_NOFAIL;
	nh = gospan_supply_node(h, node, gfp & ~__GFP_THISNODE);
	if (!nh)
		return NULL;
	raw_spin_lock_irqsave(&nh->lock, flags);
	asked = gospan_backoff_begin(&nh->backoff, min_order);
	raw_spin_unlock_irqrestore(&nh->lock, flags);
	limit = READ_ONCE(h->limit_pages);
	if (unlikely(limit)) {
		asked = heap_limit_order(h, asked, min_order, limit);
		heap_make_room(h, node, asked, limit);
	}
	order = asked;
	page = gospan_pagesource_get(h->source, node, gfp, min_order, &order);
	raw_spin_lock_irqsave(&nh->lock, flags);
	gospan_backoff_end(&nh->backoff, asked, order, page);
	nh->nr_grows += !!page;
	raw_spin_unlock_irqrestore(&nh->lock, flags);
	if (!page)
		return NULL;
	*block = gospan_addr_page((unsigned long)page_address(page));
	/* What manages them may be anywhere. */
	nh = heap_add_block(h, page, order, gfp & ~__GFP_THISNODE);
	grown = READ_ONCE(h->grown);
	if (nh && grown)
		grown();
	return nh;
}

/* Forget what was left with pages that go. */
static void chunk_forget_pages(struct gospan_mheap *h, struct gospan_chunk *chunk,
			       const u64 *pages)
{
	unsigned int i;

	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++) {
		struct gospan_span **entry;

		if (!(pages[i / 64] >> (i % 64) & 1))
			continue;
		entry = gospan_chunk_span(chunk, i);
		if (*entry)
			gospan_mheap_drop_descriptor(h, *entry);
		WRITE_ONCE(*entry, NULL);
		if (test_bit(i, chunk->zeroed))
			clear_bit(i, chunk->zeroed);
	}
}

static void chunk_give_back(struct gospan_mheap *h, unsigned long base, const u64 *pages)
{
	unsigned int i;

	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++, base += GOSPAN_PAGE_SIZE)
		if (pages[i / 64] >> (i % 64) & 1)
			gospan_pagesource_put(h->source, virt_to_page((void *)base),
					      BIT(GOSPAN_PAGE_ORDER));
}

/**
 * gospan_supply_release() - give free pages of one chunk back to the kernel
 * @h: heap
 * @node: whose pages
 * @max_npages: how many at most, unless a whole chunk is free
 *
 * Whole chunks go first, then pages of chunks in use; the highest first, since
 * the lowest are used first.
 *
 * Context: Any but NMI. Takes the node's lock, but frees without it.
 * Return: how many pages; 0: none is free.
 */
unsigned int gospan_supply_release(struct gospan_mheap *h, int node, unsigned int max_npages)
{
	struct gospan_node_heap *nh = READ_ONCE(h->node[node]);
	unsigned long chunk_idx, base, flags;
	u64 pages[GOSPAN_CHUNK_NWORDS];
	struct gospan_pallocbits *b;
	struct gospan_chunk *chunk;
	unsigned int npages;

	if (!nh)
		return 0;
	raw_spin_lock_irqsave(&nh->lock, flags);
	b = gospan_pagealloc_last_chunk(&nh->pages, GOSPAN_CHUNK_NPAGES, ULONG_MAX, &chunk_idx);
	if (b)
		max_npages = GOSPAN_CHUNK_NPAGES;
	else
		b = gospan_pagealloc_last_chunk(&nh->pages, 1, ULONG_MAX, &chunk_idx);
	npages = b ? gospan_pagealloc_take_free(&nh->pages, chunk_idx, max_npages, pages) : 0;
	raw_spin_unlock_irqrestore(&nh->lock, flags);
	if (!npages)
		return 0;
	/* Its pages keep it; these are ours alone. */
	chunk = container_of(b, struct gospan_chunk, pages);
	base = chunk->base;
	chunk_forget_pages(h, chunk, pages);
	raw_spin_lock_irqsave(&nh->lock, flags);
	if (chunk->nr_owned == npages)
		gospan_pagealloc_remove(&nh->pages, chunk_idx);
	gospan_arena_disown(&h->arenas, chunk, pages);
	nh->released_pages += npages;
	raw_spin_unlock_irqrestore(&nh->lock, flags);
	chunk_give_back(h, base, pages);
	return npages;
}

/* Pages obtained from the kernel and not given back. */
unsigned long gospan_supply_held_pages(const struct gospan_mheap *h)
{
	unsigned long held = 0;
	unsigned int node;

	for (node = 0; node < nr_node_ids; node++) {
		const struct gospan_node_heap *nh = READ_ONCE(h->node[node]);

		if (!nh)
			continue;
		/* Each is right at some moment; it need not be the same. */
		held += data_race(nh->obtained_pages) - data_race(nh->released_pages);
	}
	return held;
}

/* Pages of the node in page caches. */
static unsigned long node_cached_pages(struct gospan_mheap *h, const struct gospan_node_heap *nh)
{
	unsigned long npages = 0;
	unsigned int cpu;

	if (!h->pagecaches)
		return 0;
	rcu_read_lock();
	for_each_possible_cpu(cpu) {
		const struct gospan_pagecache *pc = per_cpu_ptr(h->pagecaches, cpu);
		/* Their owners go on meanwhile. */
		unsigned long base = data_race(pc->base);
		/* The same. */
		u64 pages = data_race(pc->pages);

		if (gospan_mheap_chunk(h, base)->home == nh)
			npages += hweight64(pages);
	}
	rcu_read_unlock();
	return npages;
}

static void node_usage(struct gospan_mheap *h, struct gospan_node_heap *nh,
		       struct gospan_supply_usage *usage)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&nh->lock, flags);
	usage->obtained_pages += nh->obtained_pages;
	usage->released_pages += nh->released_pages;
	usage->free_pages += nh->pages.free_pages;
	usage->nr_chunks += nh->pages.nr_chunks;
	usage->nr_grows += nh->nr_grows;
	usage->nr_refused += nh->backoff.nr_refused;
	usage->nr_held += nh->backoff.nr_held;
	usage->sys_bytes += sizeof(*nh) + nh->pages.nr_summaries * sizeof(struct gospan_summary);
	raw_spin_unlock_irqrestore(&nh->lock, flags);
	usage->cached_pages += node_cached_pages(h, nh);
}

/**
 * gospan_supply_usage() - what a heap holds
 * @h: heap
 * @node: of which node; %NUMA_NO_NODE: of all
 *
 * Context: Any but NMI. Takes nodes' locks, one after the other.
 * Return: sums, exact when nothing is allocated or freed.
 */
struct gospan_supply_usage gospan_supply_usage(struct gospan_mheap *h, int node)
{
	struct gospan_supply_usage usage = {};
	int i;

	for (i = 0; i < nr_node_ids; i++) {
		struct gospan_node_heap *nh = READ_ONCE(h->node[i]);

		if (nh && (node == NUMA_NO_NODE || node == i))
			node_usage(h, nh, &usage);
	}
	return usage;
}
