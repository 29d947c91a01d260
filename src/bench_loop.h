/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's timed loops: what one CPU does between two readings of the
 * clock, once per allocator.
 */
#ifndef _GOSPAN_BENCH_LOOP_H
#define _GOSPAN_BENCH_LOOP_H

#include <linux/ktime.h>
#include <linux/types.h>
#include <linux/gospan.h>
#include "bench_ticks.h"

struct gospan_bench_calls;
struct gospan_cache;
struct gospan_histogram;
struct gospan_mix_op;
struct kmem_cache;

/* What the loops of one CPU work on; only that CPU's thread writes it. */
struct gospan_bench_job {
	const struct gospan_bench_calls *calls; /* of the allocator */
	size_t size;			/* of each object; 0 where sizes differ */
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
	struct gospan_histogram *latency; /* of single operations, or NULL */
	u64 failures;			/* allocations that returned NULL */
	u64 ticks;			/* duration of the windows */
	u64 ns;				/* the same in nanoseconds */
};

/* One object, whatever its size: of @size bytes, that the call must not know. */
struct gospan_bench_calls {
	void *(*alloc)(const struct gospan_bench_job *job, size_t size);
	void (*free)(const struct gospan_bench_job *job, void *p, size_t size);
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
	/* @n writes to the own object; absent for those who have none. */
	void (*write)(struct gospan_bench_job *job, u32 n);
	/* @n times allocate, and free by RCU; absent where there is no such. */
	void (*flood)(struct gospan_bench_job *job, u32 n);
};

/* What an object must have room for, to be freed by RCU. */
struct gospan_flood_object {
	struct rcu_head rcu;
};

/* By enum gospan_bench_allocator. */
extern const struct gospan_bench_loops gospan_bench_loops[GOSPAN_NR_ALLOCATORS];
extern const struct gospan_bench_calls gospan_bench_calls[GOSPAN_NR_ALLOCATORS];

/* The same work, with a look at the clock after each operation; no bulk, write or flood. */
extern const struct gospan_bench_loops gospan_bench_timed_loops;

/* A window. Ticks are read inside of ns, so that they hold nothing but the loop. */
struct gospan_bench_window {
	u64 ns;
	u64 ticks;
};

static __always_inline struct gospan_bench_window gospan_bench_window_open(void)
{
	struct gospan_bench_window start;

	start.ns = ktime_get_ns();
	start.ticks = gospan_bench_ticks();
	return start;
}

static __always_inline void gospan_bench_window_close(struct gospan_bench_job *job,
						      struct gospan_bench_window start)
{
	job->ticks += gospan_bench_ticks() - start.ticks;
	job->ns += ktime_get_ns() - start.ns;
}

/* The EMPTY allocator; its pointers are not NULL and point to nothing. */
void *gospan_bench_empty_alloc(size_t size, gfp_t gfp);
void gospan_bench_empty_free(const void *p);
size_t gospan_bench_empty_alloc_bulk(size_t size, gfp_t gfp, size_t n, void **p);
void gospan_bench_empty_free_bulk(size_t n, void **p);

/* The LIMIT allocator; its pointers point to nothing, too. */
void *gospan_bench_limit_alloc(size_t size, gfp_t gfp);
void gospan_bench_limit_free(const void *p);

#endif /* _GOSPAN_BENCH_LOOP_H */
