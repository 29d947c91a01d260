/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Misuse: reported once of each kind, counted always.
 */
#ifndef _GOSPAN_REPORT_H
#define _GOSPAN_REPORT_H

#include "span.h"

void gospan_report_misuse(enum gospan_verdict verdict, const void *p);
void gospan_report_add(void);
unsigned long gospan_report_count(void);

#endif /* _GOSPAN_REPORT_H */
