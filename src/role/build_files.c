/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of items, seen from the build role: it writes down which are wanted,
 * lets a closed turn wait for them within a bound, and makes a follow-up turn
 * for each that comes, or fails for good, after the mail of its turn. It
 * never opens a file; the media role fetches, the renderer reads.
 */
#include <inttypes.h>
#include <string.h>

#include "build_int.h"
#include "conf.h"
#include "err.h"
#include "item.h"
#include "render.h"
#include "turn.h"

/* ---- wanted ---------------------------------------------------------------- */

void
build_files_want(struct build *b, const struct build_event *ev,
    const struct item *it, int64_t turn_id, int64_t now_ms)
{
	struct store_want w = { .turn_id = turn_id, .event_id = ev->id,
		.business = it->business.user_id,
		.at_ms = it->at_ms > 0 ? it->at_ms : ev->received_ms,
		.wanted_ms = now_ms };
	int64_t id;

	if (b->conf->graph.url == NULL)
		return;
	store_key(it->key, w.key);
	for (guint i = 0; i < it->media->len; i++) {
		const struct item_media *m = it->media->pdata[i];

		if (m->id == NULL)
			continue;
		w.ordinal = i;
		w.media_id = m->id;
		w.url = m->url;
		w.mime_type = m->mime_type;
		w.sha256 = m->sha256;
		store_want_add(b->store, &w, &id);
		b->files++;
	}
}

/* ---- what became of them --------------------------------------------------- */

/* What the renderer is told of a file, with the strings it borrows. */
struct held {
	struct render_media media;
	char *path, *type, *verdict, *reason;
};

static void
free_held(gpointer p)
{
	struct held *h = p;

	g_free(h->path);
	g_free(h->type);
	g_free(h->verdict);
	g_free(h->reason);
	g_free(h);
}

struct gathering {
	struct build *b;
	const GPtrArray *items;
	int64_t want_id;	/* only this; 0: all */
	int64_t orphan;		/* a file that would be in no mail; or 0 */
	GPtrArray *media;
	guint late;
};

static const struct item_media *
media_of(const GPtrArray *items, const struct store_want *w)
{
	uint8_t key[HASH_SIZE];

	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];

		if (it->media == NULL || it->media->len <= w->ordinal)
			continue;
		store_key(it->key, key);
		if (memcmp(key, w->key, HASH_SIZE) == 0)
			return it->media->pdata[w->ordinal];
	}
	return NULL;
}

static enum render_media_state
state_of(enum store_fetch_state state)
{
	switch (state) {
	case STORE_FETCHED:
		return RENDER_MEDIA_HELD;
	case STORE_QUARANTINED:
		return RENDER_MEDIA_QUARANTINED;
	case STORE_UNAVAILABLE:
		return RENDER_MEDIA_MISSING;
	case STORE_FETCH_NONE:
	case STORE_FETCH_TRYING:
	case STORE_FETCH_RETRY:
		break;
	}
	return RENDER_MEDIA_LATE;
}

/* chatjournal render names files of a folder by their absolute path. */
static char *
path_of(struct build *b, const char *path)
{
	if (path == NULL)
		return NULL;
	return path[0] == '/' ? g_strdup(path) : g_build_filename(
	    store_dir(b->store, STORE_DIR_MEDIA), path, NULL);
}

static bool
take_file(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	struct gathering *g = arg;
	const struct item_media *m;
	struct held *h;

	if (g->want_id != 0 && w->id != g->want_id)
		return true;
	m = media_of(g->items, w);
	if (m == NULL) {
		g->late += g->want_id == 0 &&
		    state_of(f->state) == RENDER_MEDIA_LATE;
		g->orphan = f->path != NULL || g->want_id != 0 ? w->id : 0;
		return g->orphan == 0;
	}
	h = g_new0(struct held, 1);
	h->path = path_of(g->b, f->path);
	h->type = g_strdup(f->type);
	h->verdict = g_strdup(f->verdict);
	h->reason = g_strdup(f->reason);
	h->media = (struct render_media){ .media = m,
		.state = state_of(f->state), .path = h->path,
		.size = f->size, .type = h->type,
		.hash_differs = f->hash_differs,
		.type_differs = f->type_differs,
		.length_ms = f->length_ms, .verdict = h->verdict,
		.reason = h->reason };
	memcpy(h->media.sha256, f->sha256, HASH_SIZE);
	g->late += h->media.state == RENDER_MEDIA_LATE;
	g_ptr_array_add(g->media, h);
	return true;
}

/* What stands in for an item that is not found may have had some. */
static bool
may_have_files(const GPtrArray *items)
{
	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];

		if (it->media != NULL || it->type == ITEM_TYPE_RAW)
			return true;
	}
	return false;
}

bool
build_files_gather(struct build *b, int64_t turn_id, int64_t want_id,
    const GPtrArray *items, GPtrArray **media, guint *late, struct err *err)
{
	struct gathering g = { .b = b, .items = items, .want_id = want_id };

	*late = 0;
	if (!may_have_files(items))
		return true;
	g.media = *media = g_ptr_array_new_with_free_func(free_held);
	if (!store_want_of_turn(b->store, turn_id, take_file, &g, err))
		return false;
	*late = g.late;
	return g.orphan == 0 || err_set(err, ERR_PERM, "build.file",
	    "file %" PRId64 " is of a message that this version of "
	    "chatjournal does not find in its event", g.orphan);
}

static bool
note_late(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	if (state_of(f->state) == RENDER_MEDIA_LATE)
		g_array_append_val((GArray *)arg, w->id);
	return true;
}

bool
build_files_are_late(struct build *b, int64_t turn_id, struct err *err)
{
	g_autoptr(GArray) late = g_array_new(FALSE, FALSE, sizeof(int64_t));

	if (!store_want_of_turn(b->store, turn_id, note_late, late, err))
		return false;
	for (guint i = 0; i < late->len; i++)
		store_want_late(b->store, g_array_index(late, int64_t, i));
	return true;
}

/* ---- waiting, and following up --------------------------------------------- */

static void
widen(struct build_files *f, int64_t turn_id)
{
	f->first = f->first == 0 ? turn_id : MIN(f->first, turn_id);
	f->last = MAX(f->last, turn_id);
}

static bool
take_result(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	struct build_files *out = arg;
	struct build_result r = { .number = f->number, .want_id = w->id,
		.turn_id = w->turn_id, .late = w->late };

	g_array_append_val(out->results, r);
	widen(out, w->turn_id);
	return true;
}

bool
build_files_look(struct build *b, int64_t now_ms, struct build_files *out,
    struct err *err)
{
	int64_t cursor;

	out->results = g_array_new(FALSE, FALSE, sizeof(struct build_result));
	out->due = NULL;
	out->staffed = g_array_new(FALSE, FALSE, sizeof(int64_t));
	if (!store_cursor_get(b->store, STORE_BUILD, STORE_CURSOR_FETCHED,
	    &cursor, err) ||
	    !store_result_list(b->store, cursor, (int)out->limit, take_result,
	    out, err) ||
	    !store_turn_wait_due(b->store, now_ms, (int)out->limit, &out->due,
	    err))
		return false;
	/* One at a time: which of them kills must be told apart. */
	if (out->limit == 1 && out->results->len > 0)
		g_array_set_size(out->due, 0);
	if ((out->limit > 1 || out->results->len + out->due->len == 0) &&
	    !build_staff_look(b, b->last_now_ms, out->limit, out->staffed,
	    err))
		return false;
	for (guint i = 0; i < out->due->len; i++)
		widen(out, g_array_index(out->due, int64_t, i));
	for (guint i = 0; i < out->staffed->len; i++)
		widen(out, g_array_index(out->staffed, int64_t, i));
	return true;
}

void
build_files_clear(struct build_files *todo)
{
	g_clear_pointer(&todo->results, g_array_unref);
	g_clear_pointer(&todo->due, g_array_unref);
	g_clear_pointer(&todo->staffed, g_array_unref);
}

static bool
is_in_batch(const struct build *b, int64_t turn_id)
{
	for (guint i = 0; i < b->turns->len; i++) {
		if (((struct build_turn *)b->turns->pdata[i])->id == turn_id)
			return true;
	}
	return false;
}

static void
take_up(struct build *b, int64_t turn_id, const char *conversation,
    int64_t want_id, bool is_overdue)
{
	struct build_turn *t;

	if (is_in_batch(b, turn_id))
		return;
	t = build_turn_closed(b, turn_id, conversation, NULL, NULL);
	t->want_id = want_id;
	t->is_waiting = true;
	t->is_overdue = is_overdue;
}

/* The turn of a file that its own turn's mail went out without. */
static void
follow_up(struct build *b, const struct build_result *r,
    const struct turn *first, int64_t now_ms)
{
	struct turn t = {
		.conversation = g_strdup(turn_talk(first->conversation)),
		.author = g_strdup("b:network"),
		.first_at_ms = first->first_at_ms,
		.last_at_ms = first->last_at_ms, .opened_ms = now_ms,
		.touched_ms = now_ms, .close_at_ms = now_ms };
	struct build_turn *made;

	store_turn_add(b->store, &t, NULL, "media", TURN_SINGLE);
	store_follow_up_add(b->store, t.id, r->want_id);
	made = build_turn_closed(b, t.id, t.conversation, NULL, NULL);
	made->want_id = r->want_id;
	made->of_turn = r->turn_id;
	turn_clear(&t);
}

static bool
work_result(struct build *b, const struct build_result *r, int64_t now_ms,
    struct err *err)
{
	struct turn t = { 0 };
	char state[16];
	bool ok = store_turn_get(b->store, r->turn_id, &t, state, NULL, err);

	if (ok && strcmp(state, "closed") == 0)
		take_up(b, r->turn_id, t.conversation, 0, false);
	else if (ok && r->late && strcmp(state, "rendered") == 0)
		follow_up(b, r, &t, now_ms);
	turn_clear(&t);
	return ok;
}

/* It may have gone out meanwhile. */
static bool
work_waiting(struct build *b, int64_t turn_id, bool is_overdue,
    struct err *err)
{
	struct turn t = { 0 };
	int64_t want_id = 0;
	char state[16];
	bool ok = store_turn_get(b->store, turn_id, &t, state, NULL, err) &&
	    store_follow_up_get(b->store, turn_id, &want_id, err);

	if (ok && strcmp(state, "closed") == 0)
		take_up(b, turn_id, t.conversation, want_id, is_overdue);
	turn_clear(&t);
	return ok;
}

bool
build_files_work(struct build *b, int64_t now_ms,
    const struct build_files *todo, struct err *err)
{
	int64_t number = 0;

	/* Who is overdue goes out in any case, with what has come by now. */
	for (guint i = 0; i < todo->due->len; i++) {
		if (!work_waiting(b, g_array_index(todo->due, int64_t, i),
		    true, err))
			return false;
	}
	for (guint i = 0; i < todo->staffed->len; i++) {
		if (!work_waiting(b, g_array_index(todo->staffed, int64_t,
		    i), false, err))
			return false;
	}
	for (guint i = 0; i < todo->results->len; i++) {
		const struct build_result *r = &g_array_index(todo->results,
		    struct build_result, i);

		if (!work_result(b, r, now_ms, err))
			return false;
		number = r->number;
	}
	if (number != 0)
		store_cursor_set(b->store, STORE_BUILD, STORE_CURSOR_FETCHED,
		    number);
	return true;
}
