// SPDX-License-Identifier: GPL-2.0-only
/*
 * Central lists: the spans of one spanclass on one node, and free objects in transit.
 *
 * mcaches trade batches of objects with the central list of the spanclass on
 * the CPU's NUMA node. All that is on it, or in transit through it, is memory of
 * its node; what is freed elsewhere comes home.
 *
 * A batch that comes in goes on the transit stack, and the next batch asked
 * for leaves from there: objects that one CPU frees and another allocates
 * never touch their spans. What the stack cannot hold goes back to the spans;
 * a span whose last object came back gives its pages to the heap, except for a
 * few that are kept against allocating and freeing around that point. It is
 * retracted from the arena map under the lock: so a span that the map has for
 * an object of this spanclass is one of this list.
 *
 * One lock acquisition per batch. Any context but NMI.
 *
 * Go's mcentral trades whole spans and relies on the sweep for what comes
 * back; the stack plays the part of TCMalloc's transfer cache.
 */
#include <linux/slab.h>
#include <linux/topology.h>
#include "mcentral.h"
#include "report.h"

struct gospan_mcentral **gospan_centrals;

/* In typesafe spans that are off the map and wait for a grace period. */
static atomic_long_t nr_waiting_pages;

/* Objects of @elem_bytes that a transit stack holds at most: whole batches. */
unsigned int gospan_mcentral_max_transit(unsigned int elem_bytes)
{
	unsigned int batch = gospan_bytes_batch(elem_bytes);

	if (!batch)
		return 0;
	return batch * clamp(GOSPAN_TRANSIT_BYTES / (batch * elem_bytes), 2U,
			     GOSPAN_TRANSIT_MAX_BATCHES);
}

static void central_init(struct gospan_mcentral *mc, unsigned int spanclass, int node)
{
	raw_spin_lock_init(&mc->lock);
	INIT_LIST_HEAD(&mc->partial);
	INIT_LIST_HEAD(&mc->full);
	mc->spanclass = spanclass;
	mc->node = node;
}

/* Have it serve objects that are cut as the layout of its spanclass says. */
static int central_open(struct gospan_mcentral *mc, void (*ctor)(void *obj), bool typesafe)
{
	struct gospan_layout l = gospan_spanclass_layout(mc->spanclass);
	unsigned int max_transit = gospan_mcentral_max_transit(l.elem_bytes);
	unsigned long flags;
	void **transit = NULL;

	if (max_transit) {
		transit = kvmalloc_array(max_transit, sizeof(void *), GFP_KERNEL);
		if (!transit)
			return -ENOMEM;
	}
	raw_spin_lock_irqsave(&mc->lock, flags);
	mc->layout = l;
	mc->ctor = ctor;
	mc->typesafe = typesafe;
	mc->transit = transit;
	mc->max_transit = max_transit;
	mc->max_empty = max_t(unsigned int, 1, GOSPAN_EMPTY_BYTES /
			      (l.npages << GOSPAN_PAGE_SHIFT));
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return 0;
}

/* The opposite, when it has no spans. */
static void central_close(struct gospan_mcentral *mc)
{
	unsigned long flags;
	void **transit;

	raw_spin_lock_irqsave(&mc->lock, flags);
	transit = mc->transit;
	mc->layout = (struct gospan_layout){};
	mc->ctor = NULL;
	mc->typesafe = false;
	mc->transit = NULL;
	mc->max_transit = 0;
	mc->nr_mallocs = 0;
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	kvfree(transit);
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
	return err;
}

void gospan_mcentral_exit(void)
{
	unsigned int spanclass;
	int node;

	for_each_node(node) {
		if (!gospan_centrals[node])
			continue;
		for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
			kvfree(gospan_mcentral_of(spanclass, node)->transit);
		kvfree(gospan_centrals[node]);
	}
	kfree(gospan_centrals);
	gospan_centrals = NULL;
}

/* Take a span with a free slot off the lists for a CPU, or NULL. */
static struct gospan_span *central_take_span(struct gospan_mcentral *mc)
{
	struct gospan_span *s;

	lockdep_assert_held(&mc->lock);
	s = list_first_entry_or_null(&mc->partial, struct gospan_span, list);
	if (s) {
		mc->nr_empty -= !s->alloc_count;
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
			(*current_span)->owned = false;
			list_add(&(*current_span)->list, &mc->full);
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

static void span_free_rcu(struct rcu_head *rcu)
{
	struct gospan_span *s = container_of(rcu, struct gospan_span, rcu);
	unsigned int npages = s->npages;

	gospan_mheap_free(&gospan_heap, s);
	atomic_long_sub(npages, &nr_waiting_pages);
}

/*
 * Spans off the map to the heap; those of which others may still look at the objects,
 * later. @typesafe is the list's, as it was when they left it.
 */
static void spans_release(struct list_head *empty, bool typesafe)
{
	struct gospan_span *s, *next;

	if (!typesafe)
		return gospan_mheap_free_list(&gospan_heap, empty);
	list_for_each_entry_safe(s, next, empty, list) {
		atomic_long_add(s->npages, &nr_waiting_pages);
		call_rcu(&s->rcu, span_free_rcu);
	}
	INIT_LIST_HEAD(empty);
}

/* Pages that nobody uses and that the heap will have after a grace period. */
unsigned long gospan_mcentral_waiting_pages(void)
{
	return atomic_long_read(&nr_waiting_pages);
}

/* Put a span that nothing is taken from on @empty, from where it goes to the heap. */
static void central_give_up(struct gospan_mcentral *mc, struct gospan_span *s,
			    struct list_head *empty)
{
	lockdep_assert_held(&mc->lock);
	gospan_arena_retract(&gospan_heap.arenas, s);
	mc->nr_spans--;
	list_move(&s->list, empty);
}

/*
 * A span off the CPUs that lost objects: on the list it belongs to, or, when
 * nothing in it is taken and enough such spans are kept, on @empty.
 */
static void central_relist_span(struct gospan_mcentral *mc, struct gospan_span *s,
				struct list_head *empty)
{
	lockdep_assert_held(&mc->lock);
	if (s->alloc_count) {
		list_move(&s->list, &mc->partial);
	} else if (mc->nr_empty < mc->max_empty) {
		mc->nr_empty++;
		/* Last, so that it is used last and can be given up. */
		list_move_tail(&s->list, &mc->partial);
	} else {
		central_give_up(mc, s, empty);
	}
}

/*
 * Give objs[0], and as many after it as are in the same span, back to it.
 * Returns how many; the last of them is the one that @verdict is about.
 */
static unsigned int central_free_group(struct gospan_mcentral *mc, void *const *objs,
				       unsigned int n, struct list_head *empty,
				       enum gospan_verdict *verdict)
{
	struct gospan_span *s = gospan_arena_span_of(&gospan_heap.arenas, objs[0]);
	unsigned int i = 0, old_count;
	bool was_full;

	lockdep_assert_held(&mc->lock);
	/* Freed twice, and its span is gone or empty since the first time. */
	*verdict = GOSPAN_FREE_DOUBLE;
	if (!s || s->spanclass != mc->spanclass || s->node != mc->node || !s->alloc_count)
		return 1;
	old_count = s->alloc_count;
	was_full = gospan_span_is_full(s);
	do {
		*verdict = gospan_span_free(s, objs[i++]);
	} while (i < n && *verdict == GOSPAN_FREE_OK && gospan_span_contains(s, objs[i]));
	mc->nr_taken -= old_count - s->alloc_count;
	/* Others stay where they are in the list of partial spans. */
	if (!s->owned && s->alloc_count < old_count && (was_full || !s->alloc_count))
		central_relist_span(mc, s, empty);
	return i;
}

/* Up to @n objects back to their spans; stops after one that is misused. */
static unsigned int central_free_some(struct gospan_mcentral *mc, void *const *objs,
				      unsigned int n, enum gospan_verdict *verdict)
{
	LIST_HEAD(empty);
	unsigned long flags;
	unsigned int i = 0;
	bool typesafe;

	raw_spin_lock_irqsave(&mc->lock, flags);
	typesafe = mc->typesafe;
	do {
		i += central_free_group(mc, objs + i, n - i, &empty, verdict);
	} while (i < n && *verdict == GOSPAN_FREE_OK);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	spans_release(&empty, typesafe);
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

/* The list that an object is to go to; NULL if it is none, or its span is gone. */
static struct gospan_mcentral *object_central(const void *p)
{
	const struct gospan_chunk *chunk = gospan_arena_chunk_of(&gospan_heap.arenas,
								 (unsigned long)p);
	unsigned int spanclass = gospan_arena_spanclass_of(&gospan_heap.arenas, p);

	if (spanclass == GOSPAN_SPANCLASS_IN_TINY)
		spanclass = GOSPAN_SPANCLASS_TINY;
	if (!gospan_spanclass_is_cut(spanclass))
		return NULL;
	return gospan_mcentral_of(spanclass, chunk->home->node);
}

/* Move the objects for the same list as the first to the front. Returns how many. */
static unsigned int objects_group(struct gospan_mcentral **central, void **objs, unsigned int n)
{
	unsigned int same = 1, i;

	for (i = 1; i < n; i++) {
		if (central[i] != central[0])
			continue;
		swap(central[i], central[same]);
		swap(objs[i], objs[same]);
		same++;
	}
	return same;
}

/* Up to GOSPAN_MAX_BATCH objects. */
static void flush_home_some(void **objs, unsigned int n)
{
	struct gospan_mcentral *central[GOSPAN_MAX_BATCH];
	unsigned int done, same;

	/* One that was freed twice may have no chunk any more. */
	rcu_read_lock();
	for (done = 0; done < n; done++)
		central[done] = object_central(objs[done]);
	rcu_read_unlock();
	for (done = 0; done < n; done += same) {
		same = objects_group(central + done, objs + done, n - done);
		if (central[done])
			gospan_mcentral_flush(central[done], objs + done, same);
		else
			gospan_report_misuse(GOSPAN_FREE_DOUBLE, objs[done]);
	}
}

/**
 * gospan_mcentral_flush_home() - give back free objects of any spanclasses and nodes
 * @objs: objects, or blocks; reordered
 * @n: how many
 *
 * Context: Any but NMI. Takes central locks, one after the other, of each
 * %GOSPAN_MAX_BATCH objects each lock once if the transit stack has room. Reports
 * what is no object.
 */
void gospan_mcentral_flush_home(void **objs, unsigned int n)
{
	unsigned int some;

	for (; n; n -= some, objs += some) {
		some = min(n, GOSPAN_MAX_BATCH);
		flush_home_some(objs, some);
	}
}

/*
 * One object past the magazines, or NULL: for an interrupt that found its CPU's
 * mcache claimed, or who wants it of a certain node.
 */
void *gospan_mcentral_alloc(struct gospan_mcentral *mc)
{
	struct gospan_span *s = NULL;
	unsigned long flags;
	void *p = NULL;

	raw_spin_lock_irqsave(&mc->lock, flags);
	if (central_pop_transit(mc, &p, 1) || central_cut(mc, &s, &p, 1))
		mc->nr_mallocs++;
	if (s) {
		s->owned = false;
		list_add(&s->list, &mc->partial);
	}
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return p;
}

/* A CPU has no more use for its current span, which has a free slot. */
void gospan_mcentral_disown(struct gospan_mcentral *mc, struct gospan_span *s)
{
	LIST_HEAD(empty);
	unsigned long flags;
	bool typesafe;

	raw_spin_lock_irqsave(&mc->lock, flags);
	typesafe = mc->typesafe;
	s->owned = false;
	central_relist_span(mc, s, &empty);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	spans_release(&empty, typesafe);
}

/* Give the spans that nothing is taken from to the heap. */
static void central_release_empty(struct gospan_mcentral *mc)
{
	struct gospan_span *s, *next;
	LIST_HEAD(empty);
	unsigned long flags;
	bool typesafe;

	raw_spin_lock_irqsave(&mc->lock, flags);
	typesafe = mc->typesafe;
	/* Most lie at the end, and there may be very many others. */
	list_for_each_entry_safe_reverse(s, next, &mc->partial, list) {
		if (!mc->nr_empty)
			break;
		if (s->alloc_count)
			continue;
		mc->nr_empty--;
		central_give_up(mc, s, &empty);
	}
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	spans_release(&empty, typesafe);
}

/*
 * Give the objects in transit back to their spans, and all empty spans to the heap.
 * In an RCU read-side section: who ends the use of a spanclass waits for it, since
 * meanwhile objects may be nowhere but here.
 */
void gospan_mcentral_drain(struct gospan_mcentral *mc)
{
	unsigned int n, left;
	void *objs[16];
	unsigned long flags;

	rcu_read_lock();
	/* The spanclass may just come into use. */
	left = data_race(mc->max_transit);
	/* Others may go on filling it. */
	for (; left; left -= n) {
		raw_spin_lock_irqsave(&mc->lock, flags);
		n = central_pop_transit(mc, objs, min_t(unsigned int, left, ARRAY_SIZE(objs)));
		raw_spin_unlock_irqrestore(&mc->lock, flags);
		if (!n)
			break;
		central_free_objects(mc, objs, n);
	}
	central_release_empty(mc);
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

/* Up to @n of the objects that are not free in @s. */
static unsigned int span_taken(const struct gospan_span *s, void **objs, unsigned int n)
{
	unsigned int slot, nr = 0;

	for (slot = 0; slot < s->nelems && nr < n; slot++)
		if (s->alloc_bits[slot / 64] >> (slot % 64) & 1)
			objs[nr++] = (void *)(s->base + (unsigned long)slot * s->elem_bytes);
	return nr;
}

/* Up to @n objects that are not free in their spans, which no CPU owns. Returns how many. */
unsigned int gospan_mcentral_taken(struct gospan_mcentral *mc, void **objs, unsigned int n)
{
	const struct gospan_span *s;
	unsigned int nr = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&mc->lock, flags);
	list_for_each_entry(s, &mc->full, list) {
		if (nr == n)
			break;
		nr += span_taken(s, objs + nr, n - nr);
	}
	list_for_each_entry(s, &mc->partial, list) {
		if (nr == n)
			break;
		nr += span_taken(s, objs + nr, n - nr);
	}
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return nr;
}

/* Pages of the node's spans that nothing is taken from, of all spanclasses; at some moment. */
unsigned long gospan_mcentral_empty_pages(int node)
{
	unsigned long npages = 0;
	unsigned int spanclass;

	for (spanclass = GOSPAN_SPANCLASS_FIRST; spanclass < GOSPAN_SPANCLASS_LIMIT; spanclass++) {
		const struct gospan_mcentral *mc = gospan_mcentral_of(spanclass, node);

		/* A sum of different moments in any case; a spanclass may go meanwhile. */
		npages += data_race(mc->nr_empty) * data_race(mc->layout.npages);
	}
	return npages;
}

static void span_construct(const struct gospan_span *s, void (*ctor)(void *obj))
{
	unsigned int i;

	for (i = 0; i < s->nelems; i++)
		ctor((void *)(s->base + (unsigned long)i * s->elem_bytes));
}

/* Add a span to the central list, or that of the node whose memory it is. NULL: there is none. */
static struct gospan_mcentral *central_add_span(struct gospan_mcentral *mc, gfp_t gfp)
{
	struct gospan_span *s = gospan_mheap_alloc_node(&gospan_heap, mc->spanclass, &mc->layout,
							gfp, mc->node);
	unsigned long flags;

	if (!s)
		return NULL;
	mc = gospan_mcentral_on(mc, s->node);
	/* No object of a block lives. */
	memset((void *)s->base - mc->layout.header_bytes, 0, mc->layout.header_bytes);
	if (mc->ctor)
		span_construct(s, mc->ctor);
	raw_spin_lock_irqsave(&mc->lock, flags);
	mc->nr_spans++;
	mc->nr_empty++;
	list_add(&s->list, &mc->partial);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return mc;
}

/* The nearest other node's list that has a free object, at some moment; or NULL. */
static struct gospan_mcentral *central_nearest(const struct gospan_mcentral *mc)
{
	struct gospan_mcentral *nearest = NULL;
	int node;

	for_each_node_state(node, N_MEMORY) {
		struct gospan_mcentral *other = gospan_mcentral_on(mc, node);

		/* Who takes from it sees what it has then. */
		if (other == mc || (!data_race(other->nr_transit) && list_empty(&other->partial)))
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
 * @gfp: how the heap may grow; with %__GFP_THISNODE only by memory of the list's node
 *
 * First by memory of the node that is free, then those that another node has,
 * then by memory that the kernel makes free, or that is elsewhere.
 *
 * Context: Any but NMI; sleeps if @gfp allows it. No lock, no mcache claimed.
 * Return: the list that has some now: @mc or, if it is short of memory, the same
 * of another node; %NULL when memory ran out.
 */
struct gospan_mcentral *gospan_mcentral_grow(struct gospan_mcentral *mc, gfp_t gfp)
{
	struct gospan_mcentral *from = NULL;

	if (gospan_node_are_many() && !(gfp & __GFP_THISNODE)) {
		from = central_add_span(mc, gospan_pagesource_gfp_free_here(gfp));
		from = from ?: central_nearest(mc);
	}
	return from ?: central_add_span(mc, gfp);
}
