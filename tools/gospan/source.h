/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of a file, whatever it is compressed with, or of the example that
 * is built in.
 */
#ifndef GOSPAN_TOOL_SOURCE_H
#define GOSPAN_TOOL_SOURCE_H

#include <stddef.h>

struct source;

/* Open a file: as it is, or packed by zstd, gzip or xz. Fails when there is none. */
struct source *source_open(const char *path);

/* Open the example, a trace of the kernel's allocations. */
struct source *source_open_example(void);

/* What to call it in messages. */
const char *source_name(const struct source *source);

/* The next bytes, fewer than @bytes only at the end; fails when it cannot be read. */
size_t source_read(struct source *source, void *to, size_t bytes);

void source_close(struct source *source);

#endif /* GOSPAN_TOOL_SOURCE_H */
