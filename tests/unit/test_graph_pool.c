/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph: the pool against tests/fake/sends.py, which breaks connections in all
 * places. Whatever a test does: no request may be seen twice, what was
 * answered was seen, and what was not sent was not seen. That is checked after
 * each of them over all keys it has used.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "graph.h"
#include "graph_peer.h"

#define TOTAL_MS 20000
#define SHORT_MS 300

static struct graph_peer *peer;
static _Atomic int last_key;

/* One request and what came of it. */
struct send {
	char key[16];
	char *target;
	enum graph_fate fate;
	int status, times;
	char *type, *body;
	char **headers;
	struct err why;
	int64_t took_ms;
	struct world *w;
};

struct world {
	struct graph *g;
	struct graph_pool *pool;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	GPtrArray *sends;	/* all; guarded by lock */
	int pending;		/* guarded by lock */
	struct send *then;	/* submitted by done() of another */
};

static void
send_free(void *arg)
{
	struct send *s = arg;

	g_free(s->target);
	g_free(s->type);
	g_free(s->body);
	g_strfreev(s->headers);
	g_free(s);
}

/* ---- a pool ------------------------------------------------------------------------ */

static void
open_pool(struct world *w, const struct graph_conf *conf, int connections)
{
	struct err err = ERR_INIT;

	if (!graph_new(conf, &w->g, &err) ||
	    !graph_pool_new(w->g, connections, &w->pool, &err))
		fail_msg("%s: %s", err.what, err.text);
}

static void
close_pool(struct world *w)
{
	graph_pool_free(w->pool);
	graph_free(w->g);
	w->pool = NULL;
	w->g = NULL;
}

static struct graph_conf
good_conf(void)
{
	return (struct graph_conf){ .url = peer->url, .version = "v25.0",
		.token = peer->token, .tls_ca_file = peer->ca_file,
		.connect_ms = 10000, .total_ms = TOTAL_MS };
}

static void
reopen(struct world *w, int connections)
{
	struct graph_conf conf = good_conf();

	close_pool(w);
	open_pool(w, &conf, connections);
}

static int
world_open(void **state)
{
	struct world *w = g_new0(struct world, 1);
	struct graph_conf conf = good_conf();

	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->sends = g_ptr_array_new_with_free_func(send_free);
	open_pool(w, &conf, 4);
	*state = w;
	return 0;
}

static int
seen(const char *key)
{
	g_autofree char *begin = g_strdup_printf("seen %s ", key);

	return graph_peer_logged(peer, begin);
}

static void
check_law(const struct send *s, GHashTable *counts)
{
	int n = GPOINTER_TO_INT(g_hash_table_lookup(counts, s->key));

	if (s->times != 1 || n > 1 || (s->fate == GRAPH_ANSWERED && n != 1) ||
	    (s->fate == GRAPH_NOT_SENT && n != 0))
		fail_msg("%s %s: told %d times, fate %d, seen %d times: %s",
		    s->key, s->target, s->times, s->fate, n, s->why.text);
}

static GHashTable *
count_seen(void)
{
	GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal,
	    g_free, NULL);
	g_auto(GStrv) lines = graph_peer_lines(peer);

	for (char **l = lines; *l != NULL; l++) {
		g_auto(GStrv) words = g_strsplit(*l, " ", 3);

		if (words[0] == NULL || strcmp(words[0], "seen") != 0)
			continue;
		g_hash_table_insert(counts, g_strdup(words[1]),
		    GINT_TO_POINTER(GPOINTER_TO_INT(g_hash_table_lookup(
		    counts, words[1])) + 1));
	}
	return counts;
}

static int
world_close(void **state)
{
	struct world *w = *state;
	GHashTable *counts;

	close_pool(w);
	counts = count_seen();
	for (guint i = 0; i < w->sends->len; i++)
		check_law(w->sends->pdata[i], counts);
	g_hash_table_unref(counts);
	assert_int_equal(graph_peer_logged(peer, "error"), 0);
	g_ptr_array_unref(w->sends);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	g_free(w);
	return 0;
}

static int
start_peer(void **state)
{
	(void)state;
	peer = graph_peer_start_sends();
	assert_non_null(peer);	/* it needs python3 and openssl */
	return 0;
}

static int
stop_peer(void **state)
{
	(void)state;
	graph_peer_stop(peer);
	return 0;
}

/* ---- sends ----------------------------------------------------------------------------- */

static void
keep(struct send *s, const struct graph_reply *r)
{
	s->fate = r->fate;
	s->status = r->status;
	s->type = g_strdup(r->content_type);
	s->body = r->body == NULL ? NULL : g_strndup(r->body, r->len);
	s->headers = g_strdupv((char **)(uintptr_t)r->headers);
	if (r->why != NULL)
		s->why = *r->why;
}

static struct graph_request request_of(struct send *s, int64_t total_ms);

static void
on_done(void *arg, const struct graph_reply *r)
{
	struct send *s = arg, *then;
	struct world *w = s->w;

	pthread_mutex_lock(&w->lock);
	s->took_ms += clock_mono_ms();
	s->times++;
	if (s->times == 1)
		keep(s, r);
	then = g_steal_pointer(&w->then);
	pthread_mutex_unlock(&w->lock);
	if (then != NULL) {
		const struct graph_request rq = request_of(then, TOTAL_MS);

		graph_pool_submit(w->pool, &rq);
	}
	pthread_mutex_lock(&w->lock);
	w->pending--;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static struct graph_request
request_of(struct send *s, int64_t total_ms)
{
	s->took_ms = -clock_mono_ms();
	return (struct graph_request){ .method = "POST", .target = s->target,
		.content_type = "application/json", .body = s->key,
		.len = strlen(s->key), .max_answer = 100000,
		.total_ms = total_ms, .done = on_done, .arg = s };
}

static struct send *
send_new(struct world *w, const char *action)
{
	struct send *s = g_new0(struct send, 1);

	s->w = w;
	g_snprintf(s->key, sizeof(s->key), "k%d", ++last_key);
	s->target = g_strdup_printf("/v25.0/%s/messages", action);
	pthread_mutex_lock(&w->lock);
	g_ptr_array_add(w->sends, s);
	w->pending++;
	pthread_mutex_unlock(&w->lock);
	return s;
}

static struct send *
submit(struct world *w, const char *action, int64_t total_ms)
{
	struct send *s = send_new(w, action);
	const struct graph_request rq = request_of(s, total_ms);

	graph_pool_submit(w->pool, &rq);
	return s;
}

static void
wait_all(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->pending > 0)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static struct send *
send_one(struct world *w, const char *action)
{
	struct send *s = submit(w, action, TOTAL_MS);

	wait_all(w);
	return s;
}

static void
assert_answered(const struct send *s, int status)
{
	if (s->fate != GRAPH_ANSWERED || s->status != status)
		fail_msg("%s: fate %d status %d: %s %s", s->target, s->fate,
		    s->status, s->why.what, s->why.text);
}

static void
assert_fate(const struct send *s, enum graph_fate fate, const char *what)
{
	enum err_kind kind = s->why.kind;

	if (s->fate != fate || strcmp(s->why.what, what) != 0)
		fail_msg("%s: fate %d: %s %s", s->target, s->fate, s->why.what,
		    s->why.text);
	if (fate == GRAPH_UNKNOWN ? kind != ERR_UNSURE : kind == ERR_UNSURE ||
	    kind == ERR_NONE)
		fail_msg("%s: %s", s->target, err_kind_name(kind));
	assert_true(s->why.text[0] != '\0');
	assert_int_equal(s->status, 0);
}

static const char *
header(const struct send *s, const char *name)
{
	for (char **h = s->headers; h[0] != NULL; h += 2)
		if (strcmp(h[0], name) == 0)
			return h[1];
	return NULL;
}

/* ---- answers ---------------------------------------------------------------------------- */

static void
an_answer_is_passed_on_whatever_it_says(void **state)
{
	static const struct {
		const char *action;
		int status;
	} rows[] = {
		{ "ok", 200 }, { "status-201", 201 }, { "status-400", 400 },
		{ "status-401", 401 }, { "status-404", 404 },
		{ "status-500", 500 }, { "status-503", 503 },
		{ "status-599", 599 }, { "chunked", 200 },
		{ "to-the-end", 200 }, { "interim", 200 },
		{ "redirect", 302 }, { "expect", 417 }, { "slow-20", 200 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct send *s = send_one(*state, rows[i].action);
		g_autofree char *want = g_strdup_printf("{\"key\": \"%s\"}",
		    s->key);

		assert_answered(s, rows[i].status);
		assert_string_equal(s->body, want);
		assert_int_equal(s->why.kind, ERR_NONE);
	}
}

static void
the_headers_that_say_when_again_are_passed_on_and_no_others(void **state)
{
	struct send *s = send_one(*state, "throttle");
	struct send *plain = send_one(*state, "interim");

	assert_answered(s, 429);
	assert_string_equal(s->type, "application/json");
	assert_string_equal(header(s, "Retry-After"), "17");
	assert_string_equal(header(s, "X-App-Usage"), "{\"a\":28}");
	assert_string_equal(header(s, "X-Business-Use-Case-Usage"),
	    "{\"1\":[]}");
	assert_string_equal(header(s, "facebook-api-version"), "v25.0");
	assert_string_equal(header(s, "x-fb-trace-id"), "Cab");
	assert_int_equal(g_strv_length(s->headers), 10);
	/* those of the interim answer, and of the one before, are forgotten */
	assert_int_equal(g_strv_length(plain->headers), 2);
	assert_string_equal(header(plain, "facebook-api-version"), "v25.0");
}

static void
the_token_is_put_in_and_the_rest_is_as_the_caller_said(void **state)
{
	struct world *w = *state;
	const char *target = "/v25.0/ok/messages?a=%2F%2e.&b='x'+~:@!$(),;=";
	struct send *s = send_new(w, "ok");
	struct graph_request rq = request_of(s, TOTAL_MS);
	g_autofree char *copy = g_strdup(target);
	g_autofree char *type = g_strdup("text/x; a=\"b\"");
	g_autofree char *want = NULL;

	rq.target = copy;
	rq.content_type = type;
	rq.method = "DELETE";
	graph_pool_submit(w->pool, &rq);
	memset(copy, 'x', strlen(copy));	/* only the body is borrowed */
	memset(type, 'x', strlen(type));
	wait_all(w);
	assert_answered(s, 200);
	want = g_strdup_printf("seen %s DELETE ok token=yes ", s->key);
	assert_int_equal(graph_peer_wait(peer, want, 1), 1);
	{
		g_auto(GStrv) lines = graph_peer_lines(peer);
		guint n = g_strv_length(lines);
		g_autofree char *end = g_strdup_printf(
		    " text/x;_a=\"b\" - %zu %s", strlen(s->key), target);

		assert_true(g_str_has_suffix(lines[n - 2], end));
	}
}

static void
a_request_may_have_no_body_and_no_type(void **state)
{
	static const char *const methods[] = { "GET", "DELETE", "POST" };
	struct world *w = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
		struct send *s = send_new(w, "ok");
		struct graph_request rq = request_of(s, TOTAL_MS);
		g_autofree char *target = g_strdup_printf(
		    "/v25.0/ok/none?%s", s->key);
		g_autofree char *want = g_strdup_printf("- - 0 %s", target);
		bool found = false;

		rq.method = methods[i];
		rq.content_type = NULL;
		rq.body = NULL;
		rq.len = 0;
		rq.target = target;
		graph_pool_submit(w->pool, &rq);
		wait_all(w);
		assert_answered(s, 200);
		{
			g_auto(GStrv) lines = graph_peer_lines(peer);

			for (char **l = lines; *l != NULL; l++)
				found = found || g_str_has_suffix(*l, want);
		}
		if (!found)
			fail_msg("%s: no line ends in %s", methods[i], want);
		s->fate = GRAPH_UNKNOWN;	/* it was seen without a key */
	}
}

static void
a_body_of_megabytes_is_sent_at_once_and_whole(void **state)
{
	struct world *w = *state;
	size_t len = 3 << 20;
	g_autofree char *body = g_strnfill(len, ' ');
	g_autofree char *want = NULL;
	struct send *s = send_new(w, "ok");
	struct graph_request rq = request_of(s, TOTAL_MS);
	bool found = false;

	memcpy(body, s->key, strlen(s->key));
	body[strlen(s->key)] = '\t';
	rq.body = body;
	rq.len = len;
	graph_pool_submit(w->pool, &rq);
	wait_all(w);
	assert_answered(s, 200);
	want = g_strdup_printf(" - %zu /v25.0/ok/messages", len);
	{
		g_auto(GStrv) lines = graph_peer_lines(peer);

		for (char **l = lines; *l != NULL; l++)
			found = found || g_str_has_suffix(*l, want);
	}
	assert_true(found);
	s->fate = GRAPH_UNKNOWN;	/* its key is not all that was sent */
}

static int
connections_seen(void)
{
	g_auto(GStrv) lines = graph_peer_lines(peer);
	g_autoptr(GHashTable) set = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);

	for (char **l = lines; *l != NULL; l++) {
		g_auto(GStrv) words = g_strsplit(*l, " ", -1);

		if (g_strv_length(words) > 5)
			g_hash_table_add(set, g_strdup(words[5]));
	}
	return (int)g_hash_table_size(set);
}

static void
a_connection_is_kept_for_the_next_request(void **state)
{
	int before = connections_seen();

	for (int i = 0; i < 20; i++)
		assert_answered(send_one(*state, i % 3 == 0 ? "status-400" :
		    "ok"), i % 3 == 0 ? 400 : 200);
	assert_int_equal(connections_seen(), before + 1);
}

/* ---- broken connections ------------------------------------------------------------------- */

static const struct {
	const char *action, *what;
} broken[] = {
	{ "gone", "graph.network" }, { "reset", "graph.network" },
	{ "early", "graph.network" }, { "half-head", "graph.network" },
	{ "half", "graph.network" }, { "garbage", "graph.network" },
	{ "silent", "graph.deadline" }, { "huge", "graph.size" },
	{ "endless", "graph.size" }, { "headers", "graph.size" },
	{ "status-600", "graph.server" }, { "status-999", "graph.server" },
};

static void
send_broken(struct world *w, size_t i, bool on_kept)
{
	bool wait = strcmp(broken[i].action, "silent") == 0;
	struct send *s;

	reopen(w, 1);
	if (on_kept)
		assert_answered(send_one(w, "ok"), 200);
	s = submit(w, broken[i].action, wait ? SHORT_MS : TOTAL_MS);
	wait_all(w);
	assert_fate(s, GRAPH_UNKNOWN, broken[i].what);
	assert_answered(send_one(w, "ok"), 200);
}

static void
what_breaks_once_it_was_sent_is_unknown_and_not_sent_again(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
		send_broken(*state, i, false);
}

static void
nor_is_it_on_a_connection_that_had_been_kept(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
		send_broken(*state, i, true);
}

/* The race that libcurl would decide by sending once more. */
static void
a_kept_connection_that_ends_with_the_next_request_leaves_it_unknown(
    void **state)
{
	static const char *const actions[] = { "next-gone", "next-reset",
		"next-early", "next-half" };
	static const char *const methods[] = { "POST", "GET", "DELETE" };
	struct world *w = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
		for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
			struct graph_request rq;
			struct send *s;

			reopen(w, 1);
			assert_answered(send_one(w, actions[i]), 200);
			s = send_new(w, "ok");
			rq = request_of(s, TOTAL_MS);
			rq.method = methods[m];
			graph_pool_submit(w->pool, &rq);
			wait_all(w);
			assert_fate(s, GRAPH_UNKNOWN, "graph.network");
			assert_int_equal(seen(s->key),
			    strcmp(actions[i], "next-early") != 0);
			assert_answered(send_one(w, "ok"), 200);
		}
	}
}

static void
one_that_ended_while_idle_is_replaced(void **state)
{
	static const char *const actions[] = { "then-close", "then-reset" };

	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
		assert_answered(send_one(*state, actions[i]), 200);
		g_usleep(100000);
		assert_answered(send_one(*state, "ok"), 200);
	}
}

static void
one_that_ends_in_the_same_moment_never_carries_a_request_twice(void **state)
{
	struct world *w = *state;
	int answered = 0;

	reopen(w, 1);
	for (int i = 0; i < 60; i++) {
		struct send *s;

		send_one(w, i % 2 == 0 ? "then-close" : "then-reset");
		if (i % 3 == 0)
			g_usleep((gulong)i * 20);
		s = send_one(w, "ok");
		answered += s->fate == GRAPH_ANSWERED;
	}
	assert_in_range(answered, 1, 60);
}

/* ---- not sent -------------------------------------------------------------------------------- */

static void
send_to(struct world *w, const struct graph_conf *conf, const char *what)
{
	struct send *s;

	close_pool(w);
	open_pool(w, conf, 2);
	s = submit(w, "ok", conf->total_ms);
	wait_all(w);
	assert_fate(s, GRAPH_NOT_SENT, what);
}

static void
what_never_got_as_far_as_tls_was_not_sent(void **state)
{
	g_autofree char *closes = g_strdup_printf("https://localhost:%d",
	    peer->foreign);
	g_autofree char *other_name = g_strdup_printf("https://127.0.0.2:%d",
	    peer->port);
	struct graph_conf conf = good_conf();

	conf.url = closes;
	send_to(*state, &conf, "graph.network");
	conf.url = "https://localhost:1";
	send_to(*state, &conf, "graph.network");
	conf.url = "https://nowhere.invalid";
	send_to(*state, &conf, "graph.network");
	conf.url = other_name;
	send_to(*state, &conf, "graph.network");
	conf.url = peer->url;
	conf.tls_ca_file = NULL;
	send_to(*state, &conf, "graph.network");
	conf.tls_ca_file = "/nonexistent/ca.pem";
	send_to(*state, &conf, "graph.conf");
	conf = good_conf();
	conf.proxy = "http://127.0.0.1:1";
	send_to(*state, &conf, "graph.proxy");
}

static void
a_host_that_never_shakes_hands_was_not_sent_anything(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_autofree char *url = NULL;
	struct graph_conf conf = good_conf();

	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	url = g_strdup_printf("https://localhost:%d", ntohs(a.sin_port));
	conf.url = url;
	conf.connect_ms = SHORT_MS;
	send_to(*state, &conf, "graph.deadline");
	conf.connect_ms = 10000;
	conf.total_ms = SHORT_MS;
	send_to(*state, &conf, "graph.deadline");
	close(fd);
}

static void
a_proxy_of_the_environment_is_not_used(void **state)
{
	g_setenv("https_proxy", "http://127.0.0.1:1", TRUE);
	reopen(*state, 1);
	assert_answered(send_one(*state, "ok"), 200);
	g_unsetenv("https_proxy");
}

static void
through_a_proxy_it_is_the_same_and_the_proxy_does_not_see_the_token(
    void **state)
{
	g_autofree char *proxy = g_strdup_printf("http://127.0.0.1:%d",
	    peer->plain);
	g_autofree char *refused = g_strdup_printf("https://localhost:%d",
	    peer->foreign);
	struct graph_conf conf = good_conf();
	struct world *w = *state;

	conf.proxy = proxy;
	close_pool(w);
	open_pool(w, &conf, 1);
	assert_answered(send_one(w, "ok"), 200);
	assert_int_equal(g_strv_length(((struct send *)
	    w->sends->pdata[0])->headers), 0);
	assert_answered(send_one(w, "next-gone"), 200);
	assert_fate(send_one(w, "ok"), GRAPH_UNKNOWN, "graph.network");
	assert_answered(send_one(w, "then-close"), 200);
	g_usleep(100000);
	assert_answered(send_one(w, "ok"), 200);
	conf.url = refused;
	send_to(w, &conf, "graph.proxy");
	assert_true(graph_peer_logged(peer, "proxy localhost:") >= 4);
	{
		g_auto(GStrv) lines = graph_peer_lines(peer);

		for (char **l = lines; *l != NULL; l++)
			assert_false(g_str_has_prefix(*l, "proxy ") &&
			    g_str_has_suffix(*l, "token=yes"));
	}
}

static void
what_is_no_request_is_refused(void **state)
{
	static const struct {
		const char *method, *target, *type;
	} rows[] = {
		{ "PUT", "/v25.0/ok/messages", NULL },
		{ "post", "/v25.0/ok/messages", NULL },
		{ "GET / HTTP/1.1\r\nX: ", "/v25.0/ok/messages", NULL },
		{ "POST", "", NULL }, { "POST", "v25.0/ok/messages", NULL },
		{ "POST", "//evil.example/v25.0/ok/messages", NULL },
		{ "POST", "https://evil.example/", NULL },
		{ "POST", "@evil.example/", NULL },
		{ "POST", "/v25.0/ok/messages HTTP/1.1\r\nX: y", NULL },
		{ "POST", "/v25.0/ok/messages#x", NULL },
		{ "POST", "/v25.0/o k/messages", NULL },
		{ "POST", "/v25.0/ok/mess\x01" "ages", NULL },
		{ "POST", "/v25.0/ok/mess\xc3\xa9", NULL },
		{ "POST", "/v25.0\\ok/messages", NULL },
		{ "POST", "/v25.0/../ok/messages", NULL },
		{ "POST", "/v25.0/./ok/messages", NULL },
		{ "POST", "/v25.0/%2E%2e/messages", NULL },
		{ "POST", "/v25.0/.%2e", NULL },
		{ "POST", "/v25.0/..?x", NULL },
		{ "POST", "/v25.0/ok/messages", "text/plain\r\nX: y" },
		{ "POST", "/v25.0/ok/messages", "text/\nplain" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct send *s = send_new(w, "ok");
		struct graph_request rq = request_of(s, TOTAL_MS);

		rq.method = rows[i].method;
		rq.target = rows[i].target;
		rq.content_type = rows[i].type;
		graph_pool_submit(w->pool, &rq);
		wait_all(w);
		if (s->fate != GRAPH_NOT_SENT || s->why.kind != ERR_PERM)
			fail_msg("%s %s %s: fate %d", rows[i].method,
			    rows[i].target, rows[i].type, s->fate);
	}
	/* What only looks like it is sent as it is. */
	assert_answered(send_one(w, "ok/...?/../"), 200);
}

/* ---- time ----------------------------------------------------------------------- */

static void
the_time_in_the_queue_counts(void **state)
{
	struct world *w = *state;
	struct send *first, *late, *patient;

	reopen(w, 1);
	first = submit(w, "slow-600", TOTAL_MS);
	late = submit(w, "ok", 100);
	patient = submit(w, "ok", TOTAL_MS);
	wait_all(w);
	assert_answered(first, 200);
	assert_fate(late, GRAPH_NOT_SENT, "graph.deadline");
	assert_true(late->took_ms >= 100);
	assert_true(late->took_ms < first->took_ms);
	assert_answered(patient, 200);
}

static void
the_deadline_is_absolute(void **state)
{
	struct send *s = submit(*state, "silent", SHORT_MS);

	wait_all(*state);
	assert_fate(s, GRAPH_UNKNOWN, "graph.deadline");
	assert_in_range(s->took_ms, SHORT_MS - 5, TOTAL_MS / 2);
	s = submit(*state, "ok", 0);
	wait_all(*state);
	assert_fate(s, GRAPH_NOT_SENT, "graph.deadline");
}

static void
stopping_waits_for_what_is_under_way_and_takes_no_more(void **state)
{
	struct world *w = *state;
	struct send *s = submit(w, "slow-200", TOTAL_MS);
	struct send *none;

	graph_pool_stop(w->pool, 10000);
	assert_int_equal(w->pending, 0);
	assert_answered(s, 200);
	none = submit(w, "ok", TOTAL_MS);
	wait_all(w);
	assert_fate(none, GRAPH_NOT_SENT, "graph.stopped");
}

static void
stopping_cuts_at_its_end(void **state)
{
	struct world *w = *state;
	struct send *under_way, *queued;

	reopen(w, 1);
	under_way = submit(w, "silent", TOTAL_MS);
	queued = submit(w, "ok", TOTAL_MS);
	while (seen(under_way->key) == 0)
		g_usleep(5000);
	graph_pool_stop(w->pool, 50);
	assert_int_equal(w->pending, 0);
	assert_fate(under_way, GRAPH_UNKNOWN, "graph.stopped");
	assert_fate(queued, GRAPH_NOT_SENT, "graph.stopped");
}

static void
freeing_tells_everybody(void **state)
{
	struct world *w = *state;
	struct send *s;

	reopen(w, 1);
	s = submit(w, "silent", TOTAL_MS);
	submit(w, "ok", TOTAL_MS);
	close_pool(w);
	assert_int_equal(w->pending, 0);
	assert_string_equal(s->why.what, "graph.stopped");
}

static void
cancelling_ends_all_soon(void **state)
{
	struct world *w = *state;
	struct send *under_way, *queued, *later;

	reopen(w, 1);
	under_way = submit(w, "silent", TOTAL_MS);
	queued = submit(w, "ok", TOTAL_MS);
	while (seen(under_way->key) == 0)
		g_usleep(5000);
	graph_cancel(w->g);
	wait_all(w);
	assert_fate(under_way, GRAPH_UNKNOWN, "graph.stopped");
	assert_in_range(under_way->took_ms, 0, 5000);
	assert_fate(queued, GRAPH_NOT_SENT, "graph.stopped");
	later = send_one(w, "ok");
	assert_fate(later, GRAPH_NOT_SENT, "graph.stopped");
}

/* ---- many ----------------------------------------------------------------------- */

static void
done_may_submit_the_next(void **state)
{
	struct world *w = *state;
	struct send *second;

	reopen(w, 1);
	second = send_new(w, "ok");
	w->then = second;
	assert_answered(send_one(w, "ok"), 200);
	assert_answered(second, 200);
}

static void
several_are_under_way_at_once(void **state)
{
	struct world *w = *state;
	struct send *s[8];
	int64_t begin;

	reopen(w, 8);
	begin = clock_mono_ms();
	for (size_t i = 0; i < G_N_ELEMENTS(s); i++)
		s[i] = submit(w, "slow-500", TOTAL_MS);
	wait_all(w);
	for (size_t i = 0; i < G_N_ELEMENTS(s); i++)
		assert_answered(s[i], 200);
	assert_in_range(clock_mono_ms() - begin, 500, 500 * 7);
}

static void *
submit_many(void *arg)
{
	static const char *const actions[] = { "ok", "ok", "then-close",
		"next-gone", "gone", "ok", "half", "slow-5", "next-reset",
		"chunked", "then-reset", "ok", "next-early", "throttle",
		"reset" };

	for (int i = 0; i < 75; i++) {
		submit(arg, actions[i % (int)G_N_ELEMENTS(actions)],
		    i % 10 == 0 ? 30 : TOTAL_MS);
		g_usleep(500);
	}
	return NULL;
}

static void
many_threads_and_broken_connections_never_make_one_request_two(void **state)
{
	struct world *w = *state;
	pthread_t threads[4];
	int answered = 0, unknown = 0;

	reopen(w, 6);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, submit_many,
		    w), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
	wait_all(w);
	assert_int_equal(w->sends->len, 300);
	for (guint i = 0; i < w->sends->len; i++) {
		const struct send *s = w->sends->pdata[i];

		answered += s->fate == GRAPH_ANSWERED;
		unknown += s->fate == GRAPH_UNKNOWN;
	}
	assert_true(answered > 100);
	assert_true(unknown > 40);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_passed_on_whatever_it_says),
		TEST(the_headers_that_say_when_again_are_passed_on_and_no_others),
		TEST(the_token_is_put_in_and_the_rest_is_as_the_caller_said),
		TEST(a_request_may_have_no_body_and_no_type),
		TEST(a_body_of_megabytes_is_sent_at_once_and_whole),
		TEST(a_connection_is_kept_for_the_next_request),
		TEST(what_breaks_once_it_was_sent_is_unknown_and_not_sent_again),
		TEST(nor_is_it_on_a_connection_that_had_been_kept),
		TEST(a_kept_connection_that_ends_with_the_next_request_leaves_it_unknown),
		TEST(one_that_ended_while_idle_is_replaced),
		TEST(one_that_ends_in_the_same_moment_never_carries_a_request_twice),
		TEST(what_never_got_as_far_as_tls_was_not_sent),
		TEST(a_host_that_never_shakes_hands_was_not_sent_anything),
		TEST(a_proxy_of_the_environment_is_not_used),
		TEST(through_a_proxy_it_is_the_same_and_the_proxy_does_not_see_the_token),
		TEST(what_is_no_request_is_refused),
		TEST(the_time_in_the_queue_counts),
		TEST(the_deadline_is_absolute),
		TEST(stopping_waits_for_what_is_under_way_and_takes_no_more),
		TEST(stopping_cuts_at_its_end),
		TEST(freeing_tells_everybody),
		TEST(cancelling_ends_all_soon),
		TEST(done_may_submit_the_next),
		TEST(several_are_under_way_at_once),
		TEST(many_threads_and_broken_connections_never_make_one_request_two),
	};

	graph_init();
	return cmocka_run_group_tests_name("the pool against a peer", tests,
	    start_peer, stop_peer);
}
