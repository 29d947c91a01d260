// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program allocated, read from a file.
 */
#include "trace.h"

#include "device.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(const char *path, size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		fail("%s: no memory for %zu steps or objects", path, n);
	return p;
}

static void read_exactly(const char *path, FILE *in, void *to, size_t bytes)
{
	if (fread(to, 1, bytes, in) == bytes)
		return;
	if (ferror(in))
		fail("%s: %s", path, strerror(errno));
	fail("%s ends early: was the recording broken off?", path);
}

static void read_header(const char *path, FILE *in, struct trace *trace)
{
	struct trace_header h;

	read_exactly(path, in, &h, sizeof(h));
	if (le32toh(h.magic) != TRACE_MAGIC)
		fail("%s is no recording of allocations", path);
	if (le16toh(h.version) != TRACE_VERSION)
		fail("%s has version %u of the format, this tool knows %u", path,
		     le16toh(h.version), TRACE_VERSION);
	if (le16toh(h.header_bytes) < sizeof(h) || h.flags || h.reserved)
		fail("%s: the header is not as it should be", path);
	trace->nr_ops = le64toh(h.nr_ops);
	trace->nr_ids = le32toh(h.nr_ids);
	if (fseek(in, le16toh(h.header_bytes), SEEK_SET))
		fail("%s: %s", path, strerror(errno));
}

static void find_peak(const char *path, struct trace *trace)
{
	__u32 *bytes = allocate(path, (size_t)trace->nr_ids + 1, sizeof(*bytes));
	__u64 live = 0, peak = 0;

	for (__u64 i = 0; i < trace->nr_ops; i++) {
		const struct gospan_replay_op *op = &trace->ops[i];

		if (op->id >= trace->nr_ids)
			fail("%s: step %llu names object %u of %u", path, i, op->id, trace->nr_ids);
		live = live - bytes[op->id] + op->size;
		bytes[op->id] = op->size;
		if (live > peak) {
			peak = live;
			trace->peak_at = i + 1;
		}
	}
	free(bytes);
}

void trace_read(const char *path, struct trace *trace)
{
	FILE *in = fopen(path, "r");

	if (!in)
		fail("%s: %s", path, strerror(errno));
	memset(trace, 0, sizeof(*trace));
	read_header(path, in, trace);
	trace->ops = allocate(path, trace->nr_ops, sizeof(*trace->ops));
	read_exactly(path, in, trace->ops, trace->nr_ops * sizeof(*trace->ops));
	if (fgetc(in) != EOF)
		fail("%s goes on after its last step", path);
	fclose(in);
	for (__u64 i = 0; i < trace->nr_ops; i++) {
		struct gospan_replay_op *op = &trace->ops[i];

		op->id = le32toh(op->id);
		op->size = le32toh(op->size);
		op->cpu = le16toh(op->cpu);
	}
	find_peak(path, trace);
}
