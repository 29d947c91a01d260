/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allocator that is nothing but a cache: one array of pointers per CPU.
 */
#ifndef _GOSPAN_BENCH_LIMIT_H
#define _GOSPAN_BENCH_LIMIT_H

#include <linux/types.h>

int gospan_bench_limit_init(unsigned int cpu, u32 nr, gfp_t gfp);
void gospan_bench_limit_destroy(unsigned int cpu);

#endif /* _GOSPAN_BENCH_LIMIT_H */
