// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests: contexts to misuse an object in, and the reports of it.
 */
#include <linux/compiler.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/spinlock.h>
#include <linux/gospan.h>
#include "../src/debug.h"
#include "misuse.h"

const char *const gospan_kunit_context_names[GOSPAN_KUNIT_NR_CONTEXTS] = {
	"task", "irqs_off", "hardirq",
};

struct gospan_kunit_seen gospan_kunit_seen;

static DEFINE_RAW_SPINLOCK(seen_lock);

static void hook(const struct gospan_misuse *m)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&seen_lock, flags);
	gospan_kunit_seen.m = *m;
	if (m->record)
		gospan_kunit_seen.record = *m->record;
	gospan_kunit_seen.nr++;
	raw_spin_unlock_irqrestore(&seen_lock, flags);
}

/* From now on reports come here. */
void gospan_kunit_listen(void)
{
	gospan_kunit_seen.nr = 0;
	WRITE_ONCE(gospan_report_hook, hook);
}

void gospan_kunit_unlisten(void)
{
	WRITE_ONCE(gospan_report_hook, NULL);
}

/* .suite_exit of suites that put classes under debug: their caches are others' again. */
void gospan_kunit_debug_exit(struct kunit_suite *suite)
{
	struct gospan_cache *cache;
	unsigned int i;

	for (i = 0; i < GOSPAN_NR_SIZECLASSES; i++) {
		cache = gospan_debug_classes[i].cache;
		gospan_debug_classes[i].cache = NULL;
		gospan_cache_destroy(cache);
	}
}

struct call {
	struct irq_work work;
	void (*fn)(void *data);
	void *data;
};

static void call_in_irq(struct irq_work *work)
{
	struct call *call = container_of(work, struct call, work);

	call->fn(call->data);
}

/* Call @fn on this CPU. */
void gospan_kunit_call_in(enum gospan_kunit_context context, void (*fn)(void *data), void *data)
{
	struct call call = { .work = IRQ_WORK_INIT_HARD(call_in_irq), .fn = fn, .data = data };
	unsigned long flags;

	switch (context) {
	case GOSPAN_KUNIT_IRQS_OFF:
		local_irq_save(flags);
		fn(data);
		local_irq_restore(flags);
		break;
	case GOSPAN_KUNIT_HARDIRQ:
		irq_work_queue(&call.work);
		irq_work_sync(&call.work);
		break;
	default:
		fn(data);
	}
}
