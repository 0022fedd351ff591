/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short mail that tells a supervisor of a rule that fired. It says who,
 * when and under which rule, and names the mail of the turn, which answers
 * find by In-Reply-To; what was said is only there, so that whoever reads
 * alerts need not be allowed to read chats.
 *
 * From and To are made up: neither customer nor employee wrote it, and an
 * answer to it must not reach the person it is about.
 */
#include "render_field.h"
#include "render_view.h"

#include <string.h>

#include "clock.h"

#define COLUMNS 16
#define TEXT_GUESS 1024

struct alert {
	const struct render *r;
	struct render_turn t;
	const char *rule;	/* clean */
	int64_t swallowed;
	char *message_id;	/* owned */
	const char *subject;
};

/* Of the turn's mail and the rule: two alerts of one rule are one mail. */
static char *
alert_id(const struct render *r, const char *turn_id, const char *rule)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	hash_strings(digest, "policy-alert", r->tenant, turn_id, rule, NULL);
	return g_strdup_printf("a.%.32s@%s", hash_hex(digest, hex),
	    r->domain);
}

static const struct render_words *
words_of(const struct alert *a)
{
	return a->t.style->language->words;
}

/* "card-numbers, outgoing", after the word for an alert. */
static const char *
make_subject(struct alert *a)
{
	struct render_scratch *s = &a->t.scratch;
	const char *line = render_format(s, "%s: %s, %s",
	    render_word(words_of(a), WORD("Policy alert")), a->rule,
	    a->t.view.string[T_DIRECTION]);

	return render_line(s, line, RENDER_SUBJECT_MAX);
}

/* ---- text ------------------------------------------------------------------- */

static void
add_line(struct alert *a, GString *out, const char *name, const char *value)
{
	const char *line = render_line(&a->t.scratch, value, SIZE_MAX);

	if (line == NULL)
		return;
	g_string_append(out, render_padded(&a->t.scratch,
	    render_word(words_of(a), name), COLUMNS));
	g_string_append(out, line);
	g_string_append_c(out, '\n');
}

static void
add_policy(struct alert *a, GString *out)
{
	const struct render_policy *p = a->t.in->policy;
	struct render_scratch *s = &a->t.scratch;

	add_line(a, out, WORD("rule"), a->rule);
	if (p == NULL)
		return;
	add_line(a, out, WORD("tags"), render_joined(s, p->tags, ", "));
	add_line(a, out, WORD("verdict"), p->word);
	add_line(a, out, WORD("rule set"), p->set);
}

static void
add_parties(struct alert *a, GString *out)
{
	const GPtrArray *parties = a->t.view.list[T_PARTIES];

	for (guint i = 0; i < parties->len; i++) {
		const struct template_scope *p = parties->pdata[i];

		g_string_append_printf(out, "%s%s (%s), %s\n",
		    p->string[P_ROLE_PADDED], p->string[P_NAME],
		    p->string[P_WHAT], p->string[P_ADDRESS]);
	}
}

static void
add_where(struct alert *a, GString *out)
{
	const struct template_scope *v = &a->t.view;

	add_line(a, out, WORD("direction"), v->string[T_DIRECTION]);
	add_parties(a, out);
	add_line(a, out, WORD("desk"), v->string[T_DESK]);
	add_line(a, out, WORD("time"), v->string[T_FIRST]);
	if (v->string[T_FIRST_LOCAL] != NULL)
		add_line(a, out, WORD("local time"), render_format(
		    &a->t.scratch, "%s (%s)", v->string[T_FIRST_LOCAL],
		    v->string[T_ZONE]));
	add_line(a, out, "Message-ID", a->t.message_id);
}

static GString *
make_text(struct alert *a)
{
	GString *out = g_string_sized_new(TEXT_GUESS);

	g_string_append_printf(out, "%s\n\n", a->subject);
	add_policy(a, out);
	add_where(a, out);
	if (a->swallowed > 0)
		add_line(a, out, WORD("not reported"), render_count(
		    words_of(a), &a->t.scratch, (guint)MIN(a->swallowed,
		    (int64_t)G_MAXINT32),
		    "%u alert of this rule since the last one",
		    WORD("%u alerts of this rule since the last one")));
	g_string_append_printf(out, "\n%s\n", render_word(words_of(a),
	    WORD("What was said is in the mail with this Message-ID.")));
	return out;
}

/* ---- fields ----------------------------------------------------------------- */

static void
add_mailbox(struct alert *a, struct render_fields *f, const char *field,
    const char *name)
{
	render_field_begin(f, field);
	render_field_mailbox(f, name, render_format(&a->t.scratch, "%s@%s",
	    name, a->r->address_domain));
	render_field_end(f);
}

static void
add_text(struct render_fields *f, const char *name, const char *text)
{
	render_field_begin(f, name);
	render_field_text(f, text);
	render_field_end(f);
}

/* An archive that wants a header wants it of every mail. */
static void
add_wishes(struct alert *a, struct render_fields *f)
{
	const GPtrArray *names = a->t.style->recipient_headers;
	const char *domain = a->r->address_domain;

	g_string_append(f->out, a->t.style->headers);
	for (guint i = 0; names != NULL && i < names->len; i++) {
		render_field_begin(f, names->pdata[i]);
		render_field_word(f, render_format(&a->t.scratch,
		    "chatjournal@%s,", domain));
		render_field_word(f, render_format(&a->t.scratch,
		    "supervisor@%s", domain));
		render_field_end(f);
	}
}

static void
add_fields(struct alert *a, GString *out)
{
	struct render_fields f = { .out = out };
	char date[CLOCK_RFC5322_SIZE];

	add_text(&f, "Date", clock_rfc5322(a->t.at_ms, date));
	add_mailbox(a, &f, "From", "chatjournal");
	add_mailbox(a, &f, "To", "supervisor");
	add_text(&f, "Subject", a->subject);
	g_string_append_printf(out, "Message-ID: <%s>\nIn-Reply-To: <%s>\n"
	    "References: <%s@%s>\n <%s>\n%s: %s\n"
	    "Auto-Submitted: auto-generated\n", a->message_id,
	    a->t.message_id, a->t.conversation, a->r->domain,
	    a->t.message_id, render_style_name(a->t.style, "Conversation-ID"),
	    a->t.conversation);
	render_field_begin(&f, render_style_name(a->t.style,
	    "X-ChatJournal-Alert"));
	render_field_param(&f, "rule", a->rule);
	if (a->swallowed > 0)
		render_field_param(&f, "not-reported", render_format(
		    &a->t.scratch, "%" G_GINT64_FORMAT, a->swallowed));
	render_field_end(&f);
	add_wishes(a, &f);
	g_string_append(out, "MIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n");
}

/* ---- the mail ---------------------------------------------------------------- */

static bool
write_alert(struct alert *a, struct rendered *out, struct err *err)
{
	g_autoptr(GString) text = make_text(a), lines = NULL, mail = NULL;
	const struct rendered nothing = { .bytes = g_bytes_new(NULL, 0) };
	bool ok;

	lines = g_string_sized_new(2 * TEXT_GUESS);
	add_fields(a, lines);
	mail = render_with_crlf(lines);
	render_quoted_printable(mail, text->str, text->len);
	ok = render_around(a->r, mail->str, &nothing, "", out, err);
	g_bytes_unref(nothing.bytes);
	return ok;
}

static bool
make_alert(struct alert *a, struct rendered *out, struct err *err)
{
	struct rendered mail = { 0 };

	a->message_id = alert_id(a->r, a->t.message_id, a->rule);
	a->subject = make_subject(a);
	if (!write_alert(a, &mail, err))
		return false;
	mail.message_id = g_steal_pointer(&a->message_id);
	mail.subject = g_strdup(a->subject);
	*out = mail;
	return true;
}

bool
render_alert(struct render *r, const struct render_style *style,
    const struct render_input *in, const char *rule, int64_t swallowed,
    struct rendered *out, struct err *err)
{
	struct alert a = { .r = r, .swallowed = swallowed };
	bool ok = render_turn_begin(r, style, in, &a.t, err);

	if (ok) {
		const char *line = render_line(&a.t.scratch, rule,
		    RENDER_NAME_MAX);

		a.rule = line != NULL ? line : "?";
		ok = make_alert(&a, out, err);
	}
	g_free(a.message_id);
	render_turn_clear(&a.t);
	return ok;
}
