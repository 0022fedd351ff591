/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener as a whole: made, started, drained, freed.
 *
 * Start order matters to its users: http_server_new() reads the key while the
 * role still has rights, http_server_start() makes threads after it gave them
 * up.
 */
#include "http_int.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"

/* Header of a request at most, roughly; MHD answers 431 or 414 beyond. */
#define CONNECTION_MEMORY_BYTES ((size_t)32 * 1024)
#define TICK_MIN_MS 5
#define TICK_MAX_MS 250
#define DRAIN_LOOK_MS 1
/* How long a drained connection may still bring a request: its first; one
   more, from a client that does nothing else. */
#define DRAIN_FRESH_MS 1000
#define DRAIN_USED_MS 100

static void
init_locks(struct http_server *srv)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&srv->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&srv->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static bool
open_all(struct http_server *srv, struct err *err)
{
	const struct http_conf *conf = &srv->conf;

	srv->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (srv->wake_fd < 0)
		return err_set(err, ERR_TEMP, "http.listen",
		    "cannot make an eventfd: %s", err_errno(errno));
	if (conf->tls_certificate != NULL &&
	    !http_tls_new(conf, &srv->tls, err))
		return false;
	srv->port = http_listen_port(srv->listen_fd);
	return srv->port >= 0 || err_set(err, ERR_CONF, "http.listen",
	    "descriptor %d is no socket to listen on", srv->listen_fd);
}

bool
http_server_new(const struct http_conf *conf, http_handler_fn *handler,
    void *app, struct http_server **out, struct err *err)
{
	struct http_server *srv = g_new0(struct http_server, 1);

	assert(conf->threads > 0 && conf->connections > 0);
	assert(conf->deadline_ms > 0);
	srv->conf = *conf;
	srv->single_headers = g_strdupv(
	    (char **)(uintptr_t)conf->single_headers);
	srv->spool = g_strdup(conf->spool);
	assert(srv->single_headers == NULL ||
	    g_strv_length(srv->single_headers) <= HTTP_SINGLES_MAX);
	/* The walk through the head relies on what that parser leaves. */
	srv->lenient_mhd = g_str_has_prefix(MHD_get_version(), "0.9.");
	srv->handler = handler;
	srv->app = app;
	srv->listen_fd = conf->listen_fd;
	srv->wake_fd = -1;
	srv->tick_ms = CLAMP(conf->deadline_ms / 16, TICK_MIN_MS, TICK_MAX_MS);
	init_locks(srv);
	if (!open_all(srv, err)) {
		http_server_free(srv);
		return false;
	}
	*out = srv;
	return true;
}

static void
add_option(GArray *opts, enum MHD_OPTION option, intptr_t value, void *ptr)
{
	struct MHD_OptionItem item = { option, value, ptr };

	g_array_append_val(opts, item);
}

static GArray *
mhd_options(const struct http_server *srv)
{
	GArray *o = g_array_new(FALSE, FALSE, sizeof(struct MHD_OptionItem));
	const struct http_conf *conf = &srv->conf;

	/* MHD shares the limit out among its workers; ours is the keeper's. */
	add_option(o, MHD_OPTION_CONNECTION_LIMIT,
	    (intptr_t)conf->connections * conf->threads, NULL);
	add_option(o, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
	    conf->connections_per_address, NULL);
	add_option(o, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (intptr_t)CONNECTION_MEMORY_BYTES, NULL);
	/* In 0.9 it would only get in the way of our own checks. */
	if (!srv->lenient_mhd)
		add_option(o, MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
	if (conf->threads > 1)
		add_option(o, MHD_OPTION_THREAD_POOL_SIZE, conf->threads,
		    NULL);
	if (srv->tls != NULL) {
		add_option(o, MHD_OPTION_HTTPS_CERT_CALLBACK, 0,
		    http_tls_callback());
		add_option(o, MHD_OPTION_HTTPS_PRIORITIES, 0,
		    (void *)(uintptr_t)http_tls_priority(srv->tls));
	}
	if (srv->tls != NULL && http_tls_trust(srv->tls) != NULL)
		add_option(o, MHD_OPTION_HTTPS_MEM_TRUST, 0,
		    (void *)(uintptr_t)http_tls_trust(srv->tls));
	add_option(o, MHD_OPTION_END, 0, NULL);
	return o;
}

bool
http_server_start(struct http_server *srv, struct err *err)
{
	g_autoptr(GArray) opts = mhd_options(srv);
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
	    MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
	    (srv->tls != NULL ? MHD_USE_TLS : 0);

	srv->mhd = MHD_start_daemon(flags, 0, NULL, NULL, http_on_request, srv,
	    MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, srv,
	    MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, srv,
	    MHD_OPTION_URI_LOG_CALLBACK, http_on_target, srv,
	    MHD_OPTION_ARRAY, (void *)opts->data, MHD_OPTION_END);
	if (srv->mhd == NULL)
		return err_set(err, ERR_TEMP, "http.start",
		    "cannot start %d listener threads: %s; look at the limits "
		    "on threads and open files", srv->conf.threads,
		    err_errno(errno));
	return http_keeper_start(srv, err);
}

int
http_server_port(const struct http_server *srv)
{
	return srv->port;
}

bool
http_server_reload_tls(struct http_server *srv, struct err *err)
{
	return srv->tls == NULL || http_tls_reload(srv->tls, err);
}

static void
stop_listening(struct http_server *srv)
{
	atomic_store(&srv->draining, true);
	if (!srv->keeper_runs) {
		if (srv->listen_fd >= 0)
			close(srv->listen_fd);
		srv->listen_fd = -1;
		return;
	}
	http_keeper_wake(srv);
	pthread_mutex_lock(&srv->lock);
	while (!srv->listen_closed)
		pthread_cond_wait(&srv->changed, &srv->lock);
	pthread_mutex_unlock(&srv->lock);
}

/* Its request may be on its way, or in the middle of a handshake. */
static bool
was_used_just_now(const struct conn *c, int64_t now)
{
	int served = atomic_load_explicit(&c->served, memory_order_relaxed);

	return now - atomic_load(&c->since_ms) <
	    (served == 0 ? DRAIN_FRESH_MS : DRAIN_USED_MS);
}

/*
 * True when the connection is settled: not idle, or idle and shut. One with
 * unread bytes may hold a request that was sent before the drain: its worker
 * comes to it in a moment.
 */
static bool
shut_if_idle(struct conn *c, int64_t now)
{
	char byte;
	ssize_t n;

	if (atomic_load(&c->phase) != PHASE_IDLE)
		return true;
	if (was_used_just_now(c, now))
		return false;
	n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n > 0)
		return false;
	if (http_conn_move(c, PHASE_IDLE, PHASE_CLOSING))
		shutdown(c->fd, SHUT_RDWR);
	return true;
}

static bool
is_drained(struct http_server *srv)
{
	int64_t now = clock_mono_ms();
	bool settled = true;
	int fresh;

	pthread_mutex_lock(&srv->lock);
	/* accepted, but not yet in the hands of its worker */
	fresh = atomic_load(&srv->n.open) - srv->n_conns;
	for (struct conn *c = srv->conns; c != NULL; c = c->next)
		settled = shut_if_idle(c, now) && settled;
	pthread_mutex_unlock(&srv->lock);
	return settled && fresh <= 0 && atomic_load(&srv->n.busy) == 0;
}

bool
http_server_drain(struct http_server *srv, int64_t timeout_ms)
{
	int64_t until = clock_mono_ms() + timeout_ms;
	int64_t cut = atomic_load(&srv->n.cut);

	stop_listening(srv);
	while (!is_drained(srv)) {
		if (clock_mono_ms() >= until)
			return false;
		g_usleep(DRAIN_LOOK_MS * 1000);
	}
	return atomic_load(&srv->n.cut) == cut;
}

void
http_server_free(struct http_server *srv)
{
	if (srv == NULL)
		return;
	http_keeper_stop(srv);
	if (srv->mhd != NULL) {
		/* MHD_stop_daemon() aborts on suspended connections. */
		http_requests_abandon(srv);
		while (atomic_load(&srv->n.answering) > 0)
			sched_yield();
		MHD_stop_daemon(srv->mhd);
	}
	if (srv->listen_fd >= 0)
		close(srv->listen_fd);
	if (srv->wake_fd >= 0)
		close(srv->wake_fd);
	http_tls_free(srv->tls);
	pthread_cond_destroy(&srv->changed);
	pthread_mutex_destroy(&srv->lock);
	g_strfreev(srv->single_headers);
	g_free(srv->spool);
	g_free(srv);
}

void
http_server_stats(const struct http_server *srv, struct http_stats *out)
{
	const struct http_counts *n = &srv->n;

	out->requests = atomic_load(&n->requests);
	out->refused = atomic_load(&n->refused);
	out->too_large = atomic_load(&n->too_large);
	out->late = atomic_load(&n->late);
	out->tls_refused = atomic_load(&n->tls_refused);
	out->spool_failed = atomic_load(&n->spool_failed);
	out->spool_errno = atomic_load(&n->spool_errno);
}
