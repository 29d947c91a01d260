/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guard pages: pages of the direct map that can be hidden, so that who touches one
 * is found out.
 */
#ifndef _GOSPAN_GUARD_PAGES_H
#define _GOSPAN_GUARD_PAGES_H

#include <linux/kconfig.h>
#include <linux/types.h>

struct pt_regs;

/* Does this kernel let a module hide pages? See guard_pages.c. */
#define GOSPAN_GUARD_PAGES \
	(IS_ENABLED(CONFIG_X86_64) && IS_ENABLED(CONFIG_KFENCE) && IS_ENABLED(CONFIG_KPROBES))

/* Told of an access to one that is hidden, by which instruction; shows it again. Any context. */
typedef void (*gospan_guard_fault_fn)(unsigned long addr, bool write, unsigned long ip);

/* Constant from gospan_guard_pages_open() to gospan_guard_pages_close(). */
struct gospan_guard_pages {
	unsigned long addr;	/* of the first */
	unsigned long bytes;	/* of all; 0: there are none */
};

extern struct gospan_guard_pages gospan_guard_pages;

/* Any address; a look at two words. */
static __always_inline bool gospan_guard_pages_have(const void *p)
{
	return (unsigned long)p - gospan_guard_pages.addr < gospan_guard_pages.bytes;
}

int gospan_guard_pages_open(unsigned int n, gospan_guard_fault_fn fault);
void gospan_guard_pages_close(void);
void gospan_guard_page_hide(unsigned long addr);
void gospan_guard_page_show(unsigned long addr);

#endif /* _GOSPAN_GUARD_PAGES_H */
