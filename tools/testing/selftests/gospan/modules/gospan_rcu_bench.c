// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a free costs that RCU puts off, until it is done: "objects" of 64 bytes, by
 * gospan_free_rcu() beside kfree_rcu(), as the module is loaded.
 *
 * Much of it is done by others: callbacks, workers. So a task of least priority
 * counts the time that it gets itself, until the barrier returns; the rest of that
 * time is the cost. What RCU takes for a grace period with one empty callback is
 * subtracted. For a machine of one CPU, whose time is counted in instructions.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gospan.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timex.h>

#define NR_ROUNDS	25
/* Between two readings, if nothing came between. */
#define SPIN_TICKS	200

static unsigned int objects = 1000;
module_param(objects, uint, 0444);
MODULE_PARM_DESC(objects, "how many in each round");

struct object {
	u64 words[6];
	struct rcu_head rcu;
};

/* What one allocator did, at best. */
struct figures {
	const char *name;
	/* Of all; false if memory ran out. */
	bool (*alloc)(void);
	void (*free)(void);
	void (*wait)(void);
	u64 call_ticks;		/* in the calls */
	u64 ticks;		/* until all is free */
};

static struct object **table;
static u64 spun_ticks;		/* of the spinner; it is not interrupted by who reads it */

static int spinner_run(void *unused)
{
	u64 last = get_cycles(), now;

	while (!kthread_should_stop()) {
		now = get_cycles();
		if (now - last < SPIN_TICKS)
			WRITE_ONCE(spun_ticks, spun_ticks + (now - last));
		last = now;
		cond_resched();
	}
	return 0;
}

static struct rcu_head empty_head;

static void empty_callback(struct rcu_head *rcu)
{
}

static bool empty_alloc(void)
{
	return true;
}

static void empty_free(void)
{
	call_rcu_hurry(&empty_head, empty_callback);
}

static bool gospan_alloc_all(void)
{
	unsigned int i;

	for (i = 0; i < objects; i++) {
		table[i] = gospan_alloc(sizeof(*table[i]), GFP_KERNEL);
		if (!table[i])
			return false;
	}
	return true;
}

static void gospan_free_all(void)
{
	unsigned int i;

	for (i = 0; i < objects; i++)
		gospan_free_rcu(table[i], rcu);
}

static bool kernel_alloc_all(void)
{
	unsigned int i;

	for (i = 0; i < objects; i++) {
		table[i] = kmalloc(sizeof(*table[i]), GFP_KERNEL);
		if (!table[i])
			return false;
	}
	return true;
}

static void kernel_free_all(void)
{
	unsigned int i;

	for (i = 0; i < objects; i++)
		kfree_rcu(table[i], rcu);
}

static struct figures figures[] = {
	{ "no object", empty_alloc, empty_free, rcu_barrier },
	{ "gospan_free_rcu", gospan_alloc_all, gospan_free_all, gospan_rcu_barrier },
	{ "kfree_rcu", kernel_alloc_all, kernel_free_all, kvfree_rcu_barrier },
};

static int measure(struct figures *f)
{
	u64 start, called, spun;

	if (!f->alloc())
		return -ENOMEM;
	/* From nothing under way. */
	f->wait();
	spun = READ_ONCE(spun_ticks);
	start = get_cycles();
	f->free();
	called = get_cycles() - start;
	f->wait();
	start = get_cycles() - start;
	spun = READ_ONCE(spun_ticks) - spun;
	f->call_ticks = min(f->call_ticks, called);
	f->ticks = min(f->ticks, start - spun);
	return 0;
}

static int measure_all(void)
{
	unsigned int i, round;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		figures[i].call_ticks = U64_MAX;
		figures[i].ticks = U64_MAX;
	}
	for (round = 0; round < NR_ROUNDS && !err; round++)
		for (i = 0; i < ARRAY_SIZE(figures) && !err; i++)
			err = measure(&figures[i]);
	return err;
}

static void report(void)
{
	struct figures *none = &figures[0], *f;

	pr_info("ticks for each of %u objects of %zu bytes; grace period alone %llu\n", objects,
		sizeof(struct object), none->ticks);
	for (f = figures + 1; f < figures + ARRAY_SIZE(figures); f++)
		pr_info("%-16s %llu in the call, %llu until it is free\n", f->name,
			f->call_ticks / objects, (f->ticks - none->ticks) / objects);
}

static int __init bench_init(void)
{
	struct task_struct *spinner;
	int err;

	if (!objects)
		return -EINVAL;
	table = kvcalloc(objects, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	spinner = kthread_create(spinner_run, NULL, "gospan_spinner");
	err = PTR_ERR_OR_ZERO(spinner);
	if (err)
		goto err_free;
	set_user_nice(spinner, MAX_NICE);
	wake_up_process(spinner);
	err = measure_all();
	kthread_stop(spinner);
	if (!err)
		report();
err_free:
	kvfree(table);
	return err;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("What a free costs that RCU puts off");
MODULE_AUTHOR("The gospan developers");
MODULE_LICENSE("GPL");
