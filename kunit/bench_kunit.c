// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the benchmark's pure parts: orders, medians, the stream of "mix",
 * and which fields are taken.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/gospan.h>
#include "../src/bench.h"
#include "../src/bench_extent.h"
#include "../src/bench_histogram.h"
#include "../src/bench_mix.h"
#include "../src/bench_order.h"
#include "helper.h"

static void numbers(void **objects, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		objects[i] = (void *)(unsigned long)(i + 1);
}

static void reorder_fifo_and_lifo(struct kunit *test)
{
	static const u32 lengths[] = { 0, 1, 2, 3, 8, 9 };
	struct rnd_state rnd;
	void *objects[9];
	unsigned int l;
	u32 i;

	prandom_seed_state(&rnd, 1);
	for (l = 0; l < ARRAY_SIZE(lengths); l++) {
		u32 n = lengths[l];

		numbers(objects, n);
		gospan_bench_reorder(objects, n, GOSPAN_ORDER_FIFO, &rnd);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, (unsigned long)objects[i], i + 1);
		gospan_bench_reorder(objects, n, GOSPAN_ORDER_LIFO, &rnd);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, (unsigned long)objects[i], n - i);
	}
}

/* A permutation, the same for the same seed, and far from where it started. */
static void reorder_shuffled(struct kunit *test)
{
	const u32 n = 1000;
	void **x = kunit_kcalloc(test, n, sizeof(*x), GFP_KERNEL);
	void **y = kunit_kcalloc(test, n, sizeof(*y), GFP_KERNEL);
	bool *seen = kunit_kcalloc(test, n + 1, sizeof(*seen), GFP_KERNEL);
	struct rnd_state rnd_x, rnd_y;
	u32 i, fixed = 0;

	KUNIT_ASSERT_TRUE(test, x && y && seen);
	prandom_seed_state(&rnd_x, 7);
	prandom_seed_state(&rnd_y, 7);
	numbers(x, n);
	numbers(y, n);
	gospan_bench_reorder(x, n, GOSPAN_ORDER_SHUFFLED, &rnd_x);
	gospan_bench_reorder(y, n, GOSPAN_ORDER_SHUFFLED, &rnd_y);
	for (i = 0; i < n; i++) {
		unsigned long number = (unsigned long)x[i];

		KUNIT_ASSERT_PTR_EQ(test, x[i], y[i]);
		KUNIT_ASSERT_TRUE(test, number >= 1 && number <= n);
		KUNIT_ASSERT_FALSE(test, seen[number]);
		seen[number] = true;
		fixed += number == i + 1;
	}
	/* One is to be expected. */
	KUNIT_EXPECT_LT(test, fixed, 20);
	gospan_bench_reorder(x, 1, GOSPAN_ORDER_SHUFFLED, &rnd_x);
	KUNIT_EXPECT_PTR_EQ(test, x[0], y[0]);
}

static void summarize_min_and_median(struct kunit *test)
{
	u64 one[] = { 5 }, two[] = { 9, 4 }, odd[] = { 30, 10, 20 };
	u64 even[] = { U64_MAX, 3, 1ULL << 40, 2 }, same[] = { 7, 7, 7, 7, 7 };
	u64 min, median;

	gospan_bench_summarize(one, 1, &min, &median);
	KUNIT_EXPECT_EQ(test, min, 5);
	KUNIT_EXPECT_EQ(test, median, 5);
	gospan_bench_summarize(two, 2, &min, &median);
	KUNIT_EXPECT_EQ(test, min, 4);
	KUNIT_EXPECT_EQ(test, median, 4);
	gospan_bench_summarize(odd, 3, &min, &median);
	KUNIT_EXPECT_EQ(test, min, 10);
	KUNIT_EXPECT_EQ(test, median, 20);
	gospan_bench_summarize(even, 4, &min, &median);
	KUNIT_EXPECT_EQ(test, min, 2);
	KUNIT_EXPECT_EQ(test, median, 3);
	gospan_bench_summarize(same, 5, &min, &median);
	KUNIT_EXPECT_EQ(test, min, 7);
	KUNIT_EXPECT_EQ(test, median, 7);
}

static void closest_of_k(struct kunit *test)
{
	unsigned long addresses[] = { 900, 100, 420, 404, 640, 400, 600, 660 };
	void *objects[ARRAY_SIZE(addresses)];
	unsigned int i;
	u32 n = ARRAY_SIZE(addresses);

	for (i = 0; i < n; i++)
		objects[i] = (void *)addresses[i];
	/* 100, 400, 404, 420, 600, 640, 660, 900 */
	KUNIT_EXPECT_EQ(test, gospan_bench_closest(objects, n, 2), 1);
	for (i = 1; i < n; i++)
		KUNIT_EXPECT_TRUE(test, objects[i - 1] < objects[i]);
	KUNIT_EXPECT_EQ(test, gospan_bench_closest(objects, n, 3), 1);
	KUNIT_EXPECT_EQ(test, gospan_bench_closest(objects + 2, n - 2, 3), 2);
	KUNIT_EXPECT_EQ(test, gospan_bench_closest(objects, n, n), 0);
	KUNIT_EXPECT_EQ(test, gospan_bench_closest(objects, 1, 1), 0);
}

/* One that is fine; the tests change one field. */
static struct gospan_bench good_bench(void)
{
	struct gospan_bench b = {
		.workload = GOSPAN_WORKLOAD_BATCH,
		.allocator = GOSPAN_ALLOCATOR_GOSPAN,
		.size = 64,
		.nr_objects = 2,	/* of the largest size, too, in GOSPAN_BENCH_MAX_BYTES */
		.rounds = 3,
		.nr_results = GOSPAN_BENCH_CPU_WORDS * 64,
	};
	unsigned int cpu = cpumask_first(cpu_online_mask);

	b.cpus[cpu / 64] = 1ULL << (cpu % 64);
	return b;
}

#define EXPECT_CHECK(test, field, value, want) do {				\
	struct gospan_bench __b = good_bench();					\
										\
	__b.field = value;							\
	KUNIT_EXPECT_EQ_MSG(test, gospan_bench_check(&__b), want, #field " = " #value); \
} while (0)

static void check_accepts(struct kunit *test)
{
	struct gospan_bench b = good_bench();

	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), 1);
	EXPECT_CHECK(test, workload, GOSPAN_WORKLOAD_PAIR, 1);
	EXPECT_CHECK(test, order, GOSPAN_ORDER_SHUFFLED, 1);
	EXPECT_CHECK(test, flags, GOSPAN_BENCH_ZERO, 1);
	EXPECT_CHECK(test, flags, GOSPAN_BENCH_LATENCY | GOSPAN_BENCH_WEIGH, 1);
	EXPECT_CHECK(test, size, 1, 1);
	EXPECT_CHECK(test, size, KMALLOC_MAX_SIZE, 1);
	EXPECT_CHECK(test, nr_objects, GOSPAN_BENCH_MAX_OBJECTS, 1);
	EXPECT_CHECK(test, rounds, GOSPAN_BENCH_MAX_ROUNDS, 1);
	EXPECT_CHECK(test, nr_results, 1, 1);
	EXPECT_CHECK(test, allocator, GOSPAN_ALLOCATOR_SPAN, 1);
	b.workload = GOSPAN_WORKLOAD_MIX;
	b.size = 0;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), 1);
	/* Of pairs one object is live, however many there are. */
	b.workload = GOSPAN_WORKLOAD_PAIR;
	b.size = KMALLOC_MAX_SIZE;
	b.nr_objects = GOSPAN_BENCH_MAX_OBJECTS;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), 1);
}

static void check_rejects(struct kunit *test)
{
	struct gospan_bench b = good_bench();

	EXPECT_CHECK(test, workload, GOSPAN_NR_WORKLOADS, -EINVAL);
	EXPECT_CHECK(test, workload, U32_MAX, -EINVAL);
	EXPECT_CHECK(test, workload, GOSPAN_WORKLOAD_MIX, -EINVAL); /* has a size */
	EXPECT_CHECK(test, workload, GOSPAN_WORKLOAD_REMOTE, -EINVAL); /* one CPU */
	EXPECT_CHECK(test, allocator, GOSPAN_NR_ALLOCATORS, -EINVAL);
	EXPECT_CHECK(test, order, GOSPAN_NR_ORDERS, -EINVAL);
	EXPECT_CHECK(test, flags, 8, -EINVAL);
	EXPECT_CHECK(test, size, 0, -EINVAL);
	EXPECT_CHECK(test, size, KMALLOC_MAX_SIZE + 1, -EINVAL);
	EXPECT_CHECK(test, size, U64_MAX, -EINVAL);
	EXPECT_CHECK(test, nr_objects, 0, -EINVAL);
	EXPECT_CHECK(test, nr_objects, GOSPAN_BENCH_MAX_OBJECTS + 1, -EINVAL);
	EXPECT_CHECK(test, rounds, 0, -EINVAL);
	EXPECT_CHECK(test, rounds, GOSPAN_BENCH_MAX_ROUNDS + 1, -EINVAL);
	EXPECT_CHECK(test, nr_results, 0, -EINVAL);
	b.order = GOSPAN_ORDER_LIFO;
	b.workload = GOSPAN_WORKLOAD_PAIR;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
	b = good_bench();
	b.size = 4096;
	b.nr_objects = GOSPAN_BENCH_MAX_BYTES / 4096 + 1;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
	b = good_bench();
	memset(b.cpus, 0, sizeof(b.cpus));
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
	b.cpus[GOSPAN_BENCH_CPU_WORDS - 1] = 1ULL << 63;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -ENODEV);
	b = good_bench();
	b.workload = GOSPAN_WORKLOAD_MIX;
	b.size = 0;
	b.allocator = GOSPAN_ALLOCATOR_KMEM_CACHE;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
	b.allocator = GOSPAN_ALLOCATOR_SPAN;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
	b.allocator = GOSPAN_ALLOCATOR_CACHE;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
}

/* Workloads that not every allocator has calls for. */
static void check_allocator_can(struct kunit *test)
{
	static const struct {
		u32 workload;
		u32 allocators;	/* a bit for each that can */
	} rows[] = {
		{ GOSPAN_WORKLOAD_BULK, BIT(GOSPAN_ALLOCATOR_EMPTY) |
		  BIT(GOSPAN_ALLOCATOR_GOSPAN) | BIT(GOSPAN_ALLOCATOR_KMEM_CACHE) |
		  BIT(GOSPAN_ALLOCATOR_CACHE) },
		{ GOSPAN_WORKLOAD_WRITE, (u32)~(BIT(GOSPAN_ALLOCATOR_PAGES) |
						BIT(GOSPAN_ALLOCATOR_SPAN) |
						BIT(GOSPAN_ALLOCATOR_LIMIT)) },
		{ GOSPAN_WORKLOAD_RCU_FLOOD, BIT(GOSPAN_ALLOCATOR_EMPTY) |
		  BIT(GOSPAN_ALLOCATOR_GOSPAN) | BIT(GOSPAN_ALLOCATOR_KMALLOC) },
	};
	unsigned int i;
	u32 allocator;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
			struct gospan_bench b = good_bench();
			int want = rows[i].allocators & BIT(allocator) ? 1 : -EINVAL;

			b.workload = rows[i].workload;
			b.allocator = allocator;
			KUNIT_EXPECT_EQ_MSG(test, gospan_bench_check(&b), want,
					    "workload %u, allocator %u", b.workload, allocator);
			b.order = GOSPAN_ORDER_LIFO;
			KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
			b.order = 0;
			b.flags = GOSPAN_BENCH_LATENCY;
			KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
		}
	}
}

/* Objects of twice the size must be to be had: each allocation of the second phase failed. */
static void check_size_of_fragment(struct kunit *test)
{
	struct gospan_bench b = good_bench();

	b.workload = GOSPAN_WORKLOAD_FRAGMENT;
	b.size = KMALLOC_MAX_SIZE / 2;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), 1);
	b.size++;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
}

/* The rcu_head must have room in the object. */
static void check_size_of_rcu_flood(struct kunit *test)
{
	struct gospan_bench b = good_bench();

	b.workload = GOSPAN_WORKLOAD_RCU_FLOOD;
	b.size = sizeof(struct rcu_head);
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), 1);
	b.size--;
	KUNIT_EXPECT_EQ(test, gospan_bench_check(&b), -EINVAL);
}

/* Pages are held for those two whose pages they are. */
static void check_held_pages(struct kunit *test)
{
	u32 allocator;

	for (allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		struct gospan_bench b = good_bench();
		int want = allocator == GOSPAN_ALLOCATOR_SPAN ||
			   allocator == GOSPAN_ALLOCATOR_PAGES ? 1 : -EINVAL;

		b.allocator = allocator;
		b.held_pages = 1;
		KUNIT_EXPECT_EQ_MSG(test, gospan_bench_check(&b), want, "allocator %u", allocator);
		b.held_pages = GOSPAN_BENCH_MAX_HELD_PAGES;
		KUNIT_EXPECT_EQ_MSG(test, gospan_bench_check(&b), want, "allocator %u", allocator);
		b.held_pages = GOSPAN_BENCH_MAX_HELD_PAGES + 1;
		KUNIT_EXPECT_EQ_MSG(test, gospan_bench_check(&b), -EINVAL, "allocator %u",
				    allocator);
		b.held_pages = 1;
		b.workload = GOSPAN_WORKLOAD_MIX;
		b.size = 0;
		KUNIT_EXPECT_EQ_MSG(test, gospan_bench_check(&b), -EINVAL, "MIX, allocator %u",
				    allocator);
	}
}

static void mix_destroy_action(void *mix)
{
	gospan_mix_destroy(mix);
}

static struct gospan_mix *mix_make(struct kunit *test, u32 nr_ops, u64 seed)
{
	struct gospan_mix *mix = kunit_kzalloc(test, sizeof(*mix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mix);
	KUNIT_ASSERT_EQ(test, gospan_mix_init(mix, nr_ops, seed, GFP_KERNEL, NUMA_NO_NODE), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mix_destroy_action, mix), 0);
	return mix;
}

/* Only what is live is freed, with the size that it had; the peak is the peak. */
static void mix_init_stream_is_sound(struct kunit *test)
{
	const u32 nr_ops = 50000;
	struct gospan_mix *mix = mix_make(test, nr_ops, 5);
	u32 *live = kunit_kcalloc(test, GOSPAN_MIX_MAX_LIVE, sizeof(*live), GFP_KERNEL);
	u64 bytes = 0, peak = 0;
	u32 i, at_peak = 0, nr_frees = 0;

	KUNIT_ASSERT_NOT_NULL(test, live);
	for (i = 0; i < nr_ops; i++) {
		u32 size = mix->ops[i].size & ~GOSPAN_MIX_FREE, slot = mix->ops[i].slot;
		bool is_free = mix->ops[i].size & GOSPAN_MIX_FREE;

		KUNIT_ASSERT_LT(test, slot, GOSPAN_MIX_MAX_LIVE);
		KUNIT_ASSERT_GT(test, size, 0);
		KUNIT_ASSERT_EQ(test, live[slot], is_free ? size : 0);
		live[slot] = is_free ? 0 : size;
		nr_frees += is_free;
		bytes += is_free ? -(u64)size : size;
		if (bytes > peak) {
			peak = bytes;
			at_peak = i + 1;
		}
	}
	KUNIT_EXPECT_EQ(test, mix->peak_bytes, peak);
	KUNIT_EXPECT_EQ(test, mix->nr_at_peak, at_peak);
	/* In the long run as many frees as allocations. */
	KUNIT_EXPECT_GT(test, nr_frees, nr_ops / 2 - GOSPAN_MIX_MAX_LIVE);
	gospan_mix_replay(mix, nr_ops);
	for (i = 0; i < GOSPAN_MIX_MAX_LIVE; i++)
		KUNIT_ASSERT_EQ(test, mix->slot_bytes[i], live[i]);
}

static void mix_init_same_seed(struct kunit *test)
{
	struct gospan_mix *a = mix_make(test, 3000, 1), *b = mix_make(test, 3000, 1);
	struct gospan_mix *c = mix_make(test, 3000, 2);
	size_t bytes = 3000 * sizeof(*a->ops);

	KUNIT_EXPECT_EQ(test, memcmp(a->ops, b->ops, bytes), 0);
	KUNIT_EXPECT_NE(test, memcmp(a->ops, c->ops, bytes), 0);
}

static void extent_add_up_counts_each_once(struct kunit *test)
{
	struct gospan_extent extents[] = {
		{ 0x4000, 8192 }, { 0, 0 }, { 0x1000, 4096 }, { 0x4000, 8192 }, { 0x8000, 32 },
		{ 0x1000, 4096 }, { 0, 0 },
	};
	struct gospan_extent_sum sum = gospan_extent_add_up(extents, ARRAY_SIZE(extents));

	KUNIT_EXPECT_EQ(test, sum.nr, 3);
	KUNIT_EXPECT_EQ(test, sum.bytes, 8192 + 4096 + 32);
	sum = gospan_extent_add_up(extents, 0);
	KUNIT_EXPECT_EQ(test, sum.nr, 0);
	KUNIT_EXPECT_EQ(test, sum.bytes, 0);
}

/* Buckets leave no gap and overlap nowhere: a quantile of one value is hardly above it. */
static void histogram_bucket_and_quantile(struct kunit *test)
{
	struct gospan_histogram *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	unsigned int last = 0, shift;
	u64 value;

	KUNIT_ASSERT_NOT_NULL(test, h);
	for (value = 0; value < 4096; value++) {
		unsigned int bucket = gospan_histogram_bucket(value);

		KUNIT_ASSERT_TRUE(test, bucket == last || bucket == last + 1);
		last = bucket;
	}
	KUNIT_EXPECT_EQ(test, gospan_histogram_bucket(U64_MAX), GOSPAN_HISTOGRAM_BUCKETS - 1);
	for (shift = 0; shift < 64; shift++) {
		value = U64_MAX >> shift;
		memset(h, 0, sizeof(*h));
		gospan_histogram_add(h, value / 3);
		gospan_histogram_add(h, value);
		KUNIT_ASSERT_GE(test, gospan_histogram_quantile(h, 500), value / 3);
		KUNIT_ASSERT_LE(test, gospan_histogram_quantile(h, 500), value / 3 + value / 48);
		KUNIT_ASSERT_EQ(test, gospan_histogram_quantile(h, 501), value);
		KUNIT_ASSERT_EQ(test, h->max, value);
	}
}

static void histogram_quantile_ranks(struct kunit *test)
{
	struct gospan_histogram *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, h);
	KUNIT_EXPECT_EQ(test, gospan_histogram_quantile(h, 500), 0);
	for (i = 0; i < 989; i++)
		gospan_histogram_add(h, 5);
	for (i = 0; i < 10; i++)
		gospan_histogram_add(h, 20);
	gospan_histogram_add(h, 1000000);
	KUNIT_EXPECT_EQ(test, gospan_histogram_quantile(h, 500), 5);
	KUNIT_EXPECT_EQ(test, gospan_histogram_quantile(h, 989), 5);
	KUNIT_EXPECT_EQ(test, gospan_histogram_quantile(h, 990), 20);
	KUNIT_EXPECT_EQ(test, gospan_histogram_quantile(h, 999), 20);
	KUNIT_EXPECT_EQ(test, gospan_histogram_quantile(h, 1000), 1000000);
}

static struct kunit_case bench_cases[] = {
	KUNIT_CASE(reorder_fifo_and_lifo),
	KUNIT_CASE(reorder_shuffled),
	KUNIT_CASE(summarize_min_and_median),
	KUNIT_CASE(closest_of_k),
	KUNIT_CASE(check_accepts),
	KUNIT_CASE(check_rejects),
	KUNIT_CASE(check_allocator_can),
	KUNIT_CASE(check_size_of_fragment),
	KUNIT_CASE(check_size_of_rcu_flood),
	KUNIT_CASE(check_held_pages),
	KUNIT_CASE(mix_init_stream_is_sound),
	KUNIT_CASE(mix_init_same_seed),
	KUNIT_CASE(extent_add_up_counts_each_once),
	KUNIT_CASE(histogram_bucket_and_quantile),
	KUNIT_CASE(histogram_quantile_ranks),
	{}
};

static struct kunit_suite bench_suite = {
	.name = "gospan_bench",
	.init = gospan_kunit_init,
	.test_cases = bench_cases,
};

kunit_test_suite(bench_suite);
