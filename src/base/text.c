/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one sanitiser. Takes any bytes, gives valid UTF-8 that cannot forge a
 * header, a log line or the order in which a line is read.
 */
#include "text.h"

#include <stdint.h>
#include <string.h>

#define REPLACEMENT 0xfffd
#define INVALID UINT32_MAX

struct range {
	uint32_t low, high;
};

static bool
is_cont(const uint8_t *p, size_t left, size_t at)
{
	return at < left && (p[at] & 0xc0) == 0x80;
}

/*
 * One code point by RFC 3629; *n is how many bytes it took. For INVALID it
 * is 1: the following bytes are looked at again.
 */
static uint32_t
decode(const uint8_t *p, size_t left, size_t *n)
{
	uint32_t c = p[0];

	*n = 1;
	if (c < 0x80)
		return c;
	if (c >= 0xc2 && c <= 0xdf && is_cont(p, left, 1)) {
		*n = 2;
		return (c & 0x1f) << 6 | (p[1] & 0x3fu);
	}
	if (c >= 0xe0 && c <= 0xef && is_cont(p, left, 1) &&
	    is_cont(p, left, 2)) {
		c = (c & 0x0f) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
		if (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))
			return INVALID;
		*n = 3;
		return c;
	}
	if (c >= 0xf0 && c <= 0xf4 && is_cont(p, left, 1) &&
	    is_cont(p, left, 2) && is_cont(p, left, 3)) {
		c = (c & 0x07) << 18 | (p[1] & 0x3fu) << 12 |
		    (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
		if (c < 0x10000 || c > 0x10ffff)
			return INVALID;
		*n = 4;
		return c;
	}
	return INVALID;
}

bool
text_is_utf8(const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		if (p[i] < 0x80)
			n = 1;
		else if (decode(p + i, len - i, &n) == INVALID)
			return false;
	}
	return true;
}

/* Removed everywhere: they change how text is read or break lines. */
static bool
is_removed(uint32_t c)
{
	static const struct range removed[] = {
		{ 0x00, 0x1f }, { 0x7f, 0x9f }, { 0x2028, 0x202e },
		{ 0x2066, 0x2069 }, { 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(removed); i++) {
		if (c >= removed[i].low && c <= removed[i].high)
			return true;
	}
	return (c & 0xfffe) == 0xfffe;
}

struct cleaner {
	GString *out;
	enum text_clean how;
	size_t chars, max;
	bool gap;	/* a line break or tab was met, the blank is not out yet */
};

static bool
is_break(uint32_t c)
{
	return c == '\n' || c == '\r' || c == '\t' || c == 0x85 ||
	    c == 0x2028 || c == 0x2029;
}

/* False when the limit is reached. */
static bool
push(struct cleaner *cl, uint32_t c)
{
	if (cl->chars == cl->max) {
		gsize at = cl->out->len;

		if (at == 0)
			return false;
		/* The last character gives way to an ellipsis. */
		do
			at--;
		while (at > 0 && (cl->out->str[at] & 0xc0) == 0x80);
		g_string_truncate(cl->out, at);
		g_string_append(cl->out, "\xe2\x80\xa6");
		return false;
	}
	cl->chars++;
	g_string_append_unichar(cl->out, c);
	return true;
}

static bool
push_break(struct cleaner *cl, uint32_t c, bool after_cr)
{
	if (cl->how == TEXT_LINE) {
		cl->gap = cl->out->len > 0;
		return true;
	}
	if (c == '\t')
		return push(cl, '\t');
	if (c == '\n' && after_cr)
		return true;
	return push(cl, '\n');
}

static bool
push_visible(struct cleaner *cl, uint32_t c)
{
	if (cl->gap && c != ' ' && cl->out->str[cl->out->len - 1] != ' ' &&
	    !push(cl, ' '))
		return false;
	cl->gap = false;
	return push(cl, c);
}

/* Printable ASCII, in a block on several lines: nothing would change. */
static bool
is_plain(const char *s, size_t len, enum text_clean how)
{
	for (size_t i = 0; i < len; i++) {
		if ((s[i] < ' ' || s[i] > '~') && (how == TEXT_LINE ||
		    (s[i] != '\n' && s[i] != '\t')))
			return false;
	}
	return true;
}

char *
text_clean(const char *s, size_t len, enum text_clean how, size_t max_chars)
{
	struct cleaner cl = { .how = how, .max = max_chars };
	const uint8_t *p = (const uint8_t *)s;
	bool more = true, after_cr = false;
	size_t n;

	if (len <= max_chars && is_plain(s, len, how))
		return g_strndup(s, len);
	cl.out = g_string_sized_new(len + 1);
	for (size_t i = 0; i < len && more; i += n) {
		uint32_t c = decode(p + i, len - i, &n);

		if (c == INVALID)
			c = REPLACEMENT;
		if (is_break(c))
			more = push_break(&cl, c, after_cr);
		else if (!is_removed(c))
			more = push_visible(&cl, c);
		after_cr = c == '\r';
	}
	return g_string_free(cl.out, FALSE);
}

/* Keeps the extension when a long name is cut. */
static char *
shorten_name(const char *name, glong max)
{
	const char *dot = strrchr(name, '.');
	glong ext = dot != NULL ? g_utf8_strlen(dot, -1) : 0;
	g_autofree char *stem = NULL;

	if (g_utf8_strlen(name, -1) <= max)
		return g_strdup(name);
	if (ext > 16)
		ext = 0;
	stem = g_utf8_substring(name, 0, max - ext);
	return g_strconcat(stem, ext > 0 ? dot : "", NULL);
}

static void
trim_end(char *name)
{
	size_t len = strlen(name);

	while (len > 0 && (name[len - 1] == '.' || name[len - 1] == ' '))
		name[--len] = '\0';
}

char *
text_clean_filename(const char *name)
{
	g_autofree char *line = text_clean(name, strlen(name), TEXT_LINE, 4096);
	g_autofree char *cut = NULL;
	const char *start = line;

	g_strdelimit(line, "/\\:*?\"<>|", '_');
	trim_end(line);
	while (*start == '.' || *start == ' ')
		start++;
	cut = shorten_name(start, 120);
	trim_end(cut);	/* the cut may have laid bare a dot or a blank */
	return *cut == '\0' ? g_strdup("unnamed") : g_steal_pointer(&cut);
}

char *
text_clean_token(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	char *out = g_strndup(s, len);

	for (char *p = out; *p != '\0'; p++) {
		if (!g_ascii_isalnum(*p) && strchr("._=+-", *p) == NULL)
			*p = '_';
	}
	return out;
}

void
text_html_escape(GString *out, const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "&<>\"'");

		text_append(out, s, n);
		s += n;
		switch (*s++) {
		case '&':
			g_string_append(out, "&amp;");
			break;
		case '<':
			g_string_append(out, "&lt;");
			break;
		case '>':
			g_string_append(out, "&gt;");
			break;
		case '"':
			g_string_append(out, "&quot;");
			break;
		case '\'':
			g_string_append(out, "&#39;");
			break;
		default:
			return;
		}
	}
}

char *
text_mask(const char *number)
{
	size_t len = strlen(number);
	char *out = g_strdup(number);

	memset(out, '*', len > 4 ? len - 4 : len);
	return out;
}

char *
text_log_quote(const char *s)
{
	static const char plain[] = "._:/@+<>=-";
	static const char hex[] = "0123456789abcdef";
	const char *p = s;
	GString *out;

	while (g_ascii_isalnum(*p) || (*p != '\0' && strchr(plain, *p)))
		p++;
	if (*p == '\0' && p != s)
		return g_strdup(s);
	out = g_string_new("\"");
	for (p = s; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '"' || c == '\\')
			g_string_append_c(out, '\\');
		if (c >= 0x20 && c < 0x7f) {
			g_string_append_c(out, (char)c);
		} else {
			g_string_append(out, "\\x");
			g_string_append_c(out, hex[c >> 4]);
			g_string_append_c(out, hex[c & 15]);
		}
	}
	g_string_append_c(out, '"');
	return g_string_free(out, FALSE);
}

char *
text_phone_digits(const char *s)
{
	size_t n;

	if (s == NULL)
		return NULL;
	if (*s == '+')
		s++;
	n = strspn(s, "0123456789");
	if (s[n] != '\0' || *s == '0' || n < 6 || n > 15)
		return NULL;
	return g_strdup(s);
}
