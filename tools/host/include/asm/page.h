/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for the kernel's header: what the pure files use of it.
 */
#ifndef _HOST_ASM_PAGE_H
#define _HOST_ASM_PAGE_H

/* As on x86; the size classes are the same up to 13. */
#define PAGE_SHIFT	12

#endif /* _HOST_ASM_PAGE_H */
