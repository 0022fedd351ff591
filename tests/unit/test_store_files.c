/* SPDX-License-Identifier: Apache-2.0 */
/* The store's files: who may open them, what is refused, what stays in them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "store_bed.h"
#include "store_sqlite.h"

/* ---- a directory per test ---------------------------------------------- */

struct place {
	char *top, *dir, *uri;
};

static struct place *
place_of(void **state)
{
	return *state;
}

/* With all that a URI, SQL or a shell could stumble over. */
static int
make_place(void **state)
{
	struct place *p = g_new0(struct place, 1);

	p->top = g_dir_make_tmp("store-XXXXXX", NULL);
	p->dir = g_build_filename(p->top, "a b'%20?c#d", NULL);
	p->uri = g_strconcat("sqlite:", p->dir, NULL);
	*state = p;
	return 0;
}

static int
remove_place(void **state)
{
	struct place *p = *state;

	remove_tree(p->top);
	g_free(p->top);
	g_free(p->dir);
	g_free(p->uri);
	g_free(p);
	return 0;
}

static char *
file_in(const struct place *p, const char *name)
{
	return g_build_filename(p->dir, name, NULL);
}

static void
prepare(const struct place *p)
{
	struct err err = ERR_INIT;

	if (!store_prepare(p->uri, NULL, NULL, &err))
		fail_msg("%s: %s", err.what, err.text);
}

static void
prepare_fails(const struct place *p, const char *what, const char *words)
{
	struct err err = ERR_INIT;

	assert_false(store_prepare(p->uri, NULL, NULL, &err));
	assert_string_equal(err.what, what);
	if (strstr(err.text, words) == NULL)
		fail_msg("got \"%s\", want \"%s\"", err.text, words);
}

static struct store *
open_as(const struct place *p, enum store_file owns)
{
	struct err err = ERR_INIT;
	struct store *st = NULL;

	if (!store_open(p->uri, owns, &st, &err))
		fail_msg("%s: %s", err.what, err.text);
	return st;
}

static void
open_fails(const char *uri, enum store_file owns, const char *what)
{
	struct err err = ERR_INIT;
	struct store *st = NULL;

	assert_false(store_open(uri, owns, &st, &err));
	assert_null(st);
	assert_string_equal(err.what, what);
	assert_true(strlen(err.text) > 20);
}

/* As somebody else with the sqlite3 tool. */
static void
tamper(const struct place *p, const char *name, const char *sql)
{
	g_autofree char *path = file_in(p, name);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
overwrite(const struct place *p, const char *name, off_t at, size_t len)
{
	g_autofree char *path = file_in(p, name);
	g_autofree char *junk = g_strnfill(len, 'J');
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(pwrite(fd, junk, len, at), len);
	close(fd);
}

/* ---- prepare ----------------------------------------------------------- */

static unsigned
mode_of(const struct place *p, const char *name)
{
	g_autofree char *path = file_in(p, name);
	struct stat st = { 0 };

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
only_the_service_user_may_look_into_the_files(void **state)
{
	struct place *p = place_of(state);
	struct store *st;

	umask(0);
	prepare(p);
	st = open_as(p, STORE_BUILD);
	assert_int_equal(mode_of(p, ""), 0700);
	assert_int_equal(mode_of(p, "build.db"), 0600);
	assert_int_equal(mode_of(p, "build.db-wal"), 0600);
	assert_int_equal(mode_of(p, "build.db-shm"), 0600);
	assert_int_equal(mode_of(p, "build.lock"), 0600);
	assert_int_equal(mode_of(p, "admin.db"), 0600);
	store_close(st);
}

static int64_t
add_event(struct store *st, const char *body)
{
	struct store_event ev = { .received_ms = 1, .remote = "",
		.secret_name = "", .signature = "", .body = body,
		.len = strlen(body) };
	struct err err = ERR_INIT;
	int64_t id = 0;

	store_begin(st);
	store_event_add(st, &ev, &id);
	if (!store_commit(st, &err))
		fail_msg("%s: %s", err.what, err.text);
	return id;
}

static int64_t
count_events(struct store *st)
{
	struct store_status s;
	struct err err = ERR_INIT;
	int64_t n;

	if (!store_status(st, &s, &err))
		fail_msg("%s: %s", err.what, err.text);
	n = s.events;
	store_status_clear(&s);
	return n;
}

static void
count_beat(void *arg)
{
	++*(int *)arg;
}

static void
preparing_again_changes_nothing_and_shows_life(void **state)
{
	struct place *p = place_of(state);
	struct store *st;
	int beats = 0;

	prepare(p);
	st = open_as(p, STORE_INTAKE);
	add_event(st, "x");
	store_close(st);
	assert_true(store_prepare(p->uri, count_beat, &beats, NULL));
	assert_true(beats >= STORE_FILES);
	st = open_as(p, STORE_NONE);
	assert_int_equal(count_events(st), 1);
	store_close(st);
}

static void
what_a_crash_left_of_a_new_file_is_prepared_again(void **state)
{
	struct place *p = place_of(state);
	g_autofree char *build = NULL, *intake = NULL;
	struct store *st;

	prepare(p);
	build = file_in(p, "build.db");
	intake = file_in(p, "intake.db");
	assert_int_equal(truncate(build, 0), 0);
	g_unlink(intake);
	tamper(p, "intake.db", "PRAGMA journal_mode=WAL");
	prepare(p);
	st = open_as(p, STORE_INTAKE);
	assert_int_equal(add_event(st, "x"), 1);
	store_close(st);
}

static void
a_file_of_a_newer_version_is_refused(void **state)
{
	struct place *p = place_of(state);

	prepare(p);
	tamper(p, "deliver.db", "PRAGMA user_version=99");
	prepare_fails(p, "store.version", "newer chatjournal");
	open_fails(p->uri, STORE_DELIVER, "store.version");
	open_fails(p->uri, STORE_BUILD, "store.version");
}

static void
somebody_elses_database_is_refused(void **state)
{
	struct place *p = place_of(state);

	g_mkdir(p->dir, 0700);
	tamper(p, "build.db", "CREATE TABLE theirs (x)");
	prepare_fails(p, "store.open", "is not the build file");
}

static void
files_that_changed_places_are_refused(void **state)
{
	struct place *p = place_of(state);
	g_autofree char *build = NULL, *intake = NULL;

	prepare(p);
	build = file_in(p, "build.db");
	intake = file_in(p, "intake.db");
	assert_int_equal(rename(intake, build), 0);
	prepare_fails(p, "store.open", "is not the build file");
	open_fails(p->uri, STORE_BUILD, "store.open");
}

static void
a_damaged_file_is_refused(void **state)
{
	struct place *p = place_of(state);
	struct store *st;

	prepare(p);
	st = open_as(p, STORE_INTAKE);
	for (int i = 0; i < 100; i++)
		add_event(st, "a body that fills some pages of the file");
	store_close(st);
	overwrite(p, "intake.db", 4 * 4096, 4096);
	prepare_fails(p, "store.corrupt", "restore it from a backup");
}

static void
a_file_that_is_no_database_is_refused(void **state)
{
	struct place *p = place_of(state);

	prepare(p);
	overwrite(p, "intake.db", 0, 4096);
	prepare_fails(p, "store.corrupt", "intake.db is damaged");
}

static void
a_directory_that_cannot_be_made_is_a_matter_of_configuration(void **state)
{
	struct place *p = place_of(state);
	g_autofree char *uri = g_strconcat(p->uri, "/file/dir", NULL);
	struct err err = ERR_INIT;

	g_mkdir(p->dir, 0700);
	overwrite(p, "file", 0, 1);
	assert_false(store_prepare(uri, NULL, NULL, &err));
	assert_int_equal(err.kind, ERR_CONF);
}

/* ---- the schema -------------------------------------------------------- */

static void
an_upgrade_takes_the_statements_of_its_file_driver_and_versions(void **state)
{
	static const char schema[] =
	    "-- file intake\n-- version 1\nCREATE TABLE a (\n  x\n);\n"
	    "-- version 2\n-- only pgsql\nALTER b;\n-- only sqlite\nALTER c;\n"
	    "ALTER d;\n-- file build\n-- version 1\nCREATE e;\n"
	    "-- version 2\nALTER f;\n-- version 3\nALTER g;\n"
	    "-- file admin\n-- version 1\nCREATE h;\n";
	g_autofree char *all = store_db_upgrade_sql(schema, "intake", 0);
	g_autofree char *two = store_db_upgrade_sql(schema, "intake", 1);
	g_autofree char *none = store_db_upgrade_sql(schema, "intake", 2);
	g_autofree char *build = store_db_upgrade_sql(schema, "build", 1);

	(void)state;
	assert_string_equal(all,
	    "CREATE TABLE a (\n  x\n);\nALTER c;\nALTER d;\n");
	assert_string_equal(two, "ALTER c;\nALTER d;\n");
	assert_string_equal(none, "");
	assert_string_equal(build, "ALTER f;\nALTER g;\n");
	assert_int_equal(store_db_schema_version(schema, "intake"), 2);
	assert_int_equal(store_db_schema_version(schema, "build"), 3);
	assert_int_equal(store_db_schema_version(schema, "admin"), 1);
	assert_int_equal(store_db_schema_version(schema, "none"), 0);
}

/* ---- open -------------------------------------------------------------- */

static void
a_store_that_was_not_prepared_is_missing(void **state)
{
	struct place *p = place_of(state);
	g_autofree char *admin = file_in(p, "admin.db");

	open_fails(p->uri, STORE_INTAKE, "store.missing");
	open_fails(p->uri, STORE_NONE, "store.missing");
	prepare(p);
	g_unlink(admin);
	open_fails(p->uri, STORE_INTAKE, "store.missing");
	overwrite(p, "admin.db", 0, 0);
	open_fails(p->uri, STORE_INTAKE, "store.missing");
}

static void
a_uri_that_means_nothing_is_refused(void **state)
{
	struct place *p = place_of(state);
	struct err err = ERR_INIT;

	prepare(p);
	open_fails("sqlite:relative/dir", STORE_BUILD, "store.open");
	open_fails("oracle:/x", STORE_BUILD, "store.open");
	open_fails("/var/lib/x", STORE_BUILD, "store.open");
	open_fails("sqlite::memory:", STORE_BUILD, "store.open");
	open_fails(p->uri, STORE_ALL, "store.open");
	assert_false(store_prepare("sqlite:relative", NULL, NULL, &err));
	assert_string_equal(err.what, "store.open");
	assert_false(store_prepare("nothing", NULL, NULL, &err));
	assert_string_equal(err.what, "store.open");
}

static void
two_owners_of_one_file_are_refused(void **state)
{
	struct place *p = place_of(state);
	struct store *one, *other;

	prepare(p);
	one = open_as(p, STORE_INTAKE);
	open_fails(p->uri, STORE_INTAKE, "store.busy");
	prepare_fails(p, "store.busy", "another chatjournald");
	other = open_as(p, STORE_BUILD);
	store_close(one);
	one = open_as(p, STORE_INTAKE);
	store_close(one);
	store_close(other);
}

static void *
act_and_leave(void *arg)
{
	struct store *st = arg;
	struct store_action a = { .at_ms = 1, .who = "one", .verb = "retry" };

	store_begin(st);
	store_action_add(st, &a, NULL);
	usleep(50000);
	if (!store_commit(st, NULL))
		return arg;
	store_close(st);
	return NULL;
}

static void
tools_of_the_admin_wait_for_each_other(void **state)
{
	struct place *p = place_of(state);
	struct store_action a = { .at_ms = 2, .who = "two", .verb = "retry" };
	struct store *st;
	pthread_t thread;
	void *failed;
	int64_t id = 0;

	prepare(p);
	st = open_as(p, STORE_ADMIN);
	assert_int_equal(pthread_create(&thread, NULL, act_and_leave, st), 0);
	st = open_as(p, STORE_ADMIN);
	store_begin(st);
	store_action_add(st, &a, &id);
	assert_true(store_commit(st, NULL));
	assert_int_equal(id, 2);
	pthread_join(thread, &failed);
	assert_null(failed);
	store_close(st);
}

static void
a_reader_sees_each_commit_and_nothing_before_it(void **state)
{
	struct place *p = place_of(state);
	struct store_event ev = { .remote = "", .secret_name = "",
		.signature = "", .body = "x", .len = 1 };
	struct store *reader, *owner;

	prepare(p);
	reader = open_as(p, STORE_NONE);
	assert_int_equal(count_events(reader), 0);
	owner = open_as(p, STORE_INTAKE);
	store_begin(owner);
	store_event_add(owner, &ev, NULL);
	assert_int_equal(count_events(reader), 0);
	assert_true(store_commit(owner, NULL));
	assert_int_equal(count_events(reader), 1);
	store_close(owner);
	assert_int_equal(count_events(reader), 1);
	store_close(reader);
}

static void
who_does_not_own_a_file_cannot_write_it(void **state)
{
	struct place *p = place_of(state);
	struct err err = ERR_INIT;
	struct store *st;

	prepare(p);
	st = open_as(p, STORE_BUILD);
	store_begin(st);
	store_cursor_set(st, STORE_BUILD, "mine", 1);
	assert_false(store_cursor_set(st, STORE_DELIVER, "theirs", 1));
	assert_false(store_commit(st, &err));
	assert_string_equal(err.what, "store.readonly");
	assert_int_not_equal(sqlite3_exec(SQLITE_OF(st)->db,
	    "DELETE FROM deliver.cursor", NULL, NULL, NULL), SQLITE_OK);
	store_close(st);
	st = open_as(p, STORE_NONE);
	store_begin(st);
	assert_false(store_cursor_set(st, STORE_BUILD, "any", 1));
	assert_false(store_commit(st, &err));
	assert_string_equal(err.what, "store.readonly");
	store_close(st);
}

static void
a_file_that_is_not_in_wal_mode_is_refused(void **state)
{
	struct place *p = place_of(state);

	prepare(p);
	tamper(p, "build.db", "PRAGMA journal_mode=DELETE");
	open_fails(p->uri, STORE_BUILD, "store.open");
	prepare(p);
	store_close(open_as(p, STORE_BUILD));
}

/* ---- errors ------------------------------------------------------------ */

static void
each_error_of_sqlite_has_its_kind_path_and_remedy(void **state)
{
	static const struct {
		int code, sys_errno;
		enum err_kind kind;
		const char *what, *words;
	} rows[] = {
		{ SQLITE_FULL, 0, ERR_TEMP, "store.full", "free space" },
		{ SQLITE_IOERR_WRITE, EDQUOT, ERR_TEMP, "store.full",
			"free space" },
		{ SQLITE_IOERR_SHMSIZE, ENOSPC, ERR_TEMP, "store.full",
			"free space" },
		{ SQLITE_IOERR_FSYNC, EIO, ERR_TEMP, "store.io", "error" },
		{ SQLITE_BUSY_SNAPSHOT, 0, ERR_TEMP, "store.busy",
			"another process" },
		{ SQLITE_READONLY_DIRECTORY, 0, ERR_TEMP, "store.readonly",
			"permissions" },
		{ SQLITE_CORRUPT_INDEX, 0, ERR_PERM, "store.corrupt",
			"backup" },
		{ SQLITE_NOTADB, 0, ERR_PERM, "store.corrupt", "backup" },
		{ SQLITE_CONSTRAINT_UNIQUE, 0, ERR_PERM, "store.state",
			"refuses" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = ERR_INIT;

		assert_false(store_db_error(rows[i].code, rows[i].sys_errno,
		    "message", "/store/build.db", &err));
		assert_int_equal(err.kind, rows[i].kind);
		assert_string_equal(err.what, rows[i].what);
		assert_non_null(strstr(err.text, rows[i].words));
		assert_non_null(strstr(err.text, "/store/build.db"));
	}
}

/* ---- space ------------------------------------------------------------- */

static void
limit_pages(struct store *st, const char *pages)
{
	g_autofree char *sql = g_strdup_printf("PRAGMA main.max_page_count=%s",
	    pages);

	assert_int_equal(sqlite3_exec(SQLITE_OF(st)->db, sql, NULL, NULL,
	    NULL), SQLITE_OK);
}

static void
a_full_disk_loses_the_transaction_and_nothing_else(void **state)
{
	struct place *p = place_of(state);
	g_autofree char *big = g_strnfill(100000, 'x');
	struct store_event ev = { .remote = "", .secret_name = "",
		.signature = "", .body = big, .len = strlen(big) };
	struct err err = ERR_INIT;
	struct store *st;

	prepare(p);
	st = open_as(p, STORE_INTAKE);
	add_event(st, "small");
	limit_pages(st, "20");
	store_begin(st);
	assert_false(store_event_add(st, &ev, NULL));
	assert_false(store_event_add(st, &ev, NULL));
	assert_false(store_commit(st, &err));
	assert_int_equal(err.kind, ERR_TEMP);
	assert_string_equal(err.what, "store.full");
	assert_non_null(strstr(err.text, "free space"));
	assert_non_null(strstr(err.text, "intake.db"));
	assert_int_equal(count_events(st), 1);
	add_event(st, "small again");
	limit_pages(st, "1000000");
	store_begin(st);
	assert_true(store_event_add(st, &ev, NULL));
	assert_true(store_commit(st, NULL));
	assert_int_equal(count_events(st), 3);
	store_close(st);
}

struct wal_test {
	struct place *p;
	struct store *owner;
	off_t while_read, after;
};

static off_t
wal_size(const struct place *p)
{
	g_autofree char *path = file_in(p, "intake.db-wal");
	struct stat st = { 0 };

	stat(path, &st);
	return st.st_size;
}

/* As long as this runs, the reader keeps the WAL from starting anew. */
static bool
write_while_reading(void *arg, const struct store_event *ev)
{
	struct wal_test *t = arg;

	(void)ev;
	for (int i = 0; i < 40; i++)
		add_event(t->owner, "x");
	t->while_read = wal_size(t->p);
	return false;
}

static void
the_wal_starts_anew_once_nobody_reads_it(void **state)
{
	struct wal_test t = { .p = place_of(state) };
	struct store *reader;

	prepare(t.p);
	t.owner = open_as(t.p, STORE_INTAKE);
	SQLITE_OF(t.owner)->wal_step = SQLITE_OF(t.owner)->wal_next = 4;
	reader = open_as(t.p, STORE_NONE);
	add_event(t.owner, "x");
	assert_true(store_event_list(reader, 0, 10, 1000, write_while_reading,
	    &t, NULL));
	assert_true(t.while_read > 40 * 4096);
	for (int i = 0; i < 100; i++)
		add_event(t.owner, "x");
	assert_true(wal_size(t.p) < t.while_read + 20 * 4096);
	store_close(reader);
	store_close(t.owner);
	assert_int_equal(wal_size(t.p), 0);
}

static bool
is_in_file(const struct place *p, const char *name, const char *words)
{
	g_autofree char *path = file_in(p, name);
	g_autofree char *data = NULL;
	gsize len;

	assert_true(g_file_get_contents(path, &data, &len, NULL));
	return len > 0 && memmem(data, len, words, strlen(words)) != NULL;
}

static void
what_is_purged_is_gone_from_the_file(void **state)
{
	static const char secret[] = "the words of a customer";
	struct place *p = place_of(state);
	struct store *intake, *build;
	int64_t id, n = 0;

	prepare(p);
	intake = open_as(p, STORE_INTAKE);
	build = open_as(p, STORE_BUILD);
	id = add_event(intake, secret);
	store_begin(build);
	store_sighting_add(build, "k", id, 1, true);
	store_cursor_set(build, STORE_BUILD, STORE_CURSOR_EVENTS, id);
	assert_true(store_commit(build, NULL));
	store_close(intake);
	assert_true(is_in_file(p, "intake.db", secret));
	intake = open_as(p, STORE_INTAKE);
	assert_true(store_event_purge(intake, 2, 10, &n, NULL));
	assert_int_equal(n, 1);
	store_close(intake);
	store_close(build);
	assert_false(is_in_file(p, "intake.db", secret));
	assert_false(is_in_file(p, "intake.db-wal", secret));
}

/* ---- many -------------------------------------------------------------- */

static void
open_memory(struct bed *b)
{
	struct store *st = NULL;

	assert_true(store_open("sqlite::memory:", STORE_ALL, &st, NULL));
	for (int f = 0; f < STORE_FILES; f++)
		b->of[f] = st;
}

static bool
count_fact(void *arg, const struct store_fact *f)
{
	(void)f;
	++*(int *)arg;
	return true;
}

static void
a_message_is_traced_among_ten_thousand(void **state)
{
	struct store_item receipt = { .key = "r", .target = "wamid.old",
		.kind = "receipt", .type = "status", .event_id = 1 };
	struct bed b;
	int facts = 0, other = 0, recorded = 0;

	(void)state;
	open_memory(&b);
	store_begin(b.of[0]);
	store_item_add(b.of[0], &receipt);
	assert_true(store_commit(b.of[0], NULL));
	for (int i = 0; i < 10000; i++) {
		g_autofree char *key = g_strdup_printf("m%d", i);

		put_message(&b, key, "a", NULL);
	}
	assert_true(store_trace(b.of[0], "wamid.m17", count_fact, &facts,
	    NULL));
	assert_int_equal(facts, 5);
	assert_true(store_trace(b.of[0], "<m9999@test>", count_fact, &other,
	    NULL));
	assert_int_equal(other, 5);
	/* its event, its item, and what else is recorded of the event */
	assert_true(store_trace(b.of[0], "wamid.old", count_fact, &recorded,
	    NULL));
	assert_int_equal(recorded, 2);
	store_close(b.of[0]);
}

/* Filed long before, and in the rest that no run has yet. */
static void
what_is_about_a_message_is_found_among_ten_thousand(void **state)
{
	struct store_item it = { .kind = "edit", .type = "text",
		.event_id = 1 };
	g_autoptr(GArray) about = NULL;
	struct bed b;

	(void)state;
	open_memory(&b);
	store_begin(b.of[0]);
	for (int i = 0; i < 10000; i++) {
		g_autofree char *key = g_strdup_printf("k%d", i);
		g_autofree char *target = g_strdup_printf("wamid.%d",
		    i == 9999 || i == 50 ? 17 : i);

		it.key = key;
		it.target = target;
		it.turn_id = i % 10 == 0 ? add_turn(&b, "t", TURN_SINGLE) :
		    it.turn_id;
		store_item_add(b.of[0], &it);
		if (i % 1000 == 999) {
			assert_true(store_commit(b.of[0], NULL));
			store_begin(b.of[0]);
		}
	}
	assert_true(store_item_about(b.of[0], "wamid.17", "edit", &about,
	    NULL));
	assert_int_equal(about->len, 3);
	assert_int_equal(g_array_index(about, struct store_place, 0).turn_id,
	    2);
	assert_int_equal(g_array_index(about, struct store_place, 1).turn_id,
	    6);
	assert_int_equal(g_array_index(about, struct store_place, 2).turn_id,
	    1000);
	assert_true(store_commit(b.of[0], NULL));
	store_close(b.of[0]);
}

static void
of_hundreds_the_longest_due_come_first(void **state)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct store_outcome o = { .journal = "a", .state = STORE_DEFERRED };
	struct bed b;

	(void)state;
	open_memory(&b);
	for (int i = 1; i <= 1000; i++) {
		g_autofree char *key = g_strdup_printf("%d", i);

		put_message(&b, key, "a", NULL);
	}
	store_begin(b.of[0]);
	for (int i = 1; i <= 1000; i++) {
		o.mail_id = i;
		o.next_ms = T0 - i;
		store_outcome_set(b.of[0], &o);
	}
	assert_true(store_commit(b.of[0], NULL));
	assert_true(store_mail_due(b.of[0], "a", T0, 3, take_id, ids, NULL));
	assert_int_equal(ids->len, 3);
	assert_int_equal(ID(ids, 0), 1000 - 256 + 1);
	assert_int_equal(ID(ids, 1), 1000 - 256 + 2);
	store_close(b.of[0]);
}

/* What no verb can do, but a tool that writes into the file. */
static void
states_and_holds_that_do_not_agree_break_the_law(void **state)
{
	static const char *const damage[][2] = {
		{ "DELETE FROM build.hold",
		  "1 turns are held but no hold will ever end" },
		{ "UPDATE build.hold SET ended_ms = 1, how = 'released'",
		  "1 turns are held but no hold will ever end" },
		{ "UPDATE build.turn SET state = 'closed' "
		  "WHERE state = 'held'; INSERT INTO build.waiting VALUES "
		  "(1, 1)",
		  "1 holds go on for turns that are not held" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(damage); i++) {
		struct store_hold h = { .turn_id = 1, .rule = "r",
			.since_ms = T0, .until_ms = T0 + 1 };
		g_autofree char *why = NULL;
		bool ok = true;
		struct bed b;

		open_memory(&b);
		put_wanting(&b, "k");
		begin(&b, STORE_BUILD);
		assert_true(store_turn_hold(b.of[0], &h));
		commit(&b, STORE_BUILD);
		assert_int_equal(sqlite3_exec(SQLITE_OF(b.of[0])->db,
		    damage[i][0], NULL, NULL, NULL), SQLITE_OK);
		assert_true(store_law_check(b.of[0], &ok, &why, NULL));
		assert_false(ok);
		assert_non_null(strstr(why, damage[i][1]));
		store_close(b.of[0]);
	}
}

/* ---- sends --------------------------------------------------------------- */

/* Within the gateway's transaction: a send that is over, with its record. */
static void
add_done(struct store *st, int number, const char *request,
    const uint8_t *idempotency)
{
	g_autofree char *key = g_strdup_printf("%032x", (unsigned)number);
	struct store_event ev = { .received_ms = number, .remote = "r",
		.secret_name = "crm", .signature = "", .body = request,
		.len = strlen(request) };
	struct store_send s = { .key = key, .state = STORE_SEND_DONE,
		.application = "crm", .remote = "r", .business = "b",
		.target = "/", .request = request, .sent = request,
		.answer = request, .request_len = strlen(request),
		.sent_len = strlen(request), .answer_len = strlen(request),
		.received_ms = number, .outcome = "accepted",
		.idempotency = idempotency };

	store_record_add(st, &ev, &s.record_id);
	store_send_add(st, &s, NULL);
}

static void
sends_and_records_that_do_not_agree_break_the_law(void **state)
{
	static const char *const damage[][2] = {
		{ "PRAGMA foreign_keys=OFF; DELETE FROM gateway.record",
		  "1 sends are held or done and have no record" },
		{ "UPDATE gateway.send SET request = NULL, state = 'stored'",
		  "1 sends lost their request before they were done" },
		{ "UPDATE gateway.record SET body = NULL",
		  "1 records lost their body before they were read" },
		{ "PRAGMA ignore_check_constraints=ON; "
		  "UPDATE gateway.send SET state = 'lost'",
		  "1 sends are in no known state" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(damage); i++) {
		g_autofree char *why = NULL;
		bool ok = true;
		struct bed b;

		open_memory(&b);
		store_begin(b.of[0]);
		add_done(b.of[0], 1, "{}", NULL);
		assert_true(store_commit(b.of[0], NULL));
		assert_int_equal(sqlite3_exec(SQLITE_OF(b.of[0])->db,
		    damage[i][0], NULL, NULL, NULL), SQLITE_OK);
		assert_true(store_law_check(b.of[0], &ok, &why, NULL));
		assert_false(ok);
		assert_non_null(strstr(why, damage[i][1]));
		store_close(b.of[0]);
	}
}

static bool
take_send(void *arg, const struct store_send *s)
{
	*(int64_t *)arg = s->id;
	return true;
}

static void
the_index_of_idempotency_keys_is_as_long_as_they_are_asked_for(void **state)
{
	int64_t found = 0, rows = 0;
	struct sqlite *s;
	struct bed b;

	(void)state;
	open_memory(&b);
	s = SQLITE_OF(b.of[0]);
	for (int i = 1; i <= 300; i++) {
		uint8_t digest[HASH_SIZE] = { (uint8_t)i, (uint8_t)(i >> 8) };

		assert_true(store_send_by_idempotency(b.of[0], digest, i - 50,
		    take_send, &found, NULL));
		store_begin(b.of[0]);
		add_done(b.of[0], i, "{}", digest);
		assert_true(store_commit(b.of[0], NULL));
	}
	assert_int_equal(found, 0);
	assert_true(store_db_number(s, "SELECT count(*) FROM idempotency", 0,
	    &rows, NULL, ""));
	assert_int_equal(rows, 50);
	assert_true(store_send_by_idempotency(b.of[0],
	    (const uint8_t[HASH_SIZE]){ 255 }, 250, take_send, &found, NULL));
	assert_int_equal(found, 255);
	store_close(b.of[0]);
}

/* One is read and journaled, so it goes; the other is not. */
static void
what_is_purged_of_a_send_is_gone_from_the_file(void **state)
{
	static const char secret[] = "the words of a banker";
	static const char kept[] = "words that build did not read";
	struct place *p = place_of(state);
	struct store *gateway, *build;
	int64_t n = 0;

	prepare(p);
	gateway = open_as(p, STORE_GATEWAY);
	build = open_as(p, STORE_BUILD);
	store_begin(gateway);
	add_done(gateway, 1, secret, NULL);
	add_done(gateway, 2, kept, NULL);
	assert_true(store_commit(gateway, NULL));
	store_begin(build);
	store_sighting_add(build, "k", STORE_EVENT_GATEWAY + 1, 1, true);
	store_cursor_set(build, STORE_BUILD, STORE_CURSOR_RECORDS,
	    STORE_EVENT_GATEWAY + 1);
	assert_true(store_commit(build, NULL));
	store_close(gateway);
	assert_true(is_in_file(p, "gateway.db", secret));
	gateway = open_as(p, STORE_GATEWAY);
	assert_true(store_record_purge(gateway, 9, 10, &n, NULL));
	assert_int_equal(n, 1);
	store_close(gateway);
	store_close(build);
	assert_false(is_in_file(p, "gateway.db", secret));
	assert_false(is_in_file(p, "gateway.db-wal", secret));
	assert_true(is_in_file(p, "gateway.db", kept));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, \
	remove_place)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_service_user_may_look_into_the_files),
		TEST(preparing_again_changes_nothing_and_shows_life),
		TEST(what_a_crash_left_of_a_new_file_is_prepared_again),
		TEST(a_file_of_a_newer_version_is_refused),
		TEST(somebody_elses_database_is_refused),
		TEST(files_that_changed_places_are_refused),
		TEST(a_damaged_file_is_refused),
		TEST(a_file_that_is_no_database_is_refused),
		TEST(a_directory_that_cannot_be_made_is_a_matter_of_configuration),
		TEST(an_upgrade_takes_the_statements_of_its_file_driver_and_versions),
		TEST(a_store_that_was_not_prepared_is_missing),
		TEST(a_uri_that_means_nothing_is_refused),
		TEST(two_owners_of_one_file_are_refused),
		TEST(tools_of_the_admin_wait_for_each_other),
		TEST(a_reader_sees_each_commit_and_nothing_before_it),
		TEST(who_does_not_own_a_file_cannot_write_it),
		TEST(a_file_that_is_not_in_wal_mode_is_refused),
		TEST(each_error_of_sqlite_has_its_kind_path_and_remedy),
		TEST(a_full_disk_loses_the_transaction_and_nothing_else),
		TEST(the_wal_starts_anew_once_nobody_reads_it),
		TEST(what_is_purged_is_gone_from_the_file),
		TEST(a_message_is_traced_among_ten_thousand),
		TEST(what_is_about_a_message_is_found_among_ten_thousand),
		TEST(of_hundreds_the_longest_due_come_first),
		TEST(states_and_holds_that_do_not_agree_break_the_law),
		TEST(sends_and_records_that_do_not_agree_break_the_law),
		TEST(the_index_of_idempotency_keys_is_as_long_as_they_are_asked_for),
		TEST(what_is_purged_of_a_send_is_gone_from_the_file),
	};

	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
