/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the store: where items are, who is who, what is new. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "err.h"
#include "store_bed.h"

/* ---- items ------------------------------------------------------------------ */

static void
file_about(struct bed *b, const char *key, const char *target,
    const char *kind, int64_t event, int64_t turn)
{
	struct store_item it = { .key = key, .event_id = event,
		.target = target, .kind = kind, .type = "text", .at_ms = T0,
		.turn_id = turn };

	digest_of(key, it.digest);
	assert_true(store_item_add(b->of[STORE_BUILD], &it));
}

static void
an_item_is_found_by_its_key(void **state)
{
	struct bed *b = bed_of(state);
	int64_t event = put_event(b, T0, "{}"), turn;
	struct store_place at;
	uint8_t key[HASH_SIZE];

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_STILL_OPEN);
	add_item(b, "k1", event, turn);
	file_about(b, "r1", "wamid.x", "receipt", event, 0);
	assert_true(store_item_find(b->of[STORE_BUILD], "k1", &at, NULL));
	commit(b, STORE_BUILD);
	assert_int_equal(at.event_id, event);
	assert_int_equal(at.turn_id, turn);
	assert_int_equal(at.at_ms, T0 - 5);
	store_key("k1", key);
	assert_memory_equal(at.key, key, HASH_SIZE);
	assert_true(store_item_find(b->of[STORE_BUILD], "r1", &at, NULL));
	assert_int_equal(at.event_id, event);
	assert_int_equal(at.turn_id, 0);
	assert_true(store_item_find(b->of[STORE_BUILD], "none", &at, NULL));
	assert_int_equal(at.event_id, 0);
}

static void
items_about_a_message_are_given_in_order_of_filing(void **state)
{
	static const char *const keys[] = { "z-edit", "recorded", "a-edit" };
	struct bed *b = bed_of(state);
	g_autoptr(GArray) about = NULL, none = NULL;
	int64_t event = put_event(b, T0, "{}"), turn;
	uint8_t key[HASH_SIZE];

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_STILL_OPEN);
	file_about(b, "z-edit", "wamid.1", "edit", event, turn);
	file_about(b, "other", "wamid.2", "edit", event, turn);
	file_about(b, "recorded", "wamid.1", "edit", event, 0);
	file_about(b, "revoke", "wamid.1", "revoke", event, turn);
	commit(b, STORE_BUILD);
	begin(b, STORE_BUILD);
	file_about(b, "a-edit", "wamid.1", "edit", event, turn);
	assert_true(store_item_about(b->of[STORE_BUILD], "wamid.1", "edit",
	    &about, NULL));
	commit(b, STORE_BUILD);
	assert_int_equal(about->len, 3);
	for (guint i = 0; i < 3; i++) {
		store_key(keys[i], key);
		assert_memory_equal(g_array_index(about, struct store_place,
		    i).key, key, HASH_SIZE);
	}
	assert_int_equal(g_array_index(about, struct store_place, 0).turn_id,
	    turn);
	assert_int_equal(g_array_index(about, struct store_place, 1).turn_id,
	    0);
	assert_int_equal(g_array_index(about, struct store_place, 2).event_id,
	    event);
	assert_int_equal(g_array_index(about, struct store_place, 2).at_ms,
	    T0);
	assert_true(store_item_about(b->of[STORE_BUILD], "wamid.3", "edit",
	    &none, NULL));
	assert_int_equal(none->len, 0);
}

/* ---- novelties ------------------------------------------------------------------ */

static void
a_novelty_is_new_once_and_then_counted(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	bool first = false, again = true, other = false;
	struct store_novelty *n;
	struct store_status s;

	begin(b, STORE_BUILD);
	assert_true(store_novelty_add(st, "messages", "hologram", T0 + 5,
	    &first, NULL));
	assert_true(store_novelty_add(st, "statuses", "hologram", T0, &other,
	    NULL));
	commit(b, STORE_BUILD);
	begin(b, STORE_BUILD);
	assert_true(store_novelty_add(st, "messages", "hologram", T0 + 9,
	    &again, NULL));
	assert_true(store_novelty_add(st, "messages", "hologram", T0, NULL,
	    NULL));
	commit(b, STORE_BUILD);
	assert_true(first && other);
	assert_false(again);
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.novelties->len, 2);
	n = &g_array_index(s.novelties, struct store_novelty, 0);
	assert_string_equal(n->field, "messages");
	assert_string_equal(n->word, "hologram");
	assert_int_equal(n->count, 3);
	assert_int_equal(n->first_ms, T0);
	assert_int_equal(n->last_ms, T0 + 9);
	n = &g_array_index(s.novelties, struct store_novelty, 1);
	assert_string_equal(n->field, "statuses");
	store_status_clear(&s);
}

static void
the_status_names_the_hundred_most_frequent_novelties(void **state)
{
	struct bed *b = bed_of(state);
	struct store_status s;

	begin(b, STORE_BUILD);
	for (int i = 0; i < 120; i++) {
		g_autofree char *word = g_strdup_printf("w%d", i);

		store_novelty_add(b->of[STORE_BUILD], "f", word, T0, NULL,
		    NULL);
	}
	store_novelty_add(b->of[STORE_BUILD], "f", "w77", T0, NULL, NULL);
	commit(b, STORE_BUILD);
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.novelties->len, 100);
	assert_string_equal(g_array_index(s.novelties, struct store_novelty,
	    0).word, "w77");
	store_status_clear(&s);
}

static void
a_novelty_after_a_failure_does_nothing_and_says_why(void **state)
{
	struct bed *b = bed_of(state);
	struct err err = ERR_INIT;
	bool first;

	begin(b, STORE_BUILD);
	assert_false(store_turn_wait(b->of[STORE_BUILD], 9, T0));
	assert_false(store_novelty_add(b->of[STORE_BUILD], "f", "w", T0,
	    &first, &err));
	assert_string_equal(err.what, "store.state");
	commit_fails(b, STORE_BUILD, "store.state");
}

/* ---- the history of persons ------------------------------------------------------ */

static void
learn(struct bed *b, const char *person, const char *kind, const char *value,
    int64_t first_ms)
{
	struct store_identity id = { .realm = "whatsapp", .person = person,
		.kind = kind, .value = value, .source = "message",
		.first_ms = first_ms };

	assert_true(store_identity_add(b->of[STORE_BUILD], &id));
}

static void
lose(struct bed *b, const char *person, const char *kind, const char *value,
    int64_t until_ms)
{
	assert_true(store_identity_end(b->of[STORE_BUILD], "whatsapp", person,
	    kind, value, until_ms));
}

/* "PERSON KIND VALUE FIRST-UNTIL" of each, times after T0. */
static bool
spell(void *arg, const struct store_identity *id)
{
	assert_string_equal(id->realm, "whatsapp");
	assert_string_equal(id->source, "message");
	g_string_append_printf(arg, "%s %s %s %d-%d\n", id->person, id->kind,
	    id->value, (int)(id->first_ms - T0),
	    id->until_ms == 0 ? 0 : (int)(id->until_ms - T0));
	return true;
}

static void
expect_now(struct bed *b, const char *person, const char *kind,
    const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_identity_now(b->of[STORE_BUILD], "whatsapp", person,
	    kind, spell, got, NULL));
	assert_string_equal(got->str, want);
}

static void
expect_trace(struct bed *b, const char *value, const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_identity_trace(b->of[STORE_ADMIN], value, spell,
	    got, NULL));
	assert_string_equal(got->str, want);
}

static void
expect_owner(struct bed *b, const char *kind, const char *value,
    int64_t at_ms, const char *want)
{
	g_autofree char *got = NULL, *elsewhere = NULL;

	assert_true(store_identity_owner(b->of[STORE_BUILD], "whatsapp", kind,
	    value, at_ms, &got, NULL));
	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
	assert_true(store_identity_owner(b->of[STORE_BUILD], "sms", kind,
	    value, at_ms, &elsewhere, NULL));
	assert_null(elsewhere);
}

static void
what_holds_of_a_person_is_given_newest_first(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	learn(b, "p1", "number", "5511", T0);
	learn(b, "p1", "username", "Ana", T0 + 5);
	learn(b, "p1", "username", "ana.b", T0 + 3);
	learn(b, "p2", "number", "5512", T0 + 9);
	lose(b, "p1", "number", "5511", T0 + 7);
	lose(b, "p1", "name", "nobody's", T0 + 7);
	commit(b, STORE_BUILD);
	expect_now(b, "p1", NULL, "p1 username Ana 5-0\n"
	    "p1 username ana.b 3-0\n");
	expect_now(b, "p1", "username", "p1 username Ana 5-0\n"
	    "p1 username ana.b 3-0\n");
	expect_now(b, "p1", "number", "");
	expect_now(b, "p2", "number", "p2 number 5512 9-0\n");
	expect_now(b, "p3", NULL, "");
}

static void
what_is_known_already_is_not_added_again(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	learn(b, "p1", "number", "5511", T0 + 5);
	learn(b, "p1", "number", "5511", T0 + 9);
	learn(b, "p1", "number", "5511", T0 + 3);
	commit(b, STORE_BUILD);
	expect_trace(b, "5511", "p1 number 5511 3-0\n");
}

static void
a_value_may_be_a_persons_again(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	learn(b, "p1", "number", "5511", T0 + 1);
	lose(b, "p1", "number", "5511", T0 + 5);
	learn(b, "p1", "number", "5511", T0 + 8);
	commit(b, STORE_BUILD);
	begin(b, STORE_BUILD);
	learn(b, "p1", "number", "5511", T0 + 2);
	lose(b, "p1", "number", "5511", T0 + 3);
	commit(b, STORE_BUILD);
	expect_trace(b, "5511", "p1 number 5511 1-5\np1 number 5511 8-8\n");
}

static void
a_recycled_number_was_somebodys_at_each_time(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	learn(b, "p1", "number", "5511", T0);
	lose(b, "p1", "number", "5511", T0 + 10);
	learn(b, "p2", "number", "+5511", T0 + 20);
	learn(b, "p3", "number", "5511", T0 + 30);
	commit(b, STORE_BUILD);
	expect_owner(b, "number", "5511", T0 - 1, NULL);
	expect_owner(b, "number", "5511", T0, "p1");
	expect_owner(b, "number", "+5511", T0 + 9, "p1");
	expect_owner(b, "number", "5511", T0 + 10, NULL);
	expect_owner(b, "number", "5511", T0 + 29, "p2");
	expect_owner(b, "number", "5511", T0 + 30, "p3");
	expect_owner(b, "user-id", "5511", T0 + 30, NULL);
}

static void
a_trace_has_all_that_is_known_of_everybody_who_had_the_value(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	learn(b, "p1", "number", "5511", T0 + 4);
	learn(b, "p1", "user-id", "BR.5Qe", T0 + 2);
	lose(b, "p1", "number", "5511", T0 + 6);
	learn(b, "p2", "number", "5511", T0 + 6);
	learn(b, "p2", "username", "@Rui", T0 + 7);
	learn(b, "p3", "name", "@rui", T0 + 8);
	learn(b, "p4", "number", "5512", T0 + 1);
	commit(b, STORE_BUILD);
	expect_trace(b, "5511", "p1 user-id BR.5Qe 2-0\n"
	    "p1 number 5511 4-6\np2 number 5511 6-0\n"
	    "p2 username @Rui 7-0\n");
	expect_trace(b, "+5512", "p4 number 5512 1-0\n");
	expect_trace(b, "BR.5Qe", "p1 user-id BR.5Qe 2-0\n"
	    "p1 number 5511 4-6\n");
	expect_trace(b, "br.5qe", "");
	expect_trace(b, "RUI", "p2 number 5511 6-0\np2 username @Rui 7-0\n");
	expect_trace(b, "@rui", "p2 number 5511 6-0\np2 username @Rui 7-0\n"
	    "p3 name @rui 8-0\n");
	expect_trace(b, "5513", "");
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_knowing[] = {
	TEST(an_item_is_found_by_its_key),
	TEST(items_about_a_message_are_given_in_order_of_filing),
	TEST(a_novelty_is_new_once_and_then_counted),
	TEST(the_status_names_the_hundred_most_frequent_novelties),
	TEST(a_novelty_after_a_failure_does_nothing_and_says_why),
	TEST(what_holds_of_a_person_is_given_newest_first),
	TEST(what_is_known_already_is_not_added_again),
	TEST(a_value_may_be_a_persons_again),
	TEST(a_recycled_number_was_somebodys_at_each_time),
	TEST(a_trace_has_all_that_is_known_of_everybody_who_had_the_value),
};
const size_t store_contract_knowing_n = G_N_ELEMENTS(store_contract_knowing);
