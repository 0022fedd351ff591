/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store: turns withheld, what persons decided, what is excluded. */
#include <string.h>

#include "fake/store_memory.h"

static bool
hold(struct store *st, const struct store_hold *h, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_turn *t = fake_turn(f, h->turn_id);

	if (t == NULL || t->state != FAKE_CLOSED || t->hold.turn_id != 0)
		return fake_refuse(err, "the turn is not closed, or was held");
	if (h->until_ms <= h->since_ms)
		return fake_refuse(err, "the hold has no end");
	t->hold = *h;
	t->hold.rule = fake_keep(f, h->rule);
	t->hold.ended_ms = 0;
	t->hold.end = NULL;
	t->state = FAKE_HELD;
	t->wait_until_ms = 0;
	return true;
}

static bool
unhold(struct store *st, int64_t turn_id, const char *end, int64_t now_ms,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_turn *t = fake_turn(f, turn_id);

	if (t == NULL || t->state != FAKE_HELD ||
	    !store_hold_end_is_known(end))
		return fake_refuse(err, "the turn is not held");
	t->hold.ended_ms = MAX(1, now_ms);
	t->hold.end = fake_keep(f, end);
	t->state = FAKE_CLOSED;
	return true;
}

static bool
get(struct store *st, int64_t turn_id, store_hold_fn *fn, void *arg,
    struct err *err)
{
	const struct fake_turn *t = fake_turn(FAKE_OF(st), turn_id);

	(void)err;
	if (t != NULL && t->hold.turn_id != 0)
		fn(arg, &t->hold);
	return true;
}

static bool
list(struct store *st, int64_t after, int limit, store_hold_fn *fn,
    void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (int64_t id = after + 1; fake_turn(f, id) != NULL && limit > 0;
	    id++) {
		const struct fake_turn *t = fake_turn(f, id);

		if (t->state != FAKE_HELD)
			continue;
		limit--;
		if (!fn(arg, &t->hold))
			return true;
	}
	return true;
}

static gint
by_until(gconstpointer a, gconstpointer b)
{
	const struct fake_turn *x = *(struct fake_turn *const *)a;
	const struct fake_turn *y = *(struct fake_turn *const *)b;

	return (x->hold.until_ms > y->hold.until_ms) -
	    (x->hold.until_ms < y->hold.until_ms);
}

static bool
due(struct store *st, int64_t now_ms, int limit, GArray *out,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	(void)err;
	for (int64_t id = 1; fake_turn(f, id) != NULL; id++) {
		struct fake_turn *t = fake_turn(f, id);

		if (t->state == FAKE_HELD && store_hold_is_over(
		    t->hold.since_ms, t->hold.until_ms, now_ms))
			g_ptr_array_add(all, t);
	}
	g_ptr_array_sort(all, by_until);
	for (guint i = 0; i < all->len && limit-- > 0; i++) {
		const struct fake_turn *t = all->pdata[i];

		g_array_append_val(out, t->hold.turn_id);
	}
	return true;
}

static bool
next_due(struct store *st, int64_t *out, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	*out = INT64_MAX;
	for (int64_t id = 1; fake_turn(f, id) != NULL; id++) {
		if (fake_turn(f, id)->state == FAKE_HELD)
			*out = MIN(*out, fake_turn(f, id)->hold.until_ms);
	}
	return true;
}

static bool
excluded(struct store *st, int64_t turn_id, const char *why, int64_t now_ms,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_turn *t = fake_turn(f, turn_id);

	if (t == NULL || t->why_excluded != NULL ||
	    (t->state != FAKE_CLOSED && t->state != FAKE_RENDERED))
		return fake_refuse(err, "the turn is not closed, or is "
		    "excluded");
	t->why_excluded = fake_keep(f, why);
	t->excluded_ms = now_ms;
	return true;
}

/* ---- review ---------------------------------------------------------------- */

static const struct store_review *
review(struct fake *f, guint i)
{
	return FAKE_AT(f, FAKE_REVIEW, store_review, i);
}

static bool
is_of(const struct store_review *r, int64_t turn_id, const char *send_key)
{
	return send_key != NULL ? g_strcmp0(r->send_key, send_key) == 0 :
	    turn_id != 0 && r->turn_id == turn_id;
}

static bool
is_sound(const struct store_review *r)
{
	return r->who != NULL && r->who[0] != '\0' &&
	    (strcmp(r->verb, "release") == 0 ||
	    strcmp(r->verb, "reject") == 0) &&
	    (r->turn_id == 0) == (r->send_key != NULL);
}

static bool
review_add(struct store *st, const struct store_review *r, int64_t *id,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_review row = *r;

	if (!is_sound(r))
		return fake_refuse(err, "this is no review");
	for (guint i = 0; i < FAKE_N(f, FAKE_REVIEW); i++) {
		if (is_of(review(f, i), r->turn_id, r->send_key) &&
		    strcmp(review(f, i)->who, r->who) == 0 &&
		    strcmp(review(f, i)->verb, r->verb) == 0)
			return fake_refuse(err, "the same person did it");
	}
	row.id = FAKE_N(f, FAKE_REVIEW) + 1;
	row.who = fake_keep(f, r->who);
	row.verb = fake_keep(f, r->verb);
	row.send_key = fake_keep(f, r->send_key);
	row.why = fake_keep(f, r->why == NULL ? "" : r->why);
	g_array_append_val(f->rows[FAKE_REVIEW], row);
	if (id != NULL)
		*id = row.id;
	return true;
}

static bool
review_list(struct store *st, int64_t after, int limit, store_review_fn *fn,
    void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = (guint)after; i < FAKE_N(f, FAKE_REVIEW) &&
	    limit-- > 0; i++) {
		if (!fn(arg, review(f, i)))
			return true;
	}
	return true;
}

static bool
review_of(struct store *st, int64_t turn_id, const char *send_key,
    store_review_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_REVIEW); i++) {
		if (is_of(review(f, i), turn_id, send_key) &&
		    !fn(arg, review(f, i)))
			return true;
	}
	return true;
}

const struct store_hold_verbs fake_hold_verbs = {
	.hold = hold, .unhold = unhold, .get = get, .list = list, .due = due,
	.next_due = next_due, .excluded = excluded, .review_add = review_add,
	.review_list = review_list, .review_of = review_of,
};
