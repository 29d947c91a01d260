/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bulk: the calls are in the API; this is for the module.
 */
#ifndef _GOSPAN_BULK_H
#define _GOSPAN_BULK_H

#include <linux/gfp.h>

size_t gospan_bulk_alloc(unsigned int spanclass, gfp_t gfp, size_t n, void **p);

#endif /* _GOSPAN_BULK_H */
