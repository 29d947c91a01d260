/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for the kernel's header: what the pure files use of it.
 */
#ifndef _HOST_LINUX_BUILD_BUG_H
#define _HOST_LINUX_BUILD_BUG_H

/* The kernel's needs no message. */
#define static_assert(condition)	_Static_assert(condition, #condition)

#endif /* _HOST_LINUX_BUILD_BUG_H */
