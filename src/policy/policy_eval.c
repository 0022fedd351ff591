/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of an item: no, unsure or yes; what is not known is never
 * guessed. This file puts them together, others look.
 */
#include "policy_eval.h"

#include <inttypes.h>
#include <string.h>
#include <stdarg.h>

#define WHY_MAX 32

void
policy_because(GPtrArray *why, const char *fmt, ...)
{
	g_autofree char *reason = NULL;
	va_list ap;

	if (why == NULL || why->len > WHY_MAX)
		return;
	if (why->len == WHY_MAX) {
		g_ptr_array_add(why, g_strdup("more"));
		return;
	}
	va_start(ap, fmt);
	reason = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	policy_strings_add(why, reason);
}

const char *
policy_name_of(const struct policy_node *n)
{
	return policy_match_name(n->match);
}

const char *
policy_value_at(const struct policy_node *n, guint i)
{
	return g_ptr_array_index(n->source->values, i);
}

static enum policy_truth
eval_all(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_YES;

	for (guint i = 0; i < n->nodes->len && t != POLICY_NO; i++)
		t = MIN(t, policy_eval(c, g_ptr_array_index(n->nodes, i),
		    why));
	return t;
}

/* With reasons all of its parts are looked at, each with its own. */
static enum policy_truth
eval_any(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	for (guint i = 0; i < n->nodes->len; i++) {
		const struct policy_node *kid = g_ptr_array_index(n->nodes, i);
		enum policy_truth one = policy_eval(c, kid, NULL);

		t = MAX(t, one);
		if (why == NULL && t == POLICY_YES)
			return t;
		if (why != NULL && one != POLICY_NO)
			policy_eval(c, kid, why);
	}
	return t;
}

const char *
policy_place_of(const struct policy_node *n)
{
	const char *where = n->source->where, *slash = where != NULL ?
	    strrchr(where, '/') : NULL;

	return slash != NULL ? slash + 1 : where != NULL ? where : "";
}

/* As the policy file says it. */
static void
describe(const struct policy_node *n, GString *out)
{
	bool is_group = n->nodes->len > 0;

	g_string_append(out, policy_name_of(n));
	if (n->match == POLICY_TEXT)
		g_string_append_printf(out, " %s", policy_place_of(n));
	for (guint i = 0; n->match != POLICY_TEXT &&
	    i < n->source->values->len; i++)
		g_string_append_printf(out, " %s", policy_value_at(n, i));
	if (n->source->number > 0)
		g_string_append_printf(out, " over %" PRId64,
		    n->source->number);
	for (guint i = 0; i < n->nodes->len; i++) {
		g_string_append(out, i == 0 ? " { " : "; ");
		describe(g_ptr_array_index(n->nodes, i), out);
	}
	if (is_group)
		g_string_append(out, " }");
}

static enum policy_truth
eval_not(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct policy_node *kid = g_ptr_array_index(n->nodes, 0);
	enum policy_truth t = POLICY_YES - policy_eval(c, kid, NULL);

	if (why != NULL && t != POLICY_NO) {
		g_autoptr(GString) text = g_string_new(NULL);

		describe(kid, text);
		policy_because(why, "%snot %s",
		    t == POLICY_UNSURE ? "unsure: " : "", text->str);
	}
	return t;
}

enum policy_truth
policy_eval(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	static policy_leaf_fn *const evals[POLICY_MATCHES] = {
		[POLICY_DIRECTION] = policy_eval_word,
		[POLICY_AT] = policy_eval_word,
		[POLICY_NETWORK] = policy_eval_name,
		[POLICY_BUSINESS] = policy_eval_business,
		[POLICY_DESK] = policy_eval_name,
		[POLICY_AUTHOR] = policy_eval_word,
		[POLICY_APPLICATION] = policy_eval_name,
		[POLICY_EMPLOYEE] = policy_eval_name,
		[POLICY_GROUP] = policy_eval_group,
		[POLICY_CUSTOMER] = policy_eval_customer,
		[POLICY_CUSTOMER_LIST] = policy_eval_customer_list,
		[POLICY_NEW_COUNTERPART] = policy_eval_new,
		[POLICY_SCRIPT] = policy_eval_script,
		[POLICY_KIND] = policy_eval_word,
		[POLICY_TYPE] = policy_eval_word,
		[POLICY_TEMPLATE] = policy_eval_template,
		[POLICY_MEDIA_TYPE] = policy_eval_media_type,
		[POLICY_FILE_SIZE] = policy_eval_file_size,
		[POLICY_FILE_NAME] = policy_eval_file_name,
		[POLICY_TEXT_SIZE] = policy_eval_text_size,
		[POLICY_LINK_HOST] = policy_eval_link_host,
		[POLICY_TIME] = policy_eval_time,
		[POLICY_AGE] = policy_eval_age,
		[POLICY_LEXICON] = policy_eval_lexicon,
		[POLICY_PATTERN] = policy_eval_pattern,
		[POLICY_TEXT] = policy_eval_text,
		[POLICY_DETECT] = policy_eval_detect,
		[POLICY_MALWARE] = policy_eval_malware,
		[POLICY_CONSENT] = policy_eval_word,
		[POLICY_ALWAYS] = policy_eval_always,
		[POLICY_ALL] = eval_all,
		[POLICY_ANY] = eval_any,
		[POLICY_NOT] = eval_not,
	};

	return evals[n->match](c, n, why);
}
