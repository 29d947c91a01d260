/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's threads, and what a workload is to them.
 */
#ifndef _GOSPAN_BENCH_WORKER_H
#define _GOSPAN_BENCH_WORKER_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/prandom.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/gospan.h>
#include "bench_loop.h"

struct gospan_bench_held;
struct gospan_bench_run;
struct gospan_extent;
struct gospan_stream_kind;
struct task_struct;

/* An allocation that cannot be had is a figure, not a reason to kill someone. */
#define GOSPAN_BENCH_GFP	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/* What the live objects come to at one moment. */
struct gospan_bench_usage {
	u64 asked;	/* bytes that they asked for */
	u64 rounded;	/* bytes that the allocator made of them */
	u64 held;	/* bytes of the spans or slabs that they lie in */
};

/* (c) constant while threads run  (w) written by that CPU's thread only */
struct gospan_bench_worker {
	struct gospan_bench_run *run;	/* (c) */
	struct task_struct *task;	/* (c) held until it has exited */
	struct gospan_bench_cpu *result; /* (w) */
	u32 cpu;			/* (c) */
	u32 idx;			/* (c) its place among the CPUs */
	u32 nr_table;			/* (c) entries of @job.objects */
	u64 ops[GOSPAN_BENCH_NR_PHASES]; /* (w) operations in a round; set by the shape's init */
	bool weighing;			/* (w) one more round, to see what its objects occupy */
	void **table;			/* (c) where @job.objects points to at first */
	struct gospan_bench_job job;	/* (w) @objects: by barriers also others' */
	struct rnd_state rnd;		/* (w) */
	void *own;			/* (w) the shape's */
	struct gospan_extent *extents;	/* (w) @nr_table of them when weighing */
	struct gospan_bench_usage usage; /* (w) of its objects; @held is the run's alone */
	/* (w) by phase: durations of the rounds, single operations */
	u64 *ticks[GOSPAN_BENCH_NR_PHASES];
	u64 *ns[GOSPAN_BENCH_NR_PHASES];
	struct gospan_histogram *latency[GOSPAN_BENCH_NR_PHASES];
};

/* Fields of struct gospan_bench that not every workload takes; the others must be 0. */
#define GOSPAN_TAKES_SIZE	BIT(0)
#define GOSPAN_TAKES_ORDER	BIT(1)
#define GOSPAN_TAKES_HELD	BIT(2)
#define GOSPAN_TAKES_LATENCY	BIT(3)	/* the flag */

/* Sets of allocators. */
#define GOSPAN_CAN(who)		BIT(GOSPAN_ALLOCATOR_##who)
#define GOSPAN_CAN_ALL		(BIT(GOSPAN_NR_ALLOCATORS) - 1)
/* Whose objects may be of any size. */
#define GOSPAN_CAN_SIZES	(GOSPAN_CAN_ALL & ~(GOSPAN_CAN(KMEM_CACHE) | GOSPAN_CAN(CACHE)))
/* Who may be called in hardirq context. */
#define GOSPAN_CAN_HARDIRQ	(GOSPAN_CAN_ALL & ~(GOSPAN_CAN(PAGES) | GOSPAN_CAN(SPAN) | \
						    GOSPAN_CAN(LIMIT)))
/* Whose objects may be written to; the loops know that EMPTY's may not. */
#define GOSPAN_CAN_WRITE	(GOSPAN_CAN_ALL & ~(GOSPAN_CAN(PAGES) | GOSPAN_CAN(SPAN) | \
						    GOSPAN_CAN(LIMIT)))

/* A workload. */
struct gospan_bench_shape {
	u32 allocators;		/* GOSPAN_CAN_*: that can do it */
	u32 fields;		/* GOSPAN_TAKES_*: that it takes */
	u32 cpus_multiple;	/* the number of CPUs is a multiple of it */
	u32 min_size;		/* bytes of an object at least; 0: 1 */
	u32 max_size;		/* at most; 0: KMALLOC_MAX_SIZE */
	const struct gospan_stream_kind *stream; /* which, if it is one; or NULL */
	/* Objects that the CPU with this place has at once, at most: its table. */
	u32 (*nr_live)(const struct gospan_bench *b, u32 nr_cpus, u32 idx);
	/* Bytes that it takes on each CPU beside the tables of objects; NULL: none. */
	u64 (*own_bytes)(const struct gospan_bench *b);
	/* On its thread: @ops, and what else it needs; 0, or why not. */
	int (*init)(struct gospan_bench_worker *w);
	/* Undo it, also after it failed; NULL: nothing to undo. */
	void (*destroy)(struct gospan_bench_worker *w);
	/* One round. Leaves nothing allocated, and meets as many barriers on all CPUs. */
	void (*round)(struct gospan_bench_worker *w, u32 round);
};

/* (c) constant while threads run  (a) atomic */
struct gospan_bench_run {
	const struct gospan_bench *b;	/* (c) what to do; checked */
	const struct gospan_bench_shape *shape;	/* (c) of the workload */
	const struct gospan_bench_loops *loops;	/* (c) of the allocator */
	struct kmem_cache *kmem_cache;	/* (c) for KMEM_CACHE */
	struct gospan_cache *cache;	/* (c) for CACHE */
	struct gospan_extent *extents;	/* when weighing: one for each entry of the tables */
	u64 nr_extents;			/* (c) */
	struct gospan_bench_usage peak;	/* written by the first worker, between barriers */
	struct gospan_bench_held *held;	/* what is kept in use meanwhile, or NULL */
	struct completion done;		/* the last thread is through */
	atomic_t nr_running;		/* (a) threads that are not */
	int error;			/* (a) the first reason to stop, or 0 */
	bool stop;			/* (a) set once; ends the run early */

	/* The barrier. */
	wait_queue_head_t wait;
	atomic_t nr_arrived;		/* (a) */
	unsigned int gate;		/* (a) barriers passed so far */
	u64 start_ns;			/* when to go on; published by @gate */
	bool go_on;			/* the verdict; published by @gate */

	unsigned int nr_workers;	/* (c) */
	struct gospan_bench_worker worker[];
};

static inline bool gospan_bench_stopped(const struct gospan_bench_run *run)
{
	return READ_ONCE(run->stop);
}

void gospan_bench_abort(struct gospan_bench_run *run, int error);
bool gospan_bench_barrier(struct gospan_bench_run *run);

int gospan_bench_worker_init(struct gospan_bench_worker *w);
void gospan_bench_worker_destroy(struct gospan_bench_worker *w);
void gospan_bench_worker_report(struct gospan_bench_worker *w);
void *gospan_bench_table(const struct gospan_bench_worker *w, size_t n, size_t size);

u32 gospan_bench_window_ops(const struct gospan_bench_worker *w, u32 left);
void gospan_bench_phase_start(struct gospan_bench_worker *w, unsigned int phase);
void gospan_bench_phase_end(struct gospan_bench_worker *w, unsigned int phase, u32 round);
void gospan_bench_alloc_all(struct gospan_bench_worker *w, u32 n);
void gospan_bench_free_all(struct gospan_bench_worker *w, void *const *objects, u32 n);
void gospan_bench_weigh(struct gospan_bench_worker *w, const u32 *sizes, u32 n);

/* The shapes, by family. */
extern const struct gospan_bench_shape gospan_bench_pair, gospan_bench_bulk;
extern const struct gospan_bench_shape gospan_bench_batch, gospan_bench_remote;
extern const struct gospan_bench_shape gospan_bench_write;
extern const struct gospan_bench_shape gospan_bench_mix;
extern const struct gospan_bench_shape gospan_bench_larson, gospan_bench_alloc_test;
extern const struct gospan_bench_shape gospan_bench_shbench, gospan_bench_rptest;
extern const struct gospan_bench_shape gospan_bench_mstress, gospan_bench_rcu_flood;
extern const struct gospan_bench_shape gospan_bench_hardirq;
extern const struct gospan_bench_shape gospan_bench_xmalloc, gospan_bench_fan_out;
extern const struct gospan_bench_shape gospan_bench_cycle, gospan_bench_fragment;
extern const struct gospan_bench_shape gospan_bench_thrash, gospan_bench_scratch;

#endif /* _GOSPAN_BENCH_WORKER_H */
