// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl that replays on several CPUs: weighs by sample and by class, refuses
 * what cannot be, stops when a signal comes, and leaves nothing behind.
 */
#include "gospan_test.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

#define NR_OPS		6000U
#define NR_IDS		500U
#define NR_SAMPLES	8U
#define NR_CLASSES	128U
#define RUN		40U	/* steps on a CPU, before the next */
#define PROMPT_SECONDS	2.0	/* a person waits no longer for ^C */
#define READ_ONLY_BYTES	4096

FIXTURE(replay_cpus) {
	int fd;
	__u64 live;
	struct gospan_replay_op ops[NR_OPS];
	struct gospan_replay_cache caches[2];
	struct gospan_replay_sample samples[NR_SAMPLES];
	struct gospan_replay_class classes[NR_CLASSES];
	struct gospan_replay_cpus r;
};

/* Objects come and go in turn, every third from a cache; a size of 0, too. */
static void make_stream(struct gospan_replay_op *ops)
{
	for (__u32 i = 0; i < NR_OPS; i++) {
		ops[i] = (struct gospan_replay_op){ .id = i % NR_IDS, .cpu = i / RUN };
		if (i / NR_IDS % 2) {
			ops[i].kind = GOSPAN_OP_FREE;
		} else if (i % 3) {
			ops[i].size = i % 7 ? i % 700 : i % 40000;
		} else {
			ops[i].size = i % 2;
			ops[i].flags = GOSPAN_OP_CACHE;
		}
	}
}

FIXTURE_SETUP(replay_cpus)
{
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	make_stream(self->ops);
	self->caches[0] = (struct gospan_replay_cache){ 56, 56 };
	self->caches[1] = (struct gospan_replay_cache){ 1160, 1168 };
	for (__u32 i = 0; i < NR_SAMPLES; i++)
		self->samples[i] = (struct gospan_replay_sample){ .at = (i + 1) * NR_OPS / NR_SAMPLES };
	self->r = (struct gospan_replay_cpus){
		.replay = {
			.allocator = GOSPAN_REPLAY_GOSPAN,
			.ops = (uintptr_t)self->ops,
			.nr_ops = NR_OPS,
			.nr_ids = NR_IDS,
			.weigh_at = NR_OPS - NR_IDS,
		},
		.caches = (uintptr_t)self->caches,
		.samples = (uintptr_t)self->samples,
		.classes = (uintptr_t)self->classes,
		.nr_caches = 2,
		.nr_samples = NR_SAMPLES,
		.nr_classes = NR_CLASSES,
	};
	memset(&self->r.replay.result, 0xff, sizeof(self->r.replay.result));
	pick_cpus(self->r.cpus, 8);
	self->live = live_after_trim(self->fd);
}

FIXTURE_TEARDOWN(replay_cpus)
{
	EXPECT_EQ(self->live, live_after_trim(self->fd));
	close(self->fd);
}

static __u32 op_bytes(const struct gospan_replay_cache *caches, const struct gospan_replay_op *op)
{
	return op->flags & GOSPAN_OP_CACHE ? caches[op->size].size : op->size;
}

/* Objects live after @n steps, and their bytes, by a table of sizes. */
static void weigh(const struct gospan_replay_cache *caches, const struct gospan_replay_op *ops,
		  __u64 n, __u64 *live, __u64 *bytes)
{
	static __u64 size[NR_IDS];
	static bool is_live[NR_IDS];

	memset(size, 0, sizeof(size));
	memset(is_live, 0, sizeof(is_live));
	for (__u64 i = 0; i < n; i++) {
		is_live[ops[i].id] = ops[i].kind != GOSPAN_OP_FREE;
		size[ops[i].id] = op_bytes(caches, &ops[i]);
	}
	*live = *bytes = 0;
	for (__u32 i = 0; i < NR_IDS; i++) {
		*live += is_live[i];
		*bytes += size[i];
	}
}

TEST_F(replay_cpus, counts)
{
	for (__u32 who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		const struct gospan_replay_result *result = &self->r.replay.result;
		__u64 live, bytes, rounded = 0, held = 0;

		self->r.replay.allocator = who;
		self->r.nr_classes = NR_CLASSES;
		ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_REPLAY_CPUS, &self->r));
		EXPECT_EQ(NR_OPS, result->nr_done);
		EXPECT_EQ(NR_OPS / 2, result->allocs);
		EXPECT_EQ(NR_OPS / 2, result->frees);
		EXPECT_LT(0, result->ticks);
		EXPECT_LT(0, result->ns);
		weigh(self->caches, self->ops, NR_OPS - NR_IDS, &live, &bytes);
		EXPECT_EQ(live, result->live);
		EXPECT_EQ(bytes, result->bytes_asked);
		ASSERT_GE(NR_CLASSES, self->r.nr_classes);
		for (__u32 i = 0; i < self->r.nr_classes; i++) {
			rounded += self->classes[i].bytes_rounded;
			held += self->classes[i].bytes_held;
		}
		EXPECT_EQ(result->bytes_rounded, rounded);
		EXPECT_EQ(result->bytes_held, held);
		EXPECT_EQ(who != GOSPAN_REPLAY_EMPTY, held > 0);
		for (__u32 i = 0; i < NR_SAMPLES; i++) {
			weigh(self->caches, self->ops, self->samples[i].at, &live, &bytes);
			EXPECT_EQ(live, self->samples[i].live);
			EXPECT_EQ(bytes, self->samples[i].bytes_asked);
		}
	}
}

/* Rows past the array's end are told of, and not written. */
TEST_F(replay_cpus, more_classes_than_fit)
{
	__u32 nr;

	ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_REPLAY_CPUS, &self->r));
	nr = self->r.nr_classes;
	ASSERT_LT(2, nr);
	memset(self->classes, 0xff, sizeof(self->classes));
	self->r.nr_classes = 2;
	ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_REPLAY_CPUS, &self->r));
	EXPECT_EQ(nr, self->r.nr_classes);
	EXPECT_GT(UINT32_MAX, self->classes[1].slot_bytes);
	EXPECT_EQ(UINT32_MAX, self->classes[2].slot_bytes);
}

/* Nothing but the steps is needed. */
TEST_F(replay_cpus, without_arrays)
{
	for (__u32 i = 0; i < NR_OPS; i++) {
		if (self->ops[i].flags & GOSPAN_OP_CACHE)
			self->ops[i] = (struct gospan_replay_op){ .id = self->ops[i].id };
	}
	self->r.caches = self->r.samples = self->r.classes = 0;
	self->r.nr_caches = self->r.nr_samples = self->r.nr_classes = 0;
	ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_REPLAY_CPUS, &self->r));
	EXPECT_EQ(NR_OPS, self->r.replay.result.nr_done);
}

/* A test that spoils one field, and expects one error. */
#define REJECT_FIELD(name, error, ...) \
	TEST_F(replay_cpus, field_##name) \
	{ \
		__VA_ARGS__; \
		EXPECT_EQ(-(error), do_ioctl(self->fd, GOSPAN_IOC_REPLAY_CPUS, &self->r)); \
		EXPECT_EQ(0, self->r.replay.result.nr_done); \
	}

#define KERNEL_ADDRESS	0xffff888000000000ULL

REJECT_FIELD(allocator_past_last, EINVAL, self->r.replay.allocator = GOSPAN_NR_REPLAYERS)
REJECT_FIELD(flag, EINVAL, self->r.replay.flags = 1)
REJECT_FIELD(inner_reserved, EINVAL, self->r.replay.reserved = 1)
REJECT_FIELD(no_ops, EINVAL, self->r.replay.nr_ops = self->r.replay.weigh_at = 0)
REJECT_FIELD(no_ids, EINVAL, self->r.replay.nr_ids = 0)
REJECT_FIELD(too_many_ids, EINVAL, self->r.replay.nr_ids = GOSPAN_REPLAY_MAX_IDS + 1)
REJECT_FIELD(weighed_past_end, EINVAL, self->r.replay.weigh_at = NR_OPS + 1)
REJECT_FIELD(ops_null, EFAULT, self->r.replay.ops = 0)
REJECT_FIELD(reserved, EINVAL, self->r.reserved = 1)
REJECT_FIELD(reserved_highest, EINVAL, self->r.reserved = 1U << 31)
REJECT_FIELD(no_cpus, EINVAL, memset(self->r.cpus, 0, sizeof(self->r.cpus)))
REJECT_FIELD(cpu_not_there, ENODEV, self->r.cpus[GOSPAN_BENCH_CPU_WORDS - 1] = 1ULL << 63)
REJECT_FIELD(too_many_caches, EINVAL, self->r.nr_caches = GOSPAN_REPLAY_MAX_CACHES + 1)
REJECT_FIELD(caches_largest, EINVAL, self->r.nr_caches = UINT32_MAX)
REJECT_FIELD(caches_null, EFAULT, self->r.caches = 0)
REJECT_FIELD(caches_in_kernel, EFAULT, self->r.caches = KERNEL_ADDRESS)
REJECT_FIELD(cache_of_nothing, EINVAL, self->caches[1].size = 0)
REJECT_FIELD(cache_shrinks, EINVAL, self->caches[1].slot_bytes = self->caches[1].size - 1)
REJECT_FIELD(cache_too_large, EINVAL,
	     self->caches[1].slot_bytes = GOSPAN_REPLAY_MAX_CACHE_BYTES + 1)
REJECT_FIELD(too_many_samples, EINVAL, self->r.nr_samples = GOSPAN_REPLAY_MAX_SAMPLES + 1)
REJECT_FIELD(samples_largest, EINVAL, self->r.nr_samples = UINT32_MAX)
REJECT_FIELD(samples_null, EFAULT, self->r.samples = 0)
REJECT_FIELD(samples_in_kernel, EFAULT, self->r.samples = KERNEL_ADDRESS)
REJECT_FIELD(sample_before_first_step, EINVAL, self->samples[0].at = 0)
REJECT_FIELD(sample_twice, EINVAL, self->samples[1].at = self->samples[0].at)
REJECT_FIELD(sample_past_end, EINVAL, self->samples[NR_SAMPLES - 1].at = NR_OPS + 1)
REJECT_FIELD(sample_reserved, EINVAL, self->samples[1].reserved = 1)
REJECT_FIELD(too_many_classes, EINVAL, self->r.nr_classes = GOSPAN_REPLAY_MAX_CLASSES + 1)
REJECT_FIELD(classes_largest, EINVAL, self->r.nr_classes = UINT32_MAX)

/* A test that spoils the step in the middle; object 0 is live there and of a cache. */
#define BAD_STEP	(2 * NR_IDS + NR_IDS / 2)

#define REJECT_STEP(name, ...) \
	TEST_F(replay_cpus, step_##name) \
	{ \
		struct gospan_replay_op bad = { __VA_ARGS__ }; \
		self->ops[BAD_STEP] = bad; \
		for (__u32 who = 0; who < GOSPAN_NR_REPLAYERS; who++) { \
			self->r.replay.allocator = who; \
			self->r.nr_classes = NR_CLASSES; \
			EXPECT_EQ(-EINVAL, \
				  do_ioctl(self->fd, GOSPAN_IOC_REPLAY_CPUS, &self->r)); \
			EXPECT_EQ(BAD_STEP, self->r.replay.result.nr_done); \
			EXPECT_EQ(self->live, live_after_trim(self->fd)); \
		} \
	}

#define CACHE_ID	(2 * NR_IDS % 3 ? 3 - 2 * NR_IDS % 3 : 0)
#define DEAD_ID		(NR_IDS - 1)

REJECT_STEP(cache_past_last, .id = DEAD_ID, .size = 2, .flags = GOSPAN_OP_CACHE)
REJECT_STEP(cache_largest, .id = DEAD_ID, .size = UINT32_MAX, .flags = GOSPAN_OP_CACHE)
REJECT_STEP(realloc_from_cache, .id = CACHE_ID, .size = 8, .kind = GOSPAN_OP_REALLOC)
REJECT_STEP(flag_of_free, .id = CACHE_ID, .kind = GOSPAN_OP_FREE, .flags = GOSPAN_OP_CACHE)
REJECT_STEP(alloc_of_live, .id = CACHE_ID, .size = 8)
REJECT_STEP(free_of_dead, .id = DEAD_ID, .kind = GOSPAN_OP_FREE)
REJECT_STEP(id_past_last, .id = NR_IDS, .size = 8)
REJECT_STEP(unknown_flag, .id = DEAD_ID, .flags = 1U << 3)

/* An array that cannot be written is found out at the end. */
#define ANSWER_READ_ONLY(name) \
	TEST_F(replay_cpus, name##_read_only) \
	{ \
		char *map = mmap(NULL, 2 * READ_ONLY_BYTES, PROT_READ | PROT_WRITE, \
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); \
		ASSERT_NE(MAP_FAILED, map); \
		memcpy(map, self->name, sizeof(self->name)); \
		ASSERT_EQ(0, mprotect(map, 2 * READ_ONLY_BYTES, PROT_READ)); \
		self->r.name = (uintptr_t)map; \
		EXPECT_EQ(-EFAULT, do_ioctl(self->fd, GOSPAN_IOC_REPLAY_CPUS, &self->r)); \
		munmap(map, 2 * READ_ONLY_BYTES); \
	}

ANSWER_READ_ONLY(samples)
ANSWER_READ_ONLY(classes)

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void on_alarm(int sig)
{
}

/* Hundreds of megabytes to zero, on each CPU in turn: the signal comes in the middle. */
TEST_F(replay_cpus, stops_at_a_signal)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { .tv_usec = 100000 } };
	double start = now(), took;
	int err = 0;

	for (__u32 i = 0; i < NR_OPS; i += 2) {
		self->ops[i] = (struct gospan_replay_op){
			.id = 0, .size = 2 << 20, .cpu = i / RUN, .flags = GOSPAN_OP_ZERO,
		};
		self->ops[i + 1] = (struct gospan_replay_op){
			.id = 0, .cpu = i / RUN, .kind = GOSPAN_OP_FREE,
		};
	}
	self->r.nr_samples = 0;
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	/* A machine may be done with it before. */
	while (!err && now() < start + 0.1)
		err = do_ioctl(self->fd, GOSPAN_IOC_REPLAY_CPUS, &self->r);
	took = now() - start - 0.1;
	EXPECT_EQ(-EINTR, err);
	EXPECT_GT(PROMPT_SECONDS, took) {
		TH_LOG("%.1f s after the signal", took);
	}
	EXPECT_GT(NR_OPS, self->r.replay.result.nr_done);
}

GOSPAN_TEST_MAIN
