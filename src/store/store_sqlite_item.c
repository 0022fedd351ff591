/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: items, their sightings, and aliases of persons. */
#include "store_sqlite.h"

#include <string.h>

static bool
item_seen(struct store *st, const uint8_t *key, const uint8_t *digest,
    enum store_seen *out, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT digest FROM item "
	    "WHERE key = ?", err, "h", key);
	uint8_t old[HASH_SIZE];
	int r = store_db_step(s, q, err);

	if (r < 0)
		return false;
	*out = STORE_NEW;
	if (r == 0)
		return true;
	store_db_digest(q, 0, old);
	store_db_end(q);
	*out = memcmp(old, digest, HASH_SIZE) == 0 ? STORE_SAME :
	    STORE_DIFFERS;
	return true;
}

static bool
item_add(struct store *st, const struct store_item *it, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	uint8_t key[HASH_SIZE];

	store_key(it->key, key);
	if (!store_db_run(s, "INSERT INTO item (key, event_id, "
	    "turn_id, wamid, target, kind, type, at_ms, digest) "
	    "VALUES (?,?,nullif(?,0),?,?,?,?,?,?)", err, "hiissssih", key,
	    it->event_id, it->turn_id, it->id, it->target, it->kind, it->type,
	    it->at_ms, it->digest))
		return false;
	if (s->untrailed >= 0)
		s->untrailed++;
	return true;
}

static bool
sighting_add(struct store *st, const uint8_t *key, int64_t event_id,
    int64_t at_ms, bool same, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO sighting (key, "
	    "event_id, at_ms, same) VALUES (?,?,?,?)", err, "hiii", key,
	    event_id, at_ms, (int64_t)same);
}

static bool
variant_add(struct store *st, const uint8_t *key, const uint8_t *digest,
    int64_t event_id, int64_t at_ms, int64_t *nth, bool *is_new,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "UPDATE variant SET times = times + 1 "
	    "WHERE key = ? AND digest = ?", err, "hh", key, digest))
		return false;
	*is_new = sqlite3_changes(s->db) == 0;
	if (*is_new && !store_db_run(s, "INSERT INTO variant (key, digest, "
	    "event_id, at_ms, times) VALUES (?,?,?,?,1)", err, "hhii", key,
	    digest, event_id, at_ms))
		return false;
	return store_db_number(s, "SELECT count(*) FROM variant v "
	    "WHERE v.key = ?1 AND v.id <= (SELECT id FROM variant "
	    "WHERE key = ?1 AND digest = ?2)", 0, nth, err, "hh", key, digest);
}

static bool
variant_filed(struct store *st, const uint8_t *key, const uint8_t *digest,
    int64_t turn_id, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "UPDATE variant SET turn_id = ? "
	    "WHERE key = ? AND digest = ?", err, "ihh", turn_id, key, digest);
}

static bool
message_id(struct store *st, const uint8_t *key, char **out, struct err *err)
{
	return store_db_string(SQLITE_OF(st), "SELECT t.message_id FROM item i "
	    "JOIN turn t ON t.id = i.turn_id "
	    "WHERE i.key = ? AND t.state = 'rendered'", out, err, "h", key);
}

#define PLACE "SELECT event_id, turn_id, at_ms, key FROM item WHERE "

/* When there is none the place stays as it was. */
static bool
read_place(struct sqlite *s, sqlite3_stmt *q, struct store_place *place,
    struct err *err)
{
	int r = store_db_step(s, q, err);

	if (r <= 0)
		return r == 0;
	place->event_id = sqlite3_column_int64(q, 0);
	place->turn_id = sqlite3_column_int64(q, 1);
	place->at_ms = sqlite3_column_int64(q, 2);
	store_db_digest(q, 3, place->key);
	store_db_end(q);
	return true;
}

static bool
item_find(struct store *st, struct store_place *place, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return read_place(s, store_db_query(s, PLACE "key = ?", err, "h",
	    place->key), place, err);
}

static bool
item_about(struct store *st, const char *target, const char *kind,
    GArray *out, struct err *err)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_trail_about(s, target, kind, ids, err))
		return false;
	for (guint i = 0; i < ids->len; i++) {
		int64_t id = g_array_index(ids, int64_t, i);
		struct store_place place = { 0 };

		if (!read_place(s, store_db_query(s, PLACE "id = ?", err, "i",
		    id), &place, err))
			return false;
		g_array_append_val(out, place);
	}
	return true;
}

static bool
alias_get(struct store *st, const char *network, const char *id,
    char **person, struct err *err)
{
	return store_db_string(SQLITE_OF(st), "SELECT person FROM alias "
	    "WHERE network = ? AND id = ?", person, err, "ss", network, id);
}

static bool
alias_set(struct store *st, const char *network, const char *id,
    const char *person, int64_t at_ms, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO alias (network, id, "
	    "person, first_ms, last_ms) VALUES (?1,?2,?3,?4,?4) "
	    "ON CONFLICT (network, id) DO UPDATE SET "
	    "person = excluded.person, last_ms = excluded.last_ms", err,
	    "sssi", network, id, person, at_ms);
}

static bool
alias_other(struct store *st, const char *network, const char *person,
    const char *prefix, char **id, struct err *err)
{
	return store_db_string(SQLITE_OF(st), "SELECT id FROM alias INDEXED BY alias_person "
	    "WHERE network = ?1 AND person = ?2 "
	    "AND substr(id, 1, length(?3)) = ?3 "
	    "ORDER BY last_ms DESC, id LIMIT 1", id, err, "sss", network,
	    person, prefix);
}

const struct store_item_verbs store_sqlite_item = {
	.seen = item_seen,
	.add = item_add,
	.sighting_add = sighting_add,
	.variant_add = variant_add,
	.variant_filed = variant_filed,
	.message_id = message_id,
	.find = item_find,
	.about = item_about,
	.novelty_add = store_sqlite_novelty_add,
	.alias_get = alias_get,
	.alias_set = alias_set,
	.alias_other = alias_other,
};
