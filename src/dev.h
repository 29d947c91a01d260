/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/gospan; its ABI is include/uapi/linux/gospan.h.
 */
#ifndef _GOSPAN_DEV_H
#define _GOSPAN_DEV_H

int gospan_dev_init(void);
void gospan_dev_exit(void);

#endif /* _GOSPAN_DEV_H */
