/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the empty loop calls in place of malloc() and free().
 */
#ifndef GOSPAN_PEERS_EMPTY_H
#define GOSPAN_PEERS_EMPTY_H

#include <stddef.h>

void *empty_malloc(size_t size);
void empty_free(void *p);

#endif /* GOSPAN_PEERS_EMPTY_H */
