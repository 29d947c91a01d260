// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of reservations: what was reserved can be drawn, whatever else happens,
 * and nothing more; a reservation that fails holds nothing.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"

#define JUNK		0xa5
#define MAX_ITEMS	8
#define MAX_OBJECTS	512

static void unreserve(void *r)
{
	gospan_unreserve(r);
}

/* An empty one, given back when the test ends. */
static struct gospan_reservation *make_reservation(struct kunit *test)
{
	struct gospan_reservation *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	gospan_reservation_init(r);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unreserve, r), 0);
	return r;
}

static unsigned int nr_items(const struct gospan_reserve_item *items)
{
	unsigned int n = 0;

	while (n < MAX_ITEMS && items[n].size)
		n++;
	return n;
}

struct reserve_case {
	const char *name;
	gfp_t gfp;
	struct gospan_reserve_item items[MAX_ITEMS];	/* until one of size 0 */
};

static const struct reserve_case reserve_cases[] = {
	{ "one", GFP_KERNEL, { { 100, 1 } } },
	{ "none", GFP_KERNEL, { { 100, 0 } } },
	{ "many", GFP_KERNEL, { { 8, 300 } } },
	{ "mixed", GFP_KERNEL, { { 8, 10 }, { 4096, 5 }, { 100, 7 }, { 32768, 2 } } },
	{ "falling", GFP_KERNEL, { { 32768, 1 }, { 1024, 3 }, { 64, 9 }, { 8, 1 } } },
	{ "no_powers", GFP_KERNEL, { { 7, 3 }, { 33, 4 }, { 1153, 5 }, { 28673, 2 } } },
	{ "large", GFP_KERNEL, { { 32769, 3 }, { SZ_64K, 2 }, { SZ_1M, 1 } } },
	{ "largest", GFP_KERNEL, { { GOSPAN_MAX_BYTES, 1 } } },
	{ "large_and_small", GFP_NOIO, { { SZ_128K, 2 }, { 24, 20 }, { 150000, 1 } } },
	{ "a_size_twice", GFP_KERNEL, { { 100, 2 }, { 2000, 1 }, { 100, 3 } } },
	{ "atomic", GFP_ATOMIC, { { 64, 20 }, { 3000, 3 } } },
	{ "zero", GFP_KERNEL | __GFP_ZERO, { { 64, 20 }, { 40000, 2 } } },
};

static void reserve_case_name(const struct reserve_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(reserve, reserve_cases, reserve_case_name);

/* All that was reserved, by turns of the items; NULL: all well. In any context. */
static const char *draw_all(struct gospan_reservation *r, const struct gospan_reserve_item *items,
			    unsigned int n, gfp_t gfp, void **objs, unsigned int *nr_drawn)
{
	unsigned int i, turn, nr = 0, left = 1;

	for (turn = 0; left; turn++) {
		left = 0;
		for (i = 0; i < n; i++) {
			void *p;

			if (turn >= items[i].count)
				continue;
			p = gospan_alloc_reserved(r, items[i].size, gfp);
			if (!p)
				return "not there";
			objs[nr++] = p;
			*nr_drawn = nr;
			left++;
			if (gospan_size(p) < items[i].size)
				return "too small";
			if (is_power_of_2(items[i].size) && (unsigned long)p % items[i].size)
				return "not aligned";
			if (gfp & __GFP_ZERO && memchr_inv(p, 0, gospan_size(p)))
				return "not zeroed";
			memset(p, (u8)nr, gospan_size(p));
		}
	}
	for (i = 0; i < n; i++) {
		void *p = gospan_alloc_reserved(r, items[i].size, gfp);

		gospan_free(p);
		if (p)
			return "one more than was reserved";
	}
	return NULL;
}

/* Free them; false if one did not keep its bytes. */
static bool free_all(void **objs, unsigned int nr)
{
	bool intact = true;

	while (nr--) {
		if (memchr_inv(objs[nr], (u8)(nr + 1), gospan_size(objs[nr])))
			intact = false;
		gospan_free(objs[nr]);
	}
	return intact;
}

/* Dirty free objects, so that zeroes have to be made. */
static void soil(const struct gospan_reserve_item *items, unsigned int n)
{
	unsigned int i, j, nr = 0;
	void *objs[32];

	for (i = 0; i < n; i++) {
		for (j = 0; j < items[i].count && nr < ARRAY_SIZE(objs); j++) {
			objs[nr] = gospan_alloc(items[i].size, GFP_KERNEL);
			if (objs[nr])
				memset(objs[nr], JUNK, gospan_size(objs[nr]));
			nr++;
		}
	}
	while (nr)
		gospan_free(objs[--nr]);
}

static void reserve_then_draw(struct kunit *test)
{
	const struct reserve_case *c = test->param_value;
	void **objs = kunit_kcalloc(test, MAX_OBJECTS, sizeof(*objs), GFP_KERNEL);
	struct gospan_reservation *r = make_reservation(test);
	unsigned int i, j, nr = 0, n = nr_items(c->items), sum;
	const char *what;

	KUNIT_ASSERT_NOT_NULL(test, objs);
	soil(c->items, n);
	KUNIT_ASSERT_EQ(test, gospan_reserve(r, c->items, n, c->gfp), 0);
	for (i = 0; i < n; i++) {
		for (sum = 0, j = 0; j < n; j++)
			if (c->items[j].size == c->items[i].size)
				sum += c->items[j].count;
		KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, c->items[i].size), sum);
	}
	preempt_disable();
	what = draw_all(r, c->items, n, c->gfp & __GFP_ZERO, objs, &nr);
	preempt_enable();
	KUNIT_EXPECT_NULL_MSG(test, what, "object %u: %s", nr, what);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	KUNIT_EXPECT_TRUE(test, free_all(objs, nr));
}

static void unreserve_gives_back(struct kunit *test)
{
	const struct reserve_case *c = test->param_value;
	struct gospan_reservation *r = make_reservation(test);
	unsigned int round, n = nr_items(c->items);
	u64 live;
	void *p;

	gospan_kunit_flush();
	live = gospan_kunit_live();
	for (round = 0; round < 2; round++) {
		KUNIT_ASSERT_EQ(test, gospan_reserve(r, c->items, n, c->gfp), 0);
		p = gospan_alloc_reserved(r, c->items[0].size, 0);
		KUNIT_EXPECT_EQ(test, !p, !c->items[0].count);
		gospan_unreserve(r);
		KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, 1), 0U);
		/* What was drawn stays. */
		gospan_kunit_flush();
		KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live + !!p);
		gospan_free(p);
		gospan_kunit_flush();
		KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
	}
	gospan_unreserve(r);
}

/* Requests in a row, and the size of the item that each is charged to; 0: refused. */
struct charge_case {
	const char *name;
	struct gospan_reserve_item items[MAX_ITEMS];
	struct {
		size_t size;
		size_t item;
	} draw[MAX_ITEMS];
};

static const struct charge_case charge_cases[] = {
	{ "own_class", { { 64, 1 }, { 1024, 1 } }, { { 64, 64 }, { 1024, 1024 } } },
	{ "never_a_larger_one", { { 64, 1 }, { 1024, 1 } },
	  { { 64, 64 }, { 64, 0 }, { 1, 0 }, { 1024, 1024 } } },
	{ "never_a_smaller_one", { { 64, 3 } }, { { 65, 0 }, { 64, 64 } } },
	{ "the_next_class", { { 100, 2 }, { 1000, 1 } },
	  { { 8, 100 }, { 113, 1000 }, { 112, 100 }, { 100, 0 }, { 1024, 0 } } },
	{ "to_the_end_of_the_class", { { 1000, 1 } }, { { 1024, 1000 } } },
	{ "beyond_the_class", { { 1000, 1 } }, { { 1025, 0 }, { 1, 1000 } } },
	{ "large", { { 40000, 1 }, { 32768, 1 } },
	  { { 32769, 40000 }, { 40000, 0 }, { 30000, 32768 } } },
	{ "to_the_end_of_its_pages", { { 32769, 1 } },
	  { { SZ_32K + GOSPAN_PAGE_SIZE + 1, 0 }, { SZ_32K + GOSPAN_PAGE_SIZE, 32769 } } },
};

static void charge_case_name(const struct charge_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(charge, charge_cases, charge_case_name);

static void alloc_reserved_charges(struct kunit *test)
{
	const struct charge_case *c = test->param_value;
	struct gospan_reservation *r = make_reservation(test);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, gospan_reserve(r, c->items, nr_items(c->items), GFP_KERNEL), 0);
	for (i = 0; i < MAX_ITEMS && c->draw[i].size; i++) {
		void *p = gospan_alloc_reserved(r, c->draw[i].size, 0);

		KUNIT_EXPECT_EQ_MSG(test, gospan_size(p), gospan_size_roundup(c->draw[i].item),
				    "draw %u", i);
		gospan_free(p);
	}
}

static void reserve_refuses(struct kunit *test)
{
	static const struct {
		struct gospan_reserve_item items[2];
		gfp_t gfp;
		int err;
	} refused[] = {
		{ { { 0, 1 }, { 8, 1 } }, GFP_KERNEL, -EINVAL },
		{ { { 8, 1 }, { GOSPAN_MAX_BYTES + 1, 1 } }, GFP_KERNEL, -EINVAL },
		{ { { 8, 1 }, { SIZE_MAX, 1 } }, GFP_KERNEL, -EINVAL },
		{ { { 8, 1 }, { 8, 1 } }, GFP_KERNEL | __GFP_DMA, -EINVAL },
		{ { { 8, 1 }, { 8, 1 } }, GFP_HIGHUSER, -EINVAL },
		{ { { 8, 1 }, { GOSPAN_MAX_BYTES, UINT_MAX } }, GFP_KERNEL, -ENOMEM },
		{ { { 40000, 3 }, { SZ_1M, UINT_MAX } }, GFP_NOWAIT, -ENOMEM },
	};
	struct gospan_reservation *r = make_reservation(test);
	u64 live;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, gospan_reserve_list(r, GFP_KERNEL, { 100, 3 }, { 40000, 1 }), 0);
	gospan_kunit_flush();
	live = gospan_kunit_live();
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		KUNIT_EXPECT_EQ_MSG(test, gospan_reserve(r, refused[i].items, 2, refused[i].gfp),
				    refused[i].err, "row %u", i);
		gospan_kunit_flush();
		KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
		/* The objects of before. */
		KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, 8), 3U);
		KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, 40000), 1U);
	}
	KUNIT_EXPECT_EQ(test, gospan_reserve(r, NULL, 0, GFP_KERNEL), 0);
	gospan_trim();
}

static unsigned long nr_grows(void)
{
	return gospan_supply_usage(&gospan_heap, NUMA_NO_NODE).nr_grows;
}

/* As much as the machine has, of which the kernel uses a part; for more, nothing grows. */
static void reserve_runs_out(struct kunit *test)
{
	unsigned int all = (totalram_pages() << PAGE_SHIFT) / GOSPAN_MAX_BYTES;
	const struct gospan_reserve_item items[] = { { 40000, 3 }, { GOSPAN_MAX_BYTES, all } };
	const struct gospan_reserve_item more[] = { { 40000, 3 }, { GOSPAN_MAX_BYTES, all + 1 } };
	struct gospan_reservation *r = make_reservation(test);
	u64 live = gospan_kunit_live();
	unsigned long grows;

	KUNIT_EXPECT_EQ(test, gospan_reserve(r, items, ARRAY_SIZE(items), GFP_KERNEL), -ENOMEM);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
	gospan_trim();
	grows = nr_grows();
	KUNIT_EXPECT_EQ(test, gospan_reserve(r, more, ARRAY_SIZE(more), GFP_KERNEL), -ENOMEM);
	KUNIT_EXPECT_EQ(test, nr_grows(), grows);
}

/* Memory runs out at each allocation in turn, until there are enough for all. */
static void reserve_fails_at_each_step(struct kunit *test)
{
	static const struct gospan_reserve_item items[] = {
		{ 64, 3 }, { SZ_16K, 3 }, { SZ_64K, 2 }, { 1000, 2 },
	};
	struct gospan_reservation *r = make_reservation(test);
	unsigned int n, nr_failed = 0;
	bool ended = false;
	u64 live;
	int err;

	if (!gospan_kunit_can_fail())
		kunit_skip(test, "no CONFIG_FAULT_INJECTION or no CONFIG_FAILSLAB");
	gospan_trim();
	live = gospan_kunit_live();
	for (n = 1; n < 1000 && !ended; n++) {
		gospan_kunit_fail_nth(n);
		err = gospan_reserve(r, items, ARRAY_SIZE(items), GFP_NOWAIT);
		ended = gospan_kunit_fail_left();
		gospan_kunit_fail_nth(0);
		if (err) {
			nr_failed++;
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, 1), 0U);
		}
		gospan_unreserve(r);
		gospan_kunit_flush();
		KUNIT_EXPECT_EQ(test, gospan_kunit_live(), live);
		/* So that the next has to ask the kernel as well. */
		gospan_trim();
	}
	KUNIT_EXPECT_TRUE(test, ended);
	KUNIT_EXPECT_GT(test, nr_failed, 0U);
}

/* Counts add up, in what is there already too, also where all of it was drawn. */
static void reserve_tops_up(struct kunit *test)
{
	struct gospan_reservation *r = make_reservation(test);
	void *objs[16];
	unsigned int i, nr = 0;

	KUNIT_ASSERT_EQ(test, gospan_reserve_list(r, GFP_KERNEL, { 100, 2 }), 0);
	KUNIT_ASSERT_EQ(test, gospan_reserve_list(r, GFP_KERNEL, { 50, 1 }, { 112, 3 }), 0);
	KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, 48), 1U);
	KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, 110), 5U);
	for (i = 0; i < 5; i++)
		objs[nr++] = gospan_alloc_reserved(r, 100, 0);
	KUNIT_EXPECT_NULL(test, gospan_alloc_reserved(r, 100, 0));
	KUNIT_ASSERT_EQ(test, gospan_reserve_list(r, GFP_KERNEL, { 1000, 1 }, { 100, 2 }), 0);
	KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, 100), 2U);
	KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, 1000), 1U);
	KUNIT_ASSERT_EQ(test, gospan_reserve_list(r, GFP_KERNEL, { 100, 1 }), 0);
	for (i = 0; i < 3; i++)
		objs[nr++] = gospan_alloc_reserved(r, 100, 0);
	KUNIT_EXPECT_NULL(test, gospan_alloc_reserved(r, 100, 0));
	while (nr--) {
		KUNIT_EXPECT_EQ(test, gospan_size(objs[nr]), 112);
		gospan_free(objs[nr]);
	}
}

static void alloc_reserved_of_nothing(struct kunit *test)
{
	struct gospan_reservation *empty = make_reservation(test);

	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc_reserved(empty, 0, 0), ZERO_SIZE_PTR);
	KUNIT_EXPECT_NULL(test, gospan_alloc_reserved(empty, 1, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, gospan_nr_reserved(empty, 1), 0U);
	gospan_unreserve(empty);
	KUNIT_ASSERT_EQ(test, gospan_reserve_list(empty, GFP_KERNEL, { 8, 1 }), 0);
	KUNIT_EXPECT_EQ(test, gospan_nr_reserved(empty, 8), 1U);
	gospan_unreserve(empty);
}

static const struct gospan_reserve_item section_items[] = {
	{ 24, 100 }, { 500, 20 }, { 3000, 6 }, { SZ_64K, 2 },
};

/* A section that must not fail, in an interrupt, while the heap has nothing to give. */
struct section {
	struct irq_work work;
	struct completion done;
	struct gospan_reservation *r;
	void *objs[MAX_OBJECTS];
	unsigned int nr;
	const char *what;
	void *ordinary;
	bool in_hardirq, intact;
};

static void section_irq(struct irq_work *work)
{
	struct section *sec = container_of(work, struct section, work);

	sec->in_hardirq = in_hardirq() && irqs_disabled();
	sec->ordinary = gospan_alloc(3000, GFP_ATOMIC);
	sec->what = draw_all(sec->r, section_items, ARRAY_SIZE(section_items), __GFP_ZERO,
			     sec->objs, &sec->nr);
	sec->intact = free_all(sec->objs, sec->nr);
	complete(&sec->done);
}

static void alloc_reserved_in_hardirq(struct kunit *test)
{
	struct section *sec = kunit_kzalloc(test, sizeof(*sec), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sec);
	sec->r = make_reservation(test);
	init_completion(&sec->done);
	sec->work = IRQ_WORK_INIT_HARD(section_irq);
	KUNIT_ASSERT_EQ(test, gospan_reserve(sec->r, section_items, ARRAY_SIZE(section_items),
					     GFP_KERNEL), 0);
	/* Nothing in magazines either. */
	gospan_kunit_flush();
	WRITE_ONCE(gospan_heap.broken, true);
	irq_work_queue(&sec->work);
	wait_for_completion(&sec->done);
	irq_work_sync(&sec->work);
	WRITE_ONCE(gospan_heap.broken, false);
	KUNIT_EXPECT_TRUE(test, sec->in_hardirq);
	KUNIT_EXPECT_NULL(test, sec->ordinary);
	KUNIT_EXPECT_NULL_MSG(test, sec->what, "object %u: %s", sec->nr, sec->what);
	KUNIT_EXPECT_TRUE(test, sec->intact);
	gospan_free(sec->ordinary);
}

/* Threads draw from one reservation: together exactly what is there. */
struct drawer {
	struct gospan_reservation *r;
	struct task_struct *task;
	struct completion done;
	void *objs[MAX_OBJECTS];
	unsigned int nr, nr_bad;
};

static int draw_thread(void *data)
{
	struct drawer *d = data;

	while (d->nr < MAX_OBJECTS) {
		void *p = gospan_alloc_reserved(d->r, 64, 0);

		if (!p)
			break;
		memset(p, (u8)d->nr, 64);
		d->objs[d->nr++] = p;
		if (d->nr % 8 == 0)
			cond_resched();
	}
	while (d->nr_bad < d->nr && !memchr_inv(d->objs[d->nr_bad], (u8)d->nr_bad, 64))
		d->nr_bad++;
	d->nr_bad = d->nr - d->nr_bad;
	complete(&d->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void alloc_reserved_on_all_cpus(struct kunit *test)
{
	struct drawer *drawers = kunit_kcalloc(test, nr_cpu_ids, sizeof(*drawers), GFP_KERNEL);
	struct gospan_reservation *r = make_reservation(test);
	unsigned int cpu, i, sum = 0;

	KUNIT_ASSERT_NOT_NULL(test, drawers);
	KUNIT_ASSERT_EQ(test, gospan_reserve_list(r, GFP_KERNEL, { 64, MAX_OBJECTS - 1 }), 0);
	for_each_online_cpu(cpu) {
		struct drawer *d = &drawers[cpu];

		d->r = r;
		init_completion(&d->done);
		d->task = kthread_create_on_cpu(draw_thread, d, cpu, "gospan_draw/%u");
		KUNIT_EXPECT_FALSE(test, IS_ERR(d->task));
		if (!IS_ERR(d->task))
			wake_up_process(d->task);
	}
	for_each_online_cpu(cpu) {
		if (IS_ERR(drawers[cpu].task))
			continue;
		wait_for_completion(&drawers[cpu].done);
		kthread_stop(drawers[cpu].task);
		sum += drawers[cpu].nr;
		KUNIT_EXPECT_EQ(test, drawers[cpu].nr_bad, 0U);
	}
	KUNIT_EXPECT_EQ(test, sum, MAX_OBJECTS - 1U);
	for_each_online_cpu(cpu)
		for (i = 0; i < drawers[cpu].nr; i++)
			gospan_free(drawers[cpu].objs[i]);
}

/* The oracle: what is left of each size, as asked for. */
struct model {
	size_t bytes[8];	/* rounded, rising */
	unsigned int left[8];
	bool is_item[8];
};

static const size_t model_sizes[8] = { 8, 32, 100, 500, 2048, 9000, 32768, 50000 };

/* The item that a request is charged to; 8: none. */
static unsigned int model_item(const struct model *m, size_t size)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (m->is_item[i] && m->bytes[i] >= size)
			break;
	return i;
}

static void random_reserve(struct kunit *test, struct gospan_reservation *r, struct model *m,
			   struct rnd_state *rnd)
{
	unsigned int i, k, n = 1 + gospan_kunit_below(rnd, 4);
	struct gospan_reserve_item items[4];

	for (i = 0; i < n; i++) {
		k = gospan_kunit_below(rnd, 8);
		items[i].size = model_sizes[k];
		items[i].count = gospan_kunit_below(rnd, 6);
		m->is_item[k] = true;
		m->left[k] += items[i].count;
	}
	KUNIT_ASSERT_EQ(test, gospan_reserve(r, items, n, GFP_KERNEL), 0);
}

/* Draw, and look at all that is left. */
static void random_draw(struct kunit *test, struct gospan_reservation *r, struct model *m,
			struct rnd_state *rnd)
{
	size_t size = 1 + gospan_kunit_below(rnd, gospan_kunit_below(rnd, 4) ? 3000 : 60000);
	unsigned int i, k = model_item(m, size);
	bool expected = k < 8 && m->left[k];
	void *p = gospan_alloc_reserved(r, size, 0);

	KUNIT_EXPECT_EQ_MSG(test, !!p, expected, "%zu bytes", size);
	if (p) {
		KUNIT_EXPECT_EQ(test, gospan_size(p), m->bytes[k]);
		memset(p, JUNK, gospan_size(p));
		m->left[k]--;
	}
	gospan_free(p);
	for (i = 0; i < 8; i++)
		if (m->is_item[i])
			KUNIT_EXPECT_EQ(test, gospan_nr_reserved(r, model_sizes[i]), m->left[i]);
}

static void random_steps_agree_with_oracle(struct kunit *test)
{
	struct gospan_reservation *r = make_reservation(test);
	struct model m = {};
	struct rnd_state rnd;
	unsigned int i, step;

	gospan_kunit_seed(test, &rnd);
	for (i = 0; i < 8; i++)
		m.bytes[i] = gospan_size_roundup(model_sizes[i]);
	for (step = 0; step < 2000; step++) {
		u32 dice = gospan_kunit_below(&rnd, 100);

		if (dice < 10) {
			random_reserve(test, r, &m, &rnd);
		} else if (dice == 10) {
			gospan_unreserve(r);
			memset(m.left, 0, sizeof(m.left));
			memset(m.is_item, 0, sizeof(m.is_item));
		} else {
			random_draw(test, r, &m, &rnd);
		}
	}
}

static struct kunit_case reserve_suite_cases[] = {
	KUNIT_CASE_PARAM(reserve_then_draw, reserve_gen_params),
	KUNIT_CASE_PARAM(unreserve_gives_back, reserve_gen_params),
	KUNIT_CASE_PARAM(alloc_reserved_charges, charge_gen_params),
	KUNIT_CASE(reserve_refuses),
	KUNIT_CASE(reserve_runs_out),
	KUNIT_CASE(reserve_fails_at_each_step),
	KUNIT_CASE(reserve_tops_up),
	KUNIT_CASE(alloc_reserved_of_nothing),
	KUNIT_CASE(alloc_reserved_in_hardirq),
	KUNIT_CASE(alloc_reserved_on_all_cpus),
	KUNIT_CASE(random_steps_agree_with_oracle),
	{}
};

static struct kunit_suite reserve_suite = {
	.name = "gospan_reserve",
	.init = gospan_kunit_init,
	.test_cases = reserve_suite_cases,
};

kunit_test_suite(reserve_suite);
