// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills gospan with objects and empties it again, step by step, as a script in
 * the machine tells it through the parameter "step":
 *
 *   fill            objects of mixed sizes, up to "mib" MiB of them
 *   free PERCENT    so many of the live ones, drawn at random
 *   churn PERCENT   the same, then a trim, and what came back of what could
 *   trim            gospan_trim()
 *   exhaust KIND BYTES  objects of one size until there are no more; frees them
 *   fragment        leave no more than two kernel pages in a row free
 *   scarce BYTES    exhaust atomically; the kernel must have no two in a row left
 *   mend            undo "fragment"
 *   foreign         addresses of all kinds that are not gospan's
 *
 * After each, the statistics must agree with what the module counts itself. A
 * line of a table says what is held; a write that fails says what is wrong in
 * the kernel log.
 *
 * The objects in one of "sample" regions of 2 MiB are filled with a pattern,
 * which is checked before they are freed. Most of a large machine's memory is
 * then never touched, and so need not be there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gospan.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "compat.h"
/* What a real kernel asks kmalloc for. */
#include "bench_mix_table.h"

/* gospan's page. */
#define HEAP_PAGE_SHIFT	(PAGE_SHIFT > 13 ? PAGE_SHIFT : 13)
/* What an emulator gets from its host at a time. */
#define REGION_SHIFT	21
#define MAX_SMALL_BYTES	SZ_32K
/* The mixes average more than that; a smaller average would not fit the table. */
#define MIN_MEAN_BYTES	256
/* The scavenger works meanwhile: what is read is exact between its steps. */
#define MAX_READS	50
/* Two kernel pages in a row that may be left: the last ones may lack a descriptor. */
#define MAX_PAIRS_LEFT	8

static unsigned long mib = 64;
module_param(mib, ulong, 0644);
MODULE_PARM_DESC(mib, "MiB of objects that \"fill\" makes");

static bool large = true;
module_param(large, bool, 0644);
MODULE_PARM_DESC(large, "sizes up to 4 MiB (default); N: from 64 bytes to 8 KiB");

static bool kernel;
module_param(kernel, bool, 0444);
MODULE_PARM_DESC(kernel, "sizes as a real kernel asks kmalloc for them (default N)");

static unsigned int sample = 16;
module_param(sample, uint, 0644);
MODULE_PARM_DESC(sample, "in one region of so many, objects carry a pattern");

static unsigned int seed = 1;
module_param(seed, uint, 0644);
MODULE_PARM_DESC(seed, "for what is drawn at random");

/* Sizes from @min_bytes to @min_bytes << @octaves, each octave as often. */
struct band {
	unsigned int per_mille;
	unsigned int min_bytes;
	unsigned int octaves;
};

/* 1.8 % and 0.2 % of large ones, of 32 KiB to 256 KiB and up to 4 MiB: a mean of 7 KiB. */
static const struct band mixed[] = {
	{ 800, 64, 5 }, { 180, SZ_2K, 4 }, { 18, SZ_32K, 3 }, { 2, SZ_256K, 4 },
};

/* A mean of 1.7 KiB. */
static const struct band small[] = { { 1000, 64, 7 } };

static struct rnd_state rnd;
static void **objects;
static unsigned long nr_objects, max_objects;
static u64 live_bytes;
/* By size in words; [0]: larger than MAX_SMALL_BYTES. */
static unsigned long nr_live[MAX_SMALL_BYTES / 8 + 1];
/* Too large for the stack; under the lock of the parameters, as all here. */
static struct gospan_memstats stats;
static LIST_HEAD(held_pages);

static unsigned long draw(unsigned long limit)
{
	u64 x = (u64)prandom_u32_state(&rnd) << 32;

	return (x | prandom_u32_state(&rnd)) % limit;
}

static size_t draw_kernel_size(void)
{
	const struct gospan_mix_row *row = gospan_mix_rows;
	unsigned int x = draw(GOSPAN_MIX_TOTAL);

	for (; x >= row->count; row++)
		x -= row->count;
	return row->bytes;
}

static size_t draw_size(void)
{
	const struct band *band = large ? mixed : small;
	unsigned int x = draw(1000);
	size_t bytes;

	if (kernel)
		return draw_kernel_size();
	for (; x >= band->per_mille; band++)
		x -= band->per_mille;
	bytes = (size_t)band->min_bytes << draw(band->octaves);
	return bytes + draw(bytes);
}

static bool is_sampled(const void *p)
{
	return hash_long((unsigned long)p >> REGION_SHIFT, 32) % sample == 0;
}

static u64 pattern(const u64 *word)
{
	return (unsigned long)word * 0x9e3779b97f4a7c15ULL;
}

static void object_write(void *p)
{
	u64 *word = p, *end = p + gospan_size(p);

	for (; word < end; word++)
		*word = pattern(word);
}

static bool object_is_intact(const void *p)
{
	const u64 *word = p, *end = p + gospan_size(p);

	for (; word < end; word++)
		if (*word != pattern(word))
			return false;
	return true;
}

static void count(const void *p, int sign)
{
	size_t bytes = gospan_size(p);

	live_bytes += sign * (s64)bytes;
	nr_live[bytes <= MAX_SMALL_BYTES ? bytes / 8 : 0] += sign;
}

static unsigned long nr_counted(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nr_live); i++)
		sum += nr_live[i];
	return sum;
}

/* What does not agree with what we counted; NULL: all does. */
static const char *stats_mismatch(const struct gospan_memstats *st)
{
	unsigned int i;

	for (i = 0; i < GOSPAN_NR_SIZECLASSES; i++) {
		const struct gospan_memstats_class *row = &st->by_size[i];

		if (row->mallocs - row->frees != nr_live[row->size / 8])
			return "live objects of a class";
	}
	if (st->heap_objects != nr_counted())
		return "live objects";
	if (st->alloc != live_bytes)
		return "bytes of live objects";
	if (st->heap_sys != st->heap_inuse + st->heap_idle)
		return "heap_sys is not heap_inuse + heap_idle";
	if (st->heap_inuse < st->alloc + st->cached_bytes)
		return "spans hold less than their objects";
	if (st->misuses)
		return "misuses";
	return NULL;
}

/* A line of the table; -EIO if it does not add up. */
static int stage(const char *name, ktime_t begin)
{
	s64 ms = ktime_ms_delta(ktime_get(), begin);
	const char *wrong;
	unsigned int i;

	for (i = 0; i < MAX_READS; i++) {
		gospan_read_stats(&stats);
		wrong = stats_mismatch(&stats);
		if (!wrong)
			break;
		msleep(20);
	}
	pr_info("%-12s %8lu %9llu %9llu %9llu %9llu %10llu %8llu %7lld\n", name, nr_counted(),
		live_bytes >> 10, stats.heap_sys >> 10, stats.heap_inuse >> 10,
		stats.heap_idle >> 10, stats.heap_released >> 10,
		(stats.sys - stats.heap_sys) >> 10, ms);
	if (!wrong)
		return 0;
	pr_err("%s: %s: counted %lu of %llu bytes, they say %llu of %llu, held %llu = %llu + %llu\n",
	       name, wrong, nr_counted(), live_bytes, stats.heap_objects, stats.alloc,
	       stats.heap_sys, stats.heap_inuse, stats.heap_idle);
	return -EIO;
}

static int objects_fill(void)
{
	u64 want = (u64)mib << 20;
	void *p;

	if (!objects) {
		max_objects = want / MIN_MEAN_BYTES;
		objects = vmalloc_array(max_objects, sizeof(*objects));
		if (!objects)
			return -ENOMEM;
	}
	while (live_bytes < want && nr_objects < max_objects) {
		p = gospan_alloc(draw_size(), GFP_KERNEL);
		if (!p) {
			pr_err("no memory at %llu bytes\n", live_bytes);
			return -ENOMEM;
		}
		if (is_sampled(p))
			object_write(p);
		count(p, 1);
		objects[nr_objects++] = p;
		cond_resched();
	}
	return live_bytes < want ? -ENOSPC : 0;
}

/* Free the @n-th; another takes its place. -EIO if it is not as it was. */
static int object_free(unsigned long n)
{
	void *p = objects[n];
	bool intact = !is_sampled(p) || object_is_intact(p);
	size_t bytes = gospan_size(p);

	objects[n] = objects[--nr_objects];
	count(p, -1);
	gospan_free(p);
	if (intact)
		return 0;
	pr_err("an object of %zu bytes is not what was written\n", bytes);
	return -EIO;
}

static int objects_free(unsigned int percent)
{
	unsigned long keep = nr_objects - mult_frac(nr_objects, percent, 100UL);
	int err = 0;

	while (nr_objects > keep && !err) {
		err = object_free(draw(nr_objects));
		cond_resched();
	}
	return err;
}

static int compare_pages(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* Pages that hold a live object, or part of one; 0: no memory. */
static unsigned long nr_live_pages(void)
{
	unsigned long *pages = vmalloc_array(nr_objects, 2 * sizeof(*pages));
	unsigned long i, page, distinct = 0, nr = 0;

	if (!pages)
		return 0;
	/* Of one of up to a page, which lies in two at most. */
	for (i = 0; i < nr_objects; i++) {
		page = (unsigned long)objects[i];
		pages[nr++] = page >> HEAP_PAGE_SHIFT;
		pages[nr++] = (page + gospan_size(objects[i]) - 1) >> HEAP_PAGE_SHIFT;
	}
	sort(pages, nr, sizeof(*pages), compare_pages, NULL);
	for (i = 0; i < nr; i++)
		distinct += !i || pages[i] != pages[i - 1];
	vfree(pages);
	return distinct;
}

/* Few objects live, anywhere: the pages of all spans without one are to come back. */
static int churn(unsigned int percent)
{
	unsigned long before, after, live, idle, empty, came;
	int err;

	if (large)
		return -EINVAL;
	gospan_read_stats(&stats);
	before = stats.heap_sys >> HEAP_PAGE_SHIFT;
	err = objects_free(percent);
	if (err)
		return err;
	gospan_trim();
	gospan_read_stats(&stats);
	after = stats.heap_sys >> HEAP_PAGE_SHIFT;
	idle = stats.heap_idle >> HEAP_PAGE_SHIFT;
	live = nr_live_pages();
	empty = before - live;
	came = (before - after) * 10000 / max(empty, 1UL);
	pr_info("%lu pages, %lu hold one of %lu live objects; of the %lu others %lu.%02lu %% came back\n",
		before, live, nr_objects, empty, came / 100, came % 100);
	pr_info("%lu stay in spans that hold a live object elsewhere, %lu are free and stay\n",
		after - idle - live, idle);
	/* Wider spans, as larger sizes have, are not given back in part. */
	return idle || (kernel && came < 9900) ? -EIO : 0;
}

/* What is free goes back, all of it. */
static int trim(void)
{
	size_t bytes = gospan_trim();

	gospan_read_stats(&stats);
	if (!stats.heap_idle && (stats.heap_objects || !stats.heap_sys))
		return 0;
	pr_err("%zu bytes were given back, %llu are held, %llu of them free\n", bytes,
	       stats.heap_sys, stats.heap_idle);
	return -EIO;
}

struct link {
	struct link *next;
	unsigned long tag;	/* address ^ TAG */
};

#define TAG	0x6761736eUL

static struct link *links_make(size_t bytes, gfp_t gfp, unsigned long *nr)
{
	struct link *first = NULL, *link;

	for (*nr = 0; ; ++*nr) {
		link = gospan_alloc(bytes, gfp | __GFP_NOWARN);
		if (!link)
			return first;
		link->tag = (unsigned long)link ^ TAG;
		link->next = first;
		first = link;
		count(link, 1);
		if (gfpflags_allow_blocking(gfp))
			cond_resched();
	}
}

static int links_free(struct link *link)
{
	struct link *next;

	for (; link; link = next) {
		next = link->next;
		if (link->tag != ((unsigned long)link ^ TAG)) {
			pr_err("an object is not what was written\n");
			return -EIO;
		}
		count(link, -1);
		gospan_free(link);
		cond_resched();
	}
	return 0;
}

static int exhaust(const char *kind, size_t bytes)
{
	ktime_t begin = ktime_get();
	unsigned long nr;
	struct link *links;
	char name[32];
	gfp_t gfp;
	int err;

	if (!strcmp(kind, "kernel"))
		gfp = GFP_KERNEL | __GFP_NORETRY;
	else if (!strcmp(kind, "nowait"))
		gfp = GFP_NOWAIT;
	else if (!strcmp(kind, "atomic"))
		gfp = GFP_ATOMIC;
	else
		return -EINVAL;
	if (bytes < sizeof(struct link))
		return -EINVAL;
	links = links_make(bytes, gfp, &nr);
	snprintf(name, sizeof(name), "%s %zu", kind, bytes);
	err = stage(name, begin);
	return links_free(links) ?: err;
}

/* Two kernel pages in a row that the kernel still has; they are held. */
static unsigned int hold_pairs(unsigned int limit)
{
	struct page *page;
	unsigned int nr;

	for (nr = 0; nr < limit; nr++) {
		page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 1);
		if (!page)
			break;
		split_page(page, 1);
		list_add(&page->lru, &held_pages);
		list_add(&page[1].lru, &held_pages);
	}
	return nr;
}

static int scarce(size_t bytes)
{
	ktime_t begin = ktime_get();
	unsigned long nr;
	struct link *links = links_make(bytes, GFP_ATOMIC, &nr);
	unsigned int left = hold_pairs(INT_MAX);
	int err = stage("scarce", begin);

	err = links_free(links) ?: err;
	pr_info("%lu objects of %zu bytes, then the kernel had %u pairs of pages left\n", nr,
		bytes, left);
	return left > MAX_PAIRS_LEFT ? -EIO : err;
}

static void pages_free(bool only_pairs)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &held_pages, lru) {
		if (only_pairs && page_to_pfn(page) & 2)
			continue;
		list_del(&page->lru);
		__free_page(page);
	}
}

/* Take all memory, and give back two pages in each four. */
static int fragment(void)
{
	struct page *page;
	int order, i;

	for (order = MAX_PAGE_ORDER; order >= 1; order--) {
		while ((page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, order))) {
			split_page(page, order);
			for (i = 0; i < 1 << order; i++)
				list_add(&page[i].lru, &held_pages);
		}
	}
	pages_free(true);
	return 0;
}

static int mend(void)
{
	pages_free(false);
	return 0;
}

static DEFINE_PER_CPU(int, percpu_variable);

/* Nothing of these is gospan's: it says so, and does not fault. */
static int foreign(void)
{
	void *vmalloced = vmalloc(PAGE_SIZE), *kmalloced = kmalloc(64, GFP_KERNEL);
	int on_stack;
	const void *const known[] = {
		NULL, ZERO_SIZE_PTR, ERR_PTR(-ENOMEM), (void *)(PAGE_OFFSET - 1), high_memory,
		vmalloced, kmalloced, &on_stack, raw_cpu_ptr(&percpu_variable),
		(void __force *)&percpu_variable, &stats, foreign, current,
	};
	unsigned int i, nr_owned = 0;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		nr_owned += gospan_owns(known[i]);
	/* The user's, those that are not canonical, with whatever page tables, the kernel's. */
	for (i = 0; i < BITS_PER_LONG; i++)
		nr_owned += gospan_owns((void *)BIT(i)) + gospan_owns((void *)(BIT(i) - 1)) +
			    gospan_owns((void *)-BIT(i)) + gospan_owns((void *)~BIT(i));
	kfree(kmalloced);
	vfree(vmalloced);
	if (!nr_owned)
		return 0;
	pr_err("%u addresses of others are taken for gospan's\n", nr_owned);
	return -EIO;
}

static int step_run(int argc, char **argv)
{
	ktime_t begin = ktime_get();
	unsigned long n = 0;
	int err;

	if (argc > 1 && kstrtoul(argv[argc - 1], 0, &n))
		return -EINVAL;
	if (argc == 3 && !strcmp(argv[0], "exhaust"))
		return exhaust(argv[1], n);
	if (argc == 2 && !strcmp(argv[0], "scarce"))
		return scarce(n);
	if (argc == 1 && !strcmp(argv[0], "fill"))
		err = objects_fill();
	else if (argc == 2 && !strcmp(argv[0], "free") && n <= 100)
		err = objects_free(n);
	else if (argc == 2 && !strcmp(argv[0], "churn") && n <= 100)
		err = churn(n);
	else if (argc == 1 && !strcmp(argv[0], "trim"))
		err = trim();
	else if (argc == 1 && !strcmp(argv[0], "fragment"))
		err = fragment();
	else if (argc == 1 && !strcmp(argv[0], "mend"))
		err = mend();
	else if (argc == 1 && !strcmp(argv[0], "foreign"))
		err = foreign();
	else
		return -EINVAL;
	return stage(argv[0], begin) ?: err;
}

static int step_set(const char *text, const struct kernel_param *kp)
{
	char **argv;
	int argc, err;

	argv = argv_split(GFP_KERNEL, text, &argc);
	if (!argv)
		return -ENOMEM;
	err = argc ? step_run(argc, argv) : -EINVAL;
	argv_free(argv);
	return err;
}

static const struct kernel_param_ops step_ops = { .set = step_set };

module_param_cb(step, &step_ops, NULL, 0200);
MODULE_PARM_DESC(step, "what to do next; see the source");

static int __init fill_init(void)
{
	prandom_seed_state(&rnd, seed);
	pr_info("%-12s %8s %9s %9s %9s %9s %10s %8s %7s\n", "KiB", "objects", "live", "held",
		"in spans", "free", "given back", "metadata", "ms");
	return 0;
}

static void __exit fill_exit(void)
{
	objects_free(100);
	vfree(objects);
	pages_free(false);
}

module_init(fill_init);
module_exit(fill_exit);
MODULE_DESCRIPTION("Fills gospan and empties it again");
MODULE_AUTHOR("The gospan developers");
MODULE_LICENSE("GPL");
