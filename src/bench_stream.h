/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workloads that are a stream of steps on a table of slots, drawn beforehand.
 */
#ifndef _GOSPAN_BENCH_STREAM_H
#define _GOSPAN_BENCH_STREAM_H

#include <linux/types.h>
#include "bench_mix.h"
#include "bench_worker.h"

/* What differs between such workloads. */
struct gospan_stream_kind {
	u32 nr_slots;		/* of each CPU */
	u32 nr_filled;		/* slots that are full when the clock starts: the first ones */
	u32 steps_per_op;	/* steps that count as one operation */
	u32 ops_per_draw;	/* operations that are drawn at once */
	/*
	 * Slots, the first ones, whose objects go to the next CPU before each draw. All are
	 * filled; the others never leave their CPU.
	 */
	u32 nr_crossing;
	/* Each turn on the table of the next CPU; 1: on the own only; not used with crossing. */
	u32 nr_turns;
	/* Bytes of the object that fills a slot. */
	u32 (*fill)(struct gospan_bench_worker *w);
	/* Append @ops_per_draw operations. */
	void (*draw)(struct gospan_bench_worker *w);
};

struct gospan_stream {
	const struct gospan_stream_kind *kind;
	u32 nr_ops;			/* steps drawn */
	u32 nr_at_peak;			/* steps until most bytes are asked for in the last turn */
	u64 bytes;			/* asked for by the objects that live */
	u64 peak_bytes;			/* at most, in the last turn */
	u32 *filled_bytes;		/* by slot: of the object that fills it */
	/*
	 * By slot: of the object in it, 0 if none. While drawing, and in the round that
	 * weighs; then it follows the table when that changes CPUs.
	 */
	u32 *slot_bytes;
	void **arriving;		/* @nr_crossing objects that come from another CPU */
	u32 *arriving_bytes;		/* theirs */
	struct gospan_mix_op *ops;
};

u32 gospan_stream_nr_live(const struct gospan_bench *b, u32 nr_cpus, u32 idx);
u64 gospan_stream_own_bytes(const struct gospan_bench *b);
int gospan_stream_init(struct gospan_bench_worker *w);
void gospan_stream_destroy(struct gospan_bench_worker *w);
void gospan_stream_round(struct gospan_bench_worker *w, u32 round);

void gospan_stream_alloc(struct gospan_stream *s, u32 slot, u32 bytes);
void gospan_stream_free(struct gospan_stream *s, u32 slot);

/* Whoever frees an object need not know its size. */
#define GOSPAN_CAN_STREAM	(GOSPAN_CAN(EMPTY) | GOSPAN_CAN(GOSPAN) | GOSPAN_CAN(KMALLOC) | \
				 GOSPAN_CAN(NOSCAN) | GOSPAN_CAN(LIMIT))

/* The workload that is the stream @kind. */
#define GOSPAN_STREAM_SHAPE(kind) {		\
	.allocators = GOSPAN_CAN_STREAM,	\
	.fields = GOSPAN_TAKES_LATENCY,		\
	.cpus_multiple = 1,			\
	.stream = &(kind),			\
	.nr_live = gospan_stream_nr_live,	\
	.own_bytes = gospan_stream_own_bytes,	\
	.init = gospan_stream_init,		\
	.destroy = gospan_stream_destroy,	\
	.round = gospan_stream_round,		\
}

#endif /* _GOSPAN_BENCH_STREAM_H */
