/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that are no messages, and whatever is kept and shown raw. Whatever
 * Meta calls the person, the group and the time in them is tried, so that also
 * a notice is filed under its conversation; the rest is for the parse function
 * of the event, and without one nothing else is read.
 */
#include "wa_event_int.h"

#include <string.h>

static const struct wa_party_keys phone_keys = {
	.number = "phone_number", .user_id = "user_id",
	.parent_user_id = "parent_user_id", .username = "username",
};
static const struct wa_party_keys current_keys = { .user_id = "current" };
static const struct wa_party_keys current_parent_keys = {
	.parent_user_id = "current",
};

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
	wa_party_read(p, wa_get(o, "parent_user_id", json_type_object),
	    &current_parent_keys);
	wa_party_read(p, wa_get(o, "contact", json_type_object), &phone_keys);
	wa_party_read(p, wa_get(o, "sender", json_type_object), &phone_keys);
	if (it->group_id == NULL || wa_party_is_known(p))
		wa_party_match(w, p);
}

static char *
get_word(json_object *o)
{
	static const char *const keys[] = { "event", "type", "action_type",
		"event_name", "decision", "status" };
	char *word = NULL;

	for (size_t i = 0; word == NULL && i < G_N_ELEMENTS(keys); i++)
		word = wa_get_id(o, keys[i]);
	return word;
}

static int64_t
get_time(const struct wa_walk *w, json_object *o)
{
	int64_t at = wa_get_time(o, "timestamp");

	if (at == 0 && w->beside != NULL)
		at = w->beside->at_ms;
	if (at == 0)
		at = wa_get_time(wa_get_any(o, "metadata"), "timestamp");
	return at != 0 ? at : wa_get_time(w->entry, "time");
}

static void
read_beside(struct item *it, const struct item *beside)
{
	wa_party_merge(&it->counterpart, &beside->counterpart);
	if (it->group_id == NULL)
		it->group_id = g_strdup(beside->group_id);
}

/* What every event may have, whatever it is. */
static struct item *
begin(struct wa_walk *w, const char *member, json_object *element)
{
	struct item *it = wa_item_begin(w, element);

	if (element != w->entry)	/* its id is the account's */
		it->id = wa_get_id(element, "id");
	it->group_id = wa_get_id(element, "group_id");
	it->type_name = get_word(element);
	it->at_ms = get_time(w, element);
	if (strcmp(member, "calls") == 0)
		wa_call_begin(it, element);
	if (w->beside != NULL)
		read_beside(it, w->beside);
	read_person(w, it, element);
	if (strcmp(member, "value") != 0)
		wa_problems_read(it, element);
	return it;
}

static char *
make_note(const struct item *it, const struct wa_event *event)
{
	if (event->parse == NULL || it->type_name == NULL)
		return g_strdup(event->note);
	return g_strdup_printf("%s in %s, not known or not complete: "
	    "shown raw", it->type_name,
	    it->field != NULL ? it->field : "a change without field");
}

void
wa_event_add(struct wa_walk *w, const char *member, json_object *element,
    const struct wa_event *event)
{
	struct item *it = begin(w, member, element);

	if (it->type == ITEM_TYPE_UNKNOWN)
		it->type = event->type;
	if (event->parse != NULL &&
	    json_object_is_type(element, json_type_object) &&
	    event->parse(w, it, element)) {
		it->kind = event->kind;
	} else {
		g_free(it->note);
		it->note = make_note(it, event);
		it->alarm = false;
	}
	wa_item_end(w, member, it);
}

void
wa_notice_add(struct wa_walk *w, const char *member, json_object *element,
    enum item_type type, const char *note)
{
	struct wa_event event = { .type = type, .note = note };

	wa_event_add(w, member, element, &event);
}

static bool
is_scalar(json_object *o)
{
	return !json_object_is_type(o, json_type_array) &&
	    !json_object_is_type(o, json_type_object);
}

void
wa_event_rest_add(struct item *it, json_object *o,
    const struct wa_known *known)
{
	g_autofree char *at = wa_get_text(o, "timestamp");

	wa_rest_add(it, "", o, known);
	if (at != NULL && wa_get_time(o, "timestamp") == 0)
		item_fact_add(it, "timestamp", at);
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
		if (g_strv_contains(known, key) || wa_is_empty(member) ||
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
