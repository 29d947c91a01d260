/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/gospan for the programs here: ioctls that return -errno, objects, statistics.
 */
#ifndef GOSPAN_DEVICE_H
#define GOSPAN_DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/gospan.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE		"/dev/gospan"
#define KMALLOC_MAX	kmalloc_max()

/* KMALLOC_MAX_SIZE; with larger kernel pages than 4 KiB, arm64's: what an entry of theirs maps. */
static inline __u64 kmalloc_max(void)
{
	__u64 page = sysconf(_SC_PAGESIZE);

	return page > 4096 ? page / 8 * page : 4ULL << 20;
}

static inline int do_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static inline int device_open(void)
{
	return open(DEVICE, O_RDWR | O_CLOEXEC);
}

static inline int object_alloc(int fd, __u64 size, __u32 flags, struct gospan_object *o)
{
	*o = (struct gospan_object){ .size = size, .flags = flags };
	return do_ioctl(fd, GOSPAN_IOC_ALLOC, o);
}

static inline int object_realloc(int fd, __u64 size, __u32 flags, struct gospan_object *o)
{
	__u32 handle = o->handle;

	*o = (struct gospan_object){ .size = size, .flags = flags, .handle = handle };
	return do_ioctl(fd, GOSPAN_IOC_REALLOC, o);
}

static inline int object_free(int fd, __u32 handle)
{
	struct gospan_handle arg = { .handle = handle };

	return do_ioctl(fd, GOSPAN_IOC_FREE, &arg);
}

static inline int object_io(int fd, unsigned long request, __u32 handle, __u64 offset,
			    void *buf, __u64 len)
{
	struct gospan_io arg = {
		.handle = handle,
		.offset = offset,
		.len = len,
		.buf = (uintptr_t)buf,
	};

	return do_ioctl(fd, request, &arg);
}

static inline int object_read(int fd, __u32 handle, __u64 offset, void *buf, __u64 len)
{
	return object_io(fd, GOSPAN_IOC_READ, handle, offset, buf, len);
}

static inline int object_write(int fd, __u32 handle, __u64 offset, void *buf, __u64 len)
{
	return object_io(fd, GOSPAN_IOC_WRITE, handle, offset, buf, len);
}

/* A byte pattern that differs between keys and between offsets. */
static inline void fill_pattern(unsigned char *buf, __u64 key, size_t bytes)
{
	__u64 x = key * 0x9e3779b97f4a7c15ULL + 1;

	for (size_t i = 0; i < bytes; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		buf[i] = x >> 56;
	}
}

static inline bool all_zero(const unsigned char *buf, size_t bytes)
{
	return !bytes || (!buf[0] && !memcmp(buf, buf + 1, bytes - 1));
}

static inline struct gospan_memstats read_stats(int fd)
{
	struct gospan_memstats stats;

	memset(&stats, 0xff, sizeof(stats));
	if (do_ioctl(fd, GOSPAN_IOC_MEMSTATS, &stats))
		abort();
	return stats;
}

/* Live objects, of all files. Nothing else may use the module during a test. */
static inline __u64 live_objects(int fd)
{
	return read_stats(fd).heap_objects;
}

/* Without what CPUs cache: a block that tiny objects share counts while a CPU cuts from it. */
static inline __u64 live_after_trim(int fd)
{
	struct gospan_trim trim;

	if (do_ioctl(fd, GOSPAN_IOC_TRIM, &trim))
		abort();
	return live_objects(fd);
}

/*
 * Wait for the live objects to fall to @level: the last close of a file that a
 * killed process held happens a little after its parent has been told.
 */
static inline __u64 settle_objects(int fd, __u64 level)
{
	for (int i = 0; i < 200 && live_objects(fd) != level; i++)
		usleep(10000);
	return live_objects(fd);
}

static inline bool cpu_is_online(unsigned int cpu)
{
	char path[64];
	int online = 1;
	FILE *in;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);
	if (access(path, F_OK))
		return false;
	strcat(path, "/online");
	in = fopen(path, "r");	/* a CPU that cannot go offline has no such file */
	if (in) {
		if (fscanf(in, "%d", &online) != 1)
			online = 0;
		fclose(in);
	}
	return online;
}

/* The bit map of the first @count online CPUs; returns how many there were. */
static inline unsigned int pick_cpus(__u64 cpus[GOSPAN_BENCH_CPU_WORDS], unsigned int count)
{
	unsigned int found = 0;

	memset(cpus, 0, GOSPAN_BENCH_CPU_WORDS * sizeof(__u64));
	for (unsigned int cpu = 0; cpu < GOSPAN_BENCH_CPU_WORDS * 64 && found < count; cpu++) {
		if (!cpu_is_online(cpu))
			continue;
		cpus[cpu / 64] |= 1ULL << (cpu % 64);
		found++;
	}
	return found;
}

#endif /* GOSPAN_DEVICE_H */
