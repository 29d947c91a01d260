/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transit, src/transit.c: batches of free objects between CPUs.
 *
 * Two CPUs push and pop an object at a time, a third process takes what is stale, while
 * a fourth opens it. A CPU's interrupts are as another CPU here: nobody waits for anybody.
 *
 * An object is in one hand or one batch, and none is lost. Whenever anybody goes on,
 * calls come to their end ("progress"), wherever others have stopped.
 *
 * With one of these a step of the protocol is left out, and spin has to find out:
 * NOT_ATOMIC	a slot's bit is looked at, and then cleared
 * EARLY_PUT	the bit is seen before the batch, without gospan_transit_put()'s barrier
 * EARLY_LOOK	where the batches are is read before a slot's bit, without the acquire in
 *		transit_take_older()
 * WAIT		who finds no slot, while others own one, waits for it: no progress
 */

#define SLOTS	2
#define BATCH	2
#define OBJECTS	2
#define NO_SLOT	SLOTS
#define ALL_SLOTS	((1 << SLOTS) - 1)
#define ALL_OBJECTS	((1 << OBJECTS) - 1)
#define COUNT(objs)	(((objs) & 1) + ((objs) >> 1))
/* One of them, if there is any. */
#define ONE_OF(objs)	(((objs) & 1) -> 1 : (objs))

/* enum gospan_transit_state */
#define EMPTY	0
#define PARTIAL	1
#define FULL	2

/* gospan_transit.slots[], for each state a word with a bit for each slot. */
byte slots[3];
#define UNOWNED	(slots[EMPTY] | slots[PARTIAL] | slots[FULL])

/* struct gospan_batch; objects are bits of a word. */
typedef batch {
	byte objs;
	bit period
};
batch batches[SLOTS];
/* gospan_transit.batches and what else is constant while open: is it set? */
bit opened = 0;
/* gospan_transit.period: that two are the same is all that is looked at. */
bit period = 0;

/* Objects that are free in their spans, and those that are there or in anybody's hands. */
byte spans = ALL_OBJECTS;
byte held = ALL_OBJECTS;

/* READ_ONCE() and __ffs(): the first slot that seems to be in the state. */
#define FIRST(state)	(slots[state] == 0 -> NO_SLOT : ((slots[state] & 1) -> 0 : 1))
#define IS_IN(state, slot)	(slots[state] >> (slot) & 1)

/* test_and_clear_bit(), which can go on only where it succeeds. */
#ifdef NOT_ATOMIC
#define TAKE_OUT(state, slot)	\
	IS_IN(state, slot) -> slots[state] = slots[state] & ~(1 << (slot))
#else
#define TAKE_OUT(state, slot)	\
	atomic { IS_IN(state, slot) -> slots[state] = slots[state] & ~(1 << (slot)) }
#endif

/* gospan_transit_take(): slot is NO_SLOT if there is none. */
inline take(state, slot)
{
	do
	:: slot = FIRST(state);
	   if
#ifdef WAIT
	   :: slot == NO_SLOT && UNOWNED != ALL_SLOTS
	   :: slot == NO_SLOT && UNOWNED == ALL_SLOTS -> break
#else
	   :: slot == NO_SLOT -> break
#endif
	   :: slot != NO_SLOT && !IS_IN(state, slot)
	   :: TAKE_OUT(state, slot); break
	   fi
	od
}

/* Write what is in the batch then, and gospan_transit_put(). */
inline put(slot, what)
{
#ifndef EARLY_PUT
	d_step { batches[slot].objs = what; batches[slot].period = period };
#endif
	d_step {
		assert((UNOWNED >> slot & 1) == 0);
		if
		:: what == 0 -> slots[EMPTY] = slots[EMPTY] | (1 << slot)
		:: COUNT(what) == BATCH -> slots[FULL] = slots[FULL] | (1 << slot)
		:: else -> slots[PARTIAL] = slots[PARTIAL] | (1 << slot)
		fi
	};
#ifdef EARLY_PUT
	d_step { batches[slot].objs = what; batches[slot].period = period }
#endif
}

inline let_go(hand, what)
{
	held = held & ~what;
	hand = hand & ~what
}

/* Nobody else may have them. */
inline get_hold(hand, what)
{
	assert((held & what) == 0);
	hand = hand | what;
	held = held | what
}

/* One out of a span. */
inline refill(hand)
{
	d_step {
		hand = hand | ONE_OF(spans);
		spans = spans & ~ONE_OF(spans)
	}
}

/* gospan_transit_push() of one object. */
inline push(hand, slot, old)
{
	take(PARTIAL, slot);
	if
	:: slot == NO_SLOT -> take(EMPTY, slot)
	:: else
	fi;
	if
	:: slot != NO_SLOT ->
		d_step {
			old = batches[slot].objs | ONE_OF(hand);
			let_go(hand, ONE_OF(hand))
		};
		put(slot, old)
	:: else
	fi
}

/* gospan_transit_pop() of one object. */
inline pop(hand, slot, old)
{
	take(FULL, slot);
	if
	:: slot == NO_SLOT -> take(PARTIAL, slot)
	:: else
	fi;
	if
	:: slot != NO_SLOT ->
		d_step {
			old = batches[slot].objs;
			get_hold(hand, ONE_OF(old));
			old = old & ~ONE_OF(old)
		};
		put(slot, old)
	:: else
	fi
}

/* If no other call is in the midst of something, all objects are somewhere. */
inline call_ends(slot, old)
{
	d_step {
		slot = 0; old = 0;
		assert(UNOWNED != ALL_SLOTS ||
		       (held | batches[0].objs | batches[1].objs) == ALL_OBJECTS)
	}
}

proctype cpu()
{
	byte hand, slot, old;

	do
	:: if
	   :: hand != 0 -> push(hand, slot, old)
	   :: hand == 0 -> pop(hand, slot, old)
	   :: hand == 0 -> refill(hand)
	   fi;
progress:  call_ends(slot, old)
	od
}

/*
 * What transit_take_older() does with any of the slots; NO_SLOT if it gets none. With
 * EARLY_LOOK the batches were there before the bits were looked at.
 */
inline take_older(state, slot, there)
{
#ifdef EARLY_LOOK
	there = opened;
#endif
	if
	:: slot = 0
	:: slot = 1
	fi;
	if
	:: d_step { IS_IN(state, slot) ->
#ifndef EARLY_LOOK
		there = opened;
#endif
		assert(there); there = 0
	   };
		if
		:: batches[slot].period == period -> slot = NO_SLOT
		:: else ->
			if
			:: TAKE_OUT(state, slot)
			:: !IS_IN(state, slot) -> slot = NO_SLOT
			fi
		fi
	:: else -> slot = NO_SLOT
	fi
}

/* gospan_mcentral_age(): the objects of a stale batch go to their spans. */
inline age(slot, old, there)
{
	if
	:: take_older(FULL, slot, there)
	:: take_older(PARTIAL, slot, there)
	fi;
	if
	:: slot != NO_SLOT ->
		d_step { old = batches[slot].objs; get_hold(spans, old) };
		put(slot, 0)
	:: else -> period = 1 - period
	fi
}

proctype ager()
{
	byte slot, old;
	bit there;

	do
	:: age(slot, old, there);
progress:  call_ends(slot, old)
	od
}

/* gospan_transit_open() */
proctype opener()
{
	opened = 1;
	slots[EMPTY] = ALL_SLOTS
}

init {
	atomic {
		run opener();
		run cpu();
		run cpu();
		run ager()
	}
}
