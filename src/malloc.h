/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * malloc: what the API shares with the rest of the module.
 */
#ifndef _GOSPAN_MALLOC_H
#define _GOSPAN_MALLOC_H

#include <linux/sched/mm.h>
#include "mcache.h"

/* Largest object: what kmalloc() gives. */
#define GOSPAN_MAX_BYTES	((size_t)KMALLOC_MAX_SIZE)

/* Zones that an object cannot be asked from. */
#define GOSPAN_GFP_ZONES	(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)
/* What magazines alone do not give. */
#define GOSPAN_GFP_SPECIAL	(__GFP_ZERO | __GFP_THISNODE | GOSPAN_GFP_ZONES)

/*
 * Calls that are nothing but fast path begin where code is fetched from. Else what stands
 * in front of them decides whether a pair takes 9.2 cycles or 10.6 (AMD EPYC, 64 bytes).
 */
#define GOSPAN_FETCHED_TOGETHER	__aligned(64)

/* With init_on_alloc, classes under debug, or a guard due: an allocation is not just a pop. */
DECLARE_STATIC_KEY_FALSE(gospan_malloc_alloc_special);
/* With init_on_free, or many nodes: a free is not just a push. */
DECLARE_STATIC_KEY_FALSE(gospan_malloc_free_special);

/* An aligned run of as many pages can be searched for. */
static_assert(2 * KMALLOC_MAX_SIZE / GOSPAN_PAGE_SIZE <= GOSPAN_SUM_MAX);

void *gospan_malloc_empty(struct gospan_magazine *m, struct gospan_mcache *c, gfp_t gfp);
struct gospan_span *gospan_malloc_large(size_t size, size_t bytes, gfp_t gfp, int node);
void *gospan_malloc_node(unsigned int spanclass, gfp_t gfp, int node);

/*
 * Fast path: pop this CPU's magazine. The mcache's slot, the magazine and the
 * object's pointer are read; with its callers' 3 branches, all to slow paths.
 * Where the class is not known before, a table byte and a branch between the
 * two size tables come on top. With __GFP_ZERO the caller clears the object.
 */
static __always_inline void *gospan_malloc_spanclass(unsigned int spanclass, gfp_t gfp)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	struct gospan_magazine *m = &c->magazine[spanclass];
	void *p;

	if (unlikely(m->top == m->base))
		return gospan_malloc_empty(m, c, gfp);
	p = *--m->top;
	m->nr_mallocs++;
	gospan_mcache_release(slot, c);
	return p;
}

static __always_inline void gospan_malloc_see_context(gfp_t gfp)
{
	/* In a production kernel this would be two branches for nothing. */
	if (IS_ENABLED(CONFIG_LOCKDEP) || IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		might_alloc(gfp);
}

void gospan_malloc_init(void);
/* Fill in the row of row->sizeclass, 1..67. */
void gospan_malloc_class_info(struct gospan_class *row);

#endif /* _GOSPAN_MALLOC_H */
