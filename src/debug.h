/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debug: which classes' objects have records, and what is done with them.
 */
#ifndef _GOSPAN_DEBUG_H
#define _GOSPAN_DEBUG_H

#include <linux/gfp.h>
#include "record.h"

struct dentry;
struct gospan_cache;
struct seq_file;

/* (d) under the lock of debug_set.c, read without */
struct gospan_debug_class {
	struct gospan_cache *cache;	/* (d) set once; not of large objects */
	u8 letters;			/* (d) */
};

/* By sizeclass; the first are large objects. */
extern struct gospan_debug_class gospan_debug_classes[GOSPAN_NR_SIZECLASSES];

/* debug.c */
extern unsigned long gospan_debug_quarantine_bytes;	/* module parameter */
bool gospan_debug_has_class(size_t size);
bool gospan_debug_alloc(size_t size, gfp_t gfp, bool noscan, int node, void **p);
bool gospan_debug_is_noscan(const void *p);
bool gospan_debug_take(void *p, size_t size, gfp_t gfp);
bool gospan_debug_free(const void *p);
size_t gospan_debug_bytes(const struct gospan_span *s, const void *p, size_t bytes);
bool gospan_debug_has_record(const void *p);
void gospan_debug_resize(const void *p, size_t size);
void gospan_debug_flush(void);

/* debug_set.c */
unsigned int gospan_debug_letters_of(const char *name);
const char *gospan_debug_letters_text(unsigned int letters, char text[GOSPAN_DEBUG_NR + 1]);
int gospan_debug_set(char *text);
void gospan_debug_show(struct seq_file *file);
int gospan_debug_init(void);
void gospan_debug_exit(void);

/* debug_live.c */
typedef void (*gospan_debug_visit)(struct gospan_span *s, void *p, struct gospan_record *r,
				   void *data);
void gospan_debug_for_each(unsigned int spanclass, gospan_debug_visit visit, void *data);
unsigned long gospan_debug_find_lost(unsigned int spanclass);
int gospan_debug_show_live(struct seq_file *file);
void gospan_debug_report_leaks(void);

/* debug_file.c */
extern struct dentry *gospan_debug_folder;
void gospan_debug_file_init(void);
void gospan_debug_file_exit(void);

#endif /* _GOSPAN_DEBUG_H */
