/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads of one relay or Maildir. A worker runs sessions: it takes
 * jobs from the queue as long as there are any and the relay is up, and puts
 * each finished job into the results. It never touches the store, and never
 * decides about a mail's fate.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "deliver_int.h"
#include "err.h"
#include "log.h"

/* A worker whose session failed while others go on rests this long. */
#define REST_MS 1000

void
dlv_job_free(struct dlv_job *job)
{
	if (job == NULL)
		return;
	g_free(job->message_id);
	g_free(job->envelope_from);
	g_free(job->envelope_to);
	dlv_file_close(job);
	g_free(job->file);
	g_bytes_unref(job->bytes);
	g_free(job);
}

/* ---- in the workers --------------------------------------------------------- */

static void
wait_on(struct dlv_outlet *o, int64_t until_mono_ms)
{
	struct timespec ts = { .tv_sec = until_mono_ms / 1000,
		.tv_nsec = until_mono_ms % 1000 * 1000000 };

	pthread_cond_timedwait(&o->cond, &o->lock, &ts);
}

/*
 * Large mails take minutes each: half of the sessions stay free for the small
 * ones that come after them.
 */
static bool
is_too_many(const struct dlv_outlet *o, const struct dlv_job *job)
{
	return job->file != NULL && o->large >= MAX(o->workers / 2, 1);
}

/* Under the lock: the job that this worker may take now, or NULL. */
static GList *
find_job(const struct dlv_outlet *o, bool prober)
{
	GList *l = o->ready.head;

	if (o->state != DLV_UP && !(o->state == DLV_PROBE && prober))
		return NULL;
	while (l != NULL && is_too_many(o, l->data))
		l = l->next;
	return l;
}

struct session {
	struct dlv_outlet *outlet;
	bool prober;
};

static struct dlv_job *
take_job(struct session *s, int64_t until)
{
	struct dlv_outlet *o = s->outlet;
	struct dlv_job *job = NULL;
	GList *l;

	pthread_mutex_lock(&o->lock);
	while (!o->stopping && o->state != DLV_PAUSED) {
		l = find_job(o, s->prober);
		if (l != NULL) {
			job = l->data;
			g_queue_delete_link(&o->ready, l);
			o->large += job->file != NULL;
			break;
		}
		if (clock_mono_ms() >= until)
			break;
		wait_on(o, until);
	}
	pthread_mutex_unlock(&o->lock);
	return job;
}

static void
signal_results(struct dlv_results *r)
{
	uint64_t one = 1;

	while (write(r->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void
mail_done(void *arg, const struct deliver_mail *mail,
    const struct deliver_report *report)
{
	struct session *s = arg;
	struct dlv_outlet *o = s->outlet;
	struct dlv_results *r = o->results;
	struct dlv_job *job = mail->ref;
	bool low, tell;

	job->report = *report;
	pthread_mutex_lock(&o->lock);
	low = o->ready.length <= o->low_mark;
	if (job->file != NULL) {
		o->large--;
		pthread_cond_broadcast(&o->cond);
	}
	pthread_mutex_unlock(&o->lock);
	pthread_mutex_lock(&r->lock);
	g_queue_push_tail(&r->jobs, job);
	/*
	 * While the workers have enough to do results may gather: one commit
	 * for many. The main thread looks by itself at least once a second.
	 */
	tell = low && !r->told;
	r->told |= tell;
	pthread_mutex_unlock(&r->lock);
	if (tell)
		signal_results(r);
}

/* A mail whose file cannot be used is reported here, and another taken. */
static const struct deliver_mail *
next_mail(void *arg, int64_t wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;
	struct deliver_report report;
	struct dlv_job *job;

	while ((job = take_job(arg, until)) != NULL) {
		job->started_ms = clock_mono_ms();
		if (dlv_file_open(job, &report))
			return &job->mail;
		mail_done(arg, &job->mail, &report);
	}
	return NULL;
}

static bool
run_session(struct dlv_outlet *o, bool prober, struct err *err)
{
	struct session s = { .outlet = o, .prober = prober };
	struct deliver_feed feed = { .next = next_mail, .done = mail_done,
		.arg = &s };

	if (o->maildir != NULL)
		return deliver_maildir_session(o->maildir, &feed, err);
	return deliver_smtp_session(&o->relay, &feed, err);
}

static void
keep_fault(struct dlv_outlet *o, const struct err *err)
{
	pthread_mutex_lock(&o->lock);
	snprintf(o->fault, sizeof(o->fault), "%s", err->text);
	o->has_fault = true;
	pthread_mutex_unlock(&o->lock);
	signal_results(o->results);
}

/* Under the lock; false: time to end. */
static bool
wait_for_work(struct dlv_outlet *o, bool *prober)
{
	while (!o->stopping) {
		*prober = o->state == DLV_PROBE && !o->probing;
		if (find_job(o, *prober) != NULL) {
			o->probing |= *prober;
			return true;
		}
		wait_on(o, clock_mono_ms() + 60000);
	}
	return false;
}

static void *
worker(void *arg)
{
	struct dlv_outlet *o = arg;
	bool prober;

	pthread_mutex_lock(&o->lock);
	while (wait_for_work(o, &prober)) {
		struct err err = ERR_INIT;
		bool ok;

		pthread_mutex_unlock(&o->lock);
		ok = run_session(o, prober, &err);
		if (!ok)
			keep_fault(o, &err);
		pthread_mutex_lock(&o->lock);
		if (prober)
			o->probing = false;
		if (!ok && !o->stopping)
			wait_on(o, clock_mono_ms() + REST_MS);
	}
	o->alive--;
	pthread_mutex_unlock(&o->lock);
	signal_results(o->results);
	return NULL;
}

/* ---- from the main thread ------------------------------------------------------ */

static void
init_sync(struct dlv_outlet *o)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->cond, &attr);
	pthread_condattr_destroy(&attr);
	g_queue_init(&o->ready);
}

bool
dlv_outlet_start(struct dlv_outlet *o, struct err *err)
{
	init_sync(o);
	o->workers = o->conf != NULL ? (int)o->conf->sessions : 1;
	o->low_mark = (guint)o->workers * DLV_WINDOW_PER_SESSION / 2;
	o->threads = g_new0(pthread_t, (gsize)o->workers);
	for (int i = 0; i < o->workers; i++) {
		int rc;

		o->alive++;
		rc = pthread_create(&o->threads[i], NULL, worker, o);
		if (rc != 0) {
			o->alive--;
			o->workers = i;
			return err_set(err, ERR_TEMP, "deliver.thread",
			    "cannot start a thread: %s", err_errno(rc));
		}
	}
	return true;
}

void
dlv_outlet_put(struct dlv_outlet *o, struct dlv_job *job, bool front)
{
	pthread_mutex_lock(&o->lock);
	if (front)
		g_queue_push_head(&o->ready, job);
	else
		g_queue_push_tail(&o->ready, job);
	pthread_cond_signal(&o->cond);
	pthread_mutex_unlock(&o->lock);
}

void
dlv_outlet_stop(struct dlv_outlet *o)
{
	pthread_mutex_lock(&o->lock);
	o->stopping = true;
	pthread_cond_broadcast(&o->cond);
	pthread_mutex_unlock(&o->lock);
}

bool
dlv_outlet_is_idle(struct dlv_outlet *o)
{
	bool idle;

	pthread_mutex_lock(&o->lock);
	idle = o->alive == 0;
	pthread_mutex_unlock(&o->lock);
	return idle;
}

static void
free_job(gpointer p)
{
	dlv_job_free(p);
}

void
dlv_outlet_clear(struct dlv_outlet *o)
{
	if (o->threads == NULL)
		return;
	dlv_outlet_stop(o);
	for (int i = 0; i < o->workers; i++)
		pthread_join(o->threads[i], NULL);
	g_clear_pointer(&o->threads, g_free);
	g_queue_clear_full(&o->ready, free_job);
	g_clear_pointer(&o->password, g_bytes_unref);
	pthread_cond_destroy(&o->cond);
	pthread_mutex_destroy(&o->lock);
}

bool
dlv_outlet_fault(struct dlv_outlet *o, char *text, size_t size)
{
	bool has;

	pthread_mutex_lock(&o->lock);
	has = o->has_fault;
	o->has_fault = false;
	if (has)
		snprintf(text, size, "%s", o->fault);
	pthread_mutex_unlock(&o->lock);
	return has;
}

void
dlv_outlet_set(struct dlv_outlet *o, enum dlv_state state)
{
	pthread_mutex_lock(&o->lock);
	o->state = state;
	pthread_cond_broadcast(&o->cond);
	pthread_mutex_unlock(&o->lock);
}

bool
dlv_outlet_has_room(struct dlv_outlet *o)
{
	bool room;

	pthread_mutex_lock(&o->lock);
	room = o->state != DLV_PAUSED;
	pthread_mutex_unlock(&o->lock);
	return room;
}
