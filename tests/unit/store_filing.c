/* SPDX-License-Identifier: Apache-2.0 */
/* The contract: events, progress, items, aliases, turns, transactions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "err.h"
#include "store_bed.h"

/* ---- events ------------------------------------------------------------ */

struct taken {
	int n, stop_after;
	int64_t last;
	bool is_null;
	char body[64];
	uint8_t sha256[HASH_SIZE];
	char text[128];
};

static bool
take_event(void *arg, const struct store_event *ev)
{
	struct taken *t = arg;

	t->n++;
	t->last = ev->id;
	t->is_null = ev->body == NULL;
	memset(t->body, 0, sizeof(t->body));
	if (ev->body != NULL)
		memcpy(t->body, ev->body, MIN(ev->len, sizeof(t->body) - 1));
	memcpy(t->sha256, ev->sha256, HASH_SIZE);
	snprintf(t->text, sizeof(t->text), "%s %s %s %" G_GINT64_FORMAT
	    " %zu", ev->remote, ev->secret_name, ev->signature,
	    ev->received_ms, ev->len);
	return t->n != t->stop_after;
}

static void
an_event_comes_back_as_it_was_received(void **state)
{
	struct bed *b = bed_of(state);
	int64_t id = put_event(b, T0, "{\"a\":1}");
	struct taken t = { 0 };
	uint8_t want[HASH_SIZE];

	digest_of("{\"a\":1}", want);
	assert_true(store_event_get(b->of[STORE_BUILD], id, take_event, &t,
	    NULL));
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last, id);
	assert_string_equal(t.body, "{\"a\":1}");
	assert_string_equal(t.text,
	    "192.0.2.7 app1 sha256=00 1770127509402 7");
	assert_memory_equal(t.sha256, want, HASH_SIZE);
}

static void
an_event_that_is_not_there_is_not_given(void **state)
{
	struct taken t = { 0 };

	assert_true(store_event_get(bed_of(state)->of[STORE_BUILD], 99,
	    take_event, &t, NULL));
	assert_int_equal(t.n, 0);
}

static void
an_empty_body_is_not_a_forgotten_one(void **state)
{
	struct bed *b = bed_of(state);
	int64_t id = put_event(b, T0, "");
	struct taken t = { .is_null = true };

	assert_true(store_event_get(b->of[STORE_BUILD], id, take_event, &t,
	    NULL));
	assert_false(t.is_null);
}

static void
events_are_listed_by_id_up_to_the_limit(void **state)
{
	struct bed *b = bed_of(state);
	int64_t first = put_event(b, T0, "one");
	struct taken t = { 0 };

	assert_int_equal(put_event(b, T0 - 9, "two"), first + 1);
	assert_int_equal(put_event(b, T0, "three"), first + 2);
	assert_true(store_event_list(b->of[STORE_BUILD], first, 10, 1000,
	    take_event, &t, NULL));
	assert_int_equal(t.n, 2);
	assert_string_equal(t.body, "three");
	memset(&t, 0, sizeof(t));
	assert_true(store_event_list(b->of[STORE_BUILD], 0, 2, 1000,
	    take_event, &t, NULL));
	assert_int_equal(t.n, 2);
	assert_string_equal(t.body, "two");
}

static void
an_event_list_ends_at_about_so_many_bytes(void **state)
{
	struct bed *b = bed_of(state);
	struct taken t = { 0 };

	put_event(b, T0, "12345");
	put_event(b, T0, "12345");
	put_event(b, T0, "12345");
	assert_true(store_event_list(b->of[STORE_BUILD], 0, 10, 6, take_event,
	    &t, NULL));
	assert_int_equal(t.n, 2);
	memset(&t, 0, sizeof(t));
	assert_true(store_event_list(b->of[STORE_BUILD], 0, 10, 1, take_event,
	    &t, NULL));
	assert_int_equal(t.n, 1);
}

static void
an_event_list_ends_when_the_callback_says_so(void **state)
{
	struct bed *b = bed_of(state);
	struct taken t = { .stop_after = 1 };

	put_event(b, T0, "one");
	put_event(b, T0, "two");
	for (int i = 0; i < 2; i++) {
		t.n = 0;
		assert_true(store_event_list(b->of[STORE_BUILD], 0, 10, 1000,
		    take_event, &t, NULL));
		assert_int_equal(t.n, 1);
	}
}

static bool
look_elsewhere(void *arg, const struct store_event *ev)
{
	struct bed *b = arg;
	int64_t value = -1;

	(void)ev;
	assert_true(store_cursor_get(b->of[STORE_BUILD], STORE_BUILD, "x",
	    &value, NULL));
	assert_int_equal(value, 0);
	return true;
}

static void
a_callback_may_call_other_verbs(void **state)
{
	struct bed *b = bed_of(state);

	put_event(b, T0, "one");
	assert_true(store_event_list(b->of[STORE_BUILD], 0, 10, 1000,
	    look_elsewhere, b, NULL));
}

/* ---- transactions ------------------------------------------------------ */

static int
count_events(struct bed *b, enum store_file seen_by)
{
	struct taken t = { 0 };

	assert_true(store_event_list(b->of[seen_by], 0, 100, 100000,
	    take_event, &t, NULL));
	return t.n;
}

static void
what_is_rolled_back_was_never_there(void **state)
{
	struct bed *b = bed_of(state);
	struct store_event ev = { .remote = "", .secret_name = "",
		.signature = "" };
	int64_t id, kept;

	begin(b, STORE_INTAKE);
	assert_true(store_event_add(b->of[STORE_INTAKE], &ev, &id));
	assert_int_equal(count_events(b, STORE_INTAKE), 1);
	store_rollback(b->of[STORE_INTAKE]);
	assert_int_equal(count_events(b, STORE_INTAKE), 0);
	kept = put_event(b, T0, "x");
	assert_int_equal(kept, id);
}

static void
an_empty_transaction_commits(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	commit(b, STORE_BUILD);
	begin(b, STORE_BUILD);
	commit(b, STORE_BUILD);
	store_rollback(b->of[STORE_BUILD]);
	assert_int_equal(count_events(b, STORE_BUILD), 0);
}

static void
after_a_failed_write_the_rest_does_nothing_and_commit_says_why(void **state)
{
	struct bed *b = bed_of(state);
	struct turn t = { .id = 77 };
	int64_t value = 0;

	begin(b, STORE_BUILD);
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD, "x", 1));
	assert_false(store_turn_update(b->of[STORE_BUILD], &t));
	assert_false(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD, "x",
	    2));
	commit_fails(b, STORE_BUILD, "store.state");
	assert_true(store_cursor_get(b->of[STORE_BUILD], STORE_BUILD, "x",
	    &value, NULL));
	assert_int_equal(value, 0);
	begin(b, STORE_BUILD);
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD, "x", 3));
	commit(b, STORE_BUILD);
	assert_true(store_cursor_get(b->of[STORE_DELIVER], STORE_BUILD, "x",
	    &value, NULL));
	assert_int_equal(value, 3);
}

static void
a_failed_transaction_can_be_rolled_back_instead(void **state)
{
	struct bed *b = bed_of(state);
	struct turn t = { .id = 77 };

	begin(b, STORE_BUILD);
	assert_false(store_turn_update(b->of[STORE_BUILD], &t));
	store_rollback(b->of[STORE_BUILD]);
	begin(b, STORE_BUILD);
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD, "x", 3));
	commit(b, STORE_BUILD);
}

/* ---- progress ---------------------------------------------------------- */

static void
cursors_of_one_name_are_kept_per_file(void **state)
{
	struct bed *b = bed_of(state);
	int64_t value = -1;

	assert_true(store_cursor_get(b->of[STORE_DELIVER], STORE_DELIVER, "a",
	    &value, NULL));
	assert_int_equal(value, 0);
	begin(b, STORE_DELIVER);
	store_cursor_set(b->of[STORE_DELIVER], STORE_DELIVER, "a", 5);
	store_cursor_set(b->of[STORE_DELIVER], STORE_DELIVER, "a", 7);
	commit(b, STORE_DELIVER);
	assert_true(store_cursor_get(b->of[STORE_BUILD], STORE_DELIVER, "a",
	    &value, NULL));
	assert_int_equal(value, 7);
	assert_true(store_cursor_get(b->of[STORE_BUILD], STORE_BUILD, "a",
	    &value, NULL));
	assert_int_equal(value, 0);
}

static void
a_claim_is_kept_until_it_is_removed(void **state)
{
	struct bed *b = bed_of(state);
	struct store_claim c = { .first = 3, .last = 9, .deaths = 1 }, got;

	begin(b, STORE_BUILD);
	store_claim_set(b->of[STORE_BUILD], STORE_BUILD, "w", &c);
	c.deaths = 2;
	store_claim_set(b->of[STORE_BUILD], STORE_BUILD, "w", &c);
	commit(b, STORE_BUILD);
	assert_true(store_claim_get(b->of[STORE_DELIVER], STORE_BUILD, "w",
	    &got, NULL));
	assert_int_equal(got.first, 3);
	assert_int_equal(got.last, 9);
	assert_int_equal(got.deaths, 2);
	c.first = 0;
	begin(b, STORE_BUILD);
	store_claim_set(b->of[STORE_BUILD], STORE_BUILD, "w", &c);
	commit(b, STORE_BUILD);
	assert_true(store_claim_get(b->of[STORE_BUILD], STORE_BUILD, "w",
	    &got, NULL));
	assert_int_equal(got.first, 0);
	assert_int_equal(got.last, 0);
	assert_int_equal(got.deaths, 0);
}

static void
the_admin_file_keeps_no_progress(void **state)
{
	struct bed *b = bed_of(state);
	struct err err = ERR_INIT;
	struct store_claim claim;
	int64_t value;

	assert_false(store_cursor_get(b->of[STORE_BUILD], STORE_ADMIN, "x",
	    &value, &err));
	assert_string_equal(err.what, "store.state");
	assert_false(store_claim_get(b->of[STORE_BUILD], STORE_INTAKE, "x",
	    &claim, &err));
	assert_string_equal(err.what, "store.state");
}

/* ---- items ------------------------------------------------------------- */

static enum store_seen
seen(struct bed *b, const char *key, const char *bytes)
{
	enum store_seen out = STORE_NEW;
	uint8_t digest[HASH_SIZE];

	digest_of(bytes, digest);
	assert_true(store_item_seen(b->of[STORE_BUILD], key, digest, &out,
	    NULL));
	return out;
}

static void
an_item_is_new_then_the_same_or_differs(void **state)
{
	struct bed *b = bed_of(state);
	int64_t event = put_event(b, T0, "{}");

	assert_int_equal(seen(b, "k1", "k1"), STORE_NEW);
	begin(b, STORE_BUILD);
	add_item(b, "k1", event, add_turn(b, "talk", TURN_STILL_OPEN));
	assert_int_equal(seen(b, "k1", "k1"), STORE_SAME);
	commit(b, STORE_BUILD);
	assert_int_equal(seen(b, "k1", "k1"), STORE_SAME);
	assert_int_equal(seen(b, "k1", "other"), STORE_DIFFERS);
	assert_int_equal(seen(b, "k2", "k1"), STORE_NEW);
}

static void
an_item_cannot_be_filed_twice(void **state)
{
	struct bed *b = bed_of(state);
	int64_t event = put_event(b, T0, "{}"), turn;
	struct store_item it = { .key = "k1", .event_id = event,
		.kind = "message", .type = "text" };

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_STILL_OPEN);
	add_item(b, "k1", event, turn);
	it.turn_id = turn;
	assert_false(store_item_add(b->of[STORE_BUILD], &it));
	commit_fails(b, STORE_BUILD, "store.state");
	assert_int_equal(seen(b, "k1", "k1"), STORE_NEW);
}

static void
an_item_cannot_be_filed_under_no_turn(void **state)
{
	struct bed *b = bed_of(state);
	struct store_item it = { .key = "k1", .event_id = 1, .turn_id = 9,
		.kind = "message", .type = "text" };

	begin(b, STORE_BUILD);
	assert_false(store_item_add(b->of[STORE_BUILD], &it));
	commit_fails(b, STORE_BUILD, "store.state");
}

static void
a_message_id_is_known_once_the_turn_is_rendered(void **state)
{
	struct bed *b = bed_of(state);
	int64_t event = put_event(b, T0, "{}");
	g_autofree char *id = NULL;

	begin(b, STORE_BUILD);
	add_item(b, "waits", event, add_turn(b, "talk", TURN_STILL_OPEN));
	commit(b, STORE_BUILD);
	put_message(b, "done", "a", NULL);
	assert_true(store_item_message_id(b->of[STORE_BUILD], "waits", &id,
	    NULL));
	assert_null(id);
	assert_true(store_item_message_id(b->of[STORE_BUILD], "none", &id,
	    NULL));
	assert_null(id);
	assert_true(store_item_message_id(b->of[STORE_BUILD], "done", &id,
	    NULL));
	assert_string_equal(id, "done@test");
}

/* ---- aliases ----------------------------------------------------------- */

static char *
person_of(struct bed *b, const char *network, const char *id)
{
	char *person = NULL;

	assert_true(store_alias_get(b->of[STORE_BUILD], network, id, &person,
	    NULL));
	return person;
}

static void
an_alias_names_a_person_per_network_and_the_last_word_counts(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	g_autofree char *none = person_of(b, "whatsapp", "n:1");
	g_autofree char *one = NULL, *two = NULL, *other = NULL;

	assert_null(none);
	begin(b, STORE_BUILD);
	store_alias_set(st, "whatsapp", "n:1", "u:A", 1);
	commit(b, STORE_BUILD);
	one = person_of(b, "whatsapp", "n:1");
	assert_string_equal(one, "u:A");
	other = person_of(b, "sms", "n:1");
	assert_null(other);
	begin(b, STORE_BUILD);
	store_alias_set(st, "whatsapp", "n:1", "u:B", 2);
	commit(b, STORE_BUILD);
	two = person_of(b, "whatsapp", "n:1");
	assert_string_equal(two, "u:B");
}

static void
the_newest_other_alias_with_a_prefix_is_given(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	g_autofree char *newest = NULL, *none = NULL;

	begin(b, STORE_BUILD);
	store_alias_set(st, "whatsapp", "n:1", "u:A", 1);
	store_alias_set(st, "whatsapp", "n:2", "u:A", 5);
	store_alias_set(st, "whatsapp", "n:3", "u:A", 3);
	store_alias_set(st, "whatsapp", "u:A", "u:A", 9);
	store_alias_set(st, "whatsapp", "n:4", "u:B", 9);
	commit(b, STORE_BUILD);
	assert_true(store_alias_other(st, "whatsapp", "u:A", "n:", &newest,
	    NULL));
	assert_string_equal(newest, "n:2");
	assert_true(store_alias_other(st, "whatsapp", "u:A", "x:", &none,
	    NULL));
	assert_null(none);
}

/* ---- turns ------------------------------------------------------------- */

static guint
open_turns(struct bed *b, const char *conversation)
{
	g_autoptr(GPtrArray) list = NULL;

	assert_true(store_turn_open_list(b->of[STORE_BUILD], conversation,
	    &list, NULL));
	return list->len;
}

static void
an_open_turn_comes_back_as_it_was_kept(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GPtrArray) list = NULL;
	struct turn *t;
	int64_t id;

	begin(b, STORE_BUILD);
	id = add_turn(b, "talk", TURN_STILL_OPEN);
	add_turn(b, "other talk", TURN_STILL_OPEN);
	add_turn(b, "talk", TURN_SINGLE);
	commit(b, STORE_BUILD);
	assert_true(store_turn_open_list(b->of[STORE_BUILD], "talk", &list,
	    NULL));
	assert_int_equal(list->len, 1);
	t = list->pdata[0];
	assert_int_equal(t->id, id);
	assert_string_equal(t->conversation, "talk");
	assert_string_equal(t->author, "u:A");
	assert_int_equal(t->first_at_ms, T0 - 5);
	assert_int_equal(t->last_at_ms, T0 - 4);
	assert_int_equal(t->opened_ms, T0);
	assert_int_equal(t->touched_ms, T0 + 1);
	assert_int_equal(t->close_at_ms, T0 + 20000);
	assert_int_equal(t->items, 1);
	assert_int_equal(t->bytes, 10);
}

static void
a_turn_that_grew_is_due_later(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GPtrArray) due = NULL, none = NULL;
	struct turn t = { .first_at_ms = 1, .last_at_ms = 2, .touched_ms = 3,
		.close_at_ms = T0 + 30000, .items = 2, .bytes = 20 };
	int64_t next;

	assert_true(store_turn_next_due(b->of[STORE_BUILD], &next, NULL));
	assert_true(next == INT64_MAX);
	begin(b, STORE_BUILD);
	t.id = add_turn(b, "talk", TURN_STILL_OPEN);
	assert_true(store_turn_update(b->of[STORE_BUILD], &t));
	commit(b, STORE_BUILD);
	assert_true(store_turn_next_due(b->of[STORE_BUILD], &next, NULL));
	assert_int_equal(next, T0 + 30000);
	assert_true(store_turn_due_list(b->of[STORE_BUILD], T0 + 29999, 10,
	    &none, NULL));
	assert_int_equal(none->len, 0);
	assert_true(store_turn_due_list(b->of[STORE_BUILD], T0 + 30000, 10,
	    &due, NULL));
	assert_int_equal(due->len, 1);
	assert_int_equal(((struct turn *)due->pdata[0])->items, 2);
	assert_int_equal(((struct turn *)due->pdata[0])->first_at_ms, 1);
}

static void
due_turns_are_listed_up_to_the_limit(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GPtrArray) due = NULL;

	begin(b, STORE_BUILD);
	for (int i = 0; i < 5; i++)
		add_turn(b, "talk", TURN_STILL_OPEN);
	commit(b, STORE_BUILD);
	assert_true(store_turn_due_list(b->of[STORE_BUILD], INT64_MAX, 3,
	    &due, NULL));
	assert_int_equal(due->len, 3);
	assert_int_equal(open_turns(b, "talk"), 5);
}

static guint
closed_turns(struct bed *b, int64_t after, int limit)
{
	g_autoptr(GPtrArray) list = NULL;

	assert_true(store_turn_closed_list(b->of[STORE_BUILD], after, limit,
	    &list, NULL));
	return list->len;
}

static void
a_closed_turn_waits_until_it_is_rendered_or_parked(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	uint8_t sha256[HASH_SIZE] = { 1 };
	int64_t one, two, three;

	begin(b, STORE_BUILD);
	one = add_turn(b, "talk", TURN_SINGLE);
	two = add_turn(b, "talk", TURN_STILL_OPEN);
	three = add_turn(b, "talk", TURN_FULL);
	assert_true(store_turn_close(st, two, TURN_IDLE, T0 + 9));
	commit(b, STORE_BUILD);
	assert_int_equal(open_turns(b, "talk"), 0);
	assert_int_equal(closed_turns(b, 0, 10), 3);
	assert_int_equal(closed_turns(b, one, 10), 2);
	assert_int_equal(closed_turns(b, 0, 2), 2);
	begin(b, STORE_BUILD);
	assert_true(store_turn_rendered(st, one, "m@test", sha256, T0));
	add_mail(b, one, "a", "x");
	assert_true(store_turn_park(st, three, "no template", T0));
	commit(b, STORE_BUILD);
	assert_int_equal(closed_turns(b, 0, 10), 1);
}

static void
a_turn_leaves_a_state_only_for_the_next(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	uint8_t sha256[HASH_SIZE] = { 1 };
	int64_t open, done;

	begin(b, STORE_BUILD);
	open = add_turn(b, "talk", TURN_STILL_OPEN);
	done = add_turn(b, "talk", TURN_SINGLE);
	store_turn_rendered(st, done, "m@test", sha256, T0);
	add_mail(b, done, "a", "x");
	commit(b, STORE_BUILD);
	begin(b, STORE_BUILD);
	assert_false(store_turn_rendered(st, open, "m@test", sha256, T0));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_turn_rendered(st, done, "n@test", sha256, T0));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_turn_close(st, done, TURN_IDLE, T0));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_turn_park(st, done, "why", T0));
	commit_fails(b, STORE_BUILD, "store.state");
}

static void
the_items_of_a_turn_are_listed_in_order_of_filing(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GArray) items = NULL;
	int64_t turn, first = put_event(b, T0, "1");
	int64_t second = put_event(b, T0, "2");
	uint8_t key[HASH_SIZE];

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_STILL_OPEN);
	add_item(b, "zz", first, turn);
	add_item(b, "aa", second, turn);
	add_item(b, "bb", second, add_turn(b, "talk", TURN_STILL_OPEN));
	commit(b, STORE_BUILD);
	assert_true(store_turn_item_list(b->of[STORE_BUILD], turn, &items,
	    NULL));
	assert_int_equal(items->len, 2);
	store_key("zz", key);
	assert_memory_equal(g_array_index(items, struct store_turn_item,
	    0).key, key, HASH_SIZE);
	assert_int_equal(g_array_index(items, struct store_turn_item,
	    0).event_id, first);
	assert_int_equal(g_array_index(items, struct store_turn_item,
	    1).event_id, second);
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_filing[] = {
	TEST(an_event_comes_back_as_it_was_received),
	TEST(an_event_that_is_not_there_is_not_given),
	TEST(an_empty_body_is_not_a_forgotten_one),
	TEST(events_are_listed_by_id_up_to_the_limit),
	TEST(an_event_list_ends_at_about_so_many_bytes),
	TEST(an_event_list_ends_when_the_callback_says_so),
	TEST(a_callback_may_call_other_verbs),
	TEST(what_is_rolled_back_was_never_there),
	TEST(an_empty_transaction_commits),
	TEST(after_a_failed_write_the_rest_does_nothing_and_commit_says_why),
	TEST(a_failed_transaction_can_be_rolled_back_instead),
	TEST(cursors_of_one_name_are_kept_per_file),
	TEST(a_claim_is_kept_until_it_is_removed),
	TEST(the_admin_file_keeps_no_progress),
	TEST(an_item_is_new_then_the_same_or_differs),
	TEST(an_item_cannot_be_filed_twice),
	TEST(an_item_cannot_be_filed_under_no_turn),
	TEST(a_message_id_is_known_once_the_turn_is_rendered),
	TEST(an_alias_names_a_person_per_network_and_the_last_word_counts),
	TEST(the_newest_other_alias_with_a_prefix_is_given),
	TEST(an_open_turn_comes_back_as_it_was_kept),
	TEST(a_turn_that_grew_is_due_later),
	TEST(due_turns_are_listed_up_to_the_limit),
	TEST(a_closed_turn_waits_until_it_is_rendered_or_parked),
	TEST(a_turn_leaves_a_state_only_for_the_next),
	TEST(the_items_of_a_turn_are_listed_in_order_of_filing),
};
const size_t store_contract_filing_n = G_N_ELEMENTS(store_contract_filing);
