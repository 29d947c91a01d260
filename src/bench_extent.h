/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Extents: the slots, and the spans or slabs, that objects lie in.
 */
#ifndef _GOSPAN_BENCH_EXTENT_H
#define _GOSPAN_BENCH_EXTENT_H

#include <linux/types.h>
#include <linux/gospan.h>

struct gospan_extent {
	unsigned long base;
	unsigned long bytes;	/* 0: no object, no extent */
};

/* What @nr different extents come to. */
struct gospan_extent_sum {
	u64 nr;
	u64 bytes;
};

struct gospan_extent gospan_extent_of_slot(enum gospan_bench_allocator who, const void *p,
					   size_t size);
struct gospan_extent gospan_extent_of_span(enum gospan_bench_allocator who, const void *p,
					   size_t size);
struct gospan_extent_sum gospan_extent_add_up(struct gospan_extent *extents, size_t n);

#endif /* _GOSPAN_BENCH_EXTENT_H */
