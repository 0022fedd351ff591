/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IBAN (ISO 13616): the length and form that the registry gives for the
 * country, and the remainder of 97. In one piece, or in groups, whatever parts
 * them.
 */
#include "scan_int.h"

#include <stdlib.h>
#include <string.h>

#define IBAN_MOST 34
#define BETWEEN_MOST 4

struct form {
	char country[3];
	const char *bban;	/* counts of n(umeric), a(lphabetic), c (both) */
};

/* Sorted by country. */
static const struct form forms[] = {
	{ "AD", "8n12c" }, { "AE", "19n" }, { "AL", "8n16c" },
	{ "AT", "16n" }, { "AZ", "4a20c" }, { "BA", "16n" }, { "BE", "12n" },
	{ "BG", "4a6n8c" }, { "BH", "4a14c" }, { "BI", "23n" },
	{ "BR", "23n1a1c" }, { "BY", "4c4n16c" }, { "CH", "5n12c" },
	{ "CR", "18n" }, { "CY", "8n16c" }, { "CZ", "20n" }, { "DE", "18n" },
	{ "DJ", "23n" }, { "DK", "14n" }, { "DO", "4c20n" }, { "EE", "16n" },
	{ "EG", "25n" }, { "ES", "20n" }, { "FI", "14n" }, { "FK", "2a12n" },
	{ "FO", "14n" }, { "FR", "10n11c2n" }, { "GB", "4a14n" },
	{ "GE", "2a16n" }, { "GI", "4a15c" }, { "GL", "14n" },
	{ "GR", "7n16c" }, { "GT", "24c" }, { "HN", "4a20n" },
	{ "HR", "17n" }, { "HU", "24n" }, { "IE", "4a14n" }, { "IL", "19n" },
	{ "IQ", "4a15n" }, { "IS", "22n" }, { "IT", "1a10n12c" },
	{ "JO", "4a4n18c" }, { "KW", "4a22c" }, { "KZ", "3n13c" },
	{ "LB", "4n20c" }, { "LC", "4a24c" }, { "LI", "5n12c" },
	{ "LT", "16n" }, { "LU", "3n13c" }, { "LV", "4a13c" },
	{ "LY", "21n" }, { "MC", "10n11c2n" }, { "MD", "20c" },
	{ "ME", "18n" }, { "MK", "3n10c2n" }, { "MN", "16n" },
	{ "MR", "23n" }, { "MT", "4a5n18c" }, { "MU", "4a19n3a" },
	{ "NI", "4a20n" }, { "NL", "4a10n" }, { "NO", "11n" },
	{ "OM", "3n16c" }, { "PK", "4a16c" }, { "PL", "24n" },
	{ "PS", "4a21c" }, { "PT", "21n" }, { "QA", "4a21c" },
	{ "RO", "4a16c" }, { "RS", "18n" }, { "RU", "14n15c" },
	{ "SA", "2n18c" }, { "SC", "4a20n3a" }, { "SD", "14n" },
	{ "SE", "20n" }, { "SI", "15n" }, { "SK", "20n" },
	{ "SM", "1a10n12c" }, { "SO", "19n" }, { "ST", "21n" },
	{ "SV", "4a20n" }, { "TL", "19n" }, { "TN", "20n" }, { "TR", "6n16c" },
	{ "UA", "6n19c" }, { "VA", "18n" }, { "VG", "4a16n" },
	{ "XK", "16n" }, { "YE", "4a4n18c" },
};

static int
compare(const void *key, const void *row)
{
	return strncmp(key, ((const struct form *)row)->country, 2);
}

static bool
is_of(char c, char kind)
{
	return kind == 'n' ? g_ascii_isdigit(c) : kind == 'a' ?
	    g_ascii_isalpha(c) : g_ascii_isalnum(c);
}

/* Past what parts groups; letters of other scripts do not. */
static size_t
skip(const struct scan_plain *p, size_t at)
{
	size_t from = at;

	while (at - from < BETWEEN_MOST && p->c[at] != '\0' &&
	    p->c[at] != SCAN_PLAIN_LETTER && !g_ascii_isalnum(p->c[at]))
		at++;
	return at;
}

/* Reads the form from *at on into out; *at is then past it. */
static bool
read_form(const struct scan_plain *p, const char *bban, size_t *at,
    GString *out)
{
	while (*bban != '\0') {
		char *end;
		unsigned long n = strtoul(bban, &end, 10);

		for (; n > 0; n--) {
			*at = skip(p, *at);
			if (!is_of(p->c[*at], *end))
				return false;
			g_string_append_c(out, g_ascii_toupper(p->c[*at]));
			++*at;
		}
		bban = end + 1;
	}
	return true;
}

/* The check digits, and what stands before them, come last. */
static bool
is_mod_97(const GString *iban)
{
	unsigned rest = 0;

	for (size_t i = 0; i < iban->len; i++) {
		char c = iban->str[(i + 4) % iban->len];

		if (g_ascii_isdigit(c))
			rest = (rest * 10 + (unsigned)(c - '0')) % 97;
		else
			rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
	}
	return rest == 1;
}

/* Past the IBAN that begins here; 0: there is none. */
static size_t
read_iban(const struct scan_plain *p, size_t at, GString *iban)
{
	char country[3] = { g_ascii_toupper(p->c[at]),
		g_ascii_toupper(p->c[at + 1]) };
	bool is_capital = g_ascii_isupper(p->c[at]) &&
	    g_ascii_isupper(p->c[at + 1]);
	const struct form *form = bsearch(country, forms, G_N_ELEMENTS(forms),
	    sizeof(*form), compare);

	if (form == NULL)
		return 0;
	at += 2;
	/* "no 55 11 …" is no account in Norway. */
	if (is_capital)
		at = skip(p, at);
	if (!g_ascii_isdigit(p->c[at]))
		return 0;
	g_string_assign(iban, country);
	g_string_append_c(iban, p->c[at++]);
	at = skip(p, at);
	if (!g_ascii_isdigit(p->c[at]))
		return 0;
	g_string_append_c(iban, p->c[at++]);
	if (!read_form(p, form->bban, &at, iban) ||
	    g_ascii_isalnum(p->c[at]) || !is_mod_97(iban))
		return 0;
	return at;
}

/* Not within a word; but "IBANDE89…" is one. */
static bool
begins_here(const struct scan_plain *p, size_t at)
{
	if (!g_ascii_isalpha(p->c[at]))
		return false;
	return at == 0 || !(g_ascii_isalnum(p->c[at - 1]) ||
	    p->c[at - 1] == '_') || (at > 3 &&
	    g_ascii_strncasecmp(p->c + at - 4, "IBAN", 4) == 0);
}

void
scan_find_iban(const struct scan_plain *p, struct scan_result *r)
{
	g_autoptr(GString) iban = g_string_sized_new(IBAN_MOST + 1);

	for (size_t i = 0; i + 4 < p->n; i++) {
		size_t to = begins_here(p, i) ? read_iban(p, i, iban) : 0;

		if (to > 0)
			scan_detect_add(p, SCAN_IBAN, i, to, r);
	}
}
