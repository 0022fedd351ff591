/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: events and records, cursors and claims. */
#include "store_sqlite.h"

/* ---- events ------------------------------------------------------------ */

static bool
event_add(struct store *st, const struct store_event *ev, int64_t *id,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "INSERT INTO event (received_ms, remote, "
	    "secret_name, signature, sha256, size, body) "
	    "VALUES (?,?,?,?,?,?,?)", err, "issshib", ev->received_ms,
	    ev->remote, ev->secret_name, ev->signature, ev->sha256,
	    (int64_t)ev->len,
	    ev->len == 0 ? "" : ev->body, ev->len))
		return false;
	if (id != NULL)
		*id = sqlite3_last_insert_rowid(s->db);
	return true;
}

/* The id of the first one has to be said; from then on they count up. */
static bool
record_add(struct store *st, const struct store_event *ev, int64_t *id,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "INSERT INTO record (id, received_ms, remote, "
	    "application, sha256, size, body) VALUES ((SELECT "
	    "1 + ifnull(max(id), ?1) FROM record),?2,?3,?4,?5,?6,?7)", err,
	    "iisshib", STORE_EVENT_GATEWAY, ev->received_ms, ev->remote,
	    ev->secret_name, ev->sha256, (int64_t)ev->len,
	    ev->len == 0 ? "" : ev->body, ev->len))
		return false;
	if (id != NULL)
		*id = sqlite3_last_insert_rowid(s->db);
	return true;
}

#define EVENT_COLUMNS "SELECT id, received_ms, remote, secret_name, " \
	"signature, sha256, body FROM event "
#define RECORD_COLUMNS "SELECT id, received_ms, remote, application, '', " \
	"sha256, body FROM record "

static void
read_event(sqlite3_stmt *q, struct store_event *ev)
{
	ev->id = sqlite3_column_int64(q, 0);
	ev->received_ms = sqlite3_column_int64(q, 1);
	ev->remote = store_db_text(q, 2);
	ev->secret_name = store_db_text(q, 3);
	ev->signature = store_db_text(q, 4);
	store_db_digest(q, 5, ev->sha256);
	ev->body = store_db_blob(q, 6, &ev->len);
}

static bool
event_list(struct store *st, int64_t after, int limit, size_t max_bytes,
    store_event_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, after < STORE_EVENT_GATEWAY ?
	    EVENT_COLUMNS "WHERE id > ? ORDER BY id LIMIT ?" :
	    RECORD_COLUMNS "WHERE id > ? ORDER BY id LIMIT ?", err, "ii",
	    after, (int64_t)limit);
	struct store_event ev;
	size_t bytes = 0;
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		read_event(q, &ev);
		bytes += ev.len;
		if (!fn(arg, &ev) || bytes >= max_bytes) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

static bool
event_get(struct store *st, int64_t id, store_event_fn *fn, void *arg,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, id <= STORE_EVENT_GATEWAY ?
	    EVENT_COLUMNS "WHERE id = ?" : RECORD_COLUMNS "WHERE id = ?", err,
	    "i", id);
	struct store_event ev;
	int r = store_db_step(s, q, err);

	if (r <= 0)
		return r == 0;
	read_event(q, &ev);
	fn(arg, &ev);
	store_db_end(q);
	return true;
}

static bool
event_park(struct store *st, int64_t event_id, int64_t turn_id,
    const char *reason, int64_t now_ms, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO parked (event_id, "
	    "turn_id, reason, at_ms) VALUES (?,?,?,?) ON CONFLICT (event_id) "
	    "DO UPDATE SET turn_id = excluded.turn_id, "
	    "reason = excluded.reason", err, "iisi", event_id, turn_id,
	    reason, now_ms);
}

static bool
event_unpark(struct store *st, int64_t event_id, int64_t now_ms,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "UPDATE parked SET ended_ms = max(1, ?) "
	    "WHERE event_id = ? AND ended_ms = 0", err, "ii", now_ms,
	    event_id) &&
	    store_db_changed(s, "event", event_id, "parked", err);
}

static bool
parked_get(struct store *st, int64_t event_id, store_parked_fn *fn,
    void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT event_id, turn_id, at_ms, "
	    "ended_ms, reason FROM parked WHERE event_id = ?", err, "i",
	    event_id);
	struct store_parked p;
	int r = store_db_step(s, q, err);

	if (r <= 0)
		return r == 0;
	p.event_id = sqlite3_column_int64(q, 0);
	p.turn_id = sqlite3_column_int64(q, 1);
	p.at_ms = sqlite3_column_int64(q, 2);
	p.ended_ms = sqlite3_column_int64(q, 3);
	p.reason = store_db_text(q, 4);
	fn(arg, &p);
	store_db_end(q);
	return true;
}

/* ---- progress ---------------------------------------------------------- */

/* One text per file, as cursor and claim are in several. */
#define PER_FILE(head, tail) { \
	[STORE_INTAKE] = head "{intake}" tail, \
	[STORE_MEDIA] = head "{media}" tail, \
	[STORE_BUILD] = head "{build}" tail, \
	[STORE_DELIVER] = head "{deliver}" tail, \
	[STORE_GATEWAY] = head "{gateway}" tail, \
	[STORE_DIRECTORY] = head "{directory}" tail }

static bool
has_progress(enum store_file file, struct err *err)
{
	if (file < STORE_FILES && file != STORE_ADMIN)
		return true;
	return err_set(err, ERR_PERM, "store.state",
	    "the %s file keeps no progress", store_file_name(file));
}

static bool
cursor_get(struct store *st, enum store_file file, const char *name,
    int64_t *value, struct err *err)
{
	static const char *const sql[STORE_FILES] = PER_FILE(
	    "SELECT value FROM ", ".cursor WHERE name = ?");

	return has_progress(file, err) && store_db_number(SQLITE_OF(st),
	    sql[file], 0, value, err, "s", name);
}

static bool
cursor_set(struct store *st, enum store_file file, const char *name,
    int64_t value, struct err *err)
{
	static const char *const sql[STORE_FILES] = PER_FILE("INSERT INTO ",
	    ".cursor (name, value) VALUES (?,?) "
	    "ON CONFLICT (name) DO UPDATE SET value = excluded.value");

	return has_progress(file, err) && store_db_run(SQLITE_OF(st),
	    sql[file], err, "si", name, value);
}

static bool
has_claims(enum store_file file, struct err *err)
{
	if (file == STORE_BUILD || file == STORE_DELIVER ||
	    file == STORE_GATEWAY || file == STORE_DIRECTORY)
		return true;
	return err_set(err, ERR_PERM, "store.state",
	    "the %s file keeps no claims", store_file_name(file));
}

static bool
claim_get(struct store *st, enum store_file file, const char *name,
    struct store_claim *out, struct err *err)
{
	static const char *const sql[STORE_FILES] = PER_FILE(
	    "SELECT first_id, last_id, deaths FROM ",
	    ".claim WHERE name = ?");
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q;
	int r;

	if (!has_claims(file, err))
		return false;
	q = store_db_query(s, sql[file], err, "s", name);
	r = store_db_step(s, q, err);
	if (r < 0)
		return false;
	*out = (struct store_claim){ 0 };
	if (r == 0)
		return true;
	out->first = sqlite3_column_int64(q, 0);
	out->last = sqlite3_column_int64(q, 1);
	out->deaths = sqlite3_column_int64(q, 2);
	store_db_end(q);
	return true;
}

static bool
claim_set(struct store *st, enum store_file file, const char *name,
    const struct store_claim *claim, struct err *err)
{
	static const char *const drop[STORE_FILES] = PER_FILE(
	    "DELETE FROM ", ".claim WHERE name = ?");
	static const char *const set[STORE_FILES] = PER_FILE("INSERT INTO ",
	    ".claim (name, first_id, last_id, deaths) VALUES (?,?,?,?) "
	    "ON CONFLICT (name) DO UPDATE SET first_id = excluded.first_id, "
	    "last_id = excluded.last_id, deaths = excluded.deaths");
	struct sqlite *s = SQLITE_OF(st);

	if (!has_claims(file, err))
		return false;
	if (claim->first == 0)
		return store_db_run(s, drop[file], err, "s", name);
	return store_db_run(s, set[file], err, "siii", name, claim->first,
	    claim->last, claim->deaths);
}

const struct store_event_verbs store_sqlite_event = {
	.add = event_add,
	.list = event_list,
	.get = event_get,
	.purge = store_sqlite_event_purge,
	.park = event_park,
	.unpark = event_unpark,
	.parked_get = parked_get,
	.record_add = record_add,
	.record_purge = store_sqlite_record_purge,
	.record_is_sent = store_sqlite_record_is_sent,
};

const struct store_progress_verbs store_sqlite_progress = {
	.cursor_get = cursor_get,
	.cursor_set = cursor_set,
	.claim_get = claim_get,
	.claim_set = claim_set,
};
