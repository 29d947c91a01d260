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

/* Whose an mcache is that gospan_mcache_parked stands for. */
enum gospan_parked {
	GOSPAN_PARKED_NOT,	/* the CPU's, which may take it */
	GOSPAN_PARKED_DRAINING,	/* another's, that empties it */
};

/* (o) owner CPU only, under the claim  (c) constant once published  (a) see idle.c */
struct gospan_mcache {
	struct gospan_magazine magazine[GOSPAN_NR_SPANCLASSES];	/* (o) */
	struct gospan_span *span[GOSPAN_NR_SPANCLASSES];	/* (o) current spans */
	struct gospan_node_heap *home;	/* (o) whose objects magazines and spans are of */
	DECLARE_BITMAP(mixed, GOSPAN_NR_SPANCLASSES); /* (o) magazines that may have others, too */
	struct gospan_remote remote;	/* (o) */
	struct gospan_tiny tiny;	/* (o) the open block */
	u8 cpu_mark;			/* (c) of the pages of its CPU; 0: of none */
	u8 nr_foreign[GOSPAN_NR_SPANCLASSES]; /* (o) were at the bottom of a magazine */
	unsigned long nr_tiny_mallocs;	/* (o) tiny objects that needed no new block */
	size_t capacity_bytes;	/* (o) what all magazines hold when full; <= the limit */
	unsigned int victim;	/* (o) spanclass that was last asked for some of its capacity */
	DECLARE_BITMAP(missed, GOSPAN_NR_SPANCLASSES); /* (o) empty or full since asked */
	unsigned long seen[GOSPAN_NR_SPANCLASSES]; /* (o) tells whether one was used since asked */
	unsigned long one_way[GOSPAN_NR_SPANCLASSES]; /* (o) see magazine_is_one_way() */
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

/* Nodes are many, or unshare=Y: what is freed may go elsewhere than on top of a magazine. */
DECLARE_STATIC_KEY_FALSE(gospan_mcache_elsewhere_key);

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

/* Where the magazine of @spanclass is filled from and emptied to. */
static inline struct gospan_mcentral *gospan_mcache_central(const struct gospan_mcache *c,
							    unsigned int spanclass)
{
	return gospan_mcentral_of(spanclass, c->home->node);
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
 * With unshare=Y: does @p, in @chunk, share cache lines with what another CPU cuts its
 * objects from? All that may does, for gospan_mcache_none.
 */
static __always_inline bool gospan_mcache_is_foreign_page(const struct gospan_mcache *c,
							  const struct gospan_chunk *chunk,
							  const void *p)
{
	u8 mark;

	if (!static_branch_unlikely(&gospan_span_unshares))
		return false;
	mark = gospan_chunk_cpu_of(chunk, p);
	return mark && unlikely(mark != c->cpu_mark);
}

/* The same of any @p. */
static __always_inline bool gospan_mcache_is_foreign(const struct gospan_mcache *c, const void *p)
{
	return static_branch_unlikely(&gospan_span_unshares) && gospan_mcache_is_foreign_page(c,
			gospan_arena_chunk_of(&gospan_heap.arenas, (unsigned long)p), p);
}

/* Does @p go elsewhere than on top of a magazine? */
static __always_inline bool gospan_mcache_goes_elsewhere(const struct gospan_mcache *c,
							 const void *p)
{
	return static_branch_unlikely(&gospan_mcache_elsewhere_key) &&
	       (!gospan_mcache_is_home(c, p) || gospan_mcache_is_foreign(c, p));
}

/* Where the next foreign object goes: beneath all that are not. */
static inline void **gospan_mcache_bottom(const struct gospan_mcache *c, unsigned int spanclass)
{
	const struct gospan_magazine *m = &c->magazine[spanclass];

	return min(m->base + c->nr_foreign[spanclass], m->top);
}

/* Push it there. There is room. */
static inline void gospan_mcache_push_bottom(struct gospan_mcache *c, unsigned int spanclass,
					     const void *p)
{
	struct gospan_magazine *m = &c->magazine[spanclass];
	void **bottom = gospan_mcache_bottom(c, spanclass);

	/* What was there is the warmest now; if nothing was, both are the same place. */
	*m->top++ = *bottom;
	*bottom = (void *)p;
	c->nr_foreign[spanclass] = bottom + 1 - m->base;
}

/*
 * Push an object that is foreign: it leaves with the next batch, and is handed out here
 * only when nothing else is left. False if there is no room, nothing else even now while
 * the magazine may grow, or for one pushed so last.
 */
static inline bool gospan_mcache_push_foreign(struct gospan_mcache *c, unsigned int spanclass,
					      const void *p)
{
	const struct gospan_magazine *m = &c->magazine[spanclass];
	void **bottom = gospan_mcache_bottom(c, spanclass);

	if (unlikely(m->top == m->limit || bottom[-1] == p))
		return false;
	if (unlikely(bottom == m->top && m->limit - m->base < 2 * GOSPAN_MAX_BATCH))
		return false;
	gospan_mcache_push_bottom(c, spanclass, p);
	return true;
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

void *gospan_mcache_alloc(struct gospan_mcache *c, unsigned int spanclass,
			  struct gospan_mcentral *other);
bool gospan_mcache_free(struct gospan_mcache *c, unsigned int spanclass, void *p);
void gospan_mcache_grow(struct gospan_mcache *c, unsigned int spanclass);
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

/* An object or block to where it belongs. False for one pushed last, too. */
static inline bool gospan_mcache_put(struct gospan_mcache *c, unsigned int spanclass, void *p)
{
	if (unlikely(gospan_mcache_is_none(c) || gospan_mcache_goes_elsewhere(c, p)))
		return gospan_mcache_put_elsewhere(c, spanclass, p);
	return gospan_mcache_free(c, spanclass, p);
}

#endif /* _GOSPAN_MCACHE_H */
