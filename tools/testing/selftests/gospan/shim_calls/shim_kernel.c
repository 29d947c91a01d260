// SPDX-License-Identifier: GPL-2.0-only
/*
 * Built without the shim: what is allocated here is the kernel's, as if a core
 * function had done it.
 */
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "shim_kernel.h"

/* Filled with 'k'. */
void *kernel_alloc(void)
{
	void *p = kmalloc(KERNEL_OBJECT_BYTES, GFP_KERNEL);

	return p ? memset(p, 'k', KERNEL_OBJECT_BYTES) : NULL;
}

/* For kvfree(), and not for kfree(). */
void *kernel_alloc_array(void)
{
	void *p = vmalloc(KERNEL_ARRAY_BYTES);

	return p ? memset(p, 'k', KERNEL_ARRAY_BYTES) : NULL;
}

struct kmem_cache *kernel_cache_create(void)
{
	return kmem_cache_create("gospan_shim_kernel", KERNEL_OBJECT_BYTES, 0, 0, NULL);
}
