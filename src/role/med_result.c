/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of files: results become rows in the store, all that wait in
 * one transaction, and are told to the log once they are true. When the store
 * fails they are kept and tried again; a result that is lost with the process
 * is found again, as the file lies there under its digest.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "log.h"
#include "med_int.h"
#include "proc.h"
#include "text.h"

/* ---- outages ---------------------------------------------------------------------- */

/* The token was good enough for Graph to say anything else. */
static bool
proves_token(const struct media_result *r)
{
	static const char *const answers[] = { "graph.gone", "graph.expired",
		"graph.request", "graph.size", "graph.host", "media.differs" };

	if (r->state == MEDIA_FETCHED || r->state == MEDIA_QUARANTINED)
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
		if (strcmp(r->what, answers[i]) == 0)
			return true;
	}
	return false;
}

static void
outage_goes_on(struct med *m, const struct media_result *r, int64_t mono)
{
	struct med_outage *o = &m->outage;
	g_autofree char *reason = text_log_quote(r->reason);
	int64_t wait = m->conf->media.retry_min_ms;

	for (int i = 0; i < o->failures && wait < m->conf->media.retry_max_ms;
	    i++)
		wait *= 2;
	/* What was under way when it began says nothing new. */
	if (!o->on || mono >= o->hold_until_ms) {
		o->hold_until_ms = mono + MIN(wait,
		    m->conf->media.retry_max_ms);
		o->failures++;
	}
	if (o->on)
		return;
	o->on = true;
	o->since_ms = mono;
	log_error("media.auth", "what=%s reason=%s", r->what, reason);
}

static void
look_at_outage(struct med *m, const struct med_job *j)
{
	const struct media_result *r = &j->result;
	struct med_outage *o = &m->outage;
	int64_t mono = clock_mono_ms();

	if (r->is_conf) {
		outage_goes_on(m, r, mono);
	} else if (o->on && proves_token(r)) {
		log_info("media.resumed", "after_ms=%" PRId64,
		    mono - o->since_ms);
		*o = (struct med_outage){ 0 };
	} else if (r->state == MEDIA_RETRY &&
	    strcmp(r->what, "graph.throttled") == 0) {
		o->hold_until_ms = MAX(o->hold_until_ms, mono + MAX(0,
		    r->next_ms - clock_now_ms()));
	}
}

/* ---- rows ---------------------------------------------------------------------------- */

static bool
is_final(const struct media_result *r)
{
	return r->state != MEDIA_RETRY;
}

static enum store_fetch_state
state_of(enum media_state state)
{
	switch (state) {
	case MEDIA_FETCHED:
		return STORE_FETCHED;
	case MEDIA_QUARANTINED:
		return STORE_QUARANTINED;
	case MEDIA_UNAVAILABLE:
		return STORE_UNAVAILABLE;
	case MEDIA_RETRY:
		break;
	}
	return STORE_FETCH_RETRY;
}

/*
 * Purged in the very moment in which it was found to be there already: it is
 * fetched after all.
 */
static void
check_file(struct med *m, struct med_job *j, int64_t now)
{
	struct media_result *r = &j->result;
	g_autofree char *path = r->path == NULL ? NULL : g_build_filename(
	    store_dir(m->store, STORE_DIR_MEDIA), r->path, NULL);

	if (path == NULL || access(path, F_OK) == 0)
		return;
	media_result_clear(r);
	*r = (struct media_result){ .state = MEDIA_RETRY, .next_ms = now,
		.what = "media.stopped",
		.reason = g_strdup("removed before it was recorded") };
}

/* What is nobody's fault is no failure of this file. */
static bool
counts(const struct media_result *r)
{
	return r->state == MEDIA_RETRY && !r->is_conf &&
	    strcmp(r->what, "media.stopped") != 0;
}

static void
write_result(struct med *m, struct med_job *j, int64_t now)
{
	struct store_fetch *f = &j->fetch;
	struct media_result *r = &j->result;

	check_file(m, j, now);
	f->state = state_of(r->state);
	f->deaths = 0;		/* it ended in a way that can be said */
	f->attempts = j->want.attempts + counts(r);
	f->next_ms = is_final(r) ? 0 : r->next_ms;
	f->done_ms = is_final(r) ? now : 0;
	memcpy(f->sha256, r->sha256, HASH_SIZE);
	f->size = r->size;
	f->path = r->path;
	f->type = r->type;
	f->verdict = r->verdict;
	f->reason = r->reason;
	f->hash_differs = r->hash_differs;
	f->type_differs = r->type_differs;
	f->length_ms = r->length_ms;
	store_fetch_set(m->store, f);
}

/* ---- the log --------------------------------------------------------------------------- */

static void
tell_fetched(const struct med_job *j)
{
	const struct media_result *r = &j->result;
	g_autofree char *verdict = text_log_quote(r->verdict != NULL ?
	    r->verdict : "none");

	log_info("media.fetched", "want=%" PRId64 " turn=%" PRId64
	    " bytes=%" PRId64 " type=%s attempts=%" PRId64 " ms=%" PRId64
	    " scan=%s hash_differs=%d type_differs=%d", j->want.number,
	    j->turn_id, r->size, r->type, j->fetch.attempts + 1,
	    clock_mono_ms() - j->started_ms, verdict, r->hash_differs,
	    r->type_differs);
	if (r->verdict != NULL && g_str_has_prefix(r->verdict,
	    MEDIA_INFECTED))
		log_error("media.infected", "want=%" PRId64 " turn=%" PRId64
		    " scan=%s done=%s", j->want.number, j->turn_id, verdict,
		    r->state == MEDIA_QUARANTINED ? "quarantined" : "tagged");
}

static void
tell(const struct med_job *j)
{
	const struct media_result *r = &j->result;
	g_autofree char *reason = text_log_quote(r->reason != NULL ?
	    r->reason : "");

	switch (r->state) {
	case MEDIA_FETCHED:
	case MEDIA_QUARANTINED:
		tell_fetched(j);
		break;
	case MEDIA_UNAVAILABLE:
		log_error("media.unavailable", "want=%" PRId64 " turn=%"
		    PRId64 " what=%s reason=%s", j->want.number, j->turn_id,
		    r->what, reason);
		break;
	case MEDIA_RETRY:
		if (counts(r))
			log_warn("media.retry", "want=%" PRId64 " turn=%"
			    PRId64 " attempts=%" PRId64 " next_ms=%" PRId64
			    " what=%s reason=%s", j->want.number, j->turn_id,
			    j->fetch.attempts, MAX(0, r->next_ms -
			    clock_now_ms()), r->what, reason);
		break;
	}
}

/* ---- from the workers to the store ---------------------------------------------------------- */

void
med_collect(struct med *m)
{
	struct med_job *j;

	while ((j = med_crew_take(&m->crew)) != NULL) {
		m->in_flight--;
		m->alone = false;
		look_at_outage(m, j);
		g_queue_push_tail(&m->landed, j);
	}
}

bool
med_commit(struct med *m, struct err *err)
{
	int64_t now = clock_now_ms();
	bool final = false;
	struct med_job *j;

	if (g_queue_is_empty(&m->landed))
		return true;
	store_begin(m->store);
	for (GList *l = m->landed.head; l != NULL; l = l->next)
		write_result(m, l->data, now);
	if (!store_commit(m->store, err))
		return false;
	while ((j = g_queue_pop_head(&m->landed)) != NULL) {
		final |= is_final(&j->result);
		tell(j);
		med_job_free(j);
	}
	if (final)
		proc_wake(PROC_BUILD);
	return true;
}
