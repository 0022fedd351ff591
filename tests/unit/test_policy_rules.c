/* SPDX-License-Identifier: Apache-2.0 */
/* policy: what is wrong with rules is said, all of it, with its place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "err.h"
#include "policy_bed.h"

static struct policy_bed bed;

static int
open_bed(void **state)
{
	(void)state;
	policy_bed_init(&bed);
	return 0;
}

static int
close_bed(void **state)
{
	(void)state;
	policy_bed_clear(&bed);
	return 0;
}

static struct policy_cond *
cond(const char *match, const char *values)
{
	return policy_bed_cond(match, values, 0);
}

static struct policy_cond *
not(struct policy_cond *c)
{
	return policy_bed_group("not", c, NULL, NULL);
}

static struct policy_rule *
flag_rule(const char *name, struct policy_cond *c)
{
	struct policy_rule *r = policy_bed_rule(&bed, name, c);

	policy_bed_act(r, "flag", "", NULL);
	return r;
}

static void
assert_said(const char *words)
{
	if (!policy_bed_said(&bed, words))
		fail_msg("not said: %s; first of %u: %s", words,
		    bed.issues->len, bed.issues->len > 0 ?
		    (const char *)g_ptr_array_index(bed.issues, 0) : "none");
}

static void
assert_quiet(void)
{
	policy_bed_compile(&bed);
	if (bed.issues->len > 0)
		fail_msg("%s",
		    (const char *)g_ptr_array_index(bed.issues, 0));
}

/* ---- mistakes ------------------------------------------------------------------------ */

static const struct mistake {
	const char *match, *values;
	int64_t number;
	const char *said;
} mistakes[] = {
	{ "direction", "", 0, "p:2: direction needs a value" },
	{ "direction", "inwards", 0, "p:2: direction cannot be inwards; it is "
	    "one of: received sent" },
	{ "at", "home", 0, "it is one of: capture gateway" },
	{ "author", "nobody", 0, "author cannot be nobody" },
	{ "kind", "letter", 0, "kind cannot be letter" },
	{ "type", "letter", 0, "type cannot be letter" },
	{ "script", "runes", 0, "script cannot be runes" },
	{ "detect", "cards", 0, "detect cannot be cards; it is one of: card " },
	{ "malware", "unknown", 0, "it is one of: clean infected unscanned" },
	{ "consent", "maybe", 0, "it is one of: unknown given withdrawn" },
	{ "always", "x", 0, "always takes no value, but has x" },
	{ "age", "x", 0, "age takes no value" },
	{ "file-size", "", -1, "file-size cannot be negative" },
	{ "lexicon", "lures", 0, "there is no lexicon lures" },
	{ "lexicon", "known/none", 0,
	    "no file of lexicon known has a line [category none]" },
	{ "lexicon", "known", -1, "lexicon cannot be negative" },
	{ "pattern", "x", 0, "there is no pattern x; define it" },
	{ "time", "night", 0, "there is no window night; define it" },
	{ "any", "", 0, "any { } has no condition in it" },
	{ "all", "", 0, "all { } has no condition in it" },
	{ "not", "", 0, "not { } has no condition in it" },
	{ "text", "...", 0, "p:2: text \"...\": " },
};

static void
a_condition_that_cannot_be_read_is_an_error_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		policy_bed_init(&bed);
		policy_bed_lexicon(&bed, "known", "k.txt", "[category some]\n"
		    "word\n");
		flag_rule("r", policy_bed_cond(mistakes[i].match,
		    mistakes[i].values, mistakes[i].number));
		assert_false(policy_bed_try(&bed));
		assert_said(mistakes[i].said);
		assert_said("error p:2: ");
		policy_bed_clear(&bed);
	}
}

static void
not_of_several_conditions_is_refused_with_the_remedy(void **state)
{
	(void)state;
	flag_rule("r", policy_bed_group("not", cond("desk", "a"),
	    cond("desk", "b"), NULL));
	assert_false(policy_bed_try(&bed));
	assert_said("not { } takes one condition; put any { } or all { } "
	    "around several");
}

static void
conditions_within_one_that_takes_none_are_refused(void **state)
{
	struct policy_cond *c = cond("desk", "a");

	(void)state;
	g_ptr_array_add(c->conds, cond("desk", "b"));
	flag_rule("r", c);
	assert_false(policy_bed_try(&bed));
	assert_said("error p:2: desk takes no conditions");
}

static void
a_phrase_given_twice_is_warned_of_with_its_line(void **state)
{
	(void)state;
	policy_bed_lexicon(&bed, "l", "l.txt", "word\nother\nWORD\n");
	flag_rule("r", cond("lexicon", "l"));
	policy_bed_compile(&bed);
	assert_int_equal(bed.issues->len, 1);
	assert_said("warning l.txt:3: ");
}

static const struct act_mistake {
	const char *act, *values, *text;
	int64_t number;
	const char *said;
} act_mistakes[] = {
	{ "tag", "", NULL, 0, "p:3: tag needs a name" },
	{ "journal", "", NULL, 0, "journal needs a name" },
	{ "only-journal", "", NULL, 0, "only-journal needs a name" },
	{ "copy", "", NULL, 0, "copy needs a name" },
	{ "retain", "", NULL, 0, "retain needs a retention class" },
	{ "block", "", NULL, 0, "block needs a text" },
	{ "block", "", "", 0, "block needs a text" },
	{ "append", "", NULL, 0, "append needs a text" },
	{ "prepend", "", NULL, 0, "prepend needs a text" },
	{ "require-consent", "", NULL, 0, "require-consent needs a text" },
	{ "require-notice", "", NULL, 0, "require-notice needs a text" },
	{ "consent", "", NULL, 0, "consent needs given or withdrawn" },
	{ "consent", "", "unknown", 0, "consent cannot be set to unknown" },
	{ "consent", "", "yes", 0, "it is one of: given withdrawn" },
	{ "hold", "", NULL, -1, "cannot be negative" },
};

static void
an_action_without_what_it_needs_is_an_error_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(act_mistakes); i++) {
		const struct act_mistake *m = &act_mistakes[i];

		policy_bed_init(&bed);
		policy_bed_act(policy_bed_rule(&bed, "r", NULL), m->act,
		    m->values, m->text)->ms = m->number;
		assert_false(policy_bed_try(&bed));
		assert_said(m->said);
		assert_said("error p:3: ");
		policy_bed_clear(&bed);
	}
}

static void
a_pattern_that_does_not_compile_is_named(void **state)
{
	(void)state;
	policy_bed_pattern(&bed, "used", "a(b");
	policy_bed_pattern(&bed, "unused", "a[b");
	flag_rule("r", cond("pattern", "used"));
	assert_false(policy_bed_try(&bed));
	assert_said("error p:5: pattern used: ");
	assert_said("error p:5: pattern unused: ");
}

static void
a_line_of_a_lexicon_that_cannot_be_read_is_named_with_its_file(void **state)
{
	(void)state;
	policy_bed_lexicon(&bed, "a", "a.txt", "fine\nphrase = heavy\n");
	policy_bed_lexicon(&bed, "b", "b.txt", "fine\nphrase = 1000\n");
	flag_rule("r", cond("lexicon", "a"));
	assert_false(policy_bed_try(&bed));
	assert_said("error a.txt:2: ");
	assert_said("error b.txt:2: ");
}

static const struct window_mistake {
	const char *zone;
	struct policy_span span;
	const char *holiday, *said;
} window_mistakes[] = {
	{ "Europe/Lodnon", { 1, 0, 60 }, NULL, "there is no time zone "
	    "Europe/Lodnon" },
	{ NULL, { 0, 0, 60 }, NULL, "hours that are not of a day" },
	{ NULL, { 128, 0, 60 }, NULL, "hours that are not of a day" },
	{ NULL, { 1, 1440, 60 }, NULL, "hours that are not of a day" },
	{ NULL, { 1, 0, 1441 }, NULL, "hours that are not of a day" },
	{ NULL, { 1, 0, 60 }, "02-30", "02-30 is no date" },
	{ NULL, { 1, 0, 60 }, "2026-02-29", "2026-02-29 is no date" },
	{ NULL, { 1, 0, 60 }, "2026-01-01T00:00:00Z", "is no date" },
	{ NULL, { 1, 0, 60 }, "christmas", "christmas is no date" },
};

static void
a_window_that_is_none_is_an_error_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(window_mistakes); i++) {
		const struct window_mistake *m = &window_mistakes[i];
		struct policy_window *w;

		policy_bed_init(&bed);
		policy_bed_window(&bed, "w", m->zone, &m->span);
		w = g_ptr_array_index(bed.source->windows, 0);
		if (m->holiday != NULL)
			g_ptr_array_add(w->holidays, g_strdup(m->holiday));
		assert_false(policy_bed_try(&bed));
		assert_said(m->said);
		assert_said("error p:6: window w");
		policy_bed_clear(&bed);
	}
	policy_bed_init(&bed);
	policy_bed_window(&bed, "w", NULL, NULL);
	assert_false(policy_bed_try(&bed));
	assert_said("window w has no hours");
	policy_bed_clear(&bed);
}

static void
a_leap_day_is_a_holiday_of_each_year(void **state)
{
	const struct policy_span span = { 1, 0, 60 };
	struct policy_window *w;

	(void)state;
	policy_bed_window(&bed, "w", NULL, &span);
	w = g_ptr_array_index(bed.source->windows, 0);
	g_ptr_array_add(w->holidays, g_strdup("02-29"));
	flag_rule("r", cond("time", "w"));
	assert_quiet();
}

static void
two_of_one_name_are_refused(void **state)
{
	const struct policy_span span = { 1, 0, 60 };

	(void)state;
	flag_rule("same", cond("desk", "a"));
	flag_rule("same", cond("desk", "b"));
	policy_bed_lexicon(&bed, "l", "a.txt", "a\n");
	policy_bed_lexicon(&bed, "l", "b.txt", "b\n");
	policy_bed_pattern(&bed, "p", "a");
	policy_bed_pattern(&bed, "p", "b");
	policy_bed_window(&bed, "w", NULL, &span);
	policy_bed_window(&bed, "w", NULL, &span);
	assert_false(policy_bed_try(&bed));
	assert_said("there are two rules named same");
	assert_said("there are two lexicons named l");
	assert_said("there are two patterns named p");
	assert_said("there are two windows named w");
}

static void
all_mistakes_are_told_in_one_run_and_the_error_counts_them(void **state)
{
	struct policy *p = NULL;
	struct err err = ERR_INIT;
	struct policy_rule *r = flag_rule("r", cond("direction", "up|down"));

	(void)state;
	policy_bed_act(r, "block", "", NULL);
	r->count_ms = -1;
	flag_rule("s", cond("lexicon", "none"));
	bed.source->hold_ms = 0;
	bed.source->hold_persons = 0;
	bed.source->alert_ms = -1;
	assert_false(policy_bed_try(&bed));
	assert_int_equal(bed.issues->len, 8);
	assert_said("hold_max");
	assert_said("hold_persons");
	assert_said("alert_every");
	assert_said("p:1: rule r: a count is");
	/* Also when nobody listens. */
	assert_false(policy_new(bed.source, NULL, NULL, &p, &err));
	assert_null(p);
	assert_non_null(strstr(err.text, "(and 7 more)"));
}

/* ---- warnings: what never happens ----------------------------------------------------- */

static void
what_follows_a_final_rule_that_always_fires_never_does(void **state)
{
	(void)state;
	flag_rule("first", cond("desk", "pb"))->is_final = true;
	flag_rule("last", cond("direction", "received|sent"))->is_final = true;
	flag_rule("never", cond("desk", "fx"));
	policy_bed_compile(&bed);
	assert_int_equal(bed.issues->len, 1);
	assert_said("warning p:1: rule never can never fire: rule last before "
	    "it always fires and is final");
}

static void
a_final_rule_that_may_not_fire_hides_nothing(void **state)
{
	struct policy_rule *r;

	(void)state;
	flag_rule("a", cond("direction", "received"))->is_final = true;
	r = flag_rule("b", cond("always", ""));
	r->is_final = true;
	r->count_over = 3;
	r->count_ms = 1000;
	flag_rule("c", policy_bed_group("any", cond("desk", "a"),
	    cond("desk", "b"), NULL))->is_final = true;
	flag_rule("d", NULL);
	assert_quiet();
}

/* A rule of these conditions, which must be complained of; or must not. */
static void
check_pair(struct policy_cond *a, struct policy_cond *b, bool never)
{
	policy_bed_init(&bed);
	policy_bed_lexicon(&bed, "l", "l.txt", "word\n");
	flag_rule("uses", cond("lexicon", "l"));
	flag_rule("r", policy_bed_group("all", a, b, NULL));
	policy_bed_compile(&bed);
	if (never)
		assert_said("rule r can never fire: its conditions exclude "
		    "each other");
	else if (bed.issues->len > 0)
		fail_msg("%s", (const char *)g_ptr_array_index(bed.issues, 0));
	policy_bed_clear(&bed);
}

static void
conditions_that_exclude_each_other_are_warned_of(void **state)
{
	(void)state;
	check_pair(cond("direction", "received"), cond("direction", "sent"),
	    true);
	check_pair(cond("direction", "received"), cond("at", "gateway"), true);
	check_pair(cond("at", "gateway"), not(cond("direction", "sent")),
	    true);
	check_pair(cond("desk", "a|b"), cond("desk", "c"), true);
	check_pair(cond("network", "x"), cond("network", "y"), true);
	check_pair(cond("employee", "x"), cond("employee", "y"), true);
	check_pair(cond("application", "x"), cond("application", "y"), true);
	check_pair(cond("author", "bot"), cond("author", "staff"), true);
	check_pair(cond("kind", "message"), cond("kind", "edit"), true);
	check_pair(cond("consent", "given"), cond("consent", "unknown"),
	    true);
	check_pair(cond("customer", "unknown"), cond("customer", "c1"), true);
	check_pair(cond("detect", "card"), not(cond("detect", "card|iban")),
	    true);
	check_pair(cond("lexicon", "l"), not(cond("lexicon", "l")), true);
	check_pair(policy_bed_cond("age", "", 2), not(policy_bed_cond("age",
	    "", 1)), true);
	check_pair(cond("always", ""), not(cond("always", "")), true);
	check_pair(cond("desk", "a"), policy_bed_group("any",
	    cond("desk", "b"), not(cond("desk", "a|c")), NULL), true);
	check_pair(cond("direction", "sent"), not(policy_bed_group("any",
	    cond("direction", "sent"), cond("detect", "card"), NULL)), true);
	check_pair(not(cond("consent", "given|withdrawn")),
	    not(cond("consent", "unknown")), true);
}

static void
conditions_that_can_meet_are_not_warned_of(void **state)
{
	(void)state;
	check_pair(cond("direction", "received|sent"),
	    cond("direction", "sent"), false);
	check_pair(cond("desk", "a|b"), cond("desk", "b|c"), false);
	/* One business has an id and a number. */
	check_pair(cond("business", "1065"), cond("business", "+551140040001"),
	    false);
	check_pair(cond("group", "a"), cond("group", "b"), false);
	check_pair(cond("customer", "known"), cond("customer", "c1"), false);
	check_pair(cond("customer-list", "a"), cond("customer-list", "b"),
	    false);
	check_pair(cond("detect", "card"), not(cond("detect", "iban")),
	    false);
	check_pair(cond("detect", "card|iban"), not(cond("detect", "iban")),
	    false);
	check_pair(policy_bed_cond("age", "", 1), not(policy_bed_cond("age",
	    "", 2)), false);
	check_pair(policy_bed_cond("lexicon", "l", 0),
	    not(policy_bed_cond("lexicon", "l", 5)), false);
	check_pair(cond("template", "a*"), cond("template", "*b"), false);
	check_pair(cond("malware", "clean"), cond("malware", "infected"),
	    false);
	check_pair(cond("direction", "sent"), policy_bed_group("any",
	    cond("direction", "received"), cond("desk", "a"), NULL), false);
	check_pair(cond("desk", "a"), not(policy_bed_group("all",
	    cond("desk", "a"), cond("detect", "card"), NULL)), false);
}

static void
actions_of_the_gateway_on_what_never_passes_it_are_warned_of(void **state)
{
	(void)state;
	policy_bed_act(policy_bed_rule(&bed, "a", cond("direction",
	    "received")), "block", "", "No.");
	policy_bed_act(policy_bed_rule(&bed, "b", cond("at", "capture")),
	    "require-notice", "", "We record.");
	policy_bed_act(policy_bed_rule(&bed, "c", not(cond("at", "gateway"))),
	    "approve", "", NULL);
	policy_bed_act(policy_bed_rule(&bed, "d", cond("direction", "sent")),
	    "block", "", "No.");
	policy_bed_act(policy_bed_rule(&bed, "e", cond("at", "capture")),
	    "hold", "", NULL);
	policy_bed_compile(&bed);
	assert_int_equal(bed.issues->len, 3);
	assert_said("warning p:3: block is for the gateway, but rule a is "
	    "for what never passes it");
	assert_said("require-notice is for the gateway, but rule b");
	assert_said("approve is for the gateway, but rule c");
}

static void
what_no_rule_uses_is_warned_of_and_not_looked_for(void **state)
{
	const struct policy_span span = { 1, 0, 60 };
	struct policy_verdict *v;

	(void)state;
	policy_bed_lexicon(&bed, "l", "l.txt", "word\n");
	policy_bed_pattern(&bed, "p", "word");
	policy_bed_window(&bed, "w", NULL, &span);
	flag_rule("r", cond("desk", "a"));
	policy_bed_compile(&bed);
	assert_int_equal(bed.issues->len, 3);
	assert_said("warning p:4: no rule uses lexicon l");
	assert_said("warning p:5: no rule uses pattern p");
	assert_said("warning p:6: no rule uses window w");
	v = policy_bed_judge(&bed, "text=word");
	assert_int_equal(v->fired->len, 0);
	policy_verdict_free(v);
}

static void
a_rule_that_does_nothing_is_warned_of(void **state)
{
	(void)state;
	policy_bed_rule(&bed, "a", cond("desk", "a"));
	policy_bed_rule(&bed, "b", cond("desk", "b"))->is_final = true;
	policy_bed_compile(&bed);
	assert_int_equal(bed.issues->len, 1);
	assert_said("warning p:1: rule a does nothing");
}

static void
a_set_with_everything_in_its_place_is_quiet(void **state)
{
	struct policy_rule *r;

	(void)state;
	policy_bed_lexicon(&bed, "l", "l.txt", "[category a]\nword\n"
	    "[category b]\nother word = 7\n");
	r = flag_rule("r", policy_bed_group("all", cond("direction", "sent"),
	    cond("lexicon", "l/a|l/b"), not(cond("group", "Compliance"))));
	policy_bed_act(r, "block", "", "No.");
	policy_bed_act(r, "alert", "", NULL);
	r->count_over = 25;
	r->count_ms = 1000;
	assert_quiet();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_condition_that_cannot_be_read_is_an_error_with_its_place),
		TEST(conditions_within_one_that_takes_none_are_refused),
		TEST(a_phrase_given_twice_is_warned_of_with_its_line),
		TEST(not_of_several_conditions_is_refused_with_the_remedy),
		cmocka_unit_test(
		    an_action_without_what_it_needs_is_an_error_with_its_place),
		TEST(a_pattern_that_does_not_compile_is_named),
		TEST(a_line_of_a_lexicon_that_cannot_be_read_is_named_with_its_file),
		cmocka_unit_test(
		    a_window_that_is_none_is_an_error_with_its_place),
		TEST(a_leap_day_is_a_holiday_of_each_year),
		TEST(two_of_one_name_are_refused),
		TEST(all_mistakes_are_told_in_one_run_and_the_error_counts_them),
		TEST(what_follows_a_final_rule_that_always_fires_never_does),
		TEST(a_final_rule_that_may_not_fire_hides_nothing),
		cmocka_unit_test(
		    conditions_that_exclude_each_other_are_warned_of),
		cmocka_unit_test(conditions_that_can_meet_are_not_warned_of),
		TEST(actions_of_the_gateway_on_what_never_passes_it_are_warned_of),
		TEST(what_no_rule_uses_is_warned_of_and_not_looked_for),
		TEST(a_rule_that_does_nothing_is_warned_of),
		TEST(a_set_with_everything_in_its_place_is_quiet),
	};

	return cmocka_run_group_tests_name("policy rules", tests, NULL, NULL);
}
