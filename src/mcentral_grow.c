// SPDX-License-Identifier: GPL-2.0-only
/*
 * Central lists: how they come by more spans.
 *
 * A span that is new is nobody's but ours until it is published: it is made, its
 * objects constructed, and as far as whole batches are wanted cut, all without a
 * lock. The batches are put in transit after that. Only what is left uncut goes
 * to the lists.
 */
#include <linux/kmemleak.h>
#include <linux/nodemask.h>
#include <linux/topology.h>
#include "mcentral.h"
#include "record.h"
#include "supply.h"

static void span_construct(const struct gospan_span *s, void (*ctor)(void *obj))
{
	unsigned int i;

	for (i = 0; i < s->nelems; i++)
		ctor((void *)(s->base + (unsigned long)i * s->elem_bytes));
}

/* A span that nobody knows of. */
static struct gospan_span *central_make_span(const struct gospan_mcentral *mc, gfp_t gfp)
{
	struct gospan_span *s = gospan_mheap_make_span(&gospan_heap, mc->spanclass, &mc->layout,
						       gfp, mc->node);

	if (!s)
		return NULL;
	/* No object of a block lives. */
	memset((void *)s->base - mc->layout.header_bytes, 0, mc->layout.header_bytes);
	if (gospan_spanclass_is_recorded(mc->spanclass))
		gospan_record_span(s);
	if (mc->ctor)
		span_construct(s, mc->ctor);
	return s;
}

/* Spans that are new, all of one node, and what was cut from them. */
struct central_new {
	struct list_head spans;
	struct gospan_batch *batch[GOSPAN_CENTRAL_BATCHES];
	unsigned int nr_spans;
	unsigned int nr_batches;
	unsigned int nr_objs;
};

/* Spans for @n objects, at least one; more only of memory that is free. */
static void new_make(struct central_new *new, const struct gospan_mcentral *mc, unsigned int n,
		     gfp_t gfp)
{
	struct gospan_span *s = central_make_span(mc, gfp);
	unsigned int node;

	gfp = gospan_pagesource_gfp_free_here(gfp) | __GFP_THISNODE;
	while (s) {
		node = s->node;
		/* Whoever frees to it by mistake leaves it where it is. */
		s->owned = true;
		list_add_tail(&s->list, &new->spans);
		new->nr_spans++;
		if (node != mc->node || new->nr_spans * mc->layout.nelems >= n)
			return;
		s = central_make_span(mc, gfp);
	}
}

/* Fill slots of the transit that are empty, by whole batches. */
static void new_cut(struct central_new *new, struct gospan_mcentral *mc)
{
	unsigned int left = new->nr_spans * mc->layout.nelems / mc->batch * mc->batch, n;
	struct gospan_span *s = list_first_entry(&new->spans, struct gospan_span, list);
	struct gospan_batch *b;

	for (; left && new->nr_batches < GOSPAN_CENTRAL_BATCHES; left -= n) {
		b = gospan_transit_take(&mc->transit, GOSPAN_TRANSIT_EMPTY);
		if (!b)
			return;
		n = min(left, mc->transit.room);
		while (b->nr < n) {
			if (gospan_span_is_full(s))
				s = list_next_entry(s, list);
			b->nr += gospan_span_alloc(s, b->objs + b->nr, n - b->nr);
		}
		new->batch[new->nr_batches++] = b;
		new->nr_objs += n;
	}
}

/* To be found by pointers to their objects and, where the kernel has kmemleak, to those in them. */
static void new_publish(struct central_new *new, const struct gospan_mcentral *mc, gfp_t gfp)
{
	struct gospan_span *s;

	list_for_each_entry(s, &new->spans, list) {
		gospan_mheap_publish(&gospan_heap, s);
		/* No span is lost; it allocates: on PREEMPT_RT not everywhere. */
		if (gospan_spanclass_is_scanned(mc->spanclass) && gospan_supply_may_allocate())
			kmemleak_alloc((void *)gospan_span_addr(s),
				       (size_t)s->npages << GOSPAN_PAGE_SHIFT, 0, gfp);
	}
}

/* Spans that have free slots to the lists. */
static void new_list(struct central_new *new, struct gospan_mcentral *mc)
{
	struct gospan_span *s, *next;

	list_for_each_entry_safe(s, next, &new->spans, list) {
		if (!gospan_span_is_full(s))
			continue;
		list_del_init(&s->list);
		s->owned = false;
	}
	if (!list_empty(&new->spans))
		gospan_mcentral_list_spans(mc, &new->spans);
}

/*
 * Add spans for @n objects to the central list, or one to that of the node whose
 * memory it is. Who wants a batch finds it in transit: spans that are cut up as
 * a whole never meet the lock. NULL: there is no memory.
 */
static struct gospan_mcentral *central_add_spans(struct gospan_mcentral *mc, unsigned int n,
						 gfp_t gfp)
{
	struct central_new new = { .spans = LIST_HEAD_INIT(new.spans) };
	unsigned int i;

	new_make(&new, mc, n, gfp);
	if (!new.nr_spans)
		return NULL;
	mc = gospan_mcentral_on(mc, list_first_entry(&new.spans, struct gospan_span, list)->node);
	if (mc->batch && n >= mc->batch && !gospan_span_is_private(mc->layout.elem_bytes))
		new_cut(&new, mc);
	atomic_long_add(new.nr_spans, &mc->nr_spans);
	atomic_long_add(new.nr_objs, &mc->nr_taken);
	new_publish(&new, mc, gfp);
	new_list(&new, mc);
	for (i = 0; i < new.nr_batches; i++)
		gospan_transit_put(&mc->transit, new.batch[i]);
	return mc;
}

/* Has a list a free object, in whosever pages, at some moment? */
static bool central_has_free(const struct gospan_mcentral *mc)
{
	return READ_ONCE(mc->transit.slots[GOSPAN_TRANSIT_FULL]) || READ_ONCE(mc->nr_listed) ||
	       READ_ONCE(mc->transit.slots[GOSPAN_TRANSIT_PARTIAL]);
}

/* @mc, if it has objects that were not taken because they are in pages of other CPUs; or NULL. */
static struct gospan_mcentral *central_left(struct gospan_mcentral *mc)
{
	return gospan_span_is_private(mc->layout.elem_bytes) && central_has_free(mc) ? mc : NULL;
}

/* The nearest other node's list that has a free object, at some moment; or NULL. */
static struct gospan_mcentral *central_nearest(const struct gospan_mcentral *mc)
{
	struct gospan_mcentral *nearest = NULL;
	int node;

	for_each_node_state(node, N_MEMORY) {
		struct gospan_mcentral *other = gospan_mcentral_on(mc, node);

		/* Who takes from it sees what it has then. */
		if (other == mc || !central_has_free(other))
			continue;
		if (!nearest || node_distance(mc->node, node) <
				node_distance(mc->node, nearest->node))
			nearest = other;
	}
	return nearest;
}

/**
 * gospan_mcentral_grow() - find free objects for a central list that has none
 * @mc: central list
 * @n: objects wanted; one is enough
 * @gfp: how the heap may grow; with %__GFP_THISNODE only by memory of the list's node
 *
 * First by memory of the node that is free, then those that another node has,
 * then by memory that the kernel makes free, or that is elsewhere. Who wants
 * whole batches gets what is cut ahead for others as well.
 *
 * Context: Any but NMI; sleeps if @gfp allows it. No lock, no mcache claimed.
 * Return: the list that has some now: @mc or, if it is short of memory, the same
 * of another node; %NULL when memory ran out.
 */
struct gospan_mcentral *gospan_mcentral_grow(struct gospan_mcentral *mc, unsigned int n, gfp_t gfp)
{
	struct gospan_mcentral *from = NULL;

	if (n >= mc->batch)
		n = max(n, mc->batch * (1 + gospan_mcentral_nr_ahead(mc)));
	if (gospan_node_are_many() && !(gfp & __GFP_THISNODE)) {
		from = central_add_spans(mc, n, gospan_pagesource_gfp_free_here(gfp));
		from = from ?: central_left(mc) ?: central_nearest(mc);
	}
	return from ?: central_add_spans(mc, n, gfp) ?: central_left(mc);
}
