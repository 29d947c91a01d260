// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan replay: allocate in the kernel what a recorded program allocated.
 *
 * Each allocator replays the steps so many times; gospan's heap is emptied
 * before the first time, which is the one that is weighed, where the program
 * held most bytes. For the time the best round counts, less that of the loop
 * with calls that do nothing.
 */
#include "commands.h"
#include "device.h"
#include "parse.h"
#include "record.h"
#include "trace.h"

#include <argp.h>
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAX_ROUNDS	1000

static const char *const allocator_names[GOSPAN_NR_REPLAYERS] = {
	[GOSPAN_REPLAY_EMPTY] = "empty",
	[GOSPAN_REPLAY_GOSPAN] = "gospan",
	[GOSPAN_REPLAY_NOSCAN] = "noscan",
	[GOSPAN_REPLAY_KMALLOC] = "kmalloc",
};

struct replay_options {
	const char *path;
	unsigned int allocators;	/* bit map of enum gospan_replay_allocator */
	__u64 rounds;
	bool json;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct replay_options *o = state->input;
	struct parse_error error;

	switch (key) {
	case 'a':
		if (!parse_names(arg, allocator_names, GOSPAN_NR_REPLAYERS, &o->allocators, &error))
			argp_error(state, "--allocator: %s", error.text);
		return 0;
	case 'r':
		if (!parse_number(arg, 1, MAX_ROUNDS, &o->rounds, &error))
			argp_error(state, "--rounds: %s", error.text);
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->path)
			argp_error(state, "one FILE at a time");
		o->path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FILE?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Moving from CPU to CPU, a replay would allocate from the caches of several. */
static void stay_on_this_cpu(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu < 0)
		return;
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("cannot stay on CPU %d: %s", cpu, strerror(errno));
}

static struct gospan_replay_result replay_once(int fd, const struct trace *trace,
					       __u32 allocator, bool weighed)
{
	struct gospan_replay r = {
		.allocator = allocator,
		.ops = (uintptr_t)trace->ops,
		.nr_ops = trace->nr_ops,
		.nr_ids = trace->nr_ids,
		.weigh_at = weighed ? trace->peak_at : 0,
	};

	if (ioctl(fd, GOSPAN_IOC_REPLAY, &r)) {
		int error = errno;

		fail("%s, step %llu of %llu: %s%s", allocator_names[allocator], r.result.nr_done,
		     trace->nr_ops, strerror(error), device_hint(error));
	}
	return r.result;
}

static struct gospan_replay_result replay_rounds(int fd, const struct trace *trace,
						 __u32 allocator, __u64 rounds)
{
	struct gospan_replay_result first, next;
	struct gospan_trim trim;

	device_do(fd, GOSPAN_IOC_TRIM, &trim, "trim");
	first = replay_once(fd, trace, allocator, true);
	for (__u64 i = 1; i < rounds; i++) {
		next = replay_once(fd, trace, allocator, false);
		if (next.ticks < first.ticks) {
			first.ticks = next.ticks;
			first.ns = next.ns;
		}
	}
	return first;
}

/* Less the loop's; a loop that was disturbed must not make it negative. */
static double per_step(__u64 figure, __u64 loop, __u64 nr_ops)
{
	return figure > loop ? (double)(figure - loop) / nr_ops : 0;
}

static double ratio(__u64 a, __u64 b)
{
	return b ? (double)a / b : 0;
}

static void print_head(const char *path, const struct gospan_replay_result *loop)
{
	printf("%s: %llu allocations, %llu reallocations, %llu frees;\n"
	       "at the peak %llu objects, which asked for %llu bytes\n\n", path, loop->allocs,
	       loop->reallocs, loop->frees, loop->live, loop->bytes_asked);
	printf("%-8s %10s %8s   %10s %10s %8s %10s %8s   %9s\n", "", "slots", "/alloc",
	       "peak:slots", "rounded", "/asked", "held", "/asked", "tick/step");
}

static void print_row(__u32 who, const struct gospan_replay_result *r,
		      const struct gospan_replay_result *loop)
{
	printf("%-8s %10llu %8.3f   %10llu %10llu %8.3f %10llu %8.3f   %9.1f\n",
	       allocator_names[who], r->slots, ratio(r->slots, r->allocs), r->live_slots,
	       r->bytes_rounded, ratio(r->bytes_rounded, r->bytes_asked), r->bytes_held,
	       ratio(r->bytes_held, r->bytes_asked),
	       per_step(r->ticks, loop->ticks, r->nr_done));
}

static json_t *make_object(__u32 who, const struct gospan_replay_result *r,
			   const struct gospan_replay_result *loop)
{
	struct record record = { .object = json_object() };

	record_text(&record, "allocator", allocator_names[who]);
	record_number(&record, "steps", r->nr_done);
	record_number(&record, "allocs", r->allocs);
	record_number(&record, "reallocs", r->reallocs);
	record_number(&record, "frees", r->frees);
	record_number(&record, "slots", r->slots);
	record_number(&record, "peak_objects", r->live);
	record_number(&record, "peak_slots", r->live_slots);
	record_number(&record, "peak_asked_bytes", r->bytes_asked);
	record_number(&record, "peak_rounded_bytes", r->bytes_rounded);
	record_number(&record, "peak_held_bytes", r->bytes_held);
	record_number(&record, "ticks", r->ticks);
	record_number(&record, "ns", r->ns);
	record_number(&record, "loop_ticks", loop->ticks);
	record_number(&record, "loop_ns", loop->ns);
	record_real(&record, "ticks_per_step", per_step(r->ticks, loop->ticks, r->nr_done));
	record_real(&record, "ns_per_step", per_step(r->ns, loop->ns, r->nr_done));
	return record.object;
}

static void replay(const struct replay_options *o)
{
	json_t *rows = o->json ? json_array() : NULL;
	struct gospan_version version;
	struct gospan_replay_result loop;
	int fd = device_open(&version);
	struct trace trace;

	trace_read(o->path, &trace);
	stay_on_this_cpu();
	loop = replay_rounds(fd, &trace, GOSPAN_REPLAY_EMPTY, o->rounds);
	if (!rows)
		print_head(o->path, &loop);
	for (__u32 who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		struct gospan_replay_result r = loop;

		if (!(o->allocators >> who & 1))
			continue;
		if (who != GOSPAN_REPLAY_EMPTY)
			r = replay_rounds(fd, &trace, who, o->rounds);
		if (rows)
			json_array_append_new(rows, make_object(who, &r, &loop));
		else
			print_row(who, &r, &loop);
	}
	if (rows)
		json_print(rows);
	free(trace.ops);
}

int cmd_replay(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "allocator", 'a', "LIST", 0,
		  "of empty, gospan, noscan and kmalloc (default: all but empty)", 0 },
		{ "rounds", 'r', "N", 0, "replays of each, for the time (default: 3)", 0 },
		{ "json", 'j', NULL, 0, "print JSON", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		options, parse_option, "FILE",
		"Allocate and free in the kernel what a program did that tools/malloctrace recorded, "
		"and print what each allocator made of it: the slots that it took, those at the "
		"program's peak, their bytes, and the bytes of the spans or slabs that they keep. "
		"noscan is gospan, with objects that hold no pointers allocated as such.",
		NULL, NULL, NULL
	};
	struct replay_options o = {
		.allocators = 1U << GOSPAN_REPLAY_GOSPAN | 1U << GOSPAN_REPLAY_NOSCAN |
			      1U << GOSPAN_REPLAY_KMALLOC,
		.rounds = 3,
	};

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	replay(&o);
	return EXIT_SUCCESS;
}
