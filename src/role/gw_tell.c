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

/* Refusals can be somebody's flood; the trace is that of the last one. */
void
gw_tell_refused(struct gw *g, const char *remote, const char *reason,
    const char *trace)
{
	int64_t mono = clock_mono_ms(), count = 0;

	pthread_mutex_lock(&g->lock);
	g->refused++;
	if (mono - g->refused_told_ms >= TELL_REFUSED_MS) {
		count = g->refused;
		g->refused = 0;
		g->refused_told_ms = mono;
	}
	pthread_mutex_unlock(&g->lock);
	if (count > 0)
		log_warn("gateway.refused", "reason=%s remote=%s trace=%s "
		    "count=%" PRId64, reason, remote, trace, count);
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
