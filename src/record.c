// SPDX-License-Identifier: GPL-2.0-only
/*
 * Record: what is noted about each object of a class under debug, behind it.
 *
 *	16 bytes | object | 16 bytes or more | record | 16 bytes | object | ...
 *	red zone   asked    red zone                    red zone
 *
 * What of the slot was not asked for belongs to the red zone behind the object. The
 * layout is the same whatever is checked; so that may change while objects live, and
 * each record says what was done to its object.
 *
 * The red zone is painted when an object is handed out and looked at when it comes
 * back; the object is poisoned when it comes back, and looked at when it is handed out
 * again. One that something is found about is lost: nobody has it again, until its
 * cache goes.
 *
 * A large object has its record at the end of its pages, and pages for it. It and the
 * first of a span whose objects are aligned to pages have no red zone in front.
 *
 * SLUB does the same under slub_debug; where a record lies and what it has is ours.
 * The bytes are those that the kernel's poison.h has for slabs.
 */
#include <linux/poison.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "record.h"

/* Words that nobody writes by chance. */
#define MARK_LIVE	0x70616e11UL
#define MARK_FREE	0x70616e4eUL
#define MARK_LOST	0x70616e05UL

static unsigned long record_mark(const struct gospan_record *r, unsigned long state)
{
	return (unsigned long)r ^ state;
}

static void red_paint(void *from, const void *to)
{
	memset(from, SLUB_RED_ACTIVE, to - from);
}

/* The first byte that is not as it was painted, or NULL. */
static const void *red_damage(const void *from, const void *to)
{
	return memchr_inv(from, SLUB_RED_ACTIVE, to - from);
}

static void poison(void *p, size_t bytes)
{
	memset(p, POISON_FREE, bytes - 1);
	*(u8 *)(p + bytes - 1) = POISON_END;
}

static const void *poison_damage(const void *p, size_t bytes)
{
	const u8 *last = p + bytes - 1, *damage = memchr_inv(p, POISON_FREE, bytes - 1);

	return damage ?: *last == POISON_END ? NULL : last;
}

/* Room for records in the slots of @l, whose object_bytes are set. False: they are too large. */
bool gospan_record_cut(struct gospan_cache_layout *l, u32 align)
{
	size_t bytes;

	align = max(align, GOSPAN_RED_BYTES);
	l->recorded = true;
	l->word_offset = ALIGN(l->object_bytes + GOSPAN_RED_BYTES, sizeof(u64));
	bytes = l->word_offset + sizeof(struct gospan_record) + GOSPAN_RED_BYTES;
	bytes = ALIGN(bytes, align);
	/* The heap has no more in a run for sure. */
	if (bytes + align > KMALLOC_MAX_SIZE)
		return false;
	l->span = gospan_layout_cut(bytes, align);
	/* A span's base is on its first page. */
	if (align >= GOSPAN_PAGE_SIZE)
		return true;
	l->span.header_bytes = align;
	while (align + l->span.nelems * bytes > (size_t)l->span.npages << GOSPAN_PAGE_SHIFT) {
		if (l->span.nelems == 1)
			l->span.npages++;
		else
			l->span.nelems--;
	}
	return true;
}

/* Bytes that a large object takes with its record. */
size_t gospan_record_large_bytes(size_t size)
{
	return ALIGN(size, sizeof(u64)) + GOSPAN_RED_BYTES + sizeof(struct gospan_record);
}

static void record_init(struct gospan_record *r, bool front)
{
	*r = (struct gospan_record){ .front = front };
	WRITE_ONCE(r->mark, record_mark(r, MARK_FREE));
}

/* Make the object of a large span, which was had for it, one with a record. */
void gospan_record_large(struct gospan_span *s)
{
	size_t bytes = (s->npages << GOSPAN_PAGE_SHIFT) - sizeof(struct gospan_record);

	record_init((void *)s->base + bytes, false);
	/* Others may be looking for it. */
	smp_store_release(&s->elem_bytes, bytes);
}

/* The records of a span that nobody knows of. */
void gospan_record_span(const struct gospan_span *s)
{
	bool front = s->base % GOSPAN_PAGE_SIZE;
	void *p = (void *)s->base;
	unsigned int i;

	for (i = 0; i < s->nelems; i++, p += s->elem_bytes) {
		record_init(gospan_record_of(s, p), front);
		front = true;
	}
}

/* Has somebody the object, at some moment? */
bool gospan_record_is_live(const struct gospan_record *r)
{
	return READ_ONCE(r->mark) == record_mark(r, MARK_LIVE);
}

bool gospan_record_is_free(const struct gospan_record *r)
{
	return READ_ONCE(r->mark) == record_mark(r, MARK_FREE);
}

bool gospan_record_is_lost(const struct gospan_record *r)
{
	return READ_ONCE(r->mark) == record_mark(r, MARK_LOST);
}

/* Nobody is to have the object again. */
void gospan_record_lose(struct gospan_record *r)
{
	WRITE_ONCE(r->mark, record_mark(r, MARK_LOST));
}

/* The opposite, for one that nobody has. */
void gospan_record_find(struct gospan_record *r)
{
	record_init(r, r->front);
}

static void zones_paint(struct gospan_record *r, void *p)
{
	if (r->front)
		red_paint(p - GOSPAN_RED_BYTES, p);
	red_paint(p + r->asked, r);
}

/* Is something written around the object? Then @damage is where. */
static enum gospan_verdict zones_check(const struct gospan_record *r, const void *p,
				       const void **damage)
{
	if (!r->zoned)
		return GOSPAN_FREE_OK;
	*damage = red_damage(p + r->asked, r);
	if (*damage)
		return GOSPAN_FREE_OVERRUN;
	*damage = r->front ? red_damage(p - GOSPAN_RED_BYTES, p) : NULL;
	return *damage ? GOSPAN_FREE_UNDERRUN : GOSPAN_FREE_OK;
}

/* @size bytes of the object are its owner's from now on. */
void gospan_record_resize(struct gospan_record *r, void *p, size_t size)
{
	r->asked = size;
	if (r->zoned)
		zones_paint(r, p);
}

/**
 * gospan_record_take() - look at a free object and hand it out
 * @r: its record
 * @p: the object, which the caller has
 * @size: bytes asked for
 * @letters: what is to be done, GOSPAN_DEBUG_*
 * @damage: where something was found
 *
 * Context: Any.
 * Return: %GOSPAN_FREE_OK and the object is live, or what was found, and it is lost.
 */
enum gospan_verdict gospan_record_take(struct gospan_record *r, void *p, size_t size,
				       unsigned int letters, const void **damage)
{
	enum gospan_verdict verdict = GOSPAN_FREE_DAMAGED;
	const void *where;

	/* First: otherwise nothing in the record is to be relied on. */
	*damage = r;
	if (gospan_record_is_free(r) && p + r->asked <= (void *)r)
		verdict = zones_check(r, p, damage);
	if (verdict != GOSPAN_FREE_DAMAGED && r->poisoned) {
		where = poison_damage(p, r->asked);
		if (where) {
			*damage = where;
			verdict = GOSPAN_ALLOC_WRITTEN;
		}
	}
	if (verdict != GOSPAN_FREE_OK) {
		gospan_record_lose(r);
		return verdict;
	}
	r->asked = size;
	r->poisoned = false;
	r->zoned = letters & GOSPAN_DEBUG_RED_ZONE;
	if (r->zoned)
		zones_paint(r, p);
	WRITE_ONCE(r->mark, record_mark(r, MARK_LIVE));
	return GOSPAN_FREE_OK;
}

/**
 * gospan_record_drop() - take an object back and look at what is around it
 * @r: its record
 * @p: the object
 * @letters: what is to be done, GOSPAN_DEBUG_*
 * @keep: the object has to stay as it is
 * @damage: where something was found
 *
 * Context: Any. Of several who drop an object at the same time, one does.
 * Return: %GOSPAN_FREE_OK, and the object is free; %GOSPAN_FREE_DOUBLE, and nothing has
 * changed; or what was found, and nobody is to have it.
 */
enum gospan_verdict gospan_record_drop(struct gospan_record *r, void *p, unsigned int letters,
				       bool keep, const void **damage)
{
	unsigned long live = record_mark(r, MARK_LIVE), free = record_mark(r, MARK_FREE), old;
	enum gospan_verdict verdict;

	*damage = p;
	old = cmpxchg(&r->mark, live, free);
	if (old == free || old == record_mark(r, MARK_LOST))
		return GOSPAN_FREE_DOUBLE;
	*damage = r;
	if (old != live)
		return GOSPAN_FREE_DAMAGED;
	if (p + r->asked > (void *)r) {
		gospan_record_lose(r);
		return GOSPAN_FREE_DAMAGED;
	}
	verdict = zones_check(r, p, damage);
	if (verdict != GOSPAN_FREE_OK) {
		gospan_record_lose(r);
		return verdict;
	}
	if (letters & GOSPAN_DEBUG_POISON && !keep) {
		poison(p, r->asked);
		r->poisoned = true;
	}
	return GOSPAN_FREE_OK;
}
