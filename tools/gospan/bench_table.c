// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table that a person reads: one group per kind of work, one row per size;
 * objects first, then runs of pages.
 *
 * All figures are ticks per operation of the best round (of what writes to objects, the
 * median one); the column "loop" is the empty loop, which the others no longer contain. 93
 * columns wide.
 */
#include "bench.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COLUMN_WIDTH	9

static const char *on_off(const struct bench *b, __u32 flag)
{
	return b->version.flags & flag ? "1" : "0";
}

/* Which round the figures are of. */
static const char *shown_round(const struct bench *b)
{
	size_t nr_writes = 0;

	for (size_t i = 0; i < b->nr_cases; i++)
		nr_writes += bench_is_write(b->cases[i].kind);
	if (!nr_writes)
		return "best round";
	return nr_writes == b->nr_cases ? "median round" : "best round (of writes median)";
}

static void print_loops(const struct bench *b)
{
	const struct bench_options *options = &b->options;

	printf("loops         %llu round%s of n operations, allocators in turn, %s shown\n",
	       options->rounds, options->rounds == 1 ? "" : "s", shown_round(b));
	if (options->zero)
		puts("              every allocation zeroed (__GFP_ZERO)");
}

static void print_held(const struct bench *b)
{
	const struct size_list *held = &b->options.held;

	for (size_t i = 0; i < held->nr; i++)
		printf("%s%llu", i ? ", then " : "held          ", held->items[i]);
	if (held->nr)
		printf(" pages in use meanwhile, and a hole for every 8\n");
}

static void print_head(const struct bench *b)
{
	const struct machine *m = &b->machine;
	char cpus[64], debugging[256];

	cpu_list_format(&b->options.cpus, cpus, sizeof(cpus));
	printf("gospan %s\n", b->version.release);
	printf("kernel        %s %s %s\n", m->kernel.sysname, m->kernel.release, m->kernel.version);
	printf("options       init_on_alloc=%s init_on_free=%s page_cache=%c\n",
	       on_off(b, GOSPAN_VERSION_INIT_ON_ALLOC), on_off(b, GOSPAN_VERSION_INIT_ON_FREE),
	       m->page_cache);
	debug_options_format(b->version.debug_options, debugging, sizeof(debugging));
	if (*debugging)
		printf("DEBUG KERNEL  timings mean little: %s\n", debugging);
	printf("CPU           %s; %u online, used: %s\n", m->cpu_model, m->nr_online, cpus);
	printf("ticks         %s", instrument_names[b->options.instrument]);
	if (b->version.tick_khz)
		printf(" (%s%u kHz)", CLOCK_NAME, b->version.tick_khz);
	puts("; the empty loop is subtracted");
	print_loops(b);
	print_held(b);
}

static const char *column_title(unsigned int allocator)
{
	return allocator == GOSPAN_ALLOCATOR_PAGES ? "alloc_pages" : allocator_names[allocator];
}

static int column_width(unsigned int allocator)
{
	int width = strlen(column_title(allocator)) + 2;

	return width > COLUMN_WIDTH ? width : COLUMN_WIDTH;
}

/* Those whose ratio it is, the ratio, and then the others. */
static void print_columns(const struct bench *b, const struct bench_comparison *who)
{
	printf("\n%-14s%6s%*s", instrument_names[b->options.instrument], "n", COLUMN_WIDTH,
	       "loop");
	printf("%*s", column_width(who->subject), column_title(who->subject));
	printf("%*s", column_width(who->reference), column_title(who->reference));
	printf("%*s", COLUMN_WIDTH, "ratio");
	for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++) {
		if (who->others & (1U << a))
			printf("%*s", column_width(a), column_title(a));
	}
	putchar('\n');
}

static void print_figure(double value, int width, int decimals)
{
	if (isnan(value))
		printf("%*s", width, "-");
	else
		printf("%*.*f", width, decimals, value);
}

static void print_net_ticks(const struct bench_case *c, unsigned int allocator,
			    enum bench_part part)
{
	print_figure(bench_net_ticks(c, allocator, part), column_width(allocator), 1);
}

const char *bench_format_size(const struct bench *b, const struct bench_case *c, char text[32])
{
	__u64 npages = c->size / b->version.page_bytes;

	if (!c->size)
		return "a step";
	if (c->kind->comparison->in_pages)
		snprintf(text, 32, "%llu page%s", npages, npages == 1 ? "" : "s");
	else
		snprintf(text, 32, "%llu B", c->size);
	return text;
}

static void print_row(const struct bench *b, const struct bench_case *c, enum bench_part part)
{
	const struct bench_comparison *who = c->kind->comparison;
	char label[32];

	printf("%12s  %6u", bench_format_size(b, c, label), c->nr_objects);
	print_figure(bench_ticks(c, GOSPAN_ALLOCATOR_EMPTY, part), COLUMN_WIDTH, 1);
	print_net_ticks(c, who->subject, part);
	print_net_ticks(c, who->reference, part);
	print_figure(bench_ratio(c, part), COLUMN_WIDTH, 2);
	for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++) {
		if (who->others & (1U << a))
			print_net_ticks(c, a, part);
	}
	putchar('\n');
}

static bool any_of_kind(const struct bench *b, enum bench_kind_id kind)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		if (b->cases[i].kind == &bench_kinds[kind])
			return true;
	}
	return false;
}

/*
 * A title and a row for each case of @kind, once for each number of pages held.
 * Nothing when there is no case.
 */
static void print_group(const struct bench *b, enum bench_kind_id kind, enum bench_part part,
			const char *title)
{
	const struct bench_case *last = NULL;

	for (size_t i = 0; i < b->nr_cases; i++) {
		const struct bench_case *c = &b->cases[i];

		if (c->kind != &bench_kinds[kind])
			continue;
		if (!last || last->held_pages != c->held_pages) {
			printf("\n%s", title);
			if (c->held_pages)
				printf("; %u pages held", c->held_pages);
			putchar('\n');
		}
		last = c;
		print_row(b, c, part);
	}
}

static void print_pairs(const struct bench *b, const char *name, enum bench_kind_id one_cpu,
			enum bench_kind_id all_cpus)
{
	unsigned int nr_cpus = cpu_list_count(&b->options.cpus);
	char title[80];

	snprintf(title, sizeof(title), "%s: allocate, free at once", name);
	print_group(b, one_cpu, PART_FIRST, title);
	if (nr_cpus > 1)
		snprintf(title, sizeof(title), "%s, all CPUs: on %u CPUs at once, mean of the CPUs",
			 name, nr_cpus);
	else
		snprintf(title, sizeof(title), "%s, all CPUs: on one CPU", name);
	print_group(b, all_cpus, PART_FIRST, title);
}

/* Allocations are the same work whatever the order of the frees: they are shown once. */
static void print_batches(const struct bench *b, const char *name,
			  const enum bench_kind_id kinds[GOSPAN_NR_ORDERS])
{
	static const char *const orders[GOSPAN_NR_ORDERS] = { "in order", "reversed", "shuffled" };
	unsigned int first = 0;
	char title[80];

	while (first < GOSPAN_NR_ORDERS - 1 && !any_of_kind(b, kinds[first]))
		first++;
	snprintf(title, sizeof(title), "%s: n allocs", name);
	print_group(b, kinds[first], PART_FIRST, title);
	for (unsigned int i = 0; i < GOSPAN_NR_ORDERS; i++) {
		snprintf(title, sizeof(title), "%s: n frees, %s", name, orders[i]);
		print_group(b, kinds[i], PART_SECOND, title);
	}
}

static void print_remote(const struct bench *b)
{
	print_group(b, KIND_REMOTE, PART_FIRST, "remote: allocate here");
	print_group(b, KIND_REMOTE, PART_SECOND, "remote: free there, on another CPU");
	print_group(b, KIND_REMOTE, PART_SUM, "remote: the pair");
}

static void print_bytes_of(const struct bench *b, const struct bench_case *c,
			   unsigned int allocator)
{
	const struct bench_cell *cell = &c->cells[allocator];
	char label[64], size[32];

	if (!cell->bytes_asked)
		return;
	snprintf(label, sizeof(label), "%s%s%s", allocator_names[allocator], c->size ? ", " : "",
		 c->size ? bench_format_size(b, c, size) : "");
	printf("  %-16s%10llu%14llu%14llu", label, cell->bytes_asked, cell->bytes_rounded,
	       cell->bytes_held);
	print_figure(cell->bytes_asked ? (double)cell->bytes_rounded / cell->bytes_asked : NAN,
		     15, 2);
	print_figure(cell->bytes_asked ? (double)cell->bytes_held / cell->bytes_asked : NAN,
		     12, 2);
	putchar('\n');
}

/* What the objects of @kind took, under its rows; nothing for others. */
static void print_bytes(const struct bench *b, enum bench_kind_id kind)
{
	if (!bench_kinds[kind].shows_bytes || !any_of_kind(b, kind))
		return;
	printf("\n  %-16s%10s%14s%14s%15s%12s\n", "bytes, peak", "asked", "rounded", "held",
	       "rounded/asked", "held/asked");
	for (size_t i = 0; i < b->nr_cases; i++) {
		const struct bench_case *c = &b->cases[i];

		if (c->kind != &bench_kinds[kind])
			continue;
		print_bytes_of(b, c, c->kind->comparison->subject);
		print_bytes_of(b, c, c->kind->comparison->reference);
	}
}

static void print_mix(const struct bench *b)
{
	print_group(b, KIND_MIX, PART_FIRST, "mix: sizes and lifetimes as in a real kernel");
	print_bytes(b, KIND_MIX);
}

static void print_latency(const struct bench *b, const struct bench_case *c, unsigned int allocator)
{
	char size[32], label[64];

	for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++) {
		const struct bench_latency *l = &c->cells[allocator].phases[p].latency;

		if (!l->max)
			continue;
		snprintf(label, sizeof(label), "%s, %s", c->kind->name, c->kind->phases[p]);
		printf("%12s  %6u  %-22s%-11s%9llu%9llu", bench_format_size(b, c, size),
		       c->nr_objects, label, allocator_names[allocator], l->p50, l->p99);
		print_figure(l->p999 ? l->p999 : NAN, 9, 0);
		printf("%12llu\n", l->max);
	}
}

static void print_latencies(const struct bench *b)
{
	if (!bench_times_any_single(b))
		return;
	printf("\nsingle operations, with the reading of a clock, on the slowest CPU\n");
	printf("%-14s%6s%-35s%9s%9s%9s%12s\n", instrument_names[b->options.instrument], "n", "",
	       "p50", "p99", "p99.9", "max");
	for (size_t i = 0; i < b->nr_cases; i++) {
		for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++)
			print_latency(b, &b->cases[i], a);
	}
}

static void print_failures(const struct bench *b)
{
	char size[32];

	for (size_t i = 0; i < b->nr_cases; i++) {
		for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++) {
			const struct bench_case *c = &b->cases[i];

			if (c->cells[a].failures)
				printf("FAILED: %llu allocations of %s, %s, by %s: its "
				       "figures do not count\n", c->cells[a].failures,
				       c->kind->name, bench_format_size(b, c, size), allocator_names[a]);
		}
	}
}

/* The largest of its phases' figures; negative, if it has none. */
static double cell_worst(const struct bench_cell *cell,
			 double (*percent)(const struct bench_times *times))
{
	double worst = -1;

	for (unsigned int p = 0; cell->measured && p < GOSPAN_BENCH_NR_PHASES; p++) {
		double value = percent(&cell->phases[p].times);

		if (value > worst)
			worst = value;
	}
	return worst;
}

/*
 * Prints @what, which is at most so many per cent, and where: the reader's error
 * bar. Nothing where there is no such figure.
 */
static void print_worst(const struct bench *b, const char *what,
			double (*percent)(const struct bench_times *times))
{
	const struct bench_case *worst_case = NULL;
	unsigned int worst_allocator = 0;
	double worst = -1;
	char size[32];

	for (size_t i = 0; i < b->nr_cases; i++) {
		for (unsigned int a = GOSPAN_ALLOCATOR_GOSPAN; a < GOSPAN_NR_ALLOCATORS; a++) {
			const struct bench_case *c = &b->cases[i];
			double value = cell_worst(&c->cells[a], percent);

			if (!(value > worst))
				continue;
			worst = value;
			worst_case = c;
			worst_allocator = a;
		}
	}
	if (worst_case)
		printf("%s %.1f %% (%s, %s, %s)\n", what, worst, worst_case->kind->name,
		       bench_format_size(b, worst_case, size), allocator_names[worst_allocator]);
}

static void print_spread(const struct bench *b)
{
	print_worst(b, "spread: the median round is above the best by at most",
		    bench_spread_percent);
	print_worst(b, "95 % intervals of the medians are wide at most",
		    bench_interval_percent);
}

static void print_objects(const struct bench *b)
{
	static const enum bench_kind_id batches[GOSPAN_NR_ORDERS] = {
		KIND_BATCH, KIND_BATCH_LIFO, KIND_BATCH_SHUFFLED
	};

	print_columns(b, bench_kinds[KIND_PAIR].comparison);
	print_pairs(b, "pair", KIND_PAIR, KIND_PAIR_ALL);
	print_batches(b, "batch", batches);
	print_remote(b);
	print_mix(b);
}

static void print_page_runs(const struct bench *b)
{
	static const enum bench_kind_id batches[GOSPAN_NR_ORDERS] = {
		KIND_RUNS_FIFO, KIND_RUNS_LIFO, KIND_RUNS_SHUFFLED
	};

	print_columns(b, bench_kinds[KIND_RUNS].comparison);
	print_pairs(b, "runs", KIND_RUNS, KIND_RUNS_ALL);
	print_batches(b, "runs", batches);
}

static void print_noscans(const struct bench *b)
{
	print_columns(b, bench_kinds[KIND_NOSCAN].comparison);
	print_group(b, KIND_NOSCAN, PART_FIRST, "noscan: allocate, free at once");
	print_group(b, KIND_NOSCAN_BATCH, PART_FIRST, "noscan: n allocs");
	print_group(b, KIND_NOSCAN_BATCH, PART_SECOND, "noscan: n frees, in order");
	print_group(b, KIND_NOSCAN_SHUFFLED, PART_SECOND, "noscan: n frees, shuffled");
}

static void print_bulks(const struct bench *b)
{
	print_columns(b, bench_kinds[KIND_BULK].comparison);
	print_group(b, KIND_BULK, PART_FIRST,
		    "bulk: n allocated in a call, freed in the next; per object");
}

static void print_neighbours(const struct bench *b)
{
	print_columns(b, bench_kinds[KIND_FALSE_SHARING].comparison);
	print_group(b, KIND_FALSE_SHARING, PART_FIRST,
		    "false sharing, median: two CPUs write, each beside the other's object");
}

static void print_caches(const struct bench *b)
{
	print_columns(b, bench_kinds[KIND_CACHE].comparison);
	print_group(b, KIND_CACHE, PART_FIRST, "cache: allocate, free at once");
	print_group(b, KIND_CACHE_BATCH, PART_FIRST, "cache: n allocs");
	print_group(b, KIND_CACHE_BATCH, PART_SECOND, "cache: n frees, in order");
}

/* Those of the suite that compare @who. */
static void print_suite(const struct bench *b, const struct bench_comparison *who)
{
	char title[96];

	print_columns(b, who);
	for (unsigned int i = 0; i < NR_KINDS; i++) {
		const struct bench_kind *kind = &bench_kinds[i];

		if (!kind->shape || kind->comparison != who)
			continue;
		for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++) {
			if (!kind->phases[p])
				continue;
			snprintf(title, sizeof(title), "%s, %s: %s", kind->name, kind->phases[p],
				 kind->shape);
			print_group(b, i, p, title);
		}
		print_bytes(b, i);
	}
}

/* Is there a case that compares those that @kind does? */
static bool any_compared(const struct bench *b, enum bench_kind_id kind)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		if (b->cases[i].kind->comparison == bench_kinds[kind].comparison)
			return true;
	}
	return false;
}

void bench_print_table(const struct bench *b)
{
	print_head(b);
	if (any_compared(b, KIND_PAIR))
		print_objects(b);
	if (any_compared(b, KIND_NOSCAN))
		print_noscans(b);
	if (any_compared(b, KIND_BULK))
		print_bulks(b);
	if (any_compared(b, KIND_FALSE_SHARING))
		print_neighbours(b);
	if (any_compared(b, KIND_CACHE))
		print_caches(b);
	if (any_compared(b, KIND_RUNS))
		print_page_runs(b);
	if (any_compared(b, KIND_LARSON))
		print_suite(b, bench_kinds[KIND_LARSON].comparison);
	if (any_compared(b, KIND_RCU_FLOOD))
		print_suite(b, bench_kinds[KIND_RCU_FLOOD].comparison);
	if (any_compared(b, KIND_HARDIRQ))
		print_suite(b, bench_kinds[KIND_HARDIRQ].comparison);
	if (any_compared(b, KIND_CACHE_THRASH))
		print_suite(b, bench_kinds[KIND_CACHE_THRASH].comparison);
	bench_print_rates(b);
	print_latencies(b);
	putchar('\n');
	print_spread(b);
	print_failures(b);
	if (b->options.budget)
		bench_print_budgets(b);
}
