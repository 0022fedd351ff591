/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it certain where this request ends and whom it is for? A function of
 * the header fields; no I/O.
 *
 * libmicrohttpd takes the first of two Content-Length, lets a
 * Transfer-Encoding win over a Content-Length, needs no Host, keeps the blank
 * of "Content-Length : 5" in the name, and glues a folded line to the name
 * ("Content-Length:\n 5" gives "Content-Length5"); either way the body then
 * becomes the next request. Behind a proxy that reads it otherwise each of
 * these lets one client put words into another's mouth (request smuggling),
 * so all of them are refused: RFC 9112 sections 3.2, 5.1, 5.2, 6.1, 6.3.
 */
#include "http_int.h"

#include <string.h>

/* tchar of RFC 9110 section 5.6.2 */
static bool
is_token(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!g_ascii_isalnum(*s) &&
		    strchr("!#$%&'*+-.^_`|~", *s) == NULL)
			return false;
	return true;
}

/* A name that only begins like `want` was folded, or is up to no good. */
static bool
is_name(struct http_framing *f, const char *name, size_t len,
    const char *want)
{
	size_t want_len = strlen(want);

	if (len < want_len || g_ascii_strncasecmp(name, want, want_len) != 0)
		return false;
	f->bad_name |= len > want_len;
	return len == want_len;
}

static void
count_single(struct http_framing *f, const char *name, size_t len)
{
	if (f->singles == NULL)
		return;
	for (unsigned i = 0; f->singles[i] != NULL; i++) {
		if (!is_name(f, name, len, f->singles[i]))
			continue;
		f->doubled |= (f->seen >> i & 1u) != 0;
		f->seen |= 1u << i;
	}
}

void
http_framing_add(struct http_framing *f, const char *name, const char *value)
{
	size_t len = strlen(name);

	if (!is_token(name)) {
		f->bad_name = true;
	} else if (is_name(f, name, len, "Host")) {
		f->hosts++;
		f->bad_host |= value == NULL || *value == '\0';
	} else if (is_name(f, name, len, "Content-Length")) {
		f->lengths++;
	} else if (is_name(f, name, len, "Transfer-Encoding")) {
		f->codings++;
		f->bad_coding |= value == NULL ||
		    g_ascii_strcasecmp(value, "chunked") != 0;
	}
	count_single(f, name, len);
}

const char *
http_framing_verdict(const struct http_framing *f, const char *version)
{
	if (f->bad_name)
		return "malformed header name";
	if (f->hosts != 1 || f->bad_host)
		return "exactly one Host header is needed";
	if (f->lengths > 1)
		return "Content-Length given twice";
	if (f->codings > 0 && f->lengths > 0)
		return "both Content-Length and Transfer-Encoding given";
	if (f->codings > 1 || f->bad_coding)
		return "unsupported Transfer-Encoding";
	if (f->codings > 0 && strcmp(version, "HTTP/1.1") != 0)
		return "Transfer-Encoding needs HTTP/1.1";
	if (f->doubled)
		return "a header that may occur once was given twice";
	return NULL;
}
