// SPDX-License-Identifier: GPL-2.0-only
/*
 * Central lists: the spans of one spanclass on one node, and free objects in transit.
 *
 * mcaches trade batches of objects with the central list of the spanclass on
 * the CPU's NUMA node. All that is on it, or in transit through it, is memory of
 * its node; what is freed elsewhere comes home.
 *
 * A batch that comes in goes to a slot of the transit, and the next batch asked
 * for leaves from there: objects that one CPU frees and another allocates
 * never touch their spans, nor a lock. Where a cache line has several, the other is
 * the CPU whose pages they are in. Where that has no room, or nothing, the
 * lock is taken once for several batches: what is in transit goes back to the
 * spans as well, or some is cut ahead. What goes back is grouped by span, in whatever
 * order it comes, so that each is met once.
 *
 * Objects are cut from the fullest span that has a free slot, so that the
 * others may run empty. A span whose last object came back stays as it is, since
 * most often it is wanted soon; how it gets back to the heap is in mcentral_drain.c.
 * It is retracted from the arena map under the lock then: so a span that the map
 * has for an object of this spanclass is one of this list.
 *
 * Any context but NMI.
 *
 * Go's mcentral trades whole spans and relies on the sweep for what comes
 * back; fullness counts in free slots where TCMalloc's counts in taken ones.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include "mcentral.h"
#include "report.h"

/* Which list a span with a free slot belongs on, that is not empty. */
static unsigned int span_fullness(unsigned int nr_free)
{
	return min(ilog2(nr_free), GOSPAN_NR_FULLNESS - 1);
}

/* Put a span that no CPU owns, and is on no list, where it belongs: a full one, nowhere. */
static void central_list_span(struct gospan_mcentral *mc, struct gospan_span *s)
{
	unsigned int nr_free = s->nelems - s->alloc_count;

	lockdep_assert_held(&mc->lock);
	s->owned = false;
	if (!nr_free)
		return;
	WRITE_ONCE(mc->nr_listed, mc->nr_listed + 1);
	if (s->alloc_count) {
		list_add(&s->list, &mc->partial[span_fullness(nr_free)]);
	} else {
		list_add(&s->list, &mc->empty);
		mc->nr_empty++;
	}
}

/* Take one that is listed off the lists. */
static void central_unlist_span(struct gospan_mcentral *mc, struct gospan_span *s)
{
	lockdep_assert_held(&mc->lock);
	list_del_init(&s->list);
	WRITE_ONCE(mc->nr_listed, mc->nr_listed - 1);
}

/* The fullest span that has a free slot and others, or NULL. */
static struct gospan_span *central_fullest(struct gospan_mcentral *mc)
{
	struct gospan_span *s = NULL;
	unsigned int i;

	lockdep_assert_held(&mc->lock);
	if (mc->nr_listed == mc->nr_empty)
		return NULL;
	for (i = 0; !s && i < GOSPAN_NR_FULLNESS; i++)
		s = list_first_entry_or_null(&mc->partial[i], struct gospan_span, list);
	return s;
}

/* Take the fullest span that has a free slot off the lists for a CPU, or NULL. */
static struct gospan_span *central_take_span(struct gospan_mcentral *mc)
{
	struct gospan_span *s = central_fullest(mc);

	lockdep_assert_held(&mc->lock);
	if (!s) {
		if (!mc->nr_empty)
			return NULL;
		s = list_first_entry(&mc->empty, struct gospan_span, list);
		mc->nr_empty--;
		mc->nr_unused = min(mc->nr_unused, mc->nr_empty);
	}
	central_unlist_span(mc, s);
	s->owned = true;
	if (gospan_span_is_private(s->elem_bytes))
		gospan_arena_mark(&gospan_heap.arenas, s, gospan_cpu_mark(smp_processor_id()));
	return s;
}

/* Cut up to @n objects out of the current span. */
static unsigned int central_cut_current(struct gospan_mcentral *mc,
					struct gospan_span **current_span, void **objs,
					unsigned int n)
{
	unsigned int got = gospan_span_alloc(*current_span, objs, n);

	lockdep_assert_held(&mc->lock);
	if (gospan_span_is_full(*current_span)) {
		(*current_span)->owned = false;
		*current_span = NULL;
	}
	atomic_long_add(got, &mc->nr_taken);
	return got;
}

/* The same out of it and, where that runs out, others. */
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
		got += central_cut_current(mc, current_span, objs + got, n - got);
	}
	return got;
}

/* Cut as much as the @n objects that were asked for some more times, for those who ask next. */
static void central_cut_ahead(struct gospan_mcentral *mc, struct gospan_span **current_span,
			      unsigned int n)
{
	unsigned int times = max(GOSPAN_CENTRAL_BATCHES * GOSPAN_MAX_BATCH / n, 1U) - 1;
	unsigned int left = n * min(gospan_mcentral_nr_ahead(mc), times);
	struct gospan_batch *b;

	lockdep_assert_held(&mc->lock);
	for (; left && (*current_span || mc->nr_listed); left -= min(left, mc->transit.room)) {
		b = gospan_transit_take(&mc->transit, GOSPAN_TRANSIT_EMPTY);
		if (!b)
			return;
		b->nr = central_cut(mc, current_span, b->objs, min(left, mc->transit.room));
		gospan_transit_put(&mc->transit, b);
	}
}

/* Slots of the transit that are looked at for a batch of the CPU's own pages. */
#define OWN_TRIES	8U

static unsigned int object_mark(const void *p)
{
	return gospan_key_mark(gospan_arena_key_of(&gospan_heap.arenas, p));
}

/*
 * A batch in transit whose first, middle and last object are in pages that this CPU cuts, as
 * then most of it are; or NULL. Others may own the slot when it is looked at, and then put
 * another batch there.
 */
static struct gospan_batch *central_take_own(struct gospan_mcentral *mc,
					     enum gospan_transit_state state)
{
	/* It is a hint alone: tests call this with preemption on. */
	unsigned int mark = gospan_cpu_mark(raw_smp_processor_id()), tries = OWN_TRIES, slot;
	/* Pairs with gospan_transit_open(), by way of the batches' bits. */
	unsigned long slots = smp_load_acquire(&mc->transit.slots[state]);
	struct gospan_batch *b;

	for (; slots && tries; slots &= slots - 1, tries--) {
		slot = __ffs(slots);
		b = gospan_transit_batch(&mc->transit, slot);
		/* See above. */
		if (object_mark(data_race(READ_ONCE(b->objs[0]))) != mark ||
		    !test_and_clear_bit(slot, &mc->transit.slots[state]))
			continue;
		/* It may have been begun with objects of this CPU's, and filled with others. */
		if (object_mark(b->objs[b->nr - 1]) == mark &&
		    object_mark(b->objs[b->nr / 2]) == mark)
			return b;
		gospan_transit_put(&mc->transit, b);
	}
	return NULL;
}

/*
 * Where CPUs keep to pages of their own: objects in transit that are of such, so that there are
 * up to @n beside the @got that there are. Those of other CPUs' wait there for these, until they
 * go back to their spans. Returns how many there are.
 */
static unsigned int central_pop_own(struct gospan_mcentral *mc, void **objs, unsigned int got,
				    unsigned int n)
{
	unsigned int room = READ_ONCE(mc->transit.room);
	struct gospan_batch *b;

	/* Beside others only whole batches: what is left of one is to be put elsewhere. */
	while (!got || n - got >= room) {
		b = n - got < room ? central_take_own(mc, GOSPAN_TRANSIT_PARTIAL) : NULL;
		b = b ?: central_take_own(mc, GOSPAN_TRANSIT_FULL);
		if (!b)
			break;
		got += gospan_batch_pop(b, objs + got, n - got);
		gospan_transit_put(&mc->transit, b);
	}
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
 * Context: Any but NMI, as owner of @current_span. Takes the central lock if
 * not enough are in transit, or they are smaller than a cache line.
 * Return: how many were had, 0..@n; fewer only if the spans have no more.
 */
unsigned int gospan_mcentral_refill(struct gospan_mcentral *mc, struct gospan_span **current_span,
				    void **objs, unsigned int n)
{
	/* Another node's, when this one is short of memory, are had as they are. */
	bool private = gospan_span_is_private(mc->layout.elem_bytes) &&
		       mc->node == gospan_node_local();
	unsigned int got = 0;
	unsigned long flags;

	/* First what is in lines of the CPU's own. */
	if (private && *current_span) {
		raw_spin_lock_irqsave(&mc->lock, flags);
		got = central_cut_current(mc, current_span, objs, n);
		raw_spin_unlock_irqrestore(&mc->lock, flags);
	}
	got = private ? central_pop_own(mc, objs, got, n) :
			gospan_transit_pop(&mc->transit, objs, n);
	/* Who frees into a span just now comes too late. */
	if (got == n || (!*current_span && !READ_ONCE(mc->nr_listed)))
		return got;
	raw_spin_lock_irqsave(&mc->lock, flags);
	got += central_cut(mc, current_span, objs + got, n - got);
	if (got == n && n >= mc->batch)
		central_cut_ahead(mc, current_span, n);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	return got;
}

/* The span of @p, if that is on this list; NULL: @p was freed before, and its span is gone. */
static __always_inline struct gospan_span *central_span_of(const struct gospan_mcentral *mc,
							   const void *p)
{
	struct gospan_chunk *chunk = gospan_arena_chunk_of(&gospan_heap.arenas, (unsigned long)p);
	unsigned int page_idx = gospan_addr_page_idx((unsigned long)p);
	unsigned int key = READ_ONCE(chunk->key[page_idx]);

	lockdep_assert_held(&mc->lock);
	if (unlikely(gospan_key_spanclass(key) != mc->page_spanclass))
		return NULL;
	if (gospan_node_are_many() && chunk->home->node != mc->node)
		return NULL;
	return *gospan_chunk_span(chunk, gospan_page_idx_by_key(page_idx, key));
}

/* Slots of a span came back, of which @before were free. Returns how many did. */
static __always_inline unsigned int central_relist(struct gospan_mcentral *mc,
						   struct gospan_span *s, unsigned int before)
{
	unsigned int nr_free = s->nelems - s->alloc_count, n = nr_free - before;

	lockdep_assert_held(&mc->lock);
	/* Listed elsewhere where the highest bits of these differ. */
	if (n && !s->owned && ((before ^ nr_free) > (before & nr_free) || !s->alloc_count)) {
		if (before)
			central_unlist_span(mc, s);
		central_list_span(mc, s);
	}
	return n;
}

/* Objects that go back to their spans under the lock at once, at most. */
#define CENTRAL_OBJS	(GOSPAN_CENTRAL_BATCHES * GOSPAN_MAX_BATCH)

/* Up to GOSPAN_MAX_BATCH of them. */
struct central_run {
	void *const *objs;
	unsigned int n;
};

/*
 * All of them, and those that turn out to be misused: what they are is settled while the lock is
 * held, since others may have the slots then, and told later. Number i is object
 * i % GOSPAN_MAX_BATCH of run i / GOSPAN_MAX_BATCH.
 */
struct central_return {
	struct central_run run[GOSPAN_CENTRAL_BATCHES];
	unsigned int nr_runs;
	u8 nr_group[CENTRAL_OBJS];	/* of a group, by the number of its first; see below */
	unsigned int nr_misused;	/* 0: what follows is not set */
	DECLARE_BITMAP(interior, CENTRAL_OBJS);
	DECLARE_BITMAP(twice, CENTRAL_OBJS);
};

/* From number @i to the end of its run. */
static void *const *return_objects(const struct central_return *r, unsigned int i)
{
	return r->run[i / GOSPAN_MAX_BATCH].objs + i % GOSPAN_MAX_BATCH;
}

/* Nothing came of number @i just now. */
static noinline void return_misused(struct gospan_mcentral *mc, struct central_return *r,
				    unsigned int i)
{
	const void *p = *return_objects(r, i);
	const struct gospan_span *s = central_span_of(mc, p);

	if (!r->nr_misused++) {
		bitmap_zero(r->interior, CENTRAL_OBJS);
		bitmap_zero(r->twice, CENTRAL_OBJS);
	}
	/* Else it was freed before, with its span or without. */
	if (s && gospan_span_verdict(s, p) == GOSPAN_FREE_INTERIOR)
		__set_bit(i, r->interior);
	else
		__set_bit(i, r->twice);
}

/* Not under the lock: printing takes long and locks of its own. */
static noinline void return_report(const struct central_return *r)
{
	unsigned int i;

	for_each_set_bit(i, r->interior, CENTRAL_OBJS)
		gospan_report_misuse(GOSPAN_FREE_INTERIOR, *return_objects(r, i));
	for_each_set_bit(i, r->twice, CENTRAL_OBJS)
		gospan_report_misuse(GOSPAN_FREE_DOUBLE, *return_objects(r, i));
}

/*
 * Groups of neighbours in the same page, on lists by the block of pages that they lie in. No span
 * is larger than a block, so it lies in one or two: all that goes back to it is on their lists,
 * and it is met once.
 */
#define MAX_LISTS	128U
#define LIST_END	U16_MAX

struct central_order {
	unsigned int block_shift;
	unsigned int nr_lists;		/* a power of two */
	u16 first[MAX_LISTS];		/* the number of a group's first object */
	u16 next[CENTRAL_OBJS];		/* by that number, the next group's on the same list */
};

static bool is_same_page(const void *p, const void *q)
{
	return ((unsigned long)p ^ (unsigned long)q) < GOSPAN_PAGE_SIZE;
}

/* The list for what lies at @addr. */
static unsigned int order_list(const struct central_order *o, unsigned long addr)
{
	return hash_long(addr >> o->block_shift, ilog2(MAX_LISTS)) & (o->nr_lists - 1);
}

static void order_make(struct central_order *o, const struct gospan_mcentral *mc,
		       struct central_return *r)
{
	unsigned int run = r->nr_runs, n = 0, list, nr, i;

	for (i = 0; i < run; i++)
		n += r->run[i].n;
	o->nr_lists = min_t(unsigned long, roundup_pow_of_two(n), MAX_LISTS);
	/* Twice as large as it need be, where spans may lie in two: so fewer do. */
	o->block_shift = ilog2(GOSPAN_PAGE_SIZE) + order_base_2(mc->layout.npages) +
			 (mc->layout.npages > 1);
	memset(o->first, 0xff, o->nr_lists * sizeof(*o->first));
	while (run--) {
		void *const *objs = r->run[run].objs, *const *first, *const *end;

		for (end = objs + r->run[run].n; end > objs; end = first) {
			first = end - 1;
			while (first > objs && is_same_page(first[-1], end[-1]))
				first--;
			list = order_list(o, (unsigned long)*first);
			nr = run * GOSPAN_MAX_BATCH + (first - objs);
			o->next[nr] = o->first[list];
			o->first[list] = nr;
			r->nr_group[nr] = end - first;
		}
	}
}

/* Give back @n objects from number @i on, the first of which is misused. */
static noinline void group_free_rest(struct gospan_mcentral *mc, struct gospan_span *s,
				     struct central_return *r, unsigned int i, unsigned int n)
{
	unsigned int end = i + n;

	for (; i < end; i++)
		if (!gospan_span_free(s, return_objects(r, i), 1))
			return_misused(mc, r, i);
}

/* Take the groups that lie in @s off a list, and give them back. */
static __always_inline void order_free_list(struct gospan_mcentral *mc, struct gospan_span *s,
					    struct central_order *o, unsigned int list,
					    struct central_return *r)
{
	unsigned long addr = gospan_span_addr(s);
	unsigned long bytes = (unsigned long)s->npages * GOSPAN_PAGE_SIZE;
	u16 *link = &o->first[list];
	unsigned int done, n, i;

	while ((i = *link) != LIST_END) {
		if ((unsigned long)*return_objects(r, i) - addr >= bytes) {
			link = &o->next[i];
			continue;
		}
		*link = o->next[i];
		n = r->nr_group[i];
		done = gospan_span_free(s, return_objects(r, i), n);
		if (unlikely(done < n))
			group_free_rest(mc, s, r, i + done, n - done);
	}
}

/* The same of the other list, where @s lies in two blocks; @p is in one of them. */
static noinline void order_free_other(struct gospan_mcentral *mc, struct gospan_span *s,
				      struct central_order *o, const void *p,
				      struct central_return *r)
{
	unsigned long addr = gospan_span_addr(s);

	if (!((addr ^ (unsigned long)p) >> o->block_shift))
		addr += s->npages * GOSPAN_PAGE_SIZE - 1;
	order_free_list(mc, s, o, order_list(o, addr), r);
}

/* Give the first group on a list, and all others in its span, back. Returns how many objects. */
static __always_inline unsigned int order_free(struct gospan_mcentral *mc,
					       struct central_order *o, unsigned int list,
					       struct central_return *r)
{
	unsigned int i = o->first[list], before, n;
	const void *p = *return_objects(r, i);
	struct gospan_span *s = central_span_of(mc, p);
	unsigned long addr, last;

	if (unlikely(!s)) {
		o->first[list] = o->next[i];
		for (n = r->nr_group[i]; n; n--)
			return_misused(mc, r, i++);
		return 0;
	}
	before = s->nelems - s->alloc_count;
	order_free_list(mc, s, o, list, r);
	addr = gospan_span_addr(s);
	last = addr + s->npages * GOSPAN_PAGE_SIZE - 1;
	if (mc->layout.npages > 1 && (addr ^ last) >> o->block_shift)
		order_free_other(mc, s, o, p, r);
	n = central_relist(mc, s, before);
	mc->nr_met += n > 0;
	return n;
}

static noinline void central_free(struct gospan_mcentral *mc, struct central_return *r)
{
	unsigned int freed = 0, list;
	struct central_order order;
	unsigned long flags;

	r->nr_misused = 0;
	order_make(&order, mc, r);
	raw_spin_lock_irqsave(&mc->lock, flags);
	for (list = 0; list < order.nr_lists; list++)
		while (order.first[list] != LIST_END)
			freed += order_free(mc, &order, list, r);
	atomic_long_sub(freed, &mc->nr_taken);
	mc->nr_returned += freed;
	raw_spin_unlock_irqrestore(&mc->lock, flags);
	if (unlikely(r->nr_misused))
		return_report(r);
}

/* A batch in transit, whose slot the caller owns, back to the spans; the slot to others. */
void gospan_mcentral_free_batch(struct gospan_mcentral *mc, struct gospan_batch *b)
{
	struct central_return r;

	r.run[0] = (struct central_run){ b->objs, b->nr };
	r.nr_runs = 1;
	central_free(mc, &r);
	b->nr = 0;
	gospan_transit_put(&mc->transit, b);
}

/*
 * Up to CENTRAL_OBJS back to their spans and, since they all meet the same lock, batches in
 * transit. Apart, so that who needs it not pays nothing for its stack.
 */
static noinline void central_free_spill(struct gospan_mcentral *mc, void *const *objs,
					unsigned int n)
{
	struct gospan_batch *batch[GOSPAN_CENTRAL_BATCHES];
	unsigned int nr_batches = 0, i;
	struct central_return r;

	r.nr_runs = 0;
	for (i = 0; i < n; i += GOSPAN_MAX_BATCH)
		r.run[r.nr_runs++] = (struct central_run){ objs + i, min(n - i, GOSPAN_MAX_BATCH) };
	while (r.nr_runs < GOSPAN_CENTRAL_BATCHES) {
		struct gospan_batch *b = gospan_transit_take(&mc->transit, GOSPAN_TRANSIT_FULL);

		if (!b)
			break;
		batch[nr_batches++] = b;
		r.run[r.nr_runs++] = (struct central_run){ b->objs, b->nr };
	}
	central_free(mc, &r);
	for (i = 0; i < nr_batches; i++) {
		batch[i]->nr = 0;
		gospan_transit_put(&mc->transit, batch[i]);
	}
}

/* Objects that the transit has no room for, to their spans. */
noinline void gospan_mcentral_spill(struct gospan_mcentral *mc, void *const *objs, unsigned int n)
{
	unsigned int some;

	for (; n; n -= some, objs += some) {
		some = min(n, CENTRAL_OBJS);
		central_free_spill(mc, objs, some);
	}
}

/**
 * gospan_mcentral_flush() - give back a batch of free objects
 * @mc: central list
 * @objs: objects of its spanclass
 * @n: how many
 *
 * Context: Any but NMI. Takes the central lock, then the heap's, if the transit
 * has no room. Reports misuse of what goes as far as the spans.
 */
void gospan_mcentral_flush(struct gospan_mcentral *mc, void *const *objs, unsigned int n)
{
	unsigned int moved = gospan_transit_push(&mc->transit, objs, n);

	if (unlikely(moved < n))
		gospan_mcentral_spill(mc, objs + moved, n - moved);
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

	if (!gospan_transit_pop(&mc->transit, &p, 1)) {
		raw_spin_lock_irqsave(&mc->lock, flags);
		central_cut(mc, &s, &p, 1);
		if (s)
			central_list_span(mc, s);
		raw_spin_unlock_irqrestore(&mc->lock, flags);
	}
	if (p)
		atomic_long_inc(&mc->nr_mallocs);
	return p;
}

/* A CPU has no more use for its current span, which has a free slot. */
void gospan_mcentral_disown(struct gospan_mcentral *mc, struct gospan_span *s)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&mc->lock, flags);
	central_list_span(mc, s);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
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

/* Up to @n objects that are not free in their spans. Returns how many. Walks the whole heap. */
unsigned int gospan_mcentral_taken(struct gospan_mcentral *mc, void **objs, unsigned int n)
{
	unsigned long page = 0, flags;
	struct gospan_span *s;
	unsigned int nr = 0;

	while (nr < n) {
		rcu_read_lock();
		s = gospan_arena_next_span(&gospan_heap.arenas, &page);
		if (s && READ_ONCE(s->spanclass) == mc->spanclass) {
			raw_spin_lock_irqsave(&mc->lock, flags);
			/* Is it still one? */
			if (gospan_arena_has_span(&gospan_heap.arenas, s, (void *)s->base) &&
			    s->spanclass == mc->spanclass && s->node == mc->node)
				nr += span_taken(s, objs + nr, n - nr);
			raw_spin_unlock_irqrestore(&mc->lock, flags);
		}
		rcu_read_unlock();
		if (!s)
			break;
		cond_resched();
	}
	return nr;
}

/* Spans that have a free slot, on a list of their own and owned, to the lists. */
void gospan_mcentral_list_spans(struct gospan_mcentral *mc, struct list_head *spans)
{
	struct gospan_span *s, *next;
	unsigned long flags;

	raw_spin_lock_irqsave(&mc->lock, flags);
	list_for_each_entry_safe(s, next, spans, list) {
		list_del_init(&s->list);
		central_list_span(mc, s);
	}
	raw_spin_unlock_irqrestore(&mc->lock, flags);
}
