// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance of ftrace of our own.
 *
 * It goes by a fixed name: a recording that was killed leaves it behind, still
 * at work, and the next one says so.
 */
#include "tracefs.h"

#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

/* The latter two of 6.1 and before. */
static const struct event {
	const char *name;
	int optional;
} events[] = {
	{ "kmalloc", 0 },
	{ "kfree", 0 },
	{ "kmem_cache_alloc", 0 },
	{ "kmem_cache_free", 0 },
	{ "kmalloc_node", 1 },
	{ "kmem_cache_alloc_node", 1 },
};

static void join(char *path, size_t bytes, const struct tracefs *t, const char *name)
{
	snprintf(path, bytes, "%s/%s", t->path, name);
}

/* Returns 0 or an errno. */
static int try_set(const struct tracefs *t, const char *name, const char *value)
{
	size_t bytes = strlen(value);
	char path[256];
	int fd, error = 0;

	join(path, sizeof(path), t, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, value, bytes) != (ssize_t)bytes)
		error = errno;
	close(fd);
	return error;
}

/* Fails, and leaves no instance behind. */
static void set(const struct tracefs *t, const char *name, const char *value)
{
	int error = try_set(t, name, value);

	if (!error)
		return;
	tracefs_destroy(t);
	fail("%s/%s: %s", t->path, name, strerror(error));
}

static void enable_events(const struct tracefs *t)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "events/kmem/%s/enable", events[i].name);
		if (events[i].optional && try_set(t, name, "1") == ENOENT)
			continue;
		set(t, name, "1");
	}
}

static void make_folder(struct tracefs *t)
{
	int error = ENOENT;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && error == ENOENT; i++) {
		snprintf(t->path, sizeof(t->path), "%s/instances/gospan", roots[i]);
		error = mkdir(t->path, 0700) ? errno : 0;
	}
	switch (error) {
	case 0:
		return;
	case ENOENT:
		fail("no tracefs: mount -t tracefs nodev %s", roots[0]);
	case EEXIST:
		fail("%s is there already: another recording runs, or was killed; then remove it "
		     "(rmdir)", t->path);
	default:
		fail("%s: %s%s", t->path, strerror(error),
		     error == EACCES || error == EPERM ? ": be root" : "");
	}
}

void tracefs_create(struct tracefs *t, __u64 buffer_kib)
{
	char kib[24];

	snprintf(kib, sizeof(kib), "%llu", buffer_kib);
	make_folder(t);
	set(t, "tracing_on", "0");
	set(t, "buffer_size_kb", kib);
	/* Addresses as they are: hashed ones may be the same, or not be known yet. */
	set(t, "options/hash-ptr", "0");
	enable_events(t);
}

void tracefs_switch(const struct tracefs *t, int on)
{
	set(t, "tracing_on", on ? "1" : "0");
}

int tracefs_open_pipe(const struct tracefs *t)
{
	char path[256];
	int fd, error;

	join(path, sizeof(path), t, "trace_pipe");
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	error = errno;
	tracefs_destroy(t);
	fail("%s: %s", path, strerror(error));
}

/* One CPU's. */
static void add_stats(const char *path, struct tracefs_stats *stats)
{
	FILE *in = fopen(path, "re");
	char line[128];
	__u64 value;

	if (!in)
		return;
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "read events: %llu", &value) == 1)
			stats->read += value;
		else if (sscanf(line, "overrun: %llu", &value) == 1 ||
			 sscanf(line, "dropped events: %llu", &value) == 1)
			stats->lost += value;
	}
	fclose(in);
}

struct tracefs_stats tracefs_read_stats(const struct tracefs *t)
{
	struct tracefs_stats stats = { 0 };
	char pattern[256];
	glob_t found;

	join(pattern, sizeof(pattern), t, "per_cpu/cpu*/stats");
	if (glob(pattern, 0, NULL, &found))
		return stats;
	for (size_t i = 0; i < found.gl_pathc; i++)
		add_stats(found.gl_pathv[i], &stats);
	globfree(&found);
	return stats;
}

void tracefs_destroy(const struct tracefs *t)
{
	if (rmdir(t->path))
		fprintf(stderr, "gospan: %s stays: %s\n", t->path, strerror(errno));
}
