/* SPDX-License-Identifier: Apache-2.0 */
/* directory: lookups, duplicates, and its file as the conf module reads it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "conf_help.h"
#include "directory.h"

static struct directory_customer *
customer(const char *id, const char *number, const char *user_id)
{
	struct directory_customer *c = directory_customer_new();

	c->id = g_strdup(id);
	if (number != NULL)
		g_ptr_array_add(c->numbers, g_strdup(number));
	if (user_id != NULL)
		g_ptr_array_add(c->user_ids, g_strdup(user_id));
	return c;
}

static void
an_empty_directory_knows_nobody(void **state)
{
	struct directory *d = directory_new();

	(void)state;
	assert_null(directory_business_get(d, "1", "2"));
	assert_null(directory_business_get(d, NULL, NULL));
	assert_null(directory_staff_get(d, "E1"));
	assert_null(directory_staff_get(d, NULL));
	assert_null(directory_customer_get(d, "u", "n"));
	assert_null(directory_customer_get(d, NULL, NULL));
	directory_free(d);
	directory_free(NULL);
}

static void
a_customer_is_found_by_user_id_before_number(void **state)
{
	struct directory *d = directory_new();

	(void)state;
	assert_true(directory_customer_add(d, customer("A", "551", "BR.a"),
	    NULL));
	assert_true(directory_customer_add(d, customer("B", "552", "BR.b"),
	    NULL));
	assert_string_equal(directory_customer_get(d, "BR.a", "552")->id, "A");
	assert_string_equal(directory_customer_get(d, "BR.z", "552")->id, "B");
	assert_string_equal(directory_customer_get(d, NULL, "+552")->id, "B");
	assert_null(directory_customer_get(d, "552", NULL));
	directory_free(d);
}

static void
a_business_is_found_by_id_before_number(void **state)
{
	struct directory *d = directory_new();
	struct directory_business *a = directory_business_new();
	struct directory_business *b = directory_business_new();

	(void)state;
	a->id = g_strdup("106");
	a->number = g_strdup("5511");
	b->id = g_strdup("107");
	assert_true(directory_business_add(d, a, NULL));
	assert_true(directory_business_add(d, b, NULL));
	assert_ptr_equal(directory_business_get(d, "107", "5511"), b);
	assert_ptr_equal(directory_business_get(d, "999", "5511"), a);
	assert_ptr_equal(directory_business_get(d, NULL, "+5511"), a);
	assert_null(directory_business_get(d, "5511", NULL));
	directory_free(d);
}

static void
a_taken_key_is_refused_and_leaves_no_trace(void **state)
{
	struct directory *d = directory_new();
	struct directory_customer *twin;
	struct err err = ERR_INIT;

	(void)state;
	assert_true(directory_customer_add(d, customer("A", "5511999", "u"),
	    NULL));
	assert_false(directory_customer_add(d, customer("A", "1", NULL),
	    &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_string_equal(err.what, "directory.duplicate");
	assert_false(directory_customer_add(d, customer("B", NULL, "u"),
	    &err));
	assert_false(directory_customer_add(d, customer("B", "5511999", "v"),
	    &err));
	assert_null(strstr(err.text, "5511999"));
	twin = customer("B", "5", NULL);
	g_ptr_array_add(twin->numbers, g_strdup("5"));
	assert_false(directory_customer_add(d, twin, &err));
	assert_null(directory_customer_get(d, "v", "5"));
	assert_true(directory_customer_add(d, customer("B", "5", "v"), &err));
	directory_free(d);
}

static const char directory_text[] =
	"business 106 { number +551140040001; name 'Private Banking';\n"
	"  desk pb; mail pb@b.example; staff E1; account 1022; "
	"journal a; journal b; }\n"
	"business 107 { name Retail; desk retail; journal a; }\n"
	"customer C77 { name \"Ana Souza\"; number 5511999990000;\n"
	"  number 351999990000; user_id BR.5QeX; list pro; list watch; }\n"
	"staff E1 { name 'Maria Lima'; mail m@b.example;\n"
	"  number 5511988887777; group 'Private Bankers'; group b; }\n";

/* Loads a directory file beside a configuration with journals a and b. */
static struct conf *
load_directory(const char *text, GString *messages)
{
	char *dir = make_dir();
	g_autofree char *conf = put_file(dir, "c.conf", "directory d.conf;\n"
	    "journal b { maildir /b; }\n" MINIMAL);
	g_autofree char *file = put_file(dir, "d.conf", text);
	g_autoptr(GString) raw = g_string_new(NULL);
	g_autofree char *prefix = g_strconcat(dir, "/", NULL);
	g_auto(GStrv) parts = NULL;
	g_autofree char *plain = NULL;
	struct conf *c = NULL;

	conf_load(conf, &c, raw, NULL);
	parts = g_strsplit(raw->str, prefix, -1);
	plain = g_strjoinv("", parts);
	g_string_append(messages, plain);
	drop_dir(dir);
	return c;
}

static void
the_directory_file_says_who_is_who(void **state)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_directory(directory_text, got);
	const struct directory_business *b;
	const struct directory_customer *ana;

	(void)state;
	assert_string_equal(got->str, "");
	assert_non_null(c);
	b = directory_business_get(c->directory, "106", NULL);
	assert_non_null(b);
	assert_ptr_equal(directory_business_get(c->directory, NULL,
	    "551140040001"), b);
	assert_string_equal(b->name, "Private Banking");
	assert_string_equal(b->desk, "pb");
	assert_string_equal(b->mail, "pb@b.example");
	assert_int_equal(b->journals->len, 2);
	assert_string_equal(b->journals->pdata[1], "b");
	assert_non_null(b->staff);
	assert_string_equal(b->staff->name, "Maria Lima");
	assert_ptr_equal(b->staff, directory_staff_get(c->directory, "E1"));
	assert_string_equal(b->staff->numbers->pdata[0], "5511988887777");
	assert_ptr_equal(b->staff, directory_staff_by_number(c->directory,
	    "+5511988887777"));
	assert_null(directory_staff_by_number(c->directory, "551140040001"));
	assert_null(directory_staff_by_number(c->directory, NULL));
	assert_int_equal(b->staff->groups->len, 2);
	assert_string_equal(b->staff->groups->pdata[0], "Private Bankers");
	assert_string_equal(b->account, "1022");
	b = directory_business_get(c->directory, "107", NULL);
	assert_null(b->number);
	assert_null(b->mail);
	assert_null(b->staff);
	assert_null(b->account);
	ana = directory_customer_get(c->directory, NULL, "351999990000");
	assert_string_equal(ana->name, "Ana Souza");
	assert_int_equal(ana->lists->len, 2);
	assert_string_equal(ana->lists->pdata[1], "watch");
	assert_ptr_equal(directory_customer_get(c->directory, "BR.5QeX",
	    NULL), ana);
	conf_free(c);
}

static const char *
user_at(const struct directory_business *b, const char *when)
{
	const struct directory_staff *s = directory_business_staff(b,
	    clock_parse(when));

	return s != NULL ? s->id : "nobody";
}

static void
a_number_that_was_handed_on_is_attributed_by_time(void **state)
{
	static const char text[] = "staff E1 { name a; mail a@b; }\n"
	    "staff E2 { name b; mail b@b; }\nstaff E3 { name c; mail c@b; }\n"
	    "business 1 { name x; desk y; journal a; journal b; staff E3;\n"
	    "  used_by E2 until 2026-06-01T12:00:00Z from 2026-03-01;\n"
	    "  used_by E1 until 2026-03-01; zone Europe/Moscow; }\n"
	    "business 2 { name x; desk y; journal a; used_by E1; }\n"
	    "business 3 { name x; desk y; journal a; }\n";
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_directory(text, got);
	const struct directory_business *b;

	(void)state;
	assert_string_equal(got->str, "");
	b = directory_business_get(c->directory, "1", NULL);
	assert_int_equal(b->terms->len, 2);
	assert_string_equal(b->zone, "Europe/Moscow");
	assert_string_equal(user_at(b, "1980-01-01"), "E1");
	assert_string_equal(user_at(b, "2026-02-28T23:59:59Z"), "E1");
	assert_string_equal(user_at(b, "2026-03-01"), "E2");
	assert_string_equal(user_at(b, "2026-06-01T11:59:59Z"), "E2");
	assert_string_equal(user_at(b, "2026-06-01T12:00:00Z"), "E3");
	b = directory_business_get(c->directory, "2", NULL);
	assert_string_equal(user_at(b, "2026-03-01"), "E1");
	assert_null(b->zone);
	b = directory_business_get(c->directory, "3", NULL);
	assert_string_equal(user_at(b, "2026-03-01"), "nobody");
	conf_free(c);
}

static void
times_that_make_no_sense_are_refused_where_they_are(void **state)
{
	static const struct {
		const char *rows, *want;
	} rows[] = {
		{ "used_by E1 until 2026-03-02;\nused_by E2 from 2026-03-01;\n",
		    "d.conf:3:9: this time overlaps with that of d.conf:2; it "
		    "must end where the other begins\n" },
		{ "used_by E2 from 2026-03-01;\nused_by E1 until 2026-03-02;\n",
		    "d.conf:3:9: this time overlaps with that of d.conf:2; " },
		{ "used_by E1 from 2026-01-01 until 2027-01-01;\n"
		    "used_by E2 from 2026-02-01 until 2026-02-02;\n"
		    "used_by E2 from 2026-03-01 until 2026-03-02;\n",
		    "d.conf:4:9: this time overlaps with that of d.conf:2; " },
		{ "used_by E1;\nused_by E1;\n",
		    "d.conf:3:9: this time overlaps with that of d.conf:2; " },
		{ "used_by E1 from 2026-03-01 until 2026-03-01;\n",
		    "d.conf:2:9: this time ends before it begins\n" },
		{ "used_by E1 from 2026-02-30;\n", "d.conf:2:17: "
		    "\"2026-02-30\" is not a date such as 2026-03-01 or "
		    "2026-03-01T09:00:00Z\n" },
		{ "used_by E1 form 2026-02-20;\n", "d.conf:2:12: \"form\" is "
		    "neither from nor until; did you mean \"from\"?\n" },
		{ "used_by E1 from;\n",
		    "d.conf:2:12: a date is missing after from\n" },
		{ "used_by E1 from 2026-01-01 from 2026-01-02;\n",
		    "d.conf:2:28: from is given twice\n" },
		{ "used_by E1 from 2026-01-01 until 2026-01-02 x;\n",
		    "d.conf:2:45: used_by takes STAFF [from DATE] [until "
		    "DATE]; put quotes around a value with blanks\n" },
		{ "used_by;\n", "d.conf:2:1: used_by needs STAFF [from DATE] "
		    "[until DATE]\n" },
		{ "used_by E9;\n", "d.conf:2:9: there is no staff \"E9\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) got = g_string_new(NULL);
		g_autofree char *text = g_strdup_printf("business 1 { name x; "
		    "desk y; journal a;\n%s}\nstaff E1 { name a; mail a@b; }\n"
		    "staff E2 { name b; mail b@b; }\n", rows[i].rows);

		assert_null(load_directory(text, got));
		if (strstr(got->str, rows[i].want) == NULL)
			fail_msg("want %s\ngot %s", rows[i].want, got->str);
	}
}

static void
mistakes_in_the_directory_file_are_shown_where_they_are(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "staff E1 { name x; mail m@b; }\n"
		    "staff E1 { name y; mail m@b; }\n",
		    "d.conf:2:7: this staff id is given twice; the first is "
		    "at d.conf:1\nstaff E1 { name y; mail m@b; }\n"
		    "      ^~\n" },
		{ "customer A { name x; number 551199; }\n"
		    "customer B { name y; number +551199; }\n",
		    "d.conf:2:29: this customer number is given twice; the "
		    "first is at d.conf:1\n"
		    "customer B { name y; number +551199; }\n"
		    "                            ^~~~~~~\n" },
		{ "customer A { name x; user_id u; user_id u; }\n",
		    "d.conf:1:41: this user_id is given twice; the first is "
		    "at d.conf:1\n"
		    "customer A { name x; user_id u; user_id u; }\n"
		    "                                        ^\n" },
		{ "customer A { name x; }\n",
		    "d.conf:1:10: the customer has neither number nor "
		    "user_id\ncustomer A { name x; }\n         ^\n" },
		{ "customer A { name x; number 12x; }\n",
		    "d.conf:1:29: \"12x\" is not a telephone number: country "
		    "code and number, 6 to 15 digits\n"
		    "customer A { name x; number 12x; }\n"
		    "                            ^~~\n" },
		{ "business 1 { name x; desk y; journal c; staff E9; }\n",
		    "d.conf:1:38: there is no journal \"c\"\n"
		    "business 1 { name x; desk y; journal c; staff E9; }\n"
		    "                                     ^\n"
		    "d.conf:1:47: there is no staff \"E9\"\n"
		    "business 1 { name x; desk y; journal c; staff E9; }\n"
		    "                                              ^~\n" },
		{ "business 1 { name x; desk y; }\n",
		    "d.conf:1:1: journal is missing in business { }\n"
		    "business 1 { name x; desk y; }\n^~~~~~~~\n" },
		{ "business 1 { name x; desk y; journal a; journal a; }\n",
		    "d.conf:1:49: this journal is given twice for the "
		    "number\n"
		    "business 1 { name x; desk y; journal a; journal a; }\n"
		    "                                                ^\n" },
		{ "tenant x;\n", "d.conf:1:1: unknown directive \"tenant\"; "
		    "it belongs into the main file, outside of all blocks\n"
		    "tenant x;\n^~~~~~\n" },
		{ "stuff E1 { }\n", "d.conf:1:1: unknown block \"stuff\"; "
		    "did you mean \"staff\"?\nstuff E1 { }\n^~~~~\n" },
		{ "staff E1 { mail m@b;\nname \"x\xe2\x80\xae y\"; }\n",
		    "d.conf:2:6: \"x y\" has control or invisible characters "
		    "in it\nname \"x? y\"; }\n     ^~~~~~\n" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) got = g_string_new(NULL);

		assert_null(load_directory(rows[i].text, got));
		assert_string_equal(got->str, rows[i].want);
	}
}

static void
a_missing_directory_file_is_blamed_on_its_directive(void **state)
{
	char *dir = make_dir();
	g_autofree char *conf = put_file(dir, "c.conf",
	    "directory none.conf;\n" MINIMAL);
	g_autoptr(GString) got = g_string_new(NULL);
	g_autofree char *want = g_strdup_printf("%s/c.conf:1:11: cannot open "
	    "%s/none.conf: No such file or directory\n"
	    "directory none.conf;\n          ^~~~~~~~~\n", dir, dir);
	struct conf *c = NULL;

	(void)state;
	assert_false(conf_load(conf, &c, got, NULL));
	assert_string_equal(got->str, want);
	drop_dir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_directory_knows_nobody),
		cmocka_unit_test(a_customer_is_found_by_user_id_before_number),
		cmocka_unit_test(a_business_is_found_by_id_before_number),
		cmocka_unit_test(a_taken_key_is_refused_and_leaves_no_trace),
		cmocka_unit_test(the_directory_file_says_who_is_who),
		cmocka_unit_test(a_number_that_was_handed_on_is_attributed_by_time),
		cmocka_unit_test(times_that_make_no_sense_are_refused_where_they_are),
		cmocka_unit_test(mistakes_in_the_directory_file_are_shown_where_they_are),
		cmocka_unit_test(a_missing_directory_file_is_blamed_on_its_directive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
