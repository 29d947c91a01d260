/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics: gospan_read_stats() is in the API; this is for the module.
 */
#ifndef _GOSPAN_STATS_H
#define _GOSPAN_STATS_H

struct gospan_heapstats;
struct gospan_memstats_class;

int gospan_stats_read_heap(struct gospan_heapstats *st);
void gospan_stats_read_spanclass(unsigned int spanclass, struct gospan_memstats_class *row);
void gospan_stats_forget(unsigned int spanclass);
unsigned long gospan_stats_report_leaks(void);

#endif /* _GOSPAN_STATS_H */
