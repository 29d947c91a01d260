// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is true of the pages: one byte each, nothing clever.
 */
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "pagemap.h"

/* How many chunks have lower numbers. */
static unsigned int chunks_below(const struct pagemap *m, unsigned long idx)
{
	unsigned int low = 0, high = m->nr_chunks;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (m->chunk[middle]->idx < idx)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The chunk of this number, or NULL. */
struct pagemap_chunk *pagemap_chunk(const struct pagemap *m, unsigned long idx)
{
	unsigned int i = chunks_below(m, idx);

	return i < m->nr_chunks && m->chunk[i]->idx == idx ? m->chunk[i] : NULL;
}

/* Add a chunk, all taken. */
void pagemap_insert(struct pagemap *m, unsigned long idx, struct gospan_pallocbits *bits)
{
	struct pagemap_chunk **slot = m->chunk + chunks_below(m, idx);
	struct pagemap_chunk *chunk = malloc(sizeof(*chunk));

	check(chunk && m->nr_chunks < PAGEMAP_MAX_CHUNKS);
	chunk->idx = idx;
	chunk->bits = bits;
	memset(chunk->taken, 1, sizeof(chunk->taken));
	memmove(slot + 1, slot, (m->chunk + m->nr_chunks - slot) * sizeof(*slot));
	*slot = chunk;
	m->nr_chunks++;
}

void pagemap_remove(struct pagemap *m, unsigned long idx)
{
	struct pagemap_chunk **slot = m->chunk + chunks_below(m, idx);

	free(*slot);
	m->nr_chunks--;
	memmove(slot, slot + 1, (m->chunk + m->nr_chunks - slot) * sizeof(*slot));
}

/* Is the page there, and taken or free as asked? */
bool pagemap_is(const struct pagemap *m, unsigned long page, bool taken)
{
	const struct pagemap_chunk *chunk = pagemap_chunk(m, page / GOSPAN_CHUNK_NPAGES);

	return chunk && chunk->taken[page % GOSPAN_CHUNK_NPAGES] == taken;
}

/* Pages that are there and the other way before. */
void pagemap_set(struct pagemap *m, unsigned long page, unsigned int npages, bool taken)
{
	for (; npages--; page++) {
		struct pagemap_chunk *chunk = pagemap_chunk(m, page / GOSPAN_CHUNK_NPAGES);

		check(pagemap_is(m, page, !taken));
		chunk->taken[page % GOSPAN_CHUNK_NPAGES] = taken;
	}
}

static void run_add(struct pagemap *m, unsigned long base, unsigned long limit)
{
	m->free_pages += limit - base;
	if (m->nr_runs && m->run[m->nr_runs - 1].limit == base)
		m->run[m->nr_runs - 1].limit = limit;
	else
		m->run[m->nr_runs++] = (struct pagemap_run){ base, limit };
}

/* Find the free runs anew. */
void pagemap_scan(struct pagemap *m)
{
	unsigned int i;

	m->nr_runs = 0;
	m->free_pages = 0;
	for (i = 0; i < m->nr_chunks; i++) {
		const u8 *taken = m->chunk[i]->taken, *limit = taken + GOSPAN_CHUNK_NPAGES;
		unsigned long base = m->chunk[i]->idx * GOSPAN_CHUNK_NPAGES;
		const u8 *from, *to;

		for (from = taken; (from = memchr(from, 0, limit - from)); from = to) {
			to = memchr(from, 1, limit - from) ?: limit;
			run_add(m, base + (from - taken), base + (to - taken));
		}
	}
}

/* The lowest aligned run, or GOSPAN_NO_PAGE. */
unsigned long pagemap_find(const struct pagemap *m, unsigned int npages,
			   unsigned int align_npages)
{
	unsigned int i;

	for (i = 0; i < m->nr_runs; i++) {
		unsigned long page = m->run[i].base;

		if (page % align_npages)
			page += align_npages - page % align_npages;
		if (page + npages <= m->run[i].limit)
			return page;
	}
	return GOSPAN_NO_PAGE;
}

/* The free runs of the pages [base, limit), capped as in a summary. */
struct gospan_pallocsum pagemap_sum(const struct pagemap *m, unsigned long base,
				    unsigned long limit)
{
	unsigned long start = 0, max = 0, end = 0;
	unsigned int low = 0, high = m->nr_runs;

	/* The first run that reaches in. */
	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (m->run[middle].limit <= base)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < m->nr_runs && m->run[low].base < limit; low++) {
		unsigned long from = m->run[low].base < base ? base : m->run[low].base;
		unsigned long to = m->run[low].limit > limit ? limit : m->run[low].limit;

		if (from == base)
			start = to - from;
		if (to == limit)
			end = to - from;
		if (to - from > max)
			max = to - from;
	}
	return (struct gospan_pallocsum){
		.start = start < GOSPAN_SUM_MAX ? start : GOSPAN_SUM_MAX,
		.max = max < GOSPAN_SUM_MAX ? max : GOSPAN_SUM_MAX,
		.end = end < GOSPAN_SUM_MAX ? end : GOSPAN_SUM_MAX,
	};
}
