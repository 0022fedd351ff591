/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See http_peer.h. Fails the running test by assertion.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

static const char *const singles[] = { "X-Hub-Signature-256", NULL };

static void
answer_echo(struct app *app, struct http_request *rq)
{
	g_autoptr(GString) out = g_string_new(NULL);
	const char *q = http_request_query(rq, "hub.mode");
	const char *h = http_request_header(rq, "x-probe");
	size_t len;
	const void *body = http_request_body(rq, &len);

	g_string_printf(out, "%s %s mode=%s probe=%s len=%zu:",
	    http_request_method(rq), http_request_path(rq),
	    q != NULL ? q : "-", h != NULL ? h : "-", len);
	g_string_append_len(out, body, (gssize)len);
	g_free(app->remote);
	app->remote = g_strdup(http_request_remote(rq));
	g_free(app->target);
	app->target = g_strdup(http_request_target(rq));
	g_free(app->client);
	app->client = g_strdup(http_request_client(rq));
	http_answer(rq, 200, NULL, out->str, out->len, 0);
}

static void
hold(struct app *app, struct http_request *rq)
{
	pthread_mutex_lock(&app->lock);
	g_ptr_array_add(app->held, rq);
	pthread_cond_broadcast(&app->came);
	pthread_mutex_unlock(&app->lock);
}

static void *
answer_one(void *rq)
{
	http_answer(rq, 201, NULL, "other", 5, 0);
	return NULL;
}

static enum http_verdict
handle(void *arg, struct http_request *rq)
{
	struct app *app = arg;
	pthread_t other;

	atomic_fetch_add(&app->asked, 1);
	switch (app->mode) {
	case APP_ECHO:
		answer_echo(app, rq);
		return HTTP_ANSWERED;
	case APP_OTHER_FIRST:
		pthread_create(&other, NULL, answer_one, rq);
		pthread_join(other, NULL);
		return HTTP_LATER;
	case APP_HOLD:
	case APP_OTHER_RACE:
	default:
		hold(app, rq);
		return HTTP_LATER;
	}
}

/* Takes requests as soon as they come: before or after their suspension. */
static void *
answer_for_ever(void *arg)
{
	struct app *app = arg;

	pthread_mutex_lock(&app->lock);
	while (!app->stop) {
		while (app->held->len > 0) {
			struct http_request *rq = g_ptr_array_steal_index_fast(
			    app->held, 0);

			pthread_mutex_unlock(&app->lock);
			http_answer(rq, 200, NULL, "race", 4, 0);
			pthread_mutex_lock(&app->lock);
		}
		if (!app->stop)
			pthread_cond_wait(&app->came, &app->lock);
	}
	pthread_mutex_unlock(&app->lock);
	return NULL;
}

void
peer_init(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	p->place.address = "127.0.0.1";
	p->conf = (struct http_conf){
		.listen_fd = -1, .threads = 2, .max_body = 1000,
		.deadline_ms = PEER_DEADLINE_MS, .connections = 100,
		.single_headers = singles,
	};
	pthread_mutex_init(&p->app.lock, NULL);
	pthread_cond_init(&p->app.came, NULL);
	p->app.held = g_ptr_array_new();
}

void
peer_listen(struct peer *p)
{
	struct err err = ERR_INIT;

	if (!http_listen(&p->place, &p->conf.listen_fd, &err))
		fail_msg("%s: %s", err.what, err.text);
}

void
peer_serve(struct peer *p)
{
	struct err err = ERR_INIT;

	if (!http_server_new(&p->conf, handle, &p->app, &p->srv, &err) ||
	    !http_server_start(p->srv, &err))
		fail_msg("%s: %s", err.what, err.text);
	p->port = http_server_port(p->srv);
	if (p->app.mode == APP_OTHER_RACE) {
		p->app.answerer_runs = true;
		pthread_create(&p->app.answerer, NULL, answer_for_ever,
		    &p->app);
	}
}

void
peer_start(struct peer *p)
{
	peer_listen(p);
	peer_serve(p);
}

void
peer_clear(struct peer *p)
{
	if (p->app.answerer_runs) {
		pthread_mutex_lock(&p->app.lock);
		p->app.stop = true;
		pthread_cond_broadcast(&p->app.came);
		pthread_mutex_unlock(&p->app.lock);
		pthread_join(p->app.answerer, NULL);
	}
	http_server_free(p->srv);
	g_ptr_array_unref(p->app.held);
	g_free(p->app.remote);
	g_free(p->app.target);
	g_free(p->app.client);
	pthread_cond_destroy(&p->app.came);
	pthread_mutex_destroy(&p->app.lock);
}

void
app_wait_held(struct app *app, unsigned n)
{
	pthread_mutex_lock(&app->lock);
	while (app->held->len < n)
		pthread_cond_wait(&app->came, &app->lock);
	pthread_mutex_unlock(&app->lock);
}

void
app_answer_all(struct app *app, int status, const char *body)
{
	g_autoptr(GPtrArray) all = NULL;

	pthread_mutex_lock(&app->lock);
	all = app->held;
	app->held = g_ptr_array_new();
	pthread_mutex_unlock(&app->lock);
	for (guint i = 0; i < all->len; i++)
		http_answer(all->pdata[i], status, NULL, body, strlen(body),
		    0);
}

struct http_stats
peer_stats(const struct peer *p)
{
	struct http_stats s;

	http_server_stats(p->srv, &s);
	return s;
}

int
dial(const struct peer *p)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)p->port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)p->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool six = strcmp(p->place.address, "::1") == 0;
	int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
	    0);
	int on = 1;

	assert_true(fd >= 0);
	if (connect(fd, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
	    six ? sizeof(v6) : sizeof(v4)) != 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* A server that has hung up is no failure here: the answer tells. */
void
dial_send(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

void
dial_say(int fd, const char *text)
{
	dial_send(fd, text, strlen(text));
}

char *
dial_read_all(int fd, int ms)
{
	g_autoptr(GString) all = g_string_new(NULL);
	int64_t until = clock_mono_ms() + ms;
	char buf[4096];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = until - clock_mono_ms();
		ssize_t n;

		if (left < 0 || poll(&p, 1, (int)left) <= 0)
			return NULL;
		n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			return g_string_free(g_steal_pointer(&all), FALSE);
		g_string_append_len(all, buf, n);
	}
}

static size_t
length_wanted(const GString *head)
{
	const char *end = strstr(head->str, "\r\n\r\n");
	const char *cl = strstr(head->str, "Content-Length: ");

	if (end == NULL)
		return 0;
	return (size_t)(end - head->str) + 4 + (cl == NULL || cl > end ? 0 :
	    strtoul(cl + strlen("Content-Length: "), NULL, 10));
}

/* Byte by byte, so that nothing of the next response is taken. */
char *
dial_read_one(int fd)
{
	g_autoptr(GString) all = g_string_new(NULL);
	size_t want = 0;

	while (want == 0 || all->len < want) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char c;

		if (poll(&p, 1, 5000) <= 0 || recv(fd, &c, 1, 0) != 1)
			return NULL;
		g_string_append_c(all, c);
		if (want == 0)
			want = length_wanted(all);
	}
	return g_string_free(g_steal_pointer(&all), FALSE);
}

int
status_of(const char *response)
{
	if (response == NULL || !g_str_has_prefix(response, "HTTP/1.1 "))
		return -1;
	return (int)strtol(response + 9, NULL, 10);
}

char *
talk(const struct peer *p, const char *text)
{
	int fd = dial(p);
	char *all;

	assert_true(fd >= 0);
	dial_say(fd, text);
	all = dial_read_all(fd, 5000);
	close(fd);
	assert_non_null(all);
	return all;
}

unsigned
count_of(const char *haystack, const char *needle)
{
	unsigned n = 0;

	for (const char *at = haystack; (at = strstr(at, needle)) != NULL;
	    at += strlen(needle))
		n++;
	return n;
}
