// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug: which classes are under it, said in slub_debug's way.
 *
 *	LETTERS[,WHAT...][;LETTERS[,WHAT...]]...
 *
 * WHAT is a size, for its class; "large"; or the name of a cache. None: all. No
 * letters are all of them, "-" is none. A later clause has its way over an earlier.
 *
 * What the module parameter says of caches goes for those that are made from then on.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/jump_label.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "cache.h"
#include "debug.h"
#include "malloc.h"
#include "origin.h"

static char *debug;
module_param(debug, charp, 0444);
MODULE_PARM_DESC(debug, "letters of F, Z, P, U, then commas and for which sizes, large or caches; see Documentation (default: none)");

#define ALL_LETTERS	(BIT(GOSPAN_DEBUG_NR) - 1)

static const char letter_names[GOSPAN_DEBUG_NR + 1] = "FZPU";

/* Outside of cache_lock. */
static DEFINE_MUTEX(debug_lock);

/* @letters as they are written; "-" for none. */
const char *gospan_debug_letters_text(unsigned int letters, char text[GOSPAN_DEBUG_NR + 1])
{
	unsigned int i, n = 0;

	for (i = 0; i < GOSPAN_DEBUG_NR; i++)
		if (letters & BIT(i))
			text[n++] = letter_names[i];
	if (!n)
		text[n++] = '-';
	text[n] = '\0';
	return text;
}

static int letters_parse(const char *text, unsigned int *letters)
{
	const char *name;

	*letters = *text ? 0 : ALL_LETTERS;
	if (!strcmp(text, "-"))
		return 0;
	for (; *text; text++) {
		name = strchr(letter_names, toupper(*text));
		if (!name)
			return -EINVAL;
		*letters |= BIT(name - letter_names);
	}
	return 0;
}

/* Have the classes' slots made ready for records, once. */
static int class_open(unsigned int sizeclass)
{
	struct gospan_debug_class *class = &gospan_debug_classes[sizeclass];
	unsigned int bytes = gospan_class_to_bytes[sizeclass];
	struct gospan_cache *cache;
	char name[16];

	lockdep_assert_held(&debug_lock);
	if (!sizeclass || class->cache)
		return 0;
	snprintf(name, sizeof(name), "size-%u", bytes);
	/* As its size class aligns them. */
	cache = gospan_cache_create_recorded(name, bytes, is_power_of_2(bytes) ? bytes :
					     min(BIT(__ffs(bytes)), GOSPAN_PAGE_SIZE));
	if (!cache)
		return -ENOMEM;
	/* Pairs with the acquire in gospan_debug_alloc(). */
	smp_store_release(&class->cache, cache);
	return 0;
}

static int class_set(unsigned int sizeclass, unsigned int letters)
{
	struct gospan_debug_class *class = &gospan_debug_classes[sizeclass];
	unsigned int before = class->letters;

	lockdep_assert_held(&debug_lock);
	if (letters && class_open(sizeclass))
		return -ENOMEM;
	if (class->cache)
		gospan_cache_set_letters(class->cache, letters);
	/* Pairs with the acquire in gospan_debug_alloc(). */
	smp_store_release(&class->letters, letters);
	if (letters && !before)
		static_branch_inc(&gospan_malloc_alloc_special);
	else if (!letters && before)
		static_branch_dec(&gospan_malloc_alloc_special);
	return 0;
}

static int all_set(unsigned int letters)
{
	unsigned int sizeclass;
	int err = 0;

	for (sizeclass = 0; sizeclass < GOSPAN_NR_SIZECLASSES && !err; sizeclass++)
		err = class_set(sizeclass, letters);
	gospan_cache_set_letters_by_name(NULL, letters);
	return err;
}

/* A cache that is not there yet may be to come. */
static int what_set(const char *what, unsigned int letters, bool to_come)
{
	unsigned int bytes;

	if (!strcmp(what, "large"))
		return class_set(0, letters);
	if (!kstrtouint(what, 0, &bytes)) {
		if (!bytes || bytes > GOSPAN_MAX_SMALL_BYTES)
			return -EINVAL;
		return class_set(gospan_size_to_class(bytes), letters);
	}
	if (!*what)
		return -EINVAL;
	return gospan_cache_set_letters_by_name(what, letters) || to_come ? 0 : -ENOENT;
}

static int clause_set(char *clause, bool to_come)
{
	char *what = clause, *text = strsep(&what, ",");
	unsigned int letters;
	int err;

	err = letters_parse(text, &letters);
	if (!err && letters & GOSPAN_DEBUG_USER)
		err = gospan_origin_init();
	if (!err && !what)
		return all_set(letters);
	while (!err && what)
		err = what_set(strsep(&what, ","), letters, to_come);
	return err;
}

static int debug_set(char *text, bool to_come)
{
	int err = 0;

	mutex_lock(&debug_lock);
	/* Nothing behind the last ; is no clause. */
	do {
		err = clause_set(strsep(&text, ";"), to_come);
	} while (text && *text && !err);
	mutex_unlock(&debug_lock);
	return err;
}

/**
 * gospan_debug_set() - put classes under debug, or end that
 * @text: see above; is cut up. What it says of caches goes for those that there are
 *	and whose objects have records.
 *
 * Context: Task; sleeps.
 * Return: 0; -EINVAL, -ENOMEM, or -ENOENT for a cache that there is not: what is said
 * before that is done.
 */
int gospan_debug_set(char *text)
{
	return debug_set(text, false);
}

static bool clause_is_about(char *clause, const char *name)
{
	if (!clause)
		return true;
	while (clause)
		if (!strcmp(strsep(&clause, ","), name))
			return true;
	return false;
}

/* What the parameter says of a cache that is called @name. Task; sleeps. */
unsigned int gospan_debug_letters_of(const char *name)
{
	char *text = debug ? kstrdup(debug, GFP_KERNEL) : NULL, *rest = text, *clause, *what;
	unsigned int letters = 0, some;

	while (rest) {
		clause = strsep(&rest, ";");
		what = clause;
		/* It was understood when it was set. */
		if (!letters_parse(strsep(&what, ","), &some) && clause_is_about(what, name))
			letters = some;
	}
	kfree(text);
	return letters;
}

/* Size classes under debug, a line each. Task; sleeps. */
void gospan_debug_show(struct seq_file *file)
{
	unsigned int sizeclass, letters;
	char text[GOSPAN_DEBUG_NR + 1];

	mutex_lock(&debug_lock);
	for (sizeclass = 0; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		letters = gospan_debug_classes[sizeclass].letters;
		if (!letters)
			continue;
		gospan_debug_letters_text(letters, text);
		if (sizeclass)
			seq_printf(file, "%s,%u\n", text, gospan_class_to_bytes[sizeclass]);
		else
			seq_printf(file, "%s,large\n", text);
	}
	mutex_unlock(&debug_lock);
	gospan_cache_show_letters(file);
}

/* When caches can be made. */
int gospan_debug_init(void)
{
	char *text;
	int err;

	if (!debug)
		return 0;
	text = kstrdup(debug, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	err = debug_set(text, true);
	kfree(text);
	if (err) {
		pr_err("debug=%s: not understood, or no memory: %d\n", debug, err);
		gospan_debug_exit();
	}
	return err;
}

/* Nobody allocates any more. The caches go with all others. */
void gospan_debug_exit(void)
{
	unsigned int sizeclass;

	gospan_debug_flush();
	gospan_debug_find_lost(GOSPAN_SPANCLASS_NONE);
	gospan_debug_report_leaks();
	mutex_lock(&debug_lock);
	for (sizeclass = 0; sizeclass < GOSPAN_NR_SIZECLASSES; sizeclass++) {
		class_set(sizeclass, 0);
		gospan_debug_classes[sizeclass].cache = NULL;
	}
	mutex_unlock(&debug_lock);
}
