/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tiny, src/tiny.c and src/tiny.h: when a block of small objects is free again.
 *
 * A CPU cuts two objects from a block, or fewer, and closes it; two others free them.
 * Each clears a bit of one word, and who clears the last one has the block.
 *
 * Somebody has it when nothing in it lives, and nobody else has it then; nor is it lost.
 *
 * With one of these a step of the protocol is left out, and spin has to find out:
 * NOT_ATOMIC	a bit of the word is cleared in two steps
 * NO_ONES	while the block is open, what was not handed out has no bit
 * LATE_CLOSE	a block that is used up is closed after its last object was handed out
 * NO_GUARD	one that is not used up may be another's while it is still seen open
 */

/* The second object takes two bytes: none starts at the last. */
#define ALL_BITS	7
#define LAST_BIT	4

/* gospan_tiny_word() of the block, and what is handed out and not freed. */
byte word = 0, out = 0;
/* gospan_tiny.block is the block; gospan_tiny.starts */
bool open = false;
byte starts = 0;
/* It is in a magazine or a span. */
bool is_free = true;

inline have_block()
{
	atomic {
		assert(!is_free && !open && out == 0);
		is_free = true
	}
}

/* gospan_tiny_open() */
inline open_block()
{
#ifdef NO_ONES
	atomic { is_free = false; starts = 0; open = true }
#else
	atomic { is_free = false; word = word | ALL_BITS; starts = 0; open = true }
#endif
}

/* gospan_tiny_close() */
inline close_block(live, guard)
{
#ifndef NO_GUARD
	guard = (starts == 3 -> 0 : LAST_BIT);
#endif
	atomic { live = word & starts; word = word & (starts | guard) };
	open = false;
	atomic {
		live = (guard -> word & starts : live);
		word = word & ~guard;
		starts = 0
	};
	if
	:: live == 0 -> have_block()
	:: else
	fi;
	live = 0
}

inline hand_out(bits)
{
#ifdef NO_ONES
	atomic { word = word | (bits); out = out | (bits) }
#else
	out = out | (bits)
#endif
}

/* gospan_tiny_alloc(), the second time until the block is full */
inline cut(live, guard)
{
	if
	:: starts == 0 -> starts = 1; hand_out(1)
	:: starts == 1 ->
		starts = 3;
#ifdef LATE_CLOSE
		hand_out(2);
		close_block(live, guard)
#else
		close_block(live, guard);
		hand_out(2)
#endif
	fi
}

active proctype owner()
{
	byte live, guard;

	do
	:: is_free -> open_block()
	:: open -> cut(live, guard)
	:: open -> close_block(live, guard)
	od
}

/* gospan_tiny_free() of either object */
inline free_one(bits, old)
{
	out & (bits);
	out = out & ~(bits);
#ifdef NOT_ATOMIC
	old = word;
	word = old & ~(bits);
#else
	atomic { old = word; word = old & ~(bits) };
#endif
	if
	:: (old & ~(bits)) == 0 -> have_block()
	:: else
	fi;
	old = 0
}

active proctype first()
{
	byte old;

end:	do
	:: free_one(1, old)
	od
}

active proctype second()
{
	byte old;

end:	do
	:: free_one(2, old)
	od
}
