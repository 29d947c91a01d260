// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan: one command to measure, inspect and try the allocator.
 *
 * Nearly everything happens in the kernel, behind /dev/gospan; the subcommands
 * choose what to do there and make its answers readable.
 */
#include "commands.h"
#include "device.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef TOOL_VERSION
#define TOOL_VERSION "(unversioned build)"
#endif

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "bench", cmd_bench, "compare gospan with kmalloc, kmem_cache and alloc_pages" },
	{ "compare", cmd_compare, "say what got faster or slower between two benches" },
	{ "plot", cmd_plot, "draw what bench or replay measured" },
	{ "record", cmd_record, "record what the kernel of this machine allocates" },
	{ "replay", cmd_replay, "allocate what was recorded, by gospan and the kernel's allocators" },
	{ "stat", cmd_stat, "show what the allocator (Go's MemStats) and its page heap hold" },
	{ "trim", cmd_trim, "give all free memory back to the kernel" },
	{ "classes", cmd_classes, "show the size class table" },
	{ "alloc-test", cmd_alloc_test, "allocate at random and check the contents" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_version(FILE *out, struct argp_state *state)
{
	(void)state;
	fprintf(out, "gospan %s, ABI %u\n", TOOL_VERSION, GOSPAN_ABI_VERSION);
}

static void print_commands(FILE *out)
{
	fputs("Usage: gospan COMMAND [OPTION...]\n\nCommands:\n", out);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-12s%s\n", commands[i].name, commands[i].help);
	fputs("\n'gospan COMMAND --help' lists the options of one; 'gospan --version' says which\n"
	      "gospan this is. Most of them need /dev/gospan, and root.\n", out);
}

static int run_command(const struct command *command, int argc, char **argv)
{
	char name[32];

	/* argp names the program by argv[0] in its messages. */
	snprintf(name, sizeof(name), "gospan %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

/* At the exit, wherever that is: argp has one of its own after --help. */
static void check_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return;
	fputs("gospan: cannot write the output\n", stderr);
	_exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version_hook = print_version;
	atexit(check_output);
	if (argc < 2) {
		print_commands(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		print_version(stdout, NULL);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_commands(stdout);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i].name))
			return run_command(&commands[i], argc - 1, argv + 1);
	}
	fprintf(stderr, "gospan: unknown command '%s'\n\n", argv[1]);
	print_commands(stderr);
	return EXIT_USAGE;
}
