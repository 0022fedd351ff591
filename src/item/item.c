/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and freeing items, and the words for their kinds. Knows no network
 * and interprets nothing.
 */
#include "item.h"

struct item *
item_new(enum item_kind kind, enum item_type type)
{
	struct item *it = g_new0(struct item, 1);

	it->kind = kind;
	it->type = type;
	return it;
}

void
item_party_clear(struct item_party *p)
{
	g_clear_pointer(&p->number, g_free);
	g_clear_pointer(&p->user_id, g_free);
	g_clear_pointer(&p->parent_user_id, g_free);
	g_clear_pointer(&p->username, g_free);
	g_clear_pointer(&p->name, g_free);
}

void
item_party_copy(struct item_party *to, const struct item_party *from)
{
	to->number = g_strdup(from->number);
	to->user_id = g_strdup(from->user_id);
	to->parent_user_id = g_strdup(from->parent_user_id);
	to->username = g_strdup(from->username);
	to->name = g_strdup(from->name);
}

static void
free_context(struct item_context *c)
{
	if (c == NULL)
		return;
	g_free(c->id);
	g_free(c->from);
	g_free(c->catalog_id);
	g_free(c->product_id);
	g_free(c->referral);
	g_free(c);
}

static void
free_location(struct item_location *l)
{
	if (l == NULL)
		return;
	g_free(l->latitude);
	g_free(l->longitude);
	g_free(l->name);
	g_free(l->address);
	g_free(l->url);
	g_free(l);
}

static void
free_reply(struct item_reply *r)
{
	if (r == NULL)
		return;
	g_free(r->id);
	g_free(r->title);
	g_free(r->description);
	g_free(r->name);
	g_free(r->body);
	g_free(r->json);
	g_free(r);
}

static void
free_receipt(struct item_receipt *r)
{
	if (r == NULL)
		return;
	g_free(r->status);
	g_free(r->recipient);
	g_free(r->recipient_user_id);
	g_free(r->callback_data);
	g_free(r);
}

static void
free_call(struct item_call *c)
{
	if (c == NULL)
		return;
	g_free(c->event);
	g_free(c->status);
	g_free(c->direction);
	g_free(c);
}

static void
free_media(gpointer element)
{
	struct item_media *m = element;

	g_free(m->id);
	g_free(m->url);
	g_free(m->mime_type);
	g_free(m->sha256);
	g_free(m->caption);
	g_free(m->filename);
	g_free(m);
}

static void
free_problem(gpointer element)
{
	struct item_problem *p = element;

	g_free(p->code);
	g_free(p->title);
	g_free(p->message);
	g_free(p->details);
	g_free(p);
}

static void
free_order_line(gpointer element)
{
	struct item_order_line *o = element;

	g_free(o->product_id);
	g_free(o->quantity);
	g_free(o->price);
	g_free(o->currency);
	g_free(o);
}

static void
free_fact(gpointer element)
{
	struct item_fact *f = element;

	g_free(f->name);
	g_free(f->value);
	g_free(f);
}

static void
free_card(gpointer element)
{
	struct item_card *c = element;

	g_free(c->name);
	g_clear_pointer(&c->facts, g_ptr_array_unref);
	g_free(c);
}

static void
free_template(struct item_template *t)
{
	if (t == NULL)
		return;
	g_free(t->name);
	g_free(t->language);
	g_free(t->category);
	g_free(t->header);
	g_free(t->footer);
	g_clear_pointer(&t->buttons, g_ptr_array_unref);
	g_free(t);
}

static void
free_send(struct item_send *s)
{
	if (s == NULL)
		return;
	g_free(s->key);
	g_free(s->outcome);
	g_free(s->application);
	g_free(s->employee);
	g_free(s->status);
	g_free(s->reason);
	g_free(s->verdict);
	g_free(s->text_before);
	g_clear_pointer(&s->reviews, g_ptr_array_unref);
	g_free(s);
}

static void
free_identity(struct item_identity *i)
{
	if (i == NULL)
		return;
	item_party_clear(&i->before);
	item_party_clear(&i->after);
	g_free(i);
}

void
item_free(struct item *it)
{
	if (it == NULL)
		return;
	g_free(it->network);
	g_free(it->field);
	g_free(it->type_name);
	g_free(it->key);
	g_free(it->id);
	g_free(it->target);
	g_free(it->refers);
	g_free(it->account);
	item_party_clear(&it->business);
	item_party_clear(&it->counterpart);
	g_free(it->group_id);
	g_free(it->text);
	g_free(it->note);
	g_free(it->missing);
	free_context(it->context);
	free_location(it->location);
	free_reply(it->reply);
	free_receipt(it->receipt);
	free_call(it->call);
	free_template(it->template);
	free_identity(it->identity);
	free_send(it->send);
	g_clear_pointer(&it->media, g_ptr_array_unref);
	g_clear_pointer(&it->order, g_ptr_array_unref);
	g_clear_pointer(&it->cards, g_ptr_array_unref);
	g_clear_pointer(&it->answers, g_ptr_array_unref);
	g_clear_pointer(&it->facts, g_ptr_array_unref);
	g_clear_pointer(&it->problems, g_ptr_array_unref);
	g_free(it->variant_of);
	g_free(it->raw);
	g_free(it);
}

static void
free_item(gpointer element)
{
	item_free(element);
}

GPtrArray *
item_list_new(void)
{
	return g_ptr_array_new_with_free_func(free_item);
}

/* The list is made with its first element: NULL means there is none. */
static void
add_to(GPtrArray **list, GDestroyNotify free_fn, gpointer element)
{
	if (*list == NULL)
		*list = g_ptr_array_new_with_free_func(free_fn);
	g_ptr_array_add(*list, element);
}

struct item_media *
item_media_add(struct item *it)
{
	struct item_media *m = g_new0(struct item_media, 1);

	add_to(&it->media, free_media, m);
	return m;
}

struct item_problem *
item_problem_add(struct item *it)
{
	struct item_problem *p = g_new0(struct item_problem, 1);

	add_to(&it->problems, free_problem, p);
	return p;
}

struct item_order_line *
item_order_add(struct item *it)
{
	struct item_order_line *o = g_new0(struct item_order_line, 1);

	add_to(&it->order, free_order_line, o);
	return o;
}

void
item_fact_list_add(GPtrArray **list, const char *name, const char *value)
{
	struct item_fact *f;

	if (value == NULL)
		return;
	f = g_new0(struct item_fact, 1);
	f->name = g_strdup(name);
	f->value = g_strdup(value);
	add_to(list, free_fact, f);
}

void
item_fact_add(struct item *it, const char *name, const char *value)
{
	item_fact_list_add(&it->facts, name, value);
}

const char *
item_fact_get(const struct item *it, const char *name)
{
	for (guint i = 0; it->facts != NULL && i < it->facts->len; i++) {
		const struct item_fact *f = it->facts->pdata[i];

		if (strcmp(f->name, name) == 0)
			return f->value;
	}
	return NULL;
}

void
item_answer_add(struct item *it, const char *name, const char *value)
{
	item_fact_list_add(&it->answers, name, value);
}

void
item_review_add(struct item *it, const char *verb, const char *value)
{
	item_fact_list_add(&item_send_get(it)->reviews, verb, value);
}

struct item_card *
item_card_add(struct item *it)
{
	struct item_card *c = g_new0(struct item_card, 1);

	add_to(&it->cards, free_card, c);
	return c;
}

void
item_card_fact_add(struct item_card *card, const char *name,
    const char *value)
{
	item_fact_list_add(&card->facts, name, value);
}

struct item_template *
item_template_get(struct item *it)
{
	if (it->template == NULL)
		it->template = g_new0(struct item_template, 1);
	return it->template;
}

struct item_send *
item_send_get(struct item *it)
{
	if (it->send == NULL)
		it->send = g_new0(struct item_send, 1);
	return it->send;
}

struct item_identity *
item_identity_get(struct item *it)
{
	if (it->identity == NULL)
		it->identity = g_new0(struct item_identity, 1);
	return it->identity;
}

void
item_button_add(struct item *it, const char *title)
{
	if (title != NULL)
		add_to(&item_template_get(it)->buttons, g_free,
		    g_strdup(title));
}

const char *
item_kind_name(enum item_kind kind)
{
	static const char *const names[ITEM_KINDS] = {
		[ITEM_MESSAGE] = "message", [ITEM_EDIT] = "edit",
		[ITEM_REVOKE] = "revoke", [ITEM_REACTION] = "reaction",
		[ITEM_RECEIPT] = "receipt", [ITEM_SYSTEM] = "system",
		[ITEM_CALL] = "call", [ITEM_GROUP] = "group",
		[ITEM_HISTORY] = "history", [ITEM_GAP] = "gap",
		[ITEM_NOTICE] = "notice", [ITEM_ACCOUNT] = "account",
		[ITEM_ATTEMPT] = "attempt",
	};

	return kind < ITEM_KINDS ? names[kind] : "notice";
}

const char *
item_type_name(enum item_type type)
{
	static const char *const names[ITEM_TYPES] = {
		[ITEM_TYPE_UNKNOWN] = "unknown",
		[ITEM_TYPE_TEXT] = "text",
		[ITEM_TYPE_IMAGE] = "image",
		[ITEM_TYPE_VIDEO] = "video",
		[ITEM_TYPE_AUDIO] = "audio",
		[ITEM_TYPE_VOICE] = "voice",
		[ITEM_TYPE_VOICEMAIL] = "voicemail",
		[ITEM_TYPE_DOCUMENT] = "document",
		[ITEM_TYPE_STICKER] = "sticker",
		[ITEM_TYPE_LOCATION] = "location",
		[ITEM_TYPE_CONTACTS] = "contacts",
		[ITEM_TYPE_BUTTON_REPLY] = "button-reply",
		[ITEM_TYPE_LIST_REPLY] = "list-reply",
		[ITEM_TYPE_FLOW_REPLY] = "flow-reply",
		[ITEM_TYPE_CALL_PERMISSION_REPLY] = "call-permission-reply",
		[ITEM_TYPE_PAYMENT] = "payment",
		[ITEM_TYPE_INTERACTIVE] = "interactive",
		[ITEM_TYPE_TEMPLATE] = "template",
		[ITEM_TYPE_ORDER] = "order",
		[ITEM_TYPE_WELCOME_REQUEST] = "welcome-request",
		[ITEM_TYPE_MEDIA_PLACEHOLDER] = "media-placeholder",
		[ITEM_TYPE_UNSUPPORTED] = "unsupported",
		[ITEM_TYPE_EDIT] = "edit",
		[ITEM_TYPE_REVOKE] = "revoke",
		[ITEM_TYPE_REACTION] = "reaction",
		[ITEM_TYPE_STATUS] = "status",
		[ITEM_TYPE_PIN] = "pin",
		[ITEM_TYPE_NUMBER_CHANGED] = "number-changed",
		[ITEM_TYPE_USER_ID_CHANGED] = "user-id-changed",
		[ITEM_TYPE_IDENTITY_CHANGED] = "identity-changed",
		[ITEM_TYPE_HANDOVER] = "handover",
		[ITEM_TYPE_PREFERENCE] = "preference",
		[ITEM_TYPE_CONTACT_SYNC] = "contact-sync",
		[ITEM_TYPE_CONTEXT_SUMMARY] = "context-summary",
		[ITEM_TYPE_USER_ACTION] = "user-action",
		[ITEM_TYPE_USERNAME] = "username",
		[ITEM_TYPE_INFERRED_EVENT] = "inferred-event",
		[ITEM_TYPE_IDENTITY] = "identity",
		[ITEM_TYPE_RESOLVED] = "resolved",
		[ITEM_TYPE_CALL_CONNECT] = "call-connect",
		[ITEM_TYPE_CALL_TERMINATE] = "call-terminate",
		[ITEM_TYPE_CALL_CREATED] = "call-created",
		[ITEM_TYPE_CALL_STATUS] = "call-status",
		[ITEM_TYPE_CALL_RECORDING] = "call-recording",
		[ITEM_TYPE_CALL_TRANSCRIPT] = "call-transcript",
		[ITEM_TYPE_GROUP_LIFECYCLE] = "group-lifecycle",
		[ITEM_TYPE_GROUP_PARTICIPANTS] = "group-participants",
		[ITEM_TYPE_GROUP_SETTINGS] = "group-settings",
		[ITEM_TYPE_GROUP_STATUS] = "group-status",
		[ITEM_TYPE_HISTORY_CHUNK] = "history-chunk",
		[ITEM_TYPE_HISTORY_DECLINED] = "history-declined",
		[ITEM_TYPE_TEMPLATE_EVENT] = "template-event",
		[ITEM_TYPE_ACCOUNT_EVENT] = "account-event",
		[ITEM_TYPE_NUMBER_EVENT] = "number-event",
		[ITEM_TYPE_ERROR] = "error",
		[ITEM_TYPE_CONTENT_OFF] = "content-off",
		[ITEM_TYPE_RAW] = "raw",
	};

	return type < ITEM_TYPES ? names[type] : "unknown";
}

const char *
item_direction_name(enum item_direction direction)
{
	return direction == ITEM_SENT ? "sent" : "received";
}

const char *
item_author_name(enum item_author author)
{
	static const char *const names[ITEM_AUTHORS] = {
		[ITEM_CUSTOMER] = "customer", [ITEM_STAFF] = "staff",
		[ITEM_BOT] = "bot", [ITEM_OTHER_APP] = "other-app",
		[ITEM_UNKNOWN_STAFF] = "unknown-staff",
		[ITEM_NETWORK] = "network",
	};

	return author < ITEM_AUTHORS ? names[author] : "network";
}

bool
item_is_groupable(const struct item *it)
{
	return it->kind == ITEM_MESSAGE;
}
