/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was asked for in a record of the gateway: a message, as it was sent if
 * policy changed it; a call; or anything else, as facts. A message that did not
 * leave is an attempt, and has its facts also where it was not understood.
 */
#include "wa_content_int.h"
#include "wa_record_int.h"

#include <string.h>

/* ---- messages ---------------------------------------------------------------- */

/* The members of o that are others in the one compared with, or not there. */
static json_object *
difference(json_object *o, json_object *with, const char *said)
{
	json_object *out = NULL;

	json_object_object_foreach(o, key, member) {
		json_object *other = wa_get_any(with, key);
		g_autofree char *text = wa_text(member);
		json_object *part;

		if (json_object_equal(member, other) ||
		    (text != NULL && g_strcmp0(text, said) == 0))
			continue;
		part = json_object_is_type(member, json_type_object) &&
		    json_object_is_type(other, json_type_object) ?
		    difference(member, other, said) : json_object_get(member);
		if (out == NULL)
			out = json_object_new_object();
		json_object_object_add(out, key, part);
	}
	return out;
}

/* What staff asked for where policy sent another thing. */
static void
add_request_before(struct wa_record *r)
{
	auto_item *before = item_new(ITEM_NOTICE, ITEM_TYPE_UNKNOWN);
	json_object *rest;

	if (r->sent == NULL || r->request == NULL)
		return;
	if (wa_request_read(before, r->request, NULL) && before->text != NULL &&
	    g_strcmp0(before->text, r->it->text) != 0)
		r->it->send->text_before = g_strdup(before->text);
	rest = difference(r->request, r->sent, r->it->send->text_before);
	if (rest != NULL)
		wa_rest_add(r->it, "request", rest, NULL);
	json_object_put(rest);
}

/* The gateway's own mark says no more than the send's key. */
static void
drop_mark(json_object *body, const char *key)
{
	g_autofree char *mark = wa_get_text(body, "biz_opaque_callback_data");
	g_autofree char *own = g_strconcat(WA_CALLBACK_PREFIX, key, NULL);

	if (g_strcmp0(mark, own) == 0)
		json_object_object_del(body, "biz_opaque_callback_data");
}

/* By the network's own ids first: it may spell a number in another way. */
static void
read_person(struct wa_record *r, json_object *body)
{
	g_autofree char *kind = wa_get_text(body, "recipient_type");

	if (g_strcmp0(kind, "group") != 0)
		wa_party_read(&r->it->counterpart,
		    wa_record_first(r->response, "contacts"), &wa_plain_keys);
}

static void
become(struct wa_record *r, bool understood, json_object *body)
{
	struct item *it = r->it;
	g_autofree char *note = g_steal_pointer(&it->note);

	if (!wa_record_has_left(r)) {
		it->kind = ITEM_ATTEMPT;
		it->note = g_strdup(note);
		if (!understood && body != NULL)
			wa_request_rest_add(it, body, NULL);
	} else if (!understood) {
		it->note = g_strconcat(note, ": shown raw", NULL);
	}
}

static void
read_message(struct wa_record *r)
{
	json_object *body = r->sent != NULL ? r->sent : r->request;
	json_object *definition = wa_get(r->root, "definition",
	    json_type_object);
	struct item *it = r->it;
	bool understood = false;

	if (definition != NULL)
		wa_definition_trim(definition);
	if (body != NULL) {
		drop_mark(body, it->send->key);
		read_person(r, body);
		understood = wa_request_read(it, body, definition);
	} else {
		it->note = g_strdup("a message without a type");
	}
	become(r, understood, body);
	add_request_before(r);
	it->id = wa_get_id(wa_record_first(r->response, "messages"), "id");
}

/* ---- what else goes through -------------------------------------------------- */

static void
add_request(struct wa_record *r, const struct wa_known *known)
{
	static const char *const people[] = { "to", "recipient", NULL };

	wa_rest_add(r->it, "request", r->sent != NULL ? r->sent : r->request,
	    known);
	wa_people_add(r->it, r->request, people);
	if (r->sent != NULL)
		add_request_before(r);
}

static void
read_call(struct wa_record *r)
{
	/* The session tells addresses of a phone: it is in the raw JSON. */
	static const struct wa_known known[] = { { "to", WA_TEXT },
		{ "recipient", WA_TEXT }, { "action", WA_TEXT },
		{ "messaging_product", WA_TEXT }, { "call_id", WA_TEXT },
		{ "session", WA_ANY }, { "connection", WA_ANY }, { NULL } };
	static const struct wa_word words[] = {
		{ "connect", ITEM_TYPE_CALL_CONNECT },
		{ "reject", ITEM_TYPE_CALL_TERMINATE },
		{ "terminate", ITEM_TYPE_CALL_TERMINATE }, { NULL } };
	struct item *it = r->it;
	g_autofree char *call = wa_get_id(r->request, "call_id");

	it->kind = ITEM_CALL;
	it->type_name = wa_get_id(r->request, "action");
	it->type = wa_word_find(words, it->type_name, ITEM_TYPE_CALL_STATUS);
	it->id = wa_get_id(wa_record_first(r->response, "calls"), "id");
	if (it->id == NULL)
		it->id = g_strdup(call);
	it->call = g_new0(struct item_call, 1);
	it->call->event = g_strdup(it->type_name);
	it->call->duration_s = -1;
	drop_mark(r->request, it->send->key);
	wa_recipient_read(it, r->request, &wa_send_keys);
	add_request(r, known);
	if (g_strcmp0(call, it->id) != 0)
		item_fact_add(it, "request.call_id", call);
}

static bool
is_group(const struct wa_record *r)
{
	static const char *const endpoints[] = { "groups", "participants",
		"invite_link", "join_requests", NULL };

	/* A group's id is not all digits; any other's is. */
	return (r->endpoint != NULL && g_strv_contains(endpoints,
	    r->endpoint)) || (r->endpoint == NULL && r->id != NULL &&
	    r->id[strspn(r->id, "0123456789")] != '\0');
}

static enum item_type
find_group_type(const struct wa_record *r)
{
	g_autofree char *method = wa_get_text(r->root, "method");

	if (g_strcmp0(r->endpoint, "participants") == 0 ||
	    g_strcmp0(r->endpoint, "join_requests") == 0)
		return ITEM_TYPE_GROUP_PARTICIPANTS;
	if (g_strcmp0(r->endpoint, "groups") == 0 ||
	    g_strcmp0(method, "DELETE") == 0)
		return ITEM_TYPE_GROUP_LIFECYCLE;
	return ITEM_TYPE_GROUP_SETTINGS;
}

static void
read_other(struct wa_record *r)
{
	static const struct wa_known known[] = {
		{ "messaging_product", WA_TEXT }, { NULL } };
	struct item *it = r->it;

	it->kind = is_group(r) ? ITEM_GROUP : ITEM_ACCOUNT;
	it->type = ITEM_TYPE_ACCOUNT_EVENT;
	if (it->kind == ITEM_GROUP) {
		it->type = find_group_type(r);
		if (g_strcmp0(r->id, it->business.user_id) != 0)
			it->group_id = g_strdup(r->id);
	}
	wa_rest_add(it, "request", r->sent != NULL ? r->sent : r->request,
	    known);
	if (r->sent != NULL)
		add_request_before(r);
}

void
wa_record_body_read(struct wa_record *r)
{
	if (wa_record_is_message(r))
		read_message(r);
	else if (g_strcmp0(r->endpoint, "calls") == 0)
		read_call(r);
	else
		read_other(r);
}
