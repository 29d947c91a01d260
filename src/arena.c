// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arena map: from any address to the chunk that it lies in, and to the span.
 *
 * Two dimensions: the number of the 64 MiB arena, counted from the start of
 * the direct map, then the chunk in it. Only arenas that hold memory of ours
 * exist; the map itself is as long as the highest of them, 8 bytes each, and
 * is replaced by a longer one when memory above appears.
 *
 * Readers take no lock. Maps, arenas and chunks are only ever added, and freed
 * with the heap. Writers hold the heap's lock; what they need is allocated
 * before they take it.
 *
 * Go's arenas are indexed from address 0 and its two levels are fixed; the
 * kernel's direct map starts where KASLR put it, hence the subtraction.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "arena.h"

struct gospan_chunk gospan_chunk_none;
static struct gospan_arena arena_none;
struct gospan_arena_map gospan_arena_map_none;
static struct kmem_cache *chunk_cache;

int gospan_arena_init(void)
{
	unsigned int i;

	for (i = 0; i < GOSPAN_ARENA_NCHUNKS; i++)
		arena_none.chunk[i] = &gospan_chunk_none;
	chunk_cache = kmem_cache_create("gospan_chunk", sizeof(struct gospan_chunk),
					SMP_CACHE_BYTES, 0, NULL);
	return chunk_cache ? 0 : -ENOMEM;
}

void gospan_arena_exit(void)
{
	kmem_cache_destroy(chunk_cache);
}

static unsigned long arena_idx(unsigned long addr)
{
	return gospan_addr_offset(addr) >> GOSPAN_ARENA_SHIFT;
}

static unsigned int chunk_idx(unsigned long addr)
{
	return (gospan_addr_offset(addr) >> GOSPAN_CHUNK_SHIFT) % GOSPAN_ARENA_NCHUNKS;
}

/* A map of at least @nr arenas, twice the old one if that is more. */
static struct gospan_arena_map *map_create(const struct gospan_arena_map *old,
					   unsigned long nr, gfp_t gfp)
{
	struct gospan_arena_map *map;
	unsigned long i;
	size_t bytes;

	nr = max(nr, 2 * old->nr_arenas);
	bytes = struct_size(map, arena, nr);
	/* vmalloc() wants to sleep; an atomic caller gets what kmalloc can do. */
	map = gfpflags_allow_blocking(gfp) ? kvmalloc(bytes, gfp) : kmalloc(bytes, gfp);
	if (!map)
		return NULL;
	map->nr_arenas = nr;
	for (i = 0; i < nr; i++)
		map->arena[i] = &arena_none;
	return map;
}

static struct gospan_arena *arena_create(gfp_t gfp)
{
	struct gospan_arena *arena = kmalloc(sizeof(*arena), gfp);

	if (arena)
		*arena = arena_none;
	return arena;
}

static struct gospan_chunk *chunk_create(unsigned long addr, gfp_t gfp)
{
	struct gospan_chunk *chunk = kmem_cache_zalloc(chunk_cache, gfp);

	if (!chunk)
		return NULL;
	chunk->base = addr - gospan_addr_offset(addr) % GOSPAN_CHUNK_BYTES;
	bitmap_fill(chunk->pages.taken, GOSPAN_CHUNK_NPAGES);
	INIT_LIST_HEAD(&chunk->list);
	return chunk;
}

/**
 * gospan_arena_prepare() - allocate what the map lacks to hold @addr
 * @mapp: the heap's map
 * @addr: in the direct map
 * @gfp: how to allocate
 * @spare: what was allocated; all NULL if the chunk is there already
 *
 * Context: as @gfp says; no lock held.
 * Return: 0 or -ENOMEM, with nothing left allocated.
 */
int gospan_arena_prepare(struct gospan_arena_map *const *mapp, unsigned long addr, gfp_t gfp,
			 struct gospan_arena_spare *spare)
{
	const struct gospan_arena_map *map = READ_ONCE(*mapp);
	unsigned long idx = arena_idx(addr);

	*spare = (struct gospan_arena_spare){};
	if (gospan_arena_chunk_of(mapp, addr) != &gospan_chunk_none)
		return 0;
	spare->chunk = chunk_create(addr, gfp);
	if (!spare->chunk)
		goto err_discard;
	if (idx < map->nr_arenas && READ_ONCE(map->arena[idx]) != &arena_none)
		return 0;
	spare->arena = arena_create(gfp);
	if (!spare->arena)
		goto err_discard;
	if (idx < map->nr_arenas)
		return 0;
	spare->map = map_create(map, idx + 1, gfp);
	if (!spare->map)
		goto err_discard;
	return 0;

err_discard:
	gospan_arena_discard(spare);
	return -ENOMEM;
}

/* Free what gospan_arena_add() did not use. */
void gospan_arena_discard(struct gospan_arena_spare *spare)
{
	if (spare->chunk)
		kmem_cache_free(chunk_cache, spare->chunk);
	kfree(spare->arena);
	kvfree(spare->map);
}

/* Put the longer spare map in place, unless somebody else was first. */
static void map_extend(struct gospan_arena_map **mapp, struct gospan_arena_spare *spare)
{
	struct gospan_arena_map *old = *mapp;

	memcpy(spare->map->arena, old->arena, old->nr_arenas * sizeof(old->arena[0]));
	spare->map->smaller = old;
	/* Pairs with gospan_arena_chunk_of(): the map is whole. */
	smp_store_release(mapp, spare->map);
	spare->map = NULL;
}

/*
 * The chunk of @addr, made from @spare if it is new, to be listed by the
 * caller (who holds the heap's lock). Leaves in @spare what it did not use.
 */
struct gospan_chunk *gospan_arena_add(struct gospan_arena_map **mapp, unsigned long addr,
				      struct gospan_arena_spare *spare)
{
	struct gospan_chunk *chunk = gospan_arena_chunk_of(mapp, addr);
	unsigned long idx = arena_idx(addr);

	if (chunk != &gospan_chunk_none)
		return chunk;
	if (idx >= (*mapp)->nr_arenas)
		map_extend(mapp, spare);
	if ((*mapp)->arena[idx] == &arena_none) {
		/* Pairs with gospan_arena_chunk_of(): the arena is whole. */
		smp_store_release(&(*mapp)->arena[idx], spare->arena);
		spare->arena = NULL;
	}
	chunk = spare->chunk;
	/* Pairs with gospan_arena_chunk_of(): the chunk is whole. */
	smp_store_release(&(*mapp)->arena[idx]->chunk[chunk_idx(addr)], chunk);
	spare->chunk = NULL;
	return chunk;
}

/*
 * Make @s, which is whole, found by its pages; the heap's lock is held.
 * Pairs with the acquire in gospan_mheap_span_of(): who sees the spanclass
 * byte sees the span. The owner of an object in it needs no such order: he
 * got the object later.
 */
void gospan_arena_publish_span(struct gospan_chunk *chunk, struct gospan_span *s)
{
	unsigned int first = gospan_addr_page_idx(s->base);
	unsigned int i;

	for (i = first; i < first + s->npages; i++)
		WRITE_ONCE(chunk->span[i], s);
	for (i = first; i < first + s->npages; i++) {
		/* Pairs with gospan_mheap_span_of(), see above. */
		smp_store_release(&chunk->spanclass[i], s->spanclass);
	}
}

/* The opposite, before the pages are freed; the heap's lock is held. */
void gospan_arena_retract_span(struct gospan_chunk *chunk, struct gospan_span *s)
{
	unsigned int first = gospan_addr_page_idx(s->base);
	unsigned int i;

	for (i = first; i < first + s->npages; i++)
		WRITE_ONCE(chunk->spanclass[i], GOSPAN_SPANCLASS_NONE);
	for (i = first; i < first + s->npages; i++)
		WRITE_ONCE(chunk->span[i], NULL);
}

static void arena_free(struct gospan_arena *arena)
{
	unsigned int i;

	if (arena == &arena_none)
		return;
	for (i = 0; i < GOSPAN_ARENA_NCHUNKS; i++)
		if (arena->chunk[i] != &gospan_chunk_none)
			kmem_cache_free(chunk_cache, arena->chunk[i]);
	kfree(arena);
}

/* Free every map, arena and chunk; nobody may look anything up any more. */
void gospan_arena_destroy(struct gospan_arena_map **mapp)
{
	struct gospan_arena_map *map = *mapp;
	unsigned long i;

	for (i = 0; i < map->nr_arenas; i++)
		arena_free(map->arena[i]);
	while (map != &gospan_arena_map_none) {
		struct gospan_arena_map *smaller = map->smaller;

		kvfree(map);
		map = smaller;
	}
	*mapp = &gospan_arena_map_none;
}

/* Memory of the maps and arenas; the caller holds the heap's lock. */
size_t gospan_arena_bytes(const struct gospan_arena_map *map)
{
	size_t bytes = 0;
	unsigned long i;

	for (i = 0; i < map->nr_arenas; i++)
		if (map->arena[i] != &arena_none)
			bytes += sizeof(struct gospan_arena);
	for (; map != &gospan_arena_map_none; map = map->smaller)
		bytes += struct_size(map, arena, map->nr_arenas);
	return bytes;
}
