// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes: which NUMA node's memory serves a CPU.
 *
 * That of its own node; where it has none, of the nearest node that has. The
 * kernel's numa_mem_id() says so only on some architectures.
 *
 * Any context.
 */
#include <linux/kernel.h>
#include <linux/topology.h>
#include "node.h"

DEFINE_PER_CPU(int, gospan_node_of_cpu);
DEFINE_STATIC_KEY_FALSE(gospan_node_key);

/* The node, or if it has no memory, or is none, the nearest that has. */
int gospan_node_nearest(int node)
{
	int nearest = first_memory_node, other;

	if (node < 0 || node >= nr_node_ids)
		return nearest;
	if (node_state(node, N_MEMORY))
		return node;
	for_each_node_state(other, N_MEMORY)
		if (node_distance(node, other) < node_distance(node, nearest))
			nearest = other;
	return nearest;
}

/* Before the CPU starts, or when memory came or went. */
void gospan_node_update_cpu(unsigned int cpu)
{
	WRITE_ONCE(per_cpu(gospan_node_of_cpu, cpu), gospan_node_nearest(cpu_to_node(cpu)));
}

/* Before anything is allocated. */
void gospan_node_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		gospan_node_update_cpu(cpu);
	/* One that has no memory now may get some at any time. */
	if (num_possible_nodes() > 1)
		static_branch_enable(&gospan_node_key);
}
