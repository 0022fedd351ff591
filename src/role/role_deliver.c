/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deliver role: finished mails to their journals, results to the store.
 *
 * The main thread is the only one that uses the store: it fetches mails,
 * commits claims, hands them to the outlets' workers and commits what became
 * of them. A mail is never dropped: what a relay refuses for now is deferred
 * for ever, what it refuses for good waits for a person, and a relay that is
 * itself at fault is paused while its mail stays where it is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "deliver_int.h"
#include "err.h"
#include "io.h"
#include "log.h"
#include "role.h"
#include "role_int.h"
#include "text.h"

#define SECRET_MAX 4096
#define WARN_EVERY_MS 60000
/* A relay that took a mail this recently is not paused for one session. */
#define ALIVE_MS 2000
/* A busy wait is avoided by at least this sleep. */
#define NAP_MS 50

struct dlv {
	const struct conf *conf;
	struct store *store;
	struct dlv_results results;
	GPtrArray *outlets;	/* struct dlv_outlet * */
	GPtrArray *journals;	/* struct dlv_journal * */
	GQueue landed;		/* jobs whose outcome is not committed yet */
	int64_t action_id, next_action_ms;
};

/* ---- set-up ------------------------------------------------------------------- */

static struct dlv_outlet *
outlet_named(struct dlv *d, const char *name, bool maildir)
{
	struct dlv_outlet *o;

	for (guint i = 0; i < d->outlets->len; i++) {
		o = d->outlets->pdata[i];
		if ((o->maildir != NULL) == maildir &&
		    strcmp(o->name, name) == 0)
			return o;
	}
	o = g_new0(struct dlv_outlet, 1);
	o->name = name;
	o->results = &d->results;
	g_ptr_array_add(d->outlets, o);
	return o;
}

static bool
set_relay(struct dlv *d, struct dlv_outlet *o, const struct conf_relay *r,
    struct err *err)
{
	bool shared = o->conf != NULL;

	o->conf = r;
	if (r->password_file != NULL && o->password == NULL &&
	    !io_secret_load(r->password_file, SECRET_MAX, &o->password, err))
		return false;
	o->relay = (struct deliver_relay){
		.name = r->name, .host = r->host, .port = (int)r->port,
		.tls = r->tls, .tls_ca_file = r->tls_ca_file,
		.user = r->user, .password = o->password, .helo = r->helo,
		.trusted = d->conf->trusted_networks,
		.connect_ms = r->connect_ms, .command_ms = r->command_ms,
		.total_ms = r->total_ms, .linger_ms = r->linger_ms,
		.session_mails = (int)r->session_mails,
		.shared = shared,
	};
	return true;
}

static bool
add_journal(struct dlv *d, const struct conf_journal *cj, struct err *err)
{
	struct dlv_journal *j = g_new0(struct dlv_journal, 1);

	j->conf = cj;
	g_ptr_array_add(d->journals, j);
	if (cj->maildir != NULL) {
		j->outlet = outlet_named(d, cj->name, true);
		j->outlet->maildir = cj->maildir;
		return true;
	}
	j->outlet = outlet_named(d, cj->relay, false);
	return set_relay(d, j->outlet, conf_relay_get(d->conf, cj->relay),
	    err);
}

static void
free_outlet(gpointer p)
{
	dlv_outlet_clear(p);
	g_free(p);
}

static void
free_journal(gpointer p)
{
	dlv_journal_clear(p);
	g_free(p);
}

static bool
set_up(struct dlv *d, struct err *err)
{
	pthread_mutex_init(&d->results.lock, NULL);
	g_queue_init(&d->results.jobs);
	g_queue_init(&d->landed);
	d->outlets = g_ptr_array_new_with_free_func(free_outlet);
	d->journals = g_ptr_array_new_with_free_func(free_journal);
	d->results.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->results.fd < 0)
		return err_set(err, ERR_TEMP, "deliver.eventfd",
		    "cannot make an eventfd: %s", err_errno(errno));
	for (guint i = 0; i < d->conf->journals->len; i++) {
		if (!add_journal(d, d->conf->journals->pdata[i], err))
			return false;
	}
	return true;
}

/*
 * Mails of a journal that the configuration no longer knows wait for ever:
 * somebody must be told, at each start.
 */
static void
warn_orphans(struct dlv *d)
{
	struct store_status s = { 0 };
	struct err err = ERR_INIT;

	if (!store_status(d->store, &s, &err)) {
		log_err(LOG_LEVEL_WARN, "deliver.retry", &err, "what=status");
		return;
	}
	for (guint i = 0; i < s.journals->len; i++) {
		const struct store_journal_status *j = &g_array_index(
		    s.journals, struct store_journal_status, i);

		if (j->pending + j->deferred > 0 &&
		    conf_journal_get(d->conf, j->journal) == NULL)
			log_warn("journal.unknown", "journal=%s waiting=%"
			    PRId64, j->journal, j->pending + j->deferred);
	}
	store_status_clear(&s);
}

static void store_relay(struct dlv *d, const struct dlv_outlet *o, bool up,
    const char *reason);

static bool
start_outlets(struct dlv *d, struct err *err)
{
	for (guint i = 0; i < d->outlets->len; i++) {
		struct dlv_outlet *o = d->outlets->pdata[i];

		if (!dlv_outlet_start(o, err))
			return false;
		o->since_ms = clock_now_ms();
		store_relay(d, o, true, "");
	}
	return true;
}

static bool
start(struct dlv *d, struct err *err)
{
	int64_t now = clock_now_ms();

	deliver_init();
	if (!set_up(d, err) ||
	    !role_enter(PROC_DELIVER, PROC_STORE_FILES | PROC_CONNECT |
	    PROC_THREADS, d->conf, &d->store, err) ||
	    !store_cursor_get(d->store, STORE_DELIVER, "admin",
	    &d->action_id, err))
		return false;
	for (guint i = 0; i < d->journals->len; i++) {
		if (!dlv_journal_open(d->journals->pdata[i], d->store,
		    d->conf->poison_deaths, now, err))
			return false;
	}
	warn_orphans(d);
	return start_outlets(d, err);
}

/* ---- what became of a mail ------------------------------------------------------- */

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
	const struct conf_relay *r = job->journal->outlet->conf;
	struct deliver_schedule s = { .min_ms = 5000, .max_ms = 900000 };

	if (r != NULL)
		s = (struct deliver_schedule){ r->retry_min_ms,
			r->retry_max_ms };
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

/* ---- relays up and down -------------------------------------------------------------- */

static void
store_relay(struct dlv *d, const struct dlv_outlet *o, bool up,
    const char *reason)
{
	struct err err = ERR_INIT;
	int64_t wait = up ? 0 : o->retry_at_ms - clock_mono_ms();
	int64_t now = clock_now_ms();

	store_begin(d->store);
	store_relay_set(d->store, o->name, up, o->since_ms,
	    up ? 0 : now + wait, reason);
	if (!store_commit(d->store, &err))
		log_err(LOG_LEVEL_WARN, "deliver.retry", &err, "what=relay");
}

static void
relay_down(struct dlv *d, struct dlv_outlet *o, const char *reason)
{
	struct deliver_schedule s = { .min_ms = 1000, .max_ms = 60000 };
	g_autofree char *why = text_log_quote(reason);
	int64_t mono = clock_mono_ms();

	if (o->state == DLV_PAUSED)
		return;
	if (o->state == DLV_UP && mono - o->last_ok_ms < ALIVE_MS &&
	    o->last_ok_ms != 0) {
		log_warn("relay.session", "relay=%s reason=%s", o->name, why);
		return;
	}
	if (o->conf != NULL)
		s = (struct deliver_schedule){ MIN(o->conf->retry_min_ms,
			60000), MIN(o->conf->retry_max_ms, 60000) };
	o->failures++;
	o->retry_at_ms = deliver_next_ms(&s, o->failures,
	    (uint64_t)o->failures * 0x9e3779b9u, mono);
	dlv_outlet_set(o, DLV_PAUSED);
	if (!o->told_down)
		o->since_ms = clock_now_ms();
	log_warn("relay.down", "relay=%s failures=%d retry_in_ms=%" PRId64
	    " reason=%s", o->name, o->failures, o->retry_at_ms - mono, why);
	o->told_down = true;
	store_relay(d, o, false, reason);
}

static void
relay_alive(struct dlv *d, struct dlv_outlet *o)
{
	struct err err = ERR_INIT;

	o->last_ok_ms = clock_mono_ms();
	o->failures = 0;
	if (o->state == DLV_UP)
		return;
	for (guint i = 0; i < d->journals->len; i++) {
		struct dlv_journal *j = d->journals->pdata[i];

		if (j->outlet == o &&
		    !dlv_journal_rebase(j, d->store, &err))
			log_err(LOG_LEVEL_WARN, "deliver.retry", &err,
			    "what=rebase");
	}
	dlv_outlet_set(o, DLV_UP);
	log_info("relay.up", "relay=%s after_ms=%" PRId64, o->name,
	    clock_now_ms() - o->since_ms);
	o->since_ms = clock_now_ms();
	o->told_down = false;
	store_relay(d, o, true, "");
}

static void
look_at_outlets(struct dlv *d)
{
	int64_t mono = clock_mono_ms();
	char reason[sizeof(((struct err *)0)->text)];

	for (guint i = 0; i < d->outlets->len; i++) {
		struct dlv_outlet *o = d->outlets->pdata[i];

		if (dlv_outlet_fault(o, reason, sizeof(reason))) {
			if (o->state == DLV_PROBE)
				o->state = DLV_UP;
			relay_down(d, o, reason);
		}
		if (o->state == DLV_PAUSED && mono >= o->retry_at_ms)
			dlv_outlet_set(o, DLV_PROBE);
	}
}

/* ---- results ------------------------------------------------------------------------- */

static void
collect(struct dlv *d)
{
	struct dlv_job *job;
	uint64_t n;

	if (read(d->results.fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_error("role.failed", "name=deliver what=eventfd");
	pthread_mutex_lock(&d->results.lock);
	while ((job = g_queue_pop_head(&d->results.jobs)) != NULL)
		g_queue_push_tail(&d->landed, job);
	pthread_mutex_unlock(&d->results.lock);
}

/* Mails that nobody is to blame for go back to the head of their queue. */
static void
return_untried(struct dlv *d)
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
				relay_down(d, o, job->report.reply);
			}
			dlv_outlet_put(o, job, true);
		} else if (job->report.code > 0 ||
		    job->report.result == DELIVER_ACCEPTED) {
			relay_alive(d, o);
		}
		l = next;
	}
}

static bool
commit_landed(struct dlv *d, struct err *err)
{
	int64_t now = clock_now_ms();
	struct dlv_job *job;

	if (g_queue_is_empty(&d->landed))
		return true;
	store_begin(d->store);
	for (GList *l = d->landed.head; l != NULL; l = l->next) {
		write_outcome(d, l->data, now);
		g_hash_table_remove(((struct dlv_job *)l->data)->journal
		    ->flying, &((struct dlv_job *)l->data)->mail.id);
	}
	for (guint i = 0; i < d->journals->len; i++)
		dlv_journal_mark(d->journals->pdata[i], d->store);
	if (!store_commit(d->store, err)) {
		for (GList *l = d->landed.head; l != NULL; l = l->next) {
			job = l->data;
			g_hash_table_insert(job->journal->flying,
			    &job->mail.id, job);
			job->journal->done_stored = -1;
		}
		return false;
	}
	while ((job = g_queue_pop_head(&d->landed)) != NULL) {
		job->journal->flying_bytes -= (int64_t)job->mail.len;
		tell_outcome(job);
		dlv_job_free(job);
	}
	return true;
}

/* ---- acts of a person, and warnings ------------------------------------------------------ */

struct retrying {
	struct dlv *d;
	int64_t only;		/* this mail; 0: all */
	int64_t after, count, now;
	bool any;
};

static bool
retry_mail(void *arg, const struct store_mail *m)
{
	struct retrying *r = arg;
	struct store_outcome o = { .mail_id = m->id, .journal = m->journal,
		.state = STORE_DEFERRED, .attempts = m->attempts,
		.first_ms = m->first_ms, .last_ms = r->now,
		.next_ms = r->now, .reply = "retried on command" };

	/* It is sent meanwhile, or was never failed. */
	if (r->only != 0 && m->id != r->only)
		return true;
	store_outcome_set(r->d->store, &o);
	r->after = m->id;
	r->count++;
	r->any = true;
	return true;
}

static bool
carry_out(void *arg, const struct store_action *a)
{
	struct dlv *d = arg;
	struct retrying r = { .d = d, .only = a->mail_id,
		.now = clock_now_ms() };
	struct err err = ERR_INIT;
	bool ok = true;

	store_begin(d->store);
	if (strcmp(a->verb, "retry") == 0 && a->mail_id > 0)
		ok = store_mail_failed(d->store, a->journal, a->mail_id - 1,
		    1, retry_mail, &r, &err);
	else if (strcmp(a->verb, "retry") == 0)
		do {
			r.any = false;
			ok = store_mail_failed(d->store, a->journal, r.after,
			    100, retry_mail, &r, &err);
		} while (ok && r.any);
	store_cursor_set(d->store, STORE_DELIVER, "admin", a->id);
	if (!ok)
		store_rollback(d->store);
	else
		ok = store_commit(d->store, &err);
	if (!ok) {
		log_err(LOG_LEVEL_WARN, "deliver.retry", &err, "what=action");
		return false;
	}
	d->action_id = a->id;
	for (guint i = 0; i < d->journals->len; i++)
		((struct dlv_journal *)d->journals->pdata[i])->next_due_ms =
		    r.now;
	log_info("mail.retry", "action=%" PRId64 " count=%" PRId64, a->id,
	    r.count);
	return true;
}

static void
look_at_actions(struct dlv *d, int64_t mono)
{
	struct err err = ERR_INIT;

	if (mono < d->next_action_ms)
		return;
	d->next_action_ms = mono + ROLE_POLL_MS;
	if (!store_action_list(d->store, d->action_id, carry_out, d, &err))
		log_err(LOG_LEVEL_WARN, "deliver.retry", &err, "what=action");
}

struct oldest {
	int64_t queued_ms;
};

static bool
note_oldest(void *arg, const struct store_mail *m)
{
	struct oldest *o = arg;

	if (o->queued_ms == 0 || m->queued_ms < o->queued_ms)
		o->queued_ms = m->queued_ms;
	return false;
}

static void
warn_late(struct dlv *d, struct dlv_journal *j, int64_t mono)
{
	struct oldest old = { 0 };
	struct err err = ERR_INIT;
	int64_t age;

	if (mono < j->next_warn_ms)
		return;
	j->next_warn_ms = mono + WARN_EVERY_MS;
	if (!store_mail_pending(d->store, j->conf->name, j->done + 1,
	    INT64_MAX, 1, note_oldest, &old, &err) ||
	    !store_mail_due(d->store, j->conf->name, INT64_MAX, 1,
	    note_oldest, &old, &err) || old.queued_ms == 0)
		return;
	age = clock_now_ms() - old.queued_ms;
	if (age > j->conf->warn_age_ms)
		log_warn("journal.late", "journal=%s oldest_s=%" PRId64,
		    j->conf->name, age / 1000);
}

/* ---- the loop --------------------------------------------------------------------------- */

static bool
feed(struct dlv *d, struct err *err)
{
	int64_t now = clock_now_ms();

	for (guint i = 0; i < d->journals->len; i++) {
		struct dlv_journal *j = d->journals->pdata[i];

		if (!dlv_journal_fetch(j, d->store, now, err) ||
		    !dlv_journal_hand_over(j, d->store, err))
			return false;
	}
	return true;
}

static int64_t
time_to_sleep(const struct dlv *d)
{
	int64_t now = clock_now_ms(), mono = clock_mono_ms();
	int64_t ms = ROLE_POLL_MS;

	for (guint i = 0; i < d->journals->len; i++) {
		const struct dlv_journal *j = d->journals->pdata[i];

		if (j->outlet->state != DLV_PAUSED &&
		    j->next_due_ms != INT64_MAX)
			ms = MIN(ms, MAX(j->next_due_ms - now, NAP_MS));
	}
	for (guint i = 0; i < d->outlets->len; i++) {
		const struct dlv_outlet *o = d->outlets->pdata[i];

		if (o->state == DLV_PAUSED)
			ms = MIN(ms, MAX(o->retry_at_ms - mono, NAP_MS));
	}
	return ms;
}

static void
turn_once(struct dlv *d, bool draining)
{
	struct err err = ERR_INIT;
	int64_t mono = clock_mono_ms();

	collect(d);
	look_at_outlets(d);
	return_untried(d);
	if (!commit_landed(d, &err) || (!draining && !feed(d, &err))) {
		log_err(LOG_LEVEL_ERROR, "deliver.retry", &err, "what=store");
		role_wait(PROC_DELIVER, -1, ROLE_RETRY_MS);
		return;
	}
	if (draining)
		return;
	look_at_actions(d, mono);
	for (guint i = 0; i < d->journals->len; i++)
		warn_late(d, d->journals->pdata[i], mono);
}

static bool
all_idle(struct dlv *d)
{
	for (guint i = 0; i < d->outlets->len; i++) {
		if (!dlv_outlet_is_idle(d->outlets->pdata[i]))
			return false;
	}
	return true;
}

/* The mails in hand get their outcome; the rest waits for the next life. */
static void
stop(struct dlv *d)
{
	struct err err = ERR_INIT;

	for (guint i = 0; i < d->outlets->len; i++)
		dlv_outlet_stop(d->outlets->pdata[i]);
	while (!all_idle(d)) {
		turn_once(d, true);
		proc_heartbeat();
		g_usleep(2000);
	}
	collect(d);
	return_untried(d);
	if (!commit_landed(d, &err))
		log_err(LOG_LEVEL_ERROR, "deliver.retry", &err, "what=stop");
}

/*
 * Asked to stop, nothing is in flight any more: the claims must not make the
 * next life suspicious.
 */
static void
drop_claims(struct dlv *d)
{
	struct store_claim none = { 0 };
	struct err err = ERR_INIT;

	store_begin(d->store);
	for (guint i = 0; i < d->journals->len; i++) {
		struct dlv_journal *j = d->journals->pdata[i];

		store_claim_set(d->store, STORE_DELIVER, j->lane.name, &none);
		store_claim_set(d->store, STORE_DELIVER, j->due.name, &none);
	}
	if (!store_commit(d->store, &err))
		log_err(LOG_LEVEL_WARN, "deliver.retry", &err, "what=claim");
}

static void
free_job(gpointer p)
{
	dlv_job_free(p);
}

static void
finish(struct dlv *d)
{
	if (d->outlets != NULL)
		g_ptr_array_unref(d->outlets);
	g_queue_clear_full(&d->landed, free_job);
	g_queue_clear_full(&d->results.jobs, free_job);
	if (d->journals != NULL)
		g_ptr_array_unref(d->journals);
	store_close(d->store);
	if (d->results.fd >= 0)
		close(d->results.fd);
	pthread_mutex_destroy(&d->results.lock);
}

int
role_deliver(const struct conf *c)
{
	struct dlv d = { .conf = c, .results.fd = -1 };
	struct err err = ERR_INIT;
	int rc = PROC_EXIT_OK;

	if (start(&d, &err)) {
		proc_ready();
		while (!proc_stopping()) {
			turn_once(&d, false);
			role_wait(PROC_DELIVER, d.results.fd,
			    time_to_sleep(&d));
		}
		stop(&d);
		drop_claims(&d);
	} else {
		rc = role_fail(PROC_DELIVER, &err);
	}
	finish(&d);
	return rc;
}
