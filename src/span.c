// SPDX-License-Identifier: GPL-2.0-only
/*
 * Span: hands out free slots in address order and takes them back.
 *
 * alloc_bits has a bit for each slot. alloc_cache is the complement of the
 * word that freeindex points at, so that the next free slot is one
 * count-trailing-zeros away; when it runs dry the search goes on at the next
 * word. Both directions cost a handful of instructions for a slot.
 *
 * With randomize=Y a free slot of those 64 is drawn instead, so that who knows one
 * object's address does not know the next's.
 *
 * Callers hold the lock of the span's mcentral.
 *
 * Go's mspan is filled by allocation only and emptied by a sweep; here objects
 * come back one by one at any time. Hence alloc_cache is not shifted as Go's
 * is, freeindex moves by whole words, and may move down.
 */
#include <linux/bitops.h>
#include <linux/jump_label.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timex.h>
#include "span.h"

static bool randomize;
module_param(randomize, bool, 0444);
MODULE_PARM_DESC(randomize, "hand out the objects of a span in no order (default N)");

static bool unshare = true;
module_param(unshare, bool, 0444);
MODULE_PARM_DESC(unshare, "CPUs cut objects smaller than a cache line from pages of their own (default Y); N: to measure what it brings");

DEFINE_STATIC_KEY_FALSE(gospan_span_randomizes);
DEFINE_STATIC_KEY_TRUE(gospan_span_unshares);
static siphash_key_t random_key;

/* A descriptor for at least @nelems slots; kfree_rcu() frees it. NULL: no memory. */
struct gospan_span *gospan_span_create(unsigned int nelems, gfp_t gfp)
{
	/* All that kmalloc gives, so that it serves as many classes as it can. */
	size_t bytes = kmalloc_size_roundup(gospan_span_bytes(nelems));
	struct gospan_span *s = kmalloc(bytes, gfp);

	if (s)
		s->max_words = (bytes - offsetof(struct gospan_span, alloc_bits)) / sizeof(u64);
	return s;
}

/* All slots free, not listed; the first page is at @addr. */
void gospan_span_init(struct gospan_span *s, unsigned int spanclass, unsigned long addr,
		      const struct gospan_layout *l)
{
	unsigned int nelems = l->nelems, nr_words = gospan_span_nr_words(nelems), word;

	INIT_LIST_HEAD(&s->list);
	s->base = addr + l->header_bytes;
	s->npages = l->npages;
	s->elem_bytes = l->elem_bytes;
	s->divmagic = l->divmagic;
	s->nelems = nelems;
	s->alloc_count = 0;
	s->spanclass = spanclass;
	s->owned = false;
	/* Mostly one or two: not worth a call. */
	for (word = 0; word < nr_words; word++)
		WRITE_ONCE(s->alloc_bits[word], 0);
	if (nelems % 64)
		s->alloc_bits[nr_words - 1] = ~0ULL << (nelems % 64);
	gospan_span_load_cache(s, 0);
}

/* Move up to the next word that has a free slot. */
static bool span_refill_cache(struct gospan_span *s)
{
	unsigned int nr_words = gospan_span_nr_words(s->nelems);
	unsigned int word = s->freeindex / 64;

	while (!s->alloc_cache) {
		if (++word == nr_words)
			return false;
		gospan_span_load_cache(s, word * 64);
	}
	return true;
}

/* One of the ones of @bits, which is not 0; which, only who knows the key could say. */
static unsigned int random_bit(u64 bits, unsigned long base)
{
	u32 drawn = siphash_2u64(base, random_get_entropy(), &random_key);
	unsigned int nth = drawn % hweight64(bits);

	while (nth--)
		bits &= bits - 1;
	return __ffs64(bits);
}

/* The same as below, in no order within 64 slots. */
static noinline unsigned int span_alloc_random(struct gospan_span *s, void **objs, unsigned int n)
{
	unsigned long bytes = s->elem_bytes;
	unsigned int taken, bit;

	for (taken = 0; taken < n && span_refill_cache(s); taken++) {
		bit = random_bit(s->alloc_cache, s->base + taken);
		objs[taken] = (void *)(s->base + (s->freeindex + bit) * bytes);
		s->alloc_cache &= ~(1ULL << bit);
		s->alloc_bits[s->freeindex / 64] = ~s->alloc_cache;
	}
	s->alloc_count += taken;
	return taken;
}

/* Take up to @n slots, lowest first. Returns how many. */
unsigned int gospan_span_alloc(struct gospan_span *s, void **objs, unsigned int n)
{
	unsigned long bytes = s->elem_bytes;
	unsigned int taken = 0;

	if (static_branch_unlikely(&gospan_span_randomizes))
		return span_alloc_random(s, objs, n);
	while (taken < n && span_refill_cache(s)) {
		unsigned long word_base = s->base + s->freeindex * bytes;
		u64 cache = s->alloc_cache;

		do {
			objs[taken++] = (void *)(word_base + __ffs64(cache) * bytes);
			cache &= cache - 1;
		} while (cache && taken < n);
		s->alloc_cache = cache;
		s->alloc_bits[s->freeindex / 64] = ~cache;
	}
	s->alloc_count += taken;
	return taken;
}

/* Start of the object in whose slot @p is, which lies in @s; NULL: in none. */
const void *gospan_span_object(const struct gospan_span *s, const void *p)
{
	unsigned long offset = (unsigned long)p - s->base;
	/* As in gospan_span_slot_of(). */
	unsigned int slot = (u64)offset * s->divmagic >> 32;

	if (s->spanclass == GOSPAN_SPANCLASS_LARGE)
		return (const void *)s->base;
	if ((unsigned long)p < s->base || slot >= s->nelems)
		return NULL;
	return (const void *)(s->base + (unsigned long)slot * s->elem_bytes);
}

/* Bytes of the object that starts at @p, which lies in @s; 0 if none starts there. */
size_t gospan_span_object_bytes(const struct gospan_span *s, const void *p)
{
	unsigned long offset = (unsigned long)p - s->base;

	if (s->spanclass == GOSPAN_SPANCLASS_LARGE)
		return offset ? 0 : (size_t)s->npages << GOSPAN_PAGE_SHIFT;
	if (gospan_span_slot_of(s, offset) >= s->nelems)
		return 0;
	return gospan_spanclass_object_bytes(s->spanclass);
}

/* Could @p, which lies in @s, be given back? */
enum gospan_verdict gospan_span_verdict(const struct gospan_span *s, const void *p)
{
	unsigned int slot = gospan_span_slot_of(s, (unsigned long)p - s->base);

	if (slot >= s->nelems)
		return GOSPAN_FREE_INTERIOR;
	return s->alloc_bits[slot / 64] >> (slot % 64) & 1 ? GOSPAN_FREE_OK : GOSPAN_FREE_DOUBLE;
}

/* Before there are spans. */
void gospan_span_setup(void)
{
	get_random_bytes(&random_key, sizeof(random_key));
	if (randomize)
		static_branch_enable(&gospan_span_randomizes);
	if (!unshare)
		static_branch_disable(&gospan_span_unshares);
}
