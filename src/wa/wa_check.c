/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One linear pass over a body before json-c sees it: the whole grammar of
 * RFC 8259, strict UTF-8 (RFC 3629), and the limits. json-c 0.16 lets through
 * single quotes, NaN, raw controls and overlong UTF-8; after this pass it
 * cannot meet any of them. Allocates nothing but the (rare) list of integers
 * that json-c would silently saturate. Says what is wrong at which byte.
 */
#include "wa_json_int.h"

#include <string.h>

#include "err.h"

/* Longer than any double or 128-bit integer is spelt. */
#define NUMBER_MAX 400

enum expect { VALUE, VALUE_OR_END, KEY, KEY_OR_END, NEXT_OR_END, NOTHING };

struct scanner {
	const uint8_t *start, *p, *end;
	size_t max_string;
	int depth, max_depth;
	uint8_t closer[WA_DEPTH_MAX];	/* ']' or '}' of each open bracket */
	enum expect expect;
	struct wa_facts *facts;
	struct err *err;
};

/* 1: may follow one another in a string without a second look. */
static const uint8_t plain[256] = {
	[' '] = 1, ['!'] = 1, ['#' ... '['] = 1, [']' ... 0x7f] = 1,
};

static bool
fail(const struct scanner *s, const char *why)
{
	return err_set(s->err, ERR_PERM, "wa.json",
	    "the body is not acceptable JSON: %s at byte %zu", why,
	    (size_t)(s->p - s->start));
}

static void
skip_blanks(struct scanner *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' ||
	    *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

/*
 * Length of the multi-byte character at p, 0 if it is none: RFC 3629
 * section 4, where only the second byte's range depends on the first.
 */
static size_t
utf8_len(const uint8_t *p, const uint8_t *end)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if ((size_t)(end - p) < n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xed)
		high = 0x9f;	/* no surrogates */
	else if (p[0] == 0xf4)
		high = 0x8f;	/* nothing above U+10FFFF */
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

static bool
take_escape(struct scanner *s)
{
	if (s->end - s->p < 2)
		return fail(s, "an unfinished string");
	if (s->p[1] != 'u') {
		if (s->p[1] == '\0' || strchr("\"\\/bfnrt", s->p[1]) == NULL)
			return fail(s, "an unknown escape");
		s->p += 2;
		return true;
	}
	if (s->end - s->p < 6)
		return fail(s, "an unfinished string");
	for (int i = 2; i < 6; i++) {
		if (!g_ascii_isxdigit(s->p[i]))
			return fail(s, "a wrong \\u escape");
	}
	s->p += 6;
	return true;
}

/* What stopped the fast path: an escape or a multi-byte character. */
static bool
take_special(struct scanner *s)
{
	size_t n;

	if (*s->p == '\\')
		return take_escape(s);
	if (*s->p < 0x20)
		return fail(s, "a raw control character in a string");
	n = utf8_len(s->p, s->end);
	if (n == 0)
		return fail(s, "a byte that is not UTF-8");
	s->p += n;
	return true;
}

static bool
take_string(struct scanner *s)
{
	const uint8_t *first = ++s->p;

	for (;;) {
		while (s->p < s->end && plain[*s->p])
			s->p++;
		if (s->p == s->end)
			return fail(s, "an unfinished string");
		if (*s->p == '"')
			break;
		if (!take_special(s))
			return false;
	}
	if ((size_t)(s->p - first) > s->max_string)
		return fail(s, "the end of a string beyond the limit");
	s->p++;
	return true;
}

static size_t
take_digits(struct scanner *s)
{
	const uint8_t *first = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - first);
}

/*
 * json-c keeps 64 bits and saturates silently beyond; two long ids would
 * become one. 19 digits fit into uint64_t, 18 into int64_t.
 */
static void
note_long_integer(struct scanner *s, const uint8_t *first)
{
	struct wa_span span = { .at = (size_t)(first - s->start),
		.len = (size_t)(s->p - first) };

	if (span.len < 20)
		return;
	if (s->facts->long_integers == NULL)
		s->facts->long_integers = g_array_new(FALSE, FALSE,
		    sizeof(span));
	g_array_append_val(s->facts->long_integers, span);
}

static bool
take_fraction(struct scanner *s)
{
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (take_digits(s) == 0)
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (take_digits(s) == 0)
			return false;
	}
	return true;
}

static bool
take_number(struct scanner *s)
{
	const uint8_t *first = s->p, *whole;

	if (*s->p == '-')
		s->p++;
	whole = s->p;
	if (take_digits(s) == 0 || (*whole == '0' && s->p - whole > 1))
		return fail(s, "a wrong number");
	whole = s->p;
	if (!take_fraction(s))
		return fail(s, "a wrong number");
	if (s->p - first > NUMBER_MAX)
		return fail(s, "the end of a number beyond the limit");
	if (s->p == whole)
		note_long_integer(s, first);
	return true;
}

static bool
take_literal(struct scanner *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return fail(s, "an unknown word");
	s->p += n;
	return true;
}

static void
after_value(struct scanner *s)
{
	s->expect = s->depth == 0 ? NOTHING : NEXT_OR_END;
}

static bool
open_bracket(struct scanner *s, uint8_t closer)
{
	if (s->depth == s->max_depth)
		return fail(s, "nesting beyond the limit");
	s->closer[s->depth++] = closer;
	s->facts->depth = MAX(s->facts->depth, s->depth);
	s->expect = closer == '}' ? KEY_OR_END : VALUE_OR_END;
	s->p++;
	return true;
}

static bool
take_value(struct scanner *s)
{
	bool ok;

	if (*s->p == '{')
		return open_bracket(s, '}');
	if (*s->p == '[')
		return open_bracket(s, ']');
	if (*s->p == '"')
		ok = take_string(s);
	else if (*s->p == '-' || g_ascii_isdigit(*s->p))
		ok = take_number(s);
	else if (*s->p == 't')
		ok = take_literal(s, "true");
	else if (*s->p == 'f')
		ok = take_literal(s, "false");
	else if (*s->p == 'n')
		ok = take_literal(s, "null");
	else
		ok = fail(s, "an unexpected byte");
	after_value(s);
	return ok;
}

static bool
take_key(struct scanner *s)
{
	if (*s->p != '"')
		return fail(s, "no member name");
	if (!take_string(s))
		return false;
	skip_blanks(s);
	if (s->p == s->end || *s->p != ':')
		return fail(s, "no colon");
	s->p++;
	s->facts->members++;
	s->expect = VALUE;
	return true;
}

static bool
close_bracket(struct scanner *s)
{
	s->p++;
	s->depth--;
	after_value(s);
	return true;
}

static bool
take_one(struct scanner *s)
{
	bool closes = s->depth > 0 && *s->p == s->closer[s->depth - 1];

	switch (s->expect) {
	case VALUE:
		return take_value(s);
	case VALUE_OR_END:
		return closes ? close_bracket(s) : take_value(s);
	case KEY:
		return take_key(s);
	case KEY_OR_END:
		return closes ? close_bracket(s) : take_key(s);
	case NEXT_OR_END:
		if (closes)
			return close_bracket(s);
		if (*s->p != ',')
			return fail(s, "neither a comma nor the closing bracket");
		s->p++;
		s->expect = s->closer[s->depth - 1] == '}' ? KEY : VALUE;
		return true;
	case NOTHING:
	default:
		return fail(s, "something after the end");
	}
}

bool
wa_scan(const void *body, size_t len, const struct wa_limits *lim,
    struct wa_facts *facts, struct err *err)
{
	struct scanner s = { .start = body, .p = body,
		.end = (const uint8_t *)body + len, .expect = VALUE,
		.max_string = lim->max_string,
		.max_depth = CLAMP(lim->max_depth, 0, WA_DEPTH_MAX),
		.facts = facts, .err = err };

	if (len > lim->max_bytes || len > G_MAXINT32)
		return err_set(err, ERR_PERM, "wa.json",
		    "the body has %zu bytes; the limit is %zu", len,
		    lim->max_bytes);
	for (;;) {
		skip_blanks(&s);
		if (s.p == s.end)
			break;
		if (!take_one(&s))
			return false;
	}
	return s.expect == NOTHING || fail(&s, "the end too early");
}

bool
wa_json_check(const void *body, size_t len, const struct wa_limits *lim,
    struct err *err)
{
	struct wa_facts facts = { 0 };
	bool ok = wa_scan(body, len, lim, &facts, err);

	g_clear_pointer(&facts.long_integers, g_array_unref);
	return ok;
}
