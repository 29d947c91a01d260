// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of how named caches come and go: what is refused, how many there can be,
 * what is told of objects that are live at the end, what statistics show, and CPUs
 * that work on a cache, or go away, until it ends.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/cache.h"
#include "../src/malloc.h"
#include "../src/nolock.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"

#define RUN_JIFFIES	max(HZ / 4, 2)
#define BEGIN_JIFFIES	(60 * HZ)

static void create_refuses(struct kunit *test)
{
	static const struct {
		const char *name;
		unsigned int size, align;
		slab_flags_t flags;
	} rows[] = {
		{ NULL, 64, 0 },
		{ "size_0", 0, 0 },
		{ "size_too_large", KMALLOC_MAX_SIZE + 1, 0 },
		{ "size_max", UINT_MAX, 0 },
		{ "no_room_for_word", KMALLOC_MAX_SIZE, 0, SLAB_TYPESAFE_BY_RCU },
		{ "align_3", 64, 3 },
		{ "align_48", 64, 48 },
		{ "align_too_large", 64, 2 * KMALLOC_MAX_SIZE },
		{ "align_max", 64, UINT_MAX },
		{ "dma", 64, 0, SLAB_CACHE_DMA },
		{ "dma32", 64, 0, SLAB_CACHE_DMA32 },
	};
	struct gospan_cachestats st = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_NULL_MSG(test, gospan_cache_create(rows[i].name, rows[i].size,
								rows[i].align, rows[i].flags, NULL),
				      "row %u", i);
	KUNIT_EXPECT_EQ(test, gospan_cache_read_stats(&st), -ENOENT);
}

struct cache_life {
	u32 nr;
	void *list;
	struct rcu_head rcu;
};

static void create_from_structure(struct kunit *test)
{
	struct gospan_cache *cache = GOSPAN_CACHE(cache_life, SLAB_HWCACHE_ALIGN);
	struct gospan_cachestats st = {};

	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_EXPECT_EQ(test, gospan_cache_read_stats(&st), 0);
	KUNIT_EXPECT_STREQ(test, st.name, "cache_life");
	KUNIT_EXPECT_EQ(test, st.size, sizeof(struct cache_life));
	gospan_cache_destroy(cache);
	gospan_cache_destroy(NULL);
}

/* As many as there are places; each place is as good as new. */
static void create_until_none_left(struct kunit *test)
{
	struct gospan_cache **caches = kunit_kcalloc(test, GOSPAN_MAX_CACHES, sizeof(*caches),
						     GFP_KERNEL);
	unsigned int i, round;
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, caches);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < GOSPAN_MAX_CACHES; i++) {
			unsigned int size = 8 + 24 * i * (round + 1);

			caches[i] = gospan_cache_create("many", size, 0, 0, NULL);
			KUNIT_ASSERT_NOT_NULL_MSG(test, caches[i], "cache %u", i);
			p = gospan_cache_alloc(caches[i], GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, gospan_size(p), size);
			gospan_cache_free(caches[i], p);
		}
		KUNIT_EXPECT_NULL(test, gospan_cache_create("one_too_many", 8, 0, 0, NULL));
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
		for (i = 0; i < GOSPAN_MAX_CACHES; i++)
			gospan_cache_destroy(caches[i]);
	}
}

/* The first cache of this name. */
static int read_stats(const char *name, struct gospan_cachestats *st)
{
	int err;

	*st = (struct gospan_cachestats){};
	while (!(err = gospan_cache_read_stats(st)) && strcmp(st->name, name))
		*st = (struct gospan_cachestats){ .index = st->index + 1 };
	return err;
}

static void stats_by_name(struct kunit *test)
{
	static const char long_name[] =
		"a name of more than the sixty-four bytes that there are in the statistics";
	struct gospan_cache *a = gospan_cache_create("a", 100, 0, 0, NULL);
	struct gospan_cache *b = gospan_cache_create(long_name, 5000, 64, SLAB_TYPESAFE_BY_RCU,
						     NULL);
	struct gospan_cachestats st;
	void *p[40];
	char cut[GOSPAN_CACHE_NAME_BYTES];

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_EQ(test, gospan_cache_alloc_bulk(a, GFP_KERNEL, ARRAY_SIZE(p), p),
			ARRAY_SIZE(p));
	gospan_cache_free_bulk(a, 10, p);
	KUNIT_ASSERT_EQ(test, read_stats("a", &st), 0);
	KUNIT_EXPECT_EQ(test, st.flags, 0);
	KUNIT_EXPECT_EQ(test, st.size, 100);
	KUNIT_EXPECT_EQ(test, st.align, 8);
	KUNIT_EXPECT_EQ(test, st.slot_bytes, 104);
	KUNIT_EXPECT_EQ(test, st.nelems, st.npages * GOSPAN_PAGE_SIZE / 104);
	KUNIT_EXPECT_EQ(test, st.mallocs, 40);
	KUNIT_EXPECT_EQ(test, st.frees, 10);
	KUNIT_EXPECT_GE(test, st.cached + st.transit, 10);
	KUNIT_EXPECT_EQ(test, st.spans, 1);
	strscpy(cut, long_name, sizeof(cut));
	KUNIT_ASSERT_EQ(test, read_stats(cut, &st), 0);
	KUNIT_EXPECT_EQ(test, st.flags, GOSPAN_CACHE_TYPESAFE);
	KUNIT_EXPECT_EQ(test, st.align, 64);
	KUNIT_EXPECT_EQ(test, st.mallocs, 0);
	gospan_cache_free_bulk(a, 30, p + 10);
	gospan_cache_destroy(a);
	gospan_cache_destroy(b);
	KUNIT_EXPECT_EQ(test, read_stats("a", &st), -ENOENT);
}

/* What caches did is in the sums, also when they are no more. */
static void stats_sums(struct kunit *test)
{
	struct gospan_memstats *st = kunit_kcalloc(test, 3, sizeof(*st), GFP_KERNEL);
	struct gospan_cache *cache = gospan_cache_create("sums", 1000, 0, SLAB_TYPESAFE_BY_RCU,
							 NULL);
	unsigned int i;
	void *p[50];

	KUNIT_ASSERT_NOT_NULL(test, st);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	gospan_read_stats(&st[0]);
	KUNIT_ASSERT_EQ(test, gospan_cache_alloc_bulk(cache, GFP_KERNEL, ARRAY_SIZE(p), p),
			ARRAY_SIZE(p));
	gospan_read_stats(&st[1]);
	gospan_cache_free_bulk(cache, ARRAY_SIZE(p), p);
	gospan_cache_destroy(cache);
	gospan_read_stats(&st[2]);
	KUNIT_EXPECT_EQ(test, st[1].mallocs - st[0].mallocs, 50);
	KUNIT_EXPECT_EQ(test, st[1].frees, st[0].frees);
	KUNIT_EXPECT_EQ(test, st[1].alloc - st[0].alloc, 50 * 1008);
	KUNIT_EXPECT_GE(test, st[1].heap_inuse - st[0].heap_inuse, 50 * 1008);
	KUNIT_EXPECT_EQ(test, st[2].mallocs, st[1].mallocs);
	KUNIT_EXPECT_EQ(test, st[2].frees - st[1].frees, 50);
	KUNIT_EXPECT_EQ(test, st[2].alloc, st[0].alloc);
	KUNIT_EXPECT_EQ(test, st[2].total_alloc, st[1].total_alloc);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, st[i].heap_sys, st[i].heap_inuse + st[i].heap_idle);
}

/* Reported once; the objects stay good, and can be freed; then it can be ended. */
static void destroy_with_live_objects(struct kunit *test)
{
	static const slab_flags_t kinds[] = { 0, SLAB_STORE_USER, SLAB_TYPESAFE_BY_RCU };
	struct gospan_cache *cache, *next;
	struct gospan_cachestats st;
	unsigned long misuses;
	unsigned int i, j;
	u8 *p[40];

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		misuses = gospan_report_count();
		cache = gospan_cache_create("leaky", 200, 0, kinds[i], NULL);
		KUNIT_ASSERT_NOT_NULL(test, cache);
		for (j = 0; j < ARRAY_SIZE(p); j++) {
			p[j] = gospan_cache_zalloc(cache, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[j]);
		}
		gospan_cache_free(cache, p[39]);
		gospan_cache_destroy(cache);
		KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 1);
		KUNIT_ASSERT_EQ(test, read_stats("leaky", &st), 0);
		KUNIT_EXPECT_TRUE(test, st.flags & GOSPAN_CACHE_DESTROYED);
		KUNIT_EXPECT_EQ(test, st.mallocs - st.frees, 39);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
		/* Its place is not another's. */
		next = gospan_cache_create("next", 200, 0, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, next);
		for (j = 0; j < 39; j++) {
			KUNIT_EXPECT_NULL(test, memchr_inv(p[j], 0, 200));
			gospan_free(p[j]);
		}
		gospan_cache_destroy(next);
		KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 1);
		gospan_cache_destroy(cache);
		KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 1);
		KUNIT_EXPECT_EQ(test, read_stats("leaky", &st), -ENOENT);
	}
}

/* What was put off counts as freed. */
static void destroy_waits_for_nolock(struct kunit *test)
{
	unsigned long misuses = gospan_report_count();
	struct gospan_mcache *c, **slot;
	struct gospan_cache *cache;
	unsigned int i;
	void *p[20];

	KUNIT_ASSERT_EQ(test, gospan_nolock_create(0), 0);
	cache = gospan_cache_create("put_off", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_ASSERT_EQ(test, gospan_cache_alloc_bulk(cache, GFP_KERNEL, 20, p), 20);
	slot = gospan_mcache_claim(&c);
	for (i = 0; i < 20; i++)
		gospan_free_nolock(p[i]);
	gospan_mcache_release(slot, c);
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED), 20);
	gospan_cache_destroy(cache);
	gospan_nolock_exit();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses);
}

/* The same, and what waits for a grace period. */
static void destroy_waits_for_rcu(struct kunit *test)
{
	unsigned long misuses = gospan_report_count();
	struct gospan_cache *cache = GOSPAN_CACHE(cache_life, 0);
	struct cache_life *p;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	for (i = 0; i < 100; i++) {
		p = gospan_cache_alloc(cache, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		gospan_free_rcu(p, rcu);
	}
	gospan_cache_destroy(cache);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses);
}

/* A cache that a thread destroys when it is told to. */
struct destroyer {
	struct gospan_cache *cache;
	struct completion begin;
	bool done;
};

static int destroy_thread(void *data)
{
	struct destroyer *d = data;

	wait_for_completion(&d->begin);
	gospan_cache_destroy(d->cache);
	WRITE_ONCE(d->done, true);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* A batch of @mc that a drain has taken out of the transit, or NULL. */
static struct gospan_batch *drain_take(struct gospan_mcentral *mc)
{
	return gospan_transit_take(&mc->transit, GOSPAN_TRANSIT_FULL) ?:
	       gospan_transit_take(&mc->transit, GOSPAN_TRANSIT_PARTIAL);
}

/*
 * Who drains the central lists may have freed the last object, and not have put the
 * slot back that it was in: the slots went with the cache, and were written to then.
 */
static void destroy_waits_for_drain(struct kunit *test)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id()), i;
	const struct gospan_span *s;
	struct gospan_mcentral *mc;
	struct destroyer d = {};
	struct task_struct *task;
	struct gospan_batch *b;
	bool done;
	void *p;

	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "needs two CPUs");
	init_completion(&d.begin);
	d.cache = gospan_cache_create("drained", 200, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, d.cache);
	p = gospan_cache_alloc(d.cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	s = gospan_arena_span_of(&gospan_heap.arenas, p);
	mc = gospan_mcentral_of(s->spanclass, s->node);
	gospan_cache_free(d.cache, p);
	KUNIT_EXPECT_TRUE(test, gospan_mcache_drain(mc->spanclass));
	task = kthread_create_on_cpu(destroy_thread, &d, cpu, "gospan_destroy/%u");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wake_up_process(task);

	rcu_read_lock();
	b = drain_take(mc);
	for (i = 0; b && i < b->nr; i++)
		gospan_free(b->objs[i]);
	complete(&d.begin);
	mdelay(50);
	done = READ_ONCE(d.done);
	if (b && !done) {
		b->nr = 0;
		gospan_transit_put(&mc->transit, b);
	}
	rcu_read_unlock();
	kthread_stop(task);
	KUNIT_EXPECT_NOT_NULL(test, b);
	KUNIT_EXPECT_FALSE(test, done);
}

/* A thread that works on caches: allocates, looks, frees, and hands on. */
struct cache_worker {
	struct task_struct *task;
	struct gospan_cache *cache;
	void **shared;			/* of all */
	unsigned long end;		/* jiffies */
	unsigned long nr_allocs;
	unsigned long nr_bad;
	struct rnd_state rnd;
};

#define NR_SHARED	64U
#define WORKER_BYTES	72U

static void worker_construct(void *obj)
{
	memset(obj, 0x3c, WORKER_BYTES);
}

static int worker_thread(void *data)
{
	struct cache_worker *w = data;
	u8 *p;

	do {
		p = gospan_cache_alloc(w->cache, GFP_KERNEL);
		if (!p)
			continue;
		WRITE_ONCE(w->nr_allocs, w->nr_allocs + 1);
		w->nr_bad += !!memchr_inv(p, 0x3c, WORKER_BYTES);
		/* Nobody else may have it now. */
		memset(p, (unsigned long)w >> 8, WORKER_BYTES);
		w->nr_bad += !!memchr_inv(p, (u8)((unsigned long)w >> 8), WORKER_BYTES);
		memset(p, 0x3c, WORKER_BYTES);
		p = xchg(&w->shared[gospan_kunit_below(&w->rnd, NR_SHARED)], p);
		if (p)
			gospan_cache_free(w->cache, p);
		cond_resched();
	} while (time_before(jiffies, w->end));
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static bool workers_began(const struct cache_worker *w, unsigned int nr)
{
	while (nr && READ_ONCE(w[nr - 1].nr_allocs))
		nr--;
	return !nr;
}

static void workers_run(struct kunit *test, struct cache_worker *w, struct gospan_cache *cache,
			void **shared)
{
	unsigned int cpu, nr = 0, i;

	for_each_online_cpu(cpu) {
		struct cache_worker *worker = &w[nr++];

		worker->cache = cache;
		worker->shared = shared;
		worker->end = jiffies + RUN_JIFFIES;
		gospan_kunit_seed(test, &worker->rnd);
		worker->task = kthread_create_on_cpu(worker_thread, worker, cpu, "gospan_cache/%u");
		KUNIT_EXPECT_FALSE(test, IS_ERR(worker->task));
		if (!IS_ERR(worker->task))
			wake_up_process(worker->task);
	}
	/* Somebody else drains the central lists. A busy machine runs some late. */
	while (time_before(jiffies, w[0].end) ||
	       (!workers_began(w, nr) && time_before(jiffies, w[0].end + BEGIN_JIFFIES))) {
		gospan_trim();
		gospan_cache_shrink(cache);
		schedule_timeout_uninterruptible(1);
	}
	for (i = 0; i < nr; i++) {
		if (!IS_ERR(w[i].task))
			kthread_stop(w[i].task);
		KUNIT_EXPECT_GT(test, w[i].nr_allocs, 0UL);
		KUNIT_EXPECT_EQ(test, w[i].nr_bad, 0UL);
	}
}

static int trim_thread(void *data)
{
	while (!kthread_should_stop()) {
		gospan_trim();
		cond_resched();
	}
	return 0;
}

/* All CPUs at once; then all is freed, and no object that is on its way is taken for live. */
static void destroy_after_all_cpus(struct kunit *test)
{
	struct cache_worker *w = kunit_kcalloc(test, nr_cpu_ids, sizeof(*w), GFP_KERNEL);
	void **shared = kunit_kcalloc(test, NR_SHARED, sizeof(*shared), GFP_KERNEL);
	unsigned long misuses = gospan_report_count();
	struct gospan_cache *cache;
	struct task_struct *trimmer;
	unsigned int i, j;
	void *p[100];

	KUNIT_ASSERT_NOT_NULL(test, w);
	KUNIT_ASSERT_NOT_NULL(test, shared);
	cache = gospan_cache_create("all_cpus", WORKER_BYTES, 0, SLAB_TYPESAFE_BY_RCU,
				    worker_construct);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	workers_run(test, w, cache, shared);
	for (i = 0; i < NR_SHARED; i++)
		gospan_free(shared[i]);
	gospan_cache_destroy(cache);
	trimmer = kthread_run(trim_thread, NULL, "gospan_trimmer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(trimmer));
	for (i = 0; i < 20; i++) {
		cache = gospan_cache_create("trimmed", 64, 0, i % 4 ? 0 : SLAB_TYPESAFE_BY_RCU,
					    NULL);
		if (!cache)
			break;
		for (j = 0; j < ARRAY_SIZE(p); j++)
			p[j] = gospan_cache_alloc(cache, GFP_KERNEL);
		for (j = 0; j < ARRAY_SIZE(p); j++)
			gospan_free(p[j]);
		gospan_cache_destroy(cache);
	}
	kthread_stop(trimmer);
	KUNIT_EXPECT_EQ(test, i, 20);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses);
}

#ifdef CONFIG_HOTPLUG_CPU

static void alloc_and_free_there(void *cache)
{
	gospan_cache_free(cache, gospan_cache_alloc(cache, GFP_ATOMIC));
}

/* A CPU goes with free objects in its magazine, and comes again. */
static void destroy_while_a_cpu_is_down(struct kunit *test)
{
	unsigned int cpu = cpumask_last(cpu_online_mask), round;
	unsigned long misuses = gospan_report_count();
	struct gospan_cache *cache;

	if (cpu == cpumask_first(cpu_online_mask))
		kunit_skip(test, "needs two CPUs");
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT cannot grow in an interrupt");
	for (round = 0; round < 2; round++) {
		cache = gospan_cache_create("hotplug", 64, 0, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, cache);
		smp_call_function_single(cpu, alloc_and_free_there, cache, true);
		KUNIT_EXPECT_EQ(test, remove_cpu(cpu), 0);
		if (!round)
			gospan_cache_destroy(cache);
		KUNIT_EXPECT_EQ(test, add_cpu(cpu), 0);
		if (!round)
			continue;
		smp_call_function_single(cpu, alloc_and_free_there, cache, true);
		gospan_cache_destroy(cache);
	}
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses);
}

#else

static void destroy_while_a_cpu_is_down(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_HOTPLUG_CPU");
}

#endif

static struct kunit_case cache_life_cases[] = {
	KUNIT_CASE(create_refuses),
	KUNIT_CASE(create_from_structure),
	KUNIT_CASE(create_until_none_left),
	KUNIT_CASE(stats_by_name),
	KUNIT_CASE(stats_sums),
	KUNIT_CASE(destroy_with_live_objects),
	KUNIT_CASE(destroy_waits_for_nolock),
	KUNIT_CASE(destroy_waits_for_rcu),
	KUNIT_CASE(destroy_waits_for_drain),
	KUNIT_CASE(destroy_after_all_cpus),
	KUNIT_CASE(destroy_while_a_cpu_is_down),
	{}
};

static struct kunit_suite cache_life_suite = {
	.name = "gospan_cache_life",
	.init = gospan_kunit_init,
	.test_cases = cache_life_cases,
};

kunit_test_suite(cache_life_suite);
