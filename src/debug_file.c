// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug: its files in debugfs.
 *
 * /sys/kernel/debug/gospan/debug: what is under debug; written to, what is to be, see
 * debug_set.c. /sys/kernel/debug/gospan/live: objects that somebody has, by who
 * allocated them. /sys/kernel/debug/gospan/guard: objects between guard pages.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "debug.h"
#include "guard.h"

#define MAX_TEXT	SZ_4K

struct dentry *gospan_debug_folder;

static int debug_show(struct seq_file *file, void *unused)
{
	gospan_debug_show(file);
	return 0;
}

static int debug_open(struct inode *inode, struct file *file)
{
	return single_open(file, debug_show, NULL);
}

static ssize_t debug_write(struct file *file, const char __user *buf, size_t bytes, loff_t *pos)
{
	char *text;
	int err;

	if (bytes > MAX_TEXT)
		return -E2BIG;
	text = memdup_user_nul(buf, bytes);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = gospan_debug_set(strim(text));
	kfree(text);
	return err ?: bytes;
}

static const struct file_operations debug_fops = {
	.owner = THIS_MODULE,
	.open = debug_open,
	.read = seq_read,
	.write = debug_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int live_show(struct seq_file *file, void *unused)
{
	return gospan_debug_show_live(file);
}
DEFINE_SHOW_ATTRIBUTE(live);

static int guard_show(struct seq_file *file, void *unused)
{
	gospan_guard_show(file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(guard);

/* Without debugfs there are none. */
void gospan_debug_file_init(void)
{
	gospan_debug_folder = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("debug", 0600, gospan_debug_folder, NULL, &debug_fops);
	debugfs_create_file("guard", 0400, gospan_debug_folder, NULL, &guard_fops);
	debugfs_create_file("live", 0400, gospan_debug_folder, NULL, &live_fops);
}

/* Waits for readers. */
void gospan_debug_file_exit(void)
{
	debugfs_remove(gospan_debug_folder);
	gospan_debug_folder = NULL;
}
