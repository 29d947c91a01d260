// SPDX-License-Identifier: GPL-2.0-only
/*
 * The "mix" workload: what a real kernel asks of its allocator.
 *
 * The table in bench_mix_table.h counts, in a trace of a working kernel, how
 * many kmallocs asked for so many bytes and lived for so many further
 * kmallocs. A stream is drawn from it ahead of time, so that the timed loop
 * only reads an array: step by step, what is due is freed, and when nothing
 * is, the next object is allocated. The number of live objects follows from
 * the lifetimes; it is what it was in the traced kernel.
 *
 * Besides the time, the memory at the stream's peak is of interest: the bytes
 * asked for, what the allocator rounds them to, and the slabs or spans that
 * cannot be given back while these objects live.
 */

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/topology.h>
#include "bench_mix.h"
#include "bench_mix_table.h"
#include "bench_worker.h"

/* A lifetime is shorter than the ring of dates, so a date is never ambiguous. */
#define NR_DATES	BIT(GOSPAN_MIX_LIFETIME_BITS)
#define NO_SLOT		U32_MAX
#define RESCHED_OPS	4096

/*
 * Where the generator stands. Time is counted in allocations. The live slots
 * are chained by the date at which they are due, the others in @unused.
 */
struct mix_gen {
	struct rnd_state rnd;
	u32 now;			/* allocations so far */
	u32 unused;			/* first slot without an object */
	u32 next[GOSPAN_MIX_MAX_LIVE];	/* link of @unused, or of a date */
	u32 size[GOSPAN_MIX_MAX_LIVE];	/* bytes of the slot's object */
	u32 sums[ARRAY_SIZE(gospan_mix_rows)]; /* of the counts, row by row */
	u32 due[NR_DATES];		/* first slot to free at that date, modulo */
};

static void gen_init(struct mix_gen *gen, u64 seed)
{
	u32 sum = 0;
	u32 i;

	prandom_seed_state(&gen->rnd, seed);
	gen->now = 0;
	for (i = 0; i < GOSPAN_MIX_MAX_LIVE; i++)
		gen->next[i] = i + 1;
	gen->next[GOSPAN_MIX_MAX_LIVE - 1] = NO_SLOT;
	gen->unused = 0;
	for (i = 0; i < ARRAY_SIZE(gen->sums); i++) {
		sum += gospan_mix_rows[i].count;
		gen->sums[i] = sum;
	}
	for (i = 0; i < NR_DATES; i++)
		gen->due[i] = NO_SLOT;
}

/* A row, each with the probability of its count. */
static const struct gospan_mix_row *gen_draw(struct mix_gen *gen)
{
	u32 dice = reciprocal_scale(prandom_u32_state(&gen->rnd), GOSPAN_MIX_TOTAL);
	u32 low = 0, high = ARRAY_SIZE(gen->sums) - 1;

	/* The first row with dice < sums[]; the last one's is the total. */
	while (low < high) {
		u32 middle = (low + high) / 2;

		if (dice < gen->sums[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return &gospan_mix_rows[low];
}

static struct gospan_mix_op gen_free(struct mix_gen *gen, u32 *due)
{
	u32 slot = *due;

	*due = gen->next[slot];
	gen->next[slot] = gen->unused;
	gen->unused = slot;
	return (struct gospan_mix_op){ slot, gen->size[slot] | GOSPAN_MIX_FREE };
}

static struct gospan_mix_op gen_alloc(struct mix_gen *gen)
{
	const struct gospan_mix_row *row = gen_draw(gen);
	u32 shortest = 1U << row->lifetime_log2;
	u32 lifetime = shortest + (prandom_u32_state(&gen->rnd) & (shortest - 1));
	u32 slot = gen->unused;
	u32 *due;

	/* A lifetime of 1 ends before the next allocation. */
	due = &gen->due[(gen->now + lifetime) % NR_DATES];
	gen->now++;
	gen->unused = gen->next[slot];
	gen->next[slot] = *due;
	*due = slot;
	gen->size[slot] = row->bytes;
	return (struct gospan_mix_op){ slot, row->bytes };
}

static struct gospan_mix_op gen_step(struct mix_gen *gen)
{
	for (;;) {
		u32 *due = &gen->due[gen->now % NR_DATES];

		if (*due != NO_SLOT)
			return gen_free(gen, due);
		if (gen->unused != NO_SLOT)
			return gen_alloc(gen);
		/* All slots are live: time runs on until one is due. */
		gen->now++;
	}
}

static void mix_generate(struct gospan_mix *mix, struct mix_gen *gen)
{
	u64 live_bytes = 0;
	u32 i;

	for (i = 0; i < mix->nr_ops; i++) {
		struct gospan_mix_op op = gen_step(gen);

		mix->ops[i] = op;
		if (op.size & GOSPAN_MIX_FREE)
			live_bytes -= op.size & ~GOSPAN_MIX_FREE;
		else
			live_bytes += op.size;
		if (live_bytes > mix->peak_bytes) {
			mix->peak_bytes = live_bytes;
			mix->nr_at_peak = i + 1;
		}
		if (!(i % RESCHED_OPS))
			cond_resched();
	}
}

/* Draw a stream of @nr_ops steps; the same @seed gives the same stream. */
int gospan_mix_init(struct gospan_mix *mix, u32 nr_ops, u64 seed, gfp_t gfp, int node)
{
	struct mix_gen *gen;

	memset(mix, 0, sizeof(*mix));
	mix->nr_ops = nr_ops;
	mix->ops = kvmalloc_node(nr_ops * sizeof(*mix->ops), gfp, node);
	gen = kvmalloc_node(sizeof(*gen), gfp, node);
	if (!mix->ops || !gen) {
		kvfree(gen);
		gospan_mix_destroy(mix);
		return -ENOMEM;
	}
	gen_init(gen, seed);
	mix_generate(mix, gen);
	kvfree(gen);
	return 0;
}

void gospan_mix_destroy(struct gospan_mix *mix)
{
	kvfree(mix->ops);
	mix->ops = NULL;
}

/* Find out which slots have an object after the first @nr_ops steps. */
void gospan_mix_replay(struct gospan_mix *mix, u32 nr_ops)
{
	u32 i;

	memset(mix->slot_bytes, 0, sizeof(mix->slot_bytes));
	for (i = 0; i < nr_ops; i++) {
		const struct gospan_mix_op *op = &mix->ops[i];

		mix->slot_bytes[op->slot] = op->size & GOSPAN_MIX_FREE ? 0 : op->size;
	}
}

/* --- The workload --- */

static u32 mix_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return GOSPAN_MIX_MAX_LIVE;
}

static u64 mix_own_bytes(const struct gospan_bench *b)
{
	return sizeof(struct gospan_mix) + b->nr_objects * sizeof(struct gospan_mix_op);
}

static int mix_init(struct gospan_bench_worker *w)
{
	const struct gospan_bench *b = w->run->b;
	struct gospan_mix *mix = gospan_bench_table(w, 1, sizeof(*mix));
	int err;

	if (!mix)
		return -ENOMEM;
	w->own = mix;
	err = gospan_mix_init(mix, b->nr_objects, b->seed + w->cpu, GOSPAN_BENCH_GFP,
			      cpu_to_node(w->cpu));
	w->job.ops = mix->ops;
	w->ops[0] = b->nr_objects;
	return err;
}

static void mix_destroy(struct gospan_bench_worker *w)
{
	if (w->own)
		gospan_mix_destroy(w->own);
	kvfree(w->own);
}

/* Run the stream up to @limit; returns how far it came. */
static u32 mix_run(struct gospan_bench_worker *w, u32 limit)
{
	u32 done, n;

	for (done = 0; done < limit && !gospan_bench_stopped(w->run); done += n) {
		n = gospan_bench_window_ops(w, limit - done);
		w->run->loops->mix(&w->job, done, n);
		cond_resched();
	}
	return done;
}

/* Free what lives; the slots know what that is. */
static void mix_drain(struct gospan_bench_worker *w)
{
	struct gospan_mix *mix = w->own;
	void **objects = w->job.objects;
	u32 i;

	for (i = 0; i < GOSPAN_MIX_MAX_LIVE; i++) {
		if (objects[i])
			w->job.calls->free(&w->job, objects[i], mix->slot_bytes[i]);
		objects[i] = NULL;
	}
}

static void mix_round(struct gospan_bench_worker *w, u32 round)
{
	struct gospan_mix *mix = w->own;
	u32 done;

	gospan_bench_phase_start(w, 0);
	done = mix_run(w, w->weighing ? mix->nr_at_peak : mix->nr_ops);
	gospan_bench_phase_end(w, 0, round);
	gospan_mix_replay(mix, done);
	gospan_bench_weigh(w, mix->slot_bytes, GOSPAN_MIX_MAX_LIVE);
	mix_drain(w);
}

const struct gospan_bench_shape gospan_bench_mix = {
	.allocators = GOSPAN_CAN_SIZES & ~GOSPAN_CAN(SPAN),
	.fields = GOSPAN_TAKES_LATENCY,
	.cpus_multiple = 1,
	.nr_live = mix_nr_live,
	.own_bytes = mix_own_bytes,
	.init = mix_init,
	.destroy = mix_destroy,
	.round = mix_round,
};
