// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug: which classes' objects have records, and what is done with them.
 *
 * A size class under debug is served by a named cache, whose slots have room for
 * a record; a large object takes pages for it. No CPU keeps objects with records, so
 * the fast paths find nothing to pop and no room to push, and come here; all that
 * a free has to be told is in the spanclass of the page. An allocation is sent here
 * by the key that init_on_alloc has it look at in any case. So classes that are not
 * under debug take the paths that they always take, and while none is, all do.
 *
 * Objects keep what they have when letters change: only new ones are treated anew.
 * What gospan_alloc_nolock() gives comes from reserves and has no record of its own.
 *
 * kmemleak, where the kernel has it, knows objects with records, and looks for pointers
 * in them; of others it knows large ones, and where to look for pointers.
 *
 * What is freed may wait in the quarantine, first in, first out, before anyone has it
 * again: the longer, the more of what is written to it meanwhile is found then.
 *
 * The letters are slub_debug's. Go has nothing alike; its programs are not to have
 * stale pointers.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kmemleak.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "cache.h"
#include "debug.h"
#include "malloc.h"
#include "report.h"
#include "supply.h"

unsigned long gospan_debug_quarantine_bytes;
module_param_named(quarantine_bytes, gospan_debug_quarantine_bytes, ulong, 0644);
MODULE_PARM_DESC(quarantine_bytes, "bytes of freed objects under debug that wait before they are used again (default 0)");

/* Objects that leave the quarantine at once: bounds the time with interrupts off. */
#define CUT_NR_OBJS	64U

struct gospan_debug_class gospan_debug_classes[GOSPAN_NR_SIZECLASSES];

/* Objects that are free, and that nobody has; linked through their records. */
static struct {
	raw_spinlock_t lock;		/* irqsave; a leaf */
	struct gospan_record *first;	/* under it */
	struct gospan_record **last;	/* under it */
	unsigned long bytes;		/* under it */
} quarantine = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(quarantine.lock),
	.last = &quarantine.first,
};

static unsigned int size_to_class(size_t size)
{
	return size <= GOSPAN_MAX_SMALL_BYTES ? gospan_size_to_class(size) : 0;
}

/* Are objects of @size under debug? Not of size 0. */
bool gospan_debug_has_class(size_t size)
{
	return READ_ONCE(gospan_debug_classes[size_to_class(size)].letters);
}

static unsigned int span_letters(const struct gospan_span *s)
{
	return s->spanclass == GOSPAN_SPANCLASS_LARGE ? READ_ONCE(gospan_debug_classes[0].letters) :
	       READ_ONCE(gospan_spanclass_cache(s->spanclass)->letters);
}

/**
 * gospan_debug_take() - look at a free object with a record and hand it out
 * @p: the object, which the caller has
 * @size: bytes asked for
 * @gfp: how a stack may be kept; with %__GFP_ZERO the object is cleared
 *
 * Context: Any but NMI.
 * Return: false if something was found, and reported: then nobody is to have it.
 */
bool gospan_debug_take(void *p, size_t size, gfp_t gfp)
{
	struct gospan_span *s = gospan_arena_span_of(&gospan_heap.arenas, p);
	struct gospan_record *r = gospan_record_of(s, p);
	unsigned int letters = span_letters(s);
	enum gospan_verdict verdict;
	const void *damage;

	verdict = gospan_record_take(r, p, size, letters, &damage);
	if (verdict != GOSPAN_FREE_OK) {
		gospan_report_object(verdict, damage, s, p);
		return false;
	}
	gospan_track_note(&r->alloc, letters & GOSPAN_DEBUG_USER, gfp);
	if (gfp & __GFP_ZERO)
		memset(p, 0, size);
	/* It allocates: on PREEMPT_RT not everywhere. */
	if (gospan_supply_may_allocate())
		kmemleak_alloc(p, size, 1, gfp);
	return true;
}

/* NULL: it has none. */
static struct gospan_record *object_record(const void *p)
{
	const struct gospan_span *s = gospan_arena_span_of(&gospan_heap.arenas, p);

	return s ? gospan_record_of(s, p) : NULL;
}

static void *alloc_large(size_t size, gfp_t gfp, int node)
{
	size_t bytes = gospan_record_large_bytes(size);
	struct gospan_span *s = gospan_malloc_large(size, bytes, gfp, node);

	if (!s)
		return NULL;
	gospan_record_large(s);
	/* Nobody wrote to it; its pages are zeros already. */
	gospan_debug_take((void *)s->base, size, gfp & ~__GFP_ZERO);
	return (void *)s->base;
}

/**
 * gospan_debug_alloc() - allocate an object of a class that may be under debug
 * @size: bytes, not 0
 * @gfp: as gospan_alloc()'s
 * @noscan: no pointers are stored in it
 * @node: where from, or %NUMA_NO_NODE
 * @p: the object, or %NULL: no memory
 *
 * Context: Any but NMI; sleeps if @gfp allows it.
 * Return: false if the class is not under debug; then @p is not set.
 */
bool gospan_debug_alloc(size_t size, gfp_t gfp, bool noscan, int node, void **p)
{
	const struct gospan_debug_class *class = &gospan_debug_classes[size_to_class(size)];

	/* Pairs with the release in debug_set.c: then there is a cache, too. */
	if (likely(!smp_load_acquire(&class->letters)))
		return false;
	if (size > GOSPAN_MAX_SMALL_BYTES) {
		/* The largest have no room for a record; the sum must not wrap. */
		if (size > GOSPAN_MAX_BYTES || gospan_record_large_bytes(size) > GOSPAN_MAX_BYTES)
			return false;
		*p = alloc_large(size, gfp, node == NUMA_NO_NODE ? gospan_node_local() : node);
	} else {
		*p = gospan_cache_alloc_recorded(class->cache, size, gfp, node);
	}
	if (!*p)
		return true;
	object_record(*p)->noscan = noscan;
	if (noscan && gospan_supply_may_allocate())
		kmemleak_no_scan(*p);
	return true;
}

/* Objects that leave the quarantine; linked. */
static void quarantine_release(struct gospan_record *r)
{
	unsigned int spanclass;
	void *p;

	while (r) {
		spanclass = gospan_arena_spanclass_of(&gospan_heap.arenas, r);
		p = (void *)r - gospan_spanclass_word_offset(spanclass);
		r = r->link;
		gospan_mcentral_flush_home(&p, 1);
	}
}

/* What is freed is written over at times, its record too. */
static bool quarantine_is_sound(const struct gospan_record *r)
{
	unsigned int spanclass = gospan_arena_spanclass_of(&gospan_heap.arenas, r);

	return gospan_spanclass_is_recorded(spanclass) && gospan_record_is_free(r);
}

/* Take some of the oldest out, until no more than @limit bytes are left. */
static struct gospan_record *quarantine_cut(unsigned long limit)
{
	struct gospan_record *first = quarantine.first, *r = NULL;
	unsigned int n;

	lockdep_assert_held(&quarantine.lock);
	/* What is behind one that is not sound is lost. */
	for (n = 0; n < CUT_NR_OBJS && quarantine.bytes > limit && quarantine.first &&
	     quarantine_is_sound(quarantine.first); n++) {
		r = quarantine.first;
		quarantine.first = r->link;
		quarantine.bytes -= min_t(unsigned long, quarantine.bytes, r->asked);
	}
	if (quarantine.first && !quarantine_is_sound(quarantine.first))
		quarantine.first = NULL;
	if (!quarantine.first) {
		quarantine.last = &quarantine.first;
		quarantine.bytes = 0;
	}
	if (!r)
		return NULL;
	r->link = NULL;
	return first;
}

/* Keep an object for a while, and let the oldest go. False if none are kept. */
static bool quarantine_put(struct gospan_record *r)
{
	unsigned long limit = READ_ONCE(gospan_debug_quarantine_bytes), flags;
	struct gospan_record *old;

	if (!limit) {
		/* It may have been more before. */
		if (unlikely(READ_ONCE(quarantine.first)))
			gospan_debug_flush();
		return false;
	}
	r->link = NULL;
	raw_spin_lock_irqsave(&quarantine.lock, flags);
	*quarantine.last = r;
	quarantine.last = (struct gospan_record **)&r->link;
	quarantine.bytes += r->asked;
	old = quarantine_cut(limit);
	raw_spin_unlock_irqrestore(&quarantine.lock, flags);
	quarantine_release(old);
	return true;
}

/* Let all go. Any context but NMI. */
void gospan_debug_flush(void)
{
	struct gospan_record *old;
	unsigned long flags;

	do {
		/* Who destroys a cache waits for objects in hand. */
		rcu_read_lock();
		raw_spin_lock_irqsave(&quarantine.lock, flags);
		old = quarantine_cut(0);
		raw_spin_unlock_irqrestore(&quarantine.lock, flags);
		quarantine_release(old);
		rcu_read_unlock();
	} while (old);
}

/* An object with a record. Returns whether the caller gives it back. */
static bool object_free(const struct gospan_span *s, struct gospan_record *r, void *p)
{
	bool large = s->spanclass == GOSPAN_SPANCLASS_LARGE;
	unsigned int letters = span_letters(s);
	enum gospan_verdict verdict;
	const void *damage;

	verdict = gospan_record_drop(r, p, letters,
				     !large && gospan_spanclass_keeps(s->spanclass), &damage);
	/* Otherwise somebody else has it, or had. */
	if (verdict != GOSPAN_FREE_DOUBLE && verdict != GOSPAN_FREE_DAMAGED)
		kmemleak_free(p);
	if (verdict != GOSPAN_FREE_OK) {
		gospan_report_object(verdict, damage, s, p);
		return false;
	}
	gospan_track_note(&r->free, letters & GOSPAN_DEBUG_USER, GFP_NOWAIT);
	return large || !quarantine_put(r);
}

/**
 * gospan_debug_free() - take back what may be an object with a record
 * @p: in a span of such, or of a large object
 *
 * Misuse is reported.
 *
 * Context: Any but NMI.
 * Return: Whether the caller is to give it back to the heap.
 */
bool gospan_debug_free(const void *p)
{
	enum gospan_verdict verdict = GOSPAN_FREE_FOREIGN;
	struct gospan_record *r = NULL;
	struct gospan_span *s;
	bool ours = false;

	/* A span looked up with a pointer that is not ours may go at any time. */
	rcu_read_lock();
	s = gospan_arena_span_of(&gospan_heap.arenas, p);
	if (s) {
		verdict = GOSPAN_FREE_INTERIOR;
		if (gospan_span_object_bytes(s, p)) {
			verdict = GOSPAN_FREE_OK;
			r = gospan_record_of(s, p);
			ours = !r || object_free(s, r, (void *)p);
		}
	}
	rcu_read_unlock();
	if (verdict != GOSPAN_FREE_OK)
		gospan_report_misuse(verdict, p);
	return ours;
}

/* Of the object's @bytes, those that were asked for, if that was noted. */
size_t gospan_debug_bytes(const struct gospan_span *s, const void *p, size_t bytes)
{
	const struct gospan_record *r = gospan_record_of(s, p);

	if (!r)
		return bytes;
	return gospan_record_is_live(r) ? r->asked : 0;
}

/* Does an object start at @p that has a record, live or not? */
bool gospan_debug_has_record(const void *p)
{
	struct gospan_span *s;
	bool has;

	/* A span looked up with a pointer that is not ours may go at any time. */
	rcu_read_lock();
	s = gospan_arena_span_of(&gospan_heap.arenas, p);
	has = s && gospan_span_object_bytes(s, p) && gospan_record_of(s, p);
	rcu_read_unlock();
	return has;
}

/* A live object has @size bytes from now on, no more than before. */
void gospan_debug_resize(const void *p, size_t size)
{
	struct gospan_record *r = object_record(p);

	if (r)
		gospan_record_resize(r, (void *)p, size);
}

/* Is it noted that no pointers are stored in a live object? */
bool gospan_debug_is_noscan(const void *p)
{
	const struct gospan_record *r = object_record(p);

	return r && r->noscan;
}
