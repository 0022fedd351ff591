/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's lines in the log: one for each send that did not simply arrive,
 * few for what can happen to thousands at once. None has words of a message,
 * names or numbers. Decides nothing.
 */
#include <inttypes.h>

#include "clock.h"
#include "err.h"
#include "gw_int.h"
#include "log.h"
#include "policy.h"
#include "text.h"

#define TELL_DOWN_MS 10000
#define TELL_REFUSED_MS 1000

/* ---- for many -------------------------------------------------------------- */

/* Of one reason: it can be somebody's flood. */
struct refusals {
	int64_t count, told_ms;	/* not told yet; when one was */
	char *remote, *trace;	/* of the last one */
};

static void
free_refusals(gpointer p)
{
	struct refusals *r = p;

	g_free(r->remote);
	g_free(r->trace);
	g_free(r);
}

GHashTable *
gw_refusals_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
	    free_refusals);
}

static void
tell_some(const char *reason, struct refusals *r, int64_t mono_ms)
{
	if (r->count == 0 || (r->told_ms != 0 &&
	    mono_ms - r->told_ms < TELL_REFUSED_MS))
		return;
	log_warn("gateway.refused", "reason=%s remote=%s trace=%s "
	    "count=%" PRId64, reason, r->remote, r->trace, r->count);
	r->count = 0;
	r->told_ms = mono_ms;
}

void
gw_tell_refused(struct gw *g, const char *remote, const char *reason,
    const char *trace)
{
	struct refusals *r;

	pthread_mutex_lock(&g->lock);
	r = g_hash_table_lookup(g->refusals, reason);
	if (r == NULL) {
		r = g_new0(struct refusals, 1);
		g_hash_table_insert(g->refusals, (char *)(uintptr_t)reason, r);
	}
	r->count++;
	g_free(r->remote);
	r->remote = g_strdup(remote);
	g_free(r->trace);
	r->trace = g_strdup(trace);
	tell_some(reason, r, clock_mono_ms());
	pthread_mutex_unlock(&g->lock);
}

void
gw_tell_rest(struct gw *g, int64_t mono_ms)
{
	GHashTableIter it;
	gpointer reason, r;

	pthread_mutex_lock(&g->lock);
	g_hash_table_iter_init(&it, g->refusals);
	while (g_hash_table_iter_next(&it, &reason, &r))
		tell_some(reason, r, mono_ms);
	pthread_mutex_unlock(&g->lock);
}

void
gw_tell_store_down(struct gw *g, const struct err *err, unsigned n)
{
	int64_t mono = clock_mono_ms();

	g->unstored += n;
	if (g->down_told_ms != 0 && mono - g->down_told_ms < TELL_DOWN_MS)
		return;
	log_err(LOG_LEVEL_ERROR, "store.down", err, "refused=%" PRId64,
	    g->unstored);
	if (g->down_ms == 0)
		g->down_ms = mono;
	g->unstored = 0;
	g->down_told_ms = mono;
}

void
gw_tell_store_up(struct gw *g)
{
	if (g->down_ms == 0)
		return;
	log_info("store.up", "after_ms=%" PRId64 " refused=%" PRId64,
	    clock_mono_ms() - g->down_ms, g->unstored);
	g->down_ms = g->down_told_ms = g->unstored = 0;
}

/* One request may fail by itself: no line for each, and none without a pair. */
static void
tell_upstream(struct gw *g, const struct gw_send *s)
{
	int64_t mono = clock_mono_ms();
	g_autofree char *why = NULL;

	if (s->fate == GRAPH_ANSWERED) {
		if (g->upstream_down_ms != 0)
			log_info("upstream.up", "after_ms=%" PRId64,
			    mono - g->upstream_down_ms);
		g->upstream_down_ms = 0;
		return;
	}
	if (g->upstream_told_ms != 0 &&
	    mono - g->upstream_told_ms < TELL_DOWN_MS)
		return;
	if (g->upstream_down_ms == 0)
		g->upstream_down_ms = mono;
	g->upstream_told_ms = mono;
	why = text_log_quote(s->reason != NULL ? s->reason : "-");
	log_error("upstream.down", "reason=%s", why);
}

/* ---- for one --------------------------------------------------------------- */

static const char *
rule_of(const struct gw_send *s)
{
	if (s->verdict != NULL && s->verdict->block_rule != NULL)
		return s->verdict->block_rule;
	if (s->verdict != NULL && s->verdict->hold_rule != NULL)
		return s->verdict->hold_rule;
	return "-";
}

static const char *
refused_by(const struct gw_send *s)
{
	if (s->refusal == GATEWAY_REFUSE_BUSY ||
	    s->refusal == GATEWAY_REFUSE_BUSY_PAIR)
		return "pace";
	if (s->refusal == GATEWAY_REFUSE_STORE)
		return "store";
	return s->refusal == GATEWAY_REFUSE_BUSINESS ? "business" : "body";
}

static void
tell_failed(const struct gw_send *s)
{
	g_autofree char *why = text_log_quote(s->reason != NULL ? s->reason :
	    "-");

	if (s->outcome == GATEWAY_OUTCOME_UNKNOWN)
		log_error("send.unknown", "send=%s application=%s reason=%s",
		    s->key, s->app_name, why);
	else if (s->outcome == GATEWAY_NOT_SENT)
		log_warn("send.unsent", "send=%s application=%s reason=%s",
		    s->key, s->app_name, why);
	else if (s->outcome == GATEWAY_REFUSED)
		log_warn("send.refused", "send=%s application=%s status=%d "
		    "code=%" PRId64, s->key, s->app_name, s->status,
		    s->error_code);
}

void
gw_tell(struct gw *g, const struct gw_send *s)
{
	if (s->phase == GW_REPLIED)
		tell_upstream(g, s);
	if (s->what == GATEWAY_UPLOAD)
		return;
	if (s->first_record_id == 0) {
		gw_tell_refused(g, s->remote, refused_by(s), s->key);
		return;
	}
	if (s->reviews != NULL)
		log_warn("send.unheld", "send=%s application=%s outcome=%s",
		    s->key, s->app_name, gateway_outcome_name(s->outcome));
	if (s->outcome == GATEWAY_BLOCKED)
		log_warn("send.blocked", "send=%s application=%s rule=%s",
		    s->key, s->app_name, rule_of(s));
	else if (s->outcome == GATEWAY_OUTCOME_HELD)
		log_warn("send.held", "send=%s application=%s rule=%s",
		    s->key, s->app_name, rule_of(s));
	else
		tell_failed(s);
}

void
gw_tell_stuck(const struct gw_send *s, const struct err *why)
{
	log_err(LOG_LEVEL_ERROR, "send.stuck", why, "send=%s application=%s",
	    s->key, s->app_name);
}
