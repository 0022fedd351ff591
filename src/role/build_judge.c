/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bank's rules on a gathered turn: asks policy.h item by item, with what
 * the store remembers, and keeps what it found. What the gateway found of a
 * send stands in its record and is taken from there: nothing is judged twice.
 * Nothing is decided here about what becomes of the turn (build_render.c).
 */
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "build_int.h"
#include "conf.h"
#include "directory.h"
#include "err.h"
#include "gateway.h"
#include "item.h"
#include "policy.h"
#include "render.h"
#include "wa.h"

#define LATE_MS ((int64_t)7 * 86400000)	/* Meta tries for so long */

/* The store as the memory of rules. */
struct memory {
	struct build *b;
	struct err err;
	bool failed;
};

static bool
count(void *arg, const char *rule, const char *subject, const char *who,
    int64_t since_ms, int64_t *n)
{
	struct memory *m = arg;

	if (!store_tally_count(m->b->store, STORE_BUILD, rule, subject, who,
	    since_ms, n, &m->err))
		m->failed = true;
	return !m->failed;
}

static enum policy_malware
malware_of(const struct render_media *m)
{
	if (m->state == RENDER_MEDIA_QUARANTINED)
		return POLICY_MALWARE_INFECTED;
	if (m->verdict == NULL)
		return POLICY_MALWARE_UNKNOWN;
	if (g_str_has_prefix(m->verdict, "infected"))
		return POLICY_MALWARE_INFECTED;
	return strcmp(m->verdict, "clean") == 0 ? POLICY_MALWARE_CLEAN :
	    POLICY_MALWARE_UNSCANNED;
}

static const struct render_media *
fetched(const GPtrArray *media, const struct item_media *of)
{
	for (guint i = 0; media != NULL && i < media->len; i++) {
		const struct render_media *m = media->pdata[i];

		if (m->media == of)
			return m;
	}
	return NULL;
}

/* What is known of the item's files: as fetched, else as declared. */
static GPtrArray *
files_of(const struct item *it, const GPtrArray *media)
{
	GPtrArray *files;

	if (it->media == NULL)
		return NULL;
	files = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < it->media->len; i++) {
		const struct item_media *im = it->media->pdata[i];
		const struct render_media *m = fetched(media, im);
		struct policy_file *f = g_new0(struct policy_file, 1);

		f->name = im->filename;
		f->type = m != NULL && m->type != NULL ? m->type :
		    im->mime_type;
		f->size = m != NULL && m->path != NULL ? m->size : -1;
		f->malware = m != NULL ? malware_of(m) :
		    POLICY_MALWARE_UNKNOWN;
		g_ptr_array_add(files, f);
	}
	return files;
}

static enum policy_consent
consent_of(const char *state)
{
	if (state == NULL)
		return POLICY_CONSENT_UNKNOWN;
	return strcmp(state, policy_consent_name(POLICY_CONSENT_GIVEN)) == 0 ?
	    POLICY_CONSENT_GIVEN : POLICY_CONSENT_WITHDRAWN;
}

/* What the rules may ask of the person. */
static bool
recall_person(struct build *b, const struct item *it,
    const struct build_case *c, struct policy_input *in, struct err *err)
{
	g_autofree char *realm = build_realm(it), *state = NULL;
	int64_t first_ms = 0;

	if (c->person == NULL) {
		in->new_unknown = true;
		return true;
	}
	/* As it stood then: what was said later gives nobody leave. */
	if (!store_consent_get(b->store, realm, c->person, it->at_ms > 0 ?
	    it->at_ms : INT64_MAX, &state, err) ||
	    !build_identity_first(b, realm, c->person, &first_ms, err))
		return false;
	in->consent = consent_of(state);
	in->new_unknown = it->at_ms <= 0;
	in->is_new_counterpart = first_ms == 0 || first_ms >= it->at_ms;
	return true;
}

static bool
ask_rules(struct build *b, struct item *it, const struct build_case *c,
    struct policy_verdict **out, struct err *err)
{
	struct memory m = { .b = b };
	struct policy_world world = { .arg = &m, .count = count };
	const struct render_input *r = c->in;
	g_autoptr(GPtrArray) files = files_of(it, r->media);
	g_autofree char *more = wa_more_text(it);
	struct policy_input in = {
		.item = it, .now_ms = r->now_ms, .talk = r->conversation,
		.person = c->person, .business = r->business,
		.staff = r->staff, .customer = r->customer,
		.groups = c->groups,
		.groups_unknown = c->groups_unknown, .files = files,
		.extra_text = more };

	if (it->send != NULL) {
		in.application = it->send->application;
		in.employee = it->send->employee;
	}
	if (!recall_person(b, it, c, &in, err))
		return false;
	*out = policy_judge(b->policy, b->policy_work, &in, &world);
	if (!m.failed)
		return true;
	g_clear_pointer(out, policy_verdict_free);
	if (err != NULL)
		*err = m.err;
	return false;
}

static bool
has_own_verdict(const struct item *it)
{
	return it->send != NULL && it->send->verdict != NULL;
}

static bool
judge_item(struct build *b, struct item *it, const struct build_case *c,
    struct policy_verdict **out, struct err *err)
{
	return (has_own_verdict(it) && policy_verdict_parse(it->send->verdict,
	    strlen(it->send->verdict), out, NULL)) ||
	    ask_rules(b, it, c, out, err);
}

/* ---- of single items ------------------------------------------------------- */

static void
free_taken(gpointer p)
{
	struct build_taken *k = p;

	g_free(k->exclude);
	g_free(k);
}

void
build_verdict_clear(struct build_verdict *v)
{
	g_clear_pointer(&v->all, policy_verdict_free);
	g_clear_pointer(&v->taken, g_ptr_array_unref);
	v->holds = false;
}

static struct build_taken *
add_taken(struct build_verdict *v, const uint8_t key[HASH_SIZE])
{
	struct build_taken *k = g_new0(struct build_taken, 1);

	memcpy(k->key, key, HASH_SIZE);
	if (v->taken == NULL)
		v->taken = g_ptr_array_new_with_free_func(free_taken);
	g_ptr_array_add(v->taken, k);
	return k;
}

static const struct build_taken *
taken_of(const struct build_verdict *v, const uint8_t key[HASH_SIZE])
{
	for (guint i = 0; i < v->taken->len; i++) {
		const struct build_taken *k = v->taken->pdata[i];

		if (memcmp(k->key, key, HASH_SIZE) == 0)
			return k;
	}
	return NULL;
}

const char *
build_verdict_exclude(const struct build_verdict *v,
    const uint8_t key[HASH_SIZE])
{
	const struct build_taken *k;

	if (v->all == NULL || !v->all->exclude)
		return NULL;
	if (v->taken == NULL)
		return v->all->exclude_rule;
	k = taken_of(v, key);
	return k != NULL ? k->exclude : NULL;
}

bool
build_verdict_quarantine(const struct build_verdict *v,
    const uint8_t key[HASH_SIZE])
{
	const struct build_taken *k;

	if (v->all == NULL || !v->all->quarantine || v->taken == NULL)
		return v->all != NULL && v->all->quarantine;
	k = taken_of(v, key);
	return k != NULL && k->quarantine;
}

/* ---- of the turn ----------------------------------------------------------- */

/*
 * A send was held before it left, by the gateway; of what it records nothing is
 * withheld. What was only reported to it is as if it had been captured.
 */
static bool
may_be_held(const struct item *it)
{
	return it->send == NULL || g_strcmp0(it->send->outcome,
	    gateway_outcome_name(GATEWAY_REPORTED)) == 0;
}

static void
add_verdict(struct build_verdict *out, const struct item *it, bool is_only,
    struct policy_verdict *v)
{
	uint8_t key[HASH_SIZE];
	struct build_taken *k;

	/* Sends were counted where they were judged. */
	if (has_own_verdict(it))
		g_ptr_array_set_size(v->tallies, 0);
	out->holds |= v->hold_ms > 0 && may_be_held(it);
	if (!is_only && (v->exclude || v->quarantine)) {
		store_key(it->key, key);
		k = add_taken(out, key);
		k->exclude = v->exclude ? g_strdup(v->exclude_rule) : NULL;
		k->quarantine = v->quarantine;
	}
	if (out->all == NULL) {
		out->all = v;
		return;
	}
	policy_verdict_merge(out->all, v);
	policy_verdict_free(v);
}

static void
add_names(GPtrArray *to, const GPtrArray *names)
{
	for (guint i = 0; i < names->len; i++) {
		if (!g_ptr_array_find_with_equal_func(to, names->pdata[i],
		    g_str_equal, NULL))
			g_ptr_array_add(to, g_strdup(names->pdata[i]));
	}
}

/*
 * One item is to go elsewhere and its neighbours are not: the turn goes to the
 * journals of both, since it is one mail.
 */
static void
settle_journals(struct build_verdict *v, const GPtrArray *only)
{
	if (v->all->only_journals->len == 0)
		add_names(v->all->journals, only);
}

static bool
judge_all(struct build *b, const struct build_case *c,
    struct build_verdict *out, struct err *err)
{
	g_autoptr(GPtrArray) only = g_ptr_array_new_with_free_func(g_free);
	const GPtrArray *items = c->in->items;

	for (guint i = 0; i < items->len; i++) {
		struct policy_verdict *v = NULL;

		if (!judge_item(b, items->pdata[i], c, &v, err)) {
			build_verdict_clear(out);
			return false;
		}
		add_names(only, v->only_journals);
		add_verdict(out, items->pdata[i], items->len == 1, v);
	}
	settle_journals(out, only);
	return true;
}

/* ---- what is kept ---------------------------------------------------------- */

#define TAKEN "taken"

/* The verdict, and beside its own members what is taken from which item. */
static char *
print(const struct build_verdict *v)
{
	g_autoptr(GString) json = g_string_new(NULL);
	char hex[HASH_HEX_SIZE];

	policy_verdict_print(v->all, json);
	if (v->taken == NULL)
		return g_strdup(json->str);
	g_string_truncate(json, json->len - 1);
	g_string_append(json, ",\"" TAKEN "\":[");
	for (guint i = 0; i < v->taken->len; i++) {
		const struct build_taken *k = v->taken->pdata[i];

		/* Names of rules need no quoting: conf sees to that. */
		g_string_append_printf(json, "%s{\"item\":\"%s\"",
		    i > 0 ? "," : "", hash_hex(k->key, hex));
		if (k->exclude != NULL)
			g_string_append_printf(json, ",\"exclude\":\"%s\"",
			    k->exclude);
		g_string_append_printf(json, "%s}", k->quarantine ?
		    ",\"quarantine\":true" : "");
	}
	g_string_append(json, "]}");
	return g_strdup(json->str);
}

static void
read_taken(struct build_verdict *v, struct json_object *o)
{
	struct json_object *item, *rule;
	struct build_taken *k;
	uint8_t key[HASH_SIZE];

	if (!json_object_object_get_ex(o, "item", &item) ||
	    !hash_parse_hex(json_object_get_string(item), key))
		return;
	k = add_taken(v, key);
	if (json_object_object_get_ex(o, "exclude", &rule))
		k->exclude = g_strdup(json_object_get_string(rule));
	k->quarantine = json_object_object_get_ex(o, "quarantine", NULL);
}

static bool
parse(const char *json, struct build_verdict *out, struct err *err)
{
	struct json_object *o, *list;

	if (!policy_verdict_parse(json, strlen(json), &out->all, err))
		return false;
	o = json_tokener_parse(json);
	if (json_object_object_get_ex(o, TAKEN, &list)) {
		for (size_t i = 0; i < json_object_array_length(list); i++)
			read_taken(out, json_object_array_get_idx(list, i));
	}
	json_object_put(o);
	return true;
}

static void
keep_fired(struct build *b, int64_t turn_id, const struct build_verdict *v)
{
	g_autofree char *json = print(v);

	store_judged_set(b->store, turn_id, json);
}

/* What is counted is so before the rule fires for the first time. */
static void
keep(struct build *b, const struct build_turn *t, const struct item *first,
    const struct build_case *c, const struct build_verdict *found)
{
	const struct policy_verdict *v = found->all;
	g_autofree char *realm = build_realm(first);
	int64_t now_ms = c->in->now_ms;
	int64_t at_ms = first->at_ms > 0 ? first->at_ms : now_ms;

	if (v->fired->len > 0 || c->is_late)
		keep_fired(b, t->id, found);
	for (guint i = 0; i < v->tallies->len; i++) {
		const struct policy_tally *y = v->tallies->pdata[i];

		store_tally_add(b->store, STORE_BUILD, y->rule, y->subject,
		    y->who, MIN(at_ms, now_ms));
	}
	if (v->consent_set != POLICY_CONSENT_UNKNOWN && c->person != NULL)
		store_consent_add(b->store, realm, c->person,
		    policy_consent_name(v->consent_set), "rule", at_ms);
}

bool
build_judge_recall(struct build *b, int64_t turn_id,
    struct build_verdict *out, struct err *err)
{
	g_autofree char *json = NULL;

	return store_judged_get(b->store, turn_id, &json, err) &&
	    (json == NULL || parse(json, out, err));
}

bool
build_judge(struct build *b, const struct build_turn *t,
    const struct build_case *c, struct build_verdict *out, struct err *err)
{
	const struct item *first = c->in->items->pdata[0];

	/* Judged before: by what was true then, if there were rules at all. */
	if (c->judged_turn != 0)
		return build_judge_recall(b, c->judged_turn, out, err);
	if (policy_is_empty(b->policy) && !has_own_verdict(first))
		return true;
	if (!judge_all(b, c, out, err))
		return false;
	keep(b, t, first, c, out);
	return true;
}

/* Looked back upon from when something was said, which may come in late. */
int64_t
build_memory_ms(const struct build *b)
{
	int64_t ms = policy_memory_ms(b->policy);

	return ms > 0 ? ms + LATE_MS : 0;
}

/* The set of rules that is used from now on is kept with its text. */
bool
build_judge_begin(struct build *b, int64_t now_ms, struct err *err)
{
	g_autoptr(GString) text = NULL;

	if (policy_is_empty(b->policy))
		return true;
	text = g_string_new(NULL);
	conf_policy_bundle(b->conf, text);
	store_begin(b->store);
	store_ruleset_set(b->store, policy_sha256(b->policy), text->str,
	    text->len, now_ms);
	return store_commit(b->store, err);
}

/* ---- as it is shown -------------------------------------------------------- */

void
build_findings_clear(struct build_findings *f)
{
	g_clear_pointer(&f->rules, g_ptr_array_unref);
	g_clear_pointer(&f->unsure, g_ptr_array_unref);
	g_clear_pointer(&f->not_here, g_ptr_array_unref);
	g_clear_pointer(&f->why, g_ptr_array_unref);
	g_clear_pointer(&f->reviews, g_ptr_array_unref);
}

static void
show_fired(struct build_findings *f, const struct policy_fired *p)
{
	g_ptr_array_add(f->rules, p->rule);
	if (p->is_unsure)
		g_ptr_array_add(f->unsure, p->rule);
	if (p->not_here)
		g_ptr_array_add(f->not_here, p->rule);
	for (guint i = 0; i < p->why->len; i++)
		g_ptr_array_add(f->why, g_strdup_printf("%s: %s", p->rule,
		    (const char *)p->why->pdata[i]));
}

void
build_findings_fill(struct build_findings *f, const struct build_turn *t,
    const struct policy_verdict *v)
{
	f->rules = g_ptr_array_new();
	f->unsure = g_ptr_array_new();
	f->not_here = g_ptr_array_new();
	f->why = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < v->fired->len; i++)
		show_fired(f, v->fired->pdata[i]);
	hash_hex(v->set, f->set);
	f->shown = (struct render_policy){
		.word = policy_verdict_word(v), .rules = f->rules,
		.unsure = f->unsure, .not_here = f->not_here,
		.tags = v->tags, .why = f->why,
		/* Nobody looked at it in time. */
		.flag = v->flag || g_strcmp0(t->hold.end, "expired") == 0,
		.retain = v->retain, .set = f->set,
		.hold_end = t->hold.end, .hold_rule = t->hold.rule,
		.held_ms = t->hold.since_ms, .hold_end_ms = t->hold.ended_ms,
		.reviews = f->reviews };
}
