/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nodes: which NUMA node's memory serves a CPU.
 */
#ifndef _GOSPAN_NODE_H
#define _GOSPAN_NODE_H

#include <linux/jump_label.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>

DECLARE_PER_CPU(int, gospan_node_of_cpu);
DECLARE_STATIC_KEY_FALSE(gospan_node_key);

/* May there be more than one? Costs machines with one a no-op, and that only in NUMA kernels. */
static __always_inline bool gospan_node_are_many(void)
{
	return IS_ENABLED(CONFIG_NUMA) && static_branch_unlikely(&gospan_node_key);
}

/* The node that serves this CPU, or the one that the caller was on a moment ago. */
static __always_inline int gospan_node_local(void)
{
	return IS_ENABLED(CONFIG_NUMA) ? raw_cpu_read(gospan_node_of_cpu) : 0;
}

int gospan_node_nearest(int node);
void gospan_node_update_cpu(unsigned int cpu);
void gospan_node_init(void);

#endif /* _GOSPAN_NODE_H */
