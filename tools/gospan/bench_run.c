// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the cases of a bench and reduces their rounds to figures.
 *
 * Rounds are interleaved: one round of the empty loop, one of gospan, one of
 * kmalloc, ..., and again. Whatever drifts (frequency, temperature, a
 * neighbour) then meets all of them alike. Before the first counted round each
 * allocator has one that is thrown away, so that none pays for cold memory.
 *
 * A round is one ioctl, which runs twice and answers with the shorter time: its
 * threads, and the kmem_cache that it makes, are new each time, and the first
 * run pays for that. Minimum and median over the rounds are taken here.
 *
 * Where CPUs write to lines that they may share, the shorter of two is the one in
 * which they met less: such a round runs once, and the median counts.
 *
 * The round that is thrown away also weighs the objects that live at the peak. Where
 * single operations are timed, it is after the rounds, in one ioctl per allocator.
 *
 * An ioctl that holds pages makes a heap of its own, so to speak, and takes
 * longer for that than for what is measured: it runs more often, and none is
 * thrown away.
 */
#include "bench.h"

#include "device.h"
#include "interval.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define RUNS_PER_ROUND	2
#define RUNS_PER_HOLD	8
/* Of fewer operations the 99.9th percentile is but the maximum. */
#define MIN_OPS_P999	1000

/* One value per round. */
struct samples {
	double *ticks;
	double *ns;
};

/* A case's rounds, for one allocator: per phase, [nr_cpus] CPUs and their mean after them. */
struct rounds {
	struct samples *phases[GOSPAN_BENCH_NR_PHASES];
};

static void *must_calloc(size_t n, size_t bytes)
{
	void *p = calloc(n, bytes);

	if (!p)
		fail("out of memory");
	return p;
}

static void rounds_init(struct rounds *r, unsigned int nr_cpus, __u64 nr_rounds)
{
	for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++) {
		r->phases[p] = must_calloc(nr_cpus + 1, sizeof(*r->phases[p]));
		for (unsigned int i = 0; i <= nr_cpus; i++) {
			r->phases[p][i].ticks = must_calloc(nr_rounds, sizeof(double));
			r->phases[p][i].ns = must_calloc(nr_rounds, sizeof(double));
		}
	}
}

static void rounds_free(struct rounds *r, unsigned int nr_cpus)
{
	for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++) {
		for (unsigned int i = 0; i <= nr_cpus; i++) {
			free(r->phases[p][i].ticks);
			free(r->phases[p][i].ns);
		}
		free(r->phases[p]);
	}
}

static const char *failure_hint(const struct bench_case *c, int error)
{
	switch (error) {
	case ENOMEM:
		return c->held_pages ? ": hold fewer pages (--held)" :
				       ": take fewer (--objects) or smaller ones (--sizes)";
	case EINVAL:
		/* The rest is checked before. */
		return c->kind->workload == GOSPAN_WORKLOAD_FRAGMENT ?
		       ": the limit is KMALLOC_MAX_SIZE / 2 (2 MiB on most machines), as objects "
		       "of twice the size follow" :
		       ": the limit is KMALLOC_MAX_SIZE (4 MiB on most machines)";
	default:
		return device_hint(error);
	}
}

static void bench_failed(const struct bench_case *c, unsigned int allocator, int error)
{
	char size[32] = "";

	if (c->size)
		snprintf(size, sizeof(size), " of %llu bytes", c->size);
	fail("bench %s%s with %s: %s%s", c->kind->name, size, allocator_names[allocator],
	     strerror(error), failure_hint(c, error));
}

__u32 bench_runs_per_round(const struct bench_case *c)
{
	if (bench_is_write(c->kind))
		return 1;
	return c->held_pages ? RUNS_PER_HOLD : RUNS_PER_ROUND;
}

static void run_round(const struct bench *b, int fd, const struct bench_case *c,
		      unsigned int allocator, __u32 flags, struct gospan_bench *arg,
		      struct gospan_bench_cpu *results)
{
	memset(results, 0, c->nr_cpus * sizeof(*results));
	*arg = (struct gospan_bench){
		.workload = c->kind->workload,
		.allocator = allocator,
		.order = c->kind->order,
		.flags = flags | (b->options.zero ? GOSPAN_BENCH_ZERO : 0),
		.size = c->size,
		.nr_objects = c->nr_objects,
		/* Of single operations all count, so that its rounds are one ioctl. */
		.rounds = flags & GOSPAN_BENCH_LATENCY ? b->options.rounds :
							 bench_runs_per_round(c),
		.seed = b->options.seed,
		.results = (uintptr_t)results,
		.nr_results = c->nr_cpus,
	};
	/* The empty loop uses no memory. */
	if (allocator != GOSPAN_ALLOCATOR_EMPTY)
		arg->held_pages = c->held_pages;
	memcpy(arg->cpus, c->cpus.words, sizeof(arg->cpus));
	if (ioctl(fd, GOSPAN_IOC_BENCH, arg))
		bench_failed(c, allocator, errno);
}

/* Keep what one round measured: each CPU's figures, then the mean over the CPUs. */
static void keep_phase(const struct bench_case *c, struct bench_phase *phase,
		       struct samples *samples, const struct gospan_bench_cpu *results,
		       unsigned int p, __u64 round)
{
	double ticks = 0, ns = 0;

	phase->ops = 0;
	for (unsigned int i = 0; i < c->nr_cpus; i++) {
		const struct gospan_bench_phase *from = &results[i].phase[p];

		phase->cpus[i].cpu = results[i].cpu;
		phase->cpus[i].ops = from->ops;
		if (!from->ops)
			continue;
		samples[i].ticks[round] = (double)from->ticks_min / from->ops;
		samples[i].ns[round] = (double)from->ns_min / from->ops;
		phase->ops += from->ops;
		ticks += from->ticks_min;
		ns += from->ns_min;
	}
	if (phase->ops) {
		samples[c->nr_cpus].ticks[round] = ticks / phase->ops;
		samples[c->nr_cpus].ns[round] = ns / phase->ops;
	}
}

static void keep_round(const struct bench_case *c, struct bench_cell *cell, struct rounds *r,
		       const struct gospan_bench_cpu *results, __u64 round)
{
	for (unsigned int i = 0; i < c->nr_cpus; i++)
		cell->failures += results[i].failures;
	for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++)
		keep_phase(c, &cell->phases[p], r->phases[p], results, p, round);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_of_sorted(const double *values, __u64 nr)
{
	return (values[(nr - 1) / 2] + values[nr / 2]) / 2;
}

static struct bench_times reduce(struct samples *s, __u64 nr)
{
	size_t rank = interval_rank(nr);

	qsort(s->ticks, nr, sizeof(double), compare_doubles);
	qsort(s->ns, nr, sizeof(double), compare_doubles);
	return (struct bench_times){
		.ticks_min = s->ticks[0],
		.ticks_median = median_of_sorted(s->ticks, nr),
		.ticks_max = s->ticks[nr - 1],
		.ticks_low = rank ? s->ticks[rank - 1] : NAN,
		.ticks_high = rank ? s->ticks[nr - rank] : NAN,
		.ns_min = s->ns[0],
		.ns_median = median_of_sorted(s->ns, nr),
	};
}

static void reduce_cell(const struct bench_case *c, struct bench_cell *cell,
			struct rounds *r, __u64 nr_rounds)
{
	for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++) {
		struct bench_phase *phase = &cell->phases[p];

		for (unsigned int i = 0; i < c->nr_cpus; i++)
			phase->cpus[i].times = reduce(&r->phases[p][i], nr_rounds);
		phase->times = reduce(&r->phases[p][c->nr_cpus], nr_rounds);
	}
	cell->measured = true;
}

/* The round that is thrown away weighs what lives at the peak. */
static void run_warm_up(const struct bench *b, int fd, struct bench_case *c,
			unsigned int allocator, struct gospan_bench_cpu *results)
{
	struct bench_cell *cell = &c->cells[allocator];
	struct gospan_bench arg;

	run_round(b, fd, c, allocator, GOSPAN_BENCH_WEIGH, &arg, results);
	cell->bytes_asked = arg.bytes_asked;
	cell->bytes_rounded = arg.bytes_rounded;
	cell->bytes_held = arg.bytes_held;
}

static __u64 larger(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

/* Single operations apart from the rounds: a look at the clock takes longer than most. */
static void run_latency(const struct bench *b, int fd, struct bench_case *c,
			unsigned int allocator, struct gospan_bench_cpu *results)
{
	struct gospan_bench arg;

	run_round(b, fd, c, allocator, GOSPAN_BENCH_LATENCY, &arg, results);
	for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++) {
		struct bench_latency *l = &c->cells[allocator].phases[p].latency;

		for (unsigned int i = 0; i < c->nr_cpus; i++) {
			const struct gospan_bench_phase *from = &results[i].phase[p];

			l->p50 = larger(l->p50, from->ticks_p50);
			l->p99 = larger(l->p99, from->ticks_p99);
			if (from->ops * b->options.rounds >= MIN_OPS_P999)
				l->p999 = larger(l->p999, from->ticks_p999);
			l->max = larger(l->max, from->ticks_max);
		}
	}
}

static bool is_wanted(const struct bench *b, const struct bench_case *c, unsigned int allocator)
{
	return b->options.allocators & bench_allocators(c->kind) & (1U << allocator);
}

static void run_case(const struct bench *b, int fd, struct bench_case *c)
{
	struct gospan_bench_cpu *results = must_calloc(c->nr_cpus, sizeof(*results));
	struct rounds rounds[GOSPAN_NR_ALLOCATORS];
	struct gospan_bench arg;

	for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++) {
		if (!is_wanted(b, c, a))
			continue;
		rounds_init(&rounds[a], c->nr_cpus, b->options.rounds);
		for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++)
			c->cells[a].phases[p].cpus =
				must_calloc(c->nr_cpus, sizeof(struct bench_cpu_times));
		if (!c->held_pages)
			run_warm_up(b, fd, c, a, results);
	}
	for (__u64 round = 0; round < b->options.rounds; round++) {
		for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++) {
			if (!is_wanted(b, c, a))
				continue;
			run_round(b, fd, c, a, 0, &arg, results);
			keep_round(c, &c->cells[a], &rounds[a], results, round);
		}
	}
	for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++) {
		if (!is_wanted(b, c, a))
			continue;
		reduce_cell(c, &c->cells[a], &rounds[a], b->options.rounds);
		if (bench_times_single(b, c->kind))
			run_latency(b, fd, c, a, results);
		rounds_free(&rounds[a], c->nr_cpus);
	}
	free(results);
}

void bench_run(struct bench *b, int fd)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		const struct bench_kind *kind = b->cases[i].kind;

		run_case(b, fd, &b->cases[i]);
		if (b->options.progress && (i + 1 == b->nr_cases || b->cases[i + 1].kind != kind ||
					    b->cases[i].held_pages))
			fprintf(stderr, "gospan: %s measured (%zu of %zu rows)\n", kind->name,
				i + 1, b->nr_cases);
	}
}

double bench_ticks(const struct bench_case *c, unsigned int allocator, enum bench_part part)
{
	const struct bench_cell *cell = &c->cells[allocator];
	const struct bench_phase *phases = cell->phases;

	if (!cell->measured || !phases[part == PART_SECOND].ops)
		return NAN;
	/* Its best round is one in which the CPUs did not write at the same time. */
	if (bench_is_write(c->kind))
		return phases[0].times.ticks_median;
	if (part == PART_SUM)
		return phases[0].times.ticks_min + phases[1].times.ticks_min;
	return phases[part].times.ticks_min;
}

double bench_net_ticks(const struct bench_case *c, unsigned int allocator, enum bench_part part)
{
	double ticks = bench_ticks(c, allocator, part) -
		       bench_ticks(c, GOSPAN_ALLOCATOR_EMPTY, part);

	return ticks >= 0 ? ticks : NAN;
}

double bench_ratio_to(const struct bench_case *c, unsigned int allocator,
		      enum gospan_bench_allocator reference, enum bench_part part)
{
	double ticks = bench_net_ticks(c, reference, part);

	return ticks > 0 ? bench_net_ticks(c, allocator, part) / ticks : NAN;
}

double bench_ratio(const struct bench_case *c, enum bench_part part)
{
	return bench_ratio_to(c, c->kind->comparison->subject, c->kind->comparison->reference,
			      part);
}

double bench_spread_percent(const struct bench_times *times)
{
	if (!(times->ticks_min > 0))
		return NAN;
	return 100 * (times->ticks_median - times->ticks_min) / times->ticks_min;
}

double bench_interval_percent(const struct bench_times *times)
{
	if (!(times->ticks_median > 0))
		return NAN;
	return 100 * (times->ticks_high - times->ticks_low) / times->ticks_median;
}

__u64 bench_failures(const struct bench *b)
{
	__u64 failures = 0;

	for (size_t i = 0; i < b->nr_cases; i++) {
		for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++)
			failures += b->cases[i].cells[a].failures;
	}
	return failures;
}
