// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table that a person reads: one group per kind of work, one row per size.
 *
 * All figures are ticks per operation of the best round; the column "loop" is
 * the empty loop, which the others no longer contain. 84 columns wide.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *on_off(const struct bench *b, __u32 flag)
{
	return b->version.flags & flag ? "1" : "0";
}

static void print_loops(const struct bench *b)
{
	const struct bench_options *options = &b->options;

	printf("loops         %llu rounds of n operations, allocators in turn, best round shown\n",
	       options->rounds);
	if (options->zero)
		puts("              every allocation zeroed (__GFP_ZERO)");
}

static void print_head(const struct bench *b)
{
	const struct machine *m = &b->machine;
	char cpus[64];

	cpu_list_format(&b->options.cpus, cpus, sizeof(cpus));
	printf("gospan %s\n", b->version.release);
	printf("kernel        %s %s %s\n", m->kernel.sysname, m->kernel.release, m->kernel.version);
	printf("options       init_on_alloc=%s init_on_free=%s%s\n",
	       on_off(b, GOSPAN_VERSION_INIT_ON_ALLOC), on_off(b, GOSPAN_VERSION_INIT_ON_FREE),
	       b->version.flags & GOSPAN_VERSION_DEBUG_KERNEL ?
	       ", DEBUG KERNEL: timings mean little" : "");
	printf("CPU           %s; %u online, used: %s\n", m->cpu_model, m->nr_online, cpus);
	printf("ticks         %s", instrument_names[b->options.instrument]);
	if (b->version.tick_khz)
		printf(" (TSC, %u kHz)", b->version.tick_khz);
	puts("; the empty loop is subtracted");
	print_loops(b);
}

static void print_columns(const struct bench *b)
{
	static const char *const titles[] = { "loop", "gospan", "kmalloc", "ratio", "kmem_cache",
					      "alloc_pages" };

	printf("\n%-14s%6s", instrument_names[b->options.instrument], "n");
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		printf("%*s", i < 4 ? 9 : i < 5 ? 12 : 13, titles[i]);
	putchar('\n');
}

static void print_figure(double value, int width, int decimals)
{
	if (isnan(value))
		printf("%*s", width, "-");
	else
		printf("%*.*f", width, decimals, value);
}

static double loop_ticks(const struct bench_case *c, enum bench_part part)
{
	const struct bench_phase *phases = c->cells[GOSPAN_ALLOCATOR_EMPTY].phases;

	if (part == PART_SUM)
		return phases[0].times.ticks_min + phases[1].times.ticks_min;
	return phases[part].times.ticks_min;
}

static void print_row(const struct bench_case *c, enum bench_part part)
{
	char label[32] = "a step";

	if (c->size)
		snprintf(label, sizeof(label), "%llu B", c->size);
	printf("%12s  %6u", label, c->nr_objects);
	print_figure(loop_ticks(c, part), 9, 1);
	print_figure(bench_net_ticks(c, GOSPAN_ALLOCATOR_GOSPAN, part), 9, 1);
	print_figure(bench_net_ticks(c, GOSPAN_ALLOCATOR_KMALLOC, part), 9, 1);
	print_figure(bench_ratio(c, part), 9, 2);
	print_figure(bench_net_ticks(c, GOSPAN_ALLOCATOR_KMEM_CACHE, part), 12, 1);
	print_figure(bench_net_ticks(c, GOSPAN_ALLOCATOR_PAGES, part), 13, 1);
	putchar('\n');
}

/* A title and a row for each case of @kind. Nothing when there is no case. */
static void print_group(const struct bench *b, enum bench_kind_id kind, enum bench_part part,
			const char *title)
{
	if (!(b->options.kinds & (1U << kind)))
		return;
	printf("\n%s\n", title);
	for (size_t i = 0; i < b->nr_cases; i++) {
		if (b->cases[i].kind == &bench_kinds[kind])
			print_row(&b->cases[i], part);
	}
}

static void print_pairs(const struct bench *b)
{
	char title[80];

	print_group(b, KIND_PAIR, PART_FIRST, "pair: allocate, free at once");
	snprintf(title, sizeof(title), "pair, all CPUs: on %u CPUs at once, mean of the CPUs",
		 cpu_list_count(&b->options.cpus));
	print_group(b, KIND_PAIR_ALL, PART_FIRST, title);
}

/* Allocations are the same work whatever the order of the frees: they are shown once. */
static void print_batches(const struct bench *b)
{
	static const struct { enum bench_kind_id kind; const char *title; } batches[] = {
		{ KIND_BATCH, "batch: n frees, in order" },
		{ KIND_BATCH_LIFO, "batch: n frees, reversed" },
		{ KIND_BATCH_SHUFFLED, "batch: n frees, shuffled" },
	};
	size_t nr = sizeof(batches) / sizeof(batches[0]);

	for (size_t i = 0; i < nr; i++) {
		if (b->options.kinds & (1U << batches[i].kind)) {
			print_group(b, batches[i].kind, PART_FIRST, "batch: n allocs");
			break;
		}
	}
	for (size_t i = 0; i < nr; i++)
		print_group(b, batches[i].kind, PART_SECOND, batches[i].title);
}

static void print_remote(const struct bench *b)
{
	print_group(b, KIND_REMOTE, PART_FIRST, "remote: allocate here");
	print_group(b, KIND_REMOTE, PART_SECOND, "remote: free there, on another CPU");
	print_group(b, KIND_REMOTE, PART_SUM, "remote: the pair");
}

static void print_mix_bytes(const struct bench_case *c, unsigned int allocator)
{
	const struct bench_cell *cell = &c->cells[allocator];

	if (!cell->measured)
		return;
	printf("  %-12s%14llu%14llu%14llu", allocator_names[allocator], cell->bytes_asked,
	       cell->bytes_rounded, cell->bytes_held);
	print_figure(cell->bytes_asked ? (double)cell->bytes_rounded / cell->bytes_asked : NAN,
		     15, 2);
	print_figure(cell->bytes_asked ? (double)cell->bytes_held / cell->bytes_asked : NAN,
		     12, 2);
	putchar('\n');
}

static void print_mix(const struct bench *b)
{
	const struct bench_case *c = bench_find(b, KIND_MIX, 0);

	if (!c)
		return;
	print_group(b, KIND_MIX, PART_FIRST, "mix: sizes and lifetimes as in a real kernel");
	printf("\n  %-12s%14s%14s%14s%15s%12s\n", "bytes, peak", "asked", "rounded", "held",
	       "rounded/asked", "held/asked");
	print_mix_bytes(c, GOSPAN_ALLOCATOR_GOSPAN);
	print_mix_bytes(c, GOSPAN_ALLOCATOR_KMALLOC);
}

static void print_failures(const struct bench *b)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++) {
			const struct bench_case *c = &b->cases[i];

			if (c->cells[a].failures)
				printf("FAILED: %llu allocations of %s, %llu B, by %s: its "
				       "figures do not count\n", c->cells[a].failures,
				       c->kind->name, c->size, allocator_names[a]);
		}
	}
}

/* Where the median round was furthest above the best one: the reader's error bar. */
static void print_spread(const struct bench *b)
{
	const struct bench_case *worst_case = NULL;
	unsigned int worst_allocator = 0;
	double worst = -1;

	for (size_t i = 0; i < b->nr_cases; i++) {
		for (unsigned int a = GOSPAN_ALLOCATOR_GOSPAN; a < GOSPAN_NR_ALLOCATORS; a++) {
			const struct bench_case *c = &b->cases[i];
			double spread = bench_spread_percent(&c->cells[a].phases[0].times);

			if (!c->cells[a].measured || !(spread > worst))
				continue;
			worst = spread;
			worst_case = c;
			worst_allocator = a;
		}
	}
	if (worst_case)
		printf("spread: the median round is at most %.1f %% above the best (%s, %llu B, %s)\n",
		       worst, worst_case->kind->name, worst_case->size,
		       allocator_names[worst_allocator]);
}

void bench_print_table(const struct bench *b)
{
	print_head(b);
	print_columns(b);
	print_pairs(b);
	print_batches(b);
	print_remote(b);
	print_mix(b);
	putchar('\n');
	print_spread(b);
	print_failures(b);
	if (b->options.budget)
		bench_print_budgets(b);
}
