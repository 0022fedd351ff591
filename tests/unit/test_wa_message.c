/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wa: messages, statuses, echoes and history. That every row of Meta's tables
 * has an example among tests/events which is understood, that nothing that
 * was said is left out of the item, and what single shapes come to.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "item.h"
#include "wa.h"
#include "wa_bed.h"
#include "wa_told.h"

static GPtrArray *examples;	/* struct item *, of all tests/events */

static int
load_examples(void **state)
{
	g_autoptr(GPtrArray) names = list_events();

	(void)state;
	examples = item_list_new();
	for (guint i = 0; names != NULL && i < names->len; i++)
		g_ptr_array_extend_and_steal(examples,
		    parse_event(names->pdata[i]));
	return examples->len > 300 ? 0 : -1;
}

static int
forget_examples(void **state)
{
	(void)state;
	g_ptr_array_unref(examples);
	return 0;
}

/* One message of a customer: its type and what stands under it. */
static GPtrArray *
parse_message(const char *type, const char *content)
{
	g_autofree char *members = g_strdup_printf("\"messages\":[{"
	    "\"from\":\"5511988880001\",\"id\":\"wamid.A\",\"timestamp\":"
	    "\"1790000000\",\"type\":\"%s\"%s%s%s%s}]", type,
	    content != NULL ? ",\"" : "", content != NULL ? type : "",
	    content != NULL ? "\":" : "", content != NULL ? content : "");

	return parse_field("messages", members);
}

/* ---- examples ------------------------------------------------------------------ */

struct row {
	const char *word;
	enum item_kind kind;
	enum item_type type;
};

static void
assert_has_example(const char *what, const struct row *row)
{
	for (guint i = 0; i < examples->len; i++) {
		const struct item *it = examples->pdata[i];

		if (it->kind == row->kind && it->type == row->type &&
		    g_strcmp0(it->type_name, row->word) == 0)
			return;
	}
	fail_msg("no example of %s %s", what, row->word);
}

static void
every_type_of_message_has_an_example_that_is_understood(void **state)
{
	static const struct row rows[] = {
		{ "text", ITEM_MESSAGE, ITEM_TYPE_TEXT },
		{ "image", ITEM_MESSAGE, ITEM_TYPE_IMAGE },
		{ "video", ITEM_MESSAGE, ITEM_TYPE_VIDEO },
		{ "audio", ITEM_MESSAGE, ITEM_TYPE_AUDIO },
		{ "audio", ITEM_MESSAGE, ITEM_TYPE_VOICE },
		{ "audio", ITEM_MESSAGE, ITEM_TYPE_VOICEMAIL },
		{ "voice", ITEM_MESSAGE, ITEM_TYPE_VOICE },
		{ "document", ITEM_MESSAGE, ITEM_TYPE_DOCUMENT },
		{ "sticker", ITEM_MESSAGE, ITEM_TYPE_STICKER },
		{ "location", ITEM_MESSAGE, ITEM_TYPE_LOCATION },
		{ NULL, ITEM_MESSAGE, ITEM_TYPE_LOCATION },
		{ "contacts", ITEM_MESSAGE, ITEM_TYPE_CONTACTS },
		{ "interactive", ITEM_MESSAGE, ITEM_TYPE_INTERACTIVE },
		{ "interactive", ITEM_GAP, ITEM_TYPE_INTERACTIVE },
		{ "button", ITEM_MESSAGE, ITEM_TYPE_BUTTON_REPLY },
		{ "reaction", ITEM_REACTION, ITEM_TYPE_REACTION },
		{ "order", ITEM_MESSAGE, ITEM_TYPE_ORDER },
		{ "system", ITEM_SYSTEM, ITEM_TYPE_NUMBER_CHANGED },
		{ "system", ITEM_SYSTEM, ITEM_TYPE_USER_ID_CHANGED },
		{ "system", ITEM_SYSTEM, ITEM_TYPE_IDENTITY_CHANGED },
		{ "request_welcome", ITEM_SYSTEM, ITEM_TYPE_WELCOME_REQUEST },
		{ "edit", ITEM_EDIT, ITEM_TYPE_EDIT },
		{ "revoke", ITEM_REVOKE, ITEM_TYPE_REVOKE },
		{ "unsupported", ITEM_GAP, ITEM_TYPE_UNSUPPORTED },
		{ "unknown", ITEM_GAP, ITEM_TYPE_UNSUPPORTED },
		{ "media_placeholder", ITEM_GAP, ITEM_TYPE_MEDIA_PLACEHOLDER },
		{ "ephemeral", ITEM_MESSAGE, ITEM_TYPE_TEXT },
		{ "pin", ITEM_SYSTEM, ITEM_TYPE_PIN },
		{ "template", ITEM_MESSAGE, ITEM_TYPE_TEMPLATE },
		{ "text", ITEM_HISTORY, ITEM_TYPE_TEXT },
		{ "hologram", ITEM_NOTICE, ITEM_TYPE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_has_example("type", &rows[i]);
}

/* In the raw JSON of an item of this type, or in none. */
static void
assert_said(const char *text, enum item_kind kind, enum item_type type)
{
	for (guint i = 0; i < examples->len; i++) {
		const struct item *it = examples->pdata[i];

		if (it->kind == kind && it->type == type &&
		    strstr(it->raw, text) != NULL)
			return;
	}
	fail_msg("no example with %s", text);
}

static void
every_interactive_type_has_an_example_that_is_understood(void **state)
{
	static const struct {
		const char *word;
		enum item_type type;
	} rows[] = {
		{ "button_reply", ITEM_TYPE_BUTTON_REPLY },
		{ "list_reply", ITEM_TYPE_LIST_REPLY },
		{ "nfm_reply", ITEM_TYPE_FLOW_REPLY },
		{ "call_permission_reply", ITEM_TYPE_CALL_PERMISSION_REPLY },
		{ "payment_method", ITEM_TYPE_PAYMENT },
		{ "payment_notification", ITEM_TYPE_PAYMENT },
		/* what a business sends */
		{ "button", ITEM_TYPE_INTERACTIVE },
		{ "list", ITEM_TYPE_INTERACTIVE },
		{ "cta_url", ITEM_TYPE_INTERACTIVE },
		{ "flow", ITEM_TYPE_INTERACTIVE },
		{ "product", ITEM_TYPE_INTERACTIVE },
		{ "product_list", ITEM_TYPE_INTERACTIVE },
		{ "catalog_message", ITEM_TYPE_INTERACTIVE },
		{ "carousel", ITEM_TYPE_INTERACTIVE },
		{ "location_request_message", ITEM_TYPE_INTERACTIVE },
		{ "address_message", ITEM_TYPE_INTERACTIVE },
		{ "call_permission_request", ITEM_TYPE_INTERACTIVE },
		{ "voice_call", ITEM_TYPE_INTERACTIVE },
		{ "order_details", ITEM_TYPE_INTERACTIVE },
		{ "order_status", ITEM_TYPE_INTERACTIVE },
		{ "request_contact_info", ITEM_TYPE_INTERACTIVE },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
		    "\"interactive\":{\"type\":\"%s\"", rows[i].word);

		assert_said(text, ITEM_MESSAGE, rows[i].type);
	}
}

static void
every_status_word_and_every_form_of_a_status_has_an_example(void **state)
{
	static const struct row rows[] = {
		{ "sent", ITEM_RECEIPT, ITEM_TYPE_STATUS },
		{ "delivered", ITEM_RECEIPT, ITEM_TYPE_STATUS },
		{ "read", ITEM_RECEIPT, ITEM_TYPE_STATUS },
		{ "played", ITEM_RECEIPT, ITEM_TYPE_STATUS },
		{ "failed", ITEM_RECEIPT, ITEM_TYPE_STATUS },
		{ "deleted", ITEM_RECEIPT, ITEM_TYPE_STATUS },
		{ "warning", ITEM_RECEIPT, ITEM_TYPE_STATUS },
		{ "teleported", ITEM_RECEIPT, ITEM_TYPE_STATUS },
		{ "pending", ITEM_RECEIPT, ITEM_TYPE_PAYMENT },
		{ "captured", ITEM_RECEIPT, ITEM_TYPE_PAYMENT },
		{ "failed", ITEM_RECEIPT, ITEM_TYPE_PAYMENT },
	};
	static const char *const members[] = { "\"conversation\":", "\"href\":",
		"\"pricing_model\":\"CBP\"", "\"pricing_model\":\"PMP\"",
		"\"pricing_model\":\"NBP\"", "\"template_id\":",
		"\"recipient_participant_id\":",
		"\"participant_recipient_id\":", "\"biz_opaque_callback_data\":",
		"\"recipient_identity_key_hash\":" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_has_example("status", &rows[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
		assert_said(members[i], ITEM_RECEIPT, ITEM_TYPE_STATUS);
}

static void
every_word_for_what_is_unsupported_is_told_with_its_note(void **state)
{
	static const char *const words[] = { "button", "edit", "errors", "gif",
		"group_invite", "hsm", "image", "interactive", "keep_in_chat",
		"link_preview", "list", "location", "media_placeholder",
		"order", "pin", "poll_creation", "poll_update", "product",
		"reaction", "pool" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		bool found = false;

		for (guint j = 0; !found && j < examples->len; j++) {
			const struct item *it = examples->pdata[j];

			found = it->kind == ITEM_GAP &&
			    g_strcmp0(it->missing, words[i]) == 0 &&
			    strstr(it->note, words[i]) != NULL;
		}
		if (!found)
			fail_msg("no gap names %s", words[i]);
	}
}

/* Where messages come from, and what brings one. */
static const struct place {
	const char *field, *before, *from, *after;
} places[] = {
	{ "messages", "\"messages\":[", "\"from\":\"5511988880001\"", "]" },
	{ "smb_message_echoes", "\"message_echoes\":[",
	    "\"from\":\"551140000001\",\"to\":\"5511988880001\"", "]" },
	{ "message_echoes", "\"message_echoes\":[",
	    "\"from\":\"551140000001\",\"to\":\"5511988880001\"", "]" },
	{ "standby", "\"standby\":{\"messages\":[",
	    "\"from\":\"5511988880001\"", "]}" },
	{ "history", "\"history\":[{\"threads\":[{\"id\":\"5511988880001\","
	    "\"messages\":[", "\"from\":\"5511988880001\"", "]}]}]" },
	{ "history", "\"messages\":[", "\"from\":\"5511988880001\"", "]" },
};

/* ---- nothing is left out ------------------------------------------------------- */

static bool
is_message(const struct item *it)
{
	return it->kind == ITEM_MESSAGE || it->kind == ITEM_EDIT ||
	    it->kind == ITEM_REVOKE || it->kind == ITEM_REACTION ||
	    it->kind == ITEM_RECEIPT || it->kind == ITEM_HISTORY ||
	    (it->kind == ITEM_GAP && it->type != ITEM_TYPE_CONTENT_OFF) ||
	    (it->kind == ITEM_SYSTEM && g_strcmp0(it->type_name, "system") == 0);
}

/* Returns how many messages there are. */
static size_t
assert_nothing_left_out(const GPtrArray *items)
{
	size_t seen = 0;

	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];
		json_object *o;

		if (!is_message(it))
			continue;
		o = json_tokener_parse(it->raw);
		assert_all_told(it, o);
		json_object_put(o);
		seen++;
	}
	return seen;
}

static void
every_scalar_of_every_understood_message_is_in_its_item(void **state)
{
	(void)state;
	assert_in_range(assert_nothing_left_out(examples), 150, examples->len);
}

/* ---- with any member of any other shape ------------------------------------------ */

static void
check_mutant(json_object *root)
{
	const char *body = json_object_to_json_string_ext(root,
	    JSON_C_TO_STRING_PLAIN);
	g_autoptr(GPtrArray) items = parse_bytes(body, strlen(body));

	assert_nothing_left_out(items);
}

/* The message, whose list stands as the path of names says. */
static json_object *
find_element(json_object *root, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, "\"", -1);
	json_object *o = json_object_object_get(root, "entry");

	o = json_object_object_get(json_object_array_get_idx(o, 0), "changes");
	o = json_object_object_get(json_object_array_get_idx(o, 0), "value");
	for (size_t i = 1; names[i] != NULL; i += 2)
		o = json_object_object_get(o, names[i]);
	return json_object_array_get_idx(o, 0);
}

/* One message as the only one of its field. */
static size_t
mutate_example(const struct item *it)
{
	static const struct place by_list[] = {
		{ "messages", "\"messages\":[", NULL, "]" },
		{ "messages", "\"statuses\":[", NULL, "]" },
		{ "standby", "\"standby\":{\"message_echoes\":[", NULL, "]}" },
	};
	size_t n = it->kind == ITEM_RECEIPT ? 1 :
	    g_strcmp0(it->field, "standby") == 0 ? 2 : 0;
	g_autofree char *body = g_strdup_printf("{\"entry\":[{\"id\":\"9\","
	    "\"changes\":[{\"field\":\"%s\",\"value\":{\"metadata\":{"
	    "\"display_phone_number\":\"551140000001\",\"phone_number_id\":"
	    "\"700\"},%s%s%s}}]}]}", by_list[n].field, by_list[n].before,
	    it->raw, by_list[n].after);
	json_object *root = json_tokener_parse(body);
	size_t mutants = check_mutants(root,
	    find_element(root, by_list[n].before), check_mutant);

	json_object_put(root);
	return mutants;
}

static void
nothing_is_left_out_whatever_shape_a_member_takes(void **state)
{
	size_t mutants = 0;

	(void)state;
	for (guint i = 0; i < examples->len; i++) {
		if (is_message(examples->pdata[i]))
			mutants += mutate_example(examples->pdata[i]);
	}
	assert_in_range(mutants, 3000, 100000);
}

/* ---- single shapes ---------------------------------------------------------------- */

static void
an_edit_brings_its_new_content_and_points_to_the_old(void **state)
{
	g_autoptr(GPtrArray) items = parse_message("edit",
	    "{\"original_message_id\":\"wamid.O\",\"message\":{\"type\":"
	    "\"image\",\"image\":{\"id\":\"8\",\"caption\":\"new\"}}}");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->kind, ITEM_EDIT);
	assert_int_equal(it->type, ITEM_TYPE_EDIT);
	assert_string_equal(it->target, "wamid.O");
	assert_string_equal(it->refers, "whatsapp|m|700|wamid.O");
	assert_string_equal(it->key, "whatsapp|m|700|wamid.A");
	assert_string_equal(it->text, "new");
	assert_int_equal(it->media->len, 1);
}

static void
a_caption_is_edited_without_its_file(void **state)
{
	g_autoptr(GPtrArray) items = parse_message("edit",
	    "{\"original_message_id\":\"wamid.O\",\"message\":{\"type\":"
	    "\"image\",\"image\":{\"caption\":\"new\",\"mime_type\":\"image/jpeg\"}}}");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->kind, ITEM_EDIT);
	assert_string_equal(it->text, "new");
	assert_null(it->media);
	assert_string_equal(
	    find_fact(it->facts, "edit.message.image.mime_type"),
	    "image/jpeg");
}

static void
an_edit_inside_of_an_edit_is_shown_raw(void **state)
{
	g_autoptr(GPtrArray) items = parse_message("edit",
	    "{\"original_message_id\":\"wamid.O\",\"message\":{\"type\":\"edit\","
	    "\"edit\":{\"original_message_id\":\"wamid.P\",\"message\":{"
	    "\"type\":\"text\",\"text\":{\"body\":\"x\"}}}}}");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->kind, ITEM_NOTICE);
	assert_string_equal(it->target, "wamid.O");
	assert_non_null(strstr(it->raw, "wamid.P"));
}

static GPtrArray *
parse_at(const struct place *p, const char *id, const char *rest)
{
	g_autofree char *members = g_strdup_printf("%s{%s,\"id\":\"%s\","
	    "\"timestamp\":\"1790000000\",%s}%s", p->before, p->from, id, rest,
	    p->after);

	return parse_field(p->field, members);
}

static void
a_change_refers_to_the_key_its_original_has_wherever_both_came(void **state)
{
	static const char *const changes[] = {
		"\"type\":\"edit\",\"edit\":{\"original_message_id\":\"wamid.O\","
		    "\"message\":{\"type\":\"text\",\"text\":{\"body\":\"n\"}}}",
		"\"type\":\"revoke\",\"revoke\":{\"original_message_id\":"
		    "\"wamid.O\"}",
		"\"type\":\"reaction\",\"reaction\":{\"message_id\":\"wamid.O\","
		    "\"emoji\":\"x\"}",
		"\"type\":\"pin\",\"pin\":{\"type\":\"pin\",\"message_id\":"
		    "\"wamid.O\"}",
		"\"type\":\"text\",\"text\":{\"body\":\"re\"},\"context\":{"
		    "\"id\":\"wamid.O\"}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GPtrArray) first = parse_at(&places[i], "wamid.O",
		    "\"type\":\"text\",\"text\":{\"body\":\"old\"}");

		for (size_t j = 0; j < G_N_ELEMENTS(places); j++) {
			for (size_t c = 0; c < G_N_ELEMENTS(changes); c++) {
				g_autoptr(GPtrArray) second = parse_at(
				    &places[j], "wamid.C", changes[c]);
				const struct item *it = only_item(second);

				assert_int_not_equal(it->kind, ITEM_NOTICE);
				assert_string_equal(it->refers,
				    only_item(first)->key);
			}
		}
	}
}

static void
what_an_app_sends_refers_to_what_it_answers_and_a_status_to_it(void **state)
{
	g_autoptr(GPtrArray) items = parse_field("standby",
	    "\"standby\":{\"message_echoes\":[{\"id\":\"wamid.S\",\"timestamp\":"
	    "\"1790000000\",\"message\":{\"to\":\"5511988880001\",\"type\":"
	    "\"text\",\"text\":{\"body\":\"re\"},\"context\":{\"message_id\":"
	    "\"wamid.O\"}}}],\"statuses\":[{\"id\":\"wamid.S\",\"status\":"
	    "\"read\",\"timestamp\":\"1790000001\",\"recipient_id\":"
	    "\"5511988880001\"}]}");
	const struct item *echo = items->pdata[0], *status = items->pdata[1];

	(void)state;
	assert_int_equal(items->len, 2);
	assert_string_equal(echo->refers, "whatsapp|m|700|wamid.O");
	assert_int_equal(echo->direction, ITEM_SENT);
	assert_int_equal(echo->author, ITEM_OTHER_APP);
	assert_string_equal(echo->counterpart.number, "5511988880001");
	assert_string_equal(status->refers, echo->key);
	assert_int_equal(status->kind, ITEM_RECEIPT);
}

static void
a_gap_does_not_hide_the_content_that_comes_later(void **state)
{
	g_autoptr(GPtrArray) gap = parse_message("unsupported", NULL);
	g_autoptr(GPtrArray) again = parse_message("unsupported",
	    "{\"type\":\"image\"}");
	g_autoptr(GPtrArray) content = parse_message("text",
	    "{\"body\":\"here\"}");

	(void)state;
	assert_int_equal(only_item(gap)->kind, ITEM_GAP);
	assert_string_equal(only_item(gap)->key, "whatsapp|u|700|wamid.A");
	assert_string_equal(only_item(again)->key, only_item(gap)->key);
	assert_string_equal(only_item(content)->key, "whatsapp|m|700|wamid.A");
}

static void
a_gap_says_what_is_missing_and_why_by_its_code(void **state)
{
	static const struct {
		const char *code, *word;
	} rows[] = {
		{ "131051", "not passed on" }, { "131060", "not available" },
		{ "131052", "100 MB" }, { "130501", "groups" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *members = g_strdup_printf("\"messages\":[{"
		    "\"from\":\"1\",\"id\":\"wamid.A\",\"type\":\"unsupported\","
		    "\"unsupported\":{\"type\":\"poll_creation\"},"
		    "\"errors\":[{\"code\":%s}]}]", rows[i].code);
		g_autoptr(GPtrArray) items = parse_field("messages", members);
		const struct item *it = only_item(items);

		assert_string_equal(it->missing, "poll_creation");
		assert_non_null(strstr(it->note, "a poll (poll_creation)"));
		assert_non_null(strstr(it->note, rows[i].word));
	}
}

/* An echo of a template with body parameters, and the body's definition. */
static GPtrArray *
parse_template(const char *parameters, const char *wording)
{
	g_autofree char *members = g_strdup_printf("\"standby\":{"
	    "\"message_echoes\":[{\"id\":\"wamid.S\",\"timestamp\":\"1790000000\","
	    "\"message\":{\"to\":\"5511988880001\",\"type\":\"template\","
	    "\"template\":{\"name\":\"n\",\"language\":{\"code\":\"en\"},"
	    "\"components\":[{\"type\":\"body\",\"parameters\":[%s]}]}},"
	    "\"template\":{\"components\":[{\"type\":\"BODY\",\"text\":\"%s\"}]}"
	    "}]}", parameters, wording);

	return parse_field("standby", members);
}

static void
a_template_is_filled_once_and_only_once(void **state)
{
	static const struct {
		const char *parameters, *wording, *text;
		bool expanded;
	} rows[] = {
		{ "{\"type\":\"text\",\"text\":\"Ana\"}", "Hi {{1}}, {{1}}",
		    "Hi Ana, Ana", true },
		{ "{\"type\":\"text\",\"text\":\"{{2}}\"},{\"type\":\"text\","
		    "\"text\":\"{{1}}\"}", "{{1}}{{2}}", "{{2}}{{1}}", true },
		{ "{\"type\":\"text\",\"text\":\"Ana\",\"parameter_name\":"
		    "\"who\"}", "Hi {{ who }}", "Hi Ana", true },
		{ "{\"type\":\"currency\",\"currency\":{\"fallback_value\":"
		    "\"R$ 1\",\"code\":\"BRL\"}}", "Pay {{1}}", "Pay R$ 1", true },
		{ "", "Hi {{1}}", "Hi {{1}}", false },
		{ "", "plain", "plain", true },
		{ "{\"type\":\"text\",\"text\":\"x\"}", "{{1", "{{1", true },
		{ "{\"type\":\"text\",\"text\":\"x\"}", "{{}}{{9}}",
		    "{{}}{{9}}", false },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = parse_template(rows[i].parameters,
		    rows[i].wording);
		const struct item *it = only_item(items);

		assert_int_equal(it->type, ITEM_TYPE_TEMPLATE);
		assert_string_equal(it->text, rows[i].text);
		assert_int_equal(it->template->expanded, rows[i].expanded);
		assert_string_equal(it->template->name, "n");
	}
}

static void
a_template_without_its_definition_lists_its_parameters(void **state)
{
	g_autoptr(GPtrArray) items = parse_field("standby",
	    "\"standby\":{\"message_echoes\":[{\"id\":\"wamid.S\",\"message\":{"
	    "\"to\":\"5511988880001\",\"type\":\"template\",\"template\":{"
	    "\"name\":\"due\",\"language\":{\"code\":\"pt_BR\"},\"components\":["
	    "{\"type\":\"body\",\"parameters\":[{\"type\":\"text\",\"text\":"
	    "\"Ana\"}]}]}}}]}");
	const struct item *it = only_item(items);

	(void)state;
	assert_int_equal(it->kind, ITEM_MESSAGE);
	assert_false(it->template->expanded);
	assert_null(it->text);
	assert_string_equal(it->template->language, "pt_BR");
	assert_string_equal(find_fact(it->facts, "body.1"), "Ana");
}

static void
answers_of_any_json_are_listed_and_the_string_is_always_kept(void **state)
{
	static const struct {
		const char *json, *name, *value;
	} rows[] = {
		{ "{\\\"a\\\":{\\\"b\\\":[1,2]}}", "a.b.2", "2" },
		{ "{\\\"empty\\\":\\\"\\\"}", "empty", "" },
		{ "{\\\"none\\\":null}", "none", "" },
		{ "{\\\"chosen\\\":[]}", "chosen", "" },
		{ "{\\\"yes\\\":true}", "yes", "true" },
		{ "42", "answer", "42" },
		{ "\\\"word\\\"", "answer", "word" },
		{ "[1,\\\"x\\\"]", "answer.2", "x" },
		{ "123456789012345678901234567890", "answer",
		    "123456789012345678901234567890" },
		{ "not JSON", NULL, NULL }, { "{\\\"cut\\\":", NULL, NULL },
		{ "{'a':1}", NULL, NULL }, { "NaN", NULL, NULL },
		{ "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *content = g_strdup_printf("{\"type\":"
		    "\"nfm_reply\",\"nfm_reply\":{\"name\":\"flow\","
		    "\"response_json\":\"%s\"}}", rows[i].json);
		g_autoptr(GPtrArray) items = parse_message("interactive",
		    content);
		const struct item *it = only_item(items);
		g_autofree char *json = g_strcompress(rows[i].json);

		assert_int_equal(it->type, ITEM_TYPE_FLOW_REPLY);
		assert_int_equal(it->kind, ITEM_MESSAGE);
		assert_string_equal(it->reply->json, json);
		if (rows[i].name == NULL)
			assert_null(it->answers);
		else
			assert_string_equal(find_fact(it->answers, rows[i].name),
			    rows[i].value);
	}
}

static void
a_reaction_without_an_emoji_is_one_taken_back(void **state)
{
	static const struct {
		const char *content;
		enum item_kind kind;
		bool removed;
	} rows[] = {
		{ "{\"message_id\":\"x\",\"emoji\":\"y\"}", ITEM_REACTION, false },
		{ "{\"message_id\":\"x\",\"emoji\":\"\"}", ITEM_REACTION, true },
		{ "{\"message_id\":\"x\",\"emoji\":null}", ITEM_REACTION, true },
		{ "{\"message_id\":\"x\"}", ITEM_REACTION, true },
		{ "{\"message_id\":\"x\",\"emoji\":{}}", ITEM_REACTION, true },
		{ "{\"message_id\":\"x\",\"emoji\":[1]}", ITEM_NOTICE, false },
		{ "{\"emoji\":\"y\"}", ITEM_NOTICE, false },
		{ "7", ITEM_NOTICE, false },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) items = parse_message("reaction",
		    rows[i].content);

		assert_int_equal(only_item(items)->kind, rows[i].kind);
		assert_int_equal(only_item(items)->removed, rows[i].removed);
	}
}

static void
a_change_of_number_tells_both_in_every_version_of_the_api(void **state)
{
	static const char *const contents[] = {
		"{\"type\":\"user_changed_number\",\"wa_id\":\"5511988880009\"}",
		"{\"type\":\"user_changed_number\",\"new_wa_id\":5511988880009}",
		"{\"type\":\"customer_changed_number\",\"customer\":"
		    "\"5511988880001\",\"wa_id\":\"+5511988880009\"}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
		g_autoptr(GPtrArray) items = parse_message("system",
		    contents[i]);
		const struct item *it = only_item(items);

		assert_int_equal(it->kind, ITEM_SYSTEM);
		assert_int_equal(it->author, ITEM_NETWORK);
		assert_string_equal(it->identity->before.number,
		    "5511988880001");
		assert_string_equal(it->identity->after.number,
		    "5511988880009");
		assert_string_equal(it->counterpart.number, "5511988880001");
	}
}

static char *
repeat(const char *element, guint times)
{
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < times; i++)
		g_string_append_printf(out, "%s%s", i > 0 ? "," : "", element);
	return g_string_free(out, FALSE);
}

static void
a_list_of_ten_thousand_things_stays_whole(void **state)
{
	g_autofree char *lines = repeat("{\"product_retailer_id\":\"p\","
	    "\"quantity\":1,\"colour\":\"red\"}", 10000);
	g_autofree char *cards = repeat("{\"name\":{\"formatted_name\":\"N\"},"
	    "\"phones\":[{\"phone\":\"1\"}]}", 10000);
	g_autofree char *order = g_strdup_printf("{\"product_items\":[%s]}",
	    lines);
	g_autofree char *contacts = g_strdup_printf("[%s]", cards);
	g_autoptr(GPtrArray) a = parse_message("order", order);
	g_autoptr(GPtrArray) b = parse_message("contacts", contacts);

	(void)state;
	assert_int_equal(only_item(a)->order->len, 10000);
	/* each of the rest is a fact, or in one that holds several */
	assert_in_range(only_item(a)->facts->len, 10000, 10001);
	assert_int_equal(only_item(b)->cards->len, 10000);
}

static void
lists_where_none_belong_cost_no_more_than_their_length(void **state)
{
	g_autofree char *buttons = repeat("{\"type\":\"URL\",\"text\":\"b\","
	    "\"url\":\"u{{1}}\"}", 10000);
	g_autofree char *sent = repeat("{\"type\":\"button\",\"index\":9999,"
	    "\"parameters\":[{\"type\":\"text\",\"text\":\"x\"}]}", 10000);
	g_autofree char *members = g_strdup_printf("\"standby\":{"
	    "\"message_echoes\":[{\"id\":\"wamid.S\",\"message\":{\"type\":"
	    "\"template\",\"template\":{\"name\":\"n\",\"components\":[%s]}},"
	    "\"template\":{\"components\":[{\"type\":\"BUTTONS\",\"buttons\":"
	    "[%s]}]}}]}", sent, buttons);
	g_autoptr(GPtrArray) items = parse_field("standby", members);

	(void)state;
	assert_int_equal(only_item(items)->template->buttons->len, 10000);
	assert_false(only_item(items)->template->expanded);
}

static void
a_known_type_without_its_content_stays_a_notice_with_its_json(void **state)
{
	static const char *const types[] = { "text", "image", "video", "audio",
		"voice", "document", "sticker", "location", "contacts",
		"interactive", "button", "order", "template", "reaction",
		"edit", "revoke", "pin", "system", "ephemeral" };
	static const char *const contents[] = { NULL, "null", "7", "\"s\"",
		"true", "{}", "[]", "[[[]]]", "{\"x\":{\"y\":[1]}}" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		for (size_t j = 0; j < G_N_ELEMENTS(contents); j++) {
			g_autoptr(GPtrArray) items = parse_message(types[i],
			    contents[j]);
			const struct item *it = only_item(items);

			if (strcmp(types[i], "contacts") == 0 &&
			    g_strcmp0(contents[j], "[[[]]]") == 0)
				continue;	/* a list of one odd card */
			assert_int_equal(it->kind, ITEM_NOTICE);
			assert_non_null(it->note);
			assert_string_equal(it->key, "whatsapp|u|700|wamid.A");
			assert_string_equal(it->counterpart.number,
			    "5511988880001");
		}
	}
}

static void
a_sync_of_history_is_told_apart_by_its_first_message(void **state)
{
	static const char *const ids[] = { "wamid.H1", "wamid.H2", "wamid.H1" };
	char *keys[3] = { NULL };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		g_autofree char *members = g_strdup_printf("\"history\":[{"
		    "\"metadata\":{\"phase\":0,\"chunk_order\":1,\"progress\":"
		    "100},\"threads\":[{\"id\":\"5511988880001\",\"messages\":["
		    "{\"from\":\"5511988880001\",\"id\":\"%s\",\"type\":\"text\","
		    "\"text\":{\"body\":\"x\"}}]}]}]", ids[i]);
		g_autoptr(GPtrArray) items = parse_field("history", members);
		const struct item *it = items->pdata[1];

		assert_int_equal(items->len, 2);
		assert_int_equal(it->kind, ITEM_ACCOUNT);
		assert_int_equal(it->type, ITEM_TYPE_HISTORY_CHUNK);
		assert_string_equal(find_fact(it->facts, "progress"), "100");
		assert_string_equal(find_fact(it->facts, "messages"), "1");
		keys[i] = g_strdup(it->key);
	}
	assert_string_not_equal(keys[0], keys[1]);
	assert_string_equal(keys[0], keys[2]);
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		g_free(keys[i]);
}

/* As where numbers of one country have two spellings. */
static void
a_line_of_history_to_the_customer_is_of_the_business(void **state)
{
	static const struct {
		const char *people;
		bool sent;
	} rows[] = {
		{ "\"from\":\"5511940000001\",\"to\":\"5511988880001\"", true },
		{ "\"from\":\"551140000001\",\"to\":\"5511988880001\"", true },
		{ "\"from\":\"5511988880001\",\"to\":\"551140000001\"", false },
		{ "\"from\":\"5511988880001\",\"to\":\"5511940000001\"", false },
		{ "\"from\":\"5511988880001\",\"to\":\"5511988880001\"", false },
		{ "\"from\":\"5511988880001\"", false },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *members = g_strdup_printf("\"history\":[{"
		    "\"threads\":[{\"id\":\"5511988880001\",\"messages\":["
		    "{%s,\"id\":\"wamid.H\",\"type\":\"text\",\"text\":"
		    "{\"body\":\"x\"}}]}]}]", rows[i].people);
		g_autoptr(GPtrArray) items = parse_field("history", members);
		const struct item *it = only_item(items);

		assert_int_equal(it->direction, rows[i].sent ? ITEM_SENT :
		    ITEM_RECEIVED);
		assert_string_equal(it->counterpart.number, "5511988880001");
	}
}

static void
a_summary_beside_messages_of_several_people_is_filed_under_none(void **state)
{
	static const char *const seconds[] = { "5511988880001",
		"5511988880002" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(seconds); i++) {
		g_autofree char *members = g_strdup_printf(
		    "\"conversation_context\":{\"type\":\"summary\","
		    "\"summary\":{\"text\":\"She disputes a fee.\"}},"
		    "\"messages\":[{\"from\":\"5511988880001\",\"id\":"
		    "\"wamid.A\",\"type\":\"text\",\"text\":{\"body\":"
		    "\"x\"}},{\"from\":\"%s\",\"id\":\"wamid.B\",\"type\":"
		    "\"text\",\"text\":{\"body\":\"y\"}}]", seconds[i]);
		g_autoptr(GPtrArray) items = parse_field("messages", members);
		const struct item *it = items->pdata[2];

		assert_int_equal(items->len, 3);
		assert_int_equal(it->type, ITEM_TYPE_CONTEXT_SUMMARY);
		if (i == 0)
			assert_string_equal(it->counterpart.number, seconds[0]);
		else
			assert_null(it->counterpart.number);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_type_of_message_has_an_example_that_is_understood),
		cmocka_unit_test(
		    every_interactive_type_has_an_example_that_is_understood),
		cmocka_unit_test(
		    every_status_word_and_every_form_of_a_status_has_an_example),
		cmocka_unit_test(
		    every_word_for_what_is_unsupported_is_told_with_its_note),
		cmocka_unit_test(
		    every_scalar_of_every_understood_message_is_in_its_item),
		cmocka_unit_test(
		    nothing_is_left_out_whatever_shape_a_member_takes),
		cmocka_unit_test(
		    an_edit_brings_its_new_content_and_points_to_the_old),
		cmocka_unit_test(a_caption_is_edited_without_its_file),
		cmocka_unit_test(an_edit_inside_of_an_edit_is_shown_raw),
		cmocka_unit_test(
		    a_change_refers_to_the_key_its_original_has_wherever_both_came),
		cmocka_unit_test(
		    what_an_app_sends_refers_to_what_it_answers_and_a_status_to_it),
		cmocka_unit_test(
		    a_gap_does_not_hide_the_content_that_comes_later),
		cmocka_unit_test(a_gap_says_what_is_missing_and_why_by_its_code),
		cmocka_unit_test(a_template_is_filled_once_and_only_once),
		cmocka_unit_test(
		    a_template_without_its_definition_lists_its_parameters),
		cmocka_unit_test(
		    answers_of_any_json_are_listed_and_the_string_is_always_kept),
		cmocka_unit_test(a_reaction_without_an_emoji_is_one_taken_back),
		cmocka_unit_test(
		    a_change_of_number_tells_both_in_every_version_of_the_api),
		cmocka_unit_test(a_list_of_ten_thousand_things_stays_whole),
		cmocka_unit_test(
		    lists_where_none_belong_cost_no_more_than_their_length),
		cmocka_unit_test(
		    a_known_type_without_its_content_stays_a_notice_with_its_json),
		cmocka_unit_test(
		    a_sync_of_history_is_told_apart_by_its_first_message),
		cmocka_unit_test(
		    a_line_of_history_to_the_customer_is_of_the_business),
		cmocka_unit_test(
		    a_summary_beside_messages_of_several_people_is_filed_under_none),
	};

	return cmocka_run_group_tests_name("wa_message", tests, load_examples,
	    forget_examples);
}
