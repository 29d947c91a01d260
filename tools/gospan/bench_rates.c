// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations in a second: what several CPUs get done at once.
 *
 * Unlike ticks, rates contain the loop: that is time, too.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>

#define MILLION	1e6

double bench_rate(const struct bench *b, const struct bench_times *times)
{
	if (b->options.instrument == INSTRUMENT_INSTRUCTIONS || !(times->ns_median > 0))
		return NAN;
	return 1e9 / times->ns_median;
}

double bench_rate_sum(const struct bench *b, const struct bench_case *c,
		      const struct bench_phase *phase)
{
	double sum = 0;

	for (unsigned int i = 0; i < c->nr_cpus; i++) {
		if (phase->cpus[i].ops)
			sum += bench_rate(b, &phase->cpus[i].times);
	}
	return sum > 0 ? sum : NAN;
}

/* All CPUs together, and the slowest and the fastest of them. */
static void print_rate(const struct bench *b, const struct bench_case *c, unsigned int allocator,
		       unsigned int p)
{
	const struct bench_phase *phase = &c->cells[allocator].phases[p];
	double sum, least = NAN, most = NAN;
	char size[32], work[64];

	/* Else it has no CPUs. */
	if (!c->cells[allocator].measured)
		return;
	sum = bench_rate_sum(b, c, phase);
	if (isnan(sum))
		return;
	for (unsigned int i = 0; i < c->nr_cpus; i++) {
		if (!phase->cpus[i].ops)
			continue;
		least = fmin(least, bench_rate(b, &phase->cpus[i].times));
		most = fmax(most, bench_rate(b, &phase->cpus[i].times));
	}
	snprintf(work, sizeof(work), "%s, %s", c->kind->name, c->kind->phases[p]);
	printf("%12s  %6u  %-22s%-11s%12.2f%14.2f%11.2f\n", bench_format_size(b, c, size),
	       c->nr_objects, work, allocator_names[allocator], sum / MILLION, least / MILLION,
	       most / MILLION);
}

/* Does the work of this phase grow with the CPUs? */
static bool is_shared(const struct bench_case *c, unsigned int p)
{
	return c->kind->width >= WIDTH_ALL && c->kind->phases[p] && !bench_is_write(c->kind);
}

static bool any_shared(const struct bench *b)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		if (is_shared(&b->cases[i], 0))
			return true;
	}
	return false;
}

void bench_print_rates(const struct bench *b)
{
	if (b->options.instrument == INSTRUMENT_INSTRUCTIONS || !any_shared(b))
		return;
	puts("\nmillions of operations a second, the loop included, median round");
	printf("%20s%-35s%12s%14s%11s\n", "n", "", "all CPUs", "slowest CPU", "fastest");
	for (size_t i = 0; i < b->nr_cases; i++) {
		const struct bench_case *c = &b->cases[i];

		for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++) {
			if (!is_shared(c, p))
				continue;
			print_rate(b, c, c->kind->comparison->subject, p);
			print_rate(b, c, c->kind->comparison->reference, p);
		}
	}
}
