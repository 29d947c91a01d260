// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extents: the slots, and the spans or slabs, that objects lie in.
 *
 * Objects share: a span or a slab holds many, a block of tiny objects several.
 * What a set of objects takes is the sum of the different extents, and cannot
 * be given back while these objects live.
 */

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "bench_extent.h"
#include "mheap.h"

static struct gospan_extent span_extent(const struct gospan_span *s)
{
	return (struct gospan_extent){ gospan_span_addr(s), s->npages * GOSPAN_PAGE_SIZE };
}

static struct gospan_extent span_slot(const struct gospan_span *s, const void *p)
{
	/* Large: one slot, all of the span. */
	if (!s->elem_bytes)
		return span_extent(s);
	return (struct gospan_extent){
		.base = s->base + ((unsigned long)p - s->base) / s->elem_bytes * s->elem_bytes,
		.bytes = s->elem_bytes,
	};
}

/* The slot of the object @p, for which @size bytes were asked. */
struct gospan_extent gospan_extent_of_slot(enum gospan_bench_allocator who, const void *p,
					   size_t size)
{
	const struct gospan_span *s;

	switch (who) {
	case GOSPAN_ALLOCATOR_GOSPAN:
	case GOSPAN_ALLOCATOR_NOSCAN:
	case GOSPAN_ALLOCATOR_CACHE:
		s = gospan_arena_span_of(&gospan_heap.arenas, p);
		return s ? span_slot(s, p) : (struct gospan_extent){};
	case GOSPAN_ALLOCATOR_KMALLOC:
	case GOSPAN_ALLOCATOR_KMEM_CACHE:
		return (struct gospan_extent){ (unsigned long)p, ksize(p) };
	case GOSPAN_ALLOCATOR_PAGES:
	case GOSPAN_ALLOCATOR_SPAN:
		return gospan_extent_of_span(who, p, size);
	default:
		return (struct gospan_extent){};
	}
}

/* The span, the slab or the pages of the object @p, for which @size bytes were asked. */
struct gospan_extent gospan_extent_of_span(enum gospan_bench_allocator who, const void *p,
					   size_t size)
{
	const struct gospan_span *s;
	struct page *page;

	switch (who) {
	case GOSPAN_ALLOCATOR_GOSPAN:
	case GOSPAN_ALLOCATOR_NOSCAN:
	case GOSPAN_ALLOCATOR_CACHE:
		s = gospan_arena_span_of(&gospan_heap.arenas, p);
		return s ? span_extent(s) : (struct gospan_extent){};
	case GOSPAN_ALLOCATOR_KMALLOC:
	case GOSPAN_ALLOCATOR_KMEM_CACHE:
		page = virt_to_head_page(p);
		return (struct gospan_extent){ (unsigned long)page_address(page), page_size(page) };
	case GOSPAN_ALLOCATOR_PAGES:
		return (struct gospan_extent){
			.base = (unsigned long)page_address(p),
			.bytes = PAGE_SIZE << get_order(size),
		};
	case GOSPAN_ALLOCATOR_SPAN:
		return span_extent(p);
	default:
		return (struct gospan_extent){};
	}
}

static int extent_cmp(const void *a, const void *b)
{
	const struct gospan_extent *x = a, *y = b;

	/* A million of them take seconds in an emulator. */
	cond_resched();
	if (x->base == y->base)
		return 0;
	return x->base < y->base ? -1 : 1;
}

/* Add up the distinct ones among @n extents, which it sorts. Context: Task; sleeps. */
struct gospan_extent_sum gospan_extent_add_up(struct gospan_extent *extents, size_t n)
{
	struct gospan_extent_sum sum = {};
	size_t i;

	sort(extents, n, sizeof(*extents), extent_cmp, NULL);
	for (i = 0; i < n; i++) {
		if (!extents[i].bytes || (i && extents[i].base == extents[i - 1].base))
			continue;
		sum.nr++;
		sum.bytes += extents[i].bytes;
	}
	return sum;
}
