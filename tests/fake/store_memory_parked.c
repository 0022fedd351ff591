/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake store: what is parked no more, what persons want done about it, and
 * other bytes under a known key.
 */
#include <string.h>

#include "fake/store_memory.h"

/* ---- parked ----------------------------------------------------------------- */

static struct fake_parked *
parked(struct fake *f, int64_t event_id)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_PARKED_EVENT); i++) {
		struct fake_parked *p = FAKE_AT(f, FAKE_PARKED_EVENT,
		    fake_parked, i);

		if (p->event_id == event_id)
			return p;
	}
	return NULL;
}

bool
fake_event_park(struct store *st, int64_t event_id, int64_t turn_id,
    const char *reason, int64_t now_ms, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_parked row = { .event_id = event_id, .turn_id = turn_id,
		.at_ms = now_ms, .reason = fake_keep(f, reason) };
	struct fake_parked *old = parked(f, event_id);

	(void)err;
	if (old == NULL) {
		g_array_append_val(f->rows[FAKE_PARKED_EVENT], row);
		return true;
	}
	old->turn_id = turn_id;
	old->reason = row.reason;
	return true;
}

bool
fake_event_unpark(struct store *st, int64_t event_id, int64_t now_ms,
    struct err *err)
{
	struct fake_parked *p = parked(FAKE_OF(st), event_id);

	if (p == NULL || p->ended_ms != 0)
		return fake_refuse(err, "the event is not parked");
	p->ended_ms = MAX(1, now_ms);
	return true;
}

bool
fake_parked_get(struct store *st, int64_t event_id, store_parked_fn *fn,
    void *arg, struct err *err)
{
	const struct fake_parked *p = parked(FAKE_OF(st), event_id);
	struct store_parked row;

	(void)err;
	if (p == NULL)
		return true;
	row = (struct store_parked){ .event_id = p->event_id,
		.turn_id = p->turn_id, .at_ms = p->at_ms,
		.ended_ms = p->ended_ms, .reason = p->reason };
	fn(arg, &row);
	return true;
}

bool
fake_turn_unpark(struct store *st, int64_t id, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_turn *t = fake_turn(f, id);
	struct fake_unparked row = { .turn_id = id };

	if (t == NULL || t->state != FAKE_PARKED)
		return fake_refuse(err, "the turn is not parked");
	row.why = t->why_parked;
	row.at_ms = t->done_ms;
	g_array_append_val(f->rows[FAKE_UNPARKED], row);
	t->state = FAKE_CLOSED;
	t->why_parked = NULL;
	t->done_ms = 0;
	return true;
}

/* ---- requests ---------------------------------------------------------------- */

bool
fake_request_add(struct store *st, const struct store_request *r,
    int64_t *id, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_request row = *r;

	(void)err;
	row.id = FAKE_N(f, FAKE_REQUEST) + 1;
	row.who = fake_keep(f, r->who);
	row.verb = fake_keep(f, r->verb);
	row.why = fake_keep(f, r->why == NULL ? "" : r->why);
	g_array_append_val(f->rows[FAKE_REQUEST], row);
	if (id != NULL)
		*id = row.id;
	return true;
}

static const struct store_request *
request(struct fake *f, guint i)
{
	return FAKE_AT(f, FAKE_REQUEST, store_request, i);
}

bool
fake_request_list(struct store *st, int64_t after, int limit,
    store_request_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = (guint)after; i < FAKE_N(f, FAKE_REQUEST) &&
	    limit-- > 0; i++) {
		if (!fn(arg, request(f, i)))
			return true;
	}
	return true;
}

static bool
is_of(const struct store_request *r, const struct store_row *row)
{
	if (row->mail_id != 0)
		return r->mail_id == row->mail_id;
	if (row->event_id != 0)
		return r->event_id == row->event_id;
	return row->turn_id != 0 && r->turn_id == row->turn_id;
}

const char *
fake_acknowledged(struct fake *f, const struct store_row *row)
{
	const char *said = NULL;

	for (guint i = 0; i < FAKE_N(f, FAKE_REQUEST); i++) {
		const struct store_request *r = request(f, i);
		g_autofree char *text = NULL;

		if (strcmp(r->verb, "acknowledge") != 0 || !is_of(r, row))
			continue;
		text = g_strdup_printf("%s: %s", r->who, r->why);
		said = fake_keep(f, text);
	}
	return said;
}

/* ---- other bytes under a known key ---------------------------------------------- */

static struct fake_variant *
variant(struct fake *f, guint i)
{
	return FAKE_AT(f, FAKE_VARIANT, fake_variant, i);
}

static struct fake_variant *
find_variant(struct fake *f, const uint8_t *key, const uint8_t *digest)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_VARIANT); i++) {
		if (memcmp(variant(f, i)->key, key, HASH_SIZE) == 0 &&
		    memcmp(variant(f, i)->digest, digest, HASH_SIZE) == 0)
			return variant(f, i);
	}
	return NULL;
}

static int64_t
place_of(struct fake *f, const struct fake_variant *v)
{
	int64_t nth = 0;

	for (guint i = 0; i < FAKE_N(f, FAKE_VARIANT); i++) {
		nth += memcmp(variant(f, i)->key, v->key, HASH_SIZE) == 0;
		if (variant(f, i) == v)
			break;
	}
	return nth;
}

bool
fake_variant_add(struct store *st, const uint8_t *key, const uint8_t *digest,
    int64_t event_id, int64_t at_ms, int64_t *nth, bool *is_new,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_variant *old = find_variant(f, key, digest);
	struct fake_variant row = { .event_id = event_id, .at_ms = at_ms };

	(void)err;
	*is_new = old == NULL;
	if (*is_new) {
		memcpy(row.key, key, HASH_SIZE);
		memcpy(row.digest, digest, HASH_SIZE);
		g_array_append_val(f->rows[FAKE_VARIANT], row);
		old = variant(f, FAKE_N(f, FAKE_VARIANT) - 1);
	}
	old->times++;
	*nth = place_of(f, old);
	return true;
}

bool
fake_variant_filed(struct store *st, const uint8_t *key,
    const uint8_t *digest, int64_t turn_id, struct err *err)
{
	struct fake_variant *v = find_variant(FAKE_OF(st), key, digest);

	(void)err;
	if (v != NULL)
		v->turn_id = turn_id;
	return true;
}

static const struct store_item *
first_of(struct fake *f, const struct fake_variant *v)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct fake_item *it = FAKE_AT(f, FAKE_ITEM, fake_item,
		    i);

		if (memcmp(it->key, v->key, HASH_SIZE) == 0)
			return &it->it;
	}
	return NULL;
}

bool
fake_variant_is_lost(struct fake *f, guint i)
{
	const struct fake_variant *v = variant(f, i);
	const struct store_item *first = first_of(f, v);

	return v->turn_id == 0 && place_of(f, v) <= STORE_VARIANTS_MAX &&
	    first != NULL && strcmp(first->kind, "receipt") != 0;
}

void
fake_list_differing(struct fake *f, int64_t after, int limit,
    store_row_fn *fn, void *arg)
{
	for (guint i = (guint)after; i < FAKE_N(f, FAKE_VARIANT) &&
	    limit-- > 0; i++) {
		const struct fake_variant *v = variant(f, i);
		const struct store_item *first = first_of(f, v);
		char was[HASH_HEX_SIZE], is[HASH_HEX_SIZE];
		struct store_row row = { .variant_id = i + 1,
			.turn_id = v->turn_id, .event_id = v->event_id,
			.state = "differs", .at_ms = v->at_ms,
			.attempts = v->times };

		hash_hex(v->digest, is);
		row.digest = is;
		if (first != NULL) {
			hash_hex(first->digest, was);
			row.first = was;
			row.wamid = first->id;
		}
		if (fake_turn(f, v->turn_id) != NULL)
			row.message_id = fake_turn(f, v->turn_id)->message_id;
		if (!fn(arg, &row))
			return;
	}
}
