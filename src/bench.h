/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Benchmarks inside the kernel: the work behind %GOSPAN_IOC_BENCH.
 */
#ifndef _GOSPAN_BENCH_H
#define _GOSPAN_BENCH_H

#include <linux/types.h>
#include <linux/gospan.h>

struct gospan_bench_shape;

static inline bool gospan_bench_has_cpu(const struct gospan_bench *b, unsigned int cpu)
{
	return b->cpus[cpu / 64] >> (cpu % 64) & 1;
}

const struct gospan_bench_shape *gospan_bench_shape(u32 workload);
int gospan_bench_check(const struct gospan_bench *b);
bool gospan_bench_fits(const struct gospan_bench *b, unsigned int nr_cpus);
int gospan_bench_run(struct gospan_bench *b, struct gospan_bench_cpu *results);

#endif /* _GOSPAN_BENCH_H */
