// SPDX-License-Identifier: GPL-2.0-only
/*
 * What replays of one recording came to, printed.
 */
#include "replay.h"

#include "record.h"

#include <stdlib.h>

#define TEXT_CLASSES	10
#define TEXT_SITES	10

static double ratio(__u64 a, __u64 b)
{
	return b ? (double)a / b : 0;
}

/* Less the loop's; a loop that was disturbed must not make it negative. */
static double per_step(__u64 figure, __u64 loop, __u64 nr_ops)
{
	return figure > loop ? (double)(figure - loop) / nr_ops : 0;
}

/* What a caller asked for, over all of the recording. */
struct site_sum {
	const char *name;
	__u64 allocs;
	__u64 bytes_asked;
	__u64 bytes_rounded;	/* by the recorded kernel */
};

static __u64 site_waste(const struct site_sum *site)
{
	return site->bytes_rounded - site->bytes_asked;
}

static int compare_sites(const void *a, const void *b)
{
	__u64 x = site_waste(a), y = site_waste(b);

	return x < y ? 1 : -(x > y);
}

/* By what the recorded kernel wasted for them, the worst first. */
static struct site_sum *sum_sites(const struct trace *trace)
{
	struct site_sum *sums = calloc((size_t)trace->nr_sites + 1, sizeof(*sums));

	if (!sums)
		abort();
	for (__u32 i = 0; i < trace->nr_sites; i++)
		sums[i].name = trace->sites[i];
	for (__u64 i = 0; trace->notes && i < trace->nr_ops; i++) {
		struct site_sum *sum = &sums[trace->notes[i].site];

		if (trace->ops[i].kind != GOSPAN_OP_ALLOC)
			continue;
		sum->allocs++;
		sum->bytes_asked += trace_op_bytes(trace, &trace->ops[i]);
		sum->bytes_rounded += trace->notes[i].slot_bytes;
	}
	qsort(sums, trace->nr_sites, sizeof(*sums), compare_sites);
	return sums;
}

/* --- text ------------------------------------------------------------------ */

void replay_print_counts(const struct trace *trace)
{
	const struct trace_counts *c = &trace->counts;

	if (!trace->notes)
		return;
	printf("%llu lines: %llu malformed", c->lines, c->malformed);
	if (c->malformed)
		printf(" (the first is line %llu)", c->first_malformed);
	printf(", %llu other events, %llu out of order;\n"
	       "%llu frees of what was allocated before, %llu frees that were not recorded, "
	       "%llu marks of lost events (%llu of them)\n", c->other_events, c->backwards,
	       c->unmatched_frees, c->unseen_frees, c->lost_marks, c->lost_events);
}

static void print_head(const struct replay_report *report)
{
	const struct gospan_replay_result *loop = &report->loop;
	const struct trace *trace = report->trace;
	char cpus[128];

	cpu_list_format(&report->cpus, cpus, sizeof(cpus));
	printf("%s: %llu allocations, %llu reallocations, %llu frees,\n"
	       "recorded on %u CPUs, replayed on CPU %s%s\n", report->name, loop->allocs,
	       loop->reallocs, loop->frees, trace->nr_cpus, cpus,
	       cpu_list_count(&report->cpus) < trace->nr_cpus ? " (folded: there are fewer)" : "");
	replay_print_counts(trace);
	printf("at the peak %llu objects, which asked for %llu bytes\n", loop->live,
	       loop->bytes_asked);
}

/* The one at the peak. */
static const struct gospan_replay_sample *peak_sample(const struct replay_report *report,
						      const struct replay_row *row)
{
	const struct gospan_replay_sample *sample = row->samples;

	while (sample->at != report->trace->peak_at)
		sample++;
	return sample;
}

static void print_rows(const struct replay_report *report)
{
	printf("\n%-12s %9s %7s   %10s %9s %7s %9s %7s %9s   %9s\n", "", "slots", "/alloc",
	       "peak:slots", "rounded", "/asked", "held", "/asked", "in use", "tick/step");
	for (size_t i = 0; i < report->nr_rows; i++) {
		const struct replay_row *row = &report->rows[i];
		const struct gospan_replay_result *r = &row->result;
		__u64 inuse = peak_sample(report, row)->bytes_inuse;
		char text[24] = "-";

		if (inuse)
			snprintf(text, sizeof(text), "%llu", inuse);
		printf("%-12s %9llu %7.3f   %10llu %9llu %7.3f %9llu %7.3f %9s   %9.1f\n",
		       replayer_names[row->who], r->slots, ratio(r->slots, r->allocs),
		       r->live_slots, r->bytes_rounded, ratio(r->bytes_rounded, r->bytes_asked),
		       r->bytes_held, ratio(r->bytes_held, r->bytes_asked), text,
		       per_step(r->ticks, report->loop.ticks, r->nr_done));
	}
}

/* Rounded and held of each allocator, in KiB, over time. */
static void print_samples(const struct replay_report *report)
{
	const struct trace *trace = report->trace;

	printf("\nKiB of the live objects: asked for, rounded/held\n%9s", "step");
	if (trace->notes)
		printf(" %10s", "seconds");
	printf(" %9s", "asked");
	for (size_t i = 0; i < report->nr_rows; i++)
		printf(" %17s", replayer_names[report->rows[i].who]);
	putchar('\n');
	for (__u32 s = 0; s < report->nr_samples; s++) {
		const struct gospan_replay_sample *first = &report->rows[0].samples[s];

		printf("%9llu", first->at);
		if (trace->notes)
			printf(" %10.3f", (trace->notes[first->at - 1].time_ns -
					   trace->notes[0].time_ns) / 1e9);
		printf(" %9.1f", first->bytes_asked / 1024.0);
		for (size_t i = 0; i < report->nr_rows; i++) {
			const struct gospan_replay_sample *sample = &report->rows[i].samples[s];

			printf(" %8.1f/%8.1f", sample->bytes_rounded / 1024.0,
			       sample->bytes_held / 1024.0);
		}
		putchar('\n');
	}
}

static int compare_classes(const void *a, const void *b)
{
	const struct gospan_replay_class *x = a, *y = b;
	__u64 x_waste = x->bytes_held - x->bytes_asked, y_waste = y->bytes_held - y->bytes_asked;

	return x_waste < y_waste ? 1 : -(x_waste > y_waste);
}

static void print_class(const char *name, const struct gospan_replay_class *class)
{
	printf("%10s %9llu %9llu %9llu %6u %9llu %9llu %9llu\n", name, class->live,
	       class->bytes_asked, class->bytes_rounded, class->nr_held, class->bytes_held,
	       class->bytes_rounded - class->bytes_asked,
	       class->bytes_held - class->bytes_rounded);
}

/* The worst first, then all others together. Sorts the row's classes. */
static void print_classes(struct replay_row *row)
{
	struct gospan_replay_class others = { 0 };

	printf("\n%s, at the peak, by the size of the slots: the worst\n"
	       "%10s %9s %9s %9s %6s %9s %9s %9s\n", replayer_names[row->who], "slot", "objects",
	       "asked", "rounded", "spans", "held", "rounding", "free");
	qsort(row->classes, row->nr_classes, sizeof(*row->classes), compare_classes);
	for (__u32 i = 0; i < row->nr_classes; i++) {
		const struct gospan_replay_class *class = &row->classes[i];
		char name[16];

		if (i < TEXT_CLASSES) {
			snprintf(name, sizeof(name), "%u", class->slot_bytes);
			print_class(name, class);
			continue;
		}
		others.live += class->live;
		others.bytes_asked += class->bytes_asked;
		others.bytes_rounded += class->bytes_rounded;
		others.nr_held += class->nr_held;
		others.bytes_held += class->bytes_held;
	}
	if (row->nr_classes > TEXT_CLASSES)
		print_class("others", &others);
}

static void print_sites(const struct trace *trace)
{
	struct site_sum *sums = sum_sites(trace);

	printf("\nfor whom the recorded kernel wasted most, all allocations together\n"
	       "%9s %10s %10s %7s  %s\n", "allocs", "asked", "rounded", "/asked", "caller");
	for (__u32 i = 0; i < trace->nr_sites && i < TEXT_SITES; i++)
		printf("%9llu %10llu %10llu %7.3f  %s\n", sums[i].allocs, sums[i].bytes_asked,
		       sums[i].bytes_rounded, ratio(sums[i].bytes_rounded, sums[i].bytes_asked),
		       sums[i].name);
	free(sums);
}

void replay_print_text(const struct replay_report *report)
{
	print_head(report);
	print_rows(report);
	print_samples(report);
	for (size_t i = 0; i < report->nr_rows; i++) {
		struct replay_row row = report->rows[i];

		if (row.nr_classes)
			print_classes(&row);
	}
	if (report->trace->notes)
		print_sites(report->trace);
}

/* --- JSON and CSV ------------------------------------------------------------ */

static json_t *array(void)
{
	json_t *array = json_array();

	if (!array)
		abort();
	return array;
}

static void fill_sample(struct record *r, const struct replay_report *report,
			const struct replay_row *row, __u32 nr)
{
	const struct gospan_replay_sample *sample = &row->samples[nr];
	const struct trace_note *notes = report->trace->notes;

	record_text(r, "allocator", replayer_names[row->who]);
	record_number(r, "step", sample->at);
	if (notes)
		record_number(r, "time_ns", notes[sample->at - 1].time_ns - notes[0].time_ns);
	record_number(r, "objects", sample->live);
	record_number(r, "asked_bytes", sample->bytes_asked);
	record_number(r, "slots", sample->live_slots);
	record_number(r, "rounded_bytes", sample->bytes_rounded);
	record_number(r, "held_bytes", sample->bytes_held);
	record_number(r, "inuse_bytes", sample->bytes_inuse);
	record_end(r);
}

static json_t *make_samples(const struct replay_report *report, const struct replay_row *row)
{
	json_t *samples = array();

	for (__u32 i = 0; i < report->nr_samples; i++) {
		struct record r = { .object = json_object() };

		fill_sample(&r, report, row, i);
		json_array_append_new(samples, r.object);
	}
	return samples;
}

static json_t *make_classes(const struct replay_row *row)
{
	json_t *classes = array();

	for (__u32 i = 0; i < row->nr_classes; i++) {
		const struct gospan_replay_class *class = &row->classes[i];
		struct record r = { .object = json_object() };

		record_number(&r, "slot_bytes", class->slot_bytes);
		record_number(&r, "objects", class->live);
		record_number(&r, "asked_bytes", class->bytes_asked);
		record_number(&r, "rounded_bytes", class->bytes_rounded);
		record_number(&r, "spans", class->nr_held);
		record_number(&r, "held_bytes", class->bytes_held);
		json_array_append_new(classes, r.object);
	}
	return classes;
}

static json_t *make_row(const struct replay_report *report, const struct replay_row *row)
{
	const struct gospan_replay_result *r = &row->result, *loop = &report->loop;
	struct record record = { .object = json_object() };

	record_text(&record, "allocator", replayer_names[row->who]);
	record_number(&record, "steps", r->nr_done);
	record_number(&record, "allocs", r->allocs);
	record_number(&record, "reallocs", r->reallocs);
	record_number(&record, "frees", r->frees);
	record_number(&record, "slots", r->slots);
	record_number(&record, "peak_objects", r->live);
	record_number(&record, "peak_slots", r->live_slots);
	record_number(&record, "peak_asked_bytes", r->bytes_asked);
	record_number(&record, "peak_rounded_bytes", r->bytes_rounded);
	record_number(&record, "peak_held_bytes", r->bytes_held);
	record_number(&record, "peak_inuse_bytes", peak_sample(report, row)->bytes_inuse);
	record_number(&record, "ticks", r->ticks);
	record_number(&record, "ns", r->ns);
	record_number(&record, "loop_ticks", loop->ticks);
	record_number(&record, "loop_ns", loop->ns);
	record_real(&record, "ticks_per_step", per_step(r->ticks, loop->ticks, r->nr_done));
	record_real(&record, "ns_per_step", per_step(r->ns, loop->ns, r->nr_done));
	json_object_set_new(record.object, "samples", make_samples(report, row));
	json_object_set_new(record.object, "peak_classes", make_classes(row));
	return record.object;
}

static json_t *make_sites(const struct trace *trace)
{
	struct site_sum *sums = sum_sites(trace);
	json_t *sites = array();

	for (__u32 i = 0; i < trace->nr_sites; i++) {
		struct record r = { .object = json_object() };

		record_text(&r, "caller", sums[i].name);
		record_number(&r, "allocs", sums[i].allocs);
		record_number(&r, "asked_bytes", sums[i].bytes_asked);
		record_number(&r, "rounded_bytes", sums[i].bytes_rounded);
		json_array_append_new(sites, r.object);
	}
	free(sums);
	return sites;
}

static json_t *make_caches(const struct trace *trace)
{
	json_t *caches = array();

	for (__u32 i = 0; i < trace->nr_caches; i++) {
		struct record r = { .object = json_object() };

		record_text(&r, "name", trace->cache_names[i] ?: "");
		record_number(&r, "asked_bytes", trace->caches[i].size);
		record_number(&r, "slot_bytes", trace->caches[i].slot_bytes);
		json_array_append_new(caches, r.object);
	}
	return caches;
}

void replay_fill_counts(struct record *r, const struct trace *trace)
{
	const struct trace_counts *c = &trace->counts;

	record_number(r, "lines", c->lines);
	record_number(r, "malformed", c->malformed);
	record_number(r, "first_malformed", c->first_malformed);
	record_number(r, "other_events", c->other_events);
	record_number(r, "out_of_order", c->backwards);
	record_number(r, "null_frees", c->null_frees);
	record_number(r, "unmatched_frees", c->unmatched_frees);
	record_number(r, "unseen_frees", c->unseen_frees);
	record_number(r, "lost_marks", c->lost_marks);
	record_number(r, "lost_events", c->lost_events);
}

static json_t *make_recording(const struct replay_report *report)
{
	struct record r = { .object = json_object() };
	char cpus[128];

	cpu_list_format(&report->cpus, cpus, sizeof(cpus));
	record_text(&r, "name", report->name);
	record_number(&r, "steps", report->trace->nr_ops);
	record_number(&r, "recorded_cpus", report->trace->nr_cpus);
	record_text(&r, "cpus", cpus);
	replay_fill_counts(&r, report->trace);
	json_object_set_new(r.object, "caches", make_caches(report->trace));
	json_object_set_new(r.object, "callers", make_sites(report->trace));
	return r.object;
}

void replay_print_json(const struct replay_report *report)
{
	json_t *root = json_object(), *rows = array();

	for (size_t i = 0; i < report->nr_rows; i++)
		json_array_append_new(rows, make_row(report, &report->rows[i]));
	json_object_set_new(root, "recording", make_recording(report));
	json_object_set_new(root, "replays", rows);
	json_print(root);
}

void replay_print_csv(const struct replay_report *report)
{
	struct record r = { .csv = stdout, .header = true };

	fill_sample(&r, report, &report->rows[0], 0);
	r.header = false;
	for (size_t i = 0; i < report->nr_rows; i++) {
		for (__u32 s = 0; s < report->nr_samples; s++)
			fill_sample(&r, report, &report->rows[i], s);
	}
}
