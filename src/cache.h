/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named caches: the calls are in the API; this is for the module.
 */
#ifndef _GOSPAN_CACHE_H
#define _GOSPAN_CACHE_H

#include <linux/gfp.h>

struct gospan_cache;
struct gospan_cachestats;
struct seq_file;

struct gospan_cache *gospan_cache_create_recorded(const char *name, unsigned int size,
						  unsigned int align);
void *gospan_cache_alloc_recorded(const struct gospan_cache *cache, size_t size, gfp_t gfp,
				  int node);
void gospan_cache_set_letters(const struct gospan_cache *cache, unsigned int letters);
void gospan_cache_show_letters(struct seq_file *file);
bool gospan_cache_set_letters_by_name(const char *name, unsigned int letters);
int gospan_cache_read_stats(struct gospan_cachestats *st);
void gospan_cache_exit(void);

#endif /* _GOSPAN_CACHE_H */
