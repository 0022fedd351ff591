/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with rules that can be read: actions without what they need,
 * rules that can never fire, actions that never can be taken. The latter two
 * are warnings, and only where it is certain: a rule that may fire is never
 * complained of.
 */
#include "policy_int.h"

#include <string.h>

#define BIT(n) (UINT64_C(1) << (n))

/* ---- actions ------------------------------------------------------------------- */

bool
policy_act_takes_away(enum policy_act a)
{
	return a == POLICY_ONLY_JOURNAL || a == POLICY_QUARANTINE ||
	    a == POLICY_EXCLUDE || a == POLICY_CONSENT_SET;
}

bool
policy_act_is_of_gateway(enum policy_act a)
{
	return a == POLICY_BLOCK || a == POLICY_APPEND ||
	    a == POLICY_PREPEND || a == POLICY_REQUIRE_CONSENT ||
	    a == POLICY_REQUIRE_NOTICE || a == POLICY_APPROVE;
}

static bool
needs_values(enum policy_act a)
{
	return a == POLICY_TAG || a == POLICY_JOURNAL ||
	    a == POLICY_ONLY_JOURNAL || a == POLICY_COPY;
}

static bool
needs_text(enum policy_act a)
{
	return a == POLICY_RETAIN || a == POLICY_CONSENT_SET ||
	    (policy_act_is_of_gateway(a) && a != POLICY_APPROVE);
}

void
policy_check_action(struct policy_issues *to, const struct policy_action *a)
{
	const char *name = policy_act_name(a->act);
	enum policy_consent consent;

	if (needs_values(a->act) && a->values->len == 0)
		policy_error(to, a->where, "%s needs a name", name);
	if (needs_text(a->act) && (a->text == NULL || *a->text == '\0'))
		policy_error(to, a->where, "%s needs %s", name,
		    a->act == POLICY_RETAIN ? "a retention class" :
		    a->act == POLICY_CONSENT_SET ? "given or withdrawn" :
		    "a text: action … \"TEXT\";");
	else if (a->act == POLICY_CONSENT_SET &&
	    (!policy_consent_parse(a->text, &consent) ||
	    consent == POLICY_CONSENT_UNKNOWN))
		policy_error(to, a->where, "consent cannot be set to %s; it "
		    "is one of: given withdrawn", a->text);
	if (a->ms < 0 || a->persons < 0)
		policy_error(to, a->where, "%s: a time or a number of persons "
		    "cannot be negative", name);
}

/* ---- what can be true together --------------------------------------------------- */

/* A condition that is known to hold, or (is_not) not to. */
struct literal {
	const struct policy_node *node;
	bool is_not;
};

/*
 * What is known when some conditions hold: the values that are left to the
 * matches that have exactly one, and the conditions themselves.
 */
struct facts {
	uint64_t left[POLICY_MATCHES];
	GArray *literals;	/* struct literal */
	bool is_impossible;
};

static bool
is_single_word(enum policy_match m)
{
	return m == POLICY_DIRECTION || m == POLICY_AT ||
	    m == POLICY_AUTHOR || m == POLICY_KIND || m == POLICY_TYPE ||
	    m == POLICY_CONSENT;
}

/* One value of an open vocabulary. Not business: it has an id and a number. */
static bool
is_single_name(enum policy_match m)
{
	return m == POLICY_NETWORK || m == POLICY_DESK ||
	    m == POLICY_APPLICATION || m == POLICY_EMPLOYEE;
}

static void
facts_init(struct facts *f)
{
	memset(f, 0, sizeof(*f));
	for (int m = 0; m < POLICY_MATCHES; m++)
		f->left[m] = policy_words_all((enum policy_match)m);
	f->literals = g_array_new(FALSE, FALSE, sizeof(struct literal));
}

static void
facts_copy(struct facts *to, const struct facts *from)
{
	*to = *from;
	to->literals = g_array_copy(from->literals);
}

static void
facts_clear(struct facts *f)
{
	g_array_unref(f->literals);
}

static bool
has_value(const struct policy_node *n, const char *value)
{
	const GPtrArray *values = n->source->values;

	for (guint i = 0; i < values->len; i++)
		if (strcmp(g_ptr_array_index(values, i), value) == 0)
			return true;
	return false;
}

/* Of a's values, how many b has too. */
static guint
shared(const struct policy_node *a, const struct policy_node *b)
{
	guint n = 0;

	for (guint i = 0; i < a->source->values->len; i++)
		n += has_value(b, g_ptr_array_index(a->source->values, i));
	return n;
}

/* b holds whenever a does. */
static bool
implies(const struct policy_node *a, const struct policy_node *b)
{
	if (shared(a, b) < a->source->values->len)
		return false;
	return a->source->number >= b->source->number;
}

/* A customer who is not known has no id. */
static bool
is_of_unknown(const struct policy_node *n)
{
	return n->source->values->len == 1 && has_value(n, "unknown");
}

static bool
exclude_each_other(const struct literal *a, const struct literal *b)
{
	if (a->node->match != b->node->match)
		return false;
	if (a->is_not != b->is_not)
		return a->is_not ? implies(b->node, a->node) :
		    implies(a->node, b->node);
	if (a->is_not)
		return false;
	if (a->node->match == POLICY_CUSTOMER)
		return (is_of_unknown(a->node) &&
		    !has_value(b->node, "unknown")) ||
		    (is_of_unknown(b->node) && !has_value(a->node, "unknown"));
	return is_single_name(a->node->match) && shared(a->node, b->node) == 0;
}

/* What goes through the gateway is sent; what is received never does. */
static void
narrow_places(struct facts *f)
{
	int gateway = policy_word_bit(POLICY_AT, "gateway");
	int sent = policy_word_bit(POLICY_DIRECTION, "sent");

	if (f->left[POLICY_AT] == BIT(gateway))
		f->left[POLICY_DIRECTION] &= BIT(sent);
	if ((f->left[POLICY_DIRECTION] & BIT(sent)) == 0)
		f->left[POLICY_AT] &= ~BIT(gateway);
	if (f->left[POLICY_AT] == 0 || f->left[POLICY_DIRECTION] == 0)
		f->is_impossible = true;
}

static void
add_leaf(struct facts *f, const struct policy_node *n, bool is_not)
{
	const struct literal l = { n, is_not };

	if (n->match == POLICY_ALWAYS)
		f->is_impossible = f->is_impossible || is_not;
	if (is_single_word(n->match)) {
		f->left[n->match] &= is_not ? ~n->set : n->set;
		if (f->left[n->match] == 0)
			f->is_impossible = true;
		narrow_places(f);
		return;
	}
	for (guint i = 0; i < f->literals->len; i++)
		if (exclude_each_other(&l,
		    &g_array_index(f->literals, struct literal, i)))
			f->is_impossible = true;
	g_array_append_val(f->literals, l);
}

static void add_fact(struct facts *f, const struct policy_node *n,
    bool is_not);

/* One of its parts must be possible beside what is known. */
static void
add_choice(struct facts *f, const struct policy_node *n, bool is_not)
{
	bool is_possible = false;

	for (guint i = 0; i < n->nodes->len; i++) {
		struct facts with;

		facts_copy(&with, f);
		add_fact(&with, g_ptr_array_index(n->nodes, i), is_not);
		is_possible = is_possible || !with.is_impossible;
		facts_clear(&with);
	}
	if (!is_possible)
		f->is_impossible = true;
}

static void
add_fact(struct facts *f, const struct policy_node *n, bool is_not)
{
	bool is_choice = n->match == (is_not ? POLICY_ALL : POLICY_ANY);

	if (is_choice) {
		add_choice(f, n, is_not);
	} else if (n->match == POLICY_ALL || n->match == POLICY_ANY ||
	    n->match == POLICY_NOT) {
		bool flip = n->match == POLICY_NOT ? !is_not : is_not;

		for (guint i = 0; i < n->nodes->len; i++)
			add_fact(f, g_ptr_array_index(n->nodes, i), flip);
	} else {
		add_leaf(f, n, is_not);
	}
}

static bool
is_always(const struct policy_compiled *r)
{
	struct facts f;
	bool always;

	if (r->source->count_ms > 0)
		return false;
	facts_init(&f);
	add_fact(&f, r->root, true);
	always = f.is_impossible;
	facts_clear(&f);
	return always;
}

/* ---- rules that nothing reaches ----------------------------------------------------- */

static void
check_gateway(struct policy_issues *to, const struct policy_rule *r,
    const struct facts *f)
{
	int gateway = policy_word_bit(POLICY_AT, "gateway");

	if ((f->left[POLICY_AT] & BIT(gateway)) != 0)
		return;
	for (guint i = 0; i < r->actions->len; i++) {
		const struct policy_action *a =
		    g_ptr_array_index(r->actions, i);

		if (policy_act_is_of_gateway(a->act))
			policy_warning(to, a->where, "%s is for the gateway, "
			    "but rule %s is for what never passes it",
			    policy_act_name(a->act), r->name);
	}
}

static void
check_rule(struct policy_issues *to, const struct policy_compiled *r)
{
	struct facts f;

	facts_init(&f);
	add_fact(&f, r->root, false);
	if (f.is_impossible)
		policy_warning(to, r->source->where, "rule %s can never fire: "
		    "its conditions exclude each other", r->source->name);
	else
		check_gateway(to, r->source, &f);
	facts_clear(&f);
}

void
policy_check_reach(struct policy_issues *to, const struct policy *p)
{
	const struct policy_rule *end = NULL;

	for (guint i = 0; i < p->rules->len; i++) {
		const struct policy_compiled *r =
		    g_ptr_array_index(p->rules, i);

		if (end != NULL)
			policy_warning(to, r->source->where, "rule %s can "
			    "never fire: rule %s before it always fires and "
			    "is final", r->source->name, end->name);
		else
			check_rule(to, r);
		if (end == NULL && r->source->is_final && is_always(r))
			end = r->source;
	}
}
