// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "rcu-flood": all CPUs free by RCU as fast as they can.
 *
 * After the kfree test of the kernel's rcuscale (J. Fernandes, 2019): each thread
 * allocates objects and gives them to kfree_rcu() at once; what counts is the time, and
 * the memory that waits. Freeing goes on at the same time, on the same CPUs.
 *
 * Nobody can tell from outside which objects have been freed. What is held is therefore
 * seen in what all spans, or all slabs, of the machine grow by.
 */

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmstat.h>
#include "bench_extent.h"
#include "bench_worker.h"
#include "compat.h"
#include "stats.h"

/* Within it what a grace period has passed for is freed. */
#define SETTLE_MS	50

struct bench_flood {
	struct gospan_memstats stats;	/* room to read them into */
	u64 base_bytes;			/* of the first worker: before the flood */
	u64 peak_bytes;			/* seen at most */
};

/* With what CPUs have not yet added to the sums: up to half a MiB each. */
static u64 slab_bytes(void)
{
	const enum node_stat_item item = NR_SLAB_UNRECLAIMABLE_B;
	long npages = global_node_page_state_pages(item);
	unsigned int cpu;
	int node;

	for_each_online_node(node) {
		struct per_cpu_nodestat __percpu *stats = NODE_DATA(node)->per_cpu_nodestats;

		for_each_online_cpu(cpu)
			/* May be added just now: one CPU's part is then wrong. */
			npages += data_race(per_cpu_ptr(stats, cpu)->vm_node_stat_diff[item]);
	}
	return (u64)max(npages, 0L) << PAGE_SHIFT;
}

/* What spans or slabs take now, everybody's. */
static u64 held_bytes(struct gospan_bench_worker *w)
{
	struct bench_flood *f = w->own;

	switch (w->run->b->allocator) {
	case GOSPAN_ALLOCATOR_GOSPAN:
		gospan_read_stats(&f->stats);
		return f->stats.heap_inuse;
	case GOSPAN_ALLOCATOR_KMALLOC:
		return slab_bytes();
	default:
		return 0;
	}
}

static void flood_look(struct gospan_bench_worker *w)
{
	struct bench_flood *f = w->own;

	f->peak_bytes = max(f->peak_bytes, held_bytes(w));
}

/* Bytes that the allocator makes of an object. */
static u64 rounded_bytes(struct gospan_bench_worker *w)
{
	void *p = w->job.calls->alloc(&w->job, w->job.size);
	u64 bytes;

	if (!p)
		return 0;
	bytes = gospan_extent_of_slot(w->run->b->allocator, p, w->job.size).bytes;
	w->job.calls->free(&w->job, p, w->job.size);
	return bytes;
}

static u32 flood_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return b->nr_objects;
}

static u64 flood_own_bytes(const struct gospan_bench *b)
{
	return sizeof(struct bench_flood);
}

static int flood_init(struct gospan_bench_worker *w)
{
	w->ops[0] = w->run->b->nr_objects;
	w->own = gospan_bench_table(w, 1, sizeof(struct bench_flood));
	return w->own ? 0 : -ENOMEM;
}

static void flood_destroy(struct gospan_bench_worker *w)
{
	kvfree(w->own);
}

/* The first worker, when nobody frees any more. */
static void flood_weigh(struct gospan_bench_worker *w)
{
	const struct bench_flood *first = w->own;
	struct gospan_bench_run *run = w->run;
	u64 peak_bytes = 0, nr = (u64)run->nr_workers * run->b->nr_objects;
	unsigned int i;

	if (run->b->allocator == GOSPAN_ALLOCATOR_EMPTY)
		return;
	for (i = 0; i < run->nr_workers; i++) {
		const struct bench_flood *f = run->worker[i].own;

		peak_bytes = max(peak_bytes, f->peak_bytes);
	}
	run->peak.asked = nr * run->b->size;
	run->peak.rounded = nr * rounded_bytes(w);
	run->peak.held = peak_bytes - min(peak_bytes, first->base_bytes);
}

static void flood(struct gospan_bench_worker *w)
{
	u32 total = w->run->b->nr_objects;
	u32 done, n;

	for (done = 0; done < total && !gospan_bench_stopped(w->run); done += n) {
		n = gospan_bench_window_ops(w, total - done);
		w->run->loops->flood(&w->job, n);
		if (w->weighing)
			flood_look(w);
		cond_resched();
	}
}

/*
 * What earlier rounds had goes back, and not only to caches, which keep many spans in
 * use. Not every kernel has a barrier for kfree_rcu(): until nothing more comes back.
 */
static void settle(struct gospan_bench_worker *w)
{
	u64 before, now;

	gospan_trim();
	now = held_bytes(w);
	do {
		before = now;
		synchronize_rcu();
		msleep(SETTLE_MS);
		now = held_bytes(w);
	} while (now < before && !gospan_bench_stopped(w->run));
}

/* Leave nothing that waits to the next round, or little where kfree_rcu() has no barrier. */
static void wait_for_frees(const struct gospan_bench_run *run)
{
	if (run->b->allocator == GOSPAN_ALLOCATOR_GOSPAN)
		gospan_rcu_barrier();
	else if (run->b->allocator == GOSPAN_ALLOCATOR_KMALLOC)
		gospan_kfree_rcu_barrier();
}

static void flood_round(struct gospan_bench_worker *w, u32 round)
{
	struct bench_flood *f = w->own;

	if (w->weighing && !w->idx && w->run->b->allocator != GOSPAN_ALLOCATOR_EMPTY) {
		settle(w);
		f->base_bytes = held_bytes(w);
	}
	gospan_bench_barrier(w->run);
	gospan_bench_phase_start(w, 0);
	flood(w);
	gospan_bench_phase_end(w, 0, round);
	gospan_bench_barrier(w->run);
	if (w->idx)
		return;
	if (w->weighing)
		flood_weigh(w);
	wait_for_frees(w->run);
}

const struct gospan_bench_shape gospan_bench_rcu_flood = {
	.allocators = GOSPAN_CAN(EMPTY) | GOSPAN_CAN(GOSPAN) | GOSPAN_CAN(KMALLOC),
	.fields = GOSPAN_TAKES_SIZE,
	.min_size = sizeof(struct gospan_flood_object),
	.cpus_multiple = 1,
	.nr_live = flood_nr_live,
	.own_bytes = flood_own_bytes,
	.init = flood_init,
	.destroy = flood_destroy,
	.round = flood_round,
};
