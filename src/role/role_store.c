/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one-shot role that runs before all others: creates, upgrades and
 * checks the files of the store while nobody else has them open. Ends with 0
 * when the store may be used.
 */
#include <glib.h>

#include "conf.h"
#include "err.h"
#include "log.h"
#include "role.h"
#include "role_int.h"
#include "store.h"

static void
still_alive(void *arg)
{
	(void)arg;
	proc_heartbeat();
}

int
role_store(const struct conf *c)
{
	struct proc_limits lim = { .user = c->user, .sandbox = c->sandbox };
	struct err err = ERR_INIT;

	if (!proc_signals_catch(&err) ||
	    !proc_enter(PROC_STORE, &lim, &err) ||
	    !proc_confine(PROC_STORE, PROC_STORE_FILES | PROC_THREADS, &lim,
	    &err) ||
	    !store_prepare(c->store, still_alive, NULL, &err))
		return role_fail(PROC_STORE, &err);
	log_info("store.ready", "uri=%s", c->store);
	proc_ready();
	return PROC_EXIT_OK;
}
