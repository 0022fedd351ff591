/* SPDX-License-Identifier: Apache-2.0 */
/* gateway: what is read of a body, and what may be changed in it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "gateway.h"

#define TO "\"to\":\"5511988880001\""

static bool
reads(const char *body, struct gateway_head *h)
{
	struct err err = ERR_INIT;
	bool ok = gateway_head_parse(body, strlen(body), h, &err);

	if (!ok) {
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "gateway.json");
	}
	return ok;
}

static void
assert_reads(const char *body, struct gateway_head *h)
{
	if (!reads(body, h))
		fail_msg("refused: %s", body);
}

static void
assert_refuses(const char *body)
{
	struct gateway_head h;

	if (reads(body, &h))
		fail_msg("read: %s", body);
}

/* ---- heads ---------------------------------------------------------------------- */

static void
a_head_has_who_what_and_which_template(void **state)
{
	struct gateway_head h;

	(void)state;
	assert_reads(" {\"messaging_product\":\"whatsapp\",\"to\":"
	    "\"+55 11 98888-0001\",\"type\":\"template\",\"template\":{\"name\""
	    ":\"payment_due\",\"language\":{\"code\":\"pt_BR\"}},"
	    "\"biz_opaque_callback_data\":\"order-7\"} \n", &h);
	assert_string_equal(h.to, "+55 11 98888-0001");
	assert_string_equal(h.type, "template");
	assert_string_equal(h.template_name, "payment_due");
	assert_string_equal(h.template_language, "pt_BR");
	assert_string_equal(h.callback_data, "order-7");
	assert_false(h.is_read);
	gateway_head_clear(&h);
	assert_null(h.to);
}

static void
a_recipient_is_read_where_there_is_no_number(void **state)
{
	struct gateway_head h;

	(void)state;
	assert_reads("{\"recipient\":\"BR.5Qe\",\"text\":{\"body\":\"x\"}}",
	    &h);
	assert_string_equal(h.to, "BR.5Qe");
	assert_null(h.type);
	assert_null(h.callback_data);
	gateway_head_clear(&h);
	/* Meta goes by the number if both are there. */
	assert_reads("{\"recipient\":\"BR.5Qe\"," TO "}", &h);
	assert_string_equal(h.to, "5511988880001");
	gateway_head_clear(&h);
	assert_reads("{\"to\":123456789012345678901,\"recipient\":null}", &h);
	assert_string_equal(h.to, "123456789012345678901");
	gateway_head_clear(&h);
	assert_reads("{\"\\u0074o\":\"\\u0035\"}", &h);
	assert_string_equal(h.to, "5");
	gateway_head_clear(&h);
	assert_reads("{}", &h);
	assert_null(h.to);
	gateway_head_clear(&h);
}

static void
only_a_mark_without_content_is_a_mark(void **state)
{
	static const struct {
		const char *body;
		bool is_read;
	} rows[] = {
		{ "{\"messaging_product\":\"whatsapp\",\"status\":\"read\","
		    "\"message_id\":\"wamid.A\"}", true },
		{ "{\"status\":\"read\",\"message_id\":\"w\","
		    "\"typing_indicator\":{\"type\":\"text\"}}", true },
		{ "{\"status\":\"read\",\"message_id\":\"w\"," TO "}", true },
		{ "{\"status\":\"read\",\"message_id\":\"w\",\"type\":"
		    "\"text\",\"text\":{\"body\":\"secret\"}}", false },
		{ "{\"status\":\"read\",\"message_id\":\"w\",\"type\":"
		    "\"text\"}", false },
		{ "{\"status\":\"read\",\"message_id\":\"w\","
		    "\"typing_indicator\":{\"type\":\"text\",\"body\":\"x\"}}",
		    false },
		{ "{\"status\":\"read\",\"message_id\":\"w\","
		    "\"typing_indicator\":{\"type\":\"secret\"}}", false },
		{ "{\"status\":\"read\",\"message_id\":\"w\","
		    "\"typing_indicator\":\"secret\"}", false },
		{ "{\"status\":\"read\",\"message_id\":\"w\",\"x\":1}",
		    false },
		{ "{\"status\":\"read\",\"message_id\":{\"x\":1}}", false },
		{ "{\"status\":\"read\"}", false },
		{ "{\"status\":\"READ\",\"message_id\":\"w\"}", false },
		{ "{\"status\":\"delivered\",\"message_id\":\"w\"}", false },
		{ "{\"message_id\":\"w\"}", false },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct gateway_head h;

		assert_reads(rows[i].body, &h);
		if (h.is_read != rows[i].is_read)
			fail_msg("%s", rows[i].body);
		gateway_head_clear(&h);
	}
}

static void
what_can_be_read_in_two_ways_is_refused(void **state)
{
	static const char *const bodies[] = {
		/* twice, at any depth and in any spelling */
		"{" TO ",\"to\":\"5511988880002\"}",
		"{" TO ",\"\\u0074o\":\"5511988880002\"}",
		"{\"type\":\"text\",\"type\":\"image\"}",
		"{\"type\":\"text\",\"text\":{\"body\":\"a\",\"body\":\"b\"}}",
		"{\"x\":[[{\"a\":{\"b\":1,\"c\":2,\"b\":1}}]]}",
		"{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,"
		"\"8\":0,\"9\":0,\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,"
		"\"f\":0,\"g\":0,\"h\":0,\"\\u0031\":0}",
		/* escapes that are no characters */
		"{\"to\\u0000x\":\"5\"}", "{\"text\":{\"body\":\"a\\u0000\"}}",
		"{\"text\":{\"body\":\"\\ud83d\"}}",
		"{\"text\":{\"body\":\"\\ude00\\ud83d\"}}",
		"{\"text\":{\"body\":\"\\ud83d\\u0041\"}}",
		"{\"text\":{\"body\":\"\\ud83dx\"}}",
		/* content that is not of the type, or packed into a string */
		"{\"type\":\"text\",\"text\":{},\"template\":{}}",
		"{\"type\":\"audio\",\"image\":{\"id\":\"1\"}}",
		"{\"type\":\"text\",\"text\":\"{\\\"body\\\":\\\"x\\\"}\"}",
		"{\"type\":\"template\",\"template\":5}",
		"{\"text\":{},\"interactive\":{}}", "{\"template\":{}}",
		"{\"text\":{},\"context\":\"{}\"}",
		"{\"type\":\"interactive\",\"interactive\":{\"action\":"
		"\"{}\"}}",
		"{\"type\":\"interactive\",\"interactive\":{\"body\":"
		"\"x\"}}",
		"{\"type\":\"template\",\"template\":{\"components\":"
		"\"[]\"}}",
		"{\"type\":[\"text\"]}", "{\"type\":{}}", "{\"to\":[\"5\"]}",
		"{\"to\":true}", "{\"template\":{\"name\":{}}}",
		"{\"template\":{\"language\":{\"code\":[]}}}",
		"{\"biz_opaque_callback_data\":{}}",
		/* another request, another sender */
		"{\"batch\":[]}", "{\"method\":\"DELETE\"}",
		"{\"access_token\":\"EAAG\"}", "{\"access_token\":null}",
		"{\"appsecret_proof\":\"x\"}",
		/* no JSON object */
		"", " ", "[]", "\"x\"", "7", "null", "{", "{}x", "{'to':1}",
		"{\"a\":1,}", "type=text&to=5", "\xef\xbb\xbf{}",
		"{\"a\":\"\xff\"}", "{\"a\":NaN}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
		assert_refuses(bodies[i]);
}

static void
members_that_say_nothing_are_no_content(void **state)
{
	struct gateway_head h;

	(void)state;
	assert_reads("{\"type\":\"text\",\"text\":{\"body\":\"\\ud83d\\ude00\"}"
	    ",\"image\":null,\"template\":null,\"to\":null,"
	    "\"biz_opaque_callback_data\":\"\"}", &h);
	assert_null(h.to);
	assert_null(h.callback_data);
	gateway_head_clear(&h);
}

static void
bodies_are_bounded_in_depth_and_length(void **state)
{
	g_autoptr(GString) deep = g_string_new("{\"a\":");
	g_autoptr(GString) long_text = g_string_new("{\"a\":\"");
	struct gateway_head h;

	(void)state;
	for (int i = 0; i < 28; i++)
		g_string_append_c(deep, '[');
	for (int i = 0; i < 28; i++)
		g_string_append_c(deep, ']');
	g_string_append_c(deep, '}');
	assert_refuses(deep->str);
	/* One less. */
	g_string_erase(deep, 5, 1);
	g_string_erase(deep, (gssize)deep->len - 2, 1);
	assert_reads(deep->str, &h);
	gateway_head_clear(&h);
	for (int i = 0; i <= 1 << 16; i++)
		g_string_append(long_text, "0123456789abcdef");
	g_string_append(long_text, "\"}");
	assert_refuses(long_text->str);
}

/* ---- what may be passed on at all ------------------------------------------------------ */

static bool
may_pass(enum gateway_what what, const char *method, const char *type,
    const char *body)
{
	struct err err = ERR_INIT;
	bool ok = gateway_body_check(what, method, type, body, strlen(body),
	    &err);

	if (!ok)
		assert_string_equal(err.what, "gateway.json");
	return ok;
}

static void
a_body_is_json_by_its_type_too(void **state)
{
	static const char *const good[] = { "application/json",
		"Application/JSON; charset=utf-8", "application/json;",
		"application/json ; charset=\"UTF-8\"" };
	static const char *const bad[] = { NULL, "", "text/plain",
		"application/x-www-form-urlencoded", "application/jsonx",
		"application/json, text/plain", "multipart/form-data",
		"application/json; charset=utf-16",
		"application/json; charset=utf-7", "application/json; a=b",
		"application/json; charset=utf-8; boundary=x" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		assert_true(may_pass(GATEWAY_SEND, "POST", good[i], "{}"));
		assert_true(may_pass(GATEWAY_CALL, "POST", good[i], "{}"));
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		assert_false(may_pass(GATEWAY_SEND, "POST", bad[i], "{}"));
		assert_false(may_pass(GATEWAY_CAPTURE, "POST", bad[i], "{}"));
		assert_false(may_pass(GATEWAY_ALLOWED, "POST", bad[i], "{}"));
	}
}

static void
what_nothing_else_reads_gives_no_orders(void **state)
{
	static const char type[] = "application/json";
	static const enum gateway_what kinds[] = { GATEWAY_CALL,
		GATEWAY_GROUP, GATEWAY_ALLOWED };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		assert_true(may_pass(kinds[i], "POST", NULL, ""));
		/* Two-step verification: "pin" is no content here. */
		assert_true(may_pass(kinds[i], "POST", type,
		    "{\"pin\":\"123456\"}"));
		assert_false(may_pass(kinds[i], "POST", type,
		    "{\"batch\":[]}"));
		assert_false(may_pass(kinds[i], "POST", type,
		    "{\"method\":\"GET\"}"));
		assert_false(may_pass(kinds[i], "DELETE", type,
		    "{\"a\":1,\"a\":2}"));
		assert_false(may_pass(kinds[i], "POST", type, "[]"));
		assert_false(may_pass(kinds[i], "POST", type, "a=b"));
		assert_false(may_pass(kinds[i], "GET", type, "{}"));
		assert_true(may_pass(kinds[i], "GET", type, ""));
	}
	assert_false(may_pass(GATEWAY_MEDIA_DELETE, "DELETE", type, "{}"));
	assert_true(may_pass(GATEWAY_MEDIA_DELETE, "DELETE", NULL, ""));
	assert_false(may_pass(GATEWAY_MEDIA_FIND, "GET", type, "{}"));
	assert_true(may_pass(GATEWAY_UPLOAD, "POST", "multipart/form-data",
	    "x"));
}

/* ---- changes ------------------------------------------------------------------------ */

static char *
change(const char *body, const char *before, const char *after,
    const char *callback, struct err *err)
{
	GBytes *out = NULL;
	char *text;

	if (!gateway_body_change(body, strlen(body), before, after, callback,
	    &out, err)) {
		assert_null(out);
		return NULL;
	}
	text = g_strndup(g_bytes_get_data(out, NULL), g_bytes_get_size(out));
	g_bytes_unref(out);
	return text;
}

static void
additions_stand_in_the_text_and_all_else_stays(void **state)
{
	static const struct {
		const char *body, *before, *after, *callback, *want;
	} rows[] = {
		{ "{ \"type\" : \"text\",\"text\":{\"body\":\"H\\u00e9\\/llo\","
		    "\"preview_url\":true} }\n", "B", "A", "cj:1",
		    "{\"biz_opaque_callback_data\":\"cj:1\", \"type\" : "
		    "\"text\",\"text\":{\"body\":\"B\\n\\nH\\u00e9\\/llo"
		    "\\n\\nA\",\"preview_url\":true} }\n" },
		{ "{\"text\":{\"body\":\"x\"}}", NULL, "a \"b\" \\ \x02\n\x7f",
		    NULL, "{\"text\":{\"body\":\"x\\n\\na \\\"b\\\" \\\\ "
		    "\\u0002\\n\\u007f\"}}" },
		{ "{\"text\":{\"body\":\"x\"}}", "\xd0\x94\xff", NULL, NULL,
		    "{\"text\":{\"body\":\"\xd0\x94\xef\xbf\xbd\\n\\nx\"}}" },
		{ "{\"text\":{\"body\":\"\"}}", "B", "A", NULL,
		    "{\"text\":{\"body\":\"B\\n\\nA\"}}" },
		{ "{\"type\":\"image\",\"image\":{\"id\":\"1\"}}", NULL, "A",
		    NULL, "{\"type\":\"image\",\"image\":{\"caption\":\"A\","
		    "\"id\":\"1\"}}" },
		{ "{\"type\":\"video\",\"video\":{}}", "B", NULL, NULL,
		    "{\"type\":\"video\",\"video\":{\"caption\":\"B\"}}" },
		{ "{\"type\":\"document\",\"document\":{\"caption\":\"c\"}}",
		    NULL, "A", NULL, "{\"type\":\"document\",\"document\":{"
		    "\"caption\":\"c\\n\\nA\"}}" },
		{ "{\"type\":\"interactive\",\"interactive\":{\"type\":"
		    "\"button\",\"body\":{\"text\":\"q\"},\"action\":{}}}",
		    NULL, "A", NULL, "{\"type\":\"interactive\",\"interactive"
		    "\":{\"type\":\"button\",\"body\":{\"text\":\"q\\n\\nA\"},"
		    "\"action\":{}}}" },
		/* callback data only: of any type, and never in another's place */
		{ "{\"type\":\"sticker\",\"sticker\":{\"id\":\"1\"}}", NULL,
		    NULL, "cj:1", "{\"biz_opaque_callback_data\":\"cj:1\","
		    "\"type\":\"sticker\",\"sticker\":{\"id\":\"1\"}}" },
		{ "{}", "", "", "cj:1",
		    "{\"biz_opaque_callback_data\":\"cj:1\"}" },
		{ "{\"biz_opaque_callback_data\": \"mine\"}", NULL, NULL,
		    "cj:1", "{\"biz_opaque_callback_data\": \"mine\"}" },
		{ "{\"biz_opaque_callback_data\": null ,\"a\":1}", NULL, NULL,
		    "cj:1", "{\"biz_opaque_callback_data\": \"cj:1\" ,"
		    "\"a\":1}" },
		{ "{\"a\":1,\"biz_opaque_callback_data\":\"\"}", NULL, NULL,
		    "cj:1", "{\"a\":1,\"biz_opaque_callback_data\":"
		    "\"cj:1\"}" },
		{ " {\"a\" :1.50e+3}\r\n", NULL, NULL, NULL,
		    " {\"a\" :1.50e+3}\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = ERR_INIT;
		g_autofree char *got = change(rows[i].body, rows[i].before,
		    rows[i].after, rows[i].callback, &err);

		assert_non_null(got);
		assert_string_equal(got, rows[i].want);
	}
}

static void
what_has_no_text_takes_no_addition(void **state)
{
	static const char *const bodies[] = {
		"{\"type\":\"template\",\"template\":{\"name\":\"x\"}}",
		"{\"type\":\"sticker\",\"sticker\":{\"id\":\"1\"}}",
		"{\"type\":\"audio\",\"audio\":{\"id\":\"1\"}}",
		"{\"type\":\"location\",\"location\":{}}",
		"{\"type\":\"contacts\",\"contacts\":[]}",
		"{\"type\":\"reaction\",\"reaction\":{\"emoji\":\"x\"}}",
		"{\"type\":\"interactive\",\"interactive\":{}}",
		"{\"type\":\"interactive\",\"interactive\":{\"body\":\"x\"}}",
		"{\"type\":\"image\",\"image\":{\"caption\":5}}",
		"{\"type\":\"image\",\"image\":{\"caption\":null}}",
		"{\"type\":\"text\"}", "{\"type\":\"text\",\"text\":[]}",
		"{\"type\":\"text\",\"text\":{}}", "{}",
		"{\"type\":\"new\",\"new\":{\"body\":\"x\"}}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		struct err err = ERR_INIT;

		assert_null(change(bodies[i], NULL, "A", "cj:1", &err));
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "gateway.text");
	}
}

static void
the_limits_of_meta_hold_for_the_text_with_its_additions(void **state)
{
	static const struct {
		const char *before, *after;
		size_t max;
	} rows[] = {
		{ "{\"text\":{\"body\":\"", "\"}}", 4096 },
		{ "{\"type\":\"image\",\"image\":{\"caption\":\"", "\"}}",
		    1024 },
		{ "{\"type\":\"interactive\",\"interactive\":{\"type\":"
		    "\"button\",\"body\":{\"text\":\"", "\"}}}", 1024 },
		{ "{\"type\":\"interactive\",\"interactive\":{\"type\":"
		    "\"list\",\"body\":{\"text\":\"", "\"}}}", 4096 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		/* Two additions of one character, and their two gaps. */
		g_autofree char *fill = g_strnfill(rows[i].max - 6, 'x');
		g_autofree char *fits = g_strconcat(rows[i].before, fill,
		    rows[i].after, NULL);
		g_autofree char *over = g_strconcat(rows[i].before, fill,
		    "\\u00e9", rows[i].after, NULL);
		struct err err = ERR_INIT;
		g_autofree char *good = change(fits, "\xc3\xa9",
		    "\xf0\x9f\x98\x80", NULL, &err);

		assert_non_null(good);
		assert_null(change(over, "\xc3\xa9", "\xf0\x9f\x98\x80", NULL,
		    &err));
		assert_string_equal(err.what, "gateway.long");
		/* What is not changed is Meta's to judge. */
		g_free(change(over, NULL, NULL, "cj:1", &err));
	}
}

/* ---- a law over many bodies ------------------------------------------------------------ */

static void
put_value(GString *s, GRand *r, int depth)
{
	static const char *const leaves[] = { "1", "-0.5e7", "true", "null",
		"\"\"", "\"\\u00e9\\ud83d\\ude00\\/\"", "\"\xd0\x94\"", "[]",
		"{}", "123456789012345678901234567890" };
	static const char *const blanks[] = { "", "", " ", "\n\t" };
	int n = depth > 3 ? 0 : g_rand_int_range(r, 0, 6);

	g_string_append(s, blanks[g_rand_int_range(r, 0, 4)]);
	if (n == 0) {
		g_string_append(s, leaves[g_rand_int_range(r, 0,
		    G_N_ELEMENTS(leaves))]);
	} else if (n % 2 == 0) {
		g_string_append_c(s, '[');
		for (int i = 0; i < n; i++) {
			g_string_append(s, i > 0 ? "," : "");
			put_value(s, r, depth + 1);
		}
		g_string_append_c(s, ']');
	} else {
		g_string_append_c(s, '{');
		for (int i = 0; i < n; i++) {
			g_string_append_printf(s, "%s\"m%d\":",
			    i > 0 ? " , " : "", i);
			put_value(s, r, depth + 1);
		}
		g_string_append_c(s, '}');
	}
	g_string_append(s, blanks[g_rand_int_range(r, 0, 4)]);
}

/* A body of text with members of any kind around and in it. */
static char *
random_body(GRand *r)
{
	GString *s = g_string_new("{");
	int n = g_rand_int_range(r, 0, 5), at = g_rand_int_range(r, 0, n + 1);

	for (int i = 0; i <= n; i++) {
		g_string_append(s, i > 0 ? "," : "");
		if (i == at) {
			g_string_append(s, "\"text\": {\"a\":");
			put_value(s, r, 2);
			g_string_append(s, ",\"body\" : \"Hi\\t\\u0041\","
			    "\"z\":");
			put_value(s, r, 2);
			g_string_append_c(s, '}');
		} else {
			g_string_append_printf(s, "\"x%d\":", i);
			put_value(s, r, 1);
		}
	}
	g_string_append_c(s, '}');
	return g_string_free(s, FALSE);
}

static void
a_change_leaves_every_other_member_as_it_was(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(7);

	(void)state;
	for (int i = 0; i < 300; i++) {
		g_autofree char *body = random_body(r);
		struct err err = ERR_INIT;
		g_autofree char *got = change(body, "<", ">", "cj:k", &err);
		json_object *was = json_tokener_parse(body), *is, *text;

		assert_non_null(got);
		is = json_tokener_parse(got);
		assert_non_null(is);
		text = json_object_object_get(is, "text");
		assert_string_equal(json_object_get_string(
		    json_object_object_get(text, "body")), "<\n\nHi\tA\n\n>");
		assert_string_equal(json_object_get_string(
		    json_object_object_get(is, "biz_opaque_callback_data")),
		    "cj:k");
		json_object_object_del(is, "biz_opaque_callback_data");
		json_object_object_add(text, "body",
		    json_object_new_string("Hi\tA"));
		assert_string_equal(json_object_to_json_string(is),
		    json_object_to_json_string(was));
		json_object_put(is);
		json_object_put(was);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_has_who_what_and_which_template),
		cmocka_unit_test(a_recipient_is_read_where_there_is_no_number),
		cmocka_unit_test(only_a_mark_without_content_is_a_mark),
		cmocka_unit_test(what_can_be_read_in_two_ways_is_refused),
		cmocka_unit_test(members_that_say_nothing_are_no_content),
		cmocka_unit_test(bodies_are_bounded_in_depth_and_length),
		cmocka_unit_test(a_body_is_json_by_its_type_too),
		cmocka_unit_test(what_nothing_else_reads_gives_no_orders),
		cmocka_unit_test(
		    additions_stand_in_the_text_and_all_else_stays),
		cmocka_unit_test(what_has_no_text_takes_no_addition),
		cmocka_unit_test(
		    the_limits_of_meta_hold_for_the_text_with_its_additions),
		cmocka_unit_test(
		    a_change_leaves_every_other_member_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
