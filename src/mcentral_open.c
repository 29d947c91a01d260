// SPDX-License-Identifier: GPL-2.0-only
/*
 * Central lists: which there are, and what each has room for.
 *
 * Each node that may be has one of each spanclass. Those of the size classes are there from the
 * start, those of named caches come and go with these. How much may be in transit depends on
 * the objects' size, and on how many a span has.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "mcentral.h"

struct gospan_mcentral **gospan_centrals;

static unsigned int transit_bytes;
module_param(transit_bytes, uint, 0444);
MODULE_PARM_DESC(transit_bytes, "bytes of free objects of each kind that may be between CPUs, on each node, 64 times as much from 512 B on (default: a 1024th of memory, 64 KiB to 1 MiB; at most 16 MiB)");

/*
 * Where a span has few objects, that many times transit_bytes; and as many batches a slot as
 * elsewhere objects, as long as there are so many slots.
 */
#define FEW_TIMES	64U
#define FEW_SLOTS	8U

/* Of the transit of a spanclass. */
struct transit_size {
	unsigned int nr_slots;	/* 0: objects move one by one, or only by their spans */
	unsigned int room;	/* objects, of each slot */
};

static struct transit_size transit_size(unsigned int spanclass)
{
	struct transit_size size = { .room = gospan_spanclass_batch(spanclass) };
	unsigned long batch_bytes = size.room * gospan_spanclass_bytes(spanclass);
	unsigned long bytes = transit_bytes, n, left;

	if (!size.room)
		return size;
	if (gospan_mcentral_has_few(gospan_spanclass_layout(spanclass).nelems)) {
		bytes *= FEW_TIMES;
		n = clamp(bytes / batch_bytes / FEW_SLOTS, 1UL,
			  (unsigned long)GOSPAN_MAX_BATCH / size.room);
		/* A slot holds a whole number of whole magazines, unless that costs too much. */
		left = n % (gospan_spanclass_whole(spanclass) / size.room);
		if (left <= n / 8)
			n -= left;
		size.room *= n;
		batch_bytes *= n;
	}
	size.nr_slots = clamp(bytes / batch_bytes, 2UL, (unsigned long)GOSPAN_TRANSIT_MAX_SLOTS);
	return size;
}

/* Objects of @spanclass that may be in transit. */
unsigned int gospan_mcentral_max_transit(unsigned int spanclass)
{
	struct transit_size size = transit_size(spanclass);

	return size.nr_slots * size.room;
}

/* What their slots take. */
size_t gospan_mcentral_transit_bytes(unsigned int spanclass)
{
	struct transit_size size = transit_size(spanclass);

	return gospan_transit_bytes(size.nr_slots, size.room);
}

static void central_init(struct gospan_mcentral *mc, unsigned int spanclass, int node)
{
	unsigned int i;

	raw_spin_lock_init(&mc->lock);
	for (i = 0; i < GOSPAN_NR_FULLNESS; i++)
		INIT_LIST_HEAD(&mc->partial[i]);
	INIT_LIST_HEAD(&mc->empty);
	mc->spanclass = spanclass;
	mc->page_spanclass = gospan_spanclass_of_page(spanclass);
	mc->node = node;
}

/* Have it serve objects that are cut as the layout of its spanclass says. */
static int central_open(struct gospan_mcentral *mc, void (*ctor)(void *obj), bool typesafe)
{
	struct gospan_layout l = gospan_spanclass_layout(mc->spanclass);
	struct transit_size size = transit_size(mc->spanclass);
	void *batches = NULL;
	unsigned long flags;

	if (size.nr_slots) {
		batches = kvzalloc(gospan_mcentral_transit_bytes(mc->spanclass), GFP_KERNEL);
		if (!batches)
			return -ENOMEM;
	}
	/* Others may just be counting what is in transit. */
	raw_spin_lock_irqsave(&mc->lock, flags);
	mc->layout = l;
	mc->ctor = ctor;
	mc->typesafe = typesafe;
	mc->batch = gospan_spanclass_batch(mc->spanclass);
	mc->whole = gospan_spanclass_whole(mc->spanclass);
	if (size.nr_slots)
		/* Small objects are more than a slot has room for: so no two CPUs' share a line. */
		gospan_transit_open(&mc->transit, batches, size.nr_slots, size.room,
				    mc->whole <= size.room ? mc->whole : 0);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return 0;
}

/* The opposite, when it has no spans. */
static void central_close(struct gospan_mcentral *mc)
{
	unsigned long flags;
	void *batches;

	raw_spin_lock_irqsave(&mc->lock, flags);
	batches = gospan_transit_close(&mc->transit);
	mc->layout = (struct gospan_layout){};
	mc->batch = 0;
	mc->whole = 0;
	mc->ctor = NULL;
	mc->typesafe = false;
	mc->nr_returned = 0;
	mc->nr_met = 0;
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	atomic_long_set(&mc->nr_mallocs, 0);
	kvfree(batches);
}

/**
 * gospan_mcentral_open() - have a spanclass served that was not
 * @spanclass: of a named cache; its layout is set
 * @ctor: run on each slot of a new span; or %NULL
 * @typesafe: a span's pages go back to the heap only after an RCU grace period
 *
 * Context: Task; may sleep.
 * Return: 0, or -ENOMEM with nothing changed.
 */
int gospan_mcentral_open(unsigned int spanclass, void (*ctor)(void *obj), bool typesafe)
{
	int node;

	for_each_node(node) {
		if (central_open(gospan_mcentral_of(spanclass, node), ctor, typesafe)) {
			gospan_mcentral_close(spanclass);
			return -ENOMEM;
		}
	}
	return 0;
}

/* The opposite, when no object is left, in any CPU's magazine either. Task; may sleep. */
void gospan_mcentral_close(unsigned int spanclass)
{
	int node;

	for_each_node(node)
		central_close(gospan_mcentral_of(spanclass, node));
}

/* The lists of a node. What is left after an error, gospan_mcentral_exit() frees. */
static int centrals_init_node(int node)
{
	unsigned int spanclass;
	int err;

	gospan_centrals[node] = kvcalloc(GOSPAN_NR_SPANCLASSES, sizeof(struct gospan_mcentral),
					 GFP_KERNEL);
	if (!gospan_centrals[node])
		return -ENOMEM;
	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++) {
		central_init(gospan_mcentral_of(spanclass, node), spanclass, node);
		if (spanclass < GOSPAN_SPANCLASS_FIRST || spanclass >= GOSPAN_SPANCLASS_CACHE)
			continue;
		err = central_open(gospan_mcentral_of(spanclass, node), NULL, false);
		if (err)
			return err;
	}
	return 0;
}

/* Lists for all nodes that may be: one may get memory at any time. */
int gospan_mcentral_init(void)
{
	int node, err = -ENOMEM;

	/*
	 * TCMalloc's transfer caches hold as much at most. A machine with a GiB counts as that,
	 * though the kernel has some of it for itself: hence the eighth.
	 */
	if (!transit_bytes)
		transit_bytes = clamp_t(unsigned long,
					rounddown_pow_of_two(totalram_pages() / 8 * 9) <<
					(PAGE_SHIFT - 10), SZ_64K, SZ_1M);
	transit_bytes = min_t(unsigned int, transit_bytes, SZ_16M);
	gospan_centrals = kcalloc(nr_node_ids, sizeof(*gospan_centrals), GFP_KERNEL);
	if (!gospan_centrals)
		return err;
	for_each_node(node) {
		err = centrals_init_node(node);
		if (err)
			break;
	}
	if (err)
		gospan_mcentral_exit();
	else
		WRITE_ONCE(gospan_heap.reclaim, gospan_mcentral_reclaim);
	return err;
}

void gospan_mcentral_exit(void)
{
	unsigned int spanclass;
	int node;

	WRITE_ONCE(gospan_heap.reclaim, NULL);
	for_each_node(node) {
		if (!gospan_centrals[node])
			continue;
		for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
			kvfree(gospan_mcentral_of(spanclass, node)->transit.batches);
		kvfree(gospan_centrals[node]);
	}
	kfree(gospan_centrals);
	gospan_centrals = NULL;
}
