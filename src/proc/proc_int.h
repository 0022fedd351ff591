/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside proc: the policy table, lines, spawning and the log sink. */
#pragma once

#include "proc.h"

/* --- policy: who is started, restarted, stopped, and when -------------- */

struct proc_timing {
	int64_t delay_min_ms;	/* after a first death; then doubled */
	int64_t delay_max_ms;
	int64_t hung_ms;	/* silence after which a role is killed */
	int64_t stop_ms;	/* from SIGTERM to SIGKILL */
	int64_t hasten_ms;	/* the same once somebody insists */
};

enum seat_state {
	SEAT_OFF,		/* not started, or ended for good */
	SEAT_DELAYED,		/* will be started when due */
	SEAT_STARTING,		/* runs, not ready yet */
	SEAT_RUNNING,		/* ready */
	SEAT_HUNG,		/* killed for its silence, not gone yet */
	SEAT_ENDING,		/* asked to stop, not gone yet */
	SEAT_STATES
};

struct proc_seat {
	bool used;		/* wanted, or not gone yet */
	bool wanted;		/* by the configuration in force */
	bool stale;		/* runs with a configuration that was replaced,
				   or does not run yet with this one */
	enum seat_state state;
	pid_t pid;
	int status;		/* of its last end, as from waitpid() */
	bool crashed;		/* it ended unasked, and did not say why */
	int kills;		/* SIGKILLs that have not ended it yet */
	int64_t since_ms, due_ms, delay_ms;
};

enum proc_phase { PHASE_STORE, PHASE_ROLES, PHASE_STOP, PHASE_END };

/* What the table has to say; the loop turns it into log lines and notices. */
enum proc_news_kind { NEWS_START, NEWS_READY, NEWS_EXIT, NEWS_HUNG, NEWS_CONF,
	NEWS_ALL_READY, NEWS_RELOADED, NEWS_STOPPING };

struct proc_news {
	enum proc_news_kind kind;
	enum proc_role role;
	pid_t pid;
	int status;		/* EXIT: as from waitpid(); STOPPING: our code */
	enum seat_state was;	/* EXIT, HUNG: the state it was in */
	int64_t after_ms;	/* since it was started */
	int64_t restart_in_ms;	/* EXIT: -1 when it is not restarted */
};

/* The world as the policy sees it: real in the loop, fake in the tests. */
struct proc_ops {
	pid_t (*start)(void *arg, enum proc_role role);	/* -1: failed */
	void (*signal)(void *arg, pid_t pid, int signo);
	void (*tell)(void *arg, const struct proc_news *news);
};

struct proc_table {
	struct proc_timing timing;
	const struct proc_ops *ops;
	void *arg;
	enum proc_phase phase;
	int exit_code;
	int stops;		/* how often stopping was asked for */
	bool told_ready, reloading;
	struct proc_seat seats[PROC_ROLES];
};

void proc_table_init(struct proc_table *t, const struct proc_timing *timing,
    const struct proc_ops *ops, void *arg);
/* Every event takes the time; each may call the ops. */
void proc_table_begin(struct proc_table *t, unsigned roles, int64_t now);
void proc_table_status(struct proc_table *t, enum proc_role role, char byte,
    int64_t now);
void proc_table_exited(struct proc_table *t, enum proc_role role, int status,
    int64_t now);
void proc_table_reload(struct proc_table *t, unsigned roles, int64_t now);
void proc_table_stop(struct proc_table *t, int64_t now);
void proc_table_tick(struct proc_table *t, int64_t now);
/* When proc_table_tick() is needed next; INT64_MAX: not at all. */
int64_t proc_table_due(const struct proc_table *t);
/* False once a role has survived a SIGKILL for hung_ms. */
bool proc_table_healthy(const struct proc_table *t);

/* Logs it and tells the service manager. */
void proc_news_tell(const struct proc_news *news);
#define PROC_EXTEND "EXTEND_TIMEOUT_USEC=30000000"

int proc_supervise_timed(const struct proc_supervisor *sup,
    const struct proc_timing *timing);

/* --- lines of a role's log pipe ---------------------------------------- */

#define PROC_LINE_MAX 4096	/* PIPE_BUF: what log.h writes at once */

typedef void proc_line_fn(void *arg, int severity, const char *line);

struct proc_lines {
	char buf[PROC_LINE_MAX];
	size_t len;
	bool cut;		/* the rest of this line is thrown away */
};

void proc_lines_feed(struct proc_lines *l, const char *data, size_t len,
    proc_line_fn *fn, void *arg);
/* The last line has no line end when its writer died. */
void proc_lines_flush(struct proc_lines *l, proc_line_fn *fn, void *arg);

/* --- starting a process ------------------------------------------------ */

struct proc_spawn {
	const char *argv0;
	enum proc_role role;
	int conf_fd;
	int listen_fd;		/* -1: none */
	const int *wake;	/* PROC_ROLES descriptors */
	bool after_crash;	/* see proc_after_crash() */
	int log_fd, status_fd;	/* out: the reading ends, ours to close */
};

#define PROC_STATUS_EXEC 'X'	/* on the status pipe: exec failed */

pid_t proc_spawn(struct proc_spawn *s, struct err *err);	/* -1: failed */

/* The name of the variable that says the descriptor's number. */
const char *proc_wake_env(enum proc_role role);

/* close_range() with CLOSE_RANGE_CLOEXEC, or what stands in for it. */
void proc_cloexec_from(int first);

/* --- the log's last leg ------------------------------------------------ */

struct proc_entry {
	struct proc_entry *next;
	size_t size;
	int64_t at_ms;
	int severity;
	char role[16];		/* "" for the supervisor itself */
	char text[];		/* one line, printable */
};

/* Where lines go; put() may block for as long as it likes. */
struct proc_target {
	void (*put)(void *arg, const struct proc_entry *e);
	void (*close)(void *arg);	/* may be NULL */
	void *arg;
};

#define PROC_SINK_LINES 8192
#define PROC_SINK_BYTES (4u << 20)

bool proc_sink_start(const struct proc_target *target, struct err *err);
void proc_sink_stop(int64_t patience_ms);
bool proc_target_open(enum proc_log_target which, const char *facility,
    struct proc_target *out, struct err *err);
/* The journal's protocol to another socket than its own, for the tests. */
bool proc_target_journal(const char *path, struct proc_target *out,
    struct err *err);
/* Gives what log.h wrote to proc_log_fd() to the ring; -1 without a sink. */
int proc_sink_own_fd(void);
void proc_sink_own_read(void);
