/* SPDX-License-Identifier: Apache-2.0 */
/* render_html: what an HTML template may be made of. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "text.h"
#include "../../src/render/render_int.h"

static void
accept(const char *html)
{
	struct err err = ERR_INIT;

	if (!render_html_check("t.html", html, &err))
		fail_msg("%s: %s", html, err.text);
}

/* where: a part of the message. */
static void
refuse(const char *html, const char *where)
{
	struct err err = ERR_INIT;

	if (render_html_check("t.html", html, &err))
		fail_msg("accepted: %s", html);
	assert_int_equal(err.kind, ERR_CONF);
	assert_string_equal(err.what, "template.remote");
	if (strstr(err.text, where) == NULL)
		fail_msg("%s: \"%s\" is not in: %s", html, where, err.text);
}

static void
what_shows_itself_is_accepted(void **state)
{
	(void)state;
	accept("");
	accept("<!DOCTYPE html>\n<html lang=\"{{lang}}\"><head>"
	    "<meta charset=\"utf-8\"><meta name='color-scheme' "
	    "content=\"light dark\"><title>{{a}}, b</title></head>"
	    "<body style=\"margin:0\" dir=\"auto\">a &amp; b<br/></body></html>");
	accept("<td align=\"right\"bgcolor='#fff' nowrap>1 > 0</td>");
	accept("<style>@media (prefers-color-scheme:dark) and (width:1px)"
	    "{.a,td{color:rgba(0,0,0,.5)!important;width:calc(1px + 2em)}}"
	    "</style>");
	accept("{{! <script> is not needed }}<p>the words url( and http: "
	    "as text</p>");
}

static void
pictures_come_out_of_the_mail(void **state)
{
	(void)state;
	accept("<img src=\"cid:{{cid}}\" alt=\"{{name}}\" width=\"160\">");
	accept("<IMG SRC='cid:{{m.cid}}'>");
	refuse("<img src=\"{{url}}\">", "src=");
	refuse("<img src=\"https://x/{{cid}}\">", "src=");
	refuse("<img src=\"//x/y.png\">", "src=");
	refuse("<img src=\"cid:{{cid}}{{url}}\">", "src=");
	refuse("<img src=\" cid:{{cid}}\">", "src=");
	refuse("<img src=\"cid:logo\">", "src=");
	refuse("<img src=\"{{#a}}cid:{{/a}}{{cid}}\">", "src=");
	refuse("<img src=\"data:image/png;base64,AAAA\">", "src=");
	refuse("<img src>", "src=");
	refuse("<img src = \"cid:{{cid}}\">", "src=");
	refuse("<img srcset=\"cid:{{cid}}\">", "srcset=");
}

static void
what_runs_or_fetches_is_refused(void **state)
{
	static const char *const words[] = { "script", "link", "base",
		"iframe", "frame", "object", "embed", "form", "input",
		"button", "a", "area", "svg", "math", "video", "audio",
		"source", "picture", "noscript", "template", "textarea",
		"plaintext", "xmp", "v:fill", "custom-tag" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		g_autofree char *html = g_strdup_printf("<p>\n<%s>", words[i]);
		g_autofree char *end = g_strdup_printf("</%s>", words[i]);

		refuse(html, "t.html:2: <");
		refuse(end, "t.html:1: <");
	}
	refuse("<P ONCLICK=\"x\">", "onclick=");
	refuse("<p\nonmouseover='x'>", "onmouseover=");
	refuse("<p class=\"a\"onclick=\"x\">", "onclick=");
	refuse("<table background=\"cid:{{cid}}\">", "background=");
	refuse("<p href=\"x\">", "href=");
	refuse("<meta http-equiv=\"refresh\" content=\"0\">", "http-equiv=");
}

static void
styles_fetch_nothing(void **state)
{
	(void)state;
	refuse("<p style=\"background:url(x)\">", "url()");
	refuse("<p style=\"background:URL (x) image-set('x')\">",
	    "image-set()");
	refuse("<p style=\"background:u{{#a}}{{/a}}rl(x)\">", "rl()");
	refuse("<p style=\"width:expression(x)\">", "expression()");
	refuse("<p style=\"background:u\\72l(x)\">", "\"\\\" in a style");
	refuse("<p style=\"background:&#117;rl(x)\">", "\"&\" in a style");
	refuse("<p style=\"color:{{color}}\">", "in a style");
	refuse("<style>p{color:{{color}}}</style>", "in a style");
	refuse("<style>@import 'x';</style>", "@import");
	refuse("<style>@font-face{src:local(x)}</style>", "@font-face");
	refuse("<style>p{background:url(x)}</style>", "url()");
	refuse("<style>p{}", "what is not closed");
	refuse("<style><script></style>", "\"<\" in <style>");
}

static void
values_stand_in_text_and_quotes_only(void **state)
{
	(void)state;
	accept("<p title=\"{{a}} {{b}}\">{{c}}</p>");
	refuse("<p {{a}}>", "in a tag without quotes");
	refuse("<p title={{a}}>", "without quotes");
	refuse("<p class=a>", "without quotes");
	refuse("<{{a}}>", "\"<{\"");
}

static void
sections_begin_and_end_in_one_place(void **state)
{
	(void)state;
	accept("<td{{#a}} align=\"right\"{{/a}}{{^a}} align=\"left\"{{/a}}>");
	accept("<td class=\"{{#a}}s{{/a}}{{^a}}r{{/a}}\" "
	    "style=\"{{#a}}color:red{{/a}}\">");
	accept("<style>{{#a}}p{color:red}{{/a}}</style>");
	accept("{{#a}}<b>{{/a}}x{{#a}}</b>{{/a}}");
	refuse("<td {{#a}}title=\"{{/a}}x\">", "a section that ends");
	refuse("<td title=\"{{#a}}x\"{{/a}}>", "a section that ends");
	refuse("<td title=\"{{#a}}\" id=\"{{/a}}\">", "a section that ends");
	refuse("<td {{#a}}>{{/a}}", "a section that ends");
	refuse("<p style=\"{{#a}}x\"></p><p style=\"{{/a}}\">",
	    "a section that ends");
	refuse("<title>{{#a}}</title>{{/a}}", "a section that ends");
}

static void
html_that_can_be_read_in_two_ways_is_refused(void **state)
{
	(void)state;
	refuse("<!-- <p> -->", "\"<!\"");
	refuse("<!--[if mso]><v:fill src=\"x\"><![endif]-->", "\"<!\"");
	refuse("<?xml?>", "\"<?\"");
	refuse("a < b", "\"< \"");
	refuse("<p title=\"", "what is not closed by \"");
	refuse("<p ", "a tag without >");
	refuse("<p =\"x\">", "\"=\" in a tag");
	refuse("<p <script>", "\"<\" in a tag");
	refuse("<title><b title=\"</title><script>\"></title>",
	    "\"<\" in <title>");
	refuse("<title>x", "what is not closed");
	refuse("<", "\"<\"");
}

/* --- what strangers write --- */

#define HOSTILE "</title></style><script>x()</script><img src=x onerror=" \
	"\"x()\" style='background:url(//x)'> --> &lt;b&gt; {{from}}"

/* Every flag set, every list of one element, every string the same. */
static struct template_scope *
scope_of(const struct template_var *vars, const char *string, GPtrArray *all)
{
	struct template_scope *scope = g_new0(struct template_scope, 1);

	g_ptr_array_add(all, scope);
	for (size_t i = 0; vars[i].name != NULL; i++) {
		scope->string[i] = string;
		if (vars[i].kind != TEMPLATE_LIST)
			continue;
		scope->list[i] = g_ptr_array_new();
		g_ptr_array_add(scope->list[i], scope_of(vars[i].members,
		    string, all));
	}
	return scope;
}

static void
free_scopes(GPtrArray *all)
{
	for (guint i = 0; i < all->len; i++) {
		struct template_scope *scope = g_ptr_array_index(all, i);

		for (size_t k = 0; k < G_N_ELEMENTS(scope->list); k++) {
			if (scope->list[k] != NULL)
				g_ptr_array_unref(scope->list[k]);
		}
		g_free(scope);
	}
	g_ptr_array_unref(all);
}

/* The shipped template with this string in every place there is. */
static GString *
rendered_with(const char *string)
{
	const char *src = getenv("SRCDIR");
	g_autofree char *path = g_build_filename(src != NULL ? src : ".",
	    "templates", "turn.html", NULL);
	const struct template_var *vars = render_template_vars();
	struct template_source source = { .name = path, .kind = TEMPLATE_HTML,
		.vars = vars };
	GPtrArray *all = g_ptr_array_new();
	GString *out = g_string_new(NULL);
	g_autoptr(GBytes) bytes = NULL;
	struct template *t;
	struct err err = ERR_INIT;

	if (!template_load(&source, &bytes, &t, &err))
		fail_msg("%s", err.text);
	assert_true(template_render(t, scope_of(vars, string, all), 1 << 20,
	    out, &err));
	template_free(t);
	free_scopes(all);
	return out;
}

static void
what_strangers_write_is_never_markup(void **state)
{
	g_autoptr(GString) plain = rendered_with("harmless");
	g_autoptr(GString) hostile = rendered_with(HOSTILE);
	g_autoptr(GString) escaped = g_string_new(NULL);
	g_auto(GStrv) pieces = NULL;
	g_autofree char *mended = NULL;

	(void)state;
	text_html_escape(escaped, HOSTILE);
	assert_null(strpbrk(escaped->str, "<>\"'"));
	pieces = g_strsplit(hostile->str, escaped->str, -1);
	mended = g_strjoinv("harmless", pieces);
	assert_string_equal(mended, plain->str);
	assert_true(g_strv_length(pieces) > 80);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_shows_itself_is_accepted),
		cmocka_unit_test(pictures_come_out_of_the_mail),
		cmocka_unit_test(what_runs_or_fetches_is_refused),
		cmocka_unit_test(styles_fetch_nothing),
		cmocka_unit_test(values_stand_in_text_and_quotes_only),
		cmocka_unit_test(sections_begin_and_end_in_one_place),
		cmocka_unit_test(html_that_can_be_read_in_two_ways_is_refused),
		cmocka_unit_test(what_strangers_write_is_never_markup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
