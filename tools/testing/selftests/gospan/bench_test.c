// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bench ioctl: every workload answers sanely for every allocator, leaves
 * nothing behind, runs alone, and stops at once when a signal comes.
 */
#include "gospan_test.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define MAX_CPUS	(GOSPAN_BENCH_CPU_WORDS * 64)
#define NR_OBJECTS	200
#define PROMPT_SECONDS	2.0	/* a person waits no longer for ^C */
#define PAGE_BYTES	8192ULL	/* of gospan's, with 4 KiB kernel pages */
#define MAX_CACHED_BYTES (4ULL << 20)	/* more than the CPUs' page caches keep here */

static __u64 settle_after_trim(int fd, __u64 level)
{
	live_after_trim(fd);
	return settle_objects(fd, level);
}

FIXTURE(bench) {
	int fd;
	__u64 live;
	struct gospan_bench_cpu *results;	/* MAX_CPUS of them */
};

FIXTURE_SETUP(bench)
{
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	self->results = calloc(MAX_CPUS, sizeof(*self->results));
	ASSERT_NE(NULL, self->results);
	self->live = live_after_trim(self->fd);
}

FIXTURE_TEARDOWN(bench)
{
	EXPECT_EQ(self->live, settle_after_trim(self->fd, self->live));
	free(self->results);
	close(self->fd);
}

/* Has it sizes of its own? */
static bool is_sized(__u32 workload)
{
	return workload == GOSPAN_WORKLOAD_MIX || workload == GOSPAN_WORKLOAD_LARSON ||
	       workload == GOSPAN_WORKLOAD_ALLOC_TEST || workload == GOSPAN_WORKLOAD_SHBENCH ||
	       workload == GOSPAN_WORKLOAD_RPTEST || workload == GOSPAN_WORKLOAD_MSTRESS;
}

static bool takes_two_cpus(__u32 workload)
{
	return workload == GOSPAN_WORKLOAD_REMOTE || workload == GOSPAN_WORKLOAD_XMALLOC;
}

static struct gospan_bench make_bench(__u32 workload, __u32 allocator, __u64 size,
				      struct gospan_bench_cpu *results)
{
	struct gospan_bench b = {
		.workload = workload,
		.allocator = allocator,
		.size = size,
		.nr_objects = NR_OBJECTS,
		.rounds = 3,
		.flags = GOSPAN_BENCH_WEIGH,
		.seed = 1,
		.results = (uintptr_t)results,
		.nr_results = MAX_CPUS,
		/* Out fields must be written. */
		.bytes_asked = UINT64_MAX,
		.bytes_rounded = UINT64_MAX,
		.bytes_held = UINT64_MAX,
	};

	pick_cpus(b.cpus, takes_two_cpus(workload) ? 2 : 1);
	return b;
}

static void expect_phase(struct __test_metadata *_metadata,
			 const struct gospan_bench_phase *phase, __u64 ops)
{
	EXPECT_EQ(ops, phase->ops);
	if (!ops)
		return;
	EXPECT_LT(0, phase->ticks_min);
	EXPECT_LE(phase->ticks_min, phase->ticks_median);
	/* A few empty calls are shorter than a step of some clocks. */
	if (ops >= NR_OBJECTS) {
		EXPECT_LT(0, phase->ns_min);
	}
	EXPECT_LE(phase->ns_min, phase->ns_median);
}

/* The next CPU of the bit map after @cpu, or MAX_CPUS. */
static unsigned int next_cpu(const struct gospan_bench *b, unsigned int cpu)
{
	while (cpu < MAX_CPUS && !(b->cpus[cpu / 64] >> (cpu % 64) & 1))
		cpu++;
	return cpu;
}

static __u32 bulk_calls(__u32 nr_objects)
{
	__u32 calls = (GOSPAN_BENCH_BULK_OBJECTS + nr_objects - 1) / nr_objects;

	return calls > GOSPAN_BENCH_BULK_CALLS ? calls : GOSPAN_BENCH_BULK_CALLS;
}

/* Which operations each CPU must have done. */
static void expect_ops(const struct gospan_bench *b, unsigned int i, __u64 ops[2])
{
	bool allocates = b->workload != GOSPAN_WORKLOAD_REMOTE || i % 2 == 0;
	bool frees = b->workload == GOSPAN_WORKLOAD_BATCH ||
		     (b->workload == GOSPAN_WORKLOAD_REMOTE && i % 2 == 1);

	ops[0] = allocates ? b->nr_objects : 0;
	if (b->workload == GOSPAN_WORKLOAD_BULK)
		ops[0] *= bulk_calls(b->nr_objects);
	ops[1] = frees ? b->nr_objects : 0;
}

static void expect_results(struct __test_metadata *_metadata, const struct gospan_bench *b,
			   const struct gospan_bench_cpu *results)
{
	unsigned int cpu = next_cpu(b, 0);

	for (unsigned int i = 0; cpu < MAX_CPUS; i++, cpu = next_cpu(b, cpu + 1)) {
		__u64 ops[2];

		expect_ops(b, i, ops);
		EXPECT_EQ(cpu, results[i].cpu);
		EXPECT_EQ(0, results[i].reserved);
		EXPECT_EQ(0, results[i].failures);
		expect_phase(_metadata, &results[i].phase[0], ops[0]);
		expect_phase(_metadata, &results[i].phase[1], ops[1]);
	}
}

/* Do its objects live together, and somewhere? */
static bool is_weighed(const struct gospan_bench *b)
{
	return b->flags & GOSPAN_BENCH_WEIGH && b->workload != GOSPAN_WORKLOAD_PAIR &&
	       b->workload != GOSPAN_WORKLOAD_BULK && b->workload != GOSPAN_WORKLOAD_WRITE &&
	       b->workload != GOSPAN_WORKLOAD_HARDIRQ &&
	       b->allocator != GOSPAN_ALLOCATOR_EMPTY && b->allocator != GOSPAN_ALLOCATOR_LIMIT;
}

static void expect_bytes(struct __test_metadata *_metadata, const struct gospan_bench *b)
{
	if (!is_weighed(b)) {
		EXPECT_EQ(0, b->bytes_asked);
		EXPECT_EQ(0, b->bytes_rounded);
		EXPECT_EQ(0, b->bytes_held);
	} else {
		EXPECT_LT(0, b->bytes_asked);
		EXPECT_LE(b->bytes_asked, b->bytes_rounded);
		EXPECT_LT(0, b->bytes_held);
		/* Of a flood part is freed before the rest is allocated. */
		if (b->workload != GOSPAN_WORKLOAD_RCU_FLOOD) {
			EXPECT_LE(b->bytes_rounded, b->bytes_held);
		}
	}
}

static void expect_good(struct __test_metadata *_metadata, int fd, struct gospan_bench *b,
			struct gospan_bench_cpu *results)
{
	memset(results, 0xff, MAX_CPUS * sizeof(*results));
	ASSERT_EQ(0, do_ioctl(fd, GOSPAN_IOC_BENCH, b)) {
		TH_LOG("workload %u, allocator %u, order %u, size %llu", b->workload,
		       b->allocator, b->order, b->size);
	}
	expect_results(_metadata, b, results);
	expect_bytes(_metadata, b);
}

static const __u64 bench_sizes[] = { 1, 8, 64, 1000, 4096, 9000, 32768, 40000 };

TEST_F(bench, pair)
{
	for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		for (size_t i = 0; i < ARRAY_SIZE(bench_sizes); i++) {
			struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_PAIR, allocator,
							   bench_sizes[i], self->results);

			expect_good(_metadata, self->fd, &b, self->results);
		}
	}
}

TEST_F(bench, pair_zeroed)
{
	for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_PAIR, allocator, 1000,
						   self->results);

		b.flags = GOSPAN_BENCH_ZERO;
		expect_good(_metadata, self->fd, &b, self->results);
		EXPECT_EQ(0, self->results[0].phase[0].ticks_max);
	}
}

/* Single operations of what has such, and none that is slower than the slowest. */
TEST_F(bench, latency)
{
	static const __u32 workloads[] = { GOSPAN_WORKLOAD_PAIR, GOSPAN_WORKLOAD_BATCH };

	for (size_t w = 0; w < ARRAY_SIZE(workloads); w++) {
		for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
			struct gospan_bench b = make_bench(workloads[w], allocator, 64,
							   self->results);
			const struct gospan_bench_phase *phase = &self->results[0].phase[0];

			b.flags = GOSPAN_BENCH_LATENCY;
			expect_good(_metadata, self->fd, &b, self->results);
			EXPECT_LT(0, phase->ticks_p50);
			EXPECT_LE(phase->ticks_p50, phase->ticks_p99);
			EXPECT_LE(phase->ticks_p99, phase->ticks_p999);
			EXPECT_LE(phase->ticks_p999, phase->ticks_max);
			EXPECT_LE(phase->ticks_p50 * b.nr_objects / 2, phase->ticks_median);
		}
	}
}

TEST_F(bench, pair_largest)
{
	for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_PAIR, allocator, KMALLOC_MAX,
						   self->results);

		b.nr_objects = 2;
		expect_good(_metadata, self->fd, &b, self->results);
	}
}

TEST_F(bench, pair_all_cpus)
{
	for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_PAIR, allocator, 64,
						   self->results);

		pick_cpus(b.cpus, MAX_CPUS);
		expect_good(_metadata, self->fd, &b, self->results);
	}
}

TEST_F(bench, batch)
{
	for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		for (__u32 order = 0; order < GOSPAN_NR_ORDERS; order++) {
			for (size_t i = 0; i < ARRAY_SIZE(bench_sizes); i++) {
				struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_BATCH, allocator,
								   bench_sizes[i], self->results);

				b.order = order;
				expect_good(_metadata, self->fd, &b, self->results);
			}
		}
	}
}

TEST_F(bench, remote)
{
	for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		for (__u32 order = 0; order < GOSPAN_NR_ORDERS; order++) {
			struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_REMOTE, allocator, 64,
							   self->results);

			if (next_cpu(&b, next_cpu(&b, 0) + 1) == MAX_CPUS)
				SKIP(return, "one CPU only");
			b.order = order;
			expect_good(_metadata, self->fd, &b, self->results);
		}
	}
}

TEST_F(bench, mix)
{
	for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_MIX, allocator, 0,
						   self->results);

		if (allocator == GOSPAN_ALLOCATOR_KMEM_CACHE ||
		    allocator == GOSPAN_ALLOCATOR_SPAN || allocator == GOSPAN_ALLOCATOR_CACHE)
			continue;
		b.nr_objects = 5000;
		expect_good(_metadata, self->fd, &b, self->results);
	}
}

TEST_F(bench, bulk)
{
	static const __u32 allocators[] = {
		GOSPAN_ALLOCATOR_EMPTY, GOSPAN_ALLOCATOR_GOSPAN, GOSPAN_ALLOCATOR_KMEM_CACHE,
		GOSPAN_ALLOCATOR_CACHE,
	};
	static const __u32 counts[] = { 1, 16, 511, 513 };
	static const __u64 sizes[] = { 8, 256, 9000 };

	for (size_t a = 0; a < ARRAY_SIZE(allocators); a++) {
		for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
			for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
				struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_BULK,
								   allocators[a], sizes[s],
								   self->results);

				b.nr_objects = counts[i];
				expect_good(_metadata, self->fd, &b, self->results);
			}
		}
	}
}

TEST_F(bench, write)
{
	for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		if (allocator == GOSPAN_ALLOCATOR_PAGES || allocator == GOSPAN_ALLOCATOR_SPAN ||
		    allocator == GOSPAN_ALLOCATOR_LIMIT)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(bench_sizes); i++) {
			struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_WRITE, allocator,
							   bench_sizes[i], self->results);

			b.nr_objects = 10000;
			expect_good(_metadata, self->fd, &b, self->results);
			pick_cpus(b.cpus, MAX_CPUS);
			expect_good(_metadata, self->fd, &b, self->results);
		}
	}
}

/* Objects that cross from CPU to CPU; the operations are whole turns. */
TEST_F(bench, crossing)
{
	static const struct {
		__u32 workload, nr_objects;
	} rows[] = {
		{ GOSPAN_WORKLOAD_RPTEST, 4 * 512 },
		{ GOSPAN_WORKLOAD_MSTRESS, 4 * 640 },
	};
	static const __u32 allocators[] = {
		GOSPAN_ALLOCATOR_EMPTY, GOSPAN_ALLOCATOR_GOSPAN, GOSPAN_ALLOCATOR_KMALLOC,
		GOSPAN_ALLOCATOR_NOSCAN, GOSPAN_ALLOCATOR_LIMIT,
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t a = 0; a < ARRAY_SIZE(allocators); a++) {
			struct gospan_bench b = make_bench(rows[i].workload, allocators[a], 0,
							   self->results);

			b.nr_objects = rows[i].nr_objects;
			expect_good(_metadata, self->fd, &b, self->results);
			pick_cpus(b.cpus, MAX_CPUS);
			expect_good(_metadata, self->fd, &b, self->results);
		}
	}
}

/* On all CPUs, so many that some must wait for a grace period at the same time. */
TEST_F(bench, rcu_flood)
{
	static const __u32 allocators[] = {
		GOSPAN_ALLOCATOR_EMPTY, GOSPAN_ALLOCATOR_GOSPAN, GOSPAN_ALLOCATOR_KMALLOC,
	};

	for (size_t a = 0; a < ARRAY_SIZE(allocators); a++) {
		struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_RCU_FLOOD, allocators[a], 256,
						   self->results);

		b.nr_objects = 20000;
		pick_cpus(b.cpus, MAX_CPUS);
		expect_good(_metadata, self->fd, &b, self->results);
	}
}

/* Every interrupt is counted, in the sum and in the histogram. */
TEST_F(bench, hardirq)
{
	for (__u32 allocator = 0; allocator < GOSPAN_NR_ALLOCATORS; allocator++) {
		struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_HARDIRQ, allocator, 64,
						   self->results);
		const struct gospan_bench_phase *phase = &self->results[0].phase[0];

		if (allocator == GOSPAN_ALLOCATOR_PAGES || allocator == GOSPAN_ALLOCATOR_SPAN ||
		    allocator == GOSPAN_ALLOCATOR_LIMIT)
			continue;
		expect_good(_metadata, self->fd, &b, self->results);
		EXPECT_EQ(0, phase->ticks_max);
		b.flags |= GOSPAN_BENCH_LATENCY;
		expect_good(_metadata, self->fd, &b, self->results);
		EXPECT_LT(0, phase->ticks_p50);
		EXPECT_LE(phase->ticks_p50, phase->ticks_p99);
		EXPECT_LE(phase->ticks_p99, phase->ticks_p999);
		EXPECT_LE(phase->ticks_p999, phase->ticks_max);
		EXPECT_LE(phase->ticks_max, 3 * phase->ticks_median * b.nr_objects);
	}
}

/* The same seed asks every allocator for the same; another seed for something else. */
TEST_F(bench, mix_follows_seed)
{
	__u64 asked[3];

	for (int i = 0; i < 3; i++) {
		struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_MIX,
						   i ? GOSPAN_ALLOCATOR_GOSPAN :
						   GOSPAN_ALLOCATOR_KMALLOC, 0, self->results);

		b.nr_objects = 5000;
		b.seed = i < 2 ? 1 : 2;
		ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_BENCH, &b));
		asked[i] = b.bytes_asked;
	}
	EXPECT_EQ(asked[0], asked[1]);
	EXPECT_NE(asked[1], asked[2]);
}

TEST_F(bench, one_object_one_round)
{
	for (__u32 workload = 0; workload < GOSPAN_NR_WORKLOADS; workload++) {
		struct gospan_bench b = make_bench(workload, GOSPAN_ALLOCATOR_GOSPAN,
						   is_sized(workload) ? 0 : 64, self->results);

		if (takes_two_cpus(workload) &&
		    next_cpu(&b, next_cpu(&b, 0) + 1) == MAX_CPUS)
			continue;
		b.nr_objects = 1;
		b.rounds = 1;
		EXPECT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_BENCH, &b));
	}
}

/* Where pages may be held: in the page heap, or the kernel's. */
static const __u32 holders[] = { GOSPAN_ALLOCATOR_SPAN, GOSPAN_ALLOCATOR_PAGES };

static void hold_and_expect_good(struct __test_metadata *_metadata, int fd, __u32 workload,
				 __u32 held_pages, struct gospan_bench_cpu *results)
{
	for (size_t i = 0; i < ARRAY_SIZE(holders); i++) {
		struct gospan_bench b = make_bench(workload, holders[i], 16 * PAGE_BYTES, results);

		if (workload == GOSPAN_WORKLOAD_BATCH)
			b.order = GOSPAN_ORDER_SHUFFLED;
		b.held_pages = held_pages;
		expect_good(_metadata, fd, &b, results);
	}
}

TEST_F(bench, pages_held)
{
	static const __u32 counts[] = { 1, 7, 8, 9, 1000, 10000 };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		hold_and_expect_good(_metadata, self->fd, GOSPAN_WORKLOAD_PAIR, counts[i],
				     self->results);
		hold_and_expect_good(_metadata, self->fd, GOSPAN_WORKLOAD_BATCH, counts[i],
				     self->results);
	}
}

/* No span stays in use, and what held pages took has gone back to the kernel. */
TEST_F(bench, pages_held_leave_nothing)
{
	struct gospan_memstats before, after;

	hold_and_expect_good(_metadata, self->fd, GOSPAN_WORKLOAD_BATCH, 1, self->results);
	before = read_stats(self->fd);
	hold_and_expect_good(_metadata, self->fd, GOSPAN_WORKLOAD_BATCH, 10000, self->results);
	after = read_stats(self->fd);
	EXPECT_EQ(before.heap_inuse, after.heap_inuse);
	EXPECT_EQ(before.heap_objects, after.heap_objects);
	EXPECT_GE(before.heap_sys + MAX_CACHED_BYTES, after.heap_sys);
	EXPECT_LT(before.heap_released, after.heap_released);
	EXPECT_EQ(before.misuses, after.misuses);
}

static unsigned long long available_kib(void)
{
	unsigned long long kib = 0;
	FILE *in = fopen("/proc/meminfo", "r");
	char line[256];

	while (in && !kib && fgets(line, sizeof(line), in))
		sscanf(line, "MemAvailable: %llu", &kib);
	if (in)
		fclose(in);
	return kib;
}

/* Small objects by the million, each on a page of its own: refused, not tried. */
TEST_F(bench, more_than_the_machine_has)
{
	struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_BATCH, GOSPAN_ALLOCATOR_PAGES, 8,
					   self->results);

	b.nr_objects = GOSPAN_BENCH_MAX_OBJECTS;
	if (!available_kib() || available_kib() / 2 > 4ULL * b.nr_objects)
		SKIP(return, "too much memory to ask for more than there is");
	EXPECT_EQ(-ENOMEM, do_ioctl(self->fd, GOSPAN_IOC_BENCH, &b));
}

/* A bench that would go on for minutes. */
static struct gospan_bench endless_bench(__u32 workload, __u32 held_pages,
					 struct gospan_bench_cpu *results)
{
	struct gospan_bench b = make_bench(workload, held_pages ? GOSPAN_ALLOCATOR_SPAN :
					   GOSPAN_ALLOCATOR_GOSPAN, 64, results);

	b.nr_objects = 1U << 18;
	b.rounds = GOSPAN_BENCH_MAX_ROUNDS;
	b.held_pages = held_pages;
	if (workload == GOSPAN_WORKLOAD_PAIR) {
		b.nr_objects = GOSPAN_BENCH_MAX_OBJECTS;
		b.size = 1024;
	} else if (workload == GOSPAN_WORKLOAD_WRITE) {
		b.nr_objects = GOSPAN_BENCH_MAX_OBJECTS;
	} else if (is_sized(workload)) {
		b.size = 0;
	}
	return b;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void on_alarm(int sig)
{
}

FIXTURE(endless) {
	int fd;
	__u64 live;
	struct gospan_bench b;
	struct gospan_bench_cpu results[2];
};

FIXTURE_VARIANT(endless) {
	__u32 workload;
	__u32 held_pages;	/* 0, or those of a bench of spans */
};

FIXTURE_VARIANT_ADD(endless, pair) { .workload = GOSPAN_WORKLOAD_PAIR };
FIXTURE_VARIANT_ADD(endless, batch) { .workload = GOSPAN_WORKLOAD_BATCH };
FIXTURE_VARIANT_ADD(endless, remote) { .workload = GOSPAN_WORKLOAD_REMOTE };
FIXTURE_VARIANT_ADD(endless, mix) { .workload = GOSPAN_WORKLOAD_MIX };
FIXTURE_VARIANT_ADD(endless, bulk) { .workload = GOSPAN_WORKLOAD_BULK };
FIXTURE_VARIANT_ADD(endless, write) { .workload = GOSPAN_WORKLOAD_WRITE };
FIXTURE_VARIANT_ADD(endless, larson) { .workload = GOSPAN_WORKLOAD_LARSON };
FIXTURE_VARIANT_ADD(endless, xmalloc) { .workload = GOSPAN_WORKLOAD_XMALLOC };
FIXTURE_VARIANT_ADD(endless, alloc_test) { .workload = GOSPAN_WORKLOAD_ALLOC_TEST };
FIXTURE_VARIANT_ADD(endless, shbench) { .workload = GOSPAN_WORKLOAD_SHBENCH };
FIXTURE_VARIANT_ADD(endless, rptest) { .workload = GOSPAN_WORKLOAD_RPTEST };
FIXTURE_VARIANT_ADD(endless, mstress) { .workload = GOSPAN_WORKLOAD_MSTRESS };
FIXTURE_VARIANT_ADD(endless, rcu_flood) { .workload = GOSPAN_WORKLOAD_RCU_FLOOD };
FIXTURE_VARIANT_ADD(endless, hardirq) { .workload = GOSPAN_WORKLOAD_HARDIRQ };
FIXTURE_VARIANT_ADD(endless, cycle) { .workload = GOSPAN_WORKLOAD_CYCLE };
FIXTURE_VARIANT_ADD(endless, fragment) { .workload = GOSPAN_WORKLOAD_FRAGMENT };
FIXTURE_VARIANT_ADD(endless, scratch) { .workload = GOSPAN_WORKLOAD_SCRATCH };
FIXTURE_VARIANT_ADD(endless, held) { .workload = GOSPAN_WORKLOAD_PAIR, .held_pages = 10000 };

FIXTURE_SETUP(endless)
{
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	self->b = endless_bench(variant->workload, variant->held_pages, self->results);
	if (takes_two_cpus(variant->workload) && pick_cpus(self->b.cpus, 2) < 2)
		SKIP(return, "one CPU only");
	self->live = live_after_trim(self->fd);
}

FIXTURE_TEARDOWN(endless)
{
	EXPECT_EQ(self->live, settle_after_trim(self->fd, self->live));
	close(self->fd);
}

TEST_F(endless, stops_at_a_signal)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { .tv_usec = 300000 } };
	double start = now(), took;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	EXPECT_EQ(-EINTR, do_ioctl(self->fd, GOSPAN_IOC_BENCH, &self->b));
	took = now() - start - 0.3;
	EXPECT_GT(PROMPT_SECONDS, took) {
		TH_LOG("%.1f s after the signal", took);
	}
	EXPECT_EQ(self->live, live_objects(self->fd));
}

/* One round of next to nothing: 0, or -EBUSY while another runs. */
static int try_bench(int fd)
{
	struct gospan_bench_cpu results[1];
	struct gospan_bench b = make_bench(GOSPAN_WORKLOAD_PAIR, GOSPAN_ALLOCATOR_EMPTY, 64,
					   results);

	b.nr_results = 1;
	return do_ioctl(fd, GOSPAN_IOC_BENCH, &b);
}

static int wait_for_bench(int fd, int answer)
{
	double deadline = now() + PROMPT_SECONDS;
	int err = try_bench(fd);

	while (err != answer && now() < deadline) {
		usleep(5000);
		err = try_bench(fd);
	}
	return err;
}

/*
 * Run the endless bench in a child, and return when it runs. The child tries
 * again while one of the parent's attempts to find out is in its way.
 */
static pid_t start_bench(int fd, struct gospan_bench *b)
{
	pid_t child = fork();
	int err;

	if (child)
		return child < 0 || wait_for_bench(fd, -EBUSY) != -EBUSY ? -1 : child;
	do {
		err = do_ioctl(fd, GOSPAN_IOC_BENCH, b);
	} while (err == -EBUSY);
	_exit(1);
}

/* A second bench is refused; when the first is killed, the device is free again. */
TEST_F(endless, runs_alone_and_dies_when_killed)
{
	pid_t child = start_bench(self->fd, &self->b);
	double start;
	int status;

	ASSERT_LT(0, child);
	EXPECT_EQ(-EBUSY, try_bench(self->fd));
	start = now();
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_GT(PROMPT_SECONDS, now() - start);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(0, wait_for_bench(self->fd, 0));
	EXPECT_EQ(self->live, settle_after_trim(self->fd, self->live));
}

/* While it runs, the rest of the device answers. */
TEST_F(endless, leaves_the_device_usable)
{
	pid_t child = start_bench(self->fd, &self->b);
	struct gospan_object o;
	double start;
	int status;

	ASSERT_LT(0, child);
	start = now();
	for (int i = 0; i < 20; i++) {
		read_stats(self->fd);
		EXPECT_EQ(0, object_alloc(self->fd, 64, 0, &o));
		EXPECT_EQ(0, object_free(self->fd, o.handle));
	}
	EXPECT_GT(PROMPT_SECONDS, now() - start);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
}

GOSPAN_TEST_MAIN
