// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module: brings the layers up, lowest first, and takes them down again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include "arena.h"
#include "cache.h"
#include "debug.h"
#include "dev.h"
#include "guard.h"
#include "idle.h"
#include "malloc.h"
#include "mcentral.h"
#include "mheap.h"
#include "node.h"
#include "nolock.h"
#include "rcu.h"
#include "scavenge.h"
#include "stats.h"
#include "validate.h"

/* Nobody allocates any more: every free object back to its span, every empty span to the heap. */
static void heap_drain(void)
{
	gospan_mcentral_drain_all();
	gospan_stats_report_leaks();
	gospan_cache_exit();
}

static bool page_cache = true;
module_param(page_cache, bool, 0444);
MODULE_PARM_DESC(page_cache, "keep up to 64 free pages for each CPU (default Y); N: to measure what it brings");

static int __init gospan_init(void)
{
	int err;

	gospan_node_init();
	gospan_span_setup();
	gospan_malloc_init();
	err = gospan_arena_init();
	if (err)
		return err;
	/* Where the direct map ends; memory that is added later may lie above. */
	err = gospan_mheap_init(&gospan_heap, &gospan_kernel_pages,
				gospan_addr_offset((unsigned long)high_memory), page_cache);
	if (err)
		goto err_arena_exit;
	err = gospan_mcentral_init();
	if (err)
		goto err_mheap_destroy;
	err = gospan_mcache_init();
	if (err)
		goto err_mcentral_exit;
	err = gospan_nolock_init();
	if (err)
		goto err_mcache_exit;
	err = gospan_rcu_init();
	if (err)
		goto err_nolock_exit;
	err = gospan_scavenge_init();
	if (err)
		goto err_rcu_exit;
	gospan_idle_init();
	err = gospan_debug_init();
	if (err)
		goto err_idle_exit;
	err = gospan_dev_init();
	if (err)
		goto err_debug_exit;
	gospan_guard_init();
	gospan_debug_file_init();
	gospan_validate_file_init();
	return 0;

err_debug_exit:
	gospan_debug_exit();
err_idle_exit:
	gospan_idle_exit();
	gospan_scavenge_exit();
err_rcu_exit:
	gospan_rcu_exit();
err_nolock_exit:
	gospan_nolock_exit();
err_mcache_exit:
	gospan_mcache_exit();
	heap_drain();
err_mcentral_exit:
	gospan_mcentral_exit();
err_mheap_destroy:
	gospan_mheap_destroy(&gospan_heap);
err_arena_exit:
	gospan_arena_exit();
	return err;
}

static void __exit gospan_exit(void)
{
	gospan_debug_file_exit();
	gospan_dev_exit();
	gospan_idle_exit();
	gospan_scavenge_exit();
	gospan_rcu_exit();
	gospan_nolock_exit();
	/* After those that still free what had to wait. */
	gospan_guard_exit();
	gospan_debug_exit();
	gospan_mcache_exit();
	heap_drain();
	gospan_mcentral_exit();
	gospan_mheap_destroy(&gospan_heap);
	gospan_arena_exit();
}

module_init(gospan_init);
module_exit(gospan_exit);
MODULE_DESCRIPTION("The Go runtime's memory allocator");
MODULE_AUTHOR("The gospan developers");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
