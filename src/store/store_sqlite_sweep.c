/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: which files beside the databases are known, so that those a crash
 * left can go before any role starts. A database without rows knows none: it
 * may be new because the old one was lost, and then the files are all there
 * is left.
 */
#include "store_sqlite.h"

struct knower {
	struct sqlite *s;
	const char *sql;
};

static bool
is_known(void *arg, const char *name, bool *known, struct err *err)
{
	struct knower *k = arg;
	int64_t n;

	if (!store_db_number(k->s, k->sql, 0, &n, err, "s", name))
		return false;
	*known = n > 0;
	return true;
}

/* Files of which directory a file's rows know, by which question. */
struct known {
	enum store_file file;
	enum store_dir dir;
	const char *any, *is_known;
};

static const struct known known[] = {
	{ STORE_BUILD, STORE_DIR_MAIL, "SELECT max(id) FROM content",
	  "SELECT count(*) FROM content_file WHERE name = ?" },
	{ STORE_MEDIA, STORE_DIR_MEDIA, "SELECT max(want_id) FROM fetch",
	  "SELECT count(*) FROM fetch WHERE path = ?" },
	{ STORE_GATEWAY, STORE_DIR_UPLOAD, "SELECT max(id) FROM upload",
	  "SELECT count(*) FROM upload WHERE path = ?" },
};

static bool
sweep(struct sqlite *s, const struct known *of, const char *top,
    const struct store_db_life *life, struct err *err)
{
	struct knower k = { .s = s, .sql = of->is_known };
	const struct store_sweep how = { .is_known = is_known, .arg = &k,
		.life = life->fn, .life_arg = life->arg };
	int64_t any;

	if (!store_db_number(s, of->any, 0, &any, err, ""))
		return false;
	return any == 0 || store_dirs_sweep(top, of->dir, &how, err);
}

bool
store_db_sweep(struct sqlite *s, const char *top,
    const struct store_db_life *life, struct err *err)
{
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
		if (known[i].file == s->base.owns &&
		    !sweep(s, &known[i], top, life, err))
			return false;
	}
	return true;
}
