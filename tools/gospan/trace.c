// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording of allocations, read from a file of either kind.
 */
#include "trace.h"

#include "device.h"
#include "ftrace.h"
#include "source.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES	(256 * 1024)

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		fail("no memory for %zu steps or objects", n);
	return p;
}

static void read_exactly(struct source *in, void *to, size_t bytes)
{
	if (source_read(in, to, bytes) != bytes)
		fail("%s ends early: was the recording broken off?", source_name(in));
}

static void skip(struct source *in, size_t bytes)
{
	char byte;

	while (bytes--)
		read_exactly(in, &byte, 1);
}

/* The header, whose magic number has been read. */
static void read_header(struct source *in, struct trace *trace)
{
	struct trace_header h;

	read_exactly(in, (char *)&h + sizeof(h.magic), sizeof(h) - sizeof(h.magic));
	if (le16toh(h.version) != TRACE_VERSION)
		fail("%s has version %u of the format, this tool knows %u", source_name(in),
		     le16toh(h.version), TRACE_VERSION);
	if (le16toh(h.header_bytes) < sizeof(h) || h.flags || h.reserved)
		fail("%s: the header is not as it should be", source_name(in));
	trace->nr_ops = le64toh(h.nr_ops);
	trace->nr_ids = le32toh(h.nr_ids);
	skip(in, le16toh(h.header_bytes) - sizeof(h));
}

static void read_program(struct source *in, struct trace *trace)
{
	char byte;

	read_header(in, trace);
	trace->ops = allocate(trace->nr_ops, sizeof(*trace->ops));
	read_exactly(in, trace->ops, trace->nr_ops * sizeof(*trace->ops));
	if (source_read(in, &byte, 1))
		fail("%s goes on after its last step", source_name(in));
	for (__u64 i = 0; i < trace->nr_ops; i++) {
		struct gospan_replay_op *op = &trace->ops[i];

		op->id = le32toh(op->id);
		op->size = le32toh(op->size);
		op->cpu = le16toh(op->cpu);
		if (op->id >= trace->nr_ids)
			fail("%s: step %llu names object %u of %u", source_name(in), i, op->id,
			     trace->nr_ids);
		if (op->flags & GOSPAN_OP_CACHE)
			fail("%s: step %llu is of a cache, which a program has not",
			     source_name(in), i);
		if (op->cpu >= trace->nr_cpus)
			trace->nr_cpus = op->cpu + 1;
	}
}

/* A text, of which @head, as many as @bytes, has been read. */
static void read_kernel(struct source *in, const void *head, size_t bytes, struct trace *trace)
{
	struct ftrace *f = ftrace_begin();
	char *text = allocate(1, TEXT_BYTES);
	bool done = f && ftrace_feed(f, head, bytes);

	while (done && (bytes = source_read(in, text, TEXT_BYTES)))
		done = ftrace_feed(f, text, bytes);
	if (!done || !ftrace_end(f, trace))
		fail("out of memory");
	free(text);
	if (!trace->nr_ops)
		fail("%s is no recording of allocations: neither malloctrace's nor a text of "
		     "ftrace with the events kmem:kmalloc, kfree, kmem_cache_alloc and "
		     "kmem_cache_free", source_name(in));
}

static void find_peak(struct trace *trace)
{
	__u32 *bytes = allocate((size_t)trace->nr_ids + 1, sizeof(*bytes));
	__u64 live = 0;

	/* Also where nobody asks for a byte. */
	trace->peak_at = trace->nr_ops > 0;
	for (__u64 i = 0; i < trace->nr_ops; i++) {
		const struct gospan_replay_op *op = &trace->ops[i];
		__u32 now = trace_op_bytes(trace, op);

		live = live - bytes[op->id] + now;
		bytes[op->id] = now;
		if (live > trace->peak_bytes) {
			trace->peak_bytes = live;
			trace->peak_at = i + 1;
		}
	}
	free(bytes);
}

const char *trace_name(const char *path)
{
	return path ?: "the built-in example";
}

void trace_read(const char *path, struct trace *trace)
{
	struct source *in = path ? source_open(path) : source_open_example();
	__u32 magic;
	size_t bytes;

	memset(trace, 0, sizeof(*trace));
	bytes = source_read(in, &magic, sizeof(magic));
	if (bytes == sizeof(magic) && le32toh(magic) == TRACE_MAGIC)
		read_program(in, trace);
	else
		read_kernel(in, &magic, bytes, trace);
	source_close(in);
	find_peak(trace);
}
