/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: from a wamid or Message-ID to the turns that have it.
 *
 * Build adds hashes of ids in runs: whenever enough items and mails have
 * come, those since the last run are read back, sorted, and added as the next
 * one, in the transaction that is about to commit. A search probes each run
 * and looks through the few rows that are in none yet. What a hash finds is
 * compared, so that a collision finds nothing.
 */
#include "store_sqlite.h"

#include <string.h>

/* Rows in no run before one is added: some 10 ms of work, then a search. */
#define RUN_ROWS 8192

/* An item that is only recorded has no turn: its event, below zero. */
#define PLACE "ifnull(turn_id, -event_id)"

struct mark {
	int64_t hash, turn_id;
};

static int64_t
hash_of(const char *id)
{
	uint8_t digest[HASH_SIZE];
	int64_t hash;

	hash_sha256(id, strlen(id), digest);
	memcpy(&hash, digest, sizeof(hash));
	return GINT64_FROM_BE(hash);
}

/* ---- growing ----------------------------------------------------------- */

/* Rows of turn id and two ids, either of which may be NULL. */
static bool
read_marks(struct sqlite *s, sqlite3_stmt *q, GArray *marks, struct err *err)
{
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		for (int i = 1; i <= 2; i++) {
			const char *id = store_db_text(q, i);
			struct mark m = {
				.turn_id = sqlite3_column_int64(q, 0),
			};

			if (id == NULL)
				continue;
			m.hash = hash_of(id);
			g_array_append_val(marks, m);
		}
	}
	return r == 0;
}

static gint
by_hash(gconstpointer a, gconstpointer b)
{
	const struct mark *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->turn_id > y->turn_id) - (x->turn_id < y->turn_id);
}

static bool
add_marks(struct sqlite *s, GArray *marks, int64_t run, struct err *err)
{
	g_array_sort(marks, by_hash);
	for (guint i = 0; i < marks->len; i++) {
		const struct mark *m = &g_array_index(marks, struct mark, i);

		if (!store_db_run(s, "INSERT INTO trail (run, hash, turn_id) "
		    "VALUES (?,?,?) ON CONFLICT DO NOTHING", err, "iii", run,
		    m->hash, m->turn_id))
			return false;
	}
	return true;
}

static bool
get(struct sqlite *s, const char *name, int64_t *value, struct err *err)
{
	return store_sqlite_progress.cursor_get(&s->base, STORE_BUILD, name,
	    value, err);
}

static bool
set(struct sqlite *s, const char *name, int64_t value, struct err *err)
{
	return store_sqlite_progress.cursor_set(&s->base, STORE_BUILD, name,
	    value, err);
}

static bool
last_ids(struct sqlite *s, int64_t *item, int64_t *mail, struct err *err)
{
	return store_db_number(s, "SELECT max(id) FROM item", 0, item, err,
	    "") &&
	    store_db_number(s, "SELECT max(id) FROM mail", 0, mail, err, "");
}

static bool
add_run(struct sqlite *s, struct err *err)
{
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE,
	    sizeof(struct mark));
	int64_t item, mail, last_item, last_mail, run;

	if (!get(s, "trail/item", &item, err) ||
	    !get(s, "trail/mail", &mail, err) ||
	    !get(s, "trail/run", &run, err) ||
	    !last_ids(s, &last_item, &last_mail, err) ||
	    !read_marks(s, store_db_query(s, "SELECT " PLACE ", wamid, "
	    "target FROM item WHERE id > ?", err, "i", item), marks, err) ||
	    !read_marks(s, store_db_query(s, "SELECT m.turn_id, m.message_id, "
	    "nullif(t.message_id, m.message_id) FROM mail m "
	    "CROSS JOIN turn t ON t.id = m.turn_id WHERE m.id > ?", err, "i",
	    mail), marks, err) ||
	    !add_marks(s, marks, run + 1, err))
		return false;
	s->untrailed = 0;
	return set(s, "trail/item", last_item, err) &&
	    set(s, "trail/mail", last_mail, err) &&
	    set(s, "trail/run", run + 1, err);
}

/* After opening or a rollback nobody has counted. */
static bool
count_untrailed(struct sqlite *s, struct err *err)
{
	int64_t item, mail, last_item, last_mail;

	if (!get(s, "trail/item", &item, err) ||
	    !get(s, "trail/mail", &mail, err) ||
	    !last_ids(s, &last_item, &last_mail, err))
		return false;
	s->untrailed = last_item - item + last_mail - mail;
	return true;
}

bool
store_db_trail_grow(struct sqlite *s, struct err *err)
{
	if (s->base.owns != STORE_BUILD && s->base.owns != STORE_ALL)
		return true;
	if (s->untrailed < 0 && !count_untrailed(s, err))
		return false;
	return s->untrailed < RUN_ROWS || add_run(s, err);
}

/* ---- finding ----------------------------------------------------------- */

static bool
take_ids(struct sqlite *s, sqlite3_stmt *q, GArray *out, struct err *err)
{
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		int64_t id = sqlite3_column_int64(q, 0);

		g_array_append_val(out, id);
	}
	return r == 0;
}

/* All runs so far, to be probed one by one. */
#define RUNS(n) "WITH RECURSIVE run(n) AS " \
	"(SELECT 1 UNION ALL SELECT n + 1 FROM run WHERE n < " n ")"

static bool
find_in_runs(struct sqlite *s, const char *id, GArray *turns, struct err *err)
{
	int64_t runs;

	return get(s, "trail/run", &runs, err) &&
	    take_ids(s, store_db_query(s, RUNS("?3")
	    " SELECT DISTINCT l.turn_id FROM run CROSS JOIN trail l "
	    "ON l.run = run.n AND l.hash = ?2 WHERE EXISTS "
	    "(SELECT 1 FROM item i WHERE i.turn_id = l.turn_id "
	    "AND (i.wamid = ?1 OR i.target = ?1)) OR EXISTS "
	    "(SELECT 1 FROM item i WHERE i.event_id = -l.turn_id "
	    "AND i.turn_id IS NULL "
	    "AND (i.wamid = ?1 OR i.target = ?1)) OR EXISTS "
	    "(SELECT 1 FROM mail m CROSS JOIN turn t ON t.id = m.turn_id "
	    "WHERE m.turn_id = l.turn_id "
	    "AND (m.message_id = ?1 OR t.message_id = ?1))", err, "sii", id,
	    hash_of(id), runs), turns, err);
}

static bool
find_in_rest(struct sqlite *s, const char *id, GArray *turns, struct err *err)
{
	int64_t item, mail;

	return get(s, "trail/item", &item, err) &&
	    get(s, "trail/mail", &mail, err) &&
	    take_ids(s, store_db_query(s, "SELECT " PLACE " FROM item "
	    "WHERE id > ?2 AND (wamid = ?1 OR target = ?1)", err, "si", id,
	    item), turns, err) &&
	    take_ids(s, store_db_query(s, "SELECT m.turn_id FROM mail m "
	    "CROSS JOIN turn t ON t.id = m.turn_id WHERE m.id > ?2 "
	    "AND (m.message_id = ?1 OR t.message_id = ?1)", err, "si", id,
	    mail), turns, err);
}

bool
store_db_trail_find(struct sqlite *s, const char *id, GArray *turns,
    struct err *err)
{
	return find_in_runs(s, id, turns, err) &&
	    find_in_rest(s, id, turns, err);
}

/*
 * In a run of its own each item is found once; the rest has what is in none.
 * By id, which is the order of filing.
 */
bool
store_db_trail_about(struct sqlite *s, const char *target, const char *kind,
    GArray *items, struct err *err)
{
	int64_t runs, item;

	return get(s, "trail/run", &runs, err) &&
	    get(s, "trail/item", &item, err) &&
	    take_ids(s, store_db_query(s, RUNS("?4") ", place(id) AS "
	    "(SELECT DISTINCT l.turn_id FROM run CROSS JOIN trail l "
	    "ON l.run = run.n AND l.hash = ?3) "
	    "SELECT i.id FROM place p CROSS JOIN item i ON i.turn_id = p.id "
	    "WHERE p.id > 0 AND i.target = ?1 AND i.kind = ?2 "
	    "AND i.id <= ?5 UNION "
	    "SELECT i.id FROM place p CROSS JOIN item i "
	    "ON i.event_id = -p.id AND i.turn_id IS NULL "
	    "WHERE p.id < 0 AND i.target = ?1 AND i.kind = ?2 "
	    "AND i.id <= ?5 UNION "
	    "SELECT id FROM item WHERE id > ?5 AND target = ?1 "
	    "AND kind = ?2 ORDER BY 1", err, "ssiii", target, kind,
	    hash_of(target), runs, item), items, err);
}
