/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: what rules remember. Build and gateway each have a table of their
 * own; a row is the last time that a rule counted somebody.
 */
#include "store_sqlite.h"

/* One text per table. */
#define PER_TABLE(head, tail) { \
	[STORE_BUILD] = head "turn_tally" tail, \
	[STORE_GATEWAY] = head "send_tally" tail }

static bool
counts(enum store_file file, struct err *err)
{
	return file == STORE_BUILD || file == STORE_GATEWAY ||
	    store_tally_refuse(file, err);
}

static bool
tally_add(struct store *st, const struct store_tally *t, int64_t at_ms,
    struct err *err)
{
	static const char *const sql[STORE_FILES] = PER_TABLE("INSERT INTO ",
	    " AS t (rule, subject, who, at_ms) VALUES (?,?,?,?) "
	    "ON CONFLICT (rule, subject, who) DO UPDATE "
	    "SET at_ms = excluded.at_ms WHERE excluded.at_ms > t.at_ms");

	return counts(t->file, err) && store_db_run(SQLITE_OF(st),
	    sql[t->file], err, "sssi", t->rule, t->subject, t->who, at_ms);
}

static bool
tally_count(struct store *st, const struct store_tally *t, int64_t since_ms,
    int64_t *n, struct err *err)
{
	static const char *const sql[STORE_FILES] = PER_TABLE(
	    "SELECT min(?5, count(*) + (?3 IS NOT NULL)) FROM "
	    "(SELECT 1 FROM ", " WHERE rule = ?1 AND subject = ?2 "
	    "AND at_ms >= ?4 AND who IS NOT ?3 LIMIT ?5)");
	int64_t enough = *n > 0 ? *n : INT64_MAX;

	return counts(t->file, err) && store_db_number(SQLITE_OF(st),
	    sql[t->file], 0, n, err, "sssii", t->rule, t->subject, t->who,
	    since_ms, enough);
}

static bool
purge(struct store *st, const char *sql, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, sql, err, "ii", before_ms, (int64_t)limit))
		return false;
	*n = sqlite3_changes(s->db);
	return true;
}

#define PURGE(table) "DELETE FROM " table " WHERE (rule, subject, who) IN " \
	"(SELECT rule, subject, who FROM " table " WHERE at_ms < ?1 " \
	"ORDER BY at_ms LIMIT ?2)"

static bool
purge_turns(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	return purge(st, PURGE("turn_tally"), before_ms, limit, n, err);
}

static bool
purge_sends(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	return purge(st, PURGE("send_tally"), before_ms, limit, n, err);
}

/* ---- texts that were given ------------------------------------------------- */

static bool
told_set(struct store *st, const char *rule, const char *talk, int64_t at_ms,
    struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO told (rule, talk, "
	    "at_ms) VALUES (?,?,?) ON CONFLICT (rule, talk) DO UPDATE "
	    "SET at_ms = max(at_ms, excluded.at_ms)", err, "ssi", rule, talk,
	    at_ms);
}

static bool
told_get(struct store *st, const char *rule, const char *talk,
    int64_t *at_ms, struct err *err)
{
	return store_db_number(SQLITE_OF(st), "SELECT at_ms FROM told "
	    "WHERE rule = ? AND talk = ?", 0, at_ms, err, "ss", rule, talk);
}

const struct store_tally_verbs store_sqlite_tally = {
	.add = tally_add,
	.count = tally_count,
	.purge_turns = purge_turns,
	.purge_sends = purge_sends,
	.told_set = told_set,
	.told_get = told_get,
};
