/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at a mail before it goes out: what would not arrive as the same bytes,
 * or would say something else to the relay than to us, is not sent at all.
 */
#include "deliver_int.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "err.h"
#include "text.h"

/* RFC 5321 section 4.5.3.1.3: a path, with its brackets, is 256 octets. */
#define PATH_MAX_LEN 254

void
deliver_way_start(struct deliver_way *w, const struct deliver_mail *mail)
{
	w->mail = mail;
	w->at = w->gone = 0;
}

/* Whole pages; a mapping begins with one. */
static void
give_back(struct deliver_way *w, size_t offset)
{
	uintptr_t start = (uintptr_t)w->mail->bytes + w->gone;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	offset -= offset % page;
	if (offset <= w->gone)
		return;
	/* Of a private mapping nothing was written to: nothing is lost. */
	madvise((void *)start, offset - w->gone, MADV_DONTNEED);
	w->gone = offset;
}

void
deliver_way_pass(struct deliver_way *w, size_t offset)
{
	if (w->mail->mapped && offset - w->gone >= DELIVER_PIECE)
		give_back(w, offset);
}

const char *
deliver_way_next(struct deliver_way *w, size_t *len)
{
	size_t left = w->mail->len - w->at;
	const char *piece = (const char *)w->mail->bytes + w->at;

	deliver_way_pass(w, w->at);
	*len = w->mail->mapped ? MIN(left, DELIVER_PIECE) : left;
	w->at += *len;
	return *len > 0 ? piece : NULL;
}

static bool
is_path(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= ' ' || c >= 0x7f || c == '<' || c == '>')
			return false;
	}
	return len <= PATH_MAX_LEN;
}

/*
 * Every CR is followed by LF and every LF preceded by CR. A lone one lets
 * "\n.\r\n" end the mail for some relays and not for others: the rest would
 * be read as commands (SMTP smuggling).
 */
static bool
count_lines(const struct deliver_mail *mail, struct deliver_fit *fit,
    struct err *err)
{
	const char *start = mail->bytes;
	const char *p = start, *end = p + mail->len, *lf;
	struct deliver_way way;
	int64_t dots = 0;

	deliver_way_start(&way, mail);
	while (p < end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL || lf == p || lf[-1] != '\r' ||
		    memchr(p, '\r', (size_t)(lf - 1 - p)) != NULL)
			return err_set(err, ERR_PERM, "deliver.mail",
			    "the line at byte %zu does not end with CR LF",
			    (size_t)(p - start));
		dots += *p == '.';
		p = lf + 1;
		deliver_way_pass(&way, (size_t)(p - start));
	}
	fit->wire_len = (int64_t)mail->len + dots + 3;
	return true;
}

static bool
is_eight_bit(const char *piece, size_t len)
{
	const unsigned char *p = (const unsigned char *)piece, *end = p + len;
	uint64_t eight, all = 0;

	for (; end - p >= 8; p += 8) {
		memcpy(&eight, p, 8);
		all |= eight;
	}
	for (; p < end; p++)
		all |= *p;
	return (all & 0x8080808080808080u) != 0;
}

static bool
has_eight_bit(const struct deliver_mail *mail)
{
	struct deliver_way way;
	const char *piece;
	bool eight = false;
	size_t len;

	deliver_way_start(&way, mail);
	while ((piece = deliver_way_next(&way, &len)) != NULL)
		eight |= is_eight_bit(piece, len);
	return eight;
}

/*
 * What libesmtp 1.1.0 does to a header field: adds the required ones, drops
 * the forbidden ones and any repetition of a known one (headers.c).
 */
struct field {
	const char *name;
	int min, max;
};

static const struct field fields[] = {
	{ "Date:", 1, 1 }, { "From:", 1, 1 }, { "Message-Id:", 1, 1 },
	{ "Sender:", 0, 1 }, { "To:", 0, 1 }, { "Cc:", 0, 1 },
	{ "Bcc:", 0, 1 }, { "Reply-To:", 0, 1 },
	{ "Disposition-Notification-To:", 0, 1 }, { "Return-Path:", 0, 0 },
	{ "Original-Recipient:", 0, 0 }, { "Resent-Reply-To:", 0, 0 },
};

static void
count_field(const char *line, size_t len, int count[G_N_ELEMENTS(fields)])
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		size_t n = strlen(fields[i].name);

		if (line[0] != fields[i].name[0] &&
		    (line[0] ^ 0x20) != fields[i].name[0])
			continue;
		if (len >= n && g_ascii_strncasecmp(line, fields[i].name, n) == 0)
			count[i]++;
	}
}

static bool
check_header(const struct deliver_mail *mail, struct err *err)
{
	const char *p = mail->bytes, *end = p + mail->len, *lf;
	int count[G_N_ELEMENTS(fields)] = { 0 };

	/* Ends are CR LF: count_lines() has made sure. */
	for (; p < end && *p != '\r'; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		count_field(p, (size_t)(lf - p), count);
	}
	if (p >= end)
		return err_set(err, ERR_PERM, "deliver.mail",
		    "no empty line ends the header");
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (count[i] < fields[i].min || count[i] > fields[i].max)
			return err_set(err, ERR_PERM, "deliver.mail",
			    "%d fields %s in the header, %s allowed: the "
			    "transport would change the mail", count[i],
			    fields[i].name, fields[i].max == 0 ? "none is" :
			    fields[i].min == 0 ? "one is" : "exactly one is");
	}
	return true;
}

bool
deliver_fit_check(const struct deliver_mail *mail, enum deliver_header header,
    struct deliver_fit *fit, struct err *err)
{
	if (!is_path(mail->envelope_from) || !is_path(mail->envelope_to) ||
	    mail->envelope_to[0] == '\0')
		return err_set(err, ERR_PERM, "deliver.mail",
		    "sender or recipient cannot be put into an envelope");
	if (mail->len == 0 || mail->len > INT_MAX - 1024)
		return err_set(err, ERR_PERM, "deliver.mail",
		    "a mail of %zu bytes cannot be sent", mail->len);
	if (!count_lines(mail, fit, err))
		return false;
	if (header == DELIVER_HEADER_ESMTP && !check_header(mail, err))
		return false;
	fit->eight_bit = has_eight_bit(mail);
	return true;
}

/* RFC 3463: 5.3.4 and 5.2.3 are the size; 552 alone was, before that. */
static bool
is_about_size(const char *line)
{
	const char *text = strlen(line) > 4 ? line + 4 : "";

	return g_str_has_prefix(text, "5.3.4") ||
	    g_str_has_prefix(text, "5.2.3") ||
	    (g_str_has_prefix(line, "552") && !g_str_has_prefix(text, "5."));
}

void
deliver_report_set(struct deliver_report *r, enum deliver_result result,
    int code, const char *text)
{
	g_autofree char *line = NULL;
	const char *remedy;
	size_t len, room;

	r->result = result;
	r->code = code;
	line = text_clean(text != NULL ? text : "",
	    text != NULL ? strlen(text) : 0, TEXT_LINE, sizeof(r->reply) - 1);
	g_strchomp(line);
	remedy = result == DELIVER_REJECTED && is_about_size(line) ?
	    DELIVER_SIZE_REMEDY : "";
	len = strlen(line);
	room = sizeof(r->reply) - 1 - strlen(remedy);
	if (len > room) {
		len = room;
		while (len > 0 && ((unsigned char)line[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(r->reply, line, len);
	memcpy(r->reply + len, remedy, strlen(remedy) + 1);
}

const struct deliver_mail *
deliver_feed_take(const struct deliver_feed *feed, int64_t wait_ms,
    enum deliver_header header, struct deliver_fit *fit)
{
	const struct deliver_mail *mail;
	struct deliver_report report;
	struct err err;

	while ((mail = feed->next(feed->arg, wait_ms)) != NULL) {
		if (deliver_fit_check(mail, header, fit, &err))
			return mail;
		deliver_report_set(&report, DELIVER_REJECTED, 0, err.text);
		feed->done(feed->arg, mail, &report);
	}
	return NULL;
}
