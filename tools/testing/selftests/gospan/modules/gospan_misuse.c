// SPDX-License-Identifier: GPL-2.0-only
/*
 * Misuses objects of gospan as a script tells it, so that the script can look at the
 * reports.
 *
 * echo "KIND BYTES" > /sys/module/gospan_misuse/parameters/step, where KIND is
 *
 *   double    free an object again
 *   interior  free a pointer into an object
 *   foreign   free what is not gospan's
 *   overrun   write a byte behind an object, and free it
 *   underrun  write a byte in front of it, and free it
 *   written   write to an object that was freed, and have it allocated again
 *   leak      allocate an object and forget it
 *   chain     allocate one and keep it; only it points to one that is kmalloc()'s
 *   noscan    the same, but nobody is to look for pointers in it
 *   found     free what was forgotten, and what was kept
 *   beside    read behind objects, until one had a page of its own
 *   freed     read objects that were freed, the same
 *
 * The allocator's callers here are functions of their own, whose names are in stacks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/gospan.h>

/* Objects that are allocated until one that was freed comes again. */
#define NR_OTHERS	256

static void *others[NR_OTHERS];
/* The object's address inverted: kmemleak is not to find it. */
static unsigned long forgotten;
/* One that it finds. */
static void **kept;

static noinline u8 *misuse_alloc(size_t bytes)
{
	u8 *p = gospan_alloc(bytes, GFP_KERNEL);

	/* No tail call: this function is to be in the stack. */
	barrier();
	return p;
}

static noinline void misuse_free(const void *p)
{
	gospan_free(p);
	barrier();
}

static void written(u8 *p, size_t bytes)
{
	unsigned int i, round;

	misuse_free(p);
	p[bytes / 2] = 0xee;
	/* The first frees make it leave the quarantine. */
	for (round = 0; round < 2; round++) {
		for (i = 0; i < NR_OTHERS; i++)
			others[i] = misuse_alloc(bytes);
		for (i = 0; i < NR_OTHERS; i++)
			misuse_free(others[i]);
	}
	/* kmemleak would find them. */
	memset(others, 0, sizeof(others));
}

/* In stacks, too. */
static noinline void *misuse_kmalloc(size_t bytes)
{
	void *p = kmalloc(bytes, GFP_KERNEL);

	barrier();
	return p;
}

static int chain(const char *kind, size_t bytes)
{
	void **p;

	p = strcmp(kind, "noscan") ? gospan_alloc(bytes, GFP_KERNEL) :
				     gospan_alloc_noscan(bytes, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	memset(p, 0, bytes);
	/* A small one: the more bytes, the more that is stale points to one of them. */
	*p = misuse_kmalloc(min_t(size_t, bytes, 97));
	kept = p;
	return *p ? 0 : -ENOMEM;
}

static int leak(const char *kind, size_t bytes)
{
	u8 *p = misuse_alloc(bytes);

	if (!p)
		return -ENOMEM;
	memset(p, 0x41, bytes);
	forgotten = ~(unsigned long)p;
	return 0;
}

/* A step for a thread of its own. */
struct work {
	int (*run)(const char *kind, size_t bytes);
	const char *kind;
	size_t bytes;
	int err;
	struct completion done;
};

static int work_run(void *data)
{
	struct work *w = data;

	w->err = w->run(w->kind, w->bytes);
	kthread_complete_and_exit(&w->done, 0);
}

/* By a thread that ends: kmemleak is not to find what its stack had. */
static int apart(int (*run)(const char *kind, size_t bytes), const char *kind, size_t bytes)
{
	struct work w = {
		.run = run, .kind = kind, .bytes = bytes,
		.done = COMPLETION_INITIALIZER_ONSTACK(w.done),
	};
	struct task_struct *t = kthread_run(work_run, &w, "gospan_misuse");

	if (IS_ERR(t))
		return PTR_ERR(t);
	wait_for_completion(&w.done);
	return w.err;
}

static void found(void)
{
	if (forgotten)
		misuse_free((void *)~forgotten);
	forgotten = 0;
	if (kept) {
		kfree(*kept);
		/* Free objects are looked at, too. */
		*kept = NULL;
		misuse_free(kept);
	}
	kept = NULL;
}

static noinline void misuse_read(const u8 *p)
{
	READ_ONCE(*p);
	barrier();
}

/* With guard_ms=10 some twenty have a page of their own, half of them end where it does. */
static int guarded(const char *kind, size_t bytes)
{
	unsigned long end = jiffies + msecs_to_jiffies(500);
	u8 *p;

	while (time_before(jiffies, end)) {
		p = misuse_alloc(bytes);
		if (!p)
			return -ENOMEM;
		if (!strcmp(kind, "beside"))
			misuse_read(p + bytes);
		misuse_free(p);
		if (!strcmp(kind, "freed"))
			misuse_read(p);
		cond_resched();
	}
	return 0;
}

static int step_run(const char *kind, size_t bytes)
{
	u8 *p;

	if (!strcmp(kind, "found")) {
		found();
		return 0;
	}
	if (!strcmp(kind, "chain") || !strcmp(kind, "noscan"))
		return apart(chain, kind, bytes);
	if (!strcmp(kind, "leak"))
		return apart(leak, kind, bytes);
	if (!strcmp(kind, "beside") || !strcmp(kind, "freed"))
		return guarded(kind, bytes);
	p = misuse_alloc(bytes);
	if (!p)
		return -ENOMEM;
	memset(p, 0x41, bytes);
	if (!strcmp(kind, "written")) {
		written(p, bytes);
		return 0;
	}
	if (!strcmp(kind, "interior"))
		misuse_free(p + bytes / 2);
	if (!strcmp(kind, "foreign"))
		misuse_free(step_run);
	if (!strcmp(kind, "overrun"))
		p[bytes] = 0xee;
	if (!strcmp(kind, "underrun"))
		p[-1] = 0xee;
	misuse_free(p);
	if (!strcmp(kind, "double"))
		misuse_free(p);
	return 0;
}

static int step_set(const char *text, const struct kernel_param *kp)
{
	char kind[16];
	size_t bytes;

	if (sscanf(text, "%15s %zu", kind, &bytes) != 2)
		return -EINVAL;
	return step_run(kind, bytes);
}

static const struct kernel_param_ops step_ops = { .set = step_set };

module_param_cb(step, &step_ops, NULL, 0200);
MODULE_PARM_DESC(step, "what to do next; see the source");

static int __init misuse_init(void)
{
	return 0;
}

static void __exit misuse_exit(void)
{
}

module_init(misuse_init);
module_exit(misuse_exit);
MODULE_DESCRIPTION("Misuses objects of gospan");
MODULE_AUTHOR("The gospan developers");
MODULE_LICENSE("GPL");
