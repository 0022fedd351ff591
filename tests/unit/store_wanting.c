/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the store: files of messages, and the turns that wait. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "err.h"
#include "store_bed.h"

/* What a listing gave, in order. */
struct seen {
	int n, until;		/* ends the listing after so many; 0: never */
	int64_t ids[8];
	enum store_fetch_state states[8];
};

static bool
see(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	struct seen *s = arg;

	assert_int_equal(f->want_id, w->id);
	s->ids[s->n] = w->id;
	s->states[s->n++] = f->state;
	return s->n != s->until;
}

/* ---- wants ------------------------------------------------------------------ */

static bool
is_the_want(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	uint8_t key[HASH_SIZE];

	store_key("m1", key);
	assert_memory_equal(w->key, key, HASH_SIZE);
	assert_int_equal(w->ordinal, 1);
	assert_string_equal(w->business, "551100");
	assert_string_equal(w->media_id, "m1");
	assert_string_equal(w->url, "https://media.test/1");
	assert_string_equal(w->mime_type, "image/jpeg");
	assert_string_equal(w->sha256, "c2hhMjU2");
	assert_int_equal(w->at_ms, T0 - 5);
	assert_int_equal(w->wanted_ms, T0 + 1);
	assert_true(w->turn_id > 0 && w->event_id > 0);
	assert_int_equal(f->want_id, w->id);
	assert_int_equal(f->state, STORE_FETCH_NONE);
	assert_int_equal(f->number, 0);
	assert_null(f->path);
	++*(int *)arg;
	return true;
}

static void
a_want_comes_back_as_it_was_kept_and_nobody_has_looked_at_it(void **state)
{
	struct bed *b = bed_of(state);
	int64_t id = put_wanting(b, "m1");
	int n = 0;

	assert_int_equal(id, 1);
	assert_true(store_want_get(b->of[STORE_MEDIA], id, is_the_want, &n,
	    NULL));
	assert_true(store_want_get(b->of[STORE_MEDIA], id + 1, is_the_want,
	    &n, NULL));
	assert_int_equal(n, 1);
}

static bool
has_nothing(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	(void)f;
	assert_null(w->business);
	assert_null(w->url);
	assert_null(w->mime_type);
	assert_null(w->sha256);
	++*(int *)arg;
	return true;
}

static void
what_was_not_declared_of_a_want_is_null(void **state)
{
	struct bed *b = bed_of(state);
	struct store_want w = { .event_id = 1, .media_id = "m" };
	int64_t id;
	int n = 0;

	begin(b, STORE_BUILD);
	w.turn_id = add_turn(b, "talk", TURN_STILL_OPEN);
	assert_true(store_want_add(b->of[STORE_BUILD], &w, &id));
	commit(b, STORE_BUILD);
	assert_true(store_want_get(b->of[STORE_BUILD], id, has_nothing, &n,
	    NULL));
	assert_int_equal(n, 1);
}

static void
a_want_of_no_turn_is_refused(void **state)
{
	struct bed *b = bed_of(state);
	struct store_want w = { .turn_id = 99, .media_id = "m" };

	begin(b, STORE_BUILD);
	assert_false(store_want_add(b->of[STORE_BUILD], &w, NULL));
	commit_fails(b, STORE_BUILD, "store.state");
}

static void
wants_are_listed_by_id_up_to_the_limit_or_of_one_turn(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn;
	struct seen two = { 0 }, rest = { 0 }, of_turn = { 0 };
	struct seen one = { .until = 1 }, of_media = { 0 };

	put_wanting(b, "m1");
	turn = put_wanting(b, "m2");
	begin(b, STORE_BUILD);
	add_want(b, turn, 2, "m3");
	commit(b, STORE_BUILD);
	assert_true(store_want_list(b->of[STORE_MEDIA], 0, 2, see, &two,
	    NULL));
	assert_int_equal(two.n, 2);
	assert_int_equal(two.ids[1], 2);
	assert_true(store_want_list(b->of[STORE_MEDIA], 2, 10, see, &rest,
	    NULL));
	assert_int_equal(rest.n, 1);
	assert_int_equal(rest.ids[0], 3);
	assert_true(store_want_of_turn(b->of[STORE_BUILD], turn, see,
	    &of_turn, NULL));
	assert_int_equal(of_turn.n, 2);
	assert_int_equal(of_turn.ids[0], 2);
	assert_int_equal(of_turn.ids[1], 3);
	assert_true(store_want_of_media(b->of[STORE_MEDIA], "m2", see,
	    &of_media, NULL));
	assert_int_equal(of_media.n, 1);
	assert_int_equal(of_media.ids[0], 2);
	assert_true(store_want_of_media(b->of[STORE_MEDIA], "m", see,
	    &of_media, NULL));
	assert_int_equal(of_media.n, 1);
	assert_true(store_want_list(b->of[STORE_MEDIA], 0, 9, see, &one,
	    NULL));
	assert_int_equal(one.n, 1);
}

static bool
take_late(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	(void)f;
	*(bool *)arg = w->late;
	return true;
}

static bool
is_late(struct bed *b, int64_t id)
{
	bool late = false;

	assert_true(store_want_get(b->of[STORE_BUILD], id, take_late, &late,
	    NULL));
	return late;
}

static void
a_want_is_late_once_the_mail_of_its_turn_went_without_it(void **state)
{
	struct bed *b = bed_of(state);
	int64_t id = put_wanting(b, "m1");

	assert_false(is_late(b, id));
	begin(b, STORE_BUILD);
	assert_true(store_want_late(b->of[STORE_BUILD], id));
	commit(b, STORE_BUILD);
	assert_true(is_late(b, id));
	begin(b, STORE_BUILD);
	assert_false(store_want_late(b->of[STORE_BUILD], 9));
	commit_fails(b, STORE_BUILD, "store.state");
}

static void
a_follow_up_turn_names_its_want_and_each_want_has_one_at_most(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	int64_t id = put_wanting(b, "m1"), follow, got = 7;

	assert_true(store_follow_up_get(st, id, &got, NULL));
	assert_int_equal(got, 0);
	begin(b, STORE_BUILD);
	follow = add_turn(b, "talk", TURN_SINGLE);
	assert_true(store_follow_up_add(st, follow, id));
	commit(b, STORE_BUILD);
	assert_true(store_follow_up_get(st, follow, &got, NULL));
	assert_int_equal(got, id);
	begin(b, STORE_BUILD);
	assert_false(store_follow_up_add(st, add_turn(b, "talk", TURN_SINGLE),
	    id));
	commit_fails(b, STORE_BUILD, "store.state");
}

/* ---- fetches ------------------------------------------------------------------- */

static bool
is_the_fetch(void *arg, const struct store_want *w,
    const struct store_fetch *f)
{
	uint8_t digest[HASH_SIZE];

	assert_int_equal(w->id, f->want_id);
	assert_int_equal(f->state, STORE_FETCHED);
	assert_int_equal(f->attempts, 2);
	assert_int_equal(f->deaths, 1);
	assert_int_equal(f->first_ms, T0 + 1);
	assert_int_equal(f->next_ms, 0);
	assert_int_equal(f->done_ms, T0 + 3);
	digest_of("file", digest);
	assert_memory_equal(f->sha256, digest, HASH_SIZE);
	assert_int_equal(f->size, 812);
	assert_string_equal(f->path, "ab/cd/file");
	assert_string_equal(f->type, "image/png");
	assert_string_equal(f->verdict, "clean");
	assert_string_equal(f->reason, "because");
	assert_false(f->hash_differs);
	assert_true(f->type_differs);
	assert_int_equal(f->length_ms, 4151);
	++*(int *)arg;
	return true;
}

static void
a_fetch_comes_back_as_it_was_kept(void **state)
{
	struct bed *b = bed_of(state);
	int64_t id = put_wanting(b, "m1");
	int n = 0;

	put_fetch(b, id, STORE_FETCHED, "ab/cd/file", 0);
	assert_true(store_want_get(b->of[STORE_BUILD], id, is_the_fetch, &n,
	    NULL));
	assert_int_equal(n, 1);
}

static void
a_fetch_is_replaced_until_it_is_final(void **state)
{
	static const enum store_fetch_state finals[] = { STORE_FETCHED,
		STORE_QUARANTINED, STORE_UNAVAILABLE };
	struct bed *b = bed_of(state);

	for (size_t i = 0; i < G_N_ELEMENTS(finals); i++) {
		struct seen s = { 0 };
		int64_t id;
		char name[] = "m0";

		name[1] = (char)('0' + i);
		id = put_wanting(b, name);
		put_fetch(b, id, STORE_FETCH_TRYING, NULL, 0);
		put_fetch(b, id, STORE_FETCH_RETRY, NULL, T0 + 9);
		put_fetch(b, id, finals[i], NULL, 0);
		put_fetch(b, id, STORE_FETCH_RETRY, NULL, T0 + 9);
		assert_true(store_want_get(b->of[STORE_MEDIA], id, see, &s,
		    NULL));
		assert_int_equal(s.states[0], finals[i]);
	}
}

static void
a_fetch_without_a_state_is_refused(void **state)
{
	struct bed *b = bed_of(state);
	struct store_fetch f = { .want_id = 1 };
	struct err err = ERR_INIT;
	struct seen s = { 0 };

	put_wanting(b, "m1");
	begin(b, STORE_MEDIA);
	assert_false(store_fetch_set(b->of[STORE_MEDIA], &f));
	commit_fails(b, STORE_MEDIA, "store.state");
	assert_false(store_fetch_list(b->of[STORE_MEDIA], STORE_FETCH_NONE,
	    T0, 10, see, &s, &err));
	assert_string_equal(err.what, "store.state");
}

static void
fetches_are_listed_longest_due_first_and_those_a_crash_left(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_MEDIA];
	struct seen due = { 0 }, first = { 0 }, trying = { 0 };
	int64_t next;

	assert_true(store_fetch_next_due(st, &next, NULL));
	assert_true(next == INT64_MAX);
	for (int i = 0; i < 5; i++) {
		char name[] = "m0";

		name[1] = (char)('0' + i);
		put_wanting(b, name);
	}
	put_fetch(b, 1, STORE_FETCH_RETRY, NULL, T0 + 30);
	put_fetch(b, 2, STORE_FETCH_RETRY, NULL, T0 + 10);
	put_fetch(b, 3, STORE_FETCH_RETRY, NULL, T0 + 20);
	put_fetch(b, 5, STORE_FETCH_TRYING, NULL, 0);
	put_fetch(b, 4, STORE_FETCH_TRYING, NULL, 0);
	assert_true(store_fetch_next_due(st, &next, NULL));
	assert_int_equal(next, T0 + 10);
	assert_true(store_fetch_list(st, STORE_FETCH_RETRY, T0 + 20, 10, see,
	    &due, NULL));
	assert_int_equal(due.n, 2);
	assert_int_equal(due.ids[0], 2);
	assert_int_equal(due.ids[1], 3);
	assert_true(store_fetch_list(st, STORE_FETCH_RETRY, T0 + 90, 1, see,
	    &first, NULL));
	assert_int_equal(first.n, 1);
	assert_true(store_fetch_list(st, STORE_FETCH_TRYING, 0, 10, see,
	    &trying, NULL));
	assert_int_equal(trying.n, 2);
	assert_int_equal(trying.ids[0], 4);
	assert_int_equal(trying.states[1], STORE_FETCH_TRYING);
}

/* ---- results ------------------------------------------------------------------- */

struct numbers {
	int n, until;
	int64_t number[8], want[8];
};

static bool
take_number(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	struct numbers *s = arg;

	assert_int_equal(f->want_id, w->id);
	s->number[s->n] = f->number;
	s->want[s->n++] = w->id;
	return s->n != s->until;
}

static void
results_are_numbered_in_the_order_they_became_final(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	struct numbers all = { 0 }, rest = { 0 }, one = { .until = 1 };
	struct numbers limited = { 0 };

	put_wanting(b, "m1");
	put_wanting(b, "m2");
	put_wanting(b, "m3");
	put_fetch(b, 3, STORE_UNAVAILABLE, NULL, 0);
	put_fetch(b, 1, STORE_FETCH_RETRY, NULL, T0);
	put_fetch(b, 1, STORE_FETCHED, "f", 0);
	put_fetch(b, 1, STORE_FETCHED, "f", 0);
	put_fetch(b, 2, STORE_QUARANTINED, "q", 0);
	assert_true(store_result_list(st, 0, 10, take_number, &all, NULL));
	assert_int_equal(all.n, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(all.number[i], i + 1);
	assert_int_equal(all.want[0], 3);
	assert_int_equal(all.want[1], 1);
	assert_int_equal(all.want[2], 2);
	assert_true(store_result_list(st, 2, 10, take_number, &rest, NULL));
	assert_int_equal(rest.n, 1);
	assert_true(store_result_list(st, 0, 10, take_number, &one, NULL));
	assert_int_equal(one.n, 1);
	assert_true(store_result_list(st, 0, 2, take_number, &limited, NULL));
	assert_int_equal(limited.n, 2);
}

static void
medias_cursors_are_its_own(void **state)
{
	struct bed *b = bed_of(state);
	int64_t value;

	begin(b, STORE_MEDIA);
	assert_true(store_cursor_set(b->of[STORE_MEDIA], STORE_MEDIA, "want",
	    7));
	commit(b, STORE_MEDIA);
	assert_true(store_cursor_get(b->of[STORE_BUILD], STORE_MEDIA, "want",
	    &value, NULL));
	assert_int_equal(value, 7);
	assert_true(store_cursor_get(b->of[STORE_BUILD], STORE_BUILD, "want",
	    &value, NULL));
	assert_int_equal(value, 0);
}

/* ---- turns that wait ----------------------------------------------------------- */

static void
turns_that_wait_are_due_by_their_time_the_longest_first(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	g_autoptr(GArray) due = NULL, one = NULL, none = NULL;
	int64_t first, second, next;

	assert_true(store_turn_wait_next(st, &next, NULL));
	assert_true(next == INT64_MAX);
	begin(b, STORE_BUILD);
	first = add_turn(b, "talk", TURN_SINGLE);
	second = add_turn(b, "talk", TURN_SINGLE);
	assert_true(store_turn_wait(st, first, T0 + 1));
	assert_true(store_turn_wait(st, second, T0 + 20));
	assert_true(store_turn_wait(st, first, T0 + 30));
	commit(b, STORE_BUILD);
	assert_true(store_turn_wait_next(st, &next, NULL));
	assert_int_equal(next, T0 + 20);
	assert_true(store_turn_wait_due(st, T0 + 19, 10, &none, NULL));
	assert_int_equal(none->len, 0);
	assert_true(store_turn_wait_due(st, T0 + 30, 10, &due, NULL));
	assert_int_equal(due->len, 2);
	assert_int_equal(ID(due, 0), second);
	assert_int_equal(ID(due, 1), first);
	assert_true(store_turn_wait_due(st, T0 + 30, 1, &one, NULL));
	assert_int_equal(one->len, 1);
}

static void
only_a_closed_turn_can_wait_until_it_is_rendered_or_parked(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	uint8_t sha256[HASH_SIZE] = { 1 };
	int64_t open, one, two, next;

	begin(b, STORE_BUILD);
	open = add_turn(b, "talk", TURN_STILL_OPEN);
	one = add_turn(b, "talk", TURN_SINGLE);
	two = add_turn(b, "talk", TURN_SINGLE);
	assert_true(store_turn_wait(st, one, T0 + 1));
	assert_true(store_turn_wait(st, two, T0 + 1));
	commit(b, STORE_BUILD);
	begin(b, STORE_BUILD);
	assert_false(store_turn_wait(st, open, T0));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_true(store_turn_rendered(st, one, "m@test", sha256, T0));
	add_mail(b, one, "a", "x");
	assert_true(store_turn_park(st, two, "why", T0));
	commit(b, STORE_BUILD);
	assert_true(store_turn_wait_next(st, &next, NULL));
	assert_true(next == INT64_MAX);
	begin(b, STORE_BUILD);
	assert_false(store_turn_wait(st, one, T0));
	commit_fails(b, STORE_BUILD, "store.state");
}

static void
a_turn_is_given_with_its_state_and_message_id(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	g_autofree char *id = NULL, *none = NULL;
	struct turn t;
	char is[16];

	begin(b, STORE_BUILD);
	add_turn(b, "talk", TURN_STILL_OPEN);
	commit(b, STORE_BUILD);
	assert_true(store_turn_get(st, 1, &t, is, &none, NULL));
	assert_string_equal(is, "open");
	assert_string_equal(t.conversation, "talk");
	assert_string_equal(t.author, "u:A");
	assert_int_equal(t.id, 1);
	assert_int_equal(t.close_at_ms, T0 + 20000);
	assert_null(none);
	turn_clear(&t);
	put_message(b, "k", "a", NULL);
	assert_true(store_turn_get(st, 2, &t, is, &id, NULL));
	assert_string_equal(is, "rendered");
	assert_string_equal(id, "k@test");
	turn_clear(&t);
	assert_true(store_turn_get(st, 2, &t, is, NULL, NULL));
	turn_clear(&t);
	assert_true(store_turn_get(st, 3, &t, is, NULL, NULL));
	assert_int_equal(t.id, 0);
	assert_string_equal(is, "");
}

/* ---- looking ----------------------------------------------------------------------- */

static void
the_status_counts_files_and_waiting_turns(void **state)
{
	static const enum store_fetch_state states[] = { STORE_FETCH_TRYING,
		STORE_FETCH_RETRY, STORE_FETCHED, STORE_FETCHED,
		STORE_FETCHED, STORE_QUARANTINED, STORE_QUARANTINED,
		STORE_UNAVAILABLE };
	struct bed *b = bed_of(state);
	struct store_status s;
	int64_t turn = 0;

	put_wanting(b, "m");
	for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
		g_autofree char *name = g_strdup_printf("m%d", (int)i);

		turn = put_wanting(b, name);
		put_fetch(b, turn, states[i], NULL, T0);
	}
	begin(b, STORE_BUILD);
	assert_true(store_turn_park(b->of[STORE_BUILD], turn, "why", T0));
	commit(b, STORE_BUILD);
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.files_wanted, 3);
	assert_int_equal(s.files_fetched, 3);
	assert_int_equal(s.files_quarantined, 2);
	assert_int_equal(s.files_unavailable, 1);
	assert_int_equal(s.turns_waiting, 8);
	assert_int_equal(s.turns_closed, 8);
	store_status_clear(&s);
}

struct rows {
	int n, until;
	int64_t want[8];
	char state[8][16];
};

static bool
take_row(void *arg, const struct store_row *row)
{
	struct rows *r = arg;

	assert_int_equal(row->mail_id, 0);
	assert_true(row->turn_id > 0 && row->event_id > 0);
	assert_int_equal(row->at_ms, T0 + 1);
	if (strcmp(row->state, "retry") == 0) {
		assert_int_equal(row->attempts, 2);
		assert_int_equal(row->next_ms, T0 + 9);
		assert_string_equal(row->reason, "because");
	}
	r->want[r->n] = row->want_id;
	g_strlcpy(r->state[r->n++], row->state, 16);
	return r->n != r->until;
}

static void
files_are_listed_that_are_still_wanted_or_will_never_come(void **state)
{
	struct bed *b = bed_of(state);
	struct rows all = { 0 }, after = { 0 }, one = { .until = 1 };

	put_wanting(b, "m1");
	put_fetch(b, put_wanting(b, "m2"), STORE_FETCHED, "f", 0);
	put_fetch(b, put_wanting(b, "m3"), STORE_FETCH_RETRY, NULL,
	    T0 + 9);
	put_fetch(b, put_wanting(b, "m4"), STORE_QUARANTINED, "q", 0);
	put_fetch(b, put_wanting(b, "m5"), STORE_UNAVAILABLE, NULL, 0);
	put_fetch(b, put_wanting(b, "m6"), STORE_FETCH_TRYING, NULL, 0);
	assert_true(store_list(b->of[STORE_ADMIN], STORE_LIST_FILES, NULL, 0,
	    10, take_row, &all, NULL));
	assert_int_equal(all.n, 4);
	assert_int_equal(all.want[0], 1);
	assert_string_equal(all.state[0], "wanted");
	assert_string_equal(all.state[1], "retry");
	assert_string_equal(all.state[2], "unavailable");
	assert_string_equal(all.state[3], "trying");
	assert_true(store_list(b->of[STORE_ADMIN], STORE_LIST_FILES, NULL, 3,
	    1, take_row, &after, NULL));
	assert_int_equal(after.n, 1);
	assert_int_equal(after.want[0], 5);
	assert_true(store_list(b->of[STORE_ADMIN], STORE_LIST_FILES, NULL, 0,
	    9, take_row, &one, NULL));
	assert_int_equal(one.n, 1);
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_wanting[] = {
	TEST(a_want_comes_back_as_it_was_kept_and_nobody_has_looked_at_it),
	TEST(what_was_not_declared_of_a_want_is_null),
	TEST(a_want_of_no_turn_is_refused),
	TEST(wants_are_listed_by_id_up_to_the_limit_or_of_one_turn),
	TEST(a_want_is_late_once_the_mail_of_its_turn_went_without_it),
	TEST(a_follow_up_turn_names_its_want_and_each_want_has_one_at_most),
	TEST(a_fetch_comes_back_as_it_was_kept),
	TEST(a_fetch_is_replaced_until_it_is_final),
	TEST(a_fetch_without_a_state_is_refused),
	TEST(fetches_are_listed_longest_due_first_and_those_a_crash_left),
	TEST(results_are_numbered_in_the_order_they_became_final),
	TEST(medias_cursors_are_its_own),
	TEST(turns_that_wait_are_due_by_their_time_the_longest_first),
	TEST(only_a_closed_turn_can_wait_until_it_is_rendered_or_parked),
	TEST(a_turn_is_given_with_its_state_and_message_id),
	TEST(the_status_counts_files_and_waiting_turns),
	TEST(files_are_listed_that_are_still_wanted_or_will_never_come),
};
const size_t store_contract_wanting_n = G_N_ELEMENTS(store_contract_wanting);
