/* SPDX-License-Identifier: Apache-2.0 */
/* policy: the words of the language, and the rules as they were written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "policy.h"

static void
assert_is_word(const char *name)
{
	assert_non_null(name);
	assert_true(strlen(name) > 0);
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"),
	    strlen(name));
}

static void
every_word_of_the_language_is_read_as_what_it_was_written_for(void **state)
{
	enum policy_match m;
	enum policy_act a;
	enum policy_per per;
	enum policy_consent c;

	(void)state;
	for (int i = 0; i < POLICY_MATCHES; i++) {
		assert_is_word(policy_match_name((enum policy_match)i));
		assert_true(policy_match_parse(
		    policy_match_name((enum policy_match)i), &m));
		assert_int_equal(m, i);
	}
	for (int i = 0; i < POLICY_ACTS; i++) {
		assert_is_word(policy_act_name((enum policy_act)i));
		assert_true(policy_act_parse(
		    policy_act_name((enum policy_act)i), &a));
		assert_int_equal(a, i);
	}
	for (int i = 0; i <= POLICY_PER_TEMPLATE; i++) {
		assert_is_word(policy_per_name((enum policy_per)i));
		assert_true(policy_per_parse(
		    policy_per_name((enum policy_per)i), &per));
		assert_int_equal(per, i);
	}
	for (int i = 0; i <= POLICY_CONSENT_WITHDRAWN; i++) {
		assert_is_word(policy_consent_name((enum policy_consent)i));
		assert_true(policy_consent_parse(
		    policy_consent_name((enum policy_consent)i), &c));
		assert_int_equal(c, i);
	}
}

static void
a_word_that_is_not_of_the_language_is_refused(void **state)
{
	static const char *const words[] = { "", "Direction", "direction ",
		"directio", "tags", "block-it" };
	enum policy_match m = POLICY_MATCHES;
	enum policy_act a = POLICY_ACTS;
	enum policy_per per;
	enum policy_consent c;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		assert_false(policy_match_parse(words[i], &m));
		assert_false(policy_act_parse(words[i], &a));
		assert_false(policy_per_parse(words[i], &per));
		assert_false(policy_consent_parse(words[i], &c));
	}
	assert_int_equal(m, POLICY_MATCHES);
	assert_int_equal(a, POLICY_ACTS);
}

static void
a_source_starts_without_rules_and_with_the_defaults_of_the_manual(void **state)
{
	struct policy_source *s = policy_source_new();
	static const uint8_t none[HASH_SIZE];

	(void)state;
	assert_int_equal(s->rules->len, 0);
	assert_int_equal(s->hold_ms, 24 * 3600000);
	assert_int_equal(s->hold_persons, 1);
	assert_int_equal(s->alert_ms, 600000);
	assert_memory_equal(s->sha256, none, HASH_SIZE);
	policy_source_free(s);
}

static struct policy_rule *
whole_rule(void)
{
	struct policy_rule *r = policy_rule_new("cards", "p:1");
	struct policy_cond *any = policy_cond_new(POLICY_ANY, "p:2");
	struct policy_cond *detect = policy_cond_new(POLICY_DETECT, "p:2");
	struct policy_action *block = policy_action_new(POLICY_BLOCK, "p:3");

	g_ptr_array_add(detect->values, g_strdup("card"));
	g_ptr_array_add(any->conds, detect);
	g_ptr_array_add(r->conds, any);
	block->text = g_strdup("No.");
	g_ptr_array_add(r->actions, block);
	return r;
}

static void
a_source_owns_all_that_was_added_to_it(void **state)
{
	struct policy_source *s = policy_source_new();
	struct policy_lexicon *l = policy_lexicon_new("lures");
	struct policy_window *w = policy_window_new("office");
	const struct policy_span span = { 0x1f, 480, 1080 };

	(void)state;
	policy_lexicon_add(l, "lures.txt", "a\n", 2);
	policy_window_add(w, &span);
	policy_window_add(w, &span);
	w->zone = g_strdup("Europe/London");
	g_ptr_array_add(w->holidays, g_strdup("12-25"));
	g_ptr_array_add(s->rules, whole_rule());
	g_ptr_array_add(s->lexicons, l);
	g_ptr_array_add(s->windows, w);
	g_ptr_array_add(s->patterns, policy_pattern_new("p", "a+", "p:9"));
	assert_int_equal(w->n_spans, 2);
	assert_int_equal(w->spans[1].until_min, 1080);
	assert_int_equal(l->files->len, 1);
	policy_source_free(s);
	policy_source_free(NULL);
	policy_rule_free(NULL);
	policy_cond_free(NULL);
	policy_action_free(NULL);
	policy_lexicon_free(NULL);
	policy_pattern_free(NULL);
	policy_window_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_word_of_the_language_is_read_as_what_it_was_written_for),
		cmocka_unit_test(a_word_that_is_not_of_the_language_is_refused),
		cmocka_unit_test(
		    a_source_starts_without_rules_and_with_the_defaults_of_the_manual),
		cmocka_unit_test(a_source_owns_all_that_was_added_to_it),
	};

	return cmocka_run_group_tests_name("policy source", tests, NULL, NULL);
}
