// SPDX-License-Identifier: GPL-2.0-only
/*
 * Built under the shim: calls what <linux/slab.h> has, and <linux/string.h> beside
 * it, by the kernel's names. What comes out must be gospan's, of the size and the
 * contents that the kernel's would have; what is the kernel's must go back to it.
 *
 * Loading fails if anything is otherwise, if an object is left, or if gospan saw
 * a pointer that is not its own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/delayed_call.h>
#include <linux/fs.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "shim_kernel.h"

#define NR_BULK		100
#define OBJECT_BYTES	104
#define LARGE_BYTES	(6 * 1024 * 1024)

struct object {
	char text[OBJECT_BYTES - sizeof(struct rcu_head)];
	struct rcu_head rcu;
};

static unsigned int nr_checks, nr_failed;
static struct gospan_memstats stats;

#define check(condition)						\
do {									\
	nr_checks++;							\
	if (!(condition)) {						\
		nr_failed++;						\
		pr_err("line %d: not %s\n", __LINE__, #condition);	\
	}								\
} while (0)

static bool is_ours(const void *p, size_t bytes)
{
	return p && gospan_owns(p) && ksize(p) >= bytes && IS_ALIGNED((unsigned long)p, 8);
}

static bool is_zero(const void *p, size_t bytes)
{
	return is_ours(p, bytes) && !memchr_inv(p, 0, bytes);
}

static bool is_text(const char *p, const char *text)
{
	return is_ours(p, strlen(text) + 1) && !strcmp(p, text);
}

/* For what is to be found zeroed, or not, when it is allocated again. */
static void dirty_free(void *p)
{
	if (p)
		memset(p, 'x', ksize(p));
	kfree(p);
}

#define check_ours(p, bytes)			\
do {						\
	void *__p = (p);			\
						\
	check(is_ours(__p, bytes));		\
	dirty_free(__p);			\
} while (0)

#define check_zero(p, bytes)			\
do {						\
	void *__p = (p);			\
						\
	check(is_zero(__p, bytes));		\
	dirty_free(__p);			\
} while (0)

#define check_text(p, text)			\
do {						\
	char *__p = (char *)(p);		\
						\
	check(is_text(__p, text));		\
	dirty_free(__p);			\
} while (0)

static void call_alloc(void)
{
	int node = numa_mem_id();
	size_t n = 5;

	check_ours(kmalloc(100, GFP_KERNEL), 100);
	check_ours(kmalloc(n * 1000, GFP_ATOMIC), 5000);
	check_zero(kzalloc(100, GFP_KERNEL), 100);
	check_ours(kmalloc_node(100, GFP_KERNEL, node), 100);
	check_zero(kzalloc_node(100, GFP_KERNEL, NUMA_NO_NODE), 100);
	check_ours(kmalloc_array(n, 100, GFP_KERNEL), 500);
	check_zero(kcalloc(n, 100, GFP_KERNEL), 500);
	check_ours(kmalloc_array_node(n, 100, GFP_KERNEL, node), 500);
	check_zero(kcalloc_node(n, 100, GFP_KERNEL, node), 500);
	check_ours(kmalloc_track_caller(100, GFP_KERNEL), 100);
	check_ours(kmalloc_node_track_caller(100, GFP_KERNEL, node), 100);
	check(kmalloc(0, GFP_KERNEL) == ZERO_SIZE_PTR);
	check(!kmalloc_array(SIZE_MAX / 2, n, GFP_KERNEL));
	check(!kcalloc_node(SIZE_MAX / 2, n, GFP_KERNEL, node));
	check(kmalloc_size_roundup(100) == 112);
}

static void call_realloc(void)
{
	char *small = krealloc(NULL, 10, GFP_KERNEL), *large;

	check(is_ours(small, 10));
	strscpy(small, "contents", 10);
	large = krealloc(small, 2000, GFP_KERNEL);
	check(is_text(large, "contents"));
	small = krealloc_array(large, 50, 100, GFP_KERNEL);
	check(is_ours(small, 5000) && is_text(small, "contents"));
	check(!krealloc_array(small, SIZE_MAX / 2, 5, GFP_KERNEL));
	check(krealloc(small, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	kfree_sensitive(kmalloc(100, GFP_KERNEL));
	kfree_const(kmalloc(100, GFP_KERNEL));
}

#define check_kv(p, bytes)						\
do {									\
	void *__p = (p);						\
									\
	check(__p && (is_vmalloc_addr(__p) || is_ours(__p, bytes)));	\
	kvfree(__p);							\
} while (0)

static void call_kvalloc(void)
{
	size_t n = 5;
	char *p;

	check_ours(kvmalloc(100, GFP_KERNEL), 100);
	check_zero(kvzalloc(100, GFP_KERNEL), 100);
	check_ours(kvmalloc_node(100, GFP_KERNEL, numa_mem_id()), 100);
	check_zero(kvzalloc_node(100, GFP_KERNEL, NUMA_NO_NODE), 100);
	check_ours(kvmalloc_array(n, 100, GFP_KERNEL), 500);
	check_zero(kvcalloc(n, 100, GFP_KERNEL), 500);
	check_kv(kvmalloc(KERNEL_ARRAY_BYTES, GFP_KERNEL), KERNEL_ARRAY_BYTES);
	check_kv(kvmalloc_node(KERNEL_ARRAY_BYTES, GFP_KERNEL, numa_mem_id()), KERNEL_ARRAY_BYTES);
	check(!kvmalloc_array(SIZE_MAX / 2, n, GFP_KERNEL));
	/* More than gospan has in a row. */
	p = kvmalloc(LARGE_BYTES, GFP_KERNEL);
	check(p && is_vmalloc_addr(p));
	kvfree(p);
	p = kvmalloc(100, GFP_KERNEL);
	check(is_ours(p, 100));
	kvfree_sensitive(p, 100);
}

/* 6.12 left out the old size, when it also changed what makes a cache. */
#ifdef __kmem_cache_create_args
#define realloc_kv(p, old_size, size)	((void)(old_size), kvrealloc(p, size, GFP_KERNEL))
#else
#define realloc_kv(p, old_size, size)	kvrealloc(p, old_size, size, GFP_KERNEL)
#endif

/* Through an object of gospan, a larger one, vmalloc memory, and to nothing. */
static void call_kvrealloc(void)
{
	static const size_t sizes[] = { 10, 1000, 5000, LARGE_BYTES, LARGE_BYTES + PAGE_SIZE };
	size_t old_size = 0;
	char *p = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = realloc_kv(p, old_size, sizes[i]);
		check(p && (is_vmalloc_addr(p) ? i >= 3 : is_ours(p, sizes[i])));
		if (!p)
			return;
		if (i == 0)
			strscpy(p, "contents", 10);
		check(!strcmp(p, "contents"));
		old_size = sizes[i];
	}
	kvfree(p);
}

static __printf(1, 2) char *format(const char *fmt, ...)
{
	va_list args;
	char *p;

	va_start(args, fmt);
	p = kvasprintf(GFP_KERNEL, fmt, args);
	va_end(args);
	return p;
}

static void call_copies(void)
{
	static const char text[] = "0123456789";

	check_text(kmemdup(text, sizeof(text), GFP_KERNEL), text);
	check_text(kmemdup_nul(text, 4, GFP_KERNEL), "0123");
	check_text(kmemdup_array(text, sizeof(text), 1, GFP_KERNEL), text);
	check_text(kvmemdup(text, sizeof(text), GFP_KERNEL), text);
	check_text(kstrdup(text, GFP_KERNEL), text);
	check_text(kstrndup(text, 3, GFP_KERNEL), "012");
	check_text(kasprintf(GFP_KERNEL, "%d %s", 7, text), "7 0123456789");
	check_text(format("%s %d", text, 7), "0123456789 7");
}

/* Objects of gospan and of the kernel in turn. */
static unsigned int alloc_mixed(void **p, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		p[i] = i % 2 ? kernel_alloc() : kmalloc(1 + 37 * i, GFP_KERNEL);
		check(p[i] && gospan_owns(p[i]) == !(i % 2));
	}
	return n;
}

static void call_bulk(void)
{
	void *p[NR_BULK];

	kfree_bulk(alloc_mixed(p, NR_BULK), p);
	kmem_cache_free_bulk(NULL, alloc_mixed(p, NR_BULK), p);
}

static void call_rcu_frees(void)
{
	struct object *obj = kmalloc(sizeof(*obj), GFP_KERNEL);

	check(is_ours(obj, sizeof(*obj)));
	kfree_rcu(obj, rcu);
	obj = kvmalloc(sizeof(*obj), GFP_KERNEL);
	kvfree_rcu(obj, rcu);
	kfree_rcu_mightsleep(kmalloc(100, GFP_KERNEL));
	kvfree_rcu_mightsleep(kvmalloc(100, GFP_KERNEL));
	kfree_rcu_mightsleep((void *)NULL);
}

static void object_construct(void *p)
{
	memset(p, 'c', sizeof(struct object));
}

static void cache_use(struct kmem_cache *cache, size_t bytes)
{
	void *p[NR_BULK];
	int i, n;

	check(kmem_cache_size(cache) == bytes);
	p[0] = kmem_cache_alloc(cache, GFP_KERNEL);
	p[1] = kmem_cache_alloc_node(cache, GFP_KERNEL, numa_mem_id());
	p[2] = kmem_cache_alloc_lru(cache, NULL, GFP_KERNEL);
	for (i = 0; i < 3; i++) {
		check(is_ours(p[i], bytes));
		kmem_cache_free(cache, p[i]);
	}
	n = kmem_cache_alloc_bulk(cache, GFP_KERNEL, NR_BULK, p);
	check(n == NR_BULK);
	for (i = 0; i < n; i++)
		check(is_ours(p[i], bytes));
	kmem_cache_free_bulk(cache, n, p);
	kmem_cache_shrink(cache);
	kmem_cache_destroy(cache);
}

static void call_caches(void)
{
	struct kmem_cache *cache;
	struct object *obj;

	cache = kmem_cache_create("gospan_shim", sizeof(*obj), 0, 0, object_construct);
	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	check(is_ours(obj, sizeof(*obj)) && !memchr_inv(obj, 'c', sizeof(*obj)));
	kmem_cache_free(cache, obj);
	cache_use(cache, sizeof(*obj));
	cache = KMEM_CACHE(object, SLAB_HWCACHE_ALIGN);
	obj = kmem_cache_zalloc(cache, GFP_KERNEL);
	check(is_zero(obj, sizeof(*obj)) && IS_ALIGNED((unsigned long)obj, SMP_CACHE_BYTES));
	kfree(obj);
	cache_use(cache, sizeof(*obj));
	cache_use(kmem_cache_create_usercopy("gospan_shim", 200, 256, SLAB_RECLAIM_ACCOUNT, 0, 8,
					     NULL), 200);
	cache_use(KMEM_CACHE_USERCOPY(object, 0, text), sizeof(*obj));
}

/* As of the structure. */
#ifdef __kmem_cache_create_args

static void call_cache_args(void)
{
	struct kmem_cache_args args = { .align = 512, .ctor = object_construct };
	struct kmem_cache *cache;
	struct object *obj;

	cache = kmem_cache_create("gospan_shim", sizeof(*obj), &args, 0);
	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	check(is_ours(obj, sizeof(*obj)) && !memchr_inv(obj, 'c', sizeof(*obj)));
	check(IS_ALIGNED((unsigned long)obj, 512));
	kmem_cache_free(cache, obj);
	cache_use(cache, sizeof(*obj));
	cache_use(kmem_cache_create("gospan_shim", 300, NULL, 0), 300);
}

#else

static void call_cache_args(void)
{
}

#endif

/* The core calls back: it must be the shim that it calls. */
static void call_callbacks(void)
{
	struct kmem_cache *cache = KMEM_CACHE(object, 0);
	void (*free)(const void *p) = kfree;
	mempool_t *pool = mempool_create_slab_pool(4, cache);
	DEFINE_DELAYED_CALL(done);
	void *p;

	p = mempool_alloc(pool, GFP_KERNEL);
	check(is_ours(p, sizeof(struct object)));
	mempool_free(p, pool);
	mempool_destroy(pool);
	kmem_cache_destroy(cache);
	free(kmalloc(100, GFP_KERNEL));
	set_delayed_call(&done, kfree_link, kmalloc(100, GFP_KERNEL));
	do_delayed_call(&done);
}

static void call_scope(void)
{
	void *p __free(kfree) = kmalloc(100, GFP_KERNEL);
	void *k __free(kfree) = kernel_alloc();

	check(is_ours(p, 100));
	check(k && !gospan_owns(k));
}

/* A type, and how many of it; since 7.0, and in late 6.12. */
#ifdef kmalloc_obj

static void call_types(void)
{
	struct words {
		unsigned int n;
		u64 word[] __counted_by(n);
	} *words;
	struct object *obj;

	obj = kzalloc_obj(*obj);
	check_zero(obj, sizeof(*obj));
	obj = kmalloc_objs(*obj, 3, GFP_ATOMIC);
	check_ours(obj, 3 * sizeof(*obj));
	words = kvzalloc_flex(*words, word, 10);
	check(is_ours(words, struct_size(words, word, 10)) && !words->word[9]);
	kvfree(words);
}

#else

static void call_types(void)
{
}

#endif

#ifdef kmalloc_nolock

static void call_nolock(void)
{
	void *p = kmalloc_nolock(100, __GFP_ZERO, NUMA_NO_NODE);

	check(is_zero(p, 100));
	kfree_nolock(p);
}

#else

static void call_nolock(void)
{
}

#endif

/* Memory of the kernel, and what becomes of it. */
static void call_on_foreign(void)
{
	struct kmem_cache *cache = kernel_cache_create();
	struct object *obj;
	char *p, *name;

	name = kernel_alloc();
	check(name && !gospan_owns(name) && ksize(name) >= KERNEL_OBJECT_BYTES);
	p = krealloc(name, 5000, GFP_KERNEL);
	check(p && !gospan_owns(p) && !memchr_inv(p, 'k', KERNEL_OBJECT_BYTES));
	kfree(p);
	kfree_sensitive(kernel_alloc());
	kfree_const(kstrdup_const("not copied, but for this module it is", GFP_KERNEL));
	kvfree(kernel_alloc());
	kvfree(kernel_alloc_array());
	kvfree_sensitive(kernel_alloc_array(), KERNEL_ARRAY_BYTES);
	p = realloc_kv(kernel_alloc(), KERNEL_OBJECT_BYTES, KERNEL_ARRAY_BYTES);
	check(p && !gospan_owns(p) && !memchr_inv(p, 'k', KERNEL_OBJECT_BYTES));
	kvfree(p);
	kfree_rcu_mightsleep(kernel_alloc());
	obj = kernel_alloc_array();
	kvfree_rcu(obj, rcu);
	/* From a cache of the kernel's; in 7.3 by kmalloc(). */
	name = __getname();
	check(name);
	__putname(name);
	p = kmem_cache_zalloc(cache, GFP_KERNEL);
	check(p && !gospan_owns(p) && !memchr_inv(p, 0, KERNEL_OBJECT_BYTES));
	kmem_cache_free(cache, p);
	kmem_cache_destroy(cache);
	p = kmalloc(100, GFP_KERNEL | GFP_DMA);
	check(p && !gospan_owns(p));
	kfree(p);
}

static int __init shim_calls_init(void)
{
	u64 nr_before, misuses_before;

	gospan_read_stats(&stats);
	nr_before = stats.heap_objects;
	misuses_before = stats.misuses;
	call_alloc();
	call_realloc();
	call_kvalloc();
	call_kvrealloc();
	call_copies();
	call_bulk();
	call_rcu_frees();
	call_caches();
	call_cache_args();
	call_callbacks();
	call_scope();
	call_types();
	call_nolock();
	call_on_foreign();
	gospan_rcu_barrier();
	gospan_read_stats(&stats);
	check(stats.heap_objects == nr_before);
	check(stats.misuses == misuses_before);
	pr_info("%u of %u checks passed\n", nr_checks - nr_failed, nr_checks);
	return nr_failed ? -EIO : 0;
}

static void __exit shim_calls_exit(void)
{
}

module_init(shim_calls_init);
module_exit(shim_calls_exit);
MODULE_DESCRIPTION("Calls all of slab.h under gospan's shim");
MODULE_AUTHOR("The gospan developers");
MODULE_LICENSE("GPL");
