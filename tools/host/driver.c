// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a target on pseudo-random inputs, where there is no libFuzzer.
 *
 * The options are libFuzzer's: -runs=N, -seed=N; files are inputs to run once.
 * Input i of seed s is input 0 of seed s + i, so what fails is repeated alone.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "input.h"

#define MAX_INPUT	1024

static unsigned long seed = 1, runs = 1000, run;

/* What a sanitizer finds ends in abort(), as a failed check does. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

static void tell_run(int signal_nr)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "failed; to repeat it: -seed=%lu -runs=1\n",
			 seed + run);

	if (write(STDERR_FILENO, line, n) != n)
		_exit(2);
	signal(signal_nr, SIG_DFL);
	raise(signal_nr);
}

/* Weyl sequence, mixed: neighbouring seeds have nothing in common. */
static u64 draw(u64 *state)
{
	u64 x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

static void run_random(void)
{
	static u8 data[MAX_INPUT];
	u64 state = (seed + run) * 0x2545f4914f6cdd1dULL;
	size_t size = draw(&state) % MAX_INPUT + 1, i;

	for (i = 0; i < size; i++)
		data[i] = draw(&state) >> 24;
	LLVMFuzzerTestOneInput(data, size);
}

static void run_file(const char *path)
{
	static u8 data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		exit(2);
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	int i, files = 0;

	for (i = 1; i < argc; i++) {
		if (sscanf(argv[i], "-seed=%lu", &seed) == 1 ||
		    sscanf(argv[i], "-runs=%lu", &runs) == 1)
			continue;
		run_file(argv[i]);
		files++;
	}
	if (files)
		return 0;
	signal(SIGABRT, tell_run);
	for (run = 0; run < runs; run++)
		run_random();
	printf("%s: -seed=%lu -runs=%lu: passed\n", argv[0], seed, runs);
	return 0;
}
