/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on texts. Reasons name the rule's own words and places in the
 * text, never the text: they go to where fewer may read.
 */
#include "policy_eval.h"

#include <inttypes.h>
#include <string.h>

enum policy_truth
policy_eval_script(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	uint64_t both = n->set & policy_work_scripts(c->work, c->in);

	for (int bit = 0; both >> bit != 0; bit++)
		if ((both >> bit & 1) != 0)
			policy_because(why, "script %s",
			    policy_word_at(POLICY_SCRIPT, bit));
	return both != 0 ? POLICY_YES : POLICY_NO;
}

enum policy_truth
policy_eval_text_size(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const GArray *parts = policy_work_parts(c->work, c->in);
	int64_t chars = 0;

	for (guint i = 0; i < parts->len; i++) {
		const struct policy_part *part =
		    &g_array_index(parts, struct policy_part, i);

		if (g_strcmp0(part->name, "file-name") != 0)
			chars += g_utf8_strlen(part->text, -1);
	}
	if (chars <= n->source->number)
		return POLICY_NO;
	policy_because(why, "text-size over %" PRId64, n->source->number);
	return POLICY_YES;
}

static bool
has_host_under(const GPtrArray *hosts, const char *domain)
{
	for (guint i = 0; i < hosts->len; i++)
		if (strcmp(domain, "*") == 0 ||
		    scan_host_is_under(g_ptr_array_index(hosts, i), domain))
			return true;
	return false;
}

enum policy_truth
policy_eval_link_host(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const GPtrArray *hosts = policy_work_hosts(c->work, c->in);
	enum policy_truth t = POLICY_NO;

	for (guint i = 0; i < n->words->len; i++) {
		if (!has_host_under(hosts, g_ptr_array_index(n->words, i)))
			continue;
		policy_because(why, "link-host %s", policy_value_at(n, i));
		t = POLICY_YES;
	}
	return t;
}

/* "lexicon lures: lures.txt:12 at 14-22", "detect card in caption at 3-22" */
static void
because_found(GPtrArray *why, const struct policy_found *f,
    const char *what, const char *name)
{
	if (why == NULL)
		return;
	policy_because(why, "%s %s%s%s%s%s at %zu-%zu", what, name,
	    f->source == SCAN_LEXICON && f->phrase != NULL ? ": " : "",
	    f->source == SCAN_LEXICON && f->phrase != NULL ? f->phrase : "",
	    f->part != NULL ? " in " : "", f->part != NULL ? f->part : "",
	    f->from, f->to);
}

static const char *
lexicon_name(const struct policy_case *c, int id)
{
	const struct policy_lexicon *l = g_ptr_array_index(
	    c->policy->source->lexicons, (guint)id);

	return l->name;
}

static bool
is_in_lexicons(const struct policy_found *f, const struct policy_node *n)
{
	for (guint i = 0; i < n->lexicons->len; i++) {
		const struct policy_lexicon_ref *ref = &g_array_index(
		    n->lexicons, struct policy_lexicon_ref, i);

		if (f->source == SCAN_LEXICON && f->id == ref->id &&
		    (ref->category == NULL ||
		    g_strcmp0(f->category, ref->category) == 0))
			return true;
	}
	return false;
}

enum policy_truth
policy_eval_lexicon(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	int64_t need = MAX(n->source->number, 1), sum = 0;

	policy_work_scan(c->work, c->policy, c->in);
	for (guint i = 0; i < c->work->found->len; i++) {
		const struct policy_found *f = &g_array_index(c->work->found,
		    struct policy_found, i);

		if (!is_in_lexicons(f, n))
			continue;
		sum += n->source->number > 0 ? f->weight : 1;
		if (sum >= need && why == NULL)
			return POLICY_YES;
		because_found(why, f, "lexicon", lexicon_name(c, f->id));
	}
	return sum >= need ? POLICY_YES : POLICY_NO;
}

static bool
has_id(const GArray *ids, int id)
{
	for (guint i = 0; i < ids->len; i++)
		if (g_array_index(ids, int, i) == id)
			return true;
	return false;
}

static const char *
pattern_name(const struct policy_case *c, int id)
{
	const struct policy_pattern *p = g_ptr_array_index(
	    c->policy->source->patterns, (guint)id);

	return p->name;
}

static enum policy_truth
unsure_pattern(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	for (guint i = 0; i < c->work->unsure->len; i++) {
		int id = g_array_index(c->work->unsure, int, i);

		if (!has_id(n->ids, id))
			continue;
		policy_because(why, "unsure: pattern %s met its limit",
		    pattern_name(c, id));
		t = POLICY_UNSURE;
	}
	return t;
}

enum policy_truth
policy_eval_pattern(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	policy_work_scan(c->work, c->policy, c->in);
	for (guint i = 0; i < c->work->found->len; i++) {
		const struct policy_found *f = &g_array_index(c->work->found,
		    struct policy_found, i);

		if (f->source != SCAN_PATTERN || !has_id(n->ids, f->id))
			continue;
		if (why == NULL)
			return POLICY_YES;
		because_found(why, f, "pattern", pattern_name(c, f->id));
		t = POLICY_YES;
	}
	return MAX(t, unsure_pattern(c, n, why));
}

enum policy_truth
policy_eval_text(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	policy_work_scan(c->work, c->policy, c->in);
	for (guint i = 0; i < c->work->found->len; i++) {
		struct policy_found f = g_array_index(c->work->found,
		    struct policy_found, i);

		if (f.source != SCAN_LEXICON || !has_id(n->ids, f.id))
			continue;
		f.phrase = NULL;
		because_found(why, &f, "text", policy_place_of(n));
		t = POLICY_YES;
	}
	return t;
}

enum policy_truth
policy_eval_detect(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	policy_work_detect(c->work, c->policy, c->in);
	for (guint i = 0; i < c->work->found->len; i++) {
		const struct policy_found *f = &g_array_index(c->work->found,
		    struct policy_found, i);

		if (f->source != SCAN_DETECTOR || f->id < 0 ||
		    (n->set >> f->id & 1) == 0)
			continue;
		because_found(why, f, "detect",
		    policy_word_at(POLICY_DETECT, f->id));
		t = POLICY_YES;
	}
	return t;
}
