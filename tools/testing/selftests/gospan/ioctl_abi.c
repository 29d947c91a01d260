// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables, and the judge of an answer: what is the caller's stays, what is the
 * module's is a number that can be, and nothing is left of what memory held before.
 */
#include "ioctl_abi.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define MEMBER_BYTES(type, member)	sizeof(((type *)0)->member)

/* A member that is one number, or an array of numbers of @width bytes. */
#define NUMBERS(type, member, width, kind, max) \
	{ #member, offsetof(type, member), MEMBER_BYTES(type, member), width, kind, max }
#define NUMBER(type, member, kind, max) \
	NUMBERS(type, member, MEMBER_BYTES(type, member), kind, max)

#define RECORD(type, name, ...) \
	static const struct field name##_fields[] = { __VA_ARGS__ }; \
	static const struct record name = { \
		#type, sizeof(type), ARRAY_SIZE(name##_fields), name##_fields, \
	}

/* From one member to the end of another: numbers of eight bytes, all out. */
#define OUT_TO(type, first, last) \
	{ #first "...", offsetof(type, first), \
	  offsetof(type, last) + MEMBER_BYTES(type, last) - offsetof(type, first), 8, FIELD_OUT, \
	  MAX_NUMBER }

#define T	struct gospan_version
RECORD(T, version,
	NUMBER(T, abi, FIELD_OUT, GOSPAN_ABI_VERSION),
	NUMBER(T, flags, FIELD_OUT, 7),
	NUMBER(T, page_bytes, FIELD_OUT, 65536),
	NUMBER(T, nr_sizeclasses, FIELD_OUT, GOSPAN_NR_SIZECLASSES),
	NUMBER(T, tick_khz, FIELD_OUT, 10000000),
	NUMBER(T, debug_options, FIELD_OUT, (1U << GOSPAN_NR_DEBUG_OPTIONS) - 1),
	NUMBERS(T, release, 1, FIELD_TEXT, 0));
#undef T

#define T	struct gospan_class
RECORD(T, class_row,
	NUMBER(T, sizeclass, FIELD_IN, GOSPAN_NR_SIZECLASSES - 1),
	NUMBER(T, elem_bytes, FIELD_OUT, 32768),
	NUMBER(T, npages, FIELD_OUT, 512),
	NUMBER(T, nelems, FIELD_OUT, 8192),
	NUMBER(T, divmagic, FIELD_OUT, 1U << 29),
	NUMBER(T, magazine, FIELD_OUT, 65536),
	NUMBER(T, batch, FIELD_OUT, 65536),
	NUMBER(T, transit, FIELD_OUT, 1U << 24));
#undef T

#define T	struct gospan_memstats
RECORD(T, memstats, OUT_TO(T, alloc, by_size));
#undef T

#define T	struct gospan_heapstats
RECORD(T, heapstats,
	NUMBER(T, node, FIELD_IN, 1),
	NUMBER(T, reserved, FIELD_RESERVED, 0),
	OUT_TO(T, obtained_bytes, trimmed_bytes));
#undef T

#define T	struct gospan_cachestats
RECORD(T, cachestats,
	NUMBER(T, index, FIELD_INOUT, 65536),
	NUMBER(T, flags, FIELD_INOUT, 15),
	NUMBERS(T, name, 1, FIELD_TEXT, 0),
	NUMBER(T, size, FIELD_OUT, 1U << 22),
	NUMBER(T, align, FIELD_OUT, 1U << 22),
	NUMBER(T, slot_bytes, FIELD_OUT, 1U << 22),
	NUMBER(T, npages, FIELD_OUT, 512),
	NUMBER(T, nelems, FIELD_OUT, 8192),
	NUMBER(T, reserved, FIELD_RESERVED, 0),
	OUT_TO(T, mallocs, transit));
#undef T

RECORD(struct gospan_trim, trim, NUMBER(struct gospan_trim, released_bytes, FIELD_OUT, MAX_NUMBER));

/* The handle is an answer of one command, and a question of the other. */
#define T	struct gospan_object
#define OBJECT(handle_kind) \
	NUMBER(T, size, FIELD_IN, 4 << 20), \
	NUMBER(T, flags, FIELD_IN, GOSPAN_OBJECT_ZERO), \
	NUMBER(T, handle, handle_kind, GOSPAN_MAX_HANDLES - 1), \
	NUMBER(T, usable, FIELD_OUT, 4 << 20), \
	NUMBER(T, reserved, FIELD_RESERVED, 0)
RECORD(T, object_new, OBJECT(FIELD_OUT));
RECORD(T, object_old, OBJECT(FIELD_IN));
#undef OBJECT
#undef T

#define T	struct gospan_handle
RECORD(T, handle,
	NUMBER(T, handle, FIELD_IN, GOSPAN_MAX_HANDLES - 1),
	NUMBER(T, reserved, FIELD_RESERVED, 0));
#undef T

#define T	struct gospan_io
RECORD(T, io,
	NUMBER(T, handle, FIELD_IN, GOSPAN_MAX_HANDLES - 1),
	NUMBER(T, reserved, FIELD_RESERVED, 0),
	NUMBER(T, offset, FIELD_IN, 4 << 20),
	NUMBER(T, len, FIELD_IN, 4 << 20),
	NUMBER(T, buf, FIELD_ADDRESS, 0));
#undef T

#define T	struct gospan_bench
RECORD(T, bench,
	NUMBER(T, workload, FIELD_IN, GOSPAN_NR_WORKLOADS - 1),
	NUMBER(T, allocator, FIELD_IN, GOSPAN_NR_ALLOCATORS - 1),
	NUMBER(T, order, FIELD_IN, GOSPAN_NR_ORDERS - 1),
	NUMBER(T, flags, FIELD_IN, 7),
	NUMBER(T, size, FIELD_IN, 4 << 20),
	NUMBER(T, nr_objects, FIELD_IN, GOSPAN_BENCH_MAX_OBJECTS),
	NUMBER(T, rounds, FIELD_IN, GOSPAN_BENCH_MAX_ROUNDS),
	NUMBER(T, seed, FIELD_IN, ~0ULL),
	NUMBERS(T, cpus, 8, FIELD_IN, ~0ULL),
	NUMBER(T, results, FIELD_ADDRESS, 0),
	NUMBER(T, nr_results, FIELD_IN, 1024),
	NUMBER(T, held_pages, FIELD_IN, GOSPAN_BENCH_MAX_HELD_PAGES),
	OUT_TO(T, bytes_asked, bytes_held));
#undef T

#define T	struct gospan_bench_cpu
RECORD(T, bench_cpu,
	NUMBER(T, cpu, FIELD_OUT, 1023),
	NUMBER(T, reserved, FIELD_OUT, 0),
	OUT_TO(T, failures, phase));
#undef T

#define REPLAY(T, prefix) \
	NUMBER(T, prefix allocator, FIELD_IN, GOSPAN_NR_REPLAYERS - 1), \
	NUMBER(T, prefix flags, FIELD_RESERVED, 0), \
	NUMBER(T, prefix ops, FIELD_ADDRESS, 0), \
	NUMBER(T, prefix nr_ops, FIELD_IN, 1 << 16), \
	NUMBER(T, prefix nr_ids, FIELD_IN, GOSPAN_REPLAY_MAX_IDS), \
	NUMBER(T, prefix reserved, FIELD_RESERVED, 0), \
	NUMBER(T, prefix weigh_at, FIELD_IN, 1 << 16), \
	NUMBERS(T, prefix result, 8, FIELD_OUT, MAX_NUMBER)

RECORD(struct gospan_replay, replay, REPLAY(struct gospan_replay, ));

#define T	struct gospan_replay_cpus
RECORD(T, replay_cpus,
	REPLAY(T, replay.),
	NUMBERS(T, cpus, 8, FIELD_IN, ~0ULL),
	NUMBER(T, caches, FIELD_ADDRESS, 0),
	NUMBER(T, samples, FIELD_ADDRESS, 0),
	NUMBER(T, classes, FIELD_ADDRESS, 0),
	NUMBER(T, nr_caches, FIELD_IN, GOSPAN_REPLAY_MAX_CACHES),
	NUMBER(T, nr_samples, FIELD_IN, GOSPAN_REPLAY_MAX_SAMPLES),
	NUMBER(T, nr_classes, FIELD_INOUT, GOSPAN_REPLAY_MAX_CLASSES),
	NUMBER(T, reserved, FIELD_RESERVED, 0));
#undef T

#define T	struct gospan_replay_op
RECORD(T, op,
	NUMBER(T, id, FIELD_IN, GOSPAN_REPLAY_MAX_IDS - 1),
	NUMBER(T, size, FIELD_IN, 4 << 20),
	NUMBER(T, cpu, FIELD_IN, 7),
	NUMBER(T, kind, FIELD_IN, GOSPAN_NR_OPS - 1),
	NUMBER(T, flags, FIELD_IN, 7));
#undef T

#define T	struct gospan_replay_cache
RECORD(T, cache,
	NUMBER(T, size, FIELD_IN, GOSPAN_REPLAY_MAX_CACHE_BYTES),
	NUMBER(T, slot_bytes, FIELD_IN, GOSPAN_REPLAY_MAX_CACHE_BYTES));
#undef T

#define T	struct gospan_replay_sample
RECORD(T, sample,
	NUMBER(T, at, FIELD_IN, 1 << 16),
	OUT_TO(T, live, bytes_inuse),
	NUMBER(T, reserved, FIELD_RESERVED, 0));
#undef T

#define T	struct gospan_replay_class
RECORD(T, class_usage,
	NUMBER(T, slot_bytes, FIELD_OUT, 1U << 23),
	NUMBER(T, nr_held, FIELD_OUT, 1U << 24),
	OUT_TO(T, live, bytes_held));
#undef T

static const struct record byte = { "byte", 1, 0, NULL };

#define ARRAY(type, address, count, row, is_read, is_written) \
	{ &row, offsetof(type, address), offsetof(type, count), MEMBER_BYTES(type, count), \
	  is_read, is_written }

static const struct array read_arrays[] = {
	ARRAY(struct gospan_io, buf, len, byte, false, true),
};

static const struct array write_arrays[] = {
	ARRAY(struct gospan_io, buf, len, byte, true, false),
};

static const struct array bench_arrays[] = {
	ARRAY(struct gospan_bench, results, nr_results, bench_cpu, false, true),
};

static const struct array replay_arrays[] = {
	ARRAY(struct gospan_replay, ops, nr_ops, op, true, false),
};

static const struct array replay_cpus_arrays[] = {
	ARRAY(struct gospan_replay_cpus, replay.ops, replay.nr_ops, op, true, false),
	ARRAY(struct gospan_replay_cpus, caches, nr_caches, cache, true, false),
	ARRAY(struct gospan_replay_cpus, samples, nr_samples, sample, true, true),
	ARRAY(struct gospan_replay_cpus, classes, nr_classes, class_usage, false, true),
};

#define ERROR(name)	(1ULL << (name))
#define OBJECT_ERRORS	(ERROR(EFAULT) | ERROR(EINVAL) | ERROR(ENOENT))
#define ROOM_ERRORS	(ERROR(ENOMEM) | ERROR(ENOSPC))
#define RUN_ERRORS	(ERROR(EFAULT) | ERROR(EINVAL) | ERROR(ENOMEM) | ERROR(EINTR) | \
			 ERROR(EBUSY))

#define COMMAND(id, the_record, the_errors) \
	.name = #id, .request = GOSPAN_IOC_##id, .record = &the_record, .errors = the_errors
#define ARRAYS(list)	.arrays = list, .nr_arrays = ARRAY_SIZE(list)

const struct command commands[NR_COMMANDS] = {
	[COMMAND_VERSION] = { COMMAND(VERSION, version, ERROR(EFAULT)) },
	[COMMAND_CLASS] = { COMMAND(CLASS, class_row, ERROR(EFAULT) | ERROR(EINVAL)) },
	[COMMAND_MEMSTATS] = { COMMAND(MEMSTATS, memstats, ERROR(EFAULT) | ERROR(ENOMEM)) },
	[COMMAND_HEAPSTATS] = { COMMAND(HEAPSTATS, heapstats,
					ERROR(EFAULT) | ERROR(EINVAL) | ERROR(ENXIO)) },
	[COMMAND_CACHE] = { COMMAND(CACHE, cachestats, OBJECT_ERRORS) },
	[COMMAND_TRIM] = { COMMAND(TRIM, trim, ERROR(EFAULT)) },
	[COMMAND_ALLOC] = { COMMAND(ALLOC, object_new,
				    ERROR(EFAULT) | ERROR(EINVAL) | ROOM_ERRORS) },
	[COMMAND_REALLOC] = { COMMAND(REALLOC, object_old, OBJECT_ERRORS | ROOM_ERRORS) },
	[COMMAND_FREE] = { COMMAND(FREE, handle, OBJECT_ERRORS) },
	[COMMAND_READ] = { COMMAND(READ, io, OBJECT_ERRORS), ARRAYS(read_arrays) },
	[COMMAND_WRITE] = { COMMAND(WRITE, io, OBJECT_ERRORS), ARRAYS(write_arrays) },
	[COMMAND_BENCH] = { COMMAND(BENCH, bench, RUN_ERRORS | ERROR(ENODEV)),
			    ARRAYS(bench_arrays) },
	[COMMAND_REPLAY] = { COMMAND(REPLAY, replay, RUN_ERRORS), ARRAYS(replay_arrays),
			     .answers_errors = true },
	[COMMAND_REPLAY_CPUS] = { COMMAND(REPLAY_CPUS, replay_cpus, RUN_ERRORS | ERROR(ENODEV)),
				  ARRAYS(replay_cpus_arrays), .answers_errors = true },
};

/* Has every byte of the argument, and of the rows, its field? */
static bool record_is_complete(const struct record *record)
{
	unsigned int i, end = 0;

	for (i = 0; i < record->nr_fields; i++) {
		if (record->fields[i].offset != end)
			return false;
		end += record->fields[i].bytes;
	}
	return !record->nr_fields || end == record->bytes;
}

bool abi_is_complete(void)
{
	unsigned int i, j;

	for (i = 0; i < NR_COMMANDS; i++) {
		if (!record_is_complete(commands[i].record) ||
		    commands[i].record->bytes != _IOC_SIZE(commands[i].request))
			return false;
		for (j = 0; j < commands[i].nr_arrays; j++)
			if (!record_is_complete(commands[i].arrays[j].row))
				return false;
	}
	return true;
}

__u64 number_get(const void *from, unsigned int width)
{
	__u64 value = 0;

	memcpy(&value, from, width);	/* little-endian, as all that this runs on */
	return value;
}

void number_set(void *to, unsigned int width, __u64 value)
{
	memcpy(to, &value, width);
}

/* All but what is only an answer. */
void record_clear(const struct record *record, unsigned char *argument)
{
	unsigned int i;

	for (i = 0; i < record->nr_fields; i++) {
		const struct field *field = &record->fields[i];

		if (field->kind != FIELD_OUT && field->kind != FIELD_TEXT)
			memset(argument + field->offset, 0, field->bytes);
	}
}

static bool text_is_valid(const char *text, unsigned int bytes)
{
	unsigned int i = 0;

	while (i < bytes && isprint((unsigned char)text[i]))
		i++;
	/* One NUL at least. */
	if (i == bytes)
		return false;
	while (i < bytes && !text[i])
		i++;
	return i == bytes;
}

static bool answer_is_valid(const struct field *field, const void *after)
{
	unsigned int i;

	if (field->kind == FIELD_TEXT)
		return text_is_valid(after, field->bytes);
	for (i = 0; i < field->bytes; i += field->width)
		if (number_get((const char *)after + i, field->width) > field->max)
			return false;
	return true;
}

/* The first field that is not as it must be after the call, or NULL. */
const struct field *record_judge(const struct record *record, const void *before,
				 const void *after, enum outcome outcome)
{
	unsigned int i;

	for (i = 0; i < record->nr_fields; i++) {
		const struct field *field = &record->fields[i];
		const char *old = (const char *)before + field->offset;
		const char *new = (const char *)after + field->offset;
		bool kept = !memcmp(old, new, field->bytes);
		bool is_out = field->kind >= FIELD_OUT;

		/* Nothing but 0 is accepted. */
		if (field->kind == FIELD_RESERVED && outcome == OUTCOME_ANSWERED &&
		    number_get(new, field->width))
			return field;
		if (!is_out || outcome == OUTCOME_KEPT) {
			if (!kept)
				return field;
		} else if (!(kept && outcome == OUTCOME_EITHER) && !answer_is_valid(field, new)) {
			return field;
		}
	}
	return NULL;
}
