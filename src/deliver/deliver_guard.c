/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Total deadlines. libesmtp's timeouts count from the last byte, so that a
 * relay that drips one byte now and then holds a session for ever; nothing
 * but closing the connection from outside ends that. One thread watches all
 * sessions and shuts the connection down whose time is over.
 *
 * A guarded descriptor stays open until its guard is removed, so that never
 * a stranger with the same number is hit.
 */
#include "deliver_int.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	GPtrArray *guards;	/* struct deliver_guard *, borrowed */
	int64_t wake_ms;	/* when the thread looks again */
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Shuts down what is over; gives the next deadline. */
static int64_t
fire_due(int64_t now_ms)
{
	int64_t next = INT64_MAX;

	for (guint i = 0; i < all.guards->len; i++) {
		struct deliver_guard *g = g_ptr_array_index(all.guards, i);

		if (g->deadline_ms > now_ms) {
			next = MIN(next, g->deadline_ms);
			continue;
		}
		g->fired = true;
		g->deadline_ms = INT64_MAX;
		shutdown(g->fd, SHUT_RDWR);
	}
	return next;
}

static void *
watch(void *arg)
{
	struct timespec ts;

	pthread_mutex_lock(&all.lock);
	for (;;) {
		all.wake_ms = fire_due(clock_mono_ms());
		if (all.wake_ms == INT64_MAX) {
			pthread_cond_wait(&all.changed, &all.lock);
			continue;
		}
		ts.tv_sec = (time_t)(all.wake_ms / 1000);
		ts.tv_nsec = (long)(all.wake_ms % 1000) * 1000000;
		pthread_cond_timedwait(&all.changed, &all.lock, &ts);
	}
	return arg;
}

/* Signals are for the threads of the role that expect them. */
static void
start_watch(void)
{
	pthread_condattr_t attr;
	pthread_attr_t detached;
	sigset_t none, old;
	pthread_t thread;

	all.guards = g_ptr_array_new();
	all.wake_ms = INT64_MAX;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&all.changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	sigfillset(&none);
	pthread_sigmask(SIG_SETMASK, &none, &old);
	/* Without a guard no session may run: better a restarted role. */
	if (pthread_create(&thread, &detached, watch, NULL) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&detached);
}

/* The thread may sleep longer than this deadline allows. */
static void
wake_for(int64_t deadline_ms)
{
	if (deadline_ms < all.wake_ms) {
		all.wake_ms = deadline_ms;
		pthread_cond_signal(&all.changed);
	}
}

void
deliver_guard_add(struct deliver_guard *g, int fd, int64_t deadline_ms)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start_watch);
	g->fd = fd;
	g->fired = false;
	g->deadline_ms = deadline_ms;
	pthread_mutex_lock(&all.lock);
	g_ptr_array_add(all.guards, g);
	wake_for(deadline_ms);
	pthread_mutex_unlock(&all.lock);
}

void
deliver_guard_set(struct deliver_guard *g, int64_t deadline_ms)
{
	pthread_mutex_lock(&all.lock);
	g->deadline_ms = deadline_ms;
	wake_for(deadline_ms);
	pthread_mutex_unlock(&all.lock);
}

bool
deliver_guard_fired(struct deliver_guard *g)
{
	bool fired;

	pthread_mutex_lock(&all.lock);
	fired = g->fired;
	pthread_mutex_unlock(&all.lock);
	return fired;
}

void
deliver_guard_remove(struct deliver_guard *g)
{
	pthread_mutex_lock(&all.lock);
	g_ptr_array_remove_fast(all.guards, g);
	pthread_mutex_unlock(&all.lock);
}
