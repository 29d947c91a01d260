/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replay: the allocations of a recorded program, done again in the kernel; the
 * work behind %GOSPAN_IOC_REPLAY.
 */
#ifndef _GOSPAN_REPLAY_H
#define _GOSPAN_REPLAY_H

#include <linux/types.h>
#include <linux/gospan.h>

struct gospan_replay_run;

struct gospan_replay_run *gospan_replay_begin(const struct gospan_replay *arg);
int gospan_replay_feed(struct gospan_replay_run *run, const struct gospan_replay_op *ops, u32 n);
void gospan_replay_end(struct gospan_replay_run *run, struct gospan_replay_result *result);

#endif /* _GOSPAN_REPLAY_H */
