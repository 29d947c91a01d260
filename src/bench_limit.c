// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allocator that is nothing but a cache: one array of pointers per CPU.
 *
 * What no cache that serves from an array can beat: with preemption off, a pointer
 * is taken from the top of it, or put there. It never runs out and never overflows,
 * since the array is a ring; its objects are nowhere, and nobody may touch them.
 */

#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include "bench_limit.h"
#include "bench_loop.h"

/* Of one CPU, whose tasks alone use it; not for interrupts. */
struct bench_limit {
	void **objects;
	u32 top;	/* entries below it are next to be allocated; < @nr but when it is full */
	u32 nr;		/* entries */
};

static DEFINE_PER_CPU(struct bench_limit, bench_limit);

/* An array of @nr entries, all full, for a CPU that nobody allocates on; 0 or -ENOMEM. */
int gospan_bench_limit_init(unsigned int cpu, u32 nr, gfp_t gfp)
{
	struct bench_limit *l = per_cpu_ptr(&bench_limit, cpu);
	u32 i;

	l->objects = kvmalloc_node(nr * sizeof(*l->objects), gfp, cpu_to_node(cpu));
	if (!l->objects)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		l->objects[i] = &l->objects[i];
	l->top = nr;
	l->nr = nr;
	return 0;
}

/* Also of a CPU that has none. */
void gospan_bench_limit_destroy(unsigned int cpu)
{
	struct bench_limit *l = per_cpu_ptr(&bench_limit, cpu);

	kvfree(l->objects);
	l->objects = NULL;
}

void *gospan_bench_limit_alloc(size_t size, gfp_t gfp)
{
	struct bench_limit *l;
	void *p;

	preempt_disable();
	l = this_cpu_ptr(&bench_limit);
	if (unlikely(!l->top))
		l->top = l->nr;
	p = l->objects[--l->top];
	preempt_enable();
	return p;
}

void gospan_bench_limit_free(const void *p)
{
	struct bench_limit *l;

	preempt_disable();
	l = this_cpu_ptr(&bench_limit);
	if (unlikely(l->top == l->nr))
		l->top = 0;
	l->objects[l->top++] = (void *)p;
	preempt_enable();
}
