/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store: what happened to one message. */
#include <stdlib.h>
#include <string.h>

#include "fake/store_memory.h"
#include "text.h"

struct fact {
	struct store_fact f;
	char *detail;
};

struct trace {
	struct fake *f;
	bool *turns, *events;	/* by place: whether it is part of the story */
	GPtrArray *facts;
};

static void
free_fact(gpointer data)
{
	struct fact *fact = data;

	g_free(fact->detail);
	g_free(fact);
}

static void
add(struct trace *t, const struct store_fact *f, char *detail)
{
	struct fact *fact = g_new0(struct fact, 1);

	fact->f = *f;
	fact->detail = detail;
	fact->f.detail = detail;
	g_ptr_array_add(t->facts, fact);
}

static char *
spell(const char *first, ...)
{
	g_autoptr(GString) out = g_string_new(NULL);
	va_list ap;

	va_start(ap, first);
	for (const char *name = first; name != NULL;
	    name = va_arg(ap, const char *)) {
		const char *value = va_arg(ap, const char *);
		g_autofree char *quoted = NULL;

		if (value == NULL || *value == '\0')
			continue;
		quoted = text_log_quote(value);
		g_string_append_printf(out, "%s%s=%s", out->len > 0 ? " " : "",
		    name, quoted);
	}
	va_end(ap);
	return out->len == 0 ? NULL :
	    g_string_free(g_steal_pointer(&out), FALSE);
}

/* ---- which turns and events -------------------------------------------- */

static void
mark(bool *set, int64_t id, guint n)
{
	if (id >= 1 && id <= n)
		set[id] = true;
}

/* Records come after events. */
static guint
place(struct fake *f, int64_t event_id)
{
	if (fake_event(f, event_id) == NULL)
		return 0;
	return (guint)(event_id > STORE_EVENT_GATEWAY ?
	    FAKE_N(f, FAKE_EVENT) + event_id - STORE_EVENT_GATEWAY :
	    event_id);
}

static void
mark_event(struct trace *t, int64_t event_id)
{
	t->events[place(t->f, event_id)] = true;
}

static bool
has_event(struct trace *t, int64_t event_id)
{
	guint at = place(t->f, event_id);

	return at != 0 && t->events[at];
}

static const struct fake_item *
item_of(struct fake *f, const uint8_t *key)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		struct fake_item *it = FAKE_AT(f, FAKE_ITEM, fake_item, i);

		if (memcmp(it->key, key, HASH_SIZE) == 0)
			return it;
	}
	return NULL;
}

static void
find_by_event(struct trace *t, int64_t id)
{
	struct fake *f = t->f;

	mark_event(t, id);
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct store_item *it =
		    &FAKE_AT(f, FAKE_ITEM, fake_item, i)->it;

		if (it->event_id == id)
			mark(t->turns, it->turn_id, FAKE_N(f, FAKE_TURN));
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_SIGHTING); i++) {
		const struct fake_sighting *g = FAKE_AT(f, FAKE_SIGHTING,
		    fake_sighting, i);
		const struct fake_item *it = item_of(f, g->key);

		if (g->event_id == id && it != NULL)
			mark(t->turns, it->it.turn_id, FAKE_N(f, FAKE_TURN));
	}
}

static void
find_by_name(struct trace *t, const char *id)
{
	size_t len = strlen(id);
	g_autofree char *bare = len >= 2 && id[0] == '<' ?
	    g_strndup(id + 1, len - 2) : g_strdup(id);
	struct fake *f = t->f;

	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct store_item *it =
		    &FAKE_AT(f, FAKE_ITEM, fake_item, i)->it;

		if (g_strcmp0(it->id, id) == 0 ||
		    g_strcmp0(it->target, id) == 0) {
			mark(t->turns, it->turn_id, FAKE_N(f, FAKE_TURN));
			if (it->turn_id == 0)
				mark_event(t, it->event_id);
		}
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_TURN); i++) {
		if (g_strcmp0(fake_turn(f, i + 1)->message_id, bare) == 0)
			mark(t->turns, i + 1, FAKE_N(f, FAKE_TURN));
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++) {
		struct store_mail m = fake_mail(f, i + 1);

		if (strcmp(m.message_id, bare) == 0)
			mark(t->turns, m.turn_id, FAKE_N(f, FAKE_TURN));
	}
}

static void
find_send(struct trace *t, const char *key)
{
	struct fake *f = t->f;

	for (guint i = 0; i < FAKE_N(f, FAKE_SEND); i++) {
		const struct store_send *s = FAKE_AT(f, FAKE_SEND, store_send,
		    i);

		if (strcmp(s->key, key) != 0)
			continue;
		find_by_event(t, s->first_record_id);
		find_by_event(t, s->record_id);
	}
}

static void
find(struct trace *t, const char *id)
{
	struct fake *f = t->f;

	if (g_str_has_prefix(id, "turn:")) {
		mark(t->turns, strtol(id + 5, NULL, 10), FAKE_N(f, FAKE_TURN));
	} else if (g_str_has_prefix(id, "event:")) {
		find_by_event(t, g_ascii_strtoll(id + 6, NULL, 10));
	} else if (g_str_has_prefix(id, "send:")) {
		find_send(t, id + 5);
	} else if (g_str_has_prefix(id, "mail:")) {
		long n = strtol(id + 5, NULL, 10);

		if (n >= 1 && n <= (long)FAKE_N(f, FAKE_MAIL))
			mark(t->turns, fake_mail(f, n).turn_id,
			    FAKE_N(f, FAKE_TURN));
	} else {
		find_by_name(t, id);
	}
}

static void
find_follow_ups(struct trace *t)
{
	struct fake *f = t->f;

	for (guint i = 0; i < FAKE_N(f, FAKE_FOLLOW_UP); i++) {
		const struct fake_follow_up *u = FAKE_AT(f, FAKE_FOLLOW_UP,
		    fake_follow_up, i);
		int64_t of = fake_want(f, u->want_id)->w.turn_id;

		if (t->turns[u->turn_id] || t->turns[of])
			t->turns[u->turn_id] = t->turns[of] = true;
	}
}

static void
find_events(struct trace *t)
{
	struct fake *f = t->f;

	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct store_item *it =
		    &FAKE_AT(f, FAKE_ITEM, fake_item, i)->it;

		if (t->turns[it->turn_id])
			mark_event(t, it->event_id);
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_SIGHTING); i++) {
		const struct fake_sighting *g = FAKE_AT(f, FAKE_SIGHTING,
		    fake_sighting, i);
		const struct fake_item *it = item_of(f, g->key);

		if (it != NULL && t->turns[it->it.turn_id])
			mark_event(t, g->event_id);
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_PARKED_EVENT); i++) {
		const struct fake_parked *p = FAKE_AT(f, FAKE_PARKED_EVENT,
		    fake_parked, i);

		if (t->turns[p->turn_id])
			mark_event(t, p->event_id);
	}
}

/* ---- facts ------------------------------------------------------------- */

static int64_t
received_ms(struct fake *f, int64_t event_id)
{
	const struct store_event *ev = fake_event(f, event_id);

	return ev == NULL ? 0 : ev->received_ms;
}

static void
tell_received(struct trace *t, int64_t id, const char *name)
{
	for (; fake_event(t->f, id) != NULL; id++) {
		const struct store_event *ev = fake_event(t->f, id);

		if (has_event(t, id))
			add(t, &(struct store_fact){ .what = "received",
			    .at_ms = ev->received_ms, .event_id = id },
			    spell("remote", ev->remote, name,
			    ev->secret_name, NULL));
	}
}

static void
tell_sends(struct trace *t)
{
	struct fake *f = t->f;

	for (guint i = 0; i < FAKE_N(f, FAKE_SEND); i++) {
		const struct store_send *s = FAKE_AT(f, FAKE_SEND, store_send,
		    i);

		if (!has_event(t, s->record_id))
			continue;
		add(t, &(struct store_fact){ .what = "asked",
		    .at_ms = s->received_ms, .event_id = s->record_id },
		    spell("send", s->key, "application", s->application,
		    "employee", s->employee, NULL));
		if (s->state == STORE_SEND_DONE)
			add(t, &(struct store_fact){ .what = "answered",
			    .at_ms = s->changed_ms, .event_id = s->record_id },
			    spell("send", s->key, "outcome", s->outcome, "id",
			    s->wamid, NULL));
	}
}

static void
tell_request(struct trace *t, const struct store_request *r,
    const struct store_fact *of)
{
	struct store_fact at = *of;

	at.what = r->verb;
	at.at_ms = r->at_ms;
	add(t, &at, spell("who", r->who, "why", r->why, NULL));
}

static void
tell_events(struct trace *t)
{
	struct fake *f = t->f;

	tell_received(t, 1, "secret");
	tell_received(t, STORE_EVENT_GATEWAY + 1, "application");
	tell_sends(t);
	for (guint i = 0; i < FAKE_N(f, FAKE_PARKED_EVENT); i++) {
		const struct fake_parked *p = FAKE_AT(f, FAKE_PARKED_EVENT,
		    fake_parked, i);

		if (has_event(t, p->event_id))
			add(t, &(struct store_fact){ .what = "parked",
			    .at_ms = p->at_ms, .event_id = p->event_id,
			    .turn_id = p->turn_id },
			    spell("reason", p->reason, NULL));
		if (has_event(t, p->event_id) && p->ended_ms != 0)
			add(t, &(struct store_fact){ .what = "understood",
			    .at_ms = p->ended_ms, .event_id = p->event_id },
			    NULL);
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_REQUEST); i++) {
		const struct store_request *r = FAKE_AT(f, FAKE_REQUEST,
		    store_request, i);

		if (r->event_id != 0 && has_event(t, r->event_id))
			tell_request(t, r, &(struct store_fact){
			    .event_id = r->event_id });
	}
}

static void
tell_recorded(struct trace *t)
{
	struct fake *f = t->f;

	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct store_item *it =
		    &FAKE_AT(f, FAKE_ITEM, fake_item, i)->it;

		if (it->turn_id == 0 && has_event(t, it->event_id))
			add(t, &(struct store_fact){ .what = "recorded",
			    .at_ms = received_ms(f, it->event_id),
			    .event_id = it->event_id },
			    spell("id", it->id, "target", it->target, "kind",
			    it->kind, "type", it->type, NULL));
	}
}

static void
tell_items(struct trace *t, int64_t turn_id)
{
	struct fake *f = t->f;

	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct store_item *it =
		    &FAKE_AT(f, FAKE_ITEM, fake_item, i)->it;

		if (it->turn_id == turn_id)
			add(t, &(struct store_fact){ .what = "filed",
			    .at_ms = received_ms(f, it->event_id),
			    .event_id = it->event_id, .turn_id = turn_id },
			    spell("id", it->id, "target", it->target, "kind",
			    it->kind, "type", it->type, NULL));
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_SIGHTING); i++) {
		const struct fake_sighting *g = FAKE_AT(f, FAKE_SIGHTING,
		    fake_sighting, i);
		const struct fake_item *it = item_of(f, g->key);

		if (it != NULL && it->it.turn_id == turn_id)
			add(t, &(struct store_fact){ .what = g->same ?
			    "repeated" : "changed", .at_ms = g->at_ms,
			    .event_id = g->event_id, .turn_id = turn_id },
			    spell("id", it->it.id, NULL));
	}
}

static void
tell_files(struct trace *t, int64_t turn_id)
{
	struct fake *f = t->f;
	int64_t follow_up = 0;

	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		const struct fake_want *w = fake_want(f, id);
		struct store_fact at = { .what = "wanted",
			.at_ms = w->w.wanted_ms, .event_id = w->w.event_id,
			.turn_id = turn_id };

		if (fake_follow_up(f, id) == turn_id)
			follow_up = id;
		if (w->w.turn_id != turn_id)
			continue;
		add(t, &at, spell("media_id", w->w.media_id, NULL));
		at.what = store_fetch_name(w->fetch.state);
		at.at_ms = w->fetch.done_ms;
		if (w->fetch.number != 0)
			add(t, &at, spell("media_id", w->w.media_id, "type",
			    w->fetch.type, "verdict", w->fetch.verdict,
			    "reason", w->fetch.reason, NULL));
	}
	if (follow_up != 0)
		add(t, &(struct store_fact){ .what = "follow-up",
		    .at_ms = fake_turn(f, turn_id)->t.opened_ms,
		    .event_id = fake_want(f, follow_up)->w.event_id,
		    .turn_id = turn_id }, spell("media_id",
		    fake_want(f, follow_up)->w.media_id, NULL));
}

/* A hold, what persons decided about it, how it ended, what came of it. */
static void
tell_hold(struct trace *t, int64_t id)
{
	const struct fake_turn *turn = fake_turn(t->f, id);
	const struct store_hold *h = &turn->hold;

	if (h->turn_id != 0)
		add(t, &(struct store_fact){ .what = "held",
		    .at_ms = h->since_ms, .turn_id = id },
		    spell("rule", h->rule, NULL));
	for (guint i = 0; i < FAKE_N(t->f, FAKE_REVIEW); i++) {
		const struct store_review *r = FAKE_AT(t->f, FAKE_REVIEW,
		    store_review, i);

		if (r->turn_id == id)
			add(t, &(struct store_fact){ .what = r->verb,
			    .at_ms = r->at_ms, .turn_id = id },
			    spell("who", r->who, "why", r->why, NULL));
	}
	if (h->ended_ms != 0 && turn->state != FAKE_PARKED)
		add(t, &(struct store_fact){ .what = h->end,
		    .at_ms = h->ended_ms, .turn_id = id },
		    spell("rule", h->rule, NULL));
	if (turn->why_excluded != NULL)
		add(t, &(struct store_fact){ .what = "excluded",
		    .at_ms = turn->excluded_ms, .turn_id = id },
		    spell("why", turn->why_excluded, NULL));
}

/* That it was parked before, and what persons wanted done about it. */
static void
tell_parked(struct trace *t, int64_t id)
{
	struct fake *f = t->f;

	for (guint i = 0; i < FAKE_N(f, FAKE_UNPARKED); i++) {
		const struct fake_unparked *u = FAKE_AT(f, FAKE_UNPARKED,
		    fake_unparked, i);

		if (u->turn_id == id)
			add(t, &(struct store_fact){ .what = "parked",
			    .at_ms = u->at_ms, .turn_id = id },
			    spell("reason", u->why, NULL));
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_REQUEST); i++) {
		const struct store_request *r = FAKE_AT(f, FAKE_REQUEST,
		    store_request, i);

		if (r->turn_id == id)
			tell_request(t, r, &(struct store_fact){
			    .turn_id = id });
	}
}

static void
tell_turn(struct trace *t, int64_t id)
{
	const struct fake_turn *turn = fake_turn(t->f, id);

	if (turn->why_closed != NULL)
		add(t, &(struct store_fact){ .what = "closed",
		    .at_ms = turn->closed_ms, .turn_id = id },
		    spell("reason", turn->why_closed, NULL));
	tell_hold(t, id);
	tell_parked(t, id);
	if (turn->state == FAKE_RENDERED || turn->state == FAKE_PARKED)
		add(t, &(struct store_fact){ .what =
		    turn->state == FAKE_PARKED ? "parked" : "rendered",
		    .at_ms = turn->done_ms, .turn_id = id },
		    spell("message_id", turn->message_id, "reason",
		    turn->why_parked, NULL));
}

static bool
had_failed(struct fake *f, int64_t mail_id, int64_t by_ms)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ATTEMPT); i++) {
		const struct fake_attempt *a = FAKE_AT(f, FAKE_ATTEMPT,
		    fake_attempt, i);

		if (a->mail_id == mail_id && a->at_ms <= by_ms &&
		    strcmp(a->result, "failed") == 0)
			return true;
	}
	return false;
}

static void
tell_mail(struct trace *t, const struct store_mail *m)
{
	struct store_fact at = { .turn_id = m->turn_id, .mail_id = m->id };
	const struct store_outcome *o = fake_outcome(t->f, m->id);
	struct fake *f = t->f;

	at.what = "queued";
	at.at_ms = m->queued_ms;
	add(t, &at, spell("journal", m->journal, "message_id", m->message_id,
	    NULL));
	for (guint i = 0; i < FAKE_N(f, FAKE_ATTEMPT); i++) {
		const struct fake_attempt *a = FAKE_AT(f, FAKE_ATTEMPT,
		    fake_attempt, i);

		at.what = "attempt";
		at.at_ms = a->at_ms;
		if (a->mail_id == m->id)
			add(t, &at, spell("journal", m->journal, "result",
			    a->result, "reply", a->reply, NULL));
	}
	if (o != NULL) {
		g_autofree char *attempts = g_strdup_printf("%d",
		    (int)o->attempts);
		g_autofree char *code = g_strdup_printf("%d", o->code);

		at.what = store_outcome_name(o->state);
		at.at_ms = o->last_ms;
		add(t, &at, spell("journal", m->journal, "attempts", attempts,
		    "code", o->code == 0 ? NULL : code, "reply", o->reply,
		    NULL));
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_REQUEST); i++) {
		const struct store_request *r = FAKE_AT(f, FAKE_REQUEST,
		    store_request, i);

		if (r->mail_id == m->id)
			tell_request(t, r, &at);
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_ACTION); i++) {
		const struct store_action *a = FAKE_AT(f, FAKE_ACTION,
		    store_action, i);

		at.what = a->verb;
		at.at_ms = a->at_ms;
		if (a->mail_id == m->id || (a->mail_id == 0 &&
		    (a->journal == NULL || strcmp(a->journal, m->journal) == 0)
		    && had_failed(f, m->id, a->at_ms)))
			add(t, &at, spell("who", a->who, NULL));
	}
}

static gint
by_time(gconstpointer a, gconstpointer b)
{
	const struct fact *x = *(struct fact *const *)a;
	const struct fact *y = *(struct fact *const *)b;

	return (x->f.at_ms > y->f.at_ms) - (x->f.at_ms < y->f.at_ms);
}

bool
fake_trace(struct store *st, const char *id, store_fact_fn *fn, void *arg,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	g_autofree bool *turns = g_new0(bool, FAKE_N(f, FAKE_TURN) + 1);
	g_autofree bool *events = g_new0(bool, FAKE_N(f, FAKE_EVENT) +
	    FAKE_N(f, FAKE_RECORD) + 1);
	g_autoptr(GPtrArray) facts = g_ptr_array_new_with_free_func(free_fact);
	struct trace t = { f, turns, events, facts };

	(void)err;
	find(&t, id);
	find_follow_ups(&t);
	find_events(&t);
	tell_events(&t);
	tell_recorded(&t);
	for (guint i = 1; i <= FAKE_N(f, FAKE_TURN); i++) {
		if (turns[i]) {
			tell_items(&t, i);
			tell_files(&t, i);
			tell_turn(&t, i);
		}
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++) {
		struct store_mail m = fake_mail(f, i + 1);

		if (turns[m.turn_id])
			tell_mail(&t, &m);
	}
	g_ptr_array_sort(facts, by_time);
	for (guint i = 0; i < facts->len; i++) {
		if (!fn(arg, &((struct fact *)facts->pdata[i])->f))
			break;
	}
	return true;
}
