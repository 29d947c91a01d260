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

/* Both sides of the ends of classes; a size alone, because it names a function. */
#define FOR_EACH_CONSTANT(each)							\
	each(1) each(7) each(8) each(9) each(16) each(17) each(24) each(25)	\
	each(48) each(64) each(100) each(256) each(257) each(512) each(1000)	\
	each(1024) each(1025) each(1152) each(1153) each(2048) each(4096)	\
	each(4097) each(8192) each(9000) each(16384) each(16385) each(28672)	\
	each(28673) each(32767) each(32768) each(32769) each(65536) each(100000)

struct constant_size {
	size_t size;
	void *(*alloc)(gfp_t gfp);
};

#define DEFINE_ALLOC(bytes)							\
static noinline void *alloc_##bytes(gfp_t gfp)					\
{										\
	return gospan_alloc(bytes, gfp);					\
}

FOR_EACH_CONSTANT(DEFINE_ALLOC)

#define CONSTANT(bytes)		{ bytes, alloc_##bytes },

static const struct constant_size constant_sizes[] = { FOR_EACH_CONSTANT(CONSTANT) };

static void constant_size_name(const struct constant_size *c, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%zu", c->size);
}

KUNIT_ARRAY_PARAM(constant, constant_sizes, constant_size_name);

/* What the table finds at run time is the oracle. */
static void alloc_constant_size(struct kunit *test)
{
	const struct constant_size *c = test->param_value;
	size_t usable = gospan_size_roundup(c->size);
	u8 *p = c->alloc(GFP_KERNEL), *q;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, gospan_size(p), usable);
	KUNIT_EXPECT_EQ(test, (unsigned long)p % GOSPAN_MIN_ALIGN, 0);
	if (is_power_of_2(c->size))
		KUNIT_EXPECT_EQ(test, (unsigned long)p % c->size, 0);
	memset(p, JUNK, usable);
	gospan_free(p);
	q = c->alloc(GFP_NOWAIT | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_PTR_EQ(test, q, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0, usable));
	gospan_free(q);
	KUNIT_EXPECT_NULL(test, c->alloc(GFP_KERNEL | __GFP_DMA));
	/* Found and left where an object of a size that is not constant is. */
	q = gospan_alloc(c->size, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, q, p);
	gospan_free(q);
}

/* While the mcache is claimed, and after it was emptied. */
static void alloc_constant_size_slow(struct kunit *test)
{
	const struct constant_size *c = test->param_value;
	struct gospan_mcache *mcache, **slot;
	void *p, *q;

	gospan_kunit_flush();
	p = c->alloc(GFP_KERNEL);
	slot = gospan_mcache_claim(&mcache);
	q = c->alloc(GFP_NOWAIT);
	gospan_mcache_release(slot, mcache);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, gospan_size(p), gospan_size_roundup(c->size));
	KUNIT_EXPECT_PTR_NE(test, p, q);
	/* On PREEMPT_RT there may be no page to cut. */
	if (q || !IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_EQ(test, gospan_size(q), gospan_size_roundup(c->size));
	gospan_free(p);
	gospan_free(q);
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
	DYNAMIC(gospan_kvalloc(size, GFP_KERNEL), size);
	DYNAMIC(gospan_kvzalloc(size, GFP_KERNEL), size);
	DYNAMIC(gospan_realloc(NULL, size, GFP_KERNEL), size);
	DYNAMIC(gospan_memdup("a string of more than it takes", size, GFP_KERNEL), size);
	DYNAMIC(gospan_alloc_array(n, size, GFP_KERNEL), n * size);
	DYNAMIC(gospan_calloc(n, size, GFP_KERNEL), n * size);
	DYNAMIC(gospan_realloc_array(NULL, n, size, GFP_KERNEL), n * size);
#else
	kunit_skip(test, "the compiler has no __builtin_dynamic_object_size()");
#endif
}

static struct kunit_case constant_cases[] = {
	KUNIT_CASE_PARAM(alloc_constant_size, constant_gen_params),
	KUNIT_CASE_PARAM(alloc_constant_size_slow, constant_gen_params),
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
