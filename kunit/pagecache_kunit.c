// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the page cache: its word by itself, then what a heap makes of it.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/topology.h>
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"
#include "source.h"

#define BASE	4096UL
#define ALL	(~0ULL)
#define NONE	GOSPAN_NO_PAGE

/* What is free in the window; what is asked for, and had of it: counted from its base. */
struct cache_alloc {
	u64 pages;
	unsigned int npages, align_npages;
	unsigned long first;
};

static const struct cache_alloc cache_allocs[] = {
	{ 0, 1, 1, NONE },
	{ 0, 16, 1, NONE },
	{ ALL, 1, 1, 0 },
	{ ALL, 16, 16, 0 },
	{ 1, 1, 1, 0 },
	{ 1, 2, 1, NONE },
	{ 1ULL << 63, 1, 1, 63 },
	{ 1ULL << 63, 2, 1, NONE },
	{ 3ULL << 62, 2, 2, 62 },
	{ 0xffffULL << 48, 16, 16, 48 },
	{ 0xffffULL << 48, 16, 1, 48 },
	{ 0x7fffULL << 49, 16, 1, NONE },
	{ 0xffffULL << 47, 16, 1, 47 },
	{ 0xffffULL << 47, 16, 16, NONE },
	/* The lowest that is long enough. */
	{ 0x3b1b, 2, 1, 0 },
	{ 0x3b1a, 2, 1, 3 },
	{ 0x3b1a, 3, 1, 11 },
	{ 0x3b1a, 4, 1, NONE },
	/* Those that lie badly are left. */
	{ 0x6, 2, 2, NONE },
	{ 0x66, 2, 2, NONE },
	{ 0xe6, 2, 2, 6 },
	{ 0xff0, 8, 8, NONE },
	{ 0xfff0, 8, 8, 8 },
	{ 0xfff0, 5, 4, 4 },
	{ 0x1, 1, 16, 0 },
	/* A single page used to be had wherever it lay. */
	{ 0x2, 1, 2, NONE },
	{ 0x26, 1, 4, NONE },
	{ 0x136, 1, 4, 4 },
};

static void cache_alloc_lowest_aligned(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cache_allocs); i++) {
		const struct cache_alloc *a = &cache_allocs[i];
		struct gospan_pagecache pc = { .base = BASE, .pages = a->pages };
		unsigned long page = gospan_pagecache_alloc(&pc, a->npages, a->align_npages);
		u64 left = a->pages;

		if (a->first == NONE) {
			KUNIT_EXPECT_EQ_MSG(test, page, NONE, "row %u", i);
		} else {
			KUNIT_EXPECT_EQ_MSG(test, page, BASE + a->first, "row %u", i);
			left &= ~gospan_word_mask(a->first, a->npages);
		}
		KUNIT_EXPECT_EQ_MSG(test, pc.pages, left, "row %u", i);
		KUNIT_EXPECT_EQ(test, pc.base, BASE);
	}
}

/* What is free already; what is freed; and what is free then, if the cache takes it. */
struct cache_free {
	u64 pages;
	unsigned long page;
	unsigned int npages;
	bool taken;
	u64 pages_then;
};

static const struct cache_free cache_frees[] = {
	{ 0, BASE, 16, true, 0xffff },
	{ 0x1, BASE + 1, 1, true, 0x3 },
	{ 0x1, BASE + 63, 1, true, 1 | 1ULL << 63 },
	{ 0x1, BASE + 48, 16, true, 1 | 0xffffULL << 48 },
	/* Over the window's end. */
	{ 0x1, BASE + 63, 2, false, 0x1 },
	{ 0, BASE + 50, 15, false, 0 },
	/* Next to the window. */
	{ 0x1, BASE + 64, 1, false, 0x1 },
	{ 0x1, BASE - 1, 1, false, 0x1 },
	{ 0, BASE + 64, 1, false, 0 },
	{ 0, BASE - 1, 2, false, 0 },
	{ 0, 0, 16, false, 0 },
};

static void cache_free_in_window(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cache_frees); i++) {
		const struct cache_free *f = &cache_frees[i];
		struct gospan_pagecache pc = { .base = BASE, .pages = f->pages };

		KUNIT_EXPECT_EQ_MSG(test, gospan_pagecache_free(&pc, f->page, f->npages),
				    f->taken, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, pc.base, BASE, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, pc.pages, f->pages_then, "row %u", i);
	}
}

/* What was freed elsewhere, one after the other, and whether the window moves there. */
struct cache_miss {
	u64 pages;
	unsigned long page;
	unsigned int npages;
	bool follows;
};

static const struct cache_miss cache_misses[] = {
	/* An empty one, at once. */
	{ 0, BASE + 64, 1, true },
	{ 0, BASE - 1, 1, true },
	/* Another, the second time in a row. */
	{ 0x1, BASE + 64, 1, false },
	{ 0x1, BASE + 127, 1, true },
	{ 0x1, BASE + 128, 16, false },
	{ 0x1, BASE - 64, 1, false },
	{ 0x1, BASE + 128, 16, false },
	{ 0x1, BASE + 143, 3, true },
	/* Never to a run that is in no window as a whole. */
	{ 0, BASE + 63, 2, false },
	{ 0x1, BASE + 63, 2, false },
	{ 0x1, BASE + 63, 2, false },
};

static void cache_follows_frees(struct kunit *test)
{
	struct gospan_pagecache pc = { .base = BASE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cache_misses); i++) {
		const struct cache_miss *m = &cache_misses[i];

		pc.pages = m->pages;
		KUNIT_EXPECT_EQ_MSG(test, gospan_pagecache_follows(&pc, m->page, m->npages),
				    m->follows, "row %u", i);
		KUNIT_EXPECT_EQ(test, pc.pages, m->pages);
	}
}

/* What is free, and whether any page of a run is. */
struct cache_has {
	u64 pages;
	unsigned long page;
	unsigned int npages;
	bool has;
};

static const struct cache_has cache_has_some[] = {
	{ 0, BASE, 64, false },
	{ ALL, BASE, 1, true },
	{ ALL, BASE + 63, 1, true },
	{ ALL, BASE + 64, 100, false },
	{ ALL, BASE - 100, 100, false },
	{ 1, BASE - 100, 101, true },
	{ 2, BASE - 100, 101, false },
	{ 1ULL << 63, BASE + 63, 1000, true },
	{ 1ULL << 62, BASE + 63, 1000, false },
	{ 1ULL << 31, BASE - 100, 1000, true },
	{ 0x30, BASE + 3, 1, false },
	{ 0x30, BASE + 3, 2, true },
	{ 0x30, BASE + 6, 58, false },
};

static void cache_has_pages_of_run(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cache_has_some); i++) {
		const struct cache_has *row = &cache_has_some[i];
		struct gospan_pagecache pc = { .base = BASE, .pages = row->pages };

		KUNIT_EXPECT_EQ_MSG(test, gospan_pagecache_has(&pc, row->page, row->npages),
				    row->has, "row %u", i);
	}
}

/* A heap with page caches, and the one of the CPU that the test stays on. */
struct cached_heap {
	struct gospan_mheap *h;
	struct gospan_pagecache *pc;
	struct gospan_node_heap *nh;
};

/*
 * A chunk, of which the cache has page 0 of its first 64 no more. The machine's
 * other nodes, if any, have no part in it.
 */
static struct cached_heap *heap_make(struct kunit *test)
{
	static const struct gospan_kunit_block whole_chunk[] = { { 0, 9 } };
	struct cached_heap *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct gospan_span *s;

	KUNIT_ASSERT_NOT_NULL(test, t);
	gospan_kunit_source_make(test, 1);
	gospan_kunit_source_give(whole_chunk, ARRAY_SIZE(whole_chunk));
	t->h = gospan_kunit_heap_make(test, true);
	s = gospan_kunit_take(t->h, 1, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 0);
	t->pc = per_cpu_ptr(t->h->pagecaches, raw_smp_processor_id());
	t->nh = t->h->node[numa_mem_id()];
	return t;
}

/* @npages of the pool's pages are in the cache, and @free_pages with the node. */
static void expect_pages(struct kunit *test, struct cached_heap *t, unsigned int npages,
			 unsigned int free_pages)
{
	unsigned int nr_cached = hweight64(t->pc->pages);

	KUNIT_EXPECT_EQ(test, nr_cached, npages);
	KUNIT_EXPECT_EQ(test, gospan_supply_usage(t->h, NUMA_NO_NODE).cached_pages, npages);
	KUNIT_EXPECT_EQ(test, t->nh->pages.free_pages, free_pages);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(t->h));
}

/* Take a span, which must be at @page of the pool. */
static struct gospan_span *heap_take(struct kunit *test, struct cached_heap *t,
				     unsigned int npages, unsigned int align_npages, int page)
{
	struct gospan_span *s = gospan_kunit_take(t->h, npages, align_npages);

	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), page);
	return s;
}

/* Free the span at @page of the pool. */
static void heap_give(struct kunit *test, struct cached_heap *t, unsigned int page)
{
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(t->h,
						      (void *)gospan_kunit_source_addr(page)),
			GOSPAN_FREE_OK);
}

/* Up to 16 pages come and go without the node. */
static void heap_alloc_from_cache(struct kunit *test)
{
	struct cached_heap *t = heap_make(test);

	expect_pages(test, t, 63, 448);
	heap_take(test, t, 3, 1, 1);
	heap_take(test, t, 16, 16, 16);
	heap_take(test, t, 16, 1, 32);
	expect_pages(test, t, 63 - 35, 448);
	heap_give(test, t, 16);
	expect_pages(test, t, 63 - 19, 448);
	heap_take(test, t, 2, 2, 4);
	heap_give(test, t, 1);
	heap_give(test, t, 4);
	heap_give(test, t, 32);
	heap_give(test, t, 0);
	expect_pages(test, t, 64, 448);
	KUNIT_EXPECT_EQ(test, t->pc->base, gospan_addr_page(gospan_kunit_source_addr(0)));
	gospan_kunit_heap_finish(test, t->h);
}

/* More than that, and what does not fit where the window is, comes from the node. */
static void heap_alloc_past_cache(struct kunit *test)
{
	struct cached_heap *t = heap_make(test);
	unsigned int i;

	heap_take(test, t, 17, 1, 64);
	expect_pages(test, t, 63, 448 - 17);
	heap_give(test, t, 64);
	expect_pages(test, t, 63, 448);
	/* Every second page of the window. */
	for (i = 1; i < 64; i++)
		heap_take(test, t, 1, 1, i);
	expect_pages(test, t, 0, 448);
	for (i = 0; i < 64; i += 2)
		heap_give(test, t, i);
	expect_pages(test, t, 32, 448);
	heap_take(test, t, 2, 1, 64);
	expect_pages(test, t, 32, 446);
	/* Far from the window it goes where it came from. */
	heap_give(test, t, 64);
	expect_pages(test, t, 32, 448);
	for (i = 1; i < 64; i += 2)
		heap_give(test, t, i);
	expect_pages(test, t, 64, 448);
	gospan_kunit_heap_finish(test, t->h);
}

/* The lowest run lies in two windows: it is taken alone, without a second search. */
static void heap_alloc_over_two_windows(struct kunit *test)
{
	struct cached_heap *t = heap_make(test);
	unsigned int i;

	for (i = 1; i < 56; i++)
		heap_take(test, t, 1, 1, i);
	heap_take(test, t, 16, 1, 64);
	expect_pages(test, t, 8, 448 - 16);
	heap_give(test, t, 64);
	/* The second time the cache makes way. */
	heap_take(test, t, 16, 1, 56);
	expect_pages(test, t, 0, 456 - 16);
	heap_give(test, t, 56);
	expect_pages(test, t, 0, 456);
	heap_take(test, t, 16, 1, 56);
	heap_take(test, t, 1, 1, 72);
	expect_pages(test, t, 55, 384);
	heap_give(test, t, 56);
	for (i = 0; i < 56; i++)
		heap_give(test, t, i);
	heap_give(test, t, 72);
	gospan_kunit_heap_finish(test, t->h);
}

/* An empty cache has the lowest free page, and the 64 around it, as far as they are free. */
static void heap_refills_cache_lowest_first(struct kunit *test)
{
	struct cached_heap *t = heap_make(test);
	unsigned int i;

	for (i = 1; i < 64; i++)
		heap_take(test, t, 1, 1, i);
	heap_take(test, t, 1, 1, 64);
	expect_pages(test, t, 63, 384);
	/* The window has moved on: it goes to the node. */
	heap_give(test, t, 7);
	expect_pages(test, t, 63, 385);
	for (i = 65; i < 128; i++)
		heap_take(test, t, 1, 1, i);
	expect_pages(test, t, 0, 385);
	/* All that is free of the first window. */
	heap_take(test, t, 1, 1, 7);
	expect_pages(test, t, 0, 384);
	for (i = 0; i < 128; i++)
		heap_give(test, t, i);
	gospan_kunit_heap_finish(test, t->h);
}

/* The window moves to where it is freed: at once when empty, else at the second time. */
static void heap_moves_cache_to_frees(struct kunit *test)
{
	struct cached_heap *t = heap_make(test);
	unsigned int i;

	for (i = 1; i < 128; i++)
		heap_take(test, t, 1, 1, i);
	expect_pages(test, t, 0, 384);
	heap_give(test, t, 7);
	expect_pages(test, t, 1, 384);
	KUNIT_EXPECT_EQ(test, t->pc->base, gospan_addr_page(gospan_kunit_source_addr(0)));
	heap_give(test, t, 100);
	expect_pages(test, t, 1, 385);
	heap_give(test, t, 8);
	expect_pages(test, t, 2, 385);
	heap_give(test, t, 90);
	KUNIT_EXPECT_EQ(test, t->pc->base, gospan_addr_page(gospan_kunit_source_addr(64)));
	expect_pages(test, t, 1, 385 + 2);
	heap_give(test, t, 91);
	expect_pages(test, t, 2, 385 + 2);
	for (i = 0; i < 128; i++)
		if (i != 7 && i != 8 && i != 90 && i != 91 && i != 100)
			heap_give(test, t, i);
	gospan_kunit_heap_finish(test, t->h);
}

static void heap_flush_cpu(struct kunit *test)
{
	struct cached_heap *t = heap_make(test);
	unsigned int cpu = raw_smp_processor_id();
	unsigned long flags;

	/* As an interrupt that comes while the cache is in use: nothing happens. */
	t->pc->busy = true;
	local_irq_save(flags);
	gospan_mheap_flush_cpu(t->h, cpu);
	local_irq_restore(flags);
	t->pc->busy = false;
	expect_pages(test, t, 63, 448);
	local_irq_save(flags);
	gospan_mheap_flush_cpu(t->h, cpu);
	gospan_mheap_flush_cpu(t->h, cpu);
	local_irq_restore(flags);
	expect_pages(test, t, 0, 511);
	/* Whole again: one run, and one chunk to give back. */
	heap_give(test, t, 0);
	local_irq_save(flags);
	gospan_mheap_flush_cpu(t->h, cpu);
	local_irq_restore(flags);
	expect_pages(test, t, 0, 512);
	heap_take(test, t, 512, 1, 0);
	heap_give(test, t, 0);
	KUNIT_EXPECT_EQ(test, gospan_supply_release(t->h, t->nh->node, 512), 512);
	expect_pages(test, t, 0, 0);
	gospan_kunit_heap_finish(test, t->h);
}

/* What an interrupt finds: it uses the node's pages, and leaves the claim as it was. */
static void heap_alloc_while_claimed(struct kunit *test)
{
	struct cached_heap *t = heap_make(test);
	struct gospan_span *s;
	u64 pages = t->pc->pages;

	t->pc->busy = true;
	KUNIT_EXPECT_NULL(test, gospan_pagecache_claim(t->h->pagecaches));
	s = gospan_kunit_take(t->h, 1, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_page_of(s), 64);
	KUNIT_EXPECT_TRUE(test, t->pc->busy);
	KUNIT_EXPECT_EQ(test, t->pc->pages, pages);
	KUNIT_EXPECT_EQ(test, t->nh->pages.free_pages, 447);
	heap_give(test, t, 0);
	KUNIT_EXPECT_EQ(test, t->pc->pages, pages);
	KUNIT_EXPECT_EQ(test, t->nh->pages.free_pages, 448);
	t->pc->busy = false;
	expect_pages(test, t, 63, 448);
	heap_give(test, t, 64);
	gospan_kunit_heap_finish(test, t->h);
}

/* What is in a cache is in use for whoever gives pages back. */
static void heap_release_leaves_cache(struct kunit *test)
{
	struct cached_heap *t = heap_make(test);

	KUNIT_EXPECT_EQ(test, gospan_supply_release(t->h, t->nh->node, 512), 448);
	KUNIT_EXPECT_EQ(test, gospan_supply_release(t->h, t->nh->node, 512), 0);
	expect_pages(test, t, 63, 0);
	heap_take(test, t, 16, 1, 1);
	heap_give(test, t, 1);
	heap_give(test, t, 0);
	expect_pages(test, t, 64, 0);
	gospan_kunit_heap_finish(test, t->h);
}

/* Make the span at @page longer by @more pages, if @ok, or not. */
static void heap_extend(struct kunit *test, struct cached_heap *t, struct gospan_span *s,
			unsigned int more, bool ok)
{
	unsigned int npages = s->npages;

	KUNIT_EXPECT_EQ(test, gospan_mheap_extend_large(t->h, s, npages + more, false), ok);
	KUNIT_EXPECT_EQ(test, s->npages, npages + (ok ? more : 0));
}

/* What lies in the cache is free for a span that grows; it used to be moved instead. */
static void heap_extend_over_cache(struct kunit *test)
{
	struct cached_heap *t = heap_make(test);
	struct gospan_span *s = heap_take(test, t, 5, 1, 1), *behind;

	/* As an interrupt that comes while the cache is in use. */
	t->pc->busy = true;
	heap_extend(test, t, s, 1, false);
	t->pc->busy = false;
	expect_pages(test, t, 58, 448);
	heap_extend(test, t, s, 1, true);
	expect_pages(test, t, 0, 505);
	/* The cache has all of the window but pages 0 to 7, and the node has what is behind. */
	behind = heap_take(test, t, 1, 1, 7);
	expect_pages(test, t, 56, 448);
	heap_extend(test, t, s, 1, false);
	expect_pages(test, t, 56, 448);
	heap_extend(test, t, behind, 100, true);
	expect_pages(test, t, 0, 504 - 100);
	gospan_kunit_give(t->h, behind);
	gospan_kunit_give(t->h, s);
	heap_give(test, t, 0);
	gospan_kunit_heap_finish(test, t->h);
}

static struct kunit_case pagecache_cases[] = {
	KUNIT_CASE(cache_alloc_lowest_aligned),
	KUNIT_CASE(cache_free_in_window),
	KUNIT_CASE(cache_follows_frees),
	KUNIT_CASE(cache_has_pages_of_run),
	KUNIT_CASE(heap_alloc_from_cache),
	KUNIT_CASE(heap_alloc_past_cache),
	KUNIT_CASE(heap_alloc_over_two_windows),
	KUNIT_CASE(heap_refills_cache_lowest_first),
	KUNIT_CASE(heap_moves_cache_to_frees),
	KUNIT_CASE(heap_flush_cpu),
	KUNIT_CASE(heap_alloc_while_claimed),
	KUNIT_CASE(heap_release_leaves_cache),
	KUNIT_CASE(heap_extend_over_cache),
	{}
};

static struct kunit_suite pagecache_suite = {
	.name = "gospan_pagecache",
	.test_cases = pagecache_cases,
};

kunit_test_suite(pagecache_suite);
