/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway: pacing, over virtual time. A driver offers sends of several
 * applications, takes out what may go as the role does, and looks at what went
 * when.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "gateway.h"

#define NOW INT64_C(1790000000000)

struct send {
	int application, person, number;
	int64_t asked_ms, went_ms;	/* -1: not yet */
	bool late;
};

struct sim {
	struct gateway_pace *pace;
	GPtrArray *sends;	/* struct send *: asked for and not refused */
	GPtrArray *gone;	/* struct send *, as they went */
	int refused, refused_pair, late;
	int64_t now_ms, wait_ms;
};

static void
sim_init(struct sim *s, const struct gateway_pace_conf *conf)
{
	*s = (struct sim){ .pace = gateway_pace_new(conf), .now_ms = NOW,
		.wait_ms = -1, .sends = g_ptr_array_new_with_free_func(g_free),
		.gone = g_ptr_array_new() };
}

static void
sim_clear(struct sim *s)
{
	gateway_pace_free(s->pace);
	g_ptr_array_unref(s->gone);
	g_ptr_array_unref(s->sends);
}

static void
went(struct sim *s, struct send *x)
{
	assert_int_equal(x->went_ms, -1);
	x->went_ms = s->now_ms;
	g_ptr_array_add(s->gone, x);
}

/* Takes out all that may go now. */
static void
drain(struct sim *s)
{
	struct send *x;
	bool late;

	while ((x = gateway_pace_next(s->pace, s->now_ms, &late,
	    &s->wait_ms)) != NULL) {
		if (late) {
			assert_int_equal(x->went_ms, -1);
			x->late = true;
			s->late++;
		} else {
			went(s, x);
		}
	}
}

/* As the role does it: sleeps as long as it was told, and no longer. */
static void
pass(struct sim *s, int64_t ms)
{
	int64_t until = s->now_ms + ms;

	drain(s);
	while (s->wait_ms >= 0 && s->now_ms + s->wait_ms <= until) {
		assert_true(s->wait_ms > 0);
		s->now_ms += s->wait_ms;
		drain(s);
	}
	s->now_ms = until;
	drain(s);
}

static enum gateway_turn
offer(struct sim *s, int application, int person, int number)
{
	struct send *x = g_new0(struct send, 1);
	char app[16], to[32], id[32];
	enum gateway_turn turn;

	*x = (struct send){ .application = application, .person = person,
		.number = number, .asked_ms = s->now_ms, .went_ms = -1 };
	snprintf(app, sizeof(app), "app%d", application);
	snprintf(to, sizeof(to), "55119%08d", person);
	snprintf(id, sizeof(id), "7001%d", number);
	g_ptr_array_add(s->sends, x);
	turn = gateway_pace_ask(s->pace, app, id, person < 0 ? NULL : to, x,
	    s->now_ms);
	if (turn == GATEWAY_GO)
		went(s, x);
	else if (turn == GATEWAY_TOO_MANY)
		s->refused++;
	else if (turn == GATEWAY_TOO_MANY_PAIR)
		s->refused_pair++;
	return turn;
}

static int
gone_of(const struct sim *s, int application)
{
	int n = 0;

	for (guint i = 0; i < s->gone->len; i++) {
		const struct send *x = g_ptr_array_index(s->gone, i);

		n += x->application == application;
	}
	return n;
}

/* The most that went of number within any window of so many ms. */
static int
most_within(const struct sim *s, int number, int64_t ms)
{
	int most = 0;

	for (guint i = 0; i < s->gone->len; i++) {
		const struct send *first = g_ptr_array_index(s->gone, i);
		int n = 0;

		for (guint k = i; k < s->gone->len; k++) {
			const struct send *x = g_ptr_array_index(s->gone, k);

			n += x->number == number && first->number == number &&
			    x->went_ms - first->went_ms < ms;
		}
		most = MAX(most, n);
	}
	return most;
}

static void
a_number_sends_no_faster_than_its_rate_and_as_fast_as_it(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 80,
		.wait_ms = 20000, .queue = 2000 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	for (int i = 0; i < 1000; i++)
		offer(&s, 0, i, 1);
	pass(&s, 10000);
	/* 80 a second, and what the burst after a rest has more. */
	assert_in_range(gone_of(&s, 0), 795, 805);
	assert_in_range(most_within(&s, 1, 1000), 79, 84);
	pass(&s, 10000);
	assert_int_equal(gone_of(&s, 0), 1000);
	assert_int_equal(s.wait_ms, -1);
	assert_int_equal(s.late, 0);
	sim_clear(&s);
}

static void
applications_of_one_number_take_turns(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 100,
		.wait_ms = 60000, .queue = 5000 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	/* One floods, two have a little to say now and then. */
	for (int i = 0; i < 3000; i++)
		offer(&s, 0, i, 1);
	for (int second = 0; second < 10; second++) {
		for (int i = 0; i < 10; i++) {
			offer(&s, 1, 10000 + second * 10 + i, 1);
			offer(&s, 2, 20000 + second * 10 + i, 1);
		}
		pass(&s, 1000);
	}
	assert_int_equal(gone_of(&s, 1), 100);
	assert_int_equal(gone_of(&s, 2), 100);
	assert_in_range(gone_of(&s, 0), 795, 810);
	/* Behind nobody's flood: each waits for its ten and its turns. */
	for (guint i = 0; i < s.gone->len; i++) {
		const struct send *x = g_ptr_array_index(s.gone, i);

		if (x->application != 0)
			assert_true(x->went_ms - x->asked_ms <= 350);
	}
	sim_clear(&s);
}

static void
equal_floods_get_equal_shares(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 90,
		.wait_ms = 60000, .queue = 1000 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	for (int i = 0; i < 1000; i++) {
		for (int app = 0; app < 3; app++)
			offer(&s, app, app * 1000 + i, 1);
	}
	pass(&s, 10000);
	for (int app = 0; app < 3; app++)
		assert_in_range(gone_of(&s, app), 297, 303);
	sim_clear(&s);
}

static void
within_an_application_sends_go_in_their_order(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 50,
		.wait_ms = 60000, .queue = 1000 };
	struct sim s;
	int last[2] = { -1, -1 };

	(void)state;
	sim_init(&s, &conf);
	for (int i = 0; i < 200; i++)
		offer(&s, i % 2, i, 1);
	pass(&s, 10000);
	assert_int_equal(s.gone->len, 200);
	for (guint i = 0; i < s.gone->len; i++) {
		const struct send *x = g_ptr_array_index(s.gone, i);

		assert_true(x->person > last[x->application]);
		last[x->application] = x->person;
	}
	sim_clear(&s);
}

static void
numbers_do_not_wait_for_each_other(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 20,
		.wait_ms = 60000, .queue = 1000 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	for (int i = 0; i < 100; i++)
		offer(&s, 0, i, 1);
	assert_int_equal(offer(&s, 0, 1000, 2), GATEWAY_GO);
	pass(&s, 6000);
	assert_int_equal(s.gone->len, 101);
	assert_in_range(most_within(&s, 1, 1000), 20, 21);
	sim_clear(&s);
}

static void
one_person_is_written_to_in_bursts_that_borrow_from_later(void **state)
{
	const struct gateway_pace_conf conf = { .pair_ms = 6000,
		.pair_burst = 5, .wait_ms = 13000, .queue = 100 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	for (int i = 0; i < 5; i++)
		assert_int_equal(offer(&s, 0, 7, 1), GATEWAY_GO);
	assert_int_equal(offer(&s, 0, 7, 1), GATEWAY_WAIT);
	assert_int_equal(offer(&s, 0, 7, 1), GATEWAY_WAIT);
	/* The third would wait for 18 s. */
	assert_int_equal(offer(&s, 0, 7, 1), GATEWAY_TOO_MANY_PAIR);
	/* Another person does not wait behind him, nor another number. */
	assert_int_equal(offer(&s, 0, 8, 1), GATEWAY_GO);
	assert_int_equal(offer(&s, 0, 7, 2), GATEWAY_GO);
	assert_int_equal(offer(&s, 0, -1, 1), GATEWAY_GO);
	pass(&s, 5999);
	assert_int_equal(s.gone->len, 8);
	pass(&s, 1);
	assert_int_equal(s.gone->len, 9);
	pass(&s, 6000);
	assert_int_equal(s.gone->len, 10);
	assert_int_equal(s.late, 0);
	/* After a rest of five times as long the burst is whole again. */
	pass(&s, 30000);
	gateway_pace_tidy(s.pace, s.now_ms);
	for (int i = 0; i < 5; i++)
		assert_int_equal(offer(&s, 0, 7, 1), GATEWAY_GO);
	assert_int_equal(offer(&s, 0, 7, 1), GATEWAY_WAIT);
	sim_clear(&s);
}

static void
a_person_is_one_however_the_number_is_written(void **state)
{
	static const char *const same[] = { "+55 (11) 98888-0001",
		"5511988880001", "55 11 98888 0001", "55.11.98888.0001" };
	const struct gateway_pace_conf conf = { .pair_ms = 6000,
		.pair_burst = 1, .wait_ms = 0, .queue = 100 };
	struct gateway_pace *p = gateway_pace_new(&conf);

	(void)state;
	assert_int_equal(gateway_pace_ask(p, "a", "1", same[0], NULL, NOW),
	    GATEWAY_GO);
	for (size_t i = 0; i < G_N_ELEMENTS(same); i++)
		assert_int_equal(gateway_pace_ask(p, "a", "1", same[i], NULL,
		    NOW), GATEWAY_TOO_MANY_PAIR);
	assert_int_equal(gateway_pace_ask(p, "a", "1", "BR.5Qe1", NULL, NOW),
	    GATEWAY_GO);
	assert_int_equal(gateway_pace_ask(p, "a", "1", "BR.5Qe2", NULL, NOW),
	    GATEWAY_GO);
	assert_int_equal(gateway_pace_ask(p, "a", "1", "", NULL, NOW),
	    GATEWAY_GO);
	gateway_pace_free(p);
}

/* The longest that somebody of this application waited. */
static int64_t
longest_wait(const struct sim *s, int application)
{
	int64_t longest = 0;

	for (guint i = 0; i < s->gone->len; i++) {
		const struct send *x = g_ptr_array_index(s->gone, i);

		if (x->application == application)
			longest = MAX(longest, x->went_ms - x->asked_ms);
	}
	return longest;
}

static void
who_would_wait_longer_than_is_said_is_refused_at_once(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 10,
		.wait_ms = 3000, .queue = 50 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	for (int i = 0; i < 60; i++)
		offer(&s, 0, i, 1);
	assert_int_equal(s.gone->len, 1);
	assert_int_equal(s.refused, 29);
	pass(&s, 1000);
	/* As many as went meanwhile are let in. */
	for (int i = 0; i < 20; i++)
		offer(&s, 0, 100 + i, 1);
	assert_int_equal(s.refused, 39);
	pass(&s, 10000);
	assert_int_equal(s.gone->len, 41);
	assert_int_equal(s.late, 0);
	assert_in_range(longest_wait(&s, 0), 2900, 3000);
	assert_int_equal(s.wait_ms, -1);
	assert_int_equal(offer(&s, 0, 200, 1), GATEWAY_GO);
	sim_clear(&s);
}

static void
nobody_is_behind_more_of_his_own_than_is_said(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 10,
		.wait_ms = 60000, .queue = 50 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	for (int i = 0; i < 60; i++)
		offer(&s, 0, i, 1);
	assert_int_equal(s.refused, 9);
	/* His queue is full, not that of others. */
	assert_int_equal(offer(&s, 1, 100, 1), GATEWAY_WAIT);
	sim_clear(&s);
}

/* The flood has the whole number until somebody else comes, and then a share. */
static void
who_floods_keeps_nobody_else_out(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 50,
		.wait_ms = 2000, .queue = 5000 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	for (int tick = 0; tick < 1000; tick++) {
		for (int i = 0; i < 5; i++)
			offer(&s, 0, tick * 5 + i, 1);
		if (tick >= 100 && tick % 5 == 0)
			assert_true(offer(&s, 1, 100000 + tick, 1) <=
			    GATEWAY_WAIT);
		pass(&s, 10);
	}
	pass(&s, 5000);
	assert_int_equal(gone_of(&s, 1), 180);
	assert_true(longest_wait(&s, 1) <= 2 * 20 + 20);
	assert_in_range(gone_of(&s, 0), 400, 460);
	assert_true(longest_wait(&s, 0) <= 2 * conf.wait_ms);
	assert_int_equal(s.late, 0);
	sim_clear(&s);
}

static void
a_refusal_uses_nothing_up(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 10,
		.pair_ms = 1000, .pair_burst = 1, .wait_ms = 500,
		.queue = 100 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	for (int i = 0; i < 50; i++)
		offer(&s, 0, i, 1);
	assert_int_equal(s.refused, 44);
	for (int i = 0; i < 50; i++)
		assert_int_equal(offer(&s, 0, 1000, 1), GATEWAY_TOO_MANY);
	pass(&s, 600);
	/* His place is free, and so is that of all who were refused. */
	assert_int_equal(offer(&s, 0, 1000, 1), GATEWAY_GO);
	assert_int_equal(offer(&s, 0, 49, 1), GATEWAY_WAIT);
	sim_clear(&s);
}

static void
who_comes_into_a_long_quiet_is_refused_at_once(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 10,
		.wait_ms = 3000, .queue = 100 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	offer(&s, 0, 1, 1);
	assert_int_equal(offer(&s, 0, 2, 1), GATEWAY_WAIT);
	gateway_pace_slow(s.pace, "70011", NOW + 10000);
	assert_int_equal(offer(&s, 0, 3, 1), GATEWAY_TOO_MANY);
	/* Who was let in before is given up after twice the time. */
	pass(&s, 5999);
	assert_int_equal(s.late, 0);
	pass(&s, 2);
	assert_int_equal(s.late, 1);
	pass(&s, 1001);
	assert_int_equal(offer(&s, 0, 4, 1), GATEWAY_WAIT);
	pass(&s, 3000);
	assert_int_equal(s.gone->len, 2);
	assert_int_equal(s.late, 1);
	sim_clear(&s);
}

static void
a_number_that_meta_slows_down_is_silent_and_then_has_no_burst(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 100,
		.wait_ms = 60000, .queue = 1000 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	gateway_pace_slow(s.pace, "70011", NOW + 5000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(offer(&s, 0, i, 1), GATEWAY_WAIT);
	assert_int_equal(offer(&s, 0, 500, 2), GATEWAY_GO);
	pass(&s, 4999);
	assert_int_equal(s.gone->len, 1);
	pass(&s, 101);
	assert_in_range(s.gone->len, 10, 12);
	pass(&s, 1000);
	assert_int_equal(s.gone->len, 101);
	/* One that comes later does not shorten the quiet. */
	gateway_pace_slow(s.pace, "70011", s.now_ms + 1000);
	gateway_pace_slow(s.pace, "70011", s.now_ms + 10);
	gateway_pace_tidy(s.pace, s.now_ms);
	assert_int_equal(offer(&s, 0, 600, 1), GATEWAY_WAIT);
	pass(&s, 999);
	assert_int_equal(s.gone->len, 101);
	pass(&s, 1);
	assert_int_equal(s.gone->len, 102);
	sim_clear(&s);
}

static void
without_limits_all_go_at_once(void **state)
{
	const struct gateway_pace_conf conf = { .queue = 1 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(offer(&s, i % 3, 7, 1), GATEWAY_GO);
	drain(&s);
	assert_int_equal(s.wait_ms, -1);
	sim_clear(&s);
}

static void
a_clock_that_goes_back_breaks_nothing(void **state)
{
	const struct gateway_pace_conf conf = { .number_rate = 1,
		.wait_ms = 5000, .queue = 10 };
	struct sim s;

	(void)state;
	sim_init(&s, &conf);
	offer(&s, 0, 1, 1);
	offer(&s, 0, 2, 1);
	s.now_ms -= 1000000;
	drain(&s);
	assert_in_range(s.wait_ms, 1, 1000);
	s.now_ms += 1001000;
	drain(&s);
	assert_int_equal(s.gone->len, 2);
	sim_clear(&s);
}

/*
 * Random loads: each send comes out exactly once, refused, late or gone; no
 * limit is broken; and as long as somebody waits, next says when to come again.
 */
static void
under_any_load_each_send_comes_out_once_and_in_time(void **state)
{
	(void)state;
	for (guint32 seed = 1; seed <= 12; seed++) {
		g_autoptr(GRand) r = g_rand_new_with_seed(seed);
		const struct gateway_pace_conf conf = {
			.number_rate = g_rand_int_range(r, 5, 60),
			.pair_ms = g_rand_int_range(r, 100, 3000),
			.pair_burst = g_rand_int_range(r, 1, 4),
			.wait_ms = g_rand_int_range(r, 0, 4000),
			.queue = g_rand_int_range(r, 1, 60) };
		struct sim s;
		int gone = 0, late = 0;

		sim_init(&s, &conf);
		for (int i = 0; i < 800; i++) {
			offer(&s, g_rand_int_range(r, 0, 4),
			    g_rand_int_range(r, 0, 40),
			    g_rand_int_range(r, 1, 3));
			if (g_rand_boolean(r))
				pass(&s, g_rand_int_range(r, 0, 40));
			if (i % 100 == 0)
				gateway_pace_tidy(s.pace, s.now_ms);
		}
		pass(&s, 2 * conf.wait_ms + 1);
		assert_int_equal(s.wait_ms, -1);
		for (guint i = 0; i < s.sends->len; i++) {
			const struct send *x = g_ptr_array_index(s.sends, i);

			assert_false(x->late && x->went_ms >= 0);
			assert_true(x->went_ms < 0 ||
			    x->went_ms - x->asked_ms <= 2 * conf.wait_ms);
			gone += x->went_ms >= 0;
			late += x->late;
		}
		assert_int_equal(gone, s.gone->len);
		assert_int_equal(gone + late + s.refused + s.refused_pair,
		    800);
		for (int number = 1; number <= 2; number++)
			assert_true(most_within(&s, number, 1000) <=
			    conf.number_rate + conf.number_rate / 20 + 1);
		sim_clear(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_number_sends_no_faster_than_its_rate_and_as_fast_as_it),
		cmocka_unit_test(applications_of_one_number_take_turns),
		cmocka_unit_test(equal_floods_get_equal_shares),
		cmocka_unit_test(
		    within_an_application_sends_go_in_their_order),
		cmocka_unit_test(numbers_do_not_wait_for_each_other),
		cmocka_unit_test(
		    one_person_is_written_to_in_bursts_that_borrow_from_later),
		cmocka_unit_test(
		    a_person_is_one_however_the_number_is_written),
		cmocka_unit_test(
		    who_would_wait_longer_than_is_said_is_refused_at_once),
		cmocka_unit_test(
		    nobody_is_behind_more_of_his_own_than_is_said),
		cmocka_unit_test(who_floods_keeps_nobody_else_out),
		cmocka_unit_test(a_refusal_uses_nothing_up),
		cmocka_unit_test(
		    who_comes_into_a_long_quiet_is_refused_at_once),
		cmocka_unit_test(
		    a_number_that_meta_slows_down_is_silent_and_then_has_no_burst),
		cmocka_unit_test(without_limits_all_go_at_once),
		cmocka_unit_test(a_clock_that_goes_back_breaks_nothing),
		cmocka_unit_test(
		    under_any_load_each_send_comes_out_once_and_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
