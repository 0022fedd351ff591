/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: turns. A state is left only for the one that may follow it; any
 * other change is refused as the caller's error.
 */
#include "store_sqlite.h"

#define COLUMNS "id, conversation, author, first_at_ms, last_at_ms, " \
	"opened_ms, touched_ms, close_at_ms, items, bytes"

static void
read_turn(sqlite3_stmt *q, struct turn *t)
{
	t->id = sqlite3_column_int64(q, 0);
	t->conversation = g_strdup(store_db_text(q, 1));
	t->author = g_strdup(store_db_text(q, 2));
	t->first_at_ms = sqlite3_column_int64(q, 3);
	t->last_at_ms = sqlite3_column_int64(q, 4);
	t->opened_ms = sqlite3_column_int64(q, 5);
	t->touched_ms = sqlite3_column_int64(q, 6);
	t->close_at_ms = sqlite3_column_int64(q, 7);
	t->items = sqlite3_column_int64(q, 8);
	t->bytes = sqlite3_column_int64(q, 9);
}

static bool
read_turns(struct sqlite *s, sqlite3_stmt *q, GPtrArray *out, struct err *err)
{
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct turn *t = g_new0(struct turn, 1);

		read_turn(q, t);
		g_ptr_array_add(out, t);
	}
	return r == 0;
}

static bool
open_list(struct store *st, const char *conversation, GPtrArray *out,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS " FROM turn "
	    "WHERE state = 'open' AND conversation = ? ORDER BY id", err, "s",
	    conversation);

	return read_turns(s, q, out, err);
}

static bool
due_list(struct store *st, int64_t now_ms, int limit, GPtrArray *out,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS " FROM turn "
	    "WHERE state = 'open' AND close_at_ms <= ? "
	    "ORDER BY close_at_ms, id LIMIT ?", err, "ii", now_ms,
	    (int64_t)limit);

	return read_turns(s, q, out, err);
}

static bool
closed_list(struct store *st, int64_t after, int limit, GPtrArray *out,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS " FROM turn "
	    "WHERE state = 'closed' AND id > ? ORDER BY id LIMIT ?", err,
	    "ii", after, (int64_t)limit);

	return read_turns(s, q, out, err);
}

static bool
next_due(struct store *st, int64_t *out, struct err *err)
{
	return store_db_number(SQLITE_OF(st), "SELECT min(close_at_ms) "
	    "FROM turn WHERE state = 'open'", INT64_MAX, out, err, "");
}

static bool
item_list(struct store *st, int64_t turn_id, GArray *out, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT event_id, key FROM item "
	    "WHERE turn_id = ? ORDER BY id", err, "i", turn_id);
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_turn_item it = {
			.event_id = sqlite3_column_int64(q, 0),
		};

		store_db_digest(q, 1, it.key);
		g_array_append_val(out, it);
	}
	return r == 0;
}

static bool
turn_get(struct store *st, int64_t id, struct turn *out, char state[16],
    char **message_id, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS ", state, "
	    "message_id FROM turn WHERE id = ?", err, "i", id);
	int r = store_db_step(s, q, err);

	if (r <= 0)
		return r == 0;
	read_turn(q, out);
	g_strlcpy(state, store_db_text(q, 10), 16);
	*message_id = g_strdup(store_db_text(q, 11));
	store_db_end(q);
	return true;
}

/* ---- waiting ----------------------------------------------------------- */

static bool
turn_wait(struct store *st, int64_t id, int64_t until_ms, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "INSERT INTO waiting (turn_id, until_ms) "
	    "SELECT id, ?2 FROM turn WHERE id = ?1 AND state = 'closed' "
	    "ON CONFLICT (turn_id) DO UPDATE SET "
	    "until_ms = excluded.until_ms", err, "ii", id, until_ms) &&
	    store_db_changed(s, "turn", id, "closed", err);
}

static bool
turn_waits_no_more(struct sqlite *s, int64_t id, struct err *err)
{
	return store_db_run(s, "DELETE FROM waiting WHERE turn_id = ?", err,
	    "i", id);
}

static bool
wait_due(struct store *st, int64_t now_ms, int limit, GArray *out,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT turn_id FROM waiting "
	    "WHERE until_ms <= ? ORDER BY until_ms, turn_id LIMIT ?", err,
	    "ii", now_ms, (int64_t)limit);
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		int64_t id = sqlite3_column_int64(q, 0);

		g_array_append_val(out, id);
	}
	return r == 0;
}

static bool
wait_next(struct store *st, int64_t *out, struct err *err)
{
	return store_db_number(SQLITE_OF(st), "SELECT min(until_ms) "
	    "FROM waiting", INT64_MAX, out, err, "");
}

/* ---- writing ----------------------------------------------------------- */

static bool
turn_add(struct store *st, struct turn *t, const char *business,
    const char *kind, enum turn_close_reason reason, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	bool open = reason == TURN_STILL_OPEN;

	if (!store_db_run(s, "INSERT INTO turn (state, conversation, author, "
	    "business, kind, first_at_ms, last_at_ms, opened_ms, touched_ms, "
	    "close_at_ms, items, bytes, closed_why, closed_ms) VALUES "
	    "(?,?,?,?,?,?,?,?,?,?,?,?,?13,CASE WHEN ?13 IS NULL THEN NULL "
	    "ELSE ?9 END)", err, "sssssiiiiiiis", open ? "open" : "closed",
	    t->conversation, t->author, business, kind, t->first_at_ms,
	    t->last_at_ms, t->opened_ms, t->touched_ms, t->close_at_ms,
	    t->items, t->bytes,
	    open ? NULL : turn_close_reason_name(reason)))
		return false;
	t->id = sqlite3_last_insert_rowid(s->db);
	return true;
}

static bool
turn_update(struct store *st, const struct turn *t, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "UPDATE turn SET first_at_ms = ?, "
	    "last_at_ms = ?, touched_ms = ?, close_at_ms = ?, items = ?, "
	    "bytes = ? WHERE id = ? AND state = 'open'", err, "iiiiiii",
	    t->first_at_ms, t->last_at_ms, t->touched_ms, t->close_at_ms,
	    t->items, t->bytes, t->id) &&
	    store_db_changed(s, "turn", t->id, "open", err);
}

static bool
turn_close(struct store *st, int64_t id, enum turn_close_reason reason,
    int64_t now_ms, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "UPDATE turn SET state = 'closed', "
	    "closed_ms = ?, closed_why = ? WHERE id = ? AND state = 'open'",
	    err, "isi", now_ms, turn_close_reason_name(reason), id) &&
	    store_db_changed(s, "turn", id, "open", err);
}

static bool
turn_rendered(struct store *st, int64_t id, const char *message_id,
    const uint8_t *sha256, int64_t now_ms, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "UPDATE turn SET state = 'rendered', "
	    "message_id = ?, sha256 = ?, done_ms = ? "
	    "WHERE id = ? AND state = 'closed'", err, "shii",
	    message_id, sha256, now_ms, id) &&
	    store_db_changed(s, "turn", id, "closed", err) &&
	    turn_waits_no_more(s, id, err);
}

static bool
turn_park(struct store *st, int64_t id, const char *reason, int64_t now_ms,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "UPDATE turn SET state = 'parked', "
	    "parked_why = ?, done_ms = ? "
	    "WHERE id = ? AND state IN ('open', 'closed', 'held')", err,
	    "sii", reason, now_ms, id) &&
	    store_db_changed(s, "turn", id, "waiting to be rendered", err) &&
	    turn_waits_no_more(s, id, err) &&
	    store_sqlite_hold_end(s, id, "parked", now_ms, err);
}

static bool
turn_unpark(struct store *st, int64_t id, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "INSERT INTO turn_unparked (turn_id, why, "
	    "at_ms) SELECT id, parked_why, done_ms FROM turn "
	    "WHERE id = ? AND state = 'parked'", err, "i", id) &&
	    store_db_changed(s, "turn", id, "parked", err) &&
	    store_db_run(s, "UPDATE turn SET state = 'closed', "
	    "parked_why = NULL, done_ms = NULL WHERE id = ?", err, "i", id);
}

const struct store_turn_verbs store_sqlite_turn = {
	.open_list = open_list,
	.due_list = due_list,
	.closed_list = closed_list,
	.next_due = next_due,
	.item_list = item_list,
	.add = turn_add,
	.update = turn_update,
	.close = turn_close,
	.rendered = turn_rendered,
	.park = turn_park,
	.unpark = turn_unpark,
	.wait = turn_wait,
	.wait_due = wait_due,
	.wait_next = wait_next,
	.get = turn_get,
};
