/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one rendering, and the lines made of foreign strings. Nothing in
 * here can fail; what cannot be shown is replaced or left out by text.h.
 */
#include "render_int.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* The strings of an ordinary mail, and what they are aligned to. */
#define ROOM 8192
#define ALIGN 16

void
render_scratch_init(struct render_scratch *s)
{
	s->blocks = g_ptr_array_new_with_free_func(g_free);
	s->lists = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)g_ptr_array_unref);
	s->free = NULL;
	s->left = 0;
}

void
render_scratch_clear(struct render_scratch *s)
{
	g_clear_pointer(&s->lists, g_ptr_array_unref);
	g_clear_pointer(&s->blocks, g_ptr_array_unref);
}

char *
render_keep(struct render_scratch *s, char *string)
{
	g_ptr_array_add(s->blocks, string);
	return string;
}

void *
render_room(struct render_scratch *s, size_t size)
{
	char *out;

	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (size > ROOM / 4)
		return render_keep(s, g_malloc(size));
	if (size > s->left) {
		s->free = render_keep(s, g_malloc(ROOM));
		s->left = ROOM;
	}
	out = s->free;
	s->free += size;
	s->left -= size;
	return out;
}

char *
render_copy(struct render_scratch *s, const char *string)
{
	size_t size = strlen(string) + 1;

	return memcpy(render_room(s, size), string, size);
}

char *
render_format(struct render_scratch *s, const char *fmt, ...)
{
	char *at = s->free, *out;
	size_t left = s->left;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(at, left, fmt, ap);
	va_end(ap);
	assert(len >= 0);
	out = render_room(s, (size_t)len + 1);
	if ((size_t)len < left && out == at)
		return out;
	va_start(ap, fmt);
	vsnprintf(out, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return out;
}

char *
render_strings(struct render_scratch *s, const char *first, ...)
{
	size_t size = 1;
	char *out, *to;
	va_list ap;

	va_start(ap, first);
	for (const char *p = first; p != NULL; p = va_arg(ap, const char *))
		size += strlen(p);
	va_end(ap);
	out = to = render_room(s, size);
	va_start(ap, first);
	for (const char *p = first; p != NULL; p = va_arg(ap, const char *)) {
		size_t len = strlen(p);

		memcpy(to, p, len);
		to += len;
	}
	va_end(ap);
	*to = '\0';
	return out;
}

char *
render_number(struct render_scratch *s, int64_t n)
{
	uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
	char digits[24], *p = digits + sizeof(digits);

	*--p = '\0';
	do
		*--p = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (n < 0)
		*--p = '-';
	return render_copy(s, p);
}

GPtrArray *
render_list(struct render_scratch *s)
{
	GPtrArray *list = g_ptr_array_new();

	g_ptr_array_add(s->lists, list);
	return list;
}

/* True for printable ASCII in single blanks: shown as it is, not copied. */
static bool
is_plain_line(const char *text, size_t max_chars)
{
	size_t i;

	if (text[0] == ' ')
		return false;
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] < ' ' || text[i] > '~' ||
		    (text[i] == ' ' && text[i + 1] == ' '))
			return false;
	}
	return i > 0 && i <= max_chars && text[i - 1] != ' ';
}

/* Runs of blanks to one, none at the ends. */
static void
squeeze(char *line)
{
	char *to = line;

	for (const char *p = line; *p != '\0'; p++) {
		if (*p != ' ' || (to > line && to[-1] != ' '))
			*to++ = *p;
	}
	if (to > line && to[-1] == ' ')
		to--;
	*to = '\0';
}

const char *
render_line(struct render_scratch *s, const char *text, size_t max_chars)
{
	char *line;

	if (text == NULL || is_plain_line(text, max_chars))
		return text;
	line = render_keep(s, text_clean(text, strlen(text), TEXT_LINE,
	    max_chars));
	squeeze(line);
	return *line != '\0' ? line : NULL;
}

const char *
render_ascii(struct render_scratch *s, const char *text, size_t max_chars)
{
	const char *line = render_line(s, text, max_chars);
	char *out;

	if (line == NULL)
		return NULL;
	for (const char *p = line; *p > ' ' && *p <= '~'; p++) {
		if (p[1] == '\0')
			return line;
	}
	out = render_copy(s, line);
	for (char *p = out; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			*p = '_';
	}
	return out;
}

const char *
render_joined(struct render_scratch *s, const GPtrArray *list,
    const char *between)
{
	GString *out;

	if (list == NULL || list->len == 0)
		return NULL;
	out = g_string_new(list->pdata[0]);
	for (guint i = 1; i < list->len; i++) {
		g_string_append(out, between);
		g_string_append(out, list->pdata[i]);
	}
	return render_keep(s, g_string_free(out, FALSE));
}

GString *
render_with_crlf(const GString *lines)
{
	GString *out = g_string_sized_new(lines->len + 64);

	for (const char *p = lines->str; *p != '\0'; p++) {
		if (*p == '\n')
			g_string_append_c(out, '\r');
		g_string_append_c(out, *p);
	}
	return out;
}
