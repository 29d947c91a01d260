/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics: gospan_read_stats() is in the API; this is for the module.
 */
#ifndef _GOSPAN_STATS_H
#define _GOSPAN_STATS_H

struct gospan_heapstats;

int gospan_stats_read_heap(struct gospan_heapstats *st);
unsigned long gospan_stats_report_leaks(void);

#endif /* _GOSPAN_STATS_H */
