/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closed turn to its mails: gathers its items, their files and originals,
 * and what is known of the people, and has it rendered and posted, unless it
 * must wait for files. The bytes are final: nothing renders a turn twice.
 */
#include <inttypes.h>
#include <string.h>

#include "build_int.h"
#include "conf.h"
#include "directory.h"
#include "err.h"
#include "item.h"
#include "log.h"
#include "policy.h"
#include "render.h"
#include "text.h"

/* An event of several items is attached whole to each of them up to here. */
#define ATTACH_SHARED_MAX 65536

static void
gathered_clear(struct build_gathered *g)
{
	g_clear_pointer(&g->items, g_ptr_array_unref);
	g_clear_pointer(&g->events, g_ptr_array_unref);
	g_clear_pointer(&g->media, g_ptr_array_unref);
	g_clear_pointer(&g->originals, g_ptr_array_unref);
	g_free(g->parent);
	g_free(g->number);
	g_free(g->user_id);
	g_free(g->person);
	g_free(g->contact);
	g_clear_pointer(&g->records, g_ptr_array_unref);
	build_findings_clear(&g->findings);
	build_verdict_clear(&g->verdict);
}

static void
free_render_event(gpointer p)
{
	struct render_event *re = p;

	if (re->excerpt != NULL)
		g_ptr_array_unref((GPtrArray *)(uintptr_t)re->excerpt);
	g_free(re);
}

static struct render_event *
event_of(struct build_gathered *g, const struct build_event *ev)
{
	struct render_event *re;

	for (guint i = g->events->len; i-- > 0;) {
		re = g->events->pdata[i];
		if (memcmp(re->sha256, ev->sha256, HASH_SIZE) == 0 &&
		    re->body == g_bytes_get_data(ev->body, NULL))
			return re;
	}
	re = g_new0(struct render_event, 1);
	re->seq = ev->is_record ? ev->id - STORE_EVENT_GATEWAY : ev->id;
	re->source = ev->is_record ? "gateway" : "webhook";
	re->received_ms = ev->received_ms;
	memcpy(re->sha256, ev->sha256, HASH_SIZE);
	re->body = g_bytes_get_data(ev->body, &re->len);
	re->is_json = ev->is_json;
	g_ptr_array_add(g->events, re);
	return re;
}

static bool
is_same_talk(const struct item *a, const struct item *b)
{
	return g_strcmp0(a->business.user_id, b->business.user_id) == 0 &&
	    g_strcmp0(a->group_id, b->group_id) == 0 &&
	    g_strcmp0(a->counterpart.user_id, b->counterpart.user_id) == 0 &&
	    g_strcmp0(a->counterpart.number, b->counterpart.number) == 0;
}

/*
 * Meta puts up to 1,000 updates of anybody into one POST. Attached whole to
 * each of its turns it would show one customer's words in another's mail, and
 * grow with the square of its size.
 */
static bool
is_attached_whole(const struct build_event *ev, const struct item *it)
{
	if (ev->items->len > 1 &&
	    g_bytes_get_size(ev->body) > ATTACH_SHARED_MAX)
		return false;
	for (guint i = 0; i < ev->items->len; i++) {
		if (!is_same_talk(ev->items->pdata[i], it))
			return false;
	}
	return true;
}

static void
add_event(struct build_gathered *g, const struct build_event *ev, struct item *it)
{
	struct render_event *re = event_of(g, ev);
	GPtrArray *excerpt = (GPtrArray *)(uintptr_t)re->excerpt;

	/* What is shown raw is nowhere but in the whole. */
	if (ev->stand_in != NULL && excerpt != NULL)
		g_ptr_array_unref(excerpt);
	if (ev->stand_in != NULL)
		re->excerpt = excerpt = NULL;
	if (ev->stand_in != NULL || (excerpt == NULL && (!ev->is_json ||
	    is_attached_whole(ev, it))))
		return;
	if (excerpt == NULL)
		re->excerpt = excerpt = g_ptr_array_new();
	g_ptr_array_add(excerpt, it);
}

/* An item the present parser no longer finds is shown raw, never skipped. */
static bool
gather_item(struct build *b, const struct store_turn_item *ti,
    struct build_gathered *g, struct err *err)
{
	struct build_event *ev = build_event_load(b, ti->event_id, err);
	struct item *it;

	if (ev == NULL)
		return false;
	build_event_parse(b, ev, NULL);
	it = build_event_item(ev, ti->key);
	if (it == NULL)
		it = build_event_stand_in(ev);
	/* One stands for all of its event that are missing. */
	if (g->items->len > 0 && g->items->pdata[g->items->len - 1] == it)
		return true;
	g_ptr_array_add(g->items, it);
	add_event(g, ev, it);
	return true;
}

static bool
gather_items(struct build *b, const struct build_turn *t, struct build_gathered *g,
    struct err *err)
{
	g_autoptr(GArray) list = NULL;

	g->items = g_ptr_array_new();
	g->events = g_ptr_array_new_with_free_func(free_render_event);
	if (t->item != NULL) {
		g_ptr_array_add(g->items, t->item);
		add_event(g, t->event, t->item);
		return true;
	}
	if (!store_turn_item_list(b->store, t->id, &list, err))
		return false;
	for (guint i = 0; i < list->len; i++) {
		if (!gather_item(b, &g_array_index(list,
		    struct store_turn_item, i), g, err))
			return false;
	}
	if (g->items->len == 0)
		return err_set(err, ERR_PERM, "build.empty",
		    "turn %" PRId64 " has no items", t->id);
	turn_sort(g->items);
	return true;
}

/* Nobody of the staff wrote it, whoever uses the number. */
static bool
is_of_a_machine(const struct item *it)
{
	return it->direction == ITEM_SENT &&
	    (it->author == ITEM_BOT || it->author == ITEM_OTHER_APP);
}

static bool
gather_people(struct build *b, struct build_gathered *g, int64_t now_ms,
    struct err *err)
{
	struct item *first = g->items->pdata[0];

	if (!build_person_known(b, first, now_ms, &g->person, err) ||
	    !build_identity_contact(b, first, g->person, &g->contact, err))
		return false;
	g->number = g_strdup(first->counterpart.number);
	g->user_id = g_strdup(first->counterpart.user_id);
	if (g->number == NULL &&
	    !build_person_other(b, first, g->person, "n:", &g->number, err))
		return false;
	if (g->user_id == NULL &&
	    !build_person_other(b, first, g->person, "u:", &g->user_id, err))
		return false;
	g->business = directory_business_get(b->conf->directory,
	    first->business.user_id, first->business.number);
	if (!is_of_a_machine(first) && !build_staff_find(b, first,
	    g->business, now_ms, &g->staff, err))
		return false;
	for (guint i = 0; g->staff.staff != NULL && i < g->items->len; i++) {
		struct item *it = g->items->pdata[i];

		if (it->author == ITEM_UNKNOWN_STAFF)
			it->author = ITEM_STAFF;
	}
	return true;
}

/* The mail that holds the message which the first item refers to. */
static bool
gather_parent(struct build *b, struct build_gathered *g, struct err *err)
{
	const struct item *first = g->items->pdata[0];
	const char *refers = first->variant_of != NULL ? first->variant_of :
	    first->refers;
	g_autofree char *key = NULL;

	if (refers == NULL)
		return true;
	if (!store_item_message_id(b->store, refers, &g->parent, err))
		return false;
	if (g->parent != NULL || first->variant_of != NULL)
		return true;
	return build_send_unknown(b, first, &key, err) && (key == NULL ||
	    store_item_message_id(b->store, key, &g->parent, err));
}

/* ---- follow-ups: a file that came after the mail of its turn --------------- */

struct wanted {
	struct store_turn_item item;
	int64_t turn_id;
};

static bool
take_want(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	struct wanted *out = arg;

	(void)f;
	out->turn_id = w->turn_id;
	out->item.event_id = w->event_id;
	memcpy(out->item.key, w->key, HASH_SIZE);
	return true;
}

/* The item as it was journaled; the mail is about one of its files. */
static bool
gather_follow_up(struct build *b, const struct build_turn *t, int64_t now_ms,
    struct build_gathered *g, struct err *err)
{
	struct turn first = { 0 };
	struct wanted w = { 0 };
	char state[16];
	bool ok;

	g->items = g_ptr_array_new();
	g->events = g_ptr_array_new_with_free_func(free_render_event);
	ok = store_want_get(b->store, t->want_id, take_want, &w, err) &&
	    gather_item(b, &w.item, g, err) &&
	    gather_people(b, g, now_ms, err) &&
	    build_files_gather(b, w.turn_id, t->want_id, g->items, &g->media,
	    &g->late, err) &&
	    store_turn_get(b->store, w.turn_id, &first, state, &g->parent,
	    err);
	turn_clear(&first);
	g->first_turn = w.turn_id;
	return ok;
}

static bool
gather_turn(struct build *b, const struct build_turn *t, int64_t now_ms,
    struct build_gathered *g, struct err *err)
{
	return gather_items(b, t, g, err) &&
	    gather_people(b, g, now_ms, err) && gather_parent(b, g, err) &&
	    build_originals(b, t, g->items, &g->originals, err) &&
	    build_files_gather(b, t->id, 0, g->items, &g->media, &g->late,
	    err);
}

/* Of a send by somebody who is in no directory. */
static const char *
employee_of(const struct item *it)
{
	return it->send != NULL ? it->send->employee : NULL;
}

static bool
gather(struct build *b, const struct build_turn *t, int64_t now_ms,
    struct build_gathered *g, struct err *err)
{
	if (!(t->want_id != 0 ? gather_follow_up(b, t, now_ms, g, err) :
	    gather_turn(b, t, now_ms, g, err)))
		return false;
	g->in = (struct render_input){
		.items = g->items, .events = g->events,
		.originals = g->originals, .media = g->media,
		.is_follow_up = t->want_id != 0, .now_ms = now_ms,
		.conversation = turn_talk(t->conversation),
		.parent_message_id = g->parent,
		.business = g->business, .staff = g->staff.staff,
		.counterpart_name = g->contact,
		.counterpart_name_source = g->contact != NULL ?
		    "contact list" : NULL,
		.customer = directory_customer_get(b->conf->directory,
		    g->user_id, g->number),
		.counterpart_number = g->number,
		.counterpart_user_id = g->user_id,
	};
	if (g->staff.staff == NULL && t->want_id == 0)
		g->in.employee = employee_of(g->items->pdata[0]);
	return true;
}

/* An item of our own making is in no event: later it could not be found. */
static bool
is_made(const struct build_turn *t)
{
	return t->item != NULL && t->event->made != NULL &&
	    g_ptr_array_find(t->event->made, t->item, NULL);
}

/*
 * A turn waits for files that are not here yet, and for the answer who of the
 * staff it was, once, and within bounds. Without files it goes out with a
 * notice; each is followed up when it comes.
 */
static bool
must_wait(struct build *b, struct build_turn *t, const struct build_gathered *g,
    int64_t now_ms)
{
	int64_t until_ms = g->staff.pending_until_ms;

	if (t->hold.end != NULL || t->is_overdue || is_made(t))
		return false;
	if (until_ms != 0)
		build_staff_wait(b, t->id, &g->staff);
	if (g->late > 0 && b->conf->media.wait_ms > 0)
		until_ms = MAX(until_ms, now_ms + b->conf->media.wait_ms);
	if (until_ms == 0)
		return false;
	if (!t->is_waiting)
		store_turn_wait(b->store, t->id, until_ms);
	return true;
}

/* ---- what the rules say ---------------------------------------------------- */

/* Before it was parked. */
static bool
is_judged(struct build *b, int64_t turn_id, bool *is, struct err *err)
{
	g_autofree char *json = NULL;
	bool ok = store_judged_get(b->store, turn_id, &json, err);

	*is = json != NULL;
	return ok;
}

/* Judged once; what comes later to the turn goes by what was found then. */
static bool
judge(struct build *b, struct build_turn *t, struct build_gathered *g,
    struct err *err)
{
	struct build_case c = { .in = &g->in, .person = g->person,
		.groups = g->staff.groups,
		.groups_unknown = g->staff.groups_unknown,
		.is_late = g->late > 0 };
	bool judged = false;

	/* It, or that of its file, may have been held before. */
	if ((t->is_waiting || t->is_redone || t->want_id != 0) &&
	    !build_hold_recall(b, t, t->want_id != 0 ? g->first_turn : t->id,
	    err))
		return false;
	if (t->is_redone && !is_judged(b, t->id, &judged, err))
		return false;
	if (t->want_id != 0)
		c.judged_turn = g->first_turn;
	else if (t->hold.end != NULL || judged)
		c.judged_turn = t->id;
	if (!build_judge(b, t, &c, &g->verdict, err))
		return false;
	/* It goes out, and must not say otherwise. */
	if (is_made(t) && g->verdict.all != NULL)
		g->verdict.all->hold_ms = 0;
	return true;
}

static bool
must_hold(const struct build_turn *t, const struct build_gathered *g)
{
	return g->verdict.holds && g->verdict.all->hold_ms > 0 &&
	    t->hold.end == NULL && t->want_id == 0;
}

static bool
hold(struct build *b, struct build_turn *t, struct build_gathered *g,
    int64_t now_ms, struct err *err)
{
	build_findings_fill(&g->findings, t, g->verdict.all);
	g->in.policy = &g->findings.shown;
	build_hold(b, t, g->verdict.all, now_ms);
	return build_alert(b, t, &g->in, g->verdict.all, now_ms, err);
}

static bool
apply(struct build *b, struct build_turn *t, struct build_gathered *g,
    struct err *err)
{
	if (g->verdict.all == NULL)
		return true;
	build_withhold(b, t, g);
	if (t->hold.end != NULL && !build_hold_reviews(b, t->hold.turn_id,
	    &g->findings.reviews, err))
		return false;
	build_findings_fill(&g->findings, t, g->verdict.all);
	g->in.policy = &g->findings.shown;
	return true;
}

static bool
render_gathered(struct build *b, struct build_turn *t,
    struct build_gathered *g, int64_t now_ms, struct err *err)
{
	t->items = g->items->len;
	if (!judge(b, t, g, err))
		return false;
	if (must_hold(t, g))
		return hold(b, t, g, now_ms, err);
	t->late = g->late;
	build_withhold_events(b, g);
	if (!apply(b, t, g, err) ||
	    !build_post(b, t, &g->in, g->verdict.all, now_ms, err))
		return false;
	if (t->excluded != NULL) {
		store_turn_excluded(b->store, t->id, t->excluded, now_ms);
		build_withhold_note(b);
	}
	return g->late == 0 || build_files_are_late(b, t->id, err);
}

/* Reading, not writing: what cannot be written now fails for every turn. */
static bool
is_unreadable(const struct err *err)
{
	static const char *const whats[] = { "io.open", "io.read", "io.short",
		NULL };

	return err->kind == ERR_TEMP && g_strv_contains(whats, err->what);
}

/*
 * One file that is not to be read, be it of a bad disk or its rights, must
 * not stop all others. Its turn is tried again.
 */
static bool
put_off(struct build *b, struct build_turn *t, int64_t now_ms,
    const char *why)
{
	store_turn_wait(b->store, t->id, now_ms + BUILD_FILE_RETRY_MS);
	t->unreadable = g_strdup(why);
	return true;
}

static bool
is_of_store(const struct err *err)
{
	return strncmp(err->what, "store.", 6) == 0;
}

bool
build_render_turn(struct build *b, struct build_turn *t, int64_t now_ms,
    struct build_progress *p, struct err *err)
{
	struct build_gathered g = { 0 };
	struct err why = ERR_INIT;
	bool ok = gather(b, t, now_ms, &g, &why);
	bool waits = ok && must_wait(b, t, &g, now_ms);

	if (ok && !waits)
		ok = render_gathered(b, t, &g, now_ms, &why);
	gathered_clear(&g);
	if (ok) {
		p->turns += !waits && t->held == NULL;
		p->mails += t->mails;
		return true;
	}
	if (is_unreadable(&why))
		return put_off(b, t, now_ms, why.text);
	if (why.kind != ERR_PERM || is_of_store(&why)) {
		if (err != NULL)
			*err = why;
		return false;
	}
	store_turn_park(b->store, t->id, why.text, now_ms);
	t->parked = g_strdup(why.text);
	p->parked_turns++;
	return true;
}
