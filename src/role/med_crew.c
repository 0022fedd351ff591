/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The media role's workers: each takes a job, tries it once and gives it
 * back. They know neither the store nor the log.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "med_int.h"

/* ---- jobs --------------------------------------------------------------------- */

struct med_job *
med_job_new(const struct store_want *want, const struct store_fetch *fetch)
{
	struct med_job *j = g_new0(struct med_job, 1);
	const char *from[] = { want->media_id, want->url, want->mime_type,
		want->sha256, want->business };

	for (size_t i = 0; i < G_N_ELEMENTS(from); i++)
		j->strings[i] = g_strdup(from[i]);
	j->want = (struct media_want){ .number = want->id,
		.id = j->strings[0], .url = j->strings[1],
		.mime_type = j->strings[2], .sha256 = j->strings[3],
		.phone_number_id = j->strings[4],
		/* A history has old messages, but new ids. */
		.at_ms = MAX(want->at_ms, want->wanted_ms),
		.attempts = fetch->attempts, .first_ms = fetch->first_ms };
	j->fetch = (struct store_fetch){ .want_id = want->id,
		.attempts = fetch->attempts, .deaths = fetch->deaths,
		.first_ms = fetch->first_ms };
	j->turn_id = want->turn_id;
	return j;
}

void
med_job_free(void *job)
{
	struct med_job *j = job;

	if (j == NULL)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(j->strings); i++)
		g_free(j->strings[i]);
	media_result_clear(&j->result);
	g_free(j);
}

/* ---- queues --------------------------------------------------------------------- */

void
med_crew_put(struct med_crew *crew, struct med_job *job)
{
	pthread_mutex_lock(&crew->lock);
	g_queue_push_tail(&crew->ready, job);
	pthread_cond_signal(&crew->cond);
	pthread_mutex_unlock(&crew->lock);
}

struct med_job *
med_crew_take(struct med_crew *crew)
{
	struct med_job *job;
	uint64_t count;

	/* It is readable again when one is put from now on. */
	if (read(crew->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return NULL;
	pthread_mutex_lock(&crew->lock);
	job = g_queue_pop_head(&crew->done);
	pthread_mutex_unlock(&crew->lock);
	return job;
}

/* Waits for one; NULL: the crew stops and nothing is left to do. */
static struct med_job *
next_job(struct med_crew *crew)
{
	struct med_job *job;

	pthread_mutex_lock(&crew->lock);
	while ((job = g_queue_pop_head(&crew->ready)) == NULL &&
	    !crew->stopping)
		pthread_cond_wait(&crew->cond, &crew->lock);
	pthread_mutex_unlock(&crew->lock);
	return job;
}

static void
give_back(struct med_crew *crew, struct med_job *job)
{
	uint64_t one = 1;

	pthread_mutex_lock(&crew->lock);
	g_queue_push_tail(&crew->done, job);
	pthread_mutex_unlock(&crew->lock);
	if (write(crew->fd, &one, sizeof(one)) < 0)
		return;		/* it is readable already */
}

static void *
work(void *arg)
{
	struct med_crew *crew = arg;
	struct med_job *job;

	while ((job = next_job(crew)) != NULL) {
		job->started_ms = clock_mono_ms();
		media_fetch(crew->media, &job->want, clock_now_ms(),
		    &job->result);
		give_back(crew, job);
	}
	return NULL;
}

/* ---- start and stop ----------------------------------------------------------------- */

bool
med_crew_start(struct med_crew *crew, struct media *m, int count,
    struct err *err)
{
	int rc;

	crew->media = m;
	crew->threads = g_new0(pthread_t, (gsize)count);
	for (int i = 0; i < count; i++) {
		rc = pthread_create(&crew->threads[i], NULL, work, crew);
		if (rc != 0)
			return err_set(err, ERR_TEMP, "media.thread",
			    "cannot start a thread: %s", err_errno(rc));
		crew->alive++;
	}
	return true;
}

void
med_crew_hasten(struct med_crew *crew, struct media *m)
{
	media_cancel(m);
	pthread_mutex_lock(&crew->lock);
	crew->stopping = true;
	pthread_cond_broadcast(&crew->cond);
	pthread_mutex_unlock(&crew->lock);
}

void
med_crew_join(struct med_crew *crew)
{
	for (int i = 0; i < crew->alive; i++)
		pthread_join(crew->threads[i], NULL);
	g_clear_pointer(&crew->threads, g_free);
	crew->alive = 0;
}
