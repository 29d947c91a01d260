// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls all of gospan's API at random, from tasks, softirqs, hardirqs, callbacks of
 * RCU and, if asked for, NMIs, on all CPUs, for as long as a script wants.
 *
 * A team for each CPU: a task that moves from CPU to CPU, two timers, an irq_work
 * and a callback of RCU, each an actor of its own (torture_step.c), with objects that
 * pass between them all (torture_object.c).
 *
 * They are told what to do by words written to the parameter "state": "run"; "pause",
 * which returns when nobody is at work and the objects have been looked at; "stop",
 * which also frees all, prints a table, and fails if anything was wrong. In a pause
 * "step N" makes N steps, the same each time, in the writer's own context.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "compat.h"
#include "torture.h"

#define STEPS_IN_IRQ	16
#define STEPS_IN_TASK	128
/* Then it moves. */
#define MOVE_ROUNDS	32
#define TASK_NICE	10
#define MAX_INTERVAL_US	1000
#define MAX_READS	50
/* A timer's interval is this many times what it takes, for each CPU: all may be on one. */
#define IRQ_SHARE	4

static unsigned int seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of all that is drawn at random; 0: draw it");

static bool nmi;
module_param(nmi, bool, 0444);
MODULE_PARM_DESC(nmi, "in NMIs, too (default N)");

static bool may_fail;
module_param(may_fail, bool, 0644);
MODULE_PARM_DESC(may_fail, "memory is made to run out: allocations may fail as often as they like");

/* What interrupts the task, or others, and how. */
enum { IN_TASK, IN_PATIENT_TASK, IN_HARD_TIMER, IN_SOFT_TIMER, IN_IRQ_WORK, IN_RCU, NR_ACTORS };

#define NR_TASKS	2	/* the first ones */

static const enum torture_context actor_context[NR_ACTORS] = {
	TORTURE_TASK, TORTURE_TASK, TORTURE_HARDIRQ, TORTURE_SOFTIRQ, TORTURE_HARDIRQ, TORTURE_RCU,
};

static const char *const context_name[NR_TORTURE_CONTEXTS] = {
	"task", "softirq", "hardirq", "RCU", "NMI",
};

struct team {
	struct task_struct *task[NR_TASKS];
	struct hrtimer hard_timer, soft_timer;
	struct irq_work work;
	struct rcu_head rcu;
	unsigned long rcu_pending;	/* bit 0: @rcu is on its way */
	struct torture_actor actor[NR_ACTORS];
};

static struct team *teams;
static unsigned int nr_teams;
static struct torture_actor *nmi_actors;	/* by CPU */
static struct torture_actor judge;		/* whoever writes to "state" */
static bool paused;		/* interrupts and callbacks return at once */
/* Under the lock of the module's parameters. */
static bool running, started;

static void irq_run(struct torture_actor *a)
{
	unsigned int i;

	if (READ_ONCE(paused))
		return;
	for (i = 0; i < STEPS_IN_IRQ; i++)
		torture_step(a);
}

/* As often as the machine can stand it. */
static enum hrtimer_restart timer_run(struct hrtimer *timer, struct torture_actor *a)
{
	u64 begin = ktime_get_ns(), interval = torture_draw(a, MAX_INTERVAL_US) + 1, took;

	irq_run(a);
	took = ktime_get_ns() - begin;
	hrtimer_forward_now(timer, interval * NSEC_PER_USEC +
				   took * IRQ_SHARE * num_possible_cpus());
	return HRTIMER_RESTART;
}

static enum hrtimer_restart hard_timer_run(struct hrtimer *timer)
{
	struct team *team = container_of(timer, struct team, hard_timer);

	return timer_run(timer, &team->actor[IN_HARD_TIMER]);
}

static enum hrtimer_restart soft_timer_run(struct hrtimer *timer)
{
	struct team *team = container_of(timer, struct team, soft_timer);

	return timer_run(timer, &team->actor[IN_SOFT_TIMER]);
}

static void work_run(struct irq_work *work)
{
	irq_run(&container_of(work, struct team, work)->actor[IN_IRQ_WORK]);
}

static void rcu_run(struct rcu_head *head)
{
	struct team *team = container_of(head, struct team, rcu);

	irq_run(&team->actor[IN_RCU]);
	clear_bit_unlock(0, &team->rcu_pending);
}

/* To any CPU; not while one goes off: a task that may only be there can end up elsewhere. */
static void task_move(void)
{
	unsigned int cpu = get_random_u32() % nr_cpu_ids;

	if (!cpus_read_trylock())
		return;
	if (cpu_online(cpu))
		set_cpus_allowed_ptr(current, cpumask_of(cpu));
	cpus_read_unlock();
}

/* Have the rest of the team at work, too. */
static void team_wake(struct team *team)
{
	irq_work_queue(&team->work);
	if (!test_and_set_bit_lock(0, &team->rcu_pending))
		call_rcu(&team->rcu, rcu_run);
}

static int task_run(void *data)
{
	struct torture_actor *a = data;
	unsigned int i, round = 0;

	/* The script that disturbs comes first. */
	set_user_nice(current, TASK_NICE);
	while (!kthread_should_stop()) {
		if (kthread_should_park()) {
			kthread_parkme();
			continue;
		}
		for (i = 0; i < STEPS_IN_TASK; i++)
			torture_step(a);
		if (!a->patient)
			team_wake(container_of(a, struct team, actor[IN_TASK]));
		if (++round % MOVE_ROUNDS == 0)
			task_move();
		cond_resched();
	}
	return 0;
}

static void all_pause(void)
{
	unsigned int i, j;

	WRITE_ONCE(paused, true);
	torture_nmi_pause(true);
	for (i = 0; i < nr_teams; i++)
		for (j = 0; j < NR_TASKS; j++)
			kthread_park(teams[i].task[j]);
	/* Nobody queues them any more. */
	for (i = 0; i < nr_teams; i++)
		irq_work_sync(&teams[i].work);
	/* Timers and NMIs that did not see it, and callbacks. */
	synchronize_rcu();
	rcu_barrier();
	running = false;
}

static void all_run(void)
{
	unsigned int i, j;

	torture_nmi_pause(false);
	WRITE_ONCE(paused, false);
	for (i = 0; i < nr_teams; i++)
		for (j = 0; j < NR_TASKS; j++)
			kthread_unpark(teams[i].task[j]);
	running = true;
}

static void teams_stop(void)
{
	unsigned int i, j;

	for (i = 0; i < nr_teams; i++) {
		for (j = 0; j < NR_TASKS; j++)
			if (teams[i].task[j])
				kthread_stop(teams[i].task[j]);
		hrtimer_cancel(&teams[i].hard_timer);
		hrtimer_cancel(&teams[i].soft_timer);
	}
	rcu_barrier();
	for (i = 0; i < nr_teams; i++)
		irq_work_sync(&teams[i].work);
	torture_nmi_stop();
}

/* Each by its number: what it does depends on that and on the seed. */
static int actor_init(struct torture_actor *a, enum torture_context context)
{
	static unsigned int number;

	a->number = ++number;
	a->stream = ((u64)seed << 32) + number;
	torture_actor_init(a, context);
	if (context == TORTURE_NMI)
		return 0;
	a->stats = kmalloc(sizeof(*a->stats), GFP_KERNEL);
	return a->stats ? 0 : -ENOMEM;
}

static int team_init(struct team *team)
{
	unsigned int i;
	int err;

	for (i = 0; i < NR_ACTORS; i++) {
		err = actor_init(&team->actor[i], actor_context[i]);
		if (err)
			return err;
	}
	team->actor[IN_PATIENT_TASK].patient = true;
	hrtimer_setup(&team->hard_timer, hard_timer_run, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_setup(&team->soft_timer, soft_timer_run, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	team->work = IRQ_WORK_INIT_HARD(work_run);
	return 0;
}

static int tasks_start(struct team *team)
{
	struct task_struct *task;
	unsigned int i;

	for (i = 0; i < NR_TASKS; i++) {
		task = kthread_run(task_run, &team->actor[i], "torture/%u", team->actor[i].number);
		if (IS_ERR(task))
			return PTR_ERR(task);
		team->task[i] = task;
	}
	return 0;
}

static int teams_start(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < num_possible_cpus(); i++) {
		err = team_init(&teams[i]);
		if (err)
			return err;
		nr_teams++;
		err = tasks_start(&teams[i]);
		if (err)
			return err;
		hrtimer_start(&teams[i].hard_timer, NSEC_PER_MSEC, HRTIMER_MODE_REL_HARD);
		hrtimer_start(&teams[i].soft_timer, NSEC_PER_MSEC, HRTIMER_MODE_REL_SOFT);
	}
	return 0;
}

static int nmi_start(void)
{
	unsigned int cpu;

	if (!nmi)
		return 0;
	for_each_possible_cpu(cpu)
		actor_init(&nmi_actors[cpu], TORTURE_NMI);
	return torture_nmi_start(nmi_actors);
}

static void memory_free(void)
{
	unsigned int i, j;

	for (i = 0; i < num_possible_cpus(); i++)
		for (j = 0; j < NR_ACTORS; j++)
			kfree(teams[i].actor[j].stats);
	kfree(judge.stats);
	kfree(teams);
	kfree(nmi_actors);
}

static void actor_add(struct torture_actor *sum, const struct torture_actor *a)
{
	/* It may be at work: whole words. */
	sum->nr_calls += data_race(a->nr_calls);
	/* The same. */
	sum->nr_failed += data_race(a->nr_failed);
	/* The same. */
	sum->nr_bad += data_race(a->nr_bad);
}

static struct torture_actor context_sum(enum torture_context context)
{
	struct torture_actor sum = {};
	unsigned int i, j;

	for (i = 0; i < nr_teams; i++)
		for (j = 0; j < NR_ACTORS; j++)
			if (actor_context[j] == context)
				actor_add(&sum, &teams[i].actor[j]);
	if (context == TORTURE_NMI)
		for (i = 0; i < nr_cpu_ids; i++)
			actor_add(&sum, &nmi_actors[i]);
	return sum;
}

/* False if it was not tried, or anything was wrong, or too much failed. */
static bool context_is_well(enum torture_context context)
{
	struct torture_actor sum = context_sum(context);
	bool often = context == TORTURE_TASK && !may_fail && sum.nr_failed > sum.nr_calls / 8;

	if (context == TORTURE_NMI && !nmi)
		return true;
	pr_info("%-8s %10lu calls, %8lu without memory, %lu wrong\n", context_name[context],
		sum.nr_calls, sum.nr_failed, sum.nr_bad);
	if (!sum.nr_calls || often)
		pr_err("%s: %s\n", context_name[context], often ? "too many failed" : "none");
	return sum.nr_calls && !sum.nr_bad && !often;
}

static bool nothing_is_left(void)
{
	struct gospan_memstats *stats = judge.stats;
	unsigned int i;

	/* CPUs' blocks of tiny objects, open ones too. */
	gospan_trim();
	/* What gospan_free_nolock() puts off takes a moment. */
	for (i = 0; i < MAX_READS; i++) {
		gospan_read_stats(stats);
		if (!stats->heap_objects)
			break;
		msleep(20);
	}
	if (stats->heap_objects || stats->misuses)
		pr_err("%llu objects are left, %llu misuses\n", stats->heap_objects,
		       stats->misuses);
	return !stats->heap_objects && !stats->misuses;
}

static int all_stop(void)
{
	unsigned int context;
	bool well;

	started = false;
	teams_stop();
	torture_objects_check(&judge);
	torture_step_exit(&judge);
	well = nothing_is_left() && !judge.nr_bad;
	for (context = 0; context < NR_TORTURE_CONTEXTS; context++)
		well &= context_is_well(context);
	pr_info("seed=%u: %s\n", seed, well ? "well" : "NOT well");
	return well ? 0 : -EIO;
}

/* Nobody else is at work, and no object is left of what others did, nor of this. */
static int steps_make(unsigned int n)
{
	torture_objects_free(&judge);
	for (judge.step = 0; judge.step < n; )
		torture_step(&judge);
	torture_step_largest(&judge);
	torture_objects_free(&judge);
	return judge.nr_bad ? -EIO : 0;
}

/* Under the lock of the parameters. */
static int state_set(const char *text, const struct kernel_param *kp)
{
	unsigned int n;

	if (!started)
		return -EINVAL;
	if (sscanf(text, "step %u", &n) == 1 && !running)
		return steps_make(n);
	if (sysfs_streq(text, "pause") && running) {
		all_pause();
		torture_objects_check(&judge);
		return judge.nr_bad ? -EIO : 0;
	}
	if (sysfs_streq(text, "run") && !running) {
		all_run();
		return 0;
	}
	if (sysfs_streq(text, "stop") && running)
		return all_stop();
	return -EINVAL;
}

/* "wrong N" as soon as there is something. */
static int state_get(char *buffer, const struct kernel_param *kp)
{
	unsigned long nr_calls = 0, nr_bad = 0;
	unsigned int context;

	if (!started)
		return -EAGAIN;
	for (context = 0; context < NR_TORTURE_CONTEXTS; context++) {
		struct torture_actor sum = context_sum(context);

		nr_calls += sum.nr_calls;
		nr_bad += sum.nr_bad;
	}
	return sysfs_emit(buffer, "calls %lu\nwrong %lu\n", nr_calls, nr_bad);
}

static const struct kernel_param_ops state_ops = { .set = state_set, .get = state_get };

module_param_cb(state, &state_ops, NULL, 0600);
MODULE_PARM_DESC(state, "write run, pause, step N or stop; reads as calls made, and what was wrong");

static int __init torture_init(void)
{
	int err = -ENOMEM;

	if (!seed)
		seed = get_random_u32() | 1;
	pr_info("seed=%u\n", seed);
	judge.patient = true;
	teams = kcalloc(num_possible_cpus(), sizeof(*teams), GFP_KERNEL);
	nmi_actors = kcalloc(nr_cpu_ids, sizeof(*nmi_actors), GFP_KERNEL);
	if (teams && nmi_actors)
		err = actor_init(&judge, TORTURE_TASK);
	if (!err)
		err = torture_step_init();
	if (!err)
		err = teams_start();
	if (!err)
		err = nmi_start();
	if (err) {
		teams_stop();
		torture_step_exit(&judge);
		memory_free();
		return err;
	}
	kernel_param_lock(THIS_MODULE);
	running = true;
	started = true;
	kernel_param_unlock(THIS_MODULE);
	return 0;
}

static void __exit torture_exit(void)
{
	if (started) {
		if (!running)
			all_run();
		all_stop();
	}
	memory_free();
}

module_init(torture_init);
module_exit(torture_exit);
MODULE_DESCRIPTION("Calls gospan at random from every context");
MODULE_AUTHOR("The gospan developers");
MODULE_LICENSE("GPL");
