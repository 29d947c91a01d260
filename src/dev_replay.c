// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that replay what was recorded: what comes from user space is
 * copied, once, before anything looks at it, the steps a window at a time.
 */

#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/gospan.h>
#include "dev_replay.h"
#include "replay.h"

/* The ABI: no padding, and the same for 32-bit callers. */
static_assert(sizeof(struct gospan_replay_op) == 12);
static_assert(sizeof(struct gospan_replay_result) == 96);
static_assert(sizeof(struct gospan_replay) == 136);
static_assert(sizeof(struct gospan_replay_cache) == 8);
static_assert(sizeof(struct gospan_replay_sample) == 64);
static_assert(sizeof(struct gospan_replay_class) == 40);
static_assert(sizeof(struct gospan_replay_cpus) == 136 + 128 + 24 + 16);

/* Steps that are read at once. */
#define NR_OPS	4096U

/* All steps of the plan, a window at a time, through @ops. */
static int feed_all(struct gospan_replay_run *run, struct gospan_replay_op *ops)
{
	const struct gospan_replay *arg = run->plan->replay;
	const struct gospan_replay_op __user *from = u64_to_user_ptr(arg->ops);
	u64 done;
	int err;
	u32 n;

	for (done = 0; done < arg->nr_ops; done += n) {
		n = min_t(u64, arg->nr_ops - done, NR_OPS);
		if (copy_from_user(ops, from + done, n * sizeof(*ops)))
			return -EFAULT;
		err = gospan_replay_feed(run, ops, n);
		if (err)
			return err;
	}
	return 0;
}

static long run_plan(struct gospan_replay_plan *plan, struct gospan_replay_result *result)
{
	struct gospan_replay_op *ops;
	struct gospan_replay_run *run;
	long err;

	ops = kvmalloc_array(NR_OPS, sizeof(*ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;
	run = gospan_replay_begin(plan);
	if (IS_ERR(run)) {
		err = PTR_ERR(run);
	} else {
		err = feed_all(run, ops);
		gospan_replay_end(run, result);
	}
	kvfree(ops);
	return err;
}

/* %GOSPAN_IOC_REPLAY. */
long gospan_dev_replay(void __user *uarg)
{
	struct gospan_replay_plan plan = {};
	struct gospan_replay arg;
	long err;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	arg.result = (struct gospan_replay_result){};
	plan.replay = &arg;
	err = run_plan(&plan, &arg.result);
	/* How far it came is of interest after an error, too. */
	if (copy_to_user(uarg, &arg, sizeof(arg)))
		return -EFAULT;
	return err;
}

/* A copy of @n things of the caller's, at most @max; or an ERR_PTR. */
static void *array_get(u64 from, u32 n, u32 max, size_t size)
{
	if (n > max)
		return ERR_PTR(-EINVAL);
	return vmemdup_user(u64_to_user_ptr(from), n * size);
}

static int plan_get(struct gospan_replay_plan *plan, const struct gospan_replay_cpus *arg)
{
	void *copy;

	if (arg->reserved || arg->nr_classes > GOSPAN_REPLAY_MAX_CLASSES)
		return -EINVAL;
	plan->replay = &arg->replay;
	plan->cpus = arg->cpus;
	plan->nr_caches = arg->nr_caches;
	plan->nr_samples = arg->nr_samples;
	plan->max_classes = arg->nr_classes;
	copy = array_get(arg->caches, arg->nr_caches, GOSPAN_REPLAY_MAX_CACHES,
			 sizeof(*plan->caches));
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	plan->caches = copy;
	copy = array_get(arg->samples, arg->nr_samples, GOSPAN_REPLAY_MAX_SAMPLES,
			 sizeof(*plan->samples));
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	plan->samples = copy;
	plan->classes = kvcalloc(arg->nr_classes, sizeof(*plan->classes), GFP_KERNEL);
	return plan->classes ? 0 : -ENOMEM;
}

/* Also of a plan that plan_get() came to no end with. */
static void plan_put(struct gospan_replay_plan *plan)
{
	kvfree(plan->classes);
	kvfree(plan->samples);
	kvfree(plan->caches);
}

static long plan_answer(const struct gospan_replay_plan *plan, const struct gospan_replay_cpus *arg)
{
	u32 nr_classes = min(plan->nr_classes, plan->max_classes);

	if (copy_to_user(u64_to_user_ptr(arg->samples), plan->samples,
			 plan->nr_samples * sizeof(*plan->samples)) ||
	    copy_to_user(u64_to_user_ptr(arg->classes), plan->classes,
			 nr_classes * sizeof(*plan->classes)))
		return -EFAULT;
	return 0;
}

/* %GOSPAN_IOC_REPLAY_CPUS. */
long gospan_dev_replay_cpus(void __user *uarg)
{
	struct gospan_replay_plan plan = {};
	struct gospan_replay_cpus arg;
	long err;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	arg.replay.result = (struct gospan_replay_result){};
	err = plan_get(&plan, &arg);
	if (!err)
		err = run_plan(&plan, &arg.replay.result);
	if (!err)
		err = plan_answer(&plan, &arg);
	arg.nr_classes = plan.nr_classes;
	plan_put(&plan);
	if (copy_to_user(uarg, &arg, sizeof(arg)))
		return -EFAULT;
	return err;
}
