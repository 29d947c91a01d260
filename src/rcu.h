/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RCU: gospan_free_rcu() and its like are in the API; this is for the module.
 */
#ifndef _GOSPAN_RCU_H
#define _GOSPAN_RCU_H

#include <linux/gospan.h>
#include <linux/jiffies.h>
#include <linux/sizes.h>

/* A batch is closed when it has so many objects, or of so many bytes, or is open so long. */
#define GOSPAN_RCU_BATCH_OBJS	500U
#define GOSPAN_RCU_BATCH_BYTES	SZ_256K
#define GOSPAN_RCU_DELAY	DIV_ROUND_UP(HZ, 10)

/* What is counted, since load. */
enum gospan_rcu_event {
	GOSPAN_RCU_BATCHES,	/* batches handed to RCU */
	GOSPAN_RCU_BESIDE,	/* objects in another CPU's batch, since others had the lock */
	GOSPAN_RCU_ALONE,	/* batches sent for one object, since others had that, too */
	GOSPAN_RCU_CHAINED,	/* objects for which there was no batch, linked to the chain */
	GOSPAN_RCU_HURRIED,	/* grace periods expedited, for the chain or as too much waits */
	GOSPAN_RCU_WAITED,	/* callers that waited for a grace period */
	GOSPAN_RCU_NR_EVENTS,
};

/* What is not freed yet. */
struct gospan_rcu_waiting {
	unsigned long bytes;
	unsigned long objects;
};

void gospan_rcu_flush(void);
struct gospan_rcu_waiting gospan_rcu_waiting(void);
unsigned long gospan_rcu_count(enum gospan_rcu_event event);
int gospan_rcu_init(void);
void gospan_rcu_exit(void);

#endif /* _GOSPAN_RCU_H */
