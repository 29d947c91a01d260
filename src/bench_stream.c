// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workloads that are a stream of steps on a table of slots.
 *
 * What a step does is drawn before any clock runs, so that drawing is not timed, and
 * every allocator and every round gets the same steps. The loop that does them is
 * that of "mix".
 *
 * Where tables change CPUs, or the objects of some slots do, all these slots are filled,
 * and a stream must free a slot before it allocates there: it then fits on what any other
 * left there, at whatever step that one stopped.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "bench.h"
#include "bench_stream.h"

/* Objects allocated or freed, beside the clock, before others may run. */
#define RESCHED_OBJECTS	4096

static void stream_grew(struct gospan_stream *s)
{
	if (s->bytes <= s->peak_bytes)
		return;
	s->peak_bytes = s->bytes;
	s->nr_at_peak = s->nr_ops;
}

/* Append a step that allocates @bytes in @slot, which must be free. */
void gospan_stream_alloc(struct gospan_stream *s, u32 slot, u32 bytes)
{
	s->ops[s->nr_ops++] = (struct gospan_mix_op){ slot, bytes };
	s->slot_bytes[slot] = bytes;
	s->bytes += bytes;
	stream_grew(s);
}

/* Append a step that frees what is in @slot. */
void gospan_stream_free(struct gospan_stream *s, u32 slot)
{
	s->ops[s->nr_ops++] = (struct gospan_mix_op){ slot, s->slot_bytes[slot] | GOSPAN_MIX_FREE };
	s->bytes -= s->slot_bytes[slot];
	s->slot_bytes[slot] = 0;
}

static u32 nr_draws(const struct gospan_bench *b, const struct gospan_stream_kind *kind)
{
	return DIV_ROUND_UP(b->nr_objects, kind->ops_per_draw);
}

static size_t nr_steps(const struct gospan_bench *b, const struct gospan_stream_kind *kind)
{
	return (size_t)nr_draws(b, kind) * kind->ops_per_draw * kind->steps_per_op;
}

/* The slots of a CPU. */
u32 gospan_stream_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx)
{
	return gospan_bench_shape(b->workload)->stream->nr_slots;
}

/* Bytes that the stream takes on each CPU. */
u64 gospan_stream_own_bytes(const struct gospan_bench *b)
{
	const struct gospan_stream_kind *kind = gospan_bench_shape(b->workload)->stream;

	return sizeof(struct gospan_stream) + 2 * kind->nr_slots * sizeof(u32) +
	       kind->nr_crossing * sizeof(void *) +
	       nr_steps(b, kind) * sizeof(struct gospan_mix_op);
}

static void stream_draw(struct gospan_bench_worker *w, struct gospan_stream *s)
{
	u32 i;

	for (i = 0; i < s->kind->nr_filled; i++) {
		s->filled_bytes[i] = s->kind->fill(w);
		s->bytes += s->filled_bytes[i];
	}
	memcpy(s->slot_bytes, s->filled_bytes, s->kind->nr_slots * sizeof(u32));
	stream_grew(s);
	for (i = 0; i < nr_draws(w->run->b, s->kind); i++) {
		s->kind->draw(w);
		if (!(i % RESCHED_OBJECTS))
			cond_resched();
	}
}

/* 0 or -ENOMEM; gospan_stream_destroy() undoes it in any case. */
int gospan_stream_init(struct gospan_bench_worker *w)
{
	const struct gospan_stream_kind *kind = w->run->shape->stream;
	struct gospan_stream *s = gospan_bench_table(w, 1, sizeof(*s));

	w->own = s;
	if (!s)
		return -ENOMEM;
	s->kind = kind;
	s->filled_bytes = gospan_bench_table(w, kind->nr_slots, sizeof(u32));
	s->slot_bytes = gospan_bench_table(w, kind->nr_slots, sizeof(u32));
	s->ops = gospan_bench_table(w, nr_steps(w->run->b, kind), sizeof(*s->ops));
	/* One more, as a table of none would be no table. */
	s->arriving = gospan_bench_table(w, kind->nr_crossing + 1, sizeof(void *));
	if (!s->filled_bytes || !s->slot_bytes || !s->ops || !s->arriving)
		return -ENOMEM;
	stream_draw(w, s);
	w->job.ops = s->ops;
	w->ops[0] = (u64)nr_draws(w->run->b, kind) * kind->ops_per_draw;
	return 0;
}

void gospan_stream_destroy(struct gospan_bench_worker *w)
{
	struct gospan_stream *s = w->own;

	if (!s)
		return;
	kvfree(s->filled_bytes);
	kvfree(s->slot_bytes);
	kvfree(s->ops);
	kvfree(s->arriving);
	kvfree(s);
}

/* Beside the clock. What cannot be had stays NULL, and its free does nothing. */
static void stream_fill(struct gospan_bench_worker *w)
{
	const struct gospan_stream *s = w->own;
	u32 i;

	for (i = 0; i < s->kind->nr_filled; i++) {
		w->job.objects[i] = w->job.calls->alloc(&w->job, s->filled_bytes[i]);
		w->job.failures += !w->job.objects[i];
		if (!(i % RESCHED_OBJECTS))
			cond_resched();
	}
}

/* Those who can do a stream need not know what size they free. */
static void stream_drain(struct gospan_bench_worker *w)
{
	u32 i;

	for (i = 0; i < w->nr_table; i++) {
		if (w->job.objects[i])
			w->job.calls->free(&w->job, w->job.objects[i], 0);
		w->job.objects[i] = NULL;
		if (!(i % RESCHED_OBJECTS))
			cond_resched();
	}
}

static void stream_run(struct gospan_bench_worker *w, u32 from, u32 end)
{
	u32 done, n;

	for (done = from; done < end && !gospan_bench_stopped(w->run); done += n) {
		n = gospan_bench_window_ops(w, end - done);
		w->run->loops->mix(&w->job, done, n);
		cond_resched();
	}
}

/* The table of the CPU @turn places further on. */
static void **table_of(struct gospan_bench_worker *w, u32 turn)
{
	const struct gospan_bench_run *run = w->run;

	return run->worker[(w->idx + turn) % run->nr_workers].table;
}

/* Take over the crossing objects of the next CPU; all do it at once. */
static void stream_cross(struct gospan_bench_worker *w)
{
	const struct gospan_stream *s = w->own;
	size_t bytes = s->kind->nr_crossing * sizeof(void *);

	if (!bytes)
		return;
	memcpy(s->arriving, table_of(w, 1), bytes);
	/* Nobody looks at another's table any more. */
	gospan_bench_barrier(w->run);
	memcpy(w->table, s->arriving, bytes);
}

static u32 nr_turns(const struct gospan_bench *b, const struct gospan_stream_kind *kind)
{
	return kind->nr_crossing ? nr_draws(b, kind) : kind->nr_turns;
}

/* The step after the last of a turn, which is whole draws. */
static u32 turn_end(const struct gospan_bench_worker *w, u32 turn)
{
	const struct gospan_bench *b = w->run->b;
	const struct gospan_stream_kind *kind = gospan_bench_shape(b->workload)->stream;
	u32 nr = div_u64((u64)nr_draws(b, kind) * (turn + 1), nr_turns(b, kind));

	return nr * kind->ops_per_draw * kind->steps_per_op;
}

/*
 * Take turns: on the tables, the own one first, or each after objects have crossed to the
 * own one.
 */
static void stream_turns(struct gospan_bench_worker *w)
{
	struct gospan_bench_run *run = w->run;
	u32 nr = nr_turns(run->b, run->shape->stream);
	u32 turn, from, end = 0;

	for (turn = 0; turn < nr; turn++) {
		from = end;
		end = turn_end(w, turn);
		if (turn)
			gospan_bench_barrier(run);
		stream_cross(w);
		if (!run->shape->stream->nr_crossing)
			w->job.objects = table_of(w, turn);
		stream_run(w, from, end);
	}
	w->job.objects = w->table;
}

/* Up to the peak, on the own table: the steps are the same. */
static void stream_weigh(struct gospan_bench_worker *w)
{
	struct gospan_stream *s = w->own;
	u32 i;

	stream_run(w, 0, s->nr_at_peak);
	memcpy(s->slot_bytes, s->filled_bytes, s->kind->nr_slots * sizeof(u32));
	for (i = 0; i < s->nr_at_peak; i++)
		s->slot_bytes[s->ops[i].slot] =
			s->ops[i].size & GOSPAN_MIX_FREE ? 0 : s->ops[i].size;
	gospan_bench_weigh(w, s->slot_bytes, s->kind->nr_slots);
}

void gospan_stream_round(struct gospan_bench_worker *w, u32 round)
{
	stream_fill(w);
	gospan_bench_barrier(w->run);
	gospan_bench_phase_start(w, 0);
	if (w->weighing)
		stream_weigh(w);
	else
		stream_turns(w);
	gospan_bench_phase_end(w, 0, round);
	/* Nobody uses another's table any more. */
	gospan_bench_barrier(w->run);
	stream_drain(w);
}
