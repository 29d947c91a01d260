/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Central lists: the spans of one spanclass on one node, and free objects in transit.
 */
#ifndef _GOSPAN_MCENTRAL_H
#define _GOSPAN_MCENTRAL_H

#include <linux/cache.h>
#include <linux/nodemask.h>
#include "mheap.h"
#include "transit.h"

/* At least two slots, and no more than a word has bits, are in the transit. */
#define GOSPAN_TRANSIT_MAX_SLOTS min_t(unsigned int, 64, BITS_PER_LONG)
/*
 * Of objects that a span has so few of, more may be in transit: to give each back to it costs
 * more than where they are many.
 */
#define GOSPAN_FEW_OBJECTS	16U
/* And if so few, it is likely that all of its are, so that it is as good as empty. */
#define GOSPAN_RECLAIM_OBJECTS	8U
/*
 * So many times GOSPAN_MAX_BATCH objects change hands under the lock at once; more only if a
 * bulk call wants them. Bounds the time with interrupts off.
 */
#define GOSPAN_CENTRAL_BATCHES	4U
/* Lists of spans by free slots: 1, 2..3, 4..7, ...; beyond, the last. */
#define GOSPAN_NR_FULLNESS	11

/*
 * (c) constant while the spanclass is used; set and cleared under @lock
 * (l) under @lock  (a) atomic
 */
struct gospan_mcentral {
	raw_spinlock_t lock;		/* order 2, irqsave; lists, spans' bits */
	unsigned int spanclass;		/* (c) */
	unsigned int page_spanclass;	/* (c) what the pages of its spans say */
	int node;			/* (c) that the spans' memory is on */
	unsigned int batch;		/* (c) objects that a CPU trades at once, at most, */
	unsigned int whole;		/* (c) and while all goes one way */
	struct gospan_layout layout;	/* (c) of its spans; all zero: the spanclass is not used */
	void (*ctor)(void *obj);	/* (c) run on each slot of a new span; or NULL */
	bool typesafe;			/* (c) pages outlive their objects by an RCU grace period */
	struct list_head partial[GOSPAN_NR_FULLNESS]; /* (l) spans with free slots and others */
	struct list_head empty;		/* (l) spans that nothing is taken from */
	unsigned long nr_listed;	/* (l) spans on these, read without; full: on none */
	unsigned int nr_empty;		/* (l) spans in @empty */
	unsigned int nr_unused;		/* (l) fewest in @empty since the list aged last */
	atomic_long_t nr_spans;		/* (a) listed, full, or owned by a CPU */
	atomic_long_t nr_taken;		/* (a) slots taken in them: live, cached or in transit */
	atomic_long_t nr_mallocs;	/* (a) objects that went past the magazines */
	unsigned long nr_returned;	/* (l) objects that went back to their spans, */
	unsigned long nr_met;		/* (l) and spans that were met for that: see gospan.h */
	struct gospan_transit transit ____cacheline_aligned_in_smp;
} ____cacheline_aligned_in_smp;

/* For each node that may be, GOSPAN_NR_SPANCLASSES of them. */
extern struct gospan_mcentral **gospan_centrals;

/* The list of a spanclass on a node that may be: see for_each_node(). */
static inline struct gospan_mcentral *gospan_mcentral_of(unsigned int spanclass, int node)
{
	return &gospan_centrals[node][spanclass];
}

/* That which serves this CPU. */
static inline struct gospan_mcentral *gospan_mcentral_local(unsigned int spanclass)
{
	return gospan_mcentral_of(spanclass, gospan_node_local());
}

/* The same list on another node. */
static inline struct gospan_mcentral *gospan_mcentral_on(const struct gospan_mcentral *mc, int node)
{
	return gospan_mcentral_of(mc->spanclass, node);
}

/* Has a span of @nelems slots so few? 0: the spanclass is not used. */
static inline bool gospan_mcentral_has_few(unsigned int nelems)
{
	return nelems && nelems <= GOSPAN_FEW_OBJECTS;
}

/* Are spans of so many slots looked for in transit, too, when the heap wants some back? */
static inline bool gospan_mcentral_has_transit_reclaimed(unsigned int nelems)
{
	return nelems && nelems <= GOSPAN_RECLAIM_OBJECTS;
}

/* How many times what is asked for is cut for those who will ask next, at most. */
static inline unsigned int gospan_mcentral_nr_ahead(const struct gospan_mcentral *mc)
{
	/* Each cuts for itself, from pages of its own. */
	if (gospan_span_is_private(mc->layout.elem_bytes))
		return 0;
	return min(GOSPAN_CENTRAL_BATCHES - 1, mc->transit.nr_slots / 4);
}

int gospan_mcentral_init(void);
void gospan_mcentral_exit(void);
unsigned int gospan_mcentral_max_transit(unsigned int spanclass);
size_t gospan_mcentral_transit_bytes(unsigned int spanclass);
int gospan_mcentral_open(unsigned int spanclass, void (*ctor)(void *obj), bool typesafe);
void gospan_mcentral_close(unsigned int spanclass);

unsigned int gospan_mcentral_refill(struct gospan_mcentral *mc, struct gospan_span **current_span,
				    void **objs, unsigned int n);
void gospan_mcentral_flush(struct gospan_mcentral *mc, void *const *objs, unsigned int n);
void gospan_mcentral_spill(struct gospan_mcentral *mc, void *const *objs, unsigned int n);
void gospan_mcentral_flush_home(void **objs, unsigned int n);
void gospan_mcentral_free_batch(struct gospan_mcentral *mc, struct gospan_batch *b);
void gospan_mcentral_disown(struct gospan_mcentral *mc, struct gospan_span *s);
void gospan_mcentral_drain(struct gospan_mcentral *mc);
void gospan_mcentral_drain_all(void);
void gospan_mcentral_age(struct gospan_mcentral *mc);
void gospan_mcentral_age_all(void);
unsigned int gospan_mcentral_taken(struct gospan_mcentral *mc, void **objs, unsigned int n);
bool gospan_mcentral_reclaim(int node, unsigned int npages);
unsigned long gospan_mcentral_empty_pages(int node);
unsigned long gospan_mcentral_waiting_pages(void);
void gospan_mcentral_list_spans(struct gospan_mcentral *mc, struct list_head *spans);
struct gospan_mcentral *gospan_mcentral_grow(struct gospan_mcentral *mc, unsigned int n, gfp_t gfp);
void *gospan_mcentral_alloc(struct gospan_mcentral *mc);

#endif /* _GOSPAN_MCENTRAL_H */
