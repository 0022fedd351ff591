/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: opening and closing one role's view.
 *
 * The own file is the main database, opened for writing and locked against a
 * second owner; the others are attached with mode=ro. Only the owner
 * checkpoints, over the one connection that also writes: with two, SQLite
 * before 3.51.3 can lose a WAL. Refuses to work if the file does not confirm
 * WAL and synchronous=FULL.
 */
#include "store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"

/* From here on the readers are waited for, so that the WAL can start anew. */
#define RESTART_AT 8
#define RESTART_WAIT_MS 100
#define BUSY_MS 5000
/* Tools of the admin wait for each other; roles do not share a file. */
#define ADMIN_WAIT_MS 5000
#define LOCK_STEP_MS 20

#define SETTINGS \
	"PRAGMA busy_timeout=5000;" \
	"PRAGMA foreign_keys=ON;" \
	"PRAGMA trusted_schema=OFF;" \
	"PRAGMA cell_size_check=ON;" \
	"PRAGMA temp_store=MEMORY;"
/* secure_delete: what is purged must be gone from the file as well. */
#define OWNER_SETTINGS \
	"PRAGMA synchronous=FULL;" \
	"PRAGMA secure_delete=ON;" \
	"PRAGMA journal_size_limit=67108864;"

/*
 * KiB of cache. Build looks up and adds items all over an index; all others
 * read and write in order, where a cache only costs memory.
 */
#define BUILD_CACHE "-16000"
#define OWNER_CACHE "-4000"
#define ATTACHED_CACHE "-2000"

static void
config_once(void)
{
	/* Statistics nobody reads cost a mutex per allocation. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

char *
store_db_path(const char *dir, enum store_file file, const char *ext)
{
	g_autofree char *name = g_strconcat(store_file_name(file), ext, NULL);

	return g_build_filename(dir, name, NULL);
}

/* ---- locks ------------------------------------------------------------- */

static bool
lock_until(int fd, int64_t wait_ms)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };

	for (int64_t waited = 0; ; waited += LOCK_STEP_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK || waited >= wait_ms)
			return false;
		nanosleep(&step, NULL);
	}
}

bool
store_db_lock(const char *dir, enum store_file file, int64_t wait_ms,
    int *fd, struct err *err)
{
	g_autofree char *path = store_db_path(dir, file, ".lock");
	auto_fd int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	int e = errno;

	if (lock < 0)
		return err_set(err, store_db_errno_kind(e), "store.open",
		    "cannot open %s: %s", path, err_errno(e));
	if (!lock_until(lock, wait_ms)) {
		e = errno;
		return err_set(err, ERR_TEMP, "store.busy", "%s is held: %s; "
		    "is another chatjournald running on this store?", path,
		    err_errno(e));
	}
	*fd = lock;
	lock = -1;
	return true;
}

/* ---- one connection ---------------------------------------------------- */

static void
free_statement(gpointer q)
{
	sqlite3_finalize(q);
}

struct sqlite *
store_db_new(const char *path)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sqlite *s = g_new0(struct sqlite, 1);

	pthread_once(&once, config_once);
	s->base.driver = &store_sqlite_driver;
	s->base.owns = STORE_NONE;
	s->path = g_strdup(path);
	s->stmts = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
	    free_statement);
	s->lock_fd = -1;
	s->untrailed = -1;
	s->wal_step = s->wal_next = STORE_DB_WAL_STEP;
	return s;
}

void
store_db_free(struct sqlite *s)
{
	g_hash_table_unref(s->stmts);
	sqlite3_close_v2(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	g_free(s->path);
	g_free(s->own);
	g_free(s);
}

static bool
connect_main(struct sqlite *s, const char *path, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;

	if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK)
		return err_set(err, ERR_CONF, "store.open",
		    "cannot open %s: %s", path, sqlite3_errmsg(s->db));
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_wal_autocheckpoint(s->db, 0);
	return store_db_exec(s, SETTINGS, err);
}

static void
checkpoint(sqlite3 *db, const char *name, bool wait)
{
	if (!wait) {
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE,
		    NULL, NULL);
		return;
	}
	sqlite3_busy_timeout(db, RESTART_WAIT_MS);
	sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_RESTART, NULL,
	    NULL);
	sqlite3_busy_timeout(db, BUSY_MS);
}

/*
 * Runs after each commit. What it returns would become the commit's result,
 * so a checkpoint that fails (and will be tried again) is nobody's error.
 *
 * While others read, the WAL cannot start anew; then it is copied once per
 * step, not once per commit, and when it has grown to many steps the readers
 * are waited for: they read for milliseconds.
 */
static int
after_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct sqlite *s = arg;

	if (pages < s->wal_pages)
		s->wal_next = s->wal_step;
	s->wal_pages = pages;
	if (pages < s->wal_next)
		return SQLITE_OK;
	checkpoint(db, name, pages >= RESTART_AT * s->wal_step);
	s->wal_next = pages + s->wal_step;
	return SQLITE_OK;
}

static bool
confirm(struct sqlite *s, const char *pragma, const char *want,
    struct err *err)
{
	g_autofree char *got = NULL;

	if (!store_db_string(s, pragma, &got, err, ""))
		return false;
	if (g_strcmp0(got, want) == 0)
		return true;
	return err_set(err, ERR_CONF, "store.open", "%s does not keep what it "
	    "acknowledges: \"%s\" gives %s instead of %s; use a local file "
	    "system", s->path, pragma, got == NULL ? "nothing" : got, want);
}

bool
store_db_open_own(struct sqlite *s, const char *path, struct err *err)
{
	const char *cache = s->base.owns == STORE_BUILD ?
	    "PRAGMA main.cache_size=" BUILD_CACHE :
	    "PRAGMA main.cache_size=" OWNER_CACHE;

	if (!connect_main(s, path, err) ||
	    !store_db_exec(s, OWNER_SETTINGS, err) ||
	    !store_db_exec(s, cache, err) ||
	    !confirm(s, "PRAGMA main.journal_mode", "wal", err) ||
	    !confirm(s, "PRAGMA main.synchronous", "2", err))
		return false;
	s->own = g_strdup(path);
	sqlite3_wal_hook(s->db, after_commit, s);
	return true;
}

int64_t
store_db_app_id(enum store_file file)
{
	static const int numbers[STORE_FILES] = {
		[STORE_INTAKE] = 0, [STORE_BUILD] = 1, [STORE_DELIVER] = 2,
		[STORE_ADMIN] = 3, [STORE_MEDIA] = 4, [STORE_GATEWAY] = 5,
		[STORE_DIRECTORY] = 6,
	};

	return STORE_DB_APP_ID + numbers[file];
}

bool
store_db_check_version(struct sqlite *s, enum store_file file,
    const char *schema, struct err *err)
{
	g_autofree char *id_sql =
	    g_strdup_printf("PRAGMA %s.application_id", schema);
	g_autofree char *version_sql =
	    g_strdup_printf("PRAGMA %s.user_version", schema);
	const char *name = store_file_name(file);
	int64_t id, version, newest = store_db_newest_version(file);
	bool ok;

	ok = store_db_number(s, id_sql, 0, &id, err, "") &&
	    store_db_number(s, version_sql, 0, &version, err, "");
	/* Kept by an address that ends here. */
	g_hash_table_remove(s->stmts, id_sql);
	g_hash_table_remove(s->stmts, version_sql);
	if (!ok)
		return false;
	if (id != 0 && id != store_db_app_id(file))
		return err_set(err, ERR_CONF, "store.open",
		    "%s.db of %s is another file", name, s->path);
	if (id == 0 || version < newest)
		return err_set(err, ERR_CONF, "store.missing", "%s.db of %s is "
		    "not prepared; start chatjournald, which does it", name,
		    s->path);
	if (version > newest)
		return err_set(err, ERR_CONF, "store.version", "%s.db of %s "
		    "was written by a newer chatjournal (version %d, this one "
		    "knows %d); install that one", name, s->path,
		    (int)version, (int)newest);
	return true;
}

/* ---- one role's view --------------------------------------------------- */

static bool
check_present(const char *path, struct err *err)
{
	if (access(path, F_OK) == 0)
		return true;
	return err_set(err, ERR_CONF, "store.missing", "%s is missing: %s; "
	    "start chatjournald, which prepares the store", path,
	    err_errno(errno));
}

static bool
attach(struct sqlite *s, const char *dir, enum store_file file,
    struct err *err)
{
	const char *name = store_file_name(file);
	g_autofree char *path = store_db_path(dir, file, ".db");
	g_autofree char *escaped = g_uri_escape_string(path, "/", FALSE);
	g_autofree char *sql = g_strdup_printf(
	    "ATTACH 'file:%s?mode=ro' AS %s;"
	    "PRAGMA %s.cache_size=" ATTACHED_CACHE, escaped, name, name);

	return check_present(path, err) &&
	    store_db_exec(s, sql, err) &&
	    store_db_check_version(s, file, name, err);
}

static bool
attach_all(struct sqlite *s, const char *dir, struct err *err)
{
	for (int f = 0; f < STORE_FILES; f++) {
		if (f != (int)s->base.owns && !attach(s, dir, f, err))
			return false;
	}
	return true;
}

/*
 * What cannot be opened for writing at this moment SQLite opens for reading,
 * and this it stays until it is closed: better not open at all.
 */
static bool
check_writable(struct sqlite *s, struct err *err)
{
	return store_db_exec(s, "BEGIN IMMEDIATE", err) &&
	    store_db_exec(s, "ROLLBACK", err);
}

static bool
open_own(struct sqlite *s, const char *dir, struct err *err)
{
	enum store_file file = s->base.owns;
	int64_t wait_ms = file == STORE_ADMIN ? ADMIN_WAIT_MS : 0;

	return check_present(s->path, err) &&
	    store_db_lock(dir, file, wait_ms, &s->lock_fd, err) &&
	    store_db_open_own(s, s->path, err) &&
	    store_db_check_version(s, file, "main", err) &&
	    check_writable(s, err);
}

static bool
open_dir(struct sqlite *s, const char *dir, struct err *err)
{
	if (s->base.owns == STORE_NONE)
		return connect_main(s, STORE_DB_MEMORY, err) &&
		    attach_all(s, dir, err) &&
		    store_db_exec(s, "PRAGMA query_only=ON", err);
	return open_own(s, dir, err) && attach_all(s, dir, err);
}

/* ---- in memory --------------------------------------------------------- */

static bool
copy_into(struct sqlite *to, const char *schema, struct sqlite *from,
    struct err *err)
{
	sqlite3_backup *copy = sqlite3_backup_init(to->db, schema, from->db,
	    "main");

	if (copy == NULL)
		return store_db_fail(to, err);
	sqlite3_backup_step(copy, -1);
	return sqlite3_backup_finish(copy) == SQLITE_OK ||
	    store_db_fail(to, err);
}

/* The tables are made in a database of their own, as in a file, and copied. */
static bool
attach_memory(struct sqlite *s, enum store_file file, struct err *err)
{
	const char *name = store_file_name(file);
	g_autofree char *sql = g_strdup_printf("ATTACH ':memory:' AS %s",
	    name);
	struct sqlite *fresh = store_db_new(STORE_DB_MEMORY);
	bool ok = connect_main(fresh, STORE_DB_MEMORY, err) &&
	    store_db_upgrade(fresh, file, err) &&
	    store_db_exec(s, sql, err) &&
	    copy_into(s, name, fresh, err) &&
	    store_db_check_version(s, file, name, err);

	store_db_free(fresh);
	return ok;
}

static bool
open_memory(struct sqlite *s, struct err *err)
{
	if (s->base.owns != STORE_ALL)
		return err_set(err, ERR_CONF, "store.open", "a store in memory "
		    "cannot be shared; use sqlite:/DIRECTORY");
	if (!connect_main(s, STORE_DB_MEMORY, err))
		return false;
	for (int f = 0; f < STORE_FILES; f++) {
		if (!attach_memory(s, f, err))
			return false;
	}
	return true;
}

static bool
check_address(const char *address, enum store_file owns, struct err *err)
{
	if (strcmp(address, STORE_DB_MEMORY) == 0)
		return true;
	if (address[0] != '/')
		return err_set(err, ERR_CONF, "store.open", "\"sqlite:%s\" is "
		    "not an absolute path; use sqlite:/DIRECTORY", address);
	if (owns == STORE_ALL)
		return err_set(err, ERR_CONF, "store.open",
		    "only a store in memory can have one owner for all");
	return true;
}

bool
store_sqlite_open(const char *address, enum store_file owns,
    struct store **out, struct err *err)
{
	bool memory = strcmp(address, STORE_DB_MEMORY) == 0;
	g_autofree char *path = NULL;
	struct sqlite *s;

	if (!check_address(address, owns, err))
		return false;
	path = owns < STORE_FILES ? store_db_path(address, owns, ".db") :
	    g_strdup(address);
	s = store_db_new(path);
	s->base.owns = owns;
	if (!(memory ? open_memory(s, err) : open_dir(s, address, err))) {
		store_db_free(s);
		return false;
	}
	s->base.dirs.temporary = memory;
	s->base.dirs.top = memory ? NULL : g_strdup(address);
	*out = &s->base;
	return true;
}

void
store_sqlite_close(struct store *st)
{
	struct sqlite *s = SQLITE_OF(st);

	if (s->own != NULL) {
		sqlite3_busy_timeout(s->db, RESTART_WAIT_MS);
		sqlite3_wal_checkpoint_v2(s->db, "main",
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	store_db_free(s);
}
