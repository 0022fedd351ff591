/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens around a conversation: who answers it now, what the customer
 * wants or did, under which ids and names people go, and what a machine wrote
 * about it. The network's own free words are the text; all else is facts,
 * its word for what happened among them.
 */
#include "wa_event_int.h"

/* The ends of a handover are counterpart and business. */
static void
add_ends(struct item *it, json_object *value)
{
	static const struct wa_known known[] = { { "phone_number", WA_TEXT },
		{ "user_id", WA_TEXT }, { "parent_user_id", WA_TEXT },
		{ "username", WA_TEXT }, { "phone_number_id", WA_TEXT },
		{ "display_phone_number", WA_TEXT }, { NULL } };
	static const char *const ends[] = { "sender", "recipient" };

	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
		wa_rest_add(it, ends[i],
		    wa_get(value, ends[i], json_type_object), known);
}

/* Who answers from now on, in an object of the word's name. */
static void
read_change(struct item *it, json_object *value)
{
	static const struct wa_known known[] = { { "metadata", WA_TEXT },
		{ "conversation_context", WA_ANY }, { NULL } };
	json_object *change = wa_get(value, it->type_name, json_type_object);

	it->text = wa_get_text(change, "metadata");
	wa_rest_add(it, "", change, known);
}

bool
wa_handover_parse(const struct wa_walk *w, struct item *it, json_object *value)
{
	const struct wa_known known[] = { WA_ENVELOPE_KNOWN,
		{ "sender", WA_OBJECT },
		{ "recipient", WA_OBJECT }, { it->type_name, WA_OBJECT },
		WA_VALUE_KNOWN };

	(void)w;
	if (g_strcmp0(it->type_name, "control_passed") != 0 &&
	    g_strcmp0(it->type_name, "control_taken") != 0)
		return false;
	read_change(it, value);
	add_ends(it, value);
	wa_event_rest_add(it, value, known);
	return true;
}

/* After the handover itself, which is then the last item. */
void
wa_handover_summary_add(struct wa_walk *w, json_object *value)
{
	const struct item *it = w->items->len > 0 ?
	    w->items->pdata[w->items->len - 1] : NULL;
	json_object *change = it != NULL && it->kind == ITEM_SYSTEM ?
	    wa_get_any(value, it->type_name) : NULL;

	wa_summary_add(w, wa_get_any(change, "conversation_context"), it);
}

static bool
parse_summary(const struct wa_walk *w, struct item *it, json_object *context)
{
	static const struct wa_known known[] = { { "type", WA_TEXT },
		{ "summary", WA_OBJECT }, WA_EVENT_KNOWN };
	static const struct wa_known text_known[] = { { "text", WA_TEXT },
		{ NULL } };
	json_object *summary = wa_get(context, "summary", json_type_object);

	it->refers = w->beside != NULL ? g_strdup(w->beside->key) : NULL;
	it->text = wa_get_text(summary, "text");
	if (it->text == NULL)
		return false;
	it->machine_written = true;
	wa_rest_add(it, "summary", summary, text_known);
	wa_event_rest_add(it, context, known);
	return true;
}

/*
 * The same words about another message are another summary, although nothing
 * in them says so.
 */
void
wa_summary_add(struct wa_walk *w, json_object *context,
    const struct item *beside)
{
	static const struct wa_event event = {
		.type = ITEM_TYPE_CONTEXT_SUMMARY, .kind = ITEM_SYSTEM,
		.parse = parse_summary,
		.note = "what a machine wrote about the conversation: "
		    "shown raw",
	};
	g_autofree char *member = NULL;

	if (wa_is_empty(context))
		return;
	member = g_strconcat("conversation_context ",
	    beside != NULL ? beside->key : NULL, NULL);
	w->beside = beside;
	wa_event_add(w, member, context, &event);
	w->beside = NULL;
}

static void
read_word(struct item *it, json_object *o, const char *key)
{
	char *word = wa_get_id(o, key);

	if (word == NULL)
		return;
	g_free(it->type_name);
	it->type_name = word;
}

/* It is the customer who wants or did it, if it says which customer. */
static void
read_author(struct item *it)
{
	if (wa_party_is_known(&it->counterpart))
		it->author = ITEM_CUSTOMER;
}

bool
wa_preference_parse(const struct wa_walk *w, struct item *it,
    json_object *preference)
{
	static const struct wa_known known[] = { { "wa_id", WA_TEXT },
		{ "user_id", WA_TEXT }, { "parent_user_id", WA_TEXT },
		{ "username", WA_TEXT }, { "detail", WA_TEXT },
		WA_EVENT_KNOWN };

	static const char *const words[] = { "stop", "resume", NULL };

	(void)w;
	read_word(it, preference, "value");
	if (!wa_is_word(words, it->type_name))
		return false;
	read_author(it);
	it->text = wa_get_text(preference, "detail");
	wa_event_rest_add(it, preference, known);
	return true;
}

bool
wa_contact_sync_parse(const struct wa_walk *w, struct item *it,
    json_object *sync)
{
	static const char *const actions[] = { "add", "remove", NULL };
	static const struct wa_known known[] = { { "type", WA_TEXT },
		{ "metadata", WA_OBJECT }, WA_EVENT_KNOWN };
	json_object *metadata = wa_get(sync, "metadata", json_type_object);
	const struct wa_known time_known[] = { { "timestamp",
		wa_get_time(metadata, "timestamp") != 0 ? WA_TEXT : WA_NONE },
		{ NULL } };
	g_autofree char *action = wa_get_text(sync, "action");

	(void)w;
	if (g_strcmp0(it->type_name, "contact") != 0 ||
	    !wa_is_word(actions, action) ||
	    wa_get(sync, "contact", json_type_object) == NULL)
		return false;
	wa_rest_add(it, "metadata", metadata, time_known);
	wa_event_rest_add(it, sync, known);
	return true;
}

/* Of an id: an object of two, or the present one alone. */
static void
read_ids(struct item *it, json_object *o, const char *key, char **before,
    char **after)
{
	static const struct wa_known known[] = { { "previous", WA_TEXT },
		{ "current", WA_TEXT }, { NULL } };
	json_object *change = wa_get(o, key, json_type_object);

	*before = wa_get_id(change, "previous");
	*after = change != NULL ? wa_get_id(change, "current") :
	    wa_get_id(o, key);
	if (g_strcmp0(*before, *after) == 0)	/* not what has changed */
		g_clear_pointer(before, g_free);
	wa_rest_add(it, key, change, known);
}

bool
wa_user_id_parse(const struct wa_walk *w, struct item *it, json_object *update)
{
	static const struct wa_party_keys number = { .number = "wa_id" };
	static const struct wa_known any[] = { { "wa_id", WA_TEXT },
		{ "detail", WA_TEXT }, { "user_id", WA_TEXT },
		{ "parent_user_id", WA_TEXT }, WA_EVENT_KNOWN };
	static const struct wa_known both[] = { { "wa_id", WA_TEXT },
		{ "detail", WA_TEXT }, { "user_id", WA_OBJECT },
		{ "parent_user_id", WA_OBJECT }, WA_EVENT_KNOWN };
	struct item_identity *id = item_identity_get(it);

	(void)w;
	read_ids(it, update, "user_id", &id->before.user_id,
	    &id->after.user_id);
	read_ids(it, update, "parent_user_id", &id->before.parent_user_id,
	    &id->after.parent_user_id);
	if (id->before.user_id == NULL && id->after.user_id == NULL)
		return false;
	/* Whose number it was before, another event tells. */
	wa_party_read(&id->after, update, &number);
	it->text = wa_get_text(update, "detail");
	wa_event_rest_add(it, update,
	    wa_get(update, "user_id", json_type_object) != NULL ? both : any);
	return true;
}

bool
wa_user_action_parse(const struct wa_walk *w, struct item *it,
    json_object *action)
{
	static const struct wa_known known[] = { WA_EVENT_KNOWN };
	static const char *const words[] = { "marketing_messages_link_click",
		NULL };

	(void)w;
	if (!wa_is_word(words, it->type_name))
		return false;
	read_author(it);
	wa_event_rest_add(it, action, known);
	return true;
}

bool
wa_inferred_parse(const struct wa_walk *w, struct item *it, json_object *event)
{
	static const struct wa_known known[] = { { "id", WA_TEXT },
		WA_EVENT_KNOWN };
	static const char *const words[] = { "LeadSubmitted", "Purchase",
		NULL };

	(void)w;
	if (!wa_is_word(words, it->type_name))
		return false;
	wa_event_rest_add(it, event, known);
	return true;
}

/* The public name under which customers find the business's number. */
bool
wa_username_parse(const struct wa_walk *w, struct item *it, json_object *value)
{
	static const struct wa_known known[] = { WA_ENVELOPE_KNOWN,
		{ "display_phone_number", WA_TEXT }, WA_VALUE_KNOWN };
	static const char *const words[] = { "approved", "reserved", "deleted",
		NULL };

	(void)w;
	if (!wa_is_word(words, it->type_name))
		return false;
	item_party_clear(&it->counterpart);	/* the name is the business's */
	it->business.username = wa_get_id(value, "username");
	wa_event_rest_add(it, value, known);
	return true;
}

bool
wa_undescribed_parse(const struct wa_walk *w, struct item *it,
    json_object *value)
{
	static const struct wa_known known[] = { WA_ENVELOPE_KNOWN,
		WA_VALUE_KNOWN };

	(void)w;
	wa_event_rest_add(it, value, known);
	if (it->type_name == NULL)
		it->type_name = g_strdup(it->field);
	return it->facts != NULL;
}
