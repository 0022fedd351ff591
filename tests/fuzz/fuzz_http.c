/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw bytes into a listener of this process, over loopback. Laws: the
 * application is asked only about requests with exactly one Host and one way
 * to read their length, and gets the body of that length; whatever comes,
 * the connection ends soon and the server lives on.
 *
 * The second law is checked for the first request by an own, naive reading
 * of its head, so that the listener is not its own judge.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "err.h"
#include "fuzz.h"
#include "http.h"

#define MAX_BODY 2000
/* Given by nothing but the application below. */
#define ASKED 207

static struct http_server *srv;

static void
check_length(struct http_request *rq, size_t len)
{
	const char *cl = http_request_header(rq, "Content-Length");
	const char *te = http_request_header(rq, "Transfer-Encoding");

	assert(len <= MAX_BODY);
	assert(cl == NULL || te == NULL);
	assert(te == NULL || g_ascii_strcasecmp(te, "chunked") == 0);
	assert(te != NULL || cl != NULL || len == 0);
	if (cl != NULL) {
		assert(strspn(cl, "0123456789") == strlen(cl));
		assert(strtoull(cl, NULL, 10) == len);
	}
}

static enum http_verdict
handle(void *app, struct http_request *rq)
{
	const char *host = http_request_header(rq, "Host");
	const char *q = http_request_query(rq, "hub.mode");
	size_t len;
	const void *body = http_request_body(rq, &len);
	g_autofree char *copy = g_memdup2(body, len);
	const char *const headers[] = { "X-Q", q != NULL ? q : "",
		q != NULL ? q : "X", "1", NULL };

	(void)app;
	assert(host != NULL && *host != '\0');
	assert(http_request_method(rq)[0] != '\0');
	assert(http_request_path(rq) != NULL);
	assert(strcmp(http_request_remote(rq), "127.0.0.1") == 0);
	check_length(rq, len);
	assert(http_request_target(rq)[0] != '\0');
	http_answer_with(rq, ASKED, q, headers, q, q != NULL ? strlen(q) : 0);
	return HTTP_ANSWERED;
}

static void
start(void)
{
	static const char *const singles[] = { "X-Single", NULL };
	const struct http_place place = { .address = "127.0.0.1" };
	struct http_conf conf = { .threads = 1,
		.max_body = MAX_BODY, .deadline_ms = 200, .connections = 16,
		.single_headers = singles, .spool = "/tmp",
		.spool_above = 64 };
	struct err err = ERR_INIT;

	if (!http_listen(&place, &conf.listen_fd, &err) ||
	    !http_server_new(&conf, handle, NULL, &srv, &err) ||
	    !http_server_start(srv, &err))
		abort();
}

/* With a reset in place of a FIN there is no TIME_WAIT to run out of. */
static int
dial(void)
{
	struct linger hard = { 1, 0 };
	struct timeval limit = { 4, 0 };
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)http_server_port(srv)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		abort();
	/* Where the server closed first, its side keeps the port a while. */
	while (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		if (errno != EADDRNOTAVAIL)
			abort();
		poll(NULL, 0, 20);
	}
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* False at the end of the connection. */
static bool
read_some(int fd, GString *all)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	/* Not the time limit: the server has to end it. */
	assert(n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK));
	if (n > 0)
		g_string_append_len(all, buf, n);
	return n > 0;
}

/*
 * Everything the server says to these bytes. The end is told after a pause:
 * together with the last bytes, libmicrohttpd sees it only at the deadline.
 */
static char *
exchange(const uint8_t *data, size_t len)
{
	const struct timespec pause = { 0, 300000 };
	GString *all = g_string_new(NULL);
	int fd = dial();
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool more = true;

	(void)!send(fd, data, len, MSG_NOSIGNAL);
	while (more && ppoll(&p, 1, &pause, NULL) > 0)
		more = read_some(fd, all);
	shutdown(fd, SHUT_WR);
	while (more)
		more = read_some(fd, all);
	close(fd);
	return g_string_free(all, FALSE);
}

static int
first_status(const char *answer)
{
	static const char more[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (g_str_has_prefix(answer, more))
		answer += sizeof(more) - 1;
	return g_str_has_prefix(answer, "HTTP/1.1 ") ?
	    (int)strtol(answer + 9, NULL, 10) : 0;
}

static bool
begins(const char *line, const char *name)
{
	return g_ascii_strncasecmp(line, name, strlen(name)) == 0;
}

/*
 * Empty, or what libmicrohttpd takes for it and cannot be told from it: a
 * colon alone (http_framing.c says why that is borne).
 */
static bool
ends_head(const char *line)
{
	line += *line == ':';
	return *line == '\0' || *line == '\n' || strncmp(line, "\r\n", 2) == 0;
}

/*
 * Lines from behind the request line up to the first empty one; empty ones
 * before the first are skipped.
 */
static void
judge_head(const uint8_t *data, size_t len)
{
	g_autofree char *text = g_strndup((const char *)data, len);
	const char *line = text + strspn(text, "\r\n");
	int hosts = 0, lengths = 0, codings = 0, singles = 0;

	line += strcspn(line, "\n");
	line += *line == '\n';
	while (!ends_head(line)) {
		hosts += begins(line, "host:");
		lengths += begins(line, "content-length:");
		codings += begins(line, "transfer-encoding:");
		singles += begins(line, "x-single:");
		line = strchr(line, '\n');
		if (line == NULL)
			break;
		line++;
	}
	/* After a NUL this reading sees less than the listener did. */
	if (memchr(data, '\0', len) != NULL)
		return;
	assert(hosts == 1);
	assert(lengths <= 1 && codings <= 1 && lengths + codings <= 1);
	assert(singles <= 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *answer = NULL;

	if (srv == NULL)
		start();
	if (len > 65536)
		return 0;
	answer = exchange(data, len);
	if (first_status(answer) == ASKED)
		judge_head(data, len);
	return 0;
}
