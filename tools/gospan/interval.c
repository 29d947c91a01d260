// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 95 % confidence interval of a median, by order statistics.
 *
 * Whatever figures are distributed like, each of n independent ones is below
 * the median with a probability of 1/2. The median is then outside of the k-th
 * smallest to the k-th largest only if fewer than k of them fell on one side,
 * which the binomial distribution B(n, 1/2) has the probability of; k is the
 * largest that keeps it within 5 %. Nothing is assumed of the figures, so that
 * the interval holds for timings, which are never normal: Hahn and Meeker,
 * "Statistical Intervals" (1991), section 5.2; Le Boudec, "Performance
 * Evaluation of Computer and Communication Systems" (2010), theorem 2.1. Both
 * tabulate it: k is 1 for 6 figures, the fewest, 4 for 15, 40 for 100.
 */
#include "interval.h"

#include <math.h>

/* Of n tosses of a coin exactly k show heads. */
static double binomial_half(size_t n, size_t k)
{
	return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) - n * M_LN2);
}

size_t interval_rank(size_t n)
{
	const double tail = (100 - INTERVAL_PERCENT) / 100.0 / 2;
	double below = 0;
	size_t rank = 0;

	while (rank < n / 2) {
		below += binomial_half(n, rank);
		if (below > tail)
			break;
		rank++;
	}
	return rank;
}
