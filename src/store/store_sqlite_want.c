/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: files of messages. Wants are in build's file, fetches in media's;
 * whoever reads them reads both. A final fetch gets a number when it becomes
 * so and is never changed again, but that the purge takes its path.
 */
#include "store_sqlite.h"

#include <string.h>

/* ---- reading --------------------------------------------------------------- */

#define COLUMNS "w.id, w.turn_id, w.event_id, w.key, w.ordinal, " \
	"w.business, w.media_id, w.url, w.mime_type, w.sha256, w.at_ms, " \
	"w.wanted_ms, w.late, f.state, f.attempts, f.deaths, f.first_ms, " \
	"f.next_ms, f.done_ms, f.sha256, f.size, f.path, f.type, f.verdict, " \
	"f.reason, f.hash_differs, f.type_differs, f.length_ms, f.number"
#define FETCH_AT 13
#define FROM_WANT " FROM want w LEFT JOIN fetch f ON f.want_id = w.id "
#define FROM_FETCH " FROM fetch f CROSS JOIN want w ON w.id = f.want_id "

static void
read_want(sqlite3_stmt *q, struct store_want *w)
{
	w->id = sqlite3_column_int64(q, 0);
	w->turn_id = sqlite3_column_int64(q, 1);
	w->event_id = sqlite3_column_int64(q, 2);
	store_db_digest(q, 3, w->key);
	w->ordinal = sqlite3_column_int64(q, 4);
	w->business = store_db_text(q, 5);
	w->media_id = store_db_text(q, 6);
	w->url = store_db_text(q, 7);
	w->mime_type = store_db_text(q, 8);
	w->sha256 = store_db_text(q, 9);
	w->at_ms = sqlite3_column_int64(q, 10);
	w->wanted_ms = sqlite3_column_int64(q, 11);
	w->late = sqlite3_column_int64(q, 12) != 0;
}

static void
read_fetch(sqlite3_stmt *q, int64_t want_id, struct store_fetch *f)
{
	f->want_id = want_id;
	f->state = store_fetch_state(store_db_text(q, FETCH_AT));
	f->attempts = sqlite3_column_int64(q, FETCH_AT + 1);
	f->deaths = sqlite3_column_int64(q, FETCH_AT + 2);
	f->first_ms = sqlite3_column_int64(q, FETCH_AT + 3);
	f->next_ms = sqlite3_column_int64(q, FETCH_AT + 4);
	f->done_ms = sqlite3_column_int64(q, FETCH_AT + 5);
	store_db_digest(q, FETCH_AT + 6, f->sha256);
	f->size = sqlite3_column_int64(q, FETCH_AT + 7);
	f->path = store_db_text(q, FETCH_AT + 8);
	f->type = store_db_text(q, FETCH_AT + 9);
	f->verdict = store_db_text(q, FETCH_AT + 10);
	f->reason = store_db_text(q, FETCH_AT + 11);
	f->hash_differs = sqlite3_column_int64(q, FETCH_AT + 12) != 0;
	f->type_differs = sqlite3_column_int64(q, FETCH_AT + 13) != 0;
	f->length_ms = sqlite3_column_int64(q, FETCH_AT + 14);
	f->number = sqlite3_column_int64(q, FETCH_AT + 15);
}

static bool
give_wants(struct sqlite *s, sqlite3_stmt *q, store_want_fn *fn, void *arg,
    struct err *err)
{
	struct store_fetch f;
	struct store_want w;
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		read_want(q, &w);
		read_fetch(q, w.id, &f);
		if (!fn(arg, &w, &f)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

/* ---- wants ------------------------------------------------------------------ */

static bool
want_add(struct store *st, const struct store_want *w, int64_t *id,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "INSERT INTO want (turn_id, event_id, key, "
	    "ordinal, business, media_id, url, mime_type, sha256, at_ms, "
	    "wanted_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?)", err, "iihisssssii",
	    w->turn_id, w->event_id, w->key, w->ordinal, w->business,
	    w->media_id, w->url, w->mime_type, w->sha256, w->at_ms,
	    w->wanted_ms))
		return false;
	if (id != NULL)
		*id = sqlite3_last_insert_rowid(s->db);
	return true;
}

static bool
want_list(struct store *st, int64_t after, int limit, store_want_fn *fn,
    void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS FROM_WANT
	    "WHERE w.id > ? ORDER BY w.id LIMIT ?", err, "ii", after,
	    (int64_t)limit);

	return give_wants(s, q, fn, arg, err);
}

static bool
want_of_turn(struct store *st, int64_t turn_id, store_want_fn *fn, void *arg,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS FROM_WANT
	    "WHERE w.turn_id = ? ORDER BY w.id", err, "i", turn_id);

	return give_wants(s, q, fn, arg, err);
}

static bool
want_of_media(struct store *st, const char *media_id, store_want_fn *fn,
    void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS FROM_WANT
	    "WHERE w.media_id = ? ORDER BY w.id", err, "s", media_id);

	return give_wants(s, q, fn, arg, err);
}

static bool
want_get(struct store *st, int64_t id, store_want_fn *fn, void *arg,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS FROM_WANT
	    "WHERE w.id = ?", err, "i", id);

	return give_wants(s, q, fn, arg, err);
}

static bool
want_late(struct store *st, int64_t id, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "UPDATE want SET late = 1 WHERE id = ?", err,
	    "i", id) && store_db_changed(s, "want", id, "there", err);
}

/* ---- follow-ups ---------------------------------------------------------------- */

static bool
follow_up_add(struct store *st, int64_t turn_id, int64_t want_id,
    struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO follow_up (turn_id, "
	    "want_id) VALUES (?,?)", err, "ii", turn_id, want_id);
}

static bool
follow_up_get(struct store *st, int64_t turn_id, int64_t *want_id,
    struct err *err)
{
	return store_db_number(SQLITE_OF(st), "SELECT want_id FROM follow_up "
	    "WHERE turn_id = ?", 0, want_id, err, "i", turn_id);
}

/* ---- fetches ------------------------------------------------------------------- */

static bool
fetch_list(struct store *st, enum store_fetch_state state, int64_t now_ms,
    int limit, store_want_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q;

	if (state == STORE_FETCH_RETRY)
		q = store_db_query(s, "SELECT " COLUMNS FROM_FETCH
		    "WHERE f.state = 'retry' AND f.next_ms <= ? "
		    "ORDER BY f.next_ms, f.want_id LIMIT ?", err, "ii",
		    now_ms, (int64_t)limit);
	else if (state == STORE_FETCH_TRYING)
		q = store_db_query(s, "SELECT " COLUMNS FROM_FETCH
		    "WHERE f.state = 'trying' ORDER BY f.want_id LIMIT ?",
		    err, "i", (int64_t)limit);
	else
		return err_set(err, ERR_PERM, "store.state",
		    "fetches that are %s are not listed",
		    store_fetch_name(state));
	return give_wants(s, q, fn, arg, err);
}

static bool
fetch_next_due(struct store *st, int64_t *out, struct err *err)
{
	return store_db_number(SQLITE_OF(st), "SELECT min(next_ms) "
	    "FROM fetch WHERE state = 'retry'", INT64_MAX, out, err, "");
}

static bool
put_fetch(struct sqlite *s, const struct store_fetch *f, int64_t number,
    struct err *err)
{
	return store_db_run(s, "INSERT INTO fetch (want_id, state, number, "
	    "attempts, deaths, first_ms, next_ms, done_ms, sha256, size, "
	    "path, type, verdict, reason, hash_differs, type_differs, "
	    "length_ms) VALUES (?,?,nullif(?,0),?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
	    "ON CONFLICT (want_id) DO UPDATE SET state = excluded.state, "
	    "number = excluded.number, attempts = excluded.attempts, "
	    "deaths = excluded.deaths, first_ms = excluded.first_ms, "
	    "next_ms = excluded.next_ms, done_ms = excluded.done_ms, "
	    "sha256 = excluded.sha256, size = excluded.size, "
	    "path = excluded.path, type = excluded.type, "
	    "verdict = excluded.verdict, reason = excluded.reason, "
	    "hash_differs = excluded.hash_differs, "
	    "type_differs = excluded.type_differs, "
	    "length_ms = excluded.length_ms "
	    "WHERE fetch.number IS NULL", err, "isiiiiiihissssiii",
	    f->want_id, store_fetch_name(f->state), number, f->attempts,
	    f->deaths, f->first_ms, f->next_ms, f->done_ms, f->sha256,
	    f->size, f->path, f->type, f->verdict, f->reason,
	    (int64_t)f->hash_differs, (int64_t)f->type_differs,
	    f->length_ms);
}

static bool
fetch_set(struct store *st, const struct store_fetch *f, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	int64_t last;

	if (f->state == STORE_FETCH_NONE)
		return err_set(err, ERR_PERM, "store.state", "the fetch of "
		    "want %" G_GINT64_FORMAT " has no state", f->want_id);
	if (!store_fetch_is_final(f->state))
		return put_fetch(s, f, 0, err);
	return store_db_number(s, "SELECT max(number) FROM fetch", 0, &last,
	    err, "") && put_fetch(s, f, last + 1, err);
}

static bool
results(struct store *st, int64_t after, int limit, store_want_fn *fn,
    void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS FROM_FETCH
	    "WHERE f.number > ? ORDER BY f.number LIMIT ?", err, "ii", after,
	    (int64_t)limit);

	return give_wants(s, q, fn, arg, err);
}

const struct store_want_verbs store_sqlite_want = {
	.add = want_add,
	.list = want_list,
	.of_turn = want_of_turn,
	.of_media = want_of_media,
	.get = want_get,
	.late = want_late,
	.follow_up_add = follow_up_add,
	.follow_up_get = follow_up_get,
};

const struct store_fetch_verbs store_sqlite_fetch = {
	.list = fetch_list,
	.next_due = fetch_next_due,
	.set = fetch_set,
	.results = results,
	.purge = store_sqlite_media_purge,
};
