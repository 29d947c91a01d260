/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Span: a run of pages cut into equal objects, and which of them are taken.
 */
#ifndef _GOSPAN_SPAN_H
#define _GOSPAN_SPAN_H

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/numa.h>
#include <linux/rcupdate.h>
#include "sizeclass.h"

/* What a pointer handed back, or an object to be handed out, turned out to be. */
enum gospan_verdict {
	GOSPAN_FREE_OK,
	GOSPAN_FREE_FOREIGN,	/* in no span: never ours, or its span is gone */
	GOSPAN_FREE_INTERIOR,	/* in a span, but not the start of an object */
	GOSPAN_FREE_DOUBLE,	/* an object that is free already */
	GOSPAN_FREE_OTHER,	/* an object, but not of the cache that it is freed to */
	GOSPAN_FREE_OVERRUN,	/* an object with something written behind it */
	GOSPAN_FREE_UNDERRUN,	/* in front of it */
	GOSPAN_FREE_DAMAGED,	/* over what is noted about it */
	GOSPAN_ALLOC_WRITTEN,	/* an object that was written to while it was free */
	GOSPAN_GUARD_BESIDE,	/* no pointer: an access to a guard page */
	GOSPAN_GUARD_FREED,	/* one to the page of an object that is free */
	GOSPAN_NR_VERDICTS,
};

/*
 * (c) constant while in use  (l) under the mcentral's lock, large: the heap's
 *
 * A descriptor outlives its span: it stays with the pages, for the next span
 * that starts on one of them, and is freed when they go back to the kernel.
 * Who looks at one without owning an object in it may see it change.
 *
 * alloc_count is the number of ones in @alloc_bits below @nelems. A taken slot
 * is live, or in a magazine, or in transit; the span cannot tell.
 */
struct gospan_span {
	union {
		struct list_head list;	/* (l) on one of the mcentral's lists, or alone */
		struct rcu_head rcu;	/* when freed: for lockless readers */
	};
	unsigned long base;		/* (c) address of the first object */
	u64 alloc_cache;		/* (l) free slots of the 64 that @freeindex is among */
	unsigned int npages;		/* (c); (l) when large */
	u32 elem_bytes;			/* (c) as in struct gospan_layout; large: see record.h */
	u32 divmagic;			/* (c) the same */
	u16 nelems;			/* (c) slots */
	u16 freeindex;			/* (l) no slot below it is free; multiple of 64 */
	u16 alloc_count;		/* (l) slots taken */
	u8 spanclass;			/* (c) */
	bool owned;			/* (l) some CPU's current span: on no list */
	u16 node;			/* (c) for good: that its first page belongs to */
	u16 max_words;			/* (c) for good: that @alloc_bits has room for */
	u64 alloc_bits[];		/* (l) one = taken; slots past @nelems are ones */
};

static_assert(MAX_NUMNODES <= U16_MAX);

static inline unsigned int gospan_span_nr_words(unsigned int nelems)
{
	return (nelems + 63) / 64;
}

static inline size_t gospan_span_bytes(unsigned int nelems)
{
	return offsetof(struct gospan_span, alloc_bits) +
	       gospan_span_nr_words(nelems) * sizeof(u64);
}

/* Bytes of memory that the descriptor takes. */
static inline size_t gospan_span_sys_bytes(const struct gospan_span *s)
{
	return offsetof(struct gospan_span, alloc_bits) + s->max_words * sizeof(u64);
}

static inline bool gospan_span_is_full(const struct gospan_span *s)
{
	return s->alloc_count == s->nelems;
}

/* Address of its first page. */
static inline unsigned long gospan_span_addr(const struct gospan_span *s)
{
	return s->base & ~(GOSPAN_PAGE_SIZE - 1);
}

/* With randomize=Y; unless unshare=N. */
DECLARE_STATIC_KEY_FALSE(gospan_span_randomizes);
DECLARE_STATIC_KEY_TRUE(gospan_span_unshares);

/*
 * Do CPUs keep to spans of their own, because a cache line has several objects? Not with
 * unshare=N.
 */
static __always_inline bool gospan_span_is_private(unsigned int elem_bytes)
{
	return static_branch_likely(&gospan_span_unshares) && elem_bytes < L1_CACHE_BYTES;
}

/* Make alloc_cache that of the word at slot @freeindex. */
static inline void gospan_span_load_cache(struct gospan_span *s, unsigned int freeindex)
{
	s->freeindex = freeindex;
	s->alloc_cache = ~s->alloc_bits[freeindex / 64];
}

/*
 * The slot that starts at @offset; not below nelems if none does. With slot * bytes
 * for offset, the product is slot << 32 and less than slot * bytes more: exact as
 * long as the span has less than 4 GiB.
 */
static inline unsigned int gospan_span_slot_of(const struct gospan_span *s, unsigned long offset)
{
	unsigned int slot = (u64)offset * s->divmagic >> 32;

	return slot * s->elem_bytes == offset ? slot : s->nelems;
}

/*
 * Give back the slots at objs[0] and after it, as far as they are taken and in this span.
 * Returns how many; 0: gospan_span_verdict() says why. Here, since where neighbours lie in
 * different spans the call would cost as much as what it does.
 */
static __always_inline unsigned int gospan_span_free(struct gospan_span *s, void *const *objs,
						     unsigned int n)
{
	unsigned int slot, lowest = s->freeindex + 64, done;
	u64 *word, bit;

	for (done = 0; done < n; done++) {
		/* There is none for what lies in another span. */
		slot = gospan_span_slot_of(s, (unsigned long)objs[done] - s->base);
		if (slot >= s->nelems)
			break;
		word = &s->alloc_bits[slot / 64];
		bit = 1ULL << (slot % 64);
		if (unlikely(!(*word & bit)))
			break;
		*word ^= bit;
		lowest = min(lowest, slot);
	}
	s->alloc_count -= done;
	/* It knows of slots that are above these. */
	if (lowest < s->freeindex + 64U)
		gospan_span_load_cache(s, lowest & ~63U);
	return done;
}

void gospan_span_setup(void);
const void *gospan_span_object(const struct gospan_span *s, const void *p);
size_t gospan_span_object_bytes(const struct gospan_span *s, const void *p);
struct gospan_span *gospan_span_create(unsigned int nelems, gfp_t gfp);
void gospan_span_init(struct gospan_span *s, unsigned int spanclass, unsigned long addr,
		      const struct gospan_layout *l);
unsigned int gospan_span_alloc(struct gospan_span *s, void **objs, unsigned int n);
enum gospan_verdict gospan_span_verdict(const struct gospan_span *s, const void *p);

#endif /* _GOSPAN_SPAN_H */
