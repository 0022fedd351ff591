/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of an older version becomes one of today, with all that is in it; and what
 * a crash leaves beside the databases is swept.
 */
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
#include "store_sqlite.h"
#include "store_version_1.h"
#include "store_version_2.h"

struct place {
	char *dir, *uri;
};

static int
make_place(void **state)
{
	struct place *p = g_new0(struct place, 1);

	p->dir = g_dir_make_tmp("store-XXXXXX", NULL);
	p->uri = g_strconcat("sqlite:", p->dir, NULL);
	*state = p;
	return 0;
}

static int
remove_place(void **state)
{
	struct place *p = *state;

	remove_tree(p->dir);
	g_free(p->dir);
	g_free(p->uri);
	g_free(p);
	return 0;
}

static void
prepare(const struct place *p)
{
	struct err err = ERR_INIT;

	if (!store_prepare(p->uri, NULL, NULL, &err))
		fail_msg("%s: %s", err.what, err.text);
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

/* ---- version 1 ------------------------------------------------------------------ */

static void
run(sqlite3 *db, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", message, sql);
}

/* One file as this schema makes it; number: of its mark. */
static void
make_old(const struct place *p, const char *schema, const char *file,
    int number, const char *rows)
{
	g_autofree char *path = g_strdup_printf("%s/%s.db", p->dir, file);
	g_autofree char *sql = store_db_upgrade_sql(schema, file, 0);
	g_autofree char *marks = g_strdup_printf("PRAGMA application_id=%d;"
	    "PRAGMA user_version=%d", 0x434a4c00 + number,
	    store_db_schema_version(schema, file));
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	run(db, "PRAGMA page_size=4096; PRAGMA journal_mode=WAL;");
	run(db, sql);
	run(db, marks);
	run(db, rows);
	sqlite3_close(db);
}

static const char old_events[] =
    "INSERT INTO event VALUES (1, 1, 'r', 's', 'g', x'00', 2, x'7b7d'),"
    "(2, 2, 'r', 's', 'g', x'00', 2, NULL), (3, 3, 'r', 's', 'g', x'00', 1,"
    " x'78'), (4, 4, 'r', 's', 'g', x'00', 2, x'7b7d'),"
    "(5, 5, 'r', 's', 'g', x'00', 2, x'7b7d');"
    "INSERT INTO cursor VALUES ('purge', 2), ('purged', 1);"
    "INSERT INTO event_left VALUES (1)";

#define TURN(id, state, message_id) "(" id ", '" state "', 'talk', 'u:A', " \
	"'551100', 'message', 1, 1, 1, 1, 20001, 1, 10, 2, 'single', 2, " \
	"NULL, " message_id ", x'01')"
static const char old_build[] =
    "INSERT INTO turn VALUES " TURN("1", "rendered", "'m1@old'") ","
    TURN("2", "rendered", "'m2@old'") "," TURN("3", "rendered", "'m3@old'")
    "," TURN("4", "open", "NULL") ";"
    "INSERT INTO item VALUES "
    "(1, x'01', 1, 1, 'wamid.1', NULL, 'message', 'text', 1, x'01'),"
    "(2, x'02', 2, 2, 'wamid.2', 'wamid.1', 'edit', 'text', 1, x'01'),"
    "(3, x'03', 3, 3, NULL, NULL, 'notice', 'raw', 1, x'01'),"
    "(4, x'04', 4, 4, 'wamid.4', NULL, 'message', 'text', 1, x'01'),"
    "(5, x'05', 4, NULL, NULL, 'wamid.1', 'receipt', 'status', 1, x'01');"
    "INSERT INTO sighting VALUES (1, x'01', 4, 4, 1);"
    "INSERT INTO alias VALUES ('whatsapp', 'n:1', 'u:A', 1, 1);"
    "INSERT INTO parked VALUES (3, 3, 'no JSON', 3);"
    "INSERT INTO content VALUES (1, 1, x'01', 5, x'6d61696c31'),"
    "(2, 2, x'02', 5, NULL), (3, 3, x'03', 5, x'6d61696c33');"
    "INSERT INTO mail VALUES "
    "(1, 1, 1, 'a', 'm1@old', 'f@old', 't@old', 2),"
    "(2, 2, 2, 'a', 'm2@old', 'f@old', 't@old', 2),"
    "(3, 3, 3, 'a', 'm3@old', 'f@old', 't@old', 2);"
    "INSERT INTO cursor VALUES ('webhook', 4), ('purge', 2), ('purged', 1),"
    "('purge/left', 0);"
    "INSERT INTO content_left VALUES (1)";

static const char old_deliver[] =
    "INSERT INTO outcome VALUES "
    "(1, 'a', 'deferred', 3, 2, 3, 9, 451, '451 later'),"
    "(2, 'a', 'sent', 1, 2, 3, 0, 250, '250 ok');"
    "INSERT INTO attempt VALUES (1, 1, 3, 'deferred', 451, '451 later');"
    "INSERT INTO relay VALUES ('r', 1, 1, 0, '');"
    "INSERT INTO cursor VALUES ('a/done', 2), ('admin', 1)";

static const char old_admin[] =
    "INSERT INTO action VALUES (1, 3, 'root', 'retry', 1, NULL)";

static void
make_version_1(const struct place *p)
{
	make_old(p, store_version_1, "intake", 0, old_events);
	make_old(p, store_version_1, "build", 1, old_build);
	make_old(p, store_version_1, "deliver", 2, old_deliver);
	make_old(p, store_version_1, "admin", 3, old_admin);
}

static void
expect_law(struct store *st)
{
	g_autofree char *why = NULL;
	bool ok = false;

	assert_true(store_law_check(st, &ok, &why, NULL));
	if (!ok)
		fail_msg("the law is broken: %s", why);
}

static void
nobody_opens_an_old_store_before_it_is_prepared(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct store *st = NULL;

	make_version_1(p);
	assert_false(store_open(p->uri, STORE_BUILD, &st, &err));
	assert_string_equal(err.what, "store.missing");
	assert_false(store_open(p->uri, STORE_NONE, &st, &err));
	assert_string_equal(err.what, "store.missing");
}

static void
an_old_store_keeps_all_it_had_and_the_law(void **state)
{
	struct place *p = *state;
	struct store_status s;
	struct store *st;

	make_version_1(p);
	prepare(p);
	st = open_as(p, STORE_NONE);
	expect_law(st);
	assert_true(store_status(st, &s, NULL));
	assert_int_equal(s.events, 5);
	assert_int_equal(s.events_unread, 1);
	assert_int_equal(s.events_parked, 1);
	assert_int_equal(s.events_purged, 1);
	assert_int_equal(s.items, 5);
	assert_int_equal(s.sightings, 1);
	assert_int_equal(s.turns_open, 1);
	assert_int_equal(s.turns_rendered, 3);
	assert_int_equal(s.turns_waiting, 0);
	assert_int_equal(s.files_wanted, 0);
	assert_int_equal(s.novelties->len, 0);
	assert_int_equal(s.journals->len, 1);
	assert_int_equal(g_array_index(s.journals, struct
	    store_journal_status, 0).pending, 1);
	assert_int_equal(g_array_index(s.journals, struct
	    store_journal_status, 0).deferred, 1);
	store_status_clear(&s);
	store_close(st);
}

struct seen {
	char *bytes, *file;
	size_t len;
	int facts;
};

static bool
take_mail(void *arg, const struct store_mail *m)
{
	struct seen *s = arg;

	s->bytes = m->bytes == NULL ? NULL : g_strndup(m->bytes, m->len);
	s->file = g_strdup(m->file);
	s->len = m->len;
	return true;
}

static bool
take_fact(void *arg, const struct store_fact *f)
{
	(void)f;
	((struct seen *)arg)->facts++;
	return true;
}

static void
what_an_old_store_had_is_read_as_before(void **state)
{
	struct place *p = *state;
	struct seen mail = { NULL }, gone = { NULL }, traced = { NULL };
	g_autofree char *person = NULL;
	g_autoptr(GArray) about = NULL;
	struct store *st;

	make_version_1(p);
	prepare(p);
	st = open_as(p, STORE_NONE);
	assert_true(store_mail_get(st, 3, take_mail, &mail, NULL));
	assert_string_equal(mail.bytes, "mail3");
	assert_null(mail.file);
	assert_true(store_mail_get(st, 2, take_mail, &gone, NULL));
	assert_null(gone.bytes);
	assert_int_equal(gone.len, 0);
	assert_true(store_trace(st, "wamid.1", take_fact, &traced, NULL));
	assert_true(traced.facts > 10);
	assert_true(store_alias_get(st, "whatsapp", "n:1", &person, NULL));
	assert_string_equal(person, "u:A");
	assert_true(store_item_about(st, "wamid.1", "edit", &about, NULL));
	assert_int_equal(about->len, 1);
	assert_int_equal(g_array_index(about, struct store_place, 0).turn_id,
	    2);
	g_free(mail.bytes);
	store_close(st);
}

static void
an_old_store_takes_files_and_identities_and_goes_on_purging(void **state)
{
	struct store_identity id = { .realm = "whatsapp", .person = "u:A",
		.kind = "number", .value = "1", .source = "message",
		.first_ms = T0 };
	struct place *p = *state;
	struct bed b = { { NULL } };
	int64_t n = -1;

	make_version_1(p);
	prepare(p);
	for (int f = 0; f < STORE_FILES; f++)
		b.of[f] = open_as(p, f);
	begin(&b, STORE_BUILD);
	assert_true(store_identity_add(b.of[STORE_BUILD], &id));
	assert_int_equal(add_want(&b, 4, 4, "m"), 1);
	assert_true(store_turn_close(b.of[STORE_BUILD], 4, TURN_IDLE, T0));
	assert_true(store_turn_wait(b.of[STORE_BUILD], 4, T0 + 9));
	commit(&b, STORE_BUILD);
	put_fetch(&b, 1, STORE_UNAVAILABLE, NULL, 0);
	take_up(&b, 1);
	expect_law(b.of[STORE_ADMIN]);
	put_outcome(&b, 1, "a", STORE_SENT, 4, 0);
	assert_true(store_event_purge(b.of[STORE_INTAKE], T0, 10, &n, NULL));
	assert_int_equal(n, 1);
	assert_true(store_content_purge(b.of[STORE_BUILD], T0, 10, &n, NULL));
	assert_int_equal(n, 1);
	expect_law(b.of[STORE_ADMIN]);
	for (int f = 0; f < STORE_FILES; f++)
		store_close(b.of[f]);
	prepare(p);
	b.of[0] = open_as(p, STORE_NONE);
	expect_law(b.of[0]);
	store_close(b.of[0]);
}

/* Files prepared one after another: the last start died between them. */
static void
an_upgrade_that_stopped_half_way_goes_on(void **state)
{
	struct place *p = *state;
	g_autofree char *media = g_build_filename(p->dir, "media.db", NULL);
	g_autofree char *spool = g_build_filename(p->dir, "spool", NULL);
	struct store *st;

	make_version_1(p);
	prepare(p);
	assert_int_equal(unlink(media), 0);
	assert_int_equal(rmdir(spool), 0);
	prepare(p);
	st = open_as(p, STORE_MEDIA);
	expect_law(st);
	store_close(st);
	assert_int_equal(access(spool, F_OK), 0);
}

/* ---- version 2 ------------------------------------------------------------------ */

/* One turn more, which waits for a file. */
static const char more_build[] =
    "INSERT INTO turn VALUES " TURN("5", "closed", "NULL") ";"
    "INSERT INTO item VALUES "
    "(6, x'06', 4, 5, 'wamid.5', NULL, 'message', 'image', 1, x'01');"
    "INSERT INTO want VALUES (1, 5, 4, x'06', 0, NULL, 'm', NULL, NULL, "
    "NULL, 1, 1, 0);"
    "INSERT INTO waiting VALUES (5, 99);"
    "INSERT INTO identity VALUES (1, 'whatsapp', 'u:A', 'number', '1', '1', "
    "'message', 1, 0);"
    "INSERT INTO novelty VALUES ('messages', 'hologram', 2, 1, 2);";

static const char old_media[] =
    "INSERT INTO fetch VALUES (1, 'retry', NULL, 2, 0, 1, 50, 0, x'00', 0, "
    "NULL, NULL, NULL, '503', 0, 0, 0)";

static void
make_version_2(const struct place *p)
{
	g_autofree char *build = g_strconcat(old_build, ";", more_build, NULL);

	make_old(p, store_version_2, "intake", 0, old_events);
	make_old(p, store_version_2, "build", 1, build);
	make_old(p, store_version_2, "deliver", 2, old_deliver);
	make_old(p, store_version_2, "admin", 3, old_admin);
	make_old(p, store_version_2, "media", 4, old_media);
}

static void
a_store_without_rules_keeps_all_it_had_and_the_law(void **state)
{
	struct place *p = *state;
	struct seen traced = { NULL };
	struct store_status s;
	struct store *st;

	make_version_2(p);
	prepare(p);
	st = open_as(p, STORE_NONE);
	expect_law(st);
	assert_true(store_status(st, &s, NULL));
	assert_int_equal(s.events, 5);
	assert_int_equal(s.items, 6);
	assert_int_equal(s.turns_open, 1);
	assert_int_equal(s.turns_closed, 1);
	assert_int_equal(s.turns_waiting, 1);
	assert_int_equal(s.turns_rendered, 3);
	assert_int_equal(s.turns_held, 0);
	assert_int_equal(s.turns_excluded, 0);
	assert_int_equal(s.files_wanted, 1);
	assert_int_equal(s.novelties->len, 1);
	store_status_clear(&s);
	assert_true(store_trace(st, "wamid.5", take_fact, &traced, NULL));
	assert_int_equal(traced.facts, 5);
	store_close(st);
}

static bool
take_hold(void *arg, const struct store_hold *h)
{
	*(int64_t *)arg = h->until_ms;
	return true;
}

static void
what_an_older_store_has_closed_can_be_held_and_reviewed(void **state)
{
	const struct store_hold hold = { .turn_id = 5, .rule = "r",
		.since_ms = T0, .until_ms = T0 + 9, .persons = 1 };
	const struct store_review review = { .at_ms = T0, .who = "ana",
		.verb = "release", .turn_id = 5 };
	struct place *p = *state;
	struct bed b = { { NULL } };
	int64_t until = 0, id = 0;

	make_version_2(p);
	prepare(p);
	for (int f = 0; f < STORE_FILES; f++)
		b.of[f] = open_as(p, f);
	begin(&b, STORE_BUILD);
	assert_true(store_turn_hold(b.of[STORE_BUILD], &hold));
	assert_true(store_ask_add(b.of[STORE_BUILD], STORE_BUILD, "id", "E7",
	    T0));
	commit(&b, STORE_BUILD);
	begin(&b, STORE_ADMIN);
	assert_true(store_review_add(b.of[STORE_ADMIN], &review, &id));
	commit(&b, STORE_ADMIN);
	assert_int_equal(id, 1);
	assert_true(store_hold_get(b.of[STORE_ADMIN], 5, take_hold, &until,
	    NULL));
	assert_int_equal(until, T0 + 9);
	expect_law(b.of[STORE_ADMIN]);
	for (int f = 0; f < STORE_FILES; f++)
		store_close(b.of[f]);
	prepare(p);
	b.of[0] = open_as(p, STORE_NONE);
	expect_law(b.of[0]);
	store_close(b.of[0]);
}

/* What a store of any age takes once it is prepared. */
static void
pass_the_gateway(const struct place *p)
{
	struct store_event ev = { .received_ms = T0, .remote = "r",
		.secret_name = "crm", .signature = "", .body = "{}",
		.len = 2 };
	struct store_send s = { .key = "0123456789abcdef0123456789abcdef",
		.state = STORE_SEND_DONE, .application = "crm",
		.remote = "r", .business = "b", .target = "/",
		.request = "{}", .request_len = 2, .outcome = "unknown" };
	struct bed b = { { NULL } };
	struct store_status status;
	int64_t turn;

	for (int f = 0; f < STORE_FILES; f++)
		b.of[f] = open_as(p, f);
	begin(&b, STORE_GATEWAY);
	assert_true(store_record_add(b.of[STORE_GATEWAY], &ev, &s.record_id));
	assert_true(store_send_add(b.of[STORE_GATEWAY], &s, NULL));
	commit(&b, STORE_GATEWAY);
	begin(&b, STORE_BUILD);
	turn = add_turn(&b, "talk", TURN_STILL_OPEN);
	add_item(&b, "of the gateway", s.record_id, turn);
	assert_true(store_cursor_set(b.of[STORE_BUILD], STORE_BUILD,
	    STORE_CURSOR_RECORDS, s.record_id));
	assert_true(store_tally_add(b.of[STORE_BUILD], STORE_BUILD, "r", "s",
	    "w", T0));
	commit(&b, STORE_BUILD);
	expect_law(b.of[STORE_ADMIN]);
	assert_true(store_status(b.of[STORE_ADMIN], &status, NULL));
	assert_int_equal(status.records, 1);
	assert_int_equal(status.records_unread, 0);
	assert_int_equal(status.sends_unknown, 1);
	store_status_clear(&status);
	for (int f = 0; f < STORE_FILES; f++)
		store_close(b.of[f]);
}

static void
an_older_store_takes_what_passes_the_gateway(void **state)
{
	struct place *p = *state;

	make_version_2(p);
	prepare(p);
	pass_the_gateway(p);
}

static void
the_oldest_store_takes_what_passes_the_gateway(void **state)
{
	struct place *p = *state;

	make_version_1(p);
	prepare(p);
	pass_the_gateway(p);
	prepare(p);
}

/* As it was before methods were kept. */
static void
make_gateway_1(const struct place *p)
{
	g_autofree char *path = g_build_filename(p->dir, "gateway.db", NULL);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	run(db, "ALTER TABLE send DROP COLUMN method;"
	    "PRAGMA user_version=1;"
	    "INSERT INTO record VALUES (1000000000000001, 1, 'r', 'crm', "
	    "x'00', 2, x'7b7d');"
	    "INSERT INTO send VALUES (1, x'0123456789abcdef0123456789abcdef', "
	    "'held', 1, 1, 9, 1, 0, 1000000000000001, 1000000000000001, "
	    "'held', NULL, 'crm', NULL, 'r', 'b', '/', NULL, x'00', NULL, "
	    "NULL, x'7b7d', NULL, NULL)");
	sqlite3_close(db);
}

static bool
take_method(void *arg, const struct store_send *s)
{
	*(char **)arg = g_strdup(s->method);
	return true;
}

static void
what_an_older_gateway_holds_can_be_sent(void **state)
{
	struct place *p = *state;
	g_autofree char *method = NULL;
	struct store *st;

	prepare(p);
	make_gateway_1(p);
	prepare(p);
	st = open_as(p, STORE_GATEWAY);
	assert_true(store_send_list(st, STORE_SEND_HELD, 0, 9, take_method,
	    &method, NULL));
	assert_string_equal(method, "POST");
	store_close(st);
}

/* ---- sweeping ---------------------------------------------------------------------- */

#define HASH1 "abcd000000000000000000000000000000000000000000000000000000000001"
#define HASH2 "abcd000000000000000000000000000000000000000000000000000000000002"

static char *
put_file(const struct place *p, const char *name)
{
	char *path = g_build_filename(p->dir, name, NULL);
	g_autofree char *dir = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(dir, 0700), 0);
	assert_true(g_file_set_contents(path, "x", -1, NULL));
	return path;
}

static void
expect_there(const struct place *p, const char *name, bool there)
{
	g_autofree char *path = g_build_filename(p->dir, name, NULL);

	if ((access(path, F_OK) == 0) != there)
		fail_msg("%s is %sthere", name, there ? "not " : "");
}

/* Names of files without a row, of all kinds and of none. */
static const char *const orphans[] = { "mail/ab/cd/" HASH2,
	"mail/00/ff/" HASH2, "media/ab/cd/" HASH2, "media/quarantine/" HASH2,
	"upload/ab/cd/" HASH2, "spool/turn-1.eml" };
static const char *const others[] = { "mail/ab/cd/" HASH1,
	"media/ab/cd/" HASH1, "media/quarantine/" HASH1, "mail/README",
	"media/ab/cd/notes", "media/zz/cd/" HASH2, "spool/media-7.held",
	"upload/ab/cd/" HASH1, "upload/ab/cd/notes" };

static void
put_files(const struct place *p)
{
	for (size_t i = 0; i < G_N_ELEMENTS(orphans); i++)
		g_free(put_file(p, orphans[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		g_free(put_file(p, others[i]));
}

static void
put_upload(struct bed *b)
{
	const struct store_upload u = { .media_id = "m", .business = "b",
		.application = "crm", .size = 1, .at_ms = T0,
		.path = "ab/cd/" HASH1 };

	begin(b, STORE_GATEWAY);
	assert_true(store_upload_add(b->of[STORE_GATEWAY], &u));
	commit(b, STORE_GATEWAY);
}

/* A content, two fetches and an upload that know HASH1. */
static void
put_rows(const struct place *p)
{
	struct bed b = { { NULL } };
	g_autofree char *spooled = NULL;
	uint8_t sha256[HASH_SIZE] = { 0xab, 0xcd };
	int64_t turn, id;

	for (int f = 0; f < STORE_FILES; f++)
		b.of[f] = open_as(p, f);
	spooled = put_file(p, "spool/m");
	sha256[HASH_SIZE - 1] = 1;
	turn = put_wanting(&b, "k");
	begin(&b, STORE_BUILD);
	assert_int_equal(add_want(&b, turn, 1, "k2"), 2);
	assert_true(store_content_add_file(b.of[STORE_BUILD], turn, spooled,
	    1, sha256, &id));
	commit(&b, STORE_BUILD);
	put_fetch(&b, 1, STORE_FETCHED, "ab/cd/" HASH1, 0);
	put_fetch(&b, 2, STORE_QUARANTINED, "quarantine/" HASH1, 0);
	put_upload(&b);
	for (int f = 0; f < STORE_FILES; f++)
		store_close(b.of[f]);
}

static void
files_that_no_row_knows_are_swept_and_no_others(void **state)
{
	struct place *p = *state;

	prepare(p);
	put_rows(p);
	put_files(p);
	prepare(p);
	for (size_t i = 0; i < G_N_ELEMENTS(orphans); i++)
		expect_there(p, orphans[i], false);
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		expect_there(p, others[i], true);
	expect_there(p, "mail/00", false);
}

static void
nothing_but_the_spool_is_swept_for_databases_that_know_nothing(void **state)
{
	struct place *p = *state;

	put_files(p);
	prepare(p);
	for (size_t i = 0; i < G_N_ELEMENTS(orphans); i++)
		expect_there(p, orphans[i],
		    !g_str_has_prefix(orphans[i], "spool"));
}

static void
the_directories_are_for_the_service_user_alone(void **state)
{
	static const char *const names[] = { "media", "mail", "spool",
		"upload" };
	struct place *p = *state;

	umask(0);
	prepare(p);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(p->dir, names[i],
		    NULL);
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, \
	remove_place)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_opens_an_old_store_before_it_is_prepared),
		TEST(an_old_store_keeps_all_it_had_and_the_law),
		TEST(what_an_old_store_had_is_read_as_before),
		TEST(an_old_store_takes_files_and_identities_and_goes_on_purging),
		TEST(an_upgrade_that_stopped_half_way_goes_on),
		TEST(a_store_without_rules_keeps_all_it_had_and_the_law),
		TEST(what_an_older_store_has_closed_can_be_held_and_reviewed),
		TEST(an_older_store_takes_what_passes_the_gateway),
		TEST(the_oldest_store_takes_what_passes_the_gateway),
		TEST(what_an_older_gateway_holds_can_be_sent),
		TEST(files_that_no_row_knows_are_swept_and_no_others),
		TEST(nothing_but_the_spool_is_swept_for_databases_that_know_nothing),
		TEST(the_directories_are_for_the_service_user_alone),
	};

	return cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
}
