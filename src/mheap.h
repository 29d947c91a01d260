/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page heap: runs of pages for spans, out of blocks from the kernel.
 */
#ifndef _GOSPAN_MHEAP_H
#define _GOSPAN_MHEAP_H

#include <linux/spinlock.h>
#include "arena.h"

/* Where pages come from; tests put their own in. */
struct gospan_page_source {
	struct page *(*alloc)(gfp_t gfp, unsigned int order);	/* not compound */
	void (*free)(struct page *page);			/* one kernel page */
};

/*
 * (c) constant once published  (l) under @lock  (p) as in arena.h
 */
struct gospan_mheap {
	raw_spinlock_t lock;			/* order 3, irqsave, leaf; all (l) */
	const struct gospan_page_source *source; /* (c) */
	struct gospan_arena_map *arenas;	/* (p) */
	struct list_head chunks;		/* (l) by address */
	unsigned long nr_chunks;		/* (l) */
	unsigned long obtained_pages;		/* (l) from the kernel, since init */
	unsigned long released_pages;		/* (l) to the kernel, since init */
	unsigned long inuse_pages;		/* (l) in spans */
	unsigned long span_bytes;		/* (l) descriptors of the spans in use */
	unsigned long nr_grows;			/* (l) blocks obtained */
	unsigned long nr_grow_fallbacks;	/* (l) blocks refused */
	unsigned long large_mallocs;		/* (l) large spans since init */
	unsigned long large_frees;		/* (l) */
	unsigned long large_alloc_pages;	/* (l) pages of large spans since init */
	unsigned long large_free_pages;		/* (l) */
	bool broken;				/* (l) found inconsistent: allocates nothing */
};

extern struct gospan_mheap gospan_heap;
extern const struct gospan_page_source gospan_kernel_pages;

/*
 * Warns once, stops the heap and returns the condition. For what only a bug of
 * ours or a write through a wild pointer can bring about.
 */
#define GOSPAN_WARN_ON(h, cond) ({					\
	bool __broken = WARN_ONCE(cond, "gospan: heap inconsistent, it allocates no more"); \
									\
	if (unlikely(__broken))						\
		WRITE_ONCE((h)->broken, true);				\
	__broken;							\
})

void gospan_mheap_init(struct gospan_mheap *h, const struct gospan_page_source *source);
void gospan_mheap_destroy(struct gospan_mheap *h);

struct gospan_span *gospan_mheap_alloc(struct gospan_mheap *h, unsigned int spanclass,
				       unsigned int npages, unsigned int align_npages, gfp_t gfp);
void gospan_mheap_free(struct gospan_mheap *h, struct gospan_span *s);
void gospan_mheap_free_list(struct gospan_mheap *h, struct list_head *spans);
enum gospan_verdict gospan_mheap_free_large(struct gospan_mheap *h, const void *p);

/*
 * Before a lookup that must not miss. The map does not depend on the pointer
 * looked up: on a weakly ordered machine a caller who got that by RCU, with no
 * more than an address dependency, may see a map that is older, and in which
 * the memory is not ours yet. Pairs with the releases in gospan_arena_add().
 */
static inline void gospan_mheap_see_newest(void)
{
	/* Between how the caller got the pointer, and the map; see above. */
	smp_rmb();
}

/*
 * The span that @p lies in, or NULL. It stays readable under rcu_read_lock(),
 * or as long as an object in it is the caller's.
 */
static inline struct gospan_span *gospan_mheap_span_of(struct gospan_mheap *h, const void *p)
{
	struct gospan_chunk *chunk = gospan_arena_chunk_of(&h->arenas, (unsigned long)p);
	unsigned int i = gospan_addr_page_idx((unsigned long)p);

	/* Pairs with gospan_arena_publish_span(). */
	if (!smp_load_acquire(&chunk->spanclass[i]))
		return NULL;
	return READ_ONCE(chunk->span[i]);
}

/* The spanclass byte of the page that @p lies in. */
static __always_inline unsigned int gospan_mheap_spanclass_of(struct gospan_mheap *h, const void *p)
{
	struct gospan_chunk *chunk = gospan_arena_chunk_of(&h->arenas, (unsigned long)p);

	return READ_ONCE(chunk->spanclass[gospan_addr_page_idx((unsigned long)p)]);
}

#endif /* _GOSPAN_MHEAP_H */
