/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One list of fields, written as a JSON object, a CSV line or a CSV header.
 *
 * A command names each of its figures once, in a function that fills a record,
 * so that the formats cannot come apart.
 */
#ifndef GOSPAN_TOOL_RECORD_H
#define GOSPAN_TOOL_RECORD_H

#include <jansson.h>
#include <linux/gospan.h>
#include <stdbool.h>
#include <stdio.h>

struct record {
	json_t *object;		/* the JSON object to fill; NULL for CSV */
	FILE *csv;
	bool header;		/* CSV: write names instead of values */
	bool any;		/* CSV: a field has been written on this line */
};

void record_text(struct record *r, const char *name, const char *value);
void record_number(struct record *r, const char *name, __u64 value);
void record_flag(struct record *r, const char *name, bool value);

/* NaN is null in JSON and empty in CSV: not measured, or nothing that can be told. */
void record_real(struct record *r, const char *name, double value);

/* Ends a CSV line. */
void record_end(struct record *r);

/* The JSON in a file; fails when it has none. */
json_t *json_read(const char *path);

/* What @object calls @name: "" where that is no text, NaN where it is no number. */
const char *json_get_text(const json_t *object, const char *name);
double json_get_real(const json_t *object, const char *name);

/* Write @root as it is read best; false when @out takes no more. */
bool json_write(const json_t *root, FILE *out);

/* Print @root, which is consumed, and report what stdout refused. */
void json_print(json_t *root);

#endif /* GOSPAN_TOOL_RECORD_H */
