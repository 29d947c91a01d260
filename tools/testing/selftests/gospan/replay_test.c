// SPDX-License-Identifier: GPL-2.0-only
/*
 * The replay ioctl: counts what a stream holds, refuses what cannot be, reads
 * the stream with care, stops when a signal comes, and leaves nothing behind.
 */
#include "gospan_test.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define NR_IDS		1000U
#define NR_OPS		20000U	/* several of the windows in which they are read */
#define GUARD_BYTES	65536	/* whole kernel pages, whatever they are */
#define PROMPT_SECONDS	2.0	/* a person waits no longer for ^C */

FIXTURE(replay) {
	int fd;
	__u64 live;
	struct gospan_replay_op *ops;	/* NR_OPS of them, and then nothing that can be touched */
	char *map;
	size_t map_bytes;
};

/* Objects 0, 1, ... come and go in turn, each with a size of its own; sizes of 0, too. */
static void make_stream(struct gospan_replay_op *ops, __u32 nr_ids)
{
	for (__u32 i = 0; i < NR_OPS; i++) {
		__u32 round = i / nr_ids;

		ops[i] = (struct gospan_replay_op){ .id = i % nr_ids, .cpu = i % 3 };
		if (round % 3 == 0) {
			ops[i].kind = GOSPAN_OP_ALLOC;
			ops[i].flags = i % 4;
		} else {
			ops[i].kind = round % 3 == 1 ? GOSPAN_OP_REALLOC : GOSPAN_OP_FREE;
		}
		if (ops[i].kind != GOSPAN_OP_FREE)
			ops[i].size = i % 97 ? i % 97 : i % 40000;
	}
}

FIXTURE_SETUP(replay)
{
	size_t bytes = NR_OPS * sizeof(*self->ops);

	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	self->map_bytes = (bytes + GUARD_BYTES - 1) / GUARD_BYTES * GUARD_BYTES + GUARD_BYTES;
	self->map = mmap(NULL, self->map_bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_EQ(0, mprotect(self->map + self->map_bytes - GUARD_BYTES, GUARD_BYTES, PROT_NONE));
	self->ops = (void *)(self->map + self->map_bytes - GUARD_BYTES - bytes);
	make_stream(self->ops, NR_IDS);
	self->live = live_after_trim(self->fd);
}

FIXTURE_TEARDOWN(replay)
{
	EXPECT_EQ(self->live, live_after_trim(self->fd));
	munmap(self->map, self->map_bytes);
	close(self->fd);
}

static struct gospan_replay make_replay(const struct gospan_replay_op *ops, __u32 allocator)
{
	struct gospan_replay r;

	/* Out fields must be written. */
	memset(&r, 0xff, sizeof(r));
	r.allocator = allocator;
	r.flags = 0;
	r.ops = (uintptr_t)ops;
	r.nr_ops = NR_OPS;
	r.nr_ids = NR_IDS;
	r.reserved = 0;
	r.weigh_at = NR_OPS / 2;
	return r;
}

/* Live objects after half of the steps, and their bytes, by a table of sizes. */
static void weigh(const struct gospan_replay_op *ops, __u64 *live, __u64 *bytes)
{
	static __u64 size[NR_IDS];
	static bool is_live[NR_IDS];

	memset(size, 0, sizeof(size));
	memset(is_live, 0, sizeof(is_live));
	for (__u32 i = 0; i < NR_OPS / 2; i++) {
		is_live[ops[i].id] = ops[i].kind != GOSPAN_OP_FREE;
		size[ops[i].id] = ops[i].size;
	}
	*live = *bytes = 0;
	for (__u32 i = 0; i < NR_IDS; i++) {
		*live += is_live[i];
		*bytes += size[i];
	}
}

TEST_F(replay, counts)
{
	__u64 count[GOSPAN_NR_OPS] = { 0 }, live, bytes;

	for (__u32 i = 0; i < NR_OPS; i++)
		count[self->ops[i].kind]++;
	weigh(self->ops, &live, &bytes);
	for (__u32 who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		struct gospan_replay r = make_replay(self->ops, who);

		ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, &r));
		EXPECT_EQ(NR_OPS, r.result.nr_done);
		EXPECT_EQ(count[GOSPAN_OP_ALLOC], r.result.allocs);
		EXPECT_EQ(count[GOSPAN_OP_REALLOC], r.result.reallocs);
		EXPECT_EQ(count[GOSPAN_OP_FREE], r.result.frees);
		EXPECT_EQ(live, r.result.live);
		EXPECT_EQ(bytes, r.result.bytes_asked);
		EXPECT_LT(0, r.result.ticks);
		EXPECT_LT(0, r.result.ns);
		if (who == GOSPAN_REPLAY_EMPTY) {
			EXPECT_EQ(0, r.result.slots);
			EXPECT_EQ(0, r.result.live_slots);
			EXPECT_EQ(0, r.result.bytes_rounded);
			EXPECT_EQ(0, r.result.bytes_held);
			continue;
		}
		EXPECT_LT(0, r.result.slots);
		EXPECT_GE(r.result.allocs + r.result.reallocs, r.result.slots);
		EXPECT_LT(0, r.result.live_slots);
		EXPECT_GE(r.result.live, r.result.live_slots);
		EXPECT_LE(r.result.bytes_asked, r.result.bytes_rounded);
		EXPECT_LE(r.result.bytes_rounded, r.result.bytes_held);
	}
}

/* What is live at the end is freed: the fixture counts. */
TEST_F(replay, leaves_nothing)
{
	for (__u32 who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		struct gospan_replay r = make_replay(self->ops, who);

		r.nr_ops = NR_IDS;
		r.weigh_at = NR_IDS;
		ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, &r));
		EXPECT_EQ(NR_IDS, r.result.live);
		EXPECT_EQ(self->live, live_after_trim(self->fd));
	}
}

/* A test that spoils one field, and expects one error. */
#define REJECT_FIELD(name, error, ...) \
	TEST_F(replay, field_##name) \
	{ \
		struct gospan_replay r = make_replay(self->ops, GOSPAN_REPLAY_GOSPAN); \
		__VA_ARGS__; \
		EXPECT_EQ(-(error), do_ioctl(self->fd, GOSPAN_IOC_REPLAY, &r)); \
		EXPECT_EQ(0, r.result.nr_done); \
	}

REJECT_FIELD(allocator_past_last, EINVAL, r.allocator = GOSPAN_NR_REPLAYERS)
REJECT_FIELD(allocator_largest, EINVAL, r.allocator = UINT32_MAX)
REJECT_FIELD(lowest_flag, EINVAL, r.flags = 1)
REJECT_FIELD(highest_flag, EINVAL, r.flags = 1U << 31)
REJECT_FIELD(reserved, EINVAL, r.reserved = 1)
REJECT_FIELD(no_ops, EINVAL, r.nr_ops = 0; r.weigh_at = 0)
REJECT_FIELD(no_ids, EINVAL, r.nr_ids = 0)
REJECT_FIELD(too_many_ids, EINVAL, r.nr_ids = GOSPAN_REPLAY_MAX_IDS + 1)
REJECT_FIELD(ids_largest, EINVAL, r.nr_ids = UINT32_MAX)
REJECT_FIELD(weighed_past_end, EINVAL, r.weigh_at = NR_OPS + 1)
REJECT_FIELD(ops_null, EFAULT, r.ops = 0)
REJECT_FIELD(ops_in_kernel, EFAULT, r.ops = 0xffff888000000000ULL)
REJECT_FIELD(ops_wrap, EFAULT, r.ops = UINT64_MAX - 3)

/* A test that spoils the step in the middle, of an object that was just allocated. */
#define BAD_STEP	(3 * NR_IDS + NR_IDS / 2)

#define REJECT_STEP(name, ...) \
	TEST_F(replay, step_##name) \
	{ \
		struct gospan_replay_op bad = { __VA_ARGS__ }; \
		self->ops[BAD_STEP] = bad; \
		for (__u32 who = 0; who < GOSPAN_NR_REPLAYERS; who++) { \
			struct gospan_replay r = make_replay(self->ops, who); \
			EXPECT_EQ(-EINVAL, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, &r)); \
			EXPECT_EQ(BAD_STEP, r.result.nr_done); \
			EXPECT_EQ(self->live, live_after_trim(self->fd)); \
		} \
	}

#define LIVE_ID	0
#define DEAD_ID	(NR_IDS - 1)

REJECT_STEP(alloc_of_live, .id = LIVE_ID, .size = 8, .kind = GOSPAN_OP_ALLOC)
REJECT_STEP(realloc_of_dead, .id = DEAD_ID, .size = 8, .kind = GOSPAN_OP_REALLOC)
REJECT_STEP(free_of_dead, .id = DEAD_ID, .kind = GOSPAN_OP_FREE)
REJECT_STEP(id_past_last, .id = NR_IDS, .size = 8, .kind = GOSPAN_OP_ALLOC)
REJECT_STEP(id_largest, .id = UINT32_MAX, .kind = GOSPAN_OP_FREE)
REJECT_STEP(size_beyond_largest, .id = DEAD_ID, .size = KMALLOC_MAX + 1,
	    .kind = GOSPAN_OP_ALLOC)
REJECT_STEP(size_largest_number, .id = DEAD_ID, .size = UINT32_MAX, .kind = GOSPAN_OP_ALLOC)
REJECT_STEP(size_of_realloc, .id = LIVE_ID, .size = KMALLOC_MAX + 1, .kind = GOSPAN_OP_REALLOC)
REJECT_STEP(size_of_free, .id = LIVE_ID, .size = 1, .kind = GOSPAN_OP_FREE)
REJECT_STEP(kind_past_last, .id = LIVE_ID, .kind = GOSPAN_NR_OPS)
REJECT_STEP(kind_largest, .id = LIVE_ID, .kind = UINT8_MAX)
REJECT_STEP(unknown_flag, .id = DEAD_ID, .kind = GOSPAN_OP_ALLOC, .flags = 1U << 2)
REJECT_STEP(highest_flag, .id = DEAD_ID, .kind = GOSPAN_OP_ALLOC, .flags = 1U << 7)
REJECT_STEP(flag_of_realloc, .id = LIVE_ID, .kind = GOSPAN_OP_REALLOC, .flags = GOSPAN_OP_ZERO)
REJECT_STEP(flag_of_free, .id = LIVE_ID, .kind = GOSPAN_OP_FREE, .flags = GOSPAN_OP_NOSCAN)

/* All of the stream but its last step can be read. */
TEST_F(replay, stream_ends_early)
{
	for (__u32 who = 0; who < GOSPAN_NR_REPLAYERS; who++) {
		struct gospan_replay r = make_replay(self->ops, who);

		r.nr_ops = NR_OPS + 1;
		EXPECT_EQ(-EFAULT, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, &r));
		EXPECT_GE(NR_OPS, r.result.nr_done);
		EXPECT_EQ(self->live, live_after_trim(self->fd));
	}
}

/* The most steps that can be told of: it ends where the memory does. */
TEST_F(replay, stream_of_largest_length)
{
	struct gospan_replay r = make_replay(self->ops, GOSPAN_REPLAY_GOSPAN);

	r.nr_ops = UINT64_MAX;
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, &r));
	EXPECT_GE(NR_OPS, r.result.nr_done);
}

/* All objects live, and of the largest size: refused before the machine is short. */
TEST_F(replay, more_than_the_machine_has)
{
	struct gospan_replay r = make_replay(self->ops, GOSPAN_REPLAY_EMPTY);

	for (__u32 i = 0; i < NR_OPS; i++)
		self->ops[i] = (struct gospan_replay_op){ .id = i, .size = KMALLOC_MAX };
	r.nr_ids = NR_OPS;
	EXPECT_EQ(-ENOMEM, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, &r));
	EXPECT_LT(0, r.result.nr_done);
	EXPECT_GT(NR_OPS, r.result.nr_done);
}

TEST_F(replay, answer_read_only)
{
	struct gospan_replay *r = (void *)self->map;
	struct gospan_replay_op *ops = calloc(1, sizeof(*ops));

	ASSERT_NE(NULL, ops);
	/* The first page of the map holds steps that this test does without. */
	*r = make_replay(ops, GOSPAN_REPLAY_GOSPAN);
	r->nr_ops = 1;
	r->weigh_at = 1;
	ASSERT_EQ(0, mprotect(self->map, GUARD_BYTES, PROT_READ));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, r));
	free(ops);
}

/*
 * A replay that goes on for minutes: one page of steps, mapped again and again,
 * that zero 1 MiB each.
 */
#define COPIES		190
#define STEPS_BYTES	(3 * 65536)	/* whole steps, and whole pages */
#define NR_STEPS	(STEPS_BYTES / sizeof(struct gospan_replay_op))

FIXTURE(endless) {
	int fd;
	__u64 live;
	char *map;
	struct gospan_replay r;
};

FIXTURE_VARIANT(endless) {
	__u32 allocator;
};

FIXTURE_VARIANT_ADD(endless, gospan) { .allocator = GOSPAN_REPLAY_GOSPAN };
FIXTURE_VARIANT_ADD(endless, noscan) { .allocator = GOSPAN_REPLAY_NOSCAN };
FIXTURE_VARIANT_ADD(endless, kmalloc) { .allocator = GOSPAN_REPLAY_KMALLOC };

static void fill_steps(struct gospan_replay_op *ops)
{
	for (size_t i = 0; i < NR_STEPS; i += 2) {
		ops[i] = (struct gospan_replay_op){
			.id = i, .size = 1 << 20, .kind = GOSPAN_OP_ALLOC, .flags = GOSPAN_OP_ZERO,
		};
		ops[i + 1] = (struct gospan_replay_op){ .id = i, .kind = GOSPAN_OP_FREE };
	}
}

FIXTURE_SETUP(endless)
{
	int memory = memfd_create("steps", 0);

	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, memory);
	ASSERT_EQ(0, ftruncate(memory, STEPS_BYTES));
	self->map = mmap(NULL, COPIES * STEPS_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	for (size_t i = 0; i < COPIES; i++) {
		ASSERT_NE(MAP_FAILED, mmap(self->map + i * STEPS_BYTES, STEPS_BYTES,
					   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory,
					   0));
	}
	close(memory);
	fill_steps((void *)self->map);
	self->r = (struct gospan_replay){
		.allocator = variant->allocator,
		.ops = (uintptr_t)self->map,
		.nr_ops = COPIES * NR_STEPS,
		.nr_ids = NR_STEPS,
	};
	self->live = live_after_trim(self->fd);
}

FIXTURE_TEARDOWN(endless)
{
	EXPECT_EQ(self->live, live_after_trim(self->fd));
	munmap(self->map, COPIES * STEPS_BYTES);
	close(self->fd);
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

TEST_F(endless, stops_at_a_signal)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { .tv_usec = 300000 } };
	double start = now(), took;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	EXPECT_EQ(-EINTR, do_ioctl(self->fd, GOSPAN_IOC_REPLAY, &self->r));
	took = now() - start - 0.3;
	EXPECT_GT(PROMPT_SECONDS, took) {
		TH_LOG("%.1f s after the signal", took);
	}
	EXPECT_LT(0, self->r.result.nr_done);
	EXPECT_EQ(self->live, live_after_trim(self->fd));
}

/* One step: 0, or -EBUSY while another replay runs. */
static int try_replay(int fd)
{
	struct gospan_replay_op op = { .size = 8, .kind = GOSPAN_OP_ALLOC };
	struct gospan_replay r = { .ops = (uintptr_t)&op, .nr_ops = 1, .nr_ids = 1 };

	return do_ioctl(fd, GOSPAN_IOC_REPLAY, &r);
}

static int wait_for_replay(int fd, int answer)
{
	double deadline = now() + PROMPT_SECONDS;
	int err = try_replay(fd);

	while (err != answer && now() < deadline) {
		usleep(5000);
		err = try_replay(fd);
	}
	return err;
}

static int try_bench(int fd)
{
	struct gospan_bench_cpu results[1];
	struct gospan_bench b = {
		.size = 64,
		.nr_objects = 1,
		.rounds = 1,
		.results = (uintptr_t)results,
		.nr_results = 1,
	};

	pick_cpus(b.cpus, 1);
	return do_ioctl(fd, GOSPAN_IOC_BENCH, &b);
}

/*
 * While it runs, another and benches are refused, and the rest of the device
 * answers; when it is killed, and its file closed in the middle, the device is
 * free again.
 */
TEST_F(endless, runs_alone_and_dies_when_killed)
{
	struct gospan_object o;
	pid_t child = fork();
	double start;
	int status;

	ASSERT_LE(0, child);
	if (!child) {
		int err, fd = device_open();

		close(self->fd);
		/* One of the parent's attempts may be in its way. */
		do {
			err = do_ioctl(fd, GOSPAN_IOC_REPLAY, &self->r);
		} while (err == -EBUSY);
		_exit(1);
	}
	EXPECT_EQ(-EBUSY, wait_for_replay(self->fd, -EBUSY));
	EXPECT_EQ(-EBUSY, try_bench(self->fd));
	EXPECT_EQ(0, object_alloc(self->fd, 64, 0, &o));
	EXPECT_EQ(0, object_free(self->fd, o.handle));
	start = now();
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_GT(PROMPT_SECONDS, now() - start);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(0, wait_for_replay(self->fd, 0));
	EXPECT_EQ(0, try_bench(self->fd));
}

GOSPAN_TEST_MAIN
