/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wa: every shape in tests/events against tests/events/ITEMS, which has a
 * line per item; and what must hold for any bytes. After a wanted change run
 * with ACCEPT=1 to write ITEMS anew, and read the difference.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "err.h"
#include "item.h"
#include "text.h"
#include "wa.h"
#include "wa_bed.h"
#include "wa_told.h"

#define MUTATIONS 2000

static GPtrArray *names;	/* char *, sorted, of all fixtures */

static int
find_fixtures(void **state)
{
	(void)state;
	names = list_events();
	return names != NULL && names->len >= 90 ? 0 : -1;
}

static int
forget_fixtures(void **state)
{
	(void)state;
	g_ptr_array_unref(names);
	return 0;
}

static void
every_event_gives_the_items_that_are_written_down(void **state)
{
	g_autoptr(GString) got = g_string_new(NULL);
	g_autofree char *file = event_path("ITEMS");

	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GPtrArray) items = parse_event(names->pdata[i]);

		g_string_append_printf(got, "%s\n", (char *)names->pdata[i]);
		for (guint j = 0; j < items->len; j++)
			describe_item(got, items->pdata[j]);
	}
	assert_written_down(file, got);
}

/* Lists whose elements are each one event, counted without wa. */
static bool
is_list(const char *key)
{
	static const char *const lists[] = { "messages", "message_echoes",
		"statuses", "calls", "groups", "user_preferences",
		"user_id_update", "user_actions", "state_sync",
		"automatic_events", "changed_fields" };

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		if (strcmp(lists[i], key) == 0)
			return true;
	}
	return false;
}

static bool
is_value(json_object *change, const char *key)
{
	return strcmp(key, "value") == 0 &&
	    json_object_object_get_ex(change, "field", NULL);
}

/* A value without any list is itself one event. */
static size_t
count_leaves(json_object *o)
{
	size_t n = 0, len;

	if (json_object_is_type(o, json_type_array)) {
		len = json_object_array_length(o);
		for (size_t i = 0; i < len; i++)
			n += count_leaves(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, member) {
			if (is_list(key) &&
			    json_object_is_type(member, json_type_array))
				n += json_object_array_length(member);
			else if (is_value(o, key))
				n += MAX(count_leaves(member), 1);
			else
				n += count_leaves(member);
		}
	}
	return n;
}

/* What holds more than its lists show. */
static size_t
extra_leaves(const char *name)
{
	static const struct {
		const char *name;
		size_t extra;
	} rows[] = {
		{ "context-summary", 1 }, { "handover", 1 },
		{ "repeated-member", 1 },
		{ "unknown-field-messages", 1 }, { "unknown-member", 1 },
		{ "value-missing", 2 }, { "entry-odd", 4 },
		/* A chunk has a line of its own; its errors have too. */
		{ "history", 1 }, { "history-chunks", 2 },
		{ "history-no-numbers", 1 }, { "history-odd", 9 },
		{ "account-hostile", 1 },	/* of two names only one is kept */
		/* What a machine wrote is an item beside what it came with. */
		{ "context-summaries", 2 }, { "handovers", 3 },
		{ "call-errors", 1 }, { "value-errors", 2 },
		{ "no-entry", 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].extra;
	}
	return 0;
}

static void
as_many_items_come_out_as_events_went_in(void **state)
{
	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GBytes) bytes = load_event(names->pdata[i]);
		g_autoptr(GPtrArray) items = parse_event(names->pdata[i]);
		g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL),
		    g_bytes_get_size(bytes));
		json_object *root = json_tokener_parse(text);
		size_t want = MAX(count_leaves(root), 1) +
		    extra_leaves(names->pdata[i]);

		json_object_put(root);
		if (items->len != want)
			fail_msg("%s: %u items, counted %zu",
			    (char *)names->pdata[i], items->len, want);
	}
}

/* Every field of Meta's that is known, and its odd spellings. */
static const char *const fields[] = {
	"messages", "smb_message_echoes", "message_echoes", "standby",
	"history", "calls", "messaging_handovers", "user_id_update",
	"smb_app_state_sync", "group_lifecycle_update",
	"group_participants_update", "group_participant_update",
	"group_settings_update", "group_status_update", "user_preferences",
	"business_username_updates", "business_username_update",
	"message_template_components_update",
	"message_template_status_update", "message_template_quality_update",
	"template_category_update", "template_correct_category_detection",
	"account_update", "account_alerts", "account_review_update",
	"account_settings_update", "business_capability_update",
	"business_status_update", "phone_number_name_update",
	"phone_number_quality_update", "security", "partner_solutions",
	"payment_configuration_update", "flows", "automatic_events",
	"tracking_events", "consumer_profile", "campaign_status_update",
};

/* Words for what happened in them, by field. */
static const struct {
	const char *field;
	const char *words;	/* with blanks between */
} events[] = {
	{ "calls", "connect terminate call_created call_recording_available "
	    "call_transcription_available call_transcript_available RINGING "
	    "ACCEPTED rejected" },
	{ "group_lifecycle_update", "group_create group_delete" },
	{ "group_participants_update", "group_participants_add "
	    "group_add_participants group_participants_remove "
	    "group_remove_participants group_join_request_created "
	    "group_join_request_revoked" },
	{ "group_settings_update", "group_settings_update" },
	{ "group_status_update", "group_suspend group_suspend_cleared" },
	{ "messaging_handovers", "control_passed control_taken summary" },
	{ "user_preferences", "stop resume" },
	{ "business_username_updates", "approved reserved" },
	{ "business_username_update", "deleted" },
	{ "automatic_events", "LeadSubmitted Purchase" },
	{ "messages", "marketing_messages_link_click summary" },
	{ "message_template_status_update", "APPROVED ARCHIVED UNARCHIVED "
	    "DELETED DISABLED FLAGGED IN_APPEAL LIMIT_EXCEEDED LOCKED PAUSED "
	    "PENDING PENDING_DELETION REINSTATED REJECTED" },
	{ "account_update", "ACCOUNT_DELETED ACCOUNT_OFFBOARDED "
	    "ACCOUNT_RECONNECTED ACCOUNT_RESTRICTION ACCOUNT_VIOLATION "
	    "AD_ACCOUNT_LINKED AUTH_INTL_PRICE_ELIGIBILITY_UPDATE "
	    "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE DISABLED_UPDATE "
	    "MM_LITE_TERMS_SIGNED PARTNER_ADDED PARTNER_APP_INSTALLED "
	    "PARTNER_APP_UNINSTALLED PARTNER_CLIENT_CERTIFICATION_NEEDED "
	    "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE PARTNER_REMOVED "
	    "VERIFIED_ACCOUNT VOLUME_BASED_PRICING_TIER_UPDATE" },
	{ "account_review_update", "APPROVED REJECTED PENDING DEFERRED" },
	{ "phone_number_quality_update", "ONBOARDING THROUGHPUT_UPGRADE "
	    "UPGRADE DOWNGRADE FLAGGED UNFLAGGED" },
	{ "phone_number_name_update", "APPROVED REJECTED" },
	{ "security", "PIN_CHANGED PIN_RESET_REQUEST PIN_REQUEST_SUCCESS" },
	{ "partner_solutions", "SOLUTION_CREATED SOLUTION_UPDATED" },
	{ "payment_configuration_update", "Active" },
	{ "flows", "FLOW_STATUS_CHANGE CLIENT_ERROR_RATE ENDPOINT_ERROR_RATE "
	    "ENDPOINT_LATENCY ENDPOINT_AVAILABILITY "
	    "FLOW_VERSION_EXPIRY_WARNING" },
};

/* Of all fixtures, "field" and "field word" of what is understood. */
static GHashTable *
collect_understood(void)
{
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal,
	    g_free, NULL);

	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GPtrArray) items = parse_event(names->pdata[i]);

		for (guint j = 0; j < items->len; j++) {
			const struct item *it = items->pdata[j];

			if (it->kind == ITEM_NOTICE || it->field == NULL)
				continue;
			g_hash_table_add(seen, g_strdup(it->field));
			g_hash_table_add(seen, g_strdup_printf("%s %s",
			    it->field, it->type_name));
		}
	}
	return seen;
}

static void
every_field_and_event_has_an_example_that_is_understood(void **state)
{
	g_autoptr(GHashTable) seen = collect_understood();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (!g_hash_table_contains(seen, fields[i]))
			fail_msg("%s: no example is understood", fields[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
		g_auto(GStrv) words = g_strsplit(events[i].words, " ", -1);

		for (char **word = words; *word != NULL; word++) {
			g_autofree char *both = g_strdup_printf("%s %s",
			    events[i].field, *word);

			if (!g_hash_table_contains(seen, both))
				fail_msg("%s: no example is understood", both);
		}
	}
}

static void
assert_is_sane(const struct item *it)
{
	assert_non_null(it->key);
	assert_true(g_str_has_prefix(it->key, "whatsapp|"));
	for (const char *p = it->key; *p != '\0'; p++)
		assert_true(*p > ' ' && *p < 0x7f);
	assert_string_equal(it->network, WA_NETWORK);
	assert_non_null(it->raw);
	assert_true(text_is_utf8(it->raw, strlen(it->raw)));
	if (it->kind == ITEM_NOTICE)
		assert_non_null(it->note);
	if (it->text != NULL)
		assert_true(text_is_utf8(it->text, strlen(it->text)));
	if (it->at_ms != 0)
		assert_in_range(it->at_ms, 1230768000000, 4102444799000);
}

/* Items or a permanent refusal, nothing else; returns whether items. */
static bool
assert_lawful(const char *body, size_t len)
{
	g_autofree char *copy = g_malloc(len + (len == 0));
	g_autoptr(GPtrArray) items = NULL;
	struct err err = ERR_INIT;

	memcpy(copy, body, len);
	if (!wa_parse(copy, len, &limits, &items, &err)) {
		assert_null(items);
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "wa.json");
		return false;
	}
	assert_true(wa_json_check(copy, len, &limits, &err));
	assert_true(items->len >= 1);
	for (guint i = 0; i < items->len; i++)
		assert_is_sane(items->pdata[i]);
	return true;
}

static void
the_raw_json_of_every_item_is_itself_acceptable(void **state)
{
	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GPtrArray) items = parse_event(names->pdata[i]);

		for (guint j = 0; j < items->len; j++) {
			const struct item *it = items->pdata[j];
			struct err err = ERR_INIT;

			assert_is_sane(it);
			assert_true(wa_json_check(it->raw, strlen(it->raw),
			    &limits, &err));
		}
	}
}

static void
a_cut_body_is_refused_wherever_it_is_cut(void **state)
{
	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GBytes) bytes = load_event(names->pdata[i]);
		const char *body = g_bytes_get_data(bytes, NULL);
		size_t len = g_bytes_get_size(bytes);

		while (len > 0 && body[len - 1] == '\n')
			len--;
		assert_true(assert_lawful(body, len));
		for (size_t cut = 0; cut < len; cut++)
			assert_false(assert_lawful(body, cut));
	}
}

/* The same every time: a test that fails can be run again. */
static uint32_t
next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void
changed_bytes_give_items_or_a_refusal_and_never_a_crash(void **state)
{
	static const char bytes[] = "{}[]\",:\\0123456789ntfu-.eE \x00\x1f\x80"
	    "\xc3\xed\xf4\xff";
	uint32_t x = 20260203;
	size_t accepted = 0;

	(void)state;
	for (int i = 0; i < MUTATIONS * 10; i++) {
		const char *name = names->pdata[next_random(&x) % names->len];
		g_autoptr(GBytes) fixture = load_event(name);
		size_t len = g_bytes_get_size(fixture);
		g_autofree char *body = g_memdup2(
		    g_bytes_get_data(fixture, NULL), len);

		for (uint32_t n = next_random(&x) % 4 + 1; n > 0; n--)
			body[next_random(&x) % len] =
			    bytes[next_random(&x) % (sizeof(bytes) - 1)];
		accepted += assert_lawful(body, len);
	}
	/* Changes inside of strings leave JSON: both ways were taken. */
	assert_in_range(accepted, 1, MUTATIONS * 10 - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_event_gives_the_items_that_are_written_down),
		cmocka_unit_test(
		    every_field_and_event_has_an_example_that_is_understood),
		cmocka_unit_test(as_many_items_come_out_as_events_went_in),
		cmocka_unit_test(the_raw_json_of_every_item_is_itself_acceptable),
		cmocka_unit_test(a_cut_body_is_refused_wherever_it_is_cut),
		cmocka_unit_test(
		    changed_bytes_give_items_or_a_refusal_and_never_a_crash),
	};

	return cmocka_run_group_tests_name("wa_events", tests, find_fixtures,
	    forget_fixtures);
}
