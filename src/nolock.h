/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nolock: gospan_alloc_nolock() and gospan_free_nolock() are in the API; this
 * is for the module.
 */
#ifndef _GOSPAN_NOLOCK_H
#define _GOSPAN_NOLOCK_H

#include <linux/gospan.h>

/* Objects of each class that a CPU may be told to keep: a scan of so many words. */
#define GOSPAN_NOLOCK_MAX_DEPTH	256U

/* What is counted, since init. */
enum gospan_nolock_event {
	GOSPAN_NOLOCK_CACHED,	/* served by the CPU's mcache */
	GOSPAN_NOLOCK_RESERVED,	/* served by the reserve */
	GOSPAN_NOLOCK_EMPTY,	/* refused: the reserve has no more of the class */
	GOSPAN_NOLOCK_INVALID,	/* refused: size or flags */
	GOSPAN_NOLOCK_DEFERRED,	/* freed later */
	GOSPAN_NOLOCK_NR_EVENTS,
};

int gospan_nolock_create(unsigned int depth);
int gospan_nolock_init(void);
void gospan_nolock_exit(void);
void gospan_nolock_sync(void);
unsigned int gospan_nolock_held(unsigned int spanclass);
unsigned long gospan_nolock_count(enum gospan_nolock_event event);

#endif /* _GOSPAN_NOLOCK_H */
