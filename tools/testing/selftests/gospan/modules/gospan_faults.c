// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has calls fail by which gospan asks the kernel for memory, or for what takes memory.
 *
 * Each function that it calls for that has a kprobe, which makes it return at once, as
 * if memory had run out. Only calls that return into gospan's code count, whoever
 * makes them: a task, a worker, an interrupt. A place in the code that such a call
 * returns to is a site.
 *
 * Written to the parameter "fail", a number N has one call fail, at a site where fewer
 * than N have failed so far: the first there if none has, else the one that comes after
 * as many. 0: none fails. It reads as the site where one failed since, or as "none".
 * /sys/kernel/debug/gospan_faults has all sites so far.
 *
 * x86 only. This module is loaded before gospan, and outlives it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kallsyms.h>
#include <linux/kstrtox.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/ptrace.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <asm/linkage.h>

#define MAX_SITES	256
#define MAX_NAME	64
/* Of a site in gospan's init code, whose offset is one in there. */
#define SITE_INIT	BIT(31)

struct target {
	struct kprobe probe;
	unsigned long failure;		/* what it returns then */
	bool is_there;			/* this kernel has such a function */
};

/* (a) atomic  (c) constant once nr_calls is not 0 */
struct site {
	atomic_t key;			/* (a) of its address; 0: free */
	atomic_t nr_calls;		/* (a) */
	atomic_t nr_armed_calls;	/* (a) since one is to fail */
	atomic_t nr_failed;		/* (a) */
	const char *function;		/* (c) */
	char name[MAX_NAME];		/* (c) as the kernel writes addresses */
};

static struct site sites[MAX_SITES];
/* What "fail" was set to; 0 again when one has failed. */
static atomic_t failures_limit;
static struct site *failed_site;
static struct module *gospan;

/* Has what a failed call's caller wants to see in the register already. */
static void __naked faults_return(void)
{
	asm(ASM_RET);
	__builtin_unreachable();
}

/* 0: it is not gospan's. The same each time that gospan is loaded. */
static unsigned int address_key(unsigned long addr)
{
	const struct module *mod = READ_ONCE(gospan);

	if (!mod)
		return 0;
	if (within_module_mem_type(addr, mod, MOD_TEXT))
		return addr - (unsigned long)mod->mem[MOD_TEXT].base;
	if (within_module_mem_type(addr, mod, MOD_INIT_TEXT))
		return SITE_INIT | (addr - (unsigned long)mod->mem[MOD_INIT_TEXT].base);
	return 0;
}

static struct site *site_of(unsigned int key)
{
	unsigned int i, old;

	for (i = 0; i < MAX_SITES; i++) {
		old = atomic_cmpxchg(&sites[i].key, 0, key);
		if (!old || old == key)
			return &sites[i];
	}
	return NULL;
}

/* "FUNCTION+0xOFFSET" */
static void site_name(struct site *site, const char *function, unsigned long addr)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, addr);
	strscpy(site->name, name, min_t(size_t, MAX_NAME, strcspn(name, "/") + 1));
	site->function = function;
}

static bool site_fails(struct site *site)
{
	int limit = atomic_read(&failures_limit), failed = atomic_read(&site->nr_failed);

	return failed < limit && atomic_inc_return(&site->nr_armed_calls) == failed + 1 &&
	       atomic_cmpxchg(&failures_limit, limit, 0) == limit;
}

/* May be anywhere that gospan may be, and allocates nothing. */
static int target_called(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long caller = *(unsigned long *)regs->sp;
	unsigned int key = address_key(caller);
	struct site *site = key ? site_of(key) : NULL;

	if (!site)
		return 0;
	if (atomic_inc_return(&site->nr_calls) == 1)
		site_name(site, probe->symbol_name, caller);
	if (!site_fails(site))
		return 0;
	atomic_inc(&site->nr_failed);
	WRITE_ONCE(failed_site, site);
	regs_set_return_value(regs, container_of(probe, struct target, probe)->failure);
	instruction_pointer_set(regs, (unsigned long)faults_return);
	return 1;
}

/* With one, the probe is not made a jump, which could not go elsewhere. */
static void target_stepped(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

#define TARGET(name, value) {						\
	.probe = {							\
		.symbol_name = #name,					\
		.pre_handler = target_called,				\
		.post_handler = target_stepped,				\
	},								\
	.failure = (unsigned long)(value),				\
}

static struct target targets[] = {
	TARGET(__alloc_pages_noprof, NULL),
	TARGET(__cpuhp_setup_state, -ENOMEM),
	TARGET(__kmalloc_cache_node_noprof, NULL),
	TARGET(__kmalloc_cache_noprof, NULL),
	TARGET(__kmalloc_noprof, NULL),
	TARGET(__kmem_cache_create_args, NULL),
	TARGET(__kvmalloc_node_noprof, NULL),
	TARGET(__vmalloc_noprof, NULL),
	TARGET(__xa_alloc, -ENOMEM),
	TARGET(alloc_cpumask_var_node, false),
	TARGET(alloc_pages_exact_noprof, NULL),
	TARGET(alloc_pages_noprof, NULL),
	TARGET(alloc_workqueue, NULL),
	TARGET(debugfs_create_dir, -ENOMEM),
	TARGET(debugfs_create_file, -ENOMEM),
	TARGET(kmem_cache_alloc_bulk_noprof, 0),
	TARGET(kmem_cache_alloc_noprof, NULL),
	TARGET(krealloc_noprof, NULL),
	TARGET(kstrdup, NULL),
	TARGET(kthread_create_on_cpu, -ENOMEM),
	TARGET(memdup_user_nul, -ENOMEM),
	TARGET(misc_register, -ENOMEM),
	TARGET(pcpu_alloc_noprof, NULL),
	TARGET(shrinker_alloc, NULL),
	TARGET(single_open, -ENOMEM),
	TARGET(stack_depot_init, -ENOMEM),
	TARGET(stack_depot_save, 0),
	TARGET(vmalloc_node_noprof, NULL),
	TARGET(vmemdup_user, -ENOMEM),
	TARGET(vzalloc_node_noprof, NULL),
};

static int fail_set(const char *text, const struct kernel_param *kp)
{
	unsigned int limit, i;
	int err = kstrtouint(text, 0, &limit);

	if (err)
		return err;
	atomic_set(&failures_limit, 0);
	WRITE_ONCE(failed_site, NULL);
	for (i = 0; i < MAX_SITES; i++)
		atomic_set(&sites[i].nr_armed_calls, 0);
	atomic_set(&failures_limit, limit);
	return 0;
}

static int fail_get(char *buffer, const struct kernel_param *kp)
{
	const struct site *site = READ_ONCE(failed_site);

	return site ? sysfs_emit(buffer, "%s for %s\n", site->function, site->name) :
		      sysfs_emit(buffer, "none\n");
}

static const struct kernel_param_ops fail_ops = { .set = fail_set, .get = fail_get };

module_param_cb(fail, &fail_ops, NULL, 0600);
MODULE_PARM_DESC(fail, "write N: a call fails, of a site where fewer than N have; 0: none");

static int sites_show(struct seq_file *file, void *unused)
{
	unsigned int i;

	for (i = 0; i < MAX_SITES; i++)
		if (atomic_read(&sites[i].nr_calls))
			seq_printf(file, "%s %s %d %d\n", sites[i].name, sites[i].function,
				   atomic_read(&sites[i].nr_calls),
				   atomic_read(&sites[i].nr_failed));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sites);

static int module_changed(struct notifier_block *block, unsigned long state, void *data)
{
	struct module *mod = data;

	if (strcmp(mod->name, "gospan"))
		return NOTIFY_OK;
	if (state == MODULE_STATE_COMING)
		WRITE_ONCE(gospan, mod);
	else if (state == MODULE_STATE_GOING)
		WRITE_ONCE(gospan, NULL);
	return NOTIFY_OK;
}

static struct notifier_block modules_block = { .notifier_call = module_changed };
static struct dentry *sites_file;

static void targets_release(unsigned int nr)
{
	while (nr--)
		if (targets[nr].is_there)
			unregister_kprobe(&targets[nr].probe);
}

static int __init faults_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		err = register_kprobe(&targets[i].probe);
		targets[i].is_there = !err;
		if (err && err != -ENOENT) {
			pr_err("no probe of %s: %d\n", targets[i].probe.symbol_name, err);
			goto err_targets_release;
		}
	}
	err = register_module_notifier(&modules_block);
	if (err)
		goto err_targets_release;
	sites_file = debugfs_create_file("gospan_faults", 0400, NULL, NULL, &sites_fops);
	return 0;

err_targets_release:
	targets_release(i);
	return err;
}

static void __exit faults_exit(void)
{
	debugfs_remove(sites_file);
	unregister_module_notifier(&modules_block);
	targets_release(ARRAY_SIZE(targets));
}

module_init(faults_init);
module_exit(faults_exit);
MODULE_DESCRIPTION("Has gospan's allocations fail");
MODULE_LICENSE("GPL");
