// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of __free(gospan) and __free(gospan_kv): what a scope that is left
 * gives back, and what it does not. None where there is no <linux/cleanup.h>.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/gospan.h>
#include "../src/report.h"
#include "helper.h"

#ifdef DEFINE_FREE

static int leave_early(bool early, void **small, void **large)
{
	void *p __free(gospan) = gospan_alloc(100, GFP_KERNEL);
	void *q __free(gospan_kv) = gospan_kvalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL);

	if (!p || !q)
		return -ENOMEM;
	*small = p;
	*large = q;
	if (early)
		return -EINTR;
	*small = no_free_ptr(p);
	*large = no_free_ptr(q);
	return 0;
}

static void free_at_end_of_scope(struct kunit *test)
{
	void *small, *large, *again;

	KUNIT_ASSERT_EQ(test, leave_early(true, &small, &large), -EINTR);
	again = gospan_alloc(100, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, again, small);
	gospan_free(again);
	/* That nothing stays live, the suite looks at; vmalloc memory it does not see. */
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(large));
}

static void free_not_what_was_taken_out(struct kunit *test)
{
	void *small, *large, *other;

	KUNIT_ASSERT_EQ(test, leave_early(false, &small, &large), 0);
	other = gospan_alloc(100, GFP_KERNEL);
	KUNIT_EXPECT_PTR_NE(test, other, small);
	KUNIT_EXPECT_NOT_NULL(test, vmalloc_to_page(large));
	gospan_free(other);
	gospan_free(small);
	gospan_kvfree(large);
}

/* An error in a pointer is no object. */
static void free_nothing(struct kunit *test)
{
	void *const nothing[] = { NULL, ZERO_SIZE_PTR, ERR_PTR(-ENOMEM), ERR_PTR(-1) };
	unsigned long before = gospan_report_count();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nothing); i++) {
		void *p __free(gospan) = nothing[i];
		void *q __free(gospan_kv) = nothing[i];

		KUNIT_EXPECT_PTR_EQ(test, p, q);
	}
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
}

static struct kunit_case cleanup_cases[] = {
	KUNIT_CASE(free_at_end_of_scope),
	KUNIT_CASE(free_not_what_was_taken_out),
	KUNIT_CASE(free_nothing),
	{}
};

static struct kunit_suite cleanup_suite = {
	.name = "gospan_cleanup",
	.init = gospan_kunit_init,
	.test_cases = cleanup_cases,
};

kunit_test_suite(cleanup_suite);

#endif
