/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many requests at once, over connections that stay open, in one thread: the
 * queue, the slots, and the end. That nothing is sent twice is the matter of
 * graph_slot.c. Nothing is kept of a request after done() was called for it,
 * and done() is called once for each, whatever happens.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "err.h"
#include "graph_curl.h"
#include "graph_slot.h"
#include "graph_socket.h"

#define LOOK_MS 20		/* between two looks at what waits */
#define SLEEP_MS 200		/* graph_cancel() wakes nobody */

struct graph_pool {
	struct graph_shared shared;
	struct graph_slot *slots;
	int n_slots;
	GPtrArray *idle;	/* struct graph_slot * */
	int64_t next_look_ms;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* guarded by lock */
	GQueue waiting;		/* struct graph_job * */
	size_t outstanding;	/* taken, and done() not yet over */
	bool asleep, stopping, cut, quit;
};

/* ---- how it ended --------------------------------------------------------------------- */

/* done() may submit: the lock is not held. */
static void
tell(struct graph_pool *p, struct graph_job *j,
    const struct graph_reply *reply)
{
	j->rq.done(j->rq.arg, reply);
	graph_job_free(j);
	pthread_mutex_lock(&p->lock);
	p->outstanding--;
	if (p->outstanding == 0)
		pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void
tell_not_sent(struct graph_pool *p, struct graph_job *j, const struct err *why)
{
	static const char *const no_headers[] = { NULL };
	const struct graph_reply reply = { .fate = GRAPH_NOT_SENT,
		.headers = no_headers, .why = why };

	tell(p, j, &reply);
}

/* The easy handle has been taken from the multi: its connection is free. */
static void
finish(struct graph_pool *p, struct graph_slot *s, CURLcode res,
    const struct err *cut)
{
	struct graph_reply reply;

	graph_slot_end(s, res, cut, &reply);
	tell(p, s->job, &reply);
	graph_slot_forget(s);
	g_ptr_array_add(p->idle, s);
}

/* ---- the thread ------------------------------------------------------------------------ */

static void
reap(struct graph_pool *p)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(p->shared.multi, &left)) != NULL) {
		CURLcode res = msg->data.result;
		CURL *easy = msg->easy_handle;
		struct graph_slot *s;
		char *arg = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &arg);
		s = (struct graph_slot *)(void *)arg;
		curl_multi_remove_handle(p->shared.multi, easy);
		if (!graph_slot_try_another(s))
			finish(p, s, res, NULL);
	}
}

static struct graph_job *
next_waiting(struct graph_pool *p)
{
	struct graph_job *j;

	pthread_mutex_lock(&p->lock);
	j = g_queue_pop_head(&p->waiting);
	pthread_mutex_unlock(&p->lock);
	return j;
}

static bool
is_hopeless(struct graph_job *j, int64_t now)
{
	if (j->refused.kind == ERR_NONE && j->until_ms <= now)
		err_set(&j->refused, ERR_TEMP, "graph.deadline",
		    "not sent in time: all connections to Graph are in use");
	return j->refused.kind != ERR_NONE;
}

static void
start_some(struct graph_pool *p, int64_t now)
{
	static const struct err none = { ERR_TEMP, "graph.network",
		"libcurl gave no handle" };
	struct graph_job *j;

	while (p->idle->len > 0 && (j = next_waiting(p)) != NULL) {
		struct graph_slot *s;

		if (is_hopeless(j, now)) {
			tell_not_sent(p, j, &j->refused);
			continue;
		}
		s = g_ptr_array_steal_index(p->idle, p->idle->len - 1);
		if (graph_slot_begin(s, j, now))
			continue;
		graph_slot_forget(s);
		g_ptr_array_add(p->idle, s);
		tell_not_sent(p, j, &none);
	}
}

/* What need not wait any longer, taken out of the queue. */
static GPtrArray *
take_hopeless(struct graph_pool *p, int64_t now)
{
	GPtrArray *out = g_ptr_array_new();

	pthread_mutex_lock(&p->lock);
	for (GList *l = p->waiting.head, *next; l != NULL; l = next) {
		next = l->next;
		if (!is_hopeless(l->data, now))
			continue;
		g_ptr_array_add(out, l->data);
		g_queue_delete_link(&p->waiting, l);
	}
	pthread_mutex_unlock(&p->lock);
	return out;
}

static void
drop_hopeless(struct graph_pool *p, int64_t now)
{
	g_autoptr(GPtrArray) jobs = NULL;

	if (now < p->next_look_ms)
		return;
	p->next_look_ms = now + LOOK_MS;
	jobs = take_hopeless(p, now);
	for (guint i = 0; i < jobs->len; i++) {
		struct graph_job *j = jobs->pdata[i];

		tell_not_sent(p, j, &j->refused);
	}
}

static void
cut_all(struct graph_pool *p)
{
	static const struct err stopped = { ERR_TEMP, "graph.stopped",
		"stopped before Graph had answered" };
	struct graph_job *j;

	for (int i = 0; i < p->n_slots; i++) {
		struct graph_slot *s = &p->slots[i];

		if (s->job == NULL)
			continue;
		curl_multi_remove_handle(p->shared.multi, s->easy);
		finish(p, s, CURLE_ABORTED_BY_CALLBACK, &stopped);
	}
	while ((j = next_waiting(p)) != NULL)
		tell_not_sent(p, j, &stopped);
}

/* How long there is nothing to do; whoever changes that wakes us. */
static int
fall_asleep(struct graph_pool *p, bool *quit, bool *cut)
{
	bool idle = p->idle->len > 0;
	int ms = SLEEP_MS;

	pthread_mutex_lock(&p->lock);
	if (!g_queue_is_empty(&p->waiting))
		ms = idle ? 0 : LOOK_MS;
	*quit = p->quit;
	*cut = p->cut;
	p->asleep = ms > 0;
	pthread_mutex_unlock(&p->lock);
	return *quit ? 0 : ms;
}

static void
wake_up(struct graph_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->asleep = false;
	pthread_mutex_unlock(&p->lock);
}

/* A write to a connection that has been closed must not end the process. */
static void
block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *
work(void *arg)
{
	struct graph_pool *p = arg;
	bool quit = false, cut = false;
	int running, ms;

	block_sigpipe();
	while (!quit) {
		int64_t now = clock_mono_ms();

		if (cut || graph_is_cancelled(p->shared.g))
			cut_all(p);
		else
			start_some(p, now);
		drop_hopeless(p, now);
		curl_multi_perform(p->shared.multi, &running);
		reap(p);
		ms = fall_asleep(p, &quit, &cut);
		if (ms > 0)
			curl_multi_poll(p->shared.multi, NULL, 0, ms, NULL);
		wake_up(p);
	}
	return NULL;
}

/* ---- from other threads ------------------------------------------------------------------ */

static void
init_locks(struct graph_pool *p)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void
init_slots(struct graph_pool *p, int connections)
{
	p->n_slots = connections;
	p->slots = g_new0(struct graph_slot, (gsize)connections);
	p->idle = g_ptr_array_sized_new((guint)connections);
	p->shared.sockets = g_array_new(FALSE, FALSE, sizeof(struct graph_socket));
	for (int i = connections; i-- > 0;) {
		p->slots[i].shared = &p->shared;
		g_ptr_array_add(p->idle, &p->slots[i]);
	}
}

static bool
init_curl(struct graph_pool *p, int connections, struct err *err)
{
	p->shared.multi = curl_multi_init();
	/* Else a long body waits for leave to be sent (RFC 9110, 10.1.1). */
	p->shared.headers = curl_slist_append(NULL, "Expect:");
	if (p->shared.multi == NULL || p->shared.headers == NULL)
		return err_set(err, ERR_TEMP, "graph.conf",
		    "graph: out of memory");
	p->shared.headers->next = graph_headers(p->shared.g);
	curl_multi_setopt(p->shared.multi, CURLMOPT_PIPELINING,
	    (long)CURLPIPE_NOTHING);
	curl_multi_setopt(p->shared.multi, CURLMOPT_MAXCONNECTS, (long)connections);
	return true;
}

bool
graph_pool_new(struct graph *g, int connections, struct graph_pool **out,
    struct err *err)
{
	struct graph_pool *p = g_new0(struct graph_pool, 1);
	int e;

	p->shared.g = g;
	init_locks(p);
	g_queue_init(&p->waiting);
	init_slots(p, MAX(connections, 1));
	if (!init_curl(p, p->n_slots, err)) {
		graph_pool_free(p);
		return false;
	}
	e = pthread_create(&p->thread, NULL, work, p);
	if (e != 0) {
		graph_pool_free(p);
		return err_set(err, ERR_TEMP, "graph.conf",
		    "graph: cannot start a thread: %s", err_errno(e));
	}
	p->runs = true;
	*out = p;
	return true;
}

void
graph_pool_submit(struct graph_pool *p, const struct graph_request *rq)
{
	struct graph_job *j = graph_job_new(rq);
	bool wake;

	pthread_mutex_lock(&p->lock);
	if (p->stopping && j->refused.kind == ERR_NONE)
		err_set(&j->refused, ERR_TEMP, "graph.stopped",
		    "nothing is sent to Graph any more: stopping");
	g_queue_push_tail(&p->waiting, j);
	p->outstanding++;
	wake = p->asleep;
	p->asleep = false;
	pthread_mutex_unlock(&p->lock);
	if (wake)
		curl_multi_wakeup(p->shared.multi);
}

/* With the lock held; false at the end of the time. */
static bool
wait_for_all(struct graph_pool *p, int64_t until_ms)
{
	const struct timespec until = {
		.tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000L,
	};

	while (p->outstanding > 0)
		if (pthread_cond_timedwait(&p->changed, &p->lock,
		    &until) != 0)
			return p->outstanding == 0;
	return true;
}

void
graph_pool_stop(struct graph_pool *p, int64_t timeout_ms)
{
	int64_t until_ms = clock_mono_ms() + MAX(timeout_ms, 0);

	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	if (!wait_for_all(p, until_ms)) {
		p->cut = true;
		curl_multi_wakeup(p->shared.multi);
		while (p->outstanding > 0)
			pthread_cond_wait(&p->changed, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
}

static void
end_thread(struct graph_pool *p)
{
	if (!p->runs)
		return;
	graph_pool_stop(p, 0);
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_mutex_unlock(&p->lock);
	curl_multi_wakeup(p->shared.multi);
	pthread_join(p->thread, NULL);
}

void
graph_pool_free(struct graph_pool *p)
{
	if (p == NULL)
		return;
	end_thread(p);
	for (int i = 0; i < p->n_slots; i++)
		graph_slot_close(&p->slots[i]);
	curl_multi_cleanup(p->shared.multi);
	if (p->shared.headers != NULL)
		p->shared.headers->next = NULL;	/* the token is not ours */
	curl_slist_free_all(p->shared.headers);
	g_ptr_array_unref(p->idle);
	g_array_unref(p->shared.sockets);
	g_free(p->slots);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	g_free(p);
}
