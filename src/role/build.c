/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch of the build role: events in, mails out, one transaction. What a
 * crash leaves is either nothing of the batch or all of it, and a claim that
 * tells the next life what this one was working on: after a death the events
 * of the claim are worked one at a time, so that the one that kills is found,
 * counted, and parked after poison_deaths deaths.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "build_int.h"
#include "clock.h"
#include "conf.h"
#include "err.h"
#include "log.h"
#include "policy.h"
#include "proc.h"
#include "render.h"
#include "role_int.h"
#include "text.h"

#define CLAIM_TURNS "turns"
#define CLAIM_FILES "files"	/* turns that waited, or are followed up */
#define CLAIM_REDO "redo"	/* a request of a person */

#define BATCH_EVENTS 256
/* Under load a claim reaches further, so that a batch is one commit. */
#define CLAIM_AHEAD 512
#define BATCH_BYTES (4 << 20)
#define BATCH_DUE 128

/* ---- news: logged only when what they say has been committed ------------- */

struct build_news {
	int level;
	const char *event;
	char *pairs;		/* key=value … */
};

static void
free_news(gpointer p)
{
	struct build_news *n = p;

	g_free(n->pairs);
	g_free(n);
}

void
build_tell(struct build *b, int level, const char *event, const char *fmt,
    ...)
{
	struct build_news *n = g_new0(struct build_news, 1);
	va_list ap;

	va_start(ap, fmt);
	n->pairs = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	n->level = level;
	n->event = event;
	g_ptr_array_add(b->news, n);
}

static void
say(int level, const char *event, const char *pairs)
{
	if (level == LOG_LEVEL_ERROR)
		log_error(event, "%s", pairs);
	else
		log_warn(event, "%s", pairs);
}

static void
tell_news(struct build *b)
{
	for (guint i = 0; i < b->news->len; i++) {
		const struct build_news *n = b->news->pdata[i];

		say(n->level, n->event, n->pairs);
	}
	g_ptr_array_set_size(b->news, 0);
}

/* ---- making -------------------------------------------------------------- */

bool
build_new(const struct conf *c, struct store *st, struct build **out,
    struct err *err)
{
	struct render_conf rc = {
		.tenant = c->tenant, .domain = c->render.domain,
		.address_domain = c->render.address_domain,
		.templates = c->render.templates,
		.attach_event = c->render.attach_event,
	};
	struct render *render;
	struct build *b;

	rc.zone = c->render.zone;
	rc.spool = store_dir(st, STORE_DIR_SPOOL);
	rc.alive = proc_heartbeat;
	if (!render_new(&rc, &render, err))
		return false;
	b = g_new0(struct build, 1);
	b->feeds[BUILD_WEBHOOKS] = (struct build_feed){
		.cursor = STORE_CURSOR_EVENTS, .careful = "webhook/careful" };
	b->feeds[BUILD_RECORDS] = (struct build_feed){
		.cursor = STORE_CURSOR_RECORDS, .careful = "gateway/careful",
		.base = STORE_EVENT_GATEWAY };
	b->feed = &b->feeds[BUILD_WEBHOOKS];
	b->conf = c;
	b->store = st;
	b->render = render;
	b->styles = g_ptr_array_new();
	b->persons = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	b->unmapped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	b->events = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
	    build_event_free);
	b->peeked = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
	    build_event_free);
	b->batch = g_ptr_array_new();
	b->turns = g_ptr_array_new_with_free_func(build_turn_free);
	b->news = g_ptr_array_new_with_free_func(free_news);
	b->staff = build_staff_cache();
	b->staff_waits = build_staff_waits();
	b->asks_groups = role_asks_groups(c->policy);
	if (!policy_new(c->policy, NULL, NULL, &b->policy, err) ||
	    !build_styles_load(b, err)) {
		build_free(b);
		return false;
	}
	b->policy_work = policy_work_new(b->policy);
	*out = b;
	return true;
}

void
build_free(struct build *b)
{
	if (b == NULL)
		return;
	render_free(b->render);
	g_ptr_array_unref(b->styles);
	g_ptr_array_unref(b->news);
	g_ptr_array_unref(b->turns);
	g_ptr_array_unref(b->batch);
	policy_work_free(b->policy_work);
	policy_free(b->policy);
	g_hash_table_unref(b->staff);
	g_hash_table_unref(b->staff_waits);
	g_hash_table_unref(b->persons);
	g_hash_table_unref(b->unmapped);
	g_hash_table_unref(b->events);
	g_hash_table_unref(b->peeked);
	g_free(b);
}

/* ---- the poison rule ---------------------------------------------------- */

/* f: the feed whose claim it is, or NULL. */
static bool
bump_claim(struct build *b, const char *name, struct store_claim *claim,
    struct build_feed *f, struct err *err)
{
	if (!store_claim_get(b->store, STORE_BUILD, name, claim, err))
		return false;
	if (claim->first == 0)
		return true;
	claim->deaths++;
	store_begin(b->store);
	store_claim_set(b->store, STORE_BUILD, name, claim);
	if (f != NULL && claim->last != claim->first &&
	    claim->last > f->careful_until) {
		f->careful_until = claim->last;
		store_cursor_set(b->store, STORE_BUILD, f->careful,
		    claim->last);
	}
	return store_commit(b->store, err);
}

static bool
bump_feed(struct build *b, struct build_feed *f, struct err *err)
{
	return store_cursor_get(b->store, STORE_BUILD, f->careful,
	    &f->careful_until, err) &&
	    bump_claim(b, f->cursor, &f->claim, f, err);
}

static void
tell_recover(const char *what, const struct store_claim *claim)
{
	if (claim->first != 0)
		log_warn("build.recover", "what=%s first=%" PRId64 " last=%"
		    PRId64 " deaths=%" PRId64, what, claim->first,
		    claim->last, claim->deaths);
}

/* Reads what the previous life was doing; once per process. */
static bool
start(struct build *b, int64_t now_ms, struct err *err)
{
	if (b->started)
		return true;
	if (!build_judge_begin(b, now_ms, err) ||
	    !build_withhold_begin(b, err) ||
	    !build_identity_begin(b, err) || !build_send_begin(b, err) ||
	    !build_staff_begin(b, err) ||
	    !bump_feed(b, &b->feeds[BUILD_WEBHOOKS], err) ||
	    !bump_feed(b, &b->feeds[BUILD_RECORDS], err) ||
	    !bump_claim(b, CLAIM_TURNS, &b->turn_claim, NULL, err) ||
	    !bump_claim(b, CLAIM_FILES, &b->file_claim, NULL, err) ||
	    !bump_claim(b, CLAIM_REDO, &b->redo_claim, NULL, err))
		return false;
	tell_recover("events", &b->feeds[BUILD_WEBHOOKS].claim);
	tell_recover("records", &b->feeds[BUILD_RECORDS].claim);
	tell_recover("turns", &b->turn_claim);
	tell_recover("files", &b->file_claim);
	tell_recover("redo", &b->redo_claim);
	b->careful_turns = b->turn_claim.first != 0;
	b->careful_files = b->file_claim.first != 0;
	b->started = true;
	return true;
}

/*
 * Commits the claim on a range before it is worked on; deaths on the very
 * same range are kept, so that they add up over lives.
 */
static bool
claim_range(struct build *b, const char *name, struct store_claim *held,
    int64_t first, int64_t last, struct err *err)
{
	struct store_claim claim = { .first = first, .last = last };

	if (held->first == first && held->last == last && first != 0)
		return true;
	store_begin(b->store);
	store_claim_set(b->store, STORE_BUILD, name, &claim);
	if (!store_commit(b->store, err))
		return false;
	*held = claim;
	return true;
}

/*
 * The same while batches come full one after another: a claim that covers
 * the range already is enough, and a new one reaches ahead.
 */
static bool
claim_ahead(struct build *b, int64_t first, int64_t last, struct err *err)
{
	struct store_claim *held = &b->feed->claim;

	if (held->first != 0 && held->first <= first && held->last >= last)
		return true;
	return claim_range(b, b->feed->cursor, held, first,
	    last + CLAIM_AHEAD, err);
}

static bool
drop_claim(struct build *b, const char *name, struct store_claim *held,
    struct err *err)
{
	struct store_claim none = { 0 };

	if (held->first == 0)
		return true;
	store_begin(b->store);
	store_claim_set(b->store, STORE_BUILD, name, &none);
	if (!store_commit(b->store, err))
		return false;
	*held = none;
	return true;
}

/* ---- one batch ----------------------------------------------------------- */

static bool
take_event(void *arg, const struct store_event *ev)
{
	struct build *b = arg;

	g_ptr_array_add(b->batch, build_event_keep(b, ev));
	return true;
}

static void
forget_batch(struct build *b)
{
	g_ptr_array_set_size(b->turns, 0);
	b->rendered = 0;
	g_ptr_array_set_size(b->batch, 0);
	g_hash_table_remove_all(b->events);
	g_hash_table_remove_all(b->peeked);
	b->peeked_bytes = 0;
}

static bool
load_batch(struct build *b, bool *careful, struct err *err)
{
	const struct build_feed *f = b->feed;
	int64_t cursor;

	forget_batch(b);
	if (!store_cursor_get(b->store, STORE_BUILD, f->cursor, &cursor, err))
		return false;
	*careful = cursor < f->careful_until || f->claim.deaths > 0;
	return store_event_list(b->store, MAX(cursor, f->base),
	    *careful ? 1 : BATCH_EVENTS, BATCH_BYTES, take_event, b, err);
}

static int64_t
event_id(const struct build *b, guint i)
{
	return ((const struct build_event *)b->batch->pdata[i])->id;
}

/*
 * A turn of an earlier life that killed its renderer is not tried again. A
 * follow-up has another id in each life: its claim names the turn of the file.
 */
static bool
is_poison(const struct build *b, const struct build_turn *t)
{
	const struct store_claim *claim = t->is_waiting || t->of_turn != 0 ?
	    &b->file_claim : &b->turn_claim;
	int64_t id = t->of_turn != 0 ? t->of_turn : t->id;

	return claim->deaths >= b->conf->poison_deaths &&
	    claim->first == id && claim->last == id;
}

/* Every turn closed since the last call. */
static bool
render_closed(struct build *b, int64_t now_ms, struct build_progress *p,
    struct err *err)
{
	for (; b->rendered < b->turns->len; b->rendered++) {
		struct build_turn *t = b->turns->pdata[b->rendered];

		if (is_poison(b, t)) {
			t->parked = g_strdup("killed the build role again "
			    "and again");
			store_turn_park(b->store, t->id, t->parked, now_ms);
			p->parked_turns++;
		} else if (!build_render_turn(b, t, now_ms, p, err)) {
			return false;
		}
	}
	return true;
}

/*
 * What an event ends is rendered before the next one is filed: what a later
 * event teaches (who has which number) must not depend on where a batch, or
 * a life of this process, happens to end.
 */
static bool
file_batch(struct build *b, int64_t now_ms, struct build_progress *p,
    struct err *err)
{
	for (guint i = 0; i < b->batch->len; i++) {
		if (!build_file_event(b, b->batch->pdata[i], now_ms, p, err) ||
		    !render_closed(b, now_ms, p, err))
			return false;
	}
	if (b->batch->len > 0)
		store_cursor_set(b->store, STORE_BUILD, b->feed->cursor,
		    event_id(b, b->batch->len - 1));
	return true;
}

/* The state changes, told only now that they are true. */
static void
tell(struct build *b)
{
	tell_news(b);
	for (guint i = 0; i < b->turns->len; i++) {
		const struct build_turn *t = b->turns->pdata[i];
		g_autofree char *why = NULL;

		if (t->message_id != NULL) {
			log_info("turn.rendered", "turn=%" PRId64 " mid=%s"
			    " items=%u mails=%" PRId64 " bytes=%zu", t->id,
			    t->message_id, t->items, t->mails, t->bytes);
			if (t->excluded != NULL)
				log_warn("turn.excluded", "turn=%" PRId64
				    " mid=%s rule=%s items=%u", t->id,
				    t->message_id, t->excluded,
				    t->excluded_items);
			if (t->late > 0)
				log_warn("turn.late-files", "turn=%" PRId64
				    " mid=%s files=%u", t->id, t->message_id,
				    t->late);
		} else if (t->parked != NULL) {
			why = text_log_quote(t->parked);
			log_error("turn.parked", "turn=%" PRId64
			    " reason=%s", t->id, why);
		} else if (t->unreadable != NULL) {
			why = text_log_quote(t->unreadable);
			log_error("turn.unreadable", "turn=%" PRId64
			    " reason=%s", t->id, why);
		}
	}
}

/*
 * Half a batch is worth nothing. What failed and said so is no death, however
 * often the role is restarted until the disk has room again: then the claim
 * falls, too, if the store can be written.
 */
static bool
undo(struct build *b, const char *name, struct store_claim *held)
{
	store_rollback(b->store);
	drop_claim(b, name, held, NULL);
	/* They may hold what only this transaction knew. */
	g_hash_table_remove_all(b->persons);
	g_hash_table_remove_all(b->staff);
	g_ptr_array_set_size(b->news, 0);
	return false;
}

/* Commits the batch; the claim falls with it, unless it reaches ahead. */
static bool
finish(struct build *b, const char *name, struct store_claim *held,
    bool is_ahead, struct err *err)
{
	struct store_claim none = { 0 };

	if (!is_ahead)
		store_claim_set(b->store, STORE_BUILD, name, &none);
	if (!store_commit(b->store, err))
		return undo(b, name, held);
	if (!is_ahead)
		*held = none;
	tell(b);
	return true;
}

/* The turns of this transaction, up to its end. */
static bool
finish_turns(struct build *b, const char *name, struct store_claim *held,
    int64_t now_ms, struct build_progress *p, struct err *err)
{
	p->more = true;
	return render_closed(b, now_ms, p, err) ?
	    finish(b, name, held, false, err) : undo(b, name, held);
}

static bool
work_events(struct build *b, struct build_feed *f, int64_t now_ms,
    struct build_progress *p, struct err *err)
{
	bool careful, full;
	int64_t first, last;

	b->feed = f;
	if (!load_batch(b, &careful, err))
		return false;
	if (b->batch->len == 0)
		return drop_claim(b, f->cursor, &f->claim, err);
	full = !careful && b->batch->len == BATCH_EVENTS;
	first = event_id(b, 0);
	last = event_id(b, b->batch->len - 1);
	if (!(full ? claim_ahead(b, first, last, err)
	    : claim_range(b, f->cursor, &f->claim, first, last, err)))
		return false;
	store_begin(b->store);
	if (!file_batch(b, now_ms, p, err))
		return undo(b, f->cursor, &f->claim);
	p->more = true;
	return finish(b, f->cursor, &f->claim, full, err);
}

static void
close_due(struct build *b, const GPtrArray *due, guint n, int64_t now_ms)
{
	for (guint i = 0; i < n; i++) {
		const struct turn *t = due->pdata[i];
		enum turn_close_reason why = turn_due(&b->conf->turn, t,
		    now_ms);

		store_turn_close(b->store, t->id,
		    why == TURN_STILL_OPEN ? TURN_IDLE : why, now_ms);
		build_turn_closed(b, t->id, t->conversation, NULL, NULL);
	}
}

/* How long the turn that ends first can be open. */
static int64_t
most_open_ms(const struct conf *c)
{
	return c->receipts == CONF_RECEIPTS_ALL ?
	    MAX(c->turn.idle_ms, c->turn.receipt_wait_ms) : c->turn.idle_ms;
}

/*
 * A clock that was set back, in this life or before it, would leave open
 * turns waiting for as long: all are closed, however many there are. Those
 * that wait for files are let go if they would wait for longer than any may.
 */
static bool
look_at_clock(struct build *b, int64_t now_ms, struct err *err)
{
	bool is_first = b->last_now_ms == 0;
	int64_t due, wait;

	if (clock_may_be_back(b->last_now_ms, now_ms)) {
		if (!store_turn_next_due(b->store, &due, err) ||
		    !store_turn_wait_next(b->store, &wait, err))
			return false;
		b->close_all = !is_first ||
		    clock_is_far(due, now_ms, most_open_ms(b->conf));
		b->wait_no_more = clock_is_far(wait, now_ms,
		    MAX(MAX(b->conf->media.wait_ms, BUILD_FILE_RETRY_MS),
		    b->conf->ldap.wait_ms));
	}
	b->last_now_ms = now_ms;
	return true;
}

/* Turns that waited for files: those have come, or the time is over. */
static bool
work_waiting(struct build *b, int64_t now_ms, struct build_progress *p,
    struct err *err)
{
	struct build_files todo = { .limit = b->careful_files ? 1 : BATCH_DUE };
	bool ok = build_files_look(b, b->wait_no_more ? INT64_MAX : now_ms,
	    &todo, err);

	if (!ok || todo.results->len + todo.due->len + todo.staffed->len ==
	    0) {
		b->careful_files = b->careful_files && !ok;
		b->wait_no_more = b->wait_no_more && !ok;
		build_files_clear(&todo);
		return ok;
	}
	forget_batch(b);
	ok = claim_range(b, CLAIM_FILES, &b->file_claim, todo.first, todo.last,
	    err);
	if (ok) {
		store_begin(b->store);
		ok = build_files_work(b, now_ms, &todo, err) ?
		    finish_turns(b, CLAIM_FILES, &b->file_claim, now_ms, p,
		    err) : undo(b, CLAIM_FILES, &b->file_claim);
	}
	build_files_clear(&todo);
	return ok;
}

/* Turns that a person released or rejected, or that were held long enough. */
static bool
work_holds(struct build *b, int64_t now_ms, struct build_progress *p,
    struct err *err)
{
	struct build_holds todo;

	if (!build_holds_look(b, now_ms, &todo, err))
		return false;
	if (todo.turn_id == 0 && todo.review_id == 0)
		return true;
	forget_batch(b);
	if (todo.turn_id != 0 && !claim_range(b, CLAIM_TURNS, &b->turn_claim,
	    todo.turn_id, todo.turn_id, err))
		return false;
	store_begin(b->store);
	return build_holds_work(b, &todo, now_ms, err) ?
	    finish_turns(b, CLAIM_TURNS, &b->turn_claim, now_ms, p, err) :
	    undo(b, CLAIM_TURNS, &b->turn_claim);
}

/*
 * What a person wants tried again. What kills the role at that, too, stays as
 * it was; but an event that is in no mail is journaled unread, if it can be.
 */
static bool
redo(struct build *b, struct build_redo *todo, int64_t now_ms,
    struct build_progress *p, struct err *err)
{
	const struct store_claim *claim = &b->redo_claim;
	int64_t deaths = claim->first == todo->id ? claim->deaths : 0;

	todo->last = deaths >= b->conf->poison_deaths;
	todo->killed = deaths >= 2 * b->conf->poison_deaths;
	forget_batch(b);
	if (!claim_range(b, CLAIM_REDO, &b->redo_claim, todo->id, todo->id,
	    err))
		return false;
	store_begin(b->store);
	return build_redo_work(b, todo, now_ms, p, err) ?
	    finish_turns(b, CLAIM_REDO, &b->redo_claim, now_ms, p, err) :
	    undo(b, CLAIM_REDO, &b->redo_claim);
}

static bool
work_redo(struct build *b, int64_t now_ms, struct build_progress *p,
    struct err *err)
{
	struct build_redo todo = { 0 };
	bool ok = build_redo_look(b, &todo, err) && (todo.id == 0 ||
	    redo(b, &todo, now_ms, p, err));

	g_free(todo.who);
	return ok;
}

static bool
work_due(struct build *b, int64_t now_ms, struct build_progress *p,
    struct err *err)
{
	g_autoptr(GPtrArray) due = NULL;
	guint n;

	if (!look_at_clock(b, now_ms, err) ||
	    !store_turn_due_list(b->store, b->close_all ? INT64_MAX : now_ms,
	    BATCH_DUE, &due, err))
		return false;
	if (due->len == 0) {
		b->close_all = b->careful_turns = false;
		return true;
	}
	n = b->careful_turns ? 1 : due->len;
	forget_batch(b);
	if (!claim_range(b, CLAIM_TURNS, &b->turn_claim,
	    ((struct turn *)due->pdata[0])->id,
	    ((struct turn *)due->pdata[n - 1])->id, err))
		return false;
	store_begin(b->store);
	close_due(b, due, n, now_ms);
	if (!finish_turns(b, CLAIM_TURNS, &b->turn_claim, now_ms, p, err))
		return false;
	if (n == due->len && n < BATCH_DUE)
		b->close_all = b->careful_turns = false;
	return true;
}

bool
build_step(struct build *b, int64_t now_ms, struct build_progress *out,
    struct err *err)
{
	struct build_progress p = { .next_due_ms = INT64_MAX };
	int64_t wait_ms = INT64_MAX, hold_ms = INT64_MAX;
	bool ok;

	b->files = 0;
	b->asked = false;
	ok = start(b, now_ms, err) && work_holds(b, now_ms, &p, err) &&
	    work_redo(b, now_ms, &p, err) && work_due(b, now_ms, &p, err) &&
	    work_waiting(b, now_ms, &p, err) &&
	    work_events(b, &b->feeds[BUILD_RECORDS], now_ms, &p, err) &&
	    work_events(b, &b->feeds[BUILD_WEBHOOKS], now_ms, &p, err) &&
	    store_turn_next_due(b->store, &p.next_due_ms, err) &&
	    store_turn_wait_next(b->store, &wait_ms, err) &&
	    store_hold_next_due(b->store, &hold_ms, err);
	p.next_due_ms = MIN(MIN(p.next_due_ms, build_staff_next(b)),
	    MIN(wait_ms, hold_ms));
	p.files = b->files;
	p.asked = b->asked;
	forget_batch(b);
	if (ok)
		*out = p;
	return ok;
}
