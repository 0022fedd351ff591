/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which script a letter is of, by ranges of Unicode's Scripts.txt that hold
 * letters of the ten scripts that rules can name. Whatever is a letter and in
 * none of them is "other".
 */
#include "scan_int.h"

#include <string.h>
#include <utf8proc.h>

struct range {
	uint32_t low, high;
	enum scan_script script;
};

static const struct range ranges[] = {
	{ 0x41, 0x24f, SCAN_LATIN }, { 0x250, 0x2af, SCAN_LATIN },
	{ 0x370, 0x3ff, SCAN_GREEK }, { 0x400, 0x52f, SCAN_CYRILLIC },
	{ 0x590, 0x5ff, SCAN_HEBREW }, { 0x600, 0x6ff, SCAN_ARABIC },
	{ 0x750, 0x77f, SCAN_ARABIC }, { 0x870, 0x8ff, SCAN_ARABIC },
	{ 0x900, 0x97f, SCAN_DEVANAGARI }, { 0xe00, 0xe7f, SCAN_THAI },
	{ 0x1100, 0x11ff, SCAN_HANGUL }, { 0x1c80, 0x1c8f, SCAN_CYRILLIC },
	{ 0x1d00, 0x1d25, SCAN_LATIN }, { 0x1d26, 0x1d2a, SCAN_GREEK },
	{ 0x1d2b, 0x1d2b, SCAN_CYRILLIC }, { 0x1d2c, 0x1dbf, SCAN_LATIN },
	{ 0x1e00, 0x1eff, SCAN_LATIN }, { 0x1f00, 0x1fff, SCAN_GREEK },
	{ 0x2071, 0x209c, SCAN_LATIN }, { 0x212a, 0x212b, SCAN_LATIN },
	{ 0x2c60, 0x2c7f, SCAN_LATIN }, { 0x2de0, 0x2dff, SCAN_CYRILLIC },
	{ 0x3005, 0x3007, SCAN_HAN }, { 0x3021, 0x3029, SCAN_HAN },
	{ 0x3041, 0x309f, SCAN_KANA }, { 0x30a1, 0x30ff, SCAN_KANA },
	{ 0x3131, 0x318e, SCAN_HANGUL }, { 0x31f0, 0x31ff, SCAN_KANA },
	{ 0x3400, 0x4dbf, SCAN_HAN }, { 0x4e00, 0x9fff, SCAN_HAN },
	{ 0xa640, 0xa69f, SCAN_CYRILLIC }, { 0xa720, 0xa7ff, SCAN_LATIN },
	{ 0xa8e0, 0xa8ff, SCAN_DEVANAGARI }, { 0xa960, 0xa97c, SCAN_HANGUL },
	{ 0xab30, 0xab6f, SCAN_LATIN }, { 0xac00, 0xd7fb, SCAN_HANGUL },
	{ 0xf900, 0xfaff, SCAN_HAN }, { 0xfb00, 0xfb06, SCAN_LATIN },
	{ 0xfb1d, 0xfb4f, SCAN_HEBREW }, { 0xfb50, 0xfdff, SCAN_ARABIC },
	{ 0xfe70, 0xfefe, SCAN_ARABIC }, { 0xff21, 0xff5a, SCAN_LATIN },
	{ 0xff66, 0xff9f, SCAN_KANA }, { 0xffa0, 0xffdc, SCAN_HANGUL },
	{ 0x1b000, 0x1b16f, SCAN_KANA }, { 0x1ee00, 0x1eeff, SCAN_ARABIC },
	{ 0x20000, 0x323af, SCAN_HAN },
};

/* Their writers put no blank between words: each letter counts as one. */
static const struct range blankless[] = {
	{ 0xe00, 0xe7f, SCAN_THAI }, { 0xe80, 0xeff, SCAN_OTHER },
	{ 0xf00, 0xfff, SCAN_OTHER }, { 0x1000, 0x109f, SCAN_OTHER },
	{ 0x1780, 0x17ff, SCAN_OTHER },
};

static const char *const names[SCAN_SCRIPTS] = {
	[SCAN_LATIN] = "latin", [SCAN_CYRILLIC] = "cyrillic",
	[SCAN_GREEK] = "greek", [SCAN_ARABIC] = "arabic",
	[SCAN_HEBREW] = "hebrew", [SCAN_HAN] = "han", [SCAN_KANA] = "kana",
	[SCAN_HANGUL] = "hangul", [SCAN_DEVANAGARI] = "devanagari",
	[SCAN_THAI] = "thai", [SCAN_OTHER] = "other",
};

static bool
is_letter(uint32_t c)
{
	utf8proc_category_t cat = utf8proc_category((utf8proc_int32_t)c);

	return (cat >= UTF8PROC_CATEGORY_LU && cat <= UTF8PROC_CATEGORY_LO) ||
	    cat == UTF8PROC_CATEGORY_NL;	/* Han has some of these */
}

static unsigned
find_range(uint32_t c)
{
	size_t low = 0, high = G_N_ELEMENTS(ranges);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (c > ranges[mid].high)
			low = mid + 1;
		else if (c < ranges[mid].low)
			high = mid;
		else
			return ranges[mid].script;
	}
	return SCAN_OTHER;
}

unsigned
scan_script_of(uint32_t c)
{
	/* The micro and the ohm sign are no Greek text. */
	if (!is_letter(c) || c == 0xb5 || c == 0x2126)
		return SCAN_NO_SCRIPT;
	return find_range(c);
}

bool
scan_script_is_blankless(uint32_t c)
{
	unsigned script = find_range(c);

	if (script == SCAN_HAN || script == SCAN_KANA)
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(blankless); i++) {
		if (c >= blankless[i].low && c <= blankless[i].high)
			return true;
	}
	return false;
}

uint64_t
scan_scripts(const char *text, size_t len)
{
	const struct scan_fold *fold = scan_fold_table();
	uint64_t found = 0;

	for (size_t at = 0; at < len;) {
		uint32_t c = scan_decode((const uint8_t *)text, len, &at);
		uint32_t many[SCAN_FOLD_MAX] = { scan_fold_get(fold, c) };
		size_t n = SCAN_CLASS(many[0]) == SCAN_MANY ?
		    scan_fold_many(c, many) : 1;

		for (size_t i = 0; i < n; i++)
			found |= UINT64_C(1) << SCAN_SCRIPT(many[i]);
	}
	return found & ~(UINT64_C(1) << SCAN_NO_SCRIPT);
}

const char *
scan_script_name(enum scan_script s)
{
	return (unsigned)s < SCAN_SCRIPTS ? names[s] : "other";
}

bool
scan_script_parse(const char *name, enum scan_script *out)
{
	for (int i = 0; i < SCAN_SCRIPTS; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = (enum scan_script)i;
			return true;
		}
	}
	return false;
}
