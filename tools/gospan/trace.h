/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording of allocations: what replay works on, whatever wrote it.
 *
 * Two kinds of file are read: the text that ftrace and trace-cmd write about
 * the kernel (ftrace.h), and what tools/malloctrace writes about a program:
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
#include <stdbool.h>
#include <stddef.h>

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

/* What is known of a step besides. */
struct trace_note {
	__u64 time_ns;		/* by the recording's clock */
	__u32 site;		/* ALLOC: who asked, an index of @sites */
	__u32 slot_bytes;	/* ALLOC: what the recorded kernel made of it */
};

/* What a text held that is no step, and steps that it did not tell of. */
struct trace_counts {
	__u64 lines;
	__u64 malformed;	/* lines that mean nothing */
	__u64 first_malformed;	/* number of the first one, from 1 */
	__u64 other_events;	/* of other kinds */
	__u64 null_frees;	/* kfree(NULL) */
	__u64 unmatched_frees;	/* of what was allocated before, or unseen */
	__u64 unseen_frees;	/* an address was allocated again without a free: one was made up */
	__u64 backwards;	/* events that are older than the one before */
	__u64 lost_marks;	/* places where events were lost */
	__u64 lost_events;	/* how many, as far as the marks say */
};

/* A recording, read, with numbers of this machine. */
struct trace {
	struct gospan_replay_op *ops;
	__u64 nr_ops;
	__u32 nr_ids;
	__u32 nr_cpus;		/* that it was recorded on; each step's cpu is below */
	__u64 peak_at;		/* steps after which the most bytes are asked for */
	__u64 peak_bytes;	/* how many */

	/* Of the kernel's alone; NULL and 0 otherwise. */
	struct trace_note *notes;	/* for each step */
	struct gospan_replay_cache *caches;
	char **cache_names;	/* for each cache; NULL: its name was not recorded */
	__u32 nr_caches;
	char **sites;		/* call sites */
	__u32 nr_sites;
	struct trace_counts counts;
};

/*
 * Read a recording, the example if @path is NULL; fails when it is none. The
 * steps of a program's are not checked.
 */
void trace_read(const char *path, struct trace *trace);

void trace_free(struct trace *trace);

/* What the recording is called in messages. */
const char *trace_name(const char *path);

/* Bytes that an ALLOC or a REALLOC asks for; 0 of a FREE. */
static inline __u32 trace_op_bytes(const struct trace *trace, const struct gospan_replay_op *op)
{
	return op->flags & GOSPAN_OP_CACHE ? trace->caches[op->size].size : op->size;
}

#endif /* GOSPAN_TOOL_TRACE_H */
