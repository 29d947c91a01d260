/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named caches: the calls are in the API; this is for the module.
 */
#ifndef _GOSPAN_CACHE_H
#define _GOSPAN_CACHE_H

struct gospan_cachestats;

int gospan_cache_read_stats(struct gospan_cachestats *st);
void gospan_cache_exit(void);

#endif /* _GOSPAN_CACHE_H */
