// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests: what every call that allocates an object promises, in each context that
 * a caller can bring about.
 *
 * Of each size two objects at once, twice, so that the memory is dirty the second
 * time: they are large enough, and all of both may be written.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/gospan.h>
#include "../src/malloc.h"
#include "contract.h"
#include "helper.h"

#define JUNK	0xa5

static const char *contract_object(const struct gospan_contract *k, void *p, size_t size,
				   gfp_t gfp)
{
	const char *what;

	if (!p)
		return "not allocated";
	if (!gospan_owns(p) || !gospan_owns(p + size - 1))
		return "not owned";
	if (gospan_size(p) < size)
		return "too small";
	what = k->check(p, size, gfp);
	memset(p, JUNK, gospan_size(p));
	return what;
}

/* Both are live. What is free beside one may have become a part of it, or of the other. */
static const char *contract_apart(char *p, char *q)
{
	if (p < q + gospan_size(q) && q < p + gospan_size(p))
		return "objects overlap";
	memset(p, JUNK, gospan_size(p));
	memset(q, 0, gospan_size(q));
	return memchr_inv(p, JUNK, gospan_size(p)) ? "objects share memory" : NULL;
}

static const char *contract_size(const struct gospan_contract *k, size_t size, gfp_t gfp)
{
	const char *what = NULL;
	unsigned int round;

	for (round = 0; round < 2 && !what; round++) {
		char *p = k->alloc(size, gfp), *q;

		what = contract_object(k, p, size, gfp);
		q = k->alloc(size, gfp);
		what = what ?: contract_object(k, q, size, gfp);
		what = what ?: contract_apart(p, q);
		if (q)
			memset(q, JUNK, gospan_size(q));
		k->free(p);
		k->free(q);
	}
	return what;
}

void gospan_contract_in_task(const struct gospan_contract *k, gfp_t gfp,
			     struct gospan_contract_result *result)
{
	unsigned int i;

	for (i = 0; i < gospan_kunit_nr_sizes && !result->what; i++) {
		result->size = gospan_kunit_sizes[i];
		if (!k->max_size || result->size <= k->max_size)
			result->what = contract_size(k, result->size, gfp);
	}
}

void gospan_contract_bh_off(const struct gospan_contract *k, gfp_t gfp,
			    struct gospan_contract_result *result)
{
	local_bh_disable();
	gospan_contract_in_task(k, gfp, result);
	local_bh_enable();
}

void gospan_contract_preempt_off(const struct gospan_contract *k, gfp_t gfp,
				 struct gospan_contract_result *result)
{
	preempt_disable();
	gospan_contract_in_task(k, gfp, result);
	preempt_enable();
}

void gospan_contract_irqs_off(const struct gospan_contract *k, gfp_t gfp,
			      struct gospan_contract_result *result)
{
	unsigned long flags;

	local_irq_save(flags);
	gospan_contract_in_task(k, gfp, result);
	local_irq_restore(flags);
}

static void contract_in_spinlock(const struct gospan_contract *k, gfp_t gfp,
				 struct gospan_contract_result *result)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	gospan_contract_in_task(k, gfp, result);
	spin_unlock(&lock);
}

static void contract_while_claimed(const struct gospan_contract *k, gfp_t gfp,
				   struct gospan_contract_result *result)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);

	gospan_contract_in_task(k, gfp, result);
	gospan_mcache_release(slot, c);
}

struct contract_irq {
	struct irq_work work;
	struct completion done;
	const struct gospan_contract *k;
	gfp_t gfp;
	struct gospan_contract_result *result;
	bool in_hardirq;
};

static void contract_irq(struct irq_work *work)
{
	struct contract_irq *irq = container_of(work, struct contract_irq, work);

	irq->in_hardirq = in_hardirq();
	gospan_contract_in_task(irq->k, irq->gfp, irq->result);
	complete(&irq->done);
}

void gospan_contract_in_hardirq(const struct gospan_contract *k, gfp_t gfp,
				struct gospan_contract_result *result)
{
	struct contract_irq irq = { .k = k, .gfp = gfp, .result = result };

	irq.work = IRQ_WORK_INIT_HARD(contract_irq);
	init_completion(&irq.done);
	irq_work_queue(&irq.work);
	wait_for_completion(&irq.done);
	irq_work_sync(&irq.work);
	if (!irq.in_hardirq)
		result->what = "not in a hardirq";
}

const struct gospan_contract_context gospan_contract_contexts[] = {
	{ "task_kernel", GFP_KERNEL, gospan_contract_in_task },
	{ "task_kernel_zero", GFP_KERNEL | __GFP_ZERO, gospan_contract_in_task },
	{ "task_kernel_account", GFP_KERNEL_ACCOUNT, gospan_contract_in_task },
	{ "task_nofail", GFP_KERNEL | __GFP_NOFAIL, gospan_contract_in_task },
	{ "task_noio", GFP_NOIO, gospan_contract_in_task },
	{ "task_nowait", GFP_NOWAIT, gospan_contract_in_task },
	{ "bh_off_atomic", GFP_ATOMIC, gospan_contract_bh_off },
	{ "bh_off_atomic_zero", GFP_ATOMIC | __GFP_ZERO, gospan_contract_bh_off },
	{ "spinlock_atomic", GFP_ATOMIC, contract_in_spinlock },
	{ "preempt_off_nowait", GFP_NOWAIT, gospan_contract_preempt_off },
	{ "preempt_off_nowait_zero", GFP_NOWAIT | __GFP_ZERO, gospan_contract_preempt_off },
	{ "irqs_off_atomic", GFP_ATOMIC, gospan_contract_irqs_off },
	{ "irqs_off_atomic_zero", GFP_ATOMIC | __GFP_ZERO, gospan_contract_irqs_off },
	{ "hardirq_atomic", GFP_ATOMIC, gospan_contract_in_hardirq },
	{ "hardirq_atomic_zero", GFP_ATOMIC | __GFP_ZERO, gospan_contract_in_hardirq },
	{ "claimed_nowait", GFP_NOWAIT, contract_while_claimed },
	{ "claimed_nowait_zero", GFP_NOWAIT | __GFP_ZERO, contract_while_claimed },
};

void gospan_contract_context_name(const struct gospan_contract_context *context, char *name)
{
	strscpy(name, context->name, KUNIT_PARAM_DESC_SIZE);
}

void gospan_contract_try(struct kunit *test, const struct gospan_contract *k,
			 const struct gospan_contract_context *context)
{
	struct gospan_contract_result result = {};

	context->run(k, context->gfp, &result);
	KUNIT_EXPECT_NULL_MSG(test, result.what, "%zu bytes: %s", result.size, result.what);
}

void gospan_contract_test(struct kunit *test, const struct gospan_contract *k)
{
	const struct gospan_contract_context *context = test->param_value;

	if (IS_ENABLED(CONFIG_PREEMPT_RT) && !(context->gfp & __GFP_DIRECT_RECLAIM))
		kunit_skip(test, "PREEMPT_RT cannot grow with preemption off");
	gospan_contract_try(test, k, context);
}
