/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and items for the tests of policy. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "clock.h"
#include "directory.h"
#include "err.h"
#include "policy_bed.h"

/* ---- the world ------------------------------------------------------------------- */

static bool
count(void *arg, const char *rule, const char *subject, const char *who,
    int64_t since_ms, int64_t *n)
{
	struct policy_bed *b = arg;
	g_autofree char *prefix = g_strdup_printf("%s|%s|", rule, subject);
	g_autofree char *own = g_strconcat(prefix, who, NULL);
	GHashTableIter iter;
	gpointer key, ms;

	b->asked++;
	*n = 1;
	g_hash_table_iter_init(&iter, b->tallies);
	while (g_hash_table_iter_next(&iter, &key, &ms))
		*n += g_str_has_prefix(key, prefix) &&
		    *(int64_t *)ms >= since_ms && strcmp(key, own) != 0;
	return !b->is_deaf;
}

static bool
told(void *arg, const char *rule, const char *talk, int64_t *at_ms)
{
	struct policy_bed *b = arg;
	g_autofree char *key = g_strdup_printf("%s|%s", rule, talk);
	const int64_t *ms = g_hash_table_lookup(b->told, key);

	*at_ms = ms != NULL ? *ms : 0;
	return !b->is_deaf;
}

static int64_t *
new_ms(int64_t ms)
{
	int64_t *p = g_new(int64_t, 1);

	*p = ms;
	return p;
}

void
policy_bed_remember(struct policy_bed *b, const struct policy_verdict *v,
    const char *talk, int64_t now_ms)
{
	for (guint i = 0; i < v->tallies->len; i++) {
		const struct policy_tally *t =
		    g_ptr_array_index(v->tallies, i);

		g_hash_table_replace(b->tallies, g_strdup_printf("%s|%s|%s",
		    t->rule, t->subject, t->who), new_ms(now_ms));
	}
	for (guint i = 0; i < v->additions->len; i++) {
		const struct policy_addition *a =
		    g_ptr_array_index(v->additions, i);

		if (a->once)
			g_hash_table_replace(b->told, g_strdup_printf("%s|%s",
			    a->rule, talk), new_ms(now_ms));
	}
}

void
policy_bed_init(struct policy_bed *b)
{
	memset(b, 0, sizeof(*b));
	b->source = policy_source_new();
	b->issues = g_ptr_array_new_with_free_func(g_free);
	b->tallies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	b->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	b->world = (struct policy_world){ b, count, told };
}

void
policy_bed_clear(struct policy_bed *b)
{
	policy_work_free(b->work);
	policy_free(b->policy);
	policy_source_free(b->source);
	g_ptr_array_unref(b->issues);
	g_hash_table_unref(b->tallies);
	g_hash_table_unref(b->told);
}

/* ---- rules ----------------------------------------------------------------------- */

static void
add_values(GPtrArray *to, const char *values)
{
	g_auto(GStrv) list = g_strsplit(values, "|", -1);

	for (char **v = list; *v != NULL; v++)
		g_ptr_array_add(to, g_strdup(*v));
}

struct policy_cond *
policy_bed_cond(const char *match, const char *values, int64_t number)
{
	enum policy_match m = POLICY_ALWAYS;
	struct policy_cond *c;

	if (!policy_match_parse(match, &m))
		fail_msg("no match %s", match);
	c = policy_cond_new(m, "p:2");
	add_values(c->values, values);
	c->number = number;
	return c;
}

struct policy_cond *
policy_bed_group(const char *match, struct policy_cond *a,
    struct policy_cond *b, struct policy_cond *c)
{
	struct policy_cond *group = policy_bed_cond(match, "", 0);
	struct policy_cond *const kids[] = { a, b, c };

	for (size_t i = 0; i < G_N_ELEMENTS(kids) && kids[i] != NULL; i++)
		g_ptr_array_add(group->conds, kids[i]);
	return group;
}

struct policy_rule *
policy_bed_rule(struct policy_bed *b, const char *name,
    struct policy_cond *cond)
{
	struct policy_rule *r = policy_rule_new(name, "p:1");

	if (cond != NULL)
		g_ptr_array_add(r->conds, cond);
	g_ptr_array_add(b->source->rules, r);
	return r;
}

struct policy_action *
policy_bed_act(struct policy_rule *r, const char *act, const char *values,
    const char *text)
{
	enum policy_act a = POLICY_FLAG;
	struct policy_action *action;

	if (!policy_act_parse(act, &a))
		fail_msg("no action %s", act);
	action = policy_action_new(a, "p:3");
	add_values(action->values, values);
	action->text = g_strdup(text);
	g_ptr_array_add(r->actions, action);
	return action;
}

void
policy_bed_lexicon(struct policy_bed *b, const char *name, const char *file,
    const char *text)
{
	struct policy_lexicon *l = policy_lexicon_new(name);

	l->where = g_strdup("p:4");
	policy_lexicon_add(l, file, text, strlen(text));
	g_ptr_array_add(b->source->lexicons, l);
}

void
policy_bed_pattern(struct policy_bed *b, const char *name, const char *regex)
{
	g_ptr_array_add(b->source->patterns,
	    policy_pattern_new(name, regex, "p:5"));
}

void
policy_bed_window(struct policy_bed *b, const char *name, const char *zone,
    const struct policy_span *span)
{
	struct policy_window *w = policy_window_new(name);

	w->zone = g_strdup(zone);
	w->where = g_strdup("p:6");
	if (span != NULL)
		policy_window_add(w, span);
	g_ptr_array_add(b->source->windows, w);
}

static void
keep_issue(void *arg, const char *where, bool is_error, const char *text)
{
	struct policy_bed *b = arg;

	g_ptr_array_add(b->issues, g_strdup_printf("%s %s: %s",
	    is_error ? "error" : "warning", where, text));
}

bool
policy_bed_try(struct policy_bed *b)
{
	struct err err = ERR_INIT;

	if (policy_new(b->source, keep_issue, b, &b->policy, &err)) {
		b->work = policy_work_new(b->policy);
		return true;
	}
	assert_int_equal(err.kind, ERR_CONF);
	assert_string_equal(err.what, "policy.rules");
	return false;
}

void
policy_bed_compile(struct policy_bed *b)
{
	if (!policy_bed_try(b))
		fail_msg("%s",
		    (const char *)g_ptr_array_index(b->issues, 0));
}

bool
policy_bed_said(const struct policy_bed *b, const char *words)
{
	for (guint i = 0; i < b->issues->len; i++)
		if (strstr(g_ptr_array_index(b->issues, i), words) != NULL)
			return true;
	return false;
}

/* ---- scenes ----------------------------------------------------------------------- */

struct policy_scene {
	struct policy_input in;
	struct item *item;
	struct directory_business *business;
	struct directory_staff *staff;
	struct directory_customer *customer;
	GPtrArray *groups, *files, *strings;
};

static const char *
keep(struct policy_scene *s, const char *value)
{
	char *copy = g_strdup(value);

	g_ptr_array_add(s->strings, copy);
	return copy;
}

static struct directory_business *
business(struct policy_scene *s)
{
	if (s->business == NULL)
		s->business = directory_business_new();
	return s->business;
}

static struct directory_staff *
staff(struct policy_scene *s)
{
	if (s->staff == NULL)
		s->staff = directory_staff_new();
	return s->staff;
}

static struct directory_customer *
customer(struct policy_scene *s)
{
	if (s->customer == NULL)
		s->customer = directory_customer_new();
	return s->customer;
}

static GPtrArray *
list_of(GPtrArray **list)
{
	if (*list == NULL)
		*list = g_ptr_array_new_with_free_func(g_free);
	return *list;
}

/* NAME|TYPE|SIZE|MALWARE; "-" is not known. */
static void
add_file(struct policy_scene *s, const char *value)
{
	g_auto(GStrv) w = g_strsplit(value, "|", 4);
	struct policy_file *f = g_new0(struct policy_file, 1);

	assert_int_equal(g_strv_length(w), 4);
	f->name = strcmp(w[0], "-") == 0 ? NULL : keep(s, w[0]);
	f->type = strcmp(w[1], "-") == 0 ? NULL : keep(s, w[1]);
	f->size = strcmp(w[2], "-") == 0 ? -1 : g_ascii_strtoll(w[2], NULL,
	    10);
	f->malware = strcmp(w[3], "clean") == 0 ? POLICY_MALWARE_CLEAN :
	    strcmp(w[3], "infected") == 0 ? POLICY_MALWARE_INFECTED :
	    strcmp(w[3], "unscanned") == 0 ? POLICY_MALWARE_UNSCANNED :
	    POLICY_MALWARE_UNKNOWN;
	g_ptr_array_add(s->files, f);
	s->in.files = s->files;
}

/* FILENAME|TYPE|CAPTION, as the event says it. */
static void
add_media(struct policy_scene *s, const char *value)
{
	g_auto(GStrv) w = g_strsplit(value, "|", 3);
	struct item_media *m = item_media_add(s->item);

	assert_int_equal(g_strv_length(w), 3);
	m->filename = strcmp(w[0], "-") == 0 ? NULL : g_strdup(w[0]);
	m->mime_type = strcmp(w[1], "-") == 0 ? NULL : g_strdup(w[1]);
	m->caption = strcmp(w[2], "-") == 0 ? NULL : g_strdup(w[2]);
}

static int
word(const char *const *words, const char *value)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	fail_msg("no word %s", value);
	return 0;
}

static int
named(const char *(*name)(int i), int n, const char *value)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name(i), value) == 0)
			return i;
	fail_msg("no name %s", value);
	return 0;
}

static const char *
kind_name(int i)
{
	return item_kind_name((enum item_kind)i);
}

static const char *
type_name(int i)
{
	return item_type_name((enum item_type)i);
}

static const char *
author_name(int i)
{
	return item_author_name((enum item_author)i);
}

static bool
set_word(struct policy_scene *s, const char *key, const char *value)
{
	static const char *const directions[] = { "received", "sent", NULL };
	static const char *const places[] = { "capture", "gateway", NULL };
	static const char *const consents[] = { "unknown", "given",
		"withdrawn", NULL };

	if (strcmp(key, "direction") == 0)
		s->item->direction =
		    (enum item_direction)word(directions, value);
	else if (strcmp(key, "at") == 0)
		s->in.at_gateway = word(places, value) == 1;
	else if (strcmp(key, "consent") == 0)
		s->in.consent = (enum policy_consent)word(consents, value);
	else if (strcmp(key, "kind") == 0)
		s->item->kind = (enum item_kind)named(kind_name, ITEM_KINDS,
		    value);
	else if (strcmp(key, "type") == 0)
		s->item->type = (enum item_type)named(type_name, ITEM_TYPES,
		    value);
	else if (strcmp(key, "author") == 0)
		s->item->author = (enum item_author)named(author_name,
		    ITEM_AUTHORS, value);
	else if (strcmp(key, "groups-unknown") == 0)
		s->in.groups_unknown = true;
	else if (strcmp(key, "new") == 0)
		s->in.is_new_counterpart = true;
	else if (strcmp(key, "new-unknown") == 0)
		s->in.new_unknown = true;
	else
		return false;
	return true;
}

static bool
set_person(struct policy_scene *s, const char *key, const char *value)
{
	if (strcmp(key, "application") == 0)
		s->in.application = keep(s, value);
	else if (strcmp(key, "employee") == 0)
		s->in.employee = keep(s, value);
	else if (strcmp(key, "person") == 0)
		s->in.person = keep(s, value);
	else if (strcmp(key, "talk") == 0)
		s->in.talk = keep(s, value);
	else if (strcmp(key, "group") == 0)
		g_ptr_array_add(s->groups, g_strdup(value));
	else if (strcmp(key, "staff") == 0)
		staff(s)->id = g_strdup(value);
	else if (strcmp(key, "staff-group") == 0)
		g_ptr_array_add(list_of(&staff(s)->groups), g_strdup(value));
	else if (strcmp(key, "customer") == 0)
		customer(s)->id = g_strdup(value);
	else if (strcmp(key, "list") == 0)
		g_ptr_array_add(list_of(&customer(s)->lists),
		    g_strdup(value));
	else if (strcmp(key, "counterpart") == 0)
		s->item->counterpart.number = g_strdup(value);
	else if (strcmp(key, "counterpart-id") == 0)
		s->item->counterpart.user_id = g_strdup(value);
	else if (strcmp(key, "group-id") == 0)
		s->item->group_id = g_strdup(value);
	else
		return false;
	return true;
}

static bool
set_place(struct policy_scene *s, const char *key, const char *value)
{
	if (strcmp(key, "network") == 0)
		s->item->network = g_strdup(value);
	else if (strcmp(key, "business") == 0)
		business(s)->id = g_strdup(value);
	else if (strcmp(key, "number") == 0)
		business(s)->number = g_strdup(value);
	else if (strcmp(key, "event-business") == 0)
		s->item->business.user_id = g_strdup(value);
	else if (strcmp(key, "event-number") == 0)
		s->item->business.number = g_strdup(value);
	else if (strcmp(key, "desk") == 0)
		business(s)->desk = g_strdup(value);
	else if (strcmp(key, "zone") == 0)
		business(s)->zone = g_strdup(value);
	else if (strcmp(key, "time") == 0)
		s->item->at_ms = clock_parse(value);
	else if (strcmp(key, "now") == 0)
		s->in.now_ms = clock_parse(value);
	else
		return false;
	return true;
}

static bool
set_text(struct policy_scene *s, const char *key, const char *value)
{
	struct item *it = s->item;

	if (strcmp(key, "text") == 0)
		it->text = g_strdup(value);
	else if (strcmp(key, "template") == 0)
		item_template_get(it)->name = g_strdup(value);
	else if (strcmp(key, "header") == 0)
		item_template_get(it)->header = g_strdup(value);
	else if (strcmp(key, "footer") == 0)
		item_template_get(it)->footer = g_strdup(value);
	else if (strcmp(key, "button") == 0)
		item_button_add(it, value);
	else if (strcmp(key, "answer") == 0)
		item_answer_add(it, "question", value);
	else if (strcmp(key, "extra") == 0)
		s->in.extra_text = keep(s, value);
	else if (strcmp(key, "file") == 0)
		add_file(s, value);
	else if (strcmp(key, "no-files") == 0)
		s->in.files = s->files;
	else if (strcmp(key, "media") == 0)
		add_media(s, value);
	else
		return false;
	return true;
}

static bool
set_detail(struct policy_scene *s, const char *key, const char *value)
{
	struct item *it = s->item;

	if (g_str_has_prefix(key, "reply-") && it->reply == NULL)
		it->reply = g_new0(struct item_reply, 1);
	if (g_str_has_prefix(key, "location-") && it->location == NULL)
		it->location = g_new0(struct item_location, 1);
	if (strcmp(key, "reply-title") == 0)
		it->reply->title = g_strdup(value);
	else if (strcmp(key, "reply-description") == 0)
		it->reply->description = g_strdup(value);
	else if (strcmp(key, "reply-body") == 0)
		it->reply->body = g_strdup(value);
	else if (strcmp(key, "location-name") == 0)
		it->location->name = g_strdup(value);
	else if (strcmp(key, "location-address") == 0)
		it->location->address = g_strdup(value);
	else if (strcmp(key, "location-url") == 0)
		it->location->url = g_strdup(value);
	else if (strcmp(key, "card-name") == 0)
		item_card_add(it)->name = g_strdup(value);
	else if (strcmp(key, "card-line") == 0)
		item_card_fact_add(item_card_add(it), "org", value);
	else if (strcmp(key, "order") == 0)
		item_order_add(it)->product_id = g_strdup(value);
	else
		return false;
	return true;
}

struct policy_scene *
policy_scene_new(const char *line)
{
	struct policy_scene *s = g_new0(struct policy_scene, 1);
	g_auto(GStrv) words = g_strsplit(line, ";", -1);

	s->item = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
	s->groups = g_ptr_array_new_with_free_func(g_free);
	s->files = g_ptr_array_new_with_free_func(g_free);
	s->strings = g_ptr_array_new_with_free_func(g_free);
	for (char **w = words; *w != NULL; w++) {
		char *key = g_strstrip(*w), *value = strchr(key, '=');

		if (*key == '\0')
			continue;
		if (value != NULL)
			*value++ = '\0';
		else
			value = key + strlen(key);
		g_strdelimit(value, "^", ';');
		if (!set_word(s, key, value) && !set_person(s, key, value) &&
		    !set_place(s, key, value) && !set_text(s, key, value) &&
		    !set_detail(s, key, value))
			fail_msg("no key %s", key);
	}
	s->in.item = s->item;
	s->in.business = s->business;
	s->in.staff = s->staff;
	s->in.customer = s->customer;
	s->in.groups = s->groups;
	return s;
}

void
policy_scene_free(struct policy_scene *s)
{
	item_free(s->item);
	directory_business_free(s->business);
	directory_staff_free(s->staff);
	directory_customer_free(s->customer);
	g_ptr_array_unref(s->groups);
	g_ptr_array_unref(s->files);
	g_ptr_array_unref(s->strings);
	g_free(s);
}

struct policy_input *
policy_scene_input(struct policy_scene *s)
{
	return &s->in;
}

/* ---- judging ---------------------------------------------------------------------- */

struct policy_verdict *
policy_bed_judge(struct policy_bed *b, const char *scene)
{
	struct policy_scene *s = policy_scene_new(scene);
	struct policy_verdict *v;

	if (b->policy == NULL)
		policy_bed_compile(b);
	v = policy_judge(b->policy, b->work, &s->in, &b->world);
	policy_scene_free(s);
	return v;
}

struct policy_fired *
policy_bed_fired(const struct policy_verdict *v, const char *rule)
{
	for (guint i = 0; i < v->fired->len; i++) {
		struct policy_fired *f = g_ptr_array_index(v->fired, i);

		if (strcmp(f->rule, rule) == 0)
			return f;
	}
	return NULL;
}

bool
policy_bed_has(const GPtrArray *strings, const char *s)
{
	for (guint i = 0; i < strings->len; i++)
		if (strcmp(g_ptr_array_index(strings, i), s) == 0)
			return true;
	return false;
}
