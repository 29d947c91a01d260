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
 *
 * The round that weighs does the same, objects change CPUs, up to the peak of the last
 * turn: what frees on other CPUs leave behind is then seen.
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
	       kind->nr_crossing * (sizeof(void *) + sizeof(u32)) +
	       nr_steps(b, kind) * sizeof(struct gospan_mix_op);
}

static u32 nr_turns(const struct gospan_bench *b, const struct gospan_stream_kind *kind)
{
	return kind->nr_crossing ? nr_draws(b, kind) : kind->nr_turns;
}

/* Draws up to the end of a turn, which is whole ones. */
static u32 turn_end(const struct gospan_bench *b, const struct gospan_stream_kind *kind, u32 turn)
{
	return div_u64((u64)nr_draws(b, kind) * (turn + 1), nr_turns(b, kind));
}

static void stream_draw(struct gospan_bench_worker *w, struct gospan_stream *s)
{
	const struct gospan_bench *b = w->run->b;
	u32 last_turn = nr_turns(b, s->kind) - 1;
	u32 i, last_begins = last_turn ? turn_end(b, s->kind, last_turn - 1) : 0;

	for (i = 0; i < s->kind->nr_filled; i++) {
		s->filled_bytes[i] = s->kind->fill(w);
		s->bytes += s->filled_bytes[i];
	}
	memcpy(s->slot_bytes, s->filled_bytes, s->kind->nr_slots * sizeof(u32));
	for (i = 0; i < nr_draws(b, s->kind); i++) {
		if (i == last_begins) {
			s->peak_bytes = 0;
			stream_grew(s);
		}
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
	s->arriving_bytes = gospan_bench_table(w, kind->nr_crossing + 1, sizeof(u32));
	if (!s->filled_bytes || !s->slot_bytes || !s->ops || !s->arriving || !s->arriving_bytes)
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
	kvfree(s->arriving_bytes);
	kvfree(s);
}

/* Beside the clock. What cannot be had stays NULL, and its free does nothing. */
static void stream_fill(struct gospan_bench_worker *w)
{
	const struct gospan_stream *s = w->own;
	u32 i;

	if (w->weighing)
		memcpy(s->slot_bytes, s->filled_bytes, s->kind->nr_slots * sizeof(u32));
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

/* In the round that weighs: what those steps leave in the slots, of @slot_bytes. */
static void stream_follow(const struct gospan_bench_worker *w, u32 *slot_bytes, u32 from, u32 end)
{
	const struct gospan_stream *s = w->own;
	u32 i;

	for (i = from; w->weighing && i < end; i++)
		slot_bytes[s->ops[i].slot] =
			s->ops[i].size & GOSPAN_MIX_FREE ? 0 : s->ops[i].size;
}

/* The CPU @turn places further on. */
static struct gospan_bench_worker *worker_after(struct gospan_bench_worker *w, u32 turn)
{
	struct gospan_bench_run *run = w->run;

	return &run->worker[(w->idx + turn) % run->nr_workers];
}

/* Take over the crossing objects of the next CPU; all do it at once. */
static void stream_cross(struct gospan_bench_worker *w)
{
	const struct gospan_bench_worker *next = worker_after(w, 1);
	const struct gospan_stream *s = w->own, *from = next->own;
	u32 nr = s->kind->nr_crossing;

	memcpy(s->arriving, next->table, nr * sizeof(void *));
	memcpy(s->arriving_bytes, from->slot_bytes, nr * sizeof(u32));
	/* Nobody looks at another's table any more. */
	gospan_bench_barrier(w->run);
	memcpy(w->table, s->arriving, nr * sizeof(void *));
	memcpy(s->slot_bytes, s->arriving_bytes, nr * sizeof(u32));
}

/* The step with which a turn ends. */
static u32 last_step(const struct gospan_bench_worker *w, u32 turn)
{
	const struct gospan_bench *b = w->run->b;
	const struct gospan_stream *s = w->own;

	if (w->weighing && turn == nr_turns(b, s->kind) - 1)
		return s->nr_at_peak;
	return turn_end(b, s->kind, turn) * s->kind->ops_per_draw * s->kind->steps_per_op;
}

/*
 * Take turns: on the tables, the own one first, or each after objects have crossed to the
 * own one.
 */
static void stream_turns(struct gospan_bench_worker *w)
{
	const struct gospan_stream_kind *kind = w->run->shape->stream;
	struct gospan_bench_worker *owner = w;
	const struct gospan_stream *s = w->own;
	u32 turn, from, end = 0;

	for (turn = 0; turn < nr_turns(w->run->b, kind); turn++) {
		from = end;
		end = last_step(w, turn);
		if (turn)
			gospan_bench_barrier(w->run);
		if (kind->nr_crossing)
			stream_cross(w);
		else
			owner = worker_after(w, turn);
		s = owner->own;
		w->job.objects = owner->table;
		stream_run(w, from, end);
		stream_follow(w, s->slot_bytes, from, end);
	}
	gospan_bench_weigh(w, s->slot_bytes, kind->nr_slots);
	w->job.objects = w->table;
}

void gospan_stream_round(struct gospan_bench_worker *w, u32 round)
{
	stream_fill(w);
	gospan_bench_barrier(w->run);
	gospan_bench_phase_start(w, 0);
	stream_turns(w);
	gospan_bench_phase_end(w, 0, round);
	/* Nobody uses another's table any more. */
	gospan_bench_barrier(w->run);
	stream_drain(w);
}
