/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that a measurement was made on, and how gospan was loaded there:
 * figures without it mean nothing.
 */
#ifndef GOSPAN_TOOL_MACHINE_H
#define GOSPAN_TOOL_MACHINE_H

#include "parse.h"

#include <sys/utsname.h>

struct module_parameter {
	char name[32];
	char value[64];
};

struct machine {
	struct utsname kernel;
	char cpu_model[96];		/* as /proc/cpuinfo says, else the architecture */
	struct cpu_list online;
	unsigned int nr_online;
	char page_cache;		/* gospan's parameter: 'Y' or 'N'; '?' without /sys */
	struct module_parameter *parameters; /* gospan's others, by name; none without /sys */
	size_t nr_parameters;
};

void machine_read(struct machine *m);
void machine_free(struct machine *m);

#define DEBUG_KERNEL_WARNING \
	"this kernel has debugging built in, which costs more than what is measured"

/* The names of the kernel's options in GOSPAN_DEBUG_* @bits, with blanks between them. */
void debug_options_format(__u32 bits, char *text, size_t text_bytes);

#endif /* GOSPAN_TOOL_MACHINE_H */
