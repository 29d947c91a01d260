// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects and samples of the benchmark put in order.
 */

#include <linux/kernel.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include "bench_order.h"

/* Objects shuffled before others may run. */
#define RESCHED_OBJECTS	4096

/* Reverse or shuffle @objects, to be freed from the first to the last. */
void gospan_bench_reorder(void **objects, u32 n, enum gospan_bench_order order,
			  struct rnd_state *rnd)
{
	u32 i;

	if (order == GOSPAN_ORDER_LIFO) {
		for (i = 0; i < n / 2; i++)
			swap(objects[i], objects[n - 1 - i]);
	} else if (order == GOSPAN_ORDER_SHUFFLED) {
		for (i = n; i > 1; i--) {
			u32 other = reciprocal_scale(prandom_u32_state(rnd), i);

			swap(objects[i - 1], objects[other]);
			if (!(i % RESCHED_OBJECTS))
				cond_resched();
		}
	}
}

static int address_cmp(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* Sort @objects, and find @k of the @n that lie closest together: the first of them. */
u32 gospan_bench_closest(void **objects, u32 n, u32 k)
{
	u32 i, best = 0;

	sort(objects, n, sizeof(*objects), address_cmp, NULL);
	for (i = 1; i + k <= n; i++)
		if (objects[i + k - 1] - objects[i] < objects[best + k - 1] - objects[best])
			best = i;
	return best;
}

static int sample_cmp(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* The least and the median (of an even number the lower) of @n samples; sorts them. */
void gospan_bench_summarize(u64 *samples, u32 n, u64 *min, u64 *median)
{
	sort(samples, n, sizeof(*samples), sample_cmp, NULL);
	*min = samples[0];
	*median = samples[(n - 1) / 2];
}
