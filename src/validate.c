// SPDX-License-Identifier: GPL-2.0-only
/*
 * Validator: walks everything and looks for what cannot be.
 *
 * Bottom up: each page of each chunk is in exactly one state, each span is
 * whole, each summary is that of what is below it, and their sums are what the
 * heap counts. For the module's own heap,
 * also: each span is on the one list that it belongs on or some CPU's current
 * one, each magazine is what its CPU's budget knows of, and each free object
 * is in one place only. The first thing found wrong is printed.
 *
 * Task context, may sleep. Nothing may allocate or free meanwhile: locks are
 * not taken, and no magazine is claimed. It costs the whole heap's size.
 *
 * Only in modules built with CONFIG_GOSPAN_VALIDATE=y, or with the unit tests, which
 * call it after every step.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "mcache.h"
#include "validate.h"

/* Spans of a central list. */
struct central_count {
	unsigned long nr_spans;
	unsigned long nr_owned;		/* of them, some CPU's current one */
	unsigned long nr_full;		/* of them, without a free slot: on no list */
	unsigned long nr_taken;		/* slots */
};

/* What was counted on the way. */
struct heap_walk {
	struct gospan_mheap *h;
	unsigned long nr_chunks[MAX_NUMNODES];
	unsigned long free_pages[MAX_NUMNODES];
	unsigned long owned_pages[MAX_NUMNODES];
	unsigned long cached_pages;	/* in page caches */
	unsigned long taken_pages;	/* neither free nor in a span */
	unsigned long span_pages;
	size_t span_bytes;		/* descriptors, of spans in use or left with pages */
	size_t map_bytes;		/* chunks and their tables */
	unsigned long nr_large;
	unsigned long large_pages;
	/* For each node GOSPAN_NR_SPANCLASSES of them. */
	struct central_count *central[MAX_NUMNODES];
};

/* Free objects, to be sorted. */
struct object_list {
	void **objs;
	size_t nr;
	size_t max;
};

/* Say what is wrong; always false. */
static __printf(1, 2) bool invalid(const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_err("heap invalid: %pV\n", &vaf);
	va_end(args);
	return false;
}

/* Are the slots' bits, and what is derived from them, consistent? */
bool gospan_span_validate(const struct gospan_span *s)
{
	unsigned int nr_words = gospan_span_nr_words(s->nelems);
	unsigned int nr_tail = nr_words * 64 - s->nelems;
	unsigned int ones = 0, word;

	if (!s->nelems)
		return invalid("span %px has no slots", s);
	for (word = 0; word < nr_words; word++)
		ones += hweight64(s->alloc_bits[word]);
	if (nr_tail && s->alloc_bits[nr_words - 1] >> (s->nelems % 64) != ~0ULL >> (64 - nr_tail))
		return invalid("span %px: bits past slot %u not all set: %#llx", s, s->nelems,
			       s->alloc_bits[nr_words - 1]);
	if (ones - nr_tail != s->alloc_count)
		return invalid("span %px: alloc_count %u, but %u bits set", s, s->alloc_count,
			       ones - nr_tail);
	if (s->freeindex % 64 || s->freeindex >= s->nelems)
		return invalid("span %px: freeindex %u of %u slots", s, s->freeindex, s->nelems);
	for (word = 0; word < s->freeindex / 64; word++)
		if (~s->alloc_bits[word])
			return invalid("span %px: free slot in word %u below freeindex %u", s,
				       word, s->freeindex);
	if (s->alloc_cache != ~s->alloc_bits[s->freeindex / 64])
		return invalid("span %px: alloc_cache %#llx, but bits %#llx at freeindex %u", s,
			       s->alloc_cache, s->alloc_bits[s->freeindex / 64], s->freeindex);
	return true;
}

/* Is @s cut as its class asks? */
static bool span_shape_valid(const struct gospan_span *s)
{
	unsigned long addr = gospan_span_addr(s);
	struct gospan_layout l;

	if (s->spanclass == GOSPAN_SPANCLASS_LARGE) {
		if (s->nelems != 1 || s->owned || !list_empty(&s->list))
			return invalid("large span %px: %u slots, owned %d, listed %d", s,
				       s->nelems, s->owned, !list_empty(&s->list));
		return true;
	}
	if (s->spanclass < GOSPAN_SPANCLASS_FIRST || s->spanclass >= GOSPAN_SPANCLASS_LIMIT)
		return invalid("span %px: spanclass %u", s, s->spanclass);
	l = gospan_spanclass_layout(s->spanclass);
	if (s->npages != l.npages || s->nelems != l.nelems || s->elem_bytes != l.elem_bytes)
		return invalid("span %px of spanclass %u: %u pages, %u slots of %u", s,
			       s->spanclass, s->npages, s->nelems, s->elem_bytes);
	if (s->base - addr != l.header_bytes || addr % (l.align_npages * GOSPAN_PAGE_SIZE))
		return invalid("span %px of spanclass %u: base %#lx", s, s->spanclass, s->base);
	if ((s->owned || gospan_span_is_full(s)) && !list_empty(&s->list))
		return invalid("span %px is owned or full, and listed", s);
	if (s->owned && gospan_span_is_full(s))
		return invalid("span %px is owned and full", s);
	return true;
}

/* Does @key belong to a page of @s? Marked are those alone whose lines have several objects. */
static bool page_key_valid(unsigned int key, const struct gospan_span *s)
{
	return gospan_key_spanclass(key) == gospan_spanclass_of_page(s->spanclass) &&
	       (!gospan_key_mark(key) || (gospan_key_mark(key) < GOSPAN_NR_MARKS &&
					  gospan_span_is_private(s->elem_bytes)));
}

/* Do the pages of @s, found at its first, all say so, and belong to us? */
static bool span_pages_valid(const struct heap_walk *w, const struct gospan_span *s)
{
	unsigned long page = gospan_addr_page(s->base), limit = page + s->npages;

	/* It may reach into a chunk of another node. */
	if (s->node != gospan_mheap_chunk(w->h, page)->home->node)
		return invalid("span %px: of node %u, but its first page is not", s, s->node);
	for (; page < limit; page++) {
		struct gospan_chunk *chunk = gospan_mheap_chunk(w->h, page);
		unsigned int i = page % GOSPAN_CHUNK_NPAGES;

		if (chunk == &gospan_chunk_none || !test_bit(i, chunk->owned) ||
		    !gospan_pallocbits_is_taken(&chunk->pages, i))
			return invalid("page %#lx, in span %px: not ours, or free", page, s);
		if (*gospan_chunk_span(chunk, i) != s ||
		    !page_key_valid(chunk->key[i], s))
			return invalid("page %#lx: in span %px, %u, but has %px, %#x", page, s,
				       s->spanclass, *gospan_chunk_span(chunk, i), chunk->key[i]);
	}
	return true;
}

/* Those of the list that @s belongs on. */
static struct central_count *span_count_of(const struct heap_walk *w, const struct gospan_span *s)
{
	return &w->central[s->node][s->spanclass];
}

static bool walk_span(struct heap_walk *w, const struct gospan_span *s)
{
	struct central_count *count;

	if (!s->npages || s->npages > GOSPAN_SUM_MAX)
		return invalid("span %px of %u pages", s, s->npages);
	if (!span_pages_valid(w, s) || !span_shape_valid(s) || !gospan_span_validate(s))
		return false;
	w->span_pages += s->npages;
	w->span_bytes += gospan_span_sys_bytes(s);
	if (s->spanclass == GOSPAN_SPANCLASS_LARGE) {
		w->nr_large++;
		w->large_pages += s->npages;
		return true;
	}
	count = span_count_of(w, s);
	count->nr_spans++;
	count->nr_owned += s->owned;
	count->nr_full += gospan_span_is_full(s);
	count->nr_taken += s->alloc_count;
	return true;
}

/* A page that no span is in: not ours; or free or in a page cache, perhaps with a descriptor. */
static bool walk_page(struct heap_walk *w, struct gospan_chunk *chunk, unsigned int i)
{
	bool owned = test_bit(i, chunk->owned);
	bool taken = gospan_pallocbits_is_taken(&chunk->pages, i);
	const struct gospan_span *s;

	if (!owned) {
		if (!taken || test_bit(i, chunk->zeroed))
			return invalid("page %u of chunk %#lx is not ours, but free or known", i,
				       chunk->base);
		return true;
	}
	w->taken_pages += taken;
	s = *gospan_chunk_span(chunk, i);
	if (s)
		w->span_bytes += gospan_span_sys_bytes(s);
	return true;
}

static bool walk_chunk(struct heap_walk *w, struct gospan_chunk *chunk)
{
	int node = chunk->home->node;
	unsigned int i;

	w->nr_chunks[node]++;
	w->map_bytes += sizeof(struct gospan_chunk);
	w->owned_pages[node] += bitmap_weight(chunk->owned, GOSPAN_CHUNK_NPAGES);
	if (chunk->nr_owned != bitmap_weight(chunk->owned, GOSPAN_CHUNK_NPAGES))
		return invalid("chunk %#lx: nr_owned %u", chunk->base, chunk->nr_owned);
	for (i = 0; i < GOSPAN_CHUNK_NSPANS; i++) {
		bool has = find_next_bit(chunk->owned, (i + 1) * GOSPAN_SPANS_NPAGES,
					 i * GOSPAN_SPANS_NPAGES) < (i + 1) * GOSPAN_SPANS_NPAGES;

		if (has != !!chunk->spans[i])
			return invalid("chunk %#lx: table %u there %d, needed %d", chunk->base, i,
				       !!chunk->spans[i], has);
		w->map_bytes += has * sizeof(struct gospan_spans);
	}
	for (i = 0; i < GOSPAN_CHUNK_NPAGES; i++) {
		const struct gospan_span *s;

		w->free_pages[node] += !gospan_pallocbits_is_taken(&chunk->pages, i);
		if (!chunk->key[i]) {
			if (!walk_page(w, chunk, i))
				return false;
			continue;
		}
		if (!test_bit(i, chunk->owned) || test_bit(i, chunk->zeroed))
			return invalid("page %u of chunk %#lx: in a span, but not ours or zeroed",
				       i, chunk->base);
		s = *gospan_chunk_span(chunk, i);
		if (!s || gospan_chunk_page_addr(chunk, i) - gospan_span_addr(s) >=
		    (unsigned long)s->npages << GOSPAN_PAGE_SHIFT)
			return invalid("page %u of chunk %#lx: key %#x, span %px", i, chunk->base,
				       chunk->key[i], s);
		if (gospan_span_addr(s) == gospan_chunk_page_addr(chunk, i) && !walk_span(w, s))
			return false;
	}
	return true;
}

/* Is what stands above eight regions what they are? Walks down to the chunks. */
static bool walk_summary(struct heap_walk *w, const struct gospan_node_heap *nh,
			 const struct gospan_summary *summary, unsigned int level,
			 unsigned long first, unsigned long *nr_summaries)
{
	unsigned int i;

	++*nr_summaries;
	for (i = 0; i < GOSPAN_SUMMARY_FANOUT; i++) {
		unsigned long idx = first + ((unsigned long)i << level * GOSPAN_SUMMARY_LEVEL_BITS);
		struct gospan_pallocsum sum = {};
		struct gospan_chunk *chunk;

		if (level && summary->below[i]) {
			if (!walk_summary(w, nh, summary->below[i], level - 1, idx, nr_summaries))
				return false;
			sum = gospan_summary_merge(summary->below[i], level - 1);
		} else if (!level && summary->chunk[i]) {
			chunk = container_of(summary->chunk[i], struct gospan_chunk, pages);
			if (chunk->home != nh || gospan_chunk_idx(chunk) != idx ||
			    gospan_arena_chunk_of(&w->h->arenas, chunk->base) != chunk ||
			    gospan_arena_chunk_of(&w->h->arenas, chunk->base +
						  GOSPAN_CHUNK_BYTES - 1) != chunk)
				return invalid("chunk %#lx is not where it should be", chunk->base);
			if (!walk_chunk(w, chunk))
				return false;
			sum = gospan_pallocbits_summarize(&chunk->pages);
		}
		if (sum.start != summary->sum[i].start || sum.max != summary->sum[i].max ||
		    sum.end != summary->sum[i].end)
			return invalid("summary %#lx on level %u: %u, %u, %u, but it is %u, %u, %u",
				       idx, level, summary->sum[i].start, summary->sum[i].max,
				       summary->sum[i].end, sum.start, sum.max, sum.end);
	}
	return true;
}

static bool walk_page_caches(struct heap_walk *w)
{
	unsigned int cpu, i;

	for_each_possible_cpu(cpu) {
		const struct gospan_pagecache *pc;

		if (!w->h->pagecaches)
			break;
		pc = per_cpu_ptr(w->h->pagecaches, cpu);
		if (pc->busy)
			return invalid("CPU %u: page cache is claimed", cpu);
		w->cached_pages += hweight64(pc->pages);
		for (i = 0; i < 64; i++) {
			struct gospan_chunk *chunk = gospan_mheap_chunk(w->h, pc->base + i);
			unsigned int idx = (pc->base + i) % GOSPAN_CHUNK_NPAGES;

			if (!(pc->pages >> i & 1))
				continue;
			if (!test_bit(idx, chunk->owned) || chunk->key[idx] ||
			    !gospan_pallocbits_is_taken(&chunk->pages, idx))
				return invalid("CPU %u: page %#lx in the cache is in use, or free",
					       cpu, pc->base + i);
		}
	}
	return true;
}

static bool walk_nodes(struct heap_walk *w)
{
	unsigned int node;

	for (node = 0; node < nr_node_ids; node++) {
		const struct gospan_node_heap *nh = w->h->node[node];
		unsigned long nr_summaries = 0;
		struct gospan_pagealloc pages;

		if (!nh)
			continue;
		if (nh->pages.root &&
		    !walk_summary(w, nh, nh->pages.root, nh->pages.nr_levels - 1, 0, &nr_summaries))
			return false;
		if (nh->node != node || nh->pages.nr_summaries != nr_summaries ||
		    nh->pages.nr_chunks != w->nr_chunks[node] ||
		    nh->pages.free_pages != w->free_pages[node] ||
		    nh->obtained_pages - nh->released_pages != w->owned_pages[node])
			return invalid("node %u: %lu summaries, %lu chunks, %lu free, %lu pages",
				       node, nh->pages.nr_summaries, nh->pages.nr_chunks,
				       nh->pages.free_pages,
				       nh->obtained_pages - nh->released_pages);
		/* Found without the hint, the lowest free page is not below it. */
		pages = nh->pages;
		pages.search_page = 0;
		pages.search_chunk = NULL;
		if (gospan_pagealloc_find(&pages, 1, 1) < nh->pages.search_page)
			return invalid("node %u: free page below %#lx", node,
				       nh->pages.search_page);
	}
	/* What every lookup of somebody else's address ends at. */
	if (memchr_inv(&gospan_chunk_none, 0, sizeof(gospan_chunk_none)))
		return invalid("the empty chunk was written to");
	return true;
}

static bool sum_valid(const char *what, unsigned long has, unsigned long should)
{
	return has == should || invalid("%s %lu, but there are %lu", what, has, should);
}

static bool heap_sums_valid(const struct heap_walk *w)
{
	struct gospan_large_count large = gospan_mheap_large(w->h);

	/* Those of the module's heap; nothing waits in a test's own. */
	unsigned long waiting = w->h == &gospan_heap ? gospan_mcentral_waiting_pages() : 0;

	return sum_valid("pages in page caches or waiting for RCU", w->cached_pages + waiting,
			 w->taken_pages) &&
	       sum_valid("bytes of descriptors", atomic_long_read(&w->h->span_bytes),
			 w->span_bytes) &&
	       sum_valid("large objects", large.mallocs - large.frees, w->nr_large) &&
	       sum_valid("large pages", large.alloc_pages - large.free_pages, w->large_pages);
}

/* The spans of a list, which have @min_free..@max_free free slots; their number, or -1. */
static long central_walk_list(const struct gospan_mcentral *mc, const struct list_head *spans,
			      unsigned int min_free, unsigned int max_free)
{
	const struct gospan_span *s;
	long nr = 0;

	list_for_each_entry(s, spans, list) {
		unsigned int nr_free = s->nelems - s->alloc_count;

		if (s->spanclass != mc->spanclass || s->node != mc->node || s->owned ||
		    nr_free < min_free || nr_free > max_free) {
			invalid("list %u:%d has span %px: of %u:%u, owned %d, %u of %u taken",
				mc->spanclass, mc->node, s, s->spanclass, s->node, s->owned,
				s->alloc_count, s->nelems);
			return -1;
		}
		if (gospan_arena_span_of(&gospan_heap.arenas, (void *)s->base) != s) {
			invalid("listed span %px of spanclass %u is not in the heap", s,
				mc->spanclass);
			return -1;
		}
		/* A list that runs in a circle, too. */
		if (++nr > mc->nr_listed) {
			invalid("spanclass %u: more than %lu spans listed", mc->spanclass,
				mc->nr_listed);
			return -1;
		}
	}
	return nr;
}

/* Spans with free slots and others, whose number is added up; or -1. */
static long central_walk_partial(const struct gospan_mcentral *mc)
{
	unsigned int i, max_free, all = mc->layout.nelems;
	long sum = 0, nr;

	for (i = 0; i < GOSPAN_NR_FULLNESS; i++) {
		max_free = i < GOSPAN_NR_FULLNESS - 1 ? (2U << i) - 1 : all;
		nr = central_walk_list(mc, &mc->partial[i], 1U << i, min(max_free, all - 1));
		if (nr < 0)
			return nr;
		sum += nr;
	}
	return sum;
}

/* Is each slot in one state, and that the right one? */
static bool transit_valid(const struct gospan_transit *t, unsigned int spanclass)
{
	unsigned int slot, state;

	for (slot = 0; slot < t->nr_slots; slot++) {
		const struct gospan_batch *b = gospan_transit_batch(t, slot);
		unsigned int nr_states = 0;

		for (state = 0; state < GOSPAN_NR_TRANSIT_STATES; state++)
			nr_states += t->slots[state] >> slot & 1;
		state = !b->nr ? GOSPAN_TRANSIT_EMPTY :
			b->nr == t->room ? GOSPAN_TRANSIT_FULL : GOSPAN_TRANSIT_PARTIAL;
		if (b->slot != slot || b->nr > t->room || nr_states != 1 ||
		    !(t->slots[state] >> slot & 1))
			return invalid("spanclass %u: transit slot %u, %u: %u objects, %u states",
				       spanclass, slot, b->slot, b->nr, nr_states);
	}
	return true;
}

static bool central_valid(const struct heap_walk *w, const struct gospan_mcentral *mc)
{
	const struct central_count *count = &w->central[mc->node][mc->spanclass];
	unsigned int spanclass = mc->spanclass;
	unsigned int all = mc->layout.nelems;
	long nr_partial, nr_empty;

	if (mc != gospan_mcentral_of(spanclass, mc->node))
		return invalid("central list %px says %u of node %d", mc, spanclass, mc->node);
	nr_empty = central_walk_list(mc, &mc->empty, all, all);
	nr_partial = central_walk_partial(mc);
	if (nr_empty < 0 || nr_partial < 0)
		return false;
	if (nr_partial + nr_empty + count->nr_full + count->nr_owned != count->nr_spans ||
	    nr_partial + nr_empty != mc->nr_listed)
		return invalid("spanclass %u: %lu spans, but %ld partial, %ld, %lu full, %lu owned",
			       spanclass, count->nr_spans, nr_partial, nr_empty, count->nr_full,
			       count->nr_owned);
	if (atomic_long_read(&mc->nr_spans) != count->nr_spans ||
	    atomic_long_read(&mc->nr_taken) != count->nr_taken)
		return invalid("spanclass %u: nr_spans %lu, nr_taken %lu, but %lu and %lu",
			       spanclass, atomic_long_read(&mc->nr_spans),
			       atomic_long_read(&mc->nr_taken), count->nr_spans, count->nr_taken);
	if (mc->nr_unused > mc->nr_empty)
		return invalid("spanclass %u: nr_unused %u, above nr_empty %u", spanclass,
			       mc->nr_unused, mc->nr_empty);
	if (mc->nr_empty != nr_empty)
		return invalid("spanclass %u: nr_empty %u, but %ld", spanclass, mc->nr_empty,
			       nr_empty);
	return transit_valid(&mc->transit, spanclass);
}

static bool magazine_valid(const struct gospan_magazine *m, unsigned int cpu,
			   unsigned int spanclass)
{
	unsigned int capacity = m->limit - m->base;

	if (!m->base)
		return (!m->top && !m->limit) ||
		       invalid("CPU %u: magazine of unused spanclass %u", cpu, spanclass);
	if (capacity > gospan_mcache_capacity(spanclass))
		return invalid("CPU %u, spanclass %u: capacity %u", cpu, spanclass, capacity);
	if (m->top < m->base || m->top > m->limit)
		return invalid("CPU %u, spanclass %u: %td objects in a magazine for %u", cpu,
			       spanclass, m->top - m->base, capacity);
	if (m->base[-1])
		return invalid("CPU %u, spanclass %u: %px below the magazine", cpu, spanclass,
			       m->base[-1]);
	return true;
}

/* Is the current span of @cpu really its own? */
static bool current_span_valid(const struct gospan_span *s, unsigned int cpu,
			       unsigned int spanclass)
{
	unsigned int other;

	if (s->node != gospan_mcache_of_cpu(cpu)->home->node)
		return invalid("CPU %u: current span %px is of node %u", cpu, s, s->node);
	if (!s->owned || s->spanclass != spanclass || gospan_span_is_full(s) ||
	    gospan_arena_span_of(&gospan_heap.arenas, (void *)s->base) != s)
		return invalid("CPU %u, spanclass %u: current span %px: of %u, owned %d, %u taken",
			       cpu, spanclass, s, s->spanclass, s->owned, s->alloc_count);
	for (other = 0; other < cpu; other++)
		if (cpu_possible(other) && gospan_mcache_of_cpu(other) &&
		    gospan_mcache_of_cpu(other)->span[spanclass] == s)
			return invalid("span %px is the current one of CPUs %u and %u", s, other,
				       cpu);
	return true;
}

/* Do the objects for other nodes agree with what the CPU counts of them? */
static bool remote_valid(const struct gospan_remote *r, unsigned int cpu)
{
	const struct gospan_magazine *m = &r->stack;
	unsigned int spanclass, nr = 0;
	size_t bytes = 0;

	if (m->top < m->base || m->top > m->limit || (m->base && m->base[-1]))
		return invalid("CPU %u: %td objects for other nodes, of at most %td", cpu,
			       m->top - m->base, m->limit - m->base);
	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++) {
		nr += r->nr[spanclass];
		bytes += r->nr[spanclass] * gospan_spanclass_bytes(spanclass);
	}
	return (nr == m->top - m->base && bytes == r->bytes && bytes <= GOSPAN_REMOTE_BYTES) ||
	       invalid("CPU %u: %td objects for other nodes, %zu bytes, but %u and %zu", cpu,
		       m->top - m->base, r->bytes, nr, bytes);
}

/* Takes the current spans off the owned ones that were counted. */
static bool mcache_valid(struct heap_walk *w, const struct gospan_mcache *c, unsigned int cpu)
{
	const struct gospan_mcache *slot = per_cpu(gospan_mcache_slot, cpu);
	size_t capacity_bytes = 0;
	unsigned int idx, spanclass;

	if (slot != c && !gospan_mcache_is_none(slot))
		return invalid("CPU %u: mcache %px in the slot, not %px", cpu, slot, c);
	for (idx = 0; idx < GOSPAN_NR_MAGAZINES; idx++) {
		const struct gospan_magazine *m = &c->magazine[idx];

		spanclass = gospan_magazine_spanclass(idx);
		if (!magazine_valid(m, cpu, spanclass))
			return false;
		if (c->transit[idx] != gospan_mcache_transit(c, idx) ||
		    (test_bit(idx, c->mixed) && gospan_mcache_is_one_way(c, m)))
			return invalid("CPU %u, magazine %u: traded at once", cpu, idx);
		capacity_bytes += (m->limit - m->base) * gospan_spanclass_bytes(spanclass);
		if (idx >= GOSPAN_FOREIGN || !c->span[spanclass])
			continue;
		if (m->limit == m->base)
			return invalid("CPU %u, spanclass %u: current span %px without capacity",
				       cpu, spanclass, c->span[spanclass]);
		if (!current_span_valid(c->span[spanclass], cpu, spanclass))
			return false;
		span_count_of(w, c->span[spanclass])->nr_owned--;
	}
	if (!remote_valid(&c->remote, cpu))
		return false;
	return c->capacity_bytes == capacity_bytes ||
	       invalid("CPU %u: capacity_bytes %zu, but magazines for %zu", cpu,
		       c->capacity_bytes, capacity_bytes);
}

static bool mcaches_valid(struct heap_walk *w)
{
	unsigned int cpu, spanclass;
	int node;

	if (memchr_inv(&gospan_mcache_none, 0, sizeof(gospan_mcache_none)) ||
	    memchr_inv(&gospan_mcache_parked, 0, sizeof(gospan_mcache_parked)))
		return invalid("the empty mcache was written to");
	for_each_possible_cpu(cpu)
		if (gospan_mcache_of_cpu(cpu) && !mcache_valid(w, gospan_mcache_of_cpu(cpu), cpu))
			return false;
	for_each_node(node)
		for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
			if (w->central[node][spanclass].nr_owned)
				return invalid("spanclass %u: %lu owned spans are no CPU's",
					       spanclass, w->central[node][spanclass].nr_owned);
	return true;
}

static int pointer_cmp(const void *a, const void *b)
{
	const void *x = *(void *const *)a, *y = *(void *const *)b;

	return x < y ? -1 : x > y;
}

/* Append a free object of span @s, which must be a taken slot of it. */
static bool object_collect(struct object_list *l, const struct gospan_span *s, void *p)
{
	unsigned int slot = ((unsigned long)p - s->base) / gospan_spanclass_bytes(s->spanclass);

	if (!gospan_span_object_bytes(s, p) || !(s->alloc_bits[slot / 64] >> (slot % 64) & 1))
		return invalid("%px, cached, is no object or free in its span, too", p);
	if (l->nr == l->max)
		return invalid("more free objects than were counted");
	l->objs[l->nr++] = p;
	return true;
}

/* Append @n free objects, of spans of @spanclass and, unless it is NUMA_NO_NODE, of @node. */
static bool objects_collect(struct object_list *l, unsigned int spanclass, int node,
			    void *const *objs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct gospan_span *s = gospan_arena_span_of(&gospan_heap.arenas, objs[i]);

		if (!s || s->spanclass != spanclass || (node != NUMA_NO_NODE && s->node != node))
			return invalid("%px, cached as of spanclass %u and node %d, is not",
				       objs[i], spanclass, node);
		if (!object_collect(l, s, objs[i]))
			return false;
	}
	return true;
}

static size_t objects_count(void)
{
	unsigned int spanclass, cpu;
	size_t nr = 0;
	int node;

	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++) {
		for_each_node(node)
			nr += gospan_transit_count(&gospan_mcentral_of(spanclass, node)->transit);
		for_each_possible_cpu(cpu) {
			const struct gospan_mcache *c = gospan_mcache_of_cpu(cpu);

			if (!c)
				continue;
			nr += c->magazine[spanclass].top - c->magazine[spanclass].base;
			nr += c->magazine[GOSPAN_FOREIGN + spanclass].top -
			      c->magazine[GOSPAN_FOREIGN + spanclass].base;
			nr += c->remote.nr[spanclass];
		}
	}
	return nr;
}

static bool objects_gather_transit(struct object_list *l, const struct gospan_mcentral *mc)
{
	unsigned int slot;

	for (slot = 0; slot < mc->transit.nr_slots; slot++) {
		struct gospan_batch *b = gospan_transit_batch(&mc->transit, slot);

		if (!objects_collect(l, mc->spanclass, mc->node, b->objs, b->nr))
			return false;
	}
	return true;
}

static bool objects_gather_centrals(struct object_list *l)
{
	unsigned int spanclass;
	int node;

	for_each_node(node)
		for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
			if (!objects_gather_transit(l, gospan_mcentral_of(spanclass, node)))
				return false;
	return true;
}

/*
 * Those of the CPU's own node, but for magazines that are said to have others, and of others.
 */
static bool objects_gather_mcache(struct object_list *l, const struct gospan_mcache *c)
{
	const struct gospan_magazine *m = &c->remote.stack;
	unsigned int idx;
	void **obj;

	for (obj = m->base; obj < m->top; obj++) {
		const struct gospan_span *s = gospan_arena_span_of(&gospan_heap.arenas, *obj);

		if (!s || s->node == c->home->node)
			return invalid("%px waits to go to another node, but is of %d", *obj,
				       s ? s->node : NUMA_NO_NODE);
		if (!object_collect(l, s, *obj))
			return false;
	}
	for (idx = 0; idx < GOSPAN_NR_MAGAZINES; idx++) {
		m = &c->magazine[idx];
		if (!objects_collect(l, gospan_magazine_spanclass(idx), test_bit(idx, c->mixed) ?
				     NUMA_NO_NODE : c->home->node, m->base, m->top - m->base))
			return false;
	}
	return true;
}

static bool objects_gather(struct object_list *l)
{
	unsigned int cpu;

	if (!objects_gather_centrals(l))
		return false;
	for_each_possible_cpu(cpu)
		if (gospan_mcache_of_cpu(cpu) &&
		    !objects_gather_mcache(l, gospan_mcache_of_cpu(cpu)))
			return false;
	return true;
}

/* No free object is in two places. */
static bool objects_valid(void)
{
	struct object_list l = { .max = objects_count() };
	bool valid;
	size_t i;

	if (!l.max)
		return true;
	l.objs = kvmalloc_array(l.max, sizeof(*l.objs), GFP_KERNEL);
	if (!l.objs)
		return invalid("no memory to look at %zu objects", l.max);
	valid = objects_gather(&l);
	if (valid)
		sort(l.objs, l.nr, sizeof(*l.objs), pointer_cmp, NULL);
	for (i = 1; valid && i < l.nr; i++)
		if (l.objs[i] == l.objs[i - 1])
			valid = invalid("%px is free twice", l.objs[i]);
	kvfree(l.objs);
	return valid;
}

/* What sits in front of the module's own heap. */
static bool fronts_valid(struct heap_walk *w)
{
	unsigned int spanclass;
	int node;

	for_each_node(node)
		for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
			if (!central_valid(w, gospan_mcentral_of(spanclass, node)))
				return false;
	return mcaches_valid(w) && objects_valid();
}

static void heap_walk_destroy(struct heap_walk *w)
{
	int node;

	for_each_node(node)
		kvfree(w->central[node]);
	kvfree(w);
}

static struct heap_walk *heap_walk_create(struct gospan_mheap *h)
{
	struct heap_walk *w = kvzalloc(sizeof(*w), GFP_KERNEL);
	int node;

	if (!w)
		return NULL;
	w->h = h;
	for_each_node(node) {
		w->central[node] = kvcalloc(GOSPAN_NR_SPANCLASSES, sizeof(struct central_count),
					    GFP_KERNEL);
		if (!w->central[node]) {
			heap_walk_destroy(w);
			return NULL;
		}
	}
	return w;
}

/**
 * gospan_heap_validate() - is a heap consistent?
 * @h: heap; of gospan_heap the central lists and mcaches are looked at, too
 *
 * Context: Task; may sleep. Takes no lock: nothing may allocate from @h or
 * free to it meanwhile.
 * Return: true if so; otherwise what is wrong was printed.
 */
bool gospan_heap_validate(struct gospan_mheap *h)
{
	struct heap_walk *w = heap_walk_create(h);
	bool valid;

	if (!w)
		return invalid("no memory to look at it");
	valid = h->broken ? invalid("it is marked as broken") :
		walk_nodes(w) && walk_page_caches(w) && heap_sums_valid(w) &&
		(h != &gospan_heap || fronts_valid(w));
	heap_walk_destroy(w);
	return valid;
}
