/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What module_init() and module_exit() make of a test here: see Kbuild.
 */
#ifndef _SHIM_START_H
#define _SHIM_START_H

int test_init(void);
void test_exit(void);

#endif /* _SHIM_START_H */
