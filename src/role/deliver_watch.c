/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the deliver role looks at now and then: wishes of a person (retry), mail
 * that waits too long, mail of journals that nobody knows any more. A failing
 * store only delays this.
 */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "deliver_int.h"
#include "err.h"
#include "log.h"
#include "role_int.h"

#define WARN_EVERY_MS 60000

/*
 * Mails of a journal that the configuration no longer knows wait for ever:
 * somebody must be told, at each start.
 */
void
dlv_warn_orphans(struct dlv *d)
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

void
dlv_actions_look(struct dlv *d, int64_t mono)
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

void
dlv_warn_late(struct dlv *d, struct dlv_journal *j, int64_t mono)
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
