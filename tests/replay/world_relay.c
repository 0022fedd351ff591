/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the deliver role does with a mail, without threads and sockets: each
 * journal has a relay that answers as the scenario says. What it has taken
 * is kept, so that a mail that comes twice must come with the same bytes.
 */
#include <inttypes.h>
#include <string.h>

#include "conf.h"
#include "deliver.h"
#include "err.h"
#include "world.h"

#define AT_ONCE 1000

static const struct deliver_schedule schedule = { .min_ms = 5000,
	.max_ms = 900000 };

struct delivery {
	struct world *w;
	const char *journal;
	enum world_answer answer;
	guint mails;
};

/* The relay has the whole mail, whatever the sender learns of it. */
static void
take(struct world *w, const struct store_mail *m, GBytes *bytes)
{
	g_autofree char *key = g_strjoin("|", m->journal, m->message_id, NULL);
	GBytes *had = g_hash_table_lookup(w->taken, key);

	if (had == NULL)
		g_hash_table_insert(w->taken, g_steal_pointer(&key),
		    g_bytes_ref(bytes));
	else if (g_bytes_equal(had, bytes))
		w->taken_again++;
	else
		world_fail(w, "%s came again with other bytes", key);
}

static void
write_outcome(const struct delivery *d, const struct store_mail *m)
{
	struct store_outcome o = { .mail_id = m->id, .journal = m->journal,
		.attempts = m->attempts + 1,
		.first_ms = m->first_ms > 0 ? m->first_ms : d->w->now_ms,
		.last_ms = d->w->now_ms };

	switch (d->answer) {
	case WORLD_ACCEPT:
		o.state = STORE_SENT;
		o.code = 250;
		o.reply = "2.0.0 Ok: queued as 4F1";
		break;
	case WORLD_REJECT:
		o.state = STORE_FAILED;
		o.code = 550;
		o.reply = "5.7.1 not here";
		break;
	case WORLD_DEFER:
	case WORLD_LOSE:
	case WORLD_LOSE_EARLY:
		o.state = STORE_DEFERRED;
		o.code = d->answer == WORLD_DEFER ? 451 : 0;
		o.reply = "4.3.0 later";
		o.next_ms = deliver_next_ms(&schedule, (int)o.attempts,
		    (uint64_t)m->id, d->w->now_ms);
		break;
	}
	store_outcome_set(d->w->outgoing, &o);
	if (o.state != STORE_SENT)
		store_attempt_add(d->w->outgoing, m->id, d->w->now_ms,
		    o.state == STORE_FAILED ? "failed" : "deferred", o.code,
		    o.reply);
}

/* The mail of a callback lives only as long: all is done at once. */
static bool
hand_over(void *arg, const struct store_mail *m)
{
	struct delivery *d = arg;
	g_autoptr(GBytes) bytes = world_bytes(m);

	d->mails++;
	if (bytes == NULL)
		return world_fail(d->w, "mail %" PRId64 " lost its bytes "
		    "before it was sent", m->id);
	if (d->answer == WORLD_ACCEPT || d->answer == WORLD_LOSE)
		take(d->w, m, bytes);
	write_outcome(d, m);
	return true;
}

static guint
deliver_some(struct world *w, const char *journal)
{
	struct delivery d = { .w = w, .journal = journal,
		.answer = GPOINTER_TO_INT(g_hash_table_lookup(w->answers,
		journal)) };
	struct err err = ERR_INIT;

	store_begin(w->outgoing);
	if (!store_mail_pending(w->outgoing, journal, 1, INT64_MAX, AT_ONCE,
	    hand_over, &d, &err) ||
	    !store_mail_due(w->outgoing, journal, w->now_ms, AT_ONCE, hand_over,
	    &d, &err)) {
		world_fail(w, "pending: %s", err.text);
		store_rollback(w->outgoing);
		return 0;
	}
	if (!store_commit(w->outgoing, &err))
		world_fail(w, "outcome: %s", err.text);
	return d.mails;
}

void
world_deliver(struct world *w)
{
	for (guint i = 0; i < w->conf->journals->len; i++) {
		const struct conf_journal *j = w->conf->journals->pdata[i];

		while (!world_failed(w) && deliver_some(w, j->name) > 0)
			;
	}
}

int64_t
world_next_retry(struct world *w)
{
	struct err err = ERR_INIT;
	int64_t next = INT64_MAX, at;

	for (guint i = 0; i < w->conf->journals->len; i++) {
		const struct conf_journal *j = w->conf->journals->pdata[i];

		if (!store_mail_next_due(w->outgoing, j->name, &at, &err)) {
			world_fail(w, "next_due: %s", err.text);
			return INT64_MAX;
		}
		next = MIN(next, at);
	}
	return next;
}
