// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bulk: many objects in one call, straight between a caller's array, the
 * magazine and the central lists.
 *
 * One claim serves up to BULK_OBJS objects. What the magazine has, or has room
 * for, is copied; what lies beyond it goes past it if it is at least half of
 * what the magazine holds, and otherwise by way of a refill or flush: so each lock
 * acquisition moves half a magazine or more whatever the number of objects is. Frees
 * are sorted by spanclass first, a call's objects may be of any.
 *
 * The rare ones - large, of another node, none at all, an mcache that is claimed,
 * memory that is short - take the way of single objects, one after the other.
 *
 * Go has no counterpart; SLUB's bulk calls want all objects of one cache.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "bulk.h"
#include "debug.h"
#include "malloc.h"
#include "report.h"

/* Objects in a claim; bounds the time with preemption, and under a lock interrupts, off. */
#define BULK_OBJS	256U

/* Objects in half a magazine; 0 for one without capacity. */
static unsigned int magazine_half(const struct gospan_magazine *m)
{
	return (m->limit - m->base) / 2;
}

/* Take up to @n objects out of the magazine. Returns how many. */
static __always_inline unsigned int magazine_pop(struct gospan_magazine *m, void **objs,
						 unsigned int n)
{
	n = min_t(unsigned int, n, m->top - m->base);
	/* gospan_mcache_none is not written. */
	if (unlikely(!n))
		return 0;
	m->top -= n;
	memcpy(objs, m->top, n * sizeof(*objs));
	m->nr_mallocs += n;
	return n;
}

/*
 * The magazine is empty: up to @n objects all the same, fewer only if the
 * central list gives this CPU no more, or the mcache was claimed before.
 */
static noinline unsigned int mcache_alloc_bulk(struct gospan_mcache *c, unsigned int spanclass,
					       void **objs, unsigned int n)
{
	struct gospan_magazine *m = &c->magazine[spanclass];
	unsigned int got = 0, some;

	if (gospan_mcache_is_none(c))
		return 0;
	while (got < n && (!magazine_half(m) || n - got < magazine_half(m))) {
		/* Grants capacity, and refills half of it, or all. */
		objs[got] = gospan_mcache_alloc(c, spanclass, NULL);
		if (!objs[got])
			return got;
		got++;
		got += magazine_pop(m, objs + got, n - got);
	}
	if (got == n)
		return n;
	gospan_mcache_grow(c, spanclass);
	do {
		some = gospan_mcentral_refill(gospan_mcache_central(c, spanclass),
					      &c->span[spanclass], objs + got, n - got);
		m->nr_mallocs += some;
		/* Which way it goes is as it was. */
		c->one_way[spanclass] += some;
		got += some;
	} while (some && got < n);
	return got;
}

/* Add as many spans as @n objects take. False if the node had memory for none. */
static noinline bool central_grow_bulk(unsigned int spanclass, unsigned int n, gfp_t gfp)
{
	struct gospan_mcentral *mc = gospan_mcentral_local(spanclass);

	if (READ_ONCE(gospan_heap.broken))
		return false;
	n = max(n, gospan_mcache_batch(spanclass));
	/* Those of another node are had one by one. */
	return gospan_mcentral_grow(mc, n, gfp) == mc;
}

/* Up to @n objects, not zeroed. Fewer if memory is short, or the mcache is claimed. */
size_t gospan_bulk_alloc(unsigned int spanclass, gfp_t gfp, size_t n, void **p)
{
	bool grown = false;
	size_t got = 0;

	while (got < n) {
		unsigned int want = min_t(size_t, n - got, BULK_OBJS), some;
		struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);

		some = magazine_pop(&c->magazine[spanclass], p + got, want);
		if (unlikely(some < want)) {
			c = gospan_mcache_wake(c);
			some += mcache_alloc_bulk(c, spanclass, p + got + some, want - some);
		}
		gospan_mcache_release(slot, c);
		got += some;
		if (likely(some == want))
			continue;
		/* What there is may be in others' pages: that is had one by one. */
		if (gospan_mcache_is_none(c) || (grown && !some))
			break;
		grown = central_grow_bulk(spanclass, want - some, gfp);
		if (!grown)
			break;
	}
	return got;
}

/* Then each object is looked at. */
static __always_inline bool class_is_debugged(size_t size)
{
	return static_branch_unlikely(&gospan_malloc_alloc_special) &&
	       gospan_debug_has_class(size);
}

size_t gospan_alloc_bulk(size_t size, gfp_t gfp, size_t n, void **p)
{
	unsigned int sizeclass = size <= GOSPAN_MAX_SMALL_BYTES ? gospan_size_to_class(size) : 0;
	size_t got = 0, i;

	gospan_malloc_see_context(gfp);
	if (likely(sizeclass && !(gfp & (GOSPAN_GFP_ZONES | __GFP_THISNODE)) &&
		   !class_is_debugged(size)))
		got = gospan_bulk_alloc(gospan_make_spanclass(sizeclass, false),
					gfp & ~__GFP_ZERO, n, p);
	if (want_init_on_alloc(gfp))
		for (i = 0; i < got; i++)
			memset(p[i], 0, gospan_class_to_bytes[sizeclass]);
	for (; unlikely(got < n); got++) {
		p[got] = gospan_alloc(size, gfp);
		if (p[got])
			continue;
		gospan_free_bulk(got, p);
		return 0;
	}
	return n;
}
EXPORT_SYMBOL_GPL(gospan_alloc_bulk);

/* Put up to @n objects into the magazine. Returns how many. */
static __always_inline unsigned int magazine_push(struct gospan_magazine *m, void **objs,
						  unsigned int n)
{
	n = min_t(unsigned int, n, m->limit - m->top);
	/* Nor here. */
	if (unlikely(!n))
		return 0;
	memcpy(m->top, objs, n * sizeof(*objs));
	m->top += n;
	return n;
}

/* The magazine has no room for @n objects. */
static noinline void mcache_free_bulk(struct gospan_mcache *c, struct gospan_magazine *m,
				      void **objs, unsigned int n)
{
	unsigned int idx = m - c->magazine, some;

	/* Past it what is half of it, or more; all, if it was claimed before. */
	while (n && !gospan_mcache_is_none(c) && (!magazine_half(m) || n < magazine_half(m))) {
		/* Grants capacity, or flushes half of it, or all. */
		if (!gospan_mcache_free(c, idx, *objs))
			gospan_report_misuse(GOSPAN_FREE_DOUBLE, *objs);
		some = 1 + magazine_push(m, objs + 1, n - 1);
		objs += some;
		n -= some;
	}
	if (!n)
		return;
	if (gospan_mcache_is_none(c))
		return gospan_mcentral_flush_home(objs, n);
	gospan_mcache_grow(c, idx);
	gospan_mcentral_flush(gospan_mcache_central(c, idx), objs, n);
}

/*
 * False for objects with records: each is looked at, which takes too long under the claim;
 * and where the mcache is parked: it has to be woken first.
 */
static __always_inline bool free_group(struct gospan_mcache *c, struct gospan_magazine *m,
				       unsigned int spanclass, void **objs, unsigned int n)
{
	unsigned int some = magazine_push(m, objs, n);

	if (likely(some == n))
		return true;
	if (gospan_spanclass_is_recorded(spanclass) || c == &gospan_mcache_parked)
		return false;
	mcache_free_bulk(c, m, objs + some, n - some);
	return true;
}

/* Move those of @class that are like the first to the front, and @p alike. Returns how many. */
static unsigned int group_first(u16 *class, void **p, unsigned int n)
{
	unsigned int same = 1, i;

	while (same < n && class[same] == class[0])
		same++;
	for (i = same + 1; i < n; i++) {
		if (class[i] != class[0])
			continue;
		swap(class[i], class[same]);
		swap(p[i], p[same]);
		same++;
	}
	return same;
}

/*
 * The magazine that an object may go to, and the key of its page. NULL: it goes to another
 * node. Where the mcache is claimed all have the same, and go home.
 */
static __always_inline struct gospan_magazine *magazine_of(struct gospan_mcache *c, const void *p,
							   unsigned int *key, bool special)
{
	const struct gospan_chunk *chunk = gospan_arena_chunk_of(&gospan_heap.arenas,
								 (unsigned long)p);

	*key = gospan_chunk_key_of(chunk, p);
	if (special && !gospan_mcache_is_home_chunk(c, chunk) && !gospan_mcache_is_none(c))
		return NULL;
	return gospan_mcache_magazine(c, *key);
}

/* Does @p go to @m, too, where objects whose page has @key do? Most often its page has the same. */
static __always_inline bool goes_along(struct gospan_mcache *c, const void *p, unsigned int key,
				       const struct gospan_magazine *m, bool special)
{
	const struct gospan_chunk *chunk = gospan_arena_chunk_of(&gospan_heap.arenas,
								 (unsigned long)p);
	unsigned int key_of = gospan_chunk_key_of(chunk, p);

	if (special && !gospan_mcache_is_home_chunk(c, chunk) && !gospan_mcache_is_none(c))
		return false;
	/* Where the mcache is claimed all keys have the same magazine. */
	return key_of == key || (gospan_key_spanclass(key_of) == gospan_key_spanclass(key) &&
				 gospan_mcache_magazine(c, key_of) == m);
}

/*
 * Look up the magazines of @n pointers, under the claim. Those that have none, because
 * they are large, tiny, of another node, with a record or nothing of ours, go to the end.
 * Returns how many others there are.
 */
static unsigned int classify(struct gospan_mcache *c, void **p, unsigned int n, u16 *class)
{
	unsigned int i = 0, key;

	while (i < n) {
		const struct gospan_magazine *m = magazine_of(c, p[i], &key, true);

		if (m && gospan_spanclass_is_cut(gospan_key_spanclass(key)) &&
		    !gospan_spanclass_is_recorded(gospan_key_spanclass(key))) {
			class[i++] = gospan_mcache_is_none(c) ? gospan_key_spanclass(key) :
								m - c->magazine;
			continue;
		}
		n--;
		swap(p[i], p[n]);
	}
	return n;
}

/* Up to BULK_OBJS objects of any spanclasses. */
static noinline void free_mixed(unsigned int n, void **p)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c), *own;
	unsigned int done = 0, nr_small, same;
	u16 class[BULK_OBJS];

	c = gospan_mcache_wake(c);
	/* While it is being emptied it is as good as claimed. */
	own = c == &gospan_mcache_parked ? &gospan_mcache_none : c;
	nr_small = classify(own, p, n, class);
	while (done < nr_small) {
		same = group_first(class + done, p + done, nr_small - done);
		free_group(own, &own->magazine[class[done]],
			   gospan_magazine_spanclass(class[done]), p + done, same);
		done += same;
	}
	gospan_mcache_release(slot, c);
	for (; done < n; done++)
		gospan_free(p[done]);
}

/* Up to BULK_OBJS objects, that are mostly of one spanclass. */
static __always_inline void free_some(unsigned int n, void **p, bool special)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	unsigned int key, same = 0;
	struct gospan_magazine *m = magazine_of(c, p[0], &key, special);
	unsigned int spanclass = gospan_key_spanclass(key);

	if (likely(gospan_spanclass_is_cut(spanclass) && (!special || m))) {
		do {
			same++;
		} while (same < n && goes_along(c, p[same], key, m, special));
		if (unlikely(!free_group(c, m, spanclass, p, same)))
			same = 0;
	}
	gospan_mcache_release(slot, c);
	if (unlikely(same < n))
		free_mixed(n - same, p + same);
}

/* init_on_free: what is no object is reported, and left out. */
static noinline void wipe_all(size_t n, void **p)
{
	size_t i, bytes;

	for (i = 0; i < n; i++) {
		bytes = gospan_size(p[i]);
		if (!bytes)
			p[i] = NULL;
		else if (!gospan_spanclass_keeps(gospan_arena_spanclass_of(&gospan_heap.arenas,
									   p[i])))
			memset(p[i], 0, bytes);
	}
}

static __always_inline void free_all(size_t n, void **p, bool special)
{
	unsigned int some;

	for (; n; n -= some, p += some) {
		some = min_t(size_t, n, BULK_OBJS);
		free_some(some, p, special);
	}
}

/* To be wiped, or where nodes are many. */
static noinline void free_special(size_t n, void **p)
{
	if (want_init_on_free())
		wipe_all(n, p);
	free_all(n, p, true);
}

void gospan_free_bulk(size_t n, void **p)
{
	if (static_branch_unlikely(&gospan_malloc_free_special))
		return free_special(n, p);
	free_all(n, p, false);
}
EXPORT_SYMBOL_GPL(gospan_free_bulk);
