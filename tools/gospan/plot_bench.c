// SPDX-License-Identifier: GPL-2.0-only
/*
 * The charts of a bench.
 *
 * Of each, ratios to the reference by size, for objects and for page runs, and
 * by workload what single operations take, by percentile; of all together, what
 * more CPUs get done.
 */
#include "plot.h"

#include "record.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES	96

/* Row fields of the percentiles, as chart_percentiles names them. */
static const char *const latencies[] = {
	"latency_ticks_p50", "latency_ticks_p99", "latency_ticks_p999", "latency_ticks_max",
};

static const char *ticks_name(const json_t *bench)
{
	return json_get_text(json_object_get(bench, "options"), "ticks");
}

/* "instructions, gospan / kmalloc; Linux 6.12.1": what a chart is of, and where. */
static void make_title(char text[TEXT_BYTES], const json_t *bench, const char *what)
{
	const json_t *machine = json_object_get(bench, "machine");

	snprintf(text, TEXT_BYTES, "%s; %s %s", what, json_get_text(machine, "kernel_name"),
		 json_get_text(machine, "kernel_release"));
}

/* What rows have in common that differ in nothing but the number of objects. */
static const char *const work[] = {
	"workload", "operation", "allocator", "size_bytes", "held_pages", "cpus",
};

static bool is_same_work(const json_t *row, const json_t *other)
{
	for (size_t i = 0; i < sizeof(work) / sizeof(work[0]); i++) {
		if (!json_equal(json_object_get(row, work[i]), json_object_get(other, work[i])))
			return false;
	}
	return true;
}

/* Is it the number of objects alone that tells the row from another? */
static bool is_one_of_counts(const json_t *bench, const json_t *row)
{
	double n = json_get_real(row, "objects_per_cpu");
	json_t *other;
	size_t i;

	json_array_foreach(json_object_get(bench, "results"), i, other) {
		if (json_get_real(other, "objects_per_cpu") != n && is_same_work(row, other))
			return true;
	}
	return false;
}

/* "batch, free, n = 128" of @what "batch", without what would say nothing more. */
static void row_name(char text[TEXT_BYTES], const json_t *bench, const json_t *row,
		     const char *what)
{
	const char *operation = json_get_text(row, "operation");
	char count[32] = "";

	if (strcmp(operation, "alloc") && strcmp(operation, "free"))
		operation = "";
	if (is_one_of_counts(bench, row))
		snprintf(count, sizeof(count), ", n = %.0f", json_get_real(row, "objects_per_cpu"));
	snprintf(text, TEXT_BYTES, "%s%s%s%s", what, *operation ? ", " : "", operation, count);
}

/* Over sizes, the ratio of @subject's figures to @reference's. */
static void plot_ratio(const json_t *bench, const char *stem, const struct plot_options *options,
		       const char *what, const char *subject, const char *reference)
{
	char about[TEXT_BYTES], title[TEXT_BYTES], name[TEXT_BYTES];
	struct chart chart = {
		.title = title,
		.x_label = "size",
		.y_label = "ratio: below 1 gospan is cheaper",
		.x_scale = SCALE_BYTES,
		.y_log = true,
		.min_points = 2,
		.line_y = 1,
	};
	json_t *row;
	size_t i;

	snprintf(about, sizeof(about), "%s, %s / %s", ticks_name(bench), subject, reference);
	make_title(title, bench, about);
	json_array_foreach(json_object_get(bench, "results"), i, row) {
		if (strcmp(json_get_text(row, "allocator"), subject) ||
		    strcmp(json_get_text(row, "reference"), reference) ||
		    !(json_get_real(row, "size_bytes") > 0) || json_get_real(row, "held_pages") > 0)
			continue;
		row_name(name, bench, row, json_get_text(row, "workload"));
		chart_add(&chart, name, json_get_real(row, "size_bytes"),
			  json_get_real(row, "net_ratio_to_reference"));
	}
	chart_draw(&chart, options->folder, stem, what, options->format);
	chart_free(&chart);
}

static bool is_workload(const json_t *row, const char *workload)
{
	return !strcmp(json_get_text(row, "workload"), workload);
}

static bool is_timed(const json_t *row)
{
	return !isnan(json_get_real(row, latencies[0]));
}

/* The first row with percentiles that is of the workload of @row, which has some itself. */
static const json_t *first_timed(const json_t *bench, const json_t *row)
{
	json_t *other;
	size_t i;

	json_array_foreach(json_object_get(bench, "results"), i, other) {
		if (is_timed(other) && is_workload(other, json_get_text(row, "workload")))
			return other;
	}
	return row;
}

static void add_percentiles(struct chart *chart, const json_t *bench, const json_t *row)
{
	char name[TEXT_BYTES];

	row_name(name, bench, row, json_get_text(row, "allocator"));
	for (size_t p = 0; p < sizeof(latencies) / sizeof(latencies[0]); p++)
		chart_add(chart, name, p, json_get_real(row, latencies[p]));
}

/* All allocators, and the empty loop, which is what reading the clock takes. */
static void plot_workload_latency(const json_t *bench, const json_t *first, const char *stem,
				  const struct plot_options *options)
{
	char about[TEXT_BYTES], title[TEXT_BYTES], what[TEXT_BYTES];
	const char *workload = json_get_text(first, "workload");
	double size = json_get_real(first, "size_bytes");
	struct chart chart = {
		.title = title,
		.x_label = "of single operations, with the reading of a clock",
		.y_label = ticks_name(bench),
		.x_scale = SCALE_PERCENTILES,
		.y_log = true,
	};
	json_t *row;
	size_t i;

	snprintf(about, sizeof(about), "%s, %.0f B", workload, size);
	make_title(title, bench, about);
	snprintf(what, sizeof(what), "latency-%s", workload);
	json_array_foreach(json_object_get(bench, "results"), i, row) {
		if (is_workload(row, workload) && json_get_real(row, "size_bytes") == size)
			add_percentiles(&chart, bench, row);
	}
	chart_draw(&chart, options->folder, stem, what, options->format);
	chart_free(&chart);
}

/* A picture of each workload, of its first size: more lines nobody could tell apart. */
static void plot_latency(const json_t *bench, const char *stem,
			 const struct plot_options *options)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(bench, "results"), i, row) {
		if (is_timed(row) && first_timed(bench, row) == row)
			plot_workload_latency(bench, row, stem, options);
	}
}

void plot_bench(const json_t *bench, const char *stem, const struct plot_options *options)
{
	plot_ratio(bench, stem, options, "ratio", "gospan", "kmalloc");
	plot_ratio(bench, stem, options, "runs", "span", "pages");
	plot_latency(bench, stem, options);
}

/* The first size that several CPUs shared, or NaN. */
static double shared_size(const json_t *bench)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(bench, "results"), i, row) {
		if (is_workload(row, "pair-all"))
			return json_get_real(row, "size_bytes");
	}
	return NAN;
}

void plot_scaling_add(struct scaling *scaling, const json_t *bench)
{
	char name[TEXT_BYTES];
	json_t *row;
	size_t i;

	if (!scaling->first) {
		scaling->first = bench;
		scaling->size_bytes = NAN;
	}
	if (isnan(scaling->size_bytes))
		scaling->size_bytes = shared_size(bench);
	json_array_foreach(json_object_get(bench, "results"), i, row) {
		size_t nr_cpus = json_array_size(json_object_get(row, "per_cpu"));
		const char *allocator = json_get_text(row, "allocator");

		if ((!is_workload(row, "pair") && !is_workload(row, "pair-all")) ||
		    json_get_real(row, "size_bytes") != scaling->size_bytes ||
		    !strcmp(allocator, "empty"))
			continue;
		row_name(name, bench, row, allocator);
		/* Each of the benches has a pair on one CPU: that of the first is enough. */
		if (!chart_has(&scaling->chart, name, nr_cpus))
			chart_add(&scaling->chart, name, nr_cpus,
				  1000 * nr_cpus / json_get_real(row, "net_ticks_per_op"));
	}
}

void plot_scaling(struct scaling *scaling, const char *stem, const struct plot_options *options)
{
	char about[TEXT_BYTES], title[TEXT_BYTES], y_label[TEXT_BYTES];
	struct chart *chart = &scaling->chart;

	if (!scaling->first)
		return;
	snprintf(about, sizeof(about), "pairs of %.0f B", scaling->size_bytes);
	make_title(title, scaling->first, about);
	snprintf(y_label, sizeof(y_label), "pairs of all CPUs in 1000 %s",
		 ticks_name(scaling->first));
	chart->title = title;
	chart->x_label = "CPUs at once";
	chart->x_scale = SCALE_COUNT;
	chart->y_label = y_label;
	chart->min_points = 2;
	chart_draw(chart, options->folder, stem, "scaling", options->format);
	chart_free(chart);
}
