// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of whose the objects of a cache line are: the CPU's that cuts its page; with
 * unshare=N of who freed one last. They pass with either.
 */
#include <kunit/test.h>
#include <linux/smp.h>
#include <linux/gospan.h>
#include "../src/mcache.h"
#include "../src/report.h"
#include "../src/stats.h"
#include "../src/validate.h"
#include "helper.h"

/* Twice what a magazine holds. */
#define NR_OBJS	(4 * GOSPAN_MAX_BATCH)

static const size_t sizes[] = { 8, 16, 24, 48, 64, 96, 1024 };

struct unshare_test {
	size_t size;
	unsigned int there;	/* the other CPU */
	void *objs[NR_OBJS];	/* allocated on this one */
	void *own[NR_OBJS];	/* on that one */
	void *next;		/* what is allocated there then */
	struct gospan_cache *cache;
	unsigned int nr_others;	/* of what is allocated there, in others' pages */
};

static struct unshare_test *unshare_make(struct kunit *test)
{
	struct unshare_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	/* The suite's init bound this thread. */
	t->there = cpumask_last(cpu_online_mask);
	if (t->there == raw_smp_processor_id())
		kunit_skip(test, "needs two CPUs");
	return t;
}

static struct gospan_mcentral *central_of(size_t size)
{
	return gospan_mcentral_local(gospan_make_spanclass(gospan_size_to_class(size), false));
}

/* Of the page that @p lies in. */
static unsigned int mark_of(const void *p)
{
	unsigned int key;

	preempt_disable();
	key = gospan_arena_key_of(&gospan_heap.arenas, p);
	preempt_enable();
	return gospan_key_mark(key);
}

static int free_and_alloc(void *data)
{
	struct unshare_test *t = data;

	gospan_free(t->objs[0]);
	t->next = gospan_alloc(t->size, GFP_KERNEL);
	gospan_free(t->next);
	return 0;
}

/* The last object freed is the next one, unless it is of another CPU's line. */
static void unshare_next_object(struct kunit *test)
{
	struct unshare_test *t = unshare_make(test);
	unsigned int i;

	if (gospan_node_are_many())
		kunit_skip(test, "objects of another node go home in any case");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		t->size = sizes[i];
		t->objs[0] = gospan_alloc(t->size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[0]);
		KUNIT_ASSERT_EQ(test, smp_call_on_cpu(t->there, free_and_alloc, t, false), 0);
		KUNIT_ASSERT_NOT_NULL(test, t->next);
		KUNIT_EXPECT_EQ(test, t->next != t->objs[0], gospan_span_is_private(t->size));
	}
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static int free_all(void *data)
{
	struct unshare_test *t = data;
	unsigned int i;

	for (i = 0; i < NR_OBJS; i++)
		gospan_free(t->objs[i]);
	return 0;
}

static void alloc_all(struct kunit *test, struct unshare_test *t)
{
	unsigned int i;

	for (i = 0; i < NR_OBJS; i++) {
		t->objs[i] = gospan_alloc(t->size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
	}
}

/* What others free waits for who wants much; whose page it is has no part in that. */
static void unshare_frees_travel(struct kunit *test)
{
	struct unshare_test *t = unshare_make(test);
	struct gospan_mcentral *mc;
	unsigned int i, taken;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		t->size = sizes[i];
		mc = central_of(t->size);
		alloc_all(test, t);
		taken = atomic_long_read(&mc->nr_taken);
		KUNIT_ASSERT_EQ(test, smp_call_on_cpu(t->there, free_all, t, false), 0);
		KUNIT_EXPECT_GE(test, gospan_transit_count(&mc->transit), mc->batch);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&mc->nr_taken), taken);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
}

#define NR_OWN	8U

static int free_below_own(void *data)
{
	struct unshare_test *t = data;
	void *own[NR_OWN];
	unsigned int i, j;

	for (i = 0; i < NR_OWN; i++)
		own[i] = gospan_alloc(t->size, GFP_KERNEL);
	for (i = 0; i < NR_OWN; i++)
		gospan_free(own[i]);
	for (i = 0; i < NR_OWN / 2; i++)
		gospan_free(t->objs[i]);
	for (i = 0; i < NR_OWN; i++) {
		own[i] = gospan_alloc(t->size, GFP_KERNEL);
		for (j = 0; j < NR_OWN / 2; j++)
			t->next = own[i] == t->objs[j] ? own[i] : t->next;
	}
	for (i = 0; i < NR_OWN; i++)
		gospan_free(own[i]);
	return 0;
}

/* A CPU hands out what is in its own lines before what it freed of others. */
static void unshare_own_first(struct kunit *test)
{
	struct unshare_test *t = unshare_make(test);
	unsigned int i, j;

	if (gospan_node_are_many())
		kunit_skip(test, "objects of another node go home in any case");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		t->size = sizes[i];
		t->next = NULL;
		alloc_all(test, t);
		KUNIT_ASSERT_EQ(test, smp_call_on_cpu(t->there, free_below_own, t, false), 0);
		KUNIT_EXPECT_EQ(test, !t->next, gospan_span_is_private(t->size));
		for (j = NR_OWN / 2; j < NR_OBJS; j++)
			gospan_free(t->objs[j]);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
}

/* All objects of a new span of @mc, of which the first @n are in transit. Returns how many. */
static unsigned int span_in_transit(struct kunit *test, struct gospan_mcentral *mc, void **objs,
				    unsigned int n)
{
	unsigned int nelems = mc->layout.nelems;
	struct gospan_span *s = NULL;

	gospan_kunit_flush();
	/* Pages that are new have no descriptors. */
	gospan_trim();
	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(mc, 1, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(mc, &s, objs, nelems), nelems);
	KUNIT_ASSERT_NULL(test, s);
	gospan_mcentral_flush(mc, objs, n);
	KUNIT_ASSERT_EQ(test, mc->nr_listed, 0);
	return nelems;
}

/* Allocate there, and count what is in others' pages. */
static void alloc_there(struct unshare_test *t)
{
	unsigned int here = gospan_span_is_private(t->size) ?
			    gospan_cpu_mark(raw_smp_processor_id()) : 0, i;

	for (i = 0; i < NR_OBJS; i++) {
		t->objs[i] = gospan_alloc(t->size, GFP_KERNEL);
		t->nr_others += mark_of(t->objs[i]) != here;
	}
}

static int free_and_alloc_all(void *data)
{
	free_all(data);
	alloc_there(data);
	return 0;
}

static int bulk_by_turns(void *data)
{
	struct unshare_test *t = data;
	unsigned int n = NR_OBJS / 3, i;

	for (i = 0; i < NR_OBJS; i++)
		t->own[i] = gospan_alloc(t->size, GFP_KERNEL);
	/* Less than whole batches. */
	for (i = 0; i + n <= NR_OBJS; i += n) {
		gospan_free_bulk(n, t->own + i);
		gospan_free_bulk(n, t->objs + i);
	}
	gospan_free_bulk(NR_OBJS - i, t->own + i);
	gospan_free_bulk(NR_OBJS - i, t->objs + i);
	alloc_there(t);
	return 0;
}

/* What @free_and_alloc allocates there, after it freed what was allocated here, is its own. */
static void allocates_own(struct kunit *test, int (*free_and_alloc)(void *data))
{
	struct unshare_test *t = unshare_make(test);
	unsigned int i, j;

	if (gospan_node_are_many())
		kunit_skip(test, "objects of another node go home in any case");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		t->size = sizes[i];
		t->nr_others = 0;
		alloc_all(test, t);
		KUNIT_ASSERT_EQ(test, smp_call_on_cpu(t->there, free_and_alloc, t, false), 0);
		KUNIT_EXPECT_EQ_MSG(test, t->nr_others, 0, "%zu bytes", t->size);
		for (j = 0; j < NR_OBJS; j++) {
			KUNIT_ASSERT_NOT_NULL(test, t->objs[j]);
			gospan_free(t->objs[j]);
		}
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
}

/* What a CPU freed of others' lines does not come back to it by way of the transit either. */
static void unshare_transit_waits(struct kunit *test)
{
	allocates_own(test, free_and_alloc_all);
}

/* Nor where it lies in batches that begin with the CPU's own. */
static void unshare_mixed_batches(struct kunit *test)
{
	allocates_own(test, bulk_by_turns);
}

/* Where memory is short a CPU has what is in transit, too, whosever pages it is in. */
static void transit_is_memory(struct kunit *test, unsigned int mark)
{
	unsigned int nelems, i;
	struct gospan_mcentral *mc;
	bool foreign;
	void **objs, *p;

	if (!gospan_kunit_can_fail())
		kunit_skip(test, "no CONFIG_FAULT_INJECTION or no CONFIG_FAILSLAB");
	mc = central_of(sizes[0]);
	objs = kunit_kmalloc_array(test, mc->layout.nelems, sizeof(*objs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, objs);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		mc = central_of(sizes[i]);
		nelems = span_in_transit(test, mc, objs, 4);
		foreign = gospan_span_is_private(sizes[i]) &&
			  mark != gospan_cpu_mark(raw_smp_processor_id());
		if (gospan_span_is_private(sizes[i]))
			gospan_arena_mark(&gospan_heap.arenas,
					  gospan_arena_span_of(&gospan_heap.arenas, objs[0]), mark);
		gospan_kunit_fail_nth(1);
		p = gospan_alloc(sizes[i], GFP_NOWAIT | __GFP_NOWARN);
		/* Else it is had from the transit at once. */
		KUNIT_EXPECT_EQ_MSG(test, !gospan_kunit_fail_left(), foreign, "%zu bytes",
				    sizes[i]);
		gospan_kunit_fail_nth(0);
		KUNIT_EXPECT_NOT_NULL_MSG(test, p, "%zu bytes", sizes[i]);
		gospan_free(p);
		gospan_mcentral_flush(mc, objs + 4, nelems - 4);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
}

static void unshare_transit_is_memory(struct kunit *test)
{
	unsigned int here = gospan_cpu_mark(raw_smp_processor_id());

	transit_is_memory(test, here);
	transit_is_memory(test, here % 2 + 1);
}

/* Pages are marked as long as they are a span, and then not any more. */
static void unshare_marks_pages(struct kunit *test)
{
	unsigned int here = gospan_cpu_mark(raw_smp_processor_id());
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = gospan_alloc(sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, mark_of(p), gospan_span_is_private(sizes[i]) ? here : 0);
		gospan_free(p);
		gospan_kunit_flush();
		KUNIT_EXPECT_EQ(test, mark_of(p), 0);
	}
}

/* There are not so many marks, and only pages whose lines have several objects have any. */
static void unshare_marks_checked(struct kunit *test)
{
	struct gospan_chunk *chunk;
	unsigned int i, key;
	u16 *page;
	void *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = gospan_alloc(sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		chunk = gospan_arena_chunk_of(&gospan_heap.arenas, (unsigned long)p);
		page = &chunk->key[gospan_addr_page_idx((unsigned long)p)];
		key = *page;
		*page = gospan_key_make(1, gospan_key_spanclass(key));
		KUNIT_EXPECT_EQ(test, gospan_heap_validate(&gospan_heap),
				gospan_span_is_private(sizes[i]));
		*page = gospan_key_make(GOSPAN_NR_MARKS, gospan_key_spanclass(key));
		KUNIT_EXPECT_FALSE(test, gospan_heap_validate(&gospan_heap));
		*page = key;
		gospan_free(p);
	}
}

static void unshare_cpu_marks(struct kunit *test)
{
	unsigned int cpu, mark;

	for (cpu = 0; cpu <= 2 * GOSPAN_NR_MARKS; cpu++) {
		mark = gospan_cpu_mark(cpu);
		KUNIT_EXPECT_GT(test, mark, 0);
		KUNIT_EXPECT_LT(test, mark, GOSPAN_NR_MARKS);
		KUNIT_EXPECT_NE(test, mark, gospan_cpu_mark(cpu + 1));
	}
}

/* What is freed in a page with any key goes to a magazine of that spanclass, of others' apart. */
static void unshare_keys(struct kunit *test)
{
	struct gospan_mcache *c = gospan_mcache_of_cpu(raw_smp_processor_id());
	unsigned int here = gospan_cpu_mark(raw_smp_processor_id()), key, spanclass, mark;
	bool foreign;

	for (key = 0; key < GOSPAN_NR_KEYS; key++) {
		spanclass = gospan_key_spanclass(key);
		mark = gospan_key_mark(key);
		KUNIT_EXPECT_EQ(test, gospan_key_make(mark, spanclass), key);
		foreign = mark && mark != here;
		KUNIT_EXPECT_PTR_EQ_MSG(test, gospan_mcache_magazine(c, key),
					&c->magazine[spanclass + (foreign ? GOSPAN_FOREIGN : 0)],
					"key %#x", key);
		KUNIT_EXPECT_PTR_EQ(test, gospan_mcache_magazine(&gospan_mcache_none, key),
				    &gospan_mcache_none.magazine[0]);
	}
}

static int alloc_some(void *data)
{
	struct unshare_test *t = data;
	unsigned int i;

	for (i = 0; i < NR_OWN; i++)
		t->objs[i] = gospan_alloc(t->size, GFP_KERNEL);
	return 0;
}

/* Where memory is short a CPU hands out what it freed of others' lines, too. */
static void unshare_foreign_is_memory(struct kunit *test)
{
	struct unshare_test *t = unshare_make(test);
	unsigned int i, j;
	void *p;

	if (!gospan_kunit_can_fail())
		kunit_skip(test, "no CONFIG_FAULT_INJECTION or no CONFIG_FAILSLAB");
	if (gospan_node_are_many())
		kunit_skip(test, "objects of another node go home in any case");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		t->size = sizes[i];
		gospan_kunit_flush();
		/* Pages that are new have no descriptors. */
		gospan_trim();
		KUNIT_ASSERT_EQ(test, smp_call_on_cpu(t->there, alloc_some, t, false), 0);
		for (j = 0; j < NR_OWN; j++) {
			KUNIT_ASSERT_NOT_NULL(test, t->objs[j]);
			gospan_free(t->objs[j]);
		}
		gospan_kunit_fail_nth(1);
		p = gospan_alloc(t->size, GFP_NOWAIT | __GFP_NOWARN);
		KUNIT_EXPECT_EQ_MSG(test, !gospan_kunit_fail_left(),
				    gospan_span_is_private(t->size), "%zu bytes", t->size);
		gospan_kunit_fail_nth(0);
		KUNIT_EXPECT_PTR_EQ_MSG(test, p, t->objs[NR_OWN - 1], "%zu bytes", t->size);
		gospan_free(p);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
}

static int cache_free_some(void *data)
{
	struct unshare_test *t = data;
	unsigned int i;

	for (i = 0; i < NR_OWN; i++)
		gospan_cache_free(t->cache, t->objs[i]);
	return 0;
}

/* What a CPU freed of others' lines is free, and does not keep a cache from its end. */
static void unshare_cache_ends(struct kunit *test)
{
	struct unshare_test *t = unshare_make(test);
	unsigned long reports = gospan_report_count();
	struct gospan_memstats_class row = {};
	u64 live = gospan_kunit_live();
	unsigned int spanclass, i;

	t->cache = gospan_cache_create("unshare", 32, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, t->cache);
	for (i = 0; i < NR_OWN; i++) {
		t->objs[i] = gospan_cache_alloc(t->cache, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
	}
	spanclass = gospan_arena_span_of(&gospan_heap.arenas, t->objs[0])->spanclass;
	KUNIT_EXPECT_EQ(test, smp_call_on_cpu(t->there, cache_free_some, t, false), 0);
	gospan_stats_read_spanclass(spanclass, &row);
	KUNIT_EXPECT_EQ(test, row.mallocs, NR_OWN);
	KUNIT_EXPECT_EQ(test, row.frees, NR_OWN);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_cache_destroy(t->cache);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), reports);
	KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
}

static struct kunit_case unshare_cases[] = {
	KUNIT_CASE(unshare_next_object),
	KUNIT_CASE(unshare_frees_travel),
	KUNIT_CASE(unshare_own_first),
	KUNIT_CASE(unshare_transit_waits),
	KUNIT_CASE(unshare_mixed_batches),
	KUNIT_CASE(unshare_transit_is_memory),
	KUNIT_CASE(unshare_marks_pages),
	KUNIT_CASE(unshare_marks_checked),
	KUNIT_CASE(unshare_cpu_marks),
	KUNIT_CASE(unshare_keys),
	KUNIT_CASE(unshare_cache_ends),
	KUNIT_CASE(unshare_foreign_is_memory),
	{}
};

static struct kunit_suite unshare_suite = {
	.name = "gospan_unshare",
	.init = gospan_kunit_init,
	.test_cases = unshare_cases,
};

kunit_test_suite(unshare_suite);
