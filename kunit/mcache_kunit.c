// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the mcache and its claim, through the API, with a look at the
 * magazines of the CPU that the test is bound to.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/prandom.h>
#include <linux/smp.h>
#include <linux/gospan.h>
#include "../src/mcache.h"
#include "../src/report.h"
#include "../src/validate.h"
#include "helper.h"

#define BYTES		64U
#define MAX_OBJS	512U

struct mcache_test {
	struct gospan_mcache *c;	/* this CPU's */
	struct gospan_mcentral *mc;
	struct gospan_magazine *m;
	unsigned int spanclass;
	unsigned int batch;
	void *objs[MAX_OBJS];
};

static struct mcache_test *mcache_make(struct kunit *test)
{
	struct mcache_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->spanclass = gospan_make_spanclass(gospan_size_to_class(BYTES), false);
	t->batch = gospan_bytes_first_batch(BYTES);
	t->mc = gospan_mcentral_local(t->spanclass);
	/* The suite's init bound this thread. */
	t->c = gospan_mcache_of_cpu(raw_smp_processor_id());
	KUNIT_ASSERT_NOT_NULL(test, t->c);
	t->m = &t->c->magazine[t->spanclass];
	KUNIT_ASSERT_LE(test, 4 * t->batch, MAX_OBJS);
	return t;
}

static unsigned int nr_cached(const struct mcache_test *t)
{
	return t->m->top - t->m->base;
}

static void take_to(struct kunit *test, struct mcache_test *t, unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++) {
		t->objs[i] = gospan_alloc(BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
	}
}

static void take(struct kunit *test, struct mcache_test *t, unsigned int n)
{
	take_to(test, t, 0, n);
}

static void give(struct mcache_test *t, unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++)
		gospan_free(t->objs[i]);
}

/* Until the magazine has grown as far as it can, and is empty; none in transit. How many. */
static unsigned int take_until_grown(struct kunit *test, struct mcache_test *t)
{
	unsigned int n = 0, max = gospan_mcache_capacity(t->spanclass);

	do {
		KUNIT_ASSERT_LT(test, n, MAX_OBJS);
		t->objs[n] = gospan_alloc(BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[n++]);
	} while (n <= max || t->m->limit - t->m->base < max || nr_cached(t));
	gospan_mcentral_drain(t->mc);
	return n;
}

static void mcache_flush_takes_all(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned int spanclass;

	take(test, t, 3);
	give(t, 0, 3);
	KUNIT_EXPECT_GT(test, t->c->capacity_bytes, 0);
	gospan_kunit_flush();
	KUNIT_EXPECT_EQ(test, t->c->capacity_bytes, 0);
	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++) {
		KUNIT_EXPECT_PTR_EQ(test, t->c->magazine[spanclass].limit,
				    t->c->magazine[spanclass].base);
		KUNIT_EXPECT_PTR_EQ(test, t->c->magazine[spanclass].top,
				    t->c->magazine[spanclass].base);
		KUNIT_EXPECT_NULL(test, t->c->span[spanclass]);
	}
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), 0);
}

/* The first allocation grants capacity and brings a batch along. */
static void mcache_alloc_refills_half(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);

	take(test, t, 1);
	KUNIT_EXPECT_EQ(test, t->m->limit - t->m->base, 2 * t->batch);
	KUNIT_EXPECT_EQ(test, t->c->capacity_bytes, 2 * t->batch * BYTES);
	KUNIT_EXPECT_EQ(test, nr_cached(t), t->batch - 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), t->batch);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	give(t, 0, 1);
	KUNIT_EXPECT_EQ(test, nr_cached(t), t->batch);
}

/* Last in, first out, without a look at the central list. */
static void mcache_alloc_warmest_first(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned long taken;

	take(test, t, 3);
	taken = atomic_long_read(&t->mc->nr_taken);
	give(t, 0, 3);
	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc(BYTES, GFP_KERNEL), t->objs[2]);
	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc(BYTES, GFP_KERNEL), t->objs[1]);
	KUNIT_EXPECT_PTR_EQ(test, gospan_alloc(BYTES, GFP_KERNEL), t->objs[0]);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_taken), taken);
	give(t, 0, 3);
}

/* A full magazine gives away the half that was freed first, if some were taken meanwhile. */
static void mcache_free_flushes_half(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned int i, n = gospan_bytes_batch(BYTES), nr_live = take_until_grown(test, t);
	const struct gospan_batch *b;

	KUNIT_ASSERT_GT(test, nr_live, 2 * n);
	give(t, 0, 1);
	take(test, t, 1);
	give(t, 0, 2 * n);
	KUNIT_EXPECT_EQ(test, nr_cached(t), 2 * n);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 0);
	give(t, 2 * n, 1);
	KUNIT_EXPECT_EQ(test, nr_cached(t), n + 1);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), n);
	b = gospan_transit_batch(&t->mc->transit, 0);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_PTR_EQ(test, b->objs[i], t->objs[i]);
	for (i = 0; i <= n; i++)
		KUNIT_EXPECT_PTR_EQ(test, t->m->base[i], t->objs[n + i]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	give(t, 2 * n + 1, nr_live - 2 * n - 1);
}

/* Who only frees keeps nothing, and who only allocates has all at once; who turns, half. */
static void mcache_one_way_trades_all(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned int i, n = gospan_bytes_batch(BYTES), nr_live = take_until_grown(test, t);
	const struct gospan_batch *b;

	KUNIT_ASSERT_GT(test, nr_live, 2 * n);
	give(t, 0, 2 * n + 1);
	KUNIT_EXPECT_EQ(test, nr_cached(t), 1);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 2 * n);
	for (i = 0; i < 2 * n; i++) {
		b = gospan_transit_batch(&t->mc->transit, i / n);
		KUNIT_EXPECT_PTR_EQ(test, b->objs[i % n], t->objs[i]);
	}
	KUNIT_ASSERT_TRUE(test, gospan_mcentral_grow(t->mc, 2 * n, GFP_KERNEL));
	take(test, t, 2);
	KUNIT_EXPECT_EQ(test, nr_cached(t), n - 1);
	take_to(test, t, 2, n);
	KUNIT_EXPECT_EQ(test, nr_cached(t), 2 * n - 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	give(t, 0, n + 2);
	give(t, 2 * n + 1, nr_live - 2 * n - 1);
}

/* Whoever goes one way may have more of what is large, as long as it does. */
static void mcache_one_way_large(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	const size_t bytes = SZ_4K;
	unsigned int spanclass = gospan_make_spanclass(gospan_size_to_class(bytes), false);
	/* No more than the CPU may cache. */
	unsigned int n = gospan_bytes_batch(bytes),
		     whole = min_t(unsigned int, gospan_mcache_capacity(spanclass),
				   gospan_kunit_cache_limit() / bytes);
	const struct gospan_magazine *m = &t->c->magazine[spanclass];
	unsigned int i, nr, most = 0;

	KUNIT_ASSERT_GT(test, whole, 2 * n);
	for (nr = 0; nr < 2; nr++) {
		for (i = 0; i < MAX_OBJS; i++) {
			t->objs[i] = gospan_alloc(bytes, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
			most = max_t(unsigned int, most, m->top - m->base + 1);
		}
		KUNIT_EXPECT_EQ(test, m->limit - m->base, whole);
		if (!nr)
			give(t, 0, MAX_OBJS);
	}
	KUNIT_EXPECT_EQ(test, most, whole);
	/* Who turns each time that it is empty or full keeps as much as before. */
	for (i = 0; i < 4 * whole; i++) {
		gospan_free(t->objs[i]);
		if (i % 8)
			continue;
		t->objs[i] = gospan_alloc(bytes, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
		gospan_free(t->objs[i]);
	}
	KUNIT_EXPECT_EQ(test, m->limit - m->base, 2 * n);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	give(t, i, MAX_OBJS - i);
}

/* With an object to free, or NULL for one that is wanted. Counts as a miss, if it does. */
static bool trades_at_once(struct gospan_mcache *home, struct gospan_magazine *m, const void *p)
{
	unsigned int idx = m - home->magazine;
	struct gospan_mcache *c, **slot;
	bool ok;

	slot = gospan_mcache_claim(&c);
	__clear_bit(idx, home->missed);
	ok = p ? gospan_mcache_flush_whole(home, m, p) : gospan_mcache_refill_whole(home, m);
	ok = ok && test_bit(idx, home->missed);
	gospan_mcache_release(slot, c);
	return ok;
}

/*
 * Where all of a magazine has room in one slot of the transit it goes there at once; not if what
 * is freed was freed last, nor comes back out of a heap that is broken.
 */
static void mcache_one_way_at_once(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	const size_t bytes = SZ_4K;
	unsigned int spanclass = gospan_make_spanclass(gospan_size_to_class(bytes), false);
	struct gospan_magazine *m = &t->c->magazine[spanclass];
	struct gospan_mcentral *mc = gospan_mcentral_local(spanclass);
	unsigned long before = gospan_report_count();
	unsigned int whole = gospan_mcache_capacity(spanclass), nr, i;
	unsigned long nr_flushes, nr_refills;

	if (gospan_kunit_cache_limit() < whole * bytes || mc->transit.whole != whole)
		kunit_skip(test, "a CPU may not cache as much, or no slot holds it");
	for (nr = 0; nr < 2 * whole || m->limit - m->base < whole || m->top != m->base; nr++) {
		KUNIT_ASSERT_LT(test, nr, MAX_OBJS);
		t->objs[nr] = gospan_alloc(bytes, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[nr]);
	}
	gospan_mcentral_drain(mc);
	KUNIT_EXPECT_PTR_EQ(test, t->c->transit[spanclass], &mc->transit);
	nr_flushes = t->c->nr_flushes[spanclass];
	nr_refills = t->c->nr_refills[spanclass];

	gospan_mcentral_flush(mc, t->objs, whole);
	WRITE_ONCE(gospan_heap.broken, true);
	KUNIT_EXPECT_NULL(test, gospan_alloc(bytes, GFP_KERNEL));
	WRITE_ONCE(gospan_heap.broken, false);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&mc->transit), whole);
	/* As if it had turned. */
	t->c->one_way[spanclass]--;
	KUNIT_EXPECT_FALSE(test, trades_at_once(t->c, m, NULL));
	t->c->one_way[spanclass]++;
	KUNIT_EXPECT_TRUE(test, trades_at_once(t->c, m, NULL));
	for (i = whole; i--;) {
		KUNIT_EXPECT_PTR_EQ(test, gospan_alloc(bytes, GFP_KERNEL), t->objs[i]);
		KUNIT_EXPECT_EQ(test, m->top - m->base, i);
	}
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&mc->transit), 0);
	KUNIT_EXPECT_EQ(test, t->c->nr_refills[spanclass], nr_refills + 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));

	give(t, 0, whole);
	KUNIT_EXPECT_PTR_EQ(test, m->top, m->limit);
	give(t, whole - 1, 1);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	KUNIT_EXPECT_FALSE(test, trades_at_once(t->c, m, t->objs[whole - 1]));
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&mc->transit), 0);
	KUNIT_EXPECT_TRUE(test, trades_at_once(t->c, m, t->objs[whole]));
	KUNIT_EXPECT_EQ(test, m->top - m->base, 0);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&mc->transit), whole);
	KUNIT_EXPECT_EQ(test, t->c->nr_flushes[spanclass], nr_flushes + 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	give(t, whole, nr - whole);
}

/* Each time that it is found empty it gets twice as much, up to a bound; so do full ones. */
static void mcache_capacity_follows_misses(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned int max = gospan_mcache_capacity(t->spanclass), capacity = 2 * t->batch;
	unsigned int i, nr_misses = 0;

	for (i = 0; i < MAX_OBJS; i++) {
		bool miss = i && !nr_cached(t);

		t->objs[i] = gospan_alloc(BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
		nr_misses += miss;
		capacity = min(capacity << miss, max);
		KUNIT_ASSERT_EQ(test, t->m->limit - t->m->base, capacity);
	}
	KUNIT_EXPECT_EQ(test, capacity, max);
	KUNIT_EXPECT_GT(test, nr_misses, 2);
	gospan_kunit_flush();
	give(t, 0, 2 * t->batch);
	KUNIT_EXPECT_EQ(test, t->m->limit - t->m->base, 2 * t->batch);
	give(t, 2 * t->batch, 1);
	/* There is room now: nothing had to go. */
	KUNIT_EXPECT_EQ(test, t->m->limit - t->m->base, 4 * t->batch);
	KUNIT_EXPECT_EQ(test, nr_cached(t), 2 * t->batch + 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	give(t, 2 * t->batch + 1, MAX_OBJS - 2 * t->batch - 1);
}

/* What has no misses gives way to what has. */
static void mcache_capacity_moves(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned int limit = gospan_kunit_cache_limit(), sizeclass, nr, i;
	struct gospan_magazine *m;

	if (limit > SZ_256K)
		kunit_skip(test, "cpu_cache_bytes has room for all");
	nr = take_until_grown(test, t);
	give(t, 0, nr);
	/* Each of these is short of room for a while, and this one is not. */
	for (sizeclass = GOSPAN_NR_SIZECLASSES - 1; sizeclass > 40; sizeclass--) {
		unsigned int bytes = gospan_class_to_bytes[sizeclass];

		for (nr = 0; nr < 64; nr++) {
			t->objs[nr] = gospan_alloc(bytes, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, t->objs[nr]);
		}
		m = &t->c->magazine[gospan_make_spanclass(sizeclass, false)];
		KUNIT_EXPECT_GT(test, m->limit - m->base, 2 * gospan_bytes_first_batch(bytes));
		for (i = 0; i < nr; i++)
			gospan_free(t->objs[i]);
		KUNIT_EXPECT_LE(test, t->c->capacity_bytes, limit);
		KUNIT_ASSERT_TRUE(test, gospan_heap_validate(&gospan_heap));
	}
	KUNIT_EXPECT_LT(test, t->m->limit - t->m->base, gospan_mcache_capacity(t->spanclass));
	KUNIT_EXPECT_LE(test, nr_cached(t), t->m->limit - t->m->base);
}

static unsigned long nr_misses(const struct gospan_mcache *c)
{
	unsigned long nr = 0;
	unsigned int spanclass;

	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
		nr += c->nr_refills[spanclass] + c->nr_flushes[spanclass];
	return nr;
}

/*
 * Many classes that want more than there is do not take it from each other all the time:
 * where they did, one step in 18 missed.
 */
static void mcache_capacity_shared(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	const unsigned int nr_steps = 20000;
	struct rnd_state rnd;
	unsigned long before = 0;
	unsigned int i, slot;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < 2 * nr_steps; i++) {
		if (i == nr_steps)
			before = nr_misses(t->c);
		slot = prandom_u32_state(&rnd) % MAX_OBJS;
		gospan_free(t->objs[slot]);
		t->objs[slot] = gospan_alloc(8 + prandom_u32_state(&rnd) % 1000, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[slot]);
	}
	KUNIT_EXPECT_LT(test, nr_misses(t->c) - before, nr_steps / 50);
	for (slot = 0; slot < MAX_OBJS; slot++)
		gospan_free(t->objs[slot]);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* A free before any allocation grants capacity, too. */
static void mcache_free_grants_capacity(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);

	take(test, t, 1);
	gospan_kunit_flush();
	KUNIT_ASSERT_PTR_EQ(test, t->m->limit, t->m->base);
	give(t, 0, 1);
	KUNIT_EXPECT_EQ(test, t->m->limit - t->m->base, 2 * t->batch);
	KUNIT_EXPECT_EQ(test, nr_cached(t), 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/*
 * Every class in turn, twice: together they would hold far more than
 * cpu_cache_bytes. Who gave up its capacity gets it back when used.
 */
static void mcache_capacity_within_limit(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned int limit = gospan_kunit_cache_limit();
	unsigned int sizeclass, round, nr_retired = 0;

	KUNIT_ASSERT_GT(test, limit, 0U);
	for (round = 0; round < 2; round++) {
		for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
			unsigned int spanclass = gospan_make_spanclass(sizeclass, false);
			void *p = gospan_alloc(gospan_class_to_bytes[sizeclass], GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_GT(test, t->c->magazine[spanclass].limit -
					t->c->magazine[spanclass].base, 0);
			gospan_free(p);
			KUNIT_EXPECT_LE(test, t->c->capacity_bytes, limit);
			KUNIT_ASSERT_TRUE(test, gospan_heap_validate(&gospan_heap));
		}
	}
	for (sizeclass = 1; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		unsigned int spanclass = gospan_make_spanclass(sizeclass, false);

		if (t->c->magazine[spanclass].limit > t->c->magazine[spanclass].base)
			continue;
		nr_retired++;
		KUNIT_EXPECT_PTR_EQ(test, t->c->magazine[spanclass].top,
				    t->c->magazine[spanclass].base);
		KUNIT_EXPECT_NULL(test, t->c->span[spanclass]);
	}
	if (limit <= SZ_256K)
		KUNIT_EXPECT_GT(test, nr_retired, 0U);
}

static unsigned int spanclass_of(unsigned int bytes)
{
	return gospan_make_spanclass(gospan_size_to_class(bytes), false);
}

static unsigned int capacity_of(const struct mcache_test *t, unsigned int bytes)
{
	const struct gospan_magazine *m = &t->c->magazine[spanclass_of(bytes)];

	return m->limit - m->base;
}

/* Who wants more is not asked itself to give way, though all others have missed, too. */
static void mcache_capacity_never_own(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	const struct gospan_magazine *m = &t->c->magazine[spanclass_of(32768)];
	unsigned int i;
	void *p;

	if (gospan_kunit_cache_limit() != SZ_256K)
		kunit_skip(test, "is for the default cpu_cache_bytes");
	for (i = 0; i < 7; i++) {
		t->objs[i] = gospan_alloc(i < 3 ? 32768 : 28672, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->objs[i]);
	}
	gospan_kunit_flush();
	give(t, 3, 4);
	p = gospan_alloc(24576, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gospan_free(p);
	give(t, 0, 2);
	KUNIT_ASSERT_EQ(test, capacity_of(t, 28672), 4);
	KUNIT_ASSERT_EQ(test, capacity_of(t, 24576), 2);
	KUNIT_ASSERT_EQ(test, capacity_of(t, 32768), 2);
	/* The third does not fit, and there is no room for two more. */
	__set_bit(spanclass_of(28672), t->c->missed);
	__set_bit(spanclass_of(24576), t->c->missed);
	t->c->victim = spanclass_of(28672);
	give(t, 2, 1);
	KUNIT_EXPECT_GE(test, capacity_of(t, 32768), 2);
	KUNIT_EXPECT_LE(test, m->top - m->base, m->limit - m->base);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* What happens in an interrupt, or after a hand-made claim. */
struct claimed_work {
	struct irq_work work;
	struct completion done;
	bool found_claimed;
	void *allocated;
	void *to_free;
};

static void claimed_alloc_free(struct claimed_work *w)
{
	w->found_claimed = __this_cpu_read(gospan_mcache_slot) == &gospan_mcache_none;
	w->allocated = gospan_alloc(BYTES, GFP_ATOMIC);
	gospan_free(w->to_free);
}

static void check_went_past_magazine(struct kunit *test, const struct mcache_test *t,
				     const struct claimed_work *w, unsigned int cached,
				     unsigned long mallocs)
{
	KUNIT_EXPECT_TRUE(test, w->found_claimed);
	KUNIT_ASSERT_NOT_NULL(test, w->allocated);
	KUNIT_EXPECT_TRUE(test, gospan_owns(w->allocated));
	KUNIT_EXPECT_EQ(test, gospan_size(w->allocated), BYTES);
	KUNIT_EXPECT_EQ(test, nr_cached(t), cached);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_mallocs), mallocs + 1);
	KUNIT_EXPECT_EQ(test, gospan_transit_count(&t->mc->transit), 1);
	KUNIT_EXPECT_PTR_EQ(test, gospan_transit_batch(&t->mc->transit, 0)->objs[0], w->to_free);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

/* With the mcache claimed, both directions go past its magazines. */
static void mcache_claim_by_hand(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned long mallocs = atomic_long_read(&t->mc->nr_mallocs);
	struct claimed_work w = {};
	struct gospan_mcache *c, **slot;
	unsigned int cached;

	take(test, t, 2);
	w.to_free = t->objs[1];
	cached = nr_cached(t);
	slot = gospan_mcache_claim(&c);
	claimed_alloc_free(&w);
	gospan_mcache_release(slot, c);
	KUNIT_EXPECT_PTR_EQ(test, c, t->c);
	check_went_past_magazine(test, t, &w, cached, mallocs);
	gospan_free(w.allocated);
	give(t, 0, 1);
}

/* Claims nest: the outer one's mcache is back in its slot only at its own end. */
static void mcache_claim_nests(struct kunit *test)
{
	struct gospan_mcache *outer, *inner, *between, *after, **slot, **inner_slot;
	struct mcache_test *t = mcache_make(test);

	slot = gospan_mcache_claim(&outer);
	inner_slot = gospan_mcache_claim(&inner);
	gospan_mcache_release(inner_slot, inner);
	between = *slot;
	gospan_mcache_release(slot, outer);
	after = *slot;
	KUNIT_EXPECT_PTR_EQ(test, inner_slot, slot);
	KUNIT_EXPECT_PTR_EQ(test, outer, t->c);
	KUNIT_EXPECT_PTR_EQ(test, inner, &gospan_mcache_none);
	KUNIT_EXPECT_PTR_EQ(test, between, &gospan_mcache_none);
	KUNIT_EXPECT_PTR_EQ(test, after, t->c);
}

static void claimed_irq(struct irq_work *work)
{
	struct claimed_work *w = container_of(work, struct claimed_work, work);

	claimed_alloc_free(w);
	complete(&w->done);
}

/* The same from an interrupt that comes while the claim is held. */
static void mcache_claim_interrupted(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned long mallocs = atomic_long_read(&t->mc->nr_mallocs);
	struct claimed_work w = {};
	unsigned long limit = jiffies + 2 * HZ;
	struct gospan_mcache *c, **slot;
	unsigned int cached;
	bool came;

	init_completion(&w.done);
	/* In hardirq context on PREEMPT_RT, too. */
	w.work = IRQ_WORK_INIT_HARD(claimed_irq);
	take(test, t, 2);
	w.to_free = t->objs[1];
	cached = nr_cached(t);
	slot = gospan_mcache_claim(&c);
	irq_work_queue(&w.work);
	/* At once, or at the next tick where CPUs cannot interrupt themselves. */
	while (!completion_done(&w.done) && time_before(jiffies, limit))
		cpu_relax();
	came = completion_done(&w.done);
	gospan_mcache_release(slot, c);
	irq_work_sync(&w.work);
	KUNIT_ASSERT_TRUE(test, came);
	check_went_past_magazine(test, t, &w, cached, mallocs);
	gospan_free(w.allocated);
	give(t, 0, 1);
}

/* While claimed and without any span there is, the heap grows. */
static void mcache_claim_grows_heap(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	struct gospan_mcache *c, **slot;
	void *p;

	KUNIT_ASSERT_EQ(test, atomic_long_read(&t->mc->nr_spans), 0);
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT cannot grow with preemption off");
	slot = gospan_mcache_claim(&c);
	p = gospan_alloc(BYTES, GFP_ATOMIC);
	gospan_mcache_release(slot, c);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mc->nr_spans), 1);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	gospan_free(p);
}

static void mcache_free_twice_in_a_row(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	unsigned long before = gospan_report_count();
	unsigned int cached;

	take(test, t, 2);
	give(t, 0, 1);
	cached = nr_cached(t);
	give(t, 0, 1);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
	KUNIT_EXPECT_EQ(test, nr_cached(t), cached);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	give(t, 1, 1);
}

/* What a test wants done on another CPU. */
struct remote_work {
	void *objs[8];
	unsigned int cpu;
	bool free;
	bool ok;
};

static int remote_run(void *data)
{
	struct remote_work *r = data;
	unsigned int i;

	r->ok = raw_smp_processor_id() == r->cpu;
	for (i = 0; i < ARRAY_SIZE(r->objs); i++) {
		if (r->free)
			gospan_free(r->objs[i]);
		else
			r->objs[i] = gospan_alloc(BYTES, GFP_KERNEL);
		r->ok &= !!r->objs[i];
	}
	return 0;
}

static bool run_on(struct remote_work *r, bool free)
{
	r->free = free;
	return !smp_call_on_cpu(r->cpu, remote_run, r, false) && r->ok;
}

static int cpu_up_again(unsigned int cpu)
{
	return cpu_online(cpu) ? 0 : add_cpu(cpu);
}

static void cpu_up_action(void *data)
{
	cpu_up_again((unsigned long)data);
}

/* A CPU that goes down leaves nothing behind; its mcache serves it again later. */
static void mcache_cpu_down_and_up(struct kunit *test)
{
	struct mcache_test *t = mcache_make(test);
	struct remote_work *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct gospan_mcentral *mc;
	struct gospan_mcache *c;

	KUNIT_ASSERT_NOT_NULL(test, r);
	if (!IS_ENABLED(CONFIG_HOTPLUG_CPU))
		kunit_skip(test, "CONFIG_HOTPLUG_CPU is not set");
	r->cpu = cpumask_last(cpu_online_mask);
	if (r->cpu == raw_smp_processor_id())
		kunit_skip(test, "needs two CPUs");
	c = gospan_mcache_of_cpu(r->cpu);
	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_ASSERT_TRUE(test, run_on(r, false));
	KUNIT_EXPECT_GT(test, c->capacity_bytes, 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, cpu_up_action,
							(void *)(unsigned long)r->cpu), 0);
	KUNIT_ASSERT_EQ(test, remove_cpu(r->cpu), 0);
	KUNIT_EXPECT_EQ(test, c->capacity_bytes, 0);
	KUNIT_EXPECT_PTR_EQ(test, per_cpu(gospan_mcache_slot, r->cpu), &gospan_mcache_none);
	KUNIT_EXPECT_PTR_EQ(test, gospan_mcache_of_cpu(r->cpu), c);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
	/* It may be of another node. */
	mc = gospan_mcache_central(c, t->spanclass);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&mc->nr_taken),
			gospan_transit_count(&mc->transit) + ARRAY_SIZE(r->objs));
	KUNIT_ASSERT_EQ(test, cpu_up_again(r->cpu), 0);
	KUNIT_EXPECT_PTR_EQ(test, per_cpu(gospan_mcache_slot, r->cpu), c);
	KUNIT_EXPECT_TRUE(test, run_on(r, true));
	KUNIT_EXPECT_GT(test, c->capacity_bytes, 0);
	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(&gospan_heap));
}

static struct kunit_case mcache_cases[] = {
	KUNIT_CASE(mcache_flush_takes_all),
	KUNIT_CASE(mcache_alloc_refills_half),
	KUNIT_CASE(mcache_alloc_warmest_first),
	KUNIT_CASE(mcache_free_flushes_half),
	KUNIT_CASE(mcache_one_way_trades_all),
	KUNIT_CASE(mcache_one_way_large),
	KUNIT_CASE(mcache_one_way_at_once),
	KUNIT_CASE(mcache_capacity_shared),
	KUNIT_CASE(mcache_free_grants_capacity),
	KUNIT_CASE(mcache_capacity_follows_misses),
	KUNIT_CASE(mcache_capacity_moves),
	KUNIT_CASE(mcache_capacity_never_own),
	KUNIT_CASE(mcache_free_twice_in_a_row),
	KUNIT_CASE(mcache_capacity_within_limit),
	KUNIT_CASE(mcache_claim_by_hand),
	KUNIT_CASE(mcache_claim_nests),
	KUNIT_CASE(mcache_claim_interrupted),
	KUNIT_CASE(mcache_claim_grows_heap),
	KUNIT_CASE(mcache_cpu_down_and_up),
	{}
};

static struct kunit_suite mcache_suite = {
	.name = "gospan_mcache",
	.init = gospan_kunit_init,
	.test_cases = mcache_cases,
};

kunit_test_suite(mcache_suite);
