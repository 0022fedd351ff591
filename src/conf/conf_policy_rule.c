/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the policy file: conditions and actions, each with what may
 * follow its word. What a word refers to must be there: lexicons, patterns
 * and windows of the policy file, journals of chatjournal.conf. What rules
 * mean together (one that can never fire) is found by policy_new().
 */
#include "conf_int.h"

#include <string.h>

#include "policy.h"
#include "text.h"

#define MINUTE 60000
#define DAY ((int64_t)86400000)
#define COUNT_MAX 1000000
#define PERSONS_MAX 5

/* --- what may follow a word --- */

typedef const char *name_fn(int i);	/* NULL: no more */

static const char *
match_name(int i)
{
	return i < POLICY_MATCHES ?
	    policy_match_name((enum policy_match)i) : NULL;
}

static const char *
act_name(int i)
{
	return i < POLICY_ACTS ? policy_act_name((enum policy_act)i) : NULL;
}

static const char *
per_name(int i)
{
	return i <= POLICY_PER_TEMPLATE ?
	    policy_per_name((enum policy_per)i) : NULL;
}

/* "unknown WHAT "x"; did you mean …" */
static void
tell_unknown(struct conf_load *l, const struct conf_word *word,
    const char *what, const struct conf_near *near)
{
	g_autofree char *shown = conf_shown(word->value);
	g_autofree char *hint = conf_near_text(near);

	conf_error(l->issues, word->pos, "unknown %s %s%s", what, shown, hint);
}

/* The place in the list; -1, and the error is noted, if it is not there. */
static int
read_choice(struct conf_load *l, const struct conf_word *word,
    const char *what, name_fn *name)
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
	tell_unknown(l, word, what, &near);
	return -1;
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
	tell_unknown(l, word, policy_match_name(m), &near);
}

static bool
read_number(struct conf_load *l, const struct conf_word *word,
    enum conf_type type, int64_t max, int64_t *out)
{
	struct conf_row row = { .type = type, .max = max };

	row.min = type == CONF_DURATION ? MINUTE : type == CONF_SIZE ? 0 : 1;
	return conf_word_set(l, &row, word, out);
}

static void
read_string(struct conf_load *l, const struct conf_word *word,
    enum conf_type type, char **out)
{
	const struct conf_row row = { .type = type };

	conf_word_set(l, &row, word, out);
}

static bool
is(const struct conf_word *word, const char *s)
{
	return word != NULL && strcmp(word->value, s) == 0;
}

/* --- conditions --- */

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
	read_string(l, word, CONF_DOMAIN, &host);
	return host != NULL ? g_ascii_strdown(host, -1) : NULL;
}

/* "+44 20 …" is a number however it is written; ids have no '+'. */
static char *
read_business(struct conf_load *l, const struct conf_word *word)
{
	char *s = NULL;

	read_string(l, word, *word->value == '+' ? CONF_PHONE : CONF_NAME, &s);
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
		read_string(l, word, matches[m].type, &value);
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
		if (word->next->next != NULL || !is(word, "over"))
			continue;
		read_number(l, word->next, CONF_NUMBER, COUNT_MAX, &c->number);
		*end = word;
		return;
	}
}

static void
read_over(struct conf_load *l, struct policy_cond *c,
    const struct conf_word *word)
{
	const struct conf_word *number = is(word, "over") ? word->next : word;

	if (number == NULL || number->next != NULL)
		conf_error(l->issues, word->pos, "%s takes %s",
		    policy_match_name(c->match), matches[c->match].usage);
	else
		read_number(l, number, matches[c->match].type,
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
		if (value != NULL)
			g_ptr_array_add(c->values, value);
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
	m = read_choice(l, word, "condition", match_name);
	if (m < 0)
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

static void
read_match(struct conf_load *l, const struct conf_node *n,
    struct policy_rule *r)
{
	if (n->count >= 2)
		read_cond(l, n, n->words->next, r->conds);
	else
		conf_error(l->issues, n->words->pos, "match needs a "
		    "condition%s", n->is_block ?
		    "; write match all { … } or match any { … }" : "");
}

/* --- count --- */

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
	read_number(l, number, CONF_NUMBER, COUNT_MAX, &r->count_over);
	if (!is(what, "customers"))
		conf_error(l->issues, what->pos, "count takes NUMBER "
		    "customers DURATION [per SUBJECT]");
	read_number(l, time, CONF_DURATION, 366 * DAY, &r->count_ms);
	if (per == NULL)
		return;
	if (!is(per, "per") || per->next == NULL) {
		conf_error(l->issues, per->pos, "after the duration only per "
		    "SUBJECT may follow");
		return;
	}
	subject = read_choice(l, per->next, "subject", per_name);
	if (subject >= 0)
		r->count_per = (enum policy_per)subject;
}

/* --- actions --- */

enum act_form {
	ACT_NOTHING, ACT_NAMES, ACT_NAME, ACT_JOURNALS, ACT_MAYBE_JOURNALS,
	ACT_TEXT, ACT_CONSENT, ACT_HOLD, ACT_ADD,
};

static const struct {
	enum act_form form;
	const char *usage;
} acts[POLICY_ACTS] = {
	[POLICY_TAG] = { ACT_NAMES, "tags" },
	[POLICY_FLAG] = { ACT_NOTHING, NULL },
	[POLICY_RETAIN] = { ACT_NAME, "a retention class" },
	[POLICY_JOURNAL] = { ACT_JOURNALS, "journals" },
	[POLICY_ONLY_JOURNAL] = { ACT_JOURNALS, "journals" },
	[POLICY_COPY] = { ACT_JOURNALS, "journals" },
	[POLICY_ALERT] = { ACT_MAYBE_JOURNALS, "journals, or nothing" },
	[POLICY_HOLD] = { ACT_HOLD, "[persons NUMBER] [max DURATION]" },
	[POLICY_QUARANTINE] = { ACT_NOTHING, NULL },
	[POLICY_EXCLUDE] = { ACT_NOTHING, NULL },
	[POLICY_CONSENT_SET] = { ACT_CONSENT, "given or withdrawn" },
	[POLICY_BLOCK] = { ACT_TEXT, "a reason in quotes" },
	[POLICY_APPEND] = { ACT_ADD,
		"a text in quotes [once conversation | once DURATION]" },
	[POLICY_PREPEND] = { ACT_ADD,
		"a text in quotes [once conversation | once DURATION]" },
	[POLICY_REQUIRE_CONSENT] = { ACT_TEXT, "a reason in quotes" },
	[POLICY_REQUIRE_NOTICE] = { ACT_TEXT, "a text in quotes" },
	[POLICY_APPROVE] = { ACT_HOLD, "[persons NUMBER] [max DURATION]" },
};

static void
tell_act(struct conf_load *l, const struct conf_word *at, enum policy_act a)
{
	if (acts[a].usage == NULL)
		conf_error(l->issues, at->pos, "%s takes no value",
		    policy_act_name(a));
	else
		conf_error(l->issues, at->pos, "%s takes %s",
		    policy_act_name(a), acts[a].usage);
}

static void
read_names(struct conf_load *l, const struct conf_word *word,
    struct policy_action *a)
{
	bool are_journals = acts[a->act].form != ACT_NAMES;

	for (; word != NULL; word = word->next) {
		g_autofree char *name = NULL;

		read_string(l, word, CONF_NAME, &name);
		if (name == NULL || (are_journals &&
		    !conf_journal_ref(l, word)))
			continue;
		g_ptr_array_add(a->values, g_steal_pointer(&name));
	}
}

/* [persons N] [max DURATION], in any order, each once. */
static void
read_hold(struct conf_load *l, const struct conf_word *word,
    struct policy_action *a)
{
	for (; word != NULL; word = word->next->next) {
		bool persons = is(word, "persons") && a->persons == 0;

		if ((!persons && !(is(word, "max") && a->ms == 0)) ||
		    word->next == NULL) {
			tell_act(l, word, a->act);
			return;
		}
		if (persons)
			read_number(l, word->next, CONF_NUMBER, PERSONS_MAX,
			    &a->persons);
		else
			read_number(l, word->next, CONF_DURATION, 30 * DAY,
			    &a->ms);
	}
}

/* [once conversation | once DURATION] */
static void
read_once(struct conf_load *l, const struct conf_word *word,
    struct policy_action *a)
{
	if (word == NULL)
		return;
	if (!is(word, "once") || word->next == NULL ||
	    word->next->next != NULL) {
		tell_act(l, word, a->act);
		return;
	}
	a->once = true;
	if (!is(word->next, "conversation"))
		read_number(l, word->next, CONF_DURATION, 366 * DAY, &a->ms);
}

static void
read_consent(struct conf_load *l, const struct conf_word *word,
    struct policy_action *a)
{
	if (is(word, "given") || is(word, "withdrawn"))
		a->text = g_strdup(word->value);
	else
		tell_act(l, word, a->act);
}

static void
read_act_values(struct conf_load *l, const struct conf_word *word,
    struct policy_action *a)
{
	switch (acts[a->act].form) {
	case ACT_NAMES:
	case ACT_JOURNALS:
	case ACT_MAYBE_JOURNALS:
		read_names(l, word, a);
		break;
	case ACT_NAME:
		read_string(l, word, CONF_NAME, &a->text);
		break;
	case ACT_TEXT:
		read_string(l, word, CONF_STRING, &a->text);
		break;
	case ACT_ADD:
		read_string(l, word, CONF_STRING, &a->text);
		read_once(l, word->next, a);
		break;
	case ACT_CONSENT:
		read_consent(l, word, a);
		break;
	case ACT_HOLD:
		read_hold(l, word, a);
		break;
	case ACT_NOTHING:
		break;
	}
}

/* Once: a rule set for banks with a gateway is of use to others, too. */
static void
check_gateway(struct conf_load *l, const struct conf_word *word,
    enum policy_act a)
{
	if (l->told_gateway || !policy_act_is_of_gateway(a) ||
	    l->c->gateway.listen.address != NULL)
		return;
	l->told_gateway = true;
	conf_warning(l->issues, word->pos, "%s works at the gateway only, and "
	    "there is no gateway { } block", policy_act_name(a));
}

static bool
has_act_shape(enum act_form form, const struct conf_word *value)
{
	switch (form) {
	case ACT_NOTHING:
		return value == NULL;
	case ACT_NAMES:
	case ACT_JOURNALS:
	case ACT_ADD:
		return value != NULL;
	case ACT_NAME:
	case ACT_TEXT:
	case ACT_CONSENT:
		return value != NULL && value->next == NULL;
	case ACT_MAYBE_JOURNALS:
	case ACT_HOLD:
		break;
	}
	return true;
}

static void
read_action(struct conf_load *l, const struct conf_node *n,
    struct policy_rule *r)
{
	const struct conf_word *word = n->words->next;
	g_autofree char *where = NULL;
	struct policy_action *a;
	int act;

	if (n->is_block || word == NULL)	/* as the table has told */
		return;
	act = read_choice(l, word, "action", act_name);
	if (act < 0)
		return;
	if (!has_act_shape(acts[act].form, word->next)) {
		tell_act(l, acts[act].form == ACT_NOTHING ? word->next : word,
		    (enum policy_act)act);
		return;
	}
	check_gateway(l, word, (enum policy_act)act);
	where = conf_policy_where(l, word->pos);
	a = policy_action_new((enum policy_act)act, where);
	g_ptr_array_add(r->actions, a);
	read_act_values(l, word->next, a);
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

/* How many conditions ask for malware; *minds: one of what is unscanned. */
static unsigned
count_malware(const GPtrArray *conds, bool *minds)
{
	unsigned n = 0;

	for (guint i = 0; i < conds->len; i++) {
		const struct policy_cond *c = conds->pdata[i];

		n += c->match == POLICY_MALWARE;
		*minds |= c->match == POLICY_MALWARE &&
		    has_value(c, "unscanned");
		n += count_malware(c->conds, minds);
	}
	return n;
}

/*
 * Once: without a scanner such a rule is unsure of each file, unless it says
 * what it makes of files that nothing scanned.
 */
static void
check_scanner(struct conf_load *l, const struct conf_node *node,
    const struct policy_rule *r)
{
	bool minds = false;

	if (l->told_scanner || l->c->media.clamd != NULL ||
	    count_malware(r->conds, &minds) == 0 || minds)
		return;
	l->told_scanner = true;
	conf_warning(l->issues, node->words->next->pos, "nothing scans files, "
	    "so this rule is unsure of each; name a clamd in media { }, or "
	    "add match not { malware unscanned; }");
}

void
conf_rule_leave(struct conf_load *l, const struct conf_node *node, void *base)
{
	struct policy_rule *r = base;
	bool acts_at_all;

	read_each(l, node, "match", read_match, r);
	check_scanner(l, node, r);
	read_each(l, node, "count", read_count, r);
	acts_at_all = read_each(l, node, "action", read_action, r);
	r->is_final = conf_node_find(node->children, "final") != NULL;
	if (!acts_at_all && !r->is_final)
		conf_error(l->issues, node->words->next->pos, "the rule does "
		    "nothing: it has neither action nor final");
}
