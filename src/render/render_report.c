/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Exchange envelope journal report ([MS-XJRNL] 2.1) around a mail.
 *
 * Its bytes are written by hand, since readers of these reports are parsers
 * of lines more than of MIME. What breaks them otherwise:
 *  1. exactly two parts: the report, then the original;
 *  2. the marker is spelt X-MS-Journal-Report and stands after To;
 *  3. the report part is neither base64 nor quoted-printable;
 *  4. it holds known tags only, no blank line and no prose;
 *  5. one recipient per line, a bare address;
 *  6. message/rfc822 has no transfer encoding; ours needs none, being 7bit;
 *  7. the boundary is long and derived, and part of no other line;
 *  8. there is no preamble, and the original has its own Content-Type;
 *  9. SentUtc, ReceivedUtc and Label are left out.
 */
#include "render_field.h"
#include "render_int.h"

#include <string.h>

#include "clock.h"

/* "Banking <journal@bank.example>" or a bare address. */
static void
add_address(struct render_fields *f, struct render_scratch *s,
    const char *name, const char *address)
{
	const char *line = render_line(s, address, RENDER_SUBJECT_MAX);

	if (line == NULL)
		return;
	render_field_begin(f, name);
	render_field_text(f, line);
	render_field_end(f);
}

static char *
report_id(const struct render *r, const struct rendered *inner,
    const struct render_envelope *env)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	hash_strings(digest, "journal-report", inner->message_id,
	    env->to != NULL ? env->to : "", NULL);
	return g_strdup_printf("jr.%.32s@%s", hash_hex(digest, hex),
	    r->domain);
}

static void
add_head(struct render_turn *t, const struct render_envelope *env,
    const char *message_id, struct render_fields *f)
{
	char date[CLOCK_RFC5322_SIZE];

	add_address(f, &t->scratch, "From", env->from);
	add_address(f, &t->scratch, "To", env->to);
	render_field_begin(f, "Subject");
	render_field_text(f, t->subject);
	render_field_end(f);
	g_string_append_printf(f->out, "Date: %s\nMessage-ID: <%s>\n"
	    "MIME-Version: 1.0\nAuto-Submitted: auto-generated\n"
	    "X-MS-Journal-Report:\n",
	    clock_rfc5322(env->journaled_ms, date), message_id);
}

/* Members of a group are not known, so the group is only a Recipient. */
static const char *
recipient_tag(const struct render_party *p)
{
	if (p->is_group)
		return "Recipient";
	return p->role == RENDER_CC ? "Cc" : "To";
}

static void
add_report(const struct render_turn *t, const char *inner_id, GString *out)
{
	bool ascii = g_str_is_ascii(t->subject);

	g_string_append_printf(out, "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: %s\n\n", ascii ? "7bit" : "8bit");
	g_string_append_printf(out, "Sender: %s\nSubject: %s\n"
	    "Message-ID: <%s>\n", t->who.list[0].address, t->subject,
	    inner_id);
	for (size_t i = 1; i < t->who.n; i++) {
		const struct render_party *p = &t->who.list[i];

		g_string_append_printf(out, "%s: %s\n", recipient_tag(p),
		    p->address);
	}
}

/* Everything in it is ours and has bare \n. */
static GString *
with_crlf(const GString *lines)
{
	GString *out = g_string_sized_new(lines->len + 64);

	for (const char *p = lines->str; *p != '\0'; p++) {
		if (*p == '\n')
			g_string_append_c(out, '\r');
		g_string_append_c(out, *p);
	}
	return out;
}

static GBytes *
write_report(struct render_turn *t, const struct rendered *inner,
    const struct render_envelope *env, const char *message_id)
{
	g_autoptr(GString) head = g_string_new(NULL);
	struct render_fields f = { .out = head };
	GString *out;
	char hex[HASH_HEX_SIZE];
	const char *bytes;
	gsize len;

	hash_hex(inner->sha256, hex);
	hex[32] = '\0';
	add_head(t, env, message_id, &f);
	g_string_append_printf(head, "Content-Type: multipart/mixed;"
	    " boundary=\"=_j_%s\"\n\n--=_j_%s\n", hex, hex);
	add_report(t, inner->message_id, head);
	g_string_append_printf(head, "--=_j_%s\n"
	    "Content-Type: message/rfc822\n"
	    "Content-Disposition: attachment\n\n", hex);
	out = with_crlf(head);
	bytes = g_bytes_get_data(inner->bytes, &len);
	g_string_append_len(out, bytes, (gssize)len);
	g_string_append_printf(out, "\r\n--=_j_%s--\r\n", hex);
	return g_string_free_to_bytes(out);
}

bool
render_journal_report(struct render *r, const struct render_input *in,
    const struct rendered *inner, const struct render_envelope *env,
    struct rendered *out, struct err *err)
{
	struct render_turn t;
	char *id;
	bool ok;

	ok = render_turn_begin(r, in, &t, err);
	if (ok) {
		id = report_id(r, inner, env);
		render_finish(out, id, write_report(&t, inner, env, id));
	}
	render_turn_clear(&t);
	return ok;
}
