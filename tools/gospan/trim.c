// SPDX-License-Identifier: GPL-2.0-only
/*
 * gospan trim: have all free memory given back to the kernel.
 */
#include "commands.h"
#include "device.h"
#include "record.h"

#include <argp.h>
#include <stdlib.h>

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	bool *json = state->input;

	(void)arg;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	*json = true;
	return 0;
}

int cmd_trim(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "print JSON", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		options, parse_option, NULL,
		"Give all free pages back to the kernel, those that CPUs cache, too, and print how "
		"many bytes that were.", NULL, NULL, NULL
	};
	struct gospan_trim trim = { 0 };
	struct gospan_version version;
	bool json = false;
	int fd;

	argp_parse(&argp, argc, argv, 0, NULL, &json);
	fd = device_open(&version);
	device_do(fd, GOSPAN_IOC_TRIM, &trim, "trim");
	if (json) {
		struct record r = { .object = json_object() };

		record_text(&r, "gospan_release", version.release);
		record_number(&r, "abi", version.abi);
		record_number(&r, "released_bytes", trim.released_bytes);
		json_print(r.object);
	} else {
		printf("%llu bytes given back (%.1f MiB)\n", trim.released_bytes,
		       trim.released_bytes / 1048576.0);
	}
	return EXIT_SUCCESS;
}
