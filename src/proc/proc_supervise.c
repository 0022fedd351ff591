/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's loop: signals, the pipes of the roles and the service
 * manager go in, the policy table (proc_table.c) decides, and what it decides
 * is done and logged here. It parses nothing from outside, opens no store and
 * never waits for a role: a descriptor that is not ready is left alone.
 */
#include "proc_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "log.h"

#define READ_SIZE 16384
#define EXTEND_EVERY_MS 10000

struct child {
	int log_fd, status_fd;
	pid_t pid;		/* also while its pipe is emptied after its end */
	struct proc_lines lines;
};

struct loop {
	const struct proc_supervisor *sup;
	struct proc_table table;
	struct child children[PROC_ROLES];
	int wake[PROC_ROLES];
	struct proc_setup setup;
	int sig_fd;
	int64_t watchdog_ms;	/* how often to send; 0: nobody waits for it */
	int64_t watchdog_at, extend_at;
	sigset_t old_mask;
};

/* For the callback of the line reader. */
struct speaker {
	const struct loop *l;
	int role;
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* --- listening sockets ------------------------------------------------- */

/* Who connects while the role is away waits in the kernel's queue. */
static bool
is_listening(int fd, struct err *err)
{
	if (fd < 0 || listen(fd, SOMAXCONN) == 0)
		return true;
	return err_set(err, ERR_TEMP, "proc.listen", "cannot listen: %s; does "
	    "another process listen on the same port since?",
	    err_errno(errno));
}

static void
stop_listening(struct loop *l)
{
	for (int r = 0; r < PROC_ROLES; r++)
		close_fd(&l->setup.listen[r]);
}

/* --- what the policy asks for ------------------------------------------ */

static pid_t
start(void *arg, enum proc_role role)
{
	struct loop *l = arg;
	struct child *c = &l->children[role];
	const char *argv0 = l->sup->argv0;
	struct proc_spawn s = { .argv0 = argv0 != NULL ? argv0 :
		"/proc/self/exe", .role = role, .conf_fd = l->setup.conf_fd,
		.listen_fd = l->setup.listen[role], .wake = l->wake,
		.after_crash = l->table.seats[role].crashed };
	struct err err = ERR_INIT;
	pid_t pid = is_listening(s.listen_fd, &err) ? proc_spawn(&s, &err) :
	    -1;

	if (pid < 0) {
		log_err(LOG_LEVEL_ERROR, "role.spawn", &err, "role=%s",
		    proc_role_name(role));
		return -1;
	}
	c->pid = pid;
	c->log_fd = s.log_fd;
	c->status_fd = s.status_fd;
	memset(&c->lines, 0, sizeof(c->lines));
	return pid;
}

static void
send_signal(void *arg, pid_t pid, int signo)
{
	(void)arg;
	if (pid > 0)
		kill(pid, signo);
}

static void
tell(void *arg, const struct proc_news *n)
{
	/* From now on nobody would take them out of the queue. */
	if (n->kind == NEWS_STOPPING)
		stop_listening(arg);
	proc_news_tell(n);
}

static const struct proc_ops ops = { start, send_signal, tell };

/* --- pipes ------------------------------------------------------------- */

static void
say_line(void *arg, int severity, const char *line)
{
	const struct speaker *s = arg;
	const struct proc_supervisor *sup = s->l->sup;

	sup->log_line(sup->arg, proc_role_name((enum proc_role)s->role),
	    s->l->children[s->role].pid, severity, line);
}

/* False when there is no more for now, or ever. */
static bool
read_log(struct loop *l, int role)
{
	struct child *c = &l->children[role];
	struct speaker who = { l, role };
	char buf[READ_SIZE];
	ssize_t n;

	if (c->log_fd < 0)
		return false;
	n = read(c->log_fd, buf, sizeof(buf));
	if (n > 0) {
		proc_lines_feed(&c->lines, buf, (size_t)n, say_line, &who);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_fd(&c->log_fd);
	return n < 0 && errno == EINTR;
}

static void
take_status(struct loop *l, int role, char byte)
{
	if (byte == PROC_STATUS_EXEC)
		log_error("role.exec", "role=%s text=\"cannot execute the "
		    "daemon's own file: was it removed or replaced?\"",
		    proc_role_name((enum proc_role)role));
	else
		proc_table_status(&l->table, (enum proc_role)role, byte,
		    clock_mono_ms());
}

static void
read_status(struct loop *l, int role)
{
	struct child *c = &l->children[role];
	char buf[256];
	ssize_t n;

	if (c->status_fd < 0)
		return;
	n = read(c->status_fd, buf, sizeof(buf));
	for (ssize_t i = 0; i < n; i++)
		take_status(l, role, buf[i]);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&c->status_fd);
}

/* --- ends -------------------------------------------------------------- */

static int
role_with(const struct loop *l, pid_t pid)
{
	for (int r = 0; r < PROC_ROLES; r++) {
		if (l->children[r].pid == pid)
			return r;
	}
	return -1;
}

/* Its last words and its "ready" come before its end is told. */
static void
bury(struct loop *l, int role, int status)
{
	struct child *c = &l->children[role];
	struct speaker who = { l, role };

	proc_sink_own_read();
	read_status(l, role);
	while (read_log(l, role))
		;
	proc_lines_flush(&c->lines, say_line, &who);
	close_fd(&c->log_fd);
	close_fd(&c->status_fd);
	c->pid = -1;
	proc_table_exited(&l->table, (enum proc_role)role, status,
	    clock_mono_ms());
}

/* As process 1 of a container we also reap what is not ours. */
static void
reap(struct loop *l)
{
	int status, role;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		role = role_with(l, pid);
		if (role >= 0)
			bury(l, role, status);
	}
}

/* --- signals ----------------------------------------------------------- */

static void
take_over(struct loop *l, const struct proc_setup *next)
{
	close_fd(&l->setup.conf_fd);
	for (int r = 0; r < PROC_ROLES; r++) {
		if (l->setup.listen[r] != next->listen[r])
			close_fd(&l->setup.listen[r]);
	}
	l->setup = *next;
}

static void
reload(struct loop *l)
{
	char notice[96];
	struct proc_setup next;

	if (l->table.phase == PHASE_STOP)
		return;
	if (l->sup->reload == NULL || !l->sup->reload(l->sup->arg, &next)) {
		log_warn("reload.refused", "text=\"the old configuration "
		    "stays in force\"");
		return;
	}
	take_over(l, &next);
	if (l->table.told_ready) {
		snprintf(notice, sizeof(notice), "RELOADING=1\n"
		    "MONOTONIC_USEC=%lld\nSTATUS=restarting the roles",
		    (long long)clock_mono_ms() * 1000);
		proc_notify(notice);
	}
	proc_table_reload(&l->table, l->setup.roles, clock_mono_ms());
}

static void
take_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->sig_fd, &info, sizeof(info)) ==
	    (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			proc_table_stop(&l->table, clock_mono_ms());
		else if (info.ssi_signo == SIGHUP)
			reload(l);
	}
}

/* --- the loop ---------------------------------------------------------- */

/*
 * The watchdog is fed from here only, so a stuck loop is noticed, and only
 * while no role has outlived its SIGKILL.
 */
static void
feed_manager(struct loop *l, int64_t now)
{
	enum proc_phase phase = l->table.phase;

	if (l->watchdog_ms > 0 && now >= l->watchdog_at) {
		if (proc_table_healthy(&l->table))
			proc_notify("WATCHDOG=1");
		l->watchdog_at = now + l->watchdog_ms;
	}
	if (phase != PHASE_STORE && phase != PHASE_STOP)
		return;
	if (now >= l->extend_at) {
		proc_notify(phase == PHASE_STORE ?
		    PROC_EXTEND "\nSTATUS=checking the store" :
		    PROC_EXTEND "\nSTATUS=stopping the roles");
		l->extend_at = now + EXTEND_EVERY_MS;
	}
}

static int
wait_ms(const struct loop *l, int64_t now)
{
	int64_t due = proc_table_due(&l->table);

	if (l->watchdog_ms > 0 && l->watchdog_at < due)
		due = l->watchdog_at;
	if (l->table.phase != PHASE_ROLES && l->extend_at < due)
		due = l->extend_at;
	if (due <= now)
		return 0;
	return due - now < 3600000 ? (int)(due - now) : 3600000;
}

/*
 * Our own lines first, then the roles', then the ends: so "role.start" is
 * logged before what the role says, and "role.exit" after it.
 */
static void
turn(struct loop *l)
{
	enum { SIGNALS, OWN, FIRST };
	struct pollfd p[FIRST + 2 * PROC_ROLES] = {
		[SIGNALS] = { l->sig_fd, POLLIN, 0 },
		[OWN] = { proc_sink_own_fd(), POLLIN, 0 } };

	for (int r = 0; r < PROC_ROLES; r++) {
		p[FIRST + 2 * r] = (struct pollfd){ l->children[r].log_fd,
			POLLIN, 0 };
		p[FIRST + 2 * r + 1] = (struct pollfd){
			l->children[r].status_fd, POLLIN, 0 };
	}
	if (poll(p, FIRST + 2 * PROC_ROLES,
	    wait_ms(l, clock_mono_ms())) < 0)
		return;
	proc_sink_own_read();
	for (int r = 0; r < PROC_ROLES; r++) {
		if (p[FIRST + 2 * r].revents != 0)
			read_log(l, r);
		if (p[FIRST + 2 * r + 1].revents != 0)
			read_status(l, r);
	}
	if (p[SIGNALS].revents != 0)
		take_signals(l);
}

static void
run(struct loop *l)
{
	int64_t now = clock_mono_ms();

	log_info("supervisor.start", "pid=%d", (int)getpid());
	feed_manager(l, now);
	proc_table_begin(&l->table, l->setup.roles, now);
	while (l->table.phase != PHASE_END) {
		turn(l);
		reap(l);
		now = clock_mono_ms();
		proc_table_tick(&l->table, now);
		feed_manager(l, now);
	}
	proc_sink_own_read();
}

/* Half of what the service manager waits for, as sd_notify(3) advises. */
static int64_t
watchdog_interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long long n = usec != NULL ? strtoll(usec, NULL, 10) : 0;

	if (pid != NULL && strtol(pid, NULL, 10) != getpid())
		return 0;
	return n > 0 ? (n / 2000 > 0 ? n / 2000 : 1) : 0;
}

/* A pipe must not become somebody's standard error. */
static bool
fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
	return fd > 2;
}

static bool
open_loop(struct loop *l)
{
	sigset_t ours;

	for (int r = 0; r < PROC_ROLES; r++) {
		l->children[r] = (struct child){ -1, -1, -1, { .len = 0 } };
		l->wake[r] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (l->wake[r] < 0)
			return false;
	}
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ours, &l->old_mask);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	l->sig_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return l->sig_fd >= 0;
}

static void
close_loop(struct loop *l)
{
	for (int r = 0; r < PROC_ROLES; r++)
		close_fd(&l->wake[r]);
	close_fd(&l->sig_fd);
	close_fd(&l->setup.conf_fd);
	stop_listening(l);
	sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
}

int
proc_supervise_timed(const struct proc_supervisor *sup,
    const struct proc_timing *timing)
{
	struct loop l = { .sup = sup, .setup = sup->setup, .sig_fd = -1,
		.wake = { -1, -1, -1, -1 }, .watchdog_ms = watchdog_interval() };

	sigprocmask(SIG_SETMASK, NULL, &l.old_mask);
	proc_table_init(&l.table, timing, &ops, &l);
	if (!fill_standard_fds() || !open_loop(&l)) {
		log_error("supervisor.start", "text=\"cannot open "
		    "descriptors: %s\"", err_errno(errno));
		l.table.exit_code = PROC_EXIT_TEMP;
	} else {
		run(&l);
	}
	close_loop(&l);
	return l.table.exit_code;
}

int
proc_supervise(const struct proc_supervisor *sup)
{
	const struct proc_timing timing = { .delay_min_ms = 1000,
		.delay_max_ms = 60000, .hung_ms = 60000,
		.stop_ms = sup->stop_ms, .hasten_ms = 2000 };

	return proc_supervise_timed(sup, &timing);
}
