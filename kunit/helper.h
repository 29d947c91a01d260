/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests: what several suites share.
 */
#ifndef _GOSPAN_KUNIT_HELPER_H
#define _GOSPAN_KUNIT_HELPER_H

#include <linux/types.h>

struct gospan_mheap;
struct kunit;
struct rnd_state;

/* Sizes of the contract tables: both sides of every boundary. */
extern const size_t gospan_kunit_sizes[];
extern const unsigned int gospan_kunit_nr_sizes;

/* .init of suites that use the module's own heap; checks it after each test, too. */
int gospan_kunit_init(struct kunit *test);

void gospan_kunit_flush(void);
u64 gospan_kunit_live(void);
unsigned long gospan_kunit_inuse_pages(struct gospan_mheap *h);
unsigned int gospan_kunit_cache_limit(void);

unsigned int gospan_kunit_steps(void);
bool gospan_kunit_can_fail(void);
void gospan_kunit_fail_nth(unsigned int n);
unsigned int gospan_kunit_fail_left(void);
void gospan_kunit_seed(struct kunit *test, struct rnd_state *rnd);
u32 gospan_kunit_below(struct rnd_state *rnd, u32 limit);

#endif /* _GOSPAN_KUNIT_HELPER_H */
