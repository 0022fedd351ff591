/* SPDX-License-Identifier: Apache-2.0 */
/* policy: what verdicts are together, and on paper. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "../../src/policy/policy_int.h"
#include "err.h"

#define ROUNDS 400

static const uint8_t no_set[HASH_SIZE];

static char *
print(const struct policy_verdict *v)
{
	GString *out = g_string_new(NULL);

	policy_verdict_print(v, out);
	return g_string_free(out, FALSE);
}

static struct policy_verdict *
read_back(const char *json)
{
	struct policy_verdict *v = NULL;
	struct err err = ERR_INIT;

	if (!policy_verdict_parse(json, strlen(json), &v, &err))
		fail_msg("%s: %s", json, err.text);
	return v;
}

/* ---- verdicts at random ---------------------------------------------------- */

static const char *
any_word(GRand *r)
{
	static const char *const words[] = { "cards", "off-channel", "a b",
		"quote\" \\ back", "line\nbreak\ttab", "\xd0\xba\xd0\xb0\xd1\x80",
		"\xf0\x9f\x98\x80", "</script>", "\x01", "" };

	return words[g_rand_int_range(r, 0, G_N_ELEMENTS(words))];
}

static void
add_words(GRand *r, GPtrArray *to)
{
	for (int n = g_rand_int_range(r, 0, 4); n > 0; n--)
		policy_strings_add(to, any_word(r));
}

static void
add_fired(GRand *r, struct policy_verdict *v)
{
	const char *rule = any_word(r);
	struct policy_fired *f;

	for (guint i = 0; i < v->fired->len; i++) {
		f = g_ptr_array_index(v->fired, i);
		if (strcmp(f->rule, rule) == 0)
			return;
	}
	f = policy_fired_add(v, rule);
	f->is_unsure = g_rand_boolean(r);
	f->not_here = g_rand_boolean(r);
	add_words(r, f->why);
}

static void
add_tally(GRand *r, struct policy_verdict *v)
{
	g_autofree char *rule = g_strdup(any_word(r));
	g_autofree char *subject = g_strdup(any_word(r));
	g_autofree char *who = g_strdup(any_word(r));
	const struct policy_tally t = { rule, subject, who };

	policy_tally_add(v, &t);
}

static void
add_lists(GRand *r, struct policy_verdict *v)
{
	for (int n = g_rand_int_range(r, 0, 4); n > 0; n--)
		add_fired(r, v);
	for (int n = g_rand_int_range(r, 0, 3); n > 0; n--)
		add_tally(r, v);
	if (g_rand_boolean(r)) {
		struct policy_addition *a = policy_addition_add(v, any_word(r),
		    any_word(r));

		a->before = g_rand_boolean(r);
		a->once = g_rand_boolean(r);
	}
	add_words(r, v->tags);
	add_words(r, v->journals);
	add_words(r, v->only_journals);
	add_words(r, v->copies);
	add_words(r, v->alerts);
}

static struct policy_verdict *
any_verdict(GRand *r)
{
	struct policy_verdict *v = policy_verdict_new(no_set);

	v->set[g_rand_int_range(r, 0, HASH_SIZE)] = 0xa5;
	add_lists(r, v);
	v->flag = g_rand_boolean(r);
	v->quarantine = g_rand_boolean(r);
	if (g_rand_boolean(r))
		v->retain = g_strdup(any_word(r));
	if (g_rand_boolean(r)) {
		policy_hold_add(v, any_word(r),
		    g_rand_int_range(r, 1, 1 << 30), 1 + g_rand_boolean(r));
		v->approve = g_rand_boolean(r);
	}
	if (g_rand_boolean(r))
		policy_block_add(v, any_word(r), any_word(r));
	if (g_rand_boolean(r))
		policy_exclude_add(v, any_word(r));
	policy_consent_add(v, (enum policy_consent)g_rand_int_range(r, 0, 3));
	return v;
}

static struct policy_verdict *
copy(const struct policy_verdict *v)
{
	g_autofree char *json = print(v);

	return read_back(json);
}

static bool
has(const GPtrArray *strings, const char *s)
{
	for (guint i = 0; i < strings->len; i++)
		if (strcmp(g_ptr_array_index(strings, i), s) == 0)
			return true;
	return false;
}

static void
assert_holds_all(const GPtrArray *all, const GPtrArray *some)
{
	for (guint i = 0; i < some->len; i++)
		assert_true(has(all, g_ptr_array_index(some, i)));
}

/* ---- JSON ------------------------------------------------------------------ */

static void
every_verdict_is_the_same_after_it_was_written_and_read(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(4);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct policy_verdict *v = any_verdict(r), *back;
		g_autofree char *json = print(v), *again = NULL;

		assert_null(strchr(json, '\n'));
		back = read_back(json);
		again = print(back);
		assert_string_equal(again, json);
		assert_memory_equal(back->set, v->set, HASH_SIZE);
		assert_int_equal(back->fired->len, v->fired->len);
		assert_int_equal(back->tallies->len, v->tallies->len);
		assert_int_equal(back->additions->len, v->additions->len);
		assert_int_equal(back->hold_ms, v->hold_ms);
		assert_int_equal(back->hold_persons, v->hold_persons);
		assert_int_equal(back->consent_set, v->consent_set);
		assert_int_equal(back->exclude, v->exclude);
		assert_string_equal(policy_verdict_word(back),
		    policy_verdict_word(v));
		policy_verdict_free(v);
		policy_verdict_free(back);
	}
}

static void
a_verdict_on_paper_says_what_happened_and_nothing_else(void **state)
{
	struct policy_verdict *v = policy_verdict_new(no_set);
	struct policy_fired *f = policy_fired_add(v, "cards");
	g_autofree char *json = NULL;

	(void)state;
	g_ptr_array_add(f->why, g_strdup("detect card at 3-22"));
	policy_strings_add(v->tags, "pan");
	policy_strings_add(v->tags, "pan");
	policy_block_add(v, "cards", "No card numbers/PANs.");
	json = print(v);
	assert_string_equal(json, "{\"set\":\"0000000000000000000000000000000000"
	    "000000000000000000000000000000\",\"word\":\"block\","
	    "\"fired\":[{\"rule\":\"cards\",\"why\":[\"detect card at 3-22\"]}],"
	    "\"tags\":[\"pan\"],"
	    "\"block\":{\"rule\":\"cards\",\"reason\":\"No card numbers/PANs.\"}}");
	policy_verdict_free(v);
}

#define SET "\"set\":\"00000000000000000000000000000000" \
	"00000000000000000000000000000000\""

static void
what_is_no_verdict_is_refused_and_nothing_of_it_stays(void **state)
{
	static const char *const bad[] = {
		"", "null", "[]", "\"x\"", "{", "{} {}",
		"{}", "{\"set\":1}", "{\"set\":\"00\"}",
		"{" SET "} x",
		"{" SET ",\"flag\":1}", "{" SET ",\"tags\":\"a\"}",
		"{" SET ",\"tags\":[1]}", "{" SET ",\"tags\":[\"a\\u0000b\"]}",
		"{" SET ",\"fired\":[{}]}", "{" SET ",\"fired\":[1]}",
		"{" SET ",\"fired\":[{\"rule\":\"a\",\"why\":[{}]}]}",
		"{" SET ",\"hold\":{\"rule\":\"a\",\"ms\":0,\"persons\":1}}",
		"{" SET ",\"hold\":{\"rule\":\"a\",\"ms\":1,\"persons\":-1}}",
		"{" SET ",\"hold\":{\"ms\":1,\"persons\":1}}",
		"{" SET ",\"block\":{\"rule\":\"a\"}}",
		"{" SET ",\"consent\":\"perhaps\"}", "{" SET ",\"exclude\":true}",
		"{" SET ",\"additions\":[{\"rule\":\"a\"}]}",
		"{" SET ",\"tallies\":[{\"rule\":\"a\",\"who\":\"b\"}]}",
		"{" SET ",\"tags\":[\"\xff\"]}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct policy_verdict *v = NULL;
		struct err err = ERR_INIT;

		if (policy_verdict_parse(bad[i], strlen(bad[i]), &v, &err))
			fail_msg("taken: %s", bad[i]);
		assert_null(v);
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "policy.verdict");
	}
}

static void
members_of_a_later_version_are_passed_over(void **state)
{
	struct policy_verdict *v = read_back("{" SET ",\"mood\":[{}],"
	    "\"flag\":true,\"fired\":[{\"rule\":\"a\",\"score\":4}]} \n");

	(void)state;
	assert_true(v->flag);
	assert_int_equal(v->fired->len, 1);
	assert_string_equal(policy_verdict_word(v), "flag");
	policy_verdict_free(v);
}

/* ---- the word -------------------------------------------------------------- */

static void
the_word_is_the_gravest_and_a_hold_comes_before_an_exclusion(void **state)
{
	struct policy_verdict *v = policy_verdict_new(no_set);

	(void)state;
	assert_string_equal(policy_verdict_word(v), "deliver");
	v->flag = true;
	assert_string_equal(policy_verdict_word(v), "flag");
	policy_exclude_add(v, "a");
	assert_string_equal(policy_verdict_word(v), "exclude");
	policy_hold_add(v, "b", 1, 1);
	assert_string_equal(policy_verdict_word(v), "hold");
	policy_block_add(v, "c", "No.");
	assert_string_equal(policy_verdict_word(v), "block");
	policy_verdict_free(v);
	policy_verdict_free(NULL);
}

/* ---- merging --------------------------------------------------------------- */

static void
assert_is_no_milder(const struct policy_verdict *m,
    const struct policy_verdict *part)
{
	assert_holds_all(m->tags, part->tags);
	assert_holds_all(m->journals, part->journals);
	assert_holds_all(m->copies, part->copies);
	assert_holds_all(m->alerts, part->alerts);
	assert_true(m->hold_ms >= part->hold_ms);
	assert_true(m->hold_persons >= part->hold_persons);
	assert_true(m->consent_set >= part->consent_set);
	assert_true(m->flag || !part->flag);
	assert_true(m->quarantine || !part->quarantine);
	assert_true(m->exclude || !part->exclude);
	assert_true(m->approve || !part->approve);
	assert_true(m->block != NULL || part->block == NULL);
	assert_true(m->retain != NULL || part->retain == NULL);
	assert_true(m->fired->len >= part->fired->len);
	assert_true(m->tallies->len >= part->tallies->len);
}

static void
a_turn_gets_all_that_its_items_demand_and_nothing_that_none_does(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(5);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct policy_verdict *a = any_verdict(r), *b = any_verdict(r),
		    *m = copy(a);

		policy_verdict_merge(m, b);
		assert_is_no_milder(m, a);
		assert_is_no_milder(m, b);
		assert_int_equal(m->hold_ms, MAX(a->hold_ms, b->hold_ms));
		assert_int_equal(m->exclude, a->exclude || b->exclude);
		assert_int_equal(m->flag, a->flag || b->flag);
		assert_int_equal(m->block != NULL,
		    a->block != NULL || b->block != NULL);
		assert_true(m->tags->len <= a->tags->len + b->tags->len);
		policy_verdict_free(a);
		policy_verdict_free(b);
		policy_verdict_free(m);
	}
}

static void
it_does_not_matter_which_items_are_merged_first(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(6);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct policy_verdict *a = any_verdict(r), *b = any_verdict(r),
		    *c = any_verdict(r), *left = copy(a), *right = copy(b);
		g_autofree char *one = NULL, *other = NULL;

		policy_verdict_merge(left, b);
		policy_verdict_merge(left, c);
		policy_verdict_merge(right, c);
		policy_verdict_merge(a, right);
		one = print(left);
		other = print(a);
		assert_string_equal(one, other);
		policy_verdict_free(a);
		policy_verdict_free(b);
		policy_verdict_free(c);
		policy_verdict_free(left);
		policy_verdict_free(right);
	}
}

static void
a_verdict_merged_with_itself_is_itself(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(7);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct policy_verdict *a = any_verdict(r), *b = copy(a);
		g_autofree char *before = print(a), *after = NULL;

		policy_verdict_merge(a, b);
		after = print(a);
		assert_string_equal(after, before);
		policy_verdict_free(a);
		policy_verdict_free(b);
	}
}

static void
only_journals_of_one_item_take_nothing_from_its_neighbours(void **state)
{
	struct policy_verdict *a = policy_verdict_new(no_set);
	struct policy_verdict *b = policy_verdict_new(no_set);
	struct policy_verdict *none = policy_verdict_new(no_set);

	(void)state;
	policy_strings_add(a->only_journals, "legal");
	policy_strings_add(b->only_journals, "audit");
	policy_verdict_merge(a, b);
	assert_int_equal(a->only_journals->len, 2);
	policy_verdict_merge(a, none);
	assert_int_equal(a->only_journals->len, 0);
	policy_verdict_merge(a, b);
	assert_int_equal(a->only_journals->len, 0);
	policy_verdict_free(a);
	policy_verdict_free(b);
	policy_verdict_free(none);
}

static void
a_rule_that_is_sure_of_one_item_is_sure_of_the_turn(void **state)
{
	struct policy_verdict *a = policy_verdict_new(no_set);
	struct policy_verdict *b = policy_verdict_new(no_set);
	struct policy_fired *f = policy_fired_add(a, "r");

	(void)state;
	f->is_unsure = true;
	policy_verdict_merge(b, a);
	f = g_ptr_array_index(b->fired, 0);
	assert_true(f->is_unsure);
	f->is_unsure = false;
	policy_verdict_merge(a, b);
	f = g_ptr_array_index(a->fired, 0);
	assert_int_equal(a->fired->len, 1);
	assert_false(f->is_unsure);
	policy_verdict_free(a);
	policy_verdict_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_verdict_is_the_same_after_it_was_written_and_read),
		cmocka_unit_test(
		    a_verdict_on_paper_says_what_happened_and_nothing_else),
		cmocka_unit_test(
		    what_is_no_verdict_is_refused_and_nothing_of_it_stays),
		cmocka_unit_test(members_of_a_later_version_are_passed_over),
		cmocka_unit_test(
		    the_word_is_the_gravest_and_a_hold_comes_before_an_exclusion),
		cmocka_unit_test(
		    a_turn_gets_all_that_its_items_demand_and_nothing_that_none_does),
		cmocka_unit_test(it_does_not_matter_which_items_are_merged_first),
		cmocka_unit_test(a_verdict_merged_with_itself_is_itself),
		cmocka_unit_test(
		    only_journals_of_one_item_take_nothing_from_its_neighbours),
		cmocka_unit_test(
		    a_rule_that_is_sure_of_one_item_is_sure_of_the_turn),
	};

	return cmocka_run_group_tests_name("policy verdict", tests, NULL,
	    NULL);
}
