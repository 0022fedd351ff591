/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes: the supervisor's table and policy, the ritual every role goes
 * through, the sandbox, wake-ups and the service manager. GLib-free.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* The roles, in the order they are started; each has a wake descriptor. */
enum proc_role { PROC_STORE, PROC_INTAKE, PROC_GATEWAY, PROC_BUILD,
	PROC_MEDIA, PROC_DIRECTORY, PROC_DELIVER, PROC_ROLES };

/* What a role may do; decides its system calls. */
enum proc_right {
	PROC_STORE_FILES = 1,	/* open, write, sync files */
	PROC_LISTEN = 2,	/* accept connections on the socket it has */
	PROC_CONNECT = 4,	/* call out: resolve, connect */
	PROC_THREADS = 8,
};

#define PROC_EXIT_OK 0
#define PROC_EXIT_TEMP 75	/* EX_TEMPFAIL: restart with a delay */
#define PROC_EXIT_CONF 78	/* EX_CONFIG: do not restart */

/*
 * Descriptors a role finds after exec, and the environment that names them:
 * 2 log pipe; CHATJOURNAL_CONF_FD snapshot; CHATJOURNAL_STATUS_FD status pipe
 * ('R' ready, 'h' heartbeat); CHATJOURNAL_WAKE_<ROLE>_FD one eventfd per role;
 * CHATJOURNAL_LISTEN_FD its listening socket;
 * CHATJOURNAL_AFTER_CRASH "1": see proc_after_crash().
 */
/*
 * This role's last process under this supervisor was killed, by a signal of
 * its own or for its silence, or ended in no known way; a stop, a reload and
 * whatever ended the supervisor as well is none of these.
 */
bool proc_after_crash(void);
int proc_conf_fd(void);			/* -1 when not started by a supervisor */
/*
 * The listening socket of this role, in CHATJOURNAL_LISTEN_FD; -1: it has
 * none. The supervisor keeps it too: who connects while no process of the
 * role runs waits in its queue.
 */
int proc_listen_fd(void);
int proc_wake_fd(enum proc_role role);	/* to poll one's own; -1 if none */

/*
 * Makes the role look at the store now. Carries no information; never blocks,
 * never fails: the role's own poll timer would do the same a little later.
 */
void proc_wake(enum proc_role role);
/* Empties one's own wake descriptor after poll() says it is readable. */
void proc_wake_clear(enum proc_role role);

struct proc_limits {
	const char *user;	/* as root: become this one; NULL or "-": stay */
	int sandbox;		/* enum conf_sandbox: 0 enforce, 1 log, 2 off */
};

/*
 * The ritual, in fixed order, once per role process. Before it the role has
 * read its own secrets; between the two calls it opens the store. (Stray
 * descriptors do not get as far as this: the supervisor passes on none but
 * those above.)
 *   proc_enter:   all descriptors close-on-exec, drop ids and capabilities,
 *                 no core, not dumpable, no new privileges, umask 077, "/";
 *                 SIGPIPE ignored; SIGTERM when the supervisor dies.
 *                 ERR_CONF "proc.user": the user does not exist or is root
 *   proc_confine: seccomp for the rights. Everybody may read files, map,
 *                 wait and compute; PROC_CONNECT includes PROC_THREADS (the
 *                 resolver). Anything else ends the process with SIGSYS.
 *   proc_ready:   tell the supervisor
 */
bool proc_enter(enum proc_role role, const struct proc_limits *lim,
    struct err *err);
bool proc_confine(enum proc_role role, unsigned rights,
    const struct proc_limits *lim, struct err *err);
void proc_ready(void);
/*
 * At least every 10 s, from the loop that does the work, not from a timer;
 * before ready too where something may take long. Who is silent for 60 s is
 * killed and restarted (not PROC_STORE). May be called as often as one likes.
 */
void proc_heartbeat(void);

/*
 * SIGTERM and SIGINT set the stop flag and make proc_stop_fd() readable.
 * SIGHUP to a role is ignored: the supervisor restarts roles instead.
 */
bool proc_signals_catch(struct err *err);
bool proc_stopping(void);
int proc_stop_fd(void);

const char *proc_role_name(enum proc_role role);
bool proc_role_parse(const char *name, enum proc_role *out);

/*
 * What the roles run with. All descriptors are the supervisor's from the
 * moment it gets them.
 *  conf_fd    snapshot of the checked configuration; each role gets it with
 *             an offset of its own, at 0
 *  listen     a bound socket for each role that has one, else -1. It is made
 *             to listen when the role is first started, not while the store
 *             is prepared; it is closed when the daemon begins to stop
 *  roles      1u << role for each to run; 0: all
 */
struct proc_setup {
	int conf_fd;
	int listen[PROC_ROLES];
	unsigned roles;
};

/*
 * The supervisor's loop. It returns the exit code of the daemon.
 *  argv0      what to execute: argv0 --role NAME; NULL: this very program
 *  setup      to begin with
 *  reload     called on SIGHUP: checks the new files; true and in *next the
 *             new setup, or false (already said why) and the old one stays.
 *             A socket with the number it had before stays as it is; one
 *             that is no longer there is closed: the process that has it
 *             still serves whom it let in. Roles that are new are started,
 *             those that are no longer wanted ended
 *  log        already open (log.h); lines of the roles are given to
 *             log_line, without "<N>" and line end. What a role wrote
 *             without "<N>" comes as: role.said text="..."
 * The caller has no children and no other threads that take signals.
 * PROC_STORE runs to its end (it checks and upgrades the store) before the
 * others are started. On SIGTERM they end in the order of enum proc_role, what
 * lets something in first; each has stop_ms to finish.
 */
struct proc_supervisor {
	const char *argv0;
	struct proc_setup setup;
	bool (*reload)(void *arg, struct proc_setup *next);
	void (*log_line)(void *arg, const char *role, pid_t pid, int severity,
	    const char *line);
	void *arg;
	int64_t stop_ms;
};
int proc_supervise(const struct proc_supervisor *sup);

/* "READY=1", "STATUS=…", "WATCHDOG=1" to $NOTIFY_SOCKET; no-op without it. */
void proc_notify(const char *state);

/*
 * The log's last leg, in the supervisor: lines are put into a bounded ring
 * and written by a thread of its own, so a stalled syslog stops nobody. What
 * does not fit is counted and said ("log.dropped").
 */
enum proc_log_target { PROC_LOG_SYSLOG, PROC_LOG_JOURNAL, PROC_LOG_STDERR };
bool proc_log_start(enum proc_log_target target, const char *facility,
    struct err *err);
/*
 * The supervisor's own lines: log_open_fd(proc_log_fd(), 1, level). They are
 * read by proc_supervise() and proc_log_stop(), and go through the same ring.
 * -1 without a started log. It is closed by proc_log_stop(): point log.h
 * elsewhere right after that.
 */
int proc_log_fd(void);
/* role NULL: the line is the supervisor's own and says itself whom it means. */
void proc_log_write(int severity, const char *role, pid_t pid,
    const char *line);
void proc_log_stop(void);	/* waits up to 2 s for the ring to drain */
