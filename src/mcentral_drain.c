// SPDX-License-Identifier: GPL-2.0-only
/*
 * Central lists: how what they keep gets back to the heap.
 *
 * Objects in transit and spans that nothing is taken from are kept without a
 * bound but that of time. Once in a while the lists age: batches that were not
 * moved since the last time go back to their spans, and as many spans to the heap
 * as were never wanted meanwhile. So a list keeps what it needs to fill and empty
 * again as it did of late. Before the heap grows it asks for spans of the other
 * lists; and who trims it, or the shrinker, gets all.
 *
 * Any context but NMI, but for the ageing.
 *
 * TCMalloc's transfer caches return what stayed below the low-water mark, too.
 * Go's mcentral gives a span that the sweep finds empty back at once.
 */
#include <linux/cache.h>
#include <linux/kmemleak.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include "mcentral.h"

/* Spans that the lock is held for at once: bounds the time with interrupts off. */
#define RELEASE_NR_SPANS	64U
/* Fewer pages are not worth the search for those that can be spared. */
#define RECLAIM_NPAGES		64U

/* In typesafe spans that are off the map and wait for a grace period. */
static atomic_long_t nr_waiting_pages;

/* Pages that nobody uses and that the heap will have after a grace period. */
unsigned long gospan_mcentral_waiting_pages(void)
{
	return atomic_long_read(&nr_waiting_pages);
}

static void span_free_rcu(struct rcu_head *rcu)
{
	struct gospan_span *s = container_of(rcu, struct gospan_span, rcu);
	unsigned int npages = s->npages;

	gospan_mheap_free(&gospan_heap, s);
	atomic_long_sub(npages, &nr_waiting_pages);
}

/*
 * Spans off the map to the heap; those of which others may still look at the objects,
 * later. @typesafe and @scanned are the list's, as they were when they left it: the
 * spanclass may be another cache's by now.
 */
static void spans_release(struct list_head *spans, bool typesafe, bool scanned)
{
	struct gospan_span *s, *next;

	if (IS_ENABLED(CONFIG_DEBUG_KMEMLEAK) && scanned)
		list_for_each_entry(s, spans, list)
			kmemleak_free((void *)gospan_span_addr(s));
	if (!typesafe)
		return gospan_mheap_free_list(&gospan_heap, spans);
	list_for_each_entry_safe(s, next, spans, list) {
		atomic_long_add(s->npages, &nr_waiting_pages);
		call_rcu(&s->rcu, span_free_rcu);
	}
}

/* Take a span that nothing is taken from off the map and the lists; the one unused longest. */
static void central_give_up_span(struct gospan_mcentral *mc, struct list_head *spans)
{
	struct gospan_span *s = list_last_entry(&mc->empty, struct gospan_span, list);

	lockdep_assert_held(&mc->lock);
	gospan_arena_retract(&gospan_heap.arenas, s);
	atomic_long_dec(&mc->nr_spans);
	list_move(&s->list, spans);
	WRITE_ONCE(mc->nr_listed, mc->nr_listed - 1);
	mc->nr_empty--;
}

/* Give up to @n spans that nothing is taken from to the heap. Returns how many. */
static unsigned int central_release_some(struct gospan_mcentral *mc, unsigned int n)
{
	LIST_HEAD(spans);
	unsigned long flags;
	bool typesafe, scanned;
	unsigned int i;

	raw_spin_lock_irqsave(&mc->lock, flags);
	typesafe = mc->typesafe;
	scanned = gospan_spanclass_is_scanned(mc->spanclass);
	n = min(n, mc->nr_empty);
	for (i = 0; i < n; i++)
		central_give_up_span(mc, &spans);
	mc->nr_unused = min(mc->nr_unused, mc->nr_empty);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	spans_release(&spans, typesafe, scanned);
	return n;
}

/* The same, in steps. */
static unsigned int central_release(struct gospan_mcentral *mc, unsigned int n)
{
	unsigned int left = n, some;

	while (left) {
		some = central_release_some(mc, min(left, RELEASE_NR_SPANS));
		if (!some)
			break;
		left -= some;
	}
	return n - left;
}

/*
 * Give the objects in transit back to their spans, and all empty spans to the heap.
 * In an RCU read-side section: who ends the use of a spanclass waits for it, since
 * meanwhile objects, and slots of the transit, may be nowhere but here.
 */
void gospan_mcentral_drain(struct gospan_mcentral *mc)
{
	struct gospan_batch *b;
	unsigned int left;

	rcu_read_lock();
	/* Others may go on filling it, or the spanclass just come into use. */
	for (left = data_race(mc->transit.nr_slots); left; left--) {
		b = gospan_transit_take(&mc->transit, GOSPAN_TRANSIT_PARTIAL);
		b = b ?: gospan_transit_take(&mc->transit, GOSPAN_TRANSIT_FULL);
		if (!b)
			break;
		gospan_mcentral_free_batch(mc, b);
	}
	/* The same. */
	central_release(mc, data_race(mc->nr_empty));
	rcu_read_unlock();
}

/* The same for all. */
void gospan_mcentral_drain_all(void)
{
	unsigned int spanclass;
	int node;

	for_each_node(node)
		for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
			gospan_mcentral_drain(gospan_mcentral_of(spanclass, node));
}

/*
 * Give back what was not used since this was called last. Under gospan_mcache_parking,
 * which keeps others from it; in an RCU read-side section, as above.
 */
void gospan_mcentral_age(struct gospan_mcentral *mc)
{
	struct gospan_batch *b;
	unsigned int unused;
	unsigned long flags;

	rcu_read_lock();
	while ((b = gospan_transit_take_stale(&mc->transit)))
		gospan_mcentral_free_batch(mc, b);
	gospan_transit_age(&mc->transit);
	raw_spin_lock_irqsave(&mc->lock, flags);
	unused = mc->nr_unused;
	mc->nr_unused = mc->nr_empty - unused;
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	central_release(mc, unused);
	rcu_read_unlock();
}

/* The same for all. */
void gospan_mcentral_age_all(void)
{
	unsigned int spanclass;
	int node;

	for_each_node(node) {
		for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++) {
			gospan_mcentral_age(gospan_mcentral_of(spanclass, node));
			cond_resched();
		}
	}
}

/* Pages of the node's spans that nothing is taken from, of all spanclasses; at some moment. */
unsigned long gospan_mcentral_empty_pages(int node)
{
	unsigned long npages = 0;
	unsigned int spanclass;

	for (spanclass = GOSPAN_SPANCLASS_FIRST; spanclass < GOSPAN_SPANCLASS_LIMIT; spanclass++) {
		const struct gospan_mcentral *mc = gospan_mcentral_of(spanclass, node);
		/* A sum of different moments in any case; a spanclass may go meanwhile. */
		unsigned int nelems = data_race(mc->layout.nelems);
		/* The same. */
		unsigned long nr_spans = data_race(mc->nr_empty);

		if (gospan_mcentral_has_transit_reclaimed(nelems))
			nr_spans += gospan_transit_nr_full(&mc->transit) / nelems;
		/* The same. */
		npages += nr_spans * data_race(mc->layout.npages);
	}
	return npages;
}

/* The same of one list, up to @n spans to the heap. Returns how many. */
static unsigned int central_reclaim(struct gospan_mcentral *mc, unsigned int n)
{
	/* It may be closed just now, and then has none. */
	bool few = gospan_mcentral_has_transit_reclaimed(data_race(mc->layout.nelems));
	/* The same. */
	unsigned int left = few ? data_race(mc->transit.nr_slots) : 0;
	struct gospan_batch *b;

	/* Others may come, or be taken, meanwhile. */
	for (; left && data_race(mc->nr_empty) < n; left--) {
		b = gospan_transit_take(&mc->transit, GOSPAN_TRANSIT_FULL) ?:
		    gospan_transit_take(&mc->transit, GOSPAN_TRANSIT_PARTIAL);
		if (!b)
			break;
		gospan_mcentral_free_batch(mc, b);
	}
	return central_release(mc, n);
}

/*
 * Have the heap get @npages and some more of the node's spans that nothing is taken from,
 * as far as there are any. They need not be a run. Returns whether there were.
 */
bool gospan_mcentral_reclaim(int node, unsigned int npages)
{
	unsigned int want = max(npages, RECLAIM_NPAGES), got = 0, spanclass, span_npages;

	for (spanclass = GOSPAN_SPANCLASS_FIRST;
	     spanclass < GOSPAN_SPANCLASS_LIMIT && got < want; spanclass++) {
		struct gospan_mcentral *mc = gospan_mcentral_of(spanclass, node);

		/* Those that come just now are missed. */
		if (!data_race(mc->nr_empty) &&
		    /* The same. */
		    !gospan_mcentral_has_transit_reclaimed(data_race(mc->layout.nelems)))
			continue;
		rcu_read_lock();
		/* It may be closed, and then has none. */
		span_npages = max(data_race(mc->layout.npages), 1U);
		got += central_reclaim(mc, DIV_ROUND_UP(want - got, span_npages)) * span_npages;
		rcu_read_unlock();
	}
	return got;
}
