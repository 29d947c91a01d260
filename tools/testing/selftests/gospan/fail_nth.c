// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes one system call, and lets the Nth allocation in it fail, as far as the kernel's
 * fault injection is told to look; none with N = 0.
 *
 *	fail_nth N load FILE [PARAMETERS]
 *	fail_nth N unload MODULE
 *	fail_nth N write FILE TEXT
 *
 * Prints what came of it, "ok" or the name of the error, and "done", or "few" if there
 * were fewer than N. Exit status 2: it could not be tried. Unlike insmod of busybox it
 * tries once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void exit_of(const char *what)
{
	perror(what);
	exit(2);
}

static int open_or_exit(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		exit_of(path);
	return fd;
}

static void set_nth(int fd, const char *nth)
{
	if (pwrite(fd, nth, strlen(nth), 0) < 0)
		exit_of("fail-nth");
}

/* Not 0: it did not come to that. */
static long get_nth(int fd)
{
	char text[32] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		exit_of("fail-nth");
	return atol(text);
}

/* Opens what it needs, then arms. Returns what the system call did. */
static long call(const char *verb, const char *object, const char *text, int nth_fd,
		 const char *nth)
{
	int fd = -1;

	if (strcmp(verb, "unload"))
		fd = open_or_exit(object, strcmp(verb, "load") ? O_WRONLY : O_RDONLY);
	if (nth_fd >= 0)
		set_nth(nth_fd, nth);
	if (!strcmp(verb, "load"))
		return syscall(SYS_finit_module, fd, text, 0);
	if (!strcmp(verb, "unload"))
		return syscall(SYS_delete_module, object, O_NONBLOCK);
	return write(fd, text, strlen(text));
}

int main(int argc, char **argv)
{
	long ret, left = 0;
	int fd = -1, error;

	if (argc < 4)
		return 2;
	if (atol(argv[1]))
		fd = open_or_exit("/proc/self/fail-nth", O_RDWR);
	ret = call(argv[2], argv[3], argc > 4 ? argv[4] : "", fd, argv[1]);
	error = errno;
	if (fd >= 0) {
		left = get_nth(fd);
		set_nth(fd, "0");
	}
	printf("%s %s\n", ret < 0 ? strerrorname_np(error) : "ok", left ? "few" : "done");
	return 0;
}
