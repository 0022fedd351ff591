/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory role's thread: it asks the server and may wait for it, or for
 * the resolver, as long as these take. It knows neither the store nor the log.
 * A connection that is not used for a while is given up: servers and firewalls
 * would do that, too, but without a word.
 */
#include "dir_int.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define IDLE_MS 30000
#define STOP_MS 2000

enum talk_state { TALK_IDLE, TALK_ASKED, TALK_DONE, TALK_OVER };

struct dir_talk {
	struct ldap_source *source;
	pthread_t thread;
	pthread_mutex_t lock;	/* of all below */
	pthread_cond_t changed;
	enum talk_state state;
	bool stopping;
	enum ldap_by by;
	char *value;
	struct dir_reply reply;
	int fd;
};

/* False when nothing happened until then. */
static bool
wait_until(struct dir_talk *t, int64_t mono_ms)
{
	struct timespec at = { .tv_sec = mono_ms / 1000,
		.tv_nsec = mono_ms % 1000 * 1000000 };

	return pthread_cond_timedwait(&t->changed, &t->lock, &at) !=
	    ETIMEDOUT;
}

/* With the lock held; false: it is over. */
static bool
next(struct dir_talk *t)
{
	bool rests = false;

	while (t->state != TALK_ASKED && !t->stopping) {
		if (rests) {
			pthread_cond_wait(&t->changed, &t->lock);
		} else if (!wait_until(t, clock_mono_ms() + IDLE_MS)) {
			ldap_source_rest(t->source);
			rests = true;
		}
	}
	return !t->stopping;
}

static void
find(struct dir_talk *t)
{
	struct dir_reply reply = { .err = ERR_INIT };
	uint64_t one = 1;

	reply.ok = ldap_source_find(t->source, t->by, t->value, &reply.staff,
	    &reply.err);
	pthread_mutex_lock(&t->lock);
	t->reply = reply;
	t->state = TALK_DONE;
	pthread_mutex_unlock(&t->lock);
	if (write(t->fd, &one, sizeof(one)) < 0)
		return;		/* it is readable already */
}

static void *
talk(void *arg)
{
	struct dir_talk *t = arg;

	pthread_mutex_lock(&t->lock);
	while (next(t)) {
		pthread_mutex_unlock(&t->lock);
		find(t);
		pthread_mutex_lock(&t->lock);
	}
	t->state = TALK_OVER;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

bool
dir_talk_new(struct ldap_source *source, struct dir_talk **out,
    struct err *err)
{
	struct dir_talk *t = g_new0(struct dir_talk, 1);
	pthread_condattr_t attr;
	int rc;

	t->source = source;
	t->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attr);
	pthread_condattr_destroy(&attr);
	rc = t->fd < 0 ? errno : pthread_create(&t->thread, NULL, talk, t);
	if (rc != 0) {
		ldap_source_free(source);
		if (t->fd >= 0)
			close(t->fd);
		g_free(t);
		return err_set(err, ERR_TEMP, "directory.thread",
		    "cannot start a thread: %s", err_errno(rc));
	}
	*out = t;
	return true;
}

void
dir_talk_ask(struct dir_talk *t, enum ldap_by by, const char *value)
{
	pthread_mutex_lock(&t->lock);
	t->by = by;
	g_free(t->value);
	t->value = g_strdup(value);
	t->state = TALK_ASKED;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

bool
dir_talk_take(struct dir_talk *t, struct dir_reply *out)
{
	uint64_t n;
	bool done;

	if (read(t->fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return false;
	pthread_mutex_lock(&t->lock);
	done = t->state == TALK_DONE;
	if (done) {
		*out = t->reply;
		t->reply = (struct dir_reply){ .staff = NULL };
		t->state = TALK_IDLE;
	}
	pthread_mutex_unlock(&t->lock);
	return done;
}

int
dir_talk_fd(const struct dir_talk *t)
{
	return t->fd;
}

static bool
is_over(struct dir_talk *t)
{
	int64_t until = clock_mono_ms() + STOP_MS;
	bool over;

	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_broadcast(&t->changed);
	while (t->state != TALK_OVER && wait_until(t, until))
		;
	over = t->state == TALK_OVER;
	pthread_mutex_unlock(&t->lock);
	return over;
}

bool
dir_talk_stop(struct dir_talk *t)
{
	if (t == NULL)
		return true;
	ldap_source_cut(t->source);
	if (!is_over(t))
		return false;
	pthread_join(t->thread, NULL);
	directory_staff_free(t->reply.staff);
	ldap_source_free(t->source);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	g_free(t->value);
	close(t->fd);
	g_free(t);
	return true;
}
