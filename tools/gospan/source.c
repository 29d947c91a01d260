// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of a file, whatever it is compressed with.
 *
 * zstd is linked in, as the example needs it everywhere; gzip and xz are the
 * commands of these names, which every machine has, and busybox, too.
 */
#include "source.h"

#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#define EXAMPLE_NAME	"(the example) toolchain.ftrace.zst"

#define PACKED_BYTES	(128 * 1024)

/* The example, put between these by example.S. */
extern const unsigned char gospan_example[], gospan_example_end[];

struct source {
	char *name;
	int fd;				/* -1: of no file */
	pid_t child;			/* the command that unpacks, or 0 */
	ZSTD_DStream *zstd;		/* or NULL */
	bool frame_open;		/* zstd: in the middle of something */
	ZSTD_inBuffer packed;		/* zstd: what is to be unpacked next */
	unsigned char buffer[PACKED_BYTES];
};

static const struct packer {
	const char *command;		/* NULL: zstd, which is linked in */
	unsigned char magic[6];
	size_t magic_bytes;
} packers[] = {
	{ NULL, { 0x28, 0xb5, 0x2f, 0xfd }, 4 },
	{ "gzip", { 0x1f, 0x8b }, 2 },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6 },
};

static struct source *source_new(const char *name)
{
	struct source *source = calloc(1, sizeof(*source));

	if (source)
		source->name = strdup(name);
	if (!source || !source->name)
		fail("out of memory");
	source->fd = -1;
	return source;
}

static void start_zstd(struct source *source)
{
	source->zstd = ZSTD_createDStream();
	if (!source->zstd)
		fail("out of memory");
	source->packed.src = source->buffer;
}

/* Have @command unpack the file; what it writes is then read in the file's place. */
static void start_command(struct source *source, const char *command)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		fail("pipe: %s", strerror(errno));
	fflush(NULL);
	source->child = fork();
	if (source->child < 0)
		fail("fork: %s", strerror(errno));
	if (!source->child) {
		dup2(source->fd, STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		execlp(command, command, "-dc", (char *)NULL);
		fprintf(stderr, "gospan: %s: %s\n", command, strerror(errno));
		_exit(127);
	}
	close(ends[1]);
	close(source->fd);
	source->fd = ends[0];
}

static void start_packer(struct source *source, const struct packer *packer)
{
	if (packer->command)
		start_command(source, packer->command);
	else
		start_zstd(source);
}

struct source *source_open(const char *path)
{
	struct source *source = source_new(path);
	unsigned char magic[sizeof(packers[0].magic)];
	ssize_t n;

	source->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (source->fd < 0)
		fail("%s: %s", path, strerror(errno));
	/* What cannot be read twice, such as a pipe, is taken as it is. */
	n = pread(source->fd, magic, sizeof(magic), 0);
	for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++) {
		if (n >= (ssize_t)packers[i].magic_bytes &&
		    !memcmp(magic, packers[i].magic, packers[i].magic_bytes)) {
			start_packer(source, &packers[i]);
			break;
		}
	}
	return source;
}

struct source *source_open_example(void)
{
	struct source *source = source_new(EXAMPLE_NAME);

	start_zstd(source);
	source->packed.src = gospan_example;
	source->packed.size = gospan_example_end - gospan_example;
	return source;
}

const char *source_name(const struct source *source)
{
	return source->name;
}

static size_t read_file(struct source *source, void *to, size_t bytes)
{
	ssize_t n;

	if (source->fd < 0)
		return 0;
	do {
		n = read(source->fd, to, bytes);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		fail("%s: %s", source->name, strerror(errno));
	return n;
}

/* Some bytes more, or 0 at the end. */
static size_t read_zstd(struct source *source, void *to, size_t bytes)
{
	ZSTD_outBuffer out = { to, bytes, 0 };

	while (!out.pos) {
		size_t left, before = source->packed.pos;

		if (before == source->packed.size && source->packed.src == source->buffer) {
			source->packed.size = read_file(source, source->buffer, PACKED_BYTES);
			source->packed.pos = before = 0;
		}
		/* There may be bytes left inside that it has taken before. */
		if (source->packed.pos == source->packed.size && !source->frame_open)
			return 0;
		left = ZSTD_decompressStream(source->zstd, &out, &source->packed);
		if (ZSTD_isError(left))
			fail("%s: %s", source->name, ZSTD_getErrorName(left));
		source->frame_open = left > 0;
		if (!out.pos && source->packed.pos == before && before == source->packed.size)
			fail("%s ends early", source->name);
	}
	return out.pos;
}

size_t source_read(struct source *source, void *to, size_t bytes)
{
	size_t done = 0, n;

	do {
		n = source->zstd ? read_zstd(source, (char *)to + done, bytes - done) :
				   read_file(source, (char *)to + done, bytes - done);
		done += n;
	} while (n && done < bytes);
	return done;
}

static void end_command(struct source *source)
{
	int status;

	if (waitpid(source->child, &status, 0) < 0)
		fail("%s: %s", source->name, strerror(errno));
	/* Closed before its end, it may have been in the middle of writing. */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
		return;
	if (status)
		fail("%s cannot be unpacked", source->name);
}

void source_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	if (source->child)
		end_command(source);
	ZSTD_freeDStream(source->zstd);
	free(source->name);
	free(source);
}
