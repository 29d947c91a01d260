/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two benches, the earlier and the later, and what got faster or slower.
 */
#ifndef GOSPAN_TOOL_BENCH_COMPARE_H
#define GOSPAN_TOOL_BENCH_COMPARE_H

#include <jansson.h>

/* Of gospan compare and bench --compare: a figure of gospan's got slower. */
#define EXIT_SLOWER	3

/* The JSON that gospan bench wrote into the file @path; fails when it is none. */
json_t *compare_load(const char *path);

/* Fails unless the figures of @old are of such ticks. */
void compare_check_ticks(const json_t *old, const char *ticks);

/*
 * What is new in @new since @old, both as gospan bench writes them: an object with
 * counts, what differs in the machines, and the rows that changed. Fails when the
 * two cannot be compared.
 */
json_t *compare_benches(const json_t *old, const json_t *new);

void compare_print(const json_t *comparison);

/* An exit status: 0, EXIT_SLOWER, or EXIT_FAILURE where nothing could be compared. */
int compare_status(const json_t *comparison);

#endif /* GOSPAN_TOOL_BENCH_COMPARE_H */
