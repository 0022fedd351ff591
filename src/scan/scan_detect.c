/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detectors: which numbers and addresses a text holds. This file takes the
 * text apart into runs of digits and what stands between them; what the runs
 * mean is said by the files of each kind. Never fails.
 */
#include "scan_int.h"

#include <string.h>

#define DIGITS_LEAST 8	/* a telephone number has the fewest */
#define BLANKS_MOST 10

static const char *const names[SCAN_DETECTORS] = {
	[SCAN_CARD] = "card", [SCAN_CARD_RU] = "card-ru",
	[SCAN_IBAN] = "iban", [SCAN_CPF] = "cpf", [SCAN_CNPJ] = "cnpj",
	[SCAN_SNILS] = "snils", [SCAN_EMAIL] = "email",
	[SCAN_PHONE] = "phone",
};

const char *
scan_detector_name(enum scan_detector d)
{
	return (unsigned)d < SCAN_DETECTORS ? names[d] : "card";
}

bool
scan_detector_parse(const char *name, enum scan_detector *out)
{
	for (int i = 0; i < SCAN_DETECTORS; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = (enum scan_detector)i;
			return true;
		}
	}
	return false;
}

void
scan_detect_add(const struct scan_plain *p, enum scan_detector d, size_t from,
    size_t to, struct scan_result *r)
{
	const struct scan_hit hit = { .source = SCAN_DETECTOR,
		.name = names[d], .category = "", .weight = 1,
		.from = p->place[from].from, .to = p->place[to - 1].to };

	scan_result_add(r, &hit);
}

/* ---- chains of groups ---------------------------------------------------------- */

size_t
scan_chain_from(const struct scan_chain *c, size_t i)
{
	return c->group[i].from;
}

size_t
scan_chain_to(const struct scan_chain *c, size_t i, size_t n)
{
	const struct scan_group *last = &c->group[i + n - 1];

	return last->from + last->n;
}

bool
scan_chain_digits(const struct scan_chain *c, size_t i, size_t n, char *out,
    size_t max)
{
	size_t len = 0;

	for (size_t k = i; k < i + n; k++) {
		const struct scan_group *g = &c->group[k];

		if (g->n > max - len)
			return false;
		memcpy(out + len, c->plain->c + g->from, g->n);
		len += g->n;
	}
	out[len] = '\0';
	return true;
}

static bool
joins(char c)
{
	return g_ascii_isalnum(c) || c == '_';
}

/* Is there one of points at `at`, and a digit beyond it? */
static bool
is_number_beyond(const struct scan_plain *p, size_t at, int step,
    const char *points)
{
	char c = p->c[at];

	return c != '\0' && strchr(points, c) != NULL &&
	    (step > 0 || at > 0) && g_ascii_isdigit(p->c[(ssize_t)at + step]);
}

bool
scan_chain_is_free(const struct scan_chain *c, size_t i, size_t n,
    const char *points)
{
	const struct scan_plain *p = c->plain;
	size_t from = scan_chain_from(c, i), to = scan_chain_to(c, i, n);

	if (from > 0 && (joins(p->c[from - 1]) || p->c[from - 1] == '+' ||
	    is_number_beyond(p, from - 1, -1, points)))
		return false;
	return to == p->n ||
	    (!joins(p->c[to]) && !is_number_beyond(p, to, 1, points));
}

/*
 * What is between two groups as one character: one of "-./", with blanks
 * around it or not, or just blanks. Whatever else stands there alone is what it
 * is, and wide blanks are a tab: neither is cut so by habit. 0 when they do not
 * belong together.
 */
static char
between(const struct scan_plain *p, size_t from, size_t to)
{
	char found = ' ';

	if (to - from > BLANKS_MOST)
		return 0;
	if (to - from == 1 && !g_ascii_isalpha(p->c[from]) &&
	    p->c[from] != SCAN_PLAIN_LETTER)
		return p->c[from];
	for (size_t i = from; i < to; i++) {
		char c = p->c[i];

		if (c == ' ')
			continue;
		if (found != ' ' || c == '\0' || strchr("-./", c) == NULL ||
		    to - from > 3)
			return 0;
		found = c;
	}
	return to - from > 3 ? '\t' : found;
}

static GArray *
find_groups(const struct scan_plain *p)
{
	GArray *groups = g_array_new(FALSE, FALSE, sizeof(struct scan_group));

	for (size_t i = 0; i < p->n;) {
		struct scan_group g = { .from = i };

		while (i < p->n && g_ascii_isdigit(p->c[i]))
			i++;
		g.n = i - g.from;
		if (g.n == 0) {
			i++;
			continue;
		}
		if (groups->len > 0) {
			struct scan_group *last = &g_array_index(groups,
			    struct scan_group, groups->len - 1);

			last->after = between(p, last->from + last->n, g.from);
		}
		g_array_append_val(groups, g);
	}
	return groups;
}

static void
find_in_chain(unsigned detectors, const struct scan_chain *c,
    struct scan_result *r)
{
	if ((detectors & 1u << SCAN_CARD) != 0)
		scan_find_cards(c, SCAN_CARD, r);
	if ((detectors & 1u << SCAN_CARD_RU) != 0)
		scan_find_cards(c, SCAN_CARD_RU, r);
	if ((detectors & 1u << SCAN_CPF) != 0)
		scan_find_cpf(c, r);
	if ((detectors & 1u << SCAN_SNILS) != 0)
		scan_find_snils(c, r);
}

static void
find_in_groups(unsigned detectors, const struct scan_plain *p,
    struct scan_result *r)
{
	g_autoptr(GArray) groups = find_groups(p);
	const struct scan_group *g = (const void *)groups->data;

	for (size_t i = 0, n; i < groups->len; i += n) {
		for (n = 1; g[i + n - 1].after != 0; n++)
			;
		find_in_chain(detectors, &(struct scan_chain){ p, g + i, n },
		    r);
	}
}

void
scan_detect(unsigned detectors, const char *text, size_t len,
    struct scan_result *r)
{
	struct scan_plain p;

	scan_plain_init(&p, text, len);
	if (p.digits >= DIGITS_LEAST)
		find_in_groups(detectors, &p, r);
	if ((detectors & 1u << SCAN_PHONE) != 0 && p.digits >= DIGITS_LEAST)
		scan_find_phones(&p, r);
	if ((detectors & 1u << SCAN_CNPJ) != 0 && p.digits > 1)
		scan_find_cnpj(&p, r);
	if ((detectors & 1u << SCAN_IBAN) != 0 && p.digits > 1)
		scan_find_iban(&p, r);
	if ((detectors & 1u << SCAN_EMAIL) != 0 && p.has_at)
		scan_find_email(&p, r);
	scan_plain_clear(&p);
	scan_result_sort(r);
}
