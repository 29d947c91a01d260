/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests: contexts to misuse an object in, and the reports of it.
 */
#ifndef _GOSPAN_KUNIT_MISUSE_H
#define _GOSPAN_KUNIT_MISUSE_H

#include "../src/report.h"

struct kunit_suite;

enum gospan_kunit_context {
	GOSPAN_KUNIT_TASK,
	GOSPAN_KUNIT_IRQS_OFF,
	GOSPAN_KUNIT_HARDIRQ,
	GOSPAN_KUNIT_NR_CONTEXTS,
};

extern const char *const gospan_kunit_context_names[GOSPAN_KUNIT_NR_CONTEXTS];

/* Since gospan_kunit_listen(): the last report, its object's record as it was then, how many. */
struct gospan_kunit_seen {
	struct gospan_misuse m;
	struct gospan_record record;
	unsigned int nr;
};

extern struct gospan_kunit_seen gospan_kunit_seen;

void gospan_kunit_listen(void);
void gospan_kunit_unlisten(void);
void gospan_kunit_debug_exit(struct kunit_suite *suite);
void gospan_kunit_call_in(enum gospan_kunit_context context, void (*fn)(void *data), void *data);

#endif /* _GOSPAN_KUNIT_MISUSE_H */
