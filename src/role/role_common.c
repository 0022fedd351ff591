/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ritual and the sleep that all roles share. What fails here ends the
 * role with a logged reason; the supervisor decides about a restart.
 */
#include <inttypes.h>
#include <poll.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "log.h"
#include "policy.h"
#include "role_int.h"
#include "store.h"

int
role_fail(enum proc_role role, const struct err *err)
{
	log_err(LOG_LEVEL_ERROR, "role.failed", err, "name=%s",
	    proc_role_name(role));
	return err->kind == ERR_CONF ? PROC_EXIT_CONF : PROC_EXIT_TEMP;
}

static enum store_file
file_of(enum proc_role role)
{
	switch (role) {
	case PROC_INTAKE:
		return STORE_INTAKE;
	case PROC_BUILD:
		return STORE_BUILD;
	case PROC_MEDIA:
		return STORE_MEDIA;
	case PROC_DELIVER:
		return STORE_DELIVER;
	case PROC_GATEWAY:
		return STORE_GATEWAY;
	case PROC_DIRECTORY:
		return STORE_DIRECTORY;
	case PROC_STORE:
	case PROC_ROLES:
		break;
	}
	return STORE_NONE;
}

bool
role_enter(enum proc_role role, unsigned rights, const struct conf *c,
    struct store **st, struct err *err)
{
	struct proc_limits lim = { .user = c->user, .sandbox = c->sandbox };

	return proc_signals_catch(err) && proc_enter(role, &lim, err) &&
	    store_open(c->store, file_of(role), st, err) &&
	    proc_confine(role, rights, &lim, err);
}

void
role_purge(struct store *st, role_purge_fn *purge, const char *kind,
    int64_t keep_ms, int64_t *next_ms)
{
	int64_t mono = clock_mono_ms(), n = 0;
	struct err err = ERR_INIT;
	bool ok;

	if (mono < *next_ms)
		return;
	*next_ms = mono + ROLE_PURGE_MS;
	store_begin(st);
	ok = purge(st, clock_now_ms() - keep_ms, ROLE_PURGE_BATCH, &n, &err);
	if (!ok)
		store_rollback(st);
	else
		ok = store_commit(st, &err);
	if (!ok)
		log_err(LOG_LEVEL_WARN, "purge.failed", &err, "kind=%s",
		    kind);
	else if (n > 0)
		log_info("purge.done", "kind=%s count=%" PRId64, kind, n);
	if (ok && n > 0)
		*next_ms = mono;
}

void
role_wait(enum proc_role role, int extra_fd, int64_t ms)
{
	struct pollfd fds[] = {
		{ .fd = proc_wake_fd(role), .events = POLLIN },
		{ .fd = proc_stop_fd(), .events = POLLIN },
		{ .fd = extra_fd, .events = POLLIN },
	};

	proc_heartbeat();
	if (proc_stopping())
		return;
	poll(fds, 3, ms < 0 ? 0 : ms > ROLE_POLL_MS ? ROLE_POLL_MS : (int)ms);
	if (fds[0].revents & POLLIN)
		proc_wake_clear(role);
}

static bool
has_group(const GPtrArray *conds)
{
	for (guint i = 0; conds != NULL && i < conds->len; i++) {
		const struct policy_cond *c = conds->pdata[i];

		if (c->match == POLICY_GROUP || has_group(c->conds))
			return true;
	}
	return false;
}

bool
role_asks_groups(const struct policy_source *p)
{
	for (guint i = 0; i < p->rules->len; i++) {
		const struct policy_rule *r = p->rules->pdata[i];

		if (has_group(r->conds))
			return true;
	}
	return false;
}
