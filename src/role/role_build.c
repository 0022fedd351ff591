/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The build role's process: steps of build.c until asked to stop. No network.
 * A failing store is retried for ever with the same events; nothing is
 * skipped because of it.
 */
#include <inttypes.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "log.h"
#include "role.h"
#include "role_int.h"
#include "store.h"

struct purging {
	struct store *store;
	int64_t keep_ms;
	int64_t next_ms;	/* monotonic */
};

static void
purge(struct purging *pu)
{
	int64_t mono = clock_mono_ms();
	struct err err = ERR_INIT;
	int64_t n = 0;
	bool ok;

	if (mono < pu->next_ms)
		return;
	pu->next_ms = mono + ROLE_PURGE_MS;
	store_begin(pu->store);
	ok = store_content_purge(pu->store, clock_now_ms() - pu->keep_ms,
	    ROLE_PURGE_BATCH, &n, &err);
	if (!ok)
		store_rollback(pu->store);
	else
		ok = store_commit(pu->store, &err);
	if (!ok)
		log_err(LOG_LEVEL_WARN, "purge.failed", &err, "what=mail");
	else if (n > 0)
		log_info("purge.done", "kind=mail count=%" PRId64, n);
	if (n == ROLE_PURGE_BATCH)
		pu->next_ms = mono;
}

static void
loop(struct build *b, struct purging *pu)
{
	struct build_progress p;
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
		if (p.more) {
			proc_heartbeat();
			continue;
		}
		purge(pu);
		role_wait(PROC_BUILD, -1, p.next_due_ms == INT64_MAX
		    ? ROLE_POLL_MS : p.next_due_ms - clock_now_ms());
	}
}

int
role_build(const struct conf *c)
{
	struct err err = ERR_INIT;
	struct purging pu = { .keep_ms = c->keep.mail_ms };
	struct build *b = NULL;

	if (!role_enter(PROC_BUILD, PROC_STORE_FILES | PROC_THREADS, c,
	    &pu.store, &err) ||
	    !build_new(c, pu.store, &b, &err)) {
		store_close(pu.store);
		return role_fail(PROC_BUILD, &err);
	}
	proc_ready();
	loop(b, &pu);
	build_free(b);
	store_close(pu.store);
	return PROC_EXIT_OK;
}
