/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header fields of what the bank's rules found and of what went through the
 * gateway, so that a rule of an archive can file by them. A mail without
 * either has none of them. Values are tokens in every language.
 */
#include "render_field.h"
#include "render_int.h"

#include <string.h>

#define SET_SHOWN 16	/* the text part has the whole digest */

struct writer {
	struct render_fields f;
	struct render_turn *t;
	struct render_scratch *s;
};

static void
begin(struct writer *w, const char *name)
{
	render_field_begin(&w->f, render_style_name(w->t->style, name));
}

static void
add_text(struct writer *w, const char *name, const char *value)
{
	const char *line = render_line(w->s, value, RENDER_NAME_MAX);

	if (line == NULL)
		return;
	begin(w, name);
	render_field_text(&w->f, line);
	render_field_end(&w->f);
}

static void
add_param(struct writer *w, const char *name, const char *value)
{
	render_field_param(&w->f, name, render_line(w->s, value, SIZE_MAX));
}

static void
add_verdict(struct writer *w, const struct render_policy *p)
{
	begin(w, "X-ChatJournal-Policy");
	add_param(w, "verdict", p->word);
	add_param(w, "rules", render_joined(w->s, p->rules, ","));
	add_param(w, "unsure", render_joined(w->s, p->unsure, ","));
	add_param(w, "not-here", render_joined(w->s, p->not_here, ","));
	add_param(w, "hold", p->hold_end);
	if (p->set != NULL)
		add_param(w, "set", render_format(w->s, "%.*s", SET_SHOWN,
		    p->set));
	render_field_end(&w->f);
}

static void
add_reviews(struct writer *w, const GPtrArray *reviews)
{
	for (guint i = 0; reviews != NULL && i < reviews->len; i++) {
		const struct item_fact *act = reviews->pdata[i];

		begin(w, "X-ChatJournal-Review");
		add_param(w, "act", act->name);
		add_param(w, "note", act->value);
		render_field_end(&w->f);
	}
}

static void
add_policy(struct writer *w, const struct render_policy *p)
{
	add_verdict(w, p);
	if (p->flag)
		add_text(w, "X-ChatJournal-Flag", "review");
	for (guint i = 0; p->tags != NULL && i < p->tags->len; i++)
		add_text(w, "X-ChatJournal-Flag", p->tags->pdata[i]);
	add_text(w, "X-ChatJournal-Retention", p->retain);
	add_reviews(w, p->reviews);
}

static void
add_send(struct writer *w, const struct item_send *send)
{
	begin(w, "X-ChatJournal-Send");
	add_param(w, "key", send->key);
	add_param(w, "outcome", send->outcome);
	add_param(w, "status", send->status);
	add_param(w, "application", send->application);
	add_param(w, "employee", send->employee);
	render_field_end(&w->f);
	add_reviews(w, send->reviews);
}

static void
add_sends(struct writer *w)
{
	const GPtrArray *items = w->t->in->items;
	const struct item *first = g_ptr_array_index(items, 0);

	if (first->send != NULL)
		add_text(w, "X-ChatJournal-Application",
		    first->send->application);
	for (guint i = 0; w->t->part <= 1 && i < items->len; i++) {
		const struct item *it = g_ptr_array_index(items, i);

		if (it->send != NULL)
			add_send(w, it->send);
	}
}

void
render_policy_fields(struct render_turn *t, GString *out)
{
	struct writer w = { .f.out = out, .t = t, .s = &t->scratch };
	const struct render_input *in = t->in;

	add_sends(&w);
	if (in->policy != NULL)
		add_policy(&w, in->policy);
	if (!in->is_excluded)
		return;
	begin(&w, "X-ChatJournal-Excluded");
	add_param(&w, "rule", in->exclude_rule != NULL ? in->exclude_rule
	    : "unknown");
	render_field_end(&w.f);
}
