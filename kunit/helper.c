// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests: what several suites share.
 *
 * Suites that work on the module's own heap assume that nobody else does, and
 * so without the scavenger and the reserves of CPUs. Each of their tests starts
 * on the first online CPU with all magazines and transit stacks empty, and must
 * leave no object live.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include "../src/malloc.h"
#include "../src/nolock.h"
#include "../src/idle.h"
#include "../src/scavenge.h"
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"

static unsigned int kunit_seed;
module_param(kunit_seed, uint, 0444);
MODULE_PARM_DESC(kunit_seed, "seed of the random tests, to repeat a run (default: drawn)");

static unsigned int kunit_steps = 1000000;
module_param(kunit_steps, uint, 0444);
MODULE_PARM_DESC(kunit_steps, "steps of the longest random test (default: 1000000)");

const size_t gospan_kunit_sizes[] = {
	1, 7, 8, 9, 15, 16, 17, 24, 25, 32, 33, 48, 63, 64, 65, 96, 100, 127, 128, 129,
	192, 255, 256, 257, 511, 512, 513, 1000, 1023, 1024, 1025, 1152, 1153, 2047, 2048,
	2049, 4095, 4096, 4097, 8191, 8192, 8193, 16383, 16384, 16385, 20481, 28672, 28673,
	32767, 32768, 32769, 40960, 65535, 65536, 65537, 131072, 150000,
};

const unsigned int gospan_kunit_nr_sizes = ARRAY_SIZE(gospan_kunit_sizes);

static void flush_this_cpu(void *unused)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);

	c = gospan_mcache_wake(c);
	if (!gospan_mcache_is_none(c))
		gospan_mcache_flush(c);
	gospan_mcache_release(slot, c);
	gospan_mheap_flush_cpu(&gospan_heap, smp_processor_id());
}

/* Every free object of every CPU back to its span. */
void gospan_kunit_flush(void)
{
	on_each_cpu(flush_this_cpu, NULL, true);
	gospan_mcentral_drain_all();
	if (gospan_mcentral_waiting_pages())
		rcu_barrier();
}

/* Objects that are allocated and not freed; exact after gospan_kunit_flush(). */
u64 gospan_kunit_live(void)
{
	struct gospan_large_count large = gospan_mheap_large(&gospan_heap);
	u64 live = large.mallocs - large.frees;
	unsigned int spanclass;
	int node;

	for_each_node(node)
		for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
			live += atomic_long_read(&gospan_mcentral_of(spanclass, node)->nr_taken);
	return live;
}

/* Pages in spans; exact when nothing allocates. */
unsigned long gospan_kunit_inuse_pages(struct gospan_mheap *h)
{
	struct gospan_supply_usage usage = gospan_supply_usage(h, NUMA_NO_NODE);

	return usage.obtained_pages - usage.released_pages - usage.free_pages - usage.cached_pages;
}

/* The module parameter cpu_cache_bytes; 0 if there is none. */
unsigned int gospan_kunit_cache_limit(void)
{
	unsigned int i;

	for (i = 0; i < THIS_MODULE->num_kp; i++)
		if (!strcmp(THIS_MODULE->kp[i].name, "cpu_cache_bytes"))
			return *(unsigned int *)THIS_MODULE->kp[i].arg;
	return 0;
}

static void check_heap(void *data)
{
	struct kunit *test = data;

	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, gospan_kunit_live(), (u64)(unsigned long)test->priv);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	KUNIT_EXPECT_EQ(test, gospan_nolock_init(), 0);
	KUNIT_EXPECT_EQ(test, gospan_scavenge_init(), 0);
	gospan_idle_init();
}

int gospan_kunit_init(struct kunit *test)
{
	int err = set_cpus_allowed_ptr(current, cpumask_of(cpumask_first(cpu_online_mask)));

	if (err)
		return err;
	/* It would take free pages from under a test, and chunks from under the validator. */
	gospan_idle_exit();
	gospan_scavenge_exit();
	gospan_nolock_exit();
	gospan_kunit_flush();
	/* What a failed test left behind is its fault only. */
	test->priv = (void *)(unsigned long)gospan_kunit_live();
	/* The first action to be added is the last to run. */
	return kunit_add_action_or_reset(test, check_heap, test);
}

/* The module parameter kunit_steps, for a short run where memory accesses are checked. */
unsigned int gospan_kunit_steps(void)
{
	return kunit_steps;
}

/*
 * Kernels with fault injection let a task's own nth allocation fail, of those
 * that may not sleep.
 */
bool gospan_kunit_can_fail(void)
{
	return IS_ENABLED(CONFIG_FAULT_INJECTION) && IS_ENABLED(CONFIG_FAILSLAB);
}

#ifdef CONFIG_FAULT_INJECTION
/* Let the @n-th from now on fail; 0: none. */
void gospan_kunit_fail_nth(unsigned int n)
{
	WRITE_ONCE(current->fail_nth, n);
}

/* Allocations until one fails; 0: it has, or none was to. */
unsigned int gospan_kunit_fail_left(void)
{
	return READ_ONCE(current->fail_nth);
}
#else
void gospan_kunit_fail_nth(unsigned int n)
{
}

unsigned int gospan_kunit_fail_left(void)
{
	return 0;
}
#endif

/* A new seed for each call, of which the log tells. */
void gospan_kunit_seed(struct kunit *test, struct rnd_state *rnd)
{
	u32 seed = kunit_seed ?: get_random_u32();

	kunit_info(test, "kunit_seed=%u", seed);
	prandom_seed_state(rnd, seed);
}

/* A random number below @limit, which is not 0. */
u32 gospan_kunit_below(struct rnd_state *rnd, u32 limit)
{
	return prandom_u32_state(rnd) % limit;
}
