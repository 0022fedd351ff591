/* SPDX-License-Identifier: Apache-2.0 */
/* role: which mails of a journal the deliver role takes up next. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../src/role/deliver_int.h"
#include "conf.h"
#include "err.h"
#include "hash.h"
#include "log.h"
#include "store.h"

#define NOW 1790000000000
#define SESSIONS 2
#define WINDOW (DLV_WINDOW_PER_SESSION * SESSIONS)

/* One journal with an outlet whose workers are the test itself. */
struct bench {
	struct store *store;
	struct conf_relay relay;
	struct conf_journal conf;
	struct dlv_outlet outlet;
	struct dlv_results results;
	struct dlv_journal journal;
	int64_t content;
};

static void
open_journal(struct bench *b)
{
	struct err err = ERR_INIT;

	b->journal = (struct dlv_journal){ .conf = &b->conf,
		.outlet = &b->outlet };
	if (!dlv_journal_open(&b->journal, b->store, 3, NOW, &err))
		fail_msg("%s", err.text);
}

static int
set_up(void **state)
{
	struct bench *b = g_new0(struct bench, 1);
	struct err err = ERR_INIT;
	struct turn t = { .conversation = g_strdup("c"),
		.author = g_strdup("a"), .items = 1 };

	log_set_level(LOG_LEVEL_ERROR);
	assert_true(store_open("sqlite::memory:", STORE_ALL, &b->store, &err));
	b->conf = (struct conf_journal){ .name = g_strdup("archive") };
	b->outlet.conf = &b->relay;
	b->outlet.results = &b->results;
	assert_true(dlv_outlet_start(&b->outlet, &err));
	b->relay.sessions = SESSIONS;
	store_begin(b->store);
	store_turn_add(b->store, &t, NULL, "message", TURN_SINGLE);
	store_content_add(b->store, t.id, "x", 1, (uint8_t[HASH_SIZE]){ 0 },
	    &b->content);
	assert_true(store_commit(b->store, &err));
	turn_clear(&t);
	open_journal(b);
	*state = b;
	return 0;
}

static void
close_journal(struct bench *b)
{
	struct dlv_job *job;

	while ((job = g_queue_pop_head(&b->outlet.ready)) != NULL)
		dlv_job_free(job);
	dlv_journal_clear(&b->journal);
}

static int
tear_down(void **state)
{
	struct bench *b = *state;

	close_journal(b);
	store_close(b->store);
	g_free(b->outlet.threads);
	g_free(b->conf.name);
	g_free(b);
	return 0;
}

static void
queue_mails(struct bench *b, int n)
{
	struct err err = ERR_INIT;
	int64_t id;

	store_begin(b->store);
	for (int i = 0; i < n; i++) {
		struct store_mail m = { .turn_id = 1,
			.content_id = b->content, .journal = "archive",
			.message_id = "m@x", .envelope_from = "a@x",
			.envelope_to = "b@x", .queued_ms = NOW };

		store_mail_add(b->store, &m, &id);
	}
	assert_true(store_commit(b->store, &err));
}

static void
take_up(struct bench *b, int64_t now)
{
	struct err err = ERR_INIT;

	if (!dlv_journal_fetch(&b->journal, b->store, now, &err) ||
	    !dlv_journal_hand_over(&b->journal, b->store, &err))
		fail_msg("%s", err.text);
}

/* The outlet's first job gets this outcome; its id, or 0 if there is none. */
static int64_t
land(struct bench *b, enum store_outcome_state outcome, int64_t next_ms)
{
	struct dlv_job *job = g_queue_pop_head(&b->outlet.ready);
	struct store_outcome o = { .journal = "archive", .state = outcome,
		.attempts = 1, .first_ms = NOW, .last_ms = NOW,
		.next_ms = next_ms, .reply = "r" };
	struct err err = ERR_INIT;
	int64_t id;

	if (job == NULL)
		return 0;
	id = o.mail_id = job->mail.id;
	store_begin(b->store);
	store_outcome_set(b->store, &o);
	dlv_journal_landed(&b->journal, job);
	dlv_journal_mark(&b->journal, b->store);
	assert_true(store_commit(b->store, &err));
	if (outcome == STORE_DEFERRED)
		b->journal.next_due_ms = MIN(b->journal.next_due_ms, next_ms);
	dlv_job_free(job);
	return id;
}

static guint
ready(const struct bench *b)
{
	return b->outlet.ready.length;
}

static void
no_more_than_the_window_is_ever_in_memory(void **state)
{
	struct bench *b = *state;
	int sent = 0;

	queue_mails(b, 1000);
	take_up(b, NOW);
	assert_int_equal(ready(b), WINDOW);
	while (land(b, STORE_SENT, 0) != 0) {
		sent++;
		take_up(b, NOW);
		assert_true(g_hash_table_size(b->journal.flying) <= WINDOW);
	}
	assert_int_equal(sent, 1000);
	assert_int_equal(b->journal.done, 1000);
}

/* A content of len bytes in a file; the mails queued later have it. */
static void
put_file_content(struct bench *b, size_t len)
{
	g_autofree char *path = g_build_filename(store_dir(b->store,
	    STORE_DIR_SPOOL), "large", NULL);
	g_autofree char *bytes = g_strnfill(len, 'x');
	struct err err = ERR_INIT;
	uint8_t sha256[HASH_SIZE];

	assert_true(g_file_set_contents(path, bytes, (gssize)len, NULL));
	hash_sha256(bytes, len, sha256);
	store_begin(b->store);
	store_content_add_file(b->store, 1, path, len, sha256, &b->content);
	assert_true(store_commit(b->store, &err));
}

static void
mails_in_files_are_mapped_in_their_turn_and_hardly_count(void **state)
{
	struct bench *b = *state;
	struct deliver_report r;
	struct dlv_job *job;

	put_file_content(b, 3 << 20);
	queue_mails(b, WINDOW + 1);
	take_up(b, NOW);
	/* As many as of small ones; in memory eight would fill the window. */
	assert_int_equal(ready(b), WINDOW);
	assert_int_equal(b->journal.flying_bytes,
	    (int64_t)WINDOW * DLV_FILE_WEIGHT);
	job = g_queue_peek_head(&b->outlet.ready);
	assert_null(job->mail.bytes);
	assert_true(job->mail.mapped);
	assert_int_equal(job->mail.len, 3 << 20);
	if (!dlv_file_open(job, &r))
		fail_msg("%s", r.reply);
	assert_int_equal(((const char *)job->mail.bytes)[job->mail.len - 1],
	    'x');
	while (land(b, STORE_SENT, 0) != 0)
		take_up(b, NOW);
	assert_int_equal(b->journal.flying_bytes, 0);
	assert_int_equal(b->journal.done, WINDOW + 1);
}

static void
mails_go_out_in_the_order_they_were_queued(void **state)
{
	struct bench *b = *state;

	queue_mails(b, 100);
	for (int64_t want = 1; want <= 100; want++) {
		take_up(b, NOW);
		assert_int_equal(land(b, STORE_SENT, 0), want);
	}
}

static void
after_an_outage_new_mail_gets_a_share_beside_the_backlog(void **state)
{
	struct bench *b = *state;
	struct err err = ERR_INIT;
	int64_t newest = 0, id;
	int landed = 0;

	queue_mails(b, 500);
	dlv_outlet_set(&b->outlet, DLV_PAUSED);
	take_up(b, NOW);
	assert_int_equal(ready(b), 0);
	assert_true(dlv_journal_rebase(&b->journal, b->store, &err));
	dlv_outlet_set(&b->outlet, DLV_UP);
	queue_mails(b, 10);
	while (newest < 510) {
		take_up(b, NOW);
		id = land(b, STORE_SENT, 0);
		assert_true(id > 0);
		newest = MAX(newest, id);
		landed++;
	}
	/* All ten new ones went out among the first of the backlog. */
	assert_true(landed < 100);
	assert_true(b->journal.done < 500);
	while (take_up(b, NOW), land(b, STORE_SENT, 0) != 0)
		landed++;
	assert_int_equal(landed, 510);
	assert_int_equal(b->journal.done, 510);
}

static void
a_restart_goes_on_where_outcomes_are_missing(void **state)
{
	struct bench *b = *state;
	int landed = 0;

	queue_mails(b, 60);
	take_up(b, NOW);
	/* The third is still under way when the process ends in good order. */
	land(b, STORE_SENT, 0);
	land(b, STORE_SENT, 0);
	g_queue_push_tail(&b->outlet.ready,
	    g_queue_pop_head(&b->outlet.ready));
	for (int i = 0; i < 10; i++)
		land(b, STORE_SENT, 0);
	assert_int_equal(b->journal.done, 2);
	close_journal(b);
	open_journal(b);
	while (take_up(b, NOW), land(b, STORE_SENT, 0) != 0)
		landed++;
	assert_int_equal(landed, 60 - 12);
	assert_int_equal(b->journal.done, 60);
}

static void
a_deferred_mail_comes_back_at_its_time_and_not_before(void **state)
{
	struct bench *b = *state;

	queue_mails(b, 1);
	take_up(b, NOW);
	assert_int_equal(land(b, STORE_DEFERRED, NOW + 5000), 1);
	assert_int_equal(b->journal.done, 1);
	take_up(b, NOW + 4999);
	assert_int_equal(ready(b), 0);
	take_up(b, NOW + 5000);
	assert_int_equal(ready(b), 1);
	/* In flight it is not taken up twice. */
	take_up(b, NOW + 6000);
	assert_int_equal(ready(b), 1);
	assert_int_equal(land(b, STORE_SENT, 0), 1);
	take_up(b, NOW + 9000);
	assert_int_equal(ready(b), 0);
}

static void
a_clock_that_is_set_back_holds_up_no_deferred_mail(void **state)
{
	const int64_t hours = INT64_C(3600) * 1000 * 5;
	struct bench *b = *state;
	struct err err = ERR_INIT;

	b->relay.retry_min_ms = 1000;
	b->relay.retry_max_ms = 8000;
	queue_mails(b, 2);
	take_up(b, NOW);
	land(b, STORE_DEFERRED, NOW + 5000);
	land(b, STORE_DEFERRED, NOW + 10000);
	/* A little changes nothing, and what is not too far stays put off. */
	assert_true(dlv_journal_hurry(&b->journal, b->store, NOW, &err));
	assert_true(dlv_journal_hurry(&b->journal, b->store, NOW - 4000,
	    &err));
	take_up(b, NOW + 4999);
	assert_int_equal(ready(b), 0);
	assert_true(dlv_journal_hurry(&b->journal, b->store, NOW - hours,
	    &err));
	take_up(b, NOW - hours);
	assert_int_equal(ready(b), 2);
}

static void
a_mail_to_a_directory_is_not_put_off_for_long_either(void **state)
{
	struct bench *b = *state;
	struct err err = ERR_INIT;

	queue_mails(b, 1);
	take_up(b, NOW);
	b->outlet.conf = NULL;
	land(b, STORE_DEFERRED, NOW + 1800000);
	assert_true(dlv_journal_hurry(&b->journal, b->store, NOW, &err));
	take_up(b, NOW);
	assert_int_equal(ready(b), 1);
	b->outlet.conf = &b->relay;
}

static void
the_mail_that_kills_the_role_is_found_and_becomes_failed(void **state)
{
	struct bench *b = *state;
	struct store_status s = { 0 };
	struct err err = ERR_INIT;
	const int64_t poison = 7;
	int lives = 0, sent = 0;

	queue_mails(b, 20);
	/* A life ends when the poison is handed to a worker. */
	for (;;) {
		struct dlv_job *job;

		take_up(b, NOW);
		job = g_queue_peek_head(&b->outlet.ready);
		if (job == NULL)
			break;
		if (job->mail.id == poison) {
			lives++;
			assert_true(lives < 10);
			close_journal(b);
			open_journal(b);
			continue;
		}
		land(b, STORE_SENT, 0);
		sent++;
	}
	assert_int_equal(sent, 19);
	assert_int_equal(lives, 4);	/* once in a crowd, thrice alone */
	assert_true(store_status(b->store, &s, &err));
	assert_int_equal(g_array_index(s.journals,
	    struct store_journal_status, 0).failed, 1);
	store_status_clear(&s);
}

static void
after_a_death_mails_go_one_at_a_time_until_past_the_claim(void **state)
{
	struct bench *b = *state;

	queue_mails(b, 100);
	take_up(b, NOW);
	assert_int_equal(ready(b), WINDOW);
	close_journal(b);
	open_journal(b);
	take_up(b, NOW);
	assert_int_equal(ready(b), 1);
	while (b->journal.done < 100) {
		land(b, STORE_SENT, 0);
		take_up(b, NOW);
		assert_true(ready(b) <= 1);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(no_more_than_the_window_is_ever_in_memory),
		T(mails_in_files_are_mapped_in_their_turn_and_hardly_count),
		T(mails_go_out_in_the_order_they_were_queued),
		T(after_an_outage_new_mail_gets_a_share_beside_the_backlog),
		T(a_restart_goes_on_where_outcomes_are_missing),
		T(a_deferred_mail_comes_back_at_its_time_and_not_before),
		T(a_clock_that_is_set_back_holds_up_no_deferred_mail),
		T(a_mail_to_a_directory_is_not_put_off_for_long_either),
		T(the_mail_that_kills_the_role_is_found_and_becomes_failed),
		T(after_a_death_mails_go_one_at_a_time_until_past_the_claim),
	};

	return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
