// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the size classes: every row again from the rule that Go publishes,
 * and every size looked up.
 */
#include <kunit/test.h>
#include "../src/malloc.h"

#define GO_PAGE_BYTES	8192U

struct rule_row {
	unsigned int bytes;
	unsigned int npages;
};

/* Step between candidates, from @bytes on. */
static unsigned int rule_step(unsigned int bytes, unsigned int step)
{
	if (!is_power_of_2(bytes))
		return step;
	if (bytes >= 2048)
		return 256;
	if (bytes >= 128)
		return bytes / 8;
	if (bytes >= 32)
		return 16;
	return step;
}

/* Fewest pages of which at most an eighth is left over. */
static unsigned int rule_npages(unsigned int bytes)
{
	unsigned int npages = 1;

	while (npages * GO_PAGE_BYTES % bytes > npages * GO_PAGE_BYTES / 8)
		npages++;
	return npages;
}

/* Fills @row from 1 on; returns the number of the last row. */
static unsigned int rule_apply(struct rule_row *row, unsigned int max_rows)
{
	unsigned int step = 8, nr = 0, bytes, i;

	for (bytes = 8; bytes <= 32768; bytes += step) {
		unsigned int npages = rule_npages(bytes);
		unsigned int span = npages * GO_PAGE_BYTES;

		step = rule_step(bytes, step);
		/* As many objects as the smaller class before has: drop that one. */
		if (nr && row[nr].npages == npages && span / bytes == span / row[nr].bytes)
			nr--;
		if (++nr == max_rows)
			return nr;
		row[nr].bytes = bytes;
		row[nr].npages = npages;
	}
	/* What is left over is shared out, in multiples of 128. */
	for (i = 1; i <= nr; i++) {
		unsigned int span = row[i].npages * GO_PAGE_BYTES;
		unsigned int larger = span / (span / row[i].bytes) / 128 * 128;

		row[i].bytes = max(row[i].bytes, larger);
	}
	return nr;
}

static void class_table_follows_rule(struct kunit *test)
{
	struct rule_row *row = kunit_kcalloc(test, 128, sizeof(*row), GFP_KERNEL);
	unsigned int sizeclass;

	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_ASSERT_EQ(test, rule_apply(row, 128), GOSPAN_NR_SIZECLASSES - 1);
	KUNIT_EXPECT_EQ(test, gospan_class_to_bytes[0], 0);
	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		u64 bytes = row[sizeclass].bytes;

		KUNIT_EXPECT_EQ_MSG(test, gospan_class_to_bytes[sizeclass], bytes,
				    "class %u", sizeclass);
		KUNIT_EXPECT_EQ_MSG(test, gospan_class_to_npages8k[sizeclass],
				    row[sizeclass].npages, "class %u", sizeclass);
		KUNIT_EXPECT_EQ_MSG(test, (u64)gospan_class_to_divmagic[sizeclass],
				    div64_u64((1ULL << 32) + bytes - 1, bytes),
				    "class %u", sizeclass);
	}
}

/* As printed in Go's sizeclasses.go. */
static void class_table_has_well_known_rows(struct kunit *test)
{
	static const struct {
		unsigned int sizeclass, bytes, npages8k, nelems8k;
	} known[] = {
		{ 1, 8, 1, 1024 }, { 2, 16, 1, 512 }, { 3, 24, 1, 341 }, { 4, 32, 1, 256 },
		{ 5, 48, 1, 170 }, { 6, 64, 1, 128 }, { 7, 80, 1, 102 }, { 10, 128, 1, 64 },
		{ 18, 256, 1, 32 }, { 26, 512, 1, 16 }, { 32, 1024, 1, 8 },
		{ 35, 1408, 2, 11 }, { 41, 3072, 3, 8 }, { 44, 4096, 1, 2 },
		{ 49, 6784, 5, 6 }, { 50, 6912, 6, 7 }, { 51, 8192, 1, 1 },
		{ 52, 9472, 7, 6 }, { 59, 16384, 2, 1 }, { 60, 18432, 9, 4 },
		{ 65, 27264, 10, 3 }, { 66, 28672, 7, 2 }, { 67, 32768, 4, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		unsigned int sizeclass = known[i].sizeclass;

		KUNIT_EXPECT_EQ(test, gospan_class_to_bytes[sizeclass], known[i].bytes);
		KUNIT_EXPECT_EQ(test, gospan_class_to_npages8k[sizeclass], known[i].npages8k);
		if (GOSPAN_PAGE_SIZE == GO_PAGE_BYTES)
			KUNIT_EXPECT_EQ(test, gospan_class_nelems(sizeclass), known[i].nelems8k);
	}
}

/* The smallest class that is large enough, found by looking at all of them. */
static void size_to_class_every_size(struct kunit *test)
{
	size_t size;

	for (size = 0; size <= GOSPAN_MAX_SMALL_BYTES; size++) {
		unsigned int sizeclass = 0;

		while (gospan_class_to_bytes[sizeclass] < size)
			sizeclass++;
		if (gospan_size_to_class(size) != sizeclass) {
			KUNIT_FAIL(test, "size %zu: class %u, not %u", size,
				   gospan_size_to_class(size), sizeclass);
			return;
		}
	}
}

/* Compiled here for sizes that are not constant, too. */
static void sizeclass_of_every_size(struct kunit *test)
{
	size_t size;

	for (size = 0; size <= GOSPAN_MAX_SMALL_BYTES; size++) {
		if (gospan_sizeclass_of(size) != gospan_size_to_class(size)) {
			KUNIT_FAIL(test, "%zu bytes: %u, not %u", size, gospan_sizeclass_of(size),
				   gospan_size_to_class(size));
			return;
		}
	}
	KUNIT_EXPECT_EQ(test, gospan_sizeclass_of(GOSPAN_MAX_SMALL_BYTES + 1), 0);
	KUNIT_EXPECT_EQ(test, gospan_sizeclass_of(SIZE_MAX), 0);
}

static void divmagic_every_offset(struct kunit *test)
{
	unsigned int sizeclass;
	u64 offset, bytes;

	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		u64 magic = gospan_class_to_divmagic[sizeclass];
		u64 quotient = 0, rest = 0;

		bytes = gospan_class_to_bytes[sizeclass];
		for (offset = 0; offset < gospan_class_npages(sizeclass) * GOSPAN_PAGE_SIZE;
		     offset++) {
			if (offset * magic >> 32 != quotient) {
				KUNIT_FAIL(test, "class %u: offset %llu", sizeclass, offset);
				return;
			}
			if (++rest == bytes) {
				rest = 0;
				quotient++;
			}
		}
	}
}

static void class_nelems_fill_span(struct kunit *test)
{
	unsigned int sizeclass;

	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		unsigned long span = gospan_class_npages(sizeclass) * GOSPAN_PAGE_SIZE;
		unsigned long bytes = gospan_class_to_bytes[sizeclass];
		unsigned long used = gospan_class_nelems(sizeclass) * bytes;

		KUNIT_EXPECT_LE(test, used, span);
		KUNIT_EXPECT_LT(test, span - used, bytes);
		KUNIT_EXPECT_LE(test, span - used, span / 8);
	}
}

/* A power of two never straddles its own multiples, wherever its span may start. */
static void class_align_npages_powers_of_two(struct kunit *test)
{
	unsigned int sizeclass;

	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		unsigned long bytes = gospan_class_to_bytes[sizeclass];
		unsigned long align = gospan_class_align_npages(sizeclass) * GOSPAN_PAGE_SIZE;

		KUNIT_EXPECT_TRUE(test, is_power_of_2(align));
		if (is_power_of_2(bytes))
			KUNIT_EXPECT_EQ(test, align, max(bytes, GOSPAN_PAGE_SIZE));
		else
			KUNIT_EXPECT_EQ(test, align, GOSPAN_PAGE_SIZE);
	}
}

static void class_batch_bounds(struct kunit *test)
{
	unsigned int sizeclass;

	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		unsigned int batch = gospan_class_batch(sizeclass);
		unsigned int bytes = gospan_class_to_bytes[sizeclass];
		unsigned int spanclass = gospan_make_spanclass(sizeclass, false);
		unsigned int whole = gospan_spanclass_whole(spanclass);
		struct gospan_class row = { .sizeclass = sizeclass };

		gospan_malloc_class_info(&row);
		KUNIT_EXPECT_GE(test, batch, 2U);
		KUNIT_EXPECT_LE(test, batch, GOSPAN_MAX_BATCH);
		if (batch > 2)
			KUNIT_EXPECT_LE(test, batch * bytes, (unsigned int)GOSPAN_BATCH_BYTES);
		KUNIT_EXPECT_GE(test, gospan_bytes_first_batch(bytes), 1U);
		KUNIT_EXPECT_LE(test, gospan_bytes_first_batch(bytes), batch);
		KUNIT_EXPECT_EQ(test, whole % batch, 0);
		KUNIT_EXPECT_GE(test, whole, 2 * batch);
		KUNIT_EXPECT_LE(test, whole, 2 * GOSPAN_MAX_BATCH);
		KUNIT_EXPECT_LE(test, whole * bytes, (unsigned int)GOSPAN_WHOLE_BYTES);
		KUNIT_EXPECT_EQ(test, row.magazine, whole);
		KUNIT_EXPECT_EQ(test, row.batch, batch);
	}
}

static void spanclass_round_trip(struct kunit *test)
{
	unsigned int sizeclass;

	for (sizeclass = 0; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		unsigned int scan = gospan_make_spanclass(sizeclass, false);
		unsigned int noscan = gospan_make_spanclass(sizeclass, true);

		KUNIT_EXPECT_NE(test, scan, noscan);
		KUNIT_EXPECT_EQ(test, gospan_spanclass_sizeclass(scan), sizeclass);
		KUNIT_EXPECT_EQ(test, gospan_spanclass_sizeclass(noscan), sizeclass);
		KUNIT_EXPECT_EQ(test, gospan_spanclass_bytes(scan),
				(unsigned int)gospan_class_to_bytes[sizeclass]);
		KUNIT_EXPECT_LT(test, noscan, GOSPAN_NR_SPANCLASSES);
	}
}

static struct kunit_case sizeclass_cases[] = {
	KUNIT_CASE(class_table_follows_rule),
	KUNIT_CASE(class_table_has_well_known_rows),
	KUNIT_CASE(size_to_class_every_size),
	KUNIT_CASE(sizeclass_of_every_size),
	KUNIT_CASE(divmagic_every_offset),
	KUNIT_CASE(class_nelems_fill_span),
	KUNIT_CASE(class_align_npages_powers_of_two),
	KUNIT_CASE(class_batch_bounds),
	KUNIT_CASE(spanclass_round_trip),
	{}
};

static struct kunit_suite sizeclass_suite = {
	.name = "gospan_sizeclass",
	.test_cases = sizeclass_cases,
};

kunit_test_suite(sizeclass_suite);
