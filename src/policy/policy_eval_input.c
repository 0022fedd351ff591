/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on who, where and when: of what the role knows of an item. What
 * it does not know is unsure where it could have known.
 */
#include "policy_eval.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "directory.h"
#include "item.h"

enum policy_truth
policy_eval_word(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct item *it = c->in->item;
	int bit = n->match == POLICY_DIRECTION ? (int)it->direction :
	    n->match == POLICY_AT ? (int)c->in->at_gateway :
	    n->match == POLICY_AUTHOR ? (int)it->author :
	    n->match == POLICY_KIND ? (int)it->kind :
	    n->match == POLICY_TYPE ? (int)it->type : (int)c->in->consent;

	if ((n->set >> bit & 1) == 0)
		return POLICY_NO;
	policy_because(why, "%s %s", policy_name_of(n),
	    policy_word_at(n->match, bit));
	return POLICY_YES;
}

static enum policy_truth
eval_name_of(const struct policy_node *n, const char *name, GPtrArray *why)
{
	for (guint i = 0; name != NULL && i < n->words->len; i++) {
		if (strcmp(g_ptr_array_index(n->words, i), name) != 0)
			continue;
		policy_because(why, "%s %s", policy_name_of(n),
		    policy_value_at(n, i));
		return POLICY_YES;
	}
	return POLICY_NO;
}

const char *
policy_employee(const struct policy_input *in)
{
	if (in->employee != NULL)
		return in->employee;
	return in->staff != NULL ? in->staff->id : NULL;
}

enum policy_truth
policy_eval_name(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct policy_input *in = c->in;
	const char *name = n->match == POLICY_NETWORK ? in->item->network :
	    n->match == POLICY_APPLICATION ? in->application :
	    n->match == POLICY_EMPLOYEE ? policy_employee(in) :
	    in->business != NULL ? in->business->desk : NULL;

	/* Who it is may yet be told, or the directory names several. */
	if (n->match != POLICY_EMPLOYEE || name != NULL || !in->groups_unknown)
		return eval_name_of(n, name, why);
	policy_because(why, "unsure: employee %s: the directory did not "
	    "answer", policy_value_at(n, 0));
	return POLICY_UNSURE;
}

enum policy_truth
policy_eval_business(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct directory_business *b = c->in->business;
	const char *const names[] = { b != NULL ? b->id : NULL,
		b != NULL ? b->number : NULL, c->in->item->business.user_id,
		c->in->item->business.number };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (eval_name_of(n, names[i], why) == POLICY_YES)
			return POLICY_YES;
	return POLICY_NO;
}

/* AD compares names of groups without case, so do rules. */
static void
add_folded(GPtrArray *to, const GPtrArray *names)
{
	for (guint i = 0; names != NULL && i < names->len; i++)
		g_ptr_array_add(to,
		    policy_fold(g_ptr_array_index(names, i)));
}

static const GPtrArray *
groups_of(const struct policy_case *c)
{
	struct policy_work *w = c->work;

	if (w->has_groups)
		return w->groups;
	w->has_groups = true;
	add_folded(w->groups, c->in->groups);
	if (c->in->staff != NULL)
		add_folded(w->groups, c->in->staff->groups);
	return w->groups;
}

enum policy_truth
policy_eval_group(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const GPtrArray *groups = groups_of(c);

	for (guint i = 0; i < groups->len; i++)
		if (eval_name_of(n, g_ptr_array_index(groups, i), why) ==
		    POLICY_YES)
			return POLICY_YES;
	if (!c->in->groups_unknown)
		return POLICY_NO;
	policy_because(why, "unsure: group %s: the directory did not answer",
	    policy_value_at(n, 0));
	return POLICY_UNSURE;
}

enum policy_truth
policy_eval_customer(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct directory_customer *customer = c->in->customer;
	const char *word = customer != NULL ? "known" : "unknown";

	if (eval_name_of(n, word, why) == POLICY_YES)
		return POLICY_YES;
	return eval_name_of(n, customer != NULL ? customer->id : NULL, why);
}

enum policy_truth
policy_eval_customer_list(const struct policy_case *c,
    const struct policy_node *n, GPtrArray *why)
{
	const struct directory_customer *customer = c->in->customer;
	const GPtrArray *lists = customer != NULL ? customer->lists : NULL;

	for (guint i = 0; lists != NULL && i < lists->len; i++)
		if (eval_name_of(n, g_ptr_array_index(lists, i), why) ==
		    POLICY_YES)
			return POLICY_YES;
	return POLICY_NO;
}

enum policy_truth
policy_eval_new(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	(void)n;
	if (c->in->new_unknown) {
		policy_because(why, "unsure: new-counterpart: not known "
		    "whether they were seen before");
		return POLICY_UNSURE;
	}
	if (c->in->is_new_counterpart)
		policy_because(why, "new-counterpart");
	return c->in->is_new_counterpart ? POLICY_YES : POLICY_NO;
}

enum policy_truth
policy_eval_template(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct item_template *t = c->in->item->template;

	for (guint i = 0; t != NULL && t->name != NULL &&
	    i < n->words->len; i++) {
		if (!policy_glob(g_ptr_array_index(n->words, i), t->name))
			continue;
		policy_because(why, "template %s", policy_value_at(n, i));
		return POLICY_YES;
	}
	return POLICY_NO;
}

enum policy_truth
policy_eval_time(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct directory_business *b = c->in->business;
	const struct clock_zone *desk = b != NULL && b->zone != NULL ?
	    clock_zone_get(b->zone) : NULL;
	int64_t at_ms = c->in->item->at_ms != 0 ? c->in->item->at_ms :
	    c->in->now_ms;

	for (guint i = 0; i < n->windows->len; i++) {
		const struct policy_hours *h =
		    g_ptr_array_index(n->windows, i);

		if (!policy_hours_have(h, desk, at_ms))
			continue;
		policy_because(why, "time %s", h->source->name);
		return POLICY_YES;
	}
	return POLICY_NO;
}

enum policy_truth
policy_eval_age(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	int64_t at_ms = c->in->item->at_ms;

	/* What passes the gateway happens now. */
	if (at_ms == 0 && !c->in->at_gateway) {
		policy_because(why, "unsure: age: the event has no time");
		return POLICY_UNSURE;
	}
	if (at_ms == 0 || c->in->now_ms - at_ms <= n->source->number)
		return POLICY_NO;
	policy_because(why, "age over %" PRId64 " ms", n->source->number);
	return POLICY_YES;
}

enum policy_truth
policy_eval_always(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	(void)c;
	(void)n;
	policy_because(why, "always");
	return POLICY_YES;
}
