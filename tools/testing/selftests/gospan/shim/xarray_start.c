// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test of XArrays, with a copy of their code and of the radix tree's, which
 * has the cache of nodes. At boot the kernel makes that for its own copy; here it
 * is made, and given back after the last grace period of a node.
 */
#include <linux/cpuhotplug.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/radix-tree.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "radix-tree.h"
#include "start.h"

/*
 * radix_tree_init() registers for CPUs that go, of which the kernel's copy is told
 * already. What this one would hear of, nodes set aside by radix_tree_preload(),
 * no test of XArrays has.
 */
int xarray_setup_state(enum cpuhp_state state, const char *name, bool invoke,
		       int (*startup)(unsigned int cpu), int (*teardown)(unsigned int cpu),
		       bool multi_instance);

int xarray_setup_state(enum cpuhp_state state, const char *name, bool invoke,
		       int (*startup)(unsigned int cpu), int (*teardown)(unsigned int cpu),
		       bool multi_instance)
{
	return 0;
}

static void nodes_free(void)
{
	rcu_barrier();
	kmem_cache_destroy(radix_tree_node_cachep);
}

static int __init xarray_start(void)
{
	int err;

	radix_tree_init();
	err = test_init();
	if (err)
		nodes_free();
	return err;
}

static void __exit xarray_end(void)
{
	test_exit();
	nodes_free();
}

module_init(xarray_start);
module_exit(xarray_end);
