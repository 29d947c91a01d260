// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvalloc: memory that need not be contiguous: an object where there is one
 * without effort, else vmalloc's.
 *
 * How large vmalloc memory is, a module cannot find out. So who changes its size
 * says it, as kvrealloc() wanted it before 6.12.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/gospan.h>
#include "malloc.h"

/* A module can say of which node vmalloc memory should be only where there is no more to @gfp. */
static void *vmalloc_on(size_t size, gfp_t gfp, int node)
{
	if (node == NUMA_NO_NODE || (gfp & ~__GFP_ZERO) != GFP_KERNEL)
		return __vmalloc(size, gfp);
	return gfp & __GFP_ZERO ? vzalloc_node(size, node) : vmalloc_node(size, node);
}

/* How to ask for an object: pages that need not be in a row are not worth pressing for. */
static gfp_t object_gfp(size_t size, gfp_t gfp)
{
	if (size <= PAGE_SIZE)
		return gfp;
	return (gfp & ~__GFP_NOFAIL) | __GFP_NOWARN |
	       (gfp & __GFP_RETRY_MAYFAIL ? 0 : __GFP_NORETRY);
}

void *gospan_kvalloc_node(size_t size, gfp_t gfp, int node)
{
	void *p = gospan_alloc_node(size, object_gfp(size, gfp), node);

	/* The product of an array that overflows: vmalloc() would complain. */
	if (size == SIZE_MAX)
		return NULL;
	if (p || size <= PAGE_SIZE || !gfpflags_allow_blocking(gfp) ||
	    gfp & (GOSPAN_GFP_ZONES | __GFP_THISNODE))
		return p;
	return vmalloc_on(size, gfp, node);
}
EXPORT_SYMBOL_GPL(gospan_kvalloc_node);

void gospan_kvfree(const void *p)
{
	if (is_vmalloc_addr(p))
		vfree(p);
	else
		gospan_free(p);
}
EXPORT_SYMBOL_GPL(gospan_kvfree);

/* What is behind @new_size, as __GFP_ZERO asks for it: so it is zero when it is used again. */
static void *vmalloc_shrink(void *p, size_t old_size, size_t new_size, gfp_t gfp)
{
	if (want_init_on_alloc(gfp))
		memset(p + new_size, 0, old_size - new_size);
	return p;
}

void *gospan_kvrealloc(const void *p, size_t old_size, size_t new_size, gfp_t gfp)
{
	void *new;

	if (ZERO_OR_NULL_PTR(p))
		return gospan_kvalloc(new_size, gfp);
	if (!new_size) {
		gospan_kvfree(p);
		return ZERO_SIZE_PTR;
	}
	if (!is_vmalloc_addr(p)) {
		/* It may be larger than was asked for. */
		old_size = gospan_size(p);
		if (!old_size)
			return NULL;
		new = gospan_realloc(p, new_size, object_gfp(new_size, gfp));
		if (new)
			return new;
	} else if (new_size <= old_size) {
		return vmalloc_shrink((void *)p, old_size, new_size, gfp);
	}
	new = gospan_kvalloc(new_size, gfp);
	if (!new)
		return NULL;
	memcpy(new, p, old_size);
	gospan_kvfree(p);
	return new;
}
EXPORT_SYMBOL_GPL(gospan_kvrealloc);

void gospan_kvfree_sensitive(const void *p, size_t len)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	if (!is_vmalloc_addr(p))
		return gospan_free_sensitive(p);
	memzero_explicit((void *)p, len);
	gospan_kvfree(p);
}
EXPORT_SYMBOL_GPL(gospan_kvfree_sensitive);
