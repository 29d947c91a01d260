// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random tests of the page heap: without page caches against an oracle that
 * knows where each run must lie; and, with and without, a million operations
 * after which all must still be as it can be, while the kernel has now this and
 * now that.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"
#include "source.h"

#define NR_CHUNKS	3
#define NR_PAGES	(NR_CHUNKS * GOSPAN_CHUNK_NPAGES)

/* Each page in the oracle: which span has it, 0 if none. */
struct oracle_heap {
	struct gospan_mheap *h;
	struct rnd_state rnd;
	struct gospan_span *span[64];
	u8 page[NR_PAGES];
	unsigned int nr_inuse;
};

/* The lowest free run of @npages, aligned, by looking at every page; -1: none. */
static int oracle_find(const struct oracle_heap *o, unsigned int npages, unsigned int align)
{
	unsigned int first, i;

	for (first = 0; first + npages <= NR_PAGES; first += align) {
		for (i = 0; i < npages && !o->page[first + i]; i++)
			;
		if (i == npages)
			return first;
	}
	return -1;
}

static bool oracle_alloc(struct oracle_heap *o, unsigned int slot)
{
	unsigned int npages = 1 + gospan_kunit_below(&o->rnd,
						     gospan_kunit_below(&o->rnd, 8) ? 20 : 700);
	unsigned int align = gospan_kunit_below(&o->rnd, 4) ? 1 :
			     1U << gospan_kunit_below(&o->rnd, 8);
	int first = oracle_find(o, npages, align);

	o->span[slot] = gospan_kunit_take(o->h, npages, align);
	if (gospan_kunit_page_of(o->span[slot]) != first)
		return false;
	if (first < 0)
		return true;
	memset(&o->page[first], slot + 1, npages);
	o->nr_inuse += npages;
	return true;
}

static bool oracle_extend(struct oracle_heap *o, unsigned int slot)
{
	struct gospan_span *s = o->span[slot];
	unsigned int limit = gospan_kunit_page_of(s) + s->npages;
	unsigned int more = 1 + gospan_kunit_below(&o->rnd, 20), i;

	for (i = 0; i < more && limit + i < NR_PAGES && !o->page[limit + i]; i++)
		;
	if (i < more)
		return !gospan_mheap_extend_large(o->h, s, s->npages + more, false);
	if (!gospan_mheap_extend_large(o->h, s, s->npages + more, false))
		return false;
	memset(&o->page[limit], slot + 1, more);
	o->nr_inuse += more;
	return true;
}

static bool oracle_free(struct oracle_heap *o, unsigned int slot)
{
	struct gospan_span *s = o->span[slot];

	memset(&o->page[gospan_kunit_page_of(s)], 0, s->npages);
	o->nr_inuse -= s->npages;
	o->span[slot] = NULL;
	return gospan_mheap_free_large(o->h, gospan_kunit_start(s)) == GOSPAN_FREE_OK;
}

static bool oracle_step(struct oracle_heap *o)
{
	unsigned int slot = gospan_kunit_below(&o->rnd, ARRAY_SIZE(o->span));

	if (!o->span[slot])
		return oracle_alloc(o, slot);
	return gospan_kunit_below(&o->rnd, 4) ? oracle_free(o, slot) : oracle_extend(o, slot);
}

static void mheap_random_against_oracle(struct kunit *test)
{
	/* All at the start, so that the oracle need not know when the heap grows. */
	static const struct gospan_kunit_block blocks[] = { { 1024, 9 }, { 0, 9 }, { 512, 9 } };
	struct oracle_heap *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	unsigned int step, slot;

	KUNIT_ASSERT_NOT_NULL(test, o);
	gospan_kunit_source_make(test, NR_CHUNKS);
	gospan_kunit_source_give(blocks, ARRAY_SIZE(blocks));
	o->h = gospan_kunit_heap_make(test, false);
	gospan_kunit_seed(test, &o->rnd);
	for (slot = 0; slot < NR_CHUNKS; slot++) {
		o->span[slot] = gospan_kunit_take(o->h, 512, 512);
		KUNIT_ASSERT_NOT_NULL(test, o->span[slot]);
	}
	for (slot = 0; slot < NR_CHUNKS; slot++) {
		gospan_kunit_give(o->h, o->span[slot]);
		o->span[slot] = NULL;
	}
	for (step = 0; step < 1000; step++) {
		if (!oracle_step(o) || gospan_kunit_inuse_pages(o->h) != o->nr_inuse ||
		    !gospan_heap_validate(o->h)) {
			KUNIT_FAIL(test, "step %u", step);
			break;
		}
		cond_resched();
	}
	for (slot = 0; slot < ARRAY_SIZE(o->span); slot++)
		if (o->span[slot])
			oracle_free(o, slot);
	gospan_kunit_heap_finish(test, o->h);
}

/* A span that lives, with a mark in its first and its last word. */
struct live_span {
	struct gospan_span *s;
	u64 mark;
};

struct chaos_kind {
	const char *name;
	bool cached;
	bool zeroes;	/* the source's pages are zeros */
	bool limited;	/* now and then */
};

static const struct chaos_kind chaos_kinds[] = {
	{ "cached", .cached = true },
	{ "cached_limited", .cached = true, .limited = true },
	{ "cached_zeroed", .cached = true, .zeroes = true },
	{ "uncached_limited_zeroed", .limited = true, .zeroes = true },
};

static void chaos_kind_name(const struct chaos_kind *kind, char *name)
{
	strscpy(name, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(chaos_kind, chaos_kinds, chaos_kind_name);

/* A heap on a source that gives what it likes. */
static struct {
	const struct chaos_kind *kind;
	struct gospan_mheap *h;
	struct rnd_state rnd;
	struct live_span live[96];
	unsigned long nr_allocs, nr_failed, nr_extends, nr_released;
	const char *fault;	/* what went wrong; NULL: nothing */
} chaos;

static u32 chaos_below(u32 limit)
{
	return gospan_kunit_below(&chaos.rnd, limit);
}

/* Now and then nothing; or not that much; or a block from anywhere. */
static unsigned long chaos_pick(unsigned int log2)
{
	unsigned long nr = BIT(log2) << GOSPAN_PAGE_ORDER;
	unsigned long size = (unsigned long)NR_PAGES << GOSPAN_PAGE_ORDER, first;

	if (log2 > chaos_below(16))
		return GOSPAN_NO_PAGE;
	first = bitmap_find_next_zero_area(gospan_kunit_source.out, size, chaos_below(size), nr,
					   nr - 1);
	return first < size ? first >> GOSPAN_PAGE_ORDER : GOSPAN_NO_PAGE;
}

static u64 *span_first_word(const struct gospan_span *s)
{
	return gospan_kunit_start(s);
}

static u64 *span_last_word(const struct gospan_span *s)
{
	return gospan_kunit_start(s) + gospan_kunit_bytes(s) - sizeof(u64);
}

/* Looks at a word of each page. */
static bool span_is_zeroed(const struct gospan_span *s)
{
	unsigned int i;

	for (i = 0; i < s->npages; i++)
		if (*(u64 *)(gospan_kunit_start(s) + i * GOSPAN_PAGE_SIZE))
			return false;
	return !*span_last_word(s);
}

static void live_mark(struct live_span *live)
{
	live->mark = (u64)prandom_u32_state(&chaos.rnd) << 32 | 1;
	*span_first_word(live->s) = live->mark;
	*span_last_word(live->s) = live->mark;
}

static void live_check(const struct live_span *live)
{
	if (*span_first_word(live->s) != live->mark || *span_last_word(live->s) != live->mark)
		chaos.fault = "somebody wrote to a live span";
}

static unsigned int chaos_npages(void)
{
	u32 dice = chaos_below(200);

	return 1 + chaos_below(dice < 180 ? 16 : dice < 199 ? 48 : 600);
}

static void chaos_alloc(struct live_span *live)
{
	struct gospan_layout l = { .npages = chaos_npages(), .align_npages = 1, .nelems = 1 };
	unsigned int spanclass = GOSPAN_SPANCLASS_LARGE;
	gfp_t gfp = chaos_below(2) ? GFP_KERNEL : GFP_NOWAIT;

	if (!chaos_below(3)) {
		spanclass = GOSPAN_SPANCLASS_FIRST +
			    chaos_below(GOSPAN_SPANCLASS_CACHE - GOSPAN_SPANCLASS_FIRST);
		l = gospan_spanclass_layout(spanclass);
	} else if (!chaos_below(3)) {
		l.align_npages = 1U << chaos_below(7);
	}
	if (l.npages <= 4 && !chaos_below(4))
		gfp |= __GFP_ZERO;
	chaos.nr_allocs++;
	live->s = gospan_mheap_alloc(chaos.h, spanclass, &l, gfp);
	if (!live->s) {
		chaos.nr_failed++;
		return;
	}
	if (live->s->npages != l.npages || gospan_addr_page(live->s->base) % l.align_npages)
		chaos.fault = "not the span that was asked for";
	if (gfp & __GFP_ZERO && !span_is_zeroed(live->s))
		chaos.fault = "not zeroed";
	live_mark(live);
}

static void chaos_free(struct live_span *live)
{
	struct gospan_span *s = live->s;

	live_check(live);
	live->s = NULL;
	if (s->spanclass != GOSPAN_SPANCLASS_LARGE) {
		gospan_arena_retract(&chaos.h->arenas, s);
		gospan_mheap_free(chaos.h, s);
	} else if (gospan_mheap_free_large(chaos.h, gospan_kunit_start(s)) != GOSPAN_FREE_OK) {
		chaos.fault = "a large object could not be freed";
	}
}

static void chaos_extend(struct live_span *live)
{
	unsigned int npages = live->s->npages + 1 + chaos_below(24);

	if (live->s->spanclass != GOSPAN_SPANCLASS_LARGE)
		return;
	live_check(live);
	if (!gospan_mheap_extend_large(chaos.h, live->s, npages, false))
		return;
	chaos.nr_extends++;
	/* What was there has not moved; the end has. */
	if (*span_first_word(live->s) != live->mark)
		chaos.fault = "extending changed an object";
	live_mark(live);
}

static void chaos_flush(void)
{
	unsigned long flags;

	local_irq_save(flags);
	gospan_mheap_flush_cpu(chaos.h, smp_processor_id());
	local_irq_restore(flags);
}

/* What happens to the heap as a whole. */
static void chaos_rare_step(void)
{
	int node = page_to_nid(virt_to_page((void *)gospan_kunit_source_addr(0)));

	switch (chaos_below(4)) {
	case 0:
		chaos_flush();
		break;
	case 1:
		if (chaos.kind->limited)
			chaos.h->limit_pages = chaos_below(3) * chaos_below(NR_PAGES);
		break;
	default:
		chaos.nr_released += gospan_supply_release(chaos.h, node, 1 + chaos_below(600));
	}
}

static void chaos_step(void)
{
	struct live_span *live = &chaos.live[chaos_below(ARRAY_SIZE(chaos.live))];

	if (!chaos_below(128))
		chaos_rare_step();
	else if (!live->s)
		chaos_alloc(live);
	else if (!chaos_below(5))
		chaos_extend(live);
	else
		chaos_free(live);
}

/* All that is known to hold, every hundredth step. */
static void chaos_validate(void)
{
	unsigned long inuse_pages = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(chaos.live); i++) {
		if (!chaos.live[i].s)
			continue;
		live_check(&chaos.live[i]);
		inuse_pages += chaos.live[i].s->npages;
	}
	if (gospan_kunit_inuse_pages(chaos.h) != inuse_pages)
		chaos.fault = "pages in use do not add up";
	if (!gospan_heap_validate(chaos.h))
		chaos.fault = "heap invalid";
}

/* Each kind has its share of the steps. */
static void mheap_random_million(struct kunit *test)
{
	unsigned int nr_steps = gospan_kunit_steps() / ARRAY_SIZE(chaos_kinds), step, i;

	memset(&chaos, 0, sizeof(chaos));
	chaos.kind = test->param_value;
	gospan_kunit_source_make(test, NR_CHUNKS);
	gospan_kunit_source.pick = chaos_pick;
	gospan_kunit_source.zeroes = chaos.kind->zeroes;
	chaos.h = gospan_kunit_heap_make(test, chaos.kind->cached);
	gospan_kunit_seed(test, &chaos.rnd);
	for (step = 1; step <= nr_steps && !chaos.fault; step++) {
		chaos_step();
		if (step % 100)
			continue;
		chaos_validate();
		cond_resched();
	}
	if (chaos.fault)
		KUNIT_FAIL(test, "step %u: %s", step - 1, chaos.fault);
	kunit_info(test, "%lu allocations, %lu of them failed; %lu made longer; %lu pages released",
		   chaos.nr_allocs, chaos.nr_failed, chaos.nr_extends, chaos.nr_released);
	for (i = 0; i < ARRAY_SIZE(chaos.live); i++)
		if (chaos.live[i].s)
			chaos_free(&chaos.live[i]);
	chaos_flush();
	gospan_kunit_heap_finish(test, chaos.h);
}

static struct kunit_case mheap_random_cases[] = {
	KUNIT_CASE(mheap_random_against_oracle),
	KUNIT_CASE_PARAM_ATTR(mheap_random_million, chaos_kind_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite mheap_random_suite = {
	.name = "gospan_mheap_random",
	.test_cases = mheap_random_cases,
};

kunit_test_suite(mheap_random_suite);
