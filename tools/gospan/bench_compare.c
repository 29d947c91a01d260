// SPDX-License-Identifier: GPL-2.0-only
/*
 * What got faster or slower between two benches, beyond the noise.
 *
 * Rows of the same work, size and allocator are matched. A row's figure is the
 * median of its rounds without that of the empty loop; its interval the
 * difference of their 95 % intervals, each end the one that is worse. A row
 * changed when the intervals of old and new do not overlap and the figures
 * differ by more than a threshold: intervals say what rounds of one boot do,
 * but code and memory lie elsewhere in another, which moves cycles, too.
 */
#include "bench_compare.h"

#include "device.h"
#include "record.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Least change that counts, in per cent, where intervals do not overlap. */
#define THRESHOLD_INSTRUCTIONS	0.1
#define THRESHOLD_CYCLES	5.0

/* A bench, and its rows by name. */
struct side {
	const json_t *root;
	json_t *rows;
};

/* Ticks per operation without the loop; NaN where something is missing. */
struct figure {
	double median, low, high;
};

/* What makes two rows the same. */
static const char *const identity[] = {
	"workload", "operation", "size_bytes", "held_pages", "objects_per_cpu", "cpus",
};

#define NR_IDENTITY	(sizeof(identity) / sizeof(identity[0]))

/* What makes figures differ that the code has no part in. */
static const struct { const char *section, *name; } conditions[] = {
	{ "machine", "kernel_release" },
	{ "machine", "cpu_model" },
	{ "machine", "cpus_online" },
	{ "machine", "init_on_alloc" },
	{ "machine", "init_on_free" },
	{ "machine", "debug_options" },
	{ "options", "tick_khz" },
	{ "options", "rounds" },
	{ "options", "seed" },
	{ "options", "latency" },
	{ "options", "cpus_chosen" },
	{ "options", "zero" },
	{ "options", "page_cache" },
};

/* And what bench_export.c calls the module's parameters, in "machine". */
#define PARAMETER	"parameter_"

static const char *const own_allocators[] = { "gospan", "noscan", "cache", "span" };

json_t *compare_load(const char *path)
{
	json_t *root = json_read(path);

	if (!json_is_array(json_object_get(root, "results")) ||
	    !*json_get_text(json_object_get(root, "options"), "ticks"))
		fail("%s is not what gospan bench --json writes", path);
	return root;
}

/* Of the row that @allocator has where @row has its own; to be freed. */
static char *row_name(const json_t *row, const char *allocator)
{
	json_t *parts = json_array();
	char *name;

	for (size_t i = 0; i < NR_IDENTITY; i++)
		json_array_append(parts, json_object_get(row, identity[i]) ?: json_null());
	json_array_append_new(parts, json_string(allocator));
	name = json_dumps(parts, JSON_COMPACT);
	json_decref(parts);
	if (!name)
		fail("out of memory");
	return name;
}

static const json_t *find_row(const struct side *side, const json_t *like, const char *allocator)
{
	char *name = row_name(like, allocator);
	const json_t *row = json_object_get(side->rows, name);

	free(name);
	return row;
}

static struct side make_side(const json_t *root)
{
	struct side side = { .root = root, .rows = json_object() };
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(root, "results"), i, row) {
		char *name = row_name(row, json_get_text(row, "allocator"));

		json_object_set(side.rows, name, row);
		free(name);
	}
	return side;
}

static struct figure row_figure(const struct side *side, const json_t *row)
{
	const json_t *loop = find_row(side, row, "empty");

	return (struct figure){
		.median = json_get_real(row, "ticks_per_op_median") -
			  json_get_real(loop, "ticks_per_op_median"),
		.low = json_get_real(row, "ticks_per_op_ci95_low") -
		       json_get_real(loop, "ticks_per_op_ci95_high"),
		.high = json_get_real(row, "ticks_per_op_ci95_high") -
			json_get_real(loop, "ticks_per_op_ci95_low"),
	};
}

/* Of which a round is the best; earlier files do not say so: two, or eight with pages held. */
static double runs_per_round(const json_t *row)
{
	double nr = json_get_real(row, "runs_per_round");

	if (!isnan(nr))
		return nr;
	return json_get_real(row, "held_pages") > 0 ? 8 : 2;
}

/* Both have an interval, and a cost that a ratio can be made of. */
static bool are_comparable(struct figure old, struct figure new)
{
	return old.median > 0 && new.median >= 0 && !isnan(old.high - old.low) &&
	       !isnan(new.high - new.low);
}

static double change_percent(struct figure old, struct figure new)
{
	return 100 * (new.median - old.median) / old.median;
}

static const char *verdict(struct figure old, struct figure new, double threshold)
{
	if (new.high < old.low && change_percent(old, new) < -threshold)
		return "faster";
	if (new.low > old.high && change_percent(old, new) > threshold)
		return "slower";
	return "same";
}

static bool is_own(const json_t *row)
{
	const char *allocator = json_get_text(row, "allocator");

	for (size_t i = 0; i < sizeof(own_allocators) / sizeof(own_allocators[0]); i++) {
		if (!strcmp(allocator, own_allocators[i]))
			return true;
	}
	return false;
}

static void fill_figure(json_t *object, const char *name, struct figure figure)
{
	json_object_set_new(object, name, json_pack("{s:f, s:f, s:f}", "median", figure.median,
						    "ci95_low", figure.low,
						    "ci95_high", figure.high));
}

static json_t *make_change(const json_t *row, const char *what, struct figure old,
			   struct figure new)
{
	json_t *change = json_object();

	for (size_t i = 0; i < NR_IDENTITY; i++)
		json_object_set(change, identity[i],
				json_object_get(row, identity[i]) ?: json_null());
	json_object_set(change, "allocator", json_object_get(row, "allocator"));
	json_object_set_new(change, "own", json_boolean(is_own(row)));
	json_object_set_new(change, "verdict", json_string(what));
	fill_figure(change, "old", old);
	fill_figure(change, "new", new);
	json_object_set_new(change, "change_percent", json_real(change_percent(old, new)));
	return change;
}

static void count(json_t *counts, const char *what)
{
	json_int_t before = json_integer_value(json_object_get(counts, what));

	json_object_set_new(counts, what, json_integer(before + 1));
}

static void compare_row(const struct side *old, const struct side *new, const json_t *row,
			double threshold, json_t *comparison)
{
	const json_t *before = find_row(old, row, json_get_text(row, "allocator"));
	json_t *counts = json_object_get(comparison, "counts");
	struct figure was, is;
	const char *what;

	/* The loop is part of every other row. */
	if (!strcmp(json_get_text(row, "allocator"), "empty"))
		return;
	if (!before) {
		count(counts, "only_new");
		return;
	}
	was = row_figure(old, before);
	is = row_figure(new, row);
	if (runs_per_round(before) != runs_per_round(row) || !are_comparable(was, is)) {
		count(counts, "not_comparable");
		return;
	}
	what = verdict(was, is, threshold);
	count(counts, what);
	if (strcmp(what, "same"))
		json_array_append_new(json_object_get(comparison, "changes"),
				      make_change(row, what, was, is));
}

static void count_gone(const struct side *old, const struct side *new, json_t *counts)
{
	const char *name;
	json_t *row;

	json_object_foreach(old->rows, name, row) {
		if (!json_object_get(new->rows, name) &&
		    strcmp(json_get_text(row, "allocator"), "empty"))
			count(counts, "only_old");
	}
}

/* Of an earlier version a file may have no such condition. */
static void add_different(json_t *differing, const json_t *old, const json_t *new,
			  const char *name)
{
	json_t *was = json_object_get(old, name), *is = json_object_get(new, name);

	if (was && is && !json_equal(was, is))
		json_array_append_new(differing, json_pack("{s:s, s:O, s:O}", "name", name, "old",
							   was, "new", is));
}

static json_t *different_conditions(const json_t *old, const json_t *new)
{
	json_t *differing = json_array(), *value;
	const char *name;

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		add_different(differing, json_object_get(old, conditions[i].section),
			      json_object_get(new, conditions[i].section), conditions[i].name);
	json_object_foreach(json_object_get(new, "machine"), name, value) {
		if (!strncmp(name, PARAMETER, strlen(PARAMETER)))
			add_different(differing, json_object_get(old, "machine"),
				      json_object_get(new, "machine"), name);
	}
	return differing;
}

void compare_check_ticks(const json_t *old, const char *ticks)
{
	const char *was = json_get_text(json_object_get(old, "options"), "ticks");

	if (strcmp(was, ticks))
		fail("%s cannot be compared with %s", ticks, was);
}

static double choose_threshold(const json_t *old, const json_t *new)
{
	const char *ticks = json_get_text(json_object_get(new, "options"), "ticks");

	compare_check_ticks(old, ticks);
	return strcmp(ticks, "instructions") ? THRESHOLD_CYCLES : THRESHOLD_INSTRUCTIONS;
}

json_t *compare_benches(const json_t *old, const json_t *new)
{
	double threshold = choose_threshold(old, new);
	struct side before = make_side(old), after = make_side(new);
	json_t *comparison, *counts, *row;
	size_t i;

	counts = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "faster", 0, "slower", 0, "same", 0,
			   "not_comparable", 0, "only_old", 0, "only_new", 0);
	comparison = json_pack("{s:f, s:O, s:o, s:o, s:[]}", "threshold_percent", threshold,
			       "ticks", json_object_get(json_object_get(new, "options"), "ticks"),
			       "counts", counts,
			       "different_conditions", different_conditions(old, new), "changes");
	if (!comparison)
		fail("out of memory");
	json_array_foreach(json_object_get(new, "results"), i, row)
		compare_row(&before, &after, row, threshold, comparison);
	count_gone(&before, &after, counts);
	json_decref(before.rows);
	json_decref(after.rows);
	return comparison;
}

static void print_conditions(const json_t *comparison)
{
	json_t *condition;
	size_t i;

	json_array_foreach(json_object_get(comparison, "different_conditions"), i, condition) {
		char *old = json_dumps(json_object_get(condition, "old"), JSON_ENCODE_ANY);
		char *new = json_dumps(json_object_get(condition, "new"), JSON_ENCODE_ANY);

		printf("differs: %s was %s, is %s\n", json_get_text(condition, "name"), old, new);
		free(old);
		free(new);
	}
}

static void print_change(const json_t *change)
{
	printf("  %-16s%-8s%9.0f%7.0f  %-11s%9.1f%9.1f%+9.1f %%  %s\n",
	       json_get_text(change, "workload"), json_get_text(change, "operation"),
	       json_get_real(change, "size_bytes"), json_get_real(change, "objects_per_cpu"),
	       json_get_text(change, "allocator"),
	       json_get_real(json_object_get(change, "old"), "median"),
	       json_get_real(json_object_get(change, "new"), "median"),
	       json_get_real(change, "change_percent"), json_get_text(change, "verdict"));
}

static json_int_t get_count(const json_t *comparison, const char *what)
{
	return json_integer_value(json_object_get(json_object_get(comparison, "counts"), what));
}

static bool any_compared(const json_t *comparison)
{
	return get_count(comparison, "faster") || get_count(comparison, "slower") ||
	       get_count(comparison, "same");
}

void compare_print(const json_t *comparison)
{
	const json_t *changes = json_object_get(comparison, "changes");
	json_t *change;
	size_t i;

	print_conditions(comparison);
	printf("changed by more than %.1f %%, 95 %% intervals apart: %lld faster, %lld slower; "
	       "not: %lld\n", json_get_real(comparison, "threshold_percent"),
	       get_count(comparison, "faster"), get_count(comparison, "slower"),
	       get_count(comparison, "same"));
	printf("without counterpart: %lld old rows, %lld new; not comparable: %lld\n",
	       get_count(comparison, "only_old"), get_count(comparison, "only_new"),
	       get_count(comparison, "not_comparable"));
	if (!any_compared(comparison))
		puts("nothing could be compared: other work, or fewer than the 6 rounds that an "
		     "interval takes");
	if (json_array_size(changes))
		printf("\n  %-16s%-8s%9s%7s  %-11s%9s%9s%11s\n",
		       json_get_text(comparison, "ticks"), "", "bytes", "n", "", "old", "new", "change");
	json_array_foreach(changes, i, change)
		print_change(change);
}

int compare_status(const json_t *comparison)
{
	json_t *change;
	size_t i;

	json_array_foreach(json_object_get(comparison, "changes"), i, change) {
		if (json_is_true(json_object_get(change, "own")) &&
		    !strcmp(json_get_text(change, "verdict"), "slower"))
			return EXIT_SLOWER;
	}
	return any_compared(comparison) ? EXIT_SUCCESS : EXIT_FAILURE;
}
