/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the store: records of the gateway, and sends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "err.h"
#include "store_bed.h"

#define KEY1 "0123456789abcdef0123456789abcdef"
#define KEY2 "0123456789abcdef0123456789abcdf0"
#define RECORD(n) (STORE_EVENT_GATEWAY + (n))

static struct store *
gateway(struct bed *b)
{
	return b->of[STORE_GATEWAY];
}

/* Within the gateway's transaction; its id. */
static int64_t
add_record(struct bed *b, int64_t at_ms, const char *body)
{
	struct store_event ev = { .received_ms = at_ms,
		.remote = "192.0.2.9", .secret_name = "crm", .signature = "",
		.body = body, .len = strlen(body) };
	int64_t id = 0;

	digest_of(body, ev.sha256);
	assert_true(store_record_add(gateway(b), &ev, &id));
	return id;
}

static int64_t
put_record(struct bed *b, int64_t at_ms, const char *body)
{
	int64_t id;

	begin(b, STORE_GATEWAY);
	id = add_record(b, at_ms, body);
	commit(b, STORE_GATEWAY);
	return id;
}

static void
read_records_to(struct bed *b, int64_t id)
{
	begin(b, STORE_BUILD);
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD,
	    STORE_CURSOR_RECORDS, id));
	commit(b, STORE_BUILD);
}

/* The record is read: an item in a turn of its own, closed and waiting. */
static int64_t
file_record(struct bed *b, const char *key, int64_t record)
{
	int64_t turn;

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	add_item(b, key, record, turn);
	assert_true(store_turn_wait(b->of[STORE_BUILD], turn, T0 + 100));
	commit(b, STORE_BUILD);
	read_records_to(b, record);
	return turn;
}

static void
expect_law(struct bed *b, bool want)
{
	g_autofree char *why = NULL;
	bool ok = !want;

	assert_true(store_law_check(b->of[STORE_ADMIN], &ok, &why, NULL));
	if (ok != want)
		fail_msg("the law: %s", why == NULL ? "holds" : why);
}

static void
expect_sent(struct bed *b, int64_t record, bool want)
{
	bool sent = !want;

	assert_true(store_record_is_sent(gateway(b), record, &sent, NULL));
	assert_int_equal(sent, want);
}

static int64_t
purge(struct bed *b, int64_t before_ms, int limit)
{
	int64_t n = -1;

	assert_true(store_record_purge(gateway(b), before_ms, limit, &n,
	    NULL));
	return n;
}

/* ---- records ------------------------------------------------------------- */

struct events {
	GString *text;
	int stop_after;
};

static bool
spell_event(void *arg, const struct store_event *ev)
{
	struct events *all = arg;

	g_string_append_printf(all->text, "%s%" G_GINT64_FORMAT "=%.*s ",
	    ev->id > STORE_EVENT_GATEWAY ? "r" : "e",
	    ev->id % STORE_EVENT_GATEWAY, (int)ev->len,
	    ev->body == NULL ? "-" : (const char *)ev->body);
	return all->stop_after == 0 || --all->stop_after > 0;
}

static void
expect_list(struct bed *b, int64_t after, int limit, const char *want)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct events all = { .text = text };

	assert_true(store_event_list(b->of[STORE_BUILD], after, limit, 1000,
	    spell_event, &all, NULL));
	assert_string_equal(text->str, want);
}

static void
records_and_events_are_two_sequences_told_apart_by_id(void **state)
{
	struct bed *b = bed_of(state);

	assert_int_equal(put_event(b, T0, "one"), 1);
	assert_int_equal(put_record(b, T0, "first"), RECORD(1));
	assert_int_equal(put_event(b, T0, "two"), 2);
	assert_int_equal(put_record(b, T0, "second"), RECORD(2));
	expect_list(b, 0, 9, "e1=one e2=two ");
	expect_list(b, 1, 9, "e2=two ");
	expect_list(b, 2, 9, "");
	expect_list(b, STORE_EVENT_GATEWAY, 9, "r1=first r2=second ");
	expect_list(b, STORE_EVENT_GATEWAY, 1, "r1=first ");
	expect_list(b, RECORD(1), 9, "r2=second ");
	expect_list(b, RECORD(2), 9, "");
	expect_list(b, STORE_EVENT_GATEWAY - 1, 9, "");
}

static void
a_list_of_records_ends_by_bytes_or_when_told_to(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) text = g_string_new(NULL);
	struct events all = { .text = text };

	for (int i = 0; i < 4; i++)
		put_record(b, T0, "12345");
	assert_true(store_event_list(b->of[STORE_BUILD], STORE_EVENT_GATEWAY,
	    9, 6, spell_event, &all, NULL));
	assert_string_equal(text->str, "r1=12345 r2=12345 ");
	all.stop_after = 1;
	assert_true(store_event_list(b->of[STORE_BUILD], RECORD(2), 9, 1000,
	    spell_event, &all, NULL));
	assert_string_equal(text->str, "r1=12345 r2=12345 r3=12345 ");
}

static bool
check_record(void *arg, const struct store_event *ev)
{
	uint8_t want[HASH_SIZE];

	digest_of("body", want);
	assert_int_equal(ev->id, RECORD(1));
	assert_int_equal(ev->received_ms, T0 + 7);
	assert_string_equal(ev->remote, "192.0.2.9");
	assert_string_equal(ev->secret_name, "crm");
	assert_string_equal(ev->signature, "");
	assert_memory_equal(ev->sha256, want, HASH_SIZE);
	assert_int_equal(ev->len, 4);
	assert_memory_equal(ev->body, "body", 4);
	++*(int *)arg;
	return true;
}

static void
a_record_is_read_as_it_was_written(void **state)
{
	struct bed *b = bed_of(state);
	int calls = 0;

	put_record(b, T0 + 7, "body");
	assert_true(store_event_get(b->of[STORE_BUILD], RECORD(1),
	    check_record, &calls, NULL));
	assert_int_equal(calls, 1);
	assert_true(store_event_get(b->of[STORE_BUILD], RECORD(2),
	    check_record, &calls, NULL));
	assert_true(store_event_get(b->of[STORE_BUILD], STORE_EVENT_GATEWAY,
	    check_record, &calls, NULL));
	assert_true(store_event_get(b->of[STORE_BUILD], 1, check_record,
	    &calls, NULL));
	assert_int_equal(calls, 1);
}

static bool
has_body(void *arg, const struct store_event *ev)
{
	*(bool *)arg = ev->body != NULL;
	return true;
}

static void
expect_body(struct bed *b, int64_t id, bool want)
{
	bool got = !want;

	assert_true(store_event_get(b->of[STORE_BUILD], id, has_body, &got,
	    NULL));
	assert_int_equal(got, want);
}

static void
an_empty_record_is_not_one_that_was_purged(void **state)
{
	struct bed *b = bed_of(state);

	expect_body(b, put_record(b, T0, ""), true);
}

static void
a_record_that_is_rolled_back_leaves_no_hole(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_GATEWAY);
	add_record(b, T0, "gone");
	store_rollback(gateway(b));
	assert_int_equal(put_record(b, T0, "kept"), RECORD(1));
}

/* ---- the law of records ---------------------------------------------------- */

static void
an_item_may_be_of_a_record(void **state)
{
	struct bed *b = bed_of(state);
	struct store_place place;

	file_record(b, "k", put_record(b, T0, "{}"));
	expect_law(b, true);
	assert_true(store_item_find(b->of[STORE_BUILD], "k", &place, NULL));
	assert_int_equal(place.event_id, RECORD(1));
}

static void
the_law_is_broken_by_a_record_read_without_a_trace(void **state)
{
	struct bed *b = bed_of(state);

	read_records_to(b, put_record(b, T0, "{}"));
	expect_law(b, false);
}

static void
the_law_is_broken_by_a_cursor_past_the_last_record(void **state)
{
	struct bed *b = bed_of(state);

	file_record(b, "k", put_record(b, T0, "{}"));
	read_records_to(b, RECORD(2));
	expect_law(b, false);
}

static void
the_law_is_broken_by_an_item_of_no_record(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	add_item(b, "k", RECORD(1), add_turn(b, "talk", TURN_STILL_OPEN));
	commit(b, STORE_BUILD);
	expect_law(b, false);
}

static void
a_record_may_be_parked_or_seen_again(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn;

	put_record(b, T0, "no JSON");
	file_record(b, "k", put_record(b, T0, "{}"));
	put_record(b, T0, "{}");
	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	assert_true(store_turn_wait(b->of[STORE_BUILD], turn, T0 + 9));
	assert_true(store_event_park(b->of[STORE_BUILD], RECORD(1), turn,
	    "no JSON", T0));
	assert_true(store_sighting_add(b->of[STORE_BUILD], "k", RECORD(3), T0,
	    true));
	commit(b, STORE_BUILD);
	read_records_to(b, RECORD(3));
	expect_law(b, true);
}

/* ---- whether a record is in the journal ------------------------------------- */

static void
a_record_is_sent_when_every_mail_of_it_is(void **state)
{
	struct bed *b = bed_of(state);
	int64_t record = put_record(b, T0, "{}"), turn, mail;

	expect_sent(b, record, false);
	turn = file_record(b, "k", record);
	expect_sent(b, record, false);
	mail = put_rendered(b, turn, 0);
	begin(b, STORE_BUILD);
	add_mail(b, turn, "b", "y");
	commit(b, STORE_BUILD);
	expect_sent(b, record, false);
	put_outcome(b, mail, "a", STORE_SENT, T0 + 5, 0);
	expect_sent(b, record, false);
	put_outcome(b, mail + 1, "b", STORE_DEFERRED, T0 + 5, T0 + 9);
	expect_sent(b, record, false);
	put_outcome(b, mail + 1, "b", STORE_SENT, T0 + 9, 0);
	expect_sent(b, record, true);
	expect_sent(b, record + 1, false);
}

static void
one_turn_of_a_record_that_is_parked_is_not_sent(void **state)
{
	struct bed *b = bed_of(state);
	int64_t record = put_record(b, T0, "{}"), turn;

	turn = file_record(b, "k", record);
	put_outcome(b, put_rendered(b, turn, 0), "a", STORE_SENT, T0 + 5, 0);
	expect_sent(b, record, true);
	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	add_item(b, "k2", record, turn);
	assert_true(store_turn_park(b->of[STORE_BUILD], turn, "it kills", T0));
	commit(b, STORE_BUILD);
	expect_sent(b, record, false);
}

static void
what_is_only_recorded_of_a_record_is_not_waited_for(void **state)
{
	struct bed *b = bed_of(state);
	int64_t record = put_record(b, T0, "{}");

	begin(b, STORE_BUILD);
	add_item(b, "receipt", record, 0);
	commit(b, STORE_BUILD);
	expect_sent(b, record, false);
	put_outcome(b, put_rendered(b, file_record(b, "k", record), 0), "a",
	    STORE_SENT, T0 + 5, 0);
	expect_sent(b, record, true);
}

/* ---- sends ----------------------------------------------------------------- */

/* With all that it can have. */
static struct store_send
whole_send(const char *key, const uint8_t *idempotency)
{
	struct store_send s = { .key = key, .state = STORE_SEND_STORED,
		.application = "crm", .employee = "e7",
		.remote = "192.0.2.9", .business = "551100",
		.method = "DELETE", .target = "/v25.0/551100/messages?a=%2F",
		.content_type = "application/json",
		.idempotency = idempotency, .request = "{\0}",
		.request_len = 3, .sent = "{\"x\":1}", .sent_len = 7,
		.verdict = "{\"rules\":[]}", .definition = "{\"name\":\"n\"}",
		.received_ms = T0, .changed_ms = T0 + 1, .until_ms = T0 + 2,
		.persons = 2, .outcome = "pending", .status = 202,
		.answer = "{}", .answer_len = 2, .wamid = "wamid.S" };

	digest_of("request", s.sha256);
	return s;
}

/* With as little as it can have. */
static struct store_send
small_send(const char *key)
{
	struct store_send s = { .key = key, .application = "crm",
		.remote = "192.0.2.9", .business = "551100",
		.target = "/v25.0/551100/messages", .request = "{}",
		.request_len = 2, .received_ms = T0, .changed_ms = T0 };

	return s;
}

static int64_t
put_send(struct bed *b, const struct store_send *s)
{
	int64_t id = 0;

	begin(b, STORE_GATEWAY);
	assert_true(store_send_add(gateway(b), s, &id));
	commit(b, STORE_GATEWAY);
	return id;
}

static void
set_send(struct bed *b, const struct store_send *s)
{
	begin(b, STORE_GATEWAY);
	assert_true(store_send_set(gateway(b), s));
	commit(b, STORE_GATEWAY);
}

static void
refuse_send(struct bed *b, const struct store_send *s)
{
	begin(b, STORE_GATEWAY);
	assert_false(store_send_add(gateway(b), s, NULL));
	commit_fails(b, STORE_GATEWAY, "store.state");
}

static void
refuse_change(struct bed *b, const struct store_send *s)
{
	begin(b, STORE_GATEWAY);
	assert_false(store_send_set(gateway(b), s));
	commit_fails(b, STORE_GATEWAY, "store.state");
}

/* A send that is over: id and record. */
static int64_t
put_done(struct bed *b, const char *key, const char *outcome)
{
	struct store_send s = small_send(key);
	struct store_send end = { .state = STORE_SEND_DONE,
		.outcome = outcome, .status = 200, .answer = "{}",
		.answer_len = 2, .changed_ms = T0 + 3, .wamid = "wamid.k" };

	s.state = STORE_SEND_FORWARDING;
	end.id = put_send(b, &s);
	begin(b, STORE_GATEWAY);
	end.record_id = end.first_record_id = add_record(b, T0, "{}");
	assert_true(store_send_set(gateway(b), &end));
	commit(b, STORE_GATEWAY);
	return end.id;
}

/* Expects what is whole, but for what is said of it. */
struct expected {
	struct store_send s;
	int calls;
};

static void
same_text(const char *got, const char *want)
{
	if (got == NULL || want == NULL)
		assert_ptr_equal(got, want);
	else
		assert_string_equal(got, want);
}

static void
same_bytes(const void *got, size_t len, const void *want, size_t want_len)
{
	assert_int_equal(got == NULL, want == NULL);
	assert_int_equal(len, want_len);
	if (len > 0)
		assert_memory_equal(got, want, len);
}

static bool
compare(void *arg, const struct store_send *s)
{
	struct expected *e = arg;
	const struct store_send *w = &e->s;

	e->calls++;
	assert_int_equal(s->id, w->id);
	assert_string_equal(s->key, w->key);
	assert_int_equal(s->state, w->state);
	same_text(s->application, w->application);
	same_text(s->employee, w->employee);
	same_text(s->remote, w->remote);
	same_text(s->business, w->business);
	same_text(s->method, w->method);
	same_text(s->target, w->target);
	same_text(s->content_type, w->content_type);
	same_bytes(s->idempotency, s->idempotency == NULL ? 0 : HASH_SIZE,
	    w->idempotency, w->idempotency == NULL ? 0 : HASH_SIZE);
	assert_memory_equal(s->sha256, w->sha256, HASH_SIZE);
	same_bytes(s->request, s->request_len, w->request, w->request_len);
	same_bytes(s->sent, s->sent_len, w->sent, w->sent_len);
	same_bytes(s->answer, s->answer_len, w->answer, w->answer_len);
	same_text(s->verdict, w->verdict);
	same_text(s->definition, w->definition);
	same_text(s->outcome, w->outcome);
	same_text(s->wamid, w->wamid);
	assert_int_equal(s->received_ms, w->received_ms);
	assert_int_equal(s->changed_ms, w->changed_ms);
	assert_int_equal(s->until_ms, w->until_ms);
	assert_int_equal(s->persons, w->persons);
	assert_int_equal(s->status, w->status);
	assert_int_equal(s->first_record_id, w->first_record_id);
	assert_int_equal(s->record_id, w->record_id);
	return true;
}

static void
expect_send(struct bed *b, const struct store_send *want)
{
	struct expected e = { .s = *want };

	assert_true(store_send_by_key(b->of[STORE_ADMIN], want->key, compare,
	    &e, NULL));
	assert_int_equal(e.calls, 1);
	assert_true(store_send_by_key(b->of[STORE_BUILD], want->key, compare,
	    &e, NULL));
	assert_int_equal(e.calls, 2);
}

static void
a_send_is_read_as_it_was_written(void **state)
{
	const uint8_t digest[HASH_SIZE] = { 7, 8, 9 };
	struct store_send whole = whole_send(KEY1, digest);
	struct store_send small = small_send(KEY2);
	struct bed *b = bed_of(state);

	whole.first_record_id = put_record(b, T0, "{}");
	whole.record_id = put_record(b, T0, "{}");
	whole.id = put_send(b, &whole);
	small.id = put_send(b, &small);
	assert_int_equal(whole.id, 1);
	assert_int_equal(small.id, 2);
	expect_send(b, &whole);
	expect_send(b, &small);
}

static bool
no_send(void *arg, const struct store_send *s)
{
	(void)arg, (void)s;
	fail_msg("there should be no send");
	return false;
}

static void
what_is_not_there_is_not_given(void **state)
{
	struct bed *b = bed_of(state);
	const uint8_t digest[HASH_SIZE] = { 1 };
	static const char *const keys[] = { KEY2, "", "x", KEY1 "0",
		"0123456789ABCDEF0123456789ABCDEF", "' OR 1=1 --" };
	struct store_send s = small_send(KEY1);

	put_send(b, &s);
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		assert_true(store_send_by_key(gateway(b), keys[i], no_send,
		    NULL, NULL));
	assert_true(store_send_by_idempotency(gateway(b), digest, 0, no_send,
	    NULL, NULL));
	assert_true(store_send_list(gateway(b), STORE_SEND_HELD, 0, 9,
	    no_send, NULL, NULL));
}

static void
what_is_no_key_is_refused(void **state)
{
	static const char *const keys[] = { "", "0", KEY1 "0",
		"0123456789abcdef0123456789abcde",
		"0123456789ABCDEF0123456789ABCDEF",
		"0123456789abcdef0123456789abcdeg",
		"0123456789abcdef 123456789abcdef",
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"\xc3\xa9\xc3\xa9" };
	struct bed *b = bed_of(state);

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		struct store_send s = small_send(keys[i]);

		refuse_send(b, &s);
	}
	assert_true(store_send_list(gateway(b), STORE_SEND_STORED, 0, 9,
	    no_send, NULL, NULL));
}

static void
a_key_is_there_once(void **state)
{
	struct bed *b = bed_of(state);
	struct store_send s = small_send(KEY1), other = small_send(KEY1);

	s.id = put_send(b, &s);
	other.business = "other";
	refuse_send(b, &other);
	expect_send(b, &s);
	other.key = KEY2;
	assert_int_equal(put_send(b, &other), 2);
}

static void
a_send_is_not_held_or_done_without_a_record_that_is_there(void **state)
{
	struct bed *b = bed_of(state);
	struct store_send s = small_send(KEY1);

	s.state = STORE_SEND_HELD;
	refuse_send(b, &s);
	s.state = STORE_SEND_DONE;
	refuse_send(b, &s);
	s.record_id = RECORD(1);
	refuse_send(b, &s);
	s.state = STORE_SEND_STATES;
	refuse_send(b, &s);
	s.state = STORE_SEND_STORED;
	s.record_id = 0;
	s.first_record_id = 1;
	refuse_send(b, &s);
	s.first_record_id = 0;
	s.id = put_send(b, &s);
	s.state = STORE_SEND_DONE;
	refuse_change(b, &s);
	s.record_id = RECORD(1);
	refuse_change(b, &s);
	s.state = STORE_SEND_STORED;
	s.record_id = 0;
	expect_send(b, &s);
}

static void
a_change_leaves_what_it_does_not_name(void **state)
{
	const uint8_t digest[HASH_SIZE] = { 7 };
	struct bed *b = bed_of(state);
	struct store_send s = whole_send(KEY1, digest), change = { 0 };

	s.first_record_id = s.record_id = put_record(b, T0, "{}");
	change.id = s.id = put_send(b, &s);
	change.state = s.state = STORE_SEND_FORWARDING;
	set_send(b, &change);
	s.until_ms = 0;
	expect_send(b, &s);
}

static void
a_change_sets_what_it_names_and_nothing_else(void **state)
{
	struct bed *b = bed_of(state);
	struct store_send s = small_send(KEY1);
	struct store_send change = whole_send(KEY2, NULL);

	change.id = s.id = put_send(b, &s);
	change.state = STORE_SEND_HELD;
	change.first_record_id = put_record(b, T0, "{}");
	change.record_id = put_record(b, T0, "{}");
	set_send(b, &change);
	s.state = change.state;
	s.sent = change.sent;
	s.sent_len = change.sent_len;
	s.verdict = change.verdict;
	s.changed_ms = change.changed_ms;
	s.until_ms = change.until_ms;
	s.persons = change.persons;
	s.outcome = change.outcome;
	s.status = change.status;
	s.answer = change.answer;
	s.answer_len = change.answer_len;
	s.wamid = change.wamid;
	s.first_record_id = change.first_record_id;
	s.record_id = change.record_id;
	expect_send(b, &s);
}

static void
an_empty_answer_is_an_answer(void **state)
{
	struct bed *b = bed_of(state);
	struct store_send s = small_send(KEY1), change = { 0 };

	change.id = s.id = put_send(b, &s);
	change.answer = change.sent = s.answer = s.sent = "";
	set_send(b, &change);
	expect_send(b, &s);
}

static void
a_send_that_is_done_stays_as_it_is(void **state)
{
	struct bed *b = bed_of(state);
	struct store_send again = { .state = STORE_SEND_FORWARDING,
		.outcome = "accepted" };

	again.id = put_done(b, KEY1, "unknown");
	refuse_change(b, &again);
	again.state = STORE_SEND_DONE;
	again.record_id = put_record(b, T0, "{}");
	refuse_change(b, &again);
	again.id = 2;
	refuse_change(b, &again);
	again.id = 0;
	refuse_change(b, &again);
	expect_law(b, true);
}

static void
after_a_refusal_nothing_of_the_transaction_stays(void **state)
{
	struct bed *b = bed_of(state);
	struct store_send s = small_send(KEY1);

	begin(b, STORE_GATEWAY);
	add_record(b, T0, "{}");
	assert_true(store_send_add(gateway(b), &s, NULL));
	assert_false(store_send_add(gateway(b), &s, NULL));
	s.key = KEY2;
	assert_false(store_send_add(gateway(b), &s, NULL));
	commit_fails(b, STORE_GATEWAY, "store.state");
	assert_true(store_send_by_key(gateway(b), KEY1, no_send, NULL, NULL));
	assert_true(store_send_by_key(gateway(b), KEY2, no_send, NULL, NULL));
	expect_list(b, STORE_EVENT_GATEWAY, 9, "");
}

static void
texts_and_bytes_of_any_kind_and_length_are_kept(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *large = g_malloc(300000);
	g_autofree char *text = g_strnfill(70000, '\'');
	struct store_send s = small_send(KEY1);

	for (int i = 0; i < 300000; i++)
		large[i] = (char)(i * 31);
	s.application = "'; DROP TABLE send; --";
	s.employee = "";
	s.remote = "\xd0\xb8\xd0\xbc\xd1\x8f \"%s%n\" \\";
	s.target = s.verdict = text;
	s.request = s.sent = s.answer = large;
	s.request_len = s.sent_len = s.answer_len = 300000;
	s.id = put_send(b, &s);
	expect_send(b, &s);
}

/* ---- searching sends --------------------------------------------------------- */

struct names {
	GString *text;
	int stop_after;
};

static bool
spell_id(void *arg, const struct store_send *s)
{
	struct names *n = arg;

	g_string_append_printf(n->text, "%d ", (int)s->id);
	return n->stop_after == 0 || --n->stop_after > 0;
}

static void
expect_states(struct bed *b, enum store_send_state what, int64_t after,
    int limit, const char *want)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct names n = { .text = text };

	assert_true(store_send_list(gateway(b), what, after, limit, spell_id,
	    &n, NULL));
	assert_string_equal(text->str, want);
}

/* Send number i, its key made of it, in this state. */
static void
put_one(struct bed *b, int i, enum store_send_state what)
{
	g_autofree char *key = g_strdup_printf("%032x", (unsigned)i);
	struct store_send s = small_send(key);

	s.state = what;
	if (what >= STORE_SEND_HELD)
		s.record_id = put_record(b, T0, "{}");
	assert_int_equal(put_send(b, &s), i);
}

static void
sends_are_listed_by_state_in_order(void **state)
{
	struct bed *b = bed_of(state);
	struct store_send moved = { .id = 2, .state = STORE_SEND_FORWARDING };

	for (int i = 1; i <= 12; i++)
		put_one(b, i, (enum store_send_state)(i % 4));
	expect_states(b, STORE_SEND_STORED, 0, 9, "4 8 12 ");
	expect_states(b, STORE_SEND_FORWARDING, 0, 9, "1 5 9 ");
	expect_states(b, STORE_SEND_HELD, 0, 2, "2 6 ");
	expect_states(b, STORE_SEND_HELD, 6, 9, "10 ");
	expect_states(b, STORE_SEND_DONE, 3, 9, "7 11 ");
	expect_states(b, STORE_SEND_DONE, 0, 0, "");
	set_send(b, &moved);
	expect_states(b, STORE_SEND_HELD, 0, 9, "6 10 ");
	expect_states(b, STORE_SEND_FORWARDING, 0, 9, "1 2 5 9 ");
}

static void
a_list_of_sends_ends_when_told_to_and_knows_its_states(void **state)
{
	struct bed *b = bed_of(state);
	g_autoptr(GString) text = g_string_new(NULL);
	struct names n = { .text = text, .stop_after = 2 };
	struct err err = ERR_INIT;

	for (int i = 1; i <= 3; i++)
		put_one(b, i, STORE_SEND_STORED);
	assert_true(store_send_list(gateway(b), STORE_SEND_STORED, 0, 9,
	    spell_id, &n, NULL));
	assert_string_equal(text->str, "1 2 ");
	assert_false(store_send_list(gateway(b), STORE_SEND_STATES, 0, 9,
	    spell_id, &n, &err));
	assert_string_equal(err.what, "store.state");
}

static void
expect_keyed(struct bed *b, uint8_t digest, int64_t since_ms,
    const char *want)
{
	const uint8_t sought[HASH_SIZE] = { digest };
	g_autoptr(GString) text = g_string_new(NULL);
	struct names n = { .text = text };

	assert_true(store_send_by_idempotency(gateway(b), sought, since_ms,
	    spell_id, &n, NULL));
	assert_string_equal(text->str, want);
}

static void
the_latest_send_of_an_idempotency_key_is_found_within_its_time(void **state)
{
	const uint8_t one[HASH_SIZE] = { 1 }, two[HASH_SIZE] = { 2 };
	const uint8_t *const digests[] = { one, two, one, NULL, one };
	const int64_t times[] = { T0, T0 + 1, T0 + 5, T0 + 9, T0 + 3 };
	struct bed *b = bed_of(state);

	for (int i = 0; i < 5; i++) {
		g_autofree char *key = g_strdup_printf("%032x", (unsigned)i);
		struct store_send s = small_send(key);

		s.idempotency = digests[i];
		s.received_ms = times[i];
		put_send(b, &s);
	}
	expect_keyed(b, 1, T0 - 1, "3 ");
	expect_keyed(b, 2, T0 - 1, "2 ");
	expect_keyed(b, 3, T0 - 1, "");
	expect_keyed(b, 2, T0, "2 ");
	expect_keyed(b, 2, T0 + 1, "");
	expect_keyed(b, 1, T0 + 4, "3 ");
	expect_keyed(b, 1, T0 + 5, "");
}

static void
a_key_within_its_time_is_found_however_many_came_since(void **state)
{
	const uint8_t digest[HASH_SIZE] = { 200 };
	struct bed *b = bed_of(state);
	struct store_send s = small_send(KEY1);

	s.idempotency = digest;
	put_send(b, &s);
	for (int i = 1; i < 50; i++) {
		uint8_t other[HASH_SIZE] = { (uint8_t)i };
		g_autofree char *key = g_strdup_printf("%032x", (unsigned)i);

		s.key = key;
		s.idempotency = other;
		s.received_ms = T0 + i;
		expect_keyed(b, (uint8_t)i, T0 - 1, "");
		put_send(b, &s);
	}
	expect_keyed(b, 200, T0 - 1, "1 ");
}

/* ---- purge ------------------------------------------------------------------- */

static bool
spell_bytes(void *arg, const struct store_send *s)
{
	g_string_append_printf(arg, "%s%s%s", s->request == NULL ? "" : "r",
	    s->sent == NULL ? "" : "s", s->answer == NULL ? "" : "a");
	return true;
}

static void
expect_bytes(struct bed *b, const char *key, const char *want)
{
	g_autoptr(GString) text = g_string_new(NULL);

	assert_true(store_send_by_key(gateway(b), key, spell_bytes, text,
	    NULL));
	assert_string_equal(text->str, want);
}

static void
a_record_stays_until_it_was_read_and_all_its_mails_were_sent(void **state)
{
	struct bed *b = bed_of(state);
	int64_t mail, turn;

	put_done(b, KEY1, "accepted");
	assert_int_equal(purge(b, T0 + 100, 10), 0);
	turn = file_record(b, "k", RECORD(1));
	assert_int_equal(purge(b, T0 + 100, 10), 0);
	mail = put_rendered(b, turn, 0);
	assert_int_equal(purge(b, T0 + 100, 10), 0);
	expect_bytes(b, KEY1, "ra");
	expect_body(b, RECORD(1), true);
	put_outcome(b, mail, "a", STORE_SENT, T0 + 5, 0);
	assert_int_equal(purge(b, T0, 10), 0);
	assert_int_equal(purge(b, T0 + 1, 10), 1);
	expect_bytes(b, KEY1, "");
	expect_body(b, RECORD(1), false);
	assert_int_equal(purge(b, T0 + 100, 10), 0);
	expect_law(b, true);
}

static void
a_send_that_is_not_done_keeps_its_bytes(void **state)
{
	struct bed *b = bed_of(state);
	struct store_send s = small_send(KEY1), end = { 0 };

	s.first_record_id = s.record_id = put_record(b, T0, "{held}");
	s.state = STORE_SEND_HELD;
	end.id = put_send(b, &s);
	put_outcome(b, put_rendered(b, file_record(b, "k", RECORD(1)), 0),
	    "a", STORE_SENT, T0 + 5, 0);
	assert_int_equal(purge(b, T0 + 100, 10), 1);
	expect_bytes(b, KEY1, "r");
	expect_law(b, true);
	end.record_id = put_record(b, T0, "{accepted}");
	end.state = STORE_SEND_DONE;
	end.answer = "{}";
	end.answer_len = 2;
	set_send(b, &end);
	assert_int_equal(purge(b, T0 + 100, 10), 0);
	expect_bytes(b, KEY1, "ra");
	put_outcome(b, put_rendered(b, file_record(b, "k2", RECORD(2)), 0),
	    "a", STORE_SENT, T0 + 5, 0);
	assert_int_equal(purge(b, T0 + 100, 10), 1);
	expect_bytes(b, KEY1, "");
}

/* One send that is over, and its record is in the journal. */
static void
put_journaled(struct bed *b, struct store_send *s)
{
	s->state = STORE_SEND_DONE;
	s->first_record_id = s->record_id = put_record(b, T0, "{}");
	s->id = put_send(b, s);
	put_outcome(b, put_rendered(b, file_record(b, "k", s->record_id), 0),
	    "a", STORE_SENT, T0 + 5, 0);
}

static void
a_purged_send_says_who_when_and_by_which_rules_but_not_what(void **state)
{
	const uint8_t digest[HASH_SIZE] = { 7 };
	struct bed *b = bed_of(state);
	struct store_send s = whole_send(KEY1, digest);

	s.verdict = "{\"set\":\"ab\",\"fired\":[{\"rule\":\"r\","
	    "\"why\":[\"text at 3-5\"]}],\"additions\":[{\"rule\":\"r\","
	    "\"text\":\"words\",\"once\":true}],\"tallies\":[{\"rule\":"
	    "\"r\",\"subject\":\"b\",\"who\":\"Ana\"}]}";
	put_journaled(b, &s);
	expect_send(b, &s);
	assert_int_equal(purge(b, T0 + 100, 10), 1);
	s.request = s.sent = s.answer = NULL;
	s.request_len = s.sent_len = s.answer_len = 0;
	s.definition = NULL;
	s.verdict = "{\"set\":\"ab\",\"fired\":[{\"rule\":\"r\","
	    "\"why\":[\"text at 3-5\"]}]}";
	expect_send(b, &s);
	expect_law(b, true);
}

static void
a_send_whose_verdict_is_none_or_unreadable_is_purged_too(void **state)
{
	struct bed *b = bed_of(state);
	struct store_send s = small_send(KEY1), odd = small_send(KEY2);

	put_journaled(b, &s);
	assert_int_equal(purge(b, T0 + 100, 10), 1);
	s.request = NULL;
	s.request_len = 0;
	expect_send(b, &s);
	odd.verdict = "{half";
	odd.state = STORE_SEND_DONE;
	odd.record_id = put_record(b, T0, "{}");
	odd.id = put_send(b, &odd);
	put_outcome(b, put_rendered(b, file_record(b, "k2", odd.record_id),
	    0), "a", STORE_SENT, T0 + 5, 0);
	assert_int_equal(purge(b, T0 + 100, 10), 1);
	odd.request = odd.verdict = NULL;
	odd.request_len = 0;
	expect_send(b, &odd);
}

static void
a_record_whose_file_is_wanted_stays(void **state)
{
	struct bed *b = bed_of(state);
	int64_t record = put_record(b, T0, "{}"), turn, mail, want;

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	add_item(b, "k", record, turn);
	want = add_want(b, turn, record, "m");
	commit(b, STORE_BUILD);
	read_records_to(b, record);
	mail = put_rendered(b, turn, want);
	put_outcome(b, mail, "a", STORE_SENT, T0 + 5, 0);
	expect_law(b, true);
	expect_sent(b, record, true);
	assert_int_equal(purge(b, T0 + 100, 10), 0);
	put_fetch(b, want, STORE_UNAVAILABLE, NULL, 0);
	take_up(b, 1);
	put_outcome(b, put_rendered(b, put_follow_up(b, want), 0), "a",
	    STORE_SENT, T0 + 6, 0);
	assert_int_equal(purge(b, T0 + 100, 10), 1);
	expect_law(b, true);
}

static void
one_that_must_stay_does_not_keep_the_others(void **state)
{
	struct bed *b = bed_of(state);
	int64_t mails[5];

	for (int i = 0; i < 5; i++) {
		g_autofree char *key = g_strdup_printf("k%d", i);

		mails[i] = put_rendered(b, file_record(b, key, put_record(b,
		    T0, "{}")), 0);
		if (i != 1)
			put_outcome(b, mails[i], "a", STORE_SENT, T0 + 5, 0);
	}
	for (int i = 0, n = 0; i < 10 && n < 4; i++) {
		n += (int)purge(b, T0 + 1, 2);
		assert_true(i < 9);
	}
	expect_body(b, RECORD(2), true);
	put_outcome(b, mails[1], "a", STORE_SENT, T0 + 5, 0);
	assert_int_equal(purge(b, T0 + 1, 2), 1);
	expect_body(b, RECORD(2), false);
	expect_law(b, true);
}

static void
events_and_records_are_purged_apart(void **state)
{
	struct bed *b = bed_of(state);
	int64_t n = -1;

	put_outcome(b, put_message(b, "e", "a", NULL), "a", STORE_SENT, T0, 0);
	put_outcome(b, put_rendered(b, file_record(b, "r", put_record(b, T0,
	    "{}")), 0), "a", STORE_SENT, T0 + 5, 0);
	assert_int_equal(purge(b, T0 + 1, 9), 1);
	expect_body(b, 1, true);
	assert_true(store_event_purge(b->of[STORE_INTAKE], T0 + 1, 9, &n,
	    NULL));
	assert_int_equal(n, 1);
	expect_body(b, 1, false);
}

/* ---- status and trace ---------------------------------------------------------- */

static void
status_counts_records_and_sends(void **state)
{
	struct bed *b = bed_of(state);
	struct store_status s;

	put_done(b, KEY1, "unknown");
	put_done(b, KEY2, "unknown");
	put_one(b, 3, STORE_SEND_STORED);
	put_one(b, 4, STORE_SEND_FORWARDING);
	put_one(b, 5, STORE_SEND_FORWARDING);
	put_one(b, 6, STORE_SEND_HELD);
	put_done(b, "ffffffffffffffffffffffffffffffff", "accepted");
	file_record(b, "k", RECORD(1));
	begin(b, STORE_BUILD);
	assert_true(store_resolution_add(b->of[STORE_BUILD], KEY2, "wamid.9",
	    T0));
	commit(b, STORE_BUILD);
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.records, 4);
	assert_int_equal(s.records_unread, 3);
	assert_int_equal(s.events, 0);
	assert_int_equal(s.events_unread, 0);
	assert_int_equal(s.sends_stored, 1);
	assert_int_equal(s.sends_forwarding, 2);
	assert_int_equal(s.sends_held, 1);
	assert_int_equal(s.sends_done, 3);
	assert_int_equal(s.sends_unknown, 1);
	assert_int_equal(s.items, 1);
	store_status_clear(&s);
}

static void
the_oldest_unread_is_of_both_kinds(void **state)
{
	struct bed *b = bed_of(state);
	struct store_status s;

	put_record(b, T0 + 5, "{}");
	put_event(b, T0 + 9, "{}");
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.oldest_unread_ms, T0 + 5);
	store_status_clear(&s);
	file_record(b, "k", RECORD(1));
	assert_true(store_status(b->of[STORE_ADMIN], &s, NULL));
	assert_int_equal(s.oldest_unread_ms, T0 + 9);
	store_status_clear(&s);
}

static bool
spell_fact(void *arg, const struct store_fact *f)
{
	g_string_append_printf(arg, "%s+%d ", f->what, (int)(f->at_ms - T0));
	return true;
}

static void
a_send_is_traced_by_its_key_its_record_and_its_message(void **state)
{
	static const char *const ids[] = { "send:" KEY1,
		"event:1000000000000001", "wamid.k", "r@test", "turn:1" };
	struct bed *b = bed_of(state);

	put_done(b, KEY1, "accepted");
	put_rendered(b, file_record(b, "k", RECORD(1)), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		g_autoptr(GString) text = g_string_new(NULL);

		assert_true(store_trace(b->of[STORE_ADMIN], ids[i],
		    spell_fact, text, NULL));
		assert_string_equal(text->str, "received+0 asked+0 filed+0 "
		    "closed+1 queued+2 answered+3 rendered+4 ");
	}
}

static void
a_send_that_was_not_filed_yet_and_none_are_traced(void **state)
{
	static const char *const nothing[] = { "send:", "send:" KEY2,
		"send:" KEY1 "0", "send:'", "event:1000000000000002",
		"event:99999999999999999999999" };
	struct bed *b = bed_of(state);
	g_autoptr(GString) text = g_string_new(NULL);

	put_done(b, KEY1, "unknown");
	assert_true(store_trace(b->of[STORE_ADMIN], "send:" KEY1, spell_fact,
	    text, NULL));
	assert_string_equal(text->str, "received+0 asked+0 answered+3 ");
	g_string_truncate(text, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(nothing); i++)
		assert_true(store_trace(b->of[STORE_ADMIN], nothing[i],
		    spell_fact, text, NULL));
	assert_string_equal(text->str, "");
}

static void
progress_of_the_new_files_is_kept(void **state)
{
	static const enum store_file files[] = { STORE_GATEWAY,
		STORE_DIRECTORY };
	const struct store_claim claim = { 3, 9, 1 };
	struct bed *b = bed_of(state);

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		struct store *st = b->of[files[i]];
		struct store_claim got;
		int64_t value;

		begin(b, files[i]);
		assert_true(store_cursor_set(st, files[i], "review", 7));
		assert_true(store_claim_set(st, files[i], "w", &claim));
		commit(b, files[i]);
		assert_true(store_cursor_get(b->of[STORE_ADMIN], files[i],
		    "review", &value, NULL));
		assert_int_equal(value, 7);
		assert_true(store_claim_get(b->of[STORE_ADMIN], files[i], "w",
		    &got, NULL));
		assert_int_equal(got.last, 9);
		assert_int_equal(got.deaths, 1);
	}
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_sending[] = {
	TEST(records_and_events_are_two_sequences_told_apart_by_id),
	TEST(a_list_of_records_ends_by_bytes_or_when_told_to),
	TEST(a_record_is_read_as_it_was_written),
	TEST(an_empty_record_is_not_one_that_was_purged),
	TEST(a_record_that_is_rolled_back_leaves_no_hole),
	TEST(an_item_may_be_of_a_record),
	TEST(the_law_is_broken_by_a_record_read_without_a_trace),
	TEST(the_law_is_broken_by_a_cursor_past_the_last_record),
	TEST(the_law_is_broken_by_an_item_of_no_record),
	TEST(a_record_may_be_parked_or_seen_again),
	TEST(a_record_is_sent_when_every_mail_of_it_is),
	TEST(one_turn_of_a_record_that_is_parked_is_not_sent),
	TEST(what_is_only_recorded_of_a_record_is_not_waited_for),
	TEST(a_send_is_read_as_it_was_written),
	TEST(what_is_not_there_is_not_given),
	TEST(what_is_no_key_is_refused),
	TEST(a_key_is_there_once),
	TEST(a_send_is_not_held_or_done_without_a_record_that_is_there),
	TEST(a_change_leaves_what_it_does_not_name),
	TEST(a_change_sets_what_it_names_and_nothing_else),
	TEST(an_empty_answer_is_an_answer),
	TEST(a_send_that_is_done_stays_as_it_is),
	TEST(after_a_refusal_nothing_of_the_transaction_stays),
	TEST(texts_and_bytes_of_any_kind_and_length_are_kept),
	TEST(sends_are_listed_by_state_in_order),
	TEST(a_list_of_sends_ends_when_told_to_and_knows_its_states),
	TEST(the_latest_send_of_an_idempotency_key_is_found_within_its_time),
	TEST(a_key_within_its_time_is_found_however_many_came_since),
	TEST(a_record_stays_until_it_was_read_and_all_its_mails_were_sent),
	TEST(a_send_that_is_not_done_keeps_its_bytes),
	TEST(a_purged_send_says_who_when_and_by_which_rules_but_not_what),
	TEST(a_send_whose_verdict_is_none_or_unreadable_is_purged_too),
	TEST(a_record_whose_file_is_wanted_stays),
	TEST(one_that_must_stay_does_not_keep_the_others),
	TEST(events_and_records_are_purged_apart),
	TEST(status_counts_records_and_sends),
	TEST(the_oldest_unread_is_of_both_kinds),
	TEST(a_send_is_traced_by_its_key_its_record_and_its_message),
	TEST(a_send_that_was_not_filed_yet_and_none_are_traced),
	TEST(progress_of_the_new_files_is_kept),
};
const size_t store_contract_sending_n = G_N_ELEMENTS(store_contract_sending);
