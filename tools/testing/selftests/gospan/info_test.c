// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /dev/gospan says about the allocator: version, size classes, and
 * statistics that add up and follow what is allocated.
 */
#include "gospan_test.h"

FIXTURE(info) {
	int fd;
};

FIXTURE_SETUP(info)
{
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(info)
{
	close(self->fd);
}

TEST_F(info, version)
{
	struct gospan_version v;
	__u32 known = GOSPAN_VERSION_DEBUG_KERNEL | GOSPAN_VERSION_INIT_ON_ALLOC |
		      GOSPAN_VERSION_INIT_ON_FREE;

	memset(&v, 0xff, sizeof(v));
	ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_VERSION, &v));
	EXPECT_EQ(GOSPAN_ABI_VERSION, v.abi);
	EXPECT_EQ(0, v.flags & ~known);
	EXPECT_EQ(0, v.page_bytes & (v.page_bytes - 1));
	EXPECT_LE(8192, v.page_bytes);
	EXPECT_EQ(0, v.page_bytes % sysconf(_SC_PAGESIZE));
	EXPECT_EQ(GOSPAN_NR_SIZECLASSES, v.nr_sizeclasses);
	EXPECT_EQ(!!(v.flags & GOSPAN_VERSION_DEBUG_KERNEL), v.debug_options != 0);
	EXPECT_EQ(0, v.debug_options >> GOSPAN_NR_DEBUG_OPTIONS);
	EXPECT_NE('\0', v.release[0]);
	EXPECT_NE(NULL, memchr(v.release, '\0', sizeof(v.release)));
}

static struct gospan_class read_class(int fd, __u32 sizeclass)
{
	struct gospan_class class;

	memset(&class, 0xff, sizeof(class));
	class.sizeclass = sizeclass;
	if (do_ioctl(fd, GOSPAN_IOC_CLASS, &class))
		abort();
	return class;
}

TEST_F(info, class_rows)
{
	struct gospan_version v;
	__u32 prev_bytes = 0;

	ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_VERSION, &v));
	for (__u32 i = 1; i < GOSPAN_NR_SIZECLASSES; i++) {
		struct gospan_class class = read_class(self->fd, i);
		__u64 span_bytes = (__u64)class.npages * v.page_bytes;

		EXPECT_EQ(i, class.sizeclass);
		EXPECT_LT(prev_bytes, class.elem_bytes);
		EXPECT_EQ(0, class.elem_bytes % 8);
		ASSERT_LT(0, class.npages);
		EXPECT_EQ(span_bytes / class.elem_bytes, class.nelems);
		/* The rule by which the classes are made. */
		EXPECT_LE(span_bytes % class.elem_bytes, span_bytes / 8);
		EXPECT_EQ((0xffffffffU / class.elem_bytes) + 1, class.divmagic);
		EXPECT_LT(0, class.batch);
		EXPECT_LE(class.batch, class.magazine);
		prev_bytes = class.elem_bytes;
	}
	EXPECT_EQ(8, read_class(self->fd, 1).elem_bytes);
	EXPECT_EQ(32768, prev_bytes);
}

/* The multiplication must divide every offset of a span exactly. */
TEST_F(info, class_divmagic_divides)
{
	struct gospan_version v;

	ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_VERSION, &v));
	for (__u32 i = 1; i < GOSPAN_NR_SIZECLASSES; i++) {
		struct gospan_class class = read_class(self->fd, i);
		__u64 wrong = 0;

		for (__u64 offset = 0; offset < (__u64)class.npages * v.page_bytes; offset++)
			wrong += (offset * class.divmagic >> 32) != offset / class.elem_bytes;
		EXPECT_EQ(0, wrong);
	}
}

/* An object of each class's size, and of one byte more than the class below. */
TEST_F(info, class_is_what_an_object_gets)
{
	__u32 prev_bytes = 0;

	for (__u32 i = 1; i < GOSPAN_NR_SIZECLASSES; i++) {
		struct gospan_class class = read_class(self->fd, i);
		struct gospan_object o;

		ASSERT_EQ(0, object_alloc(self->fd, class.elem_bytes, 0, &o));
		EXPECT_EQ(class.elem_bytes, o.usable);
		ASSERT_EQ(0, object_free(self->fd, o.handle));
		ASSERT_EQ(0, object_alloc(self->fd, prev_bytes + 1, 0, &o));
		EXPECT_LE(prev_bytes + 1, o.usable);
		ASSERT_EQ(0, object_free(self->fd, o.handle));
		prev_bytes = class.elem_bytes;
	}
}

TEST_F(info, memstats_add_up)
{
	struct gospan_object o[3];
	struct gospan_memstats s;

	ASSERT_EQ(0, object_alloc(self->fd, 24, 0, &o[0]));
	ASSERT_EQ(0, object_alloc(self->fd, 5000, 0, &o[1]));
	ASSERT_EQ(0, object_alloc(self->fd, 100000, 0, &o[2]));
	s = read_stats(self->fd);
	EXPECT_EQ(s.sys, s.heap_sys + s.mspan_sys + s.mcache_sys + s.other_sys);
	EXPECT_EQ(s.heap_sys, s.heap_inuse + s.heap_idle);
	EXPECT_EQ(s.heap_objects, s.mallocs - s.frees);
	EXPECT_EQ(s.heap_alloc, s.alloc);
	EXPECT_GE(s.mspan_sys, s.mspan_inuse);
	EXPECT_LE(s.mcache_inuse, s.mcache_sys);
	EXPECT_LE(s.alloc, s.total_alloc);
	EXPECT_LE(s.alloc + s.cached_bytes, s.heap_inuse);
	EXPECT_LT(0, s.grows);
	EXPECT_LT(0, s.mspan_inuse);
	EXPECT_LT(0, s.mcache_sys);
}

TEST_F(info, memstats_rows_add_up)
{
	__u64 mallocs = 0, frees = 0, live_bytes = 0, cached_bytes = 0, span_bytes = 0;
	struct gospan_memstats s;
	struct gospan_version v;
	struct gospan_object o;

	ASSERT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_VERSION, &v));
	ASSERT_EQ(0, object_alloc(self->fd, 24, 0, &o));
	s = read_stats(self->fd);
	EXPECT_EQ(0, s.by_size[0].size);
	for (__u32 i = 0; i < GOSPAN_NR_SIZECLASSES; i++) {
		const struct gospan_memstats_class *row = &s.by_size[i];

		EXPECT_LE(row->frees, row->mallocs);
		EXPECT_LE(row->met, row->returned);
		mallocs += row->mallocs;
		frees += row->frees;
		if (!i)
			continue;
		EXPECT_EQ(read_class(self->fd, i).elem_bytes, row->size);
		live_bytes += (row->mallocs - row->frees) * row->size;
		cached_bytes += (row->cached + row->transit) * row->size;
		span_bytes += row->spans * read_class(self->fd, i).npages * v.page_bytes;
	}
	/* The difference: tiny objects that shared a block. */
	EXPECT_LE(mallocs, s.mallocs);
	EXPECT_EQ(s.mallocs - mallocs, s.frees - frees);
	EXPECT_EQ(s.cached_bytes, cached_bytes);
	/* No large object lives, so the rows are all there is. */
	EXPECT_EQ(s.by_size[0].mallocs, s.by_size[0].frees);
	EXPECT_EQ(s.alloc, live_bytes);
	EXPECT_EQ(s.heap_inuse, span_bytes);
}

static __u32 class_of(int fd, __u32 bytes)
{
	__u32 i = 1;

	while (read_class(fd, i).elem_bytes < bytes)
		i++;
	return i;
}

TEST_F(info, memstats_follow_small_objects)
{
	__u32 class = class_of(self->fd, 64);
	struct gospan_memstats before = read_stats(self->fd), after;
	struct gospan_object o[100];

	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, object_alloc(self->fd, 60, 0, &o[i]));
	}
	after = read_stats(self->fd);
	EXPECT_EQ(before.mallocs + 100, after.mallocs);
	EXPECT_EQ(before.heap_objects + 100, after.heap_objects);
	EXPECT_EQ(before.alloc + 6400, after.alloc);
	EXPECT_EQ(before.total_alloc + 6400, after.total_alloc);
	EXPECT_EQ(before.by_size[class].mallocs + 100, after.by_size[class].mallocs);
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, object_free(self->fd, o[i].handle));
	}
	after = read_stats(self->fd);
	EXPECT_EQ(before.frees + 100, after.frees);
	EXPECT_EQ(before.heap_objects, after.heap_objects);
	EXPECT_EQ(before.alloc, after.alloc);
	EXPECT_EQ(before.by_size[class].frees + 100, after.by_size[class].frees);
}

TEST_F(info, memstats_follow_large_objects)
{
	struct gospan_memstats before, after;
	struct gospan_object o;

	/* Else spans that nobody uses may go back meanwhile. */
	live_after_trim(self->fd);
	before = read_stats(self->fd);
	ASSERT_EQ(0, object_alloc(self->fd, 1000000, 0, &o));
	after = read_stats(self->fd);
	EXPECT_EQ(before.by_size[0].mallocs + 1, after.by_size[0].mallocs);
	EXPECT_EQ(before.by_size[0].spans + 1, after.by_size[0].spans);
	EXPECT_EQ(before.alloc + o.usable, after.alloc);
	EXPECT_EQ(before.heap_inuse + o.usable, after.heap_inuse);
	ASSERT_EQ(0, object_free(self->fd, o.handle));
	after = read_stats(self->fd);
	EXPECT_EQ(before.by_size[0].frees + 1, after.by_size[0].frees);
	EXPECT_EQ(before.by_size[0].spans, after.by_size[0].spans);
	EXPECT_EQ(before.alloc, after.alloc);
	EXPECT_EQ(before.heap_inuse, after.heap_inuse);
}

GOSPAN_TEST_MAIN
