/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names compared: without case and width, and patterns with * and ?. What
 * they are held against is chosen by customers, so nothing here backtracks
 * further than to the last star.
 */
#include "policy_int.h"

/* The bytes may be anything: not past the end, whatever they are. */
static const char *
next_char(const char *p)
{
	for (p++; (*p & 0xc0) == 0x80;)
		p++;
	return p;
}

bool
policy_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern == '?') {
			pattern++;
			text = next_char(text);
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			retry = next_char(retry);
			text = retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

char *
policy_fold(const char *name)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	g_autofree char *wide = g_utf8_normalize(valid, -1, G_NORMALIZE_NFKC);

	return g_utf8_casefold(wide != NULL ? wide : valid, -1);
}
