// SPDX-License-Identifier: GPL-2.0-only
/*
 * What allocators held over time, of a replay.
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

void plot_replay(const json_t *replay, const char *stem, const struct plot_options *options)
{
	struct chart chart = {
		.title = "memory held for live objects",
		.x_label = "steps",
		.y_label = "KiB",
		.steps = true,
	};
	const json_t *rows = json_object_get(replay, "replays");
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
