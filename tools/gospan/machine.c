// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine that a measurement was made on.
 *
 * A guest that boots from an initramfs may have neither /proc nor /sys
 * mounted: what cannot be read is replaced by what the C library knows.
 */
#include "machine.h"

#include "device.h"

#include <dirent.h>
#include <linux/gospan.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS	"/sys/module/gospan/parameters"
#define STATS		"_stats"

static void read_cpu_model(struct machine *m)
{
	FILE *in = fopen("/proc/cpuinfo", "r");
	char line[512];

	snprintf(m->cpu_model, sizeof(m->cpu_model), "%s", m->kernel.machine);
	while (in && fgets(line, sizeof(line), in)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !colon)
			continue;
		colon += strspn(colon, ": \t");
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(m->cpu_model, sizeof(m->cpu_model), "%.95s", colon);
		break;
	}
	if (in)
		fclose(in);
}

static bool read_online(struct cpu_list *online)
{
	FILE *in = fopen("/sys/devices/system/cpu/online", "r");
	struct parse_error ignored;
	char line[512];
	bool ok = false;

	if (!in)
		return false;
	if (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		ok = parse_cpus(line, online, &ignored);
	}
	fclose(in);
	return ok;
}

/* Without /sys: the CPUs that this process may run on. */
static void read_affinity(struct cpu_list *online)
{
	cpu_set_t set;

	memset(online, 0, sizeof(*online));
	if (sched_getaffinity(0, sizeof(set), &set)) {
		cpu_list_set(online, 0);
		return;
	}
	for (unsigned int cpu = 0; cpu < CPU_LIST_MAX && cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &set))
			cpu_list_set(online, cpu);
	}
}

/* The first line of a file of the module's parameters; false without it. */
static bool read_parameter(const char *name, char *value, size_t value_bytes)
{
	char path[sizeof(PARAMETERS) + 256];
	bool done;
	FILE *in;

	snprintf(path, sizeof(path), PARAMETERS "/%s", name);
	in = fopen(path, "r");
	if (!in)
		return false;
	done = fgets(value, value_bytes, in);
	value[done ? strcspn(value, "\n") : 0] = '\0';
	fclose(in);
	return true;
}

static char read_page_cache(void)
{
	char value[8];

	return read_parameter("page_cache", value, sizeof(value)) ? value[0] : '?';
}

/* Some files have statistics, and page_cache has a field of its own. */
static int is_setting(const struct dirent *file)
{
	size_t bytes = strlen(file->d_name);

	return file->d_name[0] != '.' && strcmp(file->d_name, "page_cache") &&
	       (bytes < strlen(STATS) || strcmp(file->d_name + bytes - strlen(STATS), STATS));
}

static void read_parameters(struct machine *m)
{
	struct dirent **files;
	int nr = scandir(PARAMETERS, &files, is_setting, alphasort);

	if (nr < 0)
		return;
	m->parameters = calloc(nr + 1, sizeof(*m->parameters));
	if (!m->parameters)
		fail("out of memory");
	for (int i = 0; i < nr; i++) {
		struct module_parameter *p = &m->parameters[m->nr_parameters];

		snprintf(p->name, sizeof(p->name), "%.31s", files[i]->d_name);
		if (read_parameter(files[i]->d_name, p->value, sizeof(p->value)))
			m->nr_parameters++;
		free(files[i]);
	}
	free(files);
}

void machine_read(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	uname(&m->kernel);
	read_cpu_model(m);
	if (!read_online(&m->online))
		read_affinity(&m->online);
	m->nr_online = cpu_list_count(&m->online);
	m->page_cache = read_page_cache();
	read_parameters(m);
}

void machine_free(struct machine *m)
{
	free(m->parameters);
}

static const char *const debug_option_names[GOSPAN_NR_DEBUG_OPTIONS] = {
	[GOSPAN_DEBUG_KASAN] = "KASAN",
	[GOSPAN_DEBUG_KCSAN] = "KCSAN",
	[GOSPAN_DEBUG_KMSAN] = "KMSAN",
	[GOSPAN_DEBUG_UBSAN_TRAP] = "UBSAN_TRAP",
	[GOSPAN_DEBUG_PROVE_LOCKING] = "PROVE_LOCKING",
	[GOSPAN_DEBUG_LOCK_ALLOC] = "DEBUG_LOCK_ALLOC",
	[GOSPAN_DEBUG_ATOMIC_SLEEP] = "DEBUG_ATOMIC_SLEEP",
	[GOSPAN_DEBUG_PREEMPT] = "DEBUG_PREEMPT",
	[GOSPAN_DEBUG_KMEMLEAK] = "DEBUG_KMEMLEAK",
	[GOSPAN_DEBUG_PAGEALLOC] = "DEBUG_PAGEALLOC",
	[GOSPAN_DEBUG_SLUB_DEBUG_ON] = "SLUB_DEBUG_ON",
	[GOSPAN_DEBUG_GCOV_PROFILE] = "GCOV_PROFILE",
};

void debug_options_format(__u32 bits, char *text, size_t text_bytes)
{
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < GOSPAN_NR_DEBUG_OPTIONS && len < text_bytes; i++) {
		if (bits & (1U << i))
			len += snprintf(text + len, text_bytes - len, "%s%s", len ? " " : "",
					debug_option_names[i]);
	}
}
