// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records what a program allocates: preloaded, it stands in front of malloc,
 * calloc, realloc, free and their kin, and writes each call to a file.
 *
 *   MALLOCTRACE=FILE LD_PRELOAD=.../malloctrace.so PROGRAM [ARG]...
 *
 * tools/gospan/trace.h describes the file. It is mapped, far beyond its end;
 * the end moves ahead of what is written, and is cut back at exit. A table by
 * address says which object is live under which identifier, and where its
 * first step stands in the file: whether the object is noscan is written there
 * when it is freed, or at exit.
 *
 * C does not say what holds pointers. An object counts as noscan when none of
 * its aligned words, at its end, is the address of a live object or lies in the
 * heap that brk() makes. So that what was there before does not show, every
 * object is cleared when it is allocated.
 *
 * Alignments are not recorded. One process is, threads and all, without what it
 * forks or executes. For glibc, whose allocator goes by __libc_ names, too.
 */
#include "../gospan/trace.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gospan.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_OPS		(1UL << 30)	/* 12 GiB of them */
#define TABLE_BITS	22
#define TABLE_SIZE	(1UL << TABLE_BITS)
#define MAX_LIVE	(TABLE_SIZE / 2)	/* probes stay short */
#define STEP_BYTES	(64UL << 20)	/* by which the file grows */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

struct object {
	void *p;	/* NULL: a free entry */
	size_t size;
	uint32_t id;
	uint32_t op;	/* its ALLOC step */
};

/* All under @lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;			/* the file; -1: nothing is recorded */
static struct trace_header *header;	/* it, mapped */
static struct gospan_replay_op *ops;	/* in it, behind the header */
static size_t file_bytes;		/* its length, so far */
static uint64_t nr_ops;
static uint32_t nr_ids;
static struct object *table;		/* open addressing, TABLE_SIZE entries */
static uint32_t *free_ids;		/* a stack */
static uint32_t nr_free_ids;
static uintptr_t brk_base;

static void give_up(const char *why)
{
	static const char name[] = "malloctrace: ";

	/* No stdio: it allocates. */
	if (write(2, name, sizeof(name) - 1) < 0 || write(2, why, strlen(why)) < 0 ||
	    write(2, "\n", 1) < 0)
		_exit(1);
	_exit(1);
}

static size_t table_slot(const void *p)
{
	return ((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15ULL >> (64 - TABLE_BITS);
}

static size_t next_slot(size_t i)
{
	return (i + 1) % TABLE_SIZE;
}

/* The entry of @p, or the free one where it would be. */
static struct object *table_find(const void *p)
{
	size_t i = table_slot(p);

	while (table[i].p && table[i].p != p)
		i = next_slot(i);
	return &table[i];
}

/* Entries behind a hole move up, unless they would then come before their place. */
static void table_remove(struct object *object)
{
	size_t hole = object - table, i = hole;

	for (;;) {
		i = next_slot(i);
		if (!table[i].p)
			break;
		if ((i - table_slot(table[i].p)) % TABLE_SIZE < (i - hole) % TABLE_SIZE)
			continue;
		table[hole] = table[i];
		hole = i;
	}
	table[hole].p = NULL;
}

static bool looks_like_pointer(uintptr_t word)
{
	return (word >= brk_base && word < (uintptr_t)sbrk(0)) || table_find((void *)word)->p;
}

static void judge_noscan(const struct object *object)
{
	const uintptr_t *words = object->p;

	for (size_t i = 0; i < object->size / sizeof(*words); i++) {
		if (words[i] && looks_like_pointer(words[i]))
			return;
	}
	ops[object->op].flags |= GOSPAN_OP_NOSCAN;
}

static void write_op(uint8_t kind, uint8_t flags, uint32_t id, size_t size)
{
	size_t bytes = sizeof(*header) + (nr_ops + 1) * sizeof(*ops);

	if (nr_ops == MAX_OPS || size > UINT32_MAX)
		give_up("more or larger objects than the file can tell of");
	if (bytes > file_bytes) {
		file_bytes += STEP_BYTES;
		if (ftruncate(out, file_bytes))
			give_up("cannot make the file longer");
	}
	ops[nr_ops++] = (struct gospan_replay_op){
		.id = htole32(id),
		.size = htole32(size),
		.cpu = htole16(sched_getcpu()),
		.kind = kind,
		.flags = flags,
	};
}

static void record_alloc(void *p, size_t size, uint8_t flags)
{
	struct object *object = table_find(p);

	if (nr_ids == MAX_LIVE && !nr_free_ids)
		give_up("too many live objects");
	*object = (struct object){
		.p = p,
		.size = size,
		.id = nr_free_ids ? free_ids[--nr_free_ids] : nr_ids++,
		.op = nr_ops,
	};
	write_op(GOSPAN_OP_ALLOC, flags, object->id, size);
}

static void record_free(struct object *object)
{
	judge_noscan(object);
	write_op(GOSPAN_OP_FREE, 0, object->id, 0);
	free_ids[nr_free_ids++] = object->id;
	table_remove(object);
}

/* It was @old before; the entry moves. */
static void record_realloc(const struct object *old, void *p, size_t size)
{
	struct object moved = *old;

	table_remove(table_find(old->p));
	moved.p = p;
	moved.size = size;
	*table_find(p) = moved;
	write_op(GOSPAN_OP_REALLOC, 0, moved.id, size);
}

static void *allocate(size_t align, size_t size, uint8_t flags)
{
	void *p = align ? __libc_memalign(align, size) : __libc_malloc(size);

	if (!p)
		return NULL;
	memset(p, 0, size);
	pthread_mutex_lock(&lock);
	if (out >= 0)
		record_alloc(p, size, flags);
	pthread_mutex_unlock(&lock);
	return p;
}

void *malloc(size_t size)
{
	return allocate(0, size, 0);
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return allocate(0, bytes, GOSPAN_OP_ZERO);
}

void *memalign(size_t align, size_t size)
{
	return allocate(align, size, 0);
}

void *aligned_alloc(size_t align, size_t size)
{
	return allocate(align, size, 0);
}

void *valloc(size_t size)
{
	return allocate(sysconf(_SC_PAGESIZE), size, 0);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	int saved = errno;
	void *got;

	if (align % sizeof(void *) || !align || align & (align - 1))
		return EINVAL;
	got = allocate(align, size, 0);
	errno = saved;
	if (!got)
		return ENOMEM;
	*p = got;
	return 0;
}

void free(void *p)
{
	struct object *object;

	if (!p)
		return;
	pthread_mutex_lock(&lock);
	if (out >= 0) {
		object = table_find(p);
		/* What was there before us is not in the table. */
		if (object->p)
			record_free(object);
	}
	pthread_mutex_unlock(&lock);
	__libc_free(p);
}

void *realloc(void *p, size_t size)
{
	struct object old;
	void *new;

	if (!p)
		return malloc(size);
	if (!size) {
		free(p);
		return NULL;
	}
	/* Nobody may get the old address, and be recorded there, before we are done. */
	pthread_mutex_lock(&lock);
	old = out >= 0 ? *table_find(p) : (struct object){ 0 };
	new = __libc_realloc(p, size);
	if (new && old.p) {
		if (size > old.size)
			memset((char *)new + old.size, 0, size - old.size);
		record_realloc(&old, new, size);
	}
	pthread_mutex_unlock(&lock);
	return new;
}

/* Memory that is there when it is touched, and zero. */
static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		give_up("no room for the tables");
	return p;
}

static void stop_in_child(void)
{
	out = -1;
	pthread_mutex_init(&lock, NULL);
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("MALLOCTRACE");
	int fd;

	if (!path)
		give_up("MALLOCTRACE does not name a file");
	unsetenv("LD_PRELOAD");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		give_up("cannot open the file that MALLOCTRACE names");
	header = mmap(NULL, sizeof(*header) + MAX_OPS * sizeof(*ops), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (header == MAP_FAILED)
		give_up("cannot map the file");
	ops = (void *)(header + 1);
	table = reserve(TABLE_SIZE * sizeof(*table));
	free_ids = reserve(MAX_LIVE * sizeof(*free_ids));
	/* glibc may have called brk() for itself already, but not for a megabyte. */
	brk_base = (uintptr_t)sbrk(0) - (1UL << 20);
	pthread_atfork(NULL, NULL, stop_in_child);
	pthread_mutex_lock(&lock);
	out = fd;
	pthread_mutex_unlock(&lock);
}

__attribute__((destructor)) static void finish(void)
{
	pthread_mutex_lock(&lock);
	if (out >= 0) {
		for (size_t i = 0; i < TABLE_SIZE; i++) {
			if (table[i].p)
				judge_noscan(&table[i]);
		}
		if (!nr_ops && ftruncate(out, STEP_BYTES))
			give_up("cannot make the file longer");
		*header = (struct trace_header){
			.magic = htole32(TRACE_MAGIC),
			.version = htole16(TRACE_VERSION),
			.header_bytes = htole16(sizeof(*header)),
			.nr_ops = htole64(nr_ops),
			.nr_ids = htole32(nr_ids),
		};
		if (ftruncate(out, sizeof(*header) + nr_ops * sizeof(*ops)))
			give_up("cannot cut the file to its length");
		close(out);
		out = -1;
	}
	pthread_mutex_unlock(&lock);
}
