// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps of the torture test: one draws a call of gospan's, makes it, and looks at
 * what it gave.
 *
 * What is allocated goes to the boxes (torture_object.c), and so to whoever comes by
 * next. A step draws its numbers anew from the actor's stream and its own number, so
 * that what it finds in a box does not change the steps that follow.
 */
#include <linux/bottom_half.h>
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "torture.h"

#define MAX_BULK	48
#define NR_RESERVATIONS	4
/* What a reservation may hold of a size before it is given back. */
#define MAX_RESERVED	100
#define CONSTRUCTED	0x676f7370616e2021ULL

static struct gospan_reservation reservations[NR_RESERVATIONS];

struct torture_cache torture_caches[NR_TORTURE_CACHES] = {
	{ "torture_plain", 192 },
	{ "torture_aligned", 700, SLAB_HWCACHE_ALIGN },
	{ "torture_constructed", 4000, 0, true },
	{ "torture_typesafe", 264, SLAB_TYPESAFE_BY_RCU, true },
};

/* Of the last cache: whoever reads them in a section of RCU finds one of its kind. */
static void *published[8];

void torture_constructor(void *p)
{
	*(u64 *)p = CONSTRUCTED;
}

bool torture_is_constructed(const void *p)
{
	return READ_ONCE(*(const u64 *)p) == CONSTRUCTED;
}

/* --- random numbers -------------------------------------------------------- */

static u64 mix(u64 x)
{
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

/* A random number below @limit, which is not 0. */
u32 torture_draw(struct torture_actor *a, u32 limit)
{
	a->state += 0x9e3779b97f4a7c15ULL;
	return ((mix(a->state) >> 32) * limit) >> 32;
}

/*
 * Below 16 bytes, each octave up to 2 KiB, less often up to 64 KiB, those on its edge,
 * and, rarely, beyond: as in a kernel, most are small.
 */
static size_t draw_size(struct torture_actor *a)
{
	u32 dice = torture_draw(a, 512);
	size_t size;

	if (dice < 64)
		return torture_draw(a, 16);
	if (!a->atomic && dice == 64)
		return 1 + torture_draw(a, torture_draw(a, 16) ? SZ_256K : SZ_4M);
	size = 16UL << torture_draw(a, dice < 448 ? 7 : 12);
	if (dice % 4)
		return size + torture_draw(a, size);
	return size - 1 + torture_draw(a, 3);
}

static gfp_t draw_gfp(struct torture_actor *a)
{
	gfp_t zero = torture_draw(a, 3) ? 0 : __GFP_ZERO;

	if (!a->atomic && torture_draw(a, 4))
		return GFP_KERNEL | __GFP_NOWARN | zero;
	return (torture_draw(a, 2) ? GFP_ATOMIC : GFP_NOWAIT) | __GFP_NOWARN | zero;
}

/* Any that has memory; or none, and so that of the CPU. */
static int draw_node(struct torture_actor *a)
{
	int node = torture_draw(a, 2 * nr_node_ids);

	return node < nr_node_ids && node_state(node, N_MEMORY) ? node : NUMA_NO_NODE;
}

/* --- what was allocated ---------------------------------------------------- */

/* Of @size bytes, aligned to @align; with @zeroed all of them are 0. */
static void object_look(struct torture_actor *a, void *p, size_t size, size_t align, bool zeroed)
{
	size_t usable = is_vmalloc_addr(p) ? size : gospan_size(p);

	OPTIMIZER_HIDE_VAR(p);
	if (usable < size)
		torture_bad(a, "%px has %zu bytes, not %zu", p, usable, size);
	if (!IS_ALIGNED((unsigned long)p, align))
		torture_bad(a, "%px of %zu bytes is not aligned to %zu", p, size, align);
	if (zeroed && memchr_inv(p, 0, usable))
		torture_bad(a, "%px of %zu bytes is not zeroed", p, usable);
}

/* Look at what a call returned, and let others have it. */
static void object_new(struct torture_actor *a, void *p, size_t size, size_t align, bool zeroed)
{
	struct torture_object o = { .p = p, .bytes = size, .kind = TORTURE_PLAIN };

	a->nr_calls++;
	if (!p) {
		a->nr_failed++;
		return;
	}
	if (!size && p != ZERO_SIZE_PTR)
		torture_bad(a, "%px for 0 bytes", p);
	if (!size)
		return;
	/* NMIs may not ask for the size; what they get is looked at as it is freed. */
	if (a->context != TORTURE_NMI)
		object_look(a, p, size, align, zeroed);
	torture_object_write(a, &o);
	torture_object_give(a, &o);
}

static size_t natural_align(size_t size)
{
	return size && is_power_of_2(size) ? max_t(size_t, size, 8) : 8;
}

static size_t tiny_align(size_t size)
{
	return size && size < 16 ? min_t(size_t, size & -size, 8) : natural_align(size);
}

/* Without pointers: one that is tiny has neighbours, who need not be zero. */
static void *noscan_alloc(struct torture_actor *a, size_t size, gfp_t gfp)
{
	void *p = gospan_alloc_noscan(size, gfp);

	if (p && size && size < 16 && gfp & __GFP_ZERO && memchr_inv(p, 0, size))
		torture_bad(a, "%px of %zu bytes is not zeroed", p, size);
	return p;
}

/* --- calls ----------------------------------------------------------------- */

static void step_alloc(struct torture_actor *a)
{
	size_t size = draw_size(a), align = natural_align(size);
	gfp_t gfp = draw_gfp(a);
	int node = draw_node(a);
	void *p;

	switch (torture_draw(a, 8)) {
	case 0:
		p = gospan_alloc_node(size, gfp, node);
		break;
	case 1:
		p = gospan_zalloc_node(size, gfp, node);
		gfp |= __GFP_ZERO;
		break;
	case 2:
		p = gospan_zalloc(size, gfp);
		gfp |= __GFP_ZERO;
		break;
	case 3:
	case 4:
		p = noscan_alloc(a, size, gfp);
		align = tiny_align(size);
		gfp &= size < 16 ? ~__GFP_ZERO : ~0;
		break;
	default:
		p = gospan_alloc(size, gfp);
	}
	object_new(a, p, size, align, gfp & __GFP_ZERO);
}

/* Sizes that the compiler knows. */
static void step_constant(struct torture_actor *a)
{
	gfp_t gfp = draw_gfp(a);
	bool zeroed = gfp & __GFP_ZERO;

	switch (torture_draw(a, 4)) {
	case 0:
		object_new(a, gospan_alloc(8, gfp), 8, 8, zeroed);
		break;
	case 1:
		object_new(a, gospan_alloc(64, gfp), 64, 64, zeroed);
		break;
	case 2:
		object_new(a, gospan_alloc(1000, gfp), 1000, 8, zeroed);
		break;
	default:
		object_new(a, gospan_zalloc(40, gfp), 40, 8, true);
	}
}

static void step_array(struct torture_actor *a)
{
	size_t n = torture_draw(a, 64), size = 1 + torture_draw(a, 128);
	gfp_t gfp = draw_gfp(a);
	int node = draw_node(a);

	if (gospan_alloc_array(SIZE_MAX / 2, 3 + size, gfp))
		torture_bad(a, "an array that overflows");
	switch (torture_draw(a, 3)) {
	case 0:
		object_new(a, gospan_alloc_array(n, size, gfp), n * size, 8, gfp & __GFP_ZERO);
		break;
	case 1:
		object_new(a, gospan_calloc(n, size, gfp), n * size, 8, true);
		break;
	default:
		object_new(a, gospan_calloc_node(n, size, gfp, node), n * size, 8, true);
	}
}

static void step_nolock(struct torture_actor *a)
{
	size_t size = torture_draw(a, torture_draw(a, 4) ? 128 : GOSPAN_NOLOCK_MAX_BYTES) + 1;
	gfp_t gfp = torture_draw(a, 2) ? __GFP_ZERO : 0;

	object_new(a, gospan_alloc_nolock(size, gfp), size, natural_align(size), gfp);
}

/* Free what some box has. */
static void step_free(struct torture_actor *a)
{
	struct torture_object o;

	if (torture_object_take(a, &o, a->context != TORTURE_NMI && !torture_draw(a, 16)))
		torture_object_free(a, &o);
}

static void step_realloc(struct torture_actor *a)
{
	bool kv = !a->atomic && !torture_draw(a, 8);
	size_t size = draw_size(a) + 1, kept;
	struct torture_object o;
	void *p;

	if (!torture_object_take(a, &o, kv))
		return;
	torture_object_check(a, &o, o.bytes);
	if (o.kind >= TORTURE_CACHE) {
		torture_object_free(a, &o);
		return;
	}
	if (kv)
		size = max_t(size_t, size, TORTURE_MIN_KV_BYTES);
	a->nr_calls++;
	p = kv ? gospan_kvrealloc(o.p, o.bytes, size, GFP_KERNEL | __GFP_NOWARN) :
		 gospan_realloc(o.p, size, draw_gfp(a) & ~__GFP_ZERO);
	if (!p) {
		a->nr_failed++;
		torture_object_free(a, &o);
		return;
	}
	/* Which bytes carry the pattern depends on how many there were: it is looked at as then. */
	kept = min(o.bytes, size);
	o.p = p;
	torture_object_check(a, &o, kept);
	o.bytes = size;
	torture_object_write(a, &o);
	torture_object_give(a, &o);
}

static void step_kvalloc(struct torture_actor *a)
{
	struct torture_object o = { .bytes = SZ_4K + torture_draw(a, SZ_64K), .kind = TORTURE_KV };
	gfp_t gfp = draw_gfp(a);

	o.p = torture_draw(a, 2) ? gospan_kvalloc(o.bytes, gfp) :
				   gospan_kvalloc_node(o.bytes, gfp, draw_node(a));
	a->nr_calls++;
	if (!o.p) {
		a->nr_failed++;
		return;
	}
	object_look(a, o.p, o.bytes, 8, false);
	if (gfp & __GFP_ZERO && memchr_inv(o.p, 0, o.bytes))
		torture_bad(a, "%px of kvalloc is not zeroed", o.p);
	torture_object_write(a, &o);
	torture_object_give(a, &o);
}

/* More than gospan has in one piece, by each of the ways to ask for vmalloc memory. */
void torture_step_largest(struct torture_actor *a)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_KERNEL | __GFP_ZERO, GFP_USER };
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(gfps); i++) {
		a->nr_calls++;
		p = gospan_kvalloc_node(SZ_4M + SZ_4K, gfps[i], first_memory_node);
		if (p)
			*(u8 *)p = i;
		else
			a->nr_failed++;
		gospan_kvfree(p);
	}
}

static void step_bulk(struct torture_actor *a)
{
	u32 n = 1 + torture_draw(a, MAX_BULK), i, nr = 0;
	size_t size = 1 + torture_draw(a, torture_draw(a, 4) ? 256 : SZ_8K);
	gfp_t gfp = draw_gfp(a);
	void *objs[MAX_BULK];

	a->nr_calls += 2;
	if (gospan_alloc_bulk(size, gfp, n, objs) != n) {
		a->nr_failed++;
		return;
	}
	for (i = 0; i < n; i++) {
		if (torture_draw(a, 4)) {
			object_look(a, objs[i], size, natural_align(size), gfp & __GFP_ZERO);
			objs[nr++] = objs[i];
		} else {
			object_new(a, objs[i], size, natural_align(size), gfp & __GFP_ZERO);
		}
	}
	gospan_free_bulk(nr, objs);
}

/* What several boxes have, at once. */
static void step_free_bulk(struct torture_actor *a)
{
	u32 n = torture_draw(a, 12), nr = 0;
	struct torture_object o;
	void *objs[12];

	while (n--) {
		if (!torture_object_take(a, &o, false))
			continue;
		torture_object_check(a, &o, o.bytes);
		/* Objects of caches, too: they are like any other. */
		objs[nr++] = o.p;
	}
	a->nr_calls++;
	gospan_free_bulk(nr, objs);
}

static void step_ask(struct torture_actor *a)
{
	u64 wild = ((u64)torture_draw(a, U32_MAX) << 32) | torture_draw(a, U32_MAX);
	size_t size = draw_size(a);
	struct torture_object o;

	a->nr_calls += 3;
	if (gospan_size_roundup(size) < size)
		torture_bad(a, "%zu bytes are rounded up to less", size);
	/* Whatever it says, it does not fault. */
	if (gospan_owns((void *)(unsigned long)wild) && gospan_owns(a))
		torture_bad(a, "an address of the module's data is taken for an object");
	if (!torture_object_take(a, &o, false))
		return;
	if (!gospan_owns(o.p))
		torture_bad(a, "%px of kind %d is not gospan's", o.p, o.kind);
	if (a->context != TORTURE_NMI && gospan_size(o.p) < o.bytes)
		torture_bad(a, "%px has %zu bytes, not %zu", o.p, gospan_size(o.p), o.bytes);
	torture_object_give(a, &o);
}

static void step_string(struct torture_actor *a)
{
	static const char text[] = "When allocators meet, spans are exchanged.";
	size_t len = torture_draw(a, sizeof(text));
	gfp_t gfp = draw_gfp(a) & ~__GFP_ZERO;
	char *s;

	switch (torture_draw(a, 5)) {
	case 0:
		s = gospan_strndup(text, len, gfp);
		break;
	case 1:
		s = gospan_memdup_nul(text, len, gfp);
		break;
	case 2:
		s = gospan_asprintf(gfp, "%.*s", (int)len, text);
		break;
	case 3:
		s = gospan_strdup(text + sizeof(text) - 1 - len, gfp);
		if (s && strcmp(s, text + sizeof(text) - 1 - len))
			torture_bad(a, "strdup made \"%s\"", s);
		object_new(a, s, len + 1, 1, false);
		return;
	default:
		s = gospan_memdup(text, len, gfp);
		if (s && memcmp(s, text, len))
			torture_bad(a, "memdup of %zu bytes is another", len);
		object_new(a, s, len, 1, false);
		return;
	}
	if (s && (strncmp(s, text, len) || s[len]))
		torture_bad(a, "\"%s\" is not the first %zu characters", s, len);
	object_new(a, s, len + 1, 1, false);
}

static void step_reserve(struct torture_actor *a)
{
	struct gospan_reservation *r = &reservations[torture_draw(a, NR_RESERVATIONS)];
	size_t size = 1 + torture_draw(a, SZ_2K);
	int err;

	a->nr_calls++;
	switch (torture_draw(a, 8)) {
	case 0:
		gospan_unreserve(r);
		break;
	case 1:
	case 2:
		if (gospan_nr_reserved(r, 8) > MAX_RESERVED) {
			gospan_unreserve(r);
			break;
		}
		err = gospan_reserve_list(r, draw_gfp(a), { size, 1 + torture_draw(a, 8) },
					  { 40, torture_draw(a, 8) });
		if (err == -ENOMEM)
			a->nr_failed++;
		else if (err)
			torture_bad(a, "reserving %zu bytes: %d", size, err);
		break;
	default:
		size = 1 + torture_draw(a, torture_draw(a, 2) ? 48 : size);
		object_new(a, gospan_alloc_reserved(r, size, __GFP_ZERO), size, 8, true);
	}
}

static void step_cache(struct torture_actor *a)
{
	u32 i = torture_draw(a, NR_TORTURE_CACHES);
	struct torture_cache *cache = &torture_caches[i];
	struct torture_object o = { .bytes = cache->size - 8, .kind = TORTURE_CACHE + i };
	gfp_t gfp = draw_gfp(a);

	if (cache->constructed)
		gfp &= ~__GFP_ZERO;
	a->nr_calls++;
	switch (torture_draw(a, 4)) {
	case 0:
		o.p = gospan_cache_alloc_node(cache->cache, gfp, draw_node(a));
		break;
	case 1:
		if (!gospan_cache_alloc_bulk(cache->cache, gfp, 1, &o.p))
			o.p = NULL;
		break;
	default:
		o.p = gospan_cache_alloc(cache->cache, gfp);
	}
	if (!o.p) {
		a->nr_failed++;
		return;
	}
	object_look(a, o.p, cache->size, cache->flags & SLAB_HWCACHE_ALIGN ? SMP_CACHE_BYTES : 8,
		    gfp & __GFP_ZERO);
	if (cache->constructed && !torture_is_constructed(o.p))
		torture_bad(a, "%px of %s is not constructed", o.p, cache->name);
	torture_object_write(a, &o);
	torture_object_give(a, &o);
}

/* What is read may be freed, but it is of its kind. */
static void step_typesafe(struct torture_actor *a)
{
	struct gospan_cache *cache = torture_caches[NR_TORTURE_CACHES - 1].cache;
	void **slot = &published[torture_draw(a, ARRAY_SIZE(published))];
	void *p;

	a->nr_calls++;
	rcu_read_lock();
	p = READ_ONCE(*slot);
	if (p && !torture_is_constructed(p))
		torture_bad(a, "%px was of another kind as it was read", p);
	rcu_read_unlock();
	if (torture_draw(a, 4))
		return;
	p = gospan_cache_alloc(cache, draw_gfp(a) & ~__GFP_ZERO);
	if (!p) {
		a->nr_failed++;
		return;
	}
	gospan_cache_free(cache, xchg(slot, p));
}

/* A cache from its making to its end. */
static void step_cache_life(struct torture_actor *a)
{
	bool constructed = torture_draw(a, 2);
	u32 size = 8 + torture_draw(a, torture_draw(a, 4) ? 512 : SZ_32K);
	u32 align = 1U << torture_draw(a, 10), i, n = torture_draw(a, MAX_BULK);
	slab_flags_t flags = torture_draw(a, 4) ? 0 : SLAB_TYPESAFE_BY_RCU;
	struct gospan_cache *cache;
	void *objs[MAX_BULK];

	a->nr_calls += 5;
	cache = gospan_cache_create("torture_life", size, align, flags,
				    constructed ? torture_constructor : NULL);
	if (!cache) {
		a->nr_failed++;
		return;
	}
	if (n && gospan_cache_alloc_bulk(cache, GFP_KERNEL, n, objs) == n) {
		for (i = 0; i < n; i++) {
			object_look(a, objs[i], size, align, false);
			if (constructed && !torture_is_constructed(objs[i]))
				torture_bad(a, "%px, new, is not constructed", objs[i]);
		}
		gospan_cache_free_bulk(cache, n, objs);
	}
	if (torture_draw(a, 2))
		gospan_cache_shrink(cache);
	gospan_cache_destroy(cache);
}

static void step_whole(struct torture_actor *a)
{
	a->nr_calls++;
	switch (torture_draw(a, 16)) {
	case 0:
		gospan_trim();
		break;
	case 1:
	case 2:
		gospan_rcu_barrier();
		break;
	case 3:
	case 4:
		gospan_cache_shrink(torture_caches[torture_draw(a, NR_TORTURE_CACHES)].cache);
		break;
	default:
		gospan_read_stats(a->stats);
		if (a->stats->misuses)
			torture_bad(a, "%llu misuses", a->stats->misuses);
	}
}

/* --- steps ----------------------------------------------------------------- */

/* Who may not sleep, NMIs apart, makes all but the last two; an NMI makes its own. */
static const struct torture_call {
	unsigned int weight;
	void (*make)(struct torture_actor *a);
} calls[] = {
	{ 4000, step_alloc },
	{ 1000, step_constant },
	{ 300, step_array },
	{ 600, step_nolock },
	{ 1200, step_free },
	{ 600, step_realloc },
	{ 100, step_kvalloc },
	{ 300, step_bulk },
	{ 300, step_free_bulk },
	{ 600, step_ask },
	{ 300, step_string },
	{ 400, step_reserve },
	{ 1200, step_cache },
	{ 300, step_typesafe },
	{ 4, step_cache_life },
	{ 12, step_whole },
};

static void call_draw(struct torture_actor *a)
{
	const struct torture_call *call = calls;
	unsigned int i, n = ARRAY_SIZE(calls) - (a->patient && !a->atomic ? 0 : 2);
	u32 sum = 0, dice;

	for (i = 0; i < n; i++)
		sum += calls[i].weight;
	for (dice = torture_draw(a, sum); dice >= call->weight; call++)
		dice -= call->weight;
	call->make(a);
}

static void nmi_draw(struct torture_actor *a)
{
	u32 dice = torture_draw(a, 8);

	if (dice < 5)
		step_nolock(a);
	else if (dice < 7)
		step_free(a);
	else
		step_ask(a);
}

/* Now and then in a section in which a task may not sleep, either. */
static void task_draw(struct torture_actor *a)
{
	u32 dice = torture_draw(a, 16);

	a->atomic = dice < 3;
	switch (dice) {
	case 0:
		preempt_disable();
		call_draw(a);
		preempt_enable();
		break;
	case 1:
		local_irq_disable();
		call_draw(a);
		local_irq_enable();
		break;
	case 2:
		local_bh_disable();
		call_draw(a);
		local_bh_enable();
		break;
	default:
		call_draw(a);
	}
}

void torture_step(struct torture_actor *a)
{
	a->step++;
	a->state = mix(a->stream + a->step * 0xa0761d6478bd642fULL);
	if (a->context == TORTURE_TASK)
		task_draw(a);
	else if (a->context == TORTURE_NMI)
		nmi_draw(a);
	else
		call_draw(a);
}

void torture_actor_init(struct torture_actor *a, enum torture_context context)
{
	a->context = context;
	a->atomic = context != TORTURE_TASK;
}

int torture_step_init(void)
{
	unsigned int i;

	for (i = 0; i < NR_RESERVATIONS; i++)
		gospan_reservation_init(&reservations[i]);
	for (i = 0; i < NR_TORTURE_CACHES; i++) {
		struct torture_cache *c = &torture_caches[i];

		c->cache = gospan_cache_create(c->name, c->size, 0, c->flags,
					       c->constructed ? torture_constructor : NULL);
		if (!c->cache)
			return -ENOMEM;
	}
	return 0;
}

/* Free all that the test has. Nobody is at work; torture_step_init() may have failed. */
void torture_step_exit(struct torture_actor *a)
{
	unsigned int i;

	torture_objects_free(a);
	for (i = 0; i < NR_RESERVATIONS; i++)
		gospan_unreserve(&reservations[i]);
	for (i = 0; i < ARRAY_SIZE(published); i++)
		gospan_free(published[i]);
	for (i = 0; i < NR_TORTURE_CACHES; i++)
		gospan_cache_destroy(torture_caches[i].cache);
}
