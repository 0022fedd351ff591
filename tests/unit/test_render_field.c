/* SPDX-License-Identifier: Apache-2.0 */
/* render: spelling of header fields, transfer encodings, JSON for the eye. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../src/render/render_field.h"
#include "../../src/render/render_int.h"

/* --- what a reader makes of it --- */

static GString *
decode_qp(const char *s)
{
	GString *out = g_string_new(NULL);

	for (; *s != '\0'; s++) {
		char hex[3] = { 0 };

		if (*s == '\r')
			continue;
		if (*s != '=') {
			g_string_append_c(out, *s);
			continue;
		}
		if (s[1] == '\r') {
			s += 2;
			continue;
		}
		memcpy(hex, s + 1, 2);
		g_string_append_c(out, (char)strtol(hex, NULL, 16));
		s += 2;
	}
	return out;
}

static size_t
longest_line(const char *s)
{
	size_t longest = 0;

	for (;;) {
		size_t len = strcspn(s, "\n");

		longest = MAX(longest, len);
		if (s[len] == '\0')
			return longest;
		s += len + 1;
	}
}

/* The words of the encoded field, decoded and joined. */
static char *
decode_words(const char *value)
{
	g_auto(GStrv) words = g_strsplit_set(value, " \n", -1);
	GString *out = g_string_new(NULL);

	for (char **w = words; *w != NULL; w++) {
		gsize len;
		g_autofree guchar *raw = NULL;

		if (**w == '\0')
			continue;
		assert_true(g_str_has_prefix(*w, "=?utf-8?B?"));
		assert_true(g_str_has_suffix(*w, "?="));
		assert_true(strlen(*w) <= 75);
		(*w)[strlen(*w) - 2] = '\0';
		raw = g_base64_decode(*w + 10, &len);
		assert_true(g_utf8_validate((const char *)raw, (gssize)len,
		    NULL));
		g_string_append_len(out, (const char *)raw, (gssize)len);
	}
	return g_string_free(out, FALSE);
}

static GString *
text_field(const char *text)
{
	struct render_fields f = { .out = g_string_new(NULL) };

	render_field_begin(&f, "Subject");
	render_field_text(&f, text);
	render_field_end(&f);
	return f.out;
}

static GString *
param_field(const char *value)
{
	struct render_fields f = { .out = g_string_new(NULL) };

	render_field_begin(&f, "X");
	render_field_param(&f, "name", value);
	render_field_end(&f);
	return f.out;
}

/* --- fields --- */

static void
plain_text_is_written_as_it_is_and_folded_at_blanks(void **state)
{
	g_autoptr(GString) out = text_field("WhatsApp: Ana Souza to Private "
	    "Banking in the building at the corner, 3 messages");

	(void)state;
	assert_string_equal(out->str, "Subject: WhatsApp: Ana Souza to Private "
	    "Banking in the building at the\n corner, 3 messages\n");
}

static void
what_a_reader_would_change_is_encoded_in_whole_characters(void **state)
{
	static const char *const rows[] = { "é",
		"Дорогой клиент, ваш перевод на сумму 1000 выполнен сегодня",
		"مرحبا بكم في المصرف الخاص اليوم وكل يوم من أيام الأسبوع",
		"👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "=?utf-8?Q?=0D=0ABcc:_x?=",
		"oneverylongwordwithoutanyblank0123456789012345678901234567890"
		"12345678901234567890" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = text_field(rows[i]);
		g_autofree char *back = decode_words(out->str + 8);

		assert_string_equal(back, rows[i]);
		assert_true(longest_line(out->str) <= 78);
	}
}

static void
a_name_cannot_leave_its_quotes(void **state)
{
	struct render_fields f = { .out = g_string_new(NULL) };

	(void)state;
	render_field_begin(&f, "From");
	render_field_mailbox(&f, "Eve\" <eve@evil.example>, \\",
	    "wa-1@x.example");
	render_field_end(&f);
	assert_string_equal(f.out->str, "From: \"Eve\\\" <eve@evil.example>, "
	    "\\\\\" <wa-1@x.example>\n");
	g_string_free(f.out, TRUE);
}

static void
a_field_without_words_vanishes(void **state)
{
	g_autoptr(GString) out = param_field(NULL);

	(void)state;
	assert_string_equal(out->str, "");
}

static void
parameters_are_bare_quoted_or_extended_as_they_need(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "wamid.HBgL+/==", "X: name=wamid.HBgL+/==\n" },
		{ "2026-02-03T14:05:09Z", "X: name=2026-02-03T14:05:09Z\n" },
		{ "a b; c=\"d\"", "X: name=\"a b; c=\\\"d\\\"\"\n" },
		{ "é.pdf", "X: name*0*=utf-8''%C3%A9.pdf\n" },
		{ "=?x", "X: name*0*=utf-8''%3D%3Fx\n" },
		{ "", "X: name=\"\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = param_field(rows[i].value);

		assert_string_equal(out->str, rows[i].want);
	}
}

static void
a_long_parameter_is_kept_whole_in_numbered_sections(void **state)
{
	g_autofree char *value = g_strnfill(600, 'a');
	g_autoptr(GString) out = param_field(value);
	g_auto(GStrv) lines = g_strsplit(out->str, "\n", -1);
	size_t found = 0;

	(void)state;
	assert_true(longest_line(out->str) <= 78);
	for (int i = 0; lines[i][0] != '\0'; i++) {
		g_autofree char *start = g_strdup_printf("%sname*%d*=%s",
		    i == 0 ? "X: " : " ", i, i == 0 ? "utf-8''" : "");

		assert_true(g_str_has_prefix(lines[i], start));
		found += strspn(lines[i] + strlen(start), "a");
	}
	assert_int_equal(found, 600);
}

/* --- strings of the scratch --- */

static void
strings_and_numbers_are_spelt_as_printf_does(void **state)
{
	static const int64_t rows[] = { 0, 7, 10, -1, 1770127509402,
		INT64_MAX, INT64_MIN };
	g_autofree char *large = g_strnfill(20000, 'x');
	struct render_scratch s;

	(void)state;
	render_scratch_init(&s);
	for (int n = 0; n < 200; n++) {
		int64_t row = rows[(size_t)n % G_N_ELEMENTS(rows)];
		g_autofree char *want = g_strdup_printf("%" G_GINT64_FORMAT,
		    row);
		g_autofree char *both = g_strdup_printf("<%s@%s>", want,
		    n % 50 == 49 ? large : want);
		const char *number = render_number(&s, row);
		const char *strings = render_strings(&s, "<", want, "@",
		    n % 50 == 49 ? large : want, ">", NULL);
		const char *format = render_format(&s, "<%s@%s>", want,
		    n % 50 == 49 ? large : want);

		assert_string_equal(number, want);
		assert_string_equal(strings, both);
		assert_string_equal(format, both);
	}
	assert_string_equal(render_strings(&s, "", NULL), "");
	render_scratch_clear(&s);
}

/* --- encodings --- */

static void
quoted_printable_gives_back_what_it_was_given(void **state)
{
	static const char *const rows[] = { "", "a", "a\n", "trailing \n",
		"tab\t\nx", "= and ü", "From here\nFrom there", "\n\n\n", " ",
		"a line of some length that has to be broken somewhere as it "
		"is too long From the start on, and then some more of it" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) qp = g_string_new(NULL);
		g_autoptr(GString) back = NULL;

		render_quoted_printable(qp, rows[i], strlen(rows[i]));
		back = decode_qp(qp->str);
		assert_string_equal(back->str, rows[i]);
	}
}

static void
quoted_printable_has_short_lines_without_blanks_at_their_end(void **state)
{
	g_autoptr(GString) qp = g_string_new(NULL);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) back = NULL;

	(void)state;
	for (int i = 0; i < 3000; i++)
		g_string_append(text, i % 7 == 0 ? " From " : i % 5 == 0 ?
		    "ы" : i % 11 == 0 ? "= \n" : "word");
	render_quoted_printable(qp, text->str, text->len);
	back = decode_qp(qp->str);
	assert_string_equal(back->str, text->str);
	assert_int_equal(longest_line(qp->str), 76 + strlen("\r"));
	assert_null(strstr(qp->str, " \r"));
	assert_null(strstr(qp->str, "\nFrom "));
	for (const char *p = qp->str; *p != '\0'; p++)
		assert_true((*p == '\r' && p[1] == '\n') || (*p == '\n' &&
		    p > qp->str && p[-1] == '\r') || (*p >= ' ' && *p <= '~'));
}

/* Lines end in CRLF, and are as long as they may be. */
static size_t
check_lines(const char *b64)
{
	size_t len = 0;

	for (;; len++) {
		size_t line = strcspn(b64, "\r");

		if (b64[line] == '\0') {
			assert_true(line <= 76);
			return len;
		}
		assert_int_equal(line, 76);
		assert_int_equal(b64[line + 1], '\n');
		b64 += line + 2;
	}
}

static void
base64_has_lines_of_76_and_gives_back_every_byte(void **state)
{
	uint8_t data[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t len = 0; len < sizeof(data); len++) {
		char b64[1500];
		g_autofree guchar *back = NULL;
		gsize n;

		*render_base64(b64, data, len, true) = '\0';
		assert_int_equal(strlen(b64), render_base64_len((int64_t)len));
		check_lines(b64);
		back = g_base64_decode(b64, &n);
		assert_int_equal(n, len);
		assert_memory_equal(back, data, len);
	}
}

static void
base64_in_chunks_is_that_of_the_whole(void **state)
{
	uint8_t data[4 * RENDER_BASE64_LINE + 5];
	char whole[400], chunks[400], *to = chunks;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31);
	*render_base64(whole, data, sizeof(data), true) = '\0';
	to = render_base64(to, data, 2 * RENDER_BASE64_LINE, false);
	to = render_base64(to, data + 2 * RENDER_BASE64_LINE,
	    RENDER_BASE64_LINE, false);
	to = render_base64(to, data + 3 * RENDER_BASE64_LINE,
	    RENDER_BASE64_LINE + 5, true);
	*to = '\0';
	assert_string_equal(chunks, whole);
}

/* --- JSON --- */

static void
json_gets_a_line_per_member_and_keeps_its_words(void **state)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		{ "{\"a\":1,\"b\":[true,{}],\"c\":[]}",
			"{\n  \"a\": 1,\n  \"b\": [\n    true,\n    {}\n  ],\n"
			"  \"c\": []\n}" },
		{ "\"x\\\"{[,:\"", "\"x\\\"{[,:\"" },
		{ "]}]", "\n]\n}\n]" },
		{ "\"never closed\\", "\"never closed\\" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = render_json_indent(rows[i].json);

		assert_string_equal(got, rows[i].want);
	}
}

/* --- lines and digests --- */

static void
a_line_is_one_line_whatever_it_was_made_of(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "Ana Souza", "Ana Souza" }, { " Ana  Souza ", "Ana Souza" },
		{ "Ana\r\nBcc: x", "Ana Bcc: x" }, { "\r\n", NULL },
		{ "", NULL }, { NULL, NULL }, { "abcdefghijklm", "abcdefghijk…" },
		{ "a\u202eb", "ab" }, { "bad\xff", "bad\ufffd" },
	};
	struct render_scratch s;

	(void)state;
	render_scratch_init(&s);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *got = render_line(&s, rows[i].text, 12);

		if (rows[i].want == NULL)
			assert_null(got);
		else
			assert_string_equal(got, rows[i].want);
	}
	render_scratch_clear(&s);
}

static void
a_digest_is_shown_as_hex_however_it_was_given(void **state)
{
	static const char hex[] = "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855";
	struct render_scratch s;

	(void)state;
	render_scratch_init(&s);
	assert_string_equal(render_digest(&s,
	    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), hex);
	assert_string_equal(render_digest(&s, "E3B0C44298FC1C149AFBF4C8996FB924"
	    "27AE41E4649B934CA495991B7852B855"), hex);
	assert_null(render_digest(&s, "too short"));
	assert_null(render_digest(&s, NULL));
	render_scratch_clear(&s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    plain_text_is_written_as_it_is_and_folded_at_blanks),
		cmocka_unit_test(
		    what_a_reader_would_change_is_encoded_in_whole_characters),
		cmocka_unit_test(a_name_cannot_leave_its_quotes),
		cmocka_unit_test(a_field_without_words_vanishes),
		cmocka_unit_test(
		    parameters_are_bare_quoted_or_extended_as_they_need),
		cmocka_unit_test(
		    a_long_parameter_is_kept_whole_in_numbered_sections),
		cmocka_unit_test(strings_and_numbers_are_spelt_as_printf_does),
		cmocka_unit_test(quoted_printable_gives_back_what_it_was_given),
		cmocka_unit_test(
		quoted_printable_has_short_lines_without_blanks_at_their_end),
		cmocka_unit_test(
		    base64_has_lines_of_76_and_gives_back_every_byte),
		cmocka_unit_test(base64_in_chunks_is_that_of_the_whole),
		cmocka_unit_test(
		    json_gets_a_line_per_member_and_keeps_its_words),
		cmocka_unit_test(a_line_is_one_line_whatever_it_was_made_of),
		cmocka_unit_test(a_digest_is_shown_as_hex_however_it_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
