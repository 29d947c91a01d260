// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file to write whose old contents stay until the new ones are whole.
 *
 * A file beside it is written and renamed. A device, a pipe or a symbolic link must not
 * be replaced: these are written themselves.
 */
#include "outfile.h"

#include "device.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* May @path, if it is there at all, be replaced? */
static bool is_replaced(const char *path, struct stat *old)
{
	if (!lstat(path, old))
		return S_ISREG(old->st_mode);
	memset(old, 0, sizeof(*old));
	return errno == ENOENT;
}

void outfile_check(const char *path)
{
	char *copy = strdup(path);
	struct stat old;

	if (!copy)
		fail("out of memory");
	if (access(path, W_OK) && errno != ENOENT)
		fail("%s: %s", path, strerror(errno));
	if (is_replaced(path, &old) && access(dirname(copy), W_OK | X_OK))
		fail("%s: %s", path, strerror(errno));
	if (S_ISDIR(old.st_mode))
		fail("%s: %s", path, strerror(EISDIR));
	free(copy);
}

struct outfile outfile_open(const char *path)
{
	struct outfile file = { .path = path };
	struct stat old;

	if (is_replaced(path, &old) && asprintf(&file.temporary, "%s.%d.tmp", path, getpid()) < 0)
		fail("out of memory");
	file.stream = fopen(file.temporary ?: path, file.temporary ? "wx" : "w");
	if (!file.stream)
		fail("%s: %s", file.temporary ?: path, strerror(errno));
	/* Only root, who measures for others, can give the file away; others own it. */
	if (file.temporary && old.st_mode &&
	    (fchown(fileno(file.stream), old.st_uid, old.st_gid) ||
	     fchmod(fileno(file.stream), old.st_mode & 07777)))
		fprintf(stderr, "gospan: %s: owner and mode are new: %s\n", path, strerror(errno));
	return file;
}

void outfile_close(struct outfile *file, bool whole)
{
	int error = errno;

	if (fclose(file->stream) && whole) {
		whole = false;
		error = errno;
	}
	if (whole && file->temporary && rename(file->temporary, file->path)) {
		whole = false;
		error = errno;
	}
	if (!whole) {
		if (file->temporary)
			unlink(file->temporary);
		fail("%s: %s", file->path, strerror(error));
	}
	free(file->temporary);
}
