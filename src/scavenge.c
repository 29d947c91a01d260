// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scavenger: gives free pages back to the kernel.
 *
 * Three ways. In the background, it keeps what the heap holds near 10 % above
 * what was in use of late, and takes at most 1 % of a CPU for that. A shrinker
 * gives the kernel, when it is short of memory, what it asks for. And
 * gospan_trim() gives everything that is free.
 *
 * What CPUs cache counts as in use, until it is drained: by an interrupt on
 * each CPU that caches anything, since nobody else may touch it. The background
 * does so only when memory_limit is exceeded.
 *
 * Go's bgscavenge (runtime/mgcscavenge.go) aims at 10 % above the heap that the
 * next collection leads to. Without collections the goal is the use itself,
 * which follows a rise at once and a fall by an eighth of it each second, so
 * that what is freed only to be allocated again soon is not given back.
 */
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <linux/gospan.h>
#include "compat.h"
#include "debug.h"
#include "mcache.h"
#include "rcu.h"
#include "scavenge.h"
#include "supply.h"

/* Above the goal, a tenth of it is kept (Go's retainExtraPercent). */
#define RETAIN_SHARE		10U
/* Below memory_limit, a twentieth of it is kept clear (Go's reduceExtraPercent). */
#define CLEAR_SHARE		20U
/* Pages given back before the clock is looked at. */
#define STEP_NPAGES		64U
/* The kernel asks many times in a row; the caches are drained once in so long. */
#define SHRINK_DRAIN_NS		(100 * NSEC_PER_MSEC)

static struct gospan_scavenger scavenger;
static struct workqueue_struct *scavenge_wq;
static struct delayed_work scavenge_work;
struct shrinker *gospan_scavenge_shrinker;
/* The next two under the lock of the module's parameters. */
static unsigned long memory_limit;
static bool scavenge_runs;
static atomic64_t shrink_drain_ns;
static atomic_long_t nr_shrunk_pages, nr_trimmed_pages;

void gospan_scavenger_init(struct gospan_scavenger *sc, struct gospan_mheap *h,
			   u64 (*now_ns)(void), void (*drain)(void))
{
	*sc = (struct gospan_scavenger){
		.h = h, .now_ns = now_ns, .drain = drain, .goal_ns = now_ns(),
	};
	sc->drain_ns = sc->goal_ns;
}

/* Pages that the heap may hold. */
unsigned long gospan_scavenger_retain(const struct gospan_scavenger *sc)
{
	unsigned long retain = sc->goal_pages + sc->goal_pages / RETAIN_SHARE;
	unsigned long limit = READ_ONCE(sc->h->limit_pages);

	return limit ? min(retain, limit - limit / CLEAR_SHARE) : retain;
}

/* Let the goal follow what is in use. */
static void scavenger_set_goal(struct gospan_scavenger *sc, unsigned long inuse_pages, u64 now)
{
	if (inuse_pages >= sc->goal_pages) {
		sc->goal_pages = inuse_pages;
		sc->goal_ns = now;
	}
	/* Rounded up, so that it arrives. */
	for (; now - sc->goal_ns >= NSEC_PER_SEC; sc->goal_ns += NSEC_PER_SEC) {
		if (sc->goal_pages == inuse_pages) {
			sc->goal_ns = now;
			break;
		}
		sc->goal_pages -= DIV_ROUND_UP(sc->goal_pages - inuse_pages, 8);
	}
}

/* Up to @npages of any node; returns how many. */
static unsigned int heap_release(struct gospan_mheap *h, unsigned long npages)
{
	unsigned int released = 0;
	int node;

	for (node = 0; node < nr_node_ids && !released; node++)
		released = gospan_supply_release(h, node, min_t(unsigned long, npages,
								STEP_NPAGES));
	return released;
}

/* Give back what is too much, as long as it may work. Returns what is left to do. */
static unsigned long scavenger_work(struct gospan_scavenger *sc, unsigned long excess, u64 start)
{
	unsigned int released;

	while (excess) {
		released = heap_release(sc->h, excess);
		if (!released)
			break;
		sc->released_pages += released;
		excess -= min_t(unsigned long, excess, released);
		if (sc->now_ns() - start >= GOSPAN_SCAVENGE_WORK_NS)
			break;
	}
	return excess;
}

/**
 * gospan_scavenger_step() - give back what is too much, for a while
 * @sc: scavenger
 *
 * Context: Task. Takes node heaps' locks; may drain the CPUs' caches.
 * Return: nanoseconds to wait before the next step; 0: the heap holds nothing,
 * until it grows there is nothing to do.
 */
u64 gospan_scavenger_step(struct gospan_scavenger *sc)
{
	struct gospan_supply_usage usage = gospan_supply_usage(sc->h, NUMA_NO_NODE);
	unsigned long held = usage.obtained_pages - usage.released_pages;
	unsigned long idle = usage.free_pages + usage.cached_pages;
	unsigned long limit = READ_ONCE(sc->h->limit_pages), excess, left;
	u64 start = sc->now_ns(), rest;

	/* Sums of different moments. */
	scavenger_set_goal(sc, held - min(held, idle), start);
	if (!held)
		return 0;
	excess = held - min(held, gospan_scavenger_retain(sc));
	left = scavenger_work(sc, excess, start);
	if (left && limit && held - (excess - left) > limit &&
	    start - sc->drain_ns >= GOSPAN_SCAVENGE_POLL_NS) {
		sc->drain_ns = start;
		sc->drain();
		left = scavenger_work(sc, left, sc->now_ns());
	}
	rest = (sc->now_ns() - start) * (GOSPAN_SCAVENGE_SHARE - 1);
	/* What is left and not free is not looked for all the time. */
	return left && left < excess ? max(rest, 1ULL) : max(rest, GOSPAN_SCAVENGE_POLL_NS);
}

static void drain_cpu(void *unused)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);

	c = gospan_mcache_wake(c);
	/* What was interrupted uses it, or it is emptied anyway. */
	if (!gospan_mcache_is_none(c))
		gospan_mcache_flush(c);
	gospan_mcache_release(slot, c);
	gospan_mheap_flush_cpu(&gospan_heap, smp_processor_id());
}

/* Does the CPU cache anything? It may just now begin to, or cease. */
static bool cpu_is_filled(int cpu, void *unused)
{
	const struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);

	/* Whole words. */
	return (c && (data_race(c->capacity_bytes) || data_race(c->remote.bytes))) ||
	       gospan_mheap_cpu_pages(&gospan_heap, cpu);
}

/*
 * All that is free, in any cache, back to the page allocator. What a CPU was
 * just using when it was interrupted stays. Task context, interrupts on.
 */
static void drain(void)
{
	/* It will be free the sooner. */
	gospan_rcu_flush();
	gospan_debug_flush();
	on_each_cpu_cond(cpu_is_filled, drain_cpu, NULL, true);
	gospan_mcentral_drain_all();
	/* The spans that this freed went to this CPU's page cache. */
	on_each_cpu_cond(cpu_is_filled, drain_cpu, NULL, true);
}

size_t gospan_trim(void)
{
	unsigned long npages = 0, free_pages;
	unsigned int released;

	might_sleep();
	/* What waits for RCU is as good as free; but others wait for RCU, too. */
	if (gospan_rcu_waiting().objects)
		gospan_rcu_barrier();
	/* What is just being taken from an idle CPU is seen nowhere before it is free. */
	mutex_lock(&gospan_mcache_parking);
	drain();
	mutex_unlock(&gospan_mcache_parking);
	/* What others free from now on is not ours to wait for: that may never end. */
	free_pages = gospan_supply_usage(&gospan_heap, NUMA_NO_NODE).free_pages;
	while (npages < free_pages) {
		released = heap_release(&gospan_heap, free_pages - npages);
		if (!released)
			break;
		npages += released;
		cond_resched();
	}
	atomic_long_add(npages, &nr_trimmed_pages);
	return npages << GOSPAN_PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(gospan_trim);

/* Kernel pages that a scan would give back at once: free ones, and of empty spans. */
static unsigned long shrinker_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct gospan_supply_usage usage = gospan_supply_usage(&gospan_heap, sc->nid);
	unsigned long npages = usage.free_pages + usage.cached_pages;

	npages += gospan_mcentral_empty_pages(sc->nid);
	return npages ? npages << GOSPAN_PAGE_ORDER : SHRINK_EMPTY;
}

/* Drain the caches, if that was not done a moment ago. Returns whether it was done. */
static bool shrinker_drain(void)
{
	u64 now = ktime_get_ns(), last = atomic64_read(&shrink_drain_ns);

	if (now - last < SHRINK_DRAIN_NS || atomic64_cmpxchg(&shrink_drain_ns, last, now) != last)
		return false;
	drain();
	return true;
}

/* What nobody uses first: a drain interrupts CPUs, and they have to fill again. */
static unsigned long shrinker_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long want = DIV_ROUND_UP(sc->nr_to_scan, BIT(GOSPAN_PAGE_ORDER)), npages = 0;
	unsigned int released;

	while (npages < want) {
		released = gospan_supply_release(&gospan_heap, sc->nid,
						 min_t(unsigned long, want - npages,
						       GOSPAN_CHUNK_NPAGES));
		npages += released;
		if (!released && !gospan_mcentral_reclaim(sc->nid, want - npages) &&
		    !shrinker_drain())
			break;
	}
	atomic_long_add(npages, &nr_shrunk_pages);
	return npages ? npages << GOSPAN_PAGE_ORDER : SHRINK_STOP;
}

static void scavenge_schedule(u64 delay_ns)
{
	queue_delayed_work(scavenge_wq, &scavenge_work, nsecs_to_jiffies(delay_ns) + 1);
}

static void scavenge_work_fn(struct work_struct *work)
{
	u64 delay_ns = gospan_scavenger_step(&scavenger);

	if (delay_ns)
		scavenge_schedule(delay_ns);
}

/* The heap grows: there may be too much some time. Any context but NMI. */
static void scavenge_grown(void)
{
	if (!delayed_work_pending(&scavenge_work))
		scavenge_schedule(GOSPAN_SCAVENGE_POLL_NS);
}

/* A number, with K, M or G or without; memparse() would take what does not fit for less. */
static int memory_limit_parse(const char *text, unsigned long *bytes)
{
	static const char suffixes[] = "KMG";
	const char *suffix;
	char number[32], *last;
	unsigned int shift;

	/* A suffix alone would be 0: no limit. */
	if (!isdigit(*text) || strscpy(number, text, sizeof(number)) < 0)
		return -EINVAL;
	strim(number);
	if (!kstrtoul(number, 0, bytes))
		return 0;
	last = number + strlen(number) - 1;
	suffix = strchr(suffixes, toupper(*last));
	if (!suffix)
		return -EINVAL;
	shift = 10 * (suffix - suffixes + 1);
	*last = '\0';
	if (kstrtoul(number, 0, bytes) || *bytes > ULONG_MAX >> shift)
		return -EINVAL;
	*bytes <<= shift;
	return 0;
}

static int memory_limit_set(const char *text, const struct kernel_param *kp)
{
	unsigned long bytes;

	if (memory_limit_parse(text, &bytes))
		return -EINVAL;
	memory_limit = bytes;
	/* Less than a page is not the same as none. */
	WRITE_ONCE(gospan_heap.limit_pages, DIV_ROUND_UP_ULL(bytes, GOSPAN_PAGE_SIZE));
	/* The file is there before init and still during exit. */
	if (scavenge_runs)
		mod_delayed_work(scavenge_wq, &scavenge_work, 0);
	return 0;
}

static int memory_limit_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%lu\n", memory_limit);
}

static const struct kernel_param_ops memory_limit_ops = {
	.set = memory_limit_set,
	.get = memory_limit_get,
};

module_param_cb(memory_limit, &memory_limit_ops, NULL, 0644);
MODULE_PARM_DESC(memory_limit, "bytes of pages (K, M, G) that the heap tries not to exceed; 0: none (default)");

struct gospan_scavenge_stats gospan_scavenge_read(void)
{
	return (struct gospan_scavenge_stats){
		/* Its work goes on meanwhile. */
		.goal_pages = data_race(scavenger.goal_pages),
		/* The same. */
		.scavenged_pages = data_race(scavenger.released_pages),
		.shrunk_pages = atomic_long_read(&nr_shrunk_pages),
		.trimmed_pages = atomic_long_read(&nr_trimmed_pages),
	};
}

/* After the heap and the mcaches. */
int gospan_scavenge_init(void)
{
	gospan_scavenger_init(&scavenger, &gospan_heap, ktime_get_ns, drain);
	INIT_DEFERRABLE_WORK(&scavenge_work, scavenge_work_fn);
	scavenge_wq = alloc_workqueue("gospan_scavenge", WQ_UNBOUND, 1);
	if (!scavenge_wq)
		return -ENOMEM;
	gospan_scavenge_shrinker = gospan_shrinker_create(shrinker_count, shrinker_scan);
	if (!gospan_scavenge_shrinker) {
		gospan_scavenge_exit();
		return -ENOMEM;
	}
	kernel_param_lock(THIS_MODULE);
	WRITE_ONCE(gospan_heap.limit_pages, DIV_ROUND_UP_ULL(memory_limit, GOSPAN_PAGE_SIZE));
	scavenge_runs = true;
	kernel_param_unlock(THIS_MODULE);
	WRITE_ONCE(gospan_heap.grown, scavenge_grown);
	return 0;
}

/* Before the mcaches and the heap; nobody allocates any more. */
void gospan_scavenge_exit(void)
{
	WRITE_ONCE(gospan_heap.grown, NULL);
	kernel_param_lock(THIS_MODULE);
	scavenge_runs = false;
	kernel_param_unlock(THIS_MODULE);
	if (gospan_scavenge_shrinker)
		gospan_shrinker_destroy(gospan_scavenge_shrinker);
	gospan_scavenge_shrinker = NULL;
	if (!scavenge_wq)
		return;
	cancel_delayed_work_sync(&scavenge_work);
	destroy_workqueue(scavenge_wq);
	scavenge_wq = NULL;
}
