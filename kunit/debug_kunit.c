// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of objects with records: each way to misuse one, of classes of all kinds, in all
 * contexts, is found by the letters that claim it, and the report is right; and without
 * misuse nothing is.
 */
#include <kunit/test.h>
#include <linux/poison.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/cache.h"
#include "../src/debug.h"
#include "../src/malloc.h"
#include "../src/nolock.h"
#include "../src/validate.h"
#include "helper.h"
#include "misuse.h"

/* Objects allocated until one that was freed has to have come again. */
#define MAX_REUSE	2048U

static void do_free(void *data)
{
	gospan_free(data);
}

struct misuse_test {
	size_t size;
	enum gospan_kunit_context context;
	u8 *p, *q;		/* two live objects */
	size_t usable;		/* of each: what was asked for */
};

/* What is done; the report that has to follow, and where the damage is, from p on. */
struct misuse_kind {
	const char *name;
	const char *letters;
	enum gospan_verdict verdict;
	void (*fn)(struct misuse_test *t);
	bool (*is_claimed)(size_t size);	/* NULL: of any size */
	bool at_end;				/* offset counts from the end */
	int offset;
};

static bool is_small(size_t size)
{
	return size <= GOSPAN_MAX_SMALL_BYTES;
}

/* Has a class's object a red zone in front, wherever it is? */
static bool is_below_page(size_t size)
{
	return size < GOSPAN_PAGE_SIZE;
}

static void free_p(struct misuse_test *t)
{
	gospan_kunit_call_in(t->context, do_free, t->p);
}

static void free_twice(struct misuse_test *t)
{
	free_p(t);
	free_p(t);
}

static void free_twice_with_others_between(struct misuse_test *t)
{
	free_p(t);
	gospan_kunit_call_in(t->context, do_free, t->q);
	t->q = NULL;
	free_p(t);
}

static void free_inside(struct misuse_test *t)
{
	gospan_kunit_call_in(t->context, do_free, t->p + 1);
}

static void overrun(struct misuse_test *t)
{
	t->p[t->usable] ^= 0xff;
	free_p(t);
}

static void overrun_far(struct misuse_test *t)
{
	t->p[t->usable + GOSPAN_RED_BYTES - 1] ^= 0xff;
	free_p(t);
}

static void underrun(struct misuse_test *t)
{
	t->p[-1] ^= 0xff;
	free_p(t);
}

static void write_record(struct misuse_test *t)
{
	struct gospan_span *s = gospan_arena_span_of(&gospan_heap.arenas, t->p);
	struct gospan_record *r = gospan_record_of(s, t->p);

	memset(&r->mark, 0, sizeof(r->mark));
	free_p(t);
}

static void do_reuse(void *data)
{
	struct misuse_test *t = data;
	void *first = NULL, *next;
	unsigned int i, before = gospan_kunit_seen.nr;

	for (i = 0; i < MAX_REUSE && gospan_kunit_seen.nr == before; i++) {
		next = gospan_alloc(t->size, GFP_NOWAIT | __GFP_NOWARN);
		if (!next)
			break;
		*(void **)next = first;
		first = next;
	}
	for (; first; first = next) {
		next = *(void **)first;
		gospan_free(first);
	}
}

static void write_first_after_free(struct misuse_test *t)
{
	free_p(t);
	t->p[0] ^= 1;
	gospan_kunit_call_in(t->context, do_reuse, t);
}

static void write_last_after_free(struct misuse_test *t)
{
	free_p(t);
	t->p[t->usable - 1] ^= 1;
	gospan_kunit_call_in(t->context, do_reuse, t);
}

static const struct misuse_kind kinds[] = {
	{ "free_twice", "F", GOSPAN_FREE_DOUBLE, free_twice, is_small },
	{ "free_twice_with_others_between", "F", GOSPAN_FREE_DOUBLE,
	  free_twice_with_others_between, is_small },
	{ "free_inside", "F", GOSPAN_FREE_INTERIOR, free_inside, NULL, false, 1 },
	{ "overrun", "Z", GOSPAN_FREE_OVERRUN, overrun, NULL, true, 0 },
	{ "overrun_far", "Z", GOSPAN_FREE_OVERRUN, overrun_far, NULL, true,
	  GOSPAN_RED_BYTES - 1 },
	{ "underrun", "Z", GOSPAN_FREE_UNDERRUN, underrun, is_below_page, false, -1 },
	{ "write_first_after_free", "P", GOSPAN_ALLOC_WRITTEN, write_first_after_free, is_small },
	{ "write_last_after_free", "P", GOSPAN_ALLOC_WRITTEN, write_last_after_free, is_small,
	  true, -1 },
	{ "write_record", "F", GOSPAN_FREE_DAMAGED, write_record },
};

/* Those that fill their class or pages, and those that do not; of all kinds. */
static const size_t sizes[] = { 8, 13, 24, 64, 100, 1024, 4096, 5000, 8192, 32768, 32769, 65536 };

static void kind_name(const struct misuse_kind *kind, char *name)
{
	strscpy(name, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kinds, kind_name);

static void debug_set(struct kunit *test, const char *format, size_t size)
{
	char text[32];

	snprintf(text, sizeof(text), format, size);
	KUNIT_ASSERT_EQ(test, gospan_debug_set(text), 0);
}

static const char *what_of(size_t size)
{
	return is_small(size) ? "%zu" : "large";
}

static void letters_set(struct kunit *test, const char *letters, size_t size)
{
	char format[16];

	snprintf(format, sizeof(format), "%s,%s", letters, what_of(size));
	debug_set(test, format, size);
}

static void take_pair(struct kunit *test, struct misuse_test *t)
{
	/* Such as would share a block share none under debug. */
	t->p = gospan_alloc_noscan(t->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->p);
	t->q = gospan_alloc(t->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->q);
	t->usable = gospan_size(t->p);
	KUNIT_EXPECT_EQ(test, t->usable, t->size);
	memset(t->p, 0x77, t->usable);
	memset(t->q, 0x78, t->usable);
}

/* Is the report about what was done? */
static void expect_report(struct kunit *test, const struct misuse_kind *kind,
			  const struct misuse_test *t, const u8 *p)
{
	const u8 *where = p + kind->offset + (kind->at_end ? t->usable : 0);

	KUNIT_EXPECT_EQ_MSG(test, gospan_kunit_seen.nr, 1, "%zu bytes, %s", t->size,
			    gospan_kunit_context_names[t->context]);
	if (!gospan_kunit_seen.nr)
		return;
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, kind->verdict);
	KUNIT_EXPECT_PTR_EQ(test, gospan_kunit_seen.m.object, (const void *)p);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.bytes, t->size);
	if (kind->verdict == GOSPAN_FREE_DAMAGED)
		KUNIT_EXPECT_PTR_EQ(test, gospan_kunit_seen.m.p,
				    (const void *)gospan_kunit_seen.m.record);
	else
		KUNIT_EXPECT_PTR_EQ(test, gospan_kunit_seen.m.p, (const void *)where);
	KUNIT_ASSERT_NOT_NULL(test, gospan_kunit_seen.m.record);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.record.alloc.pid, current->pid);
	KUNIT_EXPECT_NE(test, gospan_kunit_seen.record.alloc.ns, 0);
	if (kind->verdict != GOSPAN_FREE_DAMAGED && strchr(kind->name, '_') &&
	    strstr(kind->name, "free") && kind->verdict != GOSPAN_FREE_INTERIOR)
		KUNIT_EXPECT_GE(test, gospan_kunit_seen.record.free.ns,
				gospan_kunit_seen.record.alloc.ns);
}

static void misuse_once(struct kunit *test, const struct misuse_kind *kind, size_t size,
			enum gospan_kunit_context context)
{
	struct misuse_test t = { .size = size, .context = context };
	u8 *p;

	letters_set(test, kind->letters, size);
	take_pair(test, &t);
	p = t.p;
	gospan_kunit_listen();
	kind->fn(&t);
	gospan_kunit_unlisten();
	expect_report(test, kind, &t, p);
	if (kind->verdict == GOSPAN_FREE_INTERIOR)
		gospan_free(t.p);
	if (kind->verdict == GOSPAN_FREE_DAMAGED)
		gospan_record_lose(gospan_record_of(gospan_arena_span_of(&gospan_heap.arenas, p),
						    p));
	gospan_free(t.q);
	gospan_debug_find_lost(GOSPAN_SPANCLASS_NONE);
	letters_set(test, "-", size);
}

/* Each kind of misuse is found, by the letter alone that claims it. */
static void misuse_is_found(struct kunit *test)
{
	const struct misuse_kind *kind = test->param_value;
	enum gospan_kunit_context context;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (context = 0; context < GOSPAN_KUNIT_NR_CONTEXTS; context++)
			if (!kind->is_claimed || kind->is_claimed(sizes[i]))
				misuse_once(test, kind, sizes[i], context);
}

/* gospan_size() and gospan_realloc() of what is no live object. */
static void size_and_realloc_of_no_object(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	u8 *p;

	debug_set(test, "F,%zu", 64);
	p = gospan_alloc(60, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gospan_kunit_listen();
	KUNIT_EXPECT_EQ(test, gospan_size(p + 8), 0);
	KUNIT_EXPECT_NULL(test, gospan_realloc(p + 8, 100, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, GOSPAN_FREE_INTERIOR);
	gospan_free(p);
	KUNIT_EXPECT_EQ(test, gospan_size(p), 0);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, GOSPAN_FREE_DOUBLE);
	KUNIT_EXPECT_NULL(test, gospan_realloc(p, 100, GFP_KERNEL));
	gospan_kunit_unlisten();
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 4);
	debug_set(test, "-,%zu", 64);
}

/* What is freed reads as poison, until it is handed out again. */
static void freed_is_poison(struct kunit *test)
{
	u8 *p;

	debug_set(test, "P,%zu", 100);
	p = gospan_alloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gospan_free(p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, POISON_FREE, 99));
	KUNIT_EXPECT_EQ(test, p[99], POISON_END);
	debug_set(test, "-,%zu", 100);
}

struct random_object {
	u8 *p;
	size_t size;
	u8 value;
};

#define NR_RANDOM	200U
#define RANDOM_STEPS	20000U

static void random_step(struct kunit *test, struct rnd_state *rnd, struct random_object *o)
{
	unsigned int i = gospan_kunit_below(rnd, gospan_kunit_nr_sizes);
	size_t size = gospan_kunit_sizes[i], kept;
	u8 *p;

	if (!o->p) {
		o->size = size;
		o->value = prandom_u32_state(rnd);
		o->p = gospan_alloc(size, gospan_kunit_below(rnd, 2) ? GFP_KERNEL :
				    GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, o->p);
		KUNIT_EXPECT_GE(test, gospan_size(o->p), size);
		memset(o->p, o->value, size);
		return;
	}
	kept = min(o->size, size);
	KUNIT_EXPECT_NULL(test, memchr_inv(o->p, o->value, o->size));
	if (gospan_kunit_below(rnd, 4)) {
		gospan_free(o->p);
		o->p = NULL;
		return;
	}
	p = gospan_realloc(o->p, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, o->value, kept));
	*o = (struct random_object){ .p = p, .size = size, .value = o->value };
	memset(p, o->value, size);
}

/* Without misuse nothing is found, while letters come and go. */
static void nothing_is_found_without_misuse(struct kunit *test)
{
	static const char *const texts[] = { "FZPU", "-", "Z", "P,64,1024,large", "FU", "" };
	struct random_object *o = kunit_kcalloc(test, NR_RANDOM, sizeof(*o), GFP_KERNEL);
	unsigned long before = gospan_report_count();
	struct rnd_state rnd;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, o);
	gospan_kunit_seed(test, &rnd);
	for (i = 0; i < RANDOM_STEPS; i++) {
		if (i % 1000 == 0)
			debug_set(test, texts[i / 1000 % ARRAY_SIZE(texts)], 0);
		random_step(test, &rnd, &o[gospan_kunit_below(&rnd, NR_RANDOM)]);
	}
	for (i = 0; i < NR_RANDOM; i++)
		gospan_free(o[i].p);
	debug_set(test, "-", 0);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* The objects of a bulk call have records, too. */
static void bulk_is_under_debug(struct kunit *test)
{
	void *p[16];
	unsigned int i;

	debug_set(test, "FZPU,%zu", 200);
	KUNIT_ASSERT_EQ(test, gospan_alloc_bulk(200, GFP_KERNEL, ARRAY_SIZE(p), p),
			ARRAY_SIZE(p));
	for (i = 0; i < ARRAY_SIZE(p); i++)
		KUNIT_EXPECT_EQ(test, gospan_size(p[i]), 200);
	((u8 *)p[5])[200] = 0;
	gospan_kunit_listen();
	gospan_free_bulk(ARRAY_SIZE(p), p);
	gospan_kunit_unlisten();
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, GOSPAN_FREE_OVERRUN);
	gospan_debug_find_lost(GOSPAN_SPANCLASS_NONE);
	debug_set(test, "-,%zu", 200);
}

static void bulk_of_ctor(void *obj)
{
	memset(obj, 0x11, 48);
}

/* Caches that are made with SLUB's flags; what is constructed stays so. */
static void cache_is_under_debug(struct kunit *test)
{
	static void (*const ctors[])(void *obj) = { NULL, bulk_of_ctor };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ctors); i++) {
		struct gospan_cache *cache = gospan_cache_create("debugged", 48, 0,
				SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON |
				SLAB_STORE_USER, ctors[i]);
		u8 *p;

		KUNIT_ASSERT_NOT_NULL(test, cache);
		p = gospan_cache_alloc(cache, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		if (ctors[i])
			KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x11, 48));
		gospan_cache_free(cache, p);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, ctors[i] ? 0x11 : POISON_FREE, 47));
		p = gospan_cache_alloc(cache, GFP_KERNEL);
		p[48] = 1;
		gospan_kunit_seen.nr = 0;
		gospan_kunit_listen();
		gospan_cache_free(cache, p);
		KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 1);
		KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, GOSPAN_FREE_OVERRUN);
		gospan_cache_free(cache, p);
		gospan_kunit_unlisten();
		KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 2);
		KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, GOSPAN_FREE_DOUBLE);
		gospan_cache_destroy(cache);
	}
}

/* Sums that overflow ask for that much. */
static void large_overflows(struct kunit *test)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 7, SIZE_MAX - 80 };
	unsigned int i;

	debug_set(test, "F,large", 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_NULL(test, gospan_alloc(sizes[i], GFP_KERNEL | __GFP_NOWARN));
	debug_set(test, "-,large", 0);
}

/* What is constructed stays so when less of it is asked for. */
static void realloc_keeps_what_is_constructed(struct kunit *test)
{
	struct gospan_cache *cache = gospan_cache_create("debugged", 48, 0, SLAB_RED_ZONE,
							 bulk_of_ctor);
	u8 *p;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	p = gospan_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_PTR_EQ(test, gospan_realloc(p, 20, GFP_KERNEL), (void *)p);
	gospan_cache_free(cache, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x11, 48));
	gospan_cache_destroy(cache);
}

/* What is moved holds as few pointers as before. */
static void realloc_keeps_noscan(struct kunit *test)
{
	static const size_t sizes[] = { 100, 1000, 40000, 100000 };
	void *noscan, *scan;
	unsigned int i;

	debug_set(test, "F", 0);
	noscan = gospan_alloc_noscan(64, GFP_KERNEL);
	scan = gospan_alloc(64, GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		noscan = gospan_realloc(noscan, sizes[i], GFP_KERNEL);
		scan = gospan_realloc(scan, sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, noscan);
		KUNIT_ASSERT_NOT_NULL(test, scan);
		KUNIT_EXPECT_TRUE_MSG(test, gospan_debug_is_noscan(noscan), "%zu bytes", sizes[i]);
		KUNIT_EXPECT_FALSE_MSG(test, gospan_debug_is_noscan(scan), "%zu bytes", sizes[i]);
	}
	gospan_free(noscan);
	gospan_free(scan);
	debug_set(test, "-", 0);
}

/* A record that says nothing sensible is not relied on. */
static void record_overwritten_while_free(struct kunit *test)
{
	struct misuse_test t = { .size = 100 };
	void *p;

	debug_set(test, "Z,%zu", 100);
	p = gospan_alloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gospan_free(p);
	memset(gospan_record_of(gospan_arena_span_of(&gospan_heap.arenas, p), p), 0xff,
	       sizeof(struct gospan_record));
	gospan_kunit_listen();
	do_reuse(&t);
	gospan_kunit_unlisten();
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, GOSPAN_FREE_DAMAGED);
	gospan_debug_find_lost(GOSPAN_SPANCLASS_NONE);
	debug_set(test, "-,%zu", 100);
}

/* Whoever draws an object may ask for more than who reserved it, within its class. */
static void reserved_has_all_of_its_class(struct kunit *test)
{
	const struct gospan_reserve_item item = { .size = 40, .count = 1 };
	struct gospan_reservation r;
	u8 *p;

	debug_set(test, "FZ,%zu", 48);
	gospan_reservation_init(&r);
	KUNIT_ASSERT_EQ(test, gospan_reserve(&r, &item, 1, GFP_KERNEL), 0);
	p = gospan_alloc_reserved(&r, 47, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_GE(test, gospan_size(p), 47);
	memset(p, 0x77, 47);
	gospan_kunit_listen();
	gospan_free(p);
	gospan_kunit_unlisten();
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 0);
	gospan_unreserve(&r);
	debug_set(test, "-,%zu", 48);
}

/* Nor do objects of the CPUs' reserves have records: they have been asked for by nobody. */
static void nolock_has_no_record(struct kunit *test)
{
	struct gospan_span *s;
	void *objs[64];
	unsigned int i;

	debug_set(test, "F,%zu", 64);
	KUNIT_ASSERT_EQ(test, gospan_nolock_init(), 0);
	for (i = 0; i < ARRAY_SIZE(objs); i++) {
		objs[i] = gospan_alloc_nolock(64, 0);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
		s = gospan_arena_span_of(&gospan_heap.arenas, objs[i]);
		KUNIT_EXPECT_NULL(test, gospan_record_of(s, objs[i]));
		/* What was taken is there again. */
		gospan_nolock_sync();
	}
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		gospan_free(objs[i]);
	gospan_nolock_exit();
	debug_set(test, "-,%zu", 64);
}

/*
 * A large object that is put off, and has come to be smaller than what it is linked by:
 * that was written behind it, and found there.
 */
static void nolock_links_by_record(struct kunit *test)
{
	unsigned long misuses = gospan_report_count();
	const size_t sizes[] = { 1, 7, 8, 40000 };
	unsigned int i;
	void *p;

	KUNIT_ASSERT_EQ(test, gospan_nolock_create(0), 0);
	debug_set(test, "FZP,large", 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = gospan_alloc(50000, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_PTR_EQ(test, gospan_realloc(p, sizes[i], GFP_KERNEL), p);
		gospan_free_nolock(p);
		gospan_nolock_sync();
		KUNIT_EXPECT_FALSE(test, gospan_owns(p));
	}
	KUNIT_EXPECT_EQ(test, gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED), ARRAY_SIZE(sizes));
	gospan_nolock_exit();
	debug_set(test, "-", 0);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), misuses);
}

/* Nothing behind the last semicolon is no clause. */
static void set_ends_in_semicolon(struct kunit *test)
{
	debug_set(test, "F,%zu;", 64);
	KUNIT_EXPECT_TRUE(test, gospan_debug_has_class(64));
	KUNIT_EXPECT_FALSE(test, gospan_debug_has_class(128));
	debug_set(test, "-", 0);
}

static void set_refuses(struct kunit *test)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{ "X", -EINVAL }, { "FZ,", -EINVAL }, { "F,0", -EINVAL }, { "F,32769", -EINVAL },
		{ "F,64,nothing", -ENOENT }, { "-,64;Q", -EINVAL }, { "--", -EINVAL },
	};
	char text[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		strscpy(text, rows[i].text, sizeof(text));
		KUNIT_EXPECT_EQ_MSG(test, gospan_debug_set(text), rows[i].err, "%s", rows[i].text);
	}
	debug_set(test, "-", 0);
}

static struct kunit_case debug_cases[] = {
	KUNIT_CASE_PARAM(misuse_is_found, kind_gen_params),
	KUNIT_CASE(size_and_realloc_of_no_object),
	KUNIT_CASE(freed_is_poison),
	KUNIT_CASE(nothing_is_found_without_misuse),
	KUNIT_CASE(bulk_is_under_debug),
	KUNIT_CASE(cache_is_under_debug),
	KUNIT_CASE(large_overflows),
	KUNIT_CASE(reserved_has_all_of_its_class),
	KUNIT_CASE(nolock_has_no_record),
	KUNIT_CASE(nolock_links_by_record),
	KUNIT_CASE(realloc_keeps_what_is_constructed),
	KUNIT_CASE(realloc_keeps_noscan),
	KUNIT_CASE(record_overwritten_while_free),
	KUNIT_CASE(set_ends_in_semicolon),
	KUNIT_CASE(set_refuses),
	{}
};

static struct kunit_suite debug_suite = {
	.name = "gospan_debug",
	.init = gospan_kunit_init,
	.suite_exit = gospan_kunit_debug_exit,
	.test_cases = debug_cases,
};

kunit_test_suite(debug_suite);
