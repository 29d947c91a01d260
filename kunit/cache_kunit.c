// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of named caches: what their objects promise, for sizes, alignments and
 * flags; constructors, typesafe memory, and the calls that are not a cache's own.
 * How caches come and go is in cache_life_kunit.c.
 */
#include <kunit/test.h>
#include <linux/cache.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/cache.h"
#include "../src/malloc.h"
#include "../src/nolock.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"

#define JUNK		0xa5
#define MAX_OBJS	600U
/* Bytes of a case's objects at most, but for 2 of them. */
#define MAX_BYTES	SZ_32K
/* Of a long object its start and end are looked at. */
#define END_BYTES	SZ_4K

static const unsigned int cache_sizes[] = {
	1, 7, 8, 9, 24, 56, 64, 65, 100, 192, 512, 1000, 4096, 4097, 8184, 8192, 8193, 9000,
	16384, 32760, 32768, 32769, 40000, SZ_64K, 100001, KMALLOC_MAX_SIZE / 2 + 1,
	KMALLOC_MAX_SIZE - 8,
};

static const unsigned int cache_aligns[] = { 0, 1, 2, 8, 16, 64, 128, 1024, 4096, 8192, 16384 };

/* An object that is constructed is filled with junk. */
static unsigned long nr_constructed;
static size_t construct_bytes;

static void fill(void *obj, u8 byte, size_t size)
{
	size_t n = min_t(size_t, size, END_BYTES);

	memset(obj, byte, n);
	memset(obj + size - n, byte, n);
}

static bool is_filled(const void *obj, u8 byte, size_t size)
{
	size_t n = min_t(size_t, size, END_BYTES);

	return !memchr_inv(obj, byte, n) && !memchr_inv(obj + size - n, byte, n);
}

static void construct(void *obj)
{
	fill(obj, JUNK, construct_bytes);
	nr_constructed++;
}

struct cache_kind {
	const char *name;
	slab_flags_t flags;
	void (*ctor)(void *obj);
};

static const struct cache_kind cache_kinds[] = {
	{ "plain" },
	{ "hwcache_align", SLAB_HWCACHE_ALIGN },
	{ "typesafe", SLAB_TYPESAFE_BY_RCU },
	{ "store_user", SLAB_STORE_USER },
	{ "ctor", 0, construct },
	{ "ctor_store_user", SLAB_STORE_USER, construct },
	{ "ctor_typesafe_aligned", SLAB_TYPESAFE_BY_RCU | SLAB_HWCACHE_ALIGN, construct },
	{ "no_effect", SLAB_ACCOUNT | SLAB_RECLAIM_ACCOUNT | SLAB_PANIC },
};

static void cache_kind_name(const struct cache_kind *kind, char *name)
{
	strscpy(name, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(cache, cache_kinds, cache_kind_name);

/* The alignment that is promised, written down apart. */
static unsigned int promised_align(unsigned int size, unsigned int align, slab_flags_t flags)
{
	unsigned int promised = max(align, 8U), line;

	if (flags & SLAB_HWCACHE_ALIGN)
		/* As many as fit into a line, or a line. */
		for (line = cache_line_size(); line >= size && line > promised; line /= 2)
			if (line / 2 < size)
				promised = line;
	if (flags & SLAB_HWCACHE_ALIGN && size > cache_line_size())
		promised = max_t(unsigned int, promised, cache_line_size());
	return promised;
}

/* What is wrong with an object, or NULL. Leaves it filled with the constructor's bytes. */
static const char *contract_object(char *p, unsigned int size, unsigned int align, bool ctor)
{
	if (!p)
		return "not allocated";
	if (!IS_ALIGNED((unsigned long)p, align))
		return "not aligned";
	if (gospan_size(p) != size)
		return "gospan_size() is another";
	if (!gospan_owns(p) || !gospan_owns(p + size - 1))
		return "not ours";
	if (ctor && !is_filled(p, JUNK, size))
		return "not as constructed";
	return NULL;
}

/* Twice: the second time they are used. @ctor also tells whether __GFP_ZERO is to be obeyed. */
static const char *contract_objects(struct gospan_cache *cache, unsigned int size,
				    unsigned int align, bool ctor, void **p, unsigned int n)
{
	const char *what = NULL;
	unsigned int i, round;

	for (round = 0; round < 2; round++) {
		gfp_t gfp = GFP_KERNEL | (round && !ctor ? __GFP_ZERO : 0);

		for (i = 0; i < n; i++) {
			p[i] = gospan_cache_alloc(cache, gfp);
			what = what ?: contract_object(p[i], size, align, ctor);
			if (p[i] && gfp & __GFP_ZERO && !is_filled(p[i], 0, size))
				what = "not zeroed";
			/* Another's, if they overlap. */
			if (p[i])
				fill(p[i], i, size);
		}
		for (i = 0; i < n; i++) {
			if (!p[i])
				continue;
			if (!is_filled(p[i], i, size))
				what = "written to by another";
			fill(p[i], JUNK, size);
			gospan_cache_free(cache, p[i]);
		}
	}
	return what;
}

static void alloc_contract(struct kunit *test)
{
	const struct cache_kind *kind = test->param_value;
	void **p = kunit_kcalloc(test, MAX_OBJS, sizeof(*p), GFP_KERNEL);
	unsigned int i, j, step = kind->flags & SLAB_TYPESAFE_BY_RCU ? 9 : 2;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i < ARRAY_SIZE(cache_sizes); i++) {
		unsigned int size = cache_sizes[i], n = clamp(MAX_BYTES / size, 2U, MAX_OBJS);

		construct_bytes = size;
		/* To end a typesafe cache takes a grace period. */
		for (j = i % step; j < ARRAY_SIZE(cache_aligns); j += step) {
			unsigned int align = cache_aligns[j];
			struct gospan_cache *cache;
			const char *what;

			cache = gospan_cache_create("contract", size, align, kind->flags,
						    kind->ctor);
			if (!cache && ALIGN(size + 8, max(align, 8U)) > KMALLOC_MAX_SIZE)
				continue;
			KUNIT_ASSERT_NOT_NULL_MSG(test, cache, "%u bytes, aligned to %u", size,
						  align);
			KUNIT_EXPECT_EQ(test, gospan_cache_size(cache), size);
			what = contract_objects(cache, size,
						promised_align(size, align, kind->flags),
						kind->ctor, p, n);
			gospan_cache_destroy(cache);
			if (what) {
				KUNIT_FAIL(test, "%u bytes, aligned to %u: %s", size, align, what);
				return;
			}
		}
	}
}

/* A cache, and @n of its objects. */
struct cache_test {
	struct gospan_cache *cache;
	struct gospan_mcentral *mc;
	unsigned int spanclass;
	unsigned int n;
	void *p[MAX_OBJS];
};

static void cache_end(void *data)
{
	struct cache_test *t = data;

	gospan_cache_destroy(t->cache);
}

static struct cache_test *cache_make(struct kunit *test, unsigned int size, slab_flags_t flags,
				     void (*ctor)(void *obj))
{
	struct cache_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, t);
	construct_bytes = size;
	nr_constructed = 0;
	t->cache = gospan_cache_create("test", size, 0, flags, ctor);
	KUNIT_ASSERT_NOT_NULL(test, t->cache);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, cache_end, t), 0);
	p = gospan_cache_alloc(t->cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	t->spanclass = gospan_arena_span_of(&gospan_heap.arenas, p)->spanclass;
	t->mc = gospan_mcentral_local(t->spanclass);
	gospan_cache_free(t->cache, p);
	return t;
}

static void take(struct kunit *test, struct cache_test *t, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		t->p[i] = gospan_cache_alloc(t->cache, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->p[i]);
	}
	t->n = n;
}

static void give(struct cache_test *t)
{
	while (t->n)
		gospan_cache_free(t->cache, t->p[--t->n]);
}

/* Spans that are kept, and objects that were used, are not constructed again. */
static void ctor_once_per_slot(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 200, 0, construct);
	unsigned int nelems = t->mc->layout.nelems, round;
	unsigned long spans;

	for (round = 0; round < 3; round++) {
		take(test, t, 3 * nelems);
		give(t);
		spans = max_t(unsigned long, atomic_long_read(&t->mc->nr_spans), round ? spans : 0);
		KUNIT_EXPECT_EQ(test, nr_constructed, spans * nelems);
	}
	/* With other pages it is a slot's next life. */
	KUNIT_EXPECT_EQ(test, gospan_cache_shrink(t->cache), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), 0);
	nr_constructed = 0;
	take(test, t, 1);
	KUNIT_EXPECT_EQ(test, nr_constructed, nelems);
	give(t);
}

/* What the last user left is there again, whatever way the object took. */
static void ctor_object_stays(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 120, 0, construct);
	unsigned int i;

	take(test, t, MAX_OBJS);
	for (i = 0; i < MAX_OBJS; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(t->p[i], JUNK, 120));
	gospan_free_bulk(MAX_OBJS / 2, t->p);
	memmove(t->p, t->p + MAX_OBJS / 2, MAX_OBJS / 2 * sizeof(void *));
	t->n = MAX_OBJS / 2;
	give(t);
	KUNIT_ASSERT_EQ(test, gospan_cache_alloc_bulk(t->cache, GFP_KERNEL, MAX_OBJS, t->p),
			MAX_OBJS);
	for (i = 0; i < MAX_OBJS; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(t->p[i], JUNK, 120));
	gospan_cache_free_bulk(t->cache, MAX_OBJS, t->p);
}

static void ctor_refuses_zeroes(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 64, 0, construct);
	unsigned long misuses = gospan_report_count();

	t->p[0] = gospan_cache_zalloc(t->cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->p[0]);
	KUNIT_EXPECT_NULL(test, memchr_inv(t->p[0], JUNK, 64));
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 1);
	gospan_cache_free(t->cache, t->p[0]);
	KUNIT_ASSERT_EQ(test, gospan_cache_alloc_bulk(t->cache, GFP_KERNEL | __GFP_ZERO, 2, t->p),
			2);
	KUNIT_EXPECT_NULL(test, memchr_inv(t->p[1], JUNK, 64));
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 3);
	gospan_cache_free_bulk(t->cache, 2, t->p);
}

/* Freed, flushed, its span given up: under RCU the bytes are still what they were. */
static void typesafe_memory_stays_for_readers(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 512, SLAB_TYPESAFE_BY_RCU, NULL);
	unsigned long inuse_pages;
	unsigned int i, bad = 0;

	gospan_kunit_flush();
	inuse_pages = gospan_kunit_inuse_pages(&gospan_heap);
	take(test, t, MAX_OBJS);
	for (i = 0; i < MAX_OBJS; i++)
		memset(t->p[i], JUNK, 512);
	rcu_read_lock();
	give(t);
	gospan_mcache_drain(t->spanclass);
	gospan_mcentral_drain(t->mc);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), 0);
	KUNIT_EXPECT_GE(test, gospan_mcentral_waiting_pages(), MAX_OBJS * 512 / GOSPAN_PAGE_SIZE);
	/* The heap would have them for others otherwise. */
	KUNIT_EXPECT_GE(test, gospan_kunit_inuse_pages(&gospan_heap) - inuse_pages,
			MAX_OBJS * 512 / GOSPAN_PAGE_SIZE);
	for (i = 0; i < MAX_OBJS; i++)
		bad += !!memchr_inv(t->p[i], JUNK, 512);
	KUNIT_EXPECT_EQ(test, bad, 0);
	rcu_read_unlock();
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, gospan_mcentral_waiting_pages(), 0);
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(&gospan_heap), inuse_pages);
}

/* At once, in the same cache. */
static void typesafe_object_is_reused(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 64, SLAB_TYPESAFE_BY_RCU, NULL);
	void *p;

	take(test, t, 1);
	p = t->p[0];
	give(t);
	take(test, t, 1);
	KUNIT_EXPECT_PTR_EQ(test, t->p[0], p);
	give(t);
}

static void bulk_any_number(struct kunit *test)
{
	static const unsigned int sizes[] = { 8, 64, 256, 2000, 32768, 40000 };
	unsigned int i, j, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct cache_test *t = cache_make(test, sizes[i], SLAB_STORE_USER, NULL);

		for (n = 0; n <= MAX_OBJS && n * sizes[i] <= SZ_4M; n += n / 3 + 1) {
			KUNIT_ASSERT_EQ(test, gospan_cache_alloc_bulk(t->cache,
								      GFP_KERNEL | __GFP_ZERO,
								      n, t->p), n);
			for (j = 0; j < n; j++) {
				KUNIT_EXPECT_NULL(test, memchr_inv(t->p[j], 0, sizes[i]));
				memset(t->p[j], JUNK, sizes[i]);
			}
			gospan_cache_free_bulk(n & 1 ? t->cache : NULL, n, t->p);
		}
		KUNIT_EXPECT_EQ(test, gospan_cache_shrink(t->cache), 0);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
}

static void alloc_zone_cannot_be_had(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 64, 0, NULL);

	KUNIT_EXPECT_NULL(test, gospan_cache_alloc(t->cache, GFP_KERNEL | __GFP_DMA));
	KUNIT_EXPECT_NULL(test, gospan_cache_alloc(t->cache, GFP_NOWAIT | __GFP_DMA32));
	KUNIT_EXPECT_EQ(test, gospan_cache_alloc_bulk(t->cache, GFP_KERNEL | __GFP_DMA, 3, t->p),
			0);
}

/* Of any node, or of that or none. */
static void alloc_node_or_none(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 64, SLAB_STORE_USER, NULL);
	int nodes[] = { NUMA_NO_NODE, first_memory_node, nr_node_ids }, i;

	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		t->p[i] = gospan_cache_alloc_node(t->cache, GFP_KERNEL | __GFP_ZERO, nodes[i]);
		KUNIT_ASSERT_NOT_NULL(test, t->p[i]);
		KUNIT_EXPECT_NULL(test, memchr_inv(t->p[i], 0, 64));
		memset(t->p[i], JUNK, 64);
	}
	KUNIT_EXPECT_EQ(test, page_to_nid(virt_to_page(t->p[1])), first_memory_node);
	t->p[i] = gospan_cache_alloc_node(t->cache, GFP_KERNEL | __GFP_THISNODE, first_memory_node);
	KUNIT_EXPECT_NOT_NULL(test, t->p[i]);
	KUNIT_EXPECT_NULL(test, gospan_cache_alloc_node(t->cache, GFP_KERNEL | __GFP_THISNODE,
							nr_node_ids));
	KUNIT_EXPECT_NULL(test, gospan_cache_alloc_node(t->cache, GFP_KERNEL | __GFP_DMA, 0));
	gospan_cache_free_bulk(t->cache, i + 1, t->p);
	KUNIT_EXPECT_EQ(test, gospan_cache_shrink(t->cache), 0);
}

/* An interrupt may find the mcache claimed. */
static void alloc_while_claimed(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 72, 0, construct);
	struct gospan_mcache *c, **slot;
	void *p;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT cannot grow with preemption off");
	slot = gospan_mcache_claim(&c);
	p = gospan_cache_alloc(t->cache, GFP_ATOMIC);
	if (p) {
		t->n = !memchr_inv(p, JUNK, 72);
		gospan_cache_free(t->cache, p);
	}
	gospan_mcache_release(slot, c);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, t->n, 1);
	KUNIT_EXPECT_EQ(test, gospan_cache_shrink(t->cache), 0);
}

/* The calls for all objects. */
static void objects_are_like_all(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 100, SLAB_STORE_USER, NULL);
	u8 *p, *q;
	u64 live;

	KUNIT_ASSERT_EQ(test, gospan_nolock_create(0), 0);
	gospan_kunit_flush();
	live = gospan_kunit_live();
	take(test, t, 5);
	p = t->p[0];
	KUNIT_EXPECT_EQ(test, gospan_size(p), 100);
	memset(p, JUNK, 100);
	KUNIT_EXPECT_PTR_EQ(test, gospan_realloc(p, 100, GFP_KERNEL), (void *)p);
	q = gospan_realloc(p, 101, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_PTR_NE(test, p, q);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, JUNK, 100));
	/* Not where objects without pointers are, whatever number the cache has. */
	KUNIT_EXPECT_EQ(test, gospan_arena_spanclass_of(&gospan_heap.arenas, q),
			gospan_make_spanclass(gospan_size_to_class(101), false));
	gospan_free(q);
	gospan_free(t->p[1]);
	gospan_free_sensitive(t->p[2]);
	gospan_kvfree(t->p[3]);
	gospan_free_nolock(t->p[4]);
	gospan_nolock_sync();
	gospan_nolock_exit();
	KUNIT_EXPECT_EQ(test, gospan_cache_shrink(t->cache), 0);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
}

/*
 * One object fills more pages than small ones have. It used to be taken for a large
 * one, whose span could be made longer where it was.
 */
static void realloc_moves_long_objects(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 5 * GOSPAN_PAGE_SIZE, 0, NULL);
	void *p;

	take(test, t, 1);
	p = gospan_realloc(t->p[0], 6 * GOSPAN_PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_PTR_NE(test, p, t->p[0]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_free(p);
	KUNIT_EXPECT_EQ(test, gospan_cache_shrink(t->cache), 0);
}

/* Reported, and leaked rather than freed. */
static void free_to_another_cache(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 64, 0, NULL);
	struct cache_test *other = cache_make(test, 64, 0, NULL);
	unsigned long misuses = gospan_report_count();
	void *p = gospan_alloc(64, GFP_KERNEL), *large = gospan_alloc(SZ_64K, GFP_KERNEL);
	u64 live;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, large);
	take(test, t, 2);
	gospan_kunit_flush();
	live = gospan_kunit_live();
	gospan_cache_free(other->cache, t->p[0]);
	gospan_cache_free(other->cache, p);
	gospan_cache_free(other->cache, large);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 3);
	/* No object at all, then nothing. */
	gospan_cache_free(other->cache, test);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 4);
	gospan_cache_free(other->cache, NULL);
	other->p[0] = t->p[0];
	other->p[1] = gospan_cache_alloc(other->cache, GFP_KERNEL);
	other->p[2] = NULL;
	other->p[3] = p;
	gospan_cache_free_bulk(other->cache, 4, other->p);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 6);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
	gospan_free(p);
	gospan_free(large);
	give(t);
}

static void free_twice_is_reported(struct kunit *test)
{
	struct cache_test *t = cache_make(test, 64, 0, NULL);
	unsigned long misuses = gospan_report_count();

	take(test, t, 1);
	gospan_cache_free(t->cache, t->p[0]);
	gospan_cache_free(t->cache, t->p[0]);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses + 1);
}

/* Put off, an object that has to stay as it is stays so. */
static void nolock_free_leaves_object(struct kunit *test)
{
	static const struct cache_kind kinds[] = {
		{ "ctor", 0, construct },
		{ "typesafe", SLAB_TYPESAFE_BY_RCU },
		{ "typesafe_store_user", SLAB_TYPESAFE_BY_RCU | SLAB_STORE_USER },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct cache_test *t = cache_make(test, 60, kinds[i].flags, kinds[i].ctor);
		struct gospan_mcache *c, **slot;
		unsigned int bad = 0;

		KUNIT_ASSERT_EQ(test, gospan_nolock_create(0), 0);
		take(test, t, 20);
		for (j = 0; j < 20; j++)
			memset(t->p[j], JUNK, 60);
		/* So that it is put off, and not freed before we have looked. */
		local_irq_disable();
		slot = gospan_mcache_claim(&c);
		for (j = 0; j < 20; j++)
			gospan_free_nolock(t->p[j]);
		gospan_mcache_release(slot, c);
		for (j = 0; j < 20; j++)
			bad += !!memchr_inv(t->p[j], JUNK, 60);
		local_irq_enable();
		KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED), 20);
		gospan_nolock_sync();
		for (j = 0; j < 20; j++)
			bad += !!memchr_inv(t->p[j], JUNK, 60);
		KUNIT_EXPECT_EQ_MSG(test, bad, 0, "%s", kinds[i].name);
		KUNIT_EXPECT_EQ(test, gospan_cache_shrink(t->cache), 0);
		gospan_nolock_exit();
	}
}

/* Nobody looks at what is behind the object but us. */
static void slot_has_room_for_word(struct kunit *test)
{
	static const struct {
		unsigned int size, align, slot_bytes;
		slab_flags_t flags;
		bool ctor;
	} rows[] = {
		{ 1, 0, 8 }, { 100, 0, 104 }, { 100, 64, 128 }, { 64, 0, 64 },
		{ 64, 0, 72, SLAB_TYPESAFE_BY_RCU }, { 64, 0, 72, 0, true },
		{ 64, 0, 72, SLAB_STORE_USER },
		{ 60, 0, 72, 0, true }, { 100, 64, 128, SLAB_STORE_USER, true },
		{ 12, 0, 16, SLAB_HWCACHE_ALIGN }, { 33, 0, 64, SLAB_HWCACHE_ALIGN },
		{ 65, 0, 128, SLAB_HWCACHE_ALIGN },
		{ 24, 8192, 8192 }, { 8192, 8192, 16384, SLAB_TYPESAFE_BY_RCU },
	};
	unsigned int i;

	if (cache_line_size() != 64)
		kunit_skip(test, "cache lines are not of 64 bytes");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gospan_cachestats st = {};
		struct gospan_cache *cache;

		cache = gospan_cache_create("slot", rows[i].size, rows[i].align, rows[i].flags,
					    rows[i].ctor ? construct : NULL);
		KUNIT_ASSERT_NOT_NULL(test, cache);
		KUNIT_EXPECT_EQ(test, gospan_cache_read_stats(&st), 0);
		KUNIT_EXPECT_EQ_MSG(test, st.slot_bytes, rows[i].slot_bytes, "row %u", i);
		gospan_cache_destroy(cache);
	}
}

/* Slots of many sizes: they are found by their start, and an eighth is wasted at most. */
static void layout_every_size(struct kunit *test)
{
	struct gospan_span *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	const u32 limit = min_t(u32, KMALLOC_MAX_SIZE, SZ_4M);
	u32 bytes, offset;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->spanclass = GOSPAN_SPANCLASS_FIRST;
	for (bytes = 8; bytes <= limit; bytes += 8 + bytes / 128 * 8) {
		const struct gospan_layout l = gospan_layout_cut(bytes, 8);
		u32 span_bytes = l.npages << GOSPAN_PAGE_SHIFT, slot = 0;

		s->elem_bytes = l.elem_bytes;
		s->divmagic = l.divmagic;
		s->nelems = l.nelems;
		KUNIT_ASSERT_GE(test, l.nelems, 1);
		KUNIT_ASSERT_EQ(test, l.nelems, span_bytes / bytes);
		KUNIT_ASSERT_LE(test, span_bytes - l.nelems * bytes, span_bytes / 8);
		KUNIT_ASSERT_LE(test, l.npages, GOSPAN_CHUNK_NPAGES);
		for (offset = 0; offset < span_bytes; offset += 8) {
			bool starts = offset == slot * bytes && slot < l.nelems;

			/* The span begins at address 0. */
			if (!!gospan_span_object_bytes(s, (void *)(long)offset) != starts) {
				KUNIT_FAIL(test, "%u bytes: offset %u", bytes, offset);
				return;
			}
			slot += starts;
		}
	}
}

static struct kunit_case cache_cases[] = {
	KUNIT_CASE_PARAM(alloc_contract, cache_gen_params),
	KUNIT_CASE(ctor_once_per_slot),
	KUNIT_CASE(ctor_object_stays),
	KUNIT_CASE(ctor_refuses_zeroes),
	KUNIT_CASE(typesafe_memory_stays_for_readers),
	KUNIT_CASE(typesafe_object_is_reused),
	KUNIT_CASE(bulk_any_number),
	KUNIT_CASE(alloc_zone_cannot_be_had),
	KUNIT_CASE(alloc_node_or_none),
	KUNIT_CASE(alloc_while_claimed),
	KUNIT_CASE(objects_are_like_all),
	KUNIT_CASE(realloc_moves_long_objects),
	KUNIT_CASE(free_to_another_cache),
	KUNIT_CASE(free_twice_is_reported),
	KUNIT_CASE(nolock_free_leaves_object),
	KUNIT_CASE(slot_has_room_for_word),
	KUNIT_CASE(layout_every_size),
	{}
};

static struct kunit_suite cache_suite = {
	.name = "gospan_cache",
	.init = gospan_kunit_init,
	.test_cases = cache_cases,
};

kunit_test_suite(cache_suite);
