/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for the kernel's header: what the pure files use of it.
 */
#ifndef _HOST_LINUX_LIMITS_H
#define _HOST_LINUX_LIMITS_H

#include_next <linux/limits.h>

#define U32_MAX	(~0U)

#endif /* _HOST_LINUX_LIMITS_H */
