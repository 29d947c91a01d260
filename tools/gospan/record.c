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

json_t *json_read(const char *path)
{
	json_error_t error;
	json_t *root = json_load_file(path, 0, &error);

	/* The text has the name where there is no line. */
	if (!root && error.line < 0)
		fail("%s", error.text);
	if (!root)
		fail("%s:%d: %s", path, error.line, error.text);
	return root;
}

const char *json_get_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

double json_get_real(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

bool json_write(const json_t *root, FILE *out)
{
	return !json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) &&
	       putc('\n', out) != EOF;
}

void json_print(json_t *root)
{
	if (!json_write(root, stdout))
		fail("cannot write JSON");
	json_decref(root);
}
