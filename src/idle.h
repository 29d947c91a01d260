/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Idle: takes what idle CPUs cache, without waking them.
 */
#ifndef _GOSPAN_IDLE_H
#define _GOSPAN_IDLE_H

unsigned int gospan_idle_drain(void);
void gospan_idle_init(void);
void gospan_idle_exit(void);

#endif /* _GOSPAN_IDLE_H */
