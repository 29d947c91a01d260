// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of memory that need not be contiguous: who gets an object and who
 * vmalloc memory, how it changes its size across that border, and that it is wiped.
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
#define LARGEST	GOSPAN_MAX_BYTES

static void kvalloc_small_and_large(struct kunit *test)
{
	unsigned int i;
	u8 *p;

	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		size_t size = gospan_kunit_sizes[i];

		p = gospan_kvalloc(size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_FALSE(test, is_vmalloc_addr(p));
		KUNIT_EXPECT_TRUE(test, gospan_owns(p));
		KUNIT_EXPECT_EQ(test, gospan_size(p), gospan_size_roundup(size));
		memset(p, JUNK, size);
		gospan_kvfree(p);
		p = gospan_kvalloc(size, GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, size));
		gospan_kvfree(p);
	}
	/* The largest, from wherever it is to be had. */
	p = gospan_kvalloc(GOSPAN_MAX_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, JUNK, GOSPAN_MAX_BYTES);
	gospan_kvfree(p);
}

static void kvalloc_beyond_largest(struct kunit *test)
{
	static const size_t sizes[] = { KMALLOC_MAX_SIZE + 1, 2 * KMALLOC_MAX_SIZE + 5 };
	static const gfp_t gfps[] = { GFP_KERNEL | __GFP_ZERO, GFP_KERNEL | __GFP_NOFAIL |
				      __GFP_ZERO, GFP_KERNEL_ACCOUNT | __GFP_ZERO };
	unsigned long before = gospan_report_count();
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(gfps); j++) {
			u8 *p = gospan_kvalloc(sizes[i], gfps[j]);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
			KUNIT_EXPECT_FALSE(test, gospan_owns(p));
			KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, sizes[i]));
			memset(p, JUNK, sizes[i]);
			gospan_kvfree(p);
		}
	}
	KUNIT_EXPECT_NULL(test, gospan_kvalloc(SIZE_MAX, GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
}

/* Who may not sleep gets no vmalloc memory, but what there is of ours. */
static void kvalloc_atomic(struct kunit *test)
{
	void *p;

	KUNIT_EXPECT_NULL(test, gospan_kvalloc(KMALLOC_MAX_SIZE + 1, GFP_ATOMIC));
	KUNIT_EXPECT_NULL(test, gospan_kvalloc(KMALLOC_MAX_SIZE + 1, GFP_NOWAIT));
	p = gospan_kvalloc(100, GFP_ATOMIC);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, gospan_owns(p));
	gospan_kvfree(p);
	p = gospan_kvalloc(100000, GFP_ATOMIC);
	KUNIT_EXPECT_FALSE(test, is_vmalloc_addr(p));
	gospan_kvfree(p);
}

static void kvalloc_nothing(struct kunit *test)
{
	unsigned long before = gospan_report_count();

	KUNIT_EXPECT_PTR_EQ(test, gospan_kvalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, gospan_kvalloc(0, GFP_ATOMIC), ZERO_SIZE_PTR);
	KUNIT_EXPECT_NULL(test, gospan_kvalloc(100, GFP_KERNEL | __GFP_DMA));
	KUNIT_EXPECT_NULL(test, gospan_kvalloc(100000, GFP_KERNEL | __GFP_DMA32));
	gospan_kvfree(NULL);
	gospan_kvfree(ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
	/* Misuse is seen as ever. */
	gospan_kvfree(test);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
}

struct kvrealloc_step {
	const char *name;
	size_t old_size, new_size;
	bool stays;
};

static const struct kvrealloc_step kvrealloc_steps[] = {
	{ "small_within_class", 100, 112, true },
	{ "small_grows", 100, 5000, false },
	{ "small_shrinks", 5000, 100, true },
	{ "small_to_vmalloc", 5000, LARGEST + 1, false },
	{ "large_shrinks", 200000, 50000, true },
	{ "large_grows", 200000, 300000, true },
	{ "large_to_vmalloc", 200000, LARGEST + 5 * PAGE_SIZE, false },
	{ "vmalloc_grows", LARGEST + 1, 2 * LARGEST, false },
	{ "vmalloc_shrinks", LARGEST + 100, LARGEST + 1, true },
	{ "vmalloc_to_small_size", LARGEST + 100, 10, true },
	{ "same", LARGEST + 100, LARGEST + 100, true },
};

static void kvrealloc_step_name(const struct kvrealloc_step *step, char *name)
{
	strscpy(name, step->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kvrealloc, kvrealloc_steps, kvrealloc_step_name);

/* The first bytes stay, what comes after is zero where that is asked for, nothing is lost. */
static void kvrealloc_keeps_bytes(struct kunit *test)
{
	const struct kvrealloc_step *step = test->param_value;
	size_t both = min(step->old_size, step->new_size);
	u8 *p, *q;

	/* So that what is behind an object is free. */
	gospan_trim();
	p = gospan_kvalloc(step->old_size, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, JUNK, step->old_size);
	q = gospan_kvrealloc(p, step->old_size, step->new_size, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_EQ(test, p == q, step->stays);
	/* What it looks at below was asked for once. */
	OPTIMIZER_HIDE_VAR(q);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, JUNK, both));
	KUNIT_EXPECT_NULL(test, memchr_inv(q + both, 0,
					   max(step->old_size, step->new_size) - both));
	gospan_kvfree(q);
}

static void kvrealloc_nothing(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	void *p = gospan_kvrealloc(NULL, 0, 100, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_PTR_EQ(test, gospan_kvrealloc(p, 100, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	p = gospan_kvrealloc(ZERO_SIZE_PTR, 0, LARGEST + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_PTR_EQ(test, gospan_kvrealloc(p, LARGEST + 1, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
	/* Nothing of ours. */
	KUNIT_EXPECT_NULL(test, gospan_kvrealloc(test, 8, 100, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
}

/* Who may not sleep cannot have more than an object; what there was stays. */
static void kvrealloc_failure_keeps_memory(struct kunit *test)
{
	u8 *p = gospan_kvalloc(1000, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, JUNK, 1000);
	KUNIT_EXPECT_NULL(test, gospan_kvrealloc(p, 1000, LARGEST + 1, GFP_ATOMIC));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, JUNK, 1000));
	gospan_kvfree(p);
}

static void kvfree_sensitive_wipes(struct kunit *test)
{
	u8 *p = gospan_kvalloc(512, GFP_KERNEL), *q;

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, JUNK, 512);
	gospan_kvfree_sensitive(p, 512);
	/* The CPU's magazine gives it again. */
	preempt_disable();
	p = gospan_alloc(512, GFP_NOWAIT);
	if (p)
		memset(p, JUNK, 512);
	gospan_kvfree_sensitive(p, 512);
	q = gospan_alloc(512, GFP_NOWAIT);
	preempt_enable();
	OPTIMIZER_HIDE_VAR(q);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_PTR_EQ(test, q, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0, 512));
	gospan_free(q);
	p = gospan_kvalloc(LARGEST + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gospan_kvfree_sensitive(p, LARGEST + 1);
	gospan_kvfree_sensitive(NULL, 100);
	gospan_kvfree_sensitive(ZERO_SIZE_PTR, 100);
}

static struct kunit_case kvalloc_cases[] = {
	KUNIT_CASE(kvalloc_small_and_large),
	KUNIT_CASE(kvalloc_beyond_largest),
	KUNIT_CASE(kvalloc_atomic),
	KUNIT_CASE(kvalloc_nothing),
	KUNIT_CASE_PARAM(kvrealloc_keeps_bytes, kvrealloc_gen_params),
	KUNIT_CASE(kvrealloc_nothing),
	KUNIT_CASE(kvrealloc_failure_keeps_memory),
	KUNIT_CASE(kvfree_sensitive_wipes),
	{}
};

static struct kunit_suite kvalloc_suite = {
	.name = "gospan_kvalloc",
	.init = gospan_kunit_init,
	.test_cases = kvalloc_cases,
};

kunit_test_suite(kvalloc_suite);
