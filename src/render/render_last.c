/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mail of last resort: the bytes of an event that killed whoever looked
 * into it, as an attachment. Nothing here looks into them, and neither GMime,
 * nor templates, nor catalogs of words are used: what is plain cannot fail the
 * way that the rest did.
 */
#include "render_field.h"
#include "render_int.h"

#include <string.h>

#include "clock.h"

#define HEAD_GUESS 2048

static char *
last_id(const struct render *r, const char *hex)
{
	uint8_t digest[HASH_SIZE];
	char id[HASH_HEX_SIZE];

	hash_strings(digest, "last-resort", r->tenant, hex, NULL);
	return g_strdup_printf("e.%.32s@%s", hash_hex(digest, id), r->domain);
}

/* An archive that wants a header wants it of every mail. */
static void
add_wishes(const struct render *r, const struct render_style *style,
    GString *out)
{
	const GPtrArray *names = style->recipient_headers;

	g_string_append(out, style->headers);
	for (guint i = 0; names != NULL && i < names->len; i++)
		g_string_append_printf(out, "%s: whatsapp@%s,\n unknown@%s\n",
		    (const char *)names->pdata[i], r->address_domain,
		    r->address_domain);
}

static void
add_fields(const struct render *r, const struct render_style *style,
    const struct render_event *ev, const char *hex,
    const struct rendered *mail, GString *out)
{
	char date[CLOCK_RFC5322_SIZE], at[CLOCK_ISO_SIZE];

	g_string_append_printf(out, "Date: %s\n"
	    "From: \"WhatsApp\" <whatsapp@%s>\n"
	    "To: \"unknown (WhatsApp)\" <unknown@%s>\n"
	    "Subject: %s\nMessage-ID: <%s>\n"
	    "Auto-Submitted: auto-generated\n",
	    clock_rfc5322(ev->received_ms, date), r->address_domain,
	    r->address_domain, mail->subject, mail->message_id);
	g_string_append_printf(out, "%s: 1\n%s: notice\n%s: raw\n%s: 0\n"
	    "%s: %s;\n source=%s; seq=%" G_GINT64_FORMAT "\n%s:\n %s\n",
	    render_style_name(style, "X-ChatJournal-Version"),
	    render_style_name(style, "X-ChatJournal-Event"),
	    render_style_name(style, "X-ChatJournal-Types"),
	    render_style_name(style, "X-ChatJournal-Items"),
	    render_style_name(style, "X-ChatJournal-Captured"),
	    clock_iso(ev->received_ms, 1, at), ev->source, ev->seq,
	    render_style_name(style, "X-ChatJournal-Event-SHA256"), hex);
	add_wishes(r, style, out);
}

static void
add_text(const struct render_event *ev, const char *hex, const char *why,
    GString *out)
{
	g_autoptr(GString) text = g_string_sized_new(HEAD_GUESS);

	g_string_append_printf(text, "An event of WhatsApp that could not be "
	    "shown, not even raw: %s.\n\nIts bytes are attached as they were "
	    "received.\nSHA-256 %s\n", why, hex);
	render_quoted_printable(out, text->str, text->len);
	g_string_append_printf(out, "\r\n--=_e_%.32s\r\n"
	    "Content-Type: application/octet-stream; name=event.bin\r\n"
	    "Content-Description: raw %s event\r\n"
	    "Content-Disposition: attachment; filename=event.bin\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n", hex, ev->source);
}

/* All that stands before the text. */
static GString *
make_head(const struct render *r, const struct render_style *style,
    const struct render_event *ev, const char *hex,
    const struct rendered *mail)
{
	g_autoptr(GString) lines = g_string_sized_new(HEAD_GUESS);

	add_fields(r, style, ev, hex, mail, lines);
	g_string_append_printf(lines, "MIME-Version: 1.0\n"
	    "Content-Type: multipart/mixed; boundary=\"=_e_%.32s\"\n\n"
	    "--=_e_%.32s\nContent-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n", hex, hex);
	return render_with_crlf(lines);
}

/* The bytes as base64, to stand between head and tail. */
static struct rendered
body_of(const struct render_event *ev)
{
	size_t len = (size_t)render_base64_len((int64_t)ev->len);
	char *text = g_malloc(len + 1);

	render_base64(text, ev->body, ev->len, true);
	return (struct rendered){ .bytes = g_bytes_new_take(text, len),
		.len = len };
}

bool
render_last_resort(struct render *r, const struct render_style *style,
    const struct render_event *ev, const char *why, struct rendered *out,
    struct err *err)
{
	g_autoptr(GString) head = NULL;
	g_autofree char *tail = NULL;
	struct rendered mail = { 0 }, body = body_of(ev);
	char hex[HASH_HEX_SIZE];
	bool ok;

	hash_hex(ev->sha256, hex);
	mail.message_id = last_id(r, hex);
	mail.subject = g_strdup("WhatsApp: an event that could not be shown");
	head = make_head(r, style, ev, hex, &mail);
	add_text(ev, hex, why, head);
	tail = g_strdup_printf("\r\n--=_e_%.32s--\r\n", hex);
	ok = render_around(r, head->str, &body, tail, &mail, err);
	rendered_clear(&body);
	if (ok)
		*out = mail;
	else
		rendered_clear(&mail);
	return ok;
}
