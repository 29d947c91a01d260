// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay: the allocations of a recorded program, done again in the kernel.
 *
 * The steps come in order, each naming an object by a small number; a table has
 * what lives under each. A step that cannot be - an object that is live already,
 * or not live - ends the replay: nothing that a stream says reaches an allocator
 * unchecked. The check costs the same whoever allocates; the EMPTY allocator
 * tells how much.
 *
 * Between steps nothing of ours is allocated, so that the objects of the stream
 * lie as they would lie if the program had asked the allocator itself. Where the
 * caller wants it they are weighed: the slots and spans that they lie in.
 *
 * One task does all steps, in windows; in between it reschedules and looks for
 * signals.
 */

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "bench_extent.h"
#include "bench_loop.h"
#include "bench_ticks.h"
#include "replay.h"

/* Bytes that the steps of a window may zero or move, before others may run. */
#define WINDOW_BYTES	SZ_4M

/* An object that cannot be had ends the replay: it is no reason to kill someone. */
#define REPLAY_GFP	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

struct replay_object {
	void *p;
	u32 size;	/* bytes asked for */
	bool live;
};

/* Of one task. */
struct gospan_replay_run {
	enum gospan_replay_allocator who;
	u32 nr_ids;
	u64 weigh_at;
	u64 limit_bytes;	/* that the live objects may ask for, all together */
	u64 live_bytes;		/* that they do */
	u64 nr_live;
	u64 slots_before;	/* slots_taken() at the start */
	struct gospan_replay_result result;	/* so far */
	struct gospan_memstats stats;	/* too large for the stack */
	struct replay_object object[];	/* by id */
};

/* Slots taken since load. The rows count slots, whatever shares them. */
static u64 slots_taken(struct gospan_memstats *stats)
{
	u64 slots = 0;
	u32 i;

	gospan_read_stats(stats);
	for (i = 0; i < GOSPAN_NR_SIZECLASSES; i++)
		slots += stats->by_size[i].mallocs;
	return slots;
}

static bool op_valid(const struct gospan_replay_op *op, const struct replay_object *object)
{
	if (op->size > KMALLOC_MAX_SIZE)
		return false;
	switch (op->kind) {
	case GOSPAN_OP_ALLOC:
		return !(op->flags & ~(GOSPAN_OP_ZERO | GOSPAN_OP_NOSCAN)) && !object->live;
	case GOSPAN_OP_REALLOC:
		return !op->flags && object->live;
	case GOSPAN_OP_FREE:
		return !op->flags && !op->size && object->live;
	default:
		return false;
	}
}

static __always_inline void *object_alloc(const enum gospan_replay_allocator who, size_t size,
					  bool noscan, gfp_t gfp)
{
	switch (who) {
	case GOSPAN_REPLAY_GOSPAN:
		return gospan_alloc(size, gfp);
	case GOSPAN_REPLAY_NOSCAN:
		return noscan ? gospan_alloc_noscan(size, gfp) : gospan_alloc(size, gfp);
	case GOSPAN_REPLAY_KMALLOC:
		return kmalloc(size, gfp);
	default:
		/* NULL would be a failure. */
		return gospan_bench_empty_alloc(size + 1, gfp);
	}
}

static __always_inline void object_free(const enum gospan_replay_allocator who, const void *p)
{
	switch (who) {
	case GOSPAN_REPLAY_GOSPAN:
	case GOSPAN_REPLAY_NOSCAN:
		return gospan_free(p);
	case GOSPAN_REPLAY_KMALLOC:
		return kfree(p);
	default:
		return gospan_bench_empty_free(p);
	}
}

static __always_inline void *object_realloc(const enum gospan_replay_allocator who,
					    const void *p, size_t size, gfp_t gfp)
{
	switch (who) {
	case GOSPAN_REPLAY_GOSPAN:
	case GOSPAN_REPLAY_NOSCAN:
		return gospan_realloc(p, size, gfp);
	case GOSPAN_REPLAY_KMALLOC:
		return krealloc(p, size, gfp);
	default:
		return gospan_bench_empty_alloc(size + 1, gfp);
	}
}

static __always_inline int op_alloc(struct gospan_replay_run *run,
				    const enum gospan_replay_allocator who,
				    const struct gospan_replay_op *op,
				    struct replay_object *object)
{
	gfp_t gfp = REPLAY_GFP | (op->flags & GOSPAN_OP_ZERO ? __GFP_ZERO : 0);
	void *p;

	if (run->live_bytes + op->size > run->limit_bytes)
		return -ENOMEM;
	p = object_alloc(who, op->size, op->flags & GOSPAN_OP_NOSCAN, gfp);
	if (!p)
		return -ENOMEM;
	*object = (struct replay_object){ p, op->size, true };
	run->live_bytes += op->size;
	run->nr_live++;
	run->result.allocs++;
	run->result.slots += op->size > 0;
	return 0;
}

static __always_inline int op_realloc(struct gospan_replay_run *run,
				      const enum gospan_replay_allocator who,
				      const struct gospan_replay_op *op,
				      struct replay_object *object)
{
	u64 live_bytes = run->live_bytes - object->size + op->size;
	void *p;

	if (live_bytes > run->limit_bytes)
		return -ENOMEM;
	p = object_realloc(who, object->p, op->size, REPLAY_GFP);
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
				    struct replay_object *object)
{
	object_free(who, object->p);
	object->live = false;
	run->live_bytes -= object->size;
	run->nr_live--;
	run->result.frees++;
}

static __always_inline int op_do(struct gospan_replay_run *run,
				 const enum gospan_replay_allocator who,
				 const struct gospan_replay_op *op)
{
	struct replay_object *object;

	if (op->id >= run->nr_ids)
		return -EINVAL;
	object = &run->object[array_index_nospec(op->id, run->nr_ids)];
	if (!op_valid(op, object))
		return -EINVAL;
	if (op->kind == GOSPAN_OP_ALLOC)
		return op_alloc(run, who, op, object);
	if (op->kind == GOSPAN_OP_REALLOC)
		return op_realloc(run, who, op, object);
	op_free(run, who, object);
	return 0;
}

/* Do up to @n steps, fewer when they move many bytes; counts them. */
static __always_inline int window_steps(struct gospan_replay_run *run,
					const enum gospan_replay_allocator who,
					const struct gospan_replay_op *ops, u32 n)
{
	u64 bytes = 0;
	int err = 0;
	u32 i;

	for (i = 0; i < n && bytes < WINDOW_BYTES; i++) {
		err = op_do(run, who, &ops[i]);
		if (err)
			break;
		bytes += ops[i].size;
	}
	run->result.nr_done += i;
	return err;
}

/* Compiled once for each allocator: the loops differ in nothing but what they call. */
static int replay_window(struct gospan_replay_run *run, const struct gospan_replay_op *ops, u32 n)
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
	default:
		err = window_steps(run, GOSPAN_REPLAY_EMPTY, ops, n);
		break;
	}
	run->result.ticks += gospan_bench_ticks() - ticks;
	run->result.ns += ktime_get_ns() - ns;
	return err;
}

/* Whose slots and spans the objects are in. */
static enum gospan_bench_allocator replay_owner(const struct gospan_replay_run *run)
{
	switch (run->who) {
	case GOSPAN_REPLAY_GOSPAN:
	case GOSPAN_REPLAY_NOSCAN:
		return GOSPAN_ALLOCATOR_GOSPAN;
	case GOSPAN_REPLAY_KMALLOC:
		return GOSPAN_ALLOCATOR_KMALLOC;
	default:
		return GOSPAN_ALLOCATOR_EMPTY;
	}
}

/* The extents of all live objects; as many as there are of them. */
static void replay_extents(const struct gospan_replay_run *run,
			   struct gospan_extent (*extent_of)(enum gospan_bench_allocator who,
							     const void *p, size_t size),
			   struct gospan_extent *extents)
{
	enum gospan_bench_allocator who = replay_owner(run);
	u64 n = 0;
	u32 i;

	for (i = 0; i < run->nr_ids; i++) {
		const struct replay_object *object = &run->object[i];

		cond_resched();
		if (!object->live)
			continue;
		extents[n++] = object->size ? extent_of(who, object->p, object->size) :
					      (struct gospan_extent){};
	}
}

static int replay_weigh(struct gospan_replay_run *run)
{
	struct gospan_extent_sum slots, spans;
	struct gospan_extent *extents;

	extents = kvmalloc_array(max_t(u64, run->nr_live, 1), sizeof(*extents), REPLAY_GFP);
	if (!extents)
		return -ENOMEM;
	replay_extents(run, gospan_extent_of_slot, extents);
	slots = gospan_extent_add_up(extents, run->nr_live);
	replay_extents(run, gospan_extent_of_span, extents);
	spans = gospan_extent_add_up(extents, run->nr_live);
	run->result.live = run->nr_live;
	run->result.bytes_asked = run->live_bytes;
	run->result.live_slots = slots.nr;
	run->result.bytes_rounded = slots.bytes;
	run->result.bytes_held = spans.bytes;
	kvfree(extents);
	return 0;
}

/**
 * gospan_replay_begin() - start a replay
 * @arg: what user space asks for
 *
 * Context: Task; sleeps.
 * Return: the replay, for gospan_replay_feed() and gospan_replay_end(); -EINVAL
 * for a field out of range, -ENOMEM when the table of ids cannot be had, or is
 * more than half of the memory available.
 */
struct gospan_replay_run *gospan_replay_begin(const struct gospan_replay *arg)
{
	u64 limit = (u64)max(si_mem_available(), 0L) * PAGE_SIZE / 2;
	struct gospan_replay_run *run;
	size_t bytes;

	if (arg->allocator >= GOSPAN_NR_REPLAYERS || arg->flags || arg->reserved)
		return ERR_PTR(-EINVAL);
	if (!arg->nr_ops || arg->weigh_at > arg->nr_ops)
		return ERR_PTR(-EINVAL);
	if (!arg->nr_ids || arg->nr_ids > GOSPAN_REPLAY_MAX_IDS)
		return ERR_PTR(-EINVAL);
	bytes = struct_size(run, object, arg->nr_ids);
	if (bytes > limit)
		return ERR_PTR(-ENOMEM);
	run = kvzalloc(bytes, REPLAY_GFP);
	if (!run)
		return ERR_PTR(-ENOMEM);
	run->who = arg->allocator;
	run->nr_ids = arg->nr_ids;
	run->weigh_at = arg->weigh_at;
	run->limit_bytes = limit - bytes;
	run->slots_before = slots_taken(&run->stats);
	return run;
}

/**
 * gospan_replay_feed() - replay some more steps
 * @run: replay
 * @ops: the next steps
 * @n: how many
 *
 * Context: The task that began the replay. Sleeps.
 * Return: 0; or -EINVAL for a step that cannot be, -ENOMEM, or -EINTR when a
 * signal is pending: the replay then has to end.
 */
int gospan_replay_feed(struct gospan_replay_run *run, const struct gospan_replay_op *ops, u32 n)
{
	u64 goal = run->result.nr_done + n;
	int err;

	while (run->result.nr_done < goal) {
		u64 done = run->result.nr_done;
		u64 stop = done < run->weigh_at ? min(goal, run->weigh_at) : goal;

		if (signal_pending(current))
			return -EINTR;
		err = replay_window(run, ops + n - (goal - done), stop - done);
		if (!err && run->result.nr_done == run->weigh_at)
			err = replay_weigh(run);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static void replay_free_live(struct gospan_replay_run *run)
{
	u32 i;

	for (i = 0; i < run->nr_ids; i++) {
		cond_resched();
		if (!run->object[i].live)
			continue;
		if (run->who == GOSPAN_REPLAY_KMALLOC)
			kfree(run->object[i].p);
		else if (run->who != GOSPAN_REPLAY_EMPTY)
			gospan_free(run->object[i].p);
	}
}

/**
 * gospan_replay_end() - free what lives still, and say what the replay came to
 * @run: replay, which is gone afterwards
 * @result: filled in, also after an error
 *
 * Context: As gospan_replay_feed().
 */
void gospan_replay_end(struct gospan_replay_run *run, struct gospan_replay_result *result)
{
	if (run->who == GOSPAN_REPLAY_EMPTY)
		run->result.slots = 0;
	else if (run->who != GOSPAN_REPLAY_KMALLOC)
		run->result.slots = slots_taken(&run->stats) - run->slots_before;
	replay_free_live(run);
	*result = run->result;
	kvfree(run);
}
