// SPDX-License-Identifier: GPL-2.0-only
/*
 * A picture of lines, drawn by gnuplot.
 *
 * Commands and data go into a temporary file, which is gnuplot's standard
 * input: one that stops early then leaves us without a broken pipe.
 */
#include "chart.h"

#include "device.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_COLOURS	8U	/* of gnuplot's own */

extern char **environ;

const char *const chart_percentiles[] = { "p50", "p99", "p99.9", "max", NULL };

static void *must_grow(void *array, size_t n, size_t bytes)
{
	array = reallocarray(array, n, bytes);
	if (!array)
		fail("out of memory");
	return array;
}

static struct series *find_series(struct chart *chart, const char *name)
{
	struct series *series;

	for (size_t i = 0; i < chart->nr_series; i++) {
		if (!strcmp(chart->series[i].name, name))
			return &chart->series[i];
	}
	chart->series = must_grow(chart->series, chart->nr_series + 1, sizeof(*chart->series));
	series = &chart->series[chart->nr_series++];
	*series = (struct series){ .name = strdup(name) };
	if (!series->name)
		fail("out of memory");
	return series;
}

void chart_add(struct chart *chart, const char *name, double x, double y)
{
	struct series *series;

	if (!isfinite(x) || !isfinite(y) || (chart->y_log && y <= 0))
		return;
	series = find_series(chart, name);
	series->points = must_grow(series->points, series->nr_points + 1, sizeof(*series->points));
	series->points[series->nr_points++] = (struct point){ x, y };
}

bool chart_has(const struct chart *chart, const char *name, double x)
{
	for (size_t i = 0; i < chart->nr_series; i++) {
		const struct series *series = &chart->series[i];

		for (size_t p = 0; p < series->nr_points && !strcmp(series->name, name); p++) {
			if (series->points[p].x == x)
				return true;
		}
	}
	return false;
}

void chart_free(struct chart *chart)
{
	for (size_t i = 0; i < chart->nr_series; i++) {
		free(chart->series[i].name);
		free(chart->series[i].points);
	}
	free(chart->series);
}

/* In single quotes gnuplot knows no escapes but the quote doubled. */
static void print_quoted(FILE *out, const char *text)
{
	putc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			putc('\'', out);
		putc(*text == '\n' ? ' ' : *text, out);
	}
	putc('\'', out);
}

static void print_text(FILE *out, const char *what, const char *text)
{
	fprintf(out, "set %s ", what);
	print_quoted(out, text);
	putc('\n', out);
}

static void print_x_scale(FILE *out, const struct chart *chart)
{
	switch (chart->x_scale) {
	case SCALE_PLAIN:
		fputs("set xrange [0:*]\n", out);
		break;
	case SCALE_COUNT:
		fputs("set xrange [0:*]\nset xtics 1\n", out);
		break;
	case SCALE_BYTES:
		fputs("set logscale x 2\nset xtics ('8 B' 8, '64 B' 64, '512 B' 512, "
		      "'4 KiB' 4096, '32 KiB' 32768, '256 KiB' 262144, '2 MiB' 2097152)\n", out);
		break;
	case SCALE_PERCENTILES:
		fputs("set xtics (", out);
		for (size_t i = 0; chart_percentiles[i]; i++) {
			fputs(i ? ", " : "", out);
			print_quoted(out, chart_percentiles[i]);
			fprintf(out, " %zu", i);
		}
		fputs(")\n", out);
		break;
	}
}

static void print_head(FILE *out, const struct chart *chart, const char *format,
		       const char *path)
{
	if (!strcmp(format, "svg"))
		fputs("set terminal svg size 800,440 noenhanced background '#ffffff' "
		      "font 'sans-serif,13'\n", out);
	else
		fputs("set terminal pngcairo size 800,440 noenhanced font 'sans,10'\n", out);
	print_text(out, "output", path);
	print_text(out, "title", chart->title);
	print_text(out, "xlabel", chart->x_label);
	print_text(out, "ylabel", chart->y_label);
	/* The fifth colour, a yellow, is hard to see on white. */
	fputs("set key outside right top\nset grid\nset linetype 5 linecolor '#8c564b'\n", out);
	print_x_scale(out, chart);
	fputs(chart->y_log ? "set logscale y\n" : "set yrange [0:*]\n", out);
	if (chart->line_y)
		fprintf(out, "set arrow from graph 0, first %g to graph 1, first %g nohead "
			"dashtype 2\n", chart->line_y, chart->line_y);
}

static void print_data(FILE *out, const struct series *series, size_t nr)
{
	fprintf(out, "$s%zu << END\n", nr);
	for (size_t i = 0; i < series->nr_points; i++)
		fprintf(out, "%.10g %.10g\n", series->points[i].x, series->points[i].y);
	fputs("END\n", out);
}

static void print_script(FILE *out, const struct chart *chart, const char *format,
			 const char *path)
{
	print_head(out, chart, format, path);
	for (size_t i = 0; i < chart->nr_series; i++)
		print_data(out, &chart->series[i], i);
	for (size_t i = 0; i < chart->nr_series; i++) {
		/* A colour that comes again is dashed. */
		fprintf(out, "%s$s%zu with %s linewidth 2 linetype %zu dashtype %zu title ",
			i ? ", " : "plot ", i,
			chart->steps ? "steps" : "linespoints pointtype 7",
			i % NR_COLOURS + 1, i / NR_COLOURS + 1);
		print_quoted(out, chart->series[i].name);
	}
	putc('\n', out);
}

/* Fails unless gnuplot, which reads @script, is content. */
static void run_gnuplot(FILE *script, const char *path)
{
	char *const argv[] = { "gnuplot", "/dev/stdin", NULL };
	posix_spawn_file_actions_t actions;
	int error, status;
	pid_t child;

	rewind(script);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
	error = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error == ENOENT)
		fail("there is no gnuplot: install it (Debian's package is gnuplot-nox)");
	if (error)
		fail("gnuplot: %s", strerror(error));
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			fail("gnuplot: %s", strerror(errno));
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail("gnuplot could not draw %s", path);
}

static int compare_points(const void *a, const void *b)
{
	const struct point *p = a, *q = b;

	if (p->x == q->x)
		return (p->y > q->y) - (p->y < q->y);
	return p->x > q->x ? 1 : -1;
}

/* Leaves series that are drawn, from left to right. */
static void tidy(struct chart *chart)
{
	size_t kept = 0;

	for (size_t i = 0; i < chart->nr_series; i++) {
		struct series *series = &chart->series[i];

		if (series->nr_points < chart->min_points) {
			free(series->name);
			free(series->points);
			continue;
		}
		qsort(series->points, series->nr_points, sizeof(series->points[0]),
		      compare_points);
		chart->series[kept++] = *series;
	}
	chart->nr_series = kept;
}

void chart_draw(struct chart *chart, const char *folder, const char *stem,
		const char *what, const char *format)
{
	FILE *script;
	char *path;

	tidy(chart);
	if (!chart->nr_series)
		return;
	if (asprintf(&path, "%s/%s-%s.%s", folder, stem, what, format) < 0)
		fail("out of memory");
	script = tmpfile();
	if (!script)
		fail("a temporary file: %s", strerror(errno));
	print_script(script, chart, format, path);
	if (fflush(script) || ferror(script))
		fail("a temporary file: %s", strerror(errno));
	run_gnuplot(script, path);
	puts(path);
	fclose(script);
	free(path);
}
