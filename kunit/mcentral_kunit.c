// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the central lists, on one spanclass of the module's own heap. The
 * tests play the part of an mcache: they own a current span and trade batches.
 */
#include <kunit/test.h>
#include "../src/mcache.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"

#define BYTES		512U
#define MAX_OBJS	(64U * GOSPAN_MAX_BATCH + 64U) /* those in transit and a few spans' */

/* What a test works with. */
struct central_test {
	struct gospan_mcentral *mc;
	unsigned int nelems;		/* of a span */
	unsigned int batch;
	unsigned long inuse_pages;	/* of the heap before */
	struct gospan_span *span;	/* current span */
	void *objs[MAX_OBJS];
};

static struct central_test *central_make_of(struct kunit *test, size_t bytes)
{
	struct central_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int sizeclass = gospan_size_to_class(bytes);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->mc = gospan_mcentral_local(gospan_make_spanclass(sizeclass, false));
	t->nelems = gospan_class_nelems(sizeclass);
	t->batch = gospan_class_batch(sizeclass);
	t->inuse_pages = gospan_kunit_inuse_pages(&gospan_heap);
	KUNIT_ASSERT_EQ(test, atomic_long_read(&t->mc->nr_spans), 0);
	KUNIT_ASSERT_EQ(test, gospan_transit_count(&t->mc->transit), 0);
	return t;
}

static struct central_test *central_make(struct kunit *test)
{
	struct central_test *t = central_make_of(test, BYTES);

	KUNIT_ASSERT_LE(test, gospan_mcentral_max_transit(t->mc->spanclass) + 2 * t->nelems,
			MAX_OBJS);
	return t;
}

/* @n objects from as few spans as hold them; the current span is given up. */
static void central_take(struct kunit *test, struct central_test *t, unsigned int n)
{
	unsigned int got = 0;

	while (got < n) {
		got += gospan_mcentral_refill(t->mc, &t->span, t->objs + got, n - got);
		if (got < n)
			KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 1, GFP_KERNEL));
	}
	if (t->span)
		gospan_mcentral_disown(t->mc, t->span);
	t->span = NULL;
}

/* Everything is back in the heap. */
static void central_finish(struct kunit *test, struct central_test *t)
{
	gospan_mcentral_drain(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), 0);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, 0);
	KUNIT_EXPECT_EQ(test, t->mc->nr_listed, 0);
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(&gospan_heap), t->inuse_pages);
}

static void mcentral_max_transit_whole_batches(struct kunit *test)
{
	unsigned int sizeclass;

	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		unsigned int spanclass = gospan_make_spanclass(sizeclass, false);
		unsigned int max = gospan_mcentral_max_transit(spanclass);
		unsigned int batch = gospan_class_batch(sizeclass);
		unsigned int bytes = gospan_class_to_bytes[sizeclass];
		unsigned int whole, room;

		KUNIT_EXPECT_EQ(test, max % batch, 0);
		KUNIT_EXPECT_GE(test, max, 2 * batch);
		if (gospan_mcentral_has_few(gospan_class_nelems(sizeclass))) {
			KUNIT_EXPECT_LE(test, max, GOSPAN_TRANSIT_MAX_SLOTS * GOSPAN_MAX_BATCH);
			KUNIT_EXPECT_LE(test, max * bytes, SZ_64M);
			whole = gospan_mcentral_local(spanclass)->transit.whole;
			room = gospan_mcentral_local(spanclass)->transit.room;
			/* A slot holds a whole number, or that would cost too much. */
			if (whole)
				KUNIT_EXPECT_TRUE(test, !(room % whole) || room % whole * 8 > room);
			continue;
		}
		KUNIT_EXPECT_LE(test, max, GOSPAN_TRANSIT_MAX_SLOTS * batch);
		KUNIT_EXPECT_LE(test, max * bytes,
				max_t(unsigned int, SZ_1M, 2 * batch * bytes));
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
/* With randomize=Y slots are cut in no order. */
static bool cut_in_order(void)
{
	return !static_key_enabled(&gospan_span_randomizes);
}

static void mcentral_refill_cuts_span(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int i, n = t->nelems - 1;
	struct gospan_span *s;

	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 1, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), 1);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->mc->empty));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, n), n);
	s = t->span;
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_TRUE(test, s->owned);
	KUNIT_EXPECT_EQ(test, t->mc->nr_listed, 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), n);
	for (i = 0; i < n && cut_in_order(); i++)
		KUNIT_EXPECT_PTR_EQ(test, t->objs[i], (void *)(s->base + i * BYTES));
	/* One is left, two are wanted. */
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs + n, 2), 1);
	KUNIT_EXPECT_NULL(test, t->span);
	KUNIT_EXPECT_FALSE(test, s->owned);
	KUNIT_EXPECT_TRUE(test, list_empty(&s->list));
	KUNIT_EXPECT_EQ(test, t->mc->nr_listed, 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, t->nelems);
	central_finish(test, t);
}

/* One call may use up several spans. */
static void mcentral_refill_crosses_spans(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int n = 2 * t->nelems + 1;

	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 1, GFP_KERNEL));
	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 1, GFP_KERNEL));
	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 1, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, n), n);
	KUNIT_EXPECT_EQ(test, t->mc->nr_listed, 0);
	KUNIT_ASSERT_NOT_NULL(test, t->span);
	KUNIT_EXPECT_EQ(test, t->span->alloc_count, 1);
	gospan_mcentral_disown(t->mc, t->span);
	t->span = NULL;
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->mc->partial[ilog2(t->nelems - 1)]));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, n);
	central_finish(test, t);
}

/* What is cut under the lock at once is bounded, whatever is asked for and listed. */
static void mcentral_refill_bounds_cut(struct kunit *test)
{
	static const unsigned int wanted[] = { 1, 64, 96, 128, 192, 256, 300 };
	struct central_test *t = central_make(test);
	unsigned int bound = GOSPAN_CENTRAL_BATCHES * GOSPAN_MAX_BATCH, i, n;
	long cut;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		while (t->mc->nr_listed * t->nelems < 4 * bound)
			KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 1, GFP_KERNEL));
		n = wanted[i];
		cut = atomic_long_read(&t->mc->nr_taken);
		KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, n), n);
		cut = atomic_long_read(&t->mc->nr_taken) - cut;
		KUNIT_EXPECT_LE(test, cut, max(n, bound));
		/* Others find some, too. */
		if (n == t->batch && gospan_mcentral_nr_ahead(t->mc))
			KUNIT_EXPECT_GT(test, cut, n);
		if (t->span)
			gospan_mcentral_disown(t->mc, t->span);
		t->span = NULL;
		gospan_mcentral_flush(t->mc, t->objs, n);
		gospan_mcentral_drain(t->mc);
	}
	central_finish(test, t);
}

/* Batches that come in leave as they came, before any span is cut. */
static void mcentral_flush_transit_order(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int i, n = t->batch;
	void **back = t->objs + 3 * n;

	central_take(test, t, 2 * n);
	gospan_mcentral_flush(t->mc, t->objs, n);
	gospan_mcentral_flush(t->mc, t->objs + n, n);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 2 * n);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), 2 * n);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, back, n), n);
	KUNIT_EXPECT_NULL(test, t->span);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), n);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_PTR_EQ(test, back[i], t->objs[i]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, back, n);
	central_finish(test, t);
}

/* The rest of a batch that the transit cannot complete is cut. */
static void mcentral_refill_transit_and_span(struct kunit *test)
{
	struct central_test *t = central_make(test);

	central_take(test, t, 3);
	gospan_mcentral_flush(t->mc, t->objs + 1, 2);
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs + 1, 4), 4);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), 5);
	KUNIT_ASSERT_NOT_NULL(test, t->span);
	gospan_mcentral_disown(t->mc, t->span);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, 5);
	central_finish(test, t);
}

/* What has no room in transit goes to the spans, and takes along what has. */
static void mcentral_flush_overflow(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int max = gospan_mcentral_max_transit(t->mc->spanclass), n = max + 2 * t->nelems;
	unsigned int spilled = 2 + (GOSPAN_CENTRAL_BATCHES - 1) * t->batch;

	KUNIT_ASSERT_LT(test, spilled, max);
	central_take(test, t, n);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), DIV_ROUND_UP(n, t->nelems));
	gospan_mcentral_flush(t->mc, t->objs, max - 1);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), max - 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), n);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	/* One more fits, two do not. */
	gospan_mcentral_flush(t->mc, t->objs + max - 1, 3);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), max + 2 - spilled);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), n - spilled);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs + max + 2, n - max - 2);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), n - spilled);
	central_finish(test, t);
}

/* Who wants a batch finds it and others in transit; the spans are used up and met no list. */
static void mcentral_grow_whole_batch(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int n = t->batch, all = n * (1 + gospan_mcentral_nr_ahead(t->mc));

	KUNIT_ASSERT_EQ(test, n % t->nelems, 0);
	KUNIT_ASSERT_PTR_EQ(test, gospan_mcentral_grow(t->mc, n, GFP_KERNEL), t->mc);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), all);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), all);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), all / t->nelems);
	KUNIT_EXPECT_EQ(test, t->mc->nr_listed, 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, n), n);
	KUNIT_EXPECT_NULL(test, t->span);
	gospan_mcentral_flush(t->mc, t->objs, n);
	central_finish(test, t);
}

/* Where no slot is empty the new spans are listed. */
static void mcentral_grow_transit_full(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int max = gospan_mcentral_max_transit(t->mc->spanclass), n = t->batch;
	unsigned int all = n * (1 + gospan_mcentral_nr_ahead(t->mc));

	central_take(test, t, max);
	gospan_mcentral_flush(t->mc, t->objs, max);
	KUNIT_ASSERT_PTR_EQ(test, gospan_mcentral_grow(t->mc, n, GFP_KERNEL), t->mc);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), max);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, all / t->nelems);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	central_finish(test, t);
}

/* Of spans with free slots the fullest is used first, those that are empty last. */
static void mcentral_refill_fullest_first(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int n = 3 * t->nelems;
	void *back[4];

	central_take(test, t, n);
	/* One free slot in the first span, three in the second, all in the third. */
	gospan_mcentral_flush(t->mc, t->objs, 1);
	gospan_mcentral_flush(t->mc, t->objs + t->nelems, 3);
	gospan_mcentral_flush(t->mc, t->objs + 2 * t->nelems, t->nelems);
	gospan_mcentral_drain(t->mc);
	KUNIT_ASSERT_EQ(test, t->mc->nr_listed, 2);
	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 1, GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, back, 1), 1);
	KUNIT_EXPECT_PTR_EQ(test, back[0], t->objs[0]);
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, back + 1, 3), 3);
	if (cut_in_order())
		KUNIT_EXPECT_PTR_EQ(test, back[1], t->objs[t->nelems]);
	KUNIT_EXPECT_NULL(test, t->span);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, 1);
	gospan_mcentral_flush(t->mc, t->objs, 2 * t->nelems);
	central_finish(test, t);
}

/* Spans that nothing is taken from stay, and are used after all others. */
static void mcentral_flush_keeps_empty(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int n = t->batch, nr_spans = n / t->nelems;
	struct gospan_batch *b;

	central_take(test, t, n);
	gospan_mcentral_flush(t->mc, t->objs, n);
	b = gospan_transit_take(&t->mc->transit, GOSPAN_TRANSIT_FULL);
	KUNIT_ASSERT_NOT_NULL(test, b);
	gospan_mcentral_free_batch(t->mc, b);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 0);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, nr_spans);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), nr_spans);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, 1), 1);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, nr_spans - 1);
	gospan_mcentral_disown(t->mc, t->span);
	t->span = NULL;
	/* The next comes from the span that is in use already. */
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs + 1, 1), 1);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, nr_spans - 1);
	gospan_mcentral_disown(t->mc, t->span);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, 2);
	central_finish(test, t);
}

/* @n spans of which nothing is taken; the lists have aged just now. */
static void central_fill_empty(struct kunit *test, struct central_test *t, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 1, GFP_KERNEL));
	gospan_mcentral_age(t->mc);
	KUNIT_ASSERT_EQ(test, t->mc->nr_empty, n);
}

/* Of the spans that nothing is taken from, those go that nobody wanted for a period. */
static void mcentral_age_unused_spans(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int i;

	/* After a batch others would be cut, too. */
	KUNIT_ASSERT_NE(test, t->nelems, t->batch);
	/* Nobody else makes lists age meanwhile. */
	mutex_lock(&gospan_mcache_parking);
	central_fill_empty(test, t, 5);
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span,
							     t->objs + i * t->nelems, t->nelems),
				t->nelems);
	gospan_mcentral_flush(t->mc, t->objs, 2 * t->nelems);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, 3);
	gospan_mcentral_age(t->mc);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), 2);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	mutex_unlock(&gospan_mcache_parking);
	central_finish(test, t);
}

/* Objects that are in transit for a period go to their spans; a batch that moved stays. */
static void mcentral_age_stale_batches(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int n = t->batch;

	mutex_lock(&gospan_mcache_parking);
	central_take(test, t, 2 * n);
	gospan_mcentral_age(t->mc);
	gospan_mcentral_flush(t->mc, t->objs, 2 * n);
	gospan_mcentral_age(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 2 * n);
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, n), n);
	gospan_mcentral_flush(t->mc, t->objs, n);
	gospan_mcentral_age(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), n);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), n);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_age(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 0);
	mutex_unlock(&gospan_mcache_parking);
	central_finish(test, t);
}

/* Before the heap grows it has the pages that lists keep. */
static void mcentral_reclaim_before_growth(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int npages = t->mc->layout.npages;

	central_fill_empty(test, t, 3);
	KUNIT_EXPECT_TRUE(test, gospan_mcentral_reclaim(t->mc->node, 2 * npages));
	/* Less than that is not worth the trouble. */
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, 0);
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(&gospan_heap), t->inuse_pages);
	KUNIT_EXPECT_FALSE(test, gospan_mcentral_reclaim(t->mc->node, npages));
	central_finish(test, t);
}

/* Where a span has few objects, those in transit make it as good as empty. */
static void mcentral_reclaim_from_transit(struct kunit *test)
{
	struct central_test *t = central_make_of(test, 4096);
	unsigned int n = t->mc->transit.room;
	unsigned long pages = gospan_mcentral_empty_pages(t->mc->node);

	central_take(test, t, n);
	gospan_mcentral_flush(t->mc, t->objs, n);
	KUNIT_ASSERT_EQ(test, gospan_transit_count(&t->mc->transit), n);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, 0);
	KUNIT_EXPECT_EQ(test, gospan_mcentral_empty_pages(t->mc->node),
			pages + n / t->nelems * t->mc->layout.npages);
	KUNIT_EXPECT_TRUE(test, gospan_mcentral_reclaim(t->mc->node, n));
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 0);
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(&gospan_heap), t->inuse_pages);
	KUNIT_EXPECT_FALSE(test, gospan_mcentral_reclaim(t->mc->node, 1));
	central_finish(test, t);
}

/* Full, partial, full, partial, gone: the list that a span is on. */
static void mcentral_flush_moves_span(struct kunit *test)
{
	struct central_test *t = central_make(test);
	struct gospan_mcentral *mc = t->mc;
	unsigned int i;

	central_take(test, t, t->nelems);
	KUNIT_EXPECT_EQ(test, mc->nr_listed, 0);
	gospan_mcentral_flush(mc, t->objs + 3, 1);
	gospan_mcentral_drain(mc);
	KUNIT_EXPECT_EQ(test, mc->nr_listed, 1);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&mc->partial[0]));
	KUNIT_EXPECT_PTR_EQ(test, gospan_mcentral_alloc(mc), t->objs[3]);
	KUNIT_EXPECT_EQ(test, mc->nr_listed, 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	for (i = 0; i < t->nelems; i++) {
		gospan_mcentral_flush(mc, t->objs + i, 1);
		gospan_mcentral_drain(mc);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&mc->nr_spans), i + 1 < t->nelems);
		KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
	central_finish(test, t);
}

/* What is not free is found wherever its span is: full ones are on no list. */
static void mcentral_taken_everywhere(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned int n = 2 * t->nelems + 3, i, k;
	void **found = t->objs + n;

	central_take(test, t, n);
	KUNIT_ASSERT_EQ(test, gospan_mcentral_taken(t->mc, found, n + 1), n);
	for (i = 0; i < n; i++) {
		for (k = 0; k < n && found[k] != t->objs[i]; k++)
			;
		KUNIT_EXPECT_LT(test, k, n);
	}
	KUNIT_EXPECT_EQ(test, gospan_mcentral_taken(t->mc, found, 5), 5);
	gospan_mcentral_flush(t->mc, t->objs, n);
	gospan_mcentral_drain(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_mcentral_taken(t->mc, found, n), 0);
	central_finish(test, t);
}

/* A current span that empties stays until its CPU gives it up. */
static void mcentral_disown_empty_span(struct kunit *test)
{
	struct central_test *t = central_make(test);

	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 1, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(t->mc, &t->span, t->objs, 2), 2);
	gospan_mcentral_flush(t->mc, t->objs, 2);
	gospan_mcentral_drain(t->mc);
	KUNIT_ASSERT_NOT_NULL(test, t->span);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), 0);
	KUNIT_EXPECT_EQ(test, t->mc->nr_listed, 0);
	/* Kept; central_finish() takes it. */
	gospan_mcentral_disown(t->mc, t->span);
	KUNIT_EXPECT_EQ(test, t->mc->nr_empty, 1);
	KUNIT_EXPECT_EQ(test, t->mc->nr_listed, 1);
	central_finish(test, t);
}

/* One object, for an interrupt: in transit, else from a span. */
static void mcentral_alloc_single(struct kunit *test)
{
	struct central_test *t = central_make(test);
	unsigned long before = atomic_long_read(&t->mc->nr_mallocs);
	void *p;

	central_take(test, t, 2);
	gospan_mcentral_flush(t->mc, t->objs + 1, 1);
	KUNIT_EXPECT_PTR_EQ(test, gospan_mcentral_alloc(t->mc), t->objs[1]);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), 2);
	p = gospan_mcentral_alloc(t->mc);
	if (cut_in_order())
		KUNIT_EXPECT_PTR_EQ(test, p, t->objs[1] + BYTES);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), 3);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_mallocs), before + 2);
	/* No CPU owns the span that it was cut from. */
	KUNIT_EXPECT_EQ(test, t->mc->nr_listed, 1);
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
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), t->nelems - 2);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs + 2, t->nelems - 2);
	gospan_mcentral_drain(t->mc);
	/* The span is gone: now it is in nobody's heap. */
	gospan_mcentral_flush(t->mc, t->objs, 1);
	gospan_mcentral_drain(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 4);
	central_finish(test, t);
}

#define NR_FLUSHED	(2 * GOSPAN_MAX_BATCH)

/* In what order objects are flushed together: some that are neighbours, then some elsewhere. */
static const struct flush_param {
	const char *name;
	unsigned int run;	/* objects; divides NR_FLUSHED */
	unsigned int stride;	/* of these; prime to NR_FLUSHED */
} flush_params[] = {
	{ "in_order", 1, 1 },
	/* Where a span has few, no two pairs, or objects, after one another are in the same. */
	{ "in_pairs", 2, 41 },
	{ "scattered", 1, 41 },
};

static void flush_param_name(const struct flush_param *param, char *name)
{
	strscpy(name, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(flush, flush_params, flush_param_name);

static unsigned int flush_order(const struct flush_param *param, unsigned int i)
{
	return (i / param->run * param->stride * param->run + i % param->run) % NR_FLUSHED;
}

/* NR_FLUSHED objects of few spans, for which the transit has no room. */
static struct central_test *flush_make(struct kunit *test, void **objs)
{
	const struct flush_param *param = test->param_value;
	struct central_test *t = central_make_of(test, 768);
	unsigned int max = gospan_mcentral_max_transit(t->mc->spanclass), i;

	KUNIT_ASSERT_LE(test, max + NR_FLUSHED, MAX_OBJS);
	central_take(test, t, max + NR_FLUSHED);
	gospan_mcentral_flush(t->mc, t->objs + NR_FLUSHED, max);
	KUNIT_ASSERT_EQ(test, gospan_transit_count(&t->mc->transit), max);
	for (i = 0; i < NR_FLUSHED; i++)
		objs[i] = t->objs[flush_order(param, i)];
	return t;
}

static unsigned int count_spans(void *const *objs, unsigned int n)
{
	unsigned int nr = 0, i, j;

	for (i = 0; i < n; i++) {
		const struct gospan_span *s = gospan_arena_span_of(&gospan_heap.arenas, objs[i]);

		for (j = 0; j < i; j++)
			if (gospan_arena_span_of(&gospan_heap.arenas, objs[j]) == s)
				break;
		nr += j == i;
	}
	return nr;
}

/* Whatever the order, and however many pages a span has. */
static void mcentral_flush_meets_span_once(struct kunit *test)
{
	const struct flush_param *param = test->param_value;
	unsigned int sizeclass, nr_spans, i;
	void *objs[NR_FLUSHED];

	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		struct central_test *t = central_make_of(test, gospan_class_to_bytes[sizeclass]);
		unsigned long nr_returned, nr_met;

		central_take(test, t, NR_FLUSHED);
		/* What was cut for others. */
		gospan_mcentral_drain(t->mc);
		for (i = 0; i < NR_FLUSHED; i++)
			objs[i] = t->objs[flush_order(param, i)];
		nr_spans = count_spans(objs, NR_FLUSHED);
		nr_returned = t->mc->nr_returned;
		nr_met = t->mc->nr_met;
		gospan_mcentral_spill(t->mc, objs, NR_FLUSHED);
		KUNIT_EXPECT_EQ(test, t->mc->nr_returned - nr_returned, NR_FLUSHED);
		KUNIT_EXPECT_EQ_MSG(test, t->mc->nr_met - nr_met, nr_spans, "class %u", sizeclass);
		central_finish(test, t);
		kunit_kfree(test, t);
	}
}

/* What is misused among many stays where it is, and they do not. */
static void mcentral_flush_misuse_among(struct kunit *test)
{
	unsigned long reports = gospan_report_count();
	void *objs[NR_FLUSHED], *live[3];
	struct central_test *t = flush_make(test, objs);
	unsigned int max = gospan_transit_count(&t->mc->transit);
	long taken;

	live[0] = objs[5];
	live[1] = objs[100];
	live[2] = objs[110];
	objs[5] = objs[77];
	objs[100] += 8;
	/* In no span of this list. */
	objs[110] = live;
	taken = atomic_long_read(&t->mc->nr_taken);
	gospan_mcentral_flush(t->mc, objs, NR_FLUSHED);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), reports + 3);
	/* Those, and batches that were in transit. */
	taken -= NR_FLUSHED - ARRAY_SIZE(live);
	taken -= max - gospan_transit_count(&t->mc->transit);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), taken);
	KUNIT_EXPECT_LT(test, gospan_transit_count(&t->mc->transit), max);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, live, ARRAY_SIZE(live));
	central_finish(test, t);
}

static struct central_test *flushed_by;
static unsigned int nr_had;

/* At the first report: another CPU has all that is free. */
static void have_all(const struct gospan_misuse *m)
{
	struct central_test *t = flushed_by;

	if (!nr_had)
		nr_had = gospan_mcentral_refill(t->mc, &t->span, t->objs, MAX_OBJS);
}

/* What is freed twice at once stays misused, though somebody else has it meanwhile. */
static void mcentral_flush_twice(struct kunit *test)
{
	unsigned long reports = gospan_report_count();
	void *objs[NR_FLUSHED], *live[2];
	struct central_test *t = flush_make(test, objs);

	live[0] = objs[5];
	live[1] = objs[6];
	objs[5] = objs[77];
	objs[6] = objs[78];
	flushed_by = t;
	nr_had = 0;
	WRITE_ONCE(gospan_report_hook, have_all);
	gospan_mcentral_flush(t->mc, objs, NR_FLUSHED);
	WRITE_ONCE(gospan_report_hook, NULL);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), reports + 2);
	KUNIT_EXPECT_GT(test, nr_had, 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_mcentral_flush(t->mc, t->objs, nr_had);
	gospan_mcentral_flush(t->mc, live, ARRAY_SIZE(live));
	if (t->span)
		gospan_mcentral_disown(t->mc, t->span);
	central_finish(test, t);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), reports + 2);
}

/* A slot of a span of another class is no object of this one. */
static void mcentral_flush_other_class(struct kunit *test)
{
	struct central_test *t = central_make(test);
	struct gospan_mcentral *other = t->mc + 2;
	struct gospan_span *s = NULL;
	unsigned long before = gospan_report_count();
	void *p;

	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(other, 1, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, gospan_mcentral_refill(other, &s, &p, 1), 1);
	gospan_mcentral_flush(t->mc, &p, 1);
	gospan_mcentral_drain(t->mc);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&other->nr_taken), 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), 0);
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
	KUNIT_CASE(mcentral_refill_bounds_cut),
	KUNIT_CASE(mcentral_refill_transit_and_span),
	KUNIT_CASE(mcentral_flush_transit_order),
	KUNIT_CASE(mcentral_refill_fullest_first),
	KUNIT_CASE(mcentral_grow_whole_batch),
	KUNIT_CASE(mcentral_grow_transit_full),
	KUNIT_CASE(mcentral_flush_overflow),
	KUNIT_CASE(mcentral_flush_keeps_empty),
	KUNIT_CASE(mcentral_age_unused_spans),
	KUNIT_CASE(mcentral_age_stale_batches),
	KUNIT_CASE(mcentral_reclaim_before_growth),
	KUNIT_CASE(mcentral_reclaim_from_transit),
	KUNIT_CASE(mcentral_flush_moves_span),
	KUNIT_CASE(mcentral_taken_everywhere),
	KUNIT_CASE(mcentral_disown_empty_span),
	KUNIT_CASE(mcentral_alloc_single),
	KUNIT_CASE(mcentral_flush_misuse),
	KUNIT_CASE_PARAM(mcentral_flush_meets_span_once, flush_gen_params),
	KUNIT_CASE_PARAM(mcentral_flush_misuse_among, flush_gen_params),
	KUNIT_CASE_PARAM(mcentral_flush_twice, flush_gen_params),
	KUNIT_CASE(mcentral_flush_other_class),
	{}
};

static struct kunit_suite mcentral_suite = {
	.name = "gospan_mcentral",
	.init = gospan_kunit_init,
	.test_cases = mcentral_cases,
};

kunit_test_suite(mcentral_suite);
