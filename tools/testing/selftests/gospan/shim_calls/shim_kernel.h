/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel allocates and frees, for a file under the shim: see shim_kernel.c.
 */
#ifndef _SHIM_KERNEL_H
#define _SHIM_KERNEL_H

#include <linux/types.h>

struct kmem_cache;

#define KERNEL_OBJECT_BYTES	100
#define KERNEL_ARRAY_BYTES	(64 * 1024)

void *kernel_alloc(void);
void *kernel_alloc_array(void);
struct kmem_cache *kernel_cache_create(void);

#endif /* _SHIM_KERNEL_H */
