// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file to write, packed by zstd if its name ends so.
 */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define SUFFIX	".zst"

struct sink {
	FILE *out;
	ZSTD_CStream *zstd;	/* or NULL */
	char buffer[64 * 1024];
};

struct sink *sink_open(const char *path)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	size_t bytes = strlen(path);
	int fd;

	if (!sink)
		return NULL;
	/* Addresses of the kernel are nobody else's business. */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	sink->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!sink->out) {
		free(sink);
		return NULL;
	}
	if (bytes < strlen(SUFFIX) || strcmp(path + bytes - strlen(SUFFIX), SUFFIX))
		return sink;
	sink->zstd = ZSTD_createCStream();
	if (sink->zstd)
		return sink;
	fclose(sink->out);
	free(sink);
	errno = ENOMEM;
	return NULL;
}

/* Pack @from, and with ZSTD_e_end what is left inside. */
static bool pack(struct sink *sink, const void *from, size_t bytes, ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = { from, bytes, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { sink->buffer, sizeof(sink->buffer), 0 };

		left = ZSTD_compressStream2(sink->zstd, &out, &in, how);
		if (ZSTD_isError(left)) {
			errno = ENOMEM;
			return false;
		}
		if (fwrite(sink->buffer, 1, out.pos, sink->out) != out.pos)
			return false;
	} while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return true;
}

bool sink_write(struct sink *sink, const void *from, size_t bytes)
{
	if (sink->zstd)
		return pack(sink, from, bytes, ZSTD_e_continue);
	return fwrite(from, 1, bytes, sink->out) == bytes;
}

bool sink_close(struct sink *sink)
{
	bool done = !sink->zstd || pack(sink, NULL, 0, ZSTD_e_end);
	int error = errno;

	if (fclose(sink->out) && done) {
		done = false;
		error = errno;
	}
	ZSTD_freeCStream(sink->zstd);
	free(sink);
	errno = error;
	return done;
}
