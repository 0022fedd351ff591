/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the store: files beside it, and when they are forgotten. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "store_bed.h"

/* ---- directories and files ---------------------------------------------------- */

static char *
spool(struct bed *b, const char *name, const char *bytes)
{
	char *path = g_build_filename(store_dir(b->of[STORE_BUILD],
	    STORE_DIR_SPOOL), name, NULL);

	assert_true(g_file_set_contents(path, bytes, -1, NULL));
	return path;
}

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void
the_directories_are_there_and_for_the_owner_alone(void **state)
{
	struct bed *b = bed_of(state);

	for (int d = 0; d < STORE_DIRS; d++) {
		const char *dir = store_dir(b->of[STORE_BUILD],
		    (enum store_dir)d);
		struct stat st;

		assert_int_equal(dir[0], '/');
		assert_int_equal(stat(dir, &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0700);
		assert_string_equal(dir, store_dir(b->of[STORE_DELIVER],
		    (enum store_dir)d));
	}
	assert_string_not_equal(store_dir(b->of[STORE_BUILD], STORE_DIR_MAIL),
	    store_dir(b->of[STORE_BUILD], STORE_DIR_MEDIA));
}

/* Within build's transaction; the mail's id. */
static int64_t
add_large(struct bed *b, int64_t turn, const char *bytes, const char *path)
{
	struct store_mail m = { .turn_id = turn, .journal = "a",
		.message_id = "m@test", .envelope_from = "from@test",
		.envelope_to = "to@test", .queued_ms = T0 + 2 };
	uint8_t sha256[HASH_SIZE];
	int64_t id = 0;

	digest_of(bytes, sha256);
	assert_true(store_content_add_file(b->of[STORE_BUILD], turn, path,
	    strlen(bytes), sha256, &m.content_id));
	assert_true(store_mail_add(b->of[STORE_BUILD], &m, &id));
	return id;
}

/* A rendered turn with a mail in a file; the mail's id. */
static int64_t
put_large(struct bed *b, const char *key, const char *bytes)
{
	g_autofree char *path = spool(b, "turn.eml", bytes);
	int64_t event = put_event(b, T0, "{}"), turn, id;
	uint8_t sha256[HASH_SIZE];

	digest_of(key, sha256);
	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	add_item(b, key, event, turn);
	id = add_large(b, turn, bytes, path);
	assert_true(store_turn_rendered(b->of[STORE_BUILD], turn, key, sha256,
	    T0 + 2));
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD,
	    STORE_CURSOR_EVENTS, event));
	commit(b, STORE_BUILD);
	assert_false(is_there(path));
	return id;
}

/* The path and length of a mail, copied. */
struct got {
	char *file;
	bool bytes;
	size_t len;
};

static bool
take_file(void *arg, const struct store_mail *m)
{
	struct got *g = arg;

	g->file = g_strdup(m->file);
	g->bytes = m->bytes != NULL;
	g->len = m->len;
	return true;
}

static struct got
get_mail(struct bed *b, int64_t id)
{
	struct got g = { NULL };

	assert_true(store_mail_get(b->of[STORE_DELIVER], id, take_file, &g,
	    NULL));
	return g;
}

static void
a_large_mail_is_a_file_that_was_moved_to_its_place(void **state)
{
	struct bed *b = bed_of(state);
	int64_t id = put_large(b, "k", "a large mail");
	struct got g = get_mail(b, id);
	g_autofree char *bytes = NULL;
	g_autoptr(GArray) ids = pending(b, "a");

	assert_non_null(g.file);
	assert_true(g_str_has_prefix(g.file, store_dir(b->of[STORE_BUILD],
	    STORE_DIR_MAIL)));
	assert_false(g.bytes);
	assert_int_equal(g.len, strlen("a large mail"));
	assert_true(g_file_get_contents(g.file, &bytes, NULL, NULL));
	assert_string_equal(bytes, "a large mail");
	assert_int_equal(ids->len, 1);
	g_free(g.file);
	g = get_mail(b, put_message(b, "small", "a", NULL));
	assert_null(g.file);
	assert_true(g.bytes);
}

static void
what_is_not_in_the_spool_or_not_as_long_is_refused(void **state)
{
	struct bed *b = bed_of(state);
	struct store *st = b->of[STORE_BUILD];
	g_autofree char *path = spool(b, "x", "12345");
	g_autofree char *none = g_strconcat(path, ".none", NULL);
	uint8_t sha256[HASH_SIZE] = { 1 };
	int64_t id, turn;

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	assert_false(store_content_add_file(st, turn, path, 4, sha256, &id));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_content_add_file(st, 1, "/etc/passwd", 5, sha256,
	    &id));
	commit_fails(b, STORE_BUILD, "store.state");
	begin(b, STORE_BUILD);
	assert_false(store_content_add_file(st, 1, none, 5, sha256, &id));
	assert_false(store_content_add_file(st, 1, path, 5, sha256, &id));
	commit_fails(b, STORE_BUILD, "store.io");
	assert_true(is_there(path));
}

static void
a_large_mail_that_was_rolled_back_can_be_added_again(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *path = spool(b, "turn.eml", "bytes");
	struct got g;

	begin(b, STORE_BUILD);
	add_large(b, add_turn(b, "talk", TURN_SINGLE), "bytes", path);
	store_rollback(b->of[STORE_BUILD]);
	g = get_mail(b, put_large(b, "k", "bytes"));
	assert_true(is_there(g.file));
	g_free(g.file);
}

/* ---- forgetting mails ----------------------------------------------------------- */

static int64_t
purge_contents(struct bed *b, int64_t before_ms)
{
	int64_t n = -1;

	assert_true(store_content_purge(b->of[STORE_BUILD], before_ms, 100,
	    &n, NULL));
	return n;
}

static void
a_large_mail_goes_with_its_file_once_it_was_sent(void **state)
{
	struct bed *b = bed_of(state);
	int64_t id = put_large(b, "k", "large");
	struct got g = get_mail(b, id), gone;

	assert_int_equal(purge_contents(b, T0 + 100), 0);
	assert_true(is_there(g.file));
	put_outcome(b, id, "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_contents(b, T0 + 10), 0);
	assert_int_equal(purge_contents(b, T0 + 11), 1);
	assert_false(is_there(g.file));
	gone = get_mail(b, id);
	assert_null(gone.file);
	assert_false(gone.bytes);
	assert_int_equal(gone.len, 0);
	assert_int_equal(purge_contents(b, T0 + 11), 0);
	g_free(g.file);
}

static void
two_mails_of_the_same_bytes_share_a_file_until_both_were_sent(void **state)
{
	struct bed *b = bed_of(state);
	int64_t one = put_large(b, "k1", "same"), two = put_large(b, "k2",
	    "same");
	struct got g = get_mail(b, one), other = get_mail(b, two);

	assert_string_equal(g.file, other.file);
	put_outcome(b, one, "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_contents(b, T0 + 11), 1);
	assert_true(is_there(g.file));
	put_outcome(b, two, "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_contents(b, T0 + 11), 1);
	assert_false(is_there(g.file));
	g_free(g.file);
	g_free(other.file);
}

/* ---- forgetting files ------------------------------------------------------------- */

/* A file as media would have made it; its path. */
static char *
put_file(struct bed *b, const char *name)
{
	char *path = g_build_filename(store_dir(b->of[STORE_MEDIA],
	    STORE_DIR_MEDIA), name, NULL);
	g_autofree char *dir = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(dir, 0700), 0);
	assert_true(g_file_set_contents(path, "file", -1, NULL));
	return path;
}

static int64_t
purge_files(struct bed *b, int64_t before_ms)
{
	int64_t n = -1;

	assert_true(store_media_purge(b->of[STORE_MEDIA], before_ms, 100, &n,
	    NULL));
	return n;
}

static bool
take_path(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	(void)w;
	*(bool *)arg = f->path != NULL;
	assert_true(f->state >= STORE_FETCHED);
	return true;
}

static bool
has_path(struct bed *b, int64_t want)
{
	bool has = false;

	assert_true(store_want_get(b->of[STORE_BUILD], want, take_path, &has,
	    NULL));
	return has;
}

static void
a_file_goes_once_the_mail_with_it_was_sent_before(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *path = put_file(b, "ab/cd/x");
	int64_t want = put_wanting(b, "k"), mail;

	put_fetch(b, want, STORE_FETCHED, "ab/cd/x", 0);
	assert_int_equal(purge_files(b, T0 + 50), 0);
	mail = put_rendered(b, want, 0);
	put_outcome(b, mail, "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_files(b, T0 + 50), 0);
	take_up(b, 1);
	assert_int_equal(purge_files(b, T0 + 10), 0);
	assert_true(is_there(path));
	assert_true(has_path(b, want));
	assert_int_equal(purge_files(b, T0 + 11), 1);
	assert_false(is_there(path));
	assert_false(has_path(b, want));
	assert_int_equal(purge_files(b, T0 + 11), 0);
}

static void
a_late_file_goes_once_its_follow_up_was_sent(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *path = put_file(b, "quarantine/x");
	int64_t want = put_wanting(b, "k"), mail, turn;

	mail = put_rendered(b, want, want);
	put_outcome(b, mail, "a", STORE_SENT, T0 + 10, 0);
	put_fetch(b, want, STORE_QUARANTINED, "quarantine/x", 0);
	assert_int_equal(purge_files(b, T0 + 50), 0);
	turn = put_follow_up(b, want);
	take_up(b, 1);
	assert_int_equal(purge_files(b, T0 + 50), 0);
	mail = put_rendered(b, turn, 0);
	assert_int_equal(purge_files(b, T0 + 50), 0);
	put_outcome(b, mail, "a", STORE_SENT, T0 + 10, 0);
	assert_true(is_there(path));
	assert_int_equal(purge_files(b, T0 + 50), 1);
	assert_false(is_there(path));
}

static void
a_file_of_several_messages_goes_with_the_last(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *path = put_file(b, "ab/cd/x");
	int64_t one = put_wanting(b, "k1"), two = put_wanting(b, "k2");
	int64_t none = put_wanting(b, "k3");

	put_fetch(b, one, STORE_FETCHED, "ab/cd/x", 0);
	put_fetch(b, none, STORE_UNAVAILABLE, NULL, 0);
	put_fetch(b, two, STORE_FETCHED, "ab/cd/x", 0);
	take_up(b, 3);
	put_outcome(b, put_rendered(b, one, 0), "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_files(b, T0 + 50), 1);
	assert_true(is_there(path));
	assert_true(has_path(b, two));
	put_outcome(b, put_rendered(b, two, 0), "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_files(b, T0 + 50), 1);
	assert_false(is_there(path));
}

static void
a_file_stays_while_one_under_work_may_be_the_same(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *path = put_file(b, "ab/cd/x");
	int64_t one = put_wanting(b, "k1"), two = put_wanting(b, "k2");

	put_fetch(b, one, STORE_FETCHED, "ab/cd/x", 0);
	take_up(b, 1);
	put_outcome(b, put_rendered(b, one, 0), "a", STORE_SENT, T0 + 10, 0);
	put_fetch(b, two, STORE_FETCH_TRYING, NULL, 0);
	assert_int_equal(purge_files(b, T0 + 50), 0);
	assert_true(is_there(path));
	put_fetch(b, two, STORE_UNAVAILABLE, NULL, 0);
	assert_int_equal(purge_files(b, T0 + 50), 1);
	assert_false(is_there(path));
}

static void
a_file_that_is_gone_already_is_no_obstacle(void **state)
{
	struct bed *b = bed_of(state);
	int64_t want = put_wanting(b, "k");

	put_fetch(b, want, STORE_FETCHED, "ab/cd/x", 0);
	take_up(b, 1);
	put_outcome(b, put_rendered(b, want, 0), "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_files(b, T0 + 50), 1);
	assert_false(has_path(b, want));
}

/* ---- forgetting events -------------------------------------------------------------- */

static int64_t
purge_events(struct bed *b)
{
	int64_t n = -1;

	assert_true(store_event_purge(b->of[STORE_INTAKE], T0 + 100, 100, &n,
	    NULL));
	return n;
}

static void
an_event_stays_while_its_turn_waits_for_a_file(void **state)
{
	struct bed *b = bed_of(state);
	int64_t want = put_wanting(b, "k");

	assert_int_equal(purge_events(b), 0);
	put_fetch(b, want, STORE_FETCHED, "f", 0);
	take_up(b, 1);
	assert_int_equal(purge_events(b), 0);
	put_outcome(b, put_rendered(b, want, 0), "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_events(b), 1);
}

static void
an_event_stays_until_its_late_file_was_followed_up(void **state)
{
	struct bed *b = bed_of(state);
	int64_t want = put_wanting(b, "k"), turn;

	put_outcome(b, put_rendered(b, want, want), "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_events(b), 0);
	put_fetch(b, want, STORE_FETCH_RETRY, NULL, T0 + 20);
	assert_int_equal(purge_events(b), 0);
	put_fetch(b, want, STORE_UNAVAILABLE, NULL, 0);
	assert_int_equal(purge_events(b), 0);
	turn = put_follow_up(b, want);
	take_up(b, 1);
	assert_int_equal(purge_events(b), 0);
	put_outcome(b, put_rendered(b, turn, 0), "a", STORE_SENT, T0 + 10, 0);
	assert_int_equal(purge_events(b), 1);
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_keeping[] = {
	TEST(the_directories_are_there_and_for_the_owner_alone),
	TEST(a_large_mail_is_a_file_that_was_moved_to_its_place),
	TEST(what_is_not_in_the_spool_or_not_as_long_is_refused),
	TEST(a_large_mail_that_was_rolled_back_can_be_added_again),
	TEST(a_large_mail_goes_with_its_file_once_it_was_sent),
	TEST(two_mails_of_the_same_bytes_share_a_file_until_both_were_sent),
	TEST(a_file_goes_once_the_mail_with_it_was_sent_before),
	TEST(a_late_file_goes_once_its_follow_up_was_sent),
	TEST(a_file_of_several_messages_goes_with_the_last),
	TEST(a_file_stays_while_one_under_work_may_be_the_same),
	TEST(a_file_that_is_gone_already_is_no_obstacle),
	TEST(an_event_stays_while_its_turn_waits_for_a_file),
	TEST(an_event_stays_until_its_late_file_was_followed_up),
};
const size_t store_contract_keeping_n = G_N_ELEMENTS(store_contract_keeping);
