/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page heap: runs of pages for spans, out of blocks from the kernel.
 */
#ifndef _GOSPAN_MHEAP_H
#define _GOSPAN_MHEAP_H

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include "arena.h"
#include "node.h"
#include "pagealloc.h"
#include "pagecache.h"
#include "pagesource.h"

/*
 * The pages of one NUMA node. A chunk belongs as a whole to the node of its
 * first block. (l) under @lock  (c) constant
 */
struct gospan_node_heap {
	raw_spinlock_t lock;		/* order 4, irqsave; covers pages and chunks */
	int node;			/* (c) */
	struct gospan_pagealloc pages;	/* (l) */
	struct gospan_backoff backoff;	/* (l) */
	unsigned long obtained_pages;	/* (l) from the kernel, since init */
	unsigned long released_pages;	/* (l) given back to it, since init */
	unsigned long nr_grows;		/* (l) blocks obtained */
};

/*
 * Large objects, by the CPU that allocated or freed them, more or less: whoever
 * is moved meanwhile counts on the other. Since init.
 */
struct gospan_large_counters {
	atomic_long_t mallocs;
	atomic_long_t frees;
	atomic_long_t alloc_pages;
	atomic_long_t free_pages;
};

/* Their sums. */
struct gospan_large_count {
	unsigned long mallocs;
	unsigned long frees;
	unsigned long alloc_pages;
	unsigned long free_pages;
};

/* (c) constant while in use  (a) atomic  (p) by each CPU its own */
struct gospan_mheap {
	struct gospan_arenas arenas;
	const struct gospan_page_source *source;		/* (c) */
	struct gospan_node_heap **node;	/* by number; NULL: no memory from there yet */
	struct gospan_pagecache __percpu *pagecaches;		/* (c) (p) NULL: not cached */
	struct gospan_large_counters __percpu *large;		/* (c) (a) */
	atomic_long_t span_bytes;	/* (a) descriptors, used or kept */
	unsigned long limit_pages;	/* soft limit of what is held; 0: none (Go's GOMEMLIMIT) */
	bool has_zeroed;		/* once true stays: some page may be known to be zeros */
	/* Called before it grows, without a lock; were pages of the node freed? Or NULL. */
	bool (*reclaim)(int node, unsigned int npages);
	void (*grown)(void);		/* called after it grew, without a lock; or NULL */
	bool broken;			/* found inconsistent: allocates nothing */
};

extern struct gospan_mheap gospan_heap;

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

static inline struct gospan_chunk *gospan_mheap_chunk(const struct gospan_mheap *h,
						      unsigned long page)
{
	return gospan_arena_chunk_of(&h->arenas, gospan_page_addr(page));
}

/* Free the descriptor of a span that is gone. Any context but NMI. */
static inline void gospan_mheap_drop_descriptor(struct gospan_mheap *h, struct gospan_span *s)
{
	atomic_long_sub(gospan_span_sys_bytes(s), &h->span_bytes);
	/* A lockless lookup by a wild pointer may still read it; also, fine on RT anywhere. */
	kfree_rcu(s, rcu);
}

int gospan_mheap_init(struct gospan_mheap *h, const struct gospan_page_source *source,
		      unsigned long limit, bool cached);
void gospan_mheap_destroy(struct gospan_mheap *h);

struct gospan_span *gospan_mheap_make_span(struct gospan_mheap *h, unsigned int spanclass,
					   const struct gospan_layout *l, gfp_t gfp, int node);
void gospan_mheap_publish(struct gospan_mheap *h, struct gospan_span *s);
struct gospan_span *gospan_mheap_alloc_node(struct gospan_mheap *h, unsigned int spanclass,
					    const struct gospan_layout *l, gfp_t gfp, int node);

/* From where it serves this CPU best. */
static inline struct gospan_span *gospan_mheap_alloc(struct gospan_mheap *h,
						     unsigned int spanclass,
						     const struct gospan_layout *l, gfp_t gfp)
{
	return gospan_mheap_alloc_node(h, spanclass, l, gfp, gospan_node_local());
}

/* A span for one object of whole pages; see gospan_mheap_alloc_node(). */
static inline struct gospan_span *gospan_mheap_alloc_large_node(struct gospan_mheap *h,
								unsigned int npages,
								unsigned int align_npages,
								gfp_t gfp, int node)
{
	const struct gospan_layout l = {
		.npages = npages, .align_npages = align_npages, .nelems = 1,
	};

	return gospan_mheap_alloc_node(h, GOSPAN_SPANCLASS_LARGE, &l, gfp, node);
}

static inline struct gospan_span *gospan_mheap_alloc_large(struct gospan_mheap *h,
							   unsigned int npages,
							   unsigned int align_npages, gfp_t gfp)
{
	return gospan_mheap_alloc_large_node(h, npages, align_npages, gfp, gospan_node_local());
}

void gospan_mheap_free(struct gospan_mheap *h, struct gospan_span *s);
void gospan_mheap_free_list(struct gospan_mheap *h, struct list_head *spans);
enum gospan_verdict gospan_mheap_free_large(struct gospan_mheap *h, const void *p);
bool gospan_mheap_extend_large(struct gospan_mheap *h, struct gospan_span *s,
			       unsigned int npages, bool zero);

unsigned int gospan_mheap_cpu_pages(const struct gospan_mheap *h, unsigned int cpu);
void gospan_mheap_flush_cpu(struct gospan_mheap *h, unsigned int cpu);
struct gospan_large_count gospan_mheap_large(const struct gospan_mheap *h);

#endif /* _GOSPAN_MHEAP_H */
