// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workload "fragmentation": a heap that was full and then is nearly empty.
 *
 * Objects of one size are allocated and 9 of 10, drawn at random, freed; what the
 * others hold is weighed. Then objects of twice the size are allocated for half of the
 * bytes that became free: they find none of that memory unless whole spans or slabs
 * became empty.
 */

#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "bench_order.h"
#include "bench_stream.h"

/* Objects allocated or freed, beside the clock, before others may run. */
#define RESCHED_OBJECTS	4096
/* One of so many objects stays. */
#define SURVIVES_OF	10
/* The second phase's objects are so many times as large. */
#define GROWTH		2

static u32 nr_surviving(const struct gospan_bench *b)
{
	return DIV_ROUND_UP(b->nr_objects, SURVIVES_OF);
}

/* As many as take half of the bytes that became free. */
static u32 nr_larger(const struct gospan_bench *b)
{
	return DIV_ROUND_UP(b->nr_objects - nr_surviving(b), 2 * GROWTH);
}

static u32 fragment_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return b->nr_objects;
}

static int fragment_init(struct gospan_bench_worker *w)
{
	w->ops[0] = w->run->b->nr_objects - nr_surviving(w->run->b);
	w->ops[1] = nr_larger(w->run->b);
	return 0;
}

/* Beside the clock; those that live are in random order afterwards. */
static void fill(struct gospan_bench_worker *w)
{
	u32 i;

	w->job.nr_live = 0;
	for (i = 0; i < w->nr_table && !gospan_bench_stopped(w->run); i++) {
		void *p = w->job.calls->alloc(&w->job, w->job.size);

		if (p)
			w->table[w->job.nr_live++] = p;
		else
			w->job.failures++;
		if (!(i % RESCHED_OBJECTS))
			cond_resched();
	}
	gospan_bench_reorder(w->table, w->job.nr_live, GOSPAN_ORDER_SHUFFLED, &w->rnd);
}

static void drain(struct gospan_bench_worker *w, void *const *objects, u32 n, size_t size)
{
	while (n--) {
		w->job.calls->free(&w->job, *objects++, size);
		if (!(n % RESCHED_OBJECTS))
			cond_resched();
	}
}

/* In the part of the table that became free. */
static void allocate_larger(struct gospan_bench_worker *w, void **table, u32 round)
{
	w->job.objects = table;
	w->job.size *= GROWTH;
	gospan_bench_phase_start(w, 1);
	gospan_bench_alloc_all(w, nr_larger(w->run->b));
	gospan_bench_phase_end(w, 1, round);
	drain(w, table, w->job.nr_live, w->job.size);
	w->job.size /= GROWTH;
	w->job.objects = w->table;
}

static void fragment_round(struct gospan_bench_worker *w, u32 round)
{
	u32 nr_left;

	fill(w);
	nr_left = min(nr_surviving(w->run->b), w->job.nr_live);
	gospan_bench_phase_start(w, 0);
	gospan_bench_free_all(w, w->table + nr_left, w->job.nr_live - nr_left);
	gospan_bench_phase_end(w, 0, round);
	gospan_bench_weigh(w, NULL, nr_left);
	allocate_larger(w, w->table + nr_left, round);
	drain(w, w->table, nr_left, w->job.size);
}

const struct gospan_bench_shape gospan_bench_fragment = {
	.allocators = GOSPAN_CAN_STREAM,
	.fields = GOSPAN_TAKES_SIZE | GOSPAN_TAKES_LATENCY,
	.max_size = KMALLOC_MAX_SIZE / GROWTH,
	.cpus_multiple = 1,
	.nr_live = fragment_nr_live,
	.init = fragment_init,
	.round = fragment_round,
};
