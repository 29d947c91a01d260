// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which workloads, sizes and loop counts a bench measures.
 *
 * Loop counts serve two masters. In instructions, a window must stay well
 * below a timer tick (4 ms, at one instruction per ns): a thousand operations
 * of a few hundred instructions, fewer where the kernel's allocators take more
 * for more bytes. In cycles, batches must be larger than what the CPU's nearest
 * cache holds, or the cost of touching a freed object is never seen. Either way
 * a CPU's objects stay below MAX_LIVE_BYTES.
 */
#include "bench.h"

#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LIVE_BYTES		(32U << 20)
#define KERNEL_PAGE_BYTES	4096U	/* the least that alloc_pages takes */
#define LOOPS_INSTRUCTIONS	1000U
#define LOOPS_CYCLES		8192U
#define MIX_FACTOR		4U	/* steps are cheap, and the live set must build up */
#define WRITE_FACTOR		16U	/* writes still more so, and they must meet */
#define MIN_LOOPS		8U

#define SLAB_TEST_SIZES		"8,16,32,64,128,256,512,1024,2048,4096,8192,16384"
#define SLAB_TEST_LOOPS		10000U

const char *const instrument_names[NR_INSTRUMENTS] = {
	[INSTRUMENT_CYCLES] = CLOCK_TICKS,
	[INSTRUMENT_INSTRUCTIONS] = "instructions",
};

static __u32 choose_loops(const struct bench_options *options, const struct bench_kind *kind,
			  __u64 size)
{
	__u64 bytes = size > KERNEL_PAGE_BYTES ? size : KERNEL_PAGE_BYTES;
	__u64 loops = LOOPS_CYCLES;

	if (options->instrument == INSTRUMENT_INSTRUCTIONS)
		loops = LOOPS_INSTRUCTIONS;
	/* Of page runs nobody touches the bytes, unless they are cleared. */
	if (options->instrument == INSTRUMENT_INSTRUCTIONS &&
	    (!kind->comparison->in_pages || options->zero))
		loops = loops * KERNEL_PAGE_BYTES / bytes;
	if (loops > MAX_LIVE_BYTES / bytes)
		loops = MAX_LIVE_BYTES / bytes;
	if (loops < MIN_LOOPS)
		loops = MIN_LOOPS;
	if (bench_is_write(kind))
		return loops * WRITE_FACTOR;
	return size ? loops : loops * MIX_FACTOR;
}

/* As many as slab_test has, unless that is too much memory. */
static __u32 choose_slab_test_loops(const struct bench_options *options, __u64 size)
{
	__u64 bytes = GOSPAN_BENCH_MAX_BYTES / cpu_list_count(&options->cpus);
	__u64 most = (bytes < MAX_LIVE_BYTES ? bytes : MAX_LIVE_BYTES) / size;

	if (most < MIN_LOOPS)
		return MIN_LOOPS;
	return most < SLAB_TEST_LOOPS ? most : SLAB_TEST_LOOPS;
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

static void add_case(struct bench *b, const struct bench_kind *kind, __u64 size, __u32 held_pages,
		     __u32 nr_objects)
{
	struct bench_case *c;

	b->cases = reallocarray(b->cases, b->nr_cases + 1, sizeof(*b->cases));
	if (!b->cases)
		fail("out of memory");
	c = &b->cases[b->nr_cases++];
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->size = size;
	c->held_pages = held_pages;
	c->nr_objects = nr_objects;
	c->cpus = choose_cpus(b, kind->width);
	c->nr_cpus = cpu_list_count(&c->cpus);
	if (size > GOSPAN_BENCH_MAX_BYTES / c->nr_objects / c->nr_cpus)
		fail("%u objects of %llu bytes on %u CPUs are more than %llu bytes: take fewer "
		     "(--objects) or smaller ones (--sizes)", c->nr_objects, size, c->nr_cpus,
		     GOSPAN_BENCH_MAX_BYTES);
}

static void add_counts(struct bench *b, const struct bench_kind *kind, __u64 size,
		       __u32 held_pages)
{
	struct size_list counts = b->options.objects;
	struct parse_error error;

	if (!counts.nr && kind->default_objects &&
	    !parse_sizes(kind->default_objects, GOSPAN_BENCH_MAX_OBJECTS, &counts, &error))
		fail("%s: %s", kind->name, error.text);
	if (!counts.nr)
		add_case(b, kind, size, held_pages,
			 b->options.slab_test ? choose_slab_test_loops(&b->options, size) :
						choose_loops(&b->options, kind, size));
	for (size_t i = 0; i < counts.nr; i++)
		add_case(b, kind, size, held_pages, counts.items[i]);
}

static void add_sizes(struct bench *b, const struct bench_kind *kind, __u32 held_pages)
{
	struct size_list sizes = b->options.sizes;
	struct parse_error error;
	__u64 unit = 1;

	if (!kind->default_sizes) {
		add_counts(b, kind, 0, held_pages);
		return;
	}
	if (!b->options.has_sizes) {
		if (!parse_sizes(b->options.slab_test ? SLAB_TEST_SIZES : kind->default_sizes,
				 GOSPAN_BENCH_MAX_BYTES, &sizes, &error))
			fail("%s: %s", kind->name, error.text);
		if (kind->comparison->in_pages)
			unit = b->version.page_bytes;
	}
	for (size_t i = 0; i < sizes.nr; i++)
		add_counts(b, kind, sizes.items[i] * unit, held_pages);
}

static void add_kind(struct bench *b, const struct bench_kind *kind)
{
	if (!b->options.held.nr)
		add_sizes(b, kind, 0);
	for (size_t i = 0; i < b->options.held.nr; i++)
		add_sizes(b, kind, b->options.held.items[i]);
}

static void check_cpus(const struct bench *b)
{
	for (unsigned int cpu = 0; cpu < CPU_LIST_MAX; cpu++) {
		if (cpu_list_test(&b->options.cpus, cpu) &&
		    !cpu_list_test(&b->machine.online, cpu))
			fail("CPU %u is not online", cpu);
	}
}

static bool sizes_are_pages(const struct bench *b)
{
	for (size_t i = 0; i < b->options.sizes.nr; i++) {
		if (b->options.sizes.items[i] % b->version.page_bytes)
			return false;
	}
	return true;
}

static bool sizes_are_at_least(const struct bench *b, __u64 bytes)
{
	for (size_t i = 0; i < b->options.sizes.nr; i++) {
		if (b->options.sizes.items[i] < bytes)
			return false;
	}
	return true;
}

/* Why --sizes leaves nothing for @kind to do; NULL: it does not. */
static const char *size_obstacle(const struct bench *b, const struct bench_kind *kind)
{
	static char text[80];

	if (!b->options.has_sizes)
		return NULL;
	if (!kind->default_sizes)
		return "has sizes of its own: --sizes is for others";
	if (kind->comparison->in_pages && !sizes_are_pages(b))
		return "takes whole pages of gospan's: --sizes has others";
	if (sizes_are_at_least(b, kind->min_size))
		return NULL;
	snprintf(text, sizeof(text), "takes objects of %llu bytes at least: --sizes has smaller ones",
		 kind->min_size);
	return text;
}

/* Why the other options leave nothing for @kind to do; NULL: they do not. */
static const char *kind_obstacle(const struct bench *b, const struct bench_kind *kind)
{
	unsigned int wanted = b->options.allocators & ~(1U << GOSPAN_ALLOCATOR_EMPTY);

	if ((kind->width == WIDTH_TWO || kind->width == WIDTH_SEVERAL) &&
	    cpu_list_count(&b->options.cpus) < 2)
		return "takes two CPUs, there is one";
	if (bench_is_write(kind) &&
	    b->options.instrument == INSTRUMENT_INSTRUCTIONS)
		return "takes the same instructions wherever objects lie";
	if (!kind->comparison->in_pages && b->options.held.nr)
		return "has nothing to do with held pages: --held is for page runs";
	if (wanted && !(wanted & bench_allocators(kind)))
		return "measures none of the --allocators";
	return size_obstacle(b, kind);
}

static bool is_in_group(const struct bench_options *options, const struct bench_kind *kind)
{
	/* Beside the same work of one CPU, that of all which are one says nothing new. */
	if (kind->width != WIDTH_ONE && cpu_list_count(&options->cpus) < 2 && !options->suite)
		return false;
	if (options->slab_test)
		return bench_in_slab_test(kind);
	return kind->shape ? options->suite : !options->kinds && !options->suite;
}

/*
 * Without --workloads everything but the suite that the other options allow is measured; a
 * workload that was asked for by name and does not fit is an error.
 */
void bench_plan(struct bench *b)
{
	struct bench_options *options = &b->options;
	__u64 named = options->kinds;

	if (!options->has_cpus)
		options->cpus = b->machine.online;
	check_cpus(b);
	for (unsigned int i = 0; i < NR_KINDS; i++) {
		const char *obstacle = kind_obstacle(b, &bench_kinds[i]);

		if (named & (1ULL << i) && obstacle)
			fail("the workload %s %s", bench_kinds[i].name, obstacle);
		if (named & (1ULL << i) || (!obstacle && is_in_group(options, &bench_kinds[i])))
			add_kind(b, &bench_kinds[i]);
	}
	if (!b->nr_cases)
		fail("these options leave no workload to measure");
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

const struct bench_case *bench_find(const struct bench *b, enum bench_kind_id kind, __u64 size,
				    __u32 held_pages, __u32 nr_objects)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		const struct bench_case *c = &b->cases[i];

		if (c->kind == &bench_kinds[kind] && c->size == size &&
		    c->held_pages == held_pages && (!nr_objects || c->nr_objects == nr_objects))
			return c;
	}
	return NULL;
}
