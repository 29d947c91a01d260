// SPDX-License-Identifier: GPL-2.0-only
/*
 * Misuse: counted always, reported at first, or each time where records tell more.
 *
 * A pointer that should not have been handed back is left alone: its memory
 * leaks rather than being used twice. The first of each kind is printed with
 * the stack that handed it back; the rest only count, so that a broken caller
 * cannot drown the log. Objects of classes under debug are few and have more to
 * tell: of them each is printed, as long as there are not too many at a time.
 *
 * KASAN and KFENCE report alike: what, where, who allocated and freed it, and the
 * bytes around.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/time64.h>
#include <linux/uaccess.h>
#include "mheap.h"
#include "origin.h"
#include "report.h"

/* Bytes printed on either side of a damage, and of them in a line. */
#define AROUND_BYTES	32UL
#define LINE_BYTES	16UL

static bool panic_on_misuse;
module_param(panic_on_misuse, bool, 0644);
MODULE_PARM_DESC(panic_on_misuse, "panic when an object is misused (default N)");

static const char *const verdict_text[GOSPAN_NR_VERDICTS] = {
	[GOSPAN_FREE_FOREIGN] = "pointer that is not a live object of gospan",
	[GOSPAN_FREE_INTERIOR] = "pointer into the middle of an object",
	[GOSPAN_FREE_DOUBLE] = "object that is free already",
	[GOSPAN_FREE_OTHER] = "object freed to a cache that it is not from",
	[GOSPAN_FREE_OVERRUN] = "object that was written behind",
	[GOSPAN_FREE_UNDERRUN] = "object that was written in front of",
	[GOSPAN_FREE_DAMAGED] = "object whose record was written over",
	[GOSPAN_ALLOC_WRITTEN] = "object that was written to after it was freed",
	[GOSPAN_GUARD_BESIDE] = "access beside an object",
	[GOSPAN_GUARD_FREED] = "access to an object that is free",
};

static atomic_long_t nr_misuses;
static unsigned long reported;	/* bit per verdict, atomic */
void (*gospan_report_hook)(const struct gospan_misuse *m);

static void print_place(const struct gospan_misuse *m)
{
	if (m->ip)
		pr_err("  %s at %pS\n", m->write ? "write" : "read", (void *)m->ip);
	if (m->guarded)
		pr_err("  between guard pages\n");
	else if (m->spanclass != GOSPAN_SPANCLASS_NONE)
		pr_err("  in a span of %u pages at %#lx, of %s objects\n", m->npages, m->addr,
		       m->spanclass == GOSPAN_SPANCLASS_LARGE ? "large" :
		       gospan_spanclass_is_cache(m->spanclass) ? "a cache's" : "a size class's");
	if (!m->object)
		return;
	if (m->p < m->object)
		pr_err("  %td bytes in front of the %zu bytes at %px\n", m->object - m->p, m->bytes,
		       m->object);
	else if (m->p < m->object + m->bytes)
		pr_err("  %td bytes into the %zu bytes at %px\n", m->p - m->object, m->bytes,
		       m->object);
	else
		pr_err("  %td bytes behind the %zu bytes at %px\n",
		       m->p - m->object - m->bytes, m->bytes, m->object);
}

static void print_track(const struct gospan_track *t, const char *what)
{
	/* Another may free it at the same time. */
	const struct gospan_track track = data_race(*t);
	unsigned long rest;
	u64 ns = track.ns;

	if (!ns)
		return;
	rest = do_div(ns, NSEC_PER_SEC);
	pr_err("  %s by task %d on CPU %u at %llu.%06lu s\n", what, track.pid, track.cpu, ns,
	       rest / NSEC_PER_USEC);
	gospan_origin_print(track.origin);
}

/* What is in the span, or the object's page, around @p. */
static void print_bytes(const struct gospan_misuse *m)
{
	unsigned long limit = m->addr + (m->guarded ? PAGE_SIZE :
					 (unsigned long)m->npages << GOSPAN_PAGE_SHIFT);
	unsigned long line = max(((unsigned long)m->p & -LINE_BYTES) - AROUND_BYTES, m->addr);
	unsigned long to = min(line + 2 * AROUND_BYTES + LINE_BYTES, limit);
	char text[3 * LINE_BYTES + 1];
	u8 bytes[LINE_BYTES];

	for (; line < to; line += LINE_BYTES) {
		/* A page may be hidden, or become so. */
		if (copy_from_kernel_nofault(bytes, (const void *)line, LINE_BYTES))
			return;
		hex_dump_to_buffer(bytes, LINE_BYTES, LINE_BYTES, 1, text, sizeof(text), false);
		pr_err("  %#lx: %s\n", line, text);
	}
}

static void print_misuse(const struct gospan_misuse *m)
{
	pr_err("misuse: %s: %px, CPU %d, task %s/%d%s\n", verdict_text[m->verdict], m->p,
	       raw_smp_processor_id(), current->comm, current->pid,
	       m->record ? "" : "; it is ignored, and so are others like it");
	print_place(m);
	dump_stack();
	if (!m->record)
		return;
	/* What is written over tells nothing. */
	if (m->verdict != GOSPAN_FREE_DAMAGED) {
		print_track(&m->record->alloc, "allocated");
		print_track(&m->record->free, "freed");
	}
	print_bytes(m);
}

static bool is_to_be_printed(const struct gospan_misuse *m)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);

	return m->record ? __ratelimit(&limit) : !test_and_set_bit(m->verdict, &reported);
}

/* Any context. */
void gospan_report(const struct gospan_misuse *m)
{
	void (*hook)(const struct gospan_misuse *m) = READ_ONCE(gospan_report_hook);

	atomic_long_inc(&nr_misuses);
	if (hook)
		return hook(m);
	if (is_to_be_printed(m))
		print_misuse(m);
	if (READ_ONCE(panic_on_misuse))
		panic("gospan: misuse: %s: %px\n", verdict_text[m->verdict], m->p);
}

/* Where @p lies. A span looked up with a pointer that is not ours may go at any time. */
static void misuse_locate(struct gospan_misuse *m, const struct gospan_span *s, const void *object)
{
	m->spanclass = READ_ONCE(s->spanclass);
	m->addr = gospan_span_addr(s);
	m->npages = s->npages;
	if (!object)
		return;
	m->object = object;
	m->record = gospan_record_of(s, object);
	m->bytes = m->record ? m->record->asked : gospan_span_object_bytes(s, object);
}

/* Any context. */
void gospan_report_misuse(enum gospan_verdict verdict, const void *p)
{
	struct gospan_misuse m = { .verdict = verdict, .p = p };
	const struct gospan_span *s;

	rcu_read_lock();
	s = gospan_arena_span_of(&gospan_heap.arenas, p);
	if (s)
		misuse_locate(&m, s, gospan_span_object(s, p));
	gospan_report(&m);
	rcu_read_unlock();
}

/* The same about an object with a record, that the caller has; @p is where it is damaged. */
void gospan_report_object(enum gospan_verdict verdict, const void *p, const struct gospan_span *s,
			  const void *object)
{
	struct gospan_misuse m = { .verdict = verdict, .p = p };

	misuse_locate(&m, s, object);
	gospan_report(&m);
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
