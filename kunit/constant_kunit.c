// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what the compiler makes of a call: the class of a constant size, and
 * how many bytes it takes an object to have.
 */
#include <kunit/test.h>
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "helper.h"

#define JUNK	0xa5

/* What the table finds at run time is the oracle. The memory is dirty afterwards. */
static noinline void check_and_free(struct kunit *test, size_t size, u8 *p)
{
	size_t usable = gospan_size_roundup(size);

	KUNIT_ASSERT_NOT_NULL_MSG(test, p, "%zu bytes", size);
	KUNIT_EXPECT_EQ(test, gospan_size(p), usable);
	KUNIT_EXPECT_EQ(test, (unsigned long)p % (is_power_of_2(size) ? size : GOSPAN_MIN_ALIGN),
			0);
	OPTIMIZER_HIDE_VAR(p);
	memset(p, JUNK, usable);
	gospan_free(p);
}

static noinline void check_zeroed(struct kunit *test, size_t size, u8 *before, u8 *p)
{
	KUNIT_EXPECT_PTR_EQ_MSG(test, p, before, "%zu bytes", size);
	KUNIT_EXPECT_NULL_MSG(test, memchr_inv(p, 0, gospan_size_roundup(size)), "%zu bytes",
			      size);
}

static noinline void check_null(struct kunit *test, size_t size, u8 *p)
{
	KUNIT_EXPECT_NULL_MSG(test, p, "%zu bytes", size);
}

/* The compiler knows @size. From a span, dirty from a magazine, and while that is claimed. */
static __always_inline void try_size(struct kunit *test, const size_t size)
{
	struct gospan_mcache *c, **slot;
	u8 *p, *q;

	gospan_kunit_flush();
	p = gospan_alloc(size, GFP_KERNEL);
	check_and_free(test, size, p);
	q = gospan_alloc(size, GFP_KERNEL | __GFP_ZERO);
	check_zeroed(test, size, p, q);
	check_null(test, size, gospan_alloc(size, GFP_KERNEL | __GFP_DMA));
	slot = gospan_mcache_claim(&c);
	p = gospan_alloc(size, GFP_NOWAIT);
	gospan_mcache_release(slot, c);
	check_and_free(test, size, p);
	check_and_free(test, size, q);
}

static void alloc_constant_up_to_a_page(struct kunit *test)
{
	try_size(test, 1);
	try_size(test, 7);
	try_size(test, 8);
	try_size(test, 9);
	try_size(test, 16);
	try_size(test, 17);
	try_size(test, 24);
	try_size(test, 25);
	try_size(test, 48);
	try_size(test, 64);
	try_size(test, 100);
	try_size(test, 256);
	try_size(test, 257);
	try_size(test, 512);
	try_size(test, 1000);
	try_size(test, 1024);
	try_size(test, 1025);
	try_size(test, 1152);
	try_size(test, 1153);
	try_size(test, 2048);
	try_size(test, 4096);
	try_size(test, 4097);
	try_size(test, 8192);
}

static void alloc_constant_over_a_page(struct kunit *test)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT cannot grow with preemption off");
	try_size(test, 9000);
	try_size(test, 16384);
	try_size(test, 16385);
	try_size(test, 28672);
	try_size(test, 28673);
	try_size(test, 32767);
	try_size(test, 32768);
	try_size(test, 32769);
	try_size(test, 65536);
	try_size(test, 100000);
}

static void alloc_constant_zero_and_too_large(struct kunit *test)
{
	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc_array(0, 8, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_NULL(test, gospan_alloc(2 * KMALLOC_MAX_SIZE, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gospan_alloc(SIZE_MAX, GFP_KERNEL));
}

/* No branch and no table is left: that it compiles is half of the test. */
static void sizeclass_of_constant_is_constant(struct kunit *test)
{
	BUILD_BUG_ON(gospan_sizeclass_of(0) != 0);
	BUILD_BUG_ON(gospan_sizeclass_of(1) != 1);
	BUILD_BUG_ON(gospan_sizeclass_of(GOSPAN_MAX_SMALL_BYTES) != GOSPAN_NR_SIZECLASSES - 1);
	BUILD_BUG_ON(gospan_sizeclass_of(GOSPAN_MAX_SMALL_BYTES + 1) != 0);
	KUNIT_EXPECT_EQ(test, gospan_class_to_bytes[gospan_sizeclass_of(100)], 112);
}

/* Each call, by a macro, because the object must not pass through anything else. */
#define SIZED(call, bytes)							\
do {										\
	void *p_ = call;							\
										\
	KUNIT_EXPECT_EQ_MSG(test, __builtin_object_size(p_, 1), bytes, #call);	\
	gospan_kvfree(p_);							\
} while (0)

static void object_size_constant(struct kunit *test)
{
	void *old = gospan_alloc(8, GFP_KERNEL);

	SIZED(gospan_alloc(100, GFP_KERNEL), 100);
	SIZED(gospan_alloc(100000, GFP_KERNEL), 100000);
	SIZED(gospan_zalloc(64, GFP_KERNEL), 64);
	SIZED(gospan_alloc_noscan(5, GFP_KERNEL), 5);
	SIZED(gospan_alloc_array(5, 20, GFP_KERNEL), 100);
	SIZED(gospan_calloc(7, 1000, GFP_KERNEL), 7000);
	SIZED(gospan_realloc(old, 200, GFP_KERNEL), 200);
	SIZED(gospan_realloc_array(NULL, 6, 50, GFP_KERNEL), 300);
	SIZED(gospan_kvalloc(10000, GFP_KERNEL), 10000);
	SIZED(gospan_kvzalloc(10001, GFP_KERNEL), 10001);
	SIZED(gospan_kvalloc_array(3, 5000, GFP_KERNEL), 15000);
	SIZED(gospan_kvcalloc(2, 5000, GFP_KERNEL), 10000);
	SIZED(gospan_memdup("hello", 6, GFP_KERNEL), 6);
}

#define DYNAMIC(call, bytes)							\
do {										\
	void *p_ = call;							\
										\
	KUNIT_EXPECT_EQ_MSG(test, __builtin_dynamic_object_size(p_, 1), bytes, #call); \
	gospan_kvfree(p_);							\
} while (0)

/* What FORTIFY_SOURCE sees of a size that is known at run time only. */
static void object_size_dynamic(struct kunit *test)
{
#if __has_builtin(__builtin_dynamic_object_size)
	size_t n = 7, size = 30;

	OPTIMIZER_HIDE_VAR(n);
	OPTIMIZER_HIDE_VAR(size);
	DYNAMIC(gospan_alloc(size, GFP_KERNEL), size);
	DYNAMIC(gospan_zalloc(size, GFP_KERNEL), size);
	DYNAMIC(gospan_alloc_noscan(size, GFP_KERNEL), size);
	DYNAMIC(gospan_kvalloc(size, GFP_KERNEL), size);
	DYNAMIC(gospan_kvzalloc(size, GFP_KERNEL), size);
	DYNAMIC(gospan_realloc(NULL, size, GFP_KERNEL), size);
	DYNAMIC(gospan_memdup("a string of more than it takes", size, GFP_KERNEL), size);
	DYNAMIC(gospan_alloc_array(n, size, GFP_KERNEL), n * size);
	DYNAMIC(gospan_calloc(n, size, GFP_KERNEL), n * size);
	DYNAMIC(gospan_realloc_array(NULL, n, size, GFP_KERNEL), n * size);
	DYNAMIC(gospan_kvalloc_array(n, size, GFP_KERNEL), n * size);
	DYNAMIC(gospan_kvcalloc(n, size, GFP_KERNEL), n * size);
#else
	kunit_skip(test, "the compiler has no __builtin_dynamic_object_size()");
#endif
}

static struct kunit_case constant_cases[] = {
	KUNIT_CASE(alloc_constant_up_to_a_page),
	KUNIT_CASE(alloc_constant_over_a_page),
	KUNIT_CASE(alloc_constant_zero_and_too_large),
	KUNIT_CASE(sizeclass_of_constant_is_constant),
	KUNIT_CASE(object_size_constant),
	KUNIT_CASE(object_size_dynamic),
	{}
};

static struct kunit_suite constant_suite = {
	.name = "gospan_constant",
	.init = gospan_kunit_init,
	.test_cases = constant_cases,
};

kunit_test_suite(constant_suite);
