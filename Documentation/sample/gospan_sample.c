// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small user of gospan: a set of words in a hash table.
 *
 * At load it puts a thousand words in, each an object of its own size, looks
 * every one up, and frees them again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gospan.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/stringhash.h>

#define NR_WORDS	1000
#define WORD_BYTES	64

struct word {
	struct hlist_node node;
	char text[];
};

static DEFINE_HASHTABLE(words, 8);

static u32 word_hash(const char *text)
{
	return full_name_hash(NULL, text, strlen(text));
}

static int word_add(const char *text)
{
	size_t bytes = strlen(text) + 1;
	struct word *word = gospan_alloc(struct_size(word, text, bytes), GFP_KERNEL);

	if (!word)
		return -ENOMEM;
	memcpy(word->text, text, bytes);
	hash_add(words, &word->node, word_hash(text));
	return 0;
}

static bool word_find(const char *text)
{
	struct word *word;

	hash_for_each_possible(words, word, node, word_hash(text))
		if (!strcmp(word->text, text))
			return true;
	return false;
}

static void words_free(void)
{
	struct hlist_node *next;
	struct word *word;
	int bucket;

	hash_for_each_safe(words, bucket, next, word, node) {
		hash_del(&word->node);
		gospan_free(word);
	}
}

/* The i-th word: its length varies with i. */
static const char *word_make(char *text, unsigned int i)
{
	snprintf(text, WORD_BYTES, "%0*u", 4 + i % 50, i);
	return text;
}

static int __init sample_init(void)
{
	unsigned int i, nr_found = 0;
	char text[WORD_BYTES];
	int err;

	for (i = 0; i < NR_WORDS; i++) {
		err = word_add(word_make(text, i));
		if (err) {
			words_free();
			return err;
		}
	}
	for (i = 0; i < NR_WORDS; i++)
		nr_found += word_find(word_make(text, i));
	pr_info("found %u of %u words\n", nr_found, NR_WORDS);
	words_free();
	return 0;
}

static void __exit sample_exit(void)
{
}

module_init(sample_init);
module_exit(sample_exit);
MODULE_DESCRIPTION("A small user of gospan");
MODULE_AUTHOR("The gospan developers");
MODULE_LICENSE("GPL");
