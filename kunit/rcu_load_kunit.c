// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of frees put off by RCU when all CPUs do it at once: how much may wait,
 * and that readers do not see it.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/gospan.h>
#include "../src/rcu.h"
#include "../src/report.h"
#include "helper.h"
#include "rcu_kunit.h"

#define RUN_JIFFIES	max(HZ / 2, 2)

#define FLOOD_BYTES	256
#define FLOOD_LIMIT	SZ_1M
/* In open batches, and in those that others sent as we looked. */
#define FLOOD_SLACK	(2 * GOSPAN_RCU_BATCH_BYTES)

struct flood {
	struct task_struct *task;
	struct completion started;	/* one that is stopped before never runs */
	unsigned int nr;
	unsigned int nr_failed;
	unsigned long max_bytes;	/* that waited */
};

static int flood_run(void *data)
{
	struct flood *f = data;
	unsigned int i;
	void *p;

	complete(&f->started);
	for (i = 0; i < f->nr; i++) {
		p = gospan_alloc(FLOOD_BYTES, GFP_KERNEL);
		f->nr_failed += !p;
		gospan_free_rcu_mightsleep(p);
		/* It takes the locks of all CPUs. */
		if (i % 8 == 0)
			f->max_bytes = max(f->max_bytes, gospan_rcu_waiting().bytes);
	}
	while (!kthread_should_stop())
		fsleep(1000);
	return 0;
}

static void flood_start(struct kunit *test, struct flood *f, unsigned int cpu)
{
	init_completion(&f->started);
	f->task = kthread_create_on_cpu(flood_run, f, cpu, "gospan_flood/%u");
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->task));
	wake_up_process(f->task);
}

/* All CPUs free as fast as they can, and have to wait. */
static void limit_holds(struct kunit *test)
{
	unsigned long waited = gospan_rcu_count(GOSPAN_RCU_WAITED), max_bytes = 0;
	unsigned long hurried = gospan_rcu_count(GOSPAN_RCU_HURRIED);
	/* Where memory accesses are checked, it would take minutes. */
	unsigned int total = IS_ENABLED(CONFIG_KASAN) ? 10000 : 100000, nr_failed = 0, cpu;
	struct flood *floods = kunit_kcalloc(test, nr_cpu_ids, sizeof(*floods), GFP_KERNEL);
	u64 live = gospan_kunit_live();

	KUNIT_ASSERT_NOT_NULL(test, floods);
	WRITE_ONCE(*gospan_kunit_rcu_limit(), FLOOD_LIMIT);
	for_each_online_cpu(cpu) {
		floods[cpu].nr = DIV_ROUND_UP(total, num_online_cpus());
		flood_start(test, &floods[cpu], cpu);
	}
	for_each_online_cpu(cpu) {
		wait_for_completion(&floods[cpu].started);
		kthread_stop(floods[cpu].task);
		max_bytes = max(max_bytes, floods[cpu].max_bytes);
		nr_failed += floods[cpu].nr_failed;
	}
	waited = gospan_rcu_count(GOSPAN_RCU_WAITED) - waited;
	kunit_info(test, "%lu bytes waited at most, %lu of %u calls had to, %lu hurries", max_bytes,
		   waited, total, gospan_rcu_count(GOSPAN_RCU_HURRIED) - hurried);
	KUNIT_EXPECT_EQ(test, nr_failed, 0U);
	KUNIT_EXPECT_LE(test, max_bytes, FLOOD_LIMIT + num_online_cpus() * FLOOD_SLACK);
	/* There, it may not be fast enough to have to wait. */
	if (!IS_ENABLED(CONFIG_KASAN))
		KUNIT_EXPECT_GT(test, waited, 0UL);
	gospan_rcu_barrier();
	gospan_kunit_rcu_expect_live(test, live);
}

#define WAIT_JIFFIES	(10 * HZ)

#define NR_LOCKERS	2U

static int locker_run(void *started)
{
	complete(started);
	while (!kthread_should_stop()) {
		/* It takes the locks of all CPUs. */
		gospan_rcu_waiting();
		cond_resched();
	}
	return 0;
}

/* Others take the locks on up to NR_LOCKERS CPUs but this. Returns on how many. */
static unsigned int lockers_start(struct kunit *test, struct task_struct **lockers)
{
	unsigned int here = raw_smp_processor_id(), cpu, nr = 0;
	DECLARE_COMPLETION_ONSTACK(started);

	for_each_online_cpu(cpu) {
		if (cpu == here || nr == NR_LOCKERS)
			continue;
		lockers[nr] = kthread_create_on_cpu(locker_run, &started, cpu, "gospan_locker/%u");
		KUNIT_ASSERT_FALSE(test, IS_ERR(lockers[nr]));
		wake_up_process(lockers[nr++]);
		wait_for_completion(&started);
	}
	return nr;
}

/*
 * Who finds the lock taken does not wait, and nothing is lost: it goes into the next CPU's batch
 * or, if that is taken as well, alone.
 */
static void lock_taken(struct kunit *test)
{
	unsigned long alone = gospan_rcu_count(GOSPAN_RCU_ALONE), end = jiffies + WAIT_JIFFIES;
	unsigned long beside = gospan_rcu_count(GOSPAN_RCU_BESIDE);
	struct task_struct *lockers[NR_LOCKERS];
	u64 live = gospan_kunit_live();
	struct rcu_head *p;
	unsigned int nr;

	nr = lockers_start(test, lockers);
	if (!nr)
		kunit_skip(test, "needs two CPUs");
	while (gospan_rcu_count(GOSPAN_RCU_BESIDE) + gospan_rcu_count(GOSPAN_RCU_ALONE) <
	       beside + alone + 10 && time_before(jiffies, end)) {
		p = gospan_alloc(sizeof(*p), GFP_KERNEL);
		if (p)
			__gospan_free_rcu(p, p);
		cond_resched();
	}
	KUNIT_EXPECT_GT(test, gospan_rcu_count(GOSPAN_RCU_BESIDE) +
			      gospan_rcu_count(GOSPAN_RCU_ALONE), beside + alone);
	kunit_info(test, "%lu beside, %lu alone", gospan_rcu_count(GOSPAN_RCU_BESIDE) - beside,
		   gospan_rcu_count(GOSPAN_RCU_ALONE) - alone);
	while (nr--)
		kthread_stop(lockers[nr]);
	gospan_rcu_barrier();
	KUNIT_EXPECT_EQ(test, gospan_rcu_waiting().objects, 0UL);
	gospan_kunit_rcu_expect_live(test, live);
}

/* Published in a slot, until another takes its place; then put off. */
struct shared {
	u64 stamp;
	struct rcu_head rcu;
	u64 copy;
};

#define NR_SLOTS	16

struct updater {
	struct task_struct *task;
	struct completion started;	/* as in struct flood */
	struct irq_work work;
	struct shared __rcu **slots;
	struct rnd_state rnd, irq_rnd;
	unsigned long nr_calls, nr_bad, nr_failed;
};

static struct shared *shared_alloc(struct rnd_state *rnd, gfp_t gfp)
{
	struct shared *p = gospan_alloc(sizeof(*p) + gospan_kunit_below(rnd, 300), gfp);

	if (!p)
		return NULL;
	p->stamp = prandom_u32_state(rnd) + (unsigned long)p;
	p->copy = ~p->stamp;
	return p;
}

static void shared_replace(struct updater *u, struct rnd_state *rnd, gfp_t gfp)
{
	struct shared *p = shared_alloc(rnd, gfp), *old;

	if (!p) {
		u->nr_failed++;
		return;
	}
	old = unrcu_pointer(xchg(&u->slots[gospan_kunit_below(rnd, NR_SLOTS)], RCU_INITIALIZER(p)));
	if (gfp == GFP_KERNEL && !gospan_kunit_below(rnd, 4))
		gospan_free_rcu_mightsleep(old);
	else
		gospan_free_rcu(old, rcu);
}

/* It stays what it is as long as one reads. */
static void shared_read(struct updater *u)
{
	struct shared *p;
	u64 stamp;

	rcu_read_lock();
	p = rcu_dereference(u->slots[gospan_kunit_below(&u->rnd, NR_SLOTS)]);
	if (p) {
		stamp = READ_ONCE(p->stamp);
		ndelay(gospan_kunit_below(&u->rnd, 2000));
		if (READ_ONCE(p->stamp) != stamp || READ_ONCE(p->copy) != ~stamp)
			u->nr_bad++;
	}
	rcu_read_unlock();
}

static void updater_irq(struct irq_work *work)
{
	struct updater *u = container_of(work, struct updater, work);

	shared_replace(u, &u->irq_rnd, GFP_ATOMIC);
}

static int updater_run(void *data)
{
	struct updater *u = data;

	complete(&u->started);
	do {
		u->nr_calls++;
		shared_read(u);
		shared_replace(u, &u->rnd, GFP_KERNEL);
		if (!(u->nr_calls % 16))
			irq_work_queue(&u->work);
		cond_resched();
	} while (!kthread_should_stop());
	irq_work_sync(&u->work);
	return 0;
}

/* Everyone replaces what all others read, in tasks and interrupts; batches and barriers go on. */
static void free_while_read(struct kunit *test)
{
	struct updater *u, *updaters = kunit_kcalloc(test, nr_cpu_ids, sizeof(*u), GFP_KERNEL);
	struct shared __rcu **slots = kunit_kcalloc(test, NR_SLOTS, sizeof(*slots), GFP_KERNEL);
	unsigned long before = gospan_report_count(), end;
	u64 live = gospan_kunit_live();
	unsigned int cpu, i;

	KUNIT_ASSERT_TRUE(test, updaters && slots);
	WRITE_ONCE(*gospan_kunit_rcu_limit(), SZ_64K);
	for_each_online_cpu(cpu) {
		u = &updaters[cpu];
		u->slots = slots;
		u->work = IRQ_WORK_INIT_HARD(updater_irq);
		init_completion(&u->started);
		gospan_kunit_seed(test, &u->rnd);
		prandom_seed_state(&u->irq_rnd, cpu);
		u->task = kthread_create_on_cpu(updater_run, u, cpu, "gospan_updater/%u");
		KUNIT_ASSERT_FALSE(test, IS_ERR(u->task));
		wake_up_process(u->task);
	}
	for_each_online_cpu(cpu)
		wait_for_completion(&updaters[cpu].started);
	end = jiffies + RUN_JIFFIES;
	while (time_before(jiffies, end)) {
		gospan_rcu_barrier();
		fsleep(10000);
	}
	for_each_online_cpu(cpu)
		kthread_stop(updaters[cpu].task);
	for_each_online_cpu(cpu) {
		u = &updaters[cpu];
		kunit_info(test, "CPU %u: %lu calls, %lu failed", cpu, u->nr_calls, u->nr_failed);
		KUNIT_EXPECT_GT(test, u->nr_calls, 0UL);
		KUNIT_EXPECT_EQ(test, u->nr_bad, 0UL);
		KUNIT_EXPECT_EQ(test, u->nr_failed, 0UL);
	}
	for (i = 0; i < NR_SLOTS; i++)
		gospan_free(unrcu_pointer(slots[i]));
	gospan_rcu_barrier();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
	gospan_kunit_rcu_expect_live(test, live);
}

static struct kunit_case rcu_load_cases[] = {
	KUNIT_CASE(limit_holds),
	KUNIT_CASE(lock_taken),
	KUNIT_CASE(free_while_read),
	{}
};

static struct kunit_suite rcu_load_suite = {
	.name = "gospan_rcu_load",
	.init = gospan_kunit_rcu_init,
	.test_cases = rcu_load_cases,
};

kunit_test_suite(rcu_load_suite);
