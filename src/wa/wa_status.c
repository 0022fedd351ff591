/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statuses[]: what became of a message the business sent. Never carries
 * content. The status word is kept as it is, also one that nobody has heard
 * of yet. A call's status is no receipt: it is a call if its word is known,
 * else a notice.
 */
#include "wa_event_int.h"

#include <string.h>

/* The person; for a group the first two are of the group instead. */
static const struct wa_party_keys recipient_keys = {
	.number = "recipient_id", .user_id = "recipient_user_id",
	.parent_user_id = "recipient_parent_user_id",
};
static const struct wa_party_keys participant_keys = {
	.number = "recipient_participant_id",
	.user_id = "recipient_participant_user_id",
	.parent_user_id = "recipient_participant_parent_user_id",
};
/* Names that were in use until May 2026. */
static const struct wa_party_keys old_participant_keys = {
	.number = "participant_recipient_id",
	.user_id = "participant_recipient_user_id",
	.parent_user_id = "parent_recipient_user_id",
};

static void
read_recipient(const struct wa_walk *w, struct item *it, json_object *status)
{
	g_autofree char *kind = wa_get_text(status, "recipient_type");

	it->group_id = wa_get_id(status, "group_id");
	if (g_strcmp0(kind, "group") == 0) {
		if (it->group_id == NULL)
			it->group_id = wa_get_id(status, "recipient_id");
	} else {
		wa_party_read(&it->counterpart, status, &recipient_keys);
		wa_party_read(&it->counterpart,
		    wa_get(status, "message", json_type_object),
		    &recipient_keys);
	}
	/* Whoever of the group it is about; several come as several statuses. */
	wa_party_read(&it->counterpart, status, &participant_keys);
	wa_party_read(&it->counterpart, status, &old_participant_keys);
	if (it->group_id == NULL || wa_party_is_known(&it->counterpart))
		wa_party_match(w, &it->counterpart);
}

static void
read_receipt(struct item *it, json_object *status)
{
	struct item_receipt *r = g_new0(struct item_receipt, 1);

	r->status = g_strdup(it->type_name);
	r->recipient = g_strdup(it->counterpart.number);
	r->recipient_user_id = g_strdup(it->counterpart.user_id);
	r->callback_data = wa_get_text(status, "biz_opaque_callback_data");
	it->receipt = r;
}

static const char *
person_of(const struct item_party *p)
{
	return p->user_id != NULL ? p->user_id : p->number;
}

/* Before contacts[] adds to the party: they are not in every delivery. */
static char *
get_person(json_object *status, const struct wa_party_keys *keys,
    const struct wa_party_keys *old_keys)
{
	struct item_party p = { 0 };
	char *person;

	wa_party_read(&p, status, keys);
	if (old_keys != NULL)
		wa_party_read(&p, status, old_keys);
	person = g_strdup(person_of(&p));
	item_party_clear(&p);
	return person;
}

/*
 * A message has a status once in a second. How often a payment has one, or
 * whatever else gets statuses, nobody knows: those are told apart by all of
 * their JSON.
 */
static bool
comes_once(const struct item *it, json_object *status)
{
	g_autofree char *type = wa_get_text(status, "type");

	return it->target != NULL &&
	    (type == NULL || strcmp(type, "message") == 0);
}

static char *
status_key(const struct item *it, json_object *status)
{
	g_autofree char *recipient = get_person(status, &recipient_keys, NULL);
	g_autofree char *participant = get_person(status, &participant_keys,
	    &old_participant_keys);
	g_autofree char *at = wa_get_text(status, "timestamp");
	const char *parts[] = { it->business.user_id, it->target,
		it->type_name, recipient, participant, at };

	return comes_once(it, status) ?
	    wa_key("s", parts, G_N_ELEMENTS(parts)) : NULL;
}

/* A payment's word is no word about the message: "failed" least of all. */
static enum item_type
find_type(json_object *status, bool call)
{
	g_autofree char *type = wa_get_text(status, "type");

	if (call)
		return ITEM_TYPE_CALL_STATUS;
	return g_strcmp0(type, "payment") == 0 ? ITEM_TYPE_PAYMENT :
	    ITEM_TYPE_STATUS;
}

static void
read_kind(const struct wa_walk *w, struct item *it, bool call)
{
	const char *word = it->type_name;

	if (call)
		it->note = g_strdup_printf("call status %s: shown raw",
		    word != NULL ? word : "without a name");
	else if (!w->full)
		it->note = g_strdup_printf("status %s in %s: shown raw",
		    word != NULL ? word : "without a name",
		    w->field != NULL ? w->field : "a change without field");
	else if (word == NULL || it->target == NULL)
		it->note = g_strdup("a status without its name or message: "
		    "shown raw");
	else
		it->kind = ITEM_RECEIPT;
}

/* What it costs, which conversation it is billed to, what was paid. */
static void
add_rest(struct item *it, json_object *status)
{
	static const char *const people[] = { "recipient_id",
		"recipient_user_id", "recipient_parent_user_id",
		"recipient_participant_id", "recipient_participant_user_id",
		"recipient_participant_parent_user_id",
		"participant_recipient_id", "participant_recipient_user_id",
		"parent_recipient_user_id", NULL };
	/* Who is told apart by the item having a group or a person. */
	bool plain = wa_is_plain_recipient(status);
	const struct wa_known known[] = { { "id", WA_TEXT },
		{ "status", WA_TEXT },
		{ "timestamp", it->at_ms != 0 ? WA_TEXT : WA_NONE },
		{ "recipient_id", WA_TEXT }, { "recipient_user_id", WA_TEXT },
		{ "recipient_parent_user_id", WA_TEXT },
		{ "recipient_participant_id", WA_TEXT },
		{ "recipient_participant_user_id", WA_TEXT },
		{ "recipient_participant_parent_user_id", WA_TEXT },
		{ "participant_recipient_id", WA_TEXT },
		{ "participant_recipient_user_id", WA_TEXT },
		{ "parent_recipient_user_id", WA_TEXT },
		{ "group_id", WA_TEXT }, { "errors", WA_LIST },
		{ "biz_opaque_callback_data", WA_TEXT },
		{ "recipient_type", plain ? WA_TEXT : WA_NONE }, { NULL } };

	if (it->kind == ITEM_NOTICE)
		return;
	wa_rest_add(it, "", status, known);
	wa_people_add(it, status, people);
}

static bool
is_call(const struct wa_walk *w, json_object *status)
{
	g_autofree char *type = wa_get_text(status, "type");

	return g_strcmp0(type, "call") == 0 ||
	    (type == NULL && g_strcmp0(w->field, "calls") == 0);
}

static void
read_status(const struct wa_walk *w, struct item *it, json_object *status,
    bool call)
{
	const char *refers[] = { it->business.user_id, it->target };

	read_receipt(it, status);
	it->type = find_type(status, call);
	read_kind(w, it, call);
	add_rest(it, status);
	if (call)
		return;
	it->key = status_key(it, status);
	if (it->target != NULL)
		it->refers = wa_key("m", refers, G_N_ELEMENTS(refers));
}

void
wa_status_add(struct wa_walk *w, json_object *status)
{
	bool call = is_call(w, status);
	struct item *it;

	if (!json_object_is_type(status, json_type_object)) {
		wa_notice_add(w, "statuses", status, ITEM_TYPE_STATUS,
		    "an element among the statuses that is not an object: "
		    "shown raw");
		return;
	}
	it = wa_item_begin(w, status);
	it->target = wa_get_id(status, "id");
	it->type_name = wa_get_text(status, "status");
	it->at_ms = wa_get_time(status, "timestamp");
	read_recipient(w, it, status);
	wa_problems_read(it, status);
	if (!call || !wa_call_status_read(it, status))
		read_status(w, it, status, call);
	wa_item_end(w, "statuses", it);
}
