// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module: brings the layers up, lowest first, and takes them down again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include "arena.h"
#include "dev.h"
#include "mcache.h"
#include "mcentral.h"
#include "mheap.h"
#include "stats.h"

/* Nobody allocates any more: every free object back to its span, every page to the kernel. */
static void heap_exit(void)
{
	unsigned int spanclass;

	for (spanclass = 0; spanclass < GOSPAN_NR_SPANCLASSES; spanclass++)
		gospan_mcentral_drain(&gospan_central[spanclass]);
	gospan_stats_report_leaks();
	gospan_mheap_destroy(&gospan_heap);
}

static int __init gospan_init(void)
{
	int err;

	err = gospan_arena_init();
	if (err)
		return err;
	gospan_mheap_init(&gospan_heap, &gospan_kernel_pages);
	err = gospan_mcentral_init();
	if (err)
		goto err_arena_exit;
	err = gospan_mcache_init();
	if (err)
		goto err_mcentral_exit;
	err = gospan_dev_init();
	if (err)
		goto err_mcache_exit;
	return 0;

err_mcache_exit:
	gospan_mcache_exit();
	heap_exit();
err_mcentral_exit:
	gospan_mcentral_exit();
err_arena_exit:
	gospan_arena_exit();
	return err;
}

static void __exit gospan_exit(void)
{
	gospan_dev_exit();
	gospan_mcache_exit();
	heap_exit();
	gospan_mcentral_exit();
	gospan_arena_exit();
}

module_init(gospan_init);
module_exit(gospan_exit);
MODULE_DESCRIPTION("The Go runtime's memory allocator");
MODULE_AUTHOR("The gospan developers");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
