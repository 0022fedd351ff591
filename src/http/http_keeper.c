/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper thread: accepts connections within the limit and gives them to
 * libmicrohttpd's workers; cuts those that are past their deadline, or whose
 * other side is gone.
 *
 * Why libmicrohttpd does not listen itself: MHD_quiesce_daemon() of 0.9.75
 * aborts the process when a pool worker takes the listening socket out of its
 * epoll set in the same moment, which is likely under load; and closing that
 * descriptor while a worker may still accept() on its number is a race. Here
 * one thread owns it. Its idle timeout is no help either: a client that sends
 * a byte now and then is never idle. So the deadline here is absolute.
 */
#include "http_int.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"

#define ACCEPTS_PER_TURN 64
/* After EMFILE and the like the socket stays readable: do not spin. */
#define ACCEPT_PAUSE_MS 100

void
http_keeper_wake(struct http_server *srv)
{
	if (eventfd_write(srv->wake_fd, 1) != 0)
		return;		/* the counter is full: it will wake anyway */
}

static bool
is_late(const struct conn *c, int64_t now)
{
	return now - atomic_load(&c->since_ms) >= c->srv->conf.deadline_ms;
}

/* shutdown() makes the worker see the end of the connection and close it. */
static void
cut_if_late(struct conn *c, int64_t now)
{
	int phase = atomic_load(&c->phase);
	int served = atomic_load_explicit(&c->served, memory_order_relaxed);

	if (phase == PHASE_ASKED || phase == PHASE_CLOSING ||
	    !is_late(c, now) || !http_conn_move(c, phase, PHASE_CLOSING))
		return;
	if (phase == PHASE_ANSWERING)
		atomic_fetch_add(&c->srv->n.cut, 1);
	/* Between two requests a connection is not late but unused. */
	if (phase != PHASE_IDLE || served == 0)
		atomic_fetch_add(&c->srv->n.late, 1);
	shutdown(c->fd, SHUT_RDWR);
}

/*
 * The other side has closed, in the middle of a request, and all that it sent
 * is read. MHD does not always see that: with edges of epoll, the end that came
 * with the last bytes is none. It is given the time from one look to the next.
 */
static void
cut_if_over(struct conn *c)
{
	int phase = atomic_load(&c->phase);
	bool was_over = c->is_over;
	char byte;

	c->is_over = (phase == PHASE_IDLE || phase == PHASE_READING) &&
	    recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
	if (was_over && c->is_over && http_conn_move(c, phase, PHASE_CLOSING))
		shutdown(c->fd, SHUT_RDWR);
}

static void
look_at_all(struct http_server *srv, int64_t now)
{
	pthread_mutex_lock(&srv->lock);
	for (struct conn *c = srv->conns; c != NULL; c = c->next) {
		cut_if_over(c);
		cut_if_late(c, now);
	}
	pthread_mutex_unlock(&srv->lock);
}

/*
 * Who waited in the queue for long may have given up and asked again: what it
 * left behind must not be done as well. It would not get the answer.
 */
static bool
has_left(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0;
}

static bool
accept_one(struct http_server *srv)
{
	struct sockaddr_in6 addr;
	struct sockaddr *sa = (struct sockaddr *)&addr;
	socklen_t len = sizeof(addr);
	int fd = accept4(srv->listen_fd, sa, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == ECONNABORTED || errno == EINTR)
			return true;
		if (errno != EAGAIN)
			srv->no_accept_until_ms = clock_mono_ms() +
			    ACCEPT_PAUSE_MS;
		return false;
	}
	if (has_left(fd)) {
		close(fd);
		return true;
	}
	atomic_fetch_add(&srv->n.open, 1);
	/* Closes fd itself when it refuses (limit per address). */
	if (MHD_add_connection(srv->mhd, fd, sa, len) != MHD_YES)
		atomic_fetch_sub(&srv->n.open, 1);
	return true;
}

static bool
may_accept(const struct http_server *srv, int64_t now)
{
	return srv->listen_fd >= 0 && now >= srv->no_accept_until_ms &&
	    atomic_load(&srv->n.open) < srv->conf.connections;
}

static void
accept_some(struct http_server *srv)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++)
		if (!may_accept(srv, srv->no_accept_until_ms) ||
		    !accept_one(srv))
			return;
}

static void
close_listener(struct http_server *srv)
{
	if (srv->listen_fd >= 0)
		close(srv->listen_fd);
	srv->listen_fd = -1;
	pthread_mutex_lock(&srv->lock);
	srv->listen_closed = true;
	pthread_cond_broadcast(&srv->changed);
	pthread_mutex_unlock(&srv->lock);
}

static void
wait_for_work(struct http_server *srv, int64_t until_ms)
{
	int64_t now = clock_mono_ms();
	struct pollfd fds[2] = {
		{ .fd = srv->wake_fd, .events = POLLIN },
		{ .fd = may_accept(srv, now) ? srv->listen_fd : -1,
			.events = POLLIN },
	};
	eventfd_t n;

	if (poll(fds, 2, (int)MAX(until_ms - now, 0)) <= 0)
		return;
	if (fds[0].revents != 0 && eventfd_read(srv->wake_fd, &n) != 0)
		return;
	if (fds[1].revents != 0 && !atomic_load(&srv->draining))
		accept_some(srv);
}

static void *
keep(void *arg)
{
	struct http_server *srv = arg;
	int64_t next_look = clock_mono_ms() + srv->tick_ms;

	while (!atomic_load(&srv->stopping)) {
		wait_for_work(srv, next_look);
		if (atomic_load(&srv->draining) && srv->listen_fd >= 0) {
			/* Who connected before gets an answer, not a reset. */
			accept_some(srv);
			close_listener(srv);
		}
		if (clock_mono_ms() < next_look)
			continue;
		look_at_all(srv, clock_mono_ms());
		next_look = clock_mono_ms() + srv->tick_ms;
	}
	close_listener(srv);
	return NULL;
}

bool
http_keeper_start(struct http_server *srv, struct err *err)
{
	int e = pthread_create(&srv->keeper, NULL, keep, srv);

	if (e != 0)
		return err_set(err, ERR_TEMP, "http.thread",
		    "cannot start a thread: %s", err_errno(e));
	srv->keeper_runs = true;
	return true;
}

void
http_keeper_stop(struct http_server *srv)
{
	atomic_store(&srv->stopping, true);
	if (!srv->keeper_runs)
		return;
	http_keeper_wake(srv);
	pthread_join(srv->keeper, NULL);
	srv->keeper_runs = false;
}
