/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sanitiser. Laws: any bytes give valid UTF-8 without controls, within
 * the limit, and what is clean stays as it is.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "fuzz.h"
#include "text.h"

static bool
is_control(gunichar c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void
check_clean(const char *s, bool block)
{
	assert(text_is_utf8(s, strlen(s)));
	assert(g_utf8_validate(s, -1, NULL));
	for (; *s != '\0'; s += g_utf8_skip[(uint8_t)*s]) {
		gunichar c = g_utf8_get_char(s);

		assert(!is_control(c) || (block && (c == '\n' || c == '\t')));
	}
}

static void
try_clean(const char *s, size_t len, enum text_clean how, size_t max)
{
	g_autofree char *once = text_clean(s, len, how, max);
	g_autofree char *twice = text_clean(once, strlen(once), how, max);

	check_clean(once, how == TEXT_BLOCK);
	assert((size_t)g_utf8_strlen(once, -1) <= max);
	assert(strcmp(once, twice) == 0);
}

static void
try_filename(const char *s)
{
	g_autofree char *name = text_clean_filename(s);
	g_autofree char *again = text_clean_filename(name);
	size_t len = strlen(name);

	check_clean(name, false);
	assert(len > 0 && g_utf8_strlen(name, -1) <= 120);
	assert(strpbrk(name, "/\\:*?\"<>|") == NULL);
	assert(name[0] != '.' && name[0] != ' ');
	assert(name[len - 1] != '.' && name[len - 1] != ' ');
	assert(strcmp(name, again) == 0);
}

static void
try_marks(const char *s)
{
	g_autofree char *quoted = text_log_quote(s);
	g_autofree char *token = text_clean_token(s, 64);
	g_autofree char *mask = text_mask(s);
	g_autofree char *digits = text_phone_digits(s);
	g_autoptr(GString) html = g_string_new(NULL);

	for (const char *p = quoted; *p != '\0'; p++)
		assert(*p >= 0x20 && *p < 0x7f);
	assert(strlen(token) <= 64);
	assert(strspn(token, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS
	    "._=+-") == strlen(token));
	assert(strlen(mask) == strlen(s));
	assert(digits == NULL || strspn(digits, G_CSET_DIGITS) ==
	    strlen(digits));
	text_html_escape(html, s);
	assert(strpbrk(html->str, "<>\"'") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *bytes = (const char *)data;
	g_autofree char *s = g_strndup(bytes, len);

	for (int how = TEXT_LINE; how <= TEXT_BLOCK; how++) {
		try_clean(bytes, len, (enum text_clean)how, SIZE_MAX);
		try_clean(bytes, len, (enum text_clean)how, 7);
		try_clean(bytes, len, (enum text_clean)how, 1);
	}
	/* GLib ends at a NUL, which is valid UTF-8. */
	assert(memchr(bytes, 0, len) != NULL || text_is_utf8(data, len) ==
	    g_utf8_validate(bytes, (gssize)len, NULL));
	try_filename(s);
	try_marks(s);
	return 0;
}
