/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System messages: the person behind a chat has another number, user id or
 * key now. They come without contacts[] and may lack from.
 */
#include "wa_content_int.h"

/* Older versions of Meta's API have names of their own for both. */
static const struct wa_party_keys new_keys = { .number = "new_wa_id" };
static const struct wa_party_keys old_keys = { .number = "customer" };

static void
forget_same(char **before, const char *after)
{
	if (g_strcmp0(*before, after) == 0)
		g_clear_pointer(before, g_free);
}

/* An id that did not change, or was only filled in from here, is not old. */
static void
forget_same_ids(struct item_party *before, const struct item_party *after)
{
	forget_same(&before->number, after->number);
	forget_same(&before->user_id, after->user_id);
	forget_same(&before->parent_user_id, after->parent_user_id);
	forget_same(&before->username, after->username);
}

static void
read_identity(struct item *it, json_object *content)
{
	struct item_identity *id = item_identity_get(it);

	wa_party_read(&id->after, content, &wa_plain_keys);
	wa_party_read(&id->after, content, &new_keys);
	wa_party_read(&id->before, content, &old_keys);
	wa_party_merge(&id->before, &it->counterpart);
	g_clear_pointer(&id->before.name, g_free);
	forget_same_ids(&id->before, &id->after);
}

/* The old number, whose conversation it is, if there is one. */
void
wa_system_person_read(struct item_party *p, json_object *content)
{
	wa_party_read(p, content, &old_keys);
	if (!wa_party_is_known(p))
		wa_party_read(p, content, &wa_plain_keys);
}

bool
wa_system_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known changed[] = { { "body", WA_TEXT },
		{ "type", WA_TEXT }, { "wa_id", WA_TEXT },
		{ "user_id", WA_TEXT }, { "parent_user_id", WA_TEXT },
		{ "username", WA_TEXT }, { "new_wa_id", WA_TEXT },
		{ "customer", WA_TEXT }, { NULL } };
	static const struct wa_known other[] = { { "body", WA_TEXT },
		{ NULL } };

	if (!json_object_is_type(content, json_type_object))
		return false;
	it->text = wa_get_text(content, "body");
	if (it->type == ITEM_TYPE_NUMBER_CHANGED ||
	    it->type == ITEM_TYPE_USER_ID_CHANGED) {
		read_identity(it, content);
		wa_rest_add(it, path, content, changed);
		return it->text != NULL ||
		    wa_party_is_known(&it->identity->after);
	}
	wa_rest_add(it, path, content, other);
	return it->type != ITEM_TYPE_UNKNOWN;
}
