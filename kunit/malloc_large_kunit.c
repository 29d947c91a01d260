// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the API for what takes many pages: objects that grow where they are
 * or move.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"

#define JUNK	0xa5
/* More than page caches serve, no power of two. */
#define NPAGES	20U
#define BYTES	((size_t)NPAGES << GOSPAN_PAGE_SHIFT)

/* Are the @npages that follow an object free? */
static bool is_free_behind(const void *p, unsigned int npages)
{
	unsigned long limit = (unsigned long)p + gospan_size(p);
	const struct gospan_chunk *chunk = gospan_arena_chunk_of(&gospan_heap.arenas,
								 (unsigned long)p);

	return gospan_pagealloc_all_free(&chunk->home->pages, gospan_addr_page(limit), npages);
}

static void free_action(void *p)
{
	gospan_free(p);
}

/*
 * An object of NPAGES with as many free ones behind it that were written to, and no
 * such run at a lower address.
 */
static u8 *alloc_with_room(struct kunit *test)
{
	u8 *p, *q;

	for (;;) {
		p = gospan_alloc(2 * BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, JUNK, 2 * BYTES);
		gospan_free(p);
		q = gospan_alloc(BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		if (q == p)
			break;
		/* In a hole that is too short for both: filled until the test ends. */
		KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_action, q), 0);
	}
	KUNIT_ASSERT_TRUE(test, is_free_behind(q, NPAGES));
	memset(q, 1, BYTES);
	return q;
}

static void realloc_large_in_place(struct kunit *test)
{
	struct gospan_large_count before, after;
	u8 *p = alloc_with_room(test);
	size_t size;

	before = gospan_mheap_large(&gospan_heap);
	for (size = BYTES + 1; size < 2 * BYTES; size += 5 * GOSPAN_PAGE_SIZE) {
		size_t usable = gospan_size_roundup(size);

		KUNIT_ASSERT_PTR_EQ(test, gospan_realloc(p, size, GFP_KERNEL), p);
		KUNIT_EXPECT_EQ(test, gospan_size(p), usable);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 1, BYTES));
		KUNIT_EXPECT_TRUE(test, gospan_owns(p + usable - 1));
		KUNIT_EXPECT_FALSE(test, gospan_owns(p + usable));
	}
	after = gospan_mheap_large(&gospan_heap);
	/* No other object, not for a moment. */
	KUNIT_EXPECT_EQ(test, after.mallocs, before.mallocs);
	KUNIT_EXPECT_EQ(test, after.frees, before.frees);
	KUNIT_EXPECT_EQ(test, after.alloc_pages - before.alloc_pages,
			(gospan_size(p) >> GOSPAN_PAGE_SHIFT) - NPAGES);
	/* Less than it has. */
	KUNIT_EXPECT_PTR_EQ(test, gospan_realloc(p, 1, GFP_KERNEL), p);
	KUNIT_EXPECT_PTR_EQ(test, gospan_realloc(p, BYTES, GFP_KERNEL), p);
	gospan_free(p);
	after = gospan_mheap_large(&gospan_heap);
	/* What it began with, too. */
	KUNIT_EXPECT_EQ(test, after.alloc_pages - before.alloc_pages + NPAGES,
			after.free_pages - before.free_pages);
}

static void realloc_large_in_place_zeroes(struct kunit *test)
{
	u8 *p = alloc_with_room(test);

	KUNIT_ASSERT_PTR_EQ(test, gospan_realloc(p, 2 * BYTES - 1, GFP_KERNEL | __GFP_ZERO), p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 1, BYTES));
	KUNIT_EXPECT_NULL(test, memchr_inv(p + BYTES, 0, BYTES));
	gospan_free(p);
}

/* Something lives behind it. */
static void realloc_large_moves(struct kunit *test)
{
	u8 *p = alloc_with_room(test), *behind = gospan_alloc(BYTES, GFP_KERNEL), *q;

	KUNIT_ASSERT_PTR_EQ(test, behind, p + BYTES);
	memset(behind, 2, BYTES);
	q = gospan_realloc(p, BYTES + 1, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_PTR_NE(test, q, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 1, BYTES));
	KUNIT_EXPECT_NULL(test, memchr_inv(q + BYTES, 0, GOSPAN_PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(behind, 2, BYTES));
	KUNIT_EXPECT_FALSE(test, gospan_owns(p));
	gospan_free(q);
	gospan_free(behind);
}

/* A power of two lies at a multiple of itself, wherever it comes from. */
static void realloc_large_to_power_of_two(struct kunit *test)
{
	size_t size = roundup_pow_of_two(BYTES);
	u8 *p, *q;

	for (; size <= GOSPAN_MAX_BYTES; size *= 2) {
		p = alloc_with_room(test);
		q = gospan_realloc(p, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_EQ(test, (unsigned long)q % size, 0);
		KUNIT_EXPECT_EQ(test, gospan_size(q), size);
		KUNIT_EXPECT_NULL(test, memchr_inv(q, 1, BYTES));
		gospan_free(q);
	}
}

/* From classes to pages and back again, with contents. */
static void realloc_small_and_large(struct kunit *test)
{
	static const size_t sizes[] = {
		100, 40000, 200000, GOSPAN_MAX_SMALL_BYTES, 32769, 1000000, 8, 1000001, SZ_1M,
	};
	u8 *p = gospan_alloc(8, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 3, 8);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t old = gospan_size(p);
		u8 *q = gospan_realloc(p, sizes[i], GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(q, 3, min(old, sizes[i])), "%zu to %zu",
				      old, sizes[i]);
		p = q;
		memset(p, 3, gospan_size(p));
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
	gospan_free(p);
}

static void realloc_large_failure_keeps_object(struct kunit *test)
{
	u8 *p = alloc_with_room(test);

	KUNIT_EXPECT_NULL(test, gospan_realloc(p, KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gospan_realloc(p, SIZE_MAX, GFP_KERNEL));
	/* Used to be made longer with pages that are from no such zone. */
	KUNIT_EXPECT_NULL(test, gospan_realloc(p, BYTES + 1, GFP_KERNEL | __GFP_DMA));
	KUNIT_EXPECT_EQ(test, gospan_size(p), BYTES);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 1, BYTES));
	gospan_free(p);
}

/* Half a page more than the last, up to the largest; all at once, then in another order. */
static void alloc_large_many_sizes(struct kunit *test)
{
	u8 *p[40];
	size_t size[ARRAY_SIZE(p)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		size[i] = GOSPAN_MAX_SMALL_BYTES + 1 + i * 3 * GOSPAN_PAGE_SIZE / 2;
		p[i] = gospan_alloc(size[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		KUNIT_EXPECT_EQ(test, gospan_size(p[i]), gospan_size_roundup(size[i]));
		memset(p[i], i, gospan_size(p[i]));
	}
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		unsigned int at = i * 7 % ARRAY_SIZE(p);

		KUNIT_EXPECT_NULL(test, memchr_inv(p[at], at, gospan_size(p[at])));
		gospan_free(p[at]);
	}
}

/* Of kmalloc the largest power of two that divides the size is promised. */
static void alloc_large_aligned(struct kunit *test)
{
	size_t size, align, page = GOSPAN_PAGE_SIZE;
	void *odd, *p;

	for (size = 5 * page; size <= 70 * page; size += page) {
		align = BIT(__ffs(size));
		/* So that what is free begins at an odd page every other time. */
		odd = gospan_alloc(5 * page, GFP_KERNEL);
		p = gospan_alloc(size, GFP_KERNEL);
		KUNIT_ASSERT_TRUE(test, odd && p);
		KUNIT_EXPECT_EQ_MSG(test, (unsigned long)p % align, 0, "%zu bytes", size);
		/* Where it is made longer, too, in place or not. */
		align = BIT(__ffs(size + page));
		p = gospan_realloc(p, size + page, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ_MSG(test, (unsigned long)p % align, 0, "to %zu bytes", size + page);
		gospan_free(p);
		gospan_free(odd);
	}
}

static struct kunit_case malloc_large_cases[] = {
	KUNIT_CASE(alloc_large_many_sizes),
	KUNIT_CASE(alloc_large_aligned),
	KUNIT_CASE(realloc_large_in_place),
	KUNIT_CASE(realloc_large_in_place_zeroes),
	KUNIT_CASE(realloc_large_moves),
	KUNIT_CASE(realloc_large_to_power_of_two),
	KUNIT_CASE(realloc_small_and_large),
	KUNIT_CASE(realloc_large_failure_keeps_object),
	{}
};

static struct kunit_suite malloc_large_suite = {
	.name = "gospan_malloc_large",
	.init = gospan_kunit_init,
	.test_cases = malloc_large_cases,
};

kunit_test_suite(malloc_large_suite);
