/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files the items of an event under turns: recognises what was delivered
 * before, finds the conversation, joins or opens a turn. All writes belong
 * to the batch's transaction; nothing is rendered here.
 */
#include <inttypes.h>
#include <string.h>

#include "build_int.h"
#include "conf.h"
#include "err.h"
#include "item.h"
#include "log.h"
#include "text.h"

#define NOVELTY_MAX 63

/* One item on its way to its turn. */
struct filing {
	struct build *b;
	struct build_event *ev;
	struct item *it;
	int64_t now_ms;
	int64_t bytes;
	char *conversation, *author;
	uint8_t digest[HASH_SIZE];
};

void
build_turn_free(gpointer p)
{
	struct build_turn *t = p;

	g_free(t->conversation);
	g_free(t->message_id);
	g_free(t->parked);
	g_free(t->unreadable);
	g_free(t->hold.rule);
	g_free(t->held);
	g_free(t->excluded);
	g_free(t);
}

struct build_turn *
build_turn_closed(struct build *b, int64_t id, const char *conversation,
    struct build_event *ev, struct item *it)
{
	struct build_turn *t = g_new0(struct build_turn, 1);

	t->id = id;
	t->conversation = g_strdup(conversation);
	t->event = ev;
	t->item = it;
	g_ptr_array_add(b->turns, t);
	return t;
}

static const char *
business_of(const struct item *it)
{
	return it->business.user_id != NULL ? it->business.user_id
					    : it->business.number;
}

static void
add_item(const struct filing *f, int64_t turn_id)
{
	struct store_item row = {
		.key = f->it->key, .event_id = f->ev->id, .id = f->it->id,
		.target = f->it->target,
		.kind = item_kind_name(f->it->kind),
		.type = item_type_name(f->it->type),
		.at_ms = f->it->at_ms, .turn_id = turn_id,
	};

	memcpy(row.digest, f->digest, HASH_SIZE);
	store_item_add(f->b->store, &row);
	if (turn_id != 0 && f->it->media != NULL)
		build_files_want(f->b, f->ev, f->it, turn_id, f->now_ms);
}

static void
add_turn(const struct filing *f, enum turn_close_reason reason)
{
	struct turn t;

	turn_start(&t, &f->b->conf->turn, f->conversation, f->author, f->it,
	    f->bytes, f->now_ms);
	store_turn_add(f->b->store, &t, business_of(f->it),
	    item_kind_name(f->it->kind), reason);
	add_item(f, t.id);
	if (reason != TURN_STILL_OPEN)
		build_turn_closed(f->b, t.id, f->conversation, f->ev, f->it);
	turn_clear(&t);
}

/* True when the item joined t; closes t when the item ends it. */
static bool
meet_turn(const struct filing *f, struct turn *t)
{
	enum turn_close_reason reason = TURN_STILL_OPEN;
	const struct turn_rules *rules = &f->b->conf->turn;

	switch (turn_check(rules, t, f->it, f->author, f->bytes, f->now_ms,
	    &reason)) {
	case TURN_JOIN:
		turn_join(t, rules, f->it, f->bytes, f->now_ms);
		store_turn_update(f->b->store, t);
		add_item(f, t->id);
		return true;
	case TURN_CLOSE:
		store_turn_close(f->b->store, t->id, reason, f->now_ms);
		build_turn_closed(f->b, t->id, t->conversation, NULL, NULL);
		return false;
	case TURN_LEAVE:
		return false;
	}
	return false;
}

static bool
file_grouped(const struct filing *f, struct err *err)
{
	g_autoptr(GPtrArray) open = NULL;

	if (!store_turn_open_list(f->b->store, f->conversation, &open, err))
		return false;
	for (guint i = 0; i < open->len; i++) {
		if (meet_turn(f, open->pdata[i]))
			return true;
	}
	add_turn(f, TURN_STILL_OPEN);
	return true;
}

/* Receipts that the configuration does not want mailed are only recorded. */
static bool
is_only_recorded(const struct conf *c, const struct item *it)
{
	if (it->kind != ITEM_RECEIPT || c->receipts == CONF_RECEIPTS_ALL)
		return false;
	return c->receipts == CONF_RECEIPTS_NONE || it->receipt == NULL ||
	    g_strcmp0(it->receipt->status, "failed") != 0;
}

static void
bundle_conversation(struct filing *f)
{
	char *key = turn_bundle(f->it, f->conversation);

	g_free(f->conversation);
	f->conversation = key;
}

static void
filing_clear(struct filing *f)
{
	g_clear_pointer(&f->conversation, g_free);
	g_clear_pointer(&f->author, g_free);
}

static bool
file_new(struct filing *f, struct err *err)
{
	const struct turn_rules *rules = &f->b->conf->turn;
	g_autofree char *person = NULL;
	bool ok;

	if (is_only_recorded(f->b->conf, f->it)) {
		add_item(f, 0);
		return build_send_note(f->b, f->ev, f->it, NULL, f->now_ms,
		    err);
	}
	if (!build_person(f->b, f->ev, f->it, f->now_ms, &person, err) ||
	    !build_send_note(f->b, f->ev, f->it, person, f->now_ms, err))
		return false;
	f->conversation = turn_conversation(f->it, person);
	if (turn_is_bundled(rules, f->it))
		bundle_conversation(f);
	f->author = turn_author(f->it, person);
	if (turn_is_single(rules, f->it)) {
		add_turn(f, TURN_SINGLE);
		ok = true;
	} else {
		ok = file_grouped(f, err);
	}
	filing_clear(f);
	return ok;
}

/* ---- delivered again ------------------------------------------------------- */

/* Its mail, if it has none yet, is to be there to point to. */
static bool
close_first(const struct filing *f, struct err *err)
{
	struct store_place at = { 0 };
	struct turn t = { 0 };
	char state[16] = "";
	bool ok = store_item_find(f->b->store, f->it->key, &at, err) &&
	    (at.turn_id == 0 || store_turn_get(f->b->store, at.turn_id, &t,
	    state, NULL, err));

	if (ok && strcmp(state, "open") == 0) {
		store_turn_close(f->b->store, t.id, TURN_ANSWERED, f->now_ms);
		build_turn_closed(f->b, t.id, t.conversation, NULL, NULL);
	}
	turn_clear(&t);
	return ok;
}

/* Nothing is learned from it that the first did not tell. */
static bool
file_variant(struct filing *f, struct err *err)
{
	g_autofree char *person = NULL, *key = g_strdup(f->it->key);
	guint before;

	if (is_only_recorded(f->b->conf, f->it)) {
		build_event_variant(f->ev, f->it, f->digest);
		add_item(f, 0);
		return true;
	}
	if (!close_first(f, err) || !build_person_known(f->b, f->it,
	    f->now_ms, &person, err))
		return false;
	build_event_variant(f->ev, f->it, f->digest);
	f->conversation = turn_conversation(f->it, person);
	f->author = turn_author(f->it, person);
	before = f->b->turns->len;
	add_turn(f, TURN_SINGLE);
	store_variant_filed(f->b->store, key, f->digest, ((struct build_turn *)
	    f->b->turns->pdata[before])->id);
	filing_clear(f);
	return true;
}

/* What we make of events is made anew, and told by them. */
static bool
is_ours(const struct filing *f)
{
	return f->ev->made != NULL && g_ptr_array_find(f->ev->made, f->it,
	    NULL);
}

/* Each of the different ones once, and not without end. */
static bool
note_differing(struct filing *f, struct err *err)
{
	g_autofree char *id = text_log_quote(f->it->id != NULL ? f->it->id :
	    "-");
	int64_t nth = 0;
	bool is_new = false, same;

	if (is_ours(f))
		return true;
	if (!build_says_the_same(f->b, f->it, &same, err))
		return false;
	if (!same && !store_variant_add(f->b->store, f->it->key, f->digest, f->ev->id,
	    f->now_ms, &nth, &is_new, err))
		return false;
	is_new &= nth <= STORE_VARIANTS_MAX;
	build_tell(f->b, LOG_LEVEL_WARN, "item.differs", "event=%" PRId64
	    " id=%s different=%" PRId64 " journaled=%s", f->ev->id, id, nth,
	    is_new ? "yes" : "no");
	return !is_new || file_variant(f, err);
}

static bool
note_repeat(struct filing *f, bool same, struct build_progress *p,
    struct err *err)
{
	store_sighting_add(f->b->store, f->it->key, f->ev->id, f->now_ms,
	    same);
	p->repeats++;
	if (same)
		return true;
	p->differing++;
	return note_differing(f, err);
}

/* ---- one item -------------------------------------------------------------- */

/* What this version does not know is counted: operators see new kinds. */
static bool
note_novelty(const struct filing *f, struct err *err)
{
	const struct item *it = f->it;
	g_autofree char *field = NULL, *word = NULL;
	bool first = false;

	if (it->kind != ITEM_NOTICE || it->type != ITEM_TYPE_UNKNOWN)
		return true;
	field = text_clean_token(it->field != NULL ? it->field : "-",
	    NOVELTY_MAX);
	word = text_clean_token(it->type_name != NULL ? it->type_name : "-",
	    NOVELTY_MAX);
	if (!store_novelty_add(f->b->store, field, word, f->now_ms, &first,
	    err))
		return false;
	if (first)
		build_tell(f->b, LOG_LEVEL_WARN, "kind.unknown", "field=%s "
		    "word=%s event=%" PRId64, field, word, f->ev->id);
	return true;
}

static void
note_alarm(const struct filing *f)
{
	const struct item *it = f->it;
	g_autofree char *word = NULL, *account = NULL;

	if (!it->alarm)
		return;
	word = text_log_quote(it->type_name != NULL ? it->type_name :
	    item_type_name(it->type));
	account = text_log_quote(it->account != NULL ? it->account : "-");
	build_tell(f->b, LOG_LEVEL_ERROR, "capture.alarm", "what=%s "
	    "account=%s event=%" PRId64, word, account, f->ev->id);
}

static bool
file_item(struct build *b, struct build_event *ev, struct item *it,
    int64_t now_ms, struct build_progress *p, struct err *err)
{
	struct filing f = { .b = b, .ev = ev, .it = it, .now_ms = now_ms };
	enum store_seen seen;

	f.bytes = it->raw != NULL ? (int64_t)strlen(it->raw)
				  : (int64_t)g_bytes_get_size(ev->body);
	build_event_digest(ev, it, f.digest);
	if (!store_item_seen(b->store, it->key, f.digest, &seen, err))
		return false;
	if (seen != STORE_NEW)
		return note_repeat(&f, seen == STORE_SAME, p, err);
	p->items++;
	note_alarm(&f);
	return note_novelty(&f, err) && file_new(&f, err);
}

/* What filing the event's items has taught, in turn items of their own. */
static bool
file_made(struct build *b, struct build_event *ev, int64_t now_ms,
    struct build_progress *p, struct err *err)
{
	for (guint i = 0; ev->made != NULL && i < ev->made->len; i++) {
		if (!file_item(b, ev, ev->made->pdata[i], now_ms, p, err))
			return false;
	}
	return true;
}

/* The raw notice of an event that could not be understood. */
static bool
park_event(struct build *b, struct build_event *ev, const char *reason,
    int64_t now_ms, struct build_progress *p, struct err *err)
{
	guint before = b->turns->len;
	int64_t turn_id = 0;
	g_autofree char *why = text_log_quote(reason);

	if (!file_item(b, ev, ev->items->pdata[0], now_ms, p, err))
		return false;
	if (b->turns->len > before)
		turn_id = ((struct build_turn *)b->turns->pdata[before])->id;
	store_event_park(b->store, ev->id, turn_id, reason, now_ms);
	p->parked_events++;
	build_tell(b, LOG_LEVEL_WARN, "event.parked", "event=%" PRId64
	    " turn=%" PRId64 " reason=%s", ev->id, turn_id, why);
	return true;
}

static bool
file_items(struct build *b, struct build_event *ev, int64_t now_ms,
    struct build_progress *p, struct err *err)
{
	for (guint i = 0; i < ev->items->len; i++) {
		if (!file_item(b, ev, ev->items->pdata[i], now_ms, p, err))
			return false;
	}
	return file_made(b, ev, now_ms, p, err);
}

/* ---- what kills ------------------------------------------------------------ */

/* How often the role died of this very event, as far as it is known. */
static int64_t
deaths_of(const struct build *b, const struct build_event *ev)
{
	const struct store_claim *claim = &b->feed->claim;

	return claim->first == ev->id && claim->last == ev->id ?
	    claim->deaths : 0;
}

/*
 * Even the raw notice killed the role again and again: the bytes are journaled
 * without a look at them.
 */
static bool
park_unread(struct build *b, const struct build_event *ev, int64_t now_ms,
    struct build_progress *p, struct err *err)
{
	static const char why[] = "cannot even be shown raw: the build role "
	    "dies of it";
	int64_t turn_id;

	if (!build_post_last(b, ev, why, now_ms, &turn_id, err))
		return false;
	store_event_park(b->store, ev->id, turn_id, why, now_ms);
	p->parked_events++;
	p->mails++;
	build_tell(b, LOG_LEVEL_ERROR, "event.parked", "event=%" PRId64
	    " turn=%" PRId64 " reason=poison", ev->id, turn_id);
	return true;
}

/*
 * And not even that can be done: a person is shown that it is there. The bytes
 * stay in the store.
 */
static void
park_unseen(struct build *b, const struct build_event *ev, int64_t now_ms,
    struct build_progress *p)
{
	store_event_park(b->store, ev->id, 0,
	    "cannot be journaled: the build role dies of it", now_ms);
	p->parked_events++;
	build_tell(b, LOG_LEVEL_ERROR, "event.parked", "event=%" PRId64
	    " turn=0 reason=poison", ev->id);
}

static bool
file_or_park(struct build *b, struct build_event *ev, int64_t deaths,
    int64_t now_ms, struct build_progress *p, struct err *err)
{
	g_autofree char *parked = NULL;

	if (deaths >= b->conf->poison_deaths) {
		parked = g_strdup_printf("the build role died %" PRId64
		    " times while working on it", deaths);
		build_event_raw(ev, parked);
	} else {
		build_event_parse(b, ev, &parked);
	}
	return parked != NULL ? park_event(b, ev, parked, now_ms, p, err) :
	    file_items(b, ev, now_ms, p, err);
}

bool
build_file_event(struct build *b, struct build_event *ev, int64_t now_ms,
    struct build_progress *p, struct err *err)
{
	int64_t deaths = deaths_of(b, ev), poison = b->conf->poison_deaths;

	p->events++;
	if (deaths < 2 * poison)
		return file_or_park(b, ev, deaths, now_ms, p, err);
	if (deaths < 3 * poison)
		return park_unread(b, ev, now_ms, p, err);
	park_unseen(b, ev, now_ms, p);
	return true;
}

/* ---- once more ------------------------------------------------------------- */

/* Whether its bytes are in a mail, if only in that of another event. */
static bool
is_journaled(struct build *b, const struct store_parked *of,
    const struct build_event *ev, bool *is, struct err *err)
{
	const struct item *raw = ev->items->pdata[0];
	enum store_seen seen = STORE_SAME;

	if (of->turn_id == 0 && !store_item_seen(b->store, raw->key,
	    ev->sha256, &seen, err))
		return false;
	*is = of->turn_id != 0 || seen != STORE_NEW;
	return true;
}

static bool
still_parked(struct build *b, const struct store_parked *of,
    struct build_event *ev, const char *reason, int64_t now_ms,
    struct build_progress *p, struct err *err)
{
	g_autofree char *why = text_log_quote(reason);
	bool is;

	if (!is_journaled(b, of, ev, &is, err))
		return false;
	if (!is)
		return park_unread(b, ev, now_ms, p, err);
	store_event_park(b->store, ev->id, of->turn_id, reason, now_ms);
	build_tell(b, LOG_LEVEL_WARN, "event.parked", "event=%" PRId64
	    " turn=%" PRId64 " reason=%s", ev->id, of->turn_id, why);
	return true;
}

bool
build_file_again(struct build *b, const struct store_parked *of, bool last,
    int64_t now_ms, struct build_progress *p, struct err *err)
{
	struct build_event *ev = build_event_load(b, of->event_id, err);
	g_autofree char *parked = NULL;

	if (ev == NULL)
		return false;
	if (last)
		return of->turn_id != 0 || park_unread(b, ev, now_ms, p, err);
	build_event_parse(b, ev, &parked);
	if (parked != NULL)
		return still_parked(b, of, ev, parked, now_ms, p, err);
	store_event_unpark(b->store, ev->id, now_ms);
	return file_items(b, ev, now_ms, p, err);
}
