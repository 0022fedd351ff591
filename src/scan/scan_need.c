/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a text must have so that a pattern can match at all: most patterns
 * want digits or a sign that most messages have none of, and then need not be
 * tried. Read off the top level of the pattern, where each part must match;
 * groups and classes say nothing. Whatever this reader does not know for sure
 * makes it demand nothing: PCRE2 alone decides then.
 */
#include "scan_int.h"

#include <string.h>

#define DIGITS_MOST 1000

/* Escapes that stand for themselves alone, and take no more characters. */
static const char plain_escapes[] = "dDwWsSbBAzZGhHvVRnrtfea";

struct atom {
	char c;		/* a literal of ASCII; 'd' for a digit, if is_digit */
	bool is_digit, is_opaque;
};

/* Quotes, comments, verbs, callouts, the option x: they change the rest. */
bool
scan_need_is_hard(const char *regex)
{
	if (strstr(regex, "\\Q") != NULL || strstr(regex, "\\c") != NULL ||
	    strstr(regex, "(*") != NULL)
		return true;
	for (const char *s = strstr(regex, "(?"); s != NULL;
	    s = strstr(s + 2, "(?")) {
		size_t n = strspn(s + 2, "^-aimnsxJU");

		if (s[2] == '#' || s[2] == 'C' ||
		    memchr(s + 2, 'x', n) != NULL)
			return true;
	}
	return false;
}

size_t
scan_need_class_length(const char *s)
{
	const char *at = s + 1;

	at += *at == '^';
	at += *at == ']';	/* one that is first does not close it */
	while (*at != ']') {
		const char *end = NULL;

		if (*at == '\0')
			return 0;
		if (at[0] == '[' && at[1] == ':')
			end = strstr(at, ":]");
		if (at[0] == '\\' && at[1] != '\0')
			at += 2;
		else
			at = end != NULL ? end + 2 : at + 1;
	}
	return (size_t)(at + 1 - s);
}

static size_t
group_length(const char *s)
{
	size_t depth = 0, n;

	for (const char *at = s; *at != '\0'; at += n) {
		n = 1;
		if (*at == '\\')
			n = at[1] != '\0' ? 2 : 1;
		else if (*at == '[')
			n = scan_need_class_length(at);
		else if (*at == '(')
			depth++;
		else if (*at == ')' && --depth == 0)
			return (size_t)(at + 1 - s);
		if (n == 0)
			return 0;
	}
	return 0;
}

/* Past the atom at s; 0: it is none that this reader knows. */
static size_t
read_atom(const char *s, struct atom *a)
{
	*a = (struct atom){ .c = *s };
	switch (*s) {
	case '(':
		a->is_opaque = true;
		return group_length(s);
	case '[':
		a->is_digit = strncmp(s, "[0-9]", 5) == 0;
		a->is_opaque = !a->is_digit;
		return scan_need_class_length(s);
	case '\\':
		a->c = s[1];
		a->is_digit = s[1] == 'd';
		a->is_opaque = g_ascii_isalpha(s[1]) && s[1] != 'd';
		if (s[1] == '\0' || (uint8_t)s[1] >= 0x80 ||
		    (g_ascii_isalnum(s[1]) &&
		    strchr(plain_escapes, s[1]) == NULL))
			return 0;
		return 2;
	case '|':
	case ')':
	case '{':
	case '*':
	case '+':
	case '?':
		return 0;
	case '.':
	case '^':
	case '$':
		a->is_opaque = true;
		return 1;
	default:
		a->is_opaque = (uint8_t)*s >= 0x80;
		return 1;
	}
}

/*
 * How often the atom before s must be there at least; *len is how long that
 * is written. False: it is written in a way that is not known for sure.
 */
static bool
read_count(const char *s, unsigned *least, size_t *len)
{
	size_t n = 1;

	*least = 1;
	*len = 0;
	if (*s == '?' || *s == '*') {
		*least = 0;
	} else if (*s == '{') {
		n = strspn(s + 1, "0123456789,");
		if (n == 0 || n > 9 || s[n + 1] != '}' ||
		    !g_ascii_isdigit(s[1]))
			return false;
		*least = (unsigned)g_ascii_strtoull(s + 1, NULL, 10);
		n += 2;
	} else if (*s != '+') {
		return true;
	}
	n += s[n] == '?' || s[n] == '+';	/* lazy, or possessive */
	*len = n;
	return s[n] == '\0' || strchr("{*+?", s[n]) == NULL;
}

static void
demand(const struct atom *a, unsigned least, struct scan_need *need)
{
	unsigned c = (unsigned)g_ascii_tolower(a->c);

	if (a->is_opaque || least == 0)
		return;
	if (a->is_digit)
		need->digits += MIN(least, DIGITS_MOST);
	else if (c != 'k' && c != 's')	/* U+212A, U+017F fold to these */
		need->ascii[c / 64] |= UINT64_C(1) << c % 64;
}

void
scan_need_read(const char *regex, struct scan_need *out)
{
	struct scan_need need = { .digits = 0 };
	size_t n, len;

	*out = need;
	if (scan_need_is_hard(regex))
		return;
	for (const char *s = regex; *s != '\0'; s += n + len) {
		struct atom a;
		unsigned least;

		n = read_atom(s, &a);
		if (n == 0 || !read_count(s + n, &least, &len))
			return;
		demand(&a, least, &need);
		if (need.digits > DIGITS_MOST)
			return;
	}
	*out = need;
}

void
scan_need_look(const char *text, size_t len, struct scan_need *have)
{
	*have = (struct scan_need){ .digits = 0 };
	for (size_t i = 0; i < len; i++) {
		unsigned c = (uint8_t)g_ascii_tolower(text[i]);

		if (c < 0x80)
			have->ascii[c / 64] |= UINT64_C(1) << c % 64;
		have->digits += g_ascii_isdigit(text[i]);
	}
}
