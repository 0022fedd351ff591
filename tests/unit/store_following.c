/* SPDX-License-Identifier: Apache-2.0 */
/* The contract: the law of files, and how they are traced. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "err.h"
#include "store_bed.h"

/* ---- the law -------------------------------------------------------------------- */

static void
expect_law(struct bed *b, const char *breaks)
{
	g_autofree char *why = NULL;
	bool ok = false;

	assert_true(store_law_check(b->of[STORE_ADMIN], &ok, &why, NULL));
	assert_int_equal(ok, why == NULL);
	if (breaks == NULL && why != NULL)
		fail_msg("the law is broken: %s", why);
	if (breaks != NULL && (why == NULL || strstr(why, breaks) == NULL))
		fail_msg("got \"%s\", want \"%s\"", why, breaks);
}

static char *
put_file(struct bed *b, const char *name, size_t len)
{
	char *path = g_build_filename(store_dir(b->of[STORE_MEDIA],
	    STORE_DIR_MEDIA), name, NULL);
	g_autofree char *bytes = g_strnfill(len, 'f');

	assert_true(g_file_set_contents(path, bytes, -1, NULL));
	return path;
}

static void
the_law_holds_at_each_step_of_a_file_that_comes_in_time(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *path = put_file(b, "f", 812);
	int64_t want = put_wanting(b, "k");

	expect_law(b, NULL);
	put_fetch(b, want, STORE_FETCH_TRYING, NULL, 0);
	expect_law(b, NULL);
	put_fetch(b, want, STORE_FETCHED, "f", 0);
	expect_law(b, NULL);
	put_rendered(b, want, 0);
	expect_law(b, NULL);
	take_up(b, 1);
	expect_law(b, NULL);
}

static void
the_law_holds_at_each_step_of_a_file_that_comes_late(void **state)
{
	struct bed *b = bed_of(state);
	int64_t want = put_wanting(b, "k"), turn;

	put_rendered(b, want, want);
	expect_law(b, NULL);
	put_fetch(b, want, STORE_UNAVAILABLE, NULL, 0);
	expect_law(b, NULL);
	turn = put_follow_up(b, want);
	take_up(b, 1);
	expect_law(b, NULL);
	put_rendered(b, turn, 0);
	expect_law(b, NULL);
}

static void
the_law_is_broken_by_a_turn_for_nothing(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_BUILD);
	add_turn(b, "talk", TURN_STILL_OPEN);
	commit(b, STORE_BUILD);
	expect_law(b, "1 turns have no item");
}

static void
the_law_is_broken_by_a_closed_turn_that_waits_for_nothing(void **state)
{
	struct bed *b = bed_of(state);
	int64_t event = put_event(b, T0, "{}");

	begin(b, STORE_BUILD);
	add_item(b, "k", event, add_turn(b, "talk", TURN_SINGLE));
	commit(b, STORE_BUILD);
	expect_law(b, "1 turns are closed but wait for nothing");
}

static void
the_law_is_broken_by_a_file_that_a_mail_lacks_without_a_note(void **state)
{
	struct bed *b = bed_of(state);

	put_rendered(b, put_wanting(b, "k"), 0);
	expect_law(b, "1 files are neither in the mail of their turn");
}

static void
the_law_is_broken_by_a_late_file_that_was_passed_over(void **state)
{
	struct bed *b = bed_of(state);
	int64_t want = put_wanting(b, "k");

	put_rendered(b, want, want);
	put_fetch(b, want, STORE_UNAVAILABLE, NULL, 0);
	take_up(b, 1);
	expect_law(b, "1 files came late and were not followed up");
}

static void
the_law_is_broken_by_a_follow_up_of_what_has_no_outcome(void **state)
{
	struct bed *b = bed_of(state);
	int64_t want = put_wanting(b, "k");

	put_rendered(b, want, want);
	put_follow_up(b, want);
	expect_law(b, "1 turns follow up a file whose outcome is open");
}

static void
the_law_is_broken_by_results_taken_up_that_are_not_there(void **state)
{
	struct bed *b = bed_of(state);

	put_fetch(b, put_wanting(b, "k"), STORE_UNAVAILABLE, NULL, 0);
	take_up(b, 3);
	expect_law(b, "2 files were taken up that did not come");
}

static void
the_law_is_broken_by_a_wanted_file_of_no_event(void **state)
{
	struct bed *b = bed_of(state);
	int64_t turn = put_wanting(b, "k");

	begin(b, STORE_BUILD);
	add_want(b, turn, 77, "k");
	commit(b, STORE_BUILD);
	expect_law(b, "1 wanted files are of no turn or no event");
}

static void
the_law_is_broken_by_a_file_that_is_gone_or_cut_before_its_mail(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *path = put_file(b, "f", 811);
	int64_t want = put_wanting(b, "k");

	put_fetch(b, want, STORE_FETCHED, "f", 0);
	expect_law(b, "1 files are gone before they were in a mail");
	unlink(path);
	expect_law(b, "1 files are gone before they were in a mail");
	put_rendered(b, want, 0);
	expect_law(b, NULL);
}

static bool
take_file(void *arg, const struct store_mail *m)
{
	*(char **)arg = g_strdup(m->file);
	return true;
}

static void
the_law_is_broken_by_a_large_mail_whose_file_is_gone(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	g_autofree char *path = g_build_filename(store_dir(st,
	    STORE_DIR_SPOOL), "m", NULL);
	g_autofree char *file = NULL;
	struct store_mail m = { .turn_id = 1, .journal = "a",
		.message_id = "k@test", .envelope_from = "from@test",
		.envelope_to = "to@test", .queued_ms = T0 };
	uint8_t sha256[HASH_SIZE] = { 7 };
	int64_t id;

	put_message(b, "k", "b", NULL);
	assert_true(g_file_set_contents(path, "mail", -1, NULL));
	begin(b, STORE_BUILD);
	assert_true(store_content_add_file(st, 1, path, 4, sha256,
	    &m.content_id));
	assert_true(store_mail_add(st, &m, &id));
	commit(b, STORE_BUILD);
	expect_law(b, NULL);
	assert_true(store_mail_get(st, id, take_file, &file, NULL));
	unlink(file);
	expect_law(b, "1 mails lost their file before they were sent");
	put_outcome(b, id, "a", STORE_SENT, T0, 0);
	expect_law(b, NULL);
}

/* ---- trace ---------------------------------------------------------------------- */

static bool
take_fact(void *arg, const struct store_fact *f)
{
	g_string_append_printf(arg, "%s/%d ", f->what, (int)f->turn_id);
	return true;
}

static void
expect_trace(struct bed *b, const char *id, const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_trace(b->of[STORE_ADMIN], id, take_fact, got, NULL));
	assert_string_equal(got->str, want);
}

static void
a_file_is_traced_with_the_message_it_belongs_to(void **state)
{
	static const char *const finals[] = { [STORE_FETCHED] = "fetched",
		[STORE_QUARANTINED] = "quarantined",
		[STORE_UNAVAILABLE] = "unavailable" };
	struct bed *b = bed_of(state);

	for (int s = STORE_FETCHED; s <= STORE_UNAVAILABLE; s++) {
		g_autofree char *key = g_strdup_printf("k%d", s);
		g_autofree char *id = g_strconcat("wamid.", key, NULL);
		int64_t want = put_wanting(b, key);
		g_autofree char *before = g_strdup_printf("received/0 "
		    "filed/%1$d wanted/%1$d closed/%1$d ", (int)want);
		g_autofree char *after = g_strdup_printf("%s%s/%d ", before,
		    finals[s], (int)want);

		expect_trace(b, id, before);
		put_fetch(b, want, STORE_FETCH_RETRY, NULL, T0);
		expect_trace(b, id, before);
		put_fetch(b, want, (enum store_fetch_state)s, NULL, 0);
		expect_trace(b, id, after);
	}
}

static void
a_follow_up_is_traced_from_either_end(void **state)
{
	static const char story[] = "received/0 filed/1 follow-up/2 wanted/1 "
	    "closed/1 closed/2 queued/1 queued/2 unavailable/1 rendered/1 "
	    "rendered/2 ";
	struct bed *b = bed_of(state);
	int64_t want = put_wanting(b, "k"), turn;

	put_rendered(b, want, want);
	put_fetch(b, want, STORE_UNAVAILABLE, NULL, 0);
	turn = put_follow_up(b, want);
	put_rendered(b, turn, 0);
	expect_trace(b, "wamid.k", story);
	expect_trace(b, "turn:1", story);
	expect_trace(b, "turn:2", story);
	expect_trace(b, "mail:2", story);
}

struct details {
	char *wanted, *fetched, *follow_up;
};

static bool
keep_details(void *arg, const struct store_fact *f)
{
	struct details *d = arg;

	if (strcmp(f->what, "wanted") == 0)
		d->wanted = g_strdup(f->detail);
	if (strcmp(f->what, "fetched") == 0)
		d->fetched = g_strdup(f->detail);
	if (strcmp(f->what, "follow-up") == 0)
		d->follow_up = g_strdup(f->detail);
	return true;
}

static void
a_fact_of_a_file_names_the_file_and_what_was_found(void **state)
{
	struct bed *b = bed_of(state);
	int64_t want = put_wanting(b, "k");
	struct details d = { NULL };

	put_rendered(b, want, want);
	put_fetch(b, want, STORE_FETCHED, "f", 0);
	put_follow_up(b, want);
	assert_true(store_trace(b->of[STORE_ADMIN], "turn:1", keep_details,
	    &d, NULL));
	assert_non_null(strstr(d.wanted, "media_id=k"));
	assert_non_null(strstr(d.fetched, "media_id=k"));
	assert_non_null(strstr(d.fetched, "type=image/png"));
	assert_non_null(strstr(d.fetched, "verdict=clean"));
	assert_non_null(strstr(d.follow_up, "media_id=k"));
	g_free(d.wanted);
	g_free(d.fetched);
	g_free(d.follow_up);
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_following[] = {
	TEST(the_law_holds_at_each_step_of_a_file_that_comes_in_time),
	TEST(the_law_holds_at_each_step_of_a_file_that_comes_late),
	TEST(the_law_is_broken_by_a_turn_for_nothing),
	TEST(the_law_is_broken_by_a_closed_turn_that_waits_for_nothing),
	TEST(the_law_is_broken_by_a_file_that_a_mail_lacks_without_a_note),
	TEST(the_law_is_broken_by_a_late_file_that_was_passed_over),
	TEST(the_law_is_broken_by_a_follow_up_of_what_has_no_outcome),
	TEST(the_law_is_broken_by_results_taken_up_that_are_not_there),
	TEST(the_law_is_broken_by_a_wanted_file_of_no_event),
	TEST(the_law_is_broken_by_a_file_that_is_gone_or_cut_before_its_mail),
	TEST(the_law_is_broken_by_a_large_mail_whose_file_is_gone),
	TEST(a_file_is_traced_with_the_message_it_belongs_to),
	TEST(a_follow_up_is_traced_from_either_end),
	TEST(a_fact_of_a_file_names_the_file_and_what_was_found),
};
const size_t store_contract_following_n =
    G_N_ELEMENTS(store_contract_following);
