// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts off as many frees by RCU as it can, while others read: for "seconds", as the
 * module is loaded, a task, softirqs and hardirqs for each CPU read what is in
 * shared slots, and replace it. Who reads must find it as it was written.
 *
 * Loading fails if one did not, if an object is left when the barrier says that
 * none is, or if gospan saw misuse.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gospan.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#define NR_SLOTS	64
#define MAX_WORDS	256

static unsigned int seconds = 5;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "how long");

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "for what is drawn at random");

/* Every word says where it is. */
struct shared {
	u64 stamp;
	struct rcu_head rcu;
	u64 nr_words;
	u64 words[];
};

/* One context of execution: nobody else uses it at the same time. */
struct actor {
	struct rnd_state rnd;
	unsigned long nr_reads, nr_frees;
	unsigned long nr_failed;	/* allocations */
	unsigned long nr_bad;		/* objects that changed as they were read */
};

/* A task, and the timers that interrupt it. */
struct team {
	struct task_struct *task;
	struct hrtimer hard_timer, soft_timer;
	struct actor in_task, in_hardirq, in_softirq;
};

static struct shared __rcu *slots[NR_SLOTS];
static struct team *teams;
/* Too large for the stack. */
static struct gospan_memstats stats;

static void actor_seed(struct actor *a)
{
	static u32 nr;

	prandom_seed_state(&a->rnd, ((u64)seed << 32) + ++nr);
}

static u64 pattern(const u64 *word, u64 stamp)
{
	return ((unsigned long)word ^ stamp) * 0x9e3779b97f4a7c15ULL;
}

static struct shared *shared_alloc(struct actor *a, gfp_t gfp)
{
	unsigned int words = prandom_u32_state(&a->rnd) % MAX_WORDS, i;
	struct shared *p = gospan_alloc(struct_size(p, words, words), gfp | __GFP_NOWARN);

	if (!p) {
		a->nr_failed++;
		return NULL;
	}
	p->stamp = prandom_u32_state(&a->rnd);
	p->nr_words = words;
	for (i = 0; i < words; i++)
		p->words[i] = pattern(&p->words[i], p->stamp);
	return p;
}

static bool shared_is_intact(const struct shared *p)
{
	u64 stamp = READ_ONCE(p->stamp), words = READ_ONCE(p->nr_words);
	unsigned int i;

	if (words >= MAX_WORDS)
		return false;
	for (i = 0; i < words; i++)
		if (READ_ONCE(p->words[i]) != pattern(&p->words[i], stamp))
			return false;
	return READ_ONCE(p->stamp) == stamp;
}

static void actor_read(struct actor *a)
{
	struct shared *p;

	a->nr_reads++;
	rcu_read_lock();
	p = rcu_dereference(slots[prandom_u32_state(&a->rnd) % NR_SLOTS]);
	if (p && !shared_is_intact(p))
		a->nr_bad++;
	rcu_read_unlock();
}

static struct shared *actor_replace(struct actor *a, gfp_t gfp)
{
	struct shared *p = shared_alloc(a, gfp);

	if (!p)
		return NULL;
	a->nr_frees++;
	return unrcu_pointer(xchg(&slots[prandom_u32_state(&a->rnd) % NR_SLOTS],
				  RCU_INITIALIZER(p)));
}

static enum hrtimer_restart timer_run(struct hrtimer *timer, struct actor *a)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		actor_read(a);
		gospan_free_rcu(actor_replace(a, GFP_ATOMIC), rcu);
	}
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
	struct actor *a = &team->in_task;

	hrtimer_start(&team->hard_timer, 100 * NSEC_PER_USEC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&team->soft_timer, 200 * NSEC_PER_USEC, HRTIMER_MODE_REL_SOFT);
	while (!kthread_should_stop()) {
		actor_read(a);
		if (prandom_u32_state(&a->rnd) % 4)
			gospan_free_rcu(actor_replace(a, GFP_KERNEL), rcu);
		else
			gospan_free_rcu_mightsleep(actor_replace(a, GFP_KERNEL));
		cond_resched();
	}
	hrtimer_cancel(&team->hard_timer);
	hrtimer_cancel(&team->soft_timer);
	return 0;
}

static void stop_all(void)
{
	unsigned int i;

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
		team->task = kthread_run(team_run, team, "gospan_rcu/%u", i);
		if (IS_ERR(team->task))
			return PTR_ERR(team->task);
	}
	return 0;
}

static void actor_add(struct actor *sum, const struct actor *a)
{
	sum->nr_reads += a->nr_reads;
	sum->nr_frees += a->nr_frees;
	sum->nr_failed += a->nr_failed;
	sum->nr_bad += a->nr_bad;
}

static bool actor_is_well(const char *name, const struct actor *a)
{
	pr_info("%-11s %9lu reads, %9lu frees, %lu failed, %lu bad\n", name, a->nr_reads,
		a->nr_frees, a->nr_failed, a->nr_bad);
	return !a->nr_bad && a->nr_frees;
}

static bool all_are_well(void)
{
	struct actor in_task = {}, in_hardirq = {}, in_softirq = {};
	bool well;
	unsigned int i;

	for (i = 0; i < num_possible_cpus(); i++) {
		actor_add(&in_task, &teams[i].in_task);
		actor_add(&in_hardirq, &teams[i].in_hardirq);
		actor_add(&in_softirq, &teams[i].in_softirq);
	}
	well = actor_is_well("in hardirq", &in_hardirq);
	well &= actor_is_well("in softirq", &in_softirq);
	return actor_is_well("in task", &in_task) && well;
}

/* At once: that is what the barrier is for. */
static bool nothing_is_left(void)
{
	unsigned int i;

	for (i = 0; i < NR_SLOTS; i++)
		gospan_free(unrcu_pointer(slots[i]));
	gospan_rcu_barrier();
	gospan_read_stats(&stats);
	if (stats.heap_objects || stats.misuses)
		pr_err("%llu objects are left, %llu misuses\n", stats.heap_objects, stats.misuses);
	return !stats.heap_objects && !stats.misuses;
}

static int __init stress_init(void)
{
	int err;

	teams = kcalloc(num_possible_cpus(), sizeof(*teams), GFP_KERNEL);
	if (!teams)
		return -ENOMEM;
	err = start_all();
	if (!err)
		ssleep(seconds);
	stop_all();
	if (!all_are_well())
		err = err ?: -EIO;
	if (!nothing_is_left())
		err = err ?: -EIO;
	kfree(teams);
	return err;
}

static void __exit stress_exit(void)
{
}

module_init(stress_init);
module_exit(stress_exit);
MODULE_DESCRIPTION("Frees objects of gospan by RCU while they are read");
MODULE_AUTHOR("The gospan developers");
MODULE_LICENSE("GPL");
