// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan alloc-test: does an object keep what was written to it?
 *
 * Objects of random sizes are allocated, filled to their last usable byte with
 * a pattern of their own, resized, read back and freed in random order. Two
 * objects that overlap, a resize that loses bytes or a page given out twice all
 * show as a byte that is not the one expected.
 *
 * Cost: each byte is computed, copied in, copied out and compared once per step.
 */
#include "commands.h"
#include "device.h"
#include "parse.h"

#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define MAX_OBJECT_BYTES	(256U << 10)	/* larger ones need luck with fragmentation */
/* A size is rounded up to its class or to pages, never to the double of this. */
#define MAX_BUFFER_BYTES	(2 * MAX_OBJECT_BYTES)
#define MAX_LIVE_BYTES		(GOSPAN_MAX_HANDLE_BYTES / 2) /* leaves room for a resize */
#define MAX_ERRORS_SHOWN	16
#define MIN_STEPS_PER_OBJECT	4	/* alloc, resize, free and some */

struct object {
	bool live;
	__u32 handle;
	__u64 usable;
	__u64 key;		/* its pattern; a new one whenever it is written */
};

struct alloc_test {
	int fd;
	__u64 nr_objects;
	__u64 seed;
	__u64 seconds;
	__u64 random;		/* state of the generator */
	struct object *objects;
	__u64 live_bytes;
	__u64 nr_allocs, nr_resizes, nr_frees, nr_refused, nr_errors, checked_bytes;
	unsigned char *expected, *found;	/* MAX_BUFFER_BYTES each */
};

/* splitmix64: every state is good, so any seed is. */
static __u64 mix(__u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static __u64 draw(struct alloc_test *t)
{
	t->random += 0x9e3779b97f4a7c15ULL;
	return mix(t->random);
}

/* Small sizes are common, and every magnitude comes up: 0 .. MAX_OBJECT_BYTES. */
static __u64 draw_size(struct alloc_test *t)
{
	unsigned int bits = draw(t) % 8 ? draw(t) % 13 : draw(t) % 19;

	return draw(t) % ((1ULL << bits) + 1);
}

static void fill_pattern(unsigned char *buffer, __u64 key, __u64 bytes)
{
	for (__u64 i = 0; i < bytes; i += sizeof(__u64)) {
		__u64 word = mix(key + i);

		memcpy(buffer + i, &word, bytes - i < sizeof(word) ? bytes - i : sizeof(word));
	}
}

static void report(struct alloc_test *t, const struct object *o, __u64 offset)
{
	if (t->nr_errors++ >= MAX_ERRORS_SHOWN)
		return;
	fprintf(stderr, "gospan: handle %u, offset %llu of %llu: expected %02x, found %02x\n",
		o->handle, offset, o->usable, t->expected[offset], t->found[offset]);
}

/* Compare what is in found[first, limit) with expected; one report per object. */
static void compare(struct alloc_test *t, const struct object *o, __u64 first, __u64 limit)
{
	t->checked_bytes += limit - first;
	if (!memcmp(t->expected + first, t->found + first, limit - first))
		return;
	for (__u64 i = first; i < limit; i++) {
		if (t->expected[i] != t->found[i]) {
			report(t, o, i);
			return;
		}
	}
}

static void object_io(struct alloc_test *t, const struct object *o, unsigned long request,
		      unsigned char *buffer, __u64 bytes)
{
	struct gospan_io io = {
		.handle = o->handle,
		.len = bytes,
		.buf = (uintptr_t)buffer,
	};

	device_do(t->fd, request, &io, request == GOSPAN_IOC_READ ? "read" : "write");
}

static void object_check(struct alloc_test *t, const struct object *o, __u64 bytes)
{
	fill_pattern(t->expected, o->key, bytes);
	object_io(t, o, GOSPAN_IOC_READ, t->found, bytes);
	compare(t, o, 0, bytes);
}

static void object_write(struct alloc_test *t, struct object *o)
{
	o->key = draw(t);
	fill_pattern(t->expected, o->key, o->usable);
	object_io(t, o, GOSPAN_IOC_WRITE, t->expected, o->usable);
}

/* Whoever asked for zeroes must find them in [first, limit). */
static void object_check_zero(struct alloc_test *t, const struct object *o, __u64 first,
			      __u64 limit)
{
	if (first >= limit)
		return;
	memset(t->expected, 0, limit);
	object_io(t, o, GOSPAN_IOC_READ, t->found, limit);
	compare(t, o, first, limit);
}

static bool answer_is_sane(struct alloc_test *t, const struct gospan_object *o)
{
	if (o->usable >= o->size && o->usable <= MAX_BUFFER_BYTES)
		return true;
	fprintf(stderr, "gospan: handle %u: %llu bytes wanted, usable size %llu\n", o->handle,
		o->size, o->usable);
	t->nr_errors++;
	return false;
}

/* Out of memory is an answer, not an error. Returns false when there is no object. */
static bool object_request(struct alloc_test *t, unsigned long request,
			   struct gospan_object *o, const char *what)
{
	if (!ioctl(t->fd, request, o))
		return true;
	if (errno != ENOMEM && errno != ENOSPC)
		fail("%s of %llu bytes: %s%s", what, o->size, strerror(errno),
		     device_hint(errno));
	t->nr_refused++;
	return false;
}

static void step_alloc(struct alloc_test *t, struct object *o)
{
	struct gospan_object arg = {
		.size = draw_size(t),
		.flags = draw(t) % 4 ? 0 : GOSPAN_OBJECT_ZERO,
	};

	if (!object_request(t, GOSPAN_IOC_ALLOC, &arg, "allocation"))
		return;
	t->nr_allocs++;
	*o = (struct object){ .live = true, .handle = arg.handle, .usable = arg.usable };
	if (!answer_is_sane(t, &arg))
		o->usable = 0;
	t->live_bytes += o->usable;
	if (arg.flags & GOSPAN_OBJECT_ZERO && o->usable)
		object_check_zero(t, o, 0, arg.size);
	object_write(t, o);
}

static void step_resize(struct alloc_test *t, struct object *o)
{
	struct gospan_object arg = {
		.size = draw_size(t),
		.flags = draw(t) % 4 ? 0 : GOSPAN_OBJECT_ZERO,
		.handle = o->handle,
	};
	__u64 old_usable = o->usable;

	if (!object_request(t, GOSPAN_IOC_REALLOC, &arg, "resize")) {
		object_check(t, o, o->usable);
		return;
	}
	t->nr_resizes++;
	o->usable = answer_is_sane(t, &arg) ? arg.usable : 0;
	t->live_bytes += o->usable - old_usable;
	if (o->usable) {
		object_check(t, o, old_usable < arg.size ? old_usable : arg.size);
		if (arg.flags & GOSPAN_OBJECT_ZERO)
			object_check_zero(t, o, old_usable, arg.size);
	}
	object_write(t, o);
}

static void step_free(struct alloc_test *t, struct object *o)
{
	struct gospan_handle arg = { .handle = o->handle };

	object_check(t, o, o->usable);
	device_do(t->fd, GOSPAN_IOC_FREE, &arg, "free");
	t->nr_frees++;
	t->live_bytes -= o->usable;
	o->live = false;
}

static void step(struct alloc_test *t)
{
	struct object *o = &t->objects[draw(t) % t->nr_objects];

	if (!o->live) {
		if (t->live_bytes < MAX_LIVE_BYTES)
			step_alloc(t, o);
	} else if (draw(t) % 3 && t->live_bytes < MAX_LIVE_BYTES) {
		step_resize(t, o);
	} else {
		step_free(t, o);
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void run(struct alloc_test *t)
{
	double deadline = now() + t->seconds;
	__u64 steps = 0;

	/* The clock is a system call: ask every 64 steps. */
	while (steps < t->nr_objects * MIN_STEPS_PER_OBJECT || now() < deadline) {
		for (int i = 0; i < 64; i++, steps++)
			step(t);
		if (t->nr_errors >= MAX_ERRORS_SHOWN)
			break;
	}
	for (__u64 i = 0; i < t->nr_objects; i++) {
		if (t->objects[i].live)
			step_free(t, &t->objects[i]);
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct alloc_test *t = state->input;
	struct parse_error error;

	switch (key) {
	case 'n':
		if (!parse_number(arg, 1, GOSPAN_MAX_HANDLES, &t->nr_objects, &error))
			argp_error(state, "--objects: %s", error.text);
		return 0;
	case 's':
		if (!parse_number(arg, 0, INT64_MAX, &t->seed, &error))
			argp_error(state, "--seed: %s", error.text);
		return 0;
	case 't':
		if (!parse_number(arg, 0, 86400, &t->seconds, &error))
			argp_error(state, "--seconds: %s", error.text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void *must_calloc(size_t n, size_t bytes)
{
	void *p = calloc(n, bytes);

	if (!p)
		fail("out of memory");
	return p;
}

static __u64 seed_from_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return mix((__u64)ts.tv_sec * 1000000000 + ts.tv_nsec) >> 32;
}

int cmd_alloc_test(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "objects", 'n', "N", 0, "most objects alive at once (1000)", 0 },
		{ "seed", 's', "N", 0, "repeat the run that printed this seed", 0 },
		{ "seconds", 't', "S", 0,
		  "go on for this long (3); 0: only four steps for each object", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		options, parse_option, NULL,
		"Allocate, write, resize, read back and free objects at random, and compare every "
		"byte. Exit status 1 when one was wrong.", NULL, NULL, NULL
	};
	struct alloc_test t = { .nr_objects = 1000, .seed = seed_from_clock(), .seconds = 3 };
	struct gospan_version version;

	argp_parse(&argp, argc, argv, 0, NULL, &t);
	t.fd = device_open(&version);
	t.random = t.seed;
	t.objects = must_calloc(t.nr_objects, sizeof(*t.objects));
	t.expected = must_calloc(2, MAX_BUFFER_BYTES);
	t.found = t.expected + MAX_BUFFER_BYTES;
	printf("seed %llu\n", t.seed);
	fflush(stdout);
	run(&t);
	printf("%llu allocated, %llu resized, %llu freed, %llu refused, %llu bytes checked, "
	       "%llu errors\n", t.nr_allocs, t.nr_resizes, t.nr_frees, t.nr_refused,
	       t.checked_bytes, t.nr_errors);
	free(t.objects);
	free(t.expected);
	return t.nr_errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
