// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of arrays, in objects and in memory that need not be contiguous: the
 * product of two sizes, and what is to be zero of it.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/report.h"
#include "helper.h"

#define JUNK	0xa5

/* A product that fits, for all functions; or one that does not. */
struct array_shape {
	size_t n;
	size_t size;
};

static const struct array_shape array_shapes[] = {
	{ 0, 0 }, { 0, 8 }, { 8, 0 }, { 0, SIZE_MAX }, { SIZE_MAX, 0 },
	{ 1, 1 }, { 1, 100 }, { 100, 1 }, { 7, 9 }, { 64, 64 }, { 3, 1000 },
	{ 1024, 32 }, { 1025, 32 }, { 10, 40000 }, { 1, KMALLOC_MAX_SIZE },
};

static const struct array_shape overflows[] = {
	{ SIZE_MAX, 2 }, { 2, SIZE_MAX }, { SIZE_MAX, SIZE_MAX }, { SIZE_MAX / 2 + 1, 2 },
	/* The product, wrapped, is 0; 8; 16. */
	{ 1UL << (BITS_PER_LONG / 2), 1UL << (BITS_PER_LONG / 2) },
	{ SIZE_MAX / 8 + 2, 8 }, { SIZE_MAX / 16 + 2, 16 },
};

struct array_function {
	const char *name;
	void *(*alloc)(size_t n, size_t size, gfp_t gfp);
	bool zeroed;
};

static void *call_alloc_array(size_t n, size_t size, gfp_t gfp)
{
	return gospan_alloc_array(n, size, gfp);
}

static void *call_calloc(size_t n, size_t size, gfp_t gfp)
{
	return gospan_calloc(n, size, gfp);
}

static void *call_realloc_array(size_t n, size_t size, gfp_t gfp)
{
	return gospan_realloc_array(NULL, n, size, gfp);
}

static void *call_kvalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return gospan_kvalloc_array(n, size, gfp);
}

static void *call_kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return gospan_kvcalloc(n, size, gfp);
}

static const struct array_function array_functions[] = {
	{ "alloc_array", call_alloc_array, false },
	{ "calloc", call_calloc, true },
	{ "realloc_array", call_realloc_array, false },
	{ "kvalloc_array", call_kvalloc_array, false },
	{ "kvcalloc", call_kvcalloc, true },
};

static void array_function_name(const struct array_function *f, char *name)
{
	strscpy(name, f->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(array, array_functions, array_function_name);

/* Twice: the second time the memory is dirty. */
static void array_has_product(struct kunit *test)
{
	const struct array_function *f = test->param_value;
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(array_shapes); i++) {
		const struct array_shape *shape = &array_shapes[i / 2];
		size_t bytes = shape->n * shape->size, usable = gospan_size_roundup(bytes);
		void *p = f->alloc(shape->n, shape->size, GFP_KERNEL);

		if (!bytes) {
			KUNIT_EXPECT_PTR_EQ(test, p, ZERO_SIZE_PTR);
			continue;
		}
		KUNIT_ASSERT_NOT_NULL(test, p);
		/* The largest of all need not be had in a row. */
		if (is_vmalloc_addr(p))
			usable = bytes;
		else
			KUNIT_EXPECT_EQ(test, gospan_size(p), usable);
		if (f->zeroed)
			KUNIT_EXPECT_NULL_MSG(test, memchr_inv(p, 0, usable), "%zu * %zu",
					      shape->n, shape->size);
		memset(p, JUNK, usable);
		gospan_kvfree(p);
	}
}

/* Silently: to ask for too much is no misuse. */
static void array_overflow(struct kunit *test)
{
	const struct array_function *f = test->param_value;
	unsigned long before = gospan_report_count();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(overflows); i++)
		KUNIT_EXPECT_NULL_MSG(test, f->alloc(overflows[i].n, overflows[i].size, GFP_KERNEL),
				      "%zu * %zu", overflows[i].n, overflows[i].size);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
}

static void realloc_array_overflow_keeps_object(struct kunit *test)
{
	u8 *p = gospan_alloc_array(10, 20, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, JUNK, 200);
	for (i = 0; i < ARRAY_SIZE(overflows); i++)
		KUNIT_EXPECT_NULL(test, gospan_realloc_array(p, overflows[i].n, overflows[i].size,
							     GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, gospan_size(p), gospan_size_roundup(200));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, JUNK, 200));
	gospan_free(p);
}

static void realloc_array_keeps_contents(struct kunit *test)
{
	u8 *p = gospan_alloc_array(10, 20, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, JUNK, 200);
	p = gospan_realloc_array(p, 50, 20, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, gospan_size(p), gospan_size_roundup(1000));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, JUNK, 200));
	p = gospan_realloc_array(p, 5, 20, GFP_KERNEL);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, JUNK, 100));
	KUNIT_EXPECT_PTR_EQ(test, gospan_realloc_array(p, 0, 20, GFP_KERNEL), ZERO_SIZE_PTR);
}

static void kvzalloc_every_size(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 2 * gospan_kunit_nr_sizes; i++) {
		size_t size = gospan_kunit_sizes[i / 2];
		void *p = gospan_kvzalloc(size, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(p, 0, size), "%zu bytes", size);
		memset(p, JUNK, size);
		gospan_kvfree(p);
	}
	KUNIT_EXPECT_PTR_EQ(test, gospan_kvzalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
}

/* More than gospan has objects for. */
static void kvcalloc_beyond_largest(struct kunit *test)
{
	size_t n = 3, size = KMALLOC_MAX_SIZE / 2;
	u8 *p = gospan_kvcalloc(n, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, n * size));
	gospan_kvfree(p);
	KUNIT_EXPECT_NULL(test, gospan_kvcalloc(n, size, GFP_NOWAIT));
}

static struct kunit_case array_cases[] = {
	KUNIT_CASE_PARAM(array_has_product, array_gen_params),
	KUNIT_CASE_PARAM(array_overflow, array_gen_params),
	KUNIT_CASE(realloc_array_overflow_keeps_object),
	KUNIT_CASE(realloc_array_keeps_contents),
	KUNIT_CASE(kvzalloc_every_size),
	KUNIT_CASE(kvcalloc_beyond_largest),
	{}
};

static struct kunit_suite array_suite = {
	.name = "gospan_array",
	.init = gospan_kunit_init,
	.test_cases = array_cases,
};

kunit_test_suite(array_suite);
