// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of objects without pointers: the small ones, which share blocks,
 * against tables and against a model of who lives where; and of them all.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "contract.h"
#include "helper.h"

#define BLOCK	GOSPAN_TINY_BYTES

static unsigned long block_of(const void *p)
{
	return (unsigned long)p & ~(unsigned long)(BLOCK - 1);
}

static void *take(struct kunit *test, size_t size)
{
	void *p = gospan_alloc_noscan(size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

struct pack_table {
	const char *name;
	u8 size[18];		/* requests, in order; 0 ends them */
	u8 block[18];		/* in which block each is, counted from the first */
	u8 offset[18];		/* and where */
};

static const struct pack_table pack_tables[] = {
	{ "bytes", { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
	  { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
	  { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0 } },
	{ "words", { 8, 8, 8 }, { 0, 0, 1 }, { 0, 8, 0 } },
	{ "aligned_by_size", { 1, 2, 4, 8, 1 }, { 0, 0, 0, 0, 1 }, { 0, 2, 4, 8, 0 } },
	{ "odd_sizes_fill_up", { 5, 7, 3, 1 }, { 0, 0, 0, 0 }, { 0, 5, 12, 15 } },
	{ "twelve_and_four", { 12, 4, 12, 4 }, { 0, 0, 1, 1 }, { 0, 12, 0, 12 } },
	{ "six_is_even", { 1, 6, 6 }, { 0, 0, 0 }, { 0, 2, 8 } },
	/* 15 leaves less than what is open: the open one is kept. */
	{ "roomier_is_kept", { 4, 15, 4, 8 }, { 0, 1, 0, 0 }, { 0, 0, 4, 8 } },
	/* 4 leaves more than what is open: that is given up. */
	{ "fuller_is_closed", { 13, 4, 2, 4 }, { 0, 1, 1, 1 }, { 0, 0, 4, 8 } },
};

static void pack_desc(const struct pack_table *t, char *desc)
{
	strscpy(desc, t->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(pack, pack_tables, pack_desc);

static void tiny_alloc_packs(struct kunit *test)
{
	const struct pack_table *t = test->param_value;
	unsigned long blocks[18] = {};
	void *objs[18];
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(t->size) && t->size[i]; i++) {
		objs[i] = take(test, t->size[i]);
		if (t->block[i] == nr)
			blocks[nr++] = block_of(objs[i]);
		KUNIT_EXPECT_EQ_MSG(test, block_of(objs[i]), blocks[t->block[i]], "object %u", i);
		KUNIT_EXPECT_EQ_MSG(test, (unsigned long)objs[i] % BLOCK, t->offset[i],
				    "object %u", i);
		KUNIT_EXPECT_TRUE(test, gospan_owns(objs[i]));
	}
	while (i--)
		gospan_free(objs[i]);
	gospan_kunit_flush();
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* Every order in which three objects go, before and after their block is closed. */
static void tiny_free_any_order(struct kunit *test)
{
	static const u8 orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	unsigned int order, closed_after, i;
	u64 live = gospan_kunit_live();

	for (order = 0; order < ARRAY_SIZE(orders); order++) {
		for (closed_after = 0; closed_after <= 3; closed_after++) {
			void *objs[3] = { take(test, 4), take(test, 4), take(test, 4) };

			KUNIT_EXPECT_EQ(test, block_of(objs[0]), block_of(objs[2]));
			for (i = 0; i < 3; i++) {
				if (i == closed_after)
					gospan_kunit_flush();
				gospan_free(objs[orders[order][i]]);
			}
			gospan_kunit_flush();
			KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
			KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
		}
	}
}

/* A block is used again only when all its objects have gone. */
static void tiny_block_outlives_its_objects(struct kunit *test)
{
	void *a = take(test, 8), *b = take(test, 8), *others[64];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, block_of(a), block_of(b));
	gospan_free(a);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		others[i] = take(test, 8);
		KUNIT_EXPECT_NE(test, block_of(others[i]), block_of(b));
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		gospan_free(others[i]);
	gospan_free(b);
}

struct misuse_case {
	const char *name;
	int offset;		/* from the object that is freed in the end */
	bool closed;		/* the block */
	bool freed;		/* the object, before */
	enum gospan_verdict verdict;
};

/* Two objects of 4 bytes, of which the second is misused. */
static const struct misuse_case misuse_cases[] = {
	{ "twice_open", 0, false, true, GOSPAN_FREE_DOUBLE },
	{ "twice_closed", 0, true, true, GOSPAN_FREE_INTERIOR },
	{ "inside_closed", 1, true, false, GOSPAN_FREE_INTERIOR },
	{ "behind_closed", 4, true, false, GOSPAN_FREE_INTERIOR },
	{ "header", INT_MIN, true, false, GOSPAN_FREE_DOUBLE },
};

static void misuse_desc(const struct misuse_case *t, char *desc)
{
	strscpy(desc, t->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(misuse, misuse_cases, misuse_desc);

static void tiny_free_misuse(struct kunit *test)
{
	const struct misuse_case *t = test->param_value;
	void *a = take(test, 4), *b = take(test, 4), *p = b + t->offset;
	u64 count = gospan_report_count();

	if (t->offset == INT_MIN)
		p = (void *)((unsigned long)b & ~(GOSPAN_PAGE_SIZE - 1));
	KUNIT_ASSERT_EQ(test, block_of(a), block_of(b));
	if (t->closed)
		gospan_kunit_flush();
	if (t->freed)
		gospan_free(b);
	gospan_free(p);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), count + 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	if (!t->freed)
		gospan_free(b);
	/* The first is as it was. */
	KUNIT_EXPECT_GE(test, gospan_size(a), 4);
	gospan_free(a);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), count + 1);
}

/* A block that is free: nothing in it lives. */
static void tiny_free_of_a_free_block(struct kunit *test)
{
	void *keep = take(test, 15), *p = take(test, 8);
	u64 count = gospan_report_count();

	gospan_kunit_flush();
	gospan_free(p);
	gospan_free(p);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), count + 1);
	KUNIT_EXPECT_EQ(test, gospan_size(p), 0);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), count + 2);
	gospan_free(keep);
}

static void tiny_size_is_enough(struct kunit *test)
{
	static const u8 sizes[] = { 1, 2, 3, 4, 2, 1 };
	void *objs[ARRAY_SIZE(sizes)];
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		objs[i] = take(test, sizes[i]);
		KUNIT_EXPECT_EQ(test, gospan_size(objs[i]), sizes[i]);
	}
	for (round = 0; round < 2; round++, gospan_kunit_flush()) {
		for (i = 0; i + 1 < ARRAY_SIZE(sizes); i++) {
			size_t bytes = gospan_size(objs[i]);

			KUNIT_EXPECT_GE(test, bytes, sizes[i]);
			KUNIT_EXPECT_TRUE(test, objs[i] + bytes <= objs[i + 1]);
		}
	}
	/* Up to the end of the block, once nothing more comes. */
	KUNIT_EXPECT_EQ(test, gospan_size(objs[5]), BLOCK - (unsigned long)objs[5] % BLOCK);
	/* What died may be used by who is before it. */
	gospan_free(objs[1]);
	KUNIT_EXPECT_PTR_EQ(test, objs[0] + gospan_size(objs[0]), objs[2]);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (i != 1)
			gospan_free(objs[i]);
}

static void tiny_realloc_keeps_bytes(struct kunit *test)
{
	char *a = take(test, 5), *b = take(test, 3), *c;

	memcpy(a, "abcd", 5);
	memcpy(b, "xy", 3);
	c = gospan_realloc(a, 9, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_EXPECT_STREQ(test, c, "abcd");
	KUNIT_EXPECT_STREQ(test, b, "xy");
	/* It is without pointers still. */
	KUNIT_EXPECT_EQ(test, gospan_arena_spanclass_of(&gospan_heap.arenas, c),
			GOSPAN_SPANCLASS_IN_TINY);
	c = gospan_realloc(c, 200, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_EXPECT_STREQ(test, c, "abcd");
	KUNIT_EXPECT_EQ(test, gospan_arena_spanclass_of(&gospan_heap.arenas, c) & 1, 1);
	gospan_free(c);
	gospan_free(b);
}

static void tiny_zeroed(struct kunit *test)
{
	char *objs[64];
	unsigned int i, round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(objs); i++) {
			objs[i] = gospan_alloc_noscan(1 + i % 15, GFP_KERNEL | __GFP_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, objs[i]);
			KUNIT_EXPECT_NULL(test, memchr_inv(objs[i], 0, 1 + i % 15));
			memset(objs[i], 0xff, 1 + i % 15);
		}
		/* Clearing one leaves the others. */
		for (i = 0; i < ARRAY_SIZE(objs); i++)
			KUNIT_EXPECT_NULL(test, memchr_inv(objs[i], 0xff, 1 + i % 15));
		for (i = 0; i < ARRAY_SIZE(objs); i++)
			gospan_free(objs[i]);
	}
}

/* Many in one call, among others. */
static void tiny_free_bulk(struct kunit *test)
{
	u64 live = gospan_kunit_live(), count = gospan_report_count();
	void *objs[150];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = i % 3 ? take(test, 1 + i % 15) : gospan_alloc(1 + i, GFP_KERNEL);
	gospan_free_bulk(ARRAY_SIZE(objs), objs);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), count);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static const char *contract_check(void *p, size_t size, gfp_t gfp)
{
	size_t zeroes = size < BLOCK ? size : gospan_size(p);
	unsigned int align = size < BLOCK ? 1 << min(__ffs(size), 3UL) : 8;

	if (size >= BLOCK && is_power_of_2(size))
		align = size;
	if ((unsigned long)p % align)
		return "not aligned";
	if (size >= BLOCK && gospan_size(p) != gospan_size_roundup(size))
		return "roundup does not agree";
	if (gfp & __GFP_ZERO && memchr_inv(p, 0, zeroes))
		return "not zeroed";
	return NULL;
}

static const struct gospan_contract noscan_contract_of = {
	.alloc = gospan_alloc_noscan,
	.free = gospan_free,
	.check = contract_check,
};

KUNIT_ARRAY_PARAM(contract, gospan_contract_contexts, gospan_contract_context_name);

static void noscan_contract(struct kunit *test)
{
	gospan_contract_test(test, &noscan_contract_of);
}

/* With and without pointers share no page; 16 bytes and more are as from gospan_alloc(). */
static void noscan_apart(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		size_t size = gospan_kunit_sizes[i];
		void *p = take(test, size), *q = gospan_alloc(size, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, q);
		memset(p, 0x5a, size);
		KUNIT_EXPECT_NE(test, (unsigned long)p & ~(GOSPAN_PAGE_SIZE - 1),
				(unsigned long)q & ~(GOSPAN_PAGE_SIZE - 1));
		KUNIT_EXPECT_GE(test, gospan_size(p), size);
		if (size >= BLOCK) {
			KUNIT_EXPECT_EQ(test, gospan_size(p), gospan_size(q));
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, 8));
			if (is_power_of_2(size))
				KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, size));
		}
		gospan_free(q);
		gospan_free(p);
	}
	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc_noscan(0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_NULL(test, gospan_alloc_noscan(8, GFP_KERNEL | __GFP_DMA));
}

/* Objects that CPUs hand to each other, each filled with a byte of its own. */
#define NR_SHARED	256U

struct share {
	void *obj[NR_SHARED];
	u8 size[NR_SHARED];
	/* Of an object and its size; interrupts take it. */
	raw_spinlock_t lock[NR_SHARED];
	atomic_t nr_wrong;
	atomic_t nr_left;
	struct completion done;
	unsigned long seed;
	unsigned int nr_steps;
};

static u8 mark(unsigned int i)
{
	return i * 37 + 1;
}

/* Exchange the object in slot @i for a new one. */
static void share_step(struct share *sh, unsigned int i, size_t size, gfp_t gfp)
{
	void *p = gospan_alloc_noscan(size, gfp), *old;
	unsigned long flags;
	u8 old_size;

	if (p)
		memset(p, mark(i), size);
	raw_spin_lock_irqsave(&sh->lock[i], flags);
	old = sh->obj[i];
	old_size = sh->size[i];
	sh->obj[i] = p;
	sh->size[i] = size;
	raw_spin_unlock_irqrestore(&sh->lock[i], flags);
	if (!old)
		return;
	if (memchr_inv(old, mark(i), old_size) || gospan_size(old) < old_size)
		atomic_inc(&sh->nr_wrong);
	gospan_free(old);
}

struct interrupter {
	struct irq_work work;
	struct share *sh;
	struct rnd_state rnd;
};

static void interrupt(struct irq_work *work)
{
	struct interrupter *in = container_of(work, struct interrupter, work);
	u32 x = prandom_u32_state(&in->rnd);

	share_step(in->sh, x % NR_SHARED, 1 + (x >> 16) % 15, GFP_ATOMIC);
}

static int share_thread(void *data)
{
	struct share *sh = data;
	struct interrupter in = { .work = IRQ_WORK_INIT_HARD(interrupt), .sh = sh };
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, sh->seed + raw_smp_processor_id());
	prandom_seed_state(&in.rnd, sh->seed + 1000 + raw_smp_processor_id());
	for (i = 0; i < sh->nr_steps; i++) {
		u32 x = prandom_u32_state(&rnd);

		if (x % 16 == 0)
			irq_work_queue(&in.work);
		share_step(sh, (x >> 4) % NR_SHARED, 1 + (x >> 16) % 15, GFP_KERNEL);
		if (x >> 24 == 0)
			cond_resched();
	}
	irq_work_sync(&in.work);
	if (atomic_dec_and_test(&sh->nr_left))
		complete(&sh->done);
	return 0;
}

/* Freed elsewhere, from interrupts, in blocks open and closed: nobody loses a byte. */
static void tiny_many_cpus(struct kunit *test)
{
	struct share *sh = kunit_kzalloc(test, sizeof(*sh), GFP_KERNEL);
	struct task_struct *thread;
	struct rnd_state rnd;
	unsigned int cpu, i;

	KUNIT_ASSERT_NOT_NULL(test, sh);
	gospan_kunit_seed(test, &rnd);
	sh->seed = prandom_u32_state(&rnd);
	sh->nr_steps = gospan_kunit_steps() / 10;
	for (i = 0; i < NR_SHARED; i++)
		raw_spin_lock_init(&sh->lock[i]);
	init_completion(&sh->done);
	/* One for the starter. */
	atomic_set(&sh->nr_left, 1);
	for_each_online_cpu(cpu) {
		thread = kthread_create_on_cpu(share_thread, sh, cpu, "gospan_tiny/%u");
		if (IS_ERR(thread)) {
			KUNIT_FAIL(test, "no thread");
			continue;
		}
		atomic_inc(&sh->nr_left);
		wake_up_process(thread);
	}
	if (!atomic_dec_and_test(&sh->nr_left))
		wait_for_completion(&sh->done);
	KUNIT_EXPECT_EQ(test, atomic_read(&sh->nr_wrong), 0);
	for (i = 0; i < NR_SHARED; i++) {
		if (!sh->obj[i])
			continue;
		KUNIT_EXPECT_NULL(test, memchr_inv(sh->obj[i], mark(i), sh->size[i]));
		gospan_free(sh->obj[i]);
	}
	gospan_kunit_flush();
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

#define NR_ASKED	4000

/* An object that another CPU asks the size of, over and over; it lives. */
struct asked {
	u8 *p;
	unsigned long nr_asked, nr_short;
};

static int ask_thread(void *data)
{
	struct asked *a = data;

	while (!kthread_should_stop()) {
		a->nr_short += gospan_size(READ_ONCE(a->p)) < 7;
		WRITE_ONCE(a->nr_asked, a->nr_asked + 1);
		cond_resched();
	}
	return 0;
}

/*
 * A block makes way for one that has more room. It used to be open, but not known
 * as such, for a moment, and its objects had one byte then: gospan_realloc()
 * copied no more.
 */
static void tiny_size_while_block_is_closed(struct kunit *test)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id()), i;
	void **objs = kunit_kcalloc(test, 3 * NR_ASKED, sizeof(*objs), GFP_KERNEL);
	struct asked *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	struct task_struct *thread;

	KUNIT_ASSERT_TRUE(test, objs && a);
	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "needs two CPUs");
	objs[0] = take(test, 7);
	a->p = objs[0];
	thread = kthread_create_on_cpu(ask_thread, a, cpu, "gospan_ask/%u");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	wake_up_process(thread);
	while (!READ_ONCE(a->nr_asked))
		schedule_timeout_uninterruptible(1);
	for (i = 1; i < 3 * NR_ASKED; i++) {
		objs[i] = gospan_alloc_noscan(i % 3 == 2 ? 3 : 7, GFP_KERNEL);
		/* There is room for one more. */
		if (i % 3 == 0 && objs[i])
			WRITE_ONCE(a->p, objs[i]);
	}
	kthread_stop(thread);
	KUNIT_EXPECT_EQ(test, a->nr_short, 0UL);
	for (i = 0; i < 3 * NR_ASKED; i++)
		gospan_free(objs[i]);
}

static struct kunit_case tiny_cases[] = {
	KUNIT_CASE_PARAM(tiny_alloc_packs, pack_gen_params),
	KUNIT_CASE(tiny_free_any_order),
	KUNIT_CASE(tiny_block_outlives_its_objects),
	KUNIT_CASE_PARAM(tiny_free_misuse, misuse_gen_params),
	KUNIT_CASE(tiny_free_of_a_free_block),
	KUNIT_CASE(tiny_size_is_enough),
	KUNIT_CASE(tiny_realloc_keeps_bytes),
	KUNIT_CASE(tiny_zeroed),
	KUNIT_CASE(tiny_free_bulk),
	KUNIT_CASE_PARAM(noscan_contract, contract_gen_params),
	KUNIT_CASE(noscan_apart),
	KUNIT_CASE(tiny_size_while_block_is_closed),
	KUNIT_CASE(tiny_many_cpus),
	{}
};

static struct kunit_suite tiny_suite = {
	.name = "gospan_tiny",
	.init = gospan_kunit_init,
	.test_cases = tiny_cases,
};

kunit_test_suite(tiny_suite);
