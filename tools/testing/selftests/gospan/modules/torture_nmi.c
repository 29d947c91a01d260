// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs of the torture test, at random intervals, to all CPUs at once. x86 only.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/nmi.h>
#include "torture.h"

#define MAX_INTERVAL_US	500
/* An interval is at least this many times what the longest took. */
#define NMI_SHARE	8

static struct torture_actor *nmi_actors;	/* by CPU */
static struct task_struct *sender;
static bool paused;
static u64 longest_ns;		/* of those since the last was sent */

static int nmi_handle(unsigned int type, struct pt_regs *regs)
{
	u64 begin = ktime_get_mono_fast_ns(), ns;

	/* Pairs with torture_nmi_pause(), which then waits for NMIs that have not seen it. */
	if (READ_ONCE(paused))
		return NMI_HANDLED;
	torture_step(&nmi_actors[smp_processor_id()]);
	ns = ktime_get_mono_fast_ns() - begin;
	if (ns > READ_ONCE(longest_ns))
		WRITE_ONCE(longest_ns, ns);
	return NMI_HANDLED;
}

/* When does not depend on the seed, nor would it help. */
static int sender_run(void *unused)
{
	unsigned long flags;
	u64 ns;

	while (!kthread_should_stop()) {
		ns = xchg(&longest_ns, 0);
		local_irq_save(flags);
		apic->send_IPI_mask(cpu_online_mask, NMI_VECTOR);
		local_irq_restore(flags);
		fsleep(1 + get_random_u32() % MAX_INTERVAL_US + NMI_SHARE * ns / NSEC_PER_USEC);
	}
	return 0;
}

void torture_nmi_pause(bool pause)
{
	WRITE_ONCE(paused, pause);
}

int torture_nmi_start(struct torture_actor *actors)
{
	int err;

	nmi_actors = actors;
	err = register_nmi_handler(NMI_LOCAL, nmi_handle, 0, "gospan_torture");
	if (err)
		return err;
	sender = kthread_run(sender_run, NULL, "gospan_torture/nmi");
	if (!IS_ERR(sender))
		return 0;
	unregister_nmi_handler(NMI_LOCAL, "gospan_torture");
	return PTR_ERR(sender);
}

void torture_nmi_stop(void)
{
	if (IS_ERR_OR_NULL(sender))
		return;
	kthread_stop(sender);
	unregister_nmi_handler(NMI_LOCAL, "gospan_torture");
	sender = NULL;
}
