/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of a turn, taken from their events; and whether they are of the
 * person who runs this.
 */
#include <glib.h>
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "ctl_int.h"
#include "directory.h"
#include "err.h"
#include "hash.h"
#include "item.h"
#include "store.h"
#include "wa.h"

/* ---- items ------------------------------------------------------------------- */

struct walk {
	ctl_item_fn *fn;
	void *arg;
	GPtrArray *items;	/* of the last event; NULL: it is not readable */
};

static bool
open_event(void *arg, const struct store_event *ev)
{
	struct walk *w = arg;
	struct wa_limits limits = WA_LIMITS_DEFAULT;

	limits.max_bytes = ev->len;
	if (ev->body == NULL || !(ev->id > STORE_EVENT_GATEWAY ?
	    wa_record_parse : wa_parse)(ev->body, ev->len, &limits, &w->items,
	    NULL)) {
		g_clear_pointer(&w->items, g_ptr_array_unref);
		w->fn(w->arg, NULL, ev->body, ev->len);
	}
	return false;
}

static bool
give_whole(void *arg, const struct store_event *ev)
{
	struct walk *w = arg;

	w->fn(w->arg, NULL, ev->body, ev->len);
	return false;
}

static bool
give_item(struct walk *w, const uint8_t wanted[HASH_SIZE])
{
	uint8_t key[HASH_SIZE];

	for (guint i = 0; i < w->items->len; i++) {
		const struct item *it = w->items->pdata[i];

		store_key(it->key, key);
		if (memcmp(key, wanted, HASH_SIZE) != 0)
			continue;
		w->fn(w->arg, it, NULL, 0);
		return true;
	}
	return false;
}

static bool
walk(struct ctl *ctl, const GArray *list, struct walk *w, struct err *err)
{
	int64_t last = 0;

	for (guint i = 0; i < list->len; i++) {
		const struct store_turn_item *t = &g_array_index(list,
		    struct store_turn_item, i);

		if (t->event_id != last) {
			g_clear_pointer(&w->items, g_ptr_array_unref);
			if (!store_event_get(ctl->store, t->event_id,
			    open_event, w, err))
				return false;
		}
		last = t->event_id;
		if (w->items != NULL && !give_item(w, t->key) &&
		    !store_event_get(ctl->store, t->event_id, give_whole, w,
		    err))
			return false;
	}
	return true;
}

bool
ctl_turn_items(struct ctl *ctl, int64_t turn_id, ctl_item_fn *fn, void *arg,
    struct err *err)
{
	struct walk w = { .fn = fn, .arg = arg };
	g_autoptr(GArray) list = NULL;
	bool ok = store_turn_item_list(ctl->store, turn_id, &list, err) &&
	    walk(ctl, list, &w, err);

	g_clear_pointer(&w.items, g_ptr_array_unref);
	return ok;
}

/* ---- whose they are ----------------------------------------------------------- */

/* Logins are ids of employees, or what stands before the "@" of their mail. */
static bool
is_login(const char *who, const char *id, const char *mail)
{
	size_t n = strlen(who);

	return (id != NULL && g_ascii_strcasecmp(id, who) == 0) ||
	    (mail != NULL && g_ascii_strncasecmp(mail, who, n) == 0 &&
	    (mail[n] == '@' || mail[n] == '\0'));
}

static bool
is_staff(const char *who, const struct directory_staff *s)
{
	return s != NULL && is_login(who, s->id, s->mail);
}

struct own {
	struct ctl *ctl;
	const char *who;
	bool is;
	struct err err;
};

static bool
take_answer(void *arg, const struct store_answer *a)
{
	struct own *o = arg;

	o->is |= a->found && is_login(o->who, a->id, a->mail);
	return false;
}

/* What the directory server said of them, too, however old it is. */
static void
look_up(struct own *o, const char *kind, const char *value)
{
	if (!o->is && value != NULL)
		store_answer_get(o->ctl->store, kind, value, take_answer, o,
		    &o->err);
}

static void
look_at_employee(struct own *o, const char *id)
{
	o->is |= is_login(o->who, id, NULL) || is_staff(o->who,
	    directory_staff_get(o->ctl->conf->directory, id));
	look_up(o, "id", id);
}

static void
look_at_item(void *arg, const struct item *it, const void *body, size_t len)
{
	struct own *o = arg;
	const struct directory *d = o->ctl->conf->directory;
	const struct directory_business *b;

	(void)body;
	(void)len;
	if (it == NULL || it->direction != ITEM_SENT)
		return;
	if (it->send != NULL && it->send->employee != NULL) {
		look_at_employee(o, it->send->employee);
		return;
	}
	b = directory_business_get(d, it->business.user_id,
	    it->business.number);
	o->is |= b != NULL && is_staff(o->who, directory_business_staff(b,
	    it->at_ms > 0 ? it->at_ms : clock_now_ms()));
	if (it->business.number == NULL)
		return;
	o->is |= is_staff(o->who, directory_staff_by_number(d,
	    it->business.number));
	look_up(o, "number", it->business.number);
}

bool
ctl_is_own(struct ctl *ctl, int64_t turn_id, const char *employee, bool *is,
    struct err *err)
{
	struct own o = { .ctl = ctl, .who = ctl_who() };
	bool ok = true;

	if (employee != NULL)
		look_at_employee(&o, employee);
	if (turn_id != 0)
		ok = ctl_turn_items(ctl, turn_id, look_at_item, &o, err);
	if (ok && o.err.kind != ERR_NONE) {
		*err = o.err;
		return false;
	}
	*is = o.is;
	return ok;
}
