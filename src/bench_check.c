// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which benchmarks can be run: fields that make sense together, CPUs that are
 * online, and no more memory than the machine can do without.
 */

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "bench.h"
#include "bench_held.h"
#include "bench_loop.h"
#include "internal.h"

/* Has the allocator what the workload wants of it? */
static bool allocator_can(const struct gospan_bench *b)
{
	const struct gospan_bench_loops *loops = &gospan_bench_loops[b->allocator];

	switch (b->workload) {
	case GOSPAN_WORKLOAD_MIX:
		return loops->mix;
	case GOSPAN_WORKLOAD_BULK:
		return loops->bulk;
	case GOSPAN_WORKLOAD_WRITE:
		return loops->write;
	default:
		return true;
	}
}

static bool fields_valid(const struct gospan_bench *b)
{
	bool is_mix = b->workload == GOSPAN_WORKLOAD_MIX;
	bool has_order = b->workload == GOSPAN_WORKLOAD_BATCH ||
			 b->workload == GOSPAN_WORKLOAD_REMOTE;

	if (b->workload >= GOSPAN_NR_WORKLOADS || b->allocator >= GOSPAN_NR_ALLOCATORS ||
	    !allocator_can(b))
		return false;
	if (b->order >= (has_order ? GOSPAN_NR_ORDERS : 1))
		return false;
	if (b->flags & ~GOSPAN_BENCH_ZERO || b->held_pages > GOSPAN_BENCH_MAX_HELD_PAGES)
		return false;
	if (b->held_pages && b->allocator != GOSPAN_ALLOCATOR_SPAN &&
	    b->allocator != GOSPAN_ALLOCATOR_PAGES)
		return false;
	if (is_mix ? b->size != 0 : b->size < 1 || b->size > KMALLOC_MAX_SIZE)
		return false;
	if (is_mix && b->held_pages)
		return false;
	if (b->nr_objects < 1 || b->nr_objects > GOSPAN_BENCH_MAX_OBJECTS)
		return false;
	return b->rounds >= 1 && b->rounds <= GOSPAN_BENCH_MAX_ROUNDS;
}

/**
 * gospan_bench_check() - is this a benchmark that can run here?
 * @b: what user space asks for
 *
 * Return: the number of CPUs that it takes, -EINVAL for a field out of range,
 * -ENODEV for a CPU that is not online.
 */
int gospan_bench_check(const struct gospan_bench *b)
{
	unsigned int nr_cpus = 0;
	unsigned int cpu;

	if (!fields_valid(b))
		return -EINVAL;
	for (cpu = 0; cpu < GOSPAN_BENCH_CPU_WORDS; cpu++)
		nr_cpus += hweight64(b->cpus[cpu]);
	if (!nr_cpus || b->nr_results < nr_cpus)
		return -EINVAL;
	if (b->workload == GOSPAN_WORKLOAD_REMOTE && nr_cpus % 2)
		return -EINVAL;
	/* At most 2^20 objects of less than 2^32 bytes on 2^10 CPUs: no overflow. */
	if (b->size * b->nr_objects * nr_cpus > GOSPAN_BENCH_MAX_BYTES)
		return -EINVAL;
	for (cpu = 0; cpu < GOSPAN_BENCH_CPU_WORDS * 64; cpu++) {
		if (gospan_bench_has_cpu(b, cpu) && (cpu >= nr_cpu_ids || !cpu_online(cpu)))
			return -ENODEV;
	}
	return nr_cpus;
}

/*
 * Bytes that the objects take at once, at most: every allocator here rounds up
 * to no more than the next power of two, or to kernel pages.
 */
static u64 bench_bytes(const struct gospan_bench *b, unsigned int nr_cpus)
{
	u64 each = roundup_pow_of_two(max_t(u64, b->size, 8));
	u64 live = b->nr_objects;

	if (b->workload == GOSPAN_WORKLOAD_PAIR)
		live = 1;
	else if (b->workload == GOSPAN_WORKLOAD_WRITE)
		live = GOSPAN_BENCH_CANDIDATES;
	if (b->workload == GOSPAN_WORKLOAD_MIX || b->allocator == GOSPAN_ALLOCATOR_EMPTY)
		each = 0;
	else if (b->allocator == GOSPAN_ALLOCATOR_PAGES)
		each = PAGE_SIZE << get_order(b->size);
	else if (b->allocator == GOSPAN_ALLOCATOR_SPAN)
		each = gospan_bench_span_bytes(gospan_bytes_to_npages(b->size));
	/* And a pointer each. */
	return (each + sizeof(void *)) * live * nr_cpus;
}

/* It must not bring the machine down: half of what is to be had is enough. */
bool gospan_bench_fits(const struct gospan_bench *b, unsigned int nr_cpus)
{
	u64 available = (u64)max(si_mem_available(), 0L) * PAGE_SIZE;
	u64 bytes = bench_bytes(b, nr_cpus);

	return bytes <= available / 2 &&
	       bytes + gospan_bench_held_bytes(b->held_pages) <= available / 8 * 7;
}
