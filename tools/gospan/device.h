/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/gospan, opened, and its errors in words.
 */
#ifndef GOSPAN_TOOL_DEVICE_H
#define GOSPAN_TOOL_DEVICE_H

#include <linux/gospan.h>

#define EXIT_USAGE	2

/* Print "gospan: ..." and leave with status 1. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* An open file of the device whose ABI is ours; fails otherwise. */
int device_open(struct gospan_version *version);

/* Run one ioctl; fails with @what and a hint when it returns an error. */
void device_do(int fd, unsigned long request, void *arg, const char *what);

/* What to do about an errno that the device returned. */
const char *device_hint(int error);

#endif /* GOSPAN_TOOL_DEVICE_H */
