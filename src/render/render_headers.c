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

struct writer {
	struct render_fields f;
	const struct render *r;
	struct render_turn *t;
	struct render_scratch *s;
	const struct item *first;
};

static void
add_token(struct writer *w, const char *name, const char *value)
{
	if (value == NULL)
		return;
	render_field_begin(&w->f, name);
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
	return id != NULL ? render_format(w->s, "<%s>", id) : NULL;
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
	render_field_word(&w->f, render_format(w->s, "<%s@%s>",
	    w->t->conversation, w->r->domain));
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
	render_field_begin(&w->f, "List-Id");
	render_field_mailbox(&w->f, b != NULL ? render_line(w->s, b->name,
	    RENDER_NAME_MAX) : NULL, list);
	render_field_end(&w->f);
}

static void
add_types(struct writer *w)
{
	const GPtrArray *items = w->t->in->items;
	bool seen[ITEM_TYPES] = { false };

	render_field_begin(&w->f, "X-ChatJournal-Types");
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

	render_field_begin(&w->f, "X-ChatJournal-Item");
	render_field_param(&w->f, "id", render_line(w->s, it->id, SIZE_MAX));
	if (it->at_ms != 0)
		render_field_param(&w->f, "at", clock_iso(it->at_ms, 0, at));
	render_field_param(&w->f, "type", item_type_name(it->type));
	render_field_param(&w->f, "target", render_line(w->s, it->target,
	    SIZE_MAX));
	if (it->context != NULL)
		render_field_param(&w->f, "quotes", render_line(w->s,
		    it->context->id, SIZE_MAX));
	render_field_end(&w->f);
}

static void
add_items(struct writer *w)
{
	const GPtrArray *items = w->t->in->items;

	add_token(w, "X-ChatJournal-Items", render_format(w->s, "%u",
	    items->len));
	for (guint i = 0; i < items->len; i++)
		add_item(w, g_ptr_array_index(items, i));
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
	render_field_begin(&w->f, "X-ChatJournal-Business");
	render_field_param(&w->f, "number", business->business_number);
	render_field_param(&w->f, "id", business->business_id);
	if (b != NULL)
		render_field_param(&w->f, "desk", render_line(w->s, b->desk,
		    RENDER_NAME_MAX));
	render_field_param(&w->f, "account", render_line(w->s,
	    w->first->account, SIZE_MAX));
	render_field_end(&w->f);
	render_field_begin(&w->f, "X-ChatJournal-Counterpart");
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
	if (staff == NULL)
		return;
	render_field_begin(&w->f, "X-ChatJournal-Employee");
	render_field_param(&w->f, "id", render_line(w->s, staff->id,
	    RENDER_NAME_MAX));
	render_field_param(&w->f, "mail", render_line(w->s, staff->mail,
	    RENDER_NAME_MAX));
	render_field_end(&w->f);
}

static void
add_captured(struct writer *w, const struct render_event *ev)
{
	char iso[CLOCK_ISO_SIZE];

	render_field_begin(&w->f, "X-ChatJournal-Captured");
	render_field_word(&w->f, clock_iso(ev->received_ms, 1, iso));
	render_field_param(&w->f, "source", render_line(w->s, ev->source,
	    RENDER_NAME_MAX));
	render_field_param(&w->f, "seq", render_format(w->s,
	    "%" G_GINT64_FORMAT, ev->seq));
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

static void
add_media(struct writer *w, const struct item_media *m)
{
	render_field_begin(&w->f, "X-ChatJournal-Media");
	render_field_param(&w->f, "id", render_line(w->s, m->id, SIZE_MAX));
	if (m->filename != NULL)
		render_field_param(&w->f, "name", render_keep(w->s,
		    text_clean_filename(m->filename)));
	render_field_param(&w->f, "type", render_line(w->s, m->mime_type,
	    RENDER_NAME_MAX));
	render_field_param(&w->f, "declared-sha256", render_digest(w->s,
	    m->sha256));
	render_field_param(&w->f, "status", "not-attached");
	render_field_end(&w->f);
}

static void
add_all_media(struct writer *w)
{
	const GPtrArray *items = w->t->in->items;

	for (guint i = 0; i < items->len; i++) {
		const struct item *it = g_ptr_array_index(items, i);

		for (guint j = 0; it->media != NULL && j < it->media->len; j++)
			add_media(w, g_ptr_array_index(it->media, j));
	}
}

void
render_headers(const struct render *r, struct render_turn *t, GString *out)
{
	struct writer w = { .f.out = out, .r = r, .t = t, .s = &t->scratch,
		.first = g_ptr_array_index(t->in->items, 0) };

	add_mail_fields(&w);
	add_thread_fields(&w);
	add_chat_fields(&w);
	add_token(&w, "X-ChatJournal-Version", FORMAT_VERSION);
	add_token(&w, "X-ChatJournal-Network", render_ascii(w.s,
	    w.first->network, RENDER_NAME_MAX));
	add_token(&w, "X-ChatJournal-Event", item_kind_name(w.first->kind));
	add_types(&w);
	add_items(&w);
	add_people(&w);
	add_events(&w);
	add_all_media(&w);
	add_token(&w, "MIME-Version", "1.0");
}
