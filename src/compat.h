/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the supported kernels (6.1 to 7.3) do not all have, under the names of
 * the newest. The only file that may ask for the kernel's version.
 */
#ifndef _GOSPAN_COMPAT_H
#define _GOSPAN_COMPAT_H

#include <linux/mmzone.h>
#include <linux/slab.h>
#include <linux/version.h>

/* 6.8 renamed MAX_ORDER, which 6.4 had turned from a count into a maximum. */
#ifndef MAX_PAGE_ORDER
#if KERNEL_VERSION(6, 4, 0) > LINUX_VERSION_CODE
#define MAX_PAGE_ORDER	(MAX_ORDER - 1)
#else
#define MAX_PAGE_ORDER	MAX_ORDER
#endif
#endif

/* 6.5 added it; before, a benchmark's cache may share slabs with others. */
#ifndef SLAB_NO_MERGE
#define SLAB_NO_MERGE	0
#endif

#endif /* _GOSPAN_COMPAT_H */
