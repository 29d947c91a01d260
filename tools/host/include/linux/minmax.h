/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for the kernel's header: what the pure files use of it.
 *
 * Each argument is evaluated once. The kernel's build sees to their types.
 */
#ifndef _HOST_LINUX_MINMAX_H
#define _HOST_LINUX_MINMAX_H

#define min_t(type, x, y) ({		\
	type min_x = (x), min_y = (y);	\
	min_x < min_y ? min_x : min_y; })
#define max_t(type, x, y) ({		\
	type max_x = (x), max_y = (y);	\
	max_x > max_y ? max_x : max_y; })

#define min(x, y)		min_t(__typeof__((x) + (y)), x, y)
#define max(x, y)		max_t(__typeof__((x) + (y)), x, y)
#define max3(x, y, z)		({ __typeof__((x) + (y)) x_y = max(x, y); max(x_y, z); })
#define clamp(x, low, high)	({ __typeof__((x) + (low)) x_low = max(x, low); min(x_low, high); })

#endif /* _HOST_LINUX_MINMAX_H */
