/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of mails: the workers' reports become outcomes in the store, a
 * batch in one transaction, and are told to the log once they are true. When
 * the store fails they are kept and tried again; a mail whose outcome is lost
 * with the process is sent again, with the same bytes.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "deliver_int.h"
#include "err.h"
#include "log.h"
#include "text.h"

static void
set_outcome(struct dlv *d, const struct dlv_job *job,
    enum store_outcome_state state, int64_t now, int64_t next)
{
	struct store_outcome o = {
		.mail_id = job->mail.id, .journal = job->journal->conf->name,
		.state = state, .attempts = job->attempts + 1,
		.first_ms = job->first_ms > 0 ? job->first_ms : now,
		.last_ms = now, .next_ms = next, .code = job->report.code,
		.reply = job->report.reply,
	};

	store_outcome_set(d->store, &o);
	if (state != STORE_SENT)
		store_attempt_add(d->store, job->mail.id, now,
		    deliver_result_name(job->report.result),
		    job->report.code, job->report.reply);
}

static int64_t
next_try(const struct dlv_job *job, int64_t now)
{
	struct deliver_schedule s = dlv_outlet_schedule(job->journal->outlet);

	return deliver_next_ms(&s, (int)job->attempts + 1,
	    (uint64_t)job->mail.id * 2654435761u + (uint64_t)job->attempts,
	    now);
}

/* Writes the outcome of one job into the open transaction. */
static void
write_outcome(struct dlv *d, const struct dlv_job *job, int64_t now)
{
	int64_t next;

	switch (job->report.result) {
	case DELIVER_ACCEPTED:
		set_outcome(d, job, STORE_SENT, now, 0);
		break;
	case DELIVER_REJECTED:
		set_outcome(d, job, STORE_FAILED, now, 0);
		break;
	case DELIVER_DEFERRED:
	case DELIVER_UNSURE:
		next = next_try(job, now);
		set_outcome(d, job, STORE_DEFERRED, now, next);
		job->journal->next_due_ms = MIN(job->journal->next_due_ms,
		    next);
		break;
	case DELIVER_UNTRIED:
	case DELIVER_RELAY:
		break;
	}
}

static void
tell_outcome(const struct dlv_job *job)
{
	g_autofree char *reply = text_log_quote(job->report.reply);
	const char *journal = job->journal->conf->name;
	int64_t id = job->mail.id, n = job->attempts + 1;

	switch (job->report.result) {
	case DELIVER_ACCEPTED:
		log_info("mail.sent", "mail=%" PRId64 " mid=%s journal=%s"
		    " attempts=%" PRId64 " ms=%" PRId64 " reply=%s", id,
		    job->message_id, journal, n,
		    clock_mono_ms() - job->started_ms, reply);
		break;
	case DELIVER_DEFERRED:
		log_warn("mail.deferred", "mail=%" PRId64 " mid=%s"
		    " journal=%s attempts=%" PRId64 " reply=%s", id,
		    job->message_id, journal, n, reply);
		break;
	case DELIVER_UNSURE:
		log_warn("mail.unsure", "mail=%" PRId64 " mid=%s"
		    " journal=%s attempts=%" PRId64 " reply=%s", id,
		    job->message_id, journal, n, reply);
		break;
	case DELIVER_REJECTED:
		log_error("mail.failed", "mail=%" PRId64 " mid=%s"
		    " journal=%s attempts=%" PRId64 " reply=%s", id,
		    job->message_id, journal, n, reply);
		break;
	case DELIVER_UNTRIED:
	case DELIVER_RELAY:
		break;
	}
}

void
dlv_results_collect(struct dlv *d)
{
	struct dlv_job *job;
	uint64_t n;

	if (read(d->results.fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_error("role.failed", "name=deliver what=eventfd");
	pthread_mutex_lock(&d->results.lock);
	d->results.told = false;
	while ((job = g_queue_pop_head(&d->results.jobs)) != NULL)
		g_queue_push_tail(&d->landed, job);
	pthread_mutex_unlock(&d->results.lock);
}

/* Mails that nobody is to blame for go back to the head of their queue. */
void
dlv_results_return(struct dlv *d)
{
	GList *l = d->landed.head;

	while (l != NULL) {
		GList *next = l->next;
		struct dlv_job *job = l->data;
		struct dlv_outlet *o = job->journal->outlet;

		if (job->report.result == DELIVER_RELAY ||
		    job->report.result == DELIVER_UNTRIED) {
			g_queue_delete_link(&d->landed, l);
			if (job->report.result == DELIVER_RELAY) {
				if (o->state == DLV_PROBE)
					o->state = DLV_UP;
				o->last_ok_ms = 0;
				dlv_relay_down(d, o, job->report.reply);
			}
			dlv_outlet_put(o, job, true);
		} else if (job->report.code > 0 ||
		    job->report.result == DELIVER_ACCEPTED) {
			dlv_relay_alive(d, o);
		}
		l = next;
	}
}

bool
dlv_results_commit(struct dlv *d, struct err *err)
{
	int64_t now = clock_now_ms();
	struct dlv_job *job;

	if (g_queue_is_empty(&d->landed))
		return true;
	store_begin(d->store);
	for (GList *l = d->landed.head; l != NULL; l = l->next) {
		job = l->data;
		write_outcome(d, job, now);
		dlv_journal_landed(job->journal, job);
	}
	for (guint i = 0; i < d->journals->len; i++)
		dlv_journal_mark(d->journals->pdata[i], d->store);
	if (!store_commit(d->store, err)) {
		for (GList *l = d->landed.head; l != NULL; l = l->next) {
			job = l->data;
			dlv_journal_aloft(job->journal, job);
			job->journal->done_stored = -1;
		}
		return false;
	}
	while ((job = g_queue_pop_head(&d->landed)) != NULL) {
		tell_outcome(job);
		dlv_job_free(job);
	}
	return true;
}
