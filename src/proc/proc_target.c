/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the log goes: syslog(3), the journal's own protocol, or standard
 * error. Runs in the log thread only, so it may block. When the system
 * logger cannot be reached the line goes to standard error with its severity
 * in front, rather than nowhere.
 */
#include "proc_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"

#define IDENT "chatjournald"
#define JOURNAL "/run/systemd/journal/socket"

static const struct {
	const char *name;
	int code;
} facilities[] = {
	{ "mail", LOG_MAIL }, { "daemon", LOG_DAEMON }, { "user", LOG_USER },
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV },
	{ "news", LOG_NEWS }, { "cron", LOG_CRON }, { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
};

struct journal {
	int fd;
	struct sockaddr_un to;
};

static bool
facility_parse(const char *name, int *out, struct err *err)
{
	for (size_t i = 0; i < sizeof(facilities) / sizeof(*facilities); i++) {
		if (strcmp(facilities[i].name, name) == 0) {
			*out = facilities[i].code;
			return true;
		}
	}
	return err_set(err, ERR_CONF, "log.facility", "there is no syslog "
	    "facility \"%s\": use mail, daemon or local0 to local7", name);
}

static void
write_err(const char *line, int len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, (size_t)len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			line += n;
			len -= (int)n;
		}
	}
}

/* As sd-daemon(3) wants it. */
static void
put_prefixed(void *arg, const struct proc_entry *e)
{
	char *line = NULL;
	int n = asprintf(&line, "<%d>%s\n", e->severity, e->text);

	(void)arg;
	if (n > 0)
		write_err(line, n);
	free(line);
}

static void
put_for_people(void *arg, const struct proc_entry *e)
{
	static const char *const level[] = { "error", "error", "error",
		"error", "warn", "info", "info", "debug" };
	char at[CLOCK_ISO_SIZE], *line = NULL;
	int n = asprintf(&line, "%s %s %s\n", clock_iso(e->at_ms, 1, at),
	    level[e->severity & 7], e->text);

	(void)arg;
	if (n > 0)
		write_err(line, n);
	free(line);
}

static void
put_syslog(void *arg, const struct proc_entry *e)
{
	/* syslog(3) does not say that nobody listens. */
	if (access("/dev/log", F_OK) != 0) {
		put_prefixed(arg, e);
		return;
	}
	syslog(e->severity, "%s", e->text);
}

static void
close_syslog(void *arg)
{
	(void)arg;
	closelog();
}

/* The text has no line ends left, so every field is NAME=value and "\n". */
static bool
send_journal(struct journal *j, char *fields, size_t len)
{
	struct iovec iov = { fields, len };
	struct msghdr msg = { .msg_name = &j->to,
		.msg_namelen = sizeof(j->to), .msg_iov = &iov,
		.msg_iovlen = 1 };
	ssize_t n;

	do
		n = sendmsg(j->fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

static void
put_journal(void *arg, const struct proc_entry *e)
{
	struct journal *j = arg;
	char *fields = NULL;
	int n = asprintf(&fields, "MESSAGE=%s\nPRIORITY=%d\n"
	    "SYSLOG_IDENTIFIER=" IDENT "\nCHATJOURNAL_EVENT=%.*s\n"
	    "CHATJOURNAL_ROLE=%s\n", e->text, e->severity,
	    (int)strcspn(e->text, " "), e->text,
	    e->role[0] != '\0' ? e->role : "supervisor");

	if (n > 0 && !send_journal(j, fields, (size_t)n))
		put_prefixed(NULL, e);
	free(fields);
}

static void
close_journal(void *arg)
{
	struct journal *j = arg;

	close(j->fd);
	free(j);
}

/* systemd.exec(5): DEVICE:INODE of the stream that standard error should be. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char is[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(is, sizeof(is), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	return strcmp(is, stream) == 0;
}

bool
proc_target_journal(const char *path, struct proc_target *out,
    struct err *err)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j != NULL)
		j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (j == NULL || j->fd < 0) {
		free(j);
		return err_set(err, ERR_TEMP, "log.start", "no socket: %s",
		    err_errno(errno));
	}
	j->to.sun_family = AF_UNIX;
	snprintf(j->to.sun_path, sizeof(j->to.sun_path), "%s", path);
	*out = (struct proc_target){ put_journal, close_journal, j };
	return true;
}

bool
proc_target_open(enum proc_log_target which, const char *facility,
    struct proc_target *out, struct err *err)
{
	int code = LOG_MAIL;

	switch (which) {
	case PROC_LOG_SYSLOG:
		if (!facility_parse(facility, &code, err))
			return false;
		openlog(IDENT, LOG_NDELAY | LOG_PID, code);
		*out = (struct proc_target){ put_syslog, close_syslog, NULL };
		return true;
	case PROC_LOG_JOURNAL:
		return proc_target_journal(JOURNAL, out, err);
	case PROC_LOG_STDERR:
		*out = (struct proc_target){ stderr_is_journal() ?
		    put_prefixed : put_for_people, NULL, NULL };
		return true;
	}
	return err_set(err, ERR_CONF, "log.start", "unknown log target");
}
