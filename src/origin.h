/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Origin: where an object was allocated, in a word.
 */
#ifndef _GOSPAN_ORIGIN_H
#define _GOSPAN_ORIGIN_H

#include <linux/gfp.h>

struct seq_file;

int gospan_origin_init(void);
unsigned long gospan_origin_save(unsigned long ip, gfp_t gfp);
void gospan_origin_print(unsigned long origin);
void gospan_origin_show(struct seq_file *file, unsigned long origin);

#endif /* _GOSPAN_ORIGIN_H */
