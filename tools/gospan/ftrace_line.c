// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line of the text that ftrace or trace-cmd writes:
 *
 *    init-1  [000] .....  9.400882: kfree: call_site=f+0x59/0x90 ptr=ff332932c0ae3840
 *    init-1  [000]  9.400882: kmalloc:  (f+0x59) call_site=f+0x59 ptr=0xff332932c0ae3840 ...
 *
 * A task's name may hold anything, brackets and colons too; but it takes the first
 * 16 columns, and a minus sign follows. Behind it the time is looked for first, a
 * number that a colon follows, and then the CPU before it.
 */
#include "ftrace_line.h"

#include <stdint.h>
#include <string.h>

#define NSEC_DIGITS	9
#define NAME_COLUMNS	16
#define MAX_SECONDS	(UINT64_MAX / 1000000000 - 1)

/* What is left to be read. */
struct cursor {
	const char *next;
	const char *limit;
};

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Digits, at least one, no more than make @max. */
static bool take_number(struct cursor *c, int base, __u64 max, __u64 *value)
{
	const char *first = c->next;

	*value = 0;
	for (; c->next < c->limit; c->next++) {
		int digit = digit_value(*c->next);

		if (digit >= base)
			break;
		if (*value > (max - digit) / base)
			return false;
		*value = *value * base + digit;
	}
	return c->next > first;
}

static bool take(struct cursor *c, const char *text)
{
	size_t bytes = strlen(text);

	if ((size_t)(c->limit - c->next) < bytes || memcmp(c->next, text, bytes))
		return false;
	c->next += bytes;
	return true;
}

static bool at_end_of_word(const struct cursor *c)
{
	return c->next == c->limit || *c->next == ' ';
}

/* Go on behind " NAME=", wherever it comes next. */
static bool seek_field(struct cursor *c, const char *name)
{
	size_t bytes = strlen(name);
	const char *at = memmem(c->next, c->limit - c->next, name, bytes);

	if (at)
		c->next = at + bytes;
	return at;
}

static bool field_number(struct cursor c, const char *name, int base, __u64 max, __u64 *value)
{
	if (!seek_field(&c, name))
		return false;
	if (base == 16)
		take(&c, "0x");
	return take_number(&c, base, max, value) && at_end_of_word(&c);
}

/* Up to the next space, or to @end if that is not NULL. */
static struct ftrace_text field_text(struct cursor c, const char *name, const char *end)
{
	const char *stop;

	if (!seek_field(&c, name))
		return (struct ftrace_text){ NULL, 0 };
	stop = memmem(c.next, c.limit - c.next, end ?: " ", end ? strlen(end) : 1);
	return (struct ftrace_text){ c.next, (stop ?: c.limit) - c.next };
}

/* "9.400444", or with nine digits behind the point. */
static bool take_time(struct cursor *c, __u64 *time_ns)
{
	__u64 seconds, fraction;
	const char *first;

	if (!take_number(c, 10, MAX_SECONDS, &seconds) || !take(c, "."))
		return false;
	first = c->next;
	if (!take_number(c, 10, 999999999, &fraction) || c->next - first > NSEC_DIGITS)
		return false;
	for (long digits = c->next - first; digits < NSEC_DIGITS; digits++)
		fraction *= 10;
	*time_ns = seconds * 1000000000 + fraction;
	return true;
}

/* Go on behind the time, and leave in @head what stands before it. */
static bool seek_time(struct cursor *c, struct cursor *head, __u64 *time_ns)
{
	const char *colon = c->next;

	while ((colon = memmem(colon, c->limit - colon, ": ", 2))) {
		struct cursor word = { colon, colon };

		while (word.next > c->next && word.next[-1] != ' ')
			word.next--;
		*head = (struct cursor){ c->next, word.next };
		if (take_time(&word, time_ns) && word.next == colon) {
			c->next = colon + 2;
			return true;
		}
		colon += 2;
	}
	return false;
}

/* The last "[000]" of what stands before the time. */
static bool read_cpu(struct cursor head, unsigned int *cpu)
{
	const char *bracket = memrchr(head.next, '[', head.limit - head.next);
	__u64 value;

	if (!bracket)
		return false;
	head.next = bracket + 1;
	if (!take_number(&head, 10, FTRACE_MAX_CPU, &value) || !take(&head, "]"))
		return false;
	*cpu = value;
	return at_end_of_word(&head);
}

static const struct kind_name {
	const char *name;
	enum ftrace_kind kind;
} kind_names[] = {
	{ "kmalloc:", FTRACE_KMALLOC },
	{ "kfree:", FTRACE_FREE },
	{ "kmem_cache_alloc:", FTRACE_CACHE_ALLOC },
	{ "kmem_cache_free:", FTRACE_FREE },
	{ "kmalloc_node:", FTRACE_KMALLOC },
	{ "kmem_cache_alloc_node:", FTRACE_CACHE_ALLOC },
};

static enum ftrace_kind take_kind(struct cursor *c)
{
	while (take(c, " "))
		;
	for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
		if (take(c, kind_names[i].name))
			return kind_names[i].kind;
	}
	return FTRACE_OTHER;
}

/* Flags by name, or as a number in which __GFP_ZERO is 0x100 on all supported kernels. */
static bool wants_zero(struct cursor c)
{
	struct ftrace_text flags = field_text(c, " gfp_flags=", NULL);
	struct cursor number = { flags.text, flags.text + flags.bytes };
	__u64 bits;

	if (!flags.text)
		return false;
	if (take(&number, "0x") && take_number(&number, 16, UINT32_MAX, &bits))
		return bits & 0x100;
	return memmem(flags.text, flags.bytes, "GFP_ZERO", 8);
}

static bool read_sizes(struct ftrace_line *line, struct cursor c)
{
	__u64 size, slot_bytes;

	if (!field_number(c, " bytes_req=", 10, FTRACE_MAX_BYTES, &size) ||
	    !field_number(c, " bytes_alloc=", 10, FTRACE_MAX_BYTES, &slot_bytes))
		return false;
	/* A kmem_cache has no objects of nothing; ZERO_SIZE_PTR is no slot. */
	if (size > slot_bytes || (line->kind == FTRACE_CACHE_ALLOC && !size))
		return false;
	line->size = size;
	line->slot_bytes = slot_bytes;
	line->zero = wants_zero(c);
	return true;
}

static bool read_fields(struct ftrace_line *line, struct cursor c)
{
	if (!field_number(c, " ptr=", 16, UINT64_MAX, &line->ptr))
		return false;
	line->site = field_text(c, " call_site=", " ptr=");
	line->cache = field_text(c, " name=", NULL);
	return line->kind == FTRACE_FREE || (line->ptr && read_sizes(line, c));
}

/* "CPU:3 [LOST 123 EVENTS]" and, from trace-cmd, "CPU:3 [123 EVENTS DROPPED]"; or no number. */
static struct ftrace_line read_lost(struct cursor c)
{
	struct ftrace_line line = { .kind = FTRACE_MALFORMED };
	bool lost;
	__u64 cpu;

	if (!take(&c, "CPU:") || !take_number(&c, 10, FTRACE_MAX_CPU, &cpu) || !take(&c, " ["))
		return line;
	lost = take(&c, "LOST ");
	if (take_number(&c, 10, UINT64_MAX, &line.nr_lost) && !take(&c, " "))
		return line;
	if (take(&c, lost ? "EVENTS]" : "EVENTS DROPPED]"))
		line.kind = FTRACE_LOST;
	return line;
}

static bool is_comment(struct cursor c)
{
	while (take(&c, " "))
		;
	/* "cpus=2" is how a report of trace-cmd begins. */
	return c.next == c.limit || *c.next == '#' || take(&c, "cpus=");
}

struct ftrace_line ftrace_line_read(const char *text, size_t bytes)
{
	struct ftrace_line line = { .kind = FTRACE_MALFORMED };
	struct cursor c = { text, text + bytes }, head;

	if (is_comment(c)) {
		line.kind = FTRACE_COMMENT;
		return line;
	}
	if (bytes >= 4 && !memcmp(text, "CPU:", 4))
		return read_lost(c);
	if (bytes > NAME_COLUMNS && text[NAME_COLUMNS] == '-')
		c.next += NAME_COLUMNS;
	if (!seek_time(&c, &head, &line.time_ns) || !read_cpu(head, &line.cpu))
		return line;
	line.kind = take_kind(&c);
	if (line.kind != FTRACE_OTHER && !read_fields(&line, c))
		line.kind = FTRACE_MALFORMED;
	return line;
}
