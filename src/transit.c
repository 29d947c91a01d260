// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transit: whole batches of free objects on their way from one CPU to another.
 *
 * A few slots, each for one batch or more, and for each state of a slot a word with a bit
 * for the slots that are in it. Whoever clears a slot's bit owns the slot; it
 * sets the bit of the state that it leaves the slot in. So a batch is handed
 * over with two atomics on one cache line, no lock, and interrupts on: nobody
 * waits, and who is interrupted keeps nobody from the other slots.
 *
 * Slots with low numbers are taken first, so that few are used as long as few
 * are needed, and their batches are warm. The others are found by the period that
 * they were put in: what was not moved for a whole one is stale.
 *
 * Any context. TCMalloc's transfer cache does the same under a lock.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/overflow.h>
#include "transit.h"

static size_t batch_bytes(unsigned int room)
{
	return struct_size((struct gospan_batch *)NULL, objs, room);
}

/* What @nr_slots with room for @room objects take. */
size_t gospan_transit_bytes(unsigned int nr_slots, unsigned int room)
{
	return nr_slots * batch_bytes(room);
}

/*
 * With @nr_slots, at most as many as a word has bits, for @room objects each, in
 * zeroed @batches of gospan_transit_bytes(). @whole: see gospan_transit_push_whole().
 */
void gospan_transit_open(struct gospan_transit *t, void *batches, unsigned int nr_slots,
			 unsigned int room, unsigned int whole)
{
	unsigned int slot;

	t->batches = batches;
	t->nr_slots = nr_slots;
	t->room = room;
	t->whole = whole;
	t->batch_bytes = batch_bytes(room);
	for (slot = 0; slot < nr_slots; slot++)
		gospan_transit_batch(t, slot)->slot = slot;
	/* Pairs with the atomic that takes a slot. */
	smp_store_release(&t->slots[GOSPAN_TRANSIT_EMPTY], GENMASK(nr_slots - 1, 0));
}

/* The opposite, when it holds no object. Returns the batches, which are the caller's again. */
void *gospan_transit_close(struct gospan_transit *t)
{
	void *batches = t->batches;

	*t = (struct gospan_transit){};
	return batches;
}

/* Own a slot of a state whose batch was put in an earlier period than this, or NULL. */
static struct gospan_batch *transit_take_older(struct gospan_transit *t,
					       enum gospan_transit_state state)
{
	/*
	 * Pairs with transit_put(): where the batches are, and how long, is read
	 * after the bit of one. Who opens the transit may just have said so.
	 */
	unsigned long slots = smp_load_acquire(&t->slots[state]);
	struct gospan_batch *b;
	unsigned int slot;

	for_each_set_bit(slot, &slots, t->nr_slots) {
		b = gospan_transit_batch(t, slot);
		/* Others may own it; if they put it just now, the bit is not ours to take. */
		if (READ_ONCE(b->period) != t->period &&
		    test_and_clear_bit(slot, &t->slots[state]))
			return b;
	}
	return NULL;
}

/*
 * Own a slot with objects that nobody has moved since gospan_transit_age() was called
 * before last, or nearly so. NULL: there is none. One caller at a time.
 */
struct gospan_batch *gospan_transit_take_stale(struct gospan_transit *t)
{
	return transit_take_older(t, GOSPAN_TRANSIT_FULL) ?:
	       transit_take_older(t, GOSPAN_TRANSIT_PARTIAL);
}

/* A period ends. The same caller. */
void gospan_transit_age(struct gospan_transit *t)
{
	WRITE_ONCE(t->period, t->period + 1);
}

/* Objects in it, at some moment; it stays open, or closed, meanwhile. */
unsigned int gospan_transit_count(const struct gospan_transit *t)
{
	unsigned int slot, nr = 0;

	for (slot = 0; slot < t->nr_slots; slot++)
		/* Owners go on meanwhile. */
		nr += data_race(gospan_transit_batch(t, slot)->nr);
	return nr;
}

/* Objects in slots that are full, at some moment; it may be opened or closed meanwhile. */
unsigned int gospan_transit_nr_full(const struct gospan_transit *t)
{
	unsigned int nr_slots = hweight_long(READ_ONCE(t->slots[GOSPAN_TRANSIT_FULL]));

	/* Of another moment, perhaps, than the slots. */
	return nr_slots * data_race(t->room);
}
