// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every input that /dev/gospan must refuse, one test each, with the errno that
 * the ABI promises.
 *
 * After each test the number of live objects must be what it was: a refused
 * call allocates nothing.
 */
#include "gospan_test.h"

#define OBJECT_BYTES	64
#define GUARD_BYTES	65536	/* whole kernel pages, whatever they are */

FIXTURE(reject) {
	int fd;
	int watch_fd;		/* a second file, to read statistics and to hold a foreign handle */
	__u64 live;
	struct gospan_object o;	/* lives in fd */
	char *guard;		/* GUARD_BYTES of memory, then as many that cannot be touched */
	char buf[OBJECT_BYTES];
	__u64 cpus[GOSPAN_BENCH_CPU_WORDS];	/* one CPU */
	struct gospan_bench_cpu results[2];
};

FIXTURE_SETUP(reject)
{
	memset(self, 0, sizeof(*self));
	self->fd = device_open();
	self->watch_fd = device_open();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->watch_fd);
	ASSERT_EQ(0, object_alloc(self->fd, OBJECT_BYTES, 0, &self->o));
	self->guard = mmap(NULL, 2 * GUARD_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->guard);
	ASSERT_EQ(0, mprotect(self->guard + GUARD_BYTES, GUARD_BYTES, PROT_NONE));
	ASSERT_EQ(1, pick_cpus(self->cpus, 1));
	self->live = live_objects(self->watch_fd);
}

FIXTURE_TEARDOWN(reject)
{
	EXPECT_EQ(self->live, live_objects(self->watch_fd));
	munmap(self->guard, 2 * GUARD_BYTES);
	close(self->fd);
	close(self->watch_fd);
}

/* A test that makes one call with one argument, and expects one error. */
#define REJECT(name, error, request, ...) \
	TEST_F(reject, name) \
	{ \
		__typeof__(*(ARG_##request *)0) arg = { __VA_ARGS__ }; \
		EXPECT_EQ(-(error), do_ioctl(self->fd, GOSPAN_IOC_##request, &arg)); \
	}

#define ARG_CLASS	struct gospan_class
#define ARG_CACHE	struct gospan_cachestats
#define ARG_ALLOC	struct gospan_object
#define ARG_REALLOC	struct gospan_object
#define ARG_FREE	struct gospan_handle
#define ARG_READ	struct gospan_io
#define ARG_WRITE	struct gospan_io

REJECT(class_0, EINVAL, CLASS, .sizeclass = 0)
REJECT(class_68, EINVAL, CLASS, .sizeclass = GOSPAN_NR_SIZECLASSES)
REJECT(class_largest_number, EINVAL, CLASS, .sizeclass = UINT32_MAX)

REJECT(cache_flags, EINVAL, CACHE, .flags = GOSPAN_CACHE_DESTROYED)
REJECT(cache_high_flag, EINVAL, CACHE, .flags = 1U << 31)
REJECT(cache_reserved, EINVAL, CACHE, .reserved = 1)
REJECT(cache_reserved_high, EINVAL, CACHE, .reserved = 1U << 31)
REJECT(cache_none_at_all, ENOENT, CACHE, .index = 0)
REJECT(cache_beyond_last, ENOENT, CACHE, .index = 118)
REJECT(cache_largest_number, ENOENT, CACHE, .index = UINT32_MAX)

REJECT(alloc_unknown_flag, EINVAL, ALLOC, .size = 8, .flags = 1U << 1)
REJECT(alloc_high_flag, EINVAL, ALLOC, .size = 8, .flags = 1U << 31)
REJECT(alloc_reserved, EINVAL, ALLOC, .size = 8, .reserved = 1)
REJECT(alloc_reserved_high, EINVAL, ALLOC, .size = 8, .reserved = 1ULL << 63)
REJECT(alloc_beyond_largest, ENOMEM, ALLOC, .size = KMALLOC_MAX + 1)

REJECT(realloc_unknown_flag, EINVAL, REALLOC, .size = 8, .flags = 1U << 1,
       .handle = self->o.handle)
REJECT(realloc_high_flag, EINVAL, REALLOC, .size = 8, .flags = 1U << 31,
       .handle = self->o.handle)
REJECT(realloc_reserved, EINVAL, REALLOC, .size = 8, .reserved = 1, .handle = self->o.handle)
REJECT(realloc_unused_handle, ENOENT, REALLOC, .size = 8, .handle = self->o.handle + 1)
REJECT(realloc_handle_limit, ENOENT, REALLOC, .size = 8, .handle = GOSPAN_MAX_HANDLES)
REJECT(realloc_largest_handle, ENOENT, REALLOC, .size = 8, .handle = UINT32_MAX)
REJECT(realloc_beyond_largest, ENOMEM, REALLOC, .size = KMALLOC_MAX + 1,
       .handle = self->o.handle)

REJECT(free_reserved, EINVAL, FREE, .handle = self->o.handle, .reserved = 1)
REJECT(free_unused_handle, ENOENT, FREE, .handle = self->o.handle + 1)
REJECT(free_handle_limit, ENOENT, FREE, .handle = GOSPAN_MAX_HANDLES)
REJECT(free_largest_handle, ENOENT, FREE, .handle = UINT32_MAX)

/* The same mistakes in a read and in a write. */
#define REJECT_IO(name, error, ...) \
	REJECT(read_##name, error, READ, __VA_ARGS__) \
	REJECT(write_##name, error, WRITE, __VA_ARGS__)

#define GOOD_BUF	.buf = (uintptr_t)self->buf

REJECT_IO(reserved, EINVAL, .handle = self->o.handle, .reserved = 1, .len = 1, GOOD_BUF)
REJECT_IO(unused_handle, ENOENT, .handle = self->o.handle + 1, .len = 1, GOOD_BUF)
REJECT_IO(handle_limit, ENOENT, .handle = GOSPAN_MAX_HANDLES, .len = 1, GOOD_BUF)
REJECT_IO(largest_handle, ENOENT, .handle = UINT32_MAX, .len = 1, GOOD_BUF)
REJECT_IO(one_byte_too_long, EINVAL, .handle = self->o.handle, .len = self->o.usable + 1,
	  GOOD_BUF)
REJECT_IO(offset_past_end, EINVAL, .handle = self->o.handle, .offset = self->o.usable, .len = 1,
	  GOOD_BUF)
REJECT_IO(offset_and_len, EINVAL, .handle = self->o.handle, .offset = 1,
	  .len = self->o.usable, GOOD_BUF)
REJECT_IO(sum_wraps, EINVAL, .handle = self->o.handle, .offset = UINT64_MAX, .len = 2, GOOD_BUF)
REJECT_IO(len_wraps, EINVAL, .handle = self->o.handle, .offset = 2, .len = UINT64_MAX, GOOD_BUF)
REJECT_IO(null_buf, EFAULT, .handle = self->o.handle, .len = 1)
REJECT_IO(kernel_buf, EFAULT, .handle = self->o.handle, .len = 1,
	  .buf = 0xffff888000000000ULL)
REJECT_IO(buf_wraps, EFAULT, .handle = self->o.handle, .len = 8, .buf = UINT64_MAX - 3)
REJECT_IO(buf_ends_early, EFAULT, .handle = self->o.handle, .len = 16,
	  .buf = (uintptr_t)self->guard + GUARD_BYTES - 8)

/* A handle is its file's own, whatever its number. */
TEST_F(reject, handle_of_another_file)
{
	struct gospan_object o = { .handle = self->o.handle };

	EXPECT_EQ(-ENOENT, object_read(self->watch_fd, o.handle, 0, self->buf, 1));
	EXPECT_EQ(-ENOENT, object_write(self->watch_fd, o.handle, 0, self->buf, 1));
	EXPECT_EQ(-ENOENT, object_realloc(self->watch_fd, 128, 0, &o));
	EXPECT_EQ(-ENOENT, object_free(self->watch_fd, self->o.handle));
	EXPECT_EQ(0, object_read(self->fd, self->o.handle, 0, self->buf, 1));
}

TEST_F(reject, free_twice)
{
	struct gospan_object o;
	struct gospan_memstats s;

	ASSERT_EQ(0, object_alloc(self->fd, 8, 0, &o));
	s = read_stats(self->fd);
	EXPECT_EQ(0, object_free(self->fd, o.handle));
	EXPECT_EQ(-ENOENT, object_free(self->fd, o.handle));
	EXPECT_EQ(-ENOENT, object_read(self->fd, o.handle, 0, self->buf, 1));
	EXPECT_EQ(-ENOENT, object_write(self->fd, o.handle, 0, self->buf, 1));
	EXPECT_EQ(-ENOENT, object_realloc(self->fd, 16, 0, &o));
	/* The driver knew it; the allocator never saw the second free. */
	EXPECT_EQ(s.misuses, read_stats(self->fd).misuses);
}

static const unsigned long all_requests[] = {
	GOSPAN_IOC_VERSION, GOSPAN_IOC_CLASS, GOSPAN_IOC_MEMSTATS, GOSPAN_IOC_ALLOC,
	GOSPAN_IOC_FREE, GOSPAN_IOC_REALLOC, GOSPAN_IOC_READ, GOSPAN_IOC_WRITE,
	GOSPAN_IOC_BENCH, GOSPAN_IOC_HEAPSTATS, GOSPAN_IOC_TRIM, GOSPAN_IOC_REPLAY,
	GOSPAN_IOC_REPLAY_CPUS,
	GOSPAN_IOC_CACHE,
};

TEST_F(reject, argument_null)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_requests); i++) {
		EXPECT_EQ(-EFAULT, do_ioctl(self->fd, all_requests[i], NULL)) {
			TH_LOG("request %zu", i);
		}
	}
}

TEST_F(reject, argument_in_kernel)
{
	void *kernel = (void *)0xffff888000000000UL;

	for (size_t i = 0; i < ARRAY_SIZE(all_requests); i++) {
		EXPECT_EQ(-EFAULT, do_ioctl(self->fd, all_requests[i], kernel)) {
			TH_LOG("request %zu", i);
		}
	}
}

/* All of the argument but its last four bytes can be touched. */
TEST_F(reject, argument_ends_early)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_requests); i++) {
		char *arg = self->guard + GUARD_BYTES - _IOC_SIZE(all_requests[i]) + 4;

		EXPECT_EQ(-EFAULT, do_ioctl(self->fd, all_requests[i], arg)) {
			TH_LOG("request %zu", i);
		}
	}
}

/* An answer that cannot be delivered: the object it names must not stay. */
TEST_F(reject, alloc_answer_read_only)
{
	struct gospan_object *o = (void *)self->guard;

	o->size = 64;
	ASSERT_EQ(0, mprotect(self->guard, GUARD_BYTES, PROT_READ));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, GOSPAN_IOC_ALLOC, o));
	EXPECT_EQ(self->live, live_objects(self->watch_fd));
}

TEST_F(reject, class_answer_read_only)
{
	struct gospan_class *class = (void *)self->guard;

	class->sizeclass = 1;
	ASSERT_EQ(0, mprotect(self->guard, GUARD_BYTES, PROT_READ));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, GOSPAN_IOC_CLASS, class));
}

TEST_F(reject, command_unknown_number)
{
	char arg[4096] = { 0 };

	EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, _IO(GOSPAN_IOC_MAGIC, 0x06), arg));
	EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, _IO(GOSPAN_IOC_MAGIC, 0x15), arg));
	EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, _IO(GOSPAN_IOC_MAGIC, 0x22), arg));
	EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, _IO(GOSPAN_IOC_MAGIC, 0xff), arg));
	EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, 0, arg));
	EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, 0xffffffffUL, arg));
}

TEST_F(reject, command_wrong_magic)
{
	char arg[4096] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(all_requests); i++) {
		unsigned long r = all_requests[i];

		EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, _IOC(_IOC_DIR(r), GOSPAN_IOC_MAGIC + 1,
							   _IOC_NR(r), _IOC_SIZE(r)), arg));
	}
}

TEST_F(reject, command_wrong_direction)
{
	char arg[4096] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(all_requests); i++) {
		unsigned long r = all_requests[i];

		for (unsigned int dir = 0; dir < 4; dir++) {
			if (dir == _IOC_DIR(r))
				continue;
			EXPECT_EQ(-ENOTTY, do_ioctl(self->fd,
						    _IOC(dir, GOSPAN_IOC_MAGIC, _IOC_NR(r),
							 _IOC_SIZE(r)), arg));
		}
	}
}

TEST_F(reject, command_wrong_size)
{
	char arg[8192] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(all_requests); i++) {
		unsigned long r = all_requests[i];
		unsigned int sizes[] = { 0, _IOC_SIZE(r) - 8, _IOC_SIZE(r) - 1, _IOC_SIZE(r) + 1,
					 _IOC_SIZE(r) + 8 };

		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
			/* Eight bytes less than a handle is the first of these again. */
			EXPECT_EQ(-ENOTTY, do_ioctl(self->fd,
						    _IOC(_IOC_DIR(r), GOSPAN_IOC_MAGIC,
							 _IOC_NR(r), sizes[j]), arg));
		}
	}
}

TEST_F(reject, file_operations_without_meaning)
{
	EXPECT_EQ(-1, read(self->fd, self->buf, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, self->buf, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

/* A bench that would run; each test below spoils one field of it. */
static struct gospan_bench good_bench(FIXTURE_DATA(reject) *self)
{
	struct gospan_bench b = {
		.workload = GOSPAN_WORKLOAD_PAIR,
		.allocator = GOSPAN_ALLOCATOR_GOSPAN,
		.size = 64,
		.nr_objects = 10,
		.rounds = 1,
		.results = (uintptr_t)self->results,
		.nr_results = ARRAY_SIZE(self->results),
	};

	memcpy(b.cpus, self->cpus, sizeof(b.cpus));
	return b;
}

TEST_F(reject, bench_good)
{
	struct gospan_bench b = good_bench(self);

	EXPECT_EQ(0, do_ioctl(self->fd, GOSPAN_IOC_BENCH, &b));
}

#define REJECT_BENCH(name, error, ...) \
	TEST_F(reject, bench_##name) \
	{ \
		struct gospan_bench b = good_bench(self); \
		__VA_ARGS__; \
		EXPECT_EQ(-(error), do_ioctl(self->fd, GOSPAN_IOC_BENCH, &b)); \
	}

REJECT_BENCH(workload_past_last, EINVAL, b.workload = GOSPAN_NR_WORKLOADS)
REJECT_BENCH(workload_largest, EINVAL, b.workload = UINT32_MAX)
REJECT_BENCH(allocator_past_last, EINVAL, b.allocator = GOSPAN_NR_ALLOCATORS)
REJECT_BENCH(allocator_largest, EINVAL, b.allocator = UINT32_MAX)
REJECT_BENCH(order_past_last, EINVAL, b.workload = GOSPAN_WORKLOAD_BATCH;
	     b.order = GOSPAN_NR_ORDERS)
REJECT_BENCH(order_largest, EINVAL, b.workload = GOSPAN_WORKLOAD_BATCH; b.order = UINT32_MAX)
REJECT_BENCH(order_for_pair, EINVAL, b.order = GOSPAN_ORDER_LIFO)
REJECT_BENCH(order_for_mix, EINVAL, b.workload = GOSPAN_WORKLOAD_MIX; b.size = 0;
	     b.order = GOSPAN_ORDER_LIFO)
REJECT_BENCH(unknown_flag, EINVAL, b.flags = 1U << 3)
REJECT_BENCH(latency_for_bulk, EINVAL, b.workload = GOSPAN_WORKLOAD_BULK;
	     b.flags = GOSPAN_BENCH_LATENCY)
REJECT_BENCH(latency_for_write, EINVAL, b.workload = GOSPAN_WORKLOAD_WRITE;
	     b.flags = GOSPAN_BENCH_LATENCY)
REJECT_BENCH(limit_for_bulk, EINVAL, b.workload = GOSPAN_WORKLOAD_BULK;
	     b.allocator = GOSPAN_ALLOCATOR_LIMIT)
REJECT_BENCH(limit_for_write, EINVAL, b.workload = GOSPAN_WORKLOAD_WRITE;
	     b.allocator = GOSPAN_ALLOCATOR_LIMIT)
REJECT_BENCH(high_flag, EINVAL, b.flags = 1U << 31)
REJECT_BENCH(size_0, EINVAL, b.size = 0)
REJECT_BENCH(size_beyond_largest, EINVAL, b.size = KMALLOC_MAX + 1)
REJECT_BENCH(size_largest_number, EINVAL, b.size = UINT64_MAX)
REJECT_BENCH(size_for_mix, EINVAL, b.workload = GOSPAN_WORKLOAD_MIX)
REJECT_BENCH(kmem_cache_for_mix, EINVAL, b.workload = GOSPAN_WORKLOAD_MIX; b.size = 0;
	     b.allocator = GOSPAN_ALLOCATOR_KMEM_CACHE)
REJECT_BENCH(span_for_mix, EINVAL, b.workload = GOSPAN_WORKLOAD_MIX; b.size = 0;
	     b.allocator = GOSPAN_ALLOCATOR_SPAN)
REJECT_BENCH(kmalloc_for_bulk, EINVAL, b.workload = GOSPAN_WORKLOAD_BULK;
	     b.allocator = GOSPAN_ALLOCATOR_KMALLOC)
REJECT_BENCH(pages_for_bulk, EINVAL, b.workload = GOSPAN_WORKLOAD_BULK;
	     b.allocator = GOSPAN_ALLOCATOR_PAGES)
REJECT_BENCH(span_for_bulk, EINVAL, b.workload = GOSPAN_WORKLOAD_BULK;
	     b.allocator = GOSPAN_ALLOCATOR_SPAN)
REJECT_BENCH(noscan_for_bulk, EINVAL, b.workload = GOSPAN_WORKLOAD_BULK;
	     b.allocator = GOSPAN_ALLOCATOR_NOSCAN)
REJECT_BENCH(order_for_bulk, EINVAL, b.workload = GOSPAN_WORKLOAD_BULK;
	     b.order = GOSPAN_ORDER_LIFO)
REJECT_BENCH(pages_for_write, EINVAL, b.workload = GOSPAN_WORKLOAD_WRITE;
	     b.allocator = GOSPAN_ALLOCATOR_PAGES)
REJECT_BENCH(span_for_write, EINVAL, b.workload = GOSPAN_WORKLOAD_WRITE;
	     b.allocator = GOSPAN_ALLOCATOR_SPAN)
REJECT_BENCH(order_for_write, EINVAL, b.workload = GOSPAN_WORKLOAD_WRITE;
	     b.order = GOSPAN_ORDER_SHUFFLED)
REJECT_BENCH(size_0_for_write, EINVAL, b.workload = GOSPAN_WORKLOAD_WRITE; b.size = 0)
REJECT_BENCH(held_for_bulk, EINVAL, b.workload = GOSPAN_WORKLOAD_BULK; b.held_pages = 1)
REJECT_BENCH(size_for_rptest, EINVAL, b.workload = GOSPAN_WORKLOAD_RPTEST)
REJECT_BENCH(kmem_cache_for_rptest, EINVAL, b.workload = GOSPAN_WORKLOAD_RPTEST; b.size = 0;
	     b.allocator = GOSPAN_ALLOCATOR_KMEM_CACHE)
REJECT_BENCH(size_for_mstress, EINVAL, b.workload = GOSPAN_WORKLOAD_MSTRESS)
REJECT_BENCH(order_for_mstress, EINVAL, b.workload = GOSPAN_WORKLOAD_MSTRESS; b.size = 0;
	     b.order = GOSPAN_ORDER_LIFO)
REJECT_BENCH(pages_for_mstress, EINVAL, b.workload = GOSPAN_WORKLOAD_MSTRESS; b.size = 0;
	     b.allocator = GOSPAN_ALLOCATOR_PAGES)
REJECT_BENCH(size_without_room_for_rcu, EINVAL, b.workload = GOSPAN_WORKLOAD_RCU_FLOOD; b.size = 15)
REJECT_BENCH(size_without_room_to_double, EINVAL, b.workload = GOSPAN_WORKLOAD_FRAGMENT;
	     b.size = KMALLOC_MAX / 2 + 1)
REJECT_BENCH(latency_for_rcu_flood, EINVAL, b.workload = GOSPAN_WORKLOAD_RCU_FLOOD;
	     b.flags = GOSPAN_BENCH_LATENCY)
REJECT_BENCH(kmem_cache_for_rcu_flood, EINVAL, b.workload = GOSPAN_WORKLOAD_RCU_FLOOD;
	     b.allocator = GOSPAN_ALLOCATOR_KMEM_CACHE)
REJECT_BENCH(limit_for_rcu_flood, EINVAL, b.workload = GOSPAN_WORKLOAD_RCU_FLOOD;
	     b.allocator = GOSPAN_ALLOCATOR_LIMIT)
REJECT_BENCH(size_0_for_hardirq, EINVAL, b.workload = GOSPAN_WORKLOAD_HARDIRQ; b.size = 0)
REJECT_BENCH(span_for_hardirq, EINVAL, b.workload = GOSPAN_WORKLOAD_HARDIRQ;
	     b.allocator = GOSPAN_ALLOCATOR_SPAN)
REJECT_BENCH(limit_for_hardirq, EINVAL, b.workload = GOSPAN_WORKLOAD_HARDIRQ;
	     b.allocator = GOSPAN_ALLOCATOR_LIMIT)
REJECT_BENCH(held_for_hardirq, EINVAL, b.workload = GOSPAN_WORKLOAD_HARDIRQ; b.held_pages = 1)
REJECT_BENCH(span_beyond_largest, EINVAL, b.allocator = GOSPAN_ALLOCATOR_SPAN;
	     b.size = KMALLOC_MAX + 1)
REJECT_BENCH(no_objects, EINVAL, b.nr_objects = 0)
REJECT_BENCH(too_many_objects, EINVAL, b.size = 1; b.nr_objects = GOSPAN_BENCH_MAX_OBJECTS + 1)
REJECT_BENCH(objects_largest, EINVAL, b.size = 1; b.nr_objects = UINT32_MAX)
REJECT_BENCH(too_many_bytes, EINVAL, b.workload = GOSPAN_WORKLOAD_BATCH; b.size = 1025;
	     b.nr_objects = GOSPAN_BENCH_MAX_OBJECTS)
REJECT_BENCH(no_rounds, EINVAL, b.rounds = 0)
REJECT_BENCH(too_many_rounds, EINVAL, b.rounds = GOSPAN_BENCH_MAX_ROUNDS + 1)
REJECT_BENCH(rounds_largest, EINVAL, b.rounds = UINT32_MAX)
REJECT_BENCH(no_cpus, EINVAL, memset(b.cpus, 0, sizeof(b.cpus)))
REJECT_BENCH(odd_cpus_for_remote, EINVAL, b.workload = GOSPAN_WORKLOAD_REMOTE)
REJECT_BENCH(results_null, EFAULT, b.results = 0)
REJECT_BENCH(results_in_kernel, EFAULT, b.results = 0xffff888000000000ULL)
REJECT_BENCH(results_end_early, EFAULT, b.results = (uintptr_t)self->guard + GUARD_BYTES - 8)
REJECT_BENCH(results_read_only, EFAULT,
	     b.results = (uintptr_t)self->guard; mprotect(self->guard, GUARD_BYTES, PROT_READ))
REJECT_BENCH(no_results, EINVAL, b.nr_results = 0)
REJECT_BENCH(held_for_empty, EINVAL, b.allocator = GOSPAN_ALLOCATOR_EMPTY; b.held_pages = 1)
REJECT_BENCH(held_for_gospan, EINVAL, b.held_pages = 1)
REJECT_BENCH(held_for_kmalloc, EINVAL, b.allocator = GOSPAN_ALLOCATOR_KMALLOC; b.held_pages = 1)
REJECT_BENCH(held_for_kmem_cache, EINVAL, b.allocator = GOSPAN_ALLOCATOR_KMEM_CACHE;
	     b.held_pages = 1)
REJECT_BENCH(cache_for_mix, EINVAL, b.workload = GOSPAN_WORKLOAD_MIX; b.size = 0;
	     b.allocator = GOSPAN_ALLOCATOR_CACHE)
REJECT_BENCH(held_for_cache, EINVAL, b.allocator = GOSPAN_ALLOCATOR_CACHE; b.held_pages = 1)
REJECT_BENCH(held_for_mix, EINVAL, b.workload = GOSPAN_WORKLOAD_MIX; b.size = 0;
	     b.allocator = GOSPAN_ALLOCATOR_PAGES; b.held_pages = 1)
REJECT_BENCH(held_too_many_spans, EINVAL, b.allocator = GOSPAN_ALLOCATOR_SPAN;
	     b.held_pages = GOSPAN_BENCH_MAX_HELD_PAGES + 1)
REJECT_BENCH(held_too_many_pages, EINVAL, b.allocator = GOSPAN_ALLOCATOR_PAGES;
	     b.held_pages = GOSPAN_BENCH_MAX_HELD_PAGES + 1)
REJECT_BENCH(held_largest_number, EINVAL, b.allocator = GOSPAN_ALLOCATOR_SPAN;
	     b.held_pages = UINT32_MAX)

TEST_F(reject, bench_cpu_not_online)
{
	for (unsigned int cpu = 0; cpu < GOSPAN_BENCH_CPU_WORDS * 64; cpu++) {
		struct gospan_bench b = good_bench(self);

		if (cpu_is_online(cpu))
			continue;
		b.cpus[cpu / 64] |= 1ULL << (cpu % 64);
		ASSERT_EQ(-ENODEV, do_ioctl(self->fd, GOSPAN_IOC_BENCH, &b)) {
			TH_LOG("CPU %u", cpu);
		}
	}
}

TEST_F(reject, bench_fewer_results_than_cpus)
{
	struct gospan_bench b = good_bench(self);

	if (pick_cpus(b.cpus, 2) < 2)
		SKIP(return, "one CPU only");
	b.nr_results = 1;
	EXPECT_EQ(-EINVAL, do_ioctl(self->fd, GOSPAN_IOC_BENCH, &b));
}

GOSPAN_TEST_MAIN
