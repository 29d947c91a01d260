// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shapes of gospan bench on this process's malloc() and free(), in cycles of
 * the time stamp counter, as JSON: LD_PRELOAD chooses whose they are.
 *
 * As in the kernel: objects are not touched, sizes are not known to the compiler,
 * the same loops around calls that do nothing are subtracted, a round is timed as
 * a whole, the best one counts, and the first is thrown away. n is the kernel
 * bench's for cycles.
 *
 * usage: peers NAME
 */
#include "empty.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#define ROUNDS		30
#define MAX_OBJECTS	8192U
#define MAX_LIVE_BYTES	(32U << 20)
#define LEAST_BYTES	4096U	/* as if the kernel's pages were compared, too */

enum who { EMPTY, MALLOC, NR_WHO };

/* What happens to n objects; both cells of a pair are its one figure. */
enum shape { PAIR, BATCH, BATCH_SHUFFLED, REMOTE, NR_SHAPES };

static const char *const shape_names[NR_SHAPES] = {
	"pair", "batch", "batch-shuffled", "remote",
};

/* Best rounds, ticks of all n: what allocates, or pairs; and what frees. */
struct best {
	uint64_t alloc, free;
};

static void *objects[MAX_OBJECTS];

/* The fences keep what is timed on its side of the reading. */
static inline uint64_t ticks(void)
{
	uint64_t now;

	_mm_lfence();
	now = __rdtsc();
	_mm_lfence();
	return now;
}

static inline __attribute__((always_inline)) void *allocate(const enum who who, size_t size)
{
	return who == MALLOC ? malloc(size) : empty_malloc(size);
}

static inline __attribute__((always_inline)) void release(const enum who who, void *p)
{
	if (who == MALLOC)
		free(p);
	else
		empty_free(p);
}

static inline __attribute__((always_inline))
uint64_t time_pairs(const enum who who, size_t size, unsigned int n)
{
	uint64_t begin = ticks();

	for (unsigned int i = 0; i < n; i++)
		release(who, allocate(who, size));
	return ticks() - begin;
}

static inline __attribute__((always_inline))
uint64_t time_allocs(const enum who who, size_t size, unsigned int n)
{
	uint64_t begin = ticks();

	for (unsigned int i = 0; i < n; i++)
		objects[i] = allocate(who, size);
	return ticks() - begin;
}

static inline __attribute__((always_inline)) uint64_t time_frees(const enum who who, unsigned int n)
{
	uint64_t begin = ticks();

	for (unsigned int i = 0; i < n; i++)
		release(who, objects[i]);
	return ticks() - begin;
}

/* Each order is as likely; the seed is always the same. */
static void shuffle(unsigned int n)
{
	for (unsigned int i = n - 1; i; i--) {
		unsigned int j = lrand48() % (i + 1);
		void *p = objects[i];

		objects[i] = objects[j];
		objects[j] = p;
	}
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("peers: sched_setaffinity");
}

/* What the thread of a remote free is told and answers. */
struct remote {
	pthread_barrier_t barrier;	/* passed before and after a round's frees */
	enum who who;
	unsigned int n;
	uint64_t ticks;
	bool done;
};

static void *free_there(void *arg)
{
	struct remote *remote = arg;

	pin(1);
	for (;;) {
		pthread_barrier_wait(&remote->barrier);
		if (remote->done)
			return NULL;
		time_frees(EMPTY, remote->n); /* fetches the array from the other CPU */
		remote->ticks = remote->who == MALLOC ? time_frees(MALLOC, remote->n) :
							time_frees(EMPTY, remote->n);
		pthread_barrier_wait(&remote->barrier);
	}
}

static uint64_t time_remote_frees(struct remote *remote, enum who who, unsigned int n)
{
	remote->who = who;
	remote->n = n;
	pthread_barrier_wait(&remote->barrier);
	pthread_barrier_wait(&remote->barrier);
	return remote->ticks;
}

static inline __attribute__((always_inline))
struct best time_round(const enum who who, enum shape shape, size_t size, unsigned int n,
		       struct remote *remote)
{
	struct best time = { 0 };

	if (shape == PAIR) {
		time.alloc = time_pairs(who, size, n);
		return time;
	}
	/*
	 * Takes the array back from the CPU that freed. Its lines would be waited
	 * for by the empty loop, but meanwhile an allocator gets work done: less the
	 * loop, that work would seem to take no time, or less.
	 */
	if (shape == REMOTE)
		time_allocs(EMPTY, size, n);
	time.alloc = time_allocs(who, size, n);
	if (shape == BATCH_SHUFFLED)
		shuffle(n);
	time.free = shape == REMOTE ? time_remote_frees(remote, who, n) : time_frees(who, n);
	return time;
}

static void measure(enum shape shape, size_t size, unsigned int n, struct remote *remote,
		    struct best best[NR_WHO])
{
	best[EMPTY] = best[MALLOC] = (struct best){ UINT64_MAX, UINT64_MAX };
	for (unsigned int round = 0; round <= ROUNDS; round++) {
		struct best time[NR_WHO] = {
			time_round(EMPTY, shape, size, n, remote),
			time_round(MALLOC, shape, size, n, remote),
		};

		for (unsigned int who = 0; round && who < NR_WHO; who++) {
			if (time[who].alloc < best[who].alloc)
				best[who].alloc = time[who].alloc;
			if (time[who].free < best[who].free)
				best[who].free = time[who].free;
		}
	}
}

static void print_row(enum shape shape, const char *operation, size_t size, unsigned int n,
		      uint64_t empty, uint64_t whole)
{
	static const char *comma = "";

	printf("%s\n  {\"workload\": \"%s\", \"operation\": \"%s\", \"size_bytes\": %zu, "
	       "\"objects\": %u, \"net_ticks_per_op\": %.2f}", comma, shape_names[shape],
	       operation, size, n, ((double)whole - (double)empty) / n);
	comma = ",";
}

static void run(enum shape shape, size_t size, struct remote *remote)
{
	unsigned int n = MAX_LIVE_BYTES / (size > LEAST_BYTES ? size : LEAST_BYTES);
	struct best best[NR_WHO];

	if (n > MAX_OBJECTS)
		n = MAX_OBJECTS;
	measure(shape, size, n, remote, best);
	print_row(shape, shape == PAIR ? "pair" : "alloc", size, n, best[EMPTY].alloc,
		  best[MALLOC].alloc);
	if (shape != PAIR)
		print_row(shape, "free", size, n, best[EMPTY].free, best[MALLOC].free);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 8, 64, 256, 1024, 4096, 9000, 32768 };
	struct remote remote = { .done = false };
	pthread_t thread;

	if (argc != 2) {
		fputs("usage: peers NAME\n", stderr);
		return 2;
	}
	pin(0);
	pthread_barrier_init(&remote.barrier, NULL, 2);
	if (pthread_create(&thread, NULL, free_there, &remote))
		return EXIT_FAILURE;
	printf("{\"allocator\": \"%s\", \"results\": [", argv[1]);
	for (enum shape shape = 0; shape < NR_SHAPES; shape++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			if (shape == PAIR || sizes[i] <= 4096)
				run(shape, sizes[i], &remote);
		}
	}
	puts("\n]}");
	remote.done = true;
	pthread_barrier_wait(&remote.barrier);
	pthread_join(thread, NULL);
	return ferror(stdout) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
