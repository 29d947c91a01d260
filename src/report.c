// SPDX-License-Identifier: GPL-2.0-only
/*
 * Misuse: reported once of each kind, counted always.
 *
 * A pointer that should not have been handed back is left alone: its memory
 * leaks rather than being used twice. The first of each kind is printed with
 * the stack that handed it back; the rest only count, so that a broken caller
 * cannot drown the log.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include "report.h"

static const char *const verdict_text[GOSPAN_NR_VERDICTS] = {
	[GOSPAN_FREE_FOREIGN] = "pointer that is not a live object of gospan",
	[GOSPAN_FREE_INTERIOR] = "pointer into the middle of an object",
	[GOSPAN_FREE_DOUBLE] = "object that is free already",
	[GOSPAN_FREE_OTHER] = "object freed to a cache that it is not from",
};

static atomic_long_t nr_misuses;
static unsigned long reported;	/* bit per verdict, atomic */

/* Any context. */
void gospan_report_misuse(enum gospan_verdict verdict, const void *p)
{
	atomic_long_inc(&nr_misuses);
	if (test_and_set_bit(verdict, &reported))
		return;
	pr_err("misuse: %s: %px, CPU %d, task %s/%d; it is ignored, and so are others like it\n",
	       verdict_text[verdict], p, raw_smp_processor_id(), current->comm, current->pid);
	dump_stack();
}

/* Count one that the caller prints. */
void gospan_report_add(void)
{
	atomic_long_inc(&nr_misuses);
}

/* Since load. */
unsigned long gospan_report_count(void)
{
	return atomic_long_read(&nr_misuses);
}
