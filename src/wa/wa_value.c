/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One change: its field and value. Known lists in the value give an item per
 * element, in the order of the document; the value of any other field is one
 * notice. Whatever the shape, at least one item comes out.
 */
#include "wa_event_int.h"

#include <string.h>

enum walk_kind { CONTEXT, MESSAGES, ECHOES, STATUSES, HISTORY, STANDBY,
	ELEMENTS, SUMMARY };

struct member {
	const char *name;
	enum walk_kind kind;
	json_type shape;
	struct wa_event event;	/* its type UNKNOWN: the field's */
};

static const struct member members[] = {
	{ "messaging_product", CONTEXT, json_type_string },
	{ "metadata", CONTEXT, json_type_object },
	{ "contacts", CONTEXT, json_type_array },
	{ "messages", MESSAGES, json_type_array },
	{ "message_echoes", ECHOES, json_type_array },
	{ "statuses", STATUSES, json_type_array },
	{ "history", HISTORY, json_type_array },
	{ "standby", STANDBY, json_type_object },
	{ "calls", ELEMENTS, json_type_array, { ITEM_TYPE_UNKNOWN,
	    ITEM_CALL, wa_call_parse, "call event: shown raw" } },
	{ "groups", ELEMENTS, json_type_array, { ITEM_TYPE_UNKNOWN,
	    ITEM_GROUP, wa_group_parse, "group event: shown raw" } },
	{ "user_preferences", ELEMENTS, json_type_array,
	    { ITEM_TYPE_PREFERENCE, ITEM_SYSTEM, wa_preference_parse,
	    "customer's preference: shown raw" } },
	{ "state_sync", ELEMENTS, json_type_array, { ITEM_TYPE_CONTACT_SYNC,
	    ITEM_SYSTEM, wa_contact_sync_parse,
	    "entry of the business's phone book: shown raw" } },
	{ "user_id_update", ELEMENTS, json_type_array,
	    { ITEM_TYPE_USER_ID_CHANGED, ITEM_SYSTEM, wa_user_id_parse,
	    "user id changed: shown raw" } },
	{ "user_actions", ELEMENTS, json_type_array, { ITEM_TYPE_USER_ACTION,
	    ITEM_SYSTEM, wa_user_action_parse, "user action: shown raw" } },
	{ "automatic_events", ELEMENTS, json_type_array,
	    { ITEM_TYPE_INFERRED_EVENT, ITEM_SYSTEM, wa_inferred_parse,
	    "inferred event: shown raw" } },
	{ "errors", ELEMENTS, json_type_array, { ITEM_TYPE_ERROR,
	    ITEM_ACCOUNT, wa_error_parse,
	    "error without a message: shown raw" } },
	/* After its message, see walk_members(). */
	{ "conversation_context", SUMMARY, json_type_object },
};

static const struct member *
find_member(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	}
	return NULL;
}

static void walk_members(struct wa_walk *w, json_object *value);

/* The standby object has the lists, and contacts of its own. */
static void
add_standby(struct wa_walk *w, json_object *standby)
{
	GArray *outer = w->contacts;

	w->contacts = wa_contacts_read(standby);
	walk_members(w, standby);
	g_array_unref(w->contacts);
	w->contacts = outer;
}

/* In a field that is not known nothing is taken for understood. */
static void
add_event(struct wa_walk *w, const struct member *row, json_object *element)
{
	const struct wa_field *field = wa_field_find(w->field);
	struct wa_event event = row->event;

	if (event.type == ITEM_TYPE_UNKNOWN && field != NULL)
		event.type = field->type;
	if (field == NULL)
		event.parse = NULL;
	wa_event_add(w, row->name, element, &event);
}

static void
add_element(struct wa_walk *w, const struct member *row, json_object *element)
{
	switch (row->kind) {
	case MESSAGES:
		wa_message_add(w, element, WA_INBOUND);
		break;
	case ECHOES:
		wa_message_add(w, element, WA_ECHO);
		break;
	case STATUSES:
		wa_status_add(w, element);
		break;
	case ELEMENTS:
		add_event(w, row, element);
		break;
	case SUMMARY:
	case HISTORY:
	case STANDBY:
	case CONTEXT:
	default:
		break;
	}
}

static void
add_member(struct wa_walk *w, const struct member *row, json_object *member)
{
	size_t len;

	if (row->kind == STANDBY) {
		add_standby(w, member);
	} else if (row->kind == HISTORY) {
		wa_history_add(w, member);
	} else if (row->kind != CONTEXT && row->kind != SUMMARY) {
		len = json_object_array_length(member);
		for (size_t i = 0; i < len; i++)
			add_element(w, row,
			    json_object_array_get_idx(member, i));
	}
}

static bool
is_same_chat(const struct item *a, const struct item *b)
{
	if (a->group_id != NULL || b->group_id != NULL)
		return g_strcmp0(a->group_id, b->group_id) == 0;
	return g_strcmp0(a->counterpart.user_id, b->counterpart.user_id) == 0 &&
	    g_strcmp0(a->counterpart.number, b->counterpart.number) == 0;
}

/*
 * About whom the first item that it came with is. Where several people are
 * in one change nobody knows whose it is, and it is filed under nobody.
 */
static void
add_summary(struct wa_walk *w, json_object *value, guint first)
{
	const struct item *beside = w->items->len > first ?
	    w->items->pdata[first] : NULL;

	for (guint i = first; beside != NULL && i < w->items->len; i++) {
		if (!is_same_chat(beside, w->items->pdata[i]))
			beside = NULL;
	}
	wa_summary_add(w, wa_get(value, "conversation_context",
	    json_type_object), beside);
}

/* Known members of the wrong shape are left over like unknown ones. */
static void
walk_members(struct wa_walk *w, json_object *value)
{
	const struct wa_field *field = wa_field_find(w->field);
	const char *known[G_N_ELEMENTS(members) + 1] = { NULL };
	guint before = w->items->len;
	bool misfit = false;
	size_t n = 0;

	json_object_object_foreach(value, key, member) {
		const struct member *row = find_member(key);

		if (row == NULL)
			continue;
		if (!json_object_is_type(member, row->shape)) {
			misfit = true;
			continue;
		}
		known[n++] = row->name;
		if (!wa_is_empty(member))
			add_member(w, row, member);
	}
	add_summary(w, value, before);
	/*
	 * A new plain value beside known lists is no event; a mail for each
	 * POST from then on would bury the others.
	 */
	if (w->items->len > before)
		wa_leftovers_add(w, value, known,
		    misfit || field == NULL || !field->lists);
}

/* A field nobody has heard of may still carry messages. */
static bool
has_lists(const struct wa_field *field, json_object *value)
{
	static const char *const lists[] = { "messages", "message_echoes",
		"statuses", "calls" };

	if (field != NULL)
		return field->lists;
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		if (wa_get(value, lists[i], json_type_array) != NULL)
			return true;
	}
	return false;
}

static char *
make_note(const struct wa_walk *w, const struct wa_field *field)
{
	if (w->field == NULL)
		return g_strdup("a change without a field: shown raw");
	if (field == NULL)
		return g_strdup_printf("unknown field %s: shown raw", w->field);
	if (field->lists)
		return g_strdup_printf("%s without anything known in it: "
		    "shown raw", w->field);
	return g_strdup_printf("%s: shown raw", w->field);
}

static void
add_whole(struct wa_walk *w, const struct wa_field *field, json_object *value)
{
	g_autofree char *note = make_note(w, field);
	struct wa_event event = { .note = note };

	if (field != NULL) {
		event.type = field->type;
		event.kind = field->kind;
		event.parse = field->parse;
	}
	wa_event_add(w, "value", value, &event);
	if (event.type == ITEM_TYPE_HANDOVER)
		wa_handover_summary_add(w, value);
}

static void
add_value(struct wa_walk *w, json_object *value)
{
	const struct wa_field *field = wa_field_find(w->field);
	guint before = w->items->len;

	w->full = field != NULL && field->full;
	if (json_object_is_type(value, json_type_object) &&
	    has_lists(field, value))
		walk_members(w, value);
	if (w->items->len == before)
		add_whole(w, field, value);
}

void
wa_change_add(struct wa_walk *w, json_object *change)
{
	static const char *const known[] = { "field", "value", NULL };
	json_object *value = wa_get_any(change, "value");

	if (!json_object_is_type(change, json_type_object) || value == NULL) {
		w->field = wa_get_text(change, "field");
		wa_notice_add(w, "changes", change, ITEM_TYPE_UNKNOWN,
		    "a change without a value: shown raw");
		g_clear_pointer(&w->field, g_free);
		return;
	}
	w->field = wa_get_text(change, "field");
	wa_business_read(&w->business, value);
	w->contacts = wa_contacts_read(value);
	add_value(w, value);
	wa_leftovers_add(w, change, known, false);
	g_clear_pointer(&w->contacts, g_array_unref);
	item_party_clear(&w->business);
	g_clear_pointer(&w->field, g_free);
}
