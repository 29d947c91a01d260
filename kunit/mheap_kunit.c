// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the page heap, each on a heap of its own whose page source is told
 * by the test which blocks it has.
 *
 * The pages are real: two blocks of a chunk each from the kernel, handed out
 * in pieces. The source keeps account of each kernel page.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include "../src/mheap.h"
#include "../src/validate.h"
#include "helper.h"

#define CHUNK_ORDER	(GOSPAN_CHUNK_SHIFT - PAGE_SHIFT)
#define CHUNK_KPAGES	((unsigned int)BIT(CHUNK_ORDER))
#define NR_POOLS	2
/* Order that alloc_pages() is asked first. */
#define FIRST_ORDER	min_t(unsigned int, MAX_PAGE_ORDER, CHUNK_ORDER)

/* A piece of the pool: 1 << @log2 pages at @page_idx. */
struct block {
	unsigned int pool, page_idx, log2;
};

static struct {
	struct page *pool[NR_POOLS];
	const struct block *block;	/* to be handed out in this order */
	unsigned int nr_blocks;
	unsigned int nr_given;
	unsigned int nr_asked;		/* calls */
	unsigned int nr_faults;		/* what a heap must not do */
	/* Kernel pages that the heap has. */
	DECLARE_BITMAP(out[NR_POOLS], 1 << (9 + GOSPAN_PAGE_ORDER));
} source;

static struct page *source_alloc(gfp_t gfp, unsigned int order)
{
	const struct block *b = &source.block[source.nr_given];
	unsigned int first;
	struct page *page;

	source.nr_asked++;
	if (order > MAX_PAGE_ORDER || gfp & (__GFP_NOFAIL | __GFP_COMP))
		source.nr_faults++;
	if (source.nr_given == source.nr_blocks || order != b->log2 + GOSPAN_PAGE_ORDER)
		return NULL;
	source.nr_given++;
	first = b->page_idx << GOSPAN_PAGE_ORDER;
	page = source.pool[b->pool] + first;
	bitmap_set(source.out[b->pool], first, 1U << order);
	/* As from alloc_pages(): the first page is counted, the others are not. */
	set_page_count(page, 1);
	return page;
}

static void source_free(struct page *page)
{
	unsigned int i;

	for (i = 0; i < NR_POOLS; i++) {
		unsigned long kpage = page - source.pool[i];

		if (page < source.pool[i] || kpage >= CHUNK_KPAGES)
			continue;
		if (!test_and_clear_bit(kpage, source.out[i]) || page_count(page) != 1)
			source.nr_faults++;
		set_page_count(page, 0);
		return;
	}
	source.nr_faults++;
}

static const struct gospan_page_source scripted_source = {
	.alloc = source_alloc,
	.free = source_free,
};

static unsigned int source_nr_out(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < NR_POOLS; i++)
		nr += bitmap_weight(source.out[i], CHUNK_KPAGES);
	return nr;
}

static void source_exit(void *unused)
{
	unsigned int i, kpage;

	for (i = 0; i < NR_POOLS; i++) {
		if (!source.pool[i])
			continue;
		/* What a heap leaked, on purpose or not. */
		for_each_set_bit(kpage, source.out[i], CHUNK_KPAGES)
			set_page_count(source.pool[i] + kpage, 0);
		set_page_count(source.pool[i], 1);
		__free_pages(source.pool[i], CHUNK_ORDER);
	}
}

static int mheap_test_init(struct kunit *test)
{
	unsigned int i;

	memset(&source, 0, sizeof(source));
	if (CHUNK_ORDER > MAX_PAGE_ORDER)
		return 0;
	for (i = 0; i < NR_POOLS; i++) {
		source.pool[i] = alloc_pages(GFP_KERNEL, CHUNK_ORDER);
		if (source.pool[i])
			set_page_count(source.pool[i], 0);
	}
	/* pool[0] is the lower one. */
	if (source.pool[0] > source.pool[1])
		swap(source.pool[0], source.pool[1]);
	return kunit_add_action_or_reset(test, source_exit, NULL);
}

static void heap_destroy(void *h)
{
	gospan_mheap_destroy(h);
}

static struct gospan_mheap *heap_make(struct kunit *test, const struct block *blocks,
				      unsigned int nr_blocks)
{
	struct gospan_mheap *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	if (CHUNK_ORDER > MAX_PAGE_ORDER)
		kunit_skip(test, "alloc_pages() has no blocks of a chunk");
	KUNIT_ASSERT_NOT_NULL(test, h);
	KUNIT_ASSERT_NOT_NULL(test, source.pool[0]);
	KUNIT_ASSERT_NOT_NULL(test, source.pool[1]);
	source.block = blocks;
	source.nr_blocks = nr_blocks;
	source.nr_given = 0;
	gospan_mheap_init(h, &scripted_source);
	/* For a test that fails half way; of a heap that is gone it finds nothing. */
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, heap_destroy, h), 0);
	return h;
}

/* Also says that the heap kept its house in order. */
static void heap_finish(struct kunit *test, struct gospan_mheap *h)
{
	KUNIT_EXPECT_EQ(test, h->inuse_pages, 0);
	KUNIT_EXPECT_EQ(test, h->span_bytes, 0);
	heap_destroy(h);
	KUNIT_EXPECT_EQ(test, source_nr_out(), 0);
	KUNIT_EXPECT_EQ(test, h->obtained_pages, h->released_pages);
	KUNIT_EXPECT_EQ(test, source.nr_faults, 0);
}

static struct gospan_span *heap_take(struct gospan_mheap *h, unsigned int npages,
				     unsigned int align)
{
	return gospan_mheap_alloc(h, GOSPAN_SPANCLASS_LARGE, npages, align, GFP_KERNEL);
}

static void heap_give(struct gospan_mheap *h, struct gospan_span *s)
{
	if (gospan_mheap_free_large(h, (void *)s->base) != GOSPAN_FREE_OK)
		source.nr_faults++;
}

/* A span's first page, counted from the start of its pool, or -1. */
static int span_page_idx(const struct gospan_span *s)
{
	return s ? (int)gospan_addr_page_idx(s->base) : -1;
}

static bool span_in_pool(const struct gospan_span *s, unsigned int pool)
{
	return s && s->base - (unsigned long)page_address(source.pool[pool]) < GOSPAN_CHUNK_BYTES;
}

static const struct block whole_chunk[] = { { 0, 0, 9 } };
static const struct block no_blocks[1];

/* Blocks of every order below a chunk's: the heap asks for larger ones first. */
static void mheap_alloc_falling_orders(struct kunit *test)
{
	unsigned int log2;

	for (log2 = 0; log2 <= 9; log2++) {
		struct block b = { 0, 0, log2 };
		struct gospan_mheap *h = heap_make(test, &b, 1);
		struct gospan_span *s;

		source.nr_asked = 0;
		s = heap_take(h, 1, 1);
		KUNIT_ASSERT_EQ(test, span_page_idx(s), 0);
		KUNIT_EXPECT_EQ(test, h->nr_grows, 1);
		KUNIT_EXPECT_EQ(test, h->obtained_pages, 1UL << log2);
		KUNIT_EXPECT_EQ(test, h->nr_grow_fallbacks,
				FIRST_ORDER - log2 - GOSPAN_PAGE_ORDER);
		KUNIT_EXPECT_EQ(test, source.nr_asked,
				FIRST_ORDER - log2 - GOSPAN_PAGE_ORDER + 1U);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
		heap_give(h, s);
		heap_finish(test, h);
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
		struct block small = { 0, 0, asked[i].log2 - 1 }, fits = { 0, 0, asked[i].log2 };
		struct gospan_mheap *h = heap_make(test, &small, 1);
		struct gospan_span *s = heap_take(h, asked[i].npages, asked[i].align);

		KUNIT_EXPECT_NULL(test, s);
		KUNIT_EXPECT_EQ(test, source.nr_given, 0);
		source.block = &fits;
		s = heap_take(h, asked[i].npages, asked[i].align);
		KUNIT_ASSERT_NOT_NULL(test, s);
		KUNIT_EXPECT_EQ(test, h->obtained_pages, 1UL << asked[i].log2);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
		heap_give(h, s);
		heap_finish(test, h);
	}
}

/* No memory: nothing has changed but what counts the attempts. */
static void mheap_alloc_failing_source(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, no_blocks, 0);
	struct gospan_mheap before = *h;

	KUNIT_EXPECT_NULL(test, heap_take(h, 1, 1));
	KUNIT_EXPECT_NULL(test, heap_take(h, 512, 1));
	KUNIT_EXPECT_NULL(test, gospan_mheap_alloc(h, gospan_make_spanclass(6, false), 1, 1,
						   GFP_ATOMIC));
	KUNIT_EXPECT_PTR_EQ(test, h->arenas, &gospan_arena_map_none);
	KUNIT_EXPECT_TRUE(test, list_empty(&h->chunks));
	KUNIT_EXPECT_EQ(test, h->nr_grow_fallbacks,
			2 * (FIRST_ORDER - GOSPAN_PAGE_ORDER + 1U) + 1);
	before.nr_grow_fallbacks = h->nr_grow_fallbacks;
	KUNIT_EXPECT_EQ(test, h->obtained_pages, before.obtained_pages);
	KUNIT_EXPECT_EQ(test, h->large_mallocs, before.large_mallocs);
	KUNIT_EXPECT_EQ(test, h->nr_grows, before.nr_grows);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	heap_finish(test, h);
}

/* The same with a heap in use: what is there stays, and still serves what fits. */
static void mheap_alloc_exhausted(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *s[3];

	s[0] = heap_take(h, 200, 1);
	s[1] = heap_take(h, 300, 1);
	KUNIT_ASSERT_NOT_NULL(test, s[0]);
	KUNIT_ASSERT_NOT_NULL(test, s[1]);
	KUNIT_EXPECT_NULL(test, heap_take(h, 13, 1));
	KUNIT_EXPECT_NULL(test, heap_take(h, 512, 1));
	KUNIT_EXPECT_EQ(test, h->inuse_pages, 500);
	KUNIT_EXPECT_EQ(test, h->large_mallocs, 2);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	s[2] = heap_take(h, 12, 1);
	KUNIT_EXPECT_EQ(test, span_page_idx(s[2]), 500);
	KUNIT_EXPECT_NULL(test, heap_take(h, 1, 1));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	heap_give(h, s[0]);
	heap_give(h, s[1]);
	heap_give(h, s[2]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	heap_finish(test, h);
}

/* First fit: holes are filled lowest first, by what fits into them. */
static void mheap_alloc_lowest_fit(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *s[8], *t;
	unsigned int i;

	/* Runs of 1, 2, ... 8 pages: 0, 1, 3, 6, 10, 15, 21, 28..36. */
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		s[i] = heap_take(h, i + 1, 1);
		KUNIT_ASSERT_EQ(test, span_page_idx(s[i]), i * (i + 1) / 2);
	}
	heap_give(h, s[1]);
	heap_give(h, s[4]);
	t = heap_take(h, 3, 1);
	KUNIT_EXPECT_EQ(test, span_page_idx(t), 10);
	heap_give(h, t);
	s[1] = heap_take(h, 1, 1);
	KUNIT_EXPECT_EQ(test, span_page_idx(s[1]), 1);
	s[4] = heap_take(h, 6, 1);
	KUNIT_EXPECT_EQ(test, span_page_idx(s[4]), 36);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	for (i = 0; i < ARRAY_SIZE(s); i++)
		heap_give(h, s[i]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	heap_finish(test, h);
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
			s[i] = heap_take(h, 1, 1);
			KUNIT_ASSERT_EQ(test, span_page_idx(s[i]), i);
		}
		/* Makes the heap note that there is nothing. */
		KUNIT_EXPECT_NULL(test, heap_take(h, 1, 1));
		for (i = 0; i < 512; i++)
			heap_give(h, s[i * stride[round] % 512]);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
		s[0] = heap_take(h, 512, 1);
		KUNIT_ASSERT_EQ(test, span_page_idx(s[0]), 0);
		heap_give(h, s[0]);
	}
	KUNIT_EXPECT_EQ(test, h->nr_grows, 1);
	heap_finish(test, h);
}

/* A failed search narrows what is searched for; every free must widen it again. */
static void mheap_alloc_after_failed_search(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *first = heap_take(h, 1, 1), *a = heap_take(h, 10, 1);
	struct gospan_span *between = heap_take(h, 1, 1), *b = heap_take(h, 10, 1);
	struct gospan_span *rest = heap_take(h, 490, 1), *s;

	KUNIT_ASSERT_NOT_NULL(test, rest);
	/* Free are 1..10 and 12..21. */
	heap_give(h, a);
	heap_give(h, b);
	KUNIT_EXPECT_NULL(test, heap_take(h, 11, 1));
	/* 16..21 are too few. Says nothing about runs of 8 that are not aligned. */
	KUNIT_EXPECT_NULL(test, heap_take(h, 8, 16));
	s = heap_take(h, 10, 1);
	KUNIT_ASSERT_EQ(test, span_page_idx(s), 1);
	heap_give(h, s);
	KUNIT_EXPECT_NULL(test, heap_take(h, 11, 1));
	heap_give(h, between);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	s = heap_take(h, 21, 1);
	KUNIT_ASSERT_EQ(test, span_page_idx(s), 1);
	heap_give(h, s);
	heap_give(h, first);
	heap_give(h, rest);
	heap_finish(test, h);
}

static void mheap_alloc_aligned(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *s[10], *odd = heap_take(h, 1, 1);
	unsigned int k;

	KUNIT_ASSERT_NOT_NULL(test, odd);
	for (k = 0; k < 8; k++) {
		s[k] = heap_take(h, 1U << k, 1U << k);
		KUNIT_ASSERT_NOT_NULL(test, s[k]);
		KUNIT_EXPECT_EQ(test, s[k]->base % (GOSPAN_PAGE_SIZE << k), 0);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	}
	/* 256 pages are free, but not aligned to 512. */
	KUNIT_EXPECT_NULL(test, heap_take(h, 256, 512));
	s[8] = heap_take(h, 256, 256);
	KUNIT_ASSERT_EQ(test, span_page_idx(s[8]), 256);
	heap_give(h, odd);
	for (k = 0; k <= 8; k++)
		heap_give(h, s[k]);
	s[9] = heap_take(h, 512, 512);
	KUNIT_ASSERT_EQ(test, span_page_idx(s[9]), 0);
	heap_give(h, s[9]);
	heap_finish(test, h);
}

/*
 * Blocks that leave gaps: runs end at the gaps, blocks that touch merge, and
 * the gaps are never handed out.
 */
static void mheap_alloc_chunk_owned_in_part(struct kunit *test)
{
	static const struct block blocks[] = {
		{ 0, 8, 3 }, { 0, 32, 4 }, { 0, 16, 3 }, { 0, 508, 2 },
	};
	struct gospan_mheap *h = heap_make(test, blocks, ARRAY_SIZE(blocks));
	struct gospan_span *s[6];
	unsigned int i;

	s[0] = heap_take(h, 8, 1);	/* block at 8 */
	KUNIT_ASSERT_EQ(test, span_page_idx(s[0]), 8);
	s[1] = heap_take(h, 9, 1);	/* block at 32 */
	KUNIT_ASSERT_EQ(test, span_page_idx(s[1]), 32);
	s[2] = heap_take(h, 8, 1);	/* the 7 pages left there are too few: block at 16 */
	KUNIT_ASSERT_EQ(test, span_page_idx(s[2]), 16);
	KUNIT_EXPECT_EQ(test, h->nr_chunks, 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	heap_give(h, s[0]);
	heap_give(h, s[2]);
	s[0] = heap_take(h, 16, 1);	/* 8..23: two blocks side by side */
	KUNIT_ASSERT_EQ(test, span_page_idx(s[0]), 8);
	s[2] = heap_take(h, 7, 1);
	KUNIT_ASSERT_EQ(test, span_page_idx(s[2]), 41);
	s[3] = heap_take(h, 4, 1);	/* the chunk's last pages */
	KUNIT_ASSERT_EQ(test, span_page_idx(s[3]), 508);
	KUNIT_EXPECT_NULL(test, heap_take(h, 1, 1));
	KUNIT_EXPECT_EQ(test, h->obtained_pages, 36);
	KUNIT_EXPECT_EQ(test, h->inuse_pages, 36);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	for (i = 0; i < 4; i++)
		heap_give(h, s[i]);
	heap_finish(test, h);
}

/* Whatever comes first from the kernel, the lower chunk is used first. */
static void two_chunks(struct kunit *test, const struct block *blocks)
{
	struct gospan_mheap *h = heap_make(test, blocks, 2);
	struct gospan_span *a = heap_take(h, 300, 1), *b = heap_take(h, 300, 1), *s;

	KUNIT_ASSERT_TRUE(test, span_in_pool(a, blocks[0].pool));
	KUNIT_ASSERT_TRUE(test, span_in_pool(b, blocks[1].pool));
	KUNIT_EXPECT_EQ(test, h->nr_chunks, 2);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	s = heap_take(h, 212, 1);
	KUNIT_ASSERT_TRUE(test, span_in_pool(s, 0));
	heap_give(h, s);
	heap_give(h, blocks[0].pool ? a : b);
	/* Too long for what is free in the lower one. */
	s = heap_take(h, 213, 1);
	KUNIT_ASSERT_TRUE(test, span_in_pool(s, 1));
	KUNIT_EXPECT_PTR_EQ(test, gospan_mheap_span_of(h, (void *)(s->base + 1)), s);
	heap_give(h, s);
	heap_give(h, blocks[0].pool ? b : a);
	heap_finish(test, h);
}

static void mheap_alloc_two_chunks_rising(struct kunit *test)
{
	static const struct block blocks[] = { { 0, 0, 9 }, { 1, 0, 9 } };

	two_chunks(test, blocks);
}

static void mheap_alloc_two_chunks_falling(struct kunit *test)
{
	static const struct block blocks[] = { { 1, 0, 9 }, { 0, 0, 9 } };

	two_chunks(test, blocks);
}

static void mheap_free_large_verdicts(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *large = heap_take(h, 5, 1);
	struct gospan_span *small = gospan_mheap_alloc(h, gospan_make_spanclass(6, false),
						       gospan_class_npages(6), 1, GFP_KERNEL);
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
	KUNIT_EXPECT_EQ(test, h->large_frees, 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, p), GOSPAN_FREE_OK);
	KUNIT_EXPECT_EQ(test, gospan_mheap_free_large(h, p), GOSPAN_FREE_FOREIGN);
	KUNIT_EXPECT_EQ(test, h->large_frees, 1);
	KUNIT_EXPECT_EQ(test, h->large_free_pages, 5);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_mheap_free(h, small);
	heap_finish(test, h);
}

/* Pages of objects that still live stay with whoever uses them. */
static void mheap_destroy_live_spans(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test, whole_chunk, ARRAY_SIZE(whole_chunk));
	struct gospan_span *a = heap_take(h, 3, 1), *b = heap_take(h, 4, 1);
	struct gospan_span *c = heap_take(h, 5, 1);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_NOT_NULL(test, c);
	heap_give(h, b);
	heap_destroy(h);
	KUNIT_EXPECT_EQ(test, source_nr_out(), 8U << GOSPAN_PAGE_ORDER);
	KUNIT_EXPECT_EQ(test, bitmap_weight(source.out[0], 3U << GOSPAN_PAGE_ORDER),
			3U << GOSPAN_PAGE_ORDER);
	KUNIT_EXPECT_EQ(test, h->obtained_pages - h->released_pages, 8);
	KUNIT_EXPECT_EQ(test, source.nr_faults, 0);
}

/* Each page in the oracle: which span has it, 0 if none. */
struct random_heap {
	struct gospan_mheap *h;
	struct rnd_state rnd;
	struct gospan_span *span[64];
	u8 page[NR_POOLS][GOSPAN_CHUNK_NPAGES];
};

/* Lowest free run of @npages, aligned, by looking at every page. */
static bool oracle_find(const struct random_heap *r, unsigned int npages, unsigned int align,
			unsigned int *pool, unsigned int *first)
{
	unsigned int i;

	for (*pool = 0; *pool < NR_POOLS; ++*pool) {
		for (*first = 0; *first + npages <= GOSPAN_CHUNK_NPAGES; *first += align) {
			for (i = 0; i < npages && !r->page[*pool][*first + i]; i++)
				;
			if (i == npages)
				return true;
		}
	}
	return false;
}

static bool random_alloc(struct random_heap *r, unsigned int slot)
{
	unsigned int npages = 1 + gospan_kunit_below(&r->rnd,
						     gospan_kunit_below(&r->rnd, 4) ? 12 : 200);
	unsigned int align = gospan_kunit_below(&r->rnd, 4) ? 1 :
			     1U << gospan_kunit_below(&r->rnd, 7);
	unsigned int pool, first;
	struct gospan_span *s;

	s = heap_take(r->h, npages, align);
	r->span[slot] = s;
	if (!oracle_find(r, npages, align, &pool, &first))
		return !s;
	if (!span_in_pool(s, pool) || span_page_idx(s) != first)
		return false;
	memset(&r->page[pool][first], slot + 1, npages);
	return true;
}

static bool random_free(struct random_heap *r, unsigned int slot)
{
	struct gospan_span *s = r->span[slot];
	unsigned int pool = span_in_pool(s, 1);

	memset(&r->page[pool][span_page_idx(s)], 0, s->npages);
	r->span[slot] = NULL;
	return gospan_mheap_free_large(r->h, (void *)s->base) == GOSPAN_FREE_OK;
}

static unsigned int oracle_inuse(const struct random_heap *r)
{
	unsigned int pool, i, nr = 0;

	for (pool = 0; pool < NR_POOLS; pool++)
		for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++)
			nr += !!r->page[pool][i];
	return nr;
}

static void mheap_random_against_oracle(struct kunit *test)
{
	static const struct block blocks[] = { { 1, 0, 9 }, { 0, 0, 9 } };
	struct random_heap *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int step, slot;

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->h = heap_make(test, blocks, ARRAY_SIZE(blocks));
	gospan_kunit_seed(test, &r->rnd);
	/* Both blocks, so that the oracle need not know when the heap grows. */
	r->span[0] = heap_take(r->h, 512, 1);
	r->span[1] = heap_take(r->h, 512, 1);
	KUNIT_ASSERT_NOT_NULL(test, r->span[1]);
	KUNIT_ASSERT_TRUE(test, random_free(r, 0) && random_free(r, 1));
	for (step = 0; step < 600; step++) {
		bool ok;

		slot = gospan_kunit_below(&r->rnd, ARRAY_SIZE(r->span));
		ok = r->span[slot] ? random_free(r, slot) : random_alloc(r, slot);
		if (!ok || r->h->inuse_pages != oracle_inuse(r) || !gospan_heap_validate(r->h)) {
			KUNIT_FAIL(test, "step %u", step);
			break;
		}
	}
	for (slot = 0; slot < ARRAY_SIZE(r->span); slot++)
		if (r->span[slot])
			random_free(r, slot);
	heap_finish(test, r->h);
}

static struct kunit_case mheap_cases[] = {
	KUNIT_CASE(mheap_alloc_falling_orders),
	KUNIT_CASE(mheap_alloc_asks_no_smaller_block),
	KUNIT_CASE(mheap_alloc_failing_source),
	KUNIT_CASE(mheap_alloc_exhausted),
	KUNIT_CASE(mheap_alloc_lowest_fit),
	KUNIT_CASE(mheap_alloc_after_failed_search),
	KUNIT_CASE(mheap_alloc_aligned),
	KUNIT_CASE(mheap_alloc_chunk_owned_in_part),
	KUNIT_CASE(mheap_alloc_two_chunks_rising),
	KUNIT_CASE(mheap_alloc_two_chunks_falling),
	KUNIT_CASE(mheap_free_coalesces),
	KUNIT_CASE(mheap_free_large_verdicts),
	KUNIT_CASE(mheap_destroy_live_spans),
	KUNIT_CASE(mheap_random_against_oracle),
	{}
};

static struct kunit_suite mheap_suite = {
	.name = "gospan_mheap",
	.init = mheap_test_init,
	.test_cases = mheap_cases,
};

kunit_test_suite(mheap_suite);
