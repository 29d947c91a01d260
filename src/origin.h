/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Origin: where an object was allocated, in a word.
 */
#ifndef _GOSPAN_ORIGIN_H
#define _GOSPAN_ORIGIN_H

#include <linux/gfp.h>
#include <linux/kconfig.h>
#include <linux/types.h>

struct seq_file;

/* Are stacks kept? Their handles are u32, and told from addresses by that no address is one. */
#define GOSPAN_ORIGIN_HAS_STACKS	(IS_ENABLED(CONFIG_STACKDEPOT) && \
					 IS_ENABLED(CONFIG_64BIT) && !IS_ENABLED(CONFIG_UML))

/* Who allocated or freed an object last. */
struct gospan_track {
	unsigned long origin;	/* 0: not noted */
	u64 ns;			/* local_clock() */
	pid_t pid;
	unsigned int cpu;
};

int gospan_origin_init(void);
unsigned long gospan_origin_save(unsigned long ip, gfp_t gfp);
void gospan_origin_print(unsigned long origin);
void gospan_track_note(struct gospan_track *t, bool stack, gfp_t gfp);
void gospan_origin_show(struct seq_file *file, unsigned long origin);

#endif /* _GOSPAN_ORIGIN_H */
