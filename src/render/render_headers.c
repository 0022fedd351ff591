/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header fields of a mail, in their fixed order: chatjournal-headers(7)
 * says what each means. All foreign strings pass render_line() or
 * render_ascii() on their way; parameters keep an id whole however long.
 */
#include "render_field.h"
#include "render_int.h"

#include <string.h>

#include "clock.h"
#include "directory.h"
#include "text.h"

#define FORMAT_VERSION "1"
#define CONTRIBUTION_MAX 255
#define HOUR_MS INT64_C(3600000)

struct writer {
	struct render_fields f;
	const struct render *r;
	struct render_turn *t;
	struct render_scratch *s;
	const struct item *first;
	const GArray *pieces;	/* of this mail */
};

/* Under the name that the style has for it. */
static void
begin(struct writer *w, const char *name)
{
	render_field_begin(&w->f, render_style_name(w->t->style, name));
}

static void
add_token(struct writer *w, const char *name, const char *value)
{
	if (value == NULL)
		return;
	begin(w, name);
	render_field_word(&w->f, value);
	render_field_end(&w->f);
}

static void
add_mailboxes(struct writer *w, const char *name, enum render_role role)
{
	const struct render_parties *who = &w->t->who;

	render_field_begin(&w->f, name);
	for (size_t i = 0; i < who->n; i++) {
		const struct render_party *p = &who->list[i];

		if (p->role == role)
			render_field_mailbox(&w->f, render_display_name(w->s,
			    p), p->address);
	}
	render_field_end(&w->f);
}

static void
add_mail_fields(struct writer *w)
{
	char date[CLOCK_RFC5322_SIZE];

	render_field_begin(&w->f, "Date");
	render_field_text(&w->f, clock_rfc5322(w->t->at_ms, date));
	render_field_end(&w->f);
	add_mailboxes(w, "From", RENDER_FROM);
	add_mailboxes(w, "To", RENDER_TO);
	add_mailboxes(w, "Cc", RENDER_CC);
	render_field_begin(&w->f, "Subject");
	render_field_text(&w->f, w->t->subject);
	render_field_end(&w->f);
}

static const char *
in_angles(struct writer *w, const char *id)
{
	return id != NULL ? render_strings(w->s, "<", id, ">", NULL) : NULL;
}

/* The root is virtual: no mail has it, all mails of the thread name it. */
static void
add_thread_fields(struct writer *w)
{
	const char *parent = in_angles(w, render_ascii(w->s,
	    w->t->in->parent_message_id, CONTRIBUTION_MAX));

	add_token(w, "Message-ID", in_angles(w, w->t->message_id));
	add_token(w, "In-Reply-To", parent);
	render_field_begin(&w->f, "References");
	render_field_word(&w->f, render_strings(w->s, "<",
	    w->t->conversation, "@", w->r->domain, ">", NULL));
	if (parent != NULL)
		render_field_word(&w->f, parent);
	render_field_end(&w->f);
}

static bool
is_voice(enum item_type type)
{
	return type == ITEM_TYPE_VOICE || type == ITEM_TYPE_VOICEMAIL;
}

/* RFC 3458. */
static const char *
message_context(const GPtrArray *items)
{
	bool voice = true, media = false;

	for (guint i = 0; i < items->len; i++) {
		const struct item *it = g_ptr_array_index(items, i);

		voice = voice && is_voice(it->type);
		media = media || is_voice(it->type) ||
		    (it->media != NULL && it->media->len > 0);
	}
	return voice ? "voice-message" : media ? "multimedia-message" :
	    "text-message";
}

static const char *
contribution_id(struct writer *w)
{
	const char *id = render_ascii(w->s, w->first->id, SIZE_MAX);

	if (id == NULL || strlen(id) <= CONTRIBUTION_MAX)
		return id;
	return render_format(w->s, "%.*s", CONTRIBUTION_MAX, id);
}

static void
add_chat_fields(struct writer *w)
{
	const char *list = render_list_id(w->r, w->s, w->t->in);
	const struct directory_business *b = w->t->in->business;

	add_token(w, "Conversation-ID", w->t->conversation);
	add_token(w, "Contribution-ID", contribution_id(w));
	add_token(w, "Message-Direction",
	    item_direction_name(w->first->direction));
	add_token(w, "Message-Context", message_context(w->t->in->items));
	add_token(w, "Auto-Submitted", "auto-generated");
	if (list == NULL)
		return;
	begin(w, "List-Id");
	render_field_mailbox(&w->f, b != NULL ? render_line(w->s, b->name,
	    RENDER_NAME_MAX) : NULL, list);
	render_field_end(&w->f);
}

static void
add_types(struct writer *w)
{
	const GPtrArray *items = w->t->in->items;
	bool seen[ITEM_TYPES] = { false };

	begin(w, "X-ChatJournal-Types");
	for (guint i = 0; i < items->len; i++) {
		const struct item *it = g_ptr_array_index(items, i);

		if (!seen[it->type])
			render_field_word(&w->f, item_type_name(it->type));
		seen[it->type] = true;
	}
	render_field_end(&w->f);
}

static void
add_item(struct writer *w, const struct item *it)
{
	char at[CLOCK_ISO_SIZE];

	begin(w, "X-ChatJournal-Item");
	render_field_param(&w->f, "id", render_line(w->s, it->id, SIZE_MAX));
	if (it->at_ms != 0)
		render_field_param(&w->f, "at", clock_iso(it->at_ms, 0, at));
	render_field_param(&w->f, "type", item_type_name(it->type));
	render_field_param(&w->f, "target", render_line(w->s, it->target,
	    SIZE_MAX));
	if (it->context != NULL)
		render_field_param(&w->f, "quotes", render_line(w->s,
		    it->context->id, SIZE_MAX));
	if (w->t->in->is_excluded)
		render_field_param(&w->f, "sha256", render_raw_digest(w->s,
		    it));
	render_field_end(&w->f);
}

static void
add_original(struct writer *w, const struct item *it,
    const struct render_original *o)
{
	char at[CLOCK_ISO_SIZE];

	begin(w, "X-ChatJournal-Original");
	render_field_param(&w->f, "id", render_line(w->s,
	    render_original_id(it), SIZE_MAX));
	render_field_param(&w->f, "held", o->held ? "yes" : "no");
	if (o->held) {
		if (o->at_ms != 0)
			render_field_param(&w->f, "at", clock_iso(o->at_ms, 0,
			    at));
		render_field_param(&w->f, "type", item_type_name(o->type));
		render_field_param(&w->f, "direction",
		    item_direction_name(o->direction));
	}
	render_field_end(&w->f);
}

static void
add_originals(struct writer *w)
{
	const GPtrArray *originals = w->t->in->originals;

	for (guint i = 0; originals != NULL && i < originals->len; i++) {
		if (originals->pdata[i] != NULL)
			add_original(w, w->t->in->items->pdata[i],
			    originals->pdata[i]);
	}
}

static void
add_items(struct writer *w)
{
	const GPtrArray *items = w->t->in->items;

	add_token(w, "X-ChatJournal-Items", render_number(w->s, items->len));
	for (guint i = 0; i < items->len; i++)
		add_item(w, g_ptr_array_index(items, i));
	add_originals(w);
}

/* The party of the business side, of the other side, and of the group. */
static void
add_sides(struct writer *w)
{
	const struct render_party none = { .name = NULL };
	const struct render_party *business = &none, *customer = &none,
	    *group = &none;
	const struct directory_business *b = w->t->in->business;

	for (size_t i = 0; i < w->t->who.n; i++) {
		const struct render_party *p = &w->t->who.list[i];

		if (p->is_group)
			group = p;
		else if (g_str_equal(p->what, "customer"))
			customer = p;
		else if (!g_str_equal(p->what, "network"))
			business = p;
	}
	begin(w, "X-ChatJournal-Business");
	render_field_param(&w->f, "number", business->business_number);
	render_field_param(&w->f, "id", business->business_id);
	if (b != NULL)
		render_field_param(&w->f, "desk", render_line(w->s, b->desk,
		    RENDER_NAME_MAX));
	render_field_param(&w->f, "account", render_line(w->s,
	    w->first->account, SIZE_MAX));
	render_field_end(&w->f);
	begin(w, "X-ChatJournal-Counterpart");
	render_field_param(&w->f, "number", customer->number);
	render_field_param(&w->f, "user-id", customer->user_id);
	render_field_param(&w->f, "parent-user-id", customer->parent_user_id);
	render_field_param(&w->f, "username", customer->username);
	render_field_param(&w->f, "customer-id", customer->customer_id);
	render_field_param(&w->f, "group-id", group->group_id);
	render_field_end(&w->f);
}

static void
add_people(struct writer *w)
{
	const struct directory_staff *staff = w->t->in->staff;

	add_sides(w);
	add_token(w, "X-ChatJournal-Author",
	    item_author_name(w->first->author));
	if (staff == NULL && w->t->in->employee == NULL)
		return;
	begin(w, "X-ChatJournal-Employee");
	render_field_param(&w->f, "id", render_line(w->s, staff != NULL ?
	    staff->id : w->t->in->employee, RENDER_NAME_MAX));
	if (staff != NULL)
		render_field_param(&w->f, "mail", render_line(w->s,
		    staff->mail, RENDER_NAME_MAX));
	render_field_end(&w->f);
}

static void
add_captured(struct writer *w, const struct render_event *ev)
{
	char iso[CLOCK_ISO_SIZE];

	begin(w, "X-ChatJournal-Captured");
	render_field_word(&w->f, clock_iso(ev->received_ms, 1, iso));
	render_field_param(&w->f, "source", render_line(w->s, ev->source,
	    RENDER_NAME_MAX));
	render_field_param(&w->f, "seq", render_number(w->s, ev->seq));
	render_field_end(&w->f);
}

static void
add_events(struct writer *w)
{
	const GPtrArray *events = w->t->in->events;
	char hex[HASH_HEX_SIZE];

	for (guint i = 0; i < events->len; i++)
		add_captured(w, g_ptr_array_index(events, i));
	for (guint i = 0; i < events->len; i++) {
		const struct render_event *ev = g_ptr_array_index(events, i);

		add_token(w, "X-ChatJournal-Event-SHA256",
		    hash_hex(ev->sha256, hex));
	}
}

static const char *
differs(const struct render_media *found)
{
	if (found->hash_differs)
		return found->type_differs ? "hash,type" : "hash";
	return found->type_differs ? "type" : NULL;
}

static void
add_media_declared(struct writer *w, const struct render_file *f)
{
	const struct item_media *m = f->media;

	if (m->filename != NULL)
		render_field_param(&w->f, "name", render_keep(w->s,
		    text_clean_filename(m->filename)));
	render_field_param(&w->f, "type", render_line(w->s, m->mime_type,
	    RENDER_NAME_MAX));
}

static void
add_bytes(struct writer *w, int64_t size, const uint8_t sha256[HASH_SIZE])
{
	char hex[HASH_HEX_SIZE];

	render_field_param(&w->f, "size", render_number(w->s, size));
	render_field_param(&w->f, "sha256", hash_hex(sha256, hex));
}

static void
add_found(struct writer *w, const struct render_file *f)
{
	const struct render_media *found = f->found;

	if (found != NULL && (found->state == RENDER_MEDIA_HELD ||
	    found->state == RENDER_MEDIA_QUARANTINED))
		add_bytes(w, found->size, found->sha256);
	render_field_param(&w->f, "declared-sha256", render_digest(w->s,
	    f->media->sha256));
	render_field_param(&w->f, "status", f->status);
	if (found == NULL)
		return;
	render_field_param(&w->f, "differs", differs(found));
	render_field_param(&w->f, "verdict", render_line(w->s, found->verdict,
	    RENDER_NAME_MAX));
}

/* slice: of a file that is cut, what of it is in this mail; or NULL. */
static void
add_media(struct writer *w, const struct render_file *f,
    const struct render_piece *slice)
{
	begin(w, "X-ChatJournal-Media");
	if (f->media != NULL)
		render_field_param(&w->f, "id", render_line(w->s,
		    f->media->id, SIZE_MAX));
	if (f->name != NULL) {
		render_field_param(&w->f, "name", f->name);
		render_field_param(&w->f, "type", f->type);
	} else if (!w->t->in->is_excluded) {
		add_media_declared(w, f);
	}
	if (f->media != NULL) {
		add_found(w, f);
	} else {
		add_bytes(w, f->size, f->sha256);
		render_field_param(&w->f, "status", f->status);
	}
	render_field_param(&w->f, "part", f->parts);
	if (slice != NULL) {
		render_field_param(&w->f, "slice", slice->name);
		render_field_param(&w->f, "offset", render_format(w->s,
		    "%" G_GINT64_FORMAT, slice->offset));
		render_field_param(&w->f, "bytes", render_format(w->s,
		    "%" G_GINT64_FORMAT, slice->len));
	}
	render_field_end(&w->f);
}

/* A part names what it has, any other mail all files of the turn. */
static void
add_all_media(struct writer *w)
{
	const GPtrArray *files = w->t->files;

	if (w->t->part > 1) {
		for (guint i = 0; i < w->pieces->len; i++) {
			const struct render_piece *p = &g_array_index(
			    w->pieces, struct render_piece, i);

			add_media(w, p->file, p->is_slice ? p : NULL);
		}
		return;
	}
	for (guint i = 0; files != NULL && i < files->len; i++)
		add_media(w, files->pdata[i], NULL);
}

static void
add_limits(struct writer *w)
{
	const struct render_turn *t = w->t;

	if (t->parts > 0)
		add_token(w, "X-ChatJournal-Part", render_format(w->s,
		    "%u/%u", t->part, t->parts));
	if (!t->is_aged)
		return;
	begin(w, "X-ChatJournal-Age");
	render_field_param(&w->f, "age", render_format(w->s,
	    "%" G_GINT64_FORMAT "h", (t->in->now_ms - t->at_ms) / HOUR_MS));
	render_field_param(&w->f, "limit", render_format(w->s,
	    "%" G_GINT64_FORMAT "h", t->style->max_age_ms / HOUR_MS));
	render_field_end(&w->f);
}

static void
add_outlook_fields(struct writer *w)
{
	if (!w->t->style->thread_index)
		return;
	render_field_begin(&w->f, "Thread-Topic");
	render_field_text(&w->f, w->t->topic);
	render_field_end(&w->f);
	add_token(w, "Thread-Index", render_thread_index(w->t));
}

static void
add_recipients(struct writer *w, const char *name)
{
	const struct render_parties *who = &w->t->who;

	render_field_begin(&w->f, name);
	for (size_t i = 0; i < who->n; i++)
		render_field_word(&w->f, render_format(w->s, "%s%s",
		    who->list[i].address, i + 1 < who->n ? "," : ""));
	render_field_end(&w->f);
}

static void
add_wishes(struct writer *w)
{
	const struct render_style *style = w->t->style;
	const GPtrArray *names = style->recipient_headers;

	add_outlook_fields(w);
	g_string_append(w->f.out, style->headers);
	for (guint i = 0; names != NULL && i < names->len; i++)
		add_recipients(w, names->pdata[i]);
}

void
render_headers(const struct render *r, struct render_turn *t,
    const GArray *pieces, GString *out)
{
	struct writer w = { .f.out = out, .r = r, .t = t, .s = &t->scratch,
		.first = g_ptr_array_index(t->in->items, 0),
		.pieces = pieces };

	add_mail_fields(&w);
	add_thread_fields(&w);
	add_chat_fields(&w);
	add_token(&w, "X-ChatJournal-Version", FORMAT_VERSION);
	add_token(&w, "X-ChatJournal-Network", render_ascii(w.s,
	    w.first->network, RENDER_NAME_MAX));
	add_token(&w, "X-ChatJournal-Event", t->in->is_follow_up ? "media"
	    : item_kind_name(w.first->kind));
	add_types(&w);
	if (t->part <= 1)
		add_items(&w);
	add_people(&w);
	if (t->part <= 1)
		add_events(&w);
	add_all_media(&w);
	add_limits(&w);
	render_policy_fields(t, out);
	add_wishes(&w);
	add_token(&w, "MIME-Version", "1.0");
}
