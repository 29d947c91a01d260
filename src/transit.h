/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transit: whole batches of free objects on their way from one CPU to another.
 */
#ifndef _GOSPAN_TRANSIT_H
#define _GOSPAN_TRANSIT_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/string.h>
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
	unsigned int whole;	/* (c) those of a magazine that is traded at once; <= room, or 0 */
	unsigned long batch_bytes; /* (c) from one to the next */
	u32 period;		/* counts gospan_transit_age() */
};

size_t gospan_transit_bytes(unsigned int nr_slots, unsigned int room);
void gospan_transit_open(struct gospan_transit *t, void *batches, unsigned int nr_slots,
			 unsigned int room, unsigned int whole);
void *gospan_transit_close(struct gospan_transit *t);

struct gospan_batch *gospan_transit_take_stale(struct gospan_transit *t);
void gospan_transit_age(struct gospan_transit *t);
unsigned int gospan_transit_count(const struct gospan_transit *t);
unsigned int gospan_transit_nr_full(const struct gospan_transit *t);

/* That of a slot, whoever owns it. */
static inline struct gospan_batch *gospan_transit_batch(const struct gospan_transit *t,
							unsigned long slot)
{
	return t->batches + slot * t->batch_bytes;
}

/* Own a slot that is in a state. NULL: there is none, or others own it. */
static __always_inline struct gospan_batch *
gospan_transit_take(struct gospan_transit *t, enum gospan_transit_state state)
{
	unsigned long slots, slot;

	while ((slots = READ_ONCE(t->slots[state]))) {
		slot = __ffs(slots);
		/* A full barrier where it succeeds: we see what who put it wrote. */
		if (test_and_clear_bit(slot, &t->slots[state]))
			return gospan_transit_batch(t, slot);
	}
	return NULL;
}

/* Leave a slot to others, in @state. */
static __always_inline void transit_put(struct gospan_transit *t, struct gospan_batch *b,
					enum gospan_transit_state state)
{
	/* An older one makes it stale too soon. */
	WRITE_ONCE(b->period, READ_ONCE(t->period));
	/* A full barrier, as it returns something: who takes it sees what we wrote. */
	test_and_set_bit(b->slot, &t->slots[state]);
}

static __always_inline void gospan_transit_put(struct gospan_transit *t, struct gospan_batch *b)
{
	enum gospan_transit_state state = GOSPAN_TRANSIT_PARTIAL;

	if (!b->nr)
		state = GOSPAN_TRANSIT_EMPTY;
	else if (b->nr == t->room)
		state = GOSPAN_TRANSIT_FULL;
	transit_put(t, b, state);
}

/* Put up to @n objects into slots. Returns how many had room. */
static __always_inline unsigned int gospan_transit_push(struct gospan_transit *t,
							void *const *objs, unsigned int n)
{
	unsigned int done = 0, some;
	struct gospan_batch *b;

	while (done < n) {
		b = n - done < t->room ? gospan_transit_take(t, GOSPAN_TRANSIT_PARTIAL) : NULL;
		b = b ?: gospan_transit_take(t, GOSPAN_TRANSIT_EMPTY);
		if (!b)
			break;
		some = min_t(unsigned int, n - done, t->room - b->nr);
		memcpy(b->objs + b->nr, objs + done, some * sizeof(*objs));
		b->nr += some;
		done += some;
		gospan_transit_put(t, b);
	}
	return done;
}

/* Take up to @n objects, the last first, out of a slot that the caller owns. Returns how many. */
static __always_inline unsigned int gospan_batch_pop(struct gospan_batch *b, void **objs,
						     unsigned int n)
{
	n = min_t(unsigned int, n, b->nr);
	b->nr -= n;
	memcpy(objs, b->objs + b->nr, n * sizeof(*objs));
	return n;
}

/* The same out of slots that are in transit. */
static __always_inline unsigned int gospan_transit_pop(struct gospan_transit *t, void **objs,
						       unsigned int n)
{
	struct gospan_batch *b;
	unsigned int done = 0;

	while (done < n) {
		b = n - done < t->room ? gospan_transit_take(t, GOSPAN_TRANSIT_PARTIAL) : NULL;
		b = b ?: gospan_transit_take(t, GOSPAN_TRANSIT_FULL);
		b = b ?: gospan_transit_take(t, GOSPAN_TRANSIT_PARTIAL);
		if (!b)
			break;
		done += gospan_batch_pop(b, objs + done, n - done);
		gospan_transit_put(t, b);
	}
	return done;
}

/* In a loop of its own: who calls nothing has no registers to save. */
static __always_inline void transit_copy(void **to, void *const *from, unsigned long n)
{
	do {
		n--;
		to[n] = from[n];
	} while (n);
}

/*
 * Put t->whole objects into one slot, or the last of them where it has room for fewer: so whoever
 * has the others tries again when they are t->whole, and finds one that all of them fit in.
 * Returns how many were put.
 */
static __always_inline unsigned long gospan_transit_push_whole(struct gospan_transit *t,
							       void *const *objs)
{
	struct gospan_batch *b = gospan_transit_take(t, GOSPAN_TRANSIT_PARTIAL) ?:
				 gospan_transit_take(t, GOSPAN_TRANSIT_EMPTY);
	unsigned long n = t->whole, room = t->room, nr;

	if (!b)
		return 0;
	nr = b->nr + n;
	if (unlikely(nr > room)) {
		objs += nr - room;
		n -= nr - room;
		nr = room;
	}
	transit_copy(b->objs + b->nr, objs, n);
	b->nr = nr;
	transit_put(t, b, nr == room ? GOSPAN_TRANSIT_FULL : GOSPAN_TRANSIT_PARTIAL);
	return n;
}

/* Take t->whole out of one slot, or what it has where that is less. Returns how many. */
static __always_inline unsigned long gospan_transit_pop_whole(struct gospan_transit *t, void **objs)
{
	struct gospan_batch *b = gospan_transit_take(t, GOSPAN_TRANSIT_PARTIAL) ?:
				 gospan_transit_take(t, GOSPAN_TRANSIT_FULL);
	unsigned long n = t->whole, nr;

	if (!b)
		return 0;
	n = min(n, b->nr);
	nr = b->nr - n;
	transit_copy(objs, b->objs + nr, n);
	b->nr = nr;
	transit_put(t, b, nr ? GOSPAN_TRANSIT_PARTIAL : GOSPAN_TRANSIT_EMPTY);
	return n;
}

#endif /* _GOSPAN_TRANSIT_H */
