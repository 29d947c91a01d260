// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservations: objects obtained where it is allowed to sleep, for a section
 * that must neither sleep nor fail.
 *
 * A reservation has an item for each size class (for large objects: number of
 * pages) reserved, with the objects linked through their first bytes. A request
 * is charged to the smallest item that holds it and to no other: so whether it
 * succeeds depends on what was reserved and on what was drawn of that item, not
 * on who drew what of the others.
 *
 * What is to be added is obtained as a reservation of its own, which nobody else
 * sees, and then joined: all of it or nothing.
 *
 * mempool_t is the kernel's counterpart: of one size, and meant to be waited on.
 * Go has none; its allocator does not fail.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/gospan.h>
#include "malloc.h"

/* An object in wait. */
struct reserve_object {
	struct reserve_object *next;
};

static_assert(sizeof(struct reserve_object) <= 8);

/* Under the lock of the reservation that it is in. */
struct reserve_item {
	struct list_head list;		/* in struct gospan_reservation, by rising @bytes */
	size_t bytes;			/* of each object, as rounded up */
	unsigned int nr;
	struct reserve_object *first;	/* of @nr; NULL: none are left */
	struct reserve_object *last;	/* undefined if there is none */
};

void gospan_reservation_init(struct gospan_reservation *r)
{
	raw_spin_lock_init(&r->lock);
	INIT_LIST_HEAD(&r->items);
}
EXPORT_SYMBOL_GPL(gospan_reservation_init);

/* The item that a request is charged to, or NULL; its objects may all be drawn. */
static struct reserve_item *reservation_item(const struct gospan_reservation *r, size_t size)
{
	struct reserve_item *item;

	lockdep_assert_held(&r->lock);
	list_for_each_entry(item, &r->items, list)
		if (item->bytes >= size)
			return item;
	return NULL;
}

static void item_push(struct reserve_item *item, struct reserve_object *obj)
{
	obj->next = item->first;
	if (!item->first)
		item->last = obj;
	item->first = obj;
	item->nr++;
}

static struct reserve_object *item_pop(struct reserve_item *item)
{
	struct reserve_object *obj = item->first;

	if (obj) {
		item->first = obj->next;
		item->nr--;
	}
	return obj;
}

/* No lock: nobody else sees it. */
static void item_destroy(struct reserve_item *item)
{
	struct reserve_object *obj;

	while ((obj = item_pop(item)))
		gospan_free(obj);
	gospan_free(item);
}

static void items_destroy(struct list_head *items)
{
	struct reserve_item *item, *next;

	list_for_each_entry_safe(item, next, items, list)
		item_destroy(item);
}

/* An item with @count objects, on @items; false if memory ran out: on it with fewer, or not. */
static bool items_add(struct list_head *items, size_t size, unsigned int count, gfp_t gfp)
{
	struct reserve_item *item = gospan_alloc(sizeof(*item), gfp);
	struct reserve_object *obj;

	if (!item)
		return false;
	*item = (struct reserve_item){ .bytes = gospan_size_roundup(size) };
	list_add_tail(&item->list, items);
	while (item->nr < count) {
		/* Who draws it may ask for as much. */
		obj = gospan_alloc(item->bytes, gfp);
		if (!obj)
			return false;
		item_push(item, obj);
		if (gfpflags_allow_blocking(gfp))
			cond_resched();
	}
	return true;
}

/* Put an item where it belongs, or what it has to its like; then it goes to @merged. */
static void reservation_join(struct gospan_reservation *r, struct reserve_item *item,
			     struct list_head *merged)
{
	struct reserve_item *like = reservation_item(r, item->bytes);

	lockdep_assert_held(&r->lock);
	if (!like || like->bytes != item->bytes) {
		/* Before the next larger one. */
		list_move_tail(&item->list, like ? &like->list : &r->items);
		return;
	}
	list_move(&item->list, merged);
	if (!item->first)
		return;
	item->last->next = like->first;
	if (!like->first)
		like->last = item->last;
	like->first = item->first;
	like->nr += item->nr;
	item->first = NULL;
	item->nr = 0;
}

int gospan_reserve(struct gospan_reservation *r, const struct gospan_reserve_item *items,
		   unsigned int n, gfp_t gfp)
{
	struct reserve_item *item, *next;
	unsigned long flags;
	LIST_HEAD(added);
	LIST_HEAD(merged);
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!items[i].size || items[i].size > GOSPAN_MAX_BYTES)
			return -EINVAL;
	if (gfp & GOSPAN_GFP_ZONES)
		return -EINVAL;
	/* Not to take all the memory there is before this is found out. */
	for (i = 0; i < n; i++)
		if (size_mul(items[i].size, items[i].count) >> PAGE_SHIFT > totalram_pages())
			return -ENOMEM;
	/* Who asks for too much hears so, and nobody else is killed for it. */
	if (!(gfp & (__GFP_NOFAIL | __GFP_NORETRY)))
		gfp |= __GFP_RETRY_MAYFAIL;
	for (i = 0; i < n; i++)
		if (!items_add(&added, items[i].size, items[i].count,
			       (gfp & ~__GFP_ZERO) | __GFP_NOWARN)) {
			items_destroy(&added);
			return -ENOMEM;
		}
	raw_spin_lock_irqsave(&r->lock, flags);
	list_for_each_entry_safe(item, next, &added, list)
		reservation_join(r, item, &merged);
	raw_spin_unlock_irqrestore(&r->lock, flags);
	items_destroy(&merged);
	return 0;
}
EXPORT_SYMBOL_GPL(gospan_reserve);

void *gospan_alloc_reserved(struct gospan_reservation *r, size_t size, gfp_t gfp)
{
	struct reserve_object *obj = NULL;
	struct reserve_item *item;
	unsigned long flags;

	if (!size)
		return ZERO_SIZE_PTR;
	raw_spin_lock_irqsave(&r->lock, flags);
	item = reservation_item(r, size);
	if (item)
		obj = item_pop(item);
	raw_spin_unlock_irqrestore(&r->lock, flags);
	if (obj && want_init_on_alloc(gfp))
		memset(obj, 0, gospan_size(obj));
	return obj;
}
EXPORT_SYMBOL_GPL(gospan_alloc_reserved);

unsigned int gospan_nr_reserved(struct gospan_reservation *r, size_t size)
{
	struct reserve_item *item;
	unsigned long flags;
	unsigned int nr;

	raw_spin_lock_irqsave(&r->lock, flags);
	item = reservation_item(r, size);
	nr = item ? item->nr : 0;
	raw_spin_unlock_irqrestore(&r->lock, flags);
	return nr;
}
EXPORT_SYMBOL_GPL(gospan_nr_reserved);

void gospan_unreserve(struct gospan_reservation *r)
{
	unsigned long flags;
	LIST_HEAD(items);

	raw_spin_lock_irqsave(&r->lock, flags);
	list_splice_init(&r->items, &items);
	raw_spin_unlock_irqrestore(&r->lock, flags);
	items_destroy(&items);
}
EXPORT_SYMBOL_GPL(gospan_unreserve);
