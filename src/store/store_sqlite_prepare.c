/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: creating, upgrading and checking the files, before any role opens
 * them; then the directories beside them. All are locked meanwhile. An
 * upgrade is one transaction per file: a crash leaves it before or after, and
 * the next start goes on.
 */
#include "store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "store/schema.h"

/* With 8 KiB the random keys of items cost a quarter more to write. */
#define PAGE_SIZE "4096"

/* ---- the schema -------------------------------------------------------- */

/* Where in the schema a line is. */
struct place {
	char file[16];
	int version;
	bool skip;		/* the next statement is another driver's */
};

static const char *
after(const char *line, const char *mark)
{
	return g_str_has_prefix(line, mark) ? line + strlen(mark) : NULL;
}

static bool
read_mark(struct place *at, const char *line)
{
	const char *value;

	if ((value = after(line, "-- file ")) != NULL) {
		g_strlcpy(at->file, value, sizeof(at->file));
		at->version = 0;
	} else if ((value = after(line, "-- version ")) != NULL) {
		at->version = (int)strtol(value, NULL, 10);
	} else if ((value = after(line, "-- only ")) != NULL) {
		at->skip = strcmp(value, "sqlite") != 0;
	}
	return strncmp(line, "-- ", 3) == 0;
}

int
store_db_schema_version(const char *schema, const char *file)
{
	g_auto(GStrv) lines = g_strsplit(schema, "\n", -1);
	struct place at = { .version = 0 };
	int newest = 0;

	for (int i = 0; lines[i] != NULL; i++) {
		if (read_mark(&at, lines[i]) && strcmp(at.file, file) == 0)
			newest = MAX(newest, at.version);
	}
	return newest;
}

int
store_db_newest_version(enum store_file file)
{
	return store_db_schema_version(schema_sql, store_file_name(file));
}

static void
take_line(GString *all, GString *statement, struct place *at, bool wanted,
    const char *line)
{
	g_string_append(statement, line);
	g_string_append_c(statement, '\n');
	if (!g_str_has_suffix(line, ";"))
		return;
	if (wanted && !at->skip)
		g_string_append_len(all, statement->str,
		    (gssize)statement->len);
	g_string_truncate(statement, 0);
	at->skip = false;
}

char *
store_db_upgrade_sql(const char *schema, const char *file, int version)
{
	g_auto(GStrv) lines = g_strsplit(schema, "\n", -1);
	g_autoptr(GString) all = g_string_new(NULL);
	g_autoptr(GString) statement = g_string_new(NULL);
	struct place at = { .version = 0 };

	for (int i = 0; lines[i] != NULL; i++) {
		bool wanted;

		if (read_mark(&at, lines[i]) || *lines[i] == '\0')
			continue;
		wanted = strcmp(at.file, file) == 0 && at.version > version;
		take_line(all, statement, &at, wanted, lines[i]);
	}
	return g_string_free(g_steal_pointer(&all), FALSE);
}

/* ---- upgrade ----------------------------------------------------------- */

static bool
apply(struct sqlite *s, enum store_file file, int version, struct err *err)
{
	g_autofree char *sql = store_db_upgrade_sql(schema_sql,
	    store_file_name(file), version);
	g_autofree char *marks = g_strdup_printf(
	    "PRAGMA application_id=%d; PRAGMA user_version=%d;",
	    (int)store_db_app_id(file), store_db_newest_version(file));

	return store_db_exec(s, "BEGIN IMMEDIATE", err) &&
	    store_db_exec(s, sql, err) &&
	    store_db_exec(s, marks, err) &&
	    store_db_exec(s, "COMMIT", err);
}

bool
store_db_upgrade(struct sqlite *s, enum store_file file, struct err *err)
{
	int64_t id, version, tables;

	if (!store_db_number(s, "PRAGMA main.application_id", 0, &id, err,
	    "") ||
	    !store_db_number(s, "PRAGMA main.user_version", 0, &version, err,
	    "") ||
	    !store_db_number(s, "SELECT count(*) FROM sqlite_schema", 0,
	    &tables, err, ""))
		return false;
	/* Not marked and yet with tables: somebody else's. */
	if (id != store_db_app_id(file) && (id != 0 || tables != 0))
		return err_set(err, ERR_CONF, "store.open", "%s is not the "
		    "%s file of a chatjournal", s->path,
		    store_file_name(file));
	if (id != 0 && version >= store_db_newest_version(file))
		return store_db_check_version(s, file, "main", err);
	return apply(s, file, (int)version, err);
}

/* ---- prepare ----------------------------------------------------------- */

/* Created by us, so that its mode is right from the start; -wal follows it. */
static bool
create_file(const char *dir, const char *path, struct err *err)
{
	auto_fd int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	int e = errno;

	if (fd >= 0)
		return io_dir_sync(dir, err);
	if (e == EEXIST)
		return true;
	return err_set(err, store_db_errno_kind(e),
	    e == ENOSPC ? "store.full" : "store.open",
	    "cannot create %s: %s", path, err_errno(e));
}

/*
 * The mode must be WAL before the settings are confirmed, and the size of
 * pages can be chosen only while there is none.
 */
static bool
start_wal(const char *path, struct err *err)
{
	struct sqlite *s = store_db_new(path);
	bool ok;

	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK)
		ok = err_set(err, ERR_CONF, "store.open",
		    "cannot open %s: %s", path, sqlite3_errmsg(s->db));
	else
		ok = store_db_exec(s, "PRAGMA busy_timeout=5000;"
		    "PRAGMA page_size=" PAGE_SIZE ";"
		    "PRAGMA journal_mode=WAL", err);
	store_db_free(s);
	return ok;
}

static bool
prepare_file(const char *dir, enum store_file file,
    const struct store_db_life *life, struct err *err)
{
	g_autofree char *path = store_db_path(dir, file, ".db");
	struct sqlite *s;
	bool ok;

	if (!create_file(dir, path, err) || !start_wal(path, err))
		return false;
	s = store_db_new(path);
	s->base.owns = file;
	ok = store_db_open_own(s, path, err) &&
	    store_db_upgrade_watched(s, file, life, err) &&
	    store_db_sweep(s, dir, life, err);
	store_sqlite_close(&s->base);
	return ok;
}

static bool
prepare_locked(const char *dir, int *locks, const struct store_db_life *life,
    struct err *err)
{
	for (int f = 0; f < STORE_FILES; f++) {
		if (!store_db_lock(dir, f, 0, &locks[f], err))
			return false;
	}
	for (int f = 0; f < STORE_FILES; f++) {
		if (!prepare_file(dir, f, life, err))
			return false;
	}
	store_dirs_sweep_spool(dir);
	return store_dirs_make(dir, err);
}

bool
store_sqlite_prepare(const char *address, void (*progress)(void *),
    void *arg, struct err *err)
{
	const struct store_db_life life = { .fn = progress, .arg = arg };
	int locks[STORE_FILES];
	bool ok;

	if (strcmp(address, STORE_DB_MEMORY) == 0)
		return true;
	if (address[0] != '/')
		return err_set(err, ERR_CONF, "store.open", "\"sqlite:%s\" is "
		    "not an absolute path; use sqlite:/DIRECTORY", address);
	if (!io_mkdir_all(address, err))
		return false;
	memset(locks, -1, sizeof(locks));
	ok = prepare_locked(address, locks, &life, err);
	for (int f = 0; f < STORE_FILES; f++) {
		if (locks[f] >= 0)
			close(locks[f]);
	}
	return ok;
}
