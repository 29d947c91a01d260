// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the statistics: what a known sequence adds, and that the sums agree.
 */
#include <kunit/test.h>
#include <linux/nodemask.h>
#include <linux/gospan.h>
#include "../src/mcache.h"
#include "../src/report.h"
#include "../src/stats.h"
#include "helper.h"

/* Before and after; too large for the stack. */
struct stats_test {
	struct gospan_memstats a, b;
};

static struct stats_test *stats_make(struct kunit *test)
{
	struct stats_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	/* What is not set shows. */
	memset(t, 0xa5, sizeof(*t));
	gospan_read_stats(&t->a);
	return t;
}

static void check_sums(struct kunit *test, const struct gospan_memstats *st)
{
	u64 mallocs = 0, frees = 0, cached = 0, alloc = 0, inuse = 0;
	unsigned int i;

	for (i = 0; i < GOSPAN_NR_SIZECLASSES; i++) {
		const struct gospan_memstats_class *row = &st->by_size[i];

		KUNIT_EXPECT_EQ(test, row->size, gospan_class_to_bytes[i]);
		KUNIT_EXPECT_LE(test, row->frees, row->mallocs);
		mallocs += row->mallocs;
		frees += row->frees;
		alloc += (row->mallocs - row->frees) * row->size;
		cached += (row->cached + row->transit) * row->size;
		if (i)
			inuse += row->spans * gospan_class_npages(i) * GOSPAN_PAGE_SIZE;
	}
	/* The difference: tiny objects that shared a block. */
	KUNIT_EXPECT_GE(test, st->mallocs, mallocs);
	KUNIT_EXPECT_EQ(test, st->mallocs - mallocs, st->frees - frees);
	KUNIT_EXPECT_EQ(test, st->cached_bytes, cached);
	KUNIT_EXPECT_GE(test, st->alloc, alloc);
	KUNIT_EXPECT_EQ(test, st->alloc - alloc, st->heap_inuse - inuse);
	KUNIT_EXPECT_EQ(test, st->heap_objects, st->mallocs - st->frees);
	KUNIT_EXPECT_EQ(test, st->heap_alloc, st->alloc);
	KUNIT_EXPECT_EQ(test, st->heap_sys, st->heap_inuse + st->heap_idle);
	KUNIT_EXPECT_EQ(test, st->sys,
			st->heap_sys + st->mspan_sys + st->mcache_sys + st->other_sys);
	KUNIT_EXPECT_EQ(test, st->misuses, gospan_report_count());
	KUNIT_EXPECT_LE(test, st->alloc, st->total_alloc);
	KUNIT_EXPECT_LE(test, st->alloc + st->cached_bytes, st->heap_inuse);
}

static void read_stats_sums(struct kunit *test)
{
	struct stats_test *t = stats_make(test);

	check_sums(test, &t->a);
	KUNIT_EXPECT_EQ(test, t->a.heap_objects, 0);
	KUNIT_EXPECT_EQ(test, t->a.alloc, 0);
	KUNIT_EXPECT_EQ(test, t->a.cached_bytes, 0);
	KUNIT_EXPECT_EQ(test, t->a.heap_inuse, 0);
	KUNIT_EXPECT_GT(test, t->a.mcache_sys, 0);
	KUNIT_EXPECT_GT(test, t->a.other_sys, 0);
}

/* Nine objects of 100 bytes, of which four are freed; each has 112. */
static void read_stats_small(struct kunit *test)
{
	const unsigned int sizeclass = gospan_size_to_class(100);
	struct gospan_memstats_class *a, *b;
	struct stats_test *t = stats_make(test);
	void *objs[9];
	unsigned int i;

	for (i = 0; i < 9; i++) {
		objs[i] = gospan_alloc(100, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	for (i = 5; i < 9; i++)
		gospan_free(objs[i]);
	gospan_read_stats(&t->b);
	check_sums(test, &t->b);
	a = &t->a.by_size[sizeclass];
	b = &t->b.by_size[sizeclass];
	KUNIT_EXPECT_EQ(test, b->mallocs - a->mallocs, 9);
	KUNIT_EXPECT_EQ(test, b->frees - a->frees, 4);
	KUNIT_EXPECT_EQ(test, b->spans, 1);
	KUNIT_EXPECT_EQ(test, b->cached + b->transit + 5, gospan_bytes_first_batch(b->size));
	KUNIT_EXPECT_EQ(test, t->b.mallocs - t->a.mallocs, 9);
	KUNIT_EXPECT_EQ(test, t->b.frees - t->a.frees, 4);
	KUNIT_EXPECT_EQ(test, t->b.heap_objects, 5);
	KUNIT_EXPECT_EQ(test, t->b.alloc, 5 * 112);
	KUNIT_EXPECT_EQ(test, t->b.total_alloc - t->a.total_alloc, 9 * 112);
	KUNIT_EXPECT_EQ(test, t->b.heap_inuse, gospan_class_npages(sizeclass) * GOSPAN_PAGE_SIZE);
	KUNIT_EXPECT_GT(test, t->b.mspan_inuse, t->a.mspan_inuse);
	for (i = 0; i < 5; i++)
		gospan_free(objs[i]);
	gospan_kunit_flush();
	gospan_read_stats(&t->b);
	check_sums(test, &t->b);
	KUNIT_EXPECT_EQ(test, b->frees - a->frees, 9);
	/* With what was cut beside them. */
	KUNIT_EXPECT_EQ(test, b->returned - a->returned, gospan_bytes_first_batch(b->size));
	KUNIT_EXPECT_EQ(test, b->met - a->met, 1);
	KUNIT_EXPECT_EQ(test, t->b.mspan_inuse, t->a.mspan_inuse);
	KUNIT_EXPECT_EQ(test, t->b.heap_inuse, 0);
}

static void read_stats_large(struct kunit *test)
{
	struct stats_test *t = stats_make(test);
	void *p = gospan_alloc(100000, GFP_KERNEL);
	size_t usable = gospan_size_roundup(100000);

	KUNIT_ASSERT_NOT_NULL(test, p);
	gospan_read_stats(&t->b);
	check_sums(test, &t->b);
	KUNIT_EXPECT_EQ(test, t->b.by_size[0].mallocs - t->a.by_size[0].mallocs, 1);
	KUNIT_EXPECT_EQ(test, t->b.by_size[0].frees - t->a.by_size[0].frees, 0);
	KUNIT_EXPECT_EQ(test, t->b.by_size[0].spans, 1);
	KUNIT_EXPECT_EQ(test, t->b.alloc, usable);
	KUNIT_EXPECT_EQ(test, t->b.total_alloc - t->a.total_alloc, usable);
	KUNIT_EXPECT_EQ(test, t->b.heap_inuse, usable);
	gospan_free(p);
	gospan_read_stats(&t->b);
	check_sums(test, &t->b);
	KUNIT_EXPECT_EQ(test, t->b.by_size[0].frees - t->a.by_size[0].frees, 1);
	KUNIT_EXPECT_EQ(test, t->b.by_size[0].spans, 0);
	KUNIT_EXPECT_EQ(test, t->b.alloc, 0);
}

/* Objects that go past the magazines count as much as others. */
static void read_stats_past_magazines(struct kunit *test)
{
	const unsigned int sizeclass = gospan_size_to_class(96);
	struct stats_test *t = stats_make(test);
	struct gospan_mcache *c, **slot;
	void *p, *q;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT cannot grow with preemption off");
	slot = gospan_mcache_claim(&c);
	p = gospan_alloc(96, GFP_ATOMIC);
	q = gospan_alloc(96, GFP_ATOMIC);
	gospan_free(p);
	gospan_mcache_release(slot, c);
	KUNIT_ASSERT_NOT_NULL(test, q);
	gospan_read_stats(&t->b);
	check_sums(test, &t->b);
	KUNIT_EXPECT_EQ(test, t->b.by_size[sizeclass].mallocs - t->a.by_size[sizeclass].mallocs, 2);
	KUNIT_EXPECT_EQ(test, t->b.by_size[sizeclass].frees - t->a.by_size[sizeclass].frees, 1);
	KUNIT_EXPECT_EQ(test, t->b.by_size[sizeclass].cached, 0);
	KUNIT_EXPECT_EQ(test, t->b.by_size[sizeclass].transit, 1);
	gospan_free(q);
}

/* Every size of the contract tables, live together. */
static void read_stats_many_sizes(struct kunit *test)
{
	void **objs = kunit_kcalloc(test, gospan_kunit_nr_sizes, sizeof(*objs), GFP_KERNEL);
	struct stats_test *t = stats_make(test);
	u64 bytes = 0;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		objs[i] = gospan_alloc(gospan_kunit_sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
		bytes += gospan_size_roundup(gospan_kunit_sizes[i]);
	}
	gospan_read_stats(&t->b);
	check_sums(test, &t->b);
	KUNIT_EXPECT_EQ(test, t->b.alloc, bytes);
	KUNIT_EXPECT_EQ(test, t->b.heap_objects, gospan_kunit_nr_sizes);
	for (i = 0; i < gospan_kunit_nr_sizes; i++)
		gospan_free(objs[i]);
}

static void expect_heap_sum(struct kunit *test, const struct gospan_heapstats *all,
			    const struct gospan_heapstats *sum)
{
	KUNIT_EXPECT_EQ(test, sum->obtained_bytes, all->obtained_bytes);
	KUNIT_EXPECT_EQ(test, sum->released_bytes, all->released_bytes);
	KUNIT_EXPECT_EQ(test, sum->free_bytes, all->free_bytes);
	KUNIT_EXPECT_EQ(test, sum->cached_bytes, all->cached_bytes);
	KUNIT_EXPECT_EQ(test, sum->chunks, all->chunks);
	KUNIT_EXPECT_EQ(test, sum->grows, all->grows);
}

/* Nodes add up to all, and what is not free is in spans. */
static void read_heap_by_node(struct kunit *test)
{
	struct gospan_heapstats sum = {}, all = { .node = GOSPAN_ALL_NODES }, st;
	struct stats_test *t = stats_make(test);
	void *p = gospan_alloc(3 * GOSPAN_PAGE_SIZE + 40000, GFP_KERNEL);
	int node;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, gospan_stats_read_heap(&all), 0);
	gospan_read_stats(&t->b);
	for (node = 0; node < nr_node_ids; node++) {
		st = (struct gospan_heapstats){ .node = node };
		KUNIT_EXPECT_EQ(test, gospan_stats_read_heap(&st), 0);
		KUNIT_EXPECT_EQ(test, st.node, node);
		sum.obtained_bytes += st.obtained_bytes;
		sum.released_bytes += st.released_bytes;
		sum.free_bytes += st.free_bytes;
		sum.cached_bytes += st.cached_bytes;
		sum.chunks += st.chunks;
		sum.grows += st.grows;
	}
	gospan_free(p);
	expect_heap_sum(test, &all, &sum);
	KUNIT_EXPECT_GT(test, all.chunks, 0);
	KUNIT_EXPECT_EQ(test, all.obtained_bytes - all.released_bytes - all.free_bytes -
			all.cached_bytes, t->b.heap_inuse);
}

static void read_heap_no_node(struct kunit *test)
{
	struct gospan_heapstats st = { .node = nr_node_ids };

	KUNIT_EXPECT_EQ(test, gospan_stats_read_heap(&st), -ENXIO);
	st.node = GOSPAN_ALL_NODES - 1;
	KUNIT_EXPECT_EQ(test, gospan_stats_read_heap(&st), -ENXIO);
}

/* As at unload; the lines that it prints belong to the test. */
static void report_leaks_counts_live(struct kunit *test)
{
	void *small[3], *large = gospan_alloc(40000, GFP_KERNEL);
	unsigned int i;

	KUNIT_EXPECT_NOT_NULL(test, large);
	for (i = 0; i < ARRAY_SIZE(small); i++) {
		small[i] = gospan_alloc(i < 2 ? 100 : 5000, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, small[i]);
	}
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_stats_report_leaks(), 4UL);
	for (i = 0; i < ARRAY_SIZE(small); i++)
		gospan_free(small[i]);
	gospan_free(large);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_stats_report_leaks(), 0UL);
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(read_stats_sums),
	KUNIT_CASE(read_stats_small),
	KUNIT_CASE(read_stats_large),
	KUNIT_CASE(read_stats_past_magazines),
	KUNIT_CASE(read_stats_many_sizes),
	KUNIT_CASE(read_heap_by_node),
	KUNIT_CASE(read_heap_no_node),
	KUNIT_CASE(report_leaks_counts_live),
	{}
};

static struct kunit_suite stats_suite = {
	.name = "gospan_stats",
	.init = gospan_kunit_init,
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);
