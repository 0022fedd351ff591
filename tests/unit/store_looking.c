/* SPDX-License-Identifier: Apache-2.0 */
/* The contract: status, the conservation law, listings, trace. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "err.h"
#include "store_bed.h"

static struct store *
reader(struct bed *b)
{
	return b->of[STORE_ADMIN];
}

/* ---- status ------------------------------------------------------------ */

static void
the_status_of_an_empty_store_is_all_zero(void **state)
{
	struct store_status s;

	assert_true(store_status(reader(bed_of(state)), &s, NULL));
	assert_int_equal(s.events, 0);
	assert_int_equal(s.events_unread, 0);
	assert_int_equal(s.oldest_unread_ms, 0);
	assert_int_equal(s.items, 0);
	assert_int_equal(s.turns_open, 0);
	assert_int_equal(s.turns_rendered, 0);
	assert_int_equal(s.journals->len, 0);
	assert_int_equal(s.relays->len, 0);
	store_status_clear(&s);
}

static void
status_counts_events_items_and_turns(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	struct store_status s;
	int64_t mail = put_message(b, "1", "a", NULL);
	int64_t event = put_event(b, T0 + 7, "x"), turn;

	begin(b, STORE_BUILD);
	add_turn(b, "talk", TURN_STILL_OPEN);
	add_turn(b, "talk", TURN_FULL);
	turn = add_turn(b, "talk", TURN_FULL);
	store_turn_park(st, turn, "why", T0);
	store_event_park(st, event, turn, "why", T0);
	store_sighting_add(st, "1", event, T0, true);
	store_sighting_add(st, "1", event, T0, false);
	commit(b, STORE_BUILD);
	put_outcome(b, mail, "a", STORE_SENT, T0, 0);
	store_event_purge(b->of[STORE_INTAKE], T0 + 1, 10, &turn, NULL);
	assert_true(store_status(reader(b), &s, NULL));
	assert_int_equal(s.events, 2);
	assert_int_equal(s.events_unread, 1);
	assert_int_equal(s.oldest_unread_ms, T0 + 7);
	assert_int_equal(s.events_parked, 1);
	assert_int_equal(s.events_purged, 1);
	assert_int_equal(s.items, 1);
	assert_int_equal(s.sightings, 2);
	assert_int_equal(s.sightings_differ, 1);
	assert_int_equal(s.turns_open, 1);
	assert_int_equal(s.turns_closed, 1);
	assert_int_equal(s.turns_rendered, 1);
	assert_int_equal(s.turns_parked, 1);
	store_status_clear(&s);
}

static struct store_journal_status
journal_status(struct bed *b, const char *name)
{
	struct store_journal_status out = { 0 };
	struct store_status s;

	assert_true(store_status(reader(b), &s, NULL));
	for (guint i = 0; i < s.journals->len; i++) {
		struct store_journal_status *j = &g_array_index(s.journals,
		    struct store_journal_status, i);

		if (strcmp(j->journal, name) == 0)
			out = *j;
	}
	store_status_clear(&s);
	return out;
}

static void
status_counts_the_mails_of_each_journal(void **state)
{
	struct bed *b = bed_of(state);
	struct store_journal_status j;
	int64_t mails[5];

	for (int i = 0; i < 5; i++) {
		char key[2] = { (char)('0' + i), '\0' };
		mails[i] = put_message(b, key, "a", "b");
	}
	put_outcome(b, mails[0], "a", STORE_SENT, T0, 0);
	put_outcome(b, mails[1], "a", STORE_SENT, T0, 0);
	put_outcome(b, mails[2], "a", STORE_DEFERRED, T0, T0);
	put_outcome(b, mails[3], "a", STORE_FAILED, T0, T0);
	j = journal_status(b, "a");
	assert_int_equal(j.queued, 5);
	assert_int_equal(j.sent, 2);
	assert_int_equal(j.deferred, 1);
	assert_int_equal(j.failed, 1);
	assert_int_equal(j.pending, 1);
	assert_int_equal(j.oldest_ms, T0 + 2);
	begin(b, STORE_DELIVER);
	store_cursor_set(b->of[STORE_DELIVER], STORE_DELIVER,
	    "a" STORE_CURSOR_DONE, mails[2]);
	commit(b, STORE_DELIVER);
	j = journal_status(b, "a");
	assert_int_equal(j.sent, 2);
	assert_int_equal(j.pending, 1);
	assert_int_equal(journal_status(b, "b").pending, 5);
	assert_int_equal(journal_status(b, "b").oldest_ms, T0 + 2);
}

static void
status_shows_each_relay_as_it_is_now(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_DELIVER];
	struct store_relay_status *r;
	struct store_status s;

	begin(b, STORE_DELIVER);
	store_relay_set(st, "smtp", true, 1, 0, NULL);
	store_relay_set(st, "smtp", false, 2, 3, "530 no");
	store_relay_set(st, "dir", true, 4, 0, "");
	commit(b, STORE_DELIVER);
	assert_true(store_status(reader(b), &s, NULL));
	assert_int_equal(s.relays->len, 2);
	r = &g_array_index(s.relays, struct store_relay_status, 1);
	assert_string_equal(r->name, "smtp");
	assert_false(r->up);
	assert_int_equal(r->since_ms, 2);
	assert_int_equal(r->next_ms, 3);
	assert_string_equal(r->reason, "530 no");
	store_status_clear(&s);
}

static void
status_shows_the_directory_server_and_who_waits_for_it(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_DIRECTORY];
	const struct store_answer a = { .kind = "id", .value = "E1",
		.at_ms = 1, .until_ms = 2 };
	struct store_server_status server;
	struct store_status s;

	assert_true(store_status(reader(b), &s, NULL));
	assert_false(s.server.is_known);
	assert_int_equal(s.asks_waiting, 0);
	store_status_clear(&s);
	begin(b, STORE_BUILD);
	store_ask_add(b->of[STORE_BUILD], STORE_BUILD, "number", "551", 1);
	store_ask_add(b->of[STORE_BUILD], STORE_BUILD, "number", "552", 1);
	commit(b, STORE_BUILD);
	begin(b, STORE_GATEWAY);
	store_ask_add(b->of[STORE_GATEWAY], STORE_GATEWAY, "id", "E1", 2);
	commit(b, STORE_GATEWAY);
	begin(b, STORE_DIRECTORY);
	store_server_set(st, true, 1, 0, "");
	store_server_set(st, false, 2, 3, "nobody listens");
	store_answer_set(st, &a);
	store_cursor_set(st, STORE_DIRECTORY, STORE_CURSOR_ASKED_BUILD, 1);
	commit(b, STORE_DIRECTORY);
	assert_true(store_status(reader(b), &s, NULL));
	assert_true(s.server.is_known);
	assert_false(s.server.up);
	assert_int_equal(s.server.since_ms, 2);
	assert_int_equal(s.server.next_ms, 3);
	assert_string_equal(s.server.reason, "nobody listens");
	assert_int_equal(s.asks_waiting, 2);
	assert_int_equal(s.asks_old, 1);
	store_status_clear(&s);
	assert_true(store_server_get(st, &server, NULL));
	assert_int_equal(server.since_ms, 2);
}

/* ---- the law ----------------------------------------------------------- */

static char *
broken(struct bed *b)
{
	char *why = NULL;
	bool ok = false;

	assert_true(store_law_check(reader(b), &ok, &why, NULL));
	assert_true(ok == (why == NULL));
	return why;
}

static void
assert_broken(struct bed *b, const char *words)
{
	g_autofree char *why = broken(b);

	assert_non_null(why);
	if (strstr(why, words) == NULL)
		fail_msg("got \"%s\", want \"%s\"", why, words);
}

static void
the_law_holds_for_an_empty_store_and_one_in_full_use(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *empty = broken(b), *used = NULL;
	int64_t mail, event;

	assert_null(empty);
	mail = put_message(b, "1", "a", "b");
	put_outcome(b, mail, "a", STORE_SENT, T0, 0);
	put_message(b, "2", "a", NULL);
	event = put_event(b, T0, "again");
	put_event(b, T0, "unread");
	begin(b, STORE_BUILD);
	store_sighting_add(b->of[STORE_BUILD], "1", event, T0, true);
	commit(b, STORE_BUILD);
	read_to(b, event);
	used = broken(b);
	assert_null(used);
}

/* Reads an event whose one item of this kind is filed under no turn. */
static void
record_only(struct bed *b, const char *kind)
{
	struct store_item it = { .key = "key", .id = "wamid.r",
		.target = "wamid.t", .kind = kind, .type = "status",
		.at_ms = T0 };

	it.event_id = put_event(b, T0, "{}");
	begin(b, STORE_BUILD);
	assert_true(store_item_add(b->of[STORE_BUILD], &it));
	commit(b, STORE_BUILD);
	read_to(b, it.event_id);
}

static void
a_receipt_may_be_only_recorded(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *why = NULL;
	int64_t n = 0;

	record_only(b, "receipt");
	why = broken(b);
	assert_null(why);
	assert_true(store_event_purge(b->of[STORE_INTAKE], T0 + 1, 10, &n,
	    NULL));
	assert_int_equal(n, 1);
}

static void
the_law_is_broken_by_a_message_that_is_only_recorded(void **state)
{
	struct bed *b = bed_of(state);

	record_only(b, "message");
	assert_broken(b, "under no turn");
}

static void
the_law_is_broken_by_an_event_read_without_a_trace(void **state)
{
	struct bed *b = bed_of(state);

	read_to(b, put_event(b, T0, "x"));
	assert_broken(b, "1 events were read but left");
}

static void
the_law_is_broken_by_a_cursor_past_the_last_event(void **state)
{
	struct bed *b = bed_of(state);

	put_message(b, "1", "a", NULL);
	read_to(b, 3);
	assert_broken(b, "2 events were read that are not there");
}

static void
the_law_is_broken_by_a_rendered_turn_without_mail(void **state)
{
	struct bed *b = bed_of(state);

	put_message(b, "1", NULL, NULL);
	assert_broken(b, "1 turns are rendered but have no mail");
}

static void
the_law_is_broken_by_a_mail_of_a_turn_that_is_not_rendered(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	add_mail(b, add_turn(b, "talk", TURN_SINGLE), "a", "x");
	commit(b, STORE_BUILD);
	assert_broken(b, "1 mails are of a turn that is not rendered");
}

static void
the_law_is_broken_by_an_outcome_of_another_journal(void **state)
{
	struct bed *b = bed_of(state);

	put_outcome(b, put_message(b, "1", "a", NULL), "b", STORE_SENT, T0,
	    0);
	assert_broken(b, "1 outcomes are of no mail of their journal");
}

static void
set_done(struct bed *b, const char *name, int64_t id)
{
	begin(b, STORE_DELIVER);
	assert_true(store_cursor_set(b->of[STORE_DELIVER], STORE_DELIVER,
	    name, id));
	commit(b, STORE_DELIVER);
}

static void
the_law_is_broken_by_a_mail_that_was_passed_over(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *fine = NULL;

	put_outcome(b, put_message(b, "1", "a", NULL), "a", STORE_SENT, T0, 0);
	put_message(b, "2", "b", NULL);
	put_outcome(b, put_message(b, "3", "a", NULL), "a", STORE_SENT, T0, 0);
	set_done(b, "a" STORE_CURSOR_DONE, 3);
	fine = broken(b);
	assert_null(fine);
	set_done(b, "b" STORE_CURSOR_DONE, 3);
	assert_broken(b, "1 mails were passed over without an outcome");
}

static void
the_law_is_broken_by_an_item_of_no_event(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	add_item(b, "1", 17, add_turn(b, "talk", TURN_STILL_OPEN));
	commit(b, STORE_BUILD);
	assert_broken(b, "1 items are of no event");
}

/* ---- listings ---------------------------------------------------------- */

struct listing {
	GString *text;
	int n, stop_after;
};

static bool
take_row(void *arg, const struct store_row *r)
{
	struct listing *l = arg;

	g_string_append_printf(l->text, "%d/%d/%d %s %s %s %s;",
	    (int)r->mail_id, (int)r->turn_id, (int)r->event_id,
	    r->journal == NULL ? "-" : r->journal,
	    r->message_id == NULL ? "-" : r->message_id, r->state,
	    r->reason == NULL ? "-" : r->reason);
	return ++l->n != l->stop_after;
}

static void
assert_list(struct bed *b, enum store_list_what what, const char *journal,
    int64_t after, int limit, const char *want)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct listing l = { .text = text };

	assert_true(store_list(reader(b), what, journal, after, limit,
	    take_row, &l, NULL));
	assert_string_equal(text->str, want);
}

static void
mails_are_listed_by_state_and_journal(void **state)
{
	struct bed *b = bed_of(state);

	for (int i = 0; i < 4; i++) {
		char key[2] = { (char)('0' + i), '\0' };
		put_message(b, key, "a", "b");
	}
	put_outcome(b, 1, "a", STORE_SENT, T0, 0);
	put_outcome(b, 3, "a", STORE_DEFERRED, T0, T0);
	put_outcome(b, 5, "a", STORE_FAILED, T0, T0);
	assert_list(b, STORE_LIST_SENT, NULL, 0, 9,
	    "1/1/0 a m@test sent 250 2.0.0 Ok: queued as 1;");
	assert_list(b, STORE_LIST_DEFERRED, "a", 0, 9,
	    "3/2/0 a m@test deferred 250 2.0.0 Ok: queued as 1;");
	assert_list(b, STORE_LIST_DEFERRED, "b", 0, 9, "");
	assert_list(b, STORE_LIST_FAILED, NULL, 0, 9,
	    "5/3/0 a m@test failed 250 2.0.0 Ok: queued as 1;");
	assert_list(b, STORE_LIST_FAILED, NULL, 5, 9, "");
	assert_list(b, STORE_LIST_PENDING, "b", 4, 1,
	    "6/3/0 b m@test pending -;");
	begin(b, STORE_DELIVER);
	store_cursor_set(b->of[STORE_DELIVER], STORE_DELIVER,
	    "a" STORE_CURSOR_DONE, 5);
	commit(b, STORE_DELIVER);
	assert_list(b, STORE_LIST_PENDING, "a", 0, 9,
	    "7/4/0 a m@test pending -;");
	assert_list(b, STORE_LIST_PENDING, NULL, 0, 1,
	    "2/1/0 b m@test pending -;");
	assert_list(b, STORE_LIST_PENDING, NULL, 5, 9,
	    "6/3/0 b m@test pending -;7/4/0 a m@test pending -;"
	    "8/4/0 b m@test pending -;");
}

static void
open_and_parked_turns_and_parked_events_are_listed(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];

	put_event(b, T0, "x");
	put_event(b, T0, "y");
	begin(b, STORE_BUILD);
	add_turn(b, "talk", TURN_STILL_OPEN);
	add_turn(b, "talk", TURN_SINGLE);
	add_turn(b, "talk", TURN_SINGLE);
	store_event_park(st, 1, 2, "not JSON", T0);
	store_event_park(st, 2, 0, "kills build", T0);
	store_turn_park(st, 3, "no template", T0);
	commit(b, STORE_BUILD);
	assert_list(b, STORE_LIST_OPEN, NULL, 0, 9, "0/1/0 - - open -;");
	assert_list(b, STORE_LIST_OPEN, NULL, 1, 9, "");
	assert_list(b, STORE_LIST_PARKED, NULL, 0, 9,
	    "0/0/2 - - parked kills build;0/2/1 - - parked not JSON;"
	    "0/3/0 - - parked no template;");
	assert_list(b, STORE_LIST_PARKED, NULL, 2, 9,
	    "0/3/0 - - parked no template;");
}

static void
a_list_ends_when_the_callback_says_so(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) text = g_string_new(NULL);
	struct listing l = { .text = text, .stop_after = 1 };

	put_message(b, "1", "a", "b");
	assert_true(store_list(reader(b), STORE_LIST_PENDING, NULL, 0, 9,
	    take_row, &l, NULL));
	assert_int_equal(l.n, 1);
	assert_list(b, STORE_LIST_PENDING, "a", 0, 9,
	    "1/1/0 a m@test pending -;");
}

/* ---- trace ------------------------------------------------------------- */

static bool
take_fact(void *arg, const struct store_fact *f)
{
	struct listing *l = arg;

	g_string_append_printf(l->text, "%s+%d ", f->what,
	    (int)(f->at_ms - T0));
	return ++l->n != l->stop_after;
}

static void
assert_trace(struct bed *b, const char *id, const char *want)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct listing l = { .text = text };

	assert_true(store_trace(reader(b), id, take_fact, &l, NULL));
	assert_string_equal(text->str, want);
}

/* One message, repeated once, deferred, failed, retried and sent. */
static void
live_through_much(struct bed *b)
{
	struct store_action a = { .at_ms = T0 + 60, .who = "root",
		.verb = "retry" };
	int64_t mail = put_message(b, "k", "a", NULL);
	int64_t again = put_event(b, T0 + 10, "{}");

	begin(b, STORE_BUILD);
	store_sighting_add(b->of[STORE_BUILD], "k", again, T0 + 11, true);
	store_sighting_add(b->of[STORE_BUILD], "k", again, T0 + 12, false);
	commit(b, STORE_BUILD);
	begin(b, STORE_DELIVER);
	store_attempt_add(b->of[STORE_DELIVER], mail, T0 + 20, "deferred",
	    451, "451 later");
	store_attempt_add(b->of[STORE_DELIVER], mail, T0 + 50, "failed", 550,
	    "550 no");
	commit(b, STORE_DELIVER);
	put_outcome(b, mail, "a", STORE_SENT, T0 + 70, 0);
	begin(b, STORE_ADMIN);
	store_action_add(b->of[STORE_ADMIN], &a, NULL);
	commit(b, STORE_ADMIN);
	put_message(b, "another", "a", NULL);
}

static void
a_message_is_traced_by_each_of_its_ids(void **state)
{
	static const char want[] = "received+0 filed+0 closed+1 rendered+2 "
	    "queued+2 received+10 repeated+11 changed+12 attempt+20 "
	    "attempt+50 retry+60 sent+70 ";
	struct bed *b = bed_of(state);

	live_through_much(b);
	assert_trace(b, "wamid.k", want);
	assert_trace(b, "k@test", want);
	assert_trace(b, "<k@test>", want);
	assert_trace(b, "mail:1", want);
	assert_trace(b, "turn:1", want);
	assert_trace(b, "event:1", want);
	assert_trace(b, "event:2", want);
}

static void
what_is_only_recorded_is_traced(void **state)
{
	struct bed *b = bed_of(state);

	record_only(b, "receipt");
	assert_trace(b, "wamid.r", "received+0 recorded+0 ");
	assert_trace(b, "wamid.t", "received+0 recorded+0 ");
	assert_trace(b, "event:1", "received+0 recorded+0 ");
}

static void
a_mail_is_traced_by_its_own_message_id_too(void **state)
{
	struct bed *b = bed_of(state);

	put_message(b, "k", "a", NULL);
	assert_trace(b, "<m@test>", "received+0 filed+0 closed+1 rendered+2 "
	    "queued+2 ");
}

static void
what_refers_to_a_message_is_in_its_trace(void **state)
{
	struct bed *b = bed_of(state);
	struct store_item it = { .key = "receipt", .target = "wamid.k",
		.kind = "receipt", .type = "status" };

	put_message(b, "k", "a", NULL);
	it.event_id = put_event(b, T0 + 9, "{}");
	begin(b, STORE_BUILD);
	it.turn_id = add_turn(b, "talk", TURN_STILL_OPEN);
	assert_true(store_item_add(b->of[STORE_BUILD], &it));
	commit(b, STORE_BUILD);
	assert_trace(b, "wamid.k", "received+0 filed+0 closed+1 rendered+2 "
	    "queued+2 received+9 filed+9 ");
}

static void
a_trace_of_nothing_is_empty(void **state)
{
	struct bed *b = bed_of(state);

	put_message(b, "k", "a", NULL);
	assert_trace(b, "unknown", "");
	assert_trace(b, "mail:77", "");
	assert_trace(b, "event:", "");
	assert_trace(b, "<", "");
	assert_trace(b, "", "");
}

static void
a_parked_event_and_an_open_turn_are_traced(void **state)
{
	struct bed *b = bed_of(state);
	int64_t event = put_event(b, T0, "x");

	begin(b, STORE_BUILD);
	add_item(b, "k", event, add_turn(b, "talk", TURN_STILL_OPEN));
	store_event_park(b->of[STORE_BUILD], event, 1, "half of it", T0 + 3);
	commit(b, STORE_BUILD);
	assert_trace(b, "event:1", "received+0 filed+0 parked+3 ");
	assert_trace(b, "turn:1", "received+0 filed+0 parked+3 ");
}

static bool
keep_detail(void *arg, const struct store_fact *f)
{
	struct listing *l = arg;

	if (strcmp(f->what, "sent") == 0 || strcmp(f->what, "filed") == 0)
		g_string_append_printf(l->text, "%d %d %d %s\n",
		    (int)f->event_id, (int)f->turn_id, (int)f->mail_id,
		    f->detail);
	return true;
}

static void
a_fact_has_ids_and_quoted_details(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) text = g_string_new(NULL);
	struct listing l = { .text = text };

	live_through_much(b);
	assert_true(store_trace(reader(b), "mail:1", keep_detail, &l, NULL));
	assert_string_equal(text->str,
	    "1 1 0 id=wamid.k kind=message type=text\n"
	    "0 1 1 journal=a attempts=1 code=250 "
	    "reply=\"250 2.0.0 Ok: queued as 1\"\n");
}

static void
a_trace_ends_when_the_callback_says_so(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) text = g_string_new(NULL);
	struct listing l = { .text = text, .stop_after = 2 };

	live_through_much(b);
	assert_true(store_trace(reader(b), "mail:1", take_fact, &l, NULL));
	assert_int_equal(l.n, 2);
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_looking[] = {
	TEST(the_status_of_an_empty_store_is_all_zero),
	TEST(status_counts_events_items_and_turns),
	TEST(status_counts_the_mails_of_each_journal),
	TEST(status_shows_each_relay_as_it_is_now),
	TEST(status_shows_the_directory_server_and_who_waits_for_it),
	TEST(the_law_holds_for_an_empty_store_and_one_in_full_use),
	TEST(a_receipt_may_be_only_recorded),
	TEST(the_law_is_broken_by_a_message_that_is_only_recorded),
	TEST(the_law_is_broken_by_an_event_read_without_a_trace),
	TEST(the_law_is_broken_by_a_cursor_past_the_last_event),
	TEST(the_law_is_broken_by_a_rendered_turn_without_mail),
	TEST(the_law_is_broken_by_a_mail_of_a_turn_that_is_not_rendered),
	TEST(the_law_is_broken_by_an_outcome_of_another_journal),
	TEST(the_law_is_broken_by_a_mail_that_was_passed_over),
	TEST(the_law_is_broken_by_an_item_of_no_event),
	TEST(mails_are_listed_by_state_and_journal),
	TEST(open_and_parked_turns_and_parked_events_are_listed),
	TEST(a_list_ends_when_the_callback_says_so),
	TEST(a_message_is_traced_by_each_of_its_ids),
	TEST(what_is_only_recorded_is_traced),
	TEST(a_mail_is_traced_by_its_own_message_id_too),
	TEST(what_refers_to_a_message_is_in_its_trace),
	TEST(a_trace_of_nothing_is_empty),
	TEST(a_parked_event_and_an_open_turn_are_traced),
	TEST(a_fact_has_ids_and_quoted_details),
	TEST(a_trace_ends_when_the_callback_says_so),
};
const size_t store_contract_looking_n = G_N_ELEMENTS(store_contract_looking);
