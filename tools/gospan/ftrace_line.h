/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One line of the text that ftrace or trace-cmd writes, and what it says.
 */
#ifndef GOSPAN_TOOL_FTRACE_LINE_H
#define GOSPAN_TOOL_FTRACE_LINE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* What is larger is no allocation that the kernel could have done. */
#define FTRACE_MAX_BYTES	(4U << 20)
#define FTRACE_MAX_CPU		0xffffU

enum ftrace_kind {
	FTRACE_COMMENT,		/* or an empty line */
	FTRACE_MALFORMED,
	FTRACE_OTHER,		/* an event of another kind */
	FTRACE_LOST,		/* a mark: events are missing here */
	FTRACE_KMALLOC,
	FTRACE_CACHE_ALLOC,
	FTRACE_FREE,
};

/* A part of the line; NULL if it is not there. */
struct ftrace_text {
	const char *text;
	size_t bytes;
};

struct ftrace_line {
	enum ftrace_kind kind;
	unsigned int cpu;
	__u64 time_ns;
	__u64 ptr;		/* the object's address */
	__u32 size;		/* allocations: bytes asked for */
	__u32 slot_bytes;	/* allocations: what the kernel made of them */
	bool zero;		/* allocations: zeroed */
	struct ftrace_text site; /* the caller */
	struct ftrace_text cache; /* the name of the object's kmem_cache */
	__u64 nr_lost;		/* LOST: how many; 0: it does not say */
};

/* @text is without its newline. */
struct ftrace_line ftrace_line_read(const char *text, size_t bytes);

#endif /* GOSPAN_TOOL_FTRACE_LINE_H */
