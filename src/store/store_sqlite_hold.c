/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: turns that a rule withholds, and those of which only a record is
 * journaled. The state of the turn and the row of its hold change together;
 * whatever does not fit is refused as the caller's error, so that no turn is
 * held without an end.
 */
#include "store_sqlite.h"

#define COLUMNS "h.turn_id, h.rule, h.since_ms, h.until_ms, h.persons, " \
	"h.ended_ms, h.how"

static bool
give(struct sqlite *s, sqlite3_stmt *q, store_hold_fn *fn, void *arg,
    struct err *err)
{
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_hold h = {
			.turn_id = sqlite3_column_int64(q, 0),
			.rule = store_db_text(q, 1),
			.since_ms = sqlite3_column_int64(q, 2),
			.until_ms = sqlite3_column_int64(q, 3),
			.persons = sqlite3_column_int64(q, 4),
			.ended_ms = sqlite3_column_int64(q, 5),
			.end = store_db_text(q, 6),
		};

		if (!fn(arg, &h)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

static bool
hold(struct store *st, const struct store_hold *h, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "UPDATE turn SET state = 'held' "
	    "WHERE id = ? AND state = 'closed'", err, "i", h->turn_id) &&
	    store_db_changed(s, "turn", h->turn_id, "closed", err) &&
	    store_db_run(s, "INSERT INTO hold (turn_id, rule, since_ms, "
	    "until_ms, persons) VALUES (?,?,?,?,?)", err, "isiii",
	    h->turn_id, h->rule, h->since_ms, h->until_ms, h->persons) &&
	    store_db_run(s, "DELETE FROM waiting WHERE turn_id = ?", err, "i",
	    h->turn_id);
}

bool
store_sqlite_hold_end(struct sqlite *s, int64_t turn_id, const char *end,
    int64_t now_ms, struct err *err)
{
	return store_db_run(s, "UPDATE hold SET ended_ms = max(1, ?), "
	    "how = ? WHERE turn_id = ? AND ended_ms = 0", err, "isi", now_ms,
	    end, turn_id);
}

static bool
unhold(struct store *st, int64_t turn_id, const char *end, int64_t now_ms,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_hold_end_is_known(end))
		return err_set(err, ERR_PERM, "store.state",
		    "a hold does not end as %s", end);
	return store_db_run(s, "UPDATE turn SET state = 'closed' "
	    "WHERE id = ? AND state = 'held'", err, "i", turn_id) &&
	    store_db_changed(s, "turn", turn_id, "held", err) &&
	    store_sqlite_hold_end(s, turn_id, end, now_ms, err);
}

static bool
hold_get(struct store *st, int64_t turn_id, store_hold_fn *fn, void *arg,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return give(s, store_db_query(s, "SELECT " COLUMNS " FROM hold h "
	    "WHERE h.turn_id = ?", err, "i", turn_id), fn, arg, err);
}

/* By the few turns that are held, not by all that ever were. */
static bool
hold_list(struct store *st, int64_t after, int limit, store_hold_fn *fn,
    void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return give(s, store_db_query(s, "SELECT " COLUMNS " FROM turn t "
	    "CROSS JOIN hold h ON h.turn_id = t.id WHERE t.state = 'held' "
	    "AND t.id > ? ORDER BY t.id LIMIT ?", err, "ii", after,
	    (int64_t)limit), fn, arg, err);
}

/* One that begins later than now was made before the clock was set back. */
static bool
due(struct store *st, int64_t now_ms, int limit, GArray *out,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT turn_id FROM hold "
	    "WHERE ended_ms = 0 AND (until_ms <= ?1 OR since_ms - ?3 > ?1) "
	    "ORDER BY until_ms, turn_id LIMIT ?2", err, "iii", now_ms,
	    (int64_t)limit, STORE_HOLD_SLACK_MS);
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		int64_t id = sqlite3_column_int64(q, 0);

		g_array_append_val(out, id);
	}
	return r == 0;
}

static bool
next_due(struct store *st, int64_t *out, struct err *err)
{
	return store_db_number(SQLITE_OF(st), "SELECT min(until_ms) "
	    "FROM hold WHERE ended_ms = 0", INT64_MAX, out, err, "");
}

static bool
excluded(struct store *st, int64_t turn_id, const char *why, int64_t now_ms,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "INSERT INTO excluded (turn_id, why, at_ms) "
	    "SELECT id, ?2, ?3 FROM turn WHERE id = ?1 "
	    "AND state IN ('closed', 'rendered')", err, "isi", turn_id, why,
	    now_ms) &&
	    store_db_changed(s, "turn", turn_id, "closed", err);
}

const struct store_hold_verbs store_sqlite_hold = {
	.hold = hold,
	.unhold = unhold,
	.get = hold_get,
	.list = hold_list,
	.due = due,
	.next_due = next_due,
	.excluded = excluded,
	.review_add = store_sqlite_review_add,
	.review_list = store_sqlite_review_list,
	.review_of = store_sqlite_review_of,
};
