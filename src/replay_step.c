// SPDX-License-Identifier: GPL-2.0-only
/*
 * The steps of a replay, in windows that are timed.
 *
 * Each step names an object by a small number; a table has what lives under
 * each. A step that cannot be - an object that is live already, or not live -
 * ends the replay: nothing that a stream says reaches an allocator unchecked.
 * The check costs the same whoever allocates; the EMPTY allocator tells how much.
 */

#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "bench_loop.h"
#include "bench_ticks.h"
#include "replay.h"

/* Bytes that the steps of a window may zero or move, before others may run. */
#define WINDOW_BYTES	SZ_4M

static bool alloc_valid(const struct gospan_replay_run *run, const struct gospan_replay_op *op)
{
	const u8 flags = GOSPAN_OP_ZERO | GOSPAN_OP_NOSCAN | GOSPAN_OP_CACHE;

	if (op->flags & ~flags)
		return false;
	return op->size < (op->flags & GOSPAN_OP_CACHE ? run->plan->nr_caches :
							 KMALLOC_MAX_SIZE + 1);
}

static bool op_valid(const struct gospan_replay_run *run, const struct gospan_replay_op *op,
		     const struct gospan_replay_object *object)
{
	switch (op->kind) {
	case GOSPAN_OP_ALLOC:
		return !object->live && alloc_valid(run, op);
	case GOSPAN_OP_REALLOC:
		return !op->flags && op->size <= KMALLOC_MAX_SIZE && object->live && !object->cache;
	case GOSPAN_OP_FREE:
		return !op->flags && !op->size && object->live;
	default:
		return false;
	}
}

/* Allocates object->size bytes. */
static __always_inline void *object_alloc(struct gospan_replay_run *run,
					  const enum gospan_replay_allocator who,
					  const struct gospan_replay_object *object, bool noscan,
					  gfp_t gfp)
{
	switch (who) {
	case GOSPAN_REPLAY_GOSPAN:
		return gospan_alloc(object->size, gfp);
	case GOSPAN_REPLAY_NOSCAN:
		return noscan ? gospan_alloc_noscan(object->size, gfp) :
				gospan_alloc(object->size, gfp);
	case GOSPAN_REPLAY_KMALLOC:
		return kmalloc(object->size, gfp);
	case GOSPAN_REPLAY_KMEM_CACHE:
		return object->cache ? kmem_cache_alloc(run->caches[object->cache - 1], gfp) :
				       kmalloc(object->size, gfp);
	case GOSPAN_REPLAY_GOSPAN_CACHE:
		return object->cache ? gospan_cache_alloc(run->caches[object->cache - 1], gfp) :
				       gospan_alloc(object->size, gfp);
	default:
		/* NULL would be a failure. */
		return gospan_bench_empty_alloc(object->size + 1, gfp);
	}
}

static __always_inline void object_free(struct gospan_replay_run *run,
					const enum gospan_replay_allocator who,
					const struct gospan_replay_object *object)
{
	switch (who) {
	case GOSPAN_REPLAY_GOSPAN:
	case GOSPAN_REPLAY_NOSCAN:
		return gospan_free(object->p);
	case GOSPAN_REPLAY_KMALLOC:
		return kfree(object->p);
	case GOSPAN_REPLAY_KMEM_CACHE:
		if (object->cache)
			kmem_cache_free(run->caches[object->cache - 1], object->p);
		else
			kfree(object->p);
		return;
	case GOSPAN_REPLAY_GOSPAN_CACHE:
		if (object->cache)
			gospan_cache_free(run->caches[object->cache - 1], object->p);
		else
			gospan_free(object->p);
		return;
	default:
		return gospan_bench_empty_free(object->p);
	}
}

static __always_inline void *object_realloc(const enum gospan_replay_allocator who,
					    const void *p, size_t size, gfp_t gfp)
{
	switch (who) {
	case GOSPAN_REPLAY_GOSPAN:
	case GOSPAN_REPLAY_NOSCAN:
	case GOSPAN_REPLAY_GOSPAN_CACHE:
		return gospan_realloc(p, size, gfp);
	case GOSPAN_REPLAY_KMALLOC:
	case GOSPAN_REPLAY_KMEM_CACHE:
		return krealloc(p, size, gfp);
	default:
		return gospan_bench_empty_alloc(size + 1, gfp);
	}
}

static __always_inline int op_alloc(struct gospan_replay_run *run,
				    const enum gospan_replay_allocator who,
				    const struct gospan_replay_op *op,
				    struct gospan_replay_object *object)
{
	gfp_t gfp = GOSPAN_REPLAY_GFP | (op->flags & GOSPAN_OP_ZERO ? __GFP_ZERO : 0);

	object->size = op->size;
	object->cache = 0;
	if (op->flags & GOSPAN_OP_CACHE) {
		u32 nr = array_index_nospec(op->size, run->plan->nr_caches);

		object->size = run->plan->caches[nr].size;
		object->cache = nr + 1;
	}
	if (run->live_bytes + object->size > run->limit_bytes)
		return -ENOMEM;
	object->p = object_alloc(run, who, object, op->flags & GOSPAN_OP_NOSCAN, gfp);
	if (!object->p)
		return -ENOMEM;
	object->live = true;
	run->live_bytes += object->size;
	run->nr_live++;
	run->result.allocs++;
	run->result.slots += object->size > 0;
	return 0;
}

static __always_inline int op_realloc(struct gospan_replay_run *run,
				      const enum gospan_replay_allocator who,
				      const struct gospan_replay_op *op,
				      struct gospan_replay_object *object)
{
	u64 live_bytes = run->live_bytes - object->size + op->size;
	void *p;

	if (live_bytes > run->limit_bytes)
		return -ENOMEM;
	p = object_realloc(who, object->p, op->size, GOSPAN_REPLAY_GFP);
	if (!p)
		return -ENOMEM;
	run->result.slots += p != object->p && op->size;
	run->result.reallocs++;
	run->live_bytes = live_bytes;
	object->p = p;
	object->size = op->size;
	return 0;
}

static __always_inline void op_free(struct gospan_replay_run *run,
				    const enum gospan_replay_allocator who,
				    struct gospan_replay_object *object)
{
	object_free(run, who, object);
	object->live = false;
	run->live_bytes -= object->size;
	run->nr_live--;
	run->result.frees++;
}

/* Sets @bytes to what the step zeroed or moved, at most. */
static __always_inline int op_do(struct gospan_replay_run *run,
				 const enum gospan_replay_allocator who,
				 const struct gospan_replay_op *op, u32 *bytes)
{
	struct gospan_replay_object *object;
	int err;

	if (op->id >= run->nr_ids)
		return -EINVAL;
	object = &run->object[array_index_nospec(op->id, run->nr_ids)];
	if (!op_valid(run, op, object))
		return -EINVAL;
	*bytes = 0;
	if (op->kind == GOSPAN_OP_FREE) {
		op_free(run, who, object);
		return 0;
	}
	if (op->kind == GOSPAN_OP_ALLOC)
		err = op_alloc(run, who, op, object);
	else
		err = op_realloc(run, who, op, object);
	*bytes = object->size;
	return err;
}

/* Do up to @n steps, fewer when they move many bytes; counts them. */
static __always_inline int window_steps(struct gospan_replay_run *run,
					const enum gospan_replay_allocator who,
					const struct gospan_replay_op *ops, u32 n)
{
	u64 moved = 0;
	int err = 0;
	u32 i, bytes;

	for (i = 0; i < n && moved < WINDOW_BYTES; i++) {
		err = op_do(run, who, &ops[i], &bytes);
		if (err)
			break;
		moved += bytes;
	}
	run->result.nr_done += i;
	return err;
}

/**
 * gospan_replay_window() - do some steps, and add their time to the result
 * @run: replay
 * @ops: the next steps
 * @n: how many there are; some are left undone where they move many bytes
 *
 * Compiled once for each allocator: the loops differ in nothing but what they call.
 *
 * Context: Task, nobody else uses @run meanwhile. Sleeps.
 * Return: 0; or -EINVAL for a step that cannot be, or -ENOMEM.
 */
int gospan_replay_window(struct gospan_replay_run *run, const struct gospan_replay_op *ops, u32 n)
{
	u64 ns = ktime_get_ns(), ticks = gospan_bench_ticks();
	int err;

	switch (run->who) {
	case GOSPAN_REPLAY_GOSPAN:
		err = window_steps(run, GOSPAN_REPLAY_GOSPAN, ops, n);
		break;
	case GOSPAN_REPLAY_NOSCAN:
		err = window_steps(run, GOSPAN_REPLAY_NOSCAN, ops, n);
		break;
	case GOSPAN_REPLAY_KMALLOC:
		err = window_steps(run, GOSPAN_REPLAY_KMALLOC, ops, n);
		break;
	case GOSPAN_REPLAY_KMEM_CACHE:
		err = window_steps(run, GOSPAN_REPLAY_KMEM_CACHE, ops, n);
		break;
	case GOSPAN_REPLAY_GOSPAN_CACHE:
		err = window_steps(run, GOSPAN_REPLAY_GOSPAN_CACHE, ops, n);
		break;
	default:
		err = window_steps(run, GOSPAN_REPLAY_EMPTY, ops, n);
		break;
	}
	run->result.ticks += gospan_bench_ticks() - ticks;
	run->result.ns += ktime_get_ns() - ns;
	return err;
}

static void free_object(struct gospan_replay_run *run, const struct gospan_replay_object *object)
{
	switch (run->who) {
	case GOSPAN_REPLAY_EMPTY:
		return;
	case GOSPAN_REPLAY_KMALLOC:
		return object_free(run, GOSPAN_REPLAY_KMALLOC, object);
	case GOSPAN_REPLAY_KMEM_CACHE:
		return object_free(run, GOSPAN_REPLAY_KMEM_CACHE, object);
	case GOSPAN_REPLAY_GOSPAN_CACHE:
		return object_free(run, GOSPAN_REPLAY_GOSPAN_CACHE, object);
	default:
		return object_free(run, GOSPAN_REPLAY_GOSPAN, object);
	}
}

/* Free what lives. Context: As gospan_replay_window(). */
void gospan_replay_free_live(struct gospan_replay_run *run)
{
	u32 i;

	for (i = 0; i < run->nr_ids; i++) {
		cond_resched();
		if (!run->object[i].live)
			continue;
		free_object(run, &run->object[i]);
		run->object[i].live = false;
	}
}
