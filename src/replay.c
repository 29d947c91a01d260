// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay: the allocations of a recorded program, or of a whole machine, done
 * again in the kernel.
 *
 * Between steps nothing of ours is allocated, so that the objects of the stream
 * lie as they would lie if who was recorded had asked the allocator itself.
 * Where the caller wants it they are weighed (replay_weigh.c).
 *
 * The calling task does all steps, or a crew of threads, one on each CPU, of
 * which one at a time works (replay_crew.c): in windows (replay_step.c); in
 * between it reschedules and looks for signals.
 */

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "compat.h"
#include "replay.h"

/* Slots taken since load. The rows count slots, whatever shares them. */
static u64 slots_taken(struct gospan_memstats *stats)
{
	u64 slots = 0;
	u32 i;

	gospan_read_stats(stats);
	for (i = 0; i < GOSPAN_NR_SIZECLASSES; i++)
		slots += stats->by_size[i].mallocs;
	return slots;
}

static bool caches_valid(const struct gospan_replay_plan *plan)
{
	u32 i;

	if (plan->nr_caches > GOSPAN_REPLAY_MAX_CACHES)
		return false;
	for (i = 0; i < plan->nr_caches; i++) {
		const struct gospan_replay_cache *cache = &plan->caches[i];

		if (!cache->size || cache->size > cache->slot_bytes ||
		    cache->slot_bytes > GOSPAN_REPLAY_MAX_CACHE_BYTES)
			return false;
	}
	return true;
}

static bool samples_valid(const struct gospan_replay_plan *plan)
{
	u64 last = 0;
	u32 i;

	if (plan->nr_samples > GOSPAN_REPLAY_MAX_SAMPLES)
		return false;
	for (i = 0; i < plan->nr_samples; i++) {
		const struct gospan_replay_sample *sample = &plan->samples[i];

		if (sample->reserved || sample->at <= last || sample->at > plan->replay->nr_ops)
			return false;
		last = sample->at;
	}
	return true;
}

static bool plan_valid(const struct gospan_replay_plan *plan)
{
	const struct gospan_replay *replay = plan->replay;

	if (replay->allocator >= GOSPAN_NR_REPLAYERS || replay->flags || replay->reserved)
		return false;
	if (!replay->nr_ops || replay->weigh_at > replay->nr_ops)
		return false;
	if (!replay->nr_ids || replay->nr_ids > GOSPAN_REPLAY_MAX_IDS)
		return false;
	return plan->max_classes <= GOSPAN_REPLAY_MAX_CLASSES && caches_valid(plan) &&
	       samples_valid(plan);
}

static void *cache_create(enum gospan_replay_allocator who, const char *name, u32 bytes)
{
	return who == GOSPAN_REPLAY_KMEM_CACHE ?
	       (void *)kmem_cache_create(name, bytes, 0, SLAB_NO_MERGE, NULL) :
	       (void *)gospan_cache_create(name, bytes, 0, 0, NULL);
}

static void caches_destroy(struct gospan_replay_run *run)
{
	u32 i;

	for (i = 0; run->caches && i < run->plan->nr_caches; i++) {
		if (run->who == GOSPAN_REPLAY_KMEM_CACHE)
			kmem_cache_destroy(run->caches[i]);
		else
			gospan_cache_destroy(run->caches[i]);
	}
	kvfree(run->caches);
}

/* What was made before an error is left to caches_destroy(). */
static int caches_create(struct gospan_replay_run *run)
{
	const struct gospan_replay_plan *plan = run->plan;
	char name[32];
	u32 i;

	if (run->who != GOSPAN_REPLAY_KMEM_CACHE && run->who != GOSPAN_REPLAY_GOSPAN_CACHE)
		return 0;
	if (!plan->nr_caches)
		return 0;
	run->caches = kvcalloc(plan->nr_caches, sizeof(*run->caches), GOSPAN_REPLAY_GFP);
	if (!run->caches)
		return -ENOMEM;
	for (i = 0; i < plan->nr_caches; i++) {
		snprintf(name, sizeof(name), "gospan_replay_%u", i);
		run->caches[i] = cache_create(run->who, name, plan->caches[i].slot_bytes);
		if (!run->caches[i])
			return -ENOMEM;
	}
	return 0;
}

static int crew_create(struct gospan_replay_run *run)
{
	if (!run->plan->cpus)
		return 0;
	run->crew = gospan_replay_crew_create(run);
	if (!IS_ERR(run->crew))
		return 0;
	return PTR_ERR(xchg(&run->crew, NULL));
}

static void run_destroy(struct gospan_replay_run *run)
{
	gospan_replay_crew_destroy(run->crew);
	gospan_replay_free_live(run);
	caches_destroy(run);
	kvfree(run);
}

/**
 * gospan_replay_begin() - start a replay
 * @plan: what is asked for; stays until gospan_replay_end()
 *
 * Context: Task; sleeps.
 * Return: the replay, for gospan_replay_feed() and gospan_replay_end(); -EINVAL
 * for a field out of range, -ENODEV for a CPU that is not online, -ENOMEM when
 * the table of ids cannot be had, or is more than half of the memory available.
 */
struct gospan_replay_run *gospan_replay_begin(struct gospan_replay_plan *plan)
{
	u64 limit = (u64)max(si_mem_available(), 0L) * PAGE_SIZE / 2;
	struct gospan_replay_run *run;
	size_t bytes;
	int err;

	if (!plan_valid(plan))
		return ERR_PTR(-EINVAL);
	bytes = struct_size(run, object, plan->replay->nr_ids);
	if (bytes > limit)
		return ERR_PTR(-ENOMEM);
	run = kvzalloc(bytes, GOSPAN_REPLAY_GFP);
	if (!run)
		return ERR_PTR(-ENOMEM);
	plan->nr_classes = 0;
	run->plan = plan;
	run->who = plan->replay->allocator;
	run->nr_ids = plan->replay->nr_ids;
	run->limit_bytes = limit - bytes;
	err = caches_create(run) ?: crew_create(run);
	if (err) {
		run_destroy(run);
		return ERR_PTR(err);
	}
	run->slots_before = slots_taken(&run->stats);
	return run;
}

/* The next sample to take, or NULL. */
static struct gospan_replay_sample *next_sample(const struct gospan_replay_run *run)
{
	const struct gospan_replay_plan *plan = run->plan;

	return run->nr_sampled < plan->nr_samples ? &plan->samples[run->nr_sampled] : NULL;
}

/* The steps to do before something is weighed, at most up to @goal. */
static u64 next_stop(const struct gospan_replay_run *run, u64 goal)
{
	const struct gospan_replay_sample *sample = next_sample(run);
	u64 weigh_at = run->plan->replay->weigh_at;

	if (run->result.nr_done < weigh_at)
		goal = min(goal, weigh_at);
	return sample ? min(goal, sample->at) : goal;
}

static int weigh_peak(struct gospan_replay_run *run)
{
	struct gospan_replay_sample peak;
	int err;

	if (run->result.nr_done != run->plan->replay->weigh_at)
		return 0;
	err = gospan_replay_weigh(run, &peak, run->plan);
	if (err)
		return err;
	run->result.live = peak.live;
	run->result.bytes_asked = peak.bytes_asked;
	run->result.live_slots = peak.live_slots;
	run->result.bytes_rounded = peak.bytes_rounded;
	run->result.bytes_held = peak.bytes_held;
	return 0;
}

static int weigh_sample(struct gospan_replay_run *run)
{
	struct gospan_replay_sample *sample = next_sample(run);

	if (!sample || run->result.nr_done != sample->at)
		return 0;
	run->nr_sampled++;
	return gospan_replay_weigh(run, sample, NULL);
}

/**
 * gospan_replay_feed() - replay some more steps
 * @run: replay
 * @ops: the next steps
 * @n: how many
 *
 * Context: The task that began the replay. Sleeps.
 * Return: 0; or -EINVAL for a step that cannot be, -ENOMEM, -ENODEV when a CPU
 * went offline, or -EINTR when a signal is pending: the replay then has to end.
 */
int gospan_replay_feed(struct gospan_replay_run *run, const struct gospan_replay_op *ops, u32 n)
{
	u64 goal = run->result.nr_done + n;
	int err;

	while (run->result.nr_done < goal) {
		u64 done = run->result.nr_done;
		const struct gospan_replay_op *next = ops + n - (goal - done);
		u32 nr_next = next_stop(run, goal) - done;

		if (signal_pending(current))
			return -EINTR;
		err = run->crew ? gospan_replay_crew_steps(run->crew, next, nr_next) :
				  gospan_replay_window(run, next, nr_next);
		if (!err)
			err = weigh_peak(run);
		if (!err)
			err = weigh_sample(run);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/**
 * gospan_replay_end() - free what lives still, and say what the replay came to
 * @run: replay, which is gone afterwards
 * @result: filled in, also after an error
 *
 * Context: As gospan_replay_feed().
 */
void gospan_replay_end(struct gospan_replay_run *run, struct gospan_replay_result *result)
{
	if (run->who == GOSPAN_REPLAY_EMPTY)
		run->result.slots = 0;
	else if (run->who == GOSPAN_REPLAY_GOSPAN || run->who == GOSPAN_REPLAY_NOSCAN)
		run->result.slots = slots_taken(&run->stats) - run->slots_before;
	*result = run->result;
	run_destroy(run);
}
