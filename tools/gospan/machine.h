/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that a measurement was made on, and how gospan was loaded there:
 * figures without it mean nothing.
 */
#ifndef GOSPAN_TOOL_MACHINE_H
#define GOSPAN_TOOL_MACHINE_H

#include "parse.h"

#include <sys/utsname.h>

struct machine {
	struct utsname kernel;
	char cpu_model[96];		/* as /proc/cpuinfo says, else the architecture */
	struct cpu_list online;
	unsigned int nr_online;
	char page_cache;		/* gospan's parameter: 'Y' or 'N'; '?' without /sys */
};

void machine_read(struct machine *m);

#endif /* GOSPAN_TOOL_MACHINE_H */
