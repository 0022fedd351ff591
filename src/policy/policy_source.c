/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules as they were written: making and freeing them. Checks nothing;
 * policy_new() does. Every free takes NULL.
 */
#include "policy.h"

#define DAY_MS INT64_C(86400000)
#define ALERT_MS INT64_C(600000)

static GPtrArray *
new_strings(void)
{
	return g_ptr_array_new_with_free_func(g_free);
}

static void
free_array(GPtrArray *a)
{
	if (a != NULL)
		g_ptr_array_unref(a);
}

static void
free_text(gpointer element)
{
	struct policy_text *t = element;

	g_free(t->name);
	g_free(t);
}

struct policy_source *
policy_source_new(void)
{
	struct policy_source *s = g_new0(struct policy_source, 1);

	s->rules = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)policy_rule_free);
	s->lexicons = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)policy_lexicon_free);
	s->patterns = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)policy_pattern_free);
	s->windows = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)policy_window_free);
	s->hold_ms = DAY_MS;
	s->hold_persons = 1;
	s->alert_ms = ALERT_MS;
	return s;
}

void
policy_source_free(struct policy_source *s)
{
	if (s == NULL)
		return;
	free_array(s->rules);
	free_array(s->lexicons);
	free_array(s->patterns);
	free_array(s->windows);
	g_free(s);
}

struct policy_cond *
policy_cond_new(enum policy_match m, const char *where)
{
	struct policy_cond *c = g_new0(struct policy_cond, 1);

	c->match = m;
	c->values = new_strings();
	c->conds = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)policy_cond_free);
	c->where = g_strdup(where);
	return c;
}

void
policy_cond_free(struct policy_cond *c)
{
	if (c == NULL)
		return;
	free_array(c->values);
	free_array(c->conds);
	g_free(c->where);
	g_free(c);
}

struct policy_action *
policy_action_new(enum policy_act a, const char *where)
{
	struct policy_action *action = g_new0(struct policy_action, 1);

	action->act = a;
	action->values = new_strings();
	action->where = g_strdup(where);
	return action;
}

void
policy_action_free(struct policy_action *a)
{
	if (a == NULL)
		return;
	free_array(a->values);
	g_free(a->text);
	g_free(a->where);
	g_free(a);
}

struct policy_rule *
policy_rule_new(const char *name, const char *where)
{
	struct policy_rule *r = g_new0(struct policy_rule, 1);

	r->name = g_strdup(name);
	r->where = g_strdup(where);
	r->conds = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)policy_cond_free);
	r->actions = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)policy_action_free);
	return r;
}

void
policy_rule_free(struct policy_rule *r)
{
	if (r == NULL)
		return;
	g_free(r->name);
	free_array(r->conds);
	free_array(r->actions);
	g_free(r->where);
	g_free(r);
}

struct policy_lexicon *
policy_lexicon_new(const char *name)
{
	struct policy_lexicon *l = g_new0(struct policy_lexicon, 1);

	l->name = g_strdup(name);
	l->files = g_ptr_array_new_with_free_func(free_text);
	return l;
}

void
policy_lexicon_free(struct policy_lexicon *l)
{
	if (l == NULL)
		return;
	g_free(l->name);
	free_array(l->files);
	g_free(l->where);
	g_free(l);
}

void
policy_lexicon_add(struct policy_lexicon *l, const char *name,
    const char *text, size_t len)
{
	struct policy_text *t = g_new0(struct policy_text, 1);

	t->name = g_strdup(name);
	t->text = text;
	t->len = len;
	g_ptr_array_add(l->files, t);
}

struct policy_pattern *
policy_pattern_new(const char *name, const char *regex, const char *where)
{
	struct policy_pattern *p = g_new0(struct policy_pattern, 1);

	p->name = g_strdup(name);
	p->regex = g_strdup(regex);
	p->where = g_strdup(where);
	return p;
}

void
policy_pattern_free(struct policy_pattern *p)
{
	if (p == NULL)
		return;
	g_free(p->name);
	g_free(p->regex);
	g_free(p->where);
	g_free(p);
}

struct policy_window *
policy_window_new(const char *name)
{
	struct policy_window *w = g_new0(struct policy_window, 1);

	w->name = g_strdup(name);
	w->holidays = new_strings();
	return w;
}

void
policy_window_free(struct policy_window *w)
{
	if (w == NULL)
		return;
	g_free(w->name);
	g_free(w->zone);
	g_free(w->spans);
	free_array(w->holidays);
	g_free(w->where);
	g_free(w);
}

void
policy_window_add(struct policy_window *w, const struct policy_span *span)
{
	w->spans = g_renew(struct policy_span, w->spans, w->n_spans + 1);
	w->spans[w->n_spans++] = *span;
}
