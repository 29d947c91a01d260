// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workloads that a bench can measure, by name: what each asks of the kernel, on how
 * many CPUs, and who stands beside whom.
 */
#include "bench.h"

const char *const allocator_names[GOSPAN_NR_ALLOCATORS] = {
	[GOSPAN_ALLOCATOR_EMPTY] = "empty",
	[GOSPAN_ALLOCATOR_GOSPAN] = "gospan",
	[GOSPAN_ALLOCATOR_KMALLOC] = "kmalloc",
	[GOSPAN_ALLOCATOR_KMEM_CACHE] = "kmem_cache",
	[GOSPAN_ALLOCATOR_PAGES] = "pages",
	[GOSPAN_ALLOCATOR_SPAN] = "span",
	[GOSPAN_ALLOCATOR_NOSCAN] = "noscan",
	[GOSPAN_ALLOCATOR_CACHE] = "cache",
	[GOSPAN_ALLOCATOR_LIMIT] = "limit",
};

static const struct bench_comparison objects = {
	.subject = GOSPAN_ALLOCATOR_GOSPAN,
	.reference = GOSPAN_ALLOCATOR_KMALLOC,
	.others = 1U << GOSPAN_ALLOCATOR_KMEM_CACHE | 1U << GOSPAN_ALLOCATOR_PAGES |
		  1U << GOSPAN_ALLOCATOR_LIMIT,
};

/* Objects without pointers; the small ones share blocks. */
static const struct bench_comparison noscans = {
	.subject = GOSPAN_ALLOCATOR_NOSCAN,
	.reference = GOSPAN_ALLOCATOR_GOSPAN,
	.others = 1U << GOSPAN_ALLOCATOR_KMALLOC,
};

/* Many in a call: of kmalloc's kind only caches can. */
static const struct bench_comparison bulks = {
	.subject = GOSPAN_ALLOCATOR_GOSPAN,
	.reference = GOSPAN_ALLOCATOR_KMEM_CACHE,
	.others = 1U << GOSPAN_ALLOCATOR_CACHE,
};

/* Objects that share cache lines, and who packs them how. */
static const struct bench_comparison neighbours = {
	.subject = GOSPAN_ALLOCATOR_NOSCAN,
	.reference = GOSPAN_ALLOCATOR_KMALLOC,
	.others = 1U << GOSPAN_ALLOCATOR_GOSPAN,
};

/* A named cache beside the kernel's. */
static const struct bench_comparison caches = {
	.subject = GOSPAN_ALLOCATOR_CACHE,
	.reference = GOSPAN_ALLOCATOR_KMEM_CACHE,
	.others = 1U << GOSPAN_ALLOCATOR_GOSPAN,
};

static const struct bench_comparison page_runs = {
	.subject = GOSPAN_ALLOCATOR_SPAN,
	.reference = GOSPAN_ALLOCATOR_PAGES,
	.in_pages = true,
};

/* Shapes of programs: sizes of their own, CPUs that trade objects. */
static const struct bench_comparison shapes = {
	.subject = GOSPAN_ALLOCATOR_GOSPAN,
	.reference = GOSPAN_ALLOCATOR_KMALLOC,
	.others = 1U << GOSPAN_ALLOCATOR_LIMIT,
};

/* Only these have an RCU that collects what is to be freed. */
static const struct bench_comparison frees_by_rcu = {
	.subject = GOSPAN_ALLOCATOR_GOSPAN,
	.reference = GOSPAN_ALLOCATOR_KMALLOC,
};

/* In hardirq context. */
static const struct bench_comparison interrupts = {
	.subject = GOSPAN_ALLOCATOR_GOSPAN,
	.reference = GOSPAN_ALLOCATOR_KMALLOC,
	.others = 1U << GOSPAN_ALLOCATOR_KMEM_CACHE,
};

/* They write to objects, so that no limit stands beside them. */
static const struct bench_comparison writers = {
	.subject = GOSPAN_ALLOCATOR_GOSPAN,
	.reference = GOSPAN_ALLOCATOR_KMALLOC,
	.others = 1U << GOSPAN_ALLOCATOR_NOSCAN,
};

#define NOSCAN_SIZES	"1,2,4,8,15,16"
#define CACHE_SIZES	"64,256,1024,4096"
#define RUN_PAGES	"1,2,4,16,64,256"

const struct bench_kind bench_kinds[NR_KINDS] = {
	[KIND_PAIR] = {
		.name = "pair", .comparison = &objects,
		.workload = GOSPAN_WORKLOAD_PAIR, .width = WIDTH_ONE,
		.phases = { "pair" }, .default_sizes = "8,64,256,1024,4096,9000,32768",
	},
	[KIND_PAIR_ALL] = {
		.name = "pair-all", .comparison = &objects,
		.workload = GOSPAN_WORKLOAD_PAIR, .width = WIDTH_ALL,
		.phases = { "pair" }, .default_sizes = "64,1024,9000",
	},
	[KIND_BATCH] = {
		.name = "batch", .comparison = &objects,
		.workload = GOSPAN_WORKLOAD_BATCH, .width = WIDTH_ONE,
		.phases = { "alloc", "free" }, .default_sizes = "8,64,1024,4096",
	},
	[KIND_BATCH_LIFO] = {
		.name = "batch-lifo", .comparison = &objects,
		.workload = GOSPAN_WORKLOAD_BATCH, .order = GOSPAN_ORDER_LIFO, .width = WIDTH_ONE,
		.phases = { "alloc", "free" }, .default_sizes = "8,64,1024,4096",
	},
	[KIND_BATCH_SHUFFLED] = {
		.name = "batch-shuffled", .comparison = &objects,
		.workload = GOSPAN_WORKLOAD_BATCH, .order = GOSPAN_ORDER_SHUFFLED,
		.width = WIDTH_ONE,
		.phases = { "alloc", "free" }, .default_sizes = "8,64,1024,4096",
	},
	[KIND_REMOTE] = {
		.name = "remote", .comparison = &objects,
		.workload = GOSPAN_WORKLOAD_REMOTE, .width = WIDTH_TWO,
		.phases = { "alloc", "free" }, .default_sizes = "64,1024",
	},
	[KIND_MIX] = {
		.name = "mix", .comparison = &objects,
		.workload = GOSPAN_WORKLOAD_MIX, .width = WIDTH_ONE,
		.phases = { "step" }, .shows_bytes = true,
	},
	[KIND_NOSCAN] = {
		.name = "noscan", .comparison = &noscans,
		.workload = GOSPAN_WORKLOAD_PAIR, .width = WIDTH_ONE,
		.phases = { "pair" }, .default_sizes = NOSCAN_SIZES,
	},
	[KIND_NOSCAN_BATCH] = {
		.name = "noscan-batch", .comparison = &noscans,
		.workload = GOSPAN_WORKLOAD_BATCH, .width = WIDTH_ONE,
		.phases = { "alloc", "free" }, .default_sizes = NOSCAN_SIZES,
	},
	[KIND_NOSCAN_SHUFFLED] = {
		.name = "noscan-shuffled", .comparison = &noscans,
		.workload = GOSPAN_WORKLOAD_BATCH, .order = GOSPAN_ORDER_SHUFFLED,
		.width = WIDTH_ONE,
		.phases = { "alloc", "free" }, .default_sizes = NOSCAN_SIZES,
	},
	[KIND_BULK] = {
		.name = "bulk", .comparison = &bulks,
		.workload = GOSPAN_WORKLOAD_BULK, .width = WIDTH_ONE,
		.phases = { "object" }, .default_sizes = "256",
		.default_objects = "1,2,4,8,16,32,64,128,250,500,1000",
	},
	[KIND_FALSE_SHARING] = {
		.name = "false-sharing", .comparison = &neighbours,
		.workload = GOSPAN_WORKLOAD_WRITE, .width = WIDTH_TWO,
		.phases = { "write" }, .default_sizes = "4,8,16,32,64,128",
	},
	[KIND_CACHE] = {
		.name = "cache", .comparison = &caches,
		.workload = GOSPAN_WORKLOAD_PAIR, .width = WIDTH_ONE,
		.phases = { "pair" }, .default_sizes = CACHE_SIZES,
	},
	[KIND_CACHE_BATCH] = {
		.name = "cache-batch", .comparison = &caches,
		.workload = GOSPAN_WORKLOAD_BATCH, .width = WIDTH_ONE,
		.phases = { "alloc", "free" }, .default_sizes = CACHE_SIZES,
	},
	[KIND_RUNS] = {
		.name = "runs", .comparison = &page_runs,
		.workload = GOSPAN_WORKLOAD_PAIR, .width = WIDTH_ONE,
		.phases = { "pair" }, .default_sizes = RUN_PAGES,
	},
	[KIND_RUNS_ALL] = {
		.name = "runs-all", .comparison = &page_runs,
		.workload = GOSPAN_WORKLOAD_PAIR, .width = WIDTH_ALL,
		.phases = { "pair" }, .default_sizes = RUN_PAGES,
	},
	[KIND_RUNS_FIFO] = {
		.name = "runs-fifo", .comparison = &page_runs,
		.workload = GOSPAN_WORKLOAD_BATCH, .width = WIDTH_ONE,
		.phases = { "alloc", "free" }, .default_sizes = RUN_PAGES,
	},
	[KIND_RUNS_LIFO] = {
		.name = "runs-lifo", .comparison = &page_runs,
		.workload = GOSPAN_WORKLOAD_BATCH, .order = GOSPAN_ORDER_LIFO, .width = WIDTH_ONE,
		.phases = { "alloc", "free" }, .default_sizes = RUN_PAGES,
	},
	[KIND_RUNS_SHUFFLED] = {
		.name = "runs-shuffled", .comparison = &page_runs,
		.workload = GOSPAN_WORKLOAD_BATCH, .order = GOSPAN_ORDER_SHUFFLED,
		.width = WIDTH_ONE,
		.phases = { "alloc", "free" }, .default_sizes = RUN_PAGES,
	},
	[KIND_LARSON] = {
		.name = "larson", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_LARSON, .width = WIDTH_ALL,
		.phases = { "step" },
		.shape = "one of 1000 freed, another allocated; tables change CPUs",
	},
	[KIND_XMALLOC] = {
		.name = "xmalloc", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_XMALLOC, .width = WIDTH_TWO,
		.phases = { "alloc", "free" }, .default_sizes = "64,1024",
		.shape = "one CPU allocates, another frees at the same time",
	},
	[KIND_ALLOC_TEST] = {
		.name = "alloc-test", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_ALLOC_TEST, .width = WIDTH_ONE,
		.phases = { "step" },
		.shape = "few sizes and places are popular",
	},
	[KIND_SHBENCH] = {
		.name = "shbench", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_SHBENCH, .width = WIDTH_ALL,
		.phases = { "step" },
		.shape = "groups freed either way round, others allocated",
	},
	[KIND_RPTEST] = {
		.name = "rptest", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_RPTEST, .width = WIDTH_ALL,
		.phases = { "step" }, .shows_bytes = true,
		.shape = "sizes up to 16000, an eighth freed on another CPU",
	},
	[KIND_MSTRESS] = {
		.name = "mstress", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_MSTRESS, .width = WIDTH_ALL,
		.phases = { "step" }, .shows_bytes = true,
		.shape = "phases, with survivors that change CPUs",
	},
	[KIND_FAN_OUT] = {
		.name = "fan-out", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_FAN_OUT, .width = WIDTH_SEVERAL,
		.phases = { "alloc", "free" }, .default_sizes = "64,1024",
		.shape = "one CPU allocates, all others free",
	},
	[KIND_BATCH_ALL] = {
		.name = "batch-all", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_BATCH, .width = WIDTH_ALL,
		.phases = { "alloc", "free" }, .default_sizes = "64,1024",
		.shape = "n allocated, then freed, on all CPUs",
	},
	[KIND_N_PATTERN] = {
		.name = "n-pattern", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_CYCLE, .width = WIDTH_ONE,
		.phases = { "pair" }, .default_sizes = "64,1024", .default_objects = "128,256",
		.shape = "n allocated, then freed, again and again",
	},
	[KIND_THREADTEST] = {
		.name = "threadtest", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_CYCLE, .width = WIDTH_ALL,
		.phases = { "pair" }, .default_sizes = "8,64", .default_objects = "10000",
		.shape = "the same with many, on all CPUs",
	},
	[KIND_FRAGMENTATION] = {
		.name = "fragmentation", .comparison = &shapes,
		.workload = GOSPAN_WORKLOAD_FRAGMENT, .width = WIDTH_ONE,
		.phases = { "free", "alloc" }, .default_sizes = "64,256",
		.default_objects = "100000", .shows_bytes = true,
		.shape = "9 of 10 freed at random, larger ones allocated",
	},
	[KIND_RCU_FLOOD] = {
		.name = "rcu-flood", .comparison = &frees_by_rcu,
		.workload = GOSPAN_WORKLOAD_RCU_FLOOD, .width = WIDTH_ALL,
		.phases = { "object" }, .default_sizes = "64,256", .default_objects = "80000",
		.min_size = 16, .shows_bytes = true,
		.shape = "allocated, freed by RCU, on all CPUs",
	},
	[KIND_HARDIRQ] = {
		.name = "hardirq", .comparison = &interrupts,
		.workload = GOSPAN_WORKLOAD_HARDIRQ, .width = WIDTH_ONE,
		.phases = { "pair" }, .default_sizes = "64", .default_objects = "500",
		.shape = "in an interrupt, while the task does the same",
	},
	[KIND_CACHE_THRASH] = {
		.name = "cache-thrash", .comparison = &writers,
		.workload = GOSPAN_WORKLOAD_THRASH, .width = WIDTH_ALL,
		.phases = { "write" }, .default_sizes = "8,64",
		.shape = "each CPU to its own object",
	},
	[KIND_CACHE_SCRATCH] = {
		.name = "cache-scratch", .comparison = &writers,
		.workload = GOSPAN_WORKLOAD_SCRATCH, .width = WIDTH_ALL,
		.phases = { "write" }, .default_sizes = "8,64",
		.shape = "the same, after all freed neighbours",
	},
};

unsigned int bench_allocators(const struct bench_kind *kind)
{
	const struct bench_comparison *who = kind->comparison;
	unsigned int mask = 1U << GOSPAN_ALLOCATOR_EMPTY | 1U << who->subject |
			    1U << who->reference | who->others;

	/* Its sizes differ. */
	if (kind->workload == GOSPAN_WORKLOAD_MIX)
		mask &= ~(1U << GOSPAN_ALLOCATOR_KMEM_CACHE);
	return mask;
}

bool bench_is_write(const struct bench_kind *kind)
{
	return kind->workload == GOSPAN_WORKLOAD_WRITE ||
	       kind->workload == GOSPAN_WORKLOAD_THRASH ||
	       kind->workload == GOSPAN_WORKLOAD_SCRATCH;
}

/* Has it operations that can be timed one by one? */
static bool has_latency(const struct bench_kind *kind)
{
	return kind->workload != GOSPAN_WORKLOAD_BULK &&
	       kind->workload != GOSPAN_WORKLOAD_RCU_FLOOD && !bench_is_write(kind);
}

/* Of an interrupt the slow ones are what matters. */
bool bench_times_single(const struct bench *b, const struct bench_kind *kind)
{
	return kind->workload == GOSPAN_WORKLOAD_HARDIRQ ||
	       (b->options.latency && has_latency(kind));
}

bool bench_times_any_single(const struct bench *b)
{
	for (size_t i = 0; i < b->nr_cases; i++) {
		if (bench_times_single(b, b->cases[i].kind))
			return true;
	}
	return b->options.latency;
}
