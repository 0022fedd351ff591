/* SPDX-License-Identifier: Apache-2.0 */
/* role: the media role's choice of what is tried next. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

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

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    when_the_clock_was_set_back_files_do_not_wait_for_it,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests_name("media_role", tests, NULL, NULL);
}
