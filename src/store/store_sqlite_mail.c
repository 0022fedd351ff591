/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: contents, mails, their outcomes, and the acts of a person. */
#include "store_sqlite.h"

/* ---- build ------------------------------------------------------------- */

static bool
content_add(struct store *st, int64_t turn_id, const void *bytes, size_t len,
    const uint8_t *sha256, int64_t *id, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "INSERT INTO content (turn_id, sha256, size, "
	    "bytes) VALUES (?,?,?,?)", err, "ihib", turn_id, sha256,
	    (int64_t)len, len == 0 ? "" : bytes, len))
		return false;
	*id = sqlite3_last_insert_rowid(s->db);
	return true;
}

static bool
content_add_file(struct store *st, int64_t turn_id, const char *name,
    size_t len, const uint8_t *sha256, int64_t *id, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "INSERT INTO content (turn_id, sha256, size) "
	    "VALUES (?,?,?)", err, "ihi", turn_id, sha256, (int64_t)len))
		return false;
	*id = sqlite3_last_insert_rowid(s->db);
	return store_db_run(s, "INSERT INTO content_file (content_id, name) "
	    "VALUES (?,?)", err, "is", *id, name);
}

static bool
mail_add(struct store *st, const struct store_mail *m, int64_t *id,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "INSERT INTO mail (turn_id, content_id, journal, "
	    "message_id, envelope_from, envelope_to, queued_ms) "
	    "VALUES (?,?,?,?,?,?,?)", err, "iissssi", m->turn_id,
	    m->content_id, m->journal, m->message_id, m->envelope_from,
	    m->envelope_to, m->queued_ms))
		return false;
	if (s->untrailed >= 0)
		s->untrailed++;
	if (id != NULL)
		*id = sqlite3_last_insert_rowid(s->db);
	return true;
}

/* ---- deliver ----------------------------------------------------------- */

#define MAIL_COLUMNS "m.id, m.turn_id, m.content_id, m.journal, " \
	"m.message_id, m.envelope_from, m.envelope_to, m.queued_ms, " \
	"c.sha256, c.bytes, c.size, CASE typeof(c.bytes) WHEN 'null' THEN " \
	"(SELECT x.name FROM content_file x WHERE x.content_id = c.id) END"

/* file: to be freed once the mail has been given. */
static void
read_mail(struct sqlite *s, sqlite3_stmt *q, struct store_mail *m,
    char **file)
{
	const char *name = store_db_text(q, 11);

	m->id = sqlite3_column_int64(q, 0);
	m->turn_id = sqlite3_column_int64(q, 1);
	m->content_id = sqlite3_column_int64(q, 2);
	m->journal = store_db_text(q, 3);
	m->message_id = store_db_text(q, 4);
	m->envelope_from = store_db_text(q, 5);
	m->envelope_to = store_db_text(q, 6);
	m->queued_ms = sqlite3_column_int64(q, 7);
	store_db_digest(q, 8, m->sha256);
	m->bytes = store_db_blob(q, 9, &m->len);
	if (name != NULL) {
		*file = g_build_filename(store_dir(&s->base, STORE_DIR_MAIL),
		    name, NULL);
		m->len = (size_t)sqlite3_column_int64(q, 10);
	}
	m->file = *file;
	m->attempts = sqlite3_column_int64(q, 12);
	m->first_ms = sqlite3_column_int64(q, 13);
}

static bool
give_mails(struct sqlite *s, sqlite3_stmt *q, store_mail_fn *fn, void *arg,
    struct err *err)
{
	struct store_mail m;
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		g_autofree char *file = NULL;

		read_mail(s, q, &m, &file);
		if (!fn(arg, &m)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

static bool
mail_pending(struct store *st, const char *journal, int64_t first,
    int64_t last, int limit, store_mail_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " MAIL_COLUMNS ", 0, 0 "
	    "FROM mail m CROSS JOIN content c ON c.id = m.content_id "
	    "WHERE m.journal = ? AND m.id BETWEEN ? AND ? AND NOT EXISTS "
	    "(SELECT 1 FROM outcome o WHERE o.mail_id = m.id) "
	    "ORDER BY m.id LIMIT ?", err, "siii", journal, first, last,
	    (int64_t)limit);

	return give_mails(s, q, fn, arg, err);
}

/*
 * After an outage hundreds of thousands may be due: then sorting all of them
 * for each few would cost more than sending them.
 */
#define DUE_WINDOW 256

static bool
mail_due(struct store *st, const char *journal, int64_t now_ms, int limit,
    store_mail_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " MAIL_COLUMNS ", "
	    "o.attempts, o.first_ms FROM (SELECT mail_id FROM (SELECT mail_id "
	    "FROM outcome WHERE state = 'deferred' AND journal = ?1 "
	    "AND next_ms <= ?2 ORDER BY next_ms, mail_id LIMIT ?4) "
	    "ORDER BY mail_id LIMIT ?3) d "
	    "CROSS JOIN outcome o ON o.mail_id = d.mail_id "
	    "CROSS JOIN mail m ON m.id = d.mail_id "
	    "CROSS JOIN content c ON c.id = m.content_id "
	    "ORDER BY d.mail_id", err, "siii", journal, now_ms,
	    (int64_t)limit, MAX((int64_t)limit * 8, DUE_WINDOW));

	return give_mails(s, q, fn, arg, err);
}

static bool
mail_failed(struct store *st, const char *journal, int64_t after, int limit,
    store_mail_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " MAIL_COLUMNS ", "
	    "o.attempts, o.first_ms FROM outcome o "
	    "CROSS JOIN mail m ON m.id = o.mail_id "
	    "CROSS JOIN content c ON c.id = m.content_id "
	    "WHERE o.state = 'failed' AND o.mail_id > ?2 "
	    "AND (?1 IS NULL OR o.journal = ?1) "
	    "ORDER BY o.mail_id LIMIT ?3", err, "sii", journal, after,
	    (int64_t)limit);

	return give_mails(s, q, fn, arg, err);
}

static bool
mail_get(struct store *st, int64_t id, store_mail_fn *fn, void *arg,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " MAIL_COLUMNS ", "
	    "ifnull(o.attempts, 0), ifnull(o.first_ms, 0) FROM mail m "
	    "CROSS JOIN content c ON c.id = m.content_id "
	    "LEFT JOIN outcome o ON o.mail_id = m.id WHERE m.id = ?", err,
	    "i", id);

	return give_mails(s, q, fn, arg, err);
}

static bool
mail_next_due(struct store *st, const char *journal, int64_t *out,
    struct err *err)
{
	return store_db_number(SQLITE_OF(st), "SELECT min(next_ms) "
	    "FROM outcome WHERE state = 'deferred' AND journal = ?",
	    INT64_MAX, out, err, "s", journal);
}

static bool
mail_last(struct store *st, const char *journal, int64_t *out,
    struct err *err)
{
	return store_db_number(SQLITE_OF(st), "SELECT max(id) FROM mail "
	    "WHERE journal = ?", 0, out, err, "s", journal);
}

static bool
outcome_set(struct store *st, const struct store_outcome *o, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO outcome (mail_id, "
	    "journal, state, attempts, first_ms, last_ms, next_ms, code, "
	    "reply) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (mail_id) "
	    "DO UPDATE SET state = excluded.state, "
	    "attempts = excluded.attempts, first_ms = excluded.first_ms, "
	    "last_ms = excluded.last_ms, next_ms = excluded.next_ms, "
	    "code = excluded.code, reply = excluded.reply "
	    "WHERE outcome.state <> 'sent'", err, "issiiiiis", o->mail_id,
	    o->journal, store_outcome_name(o->state), o->attempts,
	    o->first_ms, o->last_ms, o->next_ms, (int64_t)o->code,
	    o->reply == NULL ? "" : o->reply);
}

static bool
attempt_add(struct store *st, int64_t mail_id, int64_t at_ms,
    const char *result, int code, const char *reply, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO attempt (mail_id, "
	    "at_ms, result, code, reply) VALUES (?,?,?,?,?)", err, "iisis",
	    mail_id, at_ms, result, (int64_t)code,
	    reply == NULL ? "" : reply);
}

static bool
hurry(struct store *st, const char *journal, int64_t far_ms, int64_t now_ms,
    struct err *err)
{
	return store_db_run(SQLITE_OF(st), "UPDATE outcome SET next_ms = ?3 "
	    "WHERE state = 'deferred' AND journal = ?1 AND next_ms > ?2",
	    err, "sii", journal, far_ms, now_ms);
}

static bool
relay_set(struct store *st, const char *name, bool up, int64_t since_ms,
    int64_t next_ms, const char *reason, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO relay (name, up, "
	    "since_ms, next_ms, reason) VALUES (?,?,?,?,?) "
	    "ON CONFLICT (name) DO UPDATE SET up = excluded.up, "
	    "since_ms = excluded.since_ms, next_ms = excluded.next_ms, "
	    "reason = excluded.reason", err, "siiis", name, (int64_t)up,
	    since_ms, next_ms, reason == NULL ? "" : reason);
}

/* ---- admin ------------------------------------------------------------- */

static bool
action_add(struct store *st, const struct store_action *a, int64_t *id,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "INSERT INTO action (at_ms, who, verb, mail_id, "
	    "journal) VALUES (?,?,?,?,?)", err, "issis", a->at_ms, a->who,
	    a->verb, a->mail_id, a->journal))
		return false;
	if (id != NULL)
		*id = sqlite3_last_insert_rowid(s->db);
	return true;
}

static bool
action_list(struct store *st, int64_t after, store_action_fn *fn, void *arg,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT id, at_ms, who, verb, "
	    "mail_id, journal FROM action WHERE id > ? ORDER BY id", err, "i",
	    after);
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_action a = {
			.id = sqlite3_column_int64(q, 0),
			.at_ms = sqlite3_column_int64(q, 1),
			.who = store_db_text(q, 2),
			.verb = store_db_text(q, 3),
			.mail_id = sqlite3_column_int64(q, 4),
			.journal = store_db_text(q, 5),
		};

		if (!fn(arg, &a)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

const struct store_mail_verbs store_sqlite_mail = {
	.content_add = content_add,
	.content_add_file = content_add_file,
	.content_purge = store_sqlite_content_purge,
	.add = mail_add,
	.pending = mail_pending,
	.due = mail_due,
	.failed = mail_failed,
	.get = mail_get,
	.next_due = mail_next_due,
	.last = mail_last,
};

static bool
request_add(struct store *st, const struct store_request *r, int64_t *id,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "INSERT INTO request (at_ms, who, verb, mail_id, "
	    "turn_id, event_id, why) VALUES (?,?,?,?,?,?,?)", err, "issiiis",
	    r->at_ms, r->who, r->verb, r->mail_id, r->turn_id, r->event_id,
	    r->why == NULL ? "" : r->why))
		return false;
	if (id != NULL)
		*id = sqlite3_last_insert_rowid(s->db);
	return true;
}

static bool
request_list(struct store *st, int64_t after, int limit,
    store_request_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT id, at_ms, who, verb, "
	    "mail_id, turn_id, event_id, why FROM request WHERE id > ? "
	    "ORDER BY id LIMIT ?", err, "ii", after, (int64_t)limit);
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_request row = {
			.id = sqlite3_column_int64(q, 0),
			.at_ms = sqlite3_column_int64(q, 1),
			.who = store_db_text(q, 2),
			.verb = store_db_text(q, 3),
			.mail_id = sqlite3_column_int64(q, 4),
			.turn_id = sqlite3_column_int64(q, 5),
			.event_id = sqlite3_column_int64(q, 6),
			.why = store_db_text(q, 7),
		};

		if (!fn(arg, &row)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

const struct store_delivery_verbs store_sqlite_delivery = {
	.outcome_set = outcome_set,
	.attempt_add = attempt_add,
	.hurry = hurry,
	.relay_set = relay_set,
	.action_add = action_add,
	.request_add = request_add,
	.request_list = request_list,
	.action_list = action_list,
};
