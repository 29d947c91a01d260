// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ranks that a median's interval has, beside some that are in print and
 * beside the definition, with whole numbers for the probabilities.
 */
#include "../gospan/interval.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_FIGURES	100	/* 40 times a number of 100 bits still fits */

/* Le Boudec's appendix A, 95 %. */
static const struct { size_t n, rank; } printed[] = {
	{ 0, 0 }, { 1, 0 }, { 5, 0 }, { 6, 1 }, { 8, 1 }, { 9, 2 }, { 11, 2 }, { 12, 3 },
	{ 14, 3 }, { 15, 4 }, { 17, 5 }, { 20, 6 }, { 30, 10 }, { 50, 18 }, { 70, 27 },
	{ 100, 40 },
};

/* In at least 95 of 100 ways to put n figures on two sides, rank or more are on each. */
static bool holds(size_t n, size_t rank)
{
	unsigned __int128 ways = 1, fewer = 0;

	for (size_t k = 0; k < rank; k++) {
		fewer += ways;
		ways = ways * (n - k) / (k + 1);
	}
	return 40 * fewer <= (unsigned __int128)1 << n;
}

int main(void)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < sizeof(printed) / sizeof(printed[0]); i++) {
		if (interval_rank(printed[i].n) == printed[i].rank)
			continue;
		printf("%zu figures: rank %zu, not %zu\n", printed[i].n,
		       interval_rank(printed[i].n), printed[i].rank);
		status = EXIT_FAILURE;
	}
	for (size_t n = 0; n <= MAX_FIGURES; n++) {
		size_t rank = interval_rank(n);

		if (holds(n, rank) && !holds(n, rank + 1))
			continue;
		printf("%zu figures: rank %zu is not the largest with 95 %%\n", n, rank);
		status = EXIT_FAILURE;
	}
	return status;
}
