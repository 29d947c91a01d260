/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mcache: one CPU's free objects, and the claim that keeps interrupts out.
 */
#ifndef _GOSPAN_MCACHE_H
#define _GOSPAN_MCACHE_H

#include <linux/bitmap.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include "mcentral.h"
#include "tiny.h"

/*
 * A stack of free objects, growing up from @base; all (o). Below @base is a
 * NULL, so that the last object pushed can be looked at unasked. Without
 * capacity, @limit equals @base: the first push and the first pop then take
 * the slow path, which grants it. A named cache's has its slots, and all three
 * are not NULL, only as long as it has capacity.
 */
struct gospan_magazine {
	void **top;
	void **base;
	void **limit;
	unsigned long nr_mallocs;	/* objects popped, since the CPU came up first */
};

/* Bytes of other nodes' objects that a CPU keeps; any one fits. */
#define GOSPAN_REMOTE_BYTES	SZ_64K
#define GOSPAN_REMOTE_MAX	GOSPAN_MAX_BATCH

static_assert(GOSPAN_REMOTE_BYTES >= GOSPAN_MAX_SMALL_BYTES);

/* Objects of other nodes, freed here, on their way home. Without capacity if there is one node. */
struct gospan_remote {
	struct gospan_magazine stack;	/* (o) of any spanclass; blocks, not tiny objects */
	size_t bytes;			/* (o) of them; <= GOSPAN_REMOTE_BYTES */
	u8 nr[GOSPAN_NR_SPANCLASSES];	/* (o) of them */
};

/*
 * Magazines by number: of each spanclass, and behind them, where several objects are in
 * a cache line, what the CPU frees of pages that others cut. That is not handed out here: those
 * who cut the page, and this CPU, would write to the same lines.
 */
#define GOSPAN_FOREIGN		GOSPAN_NR_SPANCLASSES
#define GOSPAN_NR_MAGAZINES	(2 * GOSPAN_NR_SPANCLASSES)

/* Whose an mcache is that gospan_mcache_parked stands for. */
enum gospan_parked {
	GOSPAN_PARKED_NOT,	/* the CPU's, which may take it */
	GOSPAN_PARKED_DRAINING,	/* another's, that empties it */
};

/* (o) owner CPU only, under the claim  (c) constant once published  (a) see idle.c */
struct gospan_mcache {
	struct gospan_magazine magazine[GOSPAN_NR_MAGAZINES];	/* (o) */
	u16 offset[GOSPAN_NR_KEYS];	/* (c) by a page's key: in here, of the magazine */
	struct gospan_span *span[GOSPAN_NR_SPANCLASSES];	/* (o) current spans */
	struct gospan_node_heap *home;	/* (o) whose objects magazines and spans are of */
	DECLARE_BITMAP(mixed, GOSPAN_NR_MAGAZINES); /* (o) those that may have others, too */
	struct gospan_remote remote;	/* (o) */
	struct gospan_tiny tiny;	/* (o) the open block */
	unsigned long nr_tiny_mallocs;	/* (o) tiny objects that needed no new block */
	size_t capacity_bytes;	/* (o) what all magazines hold when full; <= the limit */
	unsigned int victim;	/* (o) magazine that was last asked for some of its capacity */
	DECLARE_BITMAP(missed, GOSPAN_NR_MAGAZINES); /* (o) empty or full since asked */
	unsigned long seen[GOSPAN_NR_MAGAZINES]; /* (o) tells whether one was used since asked */
	unsigned long one_way[GOSPAN_NR_MAGAZINES]; /* (o) see gospan_mcache_is_one_way() */
	struct gospan_transit *transit[GOSPAN_NR_MAGAZINES]; /* (o) see gospan_mcache_transit() */
	unsigned long nr_refills[GOSPAN_NR_SPANCLASSES]; /* (o) since the CPU came up first */
	unsigned long nr_flushes[GOSPAN_NR_SPANCLASSES]; /* (o) the same */
	enum gospan_parked parked;	/* (a) */
	size_t bytes;		/* (c) of this allocation */
	void *slots[];		/* (o) the magazines', but for those of named caches */
};

/* This CPU's mcache; gospan_mcache_none while it is claimed, or the CPU is down. */
DECLARE_PER_CPU(struct gospan_mcache *, gospan_mcache_slot);
/* Mcaches without capacity: whoever claims one takes the slow path. Never written. */
extern struct gospan_mcache gospan_mcache_none;
/* In the slot of a CPU that was idle; see idle.c. */
extern struct gospan_mcache gospan_mcache_parked;
/* Held from parking mcaches until they are emptied. Outside of all but CPU hotplug's. */
extern struct mutex gospan_mcache_parking;

struct gospan_mcache *gospan_mcache_unpark(void);

/*
 * Fast path: one look for this CPU's slot, a load and a store. Takes the
 * mcache out of its slot, so that an interrupt or NMI in between finds
 * gospan_mcache_none there and leaves this one alone; it ends before we go
 * on, and puts back what it found. Returns the slot, for the release.
 */
static __always_inline struct gospan_mcache **gospan_mcache_claim(struct gospan_mcache **c)
{
	struct gospan_mcache **slot;

	preempt_disable();
	slot = this_cpu_ptr(&gospan_mcache_slot);
	*c = READ_ONCE(*slot);
	WRITE_ONCE(*slot, &gospan_mcache_none);
	barrier();
	return slot;
}

static __always_inline void gospan_mcache_release(struct gospan_mcache **slot,
						  struct gospan_mcache *c)
{
	barrier();
	WRITE_ONCE(*slot, c);
	preempt_enable();
}

/* Was the mcache claimed before, or is there none just now? */
static __always_inline bool gospan_mcache_is_none(const struct gospan_mcache *c)
{
	return c == &gospan_mcache_none || c == &gospan_mcache_parked;
}

/*
 * For slow paths, under the claim: @c, or the CPU's own mcache if that was parked
 * and nobody empties it just now.
 */
static inline struct gospan_mcache *gospan_mcache_wake(struct gospan_mcache *c)
{
	return likely(c != &gospan_mcache_parked) ? c : gospan_mcache_unpark();
}

/* Most capacity of a magazine: what is traded whole. 0: it never has any. */
static inline unsigned int gospan_mcache_capacity(unsigned int spanclass)
{
	return gospan_spanclass_whole(spanclass);
}

/* The spanclass of magazine @idx. */
static __always_inline unsigned int gospan_magazine_spanclass(unsigned int idx)
{
	return idx % GOSPAN_NR_SPANCLASSES;
}

/* Where magazine @idx is filled from and emptied to. */
static inline struct gospan_mcentral *gospan_mcache_central(const struct gospan_mcache *c,
							    unsigned int idx)
{
	return gospan_mcentral_of(gospan_magazine_spanclass(idx), c->home->node);
}

/* Is @chunk of the CPU's node? Where nodes are many, none of ours is gospan_mcache_none's. */
static __always_inline bool gospan_mcache_is_home_chunk(const struct gospan_mcache *c,
							const struct gospan_chunk *chunk)
{
	return !gospan_node_are_many() || chunk->home == c->home;
}

/* The same of any @p. */
static __always_inline bool gospan_mcache_is_home(const struct gospan_mcache *c, const void *p)
{
	return !gospan_node_are_many() || gospan_mcache_is_home_chunk(c,
			gospan_arena_chunk_of(&gospan_heap.arenas, (unsigned long)p));
}

/*
 * The magazine for what is freed in a page that has @key. What has none, because it is large,
 * tiny or nothing of ours, has one without capacity; so has all where the mcache is claimed.
 */
static __always_inline struct gospan_magazine *gospan_mcache_magazine(struct gospan_mcache *c,
								      unsigned int key)
{
	/* As a load takes it: of c->offset[key] gcc 12 would add the array's own offset first. */
	const u16 *offset = (void *)c + offsetof(struct gospan_mcache, offset) +
			    key * sizeof(*offset);

	return (void *)c + *offset;
}

/*
 * Keep an object of another node, whose spanclass is one that is cut, until
 * there is a batch. False if there is no room, for one pushed last, too, or that has a
 * record.
 */
static inline bool gospan_mcache_push_remote(struct gospan_mcache *c, unsigned int spanclass,
					     const void *p)
{
	struct gospan_remote *r = &c->remote;
	size_t bytes = r->bytes + gospan_spanclass_bytes(spanclass);

	if (unlikely(r->stack.top == r->stack.limit || r->stack.top[-1] == p ||
		     bytes > GOSPAN_REMOTE_BYTES || gospan_spanclass_is_recorded(spanclass)))
		return false;
	*r->stack.top++ = (void *)p;
	r->bytes = bytes;
	r->nr[spanclass]++;
	return true;
}

/*
 * Has all gone one way since the magazine was empty or full last, and is so again? Whoever
 * only frees, or only allocates, wants nothing kept. When it is emptied, or filled, it is
 * noted how many will have been popped then. Never so while it is mixed.
 */
static __always_inline bool gospan_mcache_is_one_way(const struct gospan_mcache *c,
						     const struct gospan_magazine *m)
{
	return m->nr_mallocs == c->one_way[m - c->magazine];
}

/*
 * Where a magazine with its capacity trades all of it at once, if it does; or NULL. One of what
 * others cut never does: such objects are small, and many.
 */
static inline struct gospan_transit *gospan_mcache_transit(const struct gospan_mcache *c,
							   unsigned int idx)
{
	const struct gospan_magazine *m = &c->magazine[idx];
	struct gospan_transit *t = &gospan_mcache_central(c, idx)->transit;

	return m->limit != m->base && m->limit - m->base == t->whole ? t : NULL;
}

/*
 * For who only frees, and finds the magazine full: all that it has goes into a slot of the
 * transit, or a part. False, and nothing is done, if none does, or @p was pushed last.
 */
static __always_inline bool gospan_mcache_flush_whole(struct gospan_mcache *c,
						      struct gospan_magazine *m, const void *p)
{
	unsigned long idx = m - c->magazine, n;
	struct gospan_transit *t = c->transit[idx];

	if (!t || !gospan_mcache_is_one_way(c, m) || unlikely(m->top[-1] == p))
		return false;
	n = gospan_transit_push_whole(t, m->base);
	if (unlikely(!n))
		return false;
	__set_bit(idx, c->missed);
	c->nr_flushes[idx]++;
	m->top -= n;
	return true;
}

/* For who only allocates, and finds it empty: all that it can have, or a part, out of one. */
static __always_inline bool gospan_mcache_refill_whole(struct gospan_mcache *c,
						       struct gospan_magazine *m)
{
	unsigned long idx = m - c->magazine, n;
	struct gospan_transit *t = c->transit[idx];

	if (!t || !gospan_mcache_is_one_way(c, m))
		return false;
	n = gospan_transit_pop_whole(t, m->base);
	if (unlikely(!n))
		return false;
	__set_bit(idx, c->missed);
	c->nr_refills[idx]++;
	c->one_way[idx] = m->nr_mallocs + n;
	m->top = m->base + n;
	return true;
}

void *gospan_mcache_alloc(struct gospan_mcache *c, unsigned int spanclass,
			  struct gospan_mcentral *other);
bool gospan_mcache_free(struct gospan_mcache *c, unsigned int idx, void *p);
void gospan_mcache_free_full(const void *p, struct gospan_magazine *m, struct gospan_mcache *c);
void gospan_mcache_grow(struct gospan_mcache *c, unsigned int idx);
bool gospan_mcache_put_elsewhere(struct gospan_mcache *c, unsigned int spanclass, void *p);
void gospan_mcache_close_tiny(struct gospan_mcache *c);
void gospan_mcache_flush(struct gospan_mcache *c);
int gospan_mcache_open(unsigned int spanclass);
bool gospan_mcache_drain(unsigned int spanclass);
void gospan_mcache_close(unsigned int spanclass);
unsigned long gospan_mcache_fingerprint(unsigned int cpu);
bool gospan_mcache_park(unsigned int cpu);
bool gospan_mcache_drain_parked(unsigned int cpu);
unsigned int gospan_mcache_batch(unsigned int spanclass);
struct gospan_mcache *gospan_mcache_of_cpu(unsigned int cpu);
int gospan_mcache_init(void);
void gospan_mcache_exit(void);

/* An object or block that magazine @idx is for to where it belongs. False for one pushed last. */
static inline bool gospan_mcache_put(struct gospan_mcache *c, unsigned int idx, void *p)
{
	if (unlikely(gospan_mcache_is_none(c) || !gospan_mcache_is_home(c, p)))
		return gospan_mcache_put_elsewhere(c, gospan_magazine_spanclass(idx), p);
	return gospan_mcache_free(c, idx, p);
}

/* The magazine for blocks of tiny objects, where that for what is in them is @m. */
static __always_inline struct gospan_magazine *gospan_mcache_blocks(struct gospan_magazine *m)
{
	return m - (GOSPAN_SPANCLASS_IN_TINY - GOSPAN_SPANCLASS_TINY);
}

#endif /* _GOSPAN_MCACHE_H */
