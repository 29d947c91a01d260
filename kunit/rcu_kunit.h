/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites about frees put off by RCU share.
 */
#ifndef _GOSPAN_RCU_KUNIT_H
#define _GOSPAN_RCU_KUNIT_H

#include <linux/types.h>

struct kunit;

/* The module parameter rcu_bytes, which is as it was when the test ends. */
unsigned long *gospan_kunit_rcu_limit(void);
int gospan_kunit_rcu_init(struct kunit *test);
/* Nothing waits, and as many objects are live. */
void gospan_kunit_rcu_expect_live(struct kunit *test, u64 live);

#endif /* _GOSPAN_RCU_KUNIT_H */
