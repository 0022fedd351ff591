/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first half of the ritual: from what the supervisor started to an
 * unprivileged process that cannot become more than it is. Written once for
 * all roles. Any step that fails ends the role: it must not go on with more
 * rights than its row in the table says.
 */
#include "proc_int.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"

/* Leak detection attaches to the process, which a not dumpable one refuses. */
#if defined(__SANITIZE_ADDRESS__)
#define DUMPABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DUMPABLE 1
#endif
#endif
#ifndef DUMPABLE
#define DUMPABLE 0
#endif

static bool
fail(struct err *err, const char *verb)
{
	return err_set(err, ERR_TEMP, "proc.enter", "cannot %s: %s", verb,
	    err_errno(errno));
}

static bool
find_user(const char *name, struct passwd *out, struct err *err)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL && errno != 0 && errno != ENOENT)
		return fail(err, "look up the service user");
	if (pw == NULL)
		return err_set(err, ERR_CONF, "proc.user",
		    "there is no user \"%s\": create it (adduser --system "
		    "--group %s) or name another with `user`", name, name);
	if (pw->pw_uid == 0)
		return err_set(err, ERR_CONF, "proc.user",
		    "user \"%s\" is root: name an unprivileged user, or \"-\" "
		    "to stay who started the daemon", name);
	*out = *pw;
	return true;
}

static bool
is_only(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	return getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0 &&
	    r == uid && e == uid && s == uid && rg == gid && eg == gid &&
	    sg == gid;
}

static bool
drop_ids(const char *name, struct err *err)
{
	struct passwd pw = { .pw_uid = (uid_t)-1, .pw_gid = (gid_t)-1 };

	if (!find_user(name, &pw, err))
		return false;
	if (initgroups(name, pw.pw_gid) != 0)
		return fail(err, "set the groups of the service user");
	if (setresgid(pw.pw_gid, pw.pw_gid, pw.pw_gid) != 0)
		return fail(err, "change the group");
	if (setresuid(pw.pw_uid, pw.pw_uid, pw.pw_uid) != 0)
		return fail(err, "change the user");
	if (!is_only(pw.pw_uid, pw.pw_gid) || setuid(0) == 0 ||
	    seteuid(0) == 0)
		return err_set(err, ERR_PERM, "proc.enter",
		    "root rights can be regained after giving them up");
	return true;
}

/*
 * A service manager may have given the right to bind port 443 to a user who
 * is not root. The sockets are bound by now.
 */
static bool
drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) != 0)
		return fail(err, "give up capabilities");
	return true;
}

static bool
limit(struct err *err)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return fail(err, "forbid core dumps");
	if (!DUMPABLE && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail(err, "become undumpable");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(err, "forbid new privileges");
	umask(077);
	if (chdir("/") != 0)
		return fail(err, "change to /");
	return true;
}

/*
 * Changing ids clears the signal that tells of the supervisor's death
 * (prctl(2)), so it is asked for again, and the supervisor looked for.
 */
static bool
follow_supervisor(struct err *err)
{
	const char *pid = getenv("CHATJOURNAL_SUPERVISOR_PID");

	if (pid == NULL)
		return true;
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0)
		return fail(err, "follow the supervisor");
	if (getppid() != (pid_t)strtol(pid, NULL, 10))
		return err_set(err, ERR_TEMP, "proc.enter",
		    "the supervisor is gone");
	return true;
}

bool
proc_enter(enum proc_role role, const struct proc_limits *lim,
    struct err *err)
{
	bool root = geteuid() == 0;
	bool drop = root && lim->user != NULL && strcmp(lim->user, "-") != 0;
	char name[16];

	snprintf(name, sizeof(name), "cj-%s", proc_role_name(role));
	prctl(PR_SET_NAME, name, 0, 0, 0);
	proc_cloexec_from(3);
	/* The readers of our pipes may die before us; write() will say so. */
	signal(SIGPIPE, SIG_IGN);
	if (drop && !drop_ids(lim->user, err))
		return false;
	if ((drop || !root) && !drop_capabilities(err))
		return false;
	return limit(err) && follow_supervisor(err);
}
