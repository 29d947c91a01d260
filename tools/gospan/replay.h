/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What replays of one recording came to, and how to print that.
 */
#ifndef GOSPAN_TOOL_REPLAY_H
#define GOSPAN_TOOL_REPLAY_H

#include "parse.h"
#include "record.h"
#include "trace.h"

extern const char *const replayer_names[GOSPAN_NR_REPLAYERS];

/* One allocator's. */
struct replay_row {
	__u32 who;
	struct gospan_replay_result result;	/* its ticks and ns are the best round's */
	struct gospan_replay_sample *samples;	/* the report's number of them */
	struct gospan_replay_class *classes;	/* at the peak */
	__u32 nr_classes;
};

struct replay_report {
	const char *name;		/* of the recording */
	const struct trace *trace;
	struct cpu_list cpus;		/* that the steps were done on */
	struct gospan_replay_sample *samples;	/* where to weigh, the peak among them */
	__u32 nr_samples;
	struct gospan_replay_result loop;	/* of calls that do nothing */
	struct replay_row rows[GOSPAN_NR_REPLAYERS];
	size_t nr_rows;
};

void replay_print_text(const struct replay_report *report);
void replay_print_json(const struct replay_report *report);

/* What the live objects took over time; a line per allocator and sample. */
void replay_print_csv(const struct replay_report *report);

/* What a text of the kernel held that is no step, all 0 of a program's, which has none. */
void replay_print_counts(const struct trace *trace);
void replay_fill_counts(struct record *r, const struct trace *trace);

/* Another allocator's classes, computed from the recording alone. */
void what_if(const struct trace *trace, const char *name, const char *table_path, bool json);

#endif /* GOSPAN_TOOL_REPLAY_H */
