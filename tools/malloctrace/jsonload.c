// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program to record: reads JSON documents with Jansson, holds them all,
 * writes each out again to memory, and frees them.
 *
 *   jsonload [-e] FILE...
 *
 * -e writes out (encodes), too; otherwise documents are only read.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count_values(const json_t *value)
{
	size_t count = 1;
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, child)
			count += count_values(child);
	} else if (json_is_object(value)) {
		json_object_foreach((json_t *)value, key, child)
			count += count_values(child);
	}
	return count;
}

static size_t encode(const json_t *document)
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);
	size_t bytes;

	if (!text) {
		fputs("jsonload: cannot write a document\n", stderr);
		exit(EXIT_FAILURE);
	}
	bytes = strlen(text);
	free(text);
	return bytes;
}

int main(int argc, char **argv)
{
	bool encodes = argc > 1 && !strcmp(argv[1], "-e");
	int first = encodes ? 2 : 1, nr = argc - first;
	json_t **documents = calloc(nr > 0 ? nr : 1, sizeof(*documents));
	size_t values = 0, bytes = 0;

	if (nr <= 0 || !documents) {
		fputs("usage: jsonload [-e] FILE...\n", stderr);
		return EXIT_FAILURE;
	}
	/* Keys in the same order in every run. */
	json_object_seed(1);
	for (int i = 0; i < nr; i++) {
		json_error_t error;

		documents[i] = json_load_file(argv[first + i], JSON_DECODE_ANY, &error);
		if (!documents[i]) {
			fprintf(stderr, "jsonload: %s:%d: %s\n", argv[first + i], error.line,
				error.text);
			return EXIT_FAILURE;
		}
		values += count_values(documents[i]);
	}
	for (int i = 0; i < nr; i++) {
		if (encodes)
			bytes += encode(documents[i]);
		json_decref(documents[i]);
	}
	free(documents);
	printf("%d documents, %zu values, %zu bytes written\n", nr, values, bytes);
	return EXIT_SUCCESS;
}
