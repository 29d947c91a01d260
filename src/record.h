/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Record: what is noted about each object of a class under debug, behind it.
 */
#ifndef _GOSPAN_RECORD_H
#define _GOSPAN_RECORD_H

#include "origin.h"
#include "span.h"

/* What is done with the objects of a class: slub_debug's letters. */
#define GOSPAN_DEBUG_CHECKS	BIT(0)	/* F: a free object is known as such at once */
#define GOSPAN_DEBUG_RED_ZONE	BIT(1)	/* Z: what is around it */
#define GOSPAN_DEBUG_POISON	BIT(2)	/* P: what is in it while it is free */
#define GOSPAN_DEBUG_USER	BIT(3)	/* U: who allocated and who freed it */
#define GOSPAN_DEBUG_NR		4

/* Bytes in front of each object, and at least so many behind it. */
#define GOSPAN_RED_BYTES	16U

/*
 * (a) atomic  (o) whoever has the object: its owner or, while it is free, the allocator
 *
 * Behind the object and its red zone; the next object's red zone follows.
 */
struct gospan_record {
	void *link;		/* (o) first: what a free object is linked through */
	unsigned long mark;	/* (a) state, and the record's address */
	u32 asked;		/* (o) bytes, of those that the slot has for it */
	bool front;		/* constant: there is a red zone in front of it */
	bool zoned;		/* (o) the red zones are painted */
	bool poisoned;		/* (o) it is free, and poisoned */
	bool noscan;		/* (o) no pointers are stored in it */
	struct gospan_track alloc;	/* (o) */
	struct gospan_track free;	/* (o) */
};

/* That of an object that starts at @p in @s; NULL where there are none. */
static inline struct gospan_record *gospan_record_of(const struct gospan_span *s, const void *p)
{
	if (s->spanclass == GOSPAN_SPANCLASS_LARGE)
		return s->elem_bytes ? (void *)p + s->elem_bytes : NULL;
	if (!gospan_spanclass_is_recorded(s->spanclass))
		return NULL;
	return (void *)p + gospan_spanclass_word_offset(s->spanclass);
}

bool gospan_record_cut(struct gospan_cache_layout *l, u32 align);
size_t gospan_record_large_bytes(size_t size);
void gospan_record_large(struct gospan_span *s);
void gospan_record_span(const struct gospan_span *s);
bool gospan_record_is_live(const struct gospan_record *r);
bool gospan_record_is_free(const struct gospan_record *r);
bool gospan_record_is_lost(const struct gospan_record *r);
void gospan_record_lose(struct gospan_record *r);
void gospan_record_find(struct gospan_record *r);
void gospan_record_resize(struct gospan_record *r, void *p, size_t size);
enum gospan_verdict gospan_record_take(struct gospan_record *r, void *p, size_t size,
				       unsigned int letters, const void **damage);
enum gospan_verdict gospan_record_drop(struct gospan_record *r, void *p, unsigned int letters,
				       bool keep, const void **damage);

#endif /* _GOSPAN_RECORD_H */
