/* SPDX-License-Identifier: Apache-2.0 */
/* The contract: mails, outcomes, purging, acts of a person. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "err.h"
#include "store_bed.h"

/* ---- mails ------------------------------------------------------------- */

struct got_mail {
	int n;
	int64_t attempts, first_ms;
	bool is_null;
	char text[256];
	uint8_t sha256[HASH_SIZE];
};

static bool
take_mail(void *arg, const struct store_mail *m)
{
	struct got_mail *g = arg;

	g->n++;
	g->attempts = m->attempts;
	g->first_ms = m->first_ms;
	g->is_null = m->bytes == NULL;
	memcpy(g->sha256, m->sha256, HASH_SIZE);
	snprintf(g->text, sizeof(g->text), "%s %s %s %s %" G_GINT64_FORMAT
	    " %.*s", m->journal, m->message_id, m->envelope_from,
	    m->envelope_to, m->queued_ms, (int)m->len,
	    m->bytes == NULL ? "" : (const char *)m->bytes);
	return false;
}

static struct got_mail
get_mail(struct bed *b, int64_t id)
{
	struct got_mail g = { 0 };

	assert_true(store_mail_get(b->of[STORE_DELIVER], id, take_mail, &g,
	    NULL));
	return g;
}

static void
a_pending_mail_has_its_envelope_and_bytes(void **state)
{
	struct bed *b = bed_of(state);
	struct got_mail g = { 0 };
	uint8_t want[HASH_SIZE];

	put_message(b, "bytes of it", "archive", NULL);
	digest_of("bytes of it", want);
	assert_true(store_mail_pending(b->of[STORE_DELIVER], "archive", 1, 9,
	    10, take_mail, &g, NULL));
	assert_int_equal(g.n, 1);
	assert_string_equal(g.text, "archive m@test from@test to@test "
	    "1770127509404 bytes of it");
	assert_memory_equal(g.sha256, want, HASH_SIZE);
	assert_int_equal(g.attempts, 0);
	assert_int_equal(g.first_ms, 0);
}

static void
pending_mails_are_those_of_the_journal_without_outcome(void **state)
{
	struct bed *b = bed_of(state);
	int64_t one = put_message(b, "1", "a", "b");
	int64_t two = put_message(b, "2", "a", NULL);
	int64_t three = put_message(b, "3", "a", NULL);
	g_autoptr(GArray) all = pending(b, "a"), left = NULL, other = NULL;

	assert_int_equal(all->len, 3);
	put_outcome(b, two, "a", STORE_SENT, T0, 0);
	left = pending(b, "a");
	assert_int_equal(left->len, 2);
	assert_int_equal(ID(left, 0), one);
	assert_int_equal(ID(left, 1), three);
	other = pending(b, "b");
	assert_int_equal(other->len, 1);
}

static void
pending_mails_keep_to_the_range_and_the_limit(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	int64_t ids_of[4];

	for (int i = 0; i < 4; i++) {
		char key[2] = { (char)('0' + i), '\0' };
		ids_of[i] = put_message(b, key, "a", NULL);
	}
	assert_true(store_mail_pending(b->of[STORE_DELIVER], "a", ids_of[1],
	    ids_of[2], 10, take_id, ids, NULL));
	assert_int_equal(ids->len, 2);
	assert_int_equal(ID(ids, 0), ids_of[1]);
	g_array_set_size(ids, 0);
	assert_true(store_mail_pending(b->of[STORE_DELIVER], "a", ids_of[1],
	    ids_of[3], 1, take_id, ids, NULL));
	assert_int_equal(ids->len, 1);
}

static void
the_last_mail_is_that_of_the_journal(void **state)
{
	struct bed *b = bed_of(state);
	int64_t last = -1, a;

	assert_true(store_mail_last(b->of[STORE_DELIVER], "a", &last, NULL));
	assert_int_equal(last, 0);
	a = put_message(b, "1", "a", NULL);
	put_message(b, "2", "b", NULL);
	assert_true(store_mail_last(b->of[STORE_DELIVER], "a", &last, NULL));
	assert_int_equal(last, a);
}

static void
two_journals_may_share_one_content(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	int64_t event = put_event(b, T0, "{}"), turn, one, two;
	uint8_t sha256[HASH_SIZE] = { 7 };
	struct store_mail m = { .message_id = "m", .envelope_from = "",
		.envelope_to = "", .journal = "a" };

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	add_item(b, "k", event, turn);
	store_turn_rendered(st, turn, "m", sha256, T0);
	store_content_add(st, turn, "same", 4, sha256, &m.content_id);
	m.turn_id = turn;
	store_mail_add(st, &m, &one);
	m.journal = "b";
	store_mail_add(st, &m, &two);
	commit(b, STORE_BUILD);
	assert_string_equal(get_mail(b, one).text, "a m   0 same");
	assert_string_equal(get_mail(b, two).text, "b m   0 same");
}

static void
a_mail_needs_a_turn_and_a_content(void **state)
{
	struct bed *b = bed_of(state);
	struct store_mail m = { .turn_id = 1, .content_id = 1,
		.journal = "a", .message_id = "m", .envelope_from = "",
		.envelope_to = "" };

	begin(b, STORE_BUILD);
	assert_false(store_mail_add(b->of[STORE_BUILD], &m, NULL));
	commit_fails(b, STORE_BUILD, "store.state");
}

static void
a_mail_that_is_not_there_is_not_given(void **state)
{
	assert_int_equal(get_mail(bed_of(state), 5).n, 0);
}

/* ---- outcomes ---------------------------------------------------------- */

static GArray *
due(struct bed *b, const char *journal, int64_t now_ms, int limit)
{
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(int64_t));

	assert_true(store_mail_due(b->of[STORE_DELIVER], journal, now_ms,
	    limit, take_id, ids, NULL));
	return ids;
}

static void
deferred_mails_are_due_oldest_first(void **state)
{
	struct bed *b = bed_of(state);
	int64_t one = put_message(b, "1", "a", NULL), next;
	int64_t two = put_message(b, "2", "a", "b");
	g_autoptr(GArray) none = NULL, both = NULL, first = NULL;

	assert_true(store_mail_next_due(b->of[STORE_DELIVER], "a", &next,
	    NULL));
	assert_true(next == INT64_MAX);
	put_outcome(b, two, "a", STORE_DEFERRED, T0, T0 + 10);
	put_outcome(b, two + 1, "b", STORE_DEFERRED, T0, T0 + 1);
	put_outcome(b, one, "a", STORE_DEFERRED, T0, T0 + 20);
	assert_true(store_mail_next_due(b->of[STORE_DELIVER], "a", &next,
	    NULL));
	assert_int_equal(next, T0 + 10);
	none = due(b, "a", T0 + 9, 10);
	assert_int_equal(none->len, 0);
	both = due(b, "a", T0 + 20, 10);
	assert_int_equal(both->len, 2);
	assert_int_equal(ID(both, 0), one);
	first = due(b, "a", T0 + 20, 1);
	assert_int_equal(first->len, 1);
	assert_int_equal(ID(first, 0), one);
	assert_int_equal(get_mail(b, one).attempts, 1);
	assert_int_equal(get_mail(b, one).first_ms, T0);
}

static void
mails_put_off_by_a_clock_that_was_set_back_are_due_now(void **state)
{
	struct bed *b = bed_of(state);
	int64_t one = put_message(b, "1", "a", NULL), next;
	int64_t two = put_message(b, "2", "a", "b");
	int64_t done = put_message(b, "3", "a", NULL);
	g_autoptr(GArray) now = NULL, later = NULL, other = NULL;
	struct store *st = b->of[STORE_DELIVER];

	put_outcome(b, one, "a", STORE_DEFERRED, T0, T0 + 20);
	put_outcome(b, two, "a", STORE_DEFERRED, T0, T0 + 90);
	put_outcome(b, two + 1, "b", STORE_DEFERRED, T0, T0 + 90);
	put_outcome(b, done, "a", STORE_SENT, T0, 0);
	store_begin(st);
	assert_true(store_mail_hurry(st, "a", T0 + 20, T0 - 5));
	assert_true(store_commit(st, NULL));
	assert_true(store_mail_next_due(st, "a", &next, NULL));
	assert_int_equal(next, T0 - 5);
	now = due(b, "a", T0 + 19, 10);
	assert_int_equal(now->len, 1);
	assert_int_equal(ID(now, 0), two);
	later = due(b, "a", T0 + 20, 10);
	assert_int_equal(later->len, 2);
	other = due(b, "b", T0 + 89, 10);
	assert_int_equal(other->len, 0);
	/* How often it was tried is not forgotten. */
	assert_int_equal(get_mail(b, two).attempts, 1);
}

static void
a_sent_mail_stays_sent(void **state)
{
	struct bed *b = bed_of(state);
	int64_t id = put_message(b, "1", "a", NULL);
	g_autoptr(GArray) left = NULL, again = NULL;

	put_outcome(b, id, "a", STORE_DEFERRED, T0, T0 + 1);
	put_outcome(b, id, "a", STORE_SENT, T0 + 2, 0);
	put_outcome(b, id, "a", STORE_FAILED, T0 + 3, 0);
	put_outcome(b, id, "a", STORE_DEFERRED, T0 + 3, T0 + 4);
	left = pending(b, "a");
	assert_int_equal(left->len, 0);
	again = due(b, "a", INT64_MAX, 10);
	assert_int_equal(again->len, 0);
}

static void
failed_mails_are_listed_until_they_are_retried(void **state)
{
	struct bed *b = bed_of(state);
	int64_t one = put_message(b, "1", "a", NULL);
	int64_t two = put_message(b, "2", "b", NULL);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct store *st = b->of[STORE_DELIVER];

	put_outcome(b, one, "a", STORE_FAILED, T0, 0);
	put_outcome(b, two, "b", STORE_FAILED, T0, 0);
	assert_true(store_mail_failed(st, NULL, 0, 10, take_id, ids, NULL));
	assert_int_equal(ids->len, 2);
	g_array_set_size(ids, 0);
	assert_true(store_mail_failed(st, "b", 0, 10, take_id, ids, NULL));
	assert_int_equal(ids->len, 1);
	assert_int_equal(ID(ids, 0), two);
	g_array_set_size(ids, 0);
	assert_true(store_mail_failed(st, NULL, one, 10, take_id, ids, NULL));
	assert_int_equal(ids->len, 1);
	g_array_set_size(ids, 0);
	put_outcome(b, two, "b", STORE_DEFERRED, T0, T0);
	assert_true(store_mail_failed(st, "b", 0, 10, take_id, ids, NULL));
	assert_int_equal(ids->len, 0);
}

/* ---- purge ------------------------------------------------------------- */

static bool
see_body(void *arg, const struct store_event *ev)
{
	*(bool *)arg = ev->body != NULL;
	return true;
}

static bool
has_body(struct bed *b, int64_t event)
{
	bool has = false;

	assert_true(store_event_get(b->of[STORE_BUILD], event, see_body, &has,
	    NULL));
	return has;
}

static int64_t
purge_events(struct bed *b, int64_t before_ms, int limit)
{
	int64_t n = -1;

	assert_true(store_event_purge(b->of[STORE_INTAKE], before_ms, limit,
	    &n, NULL));
	return n;
}

static int64_t
purge_contents(struct bed *b, int64_t before_ms, int limit)
{
	int64_t n = -1;

	assert_true(store_content_purge(b->of[STORE_BUILD], before_ms, limit,
	    &n, NULL));
	return n;
}

static void
an_event_is_forgotten_only_when_all_its_mails_are_sent(void **state)
{
	struct bed *b = bed_of(state);
	int64_t mail = put_message(b, "1", "a", "b");

	assert_int_equal(purge_events(b, T0 + 1, 10), 0);
	put_outcome(b, mail, "a", STORE_SENT, T0, 0);
	assert_int_equal(purge_events(b, T0 + 1, 10), 0);
	put_outcome(b, mail + 1, "b", STORE_DEFERRED, T0, T0);
	assert_int_equal(purge_events(b, T0 + 1, 10), 0);
	assert_true(has_body(b, 1));
	put_outcome(b, mail + 1, "b", STORE_SENT, T0, 0);
	assert_int_equal(purge_events(b, T0, 10), 0);
	assert_int_equal(purge_events(b, T0 + 1, 10), 1);
	assert_false(has_body(b, 1));
	assert_int_equal(purge_events(b, T0 + 1, 10), 0);
}

static void
an_event_that_build_has_not_read_is_kept(void **state)
{
	struct bed *b = bed_of(state);
	int64_t event = put_event(b, T0, "x");

	assert_int_equal(purge_events(b, T0 + 1, 10), 0);
	assert_true(has_body(b, event));
	begin(b, STORE_BUILD);
	store_sighting_add(b->of[STORE_BUILD], "k", event, T0, true);
	commit(b, STORE_BUILD);
	read_to(b, event);
	assert_int_equal(purge_events(b, T0 + 1, 10), 1);
	assert_false(has_body(b, event));
}

static void
an_event_of_an_open_or_parked_turn_is_kept(void **state)
{
	struct bed *b = bed_of(state);
	int64_t one = put_event(b, T0, "x"), two = put_event(b, T0, "y");
	int64_t open, parked;

	begin(b, STORE_BUILD);
	open = add_turn(b, "talk", TURN_STILL_OPEN);
	add_item(b, "1", one, open);
	parked = add_turn(b, "talk", TURN_SINGLE);
	store_event_park(b->of[STORE_BUILD], two, parked, "why", T0);
	store_turn_park(b->of[STORE_BUILD], parked, "why", T0);
	commit(b, STORE_BUILD);
	read_to(b, two);
	assert_int_equal(purge_events(b, T0 + 1, 10), 0);
	assert_true(has_body(b, one));
	assert_true(has_body(b, two));
}

static void
one_failed_mail_does_not_keep_the_others(void **state)
{
	struct bed *b = bed_of(state);
	int64_t mails[5], n = 0;

	for (int i = 0; i < 5; i++) {
		char key[2] = { (char)('0' + i), '\0' };
		mails[i] = put_message(b, key, "a", NULL);
		put_outcome(b, mails[i], "a", i == 1 ? STORE_FAILED :
		    STORE_SENT, T0 + 5, 0);
	}
	for (int i = 0; i < 8; i++)
		n += purge_events(b, T0 + 1, 2);
	assert_int_equal(n, 4);
	n = 0;
	for (int i = 0; i < 8; i++)
		n += purge_contents(b, T0 + 6, 2);
	assert_int_equal(n, 4);
	assert_false(get_mail(b, mails[1]).is_null);
	assert_true(get_mail(b, mails[2]).is_null);
	put_outcome(b, mails[1], "a", STORE_SENT, T0 + 5, 0);
	assert_int_equal(purge_events(b, T0 + 1, 2), 1);
	assert_int_equal(purge_contents(b, T0 + 6, 2), 1);
	assert_true(get_mail(b, mails[1]).is_null);
}

static void
a_content_is_kept_until_its_mails_were_sent_long_enough_ago(void **state)
{
	struct bed *b = bed_of(state);
	int64_t mail = put_message(b, "1", "a", "b");

	put_outcome(b, mail, "a", STORE_SENT, T0 + 100, 0);
	assert_int_equal(purge_contents(b, T0 + 101, 10), 1);
	assert_true(get_mail(b, mail).is_null);
	assert_false(get_mail(b, mail + 1).is_null);
	put_outcome(b, mail + 1, "b", STORE_SENT, T0 + 200, 0);
	assert_int_equal(purge_contents(b, T0 + 200, 10), 0);
	assert_int_equal(purge_contents(b, T0 + 201, 10), 1);
	assert_true(get_mail(b, mail + 1).is_null);
}

static void
a_purge_can_be_part_of_a_transaction(void **state)
{
	struct bed *b = bed_of(state);
	int64_t mail = put_message(b, "1", "a", NULL), n = 0;

	put_outcome(b, mail, "a", STORE_SENT, T0, 0);
	begin(b, STORE_BUILD);
	assert_true(store_content_purge(b->of[STORE_BUILD], T0 + 50, 10, &n,
	    NULL));
	assert_int_equal(n, 1);
	store_rollback(b->of[STORE_BUILD]);
	assert_false(get_mail(b, mail).is_null);
}

/* ---- acts of a person -------------------------------------------------- */

struct got_action {
	int n, stop_after;
	char text[128];
};

static bool
take_action(void *arg, const struct store_action *a)
{
	struct got_action *g = arg;

	g->n++;
	snprintf(g->text, sizeof(g->text), "%s %s %d %s", a->who, a->verb,
	    (int)a->mail_id, a->journal == NULL ? "-" : a->journal);
	return g->n != g->stop_after;
}

static void
actions_are_listed_from_where_one_left_off(void **state)
{
	struct bed *b = bed_of(state);
	struct store_action a = { .at_ms = T0, .who = "root", .verb = "retry",
		.mail_id = 7 };
	struct got_action all = { 0 }, rest = { 0 }, one = { .stop_after = 1 };
	int64_t first, second;

	begin(b, STORE_ADMIN);
	store_action_add(b->of[STORE_ADMIN], &a, &first);
	a.mail_id = 0;
	a.journal = "archive";
	store_action_add(b->of[STORE_ADMIN], &a, &second);
	commit(b, STORE_ADMIN);
	assert_true(store_action_list(b->of[STORE_DELIVER], 0, take_action,
	    &all, NULL));
	assert_int_equal(all.n, 2);
	assert_true(store_action_list(b->of[STORE_DELIVER], first,
	    take_action, &rest, NULL));
	assert_int_equal(rest.n, 1);
	assert_string_equal(rest.text, "root retry 0 archive");
	assert_true(store_action_list(b->of[STORE_DELIVER], 0, take_action,
	    &one, NULL));
	assert_int_equal(one.n, 1);
	assert_string_equal(one.text, "root retry 7 -");
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_delivery[] = {
	TEST(a_pending_mail_has_its_envelope_and_bytes),
	TEST(pending_mails_are_those_of_the_journal_without_outcome),
	TEST(pending_mails_keep_to_the_range_and_the_limit),
	TEST(the_last_mail_is_that_of_the_journal),
	TEST(two_journals_may_share_one_content),
	TEST(a_mail_needs_a_turn_and_a_content),
	TEST(a_mail_that_is_not_there_is_not_given),
	TEST(deferred_mails_are_due_oldest_first),
	TEST(mails_put_off_by_a_clock_that_was_set_back_are_due_now),
	TEST(a_sent_mail_stays_sent),
	TEST(failed_mails_are_listed_until_they_are_retried),
	TEST(an_event_is_forgotten_only_when_all_its_mails_are_sent),
	TEST(an_event_that_build_has_not_read_is_kept),
	TEST(an_event_of_an_open_or_parked_turn_is_kept),
	TEST(one_failed_mail_does_not_keep_the_others),
	TEST(a_content_is_kept_until_its_mails_were_sent_long_enough_ago),
	TEST(a_purge_can_be_part_of_a_transaction),
	TEST(actions_are_listed_from_where_one_left_off),
};
const size_t store_contract_delivery_n =
    G_N_ELEMENTS(store_contract_delivery);
