// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which workloads, sizes and loop counts a bench measures.
 *
 * Loop counts serve two masters. In instructions, a window must stay well
 * below a timer tick (4 ms, at one instruction per ns): a thousand operations
 * of a few hundred instructions. In cycles, batches must be larger than what
 * the CPU's nearest cache holds, or the cost of touching a freed object is
 * never seen. Either way a CPU's objects stay below MAX_LIVE_BYTES.
 */
#include "bench.h"

#include "device.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LIVE_BYTES		(32U << 20)
#define KERNEL_PAGE_BYTES	4096U	/* the least that alloc_pages takes */
#define LOOPS_INSTRUCTIONS	1000U
#define LOOPS_CYCLES		8192U
#define MIX_FACTOR		4U	/* steps are cheap, and the live set must build up */
#define MIN_LOOPS		8U

const char *const instrument_names[NR_INSTRUMENTS] = {
	[INSTRUMENT_CYCLES] = "cycles",
	[INSTRUMENT_INSTRUCTIONS] = "instructions",
};

const char *const allocator_names[GOSPAN_NR_ALLOCATORS] = {
	[GOSPAN_ALLOCATOR_EMPTY] = "empty",
	[GOSPAN_ALLOCATOR_GOSPAN] = "gospan",
	[GOSPAN_ALLOCATOR_KMALLOC] = "kmalloc",
	[GOSPAN_ALLOCATOR_KMEM_CACHE] = "kmem_cache",
	[GOSPAN_ALLOCATOR_PAGES] = "pages",
};

const struct bench_kind bench_kinds[NR_KINDS] = {
	[KIND_PAIR] = {
		"pair", GOSPAN_WORKLOAD_PAIR, GOSPAN_ORDER_FIFO, WIDTH_ONE,
		{ "pair", NULL }, "8,64,256,1024,4096,9000,32768",
	},
	[KIND_PAIR_ALL] = {
		"pair-all", GOSPAN_WORKLOAD_PAIR, GOSPAN_ORDER_FIFO, WIDTH_ALL,
		{ "pair", NULL }, "64,1024,9000",
	},
	[KIND_BATCH] = {
		"batch", GOSPAN_WORKLOAD_BATCH, GOSPAN_ORDER_FIFO, WIDTH_ONE,
		{ "alloc", "free" }, "8,64,1024,4096",
	},
	[KIND_BATCH_LIFO] = {
		"batch-lifo", GOSPAN_WORKLOAD_BATCH, GOSPAN_ORDER_LIFO, WIDTH_ONE,
		{ "alloc", "free" }, "8,64,1024,4096",
	},
	[KIND_BATCH_SHUFFLED] = {
		"batch-shuffled", GOSPAN_WORKLOAD_BATCH, GOSPAN_ORDER_SHUFFLED, WIDTH_ONE,
		{ "alloc", "free" }, "8,64,1024,4096",
	},
	[KIND_REMOTE] = {
		"remote", GOSPAN_WORKLOAD_REMOTE, GOSPAN_ORDER_FIFO, WIDTH_TWO,
		{ "alloc", "free" }, "64,1024",
	},
	[KIND_MIX] = {
		"mix", GOSPAN_WORKLOAD_MIX, GOSPAN_ORDER_FIFO, WIDTH_ONE,
		{ "step", NULL }, NULL,
	},
};

static __u32 choose_loops(const struct bench_options *options, __u64 size)
{
	__u64 bytes = size > KERNEL_PAGE_BYTES ? size : KERNEL_PAGE_BYTES;
	__u64 loops = LOOPS_CYCLES;

	if (options->nr_objects)
		return options->nr_objects;
	if (options->instrument == INSTRUMENT_INSTRUCTIONS)
		loops = (__u64)LOOPS_INSTRUCTIONS * KERNEL_PAGE_BYTES / bytes;
	if (loops > MAX_LIVE_BYTES / bytes)
		loops = MAX_LIVE_BYTES / bytes;
	if (loops < MIN_LOOPS)
		loops = MIN_LOOPS;
	return size ? loops : loops * MIX_FACTOR;
}

static struct cpu_list choose_cpus(const struct bench *b, enum bench_width width)
{
	switch (width) {
	case WIDTH_ONE:
		return cpu_list_first(&b->options.cpus, 1);
	case WIDTH_TWO:
		return cpu_list_first(&b->options.cpus, 2);
	default:
		return b->options.cpus;
	}
}

static void add_case(struct bench *b, const struct bench_kind *kind, __u64 size)
{
	struct bench_case *c;

	b->cases = reallocarray(b->cases, b->nr_cases + 1, sizeof(*b->cases));
	if (!b->cases)
		fail("out of memory");
	c = &b->cases[b->nr_cases++];
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->size = size;
	c->nr_objects = choose_loops(&b->options, size);
	c->cpus = choose_cpus(b, kind->width);
	c->nr_cpus = cpu_list_count(&c->cpus);
	if (size > GOSPAN_BENCH_MAX_BYTES / c->nr_objects / c->nr_cpus)
		fail("%u objects of %llu bytes on %u CPUs are more than %llu bytes: take fewer "
		     "(--objects) or smaller ones (--sizes)", c->nr_objects, size, c->nr_cpus,
		     GOSPAN_BENCH_MAX_BYTES);
}

static void add_kind(struct bench *b, const struct bench_kind *kind)
{
	struct size_list sizes = b->options.sizes;
	struct parse_error error;

	if (kind->workload == GOSPAN_WORKLOAD_MIX) {
		add_case(b, kind, 0);
		return;
	}
	if (!b->options.has_sizes &&
	    !parse_sizes(kind->default_sizes, GOSPAN_BENCH_MAX_BYTES, &sizes, &error))
		fail("%s: %s", kind->name, error.text);
	for (size_t i = 0; i < sizes.nr; i++)
		add_case(b, kind, sizes.items[i]);
}

static void check_cpus(const struct bench *b)
{
	for (unsigned int cpu = 0; cpu < CPU_LIST_MAX; cpu++) {
		if (cpu_list_test(&b->options.cpus, cpu) &&
		    !cpu_list_test(&b->machine.online, cpu))
			fail("CPU %u is not online", cpu);
	}
}

/*
 * Without --workloads everything that the CPUs allow is measured; a workload
 * that was asked for by name and does not fit is an error.
 */
void bench_plan(struct bench *b)
{
	struct bench_options *options = &b->options;
	unsigned int wide = 1U << KIND_PAIR_ALL | 1U << KIND_REMOTE;
	unsigned int nr_cpus;

	if (!options->has_cpus)
		options->cpus = b->machine.online;
	check_cpus(b);
	nr_cpus = cpu_list_count(&options->cpus);
	if (!options->kinds)
		options->kinds = ((1U << NR_KINDS) - 1) & ~(nr_cpus < 2 ? wide : 0);
	if (nr_cpus < 2 && options->kinds & wide)
		fail("the workloads pair-all and remote take two CPUs, there is %u", nr_cpus);
	for (unsigned int i = 0; i < NR_KINDS; i++) {
		if (options->kinds & (1U << i))
			add_kind(b, &bench_kinds[i]);
	}
}

void bench_free(struct bench *b)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		for (unsigned int a = 0; a < GOSPAN_NR_ALLOCATORS; a++) {
			for (unsigned int p = 0; p < GOSPAN_BENCH_NR_PHASES; p++)
				free(b->cases[i].cells[a].phases[p].cpus);
		}
	}
	free(b->cases);
}

const struct bench_case *bench_find(const struct bench *b, enum bench_kind_id kind, __u64 size)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		if (b->cases[i].kind == &bench_kinds[kind] && b->cases[i].size == size)
			return &b->cases[i];
	}
	return NULL;
}
