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

struct report {
	struct render_scratch scratch;
	struct render_parties who;
	const struct rendered *inner;
};

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
add_head(struct report *rp, const struct render_envelope *env,
    const char *message_id, struct render_fields *f)
{
	char date[CLOCK_RFC5322_SIZE];

	add_address(f, &rp->scratch, "From", env->from);
	add_address(f, &rp->scratch, "To", env->to);
	render_field_begin(f, "Subject");
	render_field_text(f, rp->inner->subject);
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
add_report(const struct report *rp, GString *out)
{
	const char *subject = rp->inner->subject;

	g_string_append_printf(out, "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: %s\n\n", g_str_is_ascii(subject)
	    ? "7bit" : "8bit");
	g_string_append_printf(out, "Sender: %s\nSubject: %s\n"
	    "Message-ID: <%s>\n", rp->who.list[0].address, subject,
	    rp->inner->message_id);
	for (size_t i = 1; i < rp->who.n; i++) {
		const struct render_party *p = &rp->who.list[i];

		g_string_append_printf(out, "%s: %s\n", recipient_tag(p),
		    p->address);
	}
}

static bool
write_report(const struct render *r, struct report *rp,
    const struct render_envelope *env, struct rendered *out, struct err *err)
{
	g_autoptr(GString) lines = g_string_new(NULL), head = NULL;
	g_autofree char *tail = NULL;
	struct render_fields f = { .out = lines };
	char hex[HASH_HEX_SIZE];

	hash_hex(rp->inner->sha256, hex);
	hex[32] = '\0';
	add_head(rp, env, out->message_id, &f);
	g_string_append_printf(lines, "Content-Type: multipart/mixed;"
	    " boundary=\"=_j_%s\"\n\n--=_j_%s\n", hex, hex);
	add_report(rp, lines);
	g_string_append_printf(lines, "--=_j_%s\n"
	    "Content-Type: message/rfc822\n"
	    "Content-Disposition: attachment\n\n", hex);
	head = render_with_crlf(lines);
	tail = g_strdup_printf("\r\n--=_j_%s--\r\n", hex);
	return render_around(r, head->str, rp->inner, tail, out, err);
}

/* Of a mail of last resort: as it says itself. */
static void
find_nobody(const struct render *r, struct report *rp)
{
	static const char *const names[] = { "whatsapp", "unknown" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		rp->who.list[rp->who.n++] = (struct render_party){
			.role = i == 0 ? RENDER_FROM : RENDER_TO,
			.address = render_format(&rp->scratch, "%s@%s",
			names[i], r->address_domain) };
}

bool
render_journal_report(struct render *r, const struct render_input *in,
    const struct rendered *inner, const struct render_envelope *env,
    struct rendered *out, struct err *err)
{
	struct report rp = { .inner = inner };
	struct rendered report = { 0 };
	bool ok;

	render_scratch_init(&rp.scratch);
	if (in != NULL)
		render_parties_find(r, &rp.scratch, in, NULL, &rp.who);
	else
		find_nobody(r, &rp);
	report.message_id = report_id(r, inner, env);
	report.subject = g_strdup(inner->subject);
	ok = write_report(r, &rp, env, &report, err);
	render_scratch_clear(&rp.scratch);
	if (ok)
		*out = report;
	else
		rendered_clear(&report);
	return ok;
}
