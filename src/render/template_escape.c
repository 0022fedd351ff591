/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a value safe for the kind of its template.
 *
 * Nearly every value comes here already clean, as the sanitiser in text.h is
 * the first thing that an untrusted string passes. So one scan without
 * allocation tells "surely clean"; whatever looks odd to it, clean or not,
 * goes through text_clean() again. The scan may err on that side only.
 */
#include "template_int.h"

#include <string.h>

#include "text.h"

static bool
is_cont(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* U+0800..U+FFFF without surrogates, breaks, bidi controls, BOM, U+FFFx. */
static bool
is_plain_3(const uint8_t *p)
{
	if (!is_cont(p[1]) || !is_cont(p[2]))
		return false;
	switch (p[0]) {
	case 0xe0:
		return p[1] >= 0xa0;
	case 0xe2:
		return p[1] > 0x81 || p[2] < 0xa6;
	case 0xed:
		return p[1] < 0xa0;
	case 0xef:
		return p[1] < 0xb7 || p[1] == 0xb8 || p[1] == 0xb9;
	default:
		return true;
	}
}

/* U+10000..U+10FFFF without the noncharacters that end in FFFE and FFFF. */
static bool
is_plain_4(const uint8_t *p)
{
	if (!is_cont(p[1]) || !is_cont(p[2]) || !is_cont(p[3]))
		return false;
	if (p[0] == 0xf0 && p[1] < 0x90)
		return false;
	if (p[0] > 0xf4 || (p[0] == 0xf4 && p[1] > 0x8f))
		return false;
	return p[2] != 0xbf || p[3] < 0xbe;
}

/* How long the plain character at p is; 0 if it has to be looked at again. */
static size_t
plain_length(const uint8_t *p, size_t left)
{
	if (p[0] < 0xc2)
		return 0;
	if (p[0] < 0xe0)
		return left >= 2 && is_cont(p[1]) &&
		    (p[0] != 0xc2 || p[1] >= 0xa0) ? 2 : 0;
	if (p[0] < 0xf0)
		return left >= 3 && is_plain_3(p) ? 3 : 0;
	return left >= 4 && is_plain_4(p) ? 4 : 0;
}

static bool
is_surely_clean(const uint8_t *p, size_t len, bool one_line)
{
	size_t i = 0;

	for (;;) {
		size_t n = 0;

		while (i < len && p[i] >= 0x20 && p[i] < 0x7f)
			i++;
		if (i == len)
			return true;
		if (p[i] >= 0x80)
			n = plain_length(p + i, len - i);
		else if (p[i] < 0x20)
			n = !one_line && (p[i] == '\n' || p[i] == '\t');
		if (n == 0)
			return false;
		i += n;
	}
}

void
template_escape(GString *out, enum template_kind kind, const char *s,
    size_t len)
{
	bool one_line = kind == TEMPLATE_LINE;
	g_autofree char *cleaned = NULL;

	if (!is_surely_clean((const uint8_t *)s, len, one_line)) {
		cleaned = text_clean(s, len, one_line ? TEXT_LINE : TEXT_BLOCK,
		    SIZE_MAX);
		s = cleaned;
		len = strlen(s);
	}
	if (kind == TEMPLATE_HTML)
		text_html_escape(out, s);
	else
		text_append(out, s, len);
}
