// SPDX-License-Identifier: GPL-2.0-only
/*
 * nolock: allocate and free in any context, NMI included, without a lock.
 *
 * The claim of the CPU's mcache keeps an NMI out as it does an interrupt, so
 * the magazine is tried first, both to pop and to push. Where it is claimed,
 * empty or full, an allocation takes from the CPU's reserve, and a free links
 * the object, through its own first bytes, to a list of the CPU's (of tiny objects
 * the block, when the last is freed, which takes no lock either). An interrupt
 * that the CPU raises at itself (irq_work) then frees what is on the list and
 * fills the reserve again; what it does not get without sleeping, a worker does.
 *
 * The reserve is an array of slots. To take is to exchange a slot for NULL, to
 * fill is to compare and exchange NULL for an object: each slot is whole for
 * itself, so it does not matter who nests in whom or on which CPU either runs,
 * and there is no chain in which an object could come back unseen. The price is
 * a scan of at most depth words.
 *
 * Reserve: depth objects of each of 8 classes, 16 B .. 2 KiB: 4080 * depth bytes
 * a CPU. They stay when the heap is trimmed.
 *
 * Go allocates nothing in a signal handler; there is no counterpart.
 */
#include <linux/cpuhotplug.h>
#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/poison.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/workqueue.h>
#include "guard.h"
#include "malloc.h"
#include "nolock.h"
#include "record.h"
#include "report.h"

#define NOLOCK_MIN_LOG2		4
#define NOLOCK_NR_CLASSES	8
#define NOLOCK_GFP		(__GFP_ZERO | __GFP_NOWARN)
/* In the link of an object of the list that was freed a moment ago. */
#define NOLOCK_FREED		((struct llist_node *)LIST_POISON2)

static_assert(GOSPAN_NOLOCK_MAX_BYTES == 1 << (NOLOCK_MIN_LOG2 + NOLOCK_NR_CLASSES - 1));

static unsigned int nolock_depth = 8;
module_param(nolock_depth, uint, 0444);
MODULE_PARM_DESC(nolock_depth, "objects of each of 8 classes, 4080 bytes together, that a CPU keeps for allocations in NMIs (default 8, at most 256)");

/* (a) atomic */
struct nolock_cpu {
	struct irq_work work;		/* frees what is deferred, fills the reserve */
	struct llist_head deferred;	/* (a) objects to free */
	atomic_long_t nr[GOSPAN_NOLOCK_NR_EVENTS];	/* (a) */
	void *slot[];			/* (a) the classes' reserves, one after the other */
};

static struct nolock_cpu __percpu *nolock_cpus;	/* constant while in use */
static unsigned int reserve_depth;		/* the same; slots of a class */
static enum cpuhp_state cpuhp_state;

static size_t reserve_bytes(unsigned int class)
{
	return 1UL << (NOLOCK_MIN_LOG2 + class);
}

static unsigned int reserve_spanclass(unsigned int class)
{
	return gospan_make_spanclass(gospan_size_to_class(reserve_bytes(class)), false);
}

/* The reserve's class of @size, 1..GOSPAN_NOLOCK_MAX_BYTES. */
static unsigned int reserve_class(size_t size)
{
	return max(fls_long(size - 1), NOLOCK_MIN_LOG2) - NOLOCK_MIN_LOG2;
}

static void *reserve_take(struct nolock_cpu *n, unsigned int class)
{
	void **slot = n->slot + class * reserve_depth, **limit = slot + reserve_depth;
	void *p = NULL;

	for (; slot < limit && !p; slot++)
		if (READ_ONCE(*slot))
			p = xchg(slot, NULL);
	return p;
}

/* Any context but NMI, of any CPU. False if memory, of @node if possible, ran out. */
static bool reserve_fill(struct nolock_cpu *n, gfp_t gfp, int node)
{
	unsigned int i;

	for (i = 0; i < NOLOCK_NR_CLASSES * reserve_depth; i++) {
		void *p;

		if (READ_ONCE(n->slot[i]))
			continue;
		/* Without a record or guard pages: who asks for how much is not known yet. */
		p = gospan_malloc_node(reserve_spanclass(i / reserve_depth), gfp | __GFP_NOWARN,
				       node);
		if (!p)
			return false;
		/* Another fills it, too. */
		if (cmpxchg(&n->slot[i], NULL, p))
			gospan_free(p);
	}
	return true;
}

static void reserve_drain(struct nolock_cpu *n)
{
	unsigned int i;

	for (i = 0; i < NOLOCK_NR_CLASSES * reserve_depth; i++)
		gospan_free(xchg(&n->slot[i], NULL));
}

/* The large object that is linked at @p: itself, or the record at its end. */
static void *large_linked(void *p)
{
	const struct gospan_span *s;

	/* One that others freed meanwhile may have no span any more. */
	rcu_read_lock();
	s = gospan_arena_span_of(&gospan_heap.arenas, p);
	if (s && gospan_record_of(s, (void *)s->base) == p)
		p = (void *)s->base;
	rcu_read_unlock();
	return p;
}

/* The object, or block that the last tiny object has left, that is linked at @p. */
static void free_put_off(void *p)
{
	unsigned int spanclass = gospan_arena_spanclass_of(&gospan_heap.arenas, p);

	if (spanclass == GOSPAN_SPANCLASS_LARGE)
		p = large_linked(p);
	if (gospan_spanclass_is_cache(spanclass))
		p -= gospan_spanclass_word_offset(spanclass);
	if (spanclass == GOSPAN_SPANCLASS_IN_TINY)
		gospan_mcentral_flush_home(&p, 1);
	else
		gospan_free(p);
}

/* Free what was put off. Hardirq, or nobody puts off any more. */
static void deferred_free(struct nolock_cpu *n)
{
	struct llist_node *node = llist_del_all(&n->deferred), *next;

	for (; node; node = next) {
		next = READ_ONCE(node->next);
		if (next == NOLOCK_FREED) {
			/* It was put off twice: the list ends in a ring. */
			gospan_report_misuse(GOSPAN_FREE_DOUBLE, node);
			return;
		}
		WRITE_ONCE(node->next, NOLOCK_FREED);
		free_put_off(node);
	}
}

static void nolock_refill(struct work_struct *unused)
{
	unsigned int cpu;

	/* One that goes down meanwhile may keep a part, until it is up again or we exit. */
	for_each_online_cpu(cpu)
		if (!reserve_fill(per_cpu_ptr(nolock_cpus, cpu), GFP_KERNEL | __GFP_NORETRY,
				  cpu_to_node(cpu)))
			return;
}

static DECLARE_WORK(refill_work, nolock_refill);

static void nolock_irq(struct irq_work *work)
{
	struct nolock_cpu *n = container_of(work, struct nolock_cpu, work);

	deferred_free(n);
	/* On PREEMPT_RT the heap cannot grow here. */
	if (!reserve_fill(n, GFP_NOWAIT, NUMA_NO_NODE))
		schedule_work(&refill_work);
}

/*
 * Preemption is off. A CPU that is going down handles its last interrupt after
 * it is taken offline; then, what is left to do is done when it is dead.
 */
static void nolock_kick(struct nolock_cpu *n)
{
	if (likely(cpu_online(smp_processor_id())))
		irq_work_queue(&n->work);
}

/* Pop this CPU's magazine; NULL if it is empty or claimed. */
static void *magazine_pop(unsigned int sizeclass)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	struct gospan_magazine *m = &c->magazine[gospan_make_spanclass(sizeclass, false)];
	void *p = NULL;

	if (m->top != m->base) {
		p = *--m->top;
		m->nr_mallocs++;
	}
	gospan_mcache_release(slot, c);
	return p;
}

/* Push where the object belongs; false if that is full or claimed, or something is wrong. */
static bool mcache_push(const void *p)
{
	struct gospan_mcache *c, **slot = gospan_mcache_claim(&c);
	struct gospan_chunk *chunk = gospan_arena_chunk_of(&gospan_heap.arenas, (unsigned long)p);
	unsigned int key = gospan_chunk_key_of(chunk, p), spanclass = gospan_key_spanclass(key);
	/* What is not ours, or large, has a magazine without capacity. */
	struct gospan_magazine *m = gospan_mcache_magazine(c, key);
	bool has_room;

	if (!gospan_mcache_is_home_chunk(c, chunk)) {
		has_room = gospan_spanclass_is_cut(spanclass) &&
			   gospan_mcache_push_remote(c, spanclass, p);
	} else {
		has_room = m->top != m->limit && m->top[-1] != p;
		if (has_room)
			*m->top++ = (void *)p;
	}
	gospan_mcache_release(slot, c);
	return has_room;
}

/* Preemption is off. */
static void *nolock_take(struct nolock_cpu *n, size_t size)
{
	void *p = magazine_pop(gospan_size_to_class(size));

	if (p) {
		atomic_long_inc(&n->nr[GOSPAN_NOLOCK_CACHED]);
		return p;
	}
	p = reserve_take(n, reserve_class(size));
	atomic_long_inc(&n->nr[p ? GOSPAN_NOLOCK_RESERVED : GOSPAN_NOLOCK_EMPTY]);
	nolock_kick(n);
	return p;
}

void *gospan_alloc_nolock(size_t size, gfp_t gfp)
{
	void *p;

	if (!size)
		return ZERO_SIZE_PTR;
	if (size > GOSPAN_NOLOCK_MAX_BYTES || gfp & ~NOLOCK_GFP) {
		atomic_long_inc(&raw_cpu_ptr(nolock_cpus)->nr[GOSPAN_NOLOCK_INVALID]);
		return NULL;
	}
	preempt_disable();
	p = nolock_take(this_cpu_ptr(nolock_cpus), size);
	preempt_enable();
	if (p && want_init_on_alloc(gfp))
		memset(p, 0, gospan_size(p));
	return p;
}
EXPORT_SYMBOL_GPL(gospan_alloc_nolock);

/*
 * What @p is, and in @link where it can be written to while it waits: itself, its
 * block if it was tiny and the last, or NULL if it was not the last.
 */
static enum gospan_verdict object_retire(const void *p, void **link)
{
	struct gospan_span *s = gospan_arena_span_of(&gospan_heap.arenas, p);
	struct gospan_record *r;

	if (!s)
		return GOSPAN_FREE_FOREIGN;
	if (s->spanclass == GOSPAN_SPANCLASS_TINY) {
		/* Others are wiped when they are freed. */
		if (want_init_on_free())
			memset((void *)p, 0, gospan_tiny_bytes(p));
		return gospan_tiny_free(p, link);
	}
	if (!gospan_span_object_bytes(s, p))
		return GOSPAN_FREE_INTERIOR;
	r = gospan_record_of(s, p);
	/* There is room even in one that has come to be smaller than a link. */
	*link = r ? (void *)&r->link : (void *)p + gospan_spanclass_word_offset(s->spanclass);
	/* A free one is linked already, where others look. */
	return r && !gospan_record_is_live(r) ? GOSPAN_FREE_DOUBLE : GOSPAN_FREE_OK;
}

/* Only what is an object is written to. */
static void free_later(const void *p)
{
	enum gospan_verdict verdict;
	struct nolock_cpu *n;
	void *link;

	preempt_disable();
	verdict = object_retire(p, &link);
	if (verdict == GOSPAN_FREE_OK && link) {
		n = this_cpu_ptr(nolock_cpus);
		llist_add(link, &n->deferred);
		atomic_long_inc(&n->nr[GOSPAN_NOLOCK_DEFERRED]);
		nolock_kick(n);
	}
	preempt_enable();
	if (verdict != GOSPAN_FREE_OK)
		gospan_report_misuse(verdict, p);
}

void gospan_free_nolock(const void *p)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	if (gospan_guard_free(p, false))
		return;
	gospan_arena_see_newest();
	/* To wipe an object of any size would take too long here. */
	if (want_init_on_free() || !mcache_push(p))
		free_later(p);
}
EXPORT_SYMBOL_GPL(gospan_free_nolock);

/*
 * Wait until what was put off up to now is freed, but on a CPU that is down, and
 * the reserves that were asked to be filled have been. Task; sleeps.
 */
void gospan_nolock_sync(void)
{
	/* Where an irq_work has no interrupt of its own, only the last to wait is woken up. */
	static DEFINE_MUTEX(one_waits);
	unsigned int cpu;

	if (!nolock_cpus)
		return;
	mutex_lock(&one_waits);
	for_each_possible_cpu(cpu)
		irq_work_sync(&per_cpu_ptr(nolock_cpus, cpu)->work);
	mutex_unlock(&one_waits);
	flush_work(&refill_work);
}

/* Objects of @spanclass that the reserves hold; right for some moment. */
unsigned int gospan_nolock_held(unsigned int spanclass)
{
	unsigned int bytes = gospan_spanclass_bytes(spanclass), cpu, class, nr = 0;
	void *const *slot, *const *limit;

	if (!nolock_cpus || !bytes || bytes > GOSPAN_NOLOCK_MAX_BYTES)
		return 0;
	class = reserve_class(bytes);
	if (bytes != reserve_bytes(class) ||
	    spanclass != gospan_make_spanclass(gospan_size_to_class(bytes), false))
		return 0;
	for_each_possible_cpu(cpu) {
		slot = per_cpu_ptr(nolock_cpus, cpu)->slot + class * reserve_depth;
		for (limit = slot + reserve_depth; slot < limit; slot++)
			nr += !!READ_ONCE(*slot);
	}
	return nr;
}

unsigned long gospan_nolock_count(enum gospan_nolock_event event)
{
	unsigned long sum = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		sum += atomic_long_read(&per_cpu_ptr(nolock_cpus, cpu)->nr[event]);
	return sum;
}

static int stats_get(char *buffer, const struct kernel_param *kp)
{
	if (!nolock_cpus)
		return -EAGAIN;
	return sysfs_emit(buffer,
			  "cached %lu\nreserved %lu\nempty %lu\ninvalid %lu\ndeferred %lu\n",
			  gospan_nolock_count(GOSPAN_NOLOCK_CACHED),
			  gospan_nolock_count(GOSPAN_NOLOCK_RESERVED),
			  gospan_nolock_count(GOSPAN_NOLOCK_EMPTY),
			  gospan_nolock_count(GOSPAN_NOLOCK_INVALID),
			  gospan_nolock_count(GOSPAN_NOLOCK_DEFERRED));
}

static const struct kernel_param_ops stats_ops = { .get = stats_get };

module_param_cb(nolock_stats, &stats_ops, NULL, 0444);
MODULE_PARM_DESC(nolock_stats, "calls of gospan_alloc_nolock() served by the CPU's cache, by its reserve, refused as the reserve was empty, and for size or flags; frees put off");

/* Before a CPU starts. */
static int nolock_cpu_prepare(unsigned int cpu)
{
	return reserve_fill(per_cpu_ptr(nolock_cpus, cpu), GFP_KERNEL, cpu_to_node(cpu)) ?
	       0 : -ENOMEM;
}

/* After a CPU has stopped. */
static int nolock_cpu_dead(unsigned int cpu)
{
	struct nolock_cpu *n = per_cpu_ptr(nolock_cpus, cpu);

	deferred_free(n);
	reserve_drain(n);
	return 0;
}

/* With a reserve of @depth objects of each class for each CPU. */
int gospan_nolock_create(unsigned int depth)
{
	unsigned int cpu;
	int ret;

	reserve_depth = min(depth, GOSPAN_NOLOCK_MAX_DEPTH);
	nolock_cpus = __alloc_percpu(sizeof(*nolock_cpus) +
				     NOLOCK_NR_CLASSES * reserve_depth * sizeof(void *),
				     __alignof__(*nolock_cpus));
	if (!nolock_cpus)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		per_cpu_ptr(nolock_cpus, cpu)->work = IRQ_WORK_INIT_HARD(nolock_irq);
	ret = cpuhp_setup_state(CPUHP_BP_PREPARE_DYN, "gospan:nolock",
				nolock_cpu_prepare, nolock_cpu_dead);
	if (ret < 0) {
		gospan_nolock_exit();
		return ret;
	}
	cpuhp_state = ret;
	return 0;
}

int gospan_nolock_init(void)
{
	return gospan_nolock_create(nolock_depth);
}

/* Nobody calls any more. */
void gospan_nolock_exit(void)
{
	unsigned int cpu;

	if (!nolock_cpus)
		return;
	for_each_possible_cpu(cpu)
		irq_work_sync(&per_cpu_ptr(nolock_cpus, cpu)->work);
	cancel_work_sync(&refill_work);
	if (cpuhp_state)
		cpuhp_remove_state(cpuhp_state);
	cpuhp_state = 0;
	/* Those too that failed to start, or were filled as they went down. */
	for_each_possible_cpu(cpu)
		nolock_cpu_dead(cpu);
	/* Who reads nolock_stats. */
	kernel_param_lock(THIS_MODULE);
	free_percpu(nolock_cpus);
	nolock_cpus = NULL;
	kernel_param_unlock(THIS_MODULE);
}
