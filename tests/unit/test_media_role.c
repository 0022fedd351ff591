/* SPDX-License-Identifier: Apache-2.0 */
/* role: the media role's choice of what is tried next. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../src/role/med_int.h"
#include "conf.h"
#include "err.h"
#include "store.h"
#include "turn.h"

#define NOW INT64_C(1790000000000)
#define DAY INT64_C(86400000)

struct bed {
	struct conf conf;
	struct med med;
	int64_t turn;
};

static int
set_up(void **state)
{
	struct bed *b = g_new0(struct bed, 1);
	struct turn t = { .conversation = g_strdup("talk"),
		.author = g_strdup("a") };
	struct err err = ERR_INIT;

	b->conf.media.retry_max_ms = 1800000;
	b->med.conf = &b->conf;
	assert_true(store_open("sqlite::memory:", STORE_ALL, &b->med.store,
	    &err));
	store_begin(b->med.store);
	store_turn_add(b->med.store, &t, NULL, "message", TURN_SINGLE);
	assert_true(store_commit(b->med.store, &err));
	b->turn = t.id;
	turn_clear(&t);
	*state = b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bed *b = *state;

	store_close(b->med.store);
	g_free(b);
	return 0;
}

/* One that failed and is to be tried again then. */
static int64_t
put_failed(struct bed *b, int64_t next_ms)
{
	struct store_want w = { .turn_id = b->turn, .event_id = 1,
		.media_id = "811", .at_ms = NOW, .wanted_ms = NOW };
	struct store_fetch f = { .state = STORE_FETCH_RETRY, .attempts = 3,
		.first_ms = NOW, .next_ms = next_ms, .reason = "why" };
	struct err err = ERR_INIT;

	store_begin(b->med.store);
	store_want_add(b->med.store, &w, &f.want_id);
	store_fetch_set(b->med.store, &f);
	assert_true(store_commit(b->med.store, &err));
	return f.want_id;
}

static bool
copy(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	(void)w;
	assert_int_equal(f->state, STORE_FETCH_RETRY);
	assert_int_equal(f->attempts, 3);
	assert_string_equal(f->reason, "why");
	*(int64_t *)arg = f->next_ms;
	return true;
}

static int64_t
next_of(struct bed *b, int64_t id)
{
	int64_t next = 0;

	assert_true(store_want_get(b->med.store, id, copy, &next, NULL));
	return next;
}

static void
mind(struct bed *b, int64_t now_ms)
{
	assert_true(med_mind_clock(&b->med, now_ms, NULL));
}

static void
when_the_clock_was_set_back_files_do_not_wait_for_it(void **state)
{
	struct bed *b = *state;
	int64_t soon = put_failed(b, NOW + 60000);
	int64_t asked = put_failed(b, NOW + 3600000);
	int64_t far = put_failed(b, NOW + 300 * DAY);

	/* Before this life. */
	mind(b, NOW);
	assert_int_equal(next_of(b, soon), NOW + 60000);
	assert_int_equal(next_of(b, asked), NOW + 3600000);
	assert_int_equal(next_of(b, far), NOW);
	/* A clock that goes on, or is set forward, hurries nobody. */
	mind(b, NOW + DAY);
	assert_int_equal(next_of(b, asked), NOW + 3600000);
	/* In this life. */
	mind(b, NOW - DAY);
	assert_int_equal(next_of(b, soon), NOW - DAY);
	assert_int_equal(next_of(b, asked), NOW - DAY);
}

/* One that is under work, or that nobody has looked at. */
static int64_t
put_wanted(struct bed *b, int64_t at_ms, enum store_fetch_state state)
{
	struct store_want w = { .turn_id = b->turn, .event_id = 1,
		.media_id = "811", .at_ms = at_ms, .wanted_ms = at_ms };
	struct store_fetch f = { .state = state, .first_ms = NOW,
		.next_ms = NOW };
	struct err err = ERR_INIT;

	store_begin(b->med.store);
	store_want_add(b->med.store, &w, &f.want_id);
	if (state != STORE_FETCH_NONE)
		store_fetch_set(b->med.store, &f);
	assert_true(store_commit(b->med.store, &err));
	return f.want_id;
}

static bool
spell(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	(void)w;
	g_string_append_printf(arg, "%d deaths=%d %s;", (int)f->state,
	    (int)f->deaths, f->reason != NULL ? f->reason : "-");
	return true;
}

static void
expect(struct bed *b, int64_t id, enum store_fetch_state state, int deaths,
    const char *reason)
{
	g_autoptr(GString) got = g_string_new(NULL);
	g_autofree char *want = g_strdup_printf("%d deaths=%d %s;",
	    (int)state, deaths, reason);

	assert_true(store_want_get(b->med.store, id, spell, got, NULL));
	assert_string_equal(got->str, want);
}

/* The work begins, and then its process is no more. */
static void
die(struct bed *b, int64_t id, bool crashed)
{
	struct store_fetch f = { .want_id = id, .state = STORE_FETCH_TRYING,
		.first_ms = NOW };
	g_autoptr(GString) got = g_string_new(NULL);
	int n = 0;

	assert_true(store_want_get(b->med.store, id, spell, got, NULL));
	sscanf(got->str, "%*d deaths=%d", &n);
	f.deaths = n;
	store_begin(b->med.store);
	store_fetch_set(b->med.store, &f);
	assert_true(store_commit(b->med.store, NULL));
	assert_true(med_recover(&b->med, crashed, NULL));
}

static void
who_stops_the_service_in_a_download_gives_no_file_up(void **state)
{
	struct bed *b = *state;
	int64_t id = put_wanted(b, NOW, STORE_FETCH_TRYING);

	b->conf.poison_deaths = 3;
	for (int i = 0; i < 5; i++)
		die(b, id, false);
	expect(b, id, STORE_FETCH_RETRY, 0, "-");
}

static void
a_file_that_crashes_the_role_again_and_again_is_given_up(void **state)
{
	struct bed *b = *state;
	int64_t id = put_wanted(b, NOW, STORE_FETCH_TRYING);

	b->conf.poison_deaths = 3;
	die(b, id, true);
	die(b, id, false);
	die(b, id, true);
	expect(b, id, STORE_FETCH_RETRY, 2, "-");
	die(b, id, false);
	expect(b, id, STORE_FETCH_RETRY, 2, "-");
	die(b, id, true);
	expect(b, id, STORE_UNAVAILABLE, 3,
	    "kills the media role again and again");
}

static void
without_a_graph_block_files_wait_until_they_cannot_be_had(void **state)
{
	struct bed *b = *state;
	int64_t tried = put_wanted(b, NOW, STORE_FETCH_RETRY);
	int64_t cut = put_wanted(b, NOW, STORE_FETCH_TRYING);
	int64_t fresh = put_wanted(b, NOW, STORE_FETCH_NONE);
	int64_t young = put_wanted(b, NOW + DAY, STORE_FETCH_NONE);
	int64_t late = put_wanted(b, NOW + DAY, STORE_FETCH_RETRY);
	const char *why = "fetching is not configured";

	b->conf.media.give_up_ms = 7 * DAY;
	assert_true(med_settle(&b->med, NOW + 7 * DAY, NULL));
	expect(b, tried, STORE_FETCH_RETRY, 0, "-");
	expect(b, cut, STORE_FETCH_TRYING, 0, "-");
	expect(b, fresh, STORE_FETCH_NONE, 0, "-");
	assert_true(med_settle(&b->med, NOW + 7 * DAY + 1, NULL));
	expect(b, tried, STORE_UNAVAILABLE, 0, why);
	expect(b, cut, STORE_UNAVAILABLE, 0, why);
	expect(b, fresh, STORE_UNAVAILABLE, 0, why);
	expect(b, young, STORE_FETCH_NONE, 0, "-");
	expect(b, late, STORE_FETCH_RETRY, 0, "-");
	assert_true(med_settle(&b->med, NOW + 8 * DAY + 1, NULL));
	expect(b, young, STORE_UNAVAILABLE, 0, why);
	expect(b, late, STORE_UNAVAILABLE, 0, why);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    when_the_clock_was_set_back_files_do_not_wait_for_it,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    who_stops_the_service_in_a_download_gives_no_file_up,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_file_that_crashes_the_role_again_and_again_is_given_up,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    without_a_graph_block_files_wait_until_they_cannot_be_had,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests_name("media_role", tests, NULL, NULL);
}
