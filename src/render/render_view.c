/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What templates may show of a turn, and how each name gets its value.
 *
 * Values that must be one line are made so here, since a line break in a
 * profile name could forge a line of the text part; escaping is the engine's.
 */
#include "render_view.h"

#include <string.h>

#include "clock.h"
#include "directory.h"

#define FACT_COLUMNS (size_t)16

struct template_scope *
render_scope_add(struct render_filler *f, GPtrArray *list)
{
	struct template_scope *scope = g_new0(struct template_scope, 1);

	g_ptr_array_add(f->s->blocks, scope);
	g_ptr_array_add(list, scope);
	f->rows++;
	return scope;
}

/* To 16 columns, and at least one blank. */
static char *
padded(struct render_scratch *s, const char *name)
{
	size_t len = strlen(name), cols = MAX(FACT_COLUMNS, len + 1);
	char *out = render_keep(s, g_malloc(cols + 1));

	memcpy(out, name, len);
	memset(out + len, ' ', cols - len);
	out[cols] = '\0';
	return out;
}

void
render_fact_add(struct render_filler *f, GPtrArray *list, const char *name,
    const char *value)
{
	const char *line = render_line(f->s, value, SIZE_MAX);
	struct template_scope *scope;

	if (line == NULL || name == NULL)
		return;
	scope = render_scope_add(f, list);
	scope->string[F_NAME] = name;
	scope->string[F_PADDED] = padded(f->s, name);
	scope->string[F_VALUE] = line;
}

const char *
render_time(struct render_scratch *s, int64_t ms)
{
	char iso[CLOCK_ISO_SIZE];

	if (ms == 0)
		return NULL;
	clock_iso(ms, 0, iso);
	return render_format(s, "%.10s %.8s UTC", iso, iso + 11);
}

static const char *
plus(struct render_filler *f, const char *digits)
{
	return digits != NULL ? render_format(f->s, "+%s", digits) : NULL;
}

/* --- parties --- */

static void
fill_party(struct render_filler *f, GPtrArray *list, const struct render_party *p)
{
	static const char *const role[][2] = {
		[RENDER_FROM] = { "From", "From:           " },
		[RENDER_TO] = { "To", "To:             " },
		[RENDER_CC] = { "Cc", "Cc:             " },
	};
	struct template_scope *scope = render_scope_add(f, list);
	GPtrArray *facts = render_list(f->s);

	scope->string[P_ROLE] = role[p->role][0];
	scope->string[P_ROLE_PADDED] = role[p->role][1];
	scope->string[P_WHAT] = p->what;
	scope->string[P_NAME] = p->name;
	scope->string[P_ADDRESS] = p->address;
	scope->list[P_FACTS] = facts;
	render_fact_add(f, facts, "number", plus(f, p->number));
	render_fact_add(f, facts, "user id", p->user_id);
	render_fact_add(f, facts, "parent user id", p->parent_user_id);
	render_fact_add(f, facts, "username", p->username);
	if (p->given_name != p->name)
		render_fact_add(f, facts, "profile name", p->given_name);
	render_fact_add(f, facts, "customer id", p->customer_id);
	render_fact_add(f, facts, "employee id", p->employee_id);
	render_fact_add(f, facts, "mail", p->mail);
	if (p->business != p->name)
		render_fact_add(f, facts, "desk", p->business);
	render_fact_add(f, facts, "business number", plus(f, p->business_number));
	render_fact_add(f, facts, "business id", p->business_id);
	render_fact_add(f, facts, "group id", p->group_id);
}

/* --- events --- */

const char *
render_event_name(struct render_scratch *s, const struct render_event *ev,
    guint index)
{
	const char *stem = ev->excerpt != NULL ? "excerpt" : "event";
	const char *extension = ev->is_json ? "json" : "bin";

	if (index == 0)
		return render_format(s, "%s.%s", stem, extension);
	return render_format(s, "%s-%u.%s", stem, index + 1, extension);
}

static void
fill_event(struct render_filler *f, GPtrArray *list, const struct render_event *ev,
    bool attached)
{
	struct template_scope *scope = render_scope_add(f, list);
	char iso[CLOCK_ISO_SIZE], hex[HASH_HEX_SIZE];

	scope->string[E_CAPTURED] = render_keep(f->s,
	    g_strdup(clock_iso(ev->received_ms, 1, iso)));
	scope->string[E_SOURCE] = render_line(f->s, ev->source,
	    RENDER_NAME_MAX);
	scope->string[E_SEQ] = render_format(f->s, "%" G_GINT64_FORMAT,
	    ev->seq);
	scope->string[E_SHA256] = render_keep(f->s,
	    g_strdup(hash_hex(ev->sha256, hex)));
	scope->string[E_SIZE] = render_format(f->s, "%zu", ev->len);
	if (attached)
		scope->string[E_FILE] = render_event_name(f->s, ev,
		    list->len - 1);
}

/* --- the turn --- */

static const char *
what_of(struct render_filler *f, const struct item *it, guint count)
{
	static const char *const what[ITEM_KINDS] = {
		[ITEM_EDIT] = "edited message",
		[ITEM_REVOKE] = "deleted message",
		[ITEM_REACTION] = "reaction",
		[ITEM_SYSTEM] = "system message",
		[ITEM_CALL] = "call",
		[ITEM_GROUP] = "group event",
		[ITEM_HISTORY] = "message from before the capture",
		[ITEM_GAP] = "message without content",
		[ITEM_NOTICE] = "notice",
		[ITEM_ACCOUNT] = "account notice",
	};

	if (it->kind == ITEM_MESSAGE)
		return count == 1 ? "1 message" :
		    render_format(f->s, "%u messages", count);
	if (it->kind == ITEM_RECEIPT && it->receipt != NULL &&
	    it->receipt->status != NULL)
		return render_format(f->s, "status %s", render_line(f->s,
		    it->receipt->status, RENDER_NAME_MAX));
	return what[it->kind] != NULL ? what[it->kind] : "status";
}

static void
fill_names(struct render_filler *f, struct template_scope *v)
{
	const struct render_input *in = f->t->in;
	const struct render_parties *who = &f->t->who;

	v->string[T_FROM] = who->list[0].name;
	v->string[T_TO] = who->list[1].name;
	for (size_t i = 0; i < who->n; i++) {
		const struct render_party *p = &who->list[i];

		if (g_str_equal(p->what, "customer")) {
			v->string[T_CUSTOMER] = p->name;
			v->string[T_CUSTOMER_NUMBER] = plus(f, p->number);
			v->string[T_CUSTOMER_ID] = p->customer_id;
		}
		if (p->business != NULL)
			v->string[T_BUSINESS] = p->business;
	}
	if (in->business != NULL)
		v->string[T_DESK] = render_line(f->s, in->business->desk,
		    RENDER_NAME_MAX);
	if (in->staff != NULL)
		v->string[T_EMPLOYEE] = render_line(f->s, in->staff->name,
		    RENDER_NAME_MAX);
}

static void
fill_turn(struct render_filler *f, struct template_scope *v)
{
	const struct render_input *in = f->t->in;
	const struct item *first = g_ptr_array_index(in->items, 0);
	const struct item *last = g_ptr_array_index(in->items,
	    in->items->len - 1);

	v->string[T_WHAT] = what_of(f, first, in->items->len);
	v->string[T_DIRECTION] = item_direction_name(first->direction);
	v->string[T_NETWORK] = "WhatsApp";
	v->string[T_EVENT] = item_kind_name(first->kind);
	v->string[T_AUTHOR] = item_author_name(first->author);
	v->string[T_COUNT] = render_format(f->s, "%u", in->items->len);
	v->string[T_FIRST] = render_time(f->s, f->t->at_ms);
	if (last->at_ms != f->t->at_ms)
		v->string[T_LAST] = render_time(f->s, last->at_ms);
	v->string[T_MESSAGE_ID] = f->t->message_id;
	v->string[T_CONVERSATION] = f->t->conversation;
	v->string[T_PARENT] = in->parent_message_id;
	v->string[first->direction == ITEM_SENT ? T_SENT :
	    T_RECEIVED] = "1";
}

void
render_view_fill(const struct render *r, struct render_turn *t)
{
	struct render_filler f = { .t = t, .s = &t->scratch };
	struct template_scope *v = &t->view;
	const struct render_input *in = t->in;
	bool attached = render_attaches_events(r, in);

	fill_turn(&f, v);
	fill_names(&f, v);
	v->list[T_PARTIES] = render_list(f.s);
	for (size_t i = 0; i < t->who.n; i++)
		fill_party(&f, v->list[T_PARTIES], &t->who.list[i]);
	v->list[T_EVENTS] = render_list(f.s);
	for (guint i = 0; i < in->events->len; i++)
		fill_event(&f, v->list[T_EVENTS],
		    g_ptr_array_index(in->events, i), attached);
	v->list[T_ITEMS] = render_list(f.s);
	for (guint i = 0; i < in->items->len; i++)
		render_item_fill(&f, v->list[T_ITEMS],
		    g_ptr_array_index(in->items, i));
}
