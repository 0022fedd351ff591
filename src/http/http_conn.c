/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a connection, as libmicrohttpd tells it: made, request line
 * seen, request completed, closed. Keeps the list that the keeper and drain
 * walk, and the clock of each deadline. Runs in worker threads.
 */
#include "http_int.h"

#include <string.h>

#include "clock.h"
#include "http_framing.h"

/* What a connection may keep of its body buffer between two requests. */
#define BODY_KEPT_BYTES 16384

bool
http_conn_move(struct conn *c, enum phase from, enum phase to)
{
	int expected = from;

	return atomic_compare_exchange_strong(&c->phase, &expected, to);
}

static void
link_conn(struct http_server *srv, struct conn *c)
{
	pthread_mutex_lock(&srv->lock);
	c->next = srv->conns;
	if (c->next != NULL)
		c->next->prev = c;
	srv->conns = c;
	srv->n_conns++;
	pthread_mutex_unlock(&srv->lock);
}

static void
unlink_conn(struct http_server *srv, struct conn *c)
{
	pthread_mutex_lock(&srv->lock);
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		srv->conns = c->next;
	srv->n_conns--;
	pthread_mutex_unlock(&srv->lock);
}

static struct conn *
conn_new(struct http_server *srv, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info;
	struct conn *c = g_new0(struct conn, 1);

	c->srv = srv;
	c->mhd = mhd;
	c->rq.conn = c;
	c->rq.spool_fd = -1;
	c->target = g_string_new(NULL);
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	c->fd = info->connect_fd;
	info = MHD_get_connection_info(mhd,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	http_remote_text(info->client_addr, c->remote);
	atomic_store(&c->since_ms, clock_mono_ms());
	if (srv->tls != NULL)
		http_tls_attach(srv->tls, mhd);
	link_conn(srv, c);
	return c;
}

/*
 * MHD closes the socket after this call: while a connection is in the list
 * its descriptor is its own, so a shutdown() under srv->lock hits nobody else.
 */
static void
conn_free(struct conn *c)
{
	struct http_server *srv = c->srv;
	int open;

	unlink_conn(srv, c);
	http_spool_clear(&c->rq);
	g_free(c->rq.body);
	g_string_free(c->target, TRUE);
	g_free(c->client);
	g_free(c);
	open = atomic_fetch_sub(&srv->n.open, 1);
	if (open >= srv->conf.connections)
		http_keeper_wake(srv);
}

void
http_on_connection(void *cls, struct MHD_Connection *mhd, void **ctx,
    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*ctx = conn_new(cls, mhd);
	} else if (*ctx != NULL) {
		conn_free(*ctx);
		*ctx = NULL;
	}
}

/*
 * The request line is there. The deadline of the first request runs from the
 * connect, so that neither a slow handshake nor a slow line gains time; of a
 * later one from here, as idle time before it is no fault of the client.
 */
void *
http_on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct conn *c = MHD_get_connection_info(mhd,
	    MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	struct http_server *srv = cls;

	atomic_fetch_add(&srv->n.busy, 1);
	if (atomic_load_explicit(&c->served, memory_order_relaxed) > 0)
		atomic_store(&c->since_ms, clock_mono_ms());
	http_conn_move(c, PHASE_IDLE, PHASE_READING);
	/* An escaped NUL would end the path early, and match another one. */
	c->bad_target = target == NULL || !http_is_target(target) ||
	    strstr(target, "%00") != NULL;
	/* MHD decodes it in place. */
	g_string_assign(c->target, target != NULL ? target : "");
	return c;
}

static void
reset_request(struct http_request *rq)
{
	if (rq->answer != NULL)
		MHD_destroy_response(rq->answer);
	rq->answer = NULL;
	http_spool_clear(rq);
	if (rq->size > BODY_KEPT_BYTES) {
		g_clear_pointer(&rq->body, g_free);
		rq->size = 0;
	}
	rq->len = 0;
	rq->begun = rq->too_large = rq->unspooled = false;
	rq->method = rq->path = NULL;
	atomic_store(&rq->asked, ASKED_NOT);
}

/* Called when the last byte was given to the kernel, or never will be. */
void
http_on_completed(void *cls, struct MHD_Connection *mhd, void **ctx,
    enum MHD_RequestTerminationCode how)
{
	struct http_server *srv = cls;
	struct conn *c = *ctx;

	(void)mhd;
	(void)how;
	if (c == NULL)
		return;
	*ctx = NULL;
	reset_request(&c->rq);
	atomic_fetch_add_explicit(&c->served, 1, memory_order_relaxed);
	atomic_store(&c->since_ms, clock_mono_ms());
	http_conn_move(c, PHASE_ANSWERING, PHASE_IDLE);
	atomic_fetch_sub(&srv->n.busy, 1);
}
