/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bank's rules found of a turn, and what became of messages that
 * went through the gateway, as templates see them. Decides nothing: verdicts
 * and outcomes come with the input, and a word that is not known here is
 * shown as it is.
 */
#include "render_view.h"

#include <string.h>

#include "text.h"

/* Of a long text with many hits; templates may repeat only so much. */
#define WHY_MAX 200

/* ---- sends ------------------------------------------------------------------- */

/* By gateway_outcome_name(). */
static const struct outcome {
	const char *name;
	const char *what;	/* of an attempt; %s is who should have got it */
	const char *line;
	bool has_left;
	bool waits;
} outcomes[] = {
	{ "accepted", NULL, WORD("sent, accepted by WhatsApp"), true, false },
	{ "pending", WORD("message to %s, journaled before it is sent"),
		WORD("PENDING: journaled before it is sent."), false, true },
	{ "refused", WORD("message to %s, refused by WhatsApp"),
		WORD("NOT SENT: WhatsApp refused it."), false, false },
	{ "blocked", WORD("blocked message to %s"),
		WORD("BLOCKED by the rules of the bank: not sent."), false,
		false },
	{ "held", WORD("held message to %s"),
		WORD("HELD: it is sent only if a person releases it."), false,
		true },
	{ "rejected", WORD("rejected message to %s"),
		WORD("REJECTED by a person: not sent."), false, false },
	{ "expired", WORD("expired message to %s"),
		WORD("EXPIRED: nobody released it in time, it was not sent."),
		false, false },
	{ "not-sent", WORD("message to %s, not sent"),
		WORD("NOT SENT: it did not reach WhatsApp."), false, false },
	{ "unknown", WORD("message to %s, outcome unknown"),
		WORD("OUTCOME UNKNOWN: it may have been sent."), false,
		false },
	{ "reported", WORD("message to %s, reported by another sender"),
		WORD("REPORTED by another sender: no rule was enforced."),
		false, true },
};

static const struct outcome *
find_outcome(const char *name)
{
	for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(outcomes); i++) {
		if (strcmp(outcomes[i].name, name) == 0)
			return &outcomes[i];
	}
	return NULL;
}

static const char *
outcome_line(struct render_filler *f, const struct item_send *send)
{
	const struct outcome *o = find_outcome(send->outcome);

	return o != NULL ? render_word(f->words, o->line) :
	    render_line(f->s, send->outcome, RENDER_NAME_MAX);
}

const char *
render_attempt_word(struct render_filler *f, const struct item *it)
{
	const struct outcome *o = find_outcome(it->send->outcome);
	const struct render_parties *who = &f->t->who;

	if (o == NULL || o->what == NULL || who->n < 2)
		return NULL;
	return render_phrase(f->words, f->s, o->what, who->list[1].name);
}

/* What was said, or why it was judged so, is not for a record. */
static void
fill_said(struct render_filler *f, const struct item_send *send,
    struct template_scope *scope)
{
	scope->string[N_REASON] = render_line(f->s, send->reason, SIZE_MAX);
	if (send->text_before == NULL || send->text_before[0] == '\0')
		return;
	scope->string[N_BEFORE] = send->text_before;
	scope->string[N_BEFORE_INDENTED] = render_indented(f,
	    send->text_before);
}

GPtrArray *
render_send(struct render_filler *f, const struct item_send *send)
{
	struct template_scope *scope;
	GPtrArray *l;

	if (send == NULL)
		return NULL;
	l = render_list(f->s);
	scope = render_scope_add(f, l);
	scope->string[N_OUTCOME] = outcome_line(f, send);
	scope->string[N_APPLICATION] = render_line(f->s, send->application,
	    SIZE_MAX);
	scope->string[N_EMPLOYEE] = render_line(f->s, send->employee,
	    SIZE_MAX);
	scope->string[N_STATUS] = render_line(f->s, send->status, SIZE_MAX);
	scope->string[N_KEY] = render_line(f->s, send->key, SIZE_MAX);
	if (!f->t->in->is_excluded)
		fill_said(f, send, scope);
	if (send->reviews != NULL) {
		scope->list[N_REVIEWS] = render_list(f->s);
		render_facts_add(f, scope->list[N_REVIEWS], send->reviews);
	}
	return l;
}

/* The outcome is told once, as long as it has the same reason. */
static bool
is_told(const GPtrArray *items, guint index)
{
	const struct item *it = g_ptr_array_index(items, index);

	for (guint i = 0; i < index; i++) {
		const struct item *old = g_ptr_array_index(items, i);

		if (old->send != NULL && g_strcmp0(old->send->outcome,
		    it->send->outcome) == 0 && g_strcmp0(old->send->reason,
		    it->send->reason) == 0)
			return true;
	}
	return false;
}

static GPtrArray *
add_outcome(struct render_filler *f, GPtrArray *l,
    const struct item_send *send)
{
	const struct outcome *o = find_outcome(send->outcome);
	struct template_scope *scope;

	if (send->outcome == NULL || (o != NULL && o->has_left))
		return l;
	if (l == NULL)
		l = render_list(f->s);
	scope = render_scope_add(f, l);
	scope->string[U_LINE] = outcome_line(f, send);
	if (!f->t->in->is_excluded)
		scope->string[U_REASON] = render_line(f->s, send->reason,
		    SIZE_MAX);
	if (o != NULL && o->waits)
		scope->string[U_WAITS] = "1";
	return l;
}

GPtrArray *
render_outcomes(struct render_filler *f)
{
	const GPtrArray *items = f->t->in->items;
	GPtrArray *l = NULL;

	for (guint i = 0; i < items->len; i++) {
		const struct item *it = g_ptr_array_index(items, i);

		if (it->send != NULL && !is_told(items, i))
			l = add_outcome(f, l, it->send);
	}
	return l;
}

/* ---- rules ------------------------------------------------------------------- */

/* What reviews are called; looked up by render_fact_add(). */
__attribute__((unused)) static const char *const verbs[] = {
	WORD("release"), WORD("reject"), WORD("approve"), WORD("released"),
	WORD("rejected"), WORD("approved"), WORD("expired"), WORD("review"),
};

/* policy_verdict_word() */
static const char *
verdict_words(struct render_filler *f, const char *word)
{
	static const char *const words[][2] = {
		{ "deliver", WORD("nothing to object") },
		{ "flag", WORD("flagged for review") },
		{ "hold", WORD("held for a person to decide") },
		{ "exclude", WORD("excluded, only a record is kept") },
		{ "block", WORD("blocked at the gateway") },
	};

	for (size_t i = 0; word != NULL && i < G_N_ELEMENTS(words); i++) {
		if (strcmp(words[i][0], word) == 0)
			return render_word(f->words, words[i][1]);
	}
	return render_line(f->s, word, RENDER_NAME_MAX);
}

static const char *
names(struct render_filler *f, const GPtrArray *list)
{
	return render_line(f->s, render_joined(f->s, list, ", "), SIZE_MAX);
}

static void
add_line(struct render_filler *f, GPtrArray *to, const char *text)
{
	const char *line = render_line(f->s, text, SIZE_MAX);

	if (line != NULL)
		render_scope_add(f, to)->string[W_LINE] = line;
}

static GPtrArray *
why_of(struct render_filler *f, const GPtrArray *why)
{
	guint n = why != NULL ? MIN(why->len, WHY_MAX) : 0;
	GPtrArray *l;

	if (n == 0)
		return NULL;
	l = render_list(f->s);
	for (guint i = 0; i < n; i++)
		add_line(f, l, why->pdata[i]);
	if (why->len > n)
		add_line(f, l, render_count(f->words, f->s, why->len - n,
		    "%u more", WORD("%u more")));
	return l;
}

static void
fill_hold(struct render_filler *f, const struct render_policy *p,
    struct template_scope *scope)
{
	static const struct {
		const char *name;
		enum policy_row row;
	} ends[] = {
		{ "released", Y_RELEASED }, { "rejected", Y_REJECTED },
		{ "expired", Y_EXPIRED },
	};

	if (p->hold_end == NULL)
		return;
	scope->string[Y_HELD] = render_time(f->s, p->held_ms);
	scope->string[Y_HOLD_END] = render_time(f->s, p->hold_end_ms);
	scope->string[Y_HOLD_RULE] = render_line(f->s, p->hold_rule,
	    RENDER_NAME_MAX);
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		if (strcmp(p->hold_end, ends[i].name) == 0)
			scope->string[ends[i].row] = "1";
	}
}

static void
fill_found(struct render_filler *f, const struct render_policy *p,
    struct template_scope *scope)
{
	scope->string[Y_VERDICT] = verdict_words(f, p->word);
	scope->string[Y_RULES] = names(f, p->rules);
	scope->string[Y_TAGS] = names(f, p->tags);
	scope->string[Y_RETAIN] = render_line(f->s, p->retain,
	    RENDER_NAME_MAX);
	scope->string[Y_UNSURE] = names(f, p->unsure);
	scope->string[Y_NOT_HERE] = names(f, p->not_here);
	scope->string[Y_SET] = render_line(f->s, p->set, RENDER_NAME_MAX);
	if (p->flag)
		scope->string[Y_FLAG] = "1";
	scope->list[Y_WHY] = why_of(f, p->why);
}

/* A part of a cut turn is about its files; the rest is said once. */
GPtrArray *
render_policy_list(struct render_filler *f)
{
	const struct render_policy *p = f->t->in->policy;
	struct template_scope *scope;
	GPtrArray *l;

	if (p == NULL || f->t->part > 1)
		return NULL;
	l = render_list(f->s);
	scope = render_scope_add(f, l);
	fill_found(f, p, scope);
	fill_hold(f, p, scope);
	if (p->reviews != NULL) {
		scope->list[Y_REVIEWS] = render_list(f->s);
		render_facts_add(f, scope->list[Y_REVIEWS], p->reviews);
	}
	return l;
}

/* ---- excluded turns ------------------------------------------------------------ */

const char *
render_excluded_word(struct render_filler *f)
{
	const struct render_input *in = f->t->in;
	const struct render_policy *p = in->policy;
	const char *rule = render_line(f->s, in->exclude_rule,
	    RENDER_NAME_MAX);

	if (p != NULL && g_strcmp0(p->hold_end, "rejected") == 0)
		return render_word(f->words,
		    WORD("rejected by a person, only a record is kept"));
	if (rule == NULL)
		return render_word(f->words,
		    WORD("excluded, only a record is kept"));
	return render_phrase(f->words, f->s, WORD("excluded by rule %s"),
	    rule);
}
