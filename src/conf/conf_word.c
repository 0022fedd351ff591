/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that are one word of a set form: names, header names, languages,
 * time zones. Only the form is looked at, but a time zone must be known, too.
 * Messages are the end of a sentence that begins with the value.
 */
#include "conf_int.h"

#include <string.h>

#include "clock.h"
#include "err.h"

#define NAME_MAX_CHARS 64
/* A header's name and ": " must fit on a line of 78 with something after. */
#define HEADER_MAX_CHARS 60

static bool
fail(struct err *err, const char *why)
{
	return err_set(err, ERR_CONF, "conf.value", "%s", why);
}

bool
conf_name_check(const char *s, struct err *err)
{
	for (const char *p = s; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && strchr("._-", *p) == NULL)
			return fail(err, "is not a name: only letters, "
			    "digits, '.', '_' and '-'");
	if (strlen(s) > NAME_MAX_CHARS)
		return fail(err, "is longer than 64 characters");
	return true;
}

bool
conf_urlpath_check(const char *s, struct err *err)
{
	for (const char *p = s; *p != '\0'; p++)
		if (!g_ascii_isgraph(*p) || strchr("?#%\"<>\\", *p) != NULL)
			return fail(err, "is not a plain URL path");
	return *s == '/' ? true : fail(err, "must begin with '/'");
}

/* RFC 5322 section 3.6.8 allows more; mail servers do not. */
bool
conf_header_check(const char *s, struct err *err)
{
	const char *end = s + strlen(s);

	for (const char *p = s; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && strchr("-_", *p) == NULL)
			return fail(err, "is not the name of a header: only "
			    "letters, digits, '-' and '_', no ':'");
	if (end - s > HEADER_MAX_CHARS)
		return fail(err, "is longer than 60 characters");
	if (!g_ascii_isalpha(*s))
		return fail(err, "must begin with a letter");
	return true;
}

static size_t
span_of(const char *s, bool (*is)(char c))
{
	size_t n = 0;

	while (is(s[n]))
		n++;
	return n;
}

static bool
is_lower(char c)
{
	return g_ascii_islower(c);
}

static bool
is_upper(char c)
{
	return g_ascii_isupper(c);
}

/* Whether templates of this language are there is checked with them. */
bool
conf_language_check(const char *s, struct err *err)
{
	size_t n = span_of(s, is_lower);

	if (n >= 2 && n <= 8 && s[n] == '-' && span_of(s + n + 1,
	    is_upper) == 2)
		n += 3;
	if (n >= 2 && n <= 11 && s[n] == '\0')
		return true;
	return fail(err, "is not a language such as en, pt or pt-BR");
}

/* Names of the tz database: "UTC", "America/Sao_Paulo", "Etc/GMT+3". */
static bool
is_zone_name(const char *s)
{
	bool start = true;

	for (; *s != '\0'; s++) {
		if (start ? !g_ascii_isalpha(*s) : !g_ascii_isalnum(*s) &&
		    strchr("_+-/", *s) == NULL)
			return false;
		start = *s == '/';
	}
	return !start;
}

bool
conf_zone_check(const char *s, struct err *err)
{
	if (!is_zone_name(s) || strlen(s) > NAME_MAX_CHARS)
		return fail(err, "is not a time zone such as "
		    "America/Sao_Paulo");
	if (clock_zone_get(s) == NULL)
		return fail(err, "is not a time zone that this system knows; "
		    "see that tzdata is installed");
	return true;
}

/* Of a search filter; in its values they are \28 and \29 (RFC 4515). */
static bool
is_balanced(const char *s)
{
	int depth = 0;

	for (; *s != '\0' && depth >= 0; s++)
		depth += *s == '(' ? 1 : *s == ')' ? -1 : 0;
	return depth == 0;
}

/* "(mobile=%s)": where what is looked for goes; nothing else begins with %. */
bool
conf_form_check(const char *s, struct err *err)
{
	bool has = false;

	if (!is_balanced(s))
		return fail(err, "has a parenthesis without its other");
	for (const char *p = strchr(s, '%'); p; p = strchr(p + 2, '%')) {
		if (p[1] != 's')
			return fail(err, "has a '%' that is not of %s");
		has = true;
	}
	return has || fail(err, "has no %s, where the value goes");
}

/* Of the Graph API: "v25.0". */
bool
conf_version_check(const char *s, struct err *err)
{
	size_t major = *s == 'v' ? strspn(s + 1, "0123456789") : 0;
	size_t minor = major > 0 && s[major + 1] == '.' ?
	    strspn(s + major + 2, "0123456789") : 0;

	if (minor == 0 || major > 4 || minor > 4 || s[major + minor + 2])
		return fail(err, "is not a version such as v25.0");
	return true;
}
