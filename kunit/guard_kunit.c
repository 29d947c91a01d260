// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of guard pages: each access that they are there for is found, from tasks, with
 * interrupts off and from hardirqs, and the report is right; and objects between them are
 * objects like others.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/instruction_pointer.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/guard.h"
#include "../src/origin.h"
#include "helper.h"
#include "misuse.h"

#define NR_OBJECTS	4

/* What fills a page, what fills its words, and what does neither. */
static const size_t sizes[] = { 1, 8, 13, 24, 100, 1024, 4095, PAGE_SIZE };

#define NR_PAGES	(2 * NR_OBJECTS + 1)

/* Where pages cannot be hidden, objects lie between some that are not: all but faults is there. */
static int guard_init(struct kunit *test)
{
	void *pages;

	if (GOSPAN_GUARD_PAGES) {
		KUNIT_ASSERT_EQ(test, gospan_guard_pages_open(NR_PAGES, gospan_guard_fault), 0);
	} else {
		KUNIT_ASSERT_EQ(test, gospan_guard_pages_open(NR_PAGES, gospan_guard_fault),
				-EOPNOTSUPP);
		pages = alloc_pages_exact(NR_PAGES * PAGE_SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, pages);
		gospan_guard_pages = (struct gospan_guard_pages){
			.addr = (unsigned long)pages,
			.bytes = NR_PAGES * PAGE_SIZE,
		};
	}
	KUNIT_ASSERT_EQ(test, gospan_origin_init(), 0);
	KUNIT_ASSERT_EQ(test, gospan_guard_open(NR_OBJECTS), 0);
	return gospan_kunit_init(test);
}

static void guard_exit(struct kunit *test)
{
	gospan_kunit_unlisten();
	KUNIT_EXPECT_EQ(test, gospan_guard_close(), 0);
	if (GOSPAN_GUARD_PAGES)
		return gospan_guard_pages_close();
	free_pages_exact((void *)gospan_guard_pages.addr, gospan_guard_pages.bytes);
	gospan_guard_pages = (struct gospan_guard_pages){};
}

/* Of tests that need faults. */
static void skip_without_faults(struct kunit *test)
{
	if (!GOSPAN_GUARD_PAGES)
		kunit_skip(test, "to hide pages takes x86-64, KFENCE and kprobes");
}

/* The next allocation, which is due. */
static u8 *take(struct kunit *test, size_t size, gfp_t gfp)
{
	u8 *p;

	gospan_guard_arm();
	p = gospan_alloc(size, gfp);
	gospan_guard_disarm();
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_TRUE(test, gospan_guard_pages_have(p));
	return p;
}

static bool is_at_end(const u8 *p, size_t size)
{
	return offset_in_page(p) + ALIGN(size, sizeof(u64)) == PAGE_SIZE;
}

static bool is_at_start(const u8 *p, size_t size)
{
	return !offset_in_page(p);
}

/* One that lies as is asked for: they do so by turns. */
static u8 *take_lying(struct kunit *test, size_t size, bool (*lies)(const u8 *p, size_t size))
{
	u8 *other, *p = take(test, size, GFP_KERNEL);

	if (lies(p, size))
		return p;
	other = p;
	p = take(test, size, GFP_KERNEL);
	gospan_free(other);
	KUNIT_ASSERT_TRUE(test, lies(p, size));
	return p;
}

static void do_read(void *where)
{
	READ_ONCE(*(u8 *)where);
}

static void do_write(void *where)
{
	WRITE_ONCE(*(u8 *)where, 0x11);
}

static void do_free(void *p)
{
	gospan_free(p);
}

struct access {
	const char *name;
	enum gospan_verdict verdict;
	bool write, behind, freed;
};

static const struct access accesses[] = {
	{ "read_behind", GOSPAN_GUARD_BESIDE, false, true, false },
	{ "write_behind", GOSPAN_GUARD_BESIDE, true, true, false },
	{ "read_in_front", GOSPAN_GUARD_BESIDE, false, false, false },
	{ "write_in_front", GOSPAN_GUARD_BESIDE, true, false, false },
	{ "read_freed", GOSPAN_GUARD_FREED, false, false, true },
	{ "write_freed", GOSPAN_GUARD_FREED, true, false, true },
};

static void access_name(const struct access *access, char *name)
{
	strscpy(name, access->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(access, accesses, access_name);

static void access_once(struct kunit *test, const struct access *access, size_t size,
			enum gospan_kunit_context context)
{
	u8 *p = take_lying(test, size, access->behind ? is_at_end : is_at_start), *where = p;
	const struct gospan_misuse *m = &gospan_kunit_seen.m;

	if (access->freed)
		gospan_kunit_call_in(context, do_free, p);
	else
		where = access->behind ? (u8 *)PAGE_ALIGN((unsigned long)p + 1) : p - 1;
	gospan_kunit_listen();
	gospan_kunit_call_in(context, access->write ? do_write : do_read, where);
	/* It is told once: the page is shown now. */
	gospan_kunit_call_in(context, do_read, where);
	KUNIT_ASSERT_EQ_MSG(test, gospan_kunit_seen.nr, 1, "%zu bytes, %s", size,
			    gospan_kunit_context_names[context]);
	KUNIT_EXPECT_EQ(test, m->verdict, access->verdict);
	KUNIT_EXPECT_PTR_EQ(test, m->p, (const void *)where);
	KUNIT_EXPECT_PTR_EQ(test, m->object, (const void *)p);
	KUNIT_EXPECT_EQ(test, m->bytes, size);
	KUNIT_EXPECT_EQ(test, m->write, access->write);
	KUNIT_EXPECT_NE(test, m->ip, 0);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.record.alloc.pid, current->pid);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.record.alloc.origin != 0,
			GOSPAN_ORIGIN_HAS_STACKS);
	KUNIT_EXPECT_EQ(test, !gospan_kunit_seen.record.free.ns, !access->freed);
	gospan_kunit_unlisten();
	if (!access->freed)
		gospan_free(p);
}

/* Whatever the size, and whoever does it. */
static void access_is_found(struct kunit *test)
{
	enum gospan_kunit_context context;
	unsigned int i;

	skip_without_faults(test);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (context = 0; context < GOSPAN_KUNIT_NR_CONTEXTS; context++)
			access_once(test, test->param_value, sizes[i], context);
}

/* A page that was shown is hidden again for the next object. */
static void access_is_found_again(struct kunit *test)
{
	unsigned int i;

	skip_without_faults(test);
	for (i = 0; i < 3 * NR_OBJECTS; i++) {
		access_once(test, &accesses[0], 64, GOSPAN_KUNIT_TASK);
		access_once(test, &accesses[4], 64, GOSPAN_KUNIT_TASK);
	}
}

/* Two objects with one guard page between them: p ends at it, q starts behind it. */
static void take_neighbours(struct kunit *test, u8 **p, u8 **q)
{
	u8 *objs[NR_OBJECTS];
	unsigned int i, first;

	/* The pages come in order, as nobody had one yet. */
	for (i = 0; i < NR_OBJECTS; i++)
		objs[i] = take(test, 64, GFP_KERNEL);
	first = is_at_end(objs[0], 64) ? 0 : 1;
	*p = objs[first];
	*q = objs[first + 1];
	for (i = 0; i < NR_OBJECTS; i++)
		if (objs[i] != *p && objs[i] != *q)
			gospan_free(objs[i]);
	KUNIT_ASSERT_PTR_EQ(test, *q, *p + 64 + PAGE_SIZE);
}

/* What a fault at @addr is told to be about. */
static void expect_beside(struct kunit *test, const u8 *addr, const u8 *object)
{
	gospan_kunit_listen();
	gospan_guard_fault((unsigned long)addr, false, _THIS_IP_);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, GOSPAN_GUARD_BESIDE);
	KUNIT_EXPECT_PTR_EQ(test, gospan_kunit_seen.m.object, (const void *)object);
}

/* Of two objects beside a guard page the nearer, but one that lives before one that does not. */
static void access_between_two(struct kunit *test)
{
	u8 *p, *q;

	take_neighbours(test, &p, &q);
	expect_beside(test, p + 64, p);
	expect_beside(test, q - 1, q);
	gospan_free(p);
	expect_beside(test, p + 64, q);
	gospan_free(q);
}

static void expect_misuse(struct kunit *test, enum gospan_verdict verdict, const void *where)
{
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, verdict);
	KUNIT_EXPECT_PTR_EQ(test, gospan_kunit_seen.m.p, where);
	gospan_kunit_listen();
}

/* What is written between the object and its guard pages is found when it is freed. */
static void write_in_page_is_found(struct kunit *test)
{
	u8 *p = take_lying(test, 100, is_at_end);

	gospan_kunit_listen();
	p[100] = 1;
	gospan_free(p);
	expect_misuse(test, GOSPAN_FREE_OVERRUN, p + 100);
	p = take_lying(test, 100, is_at_end);
	p[-1] = 1;
	gospan_free(p);
	expect_misuse(test, GOSPAN_FREE_UNDERRUN, p - 1);
	p = take_lying(test, 100, is_at_start);
	p[PAGE_SIZE - 1] = 1;
	gospan_free(p);
	expect_misuse(test, GOSPAN_FREE_OVERRUN, p + PAGE_SIZE - 1);
}

static void wrong_pointers(struct kunit *test)
{
	u8 *p = take_lying(test, 100, is_at_start);

	gospan_kunit_listen();
	gospan_free(p + 8);
	expect_misuse(test, GOSPAN_FREE_INTERIOR, p + 8);
	gospan_free(p - 8);
	expect_misuse(test, GOSPAN_FREE_FOREIGN, p - 8);
	KUNIT_EXPECT_EQ(test, gospan_size(p + 8), 0);
	expect_misuse(test, GOSPAN_FREE_INTERIOR, p + 8);
	KUNIT_EXPECT_NULL(test, gospan_realloc(p + 8, 200, GFP_KERNEL));
	expect_misuse(test, GOSPAN_FREE_INTERIOR, p + 8);
	gospan_free(p);
	gospan_free(p);
	expect_misuse(test, GOSPAN_FREE_DOUBLE, p);
	gospan_free_nolock(p);
	expect_misuse(test, GOSPAN_FREE_DOUBLE, p);
	KUNIT_EXPECT_EQ(test, gospan_size(p), 0);
	expect_misuse(test, GOSPAN_FREE_DOUBLE, p);
}

struct tree_node {
	struct rcu_head rcu;
};

/* An object is one like others, to all calls. */
static void calls_take_it(struct kunit *test)
{
	struct tree_node *node;
	void *some[2];
	u8 *p, *q;

	gospan_kunit_listen();
	p = take(test, 100, GFP_KERNEL | __GFP_ZERO);
	KUNIT_EXPECT_TRUE(test, gospan_owns(p));
	KUNIT_EXPECT_EQ(test, gospan_size(p), 100);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 100));
	KUNIT_EXPECT_TRUE(test, virt_addr_valid(p));
	memset(p, 0x77, 100);
	KUNIT_EXPECT_PTR_EQ(test, gospan_realloc(p, 50, GFP_KERNEL), (void *)p);
	q = gospan_realloc(p, 3000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0x77, 100));
	gospan_free(q);
	p = gospan_kvrealloc(take(test, 100, GFP_KERNEL), 100, 3000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gospan_kvfree_sensitive(p, 3000);
	gospan_kvfree_sensitive(take(test, 100, GFP_KERNEL), 100);
	gospan_free_nolock(take(test, 8, GFP_KERNEL));
	gospan_kvfree(take(test, 8, GFP_KERNEL));
	gospan_free_sensitive(take(test, 100, GFP_KERNEL));
	some[0] = take(test, 64, GFP_KERNEL);
	some[1] = gospan_alloc(64, GFP_KERNEL);
	gospan_free_bulk(2, some);
	gospan_free_rcu_mightsleep(take(test, 64, GFP_KERNEL));
	node = (struct tree_node *)take(test, sizeof(*node), GFP_KERNEL);
	gospan_free_rcu(node, rcu);
	gospan_rcu_barrier();
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 0);
}

/* It is of no cache. */
static void cache_does_not_take_it(struct kunit *test)
{
	struct gospan_cache *cache = gospan_cache_create("guard_kunit", 64, 0, 0, NULL);
	u8 *p;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	p = take(test, 64, GFP_KERNEL);
	gospan_kunit_listen();
	gospan_cache_free(cache, p);
	expect_misuse(test, GOSPAN_FREE_OTHER, p);
	gospan_free(p);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 0);
	gospan_cache_destroy(cache);
}

/* Pages come again in the order in which they were freed; without one, others do. */
static void pages_in_turn(struct kunit *test)
{
	unsigned long page[NR_OBJECTS];
	u8 *p[NR_OBJECTS], *other;
	unsigned int i;

	for (i = 0; i < NR_OBJECTS; i++) {
		p[i] = take(test, 64, GFP_KERNEL);
		page[i] = (unsigned long)p[i] & PAGE_MASK;
	}
	gospan_guard_arm();
	other = gospan_alloc(64, GFP_KERNEL);
	gospan_guard_disarm();
	KUNIT_EXPECT_FALSE(test, gospan_guard_pages_have(other));
	gospan_free(other);
	for (i = 0; i < NR_OBJECTS; i++)
		gospan_free(p[i]);
	for (i = 0; i < NR_OBJECTS; i++) {
		p[i] = take(test, 64, GFP_KERNEL);
		KUNIT_EXPECT_EQ(test, (unsigned long)p[i] & PAGE_MASK, page[i]);
	}
	for (i = 0; i < NR_OBJECTS; i++)
		gospan_free(p[i]);
}

/* One allocation of those that fit. */
static void one_is_due(struct kunit *test)
{
	void *large, *first, *second;

	gospan_guard_arm();
	large = gospan_alloc(PAGE_SIZE + 1, GFP_KERNEL);
	first = gospan_alloc_noscan(3, GFP_KERNEL);
	second = gospan_alloc(64, GFP_KERNEL);
	gospan_guard_disarm();
	KUNIT_EXPECT_FALSE(test, gospan_guard_pages_have(large));
	KUNIT_EXPECT_TRUE(test, gospan_guard_pages_have(first));
	KUNIT_EXPECT_FALSE(test, gospan_guard_pages_have(second));
	gospan_free(large);
	gospan_free(first);
	gospan_free(second);
}

static void objects_are_aligned(struct kunit *test)
{
	unsigned int i, n;
	u8 *p;

	gospan_kunit_listen();
	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		size_t size = gospan_kunit_sizes[i];

		for (n = 0; size && size <= PAGE_SIZE && n < 2; n++) {
			p = take(test, size, GFP_KERNEL);
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, sizeof(u64)));
			if (is_power_of_2(size))
				KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, size));
			memset(p, 0x55, size);
			gospan_free(p);
		}
	}
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 0);
}

/* A CPU that takes all objects that it gets, and gives them back. */
struct sharer {
	struct task_struct *task;
	u8 id;
	unsigned int nr_taken, nr_wrong;
};

static int sharer_thread(void *data)
{
	struct sharer *s = data;
	u8 *p[2 * NR_OBJECTS];
	unsigned int i, n, round;

	for (round = 0; !kthread_should_stop(); round++) {
		/* More than there are pages, in the end. */
		n = round % ARRAY_SIZE(p) + 1;
		for (i = 0; i < n; i++) {
			atomic_set(&gospan_guard_due, 1);
			p[i] = gospan_alloc(64, GFP_KERNEL);
			if (!p[i])
				continue;
			WRITE_ONCE(s->nr_taken, s->nr_taken + gospan_guard_pages_have(p[i]));
			memset(p[i], s->id, 64);
		}
		for (i = 0; i < n; i++) {
			s->nr_wrong += p[i] && memchr_inv(p[i], s->id, 64);
			gospan_free(p[i]);
		}
		cond_resched();
	}
	return 0;
}

/* Until it has had enough. */
static void sharer_wait(struct kunit *test, const struct sharer *s)
{
	unsigned long end = jiffies + 30 * HZ;

	while (READ_ONCE(s->nr_taken) < 1000 && time_before(jiffies, end))
		usleep_range(1000, 20000);
	KUNIT_EXPECT_GE(test, READ_ONCE(s->nr_taken), 1000);
}

/* Pages pass between CPUs, each to one at a time, with its report of nothing. */
static void cpus_share_pages(struct kunit *test)
{
	struct sharer *sharers;
	unsigned int cpu, i, n = 0;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	sharers = kunit_kcalloc(test, nr_cpu_ids, sizeof(*sharers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sharers);
	gospan_kunit_listen();
	gospan_guard_arm();
	for_each_online_cpu(cpu) {
		struct sharer *s = &sharers[n];

		s->id = n + 1;
		s->task = kthread_create_on_cpu(sharer_thread, s, cpu, "gospan_guard/%u");
		if (IS_ERR(s->task))
			break;
		get_task_struct(s->task);
		wake_up_process(s->task);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, num_online_cpus());
	for (i = 0; i < n; i++)
		sharer_wait(test, &sharers[i]);
	for (i = 0; i < n; i++) {
		kthread_stop(sharers[i].task);
		put_task_struct(sharers[i].task);
		KUNIT_EXPECT_EQ(test, sharers[i].nr_wrong, 0);
	}
	gospan_guard_disarm();
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 0);
}

/* Of two that free an object at the same time one is told. */
static void cpus_free_one(struct kunit *test)
{
	unsigned int i;
	u8 *p;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	for (i = 0; i < 100; i++) {
		p = take(test, 64, GFP_KERNEL);
		gospan_kunit_listen();
		on_each_cpu(do_free, p, true);
		KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, num_online_cpus() - 1);
		KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, GOSPAN_FREE_DOUBLE);
	}
}

#if defined(CONFIG_HOTPLUG_CPU) && defined(CONFIG_X86)

static void *dying_got;

static int alloc_dying(unsigned int cpu)
{
	dying_got = gospan_alloc(64, GFP_ATOMIC);
	return 0;
}

/* What is due is not taken behind a CPU's last interrupt, which says that it was. */
static void dying_cpu_takes_none(struct kunit *test)
{
	unsigned int cpu = cpumask_last(cpu_online_mask);
	u8 *p;

	if (cpu == cpumask_first(cpu_online_mask))
		kunit_skip(test, "needs two CPUs");
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT cannot grow there");
	/* Another machine's, which x86 has not; behind CPUHP_AP_SMPCFD_DYING. */
	KUNIT_ASSERT_EQ(test, cpuhp_setup_state_nocalls(CPUHP_AP_IRQ_GIC_STARTING,
							"gospan/kunit:dying", NULL, alloc_dying),
			0);
	gospan_guard_arm();
	KUNIT_EXPECT_EQ(test, remove_cpu(cpu), 0);
	KUNIT_EXPECT_NOT_NULL(test, dying_got);
	KUNIT_EXPECT_FALSE(test, gospan_guard_pages_have(dying_got));
	p = gospan_alloc(64, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, gospan_guard_pages_have(p));
	gospan_guard_disarm();
	gospan_free(p);
	gospan_free(dying_got);
	cpuhp_remove_state_nocalls(CPUHP_AP_IRQ_GIC_STARTING);
	KUNIT_EXPECT_EQ(test, add_cpu(cpu), 0);
}

#else

static void dying_cpu_takes_none(struct kunit *test)
{
	kunit_skip(test, "needs x86 with CONFIG_HOTPLUG_CPU");
}

#endif

static struct kunit_case guard_cases[] = {
	KUNIT_CASE_PARAM(access_is_found, access_gen_params),
	KUNIT_CASE(access_is_found_again),
	KUNIT_CASE(access_between_two),
	KUNIT_CASE(write_in_page_is_found),
	KUNIT_CASE(wrong_pointers),
	KUNIT_CASE(calls_take_it),
	KUNIT_CASE(cache_does_not_take_it),
	KUNIT_CASE(pages_in_turn),
	KUNIT_CASE(one_is_due),
	KUNIT_CASE(objects_are_aligned),
	KUNIT_CASE(cpus_share_pages),
	KUNIT_CASE(cpus_free_one),
	KUNIT_CASE(dying_cpu_takes_none),
	{}
};

static struct kunit_suite guard_suite = {
	.name = "gospan_guard",
	.init = guard_init,
	.exit = guard_exit,
	.test_cases = guard_cases,
};

kunit_test_suite(guard_suite);
