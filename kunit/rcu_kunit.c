// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of frees put off by RCU: from every context, of every kind of object,
 * in batches and in the chain, and with a reader that must not see any of it;
 * and when it is over.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/rcu.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"
#include "rcu_kunit.h"

#define JUNK		0xa5
#define MAX_OBJS	2000U
#define WAIT_JIFFIES	(10 * HZ)

unsigned long *gospan_kunit_rcu_limit(void)
{
	static unsigned long none;
	unsigned int i;

	for (i = 0; i < THIS_MODULE->num_kp; i++)
		if (!strcmp(THIS_MODULE->kp[i].name, "rcu_bytes"))
			return THIS_MODULE->kp[i].arg;
	return &none;
}

static void rcu_finish(void *bytes)
{
	WRITE_ONCE(*gospan_kunit_rcu_limit(), (unsigned long)bytes);
	WRITE_ONCE(gospan_heap.broken, false);
	gospan_rcu_barrier();
}

int gospan_kunit_rcu_init(struct kunit *test)
{
	unsigned long bytes = READ_ONCE(*gospan_kunit_rcu_limit());
	int err = gospan_kunit_init(test);

	return err ?: kunit_add_action_or_reset(test, rcu_finish, (void *)bytes);
}

/* From now on there is no memory for a batch. */
static void memory_ends(void)
{
	gospan_rcu_barrier();
	gospan_kunit_flush();
	WRITE_ONCE(gospan_heap.broken, true);
}

static void memory_is_back(void)
{
	WRITE_ONCE(gospan_heap.broken, false);
}

void gospan_kunit_rcu_expect_live(struct kunit *test, u64 live)
{
	struct gospan_rcu_waiting waiting = gospan_rcu_waiting();

	KUNIT_EXPECT_EQ(test, waiting.objects, 0UL);
	KUNIT_EXPECT_EQ(test, waiting.bytes, 0UL);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* Objects, and where the rcu_head in each is. */
struct objects {
	unsigned int nr;
	void *p[MAX_OBJS];
	struct rcu_head *head[MAX_OBJS];
};

static struct objects *objects_make(struct kunit *test)
{
	struct objects *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, o);
	return o;
}

static void objects_add(struct kunit *test, struct objects *o, size_t size, size_t offset)
{
	void *p = gospan_alloc(size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_LT(test, o->nr, MAX_OBJS);
	memset(p, JUNK, size);
	o->p[o->nr] = p;
	o->head[o->nr++] = p + offset;
}

/* Of all sizes that have room for an rcu_head, with that at the start, the end, or between. */
static void objects_fill(struct kunit *test, struct objects *o)
{
	unsigned int i;
	size_t room;

	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		if (gospan_kunit_sizes[i] < sizeof(struct rcu_head))
			continue;
		room = ALIGN_DOWN(gospan_kunit_sizes[i] - sizeof(struct rcu_head), 8);
		room = min_t(size_t, room, GOSPAN_RCU_MAX_OFFSET - 8);
		objects_add(test, o, gospan_kunit_sizes[i], 0);
		objects_add(test, o, gospan_kunit_sizes[i], ALIGN_DOWN(room / 2, 8));
		objects_add(test, o, gospan_kunit_sizes[i], room);
	}
}

static void objects_free_rcu(struct objects *o)
{
	unsigned int i;

	for (i = 0; i < o->nr; i++)
		__gospan_free_rcu(o->head[i], o->p[i]);
}

struct rcu_context {
	const char *name;
	void (*run)(struct objects *o);
};

static void free_bh_off(struct objects *o)
{
	local_bh_disable();
	objects_free_rcu(o);
	local_bh_enable();
}

static void free_preempt_off(struct objects *o)
{
	preempt_disable();
	objects_free_rcu(o);
	preempt_enable();
}

static void free_irqs_off(struct objects *o)
{
	unsigned long flags;

	local_irq_save(flags);
	objects_free_rcu(o);
	local_irq_restore(flags);
}

static void free_as_reader(struct objects *o)
{
	rcu_read_lock();
	objects_free_rcu(o);
	rcu_read_unlock();
}

static void free_while_claimed(struct objects *o)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);

	objects_free_rcu(o);
	gospan_mcache_release(slot, c);
}

struct irq {
	struct irq_work work;
	struct completion done;
	struct objects *o;
};

static void irq_run(struct irq_work *work)
{
	struct irq *irq = container_of(work, struct irq, work);

	objects_free_rcu(irq->o);
	complete(&irq->done);
}

static void free_in_hardirq(struct objects *o)
{
	struct irq irq = { .o = o };

	irq.work = IRQ_WORK_INIT_HARD(irq_run);
	init_completion(&irq.done);
	irq_work_queue(&irq.work);
	wait_for_completion(&irq.done);
	irq_work_sync(&irq.work);
}

static const struct rcu_context rcu_contexts[] = {
	{ "task", objects_free_rcu },
	{ "bh_off", free_bh_off },
	{ "preempt_off", free_preempt_off },
	{ "irqs_off", free_irqs_off },
	{ "reader", free_as_reader },
	{ "claimed", free_while_claimed },
	{ "hardirq", free_in_hardirq },
};

static void rcu_context_name(const struct rcu_context *context, char *name)
{
	strscpy(name, context->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(context, rcu_contexts, rcu_context_name);

/* Each object is freed, and none twice, whether there is memory for batches or not. */
static void free_in_context(struct kunit *test)
{
	const struct rcu_context *context = test->param_value;
	unsigned long before = gospan_report_count(), chained, batches;
	struct objects *o = objects_make(test);
	u64 live = gospan_kunit_live();

	objects_fill(test, o);
	chained = gospan_rcu_count(GOSPAN_RCU_CHAINED);
	context->run(o);
	gospan_rcu_barrier();
	gospan_kunit_rcu_expect_live(test, live);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_EQ(test, gospan_rcu_count(GOSPAN_RCU_CHAINED), chained);

	o->nr = 0;
	objects_fill(test, o);
	memory_ends();
	chained = gospan_rcu_count(GOSPAN_RCU_CHAINED);
	batches = gospan_rcu_count(GOSPAN_RCU_BATCHES);
	context->run(o);
	memory_is_back();
	chained = gospan_rcu_count(GOSPAN_RCU_CHAINED) - chained;
	KUNIT_EXPECT_GT(test, chained, 0UL);
	/* In a task, what was freed first may be memory for a batch before the last is freed. */
	if (context->run != objects_free_rcu) {
		KUNIT_EXPECT_EQ(test, chained, (unsigned long)o->nr);
		KUNIT_EXPECT_EQ(test, gospan_rcu_count(GOSPAN_RCU_BATCHES), batches);
	}
	gospan_rcu_barrier();
	gospan_kunit_rcu_expect_live(test, live);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
}

/* Without an rcu_head, objects need not have room for one. */
static void free_mightsleep(struct kunit *test)
{
	unsigned long waited = gospan_rcu_count(GOSPAN_RCU_WAITED);
	u64 live = gospan_kunit_live();
	unsigned int i;
	void *p;

	for (i = 0; i < 2 * gospan_kunit_nr_sizes; i++) {
		size_t size = gospan_kunit_sizes[i / 2];

		p = i % 2 ? gospan_alloc(size, GFP_KERNEL) : gospan_alloc_noscan(size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, JUNK, size);
		gospan_free_rcu_mightsleep(p);
	}
	gospan_rcu_barrier();
	gospan_kunit_rcu_expect_live(test, live);
	KUNIT_EXPECT_EQ(test, gospan_rcu_count(GOSPAN_RCU_WAITED), waited);
}

/* It is freed when the call returns. */
static void free_mightsleep_without_memory(struct kunit *test)
{
	unsigned long waited = gospan_rcu_count(GOSPAN_RCU_WAITED);
	u64 live = gospan_kunit_live();
	void *p = gospan_alloc(3, GFP_KERNEL), *large = gospan_alloc(SZ_64K, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, p && large);
	memory_ends();
	gospan_free_rcu_mightsleep(p);
	gospan_free_rcu_mightsleep(large);
	memory_is_back();
	KUNIT_EXPECT_EQ(test, gospan_rcu_count(GOSPAN_RCU_WAITED), waited + 2);
	gospan_kunit_rcu_expect_live(test, live);
}

static void free_nothing(struct kunit *test)
{
	struct {
		struct rcu_head rcu;
	} *none = NULL;
	struct gospan_rcu_waiting waiting;

	gospan_free_rcu(none, rcu);
	gospan_kvfree_rcu(none, rcu);
	none = ZERO_SIZE_PTR;
	gospan_free_rcu(none, rcu);
	gospan_free_rcu_mightsleep(NULL);
	gospan_kvfree_rcu_mightsleep(ZERO_SIZE_PTR);
	waiting = gospan_rcu_waiting();
	KUNIT_EXPECT_EQ(test, waiting.objects, 0UL);
}

/* What is freed is the object, wherever the field is. */
static void free_by_field(struct kunit *test)
{
	u64 live = gospan_kunit_live();
	struct {
		u64 key;
		struct rcu_head rcu;
		char name[100];
	} *middle = gospan_alloc(sizeof(*middle), GFP_KERNEL);
	struct {
		char page[GOSPAN_RCU_MAX_OFFSET - 8];
		struct rcu_head last;
		char more[SZ_64K];
	} *large = gospan_alloc(sizeof(*large), GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, middle && large);
	gospan_free_rcu(middle, rcu);
	gospan_free_rcu(large, last);
	gospan_rcu_barrier();
	gospan_kunit_rcu_expect_live(test, live);
}

/* Someone who reads the object as long as told. */
struct reader {
	struct task_struct *task;
	struct completion in_section;
	const u8 *p;
	size_t size;
	bool stop;
	bool intact;
};

static int reader_run(void *data)
{
	struct reader *r = data;

	rcu_read_lock();
	complete(&r->in_section);
	while (!READ_ONCE(r->stop))
		cpu_relax();
	/* What is behind an rcu_head at its start. */
	r->intact = !memchr_inv(r->p + sizeof(struct rcu_head), JUNK,
				r->size - sizeof(struct rcu_head));
	rcu_read_unlock();
	while (!kthread_should_stop())
		fsleep(1000);
	return 0;
}

/* On another CPU: while it reads, that does nothing else. */
static void reader_start(struct kunit *test, struct reader *r, const void *p, size_t size)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());

	r->p = p;
	r->size = size;
	init_completion(&r->in_section);
	r->task = kthread_create_on_cpu(reader_run, r, cpu, "gospan_reader/%u");
	KUNIT_ASSERT_FALSE(test, IS_ERR(r->task));
	wake_up_process(r->task);
	wait_for_completion(&r->in_section);
}

static void reader_stop(struct reader *r)
{
	WRITE_ONCE(r->stop, true);
	kthread_stop(r->task);
}

enum reader_case { READER_BATCH, READER_HURRIED, READER_CHAIN, READER_NR_CASES };

static const enum reader_case reader_cases[] = { READER_BATCH, READER_HURRIED, READER_CHAIN };

static void reader_case_name(const enum reader_case *way, char *name)
{
	static const char *const names[READER_NR_CASES] = { "batch", "hurried", "chain" };

	strscpy(name, names[*way], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(reader, reader_cases, reader_case_name);

/* As long as it is read it is neither freed nor written. */
static void free_waits_for_reader(struct kunit *test)
{
	enum reader_case way = *(const enum reader_case *)test->param_value;
	struct reader r = {};
	u64 live = gospan_kunit_live();
	u8 *p;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU");
	p = gospan_alloc(1000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, JUNK, 1000);
	if (way == READER_HURRIED)
		WRITE_ONCE(*gospan_kunit_rcu_limit(), 0);
	if (way == READER_CHAIN)
		memory_ends();
	reader_start(test, &r, p, 1000);
	__gospan_free_rcu((struct rcu_head *)p, p);
	memory_is_back();
	gospan_rcu_flush();
	msleep(50);
	KUNIT_EXPECT_EQ(test, gospan_rcu_waiting().objects, 1UL);
	gospan_kunit_flush();
	KUNIT_EXPECT_GT(test, gospan_kunit_live(), live);
	reader_stop(&r);
	KUNIT_EXPECT_TRUE(test, r.intact);
	gospan_rcu_barrier();
	gospan_kunit_rcu_expect_live(test, live);
}

/* So many of so many bytes make so many batches. */
struct closing {
	const char *name;
	unsigned int n;
	size_t size;
	unsigned int full;	/* closed by the frees themselves */
	unsigned int batches;
};

static const struct closing closings[] = {
	{ "one", 1, 64, 0, 1 },
	{ "almost_full", GOSPAN_RCU_BATCH_OBJS - 1, 64, 0, 1 },
	{ "full", GOSPAN_RCU_BATCH_OBJS, 64, 1, 1 },
	{ "one_more", GOSPAN_RCU_BATCH_OBJS + 1, 64, 1, 2 },
	{ "many", 4 * GOSPAN_RCU_BATCH_OBJS, 16, 4, 4 },
	{ "bytes", 8, SZ_32K, 1, 1 },
	{ "bytes_one_more", 17, SZ_32K, 2, 3 },
	{ "large", 3, SZ_256K, 3, 3 },
};

static void closing_name(const struct closing *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(closing, closings, closing_name);

/* How many batches the frees themselves send; and what waits then. */
static unsigned long closing_run(struct objects *o, struct gospan_rcu_waiting *waiting)
{
	unsigned long before = gospan_rcu_count(GOSPAN_RCU_BATCHES), full, flags;

	rcu_read_lock();
	local_irq_save(flags);
	objects_free_rcu(o);
	full = gospan_rcu_count(GOSPAN_RCU_BATCHES) - before;
	*waiting = gospan_rcu_waiting();
	local_irq_restore(flags);
	rcu_read_unlock();
	return full;
}

static void batch_closes(struct kunit *test)
{
	const struct closing *c = test->param_value;
	struct objects *o = objects_make(test);
	unsigned long before, full, start;
	struct gospan_rcu_waiting waiting;
	u64 live = gospan_kunit_live();
	unsigned int i, tries = 0;

	do {
		o->nr = 0;
		for (i = 0; i < c->n; i++)
			objects_add(test, o, c->size, 0);
		/* The worker that closes batches after a while has been here ... */
		msleep(jiffies_to_msecs(GOSPAN_RCU_DELAY + 2));
		start = jiffies;
		before = gospan_rcu_count(GOSPAN_RCU_BATCHES);
		full = closing_run(o, &waiting);
		gospan_rcu_barrier();
		/* ... and has not come again, unless the machine stood still meanwhile. */
	} while (jiffies - start >= GOSPAN_RCU_DELAY && ++tries < 20);
	KUNIT_EXPECT_EQ(test, full, c->full);
	KUNIT_EXPECT_EQ(test, gospan_rcu_count(GOSPAN_RCU_BATCHES) - before, c->batches);
	KUNIT_EXPECT_EQ(test, waiting.objects, c->n);
	KUNIT_EXPECT_EQ(test, waiting.bytes, c->n * c->size);
	gospan_kunit_rcu_expect_live(test, live);
}

/* Without anyone who asks: 100 ms and a grace period. */
static void batch_closes_in_time(struct kunit *test)
{
	unsigned long end = jiffies + WAIT_JIFFIES, start = jiffies;
	struct objects *o = objects_make(test);
	u64 live = gospan_kunit_live();
	unsigned int round;

	for (round = 0; round < 3; round++) {
		o->nr = 0;
		objects_fill(test, o);
		objects_free_rcu(o);
		while (gospan_rcu_waiting().objects && time_before(jiffies, end))
			fsleep(1000);
		gospan_kunit_rcu_expect_live(test, live);
	}
	kunit_info(test, "freed after %u ms", jiffies_to_msecs(jiffies - start) / 3);
}

/* It is told at once; the others in the chain do not suffer. */
static void chain_twice(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	struct objects *o = objects_make(test);
	u64 live = gospan_kunit_live();
	unsigned int i;

	for (i = 0; i < 10; i++)
		objects_add(test, o, 200, 16);
	memory_ends();
	/* Until all are in the chain. */
	rcu_read_lock();
	objects_free_rcu(o);
	__gospan_free_rcu(o->head[9], o->p[9]);
	__gospan_free_rcu(o->head[0], o->p[0]);
	__gospan_free_rcu(o->head[5], o->p[5]);
	rcu_read_unlock();
	memory_is_back();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 3);
	gospan_rcu_barrier();
	gospan_kunit_rcu_expect_live(test, live);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 3);
}

/* Has the worker taken a chain since it was @hurried? In time. */
static bool has_hurried(unsigned long hurried)
{
	unsigned long end = jiffies + WAIT_JIFFIES;

	while (gospan_rcu_count(GOSPAN_RCU_HURRIED) == hurried && time_before(jiffies, end))
		fsleep(1000);
	return gospan_rcu_count(GOSPAN_RCU_HURRIED) != hurried;
}

/*
 * One in the chain was freed by someone else as well, and is in use again: the
 * chain ends there, what was added before leaks.
 */
static void chain_broken(struct kunit *test)
{
	unsigned long before = gospan_report_count(), hurried;
	struct objects *o = objects_make(test);
	u64 live = gospan_kunit_live();
	struct reader r = {};
	unsigned int i;
	u8 *first;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU");
	first = gospan_alloc(200, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, first);
	for (i = 0; i < 3; i++)
		objects_add(test, o, 200, 16);
	memory_ends();
	hurried = gospan_rcu_count(GOSPAN_RCU_HURRIED);
	reader_start(test, &r, first, 200);
	__gospan_free_rcu((struct rcu_head *)first, first);
	/* It waits for the reader: those that come now stay together. */
	KUNIT_EXPECT_TRUE(test, has_hurried(hurried));
	objects_free_rcu(o);
	memset(o->head[1], JUNK, sizeof(struct rcu_head));
	reader_stop(&r);
	memory_is_back();
	gospan_rcu_barrier();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	gospan_kunit_rcu_expect_live(test, live + 2);
	gospan_free(o->p[0]);
	gospan_free(o->p[1]);
}

/* Found when it is freed. */
static void batch_twice(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	struct objects *o = objects_make(test);
	u64 live = gospan_kunit_live();
	unsigned int i;

	for (i = 0; i < 10; i++)
		objects_add(test, o, 200, 16);
	objects_free_rcu(o);
	__gospan_free_rcu(o->head[4], o->p[4]);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
	gospan_rcu_barrier();
	gospan_kunit_rcu_expect_live(test, live);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
}

/* What is not ours is told at once, and not written; what is no object, when it is freed. */
static void free_foreign(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	u8 *kmalloced = kunit_kmalloc(test, 64, GFP_KERNEL), *p;
	u64 live = gospan_kunit_live();

	p = gospan_alloc(200, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, kmalloced && p);
	memset(kmalloced, JUNK, 64);
	__gospan_free_rcu((struct rcu_head *)kmalloced, kmalloced);
	gospan_free_rcu_mightsleep(kmalloced + 8);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 2);
	KUNIT_EXPECT_EQ(test, gospan_rcu_waiting().objects, 0UL);
	KUNIT_EXPECT_NULL(test, memchr_inv(kmalloced, JUNK, 64));
	__gospan_free_rcu((struct rcu_head *)(p + 8), p + 8);
	gospan_rcu_barrier();
	/* It came to its span only when that was flushed. */
	gospan_kunit_rcu_expect_live(test, live + 1);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 3);
	gospan_free(p);
}

/* In time: in an interrupt, vfree() leaves it to a worker. */
static bool is_unmapped(const void *p)
{
	unsigned long end = jiffies + WAIT_JIFFIES;

	while (vmalloc_to_page(p) && time_before(jiffies, end))
		fsleep(1000);
	return !vmalloc_to_page(p);
}

struct huge {
	struct rcu_head rcu;
	char bytes[GOSPAN_MAX_BYTES + 1];
};

/* Memory of vmalloc() among objects, in a batch and in the chain. */
static void free_vmalloc(struct kunit *test)
{
	struct huge *p[4];
	struct objects *o = objects_make(test);
	u64 live = gospan_kunit_live();
	unsigned int i;

	/* On a small machine who may sleep would wait. */
	WRITE_ONCE(*gospan_kunit_rcu_limit(), ARRAY_SIZE(p) * sizeof(*p[0]));
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = gospan_kvalloc(sizeof(*p[i]), GFP_KERNEL);
		KUNIT_ASSERT_TRUE(test, is_vmalloc_addr(p[i]));
	}
	for (i = 0; i < 3; i++)
		objects_add(test, o, 200, 16);
	/* Not the first of its batch, which it fills. */
	__gospan_free_rcu(o->head[0], o->p[0]);
	gospan_kvfree_rcu(p[0], rcu);
	__gospan_free_rcu(o->head[1], o->p[1]);
	gospan_kvfree_rcu_mightsleep(p[1]);
	KUNIT_EXPECT_GE(test, gospan_rcu_waiting().bytes, 2 * GOSPAN_MAX_BYTES);
	memory_ends();
	gospan_kvfree_rcu(p[2], rcu);
	__gospan_free_rcu(o->head[2], o->p[2]);
	gospan_kvfree_rcu_mightsleep(p[3]);
	memory_is_back();
	gospan_rcu_barrier();
	for (i = 0; i < ARRAY_SIZE(p); i++)
		KUNIT_EXPECT_TRUE(test, is_unmapped(p[i]));
	gospan_kunit_rcu_expect_live(test, live);
}

static void free_on_this_cpu(void *data)
{
	struct objects *o = data;

	objects_free_rcu(o);
}

/* What other CPUs have put off, too. */
static void barrier_of_all_cpus(struct kunit *test)
{
	struct objects *o = objects_make(test);
	u64 live = gospan_kunit_live();
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		o->nr = 0;
		objects_fill(test, o);
		KUNIT_ASSERT_EQ(test, smp_call_function_single(cpu, free_on_this_cpu, o, true), 0);
	}
	gospan_rcu_barrier();
	gospan_kunit_rcu_expect_live(test, live);
}

static void trim_waits(struct kunit *test)
{
	struct objects *o = objects_make(test);
	u64 live = gospan_kunit_live();

	objects_fill(test, o);
	objects_free_rcu(o);
	KUNIT_EXPECT_GT(test, gospan_trim(), (size_t)0);
	gospan_kunit_rcu_expect_live(test, live);
}

/* Above the limit grace periods are hurried; nobody waits that may not. */
static void limit_serves_atomic(struct kunit *test)
{
	unsigned long waited = gospan_rcu_count(GOSPAN_RCU_WAITED);
	unsigned long hurried = gospan_rcu_count(GOSPAN_RCU_HURRIED);
	struct objects *o = objects_make(test);
	u64 live = gospan_kunit_live();
	unsigned int i;

	WRITE_ONCE(*gospan_kunit_rcu_limit(), 0);
	for (i = 0; i < MAX_OBJS; i++)
		objects_add(test, o, 64, 0);
	free_irqs_off(o);
	gospan_rcu_barrier();
	KUNIT_EXPECT_GT(test, gospan_rcu_count(GOSPAN_RCU_HURRIED), hurried);
	KUNIT_EXPECT_EQ(test, gospan_rcu_count(GOSPAN_RCU_WAITED), waited);
	gospan_kunit_rcu_expect_live(test, live);
}

/* It was 32 MiB on a machine of 64, too: memory ran out while all of it waited. */
static void limit_fits_memory(struct kunit *test)
{
	unsigned long npages = READ_ONCE(*gospan_kunit_rcu_limit()) >> PAGE_SHIFT;

	KUNIT_EXPECT_EQ(test, npages, min(totalram_pages() / 16, 0UL + (SZ_32M >> PAGE_SHIFT)));
}

static struct kunit_case rcu_cases[] = {
	KUNIT_CASE_PARAM(free_in_context, context_gen_params),
	KUNIT_CASE(free_mightsleep),
	KUNIT_CASE(free_mightsleep_without_memory),
	KUNIT_CASE(free_nothing),
	KUNIT_CASE(free_by_field),
	KUNIT_CASE_PARAM(free_waits_for_reader, reader_gen_params),
	KUNIT_CASE_PARAM(batch_closes, closing_gen_params),
	KUNIT_CASE(batch_closes_in_time),
	KUNIT_CASE(chain_twice),
	KUNIT_CASE(chain_broken),
	KUNIT_CASE(batch_twice),
	KUNIT_CASE(free_foreign),
	KUNIT_CASE(free_vmalloc),
	KUNIT_CASE(barrier_of_all_cpus),
	KUNIT_CASE(trim_waits),
	KUNIT_CASE(limit_serves_atomic),
	KUNIT_CASE(limit_fits_memory),
	{}
};

static struct kunit_suite rcu_suite = {
	.name = "gospan_rcu",
	.init = gospan_kunit_rcu_init,
	.test_cases = rcu_cases,
};

kunit_test_suite(rcu_suite);
