// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was measured beside what the project set itself as targets.
 *
 * A target is a ratio to kmalloc of the same boot, after the empty loop has
 * been subtracted from both; it holds for the instrument that it was set for:
 * instructions on Debian's 6.12 (QEMU -icount, init_on_alloc=0), or cycles on a
 * SLUB with sheaves (7.x, User-Mode Linux on two CPUs).
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>

static const struct target {
	const char *work;
	enum bench_kind_id kind;
	__u64 size;
	enum bench_part part;
	double ratio[NR_INSTRUMENTS];	/* cycles, instructions */
} targets[BENCH_NR_BUDGETS] = {
	{ "pair, 64 B", KIND_PAIR, 64, PART_FIRST, { 0.42, 0.42 } },
	/* Size 0 stands for the worst of the sizes measured up to 4 KiB. */
	{ "pair, worst size up to 4 KiB", KIND_PAIR, 0, PART_FIRST, { 0.42, 0.42 } },
	{ "n allocs, 64 B", KIND_BATCH, 64, PART_FIRST, { 0.40, 0.33 } },
	{ "n frees in order, 64 B", KIND_BATCH, 64, PART_SECOND, { 0.40, 0.33 } },
	{ "n frees shuffled, 64 B", KIND_BATCH_SHUFFLED, 64, PART_SECOND, { 0.10, 0.33 } },
	{ "allocate here, free there, 64 B", KIND_REMOTE, 64, PART_SUM, { 0.35, 0.33 } },
	{ "pair, 9000 B", KIND_PAIR, 9000, PART_FIRST, { 0.05, 0.10 } },
	{ "pair, 32 KiB", KIND_PAIR, 32768, PART_FIRST, { 0.05, 0.10 } },
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

static double measured_ratio(const struct bench *b, const struct target *target)
{
	const struct bench_case *c;

	if (!target->size)
		return worst_small_pair(b);
	c = bench_find(b, target->kind, target->size);
	return c ? bench_ratio(c, target->part) : NAN;
}

void bench_budgets(const struct bench *b, struct bench_budget budgets[BENCH_NR_BUDGETS])
{
	for (size_t i = 0; i < BENCH_NR_BUDGETS; i++) {
		budgets[i].work = targets[i].work;
		budgets[i].target = targets[i].ratio[b->options.instrument];
		budgets[i].measured = measured_ratio(b, &targets[i]);
	}
}

void bench_print_budgets(const struct bench *b)
{
	struct bench_budget budgets[BENCH_NR_BUDGETS];

	bench_budgets(b, budgets);
	printf("\nbudgets: %s, gospan / kmalloc\n", instrument_names[b->options.instrument]);
	printf("  %-34s%8s%10s  %s\n", "work", "target", "measured", "met");
	for (size_t i = 0; i < BENCH_NR_BUDGETS; i++) {
		const struct bench_budget *budget = &budgets[i];

		printf("  %-34s%8.2f", budget->work, budget->target);
		if (isnan(budget->measured))
			printf("%10s  not measured\n", "-");
		else
			printf("%10.3f  %s\n", budget->measured,
			       budget->measured <= budget->target ? "yes" : "no");
	}
}
