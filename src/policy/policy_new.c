/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules made ready: everything they name is found, or named as missing, and
 * all texts to be looked for are in one set, so that a message is read once
 * however many rules there are. A set with a mistake in it is refused whole.
 */
#include "policy_int.h"

#include <stdarg.h>
#include <string.h>

#include "clock.h"
#include "err.h"

/* ---- complaints -------------------------------------------------------------- */

static void
complain(struct policy_issues *to, const char *where, bool is_error,
    char *text)
{
	const char *place = where != NULL ? where : "policy";

	if (to->issue != NULL)
		to->issue(to->arg, place, is_error, text);
	if (is_error && to->errors++ == 0)
		to->first = g_strconcat(place, ": ", text, NULL);
	g_free(text);
}

void
policy_error(struct policy_issues *to, const char *where, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(to, where, true, g_strdup_vprintf(fmt, ap));
	va_end(ap);
}

void
policy_warning(struct policy_issues *to, const char *where, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(to, where, false, g_strdup_vprintf(fmt, ap));
	va_end(ap);
}

/* ---- names -------------------------------------------------------------------- */

static void
add_name(GHashTable *ids, struct policy_issues *to, const char *what,
    const char *name, const char *where)
{
	guint n = g_hash_table_size(ids);

	if (g_hash_table_contains(ids, name))
		policy_error(to, where, "there are two %ss named %s: call one "
		    "of them something else", what, name);
	else
		g_hash_table_insert(ids, g_strdup(name),
		    GINT_TO_POINTER((int)n + 1));
}

/* Ids are places in the array: after a name given twice they are of no use,
 * but then neither is the set. */
static void
add_names(struct policy *p, struct policy_issues *to)
{
	const struct policy_source *s = p->source;
	g_autoptr(GHashTable) windows = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);

	for (guint i = 0; i < s->lexicons->len; i++) {
		const struct policy_lexicon *l =
		    g_ptr_array_index(s->lexicons, i);

		add_name(p->lexicon_ids, to, "lexicon", l->name, l->where);
	}
	for (guint i = 0; i < s->patterns->len; i++) {
		const struct policy_pattern *x =
		    g_ptr_array_index(s->patterns, i);

		add_name(p->pattern_ids, to, "pattern", x->name, x->where);
	}
	for (guint i = 0; i < s->windows->len; i++) {
		const struct policy_window *w =
		    g_ptr_array_index(s->windows, i);

		add_name(windows, to, "window", w->name, w->where);
	}
}

static void
add_hours(struct policy *p, struct policy_issues *to)
{
	for (guint i = 0; i < p->source->windows->len; i++) {
		struct policy_hours *h = g_new0(struct policy_hours, 1);

		h->source = g_ptr_array_index(p->source->windows, i);
		policy_hours_check(to, h->source);
		if (h->source->zone != NULL)
			h->zone = clock_zone_get(h->source->zone);
		g_ptr_array_add(p->hours, h);
	}
}

/* ---- rules --------------------------------------------------------------------- */

static void
free_compiled(gpointer element)
{
	struct policy_compiled *r = element;

	policy_node_free(r->root);
	g_free(r);
}

static void
check_rule(struct policy_issues *to, const struct policy_rule *r)
{
	for (guint i = 0; i < r->actions->len; i++)
		policy_check_action(to, g_ptr_array_index(r->actions, i));
	if (r->count_ms < 0 || r->count_over < 0)
		policy_error(to, r->where, "rule %s: a count is of so many "
		    "customers within some time; say \"count 25 customers "
		    "30d;\"", r->name);
	if (r->actions->len == 0 && !r->is_final)
		policy_warning(to, r->where, "rule %s does nothing: it has no "
		    "action and is not final", r->name);
}

static bool
takes_away(const struct policy_rule *r)
{
	bool takes = r->is_final || r->is_sure;

	for (guint i = 0; i < r->actions->len; i++) {
		const struct policy_action *a =
		    g_ptr_array_index(r->actions, i);

		takes = takes || policy_act_takes_away(a->act);
	}
	return takes;
}

static void
add_rules(struct policy_compiler *c)
{
	const GPtrArray *rules = c->policy->source->rules;
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);

	for (guint i = 0; i < rules->len; i++) {
		const struct policy_rule *r = g_ptr_array_index(rules, i);
		struct policy_compiled *compiled =
		    g_new0(struct policy_compiled, 1);

		add_name(names, c->issues, "rule", r->name, r->where);
		check_rule(c->issues, r);
		compiled->source = r;
		compiled->takes_away = takes_away(r);
		compiled->root = policy_root_new(c, r);
		g_ptr_array_add(c->policy->rules, compiled);
	}
}

/* ---- texts to look for ---------------------------------------------------------- */

static void
tell_line(void *arg, const char *file, unsigned line, int level,
    const char *text)
{
	g_autofree char *where = g_strdup_printf("%s:%u", file, line);

	if (level == 0)
		policy_warning(arg, where, "%s", text);
	else
		policy_error(arg, where, "%s", text);
}

static void
add_lexicon(struct scan_set *set, const struct policy_lexicon *l,
    struct policy_issues *to)
{
	for (guint i = 0; i < l->files->len; i++) {
		const struct policy_text *t = g_ptr_array_index(l->files, i);
		unsigned before = to->errors;
		struct err err = ERR_INIT;

		if (!scan_set_lexicon(set, l->name, t->name, t->text, t->len,
		    tell_line, to, &err) && to->errors == before)
			policy_error(to, t->name, "%s", err.text);
	}
}

static void
add_pattern(struct scan_set *set, const struct policy_pattern *x,
    struct policy_issues *to)
{
	struct err err = ERR_INIT;

	if (!scan_set_pattern(set, x->name, x->regex, &err))
		policy_error(to, x->where, "%s", err.text);
}

/*
 * What no rule uses is read for its mistakes only: looking for it in every
 * message would cost and change nothing.
 */
static void
add_texts(struct policy_compiler *c)
{
	const struct policy_source *s = c->policy->source;
	struct scan_set *rest = scan_set_new();
	struct err err = ERR_INIT;

	for (guint i = 0; i < s->lexicons->len; i++) {
		struct policy_lexicon *l = g_ptr_array_index(s->lexicons, i);

		add_lexicon(g_hash_table_contains(c->used, l) ?
		    c->policy->scan : rest, l, c->issues);
	}
	for (guint i = 0; i < s->patterns->len; i++) {
		struct policy_pattern *x = g_ptr_array_index(s->patterns, i);

		add_pattern(g_hash_table_contains(c->used, x) ?
		    c->policy->scan : rest, x, c->issues);
	}
	scan_set_free(rest);
	if (c->issues->errors == 0 && !scan_set_seal(c->policy->scan, &err))
		policy_error(c->issues, NULL, "%s", err.text);
}

static void
check_used(struct policy_compiler *c)
{
	const struct policy_source *s = c->policy->source;

	for (guint i = 0; i < s->lexicons->len; i++) {
		struct policy_lexicon *l = g_ptr_array_index(s->lexicons, i);

		if (!g_hash_table_contains(c->used, l))
			policy_warning(c->issues, l->where, "no rule uses "
			    "lexicon %s", l->name);
	}
	for (guint i = 0; i < s->patterns->len; i++) {
		struct policy_pattern *x = g_ptr_array_index(s->patterns, i);

		if (!g_hash_table_contains(c->used, x))
			policy_warning(c->issues, x->where, "no rule uses "
			    "pattern %s", x->name);
	}
	for (guint i = 0; i < s->windows->len; i++) {
		struct policy_window *w = g_ptr_array_index(s->windows, i);

		if (!g_hash_table_contains(c->used, w))
			policy_warning(c->issues, w->where, "no rule uses "
			    "window %s", w->name);
	}
}

/* ---- the whole -------------------------------------------------------------------- */

static struct policy *
new_policy(const struct policy_source *s)
{
	struct policy *p = g_new0(struct policy, 1);

	p->source = s;
	p->rules = g_ptr_array_new_with_free_func(free_compiled);
	p->hours = g_ptr_array_new_with_free_func(g_free);
	p->scan = scan_set_new();
	p->lexicon_ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	p->pattern_ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	p->category_names = g_ptr_array_new_with_free_func(g_free);
	return p;
}

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	g_ptr_array_unref(p->rules);
	g_ptr_array_unref(p->hours);
	scan_set_free(p->scan);
	g_hash_table_unref(p->lexicon_ids);
	g_hash_table_unref(p->pattern_ids);
	g_ptr_array_unref(p->category_names);
	g_free(p);
}

static void
check_defaults(struct policy_issues *to, const struct policy_source *s)
{
	if (s->hold_ms <= 0)
		policy_error(to, NULL, "hold_max must be longer than nothing");
	if (s->hold_persons <= 0)
		policy_error(to, NULL, "hold_persons must be 1 or more");
	if (s->alert_ms < 0)
		policy_error(to, NULL, "alert_every cannot be negative");
}

static void
compile(struct policy_compiler *c)
{
	check_defaults(c->issues, c->policy->source);
	add_names(c->policy, c->issues);
	add_hours(c->policy, c->issues);
	add_rules(c);
	add_texts(c);
	if (c->issues->errors > 0)
		return;
	check_used(c);
	policy_check_reach(c->issues, c->policy);
}

bool
policy_new(const struct policy_source *s, policy_issue_fn *issue, void *arg,
    struct policy **out, struct err *err)
{
	struct policy_issues issues = { .issue = issue, .arg = arg };
	g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);
	struct policy_compiler c = { .policy = new_policy(s),
		.issues = &issues, .used = used };
	g_autofree char *first = NULL;

	compile(&c);
	first = issues.first;
	if (issues.errors == 0) {
		*out = c.policy;
		return true;
	}
	policy_free(c.policy);
	if (issues.errors == 1)
		return err_set(err, ERR_CONF, "policy.rules", "%s", first);
	return err_set(err, ERR_CONF, "policy.rules", "%s (and %u more)",
	    first, issues.errors - 1);
}

bool
policy_is_empty(const struct policy *p)
{
	return p->rules->len == 0;
}

int64_t
policy_memory_ms(const struct policy *p)
{
	int64_t most = 0;

	for (guint i = 0; i < p->rules->len; i++) {
		const struct policy_compiled *c = p->rules->pdata[i];

		most = MAX(most, c->source->count_ms);
	}
	return most;
}

const uint8_t *
policy_sha256(const struct policy *p)
{
	return p->source->sha256;
}
