// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the API: what it promises for every size, in every context that a
 * caller can bring about, and what it makes of misuse.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "contract.h"
#include "helper.h"

#define JUNK	0xa5

static const char *contract_check(void *p, size_t size, gfp_t gfp)
{
	size_t usable = gospan_size(p);

	if (usable != gospan_size_roundup(size))
		return "roundup does not agree";
	if ((unsigned long)p % 8)
		return "not aligned to 8";
	if (is_power_of_2(size) && (unsigned long)p % size)
		return "a power of two is not aligned to itself";
	if (gfp & __GFP_ZERO && memchr_inv(p, 0, usable))
		return "not zeroed";
	return NULL;
}

static void *contract_alloc(size_t size, gfp_t gfp)
{
	return gospan_alloc(size, gfp);
}

static const struct gospan_contract alloc_contract_of = {
	.alloc = contract_alloc,
	.free = gospan_free,
	.check = contract_check,
};

KUNIT_ARRAY_PARAM(contract, gospan_contract_contexts, gospan_contract_context_name);

static void alloc_contract(struct kunit *test)
{
	gospan_contract_test(test, &alloc_contract_of);
}

static void alloc_largest(struct kunit *test)
{
	char *p;
	size_t size;

	for (size = SZ_256K; size < GOSPAN_MAX_BYTES; size *= 2) {
		p = gospan_alloc(size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, gospan_size(p), size);
		KUNIT_EXPECT_EQ(test, (unsigned long)p % size, 0);
		gospan_free(p);
	}
	p = gospan_alloc(GOSPAN_MAX_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, gospan_size(p), GOSPAN_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, (unsigned long)p % GOSPAN_MAX_BYTES, 0);
	memset(p, JUNK, GOSPAN_MAX_BYTES);
	gospan_free(p);
	p = gospan_zalloc(GOSPAN_MAX_BYTES - 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, GOSPAN_MAX_BYTES));
	gospan_free(p);
}

static void alloc_too_large(struct kunit *test)
{
	static const size_t sizes[] = {
		KMALLOC_MAX_SIZE + 1, 2 * KMALLOC_MAX_SIZE, 1UL << 32, (1UL << 32) + 8,
		SIZE_MAX / 2, SIZE_MAX - 4096, SIZE_MAX - 1, SIZE_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_NULL(test, gospan_alloc(sizes[i], GFP_KERNEL | __GFP_NOWARN));
		KUNIT_EXPECT_NULL(test, gospan_zalloc(sizes[i], GFP_NOWAIT));
		KUNIT_EXPECT_EQ(test, gospan_size_roundup(sizes[i]), sizes[i]);
	}
}

static void alloc_zero_size(struct kunit *test)
{
	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, gospan_zalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, gospan_size_roundup(0), 0);
}

static void alloc_zones_are_not_to_be_had(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, gospan_alloc(64, GFP_KERNEL | __GFP_DMA));
	KUNIT_EXPECT_NULL(test, gospan_alloc(64, GFP_KERNEL | __GFP_DMA32));
	KUNIT_EXPECT_NULL(test, gospan_alloc(100000, GFP_KERNEL | __GFP_HIGHMEM));
}

/* Exactly the memory that was just freed dirty. */
static void zalloc_recycled(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		size_t size = gospan_kunit_sizes[i], usable = gospan_size_roundup(size);
		void *p = gospan_alloc(size, GFP_KERNEL), *q;

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, JUNK, usable);
		gospan_free(p);
		q = gospan_zalloc(size, GFP_KERNEL);
		KUNIT_EXPECT_PTR_EQ_MSG(test, p, q, "%zu bytes", size);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(q, 0, usable), "%zu bytes", size);
		gospan_free(q);
	}
}

static struct page *no_pages(int node, gfp_t gfp, unsigned int order)
{
	return NULL;
}

/* Too few pages for a span, enough for one object: all of it is zeros. */
static void zalloc_emergency(struct kunit *test)
{
	const struct gospan_page_source *source = gospan_heap.source;
	struct gospan_page_source dry = *source;
	unsigned int sizeclass, npages;

	dry.alloc = no_pages;
	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		size_t size = gospan_class_to_bytes[sizeclass];
		void *p, *rest, *q;

		npages = gospan_bytes_to_npages(size);
		if (npages == gospan_class_npages(sizeclass))
			continue;
		gospan_kunit_flush();
		gospan_trim();
		p = gospan_alloc(GOSPAN_MAX_BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, JUNK, GOSPAN_MAX_BYTES);
		gospan_free(p);
		gospan_heap.source = &dry;
		rest = gospan_alloc(GOSPAN_MAX_BYTES - npages * GOSPAN_PAGE_SIZE, GFP_KERNEL);
		q = gospan_zalloc(size, GFP_KERNEL | __GFP_NOWARN);
		gospan_heap.source = source;
		KUNIT_EXPECT_EQ_MSG(test, gospan_size(q), npages * GOSPAN_PAGE_SIZE, "%zu bytes",
				    size);
		KUNIT_EXPECT_NULL_MSG(test, q ? memchr_inv(q, 0, gospan_size(q)) : test,
				      "%zu bytes", size);
		gospan_free(q);
		gospan_free(rest);
	}
}

static void free_null_and_zero_size(struct kunit *test)
{
	unsigned long before = gospan_report_count();

	gospan_free(NULL);
	gospan_free(ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, gospan_size(NULL), 0);
	KUNIT_EXPECT_EQ(test, gospan_size(ZERO_SIZE_PTR), 0);
	KUNIT_EXPECT_FALSE(test, gospan_owns(NULL));
	KUNIT_EXPECT_FALSE(test, gospan_owns(ZERO_SIZE_PTR));
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
}

static void size_roundup_every_small_size(struct kunit *test)
{
	size_t size, usable = 0;

	for (size = 1; size <= GOSPAN_MAX_SMALL_BYTES; size++) {
		usable = gospan_size_roundup(size);
		if (usable < size || gospan_size_roundup(usable) != usable ||
		    (size > 1 && usable < gospan_size_roundup(size - 1))) {
			KUNIT_FAIL(test, "%zu bytes give %zu", size, usable);
			return;
		}
	}
	KUNIT_EXPECT_EQ(test, gospan_size_roundup(GOSPAN_MAX_SMALL_BYTES + 1),
			round_up(GOSPAN_MAX_SMALL_BYTES + 1, GOSPAN_PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, gospan_size_roundup(GOSPAN_MAX_BYTES), GOSPAN_MAX_BYTES);
}

/* True for the inside of an object, and for its neighbours in the span. */
static void owns_inside_and_outside(struct kunit *test)
{
	char *p = gospan_alloc(100000, GFP_KERNEL);
	size_t usable = gospan_size(p);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, gospan_owns(p));
	KUNIT_EXPECT_TRUE(test, gospan_owns(p + usable - 1));
	KUNIT_EXPECT_FALSE(test, gospan_owns(p + usable));
	gospan_free(p);
	KUNIT_EXPECT_FALSE(test, gospan_owns(p));
}

static bool has_bytes(const void *p, u8 first, size_t n)
{
	const u8 *byte = p;
	size_t i;

	for (i = 0; i < n; i++)
		if (byte[i] != (u8)(first + i))
			return false;
	return true;
}

static void put_bytes(void *p, u8 first, size_t n)
{
	u8 *byte = p;
	size_t i;

	for (i = 0; i < n; i++)
		byte[i] = first + i;
}

/* From every size to every other one. */
static void realloc_keeps_contents(struct kunit *test)
{
	unsigned int from, to;

	for (from = 0; from < gospan_kunit_nr_sizes; from += 3) {
		for (to = 0; to < gospan_kunit_nr_sizes; to += 3) {
			size_t old = gospan_kunit_sizes[from], new = gospan_kunit_sizes[to];
			u8 *p = gospan_alloc(old, GFP_KERNEL), *q;

			KUNIT_ASSERT_NOT_NULL(test, p);
			put_bytes(p, from, min(old, 9000UL));
			q = gospan_realloc(p, new, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, q);
			KUNIT_EXPECT_GE(test, gospan_size(q), new);
			if (new <= gospan_size_roundup(old))
				KUNIT_EXPECT_PTR_EQ(test, p, q);
			if (!has_bytes(q, from, min3(old, new, 9000UL)))
				KUNIT_FAIL(test, "%zu to %zu bytes", old, new);
			gospan_free(q);
		}
	}
}

static void realloc_zeroes_what_it_adds(struct kunit *test)
{
	u8 *p, *dirty = gospan_alloc(3000, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dirty);
	memset(dirty, JUNK, gospan_size(dirty));
	gospan_free(dirty);
	p = gospan_zalloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	put_bytes(p, 1, 100);
	p = gospan_realloc(p, 3000, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_PTR_EQ(test, p, dirty);
	KUNIT_EXPECT_TRUE(test, has_bytes(p, 1, 100));
	KUNIT_EXPECT_NULL(test, memchr_inv(p + 100, 0, gospan_size(p) - 100));
	gospan_free(p);
}

/* krealloc() does so: what is given up must not come back when the object grows in place. */
static void realloc_zeroes_what_it_drops(struct kunit *test)
{
	u8 *p = gospan_zalloc(3000, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	put_bytes(p, 1, 3000);
	KUNIT_ASSERT_PTR_EQ(test, gospan_realloc(p, 100, GFP_KERNEL | __GFP_ZERO), p);
	KUNIT_ASSERT_PTR_EQ(test, gospan_realloc(p, 3000, GFP_KERNEL | __GFP_ZERO), p);
	KUNIT_EXPECT_TRUE(test, has_bytes(p, 1, 100));
	OPTIMIZER_HIDE_VAR(p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p + 100, 0, gospan_size(p) - 100));
	gospan_free(p);
}

static void realloc_of_nothing(struct kunit *test)
{
	void *p = gospan_realloc(NULL, 100, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, gospan_size(p), 112);
	/* Zero bytes: freed. */
	KUNIT_EXPECT_PTR_EQ(test, gospan_realloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	p = gospan_realloc(ZERO_SIZE_PTR, 40000, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 40000));
	KUNIT_EXPECT_PTR_EQ(test, gospan_realloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, gospan_realloc(NULL, 0, GFP_KERNEL), ZERO_SIZE_PTR);
}

static void realloc_failure_keeps_object(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	u8 *p = gospan_alloc(1000, GFP_KERNEL), on_stack[16];

	KUNIT_ASSERT_NOT_NULL(test, p);
	put_bytes(p, 3, 1000);
	KUNIT_EXPECT_NULL(test, gospan_realloc(p, KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gospan_realloc(p, SIZE_MAX, GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, has_bytes(p, 3, 1000));
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
	KUNIT_EXPECT_NULL(test, gospan_realloc(on_stack, 100, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	gospan_free(p);
}

static DEFINE_PER_CPU(int, percpu_variable);
static int module_variable;

/* Each is reported, and nothing else happens to it. */
static void free_foreign(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	u8 *vmalloced = vmalloc(PAGE_SIZE), *kmalloced = kmalloc(64, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);
	int on_stack = 42;
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, vmalloced && kmalloced && page);
	memset(kmalloced, JUNK, 64);
	const void *const foreign[] = {
		vmalloced, kmalloced, kmalloced + 8, page_address(page), page, &on_stack,
		&module_variable, raw_cpu_ptr(&percpu_variable), free_foreign,
		(void *)1UL, (void *)17UL, (void *)0x400000UL, (void *)(PAGE_OFFSET - 8),
		ERR_PTR(-ENOMEM), (void *)ULONG_MAX,
	};

	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		gospan_free(foreign[i]);
		/* Below ZERO_SIZE_PTR all is nothing, as for kfree(). */
		if (ZERO_OR_NULL_PTR(foreign[i]))
			before--;
		KUNIT_EXPECT_EQ_MSG(test, gospan_report_count(), before + i + 1, "pointer %u", i);
		KUNIT_EXPECT_FALSE(test, gospan_owns(foreign[i]));
	}
	KUNIT_EXPECT_NULL(test, memchr_inv(kmalloced, JUNK, 64));
	KUNIT_EXPECT_EQ(test, on_stack, 42);
	before = gospan_report_count();
	KUNIT_EXPECT_EQ(test, gospan_size(kmalloced), 0);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	__free_page(page);
	kfree(kmalloced);
	vfree(vmalloced);
}

/* Found at once; the object is not handed out twice. */
static void free_double_in_a_row(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	unsigned int i;
	void *p, *q;

	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		size_t size = gospan_kunit_sizes[i];

		p = gospan_alloc(size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		gospan_free(p);
		gospan_free(p);
		KUNIT_EXPECT_EQ_MSG(test, gospan_report_count(), before + i + 1, "%zu bytes", size);
		p = gospan_alloc(size, GFP_KERNEL);
		q = gospan_alloc(size, GFP_KERNEL);
		KUNIT_EXPECT_PTR_NE(test, p, q);
		gospan_free(p);
		gospan_free(q);
	}
}

/* With another free in between: found when the second copy reaches its span. */
static void free_double_found_at_flush(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	void *a = gospan_alloc(200, GFP_KERNEL), *b = gospan_alloc(200, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, a && b);
	gospan_free(a);
	gospan_free(b);
	gospan_free(a);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	/* Now that the span is gone, a third time is seen at once. */
	gospan_free(a);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 2);
}

/* As above, while the span stays because another object in it lives. */
static void free_double_span_in_use(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	void *a = gospan_alloc(200, GFP_KERNEL), *b = gospan_alloc(200, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, a && b);
	gospan_free(a);
	gospan_kunit_flush();
	gospan_free(a);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_free(b);
}

static void free_interior(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	u8 *p = gospan_alloc(200, GFP_KERNEL), *large = gospan_alloc(100000, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, p && large);
	put_bytes(p, 0, 200);
	put_bytes(large, 0, 200);
	gospan_free(large + 1);
	gospan_free(large + GOSPAN_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 2);
	gospan_free(p + 8);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 3);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	/* Both objects are as they were. */
	KUNIT_EXPECT_TRUE(test, has_bytes(p, 0, 200));
	KUNIT_EXPECT_TRUE(test, has_bytes(large, 0, 200));
	gospan_free(p);
	gospan_free(large);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 3);
}

/* A move used to copy a whole object's bytes from there: into the next one. */
static void realloc_interior(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	u8 *p = gospan_alloc(200, GFP_KERNEL), *large = gospan_alloc(100000, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, p && large);
	KUNIT_EXPECT_EQ(test, gospan_size(p + 8), 0);
	KUNIT_EXPECT_EQ(test, gospan_size(large + 1), 0);
	KUNIT_EXPECT_NULL(test, gospan_realloc(p + 8, 100, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gospan_realloc(p + 8, 300, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gospan_realloc(large + 1, 200000, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 5);
	gospan_free(p);
	gospan_free(large);
}

/* An object and the byte that it is filled with; the size tells how much of it. */
struct random_object {
	u8 *p;
	size_t size;
	u8 fill;
};

static size_t random_size(struct rnd_state *rnd)
{
	u32 dice = gospan_kunit_below(rnd, 100);

	if (dice < 40)
		return 1 + gospan_kunit_below(rnd, 128);
	if (dice < 70)
		return 1 + gospan_kunit_below(rnd, 2048);
	if (dice < 97)
		return 1 + gospan_kunit_below(rnd, 32768);
	return 1 + gospan_kunit_below(rnd, 200000);
}

static bool object_intact(const struct random_object *o)
{
	return !memchr_inv(o->p, o->fill, o->size);
}

static void random_alloc(struct random_object *o, struct rnd_state *rnd)
{
	o->size = random_size(rnd);
	o->fill = gospan_kunit_below(rnd, 256);
	o->p = gospan_alloc(o->size, gospan_kunit_below(rnd, 2) ? GFP_KERNEL : GFP_NOWAIT);
	if (o->p)
		memset(o->p, o->fill, o->size);
}

static bool random_realloc(struct random_object *o, struct rnd_state *rnd)
{
	size_t size = random_size(rnd);
	u8 *p = gospan_realloc(o->p, size, GFP_KERNEL);

	if (!p)
		return object_intact(o);
	o->p = p;
	o->size = min(o->size, size);
	if (!object_intact(o))
		return false;
	o->size = size;
	memset(p, o->fill, size);
	return true;
}

static bool random_step(struct random_object *objs, unsigned int n, struct rnd_state *rnd)
{
	struct random_object *o = &objs[gospan_kunit_below(rnd, n)];
	u32 dice = gospan_kunit_below(rnd, 100);
	bool intact = true;

	if (dice == 0) {
		gospan_kunit_flush();
	} else if (!o->p) {
		random_alloc(o, rnd);
	} else if (dice < 20) {
		intact = random_realloc(o, rnd);
	} else {
		intact = object_intact(o);
		gospan_free(o->p);
		o->p = NULL;
	}
	return intact;
}

/*
 * A small heap, looked at as a whole after every step. That is slow where
 * memory accesses are checked and the CPU is emulated: bounded in time, too.
 */
static void random_steps_keep_heap_valid(struct kunit *test)
{
	struct random_object *objs = kunit_kcalloc(test, 48, sizeof(*objs), GFP_KERNEL);
	unsigned long end = jiffies + 3 * HZ;
	unsigned int step, i;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	gospan_kunit_seed(test, &rnd);
	for (step = 0; step < 5000 && (step < 500 || time_before(jiffies, end)); step++) {
		if (!random_step(objs, 48, &rnd)) {
			KUNIT_FAIL(test, "step %u: contents changed", step);
			break;
		}
		if (!gospan_heap_validate(&gospan_heap)) {
			KUNIT_FAIL(test, "step %u: heap invalid", step);
			break;
		}
		cond_resched();
	}
	kunit_info(test, "%u steps", step);
	for (i = 0; i < 48; i++)
		gospan_free(objs[i].p);
}

static struct kunit_case malloc_cases[] = {
	KUNIT_CASE_PARAM(alloc_contract, contract_gen_params),
	KUNIT_CASE(alloc_largest),
	KUNIT_CASE(alloc_too_large),
	KUNIT_CASE(alloc_zero_size),
	KUNIT_CASE(alloc_zones_are_not_to_be_had),
	KUNIT_CASE(zalloc_recycled),
	KUNIT_CASE(zalloc_emergency),
	KUNIT_CASE(size_roundup_every_small_size),
	KUNIT_CASE(owns_inside_and_outside),
	KUNIT_CASE(realloc_keeps_contents),
	KUNIT_CASE(realloc_zeroes_what_it_adds),
	KUNIT_CASE(realloc_zeroes_what_it_drops),
	KUNIT_CASE(realloc_of_nothing),
	KUNIT_CASE(realloc_failure_keeps_object),
	KUNIT_CASE(free_null_and_zero_size),
	KUNIT_CASE(free_foreign),
	KUNIT_CASE(free_double_in_a_row),
	KUNIT_CASE(free_double_found_at_flush),
	KUNIT_CASE(free_double_span_in_use),
	KUNIT_CASE(free_interior),
	KUNIT_CASE(realloc_interior),
	KUNIT_CASE(random_steps_keep_heap_valid),
	{}
};

static struct kunit_suite malloc_suite = {
	.name = "gospan_malloc",
	.init = gospan_kunit_init,
	.test_cases = malloc_cases,
};

kunit_test_suite(malloc_suite);
