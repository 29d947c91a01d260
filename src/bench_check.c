// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which benchmarks can be run: fields that make sense together, CPUs that are
 * online, and no more memory than the machine can do without.
 */

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "bench.h"
#include "bench_extent.h"
#include "bench_held.h"
#include "bench_worker.h"
#include "internal.h"

static const struct gospan_bench_shape *const shapes[GOSPAN_NR_WORKLOADS] = {
	[GOSPAN_WORKLOAD_PAIR] = &gospan_bench_pair,
	[GOSPAN_WORKLOAD_BATCH] = &gospan_bench_batch,
	[GOSPAN_WORKLOAD_REMOTE] = &gospan_bench_remote,
	[GOSPAN_WORKLOAD_MIX] = &gospan_bench_mix,
	[GOSPAN_WORKLOAD_BULK] = &gospan_bench_bulk,
	[GOSPAN_WORKLOAD_WRITE] = &gospan_bench_write,
	[GOSPAN_WORKLOAD_LARSON] = &gospan_bench_larson,
	[GOSPAN_WORKLOAD_XMALLOC] = &gospan_bench_xmalloc,
	[GOSPAN_WORKLOAD_ALLOC_TEST] = &gospan_bench_alloc_test,
	[GOSPAN_WORKLOAD_SHBENCH] = &gospan_bench_shbench,
	[GOSPAN_WORKLOAD_FAN_OUT] = &gospan_bench_fan_out,
	[GOSPAN_WORKLOAD_CYCLE] = &gospan_bench_cycle,
	[GOSPAN_WORKLOAD_FRAGMENT] = &gospan_bench_fragment,
	[GOSPAN_WORKLOAD_THRASH] = &gospan_bench_thrash,
	[GOSPAN_WORKLOAD_SCRATCH] = &gospan_bench_scratch,
	[GOSPAN_WORKLOAD_RPTEST] = &gospan_bench_rptest,
	[GOSPAN_WORKLOAD_MSTRESS] = &gospan_bench_mstress,
	[GOSPAN_WORKLOAD_RCU_FLOOD] = &gospan_bench_rcu_flood,
	[GOSPAN_WORKLOAD_HARDIRQ] = &gospan_bench_hardirq,
};

/* Of a workload that has been checked. */
const struct gospan_bench_shape *gospan_bench_shape(u32 workload)
{
	return shapes[workload];
}

/* Is @value what a field may be that the workload takes, or else 0? */
static bool field_valid(const struct gospan_bench_shape *shape, u32 field, u64 value, u64 min,
			u64 max)
{
	if (!(shape->fields & field))
		return !value;
	return value >= min && value <= max;
}

static bool fields_valid(const struct gospan_bench *b, const struct gospan_bench_shape *shape)
{
	bool has_pages = b->allocator == GOSPAN_ALLOCATOR_SPAN ||
			 b->allocator == GOSPAN_ALLOCATOR_PAGES;

	if (b->allocator >= GOSPAN_NR_ALLOCATORS || !(shape->allocators & BIT(b->allocator)))
		return false;
	if (b->flags & ~(GOSPAN_BENCH_ZERO | GOSPAN_BENCH_LATENCY | GOSPAN_BENCH_WEIGH))
		return false;
	if (!field_valid(shape, GOSPAN_TAKES_LATENCY, b->flags & GOSPAN_BENCH_LATENCY, 0,
			 U32_MAX) ||
	    !field_valid(shape, GOSPAN_TAKES_ORDER, b->order, 0, GOSPAN_NR_ORDERS - 1) ||
	    !field_valid(shape, GOSPAN_TAKES_SIZE, b->size, max(shape->min_size, 1U),
			 shape->max_size ?: KMALLOC_MAX_SIZE) ||
	    !field_valid(shape, GOSPAN_TAKES_HELD, b->held_pages, 0,
			 has_pages ? GOSPAN_BENCH_MAX_HELD_PAGES : 0))
		return false;
	if (b->nr_objects < 1 || b->nr_objects > GOSPAN_BENCH_MAX_OBJECTS)
		return false;
	return b->rounds >= 1 && b->rounds <= GOSPAN_BENCH_MAX_ROUNDS;
}

/* Objects that are live at once on all CPUs, at most. */
static u64 bench_nr_live(const struct gospan_bench *b, unsigned int nr_cpus)
{
	const struct gospan_bench_shape *shape = gospan_bench_shape(b->workload);
	u64 nr_live = 0;
	unsigned int i;

	for (i = 0; i < nr_cpus; i++)
		nr_live += shape->nr_live(b, nr_cpus, i);
	return nr_live;
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

	if (b->workload >= GOSPAN_NR_WORKLOADS || !fields_valid(b, gospan_bench_shape(b->workload)))
		return -EINVAL;
	for (cpu = 0; cpu < GOSPAN_BENCH_CPU_WORDS; cpu++)
		nr_cpus += hweight64(b->cpus[cpu]);
	if (!nr_cpus || b->nr_results < nr_cpus ||
	    nr_cpus % gospan_bench_shape(b->workload)->cpus_multiple)
		return -EINVAL;
	/* At most 2^20 objects of less than 2^32 bytes on 2^10 CPUs: no overflow. */
	if (b->size * bench_nr_live(b, nr_cpus) > GOSPAN_BENCH_MAX_BYTES)
		return -EINVAL;
	for (cpu = 0; cpu < GOSPAN_BENCH_CPU_WORDS * 64; cpu++) {
		if (gospan_bench_has_cpu(b, cpu) && (cpu >= nr_cpu_ids || !cpu_online(cpu)))
			return -ENODEV;
	}
	return nr_cpus;
}

/*
 * Bytes that an object takes, at most: every allocator here rounds up to no more than
 * the next power of two, or to kernel pages.
 */
static u64 object_bytes(const struct gospan_bench *b)
{
	switch (b->allocator) {
	case GOSPAN_ALLOCATOR_EMPTY:
		return 0;
	case GOSPAN_ALLOCATOR_LIMIT:
		return sizeof(void *);
	case GOSPAN_ALLOCATOR_PAGES:
		return PAGE_SIZE << get_order(b->size);
	case GOSPAN_ALLOCATOR_SPAN:
		return gospan_bench_span_bytes(gospan_bytes_to_npages(b->size));
	default:
		return roundup_pow_of_two(max_t(u64, b->size, 8));
	}
}

static u64 bench_bytes(const struct gospan_bench *b, unsigned int nr_cpus)
{
	const struct gospan_bench_shape *shape = gospan_bench_shape(b->workload);
	/* Objects of a workload without a size are few and small. */
	u64 each = b->size ? object_bytes(b) : 0;

	/* An entry in a table each. */
	each += sizeof(void *);
	if (b->flags & GOSPAN_BENCH_WEIGH)
		each += sizeof(struct gospan_extent);
	return each * bench_nr_live(b, nr_cpus) +
	       (shape->own_bytes ? shape->own_bytes(b) : 0) * nr_cpus;
}

/* It must not bring the machine down: half of what is to be had is enough. */
bool gospan_bench_fits(const struct gospan_bench *b, unsigned int nr_cpus)
{
	u64 available = (u64)max(si_mem_available(), 0L) * PAGE_SIZE;
	u64 bytes = bench_bytes(b, nr_cpus);

	return bytes <= available / 2 &&
	       bytes + gospan_bench_held_bytes(b->held_pages) <= available / 8 * 7;
}
