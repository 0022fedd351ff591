/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's last leg: a bounded queue and the one thread that writes it.
 * A system logger that does not read blocks that thread only; syslog(3) was
 * seen to block after eleven lines. What does not fit is counted, and the
 * count is the next line that is written. Nothing here fails its caller.
 */
#include "proc_int.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"

struct sink {
	struct proc_target target;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct proc_entry *head, **tail;
	size_t lines, bytes;	/* also what the thread is writing now */
	long dropped;
	bool stopping;
	bool abandoned;		/* nobody joins: the thread frees the sink */
	struct proc_lines own;
	int own_fds[2];
};

static _Atomic(struct sink *) current;

/* --- lines ------------------------------------------------------------- */

/* Control and non-ASCII bytes as \xNN: a line is one line, on any terminal. */
static size_t
escape(char *out, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c < 0x7f) {
			out[n++] = s[i];
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return n;
}

static size_t
escaped_size(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += (unsigned char)*s >= 0x20 && (unsigned char)*s < 0x7f ?
		    1 : 4;
	return n;
}

/* "event k=v" from a role becomes "event role=NAME pid=N k=v". */
static struct proc_entry *
new_entry(int severity, const char *role, pid_t pid, const char *line)
{
	size_t len = strlen(line), head = strcspn(line, " ");
	char who[64] = "";
	struct proc_entry *e;
	size_t size, n;

	if (role != NULL)
		snprintf(who, sizeof(who), " role=%s pid=%d", role, (int)pid);
	size = sizeof(*e) + escaped_size(line) + strlen(who) + 1;
	e = calloc(1, size);
	if (e == NULL)
		return NULL;
	e->at_ms = clock_now_ms();
	e->severity = severity;
	if (role != NULL)
		snprintf(e->role, sizeof(e->role), "%s", role);
	n = escape(e->text, line, head);
	memcpy(e->text + n, who, strlen(who));
	n += strlen(who);
	n += escape(e->text + n, line + head, len - head);
	e->text[n] = '\0';
	e->size = size;
	return e;
}

/* --- the thread -------------------------------------------------------- */

static void
put_dropped(struct sink *s, long count)
{
	char line[64];
	struct proc_entry *e;

	snprintf(line, sizeof(line), "log.dropped count=%ld", count);
	e = new_entry(4, NULL, 0, line);
	if (e != NULL)
		s->target.put(s->target.arg, e);
	free(e);
}

/* The queue was full when lines were dropped: so what was in it is first. */
static void
write_out(struct sink *s, struct proc_entry *e, long dropped)
{
	while (e != NULL) {
		struct proc_entry *next = e->next;

		s->target.put(s->target.arg, e);
		pthread_mutex_lock(&s->lock);
		s->lines--;
		s->bytes -= e->size;
		pthread_mutex_unlock(&s->lock);
		free(e);
		e = next;
	}
	if (dropped > 0)
		put_dropped(s, dropped);
}

/* Waits for something to write; false once stopped and empty. */
static bool
take(struct sink *s, struct proc_entry **list, long *dropped)
{
	bool more;

	pthread_mutex_lock(&s->lock);
	while (s->head == NULL && s->dropped == 0 && !s->stopping)
		pthread_cond_wait(&s->filled, &s->lock);
	*list = s->head;
	s->head = NULL;
	s->tail = &s->head;
	*dropped = s->dropped;
	s->dropped = 0;
	more = *list != NULL || *dropped > 0;
	pthread_mutex_unlock(&s->lock);
	return more;
}

static void
free_sink(struct sink *s)
{
	if (s->target.close != NULL)
		s->target.close(s->target.arg);
	close(s->own_fds[0]);
	close(s->own_fds[1]);
	pthread_cond_destroy(&s->filled);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void *
write_for_ever(void *arg)
{
	struct sink *s = arg;
	struct proc_entry *list;
	bool abandoned;
	long dropped;

	while (take(s, &list, &dropped))
		write_out(s, list, dropped);
	pthread_mutex_lock(&s->lock);
	abandoned = s->abandoned;
	pthread_mutex_unlock(&s->lock);
	if (abandoned)
		free_sink(s);
	return NULL;
}

/* --- the callers' side ------------------------------------------------- */

static bool
start_thread(struct sink *s)
{
	sigset_t all, old;
	int rc;

	/* Signals are for the supervisor's loop alone. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, write_for_ever, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = rc;
	return rc == 0;
}

bool
proc_sink_start(const struct proc_target *target, struct err *err)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (s == NULL || pipe2(s->own_fds, O_CLOEXEC | O_NONBLOCK) != 0) {
		free(s);
		return err_set(err, ERR_TEMP, "log.start", "no pipe: %s",
		    err_errno(errno));
	}
	s->target = *target;
	s->tail = &s->head;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->filled, NULL);
	if (!start_thread(s)) {
		err_set(err, ERR_TEMP, "log.start", "no thread: %s",
		    err_errno(errno));
		free_sink(s);
		return false;
	}
	atomic_store(&current, s);
	return true;
}

bool
proc_log_start(enum proc_log_target which, const char *facility,
    struct err *err)
{
	struct proc_target target;

	return proc_target_open(which, facility, &target, err) &&
	    proc_sink_start(&target, err);
}

static bool
append(struct sink *s, struct proc_entry *e)
{
	bool fits = e != NULL && s->lines < PROC_SINK_LINES &&
	    s->bytes + e->size <= PROC_SINK_BYTES;

	if (fits) {
		*s->tail = e;
		s->tail = &e->next;
		s->lines++;
		s->bytes += e->size;
	} else {
		s->dropped++;
	}
	pthread_cond_signal(&s->filled);
	return fits;
}

void
proc_log_write(int severity, const char *role, pid_t pid, const char *line)
{
	struct sink *s = atomic_load(&current);
	struct proc_entry *e;
	bool kept;

	if (s == NULL)
		return;
	e = new_entry(severity, role, pid, line);
	pthread_mutex_lock(&s->lock);
	kept = append(s, e);
	pthread_mutex_unlock(&s->lock);
	if (!kept)
		free(e);
}

static void
own_line(void *arg, int severity, const char *line)
{
	(void)arg;
	proc_log_write(severity, NULL, 0, line);
}

int
proc_log_fd(void)
{
	const struct sink *s = atomic_load(&current);

	return s != NULL ? s->own_fds[1] : -1;
}

int
proc_sink_own_fd(void)
{
	const struct sink *s = atomic_load(&current);

	return s != NULL ? s->own_fds[0] : -1;
}

void
proc_sink_own_read(void)
{
	struct sink *s = atomic_load(&current);
	char buf[4096];
	ssize_t n;

	while (s != NULL && (n = read(s->own_fds[0], buf, sizeof(buf))) > 0)
		proc_lines_feed(&s->own, buf, (size_t)n, own_line, NULL);
}

static struct timespec
deadline(int64_t ms)
{
	int64_t at = clock_now_ms() + ms;

	return (struct timespec){ .tv_sec = at / 1000,
		.tv_nsec = at % 1000 * 1000000 };
}

/* A thread that hangs in syslog(3) is left behind; the process ends soon. */
void
proc_sink_stop(int64_t patience_ms)
{
	struct sink *s = atomic_load(&current);
	struct timespec until = deadline(patience_ms);
	bool hangs;

	if (s == NULL)
		return;
	proc_sink_own_read();
	atomic_store(&current, NULL);
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->filled);
	pthread_mutex_unlock(&s->lock);
	hangs = pthread_timedjoin_np(s->thread, NULL, &until) != 0;
	if (!hangs) {
		free_sink(s);
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->abandoned = true;
	pthread_detach(s->thread);
	pthread_mutex_unlock(&s->lock);
}

void
proc_log_stop(void)
{
	proc_sink_stop(2000);
}
