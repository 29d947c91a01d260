// SPDX-License-Identifier: GPL-2.0-only
/*
 * What may have come of a call: an error that the ABI knows and that has a reason,
 * memory of the caller's that is as it was, answers that can be.
 */
#include "ioctl_draw.h"

#include <errno.h>
#include <string.h>

static bool place_is_good(const struct place *place, __u64 bytes, bool is_written)
{
	return place->view && place->reach >= bytes && (place->is_writable || !is_written);
}

static bool argument_is_good(const struct caller *c)
{
	return place_is_good(&c->place, c->command->record->bytes,
			     _IOC_DIR(c->request) & _IOC_READ);
}

/* Can all be read and written that the argument leads to? */
static bool arrays_are_good(const struct caller *c)
{
	unsigned int i;

	for (i = 0; i < c->command->nr_arrays; i++) {
		const struct array *array = &c->command->arrays[i];
		__u64 n = number_get(c->before + array->count, array->count_width);

		if (n > 2 * REGION_BYTES ||
		    !place_is_good(&c->rows[i], n * array->row->bytes, array->is_written))
			return false;
	}
	return true;
}

/* Nothing was written behind the end. */
static bool guard_is_kept(const struct place *place)
{
	size_t i = 0;

	while (i < place->behind && place->view[place->reach + i] == GUARD)
		i++;
	return i == place->behind;
}

/* How many rows the module fills in, if it succeeds. */
static __u64 nr_answered(const struct caller *c, const struct array *array)
{
	__u64 n = number_get(c->before + array->count, array->count_width), there = 0;
	unsigned int i;

	switch (c->command - commands) {
	case COMMAND_BENCH:
		for (i = 0; i < GOSPAN_BENCH_CPU_WORDS; i++)
			there += __builtin_popcountll(((struct gospan_bench *)c->before)->cpus[i]);
		return there;
	case COMMAND_REPLAY_CPUS:
		/* Of the classes; all samples. */
		if (array->address != offsetof(struct gospan_replay_cpus, classes))
			return n;
		there = number_get(c->place.view + array->count, array->count_width);
		return there < n ? there : n;
	default:
		return n;
	}
}

/* May an object in this file hold it? */
static bool byte_is_valid(const struct caller *c, unsigned char byte)
{
	if (c->is_alone)
		return !byte || byte == c->data;
	return !byte || (byte >= DATA && byte < DATA + NR_DATA);
}

/* Bytes of an object were written by a caller, or are zero; what lies behind stays. */
static bool bytes_are_valid(const struct caller *c, const struct place *place, __u64 nr_read)
{
	__u64 i;

	for (i = 0; i < place->reach; i++)
		if (i < nr_read ? !byte_is_valid(c, place->view[i]) : place->view[i] != c->poison)
			return false;
	return true;
}

static const char *judge_rows(const struct caller *c, unsigned int idx, int error)
{
	const struct array *array = &c->command->arrays[idx];
	const struct place *place = &c->rows[idx];
	const unsigned char *before = c->rows_before[idx];
	__u64 filled = error || !c->is_known ? 0 : nr_answered(c, array), i;

	if (!place->view)
		return NULL;
	if (!array->is_written)
		return memcmp(place->view, before, place->reach) ? "an array it only reads" : NULL;
	if (!array->row->nr_fields)
		return bytes_are_valid(c, place, filled) ? NULL : "bytes of an object";
	for (i = 0; (i + 1) * array->row->bytes <= place->reach; i++) {
		const struct field *field;

		field = record_judge(array->row, before + i * array->row->bytes,
				     place->view + i * array->row->bytes,
				     i < filled ? OUTCOME_ANSWERED : OUTCOME_KEPT);
		if (field)
			return field->name;
	}
	return NULL;
}

static const char *judge_argument(const struct caller *c, int error)
{
	enum outcome outcome = OUTCOME_KEPT;
	const struct field *field;

	if (!c->is_known)
		return memcmp(c->place.view, c->before, c->place.reach) ? "the argument" : NULL;
	if (!error)
		outcome = OUTCOME_ANSWERED;
	else if (c->command->answers_errors)
		outcome = OUTCOME_EITHER;
	field = record_judge(c->command->record, c->before, c->place.view, outcome);
	return field ? field->name : NULL;
}

static const char *judge_error(const struct caller *c, int error)
{
	if (!c->is_known)
		return error == ENOTTY ? NULL : "an unknown command is not refused by ENOTTY";
	if (error && !(c->command->errors >> error & 1))
		return "an error that it does not have";
	if (c->is_raced)
		return NULL;
	if (error == EFAULT && argument_is_good(c) && arrays_are_good(c))
		return "EFAULT where all can be touched";
	if (!error && !argument_is_good(c))
		return "success where the argument cannot be touched";
	return NULL;
}

/* What is wrong, or NULL. After EFAULT a part may have been written. */
const char *caller_judge(const struct caller *c, int error)
{
	const char *wrong = judge_error(c, error);
	unsigned int i;

	if (wrong || c->is_raced)
		return wrong;
	for (i = 0; i < c->command->nr_arrays; i++)
		if (!guard_is_kept(&c->rows[i]))
			return "what lies behind an array";
	if (!guard_is_kept(&c->place))
		return "what lies behind the argument";
	if (error == EFAULT)
		return NULL;
	if (argument_is_good(c))
		wrong = judge_argument(c, error);
	for (i = 0; i < c->command->nr_arrays && !wrong; i++)
		wrong = judge_rows(c, i, error);
	return wrong;
}
