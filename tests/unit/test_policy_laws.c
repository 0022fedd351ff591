/* SPDX-License-Identifier: Apache-2.0 */
/* policy: laws that hold for every rule set, tried with rules at random. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "policy_bed.h"

#define ROUNDS 300
#define DAY_MS INT64_C(86400000)

/* ---- rules at random ------------------------------------------------------------------- */

enum allow { NO_HOLD = 1, NO_FINAL = 2, NO_COUNT = 4 };

static const struct { const char *match, *values; int64_t number; } leaves[] = {
	{ "direction", "received", 0 }, { "direction", "sent", 0 },
	{ "at", "gateway", 0 }, { "desk", "pb", 0 },
	{ "group", "Sales", 0 }, { "group", "Ops", 0 },
	{ "new-counterpart", "", 0 }, { "customer", "known", 0 },
	{ "malware", "infected", 0 }, { "malware", "clean|infected", 0 },
	{ "file-size", "", 100 }, { "media-type", "image/*", 0 },
	{ "lexicon", "lures", 0 }, { "lexicon", "lures", 6 },
	{ "pattern", "account", 0 }, { "text", "call me", 0 },
	{ "detect", "card|email", 0 }, { "script", "cyrillic", 0 },
	{ "link-host", "*", 0 }, { "consent", "given", 0 },
	{ "always", "", 0 },
};

static const struct { const char *act, *values, *text; } acts[] = {
	{ "exclude", "", NULL }, { "hold", "", NULL }, { "approve", "", NULL },
	{ "tag", "a|b", NULL }, { "tag", "b|c", NULL }, { "flag", "", NULL },
	{ "retain", "", "ten" }, { "journal", "x", NULL },
	{ "only-journal", "y", NULL }, { "copy", "boss", NULL },
	{ "alert", "soc", NULL }, { "quarantine", "", NULL },
	{ "consent", "", "given" }, { "consent", "", "withdrawn" },
	{ "block", "", "No." }, { "append", "", "Bye." },
	{ "prepend", "", "Hi." }, { "require-consent", "", "Ask." },
	{ "require-notice", "", "We record." },
};

static struct policy_cond *
any_cond(GRand *r, int depth)
{
	static const char *const groups[] = { "all", "any", "not" };
	int i = g_rand_int_range(r, 0, (int)G_N_ELEMENTS(leaves));
	int g = g_rand_int_range(r, 0, 3);
	struct policy_cond *a, *b;

	if (depth == 0 || g_rand_int_range(r, 0, 3) == 0)
		return policy_bed_cond(leaves[i].match, leaves[i].values,
		    leaves[i].number);
	a = any_cond(r, depth - 1);
	b = g == 2 ? NULL : any_cond(r, depth - 1);
	return policy_bed_group(groups[g], a, b, NULL);
}

static void
add_rule(struct policy_bed *b, GRand *r, int i, unsigned allow)
{
	int from = (allow & NO_HOLD) != 0 ? 3 : 0;
	g_autofree char *name = g_strdup_printf("r%d", i);
	struct policy_rule *rule = policy_bed_rule(b, name, any_cond(r, 3));

	for (int n = g_rand_int_range(r, 0, 4); n > 0; n--) {
		int a = g_rand_int_range(r, from, (int)G_N_ELEMENTS(acts));

		policy_bed_act(rule, acts[a].act, acts[a].values,
		    acts[a].text)->once = g_rand_boolean(r);
	}
	rule->is_final = (allow & NO_FINAL) == 0 &&
	    g_rand_int_range(r, 0, 5) == 0;
	if ((allow & NO_COUNT) == 0 && g_rand_int_range(r, 0, 4) == 0) {
		rule->count_over = g_rand_int_range(r, 0, 3);
		rule->count_ms = DAY_MS;
		rule->count_per = (enum policy_per)g_rand_int_range(r, 0,
		    POLICY_PER_TEMPLATE + 1);
	}
}

static void
any_rules(struct policy_bed *b, GRand *r, unsigned allow)
{
	policy_bed_init(b);
	policy_bed_lexicon(b, "lures", "l.txt", "telegram = 5\nsecret = 1\n");
	policy_bed_pattern(b, "account", "\\d{5}-\\d");
	for (int i = 0, n = g_rand_int_range(r, 1, 7); i < n; i++)
		add_rule(b, r, i, allow);
	policy_bed_compile(b);
}

/* ---- scenes at random ------------------------------------------------------------------- */

/* A word of a scene: what it may be when all is known; when it is not. */
static const struct { const char *known[4], *unknown; } words[] = {
	{ { "direction=sent", "direction=received" }, NULL },
	{ { "at=gateway", "" }, NULL },
	{ { "desk=pb", "desk=fx", "" }, NULL },
	{ { "customer=c1", "" }, NULL },
	{ { "consent=given", "consent=withdrawn", "" }, NULL },
	{ { "text=call me at 12345-6", "text=secret telegram a@b.example",
	    "text=\xd0\xb4\xd0\xb0 https://t.example/", "" }, NULL },
	{ { "footer=4111 1111 1111 1111", "" }, NULL },
	{ { "person=n:1", "person=n:2", "" }, NULL },
	{ { "talk=t1", "" }, NULL },
	{ { "group=Sales", "group=Ops", "group=Sales; group=Ops", "" },
	    "groups-unknown" },
	{ { "new", "" }, "new-unknown" },
	{ { "file=a|image/png|200|clean", "file=a|text/plain|20|infected" },
	    "file=a|-|-|-" },
};

static const char *
any_known(GRand *r, size_t i)
{
	int n = 0;

	while (n < 4 && words[i].known[n] != NULL)
		n++;
	return words[i].known[g_rand_int_range(r, 0, n)];
}

/*
 * Two scenes: in the vague one some things are not known that are known in
 * the clear one; all else is the same.
 */
static void
any_scenes(GRand *r, char **vague, char **clear)
{
	GString *v = g_string_new(NULL), *c = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		const char *known = any_known(r, i);
		bool is_vague = words[i].unknown != NULL && g_rand_boolean(r);

		g_string_append_printf(c, "%s; ", known);
		g_string_append_printf(v, "%s; ",
		    is_vague ? words[i].unknown : known);
	}
	*vague = g_string_free(v, FALSE);
	*clear = g_string_free(c, FALSE);
}

static char *
print(const struct policy_verdict *v)
{
	GString *out = g_string_new(NULL);

	policy_verdict_print(v, out);
	return g_string_free(out, FALSE);
}

/* ---- laws -------------------------------------------------------------------------------- */

static void
without_exclude_or_hold_by_name_nothing_is_ever_withheld(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(11);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct policy_bed b;

		any_rules(&b, r, NO_HOLD);
		for (int k = 0; k < 8; k++) {
			g_autofree char *vague = NULL, *clear = NULL;
			struct policy_verdict *v;

			any_scenes(r, &vague, &clear);
			v = policy_bed_judge(&b, k % 2 == 0 ? vague : clear);
			assert_false(v->exclude);
			assert_null(v->exclude_rule);
			assert_int_equal(v->hold_ms, 0);
			assert_null(v->hold_rule);
			policy_bed_remember(&b, v, "t1", k);
			policy_verdict_free(v);
		}
		policy_bed_clear(&b);
	}
}

static const struct policy_rule *
rule_named(const struct policy_bed *b, const char *name)
{
	for (guint i = 0; i < b->source->rules->len; i++) {
		const struct policy_rule *r =
		    g_ptr_array_index(b->source->rules, i);

		if (strcmp(r->name, name) == 0)
			return r;
	}
	return NULL;
}

/* Whether a rule that is sure has this action. */
static bool
has_sure(const struct policy_bed *b, const struct policy_verdict *v,
    enum policy_act act)
{
	for (guint i = 0; i < v->fired->len; i++) {
		const struct policy_fired *f = g_ptr_array_index(v->fired, i);
		const struct policy_rule *r = rule_named(b, f->rule);

		for (guint k = 0; !f->is_unsure && k < r->actions->len; k++)
			if (((struct policy_action *)g_ptr_array_index(
			    r->actions, k))->act == act)
				return true;
	}
	return false;
}

static void
what_is_taken_away_was_demanded_by_a_rule_that_is_sure(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(12);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct policy_bed b;

		any_rules(&b, r, 0);
		for (int k = 0; k < 8; k++) {
			g_autofree char *vague = NULL, *clear = NULL;
			struct policy_verdict *v;

			any_scenes(r, &vague, &clear);
			v = policy_bed_judge(&b, vague);
			assert_int_equal(v->exclude,
			    has_sure(&b, v, POLICY_EXCLUDE));
			assert_int_equal(v->quarantine,
			    has_sure(&b, v, POLICY_QUARANTINE));
			assert_int_equal(v->only_journals->len > 0,
			    has_sure(&b, v, POLICY_ONLY_JOURNAL));
			assert_int_equal(
			    v->consent_set != POLICY_CONSENT_UNKNOWN,
			    has_sure(&b, v, POLICY_CONSENT_SET));
			policy_bed_remember(&b, v, "t1", k);
			policy_verdict_free(v);
		}
		policy_bed_clear(&b);
	}
}

static bool
has_all(const GPtrArray *all, const GPtrArray *some)
{
	for (guint i = 0; i < some->len; i++)
		if (!policy_bed_has(all, g_ptr_array_index(some, i)))
			return false;
	return true;
}

/* What is demanded whatever is the case, and what may be demanded. */
static void
assert_is_careful(const struct policy_verdict *vague,
    const struct policy_verdict *clear)
{
	assert_true(clear->exclude || !vague->exclude);
	assert_true(clear->quarantine || !vague->quarantine);
	assert_true(has_all(clear->only_journals, vague->only_journals));
	assert_true(clear->consent_set >= vague->consent_set);

	assert_true(vague->flag || !clear->flag);
	assert_true(vague->block != NULL || clear->block == NULL);
	assert_true(vague->retain != NULL || clear->retain == NULL);
	assert_true(vague->hold_ms >= clear->hold_ms);
	assert_true(vague->approve || !clear->approve);
	assert_true(vague->additions->len >= clear->additions->len);
	assert_true(has_all(vague->tags, clear->tags));
	assert_true(has_all(vague->journals, clear->journals));
	assert_true(has_all(vague->copies, clear->copies));
	assert_true(has_all(vague->alerts, clear->alerts));
}

static void
knowing_less_adds_care_and_takes_nothing_more_away(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(13);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct policy_bed b;

		any_rules(&b, r, NO_FINAL | NO_COUNT);
		for (int k = 0; k < 8; k++) {
			g_autofree char *vague = NULL, *clear = NULL;
			struct policy_verdict *v, *c;

			any_scenes(r, &vague, &clear);
			v = policy_bed_judge(&b, vague);
			c = policy_bed_judge(&b, clear);
			assert_is_careful(v, c);
			policy_verdict_free(v);
			policy_verdict_free(c);
		}
		policy_bed_clear(&b);
	}
}

static void
an_item_is_judged_the_same_however_often_and_after_whatever(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(14);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		g_autofree char *one = NULL, *other = NULL, *first = NULL,
		    *again = NULL;
		struct policy_bed b;
		struct policy_verdict *v;

		any_rules(&b, r, 0);
		any_scenes(r, &one, &other);
		v = policy_bed_judge(&b, one);
		first = print(v);
		policy_verdict_free(v);
		policy_verdict_free(policy_bed_judge(&b, other));
		v = policy_bed_judge(&b, one);
		again = print(v);
		policy_verdict_free(v);
		assert_string_equal(first, again);
		policy_bed_clear(&b);
	}
}

static void
a_verdict_of_any_rules_travels_unchanged(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(15);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		g_autofree char *vague = NULL, *clear = NULL, *json = NULL,
		    *again = NULL;
		struct policy_bed b;
		struct policy_verdict *v, *back = NULL;

		any_rules(&b, r, 0);
		any_scenes(r, &vague, &clear);
		v = policy_bed_judge(&b, vague);
		json = print(v);
		assert_true(policy_verdict_parse(json, strlen(json), &back,
		    NULL));
		again = print(back);
		assert_string_equal(json, again);
		policy_verdict_free(v);
		policy_verdict_free(back);
		policy_bed_clear(&b);
	}
}

static void
what_only_the_gateway_can_do_never_happens_to_what_was_captured(void **state)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(16);

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		g_autofree char *vague = NULL, *clear = NULL, *scene = NULL;
		struct policy_bed b;
		struct policy_verdict *v;

		any_rules(&b, r, 0);
		any_scenes(r, &vague, &clear);
		scene = g_strconcat(vague, "at=capture", NULL);
		v = policy_bed_judge(&b, scene);
		assert_null(v->block);
		assert_false(v->approve);
		assert_int_equal(v->additions->len, 0);
		policy_verdict_free(v);
		policy_bed_clear(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    without_exclude_or_hold_by_name_nothing_is_ever_withheld),
		cmocka_unit_test(
		    what_is_taken_away_was_demanded_by_a_rule_that_is_sure),
		cmocka_unit_test(
		    knowing_less_adds_care_and_takes_nothing_more_away),
		cmocka_unit_test(
		    an_item_is_judged_the_same_however_often_and_after_whatever),
		cmocka_unit_test(a_verdict_of_any_rules_travels_unchanged),
		cmocka_unit_test(
		    what_only_the_gateway_can_do_never_happens_to_what_was_captured),
	};

	return cmocka_run_group_tests_name("policy laws", tests, NULL, NULL);
}
