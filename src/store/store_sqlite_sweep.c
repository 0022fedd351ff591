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

bool
store_db_sweep(struct sqlite *s, const char *top,
    const struct store_db_life *life, struct err *err)
{
	bool of_mails = s->base.owns == STORE_BUILD;
	struct knower k = { .s = s, .sql = of_mails ?
	    "SELECT count(*) FROM content_file WHERE name = ?" :
	    "SELECT count(*) FROM fetch WHERE path = ?" };
	const struct store_sweep sweep = { .is_known = is_known, .arg = &k,
		.life = life->fn, .life_arg = life->arg };
	int64_t any;

	if (!of_mails && s->base.owns != STORE_MEDIA)
		return true;
	if (!store_db_number(s, of_mails ? "SELECT max(id) FROM content" :
	    "SELECT max(want_id) FROM fetch", 0, &any, err, ""))
		return false;
	return any == 0 || store_dirs_sweep(top,
	    of_mails ? STORE_DIR_MAIL : STORE_DIR_MEDIA, &sweep, err);
}
