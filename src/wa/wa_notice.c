/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements that are kept and shown raw. Whatever Meta calls the person, the
 * group and the time in them is tried, so that the notice is filed under its
 * conversation; nothing else is read from them.
 */
#include "wa_int.h"

#include <string.h>

static const struct wa_party_keys phone_keys = {
	.number = "phone_number", .user_id = "user_id",
	.username = "username",
};
static const struct wa_party_keys current_keys = { .user_id = "current" };

/*
 * Which end is the other side: not the one with our number; without numbers
 * (a user with a username) the one that has a user id. In Meta's examples
 * from and to of calls are not consistent with the direction.
 */
static void
read_ends(const struct wa_walk *w, struct item *it, json_object *o)
{
	bool from_ours = wa_is_business(w, o, "from");
	bool to_ours = wa_is_business(w, o, "to");
	bool to_first = from_ours ||
	    (it->direction == ITEM_SENT && !to_ours);

	wa_party_read(&it->counterpart, o,
	    to_first ? &wa_to_keys : &wa_from_keys);
	if (!wa_party_is_known(&it->counterpart) && !from_ours && !to_ours)
		wa_party_read(&it->counterpart, o,
		    to_first ? &wa_from_keys : &wa_to_keys);
}

static void
read_person(const struct wa_walk *w, struct item *it, json_object *o)
{
	struct item_party *p = &it->counterpart;

	read_ends(w, it, o);
	wa_party_read(p, o, &wa_plain_keys);
	wa_party_read(p, wa_get(o, "user_id", json_type_object), &current_keys);
	wa_party_read(p, wa_get(o, "contact", json_type_object), &phone_keys);
	wa_party_read(p, wa_get(o, "sender", json_type_object), &phone_keys);
	if (it->group_id == NULL || wa_party_is_known(p))
		wa_party_match(w, p);
}

static void
read_call(struct item *it, json_object *call)
{
	g_autofree char *direction = wa_get_text(call, "direction");
	const char *parts[] = { it->business.user_id, it->id, it->type_name };

	if (g_strcmp0(direction, "USER_INITIATED") == 0) {
		it->author = ITEM_CUSTOMER;
	} else if (g_strcmp0(direction, "BUSINESS_INITIATED") == 0) {
		it->direction = ITEM_SENT;
		it->author = ITEM_UNKNOWN_STAFF;
	}
	it->type = wa_word_find(wa_call_events, it->type_name,
	    ITEM_TYPE_UNKNOWN);
	if (it->id != NULL && it->type_name != NULL)
		it->key = wa_key("c", parts, G_N_ELEMENTS(parts));
}

static char *
get_word(json_object *o)
{
	static const char *const keys[] = { "event", "type", "action_type",
		"event_name", "status" };
	char *word = NULL;

	for (size_t i = 0; word == NULL && i < G_N_ELEMENTS(keys); i++)
		word = wa_get_id(o, keys[i]);
	return word;
}

static int64_t
get_time(const struct wa_walk *w, json_object *o)
{
	int64_t at = wa_get_time(o, "timestamp");

	if (at == 0)
		at = wa_get_time(wa_get_any(o, "metadata"), "timestamp");
	return at != 0 ? at : wa_get_time(w->entry, "time");
}

void
wa_notice_add(struct wa_walk *w, const char *member, json_object *element,
    enum item_type type, const char *note)
{
	struct item *it = wa_item_begin(w, element);

	it->type = type;
	it->note = g_strdup(note);
	if (element != w->entry)	/* its id is the account's */
		it->id = wa_get_id(element, "id");
	it->group_id = wa_get_id(element, "group_id");
	it->type_name = get_word(element);
	it->at_ms = get_time(w, element);
	if (strcmp(member, "calls") == 0)
		read_call(it, element);
	read_person(w, it, element);
	if (type == ITEM_TYPE_ERROR || type == ITEM_TYPE_HISTORY_DECLINED)
		wa_problem_read(it, element);
	else
		wa_problems_read(it, element);
	wa_item_end(w, member, it);
}

static bool
is_scalar(json_object *o)
{
	return !json_object_is_type(o, json_type_array) &&
	    !json_object_is_type(o, json_type_object);
}

static void
add_rest(struct wa_walk *w, json_object *rest)
{
	g_autoptr(GString) note = g_string_new("not understood, shown raw:");

	json_object_object_foreach(rest, key, member) {
		(void)member;
		g_string_append_printf(note, " %s", key);
	}
	wa_notice_add(w, "leftovers", rest, ITEM_TYPE_UNKNOWN, note->str);
}

void
wa_leftovers_add(struct wa_walk *w, json_object *o, const char *const *known,
    bool scalars)
{
	json_object *rest = NULL;

	json_object_object_foreach(o, key, member) {
		if (wa_is_among(known, key) || wa_is_empty(member) ||
		    (is_scalar(member) && !scalars))
			continue;
		if (rest == NULL)
			rest = json_object_new_object();
		json_object_object_add(rest, key, json_object_get(member));
	}
	if (rest != NULL)
		add_rest(w, rest);
	json_object_put(rest);
}
