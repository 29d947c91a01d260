/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gospan_tiny_bytes(), src/tiny.c: how far a small object reaches, asked by anybody.
 *
 * A CPU cuts a block of three bytes into objects, closes it and opens the next, which
 * it cuts differently; another frees some. A third asks how far the first object of the
 * first block reaches, which lives all the time: at least as far as was asked for, and
 * no byte of what lives, or may still be handed out.
 *
 * With one of these a step of the protocol is left out, and spin has to find out:
 * ROOM_FIRST	bytes are seen taken before the object that starts there is
 * LATE_BITS	the block is seen closed before the bits of what was never an object go
 * EARLY_RESET	what was noted of the block goes before the block is seen closed
 * NO_RECHECK	what was read is believed, whatever block it may have been of
 */

#define BYTES	3
#define ALL_BITS	7
#define LAST_BIT	4
#define NO_BLOCK	0
#define A	1
#define B	2

/* gospan_tiny of the CPU, and gospan_tiny_word() of each block. */
byte block = NO_BLOCK, starts, room;
byte word[3];

/* Of A: what is handed out and not freed, by where it starts; bytes of the object at 0. */
byte out, asked;

/* gospan_tiny_alloc(), of an object that fits */
inline alloc(offset, size)
{
	offset = BYTES - room;
#ifdef ROOM_FIRST
	room = room - size;
	starts = starts | (1 << offset);
#else
	starts = starts | (1 << offset);
	room = room - size;
#endif
	atomic {
		if
		:: block == A -> out = out | (1 << offset)
		:: else
		fi;
		if
		:: block == A && offset == 0 -> asked = size
		:: else
		fi;
		offset = 0
	}
}

inline some_allocs(offset)
{
	do
	:: room >= 1 -> alloc(offset, 1)
	:: room >= 2 -> alloc(offset, 2)
	:: room < BYTES -> break
	od
}

/* gospan_tiny_open() */
inline open_block(which)
{
	atomic { word[which] = ALL_BITS; starts = 0 };
	room = BYTES;
	block = which
}

/* gospan_tiny_close() */
inline close_block(which, its, guard)
{
	atomic { its = starts; guard = (room -> LAST_BIT : 0) };
#ifndef LATE_BITS
	word[which] = word[which] & (its | guard);
#endif
#ifdef EARLY_RESET
	starts = 0;
	room = 0;
#endif
	block = NO_BLOCK;
#ifdef LATE_BITS
	word[which] = word[which] & (its | guard);
#endif
	starts = 0;
	room = 0;
	word[which] = word[which] & ~guard
}

active proctype owner()
{
	byte offset, its, guard;

	open_block(A);
	some_allocs(offset);
	close_block(A, its, guard);
	open_block(B);
	some_allocs(offset);
	close_block(B, its, guard)
}

/* gospan_tiny_free() */
active proctype other()
{
end:	do
	:: atomic { out & 2 -> out = out & ~2 }; word[A] = word[A] & ~2
	:: atomic { out & 4 -> out = out & ~4 }; word[A] = word[A] & ~4
	od
}

/* cpu_has_open() */
inline has_open(ok, its_starts, its_room)
{
	if
	:: block == A ->
		its_room = room;
		its_starts = starts;
#ifdef NO_RECHECK
		ok = true
#else
		ok = (block == A)
#endif
	:: else -> ok = false
	fi
}

#define FIRST_BEHIND(bits, limit)	\
	(((bits) & 2) -> 1 : (((bits) & 4) -> 2 : (limit)))

active proctype asker()
{
	byte its_starts, its_room, bytes;
	bool ok;

	asked > 0;
end:	do
	:: has_open(ok, its_starts, its_room);
	   atomic {
		its_starts = (ok -> word[A] & its_starts : word[A]);
		bytes = FIRST_BEHIND(its_starts, (ok -> BYTES - its_room : BYTES));
		assert(its_starts & 1);
		assert(bytes >= asked);
		assert(bytes < 2 || !(out & 2));
		assert(bytes < 3 || !(out & 4));
		assert(block != A || bytes <= BYTES - room);
		its_starts = 0; its_room = 0; bytes = 0; ok = false
	   }
	od
}
