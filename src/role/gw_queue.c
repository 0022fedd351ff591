/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the threads of the gateway hand each other: requests, replies and jobs.
 * The main thread sleeps on an eventfd; workers do what may block, beside it.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "err.h"
#include "gw_int.h"

/* Threads of each kind of work. */
static const int crew_size[GW_WORKS] = { [GW_WORK_TEMPLATE] = 2,
	[GW_WORK_UPLOAD] = 4, [GW_WORK_FETCH] = 4 };

/* ---- queues ---------------------------------------------------------------- */

static void
wake(struct gw *g)
{
	uint64_t one = 1;

	while (write(g->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void
gw_put(struct gw *g, GQueue *queue, void *element)
{
	bool first;

	pthread_mutex_lock(&g->lock);
	first = g_queue_is_empty(queue);
	g_queue_push_tail(queue, element);
	pthread_mutex_unlock(&g->lock);
	if (first)
		wake(g);
}

void *
gw_get(struct gw *g, GQueue *queue)
{
	void *element;

	pthread_mutex_lock(&g->lock);
	element = g_queue_pop_head(queue);
	pthread_mutex_unlock(&g->lock);
	return element;
}

/* ---- workers --------------------------------------------------------------- */

void
gw_crews_init(struct gw *g)
{
	for (int i = 0; i < GW_WORKS; i++) {
		g->crews[i].gw = g;
		g_queue_init(&g->crews[i].jobs);
		pthread_cond_init(&g->crews[i].work, NULL);
	}
}

void
gw_crews_clear(struct gw *g)
{
	for (int i = 0; i < GW_WORKS; i++)
		pthread_cond_destroy(&g->crews[i].work);
	g_free(g->workers);
}

void
gw_job_put(struct gw *g, enum gw_work kind, struct gw_job *job)
{
	struct gw_crew *c = &g->crews[kind];

	pthread_mutex_lock(&g->lock);
	g_queue_push_tail(&c->jobs, job);
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&g->lock);
}

void
gw_job_free(struct gw_job *job)
{
	g_free(job->account);
	g_free(job->name);
	g_free(job->language);
	g_free(job->json);
	g_free(job->media_id);
	g_free(job->number);
	g_free(job->path);
	g_free(job->file_name);
	g_free(job->type);
	g_free(job->verdict);
	g_free(job->why);
	if (job->fd >= 0)
		close(job->fd);
	g_free(job);
}

static struct gw_job *
next_job(struct gw_crew *c)
{
	struct gw *g = c->gw;
	struct gw_job *job;

	pthread_mutex_lock(&g->lock);
	while ((job = g_queue_pop_head(&c->jobs)) == NULL && !g->stopping)
		pthread_cond_wait(&c->work, &g->lock);
	pthread_mutex_unlock(&g->lock);
	return job;
}

static void *
work_jobs(void *arg)
{
	struct gw_crew *c = arg;
	struct gw_job *job;

	while ((job = next_job(c)) != NULL) {
		job->run(c->gw, job);
		gw_put(c->gw, &c->gw->jobs_done, job);
	}
	return NULL;
}

void
gw_workers_stop(struct gw *g)
{
	pthread_mutex_lock(&g->lock);
	g->stopping = true;
	for (int i = 0; i < GW_WORKS; i++)
		pthread_cond_broadcast(&g->crews[i].work);
	pthread_mutex_unlock(&g->lock);
	for (int i = 0; i < g->n_workers; i++)
		pthread_join(g->workers[i], NULL);
	g->n_workers = 0;
}

static bool
start_crew(struct gw *g, enum gw_work kind, struct err *err)
{
	for (int i = 0; i < crew_size[kind]; i++) {
		int rc = pthread_create(&g->workers[g->n_workers], NULL,
		    work_jobs, &g->crews[kind]);

		if (rc != 0)
			return err_set(err, ERR_TEMP, "gateway.thread",
			    "cannot start a thread: %s", err_errno(rc));
		g->n_workers++;
	}
	return true;
}

bool
gw_workers_start(struct gw *g, struct err *err)
{
	int n = 0;

	for (int i = 0; i < GW_WORKS; i++)
		n += crew_size[i];
	g->workers = g_new0(pthread_t, n);
	for (int i = 0; i < GW_WORKS; i++) {
		if (!start_crew(g, (enum gw_work)i, err))
			return false;
	}
	return true;
}
