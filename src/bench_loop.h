/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's timed loops: what one CPU does between two readings of the
 * clock, once per allocator.
 */
#ifndef _GOSPAN_BENCH_LOOP_H
#define _GOSPAN_BENCH_LOOP_H

#include <linux/types.h>
#include <linux/gospan.h>

struct gospan_cache;
struct gospan_mix_op;
struct kmem_cache;

/* What the loops of one CPU work on; only that CPU's thread writes it. */
struct gospan_bench_job {
	size_t size;			/* of each object; MIX: in the ops instead */
	gfp_t gfp;
	unsigned int order;		/* PAGES: that fits @size */
	unsigned int npages;		/* SPAN: that hold @size */
	struct kmem_cache *kmem_cache;	/* KMEM_CACHE: to allocate from */
	struct gospan_cache *cache;	/* CACHE: the same */
	void **objects;			/* what is allocated; MIX: by slot, NULL is free */
	u32 nr_call;			/* BULK: objects in a call */
	u8 *own;			/* WRITE: the object that this CPU writes to */
	u32 nr_live;			/* objects in @objects; not used by MIX */
	const struct gospan_mix_op *ops; /* MIX: the stream */
	u64 failures;			/* allocations that returned NULL */
	u64 ticks;			/* duration of the windows */
	u64 ns;				/* the same in nanoseconds */
};

/* Each call is a window: it adds its duration to @ticks and @ns of the job. */
struct gospan_bench_loops {
	/* @n times allocate and free. */
	void (*pair)(struct gospan_bench_job *job, u32 n);
	/* @n allocations, appended to the job's objects. */
	void (*alloc)(struct gospan_bench_job *job, u32 n);
	/* Free @n objects, whoever allocated them. */
	void (*free)(struct gospan_bench_job *job, void *const *objects, u32 n);
	/* @n steps of the stream, from the one numbered @from; absent for caches and SPAN. */
	void (*mix)(struct gospan_bench_job *job, u32 from, u32 n);
	/* @n times a call that allocates and one that frees; absent where there is no such. */
	void (*bulk)(struct gospan_bench_job *job, u32 n);
	/* @n writes to the own object; absent for PAGES and SPAN, who have none. */
	void (*write)(struct gospan_bench_job *job, u32 n);
};

/* By enum gospan_bench_allocator. */
extern const struct gospan_bench_loops gospan_bench_loops[GOSPAN_NR_ALLOCATORS];

/* The EMPTY allocator; its pointers are not NULL and point to nothing. */
void *gospan_bench_empty_alloc(size_t size, gfp_t gfp);
void gospan_bench_empty_free(const void *p);
size_t gospan_bench_empty_alloc_bulk(size_t size, gfp_t gfp, size_t n, void **p);
void gospan_bench_empty_free_bulk(size_t n, void **p);

#endif /* _GOSPAN_BENCH_LOOP_H */
