/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 95 % confidence interval of a median.
 */
#ifndef GOSPAN_TOOL_INTERVAL_H
#define GOSPAN_TOOL_INTERVAL_H

#include <stddef.h>

#define INTERVAL_PERCENT	95

/*
 * Of @n figures in ascending order, the interval lies from the rank-th of them to the
 * rank-th from the end, both counted from 1. 0: so few have no such interval.
 */
size_t interval_rank(size_t n);

#endif /* GOSPAN_TOOL_INTERVAL_H */
