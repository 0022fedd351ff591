/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payment cards (ISO/IEC 7812): a range of a network, a length that it uses,
 * the Luhn digit. A number counts when its groups are all there is, however
 * they are cut, or cut as cards are where further numbers stand beside it.
 */
#include "scan_int.h"

#include <string.h>

#define CARD_LEAST 12
#define CARD_MOST 19
#define L(n) (1u << ((n) - CARD_LEAST))
#define FROM_16 (L(16) | L(17) | L(18) | L(19))

struct network {
	uint32_t low, high;	/* the first eight digits */
	unsigned lengths;
};

/* A range of the first `digits` digits, spelt out to eight. */
#define RANGE(low, high, zeros, lengths) \
	{ (low) * (zeros), ((high) + 1u) * (zeros) - 1, lengths }
#define D1(n, lengths) RANGE(n, n, 10000000u, lengths)
#define D2(low, high, lengths) RANGE(low, high, 1000000u, lengths)
#define D3(low, high, lengths) RANGE(low, high, 100000u, lengths)
#define D4(low, high, lengths) RANGE(low, high, 10000u, lengths)
#define D6(low, high, lengths) RANGE(low, high, 100u, lengths)

static const struct network networks[] = {
	D1(4, L(13) | L(16) | L(19)),			/* Visa */
	D2(51, 55, L(16)), D4(2221, 2720, L(16)),	/* Mastercard */
	D2(34, 34, L(15)), D2(37, 37, L(15)),		/* American Express */
	D3(300, 305, L(14) | FROM_16), D4(3095, 3095, FROM_16),	/* Diners */
	D2(36, 36, L(14) | L(15) | FROM_16), D2(38, 39, L(14) | FROM_16),
	D4(6011, 6011, FROM_16), D3(644, 649, FROM_16),	/* Discover */
	D2(65, 65, FROM_16),
	D2(62, 62, FROM_16), D4(8100, 8171, FROM_16),	/* UnionPay */
	D4(3528, 3589, FROM_16),			/* JCB */
	D4(2200, 2204, FROM_16),			/* Mir */
	D4(5018, 5018, ~0u), D4(5020, 5020, ~0u),	/* Maestro */
	D4(5038, 5038, ~0u), D4(5893, 5893, ~0u), D4(6304, 6304, ~0u),
	D4(6759, 6759, ~0u), D4(6761, 6763, ~0u),
	D4(5019, 5019, L(16)),				/* Dankort */
	D6(504175, 504175, L(16)), D6(506699, 506778, L(16)),	/* Elo */
	D6(509000, 509999, L(16)), D6(636297, 636297, L(16)),
	D6(636368, 636368, L(16)),
	D6(606282, 606282, L(13) | L(16) | L(19)),	/* Hipercard */
	D6(506099, 506198, L(16) | L(18) | L(19)),	/* Verve */
	D6(507865, 507964, L(16) | L(18) | L(19)),
	D6(508500, 508999, L(16)), D6(606985, 607984, L(16)),	/* RuPay */
	D6(608001, 608500, L(16)),
	D4(9792, 9792, L(16)),				/* Troy */
	D4(8600, 8600, L(16)), D4(9860, 9860, L(16)),	/* Uzcard, Humo */
};

static const struct network mir = D4(2200, 2204, FROM_16);

static bool
is_luhn(const char *digits, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(digits[n - 1 - i] - '0');

		if (i % 2 == 1)
			d = d * 2 - (d > 4 ? 9 : 0);
		sum += d;
	}
	return sum % 10 == 0;
}

static bool
is_of(const struct network *net, uint32_t prefix, size_t n)
{
	return prefix >= net->low && prefix <= net->high &&
	    (net->lengths & L(n)) != 0;
}

static bool
is_card(const char *digits, size_t n, bool only_mir)
{
	uint32_t prefix = 0;

	if (n < CARD_LEAST || n > CARD_MOST || !is_luhn(digits, n))
		return false;
	for (size_t i = 0; i < 8; i++)
		prefix = prefix * 10 + (uint32_t)(digits[i] - '0');
	if (only_mir)
		return is_of(&mir, prefix, n);
	for (size_t i = 0; i < G_N_ELEMENTS(networks); i++) {
		if (is_of(&networks[i], prefix, n))
			return true;
	}
	return false;
}

static bool
is_habit(char sep)
{
	return sep != '\0' && strchr(" -./", sep) != NULL;
}

/* The same between all of them. */
static bool
is_even(const struct scan_chain *c, size_t i, size_t n)
{
	for (size_t k = i; k + 1 < i + n; k++) {
		if (c->group[k].after != c->group[i].after)
			return false;
	}
	return true;
}

/* Not a part of a longer row that is cut by the same. */
static bool
is_row(const struct scan_chain *c, size_t i, size_t n)
{
	char sep = c->group[i].after;

	return (i == 0 || c->group[i - 1].after != sep) &&
	    c->group[i + n - 1].after != sep;
}

/*
 * As it is embossed, or as people cut it by habit. What is put in its stead to
 * hide it, of whatever kind, parts all of it into three groups or more.
 */
static bool
is_shape(const struct scan_chain *c, size_t i, size_t n)
{
	static const char *const shapes[] = { "4444", "44443", "44442",
		"44441", "4441", "465", "464", "6d", "88", "448", "4c" };
	char shape[8];

	if (n == 1)
		return true;
	if (n >= sizeof(shape) || !is_even(c, i, n) ||
	    (!is_habit(c->group[i].after) && (n < 3 || !is_row(c, i, n))))
		return false;
	for (size_t k = 0; k < n; k++) {
		size_t len = c->group[i + k].n;

		if (len > 15)
			return false;
		shape[k] = "0123456789abcdef"[len];
	}
	shape[n] = '\0';
	for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++) {
		if (strcmp(shape, shapes[k]) == 0)
			return true;
	}
	return false;
}

/*
 * All there is, cut by blanks and hyphens only, or, into hardly more than
 * single digits, by anything.
 */
static bool
is_whole(const struct scan_chain *c, size_t i, size_t n)
{
	if ((i > 0 && is_habit(c->group[i - 1].after)) ||
	    (i + n < c->n && is_habit(c->group[i + n - 1].after)))
		return false;
	if (n >= CARD_LEAST && is_even(c, i, n) && is_row(c, i, n))
		return true;
	for (size_t k = i; k + 1 < i + n; k++) {
		if (c->group[k].after != ' ' && c->group[k].after != '-')
			return false;
	}
	return true;
}

/* Three groups and more are no part of a word, a token or an amount. */
static bool
is_free(const struct scan_chain *c, size_t i, size_t n)
{
	const struct scan_plain *p = c->plain;
	size_t from = scan_chain_from(c, i), to = scan_chain_to(c, i, n);

	if (n < 3)
		return scan_chain_is_free(c, i, n, ".,");
	return (from == 0 || (p->c[from - 1] != '_' &&
	    p->c[from - 1] != '+')) && p->c[to] != '_';
}

/* How many groups from i on are a card; 0: none. The longest wins. */
static size_t
card_at(const struct scan_chain *c, size_t i, bool only_mir)
{
	char digits[CARD_MOST + 1];
	size_t found = 0;

	for (size_t n = 1; i + n <= c->n &&
	    scan_chain_digits(c, i, n, digits, CARD_MOST); n++) {
		if ((is_shape(c, i, n) || is_whole(c, i, n)) &&
		    is_card(digits, strlen(digits), only_mir) &&
		    is_free(c, i, n))
			found = n;
	}
	return found;
}

void
scan_find_cards(const struct scan_chain *c, enum scan_detector d,
    struct scan_result *r)
{
	for (size_t i = 0, n; i < c->n; i += MAX(n, 1)) {
		n = card_at(c, i, d == SCAN_CARD_RU);
		if (n > 0)
			scan_detect_add(c->plain, d, scan_chain_from(c, i),
			    scan_chain_to(c, i, n), r);
	}
}
