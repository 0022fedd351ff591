/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules keep out of mails: a turn as a whole, of which a record goes out;
 * single items, in whose place a record stands while what was said around them
 * is journaled; files, which stay in the store. And what must not show it all
 * the same: events that hold several items, and mails of what answers or
 * changes it. Nothing is decided here about what rules say (build_judge.c).
 */
#include <string.h>

#include <json-c/json.h>

#include "build_int.h"
#include "conf.h"
#include "err.h"
#include "item.h"
#include "policy.h"
#include "render.h"

#define CURSOR_WITHHELD "withheld"	/* 1: something was */

static bool
takes_away(const struct policy_rule *r)
{
	for (guint i = 0; i < r->actions->len; i++) {
		const struct policy_action *a = r->actions->pdata[i];

		if (a->act == POLICY_HOLD || a->act == POLICY_EXCLUDE)
			return true;
	}
	return false;
}

/* Mails of banks without such rules are as if there were none of them. */
bool
build_withhold_begin(struct build *b, struct err *err)
{
	const GPtrArray *rules = b->conf->policy->rules;
	int64_t seen;

	for (guint i = 0; i < rules->len; i++)
		b->rules_withhold |= takes_away(rules->pdata[i]);
	if (!store_cursor_get(b->store, STORE_BUILD, CURSOR_WITHHELD, &seen,
	    err))
		return false;
	b->has_withheld = seen != 0;
	return true;
}

void
build_withhold_note(struct build *b)
{
	b->has_withheld = true;
	store_cursor_set(b->store, STORE_BUILD, CURSOR_WITHHELD, 1);
}

static bool
is_rejected(const struct build_hold *h)
{
	return g_strcmp0(h->end, "rejected") == 0;
}

/* ---- events ---------------------------------------------------------------- */

static struct build_event *
event_of(struct build *b, const struct render_event *re)
{
	int64_t id = re->seq + (strcmp(re->source, "gateway") == 0 ?
	    STORE_EVENT_GATEWAY : 0);

	return g_hash_table_lookup(b->events, &id);
}

static bool
is_of_event(struct build_event *ev, const struct item *it)
{
	uint8_t key[HASH_SIZE];

	if (it == ev->stand_in)
		return true;
	store_key(it->key, key);
	return build_event_item(ev, key) == it;
}

/* An item that we made ourselves is in no event's bytes. */
static bool
is_made_of(const struct build_event *ev, const struct item *it)
{
	return ev->made != NULL &&
	    g_ptr_array_find(ev->made, (gconstpointer)it, NULL);
}

static void
attach_only(struct render_event *re, GPtrArray *items)
{
	if (re->excerpt != NULL)
		g_ptr_array_unref((GPtrArray *)(uintptr_t)re->excerpt);
	re->excerpt = items;
}

static GPtrArray *
items_of(struct build_event *ev, const GPtrArray *items)
{
	GPtrArray *own = g_ptr_array_new();

	for (guint i = 0; i < items->len; i++) {
		struct item *it = items->pdata[i];

		if (is_of_event(ev, it) || is_made_of(ev, it))
			g_ptr_array_add(own, it);
	}
	return own;
}

static void
narrow(struct build_event *ev, struct render_event *re,
    const GPtrArray *items)
{
	guint found = 0;

	/* What is shown raw is nowhere but in the whole. */
	if (re->excerpt != NULL || !ev->is_json || ev->stand_in != NULL)
		return;
	for (guint i = 0; i < items->len; i++)
		found += is_of_event(ev, items->pdata[i]);
	if (found < ev->items->len)
		attach_only(re, items_of(ev, items));
}

void
build_withhold_events(struct build *b, struct build_gathered *g)
{
	if (!b->rules_withhold && !b->has_withheld)
		return;
	for (guint i = 0; i < g->events->len; i++) {
		struct render_event *re = g->events->pdata[i];
		struct build_event *ev = event_of(b, re);

		if (ev != NULL)
			narrow(ev, re, g->items);
	}
}

/* ---- a record of an item --------------------------------------------------- */

/* In the place of the item's own JSON: which one, and the hash of what it was. */
static char *
raw_of(const struct item *it, const char *rule, const char *hex)
{
	struct json_object *o = json_object_new_object();
	char *raw;

	json_object_object_add(o, "excluded", json_object_new_string(rule));
	if (it->id != NULL)
		json_object_object_add(o, "id", json_object_new_string(it->id));
	if (hex != NULL)
		json_object_object_add(o, "sha256",
		    json_object_new_string(hex));
	raw = g_strdup(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return raw;
}

static void
copy_send(struct item *r, const struct item *it)
{
	struct item_send *s;

	if (it->send == NULL)
		return;
	s = item_send_get(r);
	s->key = g_strdup(it->send->key);
	s->outcome = g_strdup(it->send->outcome);
	s->application = g_strdup(it->send->application);
	s->employee = g_strdup(it->send->employee);
}

static const struct render_media *
fetched(const GPtrArray *media, const struct item_media *of)
{
	for (guint i = 0; media != NULL && i < media->len; i++) {
		const struct render_media *m = media->pdata[i];

		if (m->media == of && m->path != NULL)
			return m;
	}
	return NULL;
}

static void
add_file_hashes(struct item *r, const struct item *it, const GPtrArray *media)
{
	for (guint i = 0; it->media != NULL && i < it->media->len; i++) {
		const struct item_media *im = it->media->pdata[i];
		const struct render_media *m = fetched(media, im);
		char hex[HASH_HEX_SIZE];

		item_fact_add(r, "file SHA-256", m != NULL ? hash_hex(m->sha256, hex) :
		    im->sha256);
	}
}

/* Who, when, which kind, by which rule, and hashes; nothing that was said. */
static struct item *
record_of(const struct item *it, const char *rule, const GPtrArray *media)
{
	struct item *r = item_new(it->kind, it->type);
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	if (it->raw != NULL) {
		hash_sha256(it->raw, strlen(it->raw), digest);
		hash_hex(digest, hex);
	}
	r->direction = it->direction;
	r->author = it->author;
	r->network = g_strdup(it->network);
	r->field = g_strdup(it->field);
	r->type_name = g_strdup(it->type_name);
	r->key = g_strdup(it->key);
	r->id = g_strdup(it->id);
	r->target = g_strdup(it->target);
	r->at_ms = it->at_ms;
	r->account = g_strdup(it->account);
	item_party_copy(&r->business, &it->business);
	item_party_copy(&r->counterpart, &it->counterpart);
	r->group_id = g_strdup(it->group_id);
	copy_send(r, it);
	r->note = g_strdup_printf("excluded by rule %s", rule);
	item_fact_add(r, "item SHA-256", it->raw != NULL ? hex : NULL);
	add_file_hashes(r, it, media);
	r->raw = raw_of(it, rule, it->raw != NULL ? hex : NULL);
	return r;
}

/* ---- in the place of items ------------------------------------------------- */

static void
drop_files(struct build_gathered *g, const struct item *it)
{
	for (guint i = g->media != NULL ? g->media->len : 0; i-- > 0;) {
		const struct render_media *m = g->media->pdata[i];

		if (it->media != NULL && g_ptr_array_find(it->media, m->media,
		    NULL))
			g_ptr_array_remove_index(g->media, i);
	}
}

/* Of its event only the turn's items are attached, and the record among them. */
static void
replace_in_event(struct build *b, struct build_gathered *g, struct item *it,
    struct item *record)
{
	for (guint i = 0; i < g->events->len; i++) {
		struct render_event *re = g->events->pdata[i];
		struct build_event *ev = event_of(b, re);
		GPtrArray *own;
		guint at;

		if (ev == NULL || !is_of_event(ev, it))
			continue;
		if (re->excerpt == NULL)
			attach_only(re, items_of(ev, g->items));
		own = (GPtrArray *)(uintptr_t)re->excerpt;
		if (g_ptr_array_find(own, it, &at))
			own->pdata[at] = record;
	}
}

/* What it was about, and where its neighbours are about it. */
static void
drop_originals(struct build_gathered *g, guint of)
{
	const struct item *it = g->items->pdata[of];

	for (guint i = 0; g->originals != NULL && i < g->items->len; i++) {
		const struct item *other = g->items->pdata[i];

		if (i == of || g_strcmp0(other->refers, it->key) == 0)
			build_original_drop(g->originals, i);
	}
}

static void
exclude_item(struct build *b, struct build_gathered *g, guint i,
    const char *rule)
{
	struct item *it = g->items->pdata[i];
	struct item *record = record_of(it, rule, g->media);

	if (g->records == NULL)
		g->records = item_list_new();
	g_ptr_array_add(g->records, record);
	replace_in_event(b, g, it, record);
	drop_files(g, it);
	drop_originals(g, i);
	g->items->pdata[i] = record;
}

static const char *
excluded_by(const struct build_gathered *g, guint i)
{
	const struct item *it = g->items->pdata[i];
	uint8_t key[HASH_SIZE];

	store_key(it->key, key);
	return build_verdict_exclude(&g->verdict, key);
}

/* What one rule takes from one item is not taken from its neighbours. */
static void
exclude(struct build *b, struct build_turn *t, struct build_gathered *g)
{
	guint n = 0;

	for (guint i = 0; i < g->items->len; i++)
		n += excluded_by(g, i) != NULL;
	if (n == 0)
		return;
	t->excluded = g_strdup(g->verdict.all->exclude_rule);
	t->excluded_items = n;
	if (n == g->items->len) {
		g->in.is_excluded = true;
		g->in.exclude_rule = g->verdict.all->exclude_rule;
		return;
	}
	for (guint i = 0; i < g->items->len; i++) {
		const char *rule = excluded_by(g, i);

		if (rule != NULL)
			exclude_item(b, g, i, rule);
	}
}

/* ---- files ----------------------------------------------------------------- */

static bool
is_quarantined(const struct build_gathered *g, const struct item_media *m)
{
	uint8_t key[HASH_SIZE];

	for (guint i = 0; i < g->items->len; i++) {
		const struct item *it = g->items->pdata[i];

		if (it->media == NULL ||
		    !g_ptr_array_find(it->media, m, NULL))
			continue;
		store_key(it->key, key);
		return build_verdict_quarantine(&g->verdict, key);
	}
	return false;
}

/* Kept, named, hashed, but in no mail. */
static void
quarantine(struct build_gathered *g)
{
	for (guint i = 0; g->media != NULL && i < g->media->len; i++) {
		struct render_media *m = g->media->pdata[i];

		if (m->state != RENDER_MEDIA_HELD ||
		    !is_quarantined(g, m->media))
			continue;
		m->state = RENDER_MEDIA_QUARANTINED;
		m->reason = "withheld by a rule";
	}
}

void
build_withhold(struct build *b, struct build_turn *t,
    struct build_gathered *g)
{
	if (g->verdict.all->quarantine)
		quarantine(g);
	if (is_rejected(&t->hold)) {
		t->excluded = g_strdup(t->hold.rule);
		t->excluded_items = g->items->len;
		g->in.is_excluded = true;
		g->in.exclude_rule = t->excluded;
	} else if (g->verdict.all->exclude) {
		exclude(b, t, g);
	}
}

/* ---- what others must not show --------------------------------------------- */

static bool
take_rejected(void *arg, const struct store_hold *h)
{
	bool *is = arg;

	*is = g_strcmp0(h->end, "rejected") == 0;
	return false;
}

/*
 * What is not judged yet may turn out to be withheld: its own mail, not that of
 * an answer, is to be the first to show it.
 */
bool
build_is_withheld(struct build *b, const struct store_place *at,
    const char *state, bool *is, struct err *err)
{
	struct build_verdict v = { 0 };
	bool ok;

	*is = false;
	if (strcmp(state, "rendered") != 0) {
		*is = b->rules_withhold || strcmp(state, "held") == 0;
		return true;
	}
	if (!b->has_withheld)
		return true;
	ok = store_hold_get(b->store, at->turn_id, take_rejected, is, err) &&
	    build_judge_recall(b, at->turn_id, &v, err);
	*is |= ok && build_verdict_exclude(&v, at->key) != NULL;
	build_verdict_clear(&v);
	return ok;
}
