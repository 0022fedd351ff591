/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One round of the main thread: what has come since the last one is judged,
 * what waited is looked at again, and all that is ready goes into one
 * transaction. Never waits, and sends nothing by itself.
 */
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "gw_int.h"
#include "role_int.h"

#define BATCH_MAX 256
#define WAIT_LOOK_MS 10

/*
 * Its turn is asked for once: who has to wait too long for it is refused here,
 * before anything is written or counted of it.
 */
static void
ask_turn(struct gw *g, struct gw_send *s, int64_t mono_ms)
{
	enum gateway_turn turn;

	if (s->what != GATEWAY_SEND || s->is_refused || s->phase != GW_NEW)
		return;
	turn = gateway_pace_ask(g->pace, s->app_name, s->business,
	    s->head.to, s, mono_ms);
	s->is_paced = turn == GATEWAY_WAIT;
	if (turn == GATEWAY_TOO_MANY)
		gw_send_refuse(s, GATEWAY_REFUSE_BUSY, NULL);
	else if (turn == GATEWAY_TOO_MANY_PAIR)
		gw_send_refuse(s, GATEWAY_REFUSE_BUSY_PAIR, NULL);
}

/* Judged now, or put aside until what it needs is known. */
static void
try(struct gw *g, GPtrArray *fresh, struct gw_send *s, int64_t now_ms,
    int64_t mono_ms)
{
	if (!gw_judge(g, s, now_ms, mono_ms)) {
		g_ptr_array_add(g->waiting, s);
		return;
	}
	ask_turn(g, s, mono_ms);
	gw_count(g, s, now_ms);
	g_ptr_array_add(fresh, s);
}

static bool
is_media(enum gateway_what what)
{
	return what == GATEWAY_MEDIA_FIND || what == GATEWAY_MEDIA_FILE ||
	    what == GATEWAY_MEDIA_DELETE;
}

static void
take_incoming(struct gw *g, GPtrArray *fresh, int64_t now_ms,
    int64_t mono_ms)
{
	struct gw_send *s;

	while (fresh->len < BATCH_MAX &&
	    (s = gw_get(g, &g->incoming)) != NULL) {
		if (s->what == GATEWAY_LOOK)
			gw_look_up(g, s);
		else if (s->what == GATEWAY_UPLOAD)
			gw_upload(g, s);
		else if (is_media(s->what))
			gw_media_of(g, s);
		else if (!gw_is_repeat(g, s, now_ms))
			try(g, fresh, s, now_ms, mono_ms);
	}
}

/* In mode delivered: its journal has it, or does not in time. */
static bool
is_journaled(struct gw *g, struct gw_send *s, int64_t mono_ms)
{
	bool sent = false;

	if (!store_record_is_sent(g->store, s->first_record_id, &sent, NULL))
		sent = false;
	if (sent)
		return true;
	if (mono_ms < s->journal_until_ms)
		return false;
	gw_send_refuse(s, GATEWAY_REFUSE_JOURNAL, "its journal did not take "
	    "it in time, so it was not sent");
	s->outcome = GATEWAY_NOT_SENT;
	return true;
}

static void
take_waiting(struct gw *g, GPtrArray *fresh, int64_t now_ms, int64_t mono_ms)
{
	g_autoptr(GPtrArray) before = g_steal_pointer(&g->waiting);

	g->waiting = g_ptr_array_new();
	for (guint i = 0; i < before->len; i++) {
		struct gw_send *s = before->pdata[i];

		if (s->phase == GW_NEW)
			try(g, fresh, s, now_ms, mono_ms);
		else if (!s->is_pending || s->is_refused ||
		    is_journaled(g, s, mono_ms))
			g_ptr_array_add(fresh, s);
		else
			g_ptr_array_add(g->waiting, s);
	}
}

/* Whose turn has come; *wait_ms: when to look again. */
static void
take_paced(struct gw *g, GPtrArray *fresh, int64_t mono_ms, int64_t *wait_ms)
{
	struct gw_send *s;
	bool late;

	while (fresh->len < BATCH_MAX && (s = gateway_pace_next(g->pace,
	    mono_ms, &late, wait_ms)) != NULL) {
		s->is_paced = false;
		if (s->is_dead) {
			gw_send_free(s);
			continue;
		}
		if (late) {
			gw_send_refuse(s, GATEWAY_REFUSE_BUSY, "it waited too "
			    "long for its turn, and was not sent");
			s->outcome = GATEWAY_NOT_SENT;
		}
		g_ptr_array_add(fresh, s);
	}
}

static void
take_replies(struct gw *g, GPtrArray *replied)
{
	struct gw_send *s;

	for (guint i = 0; i < g->unsaved->len; i++)
		g_ptr_array_add(replied, g->unsaved->pdata[i]);
	g_ptr_array_set_size(g->unsaved, 0);
	while (replied->len < BATCH_MAX &&
	    (s = gw_get(g, &g->replies)) != NULL)
		g_ptr_array_add(replied, s);
}

static void
take_jobs(struct gw *g)
{
	struct gw_job *job;

	while ((job = gw_get(g, &g->jobs_done)) != NULL) {
		job->done(g, job);
		gw_job_free(job);
	}
}

bool
gw_step(struct gw *g, bool takes_new, int64_t *wait_ms)
{
	g_autoptr(GPtrArray) fresh = g_ptr_array_new();
	g_autoptr(GPtrArray) replied = g_ptr_array_new();
	int64_t now_ms = clock_now_ms(), mono_ms = clock_mono_ms();
	int64_t pace_ms = -1;
	bool busy;

	take_jobs(g);
	take_replies(g, replied);
	/* First: who asks for a turn in this round has no row until its end. */
	take_paced(g, fresh, mono_ms, &pace_ms);
	take_waiting(g, fresh, now_ms, mono_ms);
	if (takes_new)
		gw_holds_look(g, fresh, now_ms, mono_ms);
	take_incoming(g, fresh, now_ms, mono_ms);
	busy = fresh->len + replied->len > 0;
	*wait_ms = g->waiting->len > 0 ? WAIT_LOOK_MS : ROLE_POLL_MS;
	if (pace_ms >= 0)
		*wait_ms = MIN(*wait_ms, pace_ms);
	if (!gw_commit(g, fresh, replied, now_ms, mono_ms)) {
		*wait_ms = ROLE_RETRY_MS;
		return false;
	}
	return busy;
}
