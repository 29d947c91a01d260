/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects and samples of the benchmark put in order.
 */
#ifndef _GOSPAN_BENCH_ORDER_H
#define _GOSPAN_BENCH_ORDER_H

#include <linux/types.h>
#include <linux/gospan.h>

struct rnd_state;

void gospan_bench_reorder(void **objects, u32 n, enum gospan_bench_order order,
			  struct rnd_state *rnd);
u32 gospan_bench_closest(void **objects, u32 n, u32 k);
void gospan_bench_summarize(u64 *samples, u32 n, u64 *min, u64 *median);

#endif /* _GOSPAN_BENCH_ORDER_H */
