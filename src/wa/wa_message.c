/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message: of a customer, an echo of what the business sent, or a line
 * of the history. The common members are read whatever the type is, so that
 * also a notice is filed under its conversation.
 */
#include "wa_int.h"

#include <string.h>

/* Members of a Send API request, which standby echoes carry. */
static const struct wa_party_keys send_keys = {
	.number = "to", .user_id = "recipient",
};

/*
 * Of a history line only the number tells who wrote it: Meta's own example
 * has the customer's user id in from_user_id of what the business sent.
 */
static bool
thread_is_sent(const struct wa_walk *w, json_object *message)
{
	if (wa_is_business(w, message, "from"))
		return true;
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

/* What is sent to a group names the group where the person would be. */
static void
read_recipient(struct item *it, json_object *o, const struct wa_party_keys *keys)
{
	g_autofree char *kind = wa_get_text(o, "recipient_type");

	if (g_strcmp0(kind, "group") != 0) {
		wa_party_read(&it->counterpart, o, keys);
	} else if (it->group_id == NULL) {
		it->group_id = wa_get_id(o, "to");
	}
}

static void
read_counterpart(const struct wa_walk *w, struct item *it,
    json_object *message, enum wa_side side)
{
	json_object *sent = wa_get(message, "message", json_type_object);

	if (side == WA_THREAD && w->thread != NULL &&
	    wa_party_is_known(w->thread)) {
		wa_party_merge(&it->counterpart, w->thread);
	} else if (it->direction == ITEM_SENT) {
		read_recipient(it, message, &wa_to_keys);
		if (side == WA_ECHO && sent != NULL)
			read_recipient(it, sent, &send_keys);
	} else {
		wa_party_read(&it->counterpart, message, &wa_from_keys);
	}
	/* A system message may lack from: the person is in its content. */
	if (!wa_party_is_known(&it->counterpart))
		wa_party_read(&it->counterpart,
		    wa_get(message, "system", json_type_object),
		    &wa_plain_keys);
	if (it->group_id == NULL || wa_party_is_known(&it->counterpart))
		wa_party_match(w, &it->counterpart);
}

/* The type's own word; standby echoes have it in the request they carry. */
static char *
get_type_name(json_object *message)
{
	char *name = wa_get_id(message, "type");

	if (name == NULL)
		name = wa_get_id(wa_get_any(message, "message"), "type");
	return name;
}

static void
refine_type(struct item *it, const struct wa_type *row, json_object *content)
{
	it->type = row->type;
	if (row->words != NULL) {
		g_autofree char *word = wa_get_text(content, "type");

		it->type = wa_word_find(row->words, word, row->type);
	}
	if (row->target != NULL)
		it->target = wa_get_id(content, row->target);
	if (strcmp(row->name, "system") == 0)
		it->author = ITEM_NETWORK;
}

static char *
make_note(const struct wa_walk *w, const struct item *it,
    const struct wa_type *row)
{
	const char *name = it->type_name;

	if (name == NULL && row == NULL)
		return g_strdup("a message without a type: shown raw");
	if (name == NULL)
		return g_strdup_printf("a message without a type (%s): "
		    "shown raw", row->name);
	if (row == NULL)
		return g_strdup_printf("unknown message type %s: shown raw",
		    name);
	if (!w->full)
		return g_strdup_printf("%s in %s: shown raw", name,
		    w->field != NULL ? w->field : "a change without field");
	if (row->parse != NULL)
		return g_strdup_printf("%s without its content: shown raw",
		    name);
	return g_strdup_printf("%s: shown raw", name);
}

/* Sets kind and content; a notice with the reason if there is no more. */
static void
read_content(const struct wa_walk *w, struct item *it, json_object *message)
{
	const struct wa_type *row;
	json_object *content = NULL;

	it->type_name = get_type_name(message);
	row = it->type_name != NULL ? wa_type_find(it->type_name) :
	    wa_type_guess(message);
	if (row != NULL) {
		content = wa_get_any(message, row->name);
		refine_type(it, row, content);
	}
	if (w->full && it->type_name != NULL && row != NULL &&
	    row->parse != NULL && row->parse(it, content))
		it->kind = row->kind;
	else
		it->note = make_note(w, it, row);
}

static char *
message_key(const struct item *it, const char *id)
{
	const char *parts[] = { it->business.user_id, id };

	return id != NULL ? wa_key("m", parts, G_N_ELEMENTS(parts)) : NULL;
}

static void
read_keys(struct item *it, enum wa_side side)
{
	const char *answered = it->context != NULL ? it->context->id : NULL;

	it->refers = message_key(it,
	    it->target != NULL ? it->target : answered);
	/* The history's placeholder must not hide the message behind it. */
	if (side != WA_THREAD || it->type != ITEM_TYPE_MEDIA_PLACEHOLDER)
		it->key = message_key(it, it->id);
}

static const char *const members[] = {
	[WA_INBOUND] = "messages", [WA_ECHO] = "message_echoes",
	[WA_THREAD] = "threads",
};

void
wa_message_add(struct wa_walk *w, json_object *message, enum wa_side side)
{
	struct item *it;

	if (!json_object_is_type(message, json_type_object)) {
		wa_notice_add(w, members[side], message, ITEM_TYPE_UNKNOWN,
		    "an element among the messages that is not an object: "
		    "shown raw");
		return;
	}
	it = wa_item_begin(w, message);
	it->id = wa_get_id(message, "id");
	it->at_ms = wa_get_time(message, "timestamp");
	it->group_id = wa_get_id(message, "group_id");
	read_direction(w, it, message, side);
	read_counterpart(w, it, message, side);
	wa_context_parse(it, message);
	wa_problems_read(it, message);
	read_content(w, it, message);
	read_keys(it, side);
	wa_item_end(w, members[side], it);
}
