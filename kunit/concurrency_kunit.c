// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests with somebody else in the allocator at the same time: interrupts on
 * the same CPU, threads on the others.
 *
 * Nothing is said from inside: threads and interrupts count what they find
 * wrong, and the test looks at the count.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/nodemask.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/nolock.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"

#define RUN_JIFFIES	max(HZ / 2, 2)

/* At the start of each object; the rest is filled with bytes of the cookie. */
struct stamp {
	u64 cookie;
	u64 size;
};

static size_t stamped_size(struct rnd_state *rnd, size_t max_size)
{
	return sizeof(struct stamp) + gospan_kunit_below(rnd, max_size);
}

static void stamp_object(void *p, size_t size)
{
	struct stamp *stamp = p;

	stamp->size = size;
	stamp->cookie = (unsigned long)stamp ^ size * 0x9e3779b97f4a7c15ULL;
	memset(stamp + 1, (u8)(stamp->cookie >> 13), size - sizeof(*stamp));
}

/* Any that has memory; or none, and so that of the CPU. */
static int random_node(struct rnd_state *rnd)
{
	int node = gospan_kunit_below(rnd, 2 * nr_node_ids);

	return node < nr_node_ids && node_state(node, N_MEMORY) ? node : NUMA_NO_NODE;
}

static void *stamped_alloc(struct rnd_state *rnd, size_t max_size, gfp_t gfp)
{
	size_t size = stamped_size(rnd, max_size);
	void *p = gospan_alloc_node(size, gfp, random_node(rnd));

	if (p)
		stamp_object(p, size);
	return p;
}

/* Before a stamped object is freed; false if somebody wrote to it. */
static bool stamp_erase(void *p)
{
	struct stamp *stamp = p;
	bool intact = stamp->size <= gospan_size(p) &&
		      stamp->cookie == ((unsigned long)p ^ stamp->size * 0x9e3779b97f4a7c15ULL) &&
		      !memchr_inv(stamp + 1, (u8)(stamp->cookie >> 13),
				  stamp->size - sizeof(*stamp));

	/* Of use to nobody from here on. */
	stamp->cookie = 0;
	return intact;
}

/* Free what stamped_alloc() gave; false if somebody wrote to it. */
static bool stamped_free(void *p)
{
	bool intact = stamp_erase(p);

	gospan_free(p);
	return intact;
}

/* Allocates or frees, by turns, one of a few objects, or all; never two at the same time. */
struct churn {
	struct rnd_state rnd;
	void *objs[16];
	unsigned long nr_calls;
	unsigned long nr_bad;		/* objects that somebody wrote to */
	unsigned long nr_failed;	/* allocations */
	unsigned long nr_claimed;	/* calls that found the mcache claimed */
};

/* All at once: the old ones, of any sizes, for new ones of one size. */
static void churn_bulk(struct churn *ch, size_t max_size, gfp_t gfp)
{
	size_t size = stamped_size(&ch->rnd, max_size);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ch->objs); i++)
		if (ch->objs[i])
			ch->nr_bad += !stamp_erase(ch->objs[i]);
	gospan_free_bulk(ARRAY_SIZE(ch->objs), ch->objs);
	if (gospan_alloc_bulk(size, gfp, ARRAY_SIZE(ch->objs), ch->objs)) {
		for (i = 0; i < ARRAY_SIZE(ch->objs); i++)
			stamp_object(ch->objs[i], size);
		return;
	}
	memset(ch->objs, 0, sizeof(ch->objs));
	ch->nr_failed++;
}

static void churn_step(struct churn *ch, size_t max_size, gfp_t gfp)
{
	void **obj = &ch->objs[gospan_kunit_below(&ch->rnd, ARRAY_SIZE(ch->objs))];

	ch->nr_calls++;
	ch->nr_claimed += raw_cpu_read(gospan_mcache_slot) == &gospan_mcache_none;
	if (!gospan_kunit_below(&ch->rnd, 16)) {
		churn_bulk(ch, max_size, gfp);
		return;
	}
	if (*obj) {
		ch->nr_bad += !stamped_free(*obj);
		*obj = NULL;
		return;
	}
	*obj = stamped_alloc(&ch->rnd, max_size, gfp);
	ch->nr_failed += !*obj;
}

static void churn_finish(struct kunit *test, struct churn *ch, const char *who)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ch->objs); i++)
		if (ch->objs[i])
			ch->nr_bad += !stamped_free(ch->objs[i]);
	kunit_info(test, "%s: %lu calls, %lu while claimed, %lu failed", who, ch->nr_calls,
		   ch->nr_claimed, ch->nr_failed);
	KUNIT_EXPECT_GT(test, ch->nr_calls, 0UL);
	KUNIT_EXPECT_EQ(test, ch->nr_bad, 0UL);
	KUNIT_EXPECT_EQ(test, ch->nr_failed, 0UL);
}

/* A task and what interrupts it. */
struct interrupted {
	struct churn task, irq, softirq, ipi;
	struct irq_work work;
	struct timer_list timer;
	call_single_data_t csd;
	struct rnd_state pace;		/* of the sender of IPIs */
	unsigned int cpu;		/* of the task */
	unsigned long end;		/* jiffies */
	bool stop;
};

/* Small, so that the task and the interrupt want the same magazines. */
#define SMALL	200

static void churn_irq(struct irq_work *work)
{
	struct interrupted *t = container_of(work, struct interrupted, work);

	churn_step(&t->irq, SMALL, GFP_ATOMIC);
}

static void churn_timer(struct timer_list *timer)
{
	struct interrupted *t = container_of(timer, struct interrupted, timer);
	unsigned int i;

	for (i = 0; i < 50; i++)
		churn_step(&t->softirq, SMALL, GFP_ATOMIC);
	if (!READ_ONCE(t->stop))
		mod_timer(timer, jiffies + 1);
}

static void churn_ipi(void *data)
{
	struct interrupted *t = data;

	churn_step(&t->ipi, SMALL, GFP_ATOMIC);
}

/*
 * On another CPU: interrupts come at any point whatever, but only as often as
 * the task gets on.
 */
static int ipi_sender(void *data)
{
	struct interrupted *t = data;
	unsigned long calls = 0, now;

	while (!kthread_should_stop()) {
		cond_resched();
		/* The task writes it; a stale value only changes the pace. */
		now = data_race(t->task.nr_calls);
		if (now - calls < 2)
			continue;
		calls = now;
		ndelay(prandom_u32_state(&t->pace) % 4096);
		/* Busy if the last one has not been served. */
		smp_call_function_single_async(t->cpu, &t->csd);
	}
	return 0;
}

static struct task_struct *ipi_sender_start(struct interrupted *t)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask, t->cpu);
	struct task_struct *task;

	if (cpu >= nr_cpu_ids)
		return NULL;
	task = kthread_create_on_cpu(ipi_sender, t, cpu, "gospan_ipi/%u");
	if (IS_ERR(task))
		return NULL;
	wake_up_process(task);
	return task;
}

static void task_churn(struct interrupted *t)
{
	unsigned int i;

	while (time_before(jiffies, t->end)) {
		for (i = 0; i < 64; i++)
			churn_step(&t->task, SMALL, GFP_KERNEL);
		irq_work_queue(&t->work);
		cond_resched();
	}
}

static void alloc_free_while_interrupted(struct kunit *test)
{
	struct interrupted *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned long misuses = gospan_report_count();
	struct task_struct *sender;

	KUNIT_ASSERT_NOT_NULL(test, t);
	gospan_kunit_seed(test, &t->task.rnd);
	prandom_seed_state(&t->irq.rnd, 1);
	prandom_seed_state(&t->softirq.rnd, 2);
	prandom_seed_state(&t->ipi.rnd, 3);
	prandom_seed_state(&t->pace, 4);
	t->cpu = raw_smp_processor_id();
	t->work = IRQ_WORK_INIT_HARD(churn_irq);
	timer_setup(&t->timer, churn_timer, TIMER_PINNED);
	INIT_CSD(&t->csd, churn_ipi, t);
	mod_timer(&t->timer, jiffies + 1);
	sender = ipi_sender_start(t);

	t->end = jiffies + RUN_JIFFIES;
	task_churn(t);

	if (sender)
		kthread_stop(sender);
	/* The last IPI has come when a later one has. */
	if (sender)
		smp_call_function_single(t->cpu, churn_ipi, t, true);
	WRITE_ONCE(t->stop, true);
	timer_delete_sync(&t->timer);
	irq_work_sync(&t->work);
	churn_finish(test, &t->task, "task");
	churn_finish(test, &t->irq, "irq_work");
	churn_finish(test, &t->softirq, "timer");
	if (sender)
		churn_finish(test, &t->ipi, "IPI");
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

#define RING_SLOTS	128U

/* Objects on their way from one CPU to the next; one writer, one reader. */
struct ring {
	void *slot[RING_SLOTS];
	unsigned int head;		/* written by the writer */
	unsigned int tail;		/* written by the reader */
};

struct ring_worker {
	struct ring ring;		/* what this one is to free */
	struct ring_worker *next;
	struct task_struct *task;
	struct completion started;	/* one that is stopped before never runs */
	struct rnd_state rnd;
	unsigned long nr_allocs, nr_received, nr_bad, nr_failed;
};

static bool ring_put(struct ring *ring, void *p)
{
	unsigned int head = ring->head;

	/* Pairs with ring_get(): the slot was read. */
	if (head - smp_load_acquire(&ring->tail) == RING_SLOTS)
		return false;
	ring->slot[head % RING_SLOTS] = p;
	/* Pairs with ring_get(): the slot and the object were written. */
	smp_store_release(&ring->head, head + 1);
	return true;
}

static void *ring_get(struct ring *ring)
{
	unsigned int tail = ring->tail;
	void *p;

	/* Pairs with ring_put(). */
	if (tail == smp_load_acquire(&ring->head))
		return NULL;
	p = ring->slot[tail % RING_SLOTS];
	/* Pairs with ring_put(). */
	smp_store_release(&ring->tail, tail + 1);
	return p;
}

/* Free what came, all or some: the rings run full and empty. */
static void ring_receive(struct ring_worker *w, unsigned int n)
{
	void *p;

	while (n-- && (p = ring_get(&w->ring))) {
		w->nr_received++;
		w->nr_bad += !stamped_free(p);
	}
}

static void ring_send(struct ring_worker *w)
{
	size_t max_size = gospan_kunit_below(&w->rnd, 16) ? 512 : 40000;
	void *p = stamped_alloc(&w->rnd, max_size, GFP_KERNEL);

	if (!p) {
		w->nr_failed++;
		return;
	}
	w->nr_allocs++;
	/* One in four stays at home. */
	if (!gospan_kunit_below(&w->rnd, 4) || !ring_put(&w->next->ring, p))
		w->nr_bad += !stamped_free(p);
}

static int ring_thread(void *data)
{
	struct ring_worker *w = data;
	unsigned long end = jiffies + RUN_JIFFIES;

	complete(&w->started);
	while (time_before(jiffies, end) || w->nr_allocs < RING_SLOTS) {
		unsigned int n = gospan_kunit_below(&w->rnd, 100);

		while (n--)
			ring_send(w);
		ring_receive(w, gospan_kunit_below(&w->rnd, 100));
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void ring_start(struct kunit *test, struct ring_worker *w, unsigned int cpu)
{
	struct task_struct *task = kthread_create_on_cpu(ring_thread, w, cpu, "gospan_ring/%u");

	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	if (IS_ERR(task))
		return;
	w->task = task;
	wake_up_process(task);
}

/* Each CPU allocates, writes, and hands to the next, which looks and frees. */
static void alloc_here_free_there(struct kunit *test)
{
	unsigned int nr = num_online_cpus(), i = 0, cpu;
	struct ring_worker *w = kunit_kcalloc(test, nr, sizeof(*w), GFP_KERNEL);
	unsigned long misuses = gospan_report_count();

	KUNIT_ASSERT_NOT_NULL(test, w);
	if (nr == 1)
		kunit_skip(test, "needs two CPUs");
	for (i = 0; i < nr; i++) {
		w[i].next = &w[(i + 1) % nr];
		init_completion(&w[i].started);
		gospan_kunit_seed(test, &w[i].rnd);
	}
	i = 0;
	for_each_online_cpu(cpu)
		ring_start(test, &w[i++], cpu);
	for (i = 0; i < nr; i++)
		if (w[i].task)
			wait_for_completion(&w[i].started);
	for (i = 0; i < nr; i++)
		if (w[i].task)
			kthread_stop(w[i].task);
	for (i = 0; i < nr; i++) {
		/* Those that ended first may have been sent more. */
		ring_receive(&w[i], RING_SLOTS);
		kunit_info(test, "%lu allocated, %lu received", w[i].nr_allocs, w[i].nr_received);
		KUNIT_EXPECT_GT(test, w[i].nr_allocs, 0UL);
		KUNIT_EXPECT_GT(test, w[i].nr_received, 0UL);
		KUNIT_EXPECT_EQ(test, w[i].nr_bad, 0UL);
		KUNIT_EXPECT_EQ(test, w[i].nr_failed, 0UL);
	}
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/*
 * A thread, and an interrupt that comes as it goes on: both put objects where
 * the other finds them. Without locks, so either may be refused.
 */
struct exchange {
	struct rnd_state rnd;		/* of the thread */
	struct irq_work work;
	struct task_struct *task;
	struct completion started;	/* one that is stopped before never runs */
	u64 *shared[8];
	unsigned long nr_calls;		/* of the thread */
	atomic_long_t nr_failed;	/* allocations */
	atomic_long_t nr_bad;		/* words that somebody wrote to */
};

static u64 exchange_word(const u64 *p, size_t i)
{
	return ((unsigned long)p + i) * 0x9e3779b97f4a7c15ULL;
}

/* Put a new object where another was, and free that; p[0] has how many words it has. */
static void exchange_step(struct exchange *ex, u32 dice)
{
	size_t i, words = 2 + dice / 8 % 60;
	u64 *p = gospan_alloc_nolock(words * 8, dice & 0x80 ? __GFP_ZERO : 0);

	if (p) {
		p[0] = words;
		for (i = 1; i < words; i++)
			p[i] = exchange_word(p, i);
	} else {
		atomic_long_inc(&ex->nr_failed);
	}
	p = xchg(&ex->shared[dice % ARRAY_SIZE(ex->shared)], p);
	if (!p)
		return;
	words = min_t(u64, p[0], gospan_size(p) / 8);
	for (i = 1; i < words; i++)
		if (p[i] != exchange_word(p, i))
			atomic_long_inc(&ex->nr_bad);
	if (dice & 0x100)
		gospan_free(p);
	else
		gospan_free_nolock(p);
}

static void exchange_irq(struct irq_work *work)
{
	exchange_step(container_of(work, struct exchange, work), get_random_u32());
}

static int exchange_thread(void *data)
{
	struct exchange *ex = data;

	complete(&ex->started);
	do {
		u32 dice = prandom_u32_state(&ex->rnd);

		if (dice % 16 == 0)
			irq_work_queue(&ex->work);
		exchange_step(ex, dice >> 4);
		if (++ex->nr_calls % 1024 == 0)
			cond_resched();
	} while (!kthread_should_stop());
	return 0;
}

static void exchange_finish(struct kunit *test, struct exchange *ex)
{
	unsigned int i;

	kthread_stop(ex->task);
	irq_work_sync(&ex->work);
	for (i = 0; i < ARRAY_SIZE(ex->shared); i++)
		gospan_free(ex->shared[i]);
	kunit_info(test, "%lu calls, %lu failed", ex->nr_calls, atomic_long_read(&ex->nr_failed));
	KUNIT_EXPECT_GT(test, ex->nr_calls, 0UL);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ex->nr_bad), 0L);
}

static void nolock_on_all_cpus(struct kunit *test)
{
	struct exchange *exchanges = kunit_kcalloc(test, nr_cpu_ids, sizeof(*exchanges),
						   GFP_KERNEL);
	unsigned long misuses = gospan_report_count();
	unsigned int cpu;

	KUNIT_ASSERT_NOT_NULL(test, exchanges);
	KUNIT_ASSERT_EQ(test, gospan_nolock_init(), 0);
	for_each_online_cpu(cpu) {
		struct exchange *ex = &exchanges[cpu];

		gospan_kunit_seed(test, &ex->rnd);
		ex->work = IRQ_WORK_INIT_HARD(exchange_irq);
		init_completion(&ex->started);
		ex->task = kthread_create_on_cpu(exchange_thread, ex, cpu, "gospan_ex/%u");
		KUNIT_EXPECT_FALSE(test, IS_ERR(ex->task));
		if (!IS_ERR(ex->task))
			wake_up_process(ex->task);
	}
	for_each_online_cpu(cpu)
		if (!IS_ERR(exchanges[cpu].task))
			wait_for_completion(&exchanges[cpu].started);
	schedule_timeout_uninterruptible(RUN_JIFFIES);
	for_each_online_cpu(cpu)
		if (!IS_ERR(exchanges[cpu].task))
			exchange_finish(test, &exchanges[cpu]);
	gospan_nolock_exit();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static struct kunit_case concurrency_cases[] = {
	KUNIT_CASE(alloc_free_while_interrupted),
	KUNIT_CASE(alloc_here_free_there),
	KUNIT_CASE(nolock_on_all_cpus),
	{}
};

static struct kunit_suite concurrency_suite = {
	.name = "gospan_concurrency",
	.init = gospan_kunit_init,
	.test_cases = concurrency_cases,
};

kunit_test_suite(concurrency_suite);
