/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store: status, the conservation law, listings, trace. */
#include <stdlib.h>
#include <string.h>

#include "fake/store_memory.h"

/* ---- status ------------------------------------------------------------ */

/* Build's cursor of records; the one before the first when there is none. */
static int64_t
records_to(struct fake *f)
{
	return MAX(STORE_EVENT_GATEWAY, fake_cursor(f, STORE_BUILD,
	    STORE_CURSOR_RECORDS));
}

static bool
is_resolved(struct fake *f, const char *key)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_RESOLUTION); i++) {
		if (strcmp(FAKE_AT(f, FAKE_RESOLUTION, fake_resolution,
		    i)->send_key, key) == 0)
			return true;
	}
	return false;
}

static void
count_sends(struct fake *f, struct store_status *s)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_SEND); i++) {
		const struct store_send *send = FAKE_AT(f, FAKE_SEND,
		    store_send, i);

		s->sends_stored += send->state == STORE_SEND_STORED;
		s->sends_forwarding += send->state == STORE_SEND_FORWARDING;
		s->sends_held += send->state == STORE_SEND_HELD;
		s->sends_done += send->state == STORE_SEND_DONE;
		s->sends_unknown += send->state == STORE_SEND_DONE &&
		    g_strcmp0(send->outcome, "unknown") == 0 &&
		    !is_resolved(f, send->key);
	}
}

static void
count_events(struct fake *f, struct store_status *s)
{
	int64_t read = fake_cursor(f, STORE_BUILD, STORE_CURSOR_EVENTS);

	s->events = FAKE_N(f, FAKE_EVENT);
	s->events_unread = MAX(0, s->events - read);
	if (s->events_unread > 0)
		s->oldest_unread_ms = FAKE_AT(f, FAKE_EVENT, store_event,
		    (guint)read)->received_ms;
	if (fake_event(f, records_to(f) + 1) != NULL)
		s->oldest_unread_ms = MIN(s->oldest_unread_ms == 0 ?
		    INT64_MAX : s->oldest_unread_ms,
		    fake_event(f, records_to(f) + 1)->received_ms);
	s->records = FAKE_N(f, FAKE_RECORD);
	s->records_unread = MAX(0, STORE_EVENT_GATEWAY + s->records -
	    records_to(f));
	for (guint i = 0; i < FAKE_N(f, FAKE_PARKED_EVENT); i++) {
		const struct fake_parked *p = FAKE_AT(f, FAKE_PARKED_EVENT,
		    fake_parked, i);
		struct store_row row = { .event_id = p->event_id };

		s->events_parked += p->ended_ms == 0;
		s->events_acknowledged += p->ended_ms == 0 &&
		    fake_acknowledged(f, &row) != NULL;
	}
	s->variants = FAKE_N(f, FAKE_VARIANT);
	for (guint i = 0; i < FAKE_N(f, FAKE_VARIANT); i++)
		s->variants_unsent += FAKE_AT(f, FAKE_VARIANT, fake_variant,
		    i)->turn_id == 0;
	s->events_purged = f->purged;
	s->items = FAKE_N(f, FAKE_ITEM);
	s->sightings = FAKE_N(f, FAKE_SIGHTING);
	for (guint i = 0; i < FAKE_N(f, FAKE_SIGHTING); i++)
		s->sightings_differ +=
		    !FAKE_AT(f, FAKE_SIGHTING, fake_sighting, i)->same;
}

static void
count_turns(struct fake *f, struct store_status *s)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_TURN); i++) {
		enum fake_turn_state state =
		    FAKE_AT(f, FAKE_TURN, fake_turn, i)->state;

		s->turns_open += state == FAKE_OPEN;
		s->turns_closed += state == FAKE_CLOSED;
		s->turns_rendered += state == FAKE_RENDERED;
		s->turns_parked += state == FAKE_PARKED;
		s->turns_acknowledged += state == FAKE_PARKED &&
		    fake_acknowledged(f, &(struct store_row){
		    .turn_id = i + 1 }) != NULL;
		s->turns_held += state == FAKE_HELD;
		s->turns_excluded += FAKE_AT(f, FAKE_TURN, fake_turn,
		    i)->why_excluded != NULL;
		s->turns_waiting +=
		    FAKE_AT(f, FAKE_TURN, fake_turn, i)->wait_until_ms != 0;
	}
}

static void
count_files(struct fake *f, struct store_status *s)
{
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		enum store_fetch_state state = fake_want(f, id)->fetch.state;

		s->files_wanted += !store_fetch_is_final(state);
		s->files_fetched += state == STORE_FETCHED;
		s->files_quarantined += state == STORE_QUARANTINED;
		s->files_unavailable += state == STORE_UNAVAILABLE;
	}
}

static gint
by_count(gconstpointer a, gconstpointer b)
{
	const struct store_novelty *x = a, *y = b;
	int field = strcmp(x->field, y->field);

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return field != 0 ? field : strcmp(x->word, y->word);
}

static void
count_mail(struct fake *f, const struct store_mail *m, struct store_status *s)
{
	struct store_journal_status *j = store_status_journal(s, m->journal);
	const struct store_outcome *o = fake_outcome(f, m->id);

	j->queued++;
	j->pending += o == NULL;
	j->sent += o != NULL && o->state == STORE_SENT;
	j->deferred += o != NULL && o->state == STORE_DEFERRED;
	j->failed += o != NULL && o->state == STORE_FAILED;
	j->acknowledged += o != NULL && o->state == STORE_FAILED &&
	    fake_acknowledged(f, &(struct store_row){ .mail_id = m->id }) !=
	    NULL;
	if ((o == NULL || o->state != STORE_SENT) &&
	    (j->oldest_ms == 0 || m->queued_ms < j->oldest_ms))
		j->oldest_ms = m->queued_ms;
}

static gint
by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct store_relay_status *)a)->name,
	    ((const struct store_relay_status *)b)->name);
}

static bool
status(struct store *st, struct store_status *s, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	count_events(f, s);
	count_turns(f, s);
	count_files(f, s);
	count_sends(f, s);
	fake_count_asks(f, s);
	fake_ask_verbs.server_get(st, &s->server, err);
	g_array_append_vals(s->novelties, f->rows[FAKE_NOVELTY]->data,
	    FAKE_N(f, FAKE_NOVELTY));
	g_array_sort(s->novelties, by_count);
	if (s->novelties->len > STORE_NOVELTIES_MAX)
		g_array_set_size(s->novelties, STORE_NOVELTIES_MAX);
	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++)
		count_mail(f, FAKE_AT(f, FAKE_MAIL, store_mail, i), s);
	for (guint i = 0; i < FAKE_N(f, FAKE_RELAY); i++) {
		const struct fake_relay *r = FAKE_AT(f, FAKE_RELAY,
		    fake_relay, i);
		struct store_relay_status row = { .up = r->up,
			.since_ms = r->since_ms, .next_ms = r->next_ms };

		g_strlcpy(row.name, r->name, sizeof(row.name));
		g_strlcpy(row.reason, r->reason, sizeof(row.reason));
		g_array_append_val(s->relays, row);
	}
	g_array_sort(s->relays, by_name);
	return true;
}

/* ---- the law ----------------------------------------------------------- */

struct law {
	int64_t n, first;
	char *why;
};

static void
breach(struct law *l, int64_t id)
{
	if (l->n++ == 0)
		l->first = id;
}

/* Ends an article: the first that is broken gives the reason. */
static void
judge(struct law *l, const char *breaks)
{
	if (l->n > 0 && l->why == NULL)
		l->why = g_strdup_printf("%d %s (the first is %d)", (int)l->n,
		    breaks, (int)l->first);
	l->n = 0;
}

static bool
turn_has_mail(struct fake *f, int64_t turn_id)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++) {
		if (FAKE_AT(f, FAKE_MAIL, store_mail, i)->turn_id == turn_id)
			return true;
	}
	return false;
}

static bool
left_a_trace(struct fake *f, int64_t event)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		if (FAKE_AT(f, FAKE_ITEM, fake_item, i)->it.event_id == event)
			return true;
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_SIGHTING); i++) {
		if (FAKE_AT(f, FAKE_SIGHTING, fake_sighting, i)->event_id ==
		    event)
			return true;
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_PARKED_EVENT); i++) {
		if (FAKE_AT(f, FAKE_PARKED_EVENT, fake_parked, i)->event_id ==
		    event)
			return true;
	}
	return false;
}

static void
judge_mails(struct fake *f, struct law *l)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_TURN); i++) {
		if (fake_turn(f, i + 1)->state == FAKE_RENDERED &&
		    !turn_has_mail(f, i + 1))
			breach(l, i + 1);
	}
	judge(l, "turns are rendered but have no mail");
	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++) {
		if (fake_turn(f, fake_mail(f, i + 1).turn_id)->state !=
		    FAKE_RENDERED)
			breach(l, i + 1);
	}
	judge(l, "mails are of a turn that is not rendered");
	for (guint i = 0; i < FAKE_N(f, FAKE_OUTCOME); i++) {
		const struct store_outcome *o = FAKE_AT(f, FAKE_OUTCOME,
		    store_outcome, i);

		if (o->mail_id < 1 || o->mail_id > FAKE_N(f, FAKE_MAIL) ||
		    strcmp(fake_mail(f, o->mail_id).journal, o->journal) != 0)
			breach(l, o->mail_id);
	}
	judge(l, "outcomes are of no mail of their journal");
}

/* Deliver's mark of a journal must not be above a mail without outcome. */
static void
judge_marks(struct fake *f, struct law *l)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++) {
		struct store_mail m = fake_mail(f, i + 1);
		g_autofree char *mark = g_strconcat(m.journal,
		    STORE_CURSOR_DONE, NULL);

		if (m.id <= fake_cursor(f, STORE_DELIVER, mark) &&
		    fake_outcome(f, m.id) == NULL)
			breach(l, m.id);
	}
	judge(l, "mails were passed over without an outcome");
}

static void
judge_events(struct fake *f, struct law *l)
{
	int64_t read = fake_cursor(f, STORE_BUILD, STORE_CURSOR_EVENTS);

	for (int64_t id = 1; id <= MIN(read, FAKE_N(f, FAKE_EVENT)); id++) {
		if (!left_a_trace(f, id))
			breach(l, id);
	}
	judge(l, "events were read but left no item, sighting or note");
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		if (fake_event(f, FAKE_AT(f, FAKE_ITEM, fake_item,
		    i)->it.event_id) == NULL)
			breach(l, i + 1);
	}
	judge(l, "items are of no event");
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct store_item *it =
		    &FAKE_AT(f, FAKE_ITEM, fake_item, i)->it;

		if (it->turn_id == 0 && strcmp(it->kind, "receipt") != 0)
			breach(l, i + 1);
	}
	judge(l, "items are filed under no turn");
	for (guint i = 0; i < FAKE_N(f, FAKE_VARIANT); i++) {
		if (fake_variant_is_lost(f, i))
			breach(l, i + 1);
	}
	judge(l, "bytes that differ from the first are in no turn");
	for (int64_t id = FAKE_N(f, FAKE_EVENT) + 1; id <= read; id++)
		breach(l, id);
	judge(l, "events were read that are not there");
}

static bool
is_rendered(struct fake *f, int64_t turn_id)
{
	return turn_id != 0 &&
	    fake_turn(f, turn_id)->state == FAKE_RENDERED;
}

static void
judge_wants(struct fake *f, struct law *l)
{
	int64_t taken = fake_cursor(f, STORE_BUILD, STORE_CURSOR_FETCHED);

	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		if (fake_event(f, fake_want(f, id)->w.event_id) == NULL)
			breach(l, id);
	}
	judge(l, "wanted files are of no turn or no event");
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		const struct fake_want *w = fake_want(f, id);

		if (!w->w.late && w->fetch.number == 0 &&
		    is_rendered(f, w->w.turn_id))
			breach(l, id);
	}
	judge(l, "files are neither in the mail of their turn nor noted as "
	    "late");
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		const struct fake_want *w = fake_want(f, id);

		if (w->w.late && w->fetch.number != 0 &&
		    w->fetch.number <= taken &&
		    is_rendered(f, w->w.turn_id) && fake_follow_up(f, id) == 0)
			breach(l, id);
	}
	judge(l, "files came late and were not followed up");
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		if (fake_follow_up(f, id) != 0 &&
		    fake_want(f, id)->fetch.number == 0)
			breach(l, fake_follow_up(f, id));
	}
	judge(l, "turns follow up a file whose outcome is open");
	for (int64_t n = FAKE_N(f, FAKE_RESULT) + 1; n <= taken; n++)
		breach(l, n);
	judge(l, "files were taken up that did not come");
}

static void
judge_records(struct fake *f, struct law *l)
{
	int64_t read = records_to(f), id = STORE_EVENT_GATEWAY + 1;

	for (; fake_event(f, id) != NULL && id <= read; id++) {
		if (!left_a_trace(f, id))
			breach(l, id);
	}
	judge(l, "records were read but left no item, sighting or note");
	for (; id <= read; id++)
		breach(l, id);
	judge(l, "records were read that are not there");
	for (id = read + 1; fake_event(f, id) != NULL; id++) {
		if (fake_event(f, id)->body == NULL)
			breach(l, id);
	}
	judge(l, "records lost their body before they were read");
}

static void
judge_sends(struct fake *f, struct law *l)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_UPLOAD); i++) {
		const struct store_upload *u = FAKE_AT(f, FAKE_UPLOAD,
		    store_upload, i);

		if (u->path != NULL && !store_file_is_there(&f->base,
		    STORE_DIR_UPLOAD, u->path, u->size))
			breach(l, i + 1);
	}
	judge(l, "uploaded files are gone");
}

/* Whether an item, a file or a parked event is what the turn is for. */
static bool
has_reason(struct fake *f, int64_t turn_id)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		if (FAKE_AT(f, FAKE_ITEM, fake_item, i)->it.turn_id == turn_id)
			return true;
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_PARKED_EVENT); i++) {
		if (FAKE_AT(f, FAKE_PARKED_EVENT, fake_parked, i)->turn_id ==
		    turn_id)
			return true;
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_FOLLOW_UP); i++) {
		if (FAKE_AT(f, FAKE_FOLLOW_UP, fake_follow_up, i)->turn_id ==
		    turn_id)
			return true;
	}
	return false;
}

static void
judge_turns(struct fake *f, struct law *l)
{
	for (int64_t id = 1; fake_turn(f, id) != NULL; id++) {
		if (!has_reason(f, id))
			breach(l, id);
	}
	judge(l, "turns have no item, follow no file up and show no parked "
	    "event");
	for (int64_t id = 1; fake_turn(f, id) != NULL; id++) {
		const struct fake_turn *t = fake_turn(f, id);

		if (t->state == FAKE_CLOSED && t->wait_until_ms == 0)
			breach(l, id);
	}
	judge(l, "turns are closed but wait for nothing");
	for (int64_t id = 1; fake_turn(f, id) != NULL; id++) {
		const struct fake_turn *t = fake_turn(f, id);

		if (t->why_excluded != NULL && t->state != FAKE_RENDERED)
			breach(l, id);
	}
	judge(l, "turns are excluded but no mail says so");
}

static bool
is_needed(struct fake *f, const struct fake_want *w)
{
	enum fake_turn_state state = fake_turn(f, w->w.turn_id)->state;

	return w->fetch.path != NULL && (state == FAKE_OPEN ||
	    state == FAKE_CLOSED || state == FAKE_HELD ||
	    (w->w.late && !is_rendered(f, fake_follow_up(f, w->w.id))));
}

static void
judge_files(struct fake *f, struct law *l)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++) {
		struct store_mail m = fake_mail(f, i + 1);
		const struct store_outcome *o = fake_outcome(f, m.id);
		const struct fake_content *c = FAKE_AT(f, FAKE_CONTENT,
		    fake_content, (guint)m.content_id - 1);

		if (c->file != NULL && (o == NULL || o->state != STORE_SENT) &&
		    !store_file_is_there(&f->base, STORE_DIR_MAIL, c->file,
		    (int64_t)c->len))
			breach(l, m.id);
	}
	judge(l, "mails lost their file before they were sent");
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		const struct fake_want *w = fake_want(f, id);

		if (is_needed(f, w) && !store_file_is_there(&f->base,
		    STORE_DIR_MEDIA, w->fetch.path, w->fetch.size))
			breach(l, id);
	}
	judge(l, "files are gone before they were in a mail");
}

static bool
law_check(struct store *st, bool *ok, char **why, struct err *err)
{
	struct law l = { 0 };

	(void)err;
	judge_mails(FAKE_OF(st), &l);
	judge_marks(FAKE_OF(st), &l);
	judge_events(FAKE_OF(st), &l);
	judge_records(FAKE_OF(st), &l);
	judge_turns(FAKE_OF(st), &l);
	judge_wants(FAKE_OF(st), &l);
	judge_files(FAKE_OF(st), &l);
	judge_sends(FAKE_OF(st), &l);
	*ok = l.why == NULL;
	*why = l.why;
	return true;
}

/* ---- listings ---------------------------------------------------------- */

struct listing {
	int64_t after;
	int limit;
	store_row_fn *fn;
	void *arg;
};

static bool
give_row(struct listing *l, const struct store_row *row)
{
	if (l->limit <= 0)
		return false;
	l->limit--;
	if (!l->fn(l->arg, row))
		l->limit = 0;
	return true;
}

static void
list_mails(struct fake *f, const char *journal, int state, struct listing *l)
{
	for (guint i = (guint)l->after; i < FAKE_N(f, FAKE_MAIL); i++) {
		struct store_mail m = fake_mail(f, i + 1);
		const struct store_outcome *o = fake_outcome(f, m.id);
		struct store_row row = { .mail_id = m.id,
			.turn_id = m.turn_id, .journal = m.journal,
			.message_id = m.message_id, .state = "pending",
			.at_ms = m.queued_ms, .attempts = m.attempts };

		if ((o == NULL ? -1 : (int)o->state) != state ||
		    (journal != NULL && strcmp(journal, m.journal) != 0))
			continue;
		if (o != NULL) {
			row.state = store_outcome_name(o->state);
			row.reason = o->reply;
			row.next_ms = o->next_ms;
			row.acknowledged = o->state != STORE_FAILED ? NULL :
			    fake_acknowledged(f, &row);
		}
		give_row(l, &row);
	}
}

static void
list_parked_events(struct fake *f, int64_t turn_id, struct listing *l)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_PARKED_EVENT); i++) {
		const struct fake_parked *p = FAKE_AT(f, FAKE_PARKED_EVENT,
		    fake_parked, i);
		struct store_row row = { .turn_id = p->turn_id,
			.event_id = p->event_id, .state = "parked",
			.reason = p->reason, .at_ms = p->at_ms };

		row.acknowledged = fake_acknowledged(f, &row);
		if (p->turn_id == turn_id && p->ended_ms == 0)
			give_row(l, &row);
	}
}

static void
list_turns(struct fake *f, enum fake_turn_state state, struct listing *l)
{
	if (state == FAKE_PARKED && l->after == 0)
		list_parked_events(f, 0, l);
	for (guint i = (guint)l->after; i < FAKE_N(f, FAKE_TURN); i++) {
		const struct fake_turn *t = fake_turn(f, i + 1);
		struct store_row row = { .turn_id = i + 1,
			.state = state == FAKE_OPEN ? "open" : "parked",
			.reason = t->why_parked,
			.at_ms = state == FAKE_OPEN ? t->t.opened_ms :
			    t->done_ms };

		if (state == FAKE_PARKED)
			list_parked_events(f, i + 1, l);
		if (state == FAKE_PARKED)
			row.acknowledged = fake_acknowledged(f, &row);
		if (t->state == state)
			give_row(l, &row);
	}
}

static void
list_held(struct fake *f, struct listing *l)
{
	for (int64_t id = l->after + 1; fake_turn(f, id) != NULL; id++) {
		const struct fake_turn *t = fake_turn(f, id);
		struct store_row row = { .turn_id = id, .state = "held",
			.reason = t->hold.rule, .at_ms = t->hold.since_ms,
			.next_ms = t->hold.until_ms };

		if (t->state == FAKE_HELD)
			give_row(l, &row);
	}
}

static void
list_files(struct fake *f, struct listing *l)
{
	for (int64_t id = l->after + 1; fake_want(f, id) != NULL; id++) {
		const struct fake_want *w = fake_want(f, id);
		struct store_row row = { .want_id = id,
			.turn_id = w->w.turn_id, .event_id = w->w.event_id,
			.state = store_fetch_name(w->fetch.state),
			.reason = w->fetch.reason, .at_ms = w->w.wanted_ms,
			.attempts = w->fetch.attempts,
			.next_ms = w->fetch.next_ms };

		if (w->fetch.number == 0 || w->fetch.state == STORE_UNAVAILABLE)
			give_row(l, &row);
	}
}

static bool
list(struct store *st, enum store_list_what what, const char *journal,
    int64_t after, int limit, store_row_fn *fn, void *arg, struct err *err)
{
	struct listing l = { after, limit, fn, arg };
	struct fake *f = FAKE_OF(st);

	(void)err;
	switch (what) {
	case STORE_LIST_PENDING:
		list_mails(f, journal, -1, &l);
		break;
	case STORE_LIST_SENT:
		list_mails(f, journal, STORE_SENT, &l);
		break;
	case STORE_LIST_DEFERRED:
		list_mails(f, journal, STORE_DEFERRED, &l);
		break;
	case STORE_LIST_FAILED:
		list_mails(f, journal, STORE_FAILED, &l);
		break;
	case STORE_LIST_PARKED:
		list_turns(f, FAKE_PARKED, &l);
		break;
	case STORE_LIST_OPEN:
		list_turns(f, FAKE_OPEN, &l);
		break;
	case STORE_LIST_HELD:
		list_held(f, &l);
		break;
	case STORE_LIST_FILES:
		list_files(f, &l);
		break;
	case STORE_LIST_DIFFERING:
		fake_list_differing(f, after, limit, fn, arg);
		break;
	}
	return true;
}

const struct store_look_verbs fake_look = {
	.status = status,
	.law_check = law_check,
	.list = list,
	.trace = fake_trace,
};
