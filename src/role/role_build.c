/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The build role's process: steps of build.c until asked to stop. No network.
 * A failing store is retried for ever with the same events; nothing is
 * skipped because of it.
 */
#include "clock.h"
#include "conf.h"
#include "err.h"
#include "log.h"
#include "role.h"
#include "role_int.h"
#include "store.h"

static bool
purge_tallies(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	return store_tally_purge(st, STORE_BUILD, before_ms, limit, n, err);
}

static void
loop(struct build *b, struct store *st, int64_t keep_ms)
{
	struct build_progress p;
	int64_t next_purge_ms = 0, next_tally_ms = 0;
	struct err err;

	while (!proc_stopping()) {
		err = (struct err)ERR_INIT;
		if (!build_step(b, clock_now_ms(), &p, &err)) {
			log_err(LOG_LEVEL_ERROR, "build.retry", &err, "%s",
			    "");
			role_wait(PROC_BUILD, -1, ROLE_RETRY_MS);
			continue;
		}
		if (p.mails > 0)
			proc_wake(PROC_DELIVER);
		if (p.files > 0)
			proc_wake(PROC_MEDIA);
		if (p.asked)
			proc_wake(PROC_DIRECTORY);
		role_purge(st, store_content_purge, "mail", keep_ms,
		    &next_purge_ms);
		role_purge(st, purge_tallies, "tally", build_memory_ms(b),
		    &next_tally_ms);
		if (p.more) {
			proc_heartbeat();
			continue;
		}
		role_wait(PROC_BUILD, -1, p.next_due_ms == INT64_MAX
		    ? ROLE_POLL_MS : p.next_due_ms - clock_now_ms());
	}
}

int
role_build(const struct conf *c)
{
	struct err err = ERR_INIT;
	struct store *st = NULL;
	struct build *b = NULL;

	if (!role_enter(PROC_BUILD, PROC_STORE_FILES | PROC_THREADS, c,
	    &st, &err) ||
	    !build_new(c, st, &b, &err)) {
		store_close(st);
		return role_fail(PROC_BUILD, &err);
	}
	proc_ready();
	loop(b, st, c->keep.mail_ms);
	build_free(b);
	store_close(st);
	return PROC_EXIT_OK;
}
