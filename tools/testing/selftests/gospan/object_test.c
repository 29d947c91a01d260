// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects held by handle: their sizes, their contents, and the limits of how
 * many one file may hold.
 */
#include "gospan_test.h"

FIXTURE(object) {
	int fd;
	unsigned char *buf, *want;	/* KMALLOC_MAX bytes each */
};

FIXTURE_SETUP(object)
{
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	self->buf = malloc(KMALLOC_MAX);
	self->want = malloc(KMALLOC_MAX);
	ASSERT_NE(NULL, self->buf);
	ASSERT_NE(NULL, self->want);
}

FIXTURE_TEARDOWN(object)
{
	free(self->buf);
	free(self->want);
	close(self->fd);
}

static const __u64 some_sizes[] = {
	1, 7, 8, 9, 15, 16, 17, 24, 31, 48, 64, 100, 128, 255, 256, 257, 512, 1000, 1024, 1025,
	2048, 3000, 4095, 4096, 4097, 8191, 8192, 8193, 9000, 16384, 20000, 32767, 32768,
	32769, 40000, 65536, 100000, 131072, 262144, 1048576, 2097152, 4194303, 4194304,
};

TEST_F(object, alloc_sizes)
{
	for (size_t i = 0; i < ARRAY_SIZE(some_sizes); i++) {
		struct gospan_object o;

		ASSERT_EQ(0, object_alloc(self->fd, some_sizes[i], 0, &o)) {
			TH_LOG("size %llu", some_sizes[i]);
		}
		EXPECT_LE(some_sizes[i], o.usable);
		EXPECT_GT(GOSPAN_MAX_HANDLES, o.handle);
		fill_pattern(self->want, i, o.usable < KMALLOC_MAX ? o.usable : KMALLOC_MAX);
		ASSERT_EQ(0, object_write(self->fd, o.handle, 0, self->want, some_sizes[i]));
		ASSERT_EQ(0, object_read(self->fd, o.handle, 0, self->buf, some_sizes[i]));
		EXPECT_EQ(0, memcmp(self->want, self->buf, some_sizes[i]));
		ASSERT_EQ(0, object_free(self->fd, o.handle));
	}
}

TEST_F(object, alloc_zero_bytes)
{
	struct gospan_object o;
	unsigned char byte = 0;

	ASSERT_EQ(0, object_alloc(self->fd, 0, 0, &o));
	EXPECT_EQ(0, o.usable);
	EXPECT_EQ(0, object_read(self->fd, o.handle, 0, &byte, 0));
	EXPECT_EQ(0, object_write(self->fd, o.handle, 0, &byte, 0));
	EXPECT_EQ(-EINVAL, object_read(self->fd, o.handle, 0, &byte, 1));
	EXPECT_EQ(-EINVAL, object_write(self->fd, o.handle, 0, &byte, 1));
	EXPECT_EQ(0, object_free(self->fd, o.handle));
	EXPECT_EQ(-ENOENT, object_free(self->fd, o.handle));
}

TEST_F(object, alloc_beyond_largest)
{
	struct gospan_object o;
	int err;

	EXPECT_EQ(-ENOMEM, object_alloc(self->fd, KMALLOC_MAX + 1, 0, &o));
	EXPECT_EQ(-ENOMEM, object_alloc(self->fd, 2 * KMALLOC_MAX, 0, &o));
	/* These are beyond what a file may hold, too. */
	err = object_alloc(self->fd, 1ULL << 32, 0, &o);
	EXPECT_TRUE(err == -ENOMEM || err == -ENOSPC);
	err = object_alloc(self->fd, UINT64_MAX, 0, &o);
	EXPECT_TRUE(err == -ENOMEM || err == -ENOSPC);
}

/* Memory that held something else before comes back zeroed when asked for. */
TEST_F(object, alloc_zeroed)
{
	static const __u64 sizes[] = { 1, 8, 64, 100, 1024, 4096, 9000, 32768, 40000, 1000000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct gospan_object o[16];

		for (int j = 0; j < 16; j++) {
			ASSERT_EQ(0, object_alloc(self->fd, sizes[i], 0, &o[j]));
			memset(self->buf, 0xff, o[j].usable);
			ASSERT_EQ(0, object_write(self->fd, o[j].handle, 0, self->buf,
						  o[j].usable));
		}
		for (int j = 0; j < 16; j++) {
			ASSERT_EQ(0, object_free(self->fd, o[j].handle));
		}
		for (int j = 0; j < 16; j++) {
			ASSERT_EQ(0, object_alloc(self->fd, sizes[i], GOSPAN_OBJECT_ZERO, &o[j]));
			ASSERT_EQ(0, object_read(self->fd, o[j].handle, 0, self->buf, sizes[i]));
			EXPECT_TRUE(all_zero(self->buf, sizes[i])) {
				TH_LOG("size %llu, object %d", sizes[i], j);
			}
		}
		for (int j = 0; j < 16; j++) {
			ASSERT_EQ(0, object_free(self->fd, o[j].handle));
		}
	}
}

TEST_F(object, realloc_keeps_content)
{
	static const __u64 sizes[] = {
		8, 16, 12, 100, 1000, 999, 5000, 100, 40000, 33000, 32768, 500000, 30000, 1, 2,
		4194304, 64,
	};
	__u64 prev = 1;
	struct gospan_object o;
	__u32 handle;

	ASSERT_EQ(0, object_alloc(self->fd, 1, 0, &o));
	handle = o.handle;
	fill_pattern(self->want, 0, 1);
	ASSERT_EQ(0, object_write(self->fd, handle, 0, self->want, 1));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		__u64 kept = sizes[i] < prev ? sizes[i] : prev;

		ASSERT_EQ(0, object_realloc(self->fd, sizes[i], 0, &o));
		EXPECT_EQ(handle, o.handle);
		EXPECT_LE(sizes[i], o.usable);
		ASSERT_EQ(0, object_read(self->fd, handle, 0, self->buf, kept));
		EXPECT_EQ(0, memcmp(self->want, self->buf, kept)) {
			TH_LOG("from %llu to %llu bytes", prev, sizes[i]);
		}
		fill_pattern(self->want, i + 1, sizes[i]);
		ASSERT_EQ(0, object_write(self->fd, handle, 0, self->want, sizes[i]));
		prev = sizes[i];
	}
}

TEST_F(object, realloc_zeroes_what_is_new)
{
	struct gospan_object o;
	__u64 old_usable;

	/* Leave memory behind that is not zero. */
	memset(self->buf, 0xff, 1000000);
	ASSERT_EQ(0, object_alloc(self->fd, 1000000, 0, &o));
	ASSERT_EQ(0, object_write(self->fd, o.handle, 0, self->buf, 1000000));
	ASSERT_EQ(0, object_free(self->fd, o.handle));

	ASSERT_EQ(0, object_alloc(self->fd, 64, GOSPAN_OBJECT_ZERO, &o));
	for (__u64 size = 128; size <= 1000000; size *= 5) {
		old_usable = o.usable;
		fill_pattern(self->want, size, old_usable);
		ASSERT_EQ(0, object_write(self->fd, o.handle, 0, self->want, old_usable));
		ASSERT_EQ(0, object_realloc(self->fd, size, GOSPAN_OBJECT_ZERO, &o));
		ASSERT_EQ(0, object_read(self->fd, o.handle, 0, self->buf, size));
		EXPECT_EQ(0, memcmp(self->want, self->buf, old_usable));
		EXPECT_TRUE(all_zero(self->buf + old_usable, size - old_usable));
	}
}

/* An object that grows, where it is or elsewhere, never shows what others wrote. */
TEST_F(object, realloc_shows_nothing_old)
{
	enum { MOST = 4 << 20, NR = GOSPAN_MAX_HANDLE_BYTES / MOST, STEP = 20000 };
	struct gospan_object o[NR];
	__u64 old_usable;

	memset(self->buf, 0xff, MOST);
	for (int i = 0; i < NR; i++) {
		ASSERT_EQ(0, object_alloc(self->fd, MOST, 0, &o[i]));
		ASSERT_EQ(0, object_write(self->fd, o[i].handle, 0, self->buf, MOST));
	}
	for (int i = 0; i < NR; i++) {
		ASSERT_EQ(0, object_free(self->fd, o[i].handle));
	}
	ASSERT_EQ(0, object_alloc(self->fd, 1, 0, &o[0]));
	for (__u64 size = STEP; size < MOST; size += STEP) {
		old_usable = o[0].usable;
		ASSERT_EQ(0, object_realloc(self->fd, size, 0, &o[0]));
		ASSERT_EQ(0, object_read(self->fd, o[0].handle, 0, self->buf, o[0].usable));
		EXPECT_TRUE(all_zero(self->buf + old_usable, o[0].usable - old_usable)) {
			TH_LOG("from %llu to %llu bytes", old_usable, o[0].usable);
		}
	}
}

/* Under debug, what it does not ask for any more is at once not its own. */
TEST_F(object, realloc_to_less)
{
	static const __u64 flags[] = { 0, GOSPAN_OBJECT_ZERO };
	unsigned char byte = 0xa5, read;
	struct gospan_object o;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		ASSERT_EQ(0, object_alloc(self->fd, 60, flags[i], &o));
		ASSERT_EQ(0, object_write(self->fd, o.handle, 0, &byte, 1));
		ASSERT_EQ(0, object_realloc(self->fd, 1, flags[i], &o));
		ASSERT_LE(1, o.usable);
		ASSERT_EQ(0, object_read(self->fd, o.handle, 0, &read, 1));
		EXPECT_EQ(byte, read);
		EXPECT_EQ(0, object_free(self->fd, o.handle));
	}
}

TEST_F(object, realloc_from_and_to_nothing)
{
	struct gospan_object o;
	unsigned char byte;

	ASSERT_EQ(0, object_alloc(self->fd, 64, 0, &o));
	ASSERT_EQ(0, object_realloc(self->fd, 0, 0, &o));
	EXPECT_EQ(0, o.usable);
	EXPECT_EQ(-EINVAL, object_read(self->fd, o.handle, 0, &byte, 1));
	ASSERT_EQ(0, object_realloc(self->fd, 100, GOSPAN_OBJECT_ZERO, &o));
	EXPECT_LE(100, o.usable);
	ASSERT_EQ(0, object_read(self->fd, o.handle, 0, self->buf, 100));
	EXPECT_TRUE(all_zero(self->buf, 100));
	EXPECT_EQ(0, object_free(self->fd, o.handle));
}

TEST_F(object, realloc_failed_leaves_object)
{
	struct gospan_object o;
	__u64 usable;

	ASSERT_EQ(0, object_alloc(self->fd, 100, 0, &o));
	usable = o.usable;
	fill_pattern(self->want, 1, usable);
	ASSERT_EQ(0, object_write(self->fd, o.handle, 0, self->want, usable));
	EXPECT_EQ(-ENOMEM, object_realloc(self->fd, KMALLOC_MAX + 1, 0, &o));
	ASSERT_EQ(0, object_read(self->fd, o.handle, 0, self->buf, usable));
	EXPECT_EQ(0, memcmp(self->want, self->buf, usable));
	EXPECT_EQ(-EINVAL, object_read(self->fd, o.handle, usable, self->buf, 1));
	EXPECT_EQ(0, object_free(self->fd, o.handle));
}

TEST_F(object, io_edges)
{
	for (size_t i = 0; i < ARRAY_SIZE(some_sizes); i++) {
		struct gospan_object o;
		unsigned char first = 0xa5, last = 0x5a, byte;

		ASSERT_EQ(0, object_alloc(self->fd, some_sizes[i], GOSPAN_OBJECT_ZERO, &o));
		EXPECT_EQ(0, object_write(self->fd, o.handle, 0, &first, 1));
		EXPECT_EQ(0, object_write(self->fd, o.handle, o.usable - 1, &last, 1));
		EXPECT_EQ(0, object_read(self->fd, o.handle, 0, &byte, 1));
		EXPECT_EQ(first, byte);
		EXPECT_EQ(0, object_read(self->fd, o.handle, o.usable - 1, &byte, 1));
		EXPECT_EQ(last, byte);
		EXPECT_EQ(0, object_read(self->fd, o.handle, o.usable, &byte, 0));
		EXPECT_EQ(0, object_write(self->fd, o.handle, o.usable, &byte, 0));
		EXPECT_EQ(-EINVAL, object_read(self->fd, o.handle, o.usable, &byte, 1));
		EXPECT_EQ(-EINVAL, object_write(self->fd, o.handle, o.usable, &byte, 1));
		EXPECT_EQ(-EINVAL, object_read(self->fd, o.handle, o.usable + 1, &byte, 0));
		EXPECT_EQ(0, object_free(self->fd, o.handle));
	}
}

/* Neighbours of many sizes, all alive at once, keep their own bytes. */
TEST_F(object, contents_do_not_overlap)
{
	enum { NR = 4000 };
	struct gospan_object *o = calloc(NR, sizeof(*o));

	ASSERT_NE(NULL, o);
	for (int i = 0; i < NR; i++) {
		__u64 size = some_sizes[i % (ARRAY_SIZE(some_sizes) - 8)];

		ASSERT_EQ(0, object_alloc(self->fd, size, 0, &o[i]));
		fill_pattern(self->want, i, o[i].usable);
		ASSERT_EQ(0, object_write(self->fd, o[i].handle, 0, self->want, o[i].usable));
	}
	for (int i = 0; i < NR; i++) {
		fill_pattern(self->want, i, o[i].usable);
		ASSERT_EQ(0, object_read(self->fd, o[i].handle, 0, self->buf, o[i].usable));
		ASSERT_EQ(0, memcmp(self->want, self->buf, o[i].usable)) {
			TH_LOG("object %d of %llu bytes", i, o[i].size);
		}
	}
	free(o);
}

TEST_F(object, limit_of_handles)
{
	unsigned char *seen = calloc(1, GOSPAN_MAX_HANDLES);
	struct gospan_object o;
	__u32 victim = 0;

	ASSERT_NE(NULL, seen);
	for (unsigned int i = 0; i < GOSPAN_MAX_HANDLES; i++) {
		ASSERT_EQ(0, object_alloc(self->fd, 8, 0, &o));
		ASSERT_GT(GOSPAN_MAX_HANDLES, o.handle);
		ASSERT_EQ(0, seen[o.handle]);
		seen[o.handle] = 1;
		if (i == GOSPAN_MAX_HANDLES / 2)
			victim = o.handle;
	}
	EXPECT_EQ(-ENOSPC, object_alloc(self->fd, 8, 0, &o));
	EXPECT_EQ(-ENOSPC, object_alloc(self->fd, 0, 0, &o));
	ASSERT_EQ(0, object_free(self->fd, victim));
	ASSERT_EQ(0, object_alloc(self->fd, 8, 0, &o));
	EXPECT_EQ(victim, o.handle);
	EXPECT_EQ(-ENOSPC, object_alloc(self->fd, 8, 0, &o));
	free(seen);
}

TEST_F(object, limit_of_bytes)
{
	unsigned int nr = GOSPAN_MAX_HANDLE_BYTES / 32768;
	struct gospan_object o, other;
	int other_fd;

	for (unsigned int i = 0; i < nr; i++) {
		ASSERT_EQ(0, object_alloc(self->fd, 32768, 0, &o));
	}
	EXPECT_EQ(-ENOSPC, object_alloc(self->fd, 8, 0, &other));
	EXPECT_EQ(-ENOSPC, object_realloc(self->fd, 40960, 0, &o));
	/* Another file has its own limit. */
	other_fd = device_open();
	ASSERT_LE(0, other_fd);
	EXPECT_EQ(0, object_alloc(other_fd, 8, 0, &other));
	close(other_fd);
	/* What is given back can be had again, and no more. */
	ASSERT_EQ(0, object_free(self->fd, o.handle));
	EXPECT_EQ(0, object_alloc(self->fd, 8192, 0, &o));
	EXPECT_EQ(-ENOSPC, object_alloc(self->fd, 32768, 0, &other));
	EXPECT_EQ(0, object_realloc(self->fd, 16384, 0, &o));
	EXPECT_EQ(0, object_realloc(self->fd, 32768, 0, &o));
	EXPECT_EQ(-ENOSPC, object_alloc(self->fd, 8, 0, &other));
}

GOSPAN_TEST_MAIN
