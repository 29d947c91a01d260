/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The claim of a CPU's mcache, src/mcache.h; and how it is parked, src/mcache.c, idle.c.
 *
 * A task claims the mcache; an interrupt may come between any two of its steps, an
 * NMI between any two of both's. Each takes an object of the mcache or puts it back, or
 * finds it claimed and uses the central list. On another CPU, a task parks the mcache,
 * waits, and empties it, again and again.
 *
 * Nobody touches an mcache that another has, and no object is lost or in two hands.
 *
 * With one of these a step of the protocol is left out, and spin has to find out:
 * NO_CLAIM	the slot keeps the mcache while it is claimed
 * NO_GRACE	what was parked is emptied without waiting for a grace period
 * NO_LOOK	it is emptied whatever the slot says after that
 * NO_MARK	who finds the slot parked takes the mcache, whoever empties it
 * LATE_MARK	the mark is seen after the slot, without gospan_mcache_park()'s release
 */

#define TASK	0
#define IRQ	1
#define NMI	2
#define NR_CONTEXTS	3
#define OBJECTS	2

/* What a slot holds. */
mtype = { mine, none, parked };

/* gospan_mcache_slot */
mtype slot = mine;
/* gospan_mcache.parked: being emptied */
bool draining = false;
/* Who runs on the CPU: the highest of those that have begun. */
byte running = TASK;
/* Sections with preemption off that it is in, one in the other. */
byte sections = 0;

/* Objects: in the mcache, elsewhere, and in the hands of a context. */
byte cached = OBJECTS, central = 0, live[NR_CONTEXTS];
/* Who uses the mcache just now. */
byte users = 0;

/* Alone with the mcache, and with steps in between, which another would disturb. */
inline use_begin(count)
{
	atomic {
		assert(users == 0);
		users++;
		count = cached
	}
}

inline use_end(count)
{
	atomic {
		cached = count;
		count = 0;
		users--;
		assert(cached + central + live[TASK] + live[IRQ] + live[NMI] == OBJECTS)
	}
}

/* The fast paths: pop, or push. */
inline magazine_use(me, count)
{
	use_begin(count);
	atomic {
		if
		:: count > 0 && !live[me] -> count--; live[me] = 1
		:: live[me] -> live[me] = 0; count++
		:: else
		fi
	};
	use_end(count)
}

/* Where there is no mcache: gospan_mcentral_alloc() and gospan_mcentral_flush(), locked. */
inline central_use(me)
{
	atomic {
		if
		:: central > 0 && !live[me] -> central--; live[me] = 1
		:: live[me] -> live[me] = 0; central++
		:: else
		fi
	}
}

/* gospan_mcache_wake(), gospan_mcache_unpark() */
inline wake(c)
{
	if
#ifdef NO_MARK
	:: c == parked -> c = mine
#else
	:: c == parked && !draining -> c = mine
#endif
	:: else
	fi
}

/* From gospan_mcache_claim() to gospan_mcache_release(). */
inline claim_use_release(me, c, count)
{
	/* What comes in between comes as well before. */
	atomic { sections++; c = slot };
#ifndef NO_CLAIM
	slot = none;
#endif
	if
	:: wake(c)
	/* gospan_free_nolock() and such leave it parked. */
	:: true
	fi;
	if
	:: c == mine -> magazine_use(me, count)
	:: else -> central_use(me)
	fi;
	atomic { slot = c; c = none; sections-- }
}

active proctype task() provided (running == TASK)
{
	mtype c = none;
	byte count;

	do
	:: claim_use_release(TASK, c, count)
	od
}

active proctype interrupt() provided (running <= IRQ)
{
	mtype c = none;
	byte count;

	do
	:: atomic { running == TASK -> running = IRQ };
	   claim_use_release(IRQ, c, count);
	   running = TASK
	od
}

active proctype nmi()
{
	mtype c = none;
	byte count, interrupted;

	do
	:: atomic { running != NMI -> interrupted = running; running = NMI };
	   claim_use_release(NMI, c, count);
	   atomic { running = interrupted; interrupted = TASK }
	od
}

/* gospan_mcache_park(), which looks at all without the claim; ok is what it returns. */
inline park(now, ok)
{
	atomic { ok = false; now = slot };
	if
	:: now != none && cached > 0 ->
#ifdef LATE_MARK
		slot = parked;
		draining = true;
#else
		draining = true;
		slot = parked;
#endif
		ok = true
	:: else
	fi
}

/* synchronize_rcu(): there is a moment when the CPU is in no section. */
inline grace_period()
{
#ifdef NO_GRACE
	skip
#else
	sections == 0
#endif
}

/* gospan_mcache_drain_parked() */
inline drain_parked(count)
{
	if
#ifdef NO_LOOK
	:: true ->
#else
	:: slot == parked ->
#endif
		use_begin(count);
		atomic { central = central + count; count = 0 };
		use_end(count)
#ifndef NO_LOOK
	:: else
#endif
	fi;
	draining = false
}

/* gospan_idle_drain(), under gospan_mcache_parking */
active proctype idle()
{
	mtype now;
	bool ok;
	byte count;

	do
	:: park(now, ok);
	   if
	   :: ok -> grace_period(); drain_parked(count)
	   :: else
	   fi
	od
}
