// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan classes: the size class table of the running module.
 *
 * The waste columns are those of the comment above Go's table: the tail of a
 * span that no object fits in, and the worst case, a span full of objects one
 * byte larger than the class below.
 */
#include "commands.h"
#include "device.h"
#include "record.h"

#include <argp.h>
#include <stdlib.h>

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };

struct waste {
	__u64 span_bytes;
	__u64 tail_bytes;
	double max_percent;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	enum format *format = state->input;

	(void)arg;
	switch (key) {
	case 'j':
		*format = FORMAT_JSON;
		return 0;
	case 'c':
		*format = FORMAT_CSV;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static struct waste class_waste(const struct gospan_class *class, __u32 prev_bytes,
				__u32 page_bytes)
{
	struct waste w;
	__u64 lost;

	w.span_bytes = (__u64)class->npages * page_bytes;
	w.tail_bytes = w.span_bytes - (__u64)class->nelems * class->elem_bytes;
	lost = (__u64)(class->elem_bytes - prev_bytes - 1) * class->nelems + w.tail_bytes;
	w.max_percent = w.span_bytes ? 100.0 * lost / w.span_bytes : 0;
	return w;
}

static void print_text(const struct gospan_class *class, const struct waste *w)
{
	printf("%5u %10u %11llu %8u %11llu %9.2f%% %9u %6u %8u\n", class->sizeclass,
	       class->elem_bytes, w->span_bytes, class->nelems, w->tail_bytes, w->max_percent,
	       class->magazine, class->batch, class->transit);
}

static void fill_record(struct record *r, const struct gospan_class *class,
			const struct waste *w)
{
	record_number(r, "sizeclass", class->sizeclass);
	record_number(r, "object_bytes", class->elem_bytes);
	record_number(r, "span_bytes", w->span_bytes);
	record_number(r, "span_pages", class->npages);
	record_number(r, "span_objects", class->nelems);
	record_number(r, "divmagic", class->divmagic);
	record_number(r, "tail_waste_bytes", w->tail_bytes);
	record_real(r, "max_waste_percent", w->max_percent);
	record_number(r, "magazine_objects", class->magazine);
	record_number(r, "batch_objects", class->batch);
	record_number(r, "transit_objects", class->transit);
	record_end(r);
}

static void print_class(enum format format, const struct gospan_class *class,
			const struct waste *w, json_t *array)
{
	struct record r = { .csv = stdout };

	switch (format) {
	case FORMAT_TEXT:
		print_text(class, w);
		break;
	case FORMAT_JSON:
		r = (struct record){ .object = json_object() };
		fill_record(&r, class, w);
		json_array_append_new(array, r.object);
		break;
	case FORMAT_CSV:
		if (class->sizeclass == 1) {
			r.header = true;
			fill_record(&r, class, w);
			r.header = false;
		}
		fill_record(&r, class, w);
		break;
	}
}

static void print_classes(int fd, enum format format, const struct gospan_version *version)
{
	json_t *array = format == FORMAT_JSON ? json_array() : NULL;
	__u32 prev_bytes = 0;

	if (format == FORMAT_TEXT)
		printf("%5s %10s %11s %8s %11s %10s %9s %6s %8s\n", "class", "bytes/obj",
		       "bytes/span", "objects", "tail waste", "max waste", "magazine",
		       "batch", "transit");
	for (__u32 i = 1; i < GOSPAN_NR_SIZECLASSES; i++) {
		struct gospan_class class = { .sizeclass = i };
		struct waste w;

		device_do(fd, GOSPAN_IOC_CLASS, &class, "size class");
		w = class_waste(&class, prev_bytes, version->page_bytes);
		print_class(format, &class, &w, array);
		prev_bytes = class.elem_bytes;
	}
	if (array)
		json_print(array);
}

int cmd_classes(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "print JSON", 0 },
		{ "csv", 'c', NULL, 0, "print comma-separated values", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		options, parse_option, NULL,
		"Show the size classes: the objects, their spans and what these waste; how many "
		"objects a CPU's magazine holds, and trades while they only come or only go, how "
		"many move at once else, and how many the central stack holds.", NULL, NULL, NULL
	};
	enum format format = FORMAT_TEXT;
	struct gospan_version version;

	argp_parse(&argp, argc, argv, 0, NULL, &format);
	print_classes(device_open(&version), format, &version);
	return EXIT_SUCCESS;
}
