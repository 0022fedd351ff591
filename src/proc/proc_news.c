/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the policy table has to say, as log lines and as notices to the
 * service manager. Decides nothing. The event names are those of
 * chatjournald(8), DIAGNOSTICS.
 */
#include "proc_int.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#define READY "READY=1\nSTATUS=all roles are ready"

/* An end that was asked for, and with 0, is no news for an operator. */
static bool
is_fine(const struct proc_news *n)
{
	return (n->was == SEAT_ENDING || n->restart_in_ms < 0) &&
	    WIFEXITED(n->status) && WEXITSTATUS(n->status) == PROC_EXIT_OK;
}

static void
tell_exit(const struct proc_news *n)
{
	char how[32], pairs[160], again[48] = "";
	const char *name;

	if (WIFSIGNALED(n->status)) {
		name = sigabbrev_np(WTERMSIG(n->status));
		snprintf(how, sizeof(how), "signal=%s",
		    name != NULL ? name : "unknown");
	} else {
		snprintf(how, sizeof(how), "code=%d", WEXITSTATUS(n->status));
	}
	if (n->restart_in_ms >= 0)
		snprintf(again, sizeof(again), " restart_in_ms=%lld",
		    (long long)n->restart_in_ms);
	snprintf(pairs, sizeof(pairs), "role=%s pid=%d %s after_ms=%lld%s",
	    proc_role_name(n->role), (int)n->pid, how, (long long)n->after_ms,
	    again);
	if (is_fine(n))
		log_info("role.exit", "%s", pairs);
	else
		log_warn("role.exit", "%s", pairs);
}

static void
tell_hung(const struct proc_news *n)
{
	static const char *const doing[SEAT_STATES] = {
		[SEAT_STARTING] = "starting", [SEAT_RUNNING] = "running",
		[SEAT_ENDING] = "stopping" };

	log_error("role.hung", "role=%s pid=%d while=%s after_ms=%lld",
	    proc_role_name(n->role), (int)n->pid,
	    doing[n->was] != NULL ? doing[n->was] : "unknown",
	    (long long)n->after_ms);
}

static void
tell_stopping(const struct proc_news *n)
{
	log_info("supervisor.stop", "code=%d", n->status);
	proc_notify("STOPPING=1\n" PROC_EXTEND "\nSTATUS=stopping the roles");
}

void
proc_news_tell(const struct proc_news *n)
{
	const char *role = proc_role_name(n->role);

	switch (n->kind) {
	case NEWS_START:
		log_info("role.start", "role=%s pid=%d", role, (int)n->pid);
		break;
	case NEWS_READY:
		log_info("role.ready", "role=%s pid=%d after_ms=%lld", role,
		    (int)n->pid, (long long)n->after_ms);
		break;
	case NEWS_EXIT:
		tell_exit(n);
		break;
	case NEWS_HUNG:
		tell_hung(n);
		break;
	case NEWS_CONF:
		log_error("role.config", "role=%s text=\"its configuration "
		    "is wrong, see the line before; the daemon stops\"", role);
		break;
	case NEWS_ALL_READY:
		log_info("supervisor.ready", "pid=%d", (int)getpid());
		proc_notify(READY);
		break;
	case NEWS_RELOADED:
		log_info("reload.ok", "pid=%d", (int)getpid());
		proc_notify(READY);
		break;
	case NEWS_STOPPING:
		tell_stopping(n);
		break;
	}
}
