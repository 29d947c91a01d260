// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of nolock: what is promised in every context but NMI, how far the
 * reserve reaches, how it fills again, and when a free is put off. Claiming the
 * mcache and switching interrupts off is what an NMI that came at the worst
 * moment would find; tools/testing/selftests has one that really comes.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/nolock.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "contract.h"
#include "helper.h"

#define JUNK		0xa5
#define MAX_DEPTH	GOSPAN_NOLOCK_MAX_DEPTH
#define WAIT_JIFFIES	(10 * HZ)

/* What the reserve has objects of. */
static const size_t reserved_sizes[] = { 16, 32, 64, 128, 256, 512, 1024, 2048 };

static void nolock_stop(void *unused)
{
	gospan_nolock_exit();
}

static void nolock_start(struct kunit *test, unsigned int depth)
{
	KUNIT_ASSERT_EQ(test, gospan_nolock_create(depth), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, nolock_stop, NULL), 0);
}

static unsigned int held(size_t size)
{
	return gospan_nolock_held(gospan_make_spanclass(gospan_size_to_class(size), false));
}

/* All reserves are full again, in time. */
static bool is_refilled(unsigned int depth)
{
	unsigned long end = jiffies + WAIT_JIFFIES;
	unsigned int i = 0;

	while (i < ARRAY_SIZE(reserved_sizes)) {
		if (held(reserved_sizes[i]) == depth * num_online_cpus()) {
			i++;
			continue;
		}
		if (time_after(jiffies, end))
			return false;
		fsleep(1000);
	}
	return true;
}

/* What is put off has been done: the interrupt, which may have to wait for a tick. */
static bool is_live(u64 live)
{
	unsigned long end = jiffies + WAIT_JIFFIES;

	for (;;) {
		gospan_kunit_flush();
		if (gospan_kunit_live() == live)
			return true;
		if (time_after(jiffies, end))
			return false;
		fsleep(1000);
	}
}

/* As an NMI may find this CPU: the mcache claimed, no interrupt to come. */
struct stopped {
	struct gospan_mcache **slot, *c;
	unsigned long flags;
};

static struct stopped stop_cpu(void)
{
	struct stopped s;

	local_irq_save(s.flags);
	s.slot = gospan_mcache_claim(&s.c);
	return s;
}

static void start_cpu(struct stopped s)
{
	gospan_mcache_release(s.slot, s.c);
	local_irq_restore(s.flags);
}

static const char *contract_check(void *p, size_t size, gfp_t gfp)
{
	if ((unsigned long)p % 8)
		return "not aligned to 8";
	if (is_power_of_2(size) && (unsigned long)p % size)
		return "a power of two is not aligned to itself";
	if (gfp & __GFP_ZERO && memchr_inv(p, 0, gospan_size(p)))
		return "not zeroed";
	return NULL;
}

static const struct gospan_contract alloc_contract_of = {
	.alloc = gospan_alloc_nolock,
	.free = gospan_free_nolock,
	.check = contract_check,
	.max_size = GOSPAN_NOLOCK_MAX_BYTES,
};

static void contract_in_raw_spinlock(const struct gospan_contract *k, gfp_t gfp,
				     struct gospan_contract_result *result)
{
	static DEFINE_RAW_SPINLOCK(lock);

	raw_spin_lock_irq(&lock);
	gospan_contract_in_task(k, gfp, result);
	raw_spin_unlock_irq(&lock);
}

static void contract_under_central_lock(const struct gospan_contract *k, gfp_t gfp,
					struct gospan_contract_result *result)
{
	struct gospan_mcentral *mc = gospan_mcentral_local(gospan_make_spanclass(1, false));
	unsigned long flags;

	raw_spin_lock_irqsave(&mc->lock, flags);
	gospan_contract_in_task(k, gfp, result);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
}

static void contract_while_stopped(const struct gospan_contract *k, gfp_t gfp,
				   struct gospan_contract_result *result)
{
	struct stopped s = stop_cpu();

	gospan_contract_in_task(k, gfp, result);
	start_cpu(s);
}

static const struct gospan_contract_context contract_contexts[] = {
	{ "task", 0, gospan_contract_in_task },
	{ "task_zero", __GFP_ZERO, gospan_contract_in_task },
	{ "task_nowarn", __GFP_NOWARN, gospan_contract_in_task },
	{ "bh_off", 0, gospan_contract_bh_off },
	{ "preempt_off_zero", __GFP_ZERO, gospan_contract_preempt_off },
	{ "irqs_off", 0, gospan_contract_irqs_off },
	{ "raw_spinlock", 0, contract_in_raw_spinlock },
	{ "hardirq", 0, gospan_contract_in_hardirq },
	{ "hardirq_zero", __GFP_ZERO | __GFP_NOWARN, gospan_contract_in_hardirq },
	{ "central_lock", 0, contract_under_central_lock },
	{ "stopped", 0, contract_while_stopped },
	{ "stopped_zero", __GFP_ZERO, contract_while_stopped },
};

KUNIT_ARRAY_PARAM(contract, contract_contexts, gospan_contract_context_name);

static void alloc_contract(struct kunit *test)
{
	/* More than a context takes before it lets an interrupt in. */
	nolock_start(test, MAX_DEPTH);
	gospan_contract_try(test, &alloc_contract_of, test->param_value);
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_EMPTY), 0UL);
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_INVALID), 0UL);
}

/* Objects until there are no more, each with a pattern of its own; how many. */
static unsigned int exhaust(size_t size, u8 **objs, unsigned int limit)
{
	unsigned int nr;

	for (nr = 0; nr < limit; nr++) {
		objs[nr] = gospan_alloc_nolock(size, 0);
		if (!objs[nr])
			break;
		memset(objs[nr], (u8)nr, size);
	}
	return nr;
}

/* Free them; how many did not keep their pattern. */
static unsigned int give_back(size_t size, u8 **objs, unsigned int nr)
{
	unsigned int i, nr_bad = 0;

	for (i = 0; i < nr; i++) {
		nr_bad += !!memchr_inv(objs[i], (u8)i, size);
		gospan_free_nolock(objs[i]);
	}
	return nr_bad;
}

static const unsigned int depths[] = { 0, 1, 8, 100, MAX_DEPTH };

static void depth_name(const unsigned int *depth, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "depth_%u", *depth);
}

KUNIT_ARRAY_PARAM(depth, depths, depth_name);

/* As many as promised and not one more; then again, once interrupts have been on. */
static void alloc_exhausts_depth(struct kunit *test)
{
	unsigned int depth = *(const unsigned int *)test->param_value, i, round, nr, nr_bad;
	u8 **objs = kunit_kcalloc(test, MAX_DEPTH + 1, sizeof(*objs), GFP_KERNEL);
	unsigned long nr_empty;
	struct stopped s;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	nolock_start(test, depth);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(reserved_sizes); i++) {
			/* The class's least and largest. */
			size_t size = round ? reserved_sizes[i] : reserved_sizes[i] / 2 + 1;

			KUNIT_ASSERT_TRUE(test, is_refilled(depth));
			nr_empty = gospan_nolock_count(GOSPAN_NOLOCK_EMPTY);
			s = stop_cpu();
			nr = exhaust(size, objs, MAX_DEPTH + 1);
			nr_bad = give_back(size, objs, nr);
			start_cpu(s);
			KUNIT_EXPECT_EQ_MSG(test, nr, depth, "%zu bytes", size);
			KUNIT_EXPECT_EQ(test, nr_bad, 0U);
			nr_empty = gospan_nolock_count(GOSPAN_NOLOCK_EMPTY) - nr_empty;
			KUNIT_EXPECT_EQ(test, nr_empty, 1UL);
		}
	}
	KUNIT_ASSERT_TRUE(test, is_refilled(depth));
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_RESERVED),
			2UL * depth * ARRAY_SIZE(reserved_sizes));
}

/* Classes do not take from each other. */
static void alloc_mixed_classes(struct kunit *test)
{
	enum { DEPTH = 5, NR = DEPTH * ARRAY_SIZE(reserved_sizes) };
	u8 *objs[NR], *more[ARRAY_SIZE(reserved_sizes)];
	unsigned int i, nr_bad = 0;
	struct rnd_state rnd;
	struct stopped s;

	gospan_kunit_seed(test, &rnd);
	nolock_start(test, DEPTH);
	s = stop_cpu();
	for (i = 0; i < NR; i++) {
		size_t size = reserved_sizes[i % ARRAY_SIZE(reserved_sizes)];

		size -= gospan_kunit_below(&rnd, size / 2);
		objs[i] = gospan_alloc_nolock(size, __GFP_ZERO);
		if (objs[i])
			memset(objs[i], i, size);
	}
	for (i = 0; i < ARRAY_SIZE(more); i++)
		more[i] = gospan_alloc_nolock(reserved_sizes[i], 0);
	for (i = 0; i < NR; i++) {
		size_t size = reserved_sizes[i % ARRAY_SIZE(more)];

		nr_bad += !objs[i] || memchr_inv(objs[i], i, size / 2);
		gospan_free_nolock(objs[i]);
	}
	start_cpu(s);
	KUNIT_EXPECT_EQ(test, nr_bad, 0U);
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		KUNIT_EXPECT_NULL(test, more[i]);
		gospan_free(more[i]);
	}
	KUNIT_EXPECT_TRUE(test, is_refilled(DEPTH));
}

static void alloc_refuses(struct kunit *test)
{
	static const struct {
		size_t size;
		gfp_t gfp;
	} refused[] = {
		{ GOSPAN_NOLOCK_MAX_BYTES + 1, 0 }, { SZ_32K, 0 }, { SZ_1M, __GFP_ZERO },
		{ SIZE_MAX, 0 }, { 64, GFP_KERNEL }, { 64, GFP_NOWAIT }, { 64, GFP_ATOMIC },
		{ 64, __GFP_DMA }, { 64, __GFP_HIGHMEM }, { 64, __GFP_NOFAIL },
		{ 64, __GFP_ACCOUNT }, { 64, __GFP_ZERO | __GFP_HIGH },
	};
	unsigned int i;

	nolock_start(test, 4);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		KUNIT_EXPECT_NULL_MSG(test, gospan_alloc_nolock(refused[i].size, refused[i].gfp),
				      "row %u", i);
		KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_INVALID), i + 1UL);
	}
	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc_nolock(0, 0), ZERO_SIZE_PTR);
	gospan_free_nolock(ZERO_SIZE_PTR);
	gospan_free_nolock(NULL);
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED), 0UL);
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_EMPTY), 0UL);
}

/* Where nobody has claimed the mcache, both ways lead there: nothing is drawn or put off. */
static void cached_first(struct kunit *test)
{
	void *warm, *p;

	if (want_init_on_free())
		kunit_skip(test, "init_on_free=1 puts all frees off");
	warm = gospan_alloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, warm);
	nolock_start(test, 2);
	preempt_disable();
	gospan_free_nolock(warm);
	p = gospan_alloc_nolock(100, 0);
	gospan_free_nolock(p);
	warm = gospan_alloc(100, GFP_ATOMIC);
	preempt_enable();
	KUNIT_EXPECT_PTR_EQ(test, p, warm);
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_CACHED), 1UL);
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_RESERVED), 0UL);
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED), 0UL);
	gospan_free(warm);
}

/* Whoever is allowed to frees what the other gave. */
static void objects_are_ordinary(struct kunit *test)
{
	struct stopped s;
	void *p, *q;

	nolock_start(test, 2);
	s = stop_cpu();
	p = gospan_alloc_nolock(200, 0);
	q = gospan_alloc_nolock(200, 0);
	start_cpu(s);
	KUNIT_ASSERT_TRUE(test, p && q);
	/* From the reserve, which has powers of two only. */
	KUNIT_EXPECT_EQ(test, gospan_size(p), 256);
	p = gospan_realloc(p, 5000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gospan_free_nolock(p);
	gospan_free(q);
	KUNIT_EXPECT_TRUE(test, is_refilled(2));
}

/* Of all sizes, small and large: put off, and done. */
static void free_deferred(struct kunit *test)
{
	u64 live = gospan_kunit_live();
	unsigned int i;
	struct stopped s;
	void **objs;

	objs = kunit_kcalloc(test, gospan_kunit_nr_sizes, sizeof(*objs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, objs);
	/* No reserve: what is live is these. */
	nolock_start(test, 0);
	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		objs[i] = gospan_alloc(gospan_kunit_sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	KUNIT_EXPECT_TRUE(test, is_live(live + gospan_kunit_nr_sizes));
	s = stop_cpu();
	for (i = 0; i < gospan_kunit_nr_sizes; i++)
		gospan_free_nolock(objs[i]);
	start_cpu(s);
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED),
			(unsigned long)gospan_kunit_nr_sizes);
	KUNIT_EXPECT_TRUE(test, is_live(live));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* They have no room for a link: their block waits, when the last has gone. */
static void free_tiny(struct kunit *test)
{
	u8 *objs[20], sizes[20];
	unsigned long before = gospan_report_count();
	unsigned int i, round;
	struct stopped s;
	u64 live;

	nolock_start(test, 0);
	gospan_kunit_flush();
	live = gospan_kunit_live();
	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(objs); i++) {
			sizes[i] = 1 + i * 7 % 15;
			objs[i] = gospan_alloc_noscan(sizes[i], GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, objs[i]);
			memset(objs[i], i, sizes[i]);
		}
		s = stop_cpu();
		for (i = 0; i < ARRAY_SIZE(objs); i++) {
			/* What shares its block keeps its bytes. */
			if (memchr_inv(objs[i], i, sizes[i]))
				sizes[0] = 0;
			gospan_free_nolock(objs[i]);
		}
		start_cpu(s);
		KUNIT_EXPECT_NE(test, sizes[0], 0);
		KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
		KUNIT_EXPECT_TRUE(test, is_live(live));
	}
	KUNIT_EXPECT_GT(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED), 0UL);
	KUNIT_EXPECT_LT(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED), 2UL * ARRAY_SIZE(objs));
	objs[0] = gospan_alloc_noscan(4, GFP_KERNEL);
	objs[1] = gospan_alloc_noscan(4, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, objs[0] && objs[1]);
	gospan_free_nolock(objs[0]);
	/* Twice, at once noticed. */
	gospan_free_nolock(objs[0]);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	gospan_free_nolock(objs[1]);
	KUNIT_EXPECT_TRUE(test, is_live(live));
}

/* The mcache is not claimed, but a large object and a full magazine need a lock. */
static void free_deferred_for_a_lock(struct kunit *test)
{
	unsigned int spanclass = gospan_make_spanclass(gospan_size_to_class(8192), false);
	unsigned int i, nr = gospan_mcache_capacity(spanclass) + 1;
	void *large = gospan_alloc(SZ_64K, GFP_KERNEL);
	u64 live = gospan_kunit_live();
	unsigned long flags;
	void *objs[72];

	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_ASSERT_LE(test, nr, (unsigned int)ARRAY_SIZE(objs));
	nolock_start(test, 0);
	for (i = 0; i < nr; i++) {
		objs[i] = gospan_alloc(8192, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	gospan_kunit_flush();
	/* So that the magazine has capacity, and is empty. */
	gospan_free(objs[0]);
	objs[0] = gospan_alloc(8192, GFP_KERNEL);
	local_irq_save(flags);
	for (i = 0; i < nr; i++)
		gospan_free_nolock(objs[i]);
	gospan_free_nolock(large);
	local_irq_restore(flags);
	KUNIT_EXPECT_GE(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED), 2UL);
	/* All, where they are wiped. */
	KUNIT_EXPECT_LT(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED),
			nr + 1UL + want_init_on_free());
	KUNIT_EXPECT_TRUE(test, is_live(live - 1));
}

/* Misuse has been reported so often, in time. */
static bool is_reported(unsigned long nr)
{
	unsigned long end = jiffies + WAIT_JIFFIES;

	while (gospan_report_count() < nr && time_before(jiffies, end))
		fsleep(1000);
	/* It does not go on. */
	msleep(20);
	return gospan_report_count() == nr;
}

/* The list is a ring then, and must end all the same. */
static void free_deferred_twice(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	struct stopped s;
	void *p, *q;

	nolock_start(test, 0);
	p = gospan_alloc(100, GFP_KERNEL);
	q = gospan_alloc(3000, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, p && q);
	s = stop_cpu();
	gospan_free_nolock(p);
	gospan_free_nolock(p);
	start_cpu(s);
	KUNIT_EXPECT_TRUE(test, is_reported(before + 1));
	p = gospan_alloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	s = stop_cpu();
	gospan_free_nolock(p);
	gospan_free_nolock(q);
	gospan_free_nolock(p);
	start_cpu(s);
	KUNIT_EXPECT_TRUE(test, is_reported(before + 2));
}

/* Each is reported, and nothing is written to it. */
static void free_foreign(struct kunit *test)
{
	u8 *kmalloced = kunit_kmalloc(test, 64, GFP_KERNEL), *p = gospan_alloc(200, GFP_KERNEL);
	u8 *large = gospan_alloc(SZ_64K, GFP_KERNEL);
	unsigned long before = gospan_report_count();
	u64 on_stack = 42;
	unsigned int i;
	void *const foreign[] = {
		kmalloced, kmalloced + 8, &on_stack, p + 8, large + 64, large + GOSPAN_PAGE_SIZE,
		free_foreign, (void *)17UL, (void *)ULONG_MAX,
	};

	KUNIT_ASSERT_TRUE(test, kmalloced && p && large);
	nolock_start(test, 2);
	memset(kmalloced, JUNK, 64);
	memset(p, JUNK, 200);
	memset(large, JUNK, SZ_64K);
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		struct stopped s = stop_cpu();

		gospan_free_nolock(foreign[i]);
		start_cpu(s);
		KUNIT_EXPECT_EQ_MSG(test, gospan_report_count(), before + i + 1, "pointer %u", i);
	}
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED), 0UL);
	KUNIT_EXPECT_EQ(test, on_stack, 42ULL);
	KUNIT_EXPECT_NULL(test, memchr_inv(kmalloced, JUNK, 64));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, JUNK, 200));
	KUNIT_EXPECT_NULL(test, memchr_inv(large, JUNK, SZ_64K));
	gospan_free(p);
	gospan_free(large);
}

/* What cannot be filled is refused, and is filled when there is memory again. */
static void refill_without_memory(struct kunit *test)
{
	enum { DEPTH = 3 };
	struct stopped s;
	unsigned int nr;
	u8 *objs[DEPTH];

	nolock_start(test, DEPTH);
	/* Only what is in magazines can be had; and that is nothing. */
	gospan_kunit_flush();
	WRITE_ONCE(gospan_heap.broken, true);
	s = stop_cpu();
	nr = exhaust(1024, objs, DEPTH);
	start_cpu(s);
	/* Neither the interrupt nor the worker get any. */
	gospan_nolock_sync();
	KUNIT_EXPECT_EQ(test, held(1024), DEPTH * (num_online_cpus() - 1));
	KUNIT_EXPECT_NULL(test, gospan_alloc_nolock(1024, 0));
	gospan_nolock_sync();
	WRITE_ONCE(gospan_heap.broken, false);
	KUNIT_EXPECT_EQ(test, held(1024), DEPTH * (num_online_cpus() - 1));
	KUNIT_EXPECT_EQ(test, nr, (unsigned int)DEPTH);
	/* gospan_free_nolock() could ask for a refill. */
	while (nr)
		gospan_free(objs[--nr]);
	gospan_kunit_flush();
	/* Whoever asks, asks for a refill. */
	s = stop_cpu();
	KUNIT_EXPECT_NULL(test, gospan_alloc_nolock(1024, 0));
	start_cpu(s);
	KUNIT_EXPECT_TRUE(test, is_refilled(DEPTH));
}

/* What is in the reserve is neither live nor allocated. */
static void reserve_counts_as_cached(struct kunit *test)
{
	struct gospan_memstats *st = kunit_kcalloc(test, 2, sizeof(*st), GFP_KERNEL);
	unsigned int sizeclass = gospan_size_to_class(512);
	struct stopped s;
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, st);
	gospan_read_stats(&st[0]);
	nolock_start(test, 7);
	gospan_kunit_flush();
	gospan_read_stats(&st[1]);
	KUNIT_EXPECT_EQ(test, st[1].heap_objects, st[0].heap_objects);
	KUNIT_EXPECT_EQ(test, st[1].mallocs, st[0].mallocs);
	KUNIT_EXPECT_EQ(test, st[1].frees, st[0].frees);
	KUNIT_EXPECT_EQ(test, st[1].cached_bytes, 7ULL * 4080 * num_online_cpus());
	KUNIT_EXPECT_EQ(test, st[1].by_size[sizeclass].cached, 7ULL * num_online_cpus());
	s = stop_cpu();
	p = gospan_alloc_nolock(500, 0);
	start_cpu(s);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, is_refilled(7));
	gospan_read_stats(&st[1]);
	KUNIT_EXPECT_EQ(test, st[1].by_size[sizeclass].mallocs,
			st[0].by_size[sizeclass].mallocs + 1);
	KUNIT_EXPECT_EQ(test, st[1].heap_objects, st[0].heap_objects + 1);
	gospan_free(p);
}

/* Each takes two ticks and two grace periods there. */
#define SYNC_ROUNDS	10

/* Has something put off, and waits for it, again and again. */
static int sync_thread(void *data)
{
	struct completion *done = data;
	unsigned int i;

	for (i = 0; i < SYNC_ROUNDS; i++) {
		void *p = gospan_alloc(64, GFP_KERNEL);
		struct stopped s = stop_cpu();

		gospan_free_nolock(p);
		start_cpu(s);
		gospan_nolock_sync();
	}
	complete(done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/*
 * Several wait at once, as when two caches are destroyed: one of them was never woken
 * up where an irq_work has no interrupt of its own, as on UML.
 */
static void sync_from_two_tasks(struct kunit *test)
{
	struct task_struct *tasks[2];
	struct completion *done = kunit_kcalloc(test, ARRAY_SIZE(tasks), sizeof(*done), GFP_KERNEL);
	unsigned int i, cpu = -1;

	KUNIT_ASSERT_NOT_NULL(test, done);
	nolock_start(test, 2);
	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		init_completion(&done[i]);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		tasks[i] = kthread_create_on_cpu(sync_thread, &done[i], cpu, "gospan_sync/%u");
		KUNIT_ASSERT_FALSE(test, IS_ERR(tasks[i]));
		wake_up_process(tasks[i]);
	}
	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		/* Who hangs here cannot be stopped, either. */
		KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&done[i], WAIT_JIFFIES));
		kthread_stop(tasks[i]);
	}
}

static struct kunit_case nolock_cases[] = {
	KUNIT_CASE_PARAM(alloc_contract, contract_gen_params),
	KUNIT_CASE_PARAM(alloc_exhausts_depth, depth_gen_params),
	KUNIT_CASE(alloc_mixed_classes),
	KUNIT_CASE(alloc_refuses),
	KUNIT_CASE(cached_first),
	KUNIT_CASE(objects_are_ordinary),
	KUNIT_CASE(free_deferred),
	KUNIT_CASE(free_tiny),
	KUNIT_CASE(free_deferred_for_a_lock),
	KUNIT_CASE(free_deferred_twice),
	KUNIT_CASE(free_foreign),
	KUNIT_CASE(refill_without_memory),
	KUNIT_CASE(reserve_counts_as_cached),
	KUNIT_CASE(sync_from_two_tasks),
	{}
};

static struct kunit_suite nolock_suite = {
	.name = "gospan_nolock",
	.init = gospan_kunit_init,
	.test_cases = nolock_cases,
};

kunit_test_suite(nolock_suite);
