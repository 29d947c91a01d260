/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file that tools/malloctrace writes and "gospan replay" reads.
 *
 * A header, then nr_ops steps, each a struct gospan_replay_op of the ABI: 12
 * bytes, in the order in which the program made them. All numbers are little
 * endian. Identifiers are below nr_ids, which is what a table of the objects
 * needs; one names another object after its free.
 *
 * A reader refuses another magic number or version, a header that is shorter
 * than its own, reserved fields and header flags that are not zero; it skips
 * what a longer header has more. A step's cpu is where it happened.
 */
#ifndef GOSPAN_TOOL_TRACE_H
#define GOSPAN_TOOL_TRACE_H

#include <linux/gospan.h>

#define TRACE_MAGIC	0x7274706eU	/* "nptr" */
#define TRACE_VERSION	1

struct trace_header {
	__u32 magic;
	__u16 version;
	__u16 header_bytes;	/* where the steps begin */
	__u64 nr_ops;
	__u32 nr_ids;
	__u32 flags;		/* none is defined */
	__u64 reserved;
};

_Static_assert(sizeof(struct trace_header) == 32, "the header has no padding");

/* A file, read, with numbers of this machine. */
struct trace {
	struct gospan_replay_op *ops;
	__u64 nr_ops;
	__u32 nr_ids;
	__u64 peak_at;		/* steps after which the most bytes are asked for */
};

/* Read a file; fails when it is not such a file. What its steps say is not checked. */
void trace_read(const char *path, struct trace *trace);

#endif /* GOSPAN_TOOL_TRACE_H */
