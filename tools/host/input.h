/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes that a target makes its steps of.
 */
#ifndef _HOST_INPUT_H
#define _HOST_INPUT_H

#include <linux/types.h>

struct input {
	const u8 *next, *limit;
};

/* Zeros, once all is read. */
static inline unsigned int input_byte(struct input *in)
{
	return in->next < in->limit ? *in->next++ : 0;
}

static inline u64 input_word(struct input *in, unsigned int bytes)
{
	u64 word = 0;

	while (bytes--)
		word = word << 8 | input_byte(in);
	return word;
}

/* Below @limit, which is 1..65536. */
static inline unsigned int input_below(struct input *in, unsigned int limit)
{
	return input_word(in, limit > 256 ? 2 : 1) % limit;
}

/* The one entry of each target, under libFuzzer's name and with its meaning. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif /* _HOST_INPUT_H */
