/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message templates: their life and their wording. The wording of each
 * version is kept whole, since later sends name the template only.
 */
#include "wa_event_int.h"

#include <string.h>

static const char *const events[] = { "APPROVED", "ARCHIVED", "UNARCHIVED",
	"DELETED", "DISABLED", "FLAGGED", "IN_APPEAL", "LIMIT_EXCEEDED",
	"LOCKED", "PAUSED", "PENDING", "PENDING_DELETION", "REINSTATED",
	"REJECTED", NULL };

bool
wa_template_status_parse(const struct wa_walk *w, struct item *it,
    json_object *value)
{
	static const struct wa_known known[] = { WA_VALUE_KNOWN };

	(void)w;
	if (!wa_is_word(events, it->type_name))
		return false;
	wa_event_rest_add(it, value, known);
	return true;
}

static void
read_buttons(struct item *it, json_object *value)
{
	json_object *list = wa_get(value, "message_template_buttons",
	    json_type_array);
	size_t len = wa_length(list);

	for (size_t i = 0; i < len; i++) {
		g_autofree char *title = wa_get_text(
		    json_object_array_get_idx(list, i),
		    "message_template_button_text");

		item_button_add(it, title);
	}
}

/* Where the buttons lead is facts; name and language are both. */
bool
wa_template_wording_parse(const struct wa_walk *w, struct item *it,
    json_object *value)
{
	static const struct wa_known known[] = {
		{ "message_template_title", WA_TEXT },
		{ "message_template_element", WA_TEXT },
		{ "message_template_footer", WA_TEXT }, WA_VALUE_KNOWN };
	struct item_template *t;

	(void)w;
	it->text = wa_get_text(value, "message_template_element");
	if (it->text == NULL)
		return false;
	t = item_template_get(it);
	t->name = wa_get_text(value, "message_template_name");
	t->language = wa_get_text(value, "message_template_language");
	t->category = wa_get_text(value, "message_template_category");
	t->header = wa_get_text(value, "message_template_title");
	t->footer = wa_get_text(value, "message_template_footer");
	t->expanded = true;
	read_buttons(it, value);
	wa_event_rest_add(it, value, known);
	return true;
}

static char *
find_fact(const struct item *it, const char *name)
{
	const char *value = item_fact_get(it, name);

	return value != NULL && *value != '\0' ? g_strdup(value) : NULL;
}

/* Events of the wording write "en-US", the API "en_US". */
bool
wa_template_changed(const struct item *it, char **name, char **language)
{
	if (it->type != ITEM_TYPE_TEMPLATE_EVENT)
		return false;
	*name = find_fact(it, "message_template_name");
	*language = find_fact(it, "message_template_language");
	if (*language != NULL)
		g_strdelimit(*language, "-", '_');
	return true;
}
