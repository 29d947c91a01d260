// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan compare: two benches that were kept as JSON. Needs no device.
 */
#include "commands.h"

#include "bench_compare.h"
#include "record.h"

#include <argp.h>
#include <stdbool.h>

struct compare_options {
	const char *old, *new;
	bool json;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct compare_options *options = state->input;

	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			options->old = arg;
		else if (state->arg_num == 1)
			options->new = arg;
		else
			argp_error(state, "two files are compared, not more");
		return 0;
	case ARGP_KEY_END:
		if (!options->new)
			argp_error(state, "two files are wanted");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{ "json", 'j', NULL, 0, "print JSON", 0 },
	{ 0 }
};

static const struct argp argp = {
	argp_options, parse_option, "OLD.json NEW.json",
	"Say what got faster or slower between two files of gospan bench --json."
	"\vA figure has changed when the 95 % intervals of the two medians, both without the "
	"empty loop, are apart, and the medians by more than 0.1 % (instructions) or 5 % "
	"(cycles). Options, machine and parameters of the module that differ are told. Exit status: "
	"3 if a figure of gospan's got slower, else 0; 1 when the files cannot be read, or nothing "
	"in them can be compared.",
	NULL, NULL, NULL
};

int cmd_compare(int argc, char **argv)
{
	struct compare_options options = { 0 };
	json_t *old, *new, *comparison;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	old = compare_load(options.old);
	new = compare_load(options.new);
	comparison = compare_benches(old, new);
	status = compare_status(comparison);
	if (options.json) {
		json_print(comparison);
	} else {
		compare_print(comparison);
		json_decref(comparison);
	}
	json_decref(old);
	json_decref(new);
	return status;
}
