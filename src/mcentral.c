// SPDX-License-Identifier: GPL-2.0-only
/*
 * Central lists: the spans of one spanclass, and free objects in transit.
 *
 * mcaches trade batches of objects with the central list of the spanclass.
 * A batch that comes in goes on the transit stack, and the next batch asked
 * for leaves from there: objects that one CPU frees and another allocates
 * never touch their spans. What the stack cannot hold goes back to the spans;
 * a span whose last object came back gives its pages to the heap.
 *
 * One lock acquisition per batch. Any context but NMI.
 *
 * Go's mcentral trades whole spans and relies on the sweep for what comes
 * back; the stack plays the part of TCMalloc's transfer cache.
 */
#include <linux/slab.h>
#include "mcentral.h"
#include "report.h"

struct gospan_mcentral gospan_central[GOSPAN_NR_SPANCLASSES];

/* Objects that the transit stack of @sizeclass holds at most: whole batches. */
unsigned int gospan_mcentral_max_transit(unsigned int sizeclass)
{
	unsigned int batch = gospan_class_batch(sizeclass);
	unsigned int bytes = batch * gospan_class_to_bytes[sizeclass];

	return batch * clamp(GOSPAN_TRANSIT_BYTES / bytes, 2U, GOSPAN_TRANSIT_MAX_BATCHES);
}

static int central_init(struct gospan_mcentral *mc, unsigned int spanclass)
{
	unsigned int sizeclass = gospan_spanclass_sizeclass(spanclass);

	raw_spin_lock_init(&mc->lock);
	INIT_LIST_HEAD(&mc->partial);
	INIT_LIST_HEAD(&mc->full);
	mc->spanclass = spanclass;
	if (spanclass != gospan_make_spanclass(sizeclass, false) || !sizeclass)
		return 0;
	mc->max_transit = gospan_mcentral_max_transit(sizeclass);
	mc->transit = kvmalloc_array(mc->max_transit, sizeof(void *), GFP_KERNEL);
	return mc->transit ? 0 : -ENOMEM;
}

int gospan_mcentral_init(void)
{
	unsigned int spanclass;
	int err;

	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++) {
		err = central_init(&gospan_central[spanclass], spanclass);
		if (err) {
			gospan_mcentral_exit();
			return err;
		}
	}
	return 0;
}

void gospan_mcentral_exit(void)
{
	unsigned int spanclass;

	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++) {
		kvfree(gospan_central[spanclass].transit);
		gospan_central[spanclass] = (struct gospan_mcentral){};
	}
}

/* Put @s, owned by no CPU, on the list that its free slots ask for. */
static void central_list_span(struct gospan_mcentral *mc, struct gospan_span *s)
{
	lockdep_assert_held(&mc->lock);
	s->owned = false;
	list_move(&s->list, gospan_span_is_full(s) ? &mc->full : &mc->partial);
}

/* Take a span with a free slot off the lists, or NULL. */
static struct gospan_span *central_take_span(struct gospan_mcentral *mc)
{
	struct gospan_span *s;

	lockdep_assert_held(&mc->lock);
	s = list_first_entry_or_null(&mc->partial, struct gospan_span, list);
	if (s) {
		list_del_init(&s->list);
		s->owned = true;
	}
	return s;
}

static unsigned int central_pop_transit(struct gospan_mcentral *mc, void **objs, unsigned int n)
{
	lockdep_assert_held(&mc->lock);
	n = min(n, mc->nr_transit);
	mc->nr_transit -= n;
	memcpy(objs, mc->transit + mc->nr_transit, n * sizeof(*objs));
	return n;
}

/* Cut up to @n objects out of the current span and, where that runs out, others. */
static unsigned int central_cut(struct gospan_mcentral *mc, struct gospan_span **current_span,
				void **objs, unsigned int n)
{
	unsigned int got = 0;

	lockdep_assert_held(&mc->lock);
	while (got < n) {
		if (!*current_span)
			*current_span = central_take_span(mc);
		if (!*current_span)
			break;
		got += gospan_span_alloc(*current_span, objs + got, n - got);
		if (gospan_span_is_full(*current_span)) {
			central_list_span(mc, *current_span);
			*current_span = NULL;
		}
	}
	mc->nr_taken += got;
	return got;
}

/**
 * gospan_mcentral_refill() - take a batch of free objects
 * @mc: central list
 * @current_span: the span that the caller's CPU cuts objects from; NULL if
 *	none. Exchanged when it is used up.
 * @objs: where to put them
 * @n: how many are wanted
 *
 * Context: Any but NMI, as owner of @current_span. Takes the central lock.
 * Return: how many were had, 0..@n; fewer only if the spans have no more.
 */
unsigned int gospan_mcentral_refill(struct gospan_mcentral *mc, struct gospan_span **current_span,
				    void **objs, unsigned int n)
{
	unsigned long flags;
	unsigned int got;

	raw_spin_lock_irqsave(&mc->lock, flags);
	got = central_pop_transit(mc, objs, n);
	if (got < n)
		got += central_cut(mc, current_span, objs + got, n - got);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return got;
}

/* One object for an interrupt that found its CPU's mcache claimed, or NULL. */
void *gospan_mcentral_alloc(struct gospan_mcentral *mc)
{
	struct gospan_span *s = NULL;
	unsigned long flags;
	void *p = NULL;

	raw_spin_lock_irqsave(&mc->lock, flags);
	if (central_pop_transit(mc, &p, 1) || central_cut(mc, &s, &p, 1))
		mc->nr_mallocs++;
	if (s)
		central_list_span(mc, s);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return p;
}

/* Give @p back to its span; a span that it leaves empty moves to @empty. */
static enum gospan_verdict central_free_object(struct gospan_mcentral *mc, void *p,
					       struct list_head *empty)
{
	struct gospan_span *s = gospan_mheap_span_of(&gospan_heap, p);
	enum gospan_verdict verdict;
	bool was_full;

	lockdep_assert_held(&mc->lock);
	/* Freed twice, and its span went after the first time. */
	if (!s || s->spanclass != mc->spanclass)
		return GOSPAN_FREE_DOUBLE;
	was_full = gospan_span_is_full(s);
	verdict = gospan_span_free(s, p);
	if (verdict != GOSPAN_FREE_OK)
		return verdict;
	mc->nr_taken--;
	if (s->owned)
		return verdict;
	if (!s->alloc_count) {
		mc->nr_spans--;
		list_move(&s->list, empty);
	} else if (was_full) {
		list_move(&s->list, &mc->partial);
	}
	return verdict;
}

/* Up to @n objects back to their spans; stops after one that is misused. */
static unsigned int central_free_some(struct gospan_mcentral *mc, void *const *objs,
				      unsigned int n, enum gospan_verdict *verdict)
{
	LIST_HEAD(empty);
	unsigned long flags;
	unsigned int i = 0;

	raw_spin_lock_irqsave(&mc->lock, flags);
	do {
		*verdict = central_free_object(mc, objs[i++], &empty);
	} while (i < n && *verdict == GOSPAN_FREE_OK);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	gospan_mheap_free_list(&gospan_heap, &empty);
	return i;
}

static void central_free_objects(struct gospan_mcentral *mc, void *const *objs, unsigned int n)
{
	enum gospan_verdict verdict;
	unsigned int done = 0;

	while (done < n) {
		done += central_free_some(mc, objs + done, n - done, &verdict);
		/* Not under the lock: printing takes long and locks of its own. */
		if (verdict != GOSPAN_FREE_OK)
			gospan_report_misuse(verdict, objs[done - 1]);
	}
}

/**
 * gospan_mcentral_flush() - give back a batch of free objects
 * @mc: central list
 * @objs: objects of its spanclass
 * @n: how many
 *
 * Context: Any but NMI. Takes the central lock, then the heap's. Reports
 * misuse of what goes as far as the spans.
 */
void gospan_mcentral_flush(struct gospan_mcentral *mc, void *const *objs, unsigned int n)
{
	unsigned long flags;
	unsigned int moved;

	raw_spin_lock_irqsave(&mc->lock, flags);
	moved = min(n, mc->max_transit - mc->nr_transit);
	memcpy(mc->transit + mc->nr_transit, objs, moved * sizeof(*objs));
	mc->nr_transit += moved;
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	if (moved < n)
		central_free_objects(mc, objs + moved, n - moved);
}

/* A CPU has no more use for its current span. */
void gospan_mcentral_disown(struct gospan_mcentral *mc, struct gospan_span *s)
{
	LIST_HEAD(empty);
	unsigned long flags;

	raw_spin_lock_irqsave(&mc->lock, flags);
	central_list_span(mc, s);
	if (!s->alloc_count) {
		mc->nr_spans--;
		list_move(&s->list, &empty);
	}
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	gospan_mheap_free_list(&gospan_heap, &empty);
}

/* Give the objects in transit back to their spans, as many as there are now. */
void gospan_mcentral_drain(struct gospan_mcentral *mc)
{
	void *objs[16];
	unsigned long flags;
	unsigned int n;

	do {
		raw_spin_lock_irqsave(&mc->lock, flags);
		n = central_pop_transit(mc, objs, ARRAY_SIZE(objs));
		raw_spin_unlock_irqrestore(&mc->lock, flags);
		central_free_objects(mc, objs, n);
	} while (n);
}

/**
 * gospan_mcentral_grow() - add a span to the central list
 * @mc: central list
 * @gfp: how the heap may grow
 *
 * Context: Any but NMI; sleeps if @gfp allows it. No lock, no mcache claimed.
 * Return: false when memory ran out.
 */
bool gospan_mcentral_grow(struct gospan_mcentral *mc, gfp_t gfp)
{
	unsigned int sizeclass = gospan_spanclass_sizeclass(mc->spanclass);
	struct gospan_span *s;
	unsigned long flags;

	s = gospan_mheap_alloc(&gospan_heap, mc->spanclass, gospan_class_npages(sizeclass),
			       gospan_class_align_npages(sizeclass), gfp);
	if (!s)
		return false;
	raw_spin_lock_irqsave(&mc->lock, flags);
	mc->nr_spans++;
	list_add(&s->list, &mc->partial);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return true;
}
