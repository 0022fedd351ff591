/* SPDX-License-Identifier: Apache-2.0 */
/* wa: calls, groups, accounts and the other events that are no messages. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "item.h"
#include "wa.h"
#include "wa_bed.h"

static void
assert_fact(const struct item *it, const char *name, const char *value)
{
	const char *got = find_fact(it->facts, name);

	if (got == NULL)
		fail_msg("no fact %s", name);
	assert_string_equal(got, value);
}

static GPtrArray *
parse_call(const char *members)
{
	g_autofree char *list = g_strdup_printf("\"calls\":[{"
	    "\"id\":\"wacid.A\",%s}]", members);

	return parse_field("calls", list);
}

#define RECORDING(media) "\"event\":\"call_recording_available\"," \
	"\"timestamp\":\"1790000000\",\"call_recording\":{\"type\":\"audio\"," \
	"\"audio\":{" media "}}"
#define TRANSCRIPT(event, id) "\"event\":\"" event "\",\"call_transcript\":" \
	"{\"document\":{\"id\":\"" id "\",\"mime_type\":\"application/json\"}}"

static void
a_second_recording_of_a_call_is_no_repeat_of_the_first(void **state)
{
	g_autoptr(GPtrArray) one = parse_call(RECORDING("\"id\":\"1\""));
	g_autoptr(GPtrArray) again = parse_call(RECORDING("\"id\":\"1\","
	    "\"url\":\"https://x.example/1\""));
	g_autoptr(GPtrArray) two = parse_call(RECORDING("\"id\":\"2\""));

	(void)state;
	assert_string_equal(only_item(one)->key,
	    "whatsapp|c|700|wacid.A|call_recording_available|1");
	assert_string_equal(only_item(again)->key, only_item(one)->key);
	assert_string_not_equal(only_item(two)->key, only_item(one)->key);
}

static void
a_recording_without_a_media_id_is_told_apart_by_its_bytes(void **state)
{
	g_autoptr(GPtrArray) one = parse_call(RECORDING("\"url\":\"https:1\""));
	g_autoptr(GPtrArray) two = parse_call(RECORDING("\"url\":\"https:2\""));

	(void)state;
	assert_int_equal(only_item(one)->kind, ITEM_CALL);
	assert_string_not_equal(only_item(one)->key, only_item(two)->key);
}

static void
recordings_and_transcripts_are_media_that_hang_on_their_call(void **state)
{
	static const char *const bodies[] = {
		RECORDING("\"id\":\"1\",\"mime_type\":\"audio/ogg\""),
		TRANSCRIPT("call_transcription_available", "2"),
		TRANSCRIPT("call_transcript_available", "3"),
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		g_autoptr(GPtrArray) items = parse_call(bodies[i]);
		const struct item *it = only_item(items);
		const struct item_media *m = it->media->pdata[0];

		assert_int_equal(it->kind, ITEM_CALL);
		assert_int_equal(it->type, i == 0 ? ITEM_TYPE_CALL_RECORDING :
		    ITEM_TYPE_CALL_TRANSCRIPT);
		assert_int_equal(it->machine_written, i != 0);
		assert_int_equal(it->media->len, 1);
		assert_int_equal(m->id[0], (int)('1' + i));
		assert_null(m->filename);
		assert_string_equal(it->refers,
		    "whatsapp|c|700|wacid.A|connect");
	}
}

static void
a_recording_whose_media_is_missing_is_shown_raw(void **state)
{
	g_autoptr(GPtrArray) items = parse_call(RECORDING("\"size\":7"));

	(void)state;
	assert_int_equal(only_item(items)->kind, ITEM_NOTICE);
	assert_string_equal(only_item(items)->type_name,
	    "call_recording_available");
}

static void
a_missed_call_ends_without_start_and_duration(void **state)
{
	g_autoptr(GPtrArray) missed = parse_call("\"event\":\"terminate\","
	    "\"status\":\"COMPLETED\",\"direction\":\"USER_INITIATED\"");
	g_autoptr(GPtrArray) held = parse_call("\"event\":\"terminate\","
	    "\"status\":\"Completed\",\"direction\":\"USER_INITIATED\","
	    "\"start_time\":1790000000,\"end_time\":\"1790000007\","
	    "\"duration\":\"7\"");
	const struct item_call *c = only_item(missed)->call;

	(void)state;
	assert_string_equal(c->status, "COMPLETED");
	assert_int_equal(c->start_ms, 0);
	assert_int_equal(c->duration_s, -1);
	c = only_item(held)->call;
	assert_string_equal(c->status, "Completed");
	assert_int_equal(c->start_ms, 1790000000000);
	assert_int_equal(c->end_ms, 1790000007000);
	assert_int_equal(c->duration_s, 7);
}

static void
who_called_is_told_by_direction_and_not_by_from(void **state)
{
	static const struct {
		const char *word;
		enum item_direction direction;
		enum item_author author;
	} rows[] = {
		{ "USER_INITIATED", ITEM_RECEIVED, ITEM_CUSTOMER },
		{ "user_initiated", ITEM_RECEIVED, ITEM_CUSTOMER },
		{ "BUSINESS_INITIATED", ITEM_SENT, ITEM_UNKNOWN_STAFF },
		{ "SIDEWAYS", ITEM_RECEIVED, ITEM_NETWORK },
	};
	static const char *const ends[] = {
		"\"from\":\"551140000001\",\"to\":\"5511988880001\"",
		"\"to\":\"551140000001\",\"from\":\"5511988880001\"",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows) * 2; i++) {
		g_autofree char *call = g_strdup_printf("\"event\":\"connect\","
		    "\"direction\":\"%s\",%s", rows[i / 2].word, ends[i % 2]);
		g_autoptr(GPtrArray) items = parse_call(call);
		const struct item *it = only_item(items);

		assert_int_equal(it->kind, ITEM_CALL);
		assert_int_equal(it->direction, rows[i / 2].direction);
		assert_int_equal(it->author, rows[i / 2].author);
		assert_string_equal(it->counterpart.number, "5511988880001");
	}
}

static void
addresses_of_devices_are_no_facts(void **state)
{
	g_autoptr(GPtrArray) items = parse_call("\"event\":\"connect\","
	    "\"session\":{\"sdp_type\":\"offer\",\"sdp\":\"v=0 192.0.2.1\"},"
	    "\"connection\":{\"webrtc\":{\"sdp\":\"v=0 192.0.2.1\"}},"
	    "\"cta_payload\":\"card\"");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->facts->len, 1);
	assert_fact(it, "cta_payload", "card");
	assert_non_null(strstr(it->raw, "192.0.2.1"));
}

static void
a_status_of_a_call_is_a_call_and_no_receipt(void **state)
{
	g_autoptr(GPtrArray) items = parse_field("calls", "\"statuses\":[{"
	    "\"id\":\"wacid.A\",\"type\":\"call\",\"status\":\"RINGING\","
	    "\"timestamp\":\"1790000000\",\"recipient_id\":\"5511988880001\","
	    "\"biz_opaque_callback_data\":\"desk\"}]");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->kind, ITEM_CALL);
	assert_int_equal(it->type, ITEM_TYPE_CALL_STATUS);
	assert_int_equal(it->direction, ITEM_SENT);
	assert_null(it->receipt);
	assert_string_equal(it->call->status, "RINGING");
	assert_string_equal(it->id, "wacid.A");
	assert_string_equal(it->key, "whatsapp|c|700|wacid.A|RINGING");
	assert_fact(it, "biz_opaque_callback_data", "desk");
}

static const struct item *
parse_group(const char *members, GPtrArray **items)
{
	g_autofree char *list = g_strdup_printf("\"groups\":[{"
	    "\"group_id\":\"G=\",\"timestamp\":\"1790000000\",%s}]", members);

	*items = parse_field("group_participants_update", list);
	return only_item(*items);
}

static void
somebody_who_joins_or_leaves_alone_is_the_author(void **state)
{
	static const struct {
		const char *members;
		enum item_author author;
		const char *number;
	} rows[] = {
		{ "\"type\":\"group_participants_add\",\"reason\":"
		    "\"invite_link\",\"added_participants\":[{\"wa_id\":\"5511988880001\"}]",
		    ITEM_CUSTOMER, "5511988880001" },
		{ "\"type\":\"group_remove_participants\",\"initiated_by\":"
		    "\"participant\",\"removed_participants\":[{\"wa_id\":"
		    "\"5511988880001\"}]", ITEM_CUSTOMER, "5511988880001" },
		{ "\"type\":\"group_join_request_created\",\"wa_id\":\"5511988880001\"",
		    ITEM_CUSTOMER, "5511988880001" },
		{ "\"type\":\"group_participants_remove\",\"initiated_by\":"
		    "\"business\",\"removed_participants\":[{\"wa_id\":\"5511988880001\"}]",
		    ITEM_NETWORK, "5511988880001" },
		{ "\"type\":\"group_participants_add\",\"failed_participants\":"
		    "[{\"input\":\"+55 11 98888-0001\"}]", ITEM_NETWORK, "5511988880001" },
		{ "\"type\":\"group_participants_add\",\"added_participants\":"
		    "[{\"wa_id\":\"5511988880001\"},{\"wa_id\":\"5511988880002\"}]",
		    ITEM_NETWORK, NULL },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = NULL;
		const struct item *it = parse_group(rows[i].members, &items);

		assert_int_equal(it->kind, ITEM_GROUP);
		assert_string_equal(it->group_id, "G=");
		assert_int_equal(it->author, rows[i].author);
		if (rows[i].number != NULL)
			assert_string_equal(it->counterpart.number,
			    rows[i].number);
		else
			assert_null(it->counterpart.number);
	}
}

static void
everybody_of_a_group_event_is_there_as_facts(void **state)
{
	g_autoptr(GPtrArray) items = NULL;
	const struct item *it = parse_group("\"type\":\"group_participants_add\","
	    "\"added_participants\":[{\"wa_id\":\"5511988880001\"},{\"user_id\":\"BR.1\","
	    "\"username\":\"b\"}],\"failed_participants\":[{\"input\":\"5511988880002\","
	    "\"errors\":[{\"code\":131026,\"title\":\"No\"}]}]", &items);

	(void)state;
	assert_fact(it, "type", "group_participants_add");
	assert_fact(it, "added_participants.1.wa_id",
	    "5511988880001");
	assert_fact(it, "added_participants.2.username", "b");
	assert_fact(it, "failed_participants.input", "5511988880002");
	assert_fact(it, "failed_participants.errors.code", "131026");
}

#define HANDOVER(at, more) "\"sender\":{\"phone_number\":\"5511988880001\"}," \
	"\"type\":\"control_passed\",\"timestamp\":\"" at "\"," \
	"\"control_passed\":{\"new_owner_role\":\"ai_agent\",\"metadata\":" \
	"\"words of a person\"" more "}"
#define SUMMARY ",\"conversation_context\":{\"type\":\"summary\"," \
	"\"summary\":{\"text\":\"words of a machine\"}}"

static void
what_a_machine_wrote_is_never_mixed_with_what_a_person_wrote(void **state)
{
	g_autoptr(GPtrArray) items = parse_field("messaging_handovers",
	    HANDOVER("1790000000", SUMMARY));
	const struct item *handover = items->pdata[0];
	const struct item *summary = items->pdata[1];

	(void)state;
	assert_int_equal(items->len, 2);
	assert_int_equal(handover->type, ITEM_TYPE_HANDOVER);
	assert_string_equal(handover->text, "words of a person");
	assert_false(handover->machine_written);
	assert_fact(handover, "new_owner_role", "ai_agent");
	assert_int_equal(handover->facts->len, 2);
	assert_int_equal(summary->type, ITEM_TYPE_CONTEXT_SUMMARY);
	assert_string_equal(summary->text, "words of a machine");
	assert_true(summary->machine_written);
	assert_string_equal(summary->counterpart.number, "5511988880001");
	assert_string_equal(summary->refers, handover->key);
	assert_int_equal(summary->at_ms, handover->at_ms);
}

static char *
second_key(const char *field, const char *members)
{
	g_autoptr(GPtrArray) items = parse_field(field, members);
	const struct item *it = items->pdata[1];

	assert_int_equal(items->len, 2);
	assert_int_equal(it->type, ITEM_TYPE_CONTEXT_SUMMARY);
	return g_strdup(it->key);
}

#define MESSAGE(id) "\"messages\":[{\"from\":\"5511988880001\",\"id\":\"" id \
	"\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}]"
#define CONTEXT "\"conversation_context\":{\"summary\":{\"text\":\"same\"}}"

static void
the_same_summary_of_another_message_is_another_summary(void **state)
{
	g_autofree char *one = second_key("messages", MESSAGE("A") "," CONTEXT);
	g_autofree char *again = second_key("messages",
	    CONTEXT "," MESSAGE("A"));
	g_autofree char *two = second_key("messages", MESSAGE("B") "," CONTEXT);
	g_autofree char *early = second_key("messaging_handovers",
	    HANDOVER("1790000000", SUMMARY));
	g_autofree char *late = second_key("messaging_handovers",
	    HANDOVER("1790000001", SUMMARY));

	(void)state;
	assert_string_equal(one, again);
	assert_string_not_equal(one, two);
	assert_string_not_equal(early, late);
}

static void
a_changed_user_id_names_who_it_was_and_who_it_is(void **state)
{
	g_autoptr(GPtrArray) items = parse_field("user_id_update",
	    "\"user_id_update\":[{\"wa_id\":\"5511988880001\",\"detail\":\"words\","
	    "\"user_id\":{\"previous\":\"BR.1\",\"current\":\"BR.2\"},"
	    "\"parent_user_id\":{\"previous\":\"BR.ENT.1\",\"current\":"
	    "\"BR.ENT.1\"},\"timestamp\":\"1790000000\"}]");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->kind, ITEM_SYSTEM);
	assert_string_equal(it->text, "words");
	assert_string_equal(it->identity->before.user_id, "BR.1");
	assert_string_equal(it->identity->after.user_id, "BR.2");
	assert_null(it->identity->before.parent_user_id);
	assert_string_equal(it->identity->after.parent_user_id, "BR.ENT.1");
	assert_null(it->identity->before.number);
	assert_string_equal(it->identity->after.number, "5511988880001");
	assert_string_equal(it->counterpart.user_id, "BR.2");
	assert_null(it->facts);
}

static void
what_stops_the_capture_is_an_alarm_and_says_what_to_do(void **state)
{
	static const struct {
		const char *field, *members;
		bool alarm;
	} rows[] = {
		{ "account_update", "\"event\":\"ACCOUNT_DELETED\"", true },
		{ "account_update", "\"event\":\"ACCOUNT_OFFBOARDED\"", true },
		{ "account_update", "\"event\":\"PARTNER_REMOVED\"", true },
		{ "account_update", "\"event\":\"PARTNER_APP_UNINSTALLED\"",
		    true },
		{ "account_update", "\"event\":\"DISABLED_UPDATE\"", true },
		{ "account_update", "\"event\":\"ACCOUNT_RESTRICTION\","
		    "\"restriction_info\":[{\"restriction_type\":\"X\"},"
		    "{\"restriction_type\":\"RESTRICTED_BIZ_INITIATED_MESSAGING\""
		    "}]", true },
		{ "account_update", "\"event\":\"ACCOUNT_VIOLATION\","
		    "\"violation_info\":{\"violation_type\":\"Messages\"}",
		    true },
		{ "account_update", "\"event\":\"ACCOUNT_RESTRICTION\","
		    "\"restriction_info\":[{\"restriction_type\":"
		    "\"RESTRICTED_ADD_PHONE_NUMBER_ACTION\",\"remediation\":"
		    "\"send us a message\"}]", false },
		{ "account_update", "\"event\":\"ACCOUNT_RECONNECTED\"",
		    false },
		{ "account_update", "\"event\":\"PARTNER_ADDED\"", false },
		{ "account_alerts", "\"alert_info\":{\"alert_severity\":"
		    "\"CRITICAL\"}", true },
		{ "account_alerts", "\"alert_info\":{\"alert_severity\":"
		    "\"WARNING\"}", false },
		{ "history", "\"history\":[{\"errors\":[{\"code\":2593109}]}]",
		    true },
		{ "security", "\"event\":\"PIN_CHANGED\"", false },
		{ "phone_number_quality_update", "\"event\":\"FLAGGED\"",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = parse_field(rows[i].field,
		    rows[i].members);
		const struct item *it = only_item(items);

		assert_int_equal(it->kind, ITEM_ACCOUNT);
		assert_int_equal(it->alarm, rows[i].alarm);
		assert_true((it->note != NULL) == rows[i].alarm);
	}
}

static void
a_webhook_without_its_content_is_a_gap_with_an_alarm_for_each_field(
    void **state)
{
	g_autoptr(GPtrArray) items = parse("{\"object\":"
	    "\"whatsapp_business_account\",\"entry\":[{\"id\":\"900\","
	    "\"changed_fields\":[\"messages\",\"calls\"]}]}");
	const char *const fields[] = { "messages", "calls" };

	(void)state;
	assert_int_equal(items->len, 2);
	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];

		assert_int_equal(it->kind, ITEM_GAP);
		assert_int_equal(it->type, ITEM_TYPE_CONTENT_OFF);
		assert_true(it->alarm);
		assert_non_null(strstr(it->note, "Include values"));
		assert_string_equal(it->missing, fields[i]);
		assert_string_equal(it->field, fields[i]);
	}
}

/* The entry in each of them would grow with the square of its length. */
static void
the_items_of_a_webhook_are_together_no_larger_than_some_times_it(void **state)
{
	g_autoptr(GString) body = g_string_new("{\"entry\":[{\"id\":\"900\","
	    "\"time\":1790000000,\"changed_fields\":[\"messages\"");
	gsize sum = 0;

	(void)state;
	for (int i = 0; i < 2000; i++)
		g_string_append_printf(body, ",\"f%d\"", i);
	g_string_append(body, "]}]}");
	g_autoptr(GPtrArray) items = parse(body->str);

	assert_int_equal(items->len, 2001);
	for (guint i = 0; i < items->len; i++)
		sum += strlen(((struct item *)items->pdata[i])->raw);
	assert_true(sum < 20 * body->len);
	assert_string_equal(((struct item *)items->pdata[1])->raw,
	    "{\"id\":\"900\",\"time\":1790000000,"
	    "\"changed_fields\":[\"f0\"]}");
}

static void
what_is_not_known_is_a_notice_under_its_own_name_and_no_alarm(void **state)
{
	static const struct {
		const char *field, *members, *word;
	} rows[] = {
		{ "account_update", "\"event\":\"ACCOUNT_DELETED_MAYBE\"",
		    "ACCOUNT_DELETED_MAYBE" },
		{ "security", "\"event\":\"PIN_GUESSED\"", "PIN_GUESSED" },
		{ "calls", "\"calls\":[{\"id\":\"w\",\"event\":\"hold\"}]",
		    "hold" },
		{ "group_status_update", "\"groups\":[{\"type\":"
		    "\"group_frozen\"}]", "group_frozen" },
		{ "user_preferences", "\"user_preferences\":[{\"value\":"
		    "\"maybe\"}]", "maybe" },
		{ "messaging_handovers", "\"type\":\"control_lost\"",
		    "control_lost" },
		{ "a_field_of_tomorrow", "\"event\":\"x\"", "x" },
		{ "a_field_of_tomorrow", "\"calls\":[{\"id\":\"w\","
		    "\"event\":\"connect\"}]", "connect" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = parse_field(rows[i].field,
		    rows[i].members);
		const struct item *it = only_item(items);

		assert_int_equal(it->kind, ITEM_NOTICE);
		assert_string_equal(it->field, rows[i].field);
		assert_string_equal(it->type_name, rows[i].word);
		assert_false(it->alarm);
		assert_non_null(it->note);
	}
}

static void
the_wording_of_a_template_is_kept_whole(void **state)
{
	g_autoptr(GPtrArray) items = parse_field(
	    "message_template_components_update", "\"message_template_id\":7,"
	    "\"message_template_name\":\"due\",\"message_template_language\":"
	    "\"pt_BR\",\"message_template_title\":\"Invoice\","
	    "\"message_template_element\":\"Hello {{1}}\","
	    "\"message_template_footer\":\"Bank\","
	    "\"message_template_buttons\":[{\"message_template_button_type\":"
	    "\"URL\",\"message_template_button_text\":\"Pay\","
	    "\"message_template_button_url\":\"https://x.example\"}]");
	const struct item *it = only_item(items);
	const struct item_template *t = it->template;

	(void)state;
	assert_string_equal(it->text, "Hello {{1}}");
	assert_string_equal(t->name, "due");
	assert_string_equal(t->language, "pt_BR");
	assert_string_equal(t->header, "Invoice");
	assert_string_equal(t->footer, "Bank");
	assert_string_equal(t->buttons->pdata[0], "Pay");
	assert_true(t->expanded);
	assert_fact(it, "message_template_id", "7");
	assert_fact(it,
	    "message_template_buttons.message_template_button_url",
	    "https://x.example");
}

static void
an_error_of_the_whole_request_keeps_every_member(void **state)
{
	g_autoptr(GPtrArray) items = parse_field("messages", "\"errors\":[{"
	    "\"code\":130429,\"title\":\"Rate\",\"message\":\"m\","
	    "\"error_data\":{\"details\":\"d\",\"who\":\"w\"},"
	    "\"href\":\"https://x.example\"}]");
	const struct item *it = only_item(items);
	const struct item_problem *p = it->problems->pdata[0];

	(void)state;
	assert_int_equal(it->kind, ITEM_ACCOUNT);
	assert_int_equal(it->type, ITEM_TYPE_ERROR);
	assert_int_equal(it->problems->len, 1);
	assert_string_equal(p->code, "130429");
	assert_string_equal(p->details, "d");
	assert_fact(it, "error.href", "https://x.example");
	assert_fact(it, "error.error_data.who", "w");
}

static void
a_timestamp_that_is_none_is_shown_as_it_is(void **state)
{
	g_autoptr(GPtrArray) items = parse_field("user_preferences",
	    "\"user_preferences\":[{\"wa_id\":\"5511988880001\",\"value\":\"stop\","
	    "\"timestamp\":\"yesterday\"}]");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->author, ITEM_CUSTOMER);
	assert_int_equal(it->at_ms, 0);
	assert_fact(it, "timestamp", "yesterday");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_second_recording_of_a_call_is_no_repeat_of_the_first),
		cmocka_unit_test(
		    a_recording_without_a_media_id_is_told_apart_by_its_bytes),
		cmocka_unit_test(
		    recordings_and_transcripts_are_media_that_hang_on_their_call),
		cmocka_unit_test(
		    a_recording_whose_media_is_missing_is_shown_raw),
		cmocka_unit_test(a_missed_call_ends_without_start_and_duration),
		cmocka_unit_test(
		    who_called_is_told_by_direction_and_not_by_from),
		cmocka_unit_test(addresses_of_devices_are_no_facts),
		cmocka_unit_test(a_status_of_a_call_is_a_call_and_no_receipt),
		cmocka_unit_test(
		    somebody_who_joins_or_leaves_alone_is_the_author),
		cmocka_unit_test(everybody_of_a_group_event_is_there_as_facts),
		cmocka_unit_test(
		    what_a_machine_wrote_is_never_mixed_with_what_a_person_wrote),
		cmocka_unit_test(
		    the_same_summary_of_another_message_is_another_summary),
		cmocka_unit_test(
		    a_changed_user_id_names_who_it_was_and_who_it_is),
		cmocka_unit_test(
		    what_stops_the_capture_is_an_alarm_and_says_what_to_do),
		cmocka_unit_test(
		    a_webhook_without_its_content_is_a_gap_with_an_alarm_for_each_field),
		cmocka_unit_test(
		    the_items_of_a_webhook_are_together_no_larger_than_some_times_it),
		cmocka_unit_test(
		    what_is_not_known_is_a_notice_under_its_own_name_and_no_alarm),
		cmocka_unit_test(the_wording_of_a_template_is_kept_whole),
		cmocka_unit_test(
		    an_error_of_the_whole_request_keeps_every_member),
		cmocka_unit_test(a_timestamp_that_is_none_is_shown_as_it_is),
	};

	return cmocka_run_group_tests_name("wa_fields", tests, NULL, NULL);
}
