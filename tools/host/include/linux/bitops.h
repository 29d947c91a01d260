/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for the kernel's header: what the pure files use of it.
 */
#ifndef _HOST_LINUX_BITOPS_H
#define _HOST_LINUX_BITOPS_H

#include <linux/bits.h>
#include <linux/types.h>

/* Number of the lowest one; there must be one. */
static inline unsigned long __ffs64(u64 word)
{
	return __builtin_ctzll(word);
}

/* Number of the highest one, from 1; 0 if there is none. */
static inline int fls64(u64 word)
{
	return word ? 64 - __builtin_clzll(word) : 0;
}

static inline unsigned long hweight64(u64 word)
{
	return __builtin_popcountll(word);
}

#endif /* _HOST_LINUX_BITOPS_H */
