// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of NUMA nodes: objects are of the node asked for, and what is freed on
 * another node's CPU goes home.
 *
 * Most need two nodes with memory, which User-Mode Linux never has.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/nolock.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"

/* A batch is 16, a magazine has 32: not what the buffer for other nodes has. */
#define BYTES		256
#define SPANCLASS	gospan_make_spanclass(gospan_sizeclass_of(BYTES), false)
#define MAX_OBJS	300U

static int node_of(const void *p)
{
	return page_to_nid(virt_to_page(p));
}

static int other_node(void)
{
	int node;

	for_each_node_state(node, N_MEMORY)
		if (node != gospan_node_local())
			return node;
	return NUMA_NO_NODE;
}

struct two_nodes {
	int here, there;
	struct gospan_mcache *c;	/* this CPU's */
	struct gospan_magazine *m;	/* of SPANCLASS */
	struct gospan_mcentral *home;	/* the list there */
	void *objs[MAX_OBJS];
};

static struct two_nodes *two_nodes_make(struct kunit *test)
{
	struct two_nodes *t;

	if (other_node() == NUMA_NO_NODE)
		kunit_skip(test, "one node has memory, this is about two");
	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->here = gospan_node_local();
	t->there = other_node();
	t->c = gospan_mcache_of_cpu(raw_smp_processor_id());
	t->m = &t->c->magazine[SPANCLASS];
	t->home = gospan_mcentral_of(SPANCLASS, t->there);
	return t;
}

static unsigned int nr_remote(const struct two_nodes *t)
{
	return t->c->remote.stack.top - t->c->remote.stack.base;
}

/* Allocate @n objects of the other node. */
static void alloc_there(struct kunit *test, struct two_nodes *t, size_t size, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		t->objs[i] = gospan_alloc_node(size, GFP_KERNEL, t->there);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
		KUNIT_ASSERT_EQ(test, node_of(t->objs[i]), t->there);
	}
}

static void free_all(struct two_nodes *t, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		gospan_free(t->objs[i]);
}

/* What is wrong with an object of @size that was asked of @node, zeroed; or NULL. */
static const char *contract(const void *p, size_t size, int node)
{
	if (!p)
		return "there is none";
	if (node_of(p) != node)
		return "it is of another node";
	if (gospan_size(p) < size || gospan_size(p) != gospan_size_roundup(size))
		return "its size";
	if (memchr_inv(p, 0, gospan_size(p)))
		return "it is not zeroes";
	return NULL;
}

/* Any size, of any node, on a machine of one, too. */
static void alloc_node_sizes(struct kunit *test)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_KERNEL | __GFP_THISNODE, GFP_ATOMIC };
	unsigned int i, j;
	int node;

	for_each_node_state(node, N_MEMORY)
		for (i = 0; i < gospan_kunit_nr_sizes; i++)
			for (j = 0; j < ARRAY_SIZE(gfps); j++) {
				size_t size = gospan_kunit_sizes[i];
				void *p = gospan_zalloc_node(size, gfps[j], node);
				const char *wrong = contract(p, size, node);

				KUNIT_EXPECT_NULL_MSG(test, wrong, "%zu bytes of node %d: %s", size,
						      node, wrong);
				/* So that the next to have it must zero it. */
				if (p)
					memset(p, 0xa5, gospan_size(p));
				gospan_free(p);
			}
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static void alloc_node_no_such_node(struct kunit *test)
{
	const int nodes[] = { nr_node_ids, -2, INT_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		void *p = gospan_alloc_node(BYTES, GFP_KERNEL, nodes[i]);

		KUNIT_EXPECT_NOT_NULL(test, p);
		gospan_free(p);
		KUNIT_EXPECT_NULL(test, gospan_alloc_node(BYTES, GFP_KERNEL | __GFP_THISNODE,
							  nodes[i]));
		KUNIT_EXPECT_PTR_EQ(test, gospan_alloc_node(0, GFP_KERNEL | __GFP_THISNODE,
							    nodes[i]), ZERO_SIZE_PTR);
	}
}

static void alloc_node_like_kmalloc(struct kunit *test)
{
	size_t huge = SIZE_MAX / 2;
	int node = gospan_node_local();
	void *p;

	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc_node(0, GFP_KERNEL, node), ZERO_SIZE_PTR);
	KUNIT_EXPECT_NULL(test, gospan_alloc_node(BYTES, GFP_KERNEL | __GFP_DMA, node));
	OPTIMIZER_HIDE_VAR(huge);
	KUNIT_EXPECT_NULL(test, gospan_alloc_array_node(huge, 3, GFP_KERNEL, node));
	p = gospan_calloc_node(3, 100, GFP_KERNEL, NUMA_NO_NODE);
	KUNIT_EXPECT_NULL(test, contract(p, 300, node));
	gospan_free(p);
	/* By gfp alone: this CPU's node. */
	p = gospan_zalloc(BYTES, GFP_KERNEL | __GFP_THISNODE);
	KUNIT_EXPECT_NULL(test, contract(p, BYTES, node));
	gospan_free(p);
	p = gospan_alloc_noscan(5, GFP_KERNEL | __GFP_THISNODE | __GFP_ZERO);
	KUNIT_EXPECT_NULL(test, contract(p, 8, node));
	gospan_free(p);
}

/* Vmalloc memory, too. */
static void kvalloc_node_of_node(struct kunit *test)
{
	int node;
	void *p;

	for_each_node_state(node, N_MEMORY) {
		p = gospan_kvalloc_node(BYTES, GFP_KERNEL, node);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, node_of(p), node);
		gospan_kvfree(p);
		p = gospan_kvalloc_node(KMALLOC_MAX_SIZE + PAGE_SIZE, GFP_KERNEL | __GFP_ZERO,
					node);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
		KUNIT_EXPECT_EQ(test, page_to_nid(vmalloc_to_page(p)), node);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, KMALLOC_MAX_SIZE + PAGE_SIZE));
		gospan_kvfree(p);
		KUNIT_EXPECT_NULL(test, gospan_kvalloc_node(KMALLOC_MAX_SIZE + PAGE_SIZE,
							    GFP_KERNEL | __GFP_THISNODE, node));
	}
}

/* Freed here, objects from there are not handed out here; and they go in batches. */
static void free_remote_goes_home(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	void *mine;

	alloc_there(test, t, BYTES, GOSPAN_REMOTE_MAX + 1);
	free_all(t, GOSPAN_REMOTE_MAX);
	KUNIT_EXPECT_PTR_EQ(test, t->m->top, t->m->base);
	KUNIT_EXPECT_EQ(test, nr_remote(t), GOSPAN_REMOTE_MAX);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->home->transit), 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	mine = gospan_alloc(BYTES, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, node_of(mine), t->here);
	gospan_free(mine);
	gospan_free(t->objs[GOSPAN_REMOTE_MAX]);
	KUNIT_EXPECT_EQ(test, nr_remote(t), 1);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->home->transit), GOSPAN_REMOTE_MAX);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, nr_remote(t), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->home->nr_taken), 0UL);
}

/* Of any size: few large ones wait. */
static void free_remote_bounded(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	unsigned int i, n = 40;

	for (i = 0; i < n; i++) {
		t->objs[i] = gospan_alloc_node(gospan_kunit_sizes[i], GFP_KERNEL, t->there);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
	}
	for (i = 0; i < n; i++) {
		gospan_free(t->objs[i]);
		KUNIT_EXPECT_LE(test, t->c->remote.bytes, GOSPAN_REMOTE_BYTES);
	}
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	alloc_there(test, t, GOSPAN_MAX_SMALL_BYTES, 4);
	free_all(t, 4);
	KUNIT_EXPECT_LE(test, nr_remote(t), GOSPAN_REMOTE_BYTES / GOSPAN_MAX_SMALL_BYTES);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static void free_remote_counts_as_cached(struct kunit *test)
{
	struct gospan_memstats *st = kunit_kzalloc(test, 2 * sizeof(*st), GFP_KERNEL);
	const struct gospan_memstats_class *before, *after;
	struct two_nodes *t = two_nodes_make(test);
	unsigned int sizeclass = gospan_sizeclass_of(BYTES);

	KUNIT_ASSERT_NOT_NULL(test, st);
	before = &st[0].by_size[sizeclass];
	after = &st[1].by_size[sizeclass];
	alloc_there(test, t, BYTES, 10);
	gospan_read_stats(&st[0]);
	free_all(t, 10);
	gospan_read_stats(&st[1]);
	KUNIT_EXPECT_EQ(test, after->mallocs, before->mallocs);
	KUNIT_EXPECT_EQ(test, after->frees, before->frees + 10);
	KUNIT_EXPECT_EQ(test, after->cached, before->cached + 10);
	KUNIT_EXPECT_EQ(test, st[1].heap_objects, st[0].heap_objects - 10);
}

static void free_remote_twice(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	unsigned long misuses = gospan_report_count();

	alloc_there(test, t, BYTES, 2);
	gospan_free(t->objs[0]);
	gospan_free(t->objs[0]);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 1);
	gospan_free_nolock(t->objs[1]);
	gospan_free(t->objs[1]);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 2);
	KUNIT_EXPECT_EQ(test, nr_remote(t), 2);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* As an interrupt that finds the mcache claimed: straight home. */
static void free_remote_while_claimed(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	struct gospan_mcache *c, **slot;
	void *local = gospan_alloc(BYTES, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, local);
	alloc_there(test, t, BYTES, 20);
	slot = gospan_mcache_claim(&c);
	gospan_free(t->objs[0]);
	gospan_free(local);
	gospan_free_bulk(19, t->objs + 1);
	t->objs[0] = gospan_alloc_node(BYTES, GFP_ATOMIC, t->there);
	gospan_mcache_release(slot, c);
	KUNIT_EXPECT_EQ(test, nr_remote(t), 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->home->transit), 19);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&gospan_mcentral_local(SPANCLASS)->transit), 1);
	KUNIT_ASSERT_NOT_NULL(test, t->objs[0]);
	KUNIT_EXPECT_EQ(test, node_of(t->objs[0]), t->there);
	gospan_free(t->objs[0]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* Those of both nodes, and others, in one array. */
static void free_bulk_of_both_nodes(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	unsigned int i;

	for (i = 0; i < MAX_OBJS; i++) {
		size_t size = i % 50 == 7 ? 40000 : i % 4 == 1 ? 64 : BYTES;

		t->objs[i] = i % 50 == 9 ? gospan_alloc_noscan(3, GFP_KERNEL) :
			     gospan_alloc_node(size, GFP_KERNEL, i % 3 ? t->there : t->here);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
	}
	gospan_free_bulk(MAX_OBJS, t->objs);
	KUNIT_EXPECT_GT(test, nr_remote(t), 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static void alloc_tiny_there(void *data)
{
	struct two_nodes *t = data;
	unsigned int i;

	for (i = 0; i < 8; i++)
		t->objs[i] = gospan_alloc_noscan(8, GFP_ATOMIC);
}

/* With the last of its objects a block goes home, however that is freed. */
static void free_remote_tiny(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	struct gospan_mcentral *home = gospan_mcentral_of(GOSPAN_SPANCLASS_TINY, t->there);
	unsigned int cpu = cpumask_any_and(cpumask_of_node(t->there), cpu_online_mask);
	unsigned int i;

	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "the other node has no CPU");
	smp_call_function_single(cpu, alloc_tiny_there, t, true);
	if (!t->objs[7])
		smp_call_function_single(cpu, alloc_tiny_there, t, true);
	for (i = 0; i < 8; i++) {
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
		KUNIT_ASSERT_EQ(test, node_of(t->objs[i]), t->there);
	}
	for (i = 0; i < 4; i++)
		gospan_free(t->objs[i]);
	KUNIT_ASSERT_EQ(test, gospan_nolock_create(0), 0);
	gospan_free_nolock(t->objs[4]);
	gospan_free_nolock(t->objs[5]);
	gospan_nolock_exit();
	gospan_free_bulk(2, t->objs + 6);
	KUNIT_EXPECT_EQ(test, t->c->remote.nr[GOSPAN_SPANCLASS_TINY] +
			gospan_transit_count(&home->transit), 4);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, atomic_long_read(&home->nr_taken), 0UL);
}

/* A node without memory is served by another; what is freed then finds its way. */
static void alloc_short_of_memory(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	struct gospan_mcache *c, **slot;
	unsigned int i, n = 20;

	/* There a span with free objects, here none. */
	alloc_there(test, t, BYTES, 1);
	slot = gospan_mcache_claim(&c);
	KUNIT_EXPECT_NULL(test, gospan_mcache_alloc(c, SPANCLASS, NULL));
	t->objs[1] = gospan_mcache_alloc(c, SPANCLASS, t->home);
	gospan_mcache_release(slot, c);
	KUNIT_ASSERT_NOT_NULL(test, t->objs[1]);
	KUNIT_EXPECT_EQ(test, node_of(t->objs[1]), t->there);
	KUNIT_EXPECT_TRUE(test, test_bit(SPANCLASS, t->c->mixed));
	KUNIT_EXPECT_GT(test, t->m->top - t->m->base, 4);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	/* The rest of them, and then those from here, mixed in the same magazine. */
	for (i = 2; i < n; i++)
		t->objs[i] = gospan_alloc(BYTES, GFP_KERNEL);
	free_all(t, n);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_kunit_flush();
	KUNIT_EXPECT_FALSE(test, test_bit(SPANCLASS, t->c->mixed));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->home->nr_taken), 0UL);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* A magazine with objects of both nodes is sorted when it is flushed. */
static void flush_mixed_magazine(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	struct gospan_mcache *c, **slot;
	unsigned int i, n = 40;

	for (i = 0; i < n; i++) {
		t->objs[i] = gospan_alloc(BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
	}
	gospan_kunit_flush();
	t->objs[n] = gospan_alloc_node(BYTES, GFP_KERNEL, t->there);
	slot = gospan_mcache_claim(&c);
	t->objs[n + 1] = gospan_mcache_alloc(c, SPANCLASS, t->home);
	gospan_mcache_release(slot, c);
	KUNIT_ASSERT_TRUE(test, t->objs[n] && t->objs[n + 1]);
	free_all(t, n);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_free(t->objs[n]);
	gospan_free(t->objs[n + 1]);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->home->nr_taken), 0UL);
}

/* And before all of it is traded at once, since objects are freed here alone. */
static void flush_mixed_one_way(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	const size_t bytes = SZ_4K;
	unsigned int spanclass = gospan_make_spanclass(gospan_sizeclass_of(bytes), false);
	unsigned int whole = gospan_mcache_capacity(spanclass), nr_here = 3 * whole, nr, i;
	struct gospan_mcentral *there = gospan_mcentral_of(spanclass, t->there);
	const struct gospan_magazine *m = &t->c->magazine[spanclass];
	struct gospan_mcache *c, **slot;
	bool flushed = false;

	for (i = 0; i < nr_here; i++) {
		t->objs[i] = gospan_alloc(bytes, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
	}
	KUNIT_ASSERT_EQ(test, m->limit - m->base, whole);
	KUNIT_ASSERT_PTR_EQ(test, gospan_mcentral_grow(there, whole, GFP_KERNEL), there);
	for (nr = nr_here; !test_bit(spanclass, t->c->mixed); nr++) {
		KUNIT_ASSERT_LT(test, nr, MAX_OBJS);
		slot = gospan_mcache_claim(&c);
		/* As if others had shrunk it since it was filled. */
		if (m->top == m->base)
			c->one_way[spanclass] = m->nr_mallocs + 1;
		t->objs[nr] = gospan_mcache_alloc(c, spanclass, there);
		gospan_mcache_release(slot, c);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[nr]);
	}
	KUNIT_EXPECT_EQ(test, m->limit - m->base, whole);
	for (i = 0; i < nr_here; i++) {
		KUNIT_EXPECT_EQ(test, test_bit(spanclass, t->c->mixed), !flushed);
		flushed |= m->top == m->limit;
		gospan_free(t->objs[i]);
		if (m->top == m->limit || m->top - m->base == 1)
			KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
	/* It is then as others are. */
	KUNIT_EXPECT_TRUE(test, flushed);
	KUNIT_EXPECT_EQ(test, m->limit - m->base, whole);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	for (; i < nr; i++)
		gospan_free(t->objs[i]);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, atomic_long_read(&there->nr_taken), 0UL);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* A free object elsewhere comes before memory that must be looked for. */
static void grow_only_there(struct kunit *test)
{
	struct two_nodes *t = two_nodes_make(test);
	struct gospan_mcentral *mc;

	mc = gospan_mcentral_grow(t->home, 1, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, mc, t->home);
	KUNIT_EXPECT_EQ(test, t->home->nr_empty, 1);
	mc = gospan_mcentral_grow(t->home, 1, GFP_KERNEL | __GFP_THISNODE);
	KUNIT_EXPECT_PTR_EQ(test, mc, t->home);
	KUNIT_EXPECT_EQ(test, t->home->nr_empty, 2);
	KUNIT_EXPECT_EQ(test, gospan_mcentral_empty_pages(t->there),
			2UL * t->home->layout.npages);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static struct kunit_case node_cases[] = {
	KUNIT_CASE(alloc_node_sizes),
	KUNIT_CASE(alloc_node_no_such_node),
	KUNIT_CASE(alloc_node_like_kmalloc),
	KUNIT_CASE(kvalloc_node_of_node),
	KUNIT_CASE(free_remote_goes_home),
	KUNIT_CASE(free_remote_bounded),
	KUNIT_CASE(free_remote_counts_as_cached),
	KUNIT_CASE(free_remote_twice),
	KUNIT_CASE(free_remote_while_claimed),
	KUNIT_CASE(free_bulk_of_both_nodes),
	KUNIT_CASE(free_remote_tiny),
	KUNIT_CASE(alloc_short_of_memory),
	KUNIT_CASE(flush_mixed_magazine),
	KUNIT_CASE(flush_mixed_one_way),
	KUNIT_CASE(grow_only_there),
	{}
};

static struct kunit_suite node_suite = {
	.name = "gospan_node",
	.init = gospan_kunit_init,
	.test_cases = node_cases,
};

kunit_test_suite(node_suite);
