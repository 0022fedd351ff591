/* SPDX-License-Identifier: Apache-2.0 */
/*
 * E-mail addresses as people write them: no quoted local parts, no address
 * literals; a domain with a dot and a top that could be one.
 */
#include "scan_int.h"

#include <string.h>

static bool
is_local(char c)
{
	return g_ascii_isalnum(c) || c == SCAN_PLAIN_LETTER ||
	    (c != '\0' && strchr("._%+-'", c) != NULL);
}

static bool
is_domain(char c)
{
	return g_ascii_isalnum(c) || c == SCAN_PLAIN_LETTER || c == '-';
}

/* A label that can be the last: letters, or a coded one. */
static bool
is_top(const char *s, size_t len)
{
	if (len > 4 && g_ascii_strncasecmp(s, "xn--", 4) == 0)
		return true;
	for (size_t i = 0; i < len; i++) {
		if (!g_ascii_isalpha(s[i]) && s[i] != SCAN_PLAIN_LETTER)
			return false;
	}
	return len > 1;
}

/* The end of the longest domain that begins here; 0: there is none. */
static size_t
domain_end(const struct scan_plain *p, size_t from)
{
	size_t found = 0, label = from;

	for (size_t i = from;; i++) {
		if (is_domain(p->c[i]))
			continue;
		if (i == label || p->c[label] == '-' || p->c[i - 1] == '-')
			return found;
		if (label > from && is_top(p->c + label, i - label))
			found = i;
		if (p->c[i] != '.')
			return found;
		label = i + 1;
	}
}

static size_t
local_start(const struct scan_plain *p, size_t at)
{
	size_t from = at;

	while (from > 0 && is_local(p->c[from - 1]))
		from--;
	while (from < at && strchr(".'", p->c[from]) != NULL)
		from++;
	return from;
}

void
scan_find_email(const struct scan_plain *p, struct scan_result *r)
{
	for (size_t i = 1; i < p->n; i++) {
		size_t from, to;

		if (p->c[i] != '@' || p->c[i - 1] == '.')
			continue;
		from = local_start(p, i);
		to = from < i ? domain_end(p, i + 1) : 0;
		if (to > 0)
			scan_detect_add(p, SCAN_EMAIL, from, to, r);
	}
}
