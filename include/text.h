/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted strings made safe: the one sanitiser of the project.
 *
 * Whatever came from outside (profile names, captions, file names, ids, SMTP
 * replies) passes one of these before it goes into a header, a mail part or
 * a log line. All take any bytes, and give valid UTF-8.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * g_string_append_len(), which is inlined by GLib from 2.76 on: before, the
 * call costs several times what the few bytes do that are nearly always added.
 */
static inline void
text_append(GString *out, const char *s, size_t len)
{
	if (len >= out->allocated_len - out->len) {
		g_string_append_len(out, s, (gssize)len);
		return;
	}
	memcpy(out->str + out->len, s, len);
	out->len += len;
	out->str[out->len] = '\0';
}

enum text_clean {
	TEXT_LINE,	/* one line: for headers, names, log values */
	TEXT_BLOCK,	/* keeps \n and \t (CR LF and CR become \n) */
};

/* Strict RFC 3629: no overlong forms, surrogates, > U+10FFFF. NUL is valid. */
bool text_is_utf8(const void *data, size_t len);

/*
 * A copy in which invalid bytes are U+FFFD, and C0, DEL, C1 controls,
 * line and paragraph separators (U+2028/9), bidi embeddings, overrides and
 * isolates (U+202A-E, U+2066-9) and noncharacters are removed (in TEXT_LINE,
 * any run of line breaks or tabs becomes one blank). ZWJ, ZWNJ, LRM and RLM
 * stay: names and emoji need them. At most max_chars code points; when cut,
 * the last one is U+2026. The caller owns the result, never NULL.
 */
char *text_clean(const char *s, size_t len, enum text_clean how,
    size_t max_chars);

/*
 * A safe base name for an attachment: TEXT_LINE, without any of / \ : * ? "
 * < > |, no leading dot or blank, no trailing dot or blank, at most
 * 120 code points keeping the extension; "unnamed" if nothing is left.
 */
char *text_clean_filename(const char *name);

/* Only [A-Za-z0-9._=+-] stay, others become '_'; cut at max. For ids. */
char *text_clean_token(const char *s, size_t max);

/* Appends s with & < > " ' replaced by entities. */
void text_html_escape(GString *out, const char *s);

/* "5511999990000" -> "*********0000": all but the last four hidden. */
char *text_mask(const char *number);

/*
 * s as a log value: as it is when it is [A-Za-z0-9._:/@+<>=-]+ (then a copy),
 * else in double quotes with \" \\ and \xNN for control and non-ASCII bytes.
 */
char *text_log_quote(const char *s);

/* ^[1-9][0-9]{5,14}$ after removing one leading '+'; the digits, or NULL. */
char *text_phone_digits(const char *s);
