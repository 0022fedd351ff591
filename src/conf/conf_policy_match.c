/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conditions of rules, each with what may follow its word. What a word
 * refers to must be there: lexicons, patterns and windows of the policy file.
 */
#include "conf_policy_int.h"

#include <string.h>

#define DAY ((int64_t)86400000)
#define COUNT_MAX 1000000

static const char *
match_name(int i)
{
	return i < POLICY_MATCHES ?
	    policy_match_name((enum policy_match)i) : NULL;
}

/* One of the words that m takes; else the error is noted. */
static void
check_word(struct conf_load *l, enum policy_match m,
    const struct conf_word *word)
{
	struct conf_near near;

	if (word->is_bad || policy_word_bit(m, word->value) >= 0)
		return;
	conf_near_begin(&near, word->value);
	for (int i = 0; policy_word_at(m, i) != NULL; i++)
		conf_near_try(&near, policy_word_at(m, i));
	conf_rule_unknown(l, word, policy_match_name(m), &near);
}

enum form {
	FORM_VALUES,	/* one or more of type */
	FORM_CHOICE,	/* one or more words that policy knows */
	FORM_HOST,	/* one or more hosts, or "*" */
	FORM_NUMBERS,	/* ids, or telephone numbers with "+" */
	FORM_REF,	/* names of what */
	FORM_LEXICON,	/* NAME or NAME/CATEGORY, "over" N */
	FORM_OVER,	/* "over" a number of type */
	FORM_NOTHING,
	FORM_BLOCK,	/* conditions */
};

static const struct {
	enum form form;
	enum conf_type type;
	const char *what;	/* of FORM_REF */
	const char *usage;
	int64_t max;
} matches[POLICY_MATCHES] = {
	[POLICY_DIRECTION] = { FORM_CHOICE, .usage = "received or sent" },
	[POLICY_AT] = { FORM_CHOICE, .usage = "gateway or capture" },
	[POLICY_NETWORK] = { FORM_VALUES, CONF_NAME,
		.usage = "names of networks" },
	[POLICY_BUSINESS] = { FORM_NUMBERS,
		.usage = "phone number ids or numbers" },
	[POLICY_DESK] = { FORM_VALUES, CONF_NAME, .usage = "desks" },
	[POLICY_AUTHOR] = { FORM_CHOICE, .usage = "authors" },
	[POLICY_APPLICATION] = { FORM_VALUES, CONF_NAME,
		.usage = "applications" },
	[POLICY_EMPLOYEE] = { FORM_VALUES, CONF_STRING,
		.usage = "employee ids" },
	[POLICY_GROUP] = { FORM_VALUES, CONF_STRING, .usage = "groups" },
	[POLICY_CUSTOMER] = { FORM_VALUES, CONF_STRING,
		.usage = "known, unknown or customer ids" },
	[POLICY_CUSTOMER_LIST] = { FORM_VALUES, CONF_NAME,
		.usage = "lists" },
	[POLICY_NEW_COUNTERPART] = { FORM_NOTHING },
	[POLICY_SCRIPT] = { FORM_CHOICE, .usage = "scripts" },
	[POLICY_KIND] = { FORM_CHOICE, .usage = "kinds of events" },
	[POLICY_TYPE] = { FORM_CHOICE, .usage = "types of content" },
	[POLICY_TEMPLATE] = { FORM_VALUES, CONF_STRING,
		.usage = "names of message templates" },
	[POLICY_MEDIA_TYPE] = { FORM_VALUES, CONF_STRING,
		.usage = "media types such as image/*" },
	[POLICY_FILE_SIZE] = { FORM_OVER, CONF_SIZE, .max = INT64_C(1) << 40,
		.usage = "over SIZE" },
	[POLICY_FILE_NAME] = { FORM_VALUES, CONF_STRING,
		.usage = "file names such as *.exe" },
	[POLICY_TEXT_SIZE] = { FORM_OVER, CONF_NUMBER, .max = 1 << 30,
		.usage = "over NUMBER" },
	[POLICY_LINK_HOST] = { FORM_HOST, .usage = "hosts, or *" },
	[POLICY_TIME] = { FORM_REF, .what = "window", .usage = "windows" },
	[POLICY_AGE] = { FORM_OVER, CONF_DURATION, .max = 3650 * DAY,
		.usage = "over DURATION" },
	[POLICY_LEXICON] = { FORM_LEXICON,
		.usage = "lexicons or LEXICON/CATEGORY" },
	[POLICY_PATTERN] = { FORM_REF, .what = "pattern",
		.usage = "patterns" },
	[POLICY_TEXT] = { FORM_VALUES, CONF_STRING, .usage = "phrases" },
	[POLICY_DETECT] = { FORM_CHOICE, .usage = "detectors" },
	[POLICY_MALWARE] = { FORM_CHOICE, .usage = "infected, unscanned or clean" },
	[POLICY_CONSENT] = { FORM_CHOICE, .usage = "given, withdrawn or unknown" },
	[POLICY_ALWAYS] = { FORM_NOTHING },
	[POLICY_ALL] = { FORM_BLOCK },
	[POLICY_ANY] = { FORM_BLOCK },
	[POLICY_NOT] = { FORM_BLOCK },
};

static void
tell_no_ref(struct conf_load *l, const struct conf_word *word,
    const char *what, const GPtrArray *names)
{
	g_autofree char *shown = conf_shown(word->value), *hint = NULL;
	struct conf_near near;

	conf_near_begin(&near, word->value);
	for (guint i = 0; i < names->len; i++)	/* name is the first member */
		conf_near_try(&near, *(char *const *)names->pdata[i]);
	hint = conf_near_text(&near);
	conf_error(l->issues, word->pos, "there is no %s %s%s", what, shown,
	    hint);
}

static bool
has_name(const GPtrArray *names, const char *name)
{
	for (guint i = 0; i < names->len; i++)
		if (strcmp(*(char *const *)names->pdata[i], name) == 0)
			return true;
	return false;
}

static void
check_ref(struct conf_load *l, const struct conf_word *word, const char *what,
    const GPtrArray *names)
{
	if (!word->is_bad && !conf_is_claimed(l, what, word->value))
		tell_no_ref(l, word, what, names);
}

/* "NAME" or "NAME/CATEGORY"; which categories there are, scan knows. */
static void
check_lexicon(struct conf_load *l, const struct conf_word *word)
{
	size_t len = strcspn(word->value, "/");
	g_autofree char *name = g_strndup(word->value, len);
	struct conf_word part = { .value = name, .pos = word->pos };

	part.pos.len = MIN(part.pos.len, len);
	if (word->is_bad)
		return;
	if (word->value[len] == '/' && word->value[len + 1] == '\0')
		conf_error(l->issues, word->pos, "a category is missing after "
		    "the '/'");
	check_ref(l, &part, "lexicon", l->c->policy->lexicons);
}

static char *
read_host(struct conf_load *l, const struct conf_word *word)
{
	g_autofree char *host = NULL;

	if (strcmp(word->value, "*") == 0)
		return g_strdup("*");
	conf_rule_string(l, word, CONF_DOMAIN, &host);
	return host != NULL ? g_ascii_strdown(host, -1) : NULL;
}

/* "+44 20 …" is a number however it is written; ids have no '+'. */
static char *
read_business(struct conf_load *l, const struct conf_word *word)
{
	char *s = NULL;

	conf_rule_string(l, word, *word->value == '+' ? CONF_PHONE : CONF_NAME, &s);
	return s;
}

/* NULL when it is wrong, as is noted. */
static char *
read_value(struct conf_load *l, enum policy_match m,
    const struct conf_word *word)
{
	const struct policy_source *s = l->c->policy;
	char *value = NULL;

	switch (matches[m].form) {
	case FORM_CHOICE:
		check_word(l, m, word);
		break;
	case FORM_HOST:
		return read_host(l, word);
	case FORM_NUMBERS:
		return read_business(l, word);
	case FORM_REF:
		check_ref(l, word, matches[m].what, m == POLICY_TIME ?
		    s->windows : s->patterns);
		break;
	case FORM_LEXICON:
		check_lexicon(l, word);
		break;
	case FORM_VALUES:
		conf_rule_string(l, word, matches[m].type, &value);
		return value;
	case FORM_OVER:
	case FORM_NOTHING:
	case FORM_BLOCK:
		return NULL;
	}
	return g_strdup(word->value);
}

/* "over N" at the end; words from *end on are not values. */
static void
read_sum(struct conf_load *l, struct policy_cond *c,
    const struct conf_word *word, const struct conf_word **end)
{
	for (; word != NULL && word->next != NULL; word = word->next) {
		if (word->next->next != NULL || !conf_rule_is(word, "over"))
			continue;
		conf_rule_number(l, word->next, CONF_NUMBER, COUNT_MAX, &c->number);
		*end = word;
		return;
	}
}

static void
read_over(struct conf_load *l, struct policy_cond *c,
    const struct conf_word *word)
{
	const struct conf_word *number = conf_rule_is(word, "over") ? word->next : word;

	if (number == NULL || number->next != NULL)
		conf_error(l->issues, word->pos, "%s takes %s",
		    policy_match_name(c->match), matches[c->match].usage);
	else
		conf_rule_number(l, number, matches[c->match].type,
		    matches[c->match].max, &c->number);
}

static void
read_values(struct conf_load *l, struct policy_cond *c,
    const struct conf_word *word)
{
	const struct conf_word *end = NULL;
	char *value;

	if (c->match == POLICY_LEXICON)
		read_sum(l, c, word->next, &end);
	for (; word != end; word = word->next) {
		value = read_value(l, c->match, word);
		if (value == NULL)
			continue;
		g_ptr_array_add(c->values, value);
		conf_ref_add(l, c->match, value, word->pos);
	}
}

static void read_cond(struct conf_load *l, const struct conf_node *node,
    const struct conf_word *word, GPtrArray *out);

/* What "not { a; b; }" means, people do not agree on. */
static void
read_conds(struct conf_load *l, const struct conf_node *node,
    const struct conf_word *word, struct policy_cond *c)
{
	for (const struct conf_node *n = node->children; n; n = n->next)
		read_cond(l, n, n->words, c->conds);
	if (node->children == NULL)
		conf_error(l->issues, word->pos, "there is no condition in "
		    "%s { }", word->value);
	else if (c->match == POLICY_NOT && node->children->next != NULL)
		conf_error(l->issues, word->pos, "not { } takes one "
		    "condition; put several into any { } or all { }");
}

static void
tell_shape(struct conf_load *l, const struct conf_node *node,
    const struct conf_word *word, enum policy_match m)
{
	if (matches[m].form == FORM_BLOCK)
		conf_error(l->issues, word->pos, "%s is a block of "
		    "conditions: %s { … }", word->value, word->value);
	else if (node->is_block)
		conf_error(l->issues, word->pos, "%s takes values and ';', "
		    "not a block", word->value);
	else if (matches[m].form == FORM_NOTHING)
		conf_error(l->issues, word->next->pos, "%s takes no value",
		    word->value);
	else
		conf_error(l->issues, word->pos, "%s needs %s", word->value,
		    matches[m].usage);
}

static bool
has_shape(const struct conf_node *node, const struct conf_word *word,
    enum policy_match m)
{
	bool is_block = matches[m].form == FORM_BLOCK;
	bool has_values = !is_block && matches[m].form != FORM_NOTHING;

	return node->is_block == is_block && (word->next != NULL) == has_values;
}

static bool
is_application(const struct conf *c, const char *name)
{
	for (guint i = 0; i < c->gateway.applications->len; i++) {
		const struct conf_application *a =
		    c->gateway.applications->pdata[i];

		if (strcmp(a->name, name) == 0)
			return true;
	}
	return false;
}

/* A rule set may serve several hosts: no mistake, but nothing it can match. */
static void
check_applications(struct conf_load *l, const struct conf_word *word,
    const struct policy_cond *c)
{
	if (c->match != POLICY_APPLICATION ||
	    l->c->gateway.listen.address == NULL)
		return;
	for (; word != NULL; word = word->next) {
		g_autofree char *shown = conf_shown(word->value);

		if (!word->is_bad && !is_application(l->c, word->value))
			conf_warning(l->issues, word->pos, "there is no "
			    "application %s in gateway { }, so this never "
			    "matches", shown);
	}
}

/* Whether a condition of m could begin before next. */
static bool
could_take(const struct conf_load *l, enum policy_match m,
    const struct conf_word *next)
{
	const GPtrArray *refs = m == POLICY_TIME ? l->c->policy->windows :
	    l->c->policy->patterns;

	switch (matches[m].form) {
	case FORM_NOTHING:
		return next == NULL;
	case FORM_CHOICE:
		return next != NULL && policy_word_bit(m, next->value) >= 0;
	case FORM_OVER:
		return conf_rule_is(next, "over");
	case FORM_REF:
		return next != NULL && has_name(refs, next->value);
	case FORM_LEXICON:
		return next != NULL &&
		    has_name(l->c->policy->lexicons, next->value);
	case FORM_VALUES:
	case FORM_HOST:
	case FORM_NUMBERS:
	case FORM_BLOCK:
		break;
	}
	return false;
}

/*
 * Within a block conditions stand without "match". What begins with a word of
 * an open vocabulary ("desk business retail") may well be values.
 */
static void
check_conds(struct conf_load *l, const struct conf_word *word)
{
	for (; word != NULL; word = word->next) {
		g_autofree char *hint = NULL;
		enum policy_match m;

		if (conf_rule_is_quoted(word) ||
		    !policy_match_parse(word->value, &m) ||
		    !could_take(l, m, word->next))
			continue;
		hint = conf_rule_hint(word);
		conf_warning(l->issues, word->pos, "%s", hint);
		return;
	}
}

/* False when the condition runs on into the next directive. */
static bool
check_end(struct conf_load *l, const struct conf_node *node,
    const struct conf_word *word, enum policy_match m)
{
	const struct conf_word *value = word->next;

	if (value == NULL || node->is_block)
		return true;
	if (matches[m].form != FORM_NOTHING)
		value = value->next;
	if (conf_rule_runs_on(l, value, m == POLICY_TEXT))
		return false;
	if (word == node->words)
		check_conds(l, value);
	return true;
}

/* word: where in node the condition begins. */
static void
read_cond(struct conf_load *l, const struct conf_node *node,
    const struct conf_word *word, GPtrArray *out)
{
	g_autofree char *where = conf_policy_where(l, word->pos);
	struct policy_cond *c;
	int m;

	if (strcmp(word->value, "match") == 0) {
		conf_error(l->issues, word->pos, "conditions within a block "
		    "stand without \"match\"");
		return;
	}
	m = conf_rule_choice(l, word, "condition", match_name);
	if (m < 0)
		return;
	if (!check_end(l, node, word, (enum policy_match)m))
		return;
	if (!has_shape(node, word, (enum policy_match)m)) {
		tell_shape(l, node, word, (enum policy_match)m);
		return;
	}
	c = policy_cond_new((enum policy_match)m, where);
	g_ptr_array_add(out, c);
	if (matches[m].form == FORM_BLOCK)
		read_conds(l, node, word, c);
	else if (matches[m].form == FORM_OVER)
		read_over(l, c, word->next);
	else if (matches[m].form != FORM_NOTHING)
		read_values(l, c, word->next);
	check_applications(l, word->next, c);
}

void
conf_rule_match(struct conf_load *l, const struct conf_node *n,
    struct policy_rule *r)
{
	if (n->count >= 2)
		read_cond(l, n, n->words->next, r->conds);
	else
		conf_error(l->issues, n->words->pos, "match needs a "
		    "condition%s", n->is_block ?
		    "; write match all { … } or match any { … }" : "");
}
