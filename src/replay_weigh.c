// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the live objects of a replay take: the slots that they lie in, and the
 * spans or slabs that hold at least one of them.
 *
 * The objects are sorted by the size of their slots, then by span and by slot:
 * a size is a row of its own, and nothing is counted twice. No span and no slab
 * has slots of two sizes, so the rows add up to the whole.
 */

#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include "bench_extent.h"
#include "replay.h"

struct weight {
	struct gospan_extent slot;
	struct gospan_extent span;
	u32 asked;
};

/* Whose slots and spans the objects are in. */
static enum gospan_bench_allocator replay_owner(const struct gospan_replay_run *run)
{
	switch (run->who) {
	case GOSPAN_REPLAY_GOSPAN:
	case GOSPAN_REPLAY_NOSCAN:
	case GOSPAN_REPLAY_GOSPAN_CACHE:
		return GOSPAN_ALLOCATOR_GOSPAN;
	case GOSPAN_REPLAY_KMALLOC:
	case GOSPAN_REPLAY_KMEM_CACHE:
		return GOSPAN_ALLOCATOR_KMALLOC;
	default:
		return GOSPAN_ALLOCATOR_EMPTY;
	}
}

static int number_cmp(unsigned long a, unsigned long b)
{
	return a < b ? -1 : a > b;
}

static int weight_cmp(const void *a, const void *b)
{
	const struct weight *x = a, *y = b;

	/* A million of them take seconds in an emulator. */
	cond_resched();
	return number_cmp(x->slot.bytes, y->slot.bytes) ?:
	       number_cmp(x->span.base, y->span.base) ?: number_cmp(x->slot.base, y->slot.base);
}

/* All live objects, sorted; as many as there are of them. */
static void weigh_objects(const struct gospan_replay_run *run, struct weight *weights)
{
	enum gospan_bench_allocator who = replay_owner(run);
	u64 n = 0;
	u32 i;

	for (i = 0; i < run->nr_ids; i++) {
		const struct gospan_replay_object *object = &run->object[i];
		struct weight *w = &weights[n];

		cond_resched();
		if (!object->live)
			continue;
		n++;
		*w = (struct weight){ .asked = object->size };
		if (!object->size)
			continue;
		w->slot = gospan_extent_of_slot(who, object->p, object->size);
		w->span = gospan_extent_of_span(who, object->p, object->size);
	}
	sort(weights, n, sizeof(*weights), weight_cmp, NULL);
}

/* The row of the objects from @w on that have slots of one size; returns how many they are. */
static u64 weigh_class(const struct weight *w, u64 n, struct gospan_replay_class *row)
{
	u64 i;

	*row = (struct gospan_replay_class){ .slot_bytes = w->slot.bytes };
	for (i = 0; i < n && w[i].slot.bytes == w->slot.bytes; i++) {
		bool new_span = !i || w[i].span.base != w[i - 1].span.base;
		bool new_slot = !i || w[i].slot.base != w[i - 1].slot.base;

		row->live++;
		row->bytes_asked += w[i].asked;
		row->nr_held += new_span;
		row->bytes_held += new_span ? w[i].span.bytes : 0;
		row->bytes_rounded += new_slot ? w[i].slot.bytes : 0;
	}
	return i;
}

static void sample_add(struct gospan_replay_sample *sample, const struct gospan_replay_class *row)
{
	sample->live += row->live;
	sample->bytes_asked += row->bytes_asked;
	sample->live_slots += row->slot_bytes ? div_u64(row->bytes_rounded, row->slot_bytes) : 0;
	sample->bytes_rounded += row->bytes_rounded;
	sample->bytes_held += row->bytes_held;
}

static u64 bytes_inuse(struct gospan_replay_run *run)
{
	if (replay_owner(run) != GOSPAN_ALLOCATOR_GOSPAN)
		return 0;
	gospan_read_stats(&run->stats);
	return run->stats.heap_inuse;
}

/**
 * gospan_replay_weigh() - add up what the live objects take
 * @run: replay
 * @sample: filled in
 * @rows: whose classes are filled in; NULL if nobody wants them
 *
 * Objects without a slot, all those of EMPTY and those of no bytes, are in no row.
 *
 * Context: As gospan_replay_window().
 * Return: 0, or -ENOMEM.
 */
int gospan_replay_weigh(struct gospan_replay_run *run, struct gospan_replay_sample *sample,
			struct gospan_replay_plan *rows)
{
	struct gospan_replay_class row;
	struct weight *weights;
	u64 i;

	*sample = (struct gospan_replay_sample){ .at = run->result.nr_done };
	sample->bytes_inuse = bytes_inuse(run);
	weights = kvmalloc_array(max_t(u64, run->nr_live, 1), sizeof(*weights),
				 GOSPAN_REPLAY_GFP);
	if (!weights)
		return -ENOMEM;
	weigh_objects(run, weights);
	for (i = 0; i < run->nr_live; ) {
		i += weigh_class(weights + i, run->nr_live - i, &row);
		sample_add(sample, &row);
		if (!rows || !row.slot_bytes)
			continue;
		if (rows->nr_classes < rows->max_classes)
			rows->classes[rows->nr_classes] = row;
		rows->nr_classes++;
	}
	kvfree(weights);
	return 0;
}
