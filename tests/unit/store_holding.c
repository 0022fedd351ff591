/* SPDX-License-Identifier: Apache-2.0 */
/* The contract: turns withheld, what persons decided, what is excluded. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "err.h"
#include "store_bed.h"

/* A closed turn with its event and item, read; it waits. One transaction. */
static int64_t
put_closed(struct bed *b, const char *key)
{
	int64_t event = put_event(b, T0, "{}"), turn;

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	add_item(b, key, event, turn);
	assert_true(store_turn_wait(b->of[STORE_BUILD], turn, T0 + 100));
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD,
	    STORE_CURSOR_EVENTS, event));
	commit(b, STORE_BUILD);
	return turn;
}

static bool
hold(struct bed *b, int64_t turn, int64_t until_ms)
{
	const struct store_hold h = { .turn_id = turn, .rule = "no-cards",
		.since_ms = T0 + 5, .until_ms = until_ms, .persons = 2 };

	return store_turn_hold(b->of[STORE_BUILD], &h);
}

static int64_t
put_held(struct bed *b, const char *key, int64_t until_ms)
{
	int64_t turn = put_closed(b, key);

	begin(b, STORE_BUILD);
	assert_true(hold(b, turn, until_ms));
	commit(b, STORE_BUILD);
	return turn;
}

/* Ends the hold and renders, as build does it. */
static void
let_go(struct bed *b, int64_t turn, const char *end)
{
	uint8_t sha256[HASH_SIZE] = { 1 };

	begin(b, STORE_BUILD);
	assert_true(store_turn_unhold(b->of[STORE_BUILD], turn, end, T0 + 9));
	if (strcmp(end, "rejected") == 0)
		assert_true(store_turn_excluded(b->of[STORE_BUILD], turn,
		    "rejected", T0 + 9));
	assert_true(store_turn_rendered(b->of[STORE_BUILD], turn, "r@test",
	    sha256, T0 + 9));
	add_mail(b, turn, "a", "x");
	commit(b, STORE_BUILD);
}

static void
expect_state(struct bed *b, int64_t turn, const char *want)
{
	struct turn t;
	char got[16];

	assert_true(store_turn_get(b->of[STORE_BUILD], turn, &t, got, NULL,
	    NULL));
	assert_string_equal(got, want);
	turn_clear(&t);
}

static void
expect_law(struct bed *b, const char *broken)
{
	g_autofree char *why = NULL;
	bool ok = false;

	assert_true(store_law_check(b->of[STORE_ADMIN], &ok, &why, NULL));
	if (broken == NULL && !ok)
		fail_msg("the law is broken: %s", why);
	if (broken != NULL && (ok || strstr(why, broken) == NULL))
		fail_msg("want \"%s\", got %s", broken, ok ? "none" : why);
}

static bool
spell_hold(void *arg, const struct store_hold *h)
{
	g_string_append_printf(arg, "%d %s +%d-+%d by %d %s+%d;",
	    (int)h->turn_id, h->rule, (int)(h->since_ms - T0),
	    (int)(h->until_ms - T0), (int)h->persons,
	    h->end == NULL ? "" : h->end,
	    h->ended_ms == 0 ? 0 : (int)(h->ended_ms - T0));
	return true;
}

static void
expect_hold(struct bed *b, int64_t turn, const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_hold_get(b->of[STORE_ADMIN], turn, spell_hold, got,
	    NULL));
	assert_string_equal(got->str, want);
}

static void
expect_holds(struct bed *b, int64_t after, int limit, const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_hold_list(b->of[STORE_ADMIN], after, limit,
	    spell_hold, got, NULL));
	assert_string_equal(got->str, want);
}

/* ---- holds -------------------------------------------------------------------- */

static void
a_held_turn_is_in_that_state_alone_and_accounted_for(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GPtrArray) closed = NULL;
	g_autoptr(GArray) waiting = NULL;
	int64_t next = 0;

	put_held(b, "k", T0 + 50);
	expect_state(b, 1, "held");
	expect_hold(b, 1, "1 no-cards +5-+50 by 2 +0;");
	expect_law(b, NULL);
	assert_true(store_turn_closed_list(b->of[STORE_BUILD], 0, 9, &closed,
	    NULL));
	assert_int_equal(closed->len, 0);
	assert_true(store_turn_wait_due(b->of[STORE_BUILD], INT64_MAX, 9,
	    &waiting, NULL));
	assert_int_equal(waiting->len, 0);
	assert_true(store_turn_wait_next(b->of[STORE_BUILD], &next, NULL));
	assert_true(next == INT64_MAX);
}

static void
a_hold_that_ended_is_kept_and_its_turn_is_rendered(void **state)
{
	static const char *const ends[] = { "released", "rejected",
		"expired" };
	struct bed *b = bed_of(state);

	for (int i = 0; i < 3; i++) {
		char key[2] = { (char)('a' + i), '\0' };
		int64_t turn = put_held(b, key, T0 + 50);
		g_autofree char *want = g_strdup_printf(
		    "%d no-cards +5-+50 by 2 %s+9;", (int)turn, ends[i]);

		let_go(b, turn, ends[i]);
		expect_state(b, turn, "rendered");
		expect_hold(b, turn, want);
	}
	expect_holds(b, 0, 9, "");
	expect_law(b, NULL);
}

static void
only_a_closed_turn_can_be_held(void **state)
{
	struct bed *b = bed_of(state);
	int64_t open, parked, rendered;

	put_message(b, "k", "a", NULL);
	rendered = 1;
	begin(b, STORE_BUILD);
	open = add_turn(b, "talk", TURN_STILL_OPEN);
	parked = add_turn(b, "talk", TURN_SINGLE);
	store_turn_park(b->of[STORE_BUILD], parked, "why", T0);
	commit(b, STORE_BUILD);
	for (int i = 0; i < 4; i++) {
		const int64_t turns[] = { open, parked, rendered, 77 };

		begin(b, STORE_BUILD);
		assert_false(hold(b, turns[i], T0 + 50));
		commit_fails(b, STORE_BUILD, "store.state");
		expect_hold(b, turns[i], "");
	}
	expect_state(b, open, "open");
	expect_state(b, parked, "parked");
	expect_state(b, rendered, "rendered");
}

static void
a_turn_is_held_once_and_never_twice(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn = put_held(b, "k", T0 + 50);

	begin(b, STORE_BUILD);
	assert_false(hold(b, turn, T0 + 90));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_true(store_turn_unhold(b->of[STORE_BUILD], turn, "released",
	    T0 + 9));
	assert_false(hold(b, turn, T0 + 90));
	commit_fails(b, STORE_BUILD, "store.state");
	expect_state(b, turn, "held");
	expect_hold(b, turn, "1 no-cards +5-+50 by 2 +0;");
}

static void
a_hold_must_have_an_end(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn = put_closed(b, "k");

	for (int i = 0; i < 3; i++) {
		const int64_t until[] = { 0, T0, T0 + 5 };

		begin(b, STORE_BUILD);
		assert_false(hold(b, turn, until[i]));
		commit_fails(b, STORE_BUILD, "store.state");
	}
	expect_state(b, turn, "closed");
	expect_law(b, NULL);
}

static void
what_is_not_held_cannot_be_let_go(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn = put_closed(b, "k");
	int64_t held = put_held(b, "l", T0 + 50);

	let_go(b, held, "released");
	for (int i = 0; i < 3; i++) {
		const int64_t turns[] = { turn, held, 77 };

		begin(b, STORE_BUILD);
		assert_false(store_turn_unhold(b->of[STORE_BUILD], turns[i],
		    "released", T0 + 20));
		commit_fails(b, STORE_BUILD, "store.state");
	}
	expect_hold(b, held, "2 no-cards +5-+50 by 2 released+9;");
}

static void
a_hold_ends_in_no_unknown_way(void **state)
{
	static const char *const ends[] = { "", "vanished", "parked" };
	struct bed *b = bed_of(state);
	int64_t turn = put_held(b, "k", T0 + 50);

	for (int i = 0; i < 3; i++) {
		begin(b, STORE_BUILD);
		assert_false(store_turn_unhold(b->of[STORE_BUILD], turn,
		    ends[i], T0 + 9));
		commit_fails(b, STORE_BUILD, "store.state");
	}
	expect_state(b, turn, "held");
}

static void
a_held_turn_is_neither_rendered_nor_changed_nor_made_to_wait(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	uint8_t sha256[HASH_SIZE] = { 1 };
	int64_t turn = put_held(b, "k", T0 + 50);
	struct turn t = { .id = turn, .items = 9 };

	begin(b, STORE_BUILD);
	assert_false(store_turn_rendered(st, turn, "m@test", sha256, T0));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_turn_wait(st, turn, T0 + 9));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_turn_update(st, &t));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_turn_close(st, turn, TURN_IDLE, T0));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_turn_excluded(st, turn, "why", T0));
	commit_fails(b, STORE_BUILD, "store.state");
	expect_state(b, turn, "held");
}

static void
parking_a_held_turn_ends_its_hold(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn = put_held(b, "k", T0 + 50), next = 0;

	begin(b, STORE_BUILD);
	assert_true(store_turn_park(b->of[STORE_BUILD], turn, "it kills",
	    T0 + 7));
	commit(b, STORE_BUILD);
	expect_state(b, turn, "parked");
	expect_hold(b, turn, "1 no-cards +5-+50 by 2 parked+7;");
	assert_true(store_hold_next_due(b->of[STORE_BUILD], &next, NULL));
	assert_true(next == INT64_MAX);
	expect_law(b, NULL);
}

static void
a_turn_let_go_may_wait_for_its_files_again(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn = put_held(b, "k", T0 + 50);

	begin(b, STORE_BUILD);
	assert_true(store_turn_unhold(b->of[STORE_BUILD], turn, "released",
	    T0 + 9));
	assert_true(store_turn_wait(b->of[STORE_BUILD], turn, T0 + 90));
	commit(b, STORE_BUILD);
	expect_state(b, turn, "closed");
	expect_law(b, NULL);
}

static void
holds_are_listed_by_turn_and_due_by_their_end(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GArray) none = NULL, two = NULL, one = NULL, back = NULL;
	int64_t next = 0;

	put_held(b, "a", T0 + 70);
	put_held(b, "b", T0 + 60);
	let_go(b, put_held(b, "c", T0 + 10), "released");
	put_held(b, "d", T0 + 80);
	expect_holds(b, 0, 2, "1 no-cards +5-+70 by 2 +0;"
	    "2 no-cards +5-+60 by 2 +0;");
	expect_holds(b, 1, 9, "2 no-cards +5-+60 by 2 +0;"
	    "4 no-cards +5-+80 by 2 +0;");
	assert_true(store_hold_next_due(b->of[STORE_BUILD], &next, NULL));
	assert_int_equal(next, T0 + 60);
	assert_true(store_hold_due(b->of[STORE_BUILD], T0 + 59, 9, &none,
	    NULL));
	assert_int_equal(none->len, 0);
	assert_true(store_hold_due(b->of[STORE_BUILD], T0 + 70, 9, &two,
	    NULL));
	assert_int_equal(two->len, 2);
	assert_int_equal(ID(two, 0), 2);
	assert_int_equal(ID(two, 1), 1);
	assert_true(store_hold_due(b->of[STORE_BUILD], INT64_MAX, 1, &one,
	    NULL));
	assert_int_equal(one->len, 1);
	/* A clock that was set back a little changes nothing, by more it does. */
	g_clear_pointer(&one, g_array_unref);
	assert_true(store_hold_due(b->of[STORE_BUILD], T0 + 5 -
	    STORE_HOLD_SLACK_MS, 9, &one, NULL));
	assert_int_equal(one->len, 0);
	assert_true(store_hold_due(b->of[STORE_BUILD], T0 + 4 -
	    STORE_HOLD_SLACK_MS, 9, &back, NULL));
	assert_int_equal(back->len, 3);
}

static void
a_hold_is_over_at_its_end_or_when_the_clock_was_set_back(void **state)
{
	(void)state;
	assert_false(store_hold_is_over(T0, T0 + 60, T0 + 59));
	assert_true(store_hold_is_over(T0, T0 + 60, T0 + 60));
	assert_false(store_hold_is_over(T0, T0 + 60,
	    T0 - STORE_HOLD_SLACK_MS));
	assert_true(store_hold_is_over(T0, T0 + 60,
	    T0 - STORE_HOLD_SLACK_MS - 1));
}

static bool
once(void *arg, const struct store_hold *h)
{
	(void)h;
	++*(int *)arg;
	return false;
}

static void
a_list_of_holds_ends_when_the_callback_says_so(void **state)
{
	struct bed *b = bed_of(state);
	int n = 0;

	put_held(b, "a", T0 + 70);
	put_held(b, "b", T0 + 70);
	assert_true(store_hold_list(b->of[STORE_BUILD], 0, 9, once, &n,
	    NULL));
	assert_int_equal(n, 1);
}

static void
nothing_of_a_held_turn_is_purged(void **state)
{
	struct bed *b = bed_of(state);
	int64_t want = put_wanting(b, "k"), n = -1;

	put_fetch(b, want, STORE_FETCHED, "ab/file", 0);
	take_up(b, 1);
	begin(b, STORE_BUILD);
	assert_true(hold(b, 1, T0 + 50));
	commit(b, STORE_BUILD);
	assert_true(store_event_purge(b->of[STORE_INTAKE], INT64_MAX, 9, &n,
	    NULL));
	assert_int_equal(n, 0);
	assert_true(store_media_purge(b->of[STORE_MEDIA], INT64_MAX, 9, &n,
	    NULL));
	assert_int_equal(n, 0);
	expect_law(b, "files are gone before they were in a mail");
}

static void
only_build_may_hold_and_let_go(void **state)
{
	const struct store_hold h = { .turn_id = 1, .rule = "r",
		.since_ms = T0, .until_ms = T0 + 1 };
	struct bed *b = bed_of(state);

	put_held(b, "k", T0 + 50);
	if (b->of[STORE_ADMIN] == b->of[STORE_BUILD])
		return;		/* one owner for all */
	begin(b, STORE_ADMIN);
	assert_false(store_turn_unhold(b->of[STORE_ADMIN], 1, "released",
	    T0));
	commit_fails(b, STORE_ADMIN, "store.readonly");
	begin(b, STORE_INTAKE);
	assert_false(store_turn_hold(b->of[STORE_INTAKE], &h));
	commit_fails(b, STORE_INTAKE, "store.readonly");
	expect_state(b, 1, "held");
}

/* ---- what is excluded ------------------------------------------------------------ */

static void
an_excluded_turn_is_journaled_and_counted(void **state)
{
	struct bed *b = bed_of(state);
	uint8_t sha256[HASH_SIZE] = { 1 };
	struct store_status s;
	int64_t turn = put_closed(b, "k");

	begin(b, STORE_BUILD);
	assert_true(store_turn_excluded(b->of[STORE_BUILD], turn, "private",
	    T0 + 4));
	assert_true(store_turn_rendered(b->of[STORE_BUILD], turn, "m@test",
	    sha256, T0 + 4));
	add_mail(b, turn, "a", "x");
	commit(b, STORE_BUILD);
	expect_law(b, NULL);
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.turns_rendered, 1);
	assert_int_equal(s.turns_excluded, 1);
	store_status_clear(&s);
}

static void
a_turn_is_excluded_once_and_only_when_it_is_closed(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	int64_t open;

	put_message(b, "k", "a", NULL);
	begin(b, STORE_BUILD);
	open = add_turn(b, "talk", TURN_STILL_OPEN);
	assert_true(store_turn_excluded(st, 1, "why", T0));
	commit(b, STORE_BUILD);
	for (int i = 0; i < 3; i++) {
		const int64_t turns[] = { 1, open, 77 };

		begin(b, STORE_BUILD);
		assert_false(store_turn_excluded(st, turns[i], "why", T0));
		commit_fails(b, STORE_BUILD, "store.state");
	}
}

static void
the_law_is_broken_by_an_excluded_turn_without_a_mail(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn = put_closed(b, "k");

	begin(b, STORE_BUILD);
	assert_true(store_turn_excluded(b->of[STORE_BUILD], turn, "why", T0));
	commit(b, STORE_BUILD);
	expect_law(b, "1 turns are excluded but no mail says so");
}

static void
the_law_is_broken_by_a_turn_let_go_that_is_not_rendered(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn = put_held(b, "k", T0 + 50);

	begin(b, STORE_BUILD);
	assert_true(store_turn_unhold(b->of[STORE_BUILD], turn, "released",
	    T0 + 9));
	commit(b, STORE_BUILD);
	expect_law(b, "1 turns are closed but wait for nothing");
}

/* ---- reviews ----------------------------------------------------------------- */

static bool
add_review(struct bed *b, const struct store_review *r, int64_t *id)
{
	return store_review_add(b->of[STORE_ADMIN], r, id);
}

static int64_t
put_review(struct bed *b, int64_t turn, const char *send, const char *who,
    const char *verb)
{
	const struct store_review r = { .at_ms = T0 + 8, .who = who,
		.verb = verb, .turn_id = turn, .send_key = send,
		.why = "seen" };
	int64_t id = 0;

	begin(b, STORE_ADMIN);
	assert_true(add_review(b, &r, &id));
	commit(b, STORE_ADMIN);
	return id;
}

static bool
spell_review(void *arg, const struct store_review *r)
{
	assert_int_equal(r->at_ms, T0 + 8);
	g_string_append_printf(arg, "%d %s %s %d %s %s;", (int)r->id, r->who,
	    r->verb, (int)r->turn_id, r->send_key == NULL ? "-" : r->send_key,
	    r->why);
	return true;
}

static void
expect_reviews(struct bed *b, int64_t turn, const char *send,
    const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_review_of(b->of[STORE_BUILD], turn, send,
	    spell_review, got, NULL));
	assert_string_equal(got->str, want);
}

static void
reviews_are_listed_by_id_and_by_what_they_are_of(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) all = g_string_new(NULL);

	assert_int_equal(put_review(b, 4, NULL, "ana", "release"), 1);
	assert_int_equal(put_review(b, 0, "s1", "ana", "release"), 2);
	assert_int_equal(put_review(b, 4, NULL, "rui", "release"), 3);
	assert_int_equal(put_review(b, 5, NULL, "rui", "reject"), 4);
	expect_reviews(b, 4, NULL, "1 ana release 4 - seen;"
	    "3 rui release 4 - seen;");
	expect_reviews(b, 0, "s1", "2 ana release 0 s1 seen;");
	expect_reviews(b, 6, NULL, "");
	expect_reviews(b, 0, NULL, "");
	expect_reviews(b, 0, "s2", "");
	assert_true(store_review_list(b->of[STORE_BUILD], 1, 2, spell_review,
	    all, NULL));
	assert_string_equal(all->str, "2 ana release 0 s1 seen;"
	    "3 rui release 4 - seen;");
}

static void
the_same_person_does_not_count_as_two(void **state)
{
	struct bed *b = bed_of(state);
	const struct store_review again = { .at_ms = T0 + 9, .who = "ana",
		.verb = "release", .turn_id = 4 };
	const struct store_review send = { .at_ms = T0 + 9, .who = "ana",
		.verb = "release", .send_key = "s1" };

	put_review(b, 4, NULL, "ana", "release");
	put_review(b, 0, "s1", "ana", "release");
	begin(b, STORE_ADMIN);
	assert_false(add_review(b, &again, NULL));
	commit_fails(b, STORE_ADMIN, "store.state");
	begin(b, STORE_ADMIN);
	assert_false(add_review(b, &send, NULL));
	commit_fails(b, STORE_ADMIN, "store.state");
	/* Who thinks again may take it back. */
	put_review(b, 4, NULL, "ana", "reject");
	put_review(b, 5, NULL, "ana", "release");
	expect_reviews(b, 4, NULL, "1 ana release 4 - seen;"
	    "3 ana reject 4 - seen;");
}

static void
a_review_is_of_one_thing_by_somebody_and_says_what(void **state)
{
	static const struct store_review wrong[] = {
		{ .who = "ana", .verb = "release" },
		{ .who = "ana", .verb = "release", .turn_id = 1,
		  .send_key = "s" },
		{ .who = "ana", .verb = "delete", .turn_id = 1 },
		{ .who = "", .verb = "release", .turn_id = 1 },
	};
	struct bed *b = bed_of(state);

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		begin(b, STORE_ADMIN);
		assert_false(add_review(b, &wrong[i], NULL));
		commit_fails(b, STORE_ADMIN, "store.state");
	}
	expect_reviews(b, 1, NULL, "");
}

/* ---- looking --------------------------------------------------------------------- */

static void
status_counts_what_is_held_apart_from_what_is_closed(void **state)
{
	struct bed *b = bed_of(state);
	struct store_status s;

	put_held(b, "a", T0 + 50);
	put_held(b, "b", T0 + 50);
	put_closed(b, "c");
	let_go(b, put_held(b, "d", T0 + 50), "rejected");
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.turns_held, 2);
	assert_int_equal(s.turns_closed, 1);
	assert_int_equal(s.turns_waiting, 1);
	assert_int_equal(s.turns_rendered, 1);
	assert_int_equal(s.turns_excluded, 1);
	store_status_clear(&s);
}

static bool
spell_row(void *arg, const struct store_row *r)
{
	g_string_append_printf(arg, "%d %s %s +%d +%d;", (int)r->turn_id,
	    r->state, r->reason, (int)(r->at_ms - T0),
	    (int)(r->next_ms - T0));
	assert_int_equal(r->mail_id, 0);
	assert_int_equal(r->event_id, 0);
	assert_int_equal(r->want_id, 0);
	return true;
}

static void
held_turns_are_listed_with_their_rule_and_their_end(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) got = g_string_new(NULL);

	put_held(b, "a", T0 + 50);
	let_go(b, put_held(b, "b", T0 + 50), "expired");
	put_held(b, "c", T0 + 60);
	put_held(b, "d", T0 + 70);
	assert_true(store_list(b->of[STORE_ADMIN], STORE_LIST_HELD, NULL, 0,
	    2, spell_row, got, NULL));
	assert_true(store_list(b->of[STORE_ADMIN], STORE_LIST_HELD, NULL, 3,
	    9, spell_row, got, NULL));
	assert_string_equal(got->str, "1 held no-cards +5 +50;"
	    "3 held no-cards +5 +60;4 held no-cards +5 +70;");
}

static void
a_trace_tells_the_hold_who_decided_and_what_came_of_it(void **state)
{
	struct bed *b = bed_of(state);

	put_held(b, "a", T0 + 50);
	put_review(b, 1, NULL, "ana", "release");
	put_review(b, 1, NULL, "rui", "release");
	expect_story(b, "turn:1", "received+0 filed+0 closed+1 held+5 "
	    "release+8 release+8 ");
	let_go(b, 1, "released");
	expect_story(b, "wamid.a", "received+0 filed+0 closed+1 queued+2 "
	    "held+5 release+8 release+8 released+9 rendered+9 ");
	put_held(b, "b", T0 + 50);
	put_review(b, 2, NULL, "ana", "reject");
	let_go(b, 2, "rejected");
	expect_story(b, "turn:2", "received+0 filed+0 closed+1 queued+2 "
	    "held+5 reject+8 rejected+9 excluded+9 rendered+9 ");
	let_go(b, put_held(b, "c", T0 + 50), "expired");
	expect_story(b, "turn:3", "received+0 filed+0 closed+1 queued+2 "
	    "held+5 expired+9 rendered+9 ");
}

static void
a_trace_tells_once_that_what_was_held_is_parked(void **state)
{
	struct bed *b = bed_of(state);

	put_held(b, "a", T0 + 50);
	begin(b, STORE_BUILD);
	assert_true(store_turn_park(b->of[STORE_BUILD], 1, "why", T0 + 7));
	commit(b, STORE_BUILD);
	expect_story(b, "turn:1", "received+0 filed+0 closed+1 held+5 "
	    "parked+7 ");
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_holding[] = {
	TEST(a_held_turn_is_in_that_state_alone_and_accounted_for),
	TEST(a_hold_that_ended_is_kept_and_its_turn_is_rendered),
	TEST(only_a_closed_turn_can_be_held),
	TEST(a_turn_is_held_once_and_never_twice),
	TEST(a_hold_must_have_an_end),
	TEST(what_is_not_held_cannot_be_let_go),
	TEST(a_hold_ends_in_no_unknown_way),
	TEST(a_held_turn_is_neither_rendered_nor_changed_nor_made_to_wait),
	TEST(parking_a_held_turn_ends_its_hold),
	TEST(a_turn_let_go_may_wait_for_its_files_again),
	TEST(holds_are_listed_by_turn_and_due_by_their_end),
	TEST(a_hold_is_over_at_its_end_or_when_the_clock_was_set_back),
	TEST(a_list_of_holds_ends_when_the_callback_says_so),
	TEST(nothing_of_a_held_turn_is_purged),
	TEST(only_build_may_hold_and_let_go),
	TEST(an_excluded_turn_is_journaled_and_counted),
	TEST(a_turn_is_excluded_once_and_only_when_it_is_closed),
	TEST(the_law_is_broken_by_an_excluded_turn_without_a_mail),
	TEST(the_law_is_broken_by_a_turn_let_go_that_is_not_rendered),
	TEST(reviews_are_listed_by_id_and_by_what_they_are_of),
	TEST(the_same_person_does_not_count_as_two),
	TEST(a_review_is_of_one_thing_by_somebody_and_says_what),
	TEST(status_counts_what_is_held_apart_from_what_is_closed),
	TEST(held_turns_are_listed_with_their_rule_and_their_end),
	TEST(a_trace_tells_the_hold_who_decided_and_what_came_of_it),
	TEST(a_trace_tells_once_that_what_was_held_is_parked),
};
const size_t store_contract_holding_n = G_N_ELEMENTS(store_contract_holding);
