/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls drawn at random: arguments that make sense, then spoiled a little, in
 * memory that ends, cannot be written, or is not there at all.
 */
#ifndef IOCTL_DRAW_H
#define IOCTL_DRAW_H

#include "ioctl_abi.h"

#define REGION_BYTES	16384
#define POISONS		{ 0xa5, 0x5a }	/* what an answer is laid over */
#define GUARD		0x77
#define DATA		0x40		/* and up: what callers write to objects, each its own */
#define NR_DATA		16

struct random {
	__u64 state;
};

/* The same memory twice, once read-only; what is around cannot be touched. */
struct region {
	unsigned char *view;
	unsigned char *read_only;
};

/* Where something lies that the module gets the address of. */
struct place {
	__u64 address;
	unsigned char *view;	/* the same where it can be written; NULL: nowhere */
	size_t reach;		/* bytes that there are */
	size_t behind;		/* bytes after these that hold GUARD */
	bool is_writable;	/* by the module */
};

/* Of one thread. */
struct caller {
	struct random random;
	bool is_raced;		/* others change all of it during the call */
	bool is_alone;		/* with the file that it calls */
	unsigned char data;	/* that it writes */
	__u64 cpus;		/* online, of the first 64 */
	struct region argument, array[MAX_ARRAYS];

	/* The call, and what was there before it */
	const struct command *command;
	unsigned long request;
	bool is_known;		/* the request is the command's */
	unsigned char poison;
	struct place place, rows[MAX_ARRAYS];
	_Alignas(8) unsigned char before[REGION_BYTES], rows_before[MAX_ARRAYS][REGION_BYTES];
};

__u64 draw(struct random *random, __u64 limit);
bool caller_init(struct caller *c, __u64 seed, __u64 cpus, unsigned char data);
void caller_draw(struct caller *c);
void caller_disturb(struct caller *c, struct random *random);
const char *caller_judge(const struct caller *c, int error);

#endif /* IOCTL_DRAW_H */
