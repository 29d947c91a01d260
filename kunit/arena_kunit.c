// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the arena map, on private maps that describe memory nobody touches.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/gospan.h>
#include "../src/mheap.h"

#define ARENA_BYTES	BIT(GOSPAN_ARENA_SHIFT)
/* All of a chunk's tables. */
#define ALL_TABLES	((unsigned int)BIT(GOSPAN_CHUNK_NSPANS) - 1)

struct test_map {
	struct gospan_arenas arenas;
	struct list_head old;		/* descriptors that gave way */
	struct gospan_node_heap home[2];
	unsigned int nr_destroyed;	/* chunks that were there at the end */
};

static void count_chunk(struct gospan_chunk *chunk, void *data)
{
	++*(unsigned int *)data;
}

static void map_destroy(void *data)
{
	struct test_map *t = data;

	gospan_arenas_destroy(&t->arenas, count_chunk, &t->nr_destroyed);
}

static struct test_map *map_make(struct kunit *test, unsigned long limit)
{
	struct test_map *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	INIT_LIST_HEAD(&t->old);
	KUNIT_ASSERT_EQ(test, gospan_arenas_init(&t->arenas, limit), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, map_destroy, t), 0);
	return t;
}

/* Address of a chunk by its number in the direct map. */
static unsigned long chunk_addr(unsigned long arena, unsigned int chunk)
{
	return PAGE_OFFSET + arena * ARENA_BYTES + chunk * GOSPAN_CHUNK_BYTES;
}

static void map_prepare(struct kunit *test, struct test_map *t, unsigned long addr,
			unsigned int npages, struct gospan_arena_spare *spare)
{
	KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->arenas, addr, npages, GFP_KERNEL, spare),
			0);
}

static struct gospan_chunk *map_add(struct kunit *test, struct test_map *t, unsigned long addr,
				    unsigned int npages)
{
	struct gospan_arena_spare spare;
	struct gospan_chunk *chunk;

	map_prepare(test, t, addr, npages, &spare);
	chunk = gospan_arena_add(&t->arenas, addr, npages, &t->home[0], &spare);
	gospan_arena_discard(&spare);
	KUNIT_ASSERT_NOT_NULL(test, chunk);
	return chunk;
}

static struct gospan_chunk *map_find(const struct test_map *t, unsigned long addr)
{
	return gospan_arena_chunk_of(&t->arenas, addr);
}

static size_t map_bytes(const struct test_map *t)
{
	return atomic_long_read(&t->arenas.sys_bytes);
}

/* Which tables a chunk has, a bit each. */
static unsigned int chunk_tables(const struct gospan_chunk *chunk)
{
	unsigned int tables = 0, i;

	for (i = 0; i < GOSPAN_CHUNK_NSPANS; i++)
		tables |= !!chunk->spans[i] << i;
	return tables;
}

/* The same of what was made ready. */
static unsigned int spare_tables(const struct gospan_arena_spare *spare)
{
	unsigned int tables = 0, i;

	for (i = 0; i < GOSPAN_CHUNK_NSPANS; i++)
		tables |= !!spare->spans[i] << i;
	return tables;
}

static void chunk_of_empty_map(struct kunit *test)
{
	struct test_map *t = map_make(test, 0), *sized = map_make(test, 5 * ARENA_BYTES + 1);

	KUNIT_EXPECT_PTR_EQ(test, map_find(t, 0), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, PAGE_OFFSET), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, ULONG_MAX), &gospan_chunk_none);
	KUNIT_EXPECT_EQ(test, map_bytes(t), 0);
	/* Rounded up. */
	KUNIT_EXPECT_EQ(test, gospan_arenas_map(&sized->arenas)->nr_arenas, 6);
	KUNIT_EXPECT_EQ(test, map_bytes(sized),
			struct_size(gospan_arenas_map(&sized->arenas), arena, 6));
	KUNIT_EXPECT_PTR_EQ(test, map_find(sized, PAGE_OFFSET), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(sized, chunk_addr(5, 15)), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(sized, chunk_addr(6, 0)), &gospan_chunk_none);
	KUNIT_EXPECT_NULL(test, gospan_arena_span_of(&sized->arenas, (void *)chunk_addr(5, 15)));
}

static void chunk_of_every_edge(struct kunit *test)
{
	struct test_map *t = map_make(test, 0);
	unsigned long base = chunk_addr(3, 7);
	struct gospan_chunk *chunk = map_add(test, t, base + 5 * GOSPAN_PAGE_SIZE, 2);
	const struct gospan_arena_map *map = gospan_arenas_map(&t->arenas);

	KUNIT_EXPECT_PTR_NE(test, chunk, &gospan_chunk_none);
	KUNIT_EXPECT_EQ(test, chunk->base, base);
	KUNIT_EXPECT_PTR_EQ(test, chunk->home, &t->home[0]);
	KUNIT_EXPECT_EQ(test, gospan_chunk_idx(chunk), 3 * GOSPAN_ARENA_NCHUNKS + 7);
	KUNIT_EXPECT_NULL(test, memchr_inv(chunk->pages.taken, 0xff, sizeof(chunk->pages.taken)));
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 2);
	KUNIT_EXPECT_EQ(test, bitmap_weight(chunk->owned, GOSPAN_CHUNK_NPAGES), 2);
	KUNIT_EXPECT_EQ(test, find_first_bit(chunk->owned, GOSPAN_CHUNK_NPAGES), 5);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, base), chunk);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, base + GOSPAN_CHUNK_BYTES - 1), chunk);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, base - 1), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, base + GOSPAN_CHUNK_BYTES), &gospan_chunk_none);
	/* The same place in other arenas: below, above, past the map's end. */
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(2, 7)), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(4, 7)), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(map->nr_arenas, 7)), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, PAGE_OFFSET - 1), &gospan_chunk_none);
}

static void page_addr_round_trip(struct kunit *test)
{
	struct test_map *t = map_make(test, 0);
	struct gospan_chunk *chunk = map_add(test, t, chunk_addr(0, 15), 1);
	unsigned int i;

	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++) {
		unsigned long addr = gospan_chunk_page_addr(chunk, i);

		KUNIT_ASSERT_EQ(test, gospan_addr_page_idx(addr), i);
		KUNIT_ASSERT_EQ(test, gospan_addr_page_idx(addr + GOSPAN_PAGE_SIZE - 1), i);
		KUNIT_ASSERT_EQ(test, gospan_page_addr(gospan_addr_page(addr)), addr);
	}
}

/* Chunks of arenas in an order that makes the map grow often; it starts at @nr_arenas. */
static void arena_add_extends_from(struct kunit *test, unsigned long nr_arenas)
{
	static const unsigned int order[] = { 0, 1, 2, 5, 3, 40, 4, 41, 200 };
	struct gospan_chunk *chunk[ARRAY_SIZE(order)][2];
	struct test_map *t = map_make(test, nr_arenas * ARENA_BYTES);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		chunk[i][0] = map_add(test, t, chunk_addr(order[i], i), 512);
		chunk[i][1] = map_add(test, t, chunk_addr(order[i], 15), 1);
		KUNIT_EXPECT_GT(test, gospan_arenas_map(&t->arenas)->nr_arenas,
				(unsigned long)order[i]);
		for (j = 0; j <= i; j++) {
			KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(order[j], j)),
					    chunk[j][0]);
			KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(order[j], 15)),
					    chunk[j][1]);
		}
	}
	for (i = 0; i < ARRAY_SIZE(order); i++)
		KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(order[i], 14)),
				    &gospan_chunk_none);
	KUNIT_EXPECT_GE(test, map_bytes(t),
			ARRAY_SIZE(order) * (sizeof(struct gospan_arena) +
					     2 * sizeof(struct gospan_chunk) +
					     9 * sizeof(struct gospan_spans)));
	kunit_release_action(test, map_destroy, t);
	KUNIT_EXPECT_EQ(test, t->nr_destroyed, 2 * ARRAY_SIZE(order));
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(0, 15)), &gospan_chunk_none);
}

static void arena_add_extends_empty_map(struct kunit *test)
{
	arena_add_extends_from(test, 0);
}

static void arena_add_extends_sized_map(struct kunit *test)
{
	arena_add_extends_from(test, 4);
}

/* Memory that the machine had at the start never makes the map longer. */
static void arena_add_within_limit(struct kunit *test)
{
	struct test_map *t = map_make(test, 300 * ARENA_BYTES);
	const struct gospan_arena_map *map = gospan_arenas_map(&t->arenas);

	map_add(test, t, chunk_addr(299, 15), 512);
	map_add(test, t, chunk_addr(0, 0), 1);
	KUNIT_EXPECT_PTR_EQ(test, gospan_arenas_map(&t->arenas), map);
	map_add(test, t, chunk_addr(300, 0), 1);
	KUNIT_EXPECT_PTR_EQ(test, gospan_arenas_map(&t->arenas)->smaller, map);
	/* At least twice as long. */
	KUNIT_EXPECT_EQ(test, gospan_arenas_map(&t->arenas)->nr_arenas, 600);
}

/* 1 TiB costs 128 KiB at load, and its last chunk as much as any other. */
static void map_of_large_machine(struct kunit *test)
{
	unsigned long limit = SZ_1T;
	struct test_map *t = map_make(test, limit);
	struct gospan_pagealloc empty = {};
	size_t bytes = map_bytes(t);

	KUNIT_EXPECT_EQ(test, bytes, struct_size(gospan_arenas_map(&t->arenas), arena,
						 limit >> GOSPAN_ARENA_SHIFT));
	KUNIT_EXPECT_LE(test, bytes, SZ_256K);
	map_add(test, t, PAGE_OFFSET + limit - GOSPAN_CHUNK_BYTES, 512);
	KUNIT_EXPECT_EQ(test, map_bytes(t) - bytes, sizeof(struct gospan_arena) +
			sizeof(struct gospan_chunk) +
			GOSPAN_CHUNK_NSPANS * sizeof(struct gospan_spans));
	/* Summaries are made only where they lead to it. */
	KUNIT_EXPECT_LE(test, sizeof(struct gospan_summary) *
			gospan_pagealloc_nr_missing(&empty, (limit >> GOSPAN_CHUNK_SHIFT) - 1),
			SZ_8K);
}

/* Of two CPUs that prepared for the same memory, the second uses nothing up. */
static void arena_add_chunk_is_there(struct kunit *test)
{
	struct gospan_arena_spare spare[2];
	struct test_map *t = map_make(test, 0);
	unsigned long addr = chunk_addr(1, 2);
	struct gospan_chunk *chunk;
	size_t bytes;

	map_prepare(test, t, addr, 10, &spare[0]);
	map_prepare(test, t, addr + 10 * GOSPAN_PAGE_SIZE, 54, &spare[1]);
	KUNIT_EXPECT_EQ(test, spare_tables(&spare[0]), BIT(0));
	KUNIT_EXPECT_EQ(test, map_bytes(t), 0);
	chunk = gospan_arena_add(&t->arenas, addr, 10, &t->home[0], &spare[0]);
	KUNIT_EXPECT_NULL(test, spare[0].map);
	KUNIT_EXPECT_NULL(test, spare[0].arena);
	KUNIT_EXPECT_NULL(test, spare[0].chunk);
	KUNIT_EXPECT_EQ(test, spare_tables(&spare[0]), 0);
	bytes = map_bytes(t);
	KUNIT_EXPECT_PTR_EQ(test, gospan_arena_add(&t->arenas, addr + 10 * GOSPAN_PAGE_SIZE, 54,
						   &t->home[0], &spare[1]), chunk);
	KUNIT_EXPECT_NOT_NULL(test, spare[1].map);
	KUNIT_EXPECT_NOT_NULL(test, spare[1].arena);
	KUNIT_EXPECT_NOT_NULL(test, spare[1].chunk);
	KUNIT_EXPECT_EQ(test, spare_tables(&spare[1]), BIT(0));
	gospan_arena_discard(&spare[1]);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, addr), chunk);
	KUNIT_EXPECT_EQ(test, map_bytes(t), bytes);
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 64);
}

/* As above, but the second is for another chunk of the arena, another arena. */
static void arena_add_after_other(struct kunit *test)
{
	static const unsigned int arena[] = { 1, 1, 0, 3, 200, 7 };
	struct gospan_arena_spare spare[ARRAY_SIZE(arena)];
	struct gospan_chunk *chunk[ARRAY_SIZE(arena)];
	struct test_map *t = map_make(test, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(arena); i++)
		map_prepare(test, t, chunk_addr(arena[i], i), 1, &spare[i]);
	for (i = 0; i < ARRAY_SIZE(arena); i++) {
		chunk[i] = gospan_arena_add(&t->arenas, chunk_addr(arena[i], i), 1, &t->home[0],
					    &spare[i]);
		gospan_arena_discard(&spare[i]);
		KUNIT_ASSERT_NOT_NULL(test, chunk[i]);
	}
	for (i = 0; i < ARRAY_SIZE(arena); i++) {
		KUNIT_EXPECT_EQ(test, chunk[i]->base, chunk_addr(arena[i], i));
		KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(arena[i], i)), chunk[i]);
	}
}

/* Whoever comes second goes to where the chunk belongs. */
static void arena_add_other_home(struct kunit *test)
{
	struct gospan_arena_spare spare;
	struct test_map *t = map_make(test, 0);
	struct gospan_chunk *chunk = map_add(test, t, chunk_addr(0, 1), 64);
	unsigned long addr = chunk_addr(0, 1) + 64 * GOSPAN_PAGE_SIZE;
	size_t bytes = map_bytes(t);

	map_prepare(test, t, addr, 64, &spare);
	KUNIT_EXPECT_NULL(test, gospan_arena_add(&t->arenas, addr, 64, &t->home[1], &spare));
	KUNIT_EXPECT_EQ(test, spare_tables(&spare), BIT(1));
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 64);
	KUNIT_EXPECT_EQ(test, chunk_tables(chunk), BIT(0));
	KUNIT_EXPECT_EQ(test, map_bytes(t), bytes);
	KUNIT_EXPECT_PTR_EQ(test, gospan_arena_add(&t->arenas, addr, 64, &t->home[0], &spare),
			    chunk);
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 128);
	KUNIT_EXPECT_EQ(test, map_bytes(t) - bytes, sizeof(struct gospan_spans));
	gospan_arena_discard(&spare);
}

/* Adds a block when told to. */
struct adder {
	struct test_map *t;
	struct gospan_arena_spare spare;
	unsigned long addr;
	struct gospan_chunk *chunk;	/* what it became part of */
	bool ready, go;
};

static int adder_thread(void *data)
{
	struct adder *adder = data;

	preempt_disable();
	WRITE_ONCE(adder->ready, true);
	while (!READ_ONCE(adder->go))
		cpu_relax();
	adder->chunk = gospan_arena_add(&adder->t->arenas, adder->addr, 1, &adder->t->home[0],
					&adder->spare);
	preempt_enable();
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/*
 * Two homes add to a chunk that neither has seen, as where NUMA nodes meet within
 * one: there is one chunk in the end. The later used to put its own in the place
 * of the other's, whose objects were then foreign.
 */
static void arena_add_races_other_home(struct kunit *test)
{
	struct adder *adder = kunit_kzalloc(test, sizeof(*adder), GFP_KERNEL);
	unsigned int cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	struct test_map *t = map_make(test, 4 * ARENA_BYTES);
	struct gospan_arena_spare spare;
	struct gospan_chunk *other;
	struct task_struct *task;
	unsigned long flags;

	KUNIT_ASSERT_NOT_NULL(test, adder);
	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "needs two CPUs");
	map_add(test, t, chunk_addr(3, 4), 1);
	adder->t = t;
	adder->addr = chunk_addr(3, 5);
	map_prepare(test, t, adder->addr, 1, &adder->spare);
	map_prepare(test, t, adder->addr, 1, &spare);
	task = kthread_create_on_cpu(adder_thread, adder, cpu, "gospan_add/%u");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wake_up_process(task);
	while (!READ_ONCE(adder->ready))
		schedule_timeout_uninterruptible(1);
	/* Who has found no chunk waits for this lock; what it waits for is another's chunk. */
	raw_spin_lock_irqsave(&t->arenas.lock, flags);
	WRITE_ONCE(adder->go, true);
	mdelay(20);
	other = spare.chunk;
	other->home = &t->home[1];
	/* As map_add_chunk() does. */
	smp_store_release(&(*t->arenas.arena)[3]->chunk[5], other);
	raw_spin_unlock_irqrestore(&t->arenas.lock, flags);
	kthread_stop(task);
	KUNIT_EXPECT_NULL(test, adder->chunk);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, adder->addr), other);
	spare.chunk = NULL;
	gospan_arena_discard(&spare);
	gospan_arena_discard(&adder->spare);
}

/* A mask of page bits, [first, first + npages) set. */
static void pages_mask(u64 *pages, unsigned int first, unsigned int npages)
{
	unsigned int i;

	memset(pages, 0, GOSPAN_CHUNK_NWORDS * sizeof(*pages));
	for (i = first; i < first + npages; i++)
		pages[i / 64] |= BIT_ULL(i % 64);
}

static void map_disown(struct test_map *t, struct gospan_chunk *chunk, unsigned int first,
		       unsigned int npages)
{
	u64 pages[GOSPAN_CHUNK_NWORDS];

	pages_mask(pages, first, npages);
	gospan_arena_disown(&t->arenas, chunk, pages);
}

/* What was there at the time of preparing has gone: nothing happens, and one tries again. */
static void arena_add_lost_meanwhile(struct kunit *test)
{
	struct gospan_arena_spare spare;
	struct test_map *t = map_make(test, 0);
	struct gospan_chunk *chunk = map_add(test, t, chunk_addr(0, 1), 128);
	unsigned long addr = chunk_addr(0, 1) + 70 * GOSPAN_PAGE_SIZE;

	/* A table. */
	map_disown(t, chunk, 70, 20);
	map_prepare(test, t, addr, 20, &spare);
	KUNIT_EXPECT_EQ(test, spare_tables(&spare), 0);
	map_disown(t, chunk, 64, 64);
	KUNIT_EXPECT_NULL(test, gospan_arena_add(&t->arenas, addr, 20, &t->home[0], &spare));
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 64);
	KUNIT_EXPECT_EQ(test, chunk_tables(chunk), BIT(0));
	gospan_arena_discard(&spare);
	/* The chunk. */
	map_prepare(test, t, addr, 20, &spare);
	KUNIT_EXPECT_EQ(test, spare_tables(&spare), BIT(1));
	KUNIT_EXPECT_NULL(test, spare.chunk);
	map_disown(t, chunk, 0, 64);
	KUNIT_EXPECT_NULL(test, gospan_arena_add(&t->arenas, addr, 20, &t->home[0], &spare));
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, addr), &gospan_chunk_none);
	gospan_arena_discard(&spare);
	/* The place is anybody's then. */
	map_prepare(test, t, addr, 20, &spare);
	chunk = gospan_arena_add(&t->arenas, addr, 20, &t->home[1], &spare);
	KUNIT_ASSERT_NOT_NULL(test, chunk);
	KUNIT_EXPECT_PTR_EQ(test, chunk->home, &t->home[1]);
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 20);
	gospan_arena_discard(&spare);
}

static void arena_prepare_what_is_missing(struct kunit *test)
{
	unsigned long addr = chunk_addr(2, 2) + 100 * GOSPAN_PAGE_SIZE;
	struct gospan_arena_spare spare;
	struct test_map *t = map_make(test, 0);

	map_add(test, t, addr, 100);	/* tables 1..3 */
	map_prepare(test, t, addr, 100, &spare);
	KUNIT_EXPECT_NULL(test, memchr_inv(&spare, 0, sizeof(spare)));
	map_prepare(test, t, chunk_addr(2, 2), 512, &spare);
	KUNIT_EXPECT_NULL(test, spare.chunk);
	KUNIT_EXPECT_EQ(test, spare_tables(&spare), ALL_TABLES & ~0xeU);
	gospan_arena_discard(&spare);
	map_prepare(test, t, chunk_addr(2, 2) + 256 * GOSPAN_PAGE_SIZE, 1, &spare);
	KUNIT_EXPECT_EQ(test, spare_tables(&spare), BIT(4));
	gospan_arena_discard(&spare);
	map_prepare(test, t, chunk_addr(2, 3), 512, &spare);
	KUNIT_EXPECT_NOT_NULL(test, spare.chunk);
	KUNIT_EXPECT_EQ(test, spare_tables(&spare), ALL_TABLES);
	KUNIT_EXPECT_NULL(test, spare.arena);
	KUNIT_EXPECT_NULL(test, spare.map);
	gospan_arena_discard(&spare);
	KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->arenas, chunk_addr(1, 3), 1, GFP_NOWAIT,
						   &spare), 0);
	KUNIT_EXPECT_NOT_NULL(test, spare.arena);
	KUNIT_EXPECT_NULL(test, spare.map);
	gospan_arena_discard(&spare);
	KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->arenas, chunk_addr(9, 3), 1, GFP_NOWAIT,
						   &spare), 0);
	KUNIT_EXPECT_NOT_NULL(test, spare.map);
	gospan_arena_discard(&spare);
}

static void arena_disown_pages(struct kunit *test)
{
	struct test_map *t = map_make(test, 0);
	unsigned long addr = chunk_addr(0, 3);
	struct gospan_chunk *chunk = map_add(test, t, addr, 512);
	size_t bytes = map_bytes(t);

	/* Some of a table. */
	map_disown(t, chunk, 1, 62);
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 450);
	KUNIT_EXPECT_FALSE(test, test_bit(1, chunk->owned) || test_bit(62, chunk->owned));
	KUNIT_EXPECT_TRUE(test, test_bit(0, chunk->owned) && test_bit(63, chunk->owned));
	KUNIT_EXPECT_EQ(test, chunk_tables(chunk), ALL_TABLES);
	KUNIT_EXPECT_EQ(test, map_bytes(t), bytes);
	/* The rest of one, one as a whole, and a part of the next. */
	map_disown(t, chunk, 63, 66);
	KUNIT_EXPECT_EQ(test, chunk_tables(chunk), ALL_TABLES & ~BIT(1));
	map_disown(t, chunk, 0, 1);
	KUNIT_EXPECT_EQ(test, chunk_tables(chunk), ALL_TABLES & ~0x3U);
	KUNIT_EXPECT_EQ(test, bytes - map_bytes(t), 2 * sizeof(struct gospan_spans));
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 512 - 129);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, addr), chunk);
	/* All that is left. */
	map_disown(t, chunk, 129, 512 - 129);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, addr), &gospan_chunk_none);
	KUNIT_EXPECT_EQ(test, bytes - map_bytes(t), sizeof(struct gospan_chunk) +
			GOSPAN_CHUNK_NSPANS * sizeof(struct gospan_spans));
	/* It comes back as if it had never been there. */
	chunk = map_add(test, t, addr + GOSPAN_PAGE_SIZE, 1);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, addr), chunk);
	KUNIT_EXPECT_EQ(test, chunk->nr_owned, 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(chunk->key, 0, sizeof(chunk->key)));
}

static struct gospan_span *span_make(struct kunit *test, unsigned long addr, unsigned int npages)
{
	const struct gospan_layout l = { .npages = npages, .align_npages = 1, .nelems = 1 };
	struct gospan_span *s = kunit_kzalloc(test, gospan_span_bytes(1), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	gospan_span_init(s, GOSPAN_SPANCLASS_LARGE, addr, &l);
	return s;
}

/* Of all pages of the @nr_chunks from @addr on, [first, limit) lead to @s, others to nothing. */
static void expect_published(struct kunit *test, const struct test_map *t, unsigned long addr,
			     unsigned int nr_chunks, struct gospan_span *s, unsigned int first,
			     unsigned int limit)
{
	unsigned int i;

	for (i = 0; i < nr_chunks * GOSPAN_CHUNK_NPAGES; i++, addr += GOSPAN_PAGE_SIZE) {
		bool in = i >= first && i < limit;
		void *end = (void *)(addr + GOSPAN_PAGE_SIZE - 1);

		KUNIT_ASSERT_PTR_EQ_MSG(test, gospan_arena_span_of(&t->arenas, (void *)addr),
					in ? s : NULL, "page %u", i);
		KUNIT_ASSERT_PTR_EQ(test, gospan_arena_span_of(&t->arenas, end), in ? s : NULL);
		KUNIT_ASSERT_EQ(test, gospan_arena_spanclass_of(&t->arenas, end),
				in ? GOSPAN_SPANCLASS_LARGE : GOSPAN_SPANCLASS_NONE);
	}
}

static void publish_and_retract_span(struct kunit *test)
{
	struct test_map *t = map_make(test, 0);
	unsigned long addr = chunk_addr(0, 1);
	struct gospan_chunk *chunk = map_add(test, t, addr, 512);
	struct gospan_span *s = span_make(test, gospan_chunk_page_addr(chunk, 509), 3), *other;
	unsigned int i;

	gospan_arena_publish(&t->arenas, s, gospan_addr_page(s->base), s->npages, &t->old);
	expect_published(test, t, addr, 1, s, 509, 512);
	gospan_arena_retract(&t->arenas, s);
	expect_published(test, t, addr, 1, NULL, 0, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(chunk->key, 0, sizeof(chunk->key)));
	/* It stays with its first page. */
	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++)
		KUNIT_EXPECT_PTR_EQ(test, *gospan_chunk_span(chunk, i), i == 509 ? s : NULL);
	/* For the next span, which may have one already. */
	gospan_arena_publish(&t->arenas, s, gospan_addr_page(addr) + 509, 1, &t->old);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->old));
	gospan_arena_retract(&t->arenas, s);
	other = span_make(test, gospan_chunk_page_addr(chunk, 508), 3);
	gospan_arena_publish(&t->arenas, other, gospan_addr_page(addr) + 508, 3, &t->old);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->old));
	KUNIT_EXPECT_PTR_EQ(test, list_first_entry(&t->old, struct gospan_span, list), s);
	gospan_arena_retract(&t->arenas, other);
}

/* With more pages behind, as when an object is made longer. */
static void publish_and_retract_across_chunks(struct kunit *test)
{
	struct test_map *t = map_make(test, 0);
	/* An arena's border, too. */
	unsigned long addr = chunk_addr(0, 15);
	struct gospan_chunk *chunk[3];
	struct gospan_span *s = span_make(test, addr + 500 * GOSPAN_PAGE_SIZE, 20);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(chunk); i++)
		chunk[i] = map_add(test, t, addr + i * GOSPAN_CHUNK_BYTES, 512);
	gospan_arena_publish(&t->arenas, s, gospan_addr_page(s->base), s->npages, &t->old);
	expect_published(test, t, addr, 3, s, 500, 520);
	gospan_arena_publish(&t->arenas, s, gospan_addr_page(addr) + 520, 580, &t->old);
	s->npages = 600;
	expect_published(test, t, addr, 3, s, 500, 1100);
	gospan_arena_retract(&t->arenas, s);
	expect_published(test, t, addr, 3, NULL, 0, 0);
	for (i = 0; i < 3 * GOSPAN_CHUNK_NPAGES; i++)
		KUNIT_EXPECT_PTR_EQ(test, *gospan_chunk_span(chunk[i / 512], i % 512),
				    i == 500 ? s : NULL);
}

static DEFINE_PER_CPU(int, percpu_variable);
static int module_variable;

/* What callers may hand in by mistake is looked up without a fault. */
static void chunk_of_foreign_addresses(struct kunit *test)
{
	void *vmalloced = vmalloc(PAGE_SIZE);
	void *kmalloced = kmalloc(64, GFP_KERNEL);
	unsigned long end = gospan_arenas_map(&gospan_heap.arenas)->nr_arenas << GOSPAN_ARENA_SHIFT;
	int on_stack;
	const void *const foreign[] = {
		NULL,
		ZERO_SIZE_PTR,
		(void *)1UL,
		(void *)0x400000UL,			/* user */
		(void *)(1UL << 47),			/* not canonical on x86 */
		(void *)(ULONG_MAX / 2),
		(void *)(ULONG_MAX / 2 + 1),
		(void *)(PAGE_OFFSET - 1),
		(void *)PAGE_OFFSET,
		(void *)(PAGE_OFFSET + end - 1),	/* ends of the map */
		(void *)(PAGE_OFFSET + end),
		(void *)((unsigned long)high_memory - 1), /* ends of the direct map */
		high_memory,
		ERR_PTR(-ENOMEM),
		(void *)ULONG_MAX,
		vmalloced,
		kmalloced,
		&on_stack,
		raw_cpu_ptr(&percpu_variable),
		(void __force *)&percpu_variable,
		&module_variable,
		chunk_of_foreign_addresses,
		prandom_u32_state,
		current,
		virt_to_page(kmalloced),
		&gospan_chunk_none,
	};
	unsigned int i;

	KUNIT_EXPECT_NOT_NULL(test, vmalloced);
	KUNIT_EXPECT_NOT_NULL(test, kmalloced);
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		KUNIT_EXPECT_FALSE_MSG(test, gospan_owns(foreign[i]), "address %u", i);
		rcu_read_lock();
		KUNIT_EXPECT_NULL(test, gospan_arena_span_of(&gospan_heap.arenas, foreign[i]));
		rcu_read_unlock();
	}
	kfree(kmalloced);
	vfree(vmalloced);
}

static struct kunit_case arena_cases[] = {
	KUNIT_CASE(chunk_of_empty_map),
	KUNIT_CASE(chunk_of_every_edge),
	KUNIT_CASE(chunk_of_foreign_addresses),
	KUNIT_CASE(page_addr_round_trip),
	KUNIT_CASE(arena_add_extends_empty_map),
	KUNIT_CASE(arena_add_extends_sized_map),
	KUNIT_CASE(arena_add_within_limit),
	KUNIT_CASE(map_of_large_machine),
	KUNIT_CASE(arena_add_chunk_is_there),
	KUNIT_CASE(arena_add_after_other),
	KUNIT_CASE(arena_add_other_home),
	KUNIT_CASE(arena_add_races_other_home),
	KUNIT_CASE(arena_add_lost_meanwhile),
	KUNIT_CASE(arena_prepare_what_is_missing),
	KUNIT_CASE(arena_disown_pages),
	KUNIT_CASE(publish_and_retract_span),
	KUNIT_CASE(publish_and_retract_across_chunks),
	{}
};

static struct kunit_suite arena_suite = {
	.name = "gospan_arena",
	.test_cases = arena_cases,
};

kunit_test_suite(arena_suite);
