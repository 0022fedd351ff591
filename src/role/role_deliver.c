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

/* A busy wait is avoided by at least this sleep. */
#define NAP_MS 50

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
	    !io_secret_load(r->password_file, ROLE_SECRET_MAX, &o->password,
	    err))
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

static bool
start_outlets(struct dlv *d, struct err *err)
{
	for (guint i = 0; i < d->outlets->len; i++) {
		struct dlv_outlet *o = d->outlets->pdata[i];

		if (!dlv_outlet_start(o, err))
			return false;
		o->since_ms = clock_now_ms();
		dlv_relay_store(d, o, true, "");
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
	dlv_warn_orphans(d);
	return start_outlets(d, err);
}

/* ---- the loop --------------------------------------------------------------------------- */

static bool
mind_clock(struct dlv *d, int64_t now, struct err *err)
{
	bool ok = true;

	if (clock_may_be_back(d->last_now_ms, now)) {
		for (guint i = 0; ok && i < d->journals->len; i++)
			ok = dlv_journal_hurry(d->journals->pdata[i], d->store,
			    now, err);
	}
	if (ok)
		d->last_now_ms = now;
	return ok;
}

static bool
feed(struct dlv *d, struct err *err)
{
	int64_t now = clock_now_ms();

	if (!mind_clock(d, now, err))
		return false;
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

	dlv_results_collect(d);
	dlv_relays_look(d);
	dlv_results_return(d);
	if (!dlv_results_commit(d, &err) || (!draining && !feed(d, &err))) {
		log_err(LOG_LEVEL_ERROR, "deliver.retry", &err, "what=store");
		role_wait(PROC_DELIVER, -1, ROLE_RETRY_MS);
		return;
	}
	if (draining)
		return;
	dlv_actions_look(d, mono);
	for (guint i = 0; i < d->journals->len; i++)
		dlv_warn_late(d, d->journals->pdata[i], mono);
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
	dlv_results_collect(d);
	dlv_results_return(d);
	if (!dlv_results_commit(d, &err))
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
