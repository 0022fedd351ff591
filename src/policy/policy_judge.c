/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An item against all rules, in order. Keeps nothing: what must be remembered
 * is in the verdict. Never fails; what it cannot know makes a rule unsure, and
 * an unsure rule adds care but takes nothing away.
 */
#include "policy_int.h"

#include <inttypes.h>

#include "clock.h"
#include "directory.h"
#include "item.h"

struct judge {
	struct policy_case on;
	const struct policy_world *world;
	struct policy_verdict *verdict;
};

/* ---- counts ---------------------------------------------------------------------- */

/* Who or what is counted; NULL: not known. */
static const char *
subject_name(const struct policy_input *in, enum policy_per per)
{
	const struct item *it = in->item;

	if (per == POLICY_PER_BUSINESS)
		return in->business != NULL && in->business->id != NULL ?
		    in->business->id : it->business.user_id != NULL ?
		    it->business.user_id : it->business.number;
	if (per == POLICY_PER_DESK)
		return in->business != NULL ? in->business->desk : NULL;
	if (per == POLICY_PER_EMPLOYEE)
		return policy_employee(in);
	if (per == POLICY_PER_APPLICATION)
		return in->application;
	if (per == POLICY_PER_TEMPLATE)
		return it->template != NULL ? it->template->name : NULL;
	return "";
}

/* The counterpart; in a group that has none, the group. NULL: nobody. */
static char *
who_of(const struct policy_input *in)
{
	const struct item *it = in->item;

	if (in->person != NULL)
		return g_strdup(in->person);
	if (it->counterpart.user_id != NULL)
		return g_strconcat("u:", it->counterpart.user_id, NULL);
	if (it->counterpart.number != NULL)
		return g_strconcat("n:", it->counterpart.number, NULL);
	return it->group_id != NULL ?
	    g_strconcat("g:", it->group_id, NULL) : NULL;
}

/* A turn is judged when it is closed, or days later: its own time counts. */
static int64_t
said_ms(const struct policy_input *in)
{
	int64_t at_ms = in->item->at_ms;

	return in->at_gateway || at_ms <= 0 ? in->now_ms :
	    MIN(at_ms, in->now_ms);
}

static bool
ask_count(const struct judge *j, const struct policy_rule *r,
    const struct policy_tally *t, int64_t *n)
{
	int64_t since_ms = said_ms(j->on.in) - r->count_ms;

	return j->world != NULL && j->world->count != NULL &&
	    j->world->count(j->world->arg, t->rule, t->subject, t->who,
	    since_ms, n);
}

/*
 * How the conditions stand once the count is looked at. What is not sure is
 * not counted for a rule that could take something away later: there, a sum
 * must be as sure as its parts.
 */
static enum policy_truth
judge_count(struct judge *j, const struct policy_compiled *c,
    enum policy_truth conds)
{
	const struct policy_rule *r = c->source;
	const char *name = subject_name(j->on.in, r->count_per);
	g_autofree char *who = who_of(j->on.in);
	g_autofree char *subject = g_strconcat(policy_per_name(r->count_per),
	    " ", name != NULL ? name : "-", NULL);
	const struct policy_tally tally = { r->name, subject, who };
	int64_t n = r->count_over + 1;	/* more makes no difference */

	if (who == NULL)
		return POLICY_UNSURE;
	if ((conds == POLICY_YES && name != NULL) || !c->takes_away)
		policy_tally_add(j->verdict, &tally);
	if (!ask_count(j, r, &tally, &n))
		return POLICY_UNSURE;
	if (n <= r->count_over)
		return POLICY_NO;
	return name != NULL ? conds : POLICY_UNSURE;
}

/* ---- actions ----------------------------------------------------------------------- */

typedef void act_fn(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a);

static void
act_tag(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	(void)r;
	policy_strings_add_all(j->verdict->tags, a->values);
}

static void
act_flag(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	(void)r;
	(void)a;
	j->verdict->flag = true;
}

static void
act_retain(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	(void)r;
	if (j->verdict->retain == NULL)
		j->verdict->retain = g_strdup(a->text);
}

static void
act_journal(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	(void)r;
	policy_strings_add_all(j->verdict->journals, a->values);
}

static void
act_only_journal(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	(void)r;
	policy_strings_add_all(j->verdict->only_journals, a->values);
}

static void
act_copy(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	(void)r;
	policy_strings_add_all(j->verdict->copies, a->values);
}

static void
act_alert(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	policy_strings_add(j->verdict->alerts, r->name);
	for (guint i = 0; i < a->values->len; i++) {
		g_autofree char *alert = g_strconcat(r->name, " ",
		    (const char *)g_ptr_array_index(a->values, i), NULL);

		policy_strings_add(j->verdict->alerts, alert);
	}
}

static void
act_hold(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	const struct policy_source *s = j->on.policy->source;

	policy_hold_add(j->verdict, r->name, a->ms > 0 ? a->ms : s->hold_ms,
	    a->persons > 0 ? a->persons : s->hold_persons);
}

static void
act_approve(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	act_hold(j, r, a);
	j->verdict->approve = true;
}

static void
act_quarantine(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	(void)r;
	(void)a;
	j->verdict->quarantine = true;
}

static void
act_exclude(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	(void)a;
	policy_exclude_add(j->verdict, r->name);
}

static void
act_consent(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	enum policy_consent consent = POLICY_CONSENT_UNKNOWN;

	(void)r;
	policy_consent_parse(a->text, &consent);
	policy_consent_add(j->verdict, consent);
}

static void
act_block(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	policy_block_add(j->verdict, r->name, a->text);
}

/*
 * Whether the conversation had it within the period; not known, or only by a
 * clock that was set back since: it had not.
 */
static bool
was_told(const struct judge *j, const struct policy_rule *r, int64_t ms)
{
	const char *talk = j->on.in->talk;
	int64_t at_ms = 0;

	if (talk == NULL || j->world == NULL || j->world->told == NULL ||
	    !j->world->told(j->world->arg, r->name, talk, &at_ms))
		return false;
	return at_ms != 0 && (ms == 0 || (j->on.in->now_ms - at_ms < ms &&
	    !clock_is_far(at_ms, j->on.in->now_ms, 0)));
}

static void
add_text(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a, bool is_once)
{
	struct policy_addition *addition;

	if (is_once && was_told(j, r, a->ms))
		return;
	addition = policy_addition_add(j->verdict, r->name, a->text);
	addition->before = a->act != POLICY_APPEND;
	addition->once = is_once;
}

static void
act_add(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	add_text(j, r, a, a->once);
}

static void
act_require_notice(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	add_text(j, r, a, true);
}

static void
act_require_consent(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a)
{
	if (j->on.in->consent != POLICY_CONSENT_GIVEN)
		act_block(j, r, a);
}

static void
take_action(struct judge *j, const struct policy_rule *r,
    const struct policy_action *a, struct policy_fired *f)
{
	static act_fn *const acts[POLICY_ACTS] = {
		[POLICY_TAG] = act_tag,
		[POLICY_FLAG] = act_flag,
		[POLICY_RETAIN] = act_retain,
		[POLICY_JOURNAL] = act_journal,
		[POLICY_ONLY_JOURNAL] = act_only_journal,
		[POLICY_COPY] = act_copy,
		[POLICY_ALERT] = act_alert,
		[POLICY_HOLD] = act_hold,
		[POLICY_QUARANTINE] = act_quarantine,
		[POLICY_EXCLUDE] = act_exclude,
		[POLICY_CONSENT_SET] = act_consent,
		[POLICY_BLOCK] = act_block,
		[POLICY_APPEND] = act_add,
		[POLICY_PREPEND] = act_add,
		[POLICY_REQUIRE_CONSENT] = act_require_consent,
		[POLICY_REQUIRE_NOTICE] = act_require_notice,
		[POLICY_APPROVE] = act_approve,
	};

	if (!j->on.in->at_gateway && policy_act_is_of_gateway(a->act))
		f->not_here = true;
	else if (!f->is_unsure || !policy_act_takes_away(a->act))
		acts[a->act](j, r, a);
}

/* ---- rules ------------------------------------------------------------------------- */

static void
fire(struct judge *j, const struct policy_compiled *c, enum policy_truth t)
{
	const struct policy_rule *r = c->source;
	struct policy_fired *f = policy_fired_add(j->verdict, r->name);

	f->is_unsure = t == POLICY_UNSURE;
	policy_eval(&j->on, c->root, f->why);
	if (r->count_ms > 0)
		g_ptr_array_add(f->why, g_strdup_printf("count over %" PRId64,
		    r->count_over));
	if (f->why->len == 0)
		g_ptr_array_add(f->why, g_strdup("always"));
	for (guint i = 0; i < r->actions->len; i++)
		take_action(j, r, g_ptr_array_index(r->actions, i), f);
}

/* Whether the rules after it are not to be looked at. */
static bool
judge_rule(struct judge *j, const struct policy_compiled *c)
{
	enum policy_truth t = policy_eval(&j->on, c->root, NULL);

	if (t != POLICY_NO && c->source->count_ms > 0)
		t = judge_count(j, c, t);
	if (t == POLICY_NO || (t == POLICY_UNSURE && c->source->is_sure))
		return false;
	fire(j, c, t);
	return c->source->is_final && t == POLICY_YES;
}

struct policy_verdict *
policy_judge(const struct policy *p, struct policy_work *w,
    const struct policy_input *in, const struct policy_world *world)
{
	struct judge j = { .on = { p, w, in }, .world = world,
		.verdict = policy_verdict_new(p->source->sha256) };
	bool is_done = false;

	policy_work_begin(w);
	for (guint i = 0; i < p->rules->len && !is_done; i++)
		is_done = judge_rule(&j, g_ptr_array_index(p->rules, i));
	return j.verdict;
}
