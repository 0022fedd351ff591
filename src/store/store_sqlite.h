/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the SQLite driver share: the connection, prepared
 * statements, errors. Only store_sqlite*.c include it.
 *
 * SQL names tables without a schema, as no name is in two files; only cursor
 * and claim are, and are written "{build}.cursor": the owner's own file is
 * the main database of its connection, the others have their file's name.
 */
#pragma once

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "store_int.h"

struct sqlite {
	struct store base;
	sqlite3 *db;
	char *path;		/* named in errors: own file, or the directory */
	char *own;		/* path of the own file; NULL: reads only */
	GHashTable *stmts;	/* text of the SQL -> prepared statement */
	int lock_fd;		/* held while the own file is open */
	int64_t asked_since_ms;	/* by the last search for an Idempotency-Key */
	int64_t untrailed;	/* items and mails in no run; -1: unknown */
	int wal_step;		/* pages of WAL between two checkpoints */
	int wal_pages, wal_next;	/* it has; then there is the next */
};

/* STORE_EVENT_GATEWAY, as SQL has it: ids of records are above. */
/* Whether somebody acknowledged what has this id, in this column of theirs. */
#define STORE_DB_ACKNOWLEDGED(column, id) \
	"EXISTS (SELECT 1 FROM request r WHERE r." column " = " id \
	" AND r." column " <> 0 AND r.verb = 'acknowledge')"
#define STORE_DB_RECORDS "1000000000000000"

/* 8 MB: a checkpoint takes some milliseconds and two syncs. */
#define STORE_DB_WAL_STEP 2000

#define SQLITE_OF(st) ((struct sqlite *)(void *)(st))

/* The error of the last call on the connection; always false. */
bool store_db_fail(const struct sqlite *s, struct err *err);
/* The same for a result code without a connection. */
bool store_db_error(int code, int sys_errno, const char *message,
    const char *path, struct err *err);
/* Temporary is what mending the disk mends, without a new configuration. */
enum err_kind store_db_errno_kind(int errnum);

/*
 * Binds to the statement of this SQL (a constant: it is kept by address).
 * fmt has a letter per parameter: i int64_t, s string or NULL, b pointer and
 * size_t (NULL pointer: NULL), h digest. What is bound must live until the
 * statement is ended. NULL: failed.
 */
sqlite3_stmt *store_db_query(struct sqlite *s, const char *sql,
    struct err *err, const char *fmt, ...);
/* 1: a row; 0: no more; -1: failed. The latter two have ended it. */
int store_db_step(struct sqlite *s, sqlite3_stmt *q, struct err *err);
void store_db_end(sqlite3_stmt *q);

/* A statement without rows. */
bool store_db_run(struct sqlite *s, const char *sql, struct err *err,
    const char *fmt, ...);
/* One number; `none` when there is no row or it is NULL. */
bool store_db_number(struct sqlite *s, const char *sql, int64_t none,
    int64_t *out, struct err *err, const char *fmt, ...);
/* One string, NULL when there is no row or it is NULL. */
bool store_db_string(struct sqlite *s, const char *sql, char **out,
    struct err *err, const char *fmt, ...);
/* Text without parameters, not kept; may be several statements. */
bool store_db_exec(struct sqlite *s, const char *sql, struct err *err);

/* Column as borrowed text, NULL if NULL. */
const char *store_db_text(sqlite3_stmt *q, int column);
/* Bytes: NULL only if NULL, not when there are none. */
const void *store_db_blob(sqlite3_stmt *q, int column, size_t *len);
void store_db_digest(sqlite3_stmt *q, int column, uint8_t *out);

/* The row whose state should have changed did not: a caller's error. */
bool store_db_changed(struct sqlite *s, const char *what, int64_t id,
    const char *should, struct err *err);

/*
 * One view of all files for several questions: taken downstream first, so
 * that whatever deliver or build refers to is in the older files' view. Does
 * nothing within a transaction. To be ended even if it failed.
 */
bool store_db_look_begin(struct sqlite *s, struct err *err);
void store_db_look_end(struct sqlite *s);

/* ---- the trail: from an id to turns -------------------------------------- */

/* To be called before build commits: adds a run when enough has come. */
bool store_db_trail_grow(struct sqlite *s, struct err *err);
/*
 * Adds the turns (int64_t) in which an item or mail has this id, and below
 * zero the events with an item of it in no turn.
 */
bool store_db_trail_find(struct sqlite *s, const char *id, GArray *turns,
    struct err *err);
/* Adds the items (their ids, in order) of this kind about this target. */
bool store_db_trail_about(struct sqlite *s, const char *target,
    const char *kind, GArray *items, struct err *err);

/* ---- open and prepare --------------------------------------------------- */

#define STORE_DB_MEMORY ":memory:"
/* "CJL" and a number that a file keeps for ever, whatever the enum becomes. */
#define STORE_DB_APP_ID 0x434a4c00
int64_t store_db_app_id(enum store_file file);

char *store_db_path(const char *dir, enum store_file file, const char *ext);
/* Opens one file as the main database, with the settings of an owner. */
bool store_db_open_own(struct sqlite *s, const char *path, struct err *err);
/* Refuses a file of another program, file or version. */
bool store_db_check_version(struct sqlite *s, enum store_file file,
    const char *schema, struct err *err);
/* ERR_TEMP "store.busy" when somebody else holds it for wait_ms. */
bool store_db_lock(const char *dir, enum store_file file, int64_t wait_ms,
    int *fd, struct err *err);
void store_db_free(struct sqlite *s);
struct sqlite *store_db_new(const char *path);

bool store_sqlite_open(const char *address, enum store_file owns,
    struct store **out, struct err *err);
void store_sqlite_close(struct store *st);
bool store_sqlite_prepare(const char *address, void (*progress)(void *),
    void *arg, struct err *err);
/* Creates or upgrades the tables of a file in the main database. */
bool store_db_upgrade(struct sqlite *s, enum store_file file,
    struct err *err);
/* Whom to tell, about every second, that prepare is at work; fn may be NULL. */
struct store_db_life {
	void (*fn)(void *);
	void *arg;
};
/*
 * Upgrades and then checks the file in the main database; see there for how
 * long it checks.
 */
bool store_db_upgrade_watched(struct sqlite *s, enum store_file file,
    const struct store_db_life *life, struct err *err);
/* Removes files beside the own database that it does not know. */
bool store_db_sweep(struct sqlite *s, const char *top,
    const struct store_db_life *life, struct err *err);
int store_db_newest_version(enum store_file file);
/* The newest version of a file in a schema, 0 if it is not there. */
int store_db_schema_version(const char *schema, const char *file);
/* The statements of a schema that bring a file from this version on. */
char *store_db_upgrade_sql(const char *schema, const char *file, int version);

extern const struct store_event_verbs store_sqlite_event;
extern const struct store_progress_verbs store_sqlite_progress;
extern const struct store_item_verbs store_sqlite_item;
extern const struct store_identity_verbs store_sqlite_identity;
extern const struct store_turn_verbs store_sqlite_turn;
extern const struct store_want_verbs store_sqlite_want;
extern const struct store_fetch_verbs store_sqlite_fetch;
extern const struct store_mail_verbs store_sqlite_mail;
extern const struct store_delivery_verbs store_sqlite_delivery;
extern const struct store_policy_verbs store_sqlite_policy;
extern const struct store_hold_verbs store_sqlite_hold;
extern const struct store_ask_verbs store_sqlite_ask;
extern const struct store_send_verbs store_sqlite_send;
extern const struct store_upload_verbs store_sqlite_upload;
extern const struct store_definition_verbs store_sqlite_definition;
extern const struct store_tally_verbs store_sqlite_tally;

bool store_sqlite_event_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err);
bool store_sqlite_record_purge(struct store *st, int64_t before_ms,
    int limit, int64_t *n, struct err *err);
bool store_sqlite_record_is_sent(struct store *st, int64_t id, bool *sent,
    struct err *err);
bool store_sqlite_content_purge(struct store *st, int64_t before_ms,
    int limit, int64_t *n, struct err *err);
bool store_sqlite_media_purge(struct store *st, int64_t before_ms,
    int limit, int64_t *n, struct err *err);
/* Ends the turn's hold, if there is one. */
bool store_sqlite_hold_end(struct sqlite *s, int64_t turn_id,
    const char *end, int64_t now_ms, struct err *err);
bool store_sqlite_review_add(struct store *st, const struct store_review *r,
    int64_t *id, struct err *err);
bool store_sqlite_review_list(struct store *st, int64_t after, int limit,
    store_review_fn *fn, void *arg, struct err *err);
bool store_sqlite_review_of(struct store *st, int64_t turn_id,
    const char *send_key, store_review_fn *fn, void *arg, struct err *err);
bool store_sqlite_novelty_add(struct store *st, const char *field,
    const char *word, int64_t at_ms, bool *first, struct err *err);
bool store_sqlite_status(struct store *st, struct store_status *out,
    struct err *err);
bool store_sqlite_list(struct store *st, enum store_list_what what,
    const char *journal, int64_t after, int limit, store_row_fn *fn,
    void *arg, struct err *err);
bool store_sqlite_law_check(struct store *st, bool *ok, char **why,
    struct err *err);
bool store_sqlite_trace(struct store *st, const char *id, store_fact_fn *fn,
    void *arg, struct err *err);
