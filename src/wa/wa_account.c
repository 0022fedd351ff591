/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Administration of accounts and numbers. All members are facts, since any
 * of them may matter to somebody. Where the capture of messages stops or may
 * stop, the item is an alarm and its note says what a person should do.
 */
#include "wa_event_int.h"

#include <string.h>

struct event_list {
	const char *field;
	const char *const *words;
};

struct account_event {
	const char *name;
	const char *alarm;	/* what to do; NULL: it is no alarm */
};

#define CHECK_RESTRICTION \
	"the account is restricted in sending or receiving messages: read the " \
	"restriction, clear its cause in WhatsApp Manager, and check which " \
	"conversations it interrupts"

/* name, what to do */
static const struct account_event account_events[] = {
	{ "ACCOUNT_DELETED",
	    "the WhatsApp Business account was deleted: nothing more is "
	    "captured from its numbers; find out who deleted it, and take "
	    "its numbers out of use or set them up again" },
	{ "ACCOUNT_OFFBOARDED",
	    "the number was disconnected from the API: what is written on it "
	    "from now on is not captured; stop its use until it is connected "
	    "again, and record the gap" },
	{ "ACCOUNT_RECONNECTED" },
	{ "ACCOUNT_RESTRICTION" },
	{ "ACCOUNT_VIOLATION" },
	{ "AD_ACCOUNT_LINKED" },
	{ "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE" },
	{ "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE" },
	{ "DISABLED_UPDATE",
	    "the account is disabled, will be, or is enabled again: read the "
	    "state; while it is disabled no message goes or comes, so find "
	    "out where conversations go meanwhile" },
	{ "MM_LITE_TERMS_SIGNED" },
	{ "PARTNER_ADDED" },
	{ "PARTNER_APP_INSTALLED" },
	{ "PARTNER_APP_UNINSTALLED",
	    "the app that captures messages may have been removed from the "
	    "account: check in WhatsApp Manager that it is still subscribed, "
	    "and stop the use of the numbers until it is" },
	{ "PARTNER_CLIENT_CERTIFICATION_NEEDED" },
	{ "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE" },
	{ "PARTNER_REMOVED",
	    "the account was taken from the partner: its messages may not be "
	    "captured any more; check the subscription, and stop the use of "
	    "the numbers until it is restored" },
	{ "VERIFIED_ACCOUNT" },
	{ "VOLUME_BASED_PRICING_TIER_UPDATE" },
};

/* Fields of which every event is known; other words are shown raw. */
static const char *const quality_words[] = { "ONBOARDING",
	"THROUGHPUT_UPGRADE", "UPGRADE", "DOWNGRADE", "FLAGGED", "UNFLAGGED",
	NULL };
static const char *const security_words[] = { "PIN_CHANGED",
	"PIN_RESET_REQUEST", "PIN_REQUEST_SUCCESS", NULL };
static const char *const solution_words[] = { "SOLUTION_CREATED",
	"SOLUTION_UPDATED", NULL };
static const char *const review_words[] = { "APPROVED", "REJECTED",
	"PENDING", "DEFERRED", NULL };
static const char *const flow_words[] = { "FLOW_STATUS_CHANGE",
	"CLIENT_ERROR_RATE", "ENDPOINT_ERROR_RATE", "ENDPOINT_LATENCY",
	"ENDPOINT_AVAILABILITY", "FLOW_VERSION_EXPIRY_WARNING", NULL };
static const struct event_list event_lists[] = {
	{ "phone_number_quality_update", quality_words },
	{ "security", security_words },
	{ "partner_solutions", solution_words },
	{ "account_review_update", review_words },
	{ "flows", flow_words },
};

static const struct wa_known known[] = { WA_ENVELOPE_KNOWN, WA_VALUE_KNOWN };

static const struct account_event *
find_event(const char *name)
{
	for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(account_events);
	    i++) {
		if (g_ascii_strcasecmp(account_events[i].name, name) == 0)
			return &account_events[i];
	}
	return NULL;
}

static void
raise_alarm(struct item *it, const char *what_to_do)
{
	it->alarm = true;
	g_free(it->note);
	it->note = g_strdup(what_to_do);
}

/* Restrictions and violations are of many things; some of messages. */
static bool
names_messaging(json_object *info, const char *key)
{
	g_autofree char *kind = wa_get_text(info, key);
	g_autofree char *small = NULL;
	size_t len = wa_length(info);

	for (size_t i = 0; i < len; i++) {
		if (names_messaging(json_object_array_get_idx(info, i), key))
			return true;
	}
	if (kind == NULL)
		return false;
	small = g_ascii_strdown(kind, -1);
	return strstr(small, "messag") != NULL;
}

static bool
stops_messages(json_object *value)
{
	return names_messaging(wa_get_any(value, "restriction_info"),
	    "restriction_type") ||
	    names_messaging(wa_get_any(value, "violation_info"),
	    "violation_type");
}

static bool
is_event(const struct item *it)
{
	for (size_t i = 0; i < G_N_ELEMENTS(event_lists); i++) {
		if (g_strcmp0(event_lists[i].field, it->field) == 0)
			return wa_is_word(event_lists[i].words, it->type_name);
	}
	return true;
}

bool
wa_account_update_parse(const struct wa_walk *w, struct item *it,
    json_object *value)
{
	const struct account_event *event = find_event(it->type_name);

	(void)w;
	if (event == NULL)
		return false;
	if (event->alarm != NULL)
		raise_alarm(it, event->alarm);
	else if (stops_messages(value))
		raise_alarm(it, CHECK_RESTRICTION);
	wa_event_rest_add(it, value, known);
	return true;
}

bool
wa_alert_parse(const struct wa_walk *w, struct item *it, json_object *value)
{
	static const struct wa_known alert_known[] = {
		{ "alert_info", WA_OBJECT }, WA_VALUE_KNOWN };
	static const struct wa_known info_known[] = {
		{ "alert_description", WA_TEXT }, { NULL } };
	json_object *info = wa_get_any(value, "alert_info");
	g_autofree char *severity = wa_get_text(info, "alert_severity");

	(void)w;
	if (!json_object_is_type(info, json_type_object))
		return false;
	g_free(it->type_name);
	it->type_name = wa_get_id(info, "alert_type");
	it->text = wa_get_id(info, "alert_description");
	if (severity != NULL && g_ascii_strcasecmp(severity, "CRITICAL") == 0)
		raise_alarm(it, "WhatsApp calls this critical: read the "
		    "alert, and look into WhatsApp Manager whether messages "
		    "are affected");
	wa_rest_add(it, "alert_info", info, info_known);
	wa_event_rest_add(it, value, alert_known);
	return true;
}

bool
wa_flow_parse(const struct wa_walk *w, struct item *it, json_object *value)
{
	static const struct wa_known flow_known[] = { { "message", WA_TEXT },
		WA_VALUE_KNOWN };

	(void)w;
	if (!is_event(it))
		return false;
	it->text = wa_get_id(value, "message");
	wa_event_rest_add(it, value, flow_known);
	return true;
}

/* Fields whose members say all; an event word is not always among them. */
bool
wa_account_parse(const struct wa_walk *w, struct item *it, json_object *value)
{
	(void)w;
	if (!is_event(it))
		return false;
	wa_event_rest_add(it, value, known);
	return it->type_name != NULL || it->facts != NULL;
}

bool
wa_error_parse(const struct wa_walk *w, struct item *it, json_object *error)
{
	(void)w;
	if (wa_is_empty(error))
		return false;
	wa_problem_read(it, error);
	return true;
}

bool
wa_declined_parse(const struct wa_walk *w, struct item *it, json_object *error)
{
	if (!wa_error_parse(w, it, error))
		return false;
	raise_alarm(it, "the chats of before the number was connected are "
	    "not shared and are in no journal: keep them from the phone in "
	    "another way, or connect the number anew and let its user agree");
	return true;
}

/* The app sends names of fields without values: content is being lost. */
bool
wa_content_off_parse(const struct wa_walk *w, struct item *it,
    json_object *entry)
{
	(void)w;
	(void)entry;
	it->missing = g_strdup(it->field);
	raise_alarm(it, "the webhook came without its content, which is lost: "
	    "switch on \"Include values\" for this app in its webhook "
	    "settings at once, and record the gap");
	return true;
}
