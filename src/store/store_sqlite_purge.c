/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: forgetting content that every journal has. Bodies of events and
 * bytes of mails go; the rows that prove them stay.
 *
 * A cursor goes forward once over everything. What cannot be purged when it
 * comes by (a mail deferred or failed) is marked in a table of its own, and
 * these few are looked at again in turn. So no call looks at more than twice
 * its limit, and nothing is ever forgotten too early.
 */
#include "store_sqlite.h"

/* Something is not done: not rendered, or with a mail that is not sent. */
#define UNDONE(turn_id) \
	"(NOT EXISTS (SELECT 1 FROM turn t WHERE t.id = " turn_id \
	" AND t.state = 'rendered')" \
	" OR EXISTS (SELECT 1 FROM mail m LEFT JOIN outcome o" \
	" ON o.mail_id = m.id WHERE m.turn_id = " turn_id \
	" AND (o.state IS NULL OR o.state <> 'sent')))"
#define EVENT_DONE \
	"NOT EXISTS (SELECT 1 FROM item i WHERE i.event_id = e.id AND " \
	"i.turn_id IS NOT NULL AND " \
	UNDONE("i.turn_id") ") AND NOT EXISTS (SELECT 1 FROM parked p " \
	"WHERE p.event_id = e.id AND " UNDONE("p.turn_id") ")"

#define MAILS_OF(c) \
	"SELECT 1 FROM mail m LEFT JOIN outcome o ON o.mail_id = m.id " \
	"WHERE m.turn_id = " c ".turn_id AND m.content_id = " c ".id"
#define CONTENT_DONE \
	"EXISTS (" MAILS_OF("c") ") AND NOT EXISTS (" MAILS_OF("c") \
	" AND (o.state IS NULL OR o.state <> 'sent' OR o.last_ms >= ?2))"

/*
 * The two looks take ?1 the id to go on after, ?2 before_ms, ?3 a limit, and
 * give id, whether it is too young (then the cursor stops), whether done.
 */
struct kind {
	enum store_file file;
	const char *cursor, *cursor_left, *count;
	const char *look, *look_left;
	const char *forget, *leave, *unleave;
};

static const struct kind events = {
	.file = STORE_INTAKE,
	.cursor = "purge", .cursor_left = "purge/left", .count = "purged",
	.look = "SELECT e.id, e.received_ms >= ?2, " EVENT_DONE
	    " FROM event e WHERE e.id > ?1 AND e.id <= "
	    "(SELECT value FROM {build}.cursor WHERE name = '"
	    STORE_CURSOR_EVENTS "') ORDER BY e.id LIMIT ?3",
	.look_left = "SELECT e.id, 0, e.received_ms < ?2 AND " EVENT_DONE
	    " FROM event_left l CROSS JOIN event e ON e.id = l.id "
	    "WHERE l.id > ?1 ORDER BY l.id LIMIT ?3",
	.forget = "UPDATE event SET body = NULL WHERE id = ?",
	.leave = "INSERT INTO event_left (id) VALUES (?)",
	.unleave = "DELETE FROM event_left WHERE id = ?",
};

/* A mail queued after before_ms cannot have been sent before it. */
static const struct kind contents = {
	.file = STORE_BUILD,
	.cursor = "purge", .cursor_left = "purge/left", .count = "purged",
	.look = "SELECT c.id, EXISTS (" MAILS_OF("c")
	    " AND m.queued_ms >= ?2), " CONTENT_DONE
	    " FROM content c WHERE c.id > ?1 ORDER BY c.id LIMIT ?3",
	.look_left = "SELECT c.id, 0, " CONTENT_DONE " FROM content_left l "
	    "CROSS JOIN content c ON c.id = l.id "
	    "WHERE l.id > ?1 ORDER BY l.id LIMIT ?3",
	.forget = "UPDATE content SET bytes = NULL WHERE id = ?",
	.leave = "INSERT INTO content_left (id) VALUES (?)",
	.unleave = "DELETE FROM content_left WHERE id = ?",
};

struct seen {
	int64_t id;
	bool done;
};

struct purge {
	struct sqlite *s;
	const struct kind *kind;
	int64_t before_ms;
	int limit;
	int64_t n;
};

/* Read whole before anything is written; ends at what is too young. */
static bool
look(struct purge *p, const char *sql, int64_t after, GArray *out,
    struct err *err)
{
	sqlite3_stmt *q = store_db_query(p->s, sql, err, "iii", after,
	    p->before_ms, (int64_t)p->limit);
	int r;

	while ((r = store_db_step(p->s, q, err)) > 0) {
		struct seen seen = {
			.id = sqlite3_column_int64(q, 0),
			.done = sqlite3_column_int64(q, 2) != 0,
		};

		if (sqlite3_column_int64(q, 1) != 0) {
			store_db_end(q);
			return true;
		}
		g_array_append_val(out, seen);
	}
	return r == 0;
}

static bool
forget(struct purge *p, int64_t id, struct err *err)
{
	p->n++;
	return store_db_run(p->s, p->kind->forget, err, "i", id);
}

static bool
get(struct purge *p, const char *name, int64_t *value, struct err *err)
{
	return store_sqlite_progress.cursor_get(&p->s->base, p->kind->file,
	    name, value, err);
}

static bool
set(struct purge *p, const char *name, int64_t value, struct err *err)
{
	return store_sqlite_progress.cursor_set(&p->s->base, p->kind->file,
	    name, value, err);
}

static bool
purge_fresh(struct purge *p, struct err *err)
{
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(struct seen));
	int64_t at;

	if (!get(p, p->kind->cursor, &at, err) ||
	    !look(p, p->kind->look, at, seen, err))
		return false;
	for (guint i = 0; i < seen->len; i++) {
		const struct seen *it = &g_array_index(seen, struct seen, i);
		bool ok = it->done ? forget(p, it->id, err) :
		    store_db_run(p->s, p->kind->leave, err, "i", it->id);

		if (!ok)
			return false;
		at = it->id;
	}
	return seen->len == 0 || set(p, p->kind->cursor, at, err);
}

static bool
purge_left(struct purge *p, struct err *err)
{
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(struct seen));
	int64_t at, old;

	if (!get(p, p->kind->cursor_left, &old, err) ||
	    !look(p, p->kind->look_left, old, seen, err))
		return false;
	at = 0;
	for (guint i = 0; i < seen->len; i++) {
		const struct seen *it = &g_array_index(seen, struct seen, i);

		if (it->done && (!forget(p, it->id, err) ||
		    !store_db_run(p->s, p->kind->unleave, err, "i", it->id)))
			return false;
		at = it->id;
	}
	/* After the last one, from the first again. */
	if ((int)seen->len < p->limit)
		at = 0;
	return at == old || set(p, p->kind->cursor_left, at, err);
}

static bool
purge(struct store *st, const struct kind *kind, int64_t before_ms,
    int limit, int64_t *n, struct err *err)
{
	struct purge p = { .s = SQLITE_OF(st), .kind = kind,
		.before_ms = before_ms, .limit = limit };
	int64_t total;

	/* First those left before: a fresh one left now is looked at later. */
	if (!purge_left(&p, err) || !purge_fresh(&p, err))
		return false;
	*n = p.n;
	if (p.n == 0)
		return true;
	return get(&p, kind->count, &total, err) &&
	    set(&p, kind->count, total + p.n, err);
}

bool
store_sqlite_event_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	return purge(st, &events, before_ms, limit, n, err);
}

bool
store_sqlite_content_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	return purge(st, &contents, before_ms, limit, n, err);
}
