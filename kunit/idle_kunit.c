// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of idle CPUs, whose mcaches are emptied from another one. The work that
 * does so in the background is stopped meanwhile, as the scavenger is.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/smp.h>
#include <linux/gospan.h>
#include "../src/idle.h"
#include "../src/mcache.h"
#include "../src/validate.h"
#include "helper.h"

#define BYTES	64U

static int fill_cpu(void *obj)
{
	void **p = obj;

	*p = gospan_alloc(BYTES, GFP_KERNEL);
	return *p ? 0 : -ENOMEM;
}

static int empty_cpu(void *obj)
{
	gospan_free(*(void **)obj);
	return 0;
}

/* Another CPU than this thread's, with something cached. */
static unsigned int filled_cpu(struct kunit *test, void **p)
{
	unsigned int cpu = cpumask_last(cpu_online_mask);

	if (cpu == raw_smp_processor_id())
		kunit_skip(test, "needs two CPUs");
	/* What it cached before is as it is seen now. */
	gospan_idle_drain();
	KUNIT_ASSERT_EQ(test, smp_call_on_cpu(cpu, fill_cpu, p, false), 0);
	return cpu;
}

static struct gospan_mcache *slot_of(unsigned int cpu)
{
	return READ_ONCE(per_cpu(gospan_mcache_slot, cpu));
}

/* The second time that it is seen as it is; and it takes its mcache again. */
static void idle_drains_unused(struct kunit *test)
{
	void *p;
	unsigned int cpu = filled_cpu(test, &p);
	struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);

	gospan_idle_drain();
	KUNIT_EXPECT_GT(test, c->capacity_bytes, 0);
	KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), c);
	KUNIT_EXPECT_GE(test, gospan_idle_drain(), 1);
	KUNIT_EXPECT_EQ(test, c->capacity_bytes, 0);
	KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), &gospan_mcache_parked);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	/* Nothing is there to be taken. */
	gospan_idle_drain();
	KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), &gospan_mcache_parked);
	KUNIT_ASSERT_EQ(test, smp_call_on_cpu(cpu, empty_cpu, &p, false), 0);
	KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), c);
	KUNIT_EXPECT_GT(test, c->capacity_bytes, 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

#define NR_BULK	8U

static int fill_cpu_bulk(void *objs)
{
	return gospan_alloc_bulk(BYTES, GFP_KERNEL, NR_BULK, objs) ? 0 : -ENOMEM;
}

static int empty_cpu_bulk(void *objs)
{
	gospan_free_bulk(NR_BULK, objs);
	return 0;
}

/* Also by calls for many. */
static void idle_bulk_takes_it_again(struct kunit *test)
{
	void *p, *objs[NR_BULK];
	unsigned int cpu = filled_cpu(test, &p);
	struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		gospan_idle_drain();
		gospan_idle_drain();
		KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), &gospan_mcache_parked);
		KUNIT_ASSERT_EQ(test, smp_call_on_cpu(cpu, i ? empty_cpu_bulk : fill_cpu_bulk,
						      objs, false), 0);
		KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), c);
		KUNIT_EXPECT_GT(test, c->capacity_bytes, 0);
	}
	gospan_free(p);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* One alloc or free in between is enough. */
static void idle_leaves_used(struct kunit *test)
{
	void *p;
	unsigned int cpu = filled_cpu(test, &p);
	struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);

	gospan_idle_drain();
	KUNIT_ASSERT_EQ(test, smp_call_on_cpu(cpu, empty_cpu, &p, false), 0);
	gospan_idle_drain();
	KUNIT_EXPECT_GT(test, c->capacity_bytes, 0);
	KUNIT_ASSERT_EQ(test, smp_call_on_cpu(cpu, fill_cpu, &p, false), 0);
	gospan_idle_drain();
	KUNIT_EXPECT_GT(test, c->capacity_bytes, 0);
	KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), c);
	gospan_free(p);
}

/* Parked by hand under this thread: while it may be emptied, all goes past it. */
static void idle_while_draining(struct kunit *test)
{
	struct gospan_mcentral *mc;
	struct gospan_mcache *c;
	void *p = gospan_alloc(BYTES, GFP_KERNEL), *q;
	unsigned int cpu = raw_smp_processor_id();
	unsigned long mallocs;

	KUNIT_ASSERT_NOT_NULL(test, p);
	c = gospan_mcache_of_cpu(cpu);
	mc = gospan_mcentral_local(gospan_make_spanclass(gospan_size_to_class(BYTES), false));
	mallocs = atomic_long_read(&mc->nr_mallocs);
	KUNIT_ASSERT_TRUE(test, gospan_mcache_park(cpu));
	gospan_free(p);
	q = gospan_alloc(BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&mc->nr_mallocs), mallocs + 1);
	KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), &gospan_mcache_parked);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	KUNIT_EXPECT_TRUE(test, gospan_mcache_drain_parked(cpu));
	KUNIT_EXPECT_EQ(test, c->capacity_bytes, 0);
	gospan_free(q);
	KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), c);
}

/* Claimed when it is parked: the claim's end takes the parking back. */
static void idle_parked_while_claimed(struct kunit *test)
{
	unsigned int cpu = raw_smp_processor_id();
	struct gospan_mcache *c, *inner, **slot;
	void *p = gospan_alloc(BYTES, GFP_KERNEL);
	bool refused;

	gospan_free(p);
	slot = gospan_mcache_claim(&c);
	/* It is seen in the slot, and claimed before the slot is written. */
	refused = !gospan_mcache_park(cpu);
	WRITE_ONCE(c->parked, GOSPAN_PARKED_DRAINING);
	WRITE_ONCE(*slot, &gospan_mcache_parked);
	/* An interrupt would find it so. */
	slot = gospan_mcache_claim(&inner);
	gospan_mcache_release(slot, gospan_mcache_wake(inner));
	gospan_mcache_release(slot, c);
	KUNIT_EXPECT_TRUE(test, refused);
	KUNIT_EXPECT_PTR_EQ(test, inner, &gospan_mcache_parked);
	KUNIT_EXPECT_FALSE(test, gospan_mcache_drain_parked(cpu));
	KUNIT_EXPECT_PTR_EQ(test, slot_of(cpu), c);
	KUNIT_EXPECT_GT(test, c->capacity_bytes, 0);
}

struct idle_user {
	struct completion done;
	atomic_t stop;
	unsigned int nr_failed;
};

static int idle_user_thread(void *data)
{
	struct idle_user *u = data;
	void *p[32];
	unsigned int i, pause = 0;

	while (!atomic_read(&u->stop)) {
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = gospan_alloc(BYTES << (i % 4), GFP_KERNEL);
			u->nr_failed += !p[i];
			if (p[i])
				memset(p[i], i, BYTES);
		}
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			u->nr_failed += p[i] && memchr_inv(p[i], i, BYTES);
			if (pause % 2)
				gospan_free(p[i]);
		}
		if (!(pause % 2))
			gospan_free_bulk(ARRAY_SIZE(p), p);
		/* Now and then for so long that it is idle. */
		if (!(++pause % 15))
			usleep_range(100, 30000);
		cond_resched();
	}
	complete(&u->done);
	return 0;
}

/* A CPU that works, and rests, while it is drained all the time. */
static void idle_drains_while_in_use(struct kunit *test)
{
	struct idle_user *u = kunit_kzalloc(test, sizeof(*u), GFP_KERNEL);
	unsigned int cpu = cpumask_last(cpu_online_mask), nr = 0, i;
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, u);
	if (cpu == raw_smp_processor_id())
		kunit_skip(test, "needs two CPUs");
	init_completion(&u->done);
	task = kthread_create_on_cpu(idle_user_thread, u, cpu, "gospan_idle/%u");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	for (i = 0; i < 200; i++) {
		nr += gospan_idle_drain();
		usleep_range(10, 2000);
	}
	atomic_set(&u->stop, 1);
	wait_for_completion(&u->done);
	kthread_stop(task);
	put_task_struct(task);
	KUNIT_EXPECT_EQ(test, u->nr_failed, 0);
	KUNIT_EXPECT_GT(test, nr, 0);
	kunit_info(test, "drained %u times", nr);
}

static int idle_drain_thread(void *data)
{
	while (!kthread_should_stop()) {
		gospan_idle_drain();
		cond_resched();
	}
	return 0;
}

/* What is just being taken from an idle CPU is not missed by who trims. */
static void idle_trim_waits(struct kunit *test)
{
	unsigned long inuse;
	struct task_struct *task;
	unsigned int i;
	void *p;

	gospan_trim();
	inuse = gospan_kunit_inuse_pages(&gospan_heap);
	task = kthread_run(idle_drain_thread, NULL, "gospan_idle_drain");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < 30; i++) {
		p = gospan_alloc(BYTES, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, p);
		gospan_free(p);
		/* Parked, as a rule, and about to be emptied. */
		usleep_range(10, 2000);
		gospan_trim();
		KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(&gospan_heap), inuse);
	}
	kthread_stop(task);
}

static struct kunit_case idle_cases[] = {
	KUNIT_CASE(idle_drains_unused),
	KUNIT_CASE(idle_bulk_takes_it_again),
	KUNIT_CASE(idle_leaves_used),
	KUNIT_CASE(idle_while_draining),
	KUNIT_CASE(idle_parked_while_claimed),
	KUNIT_CASE(idle_drains_while_in_use),
	KUNIT_CASE(idle_trim_waits),
	{}
};

static struct kunit_suite idle_suite = {
	.name = "gospan_idle",
	.init = gospan_kunit_init,
	.test_cases = idle_cases,
};

kunit_test_suite(idle_suite);
