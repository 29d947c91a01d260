// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allocator that does nothing: what the loop and two calls cost.
 *
 * Apart from its callers, so that the compiler takes these for calls like any
 * other: nothing inlined, no argument left out, all scratch registers lost.
 */

#include "bench_loop.h"

void *gospan_bench_empty_alloc(size_t size, gfp_t gfp)
{
	return (void *)size;
}

void gospan_bench_empty_free(const void *p)
{
}

size_t gospan_bench_empty_alloc_bulk(size_t size, gfp_t gfp, size_t n, void **p)
{
	return n;
}

void gospan_bench_empty_free_bulk(size_t n, void **p)
{
}
