// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of the torture test: their contents, the ways to free them, and the boxes
 * in which they pass from one context to another.
 *
 * Each object carries a pattern of its own, which is checked whenever somebody gets
 * hold of it. Nobody waits for a box: one that another is at is passed over.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include "torture.h"

#define NR_BOXES	1024
/* The last ones have what NMIs cannot free: vmalloc memory. */
#define NR_KV_BOXES	16
/* Where an object of a named cache carries what its constructor wrote. */
#define CONSTRUCTED_BYTES	8
/* All words of small objects, and of one larger one in so many ... */
#define DENSE_SHARE	32
/* ... of the others so many at either end, and between them every so manieth. */
#define END_WORDS	32
#define STRIDE_WORDS	31
/* Of what is wrong, so many are printed. */
#define MAX_PRINTED	20

struct box {
	unsigned long lock;		/* bit 0 */
	struct torture_object object;	/* under it */
};

/* For gospan_free_rcu(). */
struct head_first {
	struct rcu_head rcu;
};

/* The same, leaving alone what a constructor wrote. */
struct head_second {
	u64 constructed;
	struct rcu_head rcu;
};

static struct box boxes[NR_BOXES];
static atomic_t nr_printed;

void torture_bad(struct torture_actor *a, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	a->nr_bad++;
	if (atomic_inc_return(&nr_printed) > MAX_PRINTED)
		return;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_err("actor %u, step %llu: %pV\n", a->number, a->step, &vaf);
	va_end(args);
}

static size_t object_skip(const struct torture_object *o)
{
	return o->kind >= TORTURE_CACHE ? CONSTRUCTED_BYTES : 0;
}

static u64 pattern(const struct torture_object *o, size_t word)
{
	u64 x = (o->stamp + word) * 0x9e3779b97f4a7c15ULL;

	return x ^ x >> 32;
}

/* The word after @word of those that carry the pattern. */
static size_t pattern_next(const struct torture_object *o, size_t word)
{
	size_t end = (o->bytes - 1) / sizeof(u64);

	if (word < END_WORDS || word + END_WORDS >= end || o->stamp % DENSE_SHARE == 0)
		return word + 1;
	return min(word + STRIDE_WORDS, end - END_WORDS);
}

void torture_object_write(struct torture_actor *a, struct torture_object *o)
{
	void *bytes = o->p + object_skip(o);
	size_t i, at;
	u64 x;

	OPTIMIZER_HIDE_VAR(bytes);
	o->stamp = a->stream + a->step;
	for (i = 0; (at = i * sizeof(x)) < o->bytes; i = pattern_next(o, i)) {
		x = pattern(o, i);
		if (at + sizeof(x) <= o->bytes)
			memcpy(bytes + at, &x, sizeof(x));
		else
			memcpy(bytes + at, &x, o->bytes - at);
	}
}

static bool pattern_is(const void *has, u64 x, size_t bytes)
{
	u64 y;

	if (bytes < sizeof(y))
		return !memcmp(has, &x, bytes);
	/* Inline. */
	memcpy(&y, has, sizeof(y));
	return x == y;
}

/* Are the first @bytes of those that were written still as they were? */
void torture_object_check(struct torture_actor *a, const struct torture_object *o, size_t bytes)
{
	const void *has = o->p + object_skip(o);
	size_t i, at, n;
	u64 x;

	OPTIMIZER_HIDE_VAR(has);
	for (i = 0; (at = i * sizeof(x)) < bytes; i = pattern_next(o, i)) {
		x = pattern(o, i);
		n = min(bytes - at, sizeof(x));
		if (pattern_is(has + at, x, n))
			continue;
		torture_bad(a, "%px of %zu bytes, kind %d, stamp %#llx, has %*ph, not %*ph, at %zu",
			    o->p, o->bytes, o->kind, o->stamp, (int)n, has + at, (int)n, &x, at);
		return;
	}
}

static void free_rcu(struct torture_object *o)
{
	struct head_second *second = o->p;
	struct head_first *first = o->p;

	if (o->bytes >= sizeof(*second))
		gospan_free_rcu(second, rcu);
	else
		gospan_free_rcu(first, rcu);
}

static void free_kv(struct torture_actor *a, struct torture_object *o)
{
	/* Under a lock vfree() could sleep. */
	if (a->context == TORTURE_TASK && a->atomic)
		free_rcu(o);
	else if (torture_draw(a, 4))
		gospan_kvfree(o->p);
	else if (a->atomic)
		free_rcu(o);
	else if (!a->patient || torture_draw(a, 16))
		gospan_kvfree_sensitive(o->p, o->bytes);
	else
		gospan_kvfree_rcu_mightsleep(o->p);
}

static void free_plain(struct torture_actor *a, struct torture_object *o)
{
	switch (torture_draw(a, 16)) {
	case 0:
		gospan_free_sensitive(o->p);
		break;
	case 1:
		gospan_kvfree(o->p);
		break;
	case 2:
	case 3:
		gospan_free_nolock(o->p);
		break;
	case 4:
		if (gospan_realloc(o->p, 0, GFP_ATOMIC) != ZERO_SIZE_PTR)
			torture_bad(a, "realloc to 0 does not free");
		break;
	case 5:
		if (a->patient && !a->atomic && !torture_draw(a, 64))
			gospan_free_rcu_mightsleep(o->p);
		else
			gospan_free(o->p);
		break;
	case 6:
	case 7:
		if (o->bytes >= sizeof(struct rcu_head)) {
			free_rcu(o);
			break;
		}
		fallthrough;
	default:
		gospan_free(o->p);
	}
}

static void free_cached(struct torture_actor *a, struct torture_object *o)
{
	struct torture_cache *cache = &torture_caches[o->kind - TORTURE_CACHE];

	if (cache->constructed && !torture_is_constructed(o->p))
		torture_bad(a, "what the constructor of %s wrote is gone", cache->name);
	switch (torture_draw(a, 8)) {
	case 0:
		gospan_free(o->p);
		break;
	case 1:
		gospan_free_nolock(o->p);
		break;
	case 2:
		free_rcu(o);
		break;
	case 3:
		gospan_cache_free_bulk(cache->cache, 1, &o->p);
		break;
	default:
		gospan_cache_free(cache->cache, o->p);
	}
}

void torture_object_free(struct torture_actor *a, struct torture_object *o)
{
	if (o->kind == TORTURE_NOTHING)
		return;
	torture_object_check(a, o, o->bytes);
	a->nr_calls++;
	if (a->context == TORTURE_NMI)
		gospan_free_nolock(o->p);
	else if (o->kind == TORTURE_PLAIN)
		free_plain(a, o);
	else if (o->kind == TORTURE_KV)
		free_kv(a, o);
	else
		free_cached(a, o);
	o->kind = TORTURE_NOTHING;
}

static struct box *box_draw(struct torture_actor *a, bool kv)
{
	return &boxes[kv ? NR_BOXES - 1 - torture_draw(a, NR_KV_BOXES) :
		      torture_draw(a, NR_BOXES - NR_KV_BOXES)];
}

/* False if another is at the box. */
static bool box_swap(struct box *box, struct torture_object *o)
{
	if (test_and_set_bit_lock(0, &box->lock))
		return false;
	swap(box->object, *o);
	clear_bit_unlock(0, &box->lock);
	return true;
}

/* Put @o in a box, and free what was in it; or @o itself. */
void torture_object_give(struct torture_actor *a, struct torture_object *o)
{
	box_swap(box_draw(a, o->kind == TORTURE_KV), o);
	torture_object_free(a, o);
}

/* What some box has; @kv: of those that may have vmalloc memory. */
bool torture_object_take(struct torture_actor *a, struct torture_object *o, bool kv)
{
	o->kind = TORTURE_NOTHING;
	return box_swap(box_draw(a, kv), o) && o->kind != TORTURE_NOTHING;
}

/* All that are in boxes; nobody else is at work. */
void torture_objects_check(struct torture_actor *a)
{
	unsigned int i;

	for (i = 0; i < NR_BOXES; i++)
		if (boxes[i].object.kind != TORTURE_NOTHING)
			torture_object_check(a, &boxes[i].object, boxes[i].object.bytes);
}

void torture_objects_free(struct torture_actor *a)
{
	unsigned int i;

	for (i = 0; i < NR_BOXES; i++)
		torture_object_free(a, &boxes[i].object);
}
