/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance of ftrace of our own: its events, settings and buffers are
 * nobody else's, and gone with it.
 */
#ifndef GOSPAN_TOOL_TRACEFS_H
#define GOSPAN_TOOL_TRACEFS_H

#include <linux/types.h>

struct tracefs {
	char path[128];		/* the instance's folder */
};

/* What went through the buffers of all CPUs. */
struct tracefs_stats {
	__u64 read;
	__u64 lost;
};

/* Make it, with the events of the kernel's allocations and so large a buffer on each CPU. */
void tracefs_create(struct tracefs *t, __u64 buffer_kib);

/* Let events in, or no more. */
void tracefs_switch(const struct tracefs *t, int on);

/* The text of the events, each of which is read once; does not block. */
int tracefs_open_pipe(const struct tracefs *t);

struct tracefs_stats tracefs_read_stats(const struct tracefs *t);

/* Nothing must be open any more. */
void tracefs_destroy(const struct tracefs *t);

#endif /* GOSPAN_TOOL_TRACEFS_H */
