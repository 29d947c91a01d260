// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocates and frees in NMIs, while tasks, softirqs and hardirqs on the same
 * CPUs do so too, for "seconds" or longer as the module is loaded. NMIs come from here, at
 * random intervals of up to "interval_us", and from whoever else sends some.
 *
 * All of them exchange objects through the same boxes, so that each frees what
 * any other, on any CPU, has allocated. Every word of an object says where it is.
 *
 * Loading fails if an object was overwritten, if one is left, if gospan saw
 * misuse, or if there were too few NMIs to say anything. x86 only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gospan.h>
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <asm/apic.h>
#include <asm/nmi.h>

#define MAX_WORDS	(GOSPAN_NOLOCK_MAX_BYTES / sizeof(u64))
#define NR_BOXES	64
/* In one NMI, now and then: more than the reserve has by default. */
#define NR_BURST	20
#define BURST_EVERY	64
#define MAX_READS	50

static unsigned int seconds = 5;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "how long; up to ten times that where there are few NMIs");

static unsigned int interval_us = 200;
module_param(interval_us, uint, 0444);
MODULE_PARM_DESC(interval_us, "most us between NMIs to all CPUs");

static unsigned int min_nmis = 1000;
module_param(min_nmis, uint, 0444);
MODULE_PARM_DESC(min_nmis, "fewer are a failure");

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "for what is drawn at random");

/* One context of execution: nobody else uses it at the same time. */
struct actor {
	struct rnd_state rnd;
	unsigned long nr_calls;
	unsigned long nr_failed;	/* allocations */
	unsigned long nr_bad;		/* objects that are not as they were left */
	bool nmi;
};

/* A task, and the timers that interrupt it. */
struct team {
	struct task_struct *task;
	struct hrtimer hard_timer, soft_timer;
	struct actor in_task, in_hardirq, in_softirq;
};

static u64 *boxes[NR_BOXES];
static struct team *teams;
static struct task_struct *sender;
/* Too large for the stack. */
static struct gospan_memstats stats;
static DEFINE_PER_CPU(struct actor, nmi_actor);
static DEFINE_PER_CPU(unsigned long, nr_nmis);

static void actor_seed(struct actor *a)
{
	static u32 nr;

	prandom_seed_state(&a->rnd, ((u64)seed << 32) + ++nr);
}

static u64 pattern(const u64 *word)
{
	return (unsigned long)word * 0x9e3779b97f4a7c15ULL;
}

static void object_write(u64 *p, unsigned int words)
{
	unsigned int i;

	p[0] = pattern(p) ^ words;
	for (i = 1; i < words; i++)
		p[i] = pattern(&p[i]);
}

static bool object_is_intact(const u64 *p)
{
	u64 words = p[0] ^ pattern(p);
	unsigned int i;

	if (!words || words > MAX_WORDS)
		return false;
	for (i = 1; i < words; i++)
		if (p[i] != pattern(&p[i]))
			return false;
	return true;
}

static void actor_free(struct actor *a, u64 *p, bool nolock)
{
	if (!p)
		return;
	/* One that others share is left alone from here on. */
	if (!object_is_intact(p))
		a->nr_bad++;
	else if (nolock)
		gospan_free_nolock(p);
	else
		gospan_free(p);
}

static u64 *actor_alloc(struct actor *a, unsigned int words, u32 dice)
{
	gfp_t zero = dice & 1 ? __GFP_ZERO : 0;
	u64 *p;

	a->nr_calls++;
	if (a->nmi || dice & 2)
		p = gospan_alloc_nolock(words * sizeof(*p), zero);
	else
		p = gospan_alloc(words * sizeof(*p), GFP_ATOMIC | __GFP_NOWARN | zero);
	if (!p) {
		a->nr_failed++;
		return NULL;
	}
	if (zero && memchr_inv(p, 0, gospan_size(p)))
		a->nr_bad++;
	object_write(p, words);
	return p;
}

/* Put a new object in a box, and free what was in it. */
static void actor_step(struct actor *a)
{
	u32 dice = prandom_u32_state(&a->rnd);
	/* Half of them small, so that many want the same magazine. */
	unsigned int words = 1 + (dice >> 8) % (dice & 8 ? 16 : MAX_WORDS);
	u64 *p = actor_alloc(a, words, dice);

	p = xchg(&boxes[(dice >> 24) % NR_BOXES], p);
	actor_free(a, p, a->nmi || dice & 4);
}

static void actor_burst(struct actor *a)
{
	u32 dice = prandom_u32_state(&a->rnd);
	u64 *objs[NR_BURST];
	unsigned int i;

	for (i = 0; i < NR_BURST; i++)
		objs[i] = actor_alloc(a, 1U << dice % 9, dice >> 8);
	while (i)
		actor_free(a, objs[--i], true);
}

static int nmi_handle_gospan(unsigned int type, struct pt_regs *regs)
{
	struct actor *a = this_cpu_ptr(&nmi_actor);

	actor_step(a);
	if (this_cpu_inc_return(nr_nmis) % BURST_EVERY == 0)
		actor_burst(a);
	return NMI_HANDLED;
}

static enum hrtimer_restart timer_run(struct hrtimer *timer, struct actor *a)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		actor_step(a);
	hrtimer_forward_now(timer, (100 + prandom_u32_state(&a->rnd) % 1000) * NSEC_PER_USEC);
	return HRTIMER_RESTART;
}

static enum hrtimer_restart hard_timer_run(struct hrtimer *timer)
{
	return timer_run(timer, &container_of(timer, struct team, hard_timer)->in_hardirq);
}

static enum hrtimer_restart soft_timer_run(struct hrtimer *timer)
{
	return timer_run(timer, &container_of(timer, struct team, soft_timer)->in_softirq);
}

static int team_run(void *data)
{
	struct team *team = data;

	hrtimer_start(&team->hard_timer, 100 * NSEC_PER_USEC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&team->soft_timer, 200 * NSEC_PER_USEC, HRTIMER_MODE_REL_SOFT);
	while (!kthread_should_stop()) {
		actor_step(&team->in_task);
		cond_resched();
	}
	hrtimer_cancel(&team->hard_timer);
	hrtimer_cancel(&team->soft_timer);
	return 0;
}

static int sender_run(void *unused)
{
	struct rnd_state rnd;
	unsigned long flags;

	prandom_seed_state(&rnd, seed);
	while (!kthread_should_stop()) {
		local_irq_save(flags);
		apic->send_IPI_mask(cpu_online_mask, NMI_VECTOR);
		local_irq_restore(flags);
		fsleep(1 + prandom_u32_state(&rnd) % interval_us);
	}
	return 0;
}

static void stop_all(void)
{
	unsigned int i;

	if (!IS_ERR_OR_NULL(sender))
		kthread_stop(sender);
	for (i = 0; i < num_possible_cpus(); i++)
		if (!IS_ERR_OR_NULL(teams[i].task))
			kthread_stop(teams[i].task);
}

static int start_all(void)
{
	unsigned int i;

	for (i = 0; i < num_possible_cpus(); i++) {
		struct team *team = &teams[i];

		actor_seed(&team->in_task);
		actor_seed(&team->in_hardirq);
		actor_seed(&team->in_softirq);
		hrtimer_init(&team->hard_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
		team->hard_timer.function = hard_timer_run;
		hrtimer_init(&team->soft_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
		team->soft_timer.function = soft_timer_run;
		team->task = kthread_run(team_run, team, "gospan_nmi/%u", i);
		if (IS_ERR(team->task))
			return PTR_ERR(team->task);
	}
	sender = kthread_run(sender_run, NULL, "gospan_nmi");
	return PTR_ERR_OR_ZERO(sender);
}

static unsigned long actor_report(const char *name, const struct actor *a)
{
	pr_info("%-12s %9lu calls, %7lu failed, %lu overwritten\n", name, a->nr_calls,
		a->nr_failed, a->nr_bad);
	return a->nr_bad;
}

static void actor_add(struct actor *sum, const struct actor *a)
{
	sum->nr_calls += a->nr_calls;
	sum->nr_failed += a->nr_failed;
	sum->nr_bad += a->nr_bad;
}

static unsigned long count_nmis(void)
{
	unsigned long sum = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(nr_nmis, cpu));
	return sum;
}

/* Where memory accesses are checked and the CPU is emulated, it takes longer. */
static void let_run(void)
{
	unsigned int i;

	for (i = 0; i < seconds || (i < 10 * seconds && count_nmis() < min_nmis); i++)
		ssleep(1);
}

/* False if objects were overwritten, or there were too few NMIs to tell. */
static bool is_well(void)
{
	struct actor in_task = {}, in_hardirq = {}, in_softirq = {}, in_nmi = {};
	unsigned long nr_bad, nmis = count_nmis();
	unsigned int i, cpu;

	for (i = 0; i < num_possible_cpus(); i++) {
		actor_add(&in_task, &teams[i].in_task);
		actor_add(&in_hardirq, &teams[i].in_hardirq);
		actor_add(&in_softirq, &teams[i].in_softirq);
	}
	for_each_possible_cpu(cpu)
		actor_add(&in_nmi, &per_cpu(nmi_actor, cpu));
	pr_info("%lu NMIs\n", nmis);
	nr_bad = actor_report("in NMI", &in_nmi);
	nr_bad += actor_report("in hardirq", &in_hardirq);
	nr_bad += actor_report("in softirq", &in_softirq);
	nr_bad += actor_report("in task", &in_task);
	if (nmis < min_nmis)
		pr_err("fewer than %u NMIs\n", min_nmis);
	return !nr_bad && nmis >= min_nmis;
}

static bool nothing_is_left(void)
{
	unsigned int i;

	for (i = 0; i < NR_BOXES; i++)
		gospan_free(boxes[i]);
	/* What is put off takes a moment. */
	for (i = 0; i < MAX_READS; i++) {
		gospan_read_stats(&stats);
		if (!stats.heap_objects)
			break;
		msleep(20);
	}
	if (stats.heap_objects || stats.misuses)
		pr_err("%llu objects are left, %llu misuses\n", stats.heap_objects, stats.misuses);
	return !stats.heap_objects && !stats.misuses;
}

static int __init nmi_init(void)
{
	unsigned int cpu;
	int err;

	if (!interval_us)
		return -EINVAL;
	teams = kcalloc(num_possible_cpus(), sizeof(*teams), GFP_KERNEL);
	if (!teams)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		per_cpu(nmi_actor, cpu).nmi = true;
		actor_seed(&per_cpu(nmi_actor, cpu));
	}
	err = register_nmi_handler(NMI_LOCAL, nmi_handle_gospan, 0, "gospan_nmi");
	if (err)
		goto out;
	err = start_all();
	if (!err)
		let_run();
	stop_all();
	unregister_nmi_handler(NMI_LOCAL, "gospan_nmi");
	if (!is_well())
		err = err ?: -EIO;
	if (!nothing_is_left())
		err = err ?: -EIO;
out:
	kfree(teams);
	return err;
}

static void __exit nmi_exit(void)
{
}

module_init(nmi_init);
module_exit(nmi_exit);
MODULE_DESCRIPTION("Allocates from gospan in NMIs");
MODULE_AUTHOR("The gospan developers");
MODULE_LICENSE("GPL");
