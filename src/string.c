// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strings: objects that are filled from memory or by a format, and one that is
 * wiped when it is freed. What <linux/string.h> and vsnprintf() do, on objects.
 *
 * There is no counterpart of kstrdup_const(): a module cannot tell what is in
 * the kernel's read-only data.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/gospan.h>

void gospan_free_sensitive(const void *p)
{
	size_t bytes = gospan_size(p);

	if (!bytes)
		return;
	memzero_explicit((void *)p, bytes);
	gospan_free(p);
}
EXPORT_SYMBOL_GPL(gospan_free_sensitive);

void *gospan_memdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = gospan_alloc(len, gfp);

	if (p)
		memcpy(p, src, len);
	return p;
}
EXPORT_SYMBOL_GPL(gospan_memdup);

char *gospan_memdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *p = gospan_alloc(size_add(len, 1), gfp);

	if (!p)
		return NULL;
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}
EXPORT_SYMBOL_GPL(gospan_memdup_nul);

char *gospan_strdup(const char *s, gfp_t gfp)
{
	return s ? gospan_memdup_nul(s, strlen(s), gfp) : NULL;
}
EXPORT_SYMBOL_GPL(gospan_strdup);

char *gospan_strndup(const char *s, size_t max, gfp_t gfp)
{
	return s ? gospan_memdup_nul(s, strnlen(s, max), gfp) : NULL;
}
EXPORT_SYMBOL_GPL(gospan_strndup);

char *gospan_vasprintf(gfp_t gfp, const char *fmt, va_list args)
{
	size_t bytes;
	va_list again;
	char *p;

	va_copy(again, args);
	bytes = vsnprintf(NULL, 0, fmt, again) + 1;
	va_end(again);
	p = gospan_alloc(bytes, gfp);
	/* An argument that became longer meanwhile is cut off. */
	if (p)
		vsnprintf(p, bytes, fmt, args);
	return p;
}
EXPORT_SYMBOL_GPL(gospan_vasprintf);

char *gospan_asprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list args;
	char *p;

	va_start(args, fmt);
	p = gospan_vasprintf(gfp, fmt, args);
	va_end(args);
	return p;
}
EXPORT_SYMBOL_GPL(gospan_asprintf);
