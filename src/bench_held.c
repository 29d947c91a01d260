// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that are kept in use while a benchmark runs.
 *
 * Single pages, one in nine of which is freed again, at random: what the
 * benchmark then allocates is looked for in a heap that is large, and has holes
 * everywhere. Afterwards the heap gives back what it took for them: a run leaves
 * the machine as it was, and the next one finds the same.
 */
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include "bench_held.h"
#include "bench_order.h"
#include "supply.h"

/* Pages allocated or freed before others may run. */
#define RESCHED_PAGES	4096

struct gospan_bench_held {
	enum gospan_bench_allocator allocator;
	unsigned long heap_pages; /* that gospan had from the kernel before */
	u32 nr;			/* entries used in @pages */
	void *pages[];		/* spans, or pages of the kernel */
};

static u32 nr_with_holes(u32 held_pages)
{
	return held_pages + held_pages / GOSPAN_BENCH_HOLES;
}

/* What holding so many pages takes at most. */
u64 gospan_bench_held_bytes(u32 held_pages)
{
	return nr_with_holes(held_pages) * (gospan_bench_span_bytes(1) + sizeof(void *));
}

static void *page_alloc(enum gospan_bench_allocator allocator, gfp_t gfp)
{
	return allocator == GOSPAN_ALLOCATOR_SPAN ? (void *)gospan_bench_span_alloc(1, gfp) :
						    alloc_pages(gfp, GOSPAN_PAGE_ORDER);
}

static void page_free(enum gospan_bench_allocator allocator, void *page)
{
	if (allocator == GOSPAN_ALLOCATOR_SPAN)
		gospan_bench_span_free(page);
	else
		__free_pages(page, GOSPAN_PAGE_ORDER);
}

static void free_down_to(struct gospan_bench_held *held, u32 nr)
{
	while (held->nr > nr) {
		page_free(held->allocator, held->pages[--held->nr]);
		if (!(held->nr % RESCHED_PAGES))
			cond_resched();
	}
}

/* As many more as are wanted; -EINTR when a signal is pending. */
static int alloc_up_to(struct gospan_bench_held *held, u32 nr, gfp_t gfp)
{
	for (; held->nr < nr; held->nr++) {
		if (!(held->nr % RESCHED_PAGES)) {
			cond_resched();
			if (signal_pending(current))
				return -EINTR;
		}
		held->pages[held->nr] = page_alloc(held->allocator, gfp);
		if (!held->pages[held->nr])
			return -ENOMEM;
	}
	return 0;
}

/* Free pages of the heap go back to the kernel, until it has no more than @npages. */
static void heap_shrink(unsigned long npages)
{
	unsigned long more;
	int node;

	for (node = 0; node < nr_node_ids; node++) {
		do {
			more = gospan_supply_held_pages(&gospan_heap);
			more -= min(more, npages);
			cond_resched();
		} while (more && gospan_supply_release(&gospan_heap, node,
						       min_t(unsigned long, more,
							     GOSPAN_CHUNK_NPAGES)));
	}
}

/**
 * gospan_bench_hold() - take the pages that a benchmark wants held
 * @b: benchmark; its allocator is SPAN or PAGES
 * @gfp: how to allocate
 *
 * Context: Task; sleeps.
 * Return: them; or -ENOMEM, or -EINTR when a signal is pending: nothing is then held.
 */
struct gospan_bench_held *gospan_bench_hold(const struct gospan_bench *b, gfp_t gfp)
{
	u32 nr = nr_with_holes(b->held_pages);
	struct gospan_bench_held *held;
	struct rnd_state rnd;
	int err;

	held = kvmalloc(struct_size(held, pages, nr), gfp);
	if (!held)
		return ERR_PTR(-ENOMEM);
	held->allocator = b->allocator;
	held->heap_pages = gospan_supply_held_pages(&gospan_heap);
	held->nr = 0;
	err = alloc_up_to(held, nr, gfp);
	if (err) {
		gospan_bench_unhold(held);
		return ERR_PTR(err);
	}
	prandom_seed_state(&rnd, b->seed);
	gospan_bench_reorder(held->pages, nr, GOSPAN_ORDER_SHUFFLED, &rnd);
	free_down_to(held, b->held_pages);
	return held;
}

/* Free them, and what the heap took for them; NULL is fine. */
void gospan_bench_unhold(struct gospan_bench_held *held)
{
	if (!held)
		return;
	free_down_to(held, 0);
	heap_shrink(held->heap_pages);
	kvfree(held);
}
