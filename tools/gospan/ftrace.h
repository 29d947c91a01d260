/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's allocations, read from the text that ftrace writes.
 *
 * That is the file "trace" of tracefs, or what "trace-cmd report" prints, with
 * the events of the group kmem: kmalloc, kmalloc_node, kfree, kmem_cache_alloc,
 * kmem_cache_alloc_node, kmem_cache_free. Objects are told apart by address.
 * Nothing in a text is fatal: what means nothing is counted.
 */
#ifndef GOSPAN_TOOL_FTRACE_H
#define GOSPAN_TOOL_FTRACE_H

#include "trace.h"

struct ftrace;

/* Each returns NULL or false when memory runs out. */
struct ftrace *ftrace_begin(void);

/* Some more bytes of the text; it may be cut anywhere. */
bool ftrace_feed(struct ftrace *f, const char *text, size_t bytes);

/* All is read: fills @trace, whose peak is left out. @f is gone in any case. */
bool ftrace_end(struct ftrace *f, struct trace *trace);

#endif /* GOSPAN_TOOL_FTRACE_H */
