/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: looking for damage before the roles start.
 *
 * quick_check reads every page, which would keep a daemon with years of mails
 * from receiving for many minutes. So it goes table by table, those with the
 * bodies last, and gives up after half a minute; the rest is left to a person
 * with the sqlite3 tool. A thread gives signs of life meanwhile, as SQLite
 * calls nobody back while it checks, and tells it to stop.
 */
#include "store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"

#define CHECK_MS 30000
#define LIFE_MS 1000

struct watch {
	const struct store_db_life *life;
	sqlite3 *db;
	_Atomic int64_t until_ms;	/* then what runs is interrupted */
	int end[2];		/* a pipe: closed when the work is done */
	pthread_t thread;
};

static void *
watch(void *arg)
{
	struct watch *w = arg;
	struct pollfd end = { .fd = w->end[0] };

	while (poll(&end, 1, LIFE_MS) <= 0) {
		if (w->life->fn != NULL)
			w->life->fn(w->life->arg);
		if (clock_mono_ms() >= atomic_load(&w->until_ms))
			sqlite3_interrupt(w->db);
	}
	return NULL;
}

static bool
watch_begin(struct watch *w, struct err *err)
{
	int e;

	if (pipe2(w->end, O_CLOEXEC) != 0)
		return err_set(err, ERR_TEMP, "store.io",
		    "cannot make a pipe: %s", err_errno(errno));
	e = pthread_create(&w->thread, NULL, watch, w);
	if (e == 0)
		return true;
	close(w->end[0]);
	close(w->end[1]);
	return err_set(err, ERR_TEMP, "store.io",
	    "cannot start a thread: %s", err_errno(e));
}

static void
watch_end(struct watch *w)
{
	close(w->end[1]);
	pthread_join(w->thread, NULL);
	close(w->end[0]);
}

/* ---- check ------------------------------------------------------------- */

static bool
list_tables(struct sqlite *s, GPtrArray *names, struct err *err)
{
	sqlite3_stmt *q = store_db_query(s, "SELECT name FROM sqlite_schema "
	    "WHERE type = 'table' ORDER BY name IN ('event', 'content'), name",
	    err, "");
	int r;

	while ((r = store_db_step(s, q, err)) > 0)
		g_ptr_array_add(names, g_strdup(store_db_text(q, 0)));
	return r == 0;
}

/* The verdict on one table; *out NULL when the time was over. */
static bool
check_table(struct sqlite *s, const char *table, char **out, struct err *err)
{
	g_autofree char *sql = g_strdup_printf("PRAGMA main.quick_check('%s')",
	    table);
	sqlite3_stmt *q;
	int rc;

	*out = NULL;
	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
		return store_db_fail(s, err);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*out = g_strdup(store_db_text(q, 0));
	else if (rc != SQLITE_INTERRUPT)
		store_db_fail(s, err);
	sqlite3_finalize(q);
	return rc == SQLITE_ROW || rc == SQLITE_INTERRUPT;
}

static bool
check(struct sqlite *s, struct watch *w, struct err *err)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	if (!list_tables(s, names, err))
		return false;
	atomic_store(&w->until_ms, clock_mono_ms() + CHECK_MS);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *verdict = NULL;

		if (!check_table(s, names->pdata[i], &verdict, err))
			return false;
		if (verdict == NULL)
			return true;
		if (strcmp(verdict, "ok") != 0)
			return err_set(err, ERR_PERM, "store.corrupt",
			    "%s is damaged: %s; restore it from a backup",
			    s->path, verdict);
	}
	return true;
}

bool
store_db_upgrade_watched(struct sqlite *s, enum store_file file,
    const struct store_db_life *life, struct err *err)
{
	struct watch w = { .life = life, .db = s->db,
		.until_ms = INT64_MAX };
	bool ok;

	if (life->fn != NULL)
		life->fn(life->arg);
	if (!watch_begin(&w, err))
		return false;
	ok = store_db_upgrade(s, file, err) && check(s, &w, err);
	watch_end(&w);
	return ok;
}
