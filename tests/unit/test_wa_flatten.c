/* SPDX-License-Identifier: Apache-2.0 */
/* wa: any JSON as facts, bounded, and nothing left out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "../../src/wa/wa_int.h"

/* All facts as "name=value;" of the JSON, which must be JSON. */
static char *
flatten(const char *json, const char *path, const struct wa_known *known)
{
	json_object *o = json_tokener_parse(json);
	auto_item *it = item_new(ITEM_ACCOUNT, ITEM_TYPE_ACCOUNT_EVENT);
	GString *out = g_string_new(NULL);

	wa_rest_add(it, path, o, known);
	json_object_put(o);
	for (guint i = 0; it->facts != NULL && i < it->facts->len; i++) {
		const struct item_fact *f = it->facts->pdata[i];

		g_string_append_printf(out, "%s=%s;", f->name, f->value);
	}
	return g_string_free(out, FALSE);
}

static void
assert_flat(const char *json, const char *want)
{
	g_autofree char *got = flatten(json, "", NULL);

	assert_string_equal(got, want);
}

static void
every_scalar_becomes_a_fact_under_its_dotted_name(void **state)
{
	(void)state;
	assert_flat("{\"a\":\"x\",\"b\":{\"c\":1,\"d\":{\"e\":true}}}",
	    "a=x;b.c=1;b.d.e=true;");
	assert_flat("{\"n\":0.10,\"big\":123456789012345678}",
	    "n=0.10;big=123456789012345678;");
}

static void
a_list_is_numbered_from_one_when_it_has_more_than_one_element(void **state)
{
	(void)state;
	assert_flat("{\"l\":[\"only\"]}", "l=only;");
	assert_flat("{\"l\":[\"x\",\"y\"]}", "l.1=x;l.2=y;");
	assert_flat("{\"l\":[{\"a\":1},{\"a\":2,\"b\":[3,4]}]}",
	    "l.1.a=1;l.2.a=2;l.2.b.1=3;l.2.b.2=4;");
}

static void
what_holds_nothing_gives_no_fact_but_an_empty_string_does(void **state)
{
	(void)state;
	assert_flat("{\"a\":null,\"b\":[],\"c\":{},\"d\":\"\",\"e\":[null]}",
	    "d=;");
}

static void
known_members_are_left_to_the_caller_only_at_the_top(void **state)
{
	static const struct wa_known known[] = { { "id", WA_TEXT },
		{ "when", WA_TEXT }, { NULL } };
	g_autofree char *got = flatten(
	    "{\"id\":1,\"when\":2,\"in\":{\"id\":3},\"x\":4}", "p", known);

	(void)state;
	assert_string_equal(got, "p.in.id=3;p.x=4;");
}

static void
what_is_no_object_is_one_fact_with_the_name_of_the_path(void **state)
{
	g_autofree char *number = flatten("7", "p", NULL);
	g_autofree char *list = flatten("[7,8]", "p", NULL);

	(void)state;
	assert_string_equal(number, "p=7;");
	assert_string_equal(list, "p.1=7;p.2=8;");
}

static void
what_is_too_deep_stands_there_as_json(void **state)
{
	(void)state;
	assert_flat("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":"
	    "{\"i\":\"deep\"}}}}}}}}}", "a.b.c.d.e.f.g.h={\"i\":\"deep\"};");
}

static void
a_name_that_is_too_long_stands_there_as_json(void **state)
{
	g_autofree char *key = g_strnfill(300, 'k');
	g_autofree char *json = g_strdup_printf(
	    "{\"o\":{\"%s\":{\"in\":\"kept\"},\"z\":1}}", key);
	g_autofree char *want = g_strdup_printf(
	    "o.z=1;o.more={\"%s\":{\"in\":\"kept\"}};", key);

	(void)state;
	assert_flat(json, want);
}

static size_t
count(const char *text, const char *word)
{
	size_t n = 0;

	while ((text = strstr(text, word)) != NULL) {
		n++;
		text += strlen(word);
	}
	return n;
}

static void
what_is_too_much_stands_there_as_json_and_nothing_is_lost(void **state)
{
	g_autoptr(GString) json = g_string_new("{\"list\":[");
	g_autofree char *got = NULL;

	(void)state;
	for (int i = 0; i < 2000; i++)
		g_string_append_printf(json, "%s{\"v\":\"v%04d\"}",
		    i > 0 ? "," : "", i);
	g_string_append(json, "],\"after\":{\"last\":\"one\"}}");
	got = flatten(json->str, "", NULL);
	for (int i = 0; i < 2000; i++) {
		g_autofree char *value = g_strdup_printf("v%04d", i);

		assert_int_equal(count(got, value), 1);
	}
	assert_non_null(strstr(got, "list.500.v=v0499;list.more=[{\"v\":"));
	assert_non_null(strstr(got, ";more={\"after\":{\"last\":\"one\"}};"));
	assert_in_range(count(got, ";"), 501, 510);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_scalar_becomes_a_fact_under_its_dotted_name),
		cmocka_unit_test(
		    a_list_is_numbered_from_one_when_it_has_more_than_one_element),
		cmocka_unit_test(
		    what_holds_nothing_gives_no_fact_but_an_empty_string_does),
		cmocka_unit_test(
		    known_members_are_left_to_the_caller_only_at_the_top),
		cmocka_unit_test(
		    what_is_no_object_is_one_fact_with_the_name_of_the_path),
		cmocka_unit_test(what_is_too_deep_stands_there_as_json),
		cmocka_unit_test(a_name_that_is_too_long_stands_there_as_json),
		cmocka_unit_test(
		    what_is_too_much_stands_there_as_json_and_nothing_is_lost),
	};

	return cmocka_run_group_tests_name("wa_flatten", tests, NULL, NULL);
}
