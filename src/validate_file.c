// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/gospan/validate: who reads it has the heap looked at, and gets
 * "valid", or an error, and what is wrong is in the log.
 *
 * Nothing may allocate or free meanwhile. What the module does on its own account
 * is stopped here; that its users, and gospan_trim(), rest is up to the reader.
 *
 * Only in modules built with CONFIG_GOSPAN_VALIDATE=y, or with the unit tests.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/gospan.h>
#include "debug.h"
#include "idle.h"
#include "malloc.h"
#include "nolock.h"
#include "scavenge.h"
#include "validate.h"

/* One reader would start what another has stopped. */
static DEFINE_MUTEX(validate_lock);

static int validate_show(struct seq_file *file, void *unused)
{
	bool valid;
	int err;

	mutex_lock(&validate_lock);
	gospan_idle_exit();
	gospan_scavenge_exit();
	gospan_rcu_barrier();
	gospan_nolock_sync();
	/* A CPU that comes or goes moves what it caches. */
	cpus_read_lock();
	valid = gospan_heap_validate(&gospan_heap);
	cpus_read_unlock();
	err = gospan_scavenge_init();
	gospan_idle_init();
	mutex_unlock(&validate_lock);
	if (!valid)
		return -EIO;
	seq_puts(file, "valid\n");
	return err;
}
DEFINE_SHOW_ATTRIBUTE(validate);

/* With the other files; they go together. */
void gospan_validate_file_init(void)
{
	debugfs_create_file("validate", 0400, gospan_debug_folder, NULL, &validate_fops);
}
