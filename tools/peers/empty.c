// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the empty loop calls in place of malloc() and free(): compiled apart, so
 * that the calls are made.
 */
#include "empty.h"

void *empty_malloc(size_t size)
{
	return (void *)size;
}

void empty_free(void *p)
{
	(void)p;
}
