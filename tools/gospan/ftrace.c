// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's allocations, read from the text that ftrace writes.
 *
 * Live objects are in a tree by address. An address that is allocated again
 * without a free, which was lost or is of a kind without an event (frees in
 * bulk), is freed first.
 *
 * An allocation from a kmem_cache does not say which; its free does. Till then
 * the object is of a nameless cache with its sizes; at the end what was never
 * freed gets the cache that others of its caller had.
 */
#include "ftrace.h"

#include "ftrace_line.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE	4096
#define NO_CACHE	UINT32_MAX

/* The tree's nodes begin with what they are ordered by. */
struct object {
	__u64 ptr;
	__u32 id;
	__u64 op;		/* the number of the step that allocated it */
};

/* Names of both are the trace's in the end. */
struct cache {
	char *name;		/* NULL: not known */
	struct gospan_replay_cache sizes;
	__u32 nr;
};

struct site {
	char *name;
	__u32 nr;
	__u32 cache;		/* of an object that it asked for and that was freed, or NO_CACHE */
};

struct ftrace {
	struct trace trace;
	__u64 max_ops;		/* that there is room for */
	__u32 *free_ids;	/* below nr_ids, to be used again */
	__u32 nr_free_ids;
	__u32 max_ids;		/* that there is room for in @free_ids */
	struct site **sites;	/* by number */
	void *object_tree;
	void *cache_tree;
	void *site_tree;
	__u64 last_ns;
	size_t line_bytes;	/* of the line that is not complete yet */
	bool too_long;		/* what has come of it was thrown away */
	char line[MAX_LINE];
	char text[MAX_LINE + 1];	/* see copy_text() */
};

static int compare_objects(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	return x->ptr < y->ptr ? -1 : x->ptr > y->ptr;
}

static int compare_sites(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int compare_caches(const void *a, const void *b)
{
	const struct cache *x = a, *y = b;

	if (x->sizes.size != y->sizes.size)
		return x->sizes.size < y->sizes.size ? -1 : 1;
	if (x->sizes.slot_bytes != y->sizes.slot_bytes)
		return x->sizes.slot_bytes < y->sizes.slot_bytes ? -1 : 1;
	if (!x->name || !y->name)
		return !!x->name - !!y->name;
	return strcmp(x->name, y->name);
}

/* Room for one item more in the array that @items points to, which has @nr. It doubles. */
static bool grow(void *items, __u64 nr, size_t bytes)
{
	void *array;

	if (nr & (nr - 1))
		return true;
	/* By memcpy(): to the compiler, it is a pointer of another type. */
	memcpy(&array, items, sizeof(array));
	array = reallocarray(array, nr ? 2 * nr : 1, bytes);
	if (array)
		memcpy(items, &array, sizeof(array));
	return array;
}

struct ftrace *ftrace_begin(void)
{
	return calloc(1, sizeof(struct ftrace));
}

/* A copy of @text that ends with a NUL, till the next call. */
static char *copy_text(struct ftrace *f, const struct ftrace_text *text)
{
	size_t bytes = strnlen(text->text, text->bytes);

	memcpy(f->text, text->text, bytes);
	f->text[bytes] = '\0';
	return f->text;
}

/* Takes the name over, unless it returns NULL. */
static struct site *site_add(struct ftrace *f, char *name)
{
	struct site *site = calloc(1, sizeof(*site));

	if (!site)
		return NULL;
	*site = (struct site){ name, f->trace.nr_sites, NO_CACHE };
	if (grow(&f->sites, site->nr, sizeof(*f->sites)) &&
	    tsearch(site, &f->site_tree, compare_sites)) {
		f->sites[f->trace.nr_sites++] = site;
		return site;
	}
	free(site);
	return NULL;
}

/* The caller of that name, met before or not. */
static struct site *site_get(struct ftrace *f, const struct ftrace_text *text)
{
	struct site key = { .name = text->text ? copy_text(f, text) : "?" }, *site, **found;
	char *name;

	found = tfind(&key, &f->site_tree, compare_sites);
	if (found)
		return *found;
	name = strdup(key.name);
	site = name ? site_add(f, name) : NULL;
	if (!site)
		free(name);
	return site;
}

/* Takes the name, which may be NULL, over, unless it returns NULL. */
static struct cache *cache_add(struct ftrace *f, char *name, struct gospan_replay_cache sizes)
{
	struct trace *t = &f->trace;
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	*cache = (struct cache){ name, sizes, t->nr_caches };
	if (grow(&t->caches, cache->nr, sizeof(*t->caches)) &&
	    grow(&t->cache_names, cache->nr, sizeof(*t->cache_names)) &&
	    tsearch(cache, &f->cache_tree, compare_caches)) {
		t->caches[cache->nr] = sizes;
		t->cache_names[cache->nr] = name;
		t->nr_caches++;
		return cache;
	}
	free(cache);
	return NULL;
}

/* The number of the cache of that name, NULL if unknown, and sizes; false: out of memory. */
static bool cache_get(struct ftrace *f, const struct ftrace_text *text,
		      struct gospan_replay_cache sizes, __u32 *nr)
{
	struct cache key = { text ? copy_text(f, text) : NULL, sizes, 0 }, *cache, **found;
	char *name = NULL;

	found = tfind(&key, &f->cache_tree, compare_caches);
	if (found) {
		*nr = (*found)->nr;
		return true;
	}
	if (key.name) {
		name = strdup(key.name);
		if (!name)
			return false;
	}
	cache = cache_add(f, name, sizes);
	if (!cache) {
		free(name);
		return false;
	}
	*nr = cache->nr;
	return true;
}

/* Append a step, without its id. */
static bool add_op(struct ftrace *f, const struct ftrace_line *line, __u8 kind)
{
	struct trace *t = &f->trace;

	if (!grow(&t->ops, t->nr_ops, sizeof(*t->ops)) ||
	    !grow(&t->notes, t->nr_ops, sizeof(*t->notes)))
		return false;
	t->ops[t->nr_ops] = (struct gospan_replay_op){ .cpu = line->cpu, .kind = kind };
	t->notes[t->nr_ops] = (struct trace_note){ .time_ns = line->time_ns };
	t->nr_ops++;
	return true;
}

/* An id that no live object has; there is always room to give it back. */
static bool id_get(struct ftrace *f, __u32 *id)
{
	if (f->nr_free_ids) {
		*id = f->free_ids[--f->nr_free_ids];
		return true;
	}
	*id = f->trace.nr_ids;
	if (!grow(&f->free_ids, *id, sizeof(*f->free_ids)))
		return false;
	f->trace.nr_ids++;
	return true;
}

/* Its free names the cache that @object is of. */
static bool learn_cache(struct ftrace *f, const struct object *object,
			const struct ftrace_text *text)
{
	struct gospan_replay_op *op = &f->trace.ops[object->op];

	if (!text->text || !(op->flags & GOSPAN_OP_CACHE))
		return true;
	if (!cache_get(f, text, f->trace.caches[op->size], &op->size))
		return false;
	f->sites[f->trace.notes[object->op].site]->cache = op->size;
	return true;
}

/* Free a live object; it is gone also when memory runs out. */
static bool object_free(struct ftrace *f, struct object *object, const struct ftrace_line *line)
{
	bool done = add_op(f, line, GOSPAN_OP_FREE);

	if (done)
		f->trace.ops[f->trace.nr_ops - 1].id = object->id;
	if (done && line->kind == FTRACE_FREE)
		done = learn_cache(f, object, &line->cache);
	f->free_ids[f->nr_free_ids++] = object->id;
	tdelete(object, &f->object_tree, compare_objects);
	free(object);
	return done;
}

static struct object *object_find(struct ftrace *f, __u64 ptr)
{
	struct object key = { .ptr = ptr }, **found;

	found = tfind(&key, &f->object_tree, compare_objects);
	return found ? *found : NULL;
}

static bool object_insert(struct ftrace *f, __u64 ptr, __u32 *id)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!object)
		return false;
	object->ptr = ptr;
	object->op = f->trace.nr_ops;
	if (tsearch(object, &f->object_tree, compare_objects)) {
		if (id_get(f, &object->id)) {
			*id = object->id;
			return true;
		}
		tdelete(object, &f->object_tree, compare_objects);
	}
	free(object);
	return false;
}

/* The step's size, or what stands for it. */
static bool set_size(struct ftrace *f, const struct ftrace_line *line, struct gospan_replay_op *op)
{
	struct gospan_replay_cache sizes = { line->size, line->slot_bytes };

	op->size = line->size;
	if (line->kind != FTRACE_CACHE_ALLOC || line->slot_bytes > GOSPAN_REPLAY_MAX_CACHE_BYTES)
		return true;
	op->flags |= GOSPAN_OP_CACHE;
	return cache_get(f, NULL, sizes, &op->size);
}

static bool read_alloc(struct ftrace *f, const struct ftrace_line *line)
{
	struct object *old = object_find(f, line->ptr);
	struct site *site = site_get(f, &line->site);
	struct gospan_replay_op *op;
	__u32 id;

	if (old) {
		f->trace.counts.unseen_frees++;
		if (!object_free(f, old, line))
			return false;
	}
	if (!site || !object_insert(f, line->ptr, &id) || !add_op(f, line, GOSPAN_OP_ALLOC))
		return false;
	op = &f->trace.ops[f->trace.nr_ops - 1];
	op->id = id;
	op->flags = line->zero ? GOSPAN_OP_ZERO : 0;
	f->trace.notes[f->trace.nr_ops - 1].site = site->nr;
	f->trace.notes[f->trace.nr_ops - 1].slot_bytes = line->slot_bytes;
	return set_size(f, line, op);
}

static bool read_free(struct ftrace *f, const struct ftrace_line *line)
{
	struct object *object = object_find(f, line->ptr);

	if (object)
		return object_free(f, object, line);
	if (line->ptr)
		f->trace.counts.unmatched_frees++;
	else
		f->trace.counts.null_frees++;
	return true;
}

static void count_malformed(struct ftrace *f)
{
	struct trace_counts *counts = &f->trace.counts;

	if (!counts->malformed++)
		counts->first_malformed = counts->lines;
}

static void check_time(struct ftrace *f, const struct ftrace_line *line)
{
	if (line->time_ns < f->last_ns)
		f->trace.counts.backwards++;
	f->last_ns = line->time_ns;
}

static bool read_event(struct ftrace *f, const struct ftrace_line *line)
{
	check_time(f, line);
	switch (line->kind) {
	case FTRACE_KMALLOC:
	case FTRACE_CACHE_ALLOC:
		return read_alloc(f, line);
	case FTRACE_FREE:
		return read_free(f, line);
	default:
		f->trace.counts.other_events++;
		return true;
	}
}

/* The line that has come together in @f->line. */
static bool read_line(struct ftrace *f)
{
	struct ftrace_line line = { .kind = FTRACE_MALFORMED };

	if (!f->too_long)
		line = ftrace_line_read(f->line, f->line_bytes);
	f->line_bytes = 0;
	f->too_long = false;
	f->trace.counts.lines++;
	switch (line.kind) {
	case FTRACE_COMMENT:
		return true;
	case FTRACE_MALFORMED:
		count_malformed(f);
		return true;
	case FTRACE_LOST:
		f->trace.counts.lost_marks++;
		f->trace.counts.lost_events += line.nr_lost;
		return true;
	default:
		return read_event(f, &line);
	}
}

static void add_to_line(struct ftrace *f, const char *text, size_t bytes)
{
	if (bytes > MAX_LINE - f->line_bytes)
		f->too_long = true;
	if (f->too_long)
		bytes = 0;
	memcpy(f->line + f->line_bytes, text, bytes);
	f->line_bytes += bytes;
}

bool ftrace_feed(struct ftrace *f, const char *text, size_t bytes)
{
	const char *limit = text + bytes;

	while (text < limit) {
		const char *end = memchr(text, '\n', limit - text);

		add_to_line(f, text, (end ?: limit) - text);
		if (!end)
			break;
		if (!read_line(f))
			return false;
		text = end + 1;
	}
	return true;
}

/* What was never freed, and so has no cache with a name, has its caller's. */
static void guess_caches(struct ftrace *f)
{
	struct trace *t = &f->trace;

	for (__u64 i = 0; i < t->nr_ops; i++) {
		struct gospan_replay_op *op = &t->ops[i];
		__u32 guess;

		if (!(op->flags & GOSPAN_OP_CACHE) || t->cache_names[op->size])
			continue;
		guess = f->sites[t->notes[i].site]->cache;
		if (guess != NO_CACHE && !memcmp(&t->caches[guess], &t->caches[op->size],
						 sizeof(*t->caches)))
			op->size = guess;
	}
}

/* The new number of the step's cache, by @numbers; past as many as a replay takes it has none. */
static void renumber_cache(struct trace *t, struct gospan_replay_op *op, __u32 *numbers, __u32 *nr)
{
	__u32 *number = &numbers[op->size];

	if (*number == NO_CACHE && *nr < GOSPAN_REPLAY_MAX_CACHES)
		*number = (*nr)++;
	if (*number == NO_CACHE) {
		op->size = t->caches[op->size].size;
		op->flags &= ~GOSPAN_OP_CACHE;
	} else {
		op->size = *number;
	}
}

/* Number caches by first use; those that no step is of any more are dropped. */
static bool pack_caches(struct trace *t)
{
	struct gospan_replay_cache *caches = calloc((size_t)t->nr_caches + 1, sizeof(*caches));
	char **names = calloc((size_t)t->nr_caches + 1, sizeof(*names));
	__u32 *numbers = malloc(((size_t)t->nr_caches + 1) * sizeof(*numbers)), nr = 0;

	if (!caches || !names || !numbers) {
		free(caches);
		free(names);
		free(numbers);
		return false;
	}
	memset(numbers, 0xff, t->nr_caches * sizeof(*numbers));
	for (__u64 i = 0; i < t->nr_ops; i++) {
		if (t->ops[i].flags & GOSPAN_OP_CACHE)
			renumber_cache(t, &t->ops[i], numbers, &nr);
	}
	for (__u32 i = 0; i < t->nr_caches; i++) {
		if (numbers[i] == NO_CACHE) {
			free(t->cache_names[i]);
			continue;
		}
		caches[numbers[i]] = t->caches[i];
		names[numbers[i]] = t->cache_names[i];
	}
	free(numbers);
	free(t->caches);
	free(t->cache_names);
	t->caches = caches;
	t->cache_names = names;
	t->nr_caches = nr;
	return true;
}

/* Number CPUs without gaps. */
static bool pack_cpus(struct trace *t)
{
	__u16 *numbers = calloc(FTRACE_MAX_CPU + 1, sizeof(*numbers));

	if (!numbers)
		return false;
	for (__u64 i = 0; i < t->nr_ops; i++)
		numbers[t->ops[i].cpu] = 1;
	for (unsigned int cpu = 0; cpu <= FTRACE_MAX_CPU; cpu++) {
		if (numbers[cpu])
			numbers[cpu] = t->nr_cpus++;
	}
	for (__u64 i = 0; i < t->nr_ops; i++)
		t->ops[i].cpu = numbers[t->ops[i].cpu];
	free(numbers);
	return true;
}

/* The names of the callers become the trace's. */
static bool give_sites(struct ftrace *f)
{
	f->trace.sites = calloc((size_t)f->trace.nr_sites + 1, sizeof(*f->trace.sites));
	if (!f->trace.sites)
		return false;
	for (__u32 i = 0; i < f->trace.nr_sites; i++) {
		f->trace.sites[i] = f->sites[i]->name;
		f->sites[i]->name = NULL;
	}
	return true;
}

void trace_free(struct trace *trace)
{
	for (__u32 i = 0; trace->cache_names && i < trace->nr_caches; i++)
		free(trace->cache_names[i]);
	for (__u32 i = 0; trace->sites && i < trace->nr_sites; i++)
		free(trace->sites[i]);
	free(trace->cache_names);
	free(trace->caches);
	free(trace->sites);
	free(trace->notes);
	free(trace->ops);
	*trace = (struct trace){ 0 };
}

static void free_site(void *node)
{
	struct site *site = node;

	free(site->name);
	free(site);
}

bool ftrace_end(struct ftrace *f, struct trace *trace)
{
	bool done = true;

	if (f->line_bytes || f->too_long)
		done = read_line(f);
	if (done) {
		guess_caches(f);
		done = pack_caches(&f->trace) && pack_cpus(&f->trace) && give_sites(f);
	}
	*trace = f->trace;
	if (!done)
		trace_free(trace);
	tdestroy(f->object_tree, free);
	tdestroy(f->cache_tree, free);
	tdestroy(f->site_tree, free_site);
	free(f->sites);
	free(f->free_ids);
	free(f);
	return done;
}
