/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of clamd(8): the file goes over its socket in chunks (INSTREAM),
 * one verdict comes back. Everything has one deadline. What is no verdict is
 * never taken for "clean": it is an error, and the file is asked about again.
 *
 * Source: clamd(8), "COMMANDS": INSTREAM, and the prefix z.
 */
#include "media_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "text.h"

#define COMMAND "zINSTREAM"	/* with its NUL */
#define CHUNK 65536
#define REPLY_MAX 1024
#define NAME_MAX_CHARS 200
#define SLICE_MS 200		/* how soon a cancellation is noticed */

struct link {
	const struct media_scan *scan;
	int fd;
	int64_t end_ms;		/* monotonic */
	bool answered;		/* it spoke before it had everything */
};

/* ---- replies ------------------------------------------------------------------ */

/* The words between "stream: " and the verdict; NULL when not of this form. */
static char *
between(const char *s, size_t len, const char *end)
{
	size_t n = strlen("stream: "), m = strlen(end);

	if (len <= n + m || memcmp(s, "stream: ", n) != 0 ||
	    memcmp(s + len - m, end, m) != 0)
		return NULL;
	return text_clean(s + n, len - n - m, TEXT_LINE, NAME_MAX_CHARS);
}

enum media_reply
media_clamd_parse(const char *reply, size_t len, char **text)
{
	static const char clean[] = "stream: OK";

	if (len == strlen(clean) && memcmp(reply, clean, len) == 0) {
		*text = g_strdup("");
		return REPLY_CLEAN;
	}
	*text = between(reply, len, " FOUND");
	if (*text != NULL)
		return REPLY_INFECTED;
	*text = text_clean(reply, len, TEXT_LINE, NAME_MAX_CHARS);
	return g_str_has_prefix(*text, "INSTREAM size limit exceeded") ?
	    REPLY_TOO_LARGE : REPLY_ERROR;
}

/* ---- the connection --------------------------------------------------------------- */

static bool
fail(const struct link *l, struct err *err, const char *what)
{
	return err_set(err, ERR_TEMP, "media.scan",
	    "the virus scanner at %s %s", l->scan->clamd, what);
}

static bool
fail_errno(const struct link *l, struct err *err, const char *what, int e)
{
	return err_set(err, ERR_TEMP, "media.scan",
	    "the virus scanner at %s %s: %s", l->scan->clamd, what,
	    err_errno(e));
}

/* Until one of the events, or an error, is there. */
static bool
wait_for(struct link *l, short events, short *got, struct err *err)
{
	struct pollfd p = { .fd = l->fd, .events = events };
	int64_t left;

	for (;;) {
		if (atomic_load(l->scan->cancelled))
			return err_set(err, ERR_TEMP, "media.stopped",
			    "stopped in the middle of a scan");
		left = l->end_ms - clock_mono_ms();
		if (left <= 0)
			return fail(l, err, "takes too long");
		if (poll(&p, 1, (int)MIN(left, SLICE_MS)) > 0) {
			*got = p.revents;
			return true;
		}
	}
}

static bool
connect_to(struct link *l, const struct sockaddr *sa, socklen_t len,
    struct err *err)
{
	socklen_t size = sizeof(int);
	int e = 0;
	short got;

	l->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return fail_errno(l, err, "cannot be asked", errno);
	if (connect(l->fd, sa, len) == 0)
		return true;
	if (errno != EINPROGRESS)
		return fail_errno(l, err, "is not there", errno);
	if (!wait_for(l, POLLOUT, &got, err))
		return false;
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &e, &size) != 0)
		e = errno;
	return e == 0 || fail_errno(l, err, "is not there", e);
}

static bool
connect_unix(struct link *l, struct err *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(l->scan->clamd);

	if (len >= sizeof(sun.sun_path))
		return fail(l, err, "has a name that is too long");
	memcpy(sun.sun_path, l->scan->clamd, len + 1);
	return connect_to(l, (const struct sockaddr *)&sun, sizeof(sun), err);
}

bool
media_clamd_address(const char *clamd, char **host, char **port)
{
	const char *colon = strrchr(clamd, ':');
	size_t len = colon != NULL ? (size_t)(colon - clamd) : 0;

	if (len == 0 || colon[1] == '\0' ||
	    colon[1 + strspn(colon + 1, "0123456789")] != '\0')
		return false;
	if (clamd[0] == '[') {
		if (len < 3 || clamd[len - 1] != ']')
			return false;
		clamd++;
		len -= 2;
	} else if (memchr(clamd, ':', len) != NULL) {
		return false;
	}
	*host = g_strndup(clamd, len);
	*port = g_strdup(colon + 1);
	return true;
}

/* Every address that the name has, until one answers. */
static bool
connect_tcp(struct link *l, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	g_autofree char *host = NULL, *port = NULL;
	bool ok = false;
	int rc;

	if (!media_clamd_address(l->scan->clamd, &host, &port))
		return fail(l, err, "has no address");
	rc = getaddrinfo(host, port, &hints, &list);
	if (rc != 0)
		return fail(l, err, gai_strerror(rc));
	for (const struct addrinfo *a = list; a != NULL && !ok;
	    a = a->ai_next) {
		if (l->fd >= 0)
			close(l->fd);
		ok = connect_to(l, a->ai_addr, a->ai_addrlen, err);
	}
	freeaddrinfo(list);
	return ok;
}

/* ---- the conversation ----------------------------------------------------------------- */

/* Stops, without an error, when the other side speaks or closes early. */
static bool
push(struct link *l, const void *data, size_t len, struct err *err)
{
	const char *p = data;
	short got;

	while (len > 0 && !l->answered) {
		ssize_t n;

		if (!wait_for(l, POLLIN | POLLOUT, &got, err))
			return false;
		if ((got & (POLLIN | POLLHUP | POLLERR)) != 0) {
			l->answered = true;
			break;
		}
		n = send(l->fd, p, len, MSG_NOSIGNAL);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno != EAGAIN && errno != EINTR) {
			l->answered = true;
		}
	}
	return true;
}

static bool
push_chunk(struct link *l, const void *data, size_t len, struct err *err)
{
	uint32_t size = htonl((uint32_t)len);

	return push(l, &size, sizeof(size), err) && push(l, data, len, err);
}

static bool
push_file(struct link *l, int file, struct err *err)
{
	g_autofree char *buf = g_malloc(CHUNK);
	int64_t at = 0;
	ssize_t n = 1;

	while (n > 0 && !l->answered) {
		n = pread(file, buf, CHUNK, at);
		if (n < 0)
			return err_set(err, ERR_TEMP, "media.scan",
			    "cannot read the file to scan: %s",
			    err_errno(errno));
		/* The last chunk is empty. */
		if (!push_chunk(l, buf, (size_t)n, err))
			return false;
		at += n;
	}
	return true;
}

/* Up to its NUL, or the end of the connection. */
static bool
pull(struct link *l, GString *reply, struct err *err)
{
	char c[256];
	short got;
	ssize_t n;

	while (reply->len < REPLY_MAX) {
		const char *end;

		if (!wait_for(l, POLLIN, &got, err))
			return false;
		n = recv(l->fd, c, sizeof(c), 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			break;
		g_string_append_len(reply, c, n);
		end = memchr(reply->str, '\0', reply->len);
		if (end != NULL) {
			g_string_truncate(reply, (gsize)(end - reply->str));
			return true;
		}
	}
	return fail(l, err, "ended without an answer");
}

/* A scanner that has not seen everything cannot know that it is clean. */
static bool
judge(const struct link *l, const GString *reply, char **verdict,
    struct err *err)
{
	g_autofree char *text = NULL;

	switch (media_clamd_parse(reply->str, reply->len, &text)) {
	case REPLY_CLEAN:
		if (l->answered)
			return fail(l, err, "answered before it had the file");
		*verdict = g_strdup("clean");
		return true;
	case REPLY_INFECTED:
		*verdict = g_strconcat(MEDIA_INFECTED, text, NULL);
		return true;
	case REPLY_TOO_LARGE:
		*verdict = g_strdup("unscanned: larger than the scanner takes "
		    "(StreamMaxLength in clamd.conf)");
		return true;
	case REPLY_ERROR:
		break;
	}
	return err_set(err, ERR_TEMP, "media.scan",
	    "the virus scanner at %s says: %s", l->scan->clamd,
	    *text != '\0' ? text : "nothing");
}

static bool
talk(struct link *l, int file, char **verdict, struct err *err)
{
	g_autoptr(GString) reply = g_string_new(NULL);

	return (l->scan->clamd[0] == '/' ? connect_unix(l, err) :
	    connect_tcp(l, err)) &&
	    push(l, COMMAND, sizeof(COMMAND), err) &&
	    push_file(l, file, err) && pull(l, reply, err) &&
	    judge(l, reply, verdict, err);
}

bool
media_clamd_scan(const struct media_scan *s, int fd, char **verdict,
    struct err *err)
{
	struct link l = { .scan = s, .fd = -1,
		.end_ms = clock_mono_ms() + s->total_ms };
	bool ok = talk(&l, fd, verdict, err);

	if (l.fd >= 0)
		close(l.fd);
	return ok;
}
