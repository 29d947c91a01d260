// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/gospan, opened, and its errors in words.
 *
 * Whoever sees an error here has most often forgotten to load the module, to
 * be root, or to rebuild one half: every message says which.
 */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE	"/dev/gospan"

void fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("gospan: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static const char *open_hint(int error)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return ": is the module loaded? (make load)";
	case EACCES:
	case EPERM:
		return ": be root (the device has mode 0600)";
	default:
		return "";
	}
}

static void check_abi(const struct gospan_version *version)
{
	if (version->abi == GOSPAN_ABI_VERSION &&
	    version->nr_sizeclasses == GOSPAN_NR_SIZECLASSES)
		return;
	fail("the module speaks ABI %u with %u size classes, this tool ABI %u with %u: "
	     "rebuild %s (make modules; make -C tools/gospan), then reload the module",
	     version->abi, version->nr_sizeclasses, GOSPAN_ABI_VERSION, GOSPAN_NR_SIZECLASSES,
	     version->abi < GOSPAN_ABI_VERSION ? "the module" : "the tool");
}

int device_open(struct gospan_version *version)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		int error = errno;

		fail("cannot open " DEVICE ": %s%s", strerror(error), open_hint(error));
	}
	memset(version, 0, sizeof(*version));
	if (ioctl(fd, GOSPAN_IOC_VERSION, version)) {
		if (errno == ENOTTY)
			fail(DEVICE " has no such ioctl: it is not gospan's, or of another ABI "
			     "than %u: rebuild and reload the module (make modules load)",
			     GOSPAN_ABI_VERSION);
		fail("version: %s", strerror(errno));
	}
	version->release[sizeof(version->release) - 1] = '\0';
	check_abi(version);
	return fd;
}

const char *device_hint(int error)
{
	switch (error) {
	case EPERM:
		return ": be root (this needs CAP_SYS_ADMIN)";
	case EBUSY:
		return ": another bench or replay is running, wait for its end";
	case ENODEV:
		return ": a CPU that was asked for is not online, or went offline meanwhile";
	case ENOTTY:
		return ": the module does not know this command: rebuild and reload it";
	case EINVAL:
		return ": the module takes no such value";
	default:
		return "";
	}
}

void device_do(int fd, unsigned long request, void *arg, const char *what)
{
	if (ioctl(fd, request, arg)) {
		int error = errno;

		fail("%s: %s%s", what, strerror(error), device_hint(error));
	}
}
