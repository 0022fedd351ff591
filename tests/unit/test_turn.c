/* SPDX-License-Identifier: Apache-2.0 */
/* turn: which item joins which turn, and when a turn is finished. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "item.h"
#include "turn.h"

#define S 1000
#define BASE (1790000000LL * S)

static const struct turn_rules rules = {
	.idle_ms = 20 * S, .span_ms = 120 * S, .max_items = 5,
	.max_bytes = 1000,
};

struct row {
	const char *what;
	const char *author;
	int64_t at_s;		/* event time against the turn's start */
	int64_t now_s;		/* arrival */
	int64_t bytes;
	enum turn_verdict verdict;
	enum turn_close_reason reason;
};

/* A turn of author u:ana with one item said and arrived at BASE. */
static struct turn
ana_speaks(void)
{
	auto_item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
	struct turn t;

	it->at_ms = BASE;
	turn_start(&t, &rules, "whatsapp|1|u:ana", "u:ana", it, 100, BASE);
	return t;
}

static void
check_row(const struct row *row)
{
	auto_item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
	struct turn t = ana_speaks();
	enum turn_close_reason reason = TURN_STILL_OPEN;
	enum turn_verdict got;

	it->at_ms = BASE + row->at_s * S;
	got = turn_check(&rules, &t, it, row->author, row->bytes,
	    BASE + row->now_s * S, &reason);
	if (got != row->verdict || reason != row->reason)
		fail_msg("%s: got verdict %d reason %s, want %d %s", row->what,
		    (int)got, turn_close_reason_name(reason),
		    (int)row->verdict, turn_close_reason_name(row->reason));
	turn_clear(&t);
}

static void
an_item_meets_an_open_turn(void **state)
{
	static const struct row rows[] = {
		{ "soon after", "u:ana", 5, 5, 10, TURN_JOIN, 0 },
		{ "just inside idle", "u:ana", 19, 19, 10, TURN_JOIN, 0 },
		{ "idle is over", "u:ana", 20, 20, 10, TURN_CLOSE, TURN_IDLE },
		{ "said long after, arrived together", "u:ana", 21, 1, 10,
			TURN_CLOSE, TURN_IDLE },
		{ "a little earlier, arrived later", "u:ana", -5, 5, 10,
			TURN_JOIN, 0 },
		{ "late by more than idle", "u:ana", -21, 5, 10, TURN_LEAVE,
			0 },
		{ "the other side answers", "b:staff", 5, 5, 10, TURN_CLOSE,
			TURN_ANSWERED },
		{ "the other side spoke before, arrives late", "b:staff", -1, 5,
			10, TURN_LEAVE, 0 },
		{ "too many bytes", "u:ana", 5, 5, 901, TURN_CLOSE,
			TURN_FULL },
		{ "just enough bytes", "u:ana", 5, 5, 900, TURN_JOIN, 0 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		check_row(&rows[i]);
}

static void
a_turn_is_full_at_its_item_bound(void **state)
{
	auto_item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
	struct turn t = ana_speaks();
	enum turn_close_reason reason = TURN_STILL_OPEN;

	(void)state;
	it->at_ms = BASE;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(turn_check(&rules, &t, it, "u:ana", 1, BASE,
		    &reason), TURN_JOIN);
		turn_join(&t, &rules, it, 1, BASE);
	}
	assert_int_equal(turn_check(&rules, &t, it, "u:ana", 1, BASE,
	    &reason), TURN_CLOSE);
	assert_int_equal(reason, TURN_FULL);
	assert_int_equal(t.items, 5);
	assert_int_equal(t.bytes, 104);
	turn_clear(&t);
}

static void
a_turn_that_never_pauses_closes_at_its_span(void **state)
{
	auto_item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
	struct turn_rules wide = rules;
	struct turn t = ana_speaks();
	int64_t now = BASE;

	(void)state;
	wide.max_items = 1000;
	while (turn_due(&wide, &t, now) == TURN_STILL_OPEN) {
		it->at_ms = now;
		turn_join(&t, &wide, it, 1, now);
		now += 10 * S;
	}
	assert_int_equal(now - BASE, 120 * S);
	assert_int_equal(turn_due(&wide, &t, now), TURN_SPAN);
	turn_clear(&t);
}

static void
idle_zero_makes_every_item_a_turn(void **state)
{
	auto_item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
	struct turn_rules zero = rules;

	(void)state;
	assert_false(turn_is_single(&rules, it));
	zero.idle_ms = 0;
	assert_true(turn_is_single(&zero, it));
}

static void
what_is_no_plain_message_never_joins_nor_closes(void **state)
{
	static const enum item_kind kinds[] = { ITEM_EDIT, ITEM_REVOKE,
		ITEM_REACTION, ITEM_RECEIPT, ITEM_NOTICE, ITEM_CALL };
	struct turn t = ana_speaks();
	enum turn_close_reason reason = TURN_STILL_OPEN;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		auto_item *it = item_new(kinds[i], ITEM_TYPE_UNKNOWN);

		it->at_ms = BASE;
		assert_true(turn_is_single(&rules, it));
		assert_int_equal(turn_check(&rules, &t, it, "b:staff", 1, BASE,
		    &reason), TURN_LEAVE);
	}
	turn_clear(&t);
}

static void
an_item_without_time_counts_as_said_when_it_arrived(void **state)
{
	auto_item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
	struct turn t = ana_speaks();
	enum turn_close_reason reason = TURN_STILL_OPEN;

	(void)state;
	assert_int_equal(turn_check(&rules, &t, it, "u:ana", 1, BASE + 3 * S,
	    &reason), TURN_JOIN);
	turn_join(&t, &rules, it, 1, BASE + 3 * S);
	assert_int_equal(t.last_at_ms, BASE + 3 * S);
	turn_clear(&t);
}

static void
conversation_and_author_prefer_the_stable_user_id(void **state)
{
	auto_item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
	g_autofree char *by_number = NULL, *by_id = NULL, *talk = NULL,
	    *author = NULL, *sent = NULL, *group = NULL;

	(void)state;
	it->network = g_strdup("whatsapp");
	it->business.user_id = g_strdup("106540352242922");
	it->counterpart.number = g_strdup("5511999990000");
	by_number = turn_person(it);
	assert_string_equal(by_number, "n:5511999990000");
	it->counterpart.user_id = g_strdup("BR.5QeX");
	by_id = turn_person(it);
	assert_string_equal(by_id, "u:BR.5QeX");
	talk = turn_conversation(it, by_id);
	assert_string_equal(talk, "whatsapp|106540352242922|u:BR.5QeX");
	author = turn_author(it, by_id);
	assert_string_equal(author, "u:BR.5QeX");
	it->direction = ITEM_SENT;
	it->author = ITEM_UNKNOWN_STAFF;
	sent = turn_author(it, by_id);
	assert_string_equal(sent, "b:unknown-staff");
	it->group_id = g_strdup("Y2Fm");
	group = turn_conversation(it, by_id);
	assert_string_equal(group, "whatsapp|106540352242922|g:Y2Fm");
}

static void
sorting_is_by_event_time_and_keeps_equals_in_order(void **state)
{
	g_autoptr(GPtrArray) items = item_list_new();
	static const struct {
		int64_t at;
		const char *id;
	} in[] = { { 3, "c" }, { 1, "a1" }, { 3, "d" }, { 1, "a2" },
		{ 2, "b" } };
	g_autoptr(GString) order = g_string_new(NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(in); i++) {
		struct item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);

		it->at_ms = in[i].at;
		it->id = g_strdup(in[i].id);
		g_ptr_array_add(items, it);
	}
	turn_sort(items);
	for (guint i = 0; i < items->len; i++)
		g_string_append(order, ((struct item *)items->pdata[i])->id);
	assert_string_equal(order->str, "a1a2bcd");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_meets_an_open_turn),
		cmocka_unit_test(a_turn_is_full_at_its_item_bound),
		cmocka_unit_test(a_turn_that_never_pauses_closes_at_its_span),
		cmocka_unit_test(idle_zero_makes_every_item_a_turn),
		cmocka_unit_test(
		    what_is_no_plain_message_never_joins_nor_closes),
		cmocka_unit_test(
		    an_item_without_time_counts_as_said_when_it_arrived),
		cmocka_unit_test(
		    conversation_and_author_prefer_the_stable_user_id),
		cmocka_unit_test(
		    sorting_is_by_event_time_and_keeps_equals_in_order),
	};

	return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
