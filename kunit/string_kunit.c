// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of objects that are filled from memory or by a format, each against
 * what the kernel's function of the same name does, and of the wiping free.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "../src/report.h"
#include "helper.h"

#define JUNK	0xa5
#define BYTES	200000

/* As long as the longest string; no two bytes in a row are the same, none is NUL. */
static char *make_text(struct kunit *test)
{
	char *text = kunit_kmalloc(test, BYTES + 1, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < BYTES; i++)
		text[i] = 'a' + i % 23;
	text[BYTES] = '\0';
	return text;
}

static void memdup_every_size(struct kunit *test)
{
	char *text = make_text(test);
	unsigned int i;

	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		size_t len = gospan_kunit_sizes[i];
		char *p = gospan_memdup(text + 1, len, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, gospan_size(p), gospan_size_roundup(len));
		KUNIT_EXPECT_EQ_MSG(test, memcmp(p, text + 1, len), 0, "%zu bytes", len);
		gospan_free(p);
	}
	KUNIT_EXPECT_PTR_EQ(test, gospan_memdup(text, 0, GFP_KERNEL), ZERO_SIZE_PTR);
}

static void memdup_nul_every_size(struct kunit *test)
{
	char *text = make_text(test);
	unsigned int i;

	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		size_t len = gospan_kunit_sizes[i] - 1;
		char *p = gospan_memdup_nul(text, len, GFP_ATOMIC);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, gospan_size(p), gospan_size_roundup(len + 1));
		KUNIT_EXPECT_EQ(test, strlen(p), len);
		KUNIT_EXPECT_EQ(test, memcmp(p, text, len), 0);
		gospan_free(p);
	}
}

struct string_case {
	const char *name;
	const char *s;
	size_t max;
};

static const struct string_case string_cases_table[] = {
	{ "null", NULL, 5 },
	{ "empty", "", 5 },
	{ "empty_none", "", 0 },
	{ "none_of_some", "kernel", 0 },
	{ "start", "kernel", 3 },
	{ "all_but_one", "kernel", 5 },
	{ "all", "kernel", 6 },
	{ "nul_too", "kernel", 7 },
	{ "more", "kernel", 1000 },
	{ "unbounded", "a string that takes up some more than a word", SIZE_MAX },
	{ "nul_inside", "abc\0def", 7 },
};

static void string_case_name(const struct string_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(string, string_cases_table, string_case_name);

static void expect_same(struct kunit *test, char *p, char *oracle)
{
	if (!oracle) {
		KUNIT_EXPECT_NULL(test, p);
		return;
	}
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, p, oracle);
	KUNIT_EXPECT_EQ(test, gospan_size(p), gospan_size_roundup(strlen(oracle) + 1));
	gospan_free(p);
	kfree(oracle);
}

static void strdup_as_kstrdup(struct kunit *test)
{
	const struct string_case *c = test->param_value;

	expect_same(test, gospan_strdup(c->s, GFP_KERNEL), kstrdup(c->s, GFP_KERNEL));
}

static void strndup_as_kstrndup(struct kunit *test)
{
	const struct string_case *c = test->param_value;

	expect_same(test, gospan_strndup(c->s, c->max, GFP_KERNEL),
		    kstrndup(c->s, c->max, GFP_KERNEL));
}

/* Bytes behind @max, which there are not: the sanitizer would see them read. */
static void strndup_without_nul(struct kunit *test)
{
	char *exact = kmalloc(8, GFP_KERNEL), *p;

	KUNIT_ASSERT_NOT_NULL(test, exact);
	memset(exact, 'x', 8);
	p = gospan_strndup(exact, 8, GFP_KERNEL);
	kfree(exact);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, p, "xxxxxxxx");
	gospan_free(p);
}

static void dup_without_memory(struct kunit *test)
{
	char *text = make_text(test);

	KUNIT_EXPECT_NULL(test, gospan_memdup(text, KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gospan_memdup(text, 10, GFP_KERNEL | __GFP_DMA));
	/* With the NUL it would be of no size at all. */
	KUNIT_EXPECT_NULL(test, gospan_memdup_nul(text, SIZE_MAX, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gospan_memdup_nul(text, KMALLOC_MAX_SIZE, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gospan_strdup(text, GFP_KERNEL | __GFP_DMA));
	KUNIT_EXPECT_NULL(test, gospan_strndup(text, 5, GFP_KERNEL | __GFP_DMA));
	KUNIT_EXPECT_NULL(test, gospan_asprintf(GFP_KERNEL | __GFP_DMA, "%s", text));
}

static void asprintf_as_kasprintf(struct kunit *test)
{
	char *text = make_text(test);

	expect_same(test, gospan_asprintf(GFP_KERNEL, "no argument"),
		    kasprintf(GFP_KERNEL, "no argument"));
	expect_same(test, gospan_asprintf(GFP_KERNEL, "%s", ""), kasprintf(GFP_KERNEL, "%s", ""));
	expect_same(test, gospan_asprintf(GFP_ATOMIC, "%s", text),
		    kasprintf(GFP_KERNEL, "%s", text));
	expect_same(test, gospan_asprintf(GFP_KERNEL, "%5d|%-8s|%#lx|%pe", -42, "left", 0xbeefUL,
					  ERR_PTR(-ENOMEM)),
		    kasprintf(GFP_KERNEL, "%5d|%-8s|%#lx|%pe", -42, "left", 0xbeefUL,
			      ERR_PTR(-ENOMEM)));
	/* A whole object, and one byte more. */
	expect_same(test, gospan_asprintf(GFP_KERNEL, "%015d", 7),
		    kasprintf(GFP_KERNEL, "%015d", 7));
	expect_same(test, gospan_asprintf(GFP_KERNEL, "%016d", 7),
		    kasprintf(GFP_KERNEL, "%016d", 7));
}

static void free_sensitive_wipes(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < gospan_kunit_nr_sizes; i++) {
		size_t size = gospan_kunit_sizes[i], usable = gospan_size_roundup(size);
		u8 *p = gospan_alloc(usable, GFP_KERNEL), *q;

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, JUNK, usable);
		gospan_free_sensitive(p);
		/* What is free is in a magazine, or in pages of ours, as it was left. */
		q = gospan_alloc(usable, GFP_KERNEL);
		KUNIT_ASSERT_PTR_EQ(test, q, p);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(q, 0, usable), "%zu bytes", usable);
		gospan_free(q);
	}
}

/* Not even the first byte of what is not an object is written. */
static void free_sensitive_misuse(struct kunit *test)
{
	unsigned long before = gospan_report_count();
	u8 *p = gospan_alloc(200, GFP_KERNEL), *kmalloced = kunit_kmalloc(test, 64, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, p && kmalloced);
	gospan_free_sensitive(NULL);
	gospan_free_sensitive(ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
	memset(p, JUNK, 200);
	memset(kmalloced, JUNK, 64);
	gospan_free_sensitive(p + 8);
	gospan_free_sensitive(kmalloced);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 2);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, JUNK, 200));
	KUNIT_EXPECT_NULL(test, memchr_inv(kmalloced, JUNK, 64));
	gospan_free_sensitive(p);
}

static struct kunit_case string_cases[] = {
	KUNIT_CASE(memdup_every_size),
	KUNIT_CASE(memdup_nul_every_size),
	KUNIT_CASE_PARAM(strdup_as_kstrdup, string_gen_params),
	KUNIT_CASE_PARAM(strndup_as_kstrndup, string_gen_params),
	KUNIT_CASE(strndup_without_nul),
	KUNIT_CASE(dup_without_memory),
	KUNIT_CASE(asprintf_as_kasprintf),
	KUNIT_CASE(free_sensitive_wipes),
	KUNIT_CASE(free_sensitive_misuse),
	{}
};

static struct kunit_suite string_suite = {
	.name = "gospan_string",
	.init = gospan_kunit_init,
	.test_cases = string_cases,
};

kunit_test_suite(string_suite);
