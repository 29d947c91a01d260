/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transit: whole batches of free objects on their way from one CPU to another.
 */
#ifndef _GOSPAN_TRANSIT_H
#define _GOSPAN_TRANSIT_H

#include <linux/types.h>

/* What a slot holds. */
enum gospan_transit_state {
	GOSPAN_TRANSIT_EMPTY,
	GOSPAN_TRANSIT_PARTIAL,
	GOSPAN_TRANSIT_FULL,
	GOSPAN_NR_TRANSIT_STATES,
};

/* All by the owner of the slot: who took it. */
struct gospan_batch {
	u16 slot;		/* its number; constant */
	u16 nr;
	u32 period;		/* the transit's, when it was put */
	void *objs[];		/* the one pushed last is on top */
};

/* (a) atomic  (c) constant while open */
struct gospan_transit {
	unsigned long slots[GOSPAN_NR_TRANSIT_STATES]; /* (a) those in a state, owned by nobody */
	void *batches;		/* (c) @nr_slots of struct gospan_batch */
	unsigned int nr_slots;	/* (c) 0: closed */
	unsigned int room;	/* (c) objects in a full one */
	u32 period;		/* counts gospan_transit_age() */
};

size_t gospan_transit_bytes(unsigned int nr_slots, unsigned int room);
void gospan_transit_open(struct gospan_transit *t, void *batches, unsigned int nr_slots,
			 unsigned int room);
void *gospan_transit_close(struct gospan_transit *t);

struct gospan_batch *gospan_transit_take(struct gospan_transit *t, enum gospan_transit_state state);
void gospan_transit_put(struct gospan_transit *t, struct gospan_batch *b);
struct gospan_batch *gospan_transit_take_stale(struct gospan_transit *t);
void gospan_transit_age(struct gospan_transit *t);
unsigned int gospan_transit_push(struct gospan_transit *t, void *const *objs, unsigned int n);
unsigned int gospan_transit_pop(struct gospan_transit *t, void **objs, unsigned int n);

struct gospan_batch *gospan_transit_batch(const struct gospan_transit *t, unsigned int slot);
unsigned int gospan_transit_count(const struct gospan_transit *t);
unsigned int gospan_transit_nr_full(const struct gospan_transit *t);

#endif /* _GOSPAN_TRANSIT_H */
