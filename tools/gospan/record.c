// SPDX-License-Identifier: GPL-2.0-only
/*
 * One list of fields, written as a JSON object, a CSV line or a CSV header.
 *
 * CSV as RFC 4180 has it: text is quoted, a quote in it doubled.
 */
#include "record.h"

#include "device.h"

#include <math.h>

/* Start a CSV field. Returns false when its value is not wanted. */
static bool csv_begin(struct record *r, const char *name)
{
	if (r->any)
		fputc(',', r->csv);
	r->any = true;
	if (r->header)
		fputs(name, r->csv);
	return !r->header;
}

static void json_add(struct record *r, const char *name, json_t *value)
{
	if (json_object_set_new(r->object, name, value))
		fail("out of memory");
}

void record_text(struct record *r, const char *name, const char *value)
{
	if (r->object) {
		json_add(r, name, json_string(value) ?: json_string("(not UTF-8)"));
	} else if (csv_begin(r, name)) {
		fputc('"', r->csv);
		for (; *value; value++) {
			if (*value == '"')
				fputc('"', r->csv);
			fputc(*value, r->csv);
		}
		fputc('"', r->csv);
	}
}

void record_number(struct record *r, const char *name, __u64 value)
{
	if (r->object)
		json_add(r, name, json_integer(value));
	else if (csv_begin(r, name))
		fprintf(r->csv, "%llu", value);
}

void record_flag(struct record *r, const char *name, bool value)
{
	if (r->object)
		json_add(r, name, json_boolean(value));
	else if (csv_begin(r, name))
		fputc(value ? '1' : '0', r->csv);
}

void record_real(struct record *r, const char *name, double value)
{
	if (r->object)
		json_add(r, name, isfinite(value) ? json_real(value) : json_null());
	else if (csv_begin(r, name) && isfinite(value))
		fprintf(r->csv, "%.10g", value);
}

void record_end(struct record *r)
{
	if (r->csv)
		fputc('\n', r->csv);
	r->any = false;
}

void json_write(const json_t *root, FILE *out)
{
	if (json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) ||
	    putc('\n', out) == EOF)
		fail("cannot write JSON");
}

void json_print(json_t *root)
{
	json_write(root, stdout);
	json_decref(root);
}
