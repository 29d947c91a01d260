// SPDX-License-Identifier: GPL-2.0-only
/*
 * mcache: one CPU's free objects, and what happens when a magazine runs out.
 *
 * For each spanclass a magazine to pop from and push to, and a current span
 * that refills are cut from, so that CPUs allocate from different cache lines.
 * A magazine that is empty or full trades half its capacity with the central list,
 * and all of it as long as its CPU only frees, or only allocates.
 *
 * Magazines start without capacity, get a little at first use, and twice as much
 * each time that they are found empty or full. All of a CPU's magazines, full,
 * hold no more than cpu_cache_bytes; beyond that others are asked, in turn. One
 * that nobody used since its last turn loses all; one that has been neither
 * empty nor full half of what it got beyond the first, and of that only to those
 * who have less. So capacity goes to where misses are, and who is short of it does
 * not take it from others who are.
 *
 * A CPU's magazines and current spans hold memory of its NUMA node. What is freed
 * here and belongs to another waits, apart from them, for a batch that is worth
 * a lock, and goes home; it is not handed out here. Only when the node is short of
 * memory is a magazine filled with objects of another; it is marked, and sorted
 * when it is emptied.
 *
 * Where a cache line has several objects, the pages of a span are marked as the CPU's
 * that cuts it, and what another CPU frees there goes to a magazine apart, which nothing is
 * handed out of: it leaves in batches. Which magazine that is, a table says by the page's
 * key, spanclass and mark in one: so that a free asks nothing.
 *
 * The functions here run under the claim: preemption is off and c is out of
 * its slot. gospan_mcache_flush() may instead be given the mcache of a CPU
 * that is down.
 *
 * Go's mcache hands out of the span directly; with frees that come back one
 * by one, and interrupts, a stack of pointers is what needs no atomics.
 */
#include <linux/cpuhotplug.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include "mcache.h"
#include "report.h"
#include "supply.h"

static unsigned int cpu_cache_bytes = SZ_256K;
module_param(cpu_cache_bytes, uint, 0444);
MODULE_PARM_DESC(cpu_cache_bytes, "most bytes of free objects in one CPU's cache (default 256 KiB)");

DEFINE_PER_CPU(struct gospan_mcache *, gospan_mcache_slot) = &gospan_mcache_none;
static DEFINE_PER_CPU(struct gospan_mcache *, mcache_home);
struct gospan_mcache gospan_mcache_none;
struct gospan_mcache gospan_mcache_parked;
/* Whoever parks mcaches holds it until they are emptied. */
DEFINE_MUTEX(gospan_mcache_parking);
static enum cpuhp_state cpuhp_state;
/* Magazines asked for capacity before another does without more. */
#define GROW_TRIES	4U
/* A magazine that is used keeps that much, as long as others have more. */
#define LEAST_CAPACITY	2U
/* Slots of the named caches' magazines; of caches that have none, NULL. */
static void * __percpu *cache_slots[GOSPAN_NR_CACHES];

static unsigned int magazine_capacity(const struct gospan_magazine *m)
{
	return m->limit - m->base;
}

/* What a magazine gets at first; where it has less, it may have that before others more. */
static unsigned int magazine_first_capacity(unsigned int idx)
{
	return 2 * gospan_bytes_first_batch(gospan_spanclass_bytes(gospan_magazine_spanclass(idx)));
}

/* Slots of a magazine, and the NULL below. */
static unsigned int magazine_nr_slots(unsigned int spanclass)
{
	return 1 + gospan_mcache_capacity(spanclass);
}

/* Is some of what it has freed where others cut? */
static bool spanclass_is_private(unsigned int spanclass)
{
	return gospan_span_is_private(gospan_spanclass_bytes(spanclass));
}

/* Slots of both its magazines. */
static unsigned int magazines_nr_slots(unsigned int spanclass)
{
	return magazine_nr_slots(spanclass) * (spanclass_is_private(spanclass) ? 2 : 1);
}

/* The stack that begins at @slot, with the NULL below. */
static void magazine_init(struct gospan_magazine *m, void **slot)
{
	m->base = slot + 1;
	m->top = m->base;
	m->limit = m->base;
}

/* Give the @n objects that were pushed first to the central list. */
static __always_inline void magazine_flush_to(struct gospan_magazine *m, unsigned int n,
					      struct gospan_mcentral *mc, bool mixed)
{
	unsigned int moved;

	if (unlikely(mixed)) {
		gospan_mcentral_flush_home(m->base, n);
	} else {
		moved = gospan_transit_push(&mc->transit, m->base, n);
		if (unlikely(moved < n))
			gospan_mcentral_spill(mc, m->base + moved, n - moved);
	}
	/* The rest are warmer, they stay. */
	m->top -= n;
	if (m->top != m->base)
		memmove(m->base, m->base + n, (m->top - m->base) * sizeof(void *));
}

static noinline void magazine_flush(struct gospan_mcache *c, unsigned int idx, unsigned int n)
{
	magazine_flush_to(&c->magazine[idx], n, gospan_mcache_central(c, idx),
			  test_bit(idx, c->mixed));
}

/* Send what waits to go to other nodes. */
static void remote_flush(struct gospan_remote *r)
{
	gospan_mcentral_flush_home(r->stack.base, r->stack.top - r->stack.base);
	r->stack.top = r->stack.base;
	r->bytes = 0;
	memset(r->nr, 0, sizeof(r->nr));
}

static void mcache_set_capacity(struct gospan_mcache *c, unsigned int idx, unsigned int n)
{
	struct gospan_magazine *m = &c->magazine[idx];
	size_t bytes = gospan_spanclass_bytes(gospan_magazine_spanclass(idx));

	c->capacity_bytes += n * bytes;
	c->capacity_bytes -= magazine_capacity(m) * bytes;
	m->limit = m->base + n;
	c->transit[idx] = gospan_mcache_transit(c, idx);
}

/* Empty the magazine, take its capacity, give up its current span. */
static void mcache_retire(struct gospan_mcache *c, unsigned int idx)
{
	struct gospan_magazine *m = &c->magazine[idx];

	if (!magazine_capacity(m))
		return;
	magazine_flush(c, idx, m->top - m->base);
	__clear_bit(idx, c->mixed);
	if (idx < GOSPAN_FOREIGN && c->span[idx]) {
		gospan_mcentral_disown(gospan_mcache_central(c, idx), c->span[idx]);
		c->span[idx] = NULL;
	}
	mcache_set_capacity(c, idx, 0);
	if (gospan_spanclass_is_cache(gospan_magazine_spanclass(idx)))
		*m = (struct gospan_magazine){ .nr_mallocs = m->nr_mallocs };
}

/* Leave a magazine @n objects of its capacity. */
static void mcache_shrink(struct gospan_mcache *c, unsigned int idx, unsigned int n)
{
	struct gospan_magazine *m = &c->magazine[idx];
	unsigned int nr = m->top - m->base;

	if (nr > n)
		magazine_flush(c, idx, nr - n);
	mcache_set_capacity(c, idx, n);
}

/* Has anything been popped or pushed since this was called last? */
static bool magazine_was_used(struct gospan_mcache *c, unsigned int idx)
{
	const struct gospan_magazine *m = &c->magazine[idx];
	unsigned long now = m->nr_mallocs + (unsigned long)m->top;
	bool used = now != c->seen[idx];

	c->seen[idx] = now;
	return used;
}

/*
 * Ask a magazine for some of its capacity. If it was neither empty nor full since it
 * was asked last, it gives half of what it has beyond its first, or of all if @poor;
 * and all, if nobody used it or @forced and there is no half.
 */
static void mcache_ask(struct gospan_mcache *c, unsigned int idx, bool poor, bool forced)
{
	unsigned int n = magazine_capacity(&c->magazine[idx]) / 2;
	bool used = magazine_was_used(c, idx);

	if (__test_and_clear_bit(idx, c->missed))
		return;
	if (!used || (forced && n < LEAST_CAPACITY))
		mcache_retire(c, idx);
	else if (n >= (poor ? LEAST_CAPACITY : magazine_first_capacity(idx)))
		mcache_shrink(c, idx, n);
}

/*
 * Make room for @n more objects in magazine @idx, by others. False if @tries of
 * them did not have it to spare: with 0 all are asked, until there is room.
 */
static bool mcache_make_room(struct gospan_mcache *c, unsigned int idx, unsigned int n,
			     unsigned int tries)
{
	unsigned int capacity = magazine_capacity(&c->magazine[idx]);
	bool poor = capacity + n <= magazine_first_capacity(idx);
	size_t bytes = n * gospan_spanclass_bytes(gospan_magazine_spanclass(idx));
	bool forced = !tries;

	/* Any magazine alone has room: there are others. */
	while (c->capacity_bytes + bytes > cpu_cache_bytes) {
		do {
			c->victim = (c->victim + 1) % GOSPAN_NR_MAGAZINES;
		} while (c->victim == idx || !magazine_capacity(&c->magazine[c->victim]));
		mcache_ask(c, c->victim, poor, forced);
		if (!forced && !--tries)
			return c->capacity_bytes + bytes <= cpu_cache_bytes;
	}
	return true;
}

/* Let magazine @idx have capacity; others give way. False if its objects are too large. */
static bool mcache_grant(struct gospan_mcache *c, unsigned int idx)
{
	unsigned int spanclass = gospan_magazine_spanclass(idx), n;
	struct gospan_magazine *m = &c->magazine[idx];

	if (!gospan_mcache_capacity(spanclass))
		return false;
	if (gospan_spanclass_is_cache(spanclass)) {
		void **slots = this_cpu_ptr(cache_slots[spanclass - GOSPAN_SPANCLASS_CACHE]);

		magazine_init(m, idx < GOSPAN_FOREIGN ? slots :
						       slots + magazine_nr_slots(spanclass));
	}
	n = magazine_first_capacity(idx);
	mcache_make_room(c, idx, n, 0);
	mcache_set_capacity(c, idx, n);
	/* Nothing went any way yet. */
	c->one_way[idx] = m->nr_mallocs - 1;
	return true;
}

/* Objects to trade, since it is empty or full. */
static unsigned int magazine_trade(const struct gospan_magazine *m, bool one_way)
{
	unsigned int capacity = magazine_capacity(m);

	return one_way ? capacity : capacity / 2;
}

/* Let a magazine hold twice as much, if others have it to spare, but no more than @max. */
static noinline void mcache_resize(struct gospan_mcache *c, unsigned int idx,
				   unsigned int max)
{
	size_t bytes = gospan_spanclass_bytes(gospan_magazine_spanclass(idx));
	unsigned int n = magazine_capacity(&c->magazine[idx]), more;

	max = min_t(unsigned int, max, cpu_cache_bytes / bytes);
	if (n > max)
		return mcache_shrink(c, idx, max);
	more = min(n, max - n);
	if (more && mcache_make_room(c, idx, more, GROW_TRIES))
		mcache_set_capacity(c, idx, n + more);
}

static __always_inline void mcache_grow(struct gospan_mcache *c, unsigned int idx,
					const struct gospan_magazine *m,
					const struct gospan_mcentral *mc, bool one_way)
{
	unsigned int max = one_way ? mc->whole : 2 * mc->batch;

	__set_bit(idx, c->missed);
	if (unlikely(magazine_capacity(m) != max))
		mcache_resize(c, idx, max);
}

/*
 * The magazine is empty, or full, or not enough for what comes at once: let it hold
 * more, if it holds any, and others have it to spare.
 */
void gospan_mcache_grow(struct gospan_mcache *c, unsigned int idx)
{
	mcache_grow(c, idx, &c->magazine[idx], gospan_mcache_central(c, idx),
		    gospan_mcache_is_one_way(c, &c->magazine[idx]));
}

/* Fill the magazine, which is empty. */
static __always_inline void magazine_refill(struct gospan_mcache *c, unsigned int spanclass,
					    struct gospan_magazine *m, struct gospan_mcentral *mc,
					    bool one_way)
{
	unsigned int want = magazine_trade(m, one_way), n = 0;

	c->nr_refills[spanclass]++;
	__clear_bit(spanclass, c->mixed);
	/* Without whole batches it is what is cut that matters, and how much of it ahead. */
	if (likely(!gospan_span_is_private(mc->layout.elem_bytes) &&
		   (want < mc->transit.room ||
		    READ_ONCE(mc->transit.slots[GOSPAN_TRANSIT_FULL]))))
		n = gospan_transit_pop(&mc->transit, m->base, want);
	if (unlikely(n < want))
		n += gospan_mcentral_refill(mc, &c->span[spanclass], m->base + n, want - n);
	m->top += n;
	if (n)
		c->one_way[spanclass] = m->nr_mallocs + n;
}

/* The same, since there is nothing of the CPU's own, with what @other has. */
static noinline void magazine_refill_other(struct gospan_mcache *c, unsigned int spanclass,
					   struct gospan_mcentral *other)
{
	struct gospan_magazine *m = &c->magazine[spanclass];
	struct gospan_span *s = NULL;

	/* What is in transit, too, in whosever pages. */
	m->top += gospan_transit_pop(&other->transit, m->base, magazine_capacity(m) / 2);
	if (m->top == m->base)
		m->top += gospan_mcentral_refill(other, &s, m->base, magazine_capacity(m) / 2);
	if (s)
		gospan_mcentral_disown(other, s);
	if (other->node != c->home->node) {
		__set_bit(spanclass, c->mixed);
		/* It is to be sorted before it is traded. */
		c->one_way[spanclass] = m->nr_mallocs - 1;
	}
}

/*
 * Slow path of an allocation: refill the magazine and pop one. NULL when the
 * central list has nothing; then it has to grow, without the claim. After that,
 * @other is the list that has some, perhaps another node's; before, NULL.
 */
void *gospan_mcache_alloc(struct gospan_mcache *c, unsigned int spanclass,
			  struct gospan_mcentral *other)
{
	struct gospan_mcentral *mc = gospan_mcache_central(c, spanclass);
	struct gospan_magazine *m = &c->magazine[spanclass];
	bool one_way = gospan_mcache_is_one_way(c, m);

	if (unlikely(!magazine_capacity(m))) {
		if (!mcache_grant(c, spanclass))
			return gospan_mcentral_alloc(other ?: mc);
		one_way = false;
	} else if (m->top == m->base && !other) {
		mcache_grow(c, spanclass, m, mc, one_way);
	}
	if (likely(m->top == m->base))
		magazine_refill(c, spanclass, m, mc, one_way);
	if (unlikely(m->top == m->base) && other)
		magazine_refill_other(c, spanclass, other);
	if (unlikely(m->top == m->base))
		return NULL;
	m->nr_mallocs++;
	return *--m->top;
}

static __always_inline bool mcache_free(struct gospan_mcache *c, unsigned int idx,
					struct gospan_magazine *m, void *p)
{
	struct gospan_mcentral *mc = gospan_mcache_central(c, idx);
	bool one_way, mixed;

	if (unlikely(!magazine_capacity(m)) && !mcache_grant(c, idx)) {
		gospan_mcentral_flush(mc, &p, 1);
		return true;
	}
	if (unlikely(m->top[-1] == p))
		return false;
	one_way = gospan_mcache_is_one_way(c, m);
	if (likely(m->top == m->limit))
		mcache_grow(c, idx, m, mc, one_way);
	if (likely(m->top == m->limit)) {
		c->nr_flushes[gospan_magazine_spanclass(idx)]++;
		mixed = __test_and_clear_bit(idx, c->mixed);
		/* What is sorted is sorted all, and then it is as others are. */
		magazine_flush_to(m, magazine_trade(m, one_way || mixed), mc, mixed);
		c->one_way[idx] = m->nr_mallocs;
	}
	*m->top++ = p;
	return true;
}

/*
 * Slow path of a free of the CPU's node's object: make room and push. False for an
 * object pushed last, too.
 */
bool gospan_mcache_free(struct gospan_mcache *c, unsigned int idx, void *p)
{
	return mcache_free(c, idx, &c->magazine[idx], p);
}

/* The same where the magazine is full, or has @p already. Reports, and ends the claim. */
void gospan_mcache_free_full(const void *p, struct gospan_magazine *m, struct gospan_mcache *c)
{
	bool ok = mcache_free(c, m - c->magazine, m, (void *)p);

	gospan_mcache_release(this_cpu_ptr(&gospan_mcache_slot), c);
	if (unlikely(!ok))
		gospan_report_misuse(GOSPAN_FREE_DOUBLE, p);
}

/* The same for an object of another node. */
static bool mcache_free_remote(struct gospan_mcache *c, unsigned int spanclass, void *p)
{
	if (gospan_mcache_push_remote(c, spanclass, p))
		return true;
	if (c->remote.stack.top[-1] == p)
		return false;
	remote_flush(&c->remote);
	/* A named cache's may be larger than all that waits. */
	if (!gospan_mcache_push_remote(c, spanclass, p))
		gospan_mcentral_flush_home(&p, 1);
	return true;
}

/*
 * An object or block that goes to no magazine: to those that go to other nodes or, if the
 * mcache is claimed, home. False for one pushed last, too.
 */
bool gospan_mcache_put_elsewhere(struct gospan_mcache *c, unsigned int spanclass, void *p)
{
	if (!gospan_mcache_is_none(c))
		return mcache_free_remote(c, spanclass, p);
	gospan_mcentral_flush_home(&p, 1);
	return true;
}

/* Give up the block of tiny objects that is open, if one is. It may stay in use. */
void gospan_mcache_close_tiny(struct gospan_mcache *c)
{
	void *block = (void *)c->tiny.block;
	struct gospan_magazine *m;

	if (!block || !gospan_tiny_close(&c->tiny))
		return;
	m = gospan_mcache_magazine(c, gospan_arena_key_of(&gospan_heap.arenas, block));
	gospan_mcache_put(c, gospan_mcache_blocks(m) - c->magazine, block);
}

/* Empty all magazines. */
void gospan_mcache_flush(struct gospan_mcache *c)
{
	unsigned int idx;

	gospan_mcache_close_tiny(c);
	for (idx = 0; idx < GOSPAN_NR_MAGAZINES; idx++)
		mcache_retire(c, idx);
	remote_flush(&c->remote);
}

static bool mcache_has(const struct gospan_mcache *c, unsigned int spanclass)
{
	/* Its owner goes on meanwhile, see gospan_mcache_drain(). */
	return data_race(magazine_capacity(&c->magazine[spanclass])) ||
	       /* The same. */
	       data_race(magazine_capacity(&c->magazine[GOSPAN_FOREIGN + spanclass])) ||
	       /* The same. */
	       data_race(c->remote.nr[spanclass]);
}

static bool cpu_caches(int cpu, void *spanclass)
{
	const struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);

	return c && mcache_has(c, *(unsigned int *)spanclass);
}

static void retire_on_cpu(void *data)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	unsigned int spanclass = *(unsigned int *)data;

	c = gospan_mcache_wake(c);
	/* What was interrupted uses it, or it is emptied anyway. */
	if (!gospan_mcache_is_none(c)) {
		mcache_retire(c, spanclass);
		mcache_retire(c, GOSPAN_FOREIGN + spanclass);
		if (c->remote.nr[spanclass])
			remote_flush(&c->remote);
	}
	gospan_mcache_release(slot, c);
}

/*
 * Empty the magazines of a spanclass on all CPUs. Returns false if that has to be
 * tried again: some CPU was just using its mcache, or is going down, or caches
 * objects again. Task context, interrupts on.
 */
bool gospan_mcache_drain(unsigned int spanclass)
{
	unsigned int cpu;

	on_each_cpu_cond(cpu_caches, retire_on_cpu, &spanclass, true);
	for_each_possible_cpu(cpu)
		if (cpu_caches(cpu, &spanclass))
			return false;
	return true;
}

/* Differs, most probably, when anything was popped or pushed meanwhile. At some moment. */
unsigned long gospan_mcache_fingerprint(unsigned int cpu)
{
	const struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);
	unsigned int spanclass, idx;
	unsigned long sum;

	if (!c)
		return 0;
	/* Its owner goes on meanwhile: then it differs. */
	sum = data_race(c->nr_tiny_mallocs);
	/* The same. */
	sum += data_race(c->remote.bytes);
	for (idx = 0; idx < GOSPAN_NR_MAGAZINES; idx++) {
		const struct gospan_magazine *m = &c->magazine[idx];

		/* The same. */
		sum = sum * 31 + data_race(m->nr_mallocs) + (unsigned long)data_race(m->top);
	}
	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
		/* The same. */
		sum += data_race(c->nr_flushes[spanclass]);
	return sum;
}

/*
 * Park the mcache of an online CPU that has something in it; false if it has not, or
 * uses it just now. A grace period later gospan_mcache_drain_parked() has to be called.
 */
bool gospan_mcache_park(unsigned int cpu)
{
	struct gospan_mcache **slot = per_cpu_ptr(&gospan_mcache_slot, cpu);
	struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);
	struct gospan_mcache *now = READ_ONCE(*slot);

	/* It may be parked and full: the CPU had claimed it parked, and had it in between. */
	if (!c || (now != c && now != &gospan_mcache_parked))
		return false;
	/* Its owner goes on meanwhile. */
	if (!data_race(c->capacity_bytes) && !data_race(c->remote.bytes))
		return false;
	WRITE_ONCE(c->parked, GOSPAN_PARKED_DRAINING);
	/*
	 * Pairs with gospan_mcache_unpark(). Who has claimed the mcache keeps it for
	 * now; an interrupt of his that sees the slot must not take it, too. Claims
	 * that the grace period does not wait for see both in any case.
	 */
	smp_store_release(slot, &gospan_mcache_parked);
	return true;
}

/* Empty it, unless the CPU had claimed it when it was parked, and so has it back. */
bool gospan_mcache_drain_parked(unsigned int cpu)
{
	struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);
	bool parked = READ_ONCE(per_cpu(gospan_mcache_slot, cpu)) == &gospan_mcache_parked;

	if (parked)
		gospan_mcache_flush(c);
	/* Pairs with the acquire in gospan_mcache_unpark(): who takes it sees it empty. */
	smp_store_release(&c->parked, GOSPAN_PARKED_NOT);
	return parked;
}

/* This CPU's mcache, for who claimed and found it parked; or that, while it is emptied. */
struct gospan_mcache *gospan_mcache_unpark(void)
{
	struct gospan_mcache *c = this_cpu_read(mcache_home);

	/* Pairs with gospan_mcache_park(): the slot was looked at before the mark is. */
	smp_rmb();
	/* Pairs with the release in gospan_mcache_drain_parked(). */
	if (smp_load_acquire(&c->parked) == GOSPAN_PARKED_DRAINING)
		return &gospan_mcache_parked;
	return c;
}

/* Objects that this CPU's magazine wants next, at some moment; at least one. */
unsigned int gospan_mcache_batch(unsigned int spanclass)
{
	const struct gospan_mcache *c = raw_cpu_read(mcache_home);
	/* Its owner goes on meanwhile, and may be another by now. */
	unsigned int n = c ? data_race(magazine_capacity(&c->magazine[spanclass])) / 2 : 1;

	return clamp(n, 1U, GOSPAN_MAX_BATCH);
}

/*
 * The mcache of a possible CPU, claimed or not; NULL if it never came up. Pairs with
 * mcache_cpu_prepare().
 */
struct gospan_mcache *gospan_mcache_of_cpu(unsigned int cpu)
{
	return READ_ONCE(per_cpu(mcache_home, cpu));
}

/* Before the spanclass of a named cache is used; its layout is set. Returns 0 or -ENOMEM. */
int gospan_mcache_open(unsigned int spanclass)
{
	void * __percpu *slots;

	if (!gospan_mcache_capacity(spanclass))
		return 0;
	slots = __alloc_percpu(magazines_nr_slots(spanclass) * sizeof(void *), sizeof(void *));
	cache_slots[spanclass - GOSPAN_SPANCLASS_CACHE] = slots;
	return slots ? 0 : -ENOMEM;
}

/* The opposite, when no CPU caches objects of it. */
void gospan_mcache_close(unsigned int spanclass)
{
	struct gospan_mcache *c;
	unsigned int cpu;

	/* Who emptied one may not have turned away from it yet. */
	mutex_lock(&gospan_mcache_parking);
	mutex_unlock(&gospan_mcache_parking);
	free_percpu(cache_slots[spanclass - GOSPAN_SPANCLASS_CACHE]);
	cache_slots[spanclass - GOSPAN_SPANCLASS_CACHE] = NULL;
	for_each_possible_cpu(cpu) {
		c = gospan_mcache_of_cpu(cpu);
		if (!c)
			continue;
		/* Nobody else touches it, until the spanclass is used again. */
		c->magazine[spanclass].nr_mallocs = 0;
		c->nr_refills[spanclass] = 0;
		c->nr_flushes[spanclass] = 0;
	}
}

static unsigned int mcache_nr_slots(void)
{
	unsigned int spanclass, nr = 0;

	for (spanclass = GOSPAN_SPANCLASS_FIRST; spanclass < GOSPAN_SPANCLASS_CACHE; spanclass++)
		nr += magazines_nr_slots(spanclass);
	return nr + (gospan_node_are_many() ? 1 + GOSPAN_REMOTE_MAX : 0);
}

/* Where what is freed goes, on a CPU that has @mark. */
static void mcache_set_offsets(struct gospan_mcache *c, unsigned int mark)
{
	unsigned int key, idx;

	static_assert(offsetofend(struct gospan_mcache, magazine) <= U16_MAX);
	for (key = 0; key < GOSPAN_NR_KEYS; key++) {
		idx = gospan_key_spanclass(key);
		if (gospan_key_mark(key) && gospan_key_mark(key) != mark)
			idx += GOSPAN_FOREIGN;
		c->offset[key] = offsetof(struct gospan_mcache, magazine[idx]);
	}
}

static struct gospan_mcache *mcache_create(unsigned int cpu)
{
	unsigned int spanclass, nr_slots = mcache_nr_slots();
	struct gospan_mcache *c;
	void **slot;

	c = kvzalloc_node(struct_size(c, slots, nr_slots), GFP_KERNEL, cpu_to_node(cpu));
	if (!c)
		return NULL;
	c->bytes = struct_size(c, slots, nr_slots);
	mcache_set_offsets(c, gospan_cpu_mark(cpu));
	slot = c->slots;
	for (spanclass = GOSPAN_SPANCLASS_FIRST; spanclass < GOSPAN_SPANCLASS_CACHE; spanclass++) {
		magazine_init(&c->magazine[spanclass], slot);
		if (spanclass_is_private(spanclass))
			magazine_init(&c->magazine[GOSPAN_FOREIGN + spanclass],
				      slot + magazine_nr_slots(spanclass));
		slot += magazines_nr_slots(spanclass);
	}
	if (gospan_node_are_many()) {
		magazine_init(&c->remote.stack, slot);
		c->remote.stack.limit += GOSPAN_REMOTE_MAX;
	}
	return c;
}

/* Before a CPU starts. Its mcache outlives the CPU's being down, for its counters. */
static int mcache_cpu_prepare(unsigned int cpu)
{
	struct gospan_mcache *c = per_cpu(mcache_home, cpu);
	struct gospan_node_heap *home;

	gospan_node_update_cpu(cpu);
	home = gospan_supply_node(&gospan_heap, per_cpu(gospan_node_of_cpu, cpu), GFP_KERNEL);
	if (!home)
		return -ENOMEM;
	if (!c) {
		c = mcache_create(cpu);
		if (!c)
			return -ENOMEM;
		/* Pairs with gospan_mcache_of_cpu(): it is whole. */
		smp_store_release(per_cpu_ptr(&mcache_home, cpu), c);
	}
	c->home = home;
	per_cpu(gospan_mcache_slot, cpu) = c;
	return 0;
}

/* After a CPU has stopped. */
static int mcache_cpu_dead(unsigned int cpu)
{
	per_cpu(gospan_mcache_slot, cpu) = &gospan_mcache_none;
	gospan_mcache_flush(per_cpu(mcache_home, cpu));
	gospan_mheap_flush_cpu(&gospan_heap, cpu);
	return 0;
}

int gospan_mcache_init(void)
{
	int ret;

	/* Any magazine alone fits, as long as it is not to be traded whole. */
	static_assert(2 * GOSPAN_BATCH_BYTES <= 4 * GOSPAN_MAX_SMALL_BYTES);
	cpu_cache_bytes = max_t(unsigned int, cpu_cache_bytes, 4 * GOSPAN_MAX_SMALL_BYTES);
	ret = cpuhp_setup_state(CPUHP_BP_PREPARE_DYN, "gospan:mcache",
				mcache_cpu_prepare, mcache_cpu_dead);
	if (ret < 0) {
		gospan_mcache_exit();
		return ret;
	}
	cpuhp_state = ret;
	return 0;
}

/* Flushes every mcache: the CPU hotplug core calls mcache_cpu_dead() for each. */
void gospan_mcache_exit(void)
{
	unsigned int cpu;

	if (cpuhp_state)
		cpuhp_remove_state(cpuhp_state);
	cpuhp_state = 0;
	for_each_possible_cpu(cpu) {
		kvfree(per_cpu(mcache_home, cpu));
		per_cpu(mcache_home, cpu) = NULL;
	}
}
