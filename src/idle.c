// SPDX-License-Identifier: GPL-2.0-only
/*
 * Idle: takes what idle CPUs cache, without waking them, and has central lists give
 * back what nobody used.
 *
 * Once in a while each CPU's mcache is looked at. One that nothing was popped
 * from or pushed to since is parked: gospan_mcache_parked is put into the CPU's
 * slot in its place. The CPU may just then have claimed it; but a claim ends
 * with preemption off, so after an RCU grace period it has, and has put the
 * mcache back into the slot. If the slot says parked still, nobody has the
 * mcache, nor can anybody get at it, and its objects go to the central lists.
 *
 * The CPU finds its slot parked in its slow paths, and takes its mcache again;
 * while that is being emptied it does without, as an interrupt does that finds
 * the mcache claimed. Hot paths do not know of it.
 *
 * Go's P is stolen from by others only at a safe point, and a P without work
 * gives its mcache up itself.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include "compat.h"
#include "idle.h"
#include "mcache.h"

static unsigned int idle_ms = 2000;
module_param(idle_ms, uint, 0444);
MODULE_PARM_DESC(idle_ms, "milliseconds after which what is cached and unused goes back to the heap, at most twice as many (default 2000); 0: never");

/* Each CPU's mcache as it was last seen; by the work only. */
static DEFINE_PER_CPU(unsigned long, seen);
static struct delayed_work idle_work;

/*
 * All CPUs that were idle since the last time, and what was not used of the central
 * lists. Returns how many CPUs. Task; sleeps.
 */
unsigned int gospan_idle_drain(void)
{
	unsigned int cpu, nr = 0;
	cpumask_var_t parked;

	if (!zalloc_cpumask_var(&parked, GFP_KERNEL))
		return 0;
	/* One that goes down empties its mcache itself. */
	cpus_read_lock();
	mutex_lock(&gospan_mcache_parking);
	for_each_online_cpu(cpu) {
		unsigned long now = gospan_mcache_fingerprint(cpu);

		if (now == per_cpu(seen, cpu) && gospan_mcache_park(cpu))
			cpumask_set_cpu(cpu, parked);
		per_cpu(seen, cpu) = now;
	}
	if (!cpumask_empty(parked))
		synchronize_rcu();
	for_each_cpu(cpu, parked)
		nr += gospan_mcache_drain_parked(cpu);
	gospan_mcentral_age_all();
	mutex_unlock(&gospan_mcache_parking);
	cpus_read_unlock();
	free_cpumask_var(parked);
	return nr;
}

static void idle_schedule(void)
{
	queue_delayed_work(system_dfl_wq, &idle_work, msecs_to_jiffies(idle_ms));
}

static void idle_work_fn(struct work_struct *work)
{
	gospan_idle_drain();
	idle_schedule();
}

/* After the mcaches. */
void gospan_idle_init(void)
{
	INIT_DEFERRABLE_WORK(&idle_work, idle_work_fn);
	if (idle_ms)
		idle_schedule();
}

/* Before them. */
void gospan_idle_exit(void)
{
	cancel_delayed_work_sync(&idle_work);
}
