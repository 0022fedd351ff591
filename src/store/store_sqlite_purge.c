/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: forgetting content that every journal has. Bodies of events and
 * records, bytes of mails and files go; the rows that prove them stay. A file goes before
 * its row says so: a crash in between leaves a row of a file that is not
 * there and that nobody needs.
 *
 * A cursor goes forward once over everything. What cannot be purged when it
 * comes by (a mail deferred or failed) is marked in a table of its own, and
 * these few are looked at again in turn. So no call looks at more than twice
 * its limit, and nothing is ever forgotten too early.
 */
#include "store_sqlite.h"

#include <string.h>

/* Something is not done: not rendered, or with a mail that is not sent. */
#define UNDONE(turn_id) \
	"(NOT EXISTS (SELECT 1 FROM turn t WHERE t.id = " turn_id \
	" AND t.state = 'rendered')" \
	" OR EXISTS (SELECT 1 FROM mail m LEFT JOIN outcome o" \
	" ON o.mail_id = m.id WHERE m.turn_id = " turn_id \
	" AND (o.state IS NULL OR o.state <> 'sent')))"
#define FETCHED_TO "(SELECT ifnull(max(value), 0) FROM {build}.cursor " \
	"WHERE name = '" STORE_CURSOR_FETCHED "')"
/* A file that is on its way, or came and is not in a mail that was sent. */
#define EXPECTED(w, f) \
	"(" f ".number IS NULL OR " f ".number > " FETCHED_TO \
	" OR (" w ".late = 1 AND NOT EXISTS (SELECT 1 FROM follow_up u " \
	"WHERE u.want_id = " w ".id AND NOT " UNDONE("u.turn_id") ")))"
#define EVENT_DONE \
	"NOT EXISTS (SELECT 1 FROM want w LEFT JOIN fetch f " \
	"ON f.want_id = w.id WHERE w.event_id = e.id AND " \
	EXPECTED("w", "f") ") AND " \
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

/* The turn is rendered, and its mails were all sent before ?2. */
#define SENT_BEFORE(turn_id) \
	"EXISTS (SELECT 1 FROM turn t WHERE t.id = " turn_id \
	" AND t.state = 'rendered') AND NOT EXISTS (SELECT 1 FROM mail m " \
	"LEFT JOIN outcome o ON o.mail_id = m.id WHERE m.turn_id = " turn_id \
	" AND (o.state IS NULL OR o.state <> 'sent' OR o.last_ms >= ?2))"
#define FILE_DONE \
	"CASE WHEN f.path IS NULL THEN 2 WHEN w.late = 0 THEN " \
	SENT_BEFORE("w.turn_id") " ELSE EXISTS (SELECT 1 FROM follow_up u " \
	"WHERE u.want_id = w.id AND " SENT_BEFORE("u.turn_id") ") END"

enum done { NOT_DONE, DONE, NOTHING_THERE };

struct purge;

/*
 * The two looks take ?1 the id to go on after, ?2 before_ms, ?3 a limit, and
 * give id, whether it is too young (then the cursor stops), whether done
 * (enum done). remove_file may say that the file must stay for now.
 */
struct kind {
	enum store_file file;
	const char *cursor, *cursor_left, *count;
	const char *look, *look_left;
	const char *forget, *leave, *unleave;
	const char *forget_too;		/* or NULL */
	bool (*remove_file)(struct purge *, int64_t id, bool *stays,
	    struct err *);
};

struct purge {
	struct sqlite *s;
	const struct kind *kind;
	int64_t before_ms;
	int limit;
	int64_t n;
	GArray *coming;		/* digests of files that are under way */
};

/* ---- files ------------------------------------------------------------------ */

static bool
remove_mail_file(struct purge *p, int64_t id, bool *stays, struct err *err)
{
	g_autofree char *name = NULL;
	int64_t users;

	*stays = false;
	if (!store_db_string(p->s, "SELECT name FROM content_file "
	    "WHERE content_id = ?", &name, err, "i", id))
		return false;
	if (name == NULL)
		return true;
	return store_db_number(p->s, "SELECT count(*) FROM content_file "
	    "WHERE name = ?", 0, &users, err, "s", name) &&
	    (users > 1 || store_file_remove(&p->s->base, STORE_DIR_MAIL, name,
	    err)) &&
	    store_db_run(p->s, "DELETE FROM content_file WHERE content_id = ?",
	    err, "i", id);
}

/*
 * What media is fetching at this moment may be a file that it found to be
 * there already: this must not go. *unknown: some have no digest to tell by.
 */
static bool
read_coming(struct purge *p, bool *unknown, struct err *err)
{
	sqlite3_stmt *q = store_db_query(p->s, "SELECT w.sha256 FROM fetch f "
	    "CROSS JOIN want w ON w.id = f.want_id WHERE f.state = 'trying'",
	    err, "");
	int r;

	*unknown = false;
	while ((r = store_db_step(p->s, q, err)) > 0) {
		const char *declared = store_db_text(q, 0);
		uint8_t digest[HASH_SIZE];

		if (declared != NULL && hash_parse(declared, digest))
			g_array_append_vals(p->coming, digest, 1);
		else
			*unknown = true;
	}
	return r == 0;
}

static bool
is_coming(const struct purge *p, const uint8_t digest[HASH_SIZE])
{
	for (guint i = 0; i < p->coming->len; i++) {
		if (memcmp(p->coming->data + (size_t)i * HASH_SIZE, digest,
		    HASH_SIZE) == 0)
			return true;
	}
	return false;
}

static bool
read_file(struct purge *p, int64_t number, char **path,
    uint8_t digest[HASH_SIZE], struct err *err)
{
	sqlite3_stmt *q = store_db_query(p->s, "SELECT path, sha256 "
	    "FROM fetch WHERE number = ?", err, "i", number);
	int r = store_db_step(p->s, q, err);

	if (r <= 0)
		return r == 0;
	*path = g_strdup(store_db_text(q, 0));
	store_db_digest(q, 1, digest);
	store_db_end(q);
	return true;
}

/* Several wants may share it: whoever is the last one takes it along. */
static bool
remove_media_file(struct purge *p, int64_t number, bool *stays,
    struct err *err)
{
	g_autofree char *path = NULL;
	uint8_t digest[HASH_SIZE];
	int64_t users;

	*stays = false;
	if (!read_file(p, number, &path, digest, err))
		return false;
	if (path == NULL)
		return true;
	if (!store_db_number(p->s, "SELECT count(*) FROM fetch "
	    "WHERE path = ?", 0, &users, err, "s", path))
		return false;
	*stays = users == 1 && is_coming(p, digest);
	return users > 1 || *stays || store_file_remove(&p->s->base,
	    STORE_DIR_MEDIA, path, err);
}

/* ---- kinds ------------------------------------------------------------------ */

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

/*
 * With the last record of a send goes what came and went out, and what was to
 * be said: words of a template, and those that rules added. That it was, by
 * whom, when, and which rules fired of which set, stays.
 */
#define VERDICT_LEFT "CASE WHEN json_valid(verdict) THEN " \
	"json_remove(verdict, '$.additions', '$.tallies') END"
static const struct kind records = {
	.file = STORE_GATEWAY,
	.cursor = "purge", .cursor_left = "purge/left", .count = "purged",
	.look = "SELECT e.id, e.received_ms >= ?2, " EVENT_DONE
	    " FROM record e WHERE e.id > ?1 AND e.id <= "
	    "(SELECT value FROM {build}.cursor WHERE name = '"
	    STORE_CURSOR_RECORDS "') ORDER BY e.id LIMIT ?3",
	.look_left = "SELECT e.id, 0, e.received_ms < ?2 AND " EVENT_DONE
	    " FROM record_left l CROSS JOIN record e ON e.id = l.id "
	    "WHERE l.id > ?1 ORDER BY l.id LIMIT ?3",
	.forget = "UPDATE record SET body = NULL WHERE id = ?",
	.forget_too = "UPDATE send SET request = NULL, sent = NULL, "
	    "answer = NULL, definition = NULL, verdict = " VERDICT_LEFT
	    " WHERE record_id = ? AND state = 'done'",
	.leave = "INSERT INTO record_left (id) VALUES (?)",
	.unleave = "DELETE FROM record_left WHERE id = ?",
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
	.remove_file = remove_mail_file,
	.forget = "UPDATE content SET bytes = NULL WHERE id = ?",
	.leave = "INSERT INTO content_left (id) VALUES (?)",
	.unleave = "DELETE FROM content_left WHERE id = ?",
};

/* What build has not taken up yet is too young, and so is what came lately. */
static const struct kind files = {
	.file = STORE_MEDIA,
	.cursor = "purge", .cursor_left = "purge/left", .count = "purged",
	.look = "SELECT f.number, f.done_ms >= ?2 OR f.number > " FETCHED_TO
	    ", " FILE_DONE " FROM fetch f CROSS JOIN want w "
	    "ON w.id = f.want_id WHERE f.number > ?1 "
	    "ORDER BY f.number LIMIT ?3",
	.look_left = "SELECT f.number, 0, " FILE_DONE " FROM fetch_left l "
	    "CROSS JOIN fetch f ON f.number = l.id "
	    "CROSS JOIN want w ON w.id = f.want_id "
	    "WHERE l.id > ?1 ORDER BY l.id LIMIT ?3",
	.remove_file = remove_media_file,
	.forget = "UPDATE fetch SET path = NULL WHERE number = ?",
	.leave = "INSERT INTO fetch_left (id) VALUES (?)",
	.unleave = "DELETE FROM fetch_left WHERE id = ?",
};

/* ---- the walk ----------------------------------------------------------------- */

struct seen {
	int64_t id;
	enum done done;
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
			.done = (enum done)sqlite3_column_int64(q, 2),
		};

		if (sqlite3_column_int64(q, 1) != 0) {
			store_db_end(q);
			return true;
		}
		g_array_append_val(out, seen);
	}
	return r == 0;
}

/* *gone: it need not be looked at again. */
static bool
forget(struct purge *p, const struct seen *it, bool *gone, struct err *err)
{
	bool stays = false;

	*gone = it->done != NOT_DONE;
	if (it->done != DONE)
		return true;
	if (p->kind->remove_file != NULL &&
	    !p->kind->remove_file(p, it->id, &stays, err))
		return false;
	*gone = !stays;
	if (stays)
		return true;
	p->n++;
	return store_db_run(p->s, p->kind->forget, err, "i", it->id) &&
	    (p->kind->forget_too == NULL ||
	    store_db_run(p->s, p->kind->forget_too, err, "i", it->id));
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
		bool gone;

		if (!forget(p, it, &gone, err) || (!gone &&
		    !store_db_run(p->s, p->kind->leave, err, "i", it->id)))
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
		bool gone;

		if (!forget(p, it, &gone, err) || (gone &&
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
walk(struct purge *p, int64_t *n, struct err *err)
{
	int64_t total;

	/* First those left before: a fresh one left now is looked at later. */
	if (!purge_left(p, err) || !purge_fresh(p, err))
		return false;
	*n = p->n;
	if (p->n == 0)
		return true;
	return get(p, p->kind->count, &total, err) &&
	    set(p, p->kind->count, total + p->n, err);
}

static bool
purge(struct store *st, const struct kind *kind, int64_t before_ms,
    int limit, int64_t *n, struct err *err)
{
	struct purge p = { .s = SQLITE_OF(st), .kind = kind,
		.before_ms = before_ms, .limit = limit };

	return walk(&p, n, err);
}

bool
store_sqlite_event_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	return purge(st, &events, before_ms, limit, n, err);
}

bool
store_sqlite_record_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	return purge(st, &records, before_ms, limit, n, err);
}

/* Files that come late get mails of their own: they are not waited for. */
bool
store_sqlite_record_is_sent(struct store *st, int64_t id, bool *sent,
    struct err *err)
{
	int64_t yes;

	if (!store_db_number(SQLITE_OF(st), "SELECT count(*) > 0 "
	    "AND NOT max(undone) FROM (SELECT " UNDONE("i.turn_id")
	    " AS undone FROM item i WHERE i.event_id = ?1 "
	    "AND i.turn_id IS NOT NULL UNION ALL SELECT " UNDONE("p.turn_id")
	    " FROM parked p WHERE p.event_id = ?1)", 0, &yes, err, "i", id))
		return false;
	*sent = yes != 0;
	return true;
}

bool
store_sqlite_content_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	return purge(st, &contents, before_ms, limit, n, err);
}

bool
store_sqlite_media_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	g_autoptr(GArray) coming = g_array_new(FALSE, FALSE, HASH_SIZE);
	struct purge p = { .s = SQLITE_OF(st), .kind = &files,
		.before_ms = before_ms, .limit = limit, .coming = coming };
	bool unknown;

	*n = 0;
	if (!read_coming(&p, &unknown, err))
		return false;
	return unknown || walk(&p, n, err);
}
