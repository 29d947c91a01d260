// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan bench: gospan and the kernel's own allocators in one boot.
 *
 * This part reads the options and puts the others together.
 */
#include "bench.h"

#include "bench_compare.h"
#include "commands.h"
#include "device.h"
#include "outfile.h"
#include "record.h"

#include <argp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ROUNDS	15
#define DEFAULT_SEED	1

enum option_key {
	KEY_ZERO = 0x100,
	KEY_LATENCY,
	KEY_SEED,
	KEY_HELD,
	KEY_CSV,
	KEY_TICKS_NAME,
	KEY_BUDGET,
	KEY_FORCE,
	KEY_PROGRESS,
	KEY_COMPARE,
	KEY_SLAB_TEST,
};

struct parse_state {
	struct bench_options *options;
	bool has_ticks_name;
};

static void usage(struct argp_state *state, const char *option, const struct parse_error *error)
{
	argp_error(state, "%s: %s", option, error->text);
}

static void parse_cpus_option(struct argp_state *state, struct bench_options *options,
			      const char *arg)
{
	struct parse_error error;

	if (!strcmp(arg, "all"))
		return;
	options->has_cpus = true;
	if (!parse_cpus(arg, &options->cpus, &error))
		usage(state, "--cpus", &error);
}

static void parse_kinds_option(struct argp_state *state, struct bench_options *options,
			       const char *arg)
{
	const char *names[NR_KINDS + 1] = { [NR_KINDS] = "suite" };
	struct parse_error error;

	for (size_t i = 0; i < NR_KINDS; i++)
		names[i] = bench_kinds[i].name;
	if (!parse_names(arg, names, NR_KINDS + 1, &options->kinds, &error))
		usage(state, "--workloads", &error);
	options->suite = options->kinds >> NR_KINDS & 1;
	options->kinds &= ~(1ULL << NR_KINDS);
}

static void parse_allocators_option(struct argp_state *state, struct bench_options *options,
				    const char *arg)
{
	struct parse_error error;

	if (!parse_names(arg, allocator_names, GOSPAN_NR_ALLOCATORS, &options->allocators, &error))
		usage(state, "--allocators", &error);
	options->allocators |= 1U << GOSPAN_ALLOCATOR_EMPTY;
}

static void parse_instrument_option(struct argp_state *state, struct bench_options *options,
				    const char *option, const char *arg)
{
	for (unsigned int i = 0; i < NR_INSTRUMENTS; i++) {
		if (!strcmp(arg, instrument_names[i])) {
			options->instrument = i;
			return;
		}
	}
	argp_error(state, "%s: '%s' is neither instructions nor cycles", option, arg);
}

static void parse_number_option(struct argp_state *state, const char *option, const char *arg,
				__u64 min, __u64 max, __u64 *value)
{
	struct parse_error error;

	if (!parse_number(arg, min, max, value, &error))
		usage(state, option, &error);
}

/* --budget names the instrument too; when both are given they must agree. */
static void parse_ticks_option(struct argp_state *state, int key, const char *arg)
{
	struct parse_state *parse = state->input;
	enum bench_instrument before = parse->options->instrument;

	parse_instrument_option(state, parse->options,
				key == KEY_BUDGET ? "--budget" : "--ticks-name", arg);
	if (parse->has_ticks_name && before != parse->options->instrument)
		argp_error(state, "--ticks-name and --budget name different instruments");
	parse->has_ticks_name = true;
	if (key == KEY_BUDGET)
		parse->options->budget = true;
}

static error_t parse_list_option(int key, char *arg, struct argp_state *state)
{
	struct bench_options *options = ((struct parse_state *)state->input)->options;
	struct parse_error error;

	switch (key) {
	case 's':
		options->has_sizes = true;
		if (!parse_sizes(arg, GOSPAN_BENCH_MAX_BYTES, &options->sizes, &error))
			usage(state, "--sizes", &error);
		return 0;
	case 'n':
		if (!parse_sizes(arg, GOSPAN_BENCH_MAX_OBJECTS, &options->objects, &error))
			usage(state, "--objects", &error);
		return 0;
	case KEY_HELD:
		if (!parse_sizes(arg, GOSPAN_BENCH_MAX_HELD_PAGES, &options->held, &error))
			usage(state, "--held", &error);
		return 0;
	case 'w':
		parse_kinds_option(state, options, arg);
		return 0;
	case 'a':
		parse_allocators_option(state, options, arg);
		return 0;
	case 'c':
		parse_cpus_option(state, options, arg);
		return 0;
	case KEY_TICKS_NAME:
	case KEY_BUDGET:
		parse_ticks_option(state, key, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* When all options are known. */
static void check_options(struct argp_state *state, struct bench_options *options)
{
	__u64 shown = 1U << GOSPAN_ALLOCATOR_GOSPAN | 1U << GOSPAN_ALLOCATOR_KMALLOC;

	if (options->compare_path && options->output == OUTPUT_CSV)
		argp_error(state, "--csv has no place for what --compare says");
	if (!options->slab_test)
		return;
	if (options->output != OUTPUT_TABLE)
		argp_error(state, "--slab-test is a format of its own (--json=FILE goes with it)");
	if (options->kinds || options->suite || options->held.nr)
		argp_error(state, "--slab-test has its own workloads");
	if (!(options->allocators & shown))
		argp_error(state, "--slab-test is about gospan and kmalloc");
	options->allocators &= shown | 1U << GOSPAN_ALLOCATOR_EMPTY;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct bench_options *options = ((struct parse_state *)state->input)->options;

	switch (key) {
	case 'r':
		parse_number_option(state, "--rounds", arg, 1, GOSPAN_BENCH_MAX_ROUNDS,
				    &options->rounds);
		return 0;
	case KEY_SEED:
		parse_number_option(state, "--seed", arg, 0, INT64_MAX, &options->seed);
		return 0;
	case KEY_ZERO:
		options->zero = true;
		return 0;
	case KEY_LATENCY:
		options->latency = true;
		return 0;
	case KEY_FORCE:
		options->force = true;
		return 0;
	case KEY_SLAB_TEST:
		options->slab_test = true;
		return 0;
	case KEY_PROGRESS:
		options->progress = true;
		return 0;
	case 'j':
		if (arg)
			options->json_path = arg;
		else
			options->output = OUTPUT_JSON;
		return 0;
	case KEY_COMPARE:
		options->compare_path = arg;
		return 0;
	case ARGP_KEY_END:
		check_options(state, options);
		return 0;
	case KEY_CSV:
		options->output = OUTPUT_CSV;
		return 0;
	default:
		return parse_list_option(key, arg, state);
	}
}

static const struct argp_option argp_options[] = {
	{ "sizes", 's', "LIST", 0, "bytes of the objects, such as 8,64,1024; of page runs those "
	  "of whole gospan pages, such as 8192,16384; not for what has sizes of its own: mix, larson, "
	  "alloc-test, shbench, rptest, mstress", 0 },
	{ "workloads", 'w', "LIST", 0,
	  "of pair, pair-all, batch, batch-lifo, batch-shuffled, remote, mix; noscan, "
	  "noscan-batch, noscan-shuffled; bulk; false-sharing; cache, cache-batch; runs, runs-all, "
	  "runs-fifo, runs-lifo, runs-shuffled (all of these that the other options allow); and, "
	  "only when named, larson, xmalloc, alloc-test, shbench, fan-out, batch-all, n-pattern, "
	  "rptest, mstress, threadtest, fragmentation, rcu-flood, hardirq, cache-thrash, "
	  "cache-scratch, or suite for all of them", 0 },
	{ "allocators", 'a', "LIST", 0,
	  "of gospan, kmalloc, kmem_cache, pages, limit (a bare array of pointers per CPU: "
	  "what no cache can beat); also noscan and cache for the workloads of "
	  "these names; for page runs span, pages (all); the empty loop "
	  "is always measured", 0 },
	{ "cpus", 'c', "LIST", 0,
	  "CPUs to use, such as 0-3,5, or all (all): workloads for one CPU run on the first, "
	  "remote, false-sharing and xmalloc on the first two, those of all CPUs (pair-all, "
	  "runs-all, larson, shbench, rptest, mstress, fan-out, batch-all, threadtest, rcu-flood, "
	  "cache-thrash, cache-scratch) on all of them, named ones but fan-out also on a single "
	  "one, to compare others with", 0 },
	{ "rounds", 'r', "N", 0, "rounds of each allocator (15)", 0 },
	{ "objects", 'n', "LIST", 0, "operations of each CPU in a round, each number in turn, instead "
	  "of one that suits the size and the instrument; of batches, fan-out, fragmentation, "
	  "n-pattern and threadtest objects that are allocated before they are freed, of bulk those "
	  "of a call; rptest, mstress, shbench make whole turns of them (512, 640, 16)", 0 },
	{ "zero", KEY_ZERO, NULL, 0, "allocate with __GFP_ZERO", 0 },
	{ "latency", KEY_LATENCY, NULL, 0,
	  "also time single operations: of the slowest CPU what half of them, 99 %, 99.9 % and all of "
	  "them do not exceed; not of bulk, rcu-flood, nor of writes, of hardirq in any case; 99.9 % "
	  "of 1000 operations at least", 0 },
	{ "held", KEY_HELD, "LIST", 0,
	  "gospan pages kept in use meanwhile, single ones with holes between them, such as "
	  "10000,1000000: each in turn; for page runs only", 0 },
	{ "seed", KEY_SEED, "N", 0, "for what is drawn at random (1)", 0 },
	{ "ticks-name", KEY_TICKS_NAME, "NAME", 0,
	  "what a tick is: cycles (default), or instructions under QEMU -icount shift=0", 0 },
	{ "budget", KEY_BUDGET, "NAME", 0,
	  "add the project's targets for instructions or cycles; implies --ticks-name", 0 },
	{ "json", 'j', "FILE", OPTION_ARG_OPTIONAL,
	  "print JSON; with =FILE, write it there, beside what is printed, when all is measured", 0 },
	{ "csv", KEY_CSV, NULL, 0, "print comma-separated values", 0 },
	{ "compare", KEY_COMPARE, "FILE", 0, "say what got faster or slower since an earlier "
	  "--json, as gospan compare does; then the exit status is 3 if a figure of gospan's "
	  "got slower, 1 if nothing could be compared", 0 },
	{ "slab-test", KEY_SLAB_TEST, NULL, 0, "what C. Lameter's slab_test measures, printed as it "
	  "does: 10000 objects of 8 to 16384 bytes, as --objects and --sizes; the loop included", 0 },
	{ "force", KEY_FORCE, NULL, 0, "measure even on a debug kernel", 0 },
	{ "progress", KEY_PROGRESS, NULL, 0,
	  "say on stderr what has been measured (as on a terminal)", 0 },
	{ 0 }
};

static const struct argp argp = {
	argp_options, parse_option, NULL,
	"Measure gospan against kmalloc, a kmem_cache and alloc_pages, and its page heap against "
	"alloc_pages, inside the kernel."
	"\vFigures are ticks per operation of the best round (of false-sharing, cache-thrash and "
	"cache-scratch: the median), without the empty loop that is measured beside them. A round "
	"is the better of two runs, but one run of those three, the best of eight with --held. "
	"--json and --csv have medians, nanoseconds and each CPU as well.",
	NULL, NULL, NULL
};

static void parse_options(int argc, char **argv, struct bench_options *options)
{
	struct parse_state state = { .options = options };

	*options = (struct bench_options){
		.allocators = (1U << GOSPAN_NR_ALLOCATORS) - 1,
		.rounds = DEFAULT_ROUNDS,
		.seed = DEFAULT_SEED,
		.progress = isatty(STDERR_FILENO),
	};
	argp_parse(&argp, argc, argv, 0, NULL, &state);
}

static void check_kernel(const struct bench *b)
{
	if (b->version.flags & GOSPAN_VERSION_DEBUG_KERNEL && !b->options.force)
		fail(DEBUG_KERNEL_WARNING ": take another kernel, or --force");
}

static void write_file(const json_t *root, const char *path)
{
	struct outfile file = outfile_open(path);

	outfile_close(&file, json_write(root, file.stream));
}

static void print_bench(const struct bench *b, json_t *root)
{
	const json_t *comparison = json_object_get(root, "comparison");

	switch (b->options.output) {
	case OUTPUT_TABLE:
		if (b->options.slab_test)
			bench_print_slab_test(b);
		else
			bench_print_table(b);
		if (comparison) {
			printf("\ncompared with %s\n", b->options.compare_path);
			compare_print(comparison);
		}
		break;
	case OUTPUT_JSON:
		if (!json_write(root, stdout))
			fail("cannot write JSON");
		break;
	case OUTPUT_CSV:
		bench_print_csv(b);
		break;
	}
}

/* An exit status. @old: an earlier bench, or NULL. */
static int report(const struct bench *b, const json_t *old)
{
	__u64 failures = bench_failures(b);
	json_t *root = bench_json(b);
	int status = EXIT_SUCCESS;

	if (old) {
		json_t *comparison = compare_benches(old, root);

		status = compare_status(comparison);
		json_object_set_new(root, "comparison", comparison);
	}
	if (b->options.json_path)
		write_file(root, b->options.json_path);
	print_bench(b, root);
	json_decref(root);
	if (failures) {
		fprintf(stderr, "gospan: %llu allocations failed\n", failures);
		status = EXIT_FAILURE;
	}
	return status;
}

int cmd_bench(int argc, char **argv)
{
	struct bench b = { 0 };
	json_t *old = NULL;
	int fd, status;

	parse_options(argc, argv, &b.options);
	/* Before what takes minutes. */
	if (b.options.compare_path) {
		old = compare_load(b.options.compare_path);
		compare_check_ticks(old, instrument_names[b.options.instrument]);
	}
	if (b.options.json_path)
		outfile_check(b.options.json_path);
	machine_read(&b.machine);
	fd = device_open(&b.version);
	check_kernel(&b);
	bench_plan(&b);
	bench_run(&b, fd);
	close(fd);
	status = report(&b, old);
	json_decref(old);
	machine_free(&b.machine);
	bench_free(&b);
	return status;
}
