/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract: what is parked is parked no more, what persons want done about
 * it, and other bytes under a key that is known.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "err.h"
#include "store_bed.h"

/* A turn that is parked, with its event and item, read; its id. */
static int64_t
put_parked_turn(struct bed *b, const char *key)
{
	int64_t event = put_event(b, T0, "{}"), turn;

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	add_item(b, key, event, turn);
	assert_true(store_turn_park(b->of[STORE_BUILD], turn, "no template",
	    T0 + 2));
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD,
	    STORE_CURSOR_EVENTS, event));
	commit(b, STORE_BUILD);
	return turn;
}

/* An event that was not understood; its raw notice is in turn 1, sent. */
static int64_t
put_parked_event(struct bed *b)
{
	int64_t mail = put_message(b, "raw", "a", NULL);

	put_outcome(b, mail, "a", STORE_SENT, T0 + 3, 0);
	begin(b, STORE_BUILD);
	assert_true(store_event_park(b->of[STORE_BUILD], 1, 1, "no JSON",
	    T0 + 2));
	commit(b, STORE_BUILD);
	return 1;
}

static void
unpark_turn(struct bed *b, int64_t turn)
{
	uint8_t sha256[HASH_SIZE] = { 1 };

	begin(b, STORE_BUILD);
	assert_true(store_turn_unpark(b->of[STORE_BUILD], turn));
	assert_true(store_turn_rendered(b->of[STORE_BUILD], turn, "r@test",
	    sha256, T0 + 9));
	add_mail(b, turn, "a", "x");
	commit(b, STORE_BUILD);
}

static void
unpark_event(struct bed *b, int64_t event)
{
	begin(b, STORE_BUILD);
	assert_true(store_event_unpark(b->of[STORE_BUILD], event, T0 + 9));
	commit(b, STORE_BUILD);
}

static int64_t
put_request(struct bed *b, const struct store_request *of, const char *who,
    const char *verb)
{
	struct store_request r = *of;
	int64_t id = 0;

	r.at_ms = T0 + 8;
	r.who = who;
	r.verb = verb;
	r.why = "mended";
	begin(b, STORE_ADMIN);
	assert_true(store_request_add(b->of[STORE_ADMIN], &r, &id));
	commit(b, STORE_ADMIN);
	return id;
}

#define OF_TURN(id) (&(struct store_request){ .turn_id = (id) })
#define OF_EVENT(id) (&(struct store_request){ .event_id = (id) })
#define OF_MAIL(id) (&(struct store_request){ .mail_id = (id) })

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
spell_row(void *arg, const struct store_row *r)
{
	g_string_append_printf(arg, "%d/%d/%d %s;", (int)r->mail_id,
	    (int)r->turn_id, (int)r->event_id,
	    r->acknowledged != NULL ? r->acknowledged : "-");
	return true;
}

static void
expect_list(struct bed *b, enum store_list_what what, const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_list(b->of[STORE_ADMIN], what, NULL, 0, 9,
	    spell_row, got, NULL));
	assert_string_equal(got->str, want);
}

/* ---- turns --------------------------------------------------------------------- */

static void
a_parked_turn_is_closed_again_and_may_be_rendered(void **state)
{
	struct bed *b = bed_of(state);
	char got[16];
	struct turn t;

	put_parked_turn(b, "k");
	begin(b, STORE_BUILD);
	assert_true(store_turn_unpark(b->of[STORE_BUILD], 1));
	assert_true(store_turn_get(b->of[STORE_BUILD], 1, &t, got, NULL,
	    NULL));
	assert_string_equal(got, "closed");
	turn_clear(&t);
	store_rollback(b->of[STORE_BUILD]);
	expect_law(b, NULL);
	unpark_turn(b, 1);
	expect_law(b, NULL);
	expect_list(b, STORE_LIST_PARKED, "");
	expect_story(b, "turn:1", "received+0 filed+0 closed+1 parked+2 "
	    "queued+2 rendered+9 ");
}

static void
a_turn_may_be_parked_again_and_every_time_is_told(void **state)
{
	struct bed *b = bed_of(state);

	put_parked_turn(b, "k");
	put_request(b, OF_TURN(1), "ana", "retry");
	begin(b, STORE_BUILD);
	assert_true(store_turn_unpark(b->of[STORE_BUILD], 1));
	assert_true(store_turn_park(b->of[STORE_BUILD], 1, "still none",
	    T0 + 9));
	commit(b, STORE_BUILD);
	expect_law(b, NULL);
	expect_list(b, STORE_LIST_PARKED, "0/1/0 -;");
	expect_story(b, "turn:1", "received+0 filed+0 closed+1 parked+2 "
	    "retry+8 parked+9 ");
}

static void
only_a_parked_turn_is_unparked(void **state)
{
	struct bed *b = bed_of(state);

	put_message(b, "k", "a", NULL);
	begin(b, STORE_BUILD);
	assert_false(store_turn_unpark(b->of[STORE_BUILD], 1));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_turn_unpark(b->of[STORE_BUILD], 7));
	commit_fails(b, STORE_BUILD, "store.state");
}

/* ---- events -------------------------------------------------------------------- */

static bool
spell_parked(void *arg, const struct store_parked *p)
{
	g_string_append_printf(arg, "%d %d %s +%d +%d;", (int)p->event_id,
	    (int)p->turn_id, p->reason, (int)(p->at_ms - T0),
	    p->ended_ms == 0 ? 0 : (int)(p->ended_ms - T0));
	return true;
}

static void
expect_parked(struct bed *b, int64_t event, const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_parked_get(b->of[STORE_ADMIN], event, spell_parked,
	    got, NULL));
	assert_string_equal(got->str, want);
}

static void
a_parked_event_that_is_understood_is_parked_no_more(void **state)
{
	struct bed *b = bed_of(state);
	struct store_status s;

	put_parked_event(b);
	expect_parked(b, 1, "1 1 no JSON +2 +0;");
	expect_parked(b, 2, "");
	unpark_event(b, 1);
	expect_parked(b, 1, "1 1 no JSON +2 +9;");
	expect_list(b, STORE_LIST_PARKED, "");
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.events_parked, 0);
	store_status_clear(&s);
	expect_law(b, NULL);
	expect_story(b, "event:1", "received+0 filed+0 closed+1 parked+2 "
	    "rendered+2 queued+2 sent+3 understood+9 ");
}

static void
parking_an_event_again_sets_its_turn_and_reason_alone(void **state)
{
	struct bed *b = bed_of(state);

	put_parked_event(b);
	begin(b, STORE_BUILD);
	assert_true(store_event_park(b->of[STORE_BUILD], 1, 1, "still none",
	    T0 + 9));
	commit(b, STORE_BUILD);
	expect_parked(b, 1, "1 1 still none +2 +0;");
	expect_list(b, STORE_LIST_PARKED, "0/1/1 -;");
}

static void
only_a_parked_event_is_unparked_and_once(void **state)
{
	struct bed *b = bed_of(state);

	put_parked_event(b);
	unpark_event(b, 1);
	begin(b, STORE_BUILD);
	assert_false(store_event_unpark(b->of[STORE_BUILD], 1, T0));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_event_unpark(b->of[STORE_BUILD], 5, T0));
	commit_fails(b, STORE_BUILD, "store.state");
}

/* ---- requests ------------------------------------------------------------------ */

static bool
spell_request(void *arg, const struct store_request *r)
{
	g_string_append_printf(arg, "%d %s %s %d/%d/%d %s;", (int)r->id,
	    r->who, r->verb, (int)r->mail_id, (int)r->turn_id,
	    (int)r->event_id, r->why);
	return true;
}

static void
requests_are_listed_by_id(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) got = g_string_new(NULL);

	put_request(b, OF_TURN(1), "ana", "retry");
	put_request(b, OF_EVENT(2), "rui", "acknowledge");
	put_request(b, OF_MAIL(3), "rui", "acknowledge");
	put_request(b, OF_TURN(1), "ana", "retry");
	assert_true(store_request_list(b->of[STORE_BUILD], 1, 2,
	    spell_request, got, NULL));
	assert_string_equal(got->str, "2 rui acknowledge 0/0/2 mended;"
	    "3 rui acknowledge 3/0/0 mended;");
}

static void
a_request_is_of_one_thing_by_somebody_and_known(void **state)
{
	struct bed *b = bed_of(state);
	static const struct store_request wrong[] = {
		{ .who = "", .verb = "retry", .turn_id = 1 },
		{ .who = "ana", .verb = "forget", .turn_id = 1 },
		{ .who = "ana", .verb = "retry" },
		{ .who = "ana", .verb = "retry", .mail_id = 1 },
		{ .who = "ana", .verb = "acknowledge", .mail_id = 1,
		  .turn_id = 1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		begin(b, STORE_ADMIN);
		assert_false(store_request_add(b->of[STORE_ADMIN], &wrong[i],
		    NULL));
		commit_fails(b, STORE_ADMIN, "store.state");
	}
}

/* Ten for each that failed, one for each of these that is acknowledged. */
static int
failed_of_a(const struct store_status *s)
{
	int n = 0;

	for (guint i = 0; i < s->journals->len; i++) {
		const struct store_journal_status *j = &g_array_index(
		    s->journals, struct store_journal_status, i);

		n += (int)(10 * j->failed + j->acknowledged);
	}
	return n;
}

static void
what_is_acknowledged_is_counted_and_listed_so_until_it_is_no_more(
    void **state)
{
	struct bed *b = bed_of(state);
	struct store_status s;

	put_parked_event(b);
	put_parked_turn(b, "k");
	put_message(b, "m", "a", NULL);
	put_outcome(b, 2, "a", STORE_FAILED, T0 + 3, 0);
	put_request(b, OF_EVENT(1), "ana", "acknowledge");
	put_request(b, OF_TURN(2), "ana", "acknowledge");
	put_request(b, OF_TURN(2), "rui", "acknowledge");
	put_request(b, OF_TURN(3), "rui", "acknowledge");
	put_request(b, OF_MAIL(2), "rui", "acknowledge");
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.events_parked, 1);
	assert_int_equal(s.events_acknowledged, 1);
	assert_int_equal(s.turns_parked, 1);
	assert_int_equal(s.turns_acknowledged, 1);
	assert_int_equal(failed_of_a(&s), 11);
	store_status_clear(&s);
	expect_list(b, STORE_LIST_PARKED, "0/1/1 ana: mended;"
	    "0/2/0 rui: mended;");
	expect_list(b, STORE_LIST_FAILED, "2/3/0 rui: mended;");
	expect_law(b, NULL);
	unpark_event(b, 1);
	unpark_turn(b, 2);
	put_outcome(b, 2, "a", STORE_SENT, T0 + 9, 0);
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.events_acknowledged, 0);
	assert_int_equal(s.turns_acknowledged, 0);
	assert_int_equal(failed_of_a(&s), 0);
	store_status_clear(&s);
}

static void
an_acknowledgement_forgets_nothing(void **state)
{
	struct bed *b = bed_of(state);
	int64_t n = 0;

	put_parked_turn(b, "k");
	put_request(b, OF_TURN(1), "ana", "acknowledge");
	assert_true(store_event_purge(b->of[STORE_INTAKE], T0 + 1000000, 9,
	    &n, NULL));
	assert_int_equal(n, 0);
	expect_law(b, NULL);
}

static void
a_retry_alone_acknowledges_nothing(void **state)
{
	struct bed *b = bed_of(state);
	struct store_status s;

	put_parked_turn(b, "k");
	put_request(b, OF_TURN(1), "ana", "retry");
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.turns_acknowledged, 0);
	store_status_clear(&s);
	expect_list(b, STORE_LIST_PARKED, "0/1/0 -;");
}

static void
a_trace_tells_what_persons_wanted_done(void **state)
{
	struct bed *b = bed_of(state);

	put_parked_event(b);
	put_request(b, OF_EVENT(1), "ana", "acknowledge");
	put_request(b, OF_MAIL(1), "ana", "acknowledge");
	expect_story(b, "event:1", "received+0 filed+0 closed+1 parked+2 "
	    "rendered+2 queued+2 sent+3 acknowledge+8 acknowledge+8 ");
}

/* ---- other bytes ---------------------------------------------------------------- */

static void
see(struct bed *b, const char *bytes, int64_t event, int want_nth,
    bool want_new)
{
	uint8_t digest[HASH_SIZE];
	int64_t nth = 0;
	bool is_new = false;

	digest_of(bytes, digest);
	begin(b, STORE_BUILD);
	assert_true(store_variant_add(b->of[STORE_BUILD], "k", digest, event,
	    T0 + event, &nth, &is_new, NULL));
	commit(b, STORE_BUILD);
	assert_int_equal(nth, want_nth);
	assert_int_equal(is_new, want_new);
}

static void
file(struct bed *b, const char *bytes, int64_t turn)
{
	uint8_t digest[HASH_SIZE];

	digest_of(bytes, digest);
	begin(b, STORE_BUILD);
	assert_true(store_variant_filed(b->of[STORE_BUILD], "k", digest,
	    turn));
	commit(b, STORE_BUILD);
}

static bool
spell_variant(void *arg, const struct store_row *r)
{
	g_string_append_printf(arg, "%d event:%d turn:%d %s %s x%d%s %.4s;",
	    (int)r->variant_id, (int)r->event_id, (int)r->turn_id, r->state,
	    r->wamid, (int)r->attempts, strcmp(r->first, r->digest) != 0 ?
	    " other" : "", r->message_id != NULL ? r->message_id : "-");
	assert_int_equal(strlen(r->first), 64);
	assert_int_equal(strlen(r->digest), 64);
	return true;
}

static void
other_bytes_of_an_item_are_told_apart_and_counted(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) got = g_string_new(NULL);
	struct store_status s;

	put_message(b, "k", "a", NULL);
	put_message(b, "v", "a", NULL);
	see(b, "one", 2, 1, true);
	see(b, "two", 3, 2, true);
	see(b, "one", 4, 1, false);
	file(b, "one", 2);
	assert_true(store_list(b->of[STORE_ADMIN], STORE_LIST_DIFFERING, NULL,
	    0, 9, spell_variant, got, NULL));
	assert_string_equal(got->str, "1 event:2 turn:2 differs wamid.k x2 "
	    "other v@te;2 event:3 turn:0 differs wamid.k x1 other -;");
	g_string_truncate(got, 0);
	assert_true(store_list(b->of[STORE_ADMIN], STORE_LIST_DIFFERING, NULL,
	    1, 9, spell_variant, got, NULL));
	assert_string_equal(got->str,
	    "2 event:3 turn:0 differs wamid.k x1 other -;");
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.variants, 2);
	assert_int_equal(s.variants_unsent, 1);
	store_status_clear(&s);
}

static void
the_law_is_broken_by_other_bytes_that_no_mail_has(void **state)
{
	struct bed *b = bed_of(state);

	put_message(b, "k", "a", NULL);
	put_message(b, "v", "a", NULL);
	see(b, "one", 2, 1, true);
	expect_law(b, "bytes that differ from the first are in no turn");
	file(b, "one", 2);
	expect_law(b, NULL);
}

static void
of_other_bytes_past_the_bound_the_law_asks_for_no_mail(void **state)
{
	struct bed *b = bed_of(state);

	put_message(b, "k", "a", NULL);
	put_message(b, "v", "a", NULL);
	for (int i = 1; i <= STORE_VARIANTS_MAX + 2; i++) {
		char text[2] = { (char)('0' + i), '\0' };

		see(b, text, 2, i, true);
		if (i <= STORE_VARIANTS_MAX)
			file(b, text, 2);
	}
	expect_law(b, NULL);
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_redoing[] = {
	TEST(a_parked_turn_is_closed_again_and_may_be_rendered),
	TEST(a_turn_may_be_parked_again_and_every_time_is_told),
	TEST(only_a_parked_turn_is_unparked),
	TEST(a_parked_event_that_is_understood_is_parked_no_more),
	TEST(parking_an_event_again_sets_its_turn_and_reason_alone),
	TEST(only_a_parked_event_is_unparked_and_once),
	TEST(requests_are_listed_by_id),
	TEST(a_request_is_of_one_thing_by_somebody_and_known),
	TEST(what_is_acknowledged_is_counted_and_listed_so_until_it_is_no_more),
	TEST(an_acknowledgement_forgets_nothing),
	TEST(a_retry_alone_acknowledges_nothing),
	TEST(a_trace_tells_what_persons_wanted_done),
	TEST(other_bytes_of_an_item_are_told_apart_and_counted),
	TEST(the_law_is_broken_by_other_bytes_that_no_mail_has),
	TEST(of_other_bytes_past_the_bound_the_law_asks_for_no_mail),
};
const size_t store_contract_redoing_n = G_N_ELEMENTS(store_contract_redoing);
