// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's loops once more, for the latency of single operations.
 *
 * The clock is read after each operation, which takes longer than most of them: the
 * sums are of no use, the histogram is. Its least value is what a reading and two
 * calls through pointers cost; the empty allocator shows it.
 */

#include <linux/compiler.h>
#include "bench_histogram.h"
#include "bench_loop.h"
#include "bench_mix.h"

/* Count what has passed since @since; what passes from now on counts next. */
static __always_inline u64 lap(struct gospan_bench_job *job, u64 since)
{
	gospan_histogram_add(job->latency, gospan_bench_ticks() - since);
	return gospan_bench_ticks();
}

static void timed_pair(struct gospan_bench_job *job, u32 n)
{
	struct gospan_bench_window start = gospan_bench_window_open();
	u64 since = start.ticks;

	while (n--) {
		void *p = job->calls->alloc(job, job->size);

		if (likely(p))
			job->calls->free(job, p, job->size);
		else
			job->failures++;
		since = lap(job, since);
	}
	gospan_bench_window_close(job, start);
}

static void timed_alloc(struct gospan_bench_job *job, u32 n)
{
	struct gospan_bench_window start = gospan_bench_window_open();
	u64 since = start.ticks;

	while (n--) {
		void *p = job->calls->alloc(job, job->size);

		if (likely(p))
			job->objects[job->nr_live++] = p;
		else
			job->failures++;
		since = lap(job, since);
	}
	gospan_bench_window_close(job, start);
}

static void timed_free(struct gospan_bench_job *job, void *const *objects, u32 n)
{
	struct gospan_bench_window start = gospan_bench_window_open();
	u64 since = start.ticks;

	while (n--) {
		job->calls->free(job, *objects++, job->size);
		since = lap(job, since);
	}
	gospan_bench_window_close(job, start);
}

static void timed_mix(struct gospan_bench_job *job, u32 from, u32 n)
{
	const struct gospan_mix_op *op = job->ops + from;
	struct gospan_bench_window start = gospan_bench_window_open();
	u64 since = start.ticks;

	for (; n--; op++) {
		void **slot = job->objects + op->slot;
		size_t size = op->size & ~GOSPAN_MIX_FREE;

		if (!(op->size & GOSPAN_MIX_FREE)) {
			*slot = job->calls->alloc(job, size);
			job->failures += !*slot;
		} else if (likely(*slot)) {
			job->calls->free(job, *slot, size);
			*slot = NULL;
		}
		since = lap(job, since);
	}
	gospan_bench_window_close(job, start);
}

const struct gospan_bench_loops gospan_bench_timed_loops = {
	.pair = timed_pair,
	.alloc = timed_alloc,
	.free = timed_free,
	.mix = timed_mix,
};
