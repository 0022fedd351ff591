/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meta's words, as tables: fields, message types and the words that refine
 * them. What is in no table becomes a notice that shows its raw JSON, under
 * its own name.
 */
#include "wa_content_int.h"
#include "wa_event_int.h"

#include <string.h>

static const struct wa_word interactive_words[] = {
	{ "button_reply", ITEM_TYPE_BUTTON_REPLY },
	{ "list_reply", ITEM_TYPE_LIST_REPLY },
	{ "nfm_reply", ITEM_TYPE_FLOW_REPLY },
	{ "call_permission_reply", ITEM_TYPE_CALL_PERMISSION_REPLY },
	{ "payment_method", ITEM_TYPE_PAYMENT },
	{ "payment_notification", ITEM_TYPE_PAYMENT },
	{ NULL }
};

static const struct wa_word system_words[] = {
	{ "user_changed_number", ITEM_TYPE_NUMBER_CHANGED },
	{ "customer_changed_number", ITEM_TYPE_NUMBER_CHANGED },
	{ "user_changed_user_id", ITEM_TYPE_USER_ID_CHANGED },
	{ "customer_identity_changed", ITEM_TYPE_IDENTITY_CHANGED },
	{ "user_identity_changed", ITEM_TYPE_IDENTITY_CHANGED },
	{ NULL }
};

/* name, type, kind when parsed, parse, target, words */
static const struct wa_type types[] = {
	{ "text", ITEM_TYPE_TEXT, ITEM_MESSAGE, wa_text_parse },
	{ "image", ITEM_TYPE_IMAGE, ITEM_MESSAGE, wa_media_parse },
	{ "video", ITEM_TYPE_VIDEO, ITEM_MESSAGE, wa_media_parse },
	{ "audio", ITEM_TYPE_AUDIO, ITEM_MESSAGE, wa_media_parse },
	{ "voice", ITEM_TYPE_VOICE, ITEM_MESSAGE, wa_media_parse },
	{ "document", ITEM_TYPE_DOCUMENT, ITEM_MESSAGE, wa_media_parse },
	{ "sticker", ITEM_TYPE_STICKER, ITEM_MESSAGE, wa_media_parse },
	{ "location", ITEM_TYPE_LOCATION, ITEM_MESSAGE, wa_location_parse },
	{ "contacts", ITEM_TYPE_CONTACTS, ITEM_MESSAGE, wa_cards_parse },
	{ "interactive", ITEM_TYPE_INTERACTIVE, ITEM_MESSAGE,
	    wa_interactive_parse, .words = interactive_words },
	{ "button", ITEM_TYPE_BUTTON_REPLY, ITEM_MESSAGE, wa_button_parse },
	{ "order", ITEM_TYPE_ORDER, ITEM_MESSAGE, wa_order_parse },
	{ "template", ITEM_TYPE_TEMPLATE, ITEM_MESSAGE, wa_template_parse },
	{ "ephemeral", ITEM_TYPE_UNKNOWN, ITEM_MESSAGE, wa_ephemeral_parse },
	{ "reaction", ITEM_TYPE_REACTION, ITEM_REACTION, wa_reaction_parse,
	    .target = "message_id" },
	{ "edit", ITEM_TYPE_EDIT, ITEM_EDIT, wa_edit_parse,
	    .target = "original_message_id" },
	{ "revoke", ITEM_TYPE_REVOKE, ITEM_REVOKE, wa_revoke_parse,
	    .target = "original_message_id" },
	{ "pin", ITEM_TYPE_PIN, ITEM_SYSTEM, wa_pin_parse,
	    .target = "message_id" },
	{ "system", ITEM_TYPE_UNKNOWN, ITEM_SYSTEM, wa_system_parse,
	    .words = system_words, .network_only = true },
	{ "request_welcome", ITEM_TYPE_WELCOME_REQUEST, ITEM_SYSTEM,
	    wa_welcome_parse, .network_only = true },
	{ "media_placeholder", ITEM_TYPE_MEDIA_PLACEHOLDER, ITEM_GAP,
	    wa_placeholder_parse, .network_only = true },
	{ "unsupported", ITEM_TYPE_UNSUPPORTED, ITEM_GAP,
	    wa_unsupported_parse, .network_only = true },
	{ "unknown", ITEM_TYPE_UNSUPPORTED, ITEM_GAP,	/* its older name */
	    wa_unsupported_parse, .network_only = true },
};

/* name, type, full, lists; of a whole value: kind, parse */
static const struct wa_field fields[] = {
	{ "messages", ITEM_TYPE_UNKNOWN, true, true },
	{ "smb_message_echoes", ITEM_TYPE_UNKNOWN, true, true },
	{ "message_echoes", ITEM_TYPE_UNKNOWN, true, true },
	{ "standby", ITEM_TYPE_UNKNOWN, true, true },
	{ "history", ITEM_TYPE_HISTORY_CHUNK, true, true },
	{ "calls", ITEM_TYPE_UNKNOWN, false, true },
	{ "group_lifecycle_update", ITEM_TYPE_GROUP_LIFECYCLE, false, true },
	{ "group_participants_update", ITEM_TYPE_GROUP_PARTICIPANTS, false,
	    true },
	{ "group_participant_update", ITEM_TYPE_GROUP_PARTICIPANTS, false,
	    true },
	{ "group_settings_update", ITEM_TYPE_GROUP_SETTINGS, false, true },
	{ "group_status_update", ITEM_TYPE_GROUP_STATUS, false, true },
	{ "user_preferences", ITEM_TYPE_PREFERENCE, false, true },
	{ "smb_app_state_sync", ITEM_TYPE_CONTACT_SYNC, false, true },
	{ "user_id_update", ITEM_TYPE_USER_ID_CHANGED, false, true },
	{ "automatic_events", ITEM_TYPE_INFERRED_EVENT, false, true },
	{ "messaging_handovers", ITEM_TYPE_HANDOVER, false, false,
	    ITEM_SYSTEM, wa_handover_parse },
	{ "business_username_updates", ITEM_TYPE_USERNAME, false, false,
	    ITEM_SYSTEM, wa_username_parse },
	{ "business_username_update", ITEM_TYPE_USERNAME, false, false,
	    ITEM_SYSTEM, wa_username_parse },
	{ "message_template_status_update", ITEM_TYPE_TEMPLATE_EVENT, false, false,
	    ITEM_ACCOUNT, wa_template_status_parse },
	{ "message_template_components_update", ITEM_TYPE_TEMPLATE_EVENT, false, false,
	    ITEM_ACCOUNT, wa_template_wording_parse },
	{ "message_template_quality_update", ITEM_TYPE_TEMPLATE_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "template_category_update", ITEM_TYPE_TEMPLATE_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "template_correct_category_detection", ITEM_TYPE_TEMPLATE_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "account_update", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_update_parse },
	{ "account_alerts", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_alert_parse },
	{ "account_review_update", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "account_settings_update", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "business_capability_update", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "business_status_update", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_undescribed_parse },
	{ "partner_solutions", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "payment_configuration_update", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "flows", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_flow_parse },
	{ "campaign_status_update", ITEM_TYPE_ACCOUNT_EVENT, false, false,
	    ITEM_ACCOUNT, wa_undescribed_parse },
	{ "phone_number_name_update", ITEM_TYPE_NUMBER_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "phone_number_quality_update", ITEM_TYPE_NUMBER_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "security", ITEM_TYPE_NUMBER_EVENT, false, false,
	    ITEM_ACCOUNT, wa_account_parse },
	{ "tracking_events", ITEM_TYPE_INFERRED_EVENT, false, false,
	    ITEM_SYSTEM, wa_undescribed_parse },
	{ "consumer_profile", ITEM_TYPE_UNKNOWN, false, false,
	    ITEM_SYSTEM, wa_undescribed_parse },
};

const struct wa_type *
wa_type_find(const char *name)
{
	for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(types); i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	}
	return NULL;
}

const struct wa_type *
wa_type_guess(json_object *message)
{
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		if (wa_get_any(message, types[i].name) != NULL)
			return &types[i];
	}
	return NULL;
}

enum item_type
wa_type_refine(const struct wa_type *row, json_object *content)
{
	g_autofree char *word = NULL;

	if (row->words == NULL)
		return row->type;
	word = wa_get_text(content, "type");
	return wa_word_find(row->words, word, row->type);
}

const struct wa_field *
wa_field_find(const char *name)
{
	for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(fields); i++) {
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	}
	return NULL;
}

enum item_type
wa_word_find(const struct wa_word *words, const char *name,
    enum item_type otherwise)
{
	for (; name != NULL && words->name != NULL; words++) {
		if (strcmp(words->name, name) == 0)
			return words->type;
	}
	return otherwise;
}
