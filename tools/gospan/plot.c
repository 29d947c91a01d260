// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan plot: pictures of what bench and replay wrote as JSON. Needs no device.
 */
#include "plot.h"

#include "commands.h"
#include "device.h"
#include "record.h"

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
	struct plot_options options;
	char **paths;
	size_t nr_paths;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'f':
		if (strcmp(arg, "svg") && strcmp(arg, "png"))
			argp_error(state, "--format: '%s' is neither svg nor png", arg);
		arguments->options.format = arg;
		return 0;
	case 'o':
		arguments->options.folder = arg;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->paths = state->argv + state->next;
		arguments->nr_paths = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a file is wanted");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{ "format", 'f', "NAME", 0, "svg (default) or png", 0 },
	{ "output", 'o', "FOLDER", 0, "where the pictures go (here)", 0 },
	{ 0 }
};

static const struct argp argp = {
	argp_options, parse_option, "FILE.json...",
	"Draw, with gnuplot, what gospan bench --json or gospan replay --json wrote."
	"\vOf a bench FILE: FILE-ratio, the ratios to kmalloc by size; FILE-runs, those of page "
	"runs; FILE-latency-WORKLOAD, of single operations (--latency). Of all benches together, named "
	"by the first: FILE-scaling, pairs on one CPU and on several, which the same --workloads "
	"pair,pair-all with other --cpus give. Of a replay: FILE-memory, what is held over time; "
	"FILE-classes and FILE-waste, at its peak, by size of slot, all and beyond what was asked "
	"for. Files of one name are numbered: FILE, FILE-2. "
	"The names of the pictures are printed; there are none of what was not measured.",
	NULL, NULL, NULL
};

/* The file's name without folders and .json; to be freed. */
static char *make_stem(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *stem = strdup(slash ? slash + 1 : path), *dot;

	if (!stem)
		fail("out of memory");
	dot = strrchr(stem, '.');
	if (dot && !strcmp(dot, ".json"))
		*dot = '\0';
	return stem;
}

static bool is_among(char *const stems[], size_t nr, const char *stem)
{
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(stems[i], stem))
			return true;
	}
	return false;
}

/* The names of the pictures, by file; with a number where an earlier file has the name. */
static char **make_stems(char *const paths[], size_t nr)
{
	char **stems = calloc(nr, sizeof(*stems));

	if (!stems)
		fail("out of memory");
	for (size_t i = 0; i < nr; i++) {
		char *name = make_stem(paths[i]);
		unsigned int number = 1;

		stems[i] = strdup(name);
		while (stems[i] && is_among(stems, i, stems[i])) {
			free(stems[i]);
			if (asprintf(&stems[i], "%s-%u", name, ++number) < 0)
				stems[i] = NULL;
		}
		if (!stems[i])
			fail("out of memory");
		free(name);
	}
	return stems;
}

/* Draws what there is of one file; a bench's part of the scaling is added. */
static void plot_file(const json_t *root, const char *path, const char *stem,
		      struct scaling *scaling, const struct plot_options *options)
{
	if (json_is_array(json_object_get(root, "results"))) {
		plot_bench(root, stem, options);
		plot_scaling_add(scaling, root);
	} else if (json_is_array(json_object_get(root, "replays"))) {
		plot_replay(root, stem, options);
	} else {
		fail("%s is of neither gospan bench --json nor gospan replay --json", path);
	}
}

int cmd_plot(int argc, char **argv)
{
	struct arguments arguments = { .options = { .folder = ".", .format = "svg" } };
	struct scaling scaling = { 0 };
	json_t **roots;
	char **stems;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	roots = calloc(arguments.nr_paths, sizeof(*roots));
	if (!roots)
		fail("out of memory");
	stems = make_stems(arguments.paths, arguments.nr_paths);
	for (size_t i = 0; i < arguments.nr_paths; i++) {
		roots[i] = json_read(arguments.paths[i]);
		plot_file(roots[i], arguments.paths[i], stems[i], &scaling, &arguments.options);
	}
	plot_scaling(&scaling, stems[0], &arguments.options);
	for (size_t i = 0; i < arguments.nr_paths; i++) {
		json_decref(roots[i]);
		free(stems[i]);
	}
	free(roots);
	free(stems);
	return EXIT_SUCCESS;
}
