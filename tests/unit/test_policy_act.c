/* SPDX-License-Identifier: Apache-2.0 */
/* policy: every action, what is final, what is counted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "clock.h"
#include "policy_bed.h"

#define GATEWAY "at=gateway; direction=sent; talk=t1; counterpart=551199"
#define UNSURE_GATEWAY GATEWAY "; groups-unknown"
#define NOW "; now=2026-02-03T12:00:00Z"
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static int64_t
now(void)
{
	return clock_parse("2026-02-03T12:00:00Z");
}

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

/* A rule whose condition is sure, or not. */
static struct policy_rule *
rule(const char *name, bool is_unsure)
{
	return policy_bed_rule(&bed, name, is_unsure ?
	    policy_bed_cond("group", "Sales", 0) : NULL);
}

/* ---- every action ------------------------------------------------------------------ */

/*
 * The JSON of a verdict after "fired": what the action did where it can be
 * taken, when its rule is unsure, and where only the gateway could take it.
 */
static const struct row {
	const char *law, *act, *values, *text, *sure, *unsure, *captured;
} rows[] = {
	{ "tag adds tags", "tag", "pan|cards", NULL,
	    ",\"tags\":[\"pan\",\"cards\"]", ",\"tags\":[\"pan\",\"cards\"]",
	    ",\"tags\":[\"pan\",\"cards\"]" },
	{ "flag marks it for review", "flag", "", NULL, ",\"flag\":true",
	    ",\"flag\":true", ",\"flag\":true" },
	{ "retain sets the class", "retain", "", "ten-years",
	    ",\"retain\":\"ten-years\"", ",\"retain\":\"ten-years\"",
	    ",\"retain\":\"ten-years\"" },
	{ "journal adds journals", "journal", "legal|audit", NULL,
	    ",\"journals\":[\"legal\",\"audit\"]",
	    ",\"journals\":[\"legal\",\"audit\"]",
	    ",\"journals\":[\"legal\",\"audit\"]" },
	{ "only-journal replaces them only when it is sure", "only-journal",
	    "legal", NULL, ",\"only_journals\":[\"legal\"]", "",
	    ",\"only_journals\":[\"legal\"]" },
	{ "copy goes to supervisors", "copy", "boss", NULL,
	    ",\"copies\":[\"boss\"]", ",\"copies\":[\"boss\"]",
	    ",\"copies\":[\"boss\"]" },
	{ "alert names the rule, and the mails it asks for", "alert", "soc",
	    NULL, ",\"alerts\":[\"r\",\"r soc\"]",
	    ",\"alerts\":[\"r\",\"r soc\"]",
	    ",\"alerts\":[\"r\",\"r soc\"]" },
	{ "hold waits for a person", "hold", "", NULL,
	    ",\"hold\":{\"rule\":\"r\",\"ms\":86400000,\"persons\":1}",
	    ",\"hold\":{\"rule\":\"r\",\"ms\":86400000,\"persons\":1}",
	    ",\"hold\":{\"rule\":\"r\",\"ms\":86400000,\"persons\":1}" },
	{ "quarantine keeps files back only when it is sure", "quarantine",
	    "", NULL, ",\"quarantine\":true", "", ",\"quarantine\":true" },
	{ "exclude leaves a record only when it is sure", "exclude", "", NULL,
	    ",\"exclude\":\"r\"", "", ",\"exclude\":\"r\"" },
	{ "consent is set only when it is sure", "consent", "", "withdrawn",
	    ",\"consent\":\"withdrawn\"", "",
	    ",\"consent\":\"withdrawn\"" },
	{ "block says its reason, at the gateway", "block", "", "No.",
	    ",\"block\":{\"rule\":\"r\",\"reason\":\"No.\"}",
	    ",\"block\":{\"rule\":\"r\",\"reason\":\"No.\"}", NULL },
	{ "append puts text after, at the gateway", "append", "", "Bye.",
	    ",\"additions\":[{\"rule\":\"r\",\"text\":\"Bye.\"}]",
	    ",\"additions\":[{\"rule\":\"r\",\"text\":\"Bye.\"}]", NULL },
	{ "prepend puts text before, at the gateway", "prepend", "", "Hi.",
	    ",\"additions\":[{\"rule\":\"r\",\"text\":\"Hi.\",\"before\":true}]",
	    ",\"additions\":[{\"rule\":\"r\",\"text\":\"Hi.\",\"before\":true}]",
	    NULL },
	{ "require-consent blocks without it, at the gateway",
	    "require-consent", "", "Ask first.",
	    ",\"block\":{\"rule\":\"r\",\"reason\":\"Ask first.\"}",
	    ",\"block\":{\"rule\":\"r\",\"reason\":\"Ask first.\"}", NULL },
	{ "require-notice puts it before, once, at the gateway",
	    "require-notice", "", "We record.",
	    ",\"additions\":[{\"rule\":\"r\",\"text\":\"We record.\","
	    "\"before\":true,\"once\":true}]",
	    ",\"additions\":[{\"rule\":\"r\",\"text\":\"We record.\","
	    "\"before\":true,\"once\":true}]", NULL },
	{ "approve is a hold for a second person, at the gateway", "approve",
	    "", NULL, ",\"hold\":{\"rule\":\"r\",\"ms\":86400000,"
	    "\"persons\":1,\"approve\":true}",
	    ",\"hold\":{\"rule\":\"r\",\"ms\":86400000,"
	    "\"persons\":1,\"approve\":true}", NULL },
};

static char *
done(const struct policy_verdict *v)
{
	g_autoptr(GString) json = g_string_new(NULL);
	const char *rest;

	policy_verdict_print(v, json);
	rest = strstr(json->str, "}]");
	assert_non_null(rest);
	return g_strndup(rest + 2, strlen(rest) - 3);
}

static void
check_row(const struct row *row, const char *scene, bool is_unsure,
    const char *want)
{
	struct policy_verdict *v;
	struct policy_fired *f;
	g_autofree char *got = NULL;

	policy_bed_init(&bed);
	policy_bed_act(rule("r", is_unsure), row->act, row->values,
	    row->text);
	v = policy_bed_judge(&bed, scene);
	f = policy_bed_fired(v, "r");
	assert_non_null(f);
	assert_int_equal(f->is_unsure, is_unsure);
	assert_int_equal(f->not_here, want == NULL);
	got = done(v);
	assert_string_equal(got, want != NULL ? want : "");
	policy_verdict_free(v);
	policy_bed_clear(&bed);
}

static void
an_action_does_this_and_nothing_else(void **state)
{
	const struct row *row = *state;

	check_row(row, GATEWAY, false, row->sure);
	check_row(row, UNSURE_GATEWAY, true, row->unsure);
	check_row(row, "direction=sent", false, row->captured);
}

static void
every_action_has_a_scenario(void **state)
{
	(void)state;
	assert_int_equal(G_N_ELEMENTS(rows), POLICY_ACTS);
	for (int a = 0; a < POLICY_ACTS; a++)
		assert_string_equal(rows[a].act,
		    policy_act_name((enum policy_act)a));
}

/* ---- several rules ------------------------------------------------------------------- */

static void
all_rules_that_match_are_named_in_their_order(void **state)
{
	struct policy_verdict *v;

	(void)state;
	rule("a", false);
	policy_bed_rule(&bed, "b", policy_bed_cond("desk", "pb", 0));
	rule("c", true);
	v = policy_bed_judge(&bed, UNSURE_GATEWAY);
	assert_int_equal(v->fired->len, 2);
	assert_string_equal(((struct policy_fired *)g_ptr_array_index(v->fired,
	    0))->rule, "a");
	assert_string_equal(((struct policy_fired *)g_ptr_array_index(v->fired,
	    1))->rule, "c");
	policy_verdict_free(v);
}

static void
what_several_rules_demand_adds_up_each_once(void **state)
{
	struct policy_rule *r = rule("a", false);
	struct policy_verdict *v;

	(void)state;
	policy_bed_act(r, "tag", "x|y", NULL);
	policy_bed_act(r, "journal", "legal", NULL);
	r = rule("b", false);
	policy_bed_act(r, "tag", "y|z", NULL);
	policy_bed_act(r, "journal", "legal|audit", NULL);
	v = policy_bed_judge(&bed, "");
	assert_int_equal(v->tags->len, 3);
	assert_int_equal(v->journals->len, 2);
	policy_verdict_free(v);
}

static void
the_first_rule_sets_retention_and_the_public_reason(void **state)
{
	struct policy_rule *r = rule("a", false);
	struct policy_verdict *v;

	(void)state;
	policy_bed_act(r, "retain", "", "ten");
	policy_bed_act(r, "block", "", "First.");
	r = rule("b", false);
	policy_bed_act(r, "retain", "", "five");
	policy_bed_act(r, "block", "", "Second.");
	v = policy_bed_judge(&bed, GATEWAY);
	assert_string_equal(v->retain, "ten");
	assert_string_equal(v->block, "First.");
	assert_string_equal(v->block_rule, "a");
	policy_verdict_free(v);
}

static void
the_longest_hold_and_the_most_persons_count(void **state)
{
	struct policy_action *a = policy_bed_act(rule("a", false), "hold", "",
	    NULL);
	struct policy_verdict *v;

	(void)state;
	a->ms = HOUR_MS;
	a->persons = 2;
	a = policy_bed_act(rule("b", false), "hold", "", NULL);
	a->ms = 2 * HOUR_MS;
	a->persons = 1;
	v = policy_bed_judge(&bed, "");
	assert_int_equal(v->hold_ms, 2 * HOUR_MS);
	assert_int_equal(v->hold_persons, 2);
	assert_string_equal(v->hold_rule, "a");
	assert_false(v->approve);
	policy_verdict_free(v);
}

static void
a_hold_that_says_nothing_has_the_defaults_of_the_file(void **state)
{
	struct policy_verdict *v;

	(void)state;
	bed.source->hold_ms = 3 * DAY_MS;
	bed.source->hold_persons = 2;
	policy_bed_act(rule("a", false), "hold", "", NULL);
	v = policy_bed_judge(&bed, "");
	assert_int_equal(v->hold_ms, 3 * DAY_MS);
	assert_int_equal(v->hold_persons, 2);
	policy_verdict_free(v);
}

static void
of_two_consents_the_withdrawal_counts(void **state)
{
	struct policy_verdict *v;

	(void)state;
	policy_bed_act(rule("a", false), "consent", "", "withdrawn");
	policy_bed_act(rule("b", false), "consent", "", "given");
	v = policy_bed_judge(&bed, "");
	assert_int_equal(v->consent_set, POLICY_CONSENT_WITHDRAWN);
	policy_verdict_free(v);
}

static void
no_rule_no_demand(void **state)
{
	struct policy_verdict *v;
	g_autofree char *scene = g_strdup("text=4111 1111 1111 1111");

	(void)state;
	memset(bed.source->sha256, 0x5a, HASH_SIZE);
	v = policy_bed_judge(&bed, scene);
	assert_true(policy_is_empty(bed.policy));
	assert_memory_equal(policy_sha256(bed.policy), v->set, HASH_SIZE);
	assert_int_equal(v->set[0], 0x5a);
	assert_int_equal(v->fired->len, 0);
	assert_string_equal(policy_verdict_word(v), "deliver");
	policy_verdict_free(v);
}

/* ---- final ------------------------------------------------------------------------- */

static void
after_a_final_rule_fired_no_later_one_is_looked_at(void **state)
{
	struct policy_verdict *v;

	(void)state;
	policy_bed_rule(&bed, "a", policy_bed_cond("desk", "pb", 0))->is_final
	    = true;
	policy_bed_act(rule("b", false), "flag", "", NULL);
	v = policy_bed_judge(&bed, "desk=pb");
	assert_false(v->flag);
	assert_int_equal(v->fired->len, 1);
	policy_verdict_free(v);
	v = policy_bed_judge(&bed, "desk=fx");
	assert_true(v->flag);
	policy_verdict_free(v);
}

static void
a_final_rule_that_is_unsure_stops_nothing(void **state)
{
	struct policy_verdict *v;

	(void)state;
	rule("a", true)->is_final = true;
	policy_bed_act(rule("b", false), "flag", "", NULL);
	v = policy_bed_judge(&bed, UNSURE_GATEWAY);
	assert_true(v->flag);
	assert_int_equal(v->fired->len, 2);
	policy_verdict_free(v);
}

static void
a_sure_rule_fires_only_when_it_is_sure(void **state)
{
	struct policy_rule *r = rule("a", true);
	struct policy_verdict *v;

	(void)state;
	r->is_sure = true;
	policy_bed_act(r, "block", "", "No.");
	v = policy_bed_judge(&bed, UNSURE_GATEWAY);
	assert_int_equal(v->fired->len, 0);
	assert_null(v->block);
	policy_verdict_free(v);
	v = policy_bed_judge(&bed, GATEWAY "; group=Sales");
	assert_string_equal(v->block, "No.");
	policy_verdict_free(v);
}

static void
a_sure_rule_counts_what_is_sure(void **state)
{
	struct policy_rule *r = rule("a", true);
	struct policy_verdict *v;

	(void)state;
	r->is_sure = true;
	r->count_over = 1;
	r->count_ms = DAY_MS;
	policy_bed_act(r, "block", "", "No.");
	v = policy_bed_judge(&bed, UNSURE_GATEWAY NOW);
	assert_int_equal(v->tallies->len, 0);
	assert_int_equal(v->fired->len, 0);
	policy_verdict_free(v);
}

static void
a_final_rule_whose_count_is_not_reached_stops_nothing(void **state)
{
	struct policy_rule *r = rule("a", false);
	struct policy_verdict *v;

	(void)state;
	r->is_final = true;
	r->count_over = 1;
	r->count_ms = DAY_MS;
	policy_bed_act(rule("b", false), "flag", "", NULL);
	v = policy_bed_judge(&bed, GATEWAY);
	assert_true(v->flag);
	policy_verdict_free(v);
}

/* ---- texts once --------------------------------------------------------------------- */

static guint
additions_at(int64_t now_ms, const char *talk)
{
	struct policy_scene *s = policy_scene_new(GATEWAY);
	struct policy_verdict *v;
	guint n;

	if (bed.policy == NULL)
		policy_bed_compile(&bed);
	policy_scene_input(s)->now_ms = now_ms;
	policy_scene_input(s)->talk = talk;
	v = policy_judge(bed.policy, bed.work, policy_scene_input(s),
	    &bed.world);
	n = v->additions->len;
	policy_bed_remember(&bed, v, talk, now_ms);
	policy_verdict_free(v);
	policy_scene_free(s);
	return n;
}

static void
a_notice_is_given_once_in_each_conversation(void **state)
{
	(void)state;
	policy_bed_act(rule("a", false), "require-notice", "", "We record.");
	assert_int_equal(additions_at(now(), "t1"), 1);
	assert_int_equal(additions_at(now() + 400 * DAY_MS, "t1"), 0);
	assert_int_equal(additions_at(now(), "t2"), 1);
}

static void
a_text_once_in_a_period_comes_again_when_it_is_over(void **state)
{
	struct policy_action *a = policy_bed_act(rule("a", false), "append",
	    "", "Bye.");

	(void)state;
	a->once = true;
	a->ms = DAY_MS;
	assert_int_equal(additions_at(now(), "t1"), 1);
	assert_int_equal(additions_at(now() + DAY_MS - 1, "t1"), 0);
	assert_int_equal(additions_at(now() + DAY_MS, "t1"), 1);
}

static void
a_clock_that_was_set_back_keeps_no_text_away_for_as_long(void **state)
{
	struct policy_action *a = policy_bed_act(rule("a", false), "append",
	    "", "Bye.");

	(void)state;
	a->once = true;
	a->ms = DAY_MS;
	assert_int_equal(additions_at(now(), "t1"), 1);
	assert_int_equal(additions_at(now() - 1000, "t1"), 0);
	assert_int_equal(additions_at(now() - 3600000, "t1"), 1);
	assert_int_equal(additions_at(now() - 3600000 + DAY_MS - 1, "t1"), 0);
}

static void
a_text_that_is_not_once_comes_each_time(void **state)
{
	(void)state;
	policy_bed_act(rule("a", false), "append", "", "Bye.");
	assert_int_equal(additions_at(now(), "t1"), 1);
	assert_int_equal(additions_at(now(), "t1"), 1);
}

static void
when_nobody_knows_whether_it_was_told_it_is_told(void **state)
{
	(void)state;
	policy_bed_act(rule("a", false), "require-notice", "", "We record.");
	assert_int_equal(additions_at(now(), "t1"), 1);
	bed.is_deaf = true;
	assert_int_equal(additions_at(now(), "t1"), 1);
	bed.is_deaf = false;
	assert_int_equal(additions_at(now(), NULL), 1);
	bed.world.told = NULL;
	assert_int_equal(additions_at(now(), "t1"), 1);
}

static void
consent_that_was_given_lets_it_pass(void **state)
{
	static const char *const without[] = { GATEWAY "; consent=unknown",
		GATEWAY "; consent=withdrawn" };
	struct policy_verdict *v;

	(void)state;
	policy_bed_act(rule("a", false), "require-consent", "", "Ask first.");
	v = policy_bed_judge(&bed, GATEWAY "; consent=given");
	assert_null(v->block);
	policy_verdict_free(v);
	for (size_t i = 0; i < G_N_ELEMENTS(without); i++) {
		v = policy_bed_judge(&bed, without[i]);
		assert_string_equal(v->block, "Ask first.");
		policy_verdict_free(v);
	}
}

/* ---- counts ---------------------------------------------------------------------------- */

/* One message to a customer; what the rules say of it, then it is counted. */
static bool
sends(const char *more, int who, int64_t now_ms)
{
	g_autofree char *line = g_strdup_printf("at=gateway; direction=sent; "
	    "%s; person=n:%d", more, who);
	struct policy_scene *s = policy_scene_new(line);
	struct policy_verdict *v;
	bool fired;

	if (bed.policy == NULL)
		policy_bed_compile(&bed);
	policy_scene_input(s)->now_ms = now_ms;
	v = policy_judge(bed.policy, bed.work, policy_scene_input(s),
	    &bed.world);
	fired = v->flag;
	policy_bed_remember(&bed, v, "t", now_ms);
	policy_verdict_free(v);
	policy_scene_free(s);
	return fired;
}

static struct policy_rule *
count_rule(int64_t over, int64_t ms, enum policy_per per)
{
	struct policy_rule *r = policy_bed_rule(&bed, "bulk",
	    policy_bed_cond("direction", "sent", 0));

	r->count_over = over;
	r->count_ms = ms;
	r->count_per = per;
	policy_bed_act(r, "flag", "", NULL);
	return r;
}

static void
a_count_fires_from_the_first_counterpart_beyond_it(void **state)
{
	(void)state;
	count_rule(25, 30 * DAY_MS, POLICY_PER_BUSINESS);
	for (int i = 1; i <= 25; i++)
		assert_false(sends("business=b", i, now()));
	assert_true(sends("business=b", 26, now()));
	assert_true(sends("business=b", 27, now()));
}

static void
a_counterpart_counts_once_however_often_it_is_written_to(void **state)
{
	(void)state;
	count_rule(2, DAY_MS, POLICY_PER_RULE);
	for (int i = 0; i < 10; i++)
		assert_false(sends("business=b", i % 2, now() + i));
	assert_true(sends("business=b", 2, now() + 10));
	assert_true(sends("business=b", 0, now() + 11));
}

static void
who_was_counted_before_the_window_is_forgotten(void **state)
{
	(void)state;
	count_rule(1, DAY_MS, POLICY_PER_RULE);
	assert_false(sends("business=b", 1, now()));
	assert_false(sends("business=b", 2, now() + DAY_MS + 1));
	assert_true(sends("business=b", 1, now() + 2 * DAY_MS + 1));
	/* To the millisecond: the edge belongs to the window. */
	assert_true(sends("business=b", 3, now() + 3 * DAY_MS + 1));
}

static void
each_subject_has_a_count_of_its_own(void **state)
{
	static const struct {
		enum policy_per per;
		const char *one, *other;
	} subjects[] = {
		{ POLICY_PER_BUSINESS, "business=a", "business=b" },
		{ POLICY_PER_DESK, "desk=a", "desk=b" },
		{ POLICY_PER_EMPLOYEE, "employee=a", "staff=b" },
		{ POLICY_PER_APPLICATION, "application=a", "application=b" },
		{ POLICY_PER_TEMPLATE, "template=a", "template=b" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
		policy_bed_clear(&bed);
		policy_bed_init(&bed);
		count_rule(1, DAY_MS, subjects[i].per);
		assert_false(sends(subjects[i].one, 1, now()));
		assert_false(sends(subjects[i].other, 2, now()));
		assert_true(sends(subjects[i].one, 3, now()));
		assert_true(sends(subjects[i].other, 4, now()));
	}
	policy_bed_clear(&bed);
	policy_bed_init(&bed);
	count_rule(1, DAY_MS, POLICY_PER_RULE);
	assert_false(sends("business=a", 1, now()));
	assert_true(sends("business=b", 2, now()));
}

static void
only_what_meets_the_conditions_is_counted(void **state)
{
	struct policy_verdict *v;

	(void)state;
	count_rule(1, DAY_MS, POLICY_PER_RULE);
	v = policy_bed_judge(&bed, "direction=received; person=n:1" NOW);
	assert_int_equal(v->tallies->len, 0);
	assert_int_equal(bed.asked, 0);
	policy_verdict_free(v);
	v = policy_bed_judge(&bed, "direction=sent; person=n:1" NOW);
	assert_int_equal(v->tallies->len, 1);
	policy_verdict_free(v);
}

static void
a_count_that_nobody_knows_is_unsure(void **state)
{
	struct policy_verdict *v;

	(void)state;
	count_rule(100, DAY_MS, POLICY_PER_RULE);
	bed.is_deaf = true;
	v = policy_bed_judge(&bed, GATEWAY NOW);
	assert_true(policy_bed_fired(v, "bulk")->is_unsure);
	assert_true(v->flag);
	policy_verdict_free(v);
	bed.is_deaf = false;
	v = policy_bed_judge(&bed, "direction=sent" NOW);
	assert_true(policy_bed_fired(v, "bulk")->is_unsure);
	assert_int_equal(v->tallies->len, 0);
	policy_verdict_free(v);
}

static void
a_count_of_a_subject_that_is_not_known_is_never_sure(void **state)
{
	struct policy_verdict *v;

	(void)state;
	count_rule(0, DAY_MS, POLICY_PER_EMPLOYEE);
	v = policy_bed_judge(&bed, GATEWAY NOW);
	assert_true(policy_bed_fired(v, "bulk")->is_unsure);
	policy_verdict_free(v);
}

/*
 * The second message of a conversation of which nobody knew whether it met
 * the conditions must not be what makes a later one excluded.
 */
static void
what_was_unsure_is_not_counted_for_what_takes_away(void **state)
{
	static const char *const takers[] = { "exclude", "quarantine" };

	(void)state;
	for (size_t i = 0; i <= G_N_ELEMENTS(takers); i++) {
		struct policy_rule *r;
		struct policy_verdict *v;

		policy_bed_clear(&bed);
		policy_bed_init(&bed);
		r = rule("a", true);
		r->count_over = 1;
		r->count_ms = DAY_MS;
		policy_bed_act(r, i < G_N_ELEMENTS(takers) ? takers[i] : "block",
		    "", "No.");
		v = policy_bed_judge(&bed, UNSURE_GATEWAY NOW);
		assert_int_equal(v->tallies->len,
		    i == G_N_ELEMENTS(takers));
		policy_verdict_free(v);
	}
}

static void
a_counterpart_is_known_by_its_best_name(void **state)
{
	static const struct { const char *scene, *who; } names[] = {
		{ "person=u:1; counterpart=2; counterpart-id=3", "u:1" },
		{ "counterpart=2; counterpart-id=3", "u:3" },
		{ "counterpart=2; group-id=4", "n:2" },
		{ "group-id=4", "g:4" },
	};

	(void)state;
	count_rule(1, DAY_MS, POLICY_PER_RULE);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *scene = g_strconcat("direction=sent; ",
		    names[i].scene, NULL);
		struct policy_verdict *v = policy_bed_judge(&bed, scene);
		struct policy_tally *t = g_ptr_array_index(v->tallies, 0);

		assert_string_equal(t->who, names[i].who);
		assert_string_equal(t->rule, "bulk");
		policy_verdict_free(v);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int
main(void)
{
	const struct CMUnitTest laws[] = {
		cmocka_unit_test(every_action_has_a_scenario),
		TEST(all_rules_that_match_are_named_in_their_order),
		TEST(what_several_rules_demand_adds_up_each_once),
		TEST(the_first_rule_sets_retention_and_the_public_reason),
		TEST(the_longest_hold_and_the_most_persons_count),
		TEST(a_hold_that_says_nothing_has_the_defaults_of_the_file),
		TEST(of_two_consents_the_withdrawal_counts),
		TEST(no_rule_no_demand),
		TEST(after_a_final_rule_fired_no_later_one_is_looked_at),
		TEST(a_final_rule_that_is_unsure_stops_nothing),
		TEST(a_sure_rule_fires_only_when_it_is_sure),
		TEST(a_sure_rule_counts_what_is_sure),
		TEST(a_final_rule_whose_count_is_not_reached_stops_nothing),
		TEST(a_notice_is_given_once_in_each_conversation),
		TEST(a_text_once_in_a_period_comes_again_when_it_is_over),
		TEST(a_text_that_is_not_once_comes_each_time),
		TEST(a_clock_that_was_set_back_keeps_no_text_away_for_as_long),
		TEST(when_nobody_knows_whether_it_was_told_it_is_told),
		TEST(consent_that_was_given_lets_it_pass),
		TEST(a_count_fires_from_the_first_counterpart_beyond_it),
		TEST(a_counterpart_counts_once_however_often_it_is_written_to),
		TEST(who_was_counted_before_the_window_is_forgotten),
		TEST(each_subject_has_a_count_of_its_own),
		TEST(only_what_meets_the_conditions_is_counted),
		TEST(a_count_that_nobody_knows_is_unsure),
		TEST(a_count_of_a_subject_that_is_not_known_is_never_sure),
		TEST(what_was_unsure_is_not_counted_for_what_takes_away),
		TEST(a_counterpart_is_known_by_its_best_name),
	};
	const size_t n = G_N_ELEMENTS(rows);
	g_autofree struct CMUnitTest *tests = g_new0(struct CMUnitTest,
	    n + G_N_ELEMENTS(laws));

	memcpy(tests, laws, sizeof(laws));
	for (size_t i = 0; i < n; i++)
		tests[G_N_ELEMENTS(laws) + i] = (struct CMUnitTest){
			.name = rows[i].law,
			.test_func = an_action_does_this_and_nothing_else,
			.initial_state = (void *)(uintptr_t)&rows[i] };
	return _cmocka_run_group_tests("policy act", tests,
	    n + G_N_ELEMENTS(laws), NULL, NULL);
}
