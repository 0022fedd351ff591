/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that states give to persons and companies, with their check digits:
 * CPF and CNPJ of Brazil (Receita Federal; CNPJ with letters from July 2026,
 * IN RFB 2229/2024), SNILS of Russia (PFR order 9n of 2016).
 */
#include "scan_int.h"

#include <string.h>

static bool
are_alike(const char *s, size_t n)
{
	return strspn(s, (const char[]){ s[0], '\0' }) >= n;
}

/* Sum by weights that rise from 2 at the end to `most`, then start anew. */
static int
check_digit(const char *chars, size_t n, int most)
{
	int sum = 0, weight = 2;

	for (size_t i = n; i-- > 0;) {
		sum += (g_ascii_toupper(chars[i]) - '0') * weight;
		weight = weight == most ? 2 : weight + 1;
	}
	return sum % 11 < 2 ? 0 : 11 - sum % 11;
}

static bool
is_cpf(const char *digits)
{
	return !are_alike(digits, 11) &&
	    check_digit(digits, 9, 10) == digits[9] - '0' &&
	    check_digit(digits, 10, 11) == digits[10] - '0';
}

static bool
is_cnpj(const char *chars)
{
	return !are_alike(chars, 14) &&
	    check_digit(chars, 12, 9) == chars[12] - '0' &&
	    check_digit(chars, 13, 9) == chars[13] - '0';
}

static bool
is_snils(const char *digits)
{
	int sum = 0;

	/* Below this number they were given without a control number. */
	if (strncmp(digits, "001001999", 9) < 0)
		return false;
	for (int i = 0; i < 9; i++)
		sum += (digits[i] - '0') * (9 - i);
	return sum % 101 % 100 == (digits[9] - '0') * 10 + digits[10] - '0';
}

/*
 * Groups from i on, of these lengths and with these characters between; "?" is
 * any of those that people use.
 */
static bool
is_cut(const struct scan_chain *c, size_t i, const char *shape)
{
	for (; *shape != '\0'; i++, shape++) {
		char after;

		if (i >= c->n || c->group[i].n != (size_t)(*shape++ - '0'))
			return false;
		if (*shape == '\0')
			return true;
		after = c->group[i].after;
		if (*shape == '?' ? after == '\0' ||
		    strchr(" -./\t\n", after) == NULL : after != *shape)
			return false;
	}
	return true;
}

/* One by one, and no others beside them. */
static bool
are_single(const struct scan_chain *c, size_t i, size_t n)
{
	if (i > 0 || c->n != n)
		return false;
	for (size_t k = 0; k < n; k++) {
		if (c->group[k].n != 1)
			return false;
	}
	return true;
}

/* How many groups from i on are eleven digits in one of these forms. */
static size_t
eleven_at(const struct scan_chain *c, size_t i, const char *const *shapes,
    char digits[12])
{
	if (c->group[i].n == 11)
		return scan_chain_digits(c, i, 1, digits, 11) ? 1 : 0;
	if (are_single(c, i, 11))
		return scan_chain_digits(c, i, 11, digits, 11) ? 11 : 0;
	for (; *shapes != NULL; shapes++) {
		size_t n = (strlen(*shapes) + 1) / 2;

		if (is_cut(c, i, *shapes))
			return scan_chain_digits(c, i, n, digits, 11) ? n : 0;
	}
	return 0;
}

static void
find(const struct scan_chain *c, enum scan_detector d,
    const char *const *shapes, struct scan_result *r)
{
	char digits[12];

	for (size_t i = 0, n; i < c->n; i += MAX(n, 1)) {
		n = eleven_at(c, i, shapes, digits);
		if (n > 0 && scan_chain_is_free(c, i, n, ".,-/") &&
		    (d == SCAN_CPF ? is_cpf(digits) :
		    is_snils(digits)))
			scan_detect_add(c->plain, d, scan_chain_from(c, i),
			    scan_chain_to(c, i, n), r);
		else
			n = 0;
	}
}

void
scan_find_cpf(const struct scan_chain *c, struct scan_result *r)
{
	static const char *const shapes[] = { "3?3?3?2", "3,3,3-2", "9-2",
		"9/2", "9 2", NULL };

	find(c, SCAN_CPF, shapes, r);
}

void
scan_find_snils(const struct scan_chain *c, struct scan_result *r)
{
	static const char *const shapes[] = { "3?3?3?2", "9 2", "9-2", NULL };

	find(c, SCAN_SNILS, shapes, r);
}

/* ---- CNPJ: its first twelve may be letters, so it is no chain of digits --------- */

static bool
is_cnpj_char(char c, size_t n)
{
	return n < 12 ? g_ascii_isalnum(c) : g_ascii_isdigit(c);
}

/*
 * The form 2.3.3/4-2, whole or with some of its signs, or others in their
 * place; or fourteen in one. Its end, or 0. In one piece, or with blanks, a
 * word in small letters is none of it, nor are several words.
 */
static size_t
read_cnpj(const struct scan_plain *p, size_t at, char out[15])
{
	bool has_blank = false, has_letter = false, has_small = false;
	size_t n = 0, signs = 0;

	for (; n < 14; n++, at++) {
		bool is_cut = n == 2 || n == 5 || n == 8 || n == 12;
		char c = p->c[at];

		if (is_cut && c != '\0' && strchr(" .-/", c) != NULL) {
			has_blank |= c == ' ';
			signs += c != ' ';
			c = p->c[++at];
		}
		if (!is_cnpj_char(c, n))
			return 0;
		has_letter |= g_ascii_isalpha(c);
		has_small |= g_ascii_islower(c);
		out[n] = c;
	}
	out[n] = '\0';
	return (has_small && signs < 4) || (has_letter && has_blank) ? 0 : at;
}

static bool
is_joined(char c)
{
	return g_ascii_isalnum(c) || c == '_';
}

static bool
begins_here(const struct scan_plain *p, size_t at)
{
	char before = at > 0 ? p->c[at - 1] : '\0';

	if (!g_ascii_isalnum(p->c[at]) || is_joined(before) || before == '+')
		return false;
	return before == '\0' || strchr(".,-/", before) == NULL || at < 2 ||
	    !g_ascii_isdigit(p->c[at - 2]);
}

void
scan_find_cnpj(const struct scan_plain *p, struct scan_result *r)
{
	char chars[15];

	for (size_t i = 0; i < p->n; i++) {
		size_t to = begins_here(p, i) ? read_cnpj(p, i, chars) : 0;

		if (to == 0 || is_joined(p->c[to]) ||
		    strpbrk(chars, "0123456789") >= chars + 12 ||
		    !is_cnpj(chars))
			continue;
		scan_detect_add(p, SCAN_CNPJ, i, to, r);
		i = to - 1;
	}
}
