// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of giving back what the module's own heap has free, with nobody and
 * with everybody else in it at the same time.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/nodemask.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/mcentral.h"
#include "../src/report.h"
#include "../src/scavenge.h"
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"

static unsigned long heap_held(void)
{
	return gospan_supply_held_pages(&gospan_heap);
}

/* Objects of all sizes, allocated in order; each filled with its number. */
struct objects {
	void *p[512];
	unsigned int nr;
};

static struct objects *objects_make(struct kunit *test)
{
	struct objects *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	size_t size;

	KUNIT_ASSERT_NOT_NULL(test, o);
	for (o->nr = 0; o->nr < ARRAY_SIZE(o->p); o->nr++) {
		size = gospan_kunit_sizes[o->nr % gospan_kunit_nr_sizes];
		o->p[o->nr] = gospan_alloc(size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, o->p[o->nr]);
		memset(o->p[o->nr], o->nr, size);
	}
	return o;
}

/* Free every @stride-th, if it is as it was. */
static void objects_free(struct kunit *test, struct objects *o, unsigned int stride)
{
	unsigned int i;

	for (i = 0; i < o->nr; i += stride) {
		if (!o->p[i])
			continue;
		KUNIT_EXPECT_NULL(test, memchr_inv(o->p[i], (u8)i,
						   gospan_kunit_sizes[i % gospan_kunit_nr_sizes]));
		gospan_free(o->p[i]);
		o->p[i] = NULL;
	}
}

/* Free pages, in page caches or not: after a trim none. */
static unsigned long heap_idle(void)
{
	struct gospan_supply_usage usage = gospan_supply_usage(&gospan_heap, NUMA_NO_NODE);

	return usage.free_pages + usage.cached_pages;
}

static void trim_gives_all_back(struct kunit *test)
{
	struct gospan_memstats *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);
	unsigned long trimmed_pages = gospan_scavenge_read().trimmed_pages;
	unsigned long before;
	struct objects *o;

	KUNIT_ASSERT_NOT_NULL(test, st);
	gospan_trim();
	o = objects_make(test);
	objects_free(test, o, 1);
	before = heap_held();
	KUNIT_EXPECT_GT(test, before, 0);
	KUNIT_EXPECT_EQ(test, gospan_trim(), before * GOSPAN_PAGE_SIZE);
	KUNIT_EXPECT_GE(test, gospan_scavenge_read().trimmed_pages, trimmed_pages + before);
	gospan_read_stats(st);
	KUNIT_EXPECT_EQ(test, st->heap_sys, 0);
	KUNIT_EXPECT_EQ(test, st->heap_idle, 0);
	KUNIT_EXPECT_EQ(test, st->cached_bytes, 0);
	KUNIT_EXPECT_EQ(test, st->mspan_sys, 0);
	KUNIT_EXPECT_EQ(test, gospan_supply_usage(&gospan_heap, NUMA_NO_NODE).nr_chunks, 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	KUNIT_EXPECT_EQ(test, gospan_trim(), 0);
}

static void trim_keeps_what_lives(struct kunit *test)
{
	static const unsigned int strides[] = { 2, 3, 1 };
	struct objects *o;
	unsigned int i;

	gospan_trim();
	o = objects_make(test);
	for (i = 0; i < ARRAY_SIZE(strides); i++) {
		objects_free(test, o, strides[i]);
		gospan_trim();
		KUNIT_EXPECT_EQ(test, heap_idle(), 0);
		KUNIT_EXPECT_EQ(test, heap_held(), gospan_kunit_inuse_pages(&gospan_heap));
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
	KUNIT_EXPECT_EQ(test, heap_held(), 0);
}

struct fill {
	struct completion done;
	unsigned long nr_failed;
};

static int fill_thread(void *data)
{
	struct fill *fill = data;
	void *p[8];
	unsigned int i, j;

	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		for (j = 0; j < ARRAY_SIZE(p); j++) {
			p[j] = gospan_alloc(gospan_kunit_sizes[i], GFP_KERNEL);
			fill->nr_failed += !p[j];
		}
		for (j = 0; j < ARRAY_SIZE(p); j++)
			gospan_free(p[j]);
	}
	complete(&fill->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* What other CPUs, now idle, have in their caches comes back, too. */
static void trim_drains_idle_cpus(struct kunit *test)
{
	struct fill *fill = kunit_kzalloc(test, sizeof(*fill), GFP_KERNEL);
	struct task_struct *task;
	unsigned int cpu;

	KUNIT_ASSERT_NOT_NULL(test, fill);
	init_completion(&fill->done);
	gospan_trim();
	for_each_online_cpu(cpu) {
		task = kthread_create_on_cpu(fill_thread, fill, cpu, "gospan_fill/%u");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		wake_up_process(task);
		wait_for_completion(&fill->done);
		kthread_stop(task);
	}
	KUNIT_EXPECT_EQ(test, fill->nr_failed, 0);
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_GT(test, gospan_mcache_of_cpu(cpu)->capacity_bytes, 0);
		KUNIT_EXPECT_GT(test, gospan_mheap_cpu_pages(&gospan_heap, cpu), 0);
	}
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_trim();
	KUNIT_EXPECT_EQ(test, heap_held(), 0);
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, gospan_mcache_of_cpu(cpu)->capacity_bytes, 0);
		KUNIT_EXPECT_EQ(test, gospan_mheap_cpu_pages(&gospan_heap, cpu), 0);
	}
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* The module parameter. */
static const struct kernel_param *memory_limit(void)
{
	unsigned int i;

	for (i = 0; i < THIS_MODULE->num_kp; i++)
		if (!strcmp(THIS_MODULE->kp[i].name, "memory_limit"))
			return &THIS_MODULE->kp[i];
	return NULL;
}

/* As a write to its file. */
static int memory_limit_set(const char *text)
{
	const struct kernel_param *kp = memory_limit();
	int err;

	kernel_param_lock(THIS_MODULE);
	err = kp->ops->set(text, kp);
	kernel_param_unlock(THIS_MODULE);
	return err;
}

/* What is written, and what comes of it; @read NULL: it is refused. */
static const struct {
	const char *text, *read;
	unsigned long bytes;
} limits[] = {
	{ "1\n", "1\n", 1 },
	{ "8192", "8192\n", 8192 },
	{ "12345678", "12345678\n", 12345678 },
	{ "3M", "3145728\n", 3 * SZ_1M },
	{ "0x10000\n", "65536\n", 65536 },
	{ "2g\n", "2147483648\n", 2UL * SZ_1G },
	{ "" }, { "\n" }, { "M" }, { "-1" }, { "1Mx" }, { "1 M" }, { "x" },
	/* Modulo 2^64 they would be 1, 0 and 1 GiB. */
	{ "18446744073709551617" }, { "18014398509481984K" }, { "17179869185G" },
	{ "0", "0\n", 0 },
};

static void memory_limit_set_and_get(struct kunit *test)
{
	char *buffer = (char *)get_zeroed_page(GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		unsigned long before = gospan_heap.limit_pages;

		if (!limits[i].read) {
			KUNIT_EXPECT_EQ_MSG(test, memory_limit_set(limits[i].text), -EINVAL, "%s",
					    limits[i].text);
			KUNIT_EXPECT_EQ(test, gospan_heap.limit_pages, before);
			continue;
		}
		KUNIT_EXPECT_EQ_MSG(test, memory_limit_set(limits[i].text), 0, "%s",
				    limits[i].text);
		/* Rounded up: a byte is not no limit. */
		KUNIT_EXPECT_EQ(test, gospan_heap.limit_pages,
				DIV_ROUND_UP(limits[i].bytes, GOSPAN_PAGE_SIZE));
		KUNIT_EXPECT_GT(test, memory_limit()->ops->get(buffer, memory_limit()), 0);
		KUNIT_EXPECT_STREQ(test, buffer, limits[i].read);
	}
	free_page((unsigned long)buffer);
}

/* So long, and longer on a slow machine until something has happened. */
#define RUN_JIFFIES	max(HZ / 4, 2)
#define MAX_JIFFIES	HZ
#define MIN_CALLS	3UL
#define HOG_BYTES	(GOSPAN_CHUNK_BYTES / 2)

/* Allocates and frees, on a CPU of its own. */
struct churner {
	struct task_struct *task;
	struct rnd_state rnd;
	bool stop;
	u8 *objs[32];
	unsigned long seen;		/* address of an object of now or of late */
	unsigned long nr_allocs, nr_bad, nr_failed;
};

/* Each byte tells whose it is; whoever gets the same memory at the same time spoils it. */
static u8 pattern_of(const struct churner *ch, const u8 *p)
{
	return (unsigned long)p >> 3 ^ (unsigned long)p >> 13 ^ (unsigned long)ch >> 6;
}

static void churn_alloc(struct churner *ch, u8 **obj)
{
	size_t size = 1 + gospan_kunit_below(&ch->rnd, gospan_kunit_below(&ch->rnd, 16) ?
					     500 : 60000);

	*obj = gospan_alloc(size, GFP_KERNEL);
	ch->nr_allocs++;
	ch->nr_failed += !*obj;
	if (!*obj)
		return;
	memset(*obj, pattern_of(ch, *obj), gospan_size(*obj));
	WRITE_ONCE(ch->seen, (unsigned long)*obj);
}

static void churn_free(struct churner *ch, u8 **obj)
{
	if (*obj)
		ch->nr_bad += !!memchr_inv(*obj, pattern_of(ch, *obj), gospan_size(*obj));
	gospan_free(*obj);
	*obj = NULL;
}

static void churn(struct churner *ch)
{
	u8 **obj = &ch->objs[gospan_kunit_below(&ch->rnd, ARRAY_SIZE(ch->objs))];
	unsigned int i;

	if (*obj)
		churn_free(ch, obj);
	else
		churn_alloc(ch, obj);
	/* So that whole chunks become free. */
	for (i = 0; !gospan_kunit_below(&ch->rnd, 256) && i < ARRAY_SIZE(ch->objs); i++)
		churn_free(ch, &ch->objs[i]);
}

static int churn_thread(void *data)
{
	struct churner *ch = data;
	unsigned int i;

	while (!READ_ONCE(ch->stop)) {
		churn(ch);
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(ch->objs); i++)
		churn_free(ch, &ch->objs[i]);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* What is done meanwhile, over and over; @seen is an address that may be ours. */
static void meanwhile_trim(struct rnd_state *rnd, unsigned long seen)
{
	gospan_trim();
}

/* As the shrinker does. */
static void meanwhile_release(struct rnd_state *rnd, unsigned long seen)
{
	int node;

	for_each_online_node(node)
		gospan_supply_release(&gospan_heap, node, 1 + gospan_kunit_below(rnd, 128));
}

/* Addresses of chunks that come and go. */
static void meanwhile_look_up(struct rnd_state *rnd, unsigned long seen)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		const void *p = (void *)(seen & ~(GOSPAN_CHUNK_BYTES - 1)) +
				gospan_kunit_below(rnd, 2 * GOSPAN_CHUNK_BYTES);

		/* True at one moment, false at the next. */
		if (gospan_owns(p))
			gospan_size(p);
		gospan_size((void *)seen);
	}
	gospan_trim();
}

/* The scavenger works at once, in the background; what it drains depends on the limit. */
static void meanwhile_limit(struct rnd_state *rnd, unsigned long seen)
{
	char text[16];

	snprintf(text, sizeof(text), "%uK", gospan_kunit_below(rnd, 4096));
	memory_limit_set(text);
	schedule_timeout_uninterruptible(1);
}

static const struct meanwhile {
	const char *name;
	void (*fn)(struct rnd_state *rnd, unsigned long seen);
	bool misuses;			/* asks for the size of what is no object */
	bool scavenges;			/* with the background scavenger */
} meanwhiles[] = {
	{ "trim", meanwhile_trim },
	{ "release", meanwhile_release },
	{ "look_up", meanwhile_look_up, .misuses = true },
	{ "limit", meanwhile_limit, .scavenges = true },
};

static void meanwhile_name(const struct meanwhile *meanwhile, char *name)
{
	strscpy(name, meanwhile->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(meanwhile, meanwhiles, meanwhile_name);

static void churners_start(struct kunit *test, struct churner *ch, int (*thread)(void *data),
			   struct rnd_state *rnd)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		prandom_seed_state(&ch->rnd, prandom_u32_state(rnd));
		ch->task = kthread_create_on_cpu(thread, ch, cpu, "gospan_churn/%u");
		KUNIT_EXPECT_FALSE(test, IS_ERR(ch->task));
		if (IS_ERR(ch->task))
			ch->task = NULL;
		else
			wake_up_process(ch->task);
		ch++;
	}
}

static void churners_finish(struct kunit *test, struct churner *ch, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		WRITE_ONCE(ch[i].stop, true);
	for (i = 0; i < nr; i++, ch++) {
		if (ch->task)
			kthread_stop(ch->task);
		KUNIT_EXPECT_GT(test, ch->nr_allocs, 0);
		KUNIT_EXPECT_EQ(test, ch->nr_bad, 0);
		KUNIT_EXPECT_EQ(test, ch->nr_failed, 0);
	}
}

/* All CPUs allocate, write, look and free, while memory is taken from below them. */
static void give_back_while_in_use(struct kunit *test)
{
	const struct meanwhile *meanwhile = test->param_value;
	unsigned int nr = num_online_cpus(), i;
	struct churner *ch = kunit_kcalloc(test, nr, sizeof(*ch), GFP_KERNEL);
	unsigned long misuses = gospan_report_count(), start = jiffies;
	unsigned long released_pages, calls = 0, allocs = 0;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, ch);
	gospan_kunit_seed(test, &rnd);
	released_pages = gospan_supply_usage(&gospan_heap, NUMA_NO_NODE).released_pages;
	if (meanwhile->scavenges)
		KUNIT_ASSERT_EQ(test, gospan_scavenge_init(), 0);
	churners_start(test, ch, churn_thread, &rnd);
	for (; time_before(jiffies, start + (calls < MIN_CALLS ? MAX_JIFFIES : RUN_JIFFIES));
	     calls++) {
		meanwhile->fn(&rnd, READ_ONCE(ch[calls % nr].seen));
		cond_resched();
	}
	churners_finish(test, ch, nr);
	KUNIT_EXPECT_EQ(test, memory_limit_set("0"), 0);
	if (meanwhile->scavenges)
		gospan_scavenge_exit();
	for (i = 0; i < nr; i++)
		allocs += ch[i].nr_allocs;
	released_pages = gospan_supply_usage(&gospan_heap, NUMA_NO_NODE).released_pages -
			 released_pages;
	kunit_info(test, "%lu calls, %lu pages given back, %lu allocations", calls,
		   released_pages, allocs);
	KUNIT_EXPECT_GT(test, calls, 0);
	KUNIT_EXPECT_GT(test, released_pages, 0);
	if (!meanwhile->misuses)
		KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_trim();
	KUNIT_EXPECT_EQ(test, heap_held(), 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* Frees a large object and allocates another: there is something to give back each time. */
static int hog_thread(void *data)
{
	struct churner *ch = data;

	while (!READ_ONCE(ch->stop)) {
		void *p = gospan_alloc(HOG_BYTES, GFP_KERNEL);

		ch->nr_failed += !p;
		gospan_free(p);
		ch->nr_allocs++;
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* A trim gives back what is free when it starts; it used to go on as long as others freed. */
static void trim_ends_while_others_free(struct kunit *test)
{
	unsigned int nr = num_online_cpus();
	struct churner *ch = kunit_kcalloc(test, nr, sizeof(*ch), GFP_KERNEL);
	unsigned long start = jiffies, calls, npages, max_npages = 0;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, ch);
	gospan_trim();
	gospan_kunit_seed(test, &rnd);
	churners_start(test, ch, hog_thread, &rnd);
	for (calls = 0; calls < MIN_CALLS && time_before(jiffies, start + MAX_JIFFIES); calls++) {
		npages = gospan_trim() >> GOSPAN_PAGE_SHIFT;
		max_npages = max(max_npages, npages);
		schedule_timeout_uninterruptible(1);
	}
	churners_finish(test, ch, nr);
	kunit_info(test, "%lu calls in %u ms, up to %lu pages", calls,
		   jiffies_to_msecs(jiffies - start), max_npages);
	/* More than there is at one time. */
	KUNIT_EXPECT_LE(test, max_npages, (nr + 1) * 2UL * GOSPAN_CHUNK_NPAGES);
	gospan_trim();
	KUNIT_EXPECT_EQ(test, heap_held(), 0);
}

/* A scan drains the caches if that was not done so long before. */
#define SHRINK_WAIT_MS	150U
/* More than a CPU caches and than may be in transit: 16 MiB. */
#define NR_SHRINK_OBJECTS	2048U
#define SHRINK_OBJECT_BYTES	8192U

/* As the kernel does it when it is short of memory. */
static void shrinker_gives_what_it_counts(struct kunit *test)
{
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL, .nid = first_online_node };
	unsigned long shrunk_pages = gospan_scavenge_read().shrunk_pages;
	unsigned long count, held, freed, sum = 0;
	struct shrinker *shrinker;
	struct objects *o;

	gospan_trim();
	o = objects_make(test);
	/* Nothing grows from now on, so the background has nothing to do. */
	KUNIT_ASSERT_EQ(test, gospan_scavenge_init(), 0);
	shrinker = gospan_scavenge_shrinker;
	objects_free(test, o, 1);
	held = heap_held() << GOSPAN_PAGE_ORDER;
	count = shrinker->count_objects(shrinker, &sc);
	KUNIT_EXPECT_GT(test, count, 0);
	KUNIT_EXPECT_LE(test, count, held);
	sc.nr_to_scan = 128;
	msleep(SHRINK_WAIT_MS);
	while ((freed = shrinker->scan_objects(shrinker, &sc)) != SHRINK_STOP) {
		KUNIT_EXPECT_GT(test, freed, 0);
		sum += freed;
		KUNIT_EXPECT_EQ(test, heap_held() << GOSPAN_PAGE_ORDER, held - sum);
	}
	/* What CPUs cached as objects was not known to be whole pages. */
	KUNIT_EXPECT_GE(test, sum, count);
	KUNIT_EXPECT_EQ(test, heap_held(), 0);
	KUNIT_EXPECT_EQ(test, (gospan_scavenge_read().shrunk_pages - shrunk_pages) <<
			GOSPAN_PAGE_ORDER, sum);
	KUNIT_EXPECT_EQ(test, shrinker->count_objects(shrinker, &sc), SHRINK_EMPTY);
	gospan_scavenge_exit();
}

/*
 * Spans that became empty after the caches were drained last are given all the same: a
 * guest ran out of memory while 80 MiB of such were held.
 */
static void shrinker_gives_empty_spans_at_once(struct kunit *test)
{
	struct shrink_control sc = {
		.gfp_mask = GFP_KERNEL, .nid = first_online_node, .nr_to_scan = 128,
	};
	void **first = NULL, **next;
	struct shrinker *shrinker;
	unsigned int i;

	gospan_trim();
	KUNIT_ASSERT_EQ(test, gospan_scavenge_init(), 0);
	shrinker = gospan_scavenge_shrinker;
	msleep(SHRINK_WAIT_MS);
	/* There is nothing; but it has looked everywhere. */
	KUNIT_EXPECT_EQ(test, shrinker->scan_objects(shrinker, &sc), SHRINK_STOP);
	for (i = 0; i < NR_SHRINK_OBJECTS; i++) {
		next = first;
		first = gospan_alloc(SHRINK_OBJECT_BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, first);
		*first = next;
	}
	for (; first; first = next) {
		next = *first;
		gospan_free(first);
	}
	KUNIT_EXPECT_GT(test, gospan_mcentral_empty_pages(first_online_node), 0);
	while (shrinker->scan_objects(shrinker, &sc) != SHRINK_STOP)
		;
	KUNIT_EXPECT_EQ(test, gospan_mcentral_empty_pages(first_online_node), 0);
	gospan_scavenge_exit();
}

static struct kunit_case scavenge_trim_cases[] = {
	KUNIT_CASE(shrinker_gives_what_it_counts),
	KUNIT_CASE(shrinker_gives_empty_spans_at_once),
	KUNIT_CASE(trim_gives_all_back),
	KUNIT_CASE(trim_keeps_what_lives),
	KUNIT_CASE(trim_drains_idle_cpus),
	KUNIT_CASE(memory_limit_set_and_get),
	KUNIT_CASE_PARAM(give_back_while_in_use, meanwhile_gen_params),
	KUNIT_CASE(trim_ends_while_others_free),
	{}
};

static struct kunit_suite scavenge_trim_suite = {
	.name = "gospan_scavenge_trim",
	.init = gospan_kunit_init,
	.test_cases = scavenge_trim_cases,
};

kunit_test_suite(scavenge_trim_suite);
