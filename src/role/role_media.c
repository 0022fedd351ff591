/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The media role: files of messages, before their ids expire. The main thread
 * is the only one that uses the store; workers fetch. Without a graph block
 * the role is there and does nothing but purge what an earlier life fetched,
 * and settle what it wanted and is too old to be had, so that a reload may
 * bring the block. It never gives a file up because of
 * its own death, short of poison_deaths.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "graph.h"
#include "log.h"
#include "med_int.h"
#include "role.h"
#include "role_int.h"

/* A file of 100 MB takes clamd some seconds. */
#define SCAN_TOTAL_MS 300000
#define NAP_MS 50		/* a busy wait is avoided by at least this */
#define SETTLE_MS 60000

/* ---- set-up ----------------------------------------------------------------------- */

/* Before ids are dropped: only root may read the files of secrets. */
static bool
open_graph(struct med *m, struct err *err)
{
	if (m->conf->graph.url == NULL)
		return true;
	graph_init();
	return role_graph_new(&m->conf->graph, &m->graph, err);
}

static bool
open_media(struct med *m, struct err *err)
{
	const struct conf_media *cm = &m->conf->media;
	struct media_conf mc = { .graph = m->graph,
		.dir = store_dir(m->store, STORE_DIR_MEDIA),
		.spool = store_dir(m->store, STORE_DIR_SPOOL),
		.max_bytes = cm->max_bytes, .give_up_ms = cm->give_up_ms,
		.retry_min_ms = cm->retry_min_ms,
		.retry_max_ms = cm->retry_max_ms, .clamd = cm->clamd,
		.infected = cm->infected == CONF_INFECTED_QUARANTINE ?
		    MEDIA_QUARANTINE : MEDIA_TAG,
		.scan_wait_ms = cm->scan_wait_ms,
		.scan_total_ms = SCAN_TOTAL_MS };

	return m->graph == NULL || (media_sweep(mc.spool, err) &&
	    media_new(&mc, &m->media, err) && med_recover(m, proc_after_crash(), err) &&
	    med_crew_start(&m->crew, m->media, (int)cm->downloads, err));
}

static bool
start(struct med *m, struct err *err)
{
	unsigned rights = PROC_STORE_FILES | PROC_THREADS;

	m->crew.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->crew.fd < 0)
		return err_set(err, ERR_TEMP, "media.eventfd",
		    "cannot make an eventfd: %s", err_errno(errno));
	if (m->conf->graph.url != NULL)
		rights |= PROC_CONNECT;
	return open_graph(m, err) &&
	    role_enter(PROC_MEDIA, rights, m->conf, &m->store, err) &&
	    open_media(m, err);
}

/* ---- the loop ------------------------------------------------------------------------ */

/* Now and then: days are what matters. */
static bool
settle(struct med *m, struct err *err)
{
	int64_t mono = clock_mono_ms();

	if (mono < m->next_settle_ms)
		return true;
	m->next_settle_ms = mono + SETTLE_MS;
	return med_settle(m, clock_now_ms(), err);
}

static bool
turn_once(struct med *m, bool draining)
{
	struct err err = ERR_INIT;

	med_collect(m);
	if (med_commit(m, &err) && (draining || (m->graph == NULL ?
	    settle(m, &err) : med_mind_clock(m, clock_now_ms(), &err) &&
	    med_hand_over(m, &err))))
		return true;
	log_err(LOG_LEVEL_ERROR, "media.store", &err, "%s", "");
	return false;
}

/* Until something lands, is due, or the hold is over. */
static int64_t
time_to_sleep(struct med *m)
{
	int64_t due, ms = ROLE_POLL_MS;
	int64_t hold = m->outage.hold_until_ms - clock_mono_ms();

	if (m->graph == NULL ||
	    m->in_flight >= (int)m->conf->media.downloads || m->alone)
		return ms;
	if (hold > 0)
		return MIN(hold, ms);
	if (store_fetch_next_due(m->store, &due, NULL) && due != INT64_MAX)
		ms = MIN(ms, MAX(due - clock_now_ms(), NAP_MS));
	return ms;
}

static void
loop(struct med *m)
{
	while (!proc_stopping()) {
		bool ok = turn_once(m, false);

		role_purge(m->store, store_media_purge, "file",
		    m->conf->keep.mail_ms, &m->next_purge_ms);
		role_wait(PROC_MEDIA, ok ? m->crew.fd : -1,
		    ok ? time_to_sleep(m) : ROLE_RETRY_MS);
	}
}

/* What is cut short is tried again by the next life, at once. */
static void
stop(struct med *m)
{
	if (m->media == NULL)
		return;
	med_crew_hasten(&m->crew, m->media);
	while (m->in_flight > 0) {
		med_collect(m);
		proc_heartbeat();
		g_usleep(10000);
	}
	turn_once(m, true);
}

static void
finish(struct med *m)
{
	if (m->media != NULL)
		med_crew_hasten(&m->crew, m->media);
	med_crew_join(&m->crew);
	g_queue_clear_full(&m->crew.ready, med_job_free);
	g_queue_clear_full(&m->crew.done, med_job_free);
	g_queue_clear_full(&m->landed, med_job_free);
	media_free(m->media);
	graph_free(m->graph);
	store_close(m->store);
	if (m->crew.fd >= 0)
		close(m->crew.fd);
	pthread_cond_destroy(&m->crew.cond);
	pthread_mutex_destroy(&m->crew.lock);
}

int
role_media(const struct conf *c)
{
	struct med m = { .conf = c, .crew.fd = -1 };
	struct err err = ERR_INIT;
	int rc = PROC_EXIT_OK;

	pthread_mutex_init(&m.crew.lock, NULL);
	pthread_cond_init(&m.crew.cond, NULL);
	g_queue_init(&m.crew.ready);
	g_queue_init(&m.crew.done);
	g_queue_init(&m.landed);
	if (start(&m, &err)) {
		proc_ready();
		loop(&m);
		stop(&m);
	} else {
		rc = role_fail(PROC_MEDIA, &err);
	}
	finish(&m);
	return rc;
}
