/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns that a rule withholds: put aside, shown to persons, and taken up again
 * when enough of them released it, one of them rejected it, or its time is
 * over. Each comes back exactly once, and always gives a mail: a hold can
 * delay, never lose. Who did what and why goes into that mail.
 */
#include <inttypes.h>
#include <string.h>

#include "build_int.h"
#include "clock.h"
#include "conf.h"
#include "err.h"
#include "item.h"
#include "log.h"
#include "policy.h"
#include "text.h"

#define CURSOR_REVIEW "review"
#define DUE_MAX 64

void
build_hold(struct build *b, struct build_turn *t,
    const struct policy_verdict *v, int64_t now_ms)
{
	struct store_hold h = { .turn_id = t->id, .rule = v->hold_rule,
		.since_ms = now_ms, .until_ms = now_ms + v->hold_ms,
		.persons = MAX(v->hold_persons, 1) };

	store_turn_hold(b->store, &h);
	build_withhold_note(b);
	t->held = g_strdup(v->hold_rule);
	build_tell(b, LOG_LEVEL_WARN, "turn.held", "turn=%" PRId64
	    " rule=%s persons=%" PRId64, t->id, v->hold_rule, h.persons);
}

/* ---- what persons decided -------------------------------------------------- */

struct decision {
	guint persons;		/* needed */
	GHashTable *who;	/* who released it, each once */
	const char *end;	/* NULL: not decided */
};

/*
 * What decided first counts, however many acts there are by the time that they
 * are looked at.
 */
static bool
take_review(void *arg, const struct store_review *r)
{
	struct decision *d = arg;

	if (strcmp(r->verb, "release") == 0)
		g_hash_table_add(d->who, g_strdup(r->who));
	if (strcmp(r->verb, "reject") == 0)
		d->end = "rejected";
	else if (g_hash_table_size(d->who) >= d->persons)
		d->end = "released";
	return d->end == NULL;
}

static bool
take_hold(void *arg, const struct store_hold *h)
{
	struct build_hold *out = arg;

	out->turn_id = h->turn_id;
	g_free(out->rule);
	out->rule = g_strdup(h->rule);
	out->since_ms = h->since_ms;
	out->until_ms = h->until_ms;
	out->persons = h->persons;
	out->ended_ms = h->ended_ms;
	out->end = h->end != NULL ? g_intern_string(h->end) : NULL;
	return false;
}

/* The hold is over: the turn is rendered in this transaction. */
static bool
take_up(struct build *b, struct build_hold *h, const char *end,
    int64_t now_ms, struct err *err)
{
	struct turn turn = { 0 };
	struct build_turn *t;
	char state[16];
	bool ok = store_turn_get(b->store, h->turn_id, &turn, state, NULL,
	    err);

	if (ok) {
		store_turn_unhold(b->store, h->turn_id, end, now_ms);
		t = build_turn_closed(b, h->turn_id, turn.conversation, NULL,
		    NULL);
		t->hold = *h;
		t->hold.end = end;
		t->hold.ended_ms = now_ms;
		h->rule = NULL;
		build_tell(b, LOG_LEVEL_WARN, "turn.unheld", "turn=%" PRId64
		    " rule=%s end=%s", t->id, t->hold.rule, end);
	}
	turn_clear(&turn);
	return ok;
}

/* Looks whether the hold on the turn is over, and ends it. */
static bool
look_at(struct build *b, int64_t turn_id, int64_t now_ms, struct err *err)
{
	struct build_hold h = { 0 };
	struct decision d = { .who = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL) };
	bool ok = store_hold_get(b->store, turn_id, take_hold, &h, err);

	d.persons = (guint)h.persons;
	ok = ok && store_review_of(b->store, turn_id, NULL, take_review, &d,
	    err);
	if (d.end == NULL && store_hold_is_over(h.since_ms, h.until_ms,
	    now_ms))
		d.end = "expired";
	if (ok && h.turn_id != 0 && h.ended_ms == 0 && d.end != NULL)
		ok = take_up(b, &h, d.end, now_ms, err);
	g_hash_table_unref(d.who);
	g_free(h.rule);
	return ok;
}

struct fresh {
	int64_t id, turn_id;
};

static bool
take_first(void *arg, const struct store_review *r)
{
	struct fresh *f = arg;

	f->id = r->id;
	f->turn_id = r->turn_id;
	return false;
}

bool
build_holds_look(struct build *b, int64_t now_ms, struct build_holds *out,
    struct err *err)
{
	g_autoptr(GArray) due = NULL;
	struct fresh f = { 0 };
	int64_t cursor;

	*out = (struct build_holds){ 0 };
	if (!store_cursor_get(b->store, STORE_BUILD, CURSOR_REVIEW, &cursor,
	    err) ||
	    !store_review_list(b->store, cursor, 1, take_first, &f, err) ||
	    !store_hold_due(b->store, now_ms, 1, &due, err))
		return false;
	out->review_id = f.id;
	out->turn_id = f.turn_id != 0 ? f.turn_id :
	    due->len > 0 ? g_array_index(due, int64_t, 0) : 0;
	return true;
}

/* One at a time: holds are rare, and each may be what kills its renderer. */
bool
build_holds_work(struct build *b, const struct build_holds *todo,
    int64_t now_ms, struct err *err)
{
	if (todo->turn_id != 0 &&
	    !look_at(b, todo->turn_id, now_ms, err))
		return false;
	if (todo->review_id != 0)
		store_cursor_set(b->store, STORE_BUILD, CURSOR_REVIEW,
		    todo->review_id);
	return true;
}

bool
build_hold_recall(struct build *b, struct build_turn *t, int64_t turn_id,
    struct err *err)
{
	return store_hold_get(b->store, turn_id, take_hold, &t->hold, err);
}

/* ---- for the mail ---------------------------------------------------------- */

static bool
show_review(void *arg, const struct store_review *r)
{
	GPtrArray **list = arg;
	g_autofree char *act = NULL;
	char at[CLOCK_ISO_SIZE];

	act = g_strdup_printf("%s, %s: %s", r->who,
	    clock_iso(r->at_ms, 0, at), r->why != NULL ? r->why : "-");
	item_fact_list_add(list, r->verb, act);
	return true;
}

bool
build_hold_reviews(struct build *b, int64_t turn_id, GPtrArray **out,
    struct err *err)
{
	return store_review_of(b->store, turn_id, NULL, show_review, out,
	    err);
}
