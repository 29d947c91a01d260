// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of whole benchmarks: every workload runs with every allocator that can do it,
 * counts right, and leaves nothing allocated.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/gospan.h>
#include "../src/bench.h"
#include "../src/bench_held.h"
#include "../src/bench_worker.h"
#include "../src/supply.h"
#include "helper.h"

#define NR_OBJECTS	100U
#define NR_LARSON	97U	/* no turn is as long as another */
#define NR_XMALLOC	5000U	/* goes around its ring more than twice */
#define NR_CYCLE	16400U	/* 164 times NR_OBJECTS */
#define NR_SHBENCH	112U	/* NR_OBJECTS in whole groups of 16 */
#define NR_WRITES	2500U	/* to three objects */
#define NR_RPTEST	1024U	/* two turns: objects have crossed to another CPU and back */
#define NR_MSTRESS	1280U	/* the same */
#define NR_FLOOD	20000U	/* more than is freed meanwhile */
#define NR_ROUNDS	2U
#define MAX_CPUS	4U
#define NR_HELD		5000U	/* others may run in between */

/* What a workload is asked for, and what it must answer. */
struct run_row {
	const char *name;
	u32 workload;
	u64 size;		/* 0 where the workload has its own */
	u32 min_cpus;
	bool weighs;		/* has objects that live together */
	/* Operations of phases 0 and 1 on the first CPU, and on each of the others. */
	u64 first[GOSPAN_BENCH_NR_PHASES], others[GOSPAN_BENCH_NR_PHASES];
	u32 nr_objects;		/* 0: NR_OBJECTS */
};

static const struct run_row run_rows[] = {
	{ "pair", GOSPAN_WORKLOAD_PAIR, 64, 1, false, { NR_OBJECTS, 0 }, { NR_OBJECTS, 0 } },
	{ "batch", GOSPAN_WORKLOAD_BATCH, 64, 1, true,
	  { NR_OBJECTS, NR_OBJECTS }, { NR_OBJECTS, NR_OBJECTS } },
	{ "remote", GOSPAN_WORKLOAD_REMOTE, 64, 2, true, { NR_OBJECTS, 0 }, { 0, NR_OBJECTS } },
	{ "mix", GOSPAN_WORKLOAD_MIX, 0, 1, true, { NR_OBJECTS, 0 }, { NR_OBJECTS, 0 } },
	{ "bulk", GOSPAN_WORKLOAD_BULK, 64, 1, false, { 2100, 0 }, { 2100, 0 } },
	{ "larson", GOSPAN_WORKLOAD_LARSON, 0, 1, true, { NR_LARSON, 0 }, { NR_LARSON, 0 },
	  NR_LARSON },
	{ "xmalloc", GOSPAN_WORKLOAD_XMALLOC, 64, 2, false, { NR_XMALLOC, 0 }, { 0, NR_XMALLOC },
	  NR_XMALLOC },
	{ "alloc-test", GOSPAN_WORKLOAD_ALLOC_TEST, 0, 1, true,
	  { NR_OBJECTS, 0 }, { NR_OBJECTS, 0 } },
	{ "shbench", GOSPAN_WORKLOAD_SHBENCH, 0, 1, true, { NR_SHBENCH, 0 }, { NR_SHBENCH, 0 } },
	{ "fan-out", GOSPAN_WORKLOAD_FAN_OUT, 64, 2, true, { NR_OBJECTS, 0 }, { 0, NR_OBJECTS } },
	{ "cycle", GOSPAN_WORKLOAD_CYCLE, 64, 1, true, { NR_CYCLE, 0 }, { NR_CYCLE, 0 } },
	{ "fragment", GOSPAN_WORKLOAD_FRAGMENT, 64, 1, true,
	  { NR_OBJECTS * 9 / 10, 23 }, { NR_OBJECTS * 9 / 10, 23 } },
	{ "thrash", GOSPAN_WORKLOAD_THRASH, 64, 1, false, { NR_WRITES, 0 }, { NR_WRITES, 0 },
	  NR_WRITES },
	{ "scratch", GOSPAN_WORKLOAD_SCRATCH, 64, 1, false, { NR_WRITES, 0 }, { NR_WRITES, 0 },
	  NR_WRITES },
	{ "rptest", GOSPAN_WORKLOAD_RPTEST, 0, 1, true, { NR_RPTEST, 0 }, { NR_RPTEST, 0 },
	  NR_RPTEST - 1 },
	{ "mstress", GOSPAN_WORKLOAD_MSTRESS, 0, 1, true, { NR_MSTRESS, 0 }, { NR_MSTRESS, 0 },
	  NR_MSTRESS - 1 },
	{ "rcu-flood", GOSPAN_WORKLOAD_RCU_FLOOD, 64, 1, true, { NR_FLOOD, 0 }, { NR_FLOOD, 0 },
	  NR_FLOOD },
	{ "hardirq", GOSPAN_WORKLOAD_HARDIRQ, 64, 1, false, { NR_OBJECTS, 0 }, { NR_OBJECTS, 0 } },
	{ "write", GOSPAN_WORKLOAD_WRITE, 64, 1, false, { NR_OBJECTS, 0 }, { NR_OBJECTS, 0 } },
};

static void run_row_name(const struct run_row *row, char *name)
{
	strscpy(name, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(run, run_rows, run_row_name);

/* On the first @nr_cpus CPUs; returns how many there are. */
static u32 bench_fill(struct gospan_bench *b, const struct run_row *row, u32 nr_cpus)
{
	u32 cpu, nr = 0;

	*b = (struct gospan_bench){
		.workload = row->workload,
		.size = row->size,
		.nr_objects = row->nr_objects ?: NR_OBJECTS,
		.rounds = NR_ROUNDS,
		.seed = 1,
		.nr_results = MAX_CPUS,
	};
	for_each_online_cpu(cpu) {
		if (nr == nr_cpus)
			break;
		b->cpus[cpu / 64] |= BIT_ULL(cpu % 64);
		nr++;
	}
	return nr;
}

static void expect_phase(struct kunit *test, const struct gospan_bench *b,
			 const struct gospan_bench_phase *phase, u64 ops)
{
	bool has_latency = ops && b->flags & GOSPAN_BENCH_LATENCY;

	KUNIT_EXPECT_EQ(test, phase->ops, ops);
	KUNIT_EXPECT_EQ(test, phase->ticks_min > 0, ops > 0);
	KUNIT_EXPECT_LE(test, phase->ticks_min, phase->ticks_median);
	KUNIT_EXPECT_LE(test, phase->ns_min, phase->ns_median);
	KUNIT_EXPECT_EQ(test, phase->ticks_max > 0, has_latency);
	KUNIT_EXPECT_LE(test, phase->ticks_p50, phase->ticks_p99);
	KUNIT_EXPECT_LE(test, phase->ticks_p99, phase->ticks_p999);
	KUNIT_EXPECT_LE(test, phase->ticks_p999, phase->ticks_max);
}

static void expect_usage(struct kunit *test, const struct gospan_bench *b,
			 const struct run_row *row)
{
	bool weighs = row->weighs && b->flags & GOSPAN_BENCH_WEIGH &&
		      b->allocator != GOSPAN_ALLOCATOR_EMPTY &&
		      b->allocator != GOSPAN_ALLOCATOR_LIMIT;

	KUNIT_EXPECT_EQ(test, b->bytes_asked > 0, weighs);
	KUNIT_EXPECT_LE(test, b->bytes_asked, b->bytes_rounded);
	/*
	 * Of a flood part is freed before the rest is allocated, and other slabs, which are
	 * everybody's, may shrink or do without more.
	 */
	if (row->workload != GOSPAN_WORKLOAD_RCU_FLOOD)
		KUNIT_EXPECT_LE(test, b->bytes_rounded, b->bytes_held);
	else if (!weighs || b->allocator == GOSPAN_ALLOCATOR_GOSPAN)
		KUNIT_EXPECT_EQ(test, b->bytes_held > 0, weighs);
}

static void run_and_expect(struct kunit *test, struct gospan_bench *b,
			   const struct run_row *row, u32 nr_cpus)
{
	struct gospan_bench_cpu results[MAX_CPUS] = {};
	u64 live;
	u32 i, p;

	gospan_kunit_flush();
	live = gospan_kunit_live();
	KUNIT_ASSERT_EQ_MSG(test, gospan_bench_run(b, results), 0, "allocator %u, %u CPUs",
			    b->allocator, nr_cpus);
	for (i = 0; i < nr_cpus; i++) {
		KUNIT_EXPECT_EQ(test, results[i].failures, 0);
		for (p = 0; p < GOSPAN_BENCH_NR_PHASES; p++)
			expect_phase(test, b, &results[i].phase[p],
				     i ? row->others[p] : row->first[p]);
	}
	expect_usage(test, b, row);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ_MSG(test, gospan_kunit_live(), live, "allocator %u", b->allocator);
}

/* With and without latency and memory, where the workload has them. */
static void run_every_allocator(struct kunit *test)
{
	const struct run_row *row = test->param_value;
	const struct gospan_bench_shape *shape = gospan_bench_shape(row->workload);
	u32 nr_cpus, allocator;

	for (nr_cpus = row->min_cpus; nr_cpus <= 2; nr_cpus++) {
		for (allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
			struct gospan_bench b;

			if (!(shape->allocators & BIT(allocator)))
				continue;
			if (bench_fill(&b, row, nr_cpus) < nr_cpus)
				kunit_skip(test, "there is one CPU");
			b.allocator = allocator;
			run_and_expect(test, &b, row, nr_cpus);
			b.flags = GOSPAN_BENCH_WEIGH;
			if (shape->fields & GOSPAN_TAKES_LATENCY)
				b.flags |= GOSPAN_BENCH_LATENCY;
			run_and_expect(test, &b, row, nr_cpus);
		}
	}
}

/* What is held at the peak of a batch is the spans of so many objects. */
static void weigh_batch(struct kunit *test)
{
	struct gospan_bench b;

	bench_fill(&b, &run_rows[1], 1);
	b.allocator = GOSPAN_ALLOCATOR_GOSPAN;
	b.flags = GOSPAN_BENCH_WEIGH;
	b.size = 60;
	run_and_expect(test, &b, &run_rows[1], 1);
	KUNIT_EXPECT_EQ(test, b.bytes_asked, NR_OBJECTS * 60);
	KUNIT_EXPECT_EQ(test, b.bytes_rounded, NR_OBJECTS * 64);
	KUNIT_EXPECT_EQ(test, b.bytes_held % 8192, 0);
}

/*
 * As many pages as are asked for, all in use: the heap's, which gives back what it took for
 * them, or the kernel's, which are none of the heap's.
 */
static void hold_pages(struct kunit *test)
{
	static const u32 allocators[] = { GOSPAN_ALLOCATOR_SPAN, GOSPAN_ALLOCATOR_PAGES };
	unsigned long inuse = gospan_kunit_inuse_pages(&gospan_heap);
	unsigned long had = gospan_supply_held_pages(&gospan_heap);
	struct gospan_bench b = { .held_pages = NR_HELD, .seed = 1 };
	struct gospan_bench_held *held;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(allocators); i++) {
		b.allocator = allocators[i];
		held = gospan_bench_hold(&b, GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, held);
		KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(&gospan_heap),
				inuse + (b.allocator == GOSPAN_ALLOCATOR_SPAN ? NR_HELD : 0));
		gospan_bench_unhold(held);
		KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(&gospan_heap), inuse);
		KUNIT_EXPECT_LE(test, gospan_supply_held_pages(&gospan_heap), had);
	}
}

/* Nothing is held then. */
static void hold_interrupted(struct kunit *test)
{
	const struct gospan_bench b = {
		.allocator = GOSPAN_ALLOCATOR_SPAN,
		.held_pages = NR_HELD,
		.seed = 1,
	};
	unsigned long inuse = gospan_kunit_inuse_pages(&gospan_heap);
	struct gospan_bench_held *held;

	set_thread_flag(TIF_SIGPENDING);
	held = gospan_bench_hold(&b, GFP_KERNEL);
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(held), -EINTR);
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(&gospan_heap), inuse);
}

static struct kunit_case bench_run_cases[] = {
	KUNIT_CASE_PARAM(run_every_allocator, run_gen_params),
	KUNIT_CASE(weigh_batch),
	KUNIT_CASE(hold_pages),
	KUNIT_CASE(hold_interrupted),
	{}
};

static struct kunit_suite bench_run_suite = {
	.name = "gospan_bench_run",
	.init = gospan_kunit_init,
	.test_cases = bench_run_cases,
};

kunit_test_suite(bench_run_suite);
