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

#define WORKERS 4

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
gw_job_put(struct gw *g, struct gw_job *job)
{
	pthread_mutex_lock(&g->lock);
	g_queue_push_tail(&g->jobs, job);
	pthread_cond_signal(&g->work);
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
next_job(struct gw *g)
{
	struct gw_job *job;

	pthread_mutex_lock(&g->lock);
	while ((job = g_queue_pop_head(&g->jobs)) == NULL && !g->stopping)
		pthread_cond_wait(&g->work, &g->lock);
	pthread_mutex_unlock(&g->lock);
	return job;
}

static void *
work_jobs(void *arg)
{
	struct gw *g = arg;
	struct gw_job *job;

	while ((job = next_job(g)) != NULL) {
		job->run(g, job);
		gw_put(g, &g->jobs_done, job);
	}
	return NULL;
}

void
gw_workers_stop(struct gw *g)
{
	pthread_mutex_lock(&g->lock);
	g->stopping = true;
	pthread_cond_broadcast(&g->work);
	pthread_mutex_unlock(&g->lock);
	for (int i = 0; i < g->n_workers; i++)
		pthread_join(g->workers[i], NULL);
	g->n_workers = 0;
}

bool
gw_workers_start(struct gw *g, struct err *err)
{
	int rc;

	g->workers = g_new0(pthread_t, WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		rc = pthread_create(&g->workers[i], NULL, work_jobs, g);
		if (rc != 0)
			return err_set(err, ERR_TEMP, "gateway.thread",
			    "cannot start a thread: %s", err_errno(rc));
		g->n_workers++;
	}
	return true;
}
