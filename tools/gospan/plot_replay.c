// SPDX-License-Identifier: GPL-2.0-only
/*
 * What allocators held, of a replay: over time, and at the peak by size of slot.
 */
#include "plot.h"

#include "record.h"

#include <math.h>
#include <stdio.h>

#define KIB	1024.0

/* Seconds where the recording has them, else steps. */
static double sample_x(const json_t *sample)
{
	if (json_object_get(sample, "time_ns"))
		return json_get_real(sample, "time_ns") / 1e9;
	return json_get_real(sample, "step");
}

static void add_samples(struct chart *chart, const json_t *row, const char *figure,
			const char *name)
{
	json_t *sample;
	size_t i;

	json_array_foreach(json_object_get(row, "samples"), i, sample) {
		if (!i && json_object_get(sample, "time_ns"))
			chart->x_label = "seconds";
		chart_add(chart, name, sample_x(sample), json_get_real(sample, figure) / KIB);
	}
}

static void plot_memory(const json_t *rows, const char *stem, const struct plot_options *options)
{
	struct chart chart = {
		.title = "memory held for live objects",
		.x_label = "steps",
		.y_label = "KiB",
		.steps = true,
	};
	json_t *row;
	size_t i;

	/* The objects ask for the same, whoever has them. */
	add_samples(&chart, json_array_get(rows, 0), "asked_bytes", "asked for");
	json_array_foreach(rows, i, row)
		add_samples(&chart, row, "held_bytes",
			    json_string_value(json_object_get(row, "allocator")) ?: "?");
	chart_draw(&chart, options->folder, stem, "memory", options->format);
	chart_free(&chart);
}

/* By size of slot, what all slots of the size hold, or beyond what was asked for. */
static void plot_classes(const json_t *rows, const char *stem, const struct plot_options *options,
			 const char *what, const char *title, bool beyond_asked)
{
	struct chart chart = {
		.title = title,
		.x_label = "bytes of a slot",
		.y_label = "KiB",
		.x_scale = SCALE_BYTES,
	};
	json_t *row, *class;
	size_t i, j;

	json_array_foreach(rows, i, row) {
		json_array_foreach(json_object_get(row, "peak_classes"), j, class) {
			double bytes = json_get_real(class, "held_bytes");

			if (beyond_asked)
				bytes -= json_get_real(class, "asked_bytes");
			chart_add(&chart, json_get_text(row, "allocator"),
				  json_get_real(class, "slot_bytes"), bytes / KIB);
		}
	}
	chart_draw(&chart, options->folder, stem, what, options->format);
	chart_free(&chart);
}

void plot_replay(const json_t *replay, const char *stem, const struct plot_options *options)
{
	const json_t *rows = json_object_get(replay, "replays");

	plot_memory(rows, stem, options);
	plot_classes(rows, stem, options, "classes", "memory held at the peak, by size of slot",
		     false);
	plot_classes(rows, stem, options, "waste",
		     "memory held beyond what was asked for, at the peak, by size of slot", true);
}
