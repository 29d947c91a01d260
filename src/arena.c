// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arena map: from any address to the chunk that it lies in, and to the span.
 *
 * Two dimensions: the number of the 64 MiB arena, counted from the start of
 * the direct map, then the chunk in it. Only arenas and chunks that hold memory
 * of ours exist; the map itself is as long as the machine's memory reaches, 8
 * bytes an arena, and is replaced by a longer one when memory above appears.
 *
 * Readers take no lock. Maps and arenas are only ever added, and freed with the
 * heap; a chunk without pages, and a table without, are freed by RCU. Writers
 * hold the lock of the chunk's home, and the map's; what they need is allocated
 * before they take it.
 *
 * Go's arenas are indexed from address 0 and its two levels are fixed; the
 * kernel's direct map starts where KASLR put it, hence the subtraction.
 */
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "arena.h"

struct gospan_chunk gospan_chunk_none;
static struct gospan_arena arena_none;
struct gospan_arena_map gospan_arena_map_none;
static struct kmem_cache *chunk_cache, *spans_cache;

int gospan_arena_init(void)
{
	unsigned int i;

	for (i = 0; i < GOSPAN_ARENA_NCHUNKS; i++)
		arena_none.chunk[i] = &gospan_chunk_none;
	chunk_cache = kmem_cache_create("gospan_chunk", sizeof(struct gospan_chunk),
					SMP_CACHE_BYTES, 0, NULL);
	spans_cache = kmem_cache_create("gospan_spans", sizeof(struct gospan_spans), 0, 0, NULL);
	if (chunk_cache && spans_cache)
		return 0;
	gospan_arena_exit();
	return -ENOMEM;
}

void gospan_arena_exit(void)
{
	/* For chunk_free_rcu() and spans_free_rcu(). */
	rcu_barrier();
	kmem_cache_destroy(spans_cache);
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

static size_t map_bytes(const struct gospan_arena_map *map)
{
	return struct_size(map, arena, map->nr_arenas);
}

static struct gospan_arena_map *map_create(unsigned long nr, gfp_t gfp)
{
	struct gospan_arena_map *map;
	size_t bytes = struct_size(map, arena, nr);
	unsigned long i;

	/* vmalloc() wants to sleep; an atomic caller gets what kmalloc can do. */
	map = gfpflags_allow_blocking(gfp) ? kvmalloc(bytes, gfp) : kmalloc(bytes, gfp);
	if (!map)
		return NULL;
	map->smaller = NULL;
	map->nr_arenas = nr;
	for (i = 0; i < nr; i++)
		map->arena[i] = &arena_none;
	return map;
}

/**
 * gospan_arenas_init() - make an empty arena map
 * @a: map
 * @limit: offset in the direct map below which memory may lie, as far as is
 *	known; more makes the map grow
 *
 * Context: Task; may sleep.
 * Return: 0 or -ENOMEM.
 */
int gospan_arenas_init(struct gospan_arenas *a, unsigned long limit)
{
	unsigned long nr = (limit + BIT(GOSPAN_ARENA_SHIFT) - 1) >> GOSPAN_ARENA_SHIFT;
	struct gospan_arena_map *map;

	raw_spin_lock_init(&a->lock);
	atomic_long_set(&a->sys_bytes, 0);
	a->arena = &gospan_arena_map_none.arena;
	if (!nr)
		return 0;
	map = map_create(nr, GFP_KERNEL);
	if (!map)
		return -ENOMEM;
	a->arena = &map->arena;
	atomic_long_add(map_bytes(map), &a->sys_bytes);
	return 0;
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
	/* That it knows where it begins makes an object there no less leaked. */
	kmemleak_scan_area(&chunk->spans, sizeof(chunk->spans), gfp);
	chunk->base = addr - gospan_addr_offset(addr) % GOSPAN_CHUNK_BYTES;
	gospan_pallocbits_take(&chunk->pages, 0, GOSPAN_CHUNK_NPAGES);
	return chunk;
}

/* The chunk and what leads to it. */
static int prepare_chunk(const struct gospan_arenas *a, unsigned long addr, gfp_t gfp,
			 struct gospan_arena_spare *spare)
{
	const struct gospan_arena_map *map = gospan_arenas_map(a);
	unsigned long idx = arena_idx(addr);

	spare->chunk = chunk_create(addr, gfp);
	if (!spare->chunk)
		return -ENOMEM;
	if (idx < map->nr_arenas && READ_ONCE(map->arena[idx]) != &arena_none)
		return 0;
	spare->arena = arena_create(gfp);
	if (!spare->arena)
		return -ENOMEM;
	if (idx < map->nr_arenas)
		return 0;
	/* Twice the old one at least, so that it is not replaced often. */
	spare->map = map_create(max(idx + 1, 2 * map->nr_arenas), gfp);
	return spare->map ? 0 : -ENOMEM;
}

/* Which of a chunk's tables, one bit each, the pages from @addr on need. */
static unsigned long tables_for(unsigned long addr, unsigned int npages)
{
	unsigned int first = gospan_addr_page_idx(addr);

	return GENMASK((first + npages - 1) / GOSPAN_SPANS_NPAGES, first / GOSPAN_SPANS_NPAGES);
}

/* Those that @chunk lacks; another may be adding or removing them. */
static unsigned long tables_missing(const struct gospan_chunk *chunk, unsigned long tables)
{
	unsigned int i;

	for_each_set_bit(i, &tables, GOSPAN_CHUNK_NSPANS)
		if (READ_ONCE(chunk->spans[i]))
			tables &= ~BIT(i);
	return tables;
}

/**
 * gospan_arena_prepare() - allocate what is missing to hold a block
 * @a: the heap's map
 * @addr: of the block, in the direct map
 * @npages: its length; it does not cross a chunk's border
 * @gfp: how to allocate
 * @spare: what was allocated; all NULL if nothing is missing
 *
 * Context: as @gfp says; no lock held.
 * Return: 0 or -ENOMEM, with nothing left allocated.
 */
int gospan_arena_prepare(struct gospan_arenas *a, unsigned long addr, unsigned int npages,
			 gfp_t gfp, struct gospan_arena_spare *spare)
{
	const struct gospan_chunk *chunk;
	unsigned long tables;
	unsigned int i;

	*spare = (struct gospan_arena_spare){};
	rcu_read_lock();
	chunk = gospan_arena_chunk_of(a, addr);
	tables = tables_missing(chunk, tables_for(addr, npages));
	rcu_read_unlock();
	if (chunk == &gospan_chunk_none && prepare_chunk(a, addr, gfp, spare))
		goto err_discard;
	for_each_set_bit(i, &tables, GOSPAN_CHUNK_NSPANS) {
		spare->spans[i] = kmem_cache_zalloc(spans_cache, gfp);
		if (!spare->spans[i])
			goto err_discard;
	}
	return 0;

err_discard:
	gospan_arena_discard(spare);
	return -ENOMEM;
}

static void tables_free(struct gospan_spans **spans)
{
	unsigned int i;

	for (i = 0; i < GOSPAN_CHUNK_NSPANS; i++)
		if (spans[i])
			kmem_cache_free(spans_cache, spans[i]);
}

/* Free what gospan_arena_add() did not use. */
void gospan_arena_discard(struct gospan_arena_spare *spare)
{
	tables_free(spare->spans);
	if (spare->chunk)
		kmem_cache_free(chunk_cache, spare->chunk);
	kfree(spare->arena);
	kvfree(spare->map);
}

/* Put the longer spare map in place. */
static void map_extend(struct gospan_arenas *a, struct gospan_arena_spare *spare)
{
	struct gospan_arena_map *old = gospan_arenas_map(a);

	lockdep_assert_held(&a->lock);
	memcpy(spare->map->arena, old->arena, old->nr_arenas * sizeof(old->arena[0]));
	spare->map->smaller = old;
	atomic_long_add(map_bytes(spare->map), &a->sys_bytes);
	/* Pairs with gospan_arena_chunk_of(): the map is whole. */
	smp_store_release(&a->arena, &spare->map->arena);
	spare->map = NULL;
}

/* False, and nothing done, if another home was faster. */
static bool map_add_chunk(struct gospan_arenas *a, struct gospan_arena_spare *spare)
{
	unsigned long addr = spare->chunk->base, idx = arena_idx(addr), flags;

	raw_spin_lock_irqsave(&a->lock, flags);
	/* Until here only the chunk's home was locked, and two may lie in one chunk. */
	if (gospan_arena_chunk_of(a, addr) != &gospan_chunk_none) {
		raw_spin_unlock_irqrestore(&a->lock, flags);
		return false;
	}
	if (idx >= gospan_arenas_map(a)->nr_arenas)
		map_extend(a, spare);
	if ((*a->arena)[idx] == &arena_none) {
		atomic_long_add(sizeof(struct gospan_arena), &a->sys_bytes);
		/* Pairs with gospan_arena_chunk_of(): the arena is whole. */
		smp_store_release(&(*a->arena)[idx], spare->arena);
		spare->arena = NULL;
	}
	/* Pairs with gospan_arena_chunk_of(): the chunk is whole. */
	smp_store_release(&(*a->arena)[idx]->chunk[chunk_idx(addr)], spare->chunk);
	raw_spin_unlock_irqrestore(&a->lock, flags);
	atomic_long_add(sizeof(struct gospan_chunk), &a->sys_bytes);
	spare->chunk = NULL;
	return true;
}

/**
 * gospan_arena_add() - own a block
 * @a: the heap's map
 * @addr: of the block
 * @npages: its length; it does not cross a chunk's border
 * @home: node heap that it shall belong to
 * @spare: what gospan_arena_prepare() made; left in it is what was not used
 *
 * Context: Any but NMI, under the lock of @home. Takes the map's lock.
 * Return: the chunk, its pages marked as owned; or NULL, with nothing changed,
 * if the chunk has another home, or lost since what was there at the time of
 * gospan_arena_prepare().
 */
struct gospan_chunk *gospan_arena_add(struct gospan_arenas *a, unsigned long addr,
				      unsigned int npages, struct gospan_node_heap *home,
				      struct gospan_arena_spare *spare)
{
	struct gospan_chunk *chunk = gospan_arena_chunk_of(a, addr);
	unsigned long tables = tables_missing(chunk, tables_for(addr, npages));
	unsigned int i;

	if (chunk == &gospan_chunk_none ? !spare->chunk : chunk->home != home)
		return NULL;
	for_each_set_bit(i, &tables, GOSPAN_CHUNK_NSPANS)
		if (!spare->spans[i])
			return NULL;
	if (chunk == &gospan_chunk_none) {
		chunk = spare->chunk;
		chunk->home = home;
		if (!map_add_chunk(a, spare))
			return NULL;
	}
	for_each_set_bit(i, &tables, GOSPAN_CHUNK_NSPANS) {
		atomic_long_add(sizeof(struct gospan_spans), &a->sys_bytes);
		/* Pairs with gospan_arena_span_of(), by way of the keys. */
		WRITE_ONCE(chunk->spans[i], spare->spans[i]);
		spare->spans[i] = NULL;
	}
	bitmap_set(chunk->owned, gospan_addr_page_idx(addr), npages);
	chunk->nr_owned += npages;
	return chunk;
}

static void spans_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(spans_cache, container_of(rcu, struct gospan_spans, rcu));
}

static void chunk_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(chunk_cache, container_of(rcu, struct gospan_chunk, rcu));
}

static void map_remove_chunk(struct gospan_arenas *a, struct gospan_chunk *chunk)
{
	struct gospan_arena *arena;
	unsigned long flags;

	raw_spin_lock_irqsave(&a->lock, flags);
	arena = (*a->arena)[arena_idx(chunk->base)];
	WRITE_ONCE(arena->chunk[chunk_idx(chunk->base)], &gospan_chunk_none);
	raw_spin_unlock_irqrestore(&a->lock, flags);
	atomic_long_sub(sizeof(struct gospan_chunk), &a->sys_bytes);
	call_rcu(&chunk->rcu, chunk_free_rcu);
}

/**
 * gospan_arena_disown() - own pages no more
 * @a: the heap's map
 * @chunk: where they are; it may go with its last page
 * @pages: a one for each of them: taken, in no span, and without descriptors
 *
 * Context: Any but NMI, under the lock of the chunk's home. Takes the map's lock.
 */
void gospan_arena_disown(struct gospan_arenas *a, struct gospan_chunk *chunk, const u64 *pages)
{
	DECLARE_BITMAP(gone, GOSPAN_CHUNK_NPAGES);
	unsigned int i;

	bitmap_from_arr64(gone, pages, GOSPAN_CHUNK_NPAGES);
	bitmap_andnot(chunk->owned, chunk->owned, gone, GOSPAN_CHUNK_NPAGES);
	chunk->nr_owned = bitmap_weight(chunk->owned, GOSPAN_CHUNK_NPAGES);
	for (i = 0; i < GOSPAN_CHUNK_NSPANS; i++) {
		struct gospan_spans *spans = chunk->spans[i];

		if (!spans || find_next_bit(chunk->owned, (i + 1) * GOSPAN_SPANS_NPAGES,
					    i * GOSPAN_SPANS_NPAGES) <
		    (i + 1) * GOSPAN_SPANS_NPAGES)
			continue;
		WRITE_ONCE(chunk->spans[i], NULL);
		atomic_long_sub(sizeof(*spans), &a->sys_bytes);
		call_rcu(&spans->rcu, spans_free_rcu);
	}
	if (!chunk->nr_owned)
		map_remove_chunk(a, chunk);
}

/* Four at a time where they make a word; a reader sees each key change once. */
static noinline void chunk_set_keys(struct gospan_chunk *chunk, unsigned int key,
				    unsigned int first, unsigned int npages)
{
	u16 *at = &chunk->key[first], *limit = at + npages;

	BUILD_BUG_ON(offsetof(struct gospan_chunk, key) % sizeof(u64));
	for (; at < limit && !IS_ALIGNED((unsigned long)at, sizeof(u64)); at++)
		WRITE_ONCE(*at, key);
	for (; at + 4 <= limit; at += 4)
		WRITE_ONCE(*(u64 *)at, key * 0x0001000100010001ULL);
	for (; at < limit; at++)
		WRITE_ONCE(*at, key);
}

/* Put descriptors that were left with pages, but @s, on @old. */
static __always_inline void entries_collect(struct gospan_span **entry, unsigned int n,
					    const struct gospan_span *s, struct list_head *old)
{
	unsigned long any = entry[0] == s ? 0 : (unsigned long)entry[0];
	unsigned int i;

	for (i = 1; i < n; i++)
		any |= (unsigned long)entry[i];
	for (i = 0; unlikely(any) && i < n; i++)
		if (entry[i] && entry[i] != s)
			list_add(&entry[i]->list, old);
}

/**
 * gospan_arena_publish() - make a span found by its pages
 * @a: the heap's map
 * @s: span, which is whole
 * @page: number of the first page
 * @npages: how many, which are the caller's and in no span
 * @old: list to which descriptors go that were left with the pages, but @s
 *
 * Context: Any but NMI. Takes no lock.
 */
void gospan_arena_publish(const struct gospan_arenas *a, struct gospan_span *s,
			  unsigned long page, unsigned int npages, struct list_head *old)
{
	struct gospan_chunk *chunk = gospan_arena_chunk_of(a, gospan_page_addr(page));
	unsigned int key = gospan_spanclass_of_page(s->spanclass), n, i;

	/* Most often a span of one page is where it was the last time. */
	if (likely(npages == 1 && *gospan_chunk_span(chunk, page % GOSPAN_CHUNK_NPAGES) == s)) {
		/* As below. */
		smp_wmb();
		WRITE_ONCE(chunk->key[page % GOSPAN_CHUNK_NPAGES], key);
		return;
	}
	for (; npages; npages -= n, page += n) {
		unsigned int first = page % GOSPAN_CHUNK_NPAGES;
		struct gospan_span **entry;

		chunk = gospan_arena_chunk_of(a, gospan_page_addr(page));
		entry = gospan_chunk_span(chunk, first);
		n = gospan_npages_in_table(page, npages);
		entries_collect(entry, n, s, old);
		for (i = 0; i < n; i++)
			WRITE_ONCE(entry[i], s);
		/*
		 * Pairs with gospan_page_idx_by_key() and gospan_arena_has_span(): who sees the
		 * key sees the span. The owner of an object in it needs no such order: he got
		 * the object later.
		 */
		smp_wmb();
		if (n == 1)
			WRITE_ONCE(chunk->key[first], key);
		else
			chunk_set_keys(chunk, key, first, n);
	}
}

/*
 * The opposite, before the pages are freed. The descriptor stays with the first
 * page, to be used again. Under the lock of the span's mcentral, or of the
 * chunk's home for a large one: so that who holds it can tell a span in use from
 * one that is gone.
 */
void gospan_arena_retract(const struct gospan_arenas *a, struct gospan_span *s)
{
	unsigned long page = gospan_addr_page(s->base);
	unsigned int npages = s->npages, keep = 1, n, i;

	if (likely(npages == 1)) {
		WRITE_ONCE(gospan_arena_chunk_of(a, s->base)->key[page % GOSPAN_CHUNK_NPAGES],
			   GOSPAN_SPANCLASS_NONE);
		return;
	}
	for (; npages; npages -= n, page += n) {
		struct gospan_chunk *chunk = gospan_arena_chunk_of(a, gospan_page_addr(page));
		unsigned int first = page % GOSPAN_CHUNK_NPAGES;
		struct gospan_span **entry = gospan_chunk_span(chunk, first);

		n = gospan_npages_in_table(page, npages);
		if (n == 1)
			WRITE_ONCE(chunk->key[first], GOSPAN_SPANCLASS_NONE);
		else
			chunk_set_keys(chunk, GOSPAN_SPANCLASS_NONE, first, n);
		for (i = keep; i < n; i++)
			WRITE_ONCE(entry[i], NULL);
		keep = 0;
	}
}

/* Say whose the pages of a span are now. Under the lock of its mcentral. */
void gospan_arena_mark(const struct gospan_arenas *a, const struct gospan_span *s,
		       unsigned int mark)
{
	unsigned int key = gospan_key_make(mark, gospan_spanclass_of_page(s->spanclass));
	unsigned long page = gospan_addr_page(s->base);
	struct gospan_chunk *chunk;
	unsigned int i;

	for (i = 0; i < s->npages; i++) {
		chunk = gospan_arena_chunk_of(a, gospan_page_addr(page + i));
		/* Objects are freed meanwhile, without the lock: either mark will do. */
		WRITE_ONCE(chunk->key[(page + i) % GOSPAN_CHUNK_NPAGES], key);
	}
}

/*
 * The first span that begins at page *@page or later, and in *@page the number of the
 * page behind where it was found; or NULL. In an RCU read-side section, see
 * gospan_arena_span_of().
 */
struct gospan_span *gospan_arena_next_span(const struct gospan_arenas *a, unsigned long *page)
{
	unsigned long limit = gospan_arenas_map(a)->nr_arenas * GOSPAN_ARENA_NCHUNKS *
			      GOSPAN_CHUNK_NPAGES;

	while (*page < limit) {
		unsigned long addr = gospan_page_addr(*page);
		struct gospan_span *s;

		if (gospan_arena_chunk_of(a, addr) == &gospan_chunk_none) {
			*page = ALIGN(*page + 1, GOSPAN_CHUNK_NPAGES);
			continue;
		}
		++*page;
		s = gospan_arena_span_of(a, (void *)addr);
		if (s && gospan_span_addr(s) == addr)
			return s;
	}
	return NULL;
}

static void arena_free(struct gospan_arena *arena,
		       void (*each_chunk)(struct gospan_chunk *chunk, void *data), void *data)
{
	unsigned int i;

	if (arena == &arena_none)
		return;
	for (i = 0; i < GOSPAN_ARENA_NCHUNKS; i++) {
		if (arena->chunk[i] == &gospan_chunk_none)
			continue;
		each_chunk(arena->chunk[i], data);
		tables_free(arena->chunk[i]->spans);
		kmem_cache_free(chunk_cache, arena->chunk[i]);
	}
	kfree(arena);
}

/* Free every map, arena and chunk; nobody may look anything up any more. */
void gospan_arenas_destroy(struct gospan_arenas *a,
			   void (*each_chunk)(struct gospan_chunk *chunk, void *data), void *data)
{
	struct gospan_arena_map *map = gospan_arenas_map(a);
	unsigned long i;

	for (i = 0; i < map->nr_arenas; i++)
		arena_free(map->arena[i], each_chunk, data);
	while (map && map != &gospan_arena_map_none) {
		struct gospan_arena_map *smaller = map->smaller;

		kvfree(map);
		map = smaller;
	}
	a->arena = &gospan_arena_map_none.arena;
}
