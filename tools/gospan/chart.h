/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A picture of lines, drawn by gnuplot.
 */
#ifndef GOSPAN_TOOL_CHART_H
#define GOSPAN_TOOL_CHART_H

#include <stdbool.h>
#include <stddef.h>

struct point {
	double x, y;
};

struct series {
	char *name;		/* in the key */
	struct point *points;
	size_t nr_points;
};

enum chart_scale {
	SCALE_PLAIN,		/* from zero */
	SCALE_COUNT,		/* the same, whole numbers */
	SCALE_BYTES,		/* powers of two */
	SCALE_PERCENTILES,	/* chart_percentiles[x] */
};

/* What a chart of SCALE_PERCENTILES has at x = 0, 1, ... */
extern const char *const chart_percentiles[];

struct chart {
	const char *title, *x_label, *y_label;
	enum chart_scale x_scale;
	bool y_log;
	bool steps;		/* a value holds until the next */
	size_t min_points;	/* series with fewer are left out */
	double line_y;		/* where a line across marks what is even; 0: none */
	struct series *series;
	size_t nr_series;
};

/* A point of the series called @name. NaN is none. */
void chart_add(struct chart *chart, const char *name, double x, double y);

/* Has the series called @name a point at @x? */
bool chart_has(const struct chart *chart, const char *name, double x);

/*
 * Draw into FOLDER/STEM-WHAT.FORMAT, svg or png, and print its name; nothing where
 * there is no point. Fails when gnuplot is not there or fails.
 */
void chart_draw(struct chart *chart, const char *folder, const char *stem,
		const char *what, const char *format);

/* Frees what chart_add() allocated. */
void chart_free(struct chart *chart);

#endif /* GOSPAN_TOOL_CHART_H */
