// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the central lists, on one spanclass of the module's own heap. The
 * tests play the part of an mcache: they own a current span and trade batches.
 */
#include <kunit/test.h>
#include "../src/mcentral.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"

#define BYTES		1024U
#define MAX_OBJS	512U	/* more than a span's and the transit stack's together */

/* What a test works with. */
struct central_test {
	struct gospan_mcentral *mc;
	unsigned int nelems;		/* of a span */
	unsigned int batch;
	unsigned long inuse_pages;	/* of the heap before */
	struct gospan_span *span;	/* current span */
	void *objs[MAX_OBJS];
};

static struct central_test *central_make(struct kunit *test)
{
	struct central_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int sizeclass = gospan_size_to_class(BYTES);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->mc = gospan_mcentral_local(gospan_make_spanclass(sizeclass, false));
	t->nelems = gospan_class_nelems(sizeclass);
	t->batch = gospan_class_batch(sizeclass);
	t->inuse_pages = gospan_kunit_inuse_pages(&gospan_heap);
	KUNIT_ASSERT_EQ(test, t->mc->nr_spans, 0);
	KUNIT_ASSERT_EQ(test, t->mc->nr_transit, 0);
	KUNIT_ASSERT_LE(test, t->mc->max_transit + 2 * t->nelems, MAX_OBJS);
	return t;
}

/* @n objects from as few spans as hold them; the current span is given up. */
static void central_take(struct kunit *test, struct central_test *t, unsigned int n)
{
	unsigned int got = 0;

	while (got < n) {
		got += gospan_mcentral_refill(t->mc, &t->span, t->objs + got, n - got);
		if (got < n)
			KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, GFP_KERNEL));
	}
	if (t->span)
		gospan_mcentral_disown(t->mc, t->span);
	t->span = NULL;
}

/* Everything is back in the heap. */
static void central_finish(struct kunit *test, struct central_test *t)
{
	gospan_mcentral_drain(t->mc);
	KUNIT_EXPECT_EQ(test, t->mc->nr_transit, 0);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, 0);
	KUNIT_EXPECT_EQ(test, t->mc->nr_spans, 0);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->mc->partial));
	KUNIT_EXPECT_TRUE(test, list_empty(&t->mc->full));
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(&gospan_heap), t->inuse_pages);
}

static void mcentral_max_transit_whole_batches(struct kunit *test)
{
	unsigned int sizeclass;

	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		unsigned int max = gospan_mcentral_max_transit(gospan_class_to_bytes[sizeclass]);
		unsigned int batch = gospan_class_batch(sizeclass);
		unsigned int bytes = gospan_class_to_bytes[sizeclass];

		KUNIT_EXPECT_EQ(test, max % batch, 0);
		KUNIT_EXPECT_GE(test, max, 2 * batch);
		KUNIT_EXPECT_LE(test, max, GOSPAN_TRANSIT_MAX_BATCHES * batch);
		KUNIT_EXPECT_LE(test, max * bytes,
				max_t(unsigned int, GOSPAN_TRANSIT_BYTES, 2 * batch * bytes));
	}
}

static void mcentral_refill_nothing_there(struct kunit *test)
{
	struct central_test *t = central_make(test);

	KUNIT_EXPECT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, 8), 0);
	KUNIT_EXPECT_NULL(test, t->span);
	KUNIT_EXPECT_NULL(test, gospan_mcentral_alloc(t->mc));
	central_finish(test, t);
}

/* Cut in address order; the span is owned until it is used up. */
static void mcentral_refill_cuts_span(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int i, n = t->nelems - 1;
	struct gospan_span *s;

	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, t->mc->nr_spans, 1);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->mc->partial));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, n), n);
	s = t->span;
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_TRUE(test, s->owned);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->mc->partial));
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, n);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_PTR_EQ(test, t->objs[i], (void *)(s->base + i * BYTES));
	/* One is left, two are wanted. */
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs + n, 2), 1);
	KUNIT_EXPECT_NULL(test, t->span);
	KUNIT_EXPECT_FALSE(test, s->owned);
	KUNIT_EXPECT_PTR_EQ(test, list_first_entry(&t->mc->full, struct gospan_span, list), s);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, t->nelems);
	central_finish(test, t);
}

/* One call may use up several spans. */
static void mcentral_refill_crosses_spans(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int n = 2 * t->nelems + 1;

	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, GFP_KERNEL));
	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, GFP_KERNEL));
	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, n), n);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&t->mc->full), 2);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->mc->partial));
	KUNIT_ASSERT_NOT_NULL(test, t->span);
	KUNIT_EXPECT_EQ(test, t->span->alloc_count, 1);
	gospan_mcentral_disown(t->mc, t->span);
	t->span = NULL;
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->mc->partial));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, n);
	central_finish(test, t);
}

/* A batch that comes in leaves as it came, before any span is cut. */
static void mcentral_flush_transit_order(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int i, n = t->batch;
	void **back = t->objs + 3 * n;

	central_take(test, t, 2 * n);
	gospan_mcentral_flush(t->mc, t->objs, n);
	gospan_mcentral_flush(t->mc, t->objs + n, n);
	KUNIT_EXPECT_EQ(test, t->mc->nr_transit, 2 * n);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, 2 * n);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, back, n), n);
	KUNIT_EXPECT_NULL(test, t->span);
	KUNIT_EXPECT_EQ(test, t->mc->nr_transit, n);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_PTR_EQ(test, back[i], t->objs[n + i]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, back, n);
	central_finish(test, t);
}

/* The rest of a batch that the stack cannot complete is cut. */
static void mcentral_refill_transit_and_span(struct kunit *test)
{
	struct central_test *t = central_make(test);

	central_take(test, t, 3);
	gospan_mcentral_flush(t->mc, t->objs + 1, 2);
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs + 1, 4), 4);
	KUNIT_EXPECT_EQ(test, t->mc->nr_transit, 0);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, 5);
	KUNIT_ASSERT_NOT_NULL(test, t->span);
	gospan_mcentral_disown(t->mc, t->span);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, 5);
	central_finish(test, t);
}

/* What the stack cannot hold goes to the spans. */
static void mcentral_flush_overflow(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int max = t->mc->max_transit, n = max + 2 * t->nelems;
	unsigned long spans;

	central_take(test, t, n);
	spans = t->mc->nr_spans;
	KUNIT_EXPECT_EQ(test, spans, DIV_ROUND_UP(n, t->nelems));
	gospan_mcentral_flush(t->mc, t->objs, max - 1);
	KUNIT_EXPECT_EQ(test, t->mc->nr_transit, max - 1);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, n);
	/* One more fits, two do not: they leave a span that was full. */
	gospan_mcentral_flush(t->mc, t->objs + max - 1, 3);
	KUNIT_EXPECT_EQ(test, t->mc->nr_transit, max);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, n - 2);
	KUNIT_EXPECT_EQ(test, t->mc->nr_spans, spans);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs + max + 2, n - max - 2);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, max);
	KUNIT_EXPECT_EQ(test, t->mc->nr_spans - t->mc->nr_empty, DIV_ROUND_UP(max, t->nelems));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	central_finish(test, t);
}

/* Of the spans that nothing is taken from a few stay, used after all others. */
static void mcentral_flush_keeps_few_empty(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int max = t->mc->max_transit, max_empty = t->mc->max_empty, i;
	unsigned int n = max + (max_empty + 2) * t->nelems;

	KUNIT_ASSERT_LE(test, n, MAX_OBJS);
	KUNIT_ASSERT_EQ(test, max % t->nelems, 0);
	central_take(test, t, n);
	gospan_mcentral_flush(t->mc, t->objs, max);
	for (i = max; i < n; i += t->nelems) {
		gospan_mcentral_flush(t->mc, t->objs + i, t->nelems);
		KUNIT_EXPECT_EQ(test, t->mc->nr_empty, min((i - max) / t->nelems + 1, max_empty));
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
	KUNIT_EXPECT_EQ(test, t->mc->nr_spans, max / t->nelems + max_empty);
	/* The transit stack, and one slot of an empty span. */
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, max), max);
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs + max, 1), 1);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, max_empty - 1);
	gospan_mcentral_disown(t->mc, t->span);
	t->span = NULL;
	/* The next comes from the span that is in use already. */
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs + max + 1, 1), 1);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, max_empty - 1);
	gospan_mcentral_disown(t->mc, t->span);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, max + 2);
	central_finish(test, t);
}

/* Full, partial, full, partial, gone: the list that a span is on. */
static void mcentral_flush_moves_span(struct kunit *test)
{
	struct central_test *t = central_make(test);
	struct gospan_mcentral *mc = t->mc;
	unsigned int i;

	central_take(test, t, t->nelems);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&mc->full));
	gospan_mcentral_flush(mc, t->objs + 3, 1);
	gospan_mcentral_drain(mc);
	KUNIT_EXPECT_TRUE(test, list_empty(&mc->full));
	KUNIT_EXPECT_TRUE(test, list_is_singular(&mc->partial));
	KUNIT_EXPECT_PTR_EQ(test, gospan_mcentral_alloc(mc), t->objs[3]);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&mc->full));
	KUNIT_EXPECT_TRUE(test, list_empty(&mc->partial));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	for (i = 0; i < t->nelems; i++) {
		gospan_mcentral_flush(mc, t->objs + i, 1);
		gospan_mcentral_drain(mc);
		KUNIT_EXPECT_EQ(test, mc->nr_spans, i + 1 < t->nelems);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
	central_finish(test, t);
}

/* A current span that empties stays until its CPU gives it up. */
static void mcentral_disown_empty_span(struct kunit *test)
{
	struct central_test *t = central_make(test);

	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, 2), 2);
	gospan_mcentral_flush(t->mc, t->objs, 2);
	gospan_mcentral_drain(t->mc);
	KUNIT_ASSERT_NOT_NULL(test, t->span);
	KUNIT_EXPECT_EQ(test, t->mc->nr_spans, 1);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->mc->partial));
	/* Kept; central_finish() takes it. */
	gospan_mcentral_disown(t->mc, t->span);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, 1);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->mc->partial));
	central_finish(test, t);
}

/* One object, for an interrupt: from the transit stack, else from a span. */
static void mcentral_alloc_single(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned long before = t->mc->nr_mallocs;
	void *p;

	central_take(test, t, 2);
	gospan_mcentral_flush(t->mc, t->objs + 1, 1);
	KUNIT_EXPECT_PTR_EQ(test, gospan_mcentral_alloc(t->mc), t->objs[1]);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, 2);
	p = gospan_mcentral_alloc(t->mc);
	KUNIT_EXPECT_PTR_EQ(test, p, t->objs[1] + BYTES);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, 3);
	KUNIT_EXPECT_EQ(test, t->mc->nr_mallocs, before + 2);
	/* No CPU owns the span that it was cut from. */
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->mc->partial));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, 2);
	gospan_mcentral_flush(t->mc, &p, 1);
	central_finish(test, t);
}

/* Misuse is found when objects reach their spans, one by one, and costs nobody else. */
static void mcentral_flush_misuse(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned long before = gospan_report_count();
	void *bad[5];

	central_take(test, t, t->nelems);
	bad[0] = t->objs[0];
	bad[1] = t->objs[0];		/* again */
	bad[2] = t->objs[1] + 8;	/* inside */
	bad[3] = t->objs[1];
	bad[4] = t->objs[0];		/* and again */
	gospan_mcentral_flush(t->mc, bad, ARRAY_SIZE(bad));
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before);
	gospan_mcentral_drain(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 3);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, t->nelems - 2);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs + 2, t->nelems - 2);
	gospan_mcentral_drain(t->mc);
	/* The span is gone: now it is in nobody's heap. */
	gospan_mcentral_flush(t->mc, t->objs, 1);
	gospan_mcentral_drain(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 4);
	central_finish(test, t);
}

/* A slot of a span of another class is no object of this one. */
static void mcentral_flush_other_class(struct kunit *test)
{
	struct central_test *t = central_make(test);
	struct gospan_mcentral *other = t->mc + 2;
	struct gospan_span *s = NULL;
	unsigned long before = gospan_report_count();
	void *p;

	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(other, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(other, &s, &p, 1), 1);
	gospan_mcentral_flush(t->mc, &p, 1);
	gospan_mcentral_drain(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	KUNIT_EXPECT_EQ(test, other->nr_taken, 1);
	KUNIT_EXPECT_EQ(test, t->mc->nr_taken, 0);
	gospan_mcentral_flush(other, &p, 1);
	gospan_mcentral_disown(other, s);
	gospan_mcentral_drain(other);
	central_finish(test, t);
}

static struct kunit_case mcentral_cases[] = {
	KUNIT_CASE(mcentral_max_transit_whole_batches),
	KUNIT_CASE(mcentral_refill_nothing_there),
	KUNIT_CASE(mcentral_refill_cuts_span),
	KUNIT_CASE(mcentral_refill_crosses_spans),
	KUNIT_CASE(mcentral_refill_transit_and_span),
	KUNIT_CASE(mcentral_flush_transit_order),
	KUNIT_CASE(mcentral_flush_overflow),
	KUNIT_CASE(mcentral_flush_keeps_few_empty),
	KUNIT_CASE(mcentral_flush_moves_span),
	KUNIT_CASE(mcentral_disown_empty_span),
	KUNIT_CASE(mcentral_alloc_single),
	KUNIT_CASE(mcentral_flush_misuse),
	KUNIT_CASE(mcentral_flush_other_class),
	{}
};

static struct kunit_suite mcentral_suite = {
	.name = "gospan_mcentral",
	.init = gospan_kunit_init,
	.test_cases = mcentral_cases,
};

kunit_test_suite(mcentral_suite);
