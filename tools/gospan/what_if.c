// SPDX-License-Identifier: GPL-2.0-only
/*
 * What another allocator's size classes would make of a recording.
 *
 * The table is a text: a class per line, the bytes of an object and, if known,
 * those of a span of them; "page BYTES" for what is larger than all classes and
 * so takes whole pages (4096 if it is not said). What follows a # is a comment.
 *
 * "packed" is what the objects at the peak would keep if each class had as few
 * spans as hold them: no allocator of such classes does better.
 */
#include "replay.h"

#include "device.h"
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CLASSES	4096
#define MAX_CLASS_BYTES	(64U << 20)
#define DEFAULT_PAGE	4096

struct class_row {
	__u64 slot_bytes;	/* 0: whole pages */
	__u64 span_bytes;	/* 0: not known */
	__u64 allocs;		/* all of the recording */
	__u64 total_asked;
	__u64 total_rounded;
	__u64 peak_objects;	/* at the peak */
	__u64 peak_asked;
	__u64 peak_rounded;
};

struct class_table {
	__u64 page_bytes;
	size_t nr;		/* classes; the row behind them is that of whole pages */
	struct class_row rows[MAX_CLASSES + 1];
};

struct class_reader {
	const char *path;
	unsigned int line;
	struct class_table *table;
};

static __u64 read_bytes(const struct class_reader *r, const char *word, const char *what)
{
	struct parse_error error;
	__u64 bytes;

	if (!word)
		fail("%s:%u: %s is missing", r->path, r->line, what);
	if (!parse_number(word, 1, MAX_CLASS_BYTES, &bytes, &error))
		fail("%s:%u: %s %s", r->path, r->line, what, error.text);
	return bytes;
}

static void add_class(struct class_reader *r, const char *size, const char *span)
{
	struct class_table *t = r->table;
	struct class_row row = { .slot_bytes = read_bytes(r, size, "the object's size") };

	if (t->nr == MAX_CLASSES)
		fail("%s:%u: more than %u classes", r->path, r->line, MAX_CLASSES);
	if (t->nr && row.slot_bytes <= t->rows[t->nr - 1].slot_bytes)
		fail("%s:%u: sizes have to ascend", r->path, r->line);
	if (span) {
		row.span_bytes = read_bytes(r, span, "the span's size");
		if (row.span_bytes < row.slot_bytes)
			fail("%s:%u: the span holds no object", r->path, r->line);
	}
	t->rows[t->nr++] = row;
}

static void read_line(struct class_reader *r, char *line)
{
	char *save, *words[3];

	line[strcspn(line, "#\n")] = '\0';
	for (int i = 0; i < 3; i++)
		words[i] = strtok_r(i ? NULL : line, " \t\r", &save);
	if (words[2])
		fail("%s:%u: more than two words", r->path, r->line);
	if (!words[0])
		return;
	if (!strcmp(words[0], "page"))
		r->table->page_bytes = read_bytes(r, words[1], "the page's size");
	else
		add_class(r, words[0], words[1]);
}

static void read_table(const char *path, struct class_table *table)
{
	struct class_reader r = { .path = path, .table = table };
	FILE *in = fopen(path, "r");
	size_t room = 0;
	char *line = NULL;

	if (!in)
		fail("%s: %s", path, strerror(errno));
	table->page_bytes = DEFAULT_PAGE;
	while (getline(&line, &room, in) >= 0) {
		r.line++;
		read_line(&r, line);
	}
	if (ferror(in))
		fail("%s: %s", path, strerror(errno));
	if (!table->nr)
		fail("%s: no classes", path);
	free(line);
	fclose(in);
}

/* The class for objects of so many bytes: the smallest that they fit in. */
static struct class_row *class_of(struct class_table *table, __u64 bytes)
{
	size_t low = 0, high = table->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (table->rows[middle].slot_bytes < bytes)
			low = middle + 1;
		else
			high = middle;
	}
	return &table->rows[low];
}

static __u64 round_up_to(__u64 bytes, __u64 unit)
{
	return (bytes + unit - 1) / unit * unit;
}

static __u64 class_round(const struct class_table *table, const struct class_row *row, __u64 bytes)
{
	return row->slot_bytes ?: round_up_to(bytes, table->page_bytes);
}

static void add_alloc(struct class_table *table, __u64 bytes)
{
	struct class_row *row = class_of(table, bytes);

	row->allocs++;
	row->total_asked += bytes;
	row->total_rounded += class_round(table, row, bytes);
}

static void add_peak(struct class_table *table, const __u32 *live, __u32 nr_ids)
{
	for (__u32 i = 0; i < nr_ids; i++) {
		struct class_row *row = class_of(table, live[i]);

		if (!live[i])
			continue;
		row->peak_objects++;
		row->peak_asked += live[i];
		row->peak_rounded += class_round(table, row, live[i]);
	}
}

static void add_up(struct class_table *table, const struct trace *trace)
{
	/* Bytes of each object. */
	__u32 *live = calloc((size_t)trace->nr_ids + 1, sizeof(*live));

	if (!live)
		fail("out of memory");
	for (__u64 i = 0; i < trace->nr_ops; i++) {
		const struct gospan_replay_op *op = &trace->ops[i];

		live[op->id] = trace_op_bytes(trace, op);
		if (live[op->id])
			add_alloc(table, live[op->id]);
		if (i + 1 == trace->peak_at)
			add_peak(table, live, trace->nr_ids);
	}
	free(live);
}

/* In as few spans as hold the objects, where the table has spans. */
static __u64 packed_bytes(const struct class_row *row)
{
	__u64 nelems;

	if (!row->span_bytes)
		return row->peak_rounded;
	nelems = row->span_bytes / row->slot_bytes;
	return (row->peak_objects + nelems - 1) / nelems * row->span_bytes;
}

static struct class_row sum_rows(const struct class_table *table, __u64 *packed)
{
	struct class_row sum = { 0 };

	*packed = 0;
	for (size_t i = 0; i <= table->nr; i++) {
		const struct class_row *row = &table->rows[i];

		sum.allocs += row->allocs;
		sum.total_asked += row->total_asked;
		sum.total_rounded += row->total_rounded;
		sum.peak_objects += row->peak_objects;
		sum.peak_asked += row->peak_asked;
		sum.peak_rounded += row->peak_rounded;
		*packed += packed_bytes(row);
	}
	return sum;
}

static double ratio(__u64 a, __u64 b)
{
	return b ? (double)a / b : 0;
}

static void print_row(const char *name, const struct class_row *row, __u64 packed)
{
	printf("%10s %9llu %10llu %10llu %7.3f   %8llu %9llu %9llu %7.3f %9llu\n", name,
	       row->allocs, row->total_asked, row->total_rounded,
	       ratio(row->total_rounded, row->total_asked), row->peak_objects, row->peak_asked,
	       row->peak_rounded, ratio(row->peak_rounded, row->peak_asked), packed);
}

static void print_text(const struct class_table *table, const struct trace *trace,
		       const char *name, const char *path)
{
	struct class_row sum;
	__u64 packed;

	printf("%s, with the %zu classes of %s\n", name, table->nr, path);
	replay_print_counts(trace);
	printf("\n%10s %9s %10s %10s %7s   %8s %9s %9s %7s %9s\n", "slot", "allocs", "asked",
	       "rounded", "/asked", "at peak", "asked", "rounded", "/asked", "packed");
	for (size_t i = 0; i <= table->nr; i++) {
		const struct class_row *row = &table->rows[i];
		char slot[24];

		snprintf(slot, sizeof(slot), "%llu", row->slot_bytes);
		if (row->allocs)
			print_row(row->slot_bytes ? slot : "pages", row, packed_bytes(row));
	}
	sum = sum_rows(table, &packed);
	print_row("all", &sum, packed);
}

static void fill_row(json_t *object, const struct class_row *row, __u64 packed)
{
	struct record r = { .object = object };

	record_number(&r, "allocs", row->allocs);
	record_number(&r, "asked_bytes", row->total_asked);
	record_number(&r, "rounded_bytes", row->total_rounded);
	record_number(&r, "peak_objects", row->peak_objects);
	record_number(&r, "peak_asked_bytes", row->peak_asked);
	record_number(&r, "peak_rounded_bytes", row->peak_rounded);
	record_number(&r, "peak_packed_bytes", packed);
}

static void print_json(const struct class_table *table, const struct trace *trace,
		       const char *name, const char *path)
{
	struct record root = { .object = json_object() };
	json_t *classes = json_array();
	struct class_row sum;
	__u64 packed;

	for (size_t i = 0; i <= table->nr; i++) {
		struct record r = { .object = json_object() };

		record_number(&r, "slot_bytes", table->rows[i].slot_bytes);
		record_number(&r, "span_bytes", table->rows[i].span_bytes);
		fill_row(r.object, &table->rows[i], packed_bytes(&table->rows[i]));
		json_array_append_new(classes, r.object);
	}
	sum = sum_rows(table, &packed);
	record_text(&root, "recording", name);
	replay_fill_counts(&root, trace);
	record_text(&root, "table", path);
	record_number(&root, "page_bytes", table->page_bytes);
	fill_row(root.object, &sum, packed);
	json_object_set_new(root.object, "classes", classes);
	json_print(root.object);
}

void what_if(const struct trace *trace, const char *name, const char *table_path, bool json)
{
	struct class_table *table = calloc(1, sizeof(*table));

	if (!table)
		fail("out of memory");
	read_table(table_path, table);
	add_up(table, trace);
	if (json)
		print_json(table, trace, name, table_path);
	else
		print_text(table, trace, name, table_path);
	free(table);
}
