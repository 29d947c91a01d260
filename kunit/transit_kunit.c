// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the transit, on one of their own. Objects are numbers: it never looks at them.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include "../src/transit.h"
#include "helper.h"

#define NR_SLOTS	4U
#define BATCH		8U
#define NR_OBJS		(NR_SLOTS * BATCH)
/* They do not fill a slot. */
#define WHOLE		3U

static void *object(unsigned long n)
{
	return (void *)(n + 1);
}

static unsigned long number(const void *object)
{
	return (unsigned long)object - 1;
}

static struct gospan_transit *transit_make(struct kunit *test)
{
	struct gospan_transit *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	void *batches = kunit_kzalloc(test, gospan_transit_bytes(NR_SLOTS, BATCH), GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, t && batches);
	gospan_transit_open(t, batches, NR_SLOTS, BATCH, WHOLE);
	return t;
}

static void expect_states(struct kunit *test, const struct gospan_transit *t,
			  unsigned long empty, unsigned long partial, unsigned long full)
{
	KUNIT_EXPECT_EQ(test, t->slots[GOSPAN_TRANSIT_EMPTY], empty);
	KUNIT_EXPECT_EQ(test, t->slots[GOSPAN_TRANSIT_PARTIAL], partial);
	KUNIT_EXPECT_EQ(test, t->slots[GOSPAN_TRANSIT_FULL], full);
}

/* Whole batches keep together, and come back in the order they lie in. */
static void transit_whole_batches(struct kunit *test)
{
	struct gospan_transit *t = transit_make(test);
	void *in[NR_OBJS + 1], *out[BATCH];
	unsigned int i;

	for (i = 0; i <= NR_OBJS; i++)
		in[i] = object(i);
	expect_states(test, t, 0xf, 0, 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in, BATCH), BATCH);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in + BATCH, BATCH), BATCH);
	expect_states(test, t, 0xc, 0, 0x3);
	KUNIT_EXPECT_EQ(test, gospan_transit_pop(t, out, BATCH), BATCH);
	for (i = 0; i < BATCH; i++)
		KUNIT_EXPECT_PTR_EQ(test, out[i], object(i));
	expect_states(test, t, 0xd, 0, 0x2);
	/* What has no room is the caller's still. */
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in, NR_OBJS + 1), NR_OBJS - BATCH);
	expect_states(test, t, 0, 0, 0xf);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(t), NR_OBJS);
	KUNIT_EXPECT_EQ(test, gospan_transit_nr_full(t), NR_OBJS);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in, 1), 0);
}

/* Few objects fill up what others began. */
static void transit_partial_batches(struct kunit *test)
{
	struct gospan_transit *t = transit_make(test);
	void *in[BATCH], *out[2 * BATCH];
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		in[i] = object(i);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in, 3), 3);
	expect_states(test, t, 0xe, 0x1, 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in, BATCH), BATCH);
	expect_states(test, t, 0xc, 0x1, 0x2);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in, 6), 6);
	/* Five completed the first, one is in the third. */
	expect_states(test, t, 0x8, 0x4, 0x3);
	/* A whole one, and what is missing of others, those begun first. */
	KUNIT_EXPECT_EQ(test, gospan_transit_pop(t, out, BATCH + 2), BATCH + 2);
	expect_states(test, t, 0xd, 0x2, 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_pop(t, out, 1), 1);
	expect_states(test, t, 0xd, 0x2, 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_pop(t, out, 2 * BATCH), 6);
	expect_states(test, t, 0xf, 0, 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_pop(t, out, 1), 0);
}

/* A magazine goes into one slot and comes out of one: what has no room, or is missing, waits. */
static void transit_whole_magazines(struct kunit *test)
{
	struct gospan_transit *t = transit_make(test);
	const struct gospan_batch *b = gospan_transit_batch(t, 0);
	void *in[WHOLE] = { object(0), object(1), object(2) }, *out[WHOLE];

	KUNIT_EXPECT_EQ(test, gospan_transit_push_whole(t, in), WHOLE);
	KUNIT_EXPECT_EQ(test, gospan_transit_push_whole(t, in), WHOLE);
	expect_states(test, t, 0xe, 0x1, 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_push_whole(t, in), 2);
	expect_states(test, t, 0xe, 0, 0x1);
	KUNIT_EXPECT_PTR_EQ(test, b->objs[5], in[2]);
	KUNIT_EXPECT_PTR_EQ(test, b->objs[6], in[1]);
	KUNIT_EXPECT_PTR_EQ(test, b->objs[7], in[2]);
	KUNIT_EXPECT_EQ(test, gospan_transit_push_whole(t, in), WHOLE);
	expect_states(test, t, 0xc, 0x2, 0x1);
	/* First of the one that is not full. */
	KUNIT_EXPECT_EQ(test, gospan_transit_pop_whole(t, out), WHOLE);
	KUNIT_EXPECT_MEMEQ(test, out, in, sizeof(in));
	expect_states(test, t, 0xe, 0, 0x1);
	KUNIT_EXPECT_EQ(test, gospan_transit_pop_whole(t, out), WHOLE);
	KUNIT_EXPECT_PTR_EQ(test, out[0], in[2]);
	KUNIT_EXPECT_EQ(test, gospan_transit_pop_whole(t, out), WHOLE);
	expect_states(test, t, 0xe, 0x1, 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_pop_whole(t, out), 2);
	KUNIT_EXPECT_MEMEQ(test, out, in, 2 * sizeof(*in));
	expect_states(test, t, 0xf, 0, 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_pop_whole(t, out), 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in, 1), 1);
	KUNIT_EXPECT_NOT_NULL(test, gospan_transit_take(t, GOSPAN_TRANSIT_PARTIAL));
	KUNIT_EXPECT_EQ(test, gospan_transit_pop_whole(t, out), 0);
	while (gospan_transit_take(t, GOSPAN_TRANSIT_EMPTY))
		;
	KUNIT_EXPECT_EQ(test, gospan_transit_push_whole(t, in), 0);
}

/* A slot that someone owns is in no state, and others do without. */
static void transit_owned_slots(struct kunit *test)
{
	struct gospan_transit *t = transit_make(test);
	struct gospan_batch *b[NR_SLOTS];
	void *p = object(7);
	unsigned int i;

	for (i = 0; i < NR_SLOTS; i++) {
		b[i] = gospan_transit_take(t, GOSPAN_TRANSIT_EMPTY);
		KUNIT_ASSERT_NOT_NULL(test, b[i]);
		KUNIT_EXPECT_EQ(test, b[i]->slot, i);
	}
	KUNIT_EXPECT_NULL(test, gospan_transit_take(t, GOSPAN_TRANSIT_EMPTY));
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, &p, 1), 0);
	b[2]->objs[0] = p;
	b[2]->nr = 1;
	for (i = 0; i < NR_SLOTS; i++)
		gospan_transit_put(t, b[i]);
	expect_states(test, t, 0xb, 0x4, 0);
}

/* Stale is what was put before the last two times that it aged. */
static void transit_stale_batches(struct kunit *test)
{
	struct gospan_transit *t = transit_make(test);
	struct gospan_batch *b;
	void *in[BATCH + 1];
	unsigned int i;

	for (i = 0; i <= BATCH; i++)
		in[i] = object(i);
	gospan_transit_age(t);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in, BATCH + 1), BATCH + 1);
	KUNIT_EXPECT_NULL(test, gospan_transit_take_stale(t));
	gospan_transit_age(t);
	/* The one that is not full is touched. */
	KUNIT_EXPECT_EQ(test, gospan_transit_pop(t, in, 1), 1);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, in, 1), 1);
	b = gospan_transit_take_stale(t);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, b->nr, BATCH);
	KUNIT_EXPECT_NULL(test, gospan_transit_take_stale(t));
	b->nr = 0;
	gospan_transit_put(t, b);
	gospan_transit_age(t);
	b = gospan_transit_take_stale(t);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, b->nr, 1);
	KUNIT_EXPECT_PTR_EQ(test, b->objs[0], object(BATCH));
	/* No slot that holds nothing. */
	KUNIT_EXPECT_NULL(test, gospan_transit_take_stale(t));
}

static void transit_closed_takes_nothing(struct kunit *test)
{
	struct gospan_transit *t = transit_make(test);
	void *batches = t->batches, *p = object(0);

	KUNIT_EXPECT_PTR_EQ(test, gospan_transit_close(t), batches);
	KUNIT_EXPECT_EQ(test, gospan_transit_push(t, &p, 1), 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_pop(t, &p, 1), 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(t), 0);
}

/* Threads that pass objects around; each object has exactly one holder at any time. */
struct relay {
	struct gospan_transit *t;
	atomic_t holder[2 * NR_OBJS];	/* 1: some thread has it */
	atomic_t nr_errors;
	atomic_t nr_running;
	struct completion done;
};

struct runner {
	struct relay *relay;
	struct rnd_state rnd;
	void *objs[2 * NR_OBJS];
	unsigned int nr;
	unsigned int steps;
};

static void runner_step(struct runner *r)
{
	unsigned int n = 1 + gospan_kunit_below(&r->rnd, 2 * BATCH), i, moved;
	struct relay *relay = r->relay;
	bool whole;

	if (gospan_kunit_below(&r->rnd, 2)) {
		n = min(n, 2 * NR_OBJS - r->nr);
		moved = n == WHOLE ? gospan_transit_pop_whole(relay->t, r->objs + r->nr) :
				   gospan_transit_pop(relay->t, r->objs + r->nr, n);
		for (i = 0; i < moved; i++)
			if (atomic_xchg(&relay->holder[number(r->objs[r->nr + i])], 1))
				atomic_inc(&relay->nr_errors);
		r->nr += moved;
		return;
	}
	n = min(n, r->nr);
	whole = n == WHOLE;
	for (i = r->nr - n; i < r->nr; i++)
		atomic_set(&relay->holder[number(r->objs[i])], 0);
	moved = whole ? gospan_transit_push_whole(relay->t, r->objs + r->nr - n) :
		      gospan_transit_push(relay->t, r->objs + r->nr - n, n);
	/* The last ones had no room; of a whole magazine, the first. */
	if (!whole)
		memmove(r->objs + r->nr - n, r->objs + r->nr - n + moved,
			(n - moved) * sizeof(*r->objs));
	r->nr -= moved;
	for (i = r->nr - (n - moved); i < r->nr; i++)
		if (atomic_xchg(&relay->holder[number(r->objs[i])], 1))
			atomic_inc(&relay->nr_errors);
}

static int runner_thread(void *data)
{
	struct runner *r = data;
	unsigned int step;

	for (step = 0; step < r->steps; step++) {
		runner_step(r);
		if (!(step % 64))
			cond_resched();
	}
	if (atomic_dec_and_test(&r->relay->nr_running))
		complete(&r->relay->done);
	return 0;
}

static void transit_relay(struct kunit *test)
{
	struct relay *relay = kunit_kzalloc(test, sizeof(*relay), GFP_KERNEL);
	struct runner *runner = kunit_kcalloc(test, 3, sizeof(*runner), GFP_KERNEL);
	struct task_struct *task[3];
	unsigned int i, k, total = 0;

	KUNIT_ASSERT_TRUE(test, relay && runner);
	relay->t = transit_make(test);
	init_completion(&relay->done);
	atomic_set(&relay->nr_running, 3);
	for (i = 0; i < 3; i++) {
		struct runner *r = &runner[i];

		r->relay = relay;
		r->steps = gospan_kunit_steps() / 4;
		gospan_kunit_seed(test, &r->rnd);
		r->rnd.s1 += i << 8;
		for (k = i; k < 2 * NR_OBJS; k += 3) {
			r->objs[r->nr++] = object(k);
			atomic_set(&relay->holder[k], 1);
		}
	}
	for (i = 0; i < 3; i++) {
		task[i] = kthread_create(runner_thread, &runner[i], "gospan_transit/%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task[i]));
		get_task_struct(task[i]);
	}
	for (i = 0; i < 3; i++)
		wake_up_process(task[i]);
	wait_for_completion(&relay->done);
	for (i = 0; i < 3; i++) {
		kthread_stop(task[i]);
		put_task_struct(task[i]);
		total += runner[i].nr;
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&relay->nr_errors), 0);
	KUNIT_EXPECT_EQ(test, total + gospan_transit_count(relay->t), 2 * NR_OBJS);
	/* Each slot is in one state again. */
	KUNIT_EXPECT_EQ(test, relay->t->slots[GOSPAN_TRANSIT_EMPTY] ^
			relay->t->slots[GOSPAN_TRANSIT_PARTIAL] ^
			relay->t->slots[GOSPAN_TRANSIT_FULL], GENMASK(NR_SLOTS - 1, 0));
}

static struct kunit_case transit_cases[] = {
	KUNIT_CASE(transit_whole_batches),
	KUNIT_CASE(transit_partial_batches),
	KUNIT_CASE(transit_whole_magazines),
	KUNIT_CASE(transit_owned_slots),
	KUNIT_CASE(transit_stale_batches),
	KUNIT_CASE(transit_closed_takes_nothing),
	KUNIT_CASE(transit_relay),
	{}
};

static struct kunit_suite transit_suite = {
	.name = "gospan_transit",
	.test_cases = transit_cases,
};

kunit_test_suite(transit_suite);
