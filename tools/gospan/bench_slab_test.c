// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan bench --slab-test: the lines that C. Lameter's slab_test prints, which many know
 * and some programs read, with those of gospan after kmalloc's.
 *
 * As there, the loop is in the figures, which are whole ticks. Those of a CPU are of its
 * best round, the average of the round in which all CPUs together were best.
 */
#include "bench.h"

#include <stdbool.h>
#include <stdio.h>

/* Who has lines, in which order, and what its calls are called there. */
static const struct caller {
	enum gospan_bench_allocator allocator;
	const char *title, *alloc, *free;
} callers[] = {
	{ GOSPAN_ALLOCATOR_KMALLOC, "Kmalloc", "kmalloc", "kfree" },
	{ GOSPAN_ALLOCATOR_GOSPAN, "Gospan", "gospan_alloc", "gospan_free" },
};

#define NR_CALLERS (sizeof(callers) / sizeof(callers[0]))

typedef void print_line(const struct bench *b, const struct bench_case *c,
			const struct caller *who);

static const char *ticks_name(const struct bench *b)
{
	return instrument_names[b->options.instrument];
}

static void print_then(const struct bench *b, const struct bench_case *c,
		       const struct caller *who)
{
	printf("%u times %s(%llu) -> %.0f %s %s -> %.0f %s\n", c->nr_objects, who->alloc, c->size,
	       bench_ticks(c, who->allocator, PART_FIRST), ticks_name(b), who->free,
	       bench_ticks(c, who->allocator, PART_SECOND), ticks_name(b));
}

static void print_pair(const struct bench *b, const struct bench_case *c,
		       const struct caller *who)
{
	printf("%u times %s(%llu)/%s -> %.0f %s\n", c->nr_objects, who->alloc, c->size, who->free,
	       bench_ticks(c, who->allocator, PART_FIRST), ticks_name(b));
}

/* "73/92": of what it did not do, 0. */
static void print_cpu(const struct bench_cpu_times *first, const struct bench_cpu_times *second)
{
	printf("%u=%.0f", first->cpu, first->ops ? first->times.ticks_min : 0);
	if (second)
		printf("/%.0f", second->ops ? second->times.ticks_min : 0);
	putchar(' ');
}

static void print_cpus(const struct bench_case *c, const struct caller *who, const char *what)
{
	const struct bench_phase *phases = c->cells[who->allocator].phases;
	bool has_second = c->kind->phases[1];

	printf("%s %s(%llu): ", who->title, what, c->size);
	for (unsigned int i = 0; i < c->nr_cpus; i++)
		print_cpu(&phases[0].cpus[i], has_second ? &phases[1].cpus[i] : NULL);
	printf("Average=%.0f", bench_ticks(c, who->allocator, PART_FIRST));
	if (has_second)
		printf("/%.0f", bench_ticks(c, who->allocator, PART_SECOND));
	putchar('\n');
}

static void print_all_then(const struct bench *b, const struct bench_case *c,
			   const struct caller *who)
{
	(void)b;
	print_cpus(c, who, "N*alloc N*free");
}

static void print_all_pair(const struct bench *b, const struct bench_case *c,
			   const struct caller *who)
{
	(void)b;
	print_cpus(c, who, "N*(alloc free)");
}

static void print_remote(const struct bench *b, const struct bench_case *c,
			 const struct caller *who)
{
	(void)b;
	print_cpus(c, who, "N*remote free");
}

static void print_fan_out(const struct bench *b, const struct bench_case *c,
			  const struct caller *who)
{
	(void)b;
	print_cpus(c, who, "1 alloc N free");
}

/* In the order in which they are printed. */
static const struct test {
	enum bench_kind_id kind;
	const char *section;	/* title that stands before it; NULL: as before */
	/* Of the line before each caller's, what stands on both sides of its name; or NULL. */
	const char *number, *title;
	print_line *print;
} tests[] = {
	{ KIND_BATCH, "Single thread testing",
	  "1.", "Repeatedly allocate then free test", print_then },
	{ KIND_PAIR, NULL, "2.", "alloc/free test", print_pair },
	{ KIND_BATCH_ALL, "Concurrent allocs", NULL, NULL, print_all_then },
	{ KIND_PAIR_ALL, NULL, NULL, NULL, print_all_pair },
	{ KIND_REMOTE, "Remote free test", NULL, NULL, print_remote },
	{ KIND_FAN_OUT, "1 alloc N free test", NULL, NULL, print_fan_out },
};

#define NR_TESTS (sizeof(tests) / sizeof(tests[0]))

bool bench_in_slab_test(const struct bench_kind *kind)
{
	for (size_t i = 0; i < NR_TESTS; i++) {
		if (&bench_kinds[tests[i].kind] == kind)
			return true;
	}
	return false;
}

static bool any_measured(const struct bench *b, const struct test *test,
			 enum gospan_bench_allocator allocator)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		const struct bench_case *c = &b->cases[i];

		if (c->kind == &bench_kinds[test->kind] && c->cells[allocator].measured)
			return true;
	}
	return false;
}

static void print_section(const char *title)
{
	puts(title);
	while (*title++)
		putchar('=');
	putchar('\n');
}

static void print_test(const struct bench *b, const struct test *test, const struct caller *who)
{
	if (test->title && any_measured(b, test, who->allocator))
		printf("%s %s: %s\n", test->number, who->title, test->title);
	for (size_t i = 0; i < b->nr_cases; i++) {
		const struct bench_case *c = &b->cases[i];

		if (c->kind == &bench_kinds[test->kind] && c->cells[who->allocator].measured)
			test->print(b, c, who);
	}
}

void bench_print_slab_test(const struct bench *b)
{
	for (size_t t = 0; t < NR_TESTS; t++) {
		const struct test *test = &tests[t];

		if (test->section && any_measured(b, test, GOSPAN_ALLOCATOR_EMPTY))
			print_section(test->section);
		for (size_t i = 0; i < NR_CALLERS; i++)
			print_test(b, test, &callers[i]);
	}
}
