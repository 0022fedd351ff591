/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it certain where this request ends and whom it is for? A function of
 * the header fields; no I/O.
 *
 * libmicrohttpd takes the first of two Content-Length, lets a
 * Transfer-Encoding win over a Content-Length, needs no Host and keeps the
 * blank of "Content-Length : 5" in the name. Up to 0.9.77 it also glues a folded
 * line to the name ("Content-Length:\n 5" gives "Content-Length5"), takes a line
 * that begins with a colon for the end of the head, ends a line at a bare LF
 * and a value at a NUL. Behind a proxy that reads any of these otherwise one
 * client can put words into another's mouth (request smuggling), so all are
 * refused: RFC 9112 sections 2.2, 3.2, 5.1, 5.2, 6.1, 6.3.
 *
 * For the last four the head is walked once more where it lies: MHD has only
 * put NULs in place of its colons and line ends, so each header must begin
 * where the one before ended, and the last must end where the head does. So
 * it is with the request line: a NUL in method or target, which would end it
 * early for whoever reads it here, puts the version out of its place, and so
 * does a second blank (RFC 9112 section 3: one).
 * One thing cannot be seen so: a line of a colon alone, which MHD takes for the
 * end of the head. With a bare LF before or behind it the NULs it leaves are
 * those of an empty line. nginx answers 400 to such a line itself, and without
 * a proxy there is nobody who could read it otherwise. The cases are
 * colon-bare-lf and bare-lf-colon in tests/fuzz/corpus/http. Nor can a NUL in
 * place of a CR at a line's end, which changes nothing that is read.
 */
#include "http_framing.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

/* tchar of RFC 9110 section 5.6.2 */
bool
http_is_token(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!g_ascii_isalnum(*s) &&
		    strchr("!#$%&'*+-.^_`|~", *s) == NULL)
			return false;
	return true;
}

/* RFC 9112 section 3.2: a blank within would be another version's end. */
bool
http_is_target(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if ((*s >= 0 && *s <= ' ') || *s == 0x7f)
			return false;
	return true;
}

/* RFC 9110 section 5.5; a bare CR ends the line for some (RFC 9112, 2.2). */
bool
http_is_field_value(const char *s)
{
	if (s == NULL)
		return true;
	for (; *s != '\0'; s++)
		if ((*s >= 0 && *s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

static bool
is_name(const char *name, size_t len, const char *want)
{
	return len == strlen(want) && g_ascii_strncasecmp(name, want,
	    len) == 0;
}

static void
count_single(struct http_framing *f, const char *name, size_t len)
{
	if (f->singles == NULL)
		return;
	for (unsigned i = 0; f->singles[i] != NULL; i++) {
		if (!is_name(name, len, f->singles[i]))
			continue;
		f->doubled |= (f->seen >> i & 1u) != 0;
		f->seen |= 1u << i;
	}
}

/* The two bytes of CR LF, which MHD has overwritten with NUL. */
static bool
skip_line_end(struct http_framing *f)
{
	if (f->end - f->at < 2 || f->at[0] != '\0' || f->at[1] != '\0')
		return false;
	f->at += 2;
	return true;
}

void
http_framing_begin(struct http_framing *f, const char *head, size_t len,
    const char *target, const char *version)
{
	size_t before = strlen(head) + 1 + strlen(target) + 1;

	f->in_place = true;
	f->end = head + len;
	f->at = head;
	if (before >= len ||
	    (uintptr_t)version != (uintptr_t)head + before) {
		f->bad_line = true;
		return;
	}
	f->at = version + strlen(version);
	f->bad_line = !skip_line_end(f);
}

/* This header must be what the next line of the head says, and all of it. */
static bool
is_next_line(struct http_framing *f, const char *name, const char *value)
{
	if (name != f->at)
		return false;
	f->at += strlen(name) + 1;
	while (*f->at == ' ' || *f->at == '\t')
		f->at++;
	if (value != f->at)
		return false;
	f->at += strlen(value);
	return skip_line_end(f);
}

void
http_framing_add(struct http_framing *f, const char *name, const char *value)
{
	size_t len = strlen(name);

	if (f->in_place && !f->bad_line)
		f->bad_line = !is_next_line(f, name, value);
	f->bad_line |= !http_is_field_value(value);
	if (!http_is_token(name)) {
		f->bad_name = true;
	} else if (is_name(name, len, "Host")) {
		f->hosts++;
		f->bad_host |= value == NULL || *value == '\0';
	} else if (is_name(name, len, "Content-Length")) {
		f->lengths++;
	} else if (is_name(name, len, "Transfer-Encoding")) {
		f->codings++;
		f->bad_coding |= value == NULL ||
		    g_ascii_strcasecmp(value, "chunked") != 0;
	}
	count_single(f, name, len);
}

const char *
http_framing_verdict(struct http_framing *f, const char *version)
{
	if (f->bad_name || f->bad_line)
		return "malformed header";
	if (f->in_place && (!skip_line_end(f) || f->at != f->end))
		return "malformed header";
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
