/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for the kernel's header: what the pure files use of it.
 */
#ifndef _HOST_LINUX_SIZES_H
#define _HOST_LINUX_SIZES_H

#define SZ_4K	4096
#define SZ_32K	32768
#define SZ_64K	65536

#endif /* _HOST_LINUX_SIZES_H */
