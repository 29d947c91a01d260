/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spans for the benchmark, and pages that it keeps in use while it runs.
 */
#ifndef _GOSPAN_BENCH_HELD_H
#define _GOSPAN_BENCH_HELD_H

#include <linux/gospan.h>
#include "mheap.h"
#include "span.h"

struct gospan_bench_held;

/* One hole for so many pages held: a run of a few pages finds none. */
#define GOSPAN_BENCH_HOLES	8U

/* A class of one object a span: it is not counted as a large object. */
#define GOSPAN_BENCH_SPANCLASS	gospan_make_spanclass(GOSPAN_NR_SIZECLASSES - 1, false)

/* A span as mcentral asks for it, and gives it back; its size does not matter to the heap. */
static inline struct gospan_span *gospan_bench_span_alloc(unsigned int npages, gfp_t gfp)
{
	const struct gospan_layout l = { .npages = npages, .align_npages = 1, .nelems = 1 };

	return gospan_mheap_alloc(&gospan_heap, GOSPAN_BENCH_SPANCLASS, &l, gfp);
}

static inline void gospan_bench_span_free(struct gospan_span *s)
{
	gospan_arena_retract(&gospan_heap.arenas, s);
	gospan_mheap_free(&gospan_heap, s);
}

/* What such a span takes, with its descriptor. */
static inline u64 gospan_bench_span_bytes(unsigned int npages)
{
	return (u64)npages * GOSPAN_PAGE_SIZE + gospan_span_bytes(1);
}

u64 gospan_bench_held_bytes(u32 held_pages);
struct gospan_bench_held *gospan_bench_hold(const struct gospan_bench *b, gfp_t gfp);
void gospan_bench_unhold(struct gospan_bench_held *held);

#endif /* _GOSPAN_BENCH_HELD_H */
