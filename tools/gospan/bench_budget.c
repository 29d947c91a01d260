// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was measured beside what the project set itself as targets.
 *
 * A target is a ratio of two figures of the same boot, after the empty loop has
 * been subtracted from both; it holds for the instrument that it was set for:
 * instructions on Debian's 6.12 (QEMU -icount, init_on_alloc=0), or cycles on a
 * SLUB with sheaves (7.x, User-Mode Linux on two CPUs). Those of the page heap
 * also want it with its page caches, or without.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>

#define FEW_HELD	10000
#define MANY_HELD	1000000

/* What a target is a ratio of. */
enum versus {
	VERSUS_KMALLOC,
	VERSUS_SCAN,
	VERSUS_CACHE,
	VERSUS_PAIR,		/* a pair of the same size on one CPU */
	VERSUS_PAGES,
	VERSUS_FEW_HELD,	/* the same, with fewer pages held */
};

static const char *const versus_names[] = {
	[VERSUS_KMALLOC] = "gospan / kmalloc",
	[VERSUS_SCAN] = "noscan / gospan",
	[VERSUS_CACHE] = "gospan / kmem_cache",
	[VERSUS_PAIR] = "gospan's xmalloc / its pair",
	[VERSUS_PAGES] = "span / alloc_pages",
	[VERSUS_FEW_HELD] = "span, 1000000 pages held / 10000 held",
};

static const struct target {
	enum versus versus;
	const char *work;
	enum bench_kind_id kind;
	__u64 size;		/* bytes, or gospan pages; 0: the worst of the sizes up to 4 KiB */
	enum bench_part part;
	double ratio[NR_INSTRUMENTS];	/* cycles, instructions; NAN: none */
	char page_cache;	/* 'Y' or 'N' where it matters */
	__u32 nr_objects;	/* of a call; 0 where that does not matter */
} targets[BENCH_MAX_BUDGETS] = {
	{ VERSUS_KMALLOC, "pair, 64 B", KIND_PAIR, 64, PART_FIRST, { 0.42, 0.42 }, 0, 0 },
	{ VERSUS_KMALLOC, "pair, worst size up to 4 KiB", KIND_PAIR, 0, PART_FIRST,
	  { 0.42, 0.42 }, 0, 0 },
	{ VERSUS_KMALLOC, "n allocs, 64 B", KIND_BATCH, 64, PART_FIRST, { 0.40, 0.33 }, 0, 0 },
	{ VERSUS_KMALLOC, "n frees in order, 64 B", KIND_BATCH, 64, PART_SECOND,
	  { 0.40, 0.33 }, 0, 0 },
	{ VERSUS_KMALLOC, "n frees shuffled, 64 B", KIND_BATCH_SHUFFLED, 64, PART_SECOND,
	  { 0.10, 0.33 }, 0, 0 },
	{ VERSUS_KMALLOC, "allocate here, free there, 64 B", KIND_REMOTE, 64, PART_SUM,
	  { 0.35, 0.33 }, 0, 0 },
	{ VERSUS_KMALLOC, "pair, 9000 B", KIND_PAIR, 9000, PART_FIRST, { 0.05, 0.10 }, 0, 0 },
	{ VERSUS_KMALLOC, "pair, 32 KiB", KIND_PAIR, 32768, PART_FIRST, { 0.05, 0.10 }, 0, 0 },
	{ VERSUS_SCAN, "n frees in order, 4 B", KIND_NOSCAN_BATCH, 4, PART_SECOND,
	  { 2.00, 2.00 }, 0, 0 },
	{ VERSUS_SCAN, "n frees in order, 8 B", KIND_NOSCAN_BATCH, 8, PART_SECOND,
	  { 2.00, 2.00 }, 0, 0 },
	{ VERSUS_CACHE, "bulk, 16 of 256 B", KIND_BULK, 256, PART_FIRST, { 0.80, 0.80 }, 0, 16 },
	{ VERSUS_PAIR, "producer and consumer, 64 B", KIND_XMALLOC, 64, PART_SUM,
	  { NAN, 1.50 }, 0, 0 },
	{ VERSUS_PAIR, "producer and consumer, 32 KiB", KIND_XMALLOC, 32768, PART_SUM,
	  { NAN, 1.50 }, 0, 0 },
	{ VERSUS_PAGES, "span of 1 page, cached", KIND_RUNS, 1, PART_FIRST, { NAN, 0.50 }, 'Y', 0 },
	{ VERSUS_PAGES, "run of 16 pages, uncached", KIND_RUNS, 16, PART_FIRST,
	  { NAN, 1.50 }, 'N', 0 },
	{ VERSUS_FEW_HELD, "pair, 1 page", KIND_RUNS, 1, PART_FIRST, { NAN, 1.30 }, 0, 0 },
	{ VERSUS_FEW_HELD, "pair, 16 pages", KIND_RUNS, 16, PART_FIRST, { NAN, 1.30 }, 0, 0 },
	{ VERSUS_FEW_HELD, "n allocs, 1 page", KIND_RUNS_SHUFFLED, 1, PART_FIRST,
	  { NAN, 1.30 }, 0, 0 },
	{ VERSUS_FEW_HELD, "n allocs, 16 pages", KIND_RUNS_SHUFFLED, 16, PART_FIRST,
	  { NAN, 1.30 }, 0, 0 },
	{ VERSUS_FEW_HELD, "n frees shuffled, 1 page", KIND_RUNS_SHUFFLED, 1, PART_SECOND,
	  { NAN, 1.30 }, 0, 0 },
	{ VERSUS_FEW_HELD, "n frees shuffled, 16 pages", KIND_RUNS_SHUFFLED, 16, PART_SECOND,
	  { NAN, 1.30 }, 0, 0 },
};

static double worst_small_pair(const struct bench *b)
{
	double worst = NAN;

	for (size_t i = 0; i < b->nr_cases; i++) {
		const struct bench_case *c = &b->cases[i];

		if (c->kind == &bench_kinds[KIND_PAIR] && c->size <= 4096)
			worst = fmax(worst, bench_ratio(c, PART_FIRST));
	}
	return worst;
}

/* A part of one case over that of another; NaN when one is missing. */
static double ratio_of_cases(const struct bench_case *c, enum bench_part part,
			     const struct bench_case *reference, enum bench_part reference_part,
			     enum gospan_bench_allocator allocator)
{
	double ticks;

	if (!c || !reference)
		return NAN;
	ticks = bench_net_ticks(reference, allocator, reference_part);
	return ticks > 0 ? bench_net_ticks(c, allocator, part) / ticks : NAN;
}

/* How many times its cost with few pages held has a run's with many? */
static double growth(const struct bench *b, const struct target *target, __u64 size)
{
	const struct bench_case *many = bench_find(b, target->kind, size, MANY_HELD, 0);
	const struct bench_case *few = bench_find(b, target->kind, size, FEW_HELD, 0);

	return ratio_of_cases(many, target->part, few, target->part, GOSPAN_ALLOCATOR_SPAN);
}

/* How many times what a pair on one CPU costs does one cost that two CPUs share? */
static double sharing(const struct bench *b, const struct target *target)
{
	const struct bench_case *shared = bench_find(b, target->kind, target->size, 0, 0);
	const struct bench_case *pair = bench_find(b, KIND_PAIR, target->size, 0, 0);

	return ratio_of_cases(shared, target->part, pair, PART_FIRST, GOSPAN_ALLOCATOR_GOSPAN);
}

/* NaN when it was not measured, or not as the target wants it. */
static double measured_ratio(const struct bench *b, const struct target *target)
{
	__u64 size = target->size;
	const struct bench_case *c;

	if (!size)
		return worst_small_pair(b);
	if (target->page_cache && target->page_cache != b->machine.page_cache)
		return NAN;
	if (bench_kinds[target->kind].comparison->in_pages)
		size *= b->version.page_bytes;
	if (target->versus == VERSUS_FEW_HELD)
		return growth(b, target, size);
	if (target->versus == VERSUS_PAIR)
		return sharing(b, target);
	c = bench_find(b, target->kind, size, 0, target->nr_objects);
	return c ? bench_ratio(c, target->part) : NAN;
}

size_t bench_budgets(const struct bench *b, struct bench_budget budgets[BENCH_MAX_BUDGETS])
{
	size_t nr = 0;

	for (size_t i = 0; i < BENCH_MAX_BUDGETS; i++) {
		struct bench_budget budget = {
			.versus = versus_names[targets[i].versus],
			.work = targets[i].work,
			.target = targets[i].ratio[b->options.instrument],
			.measured = measured_ratio(b, &targets[i]),
		};

		if (!isnan(budget.target) && !isnan(budget.measured))
			budgets[nr++] = budget;
	}
	return nr;
}

void bench_print_budgets(const struct bench *b)
{
	struct bench_budget budgets[BENCH_MAX_BUDGETS];
	size_t nr = bench_budgets(b, budgets);

	for (size_t i = 0; i < nr; i++) {
		const struct bench_budget *budget = &budgets[i];

		if (!i || budget->versus != budgets[i - 1].versus) {
			printf("\nbudgets: %s, %s\n", instrument_names[b->options.instrument],
			       budget->versus);
			printf("  %-34s%8s%10s  %s\n", "work", "target", "measured", "met");
		}
		printf("  %-34s%8.2f%10.3f  %s\n", budget->work, budget->target, budget->measured,
		       budget->measured <= budget->target ? "yes" : "no");
	}
}
