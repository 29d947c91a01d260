// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the validator: each thing that it looks at, broken by hand in a heap
 * that was fine. The lines "heap invalid" in the log are these.
 */
#include <kunit/test.h>
#include <linux/gospan.h>
#include "../src/mcache.h"
#include "../src/validate.h"
#include "helper.h"

#define BYTES	64U

/* A heap with a small span, some of whose slots are taken, and a large one. */
struct broken_heap {
	struct gospan_node_heap *nh;
	struct gospan_chunk *chunk;	/* of both */
	struct gospan_span *s;		/* some CPU's current span */
	struct gospan_span *large;
	unsigned int page_idx;		/* of @s */
	unsigned int free_idx;		/* a page that is free */
	struct gospan_mcentral *mc;
	struct gospan_mcache *c;
	struct gospan_magazine *m;
	void *objs[3];
	void *large_obj;
};

static struct broken_heap *broken_make(struct kunit *test)
{
	struct broken_heap *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int spanclass = gospan_make_spanclass(gospan_size_to_class(BYTES), false);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	/* What it grows by has free pages in plenty. */
	gospan_trim();
	for (i = 0; i < ARRAY_SIZE(t->objs); i++) {
		t->objs[i] = gospan_alloc(BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
	}
	t->large_obj = gospan_alloc(3 * GOSPAN_PAGE_SIZE + 40000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->large_obj);
	t->s = gospan_arena_span_of(&gospan_heap.arenas, t->objs[0]);
	t->large = gospan_arena_span_of(&gospan_heap.arenas, t->large_obj);
	t->chunk = gospan_arena_chunk_of(&gospan_heap.arenas, t->s->base);
	t->page_idx = gospan_addr_page_idx(t->s->base);
	t->nh = t->chunk->home;
	t->free_idx = gospan_pallocbits_find(&t->chunk->pages, 0, 1, 1);
	t->mc = gospan_mcentral_local(spanclass);
	t->c = gospan_mcache_of_cpu(raw_smp_processor_id());
	t->m = &t->c->magazine[spanclass];
	KUNIT_ASSERT_LT(test, t->free_idx, GOSPAN_CHUNK_NPAGES);
	KUNIT_ASSERT_PTR_EQ(test, t->c->span[spanclass], t->s);
	KUNIT_ASSERT_TRUE(test, gospan_heap_validate(&gospan_heap));
	return t;
}

static void broken_finish(struct kunit *test, struct broken_heap *t)
{
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_free(t->large_obj);
	for (i = 0; i < ARRAY_SIZE(t->objs); i++)
		gospan_free(t->objs[i]);
}

/* With @value in @place the heap is invalid; afterwards it is as before. */
#define EXPECT_INVALID(test, place, value) do {					\
	typeof(place) *__place = &(place), __saved = *__place;			\
										\
	*__place = (value);							\
	KUNIT_EXPECT_FALSE_MSG(test, gospan_heap_validate(&gospan_heap),	\
			       #place " = " #value);				\
	*__place = __saved;							\
} while (0)

static void heap_validate_span_bits(struct kunit *test)
{
	struct broken_heap *t = broken_make(test);
	struct gospan_span *s = t->s;

	EXPECT_INVALID(test, s->alloc_count, s->alloc_count + 1);
	EXPECT_INVALID(test, s->alloc_cache, s->alloc_cache ^ BIT_ULL(40));
	EXPECT_INVALID(test, s->alloc_cache, ~s->alloc_cache);
	EXPECT_INVALID(test, s->alloc_bits[0], s->alloc_bits[0] & ~1ULL);
	EXPECT_INVALID(test, s->alloc_bits[1], 1);
	EXPECT_INVALID(test, s->freeindex, 64);
	EXPECT_INVALID(test, s->freeindex, 1);
	EXPECT_INVALID(test, s->freeindex, s->nelems);
	EXPECT_INVALID(test, s->nelems, 0);
	EXPECT_INVALID(test, t->large->alloc_bits[0], ~0ULL);
	/* Of its only word, what is behind its only slot. */
	EXPECT_INVALID(test, t->large->alloc_bits[0], 1);
	broken_finish(test, t);
}

static void heap_validate_span_shape(struct kunit *test)
{
	struct broken_heap *t = broken_make(test);

	EXPECT_INVALID(test, t->s->npages, t->s->npages + 1);
	EXPECT_INVALID(test, t->s->npages, 0);
	EXPECT_INVALID(test, t->s->nelems, t->s->nelems - 1);
	EXPECT_INVALID(test, t->s->base, t->s->base + GOSPAN_PAGE_SIZE);
	EXPECT_INVALID(test, t->s->spanclass, t->s->spanclass + 2);
	EXPECT_INVALID(test, t->s->owned, false);
	EXPECT_INVALID(test, t->s->node, t->s->node + 1);
	EXPECT_INVALID(test, t->large->npages, t->large->npages - 1);
	EXPECT_INVALID(test, t->large->npages, GOSPAN_CHUNK_NPAGES + 1);
	EXPECT_INVALID(test, t->large->owned, true);
	broken_finish(test, t);
}

static void heap_validate_pages(struct kunit *test)
{
	struct broken_heap *t = broken_make(test);
	struct gospan_chunk *chunk = t->chunk;
	u64 *taken = &chunk->pages.taken[t->free_idx / 64];
	unsigned long *owned = &chunk->owned[t->free_idx / BITS_PER_LONG];
	unsigned long *zeroed = &chunk->zeroed[t->page_idx / BITS_PER_LONG];
	u64 free_bit = 1ULL << (t->free_idx % 64);
	u64 *span_taken = &chunk->pages.taken[t->page_idx / 64];
	u64 span_bit = 1ULL << (t->page_idx % 64);

	EXPECT_INVALID(test, chunk->key[t->page_idx], 0);
	EXPECT_INVALID(test, chunk->key[t->page_idx], GOSPAN_SPANCLASS_LARGE);
	/* Its objects have cache lines of their own. */
	EXPECT_INVALID(test, chunk->key[t->page_idx],
		       gospan_key_make(1, chunk->key[t->page_idx]));
	EXPECT_INVALID(test, *gospan_chunk_span(chunk, t->page_idx), NULL);
	EXPECT_INVALID(test, *gospan_chunk_span(chunk, t->page_idx), t->large);
	EXPECT_INVALID(test, chunk->key[t->free_idx], 2);
	EXPECT_INVALID(test, *gospan_chunk_span(chunk, t->free_idx), t->s);
	EXPECT_INVALID(test, *taken, *taken | free_bit);
	EXPECT_INVALID(test, *owned, *owned & ~free_bit);
	EXPECT_INVALID(test, *span_taken, *span_taken & ~span_bit);
	EXPECT_INVALID(test, *zeroed, *zeroed | span_bit);
	EXPECT_INVALID(test, chunk->nr_owned, chunk->nr_owned - 1);
	EXPECT_INVALID(test, chunk->base, chunk->base + GOSPAN_CHUNK_BYTES);
	EXPECT_INVALID(test, chunk->spans[t->page_idx / GOSPAN_SPANS_NPAGES], NULL);
	broken_finish(test, t);
}

static void heap_validate_page_cache(struct kunit *test)
{
	struct broken_heap *t = broken_make(test);
	struct gospan_pagecache *pc = raw_cpu_ptr(gospan_heap.pagecaches);

	EXPECT_INVALID(test, pc->busy, true);
	/* Those of the window that it has not are used, or free for all. */
	EXPECT_INVALID(test, pc->pages, ~pc->pages);
	broken_finish(test, t);
}

static void heap_validate_sums(struct kunit *test)
{
	struct broken_heap *t = broken_make(test);
	struct gospan_mheap *h = &gospan_heap;

	struct gospan_large_counters *large = raw_cpu_ptr(h->large);
	struct gospan_node_heap *nh = t->nh;

	EXPECT_INVALID(test, nh->pages.nr_chunks, nh->pages.nr_chunks + 1);
	EXPECT_INVALID(test, nh->pages.nr_chunks, nh->pages.nr_chunks - 1);
	EXPECT_INVALID(test, nh->pages.free_pages, nh->pages.free_pages - 1);
	EXPECT_INVALID(test, nh->pages.nr_summaries, nh->pages.nr_summaries + 1);
	EXPECT_INVALID(test, nh->pages.search_page, ~0UL);
	EXPECT_INVALID(test, nh->pages.root->sum[0].max, nh->pages.root->sum[0].max + 1);
	EXPECT_INVALID(test, nh->obtained_pages, nh->obtained_pages + 1);
	EXPECT_INVALID(test, nh->released_pages, nh->released_pages + 1);
	EXPECT_INVALID(test, h->span_bytes.counter, h->span_bytes.counter + 8);
	EXPECT_INVALID(test, large->mallocs.counter, large->mallocs.counter + 1);
	EXPECT_INVALID(test, large->free_pages.counter, large->free_pages.counter + 1);
	EXPECT_INVALID(test, h->broken, true);
	EXPECT_INVALID(test, gospan_chunk_none.key[7], 2);
	EXPECT_INVALID(test, gospan_mcache_none.magazine[2].nr_mallocs, 1);
	broken_finish(test, t);
}

static void heap_validate_central(struct kunit *test)
{
	struct broken_heap *t = broken_make(test);
	struct gospan_mcentral *mc = t->mc;
	struct list_head *home;

	EXPECT_INVALID(test, mc->nr_spans.counter, 0);
	EXPECT_INVALID(test, mc->nr_spans.counter, 2);
	EXPECT_INVALID(test, mc->nr_empty, 1);
	EXPECT_INVALID(test, mc->nr_unused, mc->nr_empty + 1);
	EXPECT_INVALID(test, mc->nr_listed, 1);
	EXPECT_INVALID(test, mc->nr_taken.counter, mc->nr_taken.counter + 1);
	EXPECT_INVALID(test, mc->spanclass, mc->spanclass + 1);
	/* A listed span: first as it should be, then on the wrong list, or none. */
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, mc->nr_listed, 1);
	EXPECT_INVALID(test, mc->nr_listed, 0);
	EXPECT_INVALID(test, t->s->owned, true);
	home = &mc->partial[ilog2(t->s->nelems - t->s->alloc_count)];
	KUNIT_ASSERT_TRUE(test, list_is_singular(home));
	list_move(&t->s->list, home - 1);
	KUNIT_EXPECT_FALSE(test, gospan_heap_validate(&gospan_heap));
	list_move(&t->s->list, &mc->empty);
	KUNIT_EXPECT_FALSE(test, gospan_heap_validate(&gospan_heap));
	list_del_init(&t->s->list);
	KUNIT_EXPECT_FALSE(test, gospan_heap_validate(&gospan_heap));
	list_add(&t->s->list, home);
	broken_finish(test, t);
}

static void heap_validate_transit(struct kunit *test)
{
	struct broken_heap *t = broken_make(test);
	struct gospan_transit *transit = &t->mc->transit;
	unsigned long *empty = &transit->slots[GOSPAN_TRANSIT_EMPTY];
	struct gospan_batch *b = gospan_transit_batch(transit, 0);

	EXPECT_INVALID(test, *empty, *empty & ~1UL);
	EXPECT_INVALID(test, transit->slots[GOSPAN_TRANSIT_FULL], 1);
	EXPECT_INVALID(test, b->slot, 1);
	EXPECT_INVALID(test, b->nr, transit->room + 1);
	/* One that is in a magazine, too. */
	b->objs[0] = t->m->top[-1];
	b->nr = 1;
	*empty &= ~1UL;
	EXPECT_INVALID(test, transit->slots[GOSPAN_TRANSIT_PARTIAL], 1);
	b->nr = 0;
	*empty |= 1;
	broken_finish(test, t);
}

static void heap_validate_mcache(struct kunit *test)
{
	struct broken_heap *t = broken_make(test);
	unsigned int spanclass = t->mc->spanclass;

	EXPECT_INVALID(test, t->c->capacity_bytes, t->c->capacity_bytes + BYTES);
	EXPECT_INVALID(test, t->c->span[spanclass], NULL);
	EXPECT_INVALID(test, t->c->span[spanclass], t->large);
	EXPECT_INVALID(test, t->c->span[spanclass + 2], t->s);
	EXPECT_INVALID(test, t->m->limit, t->m->limit - 1);
	EXPECT_INVALID(test, t->m->limit, t->m->base + gospan_mcache_capacity(spanclass) + 1);
	EXPECT_INVALID(test, t->m->base, NULL);
	EXPECT_INVALID(test, t->m->top, t->m->limit + 1);
	EXPECT_INVALID(test, t->m->base[-1], t->objs[0]);
	EXPECT_INVALID(test, t->c->transit[spanclass], &t->mc->transit);
	__set_bit(spanclass, t->c->mixed);
	EXPECT_INVALID(test, t->c->one_way[spanclass], t->m->nr_mallocs);
	__clear_bit(spanclass, t->c->mixed);
	EXPECT_INVALID(test, t->c->remote.bytes, BYTES);
	EXPECT_INVALID(test, t->c->remote.nr[spanclass], 1);
	EXPECT_INVALID(test, t->c->remote.stack.top, t->c->remote.stack.limit + 1);
	EXPECT_INVALID(test, raw_cpu_ptr(&gospan_mcache_slot)[0], (void *)8UL);
	broken_finish(test, t);
}

/* Objects that are not, or not only, where they are. */
static void heap_validate_objects(struct kunit *test)
{
	struct broken_heap *t = broken_make(test);
	void **last = t->m->top - 1;

	KUNIT_ASSERT_GE(test, t->m->top - t->m->base, 2);
	EXPECT_INVALID(test, *last, last[-1]);
	EXPECT_INVALID(test, *last, NULL);
	EXPECT_INVALID(test, *last, test);
	EXPECT_INVALID(test, *last, *last + 8);
	EXPECT_INVALID(test, *last, t->large_obj);
	/* Never handed out: free in the span. */
	EXPECT_INVALID(test, *last, (void *)t->s->base + (t->s->nelems - 1) * BYTES);
	broken_finish(test, t);
}

static struct kunit_case validate_cases[] = {
	KUNIT_CASE(heap_validate_span_bits),
	KUNIT_CASE(heap_validate_span_shape),
	KUNIT_CASE(heap_validate_pages),
	KUNIT_CASE(heap_validate_page_cache),
	KUNIT_CASE(heap_validate_sums),
	KUNIT_CASE(heap_validate_central),
	KUNIT_CASE(heap_validate_transit),
	KUNIT_CASE(heap_validate_mcache),
	KUNIT_CASE(heap_validate_objects),
	{}
};

static struct kunit_suite validate_suite = {
	.name = "gospan_validate",
	.init = gospan_kunit_init,
	.test_cases = validate_cases,
};

kunit_test_suite(validate_suite);
