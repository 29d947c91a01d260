/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gospan plot: which charts there are of what other commands wrote as JSON.
 */
#ifndef GOSPAN_TOOL_PLOT_H
#define GOSPAN_TOOL_PLOT_H

#include "chart.h"

#include <jansson.h>

struct plot_options {
	const char *folder;	/* the pictures go there */
	const char *format;	/* "svg" or "png" */
};

/* plot_bench.c: of one bench, ratios by size and latencies. */
void plot_bench(const json_t *bench, const char *stem, const struct plot_options *options);

/* Pairs on one CPU and on several at once, of as many benches as there are. */
struct scaling {
	struct chart chart;
	const json_t *first;	/* names kernel and ticks; NULL: nothing added */
	double size_bytes;	/* of the objects: one size is enough */
};

void plot_scaling_add(struct scaling *scaling, const json_t *bench);
void plot_scaling(struct scaling *scaling, const char *stem, const struct plot_options *options);

/* plot_replay.c: memory over time. */
void plot_replay(const json_t *replay, const char *stem, const struct plot_options *options);

#endif /* GOSPAN_TOOL_PLOT_H */
