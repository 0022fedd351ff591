/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What persons want done about what is parked: a turn is rendered, or an event
 * read, once more. Each wish is carried out once, by itself: what it is about
 * was parked because it fails, or kills. Whatever comes of it, nothing is lost
 * by trying: it is journaled, or it is parked as before.
 */
#include <inttypes.h>
#include <string.h>

#include "build_int.h"
#include "err.h"
#include "log.h"
#include "text.h"

#define CURSOR_REQUEST "request"

static bool
take_request(void *arg, const struct store_request *r)
{
	struct build_redo *todo = arg;

	todo->id = r->id;
	todo->who = g_strdup(r->who);
	if (strcmp(r->verb, "retry") == 0) {
		todo->turn_id = r->turn_id;
		todo->event_id = r->event_id;
	}
	return false;
}

bool
build_redo_look(struct build *b, struct build_redo *out, struct err *err)
{
	int64_t cursor;

	return store_cursor_get(b->store, STORE_BUILD, CURSOR_REQUEST, &cursor,
	    err) &&
	    store_request_list(b->store, cursor, 1, take_request, out, err);
}

static void
tell(struct build *b, const struct build_redo *todo, const char *end)
{
	g_autofree char *who = text_log_quote(todo->who);

	build_tell(b, LOG_LEVEL_WARN, "parked.retry", "turn=%" PRId64
	    " event=%" PRId64 " who=%s end=%s", todo->turn_id, todo->event_id,
	    who, end);
}

/* ---- a turn ---------------------------------------------------------------- */

static bool
take_up(struct build *b, int64_t id, const char *conversation,
    struct err *err)
{
	int64_t want_id;
	struct build_turn *t;

	if (!store_follow_up_get(b->store, id, &want_id, err))
		return false;
	store_turn_unpark(b->store, id);
	t = build_turn_closed(b, id, conversation, NULL, NULL);
	t->want_id = want_id;
	t->is_redone = true;
	return true;
}

static bool
redo_turn(struct build *b, const struct build_redo *todo, struct err *err)
{
	struct turn turn = { 0 };
	char state[16];
	bool ok = store_turn_get(b->store, todo->turn_id, &turn, state, NULL,
	    err);
	bool is_parked = ok && strcmp(state, "parked") == 0;

	if (is_parked && !todo->last)
		ok = take_up(b, todo->turn_id, turn.conversation, err);
	if (ok)
		tell(b, todo, !is_parked ? "not-parked" : todo->last ?
		    "killed" : "tried");
	turn_clear(&turn);
	return ok;
}

/* ---- an event -------------------------------------------------------------- */

static bool
take_parked(void *arg, const struct store_parked *p)
{
	struct store_parked *out = arg;

	*out = *p;
	out->reason = NULL;
	return false;
}

static bool
has_body(void *arg, const struct store_event *ev)
{
	*(bool *)arg = ev->body != NULL;
	return false;
}

static bool
redo_event(struct build *b, const struct build_redo *todo, int64_t now_ms,
    struct build_progress *p, struct err *err)
{
	struct store_parked of = { .ended_ms = 1 };
	bool is_there = false;

	if (!store_parked_get(b->store, todo->event_id, take_parked, &of,
	    err) || !store_event_get(b->store, todo->event_id, has_body,
	    &is_there, err))
		return false;
	tell(b, todo, of.ended_ms != 0 ? "not-parked" : !is_there ? "purged" :
	    todo->last ? "killed" : "tried");
	if (of.ended_ms != 0 || !is_there || todo->killed)
		return true;
	return build_file_again(b, &of, todo->last, now_ms, p, err);
}

bool
build_redo_work(struct build *b, const struct build_redo *todo,
    int64_t now_ms, struct build_progress *p, struct err *err)
{
	if ((todo->turn_id != 0 && !redo_turn(b, todo, err)) ||
	    (todo->event_id != 0 && !redo_event(b, todo, now_ms, p, err)))
		return false;
	store_cursor_set(b->store, STORE_BUILD, CURSOR_REQUEST, todo->id);
	return true;
}
