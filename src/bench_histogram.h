/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A histogram of durations, of any length, in little memory.
 */
#ifndef _GOSPAN_BENCH_HISTOGRAM_H
#define _GOSPAN_BENCH_HISTOGRAM_H

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/minmax.h>
#include <linux/types.h>

/* Each power of two is cut into so many buckets: 1/16 is how exact a quantile is. */
#define GOSPAN_HISTOGRAM_LOG2	4
#define GOSPAN_HISTOGRAM_CUTS	BIT(GOSPAN_HISTOGRAM_LOG2)
#define GOSPAN_HISTOGRAM_BUCKETS ((64 - GOSPAN_HISTOGRAM_LOG2 + 1) * GOSPAN_HISTOGRAM_CUTS)

struct gospan_histogram {
	u64 nr;		/* values counted */
	u64 max;	/* the greatest of them */
	u32 buckets[GOSPAN_HISTOGRAM_BUCKETS];
};

/* Values below 2 * CUTS have a bucket each; above, a power of two has CUTS of them. */
static __always_inline unsigned int gospan_histogram_bucket(u64 value)
{
	unsigned int shift;

	if (value < GOSPAN_HISTOGRAM_CUTS)
		return value;
	shift = __fls(value) - GOSPAN_HISTOGRAM_LOG2;
	return shift * GOSPAN_HISTOGRAM_CUTS + (value >> shift);
}

static __always_inline void gospan_histogram_add(struct gospan_histogram *h, u64 value)
{
	h->nr++;
	h->max = max(h->max, value);
	h->buckets[gospan_histogram_bucket(value)]++;
}

u64 gospan_histogram_quantile(const struct gospan_histogram *h, u32 per_mille);

#endif /* _GOSPAN_BENCH_HISTOGRAM_H */
