// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug: objects with records that somebody has, by who allocated them, and those that
 * nobody has any more.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "debug.h"
#include "mcentral.h"
#include "origin.h"

/* Objects that are found at once. */
#define NR_LOST		32U
/* Call sites that are told apart; a power of two. */
#define NR_SITES	4096U
/* Of them told at unload. */
#define MAX_LEAKS	32U

/* All slots of a span that is still one. */
static void span_visit(struct gospan_span *s, unsigned int spanclass, gospan_debug_visit visit,
		       void *data)
{
	struct gospan_mcentral *mc = gospan_mcentral_of(spanclass, s->node);
	void *p;
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&mc->lock, flags);
	if (gospan_arena_has_span(&gospan_heap.arenas, s, (void *)READ_ONCE(s->base)) &&
	    s->spanclass == mc->spanclass && s->node == mc->node)
		for (i = 0, p = (void *)s->base; i < s->nelems; i++, p += s->elem_bytes)
			visit(s, p, gospan_record_of(s, p), data);
	raw_spin_unlock_irqrestore(&mc->lock, flags);
}

/* A large object that is still one: it is retracted under its home's lock. */
static void large_visit(struct gospan_span *s, gospan_debug_visit visit, void *data)
{
	void *p = (void *)READ_ONCE(s->base);
	struct gospan_node_heap *home = gospan_arena_chunk_of(&gospan_heap.arenas,
							      (unsigned long)p)->home;
	struct gospan_record *r = NULL;
	unsigned long flags;

	if (!home)
		return;
	raw_spin_lock_irqsave(&home->lock, flags);
	if (gospan_arena_has_span(&gospan_heap.arenas, s, p) && s->base == (unsigned long)p &&
	    s->spanclass == GOSPAN_SPANCLASS_LARGE)
		r = gospan_record_of(s, p);
	if (r)
		visit(s, p, r, data);
	raw_spin_unlock_irqrestore(&home->lock, flags);
}

/**
 * gospan_debug_for_each() - look at all objects with records, free ones too
 * @spanclass: of named caches' only those of this one, and no large ones; or
 *	%GOSPAN_SPANCLASS_NONE: all
 * @visit: called under the central list's lock, in an RCU read-side section
 * @data: for it
 *
 * Others go on meanwhile. Walks the whole heap.
 *
 * Context: Task; sleeps.
 */
void gospan_debug_for_each(unsigned int spanclass, gospan_debug_visit visit, void *data)
{
	unsigned long page = 0;
	struct gospan_span *s;
	unsigned int its;

	do {
		rcu_read_lock();
		s = gospan_arena_next_span(&gospan_heap.arenas, &page);
		its = s ? READ_ONCE(s->spanclass) : GOSPAN_SPANCLASS_NONE;
		if (s && (!spanclass || its == spanclass)) {
			if (gospan_spanclass_is_recorded(its))
				span_visit(s, its, visit, data);
			else if (its == GOSPAN_SPANCLASS_LARGE)
				large_visit(s, visit, data);
		}
		rcu_read_unlock();
		cond_resched();
	} while (s);
}

struct lost {
	void *p[NR_LOST];
	unsigned int nr;
};

static void lost_visit(struct gospan_span *s, void *p, struct gospan_record *r, void *data)
{
	struct lost *lost = data;

	if (lost->nr == NR_LOST || !gospan_record_is_lost(r))
		return;
	gospan_record_find(r);
	lost->p[lost->nr++] = p;
}

/* Give back objects that were lost; @spanclass as above. Task; sleeps. Returns how many. */
unsigned long gospan_debug_find_lost(unsigned int spanclass)
{
	struct lost lost;
	unsigned long nr = 0;
	unsigned int i;

	do {
		lost.nr = 0;
		gospan_debug_for_each(spanclass, lost_visit, &lost);
		for (i = 0; i < lost.nr; i++)
			if (gospan_mheap_free_large(&gospan_heap, lost.p[i]) != GOSPAN_FREE_OK)
				gospan_mcentral_flush_home(&lost.p[i], 1);
		nr += lost.nr;
	} while (lost.nr == NR_LOST);
	return nr;
}

/* What one caller has. */
struct site {
	unsigned long origin;
	unsigned long objects;
	size_t bytes;
	u64 oldest_ns;
};

struct sites {
	unsigned int nr;
	unsigned long missed;	/* objects of sites that there was no room for */
	struct site site[NR_SITES];
};

/* The place of @origin among the sites; NULL: there is no room. */
static struct site *site_of(struct sites *sites, unsigned long origin)
{
	unsigned int i = hash_long(origin, ilog2(NR_SITES));

	while (sites->site[i].objects && sites->site[i].origin != origin)
		i = (i + 1) % NR_SITES;
	if (sites->site[i].objects)
		return &sites->site[i];
	/* One stays free: it ends the search. */
	if (sites->nr == NR_SITES - 1)
		return NULL;
	sites->nr++;
	sites->site[i].origin = origin;
	sites->site[i].oldest_ns = U64_MAX;
	return &sites->site[i];
}

static void live_visit(struct gospan_span *s, void *p, struct gospan_record *r, void *data)
{
	struct sites *sites = data;
	struct site *site;

	if (!gospan_record_is_live(r))
		return;
	/* It may just change hands. */
	site = site_of(sites, data_race(r->alloc.origin));
	if (!site) {
		sites->missed++;
		return;
	}
	site->objects++;
	/* The same. */
	site->bytes += data_race(r->asked);
	/* The same. */
	site->oldest_ns = min(site->oldest_ns, data_race(r->alloc.ns));
}

static int site_compare(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	return x->bytes < y->bytes ? 1 : -(x->bytes > y->bytes);
}

/* Live objects with records by who allocated them, most bytes first; NULL: no memory. */
static struct sites *sites_gather(void)
{
	struct sites *sites = kvzalloc(sizeof(*sites), GFP_KERNEL);

	if (!sites)
		return NULL;
	gospan_debug_for_each(GOSPAN_SPANCLASS_NONE, live_visit, sites);
	sort(sites->site, NR_SITES, sizeof(*sites->site), site_compare, NULL);
	return sites;
}

/* Them into a file. Task; sleeps. Returns 0 or -ENOMEM. */
int gospan_debug_show_live(struct seq_file *file)
{
	struct sites *sites = sites_gather();
	const struct site *site;

	if (!sites)
		return -ENOMEM;
	for (site = sites->site; site->objects; site++) {
		seq_printf(file, "%zu bytes in %lu objects, the oldest of %llu s\n", site->bytes,
			   site->objects, div_u64(local_clock() - site->oldest_ns, NSEC_PER_SEC));
		gospan_origin_show(file, site->origin);
	}
	if (sites->missed)
		seq_printf(file, "and %lu objects of others\n", sites->missed);
	kvfree(sites);
	return 0;
}

/* Them into the log, for who unloads us: nobody allocates any more. Task; sleeps. */
void gospan_debug_report_leaks(void)
{
	struct sites *sites = sites_gather();
	unsigned int i;

	for (i = 0; sites && i < MAX_LEAKS && sites->site[i].objects; i++) {
		pr_err("leaked: %zu bytes in %lu objects%s\n", sites->site[i].bytes,
		       sites->site[i].objects, sites->site[i].origin ? ", allocated in" : "");
		gospan_origin_print(sites->site[i].origin);
	}
	kvfree(sites);
}
