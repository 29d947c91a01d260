/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file to write whose old contents stay until the new ones are whole.
 */
#ifndef GOSPAN_TOOL_OUTFILE_H
#define GOSPAN_TOOL_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>

struct outfile {
	FILE *stream;		/* to write to */
	const char *path;
	char *temporary;	/* what is renamed to @path; NULL: that is written itself */
};

/* Fails where @path cannot be written; to be asked before what takes minutes. */
void outfile_check(const char *path);

/* What is written becomes visible as @path, which is not copied, with outfile_close(). */
struct outfile outfile_open(const char *path);

/* Fails, and leaves what was there, unless all could be written, also @whole of it by the caller. */
void outfile_close(struct outfile *file, bool whole);

#endif /* GOSPAN_TOOL_OUTFILE_H */
