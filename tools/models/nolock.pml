/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nolock, src/nolock.c: a CPU's reserve, and its list of what is freed later.
 *
 * A task and an NMI in between any of its steps allocate from the reserve and put off
 * frees. An interrupt, which they raise, frees what was put off and fills the reserve;
 * on another CPU a worker fills it, too.
 *
 * An object is in one hand or one place, and none is lost. What was put off is freed:
 * when no interrupt is due, nothing waits.
 *
 * With one of these a step of the protocol is left out, and spin has to find out:
 * NO_XCHG	an object is read, and then taken out of its slot
 * NO_CMPXCHG	an object is put into a slot that was seen empty before
 * EARLY_KICK	the interrupt is raised before there is something for it to do
 */

#define ALL_OBJECTS	3

#define TASK	0
#define IRQ	1
#define NMI	2
/* Who runs on the CPU: the highest of those that have begun. */
byte running = TASK;
/* nolock_cpu.work is pending. */
bool due = false;

/* Objects are bits of a word. nolock_cpu.slot[]: each is whole for itself, so one will do. */
byte slot = 0;
/* nolock_cpu.deferred */
byte deferred = 0;
byte heap = ALL_OBJECTS;
/* In anybody's hands. */
byte held = 0;

/* One of them, if there is any. */
#define ONE_OF(objs)	(((objs) & 1) -> 1 : (objs))

/* One that nobody else may have. */
inline get_hold(hand, what)
{
	assert((held & what) == 0);
	hand = hand | what;
	held = held | what
}

inline let_go(hand, what)
{
	hand = hand & ~what;
	held = held & ~what
}

inline all_are_there()
{
	assert((held | slot | deferred | heap) == ALL_OBJECTS)
}

/* Where nobody is in the midst of a free. */
inline nothing_waits()
{
	assert(due || deferred == 0)
}

/* gospan_alloc(), gospan_free(): under a lock */
inline heap_alloc(hand, p)
{
	atomic { p = ONE_OF(heap); heap = heap & ~p; get_hold(hand, p) }
}

inline heap_free(hand, p)
{
	atomic { let_go(hand, p); assert((heap & p) == 0); heap = heap | p }
}

/* reserve_take() */
inline reserve_take(hand, p)
{
	if
	:: slot != 0 ->
#ifdef NO_XCHG
		p = slot;
		atomic { slot = 0; get_hold(hand, p) }
#else
		atomic { p = slot; slot = 0; get_hold(hand, p) }
#endif
	:: else
	fi;
	p = 0
}

/* reserve_fill() */
inline reserve_fill(hand, p)
{
	if
	:: slot == 0 ->
		heap_alloc(hand, p);
		if
		:: p == 0
#ifdef NO_CMPXCHG
		:: p != 0 -> atomic { slot = p; let_go(hand, p) }
#else
		:: atomic { p != 0 && slot == 0 -> slot = p; let_go(hand, p) }
		:: p != 0 && slot != 0 -> heap_free(hand, p)
#endif
		fi
	:: else
	fi;
	p = 0
}

/* free_later(): llist_add() and nolock_kick() */
inline free_later(hand, p)
{
	p = ONE_OF(hand);
#ifdef EARLY_KICK
	due = true;
#endif
	atomic { let_go(hand, p); deferred = deferred | p };
#ifndef EARLY_KICK
	due = true;
#endif
	p = 0
}

/* deferred_free(): what llist_del_all() gives, one after the other */
inline deferred_free(hand, p)
{
	atomic { p = deferred; deferred = 0; get_hold(hand, p); p = 0 };
	do
	:: hand != 0 -> atomic { p = ONE_OF(hand) }; heap_free(hand, p)
	:: else -> break
	od;
	p = 0
}

inline alloc_or_free(hand, p)
{
	if
	:: reserve_take(hand, p); due = true
	:: hand != 0 -> free_later(hand, p)
	fi
}

active proctype task() provided (running == TASK)
{
	byte hand, p;

	do
	:: alloc_or_free(hand, p);
	   nothing_waits()
	od
}

active proctype nmi()
{
	byte hand, p, interrupted;

	do
	:: atomic { running != NMI -> interrupted = running; running = NMI };
	   alloc_or_free(hand, p);
	   atomic { running = interrupted; interrupted = TASK }
	od
}

/* nolock_irq(), when it may come: never later than the next step of the task. */
active proctype interrupt() provided (running <= IRQ)
{
	byte hand, p;

	do
	:: atomic { due && running == TASK -> due = false; running = IRQ };
	   deferred_free(hand, p);
	   reserve_fill(hand, p);
	   atomic { all_are_there(); nothing_waits(); running = TASK }
	od
}

/* nolock_refill(), on another CPU */
active proctype worker()
{
	byte hand, p;

	do
	:: reserve_fill(hand, p)
	od
}
