/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relays up and down. A relay that is itself at fault is paused with growing
 * delay and probed by one session; its mail stays where it is. Runs in the
 * main thread of the deliver role; never decides about a single mail.
 */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "deliver_int.h"
#include "err.h"
#include "log.h"
#include "text.h"

/* A relay that took a mail this recently is not paused for one session. */
#define ALIVE_MS 2000

void
dlv_relay_store(struct dlv *d, const struct dlv_outlet *o, bool up,
    const char *reason)
{
	struct err err = ERR_INIT;
	int64_t wait = up ? 0 : o->retry_at_ms - clock_mono_ms();
	int64_t now = clock_now_ms();

	store_begin(d->store);
	store_relay_set(d->store, o->name, up, o->since_ms,
	    up ? 0 : now + wait, reason);
	if (!store_commit(d->store, &err))
		log_err(LOG_LEVEL_WARN, "deliver.retry", &err, "what=relay");
}

void
dlv_relay_down(struct dlv *d, struct dlv_outlet *o, const char *reason)
{
	struct deliver_schedule s = { .min_ms = 1000, .max_ms = 60000 };
	g_autofree char *why = text_log_quote(reason);
	int64_t mono = clock_mono_ms();

	if (o->state == DLV_PAUSED)
		return;
	if (o->state == DLV_UP && mono - o->last_ok_ms < ALIVE_MS &&
	    o->last_ok_ms != 0) {
		log_warn("relay.session", "relay=%s reason=%s", o->name, why);
		return;
	}
	if (o->conf != NULL)
		s = (struct deliver_schedule){ MIN(o->conf->retry_min_ms,
			60000), MIN(o->conf->retry_max_ms, 60000) };
	o->failures++;
	o->retry_at_ms = deliver_next_ms(&s, o->failures,
	    (uint64_t)o->failures * 0x9e3779b9u, mono);
	dlv_outlet_set(o, DLV_PAUSED);
	if (!o->told_down)
		o->since_ms = clock_now_ms();
	log_warn("relay.down", "relay=%s failures=%d retry_in_ms=%" PRId64
	    " reason=%s", o->name, o->failures, o->retry_at_ms - mono, why);
	o->told_down = true;
	dlv_relay_store(d, o, false, reason);
}

void
dlv_relay_alive(struct dlv *d, struct dlv_outlet *o)
{
	struct err err = ERR_INIT;

	o->last_ok_ms = clock_mono_ms();
	o->failures = 0;
	if (o->state == DLV_UP)
		return;
	for (guint i = 0; i < d->journals->len; i++) {
		struct dlv_journal *j = d->journals->pdata[i];

		if (j->outlet == o &&
		    !dlv_journal_rebase(j, d->store, &err))
			log_err(LOG_LEVEL_WARN, "deliver.retry", &err,
			    "what=rebase");
	}
	dlv_outlet_set(o, DLV_UP);
	log_info("relay.up", "relay=%s after_ms=%" PRId64, o->name,
	    clock_now_ms() - o->since_ms);
	o->since_ms = clock_now_ms();
	o->told_down = false;
	dlv_relay_store(d, o, true, "");
}

void
dlv_relays_look(struct dlv *d)
{
	int64_t mono = clock_mono_ms();
	char reason[sizeof(((struct err *)0)->text)];

	for (guint i = 0; i < d->outlets->len; i++) {
		struct dlv_outlet *o = d->outlets->pdata[i];

		if (dlv_outlet_fault(o, reason, sizeof(reason))) {
			if (o->state == DLV_PROBE)
				o->state = DLV_UP;
			dlv_relay_down(d, o, reason);
		}
		if (o->state == DLV_PAUSED && mono >= o->retry_at_ms)
			dlv_outlet_set(o, DLV_PROBE);
	}
}
