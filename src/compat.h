/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the supported kernels (6.1 to 7.3) do not all have, under the names of
 * the newest. The only file that may ask for the kernel's version.
 */
#ifndef _GOSPAN_COMPAT_H
#define _GOSPAN_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/mmzone.h>
#include <linux/rcupdate.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/* 6.8 renamed MAX_ORDER, which 6.4 had turned from a count into a maximum. */
#ifndef MAX_PAGE_ORDER
#if KERNEL_VERSION(6, 4, 0) > LINUX_VERSION_CODE
#define MAX_PAGE_ORDER	(MAX_ORDER - 1)
#else
#define MAX_PAGE_ORDER	MAX_ORDER
#endif
#endif

/* 6.5 added it; before, a benchmark's cache may share slabs with others. */
#ifndef SLAB_NO_MERGE
#define SLAB_NO_MERGE	0
#endif

/* 6.2 let call_rcu() take its time on machines configured to save power. */
#if KERNEL_VERSION(6, 2, 0) > LINUX_VERSION_CODE
#define call_rcu_hurry	call_rcu
#endif

/*
 * Wait until kfree_rcu() has freed what it was given, where a module may: 6.12 added the
 * call, 7.3 exports it no longer, and so from 7.0 on it is not relied on. Others wait for what
 * call_rcu() was given, which is most.
 */
#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE && KERNEL_VERSION(7, 0, 0) > LINUX_VERSION_CODE
static inline void gospan_kfree_rcu_barrier(void)
{
	kvfree_rcu_barrier();
}
#else
static inline void gospan_kfree_rcu_barrier(void)
{
	rcu_barrier();
}
#endif

/* 6.18 renamed it. */
#if KERNEL_VERSION(6, 18, 0) > LINUX_VERSION_CODE
#define system_dfl_wq	system_unbound_wq
#endif

/* 6.13 made one call of the two, for tests. */
#if KERNEL_VERSION(6, 13, 0) > LINUX_VERSION_CODE
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/*
 * A shrinker for each node, or NULL when memory ran out. No seeks: what it has
 * cost no reading to get, so the kernel asks for half of it each time, rather
 * than for a little after much of its page cache. 6.7 made shrinkers dynamically
 * allocated.
 */
#if KERNEL_VERSION(6, 7, 0) > LINUX_VERSION_CODE

static inline struct shrinker *
gospan_shrinker_create(unsigned long (*count)(struct shrinker *, struct shrink_control *),
		       unsigned long (*scan)(struct shrinker *, struct shrink_control *))
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = 0;
	shrinker->flags = SHRINKER_NUMA_AWARE;
	if (!register_shrinker(shrinker, "gospan"))
		return shrinker;
	kfree(shrinker);
	return NULL;
}

static inline void gospan_shrinker_destroy(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}

#else

static inline struct shrinker *
gospan_shrinker_create(unsigned long (*count)(struct shrinker *, struct shrink_control *),
		       unsigned long (*scan)(struct shrinker *, struct shrink_control *))
{
	struct shrinker *shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, "gospan");

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = 0;
	shrinker_register(shrinker);
	return shrinker;
}

static inline void gospan_shrinker_destroy(struct shrinker *shrinker)
{
	shrinker_free(shrinker);
}

#endif

#endif /* _GOSPAN_COMPAT_H */
