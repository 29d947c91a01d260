// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan replay: allocate in the kernel what was recorded, of the kernel itself
 * or of a program.
 *
 * The allocators take turns, round by round. gospan's heap is emptied before the
 * first round, which is the one that is weighed: at the peak, where most bytes
 * were asked for, and at steps in even distances. For the time the best round
 * counts, less that of the loop with calls that do nothing.
 */
#include "replay.h"

#include "commands.h"
#include "device.h"
#include "machine.h"

#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAX_ROUNDS	1000
#define TEXT_SAMPLES	20
#define FILE_SAMPLES	200

enum { OPTION_WHAT_IF = 256, OPTION_SAMPLES };

const char *const replayer_names[GOSPAN_NR_REPLAYERS] = {
	[GOSPAN_REPLAY_EMPTY] = "empty",
	[GOSPAN_REPLAY_GOSPAN] = "gospan",
	[GOSPAN_REPLAY_NOSCAN] = "noscan",
	[GOSPAN_REPLAY_KMALLOC] = "kmalloc",
	[GOSPAN_REPLAY_KMEM_CACHE] = "kmem_cache",
	[GOSPAN_REPLAY_GOSPAN_CACHE] = "gospan_cache",
};

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };

struct replay_options {
	const char *path;		/* NULL: the example */
	const char *what_if;		/* a table of classes, or NULL */
	__u64 allocators;		/* bit map of enum gospan_replay_allocator; 0: by recording */
	struct cpu_list cpus;		/* none: by recording */
	__u64 rounds;
	__u64 samples;			/* 0: by format */
	enum format format;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct replay_options *o = state->input;
	struct parse_error error;

	switch (key) {
	case 'a':
		if (!parse_names(arg, replayer_names, GOSPAN_NR_REPLAYERS, &o->allocators, &error))
			argp_error(state, "--allocator: %s", error.text);
		return 0;
	case 'p':
		if (!parse_cpus(arg, &o->cpus, &error))
			argp_error(state, "--cpus: %s", error.text);
		return 0;
	case 'r':
		if (!parse_number(arg, 1, MAX_ROUNDS, &o->rounds, &error))
			argp_error(state, "--rounds: %s", error.text);
		return 0;
	case OPTION_SAMPLES:
		if (!parse_number(arg, 1, GOSPAN_REPLAY_MAX_SAMPLES - 1, &o->samples, &error))
			argp_error(state, "--samples: %s", error.text);
		return 0;
	case OPTION_WHAT_IF:
		o->what_if = arg;
		return 0;
	case 'j':
		o->format = FORMAT_JSON;
		return 0;
	case 'c':
		o->format = FORMAT_CSV;
		return 0;
	case ARGP_KEY_ARG:
		if (o->path)
			argp_error(state, "one FILE at a time");
		o->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->what_if && o->format == FORMAT_CSV)
			argp_error(state, "--what-if has no CSV");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		fail("out of memory");
	return p;
}

static struct gospan_replay_sample *copy_samples(const struct replay_report *report)
{
	struct gospan_replay_sample *copy = allocate(report->nr_samples, sizeof(*copy));

	memcpy(copy, report->samples, report->nr_samples * sizeof(*copy));
	return copy;
}

/* In even distances, the last one after the last step; and at the peak. */
static void place_samples(struct replay_report *report, const struct replay_options *o)
{
	__u64 wanted = o->samples ?: o->format == FORMAT_TEXT ? TEXT_SAMPLES : FILE_SAMPLES;
	__u64 nr_ops = report->trace->nr_ops, peak_at = report->trace->peak_at, last = 0;

	report->samples = allocate(wanted + 1, sizeof(*report->samples));
	for (__u64 i = 1; i <= wanted; i++) {
		__u64 at = i * nr_ops / wanted;

		if (last < peak_at && peak_at < at)
			report->samples[report->nr_samples++].at = peak_at;
		if (last < at)
			report->samples[report->nr_samples++].at = at;
		last = at;
	}
	for (size_t i = 0; i < report->nr_rows; i++)
		report->rows[i].samples = copy_samples(report);
}

static struct gospan_replay_cpus make_replay(const struct replay_report *report, __u32 who)
{
	const struct trace *trace = report->trace;
	struct gospan_replay_cpus r = {
		.replay = {
			.allocator = who,
			.ops = (uintptr_t)trace->ops,
			.nr_ops = trace->nr_ops,
			.nr_ids = trace->nr_ids,
		},
		.caches = (uintptr_t)trace->caches,
		.nr_caches = trace->nr_caches,
	};

	memcpy(r.cpus, report->cpus.words, sizeof(r.cpus));
	return r;
}

static void replay_do(int fd, struct gospan_replay_cpus *r)
{
	if (ioctl(fd, GOSPAN_IOC_REPLAY_CPUS, r)) {
		int error = errno;

		fail("%s, step %llu of %llu: %s%s", replayer_names[r->replay.allocator],
		     r->replay.result.nr_done, r->replay.nr_ops, strerror(error),
		     device_hint(error));
	}
}

/* Weighed. */
static void replay_first(int fd, const struct replay_report *report, struct replay_row *row)
{
	struct gospan_replay_cpus r = make_replay(report, row->who);
	struct gospan_trim trim;

	row->classes = allocate(GOSPAN_REPLAY_MAX_CLASSES, sizeof(*row->classes));
	r.replay.weigh_at = report->trace->peak_at;
	r.samples = (uintptr_t)row->samples;
	r.nr_samples = report->nr_samples;
	r.classes = (uintptr_t)row->classes;
	r.nr_classes = GOSPAN_REPLAY_MAX_CLASSES;
	device_do(fd, GOSPAN_IOC_TRIM, &trim, "trim");
	replay_do(fd, &r);
	row->result = r.replay.result;
	row->nr_classes = r.nr_classes;
	if (row->nr_classes > GOSPAN_REPLAY_MAX_CLASSES)
		row->nr_classes = GOSPAN_REPLAY_MAX_CLASSES;
}

static void replay_again(int fd, const struct replay_report *report, struct replay_row *row)
{
	struct gospan_replay_cpus r = make_replay(report, row->who);

	replay_do(fd, &r);
	if (r.replay.result.ticks < row->result.ticks) {
		row->result.ticks = r.replay.result.ticks;
		row->result.ns = r.replay.result.ns;
	}
}

/* The loop is always measured, and has a row if it is asked for. */
static void replay_rounds(int fd, struct replay_report *report, __u64 rounds)
{
	struct replay_row loop = { .who = GOSPAN_REPLAY_EMPTY };

	loop.samples = copy_samples(report);
	for (__u64 round = 0; round < rounds; round++) {
		void (*replay)(int, const struct replay_report *, struct replay_row *) =
			round ? replay_again : replay_first;

		replay(fd, report, &loop);
		for (size_t i = 0; i < report->nr_rows; i++)
			replay(fd, report, &report->rows[i]);
	}
	report->loop = loop.result;
	free(loop.samples);
	free(loop.classes);
}

/* As many CPUs as were recorded, or all; a program is one. */
static struct cpu_list choose_cpus(const struct trace *trace)
{
	struct machine machine;

	machine_read(&machine);
	machine_free(&machine);
	return cpu_list_first(&machine.online, trace->notes ? trace->nr_cpus : 1);
}

/* Programs know which objects hold no pointers, the kernel has caches. */
static unsigned int choose_allocators(const struct trace *trace)
{
	unsigned int both = 1U << GOSPAN_REPLAY_GOSPAN | 1U << GOSPAN_REPLAY_KMALLOC;

	if (!trace->notes)
		return both | 1U << GOSPAN_REPLAY_NOSCAN;
	return both | 1U << GOSPAN_REPLAY_KMEM_CACHE | 1U << GOSPAN_REPLAY_GOSPAN_CACHE;
}

static void replay(const struct replay_options *o, const struct trace *trace)
{
	struct replay_report report = { .name = trace_name(o->path), .trace = trace };
	__u64 allocators = o->allocators ?: choose_allocators(trace);
	struct gospan_version version;

	report.cpus = cpu_list_count(&o->cpus) ? o->cpus : choose_cpus(trace);
	for (__u32 who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		if (allocators >> who & 1)
			report.rows[report.nr_rows++].who = who;
	}
	place_samples(&report, o);
	replay_rounds(device_open(&version), &report, o->rounds);
	switch (o->format) {
	case FORMAT_TEXT:
		replay_print_text(&report);
		break;
	case FORMAT_JSON:
		replay_print_json(&report);
		break;
	case FORMAT_CSV:
		replay_print_csv(&report);
		break;
	}
	for (size_t i = 0; i < report.nr_rows; i++) {
		free(report.rows[i].samples);
		free(report.rows[i].classes);
	}
	free(report.samples);
}

int cmd_replay(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "allocator", 'a', "LIST", 0,
		  "of empty, gospan, noscan, kmalloc, kmem_cache and gospan_cache (default: gospan "
		  "and kmalloc; for the kernel's the caches, too, for a program's noscan)", 0 },
		{ "cpus", 'p', "LIST", 0,
		  "CPUs to replay on, such as 0-3; recorded CPUs are counted round where there are "
		  "fewer (default: as many as were recorded; one for a program's)", 0 },
		{ "rounds", 'r', "N", 0, "replays of each, for the time (default: 3)", 0 },
		{ "samples", OPTION_SAMPLES, "N", 0,
		  "how often to weigh the live objects (default: 20; 200 for JSON and CSV)", 0 },
		{ "what-if", OPTION_WHAT_IF, "TABLE", 0,
		  "only compute what the size classes in this file would make of the recording; "
		  "needs no device", 0 },
		{ "json", 'j', NULL, 0, "print JSON: all there is", 0 },
		{ "csv", 'c', NULL, 0, "print comma-separated values: the bytes over time", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		options, parse_option, "[FILE]",
		"Allocate and free in the kernel what was recorded there, by gospan record, ftrace or "
		"trace-cmd, or what a program did, by tools/malloctrace; each step on its CPU and in "
		"order. Print what each allocator made of it: the slots that it took, those at the "
		"peak, their bytes, the bytes of the spans or slabs that they keep, these over time "
		"and by size, and the time. FILE may be packed by zstd, gzip or xz; without one, an "
		"example that is built in is replayed."
		"\vkmalloc allocates all by kmalloc, kmem_cache what came from a kmem_cache by one of "
		"the recorded size, gospan_cache by one of gospan's. noscan is gospan, with objects that hold no pointers allocated "
		"as such.",
		NULL, NULL, NULL
	};
	struct replay_options o = { .rounds = 3 };
	struct trace trace;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	trace_read(o.path, &trace);
	if (o.what_if)
		what_if(&trace, trace_name(o.path), o.what_if, o.format == FORMAT_JSON);
	else
		replay(&o, &trace);
	trace_free(&trace);
	return EXIT_SUCCESS;
}
