/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: what build and the gateway ask the directory server, each in a
 * table of its own file, and what the directory role found.
 */
#include "store_sqlite.h"

/* What is asked again moves to the end, so that a cursor comes by it. */
#define ADD(table) "INSERT OR REPLACE INTO " table " (id, kind, value, " \
	"at_ms) VALUES ((SELECT ifnull(max(id), 0) + 1 FROM " table "), ?,?,?)"
#define LIST(table) "SELECT id, kind, value, at_ms FROM " table \
	" WHERE id > ? ORDER BY id LIMIT ?"

static bool
has_asks(enum store_file file, struct err *err)
{
	return file == STORE_BUILD || file == STORE_GATEWAY ||
	    err_set(err, ERR_PERM, "store.state",
	    "the %s file asks nothing", store_file_name(file));
}

static bool
ask_add(struct store *st, enum store_file file, const char *kind,
    const char *value, int64_t at_ms, struct err *err)
{
	return has_asks(file, err) && store_db_run(SQLITE_OF(st),
	    file == STORE_BUILD ? ADD("turn_ask") : ADD("send_ask"), err,
	    "ssi", kind, value, at_ms);
}

static bool
ask_list(struct store *st, enum store_file file, int64_t after, int limit,
    store_ask_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q;
	int r;

	if (!has_asks(file, err))
		return false;
	q = store_db_query(s, file == STORE_BUILD ? LIST("turn_ask") :
	    LIST("send_ask"), err, "ii", after, (int64_t)limit);
	while ((r = store_db_step(s, q, err)) > 0) {
		if (!fn(arg, sqlite3_column_int64(q, 0), store_db_text(q, 1),
		    store_db_text(q, 2), sqlite3_column_int64(q, 3))) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

/* ---- answers ------------------------------------------------------------------- */

#define COLUMNS "a.kind, a.value, a.found, a.id, a.name, a.mail, a.groups, " \
	"a.at_ms, a.until_ms"
#define ASKED(table) "EXISTS (SELECT 1 FROM " table " k WHERE " \
	"k.kind = a.kind AND k.value = a.value AND k.at_ms >= ?2)"

static bool
give(struct sqlite *s, sqlite3_stmt *q, store_answer_fn *fn, void *arg,
    struct err *err)
{
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_answer a = {
			.kind = store_db_text(q, 0),
			.value = store_db_text(q, 1),
			.found = sqlite3_column_int64(q, 2) != 0,
			.id = store_db_text(q, 3),
			.name = store_db_text(q, 4),
			.mail = store_db_text(q, 5),
			.groups = store_db_text(q, 6),
			.at_ms = sqlite3_column_int64(q, 7),
			.until_ms = sqlite3_column_int64(q, 8),
		};

		if (!fn(arg, &a)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

static bool
answer_set(struct store *st, const struct store_answer *a, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT OR REPLACE INTO answer "
	    "(kind, value, found, id, name, mail, groups, at_ms, until_ms) "
	    "VALUES (?,?,?,?,?,?,?,?,?)", err, "ssissssii", a->kind, a->value,
	    (int64_t)a->found, a->id, a->name, a->mail, a->groups, a->at_ms,
	    a->until_ms);
}

static bool
answer_get(struct store *st, const char *kind, const char *value,
    store_answer_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return give(s, store_db_query(s, "SELECT " COLUMNS " FROM answer a "
	    "WHERE a.kind = ? AND a.value = ?", err, "ss", kind, value), fn,
	    arg, err);
}

static bool
answer_hurry(struct store *st, int64_t far_ms, int64_t now_ms,
    struct err *err)
{
	return store_db_run(SQLITE_OF(st), "UPDATE answer SET until_ms = ?2 "
	    "WHERE until_ms > ?1", err, "ii", far_ms, now_ms);
}

static bool
answer_list(struct store *st, int64_t until_ms, int64_t asked_ms, int limit,
    store_answer_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return give(s, store_db_query(s, "SELECT " COLUMNS " FROM answer a "
	    "WHERE a.until_ms < ?1 AND (" ASKED("turn_ask") " OR "
	    ASKED("send_ask") ") ORDER BY a.until_ms, a.kind, a.value "
	    "LIMIT ?3", err, "iii", until_ms, asked_ms, (int64_t)limit), fn,
	    arg, err);
}

/* ---- the server ---------------------------------------------------------------- */

static bool
server_set(struct store *st, bool up, int64_t since_ms, int64_t next_ms,
    const char *reason, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "INSERT OR REPLACE INTO server "
	    "(id, up, since_ms, next_ms, reason) VALUES (1,?,?,?,?)", err,
	    "iiis", (int64_t)up, since_ms, next_ms, reason);
}

static bool
server_get(struct store *st, struct store_server_status *out,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	sqlite3_stmt *q = store_db_query(s, "SELECT up, since_ms, next_ms, "
	    "reason FROM server", err, "");
	int r = store_db_step(s, q, err);

	if (r < 0)
		return false;
	*out = (struct store_server_status){ .is_known = r > 0 };
	if (r == 0)
		return true;
	out->up = sqlite3_column_int64(q, 0) != 0;
	out->since_ms = sqlite3_column_int64(q, 1);
	out->next_ms = sqlite3_column_int64(q, 2);
	g_strlcpy(out->reason, store_db_text(q, 3), sizeof(out->reason));
	store_db_end(q);
	return true;
}

const struct store_ask_verbs store_sqlite_ask = {
	.add = ask_add,
	.list = ask_list,
	.answer_set = answer_set,
	.answer_get = answer_get,
	.answer_list = answer_list,
	.answer_hurry = answer_hurry,
	.server_set = server_set,
	.server_get = server_get,
};
