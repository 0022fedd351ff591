/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters as lexicons compare them: compatibility decomposition and case
 * folding of utf8proc, without marks and without what is not seen; besides
 * that, letters that utf8proc keeps apart though people read them as one
 * (strokes, small capitals, forms of Arabic letters). A text and a phrase
 * pass the same way, so that no more of NFKC is needed than this.
 *
 * Asking utf8proc for each letter is slow; what people write most is looked
 * up in a table. Never fails.
 */
#include "scan_int.h"

#include <stdlib.h>
#include <utf8proc.h>

#define REPLACEMENT 0xfffd
#define TATWEEL 0x640

struct pair {
	uint32_t from, to;
};

/* Sorted; what is on the right is folded already. */
static const struct pair variants[] = {
	{ 0xf8, 'o' }, { 0x111, 'd' }, { 0x127, 'h' }, { 0x131, 'i' },
	{ 0x142, 'l' }, { 0x167, 't' }, { 0x180, 'b' }, { 0x237, 'j' },
	{ 0x251, 'a' }, { 0x261, 'g' }, { 0x262, 'g' }, { 0x268, 'i' },
	{ 0x269, 'i' }, { 0x26a, 'i' }, { 0x274, 'n' }, { 0x280, 'r' },
	{ 0x289, 'u' }, { 0x28f, 'y' }, { 0x299, 'b' }, { 0x29c, 'h' },
	{ 0x29f, 'l' },
	{ 0x629, 0x647 },	/* marbuta, as often written as heh */
	{ 0x649, 0x64a },	/* alef maksura and yeh */
	{ 0x6a9, 0x643 },	/* Persian keheh and kaf */
	{ 0x6cc, 0x64a },	/* Persian yeh */
	/* Cherokee, which looks like Latin capitals */
	{ 0x13a0, 'd' }, { 0x13a1, 'r' }, { 0x13a2, 't' }, { 0x13a5, 'i' },
	{ 0x13aa, 'a' }, { 0x13ab, 'j' }, { 0x13ac, 'e' }, { 0x13b3, 'w' },
	{ 0x13b7, 'm' }, { 0x13bb, 'h' }, { 0x13c0, 'g' }, { 0x13c3, 'z' },
	{ 0x13d2, 'r' }, { 0x13d9, 'v' }, { 0x13da, 's' }, { 0x13de, 'l' },
	{ 0x13df, 'c' }, { 0x13e2, 'p' }, { 0x13e6, 'k' }, { 0x13f4, 'b' },
	{ 0x1d00, 'a' }, { 0x1d04, 'c' }, { 0x1d05, 'd' }, { 0x1d07, 'e' },
	{ 0x1d0a, 'j' }, { 0x1d0b, 'k' }, { 0x1d0d, 'm' }, { 0x1d0f, 'o' },
	{ 0x1d18, 'p' }, { 0x1d1b, 't' }, { 0x1d1c, 'u' }, { 0x1d20, 'v' },
	{ 0x1d21, 'w' }, { 0x1d22, 'z' },
	/* Lisu, which looks so as well */
	{ 0xa4d0, 'b' }, { 0xa4d1, 'p' }, { 0xa4d3, 'd' }, { 0xa4d4, 't' },
	{ 0xa4d6, 'g' }, { 0xa4d7, 'k' }, { 0xa4d9, 'j' }, { 0xa4da, 'c' },
	{ 0xa4dc, 'z' }, { 0xa4dd, 'f' }, { 0xa4df, 'm' }, { 0xa4e0, 'n' },
	{ 0xa4e1, 'l' }, { 0xa4e2, 's' }, { 0xa4e3, 'r' }, { 0xa4e6, 'v' },
	{ 0xa4e7, 'h' }, { 0xa4ea, 'w' }, { 0xa4eb, 'x' }, { 0xa4ec, 'y' },
	{ 0xa4ee, 'a' }, { 0xa4f0, 'e' }, { 0xa4f2, 'i' }, { 0xa4f3, 'o' },
	{ 0xa4f4, 'u' },
	{ 0xa730, 'f' }, { 0xa731, 's' },
};

static int
compare_pair(const void *key, const void *row)
{
	uint32_t c = *(const uint32_t *)key;
	const struct pair *p = row;

	return c < p->from ? -1 : c > p->from;
}

static uint32_t
variant_of(uint32_t c)
{
	const struct pair *p;

	if (c >= 0x1f150 && c <= 0x1f169)	/* white on a black circle */
		return 'a' + (c - 0x1f150);
	if (c >= 0x1f170 && c <= 0x1f189)	/* and on a black square */
		return 'a' + (c - 0x1f170);
	if (c < variants[0].from)
		return c;
	p = bsearch(&c, variants, G_N_ELEMENTS(variants), sizeof(*p),
	    compare_pair);
	return p != NULL ? p->to : c;
}

static uint32_t
make(uint32_t c, enum scan_class class, bool is_mark)
{
	bool is_letter = class == SCAN_LETTER || class == SCAN_ALONE;
	uint32_t script = is_letter ? scan_script_of(c) : SCAN_NO_SCRIPT;

	return c | (uint32_t)class << 21 | script << 24 |
	    (uint32_t)is_mark << 28;
}

/*
 * Accents, vowel points and the like have a combining class and are ignored.
 * Nukta (7) and virama (9) have one, too, but with the vowel signs, which have
 * none, they make other words of Indic ones.
 */
static uint32_t
mark_entry(uint32_t c, utf8proc_category_t cat)
{
	int ccc = utf8proc_get_property((utf8proc_int32_t)c)->combining_class;

	if (cat == UTF8PROC_CATEGORY_ME || (ccc != 0 && ccc != 7 && ccc != 9))
		return make(c, SCAN_UNSEEN, true);
	return make(c, SCAN_MARK, false);
}

static uint32_t
letter_entry(uint32_t c)
{
	/* Apostrophes and strokes that count as letters in phonetics. */
	if ((c >= 0x2b9 && c <= 0x2d1) || c == 0x2ec || c == 0x2ee)
		return make(c, SCAN_GAP, false);
	return make(c, scan_script_is_blankless(c) ? SCAN_ALONE :
	    SCAN_LETTER, false);
}

static uint32_t
symbol_entry(uint32_t c, utf8proc_category_t cat)
{
	if (c >= 0x1f3fb && c <= 0x1f3ff)	/* tone of a hand's skin */
		return make(c, SCAN_UNSEEN, true);
	if (cat == UTF8PROC_CATEGORY_SK || c == REPLACEMENT ||
	    c == 0x2044 || c == 0x2800 ||	/* fraction, empty Braille */
	    (cat == UTF8PROC_CATEGORY_SM && c < 0x80 && c != '+'))
		return make(c, SCAN_GAP, false);
	return make(c, SCAN_SYMBOL, false);
}

static uint32_t
control_entry(uint32_t c)
{
	bool is_gap = (c >= '\t' && c <= '\r') || c == 0x85 ||
	    (c >= 0x600 && c <= 0x605) || c == 0x6dd;	/* these are seen */

	return make(c, is_gap ? SCAN_GAP : SCAN_UNSEEN, false);
}

/* Of a character that is decomposed and folded already. */
static uint32_t
classify(uint32_t c)
{
	const utf8proc_property_t *p =
	    utf8proc_get_property((utf8proc_int32_t)c);
	utf8proc_category_t cat = (utf8proc_category_t)p->category;

	if (p->ignorable)
		return make(c, SCAN_UNSEEN, false);
	if (c == TATWEEL)
		return make(c, SCAN_UNSEEN, true);
	if (cat >= UTF8PROC_CATEGORY_LU && cat <= UTF8PROC_CATEGORY_LO)
		return letter_entry(c);
	if (cat >= UTF8PROC_CATEGORY_MN && cat <= UTF8PROC_CATEGORY_ME)
		return mark_entry(c, cat);
	if (cat >= UTF8PROC_CATEGORY_ND && cat <= UTF8PROC_CATEGORY_NO)
		return make(c, SCAN_LETTER, false) |
		    (uint32_t)(cat == UTF8PROC_CATEGORY_ND) << 29;
	if (cat >= UTF8PROC_CATEGORY_SM && cat <= UTF8PROC_CATEGORY_SO)
		return symbol_entry(c, cat);
	if (cat == UTF8PROC_CATEGORY_CC || cat == UTF8PROC_CATEGORY_CF)
		return control_entry(c);
	return make(c, SCAN_GAP, false);
}

/* Kana and Hangul are the same letters only as a whole. */
static bool
is_kept_whole(uint32_t c)
{
	return (c >= 0x3041 && c <= 0x30ff) || (c >= 0xac00 && c <= 0xd7a3);
}

static size_t
decompose(uint32_t c, utf8proc_int32_t out[SCAN_FOLD_MAX])
{
	int last = 0;
	utf8proc_ssize_t n;

	out[0] = (utf8proc_int32_t)c;
	if (is_kept_whole(c))
		return 1;
	n = utf8proc_decompose_char((utf8proc_int32_t)c, out, SCAN_FOLD_MAX,
	    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD, &last);
	if (n > 0 && n <= SCAN_FOLD_MAX)
		return (size_t)n;
	out[0] = REPLACEMENT;
	return 1;
}

size_t
scan_fold_many(uint32_t c, uint32_t out[SCAN_FOLD_MAX])
{
	utf8proc_int32_t cps[SCAN_FOLD_MAX];
	size_t n = decompose(c, cps), i = 0, kept = 0;
	uint32_t first;

	/* A letter in brackets that is one character is but a letter. */
	if (n > 2 && cps[0] == '(' && cps[n - 1] == ')') {
		i++;
		n--;
	}
	first = classify(variant_of((uint32_t)cps[i]));
	for (; i < n; i++) {
		uint32_t e = classify(variant_of((uint32_t)cps[i]));

		if (SCAN_CLASS(e) != SCAN_UNSEEN)
			out[kept++] = e;
	}
	if (kept == 0)
		out[kept++] = first;
	return kept;
}

uint32_t
scan_fold_char(uint32_t c)
{
	const utf8proc_property_t *p =
	    utf8proc_get_property((utf8proc_int32_t)c);
	uint32_t out[SCAN_FOLD_MAX];
	size_t n;

	if (p->decomp_seqindex == UINT16_MAX &&
	    p->casefold_seqindex == UINT16_MAX)
		return classify(variant_of(c));
	n = scan_fold_many(c, out);
	if (n > 1)
		return c | (uint32_t)SCAN_MANY << 21;
	/* The micro sign folds to a Greek letter, but it is none. */
	if (scan_script_of(c) == SCAN_NO_SCRIPT && (c == 0xb5 || c == 0x2126))
		return (out[0] & ~(15u << 24)) | SCAN_NO_SCRIPT << 24;
	return out[0];
}

/* A constant that is computed, as no compiler can: once for the process. */
const struct scan_fold *
scan_fold_table(void)
{
	static struct scan_fold table;
	static gsize is_made;

	if (g_once_init_enter(&is_made)) {
		for (uint32_t c = 0; c < SCAN_FOLD_TABLE; c++)
			table.entry[c] = scan_fold_char(c);
		g_once_init_leave(&is_made, 1);
	}
	return &table;
}

uint32_t
scan_decode(const uint8_t *text, size_t len, size_t *at)
{
	utf8proc_int32_t c = text[*at];
	utf8proc_ssize_t n;

	if (c < 0x80) {
		(*at)++;
		return (uint32_t)c;
	}
	n = utf8proc_iterate(text + *at, (utf8proc_ssize_t)(len - *at), &c);
	if (n <= 0) {
		(*at)++;
		return REPLACEMENT;
	}
	*at += (size_t)n;
	return (uint32_t)c;
}
