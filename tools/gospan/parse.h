/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers and lists on the command line.
 *
 * Every parser takes the whole text or nothing, and says in @error which part
 * of it is wrong: a typo never measures something else than what was asked.
 */
#ifndef GOSPAN_TOOL_PARSE_H
#define GOSPAN_TOOL_PARSE_H

#include <linux/gospan.h>
#include <stdbool.h>
#include <stddef.h>

#define PARSE_MAX_SIZES	64 /* more rows than anybody reads */

struct parse_error {
	char text[160];
};

struct size_list {
	__u64 items[PARSE_MAX_SIZES]; /* in the order given, no two the same */
	size_t nr;
};

/* CPU numbers as a bit map, the form in which the bench ioctl takes them. */
struct cpu_list {
	__u64 words[GOSPAN_BENCH_CPU_WORDS];
};

#define CPU_LIST_MAX	(GOSPAN_BENCH_CPU_WORDS * 64)

/* A decimal number in [min, max]: digits only. */
bool parse_number(const char *text, __u64 min, __u64 max, __u64 *value,
		  struct parse_error *error);

/* "8,64,1024": each in [1, max]. */
bool parse_sizes(const char *text, __u64 max, struct size_list *sizes,
		 struct parse_error *error);

/* "0-3,5", as taskset and the kernel write it. */
bool parse_cpus(const char *text, struct cpu_list *cpus, struct parse_error *error);

/* "pair,mix": bit i of @mask is set for names[i], of which there are at most 64. */
bool parse_names(const char *text, const char *const names[], size_t nr_names,
		 __u64 *mask, struct parse_error *error);

bool cpu_list_test(const struct cpu_list *cpus, unsigned int cpu);
void cpu_list_set(struct cpu_list *cpus, unsigned int cpu);
unsigned int cpu_list_count(const struct cpu_list *cpus);

/* The first @count CPUs of @cpus, or fewer where it has fewer. */
struct cpu_list cpu_list_first(const struct cpu_list *cpus, unsigned int count);

/* "0-3,5" again; @text is cut at @text_bytes. */
void cpu_list_format(const struct cpu_list *cpus, char *text, size_t text_bytes);

#endif /* GOSPAN_TOOL_PARSE_H */
