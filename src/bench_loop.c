// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's timed loops.
 *
 * Every loop is written once, as an inline function of a constant allocator,
 * and compiled once per allocator: each step is then a direct call out of line
 * with a size that the compiler does not know, as in most of the kernel, and
 * the loops differ in nothing but the functions they call.
 *
 * Beside the loops there is a pair of calls per allocator, for work that is better
 * written once, whoever allocates: it reaches them through a pointer, and so does the
 * empty loop.
 *
 * The objects are not touched. A window reads the clocks twice and has no
 * other cost of its own; callers keep windows short and reschedule in between.
 */

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "bench_held.h"
#include "bench_loop.h"
#include "bench_mix.h"

/* What the allocators want to know about an object. */
struct request {
	size_t size;
	gfp_t gfp;
	unsigned int order;
	unsigned int npages;
	struct kmem_cache *kmem_cache;
	struct gospan_cache *cache;
};

static __always_inline struct request job_request(const struct gospan_bench_job *job)
{
	return (struct request){
		.size = job->size,
		.gfp = job->gfp,
		.order = job->order,
		.npages = job->npages,
		.kmem_cache = job->kmem_cache,
		.cache = job->cache,
	};
}

/* The same for an object of another size than the job's. */
static __always_inline struct request sized_request(const enum gospan_bench_allocator who,
						    const struct gospan_bench_job *job,
						    size_t size)
{
	struct request r = job_request(job);

	r.size = size;
	if (who == GOSPAN_ALLOCATOR_PAGES)
		r.order = get_order(size);
	else if (who == GOSPAN_ALLOCATOR_SPAN)
		r.npages = gospan_bytes_to_npages(size);
	return r;
}

static __always_inline void *request_alloc(const enum gospan_bench_allocator who,
					   struct request r)
{
	/* Nothing about the size may be worked out before the loop. */
	OPTIMIZER_HIDE_VAR(r.size);
	switch (who) {
	case GOSPAN_ALLOCATOR_GOSPAN:
		return gospan_alloc(r.size, r.gfp);
	case GOSPAN_ALLOCATOR_KMALLOC:
		return kmalloc(r.size, r.gfp);
	case GOSPAN_ALLOCATOR_KMEM_CACHE:
		return kmem_cache_alloc(r.kmem_cache, r.gfp);
	case GOSPAN_ALLOCATOR_PAGES:
		return alloc_pages(r.gfp, r.order);
	case GOSPAN_ALLOCATOR_SPAN:
		return gospan_bench_span_alloc(r.npages, r.gfp);
	case GOSPAN_ALLOCATOR_NOSCAN:
		return gospan_alloc_noscan(r.size, r.gfp);
	case GOSPAN_ALLOCATOR_CACHE:
		return gospan_cache_alloc(r.cache, r.gfp);
	case GOSPAN_ALLOCATOR_LIMIT:
		return gospan_bench_limit_alloc(r.size, r.gfp);
	default:
		return gospan_bench_empty_alloc(r.size, r.gfp);
	}
}

static __always_inline void request_free(const enum gospan_bench_allocator who,
					 struct request r, void *p)
{
	switch (who) {
	case GOSPAN_ALLOCATOR_GOSPAN:
	case GOSPAN_ALLOCATOR_NOSCAN:
		gospan_free(p);
		break;
	case GOSPAN_ALLOCATOR_KMALLOC:
		kfree(p);
		break;
	case GOSPAN_ALLOCATOR_KMEM_CACHE:
		kmem_cache_free(r.kmem_cache, p);
		break;
	case GOSPAN_ALLOCATOR_CACHE:
		gospan_cache_free(r.cache, p);
		break;
	case GOSPAN_ALLOCATOR_PAGES:
		__free_pages(p, r.order);
		break;
	case GOSPAN_ALLOCATOR_SPAN:
		gospan_bench_span_free(p);
		break;
	case GOSPAN_ALLOCATOR_LIMIT:
		gospan_bench_limit_free(p);
		break;
	default:
		gospan_bench_empty_free(p);
	}
}

static __always_inline void request_free_rcu(const enum gospan_bench_allocator who,
					     struct gospan_flood_object *p)
{
	switch (who) {
	case GOSPAN_ALLOCATOR_GOSPAN:
		gospan_free_rcu(p, rcu);
		break;
	case GOSPAN_ALLOCATOR_KMALLOC:
		kfree_rcu(p, rcu);
		break;
	default:
		gospan_bench_empty_free(p);
	}
}

static __always_inline bool request_alloc_bulk(const enum gospan_bench_allocator who,
					       struct request r, u32 n, void **p)
{
	OPTIMIZER_HIDE_VAR(r.size);
	switch (who) {
	case GOSPAN_ALLOCATOR_GOSPAN:
		return gospan_alloc_bulk(r.size, r.gfp, n, p);
	case GOSPAN_ALLOCATOR_KMEM_CACHE:
		return kmem_cache_alloc_bulk(r.kmem_cache, r.gfp, n, p);
	case GOSPAN_ALLOCATOR_CACHE:
		return gospan_cache_alloc_bulk(r.cache, r.gfp, n, p);
	default:
		return gospan_bench_empty_alloc_bulk(r.size, r.gfp, n, p);
	}
}

static __always_inline void request_free_bulk(const enum gospan_bench_allocator who,
					      struct request r, u32 n, void **p)
{
	switch (who) {
	case GOSPAN_ALLOCATOR_GOSPAN:
		gospan_free_bulk(n, p);
		break;
	case GOSPAN_ALLOCATOR_KMEM_CACHE:
		kmem_cache_free_bulk(r.kmem_cache, n, p);
		break;
	case GOSPAN_ALLOCATOR_CACHE:
		gospan_cache_free_bulk(r.cache, n, p);
		break;
	default:
		gospan_bench_empty_free_bulk(n, p);
	}
}

static __always_inline void pair_loop(const enum gospan_bench_allocator who,
				      struct gospan_bench_job *job, u32 n, const bool by_rcu)
{
	const struct request r = job_request(job);
	u64 failures = 0;
	struct gospan_bench_window start = gospan_bench_window_open();

	while (n--) {
		void *p = request_alloc(who, r);

		if (unlikely(!p))
			failures++;
		else if (by_rcu)
			request_free_rcu(who, p);
		else
			request_free(who, r, p);
	}
	gospan_bench_window_close(job, start);
	job->failures += failures;
}

static __always_inline void alloc_loop(const enum gospan_bench_allocator who,
				       struct gospan_bench_job *job, u32 n)
{
	const struct request r = job_request(job);
	void **next = job->objects + job->nr_live;
	u64 failures = 0;
	struct gospan_bench_window start = gospan_bench_window_open();

	while (n--) {
		void *p = request_alloc(who, r);

		if (likely(p))
			*next++ = p;
		else
			failures++;
	}
	gospan_bench_window_close(job, start);
	job->nr_live = next - job->objects;
	job->failures += failures;
}

static __always_inline void free_loop(const enum gospan_bench_allocator who,
				      struct gospan_bench_job *job,
				      void *const *objects, u32 n)
{
	const struct request r = job_request(job);
	struct gospan_bench_window start = gospan_bench_window_open();

	while (n--)
		request_free(who, r, *objects++);
	gospan_bench_window_close(job, start);
}

static __always_inline void mix_loop(const enum gospan_bench_allocator who,
				     struct gospan_bench_job *job, u32 from, u32 n)
{
	const struct gospan_mix_op *op = job->ops + from;
	struct request r = job_request(job);
	void **objects = job->objects;
	u64 failures = 0;
	struct gospan_bench_window start = gospan_bench_window_open();

	for (; n--; op++) {
		void **slot = objects + op->slot;
		void *p = *slot;

		r.size = op->size & ~GOSPAN_MIX_FREE;
		if (who == GOSPAN_ALLOCATOR_PAGES)
			r.order = get_order(r.size);
		if (!(op->size & GOSPAN_MIX_FREE)) {
			*slot = request_alloc(who, r);
			failures += !*slot;
		} else if (likely(p)) {
			request_free(who, r, p);
			*slot = NULL;
		}
	}
	gospan_bench_window_close(job, start);
	job->failures += failures;
}

static __always_inline void bulk_loop(const enum gospan_bench_allocator who,
				      struct gospan_bench_job *job, u32 n)
{
	const struct request r = job_request(job);
	void **objects = job->objects;
	u32 nr_call = job->nr_call;
	u64 failures = 0;
	struct gospan_bench_window start = gospan_bench_window_open();

	while (n--) {
		if (likely(request_alloc_bulk(who, r, nr_call, objects)))
			request_free_bulk(who, r, nr_call, objects);
		else
			failures += nr_call;
	}
	gospan_bench_window_close(job, start);
	job->failures += failures;
}

/*
 * What a lock or a reference count does: the CPU must have the line each time. Plain
 * writes would wait for it together, in the CPU's store buffer.
 */
static __always_inline void write_loop(const enum gospan_bench_allocator who,
				       struct gospan_bench_job *job, u32 n)
{
	u8 *own = job->own;
	struct gospan_bench_window start = gospan_bench_window_open();

	while (n--) {
		if (who == GOSPAN_ALLOCATOR_EMPTY)
			barrier();
		else
			xchg(own, (u8)n);
	}
	gospan_bench_window_close(job, start);
}

#define DEFINE_LOOPS(name, who)							\
static noinline void time_##name##_pair(struct gospan_bench_job *job, u32 n)	\
{										\
	pair_loop(GOSPAN_ALLOCATOR_##who, job, n, false);			\
}										\
										\
static noinline void time_##name##_alloc(struct gospan_bench_job *job, u32 n)	\
{										\
	alloc_loop(GOSPAN_ALLOCATOR_##who, job, n);				\
}										\
										\
static noinline void time_##name##_free(struct gospan_bench_job *job,		\
					void *const *objects, u32 n)		\
{										\
	free_loop(GOSPAN_ALLOCATOR_##who, job, objects, n);			\
}										\
										\
static noinline void *call_##name##_alloc(const struct gospan_bench_job *job,	\
					  size_t size)				\
{										\
	return request_alloc(GOSPAN_ALLOCATOR_##who,				\
			     sized_request(GOSPAN_ALLOCATOR_##who, job, size));	\
}										\
										\
static noinline void call_##name##_free(const struct gospan_bench_job *job,	\
					void *p, size_t size)			\
{										\
	request_free(GOSPAN_ALLOCATOR_##who,					\
		     sized_request(GOSPAN_ALLOCATOR_##who, job, size), p);	\
}

#define DEFINE_MIX_LOOP(name, who)						\
static noinline void time_##name##_mix(struct gospan_bench_job *job,		\
				       u32 from, u32 n)				\
{										\
	mix_loop(GOSPAN_ALLOCATOR_##who, job, from, n);				\
}

#define DEFINE_BULK_LOOP(name, who)						\
static noinline void time_##name##_bulk(struct gospan_bench_job *job, u32 n)	\
{										\
	bulk_loop(GOSPAN_ALLOCATOR_##who, job, n);				\
}

#define DEFINE_WRITE_LOOP(name, who)						\
static noinline void time_##name##_write(struct gospan_bench_job *job, u32 n)	\
{										\
	write_loop(GOSPAN_ALLOCATOR_##who, job, n);				\
}

#define DEFINE_FLOOD_LOOP(name, who)						\
static noinline void time_##name##_flood(struct gospan_bench_job *job, u32 n)	\
{										\
	pair_loop(GOSPAN_ALLOCATOR_##who, job, n, true);			\
}

DEFINE_LOOPS(empty, EMPTY)
DEFINE_LOOPS(gospan, GOSPAN)
DEFINE_LOOPS(kmalloc, KMALLOC)
DEFINE_LOOPS(kmem_cache, KMEM_CACHE)
DEFINE_LOOPS(pages, PAGES)
DEFINE_LOOPS(span, SPAN)
DEFINE_LOOPS(noscan, NOSCAN)
DEFINE_LOOPS(cache, CACHE)
DEFINE_LOOPS(limit, LIMIT)

DEFINE_MIX_LOOP(empty, EMPTY)
DEFINE_MIX_LOOP(gospan, GOSPAN)
DEFINE_MIX_LOOP(kmalloc, KMALLOC)
DEFINE_MIX_LOOP(pages, PAGES)
DEFINE_MIX_LOOP(noscan, NOSCAN)
DEFINE_MIX_LOOP(limit, LIMIT)

DEFINE_BULK_LOOP(empty, EMPTY)
DEFINE_BULK_LOOP(gospan, GOSPAN)
DEFINE_BULK_LOOP(kmem_cache, KMEM_CACHE)
DEFINE_BULK_LOOP(cache, CACHE)

DEFINE_FLOOD_LOOP(empty, EMPTY)
DEFINE_FLOOD_LOOP(gospan, GOSPAN)
DEFINE_FLOOD_LOOP(kmalloc, KMALLOC)

/* Where objects come from makes no difference to who writes to them. */
DEFINE_WRITE_LOOP(empty, EMPTY)
DEFINE_WRITE_LOOP(object, GOSPAN)

#define LOOPS(name)								\
	.pair = time_##name##_pair,						\
	.alloc = time_##name##_alloc,						\
	.free = time_##name##_free

const struct gospan_bench_loops gospan_bench_loops[GOSPAN_NR_ALLOCATORS] = {
	[GOSPAN_ALLOCATOR_EMPTY] = {
		LOOPS(empty), .mix = time_empty_mix, .bulk = time_empty_bulk,
		.write = time_empty_write, .flood = time_empty_flood,
	},
	[GOSPAN_ALLOCATOR_GOSPAN] = {
		LOOPS(gospan), .mix = time_gospan_mix, .bulk = time_gospan_bulk,
		.write = time_object_write, .flood = time_gospan_flood,
	},
	[GOSPAN_ALLOCATOR_KMALLOC] = {
		LOOPS(kmalloc), .mix = time_kmalloc_mix, .write = time_object_write,
		.flood = time_kmalloc_flood,
	},
	[GOSPAN_ALLOCATOR_KMEM_CACHE] = {
		LOOPS(kmem_cache), .bulk = time_kmem_cache_bulk, .write = time_object_write,
	},
	[GOSPAN_ALLOCATOR_PAGES] = { LOOPS(pages), .mix = time_pages_mix },
	[GOSPAN_ALLOCATOR_SPAN] = { LOOPS(span) },
	[GOSPAN_ALLOCATOR_NOSCAN] = {
		LOOPS(noscan), .mix = time_noscan_mix, .write = time_object_write,
	},
	[GOSPAN_ALLOCATOR_CACHE] = {
		LOOPS(cache), .bulk = time_cache_bulk, .write = time_object_write,
	},
	[GOSPAN_ALLOCATOR_LIMIT] = { LOOPS(limit), .mix = time_limit_mix },
};

#define CALLS(name)	{ .alloc = call_##name##_alloc, .free = call_##name##_free }

const struct gospan_bench_calls gospan_bench_calls[GOSPAN_NR_ALLOCATORS] = {
	[GOSPAN_ALLOCATOR_EMPTY] = CALLS(empty),
	[GOSPAN_ALLOCATOR_GOSPAN] = CALLS(gospan),
	[GOSPAN_ALLOCATOR_KMALLOC] = CALLS(kmalloc),
	[GOSPAN_ALLOCATOR_KMEM_CACHE] = CALLS(kmem_cache),
	[GOSPAN_ALLOCATOR_PAGES] = CALLS(pages),
	[GOSPAN_ALLOCATOR_SPAN] = CALLS(span),
	[GOSPAN_ALLOCATOR_NOSCAN] = CALLS(noscan),
	[GOSPAN_ALLOCATOR_CACHE] = CALLS(cache),
	[GOSPAN_ALLOCATOR_LIMIT] = CALLS(limit),
};
