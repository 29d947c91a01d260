// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that a bench measured, as JSON or CSV.
 *
 * CSV repeats machine and options on every line, so that files of several runs
 * can simply be put together; JSON has them once.
 */
#include "bench.h"

#include "record.h"

#include <math.h>

static const char *const order_names[GOSPAN_NR_ORDERS] = {
	[GOSPAN_ORDER_FIFO] = "fifo",
	[GOSPAN_ORDER_LIFO] = "lifo",
	[GOSPAN_ORDER_SHUFFLED] = "shuffled",
};

/* A comparison knows them by their prefix. */
static void fill_parameters(struct record *r, const struct machine *m)
{
	for (size_t i = 0; i < m->nr_parameters; i++) {
		char name[64];

		snprintf(name, sizeof(name), "parameter_%s", m->parameters[i].name);
		record_text(r, name, m->parameters[i].value);
	}
}

static void fill_machine(struct record *r, const struct bench *b)
{
	const struct machine *m = &b->machine;
	char debug_options[256];

	record_text(r, "gospan_release", b->version.release);
	record_number(r, "abi", b->version.abi);
	record_text(r, "kernel_name", m->kernel.sysname);
	record_text(r, "kernel_release", m->kernel.release);
	record_text(r, "kernel_version", m->kernel.version);
	record_text(r, "architecture", m->kernel.machine);
	record_text(r, "cpu_model", m->cpu_model);
	record_number(r, "cpus_online", m->nr_online);
	record_flag(r, "init_on_alloc", b->version.flags & GOSPAN_VERSION_INIT_ON_ALLOC);
	record_flag(r, "init_on_free", b->version.flags & GOSPAN_VERSION_INIT_ON_FREE);
	record_flag(r, "debug_kernel", b->version.flags & GOSPAN_VERSION_DEBUG_KERNEL);
	debug_options_format(b->version.debug_options, debug_options, sizeof(debug_options));
	record_text(r, "debug_options", debug_options);
	record_text(r, "warning", *debug_options ? DEBUG_KERNEL_WARNING : "");
	fill_parameters(r, m);
}

static void fill_options(struct record *r, const struct bench *b)
{
	char cpus[512];

	cpu_list_format(&b->options.cpus, cpus, sizeof(cpus));
	record_text(r, "ticks", instrument_names[b->options.instrument]);
	record_number(r, "tick_khz", b->version.tick_khz);
	record_number(r, "rounds", b->options.rounds);
	record_number(r, "warm_up_rounds", b->options.held.nr ? 0 : 1);
	record_number(r, "seed", b->options.seed);
	record_flag(r, "zero", b->options.zero);
	record_flag(r, "latency", b->options.latency);
	record_flag(r, "forced", b->options.force);
	record_text(r, "cpus_chosen", cpus);
	record_text(r, "page_cache", (char []){ b->machine.page_cache, '\0' });
}

static void fill_case(struct record *r, const struct bench_case *c)
{
	char cpus[512];

	cpu_list_format(&c->cpus, cpus, sizeof(cpus));
	record_text(r, "workload", c->kind->name);
	record_text(r, "order", order_names[c->kind->order]);
	record_number(r, "size_bytes", c->size);
	record_number(r, "held_pages", c->held_pages);
	record_number(r, "objects_per_cpu", c->nr_objects);
	record_text(r, "cpus", cpus);
	record_number(r, "runs_per_round", bench_runs_per_round(c));
}

static void fill_times(struct record *r, const struct bench *b, const struct bench_times *times)
{
	record_real(r, "ticks_per_op_min", times->ticks_min);
	record_real(r, "ticks_per_op_median", times->ticks_median);
	record_real(r, "ticks_per_op_max", times->ticks_max);
	/* 95 % interval of the median, from order statistics: see interval.c. */
	record_real(r, "ticks_per_op_ci95_low", times->ticks_low);
	record_real(r, "ticks_per_op_ci95_high", times->ticks_high);
	record_real(r, "ns_per_op_min", times->ns_min);
	record_real(r, "ns_per_op_median", times->ns_median);
	record_real(r, "spread_percent", bench_spread_percent(times));
	record_real(r, "ops_per_second", bench_rate(b, times));
}

static double latency_ticks(const struct bench_latency *l, __u64 ticks)
{
	return l->max ? ticks : NAN;
}

/* If any are timed; NaN for a workload whose operations are not. */
static void fill_latency(struct record *r, const struct bench *b, const struct bench_latency *l)
{
	if (!bench_times_any_single(b))
		return;
	record_real(r, "latency_ticks_p50", latency_ticks(l, l->p50));
	record_real(r, "latency_ticks_p99", latency_ticks(l, l->p99));
	record_real(r, "latency_ticks_p999", l->p999 ? l->p999 : NAN);
	record_real(r, "latency_ticks_max", latency_ticks(l, l->max));
}

static void fill_cell(struct record *r, const struct bench *b, const struct bench_case *c,
		      unsigned int allocator, enum bench_part part)
{
	enum gospan_bench_allocator reference = c->kind->comparison->reference;
	const struct bench_cell *cell = &c->cells[allocator];

	record_text(r, "allocator", allocator_names[allocator]);
	record_text(r, "operation", c->kind->phases[part]);
	record_number(r, "ops", cell->phases[part].ops);
	record_number(r, "failures", cell->failures);
	/* The mean of the CPUs, then what they get done together. */
	fill_times(r, b, &cell->phases[part].times);
	record_real(r, "ops_per_second_all_cpus", bench_rate_sum(b, c, &cell->phases[part]));
	record_real(r, "net_ticks_per_op", bench_net_ticks(c, allocator, part));
	record_real(r, "net_ratio_to_kmalloc",
		    bench_ratio_to(c, allocator, GOSPAN_ALLOCATOR_KMALLOC, part));
	record_text(r, "reference", allocator_names[reference]);
	record_real(r, "net_ratio_to_reference", bench_ratio_to(c, allocator, reference, part));
	record_number(r, "bytes_asked", cell->bytes_asked);
	record_number(r, "bytes_rounded", cell->bytes_rounded);
	record_number(r, "bytes_held", cell->bytes_held);
}

/* Calls @emit for every phase of every cell that was measured. */
static void for_each_result(const struct bench *b,
			    void (*emit)(const struct bench *b, const struct bench_case *c,
					 unsigned int allocator, enum bench_part part, void *arg),
			    void *arg)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		const struct bench_case *c = &b->cases[i];

		for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++) {
			for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++) {
				if (c->cells[a].measured && c->kind->phases[p])
					emit(b, c, a, p, arg);
			}
		}
	}
}

static json_t *json_cpus(const struct bench *b, const struct bench_case *c,
			 const struct bench_phase *phase)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < c->nr_cpus; i++) {
		struct record r = { .object = json_object() };

		record_number(&r, "cpu", phase->cpus[i].cpu);
		record_number(&r, "ops", phase->cpus[i].ops);
		if (phase->cpus[i].ops)
			fill_times(&r, b, &phase->cpus[i].times);
		json_array_append_new(array, r.object);
	}
	return array;
}

static void emit_json(const struct bench *b, const struct bench_case *c, unsigned int allocator,
		      enum bench_part part, void *arg)
{
	struct record r = { .object = json_object() };

	fill_case(&r, c);
	fill_cell(&r, b, c, allocator, part);
	fill_latency(&r, b, &c->cells[allocator].phases[part].latency);
	json_object_set_new(r.object, "per_cpu",
			    json_cpus(b, c, &c->cells[allocator].phases[part]));
	json_array_append_new(arg, r.object);
}

static json_t *json_budgets(const struct bench *b)
{
	struct bench_budget budgets[BENCH_MAX_BUDGETS];
	size_t nr = bench_budgets(b, budgets);
	json_t *array = json_array();

	for (size_t i = 0; i < nr; i++) {
		struct record r = { .object = json_object() };

		record_text(&r, "ratio_of", budgets[i].versus);
		record_text(&r, "work", budgets[i].work);
		record_real(&r, "target_ratio", budgets[i].target);
		record_real(&r, "measured_ratio", budgets[i].measured);
		record_flag(&r, "met", budgets[i].measured <= budgets[i].target);
		json_array_append_new(array, r.object);
	}
	return array;
}

json_t *bench_json(const struct bench *b)
{
	struct record machine = { .object = json_object() };
	struct record options = { .object = json_object() };
	json_t *root = json_object(), *results = json_array();

	fill_machine(&machine, b);
	fill_options(&options, b);
	for_each_result(b, emit_json, results);
	json_object_set_new(root, "machine", machine.object);
	json_object_set_new(root, "options", options.object);
	json_object_set_new(root, "results", results);
	if (b->options.budget)
		json_object_set_new(root, "budgets", json_budgets(b));
	return root;
}

static void emit_csv(const struct bench *b, const struct bench_case *c, unsigned int allocator,
		     enum bench_part part, void *arg)
{
	struct record *r = arg;

	fill_machine(r, b);
	fill_options(r, b);
	fill_case(r, c);
	fill_cell(r, b, c, allocator, part);
	fill_latency(r, b, &c->cells[allocator].phases[part].latency);
	record_end(r);
}

void bench_print_csv(const struct bench *b)
{
	struct record r = { .csv = stdout, .header = true };

	emit_csv(b, &b->cases[0], GOSPAN_ALLOCATOR_EMPTY, PART_FIRST, &r);
	r.header = false;
	for_each_result(b, emit_csv, &r);
}
