/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: what persons decided about what is held. The tool writes it, build
 * and the gateway act on it; rows are never changed.
 */
#include "store_sqlite.h"

#define COLUMNS "id, at_ms, who, verb, turn_id, send_key, why"

/* "turn_id <> 0" is said wherever the index with this condition is meant. */
static bool
give(struct sqlite *s, sqlite3_stmt *q, store_review_fn *fn, void *arg,
    struct err *err)
{
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_review review = {
			.id = sqlite3_column_int64(q, 0),
			.at_ms = sqlite3_column_int64(q, 1),
			.who = store_db_text(q, 2),
			.verb = store_db_text(q, 3),
			.turn_id = sqlite3_column_int64(q, 4),
			.send_key = store_db_text(q, 5),
			.why = store_db_text(q, 6),
		};

		if (!fn(arg, &review)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

/* Said in words here; the table would refuse it as well. */
static bool
is_first(struct sqlite *s, const struct store_review *r, struct err *err)
{
	int64_t before;
	bool ok = r->send_key == NULL ?
	    store_db_number(s, "SELECT id FROM review WHERE turn_id = ? "
	    "AND turn_id <> 0 AND verb = ? AND who = ?", 0, &before, err,
	    "iss", r->turn_id, r->verb, r->who) :
	    store_db_number(s, "SELECT id FROM review WHERE send_key = ? "
	    "AND verb = ? AND who = ?", 0, &before, err, "sss", r->send_key,
	    r->verb, r->who);

	if (!ok)
		return false;
	return before == 0 || err_set(err, ERR_PERM, "store.state",
	    "%s did %s it already; where more persons are wanted, another one "
	    "must", r->who, r->verb);
}

bool
store_sqlite_review_add(struct store *st, const struct store_review *r,
    int64_t *id, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!is_first(s, r, err) || !store_db_run(s, "INSERT INTO review "
	    "(at_ms, who, verb, turn_id, send_key, why) "
	    "VALUES (?,?,?,?,?,?)", err, "ississ", r->at_ms, r->who, r->verb,
	    r->turn_id, r->send_key, r->why == NULL ? "" : r->why))
		return false;
	if (id != NULL)
		*id = sqlite3_last_insert_rowid(s->db);
	return true;
}

bool
store_sqlite_review_list(struct store *st, int64_t after, int limit,
    store_review_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return give(s, store_db_query(s, "SELECT " COLUMNS " FROM review "
	    "WHERE id > ? ORDER BY id LIMIT ?", err, "ii", after,
	    (int64_t)limit), fn, arg, err);
}

bool
store_sqlite_review_of(struct store *st, int64_t turn_id,
    const char *send_key, store_review_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = send_key == NULL ?
	    store_db_query(s, "SELECT " COLUMNS " FROM review "
	    "WHERE turn_id = ? AND turn_id <> 0 ORDER BY id", err, "i",
	    turn_id) :
	    store_db_query(s, "SELECT " COLUMNS " FROM review "
	    "WHERE send_key = ? ORDER BY id", err, "s", send_key);

	return give(s, q, fn, arg, err);
}
