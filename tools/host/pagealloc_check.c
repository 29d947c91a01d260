// SPDX-License-Identifier: GPL-2.0-only
/*
 * Validator of a page allocator: everything in it, against the pages.
 */
#include "check.h"
#include "pagealloc_check.h"

/* What the tree has, by walking it. */
struct count {
	unsigned long chunks, summaries;
};

static void check_sum(struct gospan_pallocsum have, struct gospan_pallocsum want,
		      unsigned int level, unsigned long base)
{
	if (have.start != want.start || have.max != want.max || have.end != want.end)
		check_fail("level %u, page %#lx: %u %u %u, not %u %u %u", level, base,
			   have.start, have.max, have.end, want.start, want.max, want.end);
}

static void check_chunk(const struct gospan_pallocbits *b, const struct pagemap_chunk *chunk)
{
	unsigned int word, i;

	check(chunk && chunk->bits == b);
	for (word = 0; word < GOSPAN_CHUNK_NWORDS; word++) {
		const u8 *taken = chunk->taken + word * 64;
		u64 want = 0;

		for (i = 0; i < 64; i++)
			want |= (u64)taken[i] << i;
		if (b->taken[word] != want)
			check_fail("chunk %#lx, word %u: %#llx, not %#llx", chunk->idx, word,
				   b->taken[word], want);
	}
}

/* Eight summaries on @level, for the pages from @base on, and all below. */
static void check_summary(const struct gospan_summary *summary, unsigned int level,
			  unsigned long base, const struct pagemap *m, struct count *count)
{
	unsigned int i;

	count->summaries++;
	for (i = 0; i < GOSPAN_SUMMARY_FANOUT; i++, base += level_npages(level)) {
		struct gospan_pallocsum want = {};

		if (summary->below[i])
			want = pagemap_sum(m, base, base + level_npages(level));
		check_sum(summary->sum[i], want, level, base);
		if (!summary->below[i])
			continue;
		if (level) {
			check_summary(summary->below[i], level - 1, base, m, count);
			continue;
		}
		check_chunk(summary->chunk[i], pagemap_chunk(m, base / GOSPAN_CHUNK_NPAGES));
		count->chunks++;
	}
}

/* @m is scanned. */
void pagealloc_check(const struct gospan_pagealloc *p, const struct pagemap *m)
{
	struct count count = {};

	check(!p->root == !p->nr_levels);
	check(p->nr_levels <= GOSPAN_SUMMARY_MAX_LEVELS);
	if (p->root)
		check_summary(p->root, p->nr_levels - 1, 0, m, &count);
	/* Each chunk of the tree is one of @m, so the number tells that all are there. */
	check_equal(count.chunks, m->nr_chunks);
	check_equal(p->nr_chunks, m->nr_chunks);
	check_equal(p->nr_summaries, count.summaries);
	check_equal(p->free_pages, m->free_pages);
	if (m->nr_runs)
		check(p->search_page <= m->run[0].base);
}
