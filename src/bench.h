/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Benchmarks inside the kernel: the work behind %GOSPAN_IOC_BENCH.
 */
#ifndef _GOSPAN_BENCH_H
#define _GOSPAN_BENCH_H

#include <linux/types.h>
#include <linux/gospan.h>

struct rnd_state;

/* WRITE: objects that are allocated for each CPU, to have neighbours among them. */
#define GOSPAN_BENCH_CANDIDATES	32U

static inline bool gospan_bench_has_cpu(const struct gospan_bench *b, unsigned int cpu)
{
	return b->cpus[cpu / 64] >> (cpu % 64) & 1;
}

int gospan_bench_check(const struct gospan_bench *b);
bool gospan_bench_fits(const struct gospan_bench *b, unsigned int nr_cpus);
int gospan_bench_run(struct gospan_bench *b, struct gospan_bench_cpu *results);

/* For the unit tests. */
void gospan_bench_reorder(void **objects, u32 n, enum gospan_bench_order order,
			  struct rnd_state *rnd);
u32 gospan_bench_closest(void **objects, u32 n, u32 k);
void gospan_bench_summarize(u64 *samples, u32 n, u64 *min, u64 *median);

#endif /* _GOSPAN_BENCH_H */
