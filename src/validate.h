/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Validator: walks everything and looks for what cannot be.
 */
#ifndef _GOSPAN_VALIDATE_H
#define _GOSPAN_VALIDATE_H

#include <linux/types.h>

struct gospan_mheap;
struct gospan_span;

bool gospan_span_validate(const struct gospan_span *s);
bool gospan_heap_validate(struct gospan_mheap *h);

#ifdef CONFIG_GOSPAN_VALIDATE
void gospan_validate_file_init(void);
#else
static inline void gospan_validate_file_init(void) {}
#endif

#endif /* _GOSPAN_VALIDATE_H */
