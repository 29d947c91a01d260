// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crew of a replay: a thread on each CPU, which does the steps that were
 * recorded there.
 *
 * One baton goes round. Who has it does steps until the next one is another
 * CPU's, and hands it over; so the steps keep their order, what one CPU
 * allocates another really frees, and nobody else touches the replay meanwhile:
 * it needs no lock. The caller has the baton before the first step and after
 * the last. Handing over is not timed.
 *
 * Members wait spinning for as long as a handover takes, and then asleep.
 *
 * CPU hotplug is not held off. A member that finds itself on another CPU than
 * its own, which was taken offline, ends the replay.
 */

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/wait.h>
#include "replay.h"

/* Looks at the baton before going to sleep: tens of microseconds. */
#define MAX_SPINS	1000

/* The baton is the caller's. */
#define CALLER		(-1)

/* (c) constant while threads run  (b) belongs to who has the baton */
struct crew_member {
	struct gospan_replay_crew *crew;	/* (c) */
	struct task_struct *task;	/* (c) ends when it is told to */
	unsigned int cpu;		/* (c) */
	int number;			/* (c) its place in the crew */
	struct wait_queue_head wait;	/* where it sleeps */
};

struct gospan_replay_crew {
	struct gospan_replay_run *run;	/* (c); what it points to: (b) */
	const struct gospan_replay_op *ops; /* (b) the steps */
	u32 nr_ops;			/* (b) how many */
	u32 nr_done;			/* (b) of them */
	int err;			/* (b) why to stop, or 0 */
	bool stop;			/* set by the caller at any time: come to an end */
	int baton;			/* who has it: a member's number, or CALLER */
	struct wait_queue_head wait;	/* where the caller sleeps */
	u32 nr_members;			/* (c) */
	struct crew_member member[];
};

static bool has_cpu(const u64 *cpus, unsigned int cpu)
{
	return cpus[cpu / 64] >> (cpu % 64) & 1;
}

/**
 * gospan_replay_check_cpus() - can a crew work on these CPUs?
 * @cpus: bit map of %GOSPAN_BENCH_CPU_WORDS words
 *
 * Return: how many there are, -EINVAL if there are none, -ENODEV for one that is not online.
 */
int gospan_replay_check_cpus(const u64 *cpus)
{
	unsigned int cpu, nr = 0;

	for (cpu = 0; cpu < GOSPAN_BENCH_CPU_WORDS * 64; cpu++) {
		if (!has_cpu(cpus, cpu))
			continue;
		if (cpu >= nr_cpu_ids || !cpu_online(cpu))
			return -ENODEV;
		nr++;
	}
	return nr ? nr : -EINVAL;
}

/* Whose step that is. */
static int op_member(const struct gospan_replay_crew *crew, const struct gospan_replay_op *op)
{
	return op->cpu % crew->nr_members;
}

static bool has_baton(const struct gospan_replay_crew *crew, int who)
{
	/* Pairs with hand_over(): what the last one did is seen. */
	return smp_load_acquire(&crew->baton) == who;
}

static void hand_over(struct gospan_replay_crew *crew, int to)
{
	struct wait_queue_head *wait = to == CALLER ? &crew->wait : &crew->member[to].wait;

	/* Pairs with has_baton(). */
	smp_store_release(&crew->baton, to);
	if (wq_has_sleeper(wait))
		wake_up(wait);
}

/* Do steps from the next one on, as many as are @m's, as long as nothing is wrong. */
static void member_steps(struct crew_member *m)
{
	struct gospan_replay_crew *crew = m->crew;
	struct gospan_replay_run *run = crew->run;

	while (!crew->err && !READ_ONCE(crew->stop) && crew->nr_done < crew->nr_ops) {
		const struct gospan_replay_op *ops = crew->ops + crew->nr_done;
		u64 before = run->result.nr_done;
		u32 n = 0;

		while (n < crew->nr_ops - crew->nr_done && op_member(crew, &ops[n]) == m->number)
			n++;
		if (!n)
			return;
		crew->err = gospan_replay_window(run, ops, n);
		crew->nr_done += run->result.nr_done - before;
		if (!crew->err && raw_smp_processor_id() != m->cpu)
			crew->err = -ENODEV;
		cond_resched();
	}
}

static void member_turn(struct crew_member *m)
{
	struct gospan_replay_crew *crew = m->crew;
	int next = CALLER;

	member_steps(m);
	if (!crew->err && !READ_ONCE(crew->stop) && crew->nr_done < crew->nr_ops)
		next = op_member(crew, &crew->ops[crew->nr_done]);
	hand_over(crew, next);
}

/* Wait for the baton; false: there will be none any more. */
static bool member_wait(struct crew_member *m)
{
	unsigned int spins;

	for (spins = 0; spins < MAX_SPINS; spins++) {
		if (has_baton(m->crew, m->number))
			return true;
		cpu_relax();
	}
	wait_event_idle(m->wait, has_baton(m->crew, m->number) || kthread_should_stop());
	return !kthread_should_stop();
}

static int member_thread(void *data)
{
	struct crew_member *m = data;

	while (member_wait(m))
		member_turn(m);
	return 0;
}

/**
 * gospan_replay_crew_steps() - have the crew do steps
 * @crew: crew
 * @ops: the next steps of its replay
 * @n: how many, at least one
 *
 * Context: Task. Sleeps until all are done or a signal is pending.
 * Return: 0; what gospan_replay_window() returns, -ENODEV when a CPU went
 * offline, or -EINTR after a signal.
 */
int gospan_replay_crew_steps(struct gospan_replay_crew *crew, const struct gospan_replay_op *ops,
			     u32 n)
{
	crew->ops = ops;
	crew->nr_ops = n;
	crew->nr_done = 0;
	crew->err = 0;
	hand_over(crew, op_member(crew, ops));
	if (wait_event_interruptible(crew->wait, has_baton(crew, CALLER))) {
		WRITE_ONCE(crew->stop, true);
		wait_event(crew->wait, has_baton(crew, CALLER));
		return crew->err ?: -EINTR;
	}
	return crew->err;
}

/* End the threads of a crew, all of which wait, and free it; NULL is fine. */
void gospan_replay_crew_destroy(struct gospan_replay_crew *crew)
{
	u32 i;

	if (!crew)
		return;
	/* Returns when the thread has left the module's text. */
	for (i = 0; i < crew->nr_members && crew->member[i].task; i++)
		kthread_stop(crew->member[i].task);
	kvfree(crew);
}

static int member_start(struct crew_member *m)
{
	struct task_struct *task;

	task = kthread_create_on_cpu(member_thread, m, m->cpu, "gospan_replay/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	m->task = task;
	wake_up_process(task);
	return 0;
}

/**
 * gospan_replay_crew_create() - a crew for the CPUs of a replay's plan
 * @run: replay, its CPUs checked
 *
 * Context: Task; sleeps.
 * Return: the crew, waiting; -EINVAL or -ENODEV as gospan_replay_check_cpus(),
 * -ENOMEM, or -EINTR after a signal.
 */
struct gospan_replay_crew *gospan_replay_crew_create(struct gospan_replay_run *run)
{
	int nr = gospan_replay_check_cpus(run->plan->cpus);
	struct gospan_replay_crew *crew;
	unsigned int cpu = 0;
	int i, err;

	if (nr < 0)
		return ERR_PTR(nr);
	crew = kvzalloc(struct_size(crew, member, nr), GOSPAN_REPLAY_GFP);
	if (!crew)
		return ERR_PTR(-ENOMEM);
	crew->run = run;
	crew->nr_members = nr;
	crew->baton = CALLER;
	init_waitqueue_head(&crew->wait);
	for (i = 0; i < nr; i++, cpu++) {
		struct crew_member *m = &crew->member[i];

		while (!has_cpu(run->plan->cpus, cpu))
			cpu++;
		*m = (struct crew_member){ .crew = crew, .cpu = cpu, .number = i };
		init_waitqueue_head(&m->wait);
		err = member_start(m);
		if (err) {
			gospan_replay_crew_destroy(crew);
			return ERR_PTR(err);
		}
	}
	return crew;
}
