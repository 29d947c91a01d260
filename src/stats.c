// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics: Go's MemStats, put together from what each layer counts anyway.
 *
 * A free counts nothing: what was freed is what was allocated less what is
 * live, and live is every slot taken from a span that is in no magazine and
 * not in transit.
 *
 * Other CPUs' magazines are read while they change. Each value read is one
 * that was there, so a sum is off by what happened during the call.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/string.h>
#include "mcache.h"
#include "report.h"
#include "stats.h"

/* Add to @row what the magazines of all CPUs hold and have handed out. */
static void stats_add_magazines(struct gospan_memstats_class *row, unsigned int spanclass)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		const struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);
		const struct gospan_magazine *m;

		if (!c)
			continue;
		m = &c->magazine[spanclass];
		/* The owner goes on meanwhile; see above: */
		row->cached += data_race(m->top - m->base);
		/* the same. */
		row->mallocs += data_race(m->nr_mallocs);
	}
}

static void stats_read_class(struct gospan_memstats_class *row, unsigned int sizeclass)
{
	unsigned int spanclass = gospan_make_spanclass(sizeclass, false);
	struct gospan_mcentral *mc = &gospan_central[spanclass];
	unsigned long flags, taken, free;

	row->size = gospan_class_to_bytes[sizeclass];
	stats_add_magazines(row, spanclass);
	raw_spin_lock_irqsave(&mc->lock, flags);
	row->spans = mc->nr_spans;
	row->transit = mc->nr_transit;
	row->mallocs += mc->nr_mallocs;
	taken = mc->nr_taken;
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	/* Counted at different moments, they need not agree. */
	free = row->cached + row->transit;
	row->frees = row->mallocs - min_t(u64, row->mallocs, taken - min(taken, free));
}

static void stats_read_classes(struct gospan_memstats *st)
{
	unsigned int sizeclass;

	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		struct gospan_memstats_class *row = &st->by_size[sizeclass];

		stats_read_class(row, sizeclass);
		st->mallocs += row->mallocs;
		st->frees += row->frees;
		st->alloc += (row->mallocs - row->frees) * row->size;
		st->total_alloc += row->mallocs * row->size;
		st->cached_bytes += (row->cached + row->transit) * row->size;
		st->other_sys += gospan_mcentral_max_transit(sizeclass) * sizeof(void *);
	}
}

static void stats_read_heap(struct gospan_memstats *st, struct gospan_mheap *h)
{
	struct gospan_memstats_class *large = &st->by_size[0];
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	st->heap_sys = (u64)(h->obtained_pages - h->released_pages) << GOSPAN_PAGE_SHIFT;
	st->heap_inuse = (u64)h->inuse_pages << GOSPAN_PAGE_SHIFT;
	st->heap_released = (u64)h->released_pages << GOSPAN_PAGE_SHIFT;
	st->mspan_inuse = h->span_bytes;
	st->other_sys += h->nr_chunks * sizeof(struct gospan_chunk) +
			 gospan_arena_bytes(h->arenas);
	st->grows = h->nr_grows;
	st->grow_fallbacks = h->nr_grow_fallbacks;
	large->mallocs = h->large_mallocs;
	large->frees = h->large_frees;
	large->spans = h->large_mallocs - h->large_frees;
	st->alloc += (u64)(h->large_alloc_pages - h->large_free_pages) << GOSPAN_PAGE_SHIFT;
	st->total_alloc += (u64)h->large_alloc_pages << GOSPAN_PAGE_SHIFT;
	raw_spin_unlock_irqrestore(&h->lock, flags);
	st->mallocs += large->mallocs;
	st->frees += large->frees;
}

void gospan_read_stats(struct gospan_memstats *st)
{
	unsigned int cpu;

	memset(st, 0, sizeof(*st));
	stats_read_classes(st);
	stats_read_heap(st, &gospan_heap);
	for_each_possible_cpu(cpu)
		if (gospan_mcache_of_cpu(cpu))
			st->mcache_sys += gospan_mcache_of_cpu(cpu)->bytes;
	st->heap_alloc = st->alloc;
	st->heap_objects = st->mallocs - st->frees;
	st->heap_idle = st->heap_sys - st->heap_inuse;
	st->mspan_sys = st->mspan_inuse;
	st->mcache_inuse = st->mcache_sys;
	st->sys = st->heap_sys + st->mspan_sys + st->mcache_sys + st->other_sys;
	st->misuses = gospan_report_count();
}
EXPORT_SYMBOL_GPL(gospan_read_stats);

/* At unload, with all magazines flushed: say what is still live. Returns how many objects. */
unsigned long gospan_stats_report_leaks(void)
{
	unsigned long live, total = gospan_heap.large_mallocs - gospan_heap.large_frees;
	unsigned int spanclass;

	if (total)
		pr_err("%lu large objects, %lu bytes, still live at unload: leaked\n", total,
		       (gospan_heap.large_alloc_pages - gospan_heap.large_free_pages) <<
		       GOSPAN_PAGE_SHIFT);
	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++) {
		live = gospan_central[spanclass].nr_taken;
		if (live)
			pr_err("%lu objects of %u bytes still live at unload: leaked\n", live,
			       gospan_spanclass_bytes(spanclass));
		total += live;
	}
	return total;
}
