/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gospan bench: the model that its parts share.
 *
 * A plan is a list of cases (workload, size, CPUs); each case has a cell per
 * allocator. bench_kinds.c has the workloads, bench_plan.c makes the plan,
 * bench_run.c fills the cells, the table, the budgets and the exports read them.
 */
#ifndef GOSPAN_TOOL_BENCH_H
#define GOSPAN_TOOL_BENCH_H

#include "machine.h"
#include "parse.h"

#include <jansson.h>
#include <linux/gospan.h>
#include <stdbool.h>

/* The module's clock, see its bench_ticks.h: the TSC, or nanoseconds. */
#ifdef __x86_64__
#define CLOCK_TICKS	"cycles"
#define CLOCK_NAME	"TSC, "
#else
#define CLOCK_TICKS	"nanoseconds"
#define CLOCK_NAME	""
#endif

/* What a tick of the kernel's clock is; the ioctl cannot know. */
enum bench_instrument {
	INSTRUMENT_CYCLES,	/* a CPU's, or a TSC's next to them; or a nanosecond */
	INSTRUMENT_INSTRUCTIONS, /* QEMU -icount shift=0: one tick each */
	NR_INSTRUMENTS,
};

extern const char *const instrument_names[NR_INSTRUMENTS];
extern const char *const allocator_names[GOSPAN_NR_ALLOCATORS];

/* How many of the chosen CPUs a workload takes. */
enum bench_width {
	WIDTH_ONE,
	WIDTH_TWO,
	WIDTH_ALL,	/* also where that is one, to compare others with */
	WIDTH_SEVERAL,	/* all, and at least two */
};

enum bench_kind_id {
	KIND_PAIR,
	KIND_PAIR_ALL,
	KIND_BATCH,
	KIND_BATCH_LIFO,
	KIND_BATCH_SHUFFLED,
	KIND_REMOTE,
	KIND_MIX,
	KIND_NOSCAN,
	KIND_NOSCAN_BATCH,
	KIND_NOSCAN_SHUFFLED,
	KIND_BULK,
	KIND_FALSE_SHARING,
	KIND_CACHE,
	KIND_CACHE_BATCH,
	KIND_RUNS,
	KIND_RUNS_ALL,
	KIND_RUNS_FIFO,
	KIND_RUNS_LIFO,
	KIND_RUNS_SHUFFLED,
	KIND_LARSON,
	KIND_XMALLOC,
	KIND_ALLOC_TEST,
	KIND_SHBENCH,
	KIND_RPTEST,
	KIND_MSTRESS,
	KIND_FAN_OUT,
	KIND_BATCH_ALL,
	KIND_N_PATTERN,
	KIND_THREADTEST,
	KIND_FRAGMENTATION,
	KIND_RCU_FLOOD,
	KIND_HARDIRQ,
	KIND_CACHE_THRASH,
	KIND_CACHE_SCRATCH,
	NR_KINDS,
};

/* Who is measured side by side, and whose figures make the ratio. */
struct bench_comparison {
	enum gospan_bench_allocator subject;	/* the ratio is this one's figure */
	enum gospan_bench_allocator reference;	/* over this one's */
	unsigned int others;			/* bit per enum gospan_bench_allocator */
	bool in_pages;				/* of whole gospan pages, and so are their sizes */
};

/* A workload as the command line names it. */
struct bench_kind {
	const char *name;
	const struct bench_comparison *comparison;
	__u32 workload;		/* enum gospan_bench_workload */
	__u32 order;		/* enum gospan_bench_order */
	enum bench_width width;
	const char *phases[GOSPAN_BENCH_NR_PHASES]; /* what an operation is; NULL: no such phase */
	const char *default_sizes; /* bytes, or gospan pages; NULL: sizes of its own */
	__u64 min_size;		/* bytes of an object at least */
	const char *default_objects; /* of a call; NULL: in a round, chosen to suit */
	const char *shape;	/* of the suite: what it does; NULL: measured by default */
	bool shows_bytes;	/* the memory of its objects counts, too */
};

extern const struct bench_kind bench_kinds[NR_KINDS];

struct bench_options {
	bool has_sizes;			/* else each workload's own */
	struct size_list sizes;
	__u64 kinds;			/* bit per enum bench_kind_id */
	bool suite;			/* those of the suite that fit the other options, too */
	bool slab_test;			/* those of slab_test instead, in its format */
	__u64 allocators;		/* bit per enum gospan_bench_allocator; EMPTY always set */
	bool has_cpus;
	struct cpu_list cpus;
	__u64 rounds;
	struct size_list objects;	/* one after the other; none: bench_plan.c chooses */
	__u64 seed;
	struct size_list held;		/* pages kept in use meanwhile, one after the other */
	bool zero;
	bool latency;			/* of single operations, too */
	bool force;
	bool progress;
	enum bench_instrument instrument;
	bool budget;
	enum { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV } output;
	const char *json_path;		/* the JSON goes there, beside the output; or NULL */
	const char *compare_path;	/* an earlier JSON to compare with; or NULL */
};

/* Figures of one phase over the rounds, per operation. */
struct bench_times {
	double ticks_min, ticks_median, ticks_max;
	double ticks_low, ticks_high; /* 95 % interval of the median; NaN: too few rounds */
	double ns_min, ns_median;
};

struct bench_cpu_times {
	__u32 cpu;
	__u64 ops;		/* in a round; 0: this CPU took no part in the phase */
	struct bench_times times;
};

/* Ticks of single operations, on the CPU where they were most, with the reading of a clock. */
struct bench_latency {
	__u64 p50, p99;
	__u64 p999;		/* 0: not of so few */
	__u64 max;
};

struct bench_phase {
	__u64 ops;		/* in a round, all CPUs together */
	/* A round's figure is the mean over its CPUs; the minimum is that of the best round. */
	struct bench_times times;
	struct bench_latency latency; /* all 0: not asked for, or not to be had */
	struct bench_cpu_times *cpus; /* case->nr_cpus of them */
};

/* What one allocator did in one case. */
struct bench_cell {
	bool measured;
	__u64 failures;
	__u64 bytes_asked, bytes_rounded, bytes_held; /* at the peak; 0: not weighed */
	struct bench_phase phases[GOSPAN_BENCH_NR_PHASES];
};

struct bench_case {
	const struct bench_kind *kind;
	__u64 size;		/* 0 where the workload has its own */
	__u32 held_pages;	/* in use meanwhile */
	__u32 nr_objects;	/* per CPU and round, or per call */
	struct cpu_list cpus;
	unsigned int nr_cpus;
	struct bench_cell cells[GOSPAN_NR_ALLOCATORS];
};

struct bench {
	struct bench_options options;
	struct machine machine;
	struct gospan_version version;
	struct bench_case *cases;
	size_t nr_cases;
};

/* Which figure of a case: a phase alone, or both together. */
enum bench_part { PART_FIRST, PART_SECOND, PART_SUM };

/* bench_plan.c: fill @b->cases; fails when the options contradict each other. */
void bench_plan(struct bench *b);
void bench_free(struct bench *b);

/* bench_kinds.c: bits of the allocators that @kind measures, the empty loop too. */
unsigned int bench_allocators(const struct bench_kind *kind);

/* Does @kind write to objects, rather than allocate and free? */
bool bench_is_write(const struct bench_kind *kind);

/* Are single operations of @kind timed, too; are those of any case? */
bool bench_times_single(const struct bench *b, const struct bench_kind *kind);
bool bench_times_any_single(const struct bench *b);

/* bench_run.c: measure every cell. */
void bench_run(struct bench *b, int fd);

/* Runs of which the shortest, of each CPU, is what its round took. */
__u32 bench_runs_per_round(const struct bench_case *c);

/* Ticks per operation, best round (writes: median); NaN when not measured. */
double bench_ticks(const struct bench_case *c, unsigned int allocator, enum bench_part part);

/* The same without the empty loop; NaN, too, where that took longer: nothing can be told. */
double bench_net_ticks(const struct bench_case *c, unsigned int allocator,
		       enum bench_part part);

/* @allocator's net ticks over @reference's; NaN when one is missing or the latter not positive. */
double bench_ratio_to(const struct bench_case *c, unsigned int allocator,
		      enum gospan_bench_allocator reference, enum bench_part part);

/*
 * Operations in a second of the median round, the empty loop included; NaN where a second
 * is none, but so many instructions, of all CPUs.
 */
double bench_rate(const struct bench *b, const struct bench_times *times);

/* The same of all CPUs that take part in a phase, together. */
double bench_rate_sum(const struct bench *b, const struct bench_case *c,
		      const struct bench_phase *phase);

/* The ratio that the case's comparison is about. */
double bench_ratio(const struct bench_case *c, enum bench_part part);

/* How far the median round was above the best one. */
double bench_spread_percent(const struct bench_times *times);

/* How wide the interval of the median is. */
double bench_interval_percent(const struct bench_times *times);

/* Allocations that returned NULL, everywhere. */
__u64 bench_failures(const struct bench *b);

/* The first case of this workload, size, pages held and objects (0: any), or NULL. */
const struct bench_case *bench_find(const struct bench *b, enum bench_kind_id kind, __u64 size,
				    __u32 held_pages, __u32 nr_objects);

/* bench_table.c: what the rows of a group differ in, to be shown. */
const char *bench_format_size(const struct bench *b, const struct bench_case *c, char text[32]);

/* bench_rates.c: a table of operations in a second, for work that several CPUs share. */
void bench_print_rates(const struct bench *b);

/* bench_slab_test.c: does it print @kind; the lines that slab_test prints. */
bool bench_in_slab_test(const struct bench_kind *kind);
void bench_print_slab_test(const struct bench *b);

/* bench_table.c, bench_export.c: everything measured, printed or (to be freed) as JSON. */
void bench_print_table(const struct bench *b);
json_t *bench_json(const struct bench *b);
void bench_print_csv(const struct bench *b);

/* bench_budget.c: measured ratios beside the project's targets. */
struct bench_budget {
	const char *versus;	/* what it is the ratio of, same pointer for the same */
	const char *work;
	double target;
	double measured;
};

#define BENCH_MAX_BUDGETS	21

/* Those whose work was measured; returns how many. */
size_t bench_budgets(const struct bench *b, struct bench_budget budgets[BENCH_MAX_BUDGETS]);
void bench_print_budgets(const struct bench *b);

#endif /* GOSPAN_TOOL_BENCH_H */
