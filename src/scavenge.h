/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scavenger: gives free pages back to the kernel.
 */
#ifndef _GOSPAN_SCAVENGE_H
#define _GOSPAN_SCAVENGE_H

#include <linux/types.h>

struct gospan_mheap;
struct shrinker;

/*
 * One heap's; only by who steps it. Clock and heap are given, so that tests
 * need not wait.
 */
struct gospan_scavenger {
	struct gospan_mheap *h;
	u64 (*now_ns)(void);
	/* Give free objects of all CPUs back to the heap, as far as it can be done. */
	void (*drain)(void);
	u64 goal_ns;			/* when @goal_pages was set */
	u64 drain_ns;			/* when the caches were drained last */
	unsigned long goal_pages;	/* in use of late: falls slowly */
	unsigned long released_pages;	/* since init */
};

/* The share of a CPU that it may take: 1 in so many (Go's scavengePercent). */
#define GOSPAN_SCAVENGE_SHARE		100U
/* How long it works before it lets others: it then rests for SHARE - 1 times as long. */
#define GOSPAN_SCAVENGE_WORK_NS		NSEC_PER_MSEC
/* How often it looks whether there is anything to do. */
#define GOSPAN_SCAVENGE_POLL_NS		NSEC_PER_SEC

void gospan_scavenger_init(struct gospan_scavenger *sc, struct gospan_mheap *h,
			   u64 (*now_ns)(void), void (*drain)(void));
unsigned long gospan_scavenger_retain(const struct gospan_scavenger *sc);
u64 gospan_scavenger_step(struct gospan_scavenger *sc);

struct gospan_scavenge_stats {
	unsigned long goal_pages;	/* of the background scavenger */
	unsigned long scavenged_pages;	/* given back by it, since init */
	unsigned long shrunk_pages;	/* given back when the kernel asked, since init */
	unsigned long trimmed_pages;	/* given back by gospan_trim(), since init */
};

struct gospan_scavenge_stats gospan_scavenge_read(void);
/* The kernel's way to ask for memory; for tests. NULL before init and after exit. */
extern struct shrinker *gospan_scavenge_shrinker;
int gospan_scavenge_init(void);
void gospan_scavenge_exit(void);

#endif /* _GOSPAN_SCAVENGE_H */
