/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: the history of what is known of persons, and kinds of events that
 * nobody knows. */
#include "store_sqlite.h"

#define COLUMNS "i.realm, i.person, i.kind, i.value, i.source, i.first_ms, " \
	"i.until_ms"

static bool
give(struct sqlite *s, sqlite3_stmt *q, store_identity_fn *fn, void *arg,
    struct err *err)
{
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_identity id = {
			.realm = store_db_text(q, 0),
			.person = store_db_text(q, 1),
			.kind = store_db_text(q, 2),
			.value = store_db_text(q, 3),
			.source = store_db_text(q, 4),
			.first_ms = sqlite3_column_int64(q, 5),
			.until_ms = sqlite3_column_int64(q, 6),
		};

		if (!fn(arg, &id)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

/*
 * Of the periods in which the value was the person's, the first that is not
 * over by then: it begins at that time at the latest.
 */
#define PERIOD "SELECT id FROM identity INDEXED BY identity_person " \
	"WHERE realm = ?1 AND person = ?2 AND kind = ?3 AND value = ?4 " \
	"AND (until_ms = 0 OR until_ms > ?5) ORDER BY first_ms, id LIMIT 1"

static bool
identity_add(struct store *st, const struct store_identity *id,
    const char *sought, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!id->is_first && !store_db_run(s, "UPDATE identity SET first_ms = "
	    "min(first_ms, ?5) WHERE id = (" PERIOD ")", err, "ssssi",
	    id->realm, id->person, id->kind, id->value, id->first_ms))
		return false;
	return (!id->is_first && sqlite3_changes(s->db) > 0) || store_db_run(s, "INSERT INTO "
	    "identity (realm, person, kind, value, sought, source, first_ms, "
	    "until_ms) VALUES (?,?,?,?,?,?,?,0)", err, "ssssssi", id->realm,
	    id->person, id->kind, id->value, sought, id->source,
	    id->first_ms);
}

static bool
identity_end(struct store *st, const struct store_identity *id,
    struct err *err)
{
	return store_db_run(SQLITE_OF(st), "UPDATE identity "
	    "INDEXED BY identity_person SET until_ms = max(1, first_ms, ?5) "
	    "WHERE realm = ?1 AND person = ?2 AND kind = ?3 AND value = ?4 "
	    "AND until_ms = 0", err, "ssssi", id->realm, id->person, id->kind,
	    id->value, id->until_ms);
}

static bool
identity_now(struct store *st, const char *realm, const char *person,
    const char *kind, store_identity_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS
	    " FROM identity i INDEXED BY identity_person "
	    "WHERE i.realm = ?1 AND i.person = ?2 AND i.until_ms = 0 "
	    "AND (?3 IS NULL OR i.kind = ?3) "
	    "ORDER BY i.first_ms DESC, i.id DESC", err, "sss", realm, person,
	    kind);

	return give(s, q, fn, arg, err);
}

static bool
identity_owner(struct store *st, const char *realm, const char *kind,
    const char *sought, int64_t at_ms, char **person, struct err *err)
{
	return store_db_string(SQLITE_OF(st), "SELECT person FROM identity "
	    "INDEXED BY identity_sought WHERE sought = ? AND realm = ? "
	    "AND kind = ? AND first_ms <= ?4 "
	    "AND (until_ms = 0 OR until_ms > ?4) "
	    "ORDER BY first_ms DESC, id DESC LIMIT 1", person, err, "sssi",
	    sought, realm, kind, at_ms);
}

/* Those who ever had it, each once, then all that is known of them. */
static bool
identity_trace(struct store *st, const char *value, const char *bare,
    const char *username, store_identity_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT " COLUMNS " FROM "
	    "(SELECT realm, person FROM identity INDEXED BY identity_sought "
	    "WHERE sought IN (?1, ?2) UNION SELECT realm, person "
	    "FROM identity INDEXED BY identity_sought "
	    "WHERE sought = ?3 AND kind = 'username') p "
	    "CROSS JOIN identity i INDEXED BY identity_person "
	    "ON i.realm = p.realm AND i.person = p.person "
	    "ORDER BY i.first_ms, i.id", err, "sss", value, bare, username);

	return give(s, q, fn, arg, err);
}

const struct store_identity_verbs store_sqlite_identity = {
	.add = identity_add,
	.end = identity_end,
	.now = identity_now,
	.owner = identity_owner,
	.trace = identity_trace,
};

/* ---- novelties ------------------------------------------------------------------ */

bool
store_sqlite_novelty_add(struct store *st, const char *field,
    const char *word, int64_t at_ms, bool *first, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "UPDATE novelty SET count = count + 1, "
	    "first_ms = min(first_ms, ?3), last_ms = max(last_ms, ?3) "
	    "WHERE field = ?1 AND word = ?2", err, "ssi", field, word, at_ms))
		return false;
	*first = sqlite3_changes(s->db) == 0;
	return !*first || store_db_run(s, "INSERT INTO novelty (field, word, "
	    "count, first_ms, last_ms) VALUES (?1,?2,1,?3,?3)", err, "ssi",
	    field, word, at_ms);
}
