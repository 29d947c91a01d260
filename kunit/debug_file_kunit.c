// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what debug modes say in files and in the log, and of the quarantine.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/debug.h"
#include "../src/guard.h"
#include "../src/origin.h"
#include "helper.h"
#include "misuse.h"

#define NR_OBJECTS	32
#define TEXT_BYTES	SZ_64K

static void debug_set(struct kunit *test, const char *text)
{
	char copy[32];

	KUNIT_ASSERT_GT(test, strscpy(copy, text, sizeof(copy)), 0);
	KUNIT_ASSERT_EQ(test, gospan_debug_set(copy), 0);
}

/* A file that is read at once. */
static struct seq_file *file_open(struct kunit *test)
{
	struct seq_file *file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, file);
	file->size = TEXT_BYTES;
	file->buf = kunit_kzalloc(test, file->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, file->buf);
	return file;
}

static void expect_text(struct kunit *test, struct seq_file *file, const char *text)
{
	KUNIT_ASSERT_LT(test, file->count, file->size);
	file->buf[file->count] = '\0';
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(file->buf, text), "no %s in %s", text, file->buf);
}

static void letters_are_shown(struct kunit *test)
{
	struct seq_file *file = file_open(test);

	debug_set(test, "FZ,64;U,large;,128");
	gospan_debug_show(file);
	debug_set(test, "-");
	expect_text(test, file, "U,large\nFZ,64\nFZPU,128\n");
	file = file_open(test);
	gospan_debug_show(file);
	KUNIT_EXPECT_EQ(test, file->count, 0);
}

/* By who allocated them, most bytes first; where nobody knows who, together. */
static void live_objects_are_shown(struct kunit *test)
{
	struct seq_file *file = file_open(test);
	void *objs[NR_OBJECTS], *other;
	unsigned int i;
	char *most;

	debug_set(test, "U,64;F,1024");
	for (i = 0; i < NR_OBJECTS; i++)
		objs[i] = gospan_alloc(50, GFP_KERNEL);
	other = gospan_alloc(1000, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, gospan_debug_show_live(file), 0);
	if (GOSPAN_ORIGIN_HAS_STACKS) {
		expect_text(test, file, "1600 bytes in 32 objects, the oldest of ");
		expect_text(test, file, "1000 bytes in 1 objects, the oldest of ");
		expect_text(test, file, "live_objects_are_shown");
	} else {
		expect_text(test, file, "2600 bytes in 33 objects, the oldest of ");
	}
	most = strstr(file->buf, GOSPAN_ORIGIN_HAS_STACKS ? "1600 bytes" : "2600 bytes");
	KUNIT_EXPECT_PTR_EQ(test, most, file->buf);
	for (i = 0; i < NR_OBJECTS; i++)
		gospan_free(objs[i]);
	gospan_free(other);
	file = file_open(test);
	KUNIT_EXPECT_EQ(test, gospan_debug_show_live(file), 0);
	KUNIT_EXPECT_EQ(test, file->count, 0);
	debug_set(test, "-");
}

/* An address is no handle of a stack, low as it may be. */
static void callers_are_shown(struct kunit *test)
{
	struct seq_file *file = file_open(test);

	gospan_origin_show(file, (unsigned long)callers_are_shown);
	expect_text(test, file, "callers_are_shown");
}

static void guards_are_shown(struct kunit *test)
{
	struct seq_file *file = file_open(test);

	gospan_guard_show(file);
	expect_text(test, file, "objects 0\nlive 0\ntaken ");
}

/* Into the log, where tools/check --only misuse looks at it; here it has to come to an end. */
static void reports_are_printed(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	u8 *p;

	debug_set(test, "FZU,64");
	p = gospan_alloc(60, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gospan_free(p + 8);
	p[60] ^= 1;
	gospan_free(p);
	gospan_free(p);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 3);
	KUNIT_EXPECT_EQ(test, gospan_debug_find_lost(GOSPAN_SPANCLASS_NONE), 1);
	debug_set(test, "-");
}

/* The first that are freed are the first that leave; none that wait are handed out. */
static void quarantine_is_first_in_first_out(struct kunit *test)
{
	void *objs[NR_OBJECTS], *p;
	unsigned int i, n;

	debug_set(test, "F,64");
	WRITE_ONCE(gospan_debug_quarantine_bytes, NR_OBJECTS / 2 * 64);
	for (i = 0; i < NR_OBJECTS; i++) {
		objs[i] = gospan_alloc(64, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	gospan_kunit_listen();
	for (i = 0; i < NR_OBJECTS; i++)
		gospan_free(objs[i]);
	gospan_free(objs[NR_OBJECTS - 1]);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 1);
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.m.verdict, GOSPAN_FREE_DOUBLE);
	/* All that are free are handed out, and more; but none of the last half. */
	for (n = 0; n < 2 * NR_OBJECTS; n++) {
		p = gospan_alloc(64, GFP_KERNEL);
		for (i = NR_OBJECTS / 2; i < NR_OBJECTS; i++)
			KUNIT_EXPECT_PTR_NE(test, p, objs[i]);
		gospan_free(p);
		/* It waits now, and the oldest does not any more. */
		objs[NR_OBJECTS / 2 + n % (NR_OBJECTS / 2)] = p;
	}
	/* What waited longer than is allowed now leaves with the next free. */
	WRITE_ONCE(gospan_debug_quarantine_bytes, 0);
	gospan_free(gospan_alloc(64, GFP_KERNEL));
	gospan_debug_flush();
	debug_set(test, "-");
	KUNIT_EXPECT_EQ(test, gospan_kunit_seen.nr, 1);
	gospan_kunit_unlisten();
}

static struct kunit_case debug_file_cases[] = {
	KUNIT_CASE(letters_are_shown),
	KUNIT_CASE(live_objects_are_shown),
	KUNIT_CASE(callers_are_shown),
	KUNIT_CASE(guards_are_shown),
	KUNIT_CASE(reports_are_printed),
	KUNIT_CASE(quarantine_is_first_in_first_out),
	{}
};

static struct kunit_suite debug_file_suite = {
	.name = "gospan_debug_file",
	.init = gospan_kunit_init,
	.suite_exit = gospan_kunit_debug_exit,
	.test_cases = debug_file_cases,
};

kunit_test_suite(debug_file_suite);
