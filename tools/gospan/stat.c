// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan stat: what the allocator holds, under the names of Go's MemStats, the
 * page heap below it, of all NUMA nodes and of each, and the named caches.
 *
 * One table of fields serves the text and the JSON, so that a figure added to
 * the ABI is added in one place.
 */
#include "commands.h"
#include "device.h"
#include "record.h"

#include <argp.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAX_NODES	1024	/* the kernel's largest CONFIG_NODES_SHIFT is 10 */

struct stat_options {
	bool json;
	bool classes;
};

enum unit { UNIT_BYTES, UNIT_COUNT };

struct field {
	const char *name;
	size_t offset;		/* of a __u64 */
	enum unit unit;
	const char *meaning;
};

static const struct field fields[] = {
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
	FIELD(misuses, UNIT_COUNT, "misused objects and pointers since load"),
#undef FIELD
};

/* The page heap of a node or of all, and what follows from it. */
struct heap {
	struct gospan_heapstats s;
	__u64 inuse_bytes;
	__u64 metadata_bytes;	/* of the whole heap only: descriptors are not counted by node */
};

static const struct field heap_fields[] = {
#define FIELD(name, unit, meaning) \
	{ #name, offsetof(struct heap, s.name), unit, meaning }
	FIELD(obtained_bytes, UNIT_BYTES, "obtained from the kernel since load"),
	FIELD(released_bytes, UNIT_BYTES, "given back since load"),
	{ "inuse_bytes", offsetof(struct heap, inuse_bytes), UNIT_BYTES, "in spans" },
	FIELD(free_bytes, UNIT_BYTES, "free"),
	FIELD(cached_bytes, UNIT_BYTES, "free, in the page caches of CPUs"),
	FIELD(chunks, UNIT_COUNT, "chunks of 512 pages that hold any of ours"),
	FIELD(grows, UNIT_COUNT, "blocks obtained since load"),
	FIELD(refused, UNIT_COUNT, "requests that the kernel refused since load"),
	FIELD(held, UNIT_COUNT, "blocks that were not asked for larger, after a refusal"),
#undef FIELD
};

/* What belongs to no node. */
static const struct field whole_heap_fields[] = {
#define FIELD(name, unit, meaning) \
	{ #name, offsetof(struct heap, s.name), unit, meaning }
	FIELD(limit_bytes, UNIT_BYTES, "memory_limit; 0: none"),
	FIELD(goal_bytes, UNIT_BYTES, "in use of late; the scavenger keeps a tenth more"),
	FIELD(scavenged_bytes, UNIT_BYTES, "given back in the background since load"),
	FIELD(shrunk_bytes, UNIT_BYTES, "given back when the kernel was short since load"),
	FIELD(trimmed_bytes, UNIT_BYTES, "given back by trims since load"),
	FIELD(map_bytes, UNIT_BYTES, "arena map, chunks, tables, summaries"),
#undef FIELD
	{ "metadata_bytes", offsetof(struct heap, metadata_bytes), UNIT_BYTES,
	  "these and the span descriptors" },
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static __u64 field_value(const void *stats, const struct field *field)
{
	__u64 value;

	memcpy(&value, (const char *)stats + field->offset, sizeof(value));
	return value;
}

static void heap_derive(struct heap *heap)
{
	__u64 held = heap->s.obtained_bytes - heap->s.released_bytes;
	__u64 idle = heap->s.free_bytes + heap->s.cached_bytes;

	/* Read at different moments while others allocate. */
	heap->inuse_bytes = held > idle ? held - idle : 0;
}

static struct heap heap_read(int fd, const struct gospan_memstats *stats)
{
	struct heap heap = { .s.node = GOSPAN_ALL_NODES };

	device_do(fd, GOSPAN_IOC_HEAPSTATS, &heap.s, "page heap statistics");
	heap_derive(&heap);
	heap.metadata_bytes = heap.s.map_bytes + stats->mspan_sys;
	return heap;
}

/* Of @node; false if there is none. */
static bool heap_read_node(int fd, __s32 node, struct heap *heap)
{
	*heap = (struct heap){ .s.node = node };
	if (ioctl(fd, GOSPAN_IOC_HEAPSTATS, &heap->s)) {
		if (errno == ENXIO)
			return false;
		fail("page heap statistics of node %d: %s", node, strerror(errno));
	}
	heap_derive(heap);
	return true;
}

/* Metadata in percent of what the heap holds. */
static double metadata_percent(const struct heap *heap)
{
	__u64 held = heap->s.obtained_bytes - heap->s.released_bytes;

	return held ? 100.0 * heap->metadata_bytes / held : 0;
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

static void print_field(const void *stats, const struct field *field)
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
	printf("\n%5s %9s %14s %14s %9s %9s %9s %9s %9s %9s %9s %9s\n", "class", "bytes/obj",
	       "mallocs", "frees", "live", "spans", "cached", "transit", "refills", "flushes",
	       "returned", "met");
	for (unsigned int i = 0; i < GOSPAN_NR_SIZECLASSES; i++) {
		const struct gospan_memstats_class *class = &stats->by_size[i];

		if (!class_was_used(class))
			continue;
		printf("%5u ", i);
		if (i)
			printf("%9llu", class->size);
		else
			printf("%9s", "large");
		printf(" %14llu %14llu %9llu %9llu %9llu %9llu %9llu %9llu %9llu %9llu\n",
		       class->mallocs, class->frees, class->mallocs - class->frees, class->spans,
		       class->cached, class->transit, class->refills, class->flushes,
		       class->returned, class->met);
	}
	puts("(classes that were never used are left out)");
}

static void print_heap(const struct heap *heap)
{
	puts("\npage heap:");
	for (size_t i = 0; i < NR(heap_fields); i++)
		print_field(heap, &heap_fields[i]);
	for (size_t i = 0; i < NR(whole_heap_fields); i++)
		print_field(heap, &whole_heap_fields[i]);
	printf("%-15s %10.2f%% %16s  metadata, of what the heap holds\n", "", metadata_percent(heap),
	       "");
}

/* A line for each node; nothing where there is but one. */
static void print_nodes(int fd)
{
	struct heap heap;

	if (!heap_read_node(fd, 1, &heap))
		return;
	printf("\n%4s %14s %14s %14s %14s %12s %7s %7s %7s %7s\n", "node", "obtained", "released",
	       "inuse", "free", "cached", "chunks", "grows", "refused", "held");
	for (__s32 node = 0; node < MAX_NODES && heap_read_node(fd, node, &heap); node++)
		printf("%4d %14llu %14llu %14llu %14llu %12llu %7llu %7llu %7llu %7llu\n", node,
		       heap.s.obtained_bytes, heap.s.released_bytes, heap.inuse_bytes,
		       heap.s.free_bytes, heap.s.cached_bytes, heap.s.chunks, heap.s.grows,
		       heap.s.refused, heap.s.held);
}

/* The first cache from @index on; false if there is none. */
static bool cache_read(int fd, __u32 index, struct gospan_cachestats *cache)
{
	*cache = (struct gospan_cachestats){ .index = index };
	if (!ioctl(fd, GOSPAN_IOC_CACHE, cache))
		return true;
	if (errno != ENOENT)
		fail("statistics of caches: %s", strerror(errno));
	return false;
}

static __u64 cache_span_bytes(const struct gospan_cachestats *cache, __u32 page_bytes)
{
	return cache->spans * cache->npages * page_bytes;
}

/* What is special about it, in words. */
static void print_cache_flags(__u32 flags)
{
	if (flags & GOSPAN_CACHE_CTOR)
		printf(" ctor");
	if (flags & GOSPAN_CACHE_TYPESAFE)
		printf(" typesafe");
	if (flags & GOSPAN_CACHE_USER)
		printf(" user");
	if (flags & GOSPAN_CACHE_RECORDED)
		printf(" recorded");
	if (flags & GOSPAN_CACHE_DESTROYED)
		printf(" destroyed");
}

/* A line for each named cache; nothing where there is none. */
static void print_caches(int fd, __u32 page_bytes)
{
	struct gospan_cachestats cache;

	if (!cache_read(fd, 0, &cache))
		return;
	printf("\n%-24s %9s %6s %9s %11s %9s %9s %12s\n", "cache", "bytes/obj", "align", "slot",
	       "live", "cached", "spans", "bytes");
	for (__u32 next = 0; cache_read(fd, next, &cache); next = cache.index + 1) {
		printf("%-24s %9u %6u %9u %11llu %9llu %9llu %12llu", cache.name, cache.size,
		       cache.align, cache.slot_bytes, cache.mallocs - cache.frees,
		       cache.cached + cache.transit, cache.spans,
		       cache_span_bytes(&cache, page_bytes));
		print_cache_flags(cache.flags);
		putchar('\n');
	}
}

static void print_text(int fd, const struct gospan_memstats *stats,
		       const struct gospan_version *version, bool classes)
{
	struct heap heap = heap_read(fd, stats);

	for (size_t i = 0; i < NR(fields); i++)
		print_field(stats, &fields[i]);
	print_heap(&heap);
	print_nodes(fd);
	print_caches(fd, version->page_bytes);
	if (classes)
		print_classes(stats);
}

static void record_field(struct record *r, const void *stats, const struct field *field)
{
	const char *unit = field->unit == UNIT_BYTES ? "_bytes" : "";
	char name[40];

	/* Some name their unit already. */
	if (strstr(field->name, "_bytes"))
		unit = "";
	snprintf(name, sizeof(name), "%s%s", field->name, unit);
	record_number(r, name, field_value(stats, field));
}

static json_t *json_heap(const struct heap *heap)
{
	struct record r = { .object = json_object() };

	for (size_t i = 0; i < NR(heap_fields); i++)
		record_field(&r, heap, &heap_fields[i]);
	if (heap->s.node == GOSPAN_ALL_NODES) {
		for (size_t i = 0; i < NR(whole_heap_fields); i++)
			record_field(&r, heap, &whole_heap_fields[i]);
		record_real(&r, "metadata_percent", metadata_percent(heap));
	} else {
		record_number(&r, "node", heap->s.node);
	}
	return r.object;
}

static json_t *json_nodes(int fd)
{
	json_t *array = json_array();
	struct heap heap;

	for (__s32 node = 0; node < MAX_NODES && heap_read_node(fd, node, &heap); node++)
		json_array_append_new(array, json_heap(&heap));
	return array;
}

static void record_bool(struct record *r, const char *name, bool value)
{
	json_object_set_new(r->object, name, json_boolean(value));
}

static json_t *json_caches(int fd, __u32 page_bytes)
{
	json_t *array = json_array();
	struct gospan_cachestats cache;

	for (__u32 next = 0; cache_read(fd, next, &cache); next = cache.index + 1) {
		struct record r = { .object = json_object() };

		record_text(&r, "name", cache.name);
		record_number(&r, "object_bytes", cache.size);
		record_number(&r, "align_bytes", cache.align);
		record_number(&r, "slot_bytes", cache.slot_bytes);
		record_number(&r, "span_pages", cache.npages);
		record_number(&r, "span_objects", cache.nelems);
		record_number(&r, "mallocs", cache.mallocs);
		record_number(&r, "frees", cache.frees);
		record_number(&r, "cached_objects", cache.cached);
		record_number(&r, "transit_objects", cache.transit);
		record_number(&r, "spans", cache.spans);
		record_number(&r, "span_bytes", cache_span_bytes(&cache, page_bytes));
		record_bool(&r, "ctor", cache.flags & GOSPAN_CACHE_CTOR);
		record_bool(&r, "typesafe", cache.flags & GOSPAN_CACHE_TYPESAFE);
		record_bool(&r, "user", cache.flags & GOSPAN_CACHE_USER);
		record_bool(&r, "recorded", cache.flags & GOSPAN_CACHE_RECORDED);
		record_bool(&r, "destroyed", cache.flags & GOSPAN_CACHE_DESTROYED);
		json_array_append_new(array, r.object);
	}
	return array;
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
	record_number(&r, "refills", class->refills);
	record_number(&r, "flushes", class->flushes);
	record_number(&r, "returned_objects", class->returned);
	record_number(&r, "spans_met", class->met);
	return r.object;
}

static void print_json(int fd, const struct gospan_memstats *stats,
		       const struct gospan_version *version, bool classes)
{
	struct heap heap = heap_read(fd, stats);
	struct record r = { .object = json_object() };

	record_text(&r, "gospan_release", version->release);
	record_number(&r, "abi", version->abi);
	for (size_t i = 0; i < NR(fields); i++)
		record_field(&r, stats, &fields[i]);
	json_object_set_new(r.object, "page_heap", json_heap(&heap));
	json_object_set_new(r.object, "nodes", json_nodes(fd));
	json_object_set_new(r.object, "caches", json_caches(fd, version->page_bytes));
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
		"Show the allocator's statistics, named as in Go's runtime.MemStats, those of its "
		"page heap, by NUMA node where there are several, and of each named cache.",
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
		print_json(fd, &stats, &version, options.classes);
	else
		print_text(fd, &stats, &version, options.classes);
	return EXIT_SUCCESS;
}
