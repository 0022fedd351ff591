/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: statements, errors, transactions, and the driver's table.
 *
 * Statements are prepared once per connection and found by the address of
 * their SQL text. Out of space, a busy or broken file become errors of the
 * store with the file's path and the remedy.
 */
#include "store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- errors ------------------------------------------------------------ */

static bool
is_full(int code, int sys_errno)
{
	return code == SQLITE_FULL ||
	    (code == SQLITE_IOERR &&
	    (sys_errno == ENOSPC || sys_errno == EDQUOT));
}

enum err_kind
store_db_errno_kind(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
	case EROFS:
	case EIO:
	case ENFILE:
	case EMFILE:
		return ERR_TEMP;
	default:
		return ERR_CONF;
	}
}

bool
store_db_error(int code, int sys_errno, const char *message,
    const char *path, struct err *err)
{
	int primary = code & 0xff;

	if (is_full(primary, sys_errno))
		return err_set(err, ERR_TEMP, "store.full",
		    "no space left for %s; free space on its file system",
		    path);
	switch (primary) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_TEMP, "store.busy",
		    "%s is in use by another process: %s", path, message);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return err_set(err, ERR_TEMP, "store.readonly",
		    "%s cannot be written: %s; check mount and permissions",
		    path, message);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, ERR_PERM, "store.corrupt",
		    "%s is damaged: %s; stop chatjournald and restore it "
		    "from a backup", path, message);
	case SQLITE_CONSTRAINT:
		return err_set(err, ERR_PERM, "store.state",
		    "%s refuses the row: %s", path, message);
	default:
		return err_set(err, ERR_TEMP, "store.io", "%s: %s%s%s", path,
		    message, sys_errno != 0 ? ": " : "",
		    sys_errno != 0 ? err_errno(sys_errno) : "");
	}
}

bool
store_db_fail(const struct sqlite *s, struct err *err)
{
	return store_db_error(sqlite3_extended_errcode(s->db),
	    sqlite3_system_errno(s->db), sqlite3_errmsg(s->db), s->path, err);
}

bool
store_db_changed(struct sqlite *s, const char *what, int64_t id,
    const char *should, struct err *err)
{
	if (sqlite3_changes(s->db) > 0)
		return true;
	return err_set(err, ERR_PERM, "store.state", "%s %" G_GINT64_FORMAT
	    " is not %s", what, id, should);
}

/* ---- statements -------------------------------------------------------- */

/* "{build}." becomes "main." on build's own connection, else "build.". */
static char *
name_schemas(const struct sqlite *s, const char *sql)
{
	g_autoptr(GString) text = g_string_new(sql);

	for (int f = 0; f < STORE_FILES; f++) {
		const char *name = store_file_name(f);
		g_autofree char *mark = g_strdup_printf("{%s}", name);

		g_string_replace(text, mark,
		    (int)s->base.owns == f ? "main" : name, 0);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static sqlite3_stmt *
prepare(struct sqlite *s, const char *sql, struct err *err)
{
	sqlite3_stmt *q = g_hash_table_lookup(s->stmts, sql);
	g_autofree char *text = NULL;

	if (q != NULL) {
		/* A callback may look at other things, not at the same. */
		assert(!sqlite3_stmt_busy(q));
		return q;
	}
	text = name_schemas(s, sql);
	if (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &q,
	    NULL) != SQLITE_OK) {
		store_db_fail(s, err);
		return NULL;
	}
	g_hash_table_insert(s->stmts, (gpointer)(guintptr)sql, q);
	return q;
}

static int
bind_blob(sqlite3_stmt *q, int i, const void *data, size_t len)
{
	return sqlite3_bind_blob64(q, i, data, len, SQLITE_STATIC);
}

static int
bind_one(sqlite3_stmt *q, int i, char type, va_list *ap)
{
	const void *data;

	switch (type) {
	case 'i':
		return sqlite3_bind_int64(q, i, va_arg(*ap, int64_t));
	case 's':
		return sqlite3_bind_text(q, i, va_arg(*ap, const char *), -1,
		    SQLITE_STATIC);
	case 'b':
		data = va_arg(*ap, const void *);
		return bind_blob(q, i, data, va_arg(*ap, size_t));
	default:
		assert(type == 'h');
		return bind_blob(q, i, va_arg(*ap, const void *), HASH_SIZE);
	}
}

static sqlite3_stmt *
query(struct sqlite *s, const char *sql, struct err *err, const char *fmt,
    va_list *ap)
{
	sqlite3_stmt *q = prepare(s, sql, err);

	if (q == NULL)
		return NULL;
	for (int i = 0; fmt[i] != '\0'; i++) {
		if (bind_one(q, i + 1, fmt[i], ap) != SQLITE_OK) {
			store_db_fail(s, err);
			return NULL;
		}
	}
	return q;
}

sqlite3_stmt *
store_db_query(struct sqlite *s, const char *sql, struct err *err,
    const char *fmt, ...)
{
	sqlite3_stmt *q;
	va_list ap;

	va_start(ap, fmt);
	q = query(s, sql, err, fmt, &ap);
	va_end(ap);
	return q;
}

void
store_db_end(sqlite3_stmt *q)
{
	sqlite3_reset(q);
}

int
store_db_step(struct sqlite *s, sqlite3_stmt *q, struct err *err)
{
	int rc;

	if (q == NULL)
		return -1;
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		store_db_fail(s, err);
	store_db_end(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

bool
store_db_run(struct sqlite *s, const char *sql, struct err *err,
    const char *fmt, ...)
{
	sqlite3_stmt *q;
	va_list ap;

	va_start(ap, fmt);
	q = query(s, sql, err, fmt, &ap);
	va_end(ap);
	return store_db_step(s, q, err) == 0;
}

bool
store_db_number(struct sqlite *s, const char *sql, int64_t none,
    int64_t *out, struct err *err, const char *fmt, ...)
{
	sqlite3_stmt *q;
	va_list ap;
	int r;

	va_start(ap, fmt);
	q = query(s, sql, err, fmt, &ap);
	va_end(ap);
	r = store_db_step(s, q, err);
	if (r < 0)
		return false;
	*out = none;
	if (r == 0)
		return true;
	if (sqlite3_column_type(q, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(q, 0);
	store_db_end(q);
	return true;
}

bool
store_db_string(struct sqlite *s, const char *sql, char **out,
    struct err *err, const char *fmt, ...)
{
	sqlite3_stmt *q;
	va_list ap;
	int r;

	va_start(ap, fmt);
	q = query(s, sql, err, fmt, &ap);
	va_end(ap);
	r = store_db_step(s, q, err);
	if (r < 0)
		return false;
	*out = NULL;
	if (r == 0)
		return true;
	*out = g_strdup(store_db_text(q, 0));
	store_db_end(q);
	return true;
}

bool
store_db_exec(struct sqlite *s, const char *sql, struct err *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	    store_db_fail(s, err);
}

/* ---- columns ----------------------------------------------------------- */

const char *
store_db_text(sqlite3_stmt *q, int column)
{
	return (const char *)sqlite3_column_text(q, column);
}

const void *
store_db_blob(sqlite3_stmt *q, int column, size_t *len)
{
	const void *data = sqlite3_column_blob(q, column);

	*len = (size_t)sqlite3_column_bytes(q, column);
	if (data == NULL && sqlite3_column_type(q, column) != SQLITE_NULL)
		return "";
	return data;
}

void
store_db_digest(sqlite3_stmt *q, int column, uint8_t *out)
{
	size_t len;
	const void *data = store_db_blob(q, column, &len);

	memset(out, 0, HASH_SIZE);
	if (data != NULL)
		memcpy(out, data, MIN(len, HASH_SIZE));
}

/* ---- transactions ------------------------------------------------------ */

/*
 * Not IMMEDIATE: that would pin a snapshot of every attached file until the
 * commit is on the disk and so keep their owners from ever starting their WAL
 * anew. A deferred transaction cannot fail to become a writing one, as nobody
 * else writes the own file (store_db_lock).
 */
static bool
begin(struct store *st, struct err *err)
{
	return store_db_run(SQLITE_OF(st), "BEGIN", err, "");
}

static bool
commit(struct store *st, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_trail_grow(s, err) &&
	    store_db_run(s, "COMMIT", err, "");
}

/* Some errors (disk full) have rolled back already. */
static void
rollback(struct store *st)
{
	struct sqlite *s = SQLITE_OF(st);

	s->untrailed = -1;
	if (!sqlite3_get_autocommit(s->db))
		store_db_run(s, "ROLLBACK", NULL, "");
}

bool
store_db_look_begin(struct sqlite *s, struct err *err)
{
	int64_t none;

	if (s->base.in_txn)
		return true;
	return store_db_run(s, "BEGIN", err, "") &&
	    store_db_number(s, "SELECT count(*) FROM {deliver}.cursor", 0,
	    &none, err, "") &&
	    store_db_number(s, "SELECT count(*) FROM {build}.cursor", 0,
	    &none, err, "") &&
	    store_db_number(s, "SELECT count(*) FROM {media}.cursor", 0,
	    &none, err, "") &&
	    store_db_number(s, "SELECT count(*) FROM {gateway}.cursor", 0,
	    &none, err, "") &&
	    store_db_number(s, "SELECT count(*) FROM {intake}.cursor", 0,
	    &none, err, "");
}

void
store_db_look_end(struct sqlite *s)
{
	if (!s->base.in_txn && !sqlite3_get_autocommit(s->db))
		store_db_run(s, "ROLLBACK", NULL, "");
}

static const struct store_look_verbs look = {
	.status = store_sqlite_status,
	.law_check = store_sqlite_law_check,
	.list = store_sqlite_list,
	.trace = store_sqlite_trace,
};

const struct store_driver store_sqlite_driver = {
	.scheme = "sqlite",
	.prepare = store_sqlite_prepare,
	.open = store_sqlite_open,
	.close = store_sqlite_close,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.event = &store_sqlite_event,
	.progress = &store_sqlite_progress,
	.item = &store_sqlite_item,
	.identity = &store_sqlite_identity,
	.turn = &store_sqlite_turn,
	.want = &store_sqlite_want,
	.fetch = &store_sqlite_fetch,
	.mail = &store_sqlite_mail,
	.delivery = &store_sqlite_delivery,
	.policy = &store_sqlite_policy,
	.hold = &store_sqlite_hold,
	.ask = &store_sqlite_ask,
	.look = &look,
	.send = &store_sqlite_send,
	.upload = &store_sqlite_upload,
	.definition = &store_sqlite_definition,
	.tally = &store_sqlite_tally,
};
