// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the supply of pages: what a heap obtains and where it puts it, what
 * it gives back and in which order, and what it costs to manage.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/topology.h>
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"
#include "source.h"

#define JUNK	0xa5

static struct gospan_supply_usage heap_usage(struct gospan_mheap *h)
{
	return gospan_supply_usage(h, NUMA_NO_NODE);
}

/* The node of the pool's page @page, which need not be that of this CPU. */
static int pool_node(unsigned int page)
{
	return page_to_nid(virt_to_page((void *)gospan_kunit_source_addr(page)));
}

static struct gospan_chunk *pool_chunk(struct gospan_mheap *h, unsigned int page)
{
	return gospan_arena_chunk_of(&h->arenas, gospan_kunit_source_addr(page));
}

/* A heap with a pool of @nr_chunks, of which it gets any block that it asks for. */
static struct gospan_mheap *heap_make(struct kunit *test, unsigned int nr_chunks)
{
	gospan_kunit_source_make(test, nr_chunks);
	gospan_kunit_source.pick = gospan_kunit_pick_lowest;
	return gospan_kunit_heap_make(test, false);
}

/* All chunks of the pool, free but for a page in each of those in @used, a bit each. */
static struct gospan_mheap *heap_make_grown(struct kunit *test, unsigned int nr_chunks,
					    unsigned int used, struct gospan_span **spans)
{
	struct gospan_mheap *h = heap_make(test, nr_chunks);
	unsigned int i;

	for (i = 0; i < nr_chunks; i++) {
		spans[i] = gospan_kunit_take(h, 512, 512);
		KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(spans[i]), 512 * i);
	}
	for (i = nr_chunks; i--; ) {
		gospan_kunit_give(h, spans[i]);
		if (!(used & BIT(i)))
			continue;
		/* Below it nothing is free yet. */
		spans[i] = gospan_kunit_take(h, 1, 1);
		KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(spans[i]), 512 * i);
	}
	KUNIT_ASSERT_TRUE(test, gospan_heap_validate(h));
	return h;
}

/* Are the pages [page, page + npages) of the pool back with the source? */
static bool pool_has(unsigned int page, unsigned int npages)
{
	unsigned long first = (unsigned long)page << GOSPAN_PAGE_ORDER;
	unsigned long limit = first + ((unsigned long)npages << GOSPAN_PAGE_ORDER);

	return find_next_bit(gospan_kunit_source.out, limit, first) >= limit;
}

/* Release up to @max_npages; @npages that start at @page are what should go. */
static void expect_release(struct kunit *test, struct gospan_mheap *h, unsigned int max_npages,
			   unsigned int page, unsigned int npages)
{
	unsigned long released_pages = heap_usage(h).released_pages;
	unsigned int nr_out = gospan_kunit_source_nr_out();

	KUNIT_EXPECT_FALSE(test, pool_has(page, npages));
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, pool_node(page), max_npages), npages);
	KUNIT_EXPECT_TRUE(test, pool_has(page, npages));
	KUNIT_EXPECT_EQ(test, nr_out - gospan_kunit_source_nr_out(), npages << GOSPAN_PAGE_ORDER);
	KUNIT_EXPECT_EQ(test, heap_usage(h).released_pages - released_pages, npages);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
}

static void release_whole_chunks_highest_first(struct kunit *test)
{
	struct gospan_span *s[3], *again;
	struct gospan_mheap *h = heap_make_grown(test, 3, 0, s);
	long sys_bytes = atomic_long_read(&h->arenas.sys_bytes);
	unsigned int i;

	for (i = 3; i--; ) {
		/* Whole, however few are asked for. */
		expect_release(test, h, 1, 512 * i, 512);
		KUNIT_EXPECT_PTR_EQ(test, pool_chunk(h, 512 * i), &gospan_chunk_none);
		KUNIT_EXPECT_PTR_EQ(test, pool_chunk(h, 512 * i + 511), &gospan_chunk_none);
		KUNIT_EXPECT_EQ(test, heap_usage(h).nr_chunks, i);
		KUNIT_EXPECT_EQ(test, sys_bytes - atomic_long_read(&h->arenas.sys_bytes),
				(3 - i) * (sizeof(struct gospan_chunk) +
					   GOSPAN_CHUNK_NSPANS * sizeof(struct gospan_spans)));
	}
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, pool_node(0), 512), 0);
	/* The same memory comes back. */
	again = gospan_kunit_take(h, 512, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(again), 0);
	KUNIT_EXPECT_EQ(test, pool_chunk(h, 0)->base, gospan_kunit_source_addr(0));
	KUNIT_EXPECT_PTR_EQ(test, gospan_arena_span_of(&h->arenas, gospan_kunit_start(again)),
			    again);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_give(h, again);
	gospan_kunit_heap_finish(test, h);
}

/* Where a span lives the rest goes, as much as was asked for; the highest first. */
static void release_pages_of_chunks_in_use(struct kunit *test)
{
	struct gospan_span *s[3];
	struct gospan_mheap *h = heap_make_grown(test, 3, BIT(0) | BIT(1), s);
	const struct gospan_chunk *chunk = pool_chunk(h, 512);

	memset(gospan_kunit_start(s[0]), JUNK, GOSPAN_PAGE_SIZE);
	memset(gospan_kunit_start(s[1]), JUNK, GOSPAN_PAGE_SIZE);
	expect_release(test, h, 5, 1024, 512);
	expect_release(test, h, 5, 1019, 5);
	expect_release(test, h, 70, 949, 70);
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 512 - 75);
	/* Tables for 64 pages each: of the last one nothing is left. */
	KUNIT_EXPECT_NULL(test, chunk->spans[7]);
	KUNIT_EXPECT_NOT_NULL(test, chunk->spans[6]);
	expect_release(test, h, 512, 513, 511 - 75);
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 1);
	KUNIT_EXPECT_NULL(test, chunk->spans[1]);
	KUNIT_EXPECT_NOT_NULL(test, chunk->spans[0]);
	expect_release(test, h, 511, 1, 511);
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, pool_node(0), 512), 0);
	KUNIT_EXPECT_EQ(test, gospan_supply_held_pages(h), 2);
	/* What lives is as it was. */
	KUNIT_EXPECT_NULL(test, memchr_inv(gospan_kunit_start(s[0]), JUNK, GOSPAN_PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(gospan_kunit_start(s[1]), JUNK, GOSPAN_PAGE_SIZE));
	KUNIT_EXPECT_PTR_EQ(test, gospan_arena_span_of(&h->arenas, gospan_kunit_start(s[1])),
			    s[1]);
	/* The last page of a chunk takes it along. */
	gospan_kunit_give(h, s[1]);
	expect_release(test, h, 1, 512, 1);
	KUNIT_EXPECT_PTR_EQ(test, pool_chunk(h, 512), &gospan_chunk_none);
	KUNIT_EXPECT_EQ(test, heap_usage(h).nr_chunks, 1);
	gospan_kunit_give(h, s[0]);
	gospan_kunit_heap_finish(test, h);
}

/* One that is whole goes before others' single pages, though these lie higher. */
static void release_whole_chunk_below_others(struct kunit *test)
{
	struct gospan_span *s[3];
	struct gospan_mheap *h = heap_make_grown(test, 3, BIT(0) | BIT(2), s);

	expect_release(test, h, 1, 512, 512);
	expect_release(test, h, 1, 1535, 1);
	gospan_kunit_give(h, s[0]);
	expect_release(test, h, 1, 0, 512);
	expect_release(test, h, 600, 1025, 510);
	gospan_kunit_give(h, s[2]);
	gospan_kunit_heap_finish(test, h);
}

/* Pages that went and came back in pieces are one run again with those that stayed. */
static void release_and_grow_again(struct kunit *test)
{
	struct gospan_span *live[1], *s[7], *all;
	struct gospan_mheap *h = heap_make_grown(test, 1, BIT(0), live);
	unsigned int round, i;

	for (round = 0; round < 3; round++) {
		expect_release(test, h, 512 - 64, 64, 512 - 64);
		for (i = 0; i < ARRAY_SIZE(s); i++) {
			s[i] = gospan_kunit_take(h, 64, 64);
			KUNIT_ASSERT_NOT_NULL(test, s[i]);
			memset(gospan_kunit_start(s[i]), JUNK, gospan_kunit_bytes(s[i]));
		}
		KUNIT_EXPECT_EQ(test, gospan_supply_held_pages(h), 512);
		for (i = 0; i < ARRAY_SIZE(s); i++)
			gospan_kunit_give(h, s[i]);
		all = gospan_kunit_take(h, 511, 1);
		KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(all), 1);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
		gospan_kunit_give(h, all);
	}
	gospan_kunit_give(h, live[0]);
	gospan_kunit_heap_finish(test, h);
}

static void release_frees_descriptors(struct kunit *test)
{
	struct gospan_span *s[100], *live;
	struct gospan_mheap *h = heap_make(test, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s); i++)
		s[i] = gospan_kunit_take(h, 2, 1);
	live = gospan_kunit_take(h, 1, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(live), 200);
	for (i = 0; i < ARRAY_SIZE(s); i++)
		gospan_kunit_give(h, s[i]);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes),
			(ARRAY_SIZE(s) + 1) * gospan_span_sys_bytes(live));
	/* The 311 above, and 101 below. */
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, pool_node(0), 311 + 101), 311 + 101);
	/* Of pages 98 and 99, which stay, one has a descriptor. */
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes),
			(50 + 1) * gospan_span_sys_bytes(live));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, pool_node(0), 512), 99);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes), gospan_span_sys_bytes(live));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_give(h, live);
	gospan_kunit_heap_finish(test, h);
}

static void release_of_nothing(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, 1);
	struct gospan_span *s;

	/* No memory, and so no node. */
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, pool_node(0), 512), 0);
	s = gospan_kunit_take(h, 512, 1);
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, pool_node(0), 512), 0);
	gospan_kunit_give(h, s);
	gospan_kunit_heap_finish(test, h);
}

static void usage_sums(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, 2);
	struct gospan_supply_usage usage = heap_usage(h);
	struct gospan_span *s[2];

	KUNIT_EXPECT_NULL(test, memchr_inv(&usage, 0, sizeof(usage)));
	KUNIT_EXPECT_EQ(test, gospan_supply_held_pages(h), 0);
	s[0] = gospan_kunit_take(h, 10, 1);
	s[1] = gospan_kunit_take(h, 505, 1);
	KUNIT_ASSERT_NOT_NULL(test, s[1]);
	usage = gospan_supply_usage(h, pool_node(0));
	KUNIT_EXPECT_EQ(test, usage.obtained_pages, 1024);
	KUNIT_EXPECT_EQ(test, usage.free_pages, 1024 - 515);
	KUNIT_EXPECT_EQ(test, usage.cached_pages, 0);
	KUNIT_EXPECT_EQ(test, usage.nr_chunks, 2);
	KUNIT_EXPECT_EQ(test, usage.nr_grows, 2);
	KUNIT_EXPECT_GE(test, usage.sys_bytes, sizeof(struct gospan_node_heap) +
			sizeof(struct gospan_summary));
	gospan_kunit_give(h, s[1]);
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, pool_node(0), 512), 512);
	usage = heap_usage(h);
	KUNIT_EXPECT_EQ(test, usage.obtained_pages, 1024);
	KUNIT_EXPECT_EQ(test, usage.released_pages, 512);
	KUNIT_EXPECT_EQ(test, usage.free_pages, 502);
	KUNIT_EXPECT_EQ(test, gospan_supply_held_pages(h), 512);
	gospan_kunit_give(h, s[0]);
	gospan_kunit_heap_finish(test, h);
}

/* Whoever asks: memory belongs to the node that it is on, and serves from there. */
static void grow_memory_belongs_to_its_node(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, 1);
	struct gospan_node_heap *nh;
	int home = pool_node(0);
	unsigned long block;

	nh = gospan_supply_grow(h, home, 1, 1, GFP_KERNEL, &block);
	KUNIT_ASSERT_NOT_NULL(test, nh);
	KUNIT_EXPECT_EQ(test, nh->node, home);
	KUNIT_EXPECT_PTR_EQ(test, h->node[home], nh);
	KUNIT_EXPECT_PTR_EQ(test, pool_chunk(h, 0)->home, nh);
	KUNIT_EXPECT_EQ(test, nh->obtained_pages, 512);
	KUNIT_EXPECT_EQ(test, gospan_page_addr(block), gospan_kunit_source_addr(0));
	gospan_kunit_heap_finish(test, h);
}

static void grow_memory_of_another_node(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, 1);
	struct gospan_node_heap *nh;
	struct gospan_span *s;
	int home = pool_node(0), other;
	unsigned long block;

	for_each_online_node(other)
		if (other != home)
			break;
	if (other == MAX_NUMNODES)
		kunit_skip(test, "only one NUMA node");
	nh = gospan_supply_grow(h, other, 1, 1, GFP_KERNEL, &block);
	KUNIT_ASSERT_NOT_NULL(test, nh);
	KUNIT_EXPECT_EQ(test, nh->node, home);
	KUNIT_EXPECT_PTR_EQ(test, pool_chunk(h, 0)->home, nh);
	KUNIT_EXPECT_EQ(test, gospan_supply_usage(h, other).obtained_pages, 0);
	KUNIT_EXPECT_EQ(test, gospan_supply_usage(h, other).nr_grows, 1);
	KUNIT_EXPECT_EQ(test, gospan_supply_usage(h, home).obtained_pages, 512);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	/* The source has no more: it serves every node. */
	s = gospan_kunit_take(h, 512, 1);
	KUNIT_ASSERT_NOT_NULL(test, s);
	gospan_kunit_give(h, s);
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, other, 512), 0);
	KUNIT_EXPECT_EQ(test, gospan_supply_release(h, home, 512), 512);
	gospan_kunit_heap_finish(test, h);
}

/* A soft limit: blocks are smaller, free pages go back first, but no span is refused. */
static void grow_limited(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, 3);
	struct gospan_span *s[4];

	h->limit_pages = 100;
	s[0] = gospan_kunit_take(h, 1, 1);
	KUNIT_EXPECT_EQ(test, heap_usage(h).obtained_pages, 64);
	s[1] = gospan_kunit_take(h, 63, 1);
	KUNIT_EXPECT_EQ(test, heap_usage(h).obtained_pages, 64);
	s[2] = gospan_kunit_take(h, 1, 1);
	KUNIT_EXPECT_EQ(test, heap_usage(h).obtained_pages, 64 + 32);
	KUNIT_EXPECT_EQ(test, heap_usage(h).released_pages, 0);
	KUNIT_EXPECT_EQ(test, heap_usage(h).nr_refused, 0);
	/* 31 free ones go, and are still not enough. */
	s[3] = gospan_kunit_take(h, 128, 1);
	KUNIT_ASSERT_NOT_NULL(test, s[3]);
	KUNIT_EXPECT_EQ(test, heap_usage(h).obtained_pages, 64 + 32 + 128);
	KUNIT_EXPECT_EQ(test, heap_usage(h).released_pages, 31);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_give(h, s[3]);
	gospan_kunit_give(h, s[1]);
	/* Of 191 free ones as many as make room, the highest. */
	s[3] = gospan_kunit_take(h, 200, 256);
	KUNIT_ASSERT_NOT_NULL(test, s[3]);
	KUNIT_EXPECT_EQ(test, heap_usage(h).released_pages, 31 + 191);
	KUNIT_EXPECT_EQ(test, gospan_supply_held_pages(h), 2 + 256);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	h->limit_pages = 0;
	gospan_kunit_give(h, s[0]);
	gospan_kunit_give(h, s[2]);
	gospan_kunit_give(h, s[3]);
	gospan_kunit_heap_finish(test, h);
}

/* As much goes back as the block needs, and no more. */
static void grow_limited_releases_what_it_must(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, 3);
	struct gospan_span *s[3];

	s[0] = gospan_kunit_take(h, 300, 1);
	s[1] = gospan_kunit_take(h, 1, 1);
	gospan_kunit_give(h, s[0]);
	/* Free are 0..299 and 301..511; there is room for 88 more. */
	h->limit_pages = 600;
	s[2] = gospan_kunit_take(h, 301, 512);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[2]), 512);
	KUNIT_EXPECT_EQ(test, heap_usage(h).released_pages, 512 - 88);
	KUNIT_EXPECT_EQ(test, gospan_supply_held_pages(h), 600);
	s[0] = gospan_kunit_take(h, 87, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_page_of(s[0]), 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_give(h, s[0]);
	gospan_kunit_give(h, s[1]);
	gospan_kunit_give(h, s[2]);
	gospan_kunit_heap_finish(test, h);
}

/* Add a chunk to @p; its bits and its summaries go with the test. */
static void pages_insert(struct kunit *test, struct gospan_pagealloc *p, unsigned long chunk_idx)
{
	unsigned int nr = gospan_pagealloc_nr_missing(p, chunk_idx);
	struct gospan_summary *summary, *spare = NULL;
	struct gospan_pallocbits *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	gospan_pallocbits_take(b, 0, GOSPAN_CHUNK_NPAGES);
	for (; nr; nr--) {
		summary = kunit_kzalloc(test, sizeof(*summary), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, summary);
		summary->below[0] = spare;
		spare = summary;
	}
	gospan_pagealloc_insert(p, chunk_idx, b, &spare);
}

/*
 * What one CPU made ready for its chunk is enough after another CPU has added
 * one. It used to be too little when that was the heap's first, and far above.
 */
static void grow_summaries_when_raced(struct kunit *test)
{
	static const unsigned long idx[] = { 0, 5, 8, 63, 64, 511, 4096, 70000, 1UL << 30 };
	unsigned int first, own, other;

	/* 0, 63, 70000 or none is there already. */
	for (first = 0; first <= ARRAY_SIZE(idx); first += 3) {
		for (own = 0; own < ARRAY_SIZE(idx); own++) {
			for (other = 0; other < ARRAY_SIZE(idx); other++) {
				struct gospan_pagealloc p = {};
				unsigned int nr;

				if (own == first || other == first || own == other)
					continue;
				if (first < ARRAY_SIZE(idx))
					pages_insert(test, &p, idx[first]);
				nr = gospan_pagealloc_nr_missing(&p, idx[own]);
				pages_insert(test, &p, idx[other]);
				KUNIT_EXPECT_LE_MSG(test, gospan_pagealloc_nr_missing(&p, idx[own]),
						    nr, "chunk %lu after %lu", idx[own],
						    idx[other]);
			}
		}
	}
}

#define NR_BAD_CHUNKS	8

/* A block of 4 pages in each of the first chunks, then two of 2 pages. */
static const struct gospan_kunit_block behind_bad_runs[] = {
	{ 0, 2 }, { 512, 2 }, { 1024, 2 }, { 1536, 2 }, { 2048, 2 }, { 2560, 2 }, { 3072, 2 },
	{ 3584, 2 }, { 4096, 1 }, { 4104, 1 },
};

static_assert(ARRAY_SIZE(behind_bad_runs) == NR_BAD_CHUNKS + 2);

/*
 * An aligned search looks at a few runs that lie badly, then gives up. It used
 * to do so with a block in hand that was obtained for it, and to grow again and
 * again until memory ran out.
 */
static void grow_block_behind_bad_runs(struct kunit *test)
{
	struct gospan_span *s[NR_BAD_CHUNKS][4], *aligned[2];
	struct gospan_mheap *h;
	unsigned int i, j;

	gospan_kunit_source_borrow(test, NR_BAD_CHUNKS + 1);
	gospan_kunit_source_give(behind_bad_runs, ARRAY_SIZE(behind_bad_runs));
	h = gospan_kunit_heap_make(test, false);
	for (i = 0; i < NR_BAD_CHUNKS; i++) {
		for (j = 0; j < 4; j++) {
			s[i][j] = gospan_kunit_take(h, 1, 1);
			KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[i][j]), 512 * i + j);
		}
	}
	/* Pages 1 and 2 of each. */
	for (i = 0; i < NR_BAD_CHUNKS; i++) {
		gospan_kunit_give(h, s[i][1]);
		gospan_kunit_give(h, s[i][2]);
	}
	for (i = 0; i < 2; i++) {
		aligned[i] = gospan_kunit_take(h, 2, 2);
		KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(aligned[i]), 4096 + 8 * i);
		KUNIT_EXPECT_EQ(test, heap_usage(h).nr_grows, NR_BAD_CHUNKS + 1 + i);
	}
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	for (i = 0; i < NR_BAD_CHUNKS; i++) {
		gospan_kunit_give(h, s[i][0]);
		gospan_kunit_give(h, s[i][3]);
	}
	gospan_kunit_give(h, aligned[0]);
	gospan_kunit_give(h, aligned[1]);
	gospan_kunit_heap_finish(test, h);
}

/* Whatever a heap that grows cannot allocate: it has no more than before, and tries again. */
static void grow_without_memory_for_management(struct kunit *test)
{
	struct gospan_mheap *h;
	struct gospan_span *s;
	unsigned int nth, left, nr_failed = 0;

	if (!gospan_kunit_can_fail())
		kunit_skip(test, "no CONFIG_FAULT_INJECTION or no CONFIG_FAILSLAB");
	gospan_kunit_source_make(test, 2);
	gospan_kunit_source.pick = gospan_kunit_pick_lowest;
	for (nth = 1, left = 0; !left && nth < 100; nth++) {
		h = gospan_kunit_heap_make(test, false);
		gospan_kunit_fail_nth(nth);
		/* Where nodes are many, too, there is just one attempt. */
		s = gospan_kunit_take_gfp(h, 10, GFP_NOWAIT | __GFP_NOWARN | __GFP_THISNODE);
		left = gospan_kunit_fail_left();
		gospan_kunit_fail_nth(0);
		/* What failed may have had another way: a smaller slab. */
		KUNIT_EXPECT_TRUE_MSG(test, s || !left, "allocation %u", nth);
		nr_failed += !s;
		KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(h), s ? 10 : 0);
		KUNIT_EXPECT_EQ(test, gospan_supply_held_pages(h) << GOSPAN_PAGE_ORDER,
				gospan_kunit_source_nr_out());
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
		if (!s)
			s = gospan_kunit_take_gfp(h, 10, GFP_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, s);
		gospan_kunit_give(h, s);
		gospan_kunit_heap_finish(test, h);
	}
	/* Node, chunk, arena, map, tables, summaries, descriptor. */
	KUNIT_EXPECT_GE(test, nr_failed, 6 + GOSPAN_CHUNK_NSPANS);
	KUNIT_EXPECT_LT(test, nth, 100);
}

/* Blocks of 64 KiB that are had one after the other, each @stride_npages after the last. */
static struct {
	unsigned int log2;
	unsigned int stride_npages;
	unsigned int next;
} fragments;

static unsigned long pick_fragment(unsigned int log2)
{
	unsigned int page = fragments.next;

	if (log2 != fragments.log2 || page >= gospan_kunit_source.nr_chunks * GOSPAN_CHUNK_NPAGES)
		return GOSPAN_NO_PAGE;
	fragments.next += fragments.stride_npages;
	return page;
}

static size_t map_bytes(const struct gospan_mheap *h)
{
	const struct gospan_arena_map *map = gospan_arenas_map(&h->arenas);
	size_t bytes = 0;

	for (; map && map != &gospan_arena_map_none; map = map->smaller)
		bytes += struct_size(map, arena, map->nr_arenas);
	return bytes;
}

/* Of memory that comes in such pieces, the management takes no more than this, in 1/1000. */
struct overhead {
	const char *name;
	unsigned int log2, stride_npages;
	unsigned int max_permille;
};

static const struct overhead overheads[] = {
	{ "whole_chunks", 9, 512, 6 },
	{ "every_second_64k", 3, 16, 50 },
	{ "64k_in_each_512k", 3, 64, 50 },
	{ "64k_in_each_chunk", 3, 512, 50 },
};

static void overhead_name(const struct overhead *overhead, char *name)
{
	strscpy(name, overhead->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(overhead, overheads, overhead_name);

/*
 * Everything but descriptors, which go by spans, and the map, which goes by the
 * machine's memory. The heap's pages are borrowed: they are only counted.
 */
static void grow_overhead(struct kunit *test)
{
	const struct overhead *overhead = test->param_value;
	struct gospan_mheap *h;
	size_t sys_bytes, bytes;
	unsigned long block;

	gospan_kunit_source_borrow(test, GOSPAN_KUNIT_MAX_CHUNKS);
	gospan_kunit_source.pick = pick_fragment;
	fragments.log2 = overhead->log2;
	fragments.stride_npages = overhead->stride_npages;
	fragments.next = 0;
	h = gospan_kunit_heap_make(test, false);
	while (gospan_supply_grow(h, numa_mem_id(), 1, 1, GFP_KERNEL, &block))
		;
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	bytes = gospan_supply_held_pages(h) << GOSPAN_PAGE_SHIFT;
	KUNIT_ASSERT_EQ(test, bytes, gospan_kunit_source.nr_chunks *
			(512 / overhead->stride_npages) * (GOSPAN_PAGE_SIZE << overhead->log2));
	sys_bytes = heap_usage(h).sys_bytes + atomic_long_read(&h->arenas.sys_bytes) -
		    map_bytes(h);
	kunit_info(test, "%zu bytes for %zu KiB in %u chunks: %zu.%02zu %%", sys_bytes,
		   bytes / 1024, gospan_kunit_source.nr_chunks, sys_bytes * 100 / bytes,
		   sys_bytes * 10000 / bytes % 100);
	KUNIT_EXPECT_LE(test, sys_bytes * 1000, overhead->max_permille * bytes);
	gospan_kunit_heap_finish(test, h);
}

static struct kunit_case supply_cases[] = {
	KUNIT_CASE(release_whole_chunks_highest_first),
	KUNIT_CASE(release_pages_of_chunks_in_use),
	KUNIT_CASE(release_whole_chunk_below_others),
	KUNIT_CASE(release_and_grow_again),
	KUNIT_CASE(release_frees_descriptors),
	KUNIT_CASE(release_of_nothing),
	KUNIT_CASE(usage_sums),
	KUNIT_CASE(grow_memory_belongs_to_its_node),
	KUNIT_CASE(grow_memory_of_another_node),
	KUNIT_CASE(grow_limited),
	KUNIT_CASE(grow_limited_releases_what_it_must),
	KUNIT_CASE(grow_summaries_when_raced),
	KUNIT_CASE(grow_block_behind_bad_runs),
	KUNIT_CASE(grow_without_memory_for_management),
	KUNIT_CASE_PARAM(grow_overhead, overhead_gen_params),
	{}
};

static struct kunit_suite supply_suite = {
	.name = "gospan_supply",
	.test_cases = supply_cases,
};

kunit_test_suite(supply_suite);
