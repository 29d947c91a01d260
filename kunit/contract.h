/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests: what every call that allocates an object promises, in each context that
 * a caller can bring about.
 */
#ifndef _GOSPAN_KUNIT_CONTRACT_H
#define _GOSPAN_KUNIT_CONTRACT_H

#include <linux/types.h>

struct kunit;

/* A way to allocate objects, and what is special about those. */
struct gospan_contract {
	void *(*alloc)(size_t size, gfp_t gfp);
	void (*free)(const void *p);
	/* What is wrong with an object of at least @size bytes, or NULL. */
	const char *(*check)(void *p, size_t size, gfp_t gfp);
	size_t max_size;		/* 0: all of gospan_kunit_sizes */
};

/* What went wrong; NULL if nothing did. Not said at once: the context may be atomic. */
struct gospan_contract_result {
	const char *what;
	size_t size;
};

/* Has all sizes tried in its context. */
typedef void gospan_contract_run_t(const struct gospan_contract *k, gfp_t gfp,
				   struct gospan_contract_result *result);

struct gospan_contract_context {
	const char *name;
	gfp_t gfp;
	gospan_contract_run_t *run;
};

gospan_contract_run_t gospan_contract_in_task, gospan_contract_bh_off, gospan_contract_preempt_off,
		      gospan_contract_irqs_off, gospan_contract_in_hardirq;

/* Of allocations that may have to grow the heap: test->param_value is one of them. */
#define GOSPAN_CONTRACT_NR_CONTEXTS	17
extern const struct gospan_contract_context gospan_contract_contexts[GOSPAN_CONTRACT_NR_CONTEXTS];

void gospan_contract_context_name(const struct gospan_contract_context *context, char *name);
void gospan_contract_try(struct kunit *test, const struct gospan_contract *k,
			 const struct gospan_contract_context *context);
void gospan_contract_test(struct kunit *test, const struct gospan_contract *k);

#endif /* _GOSPAN_KUNIT_CONTRACT_H */
