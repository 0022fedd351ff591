/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts one role as a fresh process: fork and exec, so that it inherits no
 * secret, no library state and no database handle. Of the supervisor's
 * descriptors it gets exactly those that its environment names. Between fork
 * and exec only async-signal-safe functions are called, since the log thread
 * may hold any lock at that moment.
 */
#include "proc_int.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "err.h"

#define ENV_MAX 64

extern char **environ;

struct plan {
	char *env[ENV_MAX + 1];
	size_t n;
	int null_fd, log_fd, status_fd, conf_fd;	/* the child's ends */
	pid_t parent;
};

static void
env_add(struct plan *p, const char *name, const char *value)
{
	char *pair = NULL;

	if (p->n < ENV_MAX && asprintf(&pair, "%s=%s", name, value) >= 0)
		p->env[p->n++] = pair;
}

static void
env_add_number(struct plan *p, const char *name, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	env_add(p, name, text);
}

static bool
is_passed_on(const char *pair)
{
	/* The second kind exists in builds with sanitizers only. */
	static const char *const begin[] = { "CHATJOURNAL_", "ASAN_OPTIONS=",
		"UBSAN_OPTIONS=", "LSAN_OPTIONS=" };

	for (size_t i = 0; i < sizeof(begin) / sizeof(*begin); i++) {
		if (strncmp(pair, begin[i], strlen(begin[i])) == 0)
			return true;
	}
	return false;
}

/* Ours come first: getenv() finds the first of a name. */
static void
fill_env(struct plan *p, const struct proc_spawn *s)
{
	env_add(p, "PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
	env_add(p, "TZ", "UTC");
	env_add(p, "LANG", "C.UTF-8");
	env_add_number(p, "CHATJOURNAL_SUPERVISOR_PID", p->parent);
	env_add_number(p, "CHATJOURNAL_CONF_FD", p->conf_fd);
	env_add_number(p, "CHATJOURNAL_STATUS_FD", p->status_fd);
	env_add_number(p, "CHATJOURNAL_LISTEN_FD", s->listen_fd);
	env_add_number(p, "CHATJOURNAL_AFTER_CRASH", s->after_crash);
	for (int r = 0; r < PROC_ROLES; r++)
		env_add_number(p, proc_wake_env((enum proc_role)r),
		    s->wake[r]);
	for (char **e = environ; *e != NULL; e++) {
		char *copy;

		if (p->n < ENV_MAX && is_passed_on(*e) &&
		    (copy = strdup(*e)) != NULL)
			p->env[p->n++] = copy;
	}
	p->env[p->n] = NULL;
}

/*
 * The snapshot through a description of its own: two roles that read it at
 * the same time must not share one offset.
 */
static int
reopen(int fd)
{
	char path[40];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool
open_ends(struct plan *p, struct proc_spawn *s, struct err *err)
{
	int log[2], status[2];

	p->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	p->conf_fd = reopen(s->conf_fd);
	if (p->null_fd < 0 || (p->conf_fd < 0 && s->conf_fd >= 0))
		return err_set(err, ERR_TEMP, "proc.spawn",
		    "cannot open /dev/null or /proc/self/fd: %s; are /dev "
		    "and /proc mounted?", err_errno(errno));
	if (pipe2(log, O_CLOEXEC) != 0)
		return err_set(err, ERR_TEMP, "proc.spawn", "no pipe: %s",
		    err_errno(errno));
	p->log_fd = log[1];
	s->log_fd = log[0];
	/* Only our end: an assertion's last words may wait, we may not. */
	fcntl(s->log_fd, F_SETFL, O_NONBLOCK);
	if (pipe2(status, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_set(err, ERR_TEMP, "proc.spawn", "no pipe: %s",
		    err_errno(errno));
	p->status_fd = status[1];
	s->status_fd = status[0];
	return true;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
free_plan(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->env[i]);
	close_fd(&p->null_fd);
	close_fd(&p->log_fd);
	close_fd(&p->status_fd);
	close_fd(&p->conf_fd);
}

void
proc_cloexec_from(int first)
{
	long max = sysconf(_SC_OPEN_MAX);

	if (close_range((unsigned)first, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	/* Linux before 5.11 */
	for (int fd = first; fd < max && fd < 65536; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void
pass_on(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

static void
reset_signals(void)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE,
		SIGUSR1, SIGUSR2 };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		signal(ours[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A group of its own: ^C at a terminal is for the supervisor to order. */
static _Noreturn void
become(const struct plan *p, const struct proc_spawn *s, char *const argv[])
{
	const char failed = PROC_STATUS_EXEC;

	setpgid(0, 0);
	reset_signals();
	dup2(p->null_fd, STDIN_FILENO);
	dup2(p->log_fd, STDOUT_FILENO);
	dup2(p->log_fd, STDERR_FILENO);
	proc_cloexec_from(3);
	pass_on(p->status_fd);
	pass_on(p->conf_fd);
	pass_on(s->listen_fd);
	for (int r = 0; r < PROC_ROLES; r++)
		pass_on(s->wake[r]);
	/* The parent may have died before it could be asked for. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != p->parent)
		_exit(PROC_EXIT_TEMP);
	execve(s->argv0, argv, p->env);
	if (write(p->status_fd, &failed, 1) != 1)
		_exit(PROC_EXIT_TEMP);
	_exit(PROC_EXIT_TEMP);
}

pid_t
proc_spawn(struct proc_spawn *s, struct err *err)
{
	struct plan p = { .null_fd = -1, .log_fd = -1, .status_fd = -1,
		.conf_fd = -1, .parent = getpid() };
	char dash[] = "--role", role[16], *argv0 = strdup(s->argv0);
	char *argv[] = { argv0, dash, role, NULL };
	pid_t pid = -1;

	s->log_fd = s->status_fd = -1;
	snprintf(role, sizeof(role), "%s", proc_role_name(s->role));
	if (open_ends(&p, s, err)) {
		fill_env(&p, s);
		pid = fork();
		if (pid == 0)
			become(&p, s, argv);
		if (pid < 0)
			err_set(err, ERR_TEMP, "proc.fork", "cannot fork: %s",
			    err_errno(errno));
	}
	free(argv0);
	free_plan(&p);
	if (pid < 0) {
		close_fd(&s->log_fd);
		close_fd(&s->status_fd);
	}
	return pid;
}
