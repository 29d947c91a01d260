// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the misuse reports: every one counts, also those not printed.
 */
#include <kunit/test.h>
#include <linux/irqflags.h>
#include <linux/gospan.h>
#include "../src/report.h"
#include "helper.h"

static void report_misuse_counts_each(struct kunit *test)
{
	static const enum gospan_verdict verdicts[] = {
		GOSPAN_FREE_FOREIGN, GOSPAN_FREE_INTERIOR, GOSPAN_FREE_DOUBLE,
	};
	unsigned long before = gospan_report_count();
	unsigned int round, i;

	for (round = 0; round < 3; round++)
		for (i = 0; i < ARRAY_SIZE(verdicts); i++)
			gospan_report_misuse(verdicts[i], test);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 9);
}

static void report_misuse_with_irqs_off(struct kunit *test)
{
	unsigned long before = gospan_report_count(), flags;

	local_irq_save(flags);
	gospan_free(test);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, gospan_report_count(), before + 1);
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(report_misuse_counts_each),
	KUNIT_CASE(report_misuse_with_irqs_off),
	{}
};

static struct kunit_suite report_suite = {
	.name = "gospan_report",
	.init = gospan_kunit_init,
	.test_cases = report_cases,
};

kunit_test_suite(report_suite);
