/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ABI of /dev/gospan as data: each command, each field of its argument, and
 * what the module may do with it. Who draws arguments and who judges answers
 * both go by these tables.
 */
#ifndef IOCTL_ABI_H
#define IOCTL_ABI_H

#include <linux/gospan.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * No number in an answer is as large: half a year of nanoseconds, a thousand times
 * the memory of what runs these tests. An address of the kernel is larger, and so is
 * any pattern that fills eight bytes.
 */
#define MAX_NUMBER	((1ULL << 54) - 1)

enum field_kind {
	FIELD_IN,	/* is as the caller left it */
	FIELD_RESERVED,	/* the same, and nothing but 0 is accepted */
	FIELD_ADDRESS,	/* the same; of an array */
	FIELD_OUT,	/* a number up to max */
	FIELD_INOUT,	/* the same; read before */
	FIELD_TEXT,	/* printable, then NUL to the end */
};

struct field {
	const char *name;
	unsigned short offset;	/* bytes */
	unsigned short bytes;	/* of the whole field */
	unsigned short width;	/* bytes of one number */
	enum field_kind kind;
	__u64 max;		/* of an answer, or of what makes sense to ask for */
};

struct record {
	const char *name;
	unsigned short bytes;
	unsigned short nr_fields;
	const struct field *fields;	/* in their order, without gaps */
};

/* An array that the argument points to. */
struct array {
	const struct record *row;
	unsigned short address;		/* offset of its address in the argument */
	unsigned short count;		/* offset of its length */
	unsigned char count_width;	/* bytes of that */
	bool is_read;			/* by the module */
	bool is_written;
};

#define MAX_ARRAYS	4

struct command {
	const char *name;
	unsigned long request;
	const struct record *record;
	const struct array *arrays;
	unsigned int nr_arrays;
	__u64 errors;			/* bit per errno that it may return */
	bool answers_errors;		/* the argument may be written after an error, too */
};

enum command_id {
	COMMAND_VERSION,
	COMMAND_CLASS,
	COMMAND_MEMSTATS,
	COMMAND_HEAPSTATS,
	COMMAND_CACHE,
	COMMAND_TRIM,
	COMMAND_ALLOC,
	COMMAND_REALLOC,
	COMMAND_FREE,
	COMMAND_READ,
	COMMAND_WRITE,
	COMMAND_BENCH,
	COMMAND_REPLAY,
	COMMAND_REPLAY_CPUS,
	NR_COMMANDS,
};

extern const struct command commands[NR_COMMANDS];

enum outcome {
	OUTCOME_KEPT,		/* nothing may be written */
	OUTCOME_ANSWERED,	/* all must be */
	OUTCOME_EITHER,
};

bool abi_is_complete(void);
void record_clear(const struct record *record, unsigned char *argument);
const struct field *record_judge(const struct record *record, const void *before,
				 const void *after, enum outcome outcome);
__u64 number_get(const void *from, unsigned int width);
void number_set(void *to, unsigned int width, __u64 value);

#endif /* IOCTL_ABI_H */
