/* SPDX-License-Identifier: Apache-2.0 */
/* render: the template engine. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "template.h"
#include "text.h"

/* The tables of a small bank: a turn of messages, each with reactions. */
enum { R_EMOJI, R_WHO };
static const struct template_var reaction_vars[] = {
	[R_EMOJI] = { "emoji", TEMPLATE_STRING, NULL, "" },
	[R_WHO] = { "who", TEMPLATE_STRING, NULL, "" },
	{ NULL },
};
enum { M_TEXT, M_TIME, M_EDITED, M_REACTIONS };
static const struct template_var message_vars[] = {
	[M_TEXT] = { "text", TEMPLATE_STRING, NULL, "" },
	[M_TIME] = { "time", TEMPLATE_STRING, NULL, "" },
	[M_EDITED] = { "edited", TEMPLATE_FLAG, NULL, "" },
	[M_REACTIONS] = { "reactions", TEMPLATE_LIST, reaction_vars, "" },
	{ NULL },
};
enum { V_WHO, V_TEXT, V_GROUP, V_MESSAGES, V_NONE };
static const struct template_var root_vars[] = {
	[V_WHO] = { "who", TEMPLATE_STRING, NULL, "" },
	[V_TEXT] = { "subject.text", TEMPLATE_STRING, NULL, "" },
	[V_GROUP] = { "group", TEMPLATE_FLAG, NULL, "" },
	[V_MESSAGES] = { "messages", TEMPLATE_LIST, message_vars, "" },
	[V_NONE] = { "attachments", TEMPLATE_LIST, message_vars, "" },
	{ NULL },
};

struct world {
	struct template_scope root, message[2], reaction[3];
};

static void
add_to(GPtrArray **list, struct template_scope *scope)
{
	if (*list == NULL)
		*list = g_ptr_array_new();
	g_ptr_array_add(*list, scope);
}

static struct world *
world_new(void)
{
	struct world *w = g_new0(struct world, 1);

	w->root.string[V_WHO] = "Ana";
	w->root.string[V_TEXT] = "R&D";
	w->root.string[V_GROUP] = "";
	w->message[0].string[M_TEXT] = "one";
	w->message[0].string[M_TIME] = "10:00";
	w->message[1].string[M_TEXT] = "two";
	w->message[1].string[M_EDITED] = "yes";
	for (int i = 0; i < 2; i++)
		add_to(&w->root.list[V_MESSAGES], &w->message[i]);
	w->reaction[0].string[R_EMOJI] = "+";
	w->reaction[0].string[R_WHO] = "Bo";
	w->reaction[1].string[R_EMOJI] = "-";
	w->reaction[2].string[R_EMOJI] = "!";
	add_to(&w->message[0].list[M_REACTIONS], &w->reaction[0]);
	add_to(&w->message[0].list[M_REACTIONS], &w->reaction[1]);
	add_to(&w->message[1].list[M_REACTIONS], &w->reaction[2]);
	return w;
}

static void
world_free(struct world *w)
{
	g_ptr_array_unref(w->root.list[V_MESSAGES]);
	for (int i = 0; i < 2; i++)
		g_ptr_array_unref(w->message[i].list[M_REACTIONS]);
	g_free(w);
}

static struct template *
compile(const char *text, enum template_kind kind)
{
	struct template *t = NULL;
	struct err err = ERR_INIT;

	if (!template_compile("t", text, strlen(text), kind, root_vars, &t,
	    &err))
		fail_msg("%s: %s", text, err.text);
	return t;
}

static char *
render_kind(const char *text, enum template_kind kind,
    const struct template_scope *scope)
{
	struct template *t = compile(text, kind);
	GString *out = g_string_new(NULL);
	struct err err = ERR_INIT;

	if (!template_render(t, scope, 1 << 20, out, &err))
		fail_msg("%s: %s", text, err.text);
	template_free(t);
	return g_string_free(out, FALSE);
}

struct row {
	const char *text, *want;
};

static void
check_rows(const struct row *rows, size_t n)
{
	struct world *w = world_new();

	for (size_t i = 0; i < n; i++) {
		g_autofree char *got = render_kind(rows[i].text, TEMPLATE_TEXT,
		    &w->root);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("template [%s]\n got [%s]\nwant [%s]",
			    rows[i].text, got, rows[i].want);
	}
	world_free(w);
}

static void
a_text_without_tags_is_given_as_it_is(void **state)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "a { b } }} c {", "a { b } }} c {" },
		{ " two\n\n lines \n", " two\n\n lines \n" },
		{ "Oi, João ✓ \xf0\x9f\x91\x8d\tx", "Oi, João ✓ \xf0\x9f\x91\x8d\tx" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
a_name_gives_its_value_and_blanks_in_a_tag_do_not_count(void **state)
{
	static const struct row rows[] = {
		{ "{{who}}", "Ana" },
		{ "<{{ who }}>", "<Ana>" },
		{ "{{\twho}}{{who \t}}", "AnaAna" },
		{ "  {{who}}\n", "  Ana\n" },	/* a value is never standalone */
		{ "{{who}}{{who}}-{{who}}", "AnaAna-Ana" },
		{ "{{subject.text}}", "R&D" },	/* a row may have a dot */
		{ "{{#messages}}[{{time}}]{{/messages}}", "[10:00][]" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
a_section_shows_what_is_set_and_its_inverse_what_is_not(void **state)
{
	static const struct row rows[] = {
		{ "a{{#group}}b{{/group}}c", "abc" },
		{ "a{{^group}}b{{/group}}c", "ac" },
		{ "{{#who}}to {{who}}{{/who}}", "to Ana" },
		{ "{{^who}}nobody{{/who}}", "" },
		{ "{{#attachments}}x{{/attachments}}", "" },
		{ "{{^attachments}}none{{/attachments}}", "none" },
		{ "{{^messages}}none{{/messages}}", "" },
		{ "{{#messages}}{{#edited}}e{{/edited}}{{^edited}}n{{/edited}}"
			"{{/messages}}", "ne" },
		{ "{{#messages}}{{#time}}t{{/time}}{{^time}}-{{/time}}"
			"{{/messages}}", "t-" },
		{ "{{#group}}1{{#group}}2{{/group}}3{{/group}}", "123" },
		{ "{{^attachments}}{{#messages}}{{text}}{{/messages}}"
			"{{/attachments}}", "onetwo" },
		{ "{{# group }}x{{/ group }}", "x" },
		{ "{{#group}}{{/group}}", "" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
a_list_repeats_and_names_are_looked_up_from_the_inside(void **state)
{
	static const struct row rows[] = {
		{ "{{#messages}}{{text}},{{/messages}}", "one,two," },
		{ "{{#messages}}{{messages.text}},{{/messages}}", "one,two," },
		{ "{{#messages}}{{who}}:{{text}} {{/messages}}",
			"Ana:one Ana:two " },
		{ "{{#messages}}{{text}}{{#reactions}}{{emoji}}{{/reactions}};"
			"{{/messages}}", "one+-;two!;" },
		/* who of the reaction hides who of the turn, even if empty */
		{ "{{#messages}}{{#reactions}}({{who}}){{/reactions}}"
			"{{/messages}}", "(Bo)()()" },
		{ "{{#messages}}{{#messages.reactions}}"
			"{{messages.reactions.emoji}}{{messages.text}} "
			"{{/messages.reactions}}{{/messages}}",
			"+one -one !two " },
		{ "{{#messages}}{{#reactions}}{{reactions.emoji}}"
			"{{/reactions}}{{/messages}}", "+-!" },
		/* a list within itself runs anew, and the outer one goes on */
		{ "{{#messages}}{{text}}({{#messages}}{{text}} {{/messages}})"
			"{{time}};{{/messages}}",
			"one(one two )10:00;two(one two );" },
		{ "{{#messages}}{{/messages}}{{#messages}}{{text}}"
			"{{/messages}}", "onetwo" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
a_comment_gives_nothing(void **state)
{
	static const struct row rows[] = {
		{ "12{{! any { thing } <at> all }}34", "1234" },
		{ "12{{!}}34", "1234" },
		{ "a {{! over\n two lines }} b", "a  b" },
		{ "{{!who}}{{who}}", "Ana" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
a_line_with_only_a_section_tag_or_comment_vanishes(void **state)
{
	static const struct row rows[] = {
		{ "a\n{{! c }}\nb\n", "a\nb\n" },
		{ "a\n \t{{! c }} \t\nb\n", "a\nb\n" },
		{ "a\r\n{{! c }}\r\nb\r\n", "a\nb\n" },
		{ "{{! first }}\nb", "b" },
		{ "a\n  {{! last }}", "a\n" },
		{ "a\n{{! over\n two }}\nb", "a\nb" },
		{ "a {{! c }}\nb", "a \nb" },
		{ "{{! c }} b\n", " b\n" },
		{ "|\n{{#group}}\n|\n{{/group}}\n|", "|\n|\n|" },
		{ "|\n{{^group}}\n|\n{{/group}}\n|", "|\n|" },
		{ "  {{#group}}\nx\n  {{/group}}", "x\n" },
		{ "{{#group}}{{/group}}\n", "\n" },	/* two tags: stays */
		{ " {{#group}} x {{/group}}\n", "  x \n" },
		{ "#{{#group}}\n/\n {{/group}}", "#\n/\n" },
		{ "\n\n{{#group}}\n\n{{/group}}\n\n", "\n\n\n\n" },
		{ "{{#messages}}\n* {{text}}\n{{/messages}}\nend\n",
			"* one\n* two\nend\n" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
each_mistake_is_told_with_file_line_and_column(void **state)
{
	static const struct {
		const char *text, *what, *want;
	} rows[] = {
		{ "a\nb {{who", "template.syntax",
			"t:2:3: the tag is not closed by }}" },
		{ "{{who\n}}", "template.syntax",
			"t:1:1: the tag is not closed by }} on its line" },
		{ "{{}}", "template.syntax", "t:1:1: \"\" is not a name" },
		{ "ü {{.}}", "template.syntax", "t:1:3: \".\" is not a name" },
		{ "{{a..b}}", "template.syntax", "t:1:1: \"a..b\" is not" },
		{ "{{who.}}", "template.syntax", "t:1:1: \"who.\" is not" },
		{ "{{ #who}}", "template.syntax", "t:1:1: \"#who\" is not" },
		{ "{{a b}}", "template.syntax", "t:1:1: \"a b\" is not a name" },
		{ "x{{{who}}}", "template.syntax",
			"t:1:2: raw output does not exist" },
		{ "x{{&who}}", "template.syntax",
			"t:1:2: raw output does not exist" },
		{ "{{>part}}", "template.syntax", "t:1:1: there are no partials" },
		{ "{{=<% %>=}}", "template.syntax",
			"t:1:1: the delimiters {{ }} cannot be changed" },
		{ "a\r\n\r\n{{whoo}}", "template.unknown",
			"t:3:1: there is no {{whoo}} here; "
			"did you mean {{who}}?" },
		{ "{{mesages}}", "template.unknown",
			"did you mean {{messages}}?" },
		{ "{{#messages}}{{tme}}{{/messages}}", "template.unknown",
			"t:1:14: there is no {{tme}} here; "
			"did you mean {{time}}?" },
		{ "{{zzzzzzzz}}", "template.unknown",
			"t:1:1: there is no {{zzzzzzzz}} here; "
			"chatjournal-templates(5) lists the names" },
		{ "{{time}}", "template.unknown",
			"there is no {{time}} here; "
			"it is known only inside {{#messages}}" },
		{ "{{messages.text}}", "template.unknown",
			"it is known only inside {{#messages}}" },
		{ "{{who.text}}", "template.unknown",
			"it is known only inside {{#messages}}" },
		{ "{{^messages}}{{time}}{{/messages}}", "template.unknown",
			"t:1:14: there is no {{time}} here" },
		{ "{{group}}", "template.syntax", "t:1:1: group is a flag; "
			"write {{#group}}...{{/group}}" },
		{ "{{messages}}", "template.syntax",
			"t:1:1: messages is a list; "
			"write {{#messages}}...{{/messages}}" },
		{ "a\n {{/who}}", "template.syntax",
			"t:2:2: {{/who}} closes nothing; no section is open" },
		{ "\n{{#who}}{{#group}}\n{{/who}}", "template.syntax",
			"t:3:1: {{/who}} found where {{#group}} of 2:9 has to "
			"be closed first" },
		{ "{{#who}}\n {{^group}} x", "template.syntax",
			"t:2:2: {{^group}} is never closed by {{/group}}" },
		{ "a\n\tb\x07", "template.syntax", "t:2:3: the character U+0007 "
			"is a control or invisible; remove it" },
		{ "é\xe2\x80\xae", "template.syntax",
			"t:1:2: the character U+202E" },
		{ "a\rb", "template.syntax", "t:1:2: the character U+000D" },
		{ "ab\xff", "template.syntax",
			"t:1:3: the byte 0xff is not UTF-8" },
		{ "ab\nc\xef", "template.syntax",
			"t:2:2: the byte 0xef is not UTF-8" },
		{ "ab\n\xef\xbf" "A", "template.syntax",
			"t:2:1: the byte 0xef is not UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct template *t = NULL;
		struct err err = ERR_INIT;

		if (template_compile("t", rows[i].text, strlen(rows[i].text),
		    TEMPLATE_TEXT, root_vars, &t, &err))
			fail_msg("accepted: %s", rows[i].text);
		assert_null(t);
		assert_int_equal(err.kind, ERR_CONF);
		assert_string_equal(err.what, rows[i].what);
		if (strstr(err.text, rows[i].want) == NULL)
			fail_msg("template [%s]\n got [%s]\nwant [%s]",
			    rows[i].text, err.text, rows[i].want);
	}
}

static void
a_nul_in_a_template_is_refused_wherever_it_is(void **state)
{
	struct template *t = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_false(template_compile("t", "a\0b", 3, TEMPLATE_TEXT,
	    root_vars, &t, &err));
	assert_non_null(strstr(err.text, "t:1:2: the character U+0000"));
	assert_false(template_compile("t", "ab\0", 3, TEMPLATE_TEXT,
	    root_vars, &t, &err));
	assert_non_null(strstr(err.text, "t:1:3: the character U+0000"));
}

static void
a_byte_order_mark_in_front_is_dropped(void **state)
{
	static const struct row rows[] = { { "\xef\xbb\xbf{{who}}", "Ana" } };

	(void)state;
	check_rows(rows, 1);
}

static void
sections_nest_sixteen_deep_and_no_deeper(void **state)
{
	g_autoptr(GString) s = g_string_new(NULL);
	struct world *w = world_new();
	struct template *t = NULL;
	struct err err = ERR_INIT;
	char *got;

	(void)state;
	for (int i = 0; i < 16; i++)
		g_string_append(s, "{{#group}}");
	g_string_append(s, "x");
	for (int i = 0; i < 16; i++)
		g_string_append(s, "{{/group}}");
	got = render_kind(s->str, TEMPLATE_TEXT, &w->root);
	assert_string_equal(got, "x");
	g_free(got);
	g_string_prepend(s, "{{#group}}");
	assert_false(template_compile("t", s->str, s->len, TEMPLATE_TEXT,
	    root_vars, &t, &err));
	assert_non_null(strstr(err.text,
	    "t:1:161: more than 16 sections within each other"));
	world_free(w);
}

static void
sixteen_lists_within_each_other_keep_their_places(void **state)
{
	g_autoptr(GString) s = g_string_new(NULL);
	struct template_scope one = { { NULL } }, root = { { NULL } };
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	static const struct template_var deep[] = {
		{ "x", TEMPLATE_STRING, NULL, "" },
		{ "again", TEMPLATE_LIST, deep, "" },
		{ NULL },
	};
	g_autoptr(GString) out = g_string_new(NULL);
	struct template *t = NULL;
	struct err err = ERR_INIT;

	(void)state;
	one.string[0] = "v";
	one.list[1] = list;
	root.list[1] = list;
	g_ptr_array_add(list, &one);
	for (int i = 0; i < 16; i++)
		g_string_append(s, "{{#again}}{{x}}");
	for (int i = 0; i < 16; i++)
		g_string_append(s, "{{/again}}");
	assert_true(template_compile("t", s->str, s->len, TEMPLATE_TEXT, deep,
	    &t, &err));
	assert_true(template_render(t, &root, 100, out, &err));
	assert_string_equal(out->str, "vvvvvvvvvvvvvvvv");
	template_free(t);
}

static void
a_line_stays_one_line_whatever_the_values_are(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "a\r\nBcc: x@y", "a Bcc: x@y" },
		{ "a\nb\rc\td", "a b c d" },
		{ "a\x01\x7f\xc2\x85\xc2\x9f" "b", "a b" },
		{ "a\xe2\x80\xa8" "b\xe2\x80\xae" "c", "a bc" },
		{ "x\xff\xfey", "x\xef\xbf\xbd\xef\xbf\xbdy" },
		{ "<a & b> \"c\"", "<a & b> \"c\"" },
		{ "Жанна \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
			"Жанна \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb" },
	};
	struct template_scope scope = { { NULL } };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *want = g_strdup_printf("[%s] -", rows[i].want);
		g_autofree char *got = NULL;

		scope.string[V_WHO] = rows[i].value;
		got = render_kind("[{{who}}]\n\t-\n", TEMPLATE_LINE, &scope);
		assert_string_equal(got, want);
	}
}

static void
plain_text_keeps_lines_and_tabs_and_no_other_control(void **state)
{
	struct template_scope scope = { { NULL } };
	char *got;

	(void)state;
	scope.string[V_WHO] = "a\r\nb\tc\rd\x1b[31m\x08<&>\xe2\x81\xa6\xc3(";
	got = render_kind("{{who}}", TEMPLATE_TEXT, &scope);
	assert_string_equal(got, "a\nb\tc\nd[31m<&>\xef\xbf\xbd(");
	g_free(got);
}

static void
html_knows_no_way_to_put_markup_into_a_value(void **state)
{
	struct template_scope scope = { { NULL } };
	char *got;

	(void)state;
	scope.string[V_WHO] = "<b a='1' b=\"2\">&amp;\x01\n\xff";
	got = render_kind("<p title=\"{{who}}\">{{who}}</p>", TEMPLATE_HTML,
	    &scope);
#define SAFE "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;amp;\n\xef\xbf\xbd"
	assert_string_equal(got, "<p title=\"" SAFE "\">" SAFE "</p>");
	g_free(got);
}

/* Bytes that are near the edges of what the fast scan may pass. */
static void
append_odd_bytes(GString *s, GRand *rnd)
{
	static const char *const odd[] = {
		"\x7f", "\x1f", "\xc0\x80", "\xc2\x9f", "\xc2\xa0", "\xe0\x9f\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xed\xa0\x80", "\xe2\x80\xa7",
		"\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x80\xaf", "\xe2\x81\xa5",
		"\xe2\x81\xa6", "\xe2\x81\xa9", "\xe2\x81\xaa", "\xef\xb7\x8f",
		"\xef\xb7\x90", "\xef\xb8\x8f", "\xef\xbb\xbf", "\xef\xbf\xbd",
		"\xef\xbf\xbe", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80\x80",
		"\xf0\x9f\xbf\xbe", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\r\n", "\n", "\t", "<", "&", "'", "\"", ">",
		"a", " ", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf0\x9f", "\xe2",
	};

	if (g_rand_int_range(rnd, 0, 4) == 0)
		g_string_append_c(s, (char)g_rand_int_range(rnd, 1, 256));
	else
		g_string_append(s, odd[g_rand_int_range(rnd, 0,
		    G_N_ELEMENTS(odd))]);
}

static void
the_fast_scan_never_lets_pass_what_the_sanitiser_would_change(void **state)
{
	struct template *line = compile("{{who}}", TEMPLATE_LINE);
	struct template *block = compile("{{who}}", TEMPLATE_TEXT);
	g_autoptr(GString) s = g_string_new(NULL);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GRand) rnd = g_rand_new_with_seed(7);
	struct template_scope scope = { { NULL } };
	struct err err = ERR_INIT;

	(void)state;
	for (int round = 0; round < 40000; round++) {
		const struct template *t = round % 2 ? line : block;
		g_autofree char *want = NULL;

		g_string_truncate(s, 0);
		for (int n = g_rand_int_range(rnd, 0, 6); n >= 0; n--)
			append_odd_bytes(s, rnd);
		want = text_clean(s->str, s->len,
		    round % 2 ? TEXT_LINE : TEXT_BLOCK, SIZE_MAX);
		scope.string[V_WHO] = s->str;
		g_string_truncate(out, 0);
		assert_true(template_render(t, &scope, 1000, out, &err));
		assert_string_equal(out->str, want);
	}
	template_free(line);
	template_free(block);
}

static void
output_past_the_cap_is_refused_and_up_to_it_is_not(void **state)
{
	static const struct {
		const char *text;
		enum template_kind kind;
		size_t needs;
	} rows[] = {
		{ "12345", TEMPLATE_TEXT, 5 },
		{ "1{{who}}", TEMPLATE_TEXT, 4 },
		{ "{{subject.text}}", TEMPLATE_HTML, 7 },
		{ "{{#messages}}{{text}}{{/messages}}", TEMPLATE_TEXT, 6 },
	};
	struct world *w = world_new();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct template *t = compile(rows[i].text, rows[i].kind);
		g_autoptr(GString) out = g_string_new("kept");
		struct err err = ERR_INIT;

		assert_true(template_render(t, &w->root, rows[i].needs, out,
		    &err));
		assert_int_equal(out->len, 4 + rows[i].needs);
		g_string_truncate(out, 4);
		assert_false(template_render(t, &w->root, rows[i].needs - 1,
		    out, &err));
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "template.size");
		assert_true(g_str_has_prefix(out->str, "kept"));
		template_free(t);
	}
	world_free(w);
}

static void
ten_thousand_list_elements_are_the_most_in_one_text(void **state)
{
	struct template *t = compile("{{#messages}}{{#reactions}}{{/reactions}}"
	    "{{/messages}}", TEMPLATE_TEXT);
	struct template_scope root = { { NULL } }, leaf = { { NULL } };
	struct template_scope message = { { NULL } };
	g_autoptr(GPtrArray) outer = g_ptr_array_new();
	g_autoptr(GPtrArray) inner = g_ptr_array_new();
	g_autoptr(GString) out = g_string_new(NULL);
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 99; i++)
		g_ptr_array_add(inner, &leaf);
	for (int i = 0; i < 100; i++)
		g_ptr_array_add(outer, &message);
	message.list[M_REACTIONS] = inner;
	root.list[V_MESSAGES] = outer;
	assert_true(template_render(t, &root, 10, out, &err));
	g_ptr_array_add(inner, &leaf);
	assert_false(template_render(t, &root, 10, out, &err));
	assert_int_equal(err.kind, ERR_PERM);
	assert_string_equal(err.what, "template.size");
	assert_non_null(strstr(err.text, "10000"));
	template_free(t);
}

static bool
loads(const char *path, struct template **out, struct err *err)
{
	struct template_source source = { .name = path, .kind = TEMPLATE_LINE,
		.vars = root_vars };
	g_autoptr(GBytes) bytes = NULL;

	return template_load(&source, &bytes, out, err);
}

static void
a_template_is_loaded_from_a_file_and_errors_name_the_file(void **state)
{
	char path[] = "/tmp/test_template_XXXXXX";
	int fd = mkstemp(path);
	struct world *w = world_new();
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *want = g_strdup_printf("%s:1:5: ", path);
	struct template *t = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "Hi, {{who}}\n", 12), 12);
	assert_true(loads(path, &t, &err));
	assert_true(template_render(t, &w->root, 100, out, &err));
	assert_string_equal(out->str, "Hi, Ana");
	template_free(t);
	assert_int_equal(pwrite(fd, "Hi, {{wHo}}\n", 12, 0), 12);
	assert_false(loads(path, &t, &err));
	assert_true(g_str_has_prefix(err.text, want));
	assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
	assert_false(loads(path, &t, &err));
	assert_int_equal(err.kind, ERR_CONF);
	close(fd);
	unlink(path);
	assert_false(loads(path, &t, &err));
	assert_int_equal(err.kind, ERR_CONF);
	world_free(w);
}

/* A random template and, made alongside, what it must give. */
struct maker {
	GRand *rnd;
	GString *text, *want;
	bool visible;
};

static void
make_part(struct maker *m, int depth)
{
	static const struct {
		const char *open, *close;
		bool shows;
	} sections[] = {
		{ "{{#group}}", "{{/group}}", true },
		{ "{{^group}}", "{{/group}}", false },
		{ "{{^attachments}}", "{{/attachments}}", true },
		{ "{{#attachments}}", "{{/attachments}}", false },
		{ "{{#who}}", "{{/who}}", true },
	};
	int pick = g_rand_int_range(m->rnd, 0, depth > 0 ? 8 : 3);
	bool before = m->visible;

	if (pick >= 3) {
		g_string_append(m->text, sections[pick - 3].open);
		m->visible = before && sections[pick - 3].shows;
		for (int n = g_rand_int_range(m->rnd, 0, 4); n > 0; n--)
			make_part(m, depth - 1);
		m->visible = before;
		g_string_append(m->text, sections[pick - 3].close);
		return;
	}
	g_string_append(m->text, pick == 0 ? "lit{" : pick == 1 ? "{{who}}" :
	    "{{! no {{tag }}");
	if (m->visible)
		g_string_append(m->want, pick == 0 ? "lit{" : pick == 1 ?
		    "Ana" : "");
	/* A dot keeps a brace from meeting the next tag. */
	g_string_append_c(m->text, '.');
	if (m->visible)
		g_string_append_c(m->want, '.');
}

static void
random_templates_give_what_was_made_alongside(void **state)
{
	g_autoptr(GRand) rnd = g_rand_new_with_seed(42);
	struct world *w = world_new();

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct maker m = { .rnd = rnd, .text = g_string_new(NULL),
			.want = g_string_new(NULL), .visible = true };
		g_autofree char *got = NULL;

		for (int n = g_rand_int_range(rnd, 0, 6); n > 0; n--)
			make_part(&m, 6);
		got = render_kind(m.text->str, TEMPLATE_TEXT, &w->root);
		if (strcmp(got, m.want->str) != 0)
			fail_msg("template [%s]\n got [%s]\nwant [%s]",
			    m.text->str, got, m.want->str);
		g_string_free(m.text, TRUE);
		g_string_free(m.want, TRUE);
	}
	world_free(w);
}

static void
any_soup_of_tags_is_refused_or_rendered_as_clean_text(void **state)
{
	static const char *const soup[] = {
		"{{", "}}", "{", "}", "#", "^", "/", "!", "who", "group",
		"messages", "text", ".", " ", "\n", "\t", "{{#messages}}",
		"{{/messages}}", "{{#group}}", "{{/group}}", "{{text}}", "é",
	};
	g_autoptr(GRand) rnd = g_rand_new_with_seed(3);
	struct world *w = world_new();
	int accepted = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		g_autoptr(GString) s = g_string_new(NULL);
		g_autoptr(GString) out = g_string_new(NULL);
		struct template *t = NULL;
		struct err err = ERR_INIT;

		for (int n = g_rand_int_range(rnd, 0, 8); n > 0; n--)
			g_string_append(s, soup[g_rand_int_range(rnd, 0,
			    G_N_ELEMENTS(soup))]);
		if (!template_compile("t", s->str, s->len, TEMPLATE_TEXT,
		    root_vars, &t, &err)) {
			assert_true(g_str_has_prefix(err.text, "t:"));
			continue;
		}
		accepted++;
		assert_true(template_render(t, &w->root, 10000, out, &err));
		assert_true(text_is_utf8(out->str, out->len));
		template_free(t);
	}
	assert_true(accepted > 1000);
	world_free(w);
}

/* --- words --- */

static const char *
find_words(const void *catalog, const char *words)
{
	static const char *const table[][2] = {
		{ "Time", "Время" }, { "a longer label", "ja" },
		{ "Duration", "Продолжительность" }, { "R & D", "<b>&" },
	};

	(void)catalog;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (strcmp(table[i][0], words) == 0)
			return table[i][1];
	}
	return NULL;
}

static bool
compile_words(const char *text, enum template_kind kind, struct template **t,
    struct err *err)
{
	const struct template_source source = { .name = "t", .text = text,
		.len = strlen(text), .kind = kind, .vars = root_vars,
		.find = find_words, .catalog_name = "xx.words" };

	return template_compile_source(&source, t, err);
}

static void
words_are_put_in_in_the_language_and_fill_the_same_columns(void **state)
{
	static const struct {
		enum template_kind kind;
		const char *text, *want;
	} rows[] = {
		{ TEMPLATE_TEXT, "{{_Time}}|", "Время|" },
		{ TEMPLATE_TEXT, "{{_Time      }}|", "Время     |" },
		{ TEMPLATE_TEXT, "{{_ Time }}{{who}}", "Время Ana" },
		{ TEMPLATE_TEXT, "{{_a longer label   }}|",
			"ja               |" },
		{ TEMPLATE_TEXT, "{{_Duration   }}|", "Продолжительность |" },
		{ TEMPLATE_HTML, "<b>{{_Time      }}</b>", "<b>Время</b>" },
		{ TEMPLATE_HTML, "{{_R & D}}", "&lt;b&gt;&amp;" },
		{ TEMPLATE_LINE, "{{_Time   }}\n: {{who}}", "Время: Ana" },
		{ TEMPLATE_TEXT, "a\n{{_Time}}\nb\n", "a\nВремя\nb\n" },
	};
	struct world *w = world_new();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		struct template *t = NULL;
		struct err err = ERR_INIT;

		if (!compile_words(rows[i].text, rows[i].kind, &t, &err))
			fail_msg("%s", err.text);
		assert_true(template_render(t, &w->root, 1000, out, &err));
		assert_string_equal(out->str, rows[i].want);
		template_free(t);
	}
	world_free(w);
}

static void
words_without_translation_are_told_with_place_and_catalog(void **state)
{
	struct template *t = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_false(compile_words("x\n  {{_Tide   }}", TEMPLATE_TEXT, &t,
	    &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_string_equal(err.what, "template.words");
	assert_string_equal(err.text, "t:2:3: xx.words has no words for "
	    "\"Tide\"; add a line \"Tide = ...\"");
	assert_false(compile_words("{{_  }}", TEMPLATE_TEXT, &t, &err));
	assert_string_equal(err.what, "template.syntax");
	assert_false(compile_words("{{_Time\n}}", TEMPLATE_TEXT, &t, &err));
	assert_string_equal(err.what, "template.syntax");
	assert_null(t);
}

static void
without_a_language_words_stay_as_they_are(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);
	static const char text[] = "{{_Whatever I say   }}|{{_A < B}}";
	struct template *t = NULL;
	struct world *w = world_new();

	(void)state;
	assert_true(template_compile("t", text, strlen(text), TEMPLATE_TEXT,
	    root_vars, &t, NULL));
	assert_true(template_render(t, &w->root, 1000, out, NULL));
	assert_string_equal(out->str, "Whatever I say   |A < B");
	template_free(t);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    words_are_put_in_in_the_language_and_fill_the_same_columns),
		cmocka_unit_test(
		    words_without_translation_are_told_with_place_and_catalog),
		cmocka_unit_test(without_a_language_words_stay_as_they_are),
		cmocka_unit_test(a_text_without_tags_is_given_as_it_is),
		cmocka_unit_test(
		    a_name_gives_its_value_and_blanks_in_a_tag_do_not_count),
		cmocka_unit_test(
		    a_section_shows_what_is_set_and_its_inverse_what_is_not),
		cmocka_unit_test(
		    a_list_repeats_and_names_are_looked_up_from_the_inside),
		cmocka_unit_test(a_comment_gives_nothing),
		cmocka_unit_test(
		    a_line_with_only_a_section_tag_or_comment_vanishes),
		cmocka_unit_test(
		    each_mistake_is_told_with_file_line_and_column),
		cmocka_unit_test(a_nul_in_a_template_is_refused_wherever_it_is),
		cmocka_unit_test(a_byte_order_mark_in_front_is_dropped),
		cmocka_unit_test(sections_nest_sixteen_deep_and_no_deeper),
		cmocka_unit_test(
		    sixteen_lists_within_each_other_keep_their_places),
		cmocka_unit_test(a_line_stays_one_line_whatever_the_values_are),
		cmocka_unit_test(
		    plain_text_keeps_lines_and_tabs_and_no_other_control),
		cmocka_unit_test(html_knows_no_way_to_put_markup_into_a_value),
		cmocka_unit_test(
		    the_fast_scan_never_lets_pass_what_the_sanitiser_would_change),
		cmocka_unit_test(
		    output_past_the_cap_is_refused_and_up_to_it_is_not),
		cmocka_unit_test(
		    ten_thousand_list_elements_are_the_most_in_one_text),
		cmocka_unit_test(
		    a_template_is_loaded_from_a_file_and_errors_name_the_file),
		cmocka_unit_test(random_templates_give_what_was_made_alongside),
		cmocka_unit_test(
		    any_soup_of_tags_is_refused_or_rendered_as_clean_text),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
