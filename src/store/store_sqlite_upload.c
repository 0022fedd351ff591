/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: what a send needs besides itself: files that staff uploaded, and the
 * definitions of templates. Rows stay; files go when they are purged, before
 * their rows say so.
 */
#include "store_sqlite.h"

/* ---- uploads ------------------------------------------------------------- */

static bool
upload_add(struct store *st, const struct store_upload *u, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO upload (media_id, "
	    "business, application, employee, sha256, size, at_ms, path, "
	    "name, type, verdict) VALUES (?,?,?,?,?,?,?,?,?,?,?)", err,
	    "sssshiissss", u->media_id, u->business, u->application,
	    u->employee, u->sha256, u->size, u->at_ms, u->path, u->name,
	    u->type, u->verdict);
}

static bool
upload_get(struct store *st, const char *media_id, store_upload_fn *fn,
    void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT media_id, business, "
	    "application, employee, sha256, size, at_ms, path, name, type, "
	    "verdict FROM upload WHERE media_id = ? ORDER BY id DESC LIMIT 1",
	    err, "s", media_id);
	struct store_upload u;
	int r = store_db_step(s, q, err);

	if (r <= 0)
		return r == 0;
	u.media_id = store_db_text(q, 0);
	u.business = store_db_text(q, 1);
	u.application = store_db_text(q, 2);
	u.employee = store_db_text(q, 3);
	store_db_digest(q, 4, u.sha256);
	u.size = sqlite3_column_int64(q, 5);
	u.at_ms = sqlite3_column_int64(q, 6);
	u.path = store_db_text(q, 7);
	u.name = store_db_text(q, 8);
	u.type = store_db_text(q, 9);
	u.verdict = store_db_text(q, 10);
	fn(arg, &u);
	store_db_end(q);
	return true;
}

/* Whoever of those that share a file is purged last takes it along. */
static bool
forget(struct sqlite *s, int64_t id, struct err *err)
{
	g_autofree char *path = NULL;
	int64_t users;

	return store_db_string(s, "SELECT path FROM upload WHERE id = ?",
	    &path, err, "i", id) &&
	    store_db_number(s, "SELECT count(*) FROM upload WHERE path = ?",
	    0, &users, err, "s", path) &&
	    (users > 1 || store_file_remove(&s->base, STORE_DIR_UPLOAD, path,
	    err)) &&
	    store_db_run(s, "UPDATE upload SET path = NULL WHERE id = ?",
	    err, "i", id);
}

/* Read whole before anything is written. */
static bool
list_old(struct sqlite *s, int64_t before_ms, int limit, GArray *ids,
    struct err *err)
{
	sqlite3_stmt *q = store_db_query(s, "SELECT id FROM upload "
	    "WHERE path IS NOT NULL AND at_ms < ? ORDER BY at_ms LIMIT ?",
	    err, "ii", before_ms, (int64_t)limit);
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		int64_t id = sqlite3_column_int64(q, 0);

		g_array_append_val(ids, id);
	}
	return r == 0;
}

static bool
upload_purge(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct sqlite *s = SQLITE_OF(st);

	if (!list_old(s, before_ms, limit, ids, err))
		return false;
	for (guint i = 0; i < ids->len; i++) {
		if (!forget(s, g_array_index(ids, int64_t, i), err))
			return false;
	}
	*n = ids->len;
	return true;
}

/* ---- definitions --------------------------------------------------------- */

/* Of the same template, the last one that was seen by then. */
#define LATEST "FROM definition WHERE account = ?1 AND name = ?2 " \
	"AND language = ?3 AND from_ms <= ?4 ORDER BY from_ms DESC LIMIT 1"

/* The latest says the same: then it was only asked for again. */
static bool
keep_latest(struct sqlite *s, const struct store_definition *d,
    struct err *err)
{
	return store_db_run(s, "UPDATE definition "
	    "SET checked_ms = max(checked_ms, ?6) "
	    "WHERE id = (SELECT id " LATEST ") AND json IS ?5", err, "sssisi",
	    d->account, d->name, d->language, INT64_MAX, d->json,
	    d->checked_ms);
}

static bool
definition_set(struct store *st, const struct store_definition *d,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!keep_latest(s, d, err))
		return false;
	if (sqlite3_changes(s->db) > 0)
		return true;
	return store_db_run(s, "INSERT INTO definition (account, name, "
	    "language, from_ms, checked_ms, json) VALUES (?1,?2,?3,"
	    "max(?5, ifnull((SELECT from_ms " LATEST "), -1) + 1),?6,?7)", err,
	    "sssiiis", d->account, d->name, d->language, INT64_MAX,
	    d->from_ms, d->checked_ms, d->json);
}

static bool
definition_get(struct store *st, const struct store_definition *of,
    int64_t at_ms, store_definition_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT from_ms, checked_ms, json "
	    LATEST, err, "sssi", of->account, of->name, of->language, at_ms);
	struct store_definition d = *of;
	int r = store_db_step(s, q, err);

	if (r <= 0)
		return r == 0;
	d.from_ms = sqlite3_column_int64(q, 0);
	d.checked_ms = sqlite3_column_int64(q, 1);
	d.json = store_db_text(q, 2);
	fn(arg, &d);
	store_db_end(q);
	return true;
}

static bool
definition_doubt(struct store *st, const struct store_definition *of,
    struct err *err)
{
	return store_db_run(SQLITE_OF(st), "UPDATE definition SET "
	    "checked_ms = 0 WHERE id = (SELECT id " LATEST ")", err, "sssi",
	    of->account, of->name, of->language, INT64_MAX);
}

static bool
definition_languages(struct store *st, const struct store_definition *of,
    store_language_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT DISTINCT language "
	    "FROM definition WHERE account = ? AND name = ? "
	    "ORDER BY language", err, "ss", of->account, of->name);
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		if (!fn(arg, store_db_text(q, 0))) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

const struct store_upload_verbs store_sqlite_upload = {
	.add = upload_add,
	.get = upload_get,
	.purge = upload_purge,
};

const struct store_definition_verbs store_sqlite_definition = {
	.set = definition_set,
	.get = definition_get,
	.doubt = definition_doubt,
	.languages = definition_languages,
};
