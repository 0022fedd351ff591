/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: the listings, each ordered by the id that `after` goes on from. */
#include "store_sqlite.h"

#define COLUMNS(state, reason, attempts, next) \
	"SELECT m.id, m.turn_id, 0, m.journal, m.message_id, " state ", " \
	reason ", m.queued_ms, " attempts ", " next ", 0, "
/* Who acknowledged it last, and why. */
#define ACKNOWLEDGED(column, id) \
	"(SELECT r.who || ': ' || r.why FROM request r WHERE r." column \
	" = " id " AND r." column " <> 0 AND r.verb = 'acknowledge' " \
	"ORDER BY r.id DESC LIMIT 1) "
#define OF_OUTCOME(state, acknowledged) \
	COLUMNS("o.state", "o.reply", "o.attempts", "o.next_ms") \
	acknowledged "FROM outcome o CROSS JOIN mail m ON m.id = o.mail_id " \
	"WHERE o.state = '" state "' AND o.mail_id > ?2 " \
	"AND (?1 IS NULL OR o.journal = ?1) ORDER BY o.mail_id LIMIT ?3"

/* Up to here every mail of the journal, or of each, has an outcome. */
#define ALL_DONE "(SELECT min(ifnull(c.value, 0)) FROM " \
	"(SELECT DISTINCT journal FROM mail) j LEFT JOIN {deliver}.cursor c " \
	"ON c.name = j.journal || '" STORE_CURSOR_DONE "' " \
	"WHERE ?1 IS NULL OR j.journal = ?1)"

/*
 * Columns in the order of struct store_row's reading below; ?1 journal,
 * ?2 after, ?3 limit; then the id of a file, else 0, and who acknowledged it;
 * of what differs, more. Parked
 * events and turns are listed by the turn's id;
 * an event parked without a turn has none and comes first.
 */
static const char *const lists[] = {
	[STORE_LIST_PENDING] = COLUMNS("'pending'", "NULL", "0", "0")
	    "NULL FROM mail m WHERE m.id > ?2 AND m.id > " ALL_DONE
	    " AND (?1 IS NULL OR m.journal = ?1) "
	    "AND NOT EXISTS (SELECT 1 FROM outcome o WHERE o.mail_id = m.id) "
	    "ORDER BY m.id LIMIT ?3",
	[STORE_LIST_SENT] = OF_OUTCOME("sent", "NULL "),
	[STORE_LIST_DEFERRED] = OF_OUTCOME("deferred", "NULL "),
	[STORE_LIST_FAILED] = OF_OUTCOME("failed",
	    ACKNOWLEDGED("mail_id", "m.id")),
	[STORE_LIST_PARKED] = "SELECT 0, p.turn_id, p.event_id, ?1, NULL, "
	    "'parked', p.reason, p.at_ms, 0, 0, 0, "
	    ACKNOWLEDGED("event_id", "p.event_id") "FROM parked p "
	    "WHERE p.ended_ms = 0 "
	    "AND (p.turn_id > ?2 OR (p.turn_id = 0 AND ?2 = 0)) "
	    "UNION ALL SELECT 0, t.id, 0, NULL, NULL, 'parked', t.parked_why, "
	    "t.done_ms, 0, 0, 0, " ACKNOWLEDGED("turn_id", "t.id")
	    "FROM turn t WHERE t.state = 'parked' AND t.id > ?2 "
	    "ORDER BY 2, 3 LIMIT ?3",
	[STORE_LIST_OPEN] = "SELECT 0, id, 0, ?1, NULL, 'open', NULL, "
	    "opened_ms, 0, close_at_ms, 0, NULL FROM turn WHERE state = 'open' "
	    "AND id > ?2 ORDER BY id LIMIT ?3",
	[STORE_LIST_HELD] = "SELECT 0, t.id, 0, ?1, NULL, 'held', h.rule, "
	    "h.since_ms, 0, h.until_ms, 0, NULL FROM turn t "
	    "CROSS JOIN hold h ON h.turn_id = t.id WHERE t.state = 'held' "
	    "AND t.id > ?2 ORDER BY t.id LIMIT ?3",
	[STORE_LIST_FILES] = "SELECT 0, w.turn_id, w.event_id, ?1, NULL, "
	    "ifnull(f.state, 'wanted'), f.reason, w.wanted_ms, "
	    "ifnull(f.attempts, 0), ifnull(f.next_ms, 0), w.id, NULL "
	    "FROM want w LEFT JOIN fetch f ON f.want_id = w.id "
	    "WHERE w.id > ?2 AND (f.number IS NULL "
	    "OR f.state = 'unavailable') ORDER BY w.id LIMIT ?3",
	[STORE_LIST_DIFFERING] = "SELECT 0, v.turn_id, v.event_id, ?1, "
	    "t.message_id, 'differs', NULL, v.at_ms, v.times, 0, 0, NULL, "
	    "v.id, i.wamid, lower(hex(i.digest)), lower(hex(v.digest)) "
	    "FROM variant v LEFT JOIN item i ON i.key = v.key "
	    "LEFT JOIN turn t ON t.id = v.turn_id "
	    "WHERE v.id > ?2 ORDER BY v.id LIMIT ?3",
};

#define VARIANT_AT 12	/* only of what differs */

static void
read_row(sqlite3_stmt *q, struct store_row *row)
{
	row->mail_id = sqlite3_column_int64(q, 0);
	row->turn_id = sqlite3_column_int64(q, 1);
	row->event_id = sqlite3_column_int64(q, 2);
	row->journal = store_db_text(q, 3);
	row->message_id = store_db_text(q, 4);
	row->state = store_db_text(q, 5);
	row->reason = store_db_text(q, 6);
	row->at_ms = sqlite3_column_int64(q, 7);
	row->attempts = sqlite3_column_int64(q, 8);
	row->next_ms = sqlite3_column_int64(q, 9);
	row->want_id = sqlite3_column_int64(q, 10);
	row->acknowledged = store_db_text(q, 11);
	if (sqlite3_column_count(q) <= VARIANT_AT)
		return;
	row->variant_id = sqlite3_column_int64(q, VARIANT_AT);
	row->wamid = store_db_text(q, VARIANT_AT + 1);
	row->first = store_db_text(q, VARIANT_AT + 2);
	row->digest = store_db_text(q, VARIANT_AT + 3);
}

bool
store_sqlite_list(struct store *st, enum store_list_what what,
    const char *journal, int64_t after, int limit, store_row_fn *fn,
    void *arg, struct err *err)
{
	bool of_mails = what < STORE_LIST_PARKED;
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, lists[what], err, "sii",
	    of_mails ? journal : NULL, after, (int64_t)limit);
	struct store_row row = { 0 };
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		read_row(q, &row);
		if (!fn(arg, &row)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}
