/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/**
 * DOC: ABI of /dev/gospan
 *
 * Its commands inspect the allocator, hold objects by handle, run benchmarks
 * inside the kernel, and replay there what a program allocated.
 *
 * Every structure is the same on 32 and 64 bits and has no implicit padding.
 * Fields named reserved, and unknown flag bits, must be zero on the way in.
 * The device has mode 0600; what allocates or measures also wants CAP_SYS_ADMIN.
 *
 * Errors common to all commands: -ENOTTY for a command that does not exist,
 * -EFAULT for a pointer that cannot be read or written, -EINVAL for a reserved
 * field or a flag that is not zero, -EPERM without CAP_SYS_ADMIN.
 */
#ifndef _UAPI_LINUX_GOSPAN_H
#define _UAPI_LINUX_GOSPAN_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Raised when a structure or a meaning changes; tools refuse other values. The number of a
 * command has the size of its structure, but not of arrays that this points to: who asks
 * with results of another size would have them written past their end. What is only added,
 * a command or a workload, an older module refuses by itself.
 *
 * 2: struct gospan_bench_cpu has latencies.
 * 3: struct gospan_memstats_class has what went back to spans.
 */
#define GOSPAN_ABI_VERSION	3

/* Go's 67 size classes and class 0, "large". */
#define GOSPAN_NR_SIZECLASSES	68

/* Flags of struct gospan_version: what the running kernel adds to every call. */
#define GOSPAN_VERSION_DEBUG_KERNEL	(1U << 0) /* KASAN, lockdep, ...: timings mean little */
#define GOSPAN_VERSION_INIT_ON_ALLOC	(1U << 1) /* every new object is zeroed */
#define GOSPAN_VERSION_INIT_ON_FREE	(1U << 2) /* every freed object is zeroed */

/* Options of the kernel (CONFIG_...) that slow down every call: bits of debug_options. */
enum gospan_debug_option {
	GOSPAN_DEBUG_KASAN,
	GOSPAN_DEBUG_KCSAN,
	GOSPAN_DEBUG_KMSAN,
	GOSPAN_DEBUG_UBSAN_TRAP,
	GOSPAN_DEBUG_PROVE_LOCKING,
	GOSPAN_DEBUG_LOCK_ALLOC,
	GOSPAN_DEBUG_ATOMIC_SLEEP,
	GOSPAN_DEBUG_PREEMPT,
	GOSPAN_DEBUG_KMEMLEAK,
	GOSPAN_DEBUG_PAGEALLOC,
	GOSPAN_DEBUG_SLUB_DEBUG_ON,
	GOSPAN_DEBUG_GCOV_PROFILE,
	GOSPAN_NR_DEBUG_OPTIONS,
};

/**
 * struct gospan_version - answer of %GOSPAN_IOC_VERSION
 * @abi: %GOSPAN_ABI_VERSION of the module
 * @flags: GOSPAN_VERSION_* bits
 * @page_bytes: bytes of a gospan page
 * @nr_sizeclasses: %GOSPAN_NR_SIZECLASSES of the module
 * @tick_khz: rate of the benchmark's ticks in kHz; 0 when the kernel does not know
 * @debug_options: what makes it a %GOSPAN_VERSION_DEBUG_KERNEL, bit per enum gospan_debug_option
 * @release: version of the module, NUL-terminated
 */
struct gospan_version {
	__u32 abi;
	__u32 flags;
	__u32 page_bytes;
	__u32 nr_sizeclasses;
	__u32 tick_khz;
	__u32 debug_options;
	char release[40];
};

/**
 * struct gospan_class - one row of the size class table
 * @sizeclass: in: 1..67; anything else is -EINVAL
 * @elem_bytes: out: bytes of an object
 * @npages: out: gospan pages of a span
 * @nelems: out: objects in a span
 * @divmagic: out: ceil(2^32 / @elem_bytes)
 * @magazine: out: objects that one CPU's magazine can hold at most, and move at once while
 *	they only come, or only go
 * @batch: out: objects that move at once else, at most
 * @transit: out: objects that may be in transit at most
 */
struct gospan_class {
	__u32 sizeclass;
	__u32 elem_bytes;
	__u32 npages;
	__u32 nelems;
	__u32 divmagic;
	__u32 magazine;
	__u32 batch;
	__u32 transit;
};

/**
 * struct gospan_memstats_class - the part of the statistics that is one class's
 * @size: bytes of an object; 0 in row 0, the large objects
 * @mallocs: objects allocated since load
 * @frees: objects freed since load
 * @spans: spans in use
 * @cached: free objects in magazines, on their way to other nodes, or in reserves
 * @transit: free objects in transit
 * @refills: times that a CPU's magazine was empty, and was filled, by half or whole, since load
 * @flushes: times that it was full, and was emptied, by half or as a whole, since load
 * @returned: objects that went back to their spans, since load
 * @met: spans that were met for that, since load; each once whenever the central lock was taken
 */
struct gospan_memstats_class {
	__u64 size;
	__u64 mallocs;
	__u64 frees;
	__u64 spans;
	__u64 cached;
	__u64 transit;
	__u64 refills;
	__u64 flushes;
	__u64 returned;
	__u64 met;
};

/**
 * struct gospan_memstats - statistics, named as in Go's runtime.MemStats
 * @alloc: bytes of live objects, rounded up to their class
 * @total_alloc: bytes allocated since load
 * @sys: all memory that came from the kernel: @heap_sys + @mspan_sys + @mcache_sys + @other_sys
 * @mallocs: objects allocated since load
 * @frees: objects freed since load
 * @heap_alloc: the same as @alloc
 * @heap_sys: bytes of pages obtained for objects: @heap_inuse + @heap_idle
 * @heap_idle: bytes in free pages, those in page caches, too
 * @heap_inuse: bytes in spans in use
 * @heap_released: bytes given back to the kernel since load
 * @heap_objects: live objects: @mallocs - @frees
 * @mspan_inuse: bytes of span descriptors in use
 * @mspan_sys: bytes of span descriptors, those kept with free pages, too
 * @mcache_inuse: bytes of per-CPU caches in use
 * @mcache_sys: bytes of per-CPU caches
 * @other_sys: bytes of arena tables, chunk maps and central stacks
 * @cached_bytes: bytes of free objects in magazines and central stacks
 * @grows: blocks obtained from the kernel since load
 * @grow_fallbacks: requests for a block that the kernel refused, a smaller one was then tried
 * @misuses: misused objects and pointers seen since load
 * @by_size: per class; row 0 is the large objects
 *
 * Exact when nothing allocates; otherwise each counter is right for some
 * moment during the call.
 */
struct gospan_memstats {
	__u64 alloc;
	__u64 total_alloc;
	__u64 sys;
	__u64 mallocs;
	__u64 frees;
	__u64 heap_alloc;
	__u64 heap_sys;
	__u64 heap_idle;
	__u64 heap_inuse;
	__u64 heap_released;
	__u64 heap_objects;
	__u64 mspan_inuse;
	__u64 mspan_sys;
	__u64 mcache_inuse;
	__u64 mcache_sys;
	__u64 other_sys;
	__u64 cached_bytes;
	__u64 grows;
	__u64 grow_fallbacks;
	__u64 misuses;
	struct gospan_memstats_class by_size[GOSPAN_NR_SIZECLASSES];
};

/* struct gospan_heapstats.node: the sums of all nodes. */
#define GOSPAN_ALL_NODES	(-1)

/**
 * struct gospan_heapstats - the page heap, of one NUMA node or all
 * @node: in: number of the node, or %GOSPAN_ALL_NODES; -ENXIO if there is none
 * @reserved: zero
 * @obtained_bytes: bytes of pages obtained from the kernel since load
 * @released_bytes: bytes given back to it since load
 * @free_bytes: bytes of free pages in the page allocator
 * @cached_bytes: bytes of free pages in the page caches of CPUs
 * @chunks: chunks of 512 pages that hold at least one page of ours
 * @map_bytes: bytes of the arena map, chunks, tables and summaries; the map and chunks of all nodes
 * @grows: blocks obtained since load
 * @refused: requests for a block that the kernel refused since load
 * @held: blocks for which no larger one was asked, after a refusal, since load
 * @limit_bytes: the module parameter memory_limit, in whole pages; 0: none
 * @goal_bytes: what the scavenger takes for the use of late; it keeps a tenth more
 * @scavenged_bytes: of @released_bytes of all nodes, by the background scavenger
 * @shrunk_bytes: by the shrinker
 * @trimmed_bytes: by gospan_trim()
 *
 * What was obtained and not released is in spans, free or cached; the bytes in
 * spans are @heap_inuse of struct gospan_memstats.
 */
struct gospan_heapstats {
	__s32 node;
	__u32 reserved;
	__u64 obtained_bytes;
	__u64 released_bytes;
	__u64 free_bytes;
	__u64 cached_bytes;
	__u64 chunks;
	__u64 map_bytes;
	__u64 grows;
	__u64 refused;
	__u64 held;
	__u64 limit_bytes;
	__u64 goal_bytes;
	__u64 scavenged_bytes;
	__u64 shrunk_bytes;
	__u64 trimmed_bytes;
};

/* Flags of struct gospan_cachestats. */
#define GOSPAN_CACHE_DESTROYED	(1U << 0) /* with live objects, so that it had to stay */
#define GOSPAN_CACHE_CTOR	(1U << 1) /* has a constructor */
#define GOSPAN_CACHE_TYPESAFE	(1U << 2) /* SLAB_TYPESAFE_BY_RCU */
#define GOSPAN_CACHE_USER	(1U << 3) /* remembers where objects were allocated */
#define GOSPAN_CACHE_RECORDED	(1U << 4) /* its objects may be under debug */

#define GOSPAN_CACHE_NAME_BYTES	64

/**
 * struct gospan_cachestats - a named cache
 * @index: in: the caches with lower numbers are not wanted; out: number of the next one, which
 *	is described here; -ENOENT if there is none. A cache keeps its number.
 * @flags: in: zero; out: GOSPAN_CACHE_* bits
 * @name: out: NUL-terminated, cut off if longer
 * @size: out: bytes of an object
 * @align: out: of an object
 * @slot_bytes: out: from one object to the next
 * @npages: out: gospan pages of a span
 * @nelems: out: objects in a span
 * @reserved: zero
 * @mallocs: out: objects allocated since the cache was made
 * @frees: out: objects freed since
 * @spans: out: spans in use
 * @cached: out: free objects in magazines
 * @transit: out: free objects in transit
 */
struct gospan_cachestats {
	__u32 index;
	__u32 flags;
	char name[GOSPAN_CACHE_NAME_BYTES];
	__u32 size;
	__u32 align;
	__u32 slot_bytes;
	__u32 npages;
	__u32 nelems;
	__u32 reserved;
	__u64 mallocs;
	__u64 frees;
	__u64 spans;
	__u64 cached;
	__u64 transit;
};

/**
 * struct gospan_trim - answer of %GOSPAN_IOC_TRIM
 * @released_bytes: bytes given back to the kernel by the call
 */
struct gospan_trim {
	__u64 released_bytes;
};

/* Most objects, and bytes of objects, that one open file may hold. */
#define GOSPAN_MAX_HANDLES	65536
#define GOSPAN_MAX_HANDLE_BYTES	(64ULL << 20)

#define GOSPAN_OBJECT_ZERO	(1U << 0) /* gospan_zalloc(); for realloc: zero what is new */

/**
 * struct gospan_object - an object that belongs to the open file
 * @size: in: bytes wanted
 * @flags: in: GOSPAN_OBJECT_* bits
 * @handle: alloc: out; realloc: in, stays valid: its name, 0..%GOSPAN_MAX_HANDLES - 1
 * @usable: out: gospan_size() of the object
 * @reserved: zero
 *
 * Returns -ENOMEM when gospan has no such object to give, -ENOSPC when the file
 * holds %GOSPAN_MAX_HANDLES objects or the call would take it over
 * %GOSPAN_MAX_HANDLE_BYTES, -ENOENT for a handle that is not the file's. A
 * realloc that fails leaves the object as it was.
 */
struct gospan_object {
	__u64 size;
	__u32 flags;
	__u32 handle;
	__u64 usable;
	__u64 reserved;
};

/**
 * struct gospan_handle - names an object to free
 * @handle: in: its name; -ENOENT if it is not the file's
 * @reserved: zero
 */
struct gospan_handle {
	__u32 handle;
	__u32 reserved;
};

/**
 * struct gospan_io - copies bytes between an object and the caller
 * @handle: in: the object; -ENOENT if it is not the file's
 * @reserved: zero
 * @offset: in: first byte in the object
 * @len: in: bytes; @offset + @len beyond usable is -EINVAL
 * @buf: in: address of the caller's buffer
 */
struct gospan_io {
	__u32 handle;
	__u32 reserved;
	__u64 offset;
	__u64 len;
	__u64 buf;
};

/**
 * enum gospan_bench_allocator - who is measured
 * @GOSPAN_ALLOCATOR_EMPTY: the loop alone: a call that does nothing
 * @GOSPAN_ALLOCATOR_GOSPAN: gospan_alloc(), gospan_free()
 * @GOSPAN_ALLOCATOR_KMALLOC: kmalloc(), kfree()
 * @GOSPAN_ALLOCATOR_KMEM_CACHE: a kmem_cache made for the size; not in MIX
 * @GOSPAN_ALLOCATOR_PAGES: alloc_pages() of the order that fits
 * @GOSPAN_ALLOCATOR_SPAN: a span of gospan's page heap; not in MIX
 * @GOSPAN_ALLOCATOR_NOSCAN: gospan_alloc_noscan(), gospan_free()
 * @GOSPAN_ALLOCATOR_CACHE: a named cache made for the size; not in MIX
 * @GOSPAN_ALLOCATOR_LIMIT: a bare array of pointers per CPU, whose objects are nowhere: what no
 *	cache in front of an allocator can beat; not in BULK, RCU_FLOOD, HARDIRQ and WRITE
 * @GOSPAN_NR_ALLOCATORS: how many there are
 */
enum gospan_bench_allocator {
	GOSPAN_ALLOCATOR_EMPTY,
	GOSPAN_ALLOCATOR_GOSPAN,
	GOSPAN_ALLOCATOR_KMALLOC,
	GOSPAN_ALLOCATOR_KMEM_CACHE,
	GOSPAN_ALLOCATOR_PAGES,
	GOSPAN_ALLOCATOR_SPAN,
	GOSPAN_ALLOCATOR_NOSCAN,
	GOSPAN_ALLOCATOR_CACHE,
	GOSPAN_ALLOCATOR_LIMIT,
	GOSPAN_NR_ALLOCATORS,
};

/**
 * enum gospan_bench_workload - what is done; phase 0 and phase 1 are timed apart
 * @GOSPAN_WORKLOAD_PAIR: phase 0: nr_objects times allocate, free at once
 * @GOSPAN_WORKLOAD_BATCH: phase 0: allocations; phase 1: their frees in @order
 * @GOSPAN_WORKLOAD_REMOTE: phase 0: one CPU allocates; phase 1: its partner frees
 * @GOSPAN_WORKLOAD_MIX: phase 0: steps with sizes and lifetimes of a real kernel
 * @GOSPAN_WORKLOAD_BULK: phase 0: nr_objects allocated in a call, freed in the next
 * @GOSPAN_WORKLOAD_WRITE: phase 0: writes to an object of the CPU's own; they are neighbours
 * @GOSPAN_WORKLOAD_LARSON: phase 0: one of many objects is freed, another allocated; tables of
 *	objects change CPUs
 * @GOSPAN_WORKLOAD_XMALLOC: phase 0: one CPU allocates; phase 1: its partner frees meanwhile
 * @GOSPAN_WORKLOAD_ALLOC_TEST: phase 0: steps with sizes and lifetimes of a Pareto distribution
 * @GOSPAN_WORKLOAD_SHBENCH: phase 0: groups of equal objects are freed, others allocated; tables
 *	change CPUs
 * @GOSPAN_WORKLOAD_FAN_OUT: phase 0: one CPU allocates for all; phase 1: each other frees a part
 * @GOSPAN_WORKLOAD_CYCLE: phase 0: nr_objects are allocated, then freed, again and again
 * @GOSPAN_WORKLOAD_FRAGMENT: phase 0: 9 of 10 objects are freed at random; phase 1: objects of
 *	twice the size are allocated
 * @GOSPAN_WORKLOAD_THRASH: phase 0: writes to an object of the CPU's own, often another one
 * @GOSPAN_WORKLOAD_SCRATCH: the same, after each CPU freed one of several neighbours
 * @GOSPAN_WORKLOAD_RPTEST: phase 0: one of many objects of very different sizes is freed, another
 *	allocated; an eighth of the frees is of objects that another CPU allocated
 * @GOSPAN_WORKLOAD_MSTRESS: phase 0: objects are allocated and freed, in waves; some survive, and
 *	change CPUs
 * @GOSPAN_WORKLOAD_RCU_FLOOD: phase 0: nr_objects times allocate, free by RCU
 * @GOSPAN_WORKLOAD_HARDIRQ: phase 0: nr_objects times a timer's interrupt allocates and frees,
 *	while the task that it interrupts does so, too; on PREEMPT_RT a softirq does it
 * @GOSPAN_NR_WORKLOADS: how many there are
 */
enum gospan_bench_workload {
	GOSPAN_WORKLOAD_PAIR,
	GOSPAN_WORKLOAD_BATCH,
	GOSPAN_WORKLOAD_REMOTE,
	GOSPAN_WORKLOAD_MIX,
	GOSPAN_WORKLOAD_BULK,
	GOSPAN_WORKLOAD_WRITE,
	GOSPAN_WORKLOAD_LARSON,
	GOSPAN_WORKLOAD_XMALLOC,
	GOSPAN_WORKLOAD_ALLOC_TEST,
	GOSPAN_WORKLOAD_SHBENCH,
	GOSPAN_WORKLOAD_FAN_OUT,
	GOSPAN_WORKLOAD_CYCLE,
	GOSPAN_WORKLOAD_FRAGMENT,
	GOSPAN_WORKLOAD_THRASH,
	GOSPAN_WORKLOAD_SCRATCH,
	GOSPAN_WORKLOAD_RPTEST,
	GOSPAN_WORKLOAD_MSTRESS,
	GOSPAN_WORKLOAD_RCU_FLOOD,
	GOSPAN_WORKLOAD_HARDIRQ,
	GOSPAN_NR_WORKLOADS,
};

/**
 * enum gospan_bench_order - in which order the objects are freed
 * @GOSPAN_ORDER_FIFO: as allocated
 * @GOSPAN_ORDER_LIFO: reversed
 * @GOSPAN_ORDER_SHUFFLED: at random, drawn from @seed
 * @GOSPAN_NR_ORDERS: how many there are
 */
enum gospan_bench_order {
	GOSPAN_ORDER_FIFO,
	GOSPAN_ORDER_LIFO,
	GOSPAN_ORDER_SHUFFLED,
	GOSPAN_NR_ORDERS,
};

#define GOSPAN_BENCH_ZERO	(1U << 0) /* allocate with __GFP_ZERO */
#define GOSPAN_BENCH_LATENCY	(1U << 1) /* time single operations; not BULK, RCU_FLOOD, writes */
#define GOSPAN_BENCH_WEIGH	(1U << 2) /* one round more, to see what memory is held */

#define GOSPAN_BENCH_MAX_OBJECTS	(1U << 20) /* per CPU */
#define GOSPAN_BENCH_MAX_BYTES		(1ULL << 30) /* nr_objects * size, all CPUs together */
#define GOSPAN_BENCH_MAX_ROUNDS		1000
#define GOSPAN_BENCH_CPU_WORDS		16 /* 1024 CPUs */
#define GOSPAN_BENCH_NR_PHASES		2
#define GOSPAN_BENCH_MAX_HELD_PAGES	(1U << 24)
/* Calls of a round of BULK: as many as make so many objects, at least so many. */
#define GOSPAN_BENCH_BULK_OBJECTS	2048
#define GOSPAN_BENCH_BULK_CALLS		4

/**
 * struct gospan_bench_phase - times of one phase on one CPU, over the rounds
 * @ticks_min: CPU ticks (TSC; nanoseconds where there is none) of the shortest round
 * @ticks_median: CPU ticks of the median round
 * @ns_min: nanoseconds of the shortest round
 * @ns_median: nanoseconds of the median round
 * @ops: operations in a round: allocations, frees, pairs, steps or writes; 0: no such
 *	phase on this CPU
 * @ticks_p50: with %GOSPAN_BENCH_LATENCY, of the single operations of all rounds: CPU ticks
 *	that half of them do not exceed, to 1/16 too high at most; else 0
 * @ticks_p99: that 99 of 100 do not exceed
 * @ticks_p999: that 999 of 1000 do not exceed
 * @ticks_max: of the slowest, exactly
 *
 * With %GOSPAN_BENCH_LATENCY the clock is read after each operation, and the times of
 * rounds contain that.
 */
struct gospan_bench_phase {
	__u64 ticks_min;
	__u64 ticks_median;
	__u64 ns_min;
	__u64 ns_median;
	__u64 ops;
	__u64 ticks_p50;
	__u64 ticks_p99;
	__u64 ticks_p999;
	__u64 ticks_max;
};

/**
 * struct gospan_bench_cpu - what one CPU measured
 * @cpu: its number
 * @reserved: zero
 * @failures: allocations that returned NULL, all rounds
 * @phase: times
 */
struct gospan_bench_cpu {
	__u32 cpu;
	__u32 reserved;
	__u64 failures;
	struct gospan_bench_phase phase[GOSPAN_BENCH_NR_PHASES];
};

/**
 * struct gospan_bench - a workload to run in the kernel, and its answer
 * @workload: in: enum gospan_bench_workload
 * @allocator: in: enum gospan_bench_allocator
 * @order: in: enum gospan_bench_order; 0 but for BATCH, REMOTE and FAN_OUT
 * @flags: in: GOSPAN_BENCH_* bits
 * @size: in: bytes of an object, 1..KMALLOC_MAX_SIZE, RCU_FLOOD: at least 16, FRAGMENT: at
 *	most KMALLOC_MAX_SIZE / 2; 0 for MIX, LARSON, ALLOC_TEST, SHBENCH, RPTEST and MSTRESS
 * @nr_objects: in: objects, pairs, steps, interrupts or writes per CPU and round, BULK: objects
 *	per call, 1..%GOSPAN_BENCH_MAX_OBJECTS
 * @rounds: in: 1..%GOSPAN_BENCH_MAX_ROUNDS
 * @seed: in: for what is drawn at random
 * @cpus: in: bit map of the online CPUs to run on, at least one; REMOTE and
 *	XMALLOC take them in pairs, the lower number allocates: an even number of CPUs
 * @results: in: address of an array of struct gospan_bench_cpu, filled in the order of CPU numbers
 * @nr_results: in: its length, at least the number of CPUs in @cpus
 * @held_pages: in: gospan pages that are kept in use meanwhile, with holes at random
 *	places between them, in spans or by alloc_pages(); 0 but for SPAN and PAGES
 * @bytes_asked: out: with %GOSPAN_BENCH_WEIGH, bytes asked for by the objects live at the peak;
 *	0 otherwise, and for EMPTY and LIMIT, PAIR, BULK, XMALLOC, HARDIRQ and writes;
 *	FRAGMENT: by those that stay; RCU_FLOOD: by all; LARSON, SHBENCH, RPTEST and MSTRESS: at
 *	the peak of the last turn, when objects have changed CPUs
 * @bytes_rounded: out: the bytes that the allocator makes of them
 * @bytes_held: out: bytes of the slabs or spans that hold at least one of them; RCU_FLOOD: by
 *	which all slabs, or all spans, of the machine had grown at most
 *
 * All CPUs start each phase together. For WRITE the first allocates, and the
 * objects that lie closest to each other are written to. BULK measures EMPTY,
 * GOSPAN and caches only, WRITE, THRASH, SCRATCH and HARDIRQ all but PAGES, SPAN and
 * LIMIT, LARSON, ALLOC_TEST, SHBENCH, RPTEST, MSTRESS and FRAGMENT EMPTY, GOSPAN,
 * NOSCAN, KMALLOC and LIMIT, RCU_FLOOD EMPTY, GOSPAN and KMALLOC. What
 * held pages took goes back to the kernel afterwards.
 * Returns -EINVAL for a field out of range, -ENODEV for a CPU that is not
 * online, or went offline, -ENOMEM when the objects, at most twice the bytes asked or whole
 * pages, would take more than half of the memory available, or with held pages
 * more than 7/8, or the driver's tables do not fit, -EINTR when a signal ended
 * it (nothing is left allocated), -EBUSY while another bench runs.
 */
struct gospan_bench {
	__u32 workload;
	__u32 allocator;
	__u32 order;
	__u32 flags;
	__u64 size;
	__u32 nr_objects;
	__u32 rounds;
	__u64 seed;
	__u64 cpus[GOSPAN_BENCH_CPU_WORDS];
	__u64 results;
	__u32 nr_results;
	__u32 held_pages;
	__u64 bytes_asked;
	__u64 bytes_rounded;
	__u64 bytes_held;
};

/**
 * enum gospan_replay_allocator - who replays
 * @GOSPAN_REPLAY_EMPTY: the loop alone: calls that do nothing
 * @GOSPAN_REPLAY_GOSPAN: gospan_alloc(), gospan_realloc(), gospan_free()
 * @GOSPAN_REPLAY_NOSCAN: the same, but gospan_alloc_noscan() for %GOSPAN_OP_NOSCAN
 * @GOSPAN_REPLAY_KMALLOC: kmalloc(), krealloc(), kfree()
 * @GOSPAN_REPLAY_KMEM_CACHE: the same, but a kmem_cache for %GOSPAN_OP_CACHE
 * @GOSPAN_REPLAY_GOSPAN_CACHE: GOSPAN, but a gospan_cache for %GOSPAN_OP_CACHE
 * @GOSPAN_NR_REPLAYERS: how many there are
 */
enum gospan_replay_allocator {
	GOSPAN_REPLAY_EMPTY,
	GOSPAN_REPLAY_GOSPAN,
	GOSPAN_REPLAY_NOSCAN,
	GOSPAN_REPLAY_KMALLOC,
	GOSPAN_REPLAY_KMEM_CACHE,
	GOSPAN_REPLAY_GOSPAN_CACHE,
	GOSPAN_NR_REPLAYERS,
};

/**
 * enum gospan_replay_kind - what is done with the object
 * @GOSPAN_OP_ALLOC: @id must not be live
 * @GOSPAN_OP_REALLOC: @id must be live, and stays so
 * @GOSPAN_OP_FREE: @id must be live; @size is 0
 * @GOSPAN_NR_OPS: how many there are
 */
enum gospan_replay_kind {
	GOSPAN_OP_ALLOC,
	GOSPAN_OP_REALLOC,
	GOSPAN_OP_FREE,
	GOSPAN_NR_OPS,
};

#define GOSPAN_OP_ZERO		(1U << 0) /* ALLOC: zeroed */
#define GOSPAN_OP_NOSCAN	(1U << 1) /* ALLOC: the object never holds a pointer */
#define GOSPAN_OP_CACHE		(1U << 2) /* ALLOC: @size is the number of a cache, see below */

#define GOSPAN_REPLAY_MAX_IDS	(1U << 20)

/**
 * struct gospan_replay_op - one step of a recorded program
 * @id: names the object, below @nr_ids; free to name another one after the free
 * @size: bytes, 0..KMALLOC_MAX_SIZE; with %GOSPAN_OP_CACHE a row of
 *	struct gospan_replay_cpus.caches, whose size it then has: no REALLOC takes it
 * @cpu: where it was recorded; used by %GOSPAN_IOC_REPLAY_CPUS alone
 * @kind: enum gospan_replay_kind
 * @flags: GOSPAN_OP_* bits; %GOSPAN_OP_CACHE for %GOSPAN_IOC_REPLAY_CPUS alone
 */
struct gospan_replay_op {
	__u32 id;
	__u32 size;
	__u16 cpu;
	__u8 kind;
	__u8 flags;
};

/**
 * struct gospan_replay_result - what a replay came to
 * @nr_done: steps done; of a replay that failed, the number of the step that did
 * @allocs: ALLOC steps
 * @reallocs: REALLOC steps
 * @frees: FREE steps
 * @slots: slots of spans or slabs that the steps took: tiny objects share one, a realloc
 *	that moves takes another; GOSPAN and NOSCAN: with those that others took meanwhile
 * @live: objects at @weigh_at of struct gospan_replay
 * @bytes_asked: bytes that they asked for
 * @live_slots: slots that they are in
 * @bytes_rounded: bytes of these slots
 * @bytes_held: bytes of the spans or slabs that hold at least one of them
 * @ticks: CPU ticks (TSC; nanoseconds where there is none) of all steps, without reading
 *	and weighing them
 * @ns: the same in nanoseconds
 */
struct gospan_replay_result {
	__u64 nr_done;
	__u64 allocs;
	__u64 reallocs;
	__u64 frees;
	__u64 slots;
	__u64 live;
	__u64 bytes_asked;
	__u64 live_slots;
	__u64 bytes_rounded;
	__u64 bytes_held;
	__u64 ticks;
	__u64 ns;
};

/**
 * struct gospan_replay - recorded allocations to do again, and what they came to
 * @allocator: in: enum gospan_replay_allocator
 * @flags: in: none is defined
 * @ops: in: address of an array of struct gospan_replay_op
 * @nr_ops: in: its length, at least 1
 * @nr_ids: in: 1..%GOSPAN_REPLAY_MAX_IDS
 * @reserved: zero
 * @weigh_at: in: after so many steps, at most @nr_ops, what the live objects take is added up
 * @result: out: also of a replay that failed; all zero if it did not begin
 *
 * Objects are not touched but to zero or move them. What is live after the last
 * step is freed. Returns -EINVAL for a field or a step out of range, an ALLOC of
 * an object that is live, a REALLOC or FREE of one that is not; -ENOMEM when the
 * objects and the table of ids would take more than half of the memory
 * available, or one is not to be had, -EINTR when a signal ended it, -EBUSY
 * while a bench or another replay runs. Nothing is left allocated in any case.
 */
struct gospan_replay {
	__u32 allocator;
	__u32 flags;
	__u64 ops;
	__u64 nr_ops;
	__u32 nr_ids;
	__u32 reserved;
	__u64 weigh_at;
	struct gospan_replay_result result;
};

#define GOSPAN_REPLAY_MAX_CACHES	1024
#define GOSPAN_REPLAY_MAX_CACHE_BYTES	(1U << 20)
#define GOSPAN_REPLAY_MAX_SAMPLES	4096
#define GOSPAN_REPLAY_MAX_CLASSES	4096

/**
 * struct gospan_replay_cache - a cache of objects that all have one size
 * @size: in: bytes that an object asks for, 1..@slot_bytes
 * @slot_bytes: in: bytes that the recorded kernel's cache made of them, up to
 *	%GOSPAN_REPLAY_MAX_CACHE_BYTES; KMEM_CACHE and GOSPAN_CACHE make as many
 */
struct gospan_replay_cache {
	__u32 size;
	__u32 slot_bytes;
};

/**
 * struct gospan_replay_sample - what the live objects take at some step
 * @at: in: after so many steps, 1..@nr_ops
 * @live: out: objects
 * @bytes_asked: out: bytes that they asked for
 * @live_slots: out: slots that they are in
 * @bytes_rounded: out: bytes of these slots
 * @bytes_held: out: bytes of the spans or slabs that hold at least one of them
 * @bytes_inuse: out: GOSPAN, NOSCAN, GOSPAN_CACHE: bytes of all spans in use, also those where only
 *	cached objects are left, or other users'; 0 for the others: the kernel does not tell
 * @reserved: zero
 */
struct gospan_replay_sample {
	__u64 at;
	__u64 live;
	__u64 bytes_asked;
	__u64 live_slots;
	__u64 bytes_rounded;
	__u64 bytes_held;
	__u64 bytes_inuse;
	__u64 reserved;
};

/**
 * struct gospan_replay_class - what the live objects in slots of one size take
 * @slot_bytes: out: bytes of a slot
 * @nr_held: out: spans or slabs that hold at least one of the objects
 * @live: out: objects
 * @bytes_asked: out: bytes that they asked for
 * @bytes_rounded: out: bytes of their slots
 * @bytes_held: out: bytes of these spans or slabs
 */
struct gospan_replay_class {
	__u32 slot_bytes;
	__u32 nr_held;
	__u64 live;
	__u64 bytes_asked;
	__u64 bytes_rounded;
	__u64 bytes_held;
};

/**
 * struct gospan_replay_cpus - a replay on several CPUs, weighed at several steps
 * @replay: in and out: as for %GOSPAN_IOC_REPLAY
 * @cpus: in: bit map of online CPUs, at least one. What was recorded on CPU n is done
 *	on the one that is n-th in it, counted round where it has fewer
 * @caches: in: address of an array of struct gospan_replay_cache, for %GOSPAN_OP_CACHE
 * @samples: in and out: address of an array of struct gospan_replay_sample, @at ascending
 * @classes: out: address of an array of struct gospan_replay_class, for what is live at
 *	@weigh_at of @replay, by ascending size of the slots
 * @nr_caches: in: 0..%GOSPAN_REPLAY_MAX_CACHES
 * @nr_samples: in: 0..%GOSPAN_REPLAY_MAX_SAMPLES
 * @nr_classes: in: the length of @classes, 0..%GOSPAN_REPLAY_MAX_CLASSES; out: rows that
 *	there are, of which no more than fit were written
 * @reserved: zero
 *
 * The steps are done one after the other in their order, each on its CPU; ticks and
 * ns are the sum of the CPUs', without handing over from one to the next. Samples and
 * classes are written unless the replay failed. Returns what %GOSPAN_IOC_REPLAY
 * does, -ENODEV for a CPU that is not online, or went offline, and -ENOMEM for more
 * caches than the allocator can have.
 */
struct gospan_replay_cpus {
	struct gospan_replay replay;
	__u64 cpus[GOSPAN_BENCH_CPU_WORDS];
	__u64 caches;
	__u64 samples;
	__u64 classes;
	__u32 nr_caches;
	__u32 nr_samples;
	__u32 nr_classes;
	__u32 reserved;
};

/**
 * DOC: commands of /dev/gospan
 *
 * - %GOSPAN_IOC_VERSION: what module and kernel are; &struct gospan_version
 * - %GOSPAN_IOC_CLASS: a row of the size class table; &struct gospan_class
 * - %GOSPAN_IOC_MEMSTATS: the statistics; &struct gospan_memstats
 * - %GOSPAN_IOC_HEAPSTATS: those of the page heap; &struct gospan_heapstats
 * - %GOSPAN_IOC_CACHE: a named cache; &struct gospan_cachestats
 * - %GOSPAN_IOC_TRIM: gospan_trim(); struct gospan_trim
 *
 * With CAP_SYS_ADMIN:
 *
 * - %GOSPAN_IOC_ALLOC, %GOSPAN_IOC_REALLOC: allocate an object, change its size;
 *   &struct gospan_object
 * - %GOSPAN_IOC_FREE: free it; &struct gospan_handle
 * - %GOSPAN_IOC_READ, %GOSPAN_IOC_WRITE: copy its bytes out, in; &struct gospan_io
 * - %GOSPAN_IOC_BENCH: run a benchmark; &struct gospan_bench
 * - %GOSPAN_IOC_REPLAY: do a recorded program's allocations; &struct gospan_replay
 * - %GOSPAN_IOC_REPLAY_CPUS: the kernel's, on as many CPUs; &struct gospan_replay_cpus
 */

#define GOSPAN_IOC_MAGIC	0xb6

#define GOSPAN_IOC_VERSION	_IOR(GOSPAN_IOC_MAGIC, 0x00, struct gospan_version)
#define GOSPAN_IOC_CLASS	_IOWR(GOSPAN_IOC_MAGIC, 0x01, struct gospan_class)
#define GOSPAN_IOC_MEMSTATS	_IOR(GOSPAN_IOC_MAGIC, 0x02, struct gospan_memstats)
#define GOSPAN_IOC_HEAPSTATS	_IOWR(GOSPAN_IOC_MAGIC, 0x03, struct gospan_heapstats)
#define GOSPAN_IOC_TRIM		_IOR(GOSPAN_IOC_MAGIC, 0x04, struct gospan_trim)
#define GOSPAN_IOC_CACHE	_IOWR(GOSPAN_IOC_MAGIC, 0x05, struct gospan_cachestats)
#define GOSPAN_IOC_ALLOC	_IOWR(GOSPAN_IOC_MAGIC, 0x10, struct gospan_object)
#define GOSPAN_IOC_FREE		_IOW(GOSPAN_IOC_MAGIC, 0x11, struct gospan_handle)
#define GOSPAN_IOC_REALLOC	_IOWR(GOSPAN_IOC_MAGIC, 0x12, struct gospan_object)
#define GOSPAN_IOC_READ		_IOW(GOSPAN_IOC_MAGIC, 0x13, struct gospan_io)
#define GOSPAN_IOC_WRITE	_IOW(GOSPAN_IOC_MAGIC, 0x14, struct gospan_io)
#define GOSPAN_IOC_BENCH	_IOWR(GOSPAN_IOC_MAGIC, 0x20, struct gospan_bench)
#define GOSPAN_IOC_REPLAY	_IOWR(GOSPAN_IOC_MAGIC, 0x21, struct gospan_replay)
#define GOSPAN_IOC_REPLAY_CPUS	_IOWR(GOSPAN_IOC_MAGIC, 0x22, struct gospan_replay_cpus)

#endif /* _UAPI_LINUX_GOSPAN_H */
