/* SPDX-License-Identifier: Apache-2.0 */
/* Small steps that the tests of the store are written in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "store_bed.h"

struct bed *
bed_of(void **state)
{
	return *state;
}

void
begin(struct bed *b, enum store_file file)
{
	store_begin(b->of[file]);
}

void
commit(struct bed *b, enum store_file file)
{
	struct err err = ERR_INIT;

	if (!store_commit(b->of[file], &err))
		fail_msg("commit: %s: %s", err.what, err.text);
}

void
commit_fails(struct bed *b, enum store_file file, const char *what)
{
	struct err err = ERR_INIT;

	assert_false(store_commit(b->of[file], &err));
	assert_string_equal(err.what, what);
	assert_true(strlen(err.text) > 10);
}

void
digest_of(const char *text, uint8_t out[HASH_SIZE])
{
	hash_sha256(text, strlen(text), out);
}

int64_t
put_event(struct bed *b, int64_t at_ms, const char *body)
{
	struct store_event ev = { .received_ms = at_ms, .remote = "192.0.2.7",
		.secret_name = "app1", .signature = "sha256=00", .body = body,
		.len = strlen(body) };
	int64_t id = 0;

	digest_of(body, ev.sha256);
	begin(b, STORE_INTAKE);
	assert_true(store_event_add(b->of[STORE_INTAKE], &ev, &id));
	commit(b, STORE_INTAKE);
	return id;
}

void
read_to(struct bed *b, int64_t event_id)
{
	begin(b, STORE_BUILD);
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD,
	    STORE_CURSOR_EVENTS, event_id));
	commit(b, STORE_BUILD);
}

void
put_outcome(struct bed *b, int64_t mail_id, const char *journal,
    enum store_outcome_state state, int64_t last_ms, int64_t next_ms)
{
	struct store_outcome o = { .mail_id = mail_id, .journal = journal,
		.state = state, .attempts = 1, .first_ms = T0,
		.last_ms = last_ms, .next_ms = next_ms, .code = 250,
		.reply = "250 2.0.0 Ok: queued as 1" };

	begin(b, STORE_DELIVER);
	assert_true(store_outcome_set(b->of[STORE_DELIVER], &o));
	commit(b, STORE_DELIVER);
}

int64_t
add_turn(struct bed *b, const char *conversation,
    enum turn_close_reason reason)
{
	g_autofree char *talk = g_strdup(conversation);
	char author[] = "u:A";
	struct turn t = { .conversation = talk, .author = author,
		.first_at_ms = T0 - 5, .last_at_ms = T0 - 4, .opened_ms = T0,
		.touched_ms = T0 + 1, .close_at_ms = T0 + 20000, .items = 1,
		.bytes = 10 };

	assert_true(store_turn_add(b->of[STORE_BUILD], &t, "551100", "message",
	    reason));
	assert_true(t.id > 0);
	return t.id;
}

void
add_item(struct bed *b, const char *key, int64_t event_id, int64_t turn_id)
{
	g_autofree char *wamid = g_strconcat("wamid.", key, NULL);
	struct store_item it = { .key = key, .event_id = event_id,
		.id = wamid, .kind = "message", .type = "text",
		.at_ms = T0 - 5, .turn_id = turn_id };

	digest_of(key, it.digest);
	assert_true(store_item_add(b->of[STORE_BUILD], &it));
}

int64_t
add_mail(struct bed *b, int64_t turn_id, const char *journal,
    const char *bytes)
{
	struct store_mail m = { .turn_id = turn_id, .journal = journal,
		.message_id = "m@test", .envelope_from = "from@test",
		.envelope_to = "to@test", .queued_ms = T0 + 2 };
	uint8_t sha256[HASH_SIZE];
	int64_t id = 0;

	digest_of(bytes, sha256);
	assert_true(store_content_add(b->of[STORE_BUILD], turn_id, bytes,
	    strlen(bytes), sha256, &m.content_id));
	assert_true(store_mail_add(b->of[STORE_BUILD], &m, &id));
	return id;
}

int64_t
add_want(struct bed *b, int64_t turn_id, int64_t event_id,
    const char *media_id)
{
	struct store_want w = { .turn_id = turn_id, .event_id = event_id,
		.ordinal = 1, .business = "551100", .media_id = media_id,
		.url = "https://media.test/1", .mime_type = "image/jpeg",
		.sha256 = "c2hhMjU2", .at_ms = T0 - 5, .wanted_ms = T0 + 1 };
	int64_t id = 0;

	store_key(media_id, w.key);
	assert_true(store_want_add(b->of[STORE_BUILD], &w, &id));
	return id;
}

void
put_fetch(struct bed *b, int64_t want_id, enum store_fetch_state state,
    const char *path, int64_t next_ms)
{
	struct store_fetch f = { .want_id = want_id, .state = state,
		.attempts = 2, .deaths = 1, .first_ms = T0 + 1,
		.next_ms = next_ms, .done_ms = T0 + 3, .size = 812,
		.path = path, .type = "image/png", .verdict = "clean",
		.reason = "because", .type_differs = true,
		.length_ms = 4151 };

	digest_of("file", f.sha256);
	begin(b, STORE_MEDIA);
	assert_true(store_fetch_set(b->of[STORE_MEDIA], &f));
	commit(b, STORE_MEDIA);
}

int64_t
put_wanting(struct bed *b, const char *key)
{
	int64_t event = put_event(b, T0, "{}"), turn, want;

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	add_item(b, key, event, turn);
	want = add_want(b, turn, event, key);
	assert_true(store_turn_wait(b->of[STORE_BUILD], turn, T0 + 100));
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD,
	    STORE_CURSOR_EVENTS, event));
	commit(b, STORE_BUILD);
	return want;
}

int64_t
put_rendered(struct bed *b, int64_t turn, int64_t late)
{
	uint8_t sha256[HASH_SIZE] = { 1 };
	int64_t mail;

	begin(b, STORE_BUILD);
	assert_true(store_turn_rendered(b->of[STORE_BUILD], turn, "r@test",
	    sha256, T0 + 4));
	mail = add_mail(b, turn, "a", "x");
	if (late != 0)
		assert_true(store_want_late(b->of[STORE_BUILD], late));
	commit(b, STORE_BUILD);
	return mail;
}

int64_t
put_follow_up(struct bed *b, int64_t want)
{
	int64_t turn;

	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	assert_true(store_follow_up_add(b->of[STORE_BUILD], turn, want));
	assert_true(store_turn_wait(b->of[STORE_BUILD], turn, T0 + 100));
	commit(b, STORE_BUILD);
	return turn;
}

void
take_up(struct bed *b, int64_t number)
{
	begin(b, STORE_BUILD);
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD,
	    STORE_CURSOR_FETCHED, number));
	commit(b, STORE_BUILD);
}

int64_t
put_message(struct bed *b, const char *key, const char *journal,
    const char *journal2)
{
	g_autofree char *message_id = g_strconcat(key, "@test", NULL);
	int64_t event = put_event(b, T0, "{}"), turn, mail = 0;
	uint8_t sha256[HASH_SIZE];

	digest_of(key, sha256);
	begin(b, STORE_BUILD);
	turn = add_turn(b, "talk", TURN_SINGLE);
	add_item(b, key, event, turn);
	assert_true(store_turn_rendered(b->of[STORE_BUILD], turn, message_id,
	    sha256, T0 + 2));
	if (journal != NULL)
		mail = add_mail(b, turn, journal, key);
	if (journal2 != NULL)
		add_mail(b, turn, journal2, key);
	assert_true(store_cursor_set(b->of[STORE_BUILD], STORE_BUILD,
	    STORE_CURSOR_EVENTS, event));
	commit(b, STORE_BUILD);
	return mail;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void
remove_tree(const char *dir)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

bool
take_id(void *arg, const struct store_mail *m)
{
	g_array_append_val((GArray *)arg, m->id);
	return true;
}

GArray *
pending(struct bed *b, const char *journal)
{
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(int64_t));

	assert_true(store_mail_pending(b->of[STORE_DELIVER], journal, 1,
	    INT64_MAX, 100, take_id, ids, NULL));
	return ids;
}

static bool
spell_fact(void *arg, const struct store_fact *f)
{
	g_string_append_printf(arg, "%s+%d ", f->what, (int)(f->at_ms - T0));
	return true;
}

void
expect_story(struct bed *b, const char *id, const char *want)
{
	g_autoptr(GString) got = g_string_new(NULL);

	assert_true(store_trace(b->of[STORE_ADMIN], id, spell_fact, got,
	    NULL));
	assert_string_equal(got->str, want);
}
