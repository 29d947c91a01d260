// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page heap: its statistics add up, by node and in all; what is free goes
 * back to the kernel by a trim, in the background and under memory_limit; what
 * is in use stays as it is.
 */
#include "gospan_test.h"

#include <limits.h>
#include <time.h>

#define MEMORY_LIMIT	"/sys/module/gospan/parameters/memory_limit"
#define NOLOCK_DEPTH	"/sys/module/gospan/parameters/nolock_depth"
#define RESERVE_BYTES	4080	/* of a CPU, for each of nolock_depth */
#define BULK_BYTES	(48ULL << 20)	/* less than a file may hold */
#define MAX_NODES	1024
#define TIMEOUT_SECONDS	120	/* for what goes on in the background of an overloaded emulator */

FIXTURE(heap) {
	int fd;		/* holds objects */
	int watch_fd;	/* holds nothing; to read statistics */
};

/* -errno or 0. */
static int limit_write(const char *text)
{
	int fd = open(MEMORY_LIMIT, O_WRONLY), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static __u64 limit_read(void)
{
	FILE *in = fopen(MEMORY_LIMIT, "r");
	unsigned long long bytes;

	if (!in || fscanf(in, "%llu", &bytes) != 1)
		abort();
	fclose(in);
	return bytes;
}

FIXTURE_SETUP(heap)
{
	self->fd = device_open();
	self->watch_fd = device_open();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->watch_fd);
}

FIXTURE_TEARDOWN(heap)
{
	EXPECT_EQ(0, limit_write("0"));
	close(self->fd);
	close(self->watch_fd);
}

static int heap_read(int fd, int node, struct gospan_heapstats *h)
{
	memset(h, 0xff, sizeof(*h));
	h->node = node;
	h->reserved = 0;
	return do_ioctl(fd, GOSPAN_IOC_HEAPSTATS, h);
}

static struct gospan_heapstats heap_all(int fd)
{
	struct gospan_heapstats h;

	if (heap_read(fd, GOSPAN_ALL_NODES, &h))
		abort();
	return h;
}

static __u64 held_bytes(int fd)
{
	struct gospan_heapstats h = heap_all(fd);

	return h.obtained_bytes - h.released_bytes;
}

/* What the CPUs keep for gospan_alloc_nolock(), which a trim leaves to them. */
static __u64 reserve_bytes(void)
{
	FILE *in = fopen(NOLOCK_DEPTH, "r");
	unsigned int depth;

	if (!in || fscanf(in, "%u", &depth) != 1)
		abort();
	fclose(in);
	return (__u64)sysconf(_SC_NPROCESSORS_ONLN) * depth * RESERVE_BYTES;
}

/* -errno or 0. */
static int trim(int fd, __u64 *released_bytes)
{
	struct gospan_trim t = { .released_bytes = UINT64_MAX };
	int err = do_ioctl(fd, GOSPAN_IOC_TRIM, &t);

	*released_bytes = t.released_bytes;
	return err;
}

/* What was obtained is given back, in spans, free, or cached. */
static bool adds_up(int fd)
{
	struct gospan_memstats s = read_stats(fd);
	struct gospan_heapstats h = heap_all(fd);

	return h.obtained_bytes - h.released_bytes ==
	       s.heap_inuse + h.free_bytes + h.cached_bytes &&
	       s.heap_sys == s.heap_inuse + s.heap_idle;
}

/* The same; the scavenger may be between taking pages and giving them back. */
static bool adds_up_soon(int fd)
{
	for (int i = 0; i < 100; i++) {
		if (adds_up(fd))
			return true;
		usleep(10000);
	}
	return false;
}

static const __u64 sizes[] = { 64, 200, 1024, 5000, 8192, 30000, 40000, 100000, 1000000 };

/* Objects of all sizes, @bytes in all. The first handles of a file are 0, 1, ... */
static int bulk_alloc(int fd, __u64 bytes, __u32 *nr)
{
	for (*nr = 0; bytes; ++*nr) {
		__u64 size = sizes[*nr % ARRAY_SIZE(sizes)];
		struct gospan_object o;
		int err;

		if (size > bytes)
			return 0;
		err = object_alloc(fd, size, 0, &o);
		if (err)
			return err;
		bytes -= size;
	}
	return 0;
}

static int bulk_free(int fd, __u32 nr)
{
	for (__u32 i = 0; i < nr; i++) {
		int err = object_free(fd, i);

		if (err)
			return err;
	}
	return 0;
}

/* Seconds until no more than @bytes are held; INT_MAX when it takes more than @limit. */
static int wait_for_held(int fd, __u64 bytes, int limit)
{
	time_t begin = time(NULL);

	while (held_bytes(fd) > bytes) {
		if (time(NULL) - begin > limit)
			return INT_MAX;
		usleep(100000);
	}
	return time(NULL) - begin;
}

TEST_F(heap, stats_of_all_nodes)
{
	struct gospan_heapstats h = heap_all(self->fd);

	EXPECT_EQ(GOSPAN_ALL_NODES, h.node);
	EXPECT_EQ(0, h.reserved);
	EXPECT_LE(h.released_bytes, h.obtained_bytes);
	EXPECT_LE(h.scavenged_bytes + h.shrunk_bytes + h.trimmed_bytes, h.released_bytes);
	EXPECT_LT(0, h.map_bytes);
}

TEST_F(heap, stats_bad_node)
{
	static const int nodes[] = { -2, INT_MIN, INT_MAX, 1 << 20, MAX_NODES };
	struct gospan_heapstats h;

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		EXPECT_EQ(-ENXIO, heap_read(self->fd, nodes[i], &h)) {
			TH_LOG("node %d", nodes[i]);
		}
	}
}

TEST_F(heap, stats_reserved)
{
	struct gospan_heapstats h = { .node = GOSPAN_ALL_NODES, .reserved = 1 };

	EXPECT_EQ(-EINVAL, do_ioctl(self->fd, GOSPAN_IOC_HEAPSTATS, &h));
	h = (struct gospan_heapstats){ .reserved = 1U << 31 };
	EXPECT_EQ(-EINVAL, do_ioctl(self->fd, GOSPAN_IOC_HEAPSTATS, &h));
}

/* What is only told on the way out is not looked at on the way in. */
TEST_F(heap, stats_ignore_what_was_there)
{
	struct gospan_heapstats h;

	memset(&h, 0xff, sizeof(h));
	h.node = 0;
	h.reserved = 0;
	EXPECT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_HEAPSTATS, &h));
	EXPECT_EQ(0, h.node);
	EXPECT_NE(UINT64_MAX, h.obtained_bytes);
	EXPECT_NE(UINT64_MAX, h.trimmed_bytes);
}

TEST_F(heap, stats_of_nodes_add_up)
{
	struct gospan_heapstats all, one, sum;
	__u32 nr;

	ASSERT_EQ(0, bulk_alloc(self->fd, BULK_BYTES, &nr));
	/* Nothing is free enough for the scavenger to come between. */
	all = heap_all(self->watch_fd);
	memset(&sum, 0, sizeof(sum));
	for (int node = 0; heap_read(self->watch_fd, node, &one) != -ENXIO; node++) {
		ASSERT_GT(MAX_NODES, node);
		EXPECT_EQ(node, one.node);
		sum.obtained_bytes += one.obtained_bytes;
		sum.released_bytes += one.released_bytes;
		sum.free_bytes += one.free_bytes;
		sum.cached_bytes += one.cached_bytes;
		sum.chunks += one.chunks;
		sum.grows += one.grows;
		sum.refused += one.refused;
		sum.held += one.held;
	}
	EXPECT_EQ(all.obtained_bytes, sum.obtained_bytes);
	EXPECT_EQ(all.released_bytes, sum.released_bytes);
	EXPECT_EQ(all.free_bytes, sum.free_bytes);
	EXPECT_EQ(all.cached_bytes, sum.cached_bytes);
	EXPECT_EQ(all.chunks, sum.chunks);
	EXPECT_EQ(all.grows, sum.grows);
	EXPECT_EQ(all.refused, sum.refused);
	EXPECT_EQ(all.held, sum.held);
}

TEST_F(heap, stats_add_up)
{
	__u64 released_bytes;
	__u32 nr;

	EXPECT_TRUE(adds_up_soon(self->watch_fd));
	ASSERT_EQ(0, bulk_alloc(self->fd, BULK_BYTES, &nr));
	EXPECT_TRUE(adds_up_soon(self->watch_fd));
	ASSERT_EQ(0, bulk_free(self->fd, nr / 2));
	EXPECT_TRUE(adds_up_soon(self->watch_fd));
	EXPECT_EQ(0, trim(self->fd, &released_bytes));
	EXPECT_TRUE(adds_up_soon(self->watch_fd));
}

TEST_F(heap, trim_gives_all_back)
{
	struct gospan_heapstats before, after;
	struct gospan_memstats s;
	__u64 released_bytes;
	__u32 nr;

	ASSERT_EQ(0, live_objects(self->watch_fd));
	ASSERT_EQ(0, bulk_alloc(self->fd, BULK_BYTES, &nr));
	ASSERT_EQ(0, bulk_free(self->fd, nr));
	before = heap_all(self->watch_fd);
	EXPECT_LT(BULK_BYTES / 2, held_bytes(self->watch_fd));
	ASSERT_EQ(0, trim(self->fd, &released_bytes));
	EXPECT_LT(BULK_BYTES / 2, released_bytes);
	after = heap_all(self->watch_fd);
	EXPECT_EQ(before.trimmed_bytes + released_bytes, after.trimmed_bytes);
	s = read_stats(self->watch_fd);
	EXPECT_EQ(s.heap_inuse, s.heap_sys);
	EXPECT_EQ(s.heap_sys, after.obtained_bytes - after.released_bytes);
	EXPECT_EQ(reserve_bytes(), s.cached_bytes);
	if (!reserve_bytes()) {
		EXPECT_EQ(0, s.heap_sys);
		EXPECT_EQ(0, after.chunks);
		EXPECT_EQ(0, s.mspan_sys);
	}
	/* There is nothing left, then. */
	ASSERT_EQ(0, trim(self->fd, &released_bytes));
	EXPECT_EQ(0, released_bytes);
}

TEST_F(heap, trim_keeps_what_is_in_use)
{
	unsigned char *want = malloc(1000000), *buf = malloc(1000000);
	__u64 released_bytes;
	__u32 nr;

	ASSERT_NE(NULL, want);
	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, bulk_alloc(self->fd, BULK_BYTES, &nr));
	for (__u32 i = 0; i < nr; i++) {
		__u64 size = sizes[i % ARRAY_SIZE(sizes)];

		fill_pattern(want, i, size);
		ASSERT_EQ(0, object_write(self->fd, i, 0, want, size));
	}
	/* Seven in eight go, so that there are holes of all kinds. */
	for (__u32 i = 0; i < nr; i++) {
		if (i % 8)
			ASSERT_EQ(0, object_free(self->fd, i));
	}
	ASSERT_EQ(0, trim(self->fd, &released_bytes));
	EXPECT_LT(BULK_BYTES / 2, released_bytes);
	EXPECT_EQ(read_stats(self->watch_fd).heap_inuse, held_bytes(self->watch_fd));
	/* Somebody else may have the pages now. */
	ASSERT_NE(MAP_FAILED, mmap(NULL, BULK_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
	for (__u32 i = 0; i < nr; i += 8) {
		__u64 size = sizes[i % ARRAY_SIZE(sizes)];

		fill_pattern(want, i, size);
		ASSERT_EQ(0, object_read(self->fd, i, 0, buf, size));
		EXPECT_EQ(0, memcmp(want, buf, size));
		ASSERT_EQ(0, object_free(self->fd, i));
	}
	free(want);
	free(buf);
}

/* A page that came back to the heap from the kernel is as good as any. */
TEST_F(heap, trim_and_use_again)
{
	__u64 released_bytes;
	__u32 nr;

	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, bulk_alloc(self->fd, BULK_BYTES / 4, &nr));
		ASSERT_EQ(0, bulk_free(self->fd, nr));
		ASSERT_EQ(0, trim(self->fd, &released_bytes));
		EXPECT_LT(BULK_BYTES / 8, released_bytes);
		EXPECT_EQ(read_stats(self->watch_fd).heap_inuse, held_bytes(self->watch_fd));
		if (!reserve_bytes()) {
			EXPECT_EQ(0, held_bytes(self->watch_fd));
		}
	}
}

TEST_F(heap, limit_takes_sizes)
{
	static const struct {
		const char *text;
		__u64 bytes;
	} good[] = {
		{ "1G", 1ULL << 30 }, { "64M\n", 64ULL << 20 }, { "512K", 512ULL << 10 },
		{ "3m", 3ULL << 20 }, { "1048576", 1ULL << 20 }, { "0x100000", 1ULL << 20 },
		{ "0", 0 }, { "16384\n", 16384 }, { "0M", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, limit_write(good[i].text));
		EXPECT_EQ(good[i].bytes, limit_read());
		EXPECT_EQ(good[i].bytes, heap_all(self->fd).limit_bytes);
	}
}

/* Less than a page is not the same as none. */
TEST_F(heap, limit_is_in_whole_pages)
{
	struct gospan_version v;
	char text[20];

	ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_VERSION, &v));
	EXPECT_EQ(0, limit_write("1"));
	EXPECT_EQ(1, limit_read());
	EXPECT_EQ(v.page_bytes, heap_all(self->fd).limit_bytes);
	snprintf(text, sizeof(text), "%u", v.page_bytes + 1);
	EXPECT_EQ(0, limit_write(text));
	EXPECT_EQ(2 * v.page_bytes, heap_all(self->fd).limit_bytes);
}

TEST_F(heap, limit_refuses_garbage)
{
	static const char *const bad[] = {
		"\n", "M", "lots", "-1", "+1", " 1", "1 M", "1MM", "1Q", "1M2", "1.5G", "0x",
	};

	ASSERT_EQ(0, limit_write("32M"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, limit_write(bad[i])) {
			TH_LOG("'%s'", bad[i]);
		}
		EXPECT_EQ(32ULL << 20, limit_read());
	}
}

/* It is soft: more is to be had, it only goes back sooner. */
TEST_F(heap, limit_fails_nobody)
{
	__u32 nr;

	ASSERT_EQ(0, limit_write("4M"));
	EXPECT_EQ(0, bulk_alloc(self->fd, BULK_BYTES, &nr));
	EXPECT_LT(4ULL << 20, held_bytes(self->watch_fd));
	EXPECT_EQ(0, bulk_free(self->fd, nr));
	EXPECT_TRUE(adds_up_soon(self->watch_fd));
}

TEST_F_TIMEOUT(heap, limit_is_kept_in_the_background, TIMEOUT_SECONDS)
{
	struct gospan_heapstats before, after;
	__u64 limit, released_bytes;
	int fd = device_open();
	char text[24];
	__u32 nr;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bulk_alloc(self->fd, BULK_BYTES / 2, &nr));
	ASSERT_EQ(0, trim(self->fd, &released_bytes));
	/* Without a limit a tenth of what is in use is kept beside it, however long one waits. */
	limit = held_bytes(self->watch_fd);
	limit += limit / 20;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)limit);
	ASSERT_EQ(0, bulk_alloc(fd, BULK_BYTES / 2, &nr));
	ASSERT_EQ(0, limit_write(text));
	before = heap_all(self->watch_fd);
	EXPECT_LT(limit, before.obtained_bytes - before.released_bytes);
	ASSERT_EQ(0, bulk_free(fd, nr));
	EXPECT_GE(60, wait_for_held(self->watch_fd, limit, 60));
	close(fd);
	after = heap_all(self->watch_fd);
	EXPECT_LT(before.scavenged_bytes, after.scavenged_bytes);
	EXPECT_EQ(before.trimmed_bytes, after.trimmed_bytes);
}

TEST_F_TIMEOUT(heap, scavenger_gives_back_what_is_not_used, TIMEOUT_SECONDS)
{
	struct gospan_heapstats before, after;
	__u64 released_bytes;
	__u32 nr;

	ASSERT_EQ(0, trim(self->fd, &released_bytes));
	ASSERT_EQ(0, bulk_alloc(self->fd, BULK_BYTES, &nr));
	before = heap_all(self->watch_fd);
	ASSERT_EQ(0, bulk_free(self->fd, nr));
	/* Not at once: it may be used again soon. */
	EXPECT_LT(BULK_BYTES / 2, held_bytes(self->watch_fd));
	EXPECT_GE(60, wait_for_held(self->watch_fd, BULK_BYTES / 2, 60));
	after = heap_all(self->watch_fd);
	EXPECT_LE(before.scavenged_bytes + BULK_BYTES / 3, after.scavenged_bytes);
	EXPECT_EQ(before.trimmed_bytes, after.trimmed_bytes);
	EXPECT_GT(before.goal_bytes, after.goal_bytes);
}

/* What is in use stays, however long it takes. */
TEST_F_TIMEOUT(heap, scavenger_leaves_what_is_used, TIMEOUT_SECONDS)
{
	__u64 scavenged, released_bytes;
	__u32 nr;

	ASSERT_EQ(0, trim(self->fd, &released_bytes));
	ASSERT_EQ(0, bulk_alloc(self->fd, BULK_BYTES, &nr));
	scavenged = heap_all(self->watch_fd).scavenged_bytes;
	sleep(3);
	EXPECT_LE(heap_all(self->watch_fd).scavenged_bytes, scavenged + BULK_BYTES / 10);
	EXPECT_LE(read_stats(self->watch_fd).heap_inuse, held_bytes(self->watch_fd));
}

GOSPAN_TEST_MAIN
