/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subcommands. Each takes its own argv and returns an exit status.
 */
#ifndef GOSPAN_TOOL_COMMANDS_H
#define GOSPAN_TOOL_COMMANDS_H

int cmd_bench(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_classes(int argc, char **argv);
int cmd_trim(int argc, char **argv);
int cmd_alloc_test(int argc, char **argv);

#endif /* GOSPAN_TOOL_COMMANDS_H */
