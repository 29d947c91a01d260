// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics: Go's MemStats, put together from what each layer counts anyway.
 *
 * A free counts nothing: what was freed is what was allocated less what is
 * live, and live is every slot taken from a span that no CPU caches, in its
 * magazines, for other nodes or in its reserve, and that is not in transit.
 *
 * Other CPUs' magazines are read while they change. Each value read is one
 * that was there, so a sum is off by what happened during the call.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "mcache.h"
#include "nolock.h"
#include "report.h"
#include "scavenge.h"
#include "stats.h"
#include "supply.h"

/* Objects of named caches that are no more, and their bytes. */
static atomic64_t gone_mallocs, gone_bytes;

/* Objects in a magazine, at some moment. */
static unsigned long magazine_nr(const struct gospan_mcache *c, unsigned int idx)
{
	const struct gospan_magazine *m = &c->magazine[idx];
	/* The owner goes on meanwhile; it may give the magazine its slots, or take them. */
	unsigned long nr = data_race(m->top - m->base);

	return nr <= gospan_mcache_capacity(gospan_magazine_spanclass(idx)) ? nr : 0;
}

/* Add to @row what all CPUs hold and have handed out. */
static void stats_add_mcaches(struct gospan_memstats_class *row, unsigned int spanclass)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		const struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);

		if (!c)
			continue;
		row->cached += magazine_nr(c, spanclass);
		row->cached += magazine_nr(c, GOSPAN_FOREIGN + spanclass);
		/* The owner goes on meanwhile, see above. */
		row->cached += data_race(c->remote.nr[spanclass]);
		/* The same. */
		row->mallocs += data_race(c->magazine[spanclass].nr_mallocs);
		/* The same. */
		row->refills += data_race(c->nr_refills[spanclass]);
		/* The same. */
		row->flushes += data_race(c->nr_flushes[spanclass]);
	}
}

/* Add what a central list has and has handed out. Returns the slots taken in its spans. */
static unsigned long stats_add_central(struct gospan_memstats_class *row,
				       struct gospan_mcentral *mc)
{
	unsigned long flags, taken;

	raw_spin_lock_irqsave(&mc->lock, flags);
	row->spans += atomic_long_read(&mc->nr_spans);
	row->transit += gospan_transit_count(&mc->transit);
	row->mallocs += atomic_long_read(&mc->nr_mallocs);
	row->returned += mc->nr_returned;
	row->met += mc->nr_met;
	taken = atomic_long_read(&mc->nr_taken);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return taken;
}

/* Add the objects of a spanclass to the row of its size. */
static void stats_add_spanclass(struct gospan_memstats_class *row, unsigned int spanclass)
{
	unsigned long taken = 0, free, reserved;
	struct gospan_memstats_class add = {};
	int node;

	stats_add_mcaches(&add, spanclass);
	for_each_node(node)
		taken += stats_add_central(&add, gospan_mcentral_of(spanclass, node));
	/* They are allocated when they leave the reserve. */
	reserved = min_t(u64, add.mallocs, gospan_nolock_held(spanclass));
	add.mallocs -= reserved;
	add.cached += reserved;
	/* Counted at different moments, they need not agree. */
	free = add.cached + add.transit;
	row->spans += add.spans;
	row->cached += add.cached;
	row->transit += add.transit;
	row->refills += add.refills;
	row->flushes += add.flushes;
	row->returned += add.returned;
	row->met += add.met;
	row->mallocs += add.mallocs;
	row->frees += add.mallocs - min_t(u64, add.mallocs, taken - min(taken, free));
}

/* Tiny objects that needed no new block. As in Go they count as freed: nobody counts that. */
static u64 stats_tiny_mallocs(void)
{
	unsigned int cpu;
	u64 mallocs = 0;

	for_each_possible_cpu(cpu)
		if (gospan_mcache_of_cpu(cpu))
			/* The owner goes on meanwhile. */
			mallocs += data_race(gospan_mcache_of_cpu(cpu)->nr_tiny_mallocs);
	return mallocs;
}

/* Add what the spans of a spanclass take, and what leads to them. */
static void stats_add_layout(struct gospan_memstats *st, unsigned int spanclass, u64 spans)
{
	const struct gospan_layout l = gospan_spanclass_layout(spanclass);

	st->heap_inuse += spans * l.npages << GOSPAN_PAGE_SHIFT;
	st->mspan_inuse += spans * gospan_span_bytes(l.nelems);
	st->other_sys += num_possible_nodes() * gospan_mcentral_transit_bytes(spanclass);
}

/* Add the objects of a row, all of its size, to the sums. */
static void stats_add_row(struct gospan_memstats *st, const struct gospan_memstats_class *row)
{
	st->mallocs += row->mallocs;
	st->frees += row->frees;
	st->alloc += (row->mallocs - row->frees) * row->size;
	st->total_alloc += row->mallocs * row->size;
	st->cached_bytes += (row->cached + row->transit) * row->size;
}

static void stats_read_classes(struct gospan_memstats *st)
{
	unsigned int sizeclass, spanclass;

	st->mallocs = stats_tiny_mallocs();
	st->frees = st->mallocs;
	for (spanclass = GOSPAN_SPANCLASS_FIRST; spanclass < GOSPAN_SPANCLASS_CACHE; spanclass++) {
		u64 spans;

		sizeclass = gospan_spanclass_sizeclass(spanclass);
		spans = st->by_size[sizeclass].spans;
		stats_add_spanclass(&st->by_size[sizeclass], spanclass);
		stats_add_layout(st, spanclass, st->by_size[sizeclass].spans - spans);
	}
	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		st->by_size[sizeclass].size = gospan_class_to_bytes[sizeclass];
		stats_add_row(st, &st->by_size[sizeclass]);
	}
}

/* The objects of a named cache's spanclass; @row->size is that of a slot. */
void gospan_stats_read_spanclass(unsigned int spanclass, struct gospan_memstats_class *row)
{
	*row = (struct gospan_memstats_class){ .size = gospan_spanclass_bytes(spanclass) };
	stats_add_spanclass(row, spanclass);
}

/* Those of named caches, which have no rows. */
static void stats_read_caches(struct gospan_memstats *st)
{
	struct gospan_memstats_class row;
	unsigned int spanclass;

	for (spanclass = GOSPAN_SPANCLASS_CACHE; spanclass < GOSPAN_SPANCLASS_LIMIT; spanclass++) {
		if (!gospan_spanclass_bytes(spanclass))
			continue;
		gospan_stats_read_spanclass(spanclass, &row);
		stats_add_layout(st, spanclass, row.spans);
		stats_add_row(st, &row);
	}
	st->mallocs += atomic64_read(&gone_mallocs);
	st->frees += atomic64_read(&gone_mallocs);
	st->total_alloc += atomic64_read(&gone_bytes);
	st->heap_inuse += (u64)gospan_mcentral_waiting_pages() << GOSPAN_PAGE_SHIFT;
}

/* A spanclass will be another's: remember what was allocated of it, which all is freed. */
void gospan_stats_forget(unsigned int spanclass)
{
	struct gospan_memstats_class row;

	gospan_stats_read_spanclass(spanclass, &row);
	atomic64_add(row.mallocs, &gone_mallocs);
	atomic64_add(row.mallocs * row.size, &gone_bytes);
}

static void stats_read_large(struct gospan_memstats *st, struct gospan_mheap *h)
{
	struct gospan_memstats_class *row = &st->by_size[0];
	struct gospan_large_count large = gospan_mheap_large(h);
	u64 live_bytes = (u64)(large.alloc_pages - large.free_pages) << GOSPAN_PAGE_SHIFT;

	row->mallocs = large.mallocs;
	row->frees = large.frees;
	row->spans = large.mallocs - large.frees;
	st->mallocs += large.mallocs;
	st->frees += large.frees;
	st->alloc += live_bytes;
	st->total_alloc += (u64)large.alloc_pages << GOSPAN_PAGE_SHIFT;
	st->heap_inuse += live_bytes;
	st->mspan_inuse += row->spans * gospan_span_bytes(1);
}

static void stats_add_heap(struct gospan_memstats *st, struct gospan_mheap *h)
{
	struct gospan_supply_usage usage = gospan_supply_usage(h, NUMA_NO_NODE);

	st->heap_sys = (u64)(usage.obtained_pages - usage.released_pages) << GOSPAN_PAGE_SHIFT;
	st->heap_released = (u64)usage.released_pages << GOSPAN_PAGE_SHIFT;
	st->heap_idle = (u64)(usage.free_pages + usage.cached_pages) << GOSPAN_PAGE_SHIFT;
	st->grows = usage.nr_grows;
	st->grow_fallbacks = usage.nr_refused;
	st->mspan_sys = atomic_long_read(&h->span_bytes);
	st->other_sys += usage.sys_bytes + atomic_long_read(&h->arenas.sys_bytes);
}

void gospan_read_stats(struct gospan_memstats *st)
{
	unsigned int cpu;

	memset(st, 0, sizeof(*st));
	stats_read_classes(st);
	stats_read_caches(st);
	stats_read_large(st, &gospan_heap);
	stats_add_heap(st, &gospan_heap);
	for_each_possible_cpu(cpu)
		if (gospan_mcache_of_cpu(cpu))
			st->mcache_sys += gospan_mcache_of_cpu(cpu)->bytes;
	st->heap_alloc = st->alloc;
	st->heap_objects = st->mallocs - st->frees;
	st->mcache_inuse = st->mcache_sys;
	st->sys = st->heap_sys + st->mspan_sys + st->mcache_sys + st->other_sys;
	st->misuses = gospan_report_count();
}
EXPORT_SYMBOL_GPL(gospan_read_stats);

/* Fill in all but the node. Any context but NMI. Returns 0, or -ENXIO for a node that is not. */
int gospan_stats_read_heap(struct gospan_heapstats *st)
{
	struct gospan_scavenge_stats scavenge = gospan_scavenge_read();
	struct gospan_supply_usage usage;

	if (st->node != GOSPAN_ALL_NODES && (st->node < 0 || st->node >= nr_node_ids))
		return -ENXIO;
	usage = gospan_supply_usage(&gospan_heap, st->node == GOSPAN_ALL_NODES ? NUMA_NO_NODE :
				    array_index_nospec(st->node, nr_node_ids));
	*st = (struct gospan_heapstats){
		.node = st->node,
		.obtained_bytes = (u64)usage.obtained_pages << GOSPAN_PAGE_SHIFT,
		.released_bytes = (u64)usage.released_pages << GOSPAN_PAGE_SHIFT,
		.free_bytes = (u64)usage.free_pages << GOSPAN_PAGE_SHIFT,
		.cached_bytes = (u64)usage.cached_pages << GOSPAN_PAGE_SHIFT,
		.chunks = usage.nr_chunks,
		.map_bytes = usage.sys_bytes + atomic_long_read(&gospan_heap.arenas.sys_bytes),
		.grows = usage.nr_grows,
		.refused = usage.nr_refused,
		.held = usage.nr_held,
		.limit_bytes = (u64)READ_ONCE(gospan_heap.limit_pages) << GOSPAN_PAGE_SHIFT,
		.goal_bytes = (u64)scavenge.goal_pages << GOSPAN_PAGE_SHIFT,
		.scavenged_bytes = (u64)scavenge.scavenged_pages << GOSPAN_PAGE_SHIFT,
		.shrunk_bytes = (u64)scavenge.shrunk_pages << GOSPAN_PAGE_SHIFT,
		.trimmed_bytes = (u64)scavenge.trimmed_pages << GOSPAN_PAGE_SHIFT,
	};
	return 0;
}

/*
 * At unload, with all magazines flushed: say what is still live, but in named caches.
 * Returns how many objects.
 */
unsigned long gospan_stats_report_leaks(void)
{
	struct gospan_large_count large = gospan_mheap_large(&gospan_heap);
	unsigned long live, total = large.mallocs - large.frees;
	unsigned int spanclass;
	int node;

	if (total)
		pr_err("%lu large objects, %lu bytes, still live at unload: leaked\n", total,
		       (large.alloc_pages - large.free_pages) << GOSPAN_PAGE_SHIFT);
	for (spanclass = 0; spanclass < GOSPAN_SPANCLASS_CACHE; spanclass++) {
		live = 0;
		for_each_node(node)
			live += atomic_long_read(&gospan_mcentral_of(spanclass, node)->nr_taken);
		if (live)
			pr_err("%lu objects of %u bytes still live at unload: leaked\n", live,
			       gospan_spanclass_bytes(spanclass));
		total += live;
	}
	return total;
}
