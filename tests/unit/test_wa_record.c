/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wa: what goes through the gateway. Every record in tests/records against
 * tests/records/ITEMS (ACCEPT=1 writes it anew, read the difference); that
 * every type of message and every outcome has one; that nothing of a request
 * or an answer is left out; and what single requests come to.
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
#include "gateway.h"
#include "item.h"
#include "text.h"
#include "wa.h"
#include "wa_bed.h"
#include "wa_told.h"

static GPtrArray *names;	/* char *, sorted, of all records */

static int
find_records(void **state)
{
	(void)state;
	names = list_records();
	return names != NULL && names->len >= 100 ? 0 : -1;
}

static int
forget_records(void **state)
{
	(void)state;
	g_ptr_array_unref(names);
	return 0;
}

/* ---- examples ---------------------------------------------------------------- */

static void
every_record_gives_the_items_that_are_written_down(void **state)
{
	g_autoptr(GString) got = g_string_new(NULL);
	g_autofree char *file = record_path("ITEMS");

	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GPtrArray) items = parse_record(names->pdata[i]);

		g_string_append_printf(got, "%s\n", (char *)names->pdata[i]);
		for (guint j = 0; j < items->len; j++)
			describe_item(got, items->pdata[j]);
	}
	assert_written_down(file, got);
}

static bool
has_example(enum item_kind kind, const char *outcome, const char *text)
{
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GPtrArray) items = parse_record(names->pdata[i]);
		const struct item *it = items->pdata[0];

		if (it->kind == kind && it->send != NULL &&
		    g_strcmp0(it->send->outcome, outcome) == 0 &&
		    strstr(it->raw, text) != NULL)
			return true;
	}
	return false;
}

static void
every_type_that_can_be_sent_has_a_record_that_is_understood(void **state)
{
	static const struct {
		enum item_kind kind;
		const char *text;
	} rows[] = {
		{ ITEM_MESSAGE, "\"type\":\"text\"" },
		{ ITEM_MESSAGE, "\"image\":{\"id\"" },
		{ ITEM_MESSAGE, "\"image\":{\"link\"" },
		{ ITEM_MESSAGE, "\"type\":\"video\"" },
		{ ITEM_MESSAGE, "\"type\":\"audio\"" },
		{ ITEM_MESSAGE, "\"voice\":true" },
		{ ITEM_MESSAGE, "\"type\":\"document\"" },
		{ ITEM_MESSAGE, "\"type\":\"sticker\"" },
		{ ITEM_MESSAGE, "\"type\":\"location\"" },
		{ ITEM_MESSAGE, "\"type\":\"contacts\"" },
		{ ITEM_REACTION, "\"type\":\"reaction\"" },
		{ ITEM_SYSTEM, "\"type\":\"pin\"" },
		{ ITEM_SYSTEM, "\"type\":\"unpin\"" },
		{ ITEM_MESSAGE, "\"recipient_type\":\"group\"" },
		{ ITEM_MESSAGE, "\"recipient\":\"BR." },
		{ ITEM_MESSAGE, "\"context\":{\"message_id\"" },
		{ ITEM_MESSAGE, "\"biz_opaque_callback_data\"" },
		/* components of templates, and their parameters */
		{ ITEM_MESSAGE, "\"sub_type\":\"url\"" },
		{ ITEM_MESSAGE, "\"sub_type\":\"quick_reply\"" },
		{ ITEM_MESSAGE, "\"sub_type\":\"copy_code\"" },
		{ ITEM_MESSAGE, "\"sub_type\":\"flow\"" },
		{ ITEM_MESSAGE, "\"sub_type\":\"mpm\"" },
		{ ITEM_MESSAGE, "\"type\":\"currency\"" },
		{ ITEM_MESSAGE, "\"type\":\"date_time\"" },
		{ ITEM_MESSAGE, "\"type\":\"payload\"" },
		{ ITEM_MESSAGE, "\"type\":\"coupon_code\"" },
		{ ITEM_MESSAGE, "\"type\":\"action\"" },
		{ ITEM_MESSAGE, "\"type\":\"carousel\"" },
		{ ITEM_MESSAGE, "\"type\":\"limited_time_offer\"" },
		{ ITEM_MESSAGE, "\"parameter_format\":\"NAMED\"" },
		{ ITEM_MESSAGE, "\"format\":\"LOCATION\"" },
		{ ITEM_MESSAGE, "\"type\":\"OTP\"" },
		{ ITEM_MESSAGE, "/marketing_messages\"" },
		/* interactive */
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"button\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"list\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"cta_url\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"flow\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"product\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"product_list\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"catalog_message\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"carousel\"" },
		{ ITEM_MESSAGE,
		    "\"interactive\":{\"type\":\"location_request_message\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"address_message\"" },
		{ ITEM_MESSAGE,
		    "\"interactive\":{\"type\":\"call_permission_request\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"voice_call\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"order_details\"" },
		{ ITEM_MESSAGE, "\"interactive\":{\"type\":\"order_status\"" },
		{ ITEM_MESSAGE,
		    "\"interactive\":{\"type\":\"request_contact_info\"" },
		/* what else goes through */
		{ ITEM_CALL, "\"action\":\"connect\"" },
		{ ITEM_CALL, "\"action\":\"accept\"" },
		{ ITEM_CALL, "\"action\":\"terminate\"" },
		{ ITEM_GROUP, "/groups\"" },
		{ ITEM_GROUP, "/participants" },
		{ ITEM_ACCOUNT, "whatsapp_business_profile" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (!has_example(rows[i].kind, "accepted", rows[i].text))
			fail_msg("no example with %s", rows[i].text);
	}
}

static void
every_outcome_has_a_record_and_what_did_not_leave_is_an_attempt(void **state)
{
	static const struct {
		const char *outcome;
		enum item_kind kind;
	} rows[] = {
		{ "pending", ITEM_ATTEMPT }, { "accepted", ITEM_MESSAGE },
		{ "refused", ITEM_ATTEMPT }, { "blocked", ITEM_ATTEMPT },
		{ "held", ITEM_ATTEMPT }, { "rejected", ITEM_ATTEMPT },
		{ "expired", ITEM_ATTEMPT }, { "not-sent", ITEM_ATTEMPT },
		{ "unknown", ITEM_ATTEMPT }, { "reported", ITEM_MESSAGE },
		{ "reported", ITEM_ATTEMPT },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (!has_example(rows[i].kind, rows[i].outcome, "\"text\""))
			fail_msg("no example of %s", rows[i].outcome);
	}
}

/* ---- nothing is left out --------------------------------------------------------- */

/* A session has addresses of devices; the gateway's own mark has the key. */
static json_object *
without_exceptions(json_object *o, const struct item *it)
{
	g_autofree char *mark = g_strconcat(WA_CALLBACK_PREFIX, it->send->key,
	    NULL);
	json_object *copy = NULL, *data;

	if (!json_object_is_type(o, json_type_object))
		return json_object_get(o);
	json_object_deep_copy(o, &copy, NULL);
	if (it->kind == ITEM_CALL) {
		json_object_object_del(copy, "session");
		json_object_object_del(copy, "connection");
	}
	data = json_object_object_get(copy, "biz_opaque_callback_data");
	if (g_strcmp0(json_object_get_string(data), mark) == 0)
		json_object_object_del(copy, "biz_opaque_callback_data");
	return copy;
}

static void
assert_nothing_left_out(const struct item *it)
{
	static const char *const members[] = { "request", "sent", "response" };
	json_object *root = json_tokener_parse(it->raw);

	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		json_object *o = json_object_object_get(root, members[i]);
		json_object *rest = without_exceptions(o, it);

		if (o != NULL)
			assert_all_told(it, rest);
		json_object_put(rest);
	}
	json_object_put(root);
}

static void
nothing_of_a_request_or_an_answer_is_left_out(void **state)
{
	size_t seen = 0;

	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GPtrArray) items = parse_record(names->pdata[i]);
		const struct item *it = items->pdata[0];

		if (it->kind == ITEM_NOTICE)
			continue;
		assert_nothing_left_out(it);
		seen++;
	}
	assert_in_range(seen, 80, names->len);
}

static void
check_mutant(json_object *root)
{
	const char *body = json_object_to_json_string_ext(root,
	    JSON_C_TO_STRING_PLAIN);
	g_autoptr(GPtrArray) items = parse_record_bytes(body, strlen(body));
	const struct item *it = items->pdata[0];

	assert_non_null(it->key);
	if (it->kind != ITEM_NOTICE)
		assert_nothing_left_out(it);
}

static void
nothing_is_left_out_whatever_shape_a_member_takes(void **state)
{
	size_t mutants = 0;

	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GBytes) bytes = load_record(names->pdata[i]);
		g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL),
		    g_bytes_get_size(bytes));
		json_object *root = json_tokener_parse(text);

		/* Of a member that is there twice one is lost in this test. */
		mutants += check_mutants(root, root, check_mutant);
		json_object_put(root);
	}
	assert_in_range(mutants, 2000, 100000);
}

static void
assert_is_sane(const struct item *it)
{
	assert_non_null(it->key);
	assert_true(g_str_has_prefix(it->key, "whatsapp|"));
	for (const char *p = it->key; *p != '\0'; p++)
		assert_true(*p > ' ' && *p < 0x7f);
	assert_true(it->kind < ITEM_KINDS && it->type < ITEM_TYPES);
	assert_int_equal(it->direction, ITEM_SENT);
	assert_true(it->kind != ITEM_NOTICE || it->note != NULL);
	assert_true(it->kind != ITEM_ATTEMPT || it->send->outcome != NULL);
	assert_true(text_is_utf8(it->raw, strlen(it->raw)));
}

static void
check_bytes(const char *bytes, size_t len)
{
	g_autofree char *copy = g_malloc(len + (len == 0));
	g_autoptr(GPtrArray) items = NULL;
	struct err err = ERR_INIT;

	memcpy(copy, bytes, len);
	if (!wa_record_parse(copy, len, &limits, &items, &err)) {
		assert_null(items);
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "wa.json");
		return;
	}
	assert_in_range(items->len, 1, 2);
	assert_is_sane(items->pdata[0]);
}

static void
a_cut_or_changed_record_gives_an_item_or_a_refusal_and_never_a_crash(
    void **state)
{
	static const char put[] = "{}[]\",:\\0n \x80";

	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GBytes) bytes = load_record(names->pdata[i]);
		size_t len = g_bytes_get_size(bytes);
		g_autofree char *body = g_memdup2(g_bytes_get_data(bytes, NULL),
		    len);

		for (size_t cut = 0; cut <= len; cut += 7)
			check_bytes(body, cut);
		for (size_t at = i % 5; at < len; at += 5) {
			char old = body[at];

			body[at] = put[(at + i) % (sizeof(put) - 1)];
			check_bytes(body, len);
			body[at] = old;
		}
	}
}

/* ---- requests ---------------------------------------------------------------------- */

static struct item *
read_send(const char *body, const char *definition)
{
	struct err err = ERR_INIT;
	struct item *it = NULL;

	if (!wa_send_parse(body, strlen(body), &limits, definition, &it, &err))
		fail_msg("%s", err.text);
	return it;
}

/* The item is given all the same. */
static struct item *
refuse_send(const char *body)
{
	struct err err = ERR_INIT;
	struct item *it = NULL;

	assert_false(wa_send_parse(body, strlen(body), &limits, NULL, &it,
	    &err));
	assert_int_equal(err.kind, ERR_PERM);
	assert_string_equal(err.what, "wa.send");
	assert_non_null(it);
	assert_int_equal(it->kind, ITEM_NOTICE);
	assert_int_equal(it->direction, ITEM_SENT);
	assert_non_null(it->note);
	assert_non_null(it->raw);
	return it;
}

static void
assert_same_content(const struct item *a, const struct item *b)
{
	assert_int_equal(a->type, b->type);
	if (b->kind != ITEM_ATTEMPT)
		assert_int_equal(a->kind, b->kind);
	assert_int_equal(g_strcmp0(a->type_name, b->type_name), 0);
	assert_int_equal(g_strcmp0(a->text, b->text), 0);
	assert_int_equal(g_strcmp0(a->target, b->target), 0);
	assert_int_equal(g_strcmp0(a->group_id, b->group_id), 0);
	assert_int_equal(a->media != NULL ? a->media->len : 0,
	    b->media != NULL ? b->media->len : 0);
	assert_int_equal(a->template != NULL && a->template->expanded,
	    b->template != NULL && b->template->expanded);
}

static bool
is_send(const struct item *it)
{
	return it->field != NULL && g_str_has_suffix(it->field, "messages");
}

static void
what_is_judged_is_what_is_recorded(void **state)
{
	size_t seen = 0;

	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GPtrArray) items = parse_record(names->pdata[i]);
		const struct item *recorded = items->pdata[0];
		json_object *root = json_tokener_parse(recorded->raw);
		json_object *request = json_object_object_get(root, "sent");
		json_object *definition = json_object_object_get(root,
		    "definition");

		if (request == NULL)
			request = json_object_object_get(root, "request");
		if (recorded->type != ITEM_TYPE_UNKNOWN &&
		    recorded->kind != ITEM_NOTICE &&
		    json_object_is_type(request, json_type_object) &&
		    is_send(recorded)) {
			auto_item *judged = read_send(
			    json_object_to_json_string(request),
			    definition != NULL ? json_object_to_json_string(
			    definition) : NULL);

			assert_same_content(judged, recorded);
			seen++;
		}
		json_object_put(root);
	}
	assert_in_range(seen, 70, names->len);
}

static void
what_is_no_message_is_a_notice_with_its_person(void **state)
{
	static const char *const bodies[] = {
		"{\"to\":\"5511988880001\",\"type\":\"hologram\",\"hologram\":1}",
		"{\"to\":\"5511988880001\",\"type\":\"TEXT\",\"text\":{\"body\":\"a\"}}",
		"{\"to\":\"5511988880001\",\"type\":\"text\"}",
		"{\"to\":\"5511988880001\",\"type\":\"text\",\"text\":\"a\"}",
		"{\"to\":\"5511988880001\"}",
		"{\"to\":\"5511988880001\",\"status\":\"read\"}",
		"{\"to\":\"5511988880001\",\"type\":\"system\",\"system\":{\"body\":\"a\"}}",
		"{\"to\":\"5511988880001\",\"unsupported\":{\"type\":\"x\"}}",
		"{\"to\":\"5511988880001\",\"text\":{\"body\":\"a\",\"body\":\"b\"}}",
		"{\"to\":\"5511988880001\",\"text\":{\"body\":\"a\"},"
		    "\"text\\u0000x\":{\"body\":\"b\"}}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		auto_item *it = refuse_send(bodies[i]);

		assert_string_equal(it->counterpart.number, "5511988880001");
	}
}

static void
what_is_no_object_gives_no_item(void **state)
{
	static const char *const bodies[] = { "", "[]", "null", "\"x\"", "{",
		"{\"a\":NaN}", "{\"a\":\"\xff\"}" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		struct err err = ERR_INIT;
		struct item *it = NULL;

		assert_false(wa_send_parse(bodies[i], strlen(bodies[i]),
		    &limits, NULL, &it, &err));
		assert_string_equal(err.what, "wa.json");
		assert_null(it);
	}
}

static void
the_number_wins_over_the_user_and_a_group_is_no_person(void **state)
{
	auto_item *both = read_send("{\"to\":\"+55 (11) 98888-0001\","
	    "\"recipient\":\"BR.X\",\"text\":{\"body\":\"a\"}}", NULL);
	auto_item *user = read_send("{\"to\":\"\",\"recipient\":\"BR.X\","
	    "\"text\":{\"body\":\"a\"}}", NULL);
	auto_item *group = read_send("{\"to\":\"Zz=\",\"recipient_type\":"
	    "\"group\",\"text\":{\"body\":\"a\"}}", NULL);

	(void)state;
	assert_string_equal(both->counterpart.number, "5511988880001");
	assert_null(both->counterpart.user_id);
	assert_string_equal(find_fact(both->facts, "recipient"), "BR.X");
	assert_string_equal(user->counterpart.user_id, "BR.X");
	assert_null(user->counterpart.number);
	assert_string_equal(group->group_id, "Zz=");
	assert_null(group->counterpart.number);
	assert_null(group->counterpart.user_id);
}

static void
what_the_customer_reads_is_judged_wherever_it_stands(void **state)
{
	static const struct {
		const char *record, *want, *not_there;
	} rows[] = {
		{ "interactive-list", "3 % a year", "accepted" },
		{ "interactive-list", "Business", "10.1.2.3" },
		{ "interactive-carousel", "Second card", "wamid." },
		{ "interactive-order-details", "Gold card", "r1" },
		{ "interactive-address", "Mumbai", "address1" },
		{ "template-no-definition", "12/10", "10.1.2.3" },
		{ "template-carousel", "Funds at 7 %", "594425479261600" },
		{ "template-offer", "Ends soon", "594425479261600" },
		{ "template-positional", "https://bank.example/i/inv-42",
		    "594425479261600" },
		{ "outcome-blocked-unknown-type", "3", "10.1.2.3" },
		{ "odd-unknown-type", "hologram", "surely not" },
	};
	g_autoptr(GPtrArray) plain = parse_record("sticker");

	(void)state;
	assert_null(wa_more_text(only_item(plain)));
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = parse_record(rows[i].record);
		g_autofree char *text = wa_more_text(only_item(items));

		if (text == NULL || strstr(text, rows[i].want) == NULL ||
		    strstr(text, rows[i].not_there) != NULL)
			fail_msg("%s: %s", rows[i].record, text);
	}
}

/* ---- templates --------------------------------------------------------------------- */

#define SEND_TEMPLATE(name, components) "{\"to\":\"1\",\"type\":\"template\"," \
	"\"template\":{\"name\":\"" name "\",\"language\":{\"code\":\"en_US\"}," \
	"\"components\":[" components "]}}"
#define DEFINITION(name, language, components) "{\"name\":\"" name "\"," \
	"\"language\":\"" language "\",\"category\":\"UTILITY\"," \
	"\"components\":[" components "]}"
#define BODY_PARAMETERS(list) "{\"type\":\"body\",\"parameters\":[" list "]}"
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"

static void
only_the_template_of_the_same_name_and_language_gives_the_wording(void **state)
{
	static const struct {
		const char *definition;
		bool expanded;
	} rows[] = {
		{ DEFINITION("a", "en_US", "{\"type\":\"BODY\",\"text\":\"T {{1}}\"}"),
		    true },
		{ DEFINITION("a", "en-us", "{\"type\":\"BODY\",\"text\":\"T {{1}}\"}"),
		    true },
		{ DEFINITION("a", "en", "{\"type\":\"BODY\",\"text\":\"T {{1}}\"}"),
		    false },
		{ DEFINITION("b", "en_US", "{\"type\":\"BODY\",\"text\":\"T {{1}}\"}"),
		    false },
		{ "{}", false }, { "not json", false }, { NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		auto_item *it = read_send(SEND_TEMPLATE("a",
		    BODY_PARAMETERS(TEXT("x"))), rows[i].definition);

		assert_int_equal(it->template->expanded, rows[i].expanded);
		assert_string_equal(it->template->name, "a");
		assert_string_equal(it->template->language, "en_US");
		if (rows[i].expanded)
			assert_string_equal(it->text, "T x");
		else
			assert_string_equal(find_fact(it->facts, "body.1"),
			    "x");
	}
}

static void
a_parameter_without_a_value_does_not_move_the_others(void **state)
{
	auto_item *it = read_send(SEND_TEMPLATE("a", BODY_PARAMETERS(
	    "{\"type\":\"text\"}," TEXT("five"))),
	    DEFINITION("a", "en_US",
	    "{\"type\":\"BODY\",\"text\":\"{{1}} owes {{2}}\"}"));

	(void)state;
	assert_string_equal(it->text, "{{1}} owes five");
	assert_false(it->template->expanded);
}

static void
a_code_is_never_said_to_be_fully_known(void **state)
{
	auto_item *it = read_send(SEND_TEMPLATE("a",
	    BODY_PARAMETERS(TEXT("123456"))),
	    DEFINITION("a", "en_US", "{\"type\":\"BODY\",\"text\":"
	    "\"{{1}} is your code\",\"add_security_recommendation\":true}"));

	(void)state;
	assert_string_equal(it->text, "123456 is your code");
	assert_false(it->template->expanded);
}

static void
a_card_has_the_wording_of_its_number_and_not_of_its_place(void **state)
{
	auto_item *it = read_send(SEND_TEMPLATE("a", "{\"type\":\"carousel\","
	    "\"cards\":[{\"card_index\":1,\"components\":["
	    BODY_PARAMETERS(TEXT("second")) "]},{\"card_index\":\"0\","
	    "\"components\":[" BODY_PARAMETERS(TEXT("first")) "]},"
	    "{\"card_index\":9,\"components\":[" BODY_PARAMETERS(TEXT("third"))
	    "]}]}"),
	    DEFINITION("a", "en_US", "{\"type\":\"BODY\",\"text\":\"T\"},"
	    "{\"type\":\"CAROUSEL\",\"cards\":["
	    "{\"components\":[{\"type\":\"BODY\",\"text\":\"A {{1}}\"}]},"
	    "{\"components\":[{\"type\":\"BODY\",\"text\":\"B {{1}}\"}]},"
	    "{\"components\":[{\"type\":\"BODY\",\"text\":\"C {{1}}\"}]}]}"));

	(void)state;
	assert_string_equal(find_fact(it->facts, "card.1.body"), "A first");
	assert_string_equal(find_fact(it->facts, "card.2.body"), "B second");
	assert_string_equal(find_fact(it->facts, "card.3.body"), "C third");
	assert_true(it->template->expanded);
}

static void
examples_of_a_definition_are_nothing_that_was_said(void **state)
{
	g_autoptr(GPtrArray) items = parse_record("template-positional");
	const struct item *it = only_item(items);

	(void)state;
	assert_true(it->template->expanded);
	for (guint i = 0; i < it->facts->len; i++) {
		const struct item_fact *f = it->facts->pdata[i];

		assert_null(strstr(f->name, "example"));
		assert_null(strstr(f->name, "quality"));
	}
}

/* ---- records ------------------------------------------------------------------------- */

#define RECORD(send, outcome, more, request, response) \
	"{\"object\":\"chatjournal_gateway\",\"version\":1,\"send\":\"" send \
	"\",\"outcome\":\"" outcome "\",\"received_ms\":1790100000000," \
	"\"done_ms\":1790100005000,\"account\":\"900\",\"business\":{\"id\":" \
	"\"700\",\"number\":\"551140000001\"},\"method\":\"POST\",\"target\":" \
	"\"/v25.0/700/messages\"," more "\"request\":" request \
	",\"response\":" response "}"
#define HELLO "{\"to\":\"5511988880001\",\"type\":\"text\",\"text\":{" \
	"\"body\":\"Hello\"},\"context\":{\"message_id\":\"wamid.Q\"}}"
#define ANSWER "{\"messages\":[{\"id\":\"wamid.A\"}]}"

static GPtrArray *
read_record(const char *body)
{
	return parse_record_bytes(body, strlen(body));
}

static void
a_message_has_the_key_that_its_receipts_refer_to(void **state)
{
	g_autoptr(GPtrArray) sent = read_record(RECORD("k", "accepted", "",
	    HELLO, ANSWER));
	g_autoptr(GPtrArray) receipt = parse_field("messages", "\"statuses\":[{"
	    "\"id\":\"wamid.A\",\"status\":\"read\",\"timestamp\":"
	    "\"1790100009\",\"recipient_id\":\"5511988880001\"}]");

	(void)state;
	assert_string_equal(only_item(sent)->key, "whatsapp|m|700|wamid.A");
	assert_string_equal(only_item(receipt)->refers, only_item(sent)->key);
	assert_string_equal(only_item(sent)->id, "wamid.A");
	assert_string_equal(only_item(sent)->refers, "whatsapp|m|700|wamid.Q");
}

static void
a_later_record_refers_to_the_first_of_its_send_and_is_of_its_own_time(
    void **state)
{
	static const struct {
		const char *body, *key, *refers;
	} rows[] = {
		{ RECORD("k", "accepted", "\"was_recorded\":true,", HELLO,
		    ANSWER), "whatsapp|m|700|wamid.A",
		    "whatsapp|g|k|pending" },
		{ RECORD("k", "accepted", "\"was_recorded\":true,"
		    "\"reviews\":[{\"who\":\"a\",\"verb\":\"released\"}],",
		    HELLO, ANSWER), "whatsapp|m|700|wamid.A",
		    "whatsapp|g|k|held" },
		{ RECORD("k", "expired", "\"was_recorded\":true,", HELLO,
		    "null"), "whatsapp|g|k|expired", "whatsapp|g|k|held" },
		{ RECORD("k", "rejected", "\"was_recorded\":true,", HELLO,
		    "null"), "whatsapp|g|k|rejected", "whatsapp|g|k|held" },
		{ RECORD("k", "unknown", "\"was_recorded\":true,", HELLO,
		    "null"), "whatsapp|g|k|unknown", "whatsapp|g|k|pending" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = read_record(rows[i].body);
		const struct item *it = only_item(items);

		assert_string_equal(it->key, rows[i].key);
		assert_string_equal(it->refers, rows[i].refers);
		assert_int_equal(it->at_ms, 1790100005000);
		assert_string_equal(find_fact(it->facts, "gateway.received"),
		    "2026-09-22T18:00:00.000Z");
	}
}

static void
what_was_blocked_names_rule_reason_and_nothing_that_was_sent(void **state)
{
	g_autoptr(GPtrArray) items = parse_record("outcome-blocked");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->kind, ITEM_ATTEMPT);
	assert_int_equal(it->type, ITEM_TYPE_TEXT);
	assert_int_equal(it->author, ITEM_STAFF);
	assert_null(it->id);
	assert_string_equal(it->send->outcome, "blocked");
	assert_string_equal(it->send->reason,
	    "Card numbers may not be sent by chat.");
	assert_non_null(strstr(it->send->verdict, "card-numbers"));
	assert_null(it->send->status);
}

static void
what_policy_changed_is_shown_as_it_was_sent_and_as_it_was_given(void **state)
{
	g_autoptr(GPtrArray) items = parse_record("outcome-changed");
	const struct item *it = only_item(items);

	(void)state;
	assert_string_equal(it->text, "Rates are 5 %\n\nCapital at risk.");
	assert_string_equal(it->send->text_before, "Rates are 5 %");
	assert_null(find_fact(it->facts, "request.text.body"));
	assert_null(find_fact(it->facts, "biz_opaque_callback_data"));
}

static void
a_mark_alone_is_no_change_of_the_text(void **state)
{
	g_autoptr(GPtrArray) items = parse_record("text-callback-own");

	(void)state;
	assert_null(only_item(items)->send->text_before);
	assert_null(find_fact(only_item(items)->facts,
	    "biz_opaque_callback_data"));
}

static void
who_wrote_is_staff_with_a_name_a_bot_or_nobody_knows(void **state)
{
	static const struct {
		const char *body;
		enum item_author author;
	} rows[] = {
		{ RECORD("k", "accepted", "\"author\":\"staff\",\"employee\":"
		    "\"ana\",", HELLO, ANSWER), ITEM_STAFF },
		{ RECORD("k", "accepted", "\"author\":\"staff\",", HELLO,
		    ANSWER), ITEM_UNKNOWN_STAFF },
		{ RECORD("k", "accepted", "\"author\":\"bot\",", HELLO,
		    ANSWER), ITEM_BOT },
		{ RECORD("k", "accepted", "\"author\":\"bot\",\"employee\":"
		    "\"ana\",", HELLO, ANSWER), ITEM_BOT },
		{ RECORD("k", "accepted", "", HELLO, ANSWER),
		    ITEM_UNKNOWN_STAFF },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = read_record(rows[i].body);

		assert_int_equal(only_item(items)->author, rows[i].author);
	}
}

static void
a_request_of_the_greatest_depth_makes_a_record_that_is_understood(void **state)
{
	g_autoptr(GString) deep = g_string_new(HELLO);
	g_autofree char *body = NULL;
	struct err err = ERR_INIT;
	int levels = limits.max_depth - 1;

	(void)state;
	g_string_truncate(deep, deep->len - 1);
	g_string_append(deep, ",\"more\":");
	for (int i = 0; i < levels; i++)
		g_string_append_c(deep, '[');
	for (int i = 0; i < levels; i++)
		g_string_append_c(deep, ']');
	g_string_append_c(deep, '}');
	assert_true(wa_json_check(deep->str, deep->len, &limits, &err));
	body = g_strdup_printf("{\"object\":\"chatjournal_gateway\","
	    "\"version\":1,\"send\":\"k\",\"outcome\":\"accepted\",\"target\":"
	    "\"/v25.0/700/messages\",\"request\":%s}", deep->str);
	g_autoptr(GPtrArray) items = read_record(body);

	assert_int_equal(only_item(items)->kind, ITEM_MESSAGE);
	assert_string_equal(only_item(items)->text, "Hello");
}

static struct gateway_record
make_record(enum gateway_outcome outcome)
{
	struct gateway_record r = { .key = "k", .outcome = outcome,
		.received_ms = 1790100000000, .done_ms = 1790100000020,
		.application = "crm", .author = "staff", .employee = "ana",
		.remote = "10.1.2.3", .account = "900", .business_id = "700",
		.business_number = "551140000001", .method = "POST",
		.target = "/v25.0/700/messages", .request = HELLO,
		.request_len = strlen(HELLO), .verdict = "{\"a\":1}",
		.reason = "because" };

	if (outcome == GATEWAY_ACCEPTED || outcome == GATEWAY_REPORTED) {
		r.status = 200;
		r.response = ANSWER;
		r.response_len = strlen(ANSWER);
	}
	return r;
}

static void
whatever_the_gateway_writes_down_is_understood(void **state)
{
	(void)state;
	for (int i = 0; i < GATEWAY_OUTCOMES; i++) {
		struct gateway_record r = make_record((enum gateway_outcome)i);
		g_autoptr(GString) body = g_string_new(NULL);
		bool leaves = i == GATEWAY_ACCEPTED || i == GATEWAY_REPORTED;

		gateway_record_print(&r, body);
		g_autoptr(GPtrArray) items = read_record(body->str);
		const struct item *it = only_item(items);

		assert_int_equal(it->kind, leaves ? ITEM_MESSAGE : ITEM_ATTEMPT);
		assert_string_equal(it->send->outcome,
		    gateway_outcome_name(r.outcome));
		assert_string_equal(it->send->key, "k");
		assert_string_equal(it->send->employee, "ana");
		assert_string_equal(it->send->verdict, "{\"a\":1}");
		assert_string_equal(it->text, "Hello");
		assert_string_equal(it->business.user_id, "700");
		assert_int_equal(it->at_ms, 1790100000000);
		assert_null(it->note);
	}
}

static void
a_body_that_is_no_json_is_read_however_long_it_is(void **state)
{
	struct gateway_record r = make_record(GATEWAY_REFUSED);
	g_autofree char *page = g_strnfill(1 << 20, 'x');
	g_autoptr(GString) body = g_string_new(NULL);

	(void)state;
	r.status = 502;
	r.response = page;
	r.response_len = strlen(page);
	gateway_record_print(&r, body);
	g_autoptr(GPtrArray) items = read_record(body->str);

	assert_string_equal(find_fact(only_item(items)->facts, "response"),
	    page);
}

/* As the gateway writes bodies that are no JSON: in pieces, if they are long. */
static void
a_body_in_pieces_is_the_text_that_it_was(void **state)
{
	g_autoptr(GPtrArray) whole = read_record("{\"object\":"
	    "\"chatjournal_gateway\",\"version\":1,\"send\":\"k\",\"outcome\":"
	    "\"refused\",\"target\":\"/v25.0/700/messages\",\"request\":"
	    HELLO ",\"response_base64\":[\"PGh0bWw+\",\"bm8=\"]}");
	g_autoptr(GPtrArray) odd = read_record("{\"object\":"
	    "\"chatjournal_gateway\",\"version\":1,\"send\":\"k\",\"outcome\":"
	    "\"refused\",\"target\":\"/v25.0/700/messages\",\"request\":"
	    HELLO ",\"response_base64\":[\"PGh0!bWw+\",7]}");

	(void)state;
	assert_string_equal(find_fact(only_item(whole)->facts, "response"),
	    "<html>no");
	assert_string_equal(find_fact(only_item(odd)->facts,
	    "gateway.response_base64.1"), "PGh0!bWw+");
	assert_string_equal(find_fact(only_item(odd)->facts,
	    "gateway.response_base64.2"), "7");
}

static void
a_member_named_twice_is_told_beside_the_item(void **state)
{
	g_autoptr(GPtrArray) items = parse_record("hostile-repeats");
	const struct item *notice;

	(void)state;
	assert_int_equal(items->len, 2);
	notice = items->pdata[1];
	assert_int_equal(notice->kind, ITEM_NOTICE);
	assert_non_null(strstr(notice->raw, "shown"));
	assert_non_null(strstr(notice->raw, "hidden"));
}

static void
what_a_phone_told_of_its_addresses_is_no_fact(void **state)
{
	g_autoptr(GPtrArray) items = parse_record("call-connect");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->kind, ITEM_CALL);
	assert_string_equal(it->refers,
	    "whatsapp|c|700111222333444|wacid.GWCALL1|connect");
	for (guint i = 0; i < it->facts->len; i++) {
		const struct item_fact *f = it->facts->pdata[i];

		assert_null(strstr(f->value, "10.0.0.9"));
	}
}

/* ---- receipts and templates -------------------------------------------------------- */

static GPtrArray *
read_status(const char *callback)
{
	g_autofree char *members = g_strdup_printf("\"statuses\":[{"
	    "\"id\":\"wamid.A\",\"status\":\"sent\",\"timestamp\":"
	    "\"1790100009\",\"recipient_id\":\"5511988880001\"%s}]", callback);

	return parse_field("messages", members);
}

static void
a_status_with_the_gateways_mark_resolves_its_send(void **state)
{
	g_autoptr(GPtrArray) items = read_status(
	    ",\"biz_opaque_callback_data\":\"cj:k|1\"");
	const struct item *status = only_item(items);
	auto_item *it = wa_resolved_item(status);

	(void)state;
	assert_string_equal(status->receipt->callback_data, "cj:k|1");
	assert_int_equal(it->kind, ITEM_SYSTEM);
	assert_int_equal(it->type, ITEM_TYPE_RESOLVED);
	assert_string_equal(it->send->key, "k|1");
	assert_string_equal(it->target, "wamid.A");
	assert_string_equal(it->key, "whatsapp|g|k%7C1|resolved");
	assert_string_equal(it->refers, "whatsapp|g|k%7C1|unknown");
	assert_string_equal(it->counterpart.number, "5511988880001");
	assert_int_equal(it->at_ms, status->at_ms);
}

static void
a_status_without_it_resolves_nothing(void **state)
{
	static const char *const marks[] = { "",
		",\"biz_opaque_callback_data\":\"crm:7\"",
		",\"biz_opaque_callback_data\":\"cj:\"",
		",\"biz_opaque_callback_data\":\"\"" };
	g_autoptr(GPtrArray) text = parse_field("messages", "\"messages\":[{"
	    "\"from\":\"1\",\"id\":\"wamid.B\",\"type\":\"text\",\"text\":{"
	    "\"body\":\"cj:k\"}}]");

	(void)state;
	assert_null(wa_resolved_item(only_item(text)));
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		g_autoptr(GPtrArray) items = read_status(marks[i]);

		assert_null(wa_resolved_item(only_item(items)));
	}
}

static void
a_changed_template_is_named_as_the_api_names_it(void **state)
{
	static const char *const events[] = { "template-status",
		"template-lives", "template-components", "template-wording",
		"template-scores" };
	g_autofree char *name = NULL, *language = NULL;
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
		g_autoptr(GPtrArray) items = parse_event(events[i]);

		for (guint j = 0; j < items->len; j++) {
			const struct item *it = items->pdata[j];

			g_clear_pointer(&name, g_free);
			g_clear_pointer(&language, g_free);
			assert_true(wa_template_changed(it, &name, &language));
			assert_string_equal(it->account, "900100200300400");
			assert_non_null(name);
			assert_true(g_str_equal(language, "pt_BR") ||
			    g_str_equal(language, "en_US"));
			seen++;
		}
	}
	assert_in_range(seen, 20, 100);
}

static void
an_event_that_names_no_template_may_be_of_any(void **state)
{
	g_autoptr(GPtrArray) items = parse_field(
	    "message_template_status_update", "\"event\":\"TELEPORTED\"");
	g_autoptr(GPtrArray) text = parse_event("text-en");
	g_autofree char *name = NULL, *language = NULL;

	(void)state;
	assert_true(wa_template_changed(only_item(items), &name, &language));
	assert_null(name);
	assert_null(language);
	assert_false(wa_template_changed(only_item(text), &name, &language));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_record_gives_the_items_that_are_written_down),
		cmocka_unit_test(
		    every_type_that_can_be_sent_has_a_record_that_is_understood),
		cmocka_unit_test(
		    every_outcome_has_a_record_and_what_did_not_leave_is_an_attempt),
		cmocka_unit_test(nothing_of_a_request_or_an_answer_is_left_out),
		cmocka_unit_test(
		    nothing_is_left_out_whatever_shape_a_member_takes),
		cmocka_unit_test(
		    a_cut_or_changed_record_gives_an_item_or_a_refusal_and_never_a_crash),
		cmocka_unit_test(what_is_judged_is_what_is_recorded),
		cmocka_unit_test(what_is_no_message_is_a_notice_with_its_person),
		cmocka_unit_test(what_is_no_object_gives_no_item),
		cmocka_unit_test(
		    the_number_wins_over_the_user_and_a_group_is_no_person),
		cmocka_unit_test(
		    what_the_customer_reads_is_judged_wherever_it_stands),
		cmocka_unit_test(
		    only_the_template_of_the_same_name_and_language_gives_the_wording),
		cmocka_unit_test(
		    a_parameter_without_a_value_does_not_move_the_others),
		cmocka_unit_test(a_code_is_never_said_to_be_fully_known),
		cmocka_unit_test(
		    a_card_has_the_wording_of_its_number_and_not_of_its_place),
		cmocka_unit_test(
		    examples_of_a_definition_are_nothing_that_was_said),
		cmocka_unit_test(a_message_has_the_key_that_its_receipts_refer_to),
		cmocka_unit_test(
		    a_later_record_refers_to_the_first_of_its_send_and_is_of_its_own_time),
		cmocka_unit_test(
		    what_was_blocked_names_rule_reason_and_nothing_that_was_sent),
		cmocka_unit_test(
		    what_policy_changed_is_shown_as_it_was_sent_and_as_it_was_given),
		cmocka_unit_test(a_mark_alone_is_no_change_of_the_text),
		cmocka_unit_test(
		    who_wrote_is_staff_with_a_name_a_bot_or_nobody_knows),
		cmocka_unit_test(
		    a_request_of_the_greatest_depth_makes_a_record_that_is_understood),
		cmocka_unit_test(whatever_the_gateway_writes_down_is_understood),
		cmocka_unit_test(a_body_that_is_no_json_is_read_however_long_it_is),
		cmocka_unit_test(a_body_in_pieces_is_the_text_that_it_was),
		cmocka_unit_test(a_member_named_twice_is_told_beside_the_item),
		cmocka_unit_test(what_a_phone_told_of_its_addresses_is_no_fact),
		cmocka_unit_test(a_status_with_the_gateways_mark_resolves_its_send),
		cmocka_unit_test(a_status_without_it_resolves_nothing),
		cmocka_unit_test(a_changed_template_is_named_as_the_api_names_it),
		cmocka_unit_test(an_event_that_names_no_template_may_be_of_any),
	};

	return cmocka_run_group_tests_name("wa_record", tests, find_records,
	    forget_records);
}
