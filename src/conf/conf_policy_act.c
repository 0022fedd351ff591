/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of rules, each with what may follow its word. Journals must be
 * in chatjournal.conf.
 */
#include "conf_policy_int.h"

#define DAY ((int64_t)86400000)
#define PERSONS_MAX 5

static const char *
act_name(int i)
{
	return i < POLICY_ACTS ? policy_act_name((enum policy_act)i) : NULL;
}

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

		conf_rule_string(l, word, CONF_NAME, &name);
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
		bool persons = conf_rule_is(word, "persons") && a->persons == 0;

		if ((!persons && !(conf_rule_is(word, "max") && a->ms == 0)) ||
		    word->next == NULL) {
			tell_act(l, word, a->act);
			return;
		}
		if (persons)
			conf_rule_number(l, word->next, CONF_NUMBER, PERSONS_MAX,
			    &a->persons);
		else
			conf_rule_number(l, word->next, CONF_DURATION, 30 * DAY,
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
	if (!conf_rule_is(word, "once") || word->next == NULL ||
	    word->next->next != NULL) {
		tell_act(l, word, a->act);
		return;
	}
	a->once = true;
	if (!conf_rule_is(word->next, "conversation"))
		conf_rule_number(l, word->next, CONF_DURATION, 366 * DAY, &a->ms);
}

static void
read_consent(struct conf_load *l, const struct conf_word *word,
    struct policy_action *a)
{
	if (conf_rule_is(word, "given") || conf_rule_is(word, "withdrawn"))
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
		conf_rule_string(l, word, CONF_NAME, &a->text);
		break;
	case ACT_TEXT:
		conf_rule_string(l, word, CONF_STRING, &a->text);
		break;
	case ACT_ADD:
		conf_rule_string(l, word, CONF_STRING, &a->text);
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

/* What needs a value has it first, whatever it is. */
static bool
runs_on(struct conf_load *l, enum act_form form, const struct conf_word *value)
{
	bool may_be_bare = form == ACT_NOTHING || form == ACT_HOLD ||
	    form == ACT_MAYBE_JOURNALS;

	if (value != NULL && !may_be_bare)
		value = value->next;
	return conf_rule_runs_on(l, value, false);
}

void
conf_rule_action(struct conf_load *l, const struct conf_node *n,
    struct policy_rule *r)
{
	const struct conf_word *word = n->words->next;
	g_autofree char *where = NULL;
	struct policy_action *a;
	int act;

	if (n->is_block || word == NULL)	/* as the table has told */
		return;
	act = conf_rule_choice(l, word, "action", act_name);
	if (act < 0)
		return;
	if (runs_on(l, acts[act].form, word->next))
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
