// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test of hash tables, with a copy of their code. Tables that were outgrown
 * are freed by that copy after a grace period: it stays until then.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include "start.h"

static int __init rhashtable_start(void)
{
	int err = test_init();

	if (err)
		rcu_barrier();
	return err;
}

static void __exit rhashtable_end(void)
{
	test_exit();
	rcu_barrier();
}

module_init(rhashtable_start);
module_exit(rhashtable_end);
