/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls that replay what was recorded. Nothing else is measured meanwhile:
 * that is the caller's to see to.
 */
#ifndef _GOSPAN_DEV_REPLAY_H
#define _GOSPAN_DEV_REPLAY_H

long gospan_dev_replay(void __user *arg);
long gospan_dev_replay_cpus(void __user *arg);

#endif /* _GOSPAN_DEV_REPLAY_H */
