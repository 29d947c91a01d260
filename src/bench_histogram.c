// SPDX-License-Identifier: GPL-2.0-only
/*
 * A histogram of durations: log-linear, so that one of nanoseconds and one of
 * seconds are known equally well.
 *
 * A bucket is as wide as 1/16 of its lower end at most. A quantile is answered with
 * the upper end of its bucket: never too good, by 1/16 too bad at most.
 */

#include <linux/math64.h>
#include "bench_histogram.h"

/* The greatest value of a bucket. */
static u64 bucket_limit(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 2 * GOSPAN_HISTOGRAM_CUTS)
		return bucket;
	shift = bucket / GOSPAN_HISTOGRAM_CUTS - 1;
	/* Of the last bucket this wraps around to the greatest number, as it should. */
	return ((u64)(bucket % GOSPAN_HISTOGRAM_CUTS + GOSPAN_HISTOGRAM_CUTS + 1) << shift) - 1;
}

/* The least value that @per_mille of all do not exceed; 0 when there is none. */
u64 gospan_histogram_quantile(const struct gospan_histogram *h, u32 per_mille)
{
	u64 rank = div_u64(h->nr * per_mille + 999, 1000);
	unsigned int bucket = 0;
	u64 nr = h->buckets[0];

	if (!h->nr)
		return 0;
	while (nr < rank)
		nr += h->buckets[++bucket];
	return min(bucket_limit(bucket), h->max);
}
