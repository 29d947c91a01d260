/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The "mix" workload: a stream of allocations and frees with the sizes and
 * lifetimes of a real kernel's, and the memory that its objects take.
 */
#ifndef _GOSPAN_BENCH_MIX_H
#define _GOSPAN_BENCH_MIX_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/gospan.h>

/* A row of the table: how many kmallocs asked for so much and lived so long. */
struct gospan_mix_row {
	u32 bytes;
	u32 lifetime_log2;	/* 1 << this <= lifetime < 2 << this, in kmallocs */
	u32 count;
};

#define GOSPAN_MIX_FREE	BIT(31)	/* in gospan_mix_op.size: a free */

/* A step of the stream. Compact: a million of them are read while timed. */
struct gospan_mix_op {
	u32 slot;	/* which object: < GOSPAN_MIX_MAX_LIVE */
	u32 size;	/* its bytes, with GOSPAN_MIX_FREE when it goes */
};

/*
 * Objects live at once. The lifetimes make it some 150; the bound is for the
 * tables of the streams.
 */
#define GOSPAN_MIX_MAX_LIVE	1024

struct gospan_mix {
	struct gospan_mix_op *ops;
	u32 nr_ops;
	u32 nr_at_peak;		/* ops until most bytes are asked for */
	u64 peak_bytes;		/* how many that is */
	/* Set by gospan_mix_replay(): bytes of each slot's object, 0 if none. */
	u32 slot_bytes[GOSPAN_MIX_MAX_LIVE];
};

int gospan_mix_init(struct gospan_mix *mix, u32 nr_ops, u64 seed, gfp_t gfp, int node);
void gospan_mix_destroy(struct gospan_mix *mix);

void gospan_mix_replay(struct gospan_mix *mix, u32 nr_ops);

#endif /* _GOSPAN_BENCH_MIX_H */
