/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a target does about a state that cannot be.
 */
#ifndef _HOST_CHECK_H
#define _HOST_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define check_fail(format, ...) do {						\
	fprintf(stderr, "%s:%d: " format "\n", __func__, __LINE__, ##__VA_ARGS__);	\
	abort();								\
} while (0)

#define check(condition) do {				\
	if (!(condition))				\
		check_fail("not so: %s", #condition);	\
} while (0)

#define check_equal(have, want) do {						\
	unsigned long check_have = (have), check_want = (want);			\
										\
	if (check_have != check_want)						\
		check_fail("%s is %lu, not %lu", #have, check_have, check_want);	\
} while (0)

#endif /* _HOST_CHECK_H */
