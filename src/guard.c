// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guard: now and then an allocation gets a page of its own, between pages that nobody
 * may touch.
 *
 *	guard | object 0 | guard | object 1 | guard | ...
 *
 * Its object lies at the end of the page or at its start, by turns, so an access out of
 * its bounds is one to a guard page; and when it is freed its own page is hidden, too.
 * Either is found when it happens, with who did it, who allocated the object and who
 * freed it. What of the page is not the object's is painted, and looked at when it is
 * freed. A page that was freed is used again when all others were: the longer ago, the
 * better.
 *
 * Every guard_ms one is due. Then the key that classes under debug have, too, sends
 * allocations by here; the first that fits in a page has it, and the key goes back.
 * Otherwise nothing differs from what is without guards, so it costs what two changes of
 * code every guard_ms do. A free finds that the object is in no span, as it does with
 * large objects and those that are not ours, and asks here.
 *
 * Objects of named caches, of a certain node, in bulk, and above a page have none.
 * kmemleak does not look for pointers in those that have.
 *
 * KFENCE and GWP-ASan do the same; the former for kmalloc(). Go has nothing alike.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/jump_label.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/poison.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "guard.h"
#include "malloc.h"
#include "report.h"

/* As many as KFENCE has. */
#define MAX_OBJECTS	255U

static unsigned int guard_objects;
module_param(guard_objects, uint, 0444);
MODULE_PARM_DESC(guard_objects, "objects between guard pages at a time, at most 255; they take twice as many pages (default 0)");

static unsigned int guard_ms = 200;
module_param(guard_ms, uint, 0444);
MODULE_PARM_DESC(guard_ms, "milliseconds until the next allocation gets a page of its own (default 200)");

/* (o) whoever has the object  (a) atomic */
struct guard_slot {
	struct llist_node free;		/* while nobody has it */
	void *object;			/* (o) that it has, or had last; NULL: none yet */
	atomic_t live;			/* (a) */
	struct gospan_record record;	/* (o) its bytes, and who had it */
};

static struct guard_slot *slots;	/* constant while open */
static unsigned int nr_slots;		/* the same */

/* Free slots, the oldest first, and then those in @freed, the oldest last. */
static DEFINE_RAW_SPINLOCK(ready_lock);	/* irqsave; a leaf */
static struct llist_node *ready;	/* under it */
static LLIST_HEAD(freed);		/* added to in any context, without it */

atomic_t gospan_guard_due;
static atomic_long_t nr_taken, nr_missed;
static struct irq_work taken_work;
static struct delayed_work tick_work;
static bool armed;			/* by tick_work only */

static unsigned long slot_page(const struct guard_slot *slot)
{
	return gospan_guard_pages.addr + (2 * (slot - slots) + 1) * PAGE_SIZE;
}

/* Whose page @addr is in; NULL: a guard page. */
static struct guard_slot *slot_of(unsigned long addr)
{
	unsigned long i = (addr - gospan_guard_pages.addr) / PAGE_SIZE;

	return i % 2 ? slots + i / 2 : NULL;
}

static struct guard_slot *slot_pop(void)
{
	struct llist_node *node;
	unsigned long flags;

	raw_spin_lock_irqsave(&ready_lock, flags);
	if (!ready)
		ready = llist_reverse_order(llist_del_all(&freed));
	node = ready;
	if (node)
		ready = node->next;
	raw_spin_unlock_irqrestore(&ready_lock, flags);
	return node ? llist_entry(node, struct guard_slot, free) : NULL;
}

/* About the object in @slot, or none: *@m has the rest. */
static void slot_report(const struct guard_slot *slot, struct gospan_misuse *m)
{
	m->guarded = true;
	if (slot) {
		/* Who misuses it may not be who has it. */
		m->object = READ_ONCE(slot->object);
		m->bytes = READ_ONCE(slot->record.asked);
		m->record = &slot->record;
		m->addr = slot_page(slot);
	}
	gospan_report(m);
}

/* What is wrong about @p, or damaged there. */
static void pointer_report(const struct guard_slot *slot, enum gospan_verdict verdict,
			   const void *p)
{
	struct gospan_misuse m = { .verdict = verdict, .p = p };

	slot_report(slot, &m);
}

static void *slot_fill(struct guard_slot *slot, size_t size, gfp_t gfp)
{
	unsigned long page = slot_page(slot);
	/* Then it is aligned to its size, too, if that is a power of two. */
	size_t bytes = ALIGN(size, sizeof(u64));
	void *p = (void *)page;

	if (atomic_long_inc_return(&nr_taken) % 2)
		p += PAGE_SIZE - bytes;
	/* They are shown when somebody touched them. */
	gospan_guard_page_hide(page - PAGE_SIZE);
	gospan_guard_page_hide(page + PAGE_SIZE);
	gospan_guard_page_show(page);
	memset((void *)page, SLUB_RED_ACTIVE, PAGE_SIZE);
	if (gfp & __GFP_ZERO)
		memset(p, 0, size);
	WRITE_ONCE(slot->object, p);
	WRITE_ONCE(slot->record.asked, size);
	slot->record.free.ns = 0;
	gospan_track_note(&slot->record.alloc, true, gfp);
	/* After all that is noted about it. */
	atomic_set_release(&slot->live, 1);
	return p;
}

/* See gospan_guard_alloc(). */
void *gospan_guard_take(size_t size, gfp_t gfp)
{
	struct guard_slot *slot;

	/* One that is going down may have had its last interrupt: the next one will not come. */
	if (size > PAGE_SIZE || !cpu_online(raw_smp_processor_id()) ||
	    !atomic_xchg(&gospan_guard_due, 0))
		return NULL;
	irq_work_queue(&taken_work);
	slot = slot_pop();
	if (!slot) {
		atomic_long_inc(&nr_missed);
		return NULL;
	}
	return slot_fill(slot, size, gfp);
}

/* The object's slot, where @p starts one that lives; or what @p is instead. */
static enum gospan_verdict slot_find(const void *p, struct guard_slot **slot)
{
	*slot = slot_of((unsigned long)p);
	if (!*slot)
		return GOSPAN_FREE_FOREIGN;
	if (p != READ_ONCE((*slot)->object))
		return GOSPAN_FREE_INTERIOR;
	return atomic_read_acquire(&(*slot)->live) ? GOSPAN_FREE_OK : GOSPAN_FREE_DOUBLE;
}

/* What of its page is not the object's, and not as it was painted. */
static enum gospan_verdict slot_check(const struct guard_slot *slot, const void **damage)
{
	const void *page = (void *)slot_page(slot), *object = slot->object;
	const void *behind = object + slot->record.asked;

	*damage = memchr_inv(behind, SLUB_RED_ACTIVE, page + PAGE_SIZE - behind);
	if (*damage)
		return GOSPAN_FREE_OVERRUN;
	*damage = memchr_inv(page, SLUB_RED_ACTIVE, object - page);
	return *damage ? GOSPAN_FREE_UNDERRUN : GOSPAN_FREE_OK;
}

/**
 * gospan_guard_free() - take back what may be an object between guard pages
 * @p: anything
 * @stack: note it, too; that may take a lock and allocate
 *
 * Misuse is reported.
 *
 * Context: Any; with @stack any but NMI.
 * Return: Whether it was, or is in one of their pages.
 */
bool gospan_guard_free(const void *p, bool stack)
{
	enum gospan_verdict verdict;
	struct guard_slot *slot;
	const void *damage;

	if (likely(!gospan_guard_pages_have(p)))
		return false;
	verdict = slot_find(p, &slot);
	/* Of several who free it one does. */
	if (verdict == GOSPAN_FREE_OK && atomic_cmpxchg(&slot->live, 1, 0) != 1)
		verdict = GOSPAN_FREE_DOUBLE;
	if (verdict != GOSPAN_FREE_OK) {
		pointer_report(slot, verdict, p);
		return true;
	}
	verdict = slot_check(slot, &damage);
	if (verdict != GOSPAN_FREE_OK)
		pointer_report(slot, verdict, damage);
	if (want_init_on_free())
		memset(slot->object, 0, slot->record.asked);
	gospan_track_note(&slot->record.free, stack, GFP_NOWAIT);
	gospan_guard_page_hide(slot_page(slot));
	llist_add(&slot->free, &freed);
	return true;
}

/* Bytes that were asked for, of the object that @p in one of our pages is; 0, reported, if none. */
size_t gospan_guard_bytes(const void *p)
{
	struct guard_slot *slot;
	enum gospan_verdict verdict = slot_find(p, &slot);

	if (verdict == GOSPAN_FREE_OK)
		return slot->record.asked;
	pointer_report(slot, verdict, p);
	return 0;
}

/* Bytes from the object to @addr, which is not in its page; one that lives counts first. */
static unsigned long slot_distance(const struct guard_slot *slot, unsigned long addr)
{
	unsigned long from = (unsigned long)READ_ONCE(slot->object);
	unsigned long behind = from + READ_ONCE(slot->record.asked);
	unsigned long far = atomic_read(&slot->live) ? 0 : 2 * PAGE_SIZE;

	if (!from)
		return ULONG_MAX;
	return far + (addr < from ? from - addr : addr - behind);
}

/* The object that an access to a guard page is most likely about. */
static struct guard_slot *slot_beside(unsigned long addr)
{
	unsigned int i = (addr - gospan_guard_pages.addr) / PAGE_SIZE / 2;
	struct guard_slot *left = i ? slots + i - 1 : NULL;
	struct guard_slot *right = i < nr_slots ? slots + i : NULL;

	if (!left || !right)
		return left ?: right;
	return slot_distance(left, addr) < slot_distance(right, addr) ? left : right;
}

/* An access to a page that was hidden, see guard_pages.c. Any context. */
void gospan_guard_fault(unsigned long addr, bool write, unsigned long ip)
{
	struct guard_slot *slot = slot_of(addr);
	struct gospan_misuse m = {
		.verdict = slot ? GOSPAN_GUARD_FREED : GOSPAN_GUARD_BESIDE,
		.p = (void *)addr,
		.ip = ip,
		.write = write,
	};

	gospan_guard_page_show(addr & PAGE_MASK);
	if (!slot)
		slot = slot_beside(addr);
	/* Who did it may hold any lock: printing is not to be judged by that. */
	lockdep_off();
	slot_report(READ_ONCE(slot->object) ? slot : NULL, &m);
	lockdep_on();
}

/* Have the next allocation that fits get a page. Task; sleeps. */
void gospan_guard_arm(void)
{
	atomic_set(&gospan_guard_due, 1);
	static_branch_inc(&gospan_malloc_alloc_special);
}

/* It may have had. Task; sleeps. */
void gospan_guard_disarm(void)
{
	atomic_set(&gospan_guard_due, 0);
	static_branch_dec(&gospan_malloc_alloc_special);
}

/* In a jiffy at the earliest. */
static void tick_later(void)
{
	queue_delayed_work(system_dfl_wq, &tick_work, max(msecs_to_jiffies(guard_ms), 1UL));
}

static void guard_tick(struct work_struct *work)
{
	armed = !armed;
	if (armed)
		return gospan_guard_arm();
	gospan_guard_disarm();
	tick_later();
}

static void guard_taken(struct irq_work *work)
{
	/* Tests take without it. */
	if (guard_objects)
		mod_delayed_work(system_dfl_wq, &tick_work, 0);
}

/**
 * gospan_guard_open() - have objects between guard pages, which there are
 * @n: objects; of pages there are 2 * n + 1
 *
 * Context: Task; sleeps.
 * Return: 0, or -ENOMEM.
 */
int gospan_guard_open(unsigned int n)
{
	unsigned int i;

	slots = kvcalloc(n, sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	nr_slots = n;
	init_irq_work(&taken_work, guard_taken);
	for (i = 0; i < n; i++) {
		gospan_guard_page_hide(slot_page(slots + i));
		llist_add(&slots[i].free, &freed);
	}
	return 0;
}

/* Nobody allocates any more, or is armed; what lives goes. Returns how many did. Task; sleeps. */
unsigned int gospan_guard_close(void)
{
	unsigned int i, live = 0;

	if (!slots)
		return 0;
	irq_work_sync(&taken_work);
	for (i = 0; i < nr_slots; i++) {
		if (!atomic_read(&slots[i].live))
			continue;
		live++;
		pr_err("%u bytes between guard pages still live at unload: leaked\n",
		       slots[i].record.asked);
		gospan_origin_print(slots[i].record.alloc.origin);
	}
	init_llist_head(&freed);
	ready = NULL;
	kvfree(slots);
	slots = NULL;
	return live;
}

/* For the file in debugfs. Task. */
void gospan_guard_show(struct seq_file *file)
{
	unsigned int i, live = 0;

	for (i = 0; slots && i < nr_slots; i++)
		live += atomic_read(&slots[i].live);
	seq_printf(file, "objects %u\nlive %u\ntaken %ld\nmissed %ld\n", slots ? nr_slots : 0, live,
		   atomic_long_read(&nr_taken), atomic_long_read(&nr_missed));
}

/* Without guards if they cannot be had: that is no reason to fail. After gospan_malloc_init(). */
void gospan_guard_init(void)
{
	unsigned int n = min(guard_objects, MAX_OBJECTS);
	int err;

	if (!n)
		return;
	err = gospan_origin_init() ?: gospan_guard_pages_open(2 * n + 1, gospan_guard_fault) ?:
	      gospan_guard_open(n);
	if (err) {
		gospan_guard_pages_close();
		guard_objects = 0;
		pr_warn("no guard pages: %s (%d)\n", err == -EOPNOTSUPP ?
			"they take x86-64, no Xen PV, KFENCE and kprobes" : "none are to be had",
			err);
		return;
	}
	INIT_DELAYED_WORK(&tick_work, guard_tick);
	tick_later();
}

/* Nobody allocates any more. */
void gospan_guard_exit(void)
{
	if (guard_objects && slots) {
		irq_work_sync(&taken_work);
		cancel_delayed_work_sync(&tick_work);
		if (armed)
			gospan_guard_disarm();
	}
	gospan_guard_close();
	gospan_guard_pages_close();
}
