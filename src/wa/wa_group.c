/* SPDX-License-Identifier: Apache-2.0 */
/*
 * groups[]: made, deleted, who came and went, how it is named, suspended.
 * Everybody concerned is there as facts, also those for whom it failed; when
 * it is one person alone, that is the counterpart.
 */
#include "wa_event_int.h"

#include <string.h>

/* Two spellings of joining and leaving are in use. */
static const struct wa_word words[] = {
	{ "group_create", ITEM_TYPE_GROUP_LIFECYCLE },
	{ "group_delete", ITEM_TYPE_GROUP_LIFECYCLE },
	{ "group_participants_add", ITEM_TYPE_GROUP_PARTICIPANTS },
	{ "group_add_participants", ITEM_TYPE_GROUP_PARTICIPANTS },
	{ "group_participants_remove", ITEM_TYPE_GROUP_PARTICIPANTS },
	{ "group_remove_participants", ITEM_TYPE_GROUP_PARTICIPANTS },
	{ "group_join_request_created", ITEM_TYPE_GROUP_PARTICIPANTS },
	{ "group_join_request_revoked", ITEM_TYPE_GROUP_PARTICIPANTS },
	{ "group_settings_update", ITEM_TYPE_GROUP_SETTINGS },
	{ "group_suspend", ITEM_TYPE_GROUP_STATUS },
	{ "group_suspend_cleared", ITEM_TYPE_GROUP_STATUS },
	{ NULL }
};

/* NULL if there is none or more than one. */
static json_object *
find_only_participant(json_object *group)
{
	static const char *const lists[] = { "added_participants",
		"removed_participants", "failed_participants" };
	json_object *only = NULL;
	size_t n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		json_object *list = wa_get(group, lists[i], json_type_array);
		size_t len = wa_length(list);

		n += len;
		if (len == 1)
			only = json_object_array_get_idx(list, 0);
	}
	return n == 1 ? only : NULL;
}

static void
read_participant(const struct wa_walk *w, struct item *it, json_object *group)
{
	static const struct wa_party_keys input_keys = { .number = "input" };
	json_object *person = find_only_participant(group);

	if (person == NULL || wa_party_is_known(&it->counterpart))
		return;
	wa_party_read(&it->counterpart, person, &wa_plain_keys);
	if (!wa_party_is_known(&it->counterpart))
		wa_party_read(&it->counterpart, person, &input_keys);
	if (wa_party_is_known(&it->counterpart))
		wa_party_match(w, &it->counterpart);
}

/* By a request to join, by a link, by leaving: the person did it. */
static bool
is_own_doing(const struct item *it, json_object *group)
{
	g_autofree char *by = wa_get_text(group, "initiated_by");
	g_autofree char *reason = wa_get_text(group, "reason");

	if (!wa_party_is_known(&it->counterpart))
		return false;
	if (by != NULL)
		return strcmp(by, "participant") == 0;
	return g_strcmp0(reason, "invite_link") == 0 ||
	    g_str_has_prefix(it->type_name, "group_join_request_");
}

bool
wa_group_parse(const struct wa_walk *w, struct item *it, json_object *group)
{
	static const struct wa_known known[] = { { "group_id", WA_TEXT },
		WA_EVENT_KNOWN };
	enum item_type type = wa_word_find(words, it->type_name,
	    ITEM_TYPE_UNKNOWN);

	if (type == ITEM_TYPE_UNKNOWN)
		return false;
	it->type = type;
	read_participant(w, it, group);
	if (is_own_doing(it, group))
		it->author = ITEM_CUSTOMER;
	wa_event_rest_add(it, group, known);
	return true;
}
