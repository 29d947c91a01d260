// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named caches: objects of one kind, apart from all others.
 *
 * A cache has a spanclass of its own, one of those that size classes leave, and
 * with it spans, magazines and central lists like any size class: its objects
 * take the same paths, and whoever frees them need not know of the cache. Each
 * CPU's magazine gets its slots while it is in use; all else is set up when the
 * cache is made, and the spanclass is another's when it is destroyed.
 *
 * Where a free object has to stay as it is, since it is constructed or may still
 * be read under RCU, or where it remembers who allocated it, a slot has a word
 * more behind the object. While the object lives it holds where it was allocated,
 * while it is free it is gospan_free_nolock()'s link.
 *
 * Go has caches (sync.Pool) that are emptied by the collector; SLUB's are the model.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/panic.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "bulk.h"
#include "cache.h"
#include "debug.h"
#include "guard_pages.h"
#include "malloc.h"
#include "nolock.h"
#include "origin.h"
#include "rcu.h"
#include "report.h"
#include "stats.h"

/* Live objects that are reported by address. */
#define REPORT_OBJECTS	16

static_assert(GOSPAN_MAX_CACHES == GOSPAN_NR_CACHES);

static bool cache_user;
module_param(cache_user, bool, 0644);
MODULE_PARM_DESC(cache_user, "caches made from now on remember where each object was allocated (default N)");

/* (c) constant  (g) under cache_lock */
struct gospan_cache {
	unsigned int spanclass;		/* (c) of no other cache */
	unsigned int size;		/* (c) */
	unsigned int align;		/* (c) */
	bool tracked;			/* (c) live objects know where they were allocated */
	bool recorded;			/* (c) and more: they have records */
	bool special;			/* (c) either */
	bool of_class;			/* (c) serves a size class that is under debug */
	bool typesafe;			/* (c) */
	bool destroyed;			/* (g) with live objects */
	void (*ctor)(void *obj);	/* (c) */
	const char *name;		/* (c) a copy */
};

static DEFINE_MUTEX(cache_lock);
static struct gospan_cache *caches[GOSPAN_NR_CACHES];	/* (g) by spanclass */

static unsigned int cache_align(unsigned int size, unsigned int align, slab_flags_t flags)
{
	unsigned int line = cache_line_size();

	if (flags & SLAB_HWCACHE_ALIGN) {
		while (size <= line / 2)
			line /= 2;
		align = max(align, line);
	}
	return max_t(unsigned int, align, GOSPAN_MIN_ALIGN);
}

static bool cache_keeps(const struct gospan_cache *cache)
{
	return cache->ctor || cache->typesafe;
}

/* How its slots are; false if there are none as large. */
static bool cache_cut(const struct gospan_cache *cache, struct gospan_cache_layout *l)
{
	size_t bytes = cache->size;

	*l = (struct gospan_cache_layout){
		.object_bytes = cache->size,
		.keep = cache_keeps(cache),
	};
	if (l->keep || cache->tracked) {
		l->word_offset = ALIGN(cache->size, sizeof(u64));
		bytes = l->word_offset + sizeof(u64);
	}
	bytes = ALIGN(bytes, cache->align);
	if (bytes > GOSPAN_MAX_BYTES)
		return false;
	l->span = gospan_layout_cut(bytes, cache->align);
	return true;
}

/* The same with records, which know where it was allocated; false if @letters are NULL, too. */
static bool cache_cut_recorded(struct gospan_cache *cache, struct gospan_cache_layout *l,
			       const unsigned int *letters)
{
	if (!letters)
		return false;
	*l = (struct gospan_cache_layout){
		.object_bytes = cache->size,
		.keep = cache_keeps(cache),
		.letters = *letters,
	};
	if (!gospan_record_cut(l, cache->align))
		return false;
	cache->recorded = true;
	cache->tracked = false;
	return true;
}

/* Have a spanclass serve it. Returns 0 or -ENOMEM. */
static int cache_open(struct gospan_cache *cache, const struct gospan_cache_layout *l)
{
	unsigned int idx;

	lockdep_assert_held(&cache_lock);
	for (idx = 0; idx < GOSPAN_NR_CACHES && caches[idx]; idx++)
		;
	if (idx == GOSPAN_NR_CACHES)
		return -ENOMEM;
	cache->spanclass = GOSPAN_SPANCLASS_CACHE + idx;
	gospan_cache_layouts[idx] = *l;
	if (gospan_mcache_open(cache->spanclass))
		goto err_clear_layout;
	if (gospan_mcentral_open(cache->spanclass, cache->ctor, cache->typesafe))
		goto err_mcache_close;
	caches[idx] = cache;
	return 0;

err_mcache_close:
	gospan_mcache_close(cache->spanclass);
err_clear_layout:
	gospan_cache_layouts[idx] = (struct gospan_cache_layout){};
	return -ENOMEM;
}

/* The opposite; what is live stays where it is, and is ours no more. */
static void cache_close(struct gospan_cache *cache)
{
	lockdep_assert_held(&cache_lock);
	gospan_stats_forget(cache->spanclass);
	caches[cache->spanclass - GOSPAN_SPANCLASS_CACHE] = NULL;
	gospan_mcentral_close(cache->spanclass);
	gospan_mcache_close(cache->spanclass);
	*gospan_spanclass_cache(cache->spanclass) = (struct gospan_cache_layout){};
}

static void cache_free(struct gospan_cache *cache)
{
	kfree(cache->name);
	kfree(cache);
}

/* The letters that a cache is made with; SLAB_STORE_USER alone takes no record. */
static unsigned int cache_letters(const char *name, slab_flags_t flags)
{
	unsigned int letters = 0;

	/* Where the kernel has no slub_debug, some of them are 0. */
	if (flags & SLAB_CONSISTENCY_CHECKS)
		letters |= GOSPAN_DEBUG_CHECKS;
	if (flags & SLAB_RED_ZONE)
		letters |= GOSPAN_DEBUG_RED_ZONE;
	if (flags & SLAB_POISON)
		letters |= GOSPAN_DEBUG_POISON;
	if (letters && flags & SLAB_STORE_USER)
		letters |= GOSPAN_DEBUG_USER;
	letters |= gospan_debug_letters_of(name);
	if (letters & GOSPAN_DEBUG_USER && gospan_origin_init())
		letters &= ~GOSPAN_DEBUG_USER;
	return letters;
}

static struct gospan_cache *cache_make(const char *name, unsigned int size, unsigned int align,
				       slab_flags_t flags, void (*ctor)(void *obj))
{
	struct gospan_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (!cache)
		return NULL;
	cache->size = size;
	cache->align = cache_align(size, align, flags);
	cache->typesafe = flags & SLAB_TYPESAFE_BY_RCU;
	cache->ctor = ctor;
	cache->tracked = (flags & SLAB_STORE_USER || READ_ONCE(cache_user)) &&
			 !gospan_origin_init();
	cache->name = kstrdup(name, GFP_KERNEL);
	if (cache->name)
		return cache;
	kfree(cache);
	return NULL;
}

/* Room for records is made where @letters are not NULL; they may be none yet. */
static struct gospan_cache *cache_create(const char *name, unsigned int size, unsigned int align,
					 slab_flags_t flags, void (*ctor)(void *obj),
					 const unsigned int *letters)
{
	struct gospan_cache_layout l;
	struct gospan_cache *cache;
	int err;

	if (!name || !size || size > GOSPAN_MAX_BYTES || align > GOSPAN_MAX_BYTES ||
	    (align && !is_power_of_2(align)) || flags & (SLAB_CACHE_DMA | SLAB_CACHE_DMA32))
		return NULL;
	cache = cache_make(name, size, align, flags, ctor);
	if (!cache)
		return NULL;
	err = -EINVAL;
	if (cache_cut_recorded(cache, &l, letters) || cache_cut(cache, &l)) {
		cache->special = cache->tracked || cache->recorded;
		mutex_lock(&cache_lock);
		err = cache_open(cache, &l);
		mutex_unlock(&cache_lock);
	}
	if (!err)
		return cache;
	cache_free(cache);
	return NULL;
}

struct gospan_cache *gospan_cache_create(const char *name, unsigned int size, unsigned int align,
					 slab_flags_t flags, void (*ctor)(void *obj))
{
	unsigned int letters = name ? cache_letters(name, flags) : 0;
	struct gospan_cache *cache = cache_create(name, size, align, flags, ctor,
						  letters ? &letters : NULL);

	if (!cache && flags & SLAB_PANIC)
		panic("gospan: no cache %s of %u bytes", name, size);
	return cache;
}
EXPORT_SYMBOL_GPL(gospan_cache_create);

/* For a size class under debug. Task; sleeps. */
struct gospan_cache *gospan_cache_create_recorded(const char *name, unsigned int size,
						  unsigned int align)
{
	static const unsigned int no_letters;
	struct gospan_cache *cache = cache_create(name, size, align, 0, NULL, &no_letters);

	if (cache)
		cache->of_class = true;
	return cache;
}

/* Of a cache whose objects have records: what is done with new ones. */
void gospan_cache_set_letters(const struct gospan_cache *cache, unsigned int letters)
{
	WRITE_ONCE(gospan_spanclass_cache(cache->spanclass)->letters, letters);
}

/* The caches whose objects have records, a line each; not those of size classes. Task; sleeps. */
void gospan_cache_show_letters(struct seq_file *file)
{
	char text[GOSPAN_DEBUG_NR + 1];
	unsigned int idx;

	mutex_lock(&cache_lock);
	for (idx = 0; idx < GOSPAN_NR_CACHES; idx++) {
		if (!caches[idx] || !caches[idx]->recorded || caches[idx]->of_class)
			continue;
		gospan_debug_letters_text(gospan_cache_layouts[idx].letters, text);
		seq_printf(file, "%s,%s\n", text, caches[idx]->name);
	}
	mutex_unlock(&cache_lock);
}

/* By name, or of all that callers made. Returns whether there are any. Task; sleeps. */
bool gospan_cache_set_letters_by_name(const char *name, unsigned int letters)
{
	bool found = false;
	unsigned int idx;

	mutex_lock(&cache_lock);
	for (idx = 0; idx < GOSPAN_NR_CACHES; idx++) {
		if (!caches[idx] || !caches[idx]->recorded || caches[idx]->of_class ||
		    (name && strcmp(caches[idx]->name, name)))
			continue;
		gospan_cache_set_letters(caches[idx], letters);
		found = true;
	}
	mutex_unlock(&cache_lock);
	return found;
}

static unsigned long *object_origin(const struct gospan_cache *cache, void *p)
{
	void *word = p + gospan_spanclass_cache(cache->spanclass)->word_offset;

	return cache->recorded ? &((struct gospan_record *)word)->alloc.origin : word;
}

/* Is a new object to be zeroed? SLUB's rules. */
static bool cache_wants_zeroes(const struct gospan_cache *cache, gfp_t gfp)
{
	if (!cache_keeps(cache))
		return want_init_on_alloc(gfp);
	if (!cache->ctor || !(gfp & __GFP_ZERO))
		return gfp & __GFP_ZERO;
	gospan_report_add();
	pr_err_once("misuse: cache %s has a constructor, its objects are not zeroed\n",
		    cache->name);
	return false;
}

/* What is to be done with a new object that mostly is not. */
static void object_prepare(const struct gospan_cache *cache, void *p, gfp_t gfp,
			   unsigned long caller)
{
	if (cache_wants_zeroes(cache, gfp))
		memset(p, 0, cache->size);
	if (cache->tracked)
		WRITE_ONCE(*object_origin(cache, p), gospan_origin_save(caller, gfp));
}

/*
 * An object with a record, of which @size bytes are asked for. One that something is
 * found about is lost, and another had.
 */
void *gospan_cache_alloc_recorded(const struct gospan_cache *cache, size_t size, gfp_t gfp,
				  int node)
{
	gfp_t how = cache_wants_zeroes(cache, gfp) ? gfp | __GFP_ZERO : gfp & ~__GFP_ZERO;
	void *p;

	do {
		p = gospan_malloc_node(cache->spanclass, gfp & ~__GFP_ZERO, node);
	} while (p && !gospan_debug_take(p, size, how));
	return p;
}

static noinline void *alloc_special(const struct gospan_cache *cache, gfp_t gfp,
				    unsigned long caller)
{
	void *p;

	if (gfp & GOSPAN_GFP_ZONES)
		return NULL;
	if (cache->recorded)
		return gospan_cache_alloc_recorded(cache, cache->size, gfp, NUMA_NO_NODE);
	p = gospan_malloc_spanclass(cache->spanclass, gfp);
	if (p)
		object_prepare(cache, p, gfp, caller);
	return p;
}

/* Does anything but an object come into question? */
static __always_inline bool alloc_is_special(const struct gospan_cache *cache, gfp_t gfp)
{
	return gfp & (__GFP_ZERO | GOSPAN_GFP_ZONES) || cache->special ||
	       static_branch_unlikely(&gospan_malloc_alloc_special);
}

/* Fast path: as gospan_malloc_spanclass(); the cache is read, with one branch more. */
GOSPAN_FETCHED_TOGETHER void *gospan_cache_alloc(struct gospan_cache *cache, gfp_t gfp)
{
	gospan_malloc_see_context(gfp);
	if (unlikely(alloc_is_special(cache, gfp)))
		return alloc_special(cache, gfp, _RET_IP_);
	return gospan_malloc_spanclass(cache->spanclass, gfp);
}
EXPORT_SYMBOL_GPL(gospan_cache_alloc);

void *gospan_cache_alloc_node(struct gospan_cache *cache, gfp_t gfp, int node)
{
	void *p;

	gospan_malloc_see_context(gfp);
	if (gfp & GOSPAN_GFP_ZONES)
		return NULL;
	if (cache->recorded)
		return gospan_cache_alloc_recorded(cache, cache->size, gfp, node);
	p = gospan_malloc_node(cache->spanclass, gfp, node);
	if (p && alloc_is_special(cache, gfp))
		object_prepare(cache, p, gfp, _RET_IP_);
	return p;
}
EXPORT_SYMBOL_GPL(gospan_cache_alloc_node);

/* The spanclass of the page that @p is on; @p need not be ours. */
static unsigned int spanclass_of(const void *p)
{
	unsigned int spanclass;

	gospan_arena_see_newest();
	preempt_disable();
	spanclass = gospan_arena_spanclass_of(&gospan_heap.arenas, p);
	preempt_enable();
	return spanclass;
}

/* It is none of the cache's. What is nobody's, gospan_free() reports. */
static noinline bool other_report(unsigned int spanclass, const void *p)
{
	if (spanclass == GOSPAN_SPANCLASS_NONE && !gospan_guard_pages_have(p))
		return false;
	gospan_report_misuse(GOSPAN_FREE_OTHER, p);
	return true;
}

/* Is it an object of another cache or class? Reported, then. */
static bool object_is_other(const struct gospan_cache *cache, const void *p)
{
	unsigned int spanclass = spanclass_of(p);

	return unlikely(spanclass != cache->spanclass) && other_report(spanclass, p);
}

/* Wiped, nodes are many, the magazine full or claimed, or there is something about @p. */
static noinline void free_special(const struct gospan_cache *cache, const void *p)
{
	if (!object_is_other(cache, p))
		gospan_free(p);
}

/* Fast path: as gospan_free(), and the spanclass is compared with the cache's. */
GOSPAN_FETCHED_TOGETHER void gospan_cache_free(struct gospan_cache *cache, void *p)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	unsigned int key = gospan_arena_key_of(&gospan_heap.arenas, p);
	struct gospan_magazine *m = gospan_mcache_magazine(c, key);

	if (unlikely(gospan_key_spanclass(key) != cache->spanclass || m->top == m->limit ||
		     m->top[-1] == p) ||
	    static_branch_unlikely(&gospan_malloc_free_special)) {
		gospan_mcache_release(slot, c);
		return free_special(cache, p);
	}
	*m->top++ = p;
	gospan_mcache_release(slot, c);
}
EXPORT_SYMBOL_GPL(gospan_cache_free);

size_t gospan_cache_alloc_bulk(struct gospan_cache *cache, gfp_t gfp, size_t n, void **p)
{
	bool special = alloc_is_special(cache, gfp);
	size_t got = 0, i;

	gospan_malloc_see_context(gfp);
	if (likely(!special || !(gfp & GOSPAN_GFP_ZONES || cache->recorded)))
		got = gospan_bulk_alloc(cache->spanclass, gfp & ~__GFP_ZERO, n, p);
	if (unlikely(special))
		for (i = 0; i < got; i++)
			object_prepare(cache, p[i], gfp, _RET_IP_);
	for (; unlikely(got < n); got++) {
		p[got] = gospan_cache_alloc(cache, gfp);
		if (p[got])
			continue;
		gospan_free_bulk(got, p);
		return 0;
	}
	return n;
}
EXPORT_SYMBOL_GPL(gospan_cache_alloc_bulk);

void gospan_cache_free_bulk(struct gospan_cache *cache, size_t n, void **p)
{
	size_t i;

	for (i = 0; cache && i < n; i++)
		if (object_is_other(cache, p[i]))
			p[i] = NULL;
	gospan_free_bulk(n, p);
}
EXPORT_SYMBOL_GPL(gospan_cache_free_bulk);

static void centrals_drain(unsigned int spanclass)
{
	int node;

	for_each_node(node)
		gospan_mcentral_drain(gospan_mcentral_of(spanclass, node));
}

/* Objects that are taken from their spans, and spans; exact when nothing happens. */
static unsigned long centrals_count(unsigned int spanclass, unsigned long *nr_spans)
{
	unsigned long taken = 0;
	int node;

	*nr_spans = 0;
	for_each_node(node) {
		taken += atomic_long_read(&gospan_mcentral_of(spanclass, node)->nr_taken);
		*nr_spans += atomic_long_read(&gospan_mcentral_of(spanclass, node)->nr_spans);
	}
	return taken;
}

int gospan_cache_shrink(struct gospan_cache *cache)
{
	unsigned long nr_spans;

	might_sleep();
	gospan_mcache_drain(cache->spanclass);
	centrals_drain(cache->spanclass);
	centrals_count(cache->spanclass, &nr_spans);
	return nr_spans ? 1 : 0;
}
EXPORT_SYMBOL_GPL(gospan_cache_shrink);

unsigned int gospan_cache_size(const struct gospan_cache *cache)
{
	return cache->size;
}
EXPORT_SYMBOL_GPL(gospan_cache_size);

/* All free objects to their spans. Nobody allocates or frees any more. */
static void cache_flush(const struct gospan_cache *cache)
{
	if (cache->recorded) {
		gospan_debug_find_lost(cache->spanclass);
		gospan_debug_flush();
	}
	while (!gospan_mcache_drain(cache->spanclass))
		schedule_timeout_uninterruptible(1);
	centrals_drain(cache->spanclass);
}

/* The same. Returns how many objects are live. */
static unsigned long cache_drain(const struct gospan_cache *cache)
{
	unsigned long nr_spans;

	gospan_nolock_sync();
	/* It may be just about to free the last. */
	if (gospan_rcu_waiting().objects)
		gospan_rcu_barrier();
	cache_flush(cache);
	/*
	 * Somebody else may be draining the central lists, with objects in hand; or none
	 * any more, but the slot that they were in.
	 */
	synchronize_rcu_expedited();
	cache_flush(cache);
	return centrals_count(cache->spanclass, &nr_spans);
}

static void report_objects(const struct gospan_cache *cache)
{
	void *objs[REPORT_OBJECTS];
	unsigned int i, nr = 0;
	int node;

	for_each_node(node)
		nr += gospan_mcentral_taken(gospan_mcentral_of(cache->spanclass, node), objs + nr,
					    REPORT_OBJECTS - nr);
	for (i = 0; i < nr; i++) {
		pr_err("  object %px%s\n", objs[i], cache->special ? ", allocated in" : "");
		/* It may just be freed: then it is told wrong. */
		if (cache->special)
			gospan_origin_print(READ_ONCE(*object_origin(cache, objs[i])));
	}
}

static void report_live(const struct gospan_cache *cache, unsigned long live, const char *when)
{
	gospan_report_add();
	pr_err("cache %s: %lu objects of %u bytes still live at %s: leaked%s\n", cache->name, live,
	       cache->size, when,
	       cache->tracked ? "" : "; with cache_user=Y it is told where they were allocated");
	report_objects(cache);
}

void gospan_cache_destroy(struct gospan_cache *cache)
{
	unsigned long live;

	if (!cache)
		return;
	might_sleep();
	live = cache_drain(cache);
	if (cache->typesafe)
		rcu_barrier();
	mutex_lock(&cache_lock);
	if (live)
		cache->destroyed = true;
	else
		cache_close(cache);
	mutex_unlock(&cache_lock);
	if (!live)
		return cache_free(cache);
	report_live(cache, live, "destruction");
	dump_stack();
}
EXPORT_SYMBOL_GPL(gospan_cache_destroy);

static void cache_read_stats(const struct gospan_cache *cache, struct gospan_cachestats *st)
{
	const struct gospan_cache_layout *l = gospan_spanclass_cache(cache->spanclass);
	struct gospan_memstats_class row;

	lockdep_assert_held(&cache_lock);
	gospan_stats_read_spanclass(cache->spanclass, &row);
	*st = (struct gospan_cachestats){
		.index = cache->spanclass - GOSPAN_SPANCLASS_CACHE,
		.flags = (cache->destroyed ? GOSPAN_CACHE_DESTROYED : 0) |
			 (cache->ctor ? GOSPAN_CACHE_CTOR : 0) |
			 (cache->typesafe ? GOSPAN_CACHE_TYPESAFE : 0) |
			 (cache->tracked ? GOSPAN_CACHE_USER : 0) |
			 (cache->recorded ? GOSPAN_CACHE_RECORDED : 0),
		.size = cache->size,
		.align = cache->align,
		.slot_bytes = l->span.elem_bytes,
		.npages = l->span.npages,
		.nelems = l->span.nelems,
		.mallocs = row.mallocs,
		.frees = row.frees,
		.spans = row.spans,
		.cached = row.cached,
		.transit = row.transit,
	};
	strscpy(st->name, cache->name, sizeof(st->name));
}

/* The first cache from st->index on. Task; may sleep. Returns 0, or -ENOENT if there is none. */
int gospan_cache_read_stats(struct gospan_cachestats *st)
{
	unsigned int idx;
	int err = -ENOENT;

	if (st->index >= GOSPAN_NR_CACHES)
		return err;
	mutex_lock(&cache_lock);
	for (idx = array_index_nospec(st->index, GOSPAN_NR_CACHES);
	     idx < GOSPAN_NR_CACHES && err; idx++) {
		if (!caches[idx])
			continue;
		cache_read_stats(caches[idx], st);
		err = 0;
	}
	mutex_unlock(&cache_lock);
	return err;
}

/* At unload, with all magazines and central stacks empty: report and forget what there is. */
void gospan_cache_exit(void)
{
	unsigned long live, nr_spans;
	unsigned int idx;

	mutex_lock(&cache_lock);
	for (idx = 0; idx < GOSPAN_NR_CACHES; idx++) {
		struct gospan_cache *cache = caches[idx];

		if (!cache)
			continue;
		live = centrals_count(cache->spanclass, &nr_spans);
		if (live)
			report_live(cache, live, "unload");
		cache_close(cache);
		cache_free(cache);
	}
	mutex_unlock(&cache_lock);
	/* For the pages of typesafe spans. */
	rcu_barrier();
}
