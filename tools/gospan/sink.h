/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file to write, packed by zstd if its name ends so.
 */
#ifndef GOSPAN_TOOL_SINK_H
#define GOSPAN_TOOL_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct sink;

/* They return NULL or false, and leave errno, when the file cannot be written. */
struct sink *sink_open(const char *path);
bool sink_write(struct sink *sink, const void *from, size_t bytes);
bool sink_close(struct sink *sink);

#endif /* GOSPAN_TOOL_SINK_H */
