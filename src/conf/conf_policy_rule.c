/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the policy file: their blocks, counts, and what conditions and
 * actions read their words with. What rules mean together (one that can never
 * fire) is found by policy_new().
 */
#include "conf_policy_int.h"

#include <string.h>

#define MINUTE 60000
#define DAY ((int64_t)86400000)
#define COUNT_MAX 1000000

/* --- what may follow a word --- */

/* "unknown WHAT "x"; did you mean …" */
void
conf_rule_unknown(struct conf_load *l, const struct conf_word *word,
    const char *what, const struct conf_near *near)
{
	g_autofree char *shown = conf_shown(word->value);
	g_autofree char *hint = conf_near_text(near);

	conf_error(l->issues, word->pos, "unknown %s %s%s", what, shown, hint);
}

/* The place in the list; -1, and the error is noted, if it is not there. */
int
conf_rule_choice(struct conf_load *l, const struct conf_word *word,
    const char *what, conf_name_fn *name)
{
	struct conf_near near;

	if (word->is_bad)
		return -1;
	for (int i = 0; name(i) != NULL; i++)
		if (strcmp(name(i), word->value) == 0)
			return i;
	conf_near_begin(&near, word->value);
	for (int i = 0; name(i) != NULL; i++)
		conf_near_try(&near, name(i));
	conf_rule_unknown(l, word, what, &near);
	return -1;
}

bool
conf_rule_number(struct conf_load *l, const struct conf_word *word,
    enum conf_type type, int64_t max, int64_t *out)
{
	struct conf_row row = { .type = type, .max = max };

	row.min = type == CONF_DURATION ? MINUTE : type == CONF_SIZE ? 0 : 1;
	return conf_word_set(l, &row, word, out);
}

void
conf_rule_string(struct conf_load *l, const struct conf_word *word,
    enum conf_type type, char **out)
{
	const struct conf_row row = { .type = type };

	conf_word_set(l, &row, word, out);
}

bool
conf_rule_is(const struct conf_word *word, const char *s)
{
	return word != NULL && strcmp(word->value, s) == 0;
}

bool
conf_rule_is_quoted(const struct conf_word *word)
{
	char first = word->pos.src->text[word->pos.at];

	return first == '"' || first == '\'';
}

char *
conf_rule_hint(const struct conf_word *word)
{
	return g_strdup_printf("a ';' seems to be missing before \"%s\"; put "
	    "quotes around it if it is a value", word->value);
}

/* "match CONDITION", "action ACTION", "count NUMBER customers". */
static bool
begins_directive(const struct conf_word *word)
{
	enum policy_match m;
	enum policy_act a;

	if (word->next == NULL || conf_rule_is_quoted(word))
		return false;
	if (conf_rule_is(word, "match"))
		return policy_match_parse(word->next->value, &m);
	if (conf_rule_is(word, "action"))
		return policy_act_parse(word->next->value, &a);
	return conf_rule_is(word, "count") &&
	    conf_rule_is(word->next->next, "customers");
}

/* Line by line it cannot happen: values stand on one line. */
bool
conf_rule_runs_on(struct conf_load *l, const struct conf_word *word,
    bool are_open)
{
	for (; word != NULL; word = word->next) {
		bool begins = begins_directive(word);
		bool ends = word->next == NULL &&
		    (conf_rule_is(word, "final") ||
		    conf_rule_is(word, "sure")) && !conf_rule_is_quoted(word);
		g_autofree char *hint = NULL;

		if (!begins && !ends)
			continue;
		hint = conf_rule_hint(word);
		if (begins && !are_open)
			conf_error(l->issues, word->pos, "%s", hint);
		else
			conf_warning(l->issues, word->pos, "%s", hint);
		return begins && !are_open;
	}
	return false;
}

/* --- count --- */

static const char *
per_name(int i)
{
	return i <= POLICY_PER_TEMPLATE ?
	    policy_per_name((enum policy_per)i) : NULL;
}

/* count NUMBER customers DURATION [per SUBJECT] */
static void
read_count(struct conf_load *l, const struct conf_node *n,
    struct policy_rule *r)
{
	const struct conf_word *number, *what, *time, *per;
	int subject;

	if (n->is_block || n->count < 4)	/* as the table has told */
		return;
	number = n->words->next;
	what = number->next;
	time = what->next;
	per = time->next;
	conf_rule_number(l, number, CONF_NUMBER, COUNT_MAX, &r->count_over);
	if (!conf_rule_is(what, "customers"))
		conf_error(l->issues, what->pos, "count takes NUMBER "
		    "customers DURATION [per SUBJECT]");
	conf_rule_number(l, time, CONF_DURATION, 366 * DAY, &r->count_ms);
	if (per == NULL)
		return;
	if (!conf_rule_is(per, "per") || per->next == NULL) {
		conf_error(l->issues, per->pos, "after the duration only per "
		    "SUBJECT may follow");
		return;
	}
	subject = conf_rule_choice(l, per->next, "subject", per_name);
	if (subject >= 0)
		r->count_per = (enum policy_per)subject;
}

/* --- a rule --- */

void *
conf_rule_enter(struct conf_load *l, const struct conf_node *node)
{
	const struct conf_word *label = node->words->next;
	g_autofree char *where = NULL;
	struct policy_rule *r;

	if (!conf_claim(l, "rule", label->value, label->pos))
		return NULL;
	where = conf_policy_where(l, label->pos);
	r = policy_rule_new(label->value, where);
	g_ptr_array_add(l->c->policy->rules, r);
	return r;
}

typedef void read_fn(struct conf_load *l, const struct conf_node *n,
    struct policy_rule *r);

static bool
read_each(struct conf_load *l, const struct conf_node *node, const char *name,
    read_fn *read, struct policy_rule *r)
{
	const struct conf_node *first = conf_node_find(node->children, name);

	for (const struct conf_node *n = first; n != NULL;
	    n = conf_node_find(n->next, name))
		read(l, n, r);
	return first != NULL;
}

static bool
has_value(const struct policy_cond *c, const char *value)
{
	for (guint i = 0; i < c->values->len; i++)
		if (strcmp(c->values->pdata[i], value) == 0)
			return true;
	return false;
}

/* Whether conditions ask what a scanner said; *minds: one, that it did not. */
static bool
asks_scanner(const GPtrArray *conds, bool *minds)
{
	bool asks = false;

	for (guint i = 0; i < conds->len; i++) {
		const struct policy_cond *c = conds->pdata[i];

		asks |= asks_scanner(c->conds, minds);
		if (c->match != POLICY_MALWARE)
			continue;
		asks |= has_value(c, "infected") || has_value(c, "clean");
		*minds |= has_value(c, "unscanned");
	}
	return asks;
}

/*
 * Once: without a scanner such a rule is unsure of each file, unless it says
 * what it makes of files that nothing scanned.
 */
static void
check_scanner(struct conf_load *l, const struct conf_node *node,
    const struct policy_rule *r)
{
	bool minds = false, asks = asks_scanner(r->conds, &minds);

	if (l->told_scanner || l->c->media.clamd != NULL || !asks || minds)
		return;
	l->told_scanner = true;
	conf_warning(l->issues, node->words->next->pos, "nothing scans files, "
	    "so this rule %s; name a clamd in media { }%s", r->is_sure ?
	    "never fires" : "is unsure of each", r->is_sure ? "" :
	    ", or make the rule sure");
}

/* match malware infected; match not { malware unscanned; } */
static void
check_spared(struct conf_load *l, const struct conf_node *node,
    const struct policy_rule *r)
{
	bool infected = false, spares = false;

	for (guint i = 0; i < r->conds->len; i++) {
		const struct policy_cond *c = r->conds->pdata[i], *of =
		    c->match == POLICY_NOT && c->conds->len == 1 ?
		    c->conds->pdata[0] : NULL;

		infected |= c->match == POLICY_MALWARE &&
		    has_value(c, "infected");
		spares |= of != NULL && of->match == POLICY_MALWARE &&
		    has_value(of, "unscanned");
	}
	if (infected && spares)
		conf_warning(l->issues, node->words->next->pos, "an infected "
		    "file passes this rule beside one that was not scanned; "
		    "write sure; in place of not { malware unscanned; }");
}

void
conf_rule_leave(struct conf_load *l, const struct conf_node *node, void *base)
{
	struct policy_rule *r = base;
	bool acts_at_all;

	read_each(l, node, "match", conf_rule_match, r);
	read_each(l, node, "count", read_count, r);
	acts_at_all = read_each(l, node, "action", conf_rule_action, r);
	r->is_final = conf_node_find(node->children, "final") != NULL;
	r->is_sure = conf_node_find(node->children, "sure") != NULL;
	check_scanner(l, node, r);
	check_spared(l, node, r);
	if (!acts_at_all && !r->is_final)
		conf_error(l->issues, node->words->next->pos, "the rule does "
		    "nothing: it has neither action nor final");
}
