/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arena map: from any address to the chunk that it lies in, and to the span.
 */
#ifndef _GOSPAN_ARENA_H
#define _GOSPAN_ARENA_H

#include "pallocbits.h"
#include "span.h"

#define GOSPAN_CHUNK_SHIFT	(GOSPAN_PAGE_SHIFT + 9)
#define GOSPAN_CHUNK_BYTES	BIT(GOSPAN_CHUNK_SHIFT)
#define GOSPAN_ARENA_NCHUNKS	16U
#define GOSPAN_ARENA_SHIFT	(GOSPAN_CHUNK_SHIFT + 4)

static_assert(GOSPAN_CHUNK_NPAGES * GOSPAN_PAGE_SIZE >> GOSPAN_CHUNK_SHIFT == 1);
static_assert(GOSPAN_ARENA_NCHUNKS * GOSPAN_CHUNK_BYTES >> GOSPAN_ARENA_SHIFT == 1);

/*
 * (c) constant once published  (l) under the heap's lock
 * (p) written under the heap's lock, read without: see gospan_arena_publish_span()
 */
struct gospan_chunk {
	/* Alone at the start: all that a free of a small object reads. */
	u8 spanclass[GOSPAN_CHUNK_NPAGES];		/* (p) 0: no span in use here */
	struct gospan_span *span[GOSPAN_CHUNK_NPAGES];	/* (p) the span of each page */
	struct gospan_pallocbits pages;			/* (l) */
	DECLARE_BITMAP(owned, GOSPAN_CHUNK_NPAGES);	/* (l) pages that the kernel gave us */
	struct list_head list;				/* (l) the heap's chunks by address */
	unsigned long base;				/* (c) address of page 0 */
	unsigned int nr_free;				/* (l) */
	unsigned int max_run;				/* (l) no free run is longer */
};

/* A 64 MiB window of the direct map. */
struct gospan_arena {
	struct gospan_chunk *chunk[GOSPAN_ARENA_NCHUNKS]; /* (p) never NULL */
};

/*
 * The arenas by number. A window that holds no memory of ours points at an
 * arena of empty chunks, so that a lookup has one test, at its end.
 */
struct gospan_arena_map {
	struct gospan_arena_map *smaller;	/* (c) replaced by this one, freed with it */
	unsigned long nr_arenas;		/* (c) */
	struct gospan_arena *arena[];		/* (p) never NULL */
};

extern struct gospan_chunk gospan_chunk_none;
extern struct gospan_arena_map gospan_arena_map_none;

/* Offset in the direct map: the physical address on most machines. */
static __always_inline unsigned long gospan_addr_offset(unsigned long addr)
{
	return addr - PAGE_OFFSET;
}

static __always_inline unsigned int gospan_addr_page_idx(unsigned long addr)
{
	return (gospan_addr_offset(addr) >> GOSPAN_PAGE_SHIFT) % GOSPAN_CHUNK_NPAGES;
}

static inline unsigned long gospan_chunk_page_addr(const struct gospan_chunk *chunk,
						   unsigned int page_idx)
{
	return chunk->base + ((unsigned long)page_idx << GOSPAN_PAGE_SHIFT);
}

/*
 * The chunk of any address at all; gospan_chunk_none if there is none.
 *
 * Fast path: 4 dependent loads, 1 branch. Pairs with gospan_arena_add(). The
 * map may be stale, and then lack memory that was obtained a moment ago: who
 * finds nothing looks again, see gospan_mheap_see_newest().
 */
static __always_inline struct gospan_chunk *
gospan_arena_chunk_of(struct gospan_arena_map *const *mapp, unsigned long addr)
{
	const struct gospan_arena_map *map = READ_ONCE(*mapp);
	unsigned long offset = gospan_addr_offset(addr);
	const struct gospan_arena *arena;

	if (unlikely(offset >> GOSPAN_ARENA_SHIFT >= map->nr_arenas))
		return &gospan_chunk_none;
	arena = READ_ONCE(map->arena[offset >> GOSPAN_ARENA_SHIFT]);
	return READ_ONCE(arena->chunk[(offset >> GOSPAN_CHUNK_SHIFT) % GOSPAN_ARENA_NCHUNKS]);
}

/* What gospan_arena_add() may need; made ready without a lock. */
struct gospan_arena_spare {
	struct gospan_arena_map *map;
	struct gospan_arena *arena;
	struct gospan_chunk *chunk;
};

int gospan_arena_prepare(struct gospan_arena_map *const *mapp, unsigned long addr, gfp_t gfp,
			 struct gospan_arena_spare *spare);
struct gospan_chunk *gospan_arena_add(struct gospan_arena_map **mapp, unsigned long addr,
				      struct gospan_arena_spare *spare);
void gospan_arena_discard(struct gospan_arena_spare *spare);
void gospan_arena_publish_span(struct gospan_chunk *chunk, struct gospan_span *s);
void gospan_arena_retract_span(struct gospan_chunk *chunk, struct gospan_span *s);
void gospan_arena_destroy(struct gospan_arena_map **mapp);
size_t gospan_arena_bytes(const struct gospan_arena_map *map);
int gospan_arena_init(void);
void gospan_arena_exit(void);

#endif /* _GOSPAN_ARENA_H */
