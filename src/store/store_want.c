/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of files that belong to messages: what build wants, what media
 * fetched, and the turns that wait for it or follow it up. As store.c: knows
 * no SQL, hands everything to the driver.
 */
#include "store.h"

#include <string.h>

#include "err.h"
#include "store_int.h"

/* ---- wants: written by build -------------------------------------------- */

bool
store_want_add(struct store *st, const struct store_want *w, int64_t *id)
{
	return STORE_WRITE(st, STORE_BUILD, want, add, w, id);
}

bool
store_want_list(struct store *st, int64_t after, int limit,
    store_want_fn *fn, void *arg, struct err *err)
{
	return st->driver->want->list(st, after, limit, fn, arg, err);
}

bool
store_want_of_turn(struct store *st, int64_t turn_id, store_want_fn *fn,
    void *arg, struct err *err)
{
	return st->driver->want->of_turn(st, turn_id, fn, arg, err);
}

bool
store_want_of_media(struct store *st, const char *media_id,
    store_want_fn *fn, void *arg, struct err *err)
{
	return st->driver->want->of_media(st, media_id, fn, arg, err);
}

bool
store_want_get(struct store *st, int64_t id, store_want_fn *fn, void *arg,
    struct err *err)
{
	return st->driver->want->get(st, id, fn, arg, err);
}

bool
store_want_late(struct store *st, int64_t want_id)
{
	return STORE_WRITE(st, STORE_BUILD, want, late, want_id);
}

bool
store_follow_up_add(struct store *st, int64_t turn_id, int64_t want_id)
{
	return STORE_WRITE(st, STORE_BUILD, want, follow_up_add, turn_id,
	    want_id);
}

bool
store_follow_up_get(struct store *st, int64_t turn_id, int64_t *want_id,
    struct err *err)
{
	return st->driver->want->follow_up_get(st, turn_id, want_id, err);
}

/* ---- fetches: written by media ------------------------------------------ */

bool
store_fetch_list(struct store *st, enum store_fetch_state state,
    int64_t now_ms, int limit, store_want_fn *fn, void *arg, struct err *err)
{
	return st->driver->fetch->list(st, state, now_ms, limit, fn, arg, err);
}

bool
store_fetch_next_due(struct store *st, int64_t *out, struct err *err)
{
	return st->driver->fetch->next_due(st, out, err);
}

bool
store_fetch_set(struct store *st, const struct store_fetch *f)
{
	return STORE_WRITE(st, STORE_MEDIA, fetch, set, f);
}

bool
store_result_list(struct store *st, int64_t after, int limit,
    store_want_fn *fn, void *arg, struct err *err)
{
	return st->driver->fetch->results(st, after, limit, fn, arg, err);
}

bool
store_media_purge(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	return store_purge(st, STORE_MEDIA, st->driver->fetch->purge,
	    before_ms, limit, n, err);
}

/* ---- names of states, shared by the drivers ------------------------------ */

static const char *const state_names[] = {
	[STORE_FETCH_NONE] = "wanted", [STORE_FETCH_TRYING] = "trying",
	[STORE_FETCH_RETRY] = "retry", [STORE_FETCHED] = "fetched",
	[STORE_QUARANTINED] = "quarantined",
	[STORE_UNAVAILABLE] = "unavailable",
};

const char *
store_fetch_name(enum store_fetch_state state)
{
	return state_names[state];
}

enum store_fetch_state
store_fetch_state(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(state_names); i++) {
		if (g_strcmp0(name, state_names[i]) == 0)
			return (enum store_fetch_state)i;
	}
	return STORE_FETCH_NONE;
}

bool
store_fetch_is_final(enum store_fetch_state state)
{
	return state >= STORE_FETCHED;
}
