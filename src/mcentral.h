/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Central lists: the spans of one spanclass, and free objects in transit.
 */
#ifndef _GOSPAN_MCENTRAL_H
#define _GOSPAN_MCENTRAL_H

#include <linux/cache.h>
#include "mheap.h"

/* Bytes of free objects that a transit stack may hold, where batches are not larger. */
#define GOSPAN_TRANSIT_BYTES	SZ_64K
#define GOSPAN_TRANSIT_MAX_BATCHES 32U
/* Bytes of empty spans that are kept, where one span is not larger. */
#define GOSPAN_EMPTY_BYTES	SZ_64K

/* (c) constant once published  (l) under @lock */
struct gospan_mcentral {
	raw_spinlock_t lock;		/* order 2, irqsave; lists, spans' bits, transit */
	unsigned int spanclass;		/* (c) */
	struct gospan_layout layout;	/* (c) of its spans */
	struct list_head partial;	/* (l) with a free slot, owned by no CPU, newest first */
	struct list_head full;		/* (l) spans without, owned by no CPU */
	unsigned long nr_spans;		/* (l) on the lists or owned by a CPU */
	unsigned int nr_empty;		/* (l) spans in partial that nothing is taken from */
	unsigned int max_empty;		/* (c) more of them go back to the heap */
	unsigned long nr_taken;		/* (l) slots taken in them: live, cached or in transit */
	unsigned long nr_mallocs;	/* (l) objects that went past the magazines */
	void **transit;			/* (c) stack of free objects; NULL for a class unused */
	unsigned int nr_transit;	/* (l) */
	unsigned int max_transit;	/* (c) */
} ____cacheline_aligned_in_smp;

extern struct gospan_mcentral gospan_central[GOSPAN_NR_SPANCLASSES];

int gospan_mcentral_init(void);
void gospan_mcentral_exit(void);
unsigned int gospan_mcentral_max_transit(unsigned int sizeclass);

unsigned int gospan_mcentral_refill(struct gospan_mcentral *mc, struct gospan_span **current_span,
				    void **objs, unsigned int n);
void gospan_mcentral_flush(struct gospan_mcentral *mc, void *const *objs, unsigned int n);
void gospan_mcentral_disown(struct gospan_mcentral *mc, struct gospan_span *s);
void gospan_mcentral_drain(struct gospan_mcentral *mc);
unsigned long gospan_mcentral_empty_pages(void);
bool gospan_mcentral_grow(struct gospan_mcentral *mc, gfp_t gfp);
void *gospan_mcentral_alloc(struct gospan_mcentral *mc);

#endif /* _GOSPAN_MCENTRAL_H */
