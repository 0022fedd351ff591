/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: whatever a reader of the mail reads of an item, rules read, too. The
 * words are taken from the item's own JSON, so that no list of what there is
 * must be kept beside that of what is read; what is left out is named here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "item.h"
#include "policy.h"
#include "wa.h"
#include "wa_bed.h"
#include "../../src/policy/policy_int.h"

/* Members whose values are a machine's, or name people, places and times. */
static const char *const machine[] = {
	/* ids */
	"id", "from", "to", "from_user_id", "to_user_id", "user_id",
	"parent_user_id", "to_parent_user_id", "from_parent_user_id",
	"recipient_id", "group_id", "wa_id", "phone_number_id", "message_id",
	"original_message_id", "flow_id", "catalog_id", "reference_id",
	"product_retailer_id", "retailer_id", "recipient_user_id",
	"recipient_parent_user_id", "recipient", "recipient_participant_id",
	"recipient_participant_user_id", "participant_recipient_id",
	"participant_recipient_user_id", "parent_recipient_user_id",
	"new_wa_id", "customer", "thumbnail_product_retailer_id", "fbtrace_id",
	"biz_opaque_callback_data", "flow_token", "payload", "sha256",
	"phone_number", "display_phone_number", "previous", "current", "wamid",
	/* words of the network */
	"type", "sub_type", "messaging_product", "status", "recipient_type",
	"event", "direction", "mime_type", "language", "category", "code",
	"format", "index", "parameter_format", "parameter_name", "sdp",
	"sdp_type", "error_type", "changed_fields", "model", "blame",
	"flow_message_version", "header_handle", "body_text", "response",
	/* when and where; of a file the address that it is fetched from */
	"timestamp", "start_time", "end_time", "duration", "latitude",
	"longitude", "href", "url", "link",
	"username", "call_id", "action", NULL };

/* What the network says of what went wrong. */
static const char *const wrong[] = { "errors", "error", NULL };

/* A name of a form or template, or what the network says of a problem. */
static bool
is_no_text(const GPtrArray *items, const char *text)
{
	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];

		if ((it->template != NULL &&
		    g_strcmp0(it->template->name, text) == 0) ||
		    (it->reply != NULL &&
		    g_strcmp0(it->reply->name, text) == 0) ||
		    g_strcmp0(it->counterpart.name, text) == 0)
			return true;
		for (guint j = 0; it->problems != NULL &&
		    j < it->problems->len; j++) {
			const struct item_problem *p = it->problems->pdata[j];

			if (g_strcmp0(p->title, text) == 0 ||
			    g_strcmp0(p->message, text) == 0 ||
			    g_strcmp0(p->details, text) == 0)
				return true;
		}
	}
	return strstr(text, "{{") != NULL;	/* shown with its variables */
}

struct reader {
	const char *name;	/* of the example */
	const GPtrArray *items;
	GString *all;		/* what rules read of its items */
	GString *missing;
};

static void walk(struct reader *r, const char *key, json_object *o);

/* A form's answers are JSON in a string. */
static void
look(struct reader *r, const char *key, json_object *o)
{
	const char *text = json_object_get_string(o);
	json_object *within = strcmp(key, "response_json") == 0 ?
	    json_tokener_parse(text) : NULL;

	if (within != NULL)
		walk(r, "", within);
	else if (*text != '\0' && !g_strv_contains(machine, key) &&
	    strstr(r->all->str, text) == NULL && !is_no_text(r->items, text))
		g_string_append_printf(r->missing, "%s: %s: \"%s\"\n",
		    r->name, key, text);
	json_object_put(within);
}

static void
walk(struct reader *r, const char *key, json_object *o)
{
	if (g_strv_contains(wrong, key))
		return;
	if (json_object_is_type(o, json_type_string)) {
		look(r, key, o);
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			walk(r, key, json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, k, member)
			walk(r, k, member);
	}
}

static void
read_item(struct reader *r, const struct item *it)
{
	g_autofree char *more = wa_more_text(it);
	struct policy_input in = { .item = it, .extra_text = more };
	struct policy_work *w = policy_work_new(NULL);
	const GArray *parts;

	policy_work_begin(w);
	parts = policy_work_parts(w, &in);
	for (guint i = 0; i < parts->len; i++)
		g_string_append_printf(r->all, "%s\n", g_array_index(parts,
		    struct policy_part, i).text);
	policy_work_free(w);
}

/* What one item leaves to its neighbour is read there. */
static void
read_items(const char *name, const GPtrArray *items, GString *missing)
{
	g_autoptr(GString) all = g_string_new(NULL);
	struct reader r = { .name = name, .items = items, .all = all,
		.missing = missing };

	for (guint i = 0; i < items->len; i++)
		read_item(&r, items->pdata[i]);
	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];
		json_object *root = it->raw != NULL ?
		    json_tokener_parse(it->raw) : NULL, *said = root;

		/* Of a record what was asked of the network. */
		if (it->send != NULL && it->kind != ITEM_NOTICE &&
		    !json_object_object_get_ex(root, "sent", &said))
			json_object_object_get_ex(root, "request", &said);
		walk(&r, "", said);
		json_object_put(root);
	}
}

static void
expect_all_read(const GString *missing)
{
	if (missing->len == 0)
		return;
	fputs(missing->str, stderr);
	fail_msg("rules do not read what a reader of the mail does");
}

static void
every_text_of_an_event_is_read_by_rules(void **state)
{
	g_autoptr(GPtrArray) names = list_events();
	g_autoptr(GString) missing = g_string_new(NULL);

	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GPtrArray) items = parse_event(names->pdata[i]);

		read_items(names->pdata[i], items, missing);
	}
	expect_all_read(missing);
}

/* A record has the request of staff, and what Meta answered. */
static void
every_text_of_a_request_is_read_by_rules(void **state)
{
	g_autoptr(GPtrArray) names = list_records();
	g_autoptr(GString) missing = g_string_new(NULL);

	(void)state;
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GPtrArray) items = parse_record(names->pdata[i]);

		read_items(names->pdata[i], items, missing);
	}
	expect_all_read(missing);
}

/* ---- hiding places ----------------------------------------------------------- */

static void
expect_part(const char *content, const char *want)
{
	g_autofree char *members = g_strconcat("\"messages\":[{\"from\":"
	    "\"5511988880001\",\"id\":\"wamid.A\",\"timestamp\":"
	    "\"1790000000\",", content, "}]", NULL);
	g_autoptr(GPtrArray) items = parse_field("messages", members);
	g_autoptr(GString) all = g_string_new("\n");
	struct reader r = { .all = all };

	read_item(&r, only_item(items));
	if (strstr(all->str, want) == NULL)
		fail_msg("%s is not in: %s", want, all->str);
}

/* In JSON it is a backslash and the letter n, which would be of the word. */
static void
a_line_break_in_what_is_shown_raw_hides_no_word(void **state)
{
	(void)state;
	expect_part("\"type\":\"poll\",\"poll\":{\"question\":"
	    "\"Well?\\ntelegram\"}", "Well?\ntelegram");
	expect_part("\"type\":\"poll\",\"poll\":{\"votes\":"
	    "{\"A \\\"tab\\tword\\\"\":2}}", "A \"tab\tword\"");
}

static void
a_form_whose_answers_are_no_json_is_read(void **state)
{
	(void)state;
	expect_part("\"type\":\"interactive\",\"interactive\":{\"type\":"
	    "\"nfm_reply\",\"nfm_reply\":{\"name\":\"flow\",\"body\":"
	    "\"Sent\",\"response_json\":\"call me on telegram\"}}",
	    "\ncall me on telegram\n");
}

static void
an_answer_deep_within_a_form_is_read(void **state)
{
	(void)state;
	expect_part("\"type\":\"interactive\",\"interactive\":{\"type\":"
	    "\"nfm_reply\",\"nfm_reply\":{\"name\":\"flow\",\"body\":"
	    "\"Sent\",\"response_json\":\"{\\\"a\\\":[[[[[[[[[[["
	    "\\\"one\\\\ntelegram\\\"]]]]]]]]]]]}\"}}",
	    "one\ntelegram\n");
}

static void
the_label_of_a_cards_line_is_read(void **state)
{
	(void)state;
	expect_part("\"type\":\"contacts\",\"contacts\":[{\"name\":"
	    "{\"formatted_name\":\"Ana\"},\"phones\":[{\"phone\":"
	    "\"+1\",\"type\":\"write me on telegram\"}]}]",
	    "\nwrite me on telegram\n");
}

static void
a_button_without_words_is_read_by_what_it_answers(void **state)
{
	(void)state;
	expect_part("\"type\":\"button\",\"button\":{\"payload\":"
	    "\"to telegram\"}", "\nto telegram\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_of_an_event_is_read_by_rules),
		cmocka_unit_test(every_text_of_a_request_is_read_by_rules),
		cmocka_unit_test(
		    a_line_break_in_what_is_shown_raw_hides_no_word),
		cmocka_unit_test(a_form_whose_answers_are_no_json_is_read),
		cmocka_unit_test(an_answer_deep_within_a_form_is_read),
		cmocka_unit_test(the_label_of_a_cards_line_is_read),
		cmocka_unit_test(
		    a_button_without_words_is_read_by_what_it_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
