// SPDX-License-Identifier: GPL-2.0-only
/*
 * RCU: objects that are freed when a grace period has passed, in batches.
 *
 * Each CPU has a batch open, an array of pointers in an object of 4 KiB. To put
 * off a free is to store the pointer, under the lock of the CPU's queue; the
 * object itself is not touched. A batch that is full, in objects or in bytes, or
 * that was opened a while ago, goes to call_rcu(). Its callback, as a rule on the
 * same CPU, frees all at once. That a queue is a CPU's is only a habit: anyone may
 * close its batch, so that a CPU that goes offline needs no care.
 *
 * Interrupts stay on meanwhile. Whoever cannot have the lock at once, as an interrupt
 * of who has it, puts the object into the next CPU's batch or, if that is taken as well,
 * sends a batch of one object.
 *
 * Where there is no memory for a batch, the object is linked to a chain, through
 * the rcu_head in it, and a worker waits for a grace period for the whole chain.
 * Without an rcu_head the caller, who may sleep then, waits for one.
 *
 * Above rcu_bytes the worker expedites grace periods, after which it frees what
 * call_rcu() would hold for longer; a caller that may sleep waits, and adds
 * nothing. One that may not is served as ever. What is in open batches, less than
 * 256 KiB a CPU, comes on top.
 *
 * Any context but NMI. Go has a collector, and no counterpart.
 */
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include "compat.h"
#include "guard_pages.h"
#include "malloc.h"
#include "rcu.h"
#include "report.h"

/*
 * Where nothing holds it up, a grace period takes some 30 ms. A machine that frees a
 * million objects of 1 KiB in a second has 30 MiB waiting then. A small machine has not
 * the memory: there it is a share of it.
 */
#define MAX_DEFAULT_BYTES	SZ_32M
#define DEFAULT_SHARE		16
#define BYTES_BY_MEMORY		ULONG_MAX

static unsigned long rcu_bytes = BYTES_BY_MEMORY;
module_param(rcu_bytes, ulong, 0644);
MODULE_PARM_DESC(rcu_bytes, "bytes waiting for RCU above which callers that may sleep wait, too (default 1/16 of memory, at most 32 MiB)");

/*
 * (s) under the sent_lock of @queue once it was sent; once it is off the queue's list, whoever
 * took it off. Before, under the lock of the queue that it is open in, or it is nobody else's.
 */
struct rcu_batch {
	struct rcu_head rcu;
	struct list_head list;		/* (s) of sent ones that have objects, oldest first */
	struct rcu_queue *queue;	/* constant */
	unsigned long grace_period;	/* (s) what has to have passed */
	size_t bytes;			/* (s) of the objects */
	unsigned int nr;		/* (s) */
	bool has_vmalloc;		/* (s) not all are ours */
	void *obj[GOSPAN_RCU_BATCH_OBJS];	/* (s) */
};

static_assert(sizeof(struct rcu_batch) <= SZ_4K);

/* A CPU's. */
struct rcu_queue {
	raw_spinlock_t lock;		/* tried, interrupts on; see internal.h */
	struct rcu_batch *open;		/* under @lock; has objects; NULL: none is open */
	raw_spinlock_t sent_lock;	/* irqsave */
	struct list_head sent;		/* under @sent_lock */
};

/* What an object's rcu_head is as long as the object is in the chain. */
struct chain_link {
	struct llist_node node;
	unsigned long mark;		/* the object's address inverted: nobody else writes that */
};

static_assert(sizeof(struct chain_link) <= sizeof(struct rcu_head));

static DEFINE_PER_CPU(struct rcu_queue, rcu_queue);
static LLIST_HEAD(chain);
static atomic_long_t chain_bytes, chain_objects;
/* Of the chain, and of batches that were sent. */
static atomic_long_t sent_bytes, sent_objects;
static atomic_long_t nr_events[GOSPAN_RCU_NR_EVENTS];
static struct workqueue_struct *rcu_wq;

static void flush(struct work_struct *unused);
static void hurry(struct work_struct *unused);
static DECLARE_DELAYED_WORK(flush_work_later, flush);
static DECLARE_WORK(hurry_work, hurry);

static void count_event(enum gospan_rcu_event event)
{
	atomic_long_inc(&nr_events[event]);
}

static bool too_much_waits(void)
{
	return atomic_long_read(&sent_bytes) >= READ_ONCE(rcu_bytes);
}

/* Of more than the largest object can have, not all is counted: that would take too long. */
static size_t vmalloc_bytes(const void *p)
{
	size_t bytes = 0;

	/* Behind each area is a page that is not mapped. */
	while (bytes < GOSPAN_MAX_BYTES && vmalloc_to_page(p + bytes))
		bytes += PAGE_SIZE;
	return bytes;
}

/* Bytes that are kept with @p; 0 if gospan_kvfree() does not free it. */
static size_t kept_bytes(const void *p)
{
	struct gospan_span *s;
	size_t bytes = 0;

	if (is_vmalloc_addr(p))
		return vmalloc_bytes(p);
	if (gospan_guard_pages_have(p))
		return PAGE_SIZE;
	gospan_arena_see_newest();
	/* A span looked up with a pointer that is not ours may go at any time. */
	rcu_read_lock();
	s = gospan_arena_span_of(&gospan_heap.arenas, p);
	if (s)
		bytes = gospan_spanclass_bytes(s->spanclass) ?:
			(size_t)READ_ONCE(s->npages) << GOSPAN_PAGE_SHIFT;
	rcu_read_unlock();
	return bytes;
}

/* Their grace period has passed. */
static void objects_free(struct rcu_batch *b)
{
	unsigned int nr = b->nr, i;

	for (i = 0; b->has_vmalloc && i < nr; i++) {
		if (!is_vmalloc_addr(b->obj[i]))
			continue;
		vfree(b->obj[i]);
		b->obj[i] = NULL;
	}
	gospan_free_bulk(nr, b->obj);
	atomic_long_sub(nr, &sent_objects);
	atomic_long_sub(b->bytes, &sent_bytes);
}

/* Softirq, or on PREEMPT_RT a task. */
static void batch_free(struct rcu_head *rcu)
{
	struct rcu_batch *b = container_of(rcu, struct rcu_batch, rcu);
	unsigned long flags;

	raw_spin_lock_irqsave(&b->queue->sent_lock, flags);
	list_del_init(&b->list);
	raw_spin_unlock_irqrestore(&b->queue->sent_lock, flags);
	objects_free(b);
	gospan_free(b);
}

/*
 * A queue's lock, in any context but NMI: false if others have it, one of whom this may have
 * interrupted. A kernel without other CPUs has no locks to try: there interrupts are off.
 */
static __always_inline bool queue_trylock(struct rcu_queue *q, unsigned long *flags)
{
	if (IS_ENABLED(CONFIG_SMP))
		return raw_spin_trylock(&q->lock);
	raw_spin_lock_irqsave(&q->lock, *flags);
	return true;
}

static __always_inline void queue_unlock(struct rcu_queue *q, unsigned long flags)
{
	if (IS_ENABLED(CONFIG_SMP))
		raw_spin_unlock(&q->lock);
	else
		raw_spin_unlock_irqrestore(&q->lock, flags);
}

/* @b is closed. */
static void batch_send(struct rcu_batch *b)
{
	struct rcu_queue *q = b->queue;
	unsigned long flags;

	raw_spin_lock_irqsave(&q->sent_lock, flags);
	list_add_tail(&b->list, &q->sent);
	b->grace_period = get_state_synchronize_rcu();
	atomic_long_add(b->nr, &sent_objects);
	atomic_long_add(b->bytes, &sent_bytes);
	raw_spin_unlock_irqrestore(&q->sent_lock, flags);
	call_rcu_hurry(&b->rcu, batch_free);
	count_event(GOSPAN_RCU_BATCHES);
	if (unlikely(too_much_waits()))
		queue_work(rcu_wq, &hurry_work);
}

/* Close the batch. Under the lock up to call_rcu(), or gospan_rcu_barrier() might miss it. */
static void queue_send(struct rcu_queue *q)
{
	struct rcu_batch *b = q->open;

	lockdep_assert_held(&q->lock);
	q->open = NULL;
	batch_send(b);
}

static __always_inline bool batch_add(struct rcu_batch *b, const void *p, size_t bytes)
{
	b->obj[b->nr++] = (void *)p;
	b->bytes += bytes;
	return b->nr == GOSPAN_RCU_BATCH_OBJS || b->bytes >= GOSPAN_RCU_BATCH_BYTES;
}

/*
 * Fast path: the spanclass of the page, and a store, under one lock. False if
 * no batch is open, or others have the lock, or it is no small object.
 */
static __always_inline bool queue_put_small(struct rcu_queue *q, const void *p)
{
	unsigned long flags = 0;
	size_t bytes;
	bool done;

	if (unlikely(!queue_trylock(q, &flags)))
		return false;
	bytes = gospan_spanclass_bytes(gospan_arena_spanclass_of(&gospan_heap.arenas, p));
	done = bytes && q->open;
	if (likely(done) && unlikely(batch_add(q->open, p, bytes)))
		queue_send(q);
	queue_unlock(q, flags);
	return done;
}

static struct rcu_batch *batch_create(struct rcu_queue *q)
{
	struct rcu_batch *b = gospan_alloc(sizeof(*b), GFP_NOWAIT | __GFP_NOWARN);

	if (!b)
		return NULL;
	b->queue = q;
	b->bytes = 0;
	b->nr = 0;
	b->has_vmalloc = false;
	return b;
}

/*
 * Whatever it is. If no batch is open, *@spare becomes it; false if that is %NULL, or others
 * have the lock.
 */
static bool queue_put_any(struct rcu_queue *q, const void *p, size_t bytes,
			  struct rcu_batch **spare)
{
	unsigned long flags = 0;
	bool done;

	if (!queue_trylock(q, &flags))
		return false;
	if (!q->open && *spare) {
		swap(q->open, *spare);
		q->open->queue = q;
	}
	done = q->open;
	if (done) {
		q->open->has_vmalloc |= is_vmalloc_addr(p);
		if (batch_add(q->open, p, bytes))
			queue_send(q);
	}
	queue_unlock(q, flags);
	return done;
}

/* That of the next CPU. */
static struct rcu_queue *queue_beside(void)
{
	unsigned int cpu = cpumask_next(raw_smp_processor_id(), cpu_possible_mask);

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_possible_mask);
	return per_cpu_ptr(&rcu_queue, cpu);
}

static noinline bool put_off_slow(struct rcu_queue *q, const void *p)
{
	size_t bytes = kept_bytes(p);
	struct rcu_batch *b = NULL;
	bool done;

	if (!bytes) {
		gospan_report_misuse(GOSPAN_FREE_FOREIGN, p);
		return true;
	}
	if (queue_put_any(q, p, bytes, &b))
		return true;
	b = batch_create(q);
	if (!b)
		return false;
	done = queue_put_any(q, p, bytes, &b);
	if (!done) {
		done = queue_put_any(queue_beside(), p, bytes, &b);
		count_event(done ? GOSPAN_RCU_BESIDE : GOSPAN_RCU_ALONE);
	}
	if (done) {
		/* Others may have opened one meanwhile. */
		gospan_free(b);
		queue_delayed_work(rcu_wq, &flush_work_later, GOSPAN_RCU_DELAY);
		return true;
	}
	/* Who counts what waits is to know of the batch, too. */
	batch_add(b, p, bytes + sizeof(*b));
	b->has_vmalloc = is_vmalloc_addr(p);
	batch_send(b);
	return true;
}

/* False if there is no memory for a batch. */
static __always_inline bool put_off(const void *p)
{
	struct rcu_queue *q = raw_cpu_ptr(&rcu_queue);

	return likely(queue_put_small(q, p)) || put_off_slow(q, p);
}

/* It needs no memory. */
static noinline void chain_add(struct rcu_head *head, const void *p)
{
	struct chain_link *link = (struct chain_link *)head;
	unsigned long mark = ~(unsigned long)p;
	size_t bytes = kept_bytes(p);

	/* Twice in the chain, it would close that to a ring. */
	if (xchg(&link->mark, mark) == mark) {
		gospan_report_misuse(GOSPAN_FREE_DOUBLE, p);
		return;
	}
	atomic_long_add(bytes, &chain_bytes);
	atomic_long_add(bytes, &sent_bytes);
	atomic_long_inc(&chain_objects);
	atomic_long_inc(&sent_objects);
	llist_add(&link->node, &chain);
	count_event(GOSPAN_RCU_CHAINED);
	queue_work(rcu_wq, &hurry_work);
}

/* Free an object of the chain. Returns the next, or NULL. */
static struct llist_node *link_free(struct llist_node *node)
{
	struct chain_link *link = container_of(node, struct chain_link, node);
	struct llist_node *next = READ_ONCE(node->next);
	unsigned long addr = ~READ_ONCE(link->mark);

	if ((unsigned long)link - addr >= GOSPAN_RCU_MAX_OFFSET) {
		/* Freed by others, and in use again: what was behind it is lost. */
		gospan_report_misuse(GOSPAN_FREE_DOUBLE, node);
		return NULL;
	}
	WRITE_ONCE(link->mark, 0);
	gospan_kvfree((void *)addr);
	return next;
}

static void chain_free(struct llist_node *node)
{
	/* Of those too that are lost, or were added since; the sums come right. */
	long bytes = atomic_long_xchg(&chain_bytes, 0);
	long objects = atomic_long_xchg(&chain_objects, 0);

	while (node) {
		node = link_free(node);
		cond_resched();
	}
	atomic_long_sub(bytes, &sent_bytes);
	atomic_long_sub(objects, &sent_objects);
}

/* Move the objects of the oldest batch to @taken, if its grace period has passed. */
static bool queue_take_ready(struct rcu_queue *q, struct rcu_batch *taken)
{
	struct rcu_batch *b;
	unsigned long flags;
	bool ready;

	raw_spin_lock_irqsave(&q->sent_lock, flags);
	b = list_first_entry_or_null(&q->sent, struct rcu_batch, list);
	ready = b && poll_state_synchronize_rcu(b->grace_period);
	if (ready) {
		/* Not its rcu_head: it may be just on its way to call_rcu(). */
		taken->bytes = b->bytes;
		taken->nr = b->nr;
		taken->has_vmalloc = b->has_vmalloc;
		memcpy(taken->obj, b->obj, b->nr * sizeof(*b->obj));
		/* It is left to batch_free(). */
		list_del_init(&b->list);
		b->bytes = 0;
		b->nr = 0;
	}
	raw_spin_unlock_irqrestore(&q->sent_lock, flags);
	return ready;
}

/* A worker, since there is a chain, or too much waits. */
static void hurry(struct work_struct *unused)
{
	/* There is one such worker, and memory may be short. */
	static struct rcu_batch taken;
	struct llist_node *node = llist_del_all(&chain);
	unsigned int cpu;

	count_event(GOSPAN_RCU_HURRIED);
	synchronize_rcu_expedited();
	chain_free(node);
	for_each_possible_cpu(cpu)
		while (queue_take_ready(per_cpu_ptr(&rcu_queue, cpu), &taken)) {
			objects_free(&taken);
			cond_resched();
		}
}

void __gospan_free_rcu(struct rcu_head *head, const void *p)
{
	if (!ZERO_OR_NULL_PTR(p) && unlikely(!put_off(p)))
		chain_add(head, p);
}
EXPORT_SYMBOL_GPL(__gospan_free_rcu);

void gospan_free_rcu_mightsleep(const void *p)
{
	might_sleep();
	if (ZERO_OR_NULL_PTR(p) || (!too_much_waits() && put_off(p)))
		return;
	count_event(GOSPAN_RCU_WAITED);
	synchronize_rcu();
	gospan_kvfree(p);
}
EXPORT_SYMBOL_GPL(gospan_free_rcu_mightsleep);

/* Close all batches. Task context. */
void gospan_rcu_flush(void)
{
	unsigned long flags;
	struct rcu_queue *q;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&rcu_queue, cpu);
		while (!raw_spin_trylock_irqsave(&q->lock, flags))
			cpu_relax();
		if (q->open)
			queue_send(q);
		raw_spin_unlock_irqrestore(&q->lock, flags);
	}
}

static void flush(struct work_struct *unused)
{
	gospan_rcu_flush();
}

void gospan_rcu_barrier(void)
{
	gospan_rcu_flush();
	rcu_barrier();
	/* The chain, and what was taken from batches. */
	flush_work(&hurry_work);
}
EXPORT_SYMBOL_GPL(gospan_rcu_barrier);

/* What waits, in open batches, too. One that is just sent may count twice. */
struct gospan_rcu_waiting gospan_rcu_waiting(void)
{
	struct gospan_rcu_waiting w = {};
	unsigned long flags;
	struct rcu_queue *q;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&rcu_queue, cpu);
		while (!raw_spin_trylock_irqsave(&q->lock, flags))
			cpu_relax();
		w.bytes += q->open ? q->open->bytes : 0;
		w.objects += q->open ? q->open->nr : 0;
		raw_spin_unlock_irqrestore(&q->lock, flags);
	}
	w.bytes += atomic_long_read(&sent_bytes);
	w.objects += atomic_long_read(&sent_objects);
	return w;
}

unsigned long gospan_rcu_count(enum gospan_rcu_event event)
{
	return atomic_long_read(&nr_events[event]);
}

static int stats_get(char *buffer, const struct kernel_param *kp)
{
	struct gospan_rcu_waiting w;

	/* The file is there before init. */
	if (!rcu_wq)
		return -EAGAIN;
	w = gospan_rcu_waiting();
	return sysfs_emit(buffer,
			  "bytes %lu\nobjects %lu\nbatches %lu\nbeside %lu\nalone %lu\n"
			  "chained %lu\nhurried %lu\nwaited %lu\n", w.bytes, w.objects,
			  gospan_rcu_count(GOSPAN_RCU_BATCHES),
			  gospan_rcu_count(GOSPAN_RCU_BESIDE),
			  gospan_rcu_count(GOSPAN_RCU_ALONE),
			  gospan_rcu_count(GOSPAN_RCU_CHAINED),
			  gospan_rcu_count(GOSPAN_RCU_HURRIED),
			  gospan_rcu_count(GOSPAN_RCU_WAITED));
}

static const struct kernel_param_ops stats_ops = { .get = stats_get };

module_param_cb(rcu_stats, &stats_ops, NULL, 0444);
MODULE_PARM_DESC(rcu_stats, "bytes and objects that wait for RCU; batches so far, objects put into another CPU's, batches of one, objects without one, grace periods expedited, callers that waited for one");

/* After the mcaches. */
int gospan_rcu_init(void)
{
	struct rcu_queue *q;
	unsigned int cpu;

	if (rcu_bytes == BYTES_BY_MEMORY)
		rcu_bytes = min_t(u64, ((u64)totalram_pages() << PAGE_SHIFT) / DEFAULT_SHARE,
				  MAX_DEFAULT_BYTES);
	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&rcu_queue, cpu);
		raw_spin_lock_init(&q->lock);
		raw_spin_lock_init(&q->sent_lock);
		INIT_LIST_HEAD(&q->sent);
	}
	/* That objects are freed must not take memory first. */
	rcu_wq = alloc_workqueue("gospan_rcu", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return rcu_wq ? 0 : -ENOMEM;
}

/* Before the mcaches; nobody calls any more. */
void gospan_rcu_exit(void)
{
	cancel_delayed_work_sync(&flush_work_later);
	gospan_rcu_barrier();
	destroy_workqueue(rcu_wq);
}
