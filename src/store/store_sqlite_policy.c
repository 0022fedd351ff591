/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: what rules found and what they remember: rule sets, verdicts,
 * consent, alerts, sends that turned out to have left, templates that
 * changed. Rows are small and few: nothing here is written for a turn where
 * no rule fired.
 */
#include "store_sqlite.h"

/* ---- rule sets --------------------------------------------------------------- */

static bool
ruleset_set(struct store *st, const uint8_t *sha256, const void *text,
    size_t len, int64_t at_ms, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	if (!store_db_run(s, "UPDATE ruleset SET last_ms = max(last_ms, ?2), "
	    "first_ms = min(first_ms, ?2) WHERE sha256 = ?1", err, "hi",
	    sha256, at_ms))
		return false;
	/* An empty text is none that can be bound: it has an address. */
	return sqlite3_changes(s->db) > 0 || store_db_run(s, "INSERT INTO "
	    "ruleset (sha256, first_ms, last_ms, text) VALUES (?1,?2,?2,?3)",
	    err, "hib", sha256, at_ms, len == 0 ? "" : text, len);
}

static bool
ruleset_list(struct store *st, store_ruleset_fn *fn, void *arg,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT sha256, first_ms, "
	    "last_ms, text FROM ruleset ORDER BY first_ms, rowid", err, "");
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_ruleset set = {
			.first_ms = sqlite3_column_int64(q, 1),
			.last_ms = sqlite3_column_int64(q, 2),
		};

		store_db_digest(q, 0, set.sha256);
		set.text = store_db_blob(q, 3, &set.len);
		if (!fn(arg, &set)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

/* ---- verdicts ---------------------------------------------------------------- */

static bool
judged_set(struct store *st, int64_t turn_id, const char *json,
    struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO judged (turn_id, "
	    "json) VALUES (?,?) ON CONFLICT (turn_id) DO UPDATE SET "
	    "json = excluded.json", err, "is", turn_id, json);
}

static bool
judged_get(struct store *st, int64_t turn_id, char **json, struct err *err)
{
	return store_db_string(SQLITE_OF(st), "SELECT json FROM judged "
	    "WHERE turn_id = ?", json, err, "i", turn_id);
}

/* ---- consent and alerts ------------------------------------------------------ */

static bool
consent_add(struct store *st, const char *realm, const char *person,
    const char *state, const char *source, int64_t at_ms, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO consent (realm, "
	    "person, state, source, at_ms) VALUES (?,?,?,?,?)", err, "ssssi",
	    realm, person, state, source, at_ms);
}

static bool
consent_get(struct store *st, const char *realm, const char *person,
    int64_t at_ms, char **state, struct err *err)
{
	return store_db_string(SQLITE_OF(st), "SELECT state FROM consent "
	    "WHERE person = ? AND realm = ? AND at_ms <= ? "
	    "ORDER BY at_ms DESC, id DESC LIMIT 1", state, err, "ssi", person,
	    realm, at_ms);
}

static bool
alert_set(struct store *st, const char *rule, int64_t last_ms,
    int64_t swallowed, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO alert (rule, "
	    "last_ms, swallowed) VALUES (?,?,?) ON CONFLICT (rule) DO UPDATE "
	    "SET last_ms = excluded.last_ms, swallowed = excluded.swallowed",
	    err, "sii", rule, last_ms, swallowed);
}

static bool
alert_get(struct store *st, const char *rule, int64_t *last_ms,
    int64_t *swallowed, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT last_ms, swallowed "
	    "FROM alert WHERE rule = ?", err, "s", rule);
	int r = store_db_step(s, q, err);

	if (r < 0)
		return false;
	*last_ms = r == 0 ? 0 : sqlite3_column_int64(q, 0);
	*swallowed = r == 0 ? 0 : sqlite3_column_int64(q, 1);
	store_db_end(q);
	return true;
}

/* ---- for the gateway ------------------------------------------------------------ */

static bool
resolution_add(struct store *st, const char *send_key, const char *wamid,
    int64_t at_ms, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO resolution (send_key, "
	    "wamid, at_ms) VALUES (?,?,?) ON CONFLICT (send_key) DO NOTHING",
	    err, "ssi", send_key, wamid, at_ms);
}

static bool
resolution_get(struct store *st, const char *send_key, char **wamid,
    struct err *err)
{
	return store_db_string(SQLITE_OF(st), "SELECT wamid FROM resolution "
	    "WHERE send_key = ?", wamid, err, "s", send_key);
}

static bool
template_change_add(struct store *st, const char *account, const char *name,
    const char *language, int64_t at_ms, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT INTO template_change "
	    "(account, name, language, at_ms) VALUES (?,?,?,?)", err, "sssi",
	    account, name, language, at_ms);
}

static bool
template_change_list(struct store *st, int64_t after, int limit,
    store_template_change_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT id, account, name, "
	    "language FROM template_change WHERE id > ? ORDER BY id LIMIT ?",
	    err, "ii", after, (int64_t)limit);
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		if (!fn(arg, sqlite3_column_int64(q, 0), store_db_text(q, 1),
		    store_db_text(q, 2), store_db_text(q, 3))) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

const struct store_policy_verbs store_sqlite_policy = {
	.ruleset_set = ruleset_set,
	.ruleset_list = ruleset_list,
	.judged_set = judged_set,
	.judged_get = judged_get,
	.consent_add = consent_add,
	.consent_get = consent_get,
	.alert_set = alert_set,
	.alert_get = alert_get,
	.resolution_add = resolution_add,
	.resolution_get = resolution_get,
	.template_change_add = template_change_add,
	.template_change_list = template_change_list,
};
