// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests: a page source that has what a test says, and heaps that live on it.
 *
 * Its pool is a row of chunks from the kernel, handed out in pieces. It keeps
 * account of each kernel page. A pool can also be borrowed: memory of the
 * direct map, whoever has it, for heaps whose pages nobody touches.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/topology.h>
#include "../src/supply.h"
#include "../src/validate.h"
#include "helper.h"
#include "source.h"

#define CHUNK_KPAGES	((unsigned int)BIT(GOSPAN_KUNIT_CHUNK_ORDER))
/* Blocks of a chunk to be looked through for some that are neighbours. */
#define MAX_TRIES	40U

struct gospan_kunit_source gospan_kunit_source;

/* Address of a page of the pool. */
unsigned long gospan_kunit_source_addr(unsigned int page)
{
	return gospan_kunit_source.chunk[page / GOSPAN_CHUNK_NPAGES] +
	       (unsigned long)(page % GOSPAN_CHUNK_NPAGES) * GOSPAN_PAGE_SIZE;
}

/* The kernel page of the pool that is at @addr, or -1. */
static int source_kpage(unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < gospan_kunit_source.nr_chunks; i++)
		if (addr - gospan_kunit_source.chunk[i] < GOSPAN_CHUNK_BYTES)
			return i * CHUNK_KPAGES +
			       ((addr - gospan_kunit_source.chunk[i]) >> PAGE_SHIFT);
	return -1;
}

/* The page of the pool that is at @addr, or -1. */
int gospan_kunit_source_page(unsigned long addr)
{
	int kpage = source_kpage(addr);

	return kpage < 0 ? kpage : kpage >> GOSPAN_PAGE_ORDER;
}

/* Is a block of the pool still to be had? */
static bool block_is_in(unsigned int page, unsigned int log2)
{
	unsigned long first = (unsigned long)page << GOSPAN_PAGE_ORDER;
	unsigned long limit = first + (BIT(log2) << GOSPAN_PAGE_ORDER);

	return find_next_bit(gospan_kunit_source.out, limit, first) >= limit;
}

/* A source that has all of its pool. */
unsigned long gospan_kunit_pick_lowest(unsigned int log2)
{
	unsigned int page;

	for (page = 0; page < gospan_kunit_source.nr_chunks * GOSPAN_CHUNK_NPAGES;
	     page += BIT(log2))
		if (block_is_in(page, log2))
			return page;
	return GOSPAN_NO_PAGE;
}

static unsigned long pick_scripted(unsigned int log2)
{
	struct gospan_kunit_source *source = &gospan_kunit_source;
	const struct gospan_kunit_block *b = &source->block[source->nr_given];

	if (source->nr_given == source->nr_blocks || b->log2 != log2)
		return GOSPAN_NO_PAGE;
	source->nr_given++;
	return b->page;
}

static struct page *source_alloc(int node, gfp_t gfp, unsigned int order)
{
	struct gospan_kunit_source *source = &gospan_kunit_source;
	unsigned int log2 = order - GOSPAN_PAGE_ORDER, i;
	unsigned long picked;
	struct page *page;

	source->nr_asked++;
	if (order < GOSPAN_PAGE_ORDER || order > MAX_PAGE_ORDER ||
	    gfp & (__GFP_NOFAIL | __GFP_COMP | __GFP_ZERO)) {
		source->nr_faults++;
		return NULL;
	}
	picked = source->pick ? source->pick(log2) : pick_scripted(log2);
	if (picked == GOSPAN_NO_PAGE)
		return NULL;
	/* The test's fault, but better told than crashed. */
	if (!block_is_in(picked, log2))
		source->nr_faults++;
	bitmap_set(source->out, picked << GOSPAN_PAGE_ORDER, BIT(order));
	if (source->zeroes)
		memset((void *)gospan_kunit_source_addr(picked), 0, PAGE_SIZE << order);
	page = virt_to_page((void *)gospan_kunit_source_addr(picked));
	/* Single pages, as split_page() makes them. */
	for (i = 0; !source->borrowed && i < BIT(order); i++)
		set_page_count(page + i, 1);
	return page;
}

static void source_free(struct page *page)
{
	struct gospan_kunit_source *source = &gospan_kunit_source;
	int kpage = source_kpage((unsigned long)page_address(page));

	if (kpage < 0 || !test_and_clear_bit(kpage, source->out)) {
		source->nr_faults++;
		return;
	}
	if (source->borrowed)
		return;
	if (page_count(page) != 1)
		source->nr_faults++;
	set_page_count(page, 0);
}

static bool source_zeroes(gfp_t gfp)
{
	return gospan_kunit_source.zeroes;
}

const struct gospan_page_source gospan_kunit_pages = {
	.alloc = source_alloc,
	.free = source_free,
	.zeroes = source_zeroes,
};

/* Kernel pages that the heap has. */
unsigned int gospan_kunit_source_nr_out(void)
{
	return bitmap_weight(gospan_kunit_source.out,
			     gospan_kunit_source.nr_chunks * CHUNK_KPAGES);
}

static void pool_free(void *unused)
{
	struct gospan_kunit_source *source = &gospan_kunit_source;
	unsigned int i, kpage;

	for (i = 0; i < source->nr_chunks && !source->borrowed; i++) {
		struct page *page = virt_to_page((void *)source->chunk[i]);

		/* What a heap leaked, on purpose or not. */
		for (kpage = 0; kpage < CHUNK_KPAGES; kpage++)
			set_page_count(page + kpage, 0);
		set_page_count(page, 1);
		__free_pages(page, GOSPAN_KUNIT_CHUNK_ORDER);
	}
	bitmap_free(source->out);
	memset(source, 0, sizeof(*source));
}

/* Where in @addr, which rises, @nr_chunks chunks in a row start; @nr if nowhere. */
static unsigned int find_row(const unsigned long *addr, unsigned int nr, unsigned int nr_chunks)
{
	unsigned int first = 0, i;

	for (i = 0; i < nr; i++) {
		if (addr[i] - addr[first] != (i - first) * GOSPAN_CHUNK_BYTES)
			first = i;
		if (i - first + 1 == nr_chunks)
			return first;
	}
	return nr;
}

static void insert_sorted(unsigned long *addr, unsigned int nr, unsigned long new)
{
	for (; nr && addr[nr - 1] > new; nr--)
		addr[nr] = addr[nr - 1];
	addr[nr] = new;
}

/* Allocate until there are as many neighbours as the pool shall have; the others go. */
static void pool_alloc(unsigned int nr_chunks)
{
	struct gospan_kunit_source *source = &gospan_kunit_source;
	unsigned long addr[MAX_TRIES], page;
	unsigned int nr, first = 0, i;

	for (nr = 0; nr < MAX_TRIES; ) {
		page = __get_free_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY,
					GOSPAN_KUNIT_CHUNK_ORDER);
		if (!page)
			break;
		insert_sorted(addr, nr++, page);
		first = find_row(addr, nr, nr_chunks);
		if (first < nr)
			break;
	}
	for (i = 0; i < nr; i++) {
		if (first == nr || i - first >= nr_chunks) {
			free_pages(addr[i], GOSPAN_KUNIT_CHUNK_ORDER);
			continue;
		}
		set_page_count(virt_to_page((void *)addr[i]), 0);
		source->chunk[source->nr_chunks++] = addr[i];
	}
}

static void pool_make(struct kunit *test, unsigned int nr_chunks)
{
	struct gospan_kunit_source *source = &gospan_kunit_source;

	if (GOSPAN_KUNIT_CHUNK_ORDER > MAX_PAGE_ORDER)
		kunit_skip(test, "alloc_pages() has no blocks of a chunk");
	memset(source, 0, sizeof(*source));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pool_free, NULL), 0);
	source->out = bitmap_zalloc(nr_chunks * CHUNK_KPAGES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, source->out);
}

/* Go where the pool is and stay: a heap looks for memory on its CPU's node first. */
static void pool_visit(struct kunit *test)
{
	int node = page_to_nid(virt_to_page((void *)gospan_kunit_source_addr(0)));
	unsigned int cpu = cpumask_any_and(cpumask_of_node(node), cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "the pool's NUMA node has no CPU");
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(cpu)), 0);
}

/* A pool of chunks in a row, which are the test's until it ends. */
void gospan_kunit_source_make(struct kunit *test, unsigned int nr_chunks)
{
	pool_make(test, nr_chunks);
	pool_alloc(nr_chunks);
	KUNIT_ASSERT_EQ_MSG(test, gospan_kunit_source.nr_chunks, nr_chunks,
			    "no %u free chunks in a row", nr_chunks);
	pool_visit(test);
}

/*
 * A pool of up to @nr_chunks chunks that are others' memory: they have a place
 * and a struct page, and must not be written to. At least one.
 */
void gospan_kunit_source_borrow(struct kunit *test, unsigned int nr_chunks)
{
	struct gospan_kunit_source *source = &gospan_kunit_source;
	unsigned long addr = PAGE_OFFSET + GOSPAN_CHUNK_BYTES;

	nr_chunks = min(nr_chunks, GOSPAN_KUNIT_MAX_CHUNKS);
	pool_make(test, nr_chunks);
	source->borrowed = true;
	while (addr + GOSPAN_CHUNK_BYTES <= (unsigned long)high_memory &&
	       source->nr_chunks < nr_chunks) {
		if (pfn_valid(PHYS_PFN(__pa(addr))) &&
		    pfn_valid(PHYS_PFN(__pa(addr + GOSPAN_CHUNK_BYTES - 1))))
			source->chunk[source->nr_chunks++] = addr;
		addr += GOSPAN_CHUNK_BYTES;
	}
	KUNIT_ASSERT_GT(test, source->nr_chunks, 0);
	pool_visit(test);
}

/* What the source has from now on, in this order. */
void gospan_kunit_source_give(const struct gospan_kunit_block *blocks, unsigned int nr_blocks)
{
	gospan_kunit_source.block = blocks;
	gospan_kunit_source.nr_blocks = nr_blocks;
	gospan_kunit_source.nr_given = 0;
}

static void heap_destroy(void *h)
{
	gospan_mheap_destroy(h);
}

/* A heap of its own, on the source; it ends with the test at the latest. */
struct gospan_mheap *gospan_kunit_heap_make(struct kunit *test, bool cached)
{
	struct gospan_mheap *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	KUNIT_ASSERT_EQ(test, gospan_mheap_init(h, &gospan_kunit_pages, 0, cached), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, heap_destroy, h), 0);
	return h;
}

void gospan_kunit_heap_destroy(struct kunit *test, struct gospan_mheap *h)
{
	kunit_release_action(test, heap_destroy, h);
}

/* Everything was freed. Destroys the heap, and says if it did not keep its house in order. */
void gospan_kunit_heap_finish(struct kunit *test, struct gospan_mheap *h)
{
	struct gospan_large_count large = gospan_mheap_large(h);

	KUNIT_EXPECT_TRUE(test, gospan_heap_validate(h));
	KUNIT_EXPECT_EQ(test, gospan_kunit_inuse_pages(h), 0);
	KUNIT_EXPECT_EQ(test, large.mallocs, large.frees);
	KUNIT_EXPECT_EQ(test, large.alloc_pages, large.free_pages);
	gospan_kunit_heap_destroy(test, h);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->span_bytes), 0);
	KUNIT_EXPECT_EQ(test, gospan_kunit_source_nr_out(), 0);
	KUNIT_EXPECT_EQ(test, gospan_kunit_source.nr_faults, 0);
}
