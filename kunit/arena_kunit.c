// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the arena map, on private maps that describe memory nobody touches.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/gospan.h>
#include "../src/mheap.h"

#define ARENA_BYTES	BIT(GOSPAN_ARENA_SHIFT)

struct test_map {
	struct gospan_arena_map *map;
};

static void map_destroy(void *data)
{
	struct test_map *t = data;

	gospan_arena_destroy(&t->map);
}

static struct test_map *map_make(struct kunit *test)
{
	struct test_map *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->map = &gospan_arena_map_none;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, map_destroy, t), 0);
	return t;
}

/* Address of a chunk by its number in the direct map. */
static unsigned long chunk_addr(unsigned long arena, unsigned int chunk)
{
	return PAGE_OFFSET + arena * ARENA_BYTES + chunk * GOSPAN_CHUNK_BYTES;
}

static struct gospan_chunk *map_add(struct kunit *test, struct test_map *t, unsigned long addr)
{
	struct gospan_arena_spare spare;
	struct gospan_chunk *chunk;

	KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->map, addr, GFP_KERNEL, &spare), 0);
	chunk = gospan_arena_add(&t->map, addr, &spare);
	gospan_arena_discard(&spare);
	return chunk;
}

static struct gospan_chunk *map_find(const struct test_map *t, unsigned long addr)
{
	return gospan_arena_chunk_of(&t->map, addr);
}

static void chunk_of_empty_map(struct kunit *test)
{
	struct test_map *t = map_make(test);

	KUNIT_EXPECT_PTR_EQ(test, map_find(t, 0), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, PAGE_OFFSET), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, ULONG_MAX), &gospan_chunk_none);
	KUNIT_EXPECT_EQ(test, gospan_arena_bytes(t->map), 0);
}

static void chunk_of_every_edge(struct kunit *test)
{
	struct test_map *t = map_make(test);
	unsigned long base = chunk_addr(3, 7);
	struct gospan_chunk *chunk = map_add(test, t, base + 5 * GOSPAN_PAGE_SIZE + 3);

	KUNIT_EXPECT_PTR_NE(test, chunk, &gospan_chunk_none);
	KUNIT_EXPECT_EQ(test, chunk->base, base);
	KUNIT_EXPECT_TRUE(test, list_empty(&chunk->list));
	KUNIT_EXPECT_TRUE(test, bitmap_full(chunk->pages.taken, GOSPAN_CHUNK_NPAGES));
	KUNIT_EXPECT_TRUE(test, bitmap_empty(chunk->owned, GOSPAN_CHUNK_NPAGES));
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, base), chunk);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, base + GOSPAN_CHUNK_BYTES - 1), chunk);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, base - 1), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, base + GOSPAN_CHUNK_BYTES), &gospan_chunk_none);
	/* The same place in other arenas: below, above, past the map's end. */
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(2, 7)), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(4, 7)), &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(t->map->nr_arenas, 7)),
			    &gospan_chunk_none);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, PAGE_OFFSET - 1), &gospan_chunk_none);
}

static void page_addr_round_trip(struct kunit *test)
{
	struct test_map *t = map_make(test);
	struct gospan_chunk *chunk = map_add(test, t, chunk_addr(0, 15));
	unsigned int i;

	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++) {
		unsigned long addr = gospan_chunk_page_addr(chunk, i);

		KUNIT_ASSERT_EQ(test, gospan_addr_page_idx(addr), i);
		KUNIT_ASSERT_EQ(test, gospan_addr_page_idx(addr + GOSPAN_PAGE_SIZE - 1), i);
	}
}

/* Every chunk of the first arenas, in an order that makes the map grow often. */
static void arena_add_extends(struct kunit *test)
{
	static const unsigned int order[] = { 0, 1, 2, 5, 3, 40, 4, 41, 200 };
	struct gospan_chunk *chunk[ARRAY_SIZE(order)][2];
	struct test_map *t = map_make(test);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		chunk[i][0] = map_add(test, t, chunk_addr(order[i], i));
		chunk[i][1] = map_add(test, t, chunk_addr(order[i], 15));
		KUNIT_EXPECT_GT(test, t->map->nr_arenas, (unsigned long)order[i]);
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
	KUNIT_EXPECT_GE(test, gospan_arena_bytes(t->map),
			ARRAY_SIZE(order) * sizeof(struct gospan_arena));
}

/* Of two CPUs that prepared for the same memory, the second uses nothing up. */
static void arena_add_twice(struct kunit *test)
{
	struct gospan_arena_spare spare[2];
	struct test_map *t = map_make(test);
	unsigned long addr = chunk_addr(1, 2);
	struct gospan_chunk *chunk;

	KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->map, addr, GFP_KERNEL, &spare[0]), 0);
	KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->map, addr, GFP_KERNEL, &spare[1]), 0);
	chunk = gospan_arena_add(&t->map, addr, &spare[0]);
	KUNIT_EXPECT_NULL(test, spare[0].map);
	KUNIT_EXPECT_NULL(test, spare[0].arena);
	KUNIT_EXPECT_NULL(test, spare[0].chunk);
	KUNIT_EXPECT_PTR_EQ(test, gospan_arena_add(&t->map, addr, &spare[1]), chunk);
	KUNIT_EXPECT_NOT_NULL(test, spare[1].map);
	KUNIT_EXPECT_NOT_NULL(test, spare[1].arena);
	KUNIT_EXPECT_NOT_NULL(test, spare[1].chunk);
	gospan_arena_discard(&spare[1]);
	KUNIT_EXPECT_PTR_EQ(test, map_find(t, addr), chunk);
}

/* As above, but the second is for another chunk of the arena, another arena. */
static void arena_add_after_other(struct kunit *test)
{
	static const unsigned int arena[] = { 1, 1, 0, 3 };
	struct gospan_arena_spare spare[ARRAY_SIZE(arena)];
	struct gospan_chunk *chunk[ARRAY_SIZE(arena)];
	struct test_map *t = map_make(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(arena); i++)
		KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->map, chunk_addr(arena[i], i),
							   GFP_KERNEL, &spare[i]), 0);
	for (i = 0; i < ARRAY_SIZE(arena); i++) {
		chunk[i] = gospan_arena_add(&t->map, chunk_addr(arena[i], i), &spare[i]);
		gospan_arena_discard(&spare[i]);
	}
	for (i = 0; i < ARRAY_SIZE(arena); i++) {
		KUNIT_EXPECT_EQ(test, chunk[i]->base, chunk_addr(arena[i], i));
		KUNIT_EXPECT_PTR_EQ(test, map_find(t, chunk_addr(arena[i], i)), chunk[i]);
	}
}

static void arena_prepare_nothing_missing(struct kunit *test)
{
	struct gospan_arena_spare spare;
	struct test_map *t = map_make(test);

	map_add(test, t, chunk_addr(2, 2));
	KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->map, chunk_addr(2, 2), GFP_KERNEL,
						   &spare), 0);
	KUNIT_EXPECT_NULL(test, spare.chunk);
	KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->map, chunk_addr(2, 3), GFP_KERNEL,
						   &spare), 0);
	KUNIT_EXPECT_NOT_NULL(test, spare.chunk);
	KUNIT_EXPECT_NULL(test, spare.arena);
	KUNIT_EXPECT_NULL(test, spare.map);
	gospan_arena_discard(&spare);
	KUNIT_ASSERT_EQ(test, gospan_arena_prepare(&t->map, chunk_addr(1, 3), GFP_NOWAIT,
						   &spare), 0);
	KUNIT_EXPECT_NOT_NULL(test, spare.arena);
	KUNIT_EXPECT_NULL(test, spare.map);
	gospan_arena_discard(&spare);
}

static void publish_and_retract_span(struct kunit *test)
{
	struct gospan_span *s = kunit_kzalloc(test, gospan_span_bytes(1), GFP_KERNEL);
	struct test_map *t = map_make(test);
	struct gospan_chunk *chunk = map_add(test, t, chunk_addr(0, 1));
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	gospan_span_init(s, GOSPAN_SPANCLASS_LARGE, 3, 1);
	s->base = gospan_chunk_page_addr(chunk, 509);
	gospan_arena_publish_span(chunk, s);
	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++) {
		KUNIT_ASSERT_EQ(test, chunk->spanclass[i], i < 509 ? 0 : GOSPAN_SPANCLASS_LARGE);
		KUNIT_ASSERT_PTR_EQ(test, chunk->span[i], i < 509 ? NULL : s);
	}
	gospan_arena_retract_span(chunk, s);
	KUNIT_EXPECT_NULL(test, memchr_inv(chunk->spanclass, 0, sizeof(chunk->spanclass)));
	KUNIT_EXPECT_NULL(test, memchr_inv(chunk->span, 0, sizeof(chunk->span)));
}

static DEFINE_PER_CPU(int, percpu_variable);
static int module_variable;

/* What callers may hand in by mistake is looked up without a fault. */
static void chunk_of_foreign_addresses(struct kunit *test)
{
	void *vmalloced = vmalloc(PAGE_SIZE);
	void *kmalloced = kmalloc(64, GFP_KERNEL);
	unsigned long end = gospan_heap.arenas->nr_arenas << GOSPAN_ARENA_SHIFT;
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
		KUNIT_EXPECT_NULL(test, gospan_mheap_span_of(&gospan_heap, foreign[i]));
	}
	kfree(kmalloced);
	vfree(vmalloced);
}

static struct kunit_case arena_cases[] = {
	KUNIT_CASE(chunk_of_empty_map),
	KUNIT_CASE(chunk_of_every_edge),
	KUNIT_CASE(chunk_of_foreign_addresses),
	KUNIT_CASE(page_addr_round_trip),
	KUNIT_CASE(arena_add_extends),
	KUNIT_CASE(arena_add_twice),
	KUNIT_CASE(arena_add_after_other),
	KUNIT_CASE(arena_prepare_nothing_missing),
	KUNIT_CASE(publish_and_retract_span),
	{}
};

static struct kunit_suite arena_suite = {
	.name = "gospan_arena",
	.test_cases = arena_cases,
};

kunit_test_suite(arena_suite);
