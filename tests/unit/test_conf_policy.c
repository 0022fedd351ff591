/* SPDX-License-Identifier: Apache-2.0 */
/* conf: the policy file, its lexicons, its hash, and its mistakes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf_help.h"
#include "io.h"
#include "policy.h"

#define MAIN "policy /p;\njournal sup { maildir /sup; }\n" \
	"gateway { application crm { token_file /a; } }\n" MINIMAL

static struct conf *
load_policy(const char *policy, const char *lexicon, GString *messages)
{
	const struct conf_text texts[] = { { "/c", MAIN, strlen(MAIN) },
		{ "/p", policy, strlen(policy) },
		{ "/lex/a.txt", lexicon, strlen(lexicon) } };
	struct conf *c = NULL;

	conf_load_texts(texts, G_N_ELEMENTS(texts), &c, messages, NULL);
	return c;
}

static struct conf *
load_good(const char *policy)
{
	g_autofree char *whole = g_strconcat(policy, "\nrule last { match "
	    "always; action copy sup; }\n", NULL);
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_policy(whole, "# empty\n", got);

	if (c == NULL || got->len > 0)
		fail_msg("%s: %s", policy, got->str);
	return c;
}

static const struct policy_rule *
rule_of(const struct conf *c, guint i)
{
	assert_true(i < c->policy->rules->len);
	return c->policy->rules->pdata[i];
}

static const struct policy_cond *
cond_of(const GPtrArray *conds, guint i)
{
	assert_true(i < conds->len);
	return conds->pdata[i];
}

static char *
join(const GPtrArray *values)
{
	g_autoptr(GPtrArray) copy = g_ptr_array_new();

	for (guint i = 0; i < values->len; i++)
		g_ptr_array_add(copy, values->pdata[i]);
	g_ptr_array_add(copy, NULL);
	return g_strjoinv("|", (char **)copy->pdata);
}

static void
without_a_policy_file_there_are_no_rules(void **state)
{
	static const uint8_t zero[HASH_SIZE];
	g_autoptr(GString) got = g_string_new(NULL);
	g_autoptr(GString) bundle = g_string_new(NULL);
	struct conf *c = load_text(MINIMAL, got);

	(void)state;
	assert_non_null(c);
	assert_null(c->policy_file);
	assert_int_equal(c->policy->rules->len, 0);
	assert_memory_equal(c->policy->sha256, zero, HASH_SIZE);
	conf_policy_bundle(c, bundle);
	assert_int_equal(bundle->len, 0);
	conf_free(c);
}

static void
a_rule_is_read_as_it_is_written(void **state)
{
	struct conf *c = load_good("hold_max 12h; hold_persons 2; "
	    "alert_every 1m;\n"
	    "rule cards {\n"
	    "match direction sent;\n"
	    "match any {\n text 'a b' c;\n all { kind message edit; "
	    "customer known; }\n}\n"
	    "match not { group 'Compliance UK'; }\n"
	    "count 25 customers 30d per business;\n"
	    "action tag pan cards;\naction flag;\n"
	    "action block 'Not by chat.';\nfinal;\nsure;\n}\n");
	const struct policy_rule *r = rule_of(c, 0);
	const struct policy_cond *any = cond_of(r->conds, 1), *all;
	const struct policy_action *tag = r->actions->pdata[0];
	const struct policy_action *block = r->actions->pdata[2];
	g_autofree char *one = join(cond_of(any->conds, 0)->values);
	g_autofree char *two = NULL, *tags = join(tag->values);

	(void)state;
	assert_int_equal(c->policy->hold_ms, 12 * 3600000);
	assert_int_equal(c->policy->hold_persons, 2);
	assert_int_equal(c->policy->alert_ms, 60000);
	assert_string_equal(r->name, "cards");
	assert_string_equal(r->where, "/p:2");
	assert_int_equal(r->conds->len, 3);
	assert_int_equal(cond_of(r->conds, 0)->match, POLICY_DIRECTION);
	assert_string_equal(cond_of(r->conds, 0)->where, "/p:3");
	assert_int_equal(any->match, POLICY_ANY);
	assert_int_equal(cond_of(any->conds, 0)->match, POLICY_TEXT);
	assert_string_equal(one, "a b|c");
	all = cond_of(any->conds, 1);
	assert_int_equal(all->match, POLICY_ALL);
	assert_string_equal(all->where, "/p:6");
	two = join(cond_of(all->conds, 0)->values);
	assert_string_equal(two, "message|edit");
	assert_int_equal(cond_of(r->conds, 2)->match, POLICY_NOT);
	assert_int_equal(cond_of(cond_of(r->conds, 2)->conds, 0)->match,
	    POLICY_GROUP);
	assert_int_equal(r->count_over, 25);
	assert_int_equal(r->count_ms, (int64_t)30 * 86400000);
	assert_int_equal(r->count_per, POLICY_PER_BUSINESS);
	assert_int_equal(r->actions->len, 3);
	assert_int_equal(tag->act, POLICY_TAG);
	assert_string_equal(tags, "pan|cards");
	assert_int_equal(block->act, POLICY_BLOCK);
	assert_string_equal(block->text, "Not by chat.");
	assert_string_equal(block->where, "/p:12");
	assert_true(r->is_final);
	assert_true(r->is_sure);
	assert_false(rule_of(c, 1)->is_final);
	assert_false(rule_of(c, 1)->is_sure);
	conf_free(c);
}

static void
every_condition_takes_its_values(void **state)
{
	static const struct {
		const char *text;
		enum policy_match match;
		const char *values;
		int64_t number;
	} rows[] = {
		{ "direction received sent", POLICY_DIRECTION,
			"received|sent" },
		{ "at gateway", POLICY_AT, "gateway" },
		{ "network whatsapp", POLICY_NETWORK, "whatsapp" },
		{ "business 106 +442079460000", POLICY_BUSINESS,
			"106|442079460000" },
		{ "desk pb", POLICY_DESK, "pb" },
		{ "author staff bot", POLICY_AUTHOR, "staff|bot" },
		{ "application crm", POLICY_APPLICATION, "crm" },
		{ "employee E1", POLICY_EMPLOYEE, "E1" },
		{ "group 'A B'", POLICY_GROUP, "A B" },
		{ "customer known C77", POLICY_CUSTOMER, "known|C77" },
		{ "customer-list watch", POLICY_CUSTOMER_LIST, "watch" },
		{ "new-counterpart", POLICY_NEW_COUNTERPART, "" },
		{ "script cyrillic", POLICY_SCRIPT, "cyrillic" },
		{ "kind message", POLICY_KIND, "message" },
		{ "type image voice", POLICY_TYPE, "image|voice" },
		{ "template offer_*", POLICY_TEMPLATE, "offer_*" },
		{ "media-type image/*", POLICY_MEDIA_TYPE, "image/*" },
		{ "file-size over 5M", POLICY_FILE_SIZE, "", 5 << 20 },
		{ "file-size 1k", POLICY_FILE_SIZE, "", 1024 },
		{ "file-name *.exe", POLICY_FILE_NAME, "*.exe" },
		{ "text-size over 4000", POLICY_TEXT_SIZE, "", 4000 },
		{ "link-host T.me *", POLICY_LINK_HOST, "t.me|*" },
		{ "time w", POLICY_TIME, "w" },
		{ "age over 2d", POLICY_AGE, "", 2 * 86400000 },
		{ "lexicon x x/lure", POLICY_LEXICON, "x|x/lure" },
		{ "lexicon x over 20", POLICY_LEXICON, "x", 20 },
		{ "pattern p", POLICY_PATTERN, "p" },
		{ "text 'call me'", POLICY_TEXT, "call me" },
		{ "detect card iban", POLICY_DETECT, "card|iban" },
		{ "malware infected unscanned", POLICY_MALWARE,
			"infected|unscanned" },
		{ "consent withdrawn", POLICY_CONSENT, "withdrawn" },
		{ "always", POLICY_ALWAYS, "" },
	};
	bool seen[POLICY_MATCHES] = { [POLICY_ALL] = true,
		[POLICY_ANY] = true, [POLICY_NOT] = true };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("lexicon x { file "
		    "lex/a.txt; } pattern p 'a+'; window w { hours daily "
		    "00:00-24:00; } rule r { match %s; final; }",
		    rows[i].text);
		struct conf *c = load_good(text);
		const struct policy_cond *cond = cond_of(
		    rule_of(c, 0)->conds, 0);
		g_autofree char *values = join(cond->values);

		assert_int_equal(cond->match, rows[i].match);
		assert_string_equal(values, rows[i].values);
		assert_int_equal(cond->number, rows[i].number);
		seen[rows[i].match] = true;
		conf_free(c);
	}
	for (int i = 0; i < POLICY_MATCHES; i++)
		assert_true(seen[i]);
}

static void
every_action_takes_its_values(void **state)
{
	static const struct {
		const char *text;
		enum policy_act act;
		const char *values, *said;
		bool once;
		int64_t ms, persons;
	} rows[] = {
		{ "tag a b", POLICY_TAG, "a|b", NULL, .ms = 0 },
		{ "flag", POLICY_FLAG, "", NULL, .ms = 0 },
		{ "retain mifid-7y", POLICY_RETAIN, "", "mifid-7y", .ms = 0 },
		{ "journal a sup", POLICY_JOURNAL, "a|sup", NULL, .ms = 0 },
		{ "only-journal sup", POLICY_ONLY_JOURNAL, "sup", NULL,
			.ms = 0 },
		{ "copy sup", POLICY_COPY, "sup", NULL, .ms = 0 },
		{ "alert", POLICY_ALERT, "", NULL, .ms = 0 },
		{ "alert sup", POLICY_ALERT, "sup", NULL, .ms = 0 },
		{ "hold", POLICY_HOLD, "", NULL, .ms = 0 },
		{ "hold persons 2 max 4h", POLICY_HOLD, "", NULL,
			.ms = 4 * 3600000, .persons = 2 },
		{ "hold max 4h persons 2", POLICY_HOLD, "", NULL,
			.ms = 4 * 3600000, .persons = 2 },
		{ "quarantine", POLICY_QUARANTINE, "", NULL, .ms = 0 },
		{ "exclude", POLICY_EXCLUDE, "", NULL, .ms = 0 },
		{ "consent given", POLICY_CONSENT_SET, "", "given", .ms = 0 },
		{ "block 'No.'", POLICY_BLOCK, "", "No.", .ms = 0 },
		{ "append 'x y'", POLICY_APPEND, "", "x y", .ms = 0 },
		{ "append x once conversation", POLICY_APPEND, "", "x", true,
			.ms = 0 },
		{ "prepend x once 30d", POLICY_PREPEND, "", "x", true,
			.ms = (int64_t)30 * 86400000 },
		{ "require-consent x", POLICY_REQUIRE_CONSENT, "", "x",
			.ms = 0 },
		{ "require-notice x", POLICY_REQUIRE_NOTICE, "", "x",
			.ms = 0 },
		{ "approve persons 1", POLICY_APPROVE, "", NULL,
			.persons = 1 },
	};
	bool seen[POLICY_ACTS] = { false };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("rule r { match "
		    "always; action %s; }", rows[i].text);
		struct conf *c = load_good(text);
		const struct policy_action *a =
		    rule_of(c, 0)->actions->pdata[0];
		g_autofree char *values = join(a->values);

		assert_int_equal(a->act, rows[i].act);
		assert_string_equal(values, rows[i].values);
		if (rows[i].said == NULL)
			assert_null(a->text);
		else
			assert_string_equal(a->text, rows[i].said);
		assert_int_equal(a->once, rows[i].once);
		assert_int_equal(a->ms, rows[i].ms);
		assert_int_equal(a->persons, rows[i].persons);
		seen[a->act] = true;
		conf_free(c);
	}
	for (int i = 0; i < POLICY_ACTS; i++)
		assert_true(seen[i]);
}

static void
a_pattern_keeps_the_backslashes_of_its_expression(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "\"\\b\\d{5}-\\d\\b\"", "\\b\\d{5}-\\d\\b" },
		{ "'\\\\b\\'\\.\\''", "\\b'\\.'" },
		{ "\\bx", "\\bx" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("pattern p %s;\n"
		    "rule r { match pattern p; final; }", rows[i].text);
		struct conf *c = load_good(text);
		const struct policy_pattern *p =
		    c->policy->patterns->pdata[0];

		assert_string_equal(p->name, "p");
		assert_string_equal(p->regex, rows[i].want);
		assert_string_equal(p->where, "/p:1");
		conf_free(c);
	}
}

static void
windows_have_days_hours_and_holidays(void **state)
{
	static const struct {
		const char *hours;
		unsigned days;
		int from, until;
	} rows[] = {
		{ "mon-fri 08:00-18:30", 0x1f, 480, 1110 },
		{ "mon,wed,sat-sun 00:00-24:00", 0x65, 0, 1440 },
		{ "fri-mon 22:00-06:00", 0x71, 1320, 360 },
		{ "daily 23:59-00:00", 0x7f, 1439, 0 },
		{ "sun 09:00-10:00", 0x40, 540, 600 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("window w { zone "
		    "Europe/London; hours %s; hours tue 10:00-11:00; holiday "
		    "12-25 2026-04-03; holiday 02-29; }\nrule r { match time "
		    "w; final; }", rows[i].hours);
		struct conf *c = load_good(text);
		const struct policy_window *w = c->policy->windows->pdata[0];
		g_autofree char *days = join(w->holidays);

		assert_string_equal(w->zone, "Europe/London");
		assert_string_equal(w->where, "/p:1");
		assert_int_equal(w->n_spans, 2);
		assert_int_equal(w->spans[0].days, rows[i].days);
		assert_int_equal(w->spans[0].from_min, rows[i].from);
		assert_int_equal(w->spans[0].until_min, rows[i].until);
		assert_string_equal(days, "12-25|2026-04-03|02-29");
		conf_free(c);
	}
}

/* --- mistakes --- */

static void
mistakes_in_rules_are_shown_where_they_are(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "rule r {\nmatch drection sent; action flag; }\n",
		    "/p:2:7: unknown condition \"drection\"; did you mean "
		    "\"direction\"?\nmatch drection sent; action flag; }\n"
		    "      ^~~~~~~~\n" },
		{ "rule r { match always;\naction flagg; }\n", "/p:2:8: "
		    "unknown action \"flagg\"; did you mean \"flag\"?\n" },
		{ "rule r {\nmatch direction out; final; }\n",
		    "/p:2:17: unknown direction \"out\"\n" },
		{ "rule r {\nmatch detect crad; final; }\n", "/p:2:14: "
		    "unknown detect \"crad\"; did you mean \"card\"?\n" },
		{ "rule r {\nmatch kind mesage; final; }\n", "/p:2:12: "
		    "unknown kind \"mesage\"; did you mean \"message\"?\n" },
		{ "rule r {\nmatch lexicon off; final; }\nlexicon offer { "
		    "file lex/a.txt; }\n", "/p:2:15: there is no lexicon "
		    "\"off\"; did you mean \"offer\"?\n" },
		{ "rule r {\nmatch lexicon x/; final; }\nlexicon x { file "
		    "lex/a.txt; }\n", "/p:2:15: a category is missing after "
		    "the '/'\n" },
		{ "rule r {\nmatch pattern p; final; }\n",
		    "/p:2:15: there is no pattern \"p\"\n" },
		{ "rule r {\nmatch time w; final; }\n",
		    "/p:2:12: there is no window \"w\"\n" },
		{ "rule r { match always;\naction copy su; }\n",
		    "/p:2:13: there is no journal \"su\"; did you mean "
		    "\"sup\"?\n" },
		{ "rule r { final; }\n",
		    "/p:1:1: match is missing in rule { }\n" },
		{ "rule r { match always; }\n", "/p:1:6: the rule does "
		    "nothing: it has neither action nor final\n" },
		{ "rule r { match always; final; }\nrule r { match always; "
		    "final; }\n", "/p:2:6: this rule is given twice; the "
		    "first is at /p:1\n" },
		{ "rule r {\nmatch; final; }\n",
		    "/p:2:1: match needs a condition\n" },
		{ "rule r {\nmatch { always; } final; }\n", "/p:2:1: match "
		    "needs a condition; write match all { … } or match any "
		    "{ … }\n" },
		{ "rule r {\nmatch any; final; }\n", "/p:2:7: any is a block "
		    "of conditions: any { … }\n" },
		{ "rule r {\nmatch any sent { always; } final; }\n",
		    "/p:2:7: any is a block of conditions: any { … }\n" },
		{ "rule r {\nmatch any { } final; }\n", "/p:2:7: there is no "
		    "condition in any { }\n" },
		{ "rule r {\nmatch not { always; at gateway; } final; }\n",
		    "/p:2:7: not { } takes one condition; put several into "
		    "any { } or all { }\n" },
		{ "rule r { match any {\nmatch always; } final; }\n",
		    "/p:2:1: conditions within a block stand without "
		    "\"match\"\n" },
		{ "rule r {\nmatch desk { always; } final; }\n", "/p:2:7: "
		    "desk takes values and ';', not a block\n" },
		{ "rule r {\nmatch desk; final; }\n",
		    "/p:2:7: desk needs desks\n" },
		{ "rule r {\nmatch always now; final; }\n",
		    "/p:2:14: always takes no value\n" },
		{ "rule r {\nmatch file-size over 5M 6M; final; }\n",
		    "/p:2:17: file-size takes over SIZE\n" },
		{ "rule r {\nmatch age over 5; final; }\n", "/p:2:16: \"5\" "
		    "needs a unit: ms, s, m, h or d\n" },
		{ "rule r {\nmatch link-host http://x; final; }\n",
		    "/p:2:17: \"http://x\" is not a domain name" },
		{ "rule r {\nmatch business 5+; final; }\n",
		    "/p:2:16: \"5+\" is not a name" },
		{ "rule r { match always;\ncount 5 people 3d; final; }\n",
		    "/p:2:9: count takes NUMBER customers DURATION [per "
		    "SUBJECT]\n" },
		{ "rule r { match always;\ncount 5 customers 3d per desks; "
		    "final; }\n", "/p:2:26: unknown subject \"desks\"; did "
		    "you mean \"desk\"?\n" },
		{ "rule r { match always;\ncount 5 customers 3d by; final; "
		    "}\n", "/p:2:22: after the duration only per SUBJECT may "
		    "follow\n" },
		{ "rule r { match always;\ncount 0 customers 3d; final; }\n",
		    "/p:2:7: \"0\" is out of range: 1 to 1000000\n" },
		{ "rule r { match always; action flag;\nfinal now; }\n",
		    "/p:2:7: final takes no value\n" },
		{ "rule r { match always;\naction hold 2; }\n", "/p:2:13: "
		    "hold takes [persons NUMBER] [max DURATION]\n" },
		{ "rule r { match always;\naction hold max 1h max 2h; }\n",
		    "/p:2:20: hold takes [persons NUMBER]" },
		{ "rule r { match always;\naction flag it; }\n",
		    "/p:2:13: flag takes no value\n" },
		{ "rule r { match always;\naction block; }\n",
		    "/p:2:8: block takes a reason in quotes\n" },
		{ "rule r { match always;\naction block not so; }\n",
		    "/p:2:8: block takes a reason in quotes\n" },
		{ "rule r { match always;\naction append x twice; }\n",
		    "/p:2:17: append takes a text in quotes [once "
		    "conversation | once DURATION]\n" },
		{ "rule r { match always;\naction consent maybe; }\n",
		    "/p:2:16: consent takes given or withdrawn\n" },
		{ "rule r { match always;\naction tag 'a b'; }\n",
		    "/p:2:12: \"a b\" is not a name" },
		{ "rule r { match always;\naction { } }\n", "/p:2:1: action "
		    "takes a value and ';', not a block\n" },
		{ "lexicon x { }\n",
		    "/p:1:1: file is missing in lexicon { }\n" },
		{ "lexicon x {\nfile y; }\n", "/p:2:6: /y cannot be read "
		    "here: only the text given counts\n" },
		{ "lexicon x { file lex/a.txt; }\nlexicon x { file "
		    "lex/a.txt; }\n", "/p:2:9: this lexicon is given twice; "
		    "the first is at /p:1\n" },
		{ "rule r { match text 'a\\d'; final; }\n", "/p:1:23: unknown "
		    "escape; only" },
		{ "pattern a b c;\n", "/p:1:13: pattern takes NAME REGEX; "
		    "put quotes around a value with blanks\n" },
		{ "pattern a b;\npattern a c;\n", "/p:2:9: this pattern is "
		    "given twice; the first is at /p:1\n" },
		{ "window w { }\n",
		    "/p:1:1: hours is missing in window { }\n" },
		{ "window w {\nhours mo-fr 08:00-18:00; }\n", "/p:2:7: "
		    "\"mo-fr\" is not days such as mon-fri, mon,wed,fri or "
		    "daily\n" },
		{ "window w {\nhours mon, 08:00-18:00; }\n",
		    "/p:2:7: \"mon,\" is not days" },
		{ "window w {\nhours mon 8:00-18:00; }\n", "/p:2:11: "
		    "\"8:00-18:00\" is not hours such as 08:00-18:00\n" },
		{ "window w {\nhours mon 08:00-24:01; }\n",
		    "/p:2:11: \"08:00-24:01\" is not hours" },
		{ "window w {\nhours mon 24:00-08:00; }\n",
		    "/p:2:11: \"24:00-08:00\" is not hours" },
		{ "window w {\nhours mon 08:00-08:00; }\n",
		    "/p:2:11: \"08:00-08:00\" is not hours" },
		{ "window w { hours mon 08:00-09:00;\nholiday 02-30; }\n",
		    "/p:2:9: \"02-30\" is not a date such as 2026-12-25, or "
		    "12-25 for each year\n" },
		{ "window w { hours mon 08:00-09:00;\nholiday "
		    "2026-12-25T00:00:00Z; }\n",
		    "/p:2:9: \"2026-12-25T00:00:00Z\" is not a date" },
		{ "hold_max 1s;\n", "/p:1:10: \"1s\" is out of range: 1m to "
		    "30d\n" },
		{ "rul r { }\n", "/p:1:1: unknown block \"rul\"; did you "
		    "mean \"rule\"?\n" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) got = g_string_new(NULL);
		struct conf *c = load_policy(rows[i].text, "", got);

		if (c != NULL || strstr(got->str, rows[i].want) == NULL)
			fail_msg("want %s\ngot %s", rows[i].want, got->str);
	}
}

static void
a_policy_file_that_is_not_there_is_an_error(void **state)
{
	g_autoptr(GString) got = g_string_new(NULL);

	(void)state;
	assert_null(load_text("policy /nonexistent/p.conf;\n" MINIMAL, got));
	assert_true(g_str_has_prefix(got->str, "t:1:8: /nonexistent/p.conf "
	    "cannot be read here"));
}

static void
a_journal_that_only_rules_use_is_used(void **state)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_policy("rule r { match always; final; }", "",
	    got);

	(void)state;
	assert_non_null(c);
	assert_non_null(strstr(got->str, "warning: nothing goes to this "
	    "journal: it is neither catch_all nor named in the directory or "
	    "in a rule\n"));
	conf_free(c);
	conf_free(load_good(""));
}

static void
rules_for_a_gateway_that_is_not_there_are_warned_of_once(void **state)
{
	static const char text[] = "policy /p; " MINIMAL;
	static const char rules[] = "rule r { match always; action flag;\n"
	    "action block x; action block y; }\n";
	const struct conf_text texts[] = { { "/c", text, strlen(text) },
		{ "/p", rules, strlen(rules) } };
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	(void)state;
	assert_true(conf_load_texts(texts, 2, &c, got, NULL));
	assert_string_equal(got->str, "/p:2:8: warning: block works at the "
	    "gateway only, and there is no gateway { } block\n"
	    "action block x; action block y; }\n       ^~~~~\n");
	conf_free(c);
}

static void
check_warning(const char *text, const char *rules, const char *want)
{
	const struct conf_text texts[] = { { "/c", text, strlen(text) },
		{ "/p", rules, strlen(rules) } };
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	assert_true(conf_load_texts(texts, 2, &c, got, NULL));
	assert_string_equal(got->str, want);
	conf_free(c);
}

static void
malware_without_a_scanner_is_warned_of_once(void **state)
{
	static const char rules[] = "rule r { match malware infected; "
	    "action flag; }\nrule s { match not { malware clean; } "
	    "action flag; }\n", sure[] = "rule r { match malware infected;\n"
	    "sure; action flag; }\n", minds[] = "rule r { match malware "
	    "infected unscanned; action flag; }\nrule s { match malware "
	    "unscanned; final; }\n";

	(void)state;
	check_warning("policy /p; " MINIMAL, rules, "/p:1:6: warning: nothing "
	    "scans files, so this rule is unsure of each; name a clamd in "
	    "media { }, or make the rule sure\n"
	    "rule r { match malware infected; action flag; }\n"
	    "     ^\n");
	check_warning("policy /p; " MINIMAL, sure, "/p:1:6: warning: nothing "
	    "scans files, so this rule never fires; name a clamd in media "
	    "{ }\nrule r { match malware infected;\n     ^\n");
	check_warning("policy /p; media { clamd /s; } " MINIMAL, rules, "");
	check_warning("policy /p; " MINIMAL, minds, "");
}

static void
a_rule_that_malware_beside_others_passes_is_warned_of(void **state)
{
	static const char rules[] = "rule r { match malware infected;\n"
	    "match not { malware unscanned; }\naction flag; }\n";

	(void)state;
	check_warning("policy /p; media { clamd /s; } " MINIMAL, rules,
	    "/p:1:6: warning: an infected file passes this rule beside one "
	    "that was not scanned; write sure; in place of not { malware "
	    "unscanned; }\nrule r { match malware infected;\n     ^\n");
}

static void
an_application_that_the_gateway_does_not_know_is_warned_of(void **state)
{
	static const char rules[] = "rule r {\n"
	    "match application crm bots;\naction flag; }\n";

	(void)state;
	check_warning("policy /p; gateway { application crm { token_file /t; "
	    "} } " MINIMAL, rules, "/p:2:23: warning: there is no application "
	    "\"bots\" in gateway { }, so this never matches\n"
	    "match application crm bots;\n                      ^~~~\n");
	check_warning("policy /p; " MINIMAL, rules, "");
}

#define DIRECTORY "staff E1 { name A; mail a@d.example; group 'Sales UK'; }\n" \
	"business 700 { number 551140040001; name P; desk private; " \
	"journal a; }\n" \
	"customer C77 { name K; number 5511999990000; list vip; }\n"

/* What is said of rules beside DIRECTORY, with more in the main file. */
static void
check_known(const char *more, const char *rules, const char *want)
{
	g_autofree char *text = g_strconcat("policy /p; directory /d; ", more,
	    MINIMAL, NULL);
	const struct conf_text texts[] = { { "/c", text, strlen(text) },
		{ "/p", rules, strlen(rules) },
		{ "/d", DIRECTORY, strlen(DIRECTORY) } };
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	if (!conf_load_texts(texts, 3, &c, got, NULL))
		fail_msg("%s: %s", rules, got->str);
	if (*want == '\0' ? got->len > 0 : strstr(got->str, want) == NULL)
		fail_msg("%s: want %s\ngot %s", rules, want, got->str);
	conf_free(c);
}

#define LDAP "ldap { url ldaps://ad.example; base dc=x; } "
#define STAFF_GATEWAY "gateway { listen 127.0.0.1:9; application x { " \
	"token_file /t; } } "

static void
what_rules_name_and_the_directory_has_not_is_warned_of(void **state)
{
	static const struct { const char *match, *want, *more; } rows[] = {
		{ "desk private", "", "" },
		{ "desk privat", "/p:1:21: warning: there is no desk "
		    "\"privat\" in the directory, so this never matches; did "
		    "you mean \"private\"?\n", "" },
		{ "business 700 +551140040001", "", "" },
		{ "business 700 701", "/p:1:29: warning: there is no business "
		    "\"701\" in the directory; did you mean \"700\"?\n", "" },
		{ "employee E1", "", "" },
		{ "employee E2", "no employee \"E2\" in the directory, so this "
		    "never matches", "" },
		{ "employee E2", "", LDAP },
		{ "employee E2", "", STAFF_GATEWAY },
		{ "group 'SALES uk'", "", "" },
		{ "group Sales", "no group \"Sales\" in the directory, so this "
		    "never matches; did you mean \"Sales UK\"?", "" },
		{ "group Sales", "", LDAP },
		{ "group Sales", "no group", STAFF_GATEWAY },
		{ "customer known unknown C77", "", "" },
		{ "customer C78", "no customer \"C78\" in the directory, so "
		    "this never matches; did you mean \"C77\"?", LDAP },
		{ "customer-list vip", "", "" },
		{ "not { customer-list vlp; }", "no customer-list \"vlp\" in "
		    "the directory, so this never matches; did you mean "
		    "\"vip\"?", LDAP },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *rules = g_strdup_printf("rule r { match %s%s "
		    "final; }\n", rows[i].match,
		    g_str_has_suffix(rows[i].match, "}") ? "" : ";");

		check_known(rows[i].more, rules, rows[i].want);
	}
	check_warning("policy /p; " MINIMAL, "rule r { match desk x; match "
	    "customer-list y; match group z; final; }", "");
}

static void
a_forgotten_semicolon_is_seen_within_a_line(void **state)
{
	static const struct { const char *rule, *want; } rows[] = {
		{ "match desk a action flag;", ":1:23: a ';' seems to be "
		    "missing before \"action\"; put quotes around it if it is "
		    "a value\n" },
		{ "match desk a b match kind call; final;",
		    ":1:25: a ';' seems to be missing before \"match\"" },
		{ "match group a count 5 customers 1d; final;",
		    ":1:24: a ';' seems to be missing before \"count\"" },
		{ "match direction sent action flag;", ":1:31: a ';' seems" },
		{ "match always action flag;", ":1:23: a ';' seems" },
		{ "match file-size over 5M action flag;", ":1:34: a ';'" },
		{ "match always; action tag a action flag;",
		    ":1:37: a ';' seems to be missing before \"action\"" },
		{ "match always; action flag action tag a;",
		    ":1:36: a ';' seems to be missing before \"action\"" },
		{ "match always; action block 'No' match always;",
		    ":1:42: a ';' seems to be missing before \"match\"" },
		{ "match always; action tag a final;",
		    ":1:37: warning: a ';' seems to be missing before "
		    "\"final\"" },
		{ "match desk a sure; final;", ":1:23: warning: a ';' seems to "
		    "be missing before \"sure\"" },
		{ "match text buy action flag; final;",
		    ":1:25: warning: a ';' seems to be missing before "
		    "\"action\"" },
		{ "match any { desk a direction sent; } final;",
		    ":1:29: warning: a ';' seems to be missing before "
		    "\"direction\"" },
		{ "match any { text a b always; } final;", ":1:31: warning: "
		    "a ';' seems to be missing before \"always\"" },
		{ "match any { desk a action flag; } final;",
		    ":1:29: a ';' seems to be missing before \"action\"" },
		{ "match text buy 'action' flag; final;", NULL },
		{ "match text action flag; final;", NULL },
		{ "match any { desk private business retail; } final;", NULL },
		{ "match any { text time age at direction; } final;", NULL },
		{ "match customer-list match; final;", NULL },
		{ "match always; action tag action flag;", NULL },
		{ "match always; action tag final;", NULL },
		{ "match always; action tag a 'final';", NULL },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("rule r { %s }\n"
		    "rule last { match always; action copy sup; }\n",
		    rows[i].rule);
		g_autoptr(GString) got = g_string_new(NULL);
		struct conf *c = load_policy(text, "", got);
		bool is_good = rows[i].want == NULL ? got->len == 0 :
		    strstr(got->str, rows[i].want) != NULL &&
		    (c != NULL) == (strstr(rows[i].want, "warning") != NULL);

		if (!is_good)
			fail_msg("%s: want %s\ngot %s", rows[i].rule,
			    rows[i].want, got->str);
		conf_free(c);
	}
}

/* --- texts --- */

struct bed {
	char *dir, *main, *policy, *part, *one, *two;
};

static void
bed_set_up(struct bed *b, const char *sub)
{
	char *top = make_dir();

	b->dir = top;
	b->main = put_file(top, "c.conf", "policy p.conf;\n" MINIMAL);
	b->policy = put_file(top, "p.conf", "include p-*.inc;\n"
	    "lexicon x { file x*.txt; file x2.txt; }\n");
	b->part = put_file(top, "p-1.inc",
	    "rule r { match lexicon x; final; }\n");
	b->one = put_file(top, "x1.txt", sub);
	b->two = put_file(top, "x2.txt", "two\n");
}

static void
bed_tear_down(struct bed *b)
{
	drop_dir(b->dir);
	g_free(b->main);
	g_free(b->policy);
	g_free(b->part);
	g_free(b->one);
	g_free(b->two);
}

static struct conf *
load_bed(const struct bed *b)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	if (!conf_load(b->main, &c, got, NULL) || got->len > 0)
		fail_msg("%s", got->str);
	return c;
}

static void
check_texts(const struct conf *c)
{
	const struct policy_lexicon *x = c->policy->lexicons->pdata[0];
	const struct policy_text *t = x->files->pdata[0];

	assert_int_equal(x->files->len, 3);
	assert_string_equal(t->name, "x1.txt");
	assert_int_equal(t->len, 4);
	assert_memory_equal(t->text, "one\n", 4);
	t = x->files->pdata[2];
	assert_string_equal(t->name, "x2.txt");
}

static char *
bundle_of(const struct conf *c)
{
	GString *out = g_string_new(NULL);

	conf_policy_bundle(c, out);
	return g_string_free(out, FALSE);
}

static const char bundle[] = "# file p.conf, 57 bytes\n"
    "include p-*.inc;\nlexicon x { file x*.txt; file x2.txt; }\n\n"
    "# file p-1.inc, 35 bytes\nrule r { match lexicon x; final; }\n\n"
    "# file x1.txt, 4 bytes\none\n\n# file x2.txt, 4 bytes\ntwo\n\n";

static void
the_rule_set_is_all_its_texts_wherever_they_lie(void **state)
{
	uint8_t want[HASH_SIZE], last[HASH_SIZE] = { 0 };

	(void)state;
	hash_sha256(bundle, strlen(bundle), want);
	for (int i = 0; i < 3; i++) {
		struct bed b;
		struct conf *c;
		g_autofree char *text = NULL;

		bed_set_up(&b, i < 2 ? "one\n" : "ones\n");
		c = load_bed(&b);
		text = bundle_of(c);
		if (i < 2) {
			assert_string_equal(text, bundle);
			assert_memory_equal(c->policy->sha256, want,
			    HASH_SIZE);
			check_texts(c);
		} else {
			assert_memory_not_equal(c->policy->sha256, last,
			    HASH_SIZE);
		}
		memcpy(last, c->policy->sha256, HASH_SIZE);
		conf_free(c);
		bed_tear_down(&b);
	}
}

static void
a_snapshot_brings_rules_and_phrases_to_who_judges(void **state)
{
	struct bed b;
	struct conf *c, *again = NULL, *part = NULL;
	uint8_t hash[HASH_SIZE];
	g_autofree char *text = NULL, *none = NULL;

	(void)state;
	bed_set_up(&b, "one\n");
	c = load_bed(&b);
	memcpy(hash, c->policy->sha256, HASH_SIZE);
	auto_fd int fd = memfd_create("conf", MFD_CLOEXEC);
	assert_true(conf_snapshot_save(c, fd, NULL));
	conf_shrink(c);
	assert_int_equal(c->policy->rules->len, 0);
	bed_tear_down(&b);

	assert_true(conf_snapshot_load(fd, &again, NULL));
	check_texts(again);
	assert_memory_equal(again->policy->sha256, hash, HASH_SIZE);
	text = bundle_of(again);
	assert_string_equal(text, bundle);

	assert_true(conf_snapshot_load_main(fd, &part, NULL));
	assert_string_equal(part->policy_file, c->policy_file);
	assert_int_equal(part->policy->rules->len, 0);
	none = bundle_of(part);
	assert_string_equal(none, "");
	conf_free(c);
	conf_free(again);
	conf_free(part);
}

static void
a_pattern_of_files_that_finds_none_is_an_error(void **state)
{
	struct bed b;
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	(void)state;
	bed_set_up(&b, "one\n");
	g_free(b.policy);
	b.policy = put_file(b.dir, "p.conf", "include p-*.inc;\n"
	    "lexicon x {\nfile y*.txt; }\n");
	assert_false(conf_load(b.main, &c, got, NULL));
	assert_non_null(strstr(got->str, "p.conf:3:6: no file is named like "
	    "this\n"));
	bed_tear_down(&b);
}

static void
another_policy_file_can_stand_in_for_a_trial(void **state)
{
	struct bed b;
	struct conf *c = NULL;
	g_autofree char *other = NULL;

	(void)state;
	bed_set_up(&b, "one\n");
	other = put_file(b.dir, "new.conf", "rule new { match always; "
	    "final; }\n");
	assert_true(conf_load_policy(b.main, other, &c, NULL, NULL));
	assert_string_equal(c->policy_file, other);
	assert_int_equal(c->policy->rules->len, 1);
	assert_string_equal(rule_of(c, 0)->name, "new");
	conf_free(c);
	bed_tear_down(&b);
}

/* A lexicon is copied once and not looked into; a policy is read once. */
static void
large_lexicons_and_many_rules_are_read_at_once(void **state)
{
	g_autoptr(GString) policy = g_string_new("lexicon x { file lex/a.txt; "
	    "}\nrule last { match always; action copy sup; }\n");
	g_autoptr(GString) phrases = g_string_new(NULL);
	g_autoptr(GString) got = g_string_new(NULL);
	const struct policy_lexicon *x;
	const struct policy_text *t;
	struct conf *c;

	(void)state;
	for (int i = 0; i < 100000; i++)
		g_string_append_printf(phrases, "phrase number %d = 3\n", i);
	for (int i = 0; i < 5000; i++)
		g_string_append_printf(policy, "rule r%d {\n\tmatch "
		    "direction sent;\n\tmatch any { lexicon x; detect card; "
		    "}\n\taction tag t%d;\n}\n", i, i);
	c = load_policy(policy->str, phrases->str, got);
	if (c == NULL || got->len > 0)
		fail_msg("%s", got->str);
	x = c->policy->lexicons->pdata[0];
	t = x->files->pdata[0];
	assert_int_equal(t->len, phrases->len);
	assert_int_equal(c->policy->rules->len, 5001);
	assert_string_equal(rule_of(c, 5000)->where, "/p:24998");
	conf_free(c);
}

/* --- documentation --- */

static void
words_are_in_the_manual(void **state)
{
	g_autofree char *manual = read_source("doc/man/chatjournal-policy.5");

	(void)state;
	for (int i = 0; i < POLICY_MATCHES; i++) {
		g_autofree char *item = g_strdup_printf("\n.It Ic %s",
		    policy_match_name((enum policy_match)i));

		if (strstr(manual, item) == NULL)
			fail_msg("chatjournal-policy.5 lacks%s", item);
	}
	for (int i = 0; i < POLICY_ACTS; i++) {
		g_autofree char *item = g_strdup_printf("\n.It Ic action %s",
		    policy_act_name((enum policy_act)i));

		if (strstr(manual, item) == NULL)
			fail_msg("chatjournal-policy.5 lacks%s", item);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_policy_file_there_are_no_rules),
		cmocka_unit_test(a_rule_is_read_as_it_is_written),
		cmocka_unit_test(every_condition_takes_its_values),
		cmocka_unit_test(every_action_takes_its_values),
		cmocka_unit_test(a_pattern_keeps_the_backslashes_of_its_expression),
		cmocka_unit_test(windows_have_days_hours_and_holidays),
		cmocka_unit_test(mistakes_in_rules_are_shown_where_they_are),
		cmocka_unit_test(a_policy_file_that_is_not_there_is_an_error),
		cmocka_unit_test(a_journal_that_only_rules_use_is_used),
		cmocka_unit_test(rules_for_a_gateway_that_is_not_there_are_warned_of_once),
		cmocka_unit_test(malware_without_a_scanner_is_warned_of_once),
		cmocka_unit_test(a_rule_that_malware_beside_others_passes_is_warned_of),
		cmocka_unit_test(an_application_that_the_gateway_does_not_know_is_warned_of),
		cmocka_unit_test(what_rules_name_and_the_directory_has_not_is_warned_of),
		cmocka_unit_test(a_forgotten_semicolon_is_seen_within_a_line),
		cmocka_unit_test(the_rule_set_is_all_its_texts_wherever_they_lie),
		cmocka_unit_test(a_snapshot_brings_rules_and_phrases_to_who_judges),
		cmocka_unit_test(a_pattern_of_files_that_finds_none_is_an_error),
		cmocka_unit_test(another_policy_file_can_stand_in_for_a_trial),
		cmocka_unit_test(large_lexicons_and_many_rules_are_read_at_once),
		cmocka_unit_test(words_are_in_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
