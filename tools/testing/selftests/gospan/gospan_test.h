/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the selftests of /dev/gospan share: the device, and the main() that skips
 * where there is none.
 *
 * Each program includes this instead of kselftest_harness.h and ends with
 * GOSPAN_TEST_MAIN.
 */
#ifndef GOSPAN_TEST_H
#define GOSPAN_TEST_H

#include <sys/mman.h>

#include "gospan_device.h"
#include "kselftest_harness.h"

/* Exit 4 where nothing can be tested, before the harness counts anything. */
static inline void require_device(void)
{
	struct gospan_version version = { 0 };
	int fd = device_open();

	if (fd < 0) {
		ksft_print_header();
		ksft_exit_skip("cannot open " DEVICE ": %s (module loaded? root?)\n",
			       strerror(errno));
	}
	if (do_ioctl(fd, GOSPAN_IOC_VERSION, &version) || version.abi != GOSPAN_ABI_VERSION) {
		ksft_print_header();
		ksft_exit_fail_msg(DEVICE " speaks ABI %u, these tests %u\n", version.abi,
				   GOSPAN_ABI_VERSION);
	}
	close(fd);
}

#define GOSPAN_TEST_MAIN \
	int main(int argc, char **argv) \
	{ \
		require_device(); \
		return test_harness_run(argc, argv); \
	}

#endif /* GOSPAN_TEST_H */
