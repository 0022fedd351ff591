/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server to test and measure the listener with: what it answers tells what
 * it saw. Prints "port N" when it serves; drains and ends on SIGTERM.
 *
 *   http_echo [address [port [threads]]]
 *
 * The environment variable BATCH_US makes a second thread answer everything
 * that has come in, each so many microseconds: the shape of a group commit.
 */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "hash.h"
#include "http.h"

struct echo {
	pthread_mutex_t lock;
	GPtrArray *waiting;		/* struct http_request * */
	int64_t batch_us;
	_Atomic bool stop;
};

static const char *
or_none(const char *s)
{
	return s != NULL ? s : "-";
}

static void
answer_with_what_was_seen(struct http_request *rq)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	g_autofree char *text = NULL;
	size_t len;
	const void *body = http_request_body(rq, &len);

	hash_sha256(body, len, digest);
	text = g_strdup_printf("%s %s len=%zu sha256=%s host=%s "
	    "signature=%s forwarded=%s mode=%s\n",
	    http_request_method(rq), http_request_path(rq), len,
	    hash_hex(digest, hex), or_none(http_request_header(rq, "Host")),
	    or_none(http_request_header(rq, "X-Hub-Signature-256")),
	    or_none(http_request_header(rq, "X-Forwarded-For")),
	    or_none(http_request_query(rq, "hub.mode")));
	http_answer(rq, 200, NULL, text, strlen(text), 0);
}

static enum http_verdict
handle(void *app, struct http_request *rq)
{
	struct echo *e = app;

	if (e->batch_us == 0) {
		answer_with_what_was_seen(rq);
		return HTTP_ANSWERED;
	}
	pthread_mutex_lock(&e->lock);
	g_ptr_array_add(e->waiting, rq);
	pthread_mutex_unlock(&e->lock);
	return HTTP_LATER;
}

static void *
commit_for_ever(void *arg)
{
	struct echo *e = arg;

	while (!atomic_load(&e->stop)) {
		g_autoptr(GPtrArray) batch = NULL;

		g_usleep((gulong)e->batch_us);
		pthread_mutex_lock(&e->lock);
		batch = e->waiting;
		e->waiting = g_ptr_array_sized_new(batch->len);
		pthread_mutex_unlock(&e->lock);
		for (guint i = 0; i < batch->len; i++)
			http_answer(batch->pdata[i], 200, NULL, NULL, 0, 0);
	}
	return NULL;
}

static int
wait_for_the_end(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return sigwait(&set, &sig);
}

static void
block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int
serve(struct http_server *srv, struct echo *e)
{
	struct err err = ERR_INIT;
	pthread_t committer;
	bool clean;

	if (!http_server_start(srv, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (e->batch_us > 0)
		pthread_create(&committer, NULL, commit_for_ever, e);
	dprintf(STDOUT_FILENO, "port %d\n", http_server_port(srv));
	wait_for_the_end();
	clean = http_server_drain(srv, 5000);
	atomic_store(&e->stop, true);
	if (e->batch_us > 0)
		pthread_join(committer, NULL);
	http_server_free(srv);
	return clean ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static const char *const singles[] = { "X-Hub-Signature-256", NULL };
	const char *batch = getenv("BATCH_US");
	struct echo e = { .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct http_place place = {
		.address = argc > 1 ? argv[1] : "127.0.0.1",
		.port = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0,
	};
	struct http_conf conf = {
		.threads = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 2,
		.max_body = 4 << 20, .deadline_ms = 10000,
		.connections = 1024, .single_headers = singles,
		.tls_certificate = getenv("TLS_CERTIFICATE"),
		.tls_key = getenv("TLS_KEY"),
	};
	struct err err = ERR_INIT;
	struct http_server *srv;
	int rc;

	e.waiting = g_ptr_array_new();
	e.batch_us = batch != NULL ? strtol(batch, NULL, 10) : 0;
	block_signals();
	if (!http_listen(&place, &conf.listen_fd, &err) ||
	    !http_server_new(&conf, handle, &e, &srv, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	rc = serve(srv, &e);
	g_ptr_array_unref(e.waiting);
	return rc;
}
