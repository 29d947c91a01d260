// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes named caches, and destroys them when it is unloaded; for a script that
 * looks at what is shown of them, and told of the objects that it forgets.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gospan.h>
#include <linux/module.h>
#include <linux/slab.h>

#define NR_OBJS	100U

static unsigned int forget;
module_param(forget, uint, 0444);
MODULE_PARM_DESC(forget, "objects of each cache that are live when it is destroyed");

static void construct(void *obj)
{
	*(unsigned long *)obj = 0x676f7370;
}

static struct kind {
	const char *name;
	unsigned int size;
	slab_flags_t flags;
	void (*ctor)(void *obj);
	struct gospan_cache *cache;
	void *objs[NR_OBJS];
} kinds[] = {
	{ "caches_plain", 192 },
	{ "caches_user", 192, SLAB_STORE_USER },
	{ "caches_typesafe", 700, SLAB_TYPESAFE_BY_RCU | SLAB_HWCACHE_ALIGN },
	{ "caches_ctor", 4096, 0, construct },
	{ "caches_long", 100000 },
};

/* Whoever reads the report finds this name in it. */
static noinline void *caches_allocate_object(struct kind *kind)
{
	void *p = gospan_cache_alloc(kind->cache, GFP_KERNEL);

	/* No tail call: the name would not be on the stack. */
	barrier();
	return p;
}

static void kind_end(struct kind *kind)
{
	unsigned int i;

	if (!kind->cache)
		return;
	for (i = forget; i < NR_OBJS; i++)
		gospan_cache_free(kind->cache, kind->objs[i]);
	gospan_cache_destroy(kind->cache);
}

static void caches_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		kind_end(&kinds[i]);
}

static int kind_begin(struct kind *kind)
{
	unsigned int i;

	kind->cache = gospan_cache_create(kind->name, kind->size, 0, kind->flags, kind->ctor);
	if (!kind->cache)
		return -ENOMEM;
	for (i = 0; i < NR_OBJS; i++) {
		kind->objs[i] = caches_allocate_object(kind);
		if (!kind->objs[i])
			return -ENOMEM;
		if (kind->ctor && *(unsigned long *)kind->objs[i] != 0x676f7370)
			return -EIO;
	}
	return 0;
}

static int __init caches_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		err = kind_begin(&kinds[i]);
		if (err) {
			pr_err("%s: %d\n", kinds[i].name, err);
			caches_exit();
			return err;
		}
	}
	return 0;
}

module_init(caches_init);
module_exit(caches_exit);
MODULE_DESCRIPTION("Makes named caches of gospan");
MODULE_LICENSE("GPL");
