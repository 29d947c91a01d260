/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guard: now and then an allocation gets a page of its own, between pages that nobody
 * may touch.
 */
#ifndef _GOSPAN_GUARD_H
#define _GOSPAN_GUARD_H

#include <linux/atomic.h>
#include <linux/gfp.h>
#include "guard_pages.h"

struct seq_file;

extern atomic_t gospan_guard_due;

void *gospan_guard_take(size_t size, gfp_t gfp);
bool gospan_guard_free(const void *p, bool stack);
size_t gospan_guard_bytes(const void *p);
void gospan_guard_show(struct seq_file *file);
void gospan_guard_fault(unsigned long addr, bool write, unsigned long ip);
int gospan_guard_open(unsigned int n);
unsigned int gospan_guard_close(void);
void gospan_guard_arm(void);
void gospan_guard_disarm(void);
void gospan_guard_init(void);
void gospan_guard_exit(void);

/* An object for the next allocation, if one is due; or NULL. Any context but NMI. */
static __always_inline void *gospan_guard_alloc(size_t size, gfp_t gfp)
{
	return unlikely(atomic_read(&gospan_guard_due)) ? gospan_guard_take(size, gfp) : NULL;
}

#endif /* _GOSPAN_GUARD_H */
