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
#include "text.h"

#define FACT_COLUMNS 16
#define BLOCK_INDENT "    "
#define GROUP_SHOWN 8

/* --- for all scopes --- */

struct template_scope *
render_scope_add(struct render_filler *f, GPtrArray *list)
{
	struct template_scope *scope = render_room(f->s, sizeof(*scope));

	memset(scope, 0, sizeof(*scope));
	g_ptr_array_add(list, scope);
	f->rows++;
	return scope;
}

void
render_fact_add(struct render_filler *f, GPtrArray *list, const char *name,
    const char *value)
{
	const char *line = render_line(f->s, value, SIZE_MAX);
	struct template_scope *scope;

	if (line == NULL)
		return;
	scope = render_scope_add(f, list);
	scope->string[F_NAME] = render_word(f->words, name);
	scope->string[F_PADDED] = render_padded(f->s, scope->string[F_NAME],
	    FACT_COLUMNS);
	scope->string[F_VALUE] = line;
}

void
render_facts_add(struct render_filler *f, GPtrArray *list,
    const GPtrArray *facts)
{
	for (guint i = 0; facts != NULL && i < facts->len; i++) {
		const struct item_fact *fact = g_ptr_array_index(facts, i);
		const char *name = render_line(f->s, fact->name, SIZE_MAX);

		render_fact_add(f, list, name != NULL ? name : "?",
		    fact->value);
	}
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

const char *
render_local(struct render_filler *f, int64_t ms)
{
	char local[CLOCK_LOCAL_SIZE];

	if (ms == 0 || f->zone == NULL)
		return NULL;
	return render_copy(f->s, clock_local(f->zone, ms, local));
}

/* Cleaned before it is indented: a lone CR is a line break too. */
const char *
render_indented(struct render_filler *f, const char *text)
{
	g_autofree char *clean = text_clean(text, strlen(text), TEXT_BLOCK,
	    SIZE_MAX);
	GString *out = g_string_sized_new(strlen(clean) + 64);
	const char *p = clean;

	for (;;) {
		size_t len = strcspn(p, "\n");

		if (len > 0)
			g_string_append(out, BLOCK_INDENT);
		g_string_append_len(out, p, (gssize)len);
		p += len;
		if (*p == '\0')
			break;
		g_string_append_c(out, *p++);
	}
	return render_keep(f->s, g_string_free(out, FALSE));
}

static const char *
plus(struct render_filler *f, const char *digits)
{
	return digits != NULL ? render_strings(f->s, "+", digits, NULL) : NULL;
}

/* --- parties --- */

static void
fill_party(struct render_filler *f, GPtrArray *list, const struct render_party *p)
{
	static const char *const role[] = {
		[RENDER_FROM] = WORD("From"),
		[RENDER_TO] = WORD("To"),
		[RENDER_CC] = WORD("Cc"),
	};
	struct template_scope *scope = render_scope_add(f, list);
	GPtrArray *facts = render_list(f->s);

	scope->string[P_ROLE] = render_word(f->words, role[p->role]);
	scope->string[P_ROLE_PADDED] = render_padded(f->s,
	    scope->string[P_ROLE], FACT_COLUMNS);
	scope->string[P_WHAT] = render_word(f->words, p->what);
	scope->string[P_NAME] = p->name;
	scope->string[P_ADDRESS] = p->address;
	scope->list[P_FACTS] = facts;
	render_fact_add(f, facts, WORD("number"), plus(f, p->number));
	render_fact_add(f, facts, WORD("user id"), p->user_id);
	render_fact_add(f, facts, WORD("parent user id"), p->parent_user_id);
	render_fact_add(f, facts, WORD("username"), p->username);
	if (p->given_name != p->name)
		render_fact_add(f, facts, WORD("profile name"),
		    p->given_name);
	render_fact_add(f, facts, WORD("name from"),
	    render_word(f->words, p->name_source));
	render_fact_add(f, facts, WORD("customer id"), p->customer_id);
	render_fact_add(f, facts, WORD("employee id"), p->employee_id);
	render_fact_add(f, facts, WORD("mail address"), p->mail);
	if (p->business != p->name)
		render_fact_add(f, facts, WORD("desk"), p->business);
	render_fact_add(f, facts, WORD("business number"),
	    plus(f, p->business_number));
	render_fact_add(f, facts, WORD("business id"), p->business_id);
	render_fact_add(f, facts, WORD("group id"), p->group_id);
}

/* --- events --- */

const char *
render_event_name(struct render_scratch *s, const struct render_event *ev,
    guint index)
{
	const char *stem = ev->excerpt != NULL ? "excerpt" : "event";
	const char *extension = ev->is_json ? "json" : "bin";

	if (index == 0)
		return render_strings(s, stem, ".", extension, NULL);
	return render_format(s, "%s-%u.%s", stem, index + 1, extension);
}

static void
fill_event(struct render_filler *f, GPtrArray *list, const struct render_event *ev,
    bool attached)
{
	struct template_scope *scope = render_scope_add(f, list);
	char iso[CLOCK_ISO_SIZE], hex[HASH_HEX_SIZE];

	scope->string[E_CAPTURED] = render_copy(f->s,
	    clock_iso(ev->received_ms, 1, iso));
	scope->string[E_SOURCE] = render_line(f->s, ev->source,
	    RENDER_NAME_MAX);
	scope->string[E_SEQ] = render_number(f->s, ev->seq);
	scope->string[E_SHA256] = render_copy(f->s,
	    hash_hex(ev->sha256, hex));
	scope->string[E_SIZE] = render_number(f->s, (int64_t)ev->len);
	if (attached)
		scope->string[E_FILE] = render_event_place(f->t, f->s,
		    render_event_name(f->s, ev, list->len - 1));
}

/* --- the topic --- */

/* Ids of groups begin alike and differ at the end. */
static const char *
group_name(struct render_filler *f, const struct render_party *p)
{
	size_t len = p->group_id != NULL ? strlen(p->group_id) : 0;
	const char *end = len > GROUP_SHOWN ? p->group_id + len - GROUP_SHOWN :
	    p->group_id;

	while (end != NULL && ((unsigned char)*end & 0xc0) == 0x80)
		end++;
	return render_phrase(f->words, f->s, WORD("Group %s"),
	    end != NULL ? end : "");
}

/* Without what changes from mail to mail: author, direction, employee. */
static const char *
make_topic(struct render_filler *f)
{
	const struct render_parties *who = &f->t->who;
	const char *other = NULL, *ours = NULL;
	bool has_group = false;

	for (size_t i = 0; i < who->n; i++) {
		const struct render_party *p = &who->list[i];

		if (p->is_group) {
			other = group_name(f, p);
			has_group = true;
		} else if (g_str_equal(p->what, "customer")) {
			other = has_group ? other : p->name;
		} else if (!g_str_equal(p->what, "network")) {
			ours = p->business != NULL ? p->business :
			    p->line != NULL ? p->line : p->name;
		}
	}
	return render_strings(f->s, "WhatsApp: ",
	    other != NULL ? other : "", other != NULL && ours != NULL ? " - " :
	    "", ours != NULL ? ours : "", NULL);
}

/* --- the turn --- */

/* "status sent, delivered, read": each once, in the order of the items. */
static const char *
statuses(struct render_filler *f, const GPtrArray *items)
{
	g_autoptr(GString) all = g_string_new(NULL);
	const char *last = NULL;

	for (guint i = 0; i < items->len; i++) {
		const struct item *it = g_ptr_array_index(items, i);
		const char *status = it->receipt != NULL ?
		    render_line(f->s, it->receipt->status, RENDER_NAME_MAX) :
		    NULL;

		if (status == NULL || g_strcmp0(status, last) == 0 ||
		    all->len > RENDER_NAME_MAX)
			continue;
		g_string_append(all, all->len > 0 ? ", " : "");
		g_string_append(all, render_word(f->words, status));
		last = status;
	}
	return all->len > 0 ? render_phrase(f->words, f->s,
	    WORD("status %s"), all->str) : render_word(f->words,
	    WORD("status"));
}

/* Kinds whose items say best themselves what they are. */
static bool
is_told_by_type(const struct item *it)
{
	static const bool kinds[ITEM_KINDS] = {
		[ITEM_REACTION] = true, [ITEM_SYSTEM] = true,
		[ITEM_CALL] = true, [ITEM_GROUP] = true,
		[ITEM_ACCOUNT] = true,
	};

	return it->kind == ITEM_MESSAGE ? it->type != ITEM_TYPE_TEXT :
	    kinds[it->kind] && it->type != ITEM_TYPE_UNKNOWN;
}

static const char *
what_of(struct render_filler *f)
{
	static const char *const what[ITEM_KINDS] = {
		[ITEM_EDIT] = WORD("edited message"),
		[ITEM_REVOKE] = WORD("deleted message"),
		[ITEM_REACTION] = WORD("reaction"),
		[ITEM_SYSTEM] = WORD("system message"),
		[ITEM_CALL] = WORD("call"),
		[ITEM_GROUP] = WORD("group event"),
		[ITEM_HISTORY] = WORD("message from before the capture"),
		[ITEM_GAP] = WORD("message without content"),
		[ITEM_NOTICE] = WORD("notice"),
		[ITEM_ACCOUNT] = WORD("account notice"),
		[ITEM_ATTEMPT] = WORD("message that was not sent"),
	};
	const struct render_input *in = f->t->in;
	const struct item *it = g_ptr_array_index(in->items, 0);
	const char *word;

	if (in->is_excluded)
		return render_excluded_word(f);
	if (in->is_follow_up)
		return render_word(f->words,
		    WORD("file of an earlier message"));
	if (it->kind == ITEM_ATTEMPT && it->send != NULL &&
	    (word = render_attempt_word(f, it)) != NULL)
		return word;
	if (in->items->len == 1 && is_told_by_type(it))
		return render_what(f->words, it);
	if (it->kind == ITEM_MESSAGE)
		return render_count(f->words, f->s, in->items->len,
		    "%u message", WORD("%u messages"));
	if (it->kind == ITEM_RECEIPT)
		return statuses(f, in->items);
	return render_word(f->words, what[it->kind]);
}

static void
fill_names(struct render_filler *f, struct template_scope *v)
{
	const struct render_input *in = f->t->in;
	const struct render_parties *who = &f->t->who;

	v->string[T_FROM] = who->list[0].name;
	v->string[T_TO] = who->list[1].name;
	v->string[T_TOPIC] = f->t->topic;
	for (size_t i = 0; i < who->n; i++) {
		const struct render_party *p = &who->list[i];

		if (g_str_equal(p->what, "customer")) {
			v->string[T_CUSTOMER] = p->name;
			v->string[T_CUSTOMER_NUMBER] = plus(f, p->number);
			v->string[T_CUSTOMER_ID] = p->customer_id;
		}
		if (p->business != NULL)
			v->string[T_BUSINESS] = p->business;
		if (p->is_group)
			v->string[T_GROUP] = p->group_id;
	}
	if (in->business != NULL)
		v->string[T_DESK] = render_line(f->s, in->business->desk,
		    RENDER_NAME_MAX);
	if (in->staff != NULL)
		v->string[T_EMPLOYEE] = render_line(f->s, in->staff->name,
		    RENDER_NAME_MAX);
}

static bool
is_failure(const struct item *it)
{
	return it->receipt != NULL && it->receipt->status != NULL &&
	    g_ascii_strcasecmp(it->receipt->status, "failed") == 0;
}

/* What has to be seen before a mail is opened. */
static void
fill_warnings(struct render_filler *f, struct template_scope *v)
{
	const struct render_input *in = f->t->in;
	guint receipts = 0;

	for (guint i = 0; i < in->items->len; i++) {
		const struct item *it = g_ptr_array_index(in->items, i);

		if (it->alarm)
			v->string[T_ALARM] = "1";
		if (it->kind == ITEM_GAP)
			v->string[T_GAP] = "1";
		if (is_failure(it) && !in->is_excluded)
			v->string[T_FAILED] = "1";
		if (it->kind == ITEM_REVOKE)
			v->string[T_DELETED] = "1";
		if (it->kind == ITEM_EDIT)
			v->string[T_EDITED] = "1";
		receipts += it->kind == ITEM_RECEIPT;
	}
	if (receipts == in->items->len && !in->is_excluded)
		v->string[T_RECEIPTS] = "1";
	if (in->is_follow_up)
		v->string[T_FOLLOW_UP] = "1";
	if (f->t->is_aged)
		v->string[T_AGED] = "1";
	if (in->is_excluded) {
		v->string[T_EXCLUDED] = "1";
		v->string[T_EXCLUDE_RULE] = render_line(f->s,
		    in->exclude_rule, RENDER_NAME_MAX);
	}
	v->list[T_OUTCOMES] = render_outcomes(f);
	v->list[T_POLICY] = render_policy_list(f);
}

static void
fill_times(struct render_filler *f, struct template_scope *v)
{
	const GPtrArray *items = f->t->in->items;
	const struct item *last = g_ptr_array_index(items, items->len - 1);

	v->string[T_ZONE] = f->zone != NULL ? clock_zone_name(f->zone) : "UTC";
	v->string[T_FIRST] = render_time(f->s, f->t->at_ms);
	v->string[T_FIRST_LOCAL] = render_local(f, f->t->at_ms);
	if (last->at_ms == f->t->at_ms)
		return;
	v->string[T_LAST] = render_time(f->s, last->at_ms);
	v->string[T_LAST_LOCAL] = render_local(f, last->at_ms);
}

static const char *const directions[] = {
	[ITEM_RECEIVED] = WORD("incoming"), [ITEM_SENT] = WORD("outgoing"),
};

static void
fill_turn(struct render_filler *f, struct template_scope *v)
{
	const struct render_input *in = f->t->in;
	const struct item *first = g_ptr_array_index(in->items, 0);

	v->string[T_WHAT] = what_of(f);
	v->string[T_DIRECTION] = render_word(f->words,
	    directions[first->direction]);
	v->string[T_NETWORK] = "WhatsApp";
	v->string[T_EVENT] = item_kind_name(first->kind);
	v->string[T_AUTHOR] = item_author_name(first->author);
	v->string[T_WRITER] = render_writer(f->words, first->author);
	v->string[T_COUNT] = render_number(f->s, in->items->len);
	v->string[T_MESSAGE_ID] = f->t->message_id;
	v->string[T_CONVERSATION] = f->t->conversation;
	v->string[T_PARENT] = in->parent_message_id;
	v->string[first->direction == ITEM_SENT ? T_SENT :
	    T_RECEIVED] = "1";
	if (f->t->parts > 0) {
		v->string[T_PART] = render_number(f->s, f->t->part);
		v->string[T_PARTS] = render_number(f->s, f->t->parts);
	}
}

/* The desk's own zone, else that of the configuration. */
static const struct clock_zone *
zone_of(const struct render *r, const struct render_input *in)
{
	const char *name = in->business != NULL ? in->business->zone : NULL;
	const struct clock_zone *zone = NULL;

	if (name != NULL && g_str_equal(name, "UTC"))
		return NULL;
	if (name != NULL)
		zone = clock_zone_get(name);
	return zone != NULL ? zone : r->zone;
}

void
render_view_fill(const struct render *r, struct render_turn *t)
{
	const struct render_input *in = t->in;
	struct render_filler f = { .t = t, .s = &t->scratch,
		.words = t->style->language->words, .zone = zone_of(r, in) };
	struct template_scope *v = &t->view;
	bool attached = render_attaches_events(r, in);

	t->topic = make_topic(&f);
	fill_turn(&f, v);
	fill_times(&f, v);
	fill_names(&f, v);
	fill_warnings(&f, v);
	v->list[T_PARTIES] = render_list(f.s);
	for (size_t i = 0; i < t->who.n; i++)
		fill_party(&f, v->list[T_PARTIES], &t->who.list[i]);
	/* A part of a cut turn, and a mail of late files, is about its files;
	   the rest is said once. */
	v->list[T_EVENTS] = render_list(f.s);
	for (guint i = 0; t->part <= 1 && i < in->events->len; i++)
		fill_event(&f, v->list[T_EVENTS],
		    g_ptr_array_index(in->events, i), attached);
	v->list[T_ITEMS] = render_list(f.s);
	for (guint i = 0; i < in->items->len; i++) {
		if ((t->part <= 1 && !in->is_follow_up) ||
		    render_has_file(t, in->items->pdata[i]))
			render_item_fill(&f, v->list[T_ITEMS], i);
	}
}
