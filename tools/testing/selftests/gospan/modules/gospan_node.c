// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocates and frees on the CPUs of two NUMA nodes, on a machine that has both,
 * each with memory and a CPU. Loading fails if an object is of another node than
 * it should be, if what is freed on one node is handed out there though it is of
 * the other, if a node that is full does not fall back as it should, or if
 * anything is left.
 *
 * With "figures=1" it also prints what it costs beside kmalloc_node() and kfree().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gospan.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/timex.h>
#include <linux/vmalloc.h>

/* More than any cache holds. */
#define NR_OBJS		20000U
/* More than a node that is full may still get. */
#define NR_DEMANDED	(20 * NR_OBJS)
/* Below a timer tick even where an operation takes a microsecond. */
#define NR_TIMED	1000U
#define NR_ROUNDS	15

static bool figures;
module_param(figures, bool, 0444);
MODULE_PARM_DESC(figures, "print what it costs (default N)");

static void **objs;
/* Too large for the stack. */
static struct gospan_memstats stats;

/* Objects that one CPU allocates or frees at a time. */
struct job {
	size_t size;
	gfp_t gfp;
	int node;	/* of objects, to be had or demanded */
	unsigned int n;
	bool bulk;	/* frees */
};

static int node_of(const void *p)
{
	return page_to_nid(virt_to_page(p));
}

static int job_alloc(void *data)
{
	const struct job *job = data;
	unsigned int i;

	for (i = 0; i < job->n; i++) {
		objs[i] = gospan_alloc_node(job->size, job->gfp, job->node);
		if (!objs[i])
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

/* By gospan_alloc(): of the CPU's node. */
static int job_alloc_local(void *data)
{
	const struct job *job = data;
	unsigned int i;

	for (i = 0; i < job->n; i++) {
		objs[i] = gospan_alloc(job->size, job->gfp);
		if (!objs[i])
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

static int job_free(void *data)
{
	const struct job *job = data;
	unsigned int i;

	if (job->bulk) {
		gospan_free_bulk(job->n, objs);
		return 0;
	}
	for (i = 0; i < job->n; i++) {
		gospan_free(objs[i]);
		cond_resched();
	}
	return 0;
}

/* On a CPU of @node. */
static int run_on(int node, int (*fn)(void *data), struct job *job)
{
	unsigned int cpu = cpumask_any_and(cpumask_of_node(node), cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		return -ENODEV;
	return smp_call_on_cpu(cpu, fn, job, false);
}

/* How many of @n objects are not of @node. */
static unsigned int nr_strays(unsigned int n, int node)
{
	unsigned int i, nr = 0;

	for (i = 0; i < n; i++)
		nr += node_of(objs[i]) != node;
	return nr;
}

static int expect(const char *what, size_t size, unsigned int nr, unsigned int should)
{
	if (nr == should)
		return 0;
	pr_err("%s of %zu bytes: %u, not %u\n", what, size, nr, should);
	return -EIO;
}

/* Asked for by name, from the CPUs of either node. */
static int named(size_t size, int cpu_node, int node, gfp_t gfp)
{
	struct job job = { .size = size, .gfp = gfp, .node = node, .n = size > SZ_4K ? 200 : 2000 };
	int err = run_on(cpu_node, job_alloc, &job);

	err = err ?: expect("strays among objects", size, nr_strays(job.n, node), 0);
	return run_on(node, job_free, &job) ?: err;
}

/* Allocated on @node, freed on @other: what is allocated there then is not of @node. */
static int crossing(size_t size, int node, int other, bool bulk)
{
	struct job job = { .size = size, .gfp = GFP_KERNEL, .node = NUMA_NO_NODE, .bulk = bulk,
			   .n = size > SZ_4K ? NR_OBJS / 100 : NR_OBJS };
	unsigned int strays;
	int err;

	err = run_on(node, job_alloc_local, &job);
	if (err)
		return err;
	strays = nr_strays(job.n, node);
	err = run_on(other, job_free, &job) ?: run_on(other, job_alloc_local, &job);
	if (err)
		return err;
	strays += nr_strays(job.n, other);
	err = run_on(node, job_free, &job);
	return err ?: expect("strays among objects that crossed", size, strays, 0);
}

static int every_size(int here, int there)
{
	static const size_t sizes[] = { 8, 64, 200, 1024, 4096, 9000, 32768, 40000, 1 << 20 };
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(sizes) && !err; i++) {
		err = named(sizes[i], here, there, GFP_KERNEL) ?:
		      named(sizes[i], there, there, GFP_KERNEL | __GFP_THISNODE) ?:
		      named(sizes[i], here, here, GFP_KERNEL | __GFP_THISNODE);
		if (sizes[i] > 32768 || err)
			continue;
		err = crossing(sizes[i], here, there, false) ?:
		      crossing(sizes[i], there, here, false) ?:
		      crossing(sizes[i], here, there, true);
	}
	return err;
}

/* Take all memory of @node that is free. */
static void node_fill(int node, struct list_head *pages)
{
	gfp_t gfp = (GFP_KERNEL & ~__GFP_RECLAIM) | __GFP_THISNODE | __GFP_NOWARN |
		    __GFP_NOMEMALLOC;
	struct page *page;
	int order;

	for (order = 9; order >= 0; order--) {
		while ((page = alloc_pages_node(node, gfp, order))) {
			set_page_private(page, order);
			list_add(&page->lru, pages);
		}
	}
}

static void node_empty(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		__free_pages(page, page_private(page));
	}
}

/* Objects, each with a pointer to the next, that were demanded of a node. */
struct demanded {
	void **first;
	unsigned int nr, nr_strays;
};

/*
 * Demand of @node what it still has: its pages are taken, but reclaim and the CPUs' page
 * lists may have given it more meanwhile.
 */
static struct demanded demand_rest(size_t size, int node)
{
	struct demanded d = {};
	void **p;

	while (d.nr < NR_DEMANDED &&
	       (p = gospan_alloc_node(size, GFP_NOWAIT | __GFP_NOWARN | __GFP_THISNODE, node))) {
		d.nr++;
		d.nr_strays += node_of(p) != node;
		*p = d.first;
		d.first = p;
		cond_resched();
	}
	return d;
}

static void free_demanded(const struct demanded *d)
{
	void **next, **p;

	for (p = d->first; p; p = next) {
		next = *p;
		gospan_free(p);
	}
}

/* In a node that is full: only what is left there for __GFP_THISNODE, the rest elsewhere. */
static int full_node(size_t size, int here, int there)
{
	struct job job = { .size = size, .gfp = GFP_NOWAIT | __GFP_NOWARN, .node = there,
			   .n = NR_OBJS };
	unsigned int strays, local_strays;
	LIST_HEAD(pages);
	struct demanded rest;
	int err;

	gospan_trim();
	node_fill(there, &pages);
	rest = demand_rest(size, there);
	err = run_on(here, job_alloc, &job);
	strays = nr_strays(job.n, there);
	node_empty(&pages);
	free_demanded(&rest);
	err = err ?: run_on(here, job_free, &job);
	if (err)
		return err;
	gospan_trim();
	node_fill(there, &pages);
	/* On its own CPU, too. */
	job.node = NUMA_NO_NODE;
	err = run_on(there, job_alloc_local, &job);
	local_strays = nr_strays(job.n, there);
	node_empty(&pages);
	err = err ?: run_on(there, job_free, &job) ?: named(size, here, there, GFP_KERNEL);
	pr_info("full: of %u objects of %zu bytes %u and %u were had elsewhere, %u demanded\n",
		job.n, size, strays, local_strays, rest.nr);
	if (!strays || !local_strays || rest.nr == NR_DEMANDED || rest.nr_strays) {
		pr_err("it was not full, or %u of those demanded were of another node\n",
		       rest.nr_strays);
		return -EIO;
	}
	return err;
}

/* On objs[0..NR_TIMED), by either allocator; of the two nodes in turn. */
static void gospan_allocs(size_t size, const int nodes[2])
{
	unsigned int i;

	for (i = 0; i < NR_TIMED; i++)
		objs[i] = gospan_alloc_node(size, GFP_KERNEL, nodes[i % 2]);
}

static void gospan_frees(size_t size, const int nodes[2])
{
	unsigned int i;

	for (i = 0; i < NR_TIMED; i++)
		gospan_free(objs[i]);
}

static void kmalloc_allocs(size_t size, const int nodes[2])
{
	unsigned int i;

	for (i = 0; i < NR_TIMED; i++)
		objs[i] = kmalloc_node(size, GFP_KERNEL, nodes[i % 2]);
}

static void kmalloc_frees(size_t size, const int nodes[2])
{
	unsigned int i;

	for (i = 0; i < NR_TIMED; i++)
		kfree(objs[i]);
}

static cycles_t timed(void (*run)(size_t size, const int nodes[2]), size_t size,
		      const int nodes[2])
{
	cycles_t begin;

	preempt_disable();
	begin = get_cycles();
	run(size, nodes);
	begin = get_cycles() - begin;
	preempt_enable();
	return begin;
}

/* The best of some rounds, on one CPU. */
struct measured {
	void (*alloc)(size_t size, const int nodes[2]);
	void (*free)(size_t size, const int nodes[2]);
	size_t size;
	int nodes[2];
	cycles_t best_alloc, best_free;
};

static int measure(void *data)
{
	struct measured *m = data;
	int round;

	m->best_alloc = ~(cycles_t)0;
	m->best_free = ~(cycles_t)0;
	for (round = 0; round < NR_ROUNDS; round++) {
		m->best_alloc = min(m->best_alloc, timed(m->alloc, m->size, m->nodes));
		m->best_free = min(m->best_free, timed(m->free, m->size, m->nodes));
	}
	return 0;
}

static int figures_row(size_t size, int a, int b, const char *whose)
{
	struct measured own = { gospan_allocs, gospan_frees, size, { a, b } };
	struct measured kernel = { kmalloc_allocs, kmalloc_frees, size, { a, b } };
	unsigned int cpu = cpumask_first(cpu_online_mask);
	int err;

	err = smp_call_on_cpu(cpu, measure, &own, false) ?:
	      smp_call_on_cpu(cpu, measure, &kernel, false);
	pr_info("%-5s  %6zu B  %17llu %12llu %11llu %6llu\n", whose, size,
		(u64)own.best_alloc / NR_TIMED, (u64)kernel.best_alloc / NR_TIMED,
		(u64)own.best_free / NR_TIMED, (u64)kernel.best_free / NR_TIMED);
	return err;
}

static int figures_print(int here, int there)
{
	static const size_t sizes[] = { 64, 256, 1024 };
	unsigned int i;
	int err = 0;

	pr_info("of node          gospan_alloc_node kmalloc_node gospan_free  kfree\n");
	for (i = 0; i < ARRAY_SIZE(sizes) && !err; i++)
		err = figures_row(sizes[i], here, here, "own") ?:
		      figures_row(sizes[i], there, there, "other") ?:
		      figures_row(sizes[i], here, there, "both");
	return err;
}

static int run(int here, int there)
{
	u64 live;
	int err;

	gospan_read_stats(&stats);
	live = stats.heap_objects;
	err = every_size(here, there) ?: full_node(200, here, there);
	if (!err && figures)
		err = figures_print(here, there);
	gospan_read_stats(&stats);
	if (!err && stats.heap_objects != live) {
		pr_err("%llu objects live, %llu did before\n", stats.heap_objects, live);
		err = -EIO;
	}
	return err;
}

static int __init node_init(void)
{
	int here = first_memory_node, there = next_node(here, node_states[N_MEMORY]), err;

	if (there >= MAX_NUMNODES)
		return -ENODEV;
	objs = vzalloc(array_size(NR_OBJS, sizeof(*objs)));
	if (!objs)
		return -ENOMEM;
	err = run(here, there);
	vfree(objs);
	return err;
}

static void __exit node_exit(void)
{
}

module_init(node_init);
module_exit(node_exit);
MODULE_DESCRIPTION("Allocates and frees on two NUMA nodes");
MODULE_AUTHOR("The gospan developers");
MODULE_LICENSE("GPL");
