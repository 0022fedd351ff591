/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telephone numbers: E.164 with "+", the same with "00", and the national
 * forms that carry a mark of being one: an area code in brackets, a trunk
 * digit, or a way of grouping that amounts and dates do not have. A bare run
 * of digits may be anything and is none.
 */
#include "scan_int.h"

#include <string.h>

#define GROUPS_MAX 8
#define DIGITS_MAX 17	/* 00 and 15 digits (E.164) */

struct number {
	char digits[DIGITS_MAX + 1];
	size_t n_digits;
	size_t n;		/* groups */
	size_t len[GROUPS_MAX];	/* digits of each */
	char before[GROUPS_MAX];	/* '(' : in brackets; else ' ', '-' … */
	size_t end[GROUPS_MAX];	/* in plain */
	bool has_plus;
};

/* Skips what may stand between groups; 0: they do not belong together. */
static char
skip_between(const struct scan_plain *p, size_t *at)
{
	char found = ' ';

	for (size_t i = *at; i < *at + 4; i++) {
		char c = p->c[i];

		if (g_ascii_isdigit(c)) {
			*at = i;
			return found;
		}
		if (c == '\0' || strchr(" -./()", c) == NULL)
			return 0;
		if (c == '(')
			found = '(';
		else if (c != ' ' && c != ')' && found != '(')
			found = c;
	}
	return 0;
}

static bool
read_group(const struct scan_plain *p, size_t *at, char before,
    struct number *num)
{
	size_t from = *at;

	while (g_ascii_isdigit(p->c[*at]))
		++*at;
	if (*at - from > DIGITS_MAX - num->n_digits || num->n == GROUPS_MAX)
		return false;
	/* A bracket that is opened is closed behind the digits. */
	if (before == '(' && p->c[*at] != ')')
		before = ' ';
	memcpy(num->digits + num->n_digits, p->c + from, *at - from);
	num->n_digits += *at - from;
	num->digits[num->n_digits] = '\0';
	num->before[num->n] = before;
	num->len[num->n] = *at - from;
	num->end[num->n++] = *at;
	return true;
}

static void
read_number(const struct scan_plain *p, size_t at, struct number *num)
{
	char before = ' ';

	memset(num, 0, sizeof(*num));
	num->has_plus = p->c[at] == '+';
	if (num->has_plus)
		at++;
	if (!g_ascii_isdigit(p->c[at]))
		before = skip_between(p, &at);
	while (before != 0 && read_group(p, &at, before, num))
		before = skip_between(p, &at);
}

/* Drops the last group. */
static void
shorten(struct number *num)
{
	num->n_digits -= num->len[--num->n];
	num->digits[num->n_digits] = '\0';
}

/* ---- forms ---------------------------------------------------------------------- */

static bool
has_shape(const struct number *num, size_t from, const char *lens)
{
	if (num->n - from != strlen(lens))
		return false;
	for (size_t i = from; i < num->n; i++) {
		if (num->len[i] != (size_t)(lens[i - from] - '0'))
			return false;
	}
	return true;
}

/* The same character between all groups from i on. */
static bool
is_even(const struct number *num, size_t i)
{
	for (size_t k = i + 1; k < num->n; k++) {
		if (num->before[k] != num->before[i])
			return false;
	}
	return true;
}

/* 1 000 000, 25.000.000: up to three digits, then threes. */
static bool
is_amount(const struct number *num)
{
	if (num->n < 2 || num->len[0] > 3 || num->n_digits > 10 ||
	    !is_even(num, 1) || num->before[1] == '-')
		return false;
	for (size_t i = 1; i < num->n; i++) {
		if (num->len[i] != 3)
			return false;
	}
	return true;
}

static bool
is_international(const struct number *num)
{
	size_t skip = num->has_plus ? 0 : 2;

	if (!num->has_plus && (strncmp(num->digits, "00", 2) != 0 ||
	    num->len[0] < 2))
		return false;
	return num->n_digits >= skip + 8 && num->n_digits <= skip + 15 &&
	    num->digits[skip] != '0' && !is_amount(num);
}

/* (11) 99999-0000, 8 (916) 123-45-67, 0 (20) … */
static bool
is_bracketed(const struct number *num)
{
	size_t i = num->before[0] == '(' ? 0 : 1;

	if (num->n < i + 2 || num->before[i] != '(' || num->len[i] < 2 ||
	    num->len[i] > 5 || (i == 1 && num->len[0] > 1))
		return false;
	return num->n_digits >= 8 && num->n_digits <= 12 &&
	    num->n_digits - num->len[i] >= 6;
}

/* A leading 0 and an area code: 020 7946 0958, 01 23 45 67 89, 030/123456 */
static bool
is_trunk_0(const struct number *num)
{
	bool is_date = num->n > 2 && num->len[0] == 2 && num->len[1] == 2 &&
	    num->len[2] == 4;

	return num->digits[0] == '0' && num->digits[1] != '0' && num->n > 1 &&
	    num->len[0] > 1 && num->len[0] < 6 && num->n_digits > 8 &&
	    num->n_digits < 13 && !is_date && is_even(num, 2);
}

/* 8 916 123-45-67 */
static bool
is_trunk_8(const struct number *num)
{
	return num->digits[0] == '8' && num->len[0] == 1 && num->n > 2 &&
	    num->n_digits == 11 && num->len[1] == 3 &&
	    strchr("3489", num->digits[1]) != NULL;
}

/* 916 123-45-67 */
static bool
is_russian(const struct number *num)
{
	return has_shape(num, 0, "3322") && num->before[3] == '-' &&
	    num->before[2] == '-' && strchr("3489", num->digits[0]) != NULL;
}

/* 555-123-4567, 1.555.123.4567 */
static bool
is_north_american(const struct number *num)
{
	size_t i = num->len[0] == 1 && num->digits[0] == '1' ? 1 : 0;

	return num->n > i && has_shape(num, i, "334") && is_even(num, 1) &&
	    strchr("-.", num->before[num->n - 1]) != NULL &&
	    num->digits[i] > '1' && num->digits[i + 3] > '1';
}

static bool
is_year(const char *digits)
{
	return strncmp(digits, "19", 2) == 0 || strncmp(digits, "20", 2) == 0;
}

/* 11 99999-0000, 11 3333-4444 */
static bool
is_brazilian(const struct number *num)
{
	const char *d = num->digits;

	if (num->before[num->n - 1] != '-' || d[0] == '0' || d[1] == '0')
		return false;
	if (has_shape(num, 0, "254"))
		return d[2] == '9';
	return has_shape(num, 0, "244") && d[2] >= '2' && d[2] <= '5' &&
	    !(is_year(d + 2) && is_year(d + 6));
}

static bool
is_phone(const struct number *num)
{
	if (num->has_plus)
		return is_international(num);
	return is_international(num) || is_bracketed(num) ||
	    is_trunk_0(num) || is_trunk_8(num) || is_russian(num) ||
	    is_north_american(num) || is_brazilian(num);
}

/* ---- where they are ---------------------------------------------------------------- */

/* All that parts its groups is blanks: then so may be what is beyond it. */
static bool
is_loose(const struct number *num)
{
	for (size_t i = 0; i < num->n; i++) {
		if (num->before[i] != ' ')
			return false;
	}
	return !num->has_plus;
}

static bool
ends_here(const struct scan_plain *p, const struct number *num)
{
	size_t at = num->end[num->n - 1];
	char c = p->c[at];

	if (g_ascii_isalnum(c) || c == '_' || c == '@')
		return false;
	if (c == ' ')
		return !is_loose(num) || !g_ascii_isdigit(p->c[at + 1]);
	return c == '\0' || strchr(".,-/:", c) == NULL ||
	    !g_ascii_isdigit(p->c[at + 1]);
}

static bool
begins_here(const struct scan_plain *p, size_t at)
{
	char before = at > 0 ? p->c[at - 1] : '\0';
	char beyond = at > 1 ? p->c[at - 2] : '\0';

	if (p->c[at] == '\0' || (strchr("+(", p->c[at]) == NULL &&
	    !g_ascii_isdigit(p->c[at])))
		return false;
	if (g_ascii_isalnum(before) || before == '_' || before == '+' ||
	    (before == '(' && p->c[at] != '+'))
		return false;
	return before == '\0' || strchr(" .,-/:)", before) == NULL ||
	    !g_ascii_isdigit(beyond) || (before == ' ' && p->c[at] == '+');
}

/* Past the number that begins here; 0: there is none. */
static size_t
phone_end(const struct scan_plain *p, size_t at)
{
	struct number num;

	if (!begins_here(p, at))
		return 0;
	read_number(p, at, &num);
	for (; num.n > 0; shorten(&num)) {
		if (is_phone(&num) && ends_here(p, &num))
			return num.end[num.n - 1];
	}
	return 0;
}

void
scan_find_phones(const struct scan_plain *p, struct scan_result *r)
{
	for (size_t i = 0; i < p->n; i++) {
		size_t to = phone_end(p, i);

		if (to == 0)
			continue;
		scan_detect_add(p, SCAN_PHONE, i, to, r);
		i = to - 1;
	}
}
