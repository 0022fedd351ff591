/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store: turns. */
#include <string.h>

#include "fake/store_memory.h"

struct fake_turn *
fake_turn(struct fake *f, int64_t id)
{
	if (id < 1 || id > FAKE_N(f, FAKE_TURN))
		return NULL;
	return FAKE_AT(f, FAKE_TURN, fake_turn, (guint)id - 1);
}

static void
give_turn(GPtrArray *out, const struct fake_turn *row)
{
	struct turn *t = g_memdup2(&row->t, sizeof(row->t));

	t->conversation = g_strdup(row->t.conversation);
	t->author = g_strdup(row->t.author);
	g_ptr_array_add(out, t);
}

static bool
open_list(struct store *st, const char *conversation, GPtrArray *out,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_TURN); i++) {
		const struct fake_turn *t = FAKE_AT(f, FAKE_TURN, fake_turn,
		    i);

		if (t->state == FAKE_OPEN &&
		    strcmp(t->t.conversation, conversation) == 0)
			give_turn(out, t);
	}
	return true;
}

static bool
due_list(struct store *st, int64_t now_ms, int limit, GPtrArray *out,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_TURN) &&
	    (int)out->len < limit; i++) {
		const struct fake_turn *t = FAKE_AT(f, FAKE_TURN, fake_turn,
		    i);

		if (t->state == FAKE_OPEN && t->t.close_at_ms <= now_ms)
			give_turn(out, t);
	}
	return true;
}

static bool
closed_list(struct store *st, int64_t after, int limit, GPtrArray *out,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = (guint)after; i < FAKE_N(f, FAKE_TURN) &&
	    (int)out->len < limit; i++) {
		const struct fake_turn *t = FAKE_AT(f, FAKE_TURN, fake_turn,
		    i);

		if (t->state == FAKE_CLOSED)
			give_turn(out, t);
	}
	return true;
}

static bool
next_due(struct store *st, int64_t *out, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	*out = INT64_MAX;
	for (guint i = 0; i < FAKE_N(f, FAKE_TURN); i++) {
		const struct fake_turn *t = FAKE_AT(f, FAKE_TURN, fake_turn,
		    i);

		if (t->state == FAKE_OPEN)
			*out = MIN(*out, t->t.close_at_ms);
	}
	return true;
}

static bool
item_list(struct store *st, int64_t turn_id, GArray *out, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct fake_item *it = FAKE_AT(f, FAKE_ITEM, fake_item,
		    i);
		struct store_turn_item row = { .event_id = it->it.event_id };

		memcpy(row.key, it->key, HASH_SIZE);
		if (it->it.turn_id == turn_id)
			g_array_append_val(out, row);
	}
	return true;
}

static bool
turn_add(struct store *st, struct turn *t, const char *business,
    const char *kind, enum turn_close_reason reason, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_turn row = { .t = *t };

	(void)business, (void)kind, (void)err;
	t->id = row.t.id = FAKE_N(f, FAKE_TURN) + 1;
	row.t.conversation = fake_keep(f, t->conversation);
	row.t.author = fake_keep(f, t->author);
	if (reason != TURN_STILL_OPEN) {
		row.state = FAKE_CLOSED;
		row.why_closed = turn_close_reason_name(reason);
		row.closed_ms = t->touched_ms;
	}
	g_array_append_val(f->rows[FAKE_TURN], row);
	return true;
}

/* The turn, if it is in a state from..to; else the caller is wrong. */
static struct fake_turn *
expect(struct store *st, int64_t id, enum fake_turn_state from,
    enum fake_turn_state to, struct err *err)
{
	struct fake_turn *t = fake_turn(FAKE_OF(st), id);

	if (t != NULL && t->state >= from && t->state <= to)
		return t;
	err_set(err, ERR_PERM, "store.state", "turn %d is in another state",
	    (int)id);
	return NULL;
}

static bool
turn_update(struct store *st, const struct turn *t, struct err *err)
{
	struct fake_turn *row = expect(st, t->id, FAKE_OPEN, FAKE_OPEN, err);
	struct turn old;

	if (row == NULL)
		return false;
	old = row->t;
	row->t = *t;
	row->t.conversation = old.conversation;
	row->t.author = old.author;
	row->t.opened_ms = old.opened_ms;
	return true;
}

static bool
turn_close(struct store *st, int64_t id, enum turn_close_reason reason,
    int64_t now_ms, struct err *err)
{
	struct fake_turn *row = expect(st, id, FAKE_OPEN, FAKE_OPEN, err);

	if (row == NULL)
		return false;
	row->state = FAKE_CLOSED;
	row->why_closed = turn_close_reason_name(reason);
	row->closed_ms = now_ms;
	return true;
}

static bool
turn_get(struct store *st, int64_t id, struct turn *out, char state[16],
    char **message_id, struct err *err)
{
	static const char *const names[] = {
		[FAKE_OPEN] = "open", [FAKE_CLOSED] = "closed",
		[FAKE_HELD] = "held",
		[FAKE_RENDERED] = "rendered", [FAKE_PARKED] = "parked",
	};
	const struct fake_turn *t = fake_turn(FAKE_OF(st), id);

	(void)err;
	if (t == NULL)
		return true;
	*out = t->t;
	out->conversation = g_strdup(t->t.conversation);
	out->author = g_strdup(t->t.author);
	g_strlcpy(state, names[t->state], 16);
	*message_id = g_strdup(t->message_id);
	return true;
}

static bool
turn_wait(struct store *st, int64_t id, int64_t until_ms, struct err *err)
{
	struct fake_turn *row = expect(st, id, FAKE_CLOSED, FAKE_CLOSED, err);

	if (row == NULL)
		return false;
	row->wait_until_ms = until_ms;
	return true;
}

static gint
by_wait(gconstpointer a, gconstpointer b)
{
	const struct fake_turn *x = *(struct fake_turn *const *)a;
	const struct fake_turn *y = *(struct fake_turn *const *)b;

	return (x->wait_until_ms > y->wait_until_ms) -
	    (x->wait_until_ms < y->wait_until_ms);
}

static bool
wait_due(struct store *st, int64_t now_ms, int limit, GArray *out,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	g_autoptr(GPtrArray) due = g_ptr_array_new();

	(void)err;
	for (int64_t id = 1; fake_turn(f, id) != NULL; id++) {
		struct fake_turn *t = fake_turn(f, id);

		if (t->wait_until_ms != 0 && t->wait_until_ms <= now_ms)
			g_ptr_array_add(due, t);
	}
	g_ptr_array_sort(due, by_wait);
	for (guint i = 0; i < due->len && limit-- > 0; i++) {
		const struct fake_turn *t = due->pdata[i];

		g_array_append_val(out, t->t.id);
	}
	return true;
}

static bool
wait_next(struct store *st, int64_t *out, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	*out = INT64_MAX;
	for (int64_t id = 1; fake_turn(f, id) != NULL; id++) {
		if (fake_turn(f, id)->wait_until_ms != 0)
			*out = MIN(*out, fake_turn(f, id)->wait_until_ms);
	}
	return true;
}

static bool
turn_rendered(struct store *st, int64_t id, const char *message_id,
    const uint8_t *sha256, int64_t now_ms, struct err *err)
{
	struct fake_turn *row = expect(st, id, FAKE_CLOSED, FAKE_CLOSED, err);

	(void)sha256;
	if (row == NULL)
		return false;
	row->state = FAKE_RENDERED;
	row->wait_until_ms = 0;
	row->message_id = fake_keep(FAKE_OF(st), message_id);
	row->done_ms = now_ms;
	return true;
}

static bool
turn_park(struct store *st, int64_t id, const char *reason, int64_t now_ms,
    struct err *err)
{
	struct fake_turn *row = expect(st, id, FAKE_OPEN, FAKE_HELD, err);

	if (row == NULL)
		return false;
	if (row->state == FAKE_HELD) {
		row->hold.ended_ms = MAX(1, now_ms);
		row->hold.end = "parked";
	}
	row->state = FAKE_PARKED;
	row->wait_until_ms = 0;
	row->why_parked = fake_keep(FAKE_OF(st), reason);
	row->done_ms = now_ms;
	return true;
}

const struct store_turn_verbs fake_turn_verbs = {
	.open_list = open_list, .due_list = due_list,
	.closed_list = closed_list, .next_due = next_due,
	.item_list = item_list, .add = turn_add, .update = turn_update,
	.close = turn_close, .rendered = turn_rendered, .park = turn_park,
	.unpark = fake_turn_unpark, .wait = turn_wait, .wait_due = wait_due, .wait_next = wait_next,
	.get = turn_get,
};
