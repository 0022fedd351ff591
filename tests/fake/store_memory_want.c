/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store: files of messages, from wanted to followed up. */
#include <string.h>

#include "fake/store_memory.h"

static bool
refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_PERM, "store.state", "refused: %s", why);
}

struct fake_want *
fake_want(struct fake *f, int64_t id)
{
	if (id < 1 || id > FAKE_N(f, FAKE_WANT))
		return NULL;
	return FAKE_AT(f, FAKE_WANT, fake_want, (guint)id - 1);
}

int64_t
fake_follow_up(struct fake *f, int64_t want_id)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_FOLLOW_UP); i++) {
		const struct fake_follow_up *u = FAKE_AT(f, FAKE_FOLLOW_UP,
		    fake_follow_up, i);

		if (u->want_id == want_id)
			return u->turn_id;
	}
	return 0;
}

/* ---- wants ----------------------------------------------------------------- */

static bool
want_add(struct store *st, const struct store_want *w, int64_t *id,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_want row = { .w = *w };

	if (fake_turn(f, w->turn_id) == NULL || w->media_id == NULL)
		return refuse(err, "the want has no turn or no id");
	row.w.id = row.fetch.want_id = FAKE_N(f, FAKE_WANT) + 1;
	row.w.late = false;
	row.w.business = fake_keep(f, w->business);
	row.w.media_id = fake_keep(f, w->media_id);
	row.w.url = fake_keep(f, w->url);
	row.w.mime_type = fake_keep(f, w->mime_type);
	row.w.sha256 = fake_keep(f, w->sha256);
	g_array_append_val(f->rows[FAKE_WANT], row);
	if (id != NULL)
		*id = row.w.id;
	return true;
}

static bool
give(const struct fake_want *row, store_want_fn *fn, void *arg)
{
	struct fake_want copy = *row;

	return fn(arg, &copy.w, &copy.fetch);
}

static bool
want_list(struct store *st, int64_t after, int limit, store_want_fn *fn,
    void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (int64_t id = after + 1; limit-- > 0 && fake_want(f, id) != NULL;
	    id++) {
		if (!give(fake_want(f, id), fn, arg))
			break;
	}
	return true;
}

static bool
want_of_turn(struct store *st, int64_t turn_id, store_want_fn *fn, void *arg,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		if (fake_want(f, id)->w.turn_id == turn_id &&
		    !give(fake_want(f, id), fn, arg))
			break;
	}
	return true;
}

static bool
want_of_media(struct store *st, const char *media_id, store_want_fn *fn,
    void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		if (strcmp(fake_want(f, id)->w.media_id, media_id) == 0 &&
		    !give(fake_want(f, id), fn, arg))
			break;
	}
	return true;
}

static bool
want_get(struct store *st, int64_t id, store_want_fn *fn, void *arg,
    struct err *err)
{
	return want_list(st, id - 1, fake_want(FAKE_OF(st), id) != NULL, fn,
	    arg, err);
}

static bool
want_late(struct store *st, int64_t id, struct err *err)
{
	struct fake_want *w = fake_want(FAKE_OF(st), id);

	if (w == NULL)
		return refuse(err, "there is no such want");
	w->w.late = true;
	return true;
}

static bool
follow_up_add(struct store *st, int64_t turn_id, int64_t want_id,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_follow_up row = { turn_id, want_id };

	if (fake_turn(f, turn_id) == NULL || fake_want(f, want_id) == NULL ||
	    fake_follow_up(f, want_id) != 0)
		return refuse(err, "the follow-up is of nothing, or twice");
	g_array_append_val(f->rows[FAKE_FOLLOW_UP], row);
	return true;
}

static bool
follow_up_get(struct store *st, int64_t turn_id, int64_t *want_id,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	*want_id = 0;
	for (guint i = 0; i < FAKE_N(f, FAKE_FOLLOW_UP); i++) {
		const struct fake_follow_up *u = FAKE_AT(f, FAKE_FOLLOW_UP,
		    fake_follow_up, i);

		if (u->turn_id == turn_id)
			*want_id = u->want_id;
	}
	return true;
}

/* ---- fetches ------------------------------------------------------------------ */

static gint
by_due(gconstpointer a, gconstpointer b)
{
	const struct fake_want *x = a, *y = b;

	if (x->fetch.next_ms != y->fetch.next_ms)
		return x->fetch.next_ms < y->fetch.next_ms ? -1 : 1;
	return x->w.id < y->w.id ? -1 : 1;
}

static bool
fetch_list(struct store *st, enum store_fetch_state state, int64_t now_ms,
    int limit, store_want_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE,
	    sizeof(struct fake_want));

	if (state != STORE_FETCH_RETRY && state != STORE_FETCH_TRYING)
		return refuse(err, "such fetches are not listed");
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		struct fake_want w = *fake_want(f, id);

		if (w.fetch.state != state)
			continue;
		if (state == STORE_FETCH_TRYING)
			w.fetch.next_ms = 0;
		else if (w.fetch.next_ms > now_ms)
			continue;
		g_array_append_val(found, w);
	}
	g_array_sort(found, by_due);
	for (guint i = 0; i < found->len && limit-- > 0; i++) {
		int64_t id = g_array_index(found, struct fake_want, i).w.id;

		if (!give(fake_want(f, id), fn, arg))
			break;
	}
	return true;
}

static bool
fetch_next_due(struct store *st, int64_t *out, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	*out = INT64_MAX;
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		const struct store_fetch *fetch = &fake_want(f, id)->fetch;

		if (fetch->state == STORE_FETCH_RETRY)
			*out = MIN(*out, fetch->next_ms);
	}
	return true;
}

static bool
fetch_set(struct store *st, const struct store_fetch *fetch, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_want *w = fake_want(f, fetch->want_id);

	if (w == NULL || fetch->state == STORE_FETCH_NONE)
		return refuse(err, "the fetch has no want or no state");
	if (store_fetch_is_final(w->fetch.state))
		return true;
	w->fetch = *fetch;
	w->fetch.number = 0;
	w->fetch.path = fake_keep(f, fetch->path);
	w->fetch.type = fake_keep(f, fetch->type);
	w->fetch.verdict = fake_keep(f, fetch->verdict);
	w->fetch.reason = fake_keep(f, fetch->reason);
	if (!store_fetch_is_final(fetch->state))
		return true;
	g_array_append_val(f->rows[FAKE_RESULT], fetch->want_id);
	w->fetch.number = FAKE_N(f, FAKE_RESULT);
	return true;
}

static bool
results(struct store *st, int64_t after, int limit, store_want_fn *fn,
    void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (int64_t n = after + 1; n <= FAKE_N(f, FAKE_RESULT) &&
	    limit-- > 0; n++) {
		int64_t id = g_array_index(f->rows[FAKE_RESULT], int64_t,
		    (guint)n - 1);

		if (!give(fake_want(f, id), fn, arg))
			break;
	}
	return true;
}

/* ---- purge ---------------------------------------------------------------------- */

static bool
is_shared(struct fake *f, const char *path)
{
	int users = 0;

	for (int64_t id = 1; fake_want(f, id) != NULL; id++)
		users += g_strcmp0(fake_want(f, id)->fetch.path, path) == 0;
	return users > 1;
}

/* Whoever is tried may turn out to be any file. */
static bool
anything_is_coming(struct fake *f)
{
	for (int64_t id = 1; fake_want(f, id) != NULL; id++) {
		if (fake_want(f, id)->fetch.state == STORE_FETCH_TRYING)
			return true;
	}
	return false;
}

bool
fake_want_done(struct fake *f, const struct fake_want *w, int64_t before_ms)
{
	int64_t turn = w->w.late ? fake_follow_up(f, w->w.id) : w->w.turn_id;

	return w->fetch.number != 0 && w->fetch.number <=
	    fake_cursor(f, STORE_BUILD, STORE_CURSOR_FETCHED) && turn != 0 &&
	    fake_turn_done(f, turn, before_ms);
}

static bool
media_purge(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	for (int64_t id = 1; fake_want(f, id) != NULL && *n < limit; id++) {
		struct fake_want *w = fake_want(f, id);
		bool shared = is_shared(f, w->fetch.path);

		if (w->fetch.path == NULL || w->fetch.done_ms >= before_ms ||
		    !fake_want_done(f, w, before_ms) ||
		    (!shared && anything_is_coming(f)))
			continue;
		if (!shared && !store_file_remove(st, STORE_DIR_MEDIA,
		    w->fetch.path, err))
			return false;
		w->fetch.path = NULL;
		++*n;
	}
	return true;
}

const struct store_want_verbs fake_want_verbs = {
	.add = want_add, .list = want_list, .of_turn = want_of_turn,
	.of_media = want_of_media, .get = want_get, .late = want_late,
	.follow_up_add = follow_up_add, .follow_up_get = follow_up_get,
};
const struct store_fetch_verbs fake_fetch_verbs = {
	.list = fetch_list, .next_due = fetch_next_due, .set = fetch_set,
	.results = results, .purge = media_purge,
};
