// SPDX-License-Identifier: GPL-2.0-only
/*
 * A chunk's bits, against one byte a page.
 */
#include <string.h>
#include "../../src/pallocbits.h"
#include "check.h"
#include "input.h"

#define NPAGES	GOSPAN_CHUNK_NPAGES

/* What is true of the chunk; @bits is to say the same. */
struct oracle {
	bool taken[NPAGES];
	unsigned long base;
};

static bool oracle_all_free(const struct oracle *o, unsigned int page_idx, unsigned int npages)
{
	while (npages--)
		if (page_idx >= NPAGES || o->taken[page_idx++])
			return false;
	return true;
}

static unsigned long oracle_find(const struct oracle *o, unsigned int npages,
				 unsigned int align_npages)
{
	unsigned int i;

	for (i = 0; npages <= NPAGES && i <= NPAGES - npages; i++)
		if ((o->base + i) % align_npages == 0 && oracle_all_free(o, i, npages))
			return o->base + i;
	return GOSPAN_NO_PAGE;
}

static void check_summary(const struct gospan_pallocbits *b, const struct oracle *o)
{
	struct gospan_pallocsum sum = gospan_pallocbits_summarize(b);
	unsigned int start = 0, max = 0, run = 0, i;

	for (i = 0; i < NPAGES; i++) {
		run = o->taken[i] ? 0 : run + 1;
		if (run == i + 1)
			start = run;
		if (run > max)
			max = run;
	}
	check_equal(sum.start, start);
	check_equal(sum.max, max);
	check_equal(sum.end, run);
}

static void check_bits(const struct gospan_pallocbits *b, const struct oracle *o)
{
	unsigned int i;

	for (i = 0; i < NPAGES; i++)
		check_equal(gospan_pallocbits_is_taken(b, i), o->taken[i]);
	check_summary(b, o);
}

static void check_word_runs(u64 word, unsigned int n)
{
	u64 starts = gospan_word_runs(word, n), want = 0;
	unsigned int i, k;

	for (i = 0; i + n <= 64; i++) {
		for (k = 0; k < n && word >> (i + k) & 1; k++)
			;
		want |= (u64)(k == n) << i;
	}
	check_equal(starts, want);
}

/* Near the border of a word, as often as not. */
static unsigned int pick_page_idx(struct input *in)
{
	unsigned int near = input_byte(in);

	if (near & 1)
		return input_below(in, NPAGES);
	return (64 * (near >> 5) + (near >> 1 & 15) + NPAGES - 8) % NPAGES;
}

static unsigned int pick_npages(struct input *in, unsigned int limit)
{
	unsigned int kind = input_byte(in), n;

	if (kind < 100)
		n = kind % 10;
	else if (kind < 200)
		n = 60 + kind % 10;
	else
		n = input_below(in, NPAGES + 16);
	return n < limit ? n : limit;
}

static void step_find(const struct gospan_pallocbits *b, const struct oracle *o, struct input *in)
{
	unsigned int npages = pick_npages(in, NPAGES + 16) ?: 1;
	unsigned int align_npages = 1U << input_below(in, 13);

	check_equal(gospan_pallocbits_find(b, o->base, npages, align_npages),
		    oracle_find(o, npages, align_npages));
}

/* A chunk where the taken pages come at a density that the input says. */
static void fill(struct gospan_pallocbits *b, struct oracle *o, struct input *in)
{
	unsigned int density = input_byte(in), i;

	/* A chunk of any number that an address has. */
	o->base = (input_word(in, 6) & ((1UL << 42) - 1)) * NPAGES;
	for (i = 0; i < GOSPAN_CHUNK_NWORDS; i++) {
		b->taken[i] = density & 1 ? ~0ULL : 0;
		if (density & 2)
			b->taken[i] ^= input_word(in, 8);
		if (density & 4)
			b->taken[i] &= input_word(in, 8);
		if (density & 8)
			b->taken[i] |= input_word(in, 8);
	}
	for (i = 0; i < NPAGES; i++)
		o->taken[i] = b->taken[i / 64] >> (i % 64) & 1;
}

static void step(struct gospan_pallocbits *b, struct oracle *o, struct input *in)
{
	unsigned int op = input_below(in, 8), page_idx, npages;

	page_idx = pick_page_idx(in);
	npages = pick_npages(in, NPAGES - page_idx);
	switch (op) {
	case 0:
	case 1:
		gospan_pallocbits_take(b, page_idx, npages);
		memset(o->taken + page_idx, true, npages);
		break;
	case 2:
	case 3:
		gospan_pallocbits_free(b, page_idx, npages);
		memset(o->taken + page_idx, false, npages);
		break;
	case 4:
		check_equal(gospan_pallocbits_all_free(b, page_idx, npages),
			    oracle_all_free(o, page_idx, npages));
		break;
	case 5:
		check_word_runs(b->taken[page_idx / 64], npages % 64 + 1);
		check_word_runs(~b->taken[page_idx / 64], npages % 64 + 1);
		break;
	default:
		step_find(b, o, in);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, data + size };
	struct gospan_pallocbits b;
	struct oracle o;

	fill(&b, &o, &in);
	check_bits(&b, &o);
	while (in.next < in.limit) {
		step(&b, &o, &in);
		check_bits(&b, &o);
	}
	return 0;
}
