/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WhatsApp's answer in a record of the gateway: the ids that it gave, its
 * error, and everything else of it as facts. Comes after what was asked for:
 * what the item says already is not said again.
 */
#include "wa_record_int.h"

#include <string.h>

json_object *
wa_record_first(json_object *o, const char *key)
{
	json_object *list = wa_get(o, key, json_type_array);

	return wa_length(list) > 0 ? json_object_array_get_idx(list, 0) : NULL;
}

/* Of what others report their answer tells whether it did. */
bool
wa_record_has_left(const struct wa_record *r)
{
	const char *status = r->it->send->status;

	if (!r->outcome->leaves || wa_record_first(r->response, "messages") != NULL)
		return r->outcome->leaves;
	return r->error == NULL && (status == NULL || *status == '2');
}

static char *
path_in(const char *list, size_t len, size_t i)
{
	return len > 1 ? g_strdup_printf("response.%s.%zu", list, i + 1) :
	    g_strconcat("response.", list, NULL);
}

/* The number as it was asked for is a fact of the request. */
static bool
is_fact(const struct item *it, const char *value)
{
	return g_strcmp0(item_fact_get(it, "to"), value) == 0;
}

static enum wa_shape
shape_of_person(const struct item *it, json_object *contact, const char *key)
{
	g_autofree char *id = wa_get_id(contact, key);

	return wa_shape_if(id != NULL && (wa_names(it, id) || is_fact(it, id) ||
	    g_strcmp0(it->counterpart.username, id) == 0));
}

static void
add_contacts(struct item *it, json_object *response)
{
	json_object *list = wa_get(response, "contacts", json_type_array);
	size_t len = wa_length(list);

	for (size_t i = 0; i < len; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		g_autofree char *path = path_in("contacts", len, i);
		const struct wa_known known[] = {
			{ "input", shape_of_person(it, o, "input") },
			{ "wa_id", shape_of_person(it, o, "wa_id") },
			{ "user_id", shape_of_person(it, o, "user_id") },
			{ "parent_user_id",
			    shape_of_person(it, o, "parent_user_id") },
			{ "username", shape_of_person(it, o, "username") },
			{ NULL } };

		wa_rest_add(it, path, o, known);
	}
}

/* Of the elements of a list only the first has the item's id. */
static void
add_named(struct item *it, json_object *response, const char *key)
{
	json_object *list = wa_get(response, key, json_type_array);
	size_t len = wa_length(list);

	for (size_t i = 0; i < len; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		g_autofree char *path = path_in(key, len, i);
		g_autofree char *id = wa_get_id(o, "id");
		g_autofree char *word = wa_get_text(o, "message_status");
		const struct wa_known known[] = {
			{ "id", wa_shape_if(g_strcmp0(id, it->id) == 0) },
			{ "message_status",
			    wa_shape_if(g_strcmp0(word, it->send->outcome) == 0) },
			{ NULL } };

		wa_rest_add(it, path, o, known);
	}
}

void
wa_record_answer_add(struct wa_record *r)
{
	static const struct wa_known known[] = {
		{ "messaging_product", WA_TEXT }, { "contacts", WA_LIST },
		{ "messages", WA_LIST }, { "calls", WA_LIST },
		{ "error", WA_OBJECT }, { NULL } };

	if (r->error != NULL)
		wa_problem_read(r->it, r->error);
	wa_rest_add(r->it, "response", r->response, known);
	add_contacts(r->it, r->response);
	add_named(r->it, r->response, "messages");
	add_named(r->it, r->response, "calls");
}
