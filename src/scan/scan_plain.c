/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text as detectors see it: a byte for each character that is seen, with
 * its place in the text as it was given. So digits of any script and width,
 * blanks and dashes of any kind are found with one comparison, and what is
 * put between digits to hide them is gone. Never fails.
 */
#include "scan_int.h"

#include <string.h>
#include <utf8proc.h>

/* Where the decimal digits of scripts begin that people write numbers in. */
static const uint32_t zeros[] = {
	0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66,
	0xce6, 0xd66, 0xe50, 0xed0, 0xf20, 0x1040, 0x17e0, 0x1810,
};

static char
digit_of(uint32_t c)
{
	for (size_t i = 0; i < G_N_ELEMENTS(zeros); i++) {
		if (c >= zeros[i] && c < zeros[i] + 10)
			return (char)('0' + (c - zeros[i]));
	}
	return SCAN_PLAIN_OTHER;
}

/* By category; 0: not seen. */
static char
plain_of(uint32_t c)
{
	const utf8proc_property_t *p =
	    utf8proc_get_property((utf8proc_int32_t)c);

	if (p->ignorable)
		return 0;
	switch ((int)p->category) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
		return SCAN_PLAIN_LETTER;
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_CF:
		return 0;
	case UTF8PROC_CATEGORY_ND:
		return digit_of(c);
	case UTF8PROC_CATEGORY_PD:
		return '-';
	case UTF8PROC_CATEGORY_ZS:
		return ' ';
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return '\n';
	default:
		return c == 0x2212 ? '-' : SCAN_PLAIN_OTHER;	/* minus */
	}
}

/* What a compatible character stands for, if that is one of ASCII. */
static char
compatible(uint32_t c)
{
	utf8proc_int32_t out[SCAN_FOLD_MAX];
	int last = 0;

	if (utf8proc_decompose_char((utf8proc_int32_t)c, out, SCAN_FOLD_MAX,
	    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &last) != 1)
		return plain_of(c);
	return out[0] > 0x20 && out[0] < 0x7f ? (char)out[0] :
	    plain_of((uint32_t)out[0]);
}

static char
look(uint32_t c)
{
	if (c >= 0x20 && c < 0x7f)
		return (char)c;
	if (c < 0x80)
		return c == '\t' ? ' ' : c >= '\n' && c <= '\r' ? '\n' : 0;
	if (utf8proc_get_property((utf8proc_int32_t)c)->decomp_seqindex !=
	    UINT16_MAX)
		return compatible(c);
	return plain_of(c);
}

void
scan_plain_init(struct scan_plain *p, const char *text, size_t len)
{
	p->c = g_malloc(len + 1);
	p->place = g_new(struct scan_place, len + 1);
	p->n = p->digits = 0;
	p->has_at = false;
	for (size_t at = 0; at < len;) {
		size_t from = at;
		char c = look(scan_decode((const uint8_t *)text, len, &at));

		if (c == 0)
			continue;
		p->digits += g_ascii_isdigit(c);
		p->has_at |= c == '@';
		p->place[p->n] = (struct scan_place){ from, at };
		p->c[p->n++] = c;
	}
	p->c[p->n] = '\0';
}

void
scan_plain_clear(struct scan_plain *p)
{
	g_free(p->c);
	g_free(p->place);
}
