/* SPDX-License-Identifier: Apache-2.0 */
/* wa: the strict pre-scan and the signature. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "err.h"
#include "hash.h"
#include "wa.h"

#define ROW(s) { s, sizeof(s) - 1 }

struct row {
	const char *text;
	size_t len;
};

static const struct wa_limits limits = WA_LIMITS_DEFAULT;

static bool
check(const struct row *row, struct err *err)
{
	/* At the end of an own allocation, so that ASan sees a read beyond. */
	g_autofree char *copy = g_malloc(row->len + (row->len == 0));

	memcpy(copy, row->text, row->len);
	return wa_json_check(copy, row->len, &limits, err);
}

static void
what_rfc_8259_allows_is_accepted(void **state)
{
	static const struct row rows[] = {
		ROW("{}"), ROW("[]"), ROW(" \t\r\n{ } \n"), ROW("null"),
		ROW("true"), ROW("false"), ROW("0"), ROW("-0"), ROW("\"\""),
		ROW("[1,-2,0.5,-0.5e+10,1E9,10.25e-3]"),
		ROW("{\"a\":{\"b\":[{},[],\"x\",null]},\"a\":1}"),
		ROW("\"\\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u00e9 \\uD83D\\uDE00\""),
		ROW("\"lone \\ud83d surrogate and \\u0000\""),
		ROW("\"\x7f \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""),
		ROW("\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80"
		    " \xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\""),
		ROW("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"
		    "]]]]]]]]]]]]]]]]"),
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = ERR_INIT;

		if (!check(&rows[i], &err))
			fail_msg("row %zu: %s", i, err.text);
	}
}

static void
what_is_not_json_is_refused_as_permanent_with_the_byte(void **state)
{
	static const struct row rows[] = {
		ROW(""), ROW(" "), ROW("{"), ROW("}"), ROW("[1,]"), ROW("[,1]"),
		ROW("{\"a\":1,}"), ROW("{\"a\"}"), ROW("{\"a\":}"), ROW("{a:1}"),
		ROW("{1:1}"), ROW("[1 2]"), ROW("{\"a\":1 \"b\":2}"),
		ROW("[}"), ROW("{]"), ROW("[1}"), ROW("{\"a\":1]"),
		ROW("{} {}"), ROW("{}x"), ROW("[]]"), ROW("[\"a\":1]"),
		ROW("'a'"), ROW("{'a':1}"), ROW("NaN"), ROW("-Infinity"),
		ROW("Infinity"), ROW("TRUE"), ROW("True"), ROW("nul"),
		ROW("nulll"), ROW("truefalse"), ROW("undefined"),
		ROW("01"), ROW("-"), ROW("+1"), ROW(".5"), ROW("1."), ROW("1e"),
		ROW("1e+"), ROW("0x10"), ROW("-01"), ROW("1.e5"), ROW("--1"),
		ROW("\""), ROW("\"a"), ROW("\"\\"), ROW("\"\\\""),
		ROW("\"\\x41\""), ROW("\"\\'\""), ROW("\"\\u12\""),
		ROW("\"\\u12g4\""), ROW("\"\\U0041\""), ROW("\"\\\0\""),
		ROW("\"a\nb\""), ROW("\"a\tb\""), ROW("\"a\0b\""),
		ROW("\"\x1f\""), ROW("{}\0"), ROW("\0"), ROW("\f{}"),
		ROW("\xef\xbb\xbf{}"), ROW("/* c */ {}"), ROW("{} // c"),
		/* Not UTF-8: cut, overlong, surrogate, beyond U+10FFFF. */
		ROW("\"\x80\""), ROW("\"\xc3\""), ROW("\"\xc3\x28\""),
		ROW("\"\xc0\xaf\""), ROW("\"\xc1\xbf\""), ROW("\"\xe0\x9f\xbf\""),
		ROW("\"\xe2\x82\""), ROW("\"\xed\xa0\x80\""),
		ROW("\"\xf0\x8f\xbf\xbf\""), ROW("\"\xf4\x90\x80\x80\""),
		ROW("\"\xf5\x80\x80\x80\""), ROW("\"\xff\""), ROW("\xc3\xa9"),
		ROW("\"\xf0\x9f\x98"), ROW("\"\xe2"),
		ROW("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"
		    "]]]]]]]]]]]]]]]]]"),
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = ERR_INIT;

		if (check(&rows[i], &err))
			fail_msg("row %zu was accepted: %s", i, rows[i].text);
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "wa.json");
		assert_non_null(strstr(err.text, " at byte "));
	}
}

static void
the_offset_is_that_of_the_offending_byte(void **state)
{
	static const struct row row = ROW("{\"a\":\"b\xc0\"}");
	struct err err = ERR_INIT;

	(void)state;
	assert_false(check(&row, &err));
	assert_string_equal(err.text, "the body is not acceptable JSON: "
	    "a byte that is not UTF-8 at byte 7");
}

static void
each_limit_holds_exactly(void **state)
{
	const struct wa_limits tight = { .max_bytes = 20, .max_string = 4,
		.max_depth = 2 };
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ "\"abcd\"", true }, { "\"abcde\"", false },
		{ "{\"abcd\":1}", true }, { "{\"abcde\":1}", false },
		{ "[[1]]", true }, { "[[[1]]]", false }, { "[[{}]]", false },
		{ "[1,2,3,4,5,6,7,8,90]", true },
		{ "[1,2,3,4,5,6,7,8,900]", false },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(wa_json_check(rows[i].text,
		    strlen(rows[i].text), &tight, &err), rows[i].ok);
		assert_int_equal(err.kind, rows[i].ok ? ERR_NONE : ERR_PERM);
	}
}

static void
a_number_of_thousands_of_digits_is_refused(void **state)
{
	g_autofree char *number = g_strnfill(5000, '7');
	struct err err = ERR_INIT;

	(void)state;
	assert_false(wa_json_check(number, 5000, &limits, &err));
	assert_true(wa_json_check(number, 400, &limits, &err));
}

static void
a_depth_beyond_what_can_be_counted_is_cut_down_not_overrun(void **state)
{
	const struct wa_limits deep = { .max_bytes = 4096, .max_string = 10,
		.max_depth = 100000 };
	g_autoptr(GString) open = g_string_new(NULL);
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < WA_DEPTH_MAX; i++)
		g_string_append_c(open, '[');
	for (int i = 0; i < WA_DEPTH_MAX; i++)
		g_string_append_c(open, ']');
	assert_true(wa_json_check(open->str, open->len, &deep, &err));
	g_string_prepend_c(open, '[');
	g_string_append_c(open, ']');
	assert_false(wa_json_check(open->str, open->len, &deep, &err));
}

/* json-c 0.18 was built so that it refused this, see wa_json.c. */
static void
this_json_c_reads_non_ascii_strings_when_it_is_strict(void **state)
{
	static const char text[] = "{\"\xc3\xa9\":\"\xc3\xa9 \\u00e9\"}";
	struct json_tokener *tok = json_tokener_new_ex(8);
	json_object *o;

	(void)state;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
	    JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)strlen(text));
	json_tokener_free(tok);
	assert_non_null(o);
	assert_string_equal(json_object_get_string(
	    json_object_object_get(o, "\xc3\xa9")), "\xc3\xa9 \xc3\xa9");
	json_object_put(o);
}

static GPtrArray *
new_secrets(struct wa_secret *rows, size_t count)
{
	GPtrArray *list = g_ptr_array_new();

	for (size_t i = 0; i < count; i++)
		g_ptr_array_add(list, &rows[i]);
	return list;
}

static struct wa_secret
new_secret(const char *name, const char *key)
{
	return (struct wa_secret) { .name = g_strdup(name),
		.key = g_bytes_new(key, strlen(key)) };
}

static void
clear_secrets(struct wa_secret *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		g_free(rows[i].name);
		g_bytes_unref(rows[i].key);
	}
}

/* Known answer, computed with openssl dgst -sha256 -hmac test_app_secret. */
#define BODY "{\"object\":\"whatsapp_business_account\",\"entry\":[]}"
#define SIGNATURE \
	"dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"

static void
a_signature_names_the_secret_of_the_rotation_that_made_it(void **state)
{
	struct wa_secret rows[] = { new_secret("empty", ""),
		new_secret("next", "another"),
		new_secret("now", "test_app_secret") };
	g_autoptr(GPtrArray) secrets = new_secrets(rows, 3);
	const struct wa_secret *found = wa_signature_check(secrets,
	    "sha256=" SIGNATURE, BODY, strlen(BODY));

	(void)state;
	assert_non_null(found);
	assert_string_equal(found->name, "now");
	g_ptr_array_remove_index(secrets, 2);
	assert_null(wa_signature_check(secrets, "sha256=" SIGNATURE, BODY,
	    strlen(BODY)));
	g_ptr_array_set_size(secrets, 0);
	assert_null(wa_signature_check(secrets, "sha256=" SIGNATURE, BODY,
	    strlen(BODY)));
	clear_secrets(rows, 3);
}

static void
a_signature_that_is_not_exactly_one_is_refused(void **state)
{
	static const char *const headers[] = {
		NULL, "", "sha256=", SIGNATURE, "sha1=" SIGNATURE,
		"SHA256=" SIGNATURE, "sha256=" SIGNATURE "0",
		"sha256= " SIGNATURE, "sha256=" SIGNATURE " ",
		"sha256=dec6a680",
		"sha256=Xec6a680679a968e7e0319355b23599cbfc54502c0784668e9618"
		    "baa0c633756",
		"sha256=eec6a680679a968e7e0319355b23599cbfc54502c0784668e9618"
		    "baa0c633756",
	};
	struct wa_secret rows[] = { new_secret("now", "test_app_secret") };
	g_autoptr(GPtrArray) secrets = new_secrets(rows, 1);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(headers); i++)
		assert_null(wa_signature_check(secrets, headers[i], BODY,
		    strlen(BODY)));
	assert_null(wa_signature_check(secrets, "sha256=" SIGNATURE, BODY " ",
	    strlen(BODY) + 1));
	clear_secrets(rows, 1);
}

/* What anybody could compute must never open the door. */
static void
an_empty_secret_matches_nothing(void **state)
{
	struct wa_secret rows[] = { new_secret("empty", "") };
	g_autoptr(GPtrArray) secrets = new_secrets(rows, 1);
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	g_autofree char *header = NULL;

	(void)state;
	hash_hmac_sha256("", 0, BODY, strlen(BODY), digest);
	header = g_strconcat("sha256=", hash_hex(digest, hex), NULL);
	assert_null(wa_signature_check(secrets, header, BODY, strlen(BODY)));
	clear_secrets(rows, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_rfc_8259_allows_is_accepted),
		cmocka_unit_test(
		    what_is_not_json_is_refused_as_permanent_with_the_byte),
		cmocka_unit_test(the_offset_is_that_of_the_offending_byte),
		cmocka_unit_test(each_limit_holds_exactly),
		cmocka_unit_test(a_number_of_thousands_of_digits_is_refused),
		cmocka_unit_test(
		    a_depth_beyond_what_can_be_counted_is_cut_down_not_overrun),
		cmocka_unit_test(
		    this_json_c_reads_non_ascii_strings_when_it_is_strict),
		cmocka_unit_test(
		    a_signature_names_the_secret_of_the_rotation_that_made_it),
		cmocka_unit_test(a_signature_that_is_not_exactly_one_is_refused),
		cmocka_unit_test(an_empty_secret_matches_nothing),
	};

	return cmocka_run_group_tests_name("wa_check", tests, NULL, NULL);
}
