// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers and lists on the command line.
 *
 * strtoull() takes signs, blanks and what follows the digits; the parsers here
 * take digits alone and notice overflow before it happens.
 */
#include "parse.h"

#include <stdio.h>
#include <string.h>

#define ITEM_BYTES	32 /* longer than any valid item */

static bool complain(struct parse_error *error, const char *item, const char *why)
{
	snprintf(error->text, sizeof(error->text), "'%.40s' %s", item, why);
	return false;
}

bool parse_number(const char *text, __u64 min, __u64 max, __u64 *value,
		  struct parse_error *error)
{
	__u64 number = 0;
	const char *c;

	for (c = text; *c; c++) {
		unsigned int digit = (unsigned char)*c - '0';

		if (digit > 9)
			return complain(error, text, "is not a number");
		if (number > max / 10 || number * 10 > max - digit) {
			number = max;
			break;
		}
		number = number * 10 + digit;
	}
	if (c == text)
		return complain(error, text, "is empty where a number is wanted");
	if (*c || number < min) {
		snprintf(error->text, sizeof(error->text),
			 "'%.40s' is outside %llu..%llu", text, min, max);
		return false;
	}
	*value = number;
	return true;
}

/*
 * Copy the item at *@text, up to a comma, into @item and step over it.
 * *@text becomes NULL after the last one.
 */
static bool next_item(const char **text, char item[ITEM_BYTES], struct parse_error *error)
{
	size_t len = strcspn(*text, ",");

	if (!len)
		return complain(error, *text, "has an item that is empty");
	if (len >= ITEM_BYTES)
		return complain(error, *text, "is too long for an item");
	memcpy(item, *text, len);
	item[len] = '\0';
	*text += len;
	*text = **text ? *text + 1 : NULL;
	return true;
}

static bool sizes_add(struct size_list *sizes, const char *item, __u64 max,
		      struct parse_error *error)
{
	__u64 size;

	if (!parse_number(item, 1, max, &size, error))
		return false;
	for (size_t i = 0; i < sizes->nr; i++) {
		if (sizes->items[i] == size)
			return complain(error, item, "appears twice");
	}
	if (sizes->nr == PARSE_MAX_SIZES)
		return complain(error, item, "is one size too many (64 at most)");
	sizes->items[sizes->nr++] = size;
	return true;
}

bool parse_sizes(const char *text, __u64 max, struct size_list *sizes,
		 struct parse_error *error)
{
	char item[ITEM_BYTES];

	sizes->nr = 0;
	while (text) {
		if (!next_item(&text, item, error) || !sizes_add(sizes, item, max, error))
			return false;
	}
	return true;
}

static bool cpus_add(struct cpu_list *cpus, char *item, struct parse_error *error)
{
	char *dash = strchr(item, '-');
	__u64 first, last;

	if (dash)
		*dash = '\0';
	if (!parse_number(item, 0, CPU_LIST_MAX - 1, &first, error))
		return false;
	last = first;
	if (dash && !parse_number(dash + 1, 0, CPU_LIST_MAX - 1, &last, error))
		return false;
	if (dash)
		*dash = '-';
	if (last < first)
		return complain(error, item, "is a range that goes down");
	for (__u64 cpu = first; cpu <= last; cpu++) {
		if (cpu_list_test(cpus, cpu))
			return complain(error, item, "names a CPU a second time");
		cpu_list_set(cpus, cpu);
	}
	return true;
}

bool parse_cpus(const char *text, struct cpu_list *cpus, struct parse_error *error)
{
	char item[ITEM_BYTES];

	memset(cpus, 0, sizeof(*cpus));
	while (text) {
		if (!next_item(&text, item, error) || !cpus_add(cpus, item, error))
			return false;
	}
	return true;
}

static bool names_add(__u64 *mask, const char *item, const char *const names[],
		      size_t nr_names, struct parse_error *error)
{
	for (size_t i = 0; i < nr_names; i++) {
		if (strcmp(item, names[i]))
			continue;
		if (*mask & (1ULL << i))
			return complain(error, item, "appears twice");
		*mask |= 1ULL << i;
		return true;
	}
	return complain(error, item, "is not a known name");
}

bool parse_names(const char *text, const char *const names[], size_t nr_names,
		 __u64 *mask, struct parse_error *error)
{
	char item[ITEM_BYTES];

	*mask = 0;
	while (text) {
		if (!next_item(&text, item, error) ||
		    !names_add(mask, item, names, nr_names, error))
			return false;
	}
	return true;
}

bool cpu_list_test(const struct cpu_list *cpus, unsigned int cpu)
{
	return cpus->words[cpu / 64] >> (cpu % 64) & 1;
}

void cpu_list_set(struct cpu_list *cpus, unsigned int cpu)
{
	cpus->words[cpu / 64] |= 1ULL << (cpu % 64);
}

unsigned int cpu_list_count(const struct cpu_list *cpus)
{
	unsigned int count = 0;

	for (size_t i = 0; i < GOSPAN_BENCH_CPU_WORDS; i++)
		count += __builtin_popcountll(cpus->words[i]);
	return count;
}

struct cpu_list cpu_list_first(const struct cpu_list *cpus, unsigned int count)
{
	struct cpu_list first = { 0 };

	for (unsigned int cpu = 0; cpu < CPU_LIST_MAX && count; cpu++) {
		if (!cpu_list_test(cpus, cpu))
			continue;
		cpu_list_set(&first, cpu);
		count--;
	}
	return first;
}

void cpu_list_format(const struct cpu_list *cpus, char *text, size_t text_bytes)
{
	FILE *out = fmemopen(text, text_bytes, "w");
	const char *comma = "";
	unsigned int cpu = 0;

	if (!out) {
		*text = '\0';
		return;
	}
	while (cpu < CPU_LIST_MAX) {
		unsigned int first = cpu;

		while (cpu < CPU_LIST_MAX && cpu_list_test(cpus, cpu))
			cpu++;
		if (cpu > first) {
			fprintf(out, cpu - first > 1 ? "%s%u-%u" : "%s%u", comma, first, cpu - 1);
			comma = ",";
		} else {
			cpu++;
		}
	}
	fclose(out);
}
