/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replay: the allocations of a recorded program, done again in the kernel; the
 * work behind %GOSPAN_IOC_REPLAY and %GOSPAN_IOC_REPLAY_CPUS.
 */
#ifndef _GOSPAN_REPLAY_H
#define _GOSPAN_REPLAY_H

#include <linux/gfp.h>
#include <linux/types.h>
#include <linux/gospan.h>

struct gospan_replay_crew;

/* An object that cannot be had ends the replay: it is no reason to kill someone. */
#define GOSPAN_REPLAY_GFP	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/* What is asked for. The arrays stay the caller's, until the end of the replay. */
struct gospan_replay_plan {
	const struct gospan_replay *replay;
	const u64 *cpus;		/* bit map; NULL: the calling task does all steps */
	const struct gospan_replay_cache *caches;
	struct gospan_replay_sample *samples;	/* filled in */
	struct gospan_replay_class *classes;	/* filled in, as many as fit */
	u32 nr_caches;
	u32 nr_samples;
	u32 max_classes;		/* the length of @classes */
	u32 nr_classes;			/* rows that there are */
};

struct gospan_replay_object {
	void *p;
	u32 size;	/* bytes asked for */
	u16 cache;	/* 1 + number of its cache; 0: of none */
	bool live;
};

/* All of it belongs to who does the steps: a task, or the crew's member whose turn it is. */
struct gospan_replay_run {
	struct gospan_replay_plan *plan;
	enum gospan_replay_allocator who;
	u32 nr_ids;
	u32 nr_sampled;		/* samples taken */
	u64 limit_bytes;	/* that the live objects may ask for, all together */
	u64 live_bytes;		/* that they do */
	u64 nr_live;
	u64 slots_before;	/* gospan's, taken since load, at the start */
	void **caches;		/* KMEM_CACHE, GOSPAN_CACHE: theirs; NULL past those that are */
	struct gospan_replay_crew *crew;	/* NULL: the caller does the steps */
	struct gospan_replay_result result;	/* so far */
	struct gospan_memstats stats;	/* too large for the stack */
	struct gospan_replay_object object[];	/* by id */
};

struct gospan_replay_run *gospan_replay_begin(struct gospan_replay_plan *plan);
int gospan_replay_feed(struct gospan_replay_run *run, const struct gospan_replay_op *ops, u32 n);
void gospan_replay_end(struct gospan_replay_run *run, struct gospan_replay_result *result);

/* Between the replay's own files. */
int gospan_replay_window(struct gospan_replay_run *run, const struct gospan_replay_op *ops, u32 n);
void gospan_replay_free_live(struct gospan_replay_run *run);
int gospan_replay_weigh(struct gospan_replay_run *run, struct gospan_replay_sample *sample,
			struct gospan_replay_plan *rows);

int gospan_replay_check_cpus(const u64 *cpus);
struct gospan_replay_crew *gospan_replay_crew_create(struct gospan_replay_run *run);
int gospan_replay_crew_steps(struct gospan_replay_crew *crew, const struct gospan_replay_op *ops,
			     u32 n);
void gospan_replay_crew_destroy(struct gospan_replay_crew *crew);

#endif /* _GOSPAN_REPLAY_H */
