/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's policy: a table of states and events. It decides who is
 * started, restarted or killed, and when; it does no I/O, reads no clock and
 * logs nothing. A role that dies is tried again for ever, with a doubling
 * delay; only a wrong configuration ends the daemon.
 */
#include "proc_int.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define NEVER INT64_MAX

enum seat_event { ON_START, ON_READY, ON_BEAT, ON_EXIT, ON_DUE, ON_STOP,
	SEAT_EVENTS };

typedef void event_fn(struct proc_table *t, struct proc_seat *s, int64_t now);

static enum proc_role
role_of(const struct proc_table *t, const struct proc_seat *s)
{
	return (enum proc_role)(s - t->seats);
}

static void
tell(struct proc_table *t, const struct proc_seat *s, struct proc_news news,
    int64_t now)
{
	if (s != NULL) {
		news.role = role_of(t, s);
		news.pid = s->pid;
		news.was = s->state;
		news.after_ms = now - s->since_ms;
	}
	t->ops->tell(t->arg, &news);
}

static bool
exited_with(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static void
end(struct proc_seat *s)
{
	s->state = SEAT_OFF;
	s->used = s->wanted;
	s->stale = false;
	s->due_ms = NEVER;
	s->pid = -1;
	s->kills = 0;
}

/* 1 s after the first death, then twice as long each time (Postfix, s6). */
static void
delay(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	end(s);
	s->delay_ms = s->delay_ms == 0 ? t->timing.delay_min_ms :
	    s->delay_ms * 2;
	if (s->delay_ms > t->timing.delay_max_ms)
		s->delay_ms = t->timing.delay_max_ms;
	s->state = SEAT_DELAYED;
	s->due_ms = now + s->delay_ms;
}

/* The store's check may take hours on a large file: it has no deadline. */
static int64_t
silence_ends(const struct proc_table *t, const struct proc_seat *s,
    int64_t now)
{
	return role_of(t, s) == PROC_STORE ? NEVER : now + t->timing.hung_ms;
}

static void
start(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	pid_t pid = t->ops->start(t->arg, role_of(t, s));

	if (pid < 0) {
		delay(t, s, now);
		return;
	}
	s->state = SEAT_STARTING;
	s->pid = pid;
	s->kills = 0;
	s->since_ms = now;
	s->due_ms = silence_ends(t, s, now);
	tell(t, s, (struct proc_news){ NEWS_START }, now);
}

static void
ready(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	s->due_ms = silence_ends(t, s, now);
	if (role_of(t, s) == PROC_STORE)	/* it is done when it ends */
		return;
	s->state = SEAT_RUNNING;
	s->delay_ms = 0;
	tell(t, s, (struct proc_news){ NEWS_READY }, now);
}

static void
beat(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	s->due_ms = silence_ends(t, s, now);
}

static void
give_up(struct proc_table *t, const struct proc_seat *s, int64_t now)
{
	tell(t, s, (struct proc_news){ NEWS_CONF }, now);
	t->exit_code = PROC_EXIT_CONF;
	proc_table_stop(t, now);
}

static void
died(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	struct proc_news news = { NEWS_EXIT, .status = s->status,
		.restart_in_ms = -1 };
	struct proc_seat was = *s;
	bool conf = exited_with(s->status, PROC_EXIT_CONF);
	bool done = !s->wanted ||
	    (role_of(t, s) == PROC_STORE && exited_with(s->status, 0));

	s->crashed = !conf && !exited_with(s->status, 0) &&
	    !exited_with(s->status, PROC_EXIT_TEMP);
	if (t->phase == PHASE_STOP || conf || done) {
		tell(t, s, news, now);
		end(s);
		if (conf && t->phase != PHASE_STOP && was.wanted)
			give_up(t, s, now);
		return;
	}
	delay(t, s, now);
	news.restart_in_ms = s->delay_ms;
	news.role = role_of(t, s);
	news.pid = was.pid;
	news.was = was.state;
	news.after_ms = now - was.since_ms;
	t->ops->tell(t->arg, &news);
}

/* It was asked to: during a reload the next one follows at once. */
static void
ended(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	bool again = t->phase == PHASE_ROLES && s->wanted;

	s->crashed = false;
	tell(t, s, (struct proc_news){ NEWS_EXIT, .status = s->status,
	    .restart_in_ms = again ? 0 : -1 }, now);
	end(s);
	if (again)
		start(t, s, now);
}

static void
kill_it(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	if (s->kills++ == 0)
		tell(t, s, (struct proc_news){ NEWS_HUNG }, now);
	t->ops->signal(t->arg, s->pid, SIGKILL);
	s->due_ms = now + t->timing.hung_ms;
}

static void
hung(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	kill_it(t, s, now);
	s->state = SEAT_HUNG;
}

static void
stop(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	s->stale = false;
	s->state = SEAT_ENDING;
	s->due_ms = now + (t->stops > 1 ? t->timing.hasten_ms :
	    t->timing.stop_ms);
	t->ops->signal(t->arg, s->pid, SIGTERM);
}

static void
cancel(struct proc_table *t, struct proc_seat *s, int64_t now)
{
	(void)t;
	(void)now;
	end(s);
}

static event_fn *const on[SEAT_STATES][SEAT_EVENTS] = {
	/*                  START  READY  BEAT  EXIT   DUE      STOP */
	[SEAT_OFF] =      { start, NULL,  NULL, NULL,  NULL,    NULL },
	[SEAT_DELAYED] =  { start, NULL,  NULL, NULL,  start,   cancel },
	[SEAT_STARTING] = { NULL,  ready, beat, died,  hung,    stop },
	[SEAT_RUNNING] =  { NULL,  beat,  beat, died,  hung,    stop },
	[SEAT_HUNG] =     { NULL,  NULL,  NULL, died,  kill_it, NULL },
	[SEAT_ENDING] =   { NULL,  NULL,  NULL, ended, kill_it, NULL },
};

static void
happen(struct proc_table *t, int role, enum seat_event e, int64_t now)
{
	struct proc_seat *s = &t->seats[role];
	event_fn *fn = on[s->state][e];

	if (s->used && fn != NULL)
		fn(t, s, now);
}

static bool
all_in(const struct proc_table *t, enum seat_state state)
{
	for (int r = PROC_INTAKE; r < PROC_ROLES; r++) {
		if (t->seats[r].used && t->seats[r].state != state)
			return false;
	}
	return true;
}

/*
 * One role at a time, so that the others go on working. A new process that
 * fails is throttled like any other and does not hold up those behind it:
 * two configurations must not run side by side for long.
 */
static void
go_on_reloading(struct proc_table *t, int64_t now)
{
	int next = PROC_ROLES;

	for (int r = PROC_ROLES - 1; r >= PROC_INTAKE; r--) {
		const struct proc_seat *s = &t->seats[r];

		if (s->stale)
			next = r;
		else if (s->state == SEAT_STARTING ||
		    s->state == SEAT_ENDING || s->state == SEAT_HUNG)
			return;
	}
	if (next < PROC_ROLES) {
		t->seats[next].stale = false;
		happen(t, next, t->seats[next].state == SEAT_OFF ? ON_START :
		    ON_STOP, now);
		return;
	}
	t->reloading = false;
	tell(t, NULL, (struct proc_news){ NEWS_RELOADED }, now);
}

/* Upstream first: what intake still accepts, those behind it still move. */
static void
go_on_stopping(struct proc_table *t, int64_t now)
{
	bool gone = true;

	for (int r = 0; r < PROC_ROLES; r++) {
		happen(t, r, ON_STOP, now);
		if (!t->seats[r].used || t->seats[r].state == SEAT_OFF)
			continue;
		gone = false;
		if (t->stops < 2)
			return;
	}
	if (gone)
		t->phase = PHASE_END;
}

static void
start_roles(struct proc_table *t, int64_t now)
{
	t->phase = PHASE_ROLES;
	for (int r = PROC_INTAKE; r < PROC_ROLES; r++)
		happen(t, r, ON_START, now);
}

/* After each event: what follows for the whole. */
static void
settle(struct proc_table *t, int64_t now)
{
	if (t->phase == PHASE_STORE && t->seats[PROC_STORE].state == SEAT_OFF)
		start_roles(t, now);
	if (t->phase == PHASE_ROLES && !t->told_ready &&
	    all_in(t, SEAT_RUNNING)) {
		t->told_ready = true;
		tell(t, NULL, (struct proc_news){ NEWS_ALL_READY }, now);
	}
	if (t->phase == PHASE_ROLES && t->reloading)
		go_on_reloading(t, now);
	if (t->phase == PHASE_STOP)
		go_on_stopping(t, now);
}

void
proc_table_init(struct proc_table *t, const struct proc_timing *timing,
    const struct proc_ops *ops, void *arg)
{
	memset(t, 0, sizeof(*t));
	t->timing = *timing;
	t->ops = ops;
	t->arg = arg;
	for (int r = 0; r < PROC_ROLES; r++)
		end(&t->seats[r]);
}

static bool
is_in(unsigned roles, int role)
{
	return roles == 0 || (roles & 1u << role) != 0;
}

void
proc_table_begin(struct proc_table *t, unsigned roles, int64_t now)
{
	for (int r = 0; r < PROC_ROLES; r++)
		t->seats[r].used = t->seats[r].wanted = is_in(roles, r);
	happen(t, PROC_STORE, ON_START, now);
	settle(t, now);
}

void
proc_table_status(struct proc_table *t, enum proc_role role, char byte,
    int64_t now)
{
	happen(t, role, byte == 'R' ? ON_READY : ON_BEAT, now);
	settle(t, now);
}

void
proc_table_exited(struct proc_table *t, enum proc_role role, int status,
    int64_t now)
{
	t->seats[role].status = status;
	happen(t, role, ON_EXIT, now);
	settle(t, now);
}

/*
 * Whoever waits for its restart gets the new configuration right now; whoever
 * is wanted no more ends in its turn, and whoever is new begins in its.
 */
static void
renew(struct proc_table *t, int role, int64_t now)
{
	struct proc_seat *s = &t->seats[role];

	s->delay_ms = 0;
	if (s->state == SEAT_DELAYED)
		happen(t, role, s->wanted ? ON_DUE : ON_STOP, now);
	else if (s->state == SEAT_STARTING || s->state == SEAT_RUNNING)
		s->stale = role != PROC_STORE;
	else if (s->state == SEAT_OFF && t->phase == PHASE_ROLES)
		s->stale = s->wanted && role != PROC_STORE;
	s->used = s->wanted || s->state != SEAT_OFF;
}

void
proc_table_reload(struct proc_table *t, unsigned roles, int64_t now)
{
	if (t->phase == PHASE_STOP || t->phase == PHASE_END)
		return;
	t->reloading = true;
	for (int r = 0; r < PROC_ROLES; r++) {
		t->seats[r].wanted = is_in(roles, r);
		renew(t, r, now);
	}
	settle(t, now);
}

/* Asked again: all at once and soon; asked a third time: now. */
void
proc_table_stop(struct proc_table *t, int64_t now)
{
	if (t->stops++ == 0) {
		t->phase = PHASE_STOP;
		t->reloading = false;
		tell(t, NULL, (struct proc_news){ NEWS_STOPPING,
		    .status = t->exit_code }, now);
	}
	for (int r = 0; r < PROC_ROLES; r++) {
		struct proc_seat *s = &t->seats[r];
		int64_t due = now + (t->stops > 2 ? 0 : t->timing.hasten_ms);

		if (s->state == SEAT_DELAYED)
			happen(t, r, ON_STOP, now);
		if (t->stops > 1 && s->state == SEAT_ENDING && s->due_ms > due)
			s->due_ms = due;
	}
	settle(t, now);
}

void
proc_table_tick(struct proc_table *t, int64_t now)
{
	for (int r = 0; r < PROC_ROLES; r++) {
		if (t->seats[r].due_ms <= now)
			happen(t, r, ON_DUE, now);
	}
	settle(t, now);
}

int64_t
proc_table_due(const struct proc_table *t)
{
	int64_t due = NEVER;

	for (int r = 0; r < PROC_ROLES; r++) {
		if (t->seats[r].used && t->seats[r].due_ms < due)
			due = t->seats[r].due_ms;
	}
	return due;
}

bool
proc_table_healthy(const struct proc_table *t)
{
	for (int r = 0; r < PROC_ROLES; r++) {
		if (t->seats[r].kills > 1)
			return false;
	}
	return true;
}
