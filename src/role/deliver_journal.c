/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which mails of a journal are taken up next, without ever holding more than
 * a window of them in memory.
 *
 * Mails have growing ids. `done` is the low-water mark: every mail up to it
 * has an outcome. Above it lies a backlog (ranges left over from an outage
 * or a restart, oldest first) and the fresh lane; both get a share of the
 * window, so that new mail flows while a backlog drains. Deferred mails come
 * back by their own time.
 *
 * Before a mail is handed to a worker a claim that covers it is committed.
 * After a death the mails of the claim go out one at a time; the one that
 * killed the role poison_deaths times becomes failed and waits for a person.
 */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "deliver_int.h"
#include "err.h"
#include "log.h"

#define WINDOW_BYTES (24 << 20)
/*
 * A claim reaches this far ahead, so that it need not be renewed per mail; and
 * so many mails at most go out one at a time after a death.
 */
#define CLAIM_AHEAD 512

/* ---- the poison rule ---------------------------------------------------------- */

static bool
fail_poison(struct dlv_journal *j, struct store *st, int64_t id,
    int64_t deaths, int64_t now_ms, struct err *err)
{
	struct store_outcome o = { .mail_id = id, .journal = j->conf->name,
		.state = STORE_FAILED, .attempts = deaths, .first_ms = now_ms,
		.last_ms = now_ms,
		.reply = "the deliver role died of it again and again" };
	struct store_claim none = { 0 };

	store_begin(st);
	store_outcome_set(st, &o);
	store_attempt_add(st, id, now_ms, "poison", 0, o.reply);
	store_claim_set(st, STORE_DELIVER, j->lane.name, &none);
	store_claim_set(st, STORE_DELIVER, j->due.name, &none);
	if (!store_commit(st, err))
		return false;
	log_error("mail.failed", "mail=%" PRId64 " journal=%s reason=poison",
	    id, j->conf->name);
	j->lane.held = j->due.held = none;
	return true;
}

static bool
read_claim(struct dlv_journal *j, struct dlv_claim *c, struct store *st,
    struct err *err)
{
	int64_t last;

	if (!store_claim_get(st, STORE_DELIVER, c->name, &c->held, err) ||
	    !store_mail_last(st, j->conf->name, &last, err))
		return false;
	if (c->held.first == 0)
		return true;
	/* Of what it was claimed for ahead, nothing can have been at work
	   that is not there yet. */
	c->held.last = MAX(c->held.first, MIN(c->held.last, last));
	c->held.deaths++;
	store_begin(st);
	store_claim_set(st, STORE_DELIVER, c->name, &c->held);
	if (c == &j->lane && c->held.last > j->careful_until) {
		j->careful_until = c->held.last;
		store_cursor_set(st, STORE_DELIVER, j->cursor_careful,
		    j->careful_until);
	}
	log_warn("deliver.recover", "journal=%s first=%" PRId64 " last=%"
	    PRId64 " deaths=%" PRId64, j->conf->name, c->held.first,
	    c->held.last, c->held.deaths);
	return store_commit(st, err);
}

static bool
is_poison(const struct dlv_claim *c, int64_t poison_deaths)
{
	return c->held.first != 0 && c->held.first == c->held.last &&
	    c->held.deaths >= poison_deaths;
}

/* ---- open ------------------------------------------------------------------------ */

static bool
open_lanes(struct dlv_journal *j, struct store *st, struct err *err)
{
	int64_t last;

	if (!store_cursor_get(st, STORE_DELIVER, j->cursor_done, &j->done,
	    err) || !store_mail_last(st, j->conf->name, &last, err) ||
	    !store_mail_next_due(st, j->conf->name, &j->next_due_ms, err))
		return false;
	j->done_stored = j->done;
	j->fresh_next = j->done + 1;
	if (last > j->done) {
		struct dlv_range all = { j->done + 1, last };

		g_array_append_val(j->backlog, all);
		j->fresh_next = last + 1;
	}
	return true;
}

bool
dlv_journal_open(struct dlv_journal *j, struct store *st,
    int64_t poison_deaths, int64_t now_ms, struct err *err)
{
	const char *name = j->conf->name;

	j->cursor_done = g_strconcat(name, STORE_CURSOR_DONE, NULL);
	j->cursor_careful = g_strconcat(name, "/careful", NULL);
	j->lane.name = g_strdup(name);
	j->due.name = g_strconcat(name, "/due", NULL);
	j->backlog = g_array_new(FALSE, FALSE, sizeof(struct dlv_range));
	j->flying = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_queue_init(&j->fetched);
	if (!store_cursor_get(st, STORE_DELIVER, j->cursor_careful,
	    &j->careful_until, err) || !read_claim(j, &j->lane, st, err) ||
	    !read_claim(j, &j->due, st, err))
		return false;
	j->careful_due = j->due.held.first != 0;
	if (is_poison(&j->lane, poison_deaths) &&
	    !fail_poison(j, st, j->lane.held.first, j->lane.held.deaths,
	    now_ms, err))
		return false;
	if (is_poison(&j->due, poison_deaths) &&
	    !fail_poison(j, st, j->due.held.first, j->due.held.deaths,
	    now_ms, err))
		return false;
	return open_lanes(j, st, err);
}

static void
free_job(gpointer p)
{
	dlv_job_free(p);
}

void
dlv_journal_clear(struct dlv_journal *j)
{
	g_clear_pointer(&j->cursor_done, g_free);
	g_clear_pointer(&j->cursor_careful, g_free);
	g_clear_pointer(&j->lane.name, g_free);
	g_clear_pointer(&j->due.name, g_free);
	g_clear_pointer(&j->flying, g_hash_table_unref);
	if (j->backlog != NULL) {
		g_array_free(j->backlog, TRUE);
		g_queue_clear_full(&j->fetched, free_job);
	}
	j->backlog = NULL;
}

/* ---- fetch ------------------------------------------------------------------------- */

struct fetching {
	struct dlv_journal *j;
	bool is_retry;
	int64_t last_id;
	int taken;
};

static bool
take(void *arg, const struct store_mail *m)
{
	struct fetching *f = arg;
	struct dlv_journal *j = f->j;
	struct dlv_job *job;

	f->last_id = m->id;
	f->taken++;
	if ((m->bytes == NULL && m->file == NULL) ||
	    g_hash_table_contains(j->flying, &m->id))
		return true;
	job = g_new0(struct dlv_job, 1);
	job->journal = j;
	job->message_id = g_strdup(m->message_id);
	job->envelope_from = g_strdup(m->envelope_from);
	job->envelope_to = g_strdup(m->envelope_to);
	if (m->bytes != NULL)
		job->bytes = g_bytes_new(m->bytes, m->len);
	else
		job->file = g_strdup(m->file);
	memcpy(job->sha256, m->sha256, sizeof(job->sha256));
	job->queued_ms = m->queued_ms;
	job->attempts = m->attempts;
	job->first_ms = m->first_ms;
	job->is_retry = f->is_retry;
	job->mail = (struct deliver_mail){ .id = m->id,
		.message_id = job->message_id,
		.envelope_from = job->envelope_from,
		.envelope_to = job->envelope_to,
		.bytes = job->bytes != NULL ?
		    g_bytes_get_data(job->bytes, NULL) : NULL,
		.len = m->len, .mapped = job->file != NULL, .ref = job };
	dlv_journal_aloft(j, job);
	g_queue_push_tail(&j->fetched, job);
	return true;
}

static bool
is_careful(const struct dlv_journal *j)
{
	return j->careful_due || j->done < j->careful_until;
}

static int
room(const struct dlv_journal *j)
{
	const struct conf_relay *r = j->outlet->conf;
	int window = (r != NULL ? (int)r->sessions : 1) * DLV_WINDOW_PER_SESSION;

	if (is_careful(j))
		window = 1;
	if (j->flying_bytes > WINDOW_BYTES)
		return 0;
	return window - (int)g_hash_table_size(j->flying);
}

static bool
fetch_due(struct dlv_journal *j, struct store *st, int64_t now_ms, int limit,
    struct err *err)
{
	struct fetching f = { .j = j, .is_retry = true };

	if (now_ms < j->next_due_ms || limit <= 0)
		return true;
	/* Those in flight are listed again until they have landed. */
	if (!store_mail_due(st, j->conf->name, now_ms,
	    limit + (int)g_hash_table_size(j->flying), take, &f, err))
		return false;
	if (f.taken == 0)
		j->careful_due = false;
	return store_mail_next_due(st, j->conf->name, &j->next_due_ms, err);
}

struct deliver_schedule
dlv_outlet_schedule(const struct dlv_outlet *o)
{
	if (o->conf == NULL)
		return (struct deliver_schedule){ 5000, 900000 };
	return (struct deliver_schedule){ o->conf->retry_min_ms,
		o->conf->retry_max_ms };
}

bool
dlv_journal_hurry(struct dlv_journal *j, struct store *st, int64_t now_ms,
    struct err *err)
{
	struct deliver_schedule s = dlv_outlet_schedule(j->outlet);
	int64_t most = MAX(s.min_ms, s.max_ms);

	/* Up to a quarter of it is drawn at random. */
	store_begin(st);
	store_mail_hurry(st, j->conf->name,
	    clock_far_ms(now_ms, most + most / 4), now_ms);
	return store_commit(st, err) && store_mail_next_due(st,
	    j->conf->name, &j->next_due_ms, err);
}

static bool
fetch_range(struct dlv_journal *j, struct store *st, struct dlv_range *r,
    int limit, struct err *err)
{
	struct fetching f = { .j = j };

	if (!store_mail_pending(st, j->conf->name, r->next, r->last, limit,
	    take, &f, err))
		return false;
	if (f.taken > 0)
		r->next = f.last_id + 1;
	if (f.taken < limit && r->last != INT64_MAX)
		r->next = r->last + 1;
	return true;
}

static bool
fetch_fresh(struct dlv_journal *j, struct store *st, int limit,
    struct err *err)
{
	struct dlv_range r = { j->fresh_next, INT64_MAX };

	if (limit <= 0)
		return true;
	if (!fetch_range(j, st, &r, limit, err))
		return false;
	j->fresh_next = r.next;
	return true;
}

static bool
fetch_backlog(struct dlv_journal *j, struct store *st, int limit,
    struct err *err)
{
	while (j->backlog->len > 0 && limit > 0) {
		struct dlv_range *r = &g_array_index(j->backlog,
		    struct dlv_range, 0);
		guint before = j->fetched.length;

		if (!fetch_range(j, st, r, limit, err))
			return false;
		limit -= (int)(j->fetched.length - before);
		if (r->next <= r->last)
			return true;
		g_array_remove_index(j->backlog, 0);
	}
	return true;
}

/*
 * A quarter of what is taken up is new mail while old mail drains, also when
 * places become free one by one.
 */
static bool
fetch_share(struct dlv_journal *j, struct store *st, int places,
    struct err *err)
{
	int share;

	j->fresh_owed += places;
	share = MIN(j->fresh_owed / 4, places);
	j->fresh_owed %= 4;
	return fetch_fresh(j, st, share, err);
}

bool
dlv_journal_fetch(struct dlv_journal *j, struct store *st, int64_t now_ms,
    struct err *err)
{
	int n = room(j);

	if (n <= 0 || !dlv_outlet_has_room(j->outlet))
		return true;
	if (!fetch_due(j, st, now_ms, n > 1 ? n / 2 : n, err))
		return false;
	if (j->backlog->len > 0 && !fetch_share(j, st, room(j), err))
		return false;
	return fetch_backlog(j, st, room(j), err) &&
	    (j->backlog->len > 0 || fetch_fresh(j, st, room(j), err));
}

/* ---- claims and handing over ---------------------------------------------------------- */

static void
span_of(const struct dlv_journal *j, bool retries, struct store_claim *c)
{
	*c = (struct store_claim){ 0 };
	for (GList *l = j->fetched.head; l != NULL; l = l->next) {
		const struct dlv_job *job = l->data;

		if (job->is_retry != retries)
			continue;
		if (c->first == 0 || job->mail.id < c->first)
			c->first = job->mail.id;
		if (job->mail.id > c->last)
			c->last = job->mail.id;
	}
}

static bool
covers(const struct store_claim *held, const struct store_claim *want)
{
	return held->first != 0 && held->first <= want->first &&
	    held->last >= want->last;
}

static void
claim_span(struct dlv_journal *j, struct dlv_claim *c, struct store *st,
    struct store_claim *want)
{
	if (c->held.first == want->first && c->held.last == want->last)
		want->deaths = c->held.deaths;
	if (c == &j->lane && !is_careful(j)) {
		want->first = MIN(want->first, j->done + 1);
		want->last += CLAIM_AHEAD;
	} else if (c->held.first != 0 && !is_careful(j)) {
		want->first = MIN(want->first, c->held.first);
		want->last = MAX(want->last, c->held.last);
	}
	store_claim_set(st, STORE_DELIVER, c->name, want);
}

bool
dlv_journal_hand_over(struct dlv_journal *j, struct store *st,
    struct err *err)
{
	struct dlv_claim *claims[] = { &j->lane, &j->due };
	struct store_claim want[2];
	bool need[2];
	struct dlv_job *job;

	if (g_queue_is_empty(&j->fetched))
		return true;
	for (int i = 0; i < 2; i++) {
		span_of(j, i == 1, &want[i]);
		need[i] = want[i].first != 0 && (is_careful(j) ||
		    !covers(&claims[i]->held, &want[i]));
	}
	if (need[0] || need[1]) {
		store_begin(st);
		for (int i = 0; i < 2; i++) {
			if (need[i])
				claim_span(j, claims[i], st, &want[i]);
		}
		if (!store_commit(st, err))
			return false;
		for (int i = 0; i < 2; i++) {
			if (need[i])
				claims[i]->held = want[i];
		}
	}
	while ((job = g_queue_pop_head(&j->fetched)) != NULL)
		dlv_outlet_put(j->outlet, job, false);
	return true;
}

bool
dlv_journal_rebase(struct dlv_journal *j, struct store *st, struct err *err)
{
	int64_t last;

	if (!store_mail_last(st, j->conf->name, &last, err))
		return false;
	if (last >= j->fresh_next) {
		struct dlv_range r = { j->fresh_next, last };

		g_array_append_val(j->backlog, r);
		j->fresh_next = last + 1;
	}
	return true;
}

/* ---- progress --------------------------------------------------------------------------- */

static int64_t
weight(const struct dlv_job *job)
{
	return job->file != NULL ? DLV_FILE_WEIGHT : (int64_t)job->mail.len;
}

void
dlv_journal_landed(struct dlv_journal *j, struct dlv_job *job)
{
	g_hash_table_remove(j->flying, &job->mail.id);
	j->flying_bytes -= weight(job);
}

void
dlv_journal_aloft(struct dlv_journal *j, struct dlv_job *job)
{
	g_hash_table_insert(j->flying, &job->mail.id, job);
	j->flying_bytes += weight(job);
}

static int64_t
low_water(const struct dlv_journal *j)
{
	int64_t low = j->fresh_next;
	GHashTableIter it;
	gpointer job;

	for (guint i = 0; i < j->backlog->len; i++)
		low = MIN(low, g_array_index(j->backlog, struct dlv_range,
		    i).next);
	g_hash_table_iter_init(&it, j->flying);
	while (g_hash_table_iter_next(&it, NULL, &job)) {
		if (!((struct dlv_job *)job)->is_retry)
			low = MIN(low, ((struct dlv_job *)job)->mail.id);
	}
	return low - 1;
}

void
dlv_journal_mark(struct dlv_journal *j, struct store *st)
{
	struct store_claim none = { 0 };

	j->done = MAX(j->done, low_water(j));
	if (j->done != j->done_stored)
		store_cursor_set(st, STORE_DELIVER, j->cursor_done, j->done);
	j->done_stored = j->done;
	/* Nothing is in flight: a death now is nobody's fault. */
	if (g_hash_table_size(j->flying) == 0) {
		if (j->lane.held.first != 0)
			store_claim_set(st, STORE_DELIVER, j->lane.name,
			    &none);
		if (j->due.held.first != 0)
			store_claim_set(st, STORE_DELIVER, j->due.name,
			    &none);
		j->lane.held = j->due.held = none;
	}
}
