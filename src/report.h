/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Misuse: counted always, reported at first, or each time where records tell more.
 */
#ifndef _GOSPAN_REPORT_H
#define _GOSPAN_REPORT_H

#include "record.h"

/* What is known when something is found. */
struct gospan_misuse {
	enum gospan_verdict verdict;
	const void *p;		/* handed back; or where what is around an object is damaged */
	unsigned int spanclass;	/* of the span that it is in; GOSPAN_SPANCLASS_NONE */
	unsigned long addr;	/* of the span */
	unsigned int npages;	/* of the span */
	const void *object;	/* that it is about, or in the slot of; NULL: none */
	size_t bytes;		/* that the object has, or were asked for */
	const struct gospan_record *record;	/* of the object; NULL: it has none */
	bool guarded;		/* it has a page of its own, at addr */
	unsigned long ip;	/* guarded: of the instruction, if it is about an access */
	bool write;		/* of that access */
};

void gospan_report(const struct gospan_misuse *m);
void gospan_report_misuse(enum gospan_verdict verdict, const void *p);
void gospan_report_object(enum gospan_verdict verdict, const void *p, const struct gospan_span *s,
			  const void *object);
void gospan_report_add(void);
unsigned long gospan_report_count(void);

/* Tests take the reports: then nothing is printed. */
extern void (*gospan_report_hook)(const struct gospan_misuse *m);

#endif /* _GOSPAN_REPORT_H */
