// SPDX-License-Identifier: GPL-2.0-only
/*
 * Central lists: how objects that may be of any find theirs.
 *
 * What a magazine that was filled from another node holds, what waits for other nodes, what
 * an interrupt frees that found the mcache claimed: each object's page says which spanclass
 * and node it is of. Of many those for the same list go there together.
 */
#include "mcentral.h"
#include "report.h"

/* The list that an object is to go to; NULL if it is none, or its span is gone. */
static struct gospan_mcentral *object_central(const void *p)
{
	const struct gospan_chunk *chunk = gospan_arena_chunk_of(&gospan_heap.arenas,
								 (unsigned long)p);
	unsigned int spanclass = gospan_arena_spanclass_of(&gospan_heap.arenas, p);

	if (spanclass == GOSPAN_SPANCLASS_IN_TINY)
		spanclass = GOSPAN_SPANCLASS_TINY;
	if (!gospan_spanclass_is_cut(spanclass))
		return NULL;
	return gospan_mcentral_of(spanclass, chunk->home->node);
}

/* Move the objects for the same list as the first to the front. Returns how many. */
static unsigned int objects_group(struct gospan_mcentral **central, void **objs, unsigned int n)
{
	unsigned int same = 1, i;

	for (i = 1; i < n; i++) {
		if (central[i] != central[0])
			continue;
		swap(central[i], central[same]);
		swap(objs[i], objs[same]);
		same++;
	}
	return same;
}

/* Objects that have the same, or none. */
static void flush_to(struct gospan_mcentral *mc, void **objs, unsigned int n)
{
	if (likely(mc))
		gospan_mcentral_flush(mc, objs, n);
	else
		gospan_report_misuse(GOSPAN_FREE_DOUBLE, objs[0]);
}

/* Up to GOSPAN_MAX_BATCH objects. */
static noinline void flush_home_some(void **objs, unsigned int n)
{
	struct gospan_mcentral *central[GOSPAN_MAX_BATCH];
	unsigned int done, same;

	/* One that was freed twice may have no chunk any more. */
	rcu_read_lock();
	for (done = 0; done < n; done++)
		central[done] = object_central(objs[done]);
	rcu_read_unlock();
	for (done = 0; done < n; done += same) {
		same = objects_group(central + done, objs + done, n - done);
		flush_to(central[done], objs + done, same);
	}
}

/* The same for one: most often an interrupt's, that found the mcache claimed. */
static void flush_home_one(void *p)
{
	struct gospan_mcentral *mc;

	rcu_read_lock();
	mc = object_central(p);
	rcu_read_unlock();
	flush_to(mc, &p, 1);
}

/**
 * gospan_mcentral_flush_home() - give back free objects of any spanclasses and nodes
 * @objs: objects, or blocks; reordered
 * @n: how many
 *
 * Context: Any but NMI. Takes central locks, one after the other, where the
 * transit has no room: of each %GOSPAN_MAX_BATCH objects each lock once. Reports
 * what is no object.
 */
void gospan_mcentral_flush_home(void **objs, unsigned int n)
{
	unsigned int some;

	if (n == 1)
		return flush_home_one(*objs);
	for (; n; n -= some, objs += some) {
		some = min(n, GOSPAN_MAX_BATCH);
		flush_home_some(objs, some);
	}
}
