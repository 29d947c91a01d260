/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arena map: from any address to the chunk that it lies in, and to the span.
 */
#ifndef _GOSPAN_ARENA_H
#define _GOSPAN_ARENA_H

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/spinlock.h>
#include "pallocbits.h"
#include "span.h"

#define GOSPAN_CHUNK_SHIFT	(GOSPAN_PAGE_SHIFT + 9)
#define GOSPAN_CHUNK_BYTES	BIT(GOSPAN_CHUNK_SHIFT)
#define GOSPAN_ARENA_NCHUNKS	16U
#define GOSPAN_ARENA_SHIFT	(GOSPAN_CHUNK_SHIFT + 4)
/* Pages whose spans are kept in one table. */
#define GOSPAN_SPANS_NPAGES	64U
#define GOSPAN_CHUNK_NSPANS	(GOSPAN_CHUNK_NPAGES / GOSPAN_SPANS_NPAGES)

static_assert(GOSPAN_CHUNK_NPAGES * GOSPAN_PAGE_SIZE >> GOSPAN_CHUNK_SHIFT == 1);
static_assert(GOSPAN_ARENA_NCHUNKS * GOSPAN_CHUNK_BYTES >> GOSPAN_ARENA_SHIFT == 1);

struct gospan_node_heap;

/* The spans of 64 pages. Apart from the chunk: where memory is in pieces, few are needed. */
struct gospan_spans {
	/* (p) Of a page in a span in use: the span. Of another: NULL, or one to use again. */
	struct gospan_span *span[GOSPAN_SPANS_NPAGES];
	struct rcu_head rcu;	/* when freed */
};

/*
 * (c) constant once published  (l) under the lock of @home
 * (p) by who has the pages: the heap that took them, or the span's owner; read
 *     without a lock, see gospan_arena_publish()
 * (a) atomic
 */
struct gospan_chunk {
	/* Alone at the start: all that a free of a small object reads. */
	u16 key[GOSPAN_CHUNK_NPAGES];			/* (p) 0: no span in use here */
	struct gospan_spans *spans[GOSPAN_CHUNK_NSPANS]; /* (l) NULL: none of these is ours */
	struct gospan_pallocbits pages;			/* (l) */
	DECLARE_BITMAP(owned, GOSPAN_CHUNK_NPAGES);	/* (l) pages that the kernel gave us */
	DECLARE_BITMAP(zeroed, GOSPAN_CHUNK_NPAGES);	/* (a) never in a span since, all zeros */
	unsigned long base;				/* (c) address of page 0 */
	struct gospan_node_heap *home;			/* (c) whose pages these are */
	unsigned int nr_owned;				/* (l) */
	struct rcu_head rcu;				/* when freed */
};

/* A 64 MiB window of the direct map. */
struct gospan_arena {
	struct gospan_chunk *chunk[GOSPAN_ARENA_NCHUNKS]; /* never NULL */
};

/*
 * The arenas by number. A window that holds no memory of ours points at an
 * arena of empty chunks, so that a lookup has one test, at its end.
 */
struct gospan_arena_map {
	struct gospan_arena_map *smaller;	/* (c) replaced by this one, freed with it */
	unsigned long nr_arenas;		/* (c) */
	struct gospan_arena *arena[];		/* never NULL */
};

/* Written under @lock, read without. */
struct gospan_arenas {
	struct gospan_arena *(*arena)[];	/* those of the newest map */
	raw_spinlock_t lock;		/* order 5, irqsave, a leaf; covers maps and arenas */
	atomic_long_t sys_bytes;	/* of maps, arenas, chunks and their tables */
};

extern struct gospan_chunk gospan_chunk_none;
extern struct gospan_arena_map gospan_arena_map_none;

/* The map whose arenas are pointed to: so that a lookup adds nothing to an index. */
static __always_inline struct gospan_arena_map *
gospan_arenas_map_of(struct gospan_arena *(*arena)[])
{
	return container_of(arena, struct gospan_arena_map, arena);
}

/* The newest. */
static inline struct gospan_arena_map *gospan_arenas_map(const struct gospan_arenas *a)
{
	return gospan_arenas_map_of(READ_ONCE(a->arena));
}

/* Offset in the direct map: the physical address on most machines. */
static __always_inline unsigned long gospan_addr_offset(unsigned long addr)
{
	return addr - PAGE_OFFSET;
}

/* Number of the page, counted from the start of the direct map. */
static __always_inline unsigned long gospan_addr_page(unsigned long addr)
{
	return gospan_addr_offset(addr) >> GOSPAN_PAGE_SHIFT;
}

static __always_inline unsigned int gospan_addr_page_idx(unsigned long addr)
{
	return gospan_addr_page(addr) % GOSPAN_CHUNK_NPAGES;
}

static inline unsigned long gospan_page_addr(unsigned long page)
{
	return PAGE_OFFSET + (page << GOSPAN_PAGE_SHIFT);
}

static inline unsigned long gospan_chunk_page_addr(const struct gospan_chunk *chunk,
						   unsigned int page_idx)
{
	return chunk->base + ((unsigned long)page_idx << GOSPAN_PAGE_SHIFT);
}

static inline unsigned long gospan_chunk_idx(const struct gospan_chunk *chunk)
{
	return gospan_addr_offset(chunk->base) >> GOSPAN_CHUNK_SHIFT;
}

/*
 * The chunk of any address at all; gospan_chunk_none if there is none. It stays
 * as long as preemption is off, or one of its pages is in a span of the caller.
 *
 * Fast path: 4 dependent loads, 1 branch. Pairs with gospan_arena_add(). The
 * map may be stale, and then lack memory that was obtained a moment ago: who
 * finds nothing looks again, see gospan_arena_see_newest().
 */
static __always_inline struct gospan_chunk *
gospan_arena_chunk_of(const struct gospan_arenas *a, unsigned long addr)
{
	struct gospan_arena *(*arenas)[] = READ_ONCE(a->arena);
	unsigned long offset = gospan_addr_offset(addr);
	const struct gospan_arena *arena;

	if (unlikely(offset >> GOSPAN_ARENA_SHIFT >= gospan_arenas_map_of(arenas)->nr_arenas))
		return &gospan_chunk_none;
	arena = READ_ONCE((*arenas)[offset >> GOSPAN_ARENA_SHIFT]);
	return READ_ONCE(arena->chunk[(offset >> GOSPAN_CHUNK_SHIFT) % GOSPAN_ARENA_NCHUNKS]);
}

/* A CPU's mark. Where there are more than 31, two that have the same may share lines. */
#define GOSPAN_NR_MARKS		32U	/* with 0: of none */

static inline unsigned int gospan_cpu_mark(unsigned int cpu)
{
	return cpu % (GOSPAN_NR_MARKS - 1) + 1;
}

/* Below, a page's spanclass, and above, the mark of the CPU that cuts it. */
#define GOSPAN_NR_KEYS		(GOSPAN_NR_MARKS * GOSPAN_NR_SPANCLASSES)

static __always_inline unsigned int gospan_key_make(unsigned int mark, unsigned int spanclass)
{
	return mark * GOSPAN_NR_SPANCLASSES + spanclass;
}

static __always_inline unsigned int gospan_key_spanclass(unsigned int key)
{
	return key % GOSPAN_NR_SPANCLASSES;
}

static inline unsigned int gospan_key_mark(unsigned int key)
{
	return key / GOSPAN_NR_SPANCLASSES;
}

/* The key of the page that @p lies in, which is in @chunk. */
static __always_inline unsigned int gospan_chunk_key_of(const struct gospan_chunk *chunk,
							const void *p)
{
	return READ_ONCE(chunk->key[gospan_addr_page_idx((unsigned long)p)]);
}

/* That of the page of any @p; preemption is off. */
static __always_inline unsigned int gospan_arena_key_of(const struct gospan_arenas *a,
							const void *p)
{
	return gospan_chunk_key_of(gospan_arena_chunk_of(a, (unsigned long)p), p);
}

/* The spanclass in it. */
static __always_inline unsigned int gospan_arena_spanclass_of(const struct gospan_arenas *a,
							      const void *p)
{
	return gospan_key_spanclass(gospan_arena_key_of(a, p));
}

/*
 * Before a lookup that must not miss. The map does not depend on the pointer
 * looked up: on a weakly ordered machine a caller who got that by RCU, with no
 * more than an address dependency, may see a map that is older, and in which
 * the memory is not ours yet. Pairs with the releases in gospan_arena_add().
 */
static inline void gospan_arena_see_newest(void)
{
	/* Between how the caller got the pointer, and the map; see above. */
	smp_rmb();
}

/* Pages of the run [page, page + npages) that are in the same table as its first. */
static inline unsigned int gospan_npages_in_table(unsigned long page, unsigned int npages)
{
	return min_t(unsigned int, npages, GOSPAN_SPANS_NPAGES - page % GOSPAN_SPANS_NPAGES);
}

/* Where the span of a page is written; the page's table must be there. */
static inline struct gospan_span **gospan_chunk_span(struct gospan_chunk *chunk,
						     unsigned int page_idx)
{
	return &chunk->spans[page_idx / GOSPAN_SPANS_NPAGES]->span[page_idx % GOSPAN_SPANS_NPAGES];
}

/*
 * The number of a page whose key was read: what is looked up by it is what was there when the key
 * was written, or later. An address that depends on what was loaded orders loads on every
 * architecture, where an acquire is a fence on some; but only those of that address, and of what
 * is reached from there. Pairs with gospan_arena_publish().
 */
static __always_inline unsigned int gospan_page_idx_by_key(unsigned int page_idx, unsigned int key)
{
	/* There are no such bits, but the compiler does not know. */
	OPTIMIZER_HIDE_VAR(key);
	return page_idx + (key >> BITS_PER_TYPE(u16));
}

/*
 * The span that @p lies in, or NULL. The caller has an object in it, or
 * preemption off, or is in an RCU read-side section; in the last two cases it
 * may be another span at any moment, unless the lock of the span's mcentral,
 * under which small spans are retracted, is held. What is read of it is to be
 * read through this pointer: who has one already asks gospan_arena_has_span().
 */
static inline struct gospan_span *gospan_arena_span_of(const struct gospan_arenas *a,
						       const void *p)
{
	struct gospan_chunk *chunk = gospan_arena_chunk_of(a, (unsigned long)p);
	unsigned int i = gospan_addr_page_idx((unsigned long)p);
	unsigned int key = READ_ONCE(chunk->key[i]);
	const struct gospan_spans *spans;

	if (!key)
		return NULL;
	i = gospan_page_idx_by_key(i, key);
	spans = READ_ONCE(chunk->spans[i / GOSPAN_SPANS_NPAGES]);
	/* Gone since, which only happens where nobody has an object. */
	return spans ? READ_ONCE(spans->span[i % GOSPAN_SPANS_NPAGES]) : NULL;
}

/* Is @s the span that @p lies in? If so, what is read of it next is of that. Held: as above. */
static inline bool gospan_arena_has_span(const struct gospan_arenas *a,
					 const struct gospan_span *s, const void *p)
{
	bool has = gospan_arena_span_of(a, p) == s;

	/* No address depends on that. Pairs with gospan_arena_publish(). */
	smp_rmb();
	return has;
}

/* What gospan_arena_add() may need; made ready without a lock. */
struct gospan_arena_spare {
	struct gospan_arena_map *map;
	struct gospan_arena *arena;
	struct gospan_chunk *chunk;
	struct gospan_spans *spans[GOSPAN_CHUNK_NSPANS];
};

int gospan_arena_prepare(struct gospan_arenas *a, unsigned long addr, unsigned int npages,
			 gfp_t gfp, struct gospan_arena_spare *spare);
struct gospan_chunk *gospan_arena_add(struct gospan_arenas *a, unsigned long addr,
				      unsigned int npages, struct gospan_node_heap *home,
				      struct gospan_arena_spare *spare);
void gospan_arena_discard(struct gospan_arena_spare *spare);
void gospan_arena_disown(struct gospan_arenas *a, struct gospan_chunk *chunk, const u64 *pages);

void gospan_arena_publish(const struct gospan_arenas *a, struct gospan_span *s,
			  unsigned long page, unsigned int npages, struct list_head *old);
void gospan_arena_retract(const struct gospan_arenas *a, struct gospan_span *s);
void gospan_arena_mark(const struct gospan_arenas *a, const struct gospan_span *s,
		       unsigned int mark);

struct gospan_span *gospan_arena_next_span(const struct gospan_arenas *a, unsigned long *page);

int gospan_arenas_init(struct gospan_arenas *a, unsigned long limit);
void gospan_arenas_destroy(struct gospan_arenas *a,
			   void (*each_chunk)(struct gospan_chunk *chunk, void *data), void *data);
int gospan_arena_init(void);
void gospan_arena_exit(void);

#endif /* _GOSPAN_ARENA_H */
