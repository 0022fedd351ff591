/* SPDX-License-Identifier: Apache-2.0 */
/* wa: keys, odd bodies, limits, and the item of a body nobody can read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "err.h"
#include "item.h"
#include "wa.h"
#include "wa_bed.h"

#define METADATA "\"metadata\":{\"display_phone_number\":\"551140000001\"," \
	"\"phone_number_id\":\"700\"}"

/* The items of one change of field messages; members are of its value. */
static GPtrArray *
parse_value(const char *entry, const char *members)
{
	return parse_change(entry, "messages", members);
}

static char *
only_key(const char *entry, const char *members)
{
	g_autoptr(GPtrArray) items = parse_value(entry, members);
	const struct item *it = items->pdata[0];

	assert_int_equal(items->len, 1);
	return g_strdup(it->key);
}

#define MESSAGE "\"from\":\"5511988880001\",\"id\":\"wamid.A\"," \
	"\"timestamp\":\"1790000000\",\"type\":\"image\"," \
	"\"image\":{\"id\":\"1\"}"

static void
a_message_delivered_again_has_the_same_key_whatever_else_came(void **state)
{
	static const char *const again[] = {
		/* with gained members */
		"\"messages\":[{" MESSAGE ",\"from_user_id\":\"BR.1\"}]",
		"\"messages\":[{\"from\":\"5511988880001\",\"id\":\"wamid.A\","
		    "\"timestamp\":1790000000,\"type\":\"image\",\"image\":"
		    "{\"id\":\"1\",\"url\":\"https://x.example/1\"}}]",
		/* with contacts */
		"\"contacts\":[{\"wa_id\":\"5511988880001\",\"user_id\":"
		    "\"BR.1\"}],\"messages\":[{" MESSAGE "}]",
	};
	g_autofree char *first = only_key("",
	    "\"messages\":[{" MESSAGE "}]");

	(void)state;
	assert_string_equal(first, "whatsapp|m|700|wamid.A");
	for (size_t i = 0; i < G_N_ELEMENTS(again); i++) {
		g_autofree char *key = only_key("\"time\":1790000999,",
		    again[i]);

		assert_string_equal(key, first);
	}
}

static void
the_raw_json_shows_that_a_redelivery_has_other_bytes(void **state)
{
	g_autoptr(GPtrArray) a = parse_value("", "\"messages\":[{" MESSAGE "}]");
	g_autoptr(GPtrArray) b = parse_value("",
	    "\"messages\" : [ { " MESSAGE " } ]");
	g_autoptr(GPtrArray) c = parse_value("",
	    "\"messages\":[{" MESSAGE ",\"url\":\"https:\\/\\/x\"}]");

	(void)state;
	assert_string_equal(only_item(a)->raw, only_item(b)->raw);
	assert_string_equal(only_item(a)->raw, "{" MESSAGE "}");
	assert_string_equal(only_item(c)->raw,
	    "{" MESSAGE ",\"url\":\"https://x\"}");
}

#define STATUS(word, more) "\"statuses\":[{\"id\":\"wamid.B\",\"status\":\"" \
	word "\",\"timestamp\":\"1790000001\"," more "}]"

static void
statuses_of_one_message_differ_by_word_person_and_time(void **state)
{
	static const char *const rows[] = {
		STATUS("sent", "\"recipient_id\":\"5511988880001\""),
		STATUS("read", "\"recipient_id\":\"5511988880001\""),
		STATUS("read", "\"recipient_id\":\"5511988880002\""),
		STATUS("read", "\"recipient_id\":\"5511988880001\","
		    "\"recipient_user_id\":\"BR.1\""),
		STATUS("read", "\"recipient_type\":\"group\",\"recipient_id\":"
		    "\"G=\",\"recipient_participant_id\":\"5511988880001\""),
		STATUS("read", "\"recipient_type\":\"group\",\"recipient_id\":"
		    "\"G=\",\"recipient_participant_id\":\"5511988880002\""),
		"\"statuses\":[{\"id\":\"wamid.B\",\"status\":\"read\","
		    "\"timestamp\":\"1790000002\",\"recipient_id\":"
		    "\"5511988880001\"}]",
	};
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *key = only_key("", rows[i]);
		g_autofree char *again = only_key("\"time\":5,", rows[i]);

		assert_string_equal(key, again);
		assert_true(g_hash_table_add(seen, key));
	}
}

static void
keys_are_spelt_as_documented(void **state)
{
	static const struct {
		const char *value, *key;
	} rows[] = {
		{ "\"messages\":[{" MESSAGE "}]", "whatsapp|m|700|wamid.A" },
		{ "\"message_echoes\":[{" MESSAGE "}]",
		    "whatsapp|m|700|wamid.A" },
		{ STATUS("read", "\"recipient_id\":\"+55 11 98888-0001\""),
		    "whatsapp|s|700|wamid.B|read|5511988880001||1790000001" },
		{ STATUS("read", "\"recipient_id\":\"5511988880001\","
		    "\"recipient_user_id\":\"BR.1\""),
		    "whatsapp|s|700|wamid.B|read|BR.1||1790000001" },
		{ STATUS("read", "\"recipient_type\":\"group\","
		    "\"recipient_id\":\"G=\",\"recipient_participant_user_id\":"
		    "\"BR.1\""),
		    "whatsapp|s|700|wamid.B|read|G=|BR.1|1790000001" },
		{ "\"calls\":[{\"id\":\"wacid.1\",\"event\":\"terminate\","
		    "\"status\":\"COMPLETED\"}]",
		    "whatsapp|c|700|wacid.1|terminate" },
		{ STATUS("RINGING", "\"type\":\"call\""),
		    "whatsapp|c|700|wamid.B|RINGING" },
		{ "\"messages\":[{\"id\":\"a|b %\\u00e9\\n\",\"type\":\"x\"}]",
		    "whatsapp|m|700|a%7Cb%20%25%C3%A9%0A" },
		{ "\"messages\":[{\"id\":17,\"type\":\"x\"}]",
		    "whatsapp|m|700|17" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *key = only_key("", rows[i].value);

		assert_string_equal(key, rows[i].key);
	}
}

static void
what_has_no_id_is_told_apart_by_place_time_and_bytes(void **state)
{
	static const struct {
		const char *entry, *value;
	} rows[] = {
		{ "", "\"messages\":[{\"type\":\"text\"}]" },
		{ "", "\"messages\":[{\"type\":\"text\",\"id\":\"\",\"x\":1}]" },
		{ "", "\"message_echoes\":[{\"type\":\"text\"}]" },
		{ "\"time\":1790000000,", "\"messages\":[{\"type\":\"text\"}]" },
		{ "", "\"errors\":[{\"code\":1}]" },
		{ "", "\"user_actions\":[{\"code\":1}]" },
		{ "", "\"statuses\":[{\"status\":\"read\"}]" },
		{ "", "\"calls\":[{\"id\":\"wacid.1\"}]" },
		{ "", "\"conversation_context\":{\"code\":1}" },
	};
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *key = only_key(rows[i].entry, rows[i].value);
		g_autofree char *again = only_key(rows[i].entry,
		    rows[i].value);

		assert_true(g_str_has_prefix(key, "whatsapp|f|900|messages|"));
		assert_string_equal(key, again);
		assert_true(g_hash_table_add(seen, key));
	}
}

/*
 * Two things with one key would be one: the second would be taken for a
 * repeat of the first, and never be in a mail.
 */
static void
what_is_not_known_to_come_once_is_told_apart_by_its_bytes(void **state)
{
	static const char *const rows[] = {
		/* Two transactions in one second, and the message's own word. */
		STATUS("failed", "\"recipient_id\":\"5511988880001\""),
		STATUS("failed", "\"recipient_id\":\"5511988880001\","
		    "\"type\":\"payment\",\"payment\":{\"transaction\":"
		    "{\"id\":\"1\"}}"),
		STATUS("failed", "\"recipient_id\":\"5511988880001\","
		    "\"type\":\"payment\",\"payment\":{\"transaction\":"
		    "{\"id\":\"2\"}}"),
		STATUS("failed", "\"recipient_id\":\"5511988880001\","
		    "\"type\":\"something new\""),
		/* Of a call's new words nobody knows how often they come. */
		"\"calls\":[{\"id\":\"wacid.1\",\"event\":\"hold\","
		    "\"timestamp\":\"1790000001\"}]",
		"\"calls\":[{\"id\":\"wacid.1\",\"event\":\"hold\","
		    "\"timestamp\":\"1790000002\"}]",
		STATUS("HOLD", "\"type\":\"call\",\"x\":1"),
		STATUS("HOLD", "\"type\":\"call\",\"x\":2"),
		/* The content may still come. */
		"\"messages\":[{\"id\":\"wamid.A\",\"type\":\"image\"}]",
		"\"messages\":[{" MESSAGE "}]",
	};
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *key = only_key("", rows[i]);

		if (!g_hash_table_add(seen, key))
			fail_msg("%s: %s", key, rows[i]);
	}
}

/* A greeting to everybody in one second, in a history without ids. */
static void
lines_of_two_threads_are_two_lines_however_alike_they_are(void **state)
{
	static const char line[] = "\"messages\":[{\"from\":\"551140000001\","
	    "\"timestamp\":\"1790000000\",\"type\":\"text\","
	    "\"text\":{\"body\":\"Happy new year\"}}]";
	g_autofree char *value = g_strdup_printf("\"history\":[{\"threads\":["
	    "{\"id\":\"5511988880001\",%s},{\"id\":\"5511988880002\",%s}]}]",
	    line, line);
	g_autoptr(GPtrArray) items = parse_value("", value);
	const struct item *a, *b;

	(void)state;
	assert_int_equal(items->len, 2);
	a = items->pdata[0];
	b = items->pdata[1];
	assert_string_not_equal(a->key, b->key);
}

static void
a_very_long_id_makes_a_key_of_bounded_length(void **state)
{
	g_autofree char *id = g_strnfill(100000, 'i');
	g_autofree char *a = g_strdup_printf("\"messages\":[{\"id\":\"%s\"}]",
	    id);
	g_autofree char *b = g_strdup_printf("\"messages\":[{\"id\":\"%sx\"}]",
	    id);
	g_autofree char *key_a = only_key("", a);
	g_autofree char *key_b = only_key("", b);

	(void)state;
	assert_true(g_str_has_prefix(key_a, "whatsapp|m|700|sha256:"));
	assert_int_equal(strlen(key_a),
	    strlen("whatsapp|m|700|sha256:") + 64);
	assert_string_not_equal(key_a, key_b);
}

/* The same message id on two of our numbers is two messages. */
static void
the_business_number_is_part_of_the_key(void **state)
{
	g_autoptr(GPtrArray) items = parse("{\"entry\":[{\"changes\":["
	    "{\"field\":\"messages\",\"value\":{" METADATA
	    ",\"messages\":[{" MESSAGE "}]}},"
	    "{\"field\":\"messages\",\"value\":{\"metadata\":"
	    "{\"phone_number_id\":701},\"messages\":[{" MESSAGE "}]}}]}]}");
	const struct item *a, *b;

	(void)state;
	assert_int_equal(items->len, 2);
	a = items->pdata[0];
	b = items->pdata[1];
	assert_string_equal(a->key, "whatsapp|m|700|wamid.A");
	assert_string_equal(b->key, "whatsapp|m|701|wamid.A");
}

static void
json_of_any_other_shape_is_one_notice_with_the_body_in_it(void **state)
{
	static const char *const rows[] = {
		"null", "true", "17", "-1.5e3", "\"text\"", "[]", "[{\"a\":1}]",
		"{}", "{\"object\":\"whatsapp_business_account\"}",
		"{\"entry\":{}}", "{\"entry\":null}", "{\"object\":\"page\"}",
		"{\"object\":7}",
		"{\"object\":\"instagram\",\"entry\":[{\"changes\":[{}]}]}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = parse(rows[i]);
		const struct item *it = only_item(items);

		assert_int_equal(it->kind, ITEM_NOTICE);
		assert_string_equal(it->raw, rows[i]);
		assert_non_null(it->note);
	}
}

/* json-c would make both of them 18446744073709551615. */
static void
integers_longer_than_64_bits_keep_every_digit(void **state)
{
	g_autoptr(GPtrArray) items = parse_value("",
	    "\"messages\":[{\"id\":99999999999999999999999991},"
	    "{\"id\":99999999999999999999999992},"
	    "{\"id\":18446744073709551615},{\"id\":-9999999999999999999},"
	    "{\"id\":1.50},{\"id\":1E400}]");
	static const char *const ids[] = { "99999999999999999999999991",
		"99999999999999999999999992", "18446744073709551615",
		"-9999999999999999999", "1.50", "1E400" };

	(void)state;
	assert_int_equal(items->len, G_N_ELEMENTS(ids));
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		const struct item *it = items->pdata[i];

		assert_string_equal(it->id, ids[i]);
		assert_non_null(strstr(it->raw, ids[i]));
	}
}

static void
a_member_named_twice_is_never_lost_silently(void **state)
{
	static const char *const rows[] = {
		"\"messages\":[{" MESSAGE "}],\"messages\":[]",
		"\"messages\":[{" MESSAGE ",\"text\":1,\"text\":2}]",
		/* json-c cuts a name at NUL: then these two are one. */
		"\"messages\":[{" MESSAGE ",\"a\":1,\"a\\u0000b\":2}]",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = parse_value("", rows[i]);
		const struct item *last;

		assert_int_equal(items->len, 2);
		last = items->pdata[1];
		assert_int_equal(last->kind, ITEM_NOTICE);
		assert_non_null(strstr(last->raw, rows[i]));
		assert_non_null(strstr(last->note, "twice"));
	}
}

static void
times_are_milliseconds_and_absurd_ones_are_none(void **state)
{
	static const struct {
		const char *json;
		int64_t at_ms;
	} rows[] = {
		{ "\"1790000000\"", 1790000000000 },
		{ "1790000000", 1790000000000 },
		{ "\"1230768000\"", 1230768000000 }, { "1230767999", 0 },
		{ "4102444799", 4102444799000 }, { "4102444800", 0 },
		{ "\"1790000000000\"", 0 }, { "0", 0 }, { "-5", 0 },
		{ "\"\"", 0 }, { "\" 1790000000\"", 0 }, { "\"soon\"", 0 },
		{ "\"1790000000x\"", 0 }, { "1790000000.5", 0 }, { "null", 0 },
		{ "{}", 0 }, { "true", 0 },
		{ "99999999999999999999999999", 0 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *value = g_strdup_printf(
		    "\"messages\":[{\"id\":\"a\",\"timestamp\":%s}]",
		    rows[i].json);
		g_autoptr(GPtrArray) items = parse_value("", value);

		assert_int_equal(only_item(items)->at_ms, rows[i].at_ms);
	}
}

static void
a_nul_inside_a_string_becomes_a_replacement_character(void **state)
{
	g_autoptr(GPtrArray) items = parse_value("",
	    "\"messages\":[{\"id\":\"x\",\"type\":\"text\",\"text\":"
	    "{\"body\":\"before\\u0000after\"}}]");

	(void)state;
	assert_string_equal(only_item(items)->text,
	    "before\xef\xbf\xbd" "after");
	assert_non_null(strstr(only_item(items)->raw, "before\\u0000after"));
}

static void
missing_is_not_empty(void **state)
{
	g_autoptr(GPtrArray) items = parse_value("",
	    "\"messages\":[{\"id\":\"x\",\"type\":\"text\",\"text\":"
	    "{\"body\":\"\"}},{\"id\":\"y\",\"type\":\"text\",\"text\":{}}]");
	const struct item *empty = items->pdata[0], *none = items->pdata[1];

	(void)state;
	assert_int_equal(empty->kind, ITEM_MESSAGE);
	assert_string_equal(empty->text, "");
	assert_null(empty->counterpart.number);
	assert_null(empty->context);
	assert_null(empty->media);
	assert_int_equal(none->kind, ITEM_NOTICE);
	assert_null(none->text);
}

static void
business_numbers_are_digits_whatever_their_spelling(void **state)
{
	static const struct {
		const char *shown, *number;
	} rows[] = {
		{ "551140000001", "551140000001" },
		{ "+55 (11) 4000-0001", "551140000001" },
		{ "1 555 010.0000", "15550100000" },
		{ "", NULL }, { "+", NULL }, { "support", NULL },
		{ "123456789012345678901", NULL },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *body = g_strdup_printf("{\"entry\":[{"
		    "\"changes\":[{\"field\":\"messages\",\"value\":{"
		    "\"metadata\":{\"display_phone_number\":\"%s\"},"
		    "\"messages\":[{}]}}]}]}", rows[i].shown);
		g_autoptr(GPtrArray) items = parse(body);

		if (rows[i].number == NULL)
			assert_null(only_item(items)->business.number);
		else
			assert_string_equal(only_item(items)->business.number,
			    rows[i].number);
	}
}

static void
one_bad_item_does_not_stop_its_neighbours(void **state)
{
	g_autoptr(GPtrArray) items = parse_value("",
	    "\"messages\":[null,7,[],{},{\"type\":7},{\"type\":[]},"
	    "{\"type\":\"text\",\"text\":7},{\"errors\":[null,{},7]},"
	    "{\"context\":7,\"referral\":{},\"from\":{},\"id\":{}},"
	    "{" MESSAGE "}],\"statuses\":[null,{},{\"status\":7,\"id\":8}]");
	const struct item *message = items->pdata[9];

	(void)state;
	assert_int_equal(items->len, 13);
	assert_int_equal(message->kind, ITEM_MESSAGE);
	assert_string_equal(message->id, "wamid.A");
}

static void
a_body_beyond_a_limit_is_refused_as_permanent(void **state)
{
	static const char body[] = "{\"entry\":[{\"changes\":[{\"field\":"
	    "\"messages\",\"value\":{\"messages\":[{},{},{}]}}]}]}";
	struct wa_limits few = WA_LIMITS_DEFAULT, small = WA_LIMITS_DEFAULT;
	struct wa_limits flat = WA_LIMITS_DEFAULT, none = WA_LIMITS_DEFAULT;
	const struct wa_limits *const rows[] = { &few, &small, &flat };
	GPtrArray *items = NULL;
	struct err err = ERR_INIT;

	(void)state;
	few.max_items = 2;
	small.max_bytes = sizeof(body) - 2;
	flat.max_depth = 4;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		assert_false(wa_parse(body, strlen(body), rows[i], &items,
		    &err));
		assert_null(items);
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "wa.json");
	}
	few.max_items = 3;
	assert_true(wa_parse(body, strlen(body), &few, &items, &err));
	g_ptr_array_unref(items);
	none.max_items = 0;
	assert_true(wa_parse(body, strlen(body), &none, &items, &err));
	g_ptr_array_unref(items);
}

static void
a_known_list_of_the_wrong_shape_is_shown_beside_the_others(void **state)
{
	g_autoptr(GPtrArray) items = parse_value("",
	    "\"messages\":[{" MESSAGE "}],\"statuses\":\"all read\"");
	const struct item *left;

	(void)state;
	assert_int_equal(items->len, 2);
	left = items->pdata[1];
	assert_string_equal(left->raw, "{\"statuses\":\"all read\"}");
}

static void
a_body_that_was_refused_has_an_item_of_its_own(void **state)
{
	static const char body[] = "not \xff json";
	auto_item *it = wa_raw_item(body, sizeof(body) - 1, "why");

	(void)state;
	assert_int_equal(it->kind, ITEM_NOTICE);
	assert_int_equal(it->type, ITEM_TYPE_RAW);
	assert_string_equal(it->network, "whatsapp");
	assert_string_equal(it->note, "why");
	assert_null(it->raw);
	/* sha256sum of the ten bytes */
	assert_string_equal(it->key, "whatsapp|r|"
	    "52de45f2d9b1e99c49ea6904aa12e190e6aac9dd288f1b8bff284fe7357ed596");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_message_delivered_again_has_the_same_key_whatever_else_came),
		cmocka_unit_test(
		    the_raw_json_shows_that_a_redelivery_has_other_bytes),
		cmocka_unit_test(
		    statuses_of_one_message_differ_by_word_person_and_time),
		cmocka_unit_test(
		    what_is_not_known_to_come_once_is_told_apart_by_its_bytes),
		cmocka_unit_test(
		    lines_of_two_threads_are_two_lines_however_alike_they_are),
		cmocka_unit_test(keys_are_spelt_as_documented),
		cmocka_unit_test(
		    what_has_no_id_is_told_apart_by_place_time_and_bytes),
		cmocka_unit_test(a_very_long_id_makes_a_key_of_bounded_length),
		cmocka_unit_test(the_business_number_is_part_of_the_key),
		cmocka_unit_test(
		    json_of_any_other_shape_is_one_notice_with_the_body_in_it),
		cmocka_unit_test(integers_longer_than_64_bits_keep_every_digit),
		cmocka_unit_test(a_member_named_twice_is_never_lost_silently),
		cmocka_unit_test(times_are_milliseconds_and_absurd_ones_are_none),
		cmocka_unit_test(
		    a_nul_inside_a_string_becomes_a_replacement_character),
		cmocka_unit_test(missing_is_not_empty),
		cmocka_unit_test(
		    business_numbers_are_digits_whatever_their_spelling),
		cmocka_unit_test(one_bad_item_does_not_stop_its_neighbours),
		cmocka_unit_test(a_body_beyond_a_limit_is_refused_as_permanent),
		cmocka_unit_test(
		    a_known_list_of_the_wrong_shape_is_shown_beside_the_others),
		cmocka_unit_test(a_body_that_was_refused_has_an_item_of_its_own),
	};

	return cmocka_run_group_tests_name("wa", tests, NULL, NULL);
}
