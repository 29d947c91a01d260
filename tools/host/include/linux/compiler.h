/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for the kernel's header: what the pure files use of it.
 */
#ifndef _HOST_LINUX_COMPILER_H
#define _HOST_LINUX_COMPILER_H

#define likely(condition)	(condition)
#define unlikely(condition)	(condition)
/* The C library has one, too, if it comes first. */
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))

#endif /* _HOST_LINUX_COMPILER_H */
