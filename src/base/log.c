/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of events to one descriptor. One write per line, never blocking; what
 * the pipe does not take is counted and told by the next line that fits.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "text.h"

static struct {
	int fd;
	int prefix;
	atomic_int level;
	atomic_long dropped;
} sink = { .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

void
log_open_fd(int fd, int prefix, enum log_level most_detail)
{
	int flags = fcntl(fd, F_GETFL);

	sink.fd = fd;
	sink.prefix = prefix;
	atomic_store(&sink.level, (int)most_detail);
	if (prefix && flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void
log_set_level(enum log_level most_detail)
{
	atomic_store(&sink.level, (int)most_detail);
}

static int
severity(enum log_level level)
{
	static const int of[] = { 3, 4, 6, 7 };

	return of[level];
}

/* True if the line went out whole. */
static bool
put(const char *line, size_t len)
{
	ssize_t n;

	do
		n = write(sink.fd, line, len);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

static void
tell_dropped(void)
{
	long n = atomic_exchange(&sink.dropped, 0);
	char line[80];
	int len;

	if (n == 0)
		return;
	len = snprintf(line, sizeof(line), "%slog.dropped count=%ld\n",
	    sink.prefix ? "<4>" : "", n);
	if (!put(line, (size_t)len))
		atomic_fetch_add(&sink.dropped, n);
}

static void __attribute__((format(printf, 3, 0)))
emit(enum log_level level, const char *event, const char *fmt, va_list ap)
{
	char line[PIPE_BUF];
	int saved = errno;
	int room = (int)sizeof(line) - 1;
	int n = 0;

	if ((int)level > atomic_load(&sink.level))
		return;
	if (sink.prefix)
		n = snprintf(line, sizeof(line), "<%d>", severity(level));
	n += snprintf(line + n, (size_t)(room - n), "%s ", event);
	n += vsnprintf(line + n, (size_t)(room - n), fmt, ap);
	if (n >= room)
		n = room - 1;
	for (int i = 0; i < n; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	}
	line[n++] = '\n';
	tell_dropped();
	if (!put(line, (size_t)n))
		atomic_fetch_add(&sink.dropped, 1);
	errno = saved;
}

#define EMIT(level, event, fmt)			\
	do {					\
		va_list ap;			\
		va_start(ap, fmt);		\
		emit(level, event, fmt, ap);	\
		va_end(ap);			\
	} while (0)

void
log_error(const char *event, const char *fmt, ...)
{
	EMIT(LOG_LEVEL_ERROR, event, fmt);
}

void
log_warn(const char *event, const char *fmt, ...)
{
	EMIT(LOG_LEVEL_WARN, event, fmt);
}

void
log_info(const char *event, const char *fmt, ...)
{
	EMIT(LOG_LEVEL_INFO, event, fmt);
}

void
log_debug(const char *event, const char *fmt, ...)
{
	EMIT(LOG_LEVEL_DEBUG, event, fmt);
}

static void __attribute__((format(printf, 3, 4)))
emit_plain(enum log_level level, const char *event, const char *fmt, ...)
{
	EMIT(level, event, fmt);
}

void
log_err(enum log_level level, const char *event, const struct err *err,
    const char *fmt, ...)
{
	g_autofree char *quoted = text_log_quote(err->text);
	char pairs[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(pairs, sizeof(pairs), fmt, ap);
	va_end(ap);
	emit_plain(level, event, "%s%swhat=%s kind=%s text=%s", pairs,
	    pairs[0] != '\0' ? " " : "", err->what, err_kind_name(err->kind),
	    quoted);
}
