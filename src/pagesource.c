// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page source: blocks of pages from the kernel, as large as it has them.
 *
 * A heap grows by a whole chunk if it can: the fewer blocks, the fewer holes
 * between them and the less often it has to ask. Where memory is fragmented it
 * takes what there is, order by order down to what the span at hand needs, and
 * remembers: an order that was refused is not asked for again at once.
 *
 * Any context but NMI; no lock is held.
 */
#include <linux/mm.h>
#include "pagesource.h"

/* What says how badly memory is wanted. */
#define GFP_PRESSING	(__GFP_RECLAIM | __GFP_NOFAIL | __GFP_HIGH | __GFP_MEMALLOC)

/* As @gfp, but only memory of the node that is free: a refusal costs little, and is no failure. */
gfp_t gospan_pagesource_gfp_free_here(gfp_t gfp)
{
	return (gfp & ~GFP_PRESSING) | __GFP_NOWARN | __GFP_NOMEMALLOC | __GFP_THISNODE;
}

static struct page *kernel_pages_alloc(int node, gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages_node(node, gfp, order);

	/* Single pages, so that a span takes just its own and each can go back alone. */
	if (page && order)
		split_page(page, order);
	return page;
}

static void kernel_pages_free(struct page *page)
{
	__free_page(page);
}

static bool kernel_pages_zeroes(gfp_t gfp)
{
	return want_init_on_alloc(gfp);
}

const struct gospan_page_source gospan_kernel_pages = {
	.alloc = kernel_pages_alloc,
	.free = kernel_pages_free,
	.zeroes = kernel_pages_zeroes,
};

void gospan_backoff_init(struct gospan_backoff *b)
{
	*b = (struct gospan_backoff){ .order = GOSPAN_BLOCK_MAX_ORDER, .next_hold = 1 };
}

/* The order to begin with, when at least @min_order is needed. */
unsigned int gospan_backoff_begin(struct gospan_backoff *b, unsigned int min_order)
{
	unsigned int order = b->order;

	if (order < GOSPAN_BLOCK_MAX_ORDER) {
		if (b->hold) {
			b->hold--;
			b->nr_held++;
		} else {
			order++;
		}
	}
	return max(order, min_order);
}

/*
 * From @asked on down all were refused, until @order was had, or refused, too.
 * To get again what was known to be there says nothing about more; nor does it
 * say anything about less when a large block that a span needs is refused.
 */
void gospan_backoff_end(struct gospan_backoff *b, unsigned int asked, unsigned int order,
			bool got)
{
	b->nr_refused += asked - order + !got;
	if (got && order == asked) {
		if (order <= b->order)
			return;
		b->order = min(order, GOSPAN_BLOCK_MAX_ORDER);
		b->next_hold = 1;
		return;
	}
	b->order = min(b->order, got ? order : max(order, 1U) - 1);
	b->hold = b->next_hold;
	b->next_hold = min(2 * b->next_hold, GOSPAN_BACKOFF_MAX_HOLD);
}

/**
 * gospan_pagesource_get() - get a block of pages
 * @source: where from
 * @node: NUMA node wanted; another may be given when it has nothing of @min_order
 * @gfp: how to ask for @min_order. More than that is only taken where it is free:
 *	larger blocks save work, but must not cost the system any.
 * @min_order: log2 of the kernel pages needed
 * @order: in: what to ask for first; out: what was had, or refused last
 *
 * Context: as @gfp says.
 * Return: the first page, or NULL.
 */
struct page *gospan_pagesource_get(const struct gospan_page_source *source, int node, gfp_t gfp,
				   unsigned int min_order, unsigned int *order)
{
	gfp_t try_gfp = gospan_pagesource_gfp_free_here(gfp);
	struct page *page;

	for (; *order > min_order; --*order) {
		page = source->alloc(node, try_gfp, *order);
		if (page)
			return page;
	}
	/* Who insists, does so above. */
	return source->alloc(node, gfp & ~__GFP_NOFAIL, min_order);
}

/* Give back kernel pages that lie in a row. */
void gospan_pagesource_put(const struct gospan_page_source *source, struct page *page,
			   unsigned long nr_kernel_pages)
{
	unsigned long pfn = page_to_pfn(page);

	for (; nr_kernel_pages; nr_kernel_pages--)
		source->free(pfn_to_page(pfn++));
}
