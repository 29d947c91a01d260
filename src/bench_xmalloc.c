// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "xmalloc": some CPUs only allocate, others only free, at the same time.
 *
 * After C. Lever and D. Boreham, "malloc() Performance in a Multithreaded Linux
 * Environment" (2000), and the xmalloc-test that grew from it: producers hand batches
 * of objects to consumers. Here each producer has one consumer, and a ring of batches
 * between them. No object is ever freed where it was allocated: whatever an allocator
 * caches per CPU runs dry on one side and over on the other.
 *
 * Waiting for the other side is not timed.
 */

#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "bench_worker.h"

#define BATCH		120U	/* objects */
#define RING_BATCHES	16U

/* Of a producer. Cache lines apart, as each side writes its own. */
struct bench_ring {
	/* (producer) batches that were handed over; released after their objects */
	u32 head ____cacheline_aligned;
	u32 nr[RING_BATCHES];	/* objects in each: less than BATCH where memory ran out */
	/* (consumer) batches that were freed; released after the last of them */
	u32 tail ____cacheline_aligned;
};

static bool is_producer(const struct gospan_bench_worker *w)
{
	return w->idx % 2 == 0;
}

static u32 xmalloc_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return idx % 2 == 0 ? RING_BATCHES * BATCH : 0;
}

static u64 xmalloc_own_bytes(const struct gospan_bench *b)
{
	return sizeof(struct bench_ring);
}

static int xmalloc_init(struct gospan_bench_worker *w)
{
	w->ops[w->idx % 2] = w->run->b->nr_objects;
	if (!is_producer(w))
		return 0;
	w->own = gospan_bench_table(w, 1, sizeof(struct bench_ring));
	return w->own ? 0 : -ENOMEM;
}

static void xmalloc_destroy(struct gospan_bench_worker *w)
{
	kvfree(w->own);
}

/* The objects of the ring's batch number @i. */
static void **batch_of(const struct gospan_bench_worker *producer, u32 i)
{
	return producer->table + i % RING_BATCHES * BATCH;
}

static void produce(struct gospan_bench_worker *w)
{
	struct bench_ring *ring = w->own;
	u32 left = w->run->b->nr_objects;

	while (left && !gospan_bench_stopped(w->run)) {
		u32 head = ring->head, n = min(left, BATCH);

		/* Pairs with the release in consume(): the batch that was here is freed. */
		if (head - smp_load_acquire(&ring->tail) == RING_BATCHES) {
			cond_resched();
			cpu_relax();
			continue;
		}
		w->job.objects = batch_of(w, head);
		w->job.nr_live = 0;
		w->run->loops->alloc(&w->job, n);
		ring->nr[head % RING_BATCHES] = w->job.nr_live;
		/* Pairs with the acquire in consume(): publishes the batch. */
		smp_store_release(&ring->head, head + 1);
		left -= n;
	}
}

static void consume(struct gospan_bench_worker *w)
{
	const struct gospan_bench_worker *producer = w - 1;
	struct bench_ring *ring = producer->own;
	u32 left = DIV_ROUND_UP(w->run->b->nr_objects, BATCH);

	while (left && !gospan_bench_stopped(w->run)) {
		u32 tail = ring->tail;

		/* Pairs with the release in produce(). */
		if (smp_load_acquire(&ring->head) == tail) {
			cond_resched();
			cpu_relax();
			continue;
		}
		w->run->loops->free(&w->job, batch_of(producer, tail),
				    ring->nr[tail % RING_BATCHES]);
		/* Pairs with the acquire in produce(). */
		smp_store_release(&ring->tail, tail + 1);
		left--;
	}
}

/* What a run that stopped left in the ring. */
static void drain(struct gospan_bench_worker *w)
{
	struct bench_ring *ring = w->own;

	for (; ring->tail != ring->head; ring->tail++)
		w->run->loops->free(&w->job, batch_of(w, ring->tail),
				    ring->nr[ring->tail % RING_BATCHES]);
}

/* Each phase is one side's. */
static void xmalloc_round(struct gospan_bench_worker *w, u32 round)
{
	unsigned int phase = w->idx % 2;

	gospan_bench_phase_start(w, phase);
	if (is_producer(w))
		produce(w);
	else
		consume(w);
	gospan_bench_phase_end(w, phase, round);
	/* Nobody takes from the ring any more. */
	gospan_bench_barrier(w->run);
	if (is_producer(w))
		drain(w);
}

const struct gospan_bench_shape gospan_bench_xmalloc = {
	.allocators = GOSPAN_CAN_ALL,
	.fields = GOSPAN_TAKES_SIZE | GOSPAN_TAKES_LATENCY,
	.cpus_multiple = 2,
	.nr_live = xmalloc_nr_live,
	.own_bytes = xmalloc_own_bytes,
	.init = xmalloc_init,
	.destroy = xmalloc_destroy,
	.round = xmalloc_round,
};
