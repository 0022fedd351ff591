/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message: of a customer, an echo of what the business sent, or a line
 * of the history. The common members are read whatever the type is, so that
 * also a notice is filed under its conversation.
 */
#include "wa_content_int.h"

#include <string.h>

/* A message on its way to an item. */
struct reading {
	const struct wa_walk *w;
	struct item *it;
	json_object *o;		/* the element */
	json_object *body;	/* type and content: o, or the request in it */
	enum wa_side side;
	const struct wa_type *row;	/* NULL: the type is not known */
};

static bool
is_of_thread(const struct wa_walk *w, json_object *o, const char *key)
{
	g_autofree char *text = wa_get_text(o, key);
	g_autofree char *digits = wa_digits(text);

	return w->thread != NULL && digits != NULL &&
	    g_strcmp0(digits, w->thread->number) == 0;
}

/*
 * Of a history line only the numbers tell who wrote it: Meta's own example
 * has the customer's user id in from_user_id of what the business sent. Where
 * numbers have two spellings (with and without the 9 of Brazil, the 1 of
 * Mexico) that of the business may be another here than in the metadata; what
 * goes to the customer is of the business all the same.
 */
static bool
thread_is_sent(const struct wa_walk *w, json_object *message)
{
	if (wa_is_business(w, message, "from"))
		return true;
	if (is_of_thread(w, message, "to"))
		return !is_of_thread(w, message, "from");
	return wa_get_any(message, "from") == NULL &&
	    wa_get_any(message, "to") != NULL && !wa_is_business(w, message, "to");
}

static enum item_author
echo_author(const struct wa_walk *w, json_object *message)
{
	g_autofree char *creation = wa_get_text(message,
	    "message_creation_type");

	if (creation != NULL && strstr(creation, "bot") != NULL)
		return ITEM_BOT;
	return g_strcmp0(w->field, "smb_message_echoes") == 0 ||
	    g_strcmp0(w->field, "history") == 0 ?
	    ITEM_UNKNOWN_STAFF : ITEM_OTHER_APP;
}

static void
read_direction(const struct wa_walk *w, struct item *it, json_object *message,
    enum wa_side side)
{
	if (side == WA_ECHO) {
		it->direction = ITEM_SENT;
		it->author = echo_author(w, message);
	} else if (side == WA_THREAD && thread_is_sent(w, message)) {
		it->direction = ITEM_SENT;
		it->author = ITEM_UNKNOWN_STAFF;
	} else {
		it->direction = ITEM_RECEIVED;
		it->author = ITEM_CUSTOMER;
	}
}

static void
read_counterpart(const struct reading *r)
{
	const struct wa_walk *w = r->w;
	struct item *it = r->it;

	if (r->side == WA_THREAD && w->thread != NULL &&
	    wa_party_is_known(w->thread)) {
		wa_party_merge(&it->counterpart, w->thread);
	} else if (it->direction == ITEM_SENT) {
		wa_recipient_read(it, r->o, &wa_to_keys);
		if (r->body != r->o)
			wa_recipient_read(it, r->body, &wa_send_keys);
	} else {
		wa_party_read(&it->counterpart, r->o, &wa_from_keys);
	}
	/* A system message may lack from: the person is in its content. */
	if (!wa_party_is_known(&it->counterpart))
		wa_system_person_read(&it->counterpart,
		    wa_get(r->o, "system", json_type_object));
	if (it->group_id == NULL || wa_party_is_known(&it->counterpart))
		wa_party_match(w, &it->counterpart);
}

static void
read_type(struct reading *r)
{
	struct item *it = r->it;

	it->type_name = wa_get_id(r->body, "type");
	r->row = it->type_name != NULL ? wa_type_find(it->type_name) :
	    wa_type_guess(r->body);
	if (r->row == NULL)
		return;
	it->type = wa_type_refine(r->row, wa_get_any(r->body, r->row->name));
	if (r->row->target != NULL)
		it->target = wa_get_id(wa_get_any(r->body, r->row->name),
		    r->row->target);
	if (r->row->parse == wa_system_parse)
		it->author = ITEM_NETWORK;
}

static char *
make_note(const struct reading *r)
{
	const char *name = r->it->type_name;
	const char *field = r->w->field;
	json_object *content;

	if (r->row == NULL && name == NULL)
		return g_strdup("a message without a type: shown raw");
	if (r->row == NULL)
		return g_strdup_printf("unknown message type %s: shown raw",
		    name);
	if (name == NULL)
		name = r->row->name;
	if (!r->w->full)
		return g_strdup_printf("%s in %s: shown raw", name,
		    field != NULL ? field : "a change without field");
	content = wa_get_any(r->body, r->row->name);
	return g_strdup_printf(wa_is_empty(content) ?
	    "%s without its content: shown raw" :
	    "%s of a form that is not known: shown raw", name);
}

/* The definition of a template stands beside the request that used it. */
static bool
parse_content(const struct reading *r)
{
	json_object *content = wa_get_any(r->body, r->row->name);

	if (r->row->type == ITEM_TYPE_TEMPLATE && r->body != r->o)
		return wa_template_read(r->it, content,
		    wa_get(r->o, "template", json_type_object), r->row->name);
	return r->row->parse(r->it, content, r->row->name);
}

static bool
is_history(const struct reading *r)
{
	return r->side == WA_THREAD || g_strcmp0(r->w->field, "history") == 0;
}

/* Errors in place of the content; a file's other members may still be there. */
static bool
is_withheld(const struct reading *r)
{
	json_object *content = wa_get_any(r->body, r->row->name);

	return r->it->problems != NULL && (wa_is_empty(content) ||
	    (r->row->parse == wa_media_parse &&
	    json_object_is_type(content, json_type_object)));
}

/* A notice with the reason, or a gap with it, if there is no content. */
static void
read_content(const struct reading *r)
{
	struct item *it = r->it;

	if (r->w->full && r->row != NULL && parse_content(r)) {
		it->kind = r->row->kind == ITEM_MESSAGE && is_history(r) ?
		    ITEM_HISTORY : r->row->kind;
	} else if (r->w->full && r->row != NULL && is_withheld(r)) {
		it->kind = ITEM_GAP;
		it->missing = g_strdup(it->type_name);
		it->note = wa_gap_note(it);
	} else {
		it->note = make_note(r);
	}
}

static const char *const people[] = { "from", "from_user_id",
	"from_parent_user_id", "to", "to_user_id", "to_parent_user_id", NULL };

/* A notice shows its raw JSON, which has everything. */
static void
add_rest(const struct reading *r)
{
	const bool nested = r->body != r->o;
	const bool template = nested && r->row != NULL &&
	    r->row->type == ITEM_TYPE_TEMPLATE;

	if (r->it->kind == ITEM_NOTICE)
		return;
	const struct wa_known known[] = { { "id", WA_TEXT }, WA_ENDS_KNOWN,
		{ "group_id", WA_TEXT },
		{ "timestamp", r->it->at_ms != 0 ? WA_TEXT : WA_NONE },
		{ "type", WA_TEXT }, { "errors", WA_LIST },
		{ "context", nested ? WA_NONE : WA_OBJECT },
		{ "referral", nested ? WA_NONE : WA_ANY },
		{ "message", nested ? WA_OBJECT : WA_NONE },
		{ "template", template ? WA_OBJECT : WA_NONE },
		{ r->row->name, nested ? WA_NONE : WA_ANY }, { NULL } };

	wa_rest_add(r->it, "", r->o, known);
	wa_people_add(r->it, r->o, people);
	if (nested)
		wa_request_rest_add(r->it, r->body, r->row);
}

static char *
message_key(const struct item *it, const char *kind, const char *id)
{
	const char *parts[] = { it->business.user_id, id };

	return id != NULL ? wa_key(kind, parts, G_N_ELEMENTS(parts)) : NULL;
}

/* Withheld, or of a known type and not understood. */
static bool
is_without_content(const struct reading *r)
{
	return r->it->kind == ITEM_GAP ||
	    (r->it->kind == ITEM_NOTICE && r->row != NULL);
}

/*
 * What came without its content must not hide the content, which may come
 * later under the same id.
 */
static void
read_keys(const struct reading *r)
{
	struct item *it = r->it;
	const char *answered = it->context != NULL ? it->context->id : NULL;

	it->refers = message_key(it, "m",
	    it->target != NULL ? it->target : answered);
	if (r->side != WA_THREAD || it->type != ITEM_TYPE_MEDIA_PLACEHOLDER)
		it->key = message_key(it, is_without_content(r) ? "u" : "m",
		    it->id);
}

static const char *const members[] = {
	[WA_INBOUND] = "messages", [WA_ECHO] = "message_echoes",
	[WA_THREAD] = "threads",
};

static void
read_message(struct reading *r)
{
	struct item *it = r->it;

	it->id = wa_get_id(r->o, "id");
	it->at_ms = wa_get_time(r->o, "timestamp");
	it->group_id = wa_get_id(r->o, "group_id");
	read_direction(r->w, it, r->o, r->side);
	read_counterpart(r);
	wa_context_parse(it, r->body, "context");
	wa_problems_read(it, r->o);
	read_type(r);
	read_content(r);
	add_rest(r);
	read_keys(r);
}

/* An echo of what another app sent holds the request itself. */
static json_object *
find_body(json_object *message, enum wa_side side)
{
	json_object *request = wa_get(message, "message", json_type_object);

	return side == WA_ECHO && request != NULL &&
	    wa_get_any(message, "type") == NULL ? request : message;
}

/* Of a line without id only its thread says whose chat it is in. */
static char *
make_place(const struct reading *r)
{
	const struct item_party *p = &r->it->counterpart;

	if (r->side != WA_THREAD || r->it->id != NULL)
		return g_strdup(members[r->side]);
	return g_strjoin("|", members[r->side],
	    p->user_id != NULL ? p->user_id : "",
	    p->number != NULL ? p->number : "", NULL);
}

void
wa_message_add(struct wa_walk *w, json_object *message, enum wa_side side)
{
	struct reading r = { .w = w, .o = message, .side = side };
	g_autofree char *place = NULL;

	if (!json_object_is_type(message, json_type_object)) {
		wa_notice_add(w, members[side], message, ITEM_TYPE_UNKNOWN,
		    "an element among the messages that is not an object: "
		    "shown raw");
		return;
	}
	r.body = find_body(message, side);
	r.it = wa_item_begin(w, message);
	read_message(&r);
	place = make_place(&r);
	wa_item_end(w, place, r.it);
}
