// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the page heap, each on a heap of its own whose page source is told
 * by the test which blocks it has. These heaps have no page caches: where a run
 * lies is the page allocator's doing alone.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/string.h>
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"
#include "source.h"

/* In a row, so that runs go across their borders. */
#define NR_CHUNKS	3
#define JUNK		0xa5
/* Order that alloc_pages() is asked first. */
#define FIRST_ORDER	GOSPAN_BLOCK_MAX_ORDER

static const struct gospan_kunit_block whole_chunk[] = { { 0, 9 } };
static const struct gospan_kunit_block three_chunks[] = { { 0, 9 }, { 512, 9 }, { 1024, 9 } };

static int mheap_test_init(struct kunit *test)
{
	gospan_kunit_source_make(test, NR_CHUNKS);
	return 0;
}

static struct gospan_mheap *heap_make(struct kunit *test, const struct gospan_kunit_block *blocks,
				      unsigned int nr_blocks)
{
	gospan_kunit_source_give(blocks, nr_blocks);
	return gospan_kunit_heap_make(test, false);
}

static struct gospan_supply_usage heap_usage(struct gospan_mheap *h)
{
	return gospan_supply_usage(h, NUMA_NO_NODE);
}

/* All three chunks, free. */
static struct gospan_mheap *heap_make_three(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, three_chunks, ARRAY_SIZE(three_chunks));
	struct gospan_span *s[NR_CHUNKS];
	unsigned int i;

	for (i = 0; i < NR_CHUNKS; i++) {
		s[i] = gospan_kunit_take(h, 512, 1);
		KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[i]), 512 * i);
	}
	for (i = 0; i < NR_CHUNKS; i++)
		gospan_kunit_give(h, s[i]);
	return h;
}

/* Blocks of every order below a chunk's: the heap asks for larger ones first. */
static void mheap_alloc_falling_orders(struct kunit *test)
{
	unsigned int log2;

	for (log2 = 0; log2 <= 9; log2++) {
		struct gospan_kunit_block b = { 0, log2 };
		struct gospan_mheap *h = heap_make(test, &b, 1);
		struct gospan_supply_usage usage;
		struct gospan_span *s;

		gospan_kunit_source.nr_asked = 0;
		s = gospan_kunit_take(h, 1, 1);
		usage = heap_usage(h);
		KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 0);
		KUNIT_EXPECT_EQ(test, usage.nr_grows, 1);
		KUNIT_EXPECT_EQ(test, usage.obtained_pages, 1UL << log2);
		KUNIT_EXPECT_EQ(test, usage.nr_refused, FIRST_ORDER - log2 - GOSPAN_PAGE_ORDER);
		KUNIT_EXPECT_EQ(test, gospan_kunit_source.nr_asked,
				FIRST_ORDER - log2 - GOSPAN_PAGE_ORDER + 1U);
		gospan_kunit_give(h, s);
		gospan_kunit_heap_finish(test, h);
	}
}

/* A run of n pages, or one so aligned, is not looked for in blocks that are too small. */
static void mheap_alloc_asks_no_smaller_block(struct kunit *test)
{
	static const struct {
		unsigned int npages, align, log2;
	} asked[] = {
		{ 1, 1, 0 }, { 2, 1, 1 }, { 3, 1, 2 }, { 4, 1, 2 }, { 5, 1, 3 }, { 1, 4, 2 },
		{ 9, 1, 4 }, { 4, 4, 2 }, { 257, 1, 9 }, { 512, 1, 9 }, { 512, 512, 9 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		struct gospan_kunit_block small = { 0, asked[i].log2 - 1 };
		struct gospan_kunit_block fits = { 0, asked[i].log2 };
		struct gospan_mheap *h = heap_make(test, &small, 1);
		struct gospan_span *s = gospan_kunit_take(h, asked[i].npages, asked[i].align);

		KUNIT_EXPECT_NULL(test, s);
		KUNIT_EXPECT_EQ(test, gospan_kunit_source.nr_given, 0);
		gospan_kunit_source.block = &fits;
		s = gospan_kunit_take(h, asked[i].npages, asked[i].align);
		KUNIT_ASSERT_NOT_NULL(test, s);
		KUNIT_EXPECT_EQ(test, heap_usage(h).obtained_pages, 1UL << asked[i].log2);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
		gospan_kunit_give(h, s);
		gospan_kunit_heap_finish(test, h);
	}
}

/* No memory: nothing has changed but what counts the attempts. */
static void mheap_alloc_failing_source(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, NULL, 0);

	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 1, 1));
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 512, 1));
	KUNIT_EXPECT_NULL(test, gospan_kunit_take_small(h, gospan_make_spanclass(6, false),
							GFP_ATOMIC));
	KUNIT_EXPECT_PTR_EQ(test, gospan_arenas_map(&h->arenas), &gospan_arena_map_none);
	KUNIT_EXPECT_EQ(test, heap_usage(h).nr_refused, gospan_kunit_source.nr_asked);
	KUNIT_EXPECT_EQ(test, heap_usage(h).nr_grows, 0);
	KUNIT_EXPECT_EQ(test, heap_usage(h).nr_chunks, 0);
	KUNIT_EXPECT_EQ(test, heap_usage(h).obtained_pages, 0);
	KUNIT_EXPECT_EQ(test, gospan_mheap_large(h).mallocs, 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes), 0);
	KUNIT_EXPECT_FALSE(test, h->broken);
	gospan_kunit_heap_finish(test, h);
}

/* More than the kernel has in one piece is not asked for. */
static void mheap_alloc_beyond_any_block(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	unsigned int npages = BIT(MAX_PAGE_ORDER + 1 - GOSPAN_PAGE_ORDER);

	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, npages, 1));
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, npages / 2 + 1, 1));
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 1, npages));
	KUNIT_EXPECT_EQ(test, gospan_kunit_source.nr_asked, 0);
	gospan_kunit_heap_finish(test, h);
}

/* The same with a heap in use: what is there stays, and still serves what fits. */
static void mheap_alloc_exhausted(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *s[3];

	s[0] = gospan_kunit_take(h, 200, 1);
	s[1] = gospan_kunit_take(h, 300, 1);
	KUNIT_ASSERT_NOT_NULL(test, s[0]);
	KUNIT_ASSERT_NOT_NULL(test, s[1]);
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 13, 1));
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 512, 1));
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(h), 500);
	KUNIT_EXPECT_EQ(test, gospan_mheap_large(h).mallocs, 2);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	s[2] = gospan_kunit_take(h, 12, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_page_of(s[2]), 500);
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 1, 1));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_give(h, s[0]);
	gospan_kunit_give(h, s[1]);
	gospan_kunit_give(h, s[2]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_heap_finish(test, h);
}

/* First fit: holes are filled lowest first, by what fits into them. */
static void mheap_alloc_lowest_fit(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *s[8], *t;
	unsigned int i;

	/* Runs of 1, 2, ... 8 pages: 0, 1, 3, 6, 10, 15, 21, 28..36. */
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		s[i] = gospan_kunit_take(h, i + 1, 1);
		KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[i]), i * (i + 1) / 2);
	}
	gospan_kunit_give(h, s[1]);
	gospan_kunit_give(h, s[4]);
	t = gospan_kunit_take(h, 3, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_page_of(t), 10);
	gospan_kunit_give(h, t);
	s[1] = gospan_kunit_take(h, 1, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_page_of(s[1]), 1);
	s[4] = gospan_kunit_take(h, 6, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_page_of(s[4]), 36);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	for (i = 0; i < ARRAY_SIZE(s); i++)
		gospan_kunit_give(h, s[i]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_heap_finish(test, h);
}

/* After every page was alone: whatever the order, the frees merge again. */
static void mheap_free_coalesces(struct kunit *test)
{
	static const unsigned int stride[] = { 1, 511, 3, 255 };
	struct gospan_span **s = kunit_kcalloc(test, 512, sizeof(*s), GFP_KERNEL);
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	unsigned int round, i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (round = 0; round < ARRAY_SIZE(stride); round++) {
		for (i = 0; i < 512; i++) {
			s[i] = gospan_kunit_take(h, 1, 1);
			KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[i]), i);
		}
		/* Makes the heap note that there is nothing. */
		KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 1, 1));
		for (i = 0; i < 512; i++)
			gospan_kunit_give(h, s[i * stride[round] % 512]);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
		s[0] = gospan_kunit_take(h, 512, 1);
		KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[0]), 0);
		gospan_kunit_give(h, s[0]);
	}
	KUNIT_EXPECT_EQ(test, heap_usage(h).nr_grows, 1);
	gospan_kunit_heap_finish(test, h);
}

/* A failed search narrows what is searched for; every free must widen it again. */
static void mheap_alloc_after_failed_search(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *first = gospan_kunit_take(h, 1, 1), *a = gospan_kunit_take(h, 10, 1);
	struct gospan_span *between = gospan_kunit_take(h, 1, 1), *b = gospan_kunit_take(h, 10, 1);
	struct gospan_span *rest = gospan_kunit_take(h, 490, 1), *s;

	KUNIT_ASSERT_NOT_NULL(test, rest);
	/* Free are 1..10 and 12..21. */
	gospan_kunit_give(h, a);
	gospan_kunit_give(h, b);
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 11, 1));
	/* 16..21 are too few. Says nothing about runs of 8 that are not aligned. */
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 8, 16));
	s = gospan_kunit_take(h, 10, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 1);
	gospan_kunit_give(h, s);
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 11, 1));
	gospan_kunit_give(h, between);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	s = gospan_kunit_take(h, 21, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 1);
	gospan_kunit_give(h, s);
	gospan_kunit_give(h, first);
	gospan_kunit_give(h, rest);
	gospan_kunit_heap_finish(test, h);
}

static void mheap_alloc_aligned(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *s[10], *odd = gospan_kunit_take(h, 1, 1);
	unsigned int k;

	KUNIT_ASSERT_NOT_NULL(test, odd);
	for (k = 0; k < 8; k++) {
		s[k] = gospan_kunit_take(h, 1U << k, 1U << k);
		KUNIT_ASSERT_NOT_NULL(test, s[k]);
		KUNIT_EXPECT_EQ(test, s[k]->base % (GOSPAN_PAGE_SIZE << k), 0);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	}
	/* 256 pages are free, but not aligned to 512. */
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 256, 512));
	s[8] = gospan_kunit_take(h, 256, 256);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[8]), 256);
	gospan_kunit_give(h, odd);
	for (k = 0; k <= 8; k++)
		gospan_kunit_give(h, s[k]);
	s[9] = gospan_kunit_take(h, 512, 512);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[9]), 0);
	gospan_kunit_give(h, s[9]);
	gospan_kunit_heap_finish(test, h);
}

/*
 * Blocks that leave gaps: runs end at the gaps, blocks that touch merge, and
 * the gaps are never handed out.
 */
static void mheap_alloc_chunk_owned_in_part(struct kunit *test)
{
	static const struct gospan_kunit_block blocks[] = {
		{ 8, 3 }, { 32, 4 }, { 16, 3 }, { 508, 2 },
	};
	struct gospan_mheap *h = heap_make(test, blocks, ARRAY_SIZE(blocks));
	struct gospan_span *s[6];
	unsigned int i;

	s[0] = gospan_kunit_take(h, 8, 1);	/* block at 8 */
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[0]), 8);
	s[1] = gospan_kunit_take(h, 9, 1);	/* block at 32 */
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[1]), 32);
	s[2] = gospan_kunit_take(h, 8, 1);	/* 7 pages left there are too few: block at 16 */
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[2]), 16);
	KUNIT_EXPECT_EQ(test, heap_usage(h).nr_chunks, 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_give(h, s[0]);
	gospan_kunit_give(h, s[2]);
	s[0] = gospan_kunit_take(h, 16, 1);	/* 8..23: two blocks side by side */
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[0]), 8);
	s[2] = gospan_kunit_take(h, 7, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[2]), 41);
	s[3] = gospan_kunit_take(h, 4, 1);	/* the chunk's last pages */
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s[3]), 508);
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 1, 1));
	KUNIT_EXPECT_EQ(test, heap_usage(h).obtained_pages, 36);
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(h), 36);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	for (i = 0; i < 4; i++)
		gospan_kunit_give(h, s[i]);
	gospan_kunit_heap_finish(test, h);
}

/* Whatever comes first from the kernel, the lower chunk is used first. */
static void two_chunks(struct kunit *test, const struct gospan_kunit_block *blocks)
{
	bool falling = blocks[0].page > blocks[1].page;
	struct gospan_mheap *h = heap_make(test, blocks, 2);
	struct gospan_span *a = gospan_kunit_take(h, 300, 1), *b = gospan_kunit_take(h, 300, 1), *s;

	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(a), blocks[0].page);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(b), blocks[1].page);
	KUNIT_EXPECT_EQ(test, heap_usage(h).nr_chunks, 2);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	s = gospan_kunit_take(h, 212, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 300);
	gospan_kunit_give(h, s);
	gospan_kunit_give(h, falling ? a : b);
	/* Too long for what is free in the lower one. */
	s = gospan_kunit_take(h, 213, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 1024);
	KUNIT_EXPECT_PTR_EQ(test, gospan_arena_span_of(&h->arenas, gospan_kunit_start(s) + 1), s);
	gospan_kunit_give(h, s);
	gospan_kunit_give(h, falling ? b : a);
	gospan_kunit_heap_finish(test, h);
}

static void mheap_alloc_two_chunks_rising(struct kunit *test)
{
	static const struct gospan_kunit_block blocks[] = { { 0, 9 }, { 1024, 9 } };

	two_chunks(test, blocks);
}

static void mheap_alloc_two_chunks_falling(struct kunit *test)
{
	static const struct gospan_kunit_block blocks[] = { { 1024, 9 }, { 0, 9 } };

	two_chunks(test, blocks);
}

/* Both ends of each page of the object lead to its span, what is next to it does not. */
static void expect_span_found(struct kunit *test, struct gospan_mheap *h, struct gospan_span *s)
{
	const struct gospan_arenas *a = &h->arenas;
	void *start = gospan_kunit_start(s), *limit = start + gospan_kunit_bytes(s), *p;

	for (p = start; p < limit; p += GOSPAN_PAGE_SIZE) {
		KUNIT_EXPECT_PTR_EQ(test, gospan_arena_span_of(a, p), s);
		KUNIT_EXPECT_PTR_EQ(test, gospan_arena_span_of(a, p + GOSPAN_PAGE_SIZE - 1), s);
	}
	KUNIT_EXPECT_PTR_NE(test, gospan_arena_span_of(a, start - 1), s);
	KUNIT_EXPECT_PTR_NE(test, gospan_arena_span_of(a, limit), s);
}

/* The second chunk comes when the first has too few pages left, and continues it. */
static void mheap_alloc_across_chunks(struct kunit *test)
{
	static const struct gospan_kunit_block blocks[] = { { 0, 9 }, { 512, 9 } };
	struct gospan_mheap *h = heap_make(test, blocks, ARRAY_SIZE(blocks));
	struct gospan_span *below = gospan_kunit_take(h, 500, 1), *s = gospan_kunit_take(h, 20, 1);
	struct gospan_span *behind = gospan_kunit_take(h, 1, 1);

	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 500);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(behind), 520);
	expect_span_found(test, h, s);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	/* Its first page in the second chunk. */
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, (void *)gospan_kunit_source_addr(512)),
			GOSPAN_FREE_INTERIOR);
	memset(gospan_kunit_start(s), JUNK, gospan_kunit_bytes(s));
	gospan_kunit_give(h, s);
	KUNIT_EXPECT_NULL(test, gospan_arena_span_of(&h->arenas, (void *)behind->base - 1));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	/* The same pages again, zeroed. */
	s = gospan_mheap_alloc_large(h, 20, 1, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 500);
	KUNIT_EXPECT_NULL(test, memchr_inv(gospan_kunit_start(s), 0, gospan_kunit_bytes(s)));
	gospan_kunit_give(h, s);
	gospan_kunit_give(h, behind);
	gospan_kunit_give(h, below);
	gospan_kunit_heap_finish(test, h);
}

/* Where chunks are neighbours a span may be longer than the kernel's largest block. */
static void mheap_alloc_longer_than_chunk(struct kunit *test)
{
	static const struct {
		unsigned int npages, align, page;
	} longer[] = {
		{ 513, 1, 1 }, { 1025, 1, 1 }, { 1535, 1, 1 }, { 600, 64, 64 }, { 1024, 512, 512 },
		{ 513, 256, 256 },
	};
	struct gospan_mheap *h = heap_make_three(test);
	struct gospan_span *first = gospan_kunit_take(h, 1, 1), *s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(longer); i++) {
		s = gospan_kunit_take(h, longer[i].npages, longer[i].align);
		/* The pool need not start at a multiple of more than a chunk. */
		KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), longer[i].page);
		expect_span_found(test, h, s);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
		gospan_kunit_give(h, s);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	}
	KUNIT_EXPECT_NULL(test, gospan_kunit_take(h, 1536, 1));
	gospan_kunit_give(h, first);
	s = gospan_kunit_take(h, 1536, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 0);
	gospan_kunit_give(h, s);
	gospan_kunit_heap_finish(test, h);
}

static void mheap_free_large_verdicts(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *large = gospan_kunit_take(h, 5, 1);
	struct gospan_span *small = gospan_kunit_take_small(h, gospan_make_spanclass(6, false),
							    GFP_KERNEL);
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_ASSERT_NOT_NULL(test, small);
	p = (void *)large->base;
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, p + 1), GOSPAN_FREE_INTERIOR);
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, p + GOSPAN_PAGE_SIZE),
			GOSPAN_FREE_INTERIOR);
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, (void *)small->base),
			GOSPAN_FREE_FOREIGN);
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, test), GOSPAN_FREE_FOREIGN);
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, NULL), GOSPAN_FREE_FOREIGN);
	KUNIT_EXPECT_EQ(test, gospan_mheap_large(h).frees, 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, p), GOSPAN_FREE_OK);
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, p), GOSPAN_FREE_FOREIGN);
	KUNIT_EXPECT_EQ(test, gospan_mheap_large(h).frees, 1);
	KUNIT_EXPECT_EQ(test, gospan_mheap_large(h).free_pages, 5);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_arena_retract(&h->arenas, small);
	gospan_mheap_free(h, small);
	gospan_kunit_heap_finish(test, h);
}

/* Pages of objects that still live stay with whoever uses them. */
static void mheap_destroy_live_spans(struct kunit *test)
{
	struct gospan_mheap *h = heap_make_three(test);
	struct gospan_span *a = gospan_kunit_take(h, 3, 1), *b = gospan_kunit_take(h, 4, 1);
	struct gospan_span *c = gospan_kunit_take(h, 1000, 1);

	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(a), 0);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(c), 7);
	gospan_kunit_give(h, b);
	gospan_kunit_heap_destroy(test, h);
	KUNIT_EXPECT_EQ(test, gospan_kunit_source_nr_out(), 1003U << GOSPAN_PAGE_ORDER);
	KUNIT_EXPECT_EQ(test, bitmap_weight(gospan_kunit_source.out, 7U << GOSPAN_PAGE_ORDER),
			3U << GOSPAN_PAGE_ORDER);
	KUNIT_EXPECT_EQ(test, gospan_kunit_source.nr_faults, 0);
}

/* A large object that was allocated at @page and has the pattern at its ends. */
static struct gospan_span *extend_take(struct kunit *test, struct gospan_mheap *h,
				       unsigned int npages, unsigned int page)
{
	struct gospan_span *s = gospan_kunit_take(h, npages, 1);

	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), page);
	memset(gospan_kunit_start(s), JUNK, gospan_kunit_bytes(s));
	return s;
}

static void expect_extended(struct kunit *test, struct gospan_mheap *h, struct gospan_span *s,
			    unsigned int npages)
{
	unsigned long alloc_pages = gospan_mheap_large(h).alloc_pages;
	unsigned long inuse_pages = gospan_kunit_inuse_pages(h);
	unsigned int old_npages = s->npages;
	size_t old_bytes = gospan_kunit_bytes(s);

	KUNIT_EXPECT_TRUE(test, gospan_mheap_extend_large(h, s, npages, true));
	KUNIT_EXPECT_EQ(test, s->npages, npages);
	KUNIT_EXPECT_EQ(test, gospan_mheap_large(h).alloc_pages - alloc_pages, npages - old_npages);
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(h) - inuse_pages, npages - old_npages);
	KUNIT_EXPECT_NULL(test, memchr_inv(gospan_kunit_start(s), JUNK, old_bytes));
	KUNIT_EXPECT_NULL(test, memchr_inv(gospan_kunit_start(s) + old_bytes, 0,
					   gospan_kunit_bytes(s) - old_bytes));
	expect_span_found(test, h, s);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	memset(gospan_kunit_start(s), JUNK, gospan_kunit_bytes(s));
}

static void expect_not_extended(struct kunit *test, struct gospan_mheap *h, struct gospan_span *s,
				unsigned int npages)
{
	unsigned long alloc_pages = gospan_mheap_large(h).alloc_pages;
	unsigned int old_npages = s->npages;

	KUNIT_EXPECT_FALSE(test, gospan_mheap_extend_large(h, s, npages, true));
	KUNIT_EXPECT_EQ(test, s->npages, old_npages);
	KUNIT_EXPECT_EQ(test, gospan_mheap_large(h).alloc_pages, alloc_pages);
	KUNIT_EXPECT_NULL(test, memchr_inv(gospan_kunit_start(s), JUNK, gospan_kunit_bytes(s)));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
}

static void mheap_extend_large_free_behind(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *s = extend_take(test, h, 10, 0);

	expect_extended(test, h, s, 11);
	expect_extended(test, h, s, 300);
	gospan_kunit_give(h, s);
	/* Freed as a whole. */
	s = extend_take(test, h, 512, 0);
	gospan_kunit_give(h, s);
	gospan_kunit_heap_finish(test, h);
}

static void mheap_extend_large_keeps_what_was_there(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *s = extend_take(test, h, 20, 0);

	gospan_kunit_give(h, s);
	s = extend_take(test, h, 10, 0);
	KUNIT_EXPECT_TRUE(test, gospan_mheap_extend_large(h, s, 20, false));
	KUNIT_EXPECT_NULL(test, memchr_inv(gospan_kunit_start(s), JUNK, gospan_kunit_bytes(s)));
	gospan_kunit_give(h, s);
	gospan_kunit_heap_finish(test, h);
}

static void mheap_extend_large_taken_behind(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *s = extend_take(test, h, 10, 0), *next = extend_take(test, h, 5, 10);
	struct gospan_span *last = extend_take(test, h, 1, 15);

	expect_not_extended(test, h, s, 11);
	gospan_kunit_give(h, next);
	expect_not_extended(test, h, s, 16);
	/* Behind it lies the descriptor of what was there. */
	expect_extended(test, h, s, 15);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes),
			gospan_span_sys_bytes(s) + gospan_span_sys_bytes(last));
	expect_not_extended(test, h, s, 16);
	gospan_kunit_give(h, last);
	expect_extended(test, h, s, 16);
	gospan_kunit_give(h, s);
	gospan_kunit_heap_finish(test, h);
}

static void mheap_extend_large_across_chunks(struct kunit *test)
{
	struct gospan_mheap *h = heap_make_three(test);
	struct gospan_span *below = extend_take(test, h, 510, 0), *s = extend_take(test, h, 1, 510);
	struct gospan_span *next = extend_take(test, h, 3, 511);

	expect_not_extended(test, h, s, 3);
	gospan_kunit_give(h, next);
	expect_extended(test, h, s, 2);
	expect_extended(test, h, s, 3);
	expect_extended(test, h, s, 520);
	expect_extended(test, h, s, 1026);
	expect_not_extended(test, h, s, 1027);
	gospan_kunit_give(h, below);
	gospan_kunit_give(h, s);
	s = extend_take(test, h, 1536, 0);
	gospan_kunit_give(h, s);
	gospan_kunit_heap_finish(test, h);
}

/* In the chunk, in the next one, and where there is none. */
static void mheap_extend_large_beyond_ours(struct kunit *test)
{
	static const struct gospan_kunit_block blocks[] = { { 16, 4 }, { 496, 4 }, { 520, 3 } };
	struct gospan_mheap *h = heap_make(test, blocks, ARRAY_SIZE(blocks));
	struct gospan_span *s[3];
	unsigned int i;

	s[0] = extend_take(test, h, 9, 16);
	s[1] = extend_take(test, h, 9, 496);
	expect_not_extended(test, h, s[0], 17);
	expect_extended(test, h, s[0], 16);
	expect_not_extended(test, h, s[0], 17);
	/* No chunk. */
	expect_not_extended(test, h, s[1], 17);
	s[2] = extend_take(test, h, 8, 520);
	/* A chunk, but that page of it is not ours. */
	expect_not_extended(test, h, s[1], 17);
	expect_not_extended(test, h, s[1], 33);
	expect_extended(test, h, s[1], 16);
	for (i = 0; i < ARRAY_SIZE(s); i++)
		gospan_kunit_give(h, s[i]);
	gospan_kunit_heap_finish(test, h);
}

static struct kunit_case mheap_cases[] = {
	KUNIT_CASE(mheap_alloc_falling_orders),
	KUNIT_CASE(mheap_alloc_asks_no_smaller_block),
	KUNIT_CASE(mheap_alloc_failing_source),
	KUNIT_CASE(mheap_alloc_beyond_any_block),
	KUNIT_CASE(mheap_alloc_exhausted),
	KUNIT_CASE(mheap_alloc_lowest_fit),
	KUNIT_CASE(mheap_free_coalesces),
	KUNIT_CASE(mheap_alloc_after_failed_search),
	KUNIT_CASE(mheap_alloc_aligned),
	KUNIT_CASE(mheap_alloc_chunk_owned_in_part),
	KUNIT_CASE(mheap_alloc_two_chunks_rising),
	KUNIT_CASE(mheap_alloc_two_chunks_falling),
	KUNIT_CASE(mheap_alloc_across_chunks),
	KUNIT_CASE(mheap_alloc_longer_than_chunk),
	KUNIT_CASE(mheap_free_large_verdicts),
	KUNIT_CASE(mheap_destroy_live_spans),
	KUNIT_CASE(mheap_extend_large_free_behind),
	KUNIT_CASE(mheap_extend_large_keeps_what_was_there),
	KUNIT_CASE(mheap_extend_large_taken_behind),
	KUNIT_CASE(mheap_extend_large_across_chunks),
	KUNIT_CASE(mheap_extend_large_beyond_ours),
	{}
};

static struct kunit_suite mheap_suite = {
	.name = "gospan_mheap",
	.init = mheap_test_init,
	.test_cases = mheap_cases,
};

kunit_test_suite(mheap_suite);
