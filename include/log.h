/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per state change: a stable event name, then key=value pairs.
 *
 *     log_info("mail.sent", "mail=%" PRId64 " journal=%s", id, name);
 *
 * Every event name is listed in chatjournald(8), DIAGNOSTICS; a test compares
 * the two. Never message text, names of people, full telephone numbers or
 * secrets: see text_mask() for numbers. Values with blanks, quotes or control
 * characters are made safe with text_log_quote().
 *
 * Only roles, the supervisor and the admin tool log; library code returns
 * errors instead. A line never blocks the work: log_open_fd() makes the
 * descriptor non-blocking, and what does not fit is counted and reported by
 * the next line that fits ("log.dropped count=N").
 */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG };

/*
 * Lines go to fd as "<N>event key=value ...\n" where N is the syslog
 * severity (3 error, 4 warning, 6 info, 7 debug), each in a single write of
 * at most PIPE_BUF bytes, so that lines of several threads never mix. With
 * prefix == 0 the "<N>" is left out, for a person at a terminal.
 * Before the first call, lines go to standard error without prefix.
 */
void log_open_fd(int fd, int prefix, enum log_level most_detail);
void log_set_level(enum log_level most_detail);

void log_error(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_warn(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_debug(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

struct err;
/* Logs *err as event with what= kind= text=, after the given pairs. */
void log_err(enum log_level level, const char *event, const struct err *err,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
