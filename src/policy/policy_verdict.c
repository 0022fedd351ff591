/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts: made, added to, merged, named. Demands only ever add up, but for
 * only_journals of a turn; nothing here can make a verdict milder. Never
 * fails.
 */
#include "policy_int.h"

#include <string.h>

static void
free_fired(gpointer element)
{
	struct policy_fired *f = element;

	g_free(f->rule);
	g_ptr_array_unref(f->why);
	g_free(f);
}

static void
free_tally(gpointer element)
{
	struct policy_tally *t = element;

	g_free(t->rule);
	g_free(t->subject);
	g_free(t->who);
	g_free(t);
}

static void
free_addition(gpointer element)
{
	struct policy_addition *a = element;

	g_free(a->rule);
	g_free(a->text);
	g_free(a);
}

struct policy_verdict *
policy_verdict_new(const uint8_t set[HASH_SIZE])
{
	struct policy_verdict *v = g_new0(struct policy_verdict, 1);

	memcpy(v->set, set, HASH_SIZE);
	v->fired = g_ptr_array_new_with_free_func(free_fired);
	v->tags = g_ptr_array_new_with_free_func(g_free);
	v->journals = g_ptr_array_new_with_free_func(g_free);
	v->only_journals = g_ptr_array_new_with_free_func(g_free);
	v->copies = g_ptr_array_new_with_free_func(g_free);
	v->alerts = g_ptr_array_new_with_free_func(g_free);
	v->additions = g_ptr_array_new_with_free_func(free_addition);
	v->tallies = g_ptr_array_new_with_free_func(free_tally);
	return v;
}

void
policy_verdict_free(struct policy_verdict *v)
{
	if (v == NULL)
		return;
	g_ptr_array_unref(v->fired);
	g_ptr_array_unref(v->tags);
	g_ptr_array_unref(v->journals);
	g_ptr_array_unref(v->only_journals);
	g_ptr_array_unref(v->copies);
	g_ptr_array_unref(v->alerts);
	g_ptr_array_unref(v->additions);
	g_ptr_array_unref(v->tallies);
	g_free(v->retain);
	g_free(v->hold_rule);
	g_free(v->block);
	g_free(v->block_rule);
	g_free(v->exclude_rule);
	g_free(v);
}

/* ---- adding ---------------------------------------------------------------- */

void
policy_strings_add(GPtrArray *strings, const char *s)
{
	for (guint i = 0; i < strings->len; i++)
		if (strcmp(g_ptr_array_index(strings, i), s) == 0)
			return;
	g_ptr_array_add(strings, g_strdup(s));
}

void
policy_strings_add_all(GPtrArray *strings, const GPtrArray *others)
{
	for (guint i = 0; i < others->len; i++)
		policy_strings_add(strings, g_ptr_array_index(others, i));
}

struct policy_fired *
policy_fired_add(struct policy_verdict *v, const char *rule)
{
	struct policy_fired *f = g_new0(struct policy_fired, 1);

	f->rule = g_strdup(rule);
	f->why = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(v->fired, f);
	return f;
}

struct policy_addition *
policy_addition_add(struct policy_verdict *v, const char *rule,
    const char *text)
{
	struct policy_addition *a = g_new0(struct policy_addition, 1);

	a->rule = g_strdup(rule);
	a->text = g_strdup(text);
	g_ptr_array_add(v->additions, a);
	return a;
}

void
policy_tally_add(struct policy_verdict *v, const struct policy_tally *tally)
{
	struct policy_tally *t;

	for (guint i = 0; i < v->tallies->len; i++) {
		t = g_ptr_array_index(v->tallies, i);
		if (strcmp(t->rule, tally->rule) == 0 &&
		    strcmp(t->subject, tally->subject) == 0 &&
		    strcmp(t->who, tally->who) == 0)
			return;
	}
	t = g_new0(struct policy_tally, 1);
	t->rule = g_strdup(tally->rule);
	t->subject = g_strdup(tally->subject);
	t->who = g_strdup(tally->who);
	g_ptr_array_add(v->tallies, t);
}

static void
set_first(char **where, const char *s)
{
	if (*where == NULL)
		*where = g_strdup(s);
}

void
policy_hold_add(struct policy_verdict *v, const char *rule, int64_t ms,
    int64_t persons)
{
	set_first(&v->hold_rule, rule);
	v->hold_ms = MAX(v->hold_ms, ms);
	v->hold_persons = MAX(v->hold_persons, persons);
}

void
policy_block_add(struct policy_verdict *v, const char *rule,
    const char *reason)
{
	if (v->block != NULL)
		return;
	v->block = g_strdup(reason);
	v->block_rule = g_strdup(rule);
}

void
policy_exclude_add(struct policy_verdict *v, const char *rule)
{
	v->exclude = true;
	set_first(&v->exclude_rule, rule);
}

void
policy_consent_add(struct policy_verdict *v, enum policy_consent c)
{
	v->consent_set = MAX(v->consent_set, c);
}

/* ---- merging --------------------------------------------------------------- */

static struct policy_fired *
find_fired(const struct policy_verdict *v, const char *rule)
{
	for (guint i = 0; i < v->fired->len; i++) {
		struct policy_fired *f = g_ptr_array_index(v->fired, i);

		if (strcmp(f->rule, rule) == 0)
			return f;
	}
	return NULL;
}

/* What is sure for one item is sure for the turn. */
static void
merge_fired(struct policy_verdict *into, const struct policy_fired *from)
{
	struct policy_fired *f = find_fired(into, from->rule);

	if (f == NULL) {
		f = policy_fired_add(into, from->rule);
		f->is_unsure = true;
	}
	f->is_unsure = f->is_unsure && from->is_unsure;
	f->not_here = f->not_here || from->not_here;
	policy_strings_add_all(f->why, from->why);
}

static bool
has_addition(const struct policy_verdict *v, const struct policy_addition *a)
{
	for (guint i = 0; i < v->additions->len; i++) {
		const struct policy_addition *b =
		    g_ptr_array_index(v->additions, i);

		if (strcmp(a->rule, b->rule) == 0 &&
		    strcmp(a->text, b->text) == 0 && a->before == b->before)
			return true;
	}
	return false;
}

static void
merge_addition(struct policy_verdict *into, const struct policy_addition *from)
{
	struct policy_addition *a;

	if (has_addition(into, from))
		return;
	a = policy_addition_add(into, from->rule, from->text);
	a->before = from->before;
	a->once = from->once;
}

static void
merge_only_journals(struct policy_verdict *into,
    const struct policy_verdict *from)
{
	if (into->only_journals->len > 0 && from->only_journals->len > 0)
		policy_strings_add_all(into->only_journals,
		    from->only_journals);
	else
		g_ptr_array_set_size(into->only_journals, 0);
}

static void
merge_flags(struct policy_verdict *into, const struct policy_verdict *from)
{
	into->flag = into->flag || from->flag;
	into->quarantine = into->quarantine || from->quarantine;
	into->approve = into->approve || from->approve;
	if (from->retain != NULL)
		set_first(&into->retain, from->retain);
	if (from->hold_ms > 0)
		policy_hold_add(into, from->hold_rule, from->hold_ms,
		    from->hold_persons);
	if (from->block != NULL)
		policy_block_add(into, from->block_rule, from->block);
	if (from->exclude)
		policy_exclude_add(into, from->exclude_rule);
	policy_consent_add(into, from->consent_set);
}

void
policy_verdict_merge(struct policy_verdict *into,
    const struct policy_verdict *from)
{
	for (guint i = 0; i < from->fired->len; i++)
		merge_fired(into, g_ptr_array_index(from->fired, i));
	for (guint i = 0; i < from->additions->len; i++)
		merge_addition(into, g_ptr_array_index(from->additions, i));
	for (guint i = 0; i < from->tallies->len; i++)
		policy_tally_add(into, g_ptr_array_index(from->tallies, i));
	policy_strings_add_all(into->tags, from->tags);
	policy_strings_add_all(into->journals, from->journals);
	policy_strings_add_all(into->copies, from->copies);
	policy_strings_add_all(into->alerts, from->alerts);
	merge_only_journals(into, from);
	merge_flags(into, from);
}

const char *
policy_verdict_word(const struct policy_verdict *v)
{
	if (v->block != NULL)
		return "block";
	if (v->hold_ms > 0)
		return "hold";
	if (v->exclude)
		return "exclude";
	return v->flag ? "flag" : "deliver";
}
