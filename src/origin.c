// SPDX-License-Identifier: GPL-2.0-only
/*
 * Origin: where an object was allocated, in a word.
 *
 * The handle of a stack in the kernel's depot, which keeps equal ones once, for
 * good; where there is no depot, or it has no memory, the caller's address. So is
 * it where addresses of the kernel may be as low as handles.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include "origin.h"
#include "supply.h"

/* Frames kept: a report is read by people. */
#define ORIGIN_FRAMES	16
/* Their names, with modules. */
#define ORIGIN_TEXT_BYTES	SZ_4K

#if GOSPAN_ORIGIN_HAS_STACKS

/* The depot takes memory when it is first needed. Task; may sleep. */
int gospan_origin_init(void)
{
	return stack_depot_init();
}

static unsigned long stack_save(gfp_t gfp)
{
	unsigned long frames[ORIGIN_FRAMES];
	unsigned int nr;

	/* The depot calls the page allocator. */
	if (!gospan_supply_may_allocate())
		return 0;
	/* The first are ours; how many, the compiler decides. */
	nr = stack_trace_save(frames, ARRAY_SIZE(frames), 0);
	return stack_depot_save(frames, nr, gfp & ~__GFP_NOFAIL);
}

static void stack_print(unsigned long handle)
{
	stack_depot_print(handle);
}

static void stack_show(struct seq_file *file, unsigned long handle)
{
	char *text = kmalloc(ORIGIN_TEXT_BYTES, GFP_KERNEL);

	if (!text)
		return;
	stack_depot_snprint(handle, text, ORIGIN_TEXT_BYTES, 4);
	seq_puts(file, text);
	kfree(text);
}

#else

int gospan_origin_init(void)
{
	return 0;
}

static unsigned long stack_save(gfp_t gfp)
{
	return 0;
}

static void stack_print(unsigned long handle)
{
}

static void stack_show(struct seq_file *file, unsigned long handle)
{
}

#endif

/**
 * gospan_origin_save() - note who allocates
 * @ip: address in the caller to note where the stack cannot be
 * @gfp: how the depot may allocate
 *
 * Context: Any but NMI; sleeps if @gfp allows it. After gospan_origin_init().
 * Return: a word for gospan_origin_print().
 */
unsigned long gospan_origin_save(unsigned long ip, gfp_t gfp)
{
	return stack_save(gfp) ?: ip;
}

static bool origin_is_stack(unsigned long origin)
{
	return GOSPAN_ORIGIN_HAS_STACKS && origin <= U32_MAX;
}

void gospan_origin_print(unsigned long origin)
{
	if (!origin)
		return;
	if (origin_is_stack(origin))
		stack_print(origin);
	else
		pr_err("    %pS\n", (void *)origin);
}

/* That the caller does it now; with its stack, unless in NMI. Any context. */
void gospan_track_note(struct gospan_track *t, bool stack, gfp_t gfp)
{
	*t = (struct gospan_track){
		.origin = stack && !in_nmi() ? gospan_origin_save(0, gfp) : 0,
		.ns = local_clock(),
		.pid = current->pid,
		.cpu = raw_smp_processor_id(),
	};
}

/* The same into a file. Task; sleeps. */
void gospan_origin_show(struct seq_file *file, unsigned long origin)
{
	if (!origin)
		return;
	if (origin_is_stack(origin))
		stack_show(file, origin);
	else
		seq_printf(file, "    %pS\n", (void *)origin);
}
