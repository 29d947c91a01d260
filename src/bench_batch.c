// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmarks of one size: pairs, bulk calls, and batches that this CPU frees again,
 * or another does, or all others do.
 *
 * Shuffling is not timed.
 */

#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "bench_order.h"
#include "bench_worker.h"

#define TAKES_USUAL	(GOSPAN_TAKES_SIZE | GOSPAN_TAKES_HELD | GOSPAN_TAKES_LATENCY)

/* --- PAIR --- */

static u32 pair_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return 1;
}

static int pair_init(struct gospan_bench_worker *w)
{
	w->ops[0] = w->run->b->nr_objects;
	return 0;
}

static void pair_round(struct gospan_bench_worker *w, u32 round)
{
	u32 total = w->run->b->nr_objects;
	u32 done, n;

	gospan_bench_phase_start(w, 0);
	for (done = 0; done < total && !gospan_bench_stopped(w->run); done += n) {
		n = gospan_bench_window_ops(w, total - done);
		w->run->loops->pair(&w->job, n);
		cond_resched();
	}
	gospan_bench_phase_end(w, 0, round);
}

const struct gospan_bench_shape gospan_bench_pair = {
	.allocators = GOSPAN_CAN_ALL,
	.fields = TAKES_USUAL,
	.cpus_multiple = 1,
	.nr_live = pair_nr_live,
	.init = pair_init,
	.round = pair_round,
};

/* --- BULK --- */

static u32 bulk_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return b->nr_objects;
}

static u32 bulk_nr_calls(const struct gospan_bench *b)
{
	return max_t(u32, DIV_ROUND_UP(GOSPAN_BENCH_BULK_OBJECTS, b->nr_objects),
		     GOSPAN_BENCH_BULK_CALLS);
}

static int bulk_init(struct gospan_bench_worker *w)
{
	const struct gospan_bench *b = w->run->b;

	w->job.nr_call = b->nr_objects;
	w->ops[0] = (u64)b->nr_objects * bulk_nr_calls(b);
	return 0;
}

static void bulk_round(struct gospan_bench_worker *w, u32 round)
{
	u32 nr_call = w->job.nr_call, total = bulk_nr_calls(w->run->b);
	u32 done, n;

	gospan_bench_phase_start(w, 0);
	for (done = 0; done < total && !gospan_bench_stopped(w->run); done += n) {
		n = clamp(gospan_bench_window_ops(w, U32_MAX) / nr_call, 1U, total - done);
		w->run->loops->bulk(&w->job, n);
		cond_resched();
	}
	gospan_bench_phase_end(w, 0, round);
}

const struct gospan_bench_shape gospan_bench_bulk = {
	.allocators = GOSPAN_CAN(EMPTY) | GOSPAN_CAN(GOSPAN) | GOSPAN_CAN(KMEM_CACHE) |
		      GOSPAN_CAN(CACHE),
	.fields = GOSPAN_TAKES_SIZE,
	.cpus_multiple = 1,
	.nr_live = bulk_nr_live,
	.init = bulk_init,
	.round = bulk_round,
};

/* --- BATCH, REMOTE, FAN_OUT: they differ in who frees what --- */

/* The objects that a worker frees: a part of the table of one that allocates. */
struct share {
	struct gospan_bench_worker *source; /* NULL: none */
	u32 from;
	u32 n;
};

static struct share batch_share(struct gospan_bench_worker *w)
{
	return (struct share){ w, 0, w->job.nr_live };
}

static struct share remote_share(struct gospan_bench_worker *w)
{
	if (w->idx % 2 == 0)
		return (struct share){};
	return (struct share){ w - 1, 0, w[-1].job.nr_live };
}

static struct share fan_out_share(struct gospan_bench_worker *w)
{
	struct gospan_bench_worker *source = w->run->worker;
	u32 nr_parts = w->run->nr_workers - 1;
	u64 n = source->job.nr_live;
	u32 from, end;

	if (!nr_parts)
		return batch_share(w);
	if (!w->idx)
		return (struct share){};
	from = div_u64(n * (w->idx - 1), nr_parts);
	end = div_u64(n * w->idx, nr_parts);
	return (struct share){ source, from, end - from };
}

static void share_reorder(struct gospan_bench_worker *w, struct share s)
{
	if (s.source)
		gospan_bench_reorder(s.source->job.objects + s.from, s.n, w->run->b->order,
				     &w->rnd);
}

static void share_free(struct gospan_bench_worker *w, struct share s, u32 round)
{
	if (!s.source)
		return;
	gospan_bench_phase_start(w, 1);
	gospan_bench_free_all(w, s.source->job.objects + s.from, s.n);
	gospan_bench_phase_end(w, 1, round);
}

static __always_inline void shared_round(struct gospan_bench_worker *w, u32 round,
					 struct share (*share)(struct gospan_bench_worker *w))
{
	struct share s;

	if (w->nr_table) {
		/* Another CPU may have its lines since the last round: that is not timed. */
		memset(w->job.objects, 0, w->nr_table * sizeof(*w->job.objects));
		gospan_bench_phase_start(w, 0);
		gospan_bench_alloc_all(w, w->nr_table);
		gospan_bench_phase_end(w, 0, round);
	}
	/* All is allocated. */
	gospan_bench_barrier(w->run);
	gospan_bench_weigh(w, NULL, w->job.nr_live);
	s = share(w);
	share_reorder(w, s);
	gospan_bench_barrier(w->run);
	share_free(w, s, round);
}

static u32 batch_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return b->nr_objects;
}

static int batch_init(struct gospan_bench_worker *w)
{
	w->ops[0] = w->run->b->nr_objects;
	w->ops[1] = w->run->b->nr_objects;
	return 0;
}

static void batch_round(struct gospan_bench_worker *w, u32 round)
{
	shared_round(w, round, batch_share);
}

const struct gospan_bench_shape gospan_bench_batch = {
	.allocators = GOSPAN_CAN_ALL,
	.fields = TAKES_USUAL | GOSPAN_TAKES_ORDER,
	.cpus_multiple = 1,
	.nr_live = batch_nr_live,
	.init = batch_init,
	.round = batch_round,
};

/* By pairs: the lower number allocates. */
static u32 remote_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return idx % 2 == 0 ? b->nr_objects : 0;
}

static int remote_init(struct gospan_bench_worker *w)
{
	w->ops[w->idx % 2] = w->run->b->nr_objects;
	return 0;
}

static void remote_round(struct gospan_bench_worker *w, u32 round)
{
	shared_round(w, round, remote_share);
}

const struct gospan_bench_shape gospan_bench_remote = {
	.allocators = GOSPAN_CAN_ALL,
	.fields = TAKES_USUAL | GOSPAN_TAKES_ORDER,
	.cpus_multiple = 2,
	.nr_live = remote_nr_live,
	.init = remote_init,
	.round = remote_round,
};

/* The first CPU allocates for all others, each of which frees a part; alone it frees itself. */
static u32 fan_out_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return idx ? 0 : b->nr_objects * max(nr_cpus - 1, 1U);
}

static int fan_out_init(struct gospan_bench_worker *w)
{
	w->ops[0] = w->nr_table;
	if (w->idx || w->run->nr_workers == 1)
		w->ops[1] = w->run->b->nr_objects;
	return 0;
}

static void fan_out_round(struct gospan_bench_worker *w, u32 round)
{
	shared_round(w, round, fan_out_share);
}

const struct gospan_bench_shape gospan_bench_fan_out = {
	.allocators = GOSPAN_CAN_ALL,
	.fields = TAKES_USUAL | GOSPAN_TAKES_ORDER,
	.cpus_multiple = 1,
	.nr_live = fan_out_nr_live,
	.init = fan_out_init,
	.round = fan_out_round,
};
