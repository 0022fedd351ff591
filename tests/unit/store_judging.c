/* SPDX-License-Identifier: Apache-2.0 */
/* The contract: what rules found and remember, what the directory server is
 * asked and said. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "err.h"
#include "store_bed.h"

/* ---- rule sets -------------------------------------------------------------------- */

static void
put_ruleset(struct bed *b, const char *text, int64_t at_ms)
{
	uint8_t sha256[HASH_SIZE];

	digest_of(text, sha256);
	begin(b, STORE_BUILD);
	assert_true(store_ruleset_set(b->of[STORE_BUILD], sha256, text,
	    strlen(text), at_ms));
	commit(b, STORE_BUILD);
}

static bool
spell_ruleset(void *arg, const struct store_ruleset *r)
{
	g_autofree char *text = g_strndup(r->text, r->len);
	uint8_t sha256[HASH_SIZE];

	digest_of(text, sha256);
	assert_memory_equal(r->sha256, sha256, HASH_SIZE);
	g_string_append_printf(arg, "%s +%d-+%d;", text,
	    (int)(r->first_ms - T0), (int)(r->last_ms - T0));
	return true;
}

static void
rule_sets_are_kept_with_their_texts_and_times(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) got = g_string_new(NULL);

	put_ruleset(b, "rule late {}", T0 + 9);
	put_ruleset(b, "rule early {}", T0 + 1);
	put_ruleset(b, "rule late {}", T0 + 20);
	put_ruleset(b, "rule late {}", T0 + 15);
	put_ruleset(b, "", T0 + 30);
	assert_true(store_ruleset_list(b->of[STORE_ADMIN], spell_ruleset, got,
	    NULL));
	assert_string_equal(got->str, "rule early {} +1-+1;"
	    "rule late {} +9-+20; +30-+30;");
}

/* ---- verdicts --------------------------------------------------------------------- */

/* Five turns, of which 1, 2, 4 and 5 were judged. */
static void
put_judged(struct bed *b)
{
	begin(b, STORE_BUILD);
	for (int i = 0; i < 5; i++)
		add_turn(b, "talk", TURN_STILL_OPEN);
	assert_true(store_judged_set(b->of[STORE_BUILD], 1, "{1}"));
	assert_true(store_judged_set(b->of[STORE_BUILD], 2, "{2}"));
	assert_true(store_judged_set(b->of[STORE_BUILD], 4, "{4}"));
	assert_true(store_judged_set(b->of[STORE_BUILD], 5, "{5}"));
	commit(b, STORE_BUILD);
}

static void
expect_judged(struct bed *b, int64_t turn, const char *want)
{
	g_autofree char *got = NULL;

	assert_true(store_judged_get(b->of[STORE_ADMIN], turn, &got, NULL));
	assert_string_equal(got == NULL ? "none" : got, want);
}

static void
a_verdict_is_found_by_its_turn(void **state)
{
	struct bed *b = bed_of(state);

	put_judged(b);
	expect_judged(b, 2, "{2}");
	expect_judged(b, 3, "none");
	expect_judged(b, 77, "none");
}

static void
a_verdict_set_again_replaces_the_first(void **state)
{
	struct bed *b = bed_of(state);

	put_judged(b);
	begin(b, STORE_BUILD);
	assert_true(store_judged_set(b->of[STORE_BUILD], 2, "{new}"));
	commit(b, STORE_BUILD);
	expect_judged(b, 2, "{new}");
}

static void
a_verdict_on_no_turn_is_refused(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	assert_false(store_judged_set(b->of[STORE_BUILD], 77, "{}"));
	commit_fails(b, STORE_BUILD, "store.state");
	expect_judged(b, 77, "none");
}

/* ---- consent, alerts ---------------------------------------------------------------- */

static void
expect_consent(struct bed *b, const char *realm, const char *person,
    int64_t at_ms, const char *want)
{
	g_autofree char *got = NULL;

	assert_true(store_consent_get(b->of[STORE_BUILD], realm, person,
	    at_ms, &got, NULL));
	assert_string_equal(got == NULL ? "nothing" : got, want);
}

static void
consent_is_what_was_known_at_that_time(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];

	begin(b, STORE_BUILD);
	store_consent_add(st, "whatsapp", "u:A", "withdrawn", "message",
	    T0 + 20);
	store_consent_add(st, "whatsapp", "u:A", "given", "message", T0 + 10);
	store_consent_add(st, "sms", "u:A", "given", "file", T0 + 30);
	store_consent_add(st, "whatsapp", "u:B", "given", "message", T0 + 5);
	store_consent_add(st, "whatsapp", "u:B", "withdrawn", "message",
	    T0 + 5);
	commit(b, STORE_BUILD);
	expect_consent(b, "whatsapp", "u:A", T0 + 9, "nothing");
	expect_consent(b, "whatsapp", "u:A", T0 + 10, "given");
	expect_consent(b, "whatsapp", "u:A", T0 + 19, "given");
	expect_consent(b, "whatsapp", "u:A", INT64_MAX, "withdrawn");
	expect_consent(b, "sms", "u:A", INT64_MAX, "given");
	expect_consent(b, "whatsapp", "u:B", T0 + 5, "withdrawn");
	expect_consent(b, "whatsapp", "u:C", INT64_MAX, "nothing");
}

static void
expect_alert(struct bed *b, const char *rule, int64_t want_ms, int64_t want)
{
	int64_t last = -1, swallowed = -1;

	assert_true(store_alert_get(b->of[STORE_BUILD], rule, &last,
	    &swallowed, NULL));
	assert_int_equal(last, want_ms);
	assert_int_equal(swallowed, want);
}

static void
alerts_are_remembered_by_rule(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	store_alert_set(b->of[STORE_BUILD], "cards", T0, 3);
	store_alert_set(b->of[STORE_BUILD], "lures", T0 + 1, 0);
	commit(b, STORE_BUILD);
	begin(b, STORE_BUILD);
	store_alert_set(b->of[STORE_BUILD], "cards", T0 + 9, 0);
	commit(b, STORE_BUILD);
	expect_alert(b, "cards", T0 + 9, 0);
	expect_alert(b, "lures", T0 + 1, 0);
	expect_alert(b, "none", 0, 0);
}

/* ---- for the gateway ---------------------------------------------------------------- */

static void
the_first_resolution_of_a_send_stays(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *one = NULL, *none = NULL;

	begin(b, STORE_BUILD);
	assert_true(store_resolution_add(b->of[STORE_BUILD], "k1", "wamid.1",
	    T0));
	assert_true(store_resolution_add(b->of[STORE_BUILD], "k1", "wamid.2",
	    T0 + 1));
	commit(b, STORE_BUILD);
	assert_true(store_resolution_get(b->of[STORE_ADMIN], "k1", &one,
	    NULL));
	assert_string_equal(one, "wamid.1");
	assert_true(store_resolution_get(b->of[STORE_ADMIN], "k2", &none,
	    NULL));
	assert_null(none);
}

static bool
spell_change(void *arg, int64_t id, const char *account, const char *name,
    const char *language)
{
	g_string_append_printf(arg, "%d %s %s %s;", (int)id, account, name,
	    language);
	return true;
}

static void
changes_of_templates_are_listed_in_order(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) got = g_string_new(NULL);

	begin(b, STORE_BUILD);
	store_template_change_add(b->of[STORE_BUILD], "waba", "z", "en", T0);
	store_template_change_add(b->of[STORE_BUILD], "waba", "a", "pt_BR",
	    T0);
	store_template_change_add(b->of[STORE_BUILD], "waba", "z", "en", T0);
	commit(b, STORE_BUILD);
	assert_true(store_template_change_list(b->of[STORE_ADMIN], 0, 1,
	    spell_change, got, NULL));
	assert_true(store_template_change_list(b->of[STORE_ADMIN], 1, 9,
	    spell_change, got, NULL));
	assert_string_equal(got->str,
	    "1 waba z en;2 waba a pt_BR;3 waba z en;");
}

/* ---- the directory server ------------------------------------------------------------- */

static void
ask(struct bed *b, enum store_file file, const char *kind, const char *value,
    int64_t at_ms)
{
	begin(b, file);
	assert_true(store_ask_add(b->of[file], file, kind, value, at_ms));
	commit(b, file);
}

struct asked {
	GString *text;
	int64_t last;
};

static bool
spell_ask(void *arg, int64_t id, const char *kind, const char *value,
    int64_t at_ms)
{
	struct asked *a = arg;

	assert_true(id > a->last);
	a->last = id;
	g_string_append_printf(a->text, "%s %s +%d;", kind, value,
	    (int)(at_ms - T0));
	return true;
}

/* Those with ids > after; the last id, or after. */
static int64_t
expect_asks(struct bed *b, enum store_file file, int64_t after, int limit,
    const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct asked a = { got, after };

	assert_true(store_ask_list(b->of[STORE_DIRECTORY], file, after, limit,
	    spell_ask, &a, NULL));
	assert_string_equal(got->str, want);
	return a.last;
}

static void
build_and_the_gateway_ask_each_for_itself(void **state)
{
	struct bed *b = bed_of(state);
	int64_t last;

	ask(b, STORE_BUILD, "number", "5511", T0);
	ask(b, STORE_GATEWAY, "id", "ana", T0 + 1);
	ask(b, STORE_BUILD, "id", "5511", T0 + 2);
	ask(b, STORE_BUILD, "number", "5512", T0 + 3);
	last = expect_asks(b, STORE_BUILD, 0, 2,
	    "number 5511 +0;id 5511 +2;");
	expect_asks(b, STORE_BUILD, last, 9, "number 5512 +3;");
	expect_asks(b, STORE_GATEWAY, 0, 9, "id ana +1;");
}

static void
what_is_asked_again_comes_by_a_cursor_again(void **state)
{
	struct bed *b = bed_of(state);
	int64_t last;

	ask(b, STORE_BUILD, "number", "5511", T0);
	last = expect_asks(b, STORE_BUILD, 0, 9, "number 5511 +0;");
	expect_asks(b, STORE_BUILD, last, 9, "");
	ask(b, STORE_BUILD, "number", "5511", T0 + 5);
	last = expect_asks(b, STORE_BUILD, last, 9, "number 5511 +5;");
	ask(b, STORE_BUILD, "number", "5512", T0 + 6);
	ask(b, STORE_BUILD, "number", "5511", T0 + 7);
	expect_asks(b, STORE_BUILD, last, 9,
	    "number 5512 +6;number 5511 +7;");
	expect_asks(b, STORE_BUILD, 0, 9, "number 5512 +6;number 5511 +7;");
}

static void
nobody_else_asks(void **state)
{
	struct bed *b = bed_of(state);
	struct err err = ERR_INIT;

	begin(b, STORE_DELIVER);
	assert_false(store_ask_add(b->of[STORE_DELIVER], STORE_DELIVER, "id",
	    "ana", T0));
	commit_fails(b, STORE_DELIVER, "store.state");
	assert_false(store_ask_list(b->of[STORE_DIRECTORY], STORE_INTAKE, 0,
	    9, spell_ask, NULL, &err));
	assert_string_equal(err.what, "store.state");
}

static void
answer(struct bed *b, const char *value, bool found, int64_t until_ms)
{
	const struct store_answer a = { .kind = "number", .value = value,
		.found = found, .id = found ? "E7" : NULL,
		.name = found ? "Ana" : NULL, .mail = found ? "a@t" : NULL,
		.groups = found ? "[\"Desk\"]" : NULL, .at_ms = T0 + 3,
		.until_ms = until_ms };

	begin(b, STORE_DIRECTORY);
	assert_true(store_answer_set(b->of[STORE_DIRECTORY], &a));
	commit(b, STORE_DIRECTORY);
}

static bool
spell_answer(void *arg, const struct store_answer *a)
{
	assert_int_equal(a->at_ms, T0 + 3);
	g_string_append_printf(arg, "%s %s %d %s %s %s %s +%d;", a->kind,
	    a->value, a->found, a->id == NULL ? "-" : a->id,
	    a->name == NULL ? "-" : a->name, a->mail == NULL ? "-" : a->mail,
	    a->groups == NULL ? "-" : a->groups, (int)(a->until_ms - T0));
	return true;
}

static void
expect_answer(struct bed *b, const char *kind, const char *value,
    const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_answer_get(b->of[STORE_BUILD], kind, value,
	    spell_answer, got, NULL));
	assert_string_equal(got->str, want);
}

static void
an_answer_is_given_fresh_or_stale_until_another_replaces_it(void **state)
{
	struct bed *b = bed_of(state);

	answer(b, "5511", true, T0 + 50);
	answer(b, "5512", false, T0 + 20);
	expect_answer(b, "number", "5511",
	    "number 5511 1 E7 Ana a@t [\"Desk\"] +50;");
	expect_answer(b, "number", "5512", "number 5512 0 - - - - +20;");
	expect_answer(b, "id", "5511", "");
	expect_answer(b, "number", "5513", "");
	answer(b, "5511", false, T0 + 70);
	expect_answer(b, "number", "5511", "number 5511 0 - - - - +70;");
}

static void
expect_stale(struct bed *b, int64_t until_ms, int64_t asked_ms, int limit,
    const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_answer_list(b->of[STORE_DIRECTORY], until_ms,
	    asked_ms, limit, spell_answer, got, NULL));
	assert_string_equal(got->str, want);
}

static void
answers_are_renewed_that_somebody_still_asks_for(void **state)
{
	struct bed *b = bed_of(state);

	ask(b, STORE_BUILD, "number", "5511", T0 + 1);
	ask(b, STORE_GATEWAY, "number", "5512", T0 + 5);
	ask(b, STORE_BUILD, "id", "5513", T0 + 9);
	answer(b, "5511", false, T0 + 50);
	answer(b, "5512", false, T0 + 20);
	answer(b, "5513", false, T0 + 20);
	expect_stale(b, T0 + 60, T0, 9, "number 5512 0 - - - - +20;"
	    "number 5511 0 - - - - +50;");
	expect_stale(b, T0 + 60, T0, 1, "number 5512 0 - - - - +20;");
	expect_stale(b, T0 + 60, T0 + 2, 9, "number 5512 0 - - - - +20;");
	expect_stale(b, T0 + 50, T0, 9, "number 5512 0 - - - - +20;");
	expect_stale(b, T0 + 20, T0, 9, "");
	expect_stale(b, T0 + 60, T0 + 9, 9, "");
}

static void
answers_believed_by_a_clock_that_was_set_back_are_asked_for_again(
    void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_DIRECTORY];

	ask(b, STORE_BUILD, "number", "5511", T0 + 1);
	ask(b, STORE_BUILD, "number", "5512", T0 + 1);
	answer(b, "5511", false, T0 + 900);
	answer(b, "5512", true, T0 + 50);
	store_begin(st);
	assert_true(store_answer_hurry(st, T0 + 50, T0 + 10));
	assert_true(store_commit(st, NULL));
	expect_stale(b, T0 + 50, T0, 9, "number 5511 0 - - - - +10;");
	expect_answer(b, "number", "5512",
	    "number 5512 1 E7 Ana a@t [\"Desk\"] +50;");
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_judging[] = {
	TEST(rule_sets_are_kept_with_their_texts_and_times),
	TEST(a_verdict_is_found_by_its_turn),
	TEST(a_verdict_set_again_replaces_the_first),
	TEST(a_verdict_on_no_turn_is_refused),
	TEST(consent_is_what_was_known_at_that_time),
	TEST(alerts_are_remembered_by_rule),
	TEST(the_first_resolution_of_a_send_stays),
	TEST(changes_of_templates_are_listed_in_order),
	TEST(build_and_the_gateway_ask_each_for_itself),
	TEST(what_is_asked_again_comes_by_a_cursor_again),
	TEST(nobody_else_asks),
	TEST(an_answer_is_given_fresh_or_stale_until_another_replaces_it),
	TEST(answers_are_renewed_that_somebody_still_asks_for),
	TEST(answers_believed_by_a_clock_that_was_set_back_are_asked_for_again),
};
const size_t store_contract_judging_n = G_N_ELEMENTS(store_contract_judging);
