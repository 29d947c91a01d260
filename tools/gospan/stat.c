// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan stat: what the allocator holds, under the names of Go's MemStats.
 *
 * One table of fields serves the text and the JSON, so that a figure added to
 * the ABI is added in one place.
 */
#include "commands.h"
#include "device.h"
#include "record.h"

#include <argp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct stat_options {
	bool json;
	bool classes;
};

enum unit { UNIT_BYTES, UNIT_COUNT };

static const struct field {
	const char *name;
	size_t offset;		/* in struct gospan_memstats */
	enum unit unit;
	const char *meaning;
} fields[] = {
#define FIELD(name, unit, meaning) \
	{ #name, offsetof(struct gospan_memstats, name), unit, meaning }
	FIELD(alloc, UNIT_BYTES, "live objects, rounded to their class"),
	FIELD(total_alloc, UNIT_BYTES, "allocated since load"),
	FIELD(sys, UNIT_BYTES, "obtained from the kernel, all in all"),
	FIELD(mallocs, UNIT_COUNT, "objects allocated since load"),
	FIELD(frees, UNIT_COUNT, "objects freed since load"),
	FIELD(heap_alloc, UNIT_BYTES, "the same as alloc"),
	FIELD(heap_sys, UNIT_BYTES, "pages for objects: inuse + idle"),
	FIELD(heap_idle, UNIT_BYTES, "free pages"),
	FIELD(heap_inuse, UNIT_BYTES, "spans in use"),
	FIELD(heap_released, UNIT_BYTES, "given back since load"),
	FIELD(heap_objects, UNIT_COUNT, "live objects"),
	FIELD(mspan_inuse, UNIT_BYTES, "span descriptors in use"),
	FIELD(mspan_sys, UNIT_BYTES, "span descriptors"),
	FIELD(mcache_inuse, UNIT_BYTES, "per-CPU caches in use"),
	FIELD(mcache_sys, UNIT_BYTES, "per-CPU caches"),
	FIELD(other_sys, UNIT_BYTES, "arena tables, chunk maps, central stacks"),
	FIELD(cached_bytes, UNIT_BYTES, "free objects in magazines and central stacks"),
	FIELD(grows, UNIT_COUNT, "blocks obtained since load"),
	FIELD(grow_fallbacks, UNIT_COUNT, "blocks refused, a smaller one tried"),
	FIELD(misuses, UNIT_COUNT, "double frees and foreign pointers since load"),
#undef FIELD
};

#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

static __u64 field_value(const struct gospan_memstats *stats, const struct field *field)
{
	__u64 value;

	memcpy(&value, (const char *)stats + field->offset, sizeof(value));
	return value;
}

/* "12.3 MiB" */
static void format_bytes(__u64 bytes, char text[16])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit < 6; unit++)
		value /= 1024;
	snprintf(text, 16, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void print_field(const struct gospan_memstats *stats, const struct field *field)
{
	__u64 value = field_value(stats, field);
	char text[16] = "";

	if (field->unit == UNIT_BYTES)
		format_bytes(value, text);
	printf("%-15s %11s %16llu  %s\n", field->name, text, value, field->meaning);
}

static bool class_was_used(const struct gospan_memstats_class *class)
{
	return class->mallocs || class->spans || class->cached || class->transit;
}

static void print_classes(const struct gospan_memstats *stats)
{
	printf("\n%5s %9s %14s %14s %9s %9s %9s %9s\n", "class", "bytes/obj", "mallocs",
	       "frees", "live", "spans", "cached", "transit");
	for (unsigned int i = 0; i < GOSPAN_NR_SIZECLASSES; i++) {
		const struct gospan_memstats_class *class = &stats->by_size[i];

		if (!class_was_used(class))
			continue;
		printf("%5u ", i);
		if (i)
			printf("%9llu", class->size);
		else
			printf("%9s", "large");
		printf(" %14llu %14llu %9llu %9llu %9llu %9llu\n", class->mallocs, class->frees,
		       class->mallocs - class->frees, class->spans, class->cached,
		       class->transit);
	}
	puts("(classes that were never used are left out)");
}

static void print_text(const struct gospan_memstats *stats, bool classes)
{
	for (size_t i = 0; i < NR_FIELDS; i++)
		print_field(stats, &fields[i]);
	if (classes)
		print_classes(stats);
}

static json_t *json_class(unsigned int sizeclass, const struct gospan_memstats_class *class)
{
	struct record r = { .object = json_object() };

	record_number(&r, "sizeclass", sizeclass);
	record_number(&r, "size_bytes", class->size);
	record_number(&r, "mallocs", class->mallocs);
	record_number(&r, "frees", class->frees);
	record_number(&r, "spans", class->spans);
	record_number(&r, "cached_objects", class->cached);
	record_number(&r, "transit_objects", class->transit);
	return r.object;
}

static void print_json(const struct gospan_memstats *stats,
		       const struct gospan_version *version, bool classes)
{
	struct record r = { .object = json_object() };

	record_text(&r, "gospan_release", version->release);
	record_number(&r, "abi", version->abi);
	for (size_t i = 0; i < NR_FIELDS; i++) {
		const char *unit = fields[i].unit == UNIT_BYTES ? "_bytes" : "";
		char name[40];

		/* cached_bytes names its unit already. */
		if (strstr(fields[i].name, "_bytes"))
			unit = "";
		snprintf(name, sizeof(name), "%s%s", fields[i].name, unit);
		record_number(&r, name, field_value(stats, &fields[i]));
	}
	if (classes) {
		json_t *array = json_array();

		for (unsigned int i = 0; i < GOSPAN_NR_SIZECLASSES; i++)
			json_array_append_new(array, json_class(i, &stats->by_size[i]));
		json_object_set_new(r.object, "by_size", array);
	}
	json_print(r.object);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct stat_options *options = state->input;

	(void)arg;
	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case 'c':
		options->classes = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_stat(int argc, char **argv)
{
	static const struct argp_option argp_options[] = {
		{ "json", 'j', NULL, 0, "print JSON", 0 },
		{ "classes", 'c', NULL, 0, "add a line for each size class", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		argp_options, parse_option, NULL,
		"Show the allocator's statistics, named as in Go's runtime.MemStats.",
		NULL, NULL, NULL
	};
	struct stat_options options = { 0 };
	struct gospan_memstats stats = { 0 };
	struct gospan_version version;
	int fd;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	fd = device_open(&version);
	device_do(fd, GOSPAN_IOC_MEMSTATS, &stats, "statistics");
	if (options.json)
		print_json(&stats, &version, options.classes);
	else
		print_text(&stats, options.classes);
	return EXIT_SUCCESS;
}
