// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what stays with the page heap's pages from span to span: descriptors,
 * and whether they hold zeros.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/string.h>
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"
#include "source.h"

#define JUNK	0xa5

static const struct gospan_kunit_block whole_chunk[] = { { 0, 9 } };

static int mheap_reuse_test_init(struct kunit *test)
{
	gospan_kunit_source_make(test, 1);
	return 0;
}

static struct gospan_mheap *heap_make(struct kunit *test)
{
	gospan_kunit_source_give(whole_chunk, ARRAY_SIZE(whole_chunk));
	return gospan_kunit_heap_make(test, false);
}

static struct gospan_span *take_small(struct gospan_mheap *h, unsigned int sizeclass)
{
	return gospan_kunit_take_small(h, gospan_make_spanclass(sizeclass, false), GFP_KERNEL);
}

static void give_small(struct gospan_mheap *h, struct gospan_span *s)
{
	gospan_arena_retract(&h->arenas, s);
	gospan_mheap_free(h, s);
}

/* The next span on a page has the descriptor of the last one. */
static void mheap_alloc_reuses_descriptor(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test);
	struct gospan_span *s = gospan_kunit_take(h, 3, 1), *old = s;
	size_t sys_bytes = gospan_span_sys_bytes(s);
	unsigned int round;

	for (round = 1; round < 5; round++) {
		gospan_kunit_give(h, s);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes), sys_bytes);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
		s = gospan_kunit_take(h, round, 1);
		KUNIT_EXPECT_PTR_EQ(test, s, old);
		KUNIT_EXPECT_EQ(test, s->npages, round);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes), sys_bytes);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	}
	gospan_kunit_give(h, s);
	gospan_kunit_heap_finish(test, h);
}

/* Over pages with several, one is used, wherever it lies, and the others go. */
static void mheap_alloc_drops_other_descriptors(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test);
	struct gospan_span *s[6], *all;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s); i++)
		s[i] = gospan_kunit_take(h, 2, 1);
	for (i = 0; i < ARRAY_SIZE(s); i++)
		gospan_kunit_give(h, s[i]);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes),
			ARRAY_SIZE(s) * gospan_span_sys_bytes(s[0]));
	/* The first of them is left alone. */
	s[0] = gospan_kunit_take(h, 2, 1);
	all = gospan_kunit_take(h, 9, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(all), 2);
	KUNIT_EXPECT_PTR_EQ(test, all, s[1]);
	/* Pages 2..10: the one of page 10 has gone, too. */
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes), 2 * gospan_span_sys_bytes(all));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_give(h, all);
	gospan_kunit_give(h, s[0]);
	gospan_kunit_heap_finish(test, h);
}

/* One for a large object has no room for the bits of 1024 slots; the other way it has. */
static void mheap_alloc_descriptor_too_small(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test);
	struct gospan_span *large = gospan_kunit_take(h, 1, 1), *small;
	unsigned int nr_words = gospan_span_nr_words(gospan_class_nelems(1)), max_words;

	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_ASSERT_LT(test, large->max_words, nr_words);
	gospan_kunit_give(h, large);
	small = take_small(h, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(small), 0);
	KUNIT_EXPECT_GE(test, small->max_words, nr_words);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes), gospan_span_sys_bytes(small));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	max_words = small->max_words;
	give_small(h, small);
	large = gospan_kunit_take(h, 5, 1);
	KUNIT_EXPECT_PTR_EQ(test, large, small);
	KUNIT_EXPECT_EQ(test, large->max_words, max_words);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_give(h, large);
	gospan_kunit_heap_finish(test, h);
}

/* The pages go back, with the descriptor that was too small. */
static void mheap_alloc_without_memory_for_descriptor(struct kunit *test)
{
	unsigned int spanclass = gospan_make_spanclass(1, false);
	struct gospan_span *large, *s;
	struct gospan_mheap *h;
	long span_bytes;

	if (!gospan_kunit_can_fail())
		kunit_skip(test, "no CONFIG_FAULT_INJECTION or no CONFIG_FAILSLAB");
	h = heap_make(test);
	large = gospan_kunit_take(h, 1, 1);
	KUNIT_ASSERT_NOT_NULL(test, large);
	gospan_kunit_give(h, large);
	span_bytes = atomic_long_read(&h->span_bytes);
	gospan_kunit_fail_nth(1);
	s = gospan_kunit_take_small(h, spanclass, GFP_NOWAIT | __GFP_NOWARN);
	KUNIT_EXPECT_EQ(test, gospan_kunit_fail_left(), 0);
	gospan_kunit_fail_nth(0);
	KUNIT_EXPECT_NULL(test, s);
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(h), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes), span_bytes);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	/* A large object needs no memory but its pages. */
	gospan_kunit_fail_nth(1);
	s = gospan_kunit_take_gfp(h, 1, GFP_NOWAIT | __GFP_NOWARN);
	KUNIT_EXPECT_EQ(test, gospan_kunit_fail_left(), 1);
	gospan_kunit_fail_nth(0);
	KUNIT_EXPECT_PTR_EQ(test, s, large);
	gospan_kunit_give(h, large);
	gospan_kunit_heap_finish(test, h);
}

static struct gospan_span *take_zeroed(struct gospan_mheap *h, unsigned int npages)
{
	return gospan_kunit_take_gfp(h, npages, GFP_KERNEL | __GFP_ZERO);
}

/* Is all of the span @byte, from page @first on? */
static bool span_has(const struct gospan_span *s, unsigned int first, u8 byte)
{
	size_t skip = (size_t)first << GOSPAN_PAGE_SHIFT;

	return !memchr_inv(gospan_kunit_start(s) + skip, byte, gospan_kunit_bytes(s) - skip);
}

/* What the source says to be zeros is not written; one that was used is. */
static void mheap_alloc_zero_once(struct kunit *test)
{
	struct gospan_mheap *h;
	struct gospan_span *first, *s;

	gospan_kunit_source.zeroes = true;
	h = heap_make(test);
	first = gospan_kunit_take(h, 1, 1);
	KUNIT_ASSERT_NOT_NULL(test, first);
	/* Behind the heap's back, to see what it does. */
	memset((void *)gospan_kunit_source_addr(1), JUNK, 511 * GOSPAN_PAGE_SIZE);
	s = take_zeroed(h, 4);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 1);
	KUNIT_EXPECT_TRUE(test, span_has(s, 0, JUNK));
	gospan_kunit_give(h, s);
	/* Pages 1..4 were used since, 5 was not. */
	s = take_zeroed(h, 5);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(gospan_kunit_start(s), 0, 4 * GOSPAN_PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, span_has(s, 4, JUNK));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	gospan_kunit_give(h, s);
	/* Nobody asked for zeros: as they are. */
	s = gospan_kunit_take(h, 6, 1);
	KUNIT_EXPECT_TRUE(test, span_has(s, 4, JUNK));
	gospan_kunit_give(h, s);
	s = take_zeroed(h, 6);
	KUNIT_EXPECT_TRUE(test, span_has(s, 0, 0));
	KUNIT_EXPECT_TRUE(test, gospan_mheap_extend_large(h, s, 8, true));
	KUNIT_EXPECT_TRUE(test, span_has(s, 6, JUNK));
	gospan_kunit_give(h, s);
	gospan_kunit_give(h, first);
	gospan_kunit_heap_finish(test, h);
}

static void mheap_alloc_zero_of_dirty_source(struct kunit *test)
{
	struct gospan_mheap *h = heap_make(test);
	struct gospan_span *s;

	memset((void *)gospan_kunit_source_addr(0), JUNK, GOSPAN_CHUNK_BYTES);
	s = take_zeroed(h, 512);
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_TRUE(test, span_has(s, 0, 0));
	gospan_kunit_give(h, s);
	gospan_kunit_heap_finish(test, h);
}

/* Pages that went back are not what they were. */
static void mheap_alloc_zero_of_pages_back_again(struct kunit *test)
{
	struct gospan_mheap *h;
	struct gospan_span *s;

	gospan_kunit_source.pick = gospan_kunit_pick_lowest;
	gospan_kunit_source.zeroes = true;
	h = gospan_kunit_heap_make(test, false);
	s = gospan_kunit_take(h, 1, 1);
	KUNIT_ASSERT_EQ(test, gospan_kunit_page_of(s), 0);
	while (gospan_supply_release(h, page_to_nid(virt_to_page((void *)s->base)), 512))
		;
	gospan_kunit_source.zeroes = false;
	memset((void *)gospan_kunit_source_addr(1), JUNK, 7 * GOSPAN_PAGE_SIZE);
	gospan_kunit_give(h, s);
	s = take_zeroed(h, 8);
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_TRUE(test, span_has(s, 0, 0));
	gospan_kunit_give(h, s);
	gospan_kunit_heap_finish(test, h);
}

static struct kunit_case mheap_reuse_cases[] = {
	KUNIT_CASE(mheap_alloc_reuses_descriptor),
	KUNIT_CASE(mheap_alloc_drops_other_descriptors),
	KUNIT_CASE(mheap_alloc_descriptor_too_small),
	KUNIT_CASE(mheap_alloc_without_memory_for_descriptor),
	KUNIT_CASE(mheap_alloc_zero_once),
	KUNIT_CASE(mheap_alloc_zero_of_dirty_source),
	KUNIT_CASE(mheap_alloc_zero_of_pages_back_again),
	{}
};

static struct kunit_suite mheap_reuse_suite = {
	.name = "gospan_mheap_reuse",
	.init = mheap_reuse_test_init,
	.test_cases = mheap_reuse_cases,
};

kunit_test_suite(mheap_reuse_suite);
