/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gospan_torture: what its files share.
 */
#ifndef _GOSPAN_TORTURE_H
#define _GOSPAN_TORTURE_H

#include <linux/gospan.h>
#include <linux/bits.h>
#include <linux/types.h>

enum torture_context {
	TORTURE_TASK,
	TORTURE_SOFTIRQ,
	TORTURE_HARDIRQ,
	TORTURE_RCU,		/* a callback of call_rcu() */
	TORTURE_NMI,
	NR_TORTURE_CONTEXTS,
};

/*
 * One context of execution: nobody else uses it at the same time. What it does in its
 * n-th step depends on the seed, on its number and on n alone, not on what others do.
 */
struct torture_actor {
	u64 stream;			/* of random numbers: seed and number */
	u64 step;			/* number of the step that is done, or next */
	u64 state;			/* of the step's random numbers */
	enum torture_context context;
	bool atomic;			/* may not sleep in this step */
	bool patient;			/* makes calls that wait, for RCU or for others */
	unsigned int number;
	unsigned long nr_calls;		/* of gospan's functions */
	unsigned long nr_failed;	/* of them, that got no memory */
	unsigned long nr_bad;		/* what should not be */
	struct gospan_memstats *stats;	/* room for one; none in an NMI */
};

void torture_actor_init(struct torture_actor *a, enum torture_context context);
u32 torture_draw(struct torture_actor *a, u32 limit);
__printf(2, 3) void torture_bad(struct torture_actor *a, const char *fmt, ...);

/* How an object was allocated, and so may be freed. */
enum torture_kind {
	TORTURE_NOTHING,
	TORTURE_PLAIN,
	TORTURE_KV,		/* perhaps vmalloc memory */
	TORTURE_CACHE,		/* and from here on: of torture_caches[kind - TORTURE_CACHE] */
};

/* So that all have room for an rcu_head. */
#define TORTURE_MIN_KV_BYTES	64

struct torture_object {
	void *p;
	size_t bytes;		/* that carry the pattern, from skip on */
	u64 stamp;		/* the pattern's */
	enum torture_kind kind;
};

void torture_object_write(struct torture_actor *a, struct torture_object *o);
void torture_object_check(struct torture_actor *a, const struct torture_object *o, size_t bytes);
void torture_object_free(struct torture_actor *a, struct torture_object *o);
void torture_object_give(struct torture_actor *a, struct torture_object *o);
bool torture_object_take(struct torture_actor *a, struct torture_object *o, bool kv);
void torture_objects_check(struct torture_actor *a);
void torture_objects_free(struct torture_actor *a);

#define NR_TORTURE_CACHES	4

struct torture_cache {
	const char *name;
	unsigned int size;
	slab_flags_t flags;
	bool constructed;
	struct gospan_cache *cache;
};

extern struct torture_cache torture_caches[NR_TORTURE_CACHES];
void torture_constructor(void *p);
bool torture_is_constructed(const void *p);

void torture_step(struct torture_actor *a);
/* For steps that are to fail: see torture_main.c. */
void torture_step_largest(struct torture_actor *a);
int torture_step_init(void);
void torture_step_exit(struct torture_actor *a);

/* Not on each architecture. */
#ifdef TORTURE_HAS_NMI
int torture_nmi_start(struct torture_actor *actors);
void torture_nmi_pause(bool pause);
void torture_nmi_stop(void);
#else
static inline int torture_nmi_start(struct torture_actor *actors) { return -EOPNOTSUPP; }
static inline void torture_nmi_pause(bool pause) {}
static inline void torture_nmi_stop(void) {}
#endif

#endif /* _GOSPAN_TORTURE_H */
